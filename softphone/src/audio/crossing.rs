//! A line of sound that takes over from another one in the middle of a call.
//!
//! What is new is open already when the sound thread hears of it. There it runs beside the old one
//! until it has settled, unheard. Then the old one's next 10 ms fade out, and the new one's first
//! fade in: neither clicks, and no time is lost or gained. The old one is handed back, because
//! closing it may take long.

use std::{
    sync::mpsc,
    time::{Duration, Instant},
};

use super::{pace::FRAME_TIME, volume::ramp};
use crate::media::Frame;

/// What has not settled after so long takes over as it is.
const WARM_MAX: Duration = Duration::from_secs(1);

/// Something that gives sound or takes it, 10 ms at a time.
pub(super) trait Line {
    /// If it goes by the clock: its next frame is due then.
    fn starts(&mut self, at: Instant);

    /// When what takes over from it after a frame `now` has its first one due.
    fn goes_on(&mut self, now: Instant) -> Instant;

    /// Runs it unheard; `frames` counts how many. Whether it has settled.
    fn warms(&mut self, now: Instant, frames: &mut u32) -> bool;

    /// For how long its last frame is waited for.
    fn waits_for(&self) -> Duration;
}

/// What is to take over, and how the old one goes back.
pub(super) struct Swap<L> {
    pub(super) new: L,
    /// Has room for one.
    pub(super) back: mpsc::SyncSender<L>,
}

/// Takes over, one after the other.
pub(super) struct Crossing<L> {
    coming: Option<Coming<L>>,
    /// The next frame is the first one, and when it is due.
    rises: Option<Instant>,
}

struct Coming<L> {
    swap: Swap<L>,
    since: Instant,
    frames: u32,
    /// When it had settled.
    ready: Option<Instant>,
}

impl<L> Default for Crossing<L> {
    fn default() -> Self {
        Self {
            coming: None,
            rises: None,
        }
    }
}

impl<L: Line> Crossing<L> {
    /// Something is to take over; of two the newer one does.
    pub(super) fn begin(&mut self, swap: Swap<L>, now: Instant) {
        let older = self.coming.replace(Coming {
            swap,
            since: now,
            frames: 0,
            ready: None,
        });
        if let Some(Coming { swap, .. }) = older {
            hand_back(&swap.back, swap.new);
        }
    }

    /// Looks after what is coming; whether there is any.
    pub(super) fn warm(&mut self, now: Instant) -> bool {
        if let Some(coming) = &mut self.coming
            && coming.ready.is_none()
        {
            let settled = coming.swap.new.warms(now, &mut coming.frames);
            if settled || now.saturating_duration_since(coming.since) >= WARM_MAX {
                coming.ready = Some(now);
            }
        }
        self.coming.is_some()
    }

    /// A frame of the line in use; whether it is its last, after which [`Crossing::take_over`] is
    /// to be called.
    pub(super) fn shape(&mut self, frame: &mut Frame) -> bool {
        if self.rises.take().is_some() {
            ramp(frame, 0.0, 1.0);
        }
        let is_last = self.is_ready();
        if is_last {
            ramp(frame, 1.0, 0.0);
        }
        is_last
    }

    /// Whether the last frame of the line in use has been waited for in vain.
    pub(super) fn is_overdue(&self, line: &L, now: Instant) -> bool {
        let ready = self.coming.as_ref().and_then(|coming| coming.ready);
        ready.is_some_and(|at| now.saturating_duration_since(at) >= line.waits_for())
    }

    /// What has settled is in use from now on.
    pub(super) fn take_over(&mut self, line: &mut L, now: Instant) {
        if let Some(Coming { mut swap, .. }) = self.coming.take() {
            let due = line.goes_on(now);
            swap.new.starts(due);
            hand_back(&swap.back, std::mem::replace(line, swap.new));
            self.rises = Some(due);
        }
    }

    /// Whether a frame comes so early after the last one of another line that it would make up for
    /// time that has not passed: it is to be left out.
    pub(super) fn is_early(&self, now: Instant) -> bool {
        self.rises.is_some_and(|due| now + FRAME_TIME / 2 < due)
    }

    fn is_ready(&self) -> bool {
        self.coming.as_ref().is_some_and(|it| it.ready.is_some())
    }
}

/// Whoever has asked for the change waits for what is handed back, so there is room.
fn hand_back<L>(back: &mpsc::SyncSender<L>, old: L) {
    let _ = back.try_send(old);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::FRAME_SAMPLES;

    const MILLI: Duration = Duration::from_millis(1);

    /// Settles after so many frames, one in each look.
    #[derive(Debug, PartialEq, Eq)]
    struct Test {
        name: &'static str,
        settles: u32,
        starts: Option<Instant>,
    }

    impl Line for Test {
        fn starts(&mut self, at: Instant) {
            self.starts = Some(at);
        }

        fn goes_on(&mut self, now: Instant) -> Instant {
            now + MILLI * 10
        }

        fn warms(&mut self, _: Instant, frames: &mut u32) -> bool {
            *frames += 1;
            *frames >= self.settles
        }

        fn waits_for(&self) -> Duration {
            MILLI * 50
        }
    }

    fn line(name: &'static str, settles: u32) -> Test {
        let starts = None;
        Test {
            name,
            settles,
            starts,
        }
    }

    fn swap(name: &'static str, settles: u32) -> (Swap<Test>, mpsc::Receiver<Test>) {
        let (back, returned) = mpsc::sync_channel(1);
        let new = line(name, settles);
        (Swap { new, back }, returned)
    }

    #[test]
    fn the_old_fades_out_and_the_new_fades_in_once_it_has_settled() {
        let now = Instant::now();
        let (mut used, mut crossing) = (line("old", 1), Crossing::default());
        let (swap, returned) = swap("new", 3);
        crossing.begin(swap, now);
        let mut sound = Vec::new();
        for n in 0..6 {
            let now = now + MILLI * 10 * n;
            crossing.warm(now);
            let mut frame = [1.0; FRAME_SAMPLES];
            let last = crossing.shape(&mut frame);
            sound.extend(frame.map(|sample| if used.name == "old" { sample } else { -sample }));
            if last {
                crossing.take_over(&mut used, now);
                assert_eq!(used.starts, Some(now + MILLI * 10));
                assert!(crossing.is_early(now + MILLI * 4));
                assert!(!crossing.is_early(now + MILLI * 5));
            }
        }
        assert_eq!(
            (used.name, returned.try_recv().unwrap().name),
            ("new", "old")
        );
        assert_eq!((sound[959], sound[1_439], sound[1_920]), (1.0, 0.0, -1.0));
        let steps = sound.windows(2).map(|two| (two[1] - two[0]).abs());
        assert!(steps.fold(0.0, f32::max) < 1.01 / 480.0);
    }

    #[test]
    fn of_two_that_come_the_newer_takes_over_and_the_other_goes_back() {
        let now = Instant::now();
        let (mut used, mut crossing) = (line("old", 1), Crossing::default());
        let (first, first_returned) = swap("first", 1);
        let (second, second_returned) = swap("second", 1);
        crossing.begin(first, now);
        assert!(crossing.warm(now));
        crossing.begin(second, now);
        assert_eq!(first_returned.try_recv().unwrap().name, "first");
        assert!(crossing.warm(now) && crossing.shape(&mut [0.0; FRAME_SAMPLES]));
        crossing.take_over(&mut used, now);
        assert_eq!((used.name, crossing.warm(now)), ("second", false));
        assert_eq!(second_returned.try_recv().unwrap().name, "old");
    }

    #[test]
    fn what_does_not_settle_takes_over_all_the_same_and_waits_for_no_line_that_is_dead() {
        let now = Instant::now();
        let (mut used, mut crossing) = (line("old", 1), Crossing::default());
        let (swap, _returned) = swap("new", u32::MAX);
        crossing.begin(swap, now);
        crossing.warm(now + WARM_MAX - MILLI);
        assert!(!crossing.is_overdue(&used, now + WARM_MAX * 2));
        crossing.warm(now + WARM_MAX);
        assert!(!crossing.is_overdue(&used, now + WARM_MAX + MILLI * 49));
        assert!(crossing.is_overdue(&used, now + WARM_MAX + MILLI * 50));
        crossing.take_over(&mut used, now + WARM_MAX + MILLI * 50);
        assert_eq!(used.name, "new");
    }
}
