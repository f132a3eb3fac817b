//! What the live rows show, at every width.

#![cfg(test)]

use std::time::Duration;

use codec::CallId;
use softphone::{board::Figures, engine, media::stats::VoiceReport, phone::Event};

use super::*;
use crate::fixture::{desk, words};

const PLAIN: Look = Look {
    colours: false,
    unicode: true,
};

/// A call that has been up for 161 seconds.
fn with_call(number: u8, name: &str, start: Instant, board: &mut Desk) -> CallId {
    let call = CallId([number; 16]);
    let established = Event::Established {
        call,
        name: name.parse().unwrap(),
        setup: Duration::from_millis(50),
        words: words(),
        standing: Standing::Verified,
    };
    board.hear(&engine::Event::Phone(established), start);
    let seen = board.calls.last_mut().unwrap();
    seen.levels = Some(Levels {
        sent_dbfs: -30.0,
        heard_dbfs: -96.0,
    });
    seen.figures = Some(Figures {
        loss_pct: 0.0,
        delay: Duration::from_millis(64),
        round_trip: None,
        voice: VoiceReport {
            loss_pct: 0.0,
            late_pct: 0.0,
            duplicate_pct: 0.0,
            recovered_pct: 0.0,
            fec_pct: 0.0,
            concealed_pct: 0.0,
            jitter_ms: 1.0,
            capture_ms: 12.0,
            encode_ms: 7.0,
            playout_delay_ms: 64.0,
            device_ms: 6.0,
            bitrate_bps: 32_000,
            underruns: 0,
            speed_ppm: 0,
        },
    });
    call
}

fn shown(board: &Desk, columns: usize, height: usize, start: Instant) -> Vec<String> {
    let now = start + Duration::from_secs(161);
    let size = Size {
        columns,
        rows: height,
    };
    rows(board, size, PLAIN, now)
}

#[test]
fn a_call_shows_who_how_long_how_loud_and_how_well() {
    let (mut board, start) = (desk(), Instant::now());
    with_call(1, "bob", start, &mut board);
    assert_eq!(
        shown(&board, 80, 24, start),
        [
            "bob  in a call 2:41  you ▮▮▮▮▮▯▯▯▯▯  they ▯▯▯▯▯▯▯▯▯▯  loss 0 %  delay 64 ms",
            "h hang up  o hold  m mute  c call  l list  q quit  ? help",
        ]
    );
    assert_eq!(
        shown(&board, 40, 24, start),
        [
            "bob  2:41  you ▮▯▯  they ▯▯▯  loss 0 %",
            "h hang up  o hold  m mute  ? help",
        ]
    );
    board.muted = true;
    assert!(shown(&board, 80, 24, start)[0].contains("you muted "));
    assert!(shown(&board, 40, 24, start)[0].contains("muted"));
}

#[test]
fn the_words_are_shown_until_they_are_verified() {
    let (mut board, start) = (desk(), Instant::now());
    let call = with_call(1, "bob", start, &mut board);
    board.calls[0].verified = false;
    // Whole on the smallest of usual terminals.
    let rows = shown(&board, 80, 24, start);
    let row = "words: runway sunset wolf brand  read them aloud; v if both see them";
    assert_eq!(rows[1], row);
    assert!(rows[2].contains("v words agree"), "{rows:?}");
    assert_eq!(board.action('v'), Some(Action::Verify(call)));
    // Where there is no room for them, the call and its keys come first.
    assert_eq!(shown(&board, 90, 2, start).len(), 2);
    let verified = engine::Event::Phone(Event::Verified { call });
    board.hear(&verified, start);
    assert_eq!(shown(&board, 90, 24, start).len(), 2);
    assert_eq!(board.action('v'), None);
}

#[test]
fn a_phone_that_takes_no_calls_says_so() {
    let (mut board, start) = (desk(), Instant::now());
    board.registered = Registered::Yes;
    board.callers = Callers::Contacts;
    assert!(shown(&board, 90, 24, start)[0].contains("by contacts at"));
    board.dnd = true;
    assert!(shown(&board, 90, 24, start)[0].contains("takes no calls"));
}

#[test]
fn no_row_is_ever_wider_or_higher_than_the_terminal() {
    let names = [
        "bob",
        "Ana-Luísa.de.Araújo_e_Conceição",
        "山田太郎山田太郎山田太郎山田太郎",
        "e\u{301}l",
    ];
    let start = Instant::now();
    for count in 0..=4u8 {
        let mut board = desk();
        for (number, name) in (1..=count).zip(names) {
            with_call(number, name, start, &mut board);
        }
        for typing in [None, Some("山田@example.org".repeat(20))] {
            board.typing = typing;
            for columns in (1..70).chain([100]) {
                for height in [1, 2, 3, 6] {
                    let rows = shown(&board, columns, height, start);
                    assert!(rows.len() <= height, "{rows:?}");
                    for row in rows {
                        assert!(row.width() < columns, "{columns}: {row}");
                    }
                }
            }
        }
    }
}

#[test]
fn wide_and_combining_characters_are_cut_whole() {
    assert_eq!(cut("山田太郎", 8, PLAIN), ("山田太郎".to_owned(), 8));
    assert_eq!(cut("山田太郎", 7, PLAIN), ("山田太…".to_owned(), 7));
    assert_eq!(cut("山田太郎", 6, PLAIN), ("山田…".to_owned(), 5));
    let ascii = Look {
        unicode: false,
        ..PLAIN
    };
    // The accents are characters of their own, and stay with their letters.
    assert_eq!(
        cut("e\u{301}e\u{301}e\u{301}", 2, ascii),
        ("e\u{301}~".to_owned(), 2)
    );
    assert_eq!(cut("abc", 0, PLAIN), (String::new(), 0));
}

#[test]
fn with_several_calls_the_one_that_is_meant_is_marked_and_keys_say_whose() {
    let (mut board, start) = (desk(), Instant::now());
    with_call(1, "bob", start, &mut board);
    let carol = with_call(2, "carol", start, &mut board);
    board.select(carol);
    let rows = shown(&board, 100, 24, start);
    assert!(rows[0].starts_with(" 1 bob  in a call"), "{}", rows[0]);
    assert!(rows[1].starts_with(">2 carol  in a call"), "{}", rows[1]);
    assert_eq!(
        rows[2],
        "h hang up carol  o hold  n next  m mute  c call  l list  q quit  ? help"
    );
    let rows = shown(&board, 60, 24, start);
    assert_eq!(
        rows[2],
        "h hang up carol  o hold  n next  m mute  c call  ? help"
    );
    let rows = shown(&board, 40, 24, start);
    assert_eq!(rows[2], "h hang up  o hold  n next  ? help");
    // Where there is room for one call only, it is the one that is meant.
    let rows = shown(&board, 100, 2, start);
    assert!(rows[0].starts_with(">2 carol"), "{}", rows[0]);
    assert_eq!(rows.len(), 2);
}

#[test]
fn every_stage_has_its_words() {
    let (mut board, start) = (desk(), Instant::now());
    assert_eq!(
        shown(&board, 80, 24, start)[0],
        "alice  registering at localhost:5000"
    );
    with_call(1, "bob", start, &mut board);
    let up = |hold| Stage::Up {
        hold,
        reconnecting: false,
    };
    let lost = Stage::Up {
        hold: Hold::No,
        reconnecting: true,
    };
    for (stage, words) in [
        (Stage::Calling, "bob  calling 2:41"),
        (Stage::RingsThere, "bob  ringing 2:41"),
        (
            Stage::RingsHere {
                confirmed: true,
                standing: Standing::Verified,
            },
            "bob  calls you (verified) 2:41",
        ),
        (
            Stage::RingsHere {
                confirmed: true,
                standing: Standing::Known,
            },
            "bob  calls you 2:41",
        ),
        (
            Stage::RingsHere {
                confirmed: false,
                standing: Standing::Known,
            },
            "bob  calls you (not confirmed) 2:41",
        ),
        (
            Stage::RingsHere {
                confirmed: true,
                standing: Standing::Stranger,
            },
            "bob  calls you (new) 2:41",
        ),
        (
            Stage::RingsHere {
                confirmed: false,
                standing: Standing::Stranger,
            },
            "bob  calls you (new, not confirmed) 2:41",
        ),
        (Stage::Connecting, "bob  connecting 2:41"),
        (up(Hold::Here), "bob  on hold by you 2:41"),
        (up(Hold::There), "bob  on hold by them 2:41"),
        (up(Hold::Both), "bob  on hold by both 2:41"),
        (lost, "bob  reconnecting 2:41"),
    ] {
        board.calls[0].stage = stage;
        let row = &shown(&board, 80, 24, start)[0];
        assert!(row.starts_with(words), "{row}");
    }
}

#[test]
fn colours_and_other_characters_are_only_where_they_are_wanted() {
    let (mut board, start) = (desk(), Instant::now());
    with_call(1, "bob", start, &mut board);
    let now = start + Duration::from_secs(1);
    let size = Size {
        columns: 80,
        rows: 24,
    };
    let look = |colours, unicode| {
        let look = Look { colours, unicode };
        rows(&board, size, look, now).join("\n")
    };
    assert!(look(false, false).is_ascii());
    assert!(!look(false, true).contains('\x1b'));
    let coloured = look(true, true);
    assert!(coloured.contains("\x1b[32min a call\x1b[0m"));
    // What is bad is seen.
    assert_eq!(Style::of(2.0, LOSS_PCT), Style::Doubtful);
    assert_eq!(Style::of(200, DELAY_MS), Style::Doubtful);
    assert_eq!(Style::of(30.0, LOSS_PCT), Style::Bad);
    assert_eq!(Style::of(0.4, LOSS_PCT), Style::Plain);
}

#[test]
fn a_name_that_is_typed_shows_its_end() {
    let mut board = desk();
    let start = Instant::now();
    board.typing = Some("bo".to_owned());
    assert_eq!(
        shown(&board, 80, 24, start)[1],
        "call: bo_   Enter calls, Esc leaves"
    );
    board.typing = Some("山田太郎@registry.example".to_owned());
    assert_eq!(shown(&board, 20, 24, start)[1], "call: stry.example_");
    board.typing = Some("\x1b]0;x\u{202e}".to_owned());
    assert!(!shown(&board, 80, 24, start)[1].contains(['\x1b', '\u{202e}']));
}

#[test]
fn a_long_time_has_hours() {
    assert_eq!(clock(Duration::from_secs(59)), "0:59");
    assert_eq!(clock(Duration::from_secs(3_600 + 62)), "1:01:02");
}
