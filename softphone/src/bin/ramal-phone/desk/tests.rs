//! What keys do on a desk that hears made-up events.

#![cfg(test)]

use std::time::{Duration, Instant};

use codec::{Identity, Party};
use softphone::{
    call::{Hold, Reason},
    contacts::Standing,
    engine,
    phone::Event,
};

use super::*;
use crate::fixture::{desk, name, words};

const BOB: CallId = CallId([1; 16]);
const CAROL: CallId = CallId([2; 16]);

fn hear(desk: &mut Desk, event: Event) {
    desk.hear(&engine::Event::Phone(event), Instant::now());
}

fn over(desk: &mut Desk, call: CallId) {
    let ended = Event::Ended {
        call,
        name: name("bob"),
        reason: Reason::Hangup,
        detail: None,
    };
    hear(desk, ended);
}

fn incoming(call: CallId, from: &str, waiting: bool) -> Event {
    Event::Incoming {
        call,
        from: Party {
            name: name(from),
            identity: Identity::from_secret(&[7; 32]).key(),
        },
        confirmed: true,
        waiting,
        standing: Standing::Known,
    }
}

fn established(call: CallId, with: &str) -> Event {
    Event::Established {
        call,
        name: name(with),
        setup: Duration::from_millis(50),
        words: words(),
        standing: Standing::Verified,
    }
}

/// The letters on offer.
fn keys(desk: &Desk) -> String {
    desk.offers().iter().map(|offer| offer.key).collect()
}

#[test]
fn only_keys_that_do_something_now_are_on_offer() {
    let mut desk = desk();
    assert_eq!(keys(&desk), "cwzl?q");
    hear(&mut desk, incoming(BOB, "bob", false));
    assert_eq!(keys(&desk), "adcl?q");
    assert_eq!(desk.action('a'), Some(Action::Accept(BOB)));
    assert_eq!(desk.action('D'), Some(Action::Decline(BOB)));
    assert_eq!(desk.action('h'), None);
    desk.taken(BOB, Instant::now());
    assert_eq!(keys(&desk), "hmcl?q");
    hear(&mut desk, established(BOB, "bob"));
    assert_eq!(keys(&desk), "homcl?q");
    over(&mut desk, BOB);
    assert_eq!(keys(&desk), "cwzl?q");
}

#[test]
fn a_phone_that_may_not_call_and_does_not_publish_offers_neither() {
    let mut desk = desk();
    (desk.calls_max, desk.may_call, desk.publishes) = (1, false, false);
    assert_eq!(keys(&desk), "zl?q");
    desk.may_call = true;
    assert_eq!(desk.action('c'), Some(Action::Call));
    hear(&mut desk, incoming(BOB, "bob", false));
    assert_eq!(desk.action('c'), None);
}

#[test]
fn a_second_call_is_accepted_while_the_first_stays_meant_for_hanging_up() {
    let mut desk = desk();
    hear(&mut desk, established(BOB, "bob"));
    hear(&mut desk, incoming(CAROL, "carol", true));
    assert_eq!(desk.meant().unwrap().call, BOB);
    assert_eq!(desk.action('a'), Some(Action::Accept(CAROL)));
    assert_eq!(desk.action('h'), Some(Action::Hangup(BOB)));
    assert_eq!(desk.action('n'), Some(Action::Select(CAROL)));
    assert_eq!(desk.action('2'), Some(Action::Select(CAROL)));
    assert_eq!(desk.action('3'), None);
    // Whoever means the call that rings still does not hang up on it.
    desk.select(CAROL);
    assert_eq!(desk.action('h'), Some(Action::Hangup(BOB)));
    assert_eq!(desk.action('n'), Some(Action::Select(BOB)));
    desk.taken(CAROL, Instant::now());
    hear(&mut desk, established(CAROL, "carol"));
    hear(
        &mut desk,
        Event::Held {
            call: BOB,
            hold: Hold::Here,
        },
    );
    assert_eq!(desk.action('o'), Some(Action::Hold(CAROL)));
    assert_eq!(desk.spoken().collect::<Vec<_>>(), [CAROL]);
    desk.select(BOB);
    assert_eq!(desk.action('o'), Some(Action::Resume(BOB)));
    // The call that is left is the one that is meant.
    over(&mut desk, BOB);
    assert_eq!(desk.action('o'), Some(Action::Hold(CAROL)));
}
