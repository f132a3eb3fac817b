//! Call signals: what phones say to each other about a call, inside envelopes.

use std::{fmt, net::SocketAddr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest, Sha256};

use crate::{DeviceId, KeyCard, List};

/// The most ICE candidates in one signal.
pub const CANDIDATES_MAX: usize = 16;

/// One call: 16 random bytes, drawn by the caller.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CallId(pub [u8; 16]);

impl fmt::Debug for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::hex(&self.0[..4], f)
    }
}

/// SHA-256 over a DTLS certificate (RFC 8122).
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint(pub [u8; 32]);

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::hex(&self.0[..4], f)
    }
}

/// ICE user fragment and password (RFC 8445, 5.3): 4-256 and 22-256 ICE characters.
#[derive(Clone, PartialEq, Eq)]
pub struct IceCredentials {
    ufrag: String,
    password: String,
}

impl IceCredentials {
    /// Credentials, or `None` when either has a length or a character that ICE does not allow.
    #[must_use]
    pub fn new(ufrag: &str, password: &str) -> Option<Self> {
        let ice = |text: &str| {
            text.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/')
        };
        let fits = (4..=256).contains(&ufrag.len()) && (22..=256).contains(&password.len());
        (fits && ice(ufrag) && ice(password)).then(|| Self {
            ufrag: ufrag.to_owned(),
            password: password.to_owned(),
        })
    }

    /// The user fragment, visible in every connectivity check.
    #[must_use]
    pub fn ufrag(&self) -> &str {
        &self.ufrag
    }

    /// The password, which keys the checks' integrity.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.password
    }
}

impl fmt::Debug for IceCredentials {
    /// The password stays unseen.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.ufrag)
    }
}

impl Serialize for IceCredentials {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.ufrag, &self.password).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for IceCredentials {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (ufrag, password) = <(&str, &str)>::deserialize(deserializer)?;
        Self::new(ufrag, password).ok_or_else(|| D::Error::custom("not ICE credentials"))
    }
}

/// Where media may reach a phone, over UDP (RFC 8445, 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// How the address was learned.
    pub kind: CandidateKind,
    /// The address.
    pub addr: SocketAddr,
    /// The greater is preferred.
    pub priority: u32,
}

/// How a candidate's address was learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CandidateKind {
    /// An address of the phone's own machine.
    Host,
    /// What a server saw the phone's packets come from.
    ServerReflexive,
    /// What a peer saw the phone's packets come from.
    PeerReflexive,
    /// An address of a relay.
    Relayed,
}

/// Candidates of one phone.
pub type Candidates = List<Candidate, CANDIDATES_MAX>;

/// What one side needs to know of the other's media: how to reach it and how to know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaOffer {
    /// Of the certificate that this side's DTLS will show; another one ends the call.
    pub fingerprint: Fingerprint,
    /// This side's half of the ICE credentials.
    pub ice: IceCredentials,
    /// Where this side can be reached.
    pub candidates: Candidates,
}

/// Half of what the four words are made of; drawn fresh for every call.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallNonce(pub [u8; 32]);

impl CallNonce {
    /// What the caller shows of its nonce before it has seen the callee's, so that neither can
    /// choose theirs to fit.
    #[must_use]
    pub fn commitment(&self) -> Commitment {
        let mut hash = Sha256::new();
        hash.update(b"ramal call nonce v1");
        hash.update(self.0);
        Commitment(hash.finalize().into())
    }
}

impl fmt::Debug for CallNonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nonce")
    }
}

/// A hash that binds the caller to its [`CallNonce`].
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commitment(pub [u8; 32]);

impl fmt::Debug for Commitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("commitment")
    }
}

/// A signal, the call that it belongs to, and the devices that it is between. A person may have
/// several, and an envelope that a registry hands on reaches all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallSignal {
    /// The call.
    pub call: CallId,
    /// The device that says it.
    pub from: DeviceId,
    /// The device that it is said to; `None` is every device of the receiver.
    pub to: Option<DeviceId>,
    /// Grows with everything that `from` says in this call. What describes a state, such as a
    /// Hold, counts only if nothing newer has come: two ways do not keep an order.
    pub seq: u32,
    /// What is said about it.
    pub signal: Signal,
}

/// What phones say about a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Signal {
    /// The caller asks for a call.
    Invite {
        /// What to seal answers to; signed by the identity that the envelope comes from.
        card: KeyCard,
        /// The caller's media.
        media: MediaOffer,
        /// Of the caller's nonce, which [`Signal::Confirm`] reveals.
        commitment: Commitment,
    },
    /// The callee's phone is ringing. It says so again every few seconds, for as long as it does.
    Ringing,
    /// The callee took the call, on the device that says so; the rest of the call is with it.
    Accept {
        /// The callee's media.
        media: MediaOffer,
        /// The callee's nonce.
        nonce: CallNonce,
    },
    /// The caller reveals its nonce; the call is up when media is.
    Confirm {
        /// What the Invite's commitment was made of.
        nonce: CallNonce,
    },
    /// The callee does not take the call.
    Decline(DeclineReason),
    /// The callee is in another call.
    Busy,
    /// The caller gives up before the call is up.
    Cancel(CancelReason),
    /// Either side ends the call.
    Bye(ByeReason),
    /// The sender wants no voice for now.
    Hold,
    /// The sender wants voice again.
    Resume,
    /// The sender's addresses are no longer those of its [`MediaOffer`].
    Candidates {
        /// All that it has and had not offered.
        added: Candidates,
        /// All that it had offered and no longer has.
        removed: Candidates,
    },
}

/// Why a call was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum DeclineReason {
    /// The person declined.
    Declined,
    /// The phone takes no call from this caller now, and does not say why.
    Unavailable,
    /// The person did not answer in time.
    NoAnswer,
    /// The phone could not set up media.
    Failed,
}

/// Why the caller gave up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum CancelReason {
    /// The caller hung up.
    Hangup,
    /// It rang for too long.
    NoAnswer,
    /// Another of the callee's devices took the call.
    AnsweredElsewhere,
    /// Both called each other, and the other call goes on.
    Merged,
    /// The person declined the call on another of their devices.
    DeclinedElsewhere,
}

/// Why a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ByeReason {
    /// Somebody hung up.
    Hangup,
    /// Nothing was heard of the peer for too long.
    MediaLost,
    /// Media could not be set up.
    MediaFailed,
    /// The peer's certificate or nonce was not the one it had bound itself to.
    Untrusted,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ice_credentials_are_of_ice_characters_and_lengths() {
        let password = "p".repeat(22);
        assert!(IceCredentials::new("abcd", &password).is_some());
        assert!(IceCredentials::new("abc", &password).is_none());
        assert!(IceCredentials::new("abcd", "short").is_none());
        assert!(IceCredentials::new("ab:d", &password).is_none());
        assert!(IceCredentials::new(&"a".repeat(257), &password).is_none());
        let shown = format!("{:?}", IceCredentials::new("abcd", &password).unwrap());
        assert!(!shown.contains("ppp"), "{shown}");
    }
}
