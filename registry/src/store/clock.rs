//! What time it is for what outlives the program, and whether the machine's clock is believed.
//!
//! PURE. A clock that jumps ahead would free at once every name that is not in use, which nobody
//! gets back, and end the time in which a stolen name can be taken back; one that is too slow does
//! both later. So what it jumps ahead is bounded, and beyond that time goes on as if it had not.

use std::time::Duration;

use codec::UnixMillis;

use crate::store::Moment;

/// How far the machine's clock may jump ahead of the time that goes by: a machine that sleeps does.
/// What it has jumped counts until as much time has gone by.
const AHEAD_MAX: Duration = Duration::from_secs(24 * 3600);

/// What happens in less than this is no jump.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How far it may be ahead of what was kept last, when the registry starts.
const AWAY_MAX: Duration = Duration::from_secs(30 * 24 * 3600);

/// The machine's clock, looked at now and then.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// When it was believed last, and from when on it may be.
    last: Option<Believed>,
}

#[derive(Debug, Clone, Copy)]
struct Believed {
    at: Moment,
    /// How far it has jumped lately.
    jumped: Duration,
}

/// What a look at the clock has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    /// The moment, with the time that counts.
    pub(super) at: Moment,
    /// That is not what the machine's clock says.
    pub(super) doubted: bool,
}

impl Clock {
    /// What time it is. `kept` says when something was kept last, and is asked at the first look
    /// only.
    pub(super) fn look(&mut self, at: Moment, kept: impl FnOnce() -> Option<UnixMillis>) -> Look {
        let last = *self.last.get_or_insert_with(|| {
            let away = later(kept().unwrap_or(at.time), AWAY_MAX - AHEAD_MAX);
            let (now, time) = (at.now, at.time.min(away));
            Believed {
                at: Moment { now, time },
                jumped: Duration::ZERO,
            }
        });
        let passed = at.now.saturating_duration_since(last.at.now);
        let due = later(last.at.time, passed);
        let ahead = Duration::from_millis(at.time.saturating_sub(due));
        if passed < LOOK_EVERY && ahead < LOOK_EVERY {
            // Times are rounded, and of thousands of looks a second each would seem a jump.
            return Look { at, doubted: false };
        }
        let jumped = last.jumped.saturating_sub(passed).saturating_add(ahead);
        if jumped > AHEAD_MAX {
            let at = Moment { time: due, ..at };
            return Look { at, doubted: true };
        }
        self.last = Some(Believed { at, jumped });
        Look { at, doubted: false }
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
            let look = clock.look(Moment { now, time }, || None);
            assert!(look.doubted || look.at.time == time);
            !look.doubted
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
    fn many_small_jumps_are_one_and_time_goes_on_as_if_there_had_been_none() {
        let (mut clock, start) = (Clock::default(), Instant::now());
        let hour = Duration::from_secs(3600);
        let mut look = |passed: Duration, says: Duration| {
            let (now, time) = (start + passed, later(BEGIN, says));
            clock.look(Moment { now, time }, || None)
        };
        look(Duration::ZERO, Duration::ZERO);
        assert!(!look(hour, hour * 13).doubted);
        // An hour has gone by since those 12.
        assert!(!look(hour * 2, hour * 27).doubted);
        let third = look(hour * 2, hour * 40);
        assert_eq!(
            (third.doubted, third.at.time),
            (true, later(BEGIN, hour * 27))
        );
        let later_on = look(hour * 5, hour * 43);
        assert_eq!(later_on.at.time, later(BEGIN, hour * 30));
        // A machine that sleeps every night is believed every morning.
        for day in 3..30 {
            let (awake, says) = (hour * (12 * day), hour * (24 * day));
            assert!(!look(awake, says).doubted, "{day}");
        }
    }

    #[test]
    fn many_looks_at_a_clock_that_is_right_are_no_jump() {
        let (mut clock, start) = (Clock::default(), Instant::now());
        for tenths_ms in 0..100_000 {
            let (now, time) = (
                start + Duration::from_micros(100) * tenths_ms,
                later(BEGIN, Duration::from_micros(100) * tenths_ms),
            );
            assert!(!clock.look(Moment { now, time }, || None).doubted);
        }
        let jumped = clock.last.unwrap().jumped;
        assert!(jumped < Duration::from_millis(20), "{jumped:?}");
    }

    #[test]
    fn at_the_start_a_clock_is_believed_that_is_at_most_30_days_ahead_of_what_was_kept() {
        let now = Instant::now();
        for (days, believed) in [(0, true), (30, true), (31, false), (400, false)] {
            let time = later(BEGIN, DAY * days);
            let mut clock = Clock::default();
            for _ in 0..2 {
                let look = clock.look(Moment { now, time }, || Some(BEGIN));
                assert_eq!(!look.doubted, believed, "{days}");
            }
            let first = Clock::default().look(Moment { now, time }, || None);
            assert!(!first.doubted);
        }
    }

    #[tokio::test]
    async fn a_jump_of_the_clock_does_not_end_the_time_in_which_a_stolen_name_is_taken_back() {
        let (store, now) = (MemoryStore::new(10), Instant::now());
        let at = |passed: Duration, says: Duration| Moment {
            now: now + passed,
            time: later(BEGIN, says),
        };
        let owned = claim("bob", 1, 1);
        let (name, owner) = (owned.name.clone(), owned.card.identity);
        let begin = at(Duration::ZERO, Duration::ZERO);
        store.register(owned, begin).await.unwrap();
        store.release(name, owner, begin).await.unwrap();
        // 72 h: the machine says they are over, and they are not.
        let jumped = at(DAY, DAY * 5);
        let refused = store.register(claim("bob", 2, 1), jumped).await;
        assert!(refused.is_err(), "{refused:?}");
        let over = at(DAY * 4, DAY * 4);
        store.register(claim("bob", 2, 2), over).await.unwrap();
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
