//! The program with a phone that is made up: events go in, commands and an exit code come out.

#![cfg(test)]

use std::io;

use codec::{Identity, Party, greeting::Unwelcome};
use registry::client::ConnectError;
use softphone::{call::Hold, contacts::Standing, engine::Views, phone::Event as PhoneEvent};

use super::*;
use crate::{
    fixture::{board, desk, name, words},
    outlet::Outlet,
};

const FIRST: CallId = CallId([1; 16]);
const SECOND: CallId = CallId([2; 16]);

fn show() -> Show {
    Show {
        json: true,
        log: false,
        out: Outlet::new(io::sink()),
        notes: Outlet::new(io::sink()),
    }
}

fn calling_bob() -> Until {
    Until::Called {
        target: "bob".parse().unwrap(),
        lasting: None,
    }
}

fn answering(calls: Option<u32>) -> Until {
    Until::Answered {
        auto: false,
        calls,
        timeout: None,
    }
}

/// What the program tells a phone in which these things happen, and its exit code.
async fn run(until: Until, events: Vec<PhoneEvent>) -> (Vec<engine::Command>, String) {
    let (commands, mut told) = mpsc::channel(32);
    let (happens, happened) = mpsc::channel(32);
    for event in events {
        happens.send(Event::Phone(event)).await.unwrap();
    }
    drop(happens);
    let handle = Handle {
        commands,
        events: happened,
        listening: None,
        views: Views::of(board()),
    };
    let registry = "localhost".parse().unwrap();
    let code = Conduct::run(
        until,
        registry,
        &show(),
        Hands::Off,
        desk(),
        Grant::default(),
        handle,
    )
    .await;
    let mut commands = Vec::new();
    while let Some(command) = told.recv().await {
        commands.push(command);
    }
    (commands, format!("{code:?}"))
}

fn code(code: u8) -> String {
    format!("{:?}", ExitCode::from(code))
}

fn dialling(call: CallId) -> PhoneEvent {
    PhoneEvent::Dialling {
        call,
        name: name("bob"),
        host: None,
    }
}

fn incoming(call: CallId) -> PhoneEvent {
    PhoneEvent::Incoming {
        call,
        from: Party {
            name: name("carol"),
            identity: Identity::from_secret(&[7; 32]).key(),
        },
        confirmed: true,
        waiting: true,
        standing: Standing::Known,
    }
}

fn established(call: CallId) -> PhoneEvent {
    PhoneEvent::Established {
        call,
        name: name("bob"),
        setup: Duration::from_millis(50),
        words: words(),
        standing: Standing::Known,
    }
}

fn ended(call: CallId, reason: Reason) -> PhoneEvent {
    PhoneEvent::Ended {
        call,
        name: name("bob"),
        reason,
        detail: None,
    }
}

/// Whether the program told the phone to stop.
fn stopped(commands: &[engine::Command]) -> bool {
    commands.contains(&Command::Stop.into())
}

#[tokio::test]
async fn a_call_that_merges_with_the_callees_own_is_followed_to_its_end() {
    let merged = || PhoneEvent::Merged {
        ended: FIRST,
        call: SECOND,
        name: name("bob"),
    };
    let end = || ended(FIRST, Reason::Merged);
    for order in [vec![merged(), end()], vec![end(), merged()]] {
        let mut events = vec![dialling(FIRST)];
        events.extend(order);
        let (commands, _) = run(calling_bob(), events.clone()).await;
        assert!(!stopped(&commands), "it goes on: {commands:?}");
        let up = events.clone().into_iter().chain([established(SECOND)]);
        let over = up.chain([ended(SECOND, Reason::RemoteHangup)]).collect();
        let (commands, exit) = run(calling_bob(), over).await;
        assert!(stopped(&commands));
        assert_eq!(exit, code(0));
        events.push(ended(SECOND, Reason::MediaFailed));
        assert_eq!(run(calling_bob(), events).await.1, code(1));
    }
}

#[tokio::test]
async fn somebody_who_calls_meanwhile_is_not_cut_off_and_does_not_change_the_exit_code() {
    let mut events = vec![
        dialling(FIRST),
        established(FIRST),
        incoming(SECOND),
        ended(FIRST, Reason::Hangup),
    ];
    let (commands, _) = run(calling_bob(), events.clone()).await;
    assert!(!stopped(&commands), "{commands:?}");
    events.push(ended(SECOND, Reason::Cancelled));
    let (commands, exit) = run(calling_bob(), events).await;
    assert!(stopped(&commands));
    assert_eq!(exit, code(0));
}

#[tokio::test]
async fn a_call_that_was_not_the_dialled_one_ends_nothing() {
    let events = vec![
        dialling(FIRST),
        incoming(SECOND),
        ended(SECOND, Reason::DeclinedHere),
    ];
    let (commands, _) = run(calling_bob(), events).await;
    assert!(!stopped(&commands), "{commands:?}");
}

#[tokio::test]
async fn so_many_calls_are_over_when_none_is_left() {
    let mut events = vec![
        established(FIRST),
        established(SECOND),
        ended(FIRST, Reason::RemoteHangup),
    ];
    let (commands, _) = run(answering(Some(1)), events.clone()).await;
    assert!(!stopped(&commands), "{commands:?}");
    events.push(ended(SECOND, Reason::RemoteHangup));
    let (commands, exit) = run(answering(Some(1)), events).await;
    assert!(stopped(&commands));
    assert_eq!(exit, code(0));
}

#[tokio::test]
async fn what_is_typed_becomes_commands_about_the_call_that_is_meant() {
    let (commands, mut told) = mpsc::channel(32);
    let show = show();
    let mut conduct = Conduct {
        until: answering(None),
        registry: "localhost".parse().unwrap(),
        hopeless: None,
        show: &show,
        hands: Hands::Typed(Lines::default()),
        board: desk(),
        grant: Grant::default(),
        dialled: None,
        reached: None,
        completed: 0,
        deadline: None,
        outcome: None,
        commands,
        listening: None,
        rests_until: None,
        views: Views::of(board()),
        logged: 0,
    };
    conduct.event(Event::Phone(established(FIRST))).await;
    // Before another is called, the one that is spoken to is put on hold.
    conduct.typed(b"m\nm\nc car").await;
    conduct.typed(b"ol\n").await;
    conduct.event(Event::Phone(dialling(SECOND))).await;
    let held = PhoneEvent::Held {
        call: FIRST,
        hold: Hold::Here,
    };
    conduct.event(Event::Phone(held)).await;
    conduct.typed(b"h\n1\no\nx\nrubbish\nc no name\n").await;
    conduct.typed(b"hangup\nw\nquit\n").await;
    drop(conduct);
    let expected: [engine::Command; 8] = [
        engine::Command::Mute(true),
        engine::Command::Mute(false),
        Command::Hold(FIRST).into(),
        Command::Dial("carol".parse().unwrap()).into(),
        Command::Hangup(SECOND).into(),
        Command::Resume(FIRST).into(),
        Command::Hangup(FIRST).into(),
        Command::Stop.into(),
    ];
    for wanted in expected {
        assert_eq!(told.recv().await, Some(wanted));
    }
    assert_eq!(told.recv().await, None);
}

#[tokio::test]
async fn nobody_is_called_under_a_name_that_is_another_s_but_a_call_that_is_up_goes_on() {
    let refused = || PhoneEvent::RegistrationRefused(Refusal::KeyChanged);
    let at_an_address = || Until::Called {
        target: "bob@127.0.0.1:9".parse().unwrap(),
        lasting: None,
    };
    for until in [calling_bob(), answering(None)] {
        let (commands, exit) = run(until, vec![dialling(FIRST), refused()]).await;
        assert!(stopped(&commands), "{commands:?}");
        assert_eq!(exit, code(2));
    }
    // Waiting helps, or nobody has to know the name.
    let busy = PhoneEvent::RegistrationRefused(Refusal::TooMany);
    let (commands, _) = run(calling_bob(), vec![dialling(FIRST), busy]).await;
    assert!(!stopped(&commands), "{commands:?}");
    let (commands, _) = run(at_an_address(), vec![dialling(FIRST), refused()]).await;
    assert!(!stopped(&commands), "{commands:?}");
    let up = vec![dialling(FIRST), established(FIRST), refused()];
    let (commands, _) = run(calling_bob(), up.clone()).await;
    assert!(!stopped(&commands), "{commands:?}");
    let over = up
        .into_iter()
        .chain([ended(FIRST, Reason::RemoteHangup)])
        .collect();
    assert_eq!(run(calling_bob(), over).await.1, code(0));
}

#[tokio::test]
async fn a_phone_that_its_registry_turns_away_ends() {
    let (commands, mut told) = mpsc::channel(8);
    let (happens, events) = mpsc::channel(8);
    let host: Host = "localhost".parse().unwrap();
    let why = ConnectError::Unwelcome(host.clone(), Unwelcome::Banned).into();
    let event = Event::RegistryTurnsAway { host, why };
    happens.send(event).await.unwrap();
    drop(happens);
    let handle = Handle {
        commands,
        events,
        listening: None,
        views: Views::of(board()),
    };
    let registry = "localhost".parse().unwrap();
    let show = show();
    let ended = Conduct::run(
        answering(None),
        registry,
        &show,
        Hands::Off,
        desk(),
        Grant::default(),
        handle,
    );
    assert_eq!(format!("{:?}", ended.await), code(2));
    assert_eq!(told.recv().await, Some(Command::Stop.into()));
}
