//! How late and how like a voice came back: numbers that need no listener.
//!
//! PURE. Recordings are mono, at [`RATE`].

use std::{f64::consts::PI, ops::RangeInclusive};

/// What recordings are compared at, in samples a second: voice has little above 8 kHz.
pub const RATE: usize = 16_000;

/// From this likeness on, the line is called good.
pub const GOOD: f64 = 0.90;

/// A voice that comes back later than this is not looked for.
const LAG_MAX: usize = 3 * RATE;

/// The loudness of a recording is compared in steps of 5 ms.
const STEP: usize = RATE / 200;

/// The rise and fall of loudness has to match so well, from -1 to 1, for a voice to be the same.
const SAME_VOICE: f64 = 0.5;

/// A spectrum every 20 ms, each over 32 ms.
const HOP: usize = RATE / 50;
const WINDOW: usize = 512;

/// Bands as wide as the ear takes them, between these frequencies.
const BANDS: usize = 24;
const HERTZ: RangeInclusive<f64> = 100.0..=7_500.0;

/// What is more than 40 dB below a recording's mean is as good as silent.
const FLOOR: f64 = 1e-4;

/// One figure for each band.
type Levels = [f64; BANDS];

/// By how many samples `returned` is later than `clip`; `None` if the voice is not in it.
///
/// The rise and fall of loudness gives the lag to 5 ms, the waveform gives it to a sample.
pub fn lag(clip: &[f64], returned: &[f64]) -> Option<usize> {
    let (loudness, came) = (loudness(clip), loudness(returned));
    let shape = without_mean(&loudness);
    let coarse = (0..=LAG_MAX / STEP).map(|steps| {
        let heard = came.get(steps..).unwrap_or_default();
        let heard = &heard[..heard.len().min(shape.len())];
        (correlation(&shape, &without_mean(heard)), steps)
    });
    let (alike, steps) = coarse.max_by(|a, b| a.0.total_cmp(&b.0))?;
    if alike < SAME_VOICE {
        return None;
    }
    let around = steps * STEP;
    let fine = (around.saturating_sub(2 * STEP)..=around + 2 * STEP).map(|lag| {
        let heard = returned.get(lag..).unwrap_or_default();
        (correlation(clip, heard), lag)
    });
    fine.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, lag)| lag)
}

/// How like `returned`, from `lag` on, is to `clip`: 1 is the same, 0 has nothing to do with it.
///
/// Both are cut into 24 bands of pitch and steps of 20 ms. Of each cell the level is taken in dB,
/// less what is usual for the clip in that band; the measure is the correlation of all cells. How
/// loud the whole is does not count; missing words, noise, a muffled or a wrong voice do.
pub fn likeness(clip: &[f64], returned: &[f64], lag: usize) -> f64 {
    let mut heard = returned.get(lag..).unwrap_or_default().to_vec();
    heard.resize(clip.len(), 0.0);
    let (clip, heard) = (spectrogram(clip), spectrogram(&heard));
    let count = clip.len().max(1) as f64;
    let usual: Levels =
        std::array::from_fn(|band| clip.iter().map(|levels| levels[band]).sum::<f64>() / count);
    let cells = |of: &[Levels]| -> Vec<f64> {
        let less = |levels: &Levels| std::array::from_fn::<_, BANDS, _>(|b| levels[b] - usual[b]);
        of.iter().flat_map(less).collect()
    };
    correlation(&without_mean(&cells(&clip)), &without_mean(&cells(&heard))).max(0.0)
}

/// What a person hears at a likeness.
///
/// Measured with the shipped clip: Opus alone 0.997 at 32 kbit/s, 0.98 at 12, 0.89 at 6; a
/// telephone's band (to 4 kHz) 0.93; gaps of 20 ms 0.99 at 5 %, 0.97 at 10 %, 0.91 at 20 %, 0.77 at
/// 40 %; noise 0.98 at 30 dB below the voice, 0.91 at 20 dB, 0.70 at 10 dB, 0.36 as loud as the
/// voice; the second half missing 0.50; another voice, noise, silence or the clip backwards 0.05 at
/// most.
pub fn verdict(likeness: f64) -> &'static str {
    match likeness {
        0.98.. => "the voice as it was sent, every word clear",
        GOOD.. => "every word clear, with a thin sound, a little noise or short gaps",
        0.70.. => "words that can be understood, with noise or gaps that disturb",
        0.40.. => "parts of the words only",
        _ => "another sound, or none",
    }
}

/// The root of the mean square of every 5 ms.
fn loudness(sound: &[f64]) -> Vec<f64> {
    let blocks = sound.chunks_exact(STEP);
    blocks
        .map(|block| (block.iter().map(|x| x * x).sum::<f64>() / STEP as f64).sqrt())
        .collect()
}

fn without_mean(values: &[f64]) -> Vec<f64> {
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    values.iter().map(|value| value - mean).collect()
}

/// From -1 to 1, and 0 with nothing at all. What the shorter one has not got counts as zero.
fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let energy = |of: &[f64]| of.iter().map(|x| x * x).sum::<f64>();
    let scale = (energy(a) * energy(b)).sqrt();
    if scale < 1e-12 {
        return 0.0;
    }
    a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>() / scale
}

/// The level of every band, in dB, every 20 ms.
fn spectrogram(sound: &[f64]) -> Vec<Levels> {
    let edges = edges();
    let powers: Vec<Levels> = sound
        .windows(WINDOW)
        .step_by(HOP)
        .map(|window| {
            let bins = power_spectrum(window);
            std::array::from_fn(|band| {
                let bins = &bins[edges[band]..edges[band + 1]];
                bins.iter().sum::<f64>() / bins.len() as f64
            })
        })
        .collect();
    let cells = (powers.len() * BANDS).max(1) as f64;
    let mean = powers.iter().flatten().sum::<f64>() / cells;
    let floor = (mean * FLOOR).max(1e-12);
    let level = |power: f64| 10.0 * (power + floor).log10();
    powers.iter().map(|powers| powers.map(level)).collect()
}

/// The bins of a spectrum at which bands begin and end: equal steps on the mel scale, and at least
/// one bin each.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bins are between 3 and 240"
)]
fn edges() -> [usize; BANDS + 1] {
    let mel = |hertz: f64| 2_595.0 * (1.0 + hertz / 700.0).log10();
    let (low, high) = (mel(*HERTZ.start()), mel(*HERTZ.end()));
    let mut before = 0;
    std::array::from_fn(|edge| {
        let at = low + (high - low) * edge as f64 / BANDS as f64;
        let hertz = 700.0 * (10f64.powf(at / 2_595.0) - 1.0);
        let bin = (hertz * WINDOW as f64 / RATE as f64).round() as usize;
        before = bin.max(before + 1);
        before
    })
}

/// The power at 0, 1, ... half the rate, in [`WINDOW`] / 2 bins, under a Hann window.
fn power_spectrum(window: &[f64]) -> Vec<f64> {
    let turn = 2.0 * PI / WINDOW as f64;
    let hann = |n: usize| 0.5 - 0.5 * (turn * n as f64).cos();
    let wave = window.iter().enumerate().map(|(n, x)| (x * hann(n), 0.0));
    let bins = fourier(&wave.collect::<Vec<_>>());
    bins[..WINDOW / 2]
        .iter()
        .map(|(re, im)| re * re + im * im)
        .collect()
}

/// The Fourier transform of a power of two of complex numbers, by halves (Cooley and Tukey, 1965).
fn fourier(wave: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let count = wave.len();
    if count <= 1 {
        return wave.to_vec();
    }
    let half = |first: usize| {
        let every_second = wave.iter().skip(first).step_by(2).copied();
        fourier(&every_second.collect::<Vec<_>>())
    };
    let (even, odd) = (half(0), half(1));
    let mut bins = vec![(0.0, 0.0); count];
    for (n, (&(re, im), &(odd_re, odd_im))) in even.iter().zip(&odd).enumerate() {
        let (sin, cos) = (-2.0 * PI * n as f64 / count as f64).sin_cos();
        let (turned_re, turned_im) = (odd_re * cos - odd_im * sin, odd_re * sin + odd_im * cos);
        bins[n] = (re + turned_re, im + turned_im);
        bins[n + count / 2] = (re - turned_re, im - turned_im);
    }
    bins
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first 4 s of the shipped clip.
    fn clip() -> Vec<f64> {
        let mut clip = crate::wav::read(crate::CLIP.as_ref()).unwrap();
        clip.truncate(4 * RATE);
        clip
    }

    /// White noise, the same every time (Knuth's linear congruential generator).
    fn noise(count: usize, loudness: f64) -> Vec<f64> {
        let mut state = 1u64;
        let mut draw = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            ((state >> 33) as f64 / f64::from(1u32 << 30) - 1.0) * loudness
        };
        (0..count).map(|_| draw()).collect()
    }

    fn late(sound: &[f64], lag: usize) -> Vec<f64> {
        [vec![0.0; lag], sound.to_vec()].concat()
    }

    fn judged(clip: &[f64], returned: &[f64]) -> Option<(usize, f64)> {
        let lag = lag(clip, returned)?;
        Some((lag, likeness(clip, returned, lag)))
    }

    #[test]
    fn a_late_copy_is_found_to_the_sample_and_is_the_same() {
        let clip = clip();
        for expected in [0, 1, 79, 3_123, LAG_MAX] {
            let (lag, likeness) = judged(&clip, &late(&clip, expected)).unwrap();
            assert_eq!(lag, expected);
            assert!(likeness > 0.999_999, "{likeness}");
        }
    }

    #[test]
    fn a_copy_that_is_not_as_loud_is_the_same() {
        let clip = clip();
        let low: Vec<f64> = clip.iter().map(|x| x / 20.0).collect();
        let (lag, likeness) = judged(&clip, &late(&low, 2_000)).unwrap();
        assert_eq!(lag, 2_000);
        assert!(likeness > 0.999, "{likeness}");
    }

    #[test]
    fn silence_noise_and_a_wrong_voice_are_not_like_the_clip() {
        let clip = clip();
        let backwards: Vec<f64> = clip.iter().rev().copied().collect();
        for wrong in [
            vec![],
            vec![0.0; clip.len()],
            noise(clip.len(), 0.2),
            backwards,
        ] {
            assert_eq!(lag(&clip, &wrong), None);
            let likeness = likeness(&clip, &wrong, 0);
            assert!(likeness < 0.1, "{likeness}");
        }
    }

    #[test]
    fn the_more_noise_the_less_like() {
        let clip = clip();
        let with = |loudness| {
            let noise = noise(clip.len(), loudness);
            let noisy: Vec<f64> = clip.iter().zip(&noise).map(|(a, b)| a + b).collect();
            likeness(&clip, &noisy, 0)
        };
        let (faint, plain, loud) = (with(0.002), with(0.02), with(0.2));
        assert!(
            faint > GOOD && GOOD > plain && plain > loud,
            "{faint} {plain} {loud}"
        );
        assert!(loud < 0.4, "{loud}");
    }

    #[test]
    fn the_more_is_missing_the_less_like() {
        let clip = clip();
        let without = |every: usize| {
            let mut gaps = clip.clone();
            gaps.chunks_mut(HOP)
                .step_by(every)
                .for_each(|gap| gap.fill(0.0));
            likeness(&clip, &gaps, 0)
        };
        let (few, some, many) = (without(50), without(5), without(2));
        assert!(
            few > 0.98 && few > some && some > many,
            "{few} {some} {many}"
        );
        assert!(many < GOOD, "{many}");
        let cut = likeness(&clip, &clip[..clip.len() / 2], 0);
        assert!((0.2..0.8).contains(&cut), "{cut}");
    }

    #[test]
    fn a_verdict_gets_no_better_with_less_likeness() {
        let verdicts = [1.0, 0.95, 0.8, 0.5, 0.0].map(verdict);
        for (n, verdict) in verdicts.iter().enumerate() {
            assert!(!verdicts[..n].contains(verdict), "{verdict}");
        }
    }

    #[test]
    fn a_tone_has_its_power_at_its_frequency() {
        // 1 kHz is bin 32; a Hann window spreads it to the bins beside it, and no farther.
        let turn = 2.0 * PI * 1_000.0 / RATE as f64;
        let tone: Vec<f64> = (0..WINDOW).map(|n| (turn * n as f64).cos()).collect();
        let bins = power_spectrum(&tone);
        let expected = (WINDOW as f64 / 4.0).powi(2);
        assert!((bins[32] / expected - 1.0).abs() < 1e-9, "{}", bins[32]);
        let elsewhere = bins
            .iter()
            .enumerate()
            .filter(|(bin, _)| bin.abs_diff(32) > 1);
        assert!(elsewhere.map(|(_, power)| power).sum::<f64>() < expected * 1e-9);
    }

    #[test]
    fn bands_are_whole_bins_in_order_within_the_range() {
        let edges = edges();
        assert!(edges.windows(2).all(|pair| pair[0] < pair[1]), "{edges:?}");
        assert!(edges[BANDS] <= WINDOW / 2);
    }
}
