//! Engines as a window sees them: real phones and a real registry in this process, and somebody who
//! reads events and views late or not at all.

#![allow(clippy::unwrap_used)]

use std::{
    path::Path,
    time::{Duration, Instant},
};

use registry::{client::Access, server::Plain};
use softphone::{
    audio::{Input, Output},
    board::{Board, Registered, SeenCall, Stage},
    call::{Hold, Reason},
    engine::{self, Command, Config, Event, Handle},
    journal::{Line, Way, With},
    media::format::Format,
    phone::{self, Callers, SecondCall, Settings},
    settings::Profile,
};
use tokio::{
    runtime::Runtime,
    task::JoinSet,
    time::{sleep, timeout},
};

use self::registries::{ANYWHERE, Registry, is_registered};

#[path = "rig/registries.rs"]
mod registries;

/// Longer than anything takes here, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

/// For how long a window hangs.
const FROZEN: Duration = Duration::from_secs(5);

/// A registry, and phones that have a folder for everything.
struct Place {
    runtime: Runtime,
    folder: tempfile::TempDir,
    registry: Registry,
    running: JoinSet<()>,
}

impl Place {
    fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let registry = Registry::start(&runtime, ANYWHERE, Plain::Never, 9);
        Self {
            folder: tempfile::tempdir().unwrap(),
            registry,
            running: JoinSet::new(),
            runtime,
        }
    }

    fn phone(&mut self, name: &str) -> Handle {
        let config = self.folder.path().join(name);
        self.start(name, &config)
    }

    fn start(&mut self, name: &str, folder: &Path) -> Handle {
        let opened = Profile::open(folder, name.parse().unwrap(), engine::unix_now());
        let Profile { me, disk, .. } = opened.unwrap();
        let config = Config {
            me,
            disk: Some(disk),
            registry: self.registry.addr.into(),
            access: Access::of("test", folder),
            listen: ANYWHERE,
            input: Input::Silence,
            output: Output::None,
            format: Format::default(),
            ringing: None,
            has_window: false,
            settings: settings(),
        };
        let (handle, driver) = self.runtime.block_on(engine::start(config)).unwrap();
        let handle_of = self.runtime.handle();
        self.running.spawn_on(driver.run(), handle_of);
        handle
    }
}

fn settings() -> Settings {
    Settings {
        calls_max: 4,
        ring_for: Duration::from_secs(45),
        second_call: SecondCall::Offer,
        one_at_a_time: true,
        publish: true,
        callers: Callers::Everyone,
        dnd: false,
        hidden: false,
    }
}

/// Waits until the board is so.
async fn board(handle: &Handle, is_so: impl Fn(&Board) -> bool) -> Board {
    let mut boards = handle.views.board.clone();
    let waited = timeout(PATIENCE, boards.wait_for(|board| is_so(board))).await;
    let seen = waited.map(|seen| Board::clone(&seen.unwrap()));
    match seen {
        Ok(board) => board,
        Err(_) => panic!("{:?}", handle.views.board.borrow()),
    }
}

async fn tell(handle: &Handle, command: impl Into<Command>) {
    handle.commands.send(command.into()).await.unwrap();
}

/// Two phones that are in a call.
async fn call(alice: &Handle, bob: &Handle) {
    for phone in [alice, bob] {
        board(phone, |board| board.registered == Registered::Yes).await;
    }
    tell(alice, phone::Command::Dial("bob".parse().unwrap())).await;
    let rings = board(bob, |board| {
        board.calls.first().is_some_and(SeenCall::rings_here)
    })
    .await;
    tell(bob, phone::Command::Answer(rings.calls[0].call)).await;
    for phone in [alice, bob] {
        board(phone, |board| {
            board.calls.first().is_some_and(SeenCall::is_up)
        })
        .await;
    }
}

#[test]
fn a_window_that_hangs_for_5_s_costs_no_call_no_registration_and_no_event() {
    let mut place = Place::new();
    let (mut alice, bob) = (place.phone("alice"), place.phone("bob"));
    let addr = place.registry.addr;
    let runtime = place.runtime.handle().clone();
    runtime.block_on(async {
        call(&alice, &bob).await;
        // Nobody reads what Alice's phone says; it hears more than it can say at once.
        let (from, held) = (Instant::now(), bob.views.board.borrow().calls[0].call);
        let mut turns = 0_u32;
        while from.elapsed() < FROZEN {
            tell(&bob, phone::Command::Hold(held)).await;
            tell(&bob, phone::Command::Resume(held)).await;
            tell(&alice, Command::Mute(turns.is_multiple_of(2))).await;
            turns += 1;
            sleep(Duration::from_millis(20)).await;
        }
        tell(&bob, phone::Command::Hold(held)).await;
        tell(&alice, Command::Mute(true)).await;
        // The other side has noticed nothing.
        let bobs = bob.views.board.borrow().clone();
        let up = matches!(bobs.calls[..], [ref call] if call.is_up());
        assert!(up && bobs.registered == Registered::Yes, "{bobs:?}");
        let newest = board(&alice, |board| {
            let held = |call: &SeenCall| {
                call.stage
                    == Stage::Up {
                        hold: Hold::There,
                        reconnecting: false,
                    }
            };
            board.muted && board.calls.first().is_some_and(held)
        })
        .await;
        assert_eq!(newest.registered, Registered::Yes);
        // Whoever reads the events now finds each edge, in order: folded, they give that board, and
        // at the end the last one.
        tell(&alice, phone::Command::Stop).await;
        let mut folded = Board::new(
            newest.name.clone(),
            newest.registry.parse().unwrap(),
            &settings(),
        );
        let mut mutes = 0;
        while let Some(event) = timeout(PATIENCE, alice.events.recv()).await.unwrap() {
            if event == Event::Commanded(phone::Command::Stop.into()) {
                assert!(folded.muted && folded.calls[0].is_up(), "{folded:?}");
                assert_eq!(folded.registered, newest.registered);
                assert_eq!(folded.calls[0].words, newest.calls[0].words);
            }
            mutes += u32::from(matches!(event, Event::Commanded(Command::Mute(_))));
            folded.hear(&event, Instant::now());
        }
        assert_eq!(mutes, turns + 1, "an edge is lost");
        let last = alice.views.board.borrow().clone();
        assert!(last.calls.is_empty() && folded.calls.is_empty());
        assert_eq!(
            (folded.registered, folded.muted),
            (last.registered, last.muted)
        );
        let reason = |board: &Board| board.ended.as_ref().map(|ended| ended.reason);
        assert_eq!(reason(&folded), Some(Reason::Hangup));
        assert_eq!(reason(&folded), reason(&last));
    });
    assert!(is_registered(&place.runtime, addr, "bob"));
}

#[test]
fn the_journal_has_every_message_of_a_call_in_order_and_says_what_was_sealed() {
    let mut place = Place::new();
    let (alice, mut bob) = (place.phone("alice"), place.phone("bob"));
    let runtime = place.runtime.handle().clone();
    runtime.block_on(async {
        call(&alice, &bob).await;
        let call = alice.views.board.borrow().calls[0].call;
        tell(&alice, phone::Command::Hangup(call)).await;
        board(&bob, |board| board.ended.is_some()).await;
        tell(&bob, phone::Command::Stop).await;
        while timeout(PATIENCE, bob.events.recv())
            .await
            .unwrap()
            .is_some()
        {}
    });
    let journal = bob.views.journal.borrow().clone();
    let all: Vec<String> = journal.iter().map(ToString::to_string).collect();
    let said = |way: Way, with: fn(With) -> bool| {
        let is_it = move |line: &&Line| line.way == way && with(line.with);
        journal
            .iter()
            .filter(is_it)
            .map(|line| line.text.as_str())
            .collect::<Vec<_>>()
    };
    let has = |lines: &[&str], begins: &[&str]| {
        let mut rest = lines.iter();
        for begin in begins {
            assert!(
                rest.any(|line| line.contains(begin)),
                "no {begin}: {all:#?}"
            );
        }
    };
    let to_registry = said(Way::Sent, |with| with == With::Registry);
    has(
        &to_registry,
        &[
            "Hello test",
            "Register bob",
            "Lookup alice",
            "Unregister bob",
        ],
    );
    let from_registry = said(Way::Received, |with| with == With::Registry);
    has(
        &from_registry,
        &["Welcome observed=127.0.0.1", "Registered", "Found alice"],
    );
    let is_phone = |with| matches!(with, With::Phone(at) if at.ip().is_loopback());
    has(
        &said(Way::Received, is_phone),
        &["Hello test", " Invite", " Confirm", " Bye"],
    );
    has(
        &said(Way::Sent, is_phone),
        &["Welcome", " Ringing", " Accept"],
    );
    let numbers: Vec<u64> = journal.iter().map(|line| line.number).collect();
    assert_eq!(numbers, (1..=journal.written()).collect::<Vec<_>>());
}
