//! The microphone: a device's callback fills a ring, the sound thread takes frames out of it.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed, mpsc},
    time::{Duration, Instant},
};

use cpal::{
    FromSample, Sample, SampleFormat, SizedSample, StreamConfig,
    traits::{DeviceTrait, StreamTrait},
};
use ringbuf::{
    HeapCons, HeapProd, HeapRb,
    traits::{Consumer, Observer, Producer, Split},
};

use super::{
    AudioError,
    device::{Chosen, Direction, Meter, OPEN_MAX, error_handler, samples_in},
    pace::{FRAME_TIME, Standstill},
    resample::Resampler,
};
use crate::media::{FRAME_SAMPLES, Frame, SAMPLE_RATE};

/// What the ring holds: a longer stall of the sound thread loses sound.
const RING: Duration = Duration::from_millis(500);

/// When more than this, and more than two periods, has piled up, all but a period is dropped: the
/// sound thread has stalled, and what it would send now would only come too late.
const BACKLOG_MAX: Duration = Duration::from_millis(60);

/// Samples that a callback mixes at a time, on its stack.
const MIX_SAMPLES: usize = 64;

/// An open microphone.
pub(super) struct Capture {
    ring: HeapCons<f32>,
    meter: Arc<Meter>,
    lost: mpsc::Receiver<String>,
    rate: u32,
    resampler: Resampler,
    /// Sound at the device's rate, on its way to the resampler.
    block: Box<[f32; FRAME_SAMPLES]>,
    /// Sound at 48 kHz, ready to be taken.
    ready: Vec<f32>,
    standstill: Standstill,
    /// Times that sound was dropped by the sound thread.
    overruns: u64,
    /// Ends the callbacks when it is dropped.
    _stream: cpal::Stream,
}

impl Capture {
    /// Opens the microphone that is `wanted`, or the default one. May take seconds.
    pub(super) fn open(wanted: Option<&str>) -> Result<Self, AudioError> {
        let chosen = Chosen::new(Direction::Input, wanted)?;
        let failed = |error| chosen.failed(Direction::Input, &error);
        let rate = chosen.config.sample_rate;
        let meter = Arc::new(Meter::default());
        let (producer, ring) = HeapRb::new(samples_in(RING, rate)).split();
        let tap = Tap {
            ring: producer,
            channels: usize::from(chosen.config.channels),
            meter: Arc::clone(&meter),
        };
        let (stream, lost) = match chosen.format {
            SampleFormat::I16 => build::<i16>(&chosen.device, chosen.config, tap),
            SampleFormat::I32 => build::<i32>(&chosen.device, chosen.config, tap),
            _ => build::<f32>(&chosen.device, chosen.config, tap),
        }
        .map_err(failed)?;
        stream.play().map_err(failed)?;
        let resampler =
            Resampler::new(rate, SAMPLE_RATE).map_err(|error| AudioError::Unavailable {
                why: error.to_string(),
            })?;
        Ok(Self {
            ring,
            meter,
            lost,
            rate,
            resampler,
            block: Box::new([0.0; FRAME_SAMPLES]),
            ready: Vec::with_capacity(4 * FRAME_SAMPLES),
            standstill: Standstill::starting(Instant::now()),
            overruns: 0,
            _stream: stream,
        })
    }

    /// Drops what has piled up during a stall of the sound thread; how many frames of 10 ms have
    /// been dropped since this was last called, here or by the device.
    pub(super) fn leave_out(&mut self) -> u32 {
        let mut dropped = self.meter.dropped_frames.swap(0, Relaxed);
        let period = self.meter.period_frames.load(Relaxed);
        let limit = samples_in(BACKLOG_MAX, self.rate).max(2 * period);
        let waiting = self.ring.occupied_len();
        if waiting > limit {
            dropped += self.ring.skip(waiting - period.min(waiting));
            self.overruns += 1;
        }
        u32::try_from(dropped / samples_in(FRAME_TIME, self.rate)).unwrap_or(u32::MAX)
    }

    /// The next 10 ms, if they are there; silence, when the microphone stands still and its time
    /// has come, so that the peer goes on hearing from us.
    pub(super) fn next(&mut self, frame: &mut Frame, now: Instant) -> bool {
        while self.ready.len() < FRAME_SAMPLES {
            let taken = self.ring.pop_slice(&mut self.block[..]);
            if taken == 0 {
                frame.fill(0.0);
                return self.standstill.frame_passed(now);
            }
            self.resampler.push(&self.block[..taken], &mut self.ready);
        }
        self.standstill.moved(now);
        frame.copy_from_slice(&self.ready[..FRAME_SAMPLES]);
        self.ready.drain(..FRAME_SAMPLES);
        true
    }

    /// Whether the microphone has come to a standstill, told once for each.
    pub(super) fn stands_still(&mut self) -> bool {
        self.standstill.is_new()
    }

    /// Why the device is lost, told once.
    pub(super) fn lost(&self) -> Option<String> {
        self.lost.try_recv().ok()
    }

    /// Times that sound was dropped, here or in the device.
    pub(super) fn overruns(&self) -> u64 {
        self.overruns + u64::from(self.meter.glitches.load(Relaxed))
    }
}

fn build<T: SizedSample>(
    device: &cpal::Device,
    config: StreamConfig,
    mut tap: Tap,
) -> Result<(cpal::Stream, mpsc::Receiver<String>), cpal::Error>
where
    f32: FromSample<T>,
{
    let (on_error, lost) = error_handler(Arc::clone(&tap.meter));
    let stream = device.build_input_stream::<T, _, _>(
        config,
        move |data, _| tap.take(data),
        on_error,
        Some(OPEN_MAX),
    )?;
    Ok((stream, lost))
}

/// The callback's side of the ring.
struct Tap {
    ring: HeapProd<f32>,
    channels: usize,
    meter: Arc<Meter>,
}

impl Tap {
    /// REAL-TIME: called by the device for every buffer, of any length. Mixes the channels to one.
    fn take<T: Sample>(&mut self, data: &[T])
    where
        f32: FromSample<T>,
    {
        let frames = data.len() / self.channels;
        self.meter.period_frames.fetch_max(frames, Relaxed);
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
            self.meter.dropped_frames.fetch_add(dropped, Relaxed);
            self.meter.glitches.fetch_add(1, Relaxed);
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
        assert_eq!(tap.meter.dropped_frames.load(Relaxed), 860);
    }
}
