//! Whether the machine's clock is to be believed when it says that names are free.
//!
//! PURE. A clock that jumps ahead would free at once every name that is not in use, and nobody gets
//! those back; one that is too slow frees them later.

use std::time::Duration;

use codec::UnixMillis;

use crate::store::Moment;

/// How far the machine's clock may be ahead of the time that went by since the last look.
const AHEAD_MAX: Duration = Duration::from_secs(24 * 3600);

/// How far it may be ahead of what was kept last, when the registry starts.
const AWAY_MAX: Duration = Duration::from_secs(30 * 24 * 3600);

/// The machine's clock, looked at now and then.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// When it was believed last, and from when on it may be.
    last: Option<Moment>,
}

impl Clock {
    /// Whether what is due by the machine's clock is due. `kept` says when something was kept last,
    /// and is asked at the first look only.
    pub(super) fn is_believed(
        &mut self,
        at: Moment,
        kept: impl FnOnce() -> Option<UnixMillis>,
    ) -> bool {
        let last = *self.last.get_or_insert_with(|| {
            let away = later(kept().unwrap_or(at.time), AWAY_MAX - AHEAD_MAX);
            let (now, time) = (at.now, at.time.min(away));
            Moment { now, time }
        });
        let passed = at.now.saturating_duration_since(last.now);
        let believed = at.time <= later(last.time, passed.saturating_add(AHEAD_MAX));
        if believed {
            self.last = Some(at);
        }
        believed
    }
}

fn later(time: UnixMillis, by: Duration) -> UnixMillis {
    time.saturating_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::store::{MemoryStore, Store, conformance::claim};

    const DAY: Duration = Duration::from_secs(24 * 3600);
    const BEGIN: UnixMillis = 1_800_000_000_000;

    #[test]
    fn a_clock_that_jumps_ahead_is_not_believed_until_it_is_right_again() {
        let (mut clock, start) = (Clock::default(), Instant::now());
        let mut look = |passed: Duration, says: Duration| {
            let (now, time) = (start + passed, later(BEGIN, says));
            clock.is_believed(Moment { now, time }, || None)
        };
        assert!(look(Duration::ZERO, Duration::ZERO));
        assert!(look(DAY * 200, DAY * 200));
        assert!(look(DAY * 200, DAY * 201), "a machine that slept");
        let jumped = DAY * 203;
        assert!(!look(DAY * 200, jumped));
        assert!(!look(DAY * 201, jumped + DAY), "however long it says so");
        assert!(look(DAY * 201, DAY * 202));
        assert!(look(DAY * 202, DAY * 100), "names are freed later then");
    }

    #[test]
    fn at_the_start_a_clock_is_believed_that_is_at_most_30_days_ahead_of_what_was_kept() {
        let now = Instant::now();
        for (days, believed) in [(0, true), (30, true), (31, false), (400, false)] {
            let time = later(BEGIN, DAY * days);
            let mut clock = Clock::default();
            for _ in 0..2 {
                let look = clock.is_believed(Moment { now, time }, || Some(BEGIN));
                assert_eq!(look, believed, "{days}");
            }
            assert!(Clock::default().is_believed(Moment { now, time }, || None));
        }
    }

    #[tokio::test]
    async fn a_jump_of_the_clock_frees_no_name_that_is_not_in_use() {
        let (store, now) = (MemoryStore::new(10), Instant::now());
        let at = |passed: Duration, says: Duration| Moment {
            now: now + passed,
            time: later(BEGIN, says),
        };
        let begin = at(Duration::ZERO, Duration::ZERO);
        store.register(claim("bob", 1, 1), begin).await.unwrap();
        assert_eq!(store.expire(at(DAY, DAY)).len(), 1);
        store.expire(at(DAY, DAY * 400));
        store.expire(at(DAY * 2, DAY * 401));
        assert_eq!(store.owners("", 9).1, 1);
        // Nor does a claim of another.
        let other = claim("alice", 2, 1);
        store.register(other, at(DAY, DAY * 400)).await.unwrap();
        assert_eq!(store.owners("", 9).1, 2);
        store.expire(at(DAY * 200, DAY * 200));
        assert_eq!(store.owners("bob", 9).0, []);
    }
}
