//! What happens in a registry, for its log, its printed table and its window.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
};

use codec::Name;

mod warning;

pub use warning::{Mended, Standing, Warning};

/// How many events may wait for whoever reads them; what comes beyond is dropped and counted.
pub const EVENTS_MAX: usize = 8192;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// What the registry is known by to those who have met it.
    Key {
        /// Of its long-term key.
        fingerprint: String,
    },
    /// The registry takes connections.
    Listening {
        /// Where.
        addr: SocketAddr,
    },
    /// Somebody connected.
    Connected {
        /// From where.
        peer: SocketAddr,
    },
    /// A connection ended.
    Disconnected {
        /// From where it came.
        peer: SocketAddr,
        /// Why it ended.
        why: String,
    },
    /// A message came in.
    Received {
        /// From whom.
        peer: SocketAddr,
        /// What it says, without its secrets.
        message: String,
    },
    /// A message went out.
    Sent {
        /// To whom.
        peer: SocketAddr,
        /// What it says, without its secrets.
        message: String,
    },
    /// A device was added to the table.
    Added {
        /// Under which name.
        name: Name,
    },
    /// A device left the table, because it said so or because its lease ended.
    Removed {
        /// Under which name.
        name: Name,
        /// Its lease ended.
        expired: bool,
    },
    /// How often each limit was reached, because somebody asked or the registry stops.
    Counters(String),
    /// What the operator had done.
    Operator(String),
    /// What an operator wants to know at the start.
    Notice(String),
    /// Something is wrong that the operator can mend.
    Warning(Warning),
    /// It is right again.
    Mended(Mended),
}

/// Takes events and never waits.
#[derive(Debug, Clone)]
pub struct Events {
    queue: SyncSender<Event>,
    dropped: Arc<AtomicU64>,
    standing: Standing,
}

impl Events {
    /// A bounded queue of events.
    #[must_use]
    pub fn channel() -> (Self, Receiver<Event>) {
        let (queue, events) = sync_channel(EVENTS_MAX);
        (
            Self {
                queue,
                dropped: Arc::default(),
                standing: Standing::default(),
            },
            events,
        )
    }

    /// Tells what happened, or counts it as dropped when nobody reads fast enough.
    pub fn tell(&self, event: Event) {
        match &event {
            Event::Warning(warning) => self.standing.begin(warning),
            Event::Mended(mended) => self.standing.end(*mended),
            _ => {}
        }
        if self.queue.try_send(event).is_err() {
            self.dropped.fetch_add(1, Relaxed);
        }
    }

    /// Where dropped events are counted.
    #[must_use]
    pub fn dropped(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.dropped)
    }

    /// What is wrong at any time.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.standing.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_counted() {
        let (events, _receiver) = Events::channel();
        for _ in 0..EVENTS_MAX + 5 {
            events.tell(Event::Notice("n".into()));
        }
        assert_eq!(events.dropped().load(Relaxed), 5);
        // What is wrong is known all the same.
        events.tell(Event::Warning(Warning::StoreFailed));
        assert_eq!(events.standing().now(), [Warning::StoreFailed]);
    }
}
