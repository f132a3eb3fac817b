//! The table name -> devices -> contacts, each device for the time of its lease.
//!
//! PURE. What identity may register a name is decided before, in `ownership`; here it has one
//! identity for as long as one of its devices has a lease.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::SocketAddr,
    ops::Bound,
    time::{Duration, Instant},
};

use codec::{
    DeviceId, IdentityKey, KeyCard, List, Name,
    claim::Claim,
    fold,
    registry::{Contact, DEVICES_MAX, Device, Entry, PAGE_MAX, Page, Presence, Record, Refusal},
};

use crate::limits::{Limits, Source};

mod location;

pub use location::{LocatedDevice, Location};

/// One connection, while the registry runs: what a device has in the table came by it last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

impl ConnectionId {
    /// That of a device which was registered before the registry was started anew.
    pub const NONE: Self = Self(u64::MAX);
}

/// What a device asks to have in the table.
#[derive(Debug, Clone)]
pub struct Registration {
    /// Under which name.
    pub name: Name,
    /// Which device.
    pub device: DeviceId,
    /// Whose it is.
    pub card: KeyCard,
    /// Where it listens.
    pub contacts: Vec<Contact>,
    /// For how long.
    pub expires: Duration,
    /// Greater than in every earlier request of that device.
    pub cseq: u64,
    /// What was said of it on its connection; available if nothing was.
    pub presence: Presence,
    /// Whose limit it counts for.
    pub source: Source,
    /// By which connection it came.
    pub connection: ConnectionId,
    /// In case the name is free; the table does not look at it.
    pub claim: Claim,
}

/// What a request changed of what others see of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The device was not there before.
    Added,
    /// Its contacts, its presence, or how the name is written.
    Changed,
    /// Nothing but the lease.
    Nothing,
}

/// A device's request about a lease that it has.
#[derive(Debug, Clone)]
pub struct Renewal {
    /// Under which name.
    pub name: Name,
    /// Which device.
    pub device: DeviceId,
    /// Who asks.
    pub identity: IdentityKey,
    /// Greater than in every earlier request of that device.
    pub cseq: u64,
    /// By which connection it came.
    pub connection: ConnectionId,
}

/// A lease that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Under which name.
    pub name: Name,
    /// Which device.
    pub device: DeviceId,
    /// By which connection it was taken or renewed last.
    pub connection: ConnectionId,
}

/// One device, as it is printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The name.
    pub name: Name,
    /// The device.
    pub device: DeviceId,
    /// Where it can be reached.
    pub contacts: Vec<SocketAddr>,
    /// How long ago it was added.
    pub since: Duration,
    /// How long its lease still lasts.
    pub lease_left: Duration,
}

/// The names and where they can be reached.
#[derive(Debug)]
pub struct Table {
    names: BTreeMap<String, Owner>,
    /// When which lease ends, the next one first.
    leases: BTreeSet<(Instant, String, DeviceId)>,
    /// Those that have ended and were not told yet; at most as many as there were leases.
    ended: Vec<Ended>,
    /// How many devices each source has registered; at most as many sources as leases.
    sources: HashMap<Source, usize>,
    /// Which names have another location than was said last, if anybody wants to know.
    changed: Option<BTreeSet<String>>,
    names_max: usize,
    devices_per_address: usize,
}

#[derive(Debug)]
struct Owner {
    name: Name,
    card: KeyCard,
    /// Never empty, at most [`DEVICES_MAX`].
    bindings: Vec<Binding>,
}

/// One device of a name, as the table has it.
#[derive(Debug)]
pub struct Binding {
    /// Which one.
    pub device: DeviceId,
    /// Where it can be reached.
    pub contacts: Vec<Contact>,
    /// What was said of it.
    pub presence: Presence,
    /// By which connection the lease was taken or renewed last; it may have ended.
    pub connection: ConnectionId,
    /// When it was added.
    pub since: Instant,
    /// When its lease ends.
    pub ends: Instant,
    /// Not heard since the registry was started anew.
    pub unverified: bool,
    source: Source,
    cseq: u64,
    /// How long the lease was when it was taken or renewed last.
    lease: Duration,
}

impl Table {
    /// An empty table for at most `names_max` names.
    #[must_use]
    pub fn new(names_max: usize) -> Self {
        Self::limited(names_max, Limits::default().devices_per_address)
    }

    /// An empty table for at most `names_max` names, and so many devices from one source.
    #[must_use]
    pub fn limited(names_max: usize, devices_per_address: usize) -> Self {
        Self {
            names: BTreeMap::new(),
            leases: BTreeSet::new(),
            ended: Vec::new(),
            sources: HashMap::new(),
            changed: None,
            names_max,
            devices_per_address,
        }
    }

    /// Registers a device and says what that changed.
    ///
    /// # Errors
    /// [`Refusal::NameTaken`], [`Refusal::TooMany`], [`Refusal::Stale`].
    pub fn register(
        &mut self,
        registration: Registration,
        now: Instant,
    ) -> Result<Change, Refusal> {
        self.end_leases(now);
        let (again, of) = (registration.name.clone(), registration.device);
        let change = self.add(registration, now)?;
        if change != Change::Nothing {
            self.note(again.folded());
        }
        // Who is back has not gone, whether or not anybody was told.
        self.ended
            .retain(|ended| ended.name != again || ended.device != of);
        Ok(change)
    }

    fn add(&mut self, registration: Registration, now: Instant) -> Result<Change, Refusal> {
        let Registration {
            name,
            device,
            card,
            contacts,
            expires,
            cseq,
            presence,
            source,
            connection,
            claim: _,
        } = registration;
        let key = name.folded().to_owned();
        let ends = now + expires;
        let from_there = self.sources.get(&source).copied().unwrap_or_default();
        let crowded = from_there >= self.devices_per_address;
        let mut binding = Binding {
            device,
            contacts,
            presence,
            source,
            connection,
            cseq,
            since: now,
            ends,
            lease: expires,
            unverified: false,
        };
        let Some(owner) = self.names.get_mut(&key) else {
            if crowded || self.names.len() >= self.names_max {
                return Err(Refusal::TooMany);
            }
            let bindings = vec![binding];
            self.names.insert(
                key.clone(),
                Owner {
                    name,
                    card,
                    bindings,
                },
            );
            self.leases.insert((ends, key, device));
            self.sources.insert(source, from_there + 1);
            return Ok(Change::Added);
        };
        if owner.card.identity != card.identity {
            return Err(Refusal::NameTaken);
        }
        let full = owner.bindings.len() >= DEVICES_MAX;
        let mut counts_for = source;
        let known = owner.bindings.iter_mut().find(|it| it.device == device);
        let mut change = match known {
            Some(known) if cseq <= known.cseq => return Err(Refusal::Stale),
            Some(known) => {
                binding.since = known.since;
                let same = known.contacts == binding.contacts
                    && known.presence == presence
                    && !known.unverified;
                let before = std::mem::replace(known, binding);
                self.leases.remove(&(before.ends, key.clone(), device));
                // Who moves to another address takes the device along, unless that is full: then
                // it goes on to count for the one before, and for nobody twice.
                if crowded {
                    known.source = before.source;
                }
                leave(&mut self.sources, before.source);
                counts_for = known.source;
                if same {
                    Change::Nothing
                } else {
                    Change::Changed
                }
            }
            None if full || crowded => return Err(Refusal::TooMany),
            None => {
                owner.bindings.push(binding);
                Change::Added
            }
        };
        if change == Change::Nothing && owner.name.as_str() != name.as_str() {
            change = Change::Changed;
        }
        owner.name = name;
        if card.serial >= owner.card.serial {
            owner.card = card;
        }
        self.leases.insert((ends, key, device));
        *self.sources.entry(counts_for).or_default() += 1;
        Ok(change)
    }

    /// Says how reachable somebody is by one device, and whether that changed anything. A device
    /// that is gone, or another's or another connection's by now, is passed over.
    pub fn publish(
        &mut self,
        name: &Name,
        device: DeviceId,
        connection: ConnectionId,
        presence: Presence,
        now: Instant,
    ) -> bool {
        self.end_leases(now);
        let Some(owner) = self.names.get_mut(name.folded()) else {
            return false;
        };
        let before = owner.presence(now);
        let mut bindings = owner.bindings.iter_mut();
        let found = bindings.find(|it| it.device == device && it.connection == connection);
        if let Some(binding) = found {
            binding.presence = presence;
        }
        let changed = owner.presence(now) != before;
        self.note(name.folded());
        changed
    }

    /// Lets a device's lease last `expires` from now.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] when it has ended: the device registers anew. [`Refusal::NameTaken`],
    /// [`Refusal::Stale`].
    pub fn refresh(
        &mut self,
        renewal: &Renewal,
        expires: Duration,
        now: Instant,
    ) -> Result<(), Refusal> {
        self.end_leases(now);
        let ends = now + expires;
        let binding = self.binding(renewal)?;
        let before = std::mem::replace(&mut binding.ends, ends);
        (binding.cseq, binding.connection) = (renewal.cseq, renewal.connection);
        (binding.lease, binding.unverified) = (expires, false);
        let key = renewal.name.folded();
        self.leases
            .remove(&(before, key.to_owned(), renewal.device));
        self.leases.insert((ends, key.to_owned(), renewal.device));
        Ok(())
    }

    /// Ends a device's lease, and says by which connection it was taken or renewed last.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], [`Refusal::NameTaken`], [`Refusal::Stale`].
    pub fn unregister(&mut self, renewal: &Renewal, now: Instant) -> Result<ConnectionId, Refusal> {
        self.end_leases(now);
        let Binding {
            ends, connection, ..
        } = *self.binding(renewal)?;
        let key = renewal.name.folded();
        self.leases.remove(&(ends, key.to_owned(), renewal.device));
        self.remove(key, renewal.device);
        Ok(connection)
    }

    /// Ends every lease of a name, and says which.
    pub fn end_all(&mut self, name: &Name) -> Vec<Ended> {
        let key = name.folded();
        let mut ended = Vec::new();
        while let Some(owner) = self.names.get(key)
            && let Some(Binding { ends, device, .. }) = owner.bindings.first()
        {
            let (ends, device) = (*ends, *device);
            self.leases.remove(&(ends, key.to_owned(), device));
            ended.extend(self.remove(key, device));
        }
        ended
    }

    /// Whether a name has a lease.
    #[must_use]
    pub fn is_registered(&self, name: &Name) -> bool {
        self.names.contains_key(name.folded())
    }

    /// The binding that `renewal` may change.
    fn binding(&mut self, renewal: &Renewal) -> Result<&mut Binding, Refusal> {
        let owner = self
            .names
            .get_mut(renewal.name.folded())
            .ok_or(Refusal::NotFound)?;
        if owner.card.identity != renewal.identity {
            return Err(Refusal::NameTaken);
        }
        let mut bindings = owner.bindings.iter_mut();
        let found = bindings.find(|binding| binding.device == renewal.device);
        let binding = found.ok_or(Refusal::NotFound)?;
        if renewal.cseq <= binding.cseq {
            Err(Refusal::Stale)
        } else {
            Ok(binding)
        }
    }

    /// Takes a device out of its name, and the name out of the table with its last device.
    fn remove(&mut self, key: &str, device: DeviceId) -> Option<Ended> {
        let owner = self.names.get_mut(key)?;
        let place = owner.bindings.iter().position(|it| it.device == device)?;
        let binding = owner.bindings.remove(place);
        leave(&mut self.sources, binding.source);
        let name = owner.name.clone();
        if owner.bindings.is_empty() {
            self.names.remove(key);
        }
        self.note(key);
        let connection = binding.connection;
        Some(Ended {
            name,
            device,
            connection,
        })
    }

    /// Ends every lease whose time is over; returns those that ended since it was last called.
    pub fn expire(&mut self, now: Instant) -> Vec<Ended> {
        self.end_leases(now);
        std::mem::take(&mut self.ended)
    }

    fn end_leases(&mut self, now: Instant) {
        while let Some((ends, _, _)) = self.leases.first()
            && *ends <= now
            && let Some((_, key, device)) = self.leases.pop_first()
        {
            let ended = self.remove(&key, device);
            self.ended.extend(ended);
        }
    }

    /// Everything about a name, if it is registered.
    #[must_use]
    pub fn lookup(&self, name: &Name, now: Instant) -> Option<Record> {
        let owner = self.names.get(name.folded())?;
        let entry = owner.entry(now);
        (!entry.devices.is_empty()).then_some(Record {
            card: owner.card,
            entry,
        })
    }

    /// The devices of a name in its folded form, with leases that have ended but are still in the
    /// table.
    #[must_use]
    pub fn bindings(&self, folded: &str) -> &[Binding] {
        self.names.get(folded).map_or(&[], |owner| &owner.bindings)
    }

    /// At most `limit` names that begin with `prefix`, after the name `after`, in folded order.
    #[must_use]
    pub fn list(&self, prefix: &str, after: Option<&Name>, limit: usize, now: Instant) -> Page {
        let prefix = fold(prefix);
        let limit = limit.min(PAGE_MAX);
        let from = match after.map(Name::folded) {
            Some(after) if after >= prefix.as_str() => Bound::Excluded(after),
            _ => Bound::Included(prefix.as_str()),
        };
        let mut matching = self
            .names
            .range::<str, _>((from, Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(&prefix))
            .map(|(_, owner)| owner.entry(now));
        let entries = List::first_of(matching.by_ref().take(limit));
        Page {
            entries,
            more: matching.next().is_some(),
        }
    }

    /// How many names are registered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether nobody is registered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The first `limit` devices, in the order of their names.
    #[must_use]
    pub fn rows(&self, limit: usize, now: Instant) -> Vec<Row> {
        let all = self.names.values().flat_map(|owner| {
            owner.bindings.iter().map(|binding| Row {
                name: owner.name.clone(),
                device: binding.device,
                contacts: binding
                    .contacts
                    .iter()
                    .map(|contact| contact.addr)
                    .collect(),
                since: now.saturating_duration_since(binding.since),
                lease_left: binding.ends.saturating_duration_since(now),
            })
        });
        all.take(limit).collect()
    }
}

impl Owner {
    /// The directory entry, without leases that have ended but are still in the table.
    fn entry(&self, now: Instant) -> Entry {
        let live = self.bindings.iter().filter(|binding| binding.ends > now);
        let devices = List::first_of(live.map(|binding| {
            let left = binding.ends.saturating_duration_since(now).as_secs();
            Device {
                id: binding.device,
                contacts: List::first_of(binding.contacts.iter().copied()),
                lease_left_s: u16::try_from(left).unwrap_or(u16::MAX),
                unverified: binding.unverified,
            }
        }));
        Entry {
            name: self.name.clone(),
            presence: self.presence(now),
            devices,
        }
    }

    fn presence(&self, now: Instant) -> Presence {
        let live = self.bindings.iter().filter(|binding| binding.ends > now);
        Presence::of_all(live.map(|binding| binding.presence))
    }
}

/// One device of `source` less.
fn leave(sources: &mut HashMap<Source, usize>, source: Source) {
    if let Some(devices) = sources.get_mut(&source) {
        *devices -= 1;
        if *devices == 0 {
            sources.remove(&source);
        }
    }
}

#[cfg(test)]
mod tests;
