//! Who stands in the list: everybody who is registered, favourites and people who are known, in
//! the order in which they are looked for.
//!
//! PURE: the directory, the contacts and what was typed come in, the list comes out.

use std::collections::BTreeMap;

use codec::{IdentityKey, Name, fold, registry::Presence};

use crate::contacts::{Book, Contact};

/// One person of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// What they are called.
    pub name: Name,
    /// What they say of themselves; `None` while they are not registered.
    pub presence: Option<Presence>,
    /// They stand at the top.
    pub favourite: bool,
    /// What the contacts say of them.
    pub known: Known,
}

/// What the contacts say of somebody. A name is somebody's at one registry only, so what is known
/// of it at another one says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Known {
    /// Nothing.
    #[default]
    No,
    /// There has been a call with them.
    Yes,
    /// The four words were the same, and no registry has said since that the name is another
    /// identity's.
    Verified,
    /// The registry has said since that the name is another identity's.
    Changed,
    /// They are not let in, whatever registry they are known at.
    Blocked,
}

/// Under which heading somebody stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// Favourites, registered or not.
    Favourites,
    /// All others who are registered.
    Registered,
    /// People who are known and are not registered.
    Known,
    /// Whoever has in their name what was typed.
    Found,
}

/// A row of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// The heading of those who follow.
    Heading(Section),
    /// Somebody.
    Person(Listed),
}

/// The list for what was typed. Without anything typed it has headings; else whoever is called so
/// comes first, then those whose name begins so, and then those who have it anywhere. `me` is left
/// out. `registry` is where the names are registered, once it has been reached.
pub fn rows(
    directory: impl IntoIterator<Item = (Name, Presence)>,
    registry: Option<IdentityKey>,
    book: &Book,
    favourites: &[String],
    me: &Name,
    typed: &str,
) -> Vec<Row> {
    let mut people = people(directory, registry, book, favourites);
    people.remove(me);
    let wanted = fold(typed.trim());
    let mut people: Vec<(Section, u8, Listed)> = people
        .into_values()
        .filter_map(|listed| {
            let section = section(&listed);
            let rank = rank(listed.name.folded(), &wanted)?;
            Some((section, rank, listed))
        })
        .collect();
    if !wanted.is_empty() {
        people.sort_by_key(|(section, rank, _)| (*rank, *section));
        let found = Some(Row::Heading(Section::Found)).filter(|_| !people.is_empty());
        let people = people.into_iter().map(|(_, _, listed)| Row::Person(listed));
        return found.into_iter().chain(people).collect();
    }
    people.sort_by_key(|(section, ..)| *section);
    let mut rows = Vec::with_capacity(people.len() + 3);
    let mut before = None;
    for (section, _, listed) in people {
        if before != Some(section) {
            rows.push(Row::Heading(section));
            before = Some(section);
        }
        rows.push(Row::Person(listed));
    }
    rows
}

/// Everybody, once, by name.
fn people(
    directory: impl IntoIterator<Item = (Name, Presence)>,
    registry: Option<IdentityKey>,
    book: &Book,
    favourites: &[String],
) -> BTreeMap<Name, Listed> {
    let new = |name: Name, presence| Listed {
        name,
        presence,
        favourite: false,
        known: Known::No,
    };
    let mut people: BTreeMap<Name, Listed> = directory
        .into_iter()
        .map(|(name, presence)| (name.clone(), new(name, Some(presence))))
        .collect();
    for contact in book.iter() {
        let name = &contact.name;
        let known = known(contact, registry, book);
        if known == Known::No {
            continue;
        }
        let listed = people
            .entry(name.clone())
            .or_insert_with(|| new(name.clone(), None));
        if listed.known != Known::Blocked {
            listed.known = known;
        }
    }
    for favourite in favourites {
        // What was written there by hand and is no name is nobody.
        let Ok(name) = favourite.parse::<Name>() else {
            continue;
        };
        let listed = people
            .entry(name.clone())
            .or_insert_with(|| new(name, None));
        listed.favourite = true;
    }
    people
}

/// What a contact says of whoever has its name at the registry.
fn known(contact: &Contact, registry: Option<IdentityKey>, book: &Book) -> Known {
    let here = book.pinned(registry, &contact.name);
    match here {
        _ if contact.blocked => Known::Blocked,
        Some(here) if here.changed => Known::Changed,
        Some(here) if here.verified => Known::Verified,
        Some(_) => Known::Yes,
        // It has not been found out yet which registry it is.
        None if registry.is_none() => Known::Yes,
        None => Known::No,
    }
}

fn section(listed: &Listed) -> Section {
    match (listed.favourite, listed.presence) {
        (true, _) => Section::Favourites,
        (false, Some(_)) => Section::Registered,
        (false, None) => Section::Known,
    }
}

/// How well a name fits what was typed: 0 is best, `None` not at all.
fn rank(folded: &str, wanted: &str) -> Option<u8> {
    match folded.find(wanted)? {
        0 if folded == wanted => Some(0),
        0 => Some(1),
        _ => Some(2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        text.parse().expect("a name")
    }

    fn contact(of: &str, verified: bool, blocked: bool) -> Contact {
        Contact {
            registry: None,
            name: name(of),
            identity: IdentityKey([7; 32]),
            verified,
            blocked,
            changed: false,
            since: 0,
        }
    }

    fn shown(typed: &str) -> Vec<String> {
        let directory = ["Zoe", "anna", "bob", "me"].map(|of| (name(of), Presence::Available));
        let book: Book = [contact("carol", true, false), contact("bob", false, false)]
            .into_iter()
            .collect();
        let favourites = ["zoe".to_owned(), "dora".to_owned(), "no name".to_owned()];
        let rows = rows(directory, None, &book, &favourites, &name("me"), typed);
        let shown = |row: &Row| match row {
            Row::Heading(section) => format!("{section:?}"),
            Row::Person(listed) => format!("{} {:?}", listed.name, listed.known),
        };
        rows.iter().map(shown).collect()
    }

    #[test]
    fn favourites_come_first_then_who_is_registered_then_who_is_known() {
        assert_eq!(
            shown(""),
            [
                "Favourites",
                "dora No",
                "Zoe No",
                "Registered",
                "anna No",
                "bob Yes",
                "Known",
                "carol Verified"
            ]
        );
    }

    #[test]
    fn who_begins_with_what_was_typed_comes_before_who_only_has_it() {
        assert_eq!(
            shown("O "),
            ["Found", "dora No", "Zoe No", "bob Yes", "carol Verified"]
        );
        assert_eq!(shown("Z"), ["Found", "Zoe No"]);
        assert!(shown("nobody").is_empty());
        assert!(shown("me").is_empty(), "one does not call oneself");
    }

    #[test]
    fn who_is_called_just_as_it_was_typed_comes_first_even_if_not_registered() {
        let directory = ["bob2", "bobby"].map(|of| (name(of), Presence::Available));
        let book: Book = [contact("bob", true, false)].into_iter().collect();
        let rows = rows(directory, None, &book, &[], &name("me"), "Bob");
        let Row::Person(first) = &rows[1] else {
            panic!("{rows:?}")
        };
        assert_eq!(first.name, name("bob"));
    }

    #[test]
    fn who_is_blocked_under_any_registry_is_shown_so() {
        let mut elsewhere = contact("bob", true, false);
        elsewhere.registry = Some(IdentityKey([1; 32]));
        let book: Book = [contact("bob", false, true), elsewhere]
            .into_iter()
            .collect();
        let rows = rows([], None, &book, &[], &name("me"), "");
        let Row::Person(bob) = &rows[1] else {
            panic!("{rows:?}")
        };
        assert_eq!(bob.known, Known::Blocked);
    }

    #[test]
    fn who_is_somebody_else_now_is_verified_no_more_and_let_in_no_more_if_they_were_not() {
        let changed = |of: &str, verified, blocked| Contact {
            changed: true,
            ..contact(of, verified, blocked)
        };
        let book: Book = [
            changed("bob", true, false),
            changed("carol", false, false),
            changed("eve", true, true),
        ]
        .into_iter()
        .collect();
        let rows = rows([], None, &book, &[], &name("me"), "");
        let known = rows.iter().filter_map(|row| match row {
            Row::Person(listed) => Some(listed.known),
            Row::Heading(_) => None,
        });
        let known: Vec<_> = known.collect();
        assert_eq!(known, [Known::Changed, Known::Changed, Known::Blocked]);
    }

    #[test]
    fn whom_another_registry_calls_so_is_not_known_here() {
        const HERE: Option<IdentityKey> = Some(IdentityKey([1; 32]));
        const THERE: Option<IdentityKey> = Some(IdentityKey([2; 32]));
        let at = |registry, of: &str, verified, blocked| Contact {
            registry,
            ..contact(of, verified, blocked)
        };
        let book: Book = [
            at(THERE, "bob", true, false),
            at(THERE, "carol", true, false),
            at(THERE, "eve", false, true),
            at(HERE, "dora", true, false),
            at(None, "frank", true, false),
            // Pinned here to somebody else, who is not verified.
            at(THERE, "gil", true, false),
            at(HERE, "gil", false, false),
        ]
        .into_iter()
        .collect();
        let seen = |registry| -> Vec<String> {
            let directory = [(name("bob"), Presence::Available)];
            let rows = rows(directory, registry, &book, &[], &name("me"), "");
            let people = rows.iter().filter_map(|row| match row {
                Row::Person(listed) => Some(format!("{} {:?}", listed.name, listed.known)),
                Row::Heading(_) => None,
            });
            people.collect()
        };
        let here = [
            "bob No",
            "dora Verified",
            "eve Blocked",
            "frank Verified",
            "gil Yes",
        ];
        assert_eq!(seen(HERE), here);
        // As long as no registry was reached, nobody is verified by it.
        let anywhere = [
            "bob Yes",
            "carol Yes",
            "dora Yes",
            "eve Blocked",
            "frank Verified",
            "gil Yes",
        ];
        assert_eq!(seen(None), anywhere);
    }
}
