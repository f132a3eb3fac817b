//! Where the sound that is sent comes from: a microphone, a file, silence or what is heard.

use std::time::{Duration, Instant};

use super::{
    AudioError, Input, VoiceEvent,
    capture::Capture,
    crossing::Line,
    file::Clip,
    kept::{Kept, Opening},
    pace::{FRAME_TIME, Pace},
    wait::Alarm,
};
use crate::media::{Frame, SILENCE};

/// Frames sent after the end of a file, before it is told: the encoder looks ahead, and packets
/// are of two frames.
const TAIL_FRAMES: u32 = 4;

/// A microphone that has just been opened is listened to for so long before it takes over: what it
/// delivers first may be old, and come at once.
const WARM_FRAMES: u32 = 5;

/// Where sound comes from, 10 ms at a time.
pub(super) enum Source {
    Device(Kept<Capture>),
    /// `past_end` counts the frames after the end.
    File {
        clip: Clip,
        pace: Pace,
        past_end: u32,
    },
    Silence(Pace),
    /// What was played just now.
    Echo,
}

/// One that is being opened.
pub(super) enum SourceOpening {
    Device(Opening<Capture>),
    Open(Source),
}

impl SourceOpening {
    /// Begins to open a device, and opens everything else.
    pub(super) fn begin(input: &Input) -> Result<Self, AudioError> {
        let pace = Pace::starting(Instant::now());
        Ok(match input {
            Input::Default => Self::Device(Opening::begin(None)?),
            Input::Device(wanted) => Self::Device(Opening::begin(Some(wanted))?),
            Input::File(path) => Self::Open(Source::File {
                clip: Clip::open(path)?,
                pace,
                past_end: 0,
            }),
            Input::Silence => Self::Open(Source::Silence(pace)),
            Input::Echo => Self::Open(Source::Echo),
        })
    }

    /// Waits until it is open, for some seconds at most, or until `given_up`, which is asked all
    /// the time; then it is [`AudioError::Unavailable`].
    pub(super) fn finish(self, given_up: impl Fn() -> bool) -> Result<Source, AudioError> {
        match self {
            Self::Device(opening) => opening.finish(given_up).map(Source::Device),
            Self::Open(source) => Ok(source),
        }
    }
}

impl Source {
    /// The next 10 ms, if they are there. A file waits for the call to be `open`. What happens to
    /// a file is told.
    pub(super) fn next(
        &mut self,
        frame: &mut Frame,
        now: Instant,
        open: bool,
        tell: impl FnOnce(VoiceEvent),
    ) -> bool {
        *frame = SILENCE;
        let (event, pace) = match self {
            Self::Device(kept) => {
                return match kept.end() {
                    Ok(capture) => capture.next(frame, now),
                    Err(pace) => pace.is_due(now),
                };
            }
            Self::Silence(pace) => return pace.is_due(now),
            Self::Echo => return false,
            Self::File {
                clip,
                pace,
                past_end,
            } => {
                if !pace.is_due(now) {
                    return false;
                }
                if !open {
                    return true;
                }
                match clip.next(frame) {
                    Ok(true) => return true,
                    Ok(false) if *past_end < TAIL_FRAMES => {
                        *past_end += 1;
                        return true;
                    }
                    Ok(false) => (VoiceEvent::InputEnded, *pace),
                    Err(why) => (VoiceEvent::InputLost { why }, *pace),
                }
            }
        };
        tell(event);
        *self = Self::Silence(pace);
        true
    }

    /// Takes the stream that has been opened, and goes on by the clock without one that is lost;
    /// why it is.
    pub(super) fn attend(&mut self) -> Option<&AudioError> {
        match self {
            Self::Device(kept) => kept.attend(),
            Self::File { .. } | Self::Silence(_) | Self::Echo => None,
        }
    }

    /// Leaves out what a stall has made too late: how many frames, and whether it stood still.
    pub(super) fn leave_out(&mut self, now: Instant) -> (u32, bool) {
        match self {
            Self::Device(kept) => match kept.end() {
                Ok(capture) => (capture.left_out(), capture.stands_still()),
                Err(pace) => (pace.leave_out(now), false),
            },
            Self::File { pace, .. } | Self::Silence(pace) => (pace.leave_out(now), false),
            Self::Echo => (0, false),
        }
    }

    /// From the mouth until its sound is taken, as far as that is known.
    pub(super) fn delay(&mut self) -> Duration {
        match self {
            Self::Device(kept) => kept.end().map_or(Duration::ZERO, |it| it.delay()),
            Self::File { .. } | Self::Silence(_) | Self::Echo => Duration::ZERO,
        }
    }

    /// When it is to be looked at next. What is played wakes an echo.
    pub(super) fn wakes(&self, now: Instant) -> Instant {
        match self {
            Self::File { pace, .. } | Self::Silence(pace) => pace.next(),
            // It wakes us itself, unless it stands still.
            Self::Device(_) => now + 2 * FRAME_TIME,
            Self::Echo => now + FRAME_TIME,
        }
    }

    /// What it is woken by.
    pub(super) fn alarm(&self) -> Alarm<'_> {
        match self {
            Self::Device(kept) => kept.there().map_or(Alarm::Clock, Capture::alarm),
            Self::File { .. } | Self::Silence(_) | Self::Echo => Alarm::Clock,
        }
    }

    /// Times that sound was dropped, since this was last asked.
    pub(super) fn overruns(&mut self) -> u64 {
        match self {
            Self::Device(kept) => kept.end().map_or(0, Capture::overruns),
            Self::File { .. } | Self::Silence(_) | Self::Echo => 0,
        }
    }

    fn pace(&mut self) -> Option<&mut Pace> {
        match self {
            Self::File { pace, .. } | Self::Silence(pace) => Some(pace),
            Self::Device(_) | Self::Echo => None,
        }
    }
}

impl Line for Source {
    fn starts(&mut self, at: Instant) {
        if let Some(pace) = self.pace() {
            *pace = Pace::starting(at);
        }
    }

    fn goes_on(&mut self, now: Instant) -> Instant {
        self.pace().map_or(now + FRAME_TIME, |pace| pace.next())
    }

    fn warms(&mut self, now: Instant, frames: &mut u32) -> bool {
        let Self::Device(kept) = self else {
            return true;
        };
        let _ = kept.attend();
        if let Ok(capture) = kept.end() {
            let mut unheard = SILENCE;
            while capture.next(&mut unheard, now) {
                *frames += 1;
            }
        }
        *frames >= WARM_FRAMES
    }

    fn waits_for(&self) -> Duration {
        match self {
            Self::Echo => Duration::ZERO,
            Self::Device(_) | Self::File { .. } | Self::Silence(_) => 5 * FRAME_TIME,
        }
    }
}
