//! What an operator sees of a registry and does with it, with phones on real sockets.

#![allow(clippy::unwrap_used)]

use std::{
    net::SocketAddr,
    sync::mpsc::Receiver,
    time::{Duration, Instant},
};

use codec::registry::{ClosingReason, FromRegistry, Method, Notice, Presence};
use registry::{
    desk::{Desk, Done, Failed, Query, Shown, Sort, Subject, User, Users},
    event::{EVENTS_MAX, Event, Events},
    operate::{Operation, Options},
    server::{DRAIN, Pulse},
};
use tokio::{task::spawn_blocking, time::interval};

use self::rig::Peer;

#[path = "programs/rig.rs"]
mod rig;

/// How long something may take that happens by itself.
const WITHIN: Duration = Duration::from_secs(20);

async fn opened() -> (Operation, Receiver<Event>) {
    let (events, happened) = Events::channel();
    let options = Options::new(([127, 0, 0, 1], 0).into(), None);
    (Operation::open(options, events).await.unwrap(), happened)
}

/// Runs something that waits, such as a phone of the rig, beside the registry.
async fn beside<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> T {
    spawn_blocking(act).await.unwrap()
}

/// A phone that has registered, and where its connection comes from.
async fn registered(addr: SocketAddr, seed: u8, name: &'static str) -> (Peer, SocketAddr) {
    beside(move || {
        let mut peer = Peer::greeted(addr, seed);
        peer.register(name, 1).unwrap();
        let from = peer.socket().local_addr().unwrap();
        (peer, from)
    })
    .await
}

/// Asks until something is so.
async fn until<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let (started, mut again) = (Instant::now(), interval(Duration::from_millis(20)));
    loop {
        again.tick().await;
        if let Some(found) = ask() {
            return found;
        }
        assert!(started.elapsed() < WITHIN, "it never was so");
    }
}

fn user(desk: &Desk, name: &str) -> Option<User> {
    desk.user(&name.parse().unwrap()).unwrap()
}

fn typed(text: &str) -> Query {
    let text = text.to_owned();
    Query {
        text,
        ..Query::default()
    }
}

fn by(sort: Sort, descending: bool) -> Query {
    Query {
        sort,
        descending,
        ..Query::default()
    }
}

fn names(users: &Users) -> Vec<&str> {
    users.users.iter().map(|user| user.name.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_shown_with_address_lease_connection_device_and_what_they_say_of_themselves() {
    let (operation, _happened) = opened().await;
    let (desk, addr) = (operation.desk(), operation.facts().listening);
    assert_eq!(user(&desk, "bob"), None);
    let (mut bob, from) = registered(addr, 1, "Bob").await;
    let shown = user(&desk, "bob").unwrap();
    assert_eq!(shown.name.as_str(), "Bob");
    assert_eq!(shown.fingerprint, shown.key.fingerprint());
    assert!(!shown.banned && shown.free_at.is_none() && shown.claimed_at > 0);
    assert_eq!(shown.presence(), Some(Presence::Available));
    let [phone] = &shown.devices[..] else {
        panic!("{shown:?}")
    };
    assert_eq!(phone.id, "09090909");
    assert_eq!(phone.contacts[0], "192.0.2.7:4000".parse().unwrap());
    assert!((50..=60).contains(&phone.lease_left_s), "{phone:?}");
    assert!(phone.since_s < 10 && !phone.unverified);
    assert_eq!(phone.connection, Some(from));
    let mut bob = beside(move || {
        let presence = Presence::Busy;
        bob.ask(7, Method::Publish { presence }).unwrap();
        bob
    })
    .await;
    assert_eq!(user(&desk, "bob").unwrap().presence(), Some(Presence::Busy));
    // It goes without a word: its lease runs on, and it holds no connection.
    beside(move || {
        bob.socket().shutdown(std::net::Shutdown::Both).unwrap();
        let _ = bob.try_send(&[0]);
    })
    .await;
    let phone = until(|| {
        let phone = user(&desk, "bob").unwrap().devices.pop().unwrap();
        phone.connection.is_none().then_some(phone)
    })
    .await;
    assert!(phone.lease_left_s > 0);
    operation.close(DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_found_by_what_is_typed_and_come_in_the_order_that_is_wanted() {
    let (operation, _happened) = opened().await;
    let (desk, addr) = (operation.desk(), operation.facts().listening);
    let mut phones = Vec::new();
    for (seed, name) in [(1, "bob"), (2, "Ana"), (3, "carla"), (4, "Anton")] {
        phones.push(registered(addr, seed, name).await.0);
    }
    let mut carla = phones.remove(2);
    beside(move || carla.unregister("carla", 2).unwrap()).await;
    let mut anton = phones.remove(2);
    let _anton = beside(move || {
        let presence = Presence::Away;
        anton.ask(7, Method::Publish { presence }).unwrap();
        anton
    })
    .await;
    let all = Query::default();
    let found = desk.users(all.clone()).await.unwrap();
    assert_eq!(names(&found), ["Ana", "Anton", "bob", "carla"]);
    assert_eq!((found.matching, found.owned), (4, 4));
    for (query, wanted) in [
        (typed(" AN "), &["Ana", "Anton"][..]),
        (typed("192.0.2.7:40"), &["Ana", "Anton", "bob"]),
        (typed(&found.users[2].key.to_string()), &["bob"]),
        (typed("nobody"), &[]),
        (
            Query {
                shown: Shown::Absent,
                ..all.clone()
            },
            &["carla"],
        ),
        (
            Query {
                shown: Shown::Registered,
                descending: true,
                ..all.clone()
            },
            &["bob", "Anton", "Ana"],
        ),
        (
            Query {
                offset: 1,
                limit: 2,
                ..all.clone()
            },
            &["Anton", "bob"],
        ),
        // The latest first; who is not registered comes last either way.
        (by(Sort::Since, false), &["Anton", "Ana", "bob", "carla"]),
        (by(Sort::Since, true), &["bob", "Ana", "Anton", "carla"]),
        (by(Sort::Presence, false), &["Ana", "bob", "Anton", "carla"]),
        (by(Sort::ClaimedAt, true), &["Anton", "carla", "Ana", "bob"]),
    ] {
        let found = desk.users(query.clone()).await.unwrap();
        assert_eq!(names(&found), wanted, "{query:?}");
        assert_eq!(found.owned, 4);
    }
    let beyond = Query {
        offset: usize::MAX,
        limit: usize::MAX,
        ..all
    };
    assert_eq!(desk.users(beyond).await.unwrap().users, []);
    operation.close(DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_read_page_by_page_each_once() {
    let (operation, _happened) = opened().await;
    let (desk, addr) = (operation.desk(), operation.facts().listening);
    let mut phones = Vec::new();
    for (seed, name) in [
        (1, "an"),
        (2, "Ana"),
        (3, "anton"),
        (4, "bob"),
        (5, "aaron"),
    ] {
        phones.push(registered(addr, seed, name).await.0);
    }
    for (prefix, limit, pages) in [
        (
            "",
            2,
            &[&["aaron", "an"][..], &["Ana", "anton"], &["bob"]][..],
        ),
        ("", 5, &[&["aaron", "an", "Ana", "anton", "bob"]]),
        ("AN", 1, &[&["an"], &["Ana"], &["anton"]]),
        ("bobby", 9, &[&[]]),
    ] {
        let mut after: Option<String> = None;
        for (number, page) in (1..).zip(pages) {
            let (users, more) = desk.users_after(prefix, after.as_deref(), limit).unwrap();
            let told: Vec<&str> = users.iter().map(|user| user.name.as_str()).collect();
            assert_eq!(told, *page, "{prefix}");
            assert_eq!(more, number < pages.len(), "{prefix} {number}");
            after = told.last().map(ToString::to_string);
        }
    }
    // One that is gone by now, or never was, is a place to go on from all the same.
    let (users, _) = desk.users_after("a", Some("anb"), 9).unwrap();
    assert_eq!(users.len(), 1);
    operation.close(DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_operator_does_happens_is_answered_and_is_told_to_the_log() {
    let (operation, happened) = opened().await;
    let (desk, addr) = (operation.desk(), operation.facts().listening);
    let (mut bob, _) = registered(addr, 1, "bob").await;
    let key = user(&desk, "bob").unwrap().key;
    let owner = Subject::Owner {
        name: "bob".parse().unwrap(),
        key,
    };
    let closing = |payload: Vec<u8>| match codec::frame::from_payload(&payload).unwrap() {
        FromRegistry::Notice(Notice::Closing(reason)) => Some(reason),
        _ => None,
    };
    let done = desk.disconnect("bob").unwrap();
    let (of, connections) = (owner.clone(), 1);
    assert_eq!(done, Done::Disconnected { of, connections });
    let told = beside(move || closing(bob.read().unwrap())).await;
    assert_eq!(told, Some(ClosingReason::Operator));
    let banned = desk.ban("bob").await.unwrap();
    assert!(matches!(banned, Done::Banned { of, .. } if of == owner));
    assert!(user(&desk, "bob").unwrap().banned);
    let shown = Query {
        shown: Shown::Banned,
        ..Query::default()
    };
    assert_eq!(names(&desk.users(shown).await.unwrap()), ["bob"]);
    assert_eq!(desk.bans().unwrap()[0].key, Some(key));
    let unbanned = desk.unban(&key.to_string()).await.unwrap();
    assert_eq!(unbanned, Done::Unbanned(Subject::Key(key)));
    let again = desk.unban("bob").await.unwrap_err();
    assert_eq!(again, Failed::NotBanned(owner));
    let released = desk.release("bob").await.unwrap();
    assert_eq!(released, Done::Released("bob".parse().unwrap()));
    assert_eq!(user(&desk, "bob"), None);
    let again = desk.release("bob").await;
    assert_eq!(again, Err(Failed::NotOwned("bob".to_owned())));
    let typed = desk.release("not a name").await;
    assert!(matches!(typed, Err(Failed::NoName { .. })), "{typed:?}");
    let invited = desk.invite(2, 3, 30).await.unwrap();
    let Done::Invited { codes, uses: 3 } = invited else {
        panic!("{invited:?}")
    };
    let mut kept = desk.invites().unwrap();
    kept.sort_by_key(|invite| codes.iter().position(|it| it == invite));
    assert_eq!(kept, codes);
    assert_eq!(desk.invite(0, 1, 1).await, Err(Failed::HowManyCodes));
    assert_eq!(desk.invite(1, 0, 1).await, Err(Failed::HowManyUses));
    assert_eq!(desk.invite(1, 1, 0).await, Err(Failed::HowManyDays));
    let told: Vec<String> = happened
        .try_iter()
        .filter_map(|event| match event {
            Event::Operator(text) => Some(text),
            _ => None,
        })
        .collect();
    let begins = [
        "ended 1 connection",
        "banned",
        "unbanned",
        "released",
        "made 2 invite codes",
    ];
    assert_eq!(told.len(), begins.len(), "{told:?}");
    for (text, begin) in told.iter().zip(begins) {
        assert!(text.starts_with(begin), "{text}");
    }
    operation.close(DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plot_gets_a_point_a_second_of_what_was_done() {
    let (operation, _happened) = opened().await;
    let (desk, addr) = (operation.desk(), operation.facts().listening);
    let (mut bob, _) = registered(addr, 1, "bob").await;
    let _bob = beside(move || {
        for id in 0..50 {
            let name = "bob".parse().unwrap();
            bob.ask(id, Method::Lookup { name }).unwrap();
        }
        bob
    })
    .await;
    let sum = |pulses: &[Pulse], of: fn(&Pulse) -> f64| pulses.iter().map(of).sum::<f64>();
    let pulses = until(|| {
        let pulses = desk.pulses_after(0).unwrap();
        (sum(&pulses, |pulse| pulse.lookups) > 0.0).then_some(pulses)
    })
    .await;
    let numbers: Vec<u64> = pulses.iter().map(|pulse| pulse.number).collect();
    assert_eq!(numbers, Vec::from_iter(1..=numbers.len() as u64));
    assert!(sum(&pulses, |pulse| pulse.registrations) > 0.0);
    let last = pulses.last().unwrap();
    assert_eq!((last.registered, last.connections), (1, 1));
    let later = until(|| desk.pulses_after(last.number).unwrap().pop()).await;
    assert!(later.number > last.number);
    let stats = desk.stats().unwrap();
    assert_eq!((stats.owned, stats.registered, stats.identities), (1, 1, 1));
    let lookups = stats.requests.iter().find(|it| it.kind == "lookup");
    assert_eq!(lookups.map(|it| it.all), Some(50));
    operation.close(DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_nobody_reads_holds_nobody_up_and_says_how_much_is_missing() {
    let (events, happened) = Events::channel();
    let dropped = events.dropped();
    let options = Options::new(([127, 0, 0, 1], 0).into(), None);
    let operation = Operation::open(options, events).await.unwrap();
    let (desk, addr) = (operation.desk(), operation.facts().listening);
    let (mut bob, _) = registered(addr, 1, "bob").await;
    // Each is told twice, as it comes and as it is answered: far more than wait for a reader.
    const ASKED: u32 = 6000;
    let _bob = beside(move || {
        for id in 0..ASKED {
            let name = "bob".parse().unwrap();
            bob.ask(id, Method::Lookup { name }).unwrap();
        }
        bob
    })
    .await;
    let lookups = |stats: registry::desk::Stats| {
        let mut requests = stats.requests.into_iter();
        requests.find(|it| it.kind == "lookup").map(|it| it.all)
    };
    assert_eq!(lookups(desk.stats().unwrap()), Some(ASKED.into()));
    operation.close(DRAIN).await;
    let read = happened.try_iter().count();
    assert_eq!(read, EVENTS_MAX);
    let missing = dropped.load(std::sync::atomic::Ordering::Relaxed);
    assert!(
        missing >= u64::from(2 * ASKED) - EVENTS_MAX as u64,
        "{missing}"
    );
}
