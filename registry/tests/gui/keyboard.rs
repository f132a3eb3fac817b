//! What a keyboard reaches, and what it does there.

use iced::{
    Event,
    keyboard::{self, key::Named},
};
use iced_test::{Simulator, selector::Candidate, simulator::press_key};
use registry::gui::{
    Message, Place, WINDOW_MIN, bans,
    host::{Command, Sight},
    lines::{Line, What},
    log, users,
};

use crate::{
    scene::{self, Scene},
    screens::{control, escape, shows, window},
};

#[test]
fn keys_lead_to_every_place() {
    let mut scene = Scene::english().open();
    for (digit, title) in [
        ("2", "No bans"),
        ("3", "Nothing to plot yet"),
        ("4", "Nothing in the log yet"),
        ("5", "Longest lease"),
        ("6", "Give this address to others"),
        ("1", "Nobody is registered yet"),
    ] {
        control(&mut scene, digit);
        assert!(shows(&scene, title), "{digit}: {title}");
    }
}

#[test]
fn tab_reaches_everything_that_can_be_pressed() {
    let scene = Scene::english().open().users(scene::users(3));
    let mut window = window(&scene.app);
    let tab = || press_key(keyboard::Key::Named(Named::Tab), None);
    let enter = || press_key(keyboard::Key::Named(Named::Enter), None);
    for _ in 0..40 {
        let events: [Event; 2] = [tab(), enter()];
        window.simulate(events);
    }
    let messages: Vec<String> = window.into_messages().map(|it| format!("{it:?}")).collect();
    for reached in [
        "ClosePressed",
        "CopyPressed",
        "Go(Log)",
        "ShownChosen(All)",
        "SortPressed",
    ] {
        let found = messages.iter().any(|it| it.contains(reached));
        assert!(found, "{reached}: {messages:#?}");
    }
}

/// What is said when `key` is pressed where Tab leads to, wherever that is first anything of which
/// `said` holds.
fn pressed_by_tab(scene: &Scene, key: Named, said: impl Fn(&Message) -> bool) -> Message {
    let press = |key| press_key(keyboard::Key::Named(key), None);
    for tabs in 1..60 {
        let mut window = window(&scene.app);
        for _ in 0..tabs {
            window.simulate([press(Named::Tab)]);
        }
        window.simulate([press(key)]);
        if let Some(message) = window.into_messages().find(&said) {
            return message;
        }
    }
    panic!("{key:?} says nothing like that")
}

#[test]
fn a_ban_is_found_and_lifted_with_the_keyboard_alone() {
    let mut scene = Scene::english().go(Place::Bans).open().bans(scene::bans());
    let mut commands = scene.connect();
    while commands.try_recv().is_ok() {}
    let is_chosen = |it: &Message| matches!(it, Message::Bans(bans::Message::Chosen(_)));
    for _ in 0..2 {
        let chosen = pressed_by_tab(&scene, Named::ArrowDown, is_chosen);
        scene.say(chosen);
    }
    // On the row, and on its button.
    let is_unban = |it: &Message| matches!(it, Message::Bans(bans::Message::UnbanPressed(_)));
    for key in [Named::Enter, Named::Space] {
        let unban = pressed_by_tab(&scene, key, is_unban);
        scene.say(unban);
        assert!(shows(&scene, "Lift the ban of admin?"));
        escape(&mut scene);
        assert!(!shows(&scene, "Lift the ban of admin?"));
    }
    assert!(commands.try_recv().is_err());
}

/// Whether Tab leads, in the smallest window, to something that the key End scrolls.
fn is_scrolled_by_key(scene: &Scene) -> bool {
    let press = |key| press_key(keyboard::Key::Named(key), None);
    let settings = look::settings("ramal-registry-gui");
    let mut window = Simulator::with_size(settings, WINDOW_MIN, scene.app.view());
    (0..60).any(|_| {
        window.simulate([press(Named::Tab), press(Named::End)]);
        let scrolled = window.find(|candidate: Candidate<'_>| match candidate {
            Candidate::Scrollable { translation, .. } => (translation.y > 0.0).then_some(()),
            _ => None,
        });
        scrolled.is_ok()
    })
}

#[test]
fn what_is_higher_than_the_window_is_scrolled_by_key_where_nothing_in_it_can_be_pressed() {
    let mut scene = Scene::english().go(Place::Activity).open().pulses();
    scene.say(Message::Resized(WINDOW_MIN));
    assert!(is_scrolled_by_key(&scene));
}

#[test]
fn a_line_however_long_is_read_and_copied_with_the_keyboard_alone() {
    let end = "and here it ends";
    let long = format!("{}{end}", "a word ".repeat(270));
    let line = Line::new(scene::CLOCK, What::Note, &long);
    let mut scene = Scene::english().go(Place::Log).open().lines([line]);
    scene.say(Message::Resized(WINDOW_MIN));
    let is_line = |it: &Message| matches!(it, Message::Log(log::Message::LineChosen(_)));
    let chosen = pressed_by_tab(&scene, Named::ArrowDown, is_line);
    scene.say(chosen);
    assert!(is_scrolled_by_key(&scene));
    let is_copy = |it: &Message| matches!(it, Message::Log(log::Message::CopyPressed));
    let copy = pressed_by_tab(&scene, Named::Enter, is_copy);
    scene.say(copy);
    assert!(shows(&scene, "Copied. Paste it where you need it."));
}

#[test]
fn arrows_go_through_all_rows_also_those_of_somebody_with_two_phones() {
    let mut scene = Scene::english().open().users(scene::users(4));
    let mut went_by = Vec::new();
    for _ in 0..5 {
        let is_row = |it: &Message| matches!(it, Message::Users(users::Message::RowPressed { .. }));
        let message = pressed_by_tab(&scene, Named::ArrowDown, is_row);
        if let Message::Users(users::Message::RowPressed { name, .. }) = &message {
            went_by.push(name.to_string());
        }
        scene.say(message);
    }
    let names = ["alice", "ana.souza", "ana.souza", "bob", "carol"];
    assert_eq!(went_by, names);
}

#[test]
fn a_row_is_whoever_was_in_it_when_it_was_pressed() {
    let mut scene = Scene::english().open().users(scene::users(12));
    let mut commands = scene.connect();
    let is_row = |it: &Message| matches!(it, Message::Users(users::Message::RowPressed { .. }));
    let pressed = pressed_by_tab(&scene, Named::ArrowDown, is_row);
    // Others come before them, and only then the window hears of it.
    let mut scene = scene.users(scene::users(12).split_off(4));
    while commands.try_recv().is_ok() {}
    scene.say(pressed);
    let Ok(Command::LookAt(Sight::Users { chosen, .. })) = commands.try_recv() else {
        panic!("nobody is looked at")
    };
    assert_eq!(chosen, Some("alice".parse().unwrap()));
}

#[test]
fn keys_do_nothing_behind_a_question_but_close_the_window() {
    let mut scene = Scene::english().go(Place::Bans).open().bans(scene::bans());
    let mut commands = scene.connect();
    let ban = scene::bans().remove(1);
    scene.say(Message::Bans(bans::Message::UnbanPressed(ban)));
    while commands.try_recv().is_ok() {}
    for letter in ["1", "4", "o", "f"] {
        control(&mut scene, letter);
        assert!(shows(&scene, "Lift the ban of admin?"), "{letter}");
    }
    assert!(commands.try_recv().is_err());
    control(&mut scene, "q");
    assert!(matches!(commands.try_recv(), Ok(Command::End)));
}
