//! What the tests of screens have in common: a person with friends, and pictures of screens.

#![cfg(test)]

use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use codec::{CallId, IdentityKey, Name, UnixMillis, registry::Presence};
use i18n_embed::fluent::FluentLanguageLoader;
use iced::{Element, Settings, Size};
use iced_test::Simulator;

use super::{Cx, texts};
use crate::{
    board::{Board, Registered},
    contacts::{Book, Contact},
    history::{History, Past},
    journal::Journal,
    phone,
    roster::{Entry, Roster},
    settings::preferences::{Language, Preferences},
};

pub use crate::board::words::words;

/// A Wednesday: 2026-11-18 at 12:00:00 UTC.
pub const NOON: UnixMillis = 1_795_003_200_000;

pub const BOB: IdentityKey = IdentityKey([7; 32]);

/// Everything that a screen may look at.
pub struct World {
    pub texts: FluentLanguageLoader,
    pub now: Instant,
    pub preferences: Preferences,
    pub board: Board,
    pub roster: Arc<Roster>,
    pub book: Arc<Book>,
    pub history: History,
    pub journal: Arc<Journal>,
    pub room: Size,
}

pub fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

pub fn call(number: u8) -> CallId {
    CallId([number; 16])
}

/// The texts in both languages, each with its tag.
pub fn languages() -> [(&'static str, Language); 2] {
    [
        ("en", Language::English),
        ("pt", Language::BrazilianPortuguese),
    ]
}

impl World {
    /// Alice is registered, and alone.
    pub fn new(language: Language) -> Self {
        let registry = "192.168.0.7:5000".parse().expect("an address");
        let settings = phone::Settings::of_person();
        let mut board = Board::new(name("alice"), registry, &settings);
        board.registered = Registered::Yes;
        Self {
            texts: texts::load(language),
            now: Instant::now(),
            preferences: Preferences::default(),
            board,
            roster: Arc::new(Roster {
                complete: true,
                ..Roster::default()
            }),
            book: Arc::default(),
            history: History::default(),
            journal: Arc::default(),
            room: Size::new(960.0, 680.0),
        }
    }

    /// Alice has friends, some of whom are there, and has talked to them.
    pub fn with_friends(language: Language) -> Self {
        let mut world = Self::new(language);
        let there = [
            ("alice", Presence::Available),
            ("Bob", Presence::Available),
            ("carlos.eduardo", Presence::Busy),
            ("Débora", Presence::Away),
            ("erik", Presence::Available),
            ("Zoë-Marie_van-der-Heyden", Presence::Available),
        ];
        let mut entries: Vec<Arc<Entry>> = there
            .into_iter()
            .map(|(who, presence)| {
                Arc::new(Entry {
                    name: name(who),
                    presence,
                    contacts: vec!["192.168.0.12:4000".parse().expect("an address")],
                })
            })
            .collect();
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        Arc::make_mut(&mut world.roster).entries = entries;
        let book: Book = [
            contact("bob", true, false),
            contact("erik", false, false),
            contact("fatima", false, false),
            contact("mallory", false, true),
        ]
        .into_iter()
        .collect();
        world.book = Arc::new(book);
        world.preferences.favourites = vec!["bob".to_owned(), "débora".to_owned()];
        world.history = history();
        world
    }

    /// What a screen is given.
    pub fn cx(&self) -> Cx<'_> {
        Cx {
            texts: &self.texts,
            now: self.now,
            clock: NOON,
            preferences: &self.preferences,
            board: &self.board,
            roster: &self.roster,
            book: &self.book,
            history: &self.history,
            journal: &self.journal,
            focused: Some(self.now),
            room: self.room,
        }
    }
}

pub fn contact(of: &str, verified: bool, blocked: bool) -> Contact {
    Contact {
        registry: None,
        name: name(of),
        identity: BOB,
        verified,
        blocked,
        changed: false,
        since: NOON - 90 * 24 * 3_600_000,
    }
}

fn history() -> History {
    use crate::{
        call::{
            Direction::{Incoming, Outgoing},
            Reason,
        },
        contacts::Standing::{Known, Stranger, Verified},
    };
    let minutes = |minutes: u64| Some(Duration::from_secs(minutes * 60 + 12));
    let calls = [
        (
            "bob",
            Incoming,
            20,
            None,
            Reason::Cancelled,
            Verified,
            false,
        ),
        (
            "bob",
            Outgoing,
            100,
            minutes(4),
            Reason::Hangup,
            Verified,
            true,
        ),
        (
            "erik",
            Incoming,
            1_500,
            minutes(75),
            Reason::RemoteHangup,
            Known,
            true,
        ),
        (
            "zed",
            Incoming,
            1_600,
            None,
            Reason::NoAnswer,
            Stranger,
            true,
        ),
        ("Débora", Outgoing, 4_000, None, Reason::Busy, Known, true),
        (
            "fatima",
            Outgoing,
            30_000,
            None,
            Reason::NotFound,
            Known,
            true,
        ),
    ];
    let past = calls.map(|(who, direction, ago, lasted, reason, standing, seen)| {
        Arc::new(Past {
            name: name(who),
            host: None,
            direction,
            at: NOON - ago * 60_000,
            lasted,
            reason,
            standing,
            seen,
        })
    });
    History {
        entries: past.into_iter().collect(),
    }
}

/// A screen of the size of a window without its rail.
pub fn shown<'a, M: Clone + 'a>(view: Element<'a, M>) -> Simulator<'a, M> {
    shown_in(view, Size::new(760.0, 680.0))
}

/// A screen of any size.
pub fn shown_in<'a, M: Clone + 'a>(view: Element<'a, M>, size: Size) -> Simulator<'a, M> {
    let settings = Settings {
        ..look::settings("ramal-softphone")
    };
    Simulator::with_size(settings, size, look::frame(view))
}

/// Compares a screen with how it looked before, in both schemes. The hashes are in `tests/screens`;
/// one that is missing is written. With `RAMAL_SCREENS=DIR` the pictures are kept in DIR, to be
/// looked at.
pub fn check<'a, M: Clone + 'a>(what: &str, tag: &str, view: impl Fn() -> Element<'a, M>) {
    check_in(what, tag, Size::new(760.0, 680.0), view);
}

/// The same, in another size.
pub fn check_in<'a, M: Clone + 'a>(
    what: &str,
    tag: &str,
    size: Size,
    view: impl Fn() -> Element<'a, M>,
) {
    let mut differ = Vec::new();
    for (scheme, of) in [("light", look::Scheme::Light), ("dark", look::Scheme::Dark)] {
        let mut shown = shown_in(view(), size);
        let theme = look::theme(of, iced::theme::Mode::None);
        let snapshot = shown.snapshot(&theme).expect("a picture");
        let file = format!("{what}-{tag}-{scheme}");
        if let Some(folder) = env::var_os("RAMAL_SCREENS") {
            let path = PathBuf::from(folder).join(&file);
            let _ = fs::remove_file(path.with_file_name(format!("{file}-tiny-skia.png")));
            snapshot.matches_image(&path).expect("written");
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/screens")
            .join(&file);
        if !snapshot.matches_hash(path).expect("readable") {
            differ.push(file);
        }
    }
    assert!(differ.is_empty(), "look different: {differ:?}");
}
