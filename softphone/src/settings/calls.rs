//! The file `calls`: the calls that are over, as JSON that a person can read.
//!
//! Only the phone that runs writes it, whole each time. A file that cannot be read is set aside
//! under another name: unlike contacts, it protects nobody, so the phone goes on with a new one.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use codec::UnixMillis;
use registry::keyfile;
use serde::{Deserialize, Serialize};

use super::{ProfileError, folder::failed};
use crate::{
    call::{Direction, Reason},
    contacts::Standing,
    history::{HISTORY_MAX, History, Past},
};

/// What is written today. Whatever an earlier program could not read is a new format, such as one
/// more reason.
const FORMAT: u32 = 1;

/// The longest file that is read: more than [`HISTORY_MAX`] calls with the longest names.
const FILE_BYTES_MAX: u64 = 2 * 1024 * 1024;

/// How often a file is read that is not whole.
const READS_MAX: u32 = 16;

/// How many damaged files are kept; the last one gives way.
const ASIDE_MAX: u32 = 9;

/// The file in one person's folder.
#[derive(Debug, Clone)]
pub struct CallsFile {
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Written {
    format: u32,
    calls: Vec<Row>,
}

/// The format alone: what is behind it may have any shape in a later one.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

#[derive(Serialize, Deserialize)]
struct Row {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    host: Option<String>,
    incoming: bool,
    at: UnixMillis,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lasted_ms: Option<u64>,
    reason: String,
    standing: String,
    seen: bool,
}

impl CallsFile {
    /// The one in this person's folder.
    #[must_use]
    pub fn within(folder: &Path) -> Self {
        let path = folder.join("calls");
        Self { path }
    }

    /// The calls in it; none when there is no file. The phone may be writing it meanwhile.
    ///
    /// # Errors
    /// [`ProfileError`].
    pub fn read(&self) -> Result<History, ProfileError> {
        let mut read = self.read_once();
        for _ in 1..READS_MAX {
            // What was opened may be an old file, which is overwritten when a new one has taken its
            // place: that one is whole.
            if !matches!(read, Err(ProfileError::CallsDamaged(_))) {
                break;
            }
            read = self.read_once();
        }
        read
    }

    fn read_once(&self) -> Result<History, ProfileError> {
        let path = &self.path;
        let damaged = || ProfileError::CallsDamaged(path.clone());
        let bytes = match keyfile::read_up_to(path, FILE_BYTES_MAX) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(History::default()),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => return Err(damaged()),
            Err(error) => return Err(failed(path)(error)),
        };
        let Format { format } = serde_json::from_slice(&bytes).map_err(|_| damaged())?;
        if format > FORMAT {
            return Err(ProfileError::CallsNewer(path.clone()));
        }
        let written: Written = serde_json::from_slice(&bytes).map_err(|_| damaged())?;
        if written.calls.len() > HISTORY_MAX {
            return Err(damaged());
        }
        let calls = written
            .calls
            .into_iter()
            .map(|row| row.read().map(Arc::new));
        let entries = calls.collect::<Option<_>>().ok_or_else(damaged)?;
        Ok(History { entries })
    }

    /// Writes them whole or not at all.
    ///
    /// # Errors
    /// [`ProfileError`]; the file is as it was then.
    pub fn write(&self, history: &History) -> Result<(), ProfileError> {
        let written = Written {
            format: FORMAT,
            calls: history.entries.iter().map(|past| Row::of(past)).collect(),
        };
        let io = failed(&self.path);
        let mut bytes = serde_json::to_vec_pretty(&written)
            .map_err(|error| io(std::io::Error::other(error)))?;
        bytes.push(b'\n');
        keyfile::write(&self.path, &bytes).map_err(io)
    }

    /// Moves a damaged file away, and returns where to.
    ///
    /// # Errors
    /// [`ProfileError`]; it is where it was then.
    pub fn set_aside(&self) -> Result<PathBuf, ProfileError> {
        let aside = |number: u32| self.path.with_extension(format!("damaged-{number}"));
        let free = |path: &PathBuf| !path.exists() && !path.is_symlink();
        let to = (1..ASIDE_MAX).map(aside).find(free);
        let to = to.unwrap_or_else(|| aside(ASIDE_MAX));
        fs::rename(&self.path, &to).map_err(failed(&self.path))?;
        Ok(to)
    }
}

impl Row {
    fn of(past: &Past) -> Self {
        let millis = |lasted: Duration| u64::try_from(lasted.as_millis()).unwrap_or(u64::MAX);
        Self {
            name: past.name.to_string(),
            host: past.host.as_ref().map(ToString::to_string),
            incoming: past.direction == Direction::Incoming,
            at: past.at,
            lasted_ms: past.lasted.map(millis),
            reason: past.reason.word().to_owned(),
            standing: past.standing.word().to_owned(),
            seen: past.seen,
        }
    }

    fn read(self) -> Option<Past> {
        let host = match self.host {
            Some(host) => Some(host.parse().ok()?),
            None => None,
        };
        Some(Past {
            name: self.name.parse().ok()?,
            host,
            direction: match self.incoming {
                true => Direction::Incoming,
                false => Direction::Outgoing,
            },
            at: self.at,
            lasted: self.lasted_ms.map(Duration::from_millis),
            reason: Reason::from_word(&self.reason)?,
            standing: Standing::from_word(&self.standing)?,
            seen: self.seen,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use super::*;

    fn file() -> (tempfile::TempDir, CallsFile) {
        let folder = tempfile::tempdir().unwrap();
        let file = CallsFile::within(folder.path());
        (folder, file)
    }

    fn history() -> History {
        let missed = Past {
            name: "Zoë".parse().unwrap(),
            host: None,
            direction: Direction::Incoming,
            at: 1_800_000_000_000,
            lasted: None,
            reason: Reason::Cancelled,
            standing: Standing::Stranger,
            seen: false,
        };
        let mut history = History::default();
        history.add(Past {
            host: Some("[2001:db8::1]:4000".parse().unwrap()),
            direction: Direction::Outgoing,
            lasted: Some(Duration::from_millis(61_500)),
            reason: Reason::RemoteHangup,
            standing: Standing::Verified,
            seen: true,
            ..missed.clone()
        });
        history.add(missed);
        history
    }

    #[test]
    fn calls_are_read_as_they_were_written_and_kept_private() {
        let (folder, file) = file();
        assert!(file.read().unwrap().entries.is_empty());
        file.write(&history()).unwrap();
        assert_eq!(file.read().unwrap(), history());
        let path = folder.path().join("calls");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(file.read(), Err(ProfileError::Exposed(_))));
    }

    #[test]
    fn a_damaged_file_is_told_from_a_newer_one() {
        let (folder, file) = file();
        let path = folder.path().join("calls");
        file.write(&history()).unwrap();
        let whole = fs::read_to_string(&path).unwrap();
        for damaged in [
            "",
            "{}",
            &whole[..whole.len() - 3],
            &whole.replace("Zo", "Z o"),
            &whole.replace("cancelled", "eaten"),
            &whole.replace("verified", "adored"),
            &whole.replace("2001:db8::1", "2001 db8"),
            &whole.replace("61500", "-1"),
            &(whole.clone() + &" ".repeat(usize::try_from(FILE_BYTES_MAX).unwrap())),
        ] {
            assert_ne!(damaged, whole);
            keyfile::write(&path, damaged.as_bytes()).unwrap();
            let said = file.read();
            assert!(
                matches!(said, Err(ProfileError::CallsDamaged(_))),
                "{said:?}"
            );
        }
        keyfile::write(&path, br#"{"format":2,"talks":7}"#).unwrap();
        assert!(matches!(file.read(), Err(ProfileError::CallsNewer(_))));
    }

    #[test]
    fn whoever_reads_while_the_phone_writes_finds_it_whole() {
        let (_folder, file) = file();
        let mut history = history();
        file.write(&history).unwrap();
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| (0..200).all(|_| file.read().is_ok()));
            while !reader.is_finished() {
                history.add(Past::clone(&history.entries[1]));
                file.write(&history).unwrap();
            }
            assert!(reader.join().unwrap());
        });
    }

    #[test]
    fn what_is_set_aside_stays_up_to_a_limit() {
        let (folder, file) = file();
        let path = folder.path().join("calls");
        for number in 0..ASIDE_MAX + 3 {
            fs::write(&path, number.to_string()).unwrap();
            let aside = file.set_aside().unwrap();
            assert_eq!(fs::read_to_string(&aside).unwrap(), number.to_string());
            assert!(!path.exists());
        }
        let files = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(files, usize::try_from(ASIDE_MAX).unwrap());
        let first = folder.path().join("calls.damaged-1");
        assert_eq!(fs::read_to_string(first).unwrap(), "0");
    }

    #[test]
    fn as_many_of_the_longest_names_and_hosts_as_there_can_be_fit() {
        let (_folder, file) = file();
        let mut history = History::default();
        for number in 0..HISTORY_MAX {
            let digits = number.to_string();
            history.add(Past {
                name: ("\u{4e2d}".repeat(32 - digits.len()) + &digits)
                    .parse()
                    .unwrap(),
                host: Some(format!("{}:50000", "h".repeat(253)).parse().unwrap()),
                direction: Direction::Outgoing,
                at: u64::MAX,
                lasted: Some(Duration::from_millis(u64::MAX)),
                reason: Reason::RegistryUnreachable,
                standing: Standing::Verified,
                seen: true,
            });
        }
        file.write(&history).unwrap();
        assert_eq!(file.read().unwrap(), history);
    }
}
