//! The first frames of every connection: who speaks, in which version, and the values that later
//! signatures are bound to.
//!
//! The one who connected says [`Hello`], the one who listens answers [`Answer`]. In both the first
//! byte is the version, and it stays there in every version to come.

use std::{fmt, net::SocketAddr};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    Text, UnixMillis,
    identity::{Identity, IdentityKey, KeyCard, Signature},
};

/// The version of everything in this crate.
pub const PROTOCOL_VERSION: u8 = 1;

/// The most bytes of an agent's name.
pub const AGENT_BYTES_MAX: usize = 64;

/// What a program calls itself, such as `ramal-phone/0.1.0`.
pub type Agent = Text<AGENT_BYTES_MAX>;

/// Bytes drawn for one connection, which make what is signed or sealed for it useless elsewhere.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Nonce(pub [u8; 32]);

impl Nonce {
    /// For what is bound to no connection.
    pub const NONE: Self = Self([0; 32]);

    /// This nonce, bound to the TLS connection that it was told on: with somebody in between there
    /// are two connections, and each side has another one.
    #[must_use]
    pub fn bound_to(self, exporter: &Exporter) -> Self {
        let hash = Sha256::new()
            .chain_update(b"ramal link nonce v1")
            .chain_update(self.0)
            .chain_update(exporter.0);
        Self(hash.finalize().into())
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::hex(&self.0[..4], f)
    }
}

/// The first frame of whoever opened the connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`PROTOCOL_VERSION`].
    pub version: u8,
    /// What the program calls itself.
    pub agent: Agent,
    /// What the program is.
    pub role: Role,
}

/// What the program that opened a connection is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// It asks and has no identity, such as a lookup.
    Client,
    /// It is somebody's phone.
    Phone(PhoneGreeting),
}

/// What a phone says of itself, whichever side opened the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhoneGreeting {
    /// Whose phone it is, and what to seal envelopes to.
    pub card: KeyCard,
    /// Goes into the associated data of every envelope sent to this phone on this connection.
    pub nonce: Nonce,
}

/// The first frame of whoever listened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// [`PROTOCOL_VERSION`].
    pub version: u8,
    /// Who it is, or why the connection ends here.
    pub welcome: Result<Welcome, Unwelcome>,
}

impl Answer {
    /// An answer in this version.
    #[must_use]
    pub fn new(welcome: Result<Welcome, Unwelcome>) -> Self {
        Self {
            version: PROTOCOL_VERSION,
            welcome,
        }
    }
}

/// Who answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Welcome {
    /// A registry.
    Registry(RegistryWelcome),
    /// A phone.
    Phone(PhoneGreeting),
}

/// Why the listener ends the connection instead of answering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Unwelcome {
    /// It speaks another version, the one in its answer's first byte.
    Version,
    /// It holds as many connections as it is set to.
    Full,
    /// It takes no plain frames from this address.
    PlainRefused,
    /// The first frame was no [`Hello`].
    Malformed,
    /// The card in the greeting is not valid by this side's clock.
    BadCard,
    /// It holds as many connections from this address as it is set to, or they come too fast.
    AddressFull,
    /// The greeting did not come in time.
    TooSlow,
    /// Its operator serves this identity no longer.
    Banned,
    /// Phones of this identity come too fast.
    TooFast,
}

impl fmt::Display for Unwelcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Version => "it speaks another version of the protocol",
            Self::Full => "it has no room for another connection, try again later",
            Self::PlainRefused => {
                "it takes no unencrypted connections from this address; leave --plain away"
            }
            Self::Malformed => "it did not understand the greeting",
            Self::BadCard => "it did not accept the key card; check this machine's clock",
            Self::AddressFull => {
                "it has too many connections from this address; \
                 close some, or let its operator raise --per-address"
            }
            Self::TooSlow => "the greeting did not come in time; check the network",
            Self::Banned => "its operator has banned this identity; ask them",
            Self::TooFast => "this identity connects too often, try again in a minute",
        })
    }
}

/// What a registry says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistryWelcome {
    /// What the program calls itself.
    pub agent: Agent,
    /// Drawn for this connection; every signature made on it covers it.
    pub nonce: Nonce,
    /// The registry's clock.
    pub time: UnixMillis,
    /// The registry's long-term key.
    pub key: IdentityKey,
    /// By `key`, over the TLS exporter (RFC 9266), `nonce` and `time`.
    pub proof: Signature,
    /// Where the registry sees the connection come from.
    pub observed: SocketAddr,
}

const PROOF_CONTEXT: &str = "ramal welcome v1";

impl RegistryWelcome {
    /// A welcome with its proof.
    #[must_use]
    pub fn prove(
        registry: &Identity,
        exporter: &Exporter,
        agent: Agent,
        nonce: Nonce,
        time: UnixMillis,
        observed: SocketAddr,
    ) -> Self {
        let proof = registry.sign(PROOF_CONTEXT, &(exporter, nonce, time));
        Self {
            agent,
            nonce,
            time,
            key: registry.key(),
            proof,
            observed,
        }
    }

    /// Whether the proof is the key's over this very connection.
    #[must_use]
    pub fn is_proven(&self, exporter: &Exporter) -> bool {
        self.key.verifies(
            PROOF_CONTEXT,
            &(exporter, self.nonce, self.time),
            &self.proof,
        )
    }
}

/// The TLS exporter of a connection (RFC 9266); zeros on a plain one.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exporter(pub [u8; 32]);

impl Exporter {
    /// A connection without TLS.
    pub const PLAIN: Self = Self([0; 32]);
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::PLAIN {
            "plain"
        } else {
            "tls exporter"
        })
    }
}

/// Reads a greeting, its version first: another version may have any shape behind that byte.
///
/// # Errors
/// [`GreetingError`].
pub fn read<T: serde::de::DeserializeOwned>(payload: &[u8]) -> Result<T, GreetingError> {
    match payload.first() {
        Some(&PROTOCOL_VERSION) => {
            crate::frame::from_payload(payload).map_err(|_| GreetingError::Malformed)
        }
        Some(&theirs) => Err(GreetingError::Version { theirs }),
        None => Err(GreetingError::Malformed),
    }
}

/// Why a greeting could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum GreetingError {
    /// The peer speaks a version we do not.
    Version {
        /// Theirs.
        theirs: u8,
    },
    /// It is no greeting.
    Malformed,
}

impl fmt::Display for GreetingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version { theirs } => {
                write!(
                    f,
                    "peer speaks version {theirs}, this is {PROTOCOL_VERSION}"
                )
            }
            Self::Malformed => f.write_str("peer does not speak this protocol"),
        }
    }
}

impl std::error::Error for GreetingError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_is_told_from_rubbish() {
        assert_eq!(
            read::<Hello>(&[9, 200, 1]),
            Err(GreetingError::Version { theirs: 9 })
        );
        assert_eq!(
            read::<Hello>(&[PROTOCOL_VERSION, 200]),
            Err(GreetingError::Malformed)
        );
        assert_eq!(read::<Hello>(&[]), Err(GreetingError::Malformed));
    }

    #[test]
    fn a_proof_holds_for_its_connection_only() {
        let registry = Identity::from_secret(&[1; 32]);
        let agent = Text::new("test").unwrap();
        let observed = ([127, 0, 0, 1], 1).into();
        let welcome = RegistryWelcome::prove(
            &registry,
            &Exporter([5; 32]),
            agent,
            Nonce([6; 32]),
            7,
            observed,
        );
        assert!(welcome.is_proven(&Exporter([5; 32])));
        assert!(!welcome.is_proven(&Exporter::PLAIN));
        assert!(
            !RegistryWelcome {
                nonce: Nonce([9; 32]),
                ..welcome
            }
            .is_proven(&Exporter([5; 32]))
        );
    }
}
