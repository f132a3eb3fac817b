//! The tones of a phone: what each sounds like, sample by sample.
//!
//! PURE. Ringback, busy and call waiting are 425 Hz in the cadences that ITU-T E.180 recommends and
//! most of the world knows; how a phone rings itself, nobody has written down.

use std::f32::consts::TAU;

use crate::media::{FRAME_SAMPLES, Frame, SAMPLE_RATE};

/// What there is to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Somebody calls: four soft rising notes, twice, every 4 s.
    Ringing,
    /// The callee's phone rings: 1 s in 5 s.
    Ringback,
    /// The callee is in another call: half a second in each second.
    Busy,
    /// Somebody calls while there is a call: two short beeps every 6 s.
    CallWaiting,
    /// A loudspeaker is tried: three soft rising notes, every 1.5 s.
    Test,
}

/// The frequency of the tones of a network, in Hz (ITU-T E.180, 2.1: 400 to 450).
const NETWORK_HZ: f32 = 425.0;

/// How a tone of constant loudness begins and ends: 5 ms, so that it does not click.
const EDGE_MS: f32 = 5.0;

/// A note of constant loudness.
const fn beep(length_ms: u32, pause_ms: u32) -> Note {
    Note {
        hz: NETWORK_HZ,
        level: 0.1,
        fades: false,
        length_ms,
        pause_ms,
    }
}

/// A note that fades like one that was struck.
const fn struck(hz: f32, pause_ms: u32) -> Note {
    Note {
        hz,
        level: 0.35,
        fades: true,
        length_ms: 160,
        pause_ms,
    }
}

/// A note that fades more slowly.
const fn rung(hz: f32, pause_ms: u32) -> Note {
    Note {
        length_ms: 400,
        ..struck(hz, pause_ms)
    }
}

const RINGING: &[Note] = &[
    struck(523.25, 0),
    struck(659.26, 0),
    struck(783.99, 0),
    struck(1046.5, 240),
    struck(523.25, 0),
    struck(659.26, 0),
    struck(783.99, 0),
    struck(1046.5, 2_480),
];

const RINGBACK: &[Note] = &[beep(1_000, 4_000)];

const BUSY: &[Note] = &[beep(500, 500)];

const CALL_WAITING: &[Note] = &[beep(150, 150), beep(150, 5_550)];

const TEST: &[Note] = &[rung(523.25, 50), rung(659.26, 50), rung(783.99, 200)];

/// One sound and the silence behind it.
#[derive(Debug)]
struct Note {
    hz: f32,
    /// The peak, of full scale.
    level: f32,
    /// It fades to a hundredth; otherwise its loudness is constant.
    fades: bool,
    length_ms: u32,
    pause_ms: u32,
}

/// Makes a tone, frame by frame, for as long as it is asked to.
#[derive(Debug)]
pub(super) struct Generator {
    notes: &'static [Note],
    /// The note that sounds, and how many of its samples have been made.
    note: usize,
    at: u32,
}

impl Generator {
    /// A tone from its beginning.
    pub(super) fn new(tone: Tone) -> Self {
        let notes = match tone {
            Tone::Ringing => RINGING,
            Tone::Ringback => RINGBACK,
            Tone::Busy => BUSY,
            Tone::CallWaiting => CALL_WAITING,
            Tone::Test => TEST,
        };
        Self {
            notes,
            note: 0,
            at: 0,
        }
    }

    /// The next 10 ms.
    pub(super) fn next(&mut self) -> Frame {
        let mut frame = [0.0; FRAME_SAMPLES];
        for sample in &mut frame {
            let note = &self.notes[self.note];
            *sample = note.sample(self.at);
            self.at += 1;
            if self.at >= samples(note.length_ms + note.pause_ms) {
                (self.note, self.at) = ((self.note + 1) % self.notes.len(), 0);
            }
        }
        frame
    }
}

impl Note {
    fn sample(&self, at: u32) -> f32 {
        let (at_ms, length_ms) = (millis(at), self.length_ms as f32);
        if at_ms >= length_ms {
            return 0.0;
        }
        let edge = |ms: f32| (ms / EDGE_MS).min(1.0);
        let end = edge(length_ms - at_ms);
        let loud = if self.fades {
            0.01_f32.powf(at_ms / length_ms) * edge(at_ms) * end
        } else {
            edge(at_ms) * end
        };
        let wave = (self.hz * at_ms / 1_000.0 * TAU).sin();
        self.level * loud * wave
    }
}

fn samples(ms: u32) -> u32 {
    ms * (SAMPLE_RATE / 1_000)
}

fn millis(samples: u32) -> f32 {
    samples as f32 * 1_000.0 / SAMPLE_RATE as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Tone; 5] = [
        Tone::Ringing,
        Tone::Ringback,
        Tone::Busy,
        Tone::CallWaiting,
        Tone::Test,
    ];

    fn seconds(tone: Tone, seconds: usize) -> Vec<f32> {
        let mut generator = Generator::new(tone);
        (0..seconds * 100).flat_map(|_| generator.next()).collect()
    }

    /// The loudest sample of each 10 ms.
    fn peaks(sound: &[f32]) -> Vec<f32> {
        let loudest = |frame: &[f32]| frame.iter().fold(0.0, |most: f32, s| most.max(s.abs()));
        sound.chunks(FRAME_SAMPLES).map(loudest).collect()
    }

    #[test]
    fn cadences_are_those_of_e_180() {
        let sounds = |tone, from_ms: usize| peaks(&seconds(tone, 12))[from_ms / 10] > 0.05;
        for ms in (20..980).step_by(10) {
            assert!(sounds(Tone::Ringback, ms) && sounds(Tone::Ringback, 5_000 + ms));
        }
        let quiet = peaks(&seconds(Tone::Ringback, 5));
        assert!(quiet[100..].iter().all(|peak| *peak == 0.0));
        let on: Vec<_> = [250, 750, 1_250, 1_750]
            .map(|ms| sounds(Tone::Busy, ms))
            .into();
        assert_eq!(on, [true, false, true, false]);
        let on = [50, 200, 350, 500, 3_000, 6_050].map(|ms| sounds(Tone::CallWaiting, ms));
        assert_eq!(on, [true, false, true, false, false, true]);
    }

    #[test]
    fn every_tone_begins_and_ends_softly_and_is_never_too_loud() {
        for tone in ALL {
            let sound = seconds(tone, 12);
            assert!(peaks(&sound).iter().all(|peak| *peak <= 0.35), "{tone:?}");
            // The steepest step of the highest note at its loudest is 0.35 * 1046.5 * TAU / 48000.
            let steps = sound.windows(2).map(|pair| (pair[1] - pair[0]).abs());
            assert!(steps.fold(0.0, f32::max) < 0.049, "{tone:?}");
            assert!(peaks(&sound).iter().any(|peak| *peak > 0.05), "{tone:?}");
        }
    }

    #[test]
    fn the_network_s_tones_are_425_hz() {
        let sound = &seconds(Tone::Ringback, 1)[..];
        let crossings = sound
            .windows(2)
            .filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0);
        assert!(crossings.count().abs_diff(425) <= 1);
    }
}
