//! The ways to the other phone: connections of its own, and the registry behind them.

use std::time::Instant;

use codec::{
    CallId, CallSignal, DeviceId, Envelope, Party, Signal,
    direct::{DirectFrame, DirectRefusal},
    greeting::Nonce,
    registry::Method,
    signal::CancelReason,
};

use super::{
    Asked, INBOUND_BIT, LINK_UNUSED_MAX, Link, LinkId, Output, Phone, Via, Why,
    line::{Branch, Forward, Way, WayState},
    post::Letter,
};
use crate::{
    call::{self, Reason},
    contacts::Standing,
};

impl Phone {
    pub(super) fn link_up(&mut self, link: LinkId, up: Link, now: Instant) {
        let card = up.peer.card;
        let valid = card.is_valid(self.post.time(now));
        self.links.insert(link, up);
        if link.0 & INBOUND_BIT != 0 {
            if !valid || self.settings.hidden {
                self.close_link(link);
            }
            return;
        }
        if self.sought_up(link, &card, now) {
            return self.close_link(link);
        }
        let opened = self
            .lines
            .iter_mut()
            .find(|(_, line)| line.is_opening(link));
        let Some((&call, line)) = opened else {
            return self.close_link(link);
        };
        // Who was called at an address is whoever answers there; who was looked up is known.
        let expected = line
            .card
            .is_none_or(|known| known.identity == card.identity);
        let own = card.identity == self.post.me().identity.key();
        if !expected || !valid || own {
            line.ways.retain(|way| way.link != link);
            line.detail = Some(match (own, expected) {
                (true, _) => Why::Itself,
                (false, true) => Why::BadCard,
                (false, false) => Why::SomebodyElse,
            });
            if line.ways.is_empty() && line.card.is_none() {
                // Who was called at an address is not looked for any more.
                line.seek_until = None;
            }
            self.close_link(link);
            return self.check_reachable(call, now);
        }
        if line.card.is_none() {
            // No registry says whose the name is, so it must not be anybody else's anywhere.
            let (registry, standing) = self.book.claimed(&line.name, card.identity);
            if standing == Standing::Changed {
                return self.give_up(call, Reason::IdentityChanged, None, now);
            }
            line.card = Some(card);
            line.registry = registry;
        }
        line.seek_until = None;
        let mut device = None;
        for way in line.ways.iter_mut().filter(|way| way.link == link) {
            way.state = WayState::Up;
            device = way.device;
        }
        // One connection to a device is enough.
        let spare = |way: &Way| way.state == WayState::Opening && way.device == device;
        let spares: Vec<_> = line.ways.iter().copied().filter(spare).collect();
        line.ways.retain(|way| !spare(way));
        for way in spares {
            self.close_link(way.link);
        }
        self.post_letters(call, now);
    }

    pub(super) fn link_down(&mut self, link: LinkId, why: &Why, now: Instant) {
        self.links.remove(&link);
        self.sought_down(link, why);
        let touched = self.lines.iter_mut().filter(|(_, line)| line.uses(link));
        for call in touched.map(|(call, _)| *call).collect::<Vec<_>>() {
            let Some(line) = self.lines.get_mut(&call) else {
                continue;
            };
            let lost = line.ways.iter().find(|way| way.link == link).copied();
            line.ways.retain(|way| way.link != link);
            for letter in &mut line.letters {
                letter.by_links.retain(|sent| *sent != link);
            }
            line.detail.get_or_insert_with(|| why.clone());
            let device = lost.and_then(|way| way.device);
            if line.ways.iter().any(|way| way.device == device) {
                continue;
            }
            if line.ways.is_empty() {
                // Who was called at an address is not looked for any more.
                line.seek_until = None;
            }
            self.open_forward(call, now);
        }
    }

    /// Whoever is there is not of use. Anybody may be, so other ways are not given up for it.
    pub(super) fn link_refused(&mut self, link: LinkId, refusal: DirectRefusal, now: Instant) {
        let touched = self.lines.values().find(|line| line.uses(link));
        let Some(line) = touched else { return };
        let detail = match refusal {
            DirectRefusal::NotHere => Why::NotThere(line.name.clone()),
            DirectRefusal::TooMany => Why::Overwhelmed,
            _ => Why::NotUnderstood,
        };
        self.close_link(link);
        self.link_down(link, &detail, now);
    }

    /// An envelope on this connection was refused; whoever sends many more of them tries something
    /// out.
    pub(super) fn count_refused(&mut self, link: LinkId, now: Instant) {
        let Some(up) = self.links.get_mut(&link) else {
            return;
        };
        up.refused += 1;
        if up.refused >= super::REFUSED_MAX {
            self.close_link(link);
            self.link_down(link, &Why::Useless, now);
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

    /// Says something to `to`, or to all that the call may be with.
    pub(super) fn say(&mut self, call: CallId, to: Option<DeviceId>, signal: Signal, now: Instant) {
        let from = self.post.me().device;
        let Some(line) = self.lines.get_mut(&call) else {
            return;
        };
        line.said = line.said.saturating_add(1);
        let body = CallSignal {
            call,
            from,
            to,
            seq: line.said,
            signal,
        };
        let letter = Letter::new(body, &mut self.rng);
        line.keep(letter);
        let established = line.call.is_established();
        if established && line.forward == Forward::Refused {
            // What the registry could not hand on then it may hand on now.
            line.forward = Forward::Open;
        }
        self.post_letters(call, now);
        if established {
            self.reopen(call);
        }
    }

    /// Connects again to the device that a call is with, if something could not be said to it.
    /// Only the caller knows where that is.
    fn reopen(&mut self, call: CallId) {
        let Some(line) = self.lines.get(&call) else {
            return;
        };
        let unsent = line.letters.iter().any(|letter| !letter.is_sent());
        let known = line.branches.iter();
        let mut known = known.filter(|branch| Some(branch.device) == line.device);
        let Some(branch) = known.next().filter(|_| unsent && line.ways.is_empty()) else {
            return;
        };
        let (device, contacts) = (branch.device, branch.contacts.clone());
        self.open_ways(call, device, &contacts);
    }

    /// This machine's addresses have changed, so connections may be dead without a word: the
    /// caller connects again, and until the other phone is heard on a connection, what is said goes
    /// through the registry as well.
    pub(super) fn doubt_links(&mut self, now: Instant) {
        for call in self.lines.keys().copied().collect::<Vec<_>>() {
            let Some(line) = self.lines.get_mut(&call) else {
                continue;
            };
            line.doubt();
            line.repeat();
            let stays = |branch: &&Branch| match line.device {
                Some(device) => branch.device == device,
                None => branch.turned.is_none(),
            };
            let branches: Vec<_> = line
                .branches
                .iter()
                .filter(stays)
                .map(|branch| (branch.device, branch.contacts.clone()))
                .collect();
            if branches.iter().any(|(_, contacts)| !contacts.is_empty()) {
                let own = |way: &Way| way.link.0 & INBOUND_BIT == 0;
                let old: Vec<_> = line.ways.extract_if(.., |way| own(way)).collect();
                for way in old {
                    self.close_link(way.link);
                }
                for (device, contacts) in branches {
                    self.open_ways(call, device, &contacts);
                }
            }
            self.post_letters(call, now);
        }
    }

    pub(super) fn open_ways(
        &mut self,
        call: CallId,
        device: DeviceId,
        contacts: &[std::net::SocketAddr],
    ) {
        for &contact in contacts {
            let link = self.new_link();
            let Some(line) = self.lines.get_mut(&call) else {
                return;
            };
            if line.ways.len() >= super::line::WAYS_MAX {
                return;
            }
            line.ways.push(Way {
                link,
                device: Some(device),
                state: WayState::Opening,
            });
            self.outputs.push_back(Output::OpenLink { link, contact });
        }
    }

    /// Tells the callee's devices that have not decided that another one has.
    pub(super) fn stop_others(&mut self, call: CallId, reason: CancelReason, now: Instant) {
        let Some(line) = self.lines.get(&call) else {
            return;
        };
        let others = line
            .branches
            .iter()
            .filter(|branch| Some(branch.device) != line.device && branch.turned.is_none());
        for device in others.map(|branch| branch.device).collect::<Vec<_>>() {
            self.say(call, Some(device), Signal::Cancel(reason), now);
        }
    }

    /// Sends every letter of a call on the ways that are open and that it has not gone.
    pub(super) fn post_letters(&mut self, call: CallId, now: Instant) {
        let Some(line) = self.lines.get_mut(&call) else {
            return;
        };
        let Some(card) = line.card else { return };
        let to = Party {
            name: line.name.clone(),
            identity: card.identity,
        };
        let forwards = line.forward == Forward::Open && self.registration.is_registered();
        let proven: Vec<bool> = line
            .letters
            .iter()
            .map(|letter| line.is_proven(letter.body.to))
            .collect();
        let mut sealed = Vec::new();
        for (letter, proven) in line.letters.iter_mut().zip(proven) {
            for way in line.ways.iter().filter(|way| way.leads_to(letter.body.to)) {
                let Some(up) = self.links.get(&way.link) else {
                    continue;
                };
                if letter.by_links.contains(&way.link) {
                    continue;
                }
                letter.by_links.push(way.link);
                // The greeting's card is the newest.
                let (key, nonce) = (&up.peer.card.agreement, up.peer.nonce);
                let envelope = self.post.seal(letter, &to, key, nonce, &mut self.rng, now);
                sealed.push((Via::Link(way.link), envelope));
            }
            // Anybody can greet with another's card; until the other phone has said something on
            // the connection, what is said goes both ways.
            if !proven && forwards && !letter.by_registry {
                letter.by_registry = true;
                let (key, nonce) = (&card.agreement, Nonce::NONE);
                let envelope = self.post.seal(letter, &to, key, nonce, &mut self.rng, now);
                sealed.push((Via::Registry, envelope));
            }
        }
        line.invited |= line.letters.iter().any(Letter::is_invite_sent);
        for (via, envelope) in sealed {
            match envelope {
                Ok(envelope) => self.send(call, envelope, via),
                Err(error) => {
                    let detail = Why::Unwritable(to.name.clone(), error.to_string());
                    return self.end_unreachable(call, Some(detail), now);
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
            line.forward = Forward::Open;
            self.post_letters(call, now);
        }
        self.check_reachable(call, now);
    }

    /// Ends a call that no way leads to any more.
    pub(super) fn check_reachable(&mut self, call: CallId, now: Instant) {
        let Some(line) = self.lines.get(&call) else {
            return;
        };
        let forwards = match line.forward {
            Forward::After(_) => true,
            Forward::Open => self.registration.is_registered(),
            Forward::Refused | Forward::Closed => false,
        };
        if line.device.is_none()
            && let Some(answer) = line.turned_away()
        {
            let answer = answer.clone();
            return self.tell_call(call, call::Input::Signal(answer), now);
        }
        let Some(line) = self.lines.get(&call) else {
            return;
        };
        if line.ways.is_empty() && line.seek_until.is_none() && !forwards {
            self.tell_call(call, call::Input::Unreachable, now);
        }
    }

    pub(super) fn end_unreachable(&mut self, call: CallId, detail: Option<Why>, now: Instant) {
        if let Some(line) = self.lines.get_mut(&call) {
            line.detail = detail.or(line.detail.take());
            self.tell_call(call, call::Input::Unreachable, now);
        }
    }
}
