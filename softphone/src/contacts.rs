//! Whom this person has talked to: names, and the identities that they are pinned to.
//!
//! PURE: what changes comes in, and the book as it is then can be looked up. A name is somebody's
//! only at one registry, so a contact is known by the registry's key and the name. Once a name is
//! pinned, no call and no registry changes the identity behind it; only the person forgets it.

use std::collections::BTreeMap;

use codec::{IdentityKey, Name, UnixMillis};
use serde::{Deserialize, Serialize};

/// How many contacts one person has. When there are as many, the oldest one that is neither
/// verified nor blocked gives way to a new one; where there is none, the new one is not kept.
pub const CONTACTS_MAX: usize = 4096;

/// Somebody whom this person has talked to, or whom they have blocked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The key of the registry where the name is theirs; `None` for somebody who was called, or
    /// who called, without a registry that says whose the name is.
    pub registry: Option<IdentityKey>,
    /// What they are called there.
    pub name: Name,
    /// Who they are.
    pub identity: IdentityKey,
    /// The two have read the four words to each other, and they were the same.
    pub verified: bool,
    /// They are not let in.
    pub blocked: bool,
    /// The registry has said since that the name is another identity's, and not taken it back.
    pub changed: bool,
    /// When they were pinned.
    pub since: UnixMillis,
}

/// What becomes of one contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The name is theirs from now on. Where it is pinned already, nothing changes.
    Pin(Contact),
    /// The words were the same. The contact is pinned if nobody is; where the name is pinned to
    /// another identity, nothing changes.
    Verify(Contact),
    /// A registry that was asked has said whose the name is. Where it is pinned, it is remembered
    /// whether that is still whom it is pinned to.
    See {
        /// The registry.
        registry: Option<IdentityKey>,
        /// What they are called there.
        name: Name,
        /// Whose the name is.
        identity: IdentityKey,
    },
    /// The words are to be compared again: the contact is known, and verified no longer.
    Unverify {
        /// The registry where the name is theirs.
        registry: Option<IdentityKey>,
        /// What they are called there.
        name: Name,
    },
    /// They are not let in any more, or are again. The name is known as it is pinned.
    Block {
        /// The registry where the name is theirs.
        registry: Option<IdentityKey>,
        /// What they are called there.
        name: Name,
        /// Whether they are blocked from now on.
        blocked: bool,
    },
    /// The name is nobody's until the next call, and whoever has it then is pinned.
    Forget {
        /// The registry where the name was theirs.
        registry: Option<IdentityKey>,
        /// What they were called there.
        name: Name,
    },
}

/// What is known of somebody who goes by a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing: there has been no call with them.
    Stranger,
    /// The name was theirs in the first call, and it still is.
    Known,
    /// They are known, and the four words have shown that nobody is in between.
    Verified,
    /// The name is pinned to somebody else.
    Changed,
}

impl Standing {
    /// The word for files and scripts; these never change.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Stranger => "stranger",
            Self::Known => "known",
            Self::Verified => "verified",
            Self::Changed => "changed",
        }
    }

    /// The standing with this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        let all = [Self::Stranger, Self::Known, Self::Verified, Self::Changed];
        all.into_iter().find(|standing| standing.word() == word)
    }

    /// Whether there has been a call with them before.
    #[must_use]
    pub fn is_known(self) -> bool {
        matches!(self, Self::Known | Self::Verified)
    }
}

/// All contacts of one person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Book {
    contacts: BTreeMap<(Option<IdentityKey>, Name), Contact>,
}

impl Book {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.contacts.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.contacts.is_empty()
    }

    /// All contacts, those of one registry together, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Contact> {
        self.contacts.values()
    }

    /// Whom a name is pinned to.
    #[must_use]
    pub fn get(&self, registry: Option<IdentityKey>, name: &Name) -> Option<&Contact> {
        self.contacts.get(&(registry, name.clone()))
    }

    /// Whom a name at a registry is pinned to, there or, as in [`Self::standing`], without any.
    #[must_use]
    pub fn pinned(&self, registry: Option<IdentityKey>, name: &Name) -> Option<&Contact> {
        let here = self.get(registry, name);
        here.or_else(|| self.get(None, name))
    }

    /// The contacts that are this identity, under all of its names.
    pub fn of_identity(&self, identity: IdentityKey) -> impl Iterator<Item = &Contact> {
        self.iter()
            .filter(move |contact| contact.identity == identity)
    }

    /// The contacts of this name, at all registries.
    pub fn named(&self, name: &Name) -> impl Iterator<Item = &Contact> {
        self.iter().filter(move |contact| contact.name == *name)
    }

    /// Whether this identity is not let in, whatever it is called now.
    #[must_use]
    pub fn is_blocked(&self, identity: IdentityKey) -> bool {
        self.of_identity(identity).any(|contact| contact.blocked)
    }

    /// What is known of `identity` under a name that `registry` says is theirs. A name that is not
    /// pinned there, but to somebody whom no registry vouched for, is theirs: nobody else comes to
    /// it because a registry has not answered once. Without a registry, see [`Self::claimed`].
    #[must_use]
    pub fn standing(
        &self,
        registry: Option<IdentityKey>,
        name: &Name,
        identity: IdentityKey,
    ) -> Standing {
        match self.pinned(registry, name) {
            None if registry.is_none() => self.claimed(name, identity).1,
            None => Standing::Stranger,
            Some(contact) if contact.identity != identity => Standing::Changed,
            Some(contact) if contact.verified => Standing::Verified,
            Some(_) => Standing::Known,
        }
    }

    /// Where a name is pinned to `identity` that no registry vouches for now. Its standing there is
    /// [`Standing::Changed`] if the name is pinned, but to others only: whoever keeps the registry
    /// from being asked must not be able to use a name that is known at it.
    #[must_use]
    pub fn claimed(&self, name: &Name, identity: IdentityKey) -> (Option<IdentityKey>, Standing) {
        let theirs = self
            .named(name)
            .filter(|contact| contact.identity == identity)
            .max_by_key(|contact| contact.verified);
        match theirs {
            Some(contact) if contact.verified => (contact.registry, Standing::Verified),
            Some(contact) => (contact.registry, Standing::Known),
            None if self.named(name).next().is_some() => (None, Standing::Changed),
            None => (None, Standing::Stranger),
        }
    }

    /// Makes a change. Returns whether anything is different now.
    pub fn apply(&mut self, change: &Change) -> bool {
        match change {
            Change::Pin(contact) => self.pin(contact.clone()),
            Change::Verify(contact) => {
                let key = (contact.registry, contact.name.clone());
                let verified = Contact {
                    verified: true,
                    ..contact.clone()
                };
                match self.contacts.get_mut(&key) {
                    None => self.pin(verified),
                    Some(known) if known.identity == contact.identity && !known.verified => {
                        known.verified = true;
                        true
                    }
                    Some(_) => false,
                }
            }
            Change::See {
                registry,
                name,
                identity,
            } => {
                let key = self.pinned(*registry, name);
                let key = key.map(|known| (known.registry, known.name.clone()));
                match key.and_then(|key| self.contacts.get_mut(&key)) {
                    Some(known) if known.changed != (known.identity != *identity) => {
                        known.changed = !known.changed;
                        true
                    }
                    _ => false,
                }
            }
            Change::Block {
                registry,
                name,
                blocked,
            } => match self.contacts.get_mut(&(*registry, name.clone())) {
                Some(known) if known.blocked != *blocked => {
                    known.blocked = *blocked;
                    true
                }
                _ => false,
            },
            Change::Unverify { registry, name } => {
                match self.contacts.get_mut(&(*registry, name.clone())) {
                    Some(known) if known.verified => {
                        known.verified = false;
                        true
                    }
                    _ => false,
                }
            }
            Change::Forget { registry, name } => {
                self.contacts.remove(&(*registry, name.clone())).is_some()
            }
        }
    }

    fn pin(&mut self, contact: Contact) -> bool {
        let key = (contact.registry, contact.name.clone());
        if self.contacts.contains_key(&key) {
            return false;
        }
        if self.contacts.len() >= CONTACTS_MAX {
            let spare = self.contacts.iter();
            let spare = spare.filter(|(_, known)| !known.verified && !known.blocked);
            let oldest = spare.min_by_key(|(_, known)| known.since);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else {
                return false;
            };
            self.contacts.remove(&oldest);
        }
        self.contacts.insert(key, contact);
        true
    }
}

/// Of several contacts of one name at one registry the first counts; those beyond
/// [`CONTACTS_MAX`] have the place of older ones.
impl FromIterator<Contact> for Book {
    fn from_iter<T: IntoIterator<Item = Contact>>(contacts: T) -> Self {
        let mut book = Self::default();
        for contact in contacts {
            book.pin(contact);
        }
        book
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Option<IdentityKey> = Some(IdentityKey([90; 32]));
    const THERE: Option<IdentityKey> = Some(IdentityKey([91; 32]));
    const ALICE: IdentityKey = IdentityKey([1; 32]);
    const EVE: IdentityKey = IdentityKey([2; 32]);

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    fn contact(registry: Option<IdentityKey>, text: &str, identity: IdentityKey) -> Contact {
        Contact {
            registry,
            name: name(text),
            identity,
            verified: false,
            blocked: false,
            changed: false,
            since: 1,
        }
    }

    #[test]
    fn a_pinned_name_stays_its_identitys_until_it_is_forgotten() {
        let mut book = Book::default();
        assert_eq!(
            book.standing(HERE, &name("alice"), ALICE),
            Standing::Stranger
        );
        assert!(book.apply(&Change::Pin(contact(HERE, "alice", ALICE))));
        assert!(!book.apply(&Change::Pin(contact(HERE, "Alice", EVE))));
        assert!(!book.apply(&Change::Verify(contact(HERE, "alice", EVE))));
        assert_eq!(book.standing(HERE, &name("ALICE"), ALICE), Standing::Known);
        assert_eq!(book.standing(HERE, &name("alice"), EVE), Standing::Changed);
        let (registry, name) = (HERE, name("alice"));
        assert!(book.apply(&Change::Forget { registry, name }));
        assert!(book.apply(&Change::Pin(contact(HERE, "alice", EVE))));
        assert_eq!(book.len(), 1);
    }

    #[test]
    fn the_same_name_at_another_registry_is_another_contact() {
        let book = Book::from_iter([contact(HERE, "alice", ALICE), contact(THERE, "alice", EVE)]);
        let alice = name("alice");
        assert_eq!(book.standing(HERE, &alice, ALICE), Standing::Known);
        assert_eq!(book.standing(THERE, &alice, EVE), Standing::Known);
        assert_eq!(book.standing(None, &alice, EVE), Standing::Known);
        let mallory = IdentityKey([3; 32]);
        assert_eq!(book.standing(None, &alice, mallory), Standing::Changed);
        assert_eq!(book.named(&alice).count(), 2);
    }

    #[test]
    fn a_name_that_nobody_vouches_for_is_its_own_only_if_it_is_pinned_so() {
        let book = Book::from_iter([contact(HERE, "alice", ALICE)]);
        let alice = name("alice");
        assert_eq!(book.claimed(&alice, ALICE), (HERE, Standing::Known));
        assert_eq!(book.claimed(&alice, EVE), (None, Standing::Changed));
        assert_eq!(book.claimed(&name("eve"), EVE), (None, Standing::Stranger));
        // A known identity under a new name is no known name.
        let (_, standing) = book.claimed(&name("carol"), ALICE);
        assert_eq!(standing, Standing::Stranger);
    }

    #[test]
    fn a_name_that_was_pinned_without_a_registry_is_nobody_elses_at_one() {
        let book = Book::from_iter([Contact {
            verified: true,
            ..contact(None, "alice", ALICE)
        }]);
        let alice = name("alice");
        assert_eq!(book.standing(HERE, &alice, ALICE), Standing::Verified);
        assert_eq!(book.standing(HERE, &alice, EVE), Standing::Changed);
        // What a registry has vouched for counts there.
        let mut book = book;
        assert!(book.apply(&Change::Pin(contact(THERE, "alice", EVE))));
        assert_eq!(book.standing(THERE, &alice, EVE), Standing::Known);
        assert_eq!(book.standing(HERE, &alice, EVE), Standing::Changed);
    }

    #[test]
    fn who_is_blocked_is_blocked_under_every_name() {
        let mut book = Book::from_iter([contact(HERE, "eve", EVE)]);
        let (registry, name) = (HERE, name("eve"));
        let block = |blocked| Change::Block {
            registry,
            name: name.clone(),
            blocked,
        };
        assert!(!book.is_blocked(EVE));
        assert!(book.apply(&block(true)) && !book.apply(&block(true)));
        assert!(book.is_blocked(EVE) && !book.is_blocked(ALICE));
        assert!(book.apply(&block(false)));
        assert!(!book.is_blocked(EVE));
    }

    #[test]
    fn what_a_registry_says_of_a_pinned_name_is_remembered_until_it_says_otherwise() {
        let see = |registry, identity| Change::See {
            registry,
            name: name("ALICE"),
            identity,
        };
        for pinned in [HERE, None] {
            let mut book = Book::default();
            assert!(!book.apply(&see(HERE, EVE)), "nobody is pinned");
            book.apply(&Change::Verify(contact(pinned, "alice", ALICE)));
            let alice = name("alice");
            let known = |book: &Book| book.pinned(HERE, &alice).unwrap().clone();
            assert!(!book.apply(&see(HERE, ALICE)) && !known(&book).changed);
            assert!(book.apply(&see(HERE, EVE)) && !book.apply(&see(HERE, EVE)));
            assert!(known(&book).changed && known(&book).verified);
            assert_eq!(known(&book).identity, ALICE, "nobody is pinned anew by it");
            assert!(book.apply(&see(HERE, ALICE)) && !known(&book).changed);
        }
        let mut book = Book::from_iter([contact(HERE, "alice", ALICE)]);
        assert!(
            !book.apply(&see(THERE, EVE)),
            "the name is another one there"
        );
    }

    #[test]
    fn who_is_verified_no_longer_is_known_still() {
        let mut book = Book::default();
        let alice = contact(HERE, "alice", ALICE);
        let (registry, name) = (HERE, name("alice"));
        let unverify = Change::Unverify { registry, name };
        assert!(!book.apply(&unverify));
        assert!(book.apply(&Change::Verify(alice)));
        assert!(book.apply(&unverify) && !book.apply(&unverify));
        let Change::Unverify { name, .. } = unverify else {
            panic!("it was one");
        };
        assert_eq!(book.standing(HERE, &name, ALICE), Standing::Known);
    }

    #[test]
    fn verifying_pins_whom_nobody_is_pinned_to() {
        let mut book = Book::default();
        let alice = contact(HERE, "alice", ALICE);
        assert!(book.apply(&Change::Verify(alice.clone())));
        assert!(!book.apply(&Change::Verify(alice)));
        let standing = book.standing(HERE, &name("alice"), ALICE);
        assert_eq!(standing, Standing::Verified);
    }

    #[test]
    fn a_full_book_gives_up_the_oldest_that_is_neither_verified_nor_blocked() {
        let number = |number: usize| Contact {
            since: u64::try_from(number).unwrap(),
            ..contact(HERE, &format!("n{number}"), ALICE)
        };
        let mut book: Book = (0..CONTACTS_MAX).map(number).collect();
        assert!(book.apply(&Change::Verify(number(0))));
        let (registry, blocked) = (HERE, true);
        assert!(book.apply(&Change::Block {
            registry,
            name: name("n1"),
            blocked
        }));
        assert!(book.apply(&Change::Pin(number(CONTACTS_MAX))));
        assert_eq!(book.len(), CONTACTS_MAX);
        let has = |book: &Book, at: usize| book.get(HERE, &name(&format!("n{at}"))).is_some();
        assert!(has(&book, 0) && has(&book, 1) && !has(&book, 2) && has(&book, CONTACTS_MAX));
        // Where all are verified or blocked, there is no room.
        for at in 3..=CONTACTS_MAX {
            book.apply(&Change::Verify(number(at)));
        }
        assert!(!book.apply(&Change::Pin(number(CONTACTS_MAX + 1))));
        assert!(!has(&book, CONTACTS_MAX + 1));
    }
}
