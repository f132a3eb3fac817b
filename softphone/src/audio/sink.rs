//! Where the sound that came goes: a loudspeaker, a file or nowhere.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::{
    AudioError, Output,
    crossing::Line,
    file::Recording,
    kept::{Kept, Opening},
    pace::{FRAME_TIME, Pace},
    playout::Playout,
    wait::Alarm,
};
use crate::media::Frame;

/// Where sound goes, 10 ms at a time.
pub(super) enum Sink {
    Device(Kept<Playout>),
    File {
        recording: Recording,
        path: PathBuf,
        pace: Pace,
    },
    /// Also in place of a file that cannot be written on, and then why.
    Nowhere(Pace, Option<AudioError>),
}

/// One that is being opened.
pub(super) enum SinkOpening {
    Device(Opening<Playout>),
    File(PathBuf),
    Nowhere,
}

impl SinkOpening {
    /// Begins to open a device; does not wait.
    pub(super) fn begin(output: &Output) -> Result<Self, AudioError> {
        Ok(match output {
            Output::Default => Self::Device(Opening::begin(None)?),
            Output::Device(wanted) => Self::Device(Opening::begin(Some(wanted))?),
            Output::File(path) => Self::File(path.clone()),
            Output::None => Self::Nowhere,
        })
    }

    /// Waits until it is open, for some seconds at most, or until `given_up`, which is asked all
    /// the time; then it is [`AudioError::Unavailable`]. A file is emptied.
    pub(super) fn finish(self, given_up: impl Fn() -> bool) -> Result<Sink, AudioError> {
        let pace = Pace::starting(Instant::now());
        match self {
            Self::Device(opening) => opening.finish(given_up).map(Sink::Device),
            Self::File(path) => {
                let recording = Recording::create(&path)?;
                Ok(Sink::File {
                    recording,
                    path,
                    pace,
                })
            }
            Self::Nowhere => Ok(Sink::Nowhere(pace, None)),
        }
    }
}

impl Sink {
    /// Whether it takes a frame now; it is then to be given one.
    pub(super) fn wants(&mut self, now: Instant) -> bool {
        match self {
            Self::File { pace, .. } | Self::Nowhere(pace, _) => pace.is_due(now),
            Self::Device(kept) => match kept.end() {
                Ok(playout) => playout.wants(now),
                Err(pace) => pace.is_due(now),
            },
        }
    }

    /// Gives it a frame that it wanted. A file takes none before the call is `open`.
    pub(super) fn write(&mut self, frame: &Frame, now: Instant, open: bool) {
        let failed = match self {
            Self::Device(kept) => {
                return kept.end().map_or((), |playout| playout.write(frame, now));
            }
            Self::File {
                recording, path, ..
            } if open => recording
                .write(frame)
                .err()
                .map(|why| cannot_write(path, why)),
            Self::File { .. } | Self::Nowhere(..) => None,
        };
        if failed.is_some() {
            *self = Self::Nowhere(Pace::starting(now + FRAME_TIME), failed);
        }
    }

    /// Takes the stream that has been opened, and goes on by the clock without one that is lost;
    /// why it is.
    pub(super) fn attend(&mut self) -> Option<&AudioError> {
        match self {
            Self::Device(kept) => kept.attend(),
            Self::Nowhere(_, why) => why.as_ref(),
            Self::File { .. } => None,
        }
    }

    /// Leaves out what a stall has made too late; whether there was any.
    pub(super) fn leave_out(&mut self, now: Instant) -> bool {
        match self {
            Self::Device(kept) => match kept.end() {
                Ok(playout) => playout.stands_still(),
                Err(pace) => pace.leave_out(now) > 0,
            },
            Self::File { pace, .. } | Self::Nowhere(pace, _) => pace.leave_out(now) > 0,
        }
    }

    /// When it is to be looked at next.
    pub(super) fn wakes(&self, now: Instant) -> Instant {
        match self {
            Self::File { pace, .. } | Self::Nowhere(pace, _) => pace.next(),
            // It wakes us itself, unless it stands still.
            Self::Device(_) => now + 2 * FRAME_TIME,
        }
    }

    /// What it is woken by.
    pub(super) fn alarm(&self) -> Alarm<'_> {
        match self {
            Self::Device(kept) => kept.there().map_or(Alarm::Clock, Playout::alarm),
            Self::File { .. } | Self::Nowhere(..) => Alarm::Clock,
        }
    }

    /// What it has taken and not given to the device before the last frame.
    pub(super) fn delay(&mut self) -> Duration {
        self.playout().map_or(Duration::ZERO, |it| it.delay())
    }

    /// How long sound takes from there on, as far as that is known.
    pub(super) fn device_delay(&mut self) -> Duration {
        self.playout()
            .map_or(Duration::ZERO, |playout| playout.device_delay())
    }

    /// Whether all that it has taken has been played.
    pub(super) fn is_drained(&mut self, now: Instant) -> bool {
        self.playout().is_none_or(|it| it.is_drained(now))
    }

    fn playout(&mut self) -> Option<&mut Playout> {
        match self {
            Self::Device(kept) => kept.end().ok(),
            Self::File { .. } | Self::Nowhere(..) => None,
        }
    }

    /// Times that it wanted more than there was, since this was last asked.
    pub(super) fn underruns(&mut self) -> u64 {
        self.playout().map_or(0, Playout::underruns)
    }

    /// Ends it; a device takes its time. Whether all that was written is in the file.
    pub(super) fn close(self) -> Result<(), AudioError> {
        match self {
            Self::File {
                recording, path, ..
            } => recording.finish().map_err(|why| cannot_write(&path, why)),
            Self::Device(_) | Self::Nowhere(..) => Ok(()),
        }
    }

    fn pace(&mut self) -> Option<&mut Pace> {
        match self {
            Self::File { pace, .. } | Self::Nowhere(pace, _) => Some(pace),
            Self::Device(_) => None,
        }
    }
}

fn cannot_write(path: &Path, why: String) -> AudioError {
    let path = path.to_owned();
    AudioError::CannotWrite { path, why }
}

impl Line for Sink {
    fn starts(&mut self, at: Instant) {
        if let Some(pace) = self.pace() {
            *pace = Pace::starting(at);
        }
    }

    fn goes_on(&mut self, now: Instant) -> Instant {
        self.pace().map_or(now + FRAME_TIME, |pace| pace.next())
    }

    fn warms(&mut self, now: Instant, _: &mut u32) -> bool {
        let Self::Device(kept) = self else {
            return true;
        };
        let _ = kept.attend();
        kept.end().is_ok_and(|playout| playout.warm(now))
    }

    fn waits_for(&self) -> Duration {
        5 * FRAME_TIME
    }
}
