//! How everything stands, shown to whoever looks: folded from what happens, and shown at most so
//! often, so that nothing that happens often costs more than that.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::watch;

use super::{Event, Views};
use crate::board::Board;

/// How long a board is shown before another one takes its place.
const BOARD_EVERY: Duration = Duration::from_millis(50);

/// What is shown, and what is to be.
#[derive(Debug)]
pub(super) struct Shown {
    board: Board,
    shows: watch::Sender<Arc<Board>>,
    /// When what is not shown yet is to be; nothing when all is.
    due: Option<Instant>,
    /// When it was shown last.
    last: Option<Instant>,
}

impl Shown {
    pub(super) fn new(board: Board) -> (Self, Views) {
        let (shows, seen) = watch::channel(Arc::new(board.clone()));
        let shown = Self {
            board,
            shows,
            due: None,
            last: None,
        };
        (shown, Views { board: seen })
    }

    /// Takes in what happened.
    pub(super) fn hear(&mut self, event: &Event, now: Instant) {
        // Ten times a second, and whoever shows them hears them.
        if matches!(event, Event::Levels { .. }) {
            return;
        }
        self.board.hear(event, now);
        if self.due.is_none() {
            self.due = Some(self.last.map_or(now, |last| last + BOARD_EVERY));
        }
    }

    /// How everything stands, also what is not shown yet.
    #[expect(
        dead_code,
        reason = "what talks to the phone from elsewhere comes next"
    )]
    pub(super) fn board(&self) -> &Board {
        &self.board
    }

    /// When to call [`Self::show`].
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    /// Shows what is due.
    pub(super) fn show(&mut self, now: Instant) {
        if self.due.is_some_and(|due| due <= now) {
            self.show_now(now);
        }
    }

    /// Shows how everything stands at the end.
    pub(super) fn finish(&mut self, now: Instant) {
        if self.due.is_some() {
            self.show_now(now);
        }
    }

    fn show_now(&mut self, now: Instant) {
        self.shows.send_replace(Arc::new(self.board.clone()));
        (self.due, self.last) = (None, Some(now));
    }
}
