//! Voice between the network and the loudspeaker: units and types, and the pure machines on them.
//!
//! ```text
//!  network: Packet -> jitter::JitterBuffer -> Decision -> decoder -> Frame -> loudspeaker
//!  microphone: Frame, Frame -> encoder -> Encoded -> network
//! ```
//!
//! Nothing below this module has a clock, a socket, a thread or a file: the time comes in as an
//! argument. `audio` drives it.

mod arrival;
pub mod congestion;
pub mod delay;
pub mod drift;
pub mod effort;
pub mod format;
mod goal;
mod history;
pub mod jitter;
mod least;
pub mod reception;
pub mod red;
pub mod redundancy;
mod settle;
pub mod silence;
pub mod stats;
pub mod steer;
mod surplus;
pub mod watchdog;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Samples per second of all sound inside the phone, and of the RTP clock (RFC 7587, 4.1).
pub const SAMPLE_RATE: u32 = 48_000;

/// Samples in a [`Frame`]: 10 ms.
pub const FRAME_SAMPLES: usize = 480;

/// Sound is worked on in pieces of 10 ms: mono, nominally between -1.0 and 1.0.
pub type Frame = [f32; FRAME_SAMPLES];

/// No sound.
pub const SILENCE: Frame = [0.0; FRAME_SAMPLES];

/// The most samples in a packet: 120 ms (RFC 6716, 3.2.5).
pub const PACKET_SAMPLES_MAX: usize = 5_760;

/// Number of an RTP packet, which wraps around; compared only by [`Seq::since`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seq(pub u16);

impl Seq {
    /// How many packets `self` comes after `earlier`; negative when it comes before.
    #[must_use]
    pub fn since(self, earlier: Self) -> i16 {
        self.0.wrapping_sub(earlier.0).cast_signed()
    }
}

/// Time on the sender's RTP clock, in samples, which wraps around after a day; compared only by
/// [`Timestamp::since`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timestamp(pub u32);

impl Timestamp {
    /// How many samples `self` comes after `earlier`; negative when it comes before.
    #[must_use]
    pub fn since(self, earlier: Self) -> i32 {
        self.0.wrapping_sub(earlier.0).cast_signed()
    }

    /// The time `samples` later.
    #[must_use]
    pub fn plus(self, samples: u32) -> Self {
        Self(self.0.wrapping_add(samples))
    }
}

/// How long `samples` sound.
#[must_use]
pub fn duration_of(samples: u32) -> Duration {
    Duration::from_micros(u64::from(samples) * 1_000 / 48)
}

/// A duration in microseconds; one of more than 70,000 years is that long.
fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4)
}

/// From `origin` to `at`, in microseconds; negative when `at` comes before.
fn micros_from(origin: Instant, at: Instant) -> i64 {
    micros(at.saturating_duration_since(origin)) - micros(origin.saturating_duration_since(at))
}

/// One RTP packet that came. Nothing in it but `arrived` is to be trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// Its number.
    pub seq: Seq,
    /// When its first sample was captured, on the sender's clock.
    pub timestamp: Timestamp,
    /// It begins a talkspurt (RFC 7587, 4.2).
    pub marker: bool,
    /// What it holds.
    pub payload: Arc<[u8]>,
    /// In which form.
    pub coding: Coding,
    /// When it came in from the network.
    pub arrived: Instant,
}

/// One packet to send; the network side numbers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// When its first sample was captured, in samples since the call's voice began.
    pub timestamp: Timestamp,
    /// It begins a talkspurt.
    pub marker: bool,
    /// 10 or 20 ms of Opus, and what goes with it; at most [`PAYLOAD_BYTES_MAX`].
    pub payload: Vec<u8>,
    /// In which form.
    pub coding: Coding,
}

/// The form of an RTP payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// One Opus packet (RFC 7587).
    Opus,
    /// Opus behind copies of earlier packets and [`reception`] (RFC 2198): see [`red`].
    Red,
}

/// The most bytes of one RTP payload that we send: a datagram that no network has to cut.
pub const PAYLOAD_BYTES_MAX: usize = 1_200;

/// RTP payload types, which both sides know; those of Opus and of reception are of blocks too.
pub mod payload_type {
    /// [`super::Coding::Opus`].
    pub const OPUS: u8 = 111;
    /// [`super::Coding::Red`].
    pub const RED: u8 = 112;
    /// [`super::reception::Reception`], as a block of a packet with copies only.
    pub const RECEPTION: u8 = 113;
}

/// How many samples an Opus packet decodes to, by its first bytes (RFC 6716, 3.1): 120 to
/// [`PACKET_SAMPLES_MAX`], a multiple of 120. `None` when no packet begins like this.
///
/// Tells nothing about the rest of the packet.
#[must_use]
pub fn opus_samples(payload: &[u8]) -> Option<u32> {
    let &toc = payload.first()?;
    // SILK, hybrid and CELT offer different frame sizes; the TOC byte's upper five bits tell.
    let frame = match toc >> 3 {
        config @ 0..12 => [480, 960, 1_920, 2_880][usize::from(config & 3)],
        config @ 12..16 => [480, 960][usize::from(config & 1)],
        config => [120, 240, 480, 960][usize::from(config & 3)],
    };
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(payload.get(1)? & 0x3F),
    };
    let samples = frame * frames;
    (1..=PACKET_SAMPLES_MAX)
        .contains(&usize::try_from(samples).ok()?)
        .then_some(samples)
}

/// How many samples of the packet before it a packet holds (in-band FEC): all of it, 480 or 960.
/// `None` when it holds none, or is none of those that we send: one frame of 10 or 20 ms.
///
/// Only SILK and hybrid packets can. Their first bit tells of speech, the second of FEC (RFC 6716,
/// 4.2.3): both are of even chance, which is why the range coder writes them as they are.
#[must_use]
pub fn opus_fec(payload: &[u8]) -> Option<u32> {
    let &[toc, first, ..] = payload else {
        return None;
    };
    let samples = opus_samples(payload)?;
    let is_celt = toc >> 3 >= 16;
    let is_one_frame = toc & 3 == 0 && samples <= 960;
    (!is_celt && is_one_frame && first & 0x40 != 0).then_some(samples)
}
