//! The board hears made-up events, and says what keys do.

#![cfg(test)]

use codec::{
    Identity, IdentityKey, Party, Transcript,
    signal::{CallNonce, Fingerprint},
};
use softphone::{call::Reason, media::stats::VoiceReport, phone::Event};

use super::*;

const BOB: CallId = CallId([1; 16]);
const CAROL: CallId = CallId([2; 16]);

fn name(name: &str) -> Name {
    name.parse().unwrap()
}

fn board(powers: Powers) -> Board {
    Board::new(name("alice"), "localhost:5000".to_owned(), powers)
}

const ALL: Powers = Powers {
    calls_max: 4,
    may_call: true,
    publishes: true,
    callers: Callers::Everyone,
    dnd: false,
};

fn hear(board: &mut Board, event: Event) {
    board.hear(&engine::Event::Phone(event), Instant::now());
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

/// The letters on offer.
fn keys(board: &Board) -> String {
    board.offers().iter().map(|offer| offer.key).collect()
}

#[test]
fn only_keys_that_do_something_now_are_on_offer() {
    let mut board = board(ALL);
    assert_eq!(keys(&board), "cwzl?q");
    hear(&mut board, incoming(BOB, "bob", false));
    assert_eq!(keys(&board), "adcl?q");
    assert_eq!(board.action('a'), Some(Action::Accept(BOB)));
    assert_eq!(board.action('D'), Some(Action::Decline(BOB)));
    assert_eq!(board.action('h'), None);
    board.taken(BOB, Instant::now());
    assert_eq!(keys(&board), "hmcl?q");
    hear(&mut board, established(BOB, "bob"));
    assert_eq!(keys(&board), "homcl?q");
    board.remove(BOB);
    assert_eq!(keys(&board), "cwzl?q");
}

#[test]
fn a_phone_that_may_not_call_and_does_not_publish_offers_neither() {
    let mut board = board(Powers {
        calls_max: 1,
        may_call: false,
        publishes: false,
        callers: Callers::Everyone,
        dnd: false,
    });
    assert_eq!(keys(&board), "zl?q");
    board.may_call = true;
    assert_eq!(board.action('c'), Some(Action::Call));
    hear(&mut board, incoming(BOB, "bob", false));
    assert_eq!(board.action('c'), None);
}

#[test]
fn a_second_call_is_accepted_while_the_first_stays_meant_for_hanging_up() {
    let mut board = board(ALL);
    hear(&mut board, established(BOB, "bob"));
    hear(&mut board, incoming(CAROL, "carol", true));
    assert_eq!(board.meant().unwrap().call, BOB);
    assert_eq!(board.action('a'), Some(Action::Accept(CAROL)));
    assert_eq!(board.action('h'), Some(Action::Hangup(BOB)));
    assert_eq!(board.action('n'), Some(Action::Select(CAROL)));
    assert_eq!(board.action('2'), Some(Action::Select(CAROL)));
    assert_eq!(board.action('3'), None);
    // Whoever means the call that rings still does not hang up on it.
    board.select(CAROL);
    assert_eq!(board.action('h'), Some(Action::Hangup(BOB)));
    assert_eq!(board.action('n'), Some(Action::Select(BOB)));
    board.taken(CAROL, Instant::now());
    hear(&mut board, established(CAROL, "carol"));
    hear(
        &mut board,
        Event::Held {
            call: BOB,
            hold: Hold::Here,
        },
    );
    assert_eq!(board.action('o'), Some(Action::Hold(CAROL)));
    assert_eq!(board.spoken().collect::<Vec<_>>(), [CAROL]);
    board.select(BOB);
    assert_eq!(board.action('o'), Some(Action::Resume(BOB)));
    // The call that is left is the one that is meant.
    board.remove(BOB);
    assert_eq!(board.action('o'), Some(Action::Hold(CAROL)));
}

#[test]
fn hold_and_connection_of_a_call_are_followed_apart() {
    let mut board = board(ALL);
    hear(&mut board, established(BOB, "bob"));
    let up = |hold, reconnecting| Stage::Up { hold, reconnecting };
    for (event, stage) in [
        (
            Event::Held {
                call: BOB,
                hold: Hold::There,
            },
            up(Hold::There, false),
        ),
        (Event::Reconnecting { call: BOB }, up(Hold::There, true)),
        (
            Event::Held {
                call: BOB,
                hold: Hold::No,
            },
            up(Hold::No, true),
        ),
        (Event::Reconnected { call: BOB }, up(Hold::No, false)),
    ] {
        hear(&mut board, event);
        assert_eq!(board.calls[0].stage, stage);
    }
    // Nothing of a call that is not there.
    hear(&mut board, Event::Reconnecting { call: CAROL });
    assert_eq!(board.calls.len(), 1);
}

#[test]
fn a_call_that_was_merged_stands_where_the_dialled_one_stood() {
    let mut board = board(ALL);
    hear(
        &mut board,
        Event::Dialling {
            call: BOB,
            name: name("bob"),
        },
    );
    hear(
        &mut board,
        Event::Merged {
            ended: BOB,
            call: CAROL,
            name: name("bob"),
        },
    );
    hear(
        &mut board,
        Event::Ended {
            call: BOB,
            name: name("bob"),
            reason: Reason::Merged,
            detail: None,
        },
    );
    board.remove(BOB);
    hear(&mut board, established(CAROL, "bob"));
    assert_eq!(board.calls.len(), 1);
    assert_eq!(board.action('h'), Some(Action::Hangup(CAROL)));
    assert!(board.calls[0].is_up());
}

#[test]
fn figures_add_up_what_is_missing_and_what_takes_time() {
    let mut board = board(ALL);
    hear(&mut board, established(BOB, "bob"));
    let voice = VoiceReport {
        loss_pct: 2.0,
        late_pct: 1.5,
        concealed_pct: 3.0,
        jitter_ms: 1.0,
        playout_delay_ms: 60.0,
        bitrate_bps: 32_000,
        underruns: 0,
    };
    let stats = engine::Event::Stats {
        call: BOB,
        voice,
        round_trip: Some(Duration::from_millis(40)),
    };
    board.hear(&stats, Instant::now());
    let figures = board.calls[0].figures.unwrap();
    assert_eq!(figures.loss_pct, 3.5);
    assert_eq!(figures.delay.as_millis(), 80);
}
