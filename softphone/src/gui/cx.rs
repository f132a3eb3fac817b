//! What every screen may look at while it is drawn.

use std::{sync::Arc, time::Instant};

use codec::UnixMillis;
use i18n_embed::fluent::FluentLanguageLoader;

use crate::{board::Board, engine::unix_now, phone::Settings, settings::preferences::Preferences};

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
    /// The window has the keyboard.
    pub focused: bool,
}

/// Where that is kept.
pub(super) struct World {
    pub(super) texts: FluentLanguageLoader,
    pub(super) preferences: Preferences,
    pub(super) board: Arc<Board>,
    pub(super) now: Instant,
    pub(super) focused: bool,
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
            focused: self.focused,
        }
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
            now: Instant::now(),
            focused: true,
        }
    }
}
