//! The file `identity`: what makes somebody themselves, and how it is written.
//!
//! Format 3 is a byte 3, the identity's secret (32 bytes), the epoch of the agreement chain (8, the
//! most significant first), its link (32), the recovery lock (32), and when the identity was made
//! (8, Unix milliseconds). Whoever copies the file has a second phone of the same person.

use std::fmt;

use codec::{AgreementChain, DeviceId, Identity, RecoveryCode, RecoveryLock, UnixMillis};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use zeroize::Zeroizing;

use crate::phone::Keys;

/// What is written today.
const FORMAT: u8 = 3;

/// The identity's and one agreement secret: written before agreement keys changed.
const FORMAT_WITH_ONE_KEY: u8 = 2;

/// The same with the device behind it, as it was when there was no file for that.
const FORMAT_WITH_DEVICE: u8 = 1;

/// How many bytes format 3 has behind its first.
pub(super) const SECRETS_BYTES: usize = 32 + 8 + 32 + 32 + 8;

/// The chain that follows from the one agreement key of an older format begins at this epoch, so
/// that all phones of one person come to the same keys, whenever each begins to change them.
const EPOCH_OF_ONE_KEY: u64 = 0;

/// What makes somebody themselves.
pub struct Secrets {
    /// Signs for them.
    pub identity: Identity,
    /// Where their agreement keys come from, from the epoch before the current one on.
    pub chain: AgreementChain,
    /// To what their recovery code is the key.
    pub recovery: RecoveryLock,
    /// When the identity was made.
    pub since: UnixMillis,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "secrets of {:?}", self.identity)
    }
}

impl Clone for Secrets {
    fn clone(&self) -> Self {
        Self {
            identity: Identity::from_secret(&self.identity.secret()),
            chain: AgreementChain::from_secret(self.chain.epoch(), self.chain.secret()),
            recovery: self.recovery,
            since: self.since,
        }
    }
}

/// What a file held.
#[derive(Debug)]
pub(super) enum Stored {
    /// The format of today.
    Current(Secrets),
    /// One of before, which knew no recovery code: it is drawn when the file is rewritten.
    Old {
        /// With a lock that has no key yet.
        secrets: Secrets,
        /// The device, where it stood in the same file.
        device: Option<DeviceId>,
    },
}

/// The system gives no randomness.
#[derive(Debug)]
pub struct NoRandomness;

/// A generator with a seed from the system.
pub(super) fn rng() -> Result<ChaCha20Rng, NoRandomness> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *seed).map_err(|_| NoRandomness)?;
    Ok(ChaCha20Rng::from_seed(*seed))
}

impl Secrets {
    /// A new identity with a new recovery code.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn draw(time: UnixMillis) -> Result<(Self, RecoveryCode), NoRandomness> {
        let mut rng = rng()?;
        let code = RecoveryCode::generate(&mut rng);
        let secrets = Self {
            identity: Identity::generate(&mut rng),
            chain: AgreementChain::generate(AgreementChain::epoch_at(time), &mut rng),
            recovery: code.lock(),
            since: time,
        };
        Ok((secrets, code))
    }

    /// As they are written.
    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(1 + SECRETS_BYTES));
        bytes.push(FORMAT);
        bytes.extend(self.identity.secret().iter());
        bytes.extend(self.chain.epoch().to_be_bytes());
        bytes.extend(self.chain.secret().iter());
        bytes.extend(self.recovery.0);
        bytes.extend(self.since.to_be_bytes());
        bytes
    }

    /// What is behind the first byte of format 3; `None` unless it is whole.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (identity, rest) = bytes.split_first_chunk::<32>()?;
        let (epoch, rest) = rest.split_first_chunk::<8>()?;
        let (link, rest) = rest.split_first_chunk::<32>()?;
        let (recovery, rest) = rest.split_first_chunk::<32>()?;
        let since: &[u8; 8] = rest.try_into().ok()?;
        Some(Self {
            identity: Identity::from_secret(identity),
            chain: AgreementChain::from_secret(u64::from_be_bytes(*epoch), link),
            recovery: RecoveryLock(*recovery),
            since: u64::from_be_bytes(*since),
        })
    }

    /// The keys of the week that `time` is in. Where the clock is behind them, those of the first
    /// week that there are keys for.
    #[must_use]
    pub fn keys(&self, time: UnixMillis) -> Keys {
        let current = self.chain.from(AgreementChain::epoch_at(time));
        let before = current.epoch().saturating_sub(1);
        let earlier = (self.chain.epoch() < current.epoch()).then(|| self.chain.from(before));
        Keys {
            card: current.card(&self.identity),
            agreement: current.agreement(),
            earlier: earlier.map(|earlier| earlier.agreement()),
        }
    }

    /// Forgets the keys of before the week that came before `time`. Returns whether there were any.
    pub(super) fn forget(&mut self, time: UnixMillis) -> bool {
        let before = AgreementChain::epoch_at(time).saturating_sub(1);
        let forgets = self.chain.epoch() < before;
        self.chain = self.chain.from(before);
        forgets
    }

    /// When a week begins.
    #[cfg(test)]
    pub(super) fn week(week: u64) -> UnixMillis {
        week * codec::agreement::EPOCH_MS
    }
}

/// Reads the file `identity`, which was last changed at `changed`; `None` when it is not whole.
pub(super) fn decode(bytes: &[u8], changed: UnixMillis) -> Option<Stored> {
    let (format, rest) = bytes.split_first()?;
    let (rest, device) = match *format {
        FORMAT => return Secrets::decode(rest).map(Stored::Current),
        FORMAT_WITH_ONE_KEY => (rest, None),
        FORMAT_WITH_DEVICE => {
            let (rest, device) = rest.split_last_chunk::<16>()?;
            (rest, Some(DeviceId(*device)))
        }
        _ => return None,
    };
    let (identity, agreement) = rest.split_first_chunk::<32>()?;
    let agreement: &[u8; 32] = agreement.try_into().ok()?;
    let secrets = Secrets {
        identity: Identity::from_secret(identity),
        chain: AgreementChain::from_secret(EPOCH_OF_ONE_KEY, agreement),
        recovery: RecoveryLock([0; 32]),
        since: changed,
    };
    Some(Stored::Old { secrets, device })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_half_of_it_is_not() {
        let (secrets, code) = Secrets::draw(Secrets::week(7)).unwrap();
        let bytes = secrets.encode();
        let Some(Stored::Current(read)) = decode(&bytes, 0) else {
            panic!("not read");
        };
        assert_eq!(read.identity.key(), secrets.identity.key());
        assert_eq!((read.chain.epoch(), read.since), (7, Secrets::week(7)));
        assert_eq!(read.chain.secret(), secrets.chain.secret());
        assert_eq!(read.recovery, code.lock());
        for end in 0..bytes.len() {
            assert!(decode(&bytes[..end], 0).is_none(), "{end}");
        }
        assert!(decode(&[&bytes[..], &[0]].concat(), 0).is_none());
        assert!(decode(&[&[FORMAT + 1], &bytes[1..]].concat(), 0).is_none());
    }

    #[test]
    fn a_week_has_its_key_and_the_one_of_before_and_no_older() {
        let (mut secrets, _) = Secrets::draw(Secrets::week(7)).unwrap();
        let first = secrets.keys(Secrets::week(8) - 1);
        assert!(first.earlier.is_none());
        let second = secrets.keys(Secrets::week(8));
        assert_eq!(second.earlier.unwrap().key(), first.agreement.key());
        assert!(second.card.serial > first.card.serial);
        assert!(!secrets.forget(Secrets::week(8)));
        assert!(secrets.forget(Secrets::week(9)));
        assert_eq!(secrets.chain.epoch(), 8);
        let third = secrets.keys(Secrets::week(9));
        assert_eq!(third.earlier.unwrap().key(), second.agreement.key());
        // A clock that went back has the keys of the first week that is left, with a valid card.
        let behind = secrets.keys(Secrets::week(2));
        assert_eq!(behind.agreement.key(), second.agreement.key());
        assert!(behind.card.is_valid(Secrets::week(2)));
    }

    #[test]
    fn phones_of_an_older_format_come_to_the_same_keys_whenever_they_change() {
        let old = [&[FORMAT_WITH_ONE_KEY][..], &[1; 32], &[2; 32]].concat();
        let read = || match decode(&old, 5) {
            Some(Stored::Old { secrets, .. }) => secrets,
            other => panic!("{other:?}"),
        };
        let (mut here, there) = (read(), read());
        here.forget(Secrets::week(20));
        let (one, two) = (here.keys(Secrets::week(30)), there.keys(Secrets::week(30)));
        assert_eq!(one.agreement.key(), two.agreement.key());
        assert_eq!(here.since, 5);
    }
}
