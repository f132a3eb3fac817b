//! How packets arrive: how unevenly, whether they keep coming too late, and whether those that do
//! not fit the stream are another one.

use std::time::{Duration, Instant};

use super::{Packet, SAMPLE_RATE, Seq, Timestamp};

/// So many late packets, on-time ones taken off by halves, begin the playout anew ...
const LATE_MAX: u32 = 10;

/// ... if they came in no less than this; a burst after a stall is not a slower path.
const LATE_FOR: Duration = Duration::from_millis(400);

/// So many packets in a row that fit one another, but not the stream, are a new stream
/// (RFC 3550, A.1, `MIN_SEQUENTIAL`).
const STRAYS_MAX: u32 = 3;

/// How far apart such packets may be numbered.
const STRAY_STEP_MAX: i16 = 10;

/// How far apart their times may be: 1 s.
const STRAY_SAMPLES_MAX: i32 = 48_000;

/// Whether packets keep coming too late.
#[derive(Debug, Default)]
pub(super) struct Lateness {
    /// Two for each late packet, less one for each on time.
    score: u32,
    /// When the score left zero.
    since: Option<Instant>,
}

/// RFC 3550, 6.4.1.
#[derive(Debug, Default)]
pub(super) struct Interarrival {
    last: Option<(Instant, Timestamp)>,
    jitter_samples: f64,
}

/// Packets in a row that fit one another, but not the stream.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Strays {
    last: Option<(Seq, Timestamp)>,
    run: u32,
}

impl Strays {
    /// Counts another one; whether they make a new stream, of which this is the first packet.
    pub(super) fn make_a_stream(&mut self, packet: &Packet) -> bool {
        let fits = self.last.is_some_and(|(seq, timestamp)| {
            (1..=STRAY_STEP_MAX).contains(&packet.seq.since(seq))
                && (0..=STRAY_SAMPLES_MAX).contains(&packet.timestamp.since(timestamp))
        });
        self.run = if fits { self.run + 1 } else { 1 };
        self.last = Some((packet.seq, packet.timestamp));
        self.run >= STRAYS_MAX
    }
}

impl Lateness {
    /// Counts a packet that came in time.
    pub(super) fn on_time(&mut self) {
        self.score = self.score.saturating_sub(1);
        if self.score == 0 {
            self.since = None;
        }
    }

    /// Counts a late packet; whether there have been too many, for too long.
    pub(super) fn late(&mut self, arrived: Instant) -> bool {
        let since = *self.since.get_or_insert(arrived);
        self.score = (self.score + 2).min(2 * LATE_MAX);
        self.score == 2 * LATE_MAX && arrived.saturating_duration_since(since) >= LATE_FOR
    }
}

impl Interarrival {
    /// Takes note of a packet that belongs to the stream.
    pub(super) fn note(&mut self, arrived: Instant, timestamp: Timestamp) {
        if let Some((last_arrived, last_timestamp)) = self.last.replace((arrived, timestamp)) {
            let earlier = last_arrived.saturating_duration_since(arrived);
            let later = arrived.saturating_duration_since(last_arrived);
            let elapsed = (later.as_secs_f64() - earlier.as_secs_f64()) * f64::from(SAMPLE_RATE);
            let difference = (elapsed - f64::from(timestamp.since(last_timestamp))).abs();
            self.jitter_samples += (difference - self.jitter_samples) / 16.0;
        }
    }

    /// The stream pauses or begins anew: its last packet tells nothing of the next.
    pub(super) fn pause(&mut self) {
        self.last = None;
    }

    /// The interarrival jitter.
    pub(super) fn jitter(&self) -> Duration {
        Duration::from_secs_f64(self.jitter_samples / f64::from(SAMPLE_RATE))
    }
}
