//! What two phones say to each other on a connection of their own, after the greetings.

use serde::{Deserialize, Serialize};

use crate::Envelope;

/// One frame between two phones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum DirectFrame {
    /// An envelope for the other side.
    Envelope(Envelope),
    /// The other side's last frame was of no use.
    Refused(DirectRefusal),
}

/// Why a frame on a direct connection was of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum DirectRefusal {
    /// It could not be read.
    Malformed,
    /// It is for somebody who is not here, or could not be opened, or its signature does not fit.
    NotHere,
    /// Its sender is not the identity that greeted.
    NotAuthentic,
    /// This side has no room for it, try again later.
    TooMany,
}
