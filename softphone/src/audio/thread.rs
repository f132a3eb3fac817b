//! The sound thread of a call: moves sound both ways, every 10 ms, until the call ends.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::Relaxed},
        mpsc,
    },
    time::{Duration, Instant},
};

use tokio::sync::mpsc as queue;

use super::{
    VoiceEvent,
    crossing::{Crossing, Line, Swap},
    level::Peak,
    pace::Notice,
    priority,
    receive::Receiving,
    send::Sending,
    sink::Sink,
    source::Source,
    volume::{Gain, Knob},
    wait::{Alarm, sleep_until},
};
use crate::media::{Encoded, Frame, Packet, SILENCE, stats::VoiceStats};

/// How often what is to take over is looked at, and what plays to its end: a fifth of a frame.
const POLL: Duration = Duration::from_millis(2);

/// The longest that what has come is still played out after the call has ended.
const DRAIN: Duration = Duration::from_millis(500);

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

/// All that the thread owns.
pub(super) struct SoundThread {
    pub(super) shared: Arc<Shared>,
    pub(super) packets: mpsc::Receiver<Packet>,
    pub(super) source: Source,
    pub(super) sink: Sink,
    /// What is to take over from them.
    pub(super) swaps: mpsc::Receiver<Swaps>,
    pub(super) sources: Crossing<Source>,
    pub(super) sinks: Crossing<Sink>,
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

/// What is to take over.
pub(super) enum Swaps {
    Source(Swap<Source>),
    Sink(Swap<Sink>),
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
        priority::raise();
        // Opening a device may have taken long.
        let start = Instant::now();
        self.source.starts(start);
        self.sink.starts(start);
        let mut opened = false;
        let mut finish_by = None;
        loop {
            let now = Instant::now();
            let phase = self.shared.phase();
            opened |= phase == Phase::Open;
            self.receive(now);
            self.change(now);
            self.attend_devices(now);
            self.leave_out_stalls(now);
            if phase < Phase::Finishing {
                self.capture(now, phase);
                self.play(now, phase);
                let mut wake = self.sink.wakes(now).min(self.source.wakes(now));
                if self.warm(now) {
                    wake = wake.min(now + POLL);
                }
                self.publish(phase);
                sleep_until(wake, [self.sink.alarm(), self.source.alarm()]);
            } else {
                let finish_by = *finish_by.get_or_insert(now + DRAIN);
                let over = phase == Phase::Stopped || !opened || now >= finish_by;
                if over || self.drained(now) {
                    break;
                }
                self.publish(phase);
                // What a sound server sends by now is of no concern, and is to wake nobody.
                sleep_until(now + POLL, [Alarm::Clock; 2]);
            }
        }
        self.close()
    }

    /// Takes what has come from the network; while the call is held, none of it is to be played,
    /// nor what waits.
    fn receive(&mut self, now: Instant) {
        let held = self.shared.held.load(Relaxed);
        if held && !self.held {
            self.receiving.clear();
        }
        self.held = held;
        while let Ok(packet) = self.packets.try_recv() {
            if held {
                self.receiving.pass(&packet);
            } else if let Some(reception) = self.receiving.insert(&packet) {
                self.sending.hear(reception, now);
            }
        }
    }

    /// Hears what is to take over.
    fn change(&mut self, now: Instant) {
        while let Ok(swap) = self.swaps.try_recv() {
            match swap {
                Swaps::Source(swap) => self.sources.begin(swap, now),
                Swaps::Sink(swap) => self.sinks.begin(swap, now),
            }
        }
    }

    /// Looks after what is to take over, and no longer waits for what it takes over from if that
    /// stands still; whether there is anything.
    fn warm(&mut self, now: Instant) -> bool {
        let any = [self.sources.warm(now), self.sinks.warm(now)];
        if self.sources.is_overdue(&self.source, now) {
            self.sources.take_over(&mut self.source, now);
        }
        if self.sinks.is_overdue(&self.sink, now) {
            self.sinks.take_over(&mut self.sink, now);
        }
        any.contains(&true)
    }

    /// Sends what the microphone has, or what is due.
    fn capture(&mut self, now: Instant, phase: Phase) {
        let mut frame = SILENCE;
        let open = phase >= Phase::Open;
        loop {
            let events = &self.events;
            let next = self
                .source
                .next(&mut frame, now, open, |event| tell(events, event));
            if !next {
                break;
            }
            if self.sources.is_early(now) {
                continue;
            }
            let is_last = self.sources.shape(&mut frame);
            self.send(&frame, phase);
            if is_last {
                self.sources.take_over(&mut self.source, now);
            }
        }
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
        let reception = self.receiving.reception();
        let Some(packet) = self.sending.push(&frame, reception) else {
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
            if self.sinks.is_early(now) {
                self.sink.write(&SILENCE, now, false);
                continue;
            }
            let came = self.receiving.next(now);
            let open = phase >= Phase::Open;
            if open {
                self.shared.heard_peak.note(&came);
            }
            self.write(if open { &came } else { &SILENCE }, now, open);
            if let Source::Echo = self.source {
                let mut echo = came;
                self.sources.shape(&mut echo);
                self.send(&echo, phase);
            }
        }
    }

    fn write(&mut self, frame: &Frame, now: Instant, open: bool) {
        let mut frame = *frame;
        let volume = self.shared.heard_volume.get();
        self.heard_gain.apply(&mut frame, volume);
        let is_last = self.sinks.shape(&mut frame);
        self.sink.write(&frame, now, open);
        if is_last {
            self.sinks.take_over(&mut self.sink, now);
        }
    }

    /// Plays on until all that came has been heard; whether that is so.
    fn drained(&mut self, now: Instant) -> bool {
        while !self.receiving.is_drained() && self.sink.wants(now) {
            let came = self.receiving.next(now);
            self.write(&came, now, true);
        }
        self.receiving.is_drained() && self.sink.is_drained(now)
    }

    /// Leaves out what a stall has made too late, so that both ways stay in time.
    fn leave_out_stalls(&mut self, now: Instant) {
        let (captured, still) = self.source.leave_out(now);
        self.sending.leave_out(captured);
        let played = self.sink.leave_out(now);
        self.stats.stalls += u64::from(captured > 0 || still || played);
    }

    /// Takes the streams that have been opened, and goes on by the clock without those that are
    /// lost.
    fn attend_devices(&mut self, now: Instant) {
        let lost = self.source.attend();
        if self.notices.input.is_due(lost.is_some(), now) {
            let event = lost.map_or(VoiceEvent::InputBack, |why| VoiceEvent::InputLost {
                why: why.to_string(),
            });
            tell(&self.events, event);
        }
        let lost = self.sink.attend();
        if self.notices.output.is_due(lost.is_some(), now) {
            let event = lost.map_or(VoiceEvent::OutputBack, |why| VoiceEvent::OutputLost {
                why: why.to_string(),
            });
            tell(&self.events, event);
        }
    }

    fn publish(&mut self, phase: Phase) {
        self.receiving.tell(&mut self.stats);
        self.stats.unencoded = self.sending.failed();
        // A ring that runs empty at the end is no underrun.
        let counts = phase < Phase::Finishing;
        let (overruns, underruns) = (self.source.overruns(), self.sink.underruns());
        if counts {
            self.stats.device_overruns += overruns;
            self.stats.device_underruns += underruns;
        }
        self.stats.playout_delay += self.sink.delay();
        self.stats.device = self.sink.device_delay();
        self.stats.capture = self.source.delay() + self.sending.ptime();
        self.stats.encode = self.sending.encodes_in();
        *self
            .shared
            .stats
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = self.stats;
    }

    fn close(mut self) -> VoiceStats {
        self.publish(Phase::Finishing);
        if let Err(error) = self.sink.close() {
            let why = error.to_string();
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
