//! How long packets are to wait before they are played: as long as it takes until nearly all of
//! their sound is there, by itself or by a copy.
//!
//! Each packet's *lateness* is how much longer it took than the fastest of the last seconds. Of all
//! of them a histogram is kept that forgets, and the target is the lateness that fewer than 0.5 %
//! exceed, and a little. Where copies come it is at least how far these are behind. A packet that
//! never came is not in it: no delay would bring it back. Of packets that came at once, which one
//! thing has held up, only the latest counts: a line, or a machine, that stands still once is
//! waited for once.

use std::time::{Duration, Instant};

use super::{SAMPLE_RATE, Timestamp, least::Least, micros_from};

/// Before anything is known: a link that is none too good.
pub const START: Duration = Duration::from_millis(40);

/// What the target is above the lateness: what the histogram cannot tell apart, and how unevenly
/// packets are handed on and asked for in a machine that is not idle.
const ABOVE: Duration = Duration::from_millis(3);

/// ... and a quarter of the lateness, but no more than this: what is late at all, as a copy is, is
/// so by more at one time than at another.
const VARIES_MAX: Duration = Duration::from_millis(5);

/// Copies that are farther behind their packets are not waited for: they are not worth it.
pub const COPIES_BEHIND_MAX: Duration = Duration::from_millis(100);

/// So many packets in a row have copies as far behind, before that is how it is: what was left out
/// before a packet makes them look farther.
const AGREE: u32 = 4;

/// The most: what comes later than this is no conversation.
const MOST: Duration = Duration::from_millis(400);

/// What the histogram cannot tell apart.
const STEP: Duration = Duration::from_micros(STEP_MICROS.unsigned_abs());

const STEP_MICROS: i64 = 1_000;

/// The share of packets that may come after their turn.
const LATE_SHARE: f64 = 0.005;

/// The target falls when fewer than this share would come after the lower one: a share near the
/// limit crosses it by chance, and each time sound would be stretched ...
const FALLS_SHARE: f64 = LATE_SHARE / 4.0;

/// ... or when that is farther below than this: more than what a copy's delay makes of it.
const NEAR: Duration = Duration::from_millis(15);

/// How many packets it takes to forget two thirds of what was ...
const MEMORY: f64 = 800.0;

/// ... and how many, all of them in time, a link is taken to have had before its first one: it is
/// no worse for one that is late.
const BEFORE: f64 = 200.0;

/// What should have come so often by now, and did not once, is over and forgotten.
const OVER_AFTER: f64 = 24.0;

/// Packets that come so soon after each other come at once, in microseconds.
const AT_ONCE_MICROS: u64 = 2_000;

/// Until so many are known, the target is not below [`START`].
const KNOWN_MIN: u32 = 50;

/// The fastest packet is the fastest of so many periods ...
const PERIODS: usize = 10;

/// ... of this length: clocks that drift apart, and a path that becomes slower, are followed.
const PERIOD: Duration = Duration::from_millis(500);

/// Clocks that drift apart make packets slower by no more than this, in ppm.
const DRIFT_PPM: i64 = 1_000;

/// Longer than this is no lateness, but another stream or a stall.
const LATENESS_MAX: Duration = Duration::from_secs(2);

/// Entries of the histogram.
const BINS: usize = MOST.as_millis() as usize / STEP.as_millis() as usize;

/// The first packet, and the newest one.
#[derive(Debug)]
struct Origin {
    /// When the first one arrived.
    at: Instant,
    newest: Timestamp,
    /// From the first to the newest.
    samples: i64,
}

/// Sums up how late packets come.
#[derive(Debug)]
pub struct Delay {
    /// All times are told from the first packet on.
    origin: Option<Origin>,
    /// How much longer the fastest packet of late took than the first, in microseconds.
    fastest: Least,
    /// The share of packets of each lateness ...
    shares: [f64; BINS],
    /// ... of which the newest was this one, of all that are known ...
    newest: [u32; BINS],
    /// ... which is told from this transit on, give or take a step ...
    measure: i64,
    /// ... as it was in this moment.
    measured: Option<Instant>,
    /// What comes was held up by a stall, and tells nothing of the link when it moves.
    held_up: bool,
    known: u32,
    /// When the last packet came that nothing came at once with, and what was counted of these.
    counted: Option<(Instant, usize)>,
    /// How far behind their packets the farthest copies are that are worth waiting for ...
    copies_behind: Duration,
    /// ... and were in the last packets, of which so many agree.
    told_behind: (Duration, u32),
    target: Duration,
}

impl Default for Delay {
    fn default() -> Self {
        Self {
            origin: None,
            fastest: Least::of(PERIOD, PERIODS),
            shares: std::array::from_fn(|bin| if bin == 0 { 1.0 } else { 0.0 }),
            newest: [0; BINS],
            measure: 0,
            measured: None,
            held_up: false,
            known: 0,
            counted: None,
            copies_behind: Duration::ZERO,
            told_behind: (Duration::ZERO, 0),
            target: START,
        }
    }
}

impl Delay {
    /// Sound of this time arrived for the first time, by itself or by a copy.
    pub fn came(&mut self, timestamp: Timestamp, arrived: Instant) {
        self.note(timestamp, arrived);
        let (least, enough) = (self.reaches(LATE_SHARE), self.reaches(FALLS_SHARE));
        self.target = self.target.clamp(least, enough.min(least + NEAR));
    }

    /// A packet brought copies of what was so far behind it, of those that are no farther than
    /// [`COPIES_BEHIND_MAX`]; of nothing, if that is zero.
    pub fn brought_copies(&mut self, behind: Duration) {
        let (before, agree) = self.told_behind;
        let agree = if behind == before {
            agree.saturating_add(1)
        } else {
            1
        };
        self.told_behind = (behind, agree);
        if agree >= AGREE {
            self.copies_behind = behind;
        }
    }

    fn note(&mut self, timestamp: Timestamp, arrived: Instant) {
        let origin = self.origin.get_or_insert(Origin {
            at: arrived,
            newest: timestamp,
            samples: 0,
        });
        origin.follow(timestamp);
        let transit = origin.transit(timestamp, arrived);
        self.fastest.note(transit, arrived);
        self.measure_anew(arrived);
        let late = u64::try_from(transit - self.fastest.get()).unwrap_or(0);
        let late = Duration::from_micros(late);
        self.held_up = self.held_up && late > ABOVE;
        if self.held_up || late > LATENESS_MAX {
            return;
        }
        let bin = (late.as_micros() / STEP.as_micros()).min(BINS as u128 - 1);
        self.count(usize::try_from(bin).unwrap_or(BINS - 1), arrived);
        self.forget_what_is_over();
    }

    fn count(&mut self, bin: usize, arrived: Instant) {
        let weight = |known| 1.0 / MEMORY.min(BEFORE + f64::from(known));
        if let Some((at, counted)) = self.counted
            && micros_from(at, arrived).unsigned_abs() < AT_ONCE_MICROS
        {
            if bin > counted {
                let weight = weight(self.known).min(self.shares[counted]);
                self.shares[counted] -= weight;
                self.shares[bin] += weight;
                self.newest[bin] = self.known;
                self.counted = Some((at, bin));
            }
            return;
        }
        self.known = self.known.saturating_add(1);
        let weight = weight(self.known);
        for share in &mut self.shares {
            *share *= 1.0 - weight;
        }
        self.shares[bin] += weight;
        self.newest[bin] = self.known;
        self.counted = Some((arrived, bin));
    }

    /// Forgets a lateness, and all above it, that has not come again for much longer than it would
    /// by chance.
    fn forget_what_is_over(&mut self) {
        let (mut later, mut newest, mut over) = (0.0, 0, None);
        for bin in (1..BINS).rev() {
            later += self.shares[bin];
            newest = newest.max(self.newest[bin]);
            if later * f64::from(self.known - newest) > OVER_AFTER {
                over = Some(bin);
            }
        }
        if let Some(over) = over {
            self.shares[over..].fill(0.0);
            let left: f64 = self.shares.iter().sum();
            for share in &mut self.shares[..over] {
                *share /= left;
            }
        }
    }

    /// The network stood still, and what it held up comes now.
    pub fn stalled(&mut self) {
        self.held_up = true;
    }

    /// Packets take longer, and will: this one is on time, and those before it were.
    pub fn slower(&mut self, timestamp: Timestamp, arrived: Instant) {
        self.held_up = false;
        self.fastest.clear();
        self.came(timestamp, arrived);
    }

    /// How long a packet that was on time is to wait.
    #[must_use]
    pub fn target(&self) -> Duration {
        self.target
    }

    /// Whether packets come so late that no target is long enough.
    #[must_use]
    pub fn is_at_its_most(&self) -> bool {
        self.target() == MOST
    }

    /// How long it is to wait so that no more than this share comes after its turn.
    fn reaches(&self, late_share: f64) -> Duration {
        if self.known == 0 {
            return START;
        }
        let mut later = 1.0;
        let bin = self.shares.iter().position(|share| {
            later -= share;
            later < late_share
        });
        let steps = u32::try_from(bin.unwrap_or(BINS - 1)).unwrap_or(u32::MAX);
        let late = STEP.saturating_mul(steps).max(self.copies_behind);
        let target = (late + (late / 4).min(VARIES_MAX) + ABOVE).min(MOST);
        if self.known < KNOWN_MIN {
            target.max(START)
        } else {
            target
        }
    }

    /// How long sound of this time has waited when it is played at `at`, had it been as fast as the
    /// fastest, in microseconds; less than nothing when that is before it could have come. `None`
    /// before anything came.
    #[must_use]
    pub fn waits(&self, timestamp: Timestamp, at: Instant) -> Option<i64> {
        let transit = self.origin.as_ref()?.transit(timestamp, at);
        Some(transit - self.fastest.get())
    }

    /// A path that has become slower for good: what was late is less so. Of one that has become
    /// faster, or after a stall, packets are as late as they were, told from the new measure on.
    fn measure_anew(&mut self, now: Instant) {
        let fastest = self.fastest.get();
        let since = self.measured.replace(now).unwrap_or(now);
        let steps = (fastest - self.measure) / STEP_MICROS;
        if steps <= 0 {
            // Where clocks drift each packet was as late as it was: the measure goes along.
            let drift = micros_from(since, now).max(0) * DRIFT_PPM / 1_000_000;
            self.measure += drift.min(fastest - self.measure);
            return;
        }
        self.measure += steps * STEP_MICROS;
        let (shares, newest) = (self.shares, self.newest);
        (self.shares, self.newest) = ([0.0; BINS], [0; BINS]);
        let steps = usize::try_from(steps).unwrap_or(BINS);
        for bin in 0..BINS {
            let to = bin.saturating_sub(steps);
            self.shares[to] += shares[bin];
            self.newest[to] = self.newest[to].max(newest[bin]);
        }
        self.counted = None;
    }
}

impl Origin {
    /// The sender's clock has come so far. It wraps around, so it is never told from far away.
    fn follow(&mut self, timestamp: Timestamp) {
        let newer = timestamp.since(self.newest);
        if newer > 0 {
            self.newest = timestamp;
            self.samples += i64::from(newer);
        }
    }

    /// How much longer than the first packet one takes that arrives then, in microseconds.
    fn transit(&self, timestamp: Timestamp, arrived: Instant) -> i64 {
        let samples = self.samples + i64::from(timestamp.since(self.newest));
        micros_from(self.at, arrived) - samples * 1_000_000 / i64::from(SAMPLE_RATE)
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

    /// After packets of 10 ms, each so many ms late; the timestamps wrap around.
    fn after(late: impl IntoIterator<Item = u32>) -> (Delay, Instant) {
        let (mut delay, origin) = (Delay::default(), Instant::now());
        for (n, late) in (0..).zip(late) {
            let timestamp = Timestamp(u32::MAX - 4_800).plus(480 * n);
            delay.came(timestamp, origin + MILLI * (10 * n + late));
        }
        (delay, origin)
    }

    #[test]
    fn a_steady_link_takes_the_least_and_an_unknown_one_more() {
        assert_eq!(Delay::default().target(), START);
        assert_eq!(after([0; 49]).0.target(), START);
        assert_eq!(after([0; 60]).0.target(), ABOVE);
        assert_eq!(after([12; 500]).0.target(), ABOVE);
        let faster = [70; 300].into_iter().chain([0; 300]);
        assert_eq!(after(faster).0.target(), ABOVE);
    }

    #[test]
    fn all_but_one_in_200_are_in_time() {
        for seed in 0..10 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let mut late = |share, by| {
                let is_late = random.next_u32() % 1_000 < share;
                random.next_u32() % 5 + if is_late { by } else { 0 }
            };
            let mut target = |share| after((0..4_000).map(|_| late(share, 40))).0.target();
            assert_eq!(target(0), MILLI * 5 + ABOVE, "seed {seed}");
            for share in [100, 20] {
                let target = target(share);
                let expected = MILLI * 48..=MILLI * 52;
                assert!(expected.contains(&target), "seed {seed}: {target:?}");
            }
        }
    }

    #[test]
    fn copies_are_waited_for_as_long_as_they_come() {
        let (mut delay, origin) = after([0; 500]);
        let mut next = |n: u32, behind| {
            delay.brought_copies(behind);
            let timestamp = Timestamp(u32::MAX - 4_800).plus(480 * n);
            delay.came(timestamp, origin + MILLI * 10 * n);
            delay.target()
        };
        let (one, two) = (MILLI * 12 + MILLI / 2 + ABOVE, MILLI * 25 + ABOVE);
        let mut targets = |from: u32, behind| [0, 1, 2, 3].map(|n| next(from + n, behind));
        assert_eq!(targets(500, MILLI * 20), [ABOVE, ABOVE, ABOVE, two]);
        assert_eq!(targets(504, MILLI * 10), [two, two, two, one]);
        assert_eq!(targets(508, Duration::ZERO), [one, one, one, ABOVE]);
        // After what was left out, some packets have copies of what is farther away.
        assert_eq!(next(512, MILLI * 80), ABOVE);
        assert_eq!(next(513, MILLI * 80), ABOVE);
        assert_eq!(next(514, MILLI * 80), ABOVE);
        assert_eq!(next(515, MILLI * 20), ABOVE);
    }

    #[test]
    fn a_share_near_the_limit_does_not_move_the_target_to_and_fro() {
        // What copies leave of 5 and of 7 % of loss: a packet that is one or two later, each 10 ms.
        for (seed, loss) in (0..5).flat_map(|seed| [(seed, 50), (seed, 70)]) {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let mut is_lost = || random.next_u32() % 1_000 < loss;
            let (mut delay, origin) = (Delay::default(), Instant::now());
            let mut changes = 0;
            for n in 0..12_000 {
                let late = (0..2).take_while(|_| is_lost()).count();
                let late = u32::try_from(late).unwrap() * 10;
                let before = delay.target();
                delay.came(Timestamp(480 * n), origin + MILLI * (10 * n + late));
                changes += u32::from(n > 1_000 && delay.target() != before);
            }
            assert!(changes <= 2, "seed {seed}: {changes} times in 110 s");
        }
    }

    #[test]
    fn a_link_that_becomes_steady_is_believed_soon_where_it_was_late_often() {
        let uneven = (0..2_000).map(|n| n % 7 * 9);
        assert!(after(uneven.clone()).0.target() > MILLI * 54);
        let then = |steady: usize| {
            let all = uneven.clone().chain(std::iter::repeat_n(0, steady));
            after(all).0.target()
        };
        assert!(then(8) > MILLI * 54);
        assert_eq!(then(40), ABOVE);
        // A microphone that has just been opened delivers two packets at a time.
        let start = (0..150).map(|n| 10 * (1 - n % 2));
        let all = |then| start.clone().chain(std::iter::repeat_n(0, then));
        assert!(after(all(20)).0.target() > MILLI * 10);
        assert_eq!(after(all(200)).0.target(), ABOVE);
    }

    #[test]
    fn one_stall_is_one_however_much_it_held_up_and_whenever_it_was() {
        // Packets that are held up for so long come at once, 10 ms of sound apart.
        let stall = |millis: u32| (0..millis / 10).map(move |n| millis - 10 * n);
        for before in [60, 300, 5_000] {
            let once = std::iter::repeat_n(0, before).chain(stall(130));
            let all = once.chain(std::iter::repeat_n(0, 10));
            assert_eq!(after(all).0.target(), ABOVE, "after {before}");
        }
        // One in each second is how the link is.
        let second = || std::iter::repeat_n(0, 87).chain(stall(130));
        let often: Vec<u32> = (0..20).flat_map(|_| second()).collect();
        assert!(after(often).0.target() > MILLI * 130);
    }

    #[test]
    fn what_is_late_by_chance_is_not_forgotten_by_chance() {
        // One packet of 30 begins a row of three that come with the one after them.
        for seed in 0..20 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let (mut delay, origin) = (Delay::default(), Instant::now());
            let mut row: u32 = 0;
            for n in 0..20_000 {
                if row == 0 && random.next_u32() % 30 == 0 {
                    row = 3;
                }
                let late = row * 10;
                row = row.saturating_sub(1);
                delay.came(Timestamp(480 * n), origin + MILLI * (10 * n + late));
                let target = delay.target();
                assert!(
                    n < 1_000 || target > MILLI * 30,
                    "seed {seed}, {n}: {target:?}"
                );
            }
        }
    }

    #[test]
    fn a_path_that_becomes_slower_is_the_new_measure_after_5_s() {
        let late = std::iter::repeat_n(0, 1_000).chain(std::iter::repeat_n(80, 4_000));
        assert_eq!(after(late.clone()).0.target(), ABOVE);
        assert_eq!(after(late.clone().take(1_600)).0.target(), ABOVE);
        let at_once = after(late.take(1_100)).0.target();
        assert!(at_once >= MILLI * 80, "{at_once:?}");
    }

    #[test]
    fn a_senders_clock_that_is_slow_forgets_nothing_of_what_was_late() {
        let (mut delay, origin) = (Delay::default(), Instant::now());
        for n in 0..12_000 {
            // It falls behind by 3 ms in 10 s.
            let drifted = Duration::from_micros(3) * n;
            let late = MILLI * if n % 50 == 0 { 32 } else { n % 4 };
            let at = origin + MILLI * 10 * n + drifted + late;
            delay.came(Timestamp(480 * n), at);
            assert!(
                n < 1_000 || (MILLI * 38..=MILLI * 43).contains(&delay.target()),
                "{n}: {:?}",
                delay.target()
            );
        }
    }

    #[test]
    fn what_sound_waits_is_told_from_the_fastest_on() {
        let (delay, origin) = after([5, 0, 3]);
        let third = Timestamp(u32::MAX - 4_800).plus(960);
        let at = |millis| origin + MILLI * millis;
        // It was sent 20 ms after the first, and the fastest was 5 ms faster than that.
        assert_eq!(delay.waits(third, at(20)), Some(0));
        assert_eq!(delay.waits(third, at(57)), Some(37_000));
        assert_eq!(delay.waits(third, at(0)), Some(-20_000));
        assert_eq!(delay.waits(third.plus(480), at(57)), Some(27_000));
        assert_eq!(Delay::default().waits(third, at(0)), None);
    }

    #[test]
    fn a_call_of_days_outlasts_the_senders_clock() {
        const MINUTES: u32 = 10;
        let (mut delay, origin) = (Delay::default(), Instant::now());
        for n in 0..6 * 72 {
            let (timestamp, at) = (
                Timestamp(7).plus((48_000 * 60 * MINUTES).wrapping_mul(n)),
                origin + Duration::from_secs(60) * MINUTES * n,
            );
            delay.came(timestamp, at);
            assert_eq!(delay.waits(timestamp, at + MILLI * 30), Some(30_000), "{n}");
        }
        assert_eq!(delay.target(), ABOVE);
    }

    #[test]
    fn no_lateness_is_beyond_its_bounds() {
        let (mut delay, now) = after([0, 1_999, 399, 5_000, 60_000]);
        assert!(delay.target() <= MOST);
        delay.came(Timestamp(0x8000_0000), now);
        for n in 0..2_000 {
            let at = now + MILLI * (10 * n + n % 2 * 1_500);
            delay.came(Timestamp(7).plus(480 * n), at);
        }
        assert_eq!(delay.target(), MOST);
        assert!(delay.is_at_its_most());
        assert!(!after([0, 100].repeat(100)).0.is_at_its_most());
    }
}
