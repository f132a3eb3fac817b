//! Whether the peer is still there: what is known of it from when it was last heard.
//!
//! WebRTC's own idea of a lost connection takes 23 s, far longer than people wait in silence.

use std::time::{Duration, Instant};

/// Nothing authentic for so long: the person is told that the phones look for each other. Each
/// side sends something at least once a second, so three of them are missing.
pub const RECONNECTING_AFTER: Duration = Duration::from_secs(3);

/// Nothing authentic for so long ends the call.
pub const LOST_AFTER: Duration = Duration::from_secs(8);

/// How long after the peer has closed its media its Bye may come, which says why.
const BYE_WITHIN: Duration = Duration::from_secs(1);

/// A deadline that is noticed so much too late was slept through, by this machine or this program:
/// the peer may have spoken all the while.
const OVERSLEPT: Duration = Duration::from_secs(1);

/// What has become of the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// It has not been heard for [`RECONNECTING_AFTER`].
    Reconnecting,
    /// It is heard again.
    Reconnected,
    /// It has not been heard for [`LOST_AFTER`].
    Lost,
    /// It has closed its media.
    Closed,
}

/// Watches over one peer.
#[derive(Debug, Default)]
pub struct Watchdog {
    state: State,
}

#[derive(Debug, Default, Clone, Copy)]
enum State {
    /// It has never been heard: other time limits apply.
    #[default]
    Waiting,
    Heard {
        at: Instant,
    },
    Missed {
        since: Instant,
    },
    Closed {
        at: Instant,
    },
    /// All has been said.
    Over,
}

impl Watchdog {
    /// Whether the peer was heard before.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        !matches!(self.state, State::Waiting)
    }

    /// Something authentic came.
    pub fn heard(&mut self, now: Instant) -> Option<Sign> {
        let missed = matches!(self.state, State::Missed { .. });
        if !matches!(self.state, State::Closed { .. } | State::Over) {
            self.state = State::Heard { at: now };
        }
        missed.then_some(Sign::Reconnected)
    }

    /// The peer closed its media, authentically.
    pub fn closed(&mut self, now: Instant) {
        if !matches!(self.state, State::Closed { .. } | State::Over) {
            self.state = State::Closed { at: now };
        }
    }

    /// When to call [`Watchdog::handle_timeout`], unless something is heard before.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::Waiting | State::Over => None,
            State::Heard { at } => Some(at + RECONNECTING_AFTER),
            State::Missed { since } => Some(since + LOST_AFTER),
            State::Closed { at } => Some(at + BYE_WITHIN),
        }
    }

    /// The time of [`Watchdog::poll_timeout`] has come.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<Sign> {
        let deadline = self.poll_timeout().filter(|deadline| *deadline <= now)?;
        let overslept = now - deadline > OVERSLEPT;
        let (state, sign) = match self.state {
            State::Heard { .. } if overslept => {
                let since = now.checked_sub(RECONNECTING_AFTER).unwrap_or(now);
                (State::Missed { since }, Sign::Reconnecting)
            }
            State::Heard { at } => (State::Missed { since: at }, Sign::Reconnecting),
            State::Missed { .. } if overslept => {
                // What is waiting to be read tells; it is given as long as it would have had.
                let since = now.checked_sub(RECONNECTING_AFTER).unwrap_or(now);
                self.state = State::Missed { since };
                return None;
            }
            State::Missed { .. } => (State::Over, Sign::Lost),
            State::Closed { .. } => (State::Over, Sign::Closed),
            State::Waiting | State::Over => return None,
        };
        self.state = state;
        Some(sign)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said at which millisecond, if the peer is heard at `heard` and the clock is looked
    /// at every 10 ms but not while asleep.
    fn signs(heard: &[u64], asleep: std::ops::Range<u64>, until: u64) -> Vec<(u64, Sign)> {
        let origin = Instant::now();
        let mut watchdog = Watchdog::default();
        let mut signs = Vec::new();
        for millis in (0..until).step_by(10).filter(|now| !asleep.contains(now)) {
            let now = origin + Duration::from_millis(millis);
            let sign = watchdog.handle_timeout(now);
            signs.extend(sign.map(|sign| (millis, sign)));
            if heard.contains(&millis) {
                signs.extend(watchdog.heard(now).map(|sign| (millis, sign)));
            }
        }
        signs
    }

    #[test]
    fn who_was_never_heard_is_not_missed() {
        assert_eq!(signs(&[], 0..0, 60_000), []);
    }

    #[test]
    fn silence_is_told_after_3_s_and_ends_the_call_after_8() {
        let expected = [(4_000, Sign::Reconnecting), (9_000, Sign::Lost)];
        assert_eq!(signs(&[0, 1_000], 0..0, 60_000), expected);
    }

    #[test]
    fn who_is_heard_again_is_told_and_missed_anew() {
        let expected = [
            (3_000, Sign::Reconnecting),
            (7_990, Sign::Reconnected),
            (10_990, Sign::Reconnecting),
            (15_990, Sign::Lost),
        ];
        assert_eq!(signs(&[0, 7_990], 0..0, 60_000), expected);
    }

    #[test]
    fn a_machine_that_slept_listens_before_it_gives_the_peer_up() {
        // It slept through all of it, and then the peer was there.
        let expected = [(60_000, Sign::Reconnecting), (60_010, Sign::Reconnected)];
        assert_eq!(signs(&[0, 60_010], 10..60_000, 62_000), expected);
        // Or it was not.
        let expected = [(60_000, Sign::Reconnecting), (65_000, Sign::Lost)];
        assert_eq!(signs(&[0], 10..60_000, 90_000), expected);
        // It slept after it had missed the peer.
        let expected = [(3_000, Sign::Reconnecting), (65_000, Sign::Lost)];
        assert_eq!(signs(&[0], 4_000..60_000, 90_000), expected);
    }

    #[test]
    fn a_peer_that_has_closed_is_given_a_second_for_its_bye() {
        let origin = Instant::now();
        let mut watchdog = Watchdog::default();
        watchdog.heard(origin);
        watchdog.closed(origin);
        assert_eq!(watchdog.heard(origin), None);
        assert_eq!(watchdog.handle_timeout(origin + BYE_WITHIN / 2), None);
        let due = watchdog.poll_timeout().unwrap();
        assert_eq!(watchdog.handle_timeout(due), Some(Sign::Closed));
        assert_eq!((watchdog.poll_timeout(), watchdog.heard(due)), (None, None));
    }
}
