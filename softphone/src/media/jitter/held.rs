//! What waits in the jitter buffer.

use crate::media::{Packet, Timestamp, stats::Counters};

/// Sound that waits.
#[derive(Debug)]
pub(super) struct Held {
    pub packet: Packet,
    pub samples: u32,
    pub form: Form,
}

/// In what form sound is there: the better one counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    /// In the packet after it, with fewer bits.
    Fec,
    /// As a copy.
    Copy,
    /// In its packet.
    Itself,
}

impl Held {
    /// It came by itself.
    pub fn came(packet: Packet, samples: u32) -> Self {
        Self {
            packet,
            samples,
            form: Form::Itself,
        }
    }

    /// How many samples after `position` it begins.
    pub fn after(&self, position: Timestamp) -> i32 {
        self.packet.timestamp.since(position)
    }

    /// Where what comes after it begins.
    pub fn end(&self) -> Timestamp {
        self.packet.timestamp.plus(self.samples)
    }

    /// How much of it is in the `samples` after `position`.
    pub fn within(&self, position: Timestamp, samples: u32) -> u32 {
        let inside = |at: Timestamp| {
            let after = u32::try_from(at.since(position)).unwrap_or(0);
            after.min(samples)
        };
        inside(self.end()).saturating_sub(inside(self.packet.timestamp))
    }
}

impl Form {
    /// What counts the packets that are played in this form and came in no better one.
    pub fn count(self, counters: &mut Counters) -> Option<&mut u64> {
        match self {
            Self::Fec => Some(&mut counters.fec),
            Self::Copy => Some(&mut counters.recovered),
            Self::Itself => None,
        }
    }
}
