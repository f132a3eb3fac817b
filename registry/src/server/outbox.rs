//! What other connections hand to one: envelopes, and names that have changed.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use codec::{Envelope, Name};
use tokio::sync::Notify;

/// What one connection hands to another.
#[derive(Debug)]
pub(super) enum Delivery {
    /// An envelope for a name that is registered there.
    Envelope(Arc<Parcel>),
    /// The device is registered on another connection now.
    Replaced,
    /// A watched name may be other than it was.
    Changed(Name),
    /// More names changed than are kept.
    Missed,
}

/// An envelope on its way, which takes room until the last connection has it.
#[derive(Debug)]
pub(super) struct Parcel {
    pub(super) envelope: Envelope,
    room: Arc<AtomicUsize>,
}

impl Parcel {
    /// An envelope that takes its part of `max` bytes, of which those in `room` are taken; `None`
    /// when there is no room for it.
    pub(super) fn new(envelope: Envelope, room: &Arc<AtomicUsize>, max: usize) -> Option<Self> {
        let room = Arc::clone(room);
        let before = room.fetch_add(envelope.sealed_len(), Relaxed);
        let fits = before + envelope.sealed_len() <= max;
        let parcel = Self { envelope, room };
        fits.then_some(parcel)
    }
}

impl Drop for Parcel {
    fn drop(&mut self) {
        self.room.fetch_sub(self.envelope.sealed_len(), Relaxed);
    }
}

/// What waits for one connection. Nobody who puts something in ever waits.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: Mutex<Waiting>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    envelopes: VecDeque<Arc<Parcel>>,
    /// Each once: what is told is how the name is when its turn comes.
    changed: BTreeSet<Name>,
    missed: bool,
    replaced: bool,
}

impl Outbox {
    /// The lock is held for a few operations, never across an await.
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an envelope unless `max` wait, and says whether it did.
    pub(super) fn put(&self, parcel: &Arc<Parcel>, max: usize) -> bool {
        let mut waiting = self.waiting();
        let fits = waiting.envelopes.len() < max;
        if fits {
            waiting.envelopes.push_back(Arc::clone(parcel));
            self.wake.notify_one();
        }
        fits
    }

    /// The connection is to end.
    pub(super) fn replace(&self) {
        self.waiting().replaced = true;
        self.wake.notify_one();
    }

    /// Notes a changed name; when `max` others wait, all are given up, and it says so.
    pub(super) fn change(&self, name: &Name, max: usize) -> bool {
        let mut waiting = self.waiting();
        if waiting.missed {
            return false;
        }
        if waiting.changed.len() >= max && !waiting.changed.contains(name) {
            waiting.changed.clear();
            waiting.missed = true;
        } else {
            waiting.changed.insert(name.clone());
        }
        self.wake.notify_one();
        waiting.missed
    }

    /// Some change was not noted.
    pub(super) fn miss(&self) {
        let mut waiting = self.waiting();
        waiting.changed.clear();
        waiting.missed = true;
        self.wake.notify_one();
    }

    /// Forgets the changes that wait: others are watched now.
    pub(super) fn forget_changes(&self) {
        let mut waiting = self.waiting();
        waiting.changed = BTreeSet::new();
        waiting.missed = false;
    }

    /// The next thing that waits. May be cancelled.
    pub(super) async fn next(&self) -> Delivery {
        loop {
            if let Some(delivery) = self.take() {
                return delivery;
            }
            self.wake.notified().await;
        }
    }

    /// The next thing that waits, if anything does.
    pub(super) fn take(&self) -> Option<Delivery> {
        let mut waiting = self.waiting();
        if std::mem::take(&mut waiting.replaced) {
            return Some(Delivery::Replaced);
        }
        if let Some(parcel) = waiting.envelopes.pop_front() {
            return Some(Delivery::Envelope(parcel));
        }
        // An empty queue keeps no memory.
        waiting.envelopes = VecDeque::new();
        if std::mem::take(&mut waiting.missed) {
            return Some(Delivery::Missed);
        }
        waiting.changed.pop_first().map(Delivery::Changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(number: usize) -> Name {
        format!("n{number}").parse().unwrap()
    }

    #[test]
    fn a_name_that_changes_often_waits_once() {
        let outbox = Outbox::default();
        for _ in 0..100 {
            assert!(!outbox.change(&name(1), 2));
        }
        assert!(matches!(outbox.take(), Some(Delivery::Changed(it)) if it == name(1)));
        assert!(outbox.take().is_none());
    }

    #[test]
    fn who_has_too_many_changes_waiting_is_told_that_some_were_missed_and_goes_on() {
        let outbox = Outbox::default();
        assert!((0..2).all(|number| !outbox.change(&name(number), 2)));
        assert!(!outbox.change(&name(0), 2), "this one waits already");
        assert!(outbox.change(&name(2), 2));
        assert!(!outbox.change(&name(3), 2), "that is told once");
        assert!(matches!(outbox.take(), Some(Delivery::Missed)));
        assert!(outbox.take().is_none());
        assert!(!outbox.change(&name(4), 2));
        assert!(matches!(outbox.take(), Some(Delivery::Changed(_))));
    }
}
