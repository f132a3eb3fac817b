//! Clocks that drift apart: how much faster, or slower, sound is to be played than it comes.
//!
//! The sender's sound card counts 48,000 samples in what it takes for a second, the loudspeaker's
//! in another, and so ever more sound waits, or ever less. How fast that grows is told from how
//! long sound waits, and its speed makes up for it: nothing is left out or played twice, and sound
//! waits for as long as it is to. What [`super::steer`] does at one stroke is no drift, and counts
//! as what it is.
//!
//! It is an observer of second order (after Luenberger): it expects sound to wait for what it
//! waited, changed by the drift and by the speed that it told; what is found otherwise corrects
//! both the wait and the drift, in proportion.

/// From one look to the next: a frame is played.
const STEP_S: f64 = 0.01;

/// How fast what was expected wrongly is corrected, per second: both poles of the observer. An
/// error of the drift falls to a tenth in a minute; what lasts for seconds is no drift yet.
const POLE: f64 = 1.0 / 16.0;

/// At first what is known is worth less: the poles are so much over the seconds of what was seen.
/// That is as fast as a straight line through all of it is found.
const SEEN: f64 = 2.0;

/// And what is very wrong is another card: of an error of half a millisecond and more the poles are
/// the error over this, per second.
const WRONG_MICROS: f64 = 8_000.0;

/// How much faster to play for each microsecond that sound waits too long, per second.
const CORRECTS: f64 = 1.0 / 8.0;

/// The most by which sound is played slower or faster than it drifts, in ppm: a cent, which nobody
/// hears.
const CORRECTS_PPM_MAX: f64 = 600.0;

/// The most that two sound cards drift apart, in ppm. Common ones are within 100 of the truth.
const DRIFT_PPM_MAX: f64 = 700.0;

/// What differs by so much from what was expected, in microseconds, is a step: the network's path
/// is another, packets were dropped. No drift comes so far before it is known.
const STEP_MICROS: f64 = 2_500.0;

/// After a step, and at the beginning, it takes so many looks until it is known how long sound
/// waits: 2 s, in which nothing is made up for but the drift that is known already.
const LOOKS_MIN: u32 = 200;

/// The fastest packet, by which it is told how long sound waits, may be so old, in seconds: sound
/// of a slow clock then waits less than it seems.
const FASTEST_S: f64 = 5.0;

/// The fastest, and the slowest, that is ever told, in ppm.
pub const SPEED_PPM_MAX: f64 = CORRECTS_PPM_MAX + DRIFT_PPM_MAX;

/// Sums up how the wait of sound changes.
#[derive(Debug, Default)]
pub struct Drift {
    /// `None` until something is known, and after a step.
    wait: Option<Wait>,
    /// How much faster the sender's clock is than the loudspeaker's, in ppm.
    drift: f64,
    /// How much faster sound is played, in ppm.
    speed: f64,
    /// Looks that the drift is known from.
    looks: u32,
}

#[derive(Debug, Clone, Copy)]
struct Wait {
    /// How long sound is believed to wait, in microseconds.
    micros: f64,
    looks: u32,
}

impl Drift {
    /// Sound that is played next, a frame of it, waits at least for so many microseconds, and is to
    /// wait for `goal`. To be called for each frame.
    pub fn look(&mut self, waits: i64, goal: i64) {
        // Exact up to 285 years.
        let found = waits as f64;
        let wait = match self.wait {
            Some(wait) if (found - wait.micros).abs() < STEP_MICROS => self.observe(wait, found),
            _ => Wait {
                micros: found,
                looks: 0,
            },
        };
        self.wait = Some(wait);
        self.speed = self.drift;
        if wait.looks >= LOOKS_MIN {
            let above = wait.micros - goal as f64 - self.drift.abs() * FASTEST_S;
            self.speed += (above * CORRECTS).clamp(-CORRECTS_PPM_MAX, CORRECTS_PPM_MAX);
        }
    }

    fn observe(&mut self, wait: Wait, found: f64) -> Wait {
        let error = found - wait.micros;
        let is_known = wait.looks >= LOOKS_MIN;
        let seen = f64::from(self.looks + LOOKS_MIN) * STEP_S;
        let pole = POLE.max(SEEN / seen).max(error.abs() / WRONG_MICROS);
        if is_known {
            self.looks = self.looks.saturating_add(1);
            self.drift += pole * pole * error * STEP_S;
            self.drift = self.drift.clamp(-DRIFT_PPM_MAX, DRIFT_PPM_MAX);
        }
        let expected = wait.micros + (self.drift - self.speed) * STEP_S;
        Wait {
            micros: if is_known {
                expected + 2.0 * pole * error * STEP_S
            } else {
                found
            },
            looks: wait.looks.saturating_add(1),
        }
    }

    /// Sound that is played next waits for so many microseconds more, or less: some was put in, or
    /// left out.
    pub fn changed(&mut self, by: i64) {
        if let Some(wait) = &mut self.wait {
            // Exact: it is less than a packet.
            wait.micros += by as f64;
        }
    }

    /// How long sound has waited tells nothing of what comes. The clocks are the same.
    pub fn forget(&mut self) {
        self.wait = None;
    }

    /// By how much the clocks drift apart, as far as that is known, in ppm.
    pub(super) fn drift_ppm(&self) -> f64 {
        self.drift
    }

    /// How much faster than it comes sound is to be played from now on, in ppm, at most
    /// [`SPEED_PPM_MAX`]: less than nothing for slower, zero before anything is known.
    #[must_use]
    pub fn speed_ppm(&self) -> f64 {
        self.speed
    }
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation, reason = "microseconds are rounded")]
mod tests {
    use super::*;

    /// Where sound is to wait, in microseconds.
    const GOAL: i64 = 15_000;

    /// A buffer that becomes fuller by so many ppm, played at the speed that is told.
    struct Buffer {
        drift: Drift,
        waits: f64,
        ppm: f64,
    }

    impl Buffer {
        fn new(ppm: f64) -> Self {
            Self {
                drift: Drift::default(),
                waits: GOAL as f64,
                ppm,
            }
        }

        /// Plays for so many seconds: the least and the most that sound waited.
        fn play(&mut self, seconds: u32) -> [f64; 2] {
            let mut within = [self.waits; 2];
            for _ in 0..seconds * 100 {
                self.drift.look(self.waits.round() as i64, GOAL);
                self.waits += (self.ppm - self.drift.speed_ppm()) * STEP_S;
                within = [within[0].min(self.waits), within[1].max(self.waits)];
            }
            within
        }

        fn change(&mut self, by: i64) {
            self.waits += by as f64;
            self.drift.changed(by);
        }
    }

    fn near(found: f64, expected: f64, by: f64) {
        assert!((found - expected).abs() < by, "{found}, not {expected}");
    }

    #[test]
    fn any_two_cards_are_told_in_half_a_minute_and_sound_waits_as_it_did() {
        for ppm in [-600.0, -300.0, -40.0, 0.0, 40.0, 300.0, 600.0] {
            let mut buffer = Buffer::new(ppm);
            for waited in buffer.play(30) {
                near(waited, GOAL as f64, 5_000.0);
            }
            near(buffer.drift.speed_ppm(), ppm, 60.0);
            buffer.play(300);
            near(buffer.drift.speed_ppm(), ppm, 0.5);
            near(buffer.waits, GOAL as f64 + ppm.abs() * FASTEST_S, 10.0);
        }
    }

    #[test]
    fn what_is_put_in_or_left_out_and_what_is_dropped_is_no_drift() {
        let mut buffer = Buffer::new(-200.0);
        buffer.play(120);
        for n in 0..100 {
            buffer.change(if n % 3 == 0 { 10_000 } else { -5_000 });
            buffer.play(1);
            // A packet more, or fewer, that nobody told of.
            buffer.waits += if n % 2 == 0 { 20_000.0 } else { -20_000.0 };
            buffer.play(1);
            near(buffer.drift.drift, -200.0, 5.0);
        }
        buffer.drift.forget();
        buffer.waits = GOAL as f64;
        buffer.play(1);
        near(buffer.drift.speed_ppm(), -200.0, 30.0);
    }

    #[test]
    fn another_target_is_reached_within_half_a_cent_and_is_no_drift() {
        let mut buffer = Buffer::new(100.0);
        buffer.play(120);
        buffer.waits += 4_000.0;
        buffer.drift.changed(4_000);
        buffer.play(3);
        let speed = buffer.drift.speed_ppm();
        assert!((400.0..=702.0).contains(&speed), "{speed}");
        near(buffer.drift.drift, 100.0, 2.0);
        buffer.play(60);
        near(buffer.waits, GOAL as f64 + 500.0, 100.0);
    }

    #[test]
    fn a_drift_that_no_card_has_is_not_followed_to_its_end() {
        for ppm in [-1e5, 1e5, 5_000.0, -5_000.0] {
            let mut buffer = Buffer::new(ppm);
            buffer.play(60);
            assert!(buffer.drift.speed_ppm().abs() <= SPEED_PPM_MAX);
        }
        let mut drift = Drift::default();
        for waits in [i64::MIN, i64::MAX, 0, i64::MAX] {
            drift.look(waits, i64::MAX);
            assert!(drift.speed_ppm().abs() <= SPEED_PPM_MAX);
        }
    }

    #[test]
    fn after_days_it_is_as_it_was() {
        let mut buffer = Buffer::new(123.0);
        buffer.play(300);
        let before = buffer.waits;
        buffer.play(86_400);
        near(buffer.waits, before, 10.0);
        near(buffer.drift.speed_ppm(), 123.0, 0.5);
    }
}
