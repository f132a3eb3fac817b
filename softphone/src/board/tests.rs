//! The board hears made-up events, and shows how everything stands.

#![cfg(test)]

use codec::{Identity, Party};
use registry::client::ConnectError;

use super::*;
use crate::{
    engine::{Command, PathKind},
    phone::SecondCall,
};

use words::words;

const BOB: CallId = CallId([1; 16]);
const CAROL: CallId = CallId([2; 16]);

fn name(name: &str) -> Name {
    name.parse().unwrap()
}

fn host(host: &str) -> Host {
    host.parse().unwrap()
}

fn board() -> Board {
    let settings = Settings {
        calls_max: 4,
        ring_for: Duration::from_secs(45),
        second_call: SecondCall::Offer,
        one_at_a_time: true,
        publish: true,
        callers: Callers::Everyone,
        dnd: false,
        hidden: false,
    };
    Board::new(name("alice"), host("localhost"), &settings)
}

fn hear(board: &mut Board, event: Event) {
    board.hear(&engine::Event::Phone(event), Instant::now());
}

fn dialling(call: CallId, name: &str) -> Event {
    Event::Dialling {
        call,
        name: name.parse().unwrap(),
        host: None,
    }
}

fn ended(call: CallId, reason: Reason) -> Event {
    Event::Ended {
        call,
        name: name("bob"),
        reason,
        detail: None,
    }
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

#[test]
fn hold_and_connection_of_a_call_are_followed_apart() {
    let mut board = board();
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
    let mut board = board();
    hear(&mut board, dialling(BOB, "bob"));
    hear(
        &mut board,
        Event::Merged {
            ended: BOB,
            call: CAROL,
            name: name("bob"),
        },
    );
    hear(&mut board, ended(BOB, Reason::Merged));
    hear(&mut board, established(CAROL, "bob"));
    assert_eq!(board.calls.len(), 1);
    assert_eq!(board.meant().unwrap().call, CAROL);
    assert_eq!(board.selected, Some(CAROL));
    assert!(board.calls[0].is_up());
    assert_eq!(board.ended, None, "it goes on");
}

#[test]
fn figures_add_up_what_is_missing_and_what_takes_time() {
    let mut board = board();
    hear(&mut board, established(BOB, "bob"));
    let voice = VoiceReport {
        loss_pct: 2.0,
        late_pct: 1.5,
        duplicate_pct: 0.0,
        recovered_pct: 0.0,
        fec_pct: 0.0,
        concealed_pct: 3.0,
        jitter_ms: 1.0,
        capture_ms: 12.0,
        encode_ms: 7.0,
        playout_delay_ms: 60.0,
        device_ms: 6.0,
        bitrate_bps: 32_000,
        underruns: 0,
        speed_ppm: 0,
    };
    let stats = engine::Event::Stats {
        call: BOB,
        voice,
        round_trip: Some(Duration::from_millis(40)),
    };
    board.hear(&stats, Instant::now());
    let figures = board.calls[0].figures.unwrap();
    assert_eq!(figures.loss_pct, 3.5);
    let millis = figures.delay.as_secs_f32() * 1_000.0;
    assert!((millis - 105.0).abs() < 0.1, "{millis}");
}

#[test]
fn why_the_phone_cannot_be_found_is_known_until_it_can() {
    let mut board = board();
    assert_eq!(board.registered, Registered::Trying);
    let why = || Why::from(ConnectError::NotProven(host("localhost")));
    let untrusted = |at: &str| engine::Event::RegistryUntrusted {
        host: host(at),
        why: why(),
    };
    // Another registry, which was only asked for somebody.
    board.hear(&untrusted("elsewhere"), Instant::now());
    assert_eq!(board.why_not, None);
    board.hear(&untrusted("localhost:5000"), Instant::now());
    // The same, in fewer words.
    hear(&mut board, Event::RegistryUnreachable(why()));
    assert_eq!(board.why_not, Some(WhyNot::Untrusted(why())));
    assert_eq!(board.registered, Registered::No);
    hear(&mut board, Event::RegistryUnreachable(Why::Silent));
    assert_eq!(board.why_not, Some(WhyNot::Unreachable(Why::Silent)));
    hear(&mut board, Event::RegistrationRefused(Refusal::NameTaken));
    assert_eq!(board.why_not, Some(WhyNot::Refused(Refusal::NameTaken)));
    hear(&mut board, Event::Registered);
    assert_eq!((board.registered, board.why_not), (Registered::Yes, None));
}

#[test]
fn what_others_had_the_phone_do_is_seen_too() {
    let (mut board, now) = (board(), Instant::now());
    hear(&mut board, incoming(BOB, "bob", false));
    let published = board.publishes;
    for command in [
        Command::Mute(true),
        phone::Command::Away(true).into(),
        phone::Command::Dnd(true).into(),
        phone::Command::Callers(Callers::Nobody).into(),
        phone::Command::Publish(!board.publishes).into(),
        phone::Command::Answer(BOB).into(),
    ] {
        board.hear(&engine::Event::Commanded(command), now);
    }
    assert!(board.muted && board.away && board.dnd);
    assert_eq!(board.callers, Callers::Nobody);
    assert_ne!(board.publishes, published);
    assert_eq!(board.calls[0].stage, Stage::Connecting);
    assert_eq!(board.selected, Some(BOB));
    // Told late: it is up already.
    hear(&mut board, established(BOB, "bob"));
    let answer = engine::Event::Commanded(phone::Command::Answer(BOB).into());
    board.hear(&answer, now);
    assert!(board.calls[0].is_up());
}

#[test]
fn a_call_says_who_called_how_it_goes_and_what_became_of_it() {
    let (mut board, start) = (board(), Instant::now());
    hear(&mut board, dialling(BOB, "bob"));
    assert_eq!(board.calls[0].direction, Direction::Outgoing);
    assert_eq!(board.calls[0].standing, None);
    board.hear(&engine::Event::Phone(established(BOB, "bob")), start);
    let path = Path {
        kind: PathKind::Direct,
        remote: "192.0.2.7:4000".parse().unwrap(),
    };
    for event in [
        engine::Event::Path { call: BOB, path },
        engine::Event::Unheard {
            call: BOB,
            heard: Heard::Silence,
        },
        engine::Event::Unspoken {
            call: BOB,
            spoken: false,
        },
        engine::Event::OutputLost {
            call: BOB,
            why: "unplugged".to_owned(),
        },
        engine::Event::InputLost {
            call: BOB,
            why: "unplugged".to_owned(),
        },
    ] {
        board.hear(&event, start);
    }
    let seen = &board.calls[0];
    assert_eq!(seen.path, Some(path));
    assert_eq!(seen.heard, Heard::Silence);
    assert!(seen.unspoken && seen.input_lost && seen.output_lost && seen.verified);
    board.hear(&engine::Event::InputBack { call: BOB }, start);
    assert!(!board.calls[0].input_lost);
    let over = engine::Event::Phone(ended(BOB, Reason::RemoteHangup));
    board.hear(&over, start + Duration::from_secs(7));
    assert!(board.calls.is_empty() && board.selected.is_none());
    let ended = board.ended.unwrap();
    assert_eq!(ended.lasted, Some(Duration::from_secs(7)));
    assert_eq!(ended.direction, Direction::Outgoing);
    assert_eq!(ended.standing, Some(Standing::Verified));
    assert!(ended.output_lost);
}
