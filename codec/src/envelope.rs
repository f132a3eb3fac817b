//! Sealed envelopes: everything that phones say to each other, readable by one receiver only.
//!
//! Outside stands who sent it to whom, for routing. Inside, HPKE in base mode (RFC 9180, X25519,
//! HKDF-SHA256, ChaCha20-Poly1305) to the receiver's agreement key, stand the time, the message
//! and the sender's ed25519 signature. It is a signature and not HPKE's authenticated mode,
//! because there whoever stole the receiver's key could forge any sender to it (RFC 9180, 9.1.1).

use std::fmt;

use hpke::{
    Deserializable as _, OpModeR, OpModeS, Serializable as _, aead::ChaCha20Poly1305,
    kdf::HkdfSha256, kem::X25519HkdfSha256,
};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    Bytes, Identity, IdentityKey, Name, PROTOCOL_VERSION, UnixMillis,
    greeting::Nonce,
    identity::{AgreementKey, AgreementSecret, Signature},
};

/// The most bytes inside an envelope, sealed.
pub const SEALED_MAX: usize = 32 * 1024;

const INFO: &[u8] = b"ramal envelope v1";
const SIGNATURE_CONTEXT: &str = "ramal envelope v1";

/// Somebody, by name and by identity.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Party {
    /// What they are called at their registry.
    pub name: Name,
    /// Who they are.
    pub identity: IdentityKey,
}

impl fmt::Debug for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({:?})", self.name, self.identity)
    }
}

/// One envelope: 16 random bytes. A copy that came another way has the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EnvelopeId(pub [u8; 16]);

impl fmt::Debug for EnvelopeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::hex(&self.0[..4], f)
    }
}

/// What an envelope holds, as far as who carries it may know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Kind {
    /// A [`crate::CallSignal`]. It is of use now or never, and is not stored.
    Signal,
}

/// A sealed message with its address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// [`PROTOCOL_VERSION`].
    pub version: u8,
    /// Who sent it.
    pub from: Party,
    /// Whom it is for.
    pub to: Party,
    /// Which one it is.
    pub id: EnvelopeId,
    /// What it holds.
    pub kind: Kind,
    encapsulated: [u8; 32],
    sealed: Bytes<SEALED_MAX>,
}

#[derive(Serialize, Deserialize)]
struct Inside<T> {
    sent_at: UnixMillis,
    body: T,
    signature: Signature,
}

/// An envelope that was opened, with a signature that fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened<T> {
    /// When it was sealed, by the sender's idea of the registry's clock.
    pub sent_at: UnixMillis,
    /// What was in it.
    pub body: T,
}

/// Why an envelope could not be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// The receiver's agreement key is no key.
    BadKey,
    /// The message is longer than [`SEALED_MAX`].
    TooLong,
    /// The sender speaks a version we do not.
    Version {
        /// Theirs.
        theirs: u8,
    },
    /// It is for somebody else.
    NotForUs,
    /// It was not sealed to this key for this connection, or was changed on the way.
    NotSealedForUs,
    /// It holds something else than its kind says.
    Malformed,
    /// The signature inside is not the sender's.
    BadSignature,
}

impl fmt::Display for EnvelopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadKey => f.write_str("the receiver's key card holds no key"),
            Self::TooLong => write!(f, "the message is longer than {SEALED_MAX} bytes"),
            Self::Version { theirs } => write!(f, "sender speaks version {theirs}"),
            Self::NotForUs => f.write_str("the envelope is for somebody else"),
            Self::NotSealedForUs => f.write_str("the envelope does not open"),
            Self::Malformed => f.write_str("the envelope holds no message of its kind"),
            Self::BadSignature => f.write_str("the envelope is not signed by its sender"),
        }
    }
}

impl std::error::Error for EnvelopeError {}

/// What stands outside, bound to what is inside.
#[derive(Serialize)]
struct Outside<'a> {
    version: u8,
    from: &'a Party,
    to: &'a Party,
    id: EnvelopeId,
    kind: Kind,
}

impl<'a> Outside<'a> {
    /// On a direct connection the receiver's nonce is bound as well, so that an envelope taken
    /// from one connection opens on no other.
    fn associated_data(&self, link: Nonce) -> Vec<u8> {
        postcard::to_allocvec(&(self, link)).expect("a message without sequences")
    }

    /// The nonce is signed too: who opens an envelope cannot seal it anew for another connection.
    fn signed<T>(
        &'a self,
        link: Nonce,
        sent_at: UnixMillis,
        body: &'a T,
    ) -> (&'a Self, Nonce, UnixMillis, &'a T) {
        (self, link, sent_at, body)
    }
}

/// What goes on the outside of an envelope.
#[derive(Debug, Clone)]
pub struct Address {
    /// Who sends.
    pub from: Party,
    /// Whom it is for.
    pub to: Party,
    /// Drawn for this message; the same for its copies on other ways.
    pub id: EnvelopeId,
    /// What `body` is.
    pub kind: Kind,
}

impl Envelope {
    /// Signs `body` as `sender` and seals it to `agreement`.
    ///
    /// `link` is the receiver's nonce on a direct connection, [`Nonce::NONE`] through a registry.
    ///
    /// # Errors
    /// [`EnvelopeError::BadKey`], [`EnvelopeError::TooLong`]; [`EnvelopeError::Malformed`] for a
    /// `body` that serde cannot write.
    pub fn seal<T: Serialize>(
        sender: &Identity,
        address: Address,
        agreement: &AgreementKey,
        link: Nonce,
        sent_at: UnixMillis,
        body: &T,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, EnvelopeError> {
        let Address { from, to, id, kind } = address;
        let outside = Outside {
            version: PROTOCOL_VERSION,
            from: &from,
            to: &to,
            id,
            kind,
        };
        let signature = sender.sign(SIGNATURE_CONTEXT, &outside.signed(link, sent_at, body));
        let inside = postcard::to_allocvec(&Inside {
            sent_at,
            body,
            signature,
        })
        .map_err(|_| EnvelopeError::Malformed)?;
        let receiver = agreement.to_kem().ok_or(EnvelopeError::BadKey)?;
        let (encapsulated, sealed) =
            hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
                &OpModeS::Base,
                &receiver,
                INFO,
                &inside,
                &outside.associated_data(link),
                rng,
            )
            .map_err(|_| EnvelopeError::BadKey)?;
        let sealed = sealed.try_into().map_err(|_| EnvelopeError::TooLong)?;
        let encapsulated = encapsulated.to_bytes().into();
        Ok(Self {
            version: PROTOCOL_VERSION,
            from,
            to,
            id,
            kind,
            encapsulated,
            sealed,
        })
    }

    /// Opens an envelope that is for `me` and checks its sender's signature.
    ///
    /// That `from`'s name belongs to its identity is not known from this; that the identity wrote
    /// the message is.
    ///
    /// # Errors
    /// Every [`EnvelopeError`] but those of sealing.
    pub fn open<T: Serialize + DeserializeOwned>(
        &self,
        me: &Party,
        agreement: &AgreementSecret,
        link: Nonce,
    ) -> Result<Opened<T>, EnvelopeError> {
        if self.version != PROTOCOL_VERSION {
            return Err(EnvelopeError::Version {
                theirs: self.version,
            });
        }
        if self.to != *me {
            return Err(EnvelopeError::NotForUs);
        }
        let Self {
            version,
            from,
            to,
            id,
            kind,
            ..
        } = self;
        let outside = Outside {
            version: *version,
            from,
            to,
            id: *id,
            kind: *kind,
        };
        let encapsulated =
            <X25519HkdfSha256 as hpke::Kem>::EncappedKey::from_bytes(&self.encapsulated)
                .map_err(|_| EnvelopeError::NotSealedForUs)?;
        let inside = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            agreement.to_kem(),
            &encapsulated,
            INFO,
            &self.sealed,
            &outside.associated_data(link),
        )
        .map_err(|_| EnvelopeError::NotSealedForUs)?;
        let Inside {
            sent_at,
            body,
            signature,
        } = crate::frame::from_payload(&inside).map_err(|_| EnvelopeError::Malformed)?;
        let signed = outside.signed(link, sent_at, &body);
        if !from
            .identity
            .verifies(SIGNATURE_CONTEXT, &signed, &signature)
        {
            return Err(EnvelopeError::BadSignature);
        }
        Ok(Opened { sent_at, body })
    }

    /// How many bytes are sealed inside.
    #[must_use]
    pub fn sealed_len(&self) -> usize {
        self.sealed.len()
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    use super::*;

    struct Person {
        identity: Identity,
        agreement: AgreementSecret,
        party: Party,
    }

    fn person(name: &str, seed: u8) -> Person {
        let identity = Identity::from_secret(&[seed; 32]);
        let party = Party {
            name: name.parse().unwrap(),
            identity: identity.key(),
        };
        Person {
            identity,
            agreement: AgreementSecret::from_secret(&[seed + 100; 32]),
            party,
        }
    }

    fn seal(from: &Person, signer: &Person, to: &Person, link: Nonce) -> Envelope {
        let address = Address {
            from: from.party.clone(),
            to: to.party.clone(),
            id: EnvelopeId([3; 16]),
            kind: Kind::Signal,
        };
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let key = to.agreement.key();
        Envelope::seal(
            &signer.identity,
            address,
            &key,
            link,
            42,
            &"hello".to_owned(),
            &mut rng,
        )
        .unwrap()
    }

    fn open(envelope: &Envelope, by: &Person, link: Nonce) -> Result<String, EnvelopeError> {
        envelope
            .open::<String>(&by.party, &by.agreement, link)
            .map(|opened| opened.body)
    }

    #[test]
    fn the_receiver_reads_what_the_sender_wrote() {
        let (alice, bob) = (person("alice", 1), person("bob", 2));
        let envelope = seal(&alice, &alice, &bob, Nonce::NONE);
        assert_eq!(open(&envelope, &bob, Nonce::NONE), Ok("hello".to_owned()));
    }

    #[test]
    fn nobody_else_reads_it() {
        let (alice, bob, eve) = (person("alice", 1), person("bob", 2), person("eve", 3));
        let envelope = seal(&alice, &alice, &bob, Nonce::NONE);
        assert_eq!(
            open(&envelope, &eve, Nonce::NONE),
            Err(EnvelopeError::NotForUs)
        );
        let forged = Envelope {
            to: eve.party.clone(),
            ..envelope
        };
        assert_eq!(
            open(&forged, &eve, Nonce::NONE),
            Err(EnvelopeError::NotSealedForUs)
        );
    }

    #[test]
    fn nobody_else_can_have_written_it() {
        let (alice, bob, eve) = (person("alice", 1), person("bob", 2), person("eve", 3));
        // Eve seals in Alice's name; Bob, whose own key Eve may even have, notices.
        let envelope = seal(&alice, &eve, &bob, Nonce::NONE);
        assert_eq!(
            open(&envelope, &bob, Nonce::NONE),
            Err(EnvelopeError::BadSignature)
        );
    }

    #[test]
    fn an_envelope_for_one_connection_opens_on_no_other() {
        let (alice, bob) = (person("alice", 1), person("bob", 2));
        let envelope = seal(&alice, &alice, &bob, Nonce([7; 32]));
        assert!(open(&envelope, &bob, Nonce([7; 32])).is_ok());
        assert_eq!(
            open(&envelope, &bob, Nonce([8; 32])),
            Err(EnvelopeError::NotSealedForUs)
        );
        assert_eq!(
            open(&envelope, &bob, Nonce::NONE),
            Err(EnvelopeError::NotSealedForUs)
        );
    }

    /// Who has stolen an agreement key reads what was recorded, and seals it for a connection of
    /// their own, as if its sender were on it.
    #[test]
    fn whoever_opens_an_envelope_cannot_seal_it_anew_for_another_connection() {
        let (alice, bob) = (person("alice", 1), person("bob", 2));
        let Envelope {
            encapsulated,
            sealed,
            ..
        } = seal(&alice, &alice, &bob, Nonce::NONE);
        let outside = Outside {
            version: PROTOCOL_VERSION,
            from: &alice.party,
            to: &bob.party,
            id: EnvelopeId([3; 16]),
            kind: Kind::Signal,
        };
        let key = <X25519HkdfSha256 as hpke::Kem>::EncappedKey::from_bytes(&encapsulated).unwrap();
        let inside = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            bob.agreement.to_kem(),
            &key,
            INFO,
            &sealed,
            &outside.associated_data(Nonce::NONE),
        )
        .unwrap();
        let sealed_for = |link: Nonce| {
            let mut rng = ChaCha20Rng::seed_from_u64(2);
            let (key, sealed) =
                hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
                    &OpModeS::Base,
                    &bob.agreement.key().to_kem().unwrap(),
                    INFO,
                    &inside,
                    &outside.associated_data(link),
                    &mut rng,
                )
                .unwrap();
            Envelope {
                version: PROTOCOL_VERSION,
                from: alice.party.clone(),
                to: bob.party.clone(),
                id: EnvelopeId([3; 16]),
                kind: Kind::Signal,
                encapsulated: key.to_bytes().into(),
                sealed: sealed.try_into().unwrap(),
            }
        };
        // Through the registry it is what alice said, and a copy of it.
        assert!(open(&sealed_for(Nonce::NONE), &bob, Nonce::NONE).is_ok());
        let link = Nonce([7; 32]);
        assert_eq!(
            open(&sealed_for(link), &bob, link),
            Err(EnvelopeError::BadSignature)
        );
    }

    #[test]
    fn a_receiver_of_the_same_key_but_another_name_is_another_receiver() {
        let (alice, bob) = (person("alice", 1), person("bob", 2));
        let robert = person("robert", 2);
        let envelope = seal(&alice, &alice, &bob, Nonce::NONE);
        let forged = Envelope {
            to: robert.party.clone(),
            ..envelope
        };
        assert_eq!(
            open(&forged, &robert, Nonce::NONE),
            Err(EnvelopeError::NotSealedForUs)
        );
    }
}
