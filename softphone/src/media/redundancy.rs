//! How much redundancy a sender adds, by what the receiver tells it. Pure: the time comes in.
//!
//! On a clean link there is none: it would cost bits, and delay at the receiver. From the first
//! loss on each packet carries the one before it; where more is lost it carries two, or even three,
//! and the voice pays for the third. The receiver waits for them, so they do not come and go by
//! chance. Where packets are lost in a row, the nearest copy is as far behind as the row is long,
//! and the other one not quite twice as far. Where there is no room for copies, Opus puts some of
//! each packet into the next (in-band FEC), for which the voice pays as well.

use std::{
    ops::RangeInclusive,
    time::{Duration, Instant},
};

use super::{
    congestion::{Congestion, Load},
    format::{Format, Ptime},
    reception::Reception,
};

/// Opus of one packet, in bits per second, without copies: transparent for one voice.
pub const VOICE_BPS: u32 = 30_500;

/// ... and with them: packets are short then, and the same bits are worth less in short ones.
const COPIED_BPS: u32 = 32_000;

/// Opus in all, with copies, unless something else is wanted.
pub const MAX_BPS: u32 = 96_000;

/// Less than this share of packets lost is none.
const NONE: f32 = 0.002;

/// From these shares on there is one copy, two or three (three only where losses do not come in
/// rows) ...
const COPIES_FROM: [f32; COPIES_MAX] = [NONE, 0.035, 0.20];

/// ... and below these there is one less again.
const COPIES_UNTIL: [f32; COPIES_MAX] = [NONE, 0.015, 0.12];

/// The most copies.
const COPIES_MAX: usize = 3;

/// With copies, each packet has at least so many bits per second of Opus: a voice of less is worse
/// than a loss now and then. Where that leaves no room for copies, there is in-band FEC.
const COPIED_BPS_MIN: u32 = 20_000;

/// Of a voice of less FEC would take too much.
const FEC_BPS_MIN: u32 = 16_000;

/// On a link that is full a voice has at least so many bits per second, if they are allowed.
const FULL_BPS_MIN: u32 = 12_000;

/// What goes around each packet: IPv4 and UDP, RTP, and the tag of SRTP with AES-256-GCM.
pub const HEADER_BYTES: u32 = 28 + 12 + 16;

/// FEC is for so many losses of 100. For fewer libopus rather has none than less bandwidth, and for
/// more it does no more.
const FEC_PERCENT: RangeInclusive<u8> = 10..=25;

/// Losses follow each other when rows are so much longer than chance makes them.
const IN_ROWS: f32 = 1.5;

/// ... and do so until they are only so much longer.
const STILL_IN_ROWS: f32 = 1.25;

/// The farthest copies, in packets; farther ones would be delay that nobody wants.
const SPACING_MAX: u8 = 4;

/// The farthest that a copy of a plan lies behind its packet, in packets.
pub const DISTANCE_MAX: usize = 2 * SPACING_MAX as usize - 1;

/// How soon it is forgotten that more was lost: to a third in this time.
const FORGETS_IN: Duration = Duration::from_secs(3);

/// How much a new length of rows counts, beside those before, if these are many.
const BURST_WEIGHT: f32 = 0.05;

/// Longer rows are as good as these: no copy is far enough for them.
const BURST_MAX: f32 = SPACING_MAX as f32 + 0.5;

/// After so many reports of losses it is sure how much is lost: at first a single one is a large
/// share of what came.
const SURE: u16 = 3;

/// Rows whose length is within so much of what copies are apart are what they are for.
const SAME_ROWS: f32 = 0.8;

/// What to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// How many packets before its own a packet carries copies of: the nearest first. Zero is none.
    distances: [u8; COPIES_MAX],
    /// In-band FEC is for so many losses of 100; zero is none.
    pub fec_percent: u8,
    /// Opus of one packet, in bits per second.
    pub voice_bps: u32,
    /// Sound in one packet.
    pub ptime: Ptime,
}

impl Plan {
    /// How many packets before its own a packet carries copies of, the farthest first.
    pub fn distances(&self) -> impl Iterator<Item = usize> {
        let used = self.distances.into_iter().rev();
        used.filter(|&distance| distance > 0).map(usize::from)
    }

    /// What the link is to carry, in bits per second.
    fn link_bps(&self) -> u32 {
        let copies = self.distances.into_iter().filter(|&distance| distance > 0);
        let packets = copies.fold(1, |packets, _| packets + 1);
        packets * self.voice_bps + headers_bps(self.ptime)
    }
}

/// What goes around packets, in bits per second.
fn headers_bps(ptime: Ptime) -> u32 {
    HEADER_BYTES * 8 * 1_000 / ptime.millis()
}

/// Decides it.
#[derive(Debug, Clone)]
pub struct Redundancy {
    format: Format,
    congestion: Congestion,
    /// The share that is lost, and when it was told; falls slowly.
    lost: Option<(f32, Instant)>,
    /// How long rows of losses are.
    burst: f32,
    /// How many reports have told of losses since there are copies.
    reports: u16,
    /// How many copies there are to be, if losses do not come in rows: in rows two at most.
    copies: usize,
    /// How many packets they are apart.
    spacing: u8,
}

impl Redundancy {
    /// Keeps to what `format` fixes.
    #[must_use]
    pub fn within(format: Format) -> Self {
        Self {
            format,
            congestion: Congestion::default(),
            lost: None,
            burst: 1.0,
            reports: 0,
            copies: 0,
            spacing: 1,
        }
    }

    /// The receiver tells how packets come.
    pub fn hear(&mut self, reception: Reception, now: Instant) {
        let load = Load {
            bps: self.plan().link_bps(),
            least_bps: self.full_plan(0).link_bps(),
            wants_more: self.plan() != self.full_plan(u32::MAX),
        };
        self.congestion.hear(reception.queueing(), load, now);
        let told = reception.loss();
        let lost = self.lost.map_or(told, |(lost, at)| {
            let age = now.saturating_duration_since(at).as_secs_f32();
            told.max(lost * (-age / FORGETS_IN.as_secs_f32()).exp())
        });
        self.lost = Some((lost, now));
        if told > 0.0 {
            self.reports = self.reports.saturating_add(1);
            let weight = BURST_WEIGHT.max(1.0 / f32::from(self.reports));
            let burst = reception.burst().min(BURST_MAX);
            self.burst += weight * (burst - self.burst);
        }
        self.decide(lost);
    }

    /// How many copies there are to be, and how far apart, where so much is lost.
    fn decide(&mut self, lost: f32) {
        let enough = |shares: [f32; COPIES_MAX]| shares.iter().filter(|&&it| lost >= it).count();
        self.copies = self.copies.clamp(enough(COPIES_FROM), enough(COPIES_UNTIL));
        if self.reports < SURE {
            self.copies = self.copies.min(COPIES_MAX - 1);
        }
        if self.copies == 0 {
            (self.burst, self.reports) = (1.0, 0);
        }
        // Losses that know nothing of each other come in rows of 1 / (1 - p).
        let by_chance = 1.0 / (1.0 - lost).max(0.1);
        let spacing = f32::from(self.spacing);
        let in_rows = if self.spacing == 1 {
            IN_ROWS
        } else {
            STILL_IN_ROWS
        };
        if self.burst <= in_rows * by_chance {
            self.spacing = 1;
        } else if self.spacing == 1 || (self.burst - spacing).abs() > SAME_ROWS {
            let reaches = |spacing: &u8| self.burst < f32::from(*spacing) + 0.5;
            self.spacing = (1..SPACING_MAX).find(reaches).unwrap_or(SPACING_MAX);
        }
    }

    /// What to send from now on.
    #[must_use]
    pub fn plan(&self) -> Plan {
        if let Some(limit) = self.congestion.limit_bps() {
            return self.full_plan(limit);
        }
        let plan = self.plan_of(self.format.max_bps);
        let has_copies = plan.distances != [0; COPIES_MAX];
        Plan {
            ptime: self.format.ptime(has_copies),
            ..plan
        }
    }

    /// What to send on a link that takes no more than this: in long packets, as the headers of
    /// short ones take as much as a copy.
    fn full_plan(&self, link_bps: u32) -> Plan {
        let ptime = self.format.ptime(false);
        let room = link_bps.saturating_sub(headers_bps(ptime));
        Plan {
            ptime,
            ..self.plan_of(room.max(FULL_BPS_MIN).min(self.format.max_bps))
        }
    }

    /// What is best within so many bits per second of Opus.
    fn plan_of(&self, max_bps: u32) -> Plan {
        let lost = self.lost.map_or(0.0, |(lost, _)| lost);
        // A copy that is farther away costs delay, and twice a row's length saves little more.
        let wanted = match self.spacing {
            1 => [1, 2, 3],
            spacing => [spacing, 2 * spacing - 1, 0],
        };
        let copies_max = (max_bps / COPIED_BPS_MIN).saturating_sub(1);
        let mut distances = [0; COPIES_MAX];
        let mut packets = 1;
        for (distance, wanted) in distances.iter_mut().zip(wanted).take(self.copies) {
            if wanted > 0 && packets <= copies_max {
                *distance = wanted;
                packets += 1;
            }
        }
        let voice_bps = if packets > 1 { COPIED_BPS } else { VOICE_BPS };
        let voice_bps = voice_bps.min(max_bps / packets);
        let has_fec = packets == 1 && lost >= NONE && voice_bps >= FEC_BPS_MIN;
        let reaches = |percent: &u8| 100.0 * lost <= f32::from(*percent);
        let for_losses = FEC_PERCENT.clone().find(reaches);
        Plan {
            distances,
            fec_percent: match has_fec {
                true => for_losses.unwrap_or(*FEC_PERCENT.end()),
                false => 0,
            },
            voice_bps,
            ptime: Ptime::Twenty,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use rand_chacha::{
        ChaCha8Rng,
        rand_core::{Rng, SeedableRng},
    };

    use super::*;

    const REPORT: Duration = Duration::from_millis(200);

    fn bounded(max_bps: u32) -> Format {
        Format {
            max_bps,
            ..Format::default()
        }
    }

    fn plan_after(reports: &[(u32, u32)], max_bps: u32) -> (Vec<usize>, u32) {
        let (mut redundancy, origin) = (Redundancy::within(bounded(max_bps)), Instant::now());
        for (n, &(lost, bursts)) in (0..).zip(reports) {
            let reception = Reception::new(128, lost, bursts).unwrap();
            redundancy.hear(reception, origin + REPORT * n);
        }
        let plan = redundancy.plan();
        (plan.distances().collect(), plan.voice_bps)
    }

    #[test]
    fn there_are_copies_from_the_first_loss_on_and_more_where_more_is_lost() {
        let after = |reports: &[(u32, u32)]| plan_after(reports, MAX_BPS);
        assert_eq!(after(&[]), (vec![], VOICE_BPS));
        assert_eq!(after(&[(0, 0); 50]), (vec![], VOICE_BPS));
        assert_eq!(after(&[(0, 0), (1, 1)]), (vec![1], COPIED_BPS));
        assert_eq!(after(&[(0, 0), (5, 5)]), (vec![2, 1], COPIED_BPS));
        assert_eq!(after(&[(20, 17)]), (vec![2, 1], COPIED_BPS));
        assert_eq!(after(&[(38, 27); 2]), (vec![2, 1], COPIED_BPS));
        assert_eq!(after(&[(38, 27); 3]), (vec![3, 2, 1], MAX_BPS / 4));
    }

    #[test]
    fn copies_do_not_come_and_go_by_chance() {
        for (share, expected) in [(0.05, 2), (0.10, 2), (0.25, 3)] {
            for seed in 0..10 {
                let mut random = ChaCha8Rng::seed_from_u64(seed);
                let mut redundancy = Redundancy::within(Format::default());
                let mut window = VecDeque::from([false; 128]);
                let (origin, mut plans) = (Instant::now(), Vec::new());
                for n in 0..300 {
                    for _ in 0..20 {
                        window.pop_front();
                        window.push_back(f64::from(random.next_u32()) < share * 2_f64.powi(32));
                    }
                    let lost = window.iter().filter(|&&lost| lost).count();
                    let rows = std::iter::zip(&window, window.iter().skip(1));
                    let begun = rows.filter(|&(before, lost)| *lost && !before).count();
                    let bursts = begun + usize::from(window[0]);
                    let [lost, bursts] = [lost, bursts].map(|it| u32::try_from(it).unwrap());
                    let reception = Reception::new(128, lost, bursts).unwrap();
                    redundancy.hear(reception, origin + REPORT * n);
                    plans.push(redundancy.plan().distances().count());
                }
                // All that are wanted after 4 s, and a minute in which they hardly change.
                let plans = &plans[20..];
                let wanted = plans.iter().filter(|&&copies| copies == expected).count();
                assert!(wanted > 200, "seed {seed}, {share}: {plans:?}");
                let changes = plans.windows(2).filter(|it| it[0] != it[1]).count();
                assert!(changes <= 2, "seed {seed}, {share}: {plans:?}");
            }
        }
    }

    #[test]
    fn copies_are_as_far_apart_as_rows_of_losses_are_long() {
        let after = |reports: &[(u32, u32)]| plan_after(reports, MAX_BPS).0;
        assert_eq!(after(&[(12, 4); 12]), [5, 3]);
        assert_eq!(after(&[(12, 6); 12]), [3, 2]);
        assert_eq!(after(&[(60, 3); 12]), [7, 4]);
        // By chance, 30 % come in rows of 1.43.
        assert_eq!(after(&[(38, 20); 12]), [3, 2, 1]);
        // Rows that are a little longer or shorter for a while change nothing.
        let now_and_then = |other| [vec![(12, 4); 12], vec![other; 3], vec![(12, 4)]].concat();
        assert_eq!(after(&now_and_then((12, 3))), [5, 3]);
        assert_eq!(after(&now_and_then((12, 6))), [5, 3]);
        // A single outage is over soon.
        let outage = [vec![(124, 1); 8], vec![(2, 2); 40]].concat();
        assert_eq!(after(&outage), [2, 1]);
        // At 30 %, rows about as long as makes them rows change nothing once they are.
        let about = |first| [vec![first; 12], [(38, 17), (38, 19)].repeat(20)].concat();
        assert_eq!(after(&about((38, 10))).len(), 2);
        assert_eq!(after(&about((38, 27))).len(), 3);
    }

    #[test]
    fn a_loss_is_forgotten_in_seconds_and_not_in_one() {
        let mut redundancy = Redundancy::within(Format::default());
        let origin = Instant::now();
        redundancy.hear(Reception::new(128, 13, 12).unwrap(), origin);
        let mut copies = Vec::new();
        for n in 1..=100 {
            redundancy.hear(Reception::new(128, 0, 0).unwrap(), origin + REPORT * n);
            copies.push(redundancy.plan().distances().count());
        }
        let until = |count: usize| copies.iter().filter(|&&copies| copies >= count).count();
        let seconds = |reports: usize| REPORT.as_secs_f32() * reports as f32;
        assert!((4.0..6.0).contains(&seconds(until(2))), "{copies:?}");
        assert!((11.0..13.0).contains(&seconds(until(1))), "{copies:?}");
    }

    #[test]
    fn all_together_are_never_more_than_is_allowed() {
        for max_bps in [
            6_000, 16_000, 31_000, 32_000, 48_000, 64_000, 79_999, 80_000, 96_000, 510_000,
        ] {
            for (lost, bursts) in [
                (0, 0),
                (1, 1),
                (13, 1),
                (13, 12),
                (64, 1),
                (64, 32),
                (128, 1),
            ] {
                let (distances, voice_bps) = plan_after(&[(lost, bursts); 4], max_bps);
                // Where all is lost, no row is longer than chance makes it.
                let is_three = (bursts == 32 || lost == 128) && max_bps >= 80_000;
                assert_eq!(distances.len() == 3, is_three, "{max_bps} {lost}");
                let packets = u32::try_from(distances.len()).unwrap() + 1;
                assert!(voice_bps * packets <= max_bps, "{max_bps} {lost}");
                let least = VOICE_BPS.min(COPIED_BPS_MIN).min(max_bps);
                assert!(voice_bps >= least, "{max_bps} {lost}");
            }
        }
        assert_eq!(plan_after(&[(13, 12)], 64_000), (vec![2, 1], 64_000 / 3));
        assert_eq!(plan_after(&[(13, 12)], 48_000), (vec![1], 24_000));
        assert_eq!(plan_after(&[(13, 12)], 32_000), (vec![], VOICE_BPS));
        assert_eq!(plan_after(&[(13, 12)], 24_000), (vec![], 24_000));
    }

    #[test]
    fn fec_is_there_where_copies_would_be_and_have_no_room() {
        let fec = |lost, max_bps| {
            let mut redundancy = Redundancy::within(bounded(max_bps));
            let reception = Reception::new(100, lost, lost.min(1)).unwrap();
            redundancy.hear(reception, Instant::now());
            redundancy.plan().fec_percent
        };
        assert_eq!(
            [0, 1, 5, 14, 60].map(|lost| fec(lost, 32_000)),
            [0, 10, 10, 14, 25]
        );
        assert_eq!([0, 1, 60].map(|lost| fec(lost, 40_000)), [0; 3]);
    }

    #[test]
    fn on_a_full_link_copies_go_first_and_then_the_voices_bits_down_to_12_kbit_s() {
        let mut redundancy = Redundancy::within(Format::default());
        let origin = Instant::now();
        let mut plans = Vec::new();
        for n in 0..40 {
            let reception = Reception::new(100, 10, 9).unwrap();
            redundancy.hear(
                reception.with_queueing(Duration::from_millis(if n < 2 { 0 } else { 200 })),
                origin + REPORT * n,
            );
            plans.push(redundancy.plan());
        }
        plans.dedup();
        let told = |plan: &Plan| (plan.distances().count(), plan.voice_bps, plan.ptime);
        assert_eq!(told(&plans[0]), (2, COPIED_BPS, Ptime::Ten));
        assert!(plans[1..].iter().all(|plan| plan.ptime == Ptime::Twenty));
        assert!(plans[1..].is_sorted_by(|a, b| a.link_bps() > b.link_bps()));
        assert_eq!(told(plans.last().unwrap()).1, FULL_BPS_MIN);
        for plan in &plans {
            let (copies, voice_bps, _) = told(plan);
            assert!(copies == 0 || voice_bps >= COPIED_BPS_MIN, "{plan:?}");
            assert!((plan.fec_percent > 0) == (copies == 0 && voice_bps >= FEC_BPS_MIN));
        }
    }
}
