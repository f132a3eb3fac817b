//! Steers the delay to where it is to be: tells when sound is to be made shorter or longer.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::SAMPLE_RATE;

/// What is to be done with the sound that is played next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stretch {
    /// Nothing.
    Keep,
    /// A piece is to be left out.
    Shorten(Piece),
    /// A piece is to be put in.
    Lengthen(Piece),
}

/// A piece of sound, of at most 10 ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// How soon it is to be found.
    pub when: When,
    /// How long it would be best, in samples; one of another length will do in a voice.
    pub samples: u32,
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

/// Where sound is to wait, above the target: the device asks a little unevenly, and clocks drift
/// ([`super::drift`]).
pub(super) const GOAL: Duration = Duration::from_millis(2);

/// Sound is made shorter from this much above the target on ...
const ABOVE: Duration = Duration::from_millis(6);

/// ... and longer from this much below it on.
const BELOW: Duration = Duration::from_millis(3);

/// The longest piece, in microseconds.
const PIECE_MAX: i64 = 10_000;

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
        let piece = Piece {
            when,
            samples: samples((above - micros(GOAL)).abs().min(PIECE_MAX)),
        };
        if above < -micros(BELOW) {
            Stretch::Lengthen(piece)
        } else if above > micros(ABOVE) && now.saturating_duration_since(since) >= LOOK_MIN {
            Stretch::Shorten(piece)
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

/// How many samples so many microseconds are, which are a few thousand.
fn samples(micros: i64) -> u32 {
    let samples = micros * i64::from(SAMPLE_RATE) / 1_000_000;
    u32::try_from(samples).unwrap_or(0)
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

    /// What was to be done, in words that compare: how soon, and how long a piece.
    fn when(stretch: Stretch) -> Option<(bool, When, u32)> {
        match stretch {
            Stretch::Keep => None,
            Stretch::Shorten(piece) => Some((false, piece.when, piece.samples)),
            Stretch::Lengthen(piece) => Some((true, piece.when, piece.samples)),
        }
    }

    #[test]
    fn the_delay_is_kept_within_a_few_milliseconds_of_the_target() {
        for waits in [27, 32, 36] {
            assert!(second(|_| waits).iter().all(|&it| it == Stretch::Keep));
        }
        let all = |waits: i64, expected: (bool, When, u32)| {
            let looks = second(|_| waits);
            let same = |&it: &Stretch| when(it) == Some(expected);
            assert!(looks[10..].iter().all(same), "{waits}");
            looks[0]
        };
        let at_once = all(26, (true, When::InSilence, 6 * 48));
        assert_ne!(at_once, Stretch::Keep);
        assert_ne!(all(14, (true, When::Now, 480)), Stretch::Keep);
        assert_eq!(all(37, (false, When::InSilence, 5 * 48)), Stretch::Keep);
        assert_eq!(all(91, (false, When::Now, 480)), Stretch::Keep);
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
            if let Stretch::Shorten(piece) = steering.look(waits, TARGET, now) {
                let micros = i64::from(piece.samples) * 1_000 / 48;
                waits -= micros;
                steering.changed(-micros, now);
                pieces.push((n, piece.samples));
            }
        }
        let expected = [(10, 480), (14, 480), (18, 480), (22, 480), (26, 384)];
        assert_eq!(pieces, expected);
        assert_eq!(waits, 32_000);
        steering.forget();
        let looked = steering.look(0, TARGET, origin + MILLI * 990);
        assert_eq!(when(looked), Some((true, When::Now, 480)));
    }
}
