//! How a call begins: finding whom the person called, and asking who it is that calls.

use std::time::{Duration, Instant};

use codec::{
    CallId, CallSignal, KeyCard, Party, Signal,
    registry::{CONTACTS_MAX, Method, Record, Refusal, RequestId, Success},
    signal::{CallNonce, Commitment, DeclineReason, MediaOffer},
};

use super::{
    Asked, Event, Forward, Letter, Life, Line, LinkId, Output, Phone, Target, Unresolved, Via,
};
use crate::call::{Call, Own, Reason};

/// How long it may take to connect to whoever knows where the callee is, and to be told.
const FIND_WITHIN: Duration = Duration::from_secs(8);

/// How long the registry may take to say whose name the caller's is.
const CHECK_WITHIN: Duration = Duration::from_secs(1);

/// How long direct connections are tried before the registry is asked to hand signals on beside
/// them.
const FORWARD_AFTER: Duration = Duration::from_millis(250);

/// A caller whose name is being asked for; the phone does not ring yet.
#[derive(Debug)]
pub(super) struct Visitor {
    /// The question to the registry whose name it is; `None` before it is asked.
    check: Option<RequestId>,
    call: CallId,
    from: Party,
    card: KeyCard,
    media: MediaOffer,
    commitment: Commitment,
    via: Via,
    pub(super) deadline: Instant,
}

impl Phone {
    // ---- calling ----

    pub(super) fn dial(&mut self, target: Target, now: Instant) {
        let id = CallId(self.random());
        let own = self.own();
        let call = Call::dial(own, self.settings.ring_for, now);
        let Target { name, host } = target;
        self.outputs.push_back(Output::Event(Event::Dialling {
            call: id,
            name: name.clone(),
        }));
        let mut line = Line {
            call,
            name: name.clone(),
            card: None,
            seek_until: Some(now + FIND_WITHIN),
            link: None,
            heard_on: None,
            opening: Vec::new(),
            forward: Forward::Closed,
            letters: Vec::new(),
            detail: None,
        };
        let itself = host.is_none() && name == self.post.me().name;
        match host {
            Some(host) => {
                let link = self.new_link();
                line.opening.push(link);
                self.outputs
                    .push_back(Output::OpenHost { link, host, name });
                self.lines.insert(id, line);
            }
            None => {
                self.lines.insert(id, line);
                if self.registration.is_connected() {
                    self.look_up(id);
                }
            }
        }
        if itself {
            let detail = "that is this phone's own name".to_owned();
            return self.give_up(id, Reason::Unreachable, Some(detail), now);
        }
        self.drain_call(id, now);
    }

    fn own(&mut self) -> Own {
        let nonce = CallNonce(self.random());
        let me = self.post.me();
        Own {
            device: me.device,
            card: me.card,
            nonce,
        }
    }

    pub(super) fn look_up(&mut self, call: CallId) {
        if let Some(line) = self.lines.get(&call) {
            let name = line.name.clone();
            self.ask(Method::Lookup { name }, Asked::Callee(call));
        }
    }

    pub(super) fn callee_found(
        &mut self,
        call: CallId,
        result: Result<Success, Refusal>,
        now: Instant,
    ) {
        match result {
            Ok(Success::Found(record)) => {
                self.open_links(call, &record, Forward::After(now + FORWARD_AFTER), now);
            }
            Err(Refusal::NotFound) => self.give_up(call, Reason::NotFound, None, now),
            Err(refusal) => {
                self.give_up(
                    call,
                    Reason::RegistryUnreachable,
                    Some(refusal.to_string()),
                    now,
                );
            }
            Ok(_) => {
                let detail = "the registry answered something else".to_owned();
                self.give_up(call, Reason::RegistryUnreachable, Some(detail), now);
            }
        }
    }

    pub(super) fn resolved(
        &mut self,
        link: LinkId,
        found: Result<Record, Unresolved>,
        now: Instant,
    ) {
        let asked = self
            .lines
            .iter_mut()
            .find(|(_, line)| line.opening.contains(&link));
        let Some((&call, line)) = asked else { return };
        line.opening.clear();
        match found {
            Ok(record) => self.open_links(call, &record, Forward::Closed, now),
            Err(Unresolved::NotFound) => self.give_up(call, Reason::NotFound, None, now),
            Err(Unresolved::Failed(why)) => {
                self.give_up(call, Reason::RegistryUnreachable, Some(why), now);
            }
        }
    }

    fn open_links(&mut self, call: CallId, record: &Record, forward: Forward, now: Instant) {
        let time = self.post.time(now);
        let links: Vec<_> = record
            .entry
            .contacts()
            .into_iter()
            .take(CONTACTS_MAX + 1)
            .collect();
        let links: Vec<_> = links
            .into_iter()
            .map(|contact| (self.new_link(), contact))
            .collect();
        let Some(line) = self.lines.get_mut(&call) else {
            return;
        };
        line.seek_until = None;
        if record.entry.name != line.name || !record.card.is_valid(time) {
            let detail = "the registry's answer is not valid".to_owned();
            return self.give_up(call, Reason::Untrusted, Some(detail), now);
        }
        line.card = Some(record.card);
        line.forward = forward;
        line.opening = links.iter().map(|(link, _)| *link).collect();
        for (link, contact) in links {
            self.outputs.push_back(Output::OpenLink { link, contact });
        }
        if record.entry.contacts().is_empty() {
            self.open_forward(call, now);
        }
    }

    // ---- being called ----

    /// A signal that belongs to no call that is known here.
    pub(super) fn signal_without_call(
        &mut self,
        from: Party,
        signal: CallSignal,
        via: Via,
        now: Instant,
    ) {
        let CallSignal { call, signal } = signal;
        match signal {
            Signal::Invite {
                card,
                media,
                commitment,
                ..
            } => {
                if card.identity != from.identity || !card.is_valid(self.post.time(now)) {
                    return;
                }
                let deadline = now + CHECK_WITHIN;
                self.invited(
                    Visitor {
                        check: None,
                        call,
                        from,
                        card,
                        media,
                        commitment,
                        via,
                        deadline,
                    },
                    now,
                );
            }
            // The caller gave up before this phone rang.
            Signal::Cancel(_) | Signal::Bye(_) => {
                self.visitors
                    .retain(|known| known.call != call || known.from != from);
            }
            // Late signals of a call that is over are normal.
            _ => {}
        }
    }

    fn invited(&mut self, mut visitor: Visitor, now: Instant) {
        if self.visitors.iter().any(|known| known.call == visitor.call) {
            // Two calls are not one: whoever says so is up to something.
            return;
        }
        if self.life != Life::Running || self.visitors.len() >= super::VISITORS_MAX {
            return self.answer_visitor(&visitor, Signal::Busy, now);
        }
        match visitor.via {
            // The registry hands envelopes on only from who has registered the sender's name.
            Via::Registry => self.ring(visitor, true, now),
            Via::Link(_) if self.registration.is_registered() => {
                let name = visitor.from.name.clone();
                visitor.check = Some(self.ask(Method::Lookup { name }, Asked::Caller));
                self.visitors.push(visitor);
            }
            Via::Link(_) => self.ring(visitor, false, now),
        }
    }

    pub(super) fn caller_checked(
        &mut self,
        check: RequestId,
        result: Result<Success, Refusal>,
        now: Instant,
    ) {
        let mut visitors = self.visitors.iter();
        let found = visitors.position(|visitor| visitor.check == Some(check));
        let Some(visitor) = found.map(|at| self.visitors.remove(at)) else {
            return;
        };
        match result {
            Ok(Success::Found(record)) if record.entry.name != visitor.from.name => {
                self.ring(visitor, false, now);
            }
            Ok(Success::Found(record)) if record.card.identity == visitor.from.identity => {
                self.ring(visitor, true, now);
            }
            // The name is somebody else's: whoever this is pretends to be them.
            Ok(Success::Found(_)) => {
                let decline = Signal::Decline(DeclineReason::Unavailable);
                self.answer_visitor(&visitor, decline, now);
            }
            _ => self.ring(visitor, false, now),
        }
    }

    pub(super) fn visitors_due(&mut self, now: Instant) {
        let (due, early) = std::mem::take(&mut self.visitors)
            .into_iter()
            .partition(|visitor: &Visitor| visitor.deadline <= now);
        self.visitors = early;
        for visitor in due {
            self.ring(visitor, false, now);
        }
    }

    pub(super) fn visitors_unconfirmed(&mut self, now: Instant) {
        for visitor in std::mem::take(&mut self.visitors) {
            self.ring(visitor, false, now);
        }
    }

    pub(super) fn turn_visitors_away(&mut self, now: Instant) {
        for visitor in std::mem::take(&mut self.visitors) {
            self.answer_visitor(&visitor, Signal::Busy, now);
        }
    }

    fn ring(&mut self, visitor: Visitor, confirmed: bool, now: Instant) {
        if self.life != Life::Running || self.lines.len() >= self.settings.calls_max {
            return self.answer_visitor(&visitor, Signal::Busy, now);
        }
        let Visitor {
            call,
            from,
            card,
            media,
            commitment,
            via,
            ..
        } = visitor;
        let own = self.own();
        let ring_for = self.settings.ring_for;
        let (link, forward) = match via {
            Via::Link(link) if self.links.contains_key(&link) => {
                (Some(link), Forward::After(now + ring_for))
            }
            Via::Registry => (None, Forward::Open),
            // The connection was lost while the caller's name was asked for.
            Via::Link(_) if self.registration.is_registered() => (None, Forward::Open),
            Via::Link(_) => return,
        };
        let line = Line {
            call: Call::incoming(own, media, commitment, ring_for, now),
            name: from.name.clone(),
            card: Some(card),
            seek_until: None,
            link,
            heard_on: link,
            opening: Vec::new(),
            forward,
            letters: Vec::new(),
            detail: None,
        };
        self.lines.insert(call, line);
        self.outputs.push_back(Output::Event(Event::Incoming {
            call,
            from,
            confirmed,
        }));
        self.drain_call(call, now);
    }

    /// Answers a caller with whom there will be no call.
    fn answer_visitor(&mut self, visitor: &Visitor, signal: Signal, now: Instant) {
        let letter = Letter::new(visitor.call, signal, &mut self.rng);
        let (key, nonce) = match visitor.via {
            Via::Registry => (visitor.card.agreement, codec::greeting::Nonce::NONE),
            Via::Link(link) => match self.links.get(&link) {
                Some(up) => (up.peer.card.agreement, up.peer.nonce),
                None => return,
            },
        };
        // A card without a usable key gets no answer: there is no way to write one.
        if let Ok(envelope) =
            self.post
                .seal(&letter, &visitor.from, &key, nonce, &mut self.rng, now)
        {
            self.send(visitor.call, envelope, visitor.via);
        }
    }
}
