//! What a person sees of their phone: whether it can be found, every call and how it stands, and
//! what became of the last one. PURE: events come in with their time.
//!
//! The engine folds one from its own events ([`crate::engine::Views`]); whoever reads every event
//! can fold another one that shows the same.

use std::{
    fmt,
    time::{Duration, Instant},
};

use codec::{CallId, FourWords, Name, registry::Refusal};
use registry::client::Host;

use crate::{
    audio::Levels,
    call::{Direction, Hold, Reason},
    contacts::Standing,
    engine::{self, Path},
    media::{silence::Heard, stats::VoiceReport},
    phone::{self, Callers, Event, Settings, Why},
};

/// Everything there is to see.
#[derive(Debug, Clone, PartialEq)]
pub struct Board {
    /// The name that others call.
    pub name: Name,
    /// Where it is registered, for people.
    pub registry: String,
    /// Whether it is.
    pub registered: Registered,
    /// Why it is not, as far as that was told; nothing while it is.
    pub why_not: Option<WhyNot>,
    /// In the order in which they came.
    pub calls: Vec<SeenCall>,
    /// The call that ended last.
    pub ended: Option<EndedCall>,
    /// No voice is sent.
    pub muted: bool,
    /// The person is away.
    pub away: bool,
    /// The person is not to be disturbed.
    pub dnd: bool,
    /// Who may call.
    pub callers: Callers,
    /// Others are told whether the person is there.
    pub publishes: bool,
    /// What the person chose, dialled or took last, as long as it is there.
    pub selected: Option<CallId>,
    host: Host,
}

/// Whether the phone can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registered {
    /// It is being tried for the first time.
    Trying,
    /// It can.
    Yes,
    /// It cannot; it is tried again.
    No,
}

/// Why a phone cannot be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhyNot {
    /// The registry refused the name.
    Refused(Refusal),
    /// The registry cannot be reached.
    Unreachable(Why),
    /// Who listens there may be somebody else than the registry that was met.
    Untrusted(Why),
    /// The registry takes no connection from this phone.
    TurnedAway(Why),
    /// Another phone with this profile has registered in this one's place.
    Replaced,
}

impl fmt::Display for WhyNot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Unreachable(why) | Self::Untrusted(why) | Self::TurnedAway(why) => why.fmt(f),
            Self::Replaced => {
                f.write_str("another phone with this profile has registered in this one's place")
            }
        }
    }
}

/// One call, as the person sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenCall {
    /// Which one.
    pub call: CallId,
    /// With whom.
    pub name: Name,
    /// Where the callee was asked for, if not at this phone's own registry.
    pub host: Option<Host>,
    /// Who called whom.
    pub direction: Direction,
    /// How far it is.
    pub stage: Stage,
    /// Since when it is that far.
    pub since: Instant,
    /// How loud it is; only where [`engine::Event::Levels`] are heard, and the engine's own board
    /// hears none.
    pub levels: Option<Levels>,
    /// How well it comes through, over the last second.
    pub figures: Option<Figures>,
    /// The way that voice takes, once it is known.
    pub path: Option<Path>,
    /// The microphone is gone, and the other side hears silence.
    pub input_lost: bool,
    /// What was said is not all in the output.
    pub output_lost: bool,
    /// What comes from the other side.
    pub heard: Heard,
    /// The microphone says nothing.
    pub unspoken: bool,
    /// What the two can read to each other, once it is up.
    pub words: Option<FourWords>,
    /// They have, in this call or in one before.
    pub verified: bool,
    /// What was known of the other before this call; told of a caller at once, of a callee when it
    /// is up.
    pub standing: Option<Standing>,
}

/// A call that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedCall {
    /// Which one it was.
    pub call: CallId,
    /// With whom.
    pub name: Name,
    /// Who called whom.
    pub direction: Direction,
    /// What was known of the other.
    pub standing: Option<Standing>,
    /// Why it ended.
    pub reason: Reason,
    /// What was in the way, where the reason alone does not say it.
    pub detail: Option<Why>,
    /// How long it was up, if it was.
    pub lasted: Option<Duration>,
    /// What was said is not all in the output.
    pub output_lost: bool,
    /// When it ended.
    pub at: Instant,
}

/// How far a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It looks for the callee.
    Calling,
    /// The callee's phone rings.
    RingsThere,
    /// This phone rings.
    RingsHere {
        /// The registry confirms who calls.
        confirmed: bool,
        /// What is known of them.
        standing: Standing,
    },
    /// It was taken, and voice is not through yet.
    Connecting,
    /// It is up.
    Up {
        /// By whom it is held.
        hold: Hold,
        /// Nothing is heard of the other phone.
        reconnecting: bool,
    },
}

/// How well a call comes through.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// Packets that did not come in time, of those sent: 0-100.
    pub loss_pct: f32,
    /// From the other phone's network to this one's sound system: half the way there and back, and
    /// what packets wait before they are played.
    pub delay: Duration,
    /// There and back, once it is known.
    pub round_trip: Option<Duration>,
    /// Everything that is known of the voice that came in.
    pub voice: VoiceReport,
}

impl Board {
    /// Nobody calls yet, and the registry has not answered.
    #[must_use]
    pub fn new(name: Name, registry: Host, settings: &Settings) -> Self {
        Self {
            name,
            registry: registry.to_string(),
            registered: Registered::Trying,
            why_not: None,
            calls: Vec::new(),
            ended: None,
            muted: false,
            away: false,
            dnd: settings.dnd,
            callers: settings.callers,
            publishes: settings.publish,
            selected: None,
            host: registry,
        }
    }

    /// Takes in what happened.
    pub fn hear(&mut self, event: &engine::Event, now: Instant) {
        match event {
            engine::Event::Phone(event) => self.hear_phone(event, now),
            engine::Event::Stats {
                call,
                voice,
                round_trip,
            } => {
                let way = round_trip.unwrap_or_default().as_secs_f32() * 500.0;
                let figures = Figures {
                    round_trip: *round_trip,
                    voice: *voice,
                    loss_pct: (voice.loss_pct + voice.late_pct).clamp(0.0, 100.0),
                    delay: Duration::from_secs_f32(voice.mouth_to_ear_ms(way) / 1_000.0),
                };
                if let Some(seen) = self.seen_mut(*call) {
                    seen.figures = Some(figures);
                }
            }
            engine::Event::Levels { call, levels } => {
                if let Some(seen) = self.seen_mut(*call) {
                    seen.levels = Some(*levels);
                }
            }
            engine::Event::InputLost { call, .. } => {
                if let Some(seen) = self.seen_mut(*call) {
                    seen.input_lost = true;
                }
            }
            engine::Event::InputBack { call } => {
                if let Some(seen) = self.seen_mut(*call) {
                    seen.input_lost = false;
                }
            }
            engine::Event::OutputLost { call, .. } => {
                if let Some(seen) = self.seen_mut(*call) {
                    seen.output_lost = true;
                }
            }
            engine::Event::OutputBack { call } => {
                if let Some(seen) = self.seen_mut(*call) {
                    seen.output_lost = false;
                }
            }
            engine::Event::Path { call, path } => {
                if let Some(seen) = self.seen_mut(*call) {
                    seen.path = Some(*path);
                }
            }
            engine::Event::Unheard { call, heard } => {
                if let Some(seen) = self.seen_mut(*call) {
                    seen.heard = *heard;
                }
            }
            engine::Event::Unspoken { call, spoken } => {
                if let Some(seen) = self.seen_mut(*call) {
                    seen.unspoken = !spoken;
                }
            }
            engine::Event::Commanded(command) => self.commanded(command, now),
            engine::Event::RegistryUntrusted { host, why } if host.is_same(&self.host) => {
                self.unregistered(WhyNot::Untrusted(why.clone()));
            }
            engine::Event::RegistryTurnsAway { host, why, .. } if host.is_same(&self.host) => {
                self.unregistered(WhyNot::TurnedAway(why.clone()));
            }
            engine::Event::RegistryUntrusted { .. }
            | engine::Event::RegistryTurnsAway { .. }
            | engine::Event::InputEnded { .. }
            | engine::Event::Devices { .. }
            | engine::Event::RegistryMet { .. }
            | engine::Event::Front
            | engine::Event::Warning(_) => {}
        }
    }

    /// What somebody had the phone do, and what is seen of that.
    fn commanded(&mut self, command: &engine::Command, now: Instant) {
        match command {
            engine::Command::Mute(muted) => self.muted = *muted,
            engine::Command::Phone(phone::Command::Away(away)) => self.away = *away,
            engine::Command::Phone(phone::Command::Dnd(dnd)) => self.dnd = *dnd,
            engine::Command::Phone(phone::Command::Callers(callers)) => self.callers = *callers,
            engine::Command::Phone(phone::Command::Publish(publish)) => self.publishes = *publish,
            engine::Command::Phone(phone::Command::Answer(call)) => self.taken(*call, now),
            engine::Command::Phone(_)
            | engine::Command::History(_)
            | engine::Command::Input(_)
            | engine::Command::Output(_)
            | engine::Command::RingOn(_)
            | engine::Command::Volume(..) => {}
        }
    }

    fn hear_phone(&mut self, event: &Event, now: Instant) {
        match event {
            Event::Registered => {
                self.registered = Registered::Yes;
                self.why_not = None;
            }
            Event::Unregistered => self.registered = Registered::No,
            Event::Replaced => self.unregistered(WhyNot::Replaced),
            Event::RegistrationRefused(refusal) => self.unregistered(WhyNot::Refused(*refusal)),
            Event::RegistryUnreachable(why) => self.unreachable(why),
            Event::Dialling { call, name, host } => {
                self.add(*call, name, Direction::Outgoing, Stage::Calling, now);
                if let Some(seen) = self.seen_mut(*call) {
                    seen.host.clone_from(host);
                }
                self.selected = Some(*call);
            }
            Event::Incoming {
                call,
                from,
                confirmed,
                standing,
                ..
            } => {
                let (confirmed, standing) = (*confirmed, *standing);
                let rings = Stage::RingsHere {
                    confirmed,
                    standing,
                };
                self.add(*call, &from.name, Direction::Incoming, rings, now);
                self.known(*call, standing);
            }
            Event::Merged { ended, call, name } => {
                // The call that goes on stands where the person's own stood.
                let meant = self.selected == Some(*ended);
                self.add(*call, name, Direction::Incoming, Stage::Connecting, now);
                self.enter(*call, Stage::Connecting, now);
                if meant {
                    self.selected = Some(*call);
                }
            }
            Event::Ringing { call } => self.enter(*call, Stage::RingsThere, now),
            Event::Established {
                call,
                name,
                words,
                standing,
                ..
            } => {
                let up = Stage::Up {
                    hold: Hold::No,
                    reconnecting: false,
                };
                self.add(*call, name, Direction::Incoming, up, now);
                self.enter(*call, up, now);
                self.known(*call, *standing);
                if let Some(seen) = self.seen_mut(*call) {
                    seen.words = Some(*words);
                }
            }
            Event::Verified { call } => {
                if let Some(seen) = self.seen_mut(*call) {
                    seen.verified = true;
                }
            }
            Event::Held { call, hold } => {
                if let Some(Stage::Up { hold: held, .. }) = self.stage_mut(*call) {
                    *held = *hold;
                }
            }
            Event::Reconnecting { call } => self.reconnecting(*call, true),
            Event::Reconnected { call } => self.reconnecting(*call, false),
            Event::Ended {
                call,
                name,
                reason,
                detail,
            } => self.over(*call, name, *reason, detail.as_ref(), now),
            Event::Stopped
            | Event::Directory(_)
            | Event::Found { .. }
            | Event::TurnedAway { .. }
            | Event::IdentityChanged { .. } => {}
        }
    }

    fn unregistered(&mut self, why: WhyNot) {
        self.registered = Registered::No;
        self.why_not = Some(why);
    }

    fn unreachable(&mut self, why: &Why) {
        // Where more is known of why that is, it was told just before.
        let told = match &self.why_not {
            Some(WhyNot::Untrusted(told) | WhyNot::TurnedAway(told)) => told == why,
            _ => false,
        };
        if !told {
            self.unregistered(WhyNot::Unreachable(why.clone()));
        }
    }

    fn known(&mut self, call: CallId, standing: Standing) {
        if let Some(seen) = self.seen_mut(call) {
            seen.standing = Some(standing);
            seen.verified = standing == Standing::Verified;
        }
    }

    fn over(
        &mut self,
        call: CallId,
        name: &Name,
        reason: Reason,
        detail: Option<&Why>,
        now: Instant,
    ) {
        let seen = self.remove(call);
        // A call that was merged goes on as another one.
        if reason == Reason::Merged {
            return;
        }
        let seen = seen.as_ref();
        self.ended = Some(EndedCall {
            call,
            name: name.clone(),
            direction: seen.map_or(Direction::Outgoing, |seen| seen.direction),
            standing: seen.and_then(|seen| seen.standing),
            reason,
            detail: detail.cloned(),
            lasted: seen.and_then(|seen| seen.lasted(now)),
            output_lost: seen.is_some_and(|seen| seen.output_lost),
            at: now,
        });
    }

    /// Takes a call away.
    fn remove(&mut self, call: CallId) -> Option<SeenCall> {
        let at = self.calls.iter().position(|seen| seen.call == call)?;
        if self.selected == Some(call) {
            self.selected = None;
        }
        Some(self.calls.remove(at))
    }

    /// Where it is registered.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The person took a call that rings here.
    pub fn taken(&mut self, call: CallId, now: Instant) {
        if self.seen(call).is_some_and(SeenCall::rings_here) {
            self.enter(call, Stage::Connecting, now);
            self.selected = Some(call);
        }
    }

    /// The person means this call.
    pub fn select(&mut self, call: CallId) {
        self.selected = Some(call);
    }

    /// The call that is meant, when none is named.
    #[must_use]
    pub fn meant(&self) -> Option<&SeenCall> {
        let selected = self.selected.and_then(|call| self.seen(call));
        selected.or_else(|| self.calls.first())
    }

    /// How a call stands, if it is there.
    #[must_use]
    pub fn seen(&self, call: CallId) -> Option<&SeenCall> {
        self.calls.iter().find(|seen| seen.call == call)
    }

    /// The calls that are up and not held by this side.
    pub fn spoken(&self) -> impl Iterator<Item = CallId> {
        let spoken = |seen: &&SeenCall| seen.is_up() && !seen.is_held_here();
        self.calls.iter().filter(spoken).map(|seen| seen.call)
    }

    fn seen_mut(&mut self, call: CallId) -> Option<&mut SeenCall> {
        self.calls.iter_mut().find(|seen| seen.call == call)
    }

    fn stage_mut(&mut self, call: CallId) -> Option<&mut Stage> {
        self.seen_mut(call).map(|seen| &mut seen.stage)
    }

    /// Adds a call that is not known yet.
    fn add(&mut self, call: CallId, name: &Name, direction: Direction, stage: Stage, now: Instant) {
        if self.seen(call).is_none() {
            self.calls.push(SeenCall {
                call,
                name: name.clone(),
                host: None,
                direction,
                stage,
                since: now,
                levels: None,
                figures: None,
                path: None,
                input_lost: false,
                output_lost: false,
                heard: Heard::Sound,
                unspoken: false,
                words: None,
                verified: false,
                standing: None,
            });
        }
    }

    fn enter(&mut self, call: CallId, stage: Stage, now: Instant) {
        if let Some(seen) = self.seen_mut(call) {
            (seen.stage, seen.since) = (stage, now);
        }
    }

    fn reconnecting(&mut self, call: CallId, is: bool) {
        if let Some(Stage::Up { reconnecting, .. }) = self.stage_mut(call) {
            *reconnecting = is;
        }
    }
}

impl SeenCall {
    /// Whether voice goes through, or is held.
    #[must_use]
    pub fn is_up(&self) -> bool {
        matches!(self.stage, Stage::Up { .. })
    }

    /// The words, as long as the two have not read them to each other.
    #[must_use]
    pub fn unread(&self) -> Option<FourWords> {
        self.words.filter(|_| self.is_up() && !self.verified)
    }

    /// Whether it waits for the person to take it.
    #[must_use]
    pub fn rings_here(&self) -> bool {
        matches!(self.stage, Stage::RingsHere { .. })
    }

    /// Whether this side has put it on hold.
    #[must_use]
    pub fn is_held_here(&self) -> bool {
        let held = |hold| matches!(hold, Hold::Here | Hold::Both);
        matches!(self.stage, Stage::Up { hold, .. } if held(hold))
    }

    /// How long it is up, if it is.
    #[must_use]
    pub fn lasted(&self, now: Instant) -> Option<Duration> {
        self.is_up()
            .then(|| now.saturating_duration_since(self.since))
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod words;
