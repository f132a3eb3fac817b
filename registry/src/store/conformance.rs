//! What every [`Store`] does: one suite, called with a function that opens an empty store.

use std::{
    collections::HashSet,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use codec::{
    DeviceId, Identity, KeyCard, Name, RecoveryLock, UnixMillis,
    claim::Claim,
    identity::AgreementSecret,
    registry::{Contact, PAGE_MAX, Presence, Refusal},
};

use super::{Change, Claims, ConnectionId, Moment, Registration, Renewal, Store};
use crate::limits::{Limits, Source};

pub(super) mod owning;
pub(super) mod restart;

const MINUTE: Duration = Duration::from_secs(60);

/// Runs the whole suite; `open` gives an empty store.
pub(super) async fn run<S: Store>(open: impl Fn(&Limits, Claims) -> S) {
    let of = |names| open(&names_max(names), Claims::Open);
    what_is_registered_is_found(&of(10)).await;
    a_name_has_one_owner(&of(10)).await;
    presence_is_that_of_all_devices(&of(10)).await;
    leases_end(&of(10)).await;
    only_the_owner_renews(&of(10)).await;
    the_limit_holds(&of(2)).await;
    the_directory_is_whole(&of(1000)).await;
    of_many_claims_at_once_one_wins(Arc::new(of(10))).await;
    owning::run(open).await;
}

fn names_max(names: usize) -> Limits {
    Limits {
        names,
        ..Limits::default()
    }
}

/// When the suite begins, by the machine's clock.
pub(super) const BEGIN: UnixMillis = 1_800_000_000_000;

/// So long after the beginning, by both clocks.
pub(super) fn after(start: Instant, passed: Duration) -> Moment {
    Moment {
        now: start + passed,
        time: BEGIN + u64::try_from(passed.as_millis()).unwrap(),
    }
}

pub(super) fn card(seed: u8) -> KeyCard {
    let agreement = AgreementSecret::from_secret(&[seed; 32]).key();
    KeyCard::issue(&Identity::from_secret(&[seed; 32]), agreement, 1, u64::MAX)
}

pub(super) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub(super) fn claim(text: &str, seed: u8, cseq: u64) -> Registration {
    Registration {
        name: name(text),
        device: DeviceId([seed; 16]),
        card: card(seed),
        contacts: vec![Contact {
            addr: ([10, 0, 0, seed], 5).into(),
            observed: true,
        }],
        expires: MINUTE,
        cseq,
        presence: Presence::Available,
        source: Source::from(IpAddr::from([10, 0, 0, seed])),
        connection: ConnectionId(1),
        claim: Claim::new(RecoveryLock([seed; 32])),
    }
}

pub(super) fn renewal(text: &str, seed: u8, cseq: u64) -> Renewal {
    let identity = card(seed).identity;
    Renewal {
        name: name(text),
        device: DeviceId([seed; 16]),
        identity,
        cseq,
        connection: ConnectionId(1),
    }
}

async fn what_is_registered_is_found(store: &impl Store) {
    let at = after(Instant::now(), Duration::ZERO);
    let now = at.now;
    assert_eq!(
        store.lookup(&name("bob"), now).await,
        Err(Refusal::NotFound)
    );
    assert_eq!(
        store.register(claim("Bob", 1, 1), at).await,
        Ok(Change::Added)
    );
    assert_eq!(
        store.register(claim("Bob", 1, 2), at).await,
        Ok(Change::Nothing)
    );
    let record = store.lookup(&name("bOB"), now).await.unwrap();
    assert_eq!(record.entry.name.as_str(), "Bob");
    assert_eq!(record.card, card(1));
    assert_eq!(record.entry.contacts(), [([10, 0, 0, 1], 5).into()]);
    let (rows, names) = store.rows(50, now);
    assert_eq!((rows.len(), names), (1, 1));
}

async fn a_name_has_one_owner(store: &impl Store) {
    let at = after(Instant::now(), Duration::ZERO);
    let now = at.now;
    store.register(claim("bob", 1, 1), at).await.unwrap();
    assert_eq!(
        store.register(claim("bob", 2, 9), at).await,
        Err(Refusal::NameTaken)
    );
    let record = store.lookup(&name("bob"), now).await.unwrap();
    assert_eq!(record.card.identity, card(1).identity);
}

async fn presence_is_that_of_all_devices(store: &impl Store) {
    let at = after(Instant::now(), Duration::ZERO);
    let now = at.now;
    let (bob, here) = (name("bob"), ConnectionId(1));
    let (desk, mobile) = (DeviceId([1; 16]), DeviceId([2; 16]));
    let second = Registration {
        device: mobile,
        presence: Presence::Away,
        expires: MINUTE / 2,
        ..claim("bob", 1, 1)
    };
    store.register(claim("bob", 1, 1), at).await.unwrap();
    assert_eq!(store.register(second, at).await, Ok(Change::Added));
    let seen = async |at| store.lookup(&bob, at).await.unwrap().entry.presence;
    assert_eq!(seen(now).await, Presence::Available);
    for (device, said, changes, seen_then) in [
        (desk, Presence::Away, true, Presence::Away),
        (mobile, Presence::Busy, true, Presence::Busy),
        (desk, Presence::Available, false, Presence::Busy),
        (DeviceId([3; 16]), Presence::Away, false, Presence::Busy),
    ] {
        let changed = store.publish(&bob, device, here, said, now).await;
        assert_eq!((changed, seen(now).await), (changes, seen_then));
    }
    // Another connection took the lease over: what the first one still says is not heard.
    let there = ConnectionId(2);
    let elsewhere = Registration {
        connection: there,
        presence: Presence::Away,
        ..claim("bob", 1, 2)
    };
    store.register(elsewhere, at).await.unwrap();
    let renewed = Renewal {
        connection: there,
        device: mobile,
        ..renewal("bob", 1, 2)
    };
    store.refresh(renewed, MINUTE / 2, at).await.unwrap();
    for device in [desk, mobile] {
        let said = store.publish(&bob, device, here, Presence::Available, now);
        assert!(!said.await);
    }
    let said = store.publish(&bob, mobile, there, Presence::Away, now);
    assert!(said.await);
    let said = store.publish(&bob, desk, there, Presence::Available, now);
    assert!(said.await);
    // What a device said is gone with its lease.
    assert_eq!(seen(now + MINUTE / 2).await, Presence::Available);
}

async fn leases_end(store: &impl Store) {
    let start = Instant::now();
    let at = |passed| after(start, passed);
    let of_bob = |seed, cseq| claim("bob", seed, cseq);
    let (begin, half) = (at(Duration::ZERO), at(MINUTE / 2));
    store.register(of_bob(1, 1), begin).await.unwrap();
    let renewed = store.refresh(renewal("bob", 1, 2), MINUTE, half).await;
    assert_eq!(renewed, Ok(()));
    assert!(store.lookup(&name("bob"), start + MINUTE).await.is_ok());
    let end = at(MINUTE / 2 + MINUTE);
    let before = at(MINUTE / 2 + MINUTE - Duration::from_millis(1));
    assert_eq!(store.expire(before), []);
    let found = store.lookup(&name("bob"), end.now).await;
    assert_eq!(found, Err(Refusal::NotFound));
    let ended = store.expire(end);
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0].connection, ConnectionId(1));
    // The name stays its owner's, who may come back by another phone.
    let taken = store.register(of_bob(2, 1), end).await;
    assert_eq!(taken, Err(Refusal::NameTaken));
    assert_eq!(store.register(of_bob(1, 1), end).await, Ok(Change::Added));
}

async fn only_the_owner_renews(store: &impl Store) {
    let at = after(Instant::now(), Duration::ZERO);
    let now = at.now;
    store.register(claim("bob", 1, 1), at).await.unwrap();
    let stranger = Renewal {
        device: DeviceId([1; 16]),
        ..renewal("bob", 2, 5)
    };
    assert_eq!(
        store.refresh(stranger.clone(), MINUTE, at).await,
        Err(Refusal::NameTaken)
    );
    assert_eq!(
        store.unregister(stranger, now).await,
        Err(Refusal::NameTaken)
    );
    assert_eq!(
        store.unregister(renewal("bob", 1, 1), now).await,
        Err(Refusal::Stale)
    );
    assert_eq!(
        store.unregister(renewal("bob", 1, 2), now).await,
        Ok(ConnectionId(1))
    );
    assert_eq!(
        store.lookup(&name("bob"), now).await,
        Err(Refusal::NotFound)
    );
}

async fn the_limit_holds(store: &impl Store) {
    let start = Instant::now();
    let (begin, later) = (after(start, Duration::ZERO), after(start, MINUTE));
    store.register(claim("a", 1, 1), begin).await.unwrap();
    store.register(claim("b", 1, 1), begin).await.unwrap();
    for at in [begin, later] {
        let refused = store.register(claim("c", 1, 1), at).await;
        assert_eq!(refused, Err(Refusal::TooMany));
    }
    store.release_by_operator(name("a")).await.unwrap();
    let registered = store.register(claim("c", 1, 1), later).await;
    assert_eq!(registered, Ok(Change::Added));
}

async fn the_directory_is_whole(store: &impl Store) {
    let at = after(Instant::now(), Duration::ZERO);
    let now = at.now;
    for number in 0..100 {
        store
            .register(claim(&format!("n{number:03}"), number, 1), at)
            .await
            .unwrap();
    }
    let mut seen = HashSet::new();
    let mut last = None;
    loop {
        let page = store.list("N", last.as_ref(), PAGE_MAX, now).await.unwrap();
        for entry in page.entries.iter() {
            assert!(seen.insert(entry.name.clone()), "{} came twice", entry.name);
            last = Some(entry.name.clone());
        }
        if !page.more {
            break;
        }
    }
    assert_eq!(seen.len(), 100);
}

async fn of_many_claims_at_once_one_wins<S: Store>(store: Arc<S>) {
    let at = after(Instant::now(), Duration::ZERO);
    let mut claims = tokio::task::JoinSet::new();
    for seed in 1..=50 {
        let store = Arc::clone(&store);
        claims.spawn(async move { store.register(claim("bob", seed, 1), at).await });
    }
    let results = claims.join_all().await;
    assert_eq!(
        results
            .iter()
            .filter(|result| **result == Ok(Change::Added))
            .count(),
        1
    );
}
