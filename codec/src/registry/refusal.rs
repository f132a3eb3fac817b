//! Why a registry did not do what it was asked, with the next step where there is one.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a registry did not do what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Refusal {
    /// The name belongs to another identity.
    NameTaken,
    /// The signature does not fit, or the key card is not valid.
    BadSignature,
    /// Nobody of that name is registered.
    NotFound,
    /// A limit is reached: devices of a name, names in all or of an address, watchers, requests
    /// without an answer.
    TooMany,
    /// A newer request of that device was seen before.
    Stale,
    /// The lease or another value is outside its range.
    OutOfRange,
    /// The registry does not show its directory.
    Closed,
    /// The receiver is not connected now.
    Offline,
    /// The receiver's mailbox has no room.
    MailboxFull,
    /// The sender of the envelope is not who registered on this connection.
    NotYours,
    /// The frame could not be read as a request; its id is 0.
    Malformed,
    /// The registry is at fault.
    Failed,
    /// The name looks like another one that is taken.
    LooksTaken,
    /// The identity owns as many names as one may.
    TooManyNames,
    /// The registry gives no names to anybody new.
    ClaimsClosed,
    /// The registry gives names by invitation only, and the invite code is missing, unknown or used
    /// up; an expired one is unknown.
    NotInvited,
    /// The operator serves this identity or this name no longer.
    Banned,
    /// The recovery code is not, or no longer, the name's.
    BadRecovery,
    /// The name was this identity's, and has been given to another key less than 72 h ago.
    KeyChanged,
    /// Asked too often: again after so many seconds.
    TooFast {
        /// So many seconds.
        retry_s: u32,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::TooFast { retry_s } = self {
            return write!(f, "asked too often, try again in {retry_s} s");
        }
        f.write_str(match self {
            Self::NameTaken => "the name belongs to somebody else",
            Self::BadSignature => "the signature or the key card is not valid",
            Self::NotFound => "nobody of that name is registered",
            Self::TooMany => "a limit of the registry is reached, try again later",
            Self::Stale => "a newer request of this device came before",
            Self::OutOfRange => "a value is outside its range",
            Self::Closed => "the registry does not list who is registered; look up one name",
            Self::Offline => "the receiver is not connected now",
            Self::MailboxFull => "the receiver's mailbox is full",
            Self::NotYours => "the sender is not registered on this connection",
            Self::Malformed => "the registry did not understand the request",
            Self::Failed => "the registry failed; its log says why",
            Self::LooksTaken => "the name looks like another one that is taken",
            Self::TooManyNames => "this identity has as many names as it may; release one first",
            Self::ClaimsClosed => "the registry gives no names to anybody new; ask its operator",
            Self::NotInvited => {
                "the registry gives names by invitation, and the invite code is missing, unknown \
                 or used up; ask its operator for one (--invite CODE)"
            }
            Self::Banned => "the registry's operator has banned it; ask them",
            Self::BadRecovery => "the recovery code is not, or no longer, this name's",
            Self::KeyChanged => {
                "the name has been given to another key; if that was not you, take it back \
                 within 72 h with the recovery code (ramal-phone identity recover)"
            }
            Self::TooFast { .. } => "asked too often",
        })
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_no_invite_code_and_who_has_a_wrong_one_are_told_so_and_what_to_do() {
        // The registry does not say which of them it is, so the text has to fit them all.
        let text = Refusal::NotInvited.to_string();
        for part in [
            "missing",
            "unknown",
            "used up",
            "ask its operator",
            "--invite",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }
}
