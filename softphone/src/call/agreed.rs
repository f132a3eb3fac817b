//! What the four words of a call are made of, as far as the call itself knows it.

use codec::{
    CallId, FourWords, IdentityKey, Transcript,
    signal::{CallNonce, Commitment, Fingerprint},
};

use super::Role;

/// What two phones have shown each other in a call, beside who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreed {
    /// Of the caller's media, as the Invite had it.
    pub caller_fingerprint: Fingerprint,
    /// Of the callee's media, as the Accept had it.
    pub callee_fingerprint: Fingerprint,
    /// What the caller had committed to in its Invite.
    pub caller_nonce: CallNonce,
    /// The callee's, from its Accept.
    pub callee_nonce: CallNonce,
}

impl Agreed {
    /// The words of the call `call` between `me`, which has this role in it, and `peer`.
    #[must_use]
    pub fn words(&self, call: CallId, role: Role, me: IdentityKey, peer: IdentityKey) -> FourWords {
        let (caller, callee) = match role {
            Role::Caller => (me, peer),
            Role::Callee => (peer, me),
        };
        FourWords::of(&Transcript {
            caller,
            callee,
            caller_fingerprint: self.caller_fingerprint,
            callee_fingerprint: self.callee_fingerprint,
            call,
            caller_nonce: self.caller_nonce,
            callee_nonce: self.callee_nonce,
        })
    }
}

/// Whether the caller has shown the nonce that it committed to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Confirmation {
    /// The callee waits for it.
    Awaited {
        commitment: Commitment,
        caller_fingerprint: Fingerprint,
        callee_fingerprint: Fingerprint,
        callee_nonce: CallNonce,
    },
    /// It has, or this side is the caller.
    Settled(Agreed),
}

impl Confirmation {
    pub(super) fn is_settled(&self) -> bool {
        matches!(self, Self::Settled(_))
    }

    /// What the two have agreed on, if this is the nonce that is awaited.
    pub(super) fn settled_by(&self, caller_nonce: CallNonce) -> Option<Agreed> {
        match *self {
            Self::Awaited {
                commitment,
                caller_fingerprint,
                callee_fingerprint,
                callee_nonce,
            } if caller_nonce.commitment() == commitment => Some(Agreed {
                caller_fingerprint,
                callee_fingerprint,
                caller_nonce,
                callee_nonce,
            }),
            Self::Awaited { .. } | Self::Settled(_) => None,
        }
    }
}
