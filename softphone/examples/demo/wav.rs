//! Reads a recording as the comparison wants it: mono, at [`RATE`].

use std::{f64::consts::PI, path::Path};

use hound::{SampleFormat, WavReader};

use crate::likeness::RATE;

/// The sinc of the resampler reaches so many samples of the lower rate to each side.
const REACH: f64 = 16.0;

/// Reads a mono WAV file of 16 bits, at any rate.
///
/// # Errors
/// Why it cannot be read.
pub fn read(path: &Path) -> Result<Vec<f64>, String> {
    let failed = |why: String| format!("cannot read {}: {why}", path.display());
    let wav = WavReader::open(path).map_err(|error| failed(error.to_string()))?;
    let spec = wav.spec();
    if (spec.channels, spec.bits_per_sample, spec.sample_format) != (1, 16, SampleFormat::Int) {
        return Err(failed("it is not mono with 16 bits".to_owned()));
    }
    let samples = wav.into_samples::<i16>();
    let samples: Result<Vec<f64>, _> = samples
        .map(|sample| sample.map(|sample| f64::from(sample) / 32_768.0))
        .collect();
    let samples = samples.map_err(|error| failed(error.to_string()))?;
    Ok(resample(
        &samples,
        f64::from(spec.sample_rate) / RATE as f64,
    ))
}

/// Takes a sound to [`RATE`] from `ratio` times as much, without what is above half of either.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "places in a sound are not negative, and a WAV file has less than 2^32"
)]
fn resample(sound: &[f64], ratio: f64) -> Vec<f64> {
    let stretch = ratio.max(1.0);
    let reach = REACH * stretch;
    let count = (sound.len() as f64 / ratio) as usize;
    let at = |n: usize| {
        let centre = n as f64 * ratio;
        let first = (centre - reach).ceil().max(0.0) as usize;
        let last = ((centre + reach).floor() as usize + 1).min(sound.len());
        let weight = |k: usize| {
            let away = (k as f64 - centre) / stretch;
            let hann = 0.5 + 0.5 * (PI * away / REACH).cos();
            let sinc = if away == 0.0 {
                1.0
            } else {
                (PI * away).sin() / (PI * away)
            };
            sinc * hann / stretch
        };
        (first..last).map(|k| sound[k] * weight(k)).sum()
    };
    (0..count).map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(rate: usize, hertz: f64) -> Vec<f64> {
        let turn = 2.0 * PI * hertz / rate as f64;
        (0..rate).map(|n| (turn * n as f64).sin()).collect()
    }

    /// The greatest value in the middle, away from what the ends disturb.
    fn greatest(sound: &[f64]) -> f64 {
        sound[2_000..14_000]
            .iter()
            .fold(0.0, |most, value| value.abs().max(most))
    }

    #[test]
    fn a_tone_is_the_same_from_every_rate() {
        for rate in [8_000, 16_000, 22_050, 48_000] {
            let came = resample(&tone(rate, 1_000.0), rate as f64 / RATE as f64);
            assert_eq!(came.len(), RATE);
            let expected = tone(RATE, 1_000.0);
            let off: Vec<f64> = came.iter().zip(&expected).map(|(a, b)| a - b).collect();
            assert!(greatest(&off) < 0.01, "{rate}: {}", greatest(&off));
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_hold_is_left_out() {
        let came = resample(&tone(48_000, 12_000.0), 3.0);
        assert!(greatest(&came) < 0.01, "{}", greatest(&came));
    }

    #[test]
    fn the_shipped_clip_is_ten_seconds_of_voice() {
        let clip = read(crate::CLIP.as_ref()).unwrap();
        assert_eq!(clip.len(), 10 * RATE);
        let power = clip.iter().map(|x| x * x).sum::<f64>() / clip.len() as f64;
        let dbfs = 10.0 * power.log10();
        assert!((-24.0..-22.0).contains(&dbfs), "{dbfs}");
    }

    #[test]
    fn what_is_no_recording_is_refused_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none.wav");
        let refused = read(&path).unwrap_err();
        assert!(refused.contains("none.wav"), "{refused}");
        std::fs::write(&path, b"ID3").unwrap();
        assert!(read(&path).is_err());
    }
}
