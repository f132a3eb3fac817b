//! Time for sound that has no clock of its own, and for devices whose clock stands still.

use std::time::{Duration, Instant};

/// The time between two frames.
pub(super) const FRAME_TIME: Duration = Duration::from_millis(10);

/// A schedule that is farther behind than this leaves out what it missed.
const CATCH_UP_MAX: Duration = Duration::from_millis(200);

/// A device that has moved nothing for so long stands still: many times its period.
const STANDSTILL_MIN: Duration = Duration::from_millis(300);

/// The time between two words about a device.
const NOTICE_MIN: Duration = Duration::from_secs(1);

/// A schedule of one frame every 10 ms, which does not drift.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    next: Instant,
}

impl Pace {
    /// The first frame is due at `next`.
    pub(super) fn starting(next: Instant) -> Self {
        Self { next }
    }

    /// When the next frame is due.
    pub(super) fn next(&self) -> Instant {
        self.next
    }

    /// Whether a frame is due; it is then taken for done.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        let due = now >= self.next;
        if due {
            self.next += FRAME_TIME;
        }
        due
    }

    /// Leaves out frames that can no longer be caught up with, and tells how many: none, as long
    /// as the schedule is no more than 200 ms behind.
    pub(super) fn leave_out(&mut self, now: Instant) -> u32 {
        let behind = now.saturating_duration_since(self.next);
        if behind <= CATCH_UP_MAX {
            return 0;
        }
        let frames = u32::try_from(behind.as_millis() / FRAME_TIME.as_millis()).unwrap_or(u32::MAX);
        self.next += FRAME_TIME * frames;
        frames
    }
}

/// Notices when a device moves nothing, and then keeps its time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standstill {
    /// Up to when all frames are accounted for.
    until: Instant,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Moving,
    /// It stands still, which has not been told yet.
    Untold,
    Told,
}

impl Standstill {
    /// The device starts to move `now`.
    pub(super) fn starting(now: Instant) -> Self {
        Self {
            until: now,
            state: State::Moving,
        }
    }

    /// The device has moved.
    pub(super) fn moved(&mut self, now: Instant) {
        *self = Self::starting(now);
    }

    /// Whether the device stands still, and the time of a frame has passed without it; that frame
    /// is then taken for done.
    pub(super) fn frame_passed(&mut self, now: Instant) -> bool {
        let behind = now.saturating_duration_since(self.until);
        if self.state == State::Moving {
            if behind < STANDSTILL_MIN {
                return false;
            }
            self.state = State::Untold;
        }
        let passed = behind >= FRAME_TIME;
        if passed {
            self.until += FRAME_TIME;
        }
        passed
    }

    /// Up to when all frames are accounted for.
    pub(super) fn until(&self) -> Instant {
        self.until
    }

    /// Whether the device stands still.
    pub(super) fn is_standing(&self) -> bool {
        self.state != State::Moving
    }

    /// Whether the device has come to a standstill; told once for each.
    pub(super) fn is_new(&mut self) -> bool {
        let new = self.state == State::Untold;
        if new {
            self.state = State::Told;
        }
        new
    }
}

/// Whether a person has been told that a device is gone, or back: in turns, and not too often.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Notice {
    told_gone: bool,
    at: Option<Instant>,
}

impl Notice {
    /// Whether it is to be told now that the device is gone, or back. What comes back and goes
    /// within a second of the last word is not told.
    pub(super) fn is_due(&mut self, gone: bool, now: Instant) -> bool {
        let told_lately = self
            .at
            .is_some_and(|at| now.saturating_duration_since(at) < NOTICE_MIN);
        let due = gone != self.told_gone && !told_lately;
        if due {
            self.told_gone = gone;
            self.at = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_and_comes_all_the_time_is_told_in_turns_once_a_second() {
        let origin = Instant::now();
        let mut notice = Notice::default();
        assert!(!notice.is_due(false, origin));
        let told: Vec<(u32, bool)> = (0..3_500)
            .map(|at| (at, at < 3_400 && at % 20 < 10))
            .filter(|&(at, gone)| notice.is_due(gone, origin + MILLI * at))
            .collect();
        assert_eq!(
            told,
            [
                (0, true),
                (1_010, false),
                (2_010 + 10, true),
                (3_020 + 10, false)
            ]
        );
    }

    const MILLI: Duration = Duration::from_millis(1);

    #[test]
    fn a_schedule_catches_up_with_200_ms_and_leaves_out_more() {
        let origin = Instant::now();
        let mut pace = Pace::starting(origin);
        let mut due = |now: Duration| {
            let left_out = pace.leave_out(origin + now);
            (
                left_out,
                (0..100).take_while(|_| pace.is_due(origin + now)).count(),
            )
        };
        assert_eq!(due(Duration::ZERO), (0, 1));
        assert_eq!(due(MILLI * 9), (0, 0));
        assert_eq!(due(MILLI * 19), (0, 1));
        assert_eq!(due(MILLI * 220), (0, 21));
        assert_eq!(due(MILLI * 431), (20, 1));
        assert_eq!(due(MILLI * 440), (0, 1));
        assert_eq!(due(MILLI * 3_600_441), (359_999, 1));
        assert_eq!(due(MILLI * 3_600_450), (0, 1));
    }

    #[test]
    fn a_device_that_stands_still_is_told_once_and_loses_no_time() {
        let origin = Instant::now();
        let mut standstill = Standstill::starting(origin);
        let mut passed = 0;
        for millis in 0..1_000 {
            passed += u32::from(standstill.frame_passed(origin + MILLI * millis));
            assert_eq!(standstill.is_new(), millis == 300);
            assert!(millis >= 300 || passed == 0);
        }
        assert_eq!(passed, 99);
        standstill.moved(origin + MILLI * 1_000);
        assert!(!standstill.frame_passed(origin + MILLI * 1_299));
        assert!(standstill.frame_passed(origin + MILLI * 1_300));
        assert!(standstill.is_new());
    }
}
