//! Agreement keys that change every week, the same on all of a person's phones.
//!
//! Each week's key is made of the one before by a hash that cannot be turned round. A phone keeps
//! this week's and the last one's and forgets those before: who steals its keys opens no envelope
//! that is older. All phones of one identity begin with the same copy and come to the same keys.

use std::fmt;

use rand_core::CryptoRng;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{Identity, KeyCard, UnixMillis, identity::AgreementSecret};

/// For how long one agreement key is in use, in milliseconds: a week.
pub const EPOCH_MS: u64 = 7 * 24 * 3600 * 1000;

/// The most epochs that are gone through at once: 95 years. Whose clock is further ahead is wrong.
const STEPS_MAX: u64 = 5_000;

/// Where a person's agreement keys come from, from one epoch on.
pub struct AgreementChain {
    epoch: u64,
    link: Zeroizing<[u8; 32]>,
}

impl AgreementChain {
    /// The epoch that `time` is in.
    #[must_use]
    pub fn epoch_at(time: UnixMillis) -> u64 {
        time / EPOCH_MS
    }

    /// A chain that begins at `epoch`.
    pub fn generate(epoch: u64, rng: &mut impl CryptoRng) -> Self {
        let mut link = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *link);
        Self { epoch, link }
    }

    /// The chain that [`AgreementChain::secret`] was taken of.
    #[must_use]
    pub fn from_secret(epoch: u64, link: &[u8; 32]) -> Self {
        let link = Zeroizing::new(*link);
        Self { epoch, link }
    }

    /// What makes this epoch's key and all that follow, to be kept in a file that only its owner
    /// can read.
    #[must_use]
    pub fn secret(&self) -> &Zeroizing<[u8; 32]> {
        &self.link
    }

    /// The first epoch that it has a key for.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The same chain from `epoch` on; from its own on when that is later. What was before cannot
    /// be had from it.
    #[must_use]
    pub fn from(&self, epoch: u64) -> Self {
        let steps = epoch.saturating_sub(self.epoch).min(STEPS_MAX);
        let mut link = self.link.clone();
        for _ in 0..steps {
            link = derive(b"ramal agreement chain v1 next", &link);
        }
        Self {
            epoch: self.epoch + steps,
            link,
        }
    }

    /// The key of its first epoch.
    #[must_use]
    pub fn agreement(&self) -> AgreementSecret {
        AgreementSecret::from_secret(&derive(b"ramal agreement chain v1 key", &self.link))
    }

    /// The card of its first epoch. It counts to the end of the one after.
    #[must_use]
    pub fn card(&self, identity: &Identity) -> KeyCard {
        let not_after = (self.epoch + 2).saturating_mul(EPOCH_MS);
        KeyCard::issue(identity, self.agreement().key(), self.epoch, not_after)
    }
}

impl fmt::Debug for AgreementChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "agreement keys from epoch {}", self.epoch)
    }
}

fn derive(context: &[u8], link: &[u8; 32]) -> Zeroizing<[u8; 32]> {
    let hash = Sha256::new().chain_update(context).chain_update(link);
    Zeroizing::new(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phones_that_began_alike_come_to_the_same_keys_by_any_steps() {
        let chain = AgreementChain::from_secret(10, &[1; 32]);
        let (at_once, in_steps) = (chain.from(15), chain.from(12).from(15));
        assert_eq!(at_once.agreement().key(), in_steps.agreement().key());
        assert_ne!(at_once.agreement().key(), chain.agreement().key());
        assert_eq!(chain.from(3).agreement().key(), chain.agreement().key());
        assert_eq!(chain.from(u64::MAX).epoch(), 10 + STEPS_MAX);
    }

    #[test]
    fn a_card_counts_for_its_epoch_and_the_next() {
        let identity = Identity::from_secret(&[1; 32]);
        let chain = AgreementChain::from_secret(10, &[2; 32]);
        let card = chain.card(&identity);
        assert_eq!(card.agreement, chain.agreement().key());
        assert!(card.is_valid(10 * EPOCH_MS) && card.is_valid(12 * EPOCH_MS - 1));
        assert!(!card.is_valid(12 * EPOCH_MS));
        assert!(chain.from(11).card(&identity).serial > card.serial);
    }

    #[test]
    fn its_secret_is_not_shown() {
        let shown = format!("{:?}", AgreementChain::from_secret(10, &[7; 32]));
        assert!(
            !shown.contains("7, 7") && !shown.contains("0707"),
            "{shown}"
        );
    }
}
