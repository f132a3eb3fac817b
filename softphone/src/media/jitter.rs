//! The jitter buffer: takes packets as the network delivers them and plays them as they were sent.
//!
//! The playout side pulls: each call of [`JitterBuffer::next`] is one decision, and moves a
//! position on the sender's clock. This is all its control:
//!
//! - Playout begins a [`Delay::target`] after the first packet, and [`JitterBuffer::stretch`] tells
//!   when sound is to be made shorter or longer to stay with the target as that changes.
//! - Clocks that drift apart are no matter of that: [`JitterBuffer::speed_ppm`] tells how much
//!   faster sound is to be played.
//! - When nothing is there to play it is concealed, and the position waits: what comes late is then
//!   played whole, later than before. After 60 ms the position goes on, and what comes behind it is
//!   too late. When packets keep coming too late, playout begins anew.
//! - As long as packets that are on time are spared the target, what was concealed counts for
//!   copies and, once a second, for up to 30 ms of what came itself, if what follows is there: what
//!   is left of them is played.
//! - When 40 ms of sound more than are needed keep waiting, because the position waited or the
//!   loudspeaker stalled or is slow, whole packets are dropped: within 2 s.
//! - After a stall of the network or of the program itself, what is too much goes at once.
//! - A sender that jumps to another timestamp or number is followed after a few packets.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::{
    Coding, Packet, SAMPLE_RATE, Seq, Timestamp,
    arrival::{Interarrival, Lateness, Strays},
    congestion::Queueing,
    delay::{COPIES_BEHIND_MAX, Delay},
    drift::Drift,
    duration_of,
    goal::Goal,
    history::{History, Late, Novelty},
    opus_fec, opus_samples,
    reception::Reception,
    settle::{Asked, Settling},
    steer::{Steering, Stretch},
    surplus::Surplus,
};

pub use super::stats::Counters;
use allowance::Allowance;
use held::{Form, Held};

mod allowance;
mod held;
mod late;

/// How long the position waits for packets that are late: 60 ms.
const HOLD_SAMPLES: u32 = 2_880;

/// The longest that a packet may lie ahead of the position: 1 s.
const AHEAD_SAMPLES_MAX: i32 = 48_000;

/// The longest that a packet of the same stream may lie behind the position: 10 s.
const BEHIND_SAMPLES_MAX: i32 = 480_000;

/// The most packets held: 1 s takes 100 of 10 ms.
const PACKETS_MAX: usize = 128;

/// How many times are remembered of which sound has come: more than lie between a packet and its
/// farthest copy.
const CAME_MAX: usize = 64;

/// After this long without a packet there is nothing to conceal any more: 1 s.
const DRY_SAMPLES_MAX: u32 = SAMPLE_RATE;

/// The least that Opus can play or conceal: 2.5 ms.
const GRAIN_SAMPLES: u32 = 120;

/// The most that one decision conceals, if packets are missing: 20 ms.
const CONCEAL_SAMPLES_MAX: u32 = 960;

/// What one decision conceals, if nothing is there: 10 ms, so that the next packet waits no longer.
const DRY_STEP_SAMPLES: u32 = 480;

/// Sound that waits so much less than the target is not worth a longer delay.
const SLACK: Duration = Duration::from_millis(2);

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// It will be played, unless it is left out to shorten the delay or because it was a little
    /// late, or the playout begins anew before its turn.
    Accepted,
    /// Its turn is over.
    Late,
    /// It came before.
    Duplicate,
    /// It is no Opus packet, does not belong to the stream, or there is no room.
    Refused,
}

/// What to play next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Silence: there is nothing to play yet.
    Wait,
    /// This packet.
    Play(Packet),
    /// What follows on the first samples of this packet, which have been concealed.
    Rest {
        /// The packet.
        packet: Packet,
        /// How many samples of it have been: fewer than it has.
        concealed: u32,
    },
    /// What this packet holds of the one before it (in-band FEC).
    Fec(Packet),
    /// Something like what was played before.
    Conceal {
        /// How much of it: a multiple of 120, at most 960.
        samples: u32,
    },
}

/// Holds packets until it is time to play them: at most 128, spanning at most one second.
#[derive(Debug)]
pub struct JitterBuffer {
    /// By timestamp, no two alike.
    held: VecDeque<Held>,
    playout: Playout,
    /// Samples concealed since there was nothing to play; zero while there is.
    dry: u32,
    allowance: Allowance,
    history: History,
    lateness: Lateness,
    strays: Strays,
    surplus: Surplus,
    settling: Settling,
    delay: Delay,
    steering: Steering,
    drift: Drift,
    goal: Goal,
    queueing: Queueing,
    /// The times of which sound has come, by itself or by a copy; the newest last.
    came: VecDeque<Timestamp>,
    interarrival: Interarrival,
    /// `None` until something is played, and when it is not to be smoothed with what was before.
    playout_delay: Option<Duration>,
    counters: Counters,
}

#[derive(Debug, Clone, Copy)]
enum Playout {
    /// Not before a packet comes.
    Idle,
    /// From the oldest packet on, at this time.
    Filling { start: Instant },
    /// `position` is the timestamp of the next sample.
    Playing { position: Timestamp },
}

impl Default for JitterBuffer {
    fn default() -> Self {
        Self::new()
    }
}

impl JitterBuffer {
    /// A buffer without a packet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            held: VecDeque::with_capacity(PACKETS_MAX),
            playout: Playout::Idle,
            dry: 0,
            allowance: Allowance::default(),
            history: History::default(),
            lateness: Lateness::default(),
            strays: Strays::default(),
            surplus: Surplus::default(),
            settling: Settling::default(),
            delay: Delay::default(),
            steering: Steering::default(),
            drift: Drift::default(),
            goal: Goal::default(),
            queueing: Queueing::default(),
            came: VecDeque::with_capacity(CAME_MAX),
            interarrival: Interarrival::default(),
            playout_delay: None,
            counters: Counters::default(),
        }
    }

    /// Takes a packet that came, in the order of coming.
    pub fn insert(&mut self, packet: Packet) -> Inserted {
        let Some(samples) = opus_samples(&packet.payload) else {
            return self.refuse();
        };
        match self.history.novelty(packet.seq) {
            Novelty::Duplicate => {
                self.counters.duplicate += 1;
                return Inserted::Duplicate;
            }
            Novelty::New if self.spans(packet.timestamp) => {}
            Novelty::New | Novelty::Stray => return self.insert_stray(packet, samples),
        }
        self.strays = Strays::default();
        if self.settling.came(packet.arrived, packet.timestamp) {
            self.delay.stalled();
        }
        self.sound_came(packet.timestamp, packet.arrived);
        self.interarrival.note(packet.arrived, packet.timestamp);
        self.queueing.came(packet.timestamp, packet.arrived);
        self.history.note(packet.seq);
        match self.playout {
            Playout::Idle => self.begin(packet, samples),
            Playout::Playing { position } if packet.timestamp.since(position) < 0 => {
                self.insert_late(packet, samples)
            }
            Playout::Filling { .. } | Playout::Playing { .. } => {
                self.lateness.on_time();
                self.hold(Held::came(packet, samples))
            }
        }
    }

    /// Takes a copy of a packet that has not come, out of one that has: of what begins `offset`
    /// samples before that. It is of use only as long as playout has not come so far.
    pub fn insert_copy(&mut self, of: &Packet, offset: u32, payload: &[u8]) {
        let copy = Packet {
            payload: payload.into(),
            coding: Coding::Opus,
            ..of.clone()
        };
        if let Some(samples) = opus_samples(payload) {
            self.insert_earlier(copy, offset, samples, Form::Copy);
        }
    }

    /// A packet that comes now brings copies of what begins so many samples before it. They are
    /// waited for, unless that would be too long: they are sent because some will be needed.
    pub fn brought_copies(&mut self, behind: impl Iterator<Item = u32>) {
        let worth = behind
            .map(duration_of)
            .filter(|it| *it <= COPIES_BEHIND_MAX);
        self.delay.brought_copies(worth.max().unwrap_or_default());
    }

    /// Takes what a packet that has come holds of the one before it, if that has not come.
    pub fn insert_fec(&mut self, of: &Packet) {
        let before = Seq(of.seq.0.wrapping_sub(1));
        if let Some(samples) = opus_fec(&of.payload)
            && self.history.novelty(before) == Novelty::New
        {
            self.insert_earlier(of.clone(), samples, samples, Form::Fec);
        }
    }

    /// Takes sound that began `offset` samples before the packet that brings it.
    fn insert_earlier(&mut self, mut packet: Packet, offset: u32, samples: u32, form: Form) {
        let timestamp = Timestamp(packet.timestamp.0.wrapping_sub(offset));
        let is_due = match (self.playout, self.held.front()) {
            (Playout::Playing { position }, _) => timestamp.since(position) >= 0,
            // Playout is not to begin with it: it would wait for as long as the copy came later.
            (Playout::Filling { .. }, Some(oldest)) => oldest.after(timestamp) < 0,
            _ => false,
        };
        if offset == 0 || !self.spans(timestamp) {
            return;
        }
        // Also when it is too late: the next ones may be played if they are waited for.
        self.sound_came(timestamp, packet.arrived);
        if !is_due {
            return;
        }
        packet.timestamp = timestamp;
        let held = Held {
            packet,
            samples,
            form,
        };
        if self.hold(held) == Inserted::Accepted
            && let Some(count) = form.count(&mut self.counters)
        {
            *count += 1;
        }
    }

    /// What is to be done with the sound that is played next, of which so much is `ready` before
    /// all that [`JitterBuffer::next`] gives.
    pub fn stretch(&mut self, now: Instant, ready: Duration) -> Stretch {
        let Playout::Playing { position } = self.playout else {
            return Stretch::Keep;
        };
        // While nothing is there, it waits anyway.
        let waits = self.delay.waits(position, now + ready);
        let Some(waits) = waits.filter(|_| self.dry == 0) else {
            return Stretch::Keep;
        };
        let least = self.steering.look(waits, now);
        let (target, drift) = (self.delay.target(), self.drift.drift_ppm());
        let goal = self.goal.find(least, ready, target, drift);
        self.drift.look(least, goal);
        self.steering.steer(goal, now)
    }

    /// How much faster than it comes sound is to be played after [`JitterBuffer::stretch`], until
    /// that is asked again 10 ms later: in ppm, at most
    /// [`super::drift::SPEED_PPM_MAX`], less than nothing for slower.
    #[must_use]
    pub fn speed_ppm(&self) -> f64 {
        self.drift.speed_ppm()
    }

    /// It was done: so many samples were put in, or left out, which is less than none.
    pub fn stretched(&mut self, samples: i32, now: Instant) {
        let by = i64::from(samples) * 1_000_000 / i64::from(SAMPLE_RATE);
        self.steering.changed(by, now);
        self.drift.changed(by);
    }

    /// Whether what comes next is a packet that is here.
    #[must_use]
    pub fn plays_next(&self) -> bool {
        let Playout::Playing { position } = self.playout else {
            return false;
        };
        let next = self.held.front();
        next.is_some_and(|held| held.packet.timestamp == position)
    }

    /// How long packets that are on time are to wait.
    #[must_use]
    pub fn target(&self) -> Duration {
        self.delay.target()
    }

    fn sound_came(&mut self, timestamp: Timestamp, arrived: Instant) {
        if self.came.contains(&timestamp) {
            return;
        }
        if self.came.len() == CAME_MAX {
            self.came.pop_front();
        }
        self.came.push_back(timestamp);
        self.delay.came(timestamp, arrived);
    }

    /// How the last packets came; `None` at the beginning.
    ///
    /// What comes too late is no loss as long as the target can still follow: the sender could only
    /// send copies, and these would come later still.
    #[must_use]
    pub fn reception(&self) -> Option<Reception> {
        // So many short packets may come before one that is still in time.
        let overtaken = self.delay.target().as_millis() / 10;
        let late = match self.delay.is_at_its_most() {
            true => Late::IsLost,
            false => Late::Comes,
        };
        let overtaken = u32::try_from(overtaken).unwrap_or(u32::MAX);
        let reception = self.history.reception(overtaken, late)?;
        Some(reception.with_queueing(self.queueing.standing()))
    }

    /// Decides what to play, and moves on by as much. To be called when the sound of the last
    /// decision is used up; [`Decision::Wait`] is for as long as the caller likes, say 10 ms.
    pub fn next(&mut self, now: Instant) -> Decision {
        if self.settling.asked(now) == Asked::TooLate {
            self.begin_anew();
        }
        if let (Playout::Filling { start }, Some(oldest)) = (self.playout, self.held.front())
            && now >= start
        {
            self.dry = 0;
            self.playout = Playout::Playing {
                position: oldest.packet.timestamp,
            };
        }
        let Playout::Playing { position } = self.playout else {
            return Decision::Wait;
        };
        let was_dry = self.dry > 0;
        self.leave_behind(position);
        let spares = was_dry && self.spares_target(position, now);
        let may_skip = spares && self.may_skip(position, now);
        let position = if spares {
            self.go_on_without(position, may_skip, now)
        } else {
            position
        };
        let Some(first) = self.held.pop_front() else {
            self.counters.underruns += u64::from(!was_dry);
            return self.run_dry(position);
        };
        let gap = first.after(position).unsigned_abs();
        // What was concealed while nothing was there counts for what turns out missing.
        let concealed = gap.min(self.dry).min(HOLD_SAMPLES);
        let over = std::mem::take(&mut self.dry).min(HOLD_SAMPLES) - concealed;
        if gap - concealed >= GRAIN_SAMPLES {
            self.held.push_front(first);
            return self.conceal(position.plus(concealed), gap - concealed);
        }
        let over = match first.form {
            Form::Itself if may_skip => over,
            Form::Copy if spares => over,
            // Of FEC no part is played: it is as good as what is made up.
            Form::Itself | Form::Copy | Form::Fec => 0,
        };
        self.play(first, over, now)
    }

    /// Takes note of a packet that is not to be played: one that comes while the call is held.
    pub fn pass(&mut self, packet: &Packet) {
        if opus_samples(&packet.payload).is_some()
            && self.history.novelty(packet.seq) == Novelty::New
        {
            self.history.note(packet.seq);
            self.counters.skipped += 1;
        }
    }

    /// Throws away what waits to be played. Playout begins anew with the next packet.
    pub fn clear(&mut self) {
        self.begin_anew();
        self.settling = Settling::default();
    }

    /// Whether no packet waits for its turn.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// What was counted so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        Counters {
            received: self.history.received(),
            lost: self.history.lost(),
            ..self.counters
        }
    }

    /// How long packets waited between coming and playing: the last ones, smoothed.
    #[must_use]
    pub fn playout_delay(&self) -> Duration {
        self.playout_delay.unwrap_or_default()
    }

    /// How unevenly packets come: the interarrival jitter of RFC 3550, 6.4.1.
    #[must_use]
    pub fn jitter(&self) -> Duration {
        self.interarrival.jitter()
    }

    /// Whether a packet with this timestamp can belong to the stream.
    fn spans(&self, timestamp: Timestamp) -> bool {
        let (oldest, newest) = match (self.playout, self.held.front(), self.held.back()) {
            (Playout::Playing { position }, ..) => {
                let ahead = timestamp.since(position);
                return (-BEHIND_SAMPLES_MAX..=AHEAD_SAMPLES_MAX).contains(&ahead);
            }
            (Playout::Filling { .. }, Some(oldest), Some(newest)) => (oldest, newest),
            (Playout::Idle | Playout::Filling { .. }, ..) => return true,
        };
        let reach = -AHEAD_SAMPLES_MAX..=AHEAD_SAMPLES_MAX;
        reach.contains(&timestamp.since(oldest.packet.timestamp))
            && reach.contains(&timestamp.since(newest.packet.timestamp))
    }

    /// Throws away what waits to be played, and waits for the next packet.
    fn begin_anew(&mut self) {
        self.counters.skipped += self.held.len() as u64;
        self.held.clear();
        self.playout = Playout::Idle;
        self.dry = 0;
        self.forget_course();
        self.interarrival.pause();
    }

    /// What was seen of the playout up to now tells nothing of how it goes on.
    fn forget_course(&mut self) {
        self.lateness = Lateness::default();
        self.strays = Strays::default();
        self.surplus = Surplus::default();
        self.steering.forget();
        self.drift.forget();
        self.goal.forget();
    }

    fn refuse(&mut self) -> Inserted {
        self.counters.refused += 1;
        Inserted::Refused
    }

    /// A packet that does not fit the stream: an accident, or the first of a new one.
    fn insert_stray(&mut self, packet: Packet, samples: u32) -> Inserted {
        if !self.strays.make_a_stream(&packet) {
            return self.refuse();
        }
        self.history.restart(packet.seq);
        self.interarrival.pause();
        self.settling.came(packet.arrived, packet.timestamp);
        self.delay = Delay::default();
        self.queueing = Queueing::default();
        self.came.clear();
        self.sound_came(packet.timestamp, packet.arrived);
        self.begin(packet, samples)
    }

    fn insert_late(&mut self, packet: Packet, samples: u32) -> Inserted {
        if self.lateness.late(packet.arrived) {
            self.delay.slower(packet.timestamp, packet.arrived);
            return self.begin(packet, samples);
        }
        self.counters.late += 1;
        self.history.note_late(packet.seq);
        Inserted::Late
    }

    /// Begins the playout anew, from this packet on.
    fn begin(&mut self, packet: Packet, samples: u32) -> Inserted {
        let before = self.held.len();
        let first = packet.timestamp;
        self.held
            .retain(|held| (0..=AHEAD_SAMPLES_MAX).contains(&held.packet.timestamp.since(first)));
        self.counters.skipped += (before - self.held.len()) as u64;
        self.playout = Playout::Filling {
            start: packet.arrived + self.delay.target(),
        };
        self.forget_course();
        self.hold(Held::came(packet, samples))
    }

    fn hold(&mut self, new: Held) -> Inserted {
        let timestamp = new.packet.timestamp;
        let at = self.held.partition_point(|held| held.after(timestamp) < 0);
        let is_full = self.held.len() == PACKETS_MAX;
        match self.held.get_mut(at) {
            Some(held) if held.packet.timestamp == timestamp => {
                if new.form <= held.form {
                    return match new.form {
                        // The same time under another number: no sane sender sends that.
                        Form::Itself => self.refuse(),
                        Form::Copy | Form::Fec => Inserted::Duplicate,
                    };
                }
                // It was only late, or there is something better.
                if let Some(count) = held.form.count(&mut self.counters) {
                    *count -= 1;
                }
                *held = new;
                return Inserted::Accepted;
            }
            _ if is_full => return self.refuse(),
            _ => {}
        }
        self.held.insert(at, new);
        Inserted::Accepted
    }

    /// Plays `first`, of which so many samples have been concealed, or the packet after it when the
    /// delay is to be shortened.
    fn play(&mut self, first: Held, concealed: u32, now: Instant) -> Decision {
        let turn = first.packet.timestamp;
        let first = self.settle(first, now);
        let skips = self.surplus.is_due(duration_of(first.samples), now);
        let second = match self.held.front() {
            Some(second) if skips && second.packet.timestamp == first.end() => {
                self.held.pop_front()
            }
            _ => None,
        };
        let Held {
            packet,
            samples,
            form,
        } = match second {
            Some(second) => {
                self.counters.skipped += 1;
                self.surplus.dropped(duration_of(first.samples));
                second
            }
            None => first,
        };
        let end = packet.timestamp.plus(samples);
        let behind = self.held.back().map_or(0, |newest| newest.end().since(end));
        self.surplus.note(
            duration_of(behind.max(0).unsigned_abs()),
            self.delay.target(),
            now,
        );
        let wait = now.saturating_duration_since(packet.arrived);
        self.playout_delay = Some(match self.playout_delay {
            None => wait,
            Some(delay) => (delay * 15 + wait) / 16,
        });
        self.playout = Playout::Playing { position: end };
        let is_part = packet.timestamp == turn && concealed < samples;
        let concealed = if is_part { concealed } else { 0 };
        self.counters.played += u64::from(samples - concealed);
        if concealed == 0 {
            return match form {
                Form::Fec => Decision::Fec(packet),
                Form::Copy | Form::Itself => Decision::Play(packet),
            };
        }
        if form == Form::Itself {
            self.allowance.take(now);
        }
        Decision::Rest { packet, concealed }
    }

    /// After a stall: drops packets, as near as they allow to what is too much; the one to play.
    fn settle(&mut self, mut first: Held, now: Instant) -> Held {
        let newest = self.held.back().unwrap_or(&first);
        let ahead = |later: &Held| duration_of(later.after(first.packet.timestamp).unsigned_abs());
        let waited = now.saturating_duration_since(newest.packet.arrived);
        let wait = waited + ahead(newest);
        let mut excess = self.settling.excess(wait, self.delay.target(), now);
        while let Some(next) = self.held.front() {
            let step = duration_of(next.after(first.packet.timestamp).unsigned_abs());
            // Never farther over a hole than is too much; behind it, it is looked at again.
            let whole = next.packet.timestamp == first.end();
            if excess < if whole { step / 2 } else { step } {
                break;
            }
            excess = excess.saturating_sub(step);
            if let Some(next) = self.held.pop_front() {
                first = next;
            }
            self.counters.skipped += 1;
            self.playout_delay = None;
        }
        first
    }

    /// Packets are missing for `gap` samples from `position` on, and later ones are there.
    fn conceal(&mut self, position: Timestamp, gap: u32) -> Decision {
        let samples = gap.min(CONCEAL_SAMPLES_MAX) / GRAIN_SAMPLES * GRAIN_SAMPLES;
        self.playout = Playout::Playing {
            position: position.plus(samples),
        };
        self.make_up(samples)
    }

    /// Nothing is there. The sender may also have paused (DTX): then nothing is counted as lost,
    /// and the next talkspurt finds the position where it belongs, or the playout idle.
    fn run_dry(&mut self, position: Timestamp) -> Decision {
        if self.dry >= DRY_SAMPLES_MAX {
            self.playout = Playout::Idle;
            self.interarrival.pause();
            return Decision::Wait;
        }
        if self.dry >= HOLD_SAMPLES {
            self.playout = Playout::Playing {
                position: position.plus(DRY_STEP_SAMPLES),
            };
        }
        self.dry += DRY_STEP_SAMPLES;
        self.make_up(DRY_STEP_SAMPLES)
    }

    fn make_up(&mut self, samples: u32) -> Decision {
        self.counters.concealed += u64::from(samples);
        Decision::Conceal { samples }
    }
}

#[cfg(test)]
mod tests;
