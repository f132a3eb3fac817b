//! The table, case by case, with the clock in hand.

use codec::{Identity, identity::AgreementSecret};

use super::*;

fn card(seed: u8) -> KeyCard {
    let agreement = AgreementSecret::from_secret(&[seed; 32]).key();
    KeyCard::issue(&Identity::from_secret(&[seed; 32]), agreement, 1, u64::MAX)
}

fn registration(name: &str, device: u8, seed: u8, cseq: u64) -> Registration {
    Registration {
        name: name.parse().unwrap(),
        device: DeviceId([device; 16]),
        card: card(seed),
        contacts: vec![Contact {
            addr: ([10, 0, 0, device], 4000).into(),
            observed: false,
        }],
        expires: Duration::from_secs(60),
        cseq,
        presence: Presence::Available,
        source: Source::from(std::net::IpAddr::from([10, 0, 0, device])),
        connection: ConnectionId(1),
        claim: Claim::new(codec::RecoveryLock([seed; 32])),
    }
}

fn renewal(name: &str, device: u8, seed: u8, cseq: u64) -> Renewal {
    let identity = card(seed).identity;
    Renewal {
        name: name.parse().unwrap(),
        device: DeviceId([device; 16]),
        identity,
        cseq,
        connection: ConnectionId(1),
    }
}

fn after(start: Instant, seconds: u64) -> Instant {
    start + Duration::from_secs(seconds)
}

#[test]
fn a_live_name_is_its_owners_and_free_after_the_last_lease() {
    let start = Instant::now();
    let mut table = Table::new(10);
    assert_eq!(
        table.register(registration("bob", 1, 1, 1), start),
        Ok(Change::Added)
    );
    let thief = registration("BOB", 2, 2, 1);
    assert_eq!(
        table.register(thief.clone(), after(start, 59)),
        Err(Refusal::NameTaken)
    );
    assert_eq!(table.register(thief, after(start, 60)), Ok(Change::Added));
}

#[test]
fn a_refresh_makes_the_lease_last_and_expiry_ends_it() {
    let start = Instant::now();
    let mut table = Table::new(10);
    table.register(registration("bob", 1, 1, 1), start).unwrap();
    let minute = Duration::from_secs(60);
    let bob = renewal("bob", 1, 1, 2);
    assert_eq!(table.refresh(&bob, minute, after(start, 30)), Ok(()));
    assert_eq!(table.expire(after(start, 89)), []);
    assert!(table.lookup(&bob.name, after(start, 90)).is_none());
    assert_eq!(table.expire(after(start, 90)).len(), 1);
    assert!(table.is_empty() && table.leases.is_empty());
    assert_eq!(
        table.refresh(&bob, minute, after(start, 91)),
        Err(Refusal::NotFound)
    );
}

#[test]
fn a_lease_that_another_request_ended_is_told_all_the_same() {
    let start = Instant::now();
    let mut table = Table::new(10);
    table.register(registration("bob", 1, 1, 1), start).unwrap();
    table
        .register(registration("eve", 2, 2, 1), after(start, 60))
        .unwrap();
    let ended = table.expire(after(start, 60));
    assert_eq!(
        ended,
        [Ended {
            name: "bob".parse().unwrap(),
            device: DeviceId([1; 16]),
            connection: ConnectionId(1)
        }]
    );
    assert_eq!(table.expire(after(start, 60)), []);
}

#[test]
fn who_is_back_before_the_end_was_told_has_not_gone() {
    let start = Instant::now();
    let mut table = Table::new(10);
    table.register(registration("bob", 1, 1, 1), start).unwrap();
    let back = registration("bob", 1, 1, 2);
    assert_eq!(table.register(back, after(start, 61)), Ok(Change::Added));
    assert_eq!(table.expire(after(start, 61)), []);
}

#[test]
fn an_older_request_of_a_device_is_stale() {
    let start = Instant::now();
    let mut table = Table::new(10);
    table.register(registration("bob", 1, 1, 5), start).unwrap();
    assert_eq!(
        table.register(registration("bob", 1, 1, 5), start),
        Err(Refusal::Stale)
    );
    assert_eq!(
        table.unregister(&renewal("bob", 1, 1, 4), start),
        Err(Refusal::Stale)
    );
    assert_eq!(
        table.register(registration("bob", 2, 1, 1), start),
        Ok(Change::Added)
    );
}

#[test]
fn only_the_owner_unregisters() {
    let start = Instant::now();
    let mut table = Table::new(10);
    table.register(registration("bob", 1, 1, 1), start).unwrap();
    assert_eq!(
        table.unregister(&renewal("bob", 1, 2, 9), start),
        Err(Refusal::NameTaken)
    );
    assert_eq!(
        table.unregister(&renewal("bob", 3, 1, 9), start),
        Err(Refusal::NotFound)
    );
    assert_eq!(
        table.unregister(&renewal("bob", 1, 1, 9), start),
        Ok(ConnectionId(1))
    );
    assert!(table.is_empty() && table.leases.is_empty());
}

#[test]
fn names_and_devices_have_a_limit() {
    let start = Instant::now();
    let mut table = Table::new(1);
    for device in 0..8 {
        assert_eq!(
            table.register(registration("bob", device, 1, 1), start),
            Ok(Change::Added)
        );
    }
    assert_eq!(
        table.register(registration("bob", 8, 1, 1), start),
        Err(Refusal::TooMany)
    );
    assert_eq!(
        table.register(registration("eve", 1, 2, 1), start),
        Err(Refusal::TooMany)
    );
    assert_eq!(
        table.register(registration("bob", 1, 1, 2), start),
        Ok(Change::Nothing)
    );
    assert_eq!(table.leases.len(), 8);
}

#[test]
fn one_address_does_not_take_all_names_and_gives_back_what_it_leaves() {
    let start = Instant::now();
    let mut table = Table::limited(100, 3);
    let from = |name: &str, address: u8, cseq| Registration {
        source: Source::from(std::net::IpAddr::from([10, 9, 9, address])),
        ..registration(name, 1, 1, cseq)
    };
    for name in ["a", "b", "c"] {
        let added = table.register(from(name, 1, 1), start);
        assert_eq!(added, Ok(Change::Added));
    }
    let (one_more, elsewhere) = (from("d", 1, 1), from("d", 2, 1));
    let refused = Err(Refusal::TooMany);
    assert_eq!(table.register(one_more.clone(), start), refused);
    assert_eq!(table.register(elsewhere, start), Ok(Change::Added));
    // What is there already may be renewed, and may move.
    let again = table.register(from("a", 1, 2), start);
    assert_eq!(again, Ok(Change::Nothing));
    table.register(from("a", 2, 3), start).unwrap();
    table.unregister(&renewal("b", 1, 1, 9), start).unwrap();
    let third = from("e", 1, 1);
    assert_eq!(table.register(third, start), Ok(Change::Added));
    table.expire(after(start, 61));
    assert!(table.sources.is_empty());
}

#[test]
fn who_moves_to_a_full_address_counts_for_the_one_before() {
    let (start, mut table) = (Instant::now(), Table::limited(100, 3));
    let from = |last: u8, number: u8, cseq| Registration {
        source: Source::from(std::net::IpAddr::from([10, 0, 0, last])),
        ..registration(&format!("n{number}"), 1, number, cseq)
    };
    let mut held = 0;
    for number in 0..20 {
        held += usize::from(table.register(from(1, number, 1), start).is_ok());
        // Whether or not there is something to move.
        let _ = table.register(from(2, number, 2), start);
    }
    assert_eq!((held, table.len()), (6, 6));
    assert!(table.sources.values().all(|devices| *devices == 3));
    table.expire(after(start, 60));
    assert!(table.sources.is_empty());
}

#[test]
fn pages_follow_each_other_without_gap_or_repeat() {
    let start = Instant::now();
    let mut table = Table::new(100);
    for number in 0..70 {
        let name = format!("Bob{number:02}");
        table.register(registration(&name, 1, 1, 1), start).unwrap();
    }
    table
        .register(registration("alice", 1, 1, 1), start)
        .unwrap();
    let mut seen = Vec::new();
    let mut last: Option<Name> = None;
    loop {
        let page = table.list("bob", last.as_ref(), 200, start);
        assert!(page.entries.len() <= PAGE_MAX);
        seen.extend(page.entries.iter().map(|entry| entry.name.clone()));
        last = seen.last().cloned();
        if !page.more {
            break;
        }
    }
    assert_eq!(seen.len(), 70);
    assert!(seen.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(table.list("carol", None, 10, start).entries.is_empty());
}
