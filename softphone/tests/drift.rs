//! Sound cards that drift apart, for hours in virtual time: the jitter buffer, and the speed that
//! it tells, which is applied as `audio` does it, but to no sound. A failure prints its seed.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use softphone::media::{
    Coding, Packet, Seq, Timestamp,
    jitter::{Counters, Decision, JitterBuffer},
    steer::Stretch,
};

/// TOC byte of 20 ms of fullband CELT, mono, in one frame: all that the buffer looks at.
const TOC_20_MS: u8 = 31 << 3;

/// Samples in each packet.
const PACKET_SAMPLES: u32 = 960;

/// How long the fastest packet takes, in microseconds.
const TRANSIT_MICROS: f64 = 15_000.0;

/// Two sound cards and the network between them, one way.
struct Cards {
    /// How much faster than true the sender's card is, in ppm; the loudspeaker's, at a true time in
    /// seconds.
    sender: fn(f64) -> f64,
    loudspeaker: fn(f64) -> f64,
    /// Packets take from nothing to this longer than the fastest, in microseconds.
    jitter: u32,
    /// The loudspeaker asks for so many frames at once.
    at_once: u32,
    seed: u64,
}

/// How it was at one second.
#[derive(Debug, Clone, Copy)]
struct Second {
    counters: Counters,
    stretched: u64,
    speed: f64,
    /// From the capture of a sample until it is played, in ms: the least and the most in it.
    delay: [f64; 2],
}

impl Cards {
    /// So many seconds of a call.
    fn run(&self, seconds: u32) -> Vec<Second> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let origin = Instant::now();
        let at = |micros: f64| origin + Duration::from_secs_f64(micros / 1e6);
        let mut buffer = JitterBuffer::new();
        // True times in microseconds: of the next packet's capture, and of the next frame.
        let (mut sends, mut plays) = (0.0, 1_234.0);
        // What each packet that may still be heard began with, in true time.
        let mut captured = VecDeque::from([(0u32, 0.0)]);
        let mut coming: VecDeque<(f64, u32)> = VecDeque::new();
        let (mut number, mut ready, mut stretched) = (0u32, 0.0f64, 0);
        // The sample that is decoded next, and how fast the sender's card was.
        let mut position = 0.0;
        let mut told = Vec::new();
        let mut delay = [f64::MAX, f64::MIN];
        for tick in 1.. {
            let now = plays;
            while sends <= now {
                sends += 20_000.0 / (1.0 + (self.sender)(sends / 1e6) / 1e6);
                number += 1;
                captured.push_back((number, sends));
                let late = f64::from(random.next_u32() % (self.jitter + 1));
                // A network that delays by chance does not reorder by chance.
                let before = coming.back().map_or(0.0, |&(arrives, _)| arrives);
                let arrives = (sends + TRANSIT_MICROS + late).max(before);
                coming.push_back((arrives, number - 1));
            }
            while coming.front().is_some_and(|&(arrives, _)| arrives <= now) {
                let (arrives, number) = coming.pop_front().unwrap();
                buffer.insert(packet(number, at(arrives)));
            }
            for _ in 0..self.at_once {
                let wanted = 480.0 * (1.0 + buffer.speed_ppm() / 1e6);
                while ready < wanted {
                    ready += decide(&mut buffer, at(now), &mut position);
                }
                let before = Duration::from_secs_f64(ready / 48_000.0);
                match buffer.stretch(at(now), before) {
                    Stretch::Shorten(piece) if ready >= 960.0 || buffer.plays_next() => {
                        if ready < 960.0 {
                            ready += decide(&mut buffer, at(now), &mut position);
                        }
                        ready -= f64::from(piece.samples);
                        stretched += u64::from(piece.samples);
                        let samples = i32::try_from(piece.samples).unwrap();
                        buffer.stretched(-samples, at(now));
                    }
                    Stretch::Lengthen(piece) => {
                        ready += f64::from(piece.samples);
                        stretched += u64::from(piece.samples);
                        let samples = i32::try_from(piece.samples).unwrap();
                        buffer.stretched(samples, at(now));
                    }
                    Stretch::Shorten(_) | Stretch::Keep => {}
                }
                // What is played now, on the sender's clock, and when that was captured.
                let sample = position - ready;
                if sample >= 0.0 {
                    while captured.len() > 2
                        && f64::from(captured[1].0) * f64::from(PACKET_SAMPLES) <= sample
                    {
                        captured.pop_front();
                    }
                    let (number, since) = captured[0];
                    let into = sample - f64::from(number) * f64::from(PACKET_SAMPLES);
                    let waited = (now - since - into / 0.048) / 1e3;
                    delay = [delay[0].min(waited), delay[1].max(waited)];
                }
                ready -= wanted;
            }
            plays +=
                10_000.0 * f64::from(self.at_once) / (1.0 + (self.loudspeaker)(now / 1e6) / 1e6);
            if tick % (100 / self.at_once) == 0 {
                told.push(Second {
                    counters: buffer.counters(),
                    stretched,
                    speed: buffer.speed_ppm(),
                    delay,
                });
                delay = [f64::MAX, f64::MIN];
                if told.len() == seconds as usize {
                    break;
                }
            }
        }
        told
    }
}

/// Takes the next decision: how many samples it gives.
fn decide(buffer: &mut JitterBuffer, now: Instant, position: &mut f64) -> f64 {
    match buffer.next(now) {
        Decision::Wait => 480.0,
        Decision::Conceal { samples } => f64::from(samples),
        Decision::Fec(_) => unreachable!("these packets have none"),
        Decision::Rest { .. } => unreachable!("none of them is late"),
        Decision::Play(packet) => {
            let number = u32::from_be_bytes(packet.payload[1..].try_into().unwrap());
            *position = f64::from(number + 1) * f64::from(PACKET_SAMPLES);
            f64::from(PACKET_SAMPLES)
        }
    }
}

fn packet(number: u32, arrived: Instant) -> Packet {
    Packet {
        seq: Seq(u16::try_from(number % 0x1_0000).unwrap()),
        timestamp: Timestamp(0xFFFF_0000u32.wrapping_add(number.wrapping_mul(PACKET_SAMPLES))),
        marker: number == 0,
        payload: [[TOC_20_MS].as_slice(), &number.to_be_bytes()]
            .concat()
            .into(),
        coding: Coding::Opus,
        arrived,
    }
}

/// When all has settled, in seconds.
const SETTLED: usize = 30;

/// Checks a call of so many seconds: nothing is lost in it, and once it has settled nothing is
/// stretched either, and the delay stays within 5 ms of one.
fn holds(what: &str, cards: &Cards, seconds: u32) {
    let told = cards.run(seconds);
    let last = told.last().unwrap();
    let counters = last.counters;
    println!(
        "{what}: {:.0} ppm, {:.1} to {:.1} ms, {counters:?}",
        last.speed, last.delay[0], last.delay[1]
    );
    let what = format!("{what}, seed {}", cards.seed);
    let lost = (
        counters.underruns,
        counters.concealed,
        counters.skipped,
        counters.late,
    );
    assert_eq!(lost, (0, 0, 0, 0), "{what}");
    let then = &told[SETTLED];
    assert_eq!(last.stretched, then.stretched, "{what}: stretched");
    let all = told[SETTLED..].iter().flat_map(|it| it.delay);
    let (least, most) = (
        all.clone().fold(f64::MAX, f64::min),
        all.fold(f64::MIN, f64::max),
    );
    assert!(most - least < 10.0, "{what}: {least:.1} to {most:.1} ms");
}

const HOUR: u32 = 3_600;

fn cards(sender: fn(f64) -> f64, loudspeaker: fn(f64) -> f64, jitter_ms: u32) -> Cards {
    Cards {
        sender,
        loudspeaker,
        jitter: jitter_ms * 1_000,
        at_once: 1,
        seed: 1,
    }
}

#[test]
fn an_hour_between_a_fast_card_and_a_slow_one_loses_nothing_and_stretches_nothing() {
    let cards = cards(|_| 300.0, |_| -300.0, 0);
    holds("600 ppm faster", &cards, HOUR);
}

#[test]
fn an_hour_between_a_slow_card_and_a_fast_one_loses_nothing_and_stretches_nothing() {
    let cards = cards(|_| -300.0, |_| 300.0, 0);
    holds("600 ppm slower", &cards, HOUR);
}

#[test]
fn an_hour_between_a_fast_card_and_a_slow_one_over_a_link_that_jitters_is_as_good() {
    let cards = cards(|_| 300.0, |_| -300.0, 10);
    holds("600 ppm faster, 10 ms of jitter", &cards, HOUR);
}

#[test]
fn an_hour_between_a_slow_card_and_a_fast_one_over_a_link_that_jitters_is_as_good() {
    let cards = cards(|_| -300.0, |_| 300.0, 10);
    holds("600 ppm slower, 10 ms of jitter", &cards, HOUR);
}

#[test]
fn an_hour_between_cards_that_go_nearly_alike_loses_nothing_and_stretches_nothing() {
    holds("alike", &cards(|_| 0.0, |_| 0.0, 0), HOUR);
    holds("8 ppm faster", &cards(|_| 8.0, |_| 0.0, 0), HOUR);
    holds("25 ppm slower", &cards(|_| 0.0, |_| 25.0, 0), HOUR);
}

/// The sender's card, or the loudspeaker's, is another one after a minute.
fn change(before: fn(f64) -> f64, jitter_ms: u32) {
    let change = [
        cards(before, |_| 0.0, jitter_ms),
        cards(|_| 0.0, before, jitter_ms),
    ];
    for cards in change {
        let [sender, loudspeaker] = [(cards.sender)(0.0), (cards.loudspeaker)(0.0)];
        let what = format!("from {sender} and {loudspeaker} ppm, {jitter_ms} ms of jitter");
        holds(&what, &cards, 180);
    }
}

#[test]
fn a_card_that_is_changed_for_one_of_400_ppm_more_or_less_costs_nothing() {
    change(|at| if at < 60.0 { 200.0 } else { -200.0 }, 0);
    change(|at| if at < 60.0 { -200.0 } else { 200.0 }, 0);
}

#[test]
fn a_card_that_is_changed_for_a_common_one_costs_nothing_on_a_link_that_jitters() {
    change(|at| if at < 60.0 { 60.0 } else { -60.0 }, 8);
    change(|at| if at < 60.0 { -60.0 } else { 60.0 }, 8);
}
