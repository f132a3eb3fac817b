//! A seeded line in virtual time: what it loses, holds back, and has no room for.

use std::time::Duration;

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

/// What a line does to packets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Condition {
    /// The share that is lost: 0.0 to below 1.0.
    pub loss: f64,
    /// How many are lost in a row, on average (after Gilbert). Rows as short as chance makes them,
    /// or shorter, are chance: each packet is then lost by itself.
    pub burst: f64,
    /// The least that a packet takes.
    pub delay: Duration,
    /// A packet takes up to twice as much more, each amount as likely as any other.
    pub jitter: Duration,
    /// Packets wait for those before them, instead of overtaking them.
    pub in_order: bool,
    /// What it carries, in bits per second of IP; `None` is no limit.
    pub rate_bps: Option<f64>,
    /// A packet that would wait longer than this for its turn at the limit is lost.
    pub queue: Duration,
    /// Whoever sends stands still for half of this to one and a half, every [`STALL_EVERY`] on
    /// average; what is sent meanwhile is sent after it.
    pub stall: Duration,
}

/// From one standstill to the next.
const STALL_EVERY: Duration = Duration::from_secs(5);

/// One direction of it. The same packets on a link of the same seed have the same fate.
#[derive(Debug)]
pub struct Link {
    condition: Condition,
    random: ChaCha8Rng,
    /// Of the standstills, so that these change the fate of no packet.
    stalls: ChaCha8Rng,
    /// From when to when the next one is, or the one that is.
    stall: (Duration, Duration),
    was_lost: bool,
    /// When the limit is free for another packet.
    free: Duration,
    /// When the last packet arrives.
    last: Duration,
    /// Packets that it was given, and that it lost.
    pub sent: u64,
    pub lost: u64,
}

impl Link {
    /// A line that has carried nothing.
    pub fn new(condition: Condition, seed: u64) -> Self {
        Self {
            condition,
            random: ChaCha8Rng::seed_from_u64(seed),
            stalls: ChaCha8Rng::seed_from_u64(!seed),
            stall: (Duration::ZERO, Duration::ZERO),
            was_lost: false,
            free: Duration::ZERO,
            last: Duration::ZERO,
            sent: 0,
            lost: 0,
        }
    }

    /// When a packet of `bytes` of IP arrives that is sent at `now`, which never goes back; `None`
    /// when it is lost.
    pub fn send(&mut self, bytes: usize, now: Duration) -> Option<Duration> {
        self.sent += 1;
        // As many draws for each, so that what becomes of one does not change the fate of others.
        let (chance, more) = (self.draw(), self.draw());
        let arrives = self.fate(bytes, now, chance, more);
        self.lost += u64::from(arrives.is_none());
        arrives
    }

    fn fate(&mut self, bytes: usize, now: Duration, chance: f64, more: f64) -> Option<Duration> {
        let line = self.condition;
        self.was_lost = chance < line.loss_after(self.was_lost);
        if self.was_lost {
            return None;
        }
        let sent = self.stands_until(now);
        let mut leaves = sent;
        if let Some(rate) = line.rate_bps {
            let turn = self.free.max(sent);
            if turn - sent > line.queue {
                return None;
            }
            leaves = turn + Duration::from_secs_f64(bytes as f64 * 8.0 / rate);
            self.free = leaves;
        }
        let mut arrives = leaves + line.delay + line.jitter.mul_f64(2.0 * more);
        if line.in_order {
            arrives = arrives.max(self.last);
            self.last = arrives;
        }
        Some(arrives)
    }

    /// When something is sent that is to be sent now.
    fn stands_until(&mut self, now: Duration) -> Duration {
        while now >= self.stall.1 {
            let [after, long] = [(); 2].map(|()| draw(&mut self.stalls));
            let from = self.stall.1 + STALL_EVERY.mul_f64(0.5 + after);
            let until = from + self.condition.stall.mul_f64(0.5 + long);
            self.stall = (from, until);
        }
        let (from, until) = self.stall;
        if now < from { now } else { until }
    }

    /// From 0.0 to below 1.0.
    pub fn draw(&mut self) -> f64 {
        draw(&mut self.random)
    }
}

fn draw(random: &mut ChaCha8Rng) -> f64 {
    f64::from(random.next_u32()) / (f64::from(u32::MAX) + 1.0)
}

impl Condition {
    /// How likely the next packet is lost, after one that was or was not.
    fn loss_after(&self, was_lost: bool) -> f64 {
        if self.burst <= 1.0 / (1.0 - self.loss) {
            return self.loss;
        }
        let ends = 1.0 / self.burst;
        if was_lost {
            1.0 - ends
        } else {
            ends * self.loss / (1.0 - self.loss)
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    const MILLI: Duration = Duration::from_millis(1);

    pub(crate) const CLEAN: Condition = Condition {
        loss: 0.0,
        burst: 1.0,
        delay: Duration::from_millis(10),
        jitter: Duration::ZERO,
        in_order: false,
        rate_bps: None,
        queue: Duration::from_millis(200),
        stall: Duration::ZERO,
    };

    /// What becomes of 50,000 packets of 100 bytes, one every 10 ms: when they were sent, and when
    /// they arrive.
    fn fates(condition: Condition, seed: u64) -> Vec<(Duration, Option<Duration>)> {
        let mut link = Link::new(condition, seed);
        let times = (0..50_000).map(|n| MILLI * 10 * n);
        times.map(|now| (now, link.send(100, now))).collect()
    }

    #[test]
    fn a_line_loses_the_share_and_in_the_rows_that_it_is_told_to() {
        for (loss, burst, rows_of) in [(0.1, 1.0, 1.11), (0.5, 1.0, 2.0), (0.2, 3.0, 3.0)] {
            let fates = fates(
                Condition {
                    loss,
                    burst,
                    ..CLEAN
                },
                1,
            );
            let lost: Vec<bool> = fates.iter().map(|(_, fate)| fate.is_none()).collect();
            let count = lost.iter().filter(|&&lost| lost).count() as f64;
            let rows = lost.windows(2).filter(|two| two[1] && !two[0]).count() as f64;
            assert!((count / 50_000.0 - loss).abs() < 0.01, "{loss}: {count}");
            assert!((count / rows - rows_of).abs() < 0.1, "{loss}: {rows} rows");
        }
    }

    #[test]
    fn jitter_is_within_its_bounds_and_overtakes_unless_it_may_not() {
        let jitter = MILLI * 20;
        for in_order in [false, true] {
            let condition = Condition {
                jitter,
                in_order,
                ..CLEAN
            };
            let fates = fates(condition, 1);
            let arrivals: Vec<Duration> = fates.iter().filter_map(|(_, fate)| *fate).collect();
            let overtaken = arrivals.windows(2).filter(|two| two[1] < two[0]).count();
            assert_eq!(overtaken == 0, in_order);
            let took = fates
                .iter()
                .filter_map(|(sent, fate)| Some((*fate)? - *sent));
            let (least, most) = (took.clone().min().unwrap(), took.max().unwrap());
            assert!(least >= MILLI * 10 && least < MILLI * 11, "{least:?}");
            assert!(most <= MILLI * 50 && most > MILLI * 49, "{most:?}");
        }
    }

    #[test]
    fn a_limit_lets_packets_wait_for_each_other_until_there_is_no_room() {
        let condition = Condition {
            rate_bps: Some(40_000.0),
            ..CLEAN
        };
        // 80 kbit/s are offered: half of it passes, after the queue.
        let fates = fates(condition, 1);
        let late = fates.iter().skip(1_000);
        let passed = late.clone().filter(|(_, fate)| fate.is_some()).count();
        assert!((24_000..=25_000).contains(&passed), "{passed}");
        let mut took = late.filter_map(|(sent, fate)| Some((*fate)? - *sent));
        assert!(took.all(|took| took > MILLI * 200 && took <= MILLI * 230));
    }

    #[test]
    fn whoever_stands_still_sends_later_for_as_long_as_that_takes() {
        let condition = Condition {
            stall: MILLI * 100,
            ..CLEAN
        };
        let fates = fates(condition, 1);
        let took = fates.iter().map(|(sent, fate)| fate.unwrap() - *sent);
        let (mut stands, mut rows, mut was) = (0, 0, false);
        for took in took {
            assert!((MILLI * 10..=MILLI * 160).contains(&took), "{took:?}");
            let late = took > MILLI * 10;
            stands += u32::from(late);
            rows += u32::from(late && !was);
            was = late;
        }
        // 500 s; a standstill of 100 ms has 10 packets.
        assert!((85..112).contains(&rows), "{rows}");
        assert!(
            (9 * rows..=11 * rows).contains(&stands),
            "{stands} in {rows}"
        );
    }
}
