//! What Ramal's programs say to each other: bytes to values and back, nothing else.
//!
//! Everything here is pure: no clock, no socket, no file, no thread and no randomness of its own.
//! Time comes in as an argument, randomness as a generator. Any bytes may come from the network:
//! decoding never panics, never allocates more than one frame's worth, and refuses what it does
//! not understand. `docs/protocol.md` describes the same in prose.

pub mod agreement;
mod bounded;
pub mod claim;
pub mod cobs;
pub mod direct;
pub mod envelope;
pub mod frame;
pub mod greeting;
pub mod identity;
mod name;
pub mod registry;
pub mod signal;
pub mod words;

use std::fmt;

pub use agreement::AgreementChain;
pub use bounded::{Bytes, List, Text, TooMany};
pub use claim::{RecoveryCode, RecoveryLock};
pub use envelope::{Envelope, EnvelopeError, Party};
pub use greeting::PROTOCOL_VERSION;
pub use identity::{Identity, IdentityKey, KeyCard};
pub use name::{DeviceId, NAME_BYTES_MAX, NAME_CHARS_MAX, Name, NameError, fold};
pub use signal::{CallId, CallSignal, Signal};
pub use words::{FourWords, Transcript};

/// Milliseconds since 1970-01-01 UTC, by the clock of the registry.
pub type UnixMillis = u64;

/// Writes bytes as lower-case hexadecimal digits.
fn hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}
