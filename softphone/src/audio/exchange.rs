//! Two phones over a seeded network in virtual time: what is lost, and what copies make good.

use std::{
    collections::VecDeque,
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
use crate::media::{FRAME_SAMPLES, Packet, Seq, format::Format, stats::VoiceStats};

/// How long a packet takes, in ms.
const TRANSIT: u64 = 12;

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

/// One of two phones.
struct End {
    sending: Sending,
    receiving: Receiving,
    /// What is on its way here.
    coming: VecDeque<Packet>,
    seq: u16,
    was_lost: bool,
    bytes: usize,
}

impl End {
    fn new() -> Self {
        Self {
            sending: Sending::new(Encoder::new().unwrap(), Format::default()),
            receiving: Receiving::new(Decoder::new().unwrap()),
            coming: VecDeque::new(),
            seq: 65_000,
            was_lost: false,
            bytes: 0,
        }
    }

    fn stats(&self) -> VoiceStats {
        let mut stats = VoiceStats::default();
        self.receiving.tell(&mut stats);
        stats
    }
}

/// What two phones came to, once they knew of the losses.
struct Outcome {
    /// The share of what was heard that was made up, at each.
    made_up: [f64; 2],
    /// What each sent: payloads, in bits per second.
    bps: [f64; 2],
}

/// Lets the two phones speak to each other.
fn talk(losses: Option<Losses>, seed: u64) -> Outcome {
    const WARM: u64 = 4_000;
    const END: u64 = 24_000;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let origin = Instant::now();
    let mut ends = [End::new(), End::new()];
    let mut before = [VoiceStats::default(); 2];
    for millis in (0..END).step_by(10) {
        let now = origin + Duration::from_millis(millis);
        if millis == WARM {
            before = ends.each_ref().map(End::stats);
            ends.iter_mut().for_each(|end| end.bytes = 0);
        }
        for side in 0..2 {
            let frame = std::array::from_fn(|n| {
                let at = (millis as f32 / 10.0) * FRAME_SAMPLES as f32 + n as f32;
                0.3 * (at * 0.03).sin() * (at * 0.000_1).sin()
            });
            let end = &mut ends[side];
            let reception = end.receiving.reception();
            if let Some(encoded) = end.sending.push(&frame, reception) {
                end.bytes += encoded.payload.len();
                end.seq = end.seq.wrapping_add(1);
                let packet = Packet {
                    seq: Seq(end.seq),
                    timestamp: encoded.timestamp,
                    marker: encoded.marker,
                    payload: encoded.payload.into(),
                    coding: encoded.coding,
                    arrived: now + Duration::from_millis(TRANSIT),
                };
                end.was_lost = losses.is_some_and(|losses| losses.next(end.was_lost, &mut random));
                if !end.was_lost {
                    ends[1 - side].coming.push_back(packet);
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
    let [first, second] = [0, 1].map(|side| {
        let (now, then) = (ends[side].stats().buffer, before[side].buffer);
        let made_up = (now.concealed - then.concealed) as f64;
        let heard = made_up + (now.played - then.played) as f64;
        let seconds = (END - WARM) as f64 / 1_000.0;
        (made_up / heard, ends[side].bytes as f64 * 8.0 / seconds)
    });
    Outcome {
        made_up: [first.0, second.0],
        bps: [first.1, second.1],
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
            let outcome = talk(Some(Losses::by_chance(share)), seed);
            for side in 0..2 {
                assert!(
                    outcome.made_up[side] < at_most,
                    "seed {seed}: of {share} lost, {:.4} made up",
                    outcome.made_up[side]
                );
                assert!(
                    outcome.bps[side] < 110_000.0,
                    "seed {seed}: {:?}",
                    outcome.bps
                );
            }
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
        let made_up = talk(Some(rows), seed).made_up;
        assert!(
            made_up.iter().all(|&share| share < 0.05),
            "seed {seed}: {made_up:?}"
        );
    }
}

#[test]
fn a_network_that_loses_nothing_costs_nothing_more() {
    let outcome = talk(None, 0);
    assert_eq!(outcome.made_up, [0.0; 2]);
    // A voice, and five times a second ten bytes.
    assert!(
        outcome.bps.iter().all(|&bps| bps < 36_000.0),
        "{:?}",
        outcome.bps
    );
}
