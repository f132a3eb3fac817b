//! What of a table outlives the program: where each name can be reached, as it was last.
//!
//! A renewal changes nothing of it, so that the many renewals cost no disk. After a start each
//! device counts for one more lease, marked as unverified until it is heard again.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use codec::{
    DeviceId, KeyCard, Name,
    registry::{Contact, DEVICES_MAX, Presence},
};
use serde::{Deserialize, Serialize};

use super::{Binding, ConnectionId, Owner, Table};
use crate::limits::Source;

/// Where a name can be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// The name.
    pub name: Name,
    /// The key card that was registered last.
    pub card: KeyCard,
    /// Its devices, at most [`DEVICES_MAX`].
    pub devices: Vec<LocatedDevice>,
}

/// A device of a [`Location`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocatedDevice {
    device: DeviceId,
    contacts: Vec<Contact>,
    presence: Presence,
    source: Source,
    cseq: u64,
    lease: Duration,
}

impl Table {
    /// From now on [`Table::take_changed`] says what has changed.
    pub fn track(&mut self) {
        self.changed = Some(BTreeSet::new());
    }

    /// Notes that a location changed, if anybody wants to know.
    pub(super) fn note(&mut self, key: &str) {
        if let Some(changed) = &mut self.changed
            && !changed.contains(key)
        {
            changed.insert(key.to_owned());
        }
    }

    /// At most `limit` names, in their folded form, whose location has changed, and how each is
    /// now; `None` when it has none.
    pub fn take_changed(&mut self, limit: usize) -> Vec<(String, Option<Location>)> {
        let mut taken = Vec::new();
        while taken.len() < limit
            && let Some(key) = self.changed.as_mut().and_then(BTreeSet::pop_first)
        {
            let location = self.names.get(&key).map(Owner::location);
            taken.push((key, location));
        }
        taken
    }

    /// Takes back what was kept before, for one lease of each device from `now` on. What is over a
    /// limit is left out.
    pub fn restore(&mut self, location: Location, now: Instant) {
        let Location {
            name,
            card,
            devices,
        } = location;
        let key = name.folded().to_owned();
        let known = self.names.contains_key(&key);
        if known || devices.is_empty() || self.names.len() >= self.names_max {
            return;
        }
        let mut bindings = Vec::new();
        for kept in devices.into_iter().take(DEVICES_MAX) {
            let LocatedDevice {
                device,
                contacts,
                presence,
                source,
                cseq,
                lease,
            } = kept;
            let ends = now + lease;
            self.leases.insert((ends, key.clone(), device));
            *self.sources.entry(source).or_default() += 1;
            bindings.push(Binding {
                device,
                contacts,
                presence,
                source,
                connection: ConnectionId::NONE,
                cseq,
                since: now,
                ends,
                lease,
                unverified: true,
            });
        }
        let owner = Owner {
            name,
            card,
            bindings,
        };
        self.names.insert(key, owner);
    }
}

impl Owner {
    fn location(&self) -> Location {
        let devices = self.bindings.iter().map(|binding| LocatedDevice {
            device: binding.device,
            contacts: binding.contacts.clone(),
            presence: binding.presence,
            source: binding.source,
            cseq: binding.cseq,
            lease: binding.lease,
        });
        Location {
            name: self.name.clone(),
            card: self.card,
            devices: devices.collect(),
        }
    }
}
