//! Two phones over a seeded network in virtual time: what is lost, and what copies make good.

use std::{
    collections::VecDeque,
    f32::consts::TAU,
    ops::Range,
    sync::LazyLock,
    time::{Duration, Instant},
};

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

use super::{
    opus::{Decoder, Encoder},
    receive::Receiving,
    send::Sending,
};
use crate::media::{
    Coding, Encoded, FRAME_SAMPLES, Frame, Packet, Seq,
    format::{Format, Ptime},
    opus_fec, opus_samples,
    payload_type::OPUS,
    red::{self, Unpacked},
    redundancy::HEADER_BYTES,
    stats::VoiceStats,
};

const MILLI: Duration = Duration::from_millis(1);

/// How long a packet takes at the least, in ms.
const TRANSIT: u64 = 12;

/// A call takes so long, in ms.
const END: u64 = 24_000;

/// A network that loses packets in rows, after Gilbert: whether one is lost depends on whether the
/// one before it was, and on nothing else.
#[derive(Debug, Clone, Copy)]
struct Losses {
    /// The share that is lost.
    share: f64,
    /// How many follow each other, on average.
    row: f64,
}

impl Losses {
    /// Losses that know nothing of each other.
    fn by_chance(share: f64) -> Self {
        let row = 1.0 / (1.0 - share);
        Self { share, row }
    }

    /// Whether the next one is lost, after one that was or was not.
    fn next(self, was_lost: bool, random: &mut ChaCha8Rng) -> bool {
        let ends = 1.0 / self.row;
        let begins = ends * self.share / (1.0 - self.share);
        let chance = f64::from(random.next_u32()) / f64::from(u32::MAX);
        chance < if was_lost { 1.0 - ends } else { begins }
    }
}

/// What lies between the two, each way.
#[derive(Debug, Clone, Copy, Default)]
struct Link {
    losses: Option<Losses>,
    /// It loses nothing before this, in ms.
    spares_until: u64,
    /// And nothing after this.
    spares_from: Option<u64>,
    /// A packet takes so much longer at the most, in ms: evenly spread, and it may be overtaken.
    jitter: u32,
    /// From when on, and for how long, in ms, all is held up.
    stall: Option<(u64, u64)>,
    bottleneck: Option<Bottleneck>,
}

/// A part of the way that carries so many bits per second, of IP, and has a queue before it.
#[derive(Debug, Clone, Copy)]
struct Bottleneck {
    bps: u32,
    /// What finds more than this waiting is dropped.
    queue: Duration,
}

impl Link {
    fn losing(share: f64) -> Self {
        Self {
            losses: Some(Losses::by_chance(share)),
            ..Self::default()
        }
    }
}

/// One packet that was sent.
#[derive(Debug, Clone, Copy)]
struct Sent {
    /// In ms since the beginning.
    at: u64,
    bytes: usize,
    /// Those of Opus, with copies.
    opus: usize,
    /// What is in it itself, in samples.
    samples: u32,
    copies: usize,
    has_fec: bool,
    /// How long it waited at the bottleneck; `None` when it was dropped there.
    queued: Option<Duration>,
}

/// One of two phones.
struct End {
    sending: Sending,
    receiving: Receiving,
    /// What is on its way here, in the order of arrival.
    coming: VecDeque<Packet>,
    seq: u16,
    was_lost: bool,
    /// When the bottleneck has carried all that this end sent.
    free_at: Option<Instant>,
    sent: Vec<Sent>,
}

impl End {
    fn new(format: Format) -> Self {
        Self {
            sending: Sending::new(Encoder::new().unwrap(), format).untimed(),
            receiving: Receiving::new(Decoder::new().unwrap()),
            coming: VecDeque::new(),
            seq: 65_000,
            was_lost: false,
            free_at: None,
            sent: Vec::new(),
        }
    }

    /// How long so many bytes wait at the bottleneck, and when they are through; `None` when there
    /// is no room.
    fn queue(&mut self, link: Link, bytes: usize, now: Instant) -> Option<(Duration, Instant)> {
        let Some(Bottleneck { bps, queue }) = link.bottleneck else {
            return Some((Duration::ZERO, now));
        };
        let begins = self.free_at.map_or(now, |free| free.max(now));
        let waits = begins - now;
        if waits > queue {
            return None;
        }
        let bits = u32::try_from(8 * (bytes + HEADER_BYTES as usize)).unwrap();
        let through = begins + Duration::from_secs(1) * bits / bps;
        self.free_at = Some(through);
        Some((waits, through))
    }

    fn stats(&self) -> VoiceStats {
        let mut stats = VoiceStats::default();
        self.receiving.tell(&mut stats);
        stats
    }
}

/// What became of a call.
struct Outcome {
    /// What each of the two had counted at the end of each 100 ms.
    stats: Vec<[VoiceStats; 2]>,
    /// What each sent.
    sent: [Vec<Sent>; 2],
}

impl Outcome {
    /// The share of what each heard that was made up, from a time in ms on.
    fn made_up(&self, from: u64) -> [f64; 2] {
        let first = &self.stats[usize::try_from(from).unwrap() / 100];
        let last = self.stats.last().unwrap();
        [0, 1].map(|side| {
            let (now, then) = (last[side].buffer, first[side].buffer);
            let made_up = (now.concealed - then.concealed) as f64;
            made_up / (made_up + (now.played - then.played) as f64)
        })
    }

    /// What each sent from a time in ms on, in bits per second: payloads, or what is counted of
    /// them.
    fn bps(&self, from: u64, of: fn(&Sent) -> usize) -> [f64; 2] {
        let seconds = (END - from) as f64 / 1_000.0;
        self.since(from)
            .map(|sent| sent.iter().map(of).sum::<usize>() as f64 * 8.0 / seconds)
    }

    /// The share of packets that carried copies, from a time in ms on.
    fn with_copies(&self, from: u64) -> [f64; 2] {
        self.since(from).map(|sent| {
            let with = sent.iter().filter(|sent| sent.copies > 0).count();
            with as f64 / sent.len() as f64
        })
    }

    fn since(&self, from: u64) -> [&[Sent]; 2] {
        let since = |sent: &Sent| sent.at < from;
        [0, 1].map(|side| &self.sent[side][self.sent[side].partition_point(since)..])
    }
}

/// 10 ms of somebody who speaks: two syllables a second, and the harmonics of a voice of 120 Hz.
fn voice(millis: u64) -> Frame {
    static SECOND: LazyLock<Vec<f32>> = LazyLock::new(|| {
        let sample = |n| {
            let at = n as f32 / 48_000.0;
            let harmonic = |h| (120.0 * f32::from(h) * at * TAU).sin() / f32::from(h);
            0.2 * (at * TAU).sin().powi(2) * (1..25u8).map(harmonic).sum::<f32>()
        };
        (0..48_000).map(sample).collect()
    });
    let from = usize::try_from(millis % 1_000).unwrap() * 48;
    SECOND[from..from + FRAME_SAMPLES].try_into().unwrap()
}

impl Sent {
    fn new(at: u64, encoded: &Encoded) -> Self {
        let unpacked = match encoded.coding {
            Coding::Opus => None,
            Coding::Red => red::unpack(&encoded.payload, OPUS),
        };
        let others = unpacked.iter().flat_map(Unpacked::others);
        let own = unpacked.map_or(&encoded.payload[..], |unpacked| unpacked.own);
        let copies: Vec<usize> = others
            .filter(|block| block.kind == OPUS)
            .map(|block| block.payload.len())
            .collect();
        Self {
            at,
            bytes: encoded.payload.len(),
            opus: own.len() + copies.iter().sum::<usize>(),
            samples: opus_samples(own).unwrap(),
            copies: copies.len(),
            has_fec: opus_fec(own).is_some(),
            queued: Some(Duration::ZERO),
        }
    }
}

/// Lets the two phones speak to each other.
fn talk(link: Link, format: Format, seed: u64) -> Outcome {
    talk_until(END, link, format, seed)
}

fn talk_until(end: u64, link: Link, format: Format, seed: u64) -> Outcome {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let origin = Instant::now();
    let mut ends = [End::new(format), End::new(format)];
    let mut stats = Vec::new();
    for millis in (0..end).step_by(10) {
        let now = origin + Duration::from_millis(millis);
        if millis % 100 == 0 {
            stats.push(ends.each_ref().map(End::stats));
        }
        for side in 0..2 {
            let end = &mut ends[side];
            let reception = end.receiving.reception();
            if let Some(encoded) = end.sending.push(&voice(millis), reception) {
                let mut sent = Sent::new(millis, &encoded);
                let through = end.queue(link, sent.bytes, now);
                sent.queued = through.map(|(waits, _)| waits);
                end.sent.push(sent);
                end.seq = end.seq.wrapping_add(1);
                let late = u64::from(random.next_u32() % (link.jitter + 1));
                let held = link
                    .stall
                    .map_or(0, |(from, length)| match millis.checked_sub(from) {
                        Some(since) => length.saturating_sub(since),
                        None => 0,
                    });
                let packet = Packet {
                    seq: Seq(end.seq),
                    timestamp: encoded.timestamp,
                    marker: encoded.marker,
                    payload: encoded.payload.into(),
                    coding: encoded.coding,
                    arrived: through.map_or(now, |(_, at)| at)
                        + Duration::from_millis(TRANSIT + late + held),
                };
                let losses = link.losses;
                let lost = losses.is_some_and(|losses| losses.next(end.was_lost, &mut random));
                let loses = link.spares_until..link.spares_from.unwrap_or(u64::MAX);
                end.was_lost = lost && loses.contains(&millis);
                if !end.was_lost && through.is_some() {
                    let coming = &mut ends[1 - side].coming;
                    let at = coming.partition_point(|other| other.arrived <= packet.arrived);
                    coming.insert(at, packet);
                }
            }
            let end = &mut ends[side];
            while end
                .coming
                .front()
                .is_some_and(|packet| packet.arrived <= now)
            {
                let packet = end.coming.pop_front().unwrap();
                if let Some(told) = end.receiving.insert(&packet) {
                    end.sending.hear(told, now);
                }
            }
            end.receiving.next(now);
        }
    }
    Outcome {
        stats,
        sent: ends.map(|end| end.sent),
    }
}

#[test]
fn copies_make_good_nearly_all_that_a_network_loses_by_chance() {
    for (share, at_most) in [
        (0.01, 0.004),
        (0.05, 0.006),
        (0.1, 0.008),
        (0.2, 0.02),
        (0.3, 0.05),
    ] {
        for seed in 0..3 {
            let outcome = talk(Link::losing(share), Format::default(), seed);
            let made_up = outcome.made_up(4_000);
            assert!(
                made_up.iter().all(|&made_up| made_up < at_most),
                "seed {seed}: of {share} lost, {made_up:?} made up"
            );
            let all = outcome.bps(4_000, |sent| sent.bytes);
            let opus = outcome.bps(4_000, |sent| sent.opus);
            assert!(
                opus.iter().all(|&bps| bps < 97_000.0) && all.iter().all(|&bps| bps < 110_000.0),
                "seed {seed}: {opus:?}, {all:?}"
            );
        }
    }
}

#[test]
fn copies_come_within_two_seconds_of_the_first_losses() {
    for (share, at_most) in [(0.05, 0.006), (0.1, 0.008), (0.3, 0.05)] {
        for seed in 0..3 {
            let link = Link {
                spares_until: 10_000,
                ..Link::losing(share)
            };
            let outcome = talk(link, Format::default(), seed);
            for (side, made_up) in outcome.made_up(12_000).into_iter().enumerate() {
                let failed = format!("seed {seed}, {share}, side {side}");
                let sent = &outcome.sent[side];
                assert!(sent.iter().all(|it| it.at >= 10_000 || it.copies == 0));
                let first = sent.iter().find(|it| it.copies > 0).unwrap();
                assert!(first.at <= 12_000, "{failed}: {first:?}");
                let mut later = sent.iter().filter(|it| it.at >= 12_500);
                assert!(later.all(|it| it.copies > 0), "{failed}");
                assert!(made_up < at_most, "{failed}: {made_up}");
            }
        }
    }
}

#[test]
fn after_the_last_losses_copies_go_and_packets_are_long_again_and_nobody_hears_it() {
    for seed in 0..5 {
        let link = Link {
            spares_until: 3_000,
            spares_from: Some(6_000),
            ..Link::losing(0.1)
        };
        let outcome = talk(link, Format::default(), seed);
        for (side, sent) in outcome.sent.iter().enumerate() {
            let failed = format!("seed {seed}, side {side}");
            let packets = |of: Range<u64>| sent.iter().filter(move |sent| of.contains(&sent.at));
            assert!(packets(0..3_000).all(|it| it.samples == 960), "{failed}");
            assert!(
                packets(5_000..6_000).all(|it| it.samples == 480),
                "{failed}"
            );
            let last = sent.iter().rfind(|it| it.copies > 0).unwrap();
            assert!(last.at < 20_000, "{failed}: {last:?}");
            assert!(packets(20_000..END).all(|it| it.samples == 960), "{failed}");
        }
        assert_eq!(outcome.made_up(7_000), [0.0; 2], "seed {seed}");
    }
}

#[test]
fn a_moment_in_which_all_stands_still_is_a_gap_and_no_longer_delay() {
    for seed in 0..10 {
        let link = Link {
            stall: Some((10_000 + 30 * seed, 12 + 2 * seed)),
            ..Link::default()
        };
        let outcome = talk_until(13_000, link, Format::default(), seed);
        let at = |millis: usize| &outcome.stats[millis / 100];
        for side in 0..2 {
            let (before, after) = (at(10_000)[side], at(12_900)[side]);
            let made_up = after.buffer.concealed - before.buffer.concealed;
            assert!(made_up <= 1_440, "seed {seed}: {made_up} samples");
            let waits = [before, after].map(|stats| stats.playout_delay);
            let longer = waits[1].saturating_sub(waits[0]);
            assert!(longer < MILLI * 3, "seed {seed}: {waits:?}");
            assert_eq!((before.lengthened, after.lengthened), (0, 0));
        }
    }
}

#[test]
fn copies_lie_so_far_apart_that_rows_of_losses_seldom_take_them_all() {
    for seed in 0..3 {
        let rows = Losses {
            share: 0.1,
            row: 3.0,
        };
        let link = Link {
            losses: Some(rows),
            ..Link::default()
        };
        let made_up = talk(link, Format::default(), seed).made_up(4_000);
        assert!(
            made_up.iter().all(|&share| share < 0.05),
            "seed {seed}: {made_up:?}"
        );
    }
}

#[test]
fn a_network_that_loses_nothing_costs_nothing_more() {
    for max_bps in [24_000, 96_000] {
        let format = Format {
            max_bps,
            ..Format::default()
        };
        let outcome = talk(Link::default(), format, 0);
        assert_eq!(outcome.made_up(4_000), [0.0; 2]);
        // A voice, and five times a second ten bytes.
        let (bps, most) = (
            outcome.bps(4_000, |sent| sent.bytes),
            f64::from(max_bps.min(34_000)) + 2_000.0,
        );
        assert!(bps.iter().all(|&bps| bps < most), "{bps:?}");
        assert!(outcome.sent.iter().flatten().all(|sent| !sent.has_fec));
    }
}

#[test]
fn what_comes_late_is_waited_for_and_not_copied() {
    for seed in 0..3 {
        for jitter in [40, 120] {
            let link = Link {
                jitter,
                ..Link::default()
            };
            let outcome = talk(link, Format::default(), seed);
            let with_copies = outcome.with_copies(0);
            assert_eq!(with_copies, [0.0; 2], "seed {seed}, {jitter} ms of jitter");
            let made_up = outcome.made_up(4_000);
            assert!(
                made_up.iter().all(|&share| share < 0.01),
                "seed {seed}: {made_up:?}"
            );
        }
        let link = Link {
            jitter: 40,
            ..Link::losing(0.05)
        };
        let outcome = talk(link, Format::default(), seed);
        let mut sent = outcome.since(3_000).into_iter().flatten();
        assert!(sent.all(|sent| sent.copies == 2), "seed {seed}");
    }
}

#[test]
fn what_a_stall_held_up_is_not_copied() {
    let link = Link {
        stall: Some((10_000, 700)),
        ..Link::default()
    };
    let outcome = talk(link, Format::default(), 0);
    let late = outcome.stats.last().unwrap().map(|stats| stats.buffer.late);
    assert!(late.iter().all(|&late| late > 20), "{late:?}");
    assert_eq!(outcome.with_copies(0), [0.0; 2]);
}

#[test]
fn where_there_is_no_room_for_copies_fec_makes_good_most_of_what_is_lost() {
    for max_bps in [24_000, 32_000] {
        for seed in 0..3 {
            let format = Format {
                max_bps,
                ..Format::default()
            };
            let outcome = talk(Link::losing(0.1), format, seed);
            assert_eq!(outcome.with_copies(0), [0.0; 2]);
            let buffers = |at: usize| outcome.stats[at].map(|stats| stats.buffer);
            let (early, last) = (buffers(20), buffers(outcome.stats.len() - 1));
            for side in 0..2 {
                assert!(early[side].fec > 0, "seed {seed}: none within 2 s");
                let (lost, fec) = (last[side].lost, last[side].fec);
                assert!(3 * fec > 2 * lost, "seed {seed}: {fec} of {lost}");
                assert_eq!(last[side].recovered, 0);
            }
            let made_up = outcome.made_up(4_000);
            assert!(
                made_up.iter().all(|&share| share < 0.04),
                "seed {seed}: {made_up:?}"
            );
            let bps = outcome.bps(4_000, |sent| sent.bytes);
            let most = f64::from(max_bps) + 1_000.0;
            assert!(bps.iter().all(|&bps| bps < most), "seed {seed}: {bps:?}");
        }
    }
}

#[test]
fn a_link_that_is_full_is_sent_less_until_little_waits() {
    for (bps, ptime, loss) in [
        (64_000, None, 0.05),
        (64_000, Some(Ptime::Ten), 0.0),
        (40_000, None, 0.0),
        (100_000, None, 0.1),
    ] {
        for (seed, jitter) in [(0, 0), (1, 20)] {
            let link = Link {
                bottleneck: Some(Bottleneck {
                    bps,
                    queue: Duration::from_millis(200),
                }),
                jitter,
                ..Link::losing(loss)
            };
            let format = Format {
                ptime,
                ..Format::default()
            };
            let outcome = talk_until(40_000, link, format, seed);
            for sent in outcome.since(5_000) {
                let count = |is: fn(&Sent) -> bool| {
                    sent.iter().filter(|sent| is(sent)).count() as f64 / sent.len() as f64
                };
                let soon = count(|sent| sent.queued.is_some_and(|waits| waits < MILLI * 60));
                let dropped = count(|sent| sent.queued.is_none());
                assert!(
                    soon >= 0.95,
                    "seed {seed}, {bps} bit/s: {soon} waited little"
                );
                assert!(
                    dropped < 0.02,
                    "seed {seed}, {bps} bit/s: {dropped} dropped"
                );
            }
        }
    }
}
