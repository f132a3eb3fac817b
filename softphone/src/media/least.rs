//! The least of what was noted lately.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Remembers the least of each of the last periods.
#[derive(Debug)]
pub(super) struct Least<T = i64> {
    period: Duration,
    periods: usize,
    /// The least of each period, and when that began; the newest last.
    least: VecDeque<(Instant, T)>,
}

impl<T: Ord + Copy + Default> Least<T> {
    /// Of so many periods of that length.
    pub(super) fn of(period: Duration, periods: usize) -> Self {
        let least = VecDeque::with_capacity(periods + 1);
        Self {
            period,
            periods,
            least,
        }
    }

    /// Takes note of another one.
    pub(super) fn note(&mut self, value: T, now: Instant) {
        match self.least.back_mut() {
            Some((since, least)) if now.saturating_duration_since(*since) < self.period => {
                *least = value.min(*least);
            }
            _ => self.least.push_back((now, value)),
        }
        if self.least.len() > self.periods {
            self.least.pop_front();
        }
    }

    /// The least of all; the default when nothing was noted.
    pub(super) fn get(&self) -> T {
        let all = self.least.iter().map(|&(_, least)| least);
        all.min().unwrap_or_default()
    }

    /// Forgets them.
    pub(super) fn clear(&mut self) {
        self.least.clear();
    }
}
