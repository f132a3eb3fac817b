//! Takes what happens in a registry out of its queue, on a thread of its own, and keeps it for the
//! window until that asks. Nobody waits for a window that does not.

use std::{
    collections::VecDeque,
    io, mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::{Receiver, RecvTimeoutError},
    },
    thread,
    time::{Duration, SystemTime},
};

use codec::UnixMillis;
use tokio::sync::watch;

use super::lines::{BYTES_MAX, LINES_MAX, Line, What};
use crate::event::Event;

/// So many events are written down at a time.
const AT_ONCE: usize = 1024;

/// How often it is looked whether events were dropped, while none come.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Lines on their way from registries to the window.
#[derive(Debug, Clone, Default)]
pub struct Journal(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    arrived: watch::Sender<u64>,
}

/// Lines that nobody has taken yet.
#[derive(Debug, Default)]
struct Waiting {
    lines: VecDeque<Line>,
    bytes: usize,
    /// So many older ones were dropped, because nobody took them.
    missing: u64,
}

impl Waiting {
    fn push(&mut self, line: Line) {
        self.bytes += line.text.len();
        self.lines.push_back(line);
        while self.lines.len() > LINES_MAX || self.bytes > BYTES_MAX {
            let Some(oldest) = self.lines.pop_front() else {
                break;
            };
            self.bytes -= oldest.text.len();
            self.missing += match oldest.what {
                What::Missing(lines) => lines,
                _ => 1,
            };
        }
    }
}

impl Journal {
    /// Writes down `events` until all their senders are gone; `dropped` counts those that did not
    /// fit in the queue.
    ///
    /// # Errors
    /// Those of the system, when it gives no thread.
    pub fn follow(&self, events: Receiver<Event>, dropped: Arc<AtomicU64>) -> io::Result<()> {
        let journal = self.clone();
        let thread = thread::Builder::new().name("journal".to_owned());
        // It ends by itself, with the registry.
        thread.spawn(move || journal.run(&events, &dropped))?;
        Ok(())
    }

    /// What has come since this was asked last, the oldest first.
    #[must_use]
    pub fn take(&self) -> Vec<Line> {
        let Waiting { lines, missing, .. } = mem::take(&mut *self.waiting());
        let at = lines.front().map_or_else(now, |line| line.at);
        let gap = (missing > 0).then(|| Line::new(at, What::Missing(missing), ""));
        gap.into_iter().chain(lines).collect()
    }

    /// Tells when there is something to take.
    #[must_use]
    pub fn arrivals(&self) -> watch::Receiver<u64> {
        self.0.arrived.subscribe()
    }

    /// Writes a line of the window's own.
    pub fn note(&self, what: What, text: &str) {
        self.write([Line::new(now(), what, text)]);
    }

    fn run(&self, events: &Receiver<Event>, dropped: &AtomicU64) {
        let mut told = 0;
        loop {
            let first = match events.recv_timeout(LOOK_EVERY) {
                Ok(event) => Some(event),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let at = now();
            let more = events.try_iter().take(AT_ONCE);
            let mut lines: Vec<Line> = first
                .into_iter()
                .chain(more)
                .map(|event| Line::of(event, at))
                .collect();
            let total = dropped.load(Relaxed);
            if total > told {
                lines.push(Line::new(at, What::Missing(total - told), ""));
                told = total;
            }
            if !lines.is_empty() {
                self.write(lines);
            }
        }
    }

    fn write(&self, lines: impl IntoIterator<Item = Line>) {
        {
            let mut waiting = self.waiting();
            lines.into_iter().for_each(|line| waiting.push(line));
        }
        self.0.arrived.send_modify(|times| *times += 1);
    }

    /// The lock is held to put lines in or to take all of them out at once.
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        let waiting = &self.0.waiting;
        waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    UnixMillis::try_from(since.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Events;

    #[test]
    fn lines_come_in_the_order_of_the_events_and_only_once() {
        let journal = Journal::default();
        let (events, queue) = Events::channel();
        for text in ["one", "two"] {
            events.tell(Event::Notice(text.to_owned()));
        }
        let dropped = events.dropped();
        drop(events);
        journal.run(&queue, &dropped);
        let taken: Vec<_> = journal.take().into_iter().map(|it| it.text).collect();
        assert_eq!(taken, ["one".into(), "two".into()] as [Arc<str>; 2]);
        assert!(journal.take().is_empty());
    }

    #[test]
    fn a_window_that_does_not_ask_costs_bounded_memory_and_is_told_what_it_missed() {
        let journal = Journal::default();
        for _ in 0..LINES_MAX + 3 {
            journal.note(What::Note, "n");
        }
        let taken = journal.take();
        assert_eq!(taken[0].what, What::Missing(3));
        assert_eq!(taken.len(), LINES_MAX + 1);
    }

    #[test]
    fn what_did_not_fit_in_the_queue_is_told() {
        let journal = Journal::default();
        let (events, queue) = Events::channel();
        for _ in 0..crate::event::EVENTS_MAX + 9 {
            events.tell(Event::Notice("n".to_owned()));
        }
        let dropped = events.dropped();
        drop(events);
        journal.run(&queue, &dropped);
        let missing = journal.take().into_iter().map(|line| match line.what {
            What::Missing(lines) => lines,
            _ => 0,
        });
        assert_eq!(missing.sum::<u64>(), 9);
    }
}
