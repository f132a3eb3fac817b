//! What every [`Store`] does: one suite, called with a function that opens an empty store.

use std::{
    collections::HashSet,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use codec::{
    DeviceId, Identity, KeyCard, Name,
    identity::AgreementSecret,
    registry::{Contact, PAGE_MAX, Presence, Refusal},
};

use super::{Change, ConnectionId, Registration, Renewal, Store};
use crate::limits::Source;

const MINUTE: Duration = Duration::from_secs(60);

/// Runs the whole suite.
pub async fn run<S: Store>(open: impl Fn(usize) -> S) {
    what_is_registered_is_found(&open(10)).await;
    a_name_has_one_owner(&open(10)).await;
    presence_is_that_of_all_devices(&open(10)).await;
    leases_end(&open(10)).await;
    only_the_owner_renews(&open(10)).await;
    the_limit_holds(&open(2)).await;
    the_directory_is_whole(&open(1000)).await;
    of_many_claims_at_once_one_wins(Arc::new(open(10))).await;
}

fn card(seed: u8) -> KeyCard {
    let agreement = AgreementSecret::from_secret(&[seed; 32]).key();
    KeyCard::issue(&Identity::from_secret(&[seed; 32]), agreement, 1, u64::MAX)
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn claim(text: &str, seed: u8, cseq: u64) -> Registration {
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
    }
}

fn renewal(text: &str, seed: u8, cseq: u64) -> Renewal {
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
    let now = Instant::now();
    assert_eq!(
        store.lookup(&name("bob"), now).await,
        Err(Refusal::NotFound)
    );
    assert_eq!(
        store.register(claim("Bob", 1, 1), now).await,
        Ok(Change::Added)
    );
    assert_eq!(
        store.register(claim("Bob", 1, 2), now).await,
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
    let now = Instant::now();
    store.register(claim("bob", 1, 1), now).await.unwrap();
    assert_eq!(
        store.register(claim("bob", 2, 9), now).await,
        Err(Refusal::NameTaken)
    );
    let record = store.lookup(&name("bob"), now).await.unwrap();
    assert_eq!(record.card.identity, card(1).identity);
}

async fn presence_is_that_of_all_devices(store: &impl Store) {
    let now = Instant::now();
    let (bob, here) = (name("bob"), ConnectionId(1));
    let (desk, mobile) = (DeviceId([1; 16]), DeviceId([2; 16]));
    let second = Registration {
        device: mobile,
        presence: Presence::Away,
        expires: MINUTE / 2,
        ..claim("bob", 1, 1)
    };
    store.register(claim("bob", 1, 1), now).await.unwrap();
    assert_eq!(store.register(second, now).await, Ok(Change::Added));
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
    store.register(elsewhere, now).await.unwrap();
    let renewed = Renewal {
        connection: there,
        device: mobile,
        ..renewal("bob", 1, 2)
    };
    store.refresh(renewed, MINUTE / 2, now).await.unwrap();
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
    let now = Instant::now();
    store.register(claim("bob", 1, 1), now).await.unwrap();
    assert_eq!(
        store
            .refresh(renewal("bob", 1, 2), MINUTE, now + MINUTE / 2)
            .await,
        Ok(())
    );
    assert!(store.lookup(&name("bob"), now + MINUTE).await.is_ok());
    let end = now + MINUTE / 2 + MINUTE;
    assert_eq!(store.expire(end - Duration::from_millis(1)), []);
    assert_eq!(
        store.lookup(&name("bob"), end).await,
        Err(Refusal::NotFound)
    );
    let ended = store.expire(end);
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0].connection, ConnectionId(1));
    assert_eq!(
        store.register(claim("bob", 2, 1), end).await,
        Ok(Change::Added)
    );
}

async fn only_the_owner_renews(store: &impl Store) {
    let now = Instant::now();
    store.register(claim("bob", 1, 1), now).await.unwrap();
    let stranger = Renewal {
        device: DeviceId([1; 16]),
        ..renewal("bob", 2, 5)
    };
    assert_eq!(
        store.refresh(stranger.clone(), MINUTE, now).await,
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
    let now = Instant::now();
    store.register(claim("a", 1, 1), now).await.unwrap();
    store.register(claim("b", 1, 1), now).await.unwrap();
    assert_eq!(
        store.register(claim("c", 1, 1), now).await,
        Err(Refusal::TooMany)
    );
    assert_eq!(
        store.register(claim("c", 1, 1), now + MINUTE).await,
        Ok(Change::Added)
    );
}

async fn the_directory_is_whole(store: &impl Store) {
    let now = Instant::now();
    for number in 0..100 {
        store
            .register(claim(&format!("n{number:03}"), 1, 1), now)
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
    let now = Instant::now();
    let mut claims = tokio::task::JoinSet::new();
    for seed in 1..=50 {
        let store = Arc::clone(&store);
        claims.spawn(async move { store.register(claim("bob", seed, 1), now).await });
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
