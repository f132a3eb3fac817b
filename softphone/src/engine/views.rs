//! How everything stands, shown to whoever looks: what happens often is shown at most so often, so
//! that nothing costs more than that.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::watch;

use super::Event;
use crate::{
    board::Board,
    contacts::Book,
    history::{Calls, History},
    phone::Phone,
    roster::Roster,
};

/// How long a board is shown before another one takes its place.
const BOARD_EVERY: Duration = Duration::from_millis(50);

/// How often the directory is shown anew at most: it may change much faster.
const ROSTER_EVERY: Duration = Duration::from_millis(100);

/// How everything stands: whoever reads late, or seldom, sees the newest and has missed nothing
/// that counts. Clones are the same views.
#[derive(Debug, Clone)]
pub struct Views {
    /// The phone and its calls, without levels; new at most every 50 ms.
    pub board: watch::Receiver<Arc<Board>>,
    /// The registry's directory, kept while [`crate::phone::Command::Watch`] says so; at most every
    /// 100 ms.
    pub roster: watch::Receiver<Arc<Roster>>,
    /// Whom the person knows.
    pub book: watch::Receiver<Arc<Book>>,
    /// The calls that are over.
    pub history: watch::Receiver<Arc<History>>,
}

impl Views {
    /// Views that stay as they are, of a phone that does not run and knows nobody.
    #[must_use]
    pub fn of(board: Board) -> Self {
        Self {
            board: watch::channel(Arc::new(board)).1,
            roster: watch::channel(Arc::default()).1,
            book: watch::channel(Arc::default()).1,
            history: watch::channel(Arc::default()).1,
        }
    }
}

/// The driver's side of [`Views`]: what is shown, and what is to be.
#[derive(Debug)]
pub(super) struct Shown {
    board: Board,
    boards: watch::Sender<Arc<Board>>,
    /// When what is not shown of the board yet is to be; nothing when all is.
    board_due: Option<Instant>,
    /// When it was shown last.
    board_last: Option<Instant>,
    roster: watch::Sender<Arc<Roster>>,
    book: watch::Sender<Arc<Book>>,
    history: watch::Sender<Arc<History>>,
    /// Which edition of the phone's roster and book was shown last.
    editions: (u64, u64),
    /// From when on the roster may be shown anew.
    roster_from: Instant,
}

impl Shown {
    /// What is shown of a phone that has not begun.
    pub(super) fn new(board: Board, phone: &Phone, calls: &Calls, now: Instant) -> (Self, Views) {
        let (boards, board_view) = watch::channel(Arc::new(board.clone()));
        let (roster, roster_view) = watch::channel(Arc::default());
        let (book, book_view) = watch::channel(Arc::new(phone.book().clone()));
        let (history, history_view) = watch::channel(Arc::new(calls.history().clone()));
        let shown = Self {
            board,
            boards,
            board_due: None,
            board_last: None,
            roster,
            book,
            history,
            editions: (phone.roster_edition(), phone.book_edition()),
            roster_from: now,
        };
        let views = Views {
            board: board_view,
            roster: roster_view,
            book: book_view,
            history: history_view,
        };
        (shown, views)
    }

    /// Takes in what happened.
    pub(super) fn hear(&mut self, event: &Event, now: Instant) {
        // Ten times a second, and whoever shows them hears them.
        if matches!(event, Event::Levels { .. }) {
            return;
        }
        self.board.hear(event, now);
        if self.board_due.is_none() {
            self.board_due = Some(self.board_last.map_or(now, |last| last + BOARD_EVERY));
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

    /// When [`Self::show`] has something to show that could not be shown yet.
    pub(super) fn poll_timeout(&self, phone: &Phone) -> Option<Instant> {
        let roster = (self.editions.0 != phone.roster_edition()).then_some(self.roster_from);
        self.board_due.into_iter().chain(roster).min()
    }

    /// Shows what is due.
    pub(super) fn show(&mut self, phone: &Phone, now: Instant) {
        if self.board_due.is_some_and(|due| due <= now) {
            self.show_board(now);
        }
        let (roster, book) = &mut self.editions;
        if *roster != phone.roster_edition() && self.roster_from <= now {
            *roster = phone.roster_edition();
            self.roster_from = now + ROSTER_EVERY;
            self.roster.send_replace(Arc::new(phone.roster()));
        }
        if *book != phone.book_edition() {
            *book = phone.book_edition();
            self.book.send_replace(Arc::new(phone.book().clone()));
        }
    }

    /// Shows the calls that are over, which have changed.
    pub(super) fn show_history(&self, calls: &Calls) {
        self.history.send_replace(Arc::new(calls.history().clone()));
    }

    /// Shows how everything stands at the end.
    pub(super) fn finish(&mut self, now: Instant) {
        if self.board_due.is_some() {
            self.show_board(now);
        }
    }

    fn show_board(&mut self, now: Instant) {
        self.boards.send_replace(Arc::new(self.board.clone()));
        (self.board_due, self.board_last) = (None, Some(now));
    }
}
