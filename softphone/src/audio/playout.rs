//! The loudspeaker: the sound thread gives it what it is to play.

mod ring;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use self::ring::Ring;
#[cfg(target_os = "linux")]
use super::pulse::{self, Feed};
use super::{
    AudioError,
    device::{Chosen, Direction, Health, Stream, duration_at, samples_in},
    kept::End,
    pace::{FRAME_TIME, Standstill},
    resample::Resampler,
    wait::Alarm,
};
use crate::media::{Frame, SAMPLE_RATE, SILENCE};

/// How long what a device takes says more of its start than of its period.
const START: Duration = Duration::from_millis(150);

/// An open loudspeaker.
pub(super) struct Playout {
    way: Way,
    rate: u32,
    resampler: Resampler,
    /// Sound at the device's rate.
    block: Vec<f32>,
    standstill: Standstill,
    opened: Instant,
    /// What it takes at its start is no longer looked at.
    started: bool,
}

/// How sound gets to it.
enum Way {
    /// A callback takes it out of a ring.
    Ring(Ring),
    /// It is written as the sound server asks for it.
    #[cfg(target_os = "linux")]
    Feed(Feed),
}

impl End for Playout {
    const DIRECTION: Direction = Direction::Output;

    fn open(chosen: &Chosen, health: &Arc<Health>) -> Result<(Self, Stream), AudioError> {
        let rate = chosen.config.sample_rate;
        let (way, stream) = Way::open(chosen, health)?;
        let resampler =
            Resampler::new(SAMPLE_RATE, rate).map_err(|error| AudioError::Unavailable {
                why: error.to_string(),
            })?;
        let now = Instant::now();
        let playout = Self {
            way,
            rate,
            resampler,
            block: Vec::with_capacity(samples_in(FRAME_TIME, rate) * 2),
            standstill: Standstill::starting(now),
            opened: now,
            started: false,
        };
        Ok((playout, stream))
    }

    fn until(&self) -> Instant {
        self.standstill.until()
    }
}

impl Playout {
    /// Whether another frame is wanted. When the loudspeaker stands still, frames are wanted at
    /// their time, to be dropped: what is heard when it moves again is then what is said at that
    /// time.
    pub(super) fn wants(&mut self, now: Instant) -> bool {
        if self.takes(now) {
            self.standstill.moved(now);
            return true;
        }
        self.standstill.frame_passed(now)
    }

    fn takes(&mut self, now: Instant) -> bool {
        match &mut self.way {
            Way::Ring(ring) => ring.wants(now),
            #[cfg(target_os = "linux")]
            Way::Feed(feed) => feed.wants(samples_in(FRAME_TIME, self.rate), now),
        }
    }

    /// Plays 10 ms, if they were wanted to be heard.
    pub(super) fn write(&mut self, frame: &Frame, now: Instant) {
        let is_wanted = match &self.way {
            Way::Ring(ring) => ring.is_low(),
            #[cfg(target_os = "linux")]
            Way::Feed(feed) => feed.owes(samples_in(FRAME_TIME, self.rate)),
        };
        if !is_wanted {
            return;
        }
        self.block.clear();
        self.resampler.push(frame, &mut self.block);
        match &mut self.way {
            Way::Ring(ring) => ring.write(&self.block),
            #[cfg(target_os = "linux")]
            Way::Feed(feed) => feed.write(&self.block, now),
        }
    }

    /// Plays silence, until the loudspeaker takes what it will go on taking: at its start it takes
    /// more. Whether it does.
    pub(super) fn warm(&mut self, now: Instant) -> bool {
        let open_for = now.saturating_duration_since(self.opened);
        if open_for >= START
            && !std::mem::replace(&mut self.started, true)
            && let Way::Ring(ring) = &mut self.way
        {
            ring.measure_anew(0, now);
        }
        while self.wants(now) {
            self.write(&SILENCE, now);
        }
        let is_level = match &self.way {
            Way::Ring(ring) => ring.is_level(),
            #[cfg(target_os = "linux")]
            Way::Feed(_) => true,
        };
        open_for >= START * 2 && is_level
    }

    /// Whoever plays looks after it every so often only.
    pub(super) fn afford(&mut self, slack: Duration) {
        match &mut self.way {
            // The ring has room for that.
            Way::Ring(_) => {}
            #[cfg(target_os = "linux")]
            Way::Feed(feed) => feed.afford(slack),
        }
    }

    /// Whether the loudspeaker has come to a standstill, told once for each.
    pub(super) fn stands_still(&mut self) -> bool {
        self.standstill.is_new()
    }

    /// What waits here, before the last frame that was written.
    pub(super) fn delay(&self) -> Duration {
        let waits = match &self.way {
            Way::Ring(ring) => ring.delay(),
            #[cfg(target_os = "linux")]
            Way::Feed(_) => Duration::ZERO,
        };
        waits + duration_at(self.resampler.delay_samples(), self.rate)
    }

    /// Whether all that was given to it has been taken, or has been played.
    pub(super) fn is_drained(&self, now: Instant) -> bool {
        match &self.way {
            Way::Ring(ring) => ring.is_empty(),
            #[cfg(target_os = "linux")]
            Way::Feed(feed) => feed.delay(now).is_zero(),
        }
    }

    /// How long the sound system and the device take from there on, as far as they tell.
    pub(super) fn device_delay(&self) -> Duration {
        match &self.way {
            Way::Ring(ring) => ring.latency(),
            // The last frame is in it.
            #[cfg(target_os = "linux")]
            Way::Feed(feed) => {
                let latency = feed.latency().unwrap_or_default();
                latency.saturating_sub(FRAME_TIME)
            }
        }
    }

    /// What it is woken by.
    pub(super) fn alarm(&self) -> Alarm<'_> {
        match &self.way {
            Way::Ring(_) => Alarm::Callback,
            #[cfg(target_os = "linux")]
            Way::Feed(feed) => feed.socket().map_or(Alarm::Clock, Alarm::Socket),
        }
    }

    /// Times that the device wanted more than there was, since this was last asked.
    pub(super) fn underruns(&mut self) -> u64 {
        u64::from(match &mut self.way {
            Way::Ring(ring) => ring.underruns(),
            #[cfg(target_os = "linux")]
            Way::Feed(feed) => feed.underruns(),
        })
    }
}

impl Way {
    fn open(chosen: &Chosen, health: &Arc<Health>) -> Result<(Self, Stream), AudioError> {
        #[cfg(target_os = "linux")]
        if let Some(wanted) = chosen.pulse() {
            let (feed, stream) =
                pulse::play(&wanted, health).map_err(|error| chosen.failed(&error))?;
            return Ok((Self::Feed(feed), Stream::Pulse(stream)));
        }
        let (ring, stream) = Ring::open(chosen, health)?;
        Ok((Self::Ring(ring), stream))
    }
}
