//! Calls of one phone, told in the order in which they happened.

use codec::{
    FourWords, IdentityKey, Party, Transcript,
    signal::{CallNonce, Fingerprint},
};

use super::*;
use Standing::{Known, Stranger, Verified};

const TIME: UnixMillis = 1_800_000_000_000;

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn id(number: u32) -> CallId {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&number.to_le_bytes());
    CallId(id)
}

fn dialling(call: u32, to: &str) -> Event {
    Event::Dialling {
        call: id(call),
        name: name(to),
        host: None,
    }
}

fn incoming(call: u32, from: &str, standing: Standing) -> Event {
    Event::Incoming {
        call: id(call),
        from: Party {
            name: name(from),
            identity: IdentityKey([1; 32]),
        },
        confirmed: true,
        waiting: false,
        standing,
    }
}

fn established(call: u32, with: &str, standing: Standing) -> Event {
    Event::Established {
        call: id(call),
        name: name(with),
        setup: Duration::ZERO,
        words: words(),
        standing,
    }
}

fn ended(call: u32, with: &str, reason: Reason) -> Event {
    Event::Ended {
        call: id(call),
        name: name(with),
        reason,
        detail: None,
    }
}

/// The words of some call.
fn words() -> FourWords {
    FourWords::of(&Transcript {
        caller: IdentityKey([1; 32]),
        callee: IdentityKey([2; 32]),
        caller_fingerprint: Fingerprint([3; 32]),
        callee_fingerprint: Fingerprint([4; 32]),
        call: CallId([5; 16]),
        caller_nonce: CallNonce([6; 32]),
        callee_nonce: CallNonce([7; 32]),
    })
}

/// The calls of a phone on which this happened, each a second after the one before.
fn after(events: &[Event]) -> Calls {
    let mut calls = Calls::default();
    tell(&mut calls, events);
    calls
}

fn tell(calls: &mut Calls, events: &[Event]) {
    let start = Instant::now();
    for (event, second) in events.iter().zip(0u64..) {
        let now = start + Duration::from_secs(second);
        calls.note(event, TIME + second * 1000, now);
    }
}

/// Name, direction, and for how many seconds it was up.
fn told(calls: &Calls) -> Vec<(&str, Direction, Option<u64>)> {
    let entries = calls.history().entries.iter();
    let told = entries.map(|past| {
        let lasted = past.lasted.map(|lasted| lasted.as_secs());
        (past.name.as_str(), past.direction, lasted)
    });
    told.collect()
}

#[test]
fn calls_are_there_when_they_are_over_newest_first() {
    let calls = after(&[
        dialling(1, "bob"),
        established(1, "bob", Known),
        incoming(2, "carol", Stranger),
        established(2, "carol", Stranger),
        ended(1, "bob", Reason::Hangup),
        dialling(3, "dave"),
        ended(3, "dave", Reason::NoAnswer),
    ]);
    assert_eq!(
        told(&calls),
        [
            ("dave", Direction::Outgoing, None),
            ("bob", Direction::Outgoing, Some(3)),
        ]
    );
    let bob = &calls.history().entries[1];
    assert_eq!((bob.at, bob.reason), (TIME, Reason::Hangup));
    assert_eq!((bob.standing, bob.seen), (Known, true));
    // It goes on until the phone says that it is over.
    assert_eq!(calls.open.len(), 1);
}

#[test]
fn a_call_is_missed_when_nobody_took_notice_of_it() {
    let missed = |reason| {
        let calls = after(&[incoming(1, "bob", Known), ended(1, "bob", reason)]);
        let past = calls.history().entries[0].clone();
        assert_eq!(past.seen, !past.is_missed(), "{reason}");
        past.is_missed()
    };
    for reason in [Reason::Cancelled, Reason::NoAnswer, Reason::Unreachable] {
        assert!(missed(reason), "{reason}");
    }
    for reason in [
        Reason::DeclinedHere,
        Reason::AnsweredElsewhere,
        Reason::DeclinedElsewhere,
        Reason::MediaFailed,
        Reason::Failed,
    ] {
        assert!(!missed(reason), "{reason}");
    }
    // Nobody misses a call that they made, or one that was taken.
    let made = after(&[dialling(1, "bob"), ended(1, "bob", Reason::NoAnswer)]);
    assert!(!made.history().entries[0].is_missed());
    let taken = after(&[
        incoming(1, "bob", Known),
        established(1, "bob", Known),
        ended(1, "bob", Reason::MediaLost),
    ]);
    assert!(!taken.history().entries[0].is_missed());
}

#[test]
fn missed_calls_stand_out_until_they_are_seen() {
    let miss = |call, who| {
        [
            incoming(call, who, Known),
            ended(call, who, Reason::Cancelled),
        ]
    };
    let mut calls = after(&[miss(1, "bob"), miss(2, "carol")].concat());
    assert_eq!(calls.history().unseen(), 2);
    assert!(calls.change(Change::Seen) && !calls.change(Change::Seen));
    assert_eq!(calls.history().unseen(), 0);
    assert!(calls.history().entries.iter().all(|past| past.is_missed()));
    tell(&mut calls, &miss(3, "dave"));
    assert_eq!(calls.history().unseen(), 1);
    assert!(calls.change(Change::Clear) && !calls.change(Change::Clear));
    assert!(calls.history().entries.is_empty());
}

#[test]
fn two_calls_that_become_one_are_one() {
    let merged = |ended, call| Event::Merged {
        ended: id(ended),
        call: id(call),
        name: name("bob"),
    };
    // The other's takes the place of one's own.
    let crossing = after(&[
        dialling(1, "bob"),
        merged(1, 2),
        ended(1, "bob", Reason::Merged),
        established(2, "bob", Known),
        ended(2, "bob", Reason::RemoteHangup),
    ]);
    assert_eq!(told(&crossing), [("bob", Direction::Outgoing, Some(1))]);
    assert_eq!(crossing.history().entries[0].at, TIME);
    // It rang already.
    let rang = after(&[
        incoming(2, "bob", Known),
        dialling(1, "bob"),
        merged(1, 2),
        ended(1, "bob", Reason::Merged),
        established(2, "bob", Known),
        ended(2, "bob", Reason::RemoteHangup),
    ]);
    assert_eq!(told(&rang), [("bob", Direction::Incoming, Some(1))]);
}

#[test]
fn of_those_who_were_turned_away_whoever_is_known_has_called() {
    let turned = |who, standing| Event::TurnedAway {
        from: Party {
            name: name(who),
            identity: IdentityKey([1; 32]),
        },
        confirmed: true,
        standing,
    };
    let calls = after(&[
        turned("bob", Known),
        turned("eve", Stranger),
        turned("carol", Verified),
        Event::IdentityChanged { name: name("bob") },
    ]);
    let expected = [
        ("carol", Direction::Incoming, None),
        ("bob", Direction::Incoming, None),
    ];
    assert_eq!(told(&calls), expected);
    assert_eq!(calls.history().unseen(), 2);
}

#[test]
fn whoever_calls_often_pushes_nobody_else_out_whatever_they_say() {
    let bob = [
        incoming(1, "bob", Known),
        ended(1, "bob", Reason::Cancelled),
    ];
    let mut calls = after(&bob);
    // Where the caller may say why.
    let reasons = [
        Reason::Cancelled,
        Reason::AnsweredElsewhere,
        Reason::DeclinedElsewhere,
    ];
    for reason in reasons.into_iter().cycle().take(200) {
        tell(
            &mut calls,
            &[incoming(2, "carol", Known), ended(2, "carol", reason)],
        );
    }
    let entries = &calls.history().entries;
    assert_eq!(entries.len(), 1 + UNTAKEN_OF_ONE_MAX);
    assert_eq!(entries[UNTAKEN_OF_ONE_MAX].name, name("bob"));
}

#[test]
fn strangers_who_call_often_push_nobody_else_out() {
    let mut calls = after(&[
        incoming(1, "bob", Known),
        ended(1, "bob", Reason::Cancelled),
    ]);
    for number in 0..3_000 {
        let eve = &format!("eve{number}");
        let reason =
            [Reason::Cancelled, Reason::AnsweredElsewhere][usize::try_from(number % 2).unwrap()];
        let events = [incoming(2, eve, Stranger), ended(2, eve, reason)];
        tell(&mut calls, &events);
    }
    let entries = &calls.history().entries;
    assert_eq!(entries.len(), 1 + STRANGERS_MAX);
    assert_eq!(entries[0].name, name("eve2999"));
    assert_eq!(entries[STRANGERS_MAX].name, name("bob"));
}

#[test]
fn the_oldest_of_a_thousand_calls_gives_way() {
    let mut calls = Calls::default();
    for number in 0..HISTORY_MAX + 5 {
        let who = &format!("n{number}");
        let events = [dialling(1, who), ended(1, who, Reason::Busy)];
        tell(&mut calls, &events);
    }
    let entries = &calls.history().entries;
    assert_eq!(entries.len(), HISTORY_MAX);
    assert_eq!(entries[HISTORY_MAX - 1].name, name("n5"));
}

#[test]
fn what_is_told_of_no_call_changes_nothing_and_calls_without_an_end_are_bounded() {
    let mut calls = after(&[
        ended(7, "bob", Reason::Hangup),
        established(8, "bob", Known),
        Event::Registered,
    ]);
    assert!(calls.history().entries.is_empty());
    for number in 0..1_000 {
        tell(&mut calls, &[dialling(number, "bob")]);
    }
    assert_eq!(calls.open.len(), OPEN_MAX);
}
