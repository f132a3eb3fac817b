//! The operator's side of a registry that runs: what can be asked over its local socket, and what
//! is answered.
//!
//! Each request is one line of JSON. It is answered by any number of lines, of which the last is
//! [`Answer::Done`] or [`Answer::Failed`]. Who may open the socket's file may ask.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{
    desk::{Desk, Done, Failed, USERS_AT_ONCE_MAX},
    store::Store,
};

mod socket;

pub use crate::desk::{Ban, Device, INVITES_AT_ONCE_MAX, Invite, Requests, Stats, User};
pub use socket::{AdminSocket, BindError};

/// The longest line of a request, in bytes.
pub const REQUEST_BYTES_MAX: usize = 4096;

/// The most users that are told at once.
pub const USERS_MAX: usize = USERS_AT_ONCE_MAX;

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
        /// Only names after this one.
        #[serde(default)]
        after: Option<String>,
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

/// The lines of the answer to an operator, the last of which says how it ended.
async fn answer<S: Store>(command: Command, desk: &Desk<S>) -> Vec<Answer> {
    let (mut lines, ended) = match command {
        Command::Users {
            prefix,
            after,
            limit,
        } => users(desk, &prefix, after.as_deref(), limit),
        Command::Bans => told(desk.bans(), Answer::Ban),
        Command::Invites => told(desk.invites(), Answer::Invite),
        Command::Stats => told(desk.stats().map(|stats| [stats]), Answer::Stats),
        Command::Release { name } => done(desk.release(&name).await),
        Command::Ban { of } => done(desk.ban(&of).await),
        Command::Unban { of } => done(desk.unban(&of).await),
        Command::Disconnect { of } => done(desk.disconnect(&of)),
        Command::Invite { codes, uses, days } => done(desk.invite(codes, uses, days).await),
    };
    lines.push(ended.map_or_else(
        |failed| Answer::Failed {
            why: failed.to_string(),
        },
        |said| Answer::Done { said },
    ));
    lines
}

/// Lines of an answer, and how it ends.
type Said = (Vec<Answer>, Result<String, Failed>);

fn told<T>(
    seen: Result<impl IntoIterator<Item = T>, Failed>,
    line: impl FnMut(T) -> Answer,
) -> Said {
    match seen {
        Ok(seen) => (seen.into_iter().map(line).collect(), Ok(String::new())),
        Err(failed) => (Vec::new(), Err(failed)),
    }
}

fn done(done: Result<Done, Failed>) -> Said {
    match done {
        Ok(done) => {
            let said = done.to_string();
            let codes = match done {
                Done::Invited { codes, .. } => codes,
                _ => Vec::new(),
            };
            (codes.into_iter().map(Answer::Invite).collect(), Ok(said))
        }
        Err(failed) => (Vec::new(), Err(failed)),
    }
}

fn users<S: Store>(desk: &Desk<S>, prefix: &str, after: Option<&str>, limit: usize) -> Said {
    let (users, more) = match desk.users_after(prefix, after, limit) {
        Ok(found) => found,
        Err(failed) => return (Vec::new(), Err(failed)),
    };
    let said = match users.last() {
        Some(last) if more => format!("there are more: go on with --after {}", last.name),
        None if more => "there are more: raise --limit".to_owned(),
        None if after.is_none() => "nobody owns a name that begins so".to_owned(),
        _ => String::new(),
    };
    (users.into_iter().map(Answer::User).collect(), Ok(said))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_lines_that_a_script_can_write() {
        let read = |line: &str| serde_json::from_str::<Command>(line).map_err(|_| ());
        assert_eq!(read(r#""stats""#), Ok(Command::Stats));
        let ban = Command::Ban {
            of: "bob".to_owned(),
        };
        assert_eq!(read(r#"{"ban":{"of":"bob"}}"#), Ok(ban));
        assert_eq!(read(r#"{"ban":{"of":"bob","why":1}}"#), Err(()));
        let users = Command::Users {
            prefix: "b".to_owned(),
            after: None,
            limit: 9,
        };
        assert_eq!(read(r#"{"users":{"prefix":"b","limit":9}}"#), Ok(users));
        assert_eq!(read(r#""reboot""#), Err(()));
    }
}
