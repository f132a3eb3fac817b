//! What a store that keeps things still knows when it is opened again.

use super::*;
use crate::ownership::{Banned, Invite, KeyChange, Recovery};

/// Runs the whole suite; `open` gives a store that nobody used, and then the same one again.
pub(in super::super) async fn run<S: Store, O: AsyncFn(Moment) -> S>(places: impl Fn() -> O) {
    owners_bans_and_invites_outlive_the_program(places()).await;
    every_change_of_an_owner_outlives_the_program(places()).await;
    devices_come_back_unverified_for_one_lease(places()).await;
    a_device_that_is_heard_again_is_verified(places()).await;
    what_was_taken_from_an_owner_does_not_come_back(places()).await;
}

fn at(passed: Duration) -> Moment {
    after(Instant::now(), passed)
}

fn begin() -> Moment {
    at(Duration::ZERO)
}

async fn owners_bans_and_invites_outlive_the_program<S: Store>(open: impl AsyncFn(Moment) -> S) {
    let store = open(begin()).await;
    let begin = begin();
    for (text, seed) in [("bob", 1), ("carol", 2), ("lan", 3)] {
        store.register(claim(text, seed, 1), begin).await.unwrap();
    }
    let invite = Invite {
        code: codec::Text::new("welcome").unwrap(),
        uses_left: 3,
        expires_at: BEGIN + 10_000,
    };
    store.invite(invite.clone(), begin).await.unwrap();
    let (mallory, admin) = (Banned::Identity(card(9).identity), name("admin"));
    store.ban(mallory.clone(), begin).await.unwrap();
    store.ban(Banned::Name(admin), begin).await.unwrap();
    let (owners, bans) = (store.owners("", 10), store.bans());
    drop(store);

    let store = open(begin).await;
    assert_eq!(store.owners("", 10), owners);
    assert_eq!((owners.1, store.bans()), (3, bans));
    assert_eq!(store.invites(begin), [invite]);
    for (text, seed, refusal) in [
        ("bob", 2, Refusal::NameTaken),
        ("Ian", 1, Refusal::LooksTaken),
        ("new", 9, Refusal::Banned),
        ("Admin", 1, Refusal::Banned),
    ] {
        let refused = store.register(claim(text, seed, 2), begin).await;
        assert_eq!(refused, Err(refusal), "{text}");
    }
    store.unban(mallory).await.unwrap();
    drop(store);
    let store = open(begin).await;
    store.register(claim("new", 9, 1), begin).await.unwrap();
}

async fn every_change_of_an_owner_outlives_the_program<S: Store>(open: impl AsyncFn(Moment) -> S) {
    let begin = begin();
    let store = open(begin).await;
    for (text, seed) in [("bob", 1), ("carol", 2), ("dave", 3), ("erin", 4)] {
        store.register(claim(text, seed, 1), begin).await.unwrap();
    }
    let change = KeyChange {
        name: name("bob"),
        from: card(1).identity,
        to: card(11).identity,
        recovery: RecoveryLock([11; 32]),
    };
    store.change_key(change, begin).await.unwrap();
    let recovery = |opens, to: u8| Recovery {
        name: name("carol"),
        to: card(to).identity,
        opens: RecoveryLock([opens; 32]),
        recovery: RecoveryLock([to; 32]),
    };
    store.recover(recovery(2, 12), begin).await.unwrap();
    let dave = card(3).identity;
    store.release(name("dave"), dave, begin).await.unwrap();
    store.release_by_operator(name("erin")).await.unwrap();
    drop(store);

    let store = open(begin).await;
    for (text, seed, result) in [
        ("bob", 1, Err(Refusal::KeyChanged)),
        ("bob", 11, Ok(Change::Added)),
        ("carol", 2, Err(Refusal::KeyChanged)),
        ("carol", 12, Ok(Change::Added)),
        ("dave", 5, Err(Refusal::NameTaken)),
        ("erin", 5, Ok(Change::Added)),
    ] {
        let registered = store.register(claim(text, seed, 1), begin).await;
        assert_eq!(registered, result, "{text} {seed}");
    }
    // The code is used up also after the restart.
    let again = store.recover(recovery(2, 13), begin).await;
    assert_eq!(again, Err(Refusal::BadRecovery));
    let freed = at(Duration::from_millis(codec::claim::RECOVERABLE_MS));
    store.register(claim("dave", 5, 1), freed).await.unwrap();
}

async fn devices_come_back_unverified_for_one_lease<S: Store>(open: impl AsyncFn(Moment) -> S) {
    let begin = begin();
    let store = open(begin).await;
    let (bob, carol) = (name("bob"), name("carol"));
    store.register(claim("Bob", 1, 1), begin).await.unwrap();
    store.register(claim("carol", 2, 1), begin).await.unwrap();
    let (device, here) = (DeviceId([1; 16]), ConnectionId(1));
    let busy = store.publish(&bob, device, here, Presence::Busy, begin.now);
    assert!(busy.await);
    let ended = store.unregister(renewal("carol", 2, 2), begin.now).await;
    assert_eq!(ended, Ok(ConnectionId(1)));
    let before = store.lookup(&bob, begin.now).await.unwrap();
    assert!(!before.entry.devices[0].unverified);
    drop(store);

    // The lease is over by the clock; the phone has had no chance to renew it.
    let later = at(10 * MINUTE);
    let store = open(later).await;
    let mut found = store.lookup(&bob, later.now).await.unwrap();
    let mut devices = found.entry.devices.into_vec();
    assert!(devices[0].unverified);
    devices[0].unverified = false;
    found.entry.devices = codec::List::first_of(devices);
    assert_eq!(found, before);
    let gone = store.lookup(&carol, later.now).await;
    assert_eq!(gone, Err(Refusal::NotFound));
    let end = Moment {
        now: later.now + MINUTE,
        ..later
    };
    assert_eq!(store.expire(end).len(), 1);
    let gone = store.lookup(&bob, end.now).await;
    assert_eq!(gone, Err(Refusal::NotFound));
}

async fn a_device_that_is_heard_again_is_verified<S: Store>(open: impl AsyncFn(Moment) -> S) {
    let begin = begin();
    let store = open(begin).await;
    store.register(claim("bob", 1, 1), begin).await.unwrap();
    store.register(claim("carol", 2, 1), begin).await.unwrap();
    drop(store);

    let store = open(begin).await;
    let there = Renewal {
        connection: ConnectionId(7),
        ..renewal("bob", 1, 2)
    };
    store.refresh(there, MINUTE, begin).await.unwrap();
    // Others see that it is there after all.
    let again = store.register(claim("carol", 2, 2), begin).await;
    assert_eq!(again, Ok(Change::Changed));
    for text in ["bob", "carol"] {
        let found = store.lookup(&name(text), begin.now).await.unwrap();
        assert!(!found.entry.devices[0].unverified, "{text}");
    }
    let end = Moment {
        now: begin.now + MINUTE,
        ..begin
    };
    assert_eq!(store.expire(end)[0].connection, ConnectionId(7));
}

async fn what_was_taken_from_an_owner_does_not_come_back<S: Store>(
    open: impl AsyncFn(Moment) -> S,
) {
    let begin = begin();
    let store = open(begin).await;
    for (text, seed) in [("bob", 1), ("carol", 2), ("dave", 3)] {
        store.register(claim(text, seed, 1), begin).await.unwrap();
    }
    let bob = card(1).identity;
    store.release(name("bob"), bob, begin).await.unwrap();
    let ban = Banned::Identity(card(2).identity);
    store.ban(ban, begin).await.unwrap();
    store.release_by_operator(name("dave")).await.unwrap();
    drop(store);
    let store = open(begin).await;
    for text in ["bob", "carol", "dave"] {
        let gone = store.lookup(&name(text), begin.now).await;
        assert_eq!(gone, Err(Refusal::NotFound), "{text}");
    }
    assert_eq!(store.rows(10, begin.now), (Vec::new(), 0));
}
