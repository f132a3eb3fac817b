//! What can be done on each screen: where it works, where there is nothing, where it fails.

use std::{os::unix::fs::PermissionsExt, time::Duration};

use iced::keyboard::{self, key::Named};
use iced_test::{Simulator, simulator::press_key};
use registry::{
    desk::{Done, Failed, Shown, Sort, Subject},
    event::Warning,
    gui::{
        App, Message, Place, Start, WINDOW, bans, door,
        host::{self, Act, Command, Hosting, Phase, Sight, Told},
        journal::Journal,
        lines::{Kinds, LINES_MAX, LOOKED_AT_ONCE, Line, What},
        log,
        preferences::Preferences,
        users,
    },
    operate::OpenError,
};

use crate::scene::{self, Scene};

pub(crate) fn window(app: &App) -> Simulator<'_, Message> {
    Simulator::with_size(look::settings("ramal-registry-gui"), WINDOW, app.view())
}

/// Clicks what says `words`, and does what follows.
pub(crate) fn click(scene: &mut Scene, words: &str) {
    let messages: Vec<Message> = {
        let mut window = window(&scene.app);
        let clicked = window.click(words);
        clicked.unwrap_or_else(|error| panic!("{words}: {error}"));
        window.into_messages().collect()
    };
    assert!(!messages.is_empty(), "{words} does nothing");
    messages.into_iter().for_each(|it| scene.say(it));
}

/// Whether pressing what says `words` does anything.
pub(crate) fn does_something(scene: &Scene, words: &str) -> bool {
    let mut window = window(&scene.app);
    window.click(words).is_ok() && window.into_messages().next().is_some()
}

pub(crate) fn shows(scene: &Scene, words: &str) -> bool {
    window(&scene.app).find(words).is_ok()
}

pub(crate) fn escape(scene: &mut Scene) {
    let messages: Vec<Message> = {
        let mut window = window(&scene.app);
        window.simulate([press_key(keyboard::Key::Named(Named::Escape), None)]);
        window.into_messages().collect()
    };
    match messages.is_empty() {
        // What nothing takes comes by the subscription.
        true => {
            let key = keyboard::Key::Named(Named::Escape);
            scene.say(Message::Key(key, keyboard::Modifiers::empty()));
        }
        false => messages.into_iter().for_each(|it| scene.say(it)),
    }
}

pub(crate) fn control(scene: &mut Scene, letter: &str) {
    let key = keyboard::Key::Character(letter.into());
    scene.say(Message::Key(key, keyboard::Modifiers::CTRL));
}

#[test]
fn the_registry_is_opened_where_a_person_typed() {
    let mut scene = Scene::english();
    let mut commands = scene.connect();
    scene.say(Message::Door(door::Message::IpTyped(
        "127.0.0.1".to_owned(),
    )));
    scene.say(Message::Door(door::Message::PortTyped("6000".to_owned())));
    click(&mut scene, "Open");
    let opened = std::iter::from_fn(|| commands.try_recv().ok()).find_map(|it| match it {
        Command::Open(options) => Some(options.listen),
        _ => None,
    });
    assert_eq!(opened, Some(scene::at("127.0.0.1:6000")));
}

#[test]
fn where_to_listen_this_time_is_not_remembered_for_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let (data, given) = (folder.path().join("registry"), scene::at("127.0.0.1:6000"));
    let start = Start {
        data: data.clone(),
        listen: Some(given),
        open: false,
        found: Preferences::load(&data),
        zone: jiff::tz::TimeZone::UTC,
        hosting: Hosting::default(),
    };
    let opened = |typed: Option<&str>| {
        let (mut app, _) = App::new(&start);
        let (commands, mut queue) = tokio::sync::mpsc::channel(8);
        let ready = host::Event::Ready(commands, Journal::default());
        let _ = app.update(Message::Host(ready));
        if let Some(port) = typed {
            let typed = door::Message::PortTyped((*port).to_owned());
            let _ = app.update(Message::Door(typed));
        }
        let _ = app.update(Message::Door(door::Message::OpenPressed));
        let _ = app.update(Message::Host(host::Event::Ended));
        let _ = app.update(Message::CloseRequested);
        let listens = std::iter::from_fn(|| queue.try_recv().ok()).find_map(|it| match it {
            Command::Open(options) => Some(options.listen),
            _ => None,
        });
        (listens, Preferences::load(&data).preferences.listen)
    };
    let usual = Preferences::default().listen;
    assert_eq!(opened(None), (Some(given), usual));
    // What a person types is theirs.
    let typed = scene::at("127.0.0.1:6001");
    assert_eq!(opened(Some("6001")), (Some(typed), typed));
}

#[test]
fn a_wrong_port_opens_nothing_and_says_what_to_type() {
    let mut scene = Scene::english();
    let mut commands = scene.connect();
    while commands.try_recv().is_ok() {}
    scene.say(Message::Door(door::Message::PortTyped("70000".to_owned())));
    control(&mut scene, "o");
    assert!(commands.try_recv().is_err());
    assert!(shows(&scene, "Type a port from 1 to 65535"));
}

#[test]
fn an_open_registry_is_closed_and_its_address_cannot_be_typed_over() {
    let mut scene = Scene::english().open();
    let mut commands = scene.connect();
    while commands.try_recv().is_ok() {}
    assert!(shows(&scene, "192.168.15.7:5000"));
    click(&mut scene, "Close");
    assert!(matches!(commands.try_recv(), Ok(Command::Close)));
    let typed: Vec<Message> = {
        let mut window = window(&scene.app);
        window.click("0.0.0.0").ok();
        window.typewrite("9");
        window.into_messages().collect()
    };
    assert!(typed.is_empty(), "{typed:?}");
}

#[test]
fn while_it_closes_a_person_is_told_and_need_not_wait() {
    let mut scene = Scene::english().open().closing();
    let mut commands = scene.connect();
    while commands.try_recv().is_ok() {}
    assert!(!does_something(&scene, "Closing"));
    click(&mut scene, "Close at once");
    assert!(matches!(commands.try_recv(), Ok(Command::CutShort)));
}

#[test]
fn every_error_of_opening_says_what_happened_and_is_tried_again() {
    for (error, says) in scene::errors() {
        let mut scene = Scene::english().failed(error);
        let mut commands = scene.connect();
        while commands.try_recv().is_ok() {}
        let shown = scene::texts_of(&scene.app);
        let all = shown.join("\n");
        assert!(all.contains(says), "{says}: {all}");
        click(&mut scene, "Try again");
        let again = std::iter::from_fn(|| commands.try_recv().ok());
        assert!(again.into_iter().any(|it| matches!(it, Command::Open(_))));
    }
}

#[test]
fn a_second_start_says_that_the_registry_runs_already() {
    let path = "/var/lib/ramal/names.redb".into();
    let in_use = registry::store::embedded::OpenError::InUse(path);
    let scene = Scene::english().failed(OpenError::Store(in_use));
    let shown = scene::texts_of(&scene.app).join("\n");
    assert!(shown.contains("A registry already runs with this folder."));
    assert!(shown.contains("Use that one, or close it first."));
}

#[test]
fn users_are_found_as_one_types_and_sorted_by_a_click() {
    let mut scene = Scene::english().open().users(scene::users(20));
    let mut commands = scene.connect();
    while commands.try_recv().is_ok() {}
    control(&mut scene, "f");
    scene.say(Message::Users(users::Message::SearchTyped(
        "ali".to_owned(),
    )));
    let Ok(Command::LookAt(Sight::Users { query, .. })) = commands.try_recv() else {
        panic!("nothing was looked for");
    };
    assert_eq!((&*query.text, query.shown), ("ali", Shown::Registered));
    for (descending, words) in [(false, "Since"), (true, "Since ↑")] {
        click(&mut scene, words);
        let Ok(Command::LookAt(Sight::Users { query, .. })) = commands.try_recv() else {
            panic!("nothing was looked for");
        };
        assert_eq!((query.sort, query.descending), (Sort::Since, descending));
    }
    click(&mut scene, "All names");
    let Ok(Command::LookAt(Sight::Users { query, .. })) = commands.try_recv() else {
        panic!("nothing was looked for");
    };
    assert_eq!(query.shown, Shown::All);
}

#[test]
fn what_a_user_is_shown_with_is_what_the_registry_said_and_the_lease_runs_down() {
    let mut scene = Scene::english().open().users(scene::users(12));
    for words in [
        "alice",
        "192.168.15.0:40000",
        "In a call",
        "12 s",
        "Available",
        "hidden",
    ] {
        assert!(shows(&scene, words), "{words}");
    }
    scene::later(&mut scene, Duration::from_secs(5));
    assert!(shows(&scene, "7 s"));
    assert!(!shows(&scene, "12 s"));
}

#[test]
fn nothing_is_done_to_anybody_before_it_is_confirmed() {
    for (button, act) in [
        ("Disconnect", Act::Disconnect("alice".to_owned())),
        ("Ban", Act::Ban("alice".to_owned())),
        ("Release the name", Act::Release("alice".to_owned())),
    ] {
        let mut scene = Scene::english().open().users(scene::users(12)).chosen(0);
        let mut commands = scene.connect();
        while commands.try_recv().is_ok() {}
        let pressed = match button {
            "Ban" => users::Message::BanPressed,
            "Disconnect" => users::Message::DisconnectPressed,
            _ => users::Message::ReleasePressed,
        };
        assert!(does_something(&scene, button));
        scene.say(Message::Users(pressed.clone()));
        assert!(commands.try_recv().is_err(), "{button} asks first");
        escape(&mut scene);
        assert!(commands.try_recv().is_err(), "{button} was not confirmed");
        scene.say(Message::Users(pressed));
        scene.say(Message::Users(users::Message::Confirmed));
        match commands.try_recv() {
            Ok(Command::Act(done)) => assert_eq!(done, act),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_came_of_it_is_told_in_words() {
    for (what, says) in [
        (
            Ok(Done::Released("bob".parse().unwrap())),
            "bob is free: whoever claims it next has it.",
        ),
        (
            Err(Failed::NotBanned(Subject::Name("bob".parse().unwrap()))),
            "bob is not banned. Look at the list of bans.",
        ),
        (
            Err(Failed::NotOwned("bob".to_owned())),
            "Nobody owns bob any more. Look at the list of users.",
        ),
        (
            Err(Failed::NotKept("no space left".to_owned())),
            "The disk did not keep that, so it was not done. Check that the disk has room and \
             works, and try again. The system says: no space left",
        ),
        (
            Err(Failed::Machine("no threads".to_owned())),
            "This machine failed at that: no threads. Try again; if it stays so, close the \
             registry and open it again.",
        ),
    ] {
        let mut scene = Scene::english();
        scene.seen.told = std::sync::Arc::new(vec![Told { number: 1, what }]);
        scene.look();
        assert!(shows(&scene, says), "{says}");
        escape(&mut scene);
        assert!(!shows(&scene, says), "Escape dismisses it");
        scene.look();
        assert!(!shows(&scene, says), "it is told once");
    }
}

#[test]
fn what_goes_wrong_while_it_runs_stands_above_every_screen_until_it_is_read_or_mended() {
    let full = Warning::NotKept("no space left".to_owned());
    let clock = Warning::ClockDoubted;
    let (of_disk, of_clock) = ("the disk does not keep them", "clock has jumped far ahead");
    let mut scene = Scene::english()
        .open()
        .warnings(&[clock.clone(), full.clone()]);
    let says = |scene: &Scene, words: &str| scene::texts_of(&scene.app).join("\n").contains(words);
    for digit in ["1", "2", "3", "4", "5", "6"] {
        control(&mut scene, digit);
        assert!(says(&scene, of_disk) && says(&scene, of_clock), "{digit}");
        assert!(shows(&scene, "2"), "the log is marked");
    }
    // What is read stands above the log only, and is counted still.
    scene.say(Message::WarningRead(full.clone()));
    assert!(!says(&scene, of_disk) && says(&scene, of_clock));
    control(&mut scene, "4");
    assert!(says(&scene, of_disk) && shows(&scene, "2"));
    // When it is right again nothing is left of it, and when it is wrong again it is told again.
    let scene = scene.warnings(&[clock]);
    assert!(!says(&scene, of_disk) && shows(&scene, "1"));
    let scene = scene.warnings(&[]).warnings(&[full]).go(Place::Users);
    assert!(says(&scene, of_disk) && !says(&scene, of_clock));
}

#[test]
fn of_much_that_is_wrong_the_worst_is_told_first_and_the_rest_when_that_is_read() {
    let socket = Warning::NoAdminSocket {
        path: "/var/lib/ramal/admin.sock".into(),
        why: "too long".to_owned(),
    };
    let fewer = Warning::FewerConnections {
        held: 412,
        wanted: 20_000,
    };
    let all = [socket, fewer, Warning::StoreFailed];
    let mut scene = Scene::english().open().warnings(&all);
    let says = |scene: &Scene, words: &str| scene::texts_of(&scene.app).join("\n").contains(words);
    assert!(says(&scene, "can keep nothing more") && says(&scene, "admin.sock"));
    assert!(!says(&scene, "412"), "two are enough at a time");
    assert!(shows(&scene, "3"), "all are counted");
    scene.say(Message::WarningRead(Warning::StoreFailed));
    assert!(says(&scene, "admin.sock") && says(&scene, "412"));
}

#[test]
fn a_list_that_could_not_be_read_is_not_called_empty() {
    let mut scene = Scene::english().open().go(Place::Bans);
    assert!(shows(&scene, "No bans"));
    scene.seen.unread = Some(Failed::Machine("no threads".to_owned()));
    scene.look();
    let says = |scene: &Scene, words: &str| scene::texts_of(&scene.app).join("\n").contains(words);
    assert!(!shows(&scene, "No bans") && says(&scene, "This list may be out of date"));
    assert!(says(&scene, "no threads"));
    let scene = scene.go(Place::Users);
    assert!(says(&scene, "This list may be out of date"));
    let scene = scene.go(Place::Settings);
    assert!(!says(&scene, "This list may be out of date"));
}

#[test]
fn empty_lists_say_what_will_be_there_and_how_to_get_it_there() {
    let mut scene = Scene::english().open();
    click(&mut scene, "Show the address");
    assert!(shows(&scene, "Give this address to others"));
    let mut scene = Scene::english();
    assert!(shows(&scene, "The registry is closed"));
    let typed = users::Message::SearchTyped("zoe".to_owned());
    scene = scene.open();
    scene.say(Message::Users(typed));
    assert!(shows(&scene, "Nobody found"));
    assert!(does_something(&scene, "Search all names"));
    let scene = scene.go(Place::Log);
    assert!(shows(&scene, "Nothing in the log yet"));
    let scene = scene.go(Place::Bans);
    assert!(shows(&scene, "No bans"));
    let scene = Scene::english().go(Place::Activity);
    assert!(shows(&scene, "Nothing to plot yet"));
}

#[test]
fn a_name_is_banned_by_typing_it_and_a_ban_is_lifted() {
    let mut scene = Scene::english().go(Place::Bans).open().bans(scene::bans());
    let mut commands = scene.connect();
    while commands.try_recv().is_ok() {}
    assert!(!does_something(&scene, "Ban"), "nothing is typed");
    scene.say(Message::Bans(bans::Message::Typed(" mallory ".to_owned())));
    click(&mut scene, "Ban");
    scene.say(Message::Bans(bans::Message::Confirmed));
    let act = commands.try_recv();
    assert!(matches!(act, Ok(Command::Act(Act::Ban(name))) if name == "mallory"));
    scene.say(Message::Bans(bans::Message::UnbanPressed(
        scene::bans().remove(1),
    )));
    escape(&mut scene);
    assert!(commands.try_recv().is_err());
    scene.say(Message::Bans(bans::Message::UnbanPressed(
        scene::bans().remove(1),
    )));
    scene.say(Message::Bans(bans::Message::Confirmed));
    let act = commands.try_recv();
    assert!(matches!(act, Ok(Command::Act(Act::Unban(name))) if name == "admin"));
}

#[test]
fn the_log_is_filtered_paused_and_goes_on() {
    let mut scene = Scene::english()
        .go(Place::Log)
        .open()
        .lines(scene::lines(24));
    assert!(shows(&scene, "24 lines"));
    click(&mut scene, "Received");
    assert!(shows(&scene, "8 of 24 lines"));
    click(&mut scene, "All");
    control(&mut scene, "p");
    let mut scene = scene.lines(scene::lines(3));
    assert!(shows(&scene, "Paused. 3 new lines came meanwhile."));
    assert!(shows(&scene, "24 of 27 lines"));
    click(&mut scene, "Go on");
    assert!(shows(&scene, "27 lines"));
    scene.say(Message::Log(log::Message::SearchTyped(
        "nowhere".to_owned(),
    )));
    assert!(shows(&scene, "No such line"));
    click(&mut scene, "Show all lines");
    assert!(shows(&scene, "27 lines"));
}

#[test]
fn lines_that_are_kept_no_more_are_counted_on_screen() {
    let scene = Scene::english()
        .go(Place::Log)
        .lines(scene::lines(LINES_MAX + 12));
    assert!(shows(&scene, "12 older lines are no longer kept here."));
    let scene = Scene::english().go(Place::Log).lines(scene::lines(20));
    let missing = "17 lines are missing: they came faster than they could be written down.";
    assert!(shows(&scene, missing));
}

#[test]
fn what_is_copied_and_exported_is_what_is_shown() {
    let mut log = log::Log::default();
    log.push(scene::lines(24));
    log.update(log::Message::KindsChosen(Kinds::Sent));
    let log::Action::Copy(copied) = log.update(log::Message::CopyPressed) else {
        panic!("nothing was copied")
    };
    assert_eq!(copied.lines().count(), 8);
    let first = "2026-11-21T10:31:07.324Z sent 192.168.15.2:51234 Welcome observed=";
    assert!(copied.starts_with(first), "{copied}");
    log.update(log::Message::LineChosen(10));
    let log::Action::Copy(line) = log.update(log::Message::CopyPressed) else {
        panic!("nothing was copied")
    };
    assert_eq!(line.lines().count(), 1);
    assert_eq!(log.update(log::Message::ExportPressed), log::Action::Ask);
    log.ask("log.txt".to_owned());
    let log::Action::Export(typed, lines) = log.update(log::Message::ExportConfirmed) else {
        panic!("nothing was exported")
    };
    assert_eq!((&*typed, lines.len()), ("log.txt", 8));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.txt");
    let done = log::export(&path, &lines);
    assert_eq!(done, log::Exported::Done(path.clone(), 8));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), copied);
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "others must not see who calls whom");
    // What is there stays as it is.
    let again = log::export(&path, &lines[..1]);
    assert_eq!(again, log::Exported::Exists(path.clone()));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), copied);
    let nowhere = folder.path().join("no/log.txt");
    let failed = log::export(&nowhere, &lines);
    assert!(matches!(failed, log::Exported::Failed(..)));
}

#[test]
fn a_log_goes_where_a_person_types_and_what_became_of_it_can_be_found() {
    let mut scene = Scene::english()
        .go(Place::Log)
        .open()
        .lines(scene::lines(24));
    control(&mut scene, "e");
    assert!(shows(&scene, "Write the log to a file"));
    let usual = "/dev/null/ramal/registry/log-2026-11-21-103107Z.txt";
    assert!(shows(&scene, usual), "{:#?}", scene::texts_of(&scene.app));
    escape(&mut scene);
    assert!(!shows(&scene, "Write the log to a file"));
    control(&mut scene, "e");
    scene.say(Message::Log(log::Message::FileTyped("  ".to_owned())));
    scene.say(Message::Log(log::Message::ExportConfirmed));
    assert!(shows(&scene, "Write the log to a file"), "nothing is typed");
    let done = log::Exported::Done("/home/ana/log.txt".into(), 24);
    scene.say(Message::Log(log::Message::FileTyped("a".to_owned())));
    scene.say(Message::Log(log::Message::ExportConfirmed));
    assert!(!shows(&scene, "Write the log to a file"));
    scene.say(Message::Log(log::Message::Exported(done)));
    assert!(shows(&scene, "24 lines were written to /home/ana/log.txt"));
    assert!(does_something(&scene, "Show the folder"));
    scene.say(Message::NotShown("/home/ana".into()));
    assert!(shows(
        &scene,
        "This desktop could not show /home/ana. Open it by hand."
    ));

    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let at = |typed: &str| log::place(typed, data, "log-1.txt");
    assert_eq!(at(" mine.txt "), data.join("mine.txt"));
    assert_eq!(at("/tmp/mine.txt"), std::path::Path::new("/tmp/mine.txt"));
    assert_eq!(at(&data.display().to_string()), data.join("log-1.txt"));
    let home = std::path::PathBuf::from(std::env::var_os("HOME").unwrap());
    assert_eq!(at("~/mine.txt"), home.join("mine.txt"));
}

#[test]
fn times_are_those_of_this_machine_and_a_line_of_another_day_says_so() {
    let mut scene = Scene::english().go(Place::Log).open();
    let yesterday = scene::CLOCK - 24 * 3_600_000;
    scene = scene.lines([
        Line::new(yesterday, What::Note, "added alice"),
        Line::new(scene::CLOCK, What::Note, "added bob"),
    ]);
    assert!(shows(&scene, "11-20 07:31:07") && shows(&scene, "07:31:07.250"));
    scene.say(Message::Log(log::Message::LineChosen(1)));
    assert!(shows(
        &scene,
        "2026-11-21 07:31:07.250   10:31:07.250 UTC   note"
    ));
}

#[test]
fn a_long_log_is_looked_through_while_a_person_types_on() {
    let mut scene = Scene::english()
        .go(Place::Log)
        .open()
        .lines((0..3 * LOOKED_AT_ONCE).map(|at| {
            let text = if at == 0 { "the first" } else { "another" };
            Line::new(scene::CLOCK, What::Note, text)
        }));
    scene.say(Message::Log(log::Message::SearchTyped("first".to_owned())));
    assert!(shows(&scene, "0 found so far") && !shows(&scene, "No such line"));
    for _ in 0..2 {
        scene.say(Message::Log(log::Message::LookOn));
    }
    assert!(shows(&scene, "1 of 24576 lines") && shows(&scene, "the first"));
    scene.say(Message::Log(log::Message::SearchTyped("none".to_owned())));
    for _ in 0..2 {
        assert!(!shows(&scene, "No such line"));
        scene.say(Message::Log(log::Message::LookOn));
    }
    assert!(shows(&scene, "No such line"));
}

#[test]
fn the_first_steps_show_what_to_give_to_others() {
    let mut scene = Scene::english().go(Place::Help);
    let mut commands = scene.connect();
    while commands.try_recv().is_ok() {}
    scene.say(Message::Help(registry::gui::help::Message::OpenPressed));
    assert!(matches!(commands.try_recv(), Ok(Command::Open(_))));
    let scene = scene.open();
    for words in ["192.168.15.7:5000", "10.8.0.3:5000", "b7d3-9f20-44c1-0ae8"] {
        assert!(shows(&scene, words), "{words}");
    }
}

#[test]
fn a_window_with_users_asks_before_it_closes_them_out() {
    let mut scene = Scene::english().open().pulses();
    let mut commands = scene.connect();
    while commands.try_recv().is_ok() {}
    scene.say(Message::CloseRequested);
    assert!(shows(&scene, "Close the registry?"));
    assert!(commands.try_recv().is_err());
    escape(&mut scene);
    assert!(!shows(&scene, "Close the registry?"));
    scene.say(Message::CloseRequested);
    click(&mut scene, "Close and quit");
    assert!(matches!(commands.try_recv(), Ok(Command::End)));
    let scene = scene.closing();
    assert!(shows(&scene, "Closing the registry"));
}

#[test]
fn a_registry_that_is_closed_keeps_nothing_of_its_users_on_screen() {
    let mut scene = Scene::english().open().users(scene::users(12));
    assert!(shows(&scene, "alice"));
    scene.seen.users = std::sync::Arc::default();
    let scene = scene.phase(Phase::Closed);
    assert!(!shows(&scene, "alice"));
}
