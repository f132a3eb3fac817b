//! What other connections hand to one: envelopes, and names that have changed.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use codec::{Envelope, Name, registry::ClosingReason};
use tokio::sync::Notify;

use crate::limits::{Limits, Source};

/// What one connection hands to another.
#[derive(Debug)]
pub(super) enum Delivery {
    /// An envelope for a name that is registered there.
    Envelope(Arc<Parcel>),
    /// The connection is to end: the device is registered on another one now, or the operator ends
    /// it.
    Ended(ClosingReason),
    /// A watched name may be other than it was.
    Changed(Name),
    /// More names changed than are kept.
    Missed,
}

/// The bytes of all envelopes that wait, and of whom they are; at most as many as envelopes.
#[derive(Debug, Default)]
pub(super) struct Room(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    sources: HashMap<Source, usize>,
}

impl Room {
    /// The lock is held for one operation of the map, never across an await.
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, source: Source, bytes: usize, limits: &Limits) -> bool {
        let mut taken = self.taken();
        let from_there = taken.sources.get(&source).copied().unwrap_or_default();
        let fits = taken.all + bytes <= limits.envelope_bytes
            && from_there + bytes <= limits.envelope_bytes_per_address;
        if fits {
            taken.all += bytes;
            taken.sources.insert(source, from_there + bytes);
        }
        fits
    }

    fn give_back(&self, source: Source, bytes: usize) {
        let mut taken = self.taken();
        taken.all -= bytes;
        if let Some(from_there) = taken.sources.get_mut(&source) {
            *from_there -= bytes;
            if *from_there == 0 {
                taken.sources.remove(&source);
            }
        }
    }
}

/// An envelope on its way, which takes room until the last connection has it.
#[derive(Debug)]
pub(super) struct Parcel {
    pub(super) envelope: Envelope,
    source: Source,
    room: Arc<Room>,
}

impl Parcel {
    /// An envelope from `source`; `None` when there is no room for it.
    pub(super) fn new(
        envelope: Envelope,
        source: Source,
        room: &Arc<Room>,
        limits: &Limits,
    ) -> Option<Self> {
        let fits = room.take(source, envelope.sealed_len(), limits);
        fits.then(|| Self {
            envelope,
            source,
            room: Arc::clone(room),
        })
    }
}

impl Drop for Parcel {
    fn drop(&mut self) {
        self.room.give_back(self.source, self.envelope.sealed_len());
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
    ended: Option<ClosingReason>,
}

impl Outbox {
    /// The lock is held for a few operations, never across an await.
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an envelope unless too many wait, in all or of its sender, and says whether it did.
    pub(super) fn put(&self, parcel: &Arc<Parcel>, limits: &Limits) -> bool {
        let mut waiting = self.waiting();
        let of = |same: fn(&Parcel, &Parcel) -> bool| {
            let theirs = waiting.envelopes.iter().filter(|it| same(it, parcel));
            theirs.count()
        };
        let fits = waiting.envelopes.len() < limits.envelopes
            && of(|a, b| a.source == b.source) < limits.envelopes_per_address
            && of(|a, b| a.envelope.from.identity == b.envelope.from.identity)
                < limits.envelopes_per_sender;
        if fits {
            waiting.envelopes.push_back(Arc::clone(parcel));
            self.wake.notify_one();
        }
        fits
    }

    /// The connection is to end, for the first reason that is given.
    pub(super) fn end(&self, reason: ClosingReason) {
        self.waiting().ended.get_or_insert(reason);
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

    /// The next thing that waits; with `calls_only` no changes. May be cancelled.
    pub(super) async fn next(&self, calls_only: bool) -> Delivery {
        loop {
            if let Some(delivery) = self.take(calls_only) {
                return delivery;
            }
            self.wake.notified().await;
        }
    }

    /// The next thing that waits, if anything does; with `calls_only` no changes.
    pub(super) fn take(&self, calls_only: bool) -> Option<Delivery> {
        let mut waiting = self.waiting();
        if let Some(reason) = waiting.ended.take() {
            return Some(Delivery::Ended(reason));
        }
        if let Some(parcel) = waiting.envelopes.pop_front() {
            return Some(Delivery::Envelope(parcel));
        }
        // An empty queue keeps no memory.
        waiting.envelopes = VecDeque::new();
        if calls_only {
            return None;
        }
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
        assert!(matches!(outbox.take(false), Some(Delivery::Changed(it)) if it == name(1)));
        assert!(outbox.take(false).is_none());
    }

    #[test]
    fn changes_wait_where_only_calls_are_wanted() {
        let outbox = Outbox::default();
        outbox.change(&name(1), 2);
        assert!(outbox.take(true).is_none());
        outbox.end(ClosingReason::Replaced);
        outbox.end(ClosingReason::Operator);
        let ended = outbox.take(true);
        assert!(matches!(
            ended,
            Some(Delivery::Ended(ClosingReason::Replaced))
        ));
        assert!(matches!(outbox.take(false), Some(Delivery::Changed(_))));
        outbox.miss();
        assert!(outbox.take(true).is_none());
        assert!(matches!(outbox.take(false), Some(Delivery::Missed)));
    }

    #[test]
    fn who_has_too_many_changes_waiting_is_told_that_some_were_missed_and_goes_on() {
        let outbox = Outbox::default();
        assert!((0..2).all(|number| !outbox.change(&name(number), 2)));
        assert!(!outbox.change(&name(0), 2), "this one waits already");
        assert!(outbox.change(&name(2), 2));
        assert!(!outbox.change(&name(3), 2), "that is told once");
        assert!(matches!(outbox.take(false), Some(Delivery::Missed)));
        assert!(outbox.take(false).is_none());
        assert!(!outbox.change(&name(4), 2));
        assert!(matches!(outbox.take(false), Some(Delivery::Changed(_))));
    }
}
