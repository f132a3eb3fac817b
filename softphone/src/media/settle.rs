//! After a stall, of the network or of this program, the delay goes back to what it is to be.
//!
//! Packets that were held up come all at once, and so more of them wait than need to. The
//! [`super::surplus`] works that off as long as it is much; what is left of it would delay the
//! rest of the call. A link that is merely uneven never comes here.

use std::time::{Duration, Instant};

use super::{Timestamp, duration_of};

/// A packet that comes so much later than the one before it, beyond what their timestamps say,
/// was held up by a stall: more than jitter, and more than the buffer can bridge.
const LATER_MIN: Duration = Duration::from_millis(200);

/// A player that asked for nothing for so long had a stall: longer than any device's period.
const UNASKED_MIN: Duration = Duration::from_millis(300);

/// After this long without a question, what waits is too old to be played at all.
const STALE_MIN: Duration = Duration::from_secs(1);

/// How long after a stall the delay is looked after: what was held up takes a while to come.
const SETTLING_FOR: Duration = Duration::from_millis(1_500);

/// The delay is known once it was looked at for this long ...
const LOOK_FOR: Duration = Duration::from_millis(200);

/// ... unless it is this much too long: then it is shortened at once.
const GROSS: Duration = Duration::from_millis(200);

/// The delay is at no time made shorter than this: the least that leaves room for a packet.
const WAIT_MIN: Duration = Duration::from_millis(20);

/// Notices stalls, and tells how much too much is waiting after them.
#[derive(Debug, Default)]
pub(super) struct Settling {
    last_came: Option<(Instant, Timestamp)>,
    last_asked: Option<Instant>,
    /// Until when the delay is looked after.
    until: Option<Instant>,
    look: Option<Look>,
}

/// How long the newest packet had to wait, each time that it was looked at.
#[derive(Debug, Clone, Copy)]
struct Look {
    since: Instant,
    times: u32,
    sum: Duration,
    least: Duration,
}

impl Look {
    /// Looks once more; what has been seen so far.
    fn again(look: &mut Option<Self>, wait: Duration, now: Instant) -> Self {
        let look = look.get_or_insert(Self {
            since: now,
            times: 0,
            sum: Duration::ZERO,
            least: wait,
        });
        look.times += 1;
        look.sum += wait;
        look.least = look.least.min(wait);
        *look
    }
}

/// What a player's question tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    InTime,
    /// The player stood still for so long that playout is to begin anew.
    TooLate,
}

impl Settling {
    /// A packet of the stream came; whether it is the first after a stall of the network.
    pub(super) fn came(&mut self, arrived: Instant, timestamp: Timestamp) -> bool {
        let last = self.last_came.replace((arrived, timestamp));
        let Some((last_arrived, last_timestamp)) = last else {
            return false;
        };
        let sent = duration_of(timestamp.since(last_timestamp).max(0).unsigned_abs());
        let came = arrived.saturating_duration_since(last_arrived);
        let is_stall = came.saturating_sub(sent) >= LATER_MIN;
        if is_stall {
            self.begin(arrived);
        }
        is_stall
    }

    /// The player asks what to play.
    pub(super) fn asked(&mut self, now: Instant) -> Asked {
        let last = self.last_asked.replace(now).unwrap_or(now);
        let unasked = now.saturating_duration_since(last);
        if unasked >= UNASKED_MIN {
            self.begin(now);
        }
        if unasked >= STALE_MIN {
            Asked::TooLate
        } else {
            Asked::InTime
        }
    }

    fn begin(&mut self, now: Instant) {
        self.until = Some(now + SETTLING_FOR);
        self.look = None;
    }

    /// A packet is played `now`, and the newest one will have waited for `wait` in its turn, where
    /// `goal` would do: by how much the delay is to be shortened now.
    pub(super) fn excess(&mut self, wait: Duration, goal: Duration, now: Instant) -> Duration {
        if self.until.is_none_or(|until| now >= until) {
            return Duration::ZERO;
        }
        let Look {
            since,
            times,
            sum,
            least,
        } = Look::again(&mut self.look, wait, now);
        if wait >= goal + GROSS {
            self.look = None;
            return wait - goal;
        }
        if now.saturating_duration_since(since) < LOOK_FOR {
            return Duration::ZERO;
        }
        self.look = None;
        (sum / times)
            .saturating_sub(goal)
            .min(least.saturating_sub(WAIT_MIN))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: Duration = Duration::from_millis(1);
    const GOAL: Duration = Duration::from_millis(60);

    /// Packets of 20 ms, each so many ms later than the clock of the sender has it.
    fn settling(late_ms: &[u32]) -> (Settling, Instant) {
        let origin = Instant::now();
        let mut settling = Settling::default();
        let mut now = origin;
        for (number, &late) in (0..).zip(late_ms) {
            now = origin + MILLI * (20 * number + late);
            settling.came(now, Timestamp(number * 960));
        }
        (settling, now)
    }

    #[test]
    fn jitter_and_pauses_are_no_stall() {
        let (mut settling, now) = settling(&[0, 60, 150, 199, 100, 0, 199]);
        settling.came(now + MILLI * 9_000, Timestamp(9_000 * 48));
        for passed in (0..30_000).step_by(290) {
            let now = now + MILLI * passed;
            assert_eq!(settling.asked(now), Asked::InTime);
            assert_eq!(settling.excess(MILLI * 900, GOAL, now), Duration::ZERO);
        }
    }

    #[test]
    fn what_is_much_too_much_goes_at_once_and_the_rest_when_it_is_known() {
        let (mut settling, now) = settling(&[0, 0, 5_000]);
        assert_eq!(settling.excess(MILLI * 960, GOAL, now), MILLI * 900);
        let excesses: Vec<Duration> = (0..100)
            .map(|packet| settling.excess(MILLI * 90, GOAL, now + MILLI * 20 * packet))
            .collect();
        assert_eq!(excesses[..10], [Duration::ZERO; 10]);
        assert_eq!(excesses[10], MILLI * 30);
        assert_eq!(excesses[75..], [Duration::ZERO; 25], "it is over");
    }

    #[test]
    fn what_is_needed_now_and_then_is_kept() {
        let (mut settling, now) = settling(&[0, 0, 400]);
        for packet in 0..75 {
            let wait = if packet % 5 == 0 { 15 } else { 200 };
            let excess = settling.excess(MILLI * wait, GOAL, now + MILLI * 20 * packet);
            assert_eq!(excess, Duration::ZERO, "{packet}");
        }
    }

    #[test]
    fn a_player_that_stood_still_for_a_second_begins_anew() {
        let now = Instant::now();
        for (unasked, answer) in [(999, Asked::InTime), (1_000, Asked::TooLate)] {
            let mut settling = Settling::default();
            assert_eq!(settling.asked(now), Asked::InTime);
            let now = now + MILLI * unasked;
            assert_eq!(settling.asked(now), answer);
            assert_eq!(settling.excess(MILLI * 860, GOAL, now), MILLI * 800);
        }
    }
}
