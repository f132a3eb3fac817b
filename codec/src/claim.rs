//! Owning a name: claiming it, giving it up, and what becomes of it when a key changes or is lost.
//!
//! A name belongs to the identity that claimed it. With the claim goes a lock, which only the
//! recovery code opens: it gives the name to a new identity, and it still does so for 72 h after a
//! change of key that the owner did not make. The code itself is told to nobody: the lock is a
//! public key, and the code makes the secret one, which signs.

use std::{fmt, str::FromStr};

use bip39::{Language, Mnemonic};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{Identity, IdentityKey, Name, Text, identity::Signature, registry::Binding};

/// The most names that one identity owns at a registry.
pub const NAMES_OF_ONE_MAX: usize = 5;

/// The most bytes of an invite code.
pub const INVITE_BYTES_MAX: usize = 32;

/// For how long a recovery code overrides a change of key, in milliseconds: 72 h.
pub const RECOVERABLE_MS: u64 = 72 * 3600 * 1000;

/// A name that nobody used for so long is free again, in milliseconds: 180 days.
pub const UNUSED_MAX_MS: u64 = 180 * 24 * 3600 * 1000;

const RECOVERY_BYTES: usize = 16;

/// How many words a recovery code has.
pub const RECOVERY_WORDS: usize = 12;

/// What an operator hands to somebody who may claim a name.
pub type InviteCode = Text<INVITE_BYTES_MAX>;

/// What somebody writes down when they claim a name: 128 random bits, shown as twelve words.
///
/// The words and their checksum are those of BIP 39. Wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryCode(Zeroizing<[u8; RECOVERY_BYTES]>);

/// Why a text is no recovery code. It names no word: what was typed may be nearly right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadRecoveryCode {
    /// It has so many words.
    Count(usize),
    /// The word at this place, counted from 1, is none that a recovery code has.
    Unknown(usize),
    /// All words are such, and together they are no code: one is another's, or they are in another
    /// order.
    Checksum,
}

impl fmt::Display for BadRecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("that is no recovery code: ")?;
        match self {
            Self::Count(count) => write!(f, "it is twelve words, and these are {count}"),
            Self::Unknown(place) => write!(f, "word {place} of the twelve is misspelt"),
            Self::Checksum => f.write_str(
                "each of the twelve words could be right, but not all together; look for a word \
                 that was mistaken for another, and at their order",
            ),
        }
    }
}

impl std::error::Error for BadRecoveryCode {}

impl RecoveryCode {
    /// A new code.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut code = Zeroizing::new([0; RECOVERY_BYTES]);
        rng.fill_bytes(&mut *code);
        Self(code)
    }

    /// What a registry keeps of it.
    #[must_use]
    pub fn lock(&self) -> RecoveryLock {
        RecoveryLock(self.key().key().0)
    }

    /// What opens the lock.
    fn key(&self) -> Identity {
        let hash = Sha256::new()
            .chain_update(b"ramal recovery v1")
            .chain_update(*self.0);
        let secret = Zeroizing::new(hash.finalize().into());
        Identity::from_secret(&secret)
    }

    /// The words in what a person types, without numbers such as `1` and `12.`.
    pub fn typed_words(typed: &str) -> impl Iterator<Item = &str> {
        let is_number = |token: &&str| {
            let digits = token.trim_end_matches(['.', ')', ':']);
            digits.chars().all(|c| c.is_ascii_digit())
        };
        typed.split_whitespace().filter(move |it| !is_number(it))
    }

    /// The twelve words, to be shown to the owner alone.
    #[must_use]
    pub fn words(&self) -> Zeroizing<String> {
        let words = Mnemonic::from_entropy_in(Language::English, &*self.0)
            .expect("BIP 39 has words for 128 bits");
        let words: Vec<&str> = words.words().collect();
        Zeroizing::new(words.join(" "))
    }
}

impl FromStr for RecoveryCode {
    type Err = BadRecoveryCode;

    /// Reads the twelve words as a person types them: in any case, with any space between, and with
    /// the numbers that stand beside them where they were shown.
    fn from_str(typed: &str) -> Result<Self, BadRecoveryCode> {
        let typed = Zeroizing::new(typed.to_lowercase());
        let words: Vec<&str> = Self::typed_words(&typed).collect();
        if words.len() != RECOVERY_WORDS {
            return Err(BadRecoveryCode::Count(words.len()));
        }
        let unknown = |word: &&str| Language::English.find_word(word).is_none();
        if let Some(place) = words.iter().position(unknown) {
            return Err(BadRecoveryCode::Unknown(place + 1));
        }
        let words = Zeroizing::new(words.join(" "));
        let read = Mnemonic::parse_in_normalized(Language::English, &words);
        let read = read.map_err(|_| BadRecoveryCode::Checksum)?;
        let (entropy, length) = read.to_entropy_array();
        let entropy = Zeroizing::new(entropy);
        let code = entropy[..length].try_into();
        Ok(Self(Zeroizing::new(
            code.map_err(|_| BadRecoveryCode::Checksum)?,
        )))
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("recovery code")
    }
}

/// An Ed25519 key whose secret half only the [`RecoveryCode`] makes.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryLock(pub [u8; 32]);

impl fmt::Debug for RecoveryLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("recovery lock")
    }
}

/// What a registration brings in case its name is free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Kept with the name; not looked at when the name is owned already.
    pub recovery: RecoveryLock,
    /// From the operator, where names are claimed by invitation only.
    pub invite: Option<InviteCode>,
}

impl Claim {
    /// A claim without an invitation.
    #[must_use]
    pub fn new(recovery: RecoveryLock) -> Self {
        let invite = None;
        Self { recovery, invite }
    }
}

const RELEASE_CONTEXT: &str = "ramal release v1";
const CHANGE_KEY_CONTEXT: &str = "ramal change of key v1";
const NEW_KEY_CONTEXT: &str = "ramal new key v1";
const RECOVER_CONTEXT: &str = "ramal recover v1";
const OPEN_CONTEXT: &str = "ramal open v1";

/// Gives a name up. For 72 h only its owner or its recovery code gets it back, then it is free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// The name.
    pub name: Name,
    /// Grows with every request about ownership on this connection.
    pub cseq: u64,
    /// By the owner, over all of the above and the [`Binding`].
    pub signature: Signature,
}

impl Release {
    /// A signed request.
    #[must_use]
    pub fn sign(identity: &Identity, binding: &Binding, name: Name, cseq: u64) -> Self {
        let signature = identity.sign(RELEASE_CONTEXT, &(binding, &name, cseq));
        Self {
            name,
            cseq,
            signature,
        }
    }

    /// Whether `owner` signed this for this connection.
    #[must_use]
    pub fn is_signed(&self, owner: &IdentityKey, binding: &Binding) -> bool {
        let content = (binding, &self.name, self.cseq);
        owner.verifies(RELEASE_CONTEXT, &content, &self.signature)
    }
}

/// Gives a name to another identity of the same person. For 72 h the recovery code of before
/// overrides it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeKey {
    /// The name.
    pub name: Name,
    /// Whose it is from now on.
    pub to: IdentityKey,
    /// The lock of the new recovery code.
    pub recovery: RecoveryLock,
    /// Grows with every request about ownership on this connection.
    pub cseq: u64,
    /// By the owner, over all of the above and the [`Binding`].
    pub signature: Signature,
    /// By the new identity, over the same: nobody gets a name that they did not ask for.
    pub proof: Signature,
}

impl ChangeKey {
    /// A request signed by both.
    #[must_use]
    pub fn sign(
        owner: &Identity,
        to: &Identity,
        binding: &Binding,
        name: Name,
        recovery: RecoveryLock,
        cseq: u64,
    ) -> Self {
        let content = (binding, &name, to.key(), recovery, cseq);
        let signature = owner.sign(CHANGE_KEY_CONTEXT, &content);
        let proof = to.sign(NEW_KEY_CONTEXT, &content);
        Self {
            name,
            to: to.key(),
            recovery,
            cseq,
            signature,
            proof,
        }
    }

    /// Whether `owner` and the new identity signed this for this connection.
    #[must_use]
    pub fn is_signed(&self, owner: &IdentityKey, binding: &Binding) -> bool {
        let Self {
            name,
            to,
            recovery,
            cseq,
            signature,
            proof,
        } = self;
        let content = (binding, name, to, recovery, cseq);
        owner.verifies(CHANGE_KEY_CONTEXT, &content, signature)
            && to.verifies(NEW_KEY_CONTEXT, &content, proof)
    }
}

/// Gives a name to the identity that greeted, by the recovery code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recover {
    /// The name.
    pub name: Name,
    /// The lock that is opened. That counts once.
    pub opens: RecoveryLock,
    /// The lock of the next code.
    pub recovery: RecoveryLock,
    /// Grows with every request about ownership on this connection.
    pub cseq: u64,
    /// By the new identity, over all of the above and the [`Binding`].
    pub signature: Signature,
    /// By the key that the recovery code makes, over the same and the new identity.
    pub proof: Signature,
}

impl Recover {
    /// A signed request.
    #[must_use]
    pub fn sign(
        to: &Identity,
        binding: &Binding,
        name: Name,
        code: &RecoveryCode,
        recovery: RecoveryLock,
        cseq: u64,
    ) -> Self {
        let opens = code.lock();
        let content = (binding, &name, opens, recovery, cseq);
        let signature = to.sign(RECOVER_CONTEXT, &content);
        let proof = code.key().sign(OPEN_CONTEXT, &(content, to.key()));
        Self {
            name,
            opens,
            recovery,
            cseq,
            signature,
            proof,
        }
    }

    /// Whether `to` and who has the code of the lock signed this for this connection.
    #[must_use]
    pub fn is_signed(&self, to: &IdentityKey, binding: &Binding) -> bool {
        let Self {
            name,
            opens,
            recovery,
            cseq,
            signature,
            proof,
        } = self;
        let content = (binding, name, opens, recovery, cseq);
        let lock = IdentityKey(opens.0);
        to.verifies(RECOVER_CONTEXT, &content, signature)
            && lock.verifies(OPEN_CONTEXT, &(content, to), proof)
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    use super::*;
    use crate::greeting::{Exporter, Nonce};

    fn binding() -> Binding {
        Binding {
            registry: Identity::from_secret(&[9; 32]).key(),
            exporter: Exporter([1; 32]),
            nonce: Nonce([4; 32]),
        }
    }

    fn elsewhere() -> Binding {
        Binding {
            nonce: Nonce([5; 32]),
            ..binding()
        }
    }

    fn name() -> Name {
        "bob".parse().unwrap()
    }

    #[test]
    fn a_recovery_code_is_read_as_it_was_written_down_and_not_otherwise() {
        let code = RecoveryCode::generate(&mut ChaCha20Rng::seed_from_u64(1));
        let words = code.words();
        assert_eq!(words.split(' ').count(), 12);
        let typed = format!("  {}\n", words.to_uppercase().replace(' ', "\n "));
        assert_eq!(typed.parse(), Ok(code.clone()));
        let numbered = words.split(' ').zip(1..);
        let numbered: Vec<String> = numbered
            .map(|(word, at)| match at % 3 {
                0 => format!("{at} {word}"),
                1 => format!("{at}. {word}"),
                _ => format!("{at}) {word}"),
            })
            .collect();
        assert_eq!(numbered.join("\n").parse(), Ok(code.clone()));
        let first = words.split(' ').next().unwrap();
        let wrong = words.replacen(first, if first == "zoo" { "zone" } else { "zoo" }, 1);
        let wrong = wrong.parse::<RecoveryCode>();
        assert_eq!(wrong, Err(BadRecoveryCode::Checksum));
        let longer = "zoo ".repeat(23) + "vote";
        for (wrong, count) in [("", 0), ("zoo 2 zoo", 2), (&longer, 24)] {
            let wrong = wrong.parse::<RecoveryCode>();
            assert_eq!(wrong, Err(BadRecoveryCode::Count(count)));
        }
        let misspelt = "zoo ".repeat(4) + "zooo" + &" zoo".repeat(7);
        let misspelt = misspelt.parse::<RecoveryCode>().unwrap_err();
        assert_eq!(misspelt, BadRecoveryCode::Unknown(5));
        let said = misspelt.to_string();
        assert!(said.contains("word 5 ") && !said.contains("zooo"), "{said}");
        assert!(!format!("{code:?}").contains(first));
    }

    #[test]
    fn a_change_of_key_needs_both_keys_and_holds_on_one_connection() {
        let (old, new) = (
            Identity::from_secret(&[1; 32]),
            Identity::from_secret(&[2; 32]),
        );
        let lock = RecoveryLock([3; 32]);
        let change = ChangeKey::sign(&old, &new, &binding(), name(), lock, 1);
        assert!(change.is_signed(&old.key(), &binding()));
        assert!(!change.is_signed(&new.key(), &binding()));
        assert!(!change.is_signed(&old.key(), &elsewhere()));
        let unasked = ChangeKey {
            to: Identity::from_secret(&[3; 32]).key(),
            ..change.clone()
        };
        assert!(!unasked.is_signed(&old.key(), &binding()));
        let unproven = ChangeKey {
            proof: change.signature,
            ..change
        };
        assert!(!unproven.is_signed(&old.key(), &binding()));
    }

    #[test]
    fn giving_up_and_recovering_hold_on_one_connection() {
        let (owner, code) = (
            Identity::from_secret(&[1; 32]),
            RecoveryCode(Zeroizing::new([7; 16])),
        );
        let release = Release::sign(&owner, &binding(), name(), 1);
        assert!(release.is_signed(&owner.key(), &binding()));
        assert!(!release.is_signed(&owner.key(), &elsewhere()));
        let lock = RecoveryLock([3; 32]);
        let recover = Recover::sign(&owner, &binding(), name(), &code, lock, 1);
        assert_eq!(recover.opens, code.lock());
        assert!(recover.is_signed(&owner.key(), &binding()));
        assert!(!recover.is_signed(&owner.key(), &elsewhere()));
        // Whoever hands it on cannot put an identity of theirs in the place of the new one.
        let thief = Identity::from_secret(&[66; 32]);
        let content = (binding(), name(), code.lock(), lock, 1_u64);
        let stolen = Recover {
            signature: thief.sign(RECOVER_CONTEXT, &content),
            ..recover.clone()
        };
        assert!(!stolen.is_signed(&thief.key(), &binding()));
        let unopened = Recover {
            proof: recover.signature,
            ..recover.clone()
        };
        assert!(!unopened.is_signed(&owner.key(), &binding()));
        let relocked = Recover {
            recovery: RecoveryLock([4; 32]),
            ..recover
        };
        assert!(!relocked.is_signed(&owner.key(), &binding()));
    }
}
