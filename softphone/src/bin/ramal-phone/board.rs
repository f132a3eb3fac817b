//! What a person sees of their phone: every call and how it stands, which of them a key means, and
//! what keys do now. PURE: events come in with their time.

use std::time::{Duration, Instant};

use codec::{CallId, FourWords, Name};
use softphone::{
    audio::Levels,
    call::Hold,
    contacts::Standing,
    engine,
    phone::{Callers, Event},
};

/// Everything there is to see.
#[derive(Debug)]
pub struct Board {
    /// The name that others call.
    pub name: Name,
    /// Where it is registered, for people.
    pub registry: String,
    /// Whether it is.
    pub registered: Registered,
    /// In the order in which they came.
    pub calls: Vec<SeenCall>,
    /// No voice is sent.
    pub muted: bool,
    /// The person is away.
    pub away: bool,
    /// The person is not to be disturbed.
    pub dnd: bool,
    /// Who may call.
    pub callers: Callers,
    /// A name that is being typed.
    pub typing: Option<String>,
    /// How many calls there can be.
    calls_max: usize,
    /// The person can call others.
    may_call: bool,
    /// Others are told whether the person is there.
    publishes: bool,
    /// What the person chose last.
    selected: Option<CallId>,
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

/// One call, as the person sees it.
#[derive(Debug)]
pub struct SeenCall {
    /// Which one.
    pub call: CallId,
    /// With whom.
    pub name: Name,
    /// How far it is.
    pub stage: Stage,
    /// Since when it is that far.
    pub since: Instant,
    /// How loud it is.
    pub levels: Option<Levels>,
    /// How well it comes through.
    pub figures: Option<Figures>,
    /// What was said is not all in the output.
    pub output_lost: bool,
    /// What the two can read to each other, once it is up.
    pub words: Option<FourWords>,
    /// They have, in this call or in one before.
    pub verified: bool,
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
}

/// What the person wants by a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Accept(CallId),
    Decline(CallId),
    Hangup(CallId),
    Hold(CallId),
    Resume(CallId),
    Mute(bool),
    Away(bool),
    Dnd(bool),
    /// The words are the same on both sides.
    Verify(CallId),
    /// To type whom to call.
    Call,
    /// To mean this call.
    Select(CallId),
    List,
    Help,
    Quit,
}

impl Action {
    /// Whether it is about a call, and not about the phone.
    pub fn is_about_calls(self) -> bool {
        match self {
            Self::Accept(_)
            | Self::Decline(_)
            | Self::Hangup(_)
            | Self::Hold(_)
            | Self::Resume(_)
            | Self::Select(_)
            | Self::Mute(_) => true,
            // The row with the words says what it is about.
            Self::Verify(_)
            | Self::Away(_)
            | Self::Dnd(_)
            | Self::Call
            | Self::List
            | Self::Help
            | Self::Quit => false,
        }
    }
}

/// A key that does something now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// The key.
    pub key: char,
    /// What it does, in a word or two.
    pub word: &'static str,
    /// What it does.
    pub action: Action,
}

/// What may differ from board to board.
#[derive(Debug, Clone, Copy)]
pub struct Powers {
    /// How many calls there can be.
    pub calls_max: usize,
    /// The person can call others.
    pub may_call: bool,
    /// Others are told whether the person is there.
    pub publishes: bool,
    /// Who may call.
    pub callers: Callers,
    /// The person begins undisturbed.
    pub dnd: bool,
}

impl Board {
    /// Nobody calls yet.
    pub fn new(name: Name, registry: String, powers: Powers) -> Self {
        let Powers {
            calls_max,
            may_call,
            publishes,
            callers,
            dnd,
        } = powers;
        Self {
            name,
            registry,
            registered: Registered::Trying,
            calls: Vec::new(),
            muted: false,
            away: false,
            dnd,
            callers,
            typing: None,
            calls_max,
            may_call,
            publishes,
            selected: None,
        }
    }

    /// Takes in what happened. A call that ends is taken away by [`Self::remove`] alone.
    pub fn hear(&mut self, event: &engine::Event, now: Instant) {
        match event {
            engine::Event::Phone(event) => self.hear_phone(event, now),
            engine::Event::Stats {
                call,
                voice,
                round_trip,
            } => {
                let way = round_trip.unwrap_or_default() / 2;
                let figures = Figures {
                    loss_pct: (voice.loss_pct + voice.late_pct).clamp(0.0, 100.0),
                    delay: way
                        + Duration::from_secs_f64(
                            f64::from(voice.playout_delay_ms.max(0.0)) / 1000.0,
                        ),
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
            engine::Event::InputEnded { .. }
            | engine::Event::Path { .. }
            | engine::Event::Unheard { .. }
            | engine::Event::Unspoken { .. }
            | engine::Event::RegistryMet { .. }
            | engine::Event::RegistryUntrusted { .. }
            | engine::Event::RegistryTurnsAway { .. }
            | engine::Event::Warning(_) => {}
        }
    }

    fn hear_phone(&mut self, event: &Event, now: Instant) {
        match event {
            Event::Registered => self.registered = Registered::Yes,
            Event::Unregistered
            | Event::Replaced
            | Event::RegistrationRefused(_)
            | Event::RegistryUnreachable(_) => self.registered = Registered::No,
            Event::Dialling { call, name } => {
                self.add(*call, name, Stage::Calling, now);
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
                self.add(*call, &from.name, rings, now);
            }
            Event::Merged { ended, call, name } => {
                // The call that goes on stands where the person's own stood.
                let meant = self.selected == Some(*ended);
                self.add(*call, name, Stage::Connecting, now);
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
                self.add(*call, name, up, now);
                self.enter(*call, up, now);
                if let Some(seen) = self.seen_mut(*call) {
                    seen.words = Some(*words);
                    seen.verified = *standing == Standing::Verified;
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
            Event::Ended { .. }
            | Event::Stopped
            | Event::Directory(_)
            | Event::TurnedAway { .. }
            | Event::IdentityChanged { .. } => {}
        }
    }

    /// Takes a call away.
    pub fn remove(&mut self, call: CallId) -> Option<SeenCall> {
        let at = self.calls.iter().position(|seen| seen.call == call)?;
        if self.selected == Some(call) {
            self.selected = None;
        }
        Some(self.calls.remove(at))
    }

    /// The person took a call that rings here.
    pub fn taken(&mut self, call: CallId, now: Instant) {
        self.enter(call, Stage::Connecting, now);
        self.selected = Some(call);
    }

    /// The person means this call.
    pub fn select(&mut self, call: CallId) {
        self.selected = Some(call);
    }

    /// The call that is meant, when none is named.
    pub fn meant(&self) -> Option<&SeenCall> {
        let selected = self.selected.and_then(|call| self.seen(call));
        selected.or_else(|| self.calls.first())
    }

    /// How a call stands, if it is there.
    pub fn seen(&self, call: CallId) -> Option<&SeenCall> {
        self.calls.iter().find(|seen| seen.call == call)
    }

    /// The calls that are up and not held by this side.
    pub fn spoken(&self) -> impl Iterator<Item = CallId> {
        let spoken = |seen: &&SeenCall| seen.is_up() && !seen.is_held_here();
        self.calls.iter().filter(spoken).map(|seen| seen.call)
    }

    /// The call that `a` and `d` are about: the one that is meant, or the first that rings.
    fn ringing(&self) -> Option<&SeenCall> {
        let rings = self.calls.iter().find(|seen| seen.rings_here());
        self.meant().filter(|seen| seen.rings_here()).or(rings)
    }

    /// The call that `h` and `o` are about: the one that is meant unless it rings, or the one that
    /// is spoken in, or any.
    fn current(&self) -> Option<&SeenCall> {
        let others = || self.calls.iter().filter(|seen| !seen.rings_here());
        let spoken = others().find(|seen| seen.is_up() && !seen.is_held_here());
        let meant = self.meant().filter(|seen| !seen.rings_here());
        meant.or(spoken).or_else(|| others().next())
    }

    /// The call after the one that is meant.
    fn next(&self) -> Option<&SeenCall> {
        let meant = self.meant()?.call;
        let at = self.calls.iter().position(|seen| seen.call == meant)?;
        self.calls.get((at + 1) % self.calls.len())
    }

    /// The keys that do something now, the most wanted first.
    pub fn offers(&self) -> Vec<Offer> {
        let mut offers = Vec::with_capacity(10);
        let mut offer = |key, word, action| offers.push(Offer { key, word, action });
        if let Some(seen) = self.ringing() {
            offer('a', "accept", Action::Accept(seen.call));
            offer('d', "decline", Action::Decline(seen.call));
        }
        if let Some(seen) = self.current() {
            offer('h', "hang up", Action::Hangup(seen.call));
            match seen.stage {
                Stage::Up { .. } if seen.is_held_here() => {
                    offer('o', "resume", Action::Resume(seen.call));
                }
                Stage::Up { .. } => offer('o', "hold", Action::Hold(seen.call)),
                _ => {}
            }
        }
        if let Some(next) = self.next().filter(|_| self.calls.len() > 1) {
            offer('n', "next", Action::Select(next.call));
        }
        if self.current().is_some() {
            let word = if self.muted { "unmute" } else { "mute" };
            offer('m', word, Action::Mute(!self.muted));
        }
        if let Some(seen) = self.current().filter(|seen| seen.unread().is_some()) {
            offer('v', "words agree", Action::Verify(seen.call));
        }
        if self.may_call && self.calls.len() < self.calls_max {
            offer('c', "call", Action::Call);
        }
        if self.publishes && self.calls.is_empty() {
            let word = if self.away { "back" } else { "away" };
            offer('w', word, Action::Away(!self.away));
        }
        if self.calls.is_empty() {
            let word = if self.dnd { "take calls" } else { "no calls" };
            offer('z', word, Action::Dnd(!self.dnd));
        }
        offer('l', "list", Action::List);
        offer('?', "help", Action::Help);
        offer('q', "quit", Action::Quit);
        offers
    }

    /// What a key does now. Beside the keys on offer, the number of a call means that call, and `z`
    /// is about whoever calls next.
    pub fn action(&self, key: char) -> Option<Action> {
        if let Some(number @ 1..) = key.to_digit(10) {
            let seen = self.calls.get(number as usize - 1)?;
            return Some(Action::Select(seen.call));
        }
        let key = key.to_ascii_lowercase();
        if key == 'z' {
            // During a call it is not worth the room that it takes in the row, but it works.
            return Some(Action::Dnd(!self.dnd));
        }
        let offers = self.offers().into_iter();
        offers
            .filter(|offer| offer.key == key)
            .map(|offer| offer.action)
            .next()
    }

    fn seen_mut(&mut self, call: CallId) -> Option<&mut SeenCall> {
        self.calls.iter_mut().find(|seen| seen.call == call)
    }

    fn stage_mut(&mut self, call: CallId) -> Option<&mut Stage> {
        self.seen_mut(call).map(|seen| &mut seen.stage)
    }

    /// Adds a call that is not known yet.
    fn add(&mut self, call: CallId, name: &Name, stage: Stage, now: Instant) {
        if self.seen(call).is_none() {
            self.calls.push(SeenCall {
                call,
                name: name.clone(),
                stage,
                since: now,
                levels: None,
                figures: None,
                output_lost: false,
                words: None,
                verified: false,
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
    pub fn is_up(&self) -> bool {
        matches!(self.stage, Stage::Up { .. })
    }

    /// The words, as long as the two have not read them to each other.
    pub fn unread(&self) -> Option<FourWords> {
        self.words.filter(|_| self.is_up() && !self.verified)
    }

    /// Whether it waits for the person to take it.
    pub fn rings_here(&self) -> bool {
        matches!(self.stage, Stage::RingsHere { .. })
    }

    fn is_held_here(&self) -> bool {
        let held = |hold| matches!(hold, Hold::Here | Hold::Both);
        matches!(self.stage, Stage::Up { hold, .. } if held(hold))
    }

    /// How long it is up, if it is.
    pub fn lasted(&self, now: Instant) -> Option<Duration> {
        self.is_up()
            .then(|| now.saturating_duration_since(self.since))
    }
}

#[cfg(test)]
mod tests;
