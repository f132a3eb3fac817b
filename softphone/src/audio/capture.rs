//! The microphone: the sound thread takes frames out of what it has delivered.

mod ring;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use self::ring::Ring;
#[cfg(target_os = "linux")]
use super::pulse::{self, Intake};
use super::{
    AudioError,
    device::{Chosen, Direction, Health, Stream, duration_at},
    fresh::{Freshness, Step},
    kept::End,
    resample::Resampler,
    wait::Alarm,
};
use crate::media::{FRAME_SAMPLES, Frame, SAMPLE_RATE};

/// An open microphone.
pub(super) struct Capture {
    way: Way,
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

/// How sound gets here.
enum Way {
    /// A callback puts it into a ring.
    Ring(Ring),
    /// It is taken as the sound server sends it.
    #[cfg(target_os = "linux")]
    Intake(Intake),
}

impl End for Capture {
    const DIRECTION: Direction = Direction::Input;

    fn open(chosen: &Chosen, health: &Arc<Health>) -> Result<(Self, Stream), AudioError> {
        let rate = chosen.config.sample_rate;
        let (way, stream) = Way::open(chosen, health)?;
        let resampler =
            Resampler::new(rate, SAMPLE_RATE).map_err(|error| AudioError::Unavailable {
                why: error.to_string(),
            })?;
        let capture = Self {
            way,
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
        frame.fill(0.0);
        self.way.look();
        let period = duration_at(self.way.period(), self.rate);
        let waiting = self.waiting();
        let was_fresh = self.freshness.is_fresh();
        match self.freshness.step(waiting, period, now) {
            Step::Take => self.take(frame, now),
            Step::Silence => true,
            Step::Rest => false,
            Step::Discard => {
                self.way.clear();
                self.ready.clear();
                self.overruns += u64::from(was_fresh);
                false
            }
        }
    }

    fn take(&mut self, frame: &mut Frame, now: Instant) -> bool {
        while self.ready.len() < FRAME_SAMPLES {
            // No more than it takes: a ring wakes us when what is in it is enough.
            let wanted = self.needed();
            let taken = self.way.pop(&mut self.block[..wanted]);
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
        let resampled = duration_at(self.resampler.delay_samples(), SAMPLE_RATE);
        self.way.latency() + self.behind + resampled
    }

    fn waiting(&self) -> Duration {
        duration_at(self.way.waiting(), self.rate) + duration_at(self.ready.len(), SAMPLE_RATE)
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
        std::mem::take(&mut self.overruns) + u64::from(self.way.overruns())
    }

    /// What it is woken by.
    pub(super) fn alarm(&self) -> Alarm<'_> {
        self.way.alarm()
    }
}

impl Way {
    fn open(chosen: &Chosen, health: &Arc<Health>) -> Result<(Self, Stream), AudioError> {
        #[cfg(target_os = "linux")]
        if let Some(wanted) = chosen.pulse() {
            let (intake, stream) =
                pulse::record(&wanted, health).map_err(|error| chosen.failed(&error))?;
            return Ok((Self::Intake(intake), Stream::Pulse(stream)));
        }
        let (ring, stream) = Ring::open(chosen, health)?;
        Ok((Self::Ring(ring), stream))
    }

    /// Takes what has come.
    fn look(&mut self) {
        match self {
            Self::Ring(ring) => ring.look(),
            #[cfg(target_os = "linux")]
            Self::Intake(intake) => intake.look(),
        }
    }

    fn waiting(&self) -> usize {
        match self {
            Self::Ring(ring) => ring.waiting(),
            #[cfg(target_os = "linux")]
            Self::Intake(intake) => intake.waiting(),
        }
    }

    fn period(&self) -> usize {
        match self {
            Self::Ring(ring) => ring.period(),
            #[cfg(target_os = "linux")]
            Self::Intake(intake) => intake.period(),
        }
    }

    fn pop(&mut self, sound: &mut [f32]) -> usize {
        match self {
            Self::Ring(ring) => ring.pop(sound),
            #[cfg(target_os = "linux")]
            Self::Intake(intake) => intake.pop(sound),
        }
    }

    fn clear(&mut self) {
        match self {
            Self::Ring(ring) => ring.clear(),
            #[cfg(target_os = "linux")]
            Self::Intake(intake) => intake.clear(),
        }
    }

    fn latency(&self) -> Duration {
        match self {
            Self::Ring(ring) => ring.latency(),
            #[cfg(target_os = "linux")]
            Self::Intake(intake) => intake.latency().unwrap_or_default(),
        }
    }

    fn overruns(&mut self) -> u32 {
        match self {
            Self::Ring(ring) => ring.overruns(),
            #[cfg(target_os = "linux")]
            Self::Intake(intake) => intake.overruns(),
        }
    }

    fn alarm(&self) -> Alarm<'_> {
        match self {
            Self::Ring(_) => Alarm::Callback,
            #[cfg(target_os = "linux")]
            Self::Intake(intake) => intake.socket().map_or(Alarm::Clock, Alarm::Socket),
        }
    }
}
