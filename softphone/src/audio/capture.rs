//! The microphone: a device's callback fills a ring, the sound thread takes frames out of it.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use cpal::{FromSample, Sample, SampleFormat, SizedSample, traits::DeviceTrait};
use ringbuf::{
    HeapCons, HeapProd, HeapRb,
    traits::{Consumer, Observer, Producer, Split},
};

#[cfg(target_os = "linux")]
use super::pulse;
use super::{
    AudioError,
    device::{
        Chosen, Direction, Health, Meter, OPEN_MAX, Stream, duration_at, error_handler, samples_in,
    },
    fresh::{Freshness, Step},
    kept::End,
    pace::FRAME_TIME,
    resample::Resampler,
};
use crate::media::{FRAME_SAMPLES, Frame, SAMPLE_RATE};

/// What the ring holds: a longer stall of the sound thread loses sound.
const RING: Duration = Duration::from_millis(500);

/// Samples that a callback mixes at a time, on its stack.
const MIX_SAMPLES: usize = 64;

/// An open microphone.
pub(super) struct Capture {
    ring: HeapCons<f32>,
    meter: Arc<Meter>,
    rate: u32,
    resampler: Resampler,
    /// Sound at the device's rate, on its way to the resampler.
    block: Box<[f32; FRAME_SAMPLES]>,
    /// Sound at 48 kHz, ready to be taken.
    ready: Vec<f32>,
    freshness: Freshness,
    /// What waited when a frame was taken: for so long its last sample had been there.
    behind: Duration,
    /// Times that sound was dropped by the sound thread.
    overruns: u64,
}

impl End for Capture {
    const DIRECTION: Direction = Direction::Input;

    fn open(chosen: &Chosen, health: &Arc<Health>) -> Result<(Self, Stream), AudioError> {
        let rate = chosen.config.sample_rate;
        let meter = Arc::new(Meter::default());
        let (producer, ring) = HeapRb::new(samples_in(RING, rate)).split();
        let tap = Tap {
            ring: producer,
            channels: usize::from(chosen.config.channels),
            frame: samples_in(FRAME_TIME, rate),
            meter: Arc::clone(&meter),
        };
        let stream = stream(chosen, health, tap)?;
        let resampler =
            Resampler::new(rate, SAMPLE_RATE).map_err(|error| AudioError::Unavailable {
                why: error.to_string(),
            })?;
        let capture = Self {
            ring,
            meter,
            rate,
            resampler,
            block: Box::new([0.0; FRAME_SAMPLES]),
            ready: Vec::with_capacity(4 * FRAME_SAMPLES),
            freshness: Freshness::starting(Instant::now()),
            behind: Duration::ZERO,
            overruns: 0,
        };
        Ok((capture, stream))
    }

    fn until(&self) -> Instant {
        self.freshness.until()
    }
}

impl Capture {
    /// How many frames of 10 ms were left out since this was last asked: old sound, which had piled
    /// up while the microphone or the sound thread stood still.
    pub(super) fn left_out(&mut self) -> u32 {
        self.freshness.left_out()
    }

    /// The next 10 ms, if they are there; silence, when the microphone stands still and its time
    /// has come, so that the peer goes on hearing from us.
    pub(super) fn next(&mut self, frame: &mut Frame, now: Instant) -> bool {
        self.meter.wake_me();
        frame.fill(0.0);
        let period = duration_at(self.meter.period_frames.load(Relaxed), self.rate);
        let waiting = self.waiting();
        let was_fresh = self.freshness.is_fresh();
        match self.freshness.step(waiting, period, now) {
            Step::Take => self.take(frame, now),
            Step::Silence => true,
            Step::Rest => false,
            Step::Discard => {
                self.ring.clear();
                self.ready.clear();
                self.overruns += u64::from(was_fresh);
                false
            }
        }
    }

    fn take(&mut self, frame: &mut Frame, now: Instant) -> bool {
        while self.ready.len() < FRAME_SAMPLES {
            // No more than it takes: what is in the ring wakes us when it is enough.
            let wanted = self.needed();
            let taken = self.ring.pop_slice(&mut self.block[..wanted]);
            if taken == 0 {
                return false;
            }
            self.resampler.push(&self.block[..taken], &mut self.ready);
        }
        self.freshness.took(now);
        frame.copy_from_slice(&self.ready[..FRAME_SAMPLES]);
        self.ready.drain(..FRAME_SAMPLES);
        self.behind = self.waiting();
        true
    }

    /// From the mouth until its sound is taken, as far as the sound system tells.
    pub(super) fn delay(&self) -> Duration {
        self.meter.latency().unwrap_or_default() + self.behind
    }

    fn waiting(&self) -> Duration {
        duration_at(self.ring.occupied_len(), self.rate)
            + duration_at(self.ready.len(), SAMPLE_RATE)
    }

    /// Samples of the device that make what is ready a frame, or a part of them.
    fn needed(&self) -> usize {
        let missing = FRAME_SAMPLES - self.ready.len().min(FRAME_SAMPLES);
        let needed = (missing as u64 * u64::from(self.rate)).div_ceil(u64::from(SAMPLE_RATE));
        usize::try_from(needed)
            .unwrap_or(usize::MAX)
            .clamp(1, FRAME_SAMPLES)
    }

    /// Whether the microphone has come to a standstill, told once for each.
    pub(super) fn stands_still(&mut self) -> bool {
        self.freshness.stands_still()
    }

    /// Times that sound was dropped, here or in the device, since this was last asked.
    pub(super) fn overruns(&mut self) -> u64 {
        std::mem::take(&mut self.overruns) + u64::from(self.meter.glitches.swap(0, Relaxed))
    }
}

/// A stream that runs, to the callback's side of the ring.
fn stream(chosen: &Chosen, health: &Arc<Health>, tap: Tap) -> Result<Stream, AudioError> {
    #[cfg(target_os = "linux")]
    if let Some(wanted) = chosen.pulse() {
        let (mut tap, health) = (tap, Arc::clone(health));
        let meter = Arc::clone(&tap.meter);
        return pulse::record(
            &wanted,
            meter,
            move |data| tap.take(data),
            move |why| health.lose(why),
        )
        .map(Stream::Pulse)
        .map_err(|error| chosen.failed(&error));
    }
    chosen.run(match chosen.format {
        SampleFormat::I16 => build::<i16>(chosen, health, tap),
        SampleFormat::I32 => build::<i32>(chosen, health, tap),
        _ => build::<f32>(chosen, health, tap),
    })
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
        move |data, _| tap.take(data),
        on_error,
        Some(OPEN_MAX),
    )
}

/// The callback's side of the ring.
struct Tap {
    ring: HeapProd<f32>,
    channels: usize,
    /// Samples of 10 ms: with fewer there is nothing to do.
    frame: usize,
    meter: Arc<Meter>,
}

impl Tap {
    /// REAL-TIME: called by the device for every buffer, of any length. Mixes the channels to one.
    fn take<T: Sample>(&mut self, data: &[T])
    where
        f32: FromSample<T>,
    {
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
            self.meter.glitches.fetch_add(1, Relaxed);
        }
        self.meter.saw(frames);
        if self.ring.occupied_len() >= self.frame {
            self.meter.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use assert_no_alloc::assert_no_alloc;

    use super::*;

    fn tap(channels: usize, capacity: usize) -> (Tap, HeapCons<f32>) {
        let (ring, taken) = HeapRb::new(capacity).split();
        (
            Tap {
                ring,
                channels,
                frame: 480,
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
            tap.take(&floats);
            tap.take(&integers);
            tap.take(&wide);
        });
        let mut out = vec![0.0; 2_000];
        assert_eq!(taken.pop_slice(&mut out), 1_024 + 100 + 1);
        for (n, sample) in out[..1_024].iter().enumerate() {
            assert_eq!(*sample, (n as f32 * 2.0 + 0.5) / 1_024.0 / 2.0);
        }
        assert_eq!(out[1_024..1_124], [-1.0; 100]);
        assert_eq!(out[1_124], 0.25);
        assert_eq!(tap.meter.period_frames.load(Relaxed), 1_024);
        assert_eq!(tap.meter.glitches.load(Relaxed), 0);
    }

    #[test]
    fn a_full_ring_drops_the_rest_and_counts_without_allocating() {
        let (mut tap, mut taken) = tap(1, 100);
        let sound = vec![0.5f32; 480];
        assert_no_alloc(|| {
            tap.take(&sound);
            tap.take(&sound);
        });
        assert_eq!(taken.pop_slice(&mut [0.0; 200]), 100);
        assert_eq!(tap.meter.glitches.load(Relaxed), 2);
    }
}
