//! Makes sound a little shorter or longer without another pitch: a period of a voice is left out or
//! played twice, with a fade from one to the other, where the two are alike. After the idea of
//! WSOLA (Verhelst and Roelands, 1993).

use std::ops::RangeInclusive;

use crate::media::steer::{Piece, When};

/// What may be left out or put in, in samples: 2.5 to 10 ms. A voice of 100 Hz repeats itself
/// within that, a lower one not in one piece.
const PERIODS: RangeInclusive<usize> = 120..=480;

/// The least sound that can be shortened: a period that goes, and one into which it fades.
pub const SHORTENS_FROM: usize = 2 * *PERIODS.end();

/// The least sound that can be lengthened.
pub const LENGTHENS_FROM: usize = *PERIODS.end();

/// Two pieces are alike from this correlation on.
const ALIKE: f32 = 0.8;

/// Sound of less power than this is none: -50 dBFS. There a change is not heard.
const SILENT: f32 = 1e-5;

/// Lags are tried so many samples apart at first, and correlated with so many samples left out.
const COARSE: usize = 4;

/// What was played last, as long as what comes is compared with it.
#[derive(Debug)]
pub struct Stretcher {
    played: [f32; *PERIODS.end()],
}

impl Default for Stretcher {
    fn default() -> Self {
        Self {
            played: [0.0; *PERIODS.end()],
        }
    }
}

impl Stretcher {
    /// This has been played.
    pub fn played(&mut self, sound: &[f32]) {
        let kept = self.played.len();
        let new = &sound[sound.len().saturating_sub(kept)..];
        self.played.rotate_left(new.len());
        self.played[kept - new.len()..].copy_from_slice(new);
    }

    /// Leaves out a period at the beginning of `sound`, of which there is [`SHORTENS_FROM`]; how
    /// many samples it was, zero where it would be heard, or it is to wait.
    pub fn shorten(&self, sound: &mut Vec<f32>, piece: Piece) -> usize {
        let Some((start, _)) = sound.split_at_checked(SHORTENS_FROM) else {
            return 0;
        };
        let later = |lag: usize| (&start[..lag], &start[lag..2 * lag]);
        let Some(lag) = best(later, piece) else {
            return 0;
        };
        for n in 0..lag {
            sound[lag + n] = fade(sound[n], sound[lag + n], n, lag);
        }
        sound.drain(..lag);
        lag
    }

    /// Puts a period before `sound`, of which there is [`LENGTHENS_FROM`]; how many samples it is,
    /// zero where it would be heard.
    pub fn lengthen(&self, sound: &mut Vec<f32>, piece: Piece) -> usize {
        let Some((start, _)) = sound.split_at_checked(LENGTHENS_FROM) else {
            return 0;
        };
        let kept = self.played.len();
        let later = |lag: usize| (&self.played[kept - lag..], &start[..lag]);
        let Some(lag) = best(later, piece) else {
            return 0;
        };
        // It goes on from what was played as the sound does, and ends where that began.
        let before = &self.played[kept - lag..];
        let period: Vec<f32> = (0..lag)
            .map(|n| fade(start[n], before[n], n, lag))
            .collect();
        sound.splice(..0, period);
        lag
    }
}

/// From one sample to the other, at `n` of `length`.
pub(super) fn fade(from: f32, to: f32, n: usize, length: usize) -> f32 {
    let share = (n as f32 + 0.5) / length as f32;
    from * (1.0 - share) + to * share
}

/// The lag at which two pieces, which `pieces` gives, are alike most; in silence what is wanted.
fn best<'a>(pieces: impl Fn(usize) -> (&'a [f32], &'a [f32]), wanted: Piece) -> Option<usize> {
    let longest = *PERIODS.end();
    let (one, other) = pieces(longest);
    if power(one) < SILENT && power(other) < SILENT {
        let samples = usize::try_from(wanted.samples).unwrap_or(usize::MAX);
        return Some(samples.clamp(*PERIODS.start(), longest));
    }
    if wanted.when == When::InSilence {
        return None;
    }
    let likeness = |lag: usize, step: usize| {
        let (one, other) = pieces(lag);
        likeness(one, other, step)
    };
    let coarse = PERIODS
        .step_by(COARSE)
        .map(|lag| (lag, likeness(lag, COARSE)));
    let (near, _) = coarse.max_by(|a, b| a.1.total_cmp(&b.1))?;
    let fine = (near - COARSE).max(*PERIODS.start())..=(near + COARSE).min(longest);
    let exact = fine.map(|lag| (lag, likeness(lag, 1)));
    let (lag, likeness) = exact.max_by(|a, b| a.1.total_cmp(&b.1))?;
    (likeness >= ALIKE).then_some(lag)
}

/// From -1 to 1, by every `step`th sample.
fn likeness(one: &[f32], other: &[f32], step: usize) -> f32 {
    let (mut both, mut first, mut second) = (0.0, 0.0, 0.0);
    for (a, b) in one.iter().zip(other).step_by(step) {
        both += a * b;
        first += a * a;
        second += b * b;
    }
    both / (first * second).sqrt().max(f32::MIN_POSITIVE)
}

fn power(sound: &[f32]) -> f32 {
    sound.iter().map(|sample| sample * sample).sum::<f32>() / sound.len().max(1) as f32
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use rand_chacha::{
        ChaCha8Rng,
        rand_core::{Rng, SeedableRng},
    };

    use super::*;

    const NOW: Piece = Piece {
        when: When::Now,
        samples: 480,
    };

    const IN_SILENCE: Piece = Piece {
        when: When::InSilence,
        samples: 480,
    };

    /// A second of a voice of this pitch, in Hz.
    fn voice(pitch: f32) -> Vec<f32> {
        let harmonic = |n: usize, h: u16| {
            let h = f32::from(h);
            (n as f32 * pitch * h * TAU / 48_000.0 + h * h).sin() / h
        };
        (0..48_000)
            .map(|n| 0.2 * (1..12).map(|h| harmonic(n, h)).sum::<f32>())
            .collect()
    }

    fn noise(level: f32) -> Vec<f32> {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let sample = |n: u32| level * (n as f32 / u32::MAX as f32 - 0.5);
        (0..48_000).map(|_| sample(random.next_u32())).collect()
    }

    /// Plays `sound` in pieces of 10 ms, after each of which it may change; what was heard, and how
    /// many samples were put in or left out.
    fn heard(
        sound: &[f32],
        change: impl Fn(&Stretcher, &mut Vec<f32>) -> usize,
    ) -> (Vec<f32>, usize) {
        let (mut stretcher, mut rest) = (Stretcher::default(), sound.to_vec());
        let (mut out, mut changed) = (Vec::new(), 0);
        while rest.len() >= SHORTENS_FROM {
            changed += change(&stretcher, &mut rest);
            let piece: Vec<f32> = rest.drain(..480.min(rest.len())).collect();
            stretcher.played(&piece);
            out.extend(piece);
        }
        out.extend(rest);
        (out, changed)
    }

    /// The largest step between two samples that follow each other.
    fn step(sound: &[f32]) -> f32 {
        sound
            .windows(2)
            .map(|two| (two[1] - two[0]).abs())
            .fold(0.0, f32::max)
    }

    #[test]
    fn a_voice_becomes_shorter_or_longer_by_periods_and_stays_what_it_was() {
        for period in [436, 327, 218, 154] {
            let pitch = 48_000.0 / period as f32;
            let said = voice(pitch);
            for longer in [false, true] {
                let (out, changed) = heard(&said, |stretcher, rest| match longer {
                    true => stretcher.lengthen(rest, NOW),
                    false => stretcher.shorten(rest, NOW),
                });
                let length = if longer {
                    said.len() + changed
                } else {
                    said.len() - changed
                };
                assert_eq!(out.len(), length);
                assert!(changed > 10_000, "{pitch}: {changed}");
                // No click: the steps are those of the voice.
                assert!(step(&out) < 1.1 * step(&said), "{pitch}: {}", step(&out));
                // The same pitch: a period later it is alike, but for the beginning.
                let (one, other) = (&out[2_000..12_000], &out[2_000 + period..12_000 + period]);
                assert!(likeness(one, other, 1) > 0.97, "{pitch} {longer}");
            }
        }
    }

    #[test]
    fn silence_changes_by_what_is_wanted() {
        for sound in [vec![0.0; 48_000], noise(0.004)] {
            let mut quiet = sound[..960].to_vec();
            assert_eq!(Stretcher::default().shorten(&mut quiet, IN_SILENCE), 480);
            assert_eq!(quiet.len(), 480);
            assert_eq!(Stretcher::default().lengthen(&mut quiet, IN_SILENCE), 480);
            assert_eq!(quiet.len(), 960);
            let part = Piece {
                samples: 200,
                ..IN_SILENCE
            };
            assert_eq!(Stretcher::default().shorten(&mut quiet, part), 200);
            assert_eq!(Stretcher::default().lengthen(&mut quiet, part), 200);
        }
    }

    #[test]
    fn what_repeats_nothing_and_what_is_too_short_is_left_alone() {
        let mut stretcher = Stretcher::default();
        let hiss = noise(0.5);
        stretcher.played(&hiss[..480]);
        let mut sound = hiss[480..1_440].to_vec();
        assert_eq!(
            (
                stretcher.shorten(&mut sound, NOW),
                stretcher.lengthen(&mut sound, NOW)
            ),
            (0, 0)
        );
        let said = voice(220.0);
        stretcher.played(&said[..480]);
        for (length, can) in [(479, [false; 2]), (480, [false, true]), (960, [true; 2])] {
            let after = || said[480..480 + length].to_vec();
            let changed = [
                stretcher.shorten(&mut after(), NOW),
                stretcher.lengthen(&mut after(), NOW),
            ];
            assert_eq!(changed.map(|samples| samples > 0), can, "{length}");
        }
    }

    #[test]
    fn what_was_played_is_remembered_in_pieces_of_any_length() {
        let said = voice(200.0);
        let (mut whole, mut pieces) = (Stretcher::default(), Stretcher::default());
        whole.played(&said[..3_000]);
        for piece in [
            &said[..1_000],
            &said[1_000..2_900],
            &said[2_900..2_900],
            &said[2_900..3_000],
        ] {
            pieces.played(piece);
        }
        assert_eq!(whole.played, pieces.played);
        assert_eq!(whole.played, said[2_520..3_000]);
    }

    #[test]
    fn a_voice_is_left_alone_as_long_as_it_can_wait() {
        let said = voice(220.0);
        let mut stretcher = Stretcher::default();
        stretcher.played(&said[..480]);
        let mut rest = said[480..1_440].to_vec();
        assert_eq!(stretcher.shorten(&mut rest, IN_SILENCE), 0);
        assert_eq!(stretcher.lengthen(&mut rest, IN_SILENCE), 0);
        assert_eq!(rest, said[480..1_440]);
    }
}
