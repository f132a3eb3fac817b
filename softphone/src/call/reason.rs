//! Why a call is over, and what the peer's reasons are called here.

use std::fmt;

use codec::signal::{ByeReason, CancelReason, DeclineReason};

/// Why a call is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// This side hung up.
    Hangup,
    /// This side declined the call.
    DeclinedHere,
    /// Another of this person's phones took the call.
    AnsweredElsewhere,
    /// Another of this person's phones declined the call.
    DeclinedElsewhere,
    /// The two called each other at the same time, and the other call goes on.
    Merged,
    /// The other side hung up.
    RemoteHangup,
    /// The callee declined.
    Declined,
    /// The callee's phone takes no call from this caller now.
    Unavailable,
    /// The callee is in another call.
    Busy,
    /// Nobody answered in time.
    NoAnswer,
    /// The caller gave up before the call was up.
    Cancelled,
    /// Nobody of that name is registered.
    NotFound,
    /// The callee's phone cannot be reached.
    Unreachable,
    /// The registry cannot be reached.
    RegistryUnreachable,
    /// Media could not be set up.
    MediaFailed,
    /// Nothing was heard of the peer for too long.
    MediaLost,
    /// The peer is not who it said it was.
    Untrusted,
    /// Whoever has the callee's name now is not who had it in the calls before.
    IdentityChanged,
    /// This machine failed: its sound, or its network.
    Failed,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 19] = [
        Self::Hangup,
        Self::DeclinedHere,
        Self::AnsweredElsewhere,
        Self::DeclinedElsewhere,
        Self::Merged,
        Self::RemoteHangup,
        Self::Declined,
        Self::Unavailable,
        Self::Busy,
        Self::NoAnswer,
        Self::Cancelled,
        Self::NotFound,
        Self::Unreachable,
        Self::RegistryUnreachable,
        Self::MediaFailed,
        Self::MediaLost,
        Self::Untrusted,
        Self::IdentityChanged,
        Self::Failed,
    ];

    /// The reason with this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.word() == word)
    }

    /// The word for files and scripts; these never change.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Hangup => "hangup",
            Self::DeclinedHere => "declined_here",
            Self::AnsweredElsewhere => "answered_elsewhere",
            Self::DeclinedElsewhere => "declined_elsewhere",
            Self::Merged => "merged",
            Self::RemoteHangup => "remote_hangup",
            Self::Declined => "declined",
            Self::Unavailable => "unavailable",
            Self::Busy => "busy",
            Self::NoAnswer => "no_answer",
            Self::Cancelled => "cancelled",
            Self::NotFound => "not_found",
            Self::Unreachable => "unreachable",
            Self::RegistryUnreachable => "registry_unreachable",
            Self::MediaFailed => "media_failed",
            Self::MediaLost => "media_lost",
            Self::Untrusted => "untrusted",
            Self::IdentityChanged => "identity_changed",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl From<ByeReason> for Reason {
    fn from(reason: ByeReason) -> Self {
        match reason {
            ByeReason::MediaLost => Self::MediaLost,
            ByeReason::MediaFailed => Self::MediaFailed,
            ByeReason::Untrusted => Self::Untrusted,
            _ => Self::RemoteHangup,
        }
    }
}

impl From<DeclineReason> for Reason {
    fn from(reason: DeclineReason) -> Self {
        match reason {
            DeclineReason::Declined => Self::Declined,
            DeclineReason::NoAnswer => Self::NoAnswer,
            DeclineReason::Failed => Self::MediaFailed,
            _ => Self::Unavailable,
        }
    }
}

impl From<CancelReason> for Reason {
    fn from(reason: CancelReason) -> Self {
        match reason {
            // The call that goes on instead is on another device: here it would have been merged.
            CancelReason::AnsweredElsewhere | CancelReason::Merged => Self::AnsweredElsewhere,
            CancelReason::DeclinedElsewhere => Self::DeclinedElsewhere,
            _ => Self::Cancelled,
        }
    }
}
