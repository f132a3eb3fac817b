//! A line: one call, the devices that it may be with, and the ways to them.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    time::{Duration, Instant},
};

use codec::{
    CallId, DeviceId, IdentityKey, KeyCard, Name, Party, Signal, registry::DEVICES_MAX,
    signal::DeclineReason,
};

use super::{LinkId, Why, post::Letter};
use crate::call::{Call, Reason};

/// How many direct connections one call may have, those being opened counted.
pub(super) const WAYS_MAX: usize = 80;

/// How long direct connections are tried before the registry is asked to hand signals on beside
/// them.
pub(super) const FORWARD_AFTER: Duration = Duration::from_millis(250);

/// How many calls that are over are remembered.
const DEPARTED_MAX: usize = 32;

/// How long after the registry could not hand something on it is asked again, in a call that is up.
const FORWARD_AGAIN: Duration = Duration::from_secs(2);

/// One call and the ways to the other phone, or phones while several ring.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) call: Call,
    /// Whom the person called, or who called.
    pub(super) name: Name,
    /// The registry where the name is theirs; `None` where only they say so.
    pub(super) registry: Option<IdentityKey>,
    /// Whom it is with, once that is known.
    pub(super) card: Option<KeyCard>,
    /// The device that the call is with: the caller's, or the callee's that has decided.
    pub(super) device: Option<DeviceId>,
    /// The callee's devices, as far as they are known; the callee keeps none.
    pub(super) branches: Vec<Branch>,
    /// When to give up looking for the callee; `None` when it is found.
    pub(super) seek_until: Option<Instant>,
    /// Direct connections.
    pub(super) ways: Vec<Way>,
    pub(super) forward: Forward,
    /// The person called at an address, not by the phone's own registry.
    pub(super) at_host: bool,
    /// The registry confirms that the caller's name is theirs.
    pub(super) confirmed: bool,
    /// The Invite has left this phone.
    pub(super) invited: bool,
    /// What was said and may have to be said again on another way.
    pub(super) letters: Vec<Letter>,
    /// The number of the last signal that was said.
    pub(super) said: u32,
    pub(super) newest: Newest,
    /// What was in the way.
    pub(super) detail: Option<Why>,
}

/// One of the callee's devices.
#[derive(Debug)]
pub(super) struct Branch {
    pub(super) device: DeviceId,
    pub(super) contacts: Vec<SocketAddr>,
    /// How it turned the call away.
    pub(super) turned: Option<Signal>,
}

/// A direct connection for a call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    pub(super) link: LinkId,
    /// Which device it leads to, as far as that is known.
    pub(super) device: Option<DeviceId>,
    pub(super) state: WayState,
}

/// How far a direct connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WayState {
    Opening,
    /// Somebody has greeted with the right card, which anybody may have.
    Up,
    /// The other phone has said something authentic on it.
    Proven,
}

/// The way through the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Forward {
    /// Direct connections are tried alone until then.
    After(Instant),
    /// In use.
    Open,
    /// The registry could not hand on what was said last.
    Refused,
    /// Of no use: the callee was called at an address.
    Closed,
}

/// The numbers of the newest signals that describe a state.
#[derive(Debug, Default)]
pub(super) struct Newest {
    hold: Option<u32>,
    candidates: Option<u32>,
}

impl Line {
    /// A call that has no way to anybody yet.
    pub(super) fn new(call: Call, name: Name) -> Self {
        Self {
            call,
            name,
            registry: None,
            card: None,
            device: None,
            branches: Vec::new(),
            seek_until: None,
            ways: Vec::new(),
            forward: Forward::Closed,
            at_host: false,
            confirmed: false,
            invited: false,
            letters: Vec::new(),
            said: 0,
            newest: Newest::default(),
            detail: None,
        }
    }

    pub(super) fn uses(&self, link: LinkId) -> bool {
        self.ways.iter().any(|way| way.link == link)
    }

    pub(super) fn is_opening(&self, link: LinkId) -> bool {
        let opening = |way: &Way| way.link == link && way.state == WayState::Opening;
        self.ways.iter().any(opening)
    }

    pub(super) fn is_with(&self, party: &Party) -> bool {
        self.card
            .is_some_and(|card| card.identity == party.identity)
            && self.name == party.name
    }

    /// The other phone said something authentic on this connection: whoever it is, it is there.
    pub(super) fn prove(&mut self, link: LinkId, device: DeviceId) {
        let proven = Way {
            link,
            device: Some(device),
            state: WayState::Proven,
        };
        match self.ways.iter().position(|way| way.link == link) {
            Some(at) => self.ways[at] = proven,
            None if self.ways.len() < WAYS_MAX => self.ways.push(proven),
            None => {}
        }
    }

    /// The branch of a device; `None` if it is one too many.
    pub(super) fn branch(&mut self, device: DeviceId) -> Option<&mut Branch> {
        let known = |branch: &Branch| branch.device == device;
        let at = match self.branches.iter().position(known) {
            Some(at) => at,
            None if self.branches.len() < DEVICES_MAX => {
                self.branches.push(Branch {
                    device,
                    contacts: Vec::new(),
                    turned: None,
                });
                self.branches.len() - 1
            }
            None => return None,
        };
        self.branches.get_mut(at)
    }

    /// How the callee's devices turned the call away, once none of them is left that might not:
    /// what tells the caller most.
    pub(super) fn turned_away(&self) -> Option<&Signal> {
        let is_left = |way: &Way| {
            let turned = |branch: &Branch| Some(branch.device) == way.device && branch.has_turned();
            !self.branches.iter().any(turned)
        };
        if self.ways.iter().any(is_left) {
            return None;
        }
        let forwarded = matches!(self.forward, Forward::Open | Forward::After(_));
        let silent = |branch: &Branch| !branch.has_turned();
        if forwarded && self.branches.iter().any(silent) {
            return None;
        }
        self.best_answer()
    }

    /// What tells the caller most of how devices turned the call away.
    pub(super) fn best_answer(&self) -> Option<&Signal> {
        let turned = self
            .branches
            .iter()
            .filter_map(|branch| branch.turned.as_ref());
        turned.min_by_key(|signal| match signal {
            Signal::Busy => 0,
            Signal::Decline(DeclineReason::NoAnswer) => 1,
            Signal::Decline(DeclineReason::Unavailable) => 2,
            _ => 3,
        })
    }

    /// Why the call is over, which may be better known from a device that turned it away than
    /// from one that was never reached.
    pub(super) fn reason(&self, reason: Reason) -> Reason {
        match (reason, self.best_answer()) {
            (Reason::Unreachable, Some(Signal::Busy)) => Reason::Busy,
            (Reason::Unreachable, Some(Signal::Decline(reason))) => (*reason).into(),
            _ => reason,
        }
    }

    /// Whether a signal of the device that the call is with counts: not if it describes a state
    /// that something newer has described.
    pub(super) fn counts(&mut self, seq: u32, signal: &Signal) -> bool {
        let newest = match signal {
            Signal::Hold | Signal::Resume => &mut self.newest.hold,
            Signal::Candidates { .. } => &mut self.newest.candidates,
            _ => return true,
        };
        let counts = newest.is_none_or(|newest| newest < seq);
        if counts {
            *newest = Some(seq);
        }
        counts
    }

    /// No connection is known to work any more.
    pub(super) fn doubt(&mut self) {
        for way in &mut self.ways {
            if way.state == WayState::Proven {
                way.state = WayState::Up;
            }
        }
    }

    /// Whatever was said may have been lost, and is to be said again.
    pub(super) fn repeat(&mut self) {
        for letter in &mut self.letters {
            letter.by_registry = false;
        }
        if matches!(self.forward, Forward::After(_) | Forward::Refused) {
            self.forward = Forward::Open;
        }
    }

    /// The registry could not hand on what was said. Once the other phone has been heard it is said
    /// again later: that phone may just be coming back to the registry.
    pub(super) fn refused(&mut self, now: Instant) {
        if self.forward == Forward::Closed {
            return;
        }
        self.forward = Forward::Refused;
        if self.call.has_peer() {
            self.forward = Forward::After(now + FORWARD_AGAIN);
            for letter in &mut self.letters {
                letter.by_registry = false;
            }
        }
    }

    /// Keeps a letter, and of those that say how something is only the newest.
    pub(super) fn keep(&mut self, letter: Letter) {
        self.letters.retain(|older| !letter.replaces(older));
        self.letters.push(letter);
    }

    /// Whether every device that a letter is for has a proven connection.
    pub(super) fn is_proven(&self, to: Option<DeviceId>) -> bool {
        let proven = |device: Option<DeviceId>| {
            self.ways.iter().any(|way| {
                way.state == WayState::Proven && (device.is_none() || way.device == device)
            })
        };
        match to {
            Some(device) => proven(Some(device)),
            None if self.branches.is_empty() => proven(None),
            None => self
                .branches
                .iter()
                .all(|branch| proven(Some(branch.device))),
        }
    }
}

impl Branch {
    fn has_turned(&self) -> bool {
        self.turned.is_some()
    }
}

impl Way {
    /// Whether what is said to `device` may go this way.
    pub(super) fn leads_to(&self, device: Option<DeviceId>) -> bool {
        let open = self.state != WayState::Opening;
        open && (device.is_none() || self.device.is_none() || self.device == device)
    }
}

impl Forward {
    pub(super) fn is_due(self, now: Instant) -> bool {
        matches!(self, Self::After(at) if at <= now)
    }

    pub(super) fn due(self) -> Option<Instant> {
        match self {
            Self::After(at) => Some(at),
            Self::Open | Self::Refused | Self::Closed => None,
        }
    }
}

/// Calls that this phone made and that were over before they were up: a callee that did not hear so
/// is told when it rings or accepts.
#[derive(Debug, Default)]
pub(super) struct Departed {
    calls: VecDeque<(CallId, Name, KeyCard)>,
}

impl Departed {
    pub(super) fn add(&mut self, call: CallId, line: &Line) {
        let Some(card) = line.card.filter(|_| line.invited) else {
            return;
        };
        if self.calls.len() >= DEPARTED_MAX {
            self.calls.pop_front();
        }
        self.calls.push_back((call, line.name.clone(), card));
    }

    /// The callee's card, if the call was with them.
    pub(super) fn card(&self, call: CallId, party: &Party) -> Option<KeyCard> {
        let known = |(id, name, card): &&(CallId, Name, KeyCard)| {
            *id == call && *name == party.name && card.identity == party.identity
        };
        self.calls.iter().find(known).map(|(_, _, card)| *card)
    }
}

/// Whether a device turns the call away by this, without having decided for the others.
pub(super) fn turns_away(signal: &Signal) -> bool {
    match signal {
        Signal::Busy | Signal::Bye(_) => true,
        Signal::Decline(reason) => *reason != DeclineReason::Declined,
        _ => false,
    }
}
