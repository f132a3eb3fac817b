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
    limits::{Count, Counters, Limits},
    table::ConnectionId,
};

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
    /// Changed since the last spread, and watched by somebody.
    changed: HashSet<Name>,
    /// More changed than are kept; concerns those who watch everybody.
    missed: bool,
}

impl Inner {
    fn is_watched(&self, name: &Name) -> bool {
        let all = (name.clone(), ConnectionId(0))..=(name.clone(), ConnectionId(u64::MAX));
        self.names.range(all).next().is_some()
    }

    fn end(&mut self, connection: ConnectionId, watch: &Watch) {
        self.everybody.remove(&connection);
        if let Watch::Names(names) = watch {
            for name in names.iter() {
                self.names.remove(&(name.clone(), connection));
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
        connection: ConnectionId,
        before: &Watch,
        watch: &Watch,
        outbox: &Arc<Outbox>,
    ) -> Result<(), Refusal> {
        let mut inner = self.inner();
        inner.end(connection, before);
        outbox.forget_changes();
        match watch {
            Watch::Names(names) if inner.names.len() + names.len() <= self.limits.watched => {
                for name in names.iter() {
                    let key = (name.clone(), connection);
                    inner.names.insert(key, Arc::clone(outbox));
                    outbox.change(name, usize::MAX);
                }
                Ok(())
            }
            Watch::Everybody if inner.everybody.len() < self.limits.watchers_of_all => {
                inner.everybody.insert(connection, Arc::clone(outbox));
                Ok(())
            }
            _ => Err(Refusal::TooMany),
        }
    }

    /// `connection` watches nothing any more.
    pub(super) fn end(&self, connection: ConnectionId, watch: &Watch) {
        self.inner().end(connection, watch);
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
        if std::mem::take(&mut inner.missed) {
            for outbox in inner.everybody.values() {
                outbox.miss();
                counters.add(Count::ChangesMissed);
            }
        }
        for name in &changed {
            let all = (name.clone(), ConnectionId(0))..=(name.clone(), ConnectionId(u64::MAX));
            let watching = inner.names.range(all).map(|(_, outbox)| outbox);
            for outbox in watching.chain(inner.everybody.values()) {
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
        let all = std::iter::from_fn(|| match outbox.take()? {
            Delivery::Changed(name) => Some(name.to_string()),
            other => Some(format!("{other:?}")),
        });
        all.collect()
    }

    fn with(limits: Limits) -> (Watches, Counters) {
        (Watches::new(limits), Counters::default())
    }

    #[test]
    fn watching_again_replaces_and_no_names_end_it() {
        let (watches, counters) = with(Limits::default());
        let outbox = Arc::default();
        let (bob, carol, none) = (names(&["bob"]), names(&["carol"]), names(&[]));
        watches.set(ConnectionId(1), &none, &bob, &outbox).unwrap();
        assert_eq!(told(&outbox), ["bob"], "how it is now");
        watches.set(ConnectionId(1), &bob, &carol, &outbox).unwrap();
        assert_eq!(told(&outbox), ["carol"]);
        let change = |text: &str| watches.changed(&text.parse().unwrap());
        ["bob", "carol", "Carol"].into_iter().for_each(change);
        watches.spread(&counters);
        assert_eq!(told(&outbox), ["carol"]);
        watches
            .set(ConnectionId(1), &carol, &none, &outbox)
            .unwrap();
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
            .set(ConnectionId(1), &none, &dave, &Arc::default())
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
            .set(ConnectionId(1), &none, &Watch::Everybody, &all)
            .unwrap();
        watches
            .set(ConnectionId(2), &none, &names(&["bob"]), &one)
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
