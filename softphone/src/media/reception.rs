//! What a receiver tells the sender of how its packets come.

/// How the packets of the last second or so have come. It travels with voice, in a block of its
/// own (see [`super::red`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reception {
    lost_per_mille: u16,
    burst_tenths: u16,
}

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
        })
    }

    /// What a peer says; `None` when it makes no sense.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let [a, b, c, d] = bytes.try_into().ok()?;
        let told = Self {
            lost_per_mille: u16::from_be_bytes([a, b]),
            burst_tenths: u16::from_be_bytes([c, d]),
        };
        (told.lost_per_mille <= 1_000 && told.burst_tenths >= 10).then_some(told)
    }

    /// What [`Reception::read`] reads: losses of 1,000, and the length of rows in tenths, in
    /// network byte order.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 4] {
        let ([a, b], [c, d]) = (
            self.lost_per_mille.to_be_bytes(),
            self.burst_tenths.to_be_bytes(),
        );
        [a, b, c, d]
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
            }
            .to_bytes()
        };
        for bytes in [bytes(1_001, 10), bytes(0, 9)] {
            assert_eq!(Reception::read(&bytes), None);
        }
        for length in [0, 1, 3, 5] {
            assert_eq!(Reception::read(&[0, 100, 0, 10, 0][..length]), None);
        }
    }
}
