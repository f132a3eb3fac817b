//! How a thread that moves sound sleeps until there is something to move.

use std::{
    thread,
    time::{Duration, Instant},
};

/// A connection to a sound server.
#[cfg(target_os = "linux")]
pub(super) type Socket<'a> = rustix::fd::BorrowedFd<'a>;

/// There is none.
#[cfg(not(target_os = "linux"))]
pub(super) type Socket<'a> = &'a std::convert::Infallible;

/// How often sockets are looked at by a thread that waits for a callback as well.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// What has a line of sound looked after.
#[derive(Debug, Clone, Copy)]
pub(super) enum Alarm<'a> {
    /// The clock.
    Clock,
    /// A device's callback, which unparks the thread.
    Callback,
    /// What a sound server sends.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "there are no connections of ours")
    )]
    Socket(Socket<'a>),
}

/// Sleeps until `wake`, or until one of two alarms goes; sometimes less.
pub(super) fn sleep_until(wake: Instant, alarms: [Alarm<'_>; 2]) {
    let sleep = wake.saturating_duration_since(Instant::now());
    match alarms {
        [Alarm::Socket(one), Alarm::Socket(other)] => listen([one, other], sleep),
        [Alarm::Socket(one), Alarm::Clock] | [Alarm::Clock, Alarm::Socket(one)] => {
            listen([one], sleep);
        }
        [Alarm::Socket(_), Alarm::Callback] | [Alarm::Callback, Alarm::Socket(_)] => {
            thread::park_timeout(sleep.min(LOOK_EVERY));
        }
        [
            Alarm::Clock | Alarm::Callback,
            Alarm::Clock | Alarm::Callback,
        ] => {
            thread::park_timeout(sleep);
        }
    }
}

/// Sleeps until something comes.
#[cfg(target_os = "linux")]
fn listen<const N: usize>(sockets: [Socket<'_>; N], sleep: Duration) {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let mut sockets = sockets.map(|socket| PollFd::from_borrowed_fd(socket, PollFlags::IN));
    let limit = Timespec::try_from(sleep).unwrap_or_default();
    if poll(&mut sockets, Some(&limit)).is_err() {
        // It is not to run round and round, whatever is wrong.
        thread::park_timeout(sleep.min(LOOK_EVERY));
    }
}

#[cfg(not(target_os = "linux"))]
fn listen<const N: usize>(sockets: [Socket<'_>; N], _: Duration) {
    match *sockets[0] {}
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    /// Sleeps for a minute, unless something wakes it.
    fn sleeps(alarms: [Alarm<'_>; 2]) -> bool {
        let begin = Instant::now();
        sleep_until(begin + LONG, alarms);
        begin.elapsed() >= LONG / 2
    }

    #[test]
    fn whoever_waits_for_a_callback_is_woken_by_it() {
        thread::current().unpark();
        assert!(!sleeps([Alarm::Callback, Alarm::Clock]));
        let begin = Instant::now();
        sleep_until(begin + LOOK_EVERY, [Alarm::Clock; 2]);
        assert!(begin.elapsed() >= LOOK_EVERY);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn whoever_waits_for_servers_is_woken_by_any_of_them_and_looks_now_and_then_beside_a_callback()
    {
        use std::{
            io::Write,
            os::{fd::AsFd, unix::net::UnixStream},
        };

        let (mut one, ours) = UnixStream::pair().unwrap();
        let (_other, silent) = UnixStream::pair().unwrap();
        let (one_says, other_says) = (Alarm::Socket(ours.as_fd()), Alarm::Socket(silent.as_fd()));
        assert!(!sleeps([Alarm::Callback, other_says]));
        let begin = Instant::now();
        sleep_until(begin + LOOK_EVERY, [one_says, other_says]);
        assert!(begin.elapsed() >= LOOK_EVERY, "nobody says anything");
        one.write_all(&[0]).unwrap();
        assert!(!sleeps([one_says, other_says]));
        assert!(!sleeps([Alarm::Clock, one_says]));
        drop(one);
        assert!(!sleeps([other_says, one_says]));
    }
}
