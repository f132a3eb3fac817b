//! The ring between the sound thread and a loudspeaker that calls back.

use std::{
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use cpal::{
    FromSample, OutputCallbackInfo, Sample, SampleFormat, SizedSample, traits::DeviceTrait,
};
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

/// What the ring can hold; what it is kept at is much less.
const RING: Duration = Duration::from_millis(500);

/// What the ring is kept at, beside the device's period: how late the sound thread may come.
const RESERVE: Duration = Duration::from_millis(10);

/// A device's period is the most that one callback took in the last one or two of these.
const PERIOD_WINDOW: Duration = Duration::from_secs(1);

/// Samples that a callback moves at a time, on its stack.
const MIX_SAMPLES: usize = 64;

/// The sound thread's side of the ring.
pub(super) struct Ring {
    ring: HeapProd<f32>,
    meter: Arc<Meter>,
    rate: u32,
    period: Period,
    /// What the ring is kept at, in samples.
    target: usize,
}

/// The device's period, as it was seen.
struct Period {
    frames: usize,
    since: Instant,
}

impl Ring {
    /// Opens a stream that takes what is in the ring.
    pub(super) fn open(
        chosen: &Chosen,
        health: &Arc<Health>,
    ) -> Result<(Self, Stream), AudioError> {
        let rate = chosen.config.sample_rate;
        let meter = Arc::<Meter>::default();
        let (ring, consumer) = HeapRb::new(samples_in(RING, rate)).split();
        let filler = Filler {
            ring: consumer,
            channels: usize::from(chosen.config.channels),
            rate,
            raises: chosen.raises_callbacks(),
            begun: false,
            meter: Arc::clone(&meter),
        };
        let stream = chosen.run(match chosen.format {
            SampleFormat::I16 => build::<i16>(chosen, health, filler),
            SampleFormat::I32 => build::<i32>(chosen, health, filler),
            _ => build::<f32>(chosen, health, filler),
        })?;
        let period = samples_in(FRAME_TIME, rate);
        let ring = Self {
            ring,
            meter,
            rate,
            period: Period {
                frames: period,
                since: Instant::now(),
            },
            target: period,
        };
        Ok((ring, stream))
    }

    /// Whether it is to be filled: it is kept at a period and [`RESERVE`].
    pub(super) fn wants(&mut self, now: Instant) -> bool {
        self.meter.wake_me();
        let seen = self.meter.period_frames();
        if now.saturating_duration_since(self.period.since) >= PERIOD_WINDOW {
            self.measure_anew(seen, now);
        }
        let target = self.period.frames.max(seen) + samples_in(RESERVE, self.rate);
        self.target = target.min(self.ring.capacity().get() / 2);
        self.is_low()
    }

    /// Whether it holds less than it was last to be kept at.
    pub(super) fn is_low(&self) -> bool {
        self.ring.occupied_len() < self.target
    }

    /// The period is at least so many frames, and what was seen before tells nothing of it.
    pub(super) fn measure_anew(&mut self, frames: usize, now: Instant) {
        self.meter.forget_period();
        self.period = Period { frames, since: now };
    }

    /// Puts sound into it, which is wanted.
    pub(super) fn write(&mut self, sound: &[f32]) {
        // It fits: the ring is never kept more than half full.
        self.ring.push_slice(sound);
    }

    /// Whether it holds no more than it is kept at, give or take a frame.
    pub(super) fn is_level(&self) -> bool {
        self.ring.occupied_len() <= self.target + samples_in(FRAME_TIME, self.rate)
    }

    /// What waits in it before the last frame that was written.
    pub(super) fn delay(&self) -> Duration {
        duration_at(self.ring.occupied_len(), self.rate).saturating_sub(FRAME_TIME)
    }

    /// Whether nothing waits in it.
    pub(super) fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }

    /// From the ring to the ear, as far as the device tells.
    pub(super) fn latency(&self) -> Duration {
        self.meter.latency()
    }

    /// Times that the device wanted more than there was, since this was last asked.
    pub(super) fn underruns(&self) -> u32 {
        self.meter.glitches()
    }
}

fn build<T: SizedSample + FromSample<f32>>(
    chosen: &Chosen,
    health: &Arc<Health>,
    mut filler: Filler,
) -> Result<cpal::Stream, cpal::Error> {
    let on_error = error_handler(Arc::clone(&filler.meter), Arc::clone(health));
    chosen.device.build_output_stream::<T, _, _>(
        chosen.config,
        move |data, info| filler.fill(data, turn(info)),
        on_error,
        Some(OPEN_MAX),
    )
}

/// How long it takes until what a callback gives first is heard, as far as the device tells.
fn turn(info: &OutputCallbackInfo) -> Duration {
    let told = info.timestamp();
    told.playback.saturating_duration_since(told.callback)
}

/// The callback's side of the ring.
struct Filler {
    ring: HeapCons<f32>,
    channels: usize,
    rate: u32,
    /// The thread that calls back is given priority the first time.
    raises: bool,
    /// The sound thread has begun to fill the ring.
    begun: bool,
    meter: Arc<Meter>,
}

impl Filler {
    /// REAL-TIME: called by the device for every buffer, of any length, the first of which is heard
    /// after `turn`. Gives all channels the same, and silence when there is nothing.
    fn fill<T: Sample + FromSample<f32>>(&mut self, data: &mut [T], turn: Duration) {
        if mem::take(&mut self.raises) {
            priority::raise();
        }
        let frames = data.len() / self.channels;
        self.begun |= !self.ring.is_empty();
        let mut mono = [0.0; MIX_SAMPLES];
        let mut missing = 0;
        for piece in data.chunks_mut(MIX_SAMPLES * self.channels) {
            let wanted = piece.len() / self.channels;
            let filled = self.ring.pop_slice(&mut mono[..wanted]);
            mono[filled..wanted].fill(0.0);
            missing += wanted - filled;
            for (&sample, channels) in mono.iter().zip(piece.chunks_mut(self.channels)) {
                channels.fill(T::from_sample(sample));
            }
        }
        if missing > 0 && self.begun {
            self.meter.glitched();
        }
        // What is not taken yet waits for the next callback, a buffer later.
        let latency = turn.saturating_add(duration_at(frames, self.rate));
        self.meter.moved(frames, latency);
        self.meter.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use assert_no_alloc::assert_no_alloc;

    use super::*;

    fn filler(channels: usize) -> (HeapProd<f32>, Filler) {
        let (ring, consumer) = HeapRb::new(4_000).split();
        (
            ring,
            Filler {
                ring: consumer,
                channels,
                rate: 48_000,
                raises: false,
                begun: false,
                meter: Arc::default(),
            },
        )
    }

    #[test]
    fn the_callback_fills_all_channels_of_any_format_without_allocating() {
        let (mut ring, mut filler) = filler(2);
        let sound: Vec<f32> = (0..1_024).map(|n| n as f32 / 1_024.0).collect();
        let (mut floats, mut integers, mut wide) = ([9.0f32; 2_048], [9i16; 6], [9i32; 2]);
        ring.push_slice(&sound);
        ring.push_slice(&[-1.0, 0.5, 0.0, -0.25]);
        assert_no_alloc(|| {
            filler.fill(&mut floats, Duration::ZERO);
            filler.fill(&mut integers, Duration::ZERO);
            filler.fill(&mut wide, Duration::ZERO);
        });
        for (n, channels) in floats.chunks(2).enumerate() {
            assert_eq!(channels, [sound[n]; 2]);
        }
        assert_eq!(integers, [i16::MIN, i16::MIN, 16_384, 16_384, 0, 0]);
        assert_eq!(wide, [i32::MIN / 4; 2]);
        assert_eq!(
            (filler.meter.period_frames(), filler.meter.glitches()),
            (1_024, 0)
        );
    }

    #[test]
    fn what_ring_and_device_tell_adds_up_to_when_a_frame_is_heard() {
        const MILLI: Duration = Duration::from_millis(1);
        let origin = Instant::now();
        for (period, turn) in [(480, 10), (480, 7), (960, 20), (240, 3)] {
            let (producer, mut filler) = filler(1);
            let mut ring = Ring {
                ring: producer,
                meter: Arc::clone(&filler.meter),
                rate: 48_000,
                period: Period {
                    frames: period,
                    since: origin,
                },
                target: period,
            };
            // When each frame was written, and what was then told of it.
            let mut written: VecDeque<(Instant, Duration)> = VecDeque::new();
            let (mut heard, mut now) = (0, origin);
            for _ in 0..40 {
                let mut played = vec![0.0f32; period];
                filler.fill(&mut played, MILLI * turn);
                // Each frame begins with a click.
                let clicks = (0..period).filter(|n| played[*n] > 0.0);
                for click in clicks {
                    let (at, told) = written.pop_front().unwrap();
                    let hears = now + MILLI * turn + duration_at(click, 48_000);
                    assert_eq!(at + told, hears, "{period} {turn}");
                    heard += 1;
                }
                while ring.wants(now) {
                    let mut frame = [0.0; 480];
                    frame[0] = 1.0;
                    ring.write(&frame);
                    written.push_back((now, ring.delay() + ring.latency()));
                }
                now += duration_at(period, 48_000);
            }
            assert!(heard > 10, "{heard}");
        }
    }

    #[test]
    fn an_empty_ring_is_silence_and_counts_once_sound_has_begun() {
        let (mut ring, mut filler) = filler(1);
        let mut out = [9.0f32; 480];
        assert_no_alloc(|| filler.fill(&mut out, Duration::ZERO));
        assert_eq!(out, [0.0; 480]);
        assert_eq!(filler.meter.glitches(), 0);
        ring.push_slice(&[0.5; 100]);
        assert_no_alloc(|| filler.fill(&mut out, Duration::ZERO));
        assert_eq!((out[99], out[100]), (0.5, 0.0));
        assert_no_alloc(|| filler.fill(&mut out, Duration::ZERO));
        assert_eq!(filler.meter.glitches(), 2);
    }
}
