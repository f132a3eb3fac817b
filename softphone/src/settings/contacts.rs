//! The file `contacts`: whom this person knows, as JSON that they can read.
//!
//! Several programs may change it at the same time, a phone that runs and `ramal-phone contacts`:
//! each reads it, changes it and writes it whole while it holds `contacts.lock`. A file that cannot
//! be read is reported and never replaced, since it says who is blocked and whom a name belongs to.

use std::{
    fs::{self, File, TryLockError},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant},
};

use codec::{IdentityKey, UnixMillis};
use registry::keyfile;
use serde::{Deserialize, Serialize};

use super::{ProfileError, folder::failed};
use crate::contacts::{Book, CONTACTS_MAX, Change, Contact};

/// What is written today.
const FORMAT: u32 = 1;

/// The longest file that is read: more than [`CONTACTS_MAX`] contacts with the longest names.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// How long another program may take to write it.
const LOCKED_MAX: Duration = Duration::from_secs(3);

/// How often it is tried meanwhile.
const LOCK_EVERY: Duration = Duration::from_millis(10);

/// The file in one person's folder.
#[derive(Debug, Clone)]
pub struct ContactsFile {
    path: PathBuf,
}

/// Tells one state of the file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    file: u64,
    changed: (i64, i64),
    length: u64,
}

#[derive(Serialize, Deserialize)]
struct Written {
    format: u32,
    contacts: Vec<Row>,
}

/// The format alone: what is behind it may have any shape in a later one.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

#[derive(Serialize, Deserialize)]
struct Row {
    name: String,
    identity: String,
    registry: Option<String>,
    verified: bool,
    blocked: bool,
    /// Programs of before do not write it.
    #[serde(default)]
    changed: bool,
    since: UnixMillis,
}

impl ContactsFile {
    /// The one in this person's folder.
    #[must_use]
    pub fn within(folder: &Path) -> Self {
        let path = folder.join("contacts");
        Self { path }
    }

    /// Everybody in it; nobody when there is none.
    ///
    /// # Errors
    /// [`ProfileError`].
    pub fn read(&self) -> Result<Book, ProfileError> {
        let path = &self.path;
        let read = keyfile::read_up_to(path, FILE_BYTES_MAX);
        let damaged = || ProfileError::ContactsDamaged(path.clone());
        let bytes = match read {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(Book::default()),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => return Err(damaged()),
            Err(error) => return Err(failed(path)(error)),
        };
        let Format { format } = serde_json::from_slice(&bytes).map_err(|_| damaged())?;
        if format > FORMAT {
            return Err(ProfileError::ContactsNewer(path.clone()));
        }
        let written: Written = serde_json::from_slice(&bytes).map_err(|_| damaged())?;
        let count = written.contacts.len();
        let contacts = written.contacts.into_iter().map(Row::read);
        let book: Option<Book> = contacts.collect();
        // Two of one name, or more than there can be, were not written by this program.
        let whole = book.filter(|book| count <= CONTACTS_MAX && book.len() == count);
        whole.ok_or_else(damaged)
    }

    /// What the file is like now; `None` when there is none.
    #[must_use]
    pub fn stamp(&self) -> Option<Stamp> {
        let metadata = fs::symlink_metadata(&self.path).ok()?;
        Some(Stamp {
            file: metadata.ino(),
            changed: (metadata.mtime(), metadata.mtime_nsec()),
            length: metadata.len(),
        })
    }

    /// Makes changes, and returns the book as it is then, and whether anything is different.
    ///
    /// # Errors
    /// [`ProfileError`]; nothing has changed then.
    pub fn change(&self, changes: &[Change]) -> Result<(Book, bool), ProfileError> {
        let _lock = self.lock()?;
        let mut book = self.read()?;
        let applied = changes.iter().filter(|change| book.apply(change));
        let differs = applied.count() > 0;
        if differs {
            self.write(&book)?;
        }
        Ok((book, differs))
    }

    fn write(&self, book: &Book) -> Result<(), ProfileError> {
        let written = Written {
            format: FORMAT,
            contacts: book.iter().map(Row::of).collect(),
        };
        let io = failed(&self.path);
        let mut bytes = serde_json::to_vec_pretty(&written)
            .map_err(|error| io(std::io::Error::other(error)))?;
        bytes.push(b'\n');
        keyfile::write(&self.path, &bytes).map_err(io)
    }

    /// Keeps others from changing it until the lock is dropped.
    fn lock(&self) -> Result<File, ProfileError> {
        let path = self.path.with_extension("lock");
        let lock = File::create(&path).map_err(failed(&path))?;
        let deadline = Instant::now() + LOCKED_MAX;
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(lock),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => sleep(LOCK_EVERY),
                Err(TryLockError::WouldBlock) => {
                    return Err(ProfileError::ContactsInUse(self.path.clone()));
                }
                Err(TryLockError::Error(error)) => return Err(failed(&path)(error)),
            }
        }
    }
}

impl Row {
    fn of(contact: &Contact) -> Self {
        Self {
            name: contact.name.to_string(),
            identity: contact.identity.to_string(),
            registry: contact.registry.map(|registry| registry.to_string()),
            verified: contact.verified,
            blocked: contact.blocked,
            changed: contact.changed,
            since: contact.since,
        }
    }

    fn read(self) -> Option<Contact> {
        let registry = match self.registry {
            Some(registry) => Some(key(&registry)?),
            None => None,
        };
        Some(Contact {
            registry,
            name: self.name.parse().ok()?,
            identity: key(&self.identity)?,
            verified: self.verified,
            blocked: self.blocked,
            changed: self.changed,
            since: self.since,
        })
    }
}

/// A key of 64 hexadecimal digits.
fn key(digits: &str) -> Option<IdentityKey> {
    let digit = |c: char| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let digits: Vec<u8> = digits.chars().map(digit).collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks();
    let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
    let bytes = bytes.try_into().ok().filter(|_| rest.is_empty());
    bytes.map(IdentityKey)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn contact(name: &str, identity: u8) -> Contact {
        Contact {
            registry: Some(IdentityKey([90; 32])),
            name: name.parse().unwrap(),
            identity: IdentityKey([identity; 32]),
            verified: false,
            blocked: false,
            changed: false,
            since: 7,
        }
    }

    fn file() -> (tempfile::TempDir, ContactsFile) {
        let folder = tempfile::tempdir().unwrap();
        let file = ContactsFile::within(folder.path());
        (folder, file)
    }

    #[test]
    fn contacts_are_read_as_they_were_written_and_kept_private() {
        let (folder, file) = file();
        assert!(file.read().unwrap().is_empty() && file.stamp().is_none());
        let (zoe, bob) = (contact("Zoë", 1), contact("bob", 2));
        let unknown = Contact {
            registry: None,
            blocked: true,
            ..contact("боб", 3)
        };
        let changes = [
            Change::Pin(zoe.clone()),
            Change::Verify(bob),
            Change::Pin(unknown.clone()),
        ];
        let (book, differs) = file.change(&changes).unwrap();
        assert!(differs);
        assert_eq!(book.len(), 3);
        assert_eq!(file.read().unwrap(), book);
        let path = folder.path().join("contacts");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        let stamp = file.stamp();
        assert!(!file.change(&changes).unwrap().1);
        assert_eq!(file.stamp(), stamp);
        let (registry, name) = (zoe.registry, zoe.name);
        assert!(file.change(&[Change::Forget { registry, name }]).unwrap().1);
        assert_ne!(file.stamp(), stamp);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(file.read(), Err(ProfileError::Exposed(_))));
    }

    #[test]
    fn who_is_somebody_else_by_now_is_so_at_the_next_start_and_nobody_is_by_an_older_file() {
        let (folder, file) = file();
        let bob = contact("bob", 2);
        let seen = Change::See {
            registry: bob.registry,
            name: bob.name.clone(),
            identity: IdentityKey([3; 32]),
        };
        file.change(&[Change::Pin(bob.clone()), seen]).unwrap();
        let read = || file.read().unwrap().iter().next().unwrap().clone();
        let changed = Contact {
            changed: true,
            ..bob.clone()
        };
        assert_eq!(read(), changed);
        let path = folder.path().join("contacts");
        let text = fs::read_to_string(&path).unwrap();
        let older = text.replace("\"changed\": true,", "");
        assert_ne!(older, text);
        keyfile::write(&path, older.as_bytes()).unwrap();
        assert_eq!(read(), bob);
    }

    #[test]
    fn a_damaged_file_is_said_and_never_replaced() {
        let (folder, file) = file();
        let path = folder.path().join("contacts");
        let bob = Change::Pin(contact("bob", 1));
        file.change(std::slice::from_ref(&bob)).unwrap();
        let whole = fs::read_to_string(&path).unwrap();
        let twice = {
            let row = whole.split_once('[').unwrap().1.split_once(']').unwrap().0;
            whole.replace(row, &format!("{row},{row}"))
        };
        for damaged in [
            "",
            "{}",
            &whole[..whole.len() - 3],
            &whole.replace("bob", "b b"),
            &whole.replace("0101", "01"),
            &whole.replace("0101", "01xx"),
            &twice,
            &(whole.clone() + &" ".repeat(usize::try_from(FILE_BYTES_MAX).unwrap())),
        ] {
            keyfile::write(&path, damaged.as_bytes()).unwrap();
            let refused = file.change(std::slice::from_ref(&bob));
            let is_said = matches!(refused, Err(ProfileError::ContactsDamaged(_)));
            assert!(is_said, "{refused:?}");
            assert_eq!(fs::read_to_string(&path).unwrap(), damaged);
        }
        keyfile::write(&path, br#"{"format":2,"people":{}}"#).unwrap();
        assert!(matches!(file.read(), Err(ProfileError::ContactsNewer(_))));
    }

    #[test]
    fn programs_that_change_it_at_the_same_time_lose_nothing() {
        let (_folder, file) = file();
        std::thread::scope(|scope| {
            for thread in 0..4u8 {
                let file = &file;
                scope.spawn(move || {
                    for number in 0..10 {
                        let name = format!("n{thread}.{number}");
                        file.change(&[Change::Pin(contact(&name, thread))]).unwrap();
                    }
                });
            }
        });
        assert_eq!(file.read().unwrap().len(), 40);
    }

    #[test]
    fn as_many_of_the_longest_names_as_there_can_be_fit() {
        let (_folder, file) = file();
        let named = |number: usize| {
            let digits = number.to_string();
            Contact {
                registry: Some(IdentityKey([number.to_le_bytes()[0]; 32])),
                ..contact(&("\u{4e2d}".repeat(32 - digits.len()) + &digits), 1)
            }
        };
        let book: Book = (0..CONTACTS_MAX).map(named).collect();
        assert_eq!(book.len(), CONTACTS_MAX);
        file.write(&book).unwrap();
        assert_eq!(file.read().unwrap(), book);
    }
}
