//! The jitter buffer packet by packet.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

use super::*;
use crate::media::{Coding, Seq};

/// TOC bytes of one frame of 20 ms and of 2.5 ms.
const LONG: u8 = 31 << 3;
const SHORT: u8 = 28 << 3;

fn packet(seq: u16, timestamp: u32, toc: u8, arrived: Instant) -> Packet {
    Packet {
        seq: Seq(seq),
        timestamp: Timestamp(timestamp),
        marker: false,
        payload: [toc].into(),
        coding: Coding::Opus,
        arrived,
    }
}

fn at(origin: Instant, millis: u64) -> Instant {
    origin + Duration::from_millis(millis)
}

#[test]
fn playout_begins_with_the_earliest_packet_40_ms_after_the_first_came() {
    let origin = Instant::now();
    let mut buffer = JitterBuffer::new();
    assert_eq!(buffer.next(origin), Decision::Wait);
    let (second, first) = (
        packet(8, 960, LONG, origin),
        packet(7, 0, LONG, at(origin, 5)),
    );
    assert_eq!(buffer.insert(second.clone()), Inserted::Accepted);
    assert_eq!(buffer.insert(first.clone()), Inserted::Accepted);
    assert_eq!(buffer.next(at(origin, 39)), Decision::Wait);
    assert_eq!(buffer.next(at(origin, 40)), Decision::Play(first));
    assert_eq!(buffer.next(at(origin, 60)), Decision::Play(second));
    assert!(buffer.is_empty());
}

#[test]
fn a_gap_is_concealed_in_pieces_and_counts_for_what_is_a_little_late() {
    let origin = Instant::now();
    let mut buffer = JitterBuffer::new();
    buffer.insert(packet(0, 0, LONG, origin));
    buffer.insert(packet(2, 2_160, LONG, origin));
    assert!(matches!(buffer.next(at(origin, 60)), Decision::Play(_)));
    assert_eq!(
        buffer.next(at(origin, 80)),
        Decision::Conceal { samples: 960 }
    );
    assert_eq!(buffer.insert(packet(1, 960, LONG, origin)), Inserted::Late);
    assert_eq!(
        buffer.next(at(origin, 100)),
        Decision::Conceal { samples: 240 }
    );
    assert!(matches!(buffer.next(at(origin, 105)), Decision::Play(_)));
    // Nothing is there: the position stays, and then 480 of 960 that are missing are concealed.
    assert_eq!(
        buffer.next(at(origin, 125)),
        Decision::Conceal { samples: 480 }
    );
    buffer.insert(packet(4, 4_080, LONG, origin));
    assert_eq!(
        buffer.next(at(origin, 135)),
        Decision::Conceal { samples: 480 }
    );
    assert!(matches!(buffer.next(at(origin, 145)), Decision::Play(_)));
    assert_eq!(
        buffer.next(at(origin, 165)),
        Decision::Conceal { samples: 480 }
    );
    let late = packet(5, 5_040, LONG, origin);
    assert_eq!(buffer.insert(late.clone()), Inserted::Accepted);
    let rest = Decision::Rest {
        packet: late,
        concealed: 480,
    };
    assert_eq!(buffer.next(at(origin, 175)), rest);
    let expected = Counters {
        received: 5,
        lost: 1,
        late: 1,
        played: 4 * 960 - 480,
        concealed: 960 + 240 + 480 + 480 + 480,
        underruns: 2,
        ..Counters::default()
    };
    assert_eq!(buffer.counters(), expected);
}

#[test]
fn what_cannot_be_used_is_refused_and_moves_nothing() {
    let origin = Instant::now();
    let mut buffer = JitterBuffer::new();
    let empty = Packet {
        payload: [].into(),
        ..packet(0, 0, LONG, origin)
    };
    assert_eq!(buffer.insert(empty), Inserted::Refused);
    assert_eq!(
        buffer.insert(packet(0, 0, LONG, origin)),
        Inserted::Accepted
    );
    assert_eq!(
        buffer.insert(packet(0, 0, LONG, origin)),
        Inserted::Duplicate
    );
    assert_eq!(buffer.insert(packet(1, 0, LONG, origin)), Inserted::Refused);
    assert_eq!(
        buffer.insert(packet(2, 60_000, LONG, origin)),
        Inserted::Refused
    );
    assert_eq!(
        buffer.insert(packet(20_000, 960, LONG, origin)),
        Inserted::Refused
    );
    assert_eq!(buffer.held.len(), 1);
    let counters = buffer.counters();
    assert_eq!(
        (counters.refused, counters.duplicate, counters.lost),
        (4, 1, 0)
    );
}

#[test]
fn what_comes_while_the_call_is_held_is_not_played_and_not_lost() {
    let origin = Instant::now();
    let mut buffer = JitterBuffer::new();
    for seq in 0..3 {
        buffer.insert(packet(seq, u32::from(seq) * 960, LONG, origin));
    }
    assert!(matches!(buffer.next(at(origin, 60)), Decision::Play(_)));
    buffer.clear();
    for seq in 3..300 {
        buffer.pass(&packet(seq, u32::from(seq) * 960, LONG, origin));
    }
    assert_eq!(buffer.next(at(origin, 6_000)), Decision::Wait);
    // What comes first after it waits for as long as on a link of which nothing is known.
    let first = packet(300, 300 * 960, LONG, at(origin, 6_000));
    assert_eq!(buffer.insert(first.clone()), Inserted::Accepted);
    assert_eq!(buffer.next(at(origin, 6_039)), Decision::Wait);
    assert_eq!(buffer.next(at(origin, 6_040)), Decision::Play(first));
    let counters = buffer.counters();
    assert_eq!((counters.received, counters.lost), (301, 0));
    assert_eq!((counters.skipped, counters.concealed), (299, 0));
}

#[test]
fn no_more_than_128_packets_are_held() {
    let origin = Instant::now();
    let mut buffer = JitterBuffer::new();
    for seq in 0..400 {
        buffer.insert(packet(seq, u32::from(seq) * 120, SHORT, origin));
    }
    assert_eq!(buffer.held.len(), PACKETS_MAX);
    assert_eq!(buffer.counters().refused, 400 - 128);
    assert!(matches!(buffer.next(at(origin, 60)), Decision::Play(_)));
}

/// One hostile packet: mostly near the last one, sometimes anywhere.
fn anything(random: &mut ChaCha8Rng, last: &mut (u16, u32), arrived: Instant) -> Packet {
    let [near, seq, timestamp, toc] = [(); 4].map(|()| random.next_u32());
    let (seq, timestamp) = match near % 8 {
        0 => (seq % 0x1_0000, timestamp),
        1 => (
            u32::from(last.0) + seq % 300,
            last.1.wrapping_add(timestamp % 200_000),
        ),
        2 => (
            u32::from(last.0),
            last.1.wrapping_sub(timestamp % 1_000_000),
        ),
        3 => (
            u32::from(last.0) + 1,
            last.1.wrapping_add(timestamp % 2_000),
        ),
        _ => (u32::from(last.0) + 1, last.1.wrapping_add(960)),
    };
    *last = (u16::try_from(seq % 0x1_0000).unwrap(), timestamp);
    let payload = toc.to_be_bytes()[..(near >> 8) as usize % 4].into();
    let marker = near & 0x1_0000 == 0;
    Packet {
        payload,
        marker,
        ..packet(last.0, last.1, LONG, arrived)
    }
}

#[test]
fn any_packets_at_any_time_never_stall_it_and_a_sane_stream_is_heard_after_them() {
    let mut rests = 0;
    for seed in 0..30 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut now = Instant::now();
        let mut buffer = JitterBuffer::new();
        let mut last = (0, 0);
        for _ in 0..5_000 {
            now += Duration::from_millis(u64::from(random.next_u32() % 40));
            for _ in 0..random.next_u32() % 6 {
                let packet = anything(&mut random, &mut last, now);
                buffer.insert(packet.clone());
                buffer.insert_fec(&packet);
                let [offset, toc] = [(); 2].map(|()| random.next_u32());
                buffer.insert_copy(&packet, offset % 5_000, &toc.to_be_bytes()[..1]);
            }
            for _ in 0..random.next_u32() % 6 {
                match buffer.next(now) {
                    Decision::Conceal { samples } => {
                        let some = samples > 0 && samples <= 960 && samples % 120 == 0;
                        assert!(some, "{seed}: {samples}");
                    }
                    Decision::Rest { packet, concealed } => {
                        let all = opus_samples(&packet.payload).unwrap();
                        assert!((1..all).contains(&concealed), "{seed}: {concealed}");
                        rests += 1;
                    }
                    Decision::Wait | Decision::Play(_) | Decision::Fec(_) => {}
                }
            }
            assert!(buffer.held.len() <= PACKETS_MAX, "seed {seed}");
            assert!(buffer.jitter() < Duration::from_secs(3_600), "seed {seed}");
        }
        let mut played = 0;
        // A delay that is too short is made up for within 4 s.
        for sane in 0..330u16 {
            now += Duration::from_millis(20);
            buffer.insert(packet(sane, u32::from(sane) * 960 + 77, LONG, now));
            let mut ready = 0;
            while ready < 960 {
                ready += match buffer.next(now) {
                    Decision::Wait => 960,
                    Decision::Conceal { samples } => samples,
                    Decision::Play(packet) | Decision::Fec(packet) => {
                        let samples = opus_samples(&packet.payload).unwrap();
                        played += u32::from(sane >= 230 && samples == 960);
                        samples
                    }
                    Decision::Rest { packet, concealed } => {
                        opus_samples(&packet.payload).unwrap() - concealed
                    }
                };
            }
        }
        assert_eq!(played, 100, "seed {seed}");
        assert!(
            buffer.playout_delay() < Duration::from_millis(130),
            "seed {seed}"
        );
    }
    assert!(rests > 0);
}

/// What is played of three packets of 20 ms, of which the second comes only as a copy in the third.
#[test]
fn a_packet_that_is_lost_is_played_from_a_copy() {
    let origin = Instant::now();
    let mut buffer = JitterBuffer::new();
    buffer.insert(packet(0, 0, LONG, at(origin, 0)));
    let third = packet(2, 1_920, LONG, at(origin, 40));
    buffer.insert(third.clone());
    buffer.insert_copy(&third, 960, &[LONG]);
    // Again, and of what came itself: nothing more.
    buffer.insert_copy(&third, 960, &[LONG]);
    buffer.insert_copy(&third, 1_920, &[LONG]);
    let played: Vec<Decision> = (0..3)
        .map(|n| buffer.next(at(origin, 60 + 20 * n)))
        .collect();
    let timestamps: Vec<Option<u32>> = played
        .iter()
        .map(|decision| match decision {
            Decision::Play(packet) => Some(packet.timestamp.0),
            _ => None,
        })
        .collect();
    assert_eq!(timestamps, [Some(0), Some(960), Some(1_920)]);
    let counters = buffer.counters();
    assert_eq!(
        (counters.recovered, counters.lost, counters.concealed),
        (1, 1, 0)
    );
}

#[test]
fn a_copy_that_is_of_no_use_changes_nothing() {
    let origin = Instant::now();
    let mut buffer = JitterBuffer::new();
    let first = packet(5, 4_800, LONG, at(origin, 0));
    // Before the stream, without sound, of the packet itself, and from before the first.
    buffer.insert_copy(&first, 960, &[LONG]);
    buffer.insert(first.clone());
    for (offset, payload) in [(960, &[LONG][..]), (0, &[LONG]), (960, &[])] {
        buffer.insert_copy(&first, offset, payload);
    }
    assert!(matches!(buffer.next(at(origin, 60)), Decision::Play(packet) if packet == first));
    // Its turn is over.
    let next = packet(6, 5_760, LONG, at(origin, 20));
    buffer.insert_copy(&next, 960, &[LONG]);
    assert_eq!(buffer.counters().recovered, 0);
    assert!(buffer.is_empty());
}

/// A call of packets of 10 ms, each of which waits for 12 ms, up to the turn of packet 1000; its
/// time.
fn ten_seconds_in() -> (JitterBuffer, Instant) {
    let origin = Instant::now();
    let mut buffer = JitterBuffer::new();
    buffer.insert(ten(0, origin));
    for seq in 1..1_000 {
        // Playout begins 40 ms after the first one.
        let turn = origin + Duration::from_millis(40 + 10 * u64::from(seq));
        buffer.next(turn - Duration::from_millis(10));
        buffer.insert(ten(seq, turn - Duration::from_millis(12)));
    }
    let turn = at(origin, 40 + 10_000);
    assert_eq!(
        began(&buffer.next(at(turn, 0) - Duration::from_millis(10))),
        Some(999)
    );
    (buffer, turn)
}

/// A packet of 10 ms.
fn ten(seq: u16, arrived: Instant) -> Packet {
    packet(seq, u32::from(seq) * 480, 30 << 3, arrived)
}

/// Which packet of 10 ms is played whole.
fn began(decision: &Decision) -> Option<u32> {
    match decision {
        Decision::Play(packet) => Some(packet.timestamp.0 / 480),
        _ => None,
    }
}

#[test]
fn sound_that_is_lost_and_comes_after_its_turn_delays_nothing() {
    let (mut buffer, turn) = ten_seconds_in();
    assert_eq!(buffer.next(turn), Decision::Conceal { samples: 480 });
    let third = ten(1_002, at(turn, 8));
    buffer.insert(third.clone());
    buffer.insert_copy(&third, 960, &[30 << 3]);
    buffer.insert_copy(&third, 480, &[30 << 3]);
    assert_eq!(began(&buffer.next(at(turn, 10))), Some(1_001));
    assert_eq!(began(&buffer.next(at(turn, 20))), Some(1_002));
    assert_eq!(buffer.counters().concealed, 480);
}

#[test]
fn what_is_a_little_late_is_gone_on_without_and_what_is_later_is_waited_for() {
    for times in 1..=5 {
        let (mut buffer, turn) = ten_seconds_in();
        let at = |place: u16| at(turn, 10 * u64::from(place));
        // For so many times 10 ms nothing comes, and then all at once.
        for place in 0..times {
            assert_eq!(buffer.next(at(place)), Decision::Conceal { samples: 480 });
        }
        for seq in 1_000..1_000 + times + 3 {
            buffer.insert(ten(seq, at(times)));
        }
        let played = [0, 1, 2].map(|n| began(&buffer.next(at(times + n))));
        let skipped = if times <= 3 { u32::from(times) } else { 0 };
        let expected = [0, 1, 2].map(|n| Some(1_000 + skipped + n));
        assert_eq!(played, expected, "{times}");
        let counters = buffer.counters();
        assert_eq!(counters.late, u64::from(skipped), "{times}");
        assert_eq!(counters.concealed, 480 * u64::from(times), "{times}");
    }
}

#[test]
fn what_keeps_coming_late_is_waited_for() {
    let (mut buffer, turn) = ten_seconds_in();
    // From here on, all take 18 ms more.
    let played = (0..200u16).map(|n| {
        if let Some(seq) = n.checked_sub(1) {
            buffer.insert(ten(1_000 + seq, at(turn, 10 * u64::from(n) - 4)));
        }
        began(&buffer.next(at(turn, 10 * u64::from(n))))
    });
    // Nothing is left out, and all are played 10 ms later than before.
    let expected = (0..200u32).map(|n| Some(999 + n).filter(|_| n > 0));
    assert_eq!(played.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}

#[test]
fn what_is_a_little_late_is_waited_for_where_the_target_is_not_reached() {
    let (mut buffer, turn) = ten_seconds_in();
    // From here on, so many come 20 ms late that it becomes the target.
    let mut seq = 1_000;
    while buffer.target() < Duration::from_millis(20) {
        let late = if seq % 10 == 0 { 20 } else { 0 };
        let sent = 10 * u64::from(seq - 1_000);
        buffer.insert(ten(seq, at(turn, sent + late) - Duration::from_millis(12)));
        buffer.next(at(turn, sent + 20));
        seq += 1;
    }
    let before = buffer.counters();
    let next = at(turn, 10 * u64::from(seq - 1_000) + 20);
    while let Decision::Play(_) | Decision::Rest { .. } = buffer.next(next) {}
    let late = ten(seq, next);
    buffer.insert(late.clone());
    assert_eq!(buffer.next(next), Decision::Play(late));
    assert_eq!(buffer.counters().late, before.late);
}

/// A call of packets of 20 ms, each of which waits for 20 ms, that ran empty at this time, when
/// packet 500 is to be played.
fn run_empty() -> (JitterBuffer, Instant) {
    let origin = Instant::now();
    let mut buffer = JitterBuffer::new();
    for seq in 0..500 {
        buffer.insert(long(seq, at(origin, 20 * u64::from(seq))));
        // Playout begins 40 ms after the first one came, and the others wait for 20 ms.
        if seq > 0 {
            buffer.next(at(origin, 20 * u64::from(seq + 1)));
        }
    }
    let turn = at(origin, 20 * 501);
    assert!(matches!(buffer.next(turn), Decision::Play(packet) if packet.seq == Seq(499)));
    (buffer, at(turn, 20))
}

/// A packet of 20 ms.
fn long(seq: u16, arrived: Instant) -> Packet {
    packet(seq, u32::from(seq) * 960, LONG, arrived)
}

/// So much of packet `seq` is concealed, and the rest to be played.
fn rest(seq: u16, concealed: u32, arrived: Instant) -> Decision {
    Decision::Rest {
        packet: long(seq, arrived),
        concealed,
    }
}

#[test]
fn of_a_packet_that_was_concealed_in_part_the_rest_is_played() {
    for (times, whole, concealed) in [(1, 0, 480), (2, 1, 0), (3, 1, 480), (4, 0, 0)] {
        let (mut buffer, turn) = run_empty();
        let before = buffer.counters();
        for n in 0..times {
            let now = at(turn, 10 * n);
            assert_eq!(buffer.next(now), Decision::Conceal { samples: 480 });
        }
        let now = at(turn, 10 * times);
        for seq in 500..504 {
            buffer.insert(long(seq, now));
        }
        let expected = match concealed {
            0 => Decision::Play(long(500 + whole, now)),
            _ => rest(500 + whole, concealed, now),
        };
        assert_eq!(buffer.next(now), expected, "{times}");
        let counters = buffer.counters();
        let played = counters.played - before.played;
        assert_eq!(played, u64::from(960 - concealed), "{times}");
        assert_eq!(counters.late, u64::from(whole), "{times}");
        assert_eq!(counters.underruns - before.underruns, 1, "{times}");
        // What follows is played whole, in its turn.
        let next = Decision::Play(long(501 + whole, now));
        assert_eq!(buffer.next(at(now, 10)), next, "{times}");
    }
}

#[test]
fn the_rest_is_played_after_what_was_lost_as_well() {
    let (mut buffer, turn) = run_empty();
    for n in 0..3 {
        buffer.next(at(turn, 10 * n));
    }
    // 500 is lost; 501 is 10 ms late.
    let now = at(turn, 30);
    buffer.insert(long(501, now));
    assert_eq!(buffer.next(now), rest(501, 480, now));
}

#[test]
fn of_a_copy_that_was_concealed_in_part_the_rest_is_played_however_often_that_is() {
    let (mut buffer, mut turn) = run_empty();
    for seq in [500, 502] {
        buffer.next(turn);
        let (now, ends) = (at(turn, 10), at(turn, 20));
        let second = long(seq + 1, now);
        buffer.insert(second.clone());
        buffer.insert_copy(&second, 960, &[LONG]);
        let copy = Packet {
            seq: Seq(seq + 1),
            ..long(seq, now)
        };
        let expected = Decision::Rest {
            packet: copy,
            concealed: 480,
        };
        assert_eq!(buffer.next(now), expected, "{seq}");
        assert_eq!(buffer.next(ends), Decision::Play(second), "{seq}");
        turn = at(turn, 40);
    }
    // That is no reason not to go on without what is late itself.
    buffer.next(turn);
    let now = at(turn, 10);
    buffer.insert(long(504, now));
    assert_eq!(buffer.next(now), rest(504, 480, now));
}

#[test]
fn what_overlaps_what_was_left_out_is_left_out() {
    let (mut buffer, turn) = run_empty();
    for n in 0..3 {
        buffer.next(at(turn, 10 * n));
    }
    let now = at(turn, 30);
    let begin = 500 * 960;
    // 60 ms, of which 30 were concealed, and 10 ms in the rest of it.
    let sixty = packet(500, begin, 11 << 3, now);
    let inside = packet(501, begin + 1_920, 30 << 3, now);
    let after = packet(502, begin + 2_880, LONG, now);
    for packet in [&sixty, &inside, &after] {
        assert_eq!(buffer.insert(packet.clone()), Inserted::Accepted);
    }
    let rest = Decision::Rest {
        packet: sixty,
        concealed: 1_440,
    };
    assert_eq!(buffer.next(now), rest);
    assert_eq!(buffer.next(at(now, 30)), Decision::Play(after));
    assert_eq!(buffer.counters().skipped, 1);
    // 20 ms that were concealed, 20 that begin in the middle of these, and 20 after them.
    let (mut buffer, turn) = run_empty();
    for n in 0..2 {
        buffer.next(at(turn, 10 * n));
    }
    let overlaps = packet(501, begin + 480, LONG, now);
    let after = packet(502, begin + 960, LONG, now);
    for packet in [long(500, now), overlaps, after.clone()] {
        buffer.insert(packet);
    }
    assert_eq!(buffer.next(at(turn, 20)), Decision::Play(after));
    let counters = buffer.counters();
    assert_eq!((counters.late, counters.skipped), (1, 1));
}

#[test]
fn a_packet_that_comes_after_its_copy_takes_its_place() {
    let origin = Instant::now();
    let mut buffer = JitterBuffer::new();
    buffer.insert(packet(0, 0, LONG, at(origin, 0)));
    let third = packet(2, 1_920, LONG, at(origin, 40));
    buffer.insert(third.clone());
    buffer.insert_copy(&third, 960, &[LONG, 1]);
    let second = packet(1, 960, LONG, at(origin, 41));
    assert_eq!(buffer.insert(second.clone()), Inserted::Accepted);
    buffer.next(at(origin, 60));
    assert_eq!(buffer.next(at(origin, 80)), Decision::Play(second));
    let counters = buffer.counters();
    assert_eq!(
        (counters.recovered, counters.lost, counters.refused),
        (0, 0, 0)
    );
}

/// A packet of 20 ms that holds the one before it.
fn with_fec(seq: u16, timestamp: u32, arrived: Instant) -> Packet {
    Packet {
        payload: [1 << 3, 0x40].into(),
        ..packet(seq, timestamp, LONG, arrived)
    }
}

#[test]
fn a_missing_packet_is_made_from_the_next_one_which_is_then_played_itself() {
    let origin = Instant::now();
    let mut buffer = JitterBuffer::new();
    for (seq, arrived) in [(0, 0), (2, 40), (3, 60)] {
        let packet = with_fec(seq, u32::from(seq) * 960, at(origin, arrived));
        buffer.insert(packet.clone());
        buffer.insert_fec(&packet);
    }
    assert!(matches!(buffer.next(at(origin, 60)), Decision::Play(_)));
    let Decision::Fec(next) = buffer.next(at(origin, 80)) else {
        panic!("not made from the next one");
    };
    assert_eq!((next.seq, next.timestamp), (Seq(2), Timestamp(960)));
    for seq in [2, 3] {
        let decision = buffer.next(at(origin, 60 + 20 * u64::from(seq)));
        assert!(matches!(decision, Decision::Play(packet) if packet.seq == Seq(seq)));
    }
    let counters = buffer.counters();
    assert_eq!((counters.fec, counters.recovered), (1, 0));
    assert_eq!((counters.lost, counters.concealed), (1, 0));
}

#[test]
fn a_copy_is_better_than_fec_and_the_packet_itself_is_better_than_both() {
    let origin = Instant::now();
    for (with_copy, with_itself) in [(true, false), (false, true), (true, true)] {
        let mut buffer = JitterBuffer::new();
        let [first, second, third] =
            [0, 1, 2].map(|seq| with_fec(seq, u32::from(seq) * 960, at(origin, 0)));
        buffer.insert(first.clone());
        buffer.insert(third.clone());
        buffer.insert_fec(&third);
        if with_copy {
            buffer.insert_copy(&third, 960, &[LONG]);
        }
        if with_itself {
            buffer.insert(second.clone());
        }
        buffer.insert_fec(&third);
        let counters = buffer.counters();
        let recovered = u64::from(with_copy && !with_itself);
        assert_eq!((counters.fec, counters.recovered), (0, recovered));
        assert_eq!(buffer.held.len(), 3);
        buffer.next(at(origin, 60));
        let Decision::Play(played) = buffer.next(at(origin, 80)) else {
            panic!("nothing played");
        };
        let expected: &[u8] = if with_itself {
            &second.payload
        } else {
            &[LONG]
        };
        assert_eq!(&*played.payload, expected);
    }
}
