//! Two sound cards that drift apart, in virtual time: all of the way in, with real sound.

use std::{
    collections::VecDeque,
    f32::consts::TAU,
    time::{Duration, Instant},
};

use super::{
    opus::{Decoder, Encoder},
    receive::Receiving,
    send::Sending,
};
use crate::media::{FRAME_SAMPLES, Packet, SILENCE, Seq, format::Format, stats::VoiceStats};

/// What is said first, in frames: nothing, so that the delay finds to where it is to be.
const QUIET: u16 = 300;

/// When all has settled, in seconds.
const SETTLED: u32 = 30;

/// Plays a tone of 1 kHz from a card that is so many ppm faster than true on one that is so many
/// faster. What is heard after it has settled, and what was counted then and at the end.
fn heard(sender: f64, loudspeaker: f64, seconds: u32) -> (Vec<f32>, [VoiceStats; 2]) {
    let origin = Instant::now();
    let at = |micros: f64| origin + Duration::from_secs_f64(micros / 1e6);
    let mut sending = Sending::new(Encoder::new().unwrap(), Format::default());
    let mut receiving = Receiving::new(Decoder::new().unwrap());
    let mut coming = VecDeque::new();
    let (mut heard, mut settled) = (Vec::new(), VoiceStats::default());
    let (mut sends, mut said, mut seq) = (0.0, 0u16, 0);
    for tick in 0..seconds * 100 {
        let now = 3_210.0 + f64::from(tick) * 10_000.0 / (1.0 + loudspeaker / 1e6);
        while sends <= now {
            let frame = if said < QUIET {
                SILENCE
            } else {
                // A whole number of periods are in each frame.
                std::array::from_fn(|n| 0.3 * (n as f32 / 48.0 * TAU).sin())
            };
            if let Some(encoded) = sending.push(&frame, None) {
                coming.push_back(Packet {
                    seq: Seq(seq),
                    timestamp: encoded.timestamp,
                    marker: encoded.marker,
                    payload: encoded.payload.into(),
                    coding: encoded.coding,
                    arrived: at(sends + 12_000.0),
                });
                seq += 1;
            }
            said = said.saturating_add(1);
            sends += 10_000.0 / (1.0 + sender / 1e6);
        }
        while coming
            .front()
            .is_some_and(|packet| packet.arrived <= at(now))
        {
            receiving.insert(&coming.pop_front().unwrap());
        }
        let frame = receiving.next(at(now));
        if tick == SETTLED * 100 {
            receiving.tell(&mut settled);
        }
        if tick >= SETTLED * 100 {
            heard.extend(frame);
        }
    }
    let mut last = VoiceStats::default();
    receiving.tell(&mut last);
    (heard, [settled, last])
}

#[test]
fn a_tone_from_a_card_of_another_clock_is_heard_whole_at_the_speed_at_which_it_comes() {
    for (sender, loudspeaker) in [(300.0, -300.0), (-300.0, 300.0)] {
        let (heard, [settled, last]) = heard(sender, loudspeaker, 60);
        let drift = sender - loudspeaker;
        assert!((f64::from(last.speed_ppm) - drift).abs() < 60.0, "{last:?}");
        let counters = last.buffer;
        let lost = (
            counters.underruns,
            counters.concealed,
            counters.skipped,
            counters.late,
        );
        assert_eq!(lost, (0, 0, 0, 0), "{drift} ppm");
        assert_eq!(
            (last.shortened, last.lengthened),
            (settled.shortened, settled.lengthened),
            "{drift} ppm: {last:?}"
        );
        // No click: no step is higher than those of the tone, and no period is softer.
        let step = |two: &[f32]| (two[1] - two[0]).abs();
        let steepest = heard.windows(2).map(step).fold(0.0, f32::max);
        assert!(
            steepest < 0.3 * TAU / 48.0 * 1.05,
            "{drift} ppm: {steepest}"
        );
        let loudest = |piece: &[f32]| piece.iter().fold(0.0f32, |most, one| most.max(one.abs()));
        let softest = heard
            .chunks_exact(FRAME_SAMPLES)
            .map(loudest)
            .fold(1.0, f32::min);
        assert!(softest > 0.28, "{drift} ppm: {softest}");
    }
}
