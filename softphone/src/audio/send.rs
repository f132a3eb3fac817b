//! The way out: frames of the microphone become packets.

use std::{
    collections::VecDeque,
    sync::LazyLock,
    time::{Duration, Instant},
};

use super::opus::Encoder;
use crate::media::{
    Coding, Encoded, FRAME_SAMPLES, Frame, PAYLOAD_BYTES_MAX, Timestamp, duration_of,
    effort::Effort,
    format::{Format, Ptime},
    payload_type::{OPUS, RECEPTION},
    reception::Reception,
    red::{self, Block},
    redundancy::{DISTANCE_MAX, Plan, Redundancy},
};

/// The peer is told so often how its packets come, in samples: every 200 ms.
const TELL_EVERY: u32 = 9_600;

/// The longest packet, in samples.
const LONGEST: usize = 960;

/// Collects frames until they fill a packet, and puts copies of earlier ones beside it.
pub struct Sending {
    encoder: Encoder,
    effort: Effort,
    /// What the encoder is told to make.
    complexity: Option<u8>,
    /// What time it is, for how long encoding takes.
    clock: fn() -> Instant,
    /// Sound in the next packet, in samples.
    ptime: u32,
    sound: [f32; LONGEST],
    filled: usize,
    timestamp: Timestamp,
    /// The next packet begins a talkspurt.
    begins: bool,
    /// Packets that could not be encoded.
    failed: u64,
    redundancy: Redundancy,
    plan: Plan,
    /// Packets that were encoded before, at most [`DISTANCE_MAX`], the newest last.
    earlier: VecDeque<(Timestamp, Vec<u8>)>,
    /// When the peer is told next how its packets come.
    tells_at: Timestamp,
    /// How far the encoder looks ahead.
    lookahead: Duration,
    /// How long it takes for a packet: the last ones, smoothed.
    takes: Duration,
}

impl Sending {
    /// Sends nothing yet; the first packet's timestamp is 0.
    #[must_use]
    pub fn new(mut encoder: Encoder, format: Format) -> Self {
        let lookahead = duration_of(encoder.lookahead());
        let redundancy = Redundancy::within(format);
        let mut sending = Self {
            encoder,
            effort: Effort::default(),
            complexity: None,
            clock: Instant::now,
            ptime: 0,
            sound: [0.0; LONGEST],
            filled: 0,
            timestamp: Timestamp(0),
            begins: true,
            failed: 0,
            plan: redundancy.plan(),
            redundancy,
            earlier: VecDeque::with_capacity(DISTANCE_MAX),
            tells_at: Timestamp(0),
            lookahead,
            takes: Duration::ZERO,
        };
        sending.encoder.set_bitrate(sending.plan.voice_bps);
        sending
    }

    /// Encoding is taken to need no time from now on, however busy the machine is: for calls in
    /// virtual time.
    #[must_use]
    pub fn untimed(mut self) -> Self {
        static ONCE: LazyLock<Instant> = LazyLock::new(Instant::now);
        self.clock = || *ONCE;
        self
    }

    /// The peer tells how our packets come.
    pub fn hear(&mut self, reception: Reception, now: Instant) {
        self.redundancy.hear(reception, now);
        let plan = self.redundancy.plan();
        if plan.voice_bps != self.plan.voice_bps {
            self.encoder.set_bitrate(plan.voice_bps);
        }
        if plan.fec_percent != self.plan.fec_percent {
            self.encoder.set_fec(plan.fec_percent);
        }
        self.plan = plan;
    }

    /// The microphone's time goes on by `frames` of 10 ms of which there is no sound, so that what
    /// comes next is not played late (RFC 3550, 5.1: timestamps tell when sound was captured). A
    /// frame that waits for its packet is left out with them.
    pub fn leave_out(&mut self, frames: u32) {
        if frames > 0 {
            let frames = frames.saturating_add(u32::from(self.filled > 0));
            self.filled = 0;
            let samples = Ptime::Ten.samples().wrapping_mul(frames);
            self.timestamp = self.timestamp.plus(samples);
            self.begins = true;
        }
    }

    /// Takes 10 ms; each or every second time there is a packet. A talkspurt begins with the first
    /// one and after what was left out, and never ends by itself: there is no DTX. Five times a
    /// second it tells the peer of our `reception`.
    pub fn push(&mut self, frame: &Frame, reception: Option<Reception>) -> Option<Encoded> {
        for (sample, &new) in self.sound[self.filled..].iter_mut().zip(frame) {
            // Files and devices may hold anything.
            *sample = if new.is_finite() {
                new.clamp(-1.0, 1.0)
            } else {
                0.0
            };
        }
        if self.filled == 0 {
            self.ptime = self.plan.ptime.samples();
        }
        self.filled += FRAME_SAMPLES;
        let ptime = self.ptime as usize;
        if self.filled < ptime {
            return None;
        }
        self.filled = 0;
        let timestamp = self.timestamp;
        self.timestamp = timestamp.plus(self.ptime);
        let marker = std::mem::take(&mut self.begins);
        let Some(own) = self.encode(ptime) else {
            self.failed += 1;
            return None;
        };
        let (payload, coding) = self.pack(timestamp, &own, reception);
        if self.earlier.len() == DISTANCE_MAX {
            self.earlier.pop_front();
        }
        self.earlier.push_back((timestamp, own));
        Some(Encoded {
            timestamp,
            marker,
            payload,
            coding,
        })
    }

    /// What was collected, `ptime` samples; with no more effort than there is time for.
    fn encode(&mut self, ptime: usize) -> Option<Vec<u8>> {
        let sound = duration_of(self.ptime);
        let complexity = self.effort.complexity(sound);
        if self.complexity.replace(complexity) != Some(complexity) {
            self.encoder.set_complexity(complexity);
        }
        let begins = (self.clock)();
        let own = self.encoder.encode(&self.sound[..ptime]).ok()?.to_vec();
        let spent = (self.clock)().saturating_duration_since(begins);
        self.takes = (self.takes * 15 + spent) / 16;
        self.effort.took(spent, sound);
        Some(own)
    }

    /// A packet's `own` sound, with what goes beside it.
    fn pack(
        &mut self,
        timestamp: Timestamp,
        own: &[u8],
        reception: Option<Reception>,
    ) -> (Vec<u8>, Coding) {
        let told = reception.filter(|_| timestamp.since(self.tells_at) >= 0);
        if told.is_some() {
            self.tells_at = timestamp.plus(TELL_EVERY);
        }
        let told = told.map(Reception::to_bytes);
        let mut others = Vec::with_capacity(red::BLOCKS_MAX);
        for distance in self.plan.distances() {
            let at = self.earlier.len().checked_sub(distance);
            if let Some((began, payload)) = at.and_then(|at| self.earlier.get(at)) {
                others.push(Block {
                    kind: OPUS,
                    offset: timestamp.since(*began).unsigned_abs(),
                    payload,
                });
            }
        }
        if let Some(told) = &told {
            others.push(Block {
                kind: RECEPTION,
                offset: 0,
                payload: told,
            });
        }
        let packed = red::pack(&others, OPUS, own);
        if others.is_empty() || packed.len() > PAYLOAD_BYTES_MAX {
            return (own.to_vec(), Coding::Opus);
        }
        (packed, Coding::Red)
    }

    /// Sound in a packet.
    pub(super) fn ptime(&self) -> Duration {
        duration_of(self.ptime)
    }

    /// From a packet's last sample until it can be sent: how far the encoder looks ahead, and how
    /// long it takes.
    pub(super) fn encodes_in(&self) -> Duration {
        self.lookahead + self.takes
    }

    /// How many packets could not be encoded.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{SILENCE, opus_samples};

    /// Samples in a packet of 20 ms.
    const PTIME: u32 = 960;

    fn sending(ptime: Ptime) -> Sending {
        let format = Format {
            ptime: Some(ptime),
            ..Format::default()
        };
        Sending::new(Encoder::new().unwrap(), format)
    }

    #[test]
    fn every_frame_makes_a_packet_of_10_ms() {
        let mut sending = sending(Ptime::Ten);
        for packet in 0..50 {
            let encoded = sending.push(&SILENCE, None).unwrap();
            assert_eq!(encoded.timestamp, Timestamp(packet * 480));
            assert_eq!(opus_samples(&encoded.payload), Some(480));
        }
        sending.leave_out(3);
        let encoded = sending.push(&SILENCE, None).unwrap();
        assert_eq!(encoded.timestamp, Timestamp(53 * 480));
    }

    #[test]
    fn every_second_frame_makes_a_packet_and_only_the_first_begins_a_talkspurt() {
        let mut sending = sending(Ptime::Twenty);
        for packet in 0..50 {
            assert_eq!(sending.push(&SILENCE, None), None);
            let encoded = sending.push(&SILENCE, None).unwrap();
            assert_eq!(encoded.timestamp, Timestamp(packet * 960));
            assert_eq!(encoded.marker, packet == 0);
            assert_eq!(opus_samples(&encoded.payload), Some(960));
        }
    }

    #[test]
    fn what_is_left_out_moves_the_time_and_begins_a_talkspurt() {
        let mut sending = sending(Ptime::Twenty);
        let packet = |sending: &mut Sending| {
            sending.push(&SILENCE, None);
            sending.push(&SILENCE, None).unwrap()
        };
        assert_eq!(packet(&mut sending).timestamp, Timestamp(0));
        sending.leave_out(0);
        sending.leave_out(31);
        let [next, last] = [(); 2].map(|()| packet(&mut sending));
        assert_eq!(
            (next.timestamp, next.marker),
            (Timestamp(960 + 31 * 480), true)
        );
        assert_eq!(
            (last.timestamp, last.marker),
            (Timestamp(2 * 960 + 31 * 480), false)
        );
        assert_eq!(sending.push(&SILENCE, None), None);
        sending.leave_out(1);
        let next = packet(&mut sending);
        assert_eq!(
            (next.timestamp, next.marker),
            (Timestamp(4 * 960 + 31 * 480), true)
        );
    }

    #[test]
    fn samples_that_are_no_numbers_are_silence() {
        let mut sending = sending(Ptime::Twenty);
        let wild = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e30].repeat(FRAME_SAMPLES / 4);
        sending.push(wild[..].try_into().unwrap(), None);
        assert!(
            sending.sound[..FRAME_SAMPLES]
                .iter()
                .all(|&sample| sample == 0.0 || sample == 1.0)
        );
        assert!(sending.push(&SILENCE, None).is_some());
        assert_eq!(sending.failed(), 0);
    }

    /// What a packet holds.
    struct Parts {
        own: Vec<u8>,
        /// How long before it they began, and what they hold.
        copies: Vec<(u32, Vec<u8>)>,
        told: Option<Reception>,
    }

    fn parts(encoded: &Encoded) -> Parts {
        if encoded.coding == Coding::Opus {
            return Parts {
                own: encoded.payload.clone(),
                copies: Vec::new(),
                told: None,
            };
        }
        let unpacked = red::unpack(&encoded.payload, OPUS).unwrap();
        let others = |kind| unpacked.others().filter(move |block| block.kind == kind);
        let copies = others(OPUS).map(|block| (block.offset, block.payload.to_vec()));
        Parts {
            own: unpacked.own.to_vec(),
            copies: copies.collect(),
            told: others(RECEPTION).find_map(|block| Reception::read(block.payload)),
        }
    }

    /// The next packet, of noise: no two are alike.
    fn next(sending: &mut Sending, reception: Option<Reception>) -> Encoded {
        loop {
            let level = (sending.timestamp.0 % 9_600 + 960) as f32 / 20_000.0;
            let frame = std::array::from_fn(|n| level * ((n * n) as f32).sin());
            if let Some(encoded) = sending.push(&frame, reception) {
                return encoded;
            }
        }
    }

    #[test]
    fn a_packet_carries_copies_of_those_before_it_once_the_peer_tells_of_losses() {
        let mut sending = sending(Ptime::Twenty);
        let own = |encoded: &Encoded| parts(encoded).own;
        let before: Vec<Encoded> = (0..10).map(|_| next(&mut sending, None)).collect();
        assert!(before.iter().all(|encoded| encoded.coding == Coding::Opus));
        let now = Instant::now();
        sending.hear(Reception::new(100, 10, 9).unwrap(), now);
        let packet = next(&mut sending, None);
        let expected = [(2 * PTIME, own(&before[8])), (PTIME, own(&before[9]))];
        assert_eq!(
            (packet.coding, parts(&packet).copies),
            (Coding::Red, expected.to_vec())
        );
        // Rows of three.
        for _ in 0..12 {
            sending.hear(Reception::new(100, 12, 4).unwrap(), now);
        }
        let later = next(&mut sending, None);
        let expected = [(5 * PTIME, own(&before[6])), (3 * PTIME, own(&before[8]))];
        assert_eq!(parts(&later).copies, expected);
        assert!(later.payload.len() < PAYLOAD_BYTES_MAX);
    }

    #[test]
    fn copies_keep_their_time_over_what_was_left_out_and_go_where_it_is_too_far() {
        let mut sending = sending(Ptime::Twenty);
        sending.hear(Reception::new(100, 10, 9).unwrap(), Instant::now());
        let offsets = |sending: &mut Sending| {
            let copies = parts(&next(sending, None)).copies;
            copies.iter().map(|(offset, _)| *offset).collect::<Vec<_>>()
        };
        assert_eq!(offsets(&mut sending), [0; 0]);
        assert_eq!(offsets(&mut sending), [PTIME]);
        sending.leave_out(10);
        let gap = 4_800;
        assert_eq!(offsets(&mut sending), [gap + 2 * PTIME, gap + PTIME]);
        sending.leave_out(100);
        assert_eq!(offsets(&mut sending), [0; 0]);
        assert_eq!(offsets(&mut sending), [PTIME]);
    }

    #[test]
    fn the_peer_is_told_five_times_a_second_how_its_packets_come() {
        let mut sending = sending(Ptime::Twenty);
        let reception = Reception::new(100, 3, 2);
        assert_eq!(parts(&next(&mut sending, None)).told, None);
        let told = |encoded: &Encoded| parts(encoded).told == reception;
        let second = 48_000 / PTIME;
        let times = (0..second).filter(|_| told(&next(&mut sending, reception)));
        assert_eq!(times.count(), 5);
    }

    #[test]
    fn an_encoder_that_takes_too_long_makes_less_effort() {
        use std::cell::Cell;
        thread_local! {
            static NOW: Cell<Instant> = Cell::new(Instant::now());
        }
        let mut sending = sending(Ptime::Twenty);
        // Each look at the clock is 6 ms later than the one before: 30 % of the time.
        sending.clock = || NOW.replace(NOW.get() + Duration::from_millis(6));
        let mut complexities = Vec::new();
        for _ in 0..151 {
            next(&mut sending, None);
            complexities.push(sending.encoder.complexity());
        }
        complexities.dedup();
        assert_eq!(complexities, [9, 7, 5, 3]);
    }

    #[test]
    fn packets_become_shorter_with_copies_and_longer_without() {
        let mut sending = Sending::new(Encoder::new().unwrap(), Format::default());
        let lengths = |sending: &mut Sending| {
            let own = parts(&next(sending, None)).own;
            opus_samples(&own).unwrap()
        };
        let now = Instant::now();
        assert_eq!([(); 2].map(|()| lengths(&mut sending)), [960; 2]);
        sending.push(&SILENCE, None);
        sending.hear(Reception::new(100, 10, 9).unwrap(), now);
        // What has begun is finished.
        assert_eq!([(); 3].map(|()| lengths(&mut sending)), [960, 480, 480]);
        let copies = parts(&next(&mut sending, None)).copies;
        let offsets: Vec<u32> = copies.iter().map(|(offset, _)| *offset).collect();
        assert_eq!(offsets, [960, 480]);
        let later = now + Duration::from_secs(60);
        sending.hear(Reception::new(100, 0, 0).unwrap(), later);
        assert_eq!([(); 2].map(|()| lengths(&mut sending)), [960; 2]);
    }
}
