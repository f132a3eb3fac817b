//! Who watches which names, and what has changed since they were last told.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use codec::{
    Name,
    registry::{Refusal, Watch},
};

use super::outbox::Outbox;
use crate::{
    limits::{Count, Counters, Limits, Source},
    table::ConnectionId,
};

/// The most that is noted at once, changes times those who watch everybody: about 20 ms of work,
/// during which nobody can begin to watch. Beyond it they are told that they have missed some.
const SPREAD_MAX: usize = 64 * 1024;

/// Who watches which names. A change is noted at once and spread later, so that a name that
/// changes often costs its watchers no more than one that changes now and then.
#[derive(Debug)]
pub(super) struct Watches {
    limits: Limits,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    names: BTreeMap<(Name, ConnectionId), Arc<Outbox>>,
    everybody: HashMap<ConnectionId, Arc<Outbox>>,
    /// What each source watches; only of sources that watch something.
    sources: HashMap<Source, Watched>,
    /// Changed since the last spread, and watched by somebody.
    changed: HashSet<Name>,
    /// More changed than are kept; concerns those who watch everybody.
    missed: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Watched {
    everybody: usize,
    names: usize,
}

/// A connection, and whose limit it counts for.
pub(super) type Watcher = (ConnectionId, Source);

impl Inner {
    fn is_watched(&self, name: &Name) -> bool {
        let all = (name.clone(), ConnectionId(0))..=(name.clone(), ConnectionId(u64::MAX));
        self.names.range(all).next().is_some()
    }

    fn end(&mut self, (connection, source): Watcher, watch: &Watch) {
        let mut ended = Watched {
            everybody: usize::from(self.everybody.remove(&connection).is_some()),
            names: 0,
        };
        if let Watch::Names(names) = watch {
            for name in names.iter() {
                let known = self.names.remove(&(name.clone(), connection));
                ended.names += usize::from(known.is_some());
            }
        }
        if let Some(watched) = self.sources.get_mut(&source) {
            watched.everybody -= ended.everybody;
            watched.names -= ended.names;
            if *watched == Watched::default() {
                self.sources.remove(&source);
            }
        }
    }
}

impl Watches {
    pub(super) fn new(limits: Limits) -> Self {
        let inner = Mutex::default();
        Self { limits, inner }
    }

    /// The lock is held for one operation, never across an await.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on `connection` is told about `watch`, and no more about `before`. How watched
    /// names are now counts as a change.
    ///
    /// # Errors
    /// [`Refusal::TooMany`]: then nothing is watched.
    pub(super) fn set(
        &self,
        watcher: Watcher,
        before: &Watch,
        watch: &Watch,
        outbox: &Arc<Outbox>,
    ) -> Result<(), Refusal> {
        let mut inner = self.inner();
        inner.end(watcher, before);
        outbox.forget_changes();
        let (connection, source) = watcher;
        let mut theirs = inner.sources.get(&source).copied().unwrap_or_default();
        let limits = &self.limits;
        match watch {
            Watch::Names(names)
                if inner.names.len() + names.len() <= limits.watched
                    && theirs.names + names.len() <= limits.watched_per_address =>
            {
                for name in names.iter() {
                    let key = (name.clone(), connection);
                    let known = inner.names.insert(key, Arc::clone(outbox));
                    // A name may be told twice.
                    theirs.names += usize::from(known.is_none());
                    outbox.change(name, usize::MAX);
                }
            }
            Watch::Everybody
                if inner.everybody.len() < limits.watchers_of_all
                    && theirs.everybody < limits.watchers_of_all_per_address =>
            {
                inner.everybody.insert(connection, Arc::clone(outbox));
                theirs.everybody += 1;
            }
            _ => return Err(Refusal::TooMany),
        }
        if theirs != Watched::default() {
            inner.sources.insert(source, theirs);
        }
        Ok(())
    }

    /// `connection` watches nothing any more.
    pub(super) fn end(&self, watcher: Watcher, watch: &Watch) {
        self.inner().end(watcher, watch);
    }

    /// Notes that a name is other than it was. Costs nothing where nobody watches it.
    pub(super) fn changed(&self, name: &Name) {
        let mut inner = self.inner();
        if inner.names.is_empty() && inner.everybody.is_empty() {
            return;
        }
        if inner.is_watched(name) {
            inner.changed.insert(name.clone());
        } else if !inner.everybody.is_empty() {
            if inner.changed.len() < self.limits.watched {
                inner.changed.insert(name.clone());
            } else {
                inner.missed = true;
            }
        }
    }

    /// Tells everybody what has changed for them since the last time.
    pub(super) fn spread(&self, counters: &Counters) {
        let mut inner = self.inner();
        if inner.changed.is_empty() && !inner.missed {
            return;
        }
        let changed = std::mem::take(&mut inner.changed);
        let missed = std::mem::take(&mut inner.missed)
            || changed.len() > self.limits.changes
            || changed.len() * inner.everybody.len() > SPREAD_MAX;
        if missed {
            for outbox in inner.everybody.values() {
                outbox.miss();
                counters.add(Count::ChangesMissed);
            }
        }
        for name in &changed {
            let all = (name.clone(), ConnectionId(0))..=(name.clone(), ConnectionId(u64::MAX));
            let watching = inner.names.range(all).map(|(_, outbox)| outbox);
            // Who was told that something was missed reads the whole directory.
            let everybody = inner.everybody.values().filter(|_| !missed);
            for outbox in watching.chain(everybody) {
                if outbox.change(name, self.limits.changes) {
                    counters.add(Count::ChangesMissed);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use codec::List;

    use super::*;
    use crate::server::outbox::Delivery;

    fn names(texts: &[&str]) -> Watch {
        Watch::Names(List::first_of(
            texts.iter().map(|text| text.parse().unwrap()),
        ))
    }

    fn told(outbox: &Outbox) -> Vec<String> {
        let all = std::iter::from_fn(|| match outbox.take(false)? {
            Delivery::Changed(name) => Some(name.to_string()),
            other => Some(format!("{other:?}")),
        });
        all.collect()
    }

    fn watcher(connection: u64, address: u8) -> Watcher {
        let ip = std::net::IpAddr::from([10, 0, 0, address]);
        (ConnectionId(connection), Source::from(ip))
    }

    #[test]
    fn one_address_does_not_take_all_there_is_and_gives_back_what_it_leaves() {
        let (watches, _) = with(Limits {
            watchers_of_all: 3,
            watchers_of_all_per_address: 2,
            watched: 5,
            watched_per_address: 3,
            ..Limits::default()
        });
        let (none, all, outbox) = (names(&[]), Watch::Everybody, Arc::default());
        let set = |number, address, before: &Watch, watch: &Watch| {
            let watcher = watcher(number, address);
            watches.set(watcher, before, watch, &outbox)
        };
        let refused = Err(Refusal::TooMany);
        assert_eq!(set(1, 1, &none, &all), Ok(()));
        assert_eq!(set(2, 1, &none, &all), Ok(()));
        assert_eq!(set(3, 1, &none, &all), refused);
        assert_eq!(set(4, 2, &none, &all), Ok(()));
        assert_eq!(set(2, 1, &all, &all), Ok(()), "instead of what it had");
        let (two, twice) = (names(&["a", "b"]), names(&["c", "C", "d"]));
        assert_eq!(set(2, 1, &all, &two), Ok(()));
        assert_eq!(set(3, 1, &none, &two), refused);
        assert_eq!(set(5, 2, &none, &twice), Ok(()));
        assert_eq!(watches.inner().sources[&watcher(5, 2).1].names, 2);
        watches.end(watcher(1, 1), &all);
        watches.end(watcher(2, 1), &two);
        watches.end(watcher(4, 2), &all);
        watches.end(watcher(5, 2), &twice);
        assert!(watches.inner().sources.is_empty());
    }

    #[test]
    fn many_changes_for_many_who_watch_everybody_are_told_as_missed_at_once() {
        let (watches, counters) = with(Limits {
            watchers_of_all_per_address: 256,
            ..Limits::default()
        });
        let none = names(&[]);
        let outboxes: Vec<Arc<Outbox>> = (0..256).map(|_| Arc::default()).collect();
        for (number, outbox) in (0..).zip(&outboxes) {
            let set = watches.set(watcher(number, 1), &none, &Watch::Everybody, outbox);
            set.unwrap();
        }
        let one = Arc::default();
        watches
            .set(watcher(999, 1), &none, &names(&["n7"]), &one)
            .unwrap();
        assert_eq!(told(&one), ["n7"]);
        // Fewer than one of them may have waiting.
        for number in 0..300 {
            watches.changed(&format!("n{number}").parse().unwrap());
        }
        watches.spread(&counters);
        assert_eq!(told(&one), ["n7"]);
        assert!(outboxes.iter().all(|outbox| told(outbox) == ["Missed"]));
        assert_eq!(counters.get(Count::ChangesMissed), 256);
    }

    fn with(limits: Limits) -> (Watches, Counters) {
        (Watches::new(limits), Counters::default())
    }

    #[test]
    fn watching_again_replaces_and_no_names_end_it() {
        let (watches, counters) = with(Limits::default());
        let outbox = Arc::default();
        let (bob, carol, none) = (names(&["bob"]), names(&["carol"]), names(&[]));
        watches.set(watcher(1, 1), &none, &bob, &outbox).unwrap();
        assert_eq!(told(&outbox), ["bob"], "how it is now");
        watches.set(watcher(1, 1), &bob, &carol, &outbox).unwrap();
        assert_eq!(told(&outbox), ["carol"]);
        let change = |text: &str| watches.changed(&text.parse().unwrap());
        ["bob", "carol", "Carol"].into_iter().for_each(change);
        watches.spread(&counters);
        assert_eq!(told(&outbox), ["carol"]);
        watches.set(watcher(1, 1), &carol, &none, &outbox).unwrap();
        change("carol");
        watches.spread(&counters);
        assert!(told(&outbox).is_empty());
        let inner = watches.inner();
        assert!(inner.names.is_empty() && inner.changed.is_empty());
    }

    #[test]
    fn what_nobody_watches_is_not_kept() {
        let (watches, _) = with(Limits::default());
        watches.changed(&"bob".parse().unwrap());
        let (none, dave) = (names(&[]), names(&["dave"]));
        watches
            .set(watcher(1, 1), &none, &dave, &Arc::default())
            .unwrap();
        watches.changed(&"bob".parse().unwrap());
        assert!(watches.inner().changed.is_empty());
    }

    #[test]
    fn more_changes_than_are_kept_are_told_as_missed_to_who_watches_everybody_alone() {
        let (watches, counters) = with(Limits {
            watched: 2,
            ..Limits::default()
        });
        let (all, one) = (Arc::default(), Arc::default());
        let none = names(&[]);
        watches
            .set(watcher(1, 1), &none, &Watch::Everybody, &all)
            .unwrap();
        watches
            .set(watcher(2, 1), &none, &names(&["bob"]), &one)
            .unwrap();
        assert_eq!(told(&one), ["bob"]);
        for name in ["x", "y", "z", "bob"] {
            watches.changed(&name.parse().unwrap());
        }
        watches.spread(&counters);
        assert_eq!(told(&all), ["Missed"]);
        assert_eq!(told(&one), ["bob"]);
        assert_eq!(counters.get(Count::ChangesMissed), 1);
    }
}
