//! Real-time priority for the threads that move sound, where the system grants it: that a machine
//! is busy is then no reason for a gap.

#[cfg(target_os = "linux")]
mod rtkit;

use thread_priority::{
    RealtimeThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};

/// Of 1 to 99: what sound servers have, and what desktop systems allow to programs with sound.
const PRIORITY: u8 = 10;

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
}
