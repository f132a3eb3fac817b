//! A window with as much in it as it may have: 2,000 users in the table and 100,000 lines in the
//! log. What a picture costs is printed (`--nocapture`); what is asserted is that it does not grow
//! with what is not in view.

use std::time::Instant;

use iced::{Event, Size};
use look::frames::{Screen, wheel};
use registry::gui::{
    Message, Place, WINDOW,
    lines::{LINES_MAX, LOOKED_AT_ONCE},
    log, users,
};

use crate::scene::{self, Scene};

/// So many pictures are drawn for each figure.
const PICTURES: usize = 20;

/// What some pictures cost, each after `change`.
fn pictures(what: &str, scene: &mut Scene, events: &[Event], change: impl Fn(&mut Scene, usize)) {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let size = Size::new(WINDOW.width as u32, WINDOW.height as u32);
    let theme = scene.app.theme();
    let mouse = iced::Point::new(700.0, 500.0);
    let figures = Screen::new(size).figures(
        scene,
        |scene| scene.app.view(),
        &theme,
        (events, mouse),
        PICTURES,
        change,
    );
    println!("{what}: {figures}");
}

fn memory_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let rss = status.lines().find(|line| line.starts_with("VmRSS"));
    let digits: String = rss.unwrap().chars().filter(char::is_ascii_digit).collect();
    digits.parse::<u64>().unwrap() / 1024
}

#[test]
fn a_window_with_2000_users_builds_only_what_is_in_view() {
    let mut scene = Scene::english().open().pulses().users(scene::users(2000));
    let texts = scene::texts_of(&scene.app).len();
    println!("2000 users: {texts} texts");
    assert!(texts < 400, "{texts} texts");
    pictures("2000 users, told anew", &mut scene, &[], |scene, _| {
        scene.look();
    });
    pictures("2000 users, scrolled", &mut scene, &[wheel()], |_, _| {});
    pictures("2000 users, typed into", &mut scene, &[], |scene, at| {
        let typed = "user".repeat(1 + at % 3);
        scene.say(Message::Users(users::Message::SearchTyped(typed)));
    });
}

#[test]
fn a_log_of_100_000_lines_builds_only_what_is_in_view() {
    let before = memory_mb();
    let mut scene = Scene::english().go(Place::Log).open().pulses();
    let began = Instant::now();
    scene = scene.lines(scene::lines(LINES_MAX));
    let taken_in = began.elapsed();
    let texts = scene::texts_of(&scene.app).len();
    println!("100000 lines: {texts} texts, taken in within {taken_in:.1?}");
    assert!(texts < 400, "{texts} texts");
    let after = memory_mb();
    println!("100000 lines: {before} MB before, {after} MB after");
    let began = Instant::now();
    scene.say(Message::Log(log::Message::SearchTyped(
        "lookup bob".to_owned(),
    )));
    println!(
        "100000 lines, the first part looked through: {:.1?}",
        began.elapsed()
    );
    for _ in 0..LINES_MAX / LOOKED_AT_ONCE {
        scene.say(Message::Log(log::Message::LookOn));
    }
    println!("100000 lines, looked through: {:.1?}", began.elapsed());
    let began = Instant::now();
    scene.say(Message::Log(log::Message::ExportPressed));
    scene.say(Message::Log(log::Message::FileTyped("log.txt".to_owned())));
    scene.say(Message::Log(log::Message::ExportConfirmed));
    println!(
        "100000 lines, given to be exported: {:.1?}",
        began.elapsed()
    );
    pictures("100000 lines, scrolled", &mut scene, &[wheel()], |_, _| {});
    pictures("100000 lines, typed into", &mut scene, &[], |scene, at| {
        let typed = format!("#{at} lookup");
        scene.say(Message::Log(log::Message::SearchTyped(typed)));
    });
    scene.say(Message::Log(log::Message::ShowAllPressed));
    let more = scene::lines(300);
    pictures("100000 lines, 300 more", &mut scene, &[], |scene, _| {
        scene.app.write(more.clone());
    });
    // How much is kept is bounded, which `lines` asserts; here it is seen, alone in its process.
    for _ in 0..10 {
        scene = scene.lines(scene::lines(LINES_MAX / 4));
    }
    let later = memory_mb();
    println!("1000000 lines in all: {later} MB");
}
