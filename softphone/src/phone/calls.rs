//! What becomes of a call: what it wants done, whom it turns out to be with, and its end.

use std::time::{Duration, Instant};

use codec::{CallId, IdentityKey, Name};

use super::{Event, INBOUND_BIT, Output, Phone, Why, line::Line};
use crate::{
    call::{self, Agreed, Hold, Reason, Role},
    contacts::{Book, Change, Contact, Standing},
};

impl Phone {
    pub(super) fn tell_call(&mut self, call: CallId, input: call::Input, now: Instant) {
        let Some(line) = self.lines.get_mut(&call) else {
            return;
        };
        line.call.handle_input(input, now);
        self.drain_call(call, now);
    }

    pub(super) fn drain_call(&mut self, call: CallId, now: Instant) {
        while let Some(line) = self.lines.get_mut(&call)
            && let Some(output) = line.call.poll_output()
        {
            match output {
                call::Output::Prepare => self.outputs.push_back(Output::PrepareMedia(call)),
                call::Output::Signal(signal) => {
                    let to = line.device;
                    self.say(call, to, signal, now);
                }
                call::Output::StopOthers(reason) => self.stop_others(call, reason, now),
                call::Output::Start { remote, role } => {
                    self.outputs
                        .push_back(Output::StartMedia { call, remote, role });
                }
                call::Output::Speak => self.outputs.push_back(Output::Speak(call)),
                call::Output::Ringing => {
                    self.outputs
                        .push_back(Output::Event(Event::Ringing { call }));
                }
                call::Output::Established {
                    setup,
                    role,
                    agreed,
                } => self.established(call, setup, (role, agreed), now),
                call::Output::Held(hold) => {
                    self.outputs
                        .push_back(Output::HoldMedia(call, hold != Hold::No));
                    let held = Event::Held { call, hold };
                    self.outputs.push_back(Output::Event(held));
                }
                call::Output::Reconnecting => {
                    let event = Event::Reconnecting { call };
                    self.outputs.push_back(Output::Event(event));
                }
                call::Output::Reconnected => {
                    let event = Event::Reconnected { call };
                    self.outputs.push_back(Output::Event(event));
                }
                call::Output::PeerMoved(moved) => {
                    self.outputs.push_back(Output::MoveMedia(call, moved));
                }
                call::Output::Ended(reason) => {
                    let reason = line.reason(reason);
                    self.remove(call, reason);
                }
            }
        }
    }

    pub(super) fn give_up(
        &mut self,
        call: CallId,
        reason: Reason,
        detail: Option<Why>,
        now: Instant,
    ) {
        let Some(line) = self.lines.get_mut(&call) else {
            return;
        };
        line.detail = detail.or(line.detail.take());
        // The peer, should it have heard of the call, hears that it is over.
        line.call.handle_input(call::Input::Hangup, now);
        while let Some(line) = self.lines.get_mut(&call)
            && let Some(output) = line.call.poll_output()
        {
            if let call::Output::Signal(signal) = output {
                let to = line.device;
                self.say(call, to, signal, now);
            }
        }
        self.remove(call, reason);
    }

    pub(super) fn remove(&mut self, call: CallId, reason: Reason) {
        let Some(line) = self.lines.remove(&call) else {
            return;
        };
        self.talk = self.talk.filter(|talk| *talk != call);
        self.outputs.push_back(Output::StopMedia(call));
        // The phone that opened a connection closes it, unless another call has come to use it.
        let own = line.ways.iter().map(|way| way.link);
        for link in own.filter(|link| link.0 & INBOUND_BIT == 0) {
            if !self.lines.values().any(|other| other.uses(link)) {
                self.close_link(link);
            }
        }
        self.departed.add(call, &line);
        // What went wrong on the way does not matter to a call that ended as calls do.
        let detail = line.detail.filter(|why| match reason {
            Reason::Unreachable | Reason::RegistryUnreachable | Reason::Untrusted => true,
            Reason::Failed => *why == Why::NoNetwork,
            _ => false,
        });
        let name = line.name;
        self.outputs.push_back(Output::Event(Event::Ended {
            call,
            name,
            reason,
            detail,
        }));
    }

    /// A call is up: everybody who has been talked to is known from then on.
    fn established(
        &mut self,
        call: CallId,
        setup: Duration,
        (role, agreed): (Role, Agreed),
        now: Instant,
    ) {
        let me = self.post.me().identity.key();
        let time = self.post.time(now);
        let Some(line) = self.lines.get_mut(&call) else {
            return;
        };
        let Some(mut contact) = line.contact(time) else {
            return;
        };
        let standing = self
            .book
            .standing(contact.registry, &contact.name, contact.identity);
        if standing == Standing::Changed {
            // Another call under that name was up first, with somebody else.
            return self.give_up(call, Reason::IdentityChanged, None, now);
        }
        // The call is up, so everything that set it up has arrived.
        line.letters.retain(|letter| !letter.is_sent());
        let (name, peer) = (line.name.clone(), contact.identity);
        // Who was verified before a registry vouched for the name stays so.
        contact.verified = standing == Standing::Verified;
        self.change(Change::Pin(contact));
        self.outputs.push_back(Output::Event(Event::Established {
            call,
            name,
            setup,
            words: agreed.words(call, role, me, peer),
            standing,
        }));
        if self.talks_elsewhere(call) {
            self.tell_call(call, call::Input::Hold, now);
        }
    }

    /// The person has compared the words.
    pub(super) fn verify(&mut self, call: CallId, now: Instant) {
        let time = self.post.time(now);
        let line = self.lines.get(&call);
        let up = line.filter(|line| line.call.is_established());
        if let Some(contact) = up.and_then(|line| line.contact(time))
            && self.change(Change::Verify(contact))
        {
            self.outputs
                .push_back(Output::Event(Event::Verified { call }));
        }
    }

    /// Changes what is known of somebody as the person wants it.
    pub(super) fn change_people(&mut self, change: &Change, now: Instant) {
        self.change(change.clone());
        if !matches!(change, Change::Block { blocked: true, .. }) {
            return;
        }
        let rings = |line: &Line| match line.card {
            Some(card) => line.call.is_incoming() && self.book.is_blocked(card.identity),
            None => false,
        };
        let ringing = self.lines.iter().filter(|(_, line)| rings(line));
        for call in ringing.map(|(call, _)| *call).collect::<Vec<_>>() {
            self.tell_call(call, call::Input::Hangup, now);
        }
    }

    /// What the file says now.
    pub(super) fn set_people(&mut self, book: Book) {
        if self.book != book {
            self.book = book;
            self.book_edition += 1;
        }
    }

    /// A registry has said whose a name is: of whom the person knows it is remembered whether that
    /// is another one than before.
    pub(super) fn see(
        &mut self,
        registry: Option<IdentityKey>,
        name: &Name,
        identity: IdentityKey,
    ) {
        let name = name.clone();
        self.change(Change::See {
            registry,
            name,
            identity,
        });
    }

    /// Changes what is known of somebody, here and in the file. Returns whether it is new.
    fn change(&mut self, change: Change) -> bool {
        let changed = self.book.apply(&change);
        if changed {
            self.book_edition += 1;
            self.outputs.push_back(Output::Save(change));
        }
        changed
    }
}

impl Line {
    /// Whom the call is with, as a contact; `None` before that is known.
    fn contact(&self, since: codec::UnixMillis) -> Option<Contact> {
        Some(Contact {
            registry: self.registry,
            name: self.name.clone(),
            identity: self.card?.identity,
            verified: false,
            blocked: false,
            changed: false,
            since,
        })
    }
}
