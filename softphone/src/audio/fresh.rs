//! Whether a microphone's sound is fresh: silence while it stands still, and no backlog after.

use std::time::{Duration, Instant};

use super::pace::{FRAME_TIME, Standstill};

/// More than this that waits is a backlog: the sound thread has stalled, and what it would send
/// now would only come too late. Or more than two periods of the device, if these are longer.
const WAITING_MAX: Duration = Duration::from_millis(60);

/// After so long without sound what comes next may be old: sound servers keep some for whoever does
/// not fetch it.
const GAP_MAX: Duration = Duration::from_millis(100);

/// A backlog is over when in this time, or a period, no more comes than the time allows ...
const LOOK: Duration = Duration::from_millis(20);

/// ... give or take this ...
const TOLERANCE: Duration = Duration::from_millis(5);

/// ... or after this, in which a server delivers all that it could keep: such a device is fast.
const BACKLOG_MAX: Duration = Duration::from_secs(1);

/// What to do with a microphone's sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Send a frame of it, if there is one, and say so by [`Freshness::took`].
    Take,
    /// Throw away all that waits: it is old.
    Discard,
    /// Send silence in its place.
    Silence,
    /// Nothing: no frame is due.
    Rest,
}

/// Tells fresh sound from old. All that is not sent is accounted for by the clock.
#[derive(Debug)]
pub(super) struct Freshness {
    standstill: Standstill,
    backlog: Option<Backlog>,
    /// Frames that were left out, and not told yet.
    left_out: u32,
}

/// Old sound that is coming.
#[derive(Debug, Clone, Copy)]
struct Backlog {
    since: Instant,
    looked: Instant,
    /// What has come since `looked`.
    came: Duration,
}

impl Freshness {
    /// The microphone starts `now`.
    pub(super) fn starting(now: Instant) -> Self {
        Self {
            standstill: Standstill::starting(now),
            backlog: None,
            left_out: 0,
        }
    }

    /// What to do, when so much is `waiting` of a device that delivers once a `period`. To be
    /// asked again until there is nothing to do.
    pub(super) fn step(&mut self, waiting: Duration, period: Duration, now: Instant) -> Step {
        if let Some(backlog) = self.backlog {
            self.backlog = self.see_through(backlog, waiting, period, now);
            return if waiting.is_zero() {
                Step::Rest
            } else {
                Step::Discard
            };
        }
        let gap = now.saturating_duration_since(self.until());
        let is_old = waiting > WAITING_MAX.max(period * 2)
            || !waiting.is_zero() && gap > GAP_MAX.max(period * 2)
            || !waiting.is_zero() && self.standstill.is_standing();
        if is_old {
            self.backlog = Some(Backlog {
                since: now,
                looked: now,
                came: Duration::ZERO,
            });
            Step::Discard
        } else if !waiting.is_zero() {
            Step::Take
        } else if self.standstill.frame_passed(now) {
            Step::Silence
        } else {
            Step::Rest
        }
    }

    /// A frame was sent.
    pub(super) fn took(&mut self, now: Instant) {
        self.standstill.moved(now);
    }

    fn see_through(
        &mut self,
        mut backlog: Backlog,
        waiting: Duration,
        period: Duration,
        now: Instant,
    ) -> Option<Backlog> {
        backlog.came += waiting;
        let looked = now.saturating_duration_since(backlog.looked);
        if looked < LOOK.max(period) {
            return Some(backlog);
        }
        let in_time = backlog.came <= looked + period + TOLERANCE;
        if in_time || now.saturating_duration_since(backlog.since) >= BACKLOG_MAX {
            let missing = now.saturating_duration_since(self.until()) + FRAME_TIME / 2;
            let frames = missing.as_millis() / FRAME_TIME.as_millis();
            self.left_out = u32::try_from(frames).unwrap_or(u32::MAX);
            self.standstill.moved(now);
            return None;
        }
        Some(Backlog {
            looked: now,
            came: Duration::ZERO,
            ..backlog
        })
    }

    /// Whether no backlog is being thrown away.
    pub(super) fn is_fresh(&self) -> bool {
        self.backlog.is_none()
    }

    /// Up to when all sound is accounted for.
    pub(super) fn until(&self) -> Instant {
        self.standstill.until()
    }

    /// How many frames of 10 ms were left out since this was last asked.
    pub(super) fn left_out(&mut self) -> u32 {
        std::mem::take(&mut self.left_out)
    }

    /// Whether the microphone has come to a standstill, told once for each.
    pub(super) fn stands_still(&mut self) -> bool {
        self.standstill.is_new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: Duration = Duration::from_millis(1);
    const PERIOD: Duration = Duration::from_millis(10);

    /// A microphone whose sound is fetched every 2 ms of virtual time, but for a stall.
    #[derive(Default)]
    struct Run {
        /// When each frame was sent, and when it was heard; nothing for silence. In ms.
        sent: Vec<(u32, Option<u32>)>,
        /// When frames were left out, and how many.
        left_out: Vec<(u32, u32)>,
    }

    /// `arrives(n)` is the time, in ms, when the server hands over the 10 ms that end at
    /// `10 * (n + 1)`, if it ever does. The sound thread sleeps in `asleep`.
    fn run(millis: u32, asleep: std::ops::Range<u32>, arrives: impl Fn(u32) -> Option<u32>) -> Run {
        let origin = Instant::now();
        let mut fresh = Freshness::starting(origin);
        let mut run = Run::default();
        let mut coming: Vec<(u32, u32)> = (0..millis / 10)
            .filter_map(|n| Some((arrives(n)?, 10 * (n + 1))))
            .collect();
        let mut waiting: Vec<u32> = Vec::new();
        for at in (0..millis).step_by(2).filter(|at| !asleep.contains(at)) {
            let now = origin + MILLI * at;
            coming.retain(|&(arrives, heard)| {
                if arrives <= at {
                    waiting.push(heard);
                }
                arrives > at
            });
            loop {
                let length = PERIOD * u32::try_from(waiting.len()).unwrap();
                match fresh.step(length, PERIOD, now) {
                    Step::Take => {
                        run.sent.push((at, Some(waiting.remove(0))));
                        fresh.took(now);
                    }
                    Step::Silence => run.sent.push((at, None)),
                    Step::Discard => {
                        waiting.clear();
                        break;
                    }
                    Step::Rest => break,
                }
            }
            match fresh.left_out() {
                0 => {}
                frames => run.left_out.push((at, frames)),
            }
        }
        run
    }

    /// All time is accounted for, and nothing old is sent: no more than `age` ms.
    fn assert_fresh(run: &Run, millis: u32, age: u32) {
        for &(at, heard) in &run.sent {
            assert!(
                heard.is_none_or(|heard| at - heard <= age),
                "{at} {heard:?}"
            );
        }
        let left_out: u32 = run.left_out.iter().map(|&(_, frames)| frames).sum();
        let frames = u32::try_from(run.sent.len()).unwrap() + left_out;
        assert!(
            frames.abs_diff(millis / 10) <= 2,
            "{frames}: {:?}",
            run.left_out
        );
    }

    #[test]
    fn a_microphone_in_time_is_sent_whole() {
        let run = run(2_000, 0..0, |n| Some(10 * (n + 1) + n % 3 * 8));
        assert_fresh(&run, 2_000, 26);
        assert_eq!(run.left_out, []);
        assert!(run.sent.iter().all(|(_, heard)| heard.is_some()));
    }

    #[test]
    fn a_phone_that_was_stopped_for_5_s_sends_none_of_what_the_server_kept() {
        // The server kept the last second of it, and hands it over within 50 ms.
        let run = run(8_000, 1_000..6_000, |n| match 10 * (n + 1) {
            heard @ 1_000..5_000 => (heard < 1_100).then_some(heard),
            heard @ 5_000..6_000 => Some(6_000 + (heard - 5_000) / 20),
            heard => Some(heard),
        });
        assert_fresh(&run, 8_000, 20);
        assert_eq!(run.left_out.len(), 1, "{:?}", run.left_out);
        let (at, frames) = run.left_out[0];
        assert!(
            (6_020..6_120).contains(&at) && frames > 500,
            "{at} {frames}"
        );
    }

    #[test]
    fn a_microphone_that_stands_still_sends_silence_and_none_of_its_backlog_afterwards() {
        let run = run(8_000, 0..0, |n| match 10 * (n + 1) {
            heard @ 1_000..6_000 => Some(6_000 + (heard - 1_000) / 50),
            heard => Some(heard),
        });
        assert_fresh(&run, 8_000, 20);
        let silent = run.sent.iter().filter(|(_, heard)| heard.is_none()).count();
        assert!((495..=502).contains(&silent), "{silent}");
        let first = run
            .sent
            .iter()
            .find(|&&(at, heard)| at > 2_000 && heard.is_some());
        assert!(first.unwrap().0 < 6_200, "{first:?}");
    }

    #[test]
    fn a_device_that_is_too_fast_for_good_is_heard_again_after_a_stall() {
        let run = run(4_000, 500..700, |n| Some(5 * (n + 1)));
        let silent = |&&(at, _): &&(u32, _)| (702..1_600).contains(&at);
        assert_eq!(run.sent.iter().filter(silent).count(), 0);
        assert!(run.sent.iter().filter(|(at, _)| *at > 1_800).count() > 10);
    }
}
