//! Plays sound a little faster or slower, as clocks that drift apart want it: by interpolation.

use rubato::{
    Adjustable as _, Async, FixedAsync, Resampler as _, SincInterpolationParameters,
    SincInterpolationType, WindowFunction, audioadapter_buffers::direct::InterleavedSlice,
};

use crate::media::{FRAME_SAMPLES, Frame, SILENCE, drift::SPEED_PPM_MAX};

/// Taps of the filter. Up to 18 kHz it is flat, and mirrors are 90 dB down.
const TAPS: usize = 32;

/// Points between two samples for which there is a filter; between them it is linear.
const POINTS: usize = 256;

/// What it holds back, in samples: 0.3 ms.
pub(super) const HELD_SAMPLES: u32 = 16;

/// Makes frames of somewhat more, or fewer, samples than are in one. At its own speed every sample
/// goes through as it is.
pub(super) struct Varispeed {
    sinc: Async<f32>,
    ppm: f64,
}

impl Varispeed {
    pub(super) fn new() -> Self {
        let filter = SincInterpolationParameters::new(TAPS, WindowFunction::BlackmanHarris)
            // Nothing is to be cut off: as many samples come out, but for a thousandth.
            .f_cutoff(1.0)
            .oversampling_factor(POINTS)
            .interpolation(SincInterpolationType::Linear);
        let most = 1.0 + 2.0 * SPEED_PPM_MAX / 1e6;
        let sinc = Async::new_sinc(1.0, most, &filter, FRAME_SAMPLES, 1, FixedAsync::Output);
        let mut new = Self {
            sinc: sinc.expect("a ratio of one, and buffers of a frame"),
            ppm: 0.0,
        };
        new.fill();
        new
    }

    /// How many samples the next frame takes: 479 to 481.
    pub(super) fn wants(&self) -> usize {
        self.sinc.input_frames_next()
    }

    /// The next frame, of [`Varispeed::wants`] samples. After it sound is played so much faster, in
    /// ppm, at most [`SPEED_PPM_MAX`]: it moves there within a frame.
    pub(super) fn play(&mut self, sound: &[f32], ppm: f64) -> Frame {
        let mut frame = SILENCE;
        let sized = "one channel, and as many frames as samples";
        let from = InterleavedSlice::new(sound, 1, sound.len()).expect(sized);
        let mut to = InterleavedSlice::new_mut(&mut frame, 1, FRAME_SAMPLES).expect(sized);
        self.sinc
            .process_into_buffer(&from, &mut to, None)
            .expect("there is as much as was asked for");
        self.ppm = ppm.clamp(-SPEED_PPM_MAX, SPEED_PPM_MAX);
        self.sinc
            .set_resample_ratio(1.0 / (1.0 + self.ppm / 1e6), true)
            .expect("a speed within its bounds");
        frame
    }

    /// How much faster it plays, in ppm.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "it is at most SPEED_PPM_MAX"
    )]
    pub(super) fn ppm(&self) -> i32 {
        self.ppm.round() as i32
    }

    /// Throws away what it holds back; the speed stays.
    pub(super) fn clear(&mut self) {
        self.sinc.reset();
        self.fill();
    }

    /// Begins behind silence, so that a frame takes no more than a frame.
    fn fill(&mut self) {
        let silence = [0.0; FRAME_SAMPLES + TAPS];
        let wants = self.wants();
        self.play(&silence[..wants], self.ppm);
    }
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation, reason = "samples are rounded")]
mod tests {
    use std::f64::consts::TAU;

    use assert_no_alloc::assert_no_alloc;

    use super::*;

    /// A tone of amplitude 0.5 at a time in samples, which need not be whole.
    fn tone(hertz: f64, at: f64) -> f64 {
        0.5 * (at / 48_000.0 * hertz * TAU).sin()
    }

    /// What comes out of a tone, and where in it each sample should have been, if the speed is so
    /// many ppm at each frame.
    fn played(hertz: f64, frames: u32, ppm: impl Fn(u32) -> f64) -> (Vec<f32>, Vec<f64>) {
        let mut varispeed = Varispeed::new();
        let (mut taken, mut at) = (0, -f64::from(HELD_SAMPLES) - 1.0);
        let (mut out, mut places) = (Vec::new(), Vec::new());
        let mut before = 0.0;
        for n in 0..frames {
            let wants = varispeed.wants();
            assert!((479..=481).contains(&wants), "{wants} samples");
            let sound: Vec<f32> = (taken..taken + wants)
                .map(|n| tone(hertz, n as f64) as f32)
                .collect();
            taken += wants;
            let next = ppm(n);
            // Room for what it takes now is there: the speed is moved in a callback's place.
            out.extend(assert_no_alloc(|| varispeed.play(&sound, next)));
            let speed = ppm(n.saturating_sub(1)) * f64::from(u8::from(n > 0));
            for step in 0..FRAME_SAMPLES {
                let share = (step as f64 + 1.0) / FRAME_SAMPLES as f64;
                at += 1.0 + (before + (speed - before) * share) / 1e6;
                places.push(at);
            }
            before = speed;
        }
        (out, places)
    }

    /// The speed at each frame, in ppm.
    type Speed = fn(u32) -> f64;

    #[test]
    fn a_tone_stays_what_it_is_at_any_speed_and_while_that_changes() {
        let speeds: [(&str, Speed); 5] = [
            ("own", |_| 0.0),
            ("faster", |_| 300.0),
            ("slower", |_| -300.0),
            ("moving", |n| 600.0 * (f64::from(n) / 30.0).sin()),
            ("jumping", |n| if n % 20 < 10 { -900.0 } else { 900.0 }),
        ];
        for hertz in [1_000.0, 7_000.0, 15_000.0] {
            for (what, ppm) in speeds {
                let (out, places) = played(hertz, 400, ppm);
                // All but a level and a delay, which are the same for all of it, is wrong.
                let settled = || out.iter().zip(&places).skip(FRAME_SAMPLES);
                let along = |quarters: f64| {
                    let at_most = |&at: &f64| 2.0 * tone(hertz, at + quarters * 12_000.0 / hertz);
                    let sum: f64 = settled()
                        .map(|(&out, at)| f64::from(out) * at_most(at))
                        .sum();
                    sum * 2.0 / settled().count() as f64
                };
                let (sine, cosine) = (along(0.0), along(1.0));
                let (level, delay) = (
                    sine.hypot(cosine),
                    cosine.atan2(sine) / TAU * 48_000.0 / hertz,
                );
                let wrong = |(&out, at): (&f32, &f64)| {
                    (f64::from(out) - 2.0 * level * tone(hertz, at + delay)).powi(2)
                };
                let rest = settled().map(wrong).sum::<f64>() / settled().count() as f64;
                let decibels = 10.0 * (level * level / 2.0 / rest).log10();
                assert!(decibels > 80.0, "{hertz} Hz, {what}: {decibels:.1} dB");
                assert!((level - 0.5).abs() < 1e-4, "{hertz} Hz, {what}: {level}");
                assert!(delay.abs() < 0.01, "{hertz} Hz, {what}: {delay} samples");
            }
        }
    }

    #[test]
    fn at_its_own_speed_sound_is_what_it_was_a_moment_later() {
        let (out, _) = played(440.0, 10, |_| 0.0);
        for (n, &out) in out.iter().enumerate().skip(2 * TAPS) {
            let expected = tone(440.0, n as f64 - f64::from(HELD_SAMPLES));
            assert!(
                (f64::from(out) - expected).abs() < 2e-4,
                "{n}: {out}, {expected}"
            );
        }
    }

    #[test]
    fn what_is_cleared_is_not_heard_and_the_speed_stays() {
        let mut varispeed = Varispeed::new();
        for _ in 0..3 {
            let wants = varispeed.wants();
            varispeed.play(&[0.5; 481][..wants], 700.4);
        }
        varispeed.clear();
        assert_eq!(varispeed.ppm(), 700);
        let wants = varispeed.wants();
        assert_eq!(varispeed.play(&[0.0; 481][..wants], 1e9), SILENCE);
        assert_eq!(f64::from(varispeed.ppm()), SPEED_PPM_MAX);
    }
}
