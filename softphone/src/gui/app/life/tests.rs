//! Phones that begin, leave their profile, and end, as the window goes along with them.

use std::sync::Arc;

use iced::{
    Task,
    futures::{FutureExt, StreamExt},
};
use iced_test::runtime::{self, task::into_stream};
use tokio::sync::mpsc;

use super::*;
use crate::{
    audio,
    engine::{self, Command},
    gui::{
        identity, keep,
        line::{Failure, News, Parcel, Up},
        notices,
        pictures::check,
        tests::{WINDOW, app, bob, click, config, host, sees, signed_in},
    },
    phone::{self, Callers},
    settings::{
        ProfileError,
        preferences::{Language, MayCall, Place},
    },
};

/// Whether the program ends with this.
fn exits(task: Task<Message>) -> bool {
    let Some(mut stream) = into_stream(task) else {
        return false;
    };
    while let Some(Some(action)) = stream.next().now_or_never() {
        if matches!(action, runtime::Action::Exit) {
            return true;
        }
    }
    false
}

fn hear(app: &mut App, news: News) -> Task<Message> {
    app.update(Message::Line(app.phones, news))
}

fn stop() -> News {
    let stop = Command::Phone(phone::Command::Stop);
    News::Event(engine::Event::Commanded(stop))
}

/// What the phone that runs is told from now on.
fn commanded(app: &mut App) -> mpsc::Receiver<Command> {
    let (commands, told) = mpsc::channel(16);
    let up = Up {
        commands,
        listening: None,
        views: engine::Views::of(Board::clone(&app.world.board)),
        shows_levels: Arc::default(),
        recovery: None,
        broke_off: false,
    };
    let _ = hear(app, News::Up(Parcel::new(up)));
    told
}

/// Leaves the profile for a while, and comes back with this.
fn works(app: &mut App, done: Result<Outcome, identity::Problem>) {
    let kind = identity::Kind::Rotate;
    let _ = app.update(Message::Settings(settings::Message::WorkPressed(kind)));
    let phone = app.phone.as_mut().unwrap();
    (phone.up, phone.paused) = (None, true);
    let done = identity::Message::Done(done);
    let _ = app.update(Message::Settings(settings::Message::Work(done)));
}

#[test]
fn a_phone_that_another_program_ended_ends_the_program_with_and_without_a_window() {
    for has_window in [true, false] {
        let config = config(Language::English);
        let mut app = signed_in(&config, Place::People);
        app.window = app.window.filter(|_| has_window);
        let _ = hear(&mut app, stop());
        assert!(exits(hear(&mut app, News::Over)));
        assert!(app.sign_in.is_none());
    }
}

#[test]
fn a_phone_that_ends_by_itself_is_said_in_a_window_even_if_there_was_none() {
    let disk = || News::Failed(Arc::new(Failure::Profile(ProfileError::NoRandomness)));
    for (news, title) in [
        (News::Over, "The phone has ended"),
        (disk(), "No keys can be made"),
    ] {
        let config = config(Language::English);
        let mut app = signed_in(&config, Place::People);
        app.window = None;
        assert!(!exits(hear(&mut app, news)));
        assert!(app.window.is_some() && app.phone.is_none());
        let trouble = app.sign_in.as_ref().and_then(|it| it.trouble.clone());
        let said = trouble.unwrap().said(&app.world.texts);
        assert_eq!(said.title, title);
        assert!(sees(&app, &said.title) && sees(&app, &said.text));
    }
}

#[test]
fn a_phone_that_comes_back_is_as_it_was_set_since_it_began() {
    let config = config(Language::English);
    let mut app = signed_in(&config, Place::Settings);
    app.options.input = Some(audio::Input::Silence);
    for change in [
        Change::Callers(MayCall::Nobody),
        Change::Publish(false),
        Change::Input(Some("pulseaudio:usb".to_owned())),
    ] {
        let _ = app.update(Message::Settings(settings::Message::Set(change)));
    }
    let board = Arc::make_mut(&mut app.world.board);
    (board.away, board.dnd) = (true, true);
    works(
        &mut app,
        Ok(Outcome::Changed(bob(), "7f3c".to_owned(), None)),
    );
    let phone = app.phone.as_ref().unwrap();
    let start = &phone.wanted.start;
    assert_eq!(start.settings.callers, Callers::Nobody);
    assert!(start.settings.dnd && !start.settings.publish);
    let usb = audio::Input::Device("pulseaudio:usb".to_owned());
    assert_eq!(start.input, usb);
    assert_eq!(phone.wanted.number, app.phones);
    assert!(app.world.board.dnd && app.world.board.callers == Callers::Nobody);
    let mut told = commanded(&mut app);
    assert_eq!(
        told.try_recv(),
        Ok(Command::Phone(phone::Command::Away(true)))
    );
}

#[test]
fn a_name_that_was_given_up_is_not_claimed_at_the_next_start() {
    let config = config(Language::English);
    drop(profile::Profile::open(config.path(), bob(), 1).unwrap());
    let mut app = signed_in(&config, Place::Settings);
    app.keep_now();
    assert!(preferences::read(config.path(), &bob()).value.signed_in);
    works(&mut app, Ok(Outcome::Released(bob())));
    assert!(!preferences::read(config.path(), &bob()).value.signed_in);
    click(&mut app, "Close");
    assert!(app.phone.is_none());
}

/// Bob was signed in, and what he had set is damaged.
fn with_damaged_settings(language: Language) -> (tempfile::TempDir, App) {
    let config = config(language);
    drop(profile::Profile::open(config.path(), bob(), 1).unwrap());
    profile::set_last_name(config.path(), &bob()).unwrap();
    let path = profile::folder_of(config.path(), &bob()).join("preferences");
    registry::keyfile::write(&path, b"{").unwrap();
    let app = app(&config);
    (config, app)
}

#[test]
fn damaged_settings_are_said_at_the_door_and_above_the_screens_until_that_is_read() {
    let (config, mut app) = with_damaged_settings(Language::English);
    let aside = profile::folder_of(config.path(), &bob()).join("preferences.damaged");
    assert_eq!(app.damaged.as_ref(), Some(&aside));
    assert_eq!(std::fs::read(&aside).unwrap(), b"{");
    let said = format!(
        "Your settings could not be read and are as at the first start. The old ones are in {}.",
        aside.display()
    );
    assert!(sees(&app, &said));
    app.run_as(bob(), host());
    let _ = hear(
        &mut app,
        News::Event(engine::Event::Phone(phone::Event::Registered)),
    );
    assert!(app.sign_in.is_none() && sees(&app, &said));
    // It is not forgotten by a phone that comes back.
    works(&mut app, Ok(Outcome::Changed(bob(), String::new(), None)));
    let phone = app.phone.as_mut().unwrap();
    assert!(phone.notices.view(&app.world.cx()).is_some());
    let read = notices::Message::Read(notices::Notice::Damaged);
    let _ = app.update(Message::Notices(read));
    assert!(!sees(&app, &said) && app.damaged.is_none());
}

#[test]
fn damaged_looks_are_said_too() {
    let config = config(Language::English);
    registry::keyfile::write(&config.path().join(".appearance"), b"[").unwrap();
    let app = app(&config);
    assert_eq!(app.damaged, Some(config.path().join(".appearance.damaged")));
}

#[test]
fn what_was_set_just_before_the_phone_ended_is_kept() {
    let config = config(Language::English);
    drop(profile::Profile::open(config.path(), bob(), 1).unwrap());
    let mut app = signed_in(&config, Place::Settings);
    let nobody = Change::Callers(MayCall::Nobody);
    let _ = app.update(Message::Settings(settings::Message::Set(nobody)));
    let _ = hear(&mut app, News::Over);
    let kept = preferences::read(config.path(), &bob()).value;
    assert_eq!(kept.callers, MayCall::Nobody);
    // Whoever signs out is not signed in again by what was set before.
    let mut app = signed_in(&config, Place::Settings);
    let _ = app.update(Message::Settings(settings::Message::SignOutPressed));
    let _ = app.update(Message::Kept(keep::Message::Due));
    assert!(!preferences::read(config.path(), &bob()).value.signed_in);
}

#[test]
fn damaged_settings_at_the_door_look_as_they_did() {
    for (tag, language) in [
        ("en", Language::English),
        ("pt", Language::BrazilianPortuguese),
    ] {
        let (_config, mut app) = with_damaged_settings(language);
        app.damaged = Some("/home/bob/.config/ramal/bob/preferences.damaged".into());
        check(&format!("sign-in-damaged-{tag}"), WINDOW, || app.screen());
    }
}
