//! Real-time priority for the threads that move sound, where the system grants it: that a machine
//! is busy is then no reason for a gap.

#[cfg(target_os = "linux")]
mod rtkit;

use std::time::{Duration, Instant};

use thread_priority::{
    RealtimeThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};

/// Of 1 to 99: what sound servers have, and what desktop systems allow to programs with sound.
const PRIORITY: u8 = 10;

/// How long a thread that a sound system calls back from is watched before it is given priority.
const TRIAL: Duration = Duration::from_secs(1);

/// Gives this thread real-time priority; whether the system has granted it. Most desktop systems
/// grant it to members of some group only; on Linux a service of theirs is then asked for it, and
/// may grant it a little later. Where nobody does it is as it was, which is no error.
pub(super) fn raise() -> bool {
    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::RoundRobin);
    let raised = ThreadPriority::try_from(PRIORITY)
        .map_err(str::to_owned)
        .and_then(|priority| {
            set_thread_priority_and_policy(thread_native_id(), priority, policy)
                .map_err(|error| format!("{error:?}"))
        });
    if let Err(why) = &raised {
        tracing::debug!(%why, "no real-time priority at once");
        #[cfg(target_os = "linux")]
        rtkit::ask(PRIORITY.into());
    }
    raised.is_ok()
}

/// A thread that a sound system calls back from. It is given real-time priority once it has shown
/// that it waits for its device. One that does not (ALSA has devices for nothing, which take sound
/// as fast as it comes) would keep a core to itself, and Linux may end the program for that.
pub(super) struct OnTrial {
    /// Of the device; `None` when that is settled.
    rate: Option<u32>,
    frames: u64,
    since: Option<Instant>,
}

impl OnTrial {
    /// A thread that moves so many frames a second; `None` for one that needs no priority of ours.
    pub(super) fn new(rate: Option<u32>) -> Self {
        Self {
            rate,
            frames: 0,
            since: None,
        }
    }

    /// REAL-TIME, but for the one time that it raises the thread: a callback has moved so many
    /// frames.
    pub(super) fn moved(&mut self, frames: usize) {
        if self.rate.is_some() && self.passes(frames, Instant::now()) {
            raise();
        }
    }

    fn passes(&mut self, frames: usize, now: Instant) -> bool {
        let since = *self.since.get_or_insert(now);
        self.frames += frames as u64;
        let trial = TRIAL.as_secs() * u64::from(self.rate.unwrap_or_default());
        if self.frames < trial {
            return false;
        }
        self.rate = None;
        // Devices fill their buffers at once when they start.
        now.saturating_duration_since(since) >= TRIAL / 2
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use thread_priority::thread_schedule_policy;

    use super::*;

    #[test]
    fn a_thread_has_real_time_priority_where_it_was_granted_and_goes_on_where_not() {
        let thread = thread::spawn(|| (raise(), thread_schedule_policy().unwrap()));
        let (raised, policy) = thread.join().unwrap();
        let real_time = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::RoundRobin);
        assert_eq!(raised, policy == real_time);
    }

    #[test]
    fn a_thread_that_waits_for_its_device_passes_once_and_one_that_does_not_never_does() {
        for (period_ms, expected) in [(10, 1), (6, 1), (4, 0), (0, 0)] {
            let (mut on_trial, origin) = (OnTrial::new(Some(48_000)), Instant::now());
            let passed = (0..1_000).filter(|n| {
                let now = origin + Duration::from_millis(period_ms) * *n;
                on_trial.rate.is_some() && on_trial.passes(480, now)
            });
            assert_eq!(passed.count(), expected, "{period_ms} ms");
        }
    }

    #[test]
    fn a_thread_is_raised_by_the_callback_that_ends_its_trial() {
        let thread = thread::spawn(|| {
            let mut on_trial = OnTrial::new(Some(1_000));
            on_trial.moved(0);
            thread::sleep(TRIAL / 2);
            let before = thread_schedule_policy().unwrap();
            on_trial.moved(1_000);
            (before, thread_schedule_policy().unwrap(), raise())
        });
        let (before, after, granted) = thread.join().unwrap();
        let real_time = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::RoundRobin);
        assert_ne!(before, real_time);
        assert_eq!(after == real_time, granted);
    }
}
