//! Keys as a person presses them, in the whole window: what is in it hears of them first.

use std::{
    cell::Cell,
    rc::Rc,
    time::{Duration, Instant},
};

use iced::{
    Task,
    keyboard::{Event::KeyPressed, Key, Modifiers, key::Named},
    window,
};
use iced_test::simulator::{click as clicks, press_key};
use tokio::sync::{mpsc, watch};

use super::*;
use crate::{
    board::{Board, EndedCall, SeenCall, Stage},
    call::{Direction as Way, Hold, Reason},
    contacts::Standing,
    engine::{Command, Views},
    gui::{
        call, fixture,
        incoming::tests::seen,
        keys::{self, Cap, Chord, Place as At, Shortcut, TABLE},
        line::{Parcel, Up},
        people,
    },
    roster::{Entry, Roster},
};

const UP: Stage = Stage::Up {
    hold: Hold::No,
    reconnecting: false,
};

const RINGS: Stage = Stage::RingsHere {
    confirmed: true,
    standing: Standing::Known,
};

/// So long nobody has seen what has come over the window.
const MOMENT: Duration = Duration::from_secs(1);

/// Longer than anybody needs to see what has come over the window.
const WHILE: Duration = Duration::from_secs(2);

/// A window on a phone, and what the phone is told.
struct Desk {
    app: App,
    told: mpsc::Receiver<Command>,
    /// What its clock shows: time goes by only where a test says so.
    now: Rc<Cell<Instant>>,
    _config: tempfile::TempDir,
}

impl Desk {
    /// Bob's, on the screen of people, with the keyboard.
    fn new() -> Self {
        let config = config(Language::English);
        let mut app = signed_in(&config, Place::People);
        let now = Rc::new(Cell::new(app.world.now));
        let shows = Rc::clone(&now);
        app.clock = Box::new(move || shows.get());
        let (commands, told) = mpsc::channel(64);
        let up = Up {
            commands,
            listening: None,
            views: Views::of(Board::clone(&app.world.board)),
            shows_levels: Arc::default(),
            recovery: None,
            broke_off: false,
        };
        let _ = app.update(Message::Line(1, News::Up(Parcel::new(up))));
        let mut desk = Self {
            app,
            told,
            now,
            _config: config,
        };
        desk.window(window::Event::Focused);
        desk.commands();
        desk
    }

    fn phone(&mut self) -> &mut crate::gui::desk::Phone {
        self.app.phone.as_mut().unwrap()
    }

    /// The phone is so now.
    fn stands(&mut self, change: impl FnOnce(&mut Board)) {
        let mut board = Board::clone(&self.app.world.board);
        change(&mut board);
        let views = &mut self.phone().up.as_mut().unwrap().views;
        views.board = watch::channel(Arc::new(board)).1;
        let _ = self.app.update(Message::Line(1, News::Changed));
    }

    fn calls(&mut self, calls: Vec<SeenCall>) {
        self.stands(|board| board.calls = calls);
    }

    /// Somebody called so is calling.
    fn rings(&mut self, who: &str) {
        self.calls(vec![seen(9, who, RINGS)]);
    }

    /// These are registered.
    fn registered(&mut self, names: &[&str]) {
        let entry = |name: &&str| {
            Arc::new(Entry {
                name: name.parse().unwrap(),
                presence: codec::registry::Presence::Available,
                contacts: Vec::new(),
            })
        };
        let roster = Roster {
            entries: names.iter().map(entry).collect(),
            complete: true,
            ..Roster::default()
        };
        let views = &mut self.phone().up.as_mut().unwrap().views;
        views.roster = watch::channel(Arc::new(roster)).1;
        let _ = self.app.update(Message::Line(1, News::Changed));
    }

    fn window(&mut self, event: window::Event) {
        let window = self.app.window.unwrap();
        let _ = self.app.update(Message::Window(window, event));
    }

    /// Time goes by.
    fn wait(&mut self) {
        self.wait_for(WHILE);
    }

    fn wait_for(&mut self, time: Duration) {
        self.now.set(self.now.get() + time);
        let _ = self.tick();
    }

    fn tick(&mut self) -> Task<Message> {
        self.app.update(Message::Tick(self.now.get()))
    }

    fn opens(&mut self, who: &str) {
        let opened = people::Message::OpenPressed(who.parse().unwrap());
        let _ = self.app.update(Message::People(opened));
        self.commands();
    }

    fn push_to_talk(&mut self) {
        self.app.world.preferences.push_to_talk = true;
        self.stands(|board| board.muted = true);
    }

    /// Presses keys one after the other, each in a window that shows what came of those before.
    fn press(&mut self, keys: &[Chord]) {
        for key in keys {
            let _ = self.press_in(|_| {}, *key);
        }
    }

    /// Presses a key after something else was done to the same window.
    fn press_in(
        &mut self,
        before: impl FnOnce(&mut iced_test::Simulator<'_, Message>),
        key: Chord,
    ) -> Task<Message> {
        let event = pressed(key);
        let (said, heard) = {
            let mut shown = shown(self.app.screen(), WINDOW);
            before(&mut shown);
            let status = shown.simulate([event.clone()])[0];
            let said: Vec<_> = shown.into_messages().collect();
            (said, keys::heard(&event, status))
        };
        let said = said.into_iter().chain(heard.map(Message::Key));
        Task::batch(said.map(|said| self.app.update(said)).collect::<Vec<_>>())
    }

    fn clicks(&mut self, words: &str) {
        click(&mut self.app, words);
    }

    fn sees(&self, words: &str) -> bool {
        sees(&self.app, words)
    }

    /// What the phone has been told since it was asked last.
    fn commands(&mut self) -> Vec<String> {
        let told = std::iter::from_fn(|| self.told.try_recv().ok());
        told.map(|command| format!("{command:?}")).collect()
    }

    /// Whether the phone was told nothing but this since it was asked last.
    fn was_told(&mut self, only: &str) -> bool {
        let told = self.commands();
        matches!(&told[..], [one] if one.contains(only))
    }
}

fn key(cap: Cap) -> Chord {
    Chord {
        command: false,
        shift: false,
        cap,
    }
}

fn letter(letter: char) -> Chord {
    key(Cap::Character(letter))
}

fn ctrl(cap: Cap) -> Chord {
    Chord {
        command: true,
        ..key(cap)
    }
}

const ENTER: Cap = Cap::Enter;
const ESCAPE: Cap = Cap::Escape;

/// What a person or the phone does.
type Does = fn(&mut Desk);

/// What a keyboard says of it.
fn pressed(chord: Chord) -> iced::Event {
    let named = |named| (Key::Named(named), None);
    let (of, text) = match chord.cap {
        Cap::Character(letter) => {
            let text = letter.to_string();
            (Key::Character(text.as_str().into()), Some(text.into()))
        }
        Cap::Enter => named(Named::Enter),
        Cap::Escape => named(Named::Escape),
        Cap::Space => (Key::Named(Named::Space), Some(" ".into())),
        Cap::Up => named(Named::ArrowUp),
        Cap::Down => named(Named::ArrowDown),
    };
    let mut event = press_key(of, text);
    if let iced::Event::Keyboard(KeyPressed { modifiers, .. }) = &mut event {
        modifiers.set(Modifiers::COMMAND, chord.command);
        modifiers.set(Modifiers::SHIFT, chord.shift);
    }
    event
}

fn tab() -> iced::Event {
    press_key(Key::Named(Named::Tab), None)
}

#[test]
fn while_a_call_rings_no_key_reaches_anybody_below_it() {
    let mut desk = Desk::new();
    desk.registered(&["ana", "bea"]);
    desk.opens("ana");
    desk.rings("mallory");
    desk.wait();
    let search = |shown: &mut iced_test::Simulator<'_, Message>| {
        let _ = shown.click(iced_test::selector::id("people-search"));
    };
    let _ = desk.press_in(search, key(ENTER));
    desk.press(&[key(ENTER), key(Cap::Down), letter('c'), letter('x')]);
    desk.press(&[ctrl(Cap::Character('1')), ctrl(Cap::Character('3'))]);
    desk.press(&[ctrl(Cap::Character('b')), ctrl(Cap::Character('q'))]);
    assert_eq!(desk.commands(), [""; 0]);
    assert_eq!(desk.phone().place, Place::People);
    assert!(desk.app.world.preferences.favourites.is_empty());
    // Tab stays on the card: the first thing in it declines.
    let _ = desk.press_in(
        |shown| {
            shown.simulate([tab(), tab(), tab()]);
        },
        key(ENTER),
    );
    assert!(desk.was_told("Hangup"));
    let _ = desk.press_in(search, ctrl(ENTER));
    assert!(desk.was_told("Answer"), "and calls nobody else");
}

#[test]
fn a_call_that_comes_by_itself_is_neither_taken_nor_declined_by_what_is_typed_elsewhere() {
    let plain = [letter('a'), letter('d'), key(ESCAPE), key(ENTER)];
    let tabbed = |desk: &mut Desk| {
        let tabs = |shown: &mut iced_test::Simulator<'_, Message>| {
            shown.simulate([tab()]);
        };
        let _ = desk.press_in(tabs, key(ENTER));
    };
    // The window had the keyboard: who is typing into it needs a moment to see the call.
    let mut desk = Desk::new();
    desk.wait();
    desk.rings("ana");
    desk.press(&plain);
    tabbed(&mut desk);
    desk.wait_for(MOMENT - Duration::from_millis(1));
    desk.press(&plain);
    tabbed(&mut desk);
    assert_eq!(desk.commands(), [""; 0]);
    desk.press(&[ctrl(ENTER)]);
    assert!(desk.was_told("Answer"), "that is typed nowhere");
    desk.wait_for(Duration::from_millis(1));
    desk.press(&[letter('a')]);
    assert!(desk.was_told("Answer"));
    desk.press(&[letter('d')]);
    assert!(desk.was_told("Hangup"));
    // The window came to the front by itself.
    let mut desk = Desk::new();
    desk.window(window::Event::Unfocused);
    desk.rings("ana");
    desk.wait();
    desk.window(window::Event::Focused);
    desk.press(&plain);
    tabbed(&mut desk);
    desk.wait();
    desk.press(&[letter('a'), letter('d')]);
    assert_eq!(
        desk.commands(),
        [""; 0],
        "whoever types words means another window"
    );
    desk.press(&[key(ESCAPE)]);
    assert!(desk.was_told("Hangup"));
    // Another one calls in its place.
    desk.calls(vec![seen(8, "bea", RINGS)]);
    desk.press(&[key(ESCAPE)]);
    assert_eq!(desk.commands(), [""; 0]);
}

#[test]
fn a_call_lies_over_every_question_and_the_question_is_there_afterwards() {
    let asks: [(&str, Does); 3] = [
        ("Close Ramal?", |desk| desk.app.ask_to_close()),
        ("Your recovery words", |desk| {
            desk.app.show_recovery("a b c d e f g h i j k l");
        }),
        ("Give it up", |desk| {
            let _ = desk.app.update(Message::PlacePressed(Place::Settings));
            let pressed = settings::Message::WorkPressed(identity::Kind::Release);
            let _ = desk.app.update(Message::Settings(pressed));
        }),
    ];
    for (title, ask) in asks {
        let mut desk = Desk::new();
        ask(&mut desk);
        desk.rings("ana");
        desk.wait();
        desk.commands();
        assert!(
            desk.sees("ana") && !desk.sees(title),
            "what lies below cannot be reached"
        );
        desk.press(&[key(ENTER), key(ESCAPE)]);
        assert!(desk.was_told("Hangup"), "{title}");
        desk.calls(Vec::new());
        assert!(desk.sees(title), "{title} was answered");
        desk.press(&[ctrl(Cap::Character('3'))]);
        assert_ne!(desk.phone().place, Place::Log, "below {title}");
        let at = desk.phone().place;
        desk.press(&[key(ESCAPE)]);
        assert!(!desk.sees(title), "Escape leaves {title}");
        assert_eq!(desk.phone().place, at);
    }
}

#[test]
fn who_is_warned_of_somebody_else_calls_nobody_by_reading_it() {
    for reads in [ENTER, ESCAPE] {
        let mut desk = Desk::new();
        desk.opens("ana");
        let changed = phone::Event::IdentityChanged {
            name: "ana".parse().unwrap(),
        };
        let _ = desk
            .app
            .update(Message::Line(1, News::Event(changed.into())));
        let warning = "Somebody else called as ana";
        assert!(desk.sees(warning));
        desk.press(&[key(reads)]);
        assert!(desk.sees(warning), "it has only just come");
        desk.wait();
        desk.press(&[letter('x'), key(reads)]);
        assert!(!desk.sees(warning));
        assert_eq!(desk.commands(), [""; 0]);
    }
}

#[test]
fn a_call_that_goes_on_is_muted_and_ended_by_ctrl_keys_whatever_lies_over_it() {
    let mut desk = Desk::new();
    desk.calls(vec![seen(1, "ana", UP), seen(9, "bea", RINGS)]);
    desk.wait();
    desk.press(&[ctrl(Cap::Character('m'))]);
    assert!(desk.was_told("Mute(true)"));
    desk.app.ask_to_close();
    desk.calls(vec![seen(1, "ana", UP)]);
    desk.press(&[ctrl(Cap::Character('h'))]);
    assert!(desk.was_told("Hangup"));
}

#[test]
fn push_to_talk_lets_go_when_what_is_held_cannot_be_let_go_any_more() {
    let by_mouse = |desk: &mut Desk| {
        let held = call::Message::TalkHeld(true);
        let _ = desk.app.update(Message::Call(held));
    };
    let by_key = |desk: &mut Desk| desk.press(&[key(Cap::Space)]);
    let ways: [(&str, Does, Does); 5] = [
        ("mouse, the other hangs up", by_mouse, |desk| {
            desk.calls(Vec::new());
        }),
        ("mouse, another screen", by_mouse, |desk| {
            desk.press(&[ctrl(Cap::Character('1'))]);
        }),
        ("mouse, somebody calls", by_mouse, |desk| {
            desk.calls(vec![seen(1, "ana", UP), seen(9, "bea", RINGS)]);
        }),
        ("key, the window is closed", by_key, |desk| {
            desk.app.world.preferences.on_close = preferences::OnClose::Ring;
            desk.phone().outside.in_tray = true;
            desk.app.ask_to_close();
        }),
        ("key, the window is gone", by_key, |desk| {
            desk.window(window::Event::Closed);
        }),
    ];
    for (what, holds, ends) in ways {
        let mut desk = Desk::new();
        desk.push_to_talk();
        desk.calls(vec![seen(1, "ana", UP)]);
        let _ = desk.app.update(Message::Call(call::Message::BarPressed));
        desk.commands();
        holds(&mut desk);
        assert!(desk.was_told("Mute(false)"), "{what}");
        desk.stands(|board| board.muted = false);
        assert_eq!(desk.commands(), [""; 0], "{what}");
        ends(&mut desk);
        assert!(desk.was_told("Mute(true)"), "{what}");
    }
}

/// Everything that a key could change.
fn digest(desk: &Desk) -> String {
    let app = &desk.app;
    let busy = app.sign_in.as_ref().map(SignIn::is_busy);
    let phone = app.phone.as_ref().map(|phone| {
        let place = (phone.place, phone.shows_call);
        format!(
            "{place:?} {:?} {:?} {:?}",
            phone.call, phone.people, phone.log
        )
    });
    format!(
        "{busy:?} {phone:?} {:?} {}",
        app.world.preferences, app.quitting
    )
}

/// A window in which this key has something to do.
fn where_it_counts(place: At, shortcut: Shortcut) -> Desk {
    let mut desk = Desk::new();
    desk.registered(&["ana", "bea", "cai"]);
    let go = |desk: &mut Desk, place| {
        let _ = desk.app.update(Message::PlacePressed(place));
    };
    match place {
        At::Incoming => {
            desk.rings("ana");
            desk.wait();
        }
        At::Call => {
            let mut ana = seen(1, "ana", UP);
            ana.words = Some(fixture::words());
            desk.calls(vec![ana, seen(2, "bea", UP)]);
            let _ = desk.app.update(Message::Call(call::Message::BarPressed));
            if shortcut == Shortcut::Talk {
                desk.push_to_talk();
            }
        }
        At::Ended => {
            desk.stands(|board| board.ended = Some(ended("ana", Reason::RemoteHangup)));
            let _ = desk.app.update(Message::Call(call::Message::BarPressed));
        }
        At::People => {
            desk.press(&[key(Cap::Down), key(Cap::Down)]);
        }
        At::Log => {
            go(&mut desk, Place::Log);
            let typed = crate::gui::log::Message::Typed("x".to_owned());
            let _ = desk.app.update(Message::Log(typed));
        }
        At::Door => {
            let signed_out = settings::Message::SignOutPressed;
            let _ = desk.app.update(Message::Settings(signed_out));
            type_in(&mut desk.app, "bob", "192.168.1.5");
            desk.clicks("Connect");
        }
        At::Everywhere if shortcut == Shortcut::People => go(&mut desk, Place::Settings),
        At::Everywhere => {}
    }
    desk.commands();
    desk
}

#[test]
fn every_key_of_the_table_does_something_where_it_counts() {
    assert_eq!(Desk::new().tick().units(), 0);
    for (place, shortcut, chord) in TABLE {
        let mut desk = where_it_counts(*place, *shortcut);
        let before = digest(&desk);
        let follows = desk.press_in(|_| {}, *chord).units() > 0;
        let told = desk.commands();
        let changed = digest(&desk) != before;
        assert!(
            follows || changed || !told.is_empty(),
            "{place:?} {shortcut:?} {chord:?} does nothing"
        );
    }
}

#[test]
fn ctrl_q_ends_the_program_signed_in_or_not() {
    let quit = ctrl(Cap::Character('q'));
    let mut desk = Desk::new();
    desk.press(&[quit]);
    assert!(desk.was_told("Stop") && desk.app.quitting);
    let config = config(Language::English);
    let mut desk = Desk::new();
    desk.app = app(&config);
    let ends = desk.press_in(|_| {}, quit);
    assert!(ends.units() > 0, "no phone has to be waited for");
}

fn ended(who: &str, reason: Reason) -> EndedCall {
    EndedCall {
        call: fixture::call(1),
        name: who.parse().unwrap(),
        direction: Way::Outgoing,
        standing: None,
        reason,
        detail: None,
        lasted: None,
        output_lost: false,
        at: Instant::now(),
    }
}

#[test]
fn why_a_call_ended_is_seen_on_every_screen_until_it_is_closed() {
    let lost = "Nothing was heard of ana for 8 seconds. Check your network and call again.";
    for place in [Place::People, Place::Log, Place::Settings] {
        let mut desk = Desk::new();
        let _ = desk.app.update(Message::PlacePressed(place));
        desk.stands(|board| board.ended = Some(ended("ana", Reason::MediaLost)));
        assert!(desk.sees("The connection was lost") && desk.sees(lost));
        desk.clicks("Close");
        assert!(!desk.sees(lost));
        assert_eq!(desk.phone().place, place);
    }
    // The screen of the calls shows another one that goes on.
    let mut desk = Desk::new();
    desk.calls(vec![seen(2, "bea", UP)]);
    let _ = desk.app.update(Message::Call(call::Message::BarPressed));
    desk.stands(|board| board.ended = Some(ended("ana", Reason::MediaLost)));
    assert!(desk.sees(lost) && desk.sees("bea"));
    assert!(!desk.sees("Call again"));
    desk.calls(Vec::new());
    assert!(
        desk.sees(lost) && desk.sees("Call again"),
        "all of the screen says so now"
    );
}

#[test]
fn enter_answers_a_question_without_doing_harm() {
    let mut desk = Desk::new();
    desk.app.show_recovery("a b c d e f g h i j k l");
    desk.press(&[key(ENTER)]);
    assert!(!desk.sees("Your recovery words"));
    let _ = desk.app.update(Message::PlacePressed(Place::Settings));
    let pressed = settings::Message::WorkPressed(identity::Kind::Release);
    let _ = desk.app.update(Message::Settings(pressed));
    desk.press(&[key(ENTER)]);
    assert!(!desk.sees("Give it up"), "the question is gone");
    assert!(!desk.phone().paused, "and nothing was given up");
    desk.app.ask_to_close();
    desk.press(&[key(ENTER)]);
    assert!(desk.app.window.is_some(), "without an icon it would vanish");
    desk.phone().outside.in_tray = true;
    desk.app.ask_to_close();
    desk.press(&[key(ENTER)]);
    assert!(desk.app.window.is_none() && desk.app.phone.is_some());
}

fn dial(who: &str) -> String {
    let dial = phone::Command::Dial(who.parse().unwrap());
    format!("{:?}", Command::from(dial))
}

fn lookup(who: &str) -> String {
    let lookup = phone::Command::Lookup(who.parse().unwrap());
    format!("{:?}", Command::from(lookup))
}

#[test]
fn enter_means_the_exact_name_and_then_who_is_shown() {
    let mut desk = Desk::new();
    desk.app.world.preferences.favourites = vec!["ana".to_owned()];
    desk.registered(&["ana2", "anabel"]);
    let search = |shown: &mut iced_test::Simulator<'_, Message>| {
        let field = shown.find(iced_test::selector::id("people-search"));
        let field = field.unwrap().visible_bounds().unwrap();
        shown.point_at(field.center());
        shown.simulate(clicks());
    };
    let typed = |desk: &mut Desk, typed: &str| {
        let typed = people::Message::Typed(typed.to_owned());
        let _ = desk.app.update(Message::People(typed));
    };
    typed(&mut desk, "ana");
    let _ = desk.press_in(search, key(ENTER));
    assert!(desk.was_told(&lookup("ana")));
    let _ = desk.press_in(search, key(ENTER));
    assert!(desk.was_told(&dial("ana")));
    // Whoever is chosen by an arrow is meant, and not whoever fits best.
    let _ = desk.app.update(Message::PlacePressed(Place::People));
    typed(&mut desk, "ana");
    desk.press(&[key(Cap::Down)]);
    desk.commands();
    let _ = desk.press_in(search, ctrl(ENTER));
    assert!(desk.was_told(&dial("ana2")));
}
