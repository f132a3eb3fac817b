//! Steers the delay to where it is to be: tells when sound is to be made shorter or longer.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::{SAMPLE_RATE, micros};

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

/// Sound is made shorter where it waits so much longer than it is to; what is less is made up for
/// by its speed ([`super::drift`]) ...
const ABOVE: Duration = Duration::from_millis(5);

/// ... and longer where it waits so much less.
const BELOW: Duration = Duration::from_millis(5);

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
    /// Sound that is played next has waited so many microseconds; the least of late.
    pub fn look(&mut self, waits: i64, now: Instant) -> i64 {
        let is_old = |at: Instant| now.saturating_duration_since(at) > LOOK;
        while self.looks.front().is_some_and(|&(at, _)| is_old(at)) || self.looks.len() == LOOKS_MAX
        {
            self.looks.pop_front();
        }
        self.looks.push_back((now, waits));
        self.least()
    }

    fn least(&self) -> i64 {
        let all = self.looks.iter().map(|&(_, waits)| waits);
        all.min().unwrap_or(0)
    }

    /// What is to be done with it, if it is to wait for `goal`, in microseconds.
    #[must_use]
    pub fn steer(&self, goal: i64, now: Instant) -> Stretch {
        let rests = |at: Instant| now.saturating_duration_since(at) < APART;
        if self.changed.is_some_and(rests) {
            return Stretch::Keep;
        }
        let since = self.looks.front().map_or(now, |&(at, _)| at);
        let above = self.least().saturating_sub(goal);
        let calm = -micros(URGENT_BELOW)..=micros(URGENT_ABOVE);
        let when = if calm.contains(&above) {
            When::InSilence
        } else {
            When::Now
        };
        let piece = Piece {
            when,
            samples: samples(above.saturating_abs().min(PIECE_MAX)),
        };
        if above < -micros(BELOW) {
            Stretch::Lengthen(piece)
        } else if above > micros(ABOVE) && now.saturating_duration_since(since) >= LOOK_MIN {
            Stretch::Shorten(piece)
        } else {
            Stretch::Keep
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: Duration = Duration::from_millis(1);

    /// Where sound is to wait, in microseconds.
    const GOAL: i64 = 30_000;

    /// A second, in which sound waits for so many ms at each 10 ms; what was to be done.
    fn second(waits: impl Fn(u32) -> i64) -> Vec<Stretch> {
        let (mut steering, origin) = (Steering::default(), Instant::now());
        let looks = (0..100).map(|n| {
            let now = origin + MILLI * 10 * n;
            steering.look(waits(n) * 1_000, now);
            steering.steer(GOAL, now)
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
    fn the_delay_is_kept_within_a_few_milliseconds_of_where_it_is_to_be() {
        for waits in [25, 30, 35] {
            assert!(second(|_| waits).iter().all(|&it| it == Stretch::Keep));
        }
        let all = |waits: i64, expected: (bool, When, u32)| {
            let looks = second(|_| waits);
            let same = |&it: &Stretch| when(it) == Some(expected);
            assert!(looks[10..].iter().all(same), "{waits}");
            looks[0]
        };
        let at_once = all(24, (true, When::InSilence, 6 * 48));
        assert_ne!(at_once, Stretch::Keep);
        assert_ne!(all(14, (true, When::Now, 480)), Stretch::Keep);
        assert_eq!(all(36, (false, When::InSilence, 6 * 48)), Stretch::Keep);
        assert_eq!(all(91, (false, When::Now, 480)), Stretch::Keep);
    }

    #[test]
    fn the_least_counts_where_the_device_asks_unevenly() {
        let uneven = second(|n| 29 + i64::from(n % 20) * 2);
        assert!(uneven.iter().skip(20).all(|&it| it == Stretch::Keep));
        let one_early = second(|n| if n == 50 { 20 } else { 32 });
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
            steering.look(waits, now);
            if let Stretch::Shorten(piece) = steering.steer(GOAL, now) {
                let micros = i64::from(piece.samples) * 1_000 / 48;
                waits -= micros;
                steering.changed(-micros, now);
                pieces.push((n, piece.samples));
            }
        }
        let expected = [(10, 480), (14, 480), (18, 480), (22, 480), (26, 480)];
        assert_eq!(pieces, expected);
        assert_eq!(waits, 30_000);
        steering.forget();
        let now = origin + MILLI * 990;
        assert_eq!(steering.look(0, now), 0);
        assert_eq!(
            when(steering.steer(GOAL, now)),
            Some((true, When::Now, 480))
        );
    }
}
