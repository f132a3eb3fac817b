//! The ring between a microphone that calls back and the sound thread.

use std::{mem, sync::Arc, time::Duration};

use cpal::{FromSample, InputCallbackInfo, Sample, SampleFormat, SizedSample, traits::DeviceTrait};
use ringbuf::{
    HeapCons, HeapProd, HeapRb,
    traits::{Consumer, Observer, Producer, Split},
};

use crate::audio::{
    AudioError,
    device::{Chosen, Health, OPEN_MAX, Stream, duration_at, error_handler, samples_in},
    meter::Meter,
    pace::FRAME_TIME,
    priority,
};

/// What the ring holds: a longer stall of the sound thread loses sound.
const RING: Duration = Duration::from_millis(500);

/// Samples that a callback mixes at a time, on its stack.
const MIX_SAMPLES: usize = 64;

/// The sound thread's side of the ring.
pub(super) struct Ring {
    ring: HeapCons<f32>,
    meter: Arc<Meter>,
}

impl Ring {
    /// Opens a stream that fills the ring.
    pub(super) fn open(
        chosen: &Chosen,
        health: &Arc<Health>,
    ) -> Result<(Self, Stream), AudioError> {
        let rate = chosen.config.sample_rate;
        let meter = Arc::<Meter>::default();
        let (producer, ring) = HeapRb::new(samples_in(RING, rate)).split();
        let tap = Tap {
            ring: producer,
            channels: usize::from(chosen.config.channels),
            rate,
            raises: chosen.raises_callbacks(),
            meter: Arc::clone(&meter),
        };
        let stream = chosen.run(match chosen.format {
            SampleFormat::I16 => build::<i16>(chosen, health, tap),
            SampleFormat::I32 => build::<i32>(chosen, health, tap),
            _ => build::<f32>(chosen, health, tap),
        })?;
        Ok((Self { ring, meter }, stream))
    }

    /// From now on whoever looks is woken when there is a frame.
    pub(super) fn look(&self) {
        self.meter.wake_me();
    }

    /// What waits in it, in samples.
    pub(super) fn waiting(&self) -> usize {
        self.ring.occupied_len()
    }

    /// The most that came at a time, in samples.
    pub(super) fn period(&self) -> usize {
        self.meter.period_frames()
    }

    /// Moves as many samples to `sound` as there are, or as it has room for; how many that were.
    pub(super) fn pop(&mut self, sound: &mut [f32]) -> usize {
        self.ring.pop_slice(sound)
    }

    /// From the mouth until the last sound of a callback came here, as far as the device tells.
    pub(super) fn latency(&self) -> Duration {
        self.meter.latency()
    }

    /// Throws away what waits.
    pub(super) fn clear(&mut self) {
        self.ring.clear();
    }

    /// Times that sound was dropped, since this was last asked.
    pub(super) fn overruns(&self) -> u32 {
        self.meter.glitches()
    }
}

fn build<T: SizedSample>(
    chosen: &Chosen,
    health: &Arc<Health>,
    mut tap: Tap,
) -> Result<cpal::Stream, cpal::Error>
where
    f32: FromSample<T>,
{
    let on_error = error_handler(Arc::clone(&tap.meter), Arc::clone(health));
    chosen.device.build_input_stream::<T, _, _>(
        chosen.config,
        move |data, info| tap.take(data, age(info)),
        on_error,
        Some(OPEN_MAX),
    )
}

/// How long ago the first sound of a callback was said, as far as the device tells.
fn age(info: &InputCallbackInfo) -> Duration {
    let told = info.timestamp();
    told.callback.saturating_duration_since(told.capture)
}

/// The callback's side of the ring.
struct Tap {
    ring: HeapProd<f32>,
    channels: usize,
    rate: u32,
    /// The thread that calls back is given priority the first time.
    raises: bool,
    meter: Arc<Meter>,
}

impl Tap {
    /// REAL-TIME: called by the device for every buffer, of any length, the first of which was said
    /// so long ago. Mixes the channels to one.
    fn take<T: Sample>(&mut self, data: &[T], age: Duration)
    where
        f32: FromSample<T>,
    {
        if mem::take(&mut self.raises) {
            priority::raise();
        }
        let frames = data.len() / self.channels;
        let mut mixed = [0.0; MIX_SAMPLES];
        let mut dropped = 0;
        for piece in data.chunks(MIX_SAMPLES * self.channels) {
            let mut length = 0;
            for (mono, channels) in mixed.iter_mut().zip(piece.chunks_exact(self.channels)) {
                let sum: f32 = channels
                    .iter()
                    .map(|&sample| f32::from_sample(sample))
                    .sum();
                *mono = sum / self.channels as f32;
                length += 1;
            }
            dropped += length - self.ring.push_slice(&mixed[..length]);
        }
        if dropped > 0 {
            self.meter.glitched();
        }
        let latency = age.saturating_sub(duration_at(frames, self.rate));
        self.meter.moved(frames, latency);
        // With less than a frame there is nothing to do.
        if self.ring.occupied_len() >= samples_in(FRAME_TIME, self.rate) {
            self.meter.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use assert_no_alloc::assert_no_alloc;

    use super::*;

    const MILLI: Duration = Duration::from_millis(1);

    fn tap(channels: usize, capacity: usize) -> (Tap, HeapCons<f32>) {
        let (ring, taken) = HeapRb::new(capacity).split();
        (
            Tap {
                ring,
                channels,
                rate: 48_000,
                raises: false,
                meter: Arc::default(),
            },
            taken,
        )
    }

    #[test]
    fn the_callback_mixes_any_channels_and_formats_without_allocating() {
        let (mut tap, mut taken) = tap(2, 4_000);
        let floats: Vec<f32> = (0..2_048).map(|n| n as f32 / 2_048.0).collect();
        let integers = vec![i16::MIN; 200];
        let wide = [i32::MAX / 2 + 1, 0];
        assert_no_alloc(|| {
            tap.take(&floats, MILLI * 30);
            tap.take(&integers, MILLI);
            tap.take(&wide, MILLI * 30);
        });
        let mut out = vec![0.0; 2_000];
        assert_eq!(taken.pop_slice(&mut out), 1_024 + 100 + 1);
        for (n, sample) in out[..1_024].iter().enumerate() {
            assert_eq!(*sample, (n as f32 * 2.0 + 0.5) / 1_024.0 / 2.0);
        }
        assert_eq!(out[1_024..1_124], [-1.0; 100]);
        assert_eq!(out[1_124], 0.25);
        assert_eq!(
            (tap.meter.period_frames(), tap.meter.glitches()),
            (1_024, 0)
        );
    }

    #[test]
    fn the_last_sample_of_a_callback_is_younger_than_the_first() {
        let (mut tap, _taken) = tap(2, 4_000);
        for (age, frames, expected) in [(30, 480, 20), (10, 480, 0), (1, 480, 0), (30, 0, 30)] {
            tap.take(&vec![0.0f32; 2 * frames], MILLI * age);
            assert_eq!(tap.meter.latency(), MILLI * expected);
        }
    }

    #[test]
    fn a_full_ring_drops_the_rest_and_counts_without_allocating() {
        let (mut tap, mut taken) = tap(1, 100);
        let sound = vec![0.5f32; 480];
        assert_no_alloc(|| {
            tap.take(&sound, MILLI);
            tap.take(&sound, MILLI);
        });
        assert_eq!(taken.pop_slice(&mut [0.0; 200]), 100);
        assert_eq!(tap.meter.glitches(), 2);
    }
}
