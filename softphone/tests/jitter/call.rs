//! A call over a seeded link in virtual time, played as a loudspeaker would have it.

use std::time::{Duration, Instant};

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use softphone::media::{
    Coding, Packet, Seq, Timestamp, duration_of,
    jitter::{Counters, Decision, JitterBuffer},
    steer::Stretch,
};

/// TOC byte of 20 ms of fullband CELT, mono, in one frame.
const TOC_20_MS: u8 = 31 << 3;

/// Samples in each packet.
pub const PACKET_SAMPLES: u32 = 960;

pub const MILLI: Duration = Duration::from_millis(1);

/// What a link does to packets.
#[derive(Debug, Clone, Copy, Default)]
pub struct Link {
    /// Each packet takes from nothing to this longer than the fastest.
    pub jitter_ms: u32,
    pub loss_pct: u32,
    pub duplicate_pct: u32,
}

/// A packet on its way, told by its place in what the sender sent.
#[derive(Debug, Clone, Copy)]
pub struct Sent {
    pub number: u32,
    pub arrives: Duration,
}

/// What a call was like: who sends what, and how it is played.
#[derive(Debug, Clone)]
pub struct Call {
    pub arrivals: Vec<Sent>,
    pub first_seq: u16,
    pub first_timestamp: u32,
    /// Of the sender's clock: `n` becomes another number and another time from this packet on.
    pub restart_at: Option<u32>,
    /// The loudspeaker takes 10 ms of sound every `pull`.
    pub pull: Duration,
    /// The loudspeaker takes nothing from the first to the second time.
    pub stalls: Option<(Duration, Duration)>,
}

/// What came out: one entry for every decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    Nothing,
    Packet { number: u32, wait: Duration },
    Concealed(u32),
}

impl Heard {
    /// A packet that is played from its beginning at `begins`.
    fn packet(packet: &Packet, begins: Instant) -> Self {
        Self::Packet {
            number: u32::from_be_bytes(packet.payload[1..].try_into().unwrap()),
            wait: begins.saturating_duration_since(packet.arrived),
        }
    }
}

impl Call {
    /// `packets` packets, sent every 20 ms over `link`.
    pub fn over(link: Link, packets: u32, seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut arrivals = Vec::new();
        for number in 0..packets {
            let mut once = |random: &mut ChaCha8Rng| {
                let late = MILLI
                    * random
                        .next_u32()
                        .checked_rem(link.jitter_ms + 1)
                        .unwrap_or(0);
                let arrives = MILLI * 20 * number + late;
                arrivals.push(Sent { number, arrives });
            };
            if random.next_u32() % 100 >= link.loss_pct {
                once(&mut random);
                if random.next_u32() % 100 < link.duplicate_pct {
                    once(&mut random);
                }
            }
        }
        Self {
            arrivals,
            first_seq: 0,
            first_timestamp: 0,
            restart_at: None,
            pull: MILLI * 10,
            stalls: None,
        }
    }

    /// Packets sent in the first span come when it is over, all at once.
    pub fn held_up(mut self, from: Duration, until: Duration) -> Self {
        for sent in &mut self.arrivals {
            if (from..until).contains(&sent.arrives) {
                sent.arrives = until;
            }
        }
        self
    }

    pub fn packet(&self, sent: Sent, origin: Instant) -> Packet {
        let (mut seq, mut timestamp) = (self.first_seq, self.first_timestamp);
        if self.restart_at.is_some_and(|at| sent.number >= at) {
            seq = seq.wrapping_add(0x5555);
            timestamp = timestamp.wrapping_add(0xAAAA_AAAA);
        }
        let low = u16::try_from(sent.number % 0x1_0000).unwrap();
        Packet {
            seq: Seq(seq.wrapping_add(low)),
            timestamp: Timestamp(timestamp.wrapping_add(sent.number * PACKET_SAMPLES)),
            marker: sent.number == 0,
            payload: [[TOC_20_MS].as_slice(), &sent.number.to_be_bytes()]
                .concat()
                .into(),
            coding: Coding::Opus,
            arrived: origin + sent.arrives,
        }
    }

    /// Plays the call to its end: when each decision was taken, and what it was.
    pub fn play(&self) -> (Vec<(Duration, Heard)>, Counters) {
        let origin = Instant::now();
        let mut arrivals = self.arrivals.clone();
        arrivals.sort_by_key(|sent| sent.arrives);
        let mut arrivals = arrivals.into_iter().peekable();
        let end = self.arrivals.iter().map(|sent| sent.arrives).max().unwrap() + MILLI * 300;
        let mut buffer = JitterBuffer::new();
        let mut heard = Vec::new();
        let mut ready = 0;
        let mut now = Duration::ZERO;
        while now < end {
            while let Some(sent) = arrivals.next_if(|sent| sent.arrives <= now) {
                buffer.insert(self.packet(sent, origin));
            }
            let stalled = self
                .stalls
                .is_some_and(|(from, until)| (from..until).contains(&now));
            let mut decide = |buffer: &mut JitterBuffer, ready: &mut u32| {
                let (samples, what) = match buffer.next(origin + now) {
                    Decision::Wait => (480, Heard::Nothing),
                    Decision::Conceal { samples } => (samples, Heard::Concealed(samples)),
                    Decision::Play(packet) | Decision::Fec(packet) => {
                        (PACKET_SAMPLES, Heard::packet(&packet, origin + now))
                    }
                    // Its beginning would have been played before.
                    Decision::Rest { packet, concealed } => {
                        let begun = origin + now - duration_of(concealed);
                        (PACKET_SAMPLES - concealed, Heard::packet(&packet, begun))
                    }
                };
                assert!(samples > 0 && samples % 120 == 0, "{samples} samples");
                *ready += samples;
                heard.push((now, what));
            };
            while !stalled && ready < 480 {
                decide(&mut buffer, &mut ready);
            }
            // As silence is stretched.
            match buffer.stretch(origin + now, duration_of(ready)) {
                _ if stalled => {}
                Stretch::Shorten(piece) if ready >= 960 || buffer.plays_next() => {
                    if ready < 960 {
                        decide(&mut buffer, &mut ready);
                    }
                    ready -= piece.samples;
                    let samples = i32::try_from(piece.samples).unwrap();
                    buffer.stretched(-samples, origin + now);
                }
                Stretch::Lengthen(piece) => {
                    ready += piece.samples;
                    let samples = i32::try_from(piece.samples).unwrap();
                    buffer.stretched(samples, origin + now);
                }
                Stretch::Shorten(_) | Stretch::Keep => {}
            }
            ready -= if stalled { 0 } else { 480 };
            now += self.pull;
        }
        assert!(
            buffer.is_empty(),
            "packets are left over: {:?}, {:?}, {:?}",
            buffer.target(),
            buffer.counters(),
            self.stalls
        );
        let counters = buffer.counters();
        (heard, counters)
    }
}

/// The packets that were played from `from` until `until`: their numbers and waiting times.
pub fn played(
    heard: &[(Duration, Heard)],
    from: Duration,
    until: Duration,
) -> Vec<(u32, Duration)> {
    heard
        .iter()
        .filter(|(at, _)| (from..until).contains(at))
        .filter_map(|(_, what)| match *what {
            Heard::Packet { number, wait } => Some((number, wait)),
            Heard::Nothing | Heard::Concealed(_) => None,
        })
        .collect()
}

pub fn longest_wait(heard: &[(Duration, Heard)], from: Duration, until: Duration) -> Duration {
    played(heard, from, until)
        .into_iter()
        .map(|(_, wait)| wait)
        .max()
        .unwrap()
}
