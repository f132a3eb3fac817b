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
    journal::Journal,
    phone::Phone,
    roster::Roster,
};

/// How long a board is shown before another one takes its place.
const BOARD_EVERY: Duration = Duration::from_millis(50);

/// How long a journal is shown.
const JOURNAL_EVERY: Duration = Duration::from_millis(100);

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
    /// The messages sent and received, and what else was noted; new at most every 100 ms.
    pub journal: watch::Receiver<Arc<Journal>>,
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
            journal: watch::channel(Arc::default()).1,
        }
    }
}

/// The driver's side of [`Views`]: what is shown, and what is to be.
#[derive(Debug)]
pub(super) struct Shown {
    board: Pane<Board>,
    journal: Pane<Journal>,
    roster: watch::Sender<Arc<Roster>>,
    book: watch::Sender<Arc<Book>>,
    history: watch::Sender<Arc<History>>,
    /// Which edition of the phone's roster and book was shown last.
    editions: (u64, u64),
    /// From when on the roster may be shown anew.
    roster_from: Instant,
}

/// One thing that is shown.
#[derive(Debug)]
struct Pane<T> {
    now: T,
    shows: watch::Sender<Arc<T>>,
    every: Duration,
    /// When what is not shown yet is to be; nothing when all is.
    due: Option<Instant>,
    /// When it was shown last.
    last: Option<Instant>,
}

impl<T: Clone> Pane<T> {
    fn new(now: T, every: Duration) -> (Self, watch::Receiver<Arc<T>>) {
        let (shows, seen) = watch::channel(Arc::new(now.clone()));
        let pane = Self {
            now,
            shows,
            every,
            due: None,
            last: None,
        };
        (pane, seen)
    }

    /// What is to be shown anew after a change.
    fn change(&mut self, now: Instant) -> &mut T {
        if self.due.is_none() {
            self.due = Some(self.last.map_or(now, |last| last + self.every));
        }
        &mut self.now
    }

    fn show(&mut self, now: Instant) {
        self.shows.send_replace(Arc::new(self.now.clone()));
        (self.due, self.last) = (None, Some(now));
    }

    fn show_if(&mut self, is_due: impl FnOnce(Instant) -> bool, now: Instant) {
        if self.due.is_some_and(is_due) {
            self.show(now);
        }
    }
}

impl Shown {
    /// What is shown of a phone that has not begun.
    pub(super) fn new(board: Board, phone: &Phone, calls: &Calls, now: Instant) -> (Self, Views) {
        let (board, board_view) = Pane::new(board, BOARD_EVERY);
        let (journal, journal_view) = Pane::new(Journal::default(), JOURNAL_EVERY);
        let (roster, roster_view) = watch::channel(Arc::default());
        let (book, book_view) = watch::channel(Arc::new(phone.book().clone()));
        let (history, history_view) = watch::channel(Arc::new(calls.history().clone()));
        let shown = Self {
            board,
            journal,
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
            journal: journal_view,
        };
        (shown, views)
    }

    /// Takes in what happened.
    pub(super) fn hear(&mut self, event: &Event, now: Instant) {
        // Ten times a second, and whoever shows them hears them.
        if !matches!(event, Event::Levels { .. }) {
            self.board.change(now).hear(event, now);
        }
    }

    /// How everything stands, also what is not shown yet.
    pub(super) fn board(&self) -> &Board {
        &self.board.now
    }

    /// Where lines are written.
    pub(super) fn journal(&mut self, now: Instant) -> &mut Journal {
        self.journal.change(now)
    }

    /// When [`Self::show`] has something to show that could not be shown yet.
    pub(super) fn poll_timeout(&self, phone: &Phone) -> Option<Instant> {
        let roster = (self.editions.0 != phone.roster_edition()).then_some(self.roster_from);
        let dues = [self.board.due, self.journal.due, roster];
        dues.into_iter().flatten().min()
    }

    /// Shows what is due.
    pub(super) fn show(&mut self, phone: &Phone, now: Instant) {
        self.board.show_if(|due| due <= now, now);
        self.journal.show_if(|due| due <= now, now);
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
        self.board.show_if(|_| true, now);
        self.journal.show_if(|_| true, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_shown_at_once_and_many_together_after_a_while() {
        let (mut pane, seen) = Pane::new(0, Duration::from_millis(100));
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        for ms in 0..=250 {
            *pane.change(at(ms)) += 1;
            pane.show_if(|due| due <= at(ms), at(ms));
            let shown = [1, 101, 201][usize::try_from(ms / 100).unwrap()];
            assert_eq!(**seen.borrow(), shown, "after {ms} ms");
        }
        assert_eq!(pane.due, Some(at(300)));
        pane.show_if(|_| true, at(250));
        assert_eq!((**seen.borrow(), pane.due), (251, None));
    }
}
