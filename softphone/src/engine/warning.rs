//! What is wrong beside the calls that a person can mend.

use std::{fmt, path::PathBuf, sync::Arc};

use crate::{audio::AudioError, settings::ProfileError};

/// What is wrong. Its words are for logs and terminals; a window has its own.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Warning {
    /// A device that was wanted is not used.
    Sound(AudioError),
    /// No call can be made or taken now, because the system gives no network; what it says.
    NoNetwork(String),
    /// This machine's clock and the registry's are so far apart that calls through it may not ring.
    ClockApart,
    /// Other programs cannot command this phone, for it has no socket; why.
    NoSocket(String),
    /// The disk does not keep what it should; the phone goes on with what it knows.
    NotKept(Kept, Arc<ProfileError>),
    /// The disk is so far behind that a change of a contact is not kept.
    ContactDropped,
    /// The list of calls was damaged, is set aside, and begins anew.
    CallsSetAside {
        /// Where it was.
        from: PathBuf,
        /// Where it is now.
        to: PathBuf,
    },
    /// A part of the phone failed, which is a mistake of this program.
    PartFailed,
}

/// What the disk keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// The agreement keys of the week.
    Keys,
    /// The people who are known.
    Contacts,
    /// The calls that are over.
    Calls,
}

/// What tells a person the same is the same: errors of the system cannot be compared.
impl PartialEq for Warning {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sound(error) => error.fmt(f),
            Self::NoNetwork(why) => write!(f, "cannot open the network for a call: {why}"),
            Self::ClockApart => f.write_str(
                "this machine's clock and the registry's are more than 10 minutes apart, so calls \
                 that come through the registry may not ring: set the clock",
            ),
            Self::NoSocket(why) => write!(
                f,
                "other programs cannot command this phone, there is no socket: {why}"
            ),
            Self::NotKept(Kept::Keys, error) => {
                write!(f, "this week's keys are not saved: {error}")
            }
            Self::NotKept(Kept::Contacts, error) => {
                write!(f, "the contacts are not kept: {error}")
            }
            Self::NotKept(Kept::Calls, error) => write!(f, "the calls are not kept: {error}"),
            Self::ContactDropped => {
                f.write_str("a contact could not be kept: the disk takes nothing")
            }
            Self::CallsSetAside { from, to } => write!(
                f,
                "the list of calls {} is damaged; it is {} now, and the list begins anew",
                from.display(),
                to.display()
            ),
            Self::PartFailed => f.write_str("a part of the phone failed"),
        }
    }
}
