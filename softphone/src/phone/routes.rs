//! The ways to the other phone: connections of its own, and the registry behind them.

use std::time::Instant;

use codec::{
    CallId, Envelope, Party,
    direct::{DirectFrame, DirectRefusal},
    greeting::Nonce,
    registry::Method,
};

use super::{Asked, Forward, INBOUND_BIT, LINK_UNUSED_MAX, Link, LinkId, Output, Phone, Via};
use crate::call::{self, Reason};

impl Phone {
    pub(super) fn link_up(&mut self, link: LinkId, up: Link, now: Instant) {
        let card = up.peer.card;
        let valid = card.is_valid(self.post.time(now));
        self.links.insert(link, up);
        if link.0 & INBOUND_BIT != 0 {
            if !valid {
                self.close_link(link);
            }
            return;
        }
        let opened = self
            .lines
            .iter_mut()
            .find(|(_, line)| line.opening.contains(&link));
        let Some((&call, line)) = opened else {
            return self.close_link(link);
        };
        line.opening.retain(|opening| *opening != link);
        // Who was called at an address is whoever answers there; who was looked up is known.
        let expected = line
            .card
            .is_none_or(|known| known.identity == card.identity);
        let own = card.identity == self.post.me().identity.key();
        if !expected || !valid || own {
            let unfit = if own {
                "this phone itself answers"
            } else if expected {
                "a key card that is not valid is shown"
            } else {
                "somebody else answers"
            };
            line.detail = Some(format!("{unfit} at the callee's address"));
            if line.opening.is_empty() && line.card.is_none() {
                // Who was called at an address is not looked for any more.
                line.seek_until = None;
            }
            self.close_link(link);
            return self.check_reachable(call, now);
        }
        line.card.get_or_insert(card);
        line.seek_until = None;
        line.link = Some(link);
        for other in std::mem::take(&mut line.opening) {
            self.close_link(other);
        }
        self.post_letters(call, now);
    }

    pub(super) fn link_down(&mut self, link: LinkId, why: &str, now: Instant) {
        self.links.remove(&link);
        let touched = self.lines.iter_mut().filter(|(_, line)| line.uses(link));
        for call in touched.map(|(call, _)| *call).collect::<Vec<_>>() {
            let Some(line) = self.lines.get_mut(&call) else {
                continue;
            };
            line.opening.retain(|opening| *opening != link);
            if line.link == Some(link) {
                line.link = None;
            }
            line.detail.get_or_insert_with(|| why.to_owned());
            if line.link.is_none() && line.opening.is_empty() {
                // Who was called at an address is not looked for any more.
                line.seek_until = None;
                self.open_forward(call, now);
            }
        }
    }

    pub(super) fn link_refused(&mut self, link: LinkId, refusal: DirectRefusal, now: Instant) {
        let touched = self.lines.iter().find(|(_, line)| line.link == Some(link));
        let Some((&call, line)) = touched else { return };
        let detail = match refusal {
            DirectRefusal::NotHere => format!("whoever answers there is not {}", line.name),
            DirectRefusal::TooMany => "the other phone is overwhelmed, try again later".to_owned(),
            _ => "the other phone did not understand".to_owned(),
        };
        if !line.call.is_established() {
            self.give_up(call, Reason::Unreachable, Some(detail), now);
        }
    }

    /// A connection that no call uses is closed after a while, whoever opened it.
    pub(super) fn close_unused_links(&mut self, now: Instant) {
        for (id, link) in &mut self.links {
            if self.lines.values().any(|line| line.uses(*id)) {
                link.used = now;
            }
        }
        let unused = self
            .links
            .iter()
            .filter(|(_, link)| link.used + LINK_UNUSED_MAX <= now);
        for link in unused.map(|(link, _)| *link).collect::<Vec<_>>() {
            self.close_link(link);
        }
    }

    pub(super) fn close_link(&mut self, link: LinkId) {
        self.links.remove(&link);
        self.outputs.push_back(Output::CloseLink(link));
    }

    /// Sends every letter of a call that has not gone the way that is open now.
    pub(super) fn post_letters(&mut self, call: CallId, now: Instant) {
        let Some(line) = self.lines.get_mut(&call) else {
            return;
        };
        let Some(card) = line.card else { return };
        let to = Party {
            name: line.name.clone(),
            identity: card.identity,
        };
        let mut sealed = Vec::new();
        if let Some(link) = line.link
            && let Some(up) = self.links.get(&link)
        {
            for letter in line
                .letters
                .iter_mut()
                .filter(|letter| letter.by_link != Some(link))
            {
                letter.by_link = Some(link);
                // The greeting's card is the newest.
                let (key, nonce) = (&up.peer.card.agreement, up.peer.nonce);
                sealed.push((
                    Via::Link(link),
                    self.post.seal(letter, &to, key, nonce, &mut self.rng, now),
                ));
            }
        }
        // Anybody can greet with another's card; until the other phone has said something on the
        // connection, what is said goes both ways.
        let proven = line.link.is_some() && line.heard_on == line.link;
        if !proven && line.forward == Forward::Open && self.registration.is_registered() {
            for letter in line.letters.iter_mut().filter(|letter| !letter.by_registry) {
                letter.by_registry = true;
                let key = &card.agreement;
                sealed.push((
                    Via::Registry,
                    self.post
                        .seal(letter, &to, key, Nonce::NONE, &mut self.rng, now),
                ));
            }
        }
        for (via, envelope) in sealed {
            match envelope {
                Ok(envelope) => self.send(call, envelope, via),
                Err(error) => {
                    let detail = Some(format!("cannot write to {}: {error}", to.name));
                    return self.end_unreachable(call, detail, now);
                }
            }
        }
    }

    pub(super) fn send(&mut self, call: CallId, envelope: Envelope, via: Via) {
        match via {
            Via::Link(link) => {
                let frame = DirectFrame::Envelope(envelope);
                self.outputs.push_back(Output::ToLink(link, frame));
            }
            Via::Registry => {
                let method = Method::Send { envelope, ttl_s: 0 };
                self.ask(method, Asked::Forward(call));
            }
        }
    }

    pub(super) fn open_forward(&mut self, call: CallId, now: Instant) {
        let Some(line) = self.lines.get_mut(&call) else {
            return;
        };
        if line.forward != Forward::Closed {
            line.forward = if self.registration.is_registered() {
                Forward::Open
            } else {
                Forward::Closed
            };
            self.post_letters(call, now);
        }
        self.check_reachable(call, now);
    }

    /// Ends a call that no way leads to any more.
    pub(super) fn check_reachable(&mut self, call: CallId, now: Instant) {
        let Some(line) = self.lines.get(&call) else {
            return;
        };
        let open = line.link.is_some() || !line.opening.is_empty();
        if !open && line.seek_until.is_none() && line.forward == Forward::Closed {
            self.tell_call(call, call::Input::Unreachable, now);
        }
    }

    pub(super) fn end_unreachable(&mut self, call: CallId, detail: Option<String>, now: Instant) {
        if let Some(line) = self.lines.get_mut(&call) {
            line.detail = detail.or(line.detail.take());
            self.tell_call(call, call::Input::Unreachable, now);
        }
    }
}
