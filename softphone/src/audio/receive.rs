//! The way in: packets become frames for the loudspeaker, at the loudspeaker's pace.

use std::{sync::Arc, time::Instant};

use super::{
    opus::Decoder,
    stretch::{SHORTENS_FROM, Stretcher, fade},
    varispeed::{HELD_SAMPLES, Varispeed},
};
use crate::media::{
    Coding, FRAME_SAMPLES, Frame, PACKET_SAMPLES_MAX, Packet, duration_of,
    jitter::{Decision, JitterBuffer},
    opus_samples,
    payload_type::{OPUS, RECEPTION},
    reception::Reception,
    red::{self, Unpacked},
    stats::VoiceStats,
    steer::{Piece, Stretch},
};

/// What was concealed goes over into what has come within this: 5 ms.
const FADE_SAMPLES: u32 = 240;

/// The most sound that is decoded and not yet played: less than two frames wait for a packet to be
/// decoded, or the rest of one.
const READY_MAX: usize = PACKET_SAMPLES_MAX + 2 * FRAME_SAMPLES + FADE_SAMPLES as usize;

/// The jitter buffer, and the decoder that does what it decides.
pub struct Receiving {
    buffer: JitterBuffer,
    decoder: Decoder,
    /// Sound that is decoded and not yet played.
    ready: Vec<f32>,
    bytes: u64,
    /// Samples concealed for packets that were no Opus after all.
    undecodable: u64,
    stretcher: Stretcher,
    /// Samples that were left out and put in, so that the delay is what it is to be.
    shortened: u64,
    lengthened: u64,
    varispeed: Varispeed,
}

impl Receiving {
    /// Nothing has come yet.
    #[must_use]
    pub fn new(decoder: Decoder) -> Self {
        Self {
            buffer: JitterBuffer::new(),
            decoder,
            ready: Vec::with_capacity(READY_MAX),
            bytes: 0,
            undecodable: 0,
            stretcher: Stretcher::default(),
            shortened: 0,
            lengthened: 0,
            varispeed: Varispeed::new(),
        }
    }

    /// Takes a packet from the network; what the peer tells in it of our own packets.
    pub fn insert(&mut self, packet: &Packet) -> Option<Reception> {
        self.bytes += packet.payload.len() as u64;
        let (own, rest) = unpacked(packet);
        let others = || rest.iter().flat_map(Unpacked::others);
        let copies = others().filter(|block| block.kind == OPUS);
        self.buffer.brought_copies(copies.map(|copy| copy.offset));
        self.buffer.insert(own.clone());
        self.buffer.insert_fec(&own);
        let mut told = None;
        for block in others() {
            match block.kind {
                OPUS => self.buffer.insert_copy(packet, block.offset, block.payload),
                RECEPTION => told = Reception::read(block.payload),
                _ => {}
            }
        }
        told
    }

    /// Takes a packet that is not to be played, while the call is held.
    pub fn pass(&mut self, packet: &Packet) {
        self.bytes += packet.payload.len() as u64;
        self.buffer.pass(&unpacked(packet).0);
    }

    /// How the peer's packets come; `None` at the beginning.
    #[must_use]
    pub fn reception(&self) -> Option<Reception> {
        self.buffer.reception()
    }

    /// Throws away all that waits to be played, and the echo of it in the decoder.
    pub fn clear(&mut self) {
        self.buffer.clear();
        self.ready.clear();
        self.varispeed.clear();
        self.decoder.forget();
    }

    /// The next 10 ms to be played.
    pub fn next(&mut self, now: Instant) -> Frame {
        self.make_ready(now);
        let ready = u32::try_from(self.ready.len()).unwrap_or(u32::MAX);
        let before = duration_of(ready.saturating_add(HELD_SAMPLES));
        match self.buffer.stretch(now, before) {
            Stretch::Keep => {}
            Stretch::Shorten(piece) => self.shorten(piece, now),
            Stretch::Lengthen(piece) => {
                let samples = self.stretcher.lengthen(&mut self.ready, piece);
                self.stretched(i32::try_from(samples).unwrap_or(0), now);
            }
        }
        // Of two frames, one of which was left out, there may be a sample too few.
        self.make_ready(now);
        let next = &self.ready[..self.varispeed.wants()];
        self.stretcher.played(next);
        let frame = self.varispeed.play(next, self.buffer.speed_ppm());
        let taken = next.len();
        self.ready.drain(..taken);
        frame
    }

    /// Makes as much ready as the next frame takes.
    fn make_ready(&mut self, now: Instant) {
        while self.ready.len() < self.varispeed.wants() {
            self.decode(now);
        }
    }

    /// Makes the next sound ready, of which there is less than a frame, or a packet to be played.
    fn decode(&mut self, now: Instant) {
        match self.buffer.next(now) {
            Decision::Wait => {
                let enough = self.ready.len().max(self.varispeed.wants());
                self.ready.resize(enough, 0.0);
            }
            Decision::Conceal { samples } => self.conceal(samples),
            Decision::Play(packet) => _ = self.play(&packet.payload, Decoder::decode),
            Decision::Rest { packet, concealed } => self.play_rest(&packet.payload, concealed),
            Decision::Fec(packet) => _ = self.play(&packet.payload, Decoder::decode_fec),
        }
    }

    /// Makes what a packet holds ready, or as much that is made up; whether it was Opus.
    fn play(
        &mut self,
        payload: &[u8],
        decode: for<'a> fn(&'a mut Decoder, &[u8]) -> Option<&'a [f32]>,
    ) -> bool {
        if let Some(sound) = decode(&mut self.decoder, payload) {
            self.ready.extend_from_slice(sound);
            return true;
        }
        let samples = opus_samples(payload).unwrap_or(0);
        self.undecodable += u64::from(samples);
        self.conceal(samples);
        false
    }

    /// Plays what follows on the first samples of a packet, which have been concealed: what was
    /// made up goes on for a moment, and fades into it.
    fn play_rest(&mut self, payload: &[u8], concealed: u32) {
        let made_up = self.ready.len();
        self.conceal(FADE_SAMPLES);
        let skipped = usize::try_from(concealed).unwrap_or(usize::MAX);
        let rest = self.ready.len().saturating_add(skipped);
        if !self.play(payload, Decoder::decode) {
            // That has been counted.
            self.undecodable -= u64::from(concealed);
        }
        let rest = rest.min(self.ready.len());
        let (before, after) = self.ready.split_at_mut(rest);
        let fades = after.len().min(FADE_SAMPLES as usize);
        let both = before[made_up..].iter().zip(&mut after[..fades]);
        for (n, (from, to)) in both.enumerate() {
            *to = fade(*from, *to, n, fades);
        }
        self.ready.drain(made_up..rest);
    }

    /// Leaves out a piece, if there is enough to look for one in; as much as it takes is decoded.
    fn shorten(&mut self, piece: Piece, now: Instant) {
        while self.ready.len() < SHORTENS_FROM {
            if !self.buffer.plays_next() {
                return;
            }
            self.decode(now);
        }
        let samples = self.stretcher.shorten(&mut self.ready, piece);
        self.stretched(-i32::try_from(samples).unwrap_or(0), now);
    }

    fn stretched(&mut self, samples: i32, now: Instant) {
        if samples != 0 {
            self.buffer.stretched(samples, now);
        }
        match u64::try_from(samples) {
            Ok(more) => self.lengthened += more,
            Err(_) => self.shortened += u64::from(samples.unsigned_abs()),
        }
    }

    fn conceal(&mut self, samples: u32) {
        self.ready.extend_from_slice(self.decoder.conceal(samples));
    }

    /// Whether all that came has been played.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        self.buffer.is_empty() && self.ready.len() < self.varispeed.wants()
    }

    /// Tells what was counted on the way in.
    pub fn tell(&self, stats: &mut VoiceStats) {
        stats.buffer = self.buffer.counters();
        stats.jitter = self.buffer.jitter();
        stats.playout_delay = self.buffer.playout_delay();
        stats.received_bytes = self.bytes;
        stats.undecodable = self.undecodable;
        stats.shortened = self.shortened;
        stats.lengthened = self.lengthened;
        stats.speed_ppm = self.varispeed.ppm();
    }
}

/// The packet itself, and what is in it beside its sound. One that cannot be taken apart has none.
fn unpacked(packet: &Packet) -> (Packet, Option<Unpacked<'_>>) {
    if packet.coding == Coding::Opus {
        return (packet.clone(), None);
    }
    let unpacked = red::unpack(&packet.payload, OPUS);
    let payload = unpacked.map_or_else(Arc::default, |unpacked| unpacked.own.into());
    let own = Packet {
        payload,
        coding: Coding::Opus,
        ..packet.clone()
    };
    (own, unpacked)
}

#[cfg(test)]
mod tests {
    use std::{collections::VecDeque, f32::consts::TAU, ops::Range, time::Duration};

    use rand_chacha::{
        ChaCha8Rng,
        rand_core::{Rng, SeedableRng},
    };

    use super::*;
    use crate::{
        audio::{opus::Encoder, send::Sending},
        media::{
            SAMPLE_RATE, Seq, Timestamp,
            format::{Format, Ptime},
            red::Block,
        },
    };

    /// Packets of 20 ms.
    const TWENTY: Format = Format {
        ptime: Some(Ptime::Twenty),
        max_bps: 96_000,
    };

    /// Ten syllables in three seconds: the harmonics of a voice around 120 Hz, without the lowest,
    /// which the encoder shifts in phase, and some breath.
    fn speech() -> Vec<f32> {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut phase = 0.0f32;
        (0..3 * SAMPLE_RATE)
            .map(|n| {
                let time = n as f32 / SAMPLE_RATE as f32;
                phase += (120.0 + 20.0 * (time * 1.3 * TAU).sin()) / SAMPLE_RATE as f32;
                let voice: f32 = (3..15)
                    .map(|h| (phase * h as f32 * TAU).sin() / h as f32)
                    .sum();
                let breath = random.next_u32() as f32 / u32::MAX as f32 - 0.5;
                let syllable = (time * 1.65 * TAU).sin().powi(2);
                0.2 * syllable * (voice + 0.02 * breath)
            })
            .collect()
    }

    fn receiving() -> Receiving {
        Receiving::new(Decoder::new().unwrap())
    }

    /// The packet of this number, of so many samples as all before it.
    fn packet(seq: u16, samples: u32, payload: &[u8], arrived: Instant) -> Packet {
        Packet {
            seq: Seq(seq),
            timestamp: Timestamp(u32::from(seq) * samples),
            marker: false,
            payload: payload.into(),
            coding: Coding::Opus,
            arrived,
        }
    }

    /// `sound` through encoder, a link that takes `delay_ms` of the time in ms, and back to sound.
    fn through(sound: &[f32], delay_ms: impl Fn(u64) -> u64) -> (Vec<f32>, VoiceStats) {
        through_as(TWENTY, sound, delay_ms)
    }

    /// Likewise, in any packets.
    fn through_as(
        format: Format,
        sound: &[f32],
        delay_ms: impl Fn(u64) -> u64,
    ) -> (Vec<f32>, VoiceStats) {
        let origin = Instant::now();
        let at = |millis: u64| origin + Duration::from_millis(millis);
        let sending = Sending::new(Encoder::new().unwrap(), format);
        let (mut sending, mut receiving) = (sending.untimed(), receiving());
        let (mut link, mut heard) = (VecDeque::new(), Vec::new());
        let mut seq = 0;
        for (millis, frame) in (0..).step_by(10).zip(sound.chunks_exact(FRAME_SAMPLES)) {
            if let Some(encoded) = sending.push(frame.try_into().unwrap(), None) {
                link.push_back(Packet {
                    seq: Seq(seq),
                    timestamp: encoded.timestamp,
                    marker: encoded.marker,
                    payload: encoded.payload.into(),
                    coding: encoded.coding,
                    arrived: at(millis + delay_ms(millis)),
                });
                seq += 1;
            }
            while link
                .front()
                .is_some_and(|packet| packet.arrived <= at(millis))
            {
                receiving.insert(&link.pop_front().unwrap());
            }
            heard.extend(receiving.next(at(millis)));
        }
        let mut stats = VoiceStats {
            capture: sending.ptime(),
            encode: sending.encodes_in(),
            ..VoiceStats::default()
        };
        receiving.tell(&mut stats);
        (heard, stats)
    }

    /// By how many samples `heard` is behind `said`, 30 to 140 ms, and how alike they then are.
    fn lag(said: &[f32], heard: &[f32]) -> (usize, f32) {
        lag_within(30 * 48..140 * 48, said, heard)
    }

    /// Likewise, if it is one of these lags, of 140 ms at the most.
    fn lag_within(lags: Range<usize>, said: &[f32], heard: &[f32]) -> (usize, f32) {
        let length = said.len() - 140 * 48;
        let likeness = |lag: usize| {
            // One sample in eleven tells as much.
            let pairs = said[..length].iter().zip(&heard[lag..]).step_by(11);
            let (mut both, mut one, mut other) = (0.0, 0.0, f32::MIN_POSITIVE);
            for (said, heard) in pairs {
                both += said * heard;
                one += said * said;
                other += heard * heard;
            }
            both / (one * other).sqrt()
        };
        let all = lags.map(|lag| (lag, likeness(lag)));
        all.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap()
    }

    #[test]
    fn speech_over_a_clean_link_comes_out_whole_and_soon_a_constant_time_later() {
        let said = speech().repeat(3);
        let (heard, stats) = through(&said, |_| 15);
        // Two frames make a packet, the second of which is there at once; 15 ms the link, which is
        // looked at every 10 ms; the jitter buffer; 6.5 ms the encoder looks ahead.
        let expected = (10 + 20) * 48 + 312..(10 + 20 + 15) * 48 + 312;
        let third = said.len() / 3;
        let mut lags = Vec::new();
        for part in [third..2 * third, 2 * third..said.len()] {
            let (lag, likeness) = lag(&said[part.clone()], &heard[part]);
            assert!(likeness > 0.95, "{likeness} alike at {lag}");
            assert!(
                expected.contains(&lag),
                "{lag} samples later, not {expected:?}"
            );
            lags.push(lag);
        }
        assert!(lags[0].abs_diff(lags[1]) < 10, "{lags:?}");
        // From 40 ms on, in pieces of at most 10.
        assert!(
            (960..2_400).contains(&stats.shortened),
            "{}",
            stats.shortened
        );
        assert_eq!(stats.lengthened, 0);
        assert_eq!((stats.buffer.concealed, stats.buffer.skipped), (0, 0));
        assert_eq!(stats.buffer.received, 449);
        assert!(stats.received_bytes > 449 * 40 && stats.received_bytes < 449 * 160);
    }

    #[test]
    fn packet_look_ahead_network_and_jitter_buffer_add_up_to_when_it_is_heard() {
        let said = speech().repeat(2);
        let last = said.len() / 2;
        for seed in 0..4u32 {
            let mut random = ChaCha8Rng::seed_from_u64(seed.into());
            let jitter = 10 * i64::from(seed % 4);
            let mut late = i64::from(random.next_u32() % 20);
            // None overtakes another.
            let takes: Vec<i64> = (0..said.len() / FRAME_SAMPLES)
                .map(|_| {
                    late = (late + i64::from(random.next_u32() % 21) - 10).clamp(0, jitter);
                    25 + late
                })
                .collect();
            let lasts = &takes[last / FRAME_SAMPLES..];
            let network = lasts.iter().sum::<i64>() as f32 / lasts.len() as f32;
            for ptime in [Ptime::Ten, Ptime::Twenty] {
                let format = Format {
                    ptime: Some(ptime),
                    ..TWENTY
                };
                let (heard, stats) = through_as(format, &said, |millis| {
                    takes[usize::try_from(millis).unwrap() / 10].unsigned_abs()
                });
                let report = stats.since(&VoiceStats::default(), Duration::from_secs(1));
                let told = report.mouth_to_ear_ms(network);
                // Frames are sent when they are full.
                let near = Duration::from_secs_f32(told / 1_000.0).as_millis();
                let near = usize::try_from(near).unwrap();
                let lags = (near - 30) * 48..(near + 10) * 48;
                let (lag, likeness) = lag_within(lags, &said[last..], &heard[last..]);
                let heard = lag as f32 / 48.0 + 10.0;
                let failed = format!("seed {seed}, {ptime:?}: {told} told, {heard} ms heard");
                assert!(likeness > 0.8, "{failed}, {likeness} alike");
                assert!((told - heard).abs() < 5.0, "{failed}");
            }
        }
    }

    #[test]
    fn speech_over_a_link_that_jitters_by_40_ms_is_as_good() {
        let said = speech();
        let (heard, stats) = through(&said, |millis| {
            15 + [0, 40, 10, 25][usize::try_from(millis).unwrap() / 20 % 4]
        });
        // In short pieces: the speed brings the delay to where it is to be, by up to 29 samples a
        // second.
        let piece = 440 * 48;
        for (said, heard) in said
            .chunks_exact(piece)
            .zip(heard.chunks_exact(piece))
            .skip(1)
        {
            let (lag, likeness) = lag(said, heard);
            assert!(likeness > 0.95, "{likeness} alike at {lag}");
            assert!(lag < 120 * 48, "{lag} samples later");
        }
        assert_eq!((stats.buffer.late, stats.buffer.concealed), (0, 0));
        assert!(
            stats.jitter > Duration::from_millis(5),
            "{:?}",
            stats.jitter
        );
    }

    #[test]
    fn after_a_packet_that_was_a_little_late_speech_goes_on_where_it_was() {
        // In the middle of a syllable.
        const STALLS: u64 = 4_600;
        let said = speech().repeat(3);
        let (_, steady) = through(&said, |_| 15);
        // A packet in part, a packet, and one and a part.
        for (late_ms, made_up, late) in [(20, 480, 0), (30, 960, 1), (40, 1_440, 1)] {
            let over = STALLS + late_ms;
            let stalls = STALLS..over;
            let (heard, stats) = through(&said, |millis| {
                let is_held_up = stalls.contains(&millis);
                15 + if is_held_up { over - millis } else { 0 }
            });
            let counters = stats.buffer;
            assert_eq!((counters.concealed, counters.late), (made_up, late));
            assert_eq!(stats.shortened, steady.shortened, "{late_ms}");
            let part = |from: usize, until: usize| {
                let part = from * 48..until * 48;
                lag(&said[part.clone()], &heard[part]).0
            };
            let (before, after) = (part(4_200, 4_600), part(4_700, 5_100));
            assert!(before.abs_diff(after) < 10, "{late_ms}: {before} {after}");
        }
    }

    #[test]
    fn what_was_made_up_fades_into_the_rest_of_a_packet() {
        for pitch in [210.0, 330.0, 470.0] {
            let tone = |n: usize| 0.3 * (n as f32 / SAMPLE_RATE as f32 * pitch * TAU).sin();
            let last = |sign: f32| {
                let mut encoder = Encoder::new().unwrap();
                let packets = (0..20).map(|packet| {
                    let frame: [f32; 960] = std::array::from_fn(|n| sign * tone(packet * 960 + n));
                    encoder.encode(&frame).unwrap().to_vec()
                });
                packets.collect::<Vec<_>>()
            };
            let mut receiving = receiving();
            for packet in &last(1.0) {
                receiving.ready.clear();
                receiving.play(packet, Decoder::decode);
            }
            receiving.conceal(480);
            // It is the opposite of what it was.
            receiving.play_rest(&last(-1.0)[19], 480);
            assert_eq!(receiving.ready.len(), 960 + 480 + 480);
            let steps = receiving.ready.windows(2);
            let step = steps.map(|two| (two[1] - two[0]).abs()).fold(0.0, f32::max);
            let of_tone = 0.3 * pitch * TAU / SAMPLE_RATE as f32;
            assert!(step < 1.2 * of_tone, "{pitch}: {step} {of_tone}");
        }
    }

    #[test]
    fn what_is_no_opus_is_concealed_for_as_long_as_it_said_it_was() {
        let origin = Instant::now();
        let mut receiving = receiving();
        // Two frames of 20 ms, the first of them of more bytes than there are.
        let payload = [31 << 3 | 2, 251, 9, 9];
        assert_eq!(opus_samples(&payload), Some(1_920));
        for seq in 0..3 {
            receiving.insert(&packet(seq, 1_920, &payload, origin));
        }
        let mut frames = 0;
        while !receiving.is_drained() {
            receiving.next(origin + Duration::from_millis(60 + 10 * frames));
            frames += 1;
        }
        let mut stats = VoiceStats::default();
        receiving.tell(&mut stats);
        // What was made up is silence, and too much of it.
        assert_eq!(frames * 480 + stats.shortened, 5_760);
        assert_eq!((stats.undecodable, stats.buffer.played), (5_760, 5_760));
        assert_eq!(stats.received_bytes, 12);
    }

    #[test]
    fn of_what_is_no_opus_and_a_little_late_the_rest_is_concealed() {
        let (mut receiving, origin) = (receiving(), Instant::now());
        let mut encoder = Encoder::new().unwrap();
        let good = encoder.encode(&[0.1; 960]).unwrap();
        for tick in 0..500u16 {
            let now = origin + Duration::from_millis(10) * u32::from(tick);
            if tick % 2 == 0 {
                receiving.insert(&packet(tick / 2, 960, good, now));
            }
            receiving.next(now);
        }
        let mut now = origin + Duration::from_millis(5_000);
        while receiving.buffer.counters().underruns == 0 {
            receiving.next(now);
            now += Duration::from_millis(10);
        }
        let before = receiving.buffer.counters();
        // Two frames of 20 ms, the first of them of more bytes than there are.
        receiving.insert(&packet(250, 960, &[31 << 3 | 2, 251, 9, 9], now));
        receiving.next(now);
        let after = receiving.buffer.counters();
        let played = after.played - before.played;
        let mut stats = VoiceStats::default();
        receiving.tell(&mut stats);
        assert_eq!((stats.undecodable, played), (1_440, 1_440));
    }

    #[test]
    fn copies_in_packets_are_waited_for_unless_they_are_too_far() {
        let target = |offsets: &[u32]| {
            let (mut receiving, origin) = (receiving(), Instant::now());
            for n in 0..200 {
                let opus = [30 << 3];
                // There is nothing to copy at first.
                let copies: Vec<_> = offsets
                    .iter()
                    .filter(|_| n > 60)
                    .map(|&offset| Block {
                        kind: OPUS,
                        offset,
                        payload: &opus,
                    })
                    .collect();
                let now = origin + Duration::from_millis(10) * u32::from(n);
                receiving.next(now);
                receiving.insert(&Packet {
                    coding: Coding::Red,
                    ..packet(n, 480, &red::pack(&copies, OPUS, &opus), now)
                });
            }
            receiving.buffer.target().as_millis()
        };
        assert_eq!(target(&[]), 3);
        assert_eq!(target(&[480]), 15);
        assert_eq!(target(&[960, 480]), 28);
        assert_eq!(target(&[9_600, 960]), 28);
        assert_eq!(target(&[9_600]), 3);
    }

    #[test]
    fn before_the_first_packet_there_is_silence() {
        let mut receiving = receiving();
        assert!(receiving.is_drained());
        assert_eq!(receiving.next(Instant::now()), [0.0; FRAME_SAMPLES]);
    }
}
