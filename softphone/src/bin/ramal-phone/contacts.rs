//! `ramal-phone contacts`: whom a person knows, also while their phone runs.

use std::process::ExitCode;

use clap::Subcommand;
use codec::Name;
use serde_json::json;
use softphone::{
    contacts::{Book, Change, Contact},
    settings::{ContactsFile, ProfileError, folder_of, has_identity},
};
use unicode_width::UnicodeWidthStr;

use crate::{General, identity::date, name, show::Show};

/// What can be done with contacts.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Lists everybody who was talked to, or is blocked
    List,
    /// Marks somebody as verified: the four words were the same on both sides
    Verify {
        /// Whom
        #[arg(value_name = "NAME")]
        whom: Name,
        /// Which of several by that name: the beginning of the fingerprint
        #[arg(long, value_name = "LETTERS")]
        fingerprint: Option<String>,
    },
    /// Forgets whose a name is: whoever has it in the next call is pinned anew
    Forget {
        /// Whom
        #[arg(value_name = "NAME")]
        whom: Name,
        /// Which of several by that name: the beginning of the fingerprint
        #[arg(long, value_name = "LETTERS")]
        fingerprint: Option<String>,
    },
    /// Lets somebody in no longer
    Block {
        /// Whom
        #[arg(value_name = "NAME")]
        whom: Name,
    },
    /// Lets somebody in again
    Unblock {
        /// Whom
        #[arg(value_name = "NAME")]
        whom: Name,
    },
}

/// Does it.
///
/// # Errors
/// Why it cannot be done, with the next step.
pub fn run(command: &Command, general: &General, show: &Show) -> Result<ExitCode, String> {
    let config = general.folder()?;
    let name = name(general.name.as_deref(), &config)?;
    let folder = folder_of(&config, &name);
    if !has_identity(&config, &name) {
        return Err(ProfileError::NoIdentity(name, folder).to_string());
    }
    let file = ContactsFile::within(&folder);
    let book = file.read().map_err(|error| error.to_string())?;
    let (whom, word) = match command {
        Command::List => {
            list(&book, &name, show);
            return Ok(ExitCode::SUCCESS);
        }
        Command::Verify { whom, .. } => (whom, "verified"),
        Command::Forget { whom, .. } => (whom, "forgotten"),
        Command::Block { whom } => (whom, "blocked"),
        Command::Unblock { whom } => (whom, "not blocked"),
    };
    let mut found: Vec<&Contact> = book.named(whom).collect();
    if let Command::Verify { fingerprint, .. } | Command::Forget { fingerprint, .. } = command {
        found = vec![one(found, whom, fingerprint.as_deref())?];
    }
    if found.is_empty() {
        let why = unknown(whom);
        return Err(match command {
            Command::Block { .. } => format!(
                "{why}. Decline the calls of somebody who is none; with --callers contacts \
                 strangers do not ring"
            ),
            _ => why,
        });
    }
    let changes: Vec<Change> = found.iter().map(|found| change(command, found)).collect();
    let (book, _) = file.change(&changes).map_err(|error| error.to_string())?;
    for contact in found {
        if !is_done(command, contact, &book) {
            return Err(format!(
                "{} has changed meanwhile, and is not {word}; look at ramal-phone contacts list",
                contact.name
            ));
        }
        let fingerprint = contact.identity.fingerprint();
        show.answer(
            &json!({
                "event": "contact_changed",
                "name": contact.name.as_str(),
                "fingerprint": fingerprint,
                "now": word,
            }),
            &[format!(
                "{} ({fingerprint}) is {word}{}",
                contact.name,
                aside(command, contact)
            )],
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn change(command: &Command, contact: &Contact) -> Change {
    let (registry, name) = (contact.registry, contact.name.clone());
    match command {
        Command::Verify { .. } => Change::Verify(contact.clone()),
        Command::Block { .. } | Command::Unblock { .. } => Change::Block {
            registry,
            name,
            blocked: matches!(command, Command::Block { .. }),
        },
        Command::List | Command::Forget { .. } => Change::Forget { registry, name },
    }
}

/// What else has become of somebody.
fn aside(command: &Command, contact: &Contact) -> &'static str {
    match command {
        Command::Forget { .. } if contact.blocked => ", and no longer blocked",
        _ => "",
    }
}

/// Whether the contacts are now as they were to be: somebody else may have changed them meanwhile.
fn is_done(command: &Command, contact: &Contact, book: &Book) -> bool {
    let known = book.get(contact.registry, &contact.name);
    let known = known.filter(|known| known.identity == contact.identity);
    match command {
        Command::List => true,
        Command::Verify { .. } => known.is_some_and(|known| known.verified),
        Command::Block { .. } => known.is_some_and(|known| known.blocked),
        Command::Unblock { .. } => known.is_none_or(|known| !known.blocked),
        Command::Forget { .. } => known.is_none(),
    }
}

fn unknown(whom: &Name) -> String {
    format!(
        "no contact is called {whom}; somebody becomes one in the first call (ramal-phone contacts \
         list shows all)"
    )
}

/// The one of several contacts of a name, at different registries, that is meant.
fn one<'a>(
    found: Vec<&'a Contact>,
    whom: &Name,
    fingerprint: Option<&str>,
) -> Result<&'a Contact, String> {
    let bare = |text: &str| text.to_lowercase().replace(char::is_whitespace, "");
    let begins = bare(fingerprint.unwrap_or_default());
    let is_meant = |contact: &&Contact| bare(&contact.identity.fingerprint()).starts_with(&begins);
    let of_name = found.len();
    let mut meant = found.into_iter().filter(is_meant);
    match (meant.next(), meant.next()) {
        (Some(one), None) => Ok(one),
        (None, _) if of_name == 0 => Err(unknown(whom)),
        (None, _) => Err(format!(
            "no contact called {whom} has a fingerprint that begins so; ramal-phone contacts list \
             shows them"
        )),
        (Some(_), Some(_)) => Err(format!(
            "several contacts are called {whom}; say which one by --fingerprint and its first \
             letters (ramal-phone contacts list)"
        )),
    }
}

fn list(book: &Book, name: &Name, show: &Show) {
    if show.json {
        for contact in book.iter() {
            show.answer(
                &json!({
                    "event": "contact",
                    "name": contact.name.as_str(),
                    "fingerprint": contact.identity.fingerprint(),
                    "identity": contact.identity.to_string(),
                    "registry": contact.registry.map(|registry| registry.to_string()),
                    "verified": contact.verified,
                    "blocked": contact.blocked,
                    "changed": contact.changed,
                    "since": contact.since,
                }),
                &[],
            );
        }
        return;
    }
    if book.is_empty() {
        show.say(&format!(
            "{name} has no contacts yet: somebody becomes one in the first call"
        ));
    }
    rows(book).iter().for_each(|row| show.say(row));
}

/// One line for everybody, in columns. Where names are of several registries, it is told which.
fn rows(book: &Book) -> Vec<String> {
    let registry = |contact: &Contact| match contact.registry {
        Some(registry) => registry.fingerprint().chars().take(11).collect(),
        None => "an address, by no registry".to_owned(),
    };
    let mut registries: Vec<String> = book.iter().map(registry).collect();
    registries.dedup();
    let several = registries.len() > 1;
    let wide = |contact: &Contact| contact.name.as_str().width();
    let widest = book.iter().map(wide).max().unwrap_or_default();
    let row = |contact: &Contact| {
        let verified = match contact.changed {
            // The words were those of somebody else than who has the name now.
            true => Some("changed"),
            false => contact.verified.then_some("verified"),
        };
        let blocked = contact.blocked.then_some("blocked");
        let marks: Vec<_> = verified.into_iter().chain(blocked).collect();
        let marks = marks.join(", ");
        let mut row = format!(
            "{name}{space}  {marks:<17}  {fingerprint}  since {since}",
            name = contact.name,
            space = " ".repeat(widest - wide(contact)),
            fingerprint = contact.identity.fingerprint(),
            since = date(contact.since),
        );
        if several {
            row = format!("{row}  at {}", registry(contact));
        }
        row
    };
    book.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use codec::IdentityKey;

    use super::*;

    fn contact(registry: u8, name: &str, identity: u8) -> Contact {
        Contact {
            registry: Some(IdentityKey([registry; 32])),
            name: name.parse().unwrap(),
            identity: IdentityKey([identity; 32]),
            verified: false,
            blocked: false,
            changed: false,
            since: 0,
        }
    }

    #[test]
    fn columns_stand_under_each_other_whatever_the_script() {
        let blocked = Contact {
            blocked: true,
            verified: true,
            ..contact(1, "山田", 2)
        };
        let book = Book::from_iter([
            contact(1, "alice", 1),
            blocked.clone(),
            contact(1, "боб", 3),
        ]);
        let rows = rows(&book);
        let column = |row: &String, what: &str| row[..row.find(what).unwrap()].width();
        let at: Vec<usize> = rows.iter().map(|row| column(row, "since")).collect();
        assert_eq!(at, [at[0]; 3]);
        assert_eq!(
            rows.iter()
                .filter(|row| row.contains("verified, blocked"))
                .count(),
            1
        );
        assert!(!rows[0].contains(" at "));
        let changed = Contact {
            changed: true,
            ..blocked
        };
        let rows = self::rows(&Book::from_iter([changed]));
        assert!(rows[0].contains("changed, blocked") && !rows[0].contains("verified"));
        let elsewhere = Book::from_iter([contact(1, "alice", 1), contact(2, "alice", 1)]);
        assert!(
            self::rows(&elsewhere)
                .iter()
                .all(|row| row.contains(" at "))
        );
    }

    #[test]
    fn what_was_changed_by_others_meanwhile_is_not_said_to_be_done() {
        let alice = contact(1, "alice", 1);
        let verify = Command::Verify {
            whom: alice.name.clone(),
            fingerprint: None,
        };
        let block = Command::Block {
            whom: alice.name.clone(),
        };
        // The name is somebody else's by now.
        let mut book = Book::from_iter([contact(1, "alice", 2)]);
        assert!(!book.apply(&change(&verify, &alice)) && !is_done(&verify, &alice, &book));
        book.apply(&change(&block, &alice));
        assert!(!is_done(&block, &alice, &book));
        // Who is verified already is.
        let mut book = Book::from_iter([alice.clone()]);
        assert!(book.apply(&change(&verify, &alice)) && is_done(&verify, &alice, &book));
        assert!(!book.apply(&change(&verify, &alice)) && is_done(&verify, &alice, &book));
    }

    #[test]
    fn who_forgets_somebody_who_is_blocked_hears_that_they_are_let_in_again() {
        let mut eve = contact(1, "eve", 1);
        let whom = eve.name.clone();
        let forget = Command::Forget {
            whom,
            fingerprint: None,
        };
        assert_eq!(aside(&forget, &eve), "");
        eve.blocked = true;
        assert_eq!(aside(&forget, &eve), ", and no longer blocked");
    }

    #[test]
    fn of_several_by_one_name_the_fingerprint_tells_which() {
        let (here, there) = (contact(1, "bob", 1), contact(2, "bob", 2));
        let bob = here.name.clone();
        let both = || vec![&here, &there];
        assert_eq!(one(vec![&here], &bob, None), Ok(&here));
        assert!(one(both(), &bob, None).unwrap_err().contains("several"));
        let print = there.identity.fingerprint();
        assert_eq!(
            one(both(), &bob, Some(&print[..7].to_uppercase())),
            Ok(&there)
        );
        assert!(
            one(both(), &bob, Some("!"))
                .unwrap_err()
                .contains("begins so")
        );
        assert!(one(vec![], &bob, None).unwrap_err().contains("no contact"));
    }
}
