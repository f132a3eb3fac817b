//! How voice is sent: what a person may fix, and what follows where nothing is fixed.

use std::{ops::RangeInclusive, str::FromStr};

use super::redundancy::MAX_BPS;

/// Samples in a millisecond.
const SAMPLES_PER_MS: u32 = 48;

/// The bits per second of Opus that may be allowed.
pub const BPS: RangeInclusive<u32> = 6_000..=510_000;

/// Sound in one packet (RFC 4566, `ptime`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ptime {
    /// 10 ms: the least delay.
    Ten,
    /// 20 ms: half as many packets, which is 20 kbit/s less of headers.
    Twenty,
}

impl Ptime {
    /// In milliseconds.
    #[must_use]
    pub fn millis(self) -> u32 {
        match self {
            Self::Ten => 10,
            Self::Twenty => 20,
        }
    }

    /// In samples at 48 kHz.
    #[must_use]
    pub fn samples(self) -> u32 {
        self.millis() * SAMPLES_PER_MS
    }
}

impl FromStr for Ptime {
    type Err = String;

    /// `10` or `20`.
    fn from_str(typed: &str) -> Result<Self, String> {
        let all = [Self::Ten, Self::Twenty];
        let is_meant = |ptime: &Self| ptime.millis().to_string() == typed;
        let unknown = || "10 or 20 milliseconds".to_owned();
        all.into_iter().find(is_meant).ok_or_else(unknown)
    }
}

/// How voice is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// Sound in one packet; `None` leaves it to the link.
    pub ptime: Option<Ptime>,
    /// Opus in all, with copies of earlier packets, in bits per second: of [`BPS`].
    pub max_bps: u32,
}

impl Default for Format {
    /// Nothing fixed, and as many bits as a good voice and two copies of it take.
    fn default() -> Self {
        Self {
            ptime: None,
            max_bps: MAX_BPS,
        }
    }
}

impl Format {
    /// Sound in one packet, where it goes with or without copies of earlier ones: with them short
    /// packets, as what is lost is there again so much sooner; without them fewer packets, which
    /// take a fifth less of the processor.
    #[must_use]
    pub fn ptime(self, with_copies: bool) -> Ptime {
        self.ptime.unwrap_or(match with_copies {
            true => Ptime::Ten,
            false => Ptime::Twenty,
        })
    }
}

/// Bits per second, typed as kbit/s: `6` to `510`.
///
/// # Errors
/// Says what may be typed.
pub fn bps(typed: &str) -> Result<u32, String> {
    let kbps: Option<u32> = typed.parse().ok();
    let bps = kbps.and_then(|kbps| kbps.checked_mul(1_000));
    let range = || format!("{} to {} kbit/s", BPS.start() / 1_000, BPS.end() / 1_000);
    bps.filter(|bps| BPS.contains(bps)).ok_or_else(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_short_where_there_are_copies_or_it_is_said() {
        let of = |ptime, with_copies| {
            let format = Format {
                ptime,
                ..Format::default()
            };
            format.ptime(with_copies)
        };
        assert_eq!(
            [of(None, true), of(None, false)],
            [Ptime::Ten, Ptime::Twenty]
        );
        for fixed in [Ptime::Ten, Ptime::Twenty] {
            assert_eq!([of(Some(fixed), true), of(Some(fixed), false)], [fixed; 2]);
        }
        assert_eq!((Ptime::Ten.samples(), Ptime::Twenty.samples()), (480, 960));
    }

    #[test]
    fn what_is_typed_is_understood_or_it_is_said_what_may_be() {
        assert_eq!("10".parse(), Ok(Ptime::Ten));
        assert_eq!("20".parse(), Ok(Ptime::Twenty));
        for typed in ["", "30", "010", "10ms", "-10"] {
            assert_eq!(
                typed.parse::<Ptime>(),
                Err("10 or 20 milliseconds".to_owned())
            );
        }
        assert_eq!((bps("6"), bps("510")), (Ok(6_000), Ok(510_000)));
        for typed in ["", "5", "511", "4294968", "64k", "-1"] {
            assert_eq!(bps(typed), Err("6 to 510 kbit/s".to_owned()));
        }
    }
}
