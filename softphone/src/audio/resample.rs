//! Sample rate conversion of a mono stream that comes in pieces of any length.

use rubato::{
    Async, FixedAsync, Resampler as _, ResamplerConstructionError, SincInterpolationParameters,
    WindowFunction, audioadapter_buffers::direct::InterleavedSlice,
};

/// Input is worked on in blocks of 2.5 ms.
const BLOCKS_PER_SECOND: usize = 400;

/// Taps of the filter, at the lower rate: flat up to 0.93 of what it can hold, 90 dB beyond.
const TAPS: usize = 128;

/// Up to this ratio downwards the filter gets longer with it: 192 to 8 kHz.
const RATIO_MAX: usize = 24;

/// The most input that is buffered at start: 40 ms at 192 kHz; more in one piece makes it grow.
const INPUT_SAMPLES: usize = 8_192;

/// Converts from one sample rate to another. Same rates go through untouched.
///
/// By interpolation (a windowed sinc) for all rates alike: blocks of an FFT would have to be whole
/// periods of both rates, a second long for 47,999 Hz, and no shorter in delay for 8 kHz.
pub struct Resampler(Option<Converter>);

struct Converter {
    sinc: Async<f32>,
    /// Input that does not fill a block yet.
    pending: Vec<f32>,
    /// One block of output.
    block: Vec<f32>,
}

impl Resampler {
    /// From `from` to `to`, both in samples per second.
    ///
    /// # Errors
    /// One of them is 0, and the other is not.
    pub fn new(from: u32, to: u32) -> Result<Self, ResamplerConstructionError> {
        if from == to {
            return Ok(Self(None));
        }
        let ratio = f64::from(to) / f64::from(from);
        let taps = TAPS
            * (from as usize)
                .div_ceil(to.max(1) as usize)
                .clamp(1, RATIO_MAX);
        let filter = SincInterpolationParameters::new(taps, WindowFunction::BlackmanHarris);
        let chunk = (from as usize / BLOCKS_PER_SECOND).max(1);
        let sinc = Async::new_sinc(ratio, 1.0, &filter, chunk, 1, FixedAsync::Input)?;
        let block = vec![0.0; sinc.output_frames_max()];
        Ok(Self(Some(Converter {
            sinc,
            pending: Vec::with_capacity(INPUT_SAMPLES),
            block,
        })))
    }

    /// How many samples of output come before the first of input.
    pub(super) fn delay_samples(&self) -> usize {
        self.0
            .as_ref()
            .map_or(0, |converter| converter.sinc.output_delay())
    }

    /// Converts `input` and appends what is ready to `output`.
    pub fn push(&mut self, input: &[f32], output: &mut Vec<f32>) {
        match &mut self.0 {
            None => output.extend_from_slice(input),
            Some(converter) => converter.push(input, output),
        }
    }
}

impl Converter {
    fn push(&mut self, input: &[f32], output: &mut Vec<f32>) {
        self.pending.extend_from_slice(input);
        let mut used = 0;
        loop {
            let wanted = self.sinc.input_frames_next();
            let Some(next) = self.pending.get(used..used + wanted) else {
                break;
            };
            let room = self.block.len();
            let sized = "one channel, and as many frames as samples";
            let next = InterleavedSlice::new(next, 1, wanted).expect(sized);
            let mut block = InterleavedSlice::new_mut(&mut self.block, 1, room).expect(sized);
            let (read, made) = self
                .sinc
                .process_into_buffer(&next, &mut block, None)
                .expect("the buffers are as large as was asked for");
            output.extend_from_slice(&self.block[..made]);
            used += read;
        }
        self.pending.drain(..used);
    }
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation, reason = "samples are rounded")]
mod tests {
    use std::f64::consts::TAU;

    use super::*;

    /// One second of a tone of amplitude 0.5.
    fn tone(rate: u32, hertz: f64) -> Vec<f32> {
        (0..rate)
            .map(|n| (0.5 * (f64::from(n) / f64::from(rate) * hertz * TAU).sin()) as f32)
            .collect()
    }

    fn converted(sound: &[f32], from: u32, to: u32, piece: usize) -> Vec<f32> {
        let mut resampler = Resampler::new(from, to).unwrap();
        let mut out = Vec::new();
        for piece in sound.chunks(piece) {
            resampler.push(piece, &mut out);
        }
        out
    }

    /// The level of a tone in `sound`, and the mean power of all that is not this tone.
    fn level_and_rest(sound: &[f32], rate: u32, hertz: f64) -> (f64, f64) {
        let angle = |n: usize| n as f64 / f64::from(rate) * hertz * TAU;
        let scale = 2.0 / sound.len() as f64;
        let (mut sine, mut cosine) = (0.0, 0.0);
        for (n, &sample) in sound.iter().enumerate() {
            sine += f64::from(sample) * angle(n).sin() * scale;
            cosine += f64::from(sample) * angle(n).cos() * scale;
        }
        let rest = sound.iter().enumerate().map(|(n, &sample)| {
            (f64::from(sample) - sine * angle(n).sin() - cosine * angle(n).cos()).powi(2)
        });
        (sine.hypot(cosine), rest.sum::<f64>() * scale / 2.0)
    }

    #[test]
    fn a_tone_keeps_its_level_its_pitch_and_nearly_all_its_length() {
        for rate in [
            8_000, 11_025, 16_000, 22_050, 32_000, 44_056, 44_100, 47_999, 96_000, 192_000,
        ] {
            for (from, to) in [(rate, 48_000), (48_000, rate)] {
                let out = converted(&tone(from, 1_000.0), from, to, 480);
                let missing = to as usize - out.len();
                assert!(
                    missing <= to as usize / 50,
                    "{from} to {to}: {missing} missing"
                );
                let settled = &out[to as usize / 5..][..to as usize / 2];
                let (level, rest) = level_and_rest(settled, to, 1_000.0);
                assert!(
                    (level - 0.5).abs() < 0.0005,
                    "{from} to {to}: level {level}"
                );
                assert!(rest < 1e-8, "{from} to {to}: {rest} of other than the tone");
            }
        }
    }

    #[test]
    fn the_size_of_the_pieces_does_not_matter() {
        for (from, to) in [(44_100, 48_000), (44_056, 48_000), (48_000, 16_000)] {
            let tone = tone(from, 440.0);
            let whole = converted(&tone, from, to, usize::MAX);
            for piece in [1, 441, 1_024] {
                assert_eq!(
                    converted(&tone, from, to, piece),
                    whole,
                    "{from} to {to} by {piece}"
                );
            }
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_hold_is_gone() {
        for from in [44_100, 47_999, 48_000] {
            let out = converted(&tone(from, 9_000.0), from, 16_000, 480);
            let loudest = out[1_000..]
                .iter()
                .fold(0.0f32, |most, sample| most.max(sample.abs()));
            assert!(loudest < 1e-4, "{from}: {loudest}");
        }
    }

    #[test]
    fn the_delay_is_where_a_click_comes_out() {
        for from in [8_000, 44_100, 44_056] {
            let mut click = vec![0.0; from as usize];
            click[0] = 1.0;
            let out = converted(&click, from, 48_000, 480);
            let peak = (0..out.len()).max_by(|&a, &b| out[a].abs().total_cmp(&out[b].abs()));
            let told = Resampler::new(from, 48_000).unwrap().delay_samples();
            let distance = peak.unwrap().abs_diff(told);
            assert!(distance <= 3, "{from}: {distance} samples off {told}");
        }
    }

    #[test]
    fn a_rate_of_zero_is_refused() {
        assert!(Resampler::new(0, 48_000).is_err());
        assert!(Resampler::new(48_000, 0).is_err());
    }
}
