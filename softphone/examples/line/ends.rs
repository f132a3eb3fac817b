//! Two whole ways of sound, as a call has them, over a line in virtual time: what each end hears.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use serde::Serialize;
use softphone::{
    audio::{Decoder, Encoder, Receiving, Sending},
    media::{
        FRAME_SAMPLES, Packet, SAMPLE_RATE, SILENCE, Seq, format::Format, redundancy::HEADER_BYTES,
        stats::VoiceStats,
    },
};

use crate::link::{Condition, Link};

/// The two devices of one machine take and give a frame so often.
const FRAME: Duration = Duration::from_millis(10);

/// A call.
pub struct Call<'a> {
    /// What is said at each end: as long as the call is.
    pub said: [&'a [f32]; 2],
    /// How both send.
    pub format: Format,
    /// The line, the same in both directions.
    pub condition: Condition,
    /// By so many millionths the first end's clock is faster than the second one's.
    pub drift_ppm: f64,
    /// Figures are of the time after this.
    pub warm: Duration,
    /// Of all that is drawn by chance.
    pub seed: u64,
}

/// What came to one end.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Heard {
    /// From the time at which the call began; the first sample of the other's voice was said then.
    #[serde(skip)]
    pub sound: Vec<f32>,
    /// Packets that the line lost, of those sent here: 0-100.
    pub lost_pct: f64,
    /// Packets that came too late, of those sent: 0-100.
    pub late_pct: f64,
    /// Packets that were taken out of later ones, of those sent: 0-100.
    pub recovered_pct: f64,
    /// Sound that was made up, of all that was played: 0-100.
    pub concealed_pct: f64,
    /// From the arrival of a packet until it is played, on average.
    pub playout_delay_ms: f64,
    /// Sound that was left out and put in, in ms for each second.
    pub shortened: f64,
    pub lengthened: f64,
    /// Packets for each second that were dropped to shorten the delay.
    pub skipped: f64,
    /// What was sent here, with all headers.
    pub ip_kbps: f64,
}

/// One of the two.
struct End {
    sending: Sending,
    receiving: Receiving,
    /// The way to the other.
    out: Link,
    /// Its clock: the time from one frame to the next.
    frame: Duration,
    seq: u16,
    bytes: usize,
    heard: Vec<f32>,
    /// Of the playout delay, at each frame after the warm-up.
    delays: Vec<f64>,
    before: Option<Counts>,
}

/// What had been counted at one time, of the way to an end.
#[derive(Default)]
struct Counts {
    stats: VoiceStats,
    sent: u64,
    lost: u64,
    bytes: usize,
}

enum Event {
    /// A frame was said.
    Said(usize),
    /// A frame is to be heard.
    Hears,
    Arrives(Packet),
}

impl Call<'_> {
    /// Lets the two speak until one has said everything; `watch` is told every 10 ms which end
    /// hears at what time, and its figures.
    ///
    /// # Errors
    /// There is no memory for a coder.
    pub fn run(
        &self,
        mut watch: impl FnMut(usize, Duration, &VoiceStats),
    ) -> Result<[Heard; 2], String> {
        let origin = Instant::now();
        let mut ends = [self.end(0)?, self.end(1)?];
        let mut events = BTreeMap::new();
        let mut order = 0_u64;
        let mut plan = |events: &mut BTreeMap<_, _>, at: Duration, side: usize, event| {
            order += 1;
            events.insert((at, order), (side, event));
        };
        for (side, end) in ends.iter_mut().enumerate() {
            plan(&mut events, end.frame, side, Event::Said(0));
            // A loudspeaker asks at any time, and hears nothing until then.
            let phase = FRAME.mul_f64(end.out.draw());
            end.heard.resize(samples(phase), 0.0);
            plan(&mut events, phase, side, Event::Hears);
        }
        while let Some(((at, _), (side, event))) = events.pop_first() {
            let now = origin + at;
            let end = &mut ends[side];
            match event {
                Event::Said(number) => {
                    let Some(frame) = self.frame(side, number) else {
                        break;
                    };
                    plan(&mut events, at + end.frame, side, Event::Said(number + 1));
                    if let Some((packet, arrives)) = end.send(&frame, origin, at) {
                        plan(&mut events, arrives, 1 - side, Event::Arrives(packet));
                    }
                }
                Event::Arrives(packet) => {
                    if let Some(told) = end.receiving.insert(&packet) {
                        end.sending.hear(told, now);
                    }
                }
                Event::Hears => {
                    plan(&mut events, at + end.frame, side, Event::Hears);
                    end.heard.extend(end.receiving.next(now));
                    let counts = Counts::of(&ends, side);
                    watch(side, at, &counts.stats);
                    if at >= self.warm {
                        let end = &mut ends[side];
                        end.delays.push(counts.stats.playout_delay.as_secs_f64());
                        end.before.get_or_insert(counts);
                    }
                }
            }
        }
        Ok([0, 1].map(|side| self.heard(&mut ends, side)))
    }

    fn end(&self, side: usize) -> Result<End, String> {
        let failed = |error| format!("cannot code: {error}");
        let encoder = Encoder::new().map_err(failed)?;
        let drift = 1.0 + self.drift_ppm / 1_000_000.0;
        Ok(End {
            sending: Sending::new(encoder, self.format).untimed(),
            receiving: Receiving::new(Decoder::new().map_err(failed)?),
            out: Link::new(self.condition, 2 * self.seed + side as u64),
            frame: if side == 0 {
                FRAME.div_f64(drift)
            } else {
                FRAME
            },
            seq: 65_000,
            bytes: 0,
            heard: Vec::with_capacity(self.said[side].len() + FRAME_SAMPLES),
            delays: Vec::new(),
            before: None,
        })
    }

    /// What is said then; `None` at the end.
    fn frame(&self, side: usize, number: usize) -> Option<softphone::media::Frame> {
        let mut frame = SILENCE;
        let at = number * FRAME_SAMPLES;
        frame.copy_from_slice(self.said[side].get(at..at + FRAME_SAMPLES)?);
        Some(frame)
    }

    fn heard(&self, ends: &mut [End; 2], side: usize) -> Heard {
        let now = Counts::of(ends, side);
        let end = &mut ends[side];
        let then = end.before.take().unwrap_or_default();
        let (buffer, old) = (now.stats.buffer, then.stats.buffer);
        let sent = (now.sent - then.sent).max(1);
        let of_sent = |count: u64| 100.0 * count as f64 / sent as f64;
        let made_up = buffer.concealed - old.concealed;
        let played = made_up + buffer.played - old.played;
        let seconds = end.delays.len().max(1) as f64 * FRAME.as_secs_f64();
        let millis = |samples: u64| samples as f64 / 48.0 / seconds;
        Heard {
            sound: std::mem::take(&mut end.heard),
            lost_pct: of_sent(now.lost - then.lost),
            late_pct: of_sent(buffer.late - old.late),
            recovered_pct: of_sent(buffer.recovered.saturating_sub(old.recovered)),
            concealed_pct: 100.0 * made_up as f64 / played.max(1) as f64,
            playout_delay_ms: 1_000.0 * end.delays.iter().sum::<f64>()
                / end.delays.len().max(1) as f64,
            shortened: millis(now.stats.shortened - then.stats.shortened),
            lengthened: millis(now.stats.lengthened - then.stats.lengthened),
            skipped: (buffer.skipped - old.skipped) as f64 / seconds,
            ip_kbps: (now.bytes - then.bytes) as f64 * 8.0 / 1_000.0 / seconds,
        }
    }
}

impl End {
    /// The packet that `frame` completes, if it does and it arrives, and when.
    fn send(
        &mut self,
        frame: &softphone::media::Frame,
        origin: Instant,
        at: Duration,
    ) -> Option<(Packet, Duration)> {
        let encoded = self.sending.push(frame, self.receiving.reception())?;
        let bytes = encoded.payload.len() + HEADER_BYTES as usize;
        self.bytes += bytes;
        self.seq = self.seq.wrapping_add(1);
        let arrives = self.out.send(bytes, at)?;
        let packet = Packet {
            seq: Seq(self.seq),
            timestamp: encoded.timestamp,
            marker: encoded.marker,
            payload: encoded.payload.into(),
            coding: encoded.coding,
            arrived: origin + arrives,
        };
        Some((packet, arrives))
    }
}

impl Counts {
    /// Of the way to that end.
    fn of(ends: &[End; 2], side: usize) -> Self {
        let mut stats = VoiceStats::default();
        ends[side].receiving.tell(&mut stats);
        let from = &ends[1 - side];
        Self {
            stats,
            sent: from.out.sent,
            lost: from.out.lost,
            bytes: from.bytes,
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a time is not negative, and a call is no day"
)]
fn samples(time: Duration) -> usize {
    (time.as_secs_f64() * f64::from(SAMPLE_RATE)).round() as usize
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use super::*;
    use crate::link::tests::CLEAN;

    /// 6 s of a tone that comes and goes.
    fn said() -> Vec<f32> {
        let sample = |n: u32| {
            let time = n as f32 / SAMPLE_RATE as f32;
            0.3 * (220.0 * time * TAU).sin() * (1.3 * time * TAU).sin()
        };
        (0..6 * SAMPLE_RATE).map(sample).collect()
    }

    fn heard(condition: Condition, seed: u64) -> [Heard; 2] {
        let said = said();
        let call = Call {
            said: [&said, &said],
            format: Format::default(),
            condition,
            drift_ppm: 0.0,
            warm: Duration::from_secs(2),
            seed,
        };
        call.run(|_, _, _| {}).unwrap()
    }

    #[test]
    fn a_clean_line_loses_and_makes_up_nothing() {
        for heard in heard(CLEAN, 1) {
            let none = [heard.lost_pct, heard.late_pct, heard.concealed_pct];
            assert_eq!(none, [0.0; 3]);
            assert!((20.0..60.0).contains(&heard.ip_kbps), "{}", heard.ip_kbps);
            // As long as what was said, to the frame.
            let samples = heard.sound.len().abs_diff(said().len());
            assert!(samples <= 2 * FRAME_SAMPLES, "{samples}");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_sound_and_another_one_does_not() {
        let condition = Condition {
            loss: 0.1,
            jitter: Duration::from_millis(20),
            ..CLEAN
        };
        let [first, again, other] = [1, 1, 2].map(|seed| heard(condition, seed));
        assert!(first == again && first != other);
        assert!(first[0].lost_pct > 5.0 && first[0].recovered_pct > 4.0);
    }
}
