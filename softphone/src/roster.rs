//! The directory of the phone's registry: who is registered there, and how reachable they are.
//!
//! PURE: a snapshot for whoever shows it. [`crate::phone`] keeps it while the person wants it, from
//! pages of the directory and from notices of what changes; see `docs/protocol.md`.

use std::{net::SocketAddr, sync::Arc};

use codec::{
    IdentityKey, Name, fold,
    registry::{self, CONTACTS_MAX, Presence, Refusal},
};

/// How many names are kept; further ones are not shown, and [`Roster::more`] says so.
pub const ROSTER_MAX: usize = 10_000;

/// How many contacts of one name are kept.
pub const ENTRY_CONTACTS_MAX: usize = CONTACTS_MAX + 1;

/// Somebody who is registered. Who is not in a [`Roster`] that is complete is offline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name, as its owner typed it.
    pub name: Name,
    /// What they say of themselves.
    pub presence: Presence,
    /// Where they can be reached, at most [`ENTRY_CONTACTS_MAX`] addresses; none for who is hidden.
    pub contacts: Vec<SocketAddr>,
}

impl From<&registry::Entry> for Entry {
    fn from(entry: &registry::Entry) -> Self {
        let mut contacts = entry.contacts();
        contacts.truncate(ENTRY_CONTACTS_MAX);
        Self {
            name: entry.name.clone(),
            presence: entry.presence,
            contacts,
        }
    }
}

/// Who is registered, as far as the phone knows. The phone's own name is among them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roster {
    /// Everybody, in the order of the folded names; at most [`ROSTER_MAX`].
    pub entries: Vec<Arc<Entry>>,
    /// The whole directory has been read. Until then there may be more than is here.
    pub complete: bool,
    /// It is how it was when the registry was last heard: the connection is lost, or what changed
    /// meanwhile is still being read. What is said of anybody may have changed.
    pub old: bool,
    /// There are more than [`ROSTER_MAX`].
    pub more: bool,
    /// Why the registry does not tell, if it does not.
    pub refused: Option<Refusal>,
    /// The registry whose directory it is: a name is a contact's only at one registry. `None` until
    /// one was reached.
    pub registry: Option<IdentityKey>,
}

impl Roster {
    /// What is known of this name.
    #[must_use]
    pub fn get(&self, name: &Name) -> Option<&Entry> {
        let at = self.entries.binary_search_by(|entry| entry.name.cmp(name));
        at.ok().map(|at| &*self.entries[at])
    }

    /// Those whose names begin with what was typed, and then those that have it elsewhere; case
    /// does not count. Everybody, if nothing was typed.
    pub fn search(&self, typed: &str) -> impl Iterator<Item = &Entry> {
        let sought = fold(typed.trim());
        let elsewhere = sought.clone();
        let entries = || self.entries.iter().map(|entry| &**entry);
        let first = entries().filter(move |entry| entry.name.folded().starts_with(&sought));
        first.chain(entries().filter(move |entry| {
            let folded = entry.name.folded();
            !folded.starts_with(&elsewhere) && folded.contains(&elsewhere)
        }))
    }
}

#[cfg(test)]
mod tests {
    use codec::{
        DeviceId, List,
        registry::{Contact, DEVICES_MAX, Device},
    };

    use super::*;

    fn entry(name: &str) -> Arc<Entry> {
        Arc::new(Entry {
            name: name.parse().unwrap(),
            presence: Presence::Available,
            contacts: Vec::new(),
        })
    }

    fn roster(names: &[&str]) -> Roster {
        let mut entries: Vec<_> = names.iter().map(|name| entry(name)).collect();
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        Roster {
            entries,
            ..Roster::default()
        }
    }

    #[test]
    fn a_search_finds_names_that_begin_so_first_whatever_their_case() {
        let roster = roster(&["Ana", "bob", "Joana", "ANABELA", "Diana", "Зоя"]);
        let found = |typed: &str| -> Vec<String> {
            let found = roster.search(typed);
            found.map(|entry| entry.name.to_string()).collect()
        };
        assert_eq!(found("ana"), ["Ana", "ANABELA", "Diana", "Joana"]);
        assert_eq!(found(" JO "), ["Joana"]);
        assert_eq!(found("зО"), ["Зоя"]);
        assert_eq!(found("").len(), 6);
        assert_eq!(found("x"), [""; 0]);
    }

    #[test]
    fn a_name_is_found_however_it_is_written() {
        let roster = roster(&["Ana", "bob"]);
        let named = |name: &str| roster.get(&name.parse().unwrap());
        assert_eq!(named("BOB").unwrap().name.as_str(), "bob");
        assert!(named("carol").is_none());
    }

    #[test]
    fn of_a_name_with_very_many_contacts_some_are_kept() {
        let device = |number: usize| Device {
            id: DeviceId([number.to_le_bytes()[0]; 16]),
            contacts: List::first_of((0..=CONTACTS_MAX).map(|at| {
                let port = u16::try_from(1 + number * 100 + at).unwrap();
                Contact {
                    addr: ([192, 0, 2, 1], port).into(),
                    observed: false,
                }
            })),
            lease_left_s: 60,
            unverified: false,
        };
        let told = registry::Entry {
            name: "bob".parse().unwrap(),
            presence: Presence::Busy,
            devices: List::first_of((0..DEVICES_MAX).map(device)),
        };
        assert_eq!(Entry::from(&told).contacts.len(), ENTRY_CONTACTS_MAX);
    }
}
