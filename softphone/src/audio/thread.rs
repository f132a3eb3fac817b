//! The sound thread of a call: moves sound both ways, every 10 ms, until the call ends.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::Relaxed},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use tokio::sync::mpsc as queue;

use super::{
    VoiceEvent,
    capture::Capture,
    file::{Clip, Recording},
    kept::Kept,
    level::Peak,
    pace::{FRAME_TIME, Notice, Pace},
    playout::Playout,
    receive::Receiving,
    send::Sending,
    volume::{Gain, Knob},
};
use crate::media::{Encoded, Frame, Packet, SILENCE, stats::VoiceStats};

/// How often the rings of devices are looked at: a fifth of a frame.
const POLL: Duration = Duration::from_millis(2);

/// The longest that what has come is still played out after the call has ended.
const DRAIN: Duration = Duration::from_millis(500);

/// Frames sent after the end of a file, before it is told: the encoder looks ahead, and packets
/// are of two frames.
const TAIL_FRAMES: u32 = 4;

/// How far a call has come; it never goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Phase {
    /// Silence both ways.
    Preparing,
    /// The two hear each other.
    Open,
    /// Only what has come is played.
    Finishing,
    /// The thread ends at once.
    Stopped,
}

/// What the sound thread shares with the [`super::Voice`].
#[derive(Debug, Default)]
pub(super) struct Shared {
    phase: AtomicU8,
    pub(super) muted: AtomicBool,
    pub(super) held: AtomicBool,
    pub(super) sent_peak: Peak,
    pub(super) heard_peak: Peak,
    /// What the input holds, before mute and volume.
    pub(super) input_peak: Peak,
    pub(super) sent_volume: Knob,
    pub(super) heard_volume: Knob,
    /// Packets that found the queue full.
    pub(super) dropped: AtomicU64,
    stats: Mutex<VoiceStats>,
}

impl Shared {
    pub(super) fn advance(&self, phase: Phase) {
        self.phase.fetch_max(phase as u8, Relaxed);
    }

    fn phase(&self) -> Phase {
        match self.phase.load(Relaxed) {
            0 => Phase::Preparing,
            1 => Phase::Open,
            2 => Phase::Finishing,
            _ => Phase::Stopped,
        }
    }

    pub(super) fn stats(&self) -> VoiceStats {
        let stats = *self.stats.lock().unwrap_or_else(PoisonError::into_inner);
        VoiceStats {
            dropped: self.dropped.load(Relaxed),
            ..stats
        }
    }
}

/// Where the sound that is sent comes from.
pub(super) enum Source {
    Device(Kept<Capture>),
    /// `past_end` counts the frames after the end.
    File {
        clip: Clip,
        pace: Pace,
        past_end: u32,
    },
    Silence(Pace),
    /// What was played just now.
    Echo,
}

/// Where the sound that came goes.
pub(super) enum Sink {
    Device(Kept<Playout>),
    File { recording: Recording, pace: Pace },
    Nowhere(Pace),
}

/// All that the thread owns.
pub(super) struct SoundThread {
    pub(super) shared: Arc<Shared>,
    pub(super) packets: mpsc::Receiver<Packet>,
    pub(super) source: Source,
    pub(super) sink: Sink,
    pub(super) sending: Sending,
    pub(super) receiving: Receiving,
    pub(super) sent: queue::Sender<Encoded>,
    pub(super) events: queue::Sender<VoiceEvent>,
    pub(super) stats: VoiceStats,
    pub(super) notices: Notices,
    /// The call is held, as far as this thread has heard.
    pub(super) held: bool,
    pub(super) sent_gain: Gain,
    pub(super) heard_gain: Gain,
}

/// What a person has been told of the devices.
#[derive(Debug, Default)]
pub(super) struct Notices {
    input: Notice,
    output: Notice,
}

impl SoundThread {
    /// Runs until the call has ended, and tells what was counted.
    pub(super) fn run(mut self) -> VoiceStats {
        // Opening a device may have taken long.
        let start = Instant::now();
        for pace in [self.source.pace(), self.sink.pace()].into_iter().flatten() {
            *pace = Pace::starting(start);
        }
        let mut opened = false;
        let mut finish_by = None;
        loop {
            let now = Instant::now();
            let phase = self.shared.phase();
            opened |= phase == Phase::Open;
            self.receive();
            self.attend_devices(now);
            self.leave_out_stalls(now);
            let mut wake = self.sink.wakes(now);
            if phase < Phase::Finishing {
                self.capture(now, phase);
                self.play(now, phase);
                wake = self.sink.wakes(now).min(self.source.wakes(now));
            } else {
                let finish_by = *finish_by.get_or_insert(now + DRAIN);
                let over = phase == Phase::Stopped || !opened || now >= finish_by;
                if over || self.drained(now) {
                    break;
                }
            }
            self.publish(phase);
            thread::sleep(wake.saturating_duration_since(Instant::now()));
        }
        self.close()
    }

    /// Takes what has come from the network; while the call is held, none of it is to be played,
    /// nor what waits.
    fn receive(&mut self) {
        let held = self.shared.held.load(Relaxed);
        if held && !self.held {
            self.receiving.clear();
        }
        self.held = held;
        while let Ok(packet) = self.packets.try_recv() {
            if held {
                self.receiving.pass(&packet);
            } else {
                self.receiving.insert(packet);
            }
        }
    }

    /// Sends what the microphone has, or what is due.
    fn capture(&mut self, now: Instant, phase: Phase) {
        while let Some(frame) = self.next_captured(now, phase) {
            self.send(&frame, phase);
        }
    }

    fn next_captured(&mut self, now: Instant, phase: Phase) -> Option<Frame> {
        let mut frame = SILENCE;
        let (event, pace) = match &mut self.source {
            Source::Device(kept) => {
                let due = match kept.end() {
                    Ok(capture) => capture.next(&mut frame, now),
                    Err(pace) => pace.is_due(now),
                };
                return due.then_some(frame);
            }
            Source::Silence(pace) => return pace.is_due(now).then_some(frame),
            Source::Echo => return None,
            Source::File {
                clip,
                pace,
                past_end,
            } => {
                if !pace.is_due(now) {
                    return None;
                }
                if phase < Phase::Open {
                    return Some(frame);
                }
                match clip.next(&mut frame) {
                    Ok(true) => return Some(frame),
                    Ok(false) if *past_end < TAIL_FRAMES => {
                        *past_end += 1;
                        return Some(frame);
                    }
                    Ok(false) => (VoiceEvent::InputEnded, *pace),
                    Err(why) => (VoiceEvent::InputLost { why }, *pace),
                }
            }
        };
        self.tell(event);
        self.source = Source::Silence(pace);
        Some(SILENCE)
    }

    fn send(&mut self, frame: &Frame, phase: Phase) {
        if self.held {
            return self.sending.leave_out(1);
        }
        let mut frame = if phase < Phase::Open { SILENCE } else { *frame };
        self.shared.input_peak.note(&frame);
        if self.shared.muted.load(Relaxed) {
            frame = SILENCE;
        }
        let volume = self.shared.sent_volume.get();
        self.sent_gain.apply(&mut frame, volume);
        self.shared.sent_peak.note(&frame);
        let Some(packet) = self.sending.push(&frame) else {
            return;
        };
        let bytes = packet.payload.len() as u64;
        match self.sent.try_send(packet) {
            Ok(()) => {
                self.stats.sent += 1;
                self.stats.sent_bytes += bytes;
            }
            Err(_) => self.stats.unsent += 1,
        }
    }

    /// Plays what the loudspeaker wants, or what is due. Before the call is open that is silence,
    /// but the jitter buffer is used all the same, so that it has settled by then.
    fn play(&mut self, now: Instant, phase: Phase) {
        while self.sink.wants(now) {
            let came = self.receiving.next(now);
            let open = phase >= Phase::Open;
            if open {
                self.shared.heard_peak.note(&came);
            }
            self.write(if open { &came } else { &SILENCE }, now, open);
            if let Source::Echo = self.source {
                self.send(&came, phase);
            }
        }
    }

    fn write(&mut self, frame: &Frame, now: Instant, open: bool) {
        let mut frame = *frame;
        let volume = self.shared.heard_volume.get();
        self.heard_gain.apply(&mut frame, volume);
        let failed = match &mut self.sink {
            Sink::Device(kept) => return kept.end().map_or((), |playout| playout.write(&frame)),
            Sink::File { recording, .. } if open => recording.write(&frame).err(),
            Sink::File { .. } | Sink::Nowhere(_) => None,
        };
        if let Some(why) = failed {
            self.sink = Sink::Nowhere(Pace::starting(now + FRAME_TIME));
            self.tell(VoiceEvent::OutputLost { why });
        }
    }

    /// Plays on until all that came has been heard; whether that is so.
    fn drained(&mut self, now: Instant) -> bool {
        while !self.receiving.is_drained() && self.sink.wants(now) {
            let came = self.receiving.next(now);
            self.write(&came, now, true);
        }
        self.receiving.is_drained() && self.sink.is_drained()
    }

    /// Leaves out what a stall has made too late, so that both ways stay in time.
    fn leave_out_stalls(&mut self, now: Instant) {
        let (captured, still) = match &mut self.source {
            Source::Device(kept) => match kept.end() {
                Ok(capture) => (capture.left_out(), capture.stands_still()),
                Err(pace) => (pace.leave_out(now), false),
            },
            Source::File { pace, .. } | Source::Silence(pace) => (pace.leave_out(now), false),
            Source::Echo => (0, false),
        };
        self.sending.leave_out(captured);
        let played = match &mut self.sink {
            Sink::Device(kept) => match kept.end() {
                Ok(playout) => playout.stands_still(),
                Err(pace) => pace.leave_out(now) > 0,
            },
            Sink::File { pace, .. } | Sink::Nowhere(pace) => pace.leave_out(now) > 0,
        };
        self.stats.stalls += u64::from(captured > 0 || still || played);
    }

    /// Takes the streams that have been opened, and goes on by the clock without those that are
    /// lost.
    fn attend_devices(&mut self, now: Instant) {
        if let Source::Device(kept) = &mut self.source {
            let lost = kept.attend().err();
            if self.notices.input.is_due(lost.is_some(), now) {
                let event = match lost {
                    Some(why) => VoiceEvent::InputLost {
                        why: why.to_owned(),
                    },
                    None => VoiceEvent::InputBack,
                };
                tell(&self.events, event);
            }
        }
        if let Sink::Device(kept) = &mut self.sink {
            let lost = kept.attend().err();
            if self.notices.output.is_due(lost.is_some(), now) {
                let event = match lost {
                    Some(why) => VoiceEvent::OutputLost {
                        why: why.to_owned(),
                    },
                    None => VoiceEvent::OutputBack,
                };
                tell(&self.events, event);
            }
        }
    }

    fn tell(&self, event: VoiceEvent) {
        tell(&self.events, event);
    }

    fn publish(&mut self, phase: Phase) {
        self.receiving.tell(&mut self.stats);
        self.stats.unencoded = self.sending.failed();
        // A ring that runs empty at the end is no underrun.
        let counts = phase < Phase::Finishing;
        if let Source::Device(kept) = &mut self.source
            && let Ok(capture) = kept.end()
        {
            let overruns = capture.overruns();
            self.stats.device_overruns += if counts { overruns } else { 0 };
        }
        if let Sink::Device(kept) = &mut self.sink
            && let Ok(playout) = kept.end()
        {
            self.stats.playout_delay += playout.delay();
            let underruns = playout.underruns();
            self.stats.device_underruns += if counts { underruns } else { 0 };
        }
        *self
            .shared
            .stats
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = self.stats;
    }

    fn close(mut self) -> VoiceStats {
        self.publish(Phase::Finishing);
        if let Sink::File { recording, .. } = self.sink
            && let Err(why) = recording.finish()
        {
            tell(&self.events, VoiceEvent::OutputLost { why });
        }
        self.shared.stats()
    }
}

/// Nobody who takes events is so far behind that there is no room.
fn tell(events: &queue::Sender<VoiceEvent>, event: VoiceEvent) {
    if let Err(error) = events.try_send(event) {
        tracing::warn!(%error, "nobody heard of an event of the sound thread");
    }
}

impl Source {
    fn pace(&mut self) -> Option<&mut Pace> {
        match self {
            Self::File { pace, .. } | Self::Silence(pace) => Some(pace),
            Self::Device(_) | Self::Echo => None,
        }
    }

    /// When it is to be looked at next. What is played wakes an echo.
    fn wakes(&self, now: Instant) -> Instant {
        match self {
            Self::File { pace, .. } | Self::Silence(pace) => pace.next(),
            Self::Device(_) => now + POLL,
            Self::Echo => now + FRAME_TIME,
        }
    }
}

impl Sink {
    fn pace(&mut self) -> Option<&mut Pace> {
        match self {
            Self::File { pace, .. } | Self::Nowhere(pace) => Some(pace),
            Self::Device(_) => None,
        }
    }

    fn wakes(&self, now: Instant) -> Instant {
        match self {
            Self::File { pace, .. } | Self::Nowhere(pace) => pace.next(),
            Self::Device(_) => now + POLL,
        }
    }

    /// Whether it takes a frame now; it is then to be given one.
    fn wants(&mut self, now: Instant) -> bool {
        match self {
            Self::File { pace, .. } | Self::Nowhere(pace) => pace.is_due(now),
            Self::Device(kept) => match kept.end() {
                Ok(playout) => playout.wants(now),
                Err(pace) => pace.is_due(now),
            },
        }
    }

    fn is_drained(&mut self) -> bool {
        match self {
            Self::File { .. } | Self::Nowhere(_) => true,
            Self::Device(kept) => kept.end().map_or(true, |playout| playout.delay().is_zero()),
        }
    }
}
