//! How much of what came late may be left out, because it was concealed: a machine or a line that
//! stood still for a moment is then a gap that was there anyway, and no longer delay after it.

use std::time::{Duration, Instant};

/// Of what came itself so much at most is left out at a time, in samples: 30 ms. Of more a voice
/// would miss what it said.
const SAMPLES_MAX: u32 = 1_440;

/// From one time to the next: what keeps coming late takes longer than it did, and is waited for.
const APART: Duration = Duration::from_secs(1);

/// Remembers when something was left out.
#[derive(Debug, Default)]
pub(super) struct Allowance {
    last: Option<Instant>,
}

impl Allowance {
    /// Whether so many samples may be left out.
    pub fn has(&self, samples: u32, now: Instant) -> bool {
        let rests = |last| now.saturating_duration_since(last) < APART;
        samples <= SAMPLES_MAX && !self.last.is_some_and(rests)
    }

    /// Something was left out.
    pub fn take(&mut self, now: Instant) {
        self.last = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_ms_may_be_left_out_once_a_second() {
        let (mut allowance, origin) = (Allowance::default(), Instant::now());
        assert!(allowance.has(1_440, origin) && !allowance.has(1_441, origin));
        allowance.take(origin);
        for (after, has) in [(0, false), (999, false), (1_000, true)] {
            let now = origin + Duration::from_millis(after);
            assert_eq!(allowance.has(1, now), has, "{after}");
        }
    }
}
