//! Whether more sound waits to be played than needs to, and how it is worked off.

use std::time::{Duration, Instant};

/// When so much more than is needed waits behind the packet that is played ...
const SURPLUS_MIN: Duration = Duration::from_millis(40);

/// ... for this long, what was never needed meanwhile is worked off ...
const SUSPECTED_FOR: Duration = Duration::from_millis(400);

/// ... in this time.
const WORK_OFF: Duration = Duration::from_secs(1);

/// What is known of the surplus.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Surplus {
    /// There is none.
    #[default]
    No,
    /// There has been one since then, of no less than `least` at any time.
    Suspected { since: Instant, least: Duration },
    /// Of `total`, `dropped` is gone.
    WorkingOff {
        since: Instant,
        total: Duration,
        dropped: Duration,
    },
}

impl Surplus {
    /// Takes note of how much sound waits `behind` the packet that is played `now`, where `needed`
    /// would do.
    pub(super) fn note(&mut self, behind: Duration, needed: Duration, now: Instant) {
        let surplus = behind.saturating_sub(needed);
        *self = match *self {
            Self::No if surplus >= SURPLUS_MIN => Self::Suspected {
                since: now,
                least: surplus,
            },
            Self::Suspected { since, least } if surplus >= SURPLUS_MIN => {
                let least = least.min(surplus);
                if now.saturating_duration_since(since) < SUSPECTED_FOR {
                    Self::Suspected { since, least }
                } else {
                    Self::WorkingOff {
                        since: now,
                        total: least,
                        dropped: Duration::ZERO,
                    }
                }
            }
            Self::WorkingOff { since, .. }
                if !surplus.is_zero() && now.saturating_duration_since(since) < WORK_OFF =>
            {
                *self
            }
            Self::No | Self::Suspected { .. } | Self::WorkingOff { .. } => Self::No,
        };
    }

    /// Whether a packet as long as `packet` is to be dropped `now`, so that the surplus goes away
    /// evenly.
    pub(super) fn is_due(&self, packet: Duration, now: Instant) -> bool {
        let Self::WorkingOff {
            since,
            total,
            dropped,
        } = *self
        else {
            return false;
        };
        let elapsed = now.saturating_duration_since(since).min(WORK_OFF);
        dropped + packet <= total.mul_f64(elapsed.as_secs_f64() / WORK_OFF.as_secs_f64())
    }

    /// A packet as long as `packet` has been dropped.
    pub(super) fn dropped(&mut self, packet: Duration) {
        if let Self::WorkingOff { dropped, .. } = self {
            *dropped += packet;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: Duration = Duration::from_millis(20);

    /// Plays packets of 20 ms with `behind` ms waiting at first; when packets were dropped, in ms.
    fn drops(mut behind: impl FnMut(u32) -> u32, packets: u32) -> Vec<u32> {
        let origin = Instant::now();
        let mut surplus = Surplus::No;
        let mut drops = Vec::new();
        for at in (0..packets).map(|packet| packet * 20) {
            let now = origin + Duration::from_millis(at.into());
            if surplus.is_due(PACKET, now) {
                surplus.dropped(PACKET);
                drops.push(at);
            }
            let gone = 20 * u32::try_from(drops.len()).unwrap();
            let behind = behind(at).saturating_sub(gone);
            let behind = Duration::from_millis(behind.into());
            surplus.note(behind, Duration::from_millis(60), now);
        }
        drops
    }

    #[test]
    fn a_lasting_surplus_is_gone_evenly_after_1400_ms_and_then_it_ends() {
        assert_eq!(drops(|_| 160, 200), [600, 800, 1_000, 1_200, 1_400]);
        let many = drops(|_| 980, 200);
        assert_eq!(many.len(), 46);
        assert!(
            many[45] <= 1_400 && many[22] > 850 && many[22] < 950,
            "{many:?}"
        );
    }

    #[test]
    fn a_surplus_that_is_needed_now_and_then_is_kept() {
        assert_eq!(
            drops(|at| if at % 380 == 0 { 40 } else { 200 }, 500),
            [0u32; 0]
        );
        assert_eq!(drops(|_| 99, 500), [0u32; 0]);
    }

    #[test]
    fn no_more_is_dropped_than_was_there_all_the_time() {
        assert_eq!(
            drops(|at| if at % 200 == 0 { 120 } else { 300 }, 75).len(),
            3
        );
    }
}
