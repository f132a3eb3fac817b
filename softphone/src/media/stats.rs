//! What is told about a call's voice: counts since it began, and a report over an interval.

use std::time::Duration;

use serde::Serialize;

/// What the jitter buffer counted since it was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets that came, each once.
    pub received: u64,
    /// Packets that never came, or not yet, by their numbers (RFC 3550, A.3).
    pub lost: u64,
    /// Packets that came when their turn was over.
    pub late: u64,
    /// Packets that came again.
    pub duplicate: u64,
    /// Packets that did not come, or not in time, and were taken out of later ones.
    pub recovered: u64,
    /// Packets that did not come, or not in time, and were made from the FEC in the next ones.
    pub fec: u64,
    /// Packets that could not be used: malformed, of no known stream, or too many.
    pub refused: u64,
    /// Packets that were dropped to shorten the delay, or because the call was held, and copies in
    /// whose place something had been made up.
    pub skipped: u64,
    /// Samples in the packets given out for playing, but for what was made up in their place.
    pub played: u64,
    /// Samples that were to be concealed.
    pub concealed: u64,
    /// Times that there was nothing to play in the middle of the stream.
    pub underruns: u64,
}

/// A call's voice at one moment: counts since it began, and two smoothed figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VoiceStats {
    /// What the jitter buffer counted.
    pub buffer: Counters,
    /// The interarrival jitter of RFC 3550, 6.4.1.
    pub jitter: Duration,
    /// From the arrival of a packet to the loudspeaker's device: what it waits in the jitter
    /// buffer, in the resampler of a device with another rate, and in the device's ring. What is
    /// decoded ahead, 1.5 ms where clocks go alike and up to 10 where they do not, is not in it.
    pub playout_delay: Duration,
    /// From the loudspeaker's device to the ear, as far as the sound system tells.
    pub device: Duration,
    /// From the mouth until the packet is full: what the sound system tells of the microphone's
    /// device, what waits in its ring and its resampler, and the packet itself.
    pub capture: Duration,
    /// From there until the packet can be sent: how far Opus looks ahead, and how long it takes.
    pub encode: Duration,
    /// Bytes taken from the network: Opus, copies and reports, without RTP, UDP and IP headers.
    pub received_bytes: u64,
    /// Packets that came and found the queue to the sound thread full.
    pub dropped: u64,
    /// Samples that were concealed because their packet was no Opus after all.
    pub undecodable: u64,
    /// Samples that were left out to shorten the delay.
    pub shortened: u64,
    /// Samples that were put in to lengthen the delay.
    pub lengthened: u64,
    /// How much faster than it came sound was played last, in ppm, since the clocks of the two
    /// sound cards drift apart; less than nothing for slower.
    pub speed_ppm: i32,
    /// Packets handed to the network.
    pub sent: u64,
    /// Bytes of Opus, copies and reports in them.
    pub sent_bytes: u64,
    /// Packets that the network did not take, because its queue was full.
    pub unsent: u64,
    /// Packets that could not be encoded.
    pub unencoded: u64,
    /// Times that the loudspeaker wanted more than there was.
    pub device_underruns: u64,
    /// Times that sound of the microphone was dropped, because it came faster than it was taken.
    pub device_overruns: u64,
    /// Times that sound stood still: the sound thread came too late to catch up, or a device moved
    /// nothing.
    pub stalls: u64,
}

/// A call's voice over an interval, as a person or a script wants it: all figures are finite.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct VoiceReport {
    /// Packets that did not come, of those sent: 0-100.
    pub loss_pct: f32,
    /// Packets that came too late to be played, of those sent: 0-100.
    pub late_pct: f32,
    /// Packets that came again, of those sent: 0-100.
    pub duplicate_pct: f32,
    /// Packets that were taken out of copies, of those sent: 0-100.
    pub recovered_pct: f32,
    /// Packets that were made from in-band FEC, of those sent: 0-100.
    pub fec_pct: f32,
    /// Sound that was made up, of all that was played: 0-100.
    pub concealed_pct: f32,
    /// The interarrival jitter of RFC 3550, 6.4.1, at the end of the interval.
    pub jitter_ms: f32,
    /// [`VoiceStats::capture`] at the end of the interval, and so on.
    pub capture_ms: f32,
    /// [`VoiceStats::encode`].
    pub encode_ms: f32,
    /// [`VoiceStats::playout_delay`].
    pub playout_delay_ms: f32,
    /// [`VoiceStats::device`].
    pub device_ms: f32,
    /// Opus received per second, without RTP, UDP and IP headers.
    pub bitrate_bps: u32,
    /// Times that there was nothing to play, for want of packets or of processor time.
    pub underruns: u32,
    /// [`VoiceStats::speed_ppm`] at the end of the interval.
    pub speed_ppm: i32,
}

impl VoiceStats {
    /// What happened since `earlier`, a time `elapsed` ago.
    ///
    /// A packet that is overtaken by others counts as lost until it comes; if that is in the next
    /// interval, nothing is taken back.
    #[must_use]
    pub fn since(&self, earlier: &Self, elapsed: Duration) -> VoiceReport {
        let (now, then) = (&self.buffer, &earlier.buffer);
        let lost = now.lost.saturating_sub(then.lost);
        let late = now.late.saturating_sub(then.late);
        let sent = now.received.saturating_sub(then.received) + lost;
        let undecodable = self.undecodable.saturating_sub(earlier.undecodable);
        let missing = now.concealed.saturating_sub(then.concealed);
        let heard = now.played.saturating_sub(then.played) + missing;
        let bytes = self.received_bytes.saturating_sub(earlier.received_bytes);
        let underruns = now.underruns.saturating_sub(then.underruns)
            + self
                .device_underruns
                .saturating_sub(earlier.device_underruns);
        VoiceReport {
            loss_pct: percent(lost, sent),
            late_pct: percent(late, sent),
            duplicate_pct: percent(now.duplicate.saturating_sub(then.duplicate), sent),
            recovered_pct: percent(now.recovered.saturating_sub(then.recovered), sent),
            fec_pct: percent(now.fec.saturating_sub(then.fec), sent),
            concealed_pct: percent(missing.saturating_add(undecodable), heard),
            jitter_ms: millis(self.jitter),
            capture_ms: millis(self.capture),
            encode_ms: millis(self.encode),
            playout_delay_ms: millis(self.playout_delay),
            device_ms: millis(self.device),
            bitrate_bps: per_second(bytes.saturating_mul(8), elapsed),
            underruns: u32::try_from(underruns).unwrap_or(u32::MAX),
            speed_ppm: self.speed_ppm,
        }
    }
}

impl VoiceReport {
    /// From one mouth to the other's ear in milliseconds, if the network takes `network_ms` one way
    /// and the peer's microphone is like the own one.
    #[must_use]
    pub fn mouth_to_ear_ms(&self, network_ms: f32) -> f32 {
        let here = self.playout_delay_ms + self.device_ms;
        (self.capture_ms + self.encode_ms + network_ms + here).max(0.0)
    }
}

fn percent(part: u64, whole: u64) -> f32 {
    if whole == 0 {
        return 0.0;
    }
    (part as f32 / whole as f32 * 100.0).min(100.0)
}

fn millis(duration: Duration) -> f32 {
    duration.as_secs_f32() * 1_000.0
}

/// Zero over no time at all.
fn per_second(count: u64, elapsed: Duration) -> u32 {
    let micros = elapsed.as_micros().max(1);
    let rate = u128::from(count) * 1_000_000 / micros;
    if elapsed.is_zero() {
        return 0;
    }
    u32::try_from(rate).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_tells_shares_of_what_was_sent_and_of_what_was_heard() {
        let earlier = VoiceStats {
            buffer: Counters {
                received: 100,
                lost: 7,
                ..Counters::default()
            },
            received_bytes: 1_000,
            ..VoiceStats::default()
        };
        let now = VoiceStats {
            buffer: Counters {
                received: 145,
                lost: 12,
                late: 1,
                duplicate: 2,
                recovered: 3,
                fec: 4,
                played: 42_240,
                concealed: 5_760,
                underruns: 2,
                ..Counters::default()
            },
            jitter: Duration::from_micros(3_500),
            playout_delay: Duration::from_millis(71),
            device: Duration::from_millis(9),
            capture: Duration::from_millis(12),
            encode: Duration::from_micros(6_750),
            received_bytes: 5_000,
            undecodable: 960,
            device_underruns: 1,
            speed_ppm: -123,
            ..VoiceStats::default()
        };
        assert_eq!(
            now.since(&earlier, Duration::from_secs(2)),
            VoiceReport {
                loss_pct: 10.0,
                late_pct: 2.0,
                duplicate_pct: 4.0,
                recovered_pct: 6.0,
                fec_pct: 8.0,
                concealed_pct: 14.0,
                jitter_ms: 3.5,
                capture_ms: 12.0,
                encode_ms: 6.75,
                playout_delay_ms: 71.0,
                device_ms: 9.0,
                bitrate_bps: 16_000,
                underruns: 3,
                speed_ppm: -123,
            }
        );
    }

    #[test]
    fn a_report_over_nothing_is_all_zero() {
        let stats = VoiceStats {
            received_bytes: 10,
            ..VoiceStats::default()
        };
        let report = stats.since(&stats, Duration::from_secs(1));
        assert_eq!(
            (report.loss_pct, report.concealed_pct, report.bitrate_bps),
            (0.0, 0.0, 0)
        );
        let report = stats.since(&VoiceStats::default(), Duration::ZERO);
        assert_eq!(report.bitrate_bps, 0);
    }

    #[test]
    fn counts_that_went_back_or_over_the_whole_stay_within_the_range() {
        let earlier = VoiceStats {
            buffer: Counters {
                lost: 5,
                received: 9,
                ..Counters::default()
            },
            ..VoiceStats::default()
        };
        let now = VoiceStats {
            buffer: Counters {
                lost: 4,
                received: 10,
                late: 50,
                ..Counters::default()
            },
            received_bytes: u64::MAX,
            undecodable: u64::MAX / 2,
            ..VoiceStats::default()
        };
        let report = now.since(&earlier, Duration::from_nanos(1));
        assert_eq!((report.loss_pct, report.late_pct), (0.0, 100.0));
        assert_eq!((report.concealed_pct, report.bitrate_bps), (0.0, u32::MAX));
    }
}
