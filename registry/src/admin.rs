//! The operator's side of a registry that runs: what can be asked over its local socket, and what
//! is answered.
//!
//! Each request is one line of JSON. It is answered by any number of lines, of which the last is
//! [`Answer::Done`] or [`Answer::Failed`]. Who may open the socket's file may ask.

use std::path::{Path, PathBuf};

use codec::{IdentityKey, Name, UnixMillis};
use serde::{Deserialize, Serialize};

mod desk;
mod socket;

pub use socket::{AdminSocket, BindError};

/// The longest line of a request, in bytes.
pub const REQUEST_BYTES_MAX: usize = 4096;

/// The most users that are told at once.
pub const USERS_MAX: usize = 10_000;

/// The most invite codes that are made at once.
pub const INVITES_AT_ONCE_MAX: u32 = 1000;

/// Where the socket of a registry with this data folder is.
#[must_use]
pub fn socket_of(data: &Path) -> PathBuf {
    data.join("admin.sock")
}

/// What an operator asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Who owns which name, and where they are.
    Users {
        /// Only names that begin so.
        prefix: String,
        /// At most so many, and never more than [`USERS_MAX`].
        limit: usize,
    },
    /// Takes a name from its owner.
    Release {
        /// The name.
        name: String,
    },
    /// Serves somebody no more.
    Ban {
        /// A key, or a name: then its owner, or the name itself if it has none.
        of: String,
    },
    /// Ends a ban.
    Unban {
        /// What was banned, or a name of whoever was.
        of: String,
    },
    /// Who and what is banned.
    Bans,
    /// Makes invite codes.
    Invite {
        /// How many, 1 to [`INVITES_AT_ONCE_MAX`].
        codes: u32,
        /// How many names each gives.
        uses: u32,
        /// For how many days.
        days: u32,
    },
    /// The invite codes that still count.
    Invites,
    /// How the registry is.
    Stats,
    /// Ends the connections of somebody.
    Disconnect {
        /// A key, or a name: then its owner.
        of: String,
    },
}

/// A line of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// A name.
    User(User),
    /// A ban.
    Ban(Ban),
    /// An invite code.
    Invite(Invite),
    /// How the registry is.
    Stats(Stats),
    /// It is done, and that was all.
    Done {
        /// What was done, or how much more there is; may be empty.
        said: String,
    },
    /// It could not be done.
    Failed {
        /// Why, and what to do.
        why: String,
    },
}

/// A name that is owned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The name.
    pub name: Name,
    /// The owner's key, in hexadecimal.
    pub key: String,
    /// The same in short.
    pub fingerprint: String,
    /// The owner is banned.
    pub banned: bool,
    /// Since when it is theirs.
    pub claimed_at: UnixMillis,
    /// When it was registered last, to the hour.
    pub used_at: UnixMillis,
    /// Its owner gave it up; it is free from then on.
    pub free_at: Option<UnixMillis>,
    /// The phones that are registered now.
    pub devices: Vec<Device>,
}

/// A phone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Where it listens.
    pub contacts: Vec<String>,
    /// How long its lease still lasts, in seconds.
    pub lease_left_s: u16,
}

/// A ban.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ban {
    /// A name, if that is what is banned.
    pub name: Option<Name>,
    /// A key in hexadecimal, if that is it.
    pub key: Option<String>,
    /// The key in short.
    pub fingerprint: Option<String>,
    /// Since when.
    pub since: UnixMillis,
}

/// An invite code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invite {
    /// The code.
    pub code: String,
    /// How many names it still gives.
    pub uses_left: u32,
    /// It counts before then.
    pub expires_at: UnixMillis,
}

/// How a registry is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// For how long it runs, in seconds.
    pub uptime_s: u64,
    /// Open connections.
    pub connections: usize,
    /// Identities that have one.
    pub identities: usize,
    /// Names that somebody owns.
    pub owned: usize,
    /// Names that are registered now.
    pub registered: usize,
    /// Requests by kind.
    pub requests: Vec<Requests>,
    /// How often each thing was counted since the start, under its word.
    pub counted: Vec<(String, u64)>,
}

/// Requests of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Requests {
    /// Which.
    pub kind: String,
    /// Since the start.
    pub all: u64,
    /// A second, over about the last minute.
    pub per_s: f64,
}

/// Reads a key as it is shown: 64 hexadecimal digits.
fn key_of(text: &str) -> Option<IdentityKey> {
    let mut key = [0; 32];
    let digits = text.as_bytes();
    if digits.len() != 2 * key.len() {
        return None;
    }
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16);
        *byte = u8::try_from(digit(0)? << 4 | digit(1)?).ok()?;
    }
    Some(IdentityKey(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_is_shown_and_nothing_else_is_one() {
        let key = IdentityKey([0xa7; 32]);
        assert_eq!(key_of(&key.to_string()), Some(key));
        assert_eq!(key_of(&key.to_string().to_uppercase()), Some(key));
        for wrong in [
            "",
            "bob",
            &"a7".repeat(33),
            &"g7".repeat(32),
            &"ä".repeat(32),
        ] {
            assert_eq!(key_of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn requests_are_lines_that_a_script_can_write() {
        let read = |line: &str| serde_json::from_str::<Command>(line).map_err(|_| ());
        assert_eq!(read(r#""stats""#), Ok(Command::Stats));
        let ban = Command::Ban {
            of: "bob".to_owned(),
        };
        assert_eq!(read(r#"{"ban":{"of":"bob"}}"#), Ok(ban));
        assert_eq!(read(r#"{"ban":{"of":"bob","why":1}}"#), Err(()));
        assert_eq!(read(r#""reboot""#), Err(()));
    }
}
