//! Four words that two people read to each other: equal only if nobody is between them.

use std::fmt;

use bip39::Language;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{
    CallId, IdentityKey,
    signal::{CallNonce, Fingerprint},
};

const CONTEXT: &[u8] = b"ramal four words v1";

/// Everything that the words of a call are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Transcript {
    /// Who called.
    pub caller: IdentityKey,
    /// Who was called.
    pub callee: IdentityKey,
    /// Of the caller's media.
    pub caller_fingerprint: Fingerprint,
    /// Of the callee's media.
    pub callee_fingerprint: Fingerprint,
    /// Which call.
    pub call: CallId,
    /// What the caller committed to before it saw the callee's.
    pub caller_nonce: CallNonce,
    /// The callee's.
    pub callee_nonce: CallNonce,
}

/// 44 bits of a hash of a [`Transcript`], as four of the 2,048 English words of BIP 39.
///
/// The caller commits to its nonce before it sees the callee's, and each call draws both anew: who
/// sits in between has one try in 2^44 for each call.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FourWords([&'static str; 4]);

impl FourWords {
    /// The words of a call.
    #[must_use]
    pub fn of(transcript: &Transcript) -> Self {
        let bytes = postcard::to_allocvec(transcript).expect("fields of fixed length");
        let hash = Sha256::new()
            .chain_update(CONTEXT)
            .chain_update(bytes)
            .finalize();
        let first = hash.first_chunk::<8>().expect("a hash has 32 bytes");
        let bits = u64::from_be_bytes(*first);
        let list = Language::English.word_list();
        let word = |place: u32| {
            let index = bits >> (64 - 11 * (place + 1)) & 0x7ff;
            list[usize::try_from(index).expect("11 bits")]
        };
        Self([word(0), word(1), word(2), word(3)])
    }

    /// The words, in the order in which they are read.
    #[must_use]
    pub fn words(&self) -> [&'static str; 4] {
        self.0
    }
}

impl fmt::Display for FourWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.join(" "))
    }
}

impl fmt::Debug for FourWords {
    /// Whoever reads a log has no use for them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("four words")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transcript() -> Transcript {
        Transcript {
            caller: IdentityKey([1; 32]),
            callee: IdentityKey([2; 32]),
            caller_fingerprint: Fingerprint([3; 32]),
            callee_fingerprint: Fingerprint([4; 32]),
            call: CallId([5; 16]),
            caller_nonce: CallNonce([6; 32]),
            callee_nonce: CallNonce([7; 32]),
        }
    }

    #[test]
    fn the_words_of_a_call_are_frozen() {
        let words = FourWords::of(&transcript()).to_string();
        assert_eq!(words, "runway sunset wolf brand");
    }

    #[test]
    fn everything_that_they_are_made_of_changes_them() {
        let base = transcript();
        let swapped = Transcript {
            caller: base.callee,
            callee: base.caller,
            ..base
        };
        let others = [
            swapped,
            Transcript {
                caller_fingerprint: Fingerprint([9; 32]),
                ..base
            },
            Transcript {
                callee_fingerprint: Fingerprint([9; 32]),
                ..base
            },
            Transcript {
                call: CallId([9; 16]),
                ..base
            },
            Transcript {
                caller_nonce: CallNonce([9; 32]),
                ..base
            },
            Transcript {
                callee_nonce: CallNonce([9; 32]),
                ..base
            },
        ];
        for other in others {
            assert_ne!(FourWords::of(&other), FourWords::of(&base));
        }
    }
}
