//! When what came a little late is gone on without: a machine or a line that stands still for a
//! moment is then a gap that was concealed anyway, and no longer delay after it.

use std::time::{Duration, Instant};

/// Of what came itself so much at most is left out because it was concealed, in samples: 30 ms. Of
/// more a voice would miss what it said.
const SAMPLES_MAX: u32 = 1_440;

/// Once in so long: what keeps coming late takes longer than it did, and is waited for.
const APART: Duration = Duration::from_secs(1);

/// Remembers when it was done.
#[derive(Debug, Default)]
pub(super) struct Bridges {
    last: Option<Instant>,
}

impl Bridges {
    /// Whether what came late is to be gone on without, of which so many samples were concealed.
    pub fn are_allowed(&self, concealed: u32, now: Instant) -> bool {
        let since = |last| now.saturating_duration_since(last);
        concealed <= SAMPLES_MAX && self.last.is_none_or(|last| since(last) >= APART)
    }

    /// It was done.
    pub fn crossed(&mut self, now: Instant) {
        self.last = Some(now);
    }
}
