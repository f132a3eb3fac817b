//! A window that is closed always goes, and says truthfully what it waits for.

use std::{net::TcpListener, time::Duration};

use iced::futures::StreamExt;
use registry::{
    gui::{
        Message, door,
        host::{self, Command, Event, GRACE, Hosting, PATIENCE, Phase},
    },
    operate::Options,
};

use crate::scene::{self, Scene};

/// Longer than anything takes on a busy machine.
const AT_LAST: Duration = Duration::from_secs(60);

fn shows(scene: &Scene, words: &str) -> bool {
    scene::texts_of(&scene.app).join("\n").contains(words)
}

fn told(commands: &mut tokio::sync::mpsc::Receiver<Command>) -> Vec<String> {
    let all = std::iter::from_fn(|| commands.try_recv().ok());
    let word = |command| match command {
        Command::LookAt(_) => None,
        Command::Open(_) => Some("Open".to_owned()),
        other => Some(format!("{other:?}")),
    };
    all.filter_map(word).collect()
}

#[test]
fn a_window_goes_when_the_registry_is_closed() {
    let mut scene = Scene::english().open();
    let mut commands = scene.connect();
    assert!(!scene.goes_at(Message::CloseRequested));
    assert_eq!(told(&mut commands), ["End"]);
    let mut scene = scene.closing();
    assert!(shows(
        &scene,
        "The window closes by itself, in 12 seconds at most."
    ));
    assert!(scene.goes_at(Message::Host(Event::Ended)));
}

#[test]
fn a_window_goes_in_time_whatever_the_registry_does() {
    let mut scene = Scene::english().open();
    let _commands = scene.connect();
    assert!(!scene.goes_at(Message::CloseRequested));
    let nearly = PATIENCE + GRACE - Duration::from_millis(1);
    assert!(!scene.goes_after(nearly));
    assert!(shows(&scene, "in one second at most"));
    assert!(scene.goes_after(Duration::from_millis(1)));
}

#[test]
fn who_closes_a_window_again_waits_for_nobody_and_the_third_time_it_goes_at_once() {
    let mut scene = Scene::english().open();
    let mut commands = scene.connect();
    assert!(!scene.goes_at(Message::CloseRequested));
    assert!(!scene.goes_at(Message::CloseRequested));
    assert_eq!(told(&mut commands), ["End", "CutShort"]);
    assert!(shows(&scene, "Nobody is waited for any more"));
    assert!(shows(&scene, "in 2 seconds at most"));
    assert!(scene.goes_at(Message::CloseRequested));

    // The same by the button, which says so; and the second time as late as it was before.
    let mut scene = Scene::english().open();
    let _commands = scene.connect();
    assert!(!scene.goes_at(Message::CloseRequested));
    assert!(!scene.goes_after(PATIENCE + GRACE - Duration::from_secs(1)));
    assert!(shows(&scene, "Close at once"));
    assert!(!scene.goes_at(Message::Door(door::Message::CutPressed)));
    assert!(shows(&scene, "in one second at most"));
    assert!(shows(&scene, "Quit now"));
    assert!(scene.goes_at(Message::Door(door::Message::CutPressed)));
}

#[test]
fn a_window_whose_registry_is_only_about_to_open_waits_until_that_is_closed_again() {
    let mut scene = Scene::english();
    let mut commands = scene.connect();
    // What the window sees is late: there it still is closed.
    scene.say(Message::Door(door::Message::OpenPressed));
    assert!(!scene.goes_at(Message::CloseRequested));
    assert_eq!(told(&mut commands), ["Open", "End"]);
    assert!(scene.goes_at(Message::Host(Event::Ended)));
}

#[test]
fn a_close_that_takes_too_long_says_what_takes_so_long() {
    let mut scene = Scene::english().open().closing();
    assert!(shows(&scene, "for 10 seconds at most"));
    scene::later(&mut scene, Duration::from_secs(9));
    assert!(shows(&scene, "for one second at most"));
    scene::later(&mut scene, Duration::from_secs(2));
    assert!(shows(&scene, "the disk takes long"));
}

#[test]
fn a_machine_without_a_thread_to_give_is_said_and_opening_tries_again() {
    let mut scene = Scene::english();
    scene.say(Message::Host(Event::Unable("no more threads".to_owned())));
    assert!(shows(&scene, "The registry could not be opened."));
    assert!(shows(&scene, "no more threads"));
    scene.say(Message::Door(door::Message::OpenPressed));
    let mut commands = scene.connect();
    assert_eq!(told(&mut commands), ["Open"]);
}

#[test]
fn a_registry_that_has_failed_is_not_shown_as_open() {
    let mut scene = Scene::english().open();
    let _commands = scene.connect();
    assert!(!scene.goes_at(Message::Host(Event::Ended)));
    assert!(shows(&scene, "The registry could not be opened."));
    assert!(scene.goes_at(Message::CloseRequested));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_was_told_to_open_and_to_end_at_once_leaves_nothing_open() {
    let folder = tempfile::tempdir().unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = free.local_addr().unwrap();
    drop(free);
    let hosting = Hosting::default();
    let mut events = Box::pin(host::connect(&hosting));
    let Some(Event::Ready(commands, _journal)) = events.next().await else {
        panic!("it is not ready")
    };
    let options = Options::new(listen, Some(folder.path().join("registry")));
    commands
        .send(Command::Open(Box::new(options)))
        .await
        .unwrap();
    commands.send(Command::End).await.unwrap();
    let (mut last, mut ended) = (None, false);
    let wait = async {
        while let Some(event) = events.next().await {
            match event {
                Event::Seen(seen) => last = Some(seen.phase.clone()),
                Event::Ended => ended = true,
                other => panic!("{other:?}"),
            }
        }
    };
    tokio::time::timeout(AT_LAST, wait).await.unwrap();
    assert!(ended);
    assert!(matches!(last, Some(Phase::Ended { .. })), "{last:?}");
    assert!(hosting.close());
    assert!(TcpListener::bind(listen).is_ok());
}
