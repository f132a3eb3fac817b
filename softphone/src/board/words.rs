//! The words of some call, for everything that shows them.

#![cfg(test)]

use codec::{
    CallId, FourWords, IdentityKey, Transcript,
    signal::{CallNonce, Fingerprint},
};

/// `runway sunset wolf brand`.
pub fn words() -> FourWords {
    FourWords::of(&Transcript {
        caller: IdentityKey([1; 32]),
        callee: IdentityKey([2; 32]),
        caller_fingerprint: Fingerprint([3; 32]),
        callee_fingerprint: Fingerprint([4; 32]),
        call: CallId([5; 16]),
        caller_nonce: CallNonce([6; 32]),
        callee_nonce: CallNonce([7; 32]),
    })
}
