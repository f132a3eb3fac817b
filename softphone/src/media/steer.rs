//! Steers the delay to where it is to be: tells when sound is to be made shorter or longer.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// What is to be done with the sound that is played next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stretch {
    /// Nothing.
    Keep,
    /// A piece of at most 10 ms is to be left out.
    Shorten(When),
    /// A piece of at most 10 ms is to be put in.
    Lengthen(When),
}

/// How soon that is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Now.
    Now,
    /// When nobody speaks: a voice that is left alone is a better voice.
    InSilence,
}

/// The device may ask a little early or late: the least of this time counts.
const LOOK: Duration = Duration::from_millis(300);

/// Of so much at least, before sound is made shorter.
const LOOK_MIN: Duration = Duration::from_millis(100);

/// Sound is made shorter from this much above the target on: no piece is longer.
const ABOVE: Duration = Duration::from_millis(10);

/// And longer from this much below it on.
const BELOW: Duration = Duration::from_millis(5);

/// As long as it is not this much above, it can wait for silence: it is only delay ...
const URGENT_ABOVE: Duration = Duration::from_millis(60);

/// ... or this much below, where sound is lost.
const URGENT_BELOW: Duration = Duration::from_millis(15);

/// From one piece to the next: a voice that changes faster is heard to.
const APART: Duration = Duration::from_millis(40);

/// The most looks: one every 10 ms, and a few more.
const LOOKS_MAX: usize = 64;

/// Remembers the last looks.
#[derive(Debug, Default)]
pub struct Steering {
    /// When sound was played, and how long it had waited, in microseconds.
    looks: VecDeque<(Instant, i64)>,
    changed: Option<Instant>,
}

impl Steering {
    /// Sound that is played `now` has waited so many microseconds, and is to wait for `target`.
    pub fn look(&mut self, waits: i64, target: Duration, now: Instant) -> Stretch {
        let is_old = |at: Instant| now.saturating_duration_since(at) > LOOK;
        while self.looks.front().is_some_and(|&(at, _)| is_old(at)) || self.looks.len() == LOOKS_MAX
        {
            self.looks.pop_front();
        }
        self.looks.push_back((now, waits));
        let rests = |at: Instant| now.saturating_duration_since(at) < APART;
        if self.changed.is_some_and(rests) {
            return Stretch::Keep;
        }
        let least = self.least().unwrap_or(waits);
        let since = self.looks.front().map_or(now, |&(at, _)| at);
        let above = least - micros(target);
        let calm = -micros(URGENT_BELOW)..=micros(URGENT_ABOVE);
        let when = if calm.contains(&above) {
            When::InSilence
        } else {
            When::Now
        };
        if above < -micros(BELOW) {
            Stretch::Lengthen(when)
        } else if above > micros(ABOVE) && now.saturating_duration_since(since) >= LOOK_MIN {
            Stretch::Shorten(when)
        } else {
            Stretch::Keep
        }
    }

    /// The least that sound has waited of late, in microseconds; `None` before it was looked.
    #[must_use]
    pub fn least(&self) -> Option<i64> {
        self.looks.iter().map(|&(_, waits)| waits).min()
    }

    /// Sound that is played from `now` on waits for so many microseconds more, or less.
    pub fn changed(&mut self, by: i64, now: Instant) {
        self.changed = Some(now);
        for (_, waits) in &mut self.looks {
            *waits += by;
        }
    }

    /// What was seen tells nothing of what comes.
    pub fn forget(&mut self) {
        self.looks.clear();
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: Duration = Duration::from_millis(1);
    const TARGET: Duration = Duration::from_millis(30);

    /// A second, in which sound waits for so many ms at each 10 ms; what was to be done.
    fn second(waits: impl Fn(u32) -> i64) -> Vec<Stretch> {
        let (mut steering, origin) = (Steering::default(), Instant::now());
        let looks = (0..100).map(|n| {
            let waits = waits(n) * 1_000;
            steering.look(waits, TARGET, origin + MILLI * 10 * n)
        });
        looks.collect()
    }

    #[test]
    fn the_delay_is_kept_within_a_few_milliseconds_of_the_target() {
        assert!(second(|_| 25).iter().all(|&it| it == Stretch::Keep));
        assert!(second(|_| 40).iter().all(|&it| it == Stretch::Keep));
        let all = |waits: i64, expected: Stretch| {
            let looks = second(|_| waits);
            assert!(looks[10..].iter().all(|&it| it == expected), "{waits}");
            looks[0]
        };
        assert_ne!(all(24, Stretch::Lengthen(When::InSilence)), Stretch::Keep);
        assert_ne!(all(14, Stretch::Lengthen(When::Now)), Stretch::Keep);
        assert_eq!(all(41, Stretch::Shorten(When::InSilence)), Stretch::Keep);
        assert_eq!(all(91, Stretch::Shorten(When::Now)), Stretch::Keep);
    }

    #[test]
    fn the_least_counts_where_the_device_asks_unevenly() {
        let uneven = second(|n| 30 + i64::from(n % 20) * 2);
        assert!(uneven.iter().skip(20).all(|&it| it == Stretch::Keep));
        let one_early = second(|n| if n == 50 { 20 } else { 34 });
        let lengthens = one_early.iter().filter(|&&it| it != Stretch::Keep);
        assert_eq!(lengthens.count(), 31);
    }

    #[test]
    fn pieces_are_apart_and_what_they_changed_is_known_at_once() {
        let (mut steering, origin) = (Steering::default(), Instant::now());
        let mut waits: i64 = 80_000;
        let mut pieces = Vec::new();
        for n in 0..100 {
            let now = origin + MILLI * 10 * n;
            if let Stretch::Shorten(_) = steering.look(waits, TARGET, now) {
                waits -= 6_000;
                steering.changed(-6_000, now);
                pieces.push(n);
            }
        }
        assert_eq!(pieces, [10, 14, 18, 22, 26, 30, 34]);
        assert_eq!(waits, 38_000);
        steering.forget();
        let looked = steering.look(0, TARGET, origin + MILLI * 990);
        assert_eq!(looked, Stretch::Lengthen(When::Now));
    }
}
