//! How each screen looks: in both schemes and both languages, as it was looked at.
//!
//! The hashes are in `registry/snapshots`. After a change that is meant, look at the pictures
//! (`RAMAL_PICTURES=FOLDER`), remove the hashes that differ, and run the test again.

use std::{io, path::PathBuf};

use codec::{Name, registry::Presence};
use iced::Size;
use iced_test::Simulator;
use look::{Language, Scheme};
use registry::{
    desk::Done,
    event::Warning,
    gui::{
        Message, Place, WINDOW, WINDOW_MIN, bans, door,
        host::{Phase, Told},
        lines::{Kinds, Line, What},
        log, users,
    },
    operate::{Closed, KeyIs, OpenError},
    store::embedded,
};

use crate::scene::{self, Scene};

const LOOKS: [(Language, &str, Scheme, &str); 4] = [
    (Language::English, "en", Scheme::Light, "light"),
    (Language::BrazilianPortuguese, "pt", Scheme::Dark, "dark"),
    (Language::English, "en", Scheme::Dark, "dark"),
    (Language::BrazilianPortuguese, "pt", Scheme::Light, "light"),
];

/// A screen looks as it did when somebody looked at it, in all of its looks.
fn look_as_before(name: &str, scene: impl Fn(Scene) -> Scene) {
    look_so(name, &LOOKS, WINDOW, scene);
}

/// The same of what differs from such a screen in a part: in two looks, which are both languages
/// and both schemes.
fn part_looks_as_before(name: &str, scene: impl Fn(Scene) -> Scene) {
    look_so(name, &LOOKS[..2], WINDOW, scene);
}

fn look_so(
    name: &str,
    looks: &[(Language, &str, Scheme, &str)],
    size: Size,
    scene: impl Fn(Scene) -> Scene,
) {
    let mut differ = Vec::new();
    for (language, tag, scheme, word) in looks {
        let scene = scene(Scene::new(*language, *scheme));
        let settings = look::settings("ramal-registry-gui");
        let mut window = Simulator::with_size(settings, size, scene.app.view());
        let snapshot = window.snapshot(&scene.app.theme()).unwrap();
        let name = format!("{name}-{tag}-{word}");
        if let Some(folder) = std::env::var_os("RAMAL_PICTURES") {
            let path = PathBuf::from(folder).join(&name);
            let _ = std::fs::remove_file(path.with_file_name(format!("{name}-tiny-skia.png")));
            snapshot.matches_image(path).unwrap();
        }
        let kept = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("snapshots");
        if !snapshot.matches_hash(kept.join(&name)).unwrap() {
            differ.push(name);
        }
    }
    assert!(differ.is_empty(), "these look different now: {differ:?}");
}

/// The same in the smallest window.
fn looks_as_before_where_it_is_small(name: &str, scene: impl Fn(Scene) -> Scene) {
    look_so(name, &LOOKS[..2], WINDOW_MIN, |it| {
        let mut it = scene(it);
        it.say(Message::Resized(WINDOW_MIN));
        it
    });
}

fn users_pressed(mut scene: Scene, message: users::Message) -> Scene {
    scene.say(Message::Users(message));
    scene
}

#[test]
fn the_users_look_as_they_did() {
    look_as_before("users", |it| it.open().pulses().users(scene::users(40)));
    part_looks_as_before("users-alarms", |it| {
        let wrong = [
            Warning::NotKept("No space left on device (os error 28)".to_owned()),
            Warning::ClockDoubted,
            Warning::NotAnnounced("no network".to_owned()),
        ];
        let it = it.open().pulses().users(scene::users(40));
        it.warnings(&wrong)
    });
    look_as_before("users-person", |it| {
        it.open().pulses().users(scene::users(40)).chosen(1)
    });
    part_looks_as_before("users-absent", |it| {
        it.open().pulses().users(scene::users(40)).chosen(3)
    });
    part_looks_as_before("users-ban", |it| {
        let it = it.open().pulses().users(scene::users(40)).chosen(0);
        users_pressed(it, users::Message::BanPressed)
    });
    part_looks_as_before("users-closed", |it| it);
    part_looks_as_before("users-nobody", Scene::open);
    part_looks_as_before("users-unfound", |it| {
        let typed = users::Message::SearchTyped("zoe".to_owned());
        users_pressed(it.open(), typed)
    });
}

#[test]
fn the_bans_look_as_they_did() {
    let bans = |it: Scene| it.go(Place::Bans).open();
    look_as_before("bans", |it| {
        let mut it = bans(it).bans(scene::bans());
        it.say(Message::Bans(bans::Message::Typed("mallory".to_owned())));
        it
    });
    part_looks_as_before("bans-none", bans);
    part_looks_as_before("bans-unban", |it| {
        let mut it = bans(it).bans(scene::bans());
        it.say(Message::Bans(bans::Message::UnbanPressed(
            scene::bans().remove(1),
        )));
        it
    });
}

#[test]
fn the_plots_look_as_they_did() {
    look_as_before("activity", |it| it.go(Place::Activity).open().pulses());
    part_looks_as_before("activity-empty", |it| it.go(Place::Activity));
}

#[test]
fn the_log_looks_as_it_did() {
    let log = |it: Scene| it.go(Place::Log).open().pulses();
    look_as_before("log", |it| log(it).lines(scene::lines(500)));
    part_looks_as_before("log-empty", log);
    part_looks_as_before("log-export", |it| {
        let mut it = log(it).lines(scene::lines(500));
        it.say(Message::Log(log::Message::ExportPressed));
        it
    });
    part_looks_as_before("log-exported", |it| {
        let mut it = log(it).lines(scene::lines(500));
        let path = "/home/ana/.local/share/ramal/registry/log-2026-11-21-103107Z.txt";
        let done = log::Exported::Done(path.into(), 500);
        it.say(Message::Log(log::Message::Exported(done)));
        it
    });
    part_looks_as_before("log-paused", |it| {
        let mut it = log(it).lines(scene::lines(30));
        it.say(Message::Log(log::Message::PausePressed));
        it.say(Message::Log(log::Message::KindsChosen(Kinds::Received)));
        it.say(Message::Log(log::Message::LineChosen(6)));
        it.lines(scene::lines(7))
    });
}

#[test]
fn settings_and_first_steps_look_as_they_did() {
    // All of them, which are more than a window shows.
    let high = Size::new(WINDOW.width, 1000.0);
    look_so("settings", &LOOKS, high, |it| {
        it.go(Place::Settings).open().pulses()
    });
    part_looks_as_before("help-closed", |it| it.go(Place::Help));
    look_as_before("help-first", |it| {
        let it = it.go(Place::Help);
        it.phase(Phase::Open(scene::facts(KeyIs::First)))
    });
}

#[test]
fn what_goes_wrong_looks_as_it_did() {
    look_as_before("failed-port", |it| {
        it.failed(OpenError::PortTaken(scene::at("0.0.0.0:5000")))
    });
    part_looks_as_before("failed-in-use", |it| {
        let path = "/home/ana/.local/share/ramal/registry/names.redb".into();
        it.failed(OpenError::Store(embedded::OpenError::InUse(path)))
    });
    part_looks_as_before("failed-exposed", |it| {
        let exposed = registry::keyfile::Exposed::Folder {
            path: "/home/ana/.local/share/ramal/registry".into(),
            mode: 0o755,
        };
        let error = io::Error::from(exposed);
        it.failed(OpenError::Folder("/home/ana".into(), error))
    });
    part_looks_as_before("wrong-port", |mut it| {
        it.say(Message::Door(door::Message::PortTyped("70000".to_owned())));
        it.say(Message::Door(door::Message::OpenPressed));
        it
    });
}

#[test]
fn the_smallest_window_looks_as_it_did() {
    let open = |it: Scene| it.open().pulses().users(scene::users(40));
    looks_as_before_where_it_is_small("small-users", open);
    looks_as_before_where_it_is_small("small-person", |it| open(it).chosen(1));
    looks_as_before_where_it_is_small("small-alarms", |it| {
        let wrong = [
            Warning::NotKept("No space left on device (os error 28)".to_owned()),
            Warning::ClockDoubted,
        ];
        open(it).warnings(&wrong)
    });
    looks_as_before_where_it_is_small("small-log", |it| {
        open(it).go(Place::Log).lines(scene::lines(500))
    });
    looks_as_before_where_it_is_small("small-log-line", |it| {
        let from = "[2001:db8:85a3:8d3:1319:8a2e:370:7344]:51234";
        let contacts = [from, "192.168.15.7:40000", "10.8.0.3:40000"].join(", ");
        let long = format!(
            "#500 Register a-name-as-long-as-names-may-be-x device=9c2f01aa \
             contacts=[{contacts}] expires=60s cseq=7 {}",
            "and more ".repeat(50)
        );
        let line = Line::new(scene::CLOCK, What::Received(scene::at(from)), &long);
        let mut it = open(it).go(Place::Log).lines(scene::lines(9));
        it = it.lines([line]);
        it.say(Message::Log(log::Message::LineChosen(9)));
        it
    });
    looks_as_before_where_it_is_small("small-bans", |it| {
        open(it).go(Place::Bans).bans(scene::bans())
    });
    looks_as_before_where_it_is_small("small-activity", |it| open(it).go(Place::Activity));
    looks_as_before_where_it_is_small("small-help", |it| open(it).go(Place::Help));
    looks_as_before_where_it_is_small("small-failed", |it| {
        let path = "/home/ana/.local/share/ramal/registry/names.redb".into();
        it.failed(OpenError::Store(embedded::OpenError::InUse(path)))
    });
    looks_as_before_where_it_is_small("small-settings", |it| open(it).go(Place::Settings));
}

#[test]
fn closing_looks_as_it_did() {
    part_looks_as_before("closing", |it| it.open().pulses().closing());
    part_looks_as_before("leave", |it| {
        let mut it = it.open().pulses().users(scene::users(40));
        let _commands = it.connect();
        it.say(Message::CloseRequested);
        it
    });
    part_looks_as_before("leaving", |it| {
        let mut it = it.open().pulses().users(scene::users(40));
        let _commands = it.connect();
        it.say(Message::CloseRequested);
        it.say(Message::LeaveConfirmed);
        it.closing()
    });
    part_looks_as_before("closed-cut", |it| {
        it.phase(Phase::Ended {
            closed: Closed {
                finished: 12,
                cut: 1,
            },
        })
    });
    part_looks_as_before("done", |mut it| {
        let name: Name = "bob".parse().unwrap();
        it.seen.told = std::sync::Arc::new(vec![Told {
            number: 1,
            what: Ok(Done::Released(name)),
        }]);
        let mut users = scene::users(4);
        users[0].devices[0].presence = Presence::Away;
        it.open().pulses().users(users)
    });
}
