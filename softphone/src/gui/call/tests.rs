//! The screen of the calls as a person sees and uses it.

use std::time::Duration;

use registry::client::ConnectError;

use super::*;
use crate::{
    board::Stage,
    call::{Direction, Hold},
    contacts::Standing,
    engine::{Path, PathKind},
    gui::{
        fixture::{World, call, check, check_in, languages, name, shown, words},
        incoming::tests::seen,
    },
    media::{silence::Heard, stats::VoiceReport},
    settings::preferences::Language,
};

const UP: Stage = Stage::Up {
    hold: Hold::No,
    reconnecting: false,
};

/// A call with bob that has been up for 4 min 5 s.
fn talking(world: &mut World) {
    let mut bob = seen(1, "bob", UP);
    bob.since = world.now;
    world.now += Duration::from_secs(245);
    bob.words = Some(words());
    bob.standing = Some(Standing::Stranger);
    bob.path = Some(Path {
        kind: PathKind::Direct,
        remote: "192.168.0.12:40312".parse().expect("an address"),
    });
    world.board.calls = vec![bob];
}

fn report(second: u8) -> VoiceReport {
    let wave = f32::from(second % 7);
    VoiceReport {
        loss_pct: wave / 3.0,
        late_pct: 0.0,
        duplicate_pct: 0.0,
        recovered_pct: 0.0,
        fec_pct: 0.0,
        concealed_pct: wave / 4.0,
        jitter_ms: 4.0 + wave,
        capture_ms: 12.0,
        encode_ms: 7.0,
        playout_delay_ms: 60.0 + wave * 3.0,
        device_ms: 6.0,
        bitrate_bps: 32_000,
        underruns: 0,
        speed_ppm: 0,
    }
}

fn heard(world: &World) -> Call {
    let mut screen = Call::default();
    for second in 0..60 {
        let stats = engine::Event::Stats {
            call: call(1),
            voice: report(second),
            round_trip: Some(Duration::from_millis(24 + u64::from(second % 5))),
        };
        let _ = screen.hear(&stats, &world.cx());
    }
    let levels = engine::Event::Levels {
        call: call(1),
        levels: Levels {
            sent_dbfs: -18.0,
            heard_dbfs: -9.0,
        },
    };
    let _ = screen.hear(&levels, &world.cx());
    screen
}

fn told(action: Action<Message>) -> Vec<String> {
    match action {
        Action::Tell(command) => vec![format!("{command:?}")],
        Action::ShowCall(shows) => vec![format!("ShowCall({shows})")],
        Action::All(actions) => actions.into_iter().flat_map(told).collect(),
        _ => Vec::new(),
    }
}

fn over(reason: Reason, direction: Direction, world: &mut World) {
    world.board.calls.clear();
    world.board.ended = Some(EndedCall {
        call: call(1),
        name: name("bob"),
        direction,
        standing: Some(Standing::Known),
        reason,
        detail: None,
        lasted: None,
        output_lost: false,
        at: world.now,
    });
}

const REASONS: [Reason; 19] = [
    Reason::Hangup,
    Reason::DeclinedHere,
    Reason::AnsweredElsewhere,
    Reason::DeclinedElsewhere,
    Reason::Merged,
    Reason::RemoteHangup,
    Reason::Declined,
    Reason::Unavailable,
    Reason::Busy,
    Reason::NoAnswer,
    Reason::Cancelled,
    Reason::NotFound,
    Reason::Unreachable,
    Reason::RegistryUnreachable,
    Reason::MediaFailed,
    Reason::MediaLost,
    Reason::Untrusted,
    Reason::IdentityChanged,
    Reason::Failed,
];

#[test]
fn the_words_are_compared_once_and_the_phone_is_told() {
    let mut world = World::new(Language::English);
    talking(&mut world);
    let mut screen = heard(&world);
    let cx = world.cx();
    let message = {
        let mut ui = shown(screen.view(&cx));
        for word in words().to_string().split(' ') {
            ui.find(word).expect("each word");
        }
        ui.find("4:05").expect("for how long");
        ui.click("They are the same").expect("a button");
        ui.into_messages().next().expect("something")
    };
    let told = told(screen.update(message, &cx));
    assert!(told[0].contains("Verify"), "{told:?}");
}

#[test]
fn whoever_hears_other_words_is_told_to_hang_up() {
    let mut world = World::new(Language::English);
    talking(&mut world);
    let mut screen = heard(&world);
    let cx = world.cx();
    let message = {
        let mut ui = shown(screen.view(&cx));
        ui.click("They differ").expect("a button");
        ui.into_messages().next().expect("something")
    };
    let _ = screen.update(message, &cx);
    let mut ui = shown(screen.view(&cx));
    ui.find("Hang up. Somebody may be listening in")
        .expect("what to do");
}

#[test]
fn keys_mute_hold_and_hang_up() {
    let mut world = World::new(Language::English);
    talking(&mut world);
    let mut screen = heard(&world);
    let cx = world.cx();
    let mut does = |shortcut| told(screen.key(shortcut, &cx)).join(" ");
    assert_eq!(does(Shortcut::Mute), "Mute(true)");
    assert!(does(Shortcut::Hold).contains("Hold"));
    assert!(does(Shortcut::Verify).contains("Verify"));
    assert!(does(Shortcut::Hangup).contains("Hangup"));
    assert_eq!(does(Shortcut::Back), "ShowCall(false)");
    assert_eq!(does(Shortcut::CallAgain), "", "the call is still there");
}

#[test]
fn with_push_to_talk_the_microphone_is_open_while_the_key_is_held() {
    let mut world = World::new(Language::English);
    talking(&mut world);
    world.preferences.push_to_talk = true;
    let mut screen = Call::default();
    let registered = engine::Event::Phone(Event::Registered);
    let at_once = told(screen.hear(&registered, &world.cx()));
    assert_eq!(at_once, ["Mute(true)"], "before anybody has said a word");
    world.board.muted = true;
    assert_eq!(told(screen.key(Shortcut::Mute, &world.cx())), [""; 0]);
    assert_eq!(
        told(screen.key(Shortcut::Talk, &world.cx())),
        ["Mute(false)"]
    );
    world.board.muted = false;
    assert_eq!(
        told(screen.talk(By::Key, false, &world.cx())),
        ["Mute(true)"]
    );
}

#[test]
fn another_call_is_switched_to_by_click_and_by_key() {
    let mut world = World::new(Language::English);
    talking(&mut world);
    let held = Stage::Up {
        hold: Hold::Here,
        reconnecting: false,
    };
    world.board.calls.push(seen(2, "erik", held));
    let mut screen = heard(&world);
    let message = {
        let cx = world.cx();
        let mut ui = shown(screen.view(&cx));
        ui.click("Talk to erik").expect("a button");
        ui.into_messages().next().expect("something")
    };
    let clicked = told(screen.update(message, &world.cx()));
    assert!(clicked[0].contains("Resume"), "{clicked:?}");
    let back = told(screen.key(Shortcut::NextCall, &world.cx()));
    assert!(back.is_empty(), "bob is not held");
    assert_eq!(screen.chosen, Some(call(1)));
}

#[test]
fn every_end_of_a_call_says_what_happened_and_what_to_do() {
    for (_, language) in languages() {
        for reason in REASONS {
            for direction in [Direction::Incoming, Direction::Outgoing] {
                let mut world = World::new(language);
                over(reason, direction, &mut world);
                let over = world.board.ended.as_ref().expect("it is over");
                let said = ending::ending(over, &world.texts);
                assert!(said.title.len() > 8 && said.next.len() > 8, "{said:?}");
                let screen = Call::default();
                let cx = world.cx();
                let mut ui = shown(screen.view(&cx));
                ui.find(said.title.as_str()).expect("what happened");
                ui.find(said.next.as_str()).expect("what to do");
            }
        }
    }
}

#[test]
fn who_hangs_up_is_back_where_they_were_and_who_is_left_is_told_why() {
    let mut world = World::new(Language::English);
    talking(&mut world);
    let ended = |reason| {
        engine::Event::Phone(Event::Ended {
            call: call(1),
            name: name("bob"),
            reason,
            detail: None,
        })
    };
    let mut screen = heard(&world);
    let own = told(screen.hear(&ended(Reason::Hangup), &world.cx()));
    assert_eq!(own, ["ShowCall(false)"]);
    let mut screen = heard(&world);
    let theirs = told(screen.hear(&ended(Reason::RemoteHangup), &world.cx()));
    assert!(theirs.is_empty());
    over(Reason::RemoteHangup, Direction::Incoming, &mut world);
    let again = told(screen.key(Shortcut::CallAgain, &world.cx()));
    assert!(again[0].contains("Dial"), "{again:?}");
    // Whoever may be somebody else is not called by a press of Enter.
    over(Reason::IdentityChanged, Direction::Outgoing, &mut world);
    let again = told(screen.key(Shortcut::CallAgain, &world.cx()));
    assert!(again.is_empty(), "{again:?}");
    over(Reason::RemoteHangup, Direction::Incoming, &mut world);
    let close = told(screen.key(Shortcut::Back, &world.cx()));
    assert_eq!(close, ["ShowCall(false)"]);
}

#[test]
fn screens_look_as_they_did() {
    for (tag, language) in languages() {
        let mut world = World::new(language);
        world.board.calls = vec![seen(1, "bob", Stage::RingsThere)];
        check("call-ringing", tag, || {
            let screen = Box::leak(Box::<Call>::default());
            screen.view(&world.cx())
        });
        talking(&mut world);
        let mut screen = heard(&world);
        check("call", tag, || screen.view(&world.cx()));
        let bar = iced::Size::new(760.0, 60.0);
        check_in("call-bar", tag, bar, || {
            screen.bars(false, &world.cx()).next().expect("a call")
        });
        world.board.muted = true;
        world.board.calls[0].stage = Stage::Up {
            hold: Hold::Here,
            reconnecting: false,
        };
        check("call-held", tag, || screen.view(&world.cx()));
        world.board.muted = false;
        world.board.calls[0].stage = UP;
        let _ = screen.update(Message::DifferPressed(call(1)), &world.cx());
        check("call-differ", tag, || screen.view(&world.cx()));
        world.board.calls[0].verified = true;
        let _ = screen.update(Message::FiguresPressed, &world.cx());
        check("call-figures", tag, || screen.view(&world.cx()));
        screen.figures = false;
        screen.sound = true;
        screen.devices = Devices::Listed(Vec::new());
        check("call-sound", tag, || screen.view(&world.cx()));
        screen.sound = false;
        world.board.calls[0].heard = Heard::Nothing;
        world.board.calls[0].unspoken = true;
        world.board.calls[0].output_lost = true;
        let held = Stage::Up {
            hold: Hold::Here,
            reconnecting: false,
        };
        let mut erik = seen(2, "erik", held);
        erik.since = world.now;
        world.board.calls.push(erik);
        check("call-warnings", tag, || screen.view(&world.cx()));
        world.board.calls.pop();
        world.board.calls[0].heard = Heard::Sound;
        world.board.calls[0].unspoken = false;
        world.board.calls[0].output_lost = false;
        world.board.calls[0].input_lost = true;
        world.board.calls[0].unspoken = true;
        check("call-microphone", tag, || screen.view(&world.cx()));
        world.board.calls[0].input_lost = false;
        world.board.calls[0].unspoken = false;
        world.preferences.push_to_talk = true;
        world.board.muted = true;
        let narrow = iced::Size::new(400.0, 600.0);
        check_in("call-narrow", tag, narrow, || screen.view(&world.cx()));
    }
}

#[test]
fn ends_of_calls_look_as_they_did() {
    for (tag, language) in languages() {
        let mut world = World::new(language);
        let screen = Call::default();
        check("call-none", tag, || screen.view(&world.cx()));
        over(Reason::Unreachable, Direction::Outgoing, &mut world);
        if let Some(ended) = &mut world.board.ended {
            let addr = "192.168.0.12:4000".parse().expect("an address");
            ended.detail = Some(ConnectError::TimedOut(addr).into());
        }
        check("call-unreachable", tag, || screen.view(&world.cx()));
        let bar = iced::Size::new(760.0, 90.0);
        check_in("call-over-bar", tag, bar, || {
            screen.bars(false, &world.cx()).next().expect("a call")
        });
        over(Reason::IdentityChanged, Direction::Outgoing, &mut world);
        check("call-changed", tag, || screen.view(&world.cx()));
        over(Reason::RemoteHangup, Direction::Incoming, &mut world);
        if let Some(ended) = &mut world.board.ended {
            ended.lasted = Some(Duration::from_secs(245));
        }
        check("call-over", tag, || screen.view(&world.cx()));
    }
}
