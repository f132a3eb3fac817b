//! A window with as much in it as it may have: 2,000 people in the list and 10,000 lines in the
//! log. What a picture costs is printed (`--nocapture`); what is asserted is that it does not grow
//! with what is not in view.

#![cfg(test)]
#![allow(clippy::print_stdout)]

use std::sync::Arc;

use codec::registry::Presence;
use iced::{Event, Point, Size};
use iced_test::selector::{Candidate, Target};
use look::frames::{Screen, wheel};

use super::{
    App, Message,
    fixture::name,
    line::News,
    log::{self, tests::journal},
    people,
    tests::{config, signed_in},
};
use crate::{
    journal::LINES_MAX,
    roster::{Entry, Roster},
    settings::preferences::{Language, Place},
};

const WINDOW: Size<u32> = Size::new(960, 680);

/// So many pictures are drawn for each figure.
const PICTURES: usize = 20;

/// What some pictures cost, each after `change`.
fn pictures(what: &str, app: &mut App, events: &[Event], change: impl Fn(&mut App, usize)) {
    let window = app.window.unwrap();
    let theme = app.theme(window);
    let mouse = Point::new(300.0, 400.0);
    let figures = Screen::new(WINDOW).figures(
        app,
        |app| app.view(window),
        &theme,
        (events, mouse),
        PICTURES,
        change,
    );
    println!("{what}: {figures}");
}

/// How many texts are built.
fn texts(app: &App) -> usize {
    let view = app.view(app.window.unwrap());
    let mut shown = super::pictures::shown(view, Size::new(960.0, 680.0));
    let mut count = 0;
    let _ = shown.find(|candidate: Candidate<'_>| -> Option<Target> {
        count += usize::from(matches!(candidate, Candidate::Text { .. }));
        None
    });
    count
}

#[test]
fn a_list_of_2000_people_builds_only_what_is_in_view() {
    let config = config(Language::English);
    let mut app = signed_in(&config, Place::People);
    let entries = (0..2_000).map(|number| {
        Arc::new(Entry {
            name: name(&format!("user{number:04}")),
            presence: Presence::Available,
            contacts: vec!["192.0.2.7:40000".parse().unwrap()],
        })
    });
    let full = Roster {
        entries: entries.collect(),
        complete: true,
        ..Roster::default()
    };
    app.world.roster = Arc::new(full.clone());
    let typed = |app: &mut App, text: String| {
        let _ = app.update(Message::People(people::Message::Typed(text)));
    };
    typed(&mut app, String::new());
    let count = texts(&app);
    println!("2000 people: {count} texts");
    assert!((20..200).contains(&count), "{count} texts");
    pictures("2000 people, told anew", &mut app, &[], |app, _| {
        app.world.roster = Arc::new(full.clone());
        let _ = app.update(Message::Line(1, News::Changed));
    });
    pictures("2000 people, scrolled", &mut app, &[wheel()], |_, _| {});
    pictures("2000 people, typed into", &mut app, &[], |app, at| {
        typed(app, "user".repeat(1 + at % 2));
    });
}

#[test]
fn a_full_log_builds_only_what_is_in_view() {
    let config = config(Language::English);
    let mut app = signed_in(&config, Place::Log);
    app.world.journal = journal(LINES_MAX as u64);
    let count = texts(&app);
    println!("{LINES_MAX} lines: {count} texts");
    assert!((20..400).contains(&count), "{count} texts");
    let what = format!("{LINES_MAX} lines");
    pictures(
        &format!("{what}, scrolled"),
        &mut app,
        &[wheel()],
        |_, _| {},
    );
    pictures(&format!("{what}, typed into"), &mut app, &[], |app, at| {
        let typed = log::Message::Typed(format!("#{at}"));
        let _ = app.update(Message::Log(typed));
    });
}
