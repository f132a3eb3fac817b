//! The jitter buffer over a seeded link in virtual time: delay, jitter, loss, duplicates,
//! reordering, stalls, drift, wrap-around and restarts. A failure prints its seed, if it has one.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::time::{Duration, Instant};

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use softphone::media::jitter::{Counters, Decision, JitterBuffer};

use call::{Call, Heard, Link, MILLI, PACKET_SAMPLES, Sent, longest_wait, played};

#[path = "jitter/call.rs"]
mod call;

const ALL: Duration = Duration::from_secs(86_400);

#[test]
fn on_a_clean_link_every_packet_is_played_once_in_order_and_soon_after_10_to_30_ms() {
    let (heard, counters) = Call::over(Link::default(), 500, 1).play();
    let played = played(&heard, Duration::ZERO, ALL);
    assert_eq!(played.len(), 500);
    for (at, (number, wait)) in played.into_iter().enumerate() {
        assert_eq!(number as usize, at);
        let expected = if number < 100 { 10..50 } else { 10..30 };
        assert!(
            expected.contains(&wait.as_millis()),
            "packet {number} waited {wait:?}"
        );
    }
    // Running dry at the very end is the one underrun.
    let rest = Counters {
        concealed: counters.concealed,
        ..Counters::default()
    };
    assert_eq!(
        counters,
        Counters {
            received: 500,
            played: 480_000,
            underruns: 1,
            ..rest
        },
    );
}

#[test]
fn loss_jitter_duplicates_and_reordering_are_told_apart_and_bounded() {
    for seed in 0..40 {
        let jitter_ms = 10 * u32::try_from(seed % 6).unwrap();
        let link = Link {
            jitter_ms,
            loss_pct: 10,
            duplicate_pct: 5,
        };
        let call = Call::over(link, 2_000, seed);
        let mut numbers: Vec<u32> = call.arrivals.iter().map(|sent| sent.number).collect();
        numbers.sort_unstable();
        let copies = numbers.len();
        numbers.dedup();
        let (heard, counters) = call.play();
        let played = played(&heard, Duration::ZERO, ALL);
        assert!(
            played.is_sorted_by(|a, b| a.0 < b.0),
            "seed {seed}: out of order"
        );
        let came = numbers.len() as u64;
        let lost = u64::from(numbers[numbers.len() - 1] - numbers[0] + 1) - came;
        assert_eq!(counters.received, came, "seed {seed}");
        assert_eq!(counters.lost, lost, "seed {seed}");
        assert_eq!(
            counters.duplicate,
            (copies - numbers.len()) as u64,
            "seed {seed}"
        );
        assert_eq!(counters.refused, 0, "seed {seed}");
        let unplayed = counters.late + counters.skipped;
        assert_eq!(
            counters.received,
            played.len() as u64 + unplayed,
            "seed {seed}"
        );
        // At most one in 200 is to be late; and a few, before the link is known.
        assert!(counters.late <= 20, "seed {seed}: {} late", counters.late);
        let longest = longest_wait(&heard, Duration::ZERO, ALL);
        assert!(longest < MILLI * 180, "seed {seed}: {longest:?}");
        let made_up = counters.concealed / u64::from(PACKET_SAMPLES);
        assert!(
            made_up <= lost + unplayed + 20,
            "seed {seed}: {made_up} for {lost} lost"
        );
    }
}

#[test]
fn wrapping_around_of_number_and_time_changes_nothing() {
    for seed in 0..10 {
        let link = Link {
            jitter_ms: 40,
            loss_pct: 10,
            duplicate_pct: 5,
        };
        let call = Call::over(link, 300, seed);
        let wrapping = Call {
            first_seq: 0xFFFF - 99,
            first_timestamp: u32::MAX - 100 * PACKET_SAMPLES - 7,
            ..call.clone()
        };
        assert_eq!(call.play(), wrapping.play(), "seed {seed}");
    }
}

#[test]
fn a_sender_that_begins_anew_is_heard_again_within_200_ms() {
    for seed in 0..20 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let link = Link {
            jitter_ms: 10,
            ..Link::default()
        };
        let call = Call {
            restart_at: Some(100 + random.next_u32() % 100),
            first_timestamp: random.next_u32(),
            ..Call::over(link, 300, seed)
        };
        let restart = call.restart_at.unwrap();
        let (heard, counters) = call.play();
        let after = played(&heard, MILLI * 20 * restart, ALL);
        let again = after.iter().position(|&(number, _)| number >= restart);
        let (number, wait) = after[again.unwrap()];
        let failed = format!("seed {seed}: {number} of {restart}, {wait:?}, {counters:?}");
        assert!(number <= restart + 3 && wait < MILLI * 90, "{failed}");
        let heard = after.len() - again.unwrap();
        assert_eq!(heard, 300 - number as usize, "{failed}");
        assert_eq!((counters.refused, counters.lost), (2, 0), "{failed}");
    }
}

#[test]
fn a_loudspeaker_that_is_slow_or_fast_costs_little_and_keeps_the_delay() {
    for (pull_us, seed) in [(9_990, 1), (9_999, 2), (10_001, 3), (10_010, 4)] {
        let call = Call {
            pull: Duration::from_micros(pull_us),
            ..Call::over(
                Link {
                    jitter_ms: 10,
                    ..Link::default()
                },
                30_000,
                seed,
            )
        };
        let (heard, counters) = call.play();
        let longest = longest_wait(&heard, Duration::ZERO, ALL);
        assert!(longest < MILLI * 130, "{pull_us} us: {longest:?}");
        let drift_packets = 30_000 * pull_us.abs_diff(10_000) / 10_000;
        let gone = counters.late + counters.skipped;
        assert!(gone <= 2 * drift_packets + 5, "{pull_us} us: {counters:?}");
        let made_up = counters.concealed / u64::from(PACKET_SAMPLES);
        assert!(
            made_up <= 4 * drift_packets + 10,
            "{pull_us} us: {counters:?}"
        );
    }
}

/// These times in ms, on links that jitter a little or not, each with seeds.
fn rows(times: &[u32]) -> impl Iterator<Item = (u32, Link, u32)> {
    times.iter().flat_map(|&millis| {
        (0..20u32).map(move |seed| {
            let link = Link {
                jitter_ms: 5 * (seed % 4),
                ..Link::default()
            };
            (millis, link, seed)
        })
    })
}

#[test]
fn after_a_stall_of_the_loudspeaker_the_delay_is_back_within_two_seconds() {
    for (stall_ms, link, seed) in rows(&[100, 250, 500, 900, 3_000]) {
        let begins = MILLI * (1_003 + 7 * seed);
        let stall = (begins, begins + MILLI * stall_ms);
        let call = Call {
            stalls: Some(stall),
            ..Call::over(link, 400, seed.into())
        };
        let (heard, counters) = call.play();
        let settled = stall.1 + Duration::from_secs(2);
        let longest = longest_wait(&heard, settled, ALL);
        let failed = format!("seed {seed}, {link:?}, {stall_ms} ms: {longest:?}, {counters:?}");
        assert!(longest <= MILLI * 100, "{failed}");
        assert!(played(&heard, settled, ALL).len() >= 80, "{failed}");
        assert!(counters.underruns <= 2, "{failed}");
    }
}

#[test]
fn after_a_stall_of_the_network_the_delay_is_back_within_two_seconds() {
    for (stall_ms, link, seed) in rows(&[40, 100, 250, 500, 990, 1_100, 1_500, 5_000]) {
        let from = MILLI * (1_000 + 7 * seed);
        let until = from + MILLI * stall_ms;
        let call = Call::over(link, 600, seed.into()).held_up(from, until);
        let (heard, counters) = call.play();
        let settled = until + Duration::from_secs(2);
        let longest = longest_wait(&heard, settled, ALL);
        let failed = format!("seed {seed}, {link:?}, {stall_ms} ms: {longest:?}, {counters:?}");
        // What is no more than jitter at its worst is reckoned with.
        let at_most = MILLI * if stall_ms == 100 { 130 } else { 100 };
        assert!(longest <= at_most, "{failed}");
        let soon = played(&heard, until, until + MILLI * 200);
        assert!(!soon.is_empty(), "nothing is heard: {failed}");
        assert!(counters.lost == 0 && counters.refused <= 10, "{failed}");
    }
}

/// From the sending of a packet to its playout; its place in the link's jitter does not matter.
fn lags(heard: &[(Duration, Heard)], from: Duration, until: Duration) -> Vec<Duration> {
    heard
        .iter()
        .filter(|(at, _)| (from..until).contains(at))
        .filter_map(|(at, what)| match *what {
            Heard::Packet { number, .. } => Some(at.saturating_sub(MILLI * 20 * number)),
            Heard::Nothing | Heard::Concealed(_) => None,
        })
        .collect()
}

/// How long after the stall from the first to the second time the delay is back, for good: no more
/// than `slack` over what it was before. It is to be so within two seconds.
fn is_back(
    call: &Call,
    (from, until): (Duration, Duration),
    slack: Duration,
    what: &str,
) -> Duration {
    let (heard, counters) = call.play();
    let before = lags(&heard, from - Duration::from_secs(1), from);
    let before = *before.iter().max().unwrap();
    let mut back = Duration::ZERO;
    let mut after = Duration::ZERO;
    for tick in 0..200 {
        let at = until + MILLI * 20 * tick;
        for lag in lags(&heard, at, at + MILLI * 20) {
            if lag > before + slack {
                back = at + MILLI * 20 - until;
            }
            after = lag;
        }
    }
    assert!(
        back < Duration::from_secs(2),
        "{what}: {back:?}, {before:?} before, {after:?} after, {counters:?}"
    );
    let played = played(&heard, until + Duration::from_secs(2), ALL);
    let left = (MILLI * 7_900).saturating_sub(until).as_millis() as usize / 20;
    assert!(played.len() >= left, "{what}: {} played", played.len());
    back
}

/// Ten seconds of a call, in the third of which something stalls.
fn ten_seconds(jitter_ms: u32, seed: u64) -> Call {
    let link = Link {
        jitter_ms,
        ..Link::default()
    };
    Call::over(link, 500, seed)
}

#[test]
fn after_a_phone_was_stopped_the_delay_is_what_it_was_within_two_seconds() {
    let mut longest = Duration::ZERO;
    for seed in 0..20 {
        for (jitter_ms, slack) in [(0, 10), (20, 15), (40, 20)] {
            for stop_ms in [400, 990, 1_500, 5_000, 5_013] {
                let stop = (MILLI * 2_007, MILLI * (2_007 + stop_ms));
                // Of what came meanwhile the system keeps what there is room for.
                for room in [1_000, 60, 10, 0] {
                    let mut call = ten_seconds(jitter_ms, seed);
                    call.stalls = Some(stop);
                    let mut kept = 0;
                    call.arrivals.sort_by_key(|sent| sent.arrives);
                    call.arrivals.retain(|sent| {
                        kept += u32::from((stop.0..stop.1).contains(&sent.arrives));
                        !(stop.0..stop.1).contains(&sent.arrives) || kept <= room
                    });
                    let call = call.held_up(stop.0, stop.1);
                    let what = format!(
                        "seed {seed}, jitter {jitter_ms} ms, stop {stop_ms} ms, room for {room}"
                    );
                    longest = longest.max(is_back(&call, stop, MILLI * slack, &what));
                }
            }
        }
    }
    println!("after a stopped phone the delay is back within {longest:?}");
}

#[test]
fn after_a_long_stall_of_the_loudspeaker_alone_the_delay_is_what_it_was() {
    let mut longest = Duration::ZERO;
    for seed in 0..20 {
        for (jitter_ms, slack) in [(0, 10), (20, 15), (40, 20)] {
            for stall_ms in [300, 500, 990, 1_500, 5_000] {
                let stall = (MILLI * 2_007, MILLI * (2_007 + stall_ms));
                let call = Call {
                    stalls: Some(stall),
                    ..ten_seconds(jitter_ms, seed)
                };
                let what = format!("seed {seed}, jitter {jitter_ms} ms, stall {stall_ms} ms");
                longest = longest.max(is_back(&call, stall, MILLI * slack, &what));
            }
        }
    }
    println!("after a stalled loudspeaker the delay is back within {longest:?}");
}

#[test]
fn after_a_long_stall_of_the_network_alone_the_delay_is_what_it_was() {
    let mut longest = Duration::ZERO;
    for seed in 0..20 {
        for (jitter_ms, slack) in [(0, 10), (20, 15), (40, 20)] {
            for stall_ms in [300, 500, 990, 1_100, 1_500, 5_000] {
                let stall = (MILLI * 2_007, MILLI * (2_007 + stall_ms));
                let call = ten_seconds(jitter_ms, seed).held_up(stall.0, stall.1);
                let what = format!("seed {seed}, jitter {jitter_ms} ms, stall {stall_ms} ms");
                longest = longest.max(is_back(&call, stall, MILLI * slack, &what));
            }
        }
    }
    println!("after a stalled network the delay is back within {longest:?}");
}

#[test]
fn what_a_slower_path_or_a_greedy_loudspeaker_takes_from_the_buffer_is_made_up() {
    for (slower_ms, seed) in [(0, 1), (10, 2), (30, 3), (50, 4)] {
        let mut call = ten_seconds(4, seed);
        for sent in &mut call.arrivals {
            sent.arrives += MILLI * if sent.number >= 100 { slower_ms } else { 0 };
        }
        let (heard, counters) = call.play();
        let waits = played(&heard, MILLI * 6_500, MILLI * 9_500);
        assert!(waits.len() >= 149, "{slower_ms} ms: {} played", waits.len());
        for (number, wait) in waits {
            assert!(
                (MILLI * 5..=MILLI * 45).contains(&wait),
                "{slower_ms} ms: packet {number} waited for {wait:?}"
            );
        }
        // The first one that takes longer may be gone on without.
        let late = u64::from(slower_ms > 0);
        assert!(counters.late <= late, "{slower_ms} ms: {counters:?}");
        assert_eq!(counters.skipped, 0, "{slower_ms} ms");
    }
}

#[test]
fn a_link_that_jitters_within_the_buffer_loses_nothing_to_a_shorter_delay() {
    for seed in 0..40 {
        let jitter_ms = 10 * u32::try_from(seed % 6).unwrap();
        let link = Link {
            jitter_ms,
            loss_pct: 5,
            ..Link::default()
        };
        let (_, counters) = Call::over(link, 3_000, seed).play();
        assert_eq!(counters.skipped, 0, "seed {seed}: {counters:?}");
        assert_eq!(counters.refused, 0, "seed {seed}: {counters:?}");
    }
}

#[test]
fn a_path_that_becomes_slower_for_good_is_followed_within_a_second() {
    for slower_ms in [50, 150, 400, 800] {
        let mut call = Call::over(
            Link {
                jitter_ms: 5,
                ..Link::default()
            },
            500,
            9,
        );
        for sent in &mut call.arrivals {
            if sent.number >= 100 {
                sent.arrives += MILLI * slower_ms;
            }
        }
        let (heard, _) = call.play();
        let from = MILLI * (2_000 + slower_ms + 1_000);
        let played = played(&heard, from, from + Duration::from_secs(4));
        assert!(
            played.len() >= 195,
            "{slower_ms} ms: {} played",
            played.len()
        );
        let longest = played.iter().map(|&(_, wait)| wait).max().unwrap();
        assert!(longest <= MILLI * 130, "{slower_ms} ms: {longest:?}");
    }
}

#[test]
fn a_pause_of_the_sender_is_no_loss_and_what_follows_is_played_whole() {
    for (pause_ms, link, seed) in rows(&[100, 300, 900, 2_000, 60_000]) {
        let failed = format!("seed {seed}, {link:?}, {pause_ms} ms");
        let call = Call::over(link, 100, seed.into());
        let origin = Instant::now();
        let mut buffer = JitterBuffer::new();
        let mut numbers = Vec::new();
        let mut ready = 0;
        let pause = MILLI * pause_ms;
        let mut arrivals = call.arrivals.iter().peekable();
        for tick in 0..(3_000 + pause_ms) / 10 {
            let now = MILLI * 10 * tick;
            let late = |sent: &Sent| {
                if sent.number < 50 {
                    Duration::ZERO
                } else {
                    pause
                }
            };
            while let Some(&sent) = arrivals.next_if(|sent| sent.arrives + late(sent) <= now) {
                let mut packet = call.packet(sent, origin + late(&sent));
                if sent.number >= 50 {
                    packet.timestamp = packet.timestamp.plus(48 * pause_ms);
                    packet.marker = sent.number == 50;
                }
                buffer.insert(packet);
            }
            while ready < 480 {
                ready += match buffer.next(origin + now) {
                    Decision::Wait => 480,
                    Decision::Conceal { samples } => samples,
                    Decision::Play(packet) | Decision::Fec(packet) => {
                        numbers.push(packet.payload[4]);
                        PACKET_SAMPLES
                    }
                    Decision::Rest { packet, concealed } => {
                        numbers.push(packet.payload[4]);
                        PACKET_SAMPLES - concealed
                    }
                };
            }
            ready -= 480;
        }
        assert_eq!(numbers, (0..100).collect::<Vec<u8>>(), "{failed}");
        let counters = buffer.counters();
        assert_eq!(
            (counters.lost, counters.late, counters.skipped),
            (0, 0, 0),
            "{failed}"
        );
        assert!(
            buffer.playout_delay() <= MILLI * 125,
            "{failed}: {:?}",
            buffer.playout_delay()
        );
    }
}

#[test]
fn jitter_is_told_as_rfc_3550_has_it() {
    let even = Call::over(Link::default(), 500, 1);
    let uneven = Call::over(
        Link {
            jitter_ms: 30,
            ..Link::default()
        },
        500,
        1,
    );
    let jitter = |call: &Call| {
        let origin = Instant::now();
        let mut buffer = JitterBuffer::new();
        let mut arrivals = call.arrivals.clone();
        arrivals.sort_by_key(|sent| sent.arrives);
        for sent in arrivals {
            buffer.insert(call.packet(sent, origin));
            while !matches!(
                buffer.next(origin + sent.arrives),
                Decision::Wait | Decision::Conceal { .. }
            ) {}
        }
        buffer.jitter()
    };
    assert!(jitter(&even) < MILLI, "{:?}", jitter(&even));
    // The mean distance of two even draws from 0 to 30 ms is 10 ms.
    assert!(
        (MILLI * 7..MILLI * 13).contains(&jitter(&uneven)),
        "{:?}",
        jitter(&uneven)
    );
}
