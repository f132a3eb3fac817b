//! The log as a person reads and filters it.

use std::time::{Duration, Instant};

use super::*;
use crate::{
    gui::fixture::{NOON, World, check, languages, shown},
    settings::preferences::Language,
};

pub(in crate::gui) fn journal(count: u64) -> Arc<Journal> {
    let mut journal = Journal::default();
    for number in 0..count {
        let phone = With::Phone("192.168.0.12:40312".parse().expect("an address"));
        let (way, with, text) = match number % 4 {
            0 => (
                Way::Sent,
                With::Registry,
                format!("Register alice #{number}"),
            ),
            1 => (
                Way::Received,
                With::Registry,
                "Registered for 60 s".to_owned(),
            ),
            2 => (
                Way::Received,
                phone,
                "Envelope bob -> alice: Invite".to_owned(),
            ),
            _ => (Way::Note, With::Here, "bob calls".to_owned()),
        };
        journal.write(NOON + number * 250, way, with, text);
    }
    Arc::new(journal)
}

fn log() -> Log {
    Log {
        zone: TimeZone::UTC,
        ..Log::default()
    }
}

fn world(count: u64) -> World {
    let mut world = World::new(Language::English);
    world.journal = journal(count);
    world
}

#[test]
fn lines_are_filtered_by_text_and_by_way() {
    let world = world(100);
    let mut log = log();
    let _ = log.update(Message::Typed("INVITE".to_owned()), &world.cx());
    assert_eq!(log.count(&world.journal), 25);
    let _ = log.update(Message::ShowPressed(Show::Sent), &world.cx());
    assert_eq!(log.count(&world.journal), 0);
    let cx = world.cx();
    let mut ui = shown(log.view(&cx));
    ui.click("Empty the filter").expect("a next step");
    let message = ui.into_messages().next().expect("something");
    let _ = log.update(message, &cx);
    assert_eq!(log.count(&world.journal), 100);
}

#[test]
fn a_filter_goes_on_with_lines_that_come_and_lets_old_ones_go() {
    let mut world = world(9_999);
    let mut log = log();
    let _ = log.update(Message::Typed("calls".to_owned()), &world.cx());
    assert_eq!(log.count(&world.journal), 2_499);
    world.journal = journal(10_100);
    log.refresh(&world.cx());
    let cx = world.cx();
    assert_eq!(log.count(&world.journal), cx.journal.len() / 4);
    let first = log.line(cx.journal, 0).expect("a line");
    assert!(first.number > 90 && first.text == "bob calls", "{first:?}");
}

#[test]
fn a_paused_log_stands_still_and_says_how_much_is_new() {
    let mut world = world(4);
    let mut log = log();
    let _ = log.update(Message::PausePressed, &world.cx());
    world.journal = journal(9);
    log.refresh(&world.cx());
    let cx = world.cx();
    assert_eq!(log.count(log.journal(&cx)), 4);
    let mut ui = shown(log.view(&cx));
    ui.find("Paused. 5 new lines").expect("how many");
}

#[test]
fn what_is_copied_is_what_is_shown() {
    let world = world(100);
    let mut log = log();
    let _ = log.update(Message::Typed("#96".to_owned()), &world.cx());
    let Action::Copy(all) = log.update(Message::CopyAllPressed, &world.cx()) else {
        panic!("nothing was copied");
    };
    assert_eq!(all, "12:00:24.000 -> Registry Register alice #96\n");
}

#[test]
fn ten_thousand_lines_are_filtered_in_no_time() {
    let world = world(10_000);
    let mut log = log();
    let before = Instant::now();
    let _ = log.update(Message::Typed("invite".to_owned()), &world.cx());
    // Once, for all of them; each later refresh looks at the new ones only.
    assert!(before.elapsed() < Duration::from_secs(2));
    assert_eq!(log.count(&world.journal), 2_500);
    let cx = world.cx();
    let mut ui = shown(log.view(&cx));
    ui.find("2500 lines").expect("how many");
}

#[test]
fn screens_look_as_they_did() {
    for (tag, language) in languages() {
        let mut world = World::new(language);
        let mut log = log();
        check("log-empty", tag, || log.view(&world.cx()));
        world.journal = journal(40);
        let _ = log.update(Message::LineChosen(Some(3)), &world.cx());
        check("log", tag, || log.view(&world.cx()));
        let _ = log.update(Message::PausePressed, &world.cx());
        let _ = log.update(Message::Typed("nothing like it".to_owned()), &world.cx());
        check("log-nothing", tag, || log.view(&world.cx()));
    }
}
