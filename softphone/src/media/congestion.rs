//! Whether what is sent fills the link. Packets then wait in a queue on the way, all of them: the
//! receiver measures how long, and the sender sends less until they do not.
//!
//! A queue that always stands is told from jitter by the fastest packets: on a link that is merely
//! uneven some of them are as fast as ever. Where packets wait for each other instead of overtaking
//! none of them may be. But then they come in bunches, one slow packet and those that waited for
//! it; a queue lets them through one by one. If the fastest packet came in a bunch, what it waited
//! for is taken off. A link that hands on what it has every 200 ms only is not known to be full.

use std::time::{Duration, Instant};

use super::{SAMPLE_RATE, Timestamp, least::Least, micros_from};

/// A queue that stands for [`HIGH_FOR`] and is longer than this is too long.
const HIGH: Duration = Duration::from_millis(40);

/// For so long it has to be too long before less is sent, and again before still less is.
const HIGH_FOR: Duration = Duration::from_millis(400);

/// A queue that became shorter by so much since the last report is left to go on doing so.
const FALLS_BY: Duration = Duration::from_millis(10);

/// From this on a queue is nearly as long as it can be, and more is taken off at once.
const VERY_HIGH: Duration = Duration::from_millis(100);

/// Up to this nothing is in the way of sending more.
const CLEAR: Duration = Duration::from_millis(16);

/// Half of the time in which packets are looked at for a queue that stands.
const RECENT: Duration = Duration::from_millis(200);

/// More is tried after the link has been clear for so long: at first, and at most, as each time
/// that it was too much doubles it.
const PATIENCE: Duration = Duration::from_secs(3);
const PATIENCE_MAX: Duration = Duration::from_secs(48);

/// Then each time so much later there is a fortieth more.
const RAISES_EVERY: Duration = Duration::from_secs(1);

/// A queue that comes so soon after more was tried came from that.
const BLAMED_FOR: Duration = Duration::from_secs(5);

/// A queue that stands for so long while the least is sent is not ours: the path has become longer,
/// or somebody else fills it.
const OTHERS_AFTER: Duration = Duration::from_secs(5);

/// After the link was clear for so many times the patience, without a need for the limit, there is
/// none.
const FORGETS_AFTER: u32 = 10;

/// At the receiver: how long all packets have waited of late, beyond what the path takes.
#[derive(Debug)]
pub struct Queueing {
    last: Option<(Instant, Timestamp)>,
    /// How much longer the last packet took than the first, in microseconds.
    transit: i64,
    /// In what bunch the last packet came.
    bunch: Bunch,
    /// The transit of the fastest packet, and its bunch, of 200 to 400 ms: the shortest in which
    /// jitter leaves some packets alone.
    recent: Least<(i64, i64)>,
    /// Of a minute: a queue that grows slowly is seen all the same.
    path: Least,
    standing: Duration,
}

impl Default for Queueing {
    fn default() -> Self {
        Self {
            last: None,
            transit: 0,
            bunch: Bunch::default(),
            recent: Least::of(RECENT, 2),
            path: Least::of(Duration::from_secs(6), 10),
            standing: Duration::ZERO,
        }
    }
}

impl Queueing {
    /// A packet of the stream came.
    pub fn came(&mut self, timestamp: Timestamp, arrived: Instant) {
        let (at, before) = self
            .last
            .replace((arrived, timestamp))
            .unwrap_or((arrived, timestamp));
        let samples = i64::from(timestamp.since(before));
        let sent = samples * 1_000_000 / i64::from(SAMPLE_RATE);
        let longer = micros_from(at, arrived) - sent;
        self.transit = self.transit.saturating_add(longer);
        self.bunch.next(longer, sent);
        self.recent
            .note((self.transit, self.bunch.waited()), arrived);
        self.path.note(self.transit, arrived);
        let (fastest, bunch) = self.recent.get();
        let standing = fastest
            .saturating_sub(self.path.get())
            .saturating_sub(bunch);
        let standing = u64::try_from(standing).unwrap_or(0);
        self.standing = Duration::from_micros(standing);
    }

    /// How much longer the fastest of the last packets took than the fastest of the last minute,
    /// less what it waited for the first of its bunch.
    #[must_use]
    pub fn standing(&self) -> Duration {
        self.standing
    }
}

/// Packets that come at once, because all but the first waited for the one before them.
#[derive(Debug, Default)]
struct Bunch {
    /// How many came after the first ...
    packets: u32,
    /// ... and how much faster the last of them was than the first, in microseconds.
    faster: i64,
}

impl Bunch {
    /// Another packet came, which took so much longer than the one before it and was `sent` so much
    /// later, both in microseconds.
    fn next(&mut self, longer: i64, sent: i64) {
        if longer < 0 && longer < -sent / 4 * 3 {
            self.packets = self.packets.saturating_add(1);
            self.faster = self.faster.saturating_sub(longer);
        } else {
            *self = Self::default();
        }
    }

    /// How long the first of it waited more than its last, in microseconds. Two that come at once
    /// are no bunch: where packets overtake each other that is chance.
    fn waited(&self) -> i64 {
        if self.packets < 2 { 0 } else { self.faster }
    }
}

/// What is sent, in bits per second on the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Now.
    pub bps: u32,
    /// Less than this is never sent.
    pub least_bps: u32,
    /// More would be sent if it were allowed.
    pub wants_more: bool,
}

/// At the sender: how much may be sent.
#[derive(Debug, Clone)]
pub struct Congestion {
    limit_bps: Option<u32>,
    /// Since when the queue is too long, or nothing was done about it.
    high_since: Option<Instant>,
    clear_since: Option<Instant>,
    /// Since when the limit has not been needed.
    unneeded_since: Option<Instant>,
    raised_at: Option<Instant>,
    patience: Duration,
    /// What was told last.
    told: Duration,
    /// How much of what is told does not come from us.
    others: Duration,
}

impl Default for Congestion {
    fn default() -> Self {
        Self {
            limit_bps: None,
            high_since: None,
            clear_since: None,
            unneeded_since: None,
            raised_at: None,
            patience: PATIENCE,
            told: Duration::ZERO,
            others: Duration::ZERO,
        }
    }
}

impl Congestion {
    /// How much may be sent, in bits per second on the link; `None` when it is not known to fill.
    #[must_use]
    pub fn limit_bps(&self) -> Option<u32> {
        self.limit_bps
    }

    /// The receiver tells how long packets wait.
    pub fn hear(&mut self, told: Duration, load: Load, now: Instant) {
        self.others = self.others.min(told);
        let falls = told + FALLS_BY <= self.told;
        self.told = told;
        let standing = told - self.others;
        if standing > CLEAR {
            self.clear_since = None;
            self.unneeded_since = None;
        }
        if standing < HIGH {
            self.high_since = None;
        }
        if standing >= HIGH {
            self.too_long(standing, falls, load, now);
        } else if standing <= CLEAR {
            self.clear(load, now);
        }
    }

    fn too_long(&mut self, standing: Duration, falls: bool, load: Load, now: Instant) {
        let high_for = now.saturating_duration_since(*self.high_since.get_or_insert(now));
        if load.bps <= load.least_bps {
            if high_for >= OTHERS_AFTER {
                self.others = self.told;
                self.high_since = None;
            }
            return;
        }
        if high_for < HIGH_FOR || falls {
            return;
        }
        let is_ours = |at| now.saturating_duration_since(at) < BLAMED_FOR;
        if self.raised_at.take().is_some_and(is_ours) {
            self.patience = (2 * self.patience).min(PATIENCE_MAX);
        }
        let part = if standing >= VERY_HIGH { 75 } else { 85 };
        self.limit_bps = Some((load.bps / 100 * part).max(load.least_bps));
        self.high_since = Some(now);
    }

    fn clear(&mut self, load: Load, now: Instant) {
        let Some(limit) = self.limit_bps else {
            return;
        };
        let clear_since = *self.clear_since.get_or_insert(now);
        let passed = |since| now.saturating_duration_since(since);
        if !load.wants_more {
            if passed(*self.unneeded_since.get_or_insert(now)) >= FORGETS_AFTER * self.patience {
                self.limit_bps = None;
                self.raised_at = Some(now);
            }
            return;
        }
        self.unneeded_since = None;
        let is_time = self.raised_at.is_none_or(|at| passed(at) >= RAISES_EVERY);
        if passed(clear_since) >= self.patience && is_time {
            self.limit_bps = Some(limit + limit / 40);
            self.raised_at = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::{
        ChaCha8Rng,
        rand_core::{Rng, SeedableRng},
    };

    use super::*;

    const MILLI: Duration = Duration::from_millis(1);

    /// What stands after packets of 20 ms, each so many ms late; the timestamps wrap around.
    fn standing(late_ms: impl IntoIterator<Item = u32>) -> Vec<Duration> {
        let (mut queueing, origin) = (Queueing::default(), Instant::now());
        let after = |(n, late): (u32, u32)| {
            let timestamp = Timestamp(u32::MAX - 48_000).plus(960 * n);
            queueing.came(timestamp, origin + MILLI * (20 * n + late));
            queueing.standing()
        };
        (0..).zip(late_ms).map(after).collect()
    }

    #[test]
    fn a_queue_stands_where_no_packet_is_fast() {
        let stands = standing([30; 100].into_iter().chain([90; 100]));
        assert!(stands[..110].iter().all(Duration::is_zero));
        assert!(
            stands[120..].iter().all(|&stands| stands == MILLI * 60),
            "{stands:?}"
        );
        // One that grows by 2 ms a second.
        let creeping = standing((0..2_000).map(|n| n / 25));
        assert!(creeping.last().unwrap() >= &(MILLI * 75));
    }

    #[test]
    fn jitter_and_stalls_are_no_queue() {
        for seed in 0..10 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let stands = standing((0..3_000).map(|_| random.next_u32() % 100));
            let lasts = |stands: &[Duration]| stands.iter().all(|&stands| stands >= HIGH);
            // 400 ms.
            assert!(!stands.windows(20).any(lasts), "seed {seed}");
        }
        let held_up = (0..50).map(|n| 1_000 - 20 * n);
        let stands = standing([0; 100].into_iter().chain(held_up).chain([0; 100]));
        let too_long = stands.iter().filter(|&&stands| stands >= HIGH).count();
        assert_eq!(too_long, 0);
    }

    /// How late packets are that go through a link which takes `takes_ms` for each, and loses what
    /// would wait for `queue_ms`, and then take so much longer at random and wait for each other.
    /// Every 700 ms all are held up for `hiccup_ms`.
    fn in_order(seed: u64, [takes_ms, queue_ms, jitter_ms, hiccup_ms]: [u32; 4]) -> Vec<u32> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let (mut free, mut last) = (0, 0);
        let comes = (0..3_000).map(|n| {
            let sent = 20 * n;
            free = (sent.max(free) + takes_ms).min(sent + queue_ms);
            let hiccup = hiccup_ms.saturating_sub(free % 700);
            last = last.max(free + hiccup + random.next_u32() % jitter_ms);
            last - sent
        });
        comes.collect()
    }

    #[test]
    fn packets_that_wait_for_each_other_make_a_queue_only_where_the_link_is_full() {
        // What share of the time the queue was too long for 400 ms.
        let high = |seed, line| {
            let stands = standing(in_order(seed, line));
            let lasts = |stands: &&[Duration]| stands.iter().all(|&it| it >= HIGH);
            stands.windows(20).filter(lasts).count() as f64 / stands.len() as f64
        };
        for seed in 0..10 {
            for (line, at_most) in [
                ([1, 200, 40, 0], 0.0),
                ([1, 200, 100, 0], 0.02),
                ([1, 200, 200, 0], 0.1),
                ([1, 200, 1, 200], 0.0),
            ] {
                let high = high(seed, line);
                assert!(high <= at_most, "seed {seed}: {line:?}: {high}");
            }
            for (line, at_least) in [
                ([26, 200, 1, 0], 0.95),
                ([26, 200, 40, 0], 0.9),
                ([26, 200, 100, 0], 0.5),
                ([26, 200, 1, 150], 0.5),
                ([26, 200, 1, 200], 0.5),
                ([26, 120, 20, 0], 0.5),
            ] {
                let high = high(seed, line);
                assert!(high >= at_least, "seed {seed}: {line:?}: {high}");
            }
        }
    }

    /// What is sent when the receiver tells of `queueing(bps, ms)`, each 200 ms: bits per second.
    fn sent(seconds: u64, queueing: impl Fn(u32, u64) -> u64) -> Vec<u32> {
        const WANTED: u32 = 140_000;
        let (mut congestion, origin) = (Congestion::default(), Instant::now());
        let mut sent = Vec::new();
        for millis in (0..seconds * 1_000).step_by(200) {
            let bps = congestion.limit_bps().unwrap_or(WANTED).min(WANTED);
            let load = Load {
                bps,
                least_bps: 35_000,
                wants_more: bps < WANTED,
            };
            let told = Duration::from_millis(queueing(bps, millis));
            congestion.hear(told, load, origin + Duration::from_millis(millis));
            sent.push(bps);
        }
        sent
    }

    #[test]
    fn less_is_sent_while_a_queue_stands_and_no_less_when_it_does_not_last() {
        assert_eq!(sent(60, |_, _| 39), [140_000; 300]);
        let now_and_then = |_, millis| if millis % 1_000 < 400 { 200 } else { 0 };
        assert_eq!(sent(60, now_and_then), [140_000; 300]);
        let full = sent(4, |_, _| 200);
        assert_eq!(full[2..5], [140_000, 105_000, 105_000]);
        assert_eq!(full.last(), Some(&35_000));
        // One that becomes shorter is given time.
        let falling = sent(4, |bps, millis| {
            if bps < 140_000 {
                300 - millis / 20
            } else {
                300
            }
        });
        assert_eq!(falling.last(), Some(&105_000));
    }

    #[test]
    fn what_was_too_much_is_tried_again_later_each_time() {
        let queueing = |bps, _| if bps > 64_000 { 50 } else { 0 };
        let sent = sent(300, queueing);
        assert!(
            sent[25..]
                .iter()
                .all(|&bps| (45_000..72_000).contains(&bps))
        );
        let too_much = |sent: &[u32]| sent.iter().filter(|&&bps| bps > 64_000).count();
        assert!(too_much(&sent[25..]) > 0);
        assert!(
            too_much(&sent[1_000..]) < 25,
            "{}",
            too_much(&sent[1_000..])
        );
    }

    #[test]
    fn a_path_that_becomes_longer_costs_a_few_seconds() {
        let sent = sent(120, |_, millis| if millis < 10_000 { 0 } else { 120 });
        assert_eq!(sent[70], 35_000);
        assert_eq!(*sent.last().unwrap(), 140_000);
    }
}
