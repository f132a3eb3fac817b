//! How loud a person wants it: a volume, and what it does to sound.
//!
//! PURE. A volume moves over 10 ms, so that it does not click. What it makes louder than full scale
//! is turned down again for as long as that lasts, so that it neither wraps nor rattles. At 100 %
//! sound is as it came, bit by bit.

use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use serde::{Deserialize, Serialize};

use crate::media::{FRAME_SAMPLES, Frame};

/// How loud, in percent of how loud it is by itself: 0, which is silence, to 200.
///
/// Percent are those of hearing: 200 % sounds twice as loud (10 dB more), and 50 % half as loud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "u8", into = "u8")]
pub struct Volume(u8);

impl Volume {
    /// Silence.
    pub const SILENT: Self = Self(0);

    /// As loud as it is by itself.
    pub const NORMAL: Self = Self(100);

    /// The loudest.
    pub const MAX: Self = Self(200);

    /// From 0 to 200; what is beyond is 200.
    #[must_use]
    pub const fn of_percent(percent: u8) -> Self {
        if percent > Self::MAX.0 {
            return Self::MAX;
        }
        Self(percent)
    }

    /// From 0 to 200.
    #[must_use]
    pub const fn percent(self) -> u8 {
        self.0
    }

    /// By how much samples are multiplied. Loudness grows with the power of 0.6 of sound pressure
    /// (ISO 532-1, and Stevens before it).
    fn gain(self) -> f32 {
        match self {
            Self::NORMAL => 1.0,
            Self(percent) => (f32::from(percent) / 100.0).powf(1.0 / 0.6),
        }
    }
}

impl Default for Volume {
    fn default() -> Self {
        Self::NORMAL
    }
}

impl From<u8> for Volume {
    fn from(percent: u8) -> Self {
        Self::of_percent(percent)
    }
}

impl From<Volume> for u8 {
    fn from(volume: Volume) -> Self {
        volume.0
    }
}

/// A volume that one thread sets and another one follows.
#[derive(Debug)]
pub(super) struct Knob(AtomicU8);

impl Default for Knob {
    fn default() -> Self {
        Self(AtomicU8::new(Volume::NORMAL.0))
    }
}

impl Knob {
    pub(super) fn set(&self, volume: Volume) {
        self.0.store(volume.0, Relaxed);
    }

    pub(super) fn get(&self) -> Volume {
        Volume(self.0.load(Relaxed))
    }
}

/// Sound is turned down in pieces of 1 ms.
const PIECE: usize = FRAME_SAMPLES / 10;

/// What sound that is made louder is kept below, of full scale: 1 dB less than that.
const CEILING: f32 = 0.89;

/// How fast what was turned down comes back: in each piece, by so much of what is missing. That
/// makes 100 ms, longer than a wave of the lowest voice and shorter than a syllable.
const RECOVERY: f32 = 0.01;

/// What is missing by so little is not missing.
const RECOVERED: f32 = 0.999;

/// Makes a stream of frames as loud as it is wanted. Takes no time and no memory.
#[derive(Debug)]
pub struct Gain {
    /// What the last sample was multiplied by for its volume ...
    reached: f32,
    /// ... and then, up to 1, for being too loud.
    limit: f32,
}

impl Default for Gain {
    fn default() -> Self {
        Self {
            reached: 1.0,
            limit: 1.0,
        }
    }
}

impl Gain {
    /// The next 10 ms.
    pub fn apply(&mut self, frame: &mut Frame, volume: Volume) {
        let (from, to) = (self.reached, volume.gain());
        self.reached = to;
        if from != to {
            ramp(frame, from, to);
        } else if to != 1.0 {
            frame.iter_mut().for_each(|sample| *sample *= to);
        }
        if from.max(to) > 1.0 {
            self.limit(frame, CEILING);
        } else if self.limit < 1.0 {
            self.limit(frame, f32::MAX);
        }
    }

    /// Turns down what is beyond the ceiling, as early as it is known and over no less than 1 ms.
    /// What comes too loud in the first one is bent.
    fn limit(&mut self, frame: &mut Frame, ceiling: f32) {
        // A sample that is no number is nobody's peak, and nothing that comes after multiplies it
        // to one. One that is infinite is a peak like any other.
        let allowed = |piece: &[f32]| {
            let peak = piece.iter().fold(ceiling, |peak, s| peak.max(s.abs()));
            ceiling / peak.min(f32::MAX)
        };
        let mut next = allowed(&frame[..PIECE]);
        for at in (0..FRAME_SAMPLES).step_by(PIECE) {
            let now = next;
            next = frame.get(at + PIECE..at + 2 * PIECE).map_or(now, allowed);
            let from = self.limit;
            let recovered = from + (1.0 - from) * RECOVERY;
            let to = recovered.min(now).min(next);
            self.limit = if to > RECOVERED { 1.0 } else { to };
            let piece = &mut frame[at..at + PIECE];
            ramp(piece, from, self.limit);
            if from > now {
                piece.iter_mut().for_each(|sample| *sample = bent(*sample));
            }
        }
    }
}

/// Multiplies by what moves evenly from one to the other, which the last sample has.
pub(super) fn ramp(sound: &mut [f32], from: f32, to: f32) {
    let samples = sound.len().max(1) as f32;
    for (number, sample) in (1_u16..).zip(sound) {
        *sample *= from + (to - from) * (f32::from(number) / samples);
    }
}

/// Never beyond full scale, and the same below [`CEILING`].
fn bent(sample: f32) -> f32 {
    let beyond = sample.abs() - CEILING;
    if beyond <= 0.0 {
        return sample;
    }
    let room = 1.0 - CEILING;
    (CEILING + room * (beyond / room).tanh()).copysign(sample)
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use assert_no_alloc::assert_no_alloc;

    use super::*;

    /// Some seconds of a tone, and what becomes of it when its volume is what `volume` says for
    /// each frame.
    fn tone(hertz: f32, amplitude: f32, volume: impl Fn(usize) -> u8) -> (Vec<f32>, Vec<f32>) {
        let mut gain = Gain::default();
        let (mut said, mut heard) = (Vec::new(), Vec::new());
        for number in 0..200 {
            let mut frame = [0.0; FRAME_SAMPLES];
            for (at, sample) in frame.iter_mut().enumerate() {
                let time = (number * FRAME_SAMPLES + at) as f32 / 48_000.0;
                *sample = amplitude * (time * hertz * TAU).sin();
            }
            said.extend(frame);
            let volume = Volume::of_percent(volume(number));
            assert_no_alloc(|| gain.apply(&mut frame, volume));
            heard.extend(frame);
        }
        (said, heard)
    }

    fn peak(sound: &[f32]) -> f32 {
        sound
            .iter()
            .fold(0.0, |peak, sample| peak.max(sample.abs()))
    }

    /// The steepest step from one sample to the next.
    fn steepest(sound: &[f32]) -> f32 {
        let steps = sound.windows(2).map(|two| (two[1] - two[0]).abs());
        steps.fold(0.0, f32::max)
    }

    #[test]
    fn a_volume_is_0_to_200_and_twice_of_it_is_10_db() {
        assert_eq!(Volume::of_percent(255), Volume::MAX);
        assert_eq!(Volume::default().gain(), 1.0);
        assert_eq!(Volume::SILENT.gain(), 0.0);
        let db = |percent| 20.0 * Volume::of_percent(percent).gain().log10();
        assert!((db(200) - 10.0).abs() < 0.05 && (db(50) + 10.0).abs() < 0.05);
        let read: Volume = serde_json::from_str("250").unwrap();
        assert_eq!(
            (read, serde_json::to_string(&read).unwrap().as_str()),
            (Volume::MAX, "200")
        );
    }

    #[test]
    fn at_100_percent_every_bit_stays_what_it_was_however_loud() {
        let (said, heard) = tone(440.0, 1.3, |_| 100);
        assert!(said == heard);
        // And again, after it was louder.
        let (said, heard) = tone(440.0, 0.9, |number| if number < 10 { 200 } else { 100 });
        assert!(said[190 * FRAME_SAMPLES..] == heard[190 * FRAME_SAMPLES..]);
    }

    #[test]
    fn a_change_takes_10_ms_and_does_not_click() {
        for (before, after) in [(100, 0), (0, 100), (100, 200), (200, 10)] {
            let volume = |number| if number < 100 { before } else { after };
            let (_, heard) = tone(200.0, 0.2, volume);
            let steep = [before, after].map(|percent| {
                let (_, heard) = tone(200.0, 0.2, move |_| percent);
                steepest(&heard[FRAME_SAMPLES..])
            });
            // What moves over 480 samples adds no more than a 480th of the peak to any step.
            let most = steep[0].max(steep[1]) + 0.64 / 480.0;
            let there = &heard[95 * FRAME_SAMPLES..105 * FRAME_SAMPLES];
            assert!(steepest(there) <= most, "{before} to {after}");
            let gain = Volume::of_percent(after).gain();
            let (reached, wanted) = (peak(&heard[101 * FRAME_SAMPLES..]), 0.2 * gain);
            assert!((reached - wanted).abs() < 0.001, "{reached} {wanted}");
        }
    }

    #[test]
    fn what_is_made_too_loud_is_turned_down_and_not_cut_off() {
        for hertz in [100.0, 500.0, 3_000.0] {
            let (said, heard) = tone(hertz, 0.9, |number| if number < 20 { 100 } else { 200 });
            assert!(peak(&heard) <= 1.0);
            let settled = 50 * FRAME_SAMPLES;
            assert!(peak(&heard[settled..]) <= CEILING + 1e-4);
            assert!(peak(&heard[settled..]) > 0.8, "{}", peak(&heard[settled..]));
            // It is still the same tone: what is left when that is taken away is far below it.
            let (said, heard) = (&said[settled..], &heard[settled..]);
            let both: f32 = said.iter().zip(heard).map(|(a, b)| a * b).sum();
            let gain = both / said.iter().map(|a| a * a).sum::<f32>();
            let rest = said.iter().zip(heard).map(|(a, b)| (b - gain * a).powi(2));
            let rest = rest.sum::<f32>() / heard.iter().map(|b| b * b).sum::<f32>();
            assert!(rest < 0.001, "{hertz} Hz: {rest} of it is something else");
        }
    }

    #[test]
    fn a_sudden_shout_is_never_beyond_full_scale() {
        let mut gain = Gain::default();
        for number in 0..100 {
            let mut frame = [if number % 7 == 0 { -0.99 } else { 0.01 }; FRAME_SAMPLES];
            gain.apply(&mut frame, Volume::MAX);
            assert!(peak(&frame) <= 1.0, "{number}");
        }
    }

    #[test]
    fn samples_that_are_no_numbers_spoil_nothing_that_follows() {
        let mut gain = Gain::default();
        let mut wild = [0.1; FRAME_SAMPLES];
        (wild[7], wild[100], wild[300]) = (f32::NAN, f32::INFINITY, -f32::INFINITY);
        gain.apply(&mut wild, Volume::MAX);
        let mut frame = [0.1; FRAME_SAMPLES];
        for _ in 0..100 {
            frame = [0.1; FRAME_SAMPLES];
            gain.apply(&mut frame, Volume::MAX);
            assert!(frame.iter().all(|sample| sample.is_finite()));
        }
        assert!((peak(&frame) - 0.1 * Volume::MAX.gain()).abs() < 0.001);
    }
}
