//! What every screen may look at while it is drawn.

use std::{sync::Arc, time::Instant};

use codec::UnixMillis;
use i18n_embed::fluent::FluentLanguageLoader;
use iced::Size;

use crate::{
    board::Board,
    contacts::Book,
    engine::{Views, unix_now},
    history::History,
    journal::Journal,
    phone::Settings,
    roster::Roster,
    settings::preferences::Preferences,
};

/// What every screen may look at. Screens keep nothing of it.
#[derive(Clone, Copy)]
pub struct Cx<'a> {
    /// What stands on the screen, in the person's language: `fl!(cx.texts, "people-call")`.
    pub texts: &'a FluentLanguageLoader,
    /// When the screen is drawn: how long a call has lasted goes by it.
    pub now: Instant,
    /// The same by this machine's clock: when a call was goes by it.
    pub clock: UnixMillis,
    /// What the person has set.
    pub preferences: &'a Preferences,
    /// The phone and its calls.
    pub board: &'a Board,
    /// Who is registered.
    pub roster: &'a Arc<Roster>,
    /// Whom the person knows.
    pub book: &'a Arc<Book>,
    /// The calls that are over.
    pub history: &'a History,
    /// Messages sent and received; a screen may keep what there was.
    pub journal: &'a Arc<Journal>,
    /// Since when the window has the keyboard, if it has it.
    pub focused: Option<Instant>,
    /// How large the window is, in logical pixels: the larger the texts, the fewer there are.
    pub room: Size,
}

/// Where that is kept.
pub(super) struct World {
    pub(super) texts: FluentLanguageLoader,
    pub(super) preferences: Preferences,
    pub(super) board: Arc<Board>,
    pub(super) roster: Arc<Roster>,
    pub(super) book: Arc<Book>,
    pub(super) history: Arc<History>,
    pub(super) journal: Arc<Journal>,
    pub(super) now: Instant,
    pub(super) focused: Option<Instant>,
    pub(super) room: Size,
}

impl World {
    /// To look at.
    pub(super) fn cx(&self) -> Cx<'_> {
        Cx {
            texts: &self.texts,
            now: self.now,
            clock: unix_now(),
            preferences: &self.preferences,
            board: &self.board,
            roster: &self.roster,
            book: &self.book,
            history: &self.history,
            journal: &self.journal,
            focused: self.focused,
            room: self.room,
        }
    }

    /// Looks how everything stands now.
    pub(super) fn look_at(&mut self, views: &mut Views) {
        self.board = Arc::clone(&views.board.borrow_and_update());
        self.roster = Arc::clone(&views.roster.borrow_and_update());
        self.book = Arc::clone(&views.book.borrow_and_update());
        self.history = Arc::clone(&views.history.borrow_and_update());
        self.journal = Arc::clone(&views.journal.borrow_and_update());
    }

    /// A phone begins: nobody has been seen yet.
    pub(super) fn begin(&mut self) {
        self.roster = Arc::default();
        self.book = Arc::default();
        self.history = Arc::default();
        self.journal = Arc::default();
    }

    /// Nobody has signed in yet.
    pub(super) fn new(texts: FluentLanguageLoader) -> Self {
        let (name, registry) = ("nobody".parse(), "localhost".parse());
        let name = name.expect("a name of letters");
        let registry = registry.expect("a host of letters");
        let board = Board::new(name, registry, &Settings::of_person());
        Self {
            texts,
            preferences: Preferences::default(),
            board: Arc::new(board),
            roster: Arc::default(),
            book: Arc::default(),
            history: Arc::default(),
            journal: Arc::default(),
            now: Instant::now(),
            focused: None,
            room: Size::ZERO,
        }
    }
}
