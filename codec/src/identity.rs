//! Who somebody is: a long-term ed25519 key, a separate agreement key, and the card that joins
//! them.

use std::fmt;

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use hpke::{Deserializable as _, Kem as _, Serializable as _, kem::X25519HkdfSha256};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The public half of an identity: an ed25519 key (RFC 8032).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct IdentityKey(pub [u8; 32]);

impl IdentityKey {
    /// Whether `signature` is this key's over `context` and `content`.
    ///
    /// Keys of small order, which would accept signatures over anything, never verify.
    #[must_use]
    pub fn verifies<T: Serialize>(
        &self,
        context: &str,
        content: &T,
        signature: &Signature,
    ) -> bool {
        let Ok(key) = VerifyingKey::from_bytes(&self.0) else {
            return false;
        };
        let signature = ed25519_dalek::Signature::from_bytes(&signature.to_bytes());
        key.verify_strict(&signed_bytes(context, content), &signature)
            .is_ok()
    }

    /// The key in short, for people to compare: `c2xoe gqzlk ...`, five groups of five letters and
    /// digits, which are the first 125 bits of its hash in base 32 (RFC 4648, section 6, in small
    /// letters). Nobody can search for another key with the same fingerprint.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        const GROUPS: usize = 5;
        const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        let hash = Sha256::new()
            .chain_update(b"ramal fingerprint v1")
            .chain_update(self.0)
            .finalize();
        // Five bytes are forty bits, which are eight letters.
        let fives = hash.chunks_exact(5).map(|bytes| {
            let joined = |bits: u64, byte: &u8| bits << 8 | u64::from(*byte);
            bytes.iter().fold(0, joined)
        });
        let letter =
            |bits: u64, place: u32| char::from(LETTERS[(bits >> (35 - 5 * place) & 31) as usize]);
        let letters: Vec<char> = fives
            .flat_map(|bits| (0..8).map(move |place| letter(bits, place)))
            .collect();
        let groups = letters.chunks(5).take(GROUPS).map(String::from_iter);
        groups.collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Debug for IdentityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::hex(&self.0[..8], f)
    }
}

impl fmt::Display for IdentityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::hex(&self.0, f)
    }
}

/// An ed25519 signature, 64 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature([u8; 32], [u8; 32]);

impl Signature {
    /// A signature from its bytes, R before S.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 64]) -> Self {
        let (mut r, mut s) = ([0; 32], [0; 32]);
        r.copy_from_slice(&bytes[..32]);
        s.copy_from_slice(&bytes[32..]);
        Self(r, s)
    }

    /// The 64 bytes, R before S.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&self.0);
        bytes[32..].copy_from_slice(&self.1);
        bytes
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("signature")
    }
}

/// What is signed: the context keeps a signature made for one purpose from serving another, and
/// postcard writes lengths before everything of variable length, so no two contents share bytes.
fn signed_bytes<T: Serialize>(context: &str, content: &T) -> Vec<u8> {
    postcard::to_allocvec(&(context, content))
        .expect("a message without sequences of unknown length")
}

/// The secret half of an identity. Wiped from memory when dropped.
pub struct Identity(SigningKey);

impl Identity {
    /// A new identity.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut secret = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *secret);
        Self::from_secret(&secret)
    }

    /// The identity with this secret: the 32-byte seed of RFC 8032.
    #[must_use]
    pub fn from_secret(secret: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(secret))
    }

    /// The secret, to be kept in a file that only its owner can read.
    #[must_use]
    pub fn secret(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The public half.
    #[must_use]
    pub fn key(&self) -> IdentityKey {
        IdentityKey(self.0.verifying_key().to_bytes())
    }

    /// Signs `content` for the purpose that `context` names.
    #[must_use]
    pub fn sign<T: Serialize>(&self, context: &str, content: &T) -> Signature {
        Signature::from_bytes(self.0.sign(&signed_bytes(context, content)).to_bytes())
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "identity {:?}", self.key())
    }
}

type AgreementKem = X25519HkdfSha256;

/// The public key that envelopes are sealed to (X25519).
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgreementKey(pub [u8; 32]);

impl AgreementKey {
    /// The key as HPKE takes it; `None` when the bytes are no key.
    pub(crate) fn to_kem(self) -> Option<<AgreementKem as hpke::Kem>::PublicKey> {
        <AgreementKem as hpke::Kem>::PublicKey::from_bytes(&self.0).ok()
    }
}

impl fmt::Debug for AgreementKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::hex(&self.0[..8], f)
    }
}

/// The secret that opens envelopes. Wiped from memory when dropped.
pub struct AgreementSecret {
    secret: <AgreementKem as hpke::Kem>::PrivateKey,
    key: AgreementKey,
}

impl AgreementSecret {
    /// A new secret.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut secret = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *secret);
        Self::from_secret(&secret)
    }

    /// The key with this secret: X25519 (RFC 7748) takes any 32 bytes.
    #[must_use]
    pub fn from_secret(secret: &[u8; 32]) -> Self {
        let secret = <AgreementKem as hpke::Kem>::PrivateKey::from_bytes(secret)
            .expect("32 bytes, and X25519 takes any");
        let key = AgreementKey(AgreementKem::sk_to_pk(&secret).to_bytes().into());
        Self { secret, key }
    }

    /// The secret, to be kept in a file that only its owner can read.
    #[must_use]
    pub fn secret(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.secret.to_bytes().into())
    }

    /// The public half.
    #[must_use]
    pub fn key(&self) -> AgreementKey {
        self.key
    }

    pub(crate) fn to_kem(&self) -> &<AgreementKem as hpke::Kem>::PrivateKey {
        &self.secret
    }
}

impl fmt::Debug for AgreementSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "agreement secret of {:?}", self.key)
    }
}

/// Joins an agreement key to an identity for a time.
///
/// Lookups and greetings carry it; whoever has the identity pinned needs no one else's word for
/// the agreement key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyCard {
    /// Whose card it is.
    pub identity: IdentityKey,
    /// What to seal envelopes to.
    pub agreement: AgreementKey,
    /// Counts the cards of this identity: the greater is the newer.
    pub serial: u64,
    /// The card does not count from this time on.
    pub not_after: crate::UnixMillis,
    /// By `identity`, over all of the above.
    pub signature: Signature,
}

const CARD_CONTEXT: &str = "ramal key card v1";

impl KeyCard {
    /// Issues a card.
    #[must_use]
    pub fn issue(
        identity: &Identity,
        agreement: AgreementKey,
        serial: u64,
        not_after: crate::UnixMillis,
    ) -> Self {
        let key = identity.key();
        let signature = identity.sign(CARD_CONTEXT, &(key, agreement, serial, not_after));
        Self {
            identity: key,
            agreement,
            serial,
            not_after,
            signature,
        }
    }

    /// Whether the card is its identity's own and still counts at `now`.
    #[must_use]
    pub fn is_valid(&self, now: crate::UnixMillis) -> bool {
        let content = (self.identity, self.agreement, self.serial, self.not_after);
        now < self.not_after
            && self
                .identity
                .verifies(CARD_CONTEXT, &content, &self.signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_counts_until_its_end_and_only_as_it_was_signed() {
        let identity = Identity::from_secret(&[1; 32]);
        let agreement = AgreementSecret::from_secret(&[2; 32]);
        let card = KeyCard::issue(&identity, agreement.key(), 1, 1000);
        assert!(card.is_valid(999));
        assert!(!card.is_valid(1000));
        assert!(!KeyCard { serial: 2, ..card }.is_valid(0));
        assert!(
            !KeyCard {
                identity: Identity::from_secret(&[3; 32]).key(),
                ..card
            }
            .is_valid(0)
        );
    }

    #[test]
    fn a_signature_serves_one_purpose() {
        let identity = Identity::from_secret(&[1; 32]);
        let signature = identity.sign("one", &7u8);
        assert!(identity.key().verifies("one", &7u8, &signature));
        assert!(!identity.key().verifies("two", &7u8, &signature));
    }

    #[test]
    fn a_key_of_small_order_verifies_nothing() {
        let mut identity_point = [0; 32];
        identity_point[0] = 1;
        let signature = Signature(identity_point, [0; 32]);
        assert!(!IdentityKey(identity_point).verifies("any", &1u8, &signature));
    }

    #[test]
    fn a_fingerprint_is_five_groups_that_anybody_can_compute() {
        // printf with 32 bytes of 7 behind the context | sha256sum, in base 32.
        let key = IdentityKey([7; 32]);
        assert_eq!(key.fingerprint(), "qwl5q jli3y dy2l4 jt5ew zjpb7");
        assert_ne!(IdentityKey([8; 32]).fingerprint(), key.fingerprint());
    }

    #[test]
    fn secrets_are_not_shown() {
        let shown = format!(
            "{:?} {:?}",
            Identity::from_secret(&[7; 32]),
            AgreementSecret::from_secret(&[7; 32])
        );
        assert!(!shown.contains("0707"), "{shown}");
    }
}
