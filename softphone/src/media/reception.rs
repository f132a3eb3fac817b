//! What a receiver tells the sender of how its packets come.

use std::time::Duration;

/// How the packets of the last second or so have come. It travels with voice, in a block of its
/// own (see [`super::red`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reception {
    lost_per_mille: u16,
    burst_tenths: u16,
    /// In steps of [`STEP_MS`].
    queueing: u8,
}

/// How exactly it is told how long packets wait.
const STEP_MS: u8 = 4;

impl Reception {
    /// Of `sent` packets `lost` did not come, or too late to be played, in so many `bursts`.
    ///
    /// `None` when nothing was sent, or the figures contradict each other.
    #[must_use]
    pub fn new(sent: u32, lost: u32, bursts: u32) -> Option<Self> {
        let is_sound = sent > 0 && lost <= sent && bursts <= lost && (bursts > 0) == (lost > 0);
        if !is_sound {
            return None;
        }
        let tenths = (10 * lost).checked_div(bursts).unwrap_or(10);
        Some(Self {
            // Any loss at all is told as some.
            lost_per_mille: u16::try_from((1_000 * lost).div_ceil(sent)).ok()?,
            burst_tenths: u16::try_from(tenths).ok()?,
            queueing: 0,
        })
    }

    /// All packets wait so long on the way, rounded to 4 ms; 1020 ms or more.
    #[must_use]
    pub fn with_queueing(self, queueing: Duration) -> Self {
        let steps = (queueing.as_millis() + u128::from(STEP_MS / 2)) / u128::from(STEP_MS);
        Self {
            queueing: u8::try_from(steps).unwrap_or(u8::MAX),
            ..self
        }
    }

    /// What a peer says; `None` when it makes no sense. Of a longer one the rest is left out: a
    /// later version may append to it.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let &[a, b, c, d, queueing, ..] = bytes else {
            return None;
        };
        let told = Self {
            lost_per_mille: u16::from_be_bytes([a, b]),
            burst_tenths: u16::from_be_bytes([c, d]),
            queueing,
        };
        (told.lost_per_mille <= 1_000 && told.burst_tenths >= 10).then_some(told)
    }

    /// What [`Reception::read`] reads: losses of 1,000, and the length of rows in tenths, in
    /// network byte order; and how long packets wait, in steps of 4 ms.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 5] {
        let ([a, b], [c, d]) = (
            self.lost_per_mille.to_be_bytes(),
            self.burst_tenths.to_be_bytes(),
        );
        [a, b, c, d, self.queueing]
    }

    /// How long all packets waited on the way: at most 1020 ms.
    #[must_use]
    pub fn queueing(self) -> Duration {
        Duration::from_millis(u64::from(self.queueing) * u64::from(STEP_MS))
    }

    /// The share of packets that could not be played: 0.0 to 1.0.
    #[must_use]
    pub fn loss(self) -> f32 {
        f32::from(self.lost_per_mille) / 1_000.0
    }

    /// How many packets in a row are lost when any is, on average: 1.0 or more.
    #[must_use]
    pub fn burst(self) -> f32 {
        f32::from(self.burst_tenths) / 10.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_read_again() {
        let told = Reception::new(120, 13, 5).unwrap();
        assert_eq!((told.loss(), told.burst()), (0.109, 2.6));
        assert_eq!(Reception::read(&told.to_bytes()), Some(told));
        let clean = Reception::new(1, 0, 0).unwrap();
        assert_eq!((clean.loss(), clean.burst()), (0.0, 1.0));
        let least = Reception::new(u32::from(u16::MAX), 1, 1).unwrap();
        assert!(least.loss() > 0.0);
        let all = Reception::new(128, 128, 1).unwrap();
        assert_eq!((all.loss(), all.burst()), (1.0, 128.0));
        for (waits_ms, told_ms) in [
            (0, 0),
            (1, 0),
            (39, 40),
            (41, 40),
            (1_020, 1_020),
            (9_000, 1_020),
        ] {
            let waits = told.with_queueing(Duration::from_millis(waits_ms));
            let read = Reception::read(&waits.to_bytes()).unwrap();
            assert_eq!(
                (read.loss(), read.queueing().as_millis()),
                (told.loss(), told_ms)
            );
        }
    }

    #[test]
    fn what_makes_no_sense_is_no_reception() {
        for (sent, lost, bursts) in [(0, 0, 0), (5, 6, 1), (5, 2, 3), (5, 0, 1), (5, 1, 0)] {
            assert_eq!(Reception::new(sent, lost, bursts), None);
        }
        let bytes = |lost_per_mille, burst_tenths| {
            Reception {
                lost_per_mille,
                burst_tenths,
                queueing: 0,
            }
            .to_bytes()
        };
        for bytes in [bytes(1_001, 10), bytes(0, 9)] {
            assert_eq!(Reception::read(&bytes), None);
        }
        for length in 0..5 {
            assert_eq!(Reception::read(&[0, 100, 0, 10, 0][..length]), None);
        }
        let known = Reception::read(&[0, 100, 0, 10, 7]).unwrap();
        assert_eq!(Reception::read(&[0, 100, 0, 10, 7, 8, 9]), Some(known));
        assert_eq!(known.queueing(), Duration::from_millis(28));
    }
}
