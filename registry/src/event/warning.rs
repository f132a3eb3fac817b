//! What is wrong with a registry that its operator can mend, and what of it is wrong still.

use std::{
    fmt,
    mem::discriminant,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What is wrong. Its words are for logs and terminals; a window has its own.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// The disk does not take names; why.
    NotKept(String),
    /// What writes names has failed, which is a mistake of this program.
    StoreFailed,
    /// The registry stopped before the disk took everything.
    NamesLost,
    /// The system gives no connections; why.
    NoConnections(String),
    /// The system allows too few open files for as many connections as are wanted.
    FewerConnections {
        /// So many are held.
        held: usize,
        /// So many are wanted.
        wanted: usize,
    },
    /// This machine's clock has jumped ahead, and is not believed.
    ClockDoubted,
    /// Nobody can ask on the socket of the operator; why.
    NoAdminSocket {
        /// Where it would be.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// The registry cannot be announced on the local network; why.
    NotAnnounced(String),
    /// It may not be heard everywhere on the local network; why.
    NotHeard(String),
    /// So many connections did not end in time when the registry closed.
    CutOff(usize),
    /// The registry had failed before it was closed, which is a mistake of this program.
    Failed(String),
    /// Names are kept in memory only.
    InMemory,
    /// Unencrypted connections are taken from everywhere.
    PlainAnywhere,
    /// There was no key in this folder, so that a new one was made.
    AnotherKey(PathBuf),
    /// There is no thread that could write the log; why.
    NoLog(String),
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotKept(why) => write!(
                f,
                "names cannot be kept on disk: {why}; claims are refused until they can (is the \
                 disk full?)"
            ),
            Self::StoreFailed => f.write_str("the store has failed: restart the registry"),
            Self::NamesLost => f.write_str("names that were not acknowledged are lost"),
            Self::NoConnections(why) => write!(f, "cannot take connections: {why}"),
            Self::FewerConnections { held, wanted } => write!(
                f,
                "{held} connections are held instead of {wanted}: the system allows no more open \
                 files; raise its hard limit (ulimit -Hn, LimitNOFILE), or lower --connections"
            ),
            Self::ClockDoubted => f.write_str(
                "this machine's clock is far ahead of the time that has gone by, so no name is \
                 freed until it is right; if it is right, restart the registry",
            ),
            Self::NoAdminSocket { path, why } => write!(
                f,
                "ramal-registry admin does not work, there is no {}: {why}",
                path.display()
            ),
            Self::NotAnnounced(why) => write!(
                f,
                "phones on this network do not find it by themselves: {why}"
            ),
            Self::NotHeard(why) => write!(
                f,
                "phones on this network may not find it by themselves: {why}"
            ),
            Self::CutOff(connections) => {
                write!(f, "{connections} connections did not end in time")
            }
            Self::Failed(why) => {
                write!(f, "the registry had failed before it was closed: {why}")
            }
            Self::InMemory => {
                f.write_str("names are kept in memory only: they are gone when the registry stops")
            }
            Self::PlainAnywhere => f.write_str(
                "unencrypted connections are taken from everywhere: who is on the way of one sees \
                 who calls whom",
            ),
            // What an operator has to know who did not mean to give the registry another key.
            Self::AnotherKey(folder) => write!(
                f,
                "there was no key in {}, so it has made a new one: phones that know this registry \
                 stop until their owner says ramal-phone registries forget HOST:PORT",
                folder.display()
            ),
            Self::NoLog(why) => write!(f, "nothing will stand in the log: {why}"),
        }
    }
}

/// What was wrong and is right again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mended {
    /// The disk takes names.
    Disk,
    /// The system gives connections.
    Connections,
    /// This machine's clock is believed.
    Clock,
}

impl Mended {
    fn mends(self, warning: &Warning) -> bool {
        matches!(
            (self, warning),
            (Self::Disk, Warning::NotKept(_))
                | (Self::Connections, Warning::NoConnections(_))
                | (Self::Clock, Warning::ClockDoubted)
        )
    }
}

impl fmt::Display for Mended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Disk => "names are kept on disk again",
            Self::Connections => "connections are taken again",
            Self::Clock => "this machine's clock is right again",
        })
    }
}

/// What is wrong now: the newest of each kind, the oldest kind first. Clones are of the same.
///
/// Nothing is missing here, however many events are dropped because nobody reads them.
#[derive(Debug, Clone, Default)]
pub struct Standing(Arc<Mutex<Vec<Warning>>>);

impl Standing {
    /// What is wrong.
    #[must_use]
    pub fn now(&self) -> Vec<Warning> {
        self.warnings().clone()
    }

    pub(super) fn begin(&self, warning: &Warning) {
        let mut warnings = self.warnings();
        let same = |it: &&mut Warning| discriminant(*it) == discriminant(warning);
        match warnings.iter_mut().find(same) {
            Some(before) => before.clone_from(warning),
            None => warnings.push(warning.clone()),
        }
    }

    pub(super) fn end(&self, mended: Mended) {
        self.warnings().retain(|it| !mended.mends(it));
    }

    /// The lock is held to look at a few warnings.
    fn warnings(&self) -> MutexGuard<'_, Vec<Warning>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_stands_once_until_it_is_mended() {
        let standing = Standing::default();
        standing.begin(&Warning::NotKept("full".to_owned()));
        standing.begin(&Warning::ClockDoubted);
        standing.begin(&Warning::NotKept("gone".to_owned()));
        let both = [Warning::NotKept("gone".to_owned()), Warning::ClockDoubted];
        assert_eq!(standing.now(), both);
        standing.end(Mended::Connections);
        assert_eq!(standing.now(), both);
        standing.end(Mended::Disk);
        assert_eq!(standing.now(), [Warning::ClockDoubted]);
        standing.end(Mended::Clock);
        assert!(standing.now().is_empty());
    }
}
