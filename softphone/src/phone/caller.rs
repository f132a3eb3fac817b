//! How a call begins: finding whom the person called, and asking who it is that calls.

use std::time::{Duration, Instant};

use codec::{
    CallId, CallSignal, DeviceId, IdentityKey, KeyCard, Party, Signal,
    registry::{CONTACTS_MAX, Method, Record, Refusal, RequestId, Success},
    signal::{CallNonce, CancelReason, Commitment, MediaOffer},
};

use super::{
    Asked, Command, Event, Life, LinkId, Output, Phone, SecondCall, Target, Unresolved, Via, Why,
    allowance::Allowance,
    door::shown,
    line::{FORWARD_AFTER, Forward, Line, Way, WayState},
    post::Letter,
};
use crate::{
    call::{self, Call, Own, Reason},
    contacts::Standing,
};

/// How long it may take to connect to whoever knows where the callee is, and to be told.
const FIND_WITHIN: Duration = Duration::from_secs(8);

/// How long the registry may take to say whose name the caller's is.
const CHECK_WITHIN: Duration = Duration::from_secs(1);

/// How often the registry is asked whose a caller's name is: these are guesses of names by this
/// phone there, which strangers must not use up. Every direct caller counts, so that what comes
/// beyond tells nobody anything.
pub(super) fn checks() -> Allowance {
    Allowance::new(60, 100, Duration::from_secs(3600))
}

/// A caller whose name is being asked for; the phone does not ring yet.
#[derive(Debug)]
pub(super) struct Visitor {
    /// The question to the registry whose name it is; `None` before it is asked.
    check: Option<RequestId>,
    pub(super) call: CallId,
    pub(super) from: Party,
    device: DeviceId,
    card: KeyCard,
    media: MediaOffer,
    commitment: Commitment,
    via: Via,
    pub(super) deadline: Instant,
}

impl Phone {
    // ---- calling ----

    pub(super) fn dial(&mut self, target: Target, now: Instant) {
        let Target { name, host } = target;
        let rings = |line: &Line| line.call.is_incoming() && line.confirmed && line.name == name;
        if host.is_none()
            && let Some((&call, _)) = self.lines.iter().find(|(_, line)| rings(line))
        {
            // Whom the person calls is just calling.
            return self.command(Command::Answer(call), now);
        }
        let id = CallId(self.random());
        let own = self.own();
        let call = Call::dial(own, self.settings.ring_for, now);
        self.outputs.push_back(Output::Event(Event::Dialling {
            call: id,
            name: name.clone(),
            host: host.clone(),
        }));
        let mut line = Line::new(call, name.clone());
        line.seek_until = Some(now + FIND_WITHIN);
        let itself = host.is_none() && name == self.post.me().name;
        let (dialled, at_host) = (name.clone(), host.is_some());
        match host {
            Some(_) if self.settings.hidden => drop(self.lines.insert(id, line)),
            Some(host) => {
                line.at_host = true;
                let link = self.new_link();
                line.ways.push(Way {
                    link,
                    device: None,
                    state: WayState::Opening,
                });
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
            return self.give_up(id, Reason::Unreachable, Some(Why::OwnName), now);
        }
        // One that rings under that name may turn out to be the same call.
        let same = |line: &Line| line.call.is_incoming() && line.name == dialled;
        let others = self.lines.values().filter(|line| !same(line)).count();
        if others > self.settings.calls_max {
            return self.give_up(id, Reason::Unreachable, Some(Why::NoLine), now);
        }
        if at_host && self.settings.hidden {
            return self.give_up(id, Reason::Unreachable, Some(Why::Hidden), now);
        }
        self.talk_in(id, now);
        self.drain_call(id, now);
    }

    /// The person goes on in this call: every other one that is up is put on hold, if there is to
    /// be one at a time.
    pub(super) fn talk_in(&mut self, call: CallId, now: Instant) {
        self.talk = Some(call);
        let up = self
            .lines
            .iter()
            .filter(|(id, line)| line.call.is_established() && self.talks_elsewhere(**id));
        for call in up.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.tell_call(call, call::Input::Hold, now);
        }
    }

    /// Whether a call is on hold because the person talks in another one.
    pub(super) fn talks_elsewhere(&self, call: CallId) -> bool {
        self.settings.one_at_a_time && self.talk.is_some_and(|talk| talk != call)
    }

    fn own(&mut self) -> Own {
        let nonce = CallNonce(self.random());
        let card = self.post.me().keys.card;
        let hidden = self.settings.hidden;
        Own {
            card,
            nonce,
            hidden,
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
                let forward = Forward::After(now + FORWARD_AFTER);
                self.open_links(call, self.registry, &record, forward, now);
            }
            Err(Refusal::NotFound) => self.give_up(call, Reason::NotFound, None, now),
            Err(refusal) => {
                let why = Some(Why::Refused(refusal));
                self.give_up(call, Reason::RegistryUnreachable, why, now);
            }
            Ok(_) => {
                let why = Some(Why::OtherAnswer);
                self.give_up(call, Reason::RegistryUnreachable, why, now);
            }
        }
    }

    pub(super) fn resolved(
        &mut self,
        link: LinkId,
        registry: IdentityKey,
        found: Result<Record, Unresolved>,
        now: Instant,
    ) {
        let asked = self
            .lines
            .iter_mut()
            .find(|(_, line)| line.is_opening(link));
        let Some((&call, line)) = asked else { return };
        line.ways.clear();
        match found {
            Ok(record) => self.open_links(call, Some(registry), &record, Forward::Closed, now),
            Err(Unresolved::NotFound) => self.give_up(call, Reason::NotFound, None, now),
            Err(Unresolved::Failed(why)) => {
                self.give_up(call, Reason::RegistryUnreachable, Some(why), now);
            }
        }
    }

    /// Goes on to whom `registry` says the name belongs to.
    fn open_links(
        &mut self,
        call: CallId,
        registry: Option<IdentityKey>,
        record: &Record,
        forward: Forward,
        now: Instant,
    ) {
        let time = self.post.time(now);
        let Some(line) = self.lines.get_mut(&call) else {
            return;
        };
        line.seek_until = None;
        if record.entry.name != line.name || !record.card.is_valid(time) {
            return self.give_up(call, Reason::Untrusted, Some(Why::BadAnswer), now);
        }
        let (name, identity) = (line.name.clone(), record.card.identity);
        self.see(registry, &name, identity);
        if self.book.standing(registry, &name, identity) == Standing::Changed {
            return self.give_up(call, Reason::IdentityChanged, None, now);
        }
        let from = |line: &Line| {
            line.call.is_incoming()
                && line.name == name
                && line.card.is_some_and(|card| card.identity == identity)
        };
        let own = registry == self.registry;
        if let Some((&incoming, line)) = self.lines.iter_mut().find(|(_, line)| from(line)) {
            // Who calls is whom the person wants to call, and this registry vouches for the name.
            if !line.confirmed {
                (line.registry, line.confirmed) = (registry, own);
            }
            self.outputs.push_back(Output::Event(Event::Merged {
                ended: call,
                call: incoming,
                name,
            }));
            self.tell_call(call, call::Input::Merge, now);
            return self.command(Command::Answer(incoming), now);
        }
        let Some(line) = self.lines.get_mut(&call) else {
            return;
        };
        line.card = Some(record.card);
        line.registry = registry;
        line.forward = forward;
        let name = line.name.clone();
        let waited = |visitor: &mut Visitor| visitor.check.is_none() && visitor.from.name == name;
        for visitor in self.visitors.extract_if(.., waited).collect::<Vec<_>>() {
            self.ring(visitor, false, now);
        }
        if !self.lines.contains_key(&call) {
            // It was merged with the other's call.
            return;
        }
        // A name's devices behind one address are told apart by their ports, so no contact comes
        // twice, unless a device has left its to another one: then that is whom it leads to.
        let (mut known, hidden) = (Vec::new(), self.settings.hidden);
        for device in record.entry.devices.iter() {
            let contacts = device.contacts.iter().map(|contact| contact.addr);
            let new = contacts.filter(|contact| !known.contains(contact));
            // Who is connected to sees where this phone is.
            let most = if hidden { 0 } else { CONTACTS_MAX + 1 };
            let new: Vec<_> = new.take(most).collect();
            known.extend_from_slice(&new);
            if let Some(line) = self.lines.get_mut(&call)
                && let Some(branch) = line.branch(device.id)
            {
                branch.contacts.clone_from(&new);
            }
            self.open_ways(call, device.id, &new);
        }
        if known.is_empty() {
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
        let CallSignal {
            call,
            from: device,
            signal,
            ..
        } = signal;
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
                        device,
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
                let other = |known: &Visitor| known.call != call || known.from != from;
                self.visitors.retain(other);
                self.turned.retain(|turned| other(&turned.visitor));
            }
            // It has not heard that the call is over.
            Signal::Ringing | Signal::Accept { .. } => {
                let who = from.identity;
                if let Some(card) = self.departed.card(call, &from)
                    && (via != Via::Registry || self.answers.may(who, Standing::Known, now))
                {
                    let cancel = Signal::Cancel(CancelReason::Hangup);
                    self.answer(call, &from, device, &card, via, cancel, now);
                }
            }
            // Late signals of a call that is over are normal.
            _ => {}
        }
    }

    fn invited(&mut self, mut visitor: Visitor, now: Instant) {
        let mut waiting = self.turned.iter().map(|turned| &turned.visitor);
        let waits = waiting.any(|known| known.call == visitor.call);
        if waits || self.visitors.iter().any(|known| known.call == visitor.call) {
            // Two calls are not one: whoever says so is up to something.
            return;
        }
        // Strangers on direct connections leave the way through the registry open.
        if self.life != Life::Running || (visitor.via != Via::Registry && self.is_crowded(&visitor))
        {
            let confirmed = visitor.via == Via::Registry;
            return self.have_no_time(visitor, confirmed, now);
        }
        match visitor.via {
            // The registry hands envelopes on only from who has registered the sender's name.
            Via::Registry => self.ring(visitor, true, now),
            Via::Link(_) if self.registration.is_registered() && self.checks.has(now) => {
                self.checks.take(now);
                let name = visitor.from.name.clone();
                visitor.check = Some(self.ask(Method::Lookup { name }, Asked::Caller));
                self.visitors.push(visitor);
            }
            Via::Link(_) => self.ring(visitor, false, now),
        }
    }

    /// Whether there are as many callers who wait as can be on the way that this one came, or as
    /// many of this one.
    fn is_crowded(&self, visitor: &Visitor) -> bool {
        let forwarded = visitor.via == Via::Registry;
        let of_way = |known: &&Visitor| (known.via == Via::Registry) == forwarded;
        let of_one = |known: &&Visitor| {
            let same = known.from.identity == visitor.from.identity;
            same || (!forwarded && known.via == visitor.via)
        };
        let waiting = || self.visitors.iter().filter(of_way);
        waiting().count() >= super::VISITORS_MAX
            || waiting().filter(of_one).count() >= super::VISITORS_OF_ONE_MAX
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
        if let Ok(Success::Found(record)) = &result
            && record.entry.name == visitor.from.name
            && record.card.is_valid(self.post.time(now))
        {
            self.see(self.registry, &record.entry.name, record.card.identity);
        }
        match result {
            Ok(Success::Found(record)) if record.entry.name != visitor.from.name => {
                self.ring(visitor, false, now);
            }
            Ok(Success::Found(record)) if record.card.identity == visitor.from.identity => {
                let mut visitor = visitor;
                // As it is registered: nobody made sure what another form of it looks like.
                visitor.from.name = record.entry.name;
                self.ring(visitor, true, now);
            }
            // The name is somebody else's: whoever this is pretends to be them.
            Ok(Success::Found(_)) => {
                let (_, standing) = self.who_calls(&visitor.from, false);
                self.turn_away(visitor, false, standing, now);
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
            self.have_no_time(visitor, false, now);
        }
        self.turn_all_away(now);
    }

    /// Answers a caller whom there is no time to ask about.
    fn have_no_time(&mut self, visitor: Visitor, confirmed: bool, now: Instant) {
        let (_, standing) = self.who_calls(&visitor.from, confirmed);
        if self.lets_in(&visitor.from, standing) {
            return self.answer_visitor(&visitor, standing, Signal::Busy, now);
        }
        self.turn_away(visitor, confirmed, standing, now);
        if self.life != Life::Running {
            self.turn_all_away(now);
        }
    }

    fn ring(&mut self, mut visitor: Visitor, confirmed: bool, now: Instant) {
        let (registry, standing) = self.who_calls(&visitor.from, confirmed);
        // Whom the person calls is let in.
        if let Some(ours) = self.crossed(&visitor, confirmed, standing) {
            return self.merge(ours, visitor, registry, now);
        }
        if let Some(until) = self.sought(&visitor, now) {
            if self.is_crowded(&visitor) {
                return self.have_no_time(visitor, confirmed, now);
            }
            // Whether the two calls are one shows when the callee has been found.
            let (check, deadline) = (None, until);
            return self.visitors.push(Visitor {
                check,
                deadline,
                ..visitor
            });
        }
        if !self.lets_in(&visitor.from, standing) {
            return self.turn_away(visitor, confirmed, standing, now);
        }
        // One person rings once: nobody takes every line.
        let again = |line: &Line| line.call.is_incoming() && line.is_with(&visitor.from);
        let full = self.lines.len() >= self.settings.calls_max || self.lines.values().any(again);
        let waiting = !self.lines.is_empty();
        let offered = !waiting || self.settings.second_call == SecondCall::Offer;
        if self.life != Life::Running || full || !offered {
            return self.answer_visitor(&visitor, standing, Signal::Busy, now);
        }
        visitor.from.name = shown(&visitor.from.name, confirmed);
        let (own, ring_for) = (self.own(), self.settings.ring_for);
        let (media, commitment) = (visitor.media.clone(), visitor.commitment);
        let incoming = Call::incoming(own, media, commitment, ring_for, now);
        let (call, from) = (visitor.call, visitor.from.clone());
        let Some(mut line) = self.visitor_line(incoming, visitor, now) else {
            return;
        };
        line.confirmed = confirmed;
        line.registry = registry;
        self.lines.insert(call, line);
        self.outputs.push_back(Output::Event(Event::Incoming {
            call,
            from,
            confirmed,
            waiting,
            standing,
        }));
        self.drain_call(call, now);
    }

    /// A line to who called; `None` when there is no way to them any more.
    fn visitor_line(&self, call: Call, visitor: Visitor, now: Instant) -> Option<Line> {
        let mut line = Line::new(call, visitor.from.name);
        line.card = Some(visitor.card);
        line.device = Some(visitor.device);
        line.forward = match visitor.via {
            Via::Link(link) if self.links.contains_key(&link) => {
                line.prove(link, visitor.device);
                Forward::After(now + self.settings.ring_for)
            }
            Via::Registry => Forward::Open,
            // The connection was lost while the caller's name was asked for.
            Via::Link(_) if self.registration.is_registered() => Forward::Open,
            Via::Link(_) => return None,
        };
        Some(line)
    }

    /// The call that this phone is making to the very person who calls.
    fn crossed(&self, visitor: &Visitor, confirmed: bool, standing: Standing) -> Option<CallId> {
        let same = |line: &Line| match line.card {
            Some(card) => card.identity == visitor.from.identity,
            None => confirmed && !line.at_host && standing != Standing::Changed,
        };
        let crosses =
            |line: &Line| line.call.is_calling() && line.name == visitor.from.name && same(line);
        let found = self.lines.iter().find(|(_, line)| crosses(line));
        found.map(|(call, _)| *call)
    }

    /// Until when the person of that name is looked for whom this phone calls.
    fn sought(&self, visitor: &Visitor, now: Instant) -> Option<Instant> {
        let seeks = |line: &&Line| {
            let same = line.name == visitor.from.name && !line.at_host;
            line.call.is_calling() && same && line.card.is_none()
        };
        let found = self.lines.values().find(seeks);
        found.and_then(|line| line.seek_until.filter(|until| *until > now))
    }

    /// Two calls that cross become one: that of the smaller identity key. It is taken at once.
    fn merge(
        &mut self,
        ours: CallId,
        mut visitor: Visitor,
        registry: Option<IdentityKey>,
        now: Instant,
    ) {
        let Some(line) = self.lines.get_mut(&ours) else {
            return;
        };
        if line.invited && self.post.me().identity.key() < visitor.from.identity {
            // They take ours, and end theirs themselves. Their connection leads to them as well.
            if let Via::Link(link) = visitor.via
                && self.links.contains_key(&link)
                && !line.uses(link)
            {
                line.prove(link, visitor.device);
                self.post_letters(ours, now);
            }
            return;
        }
        visitor.from.name = line.name.clone();
        // Where they were looked up, if that is done.
        let registry = line.registry.or(registry);
        let own = self.own();
        let (media, commitment) = (visitor.media.clone(), visitor.commitment);
        let crossing = Call::crossing(own, media, commitment, now);
        let (call, name) = (visitor.call, visitor.from.name.clone());
        let Some(mut line) = self.visitor_line(crossing, visitor, now) else {
            return;
        };
        line.registry = registry;
        self.lines.insert(call, line);
        if self.talk == Some(ours) {
            self.talk = Some(call);
        }
        self.outputs.push_back(Output::Event(Event::Merged {
            ended: ours,
            call,
            name,
        }));
        self.tell_call(ours, call::Input::Merge, now);
        self.drain_call(call, now);
    }

    /// Answers a caller with whom there will be no call. Whoever is not let in is a
    /// [`Standing::Stranger`] here, whatever is known of them.
    pub(super) fn answer_visitor(
        &mut self,
        visitor: &Visitor,
        standing: Standing,
        signal: Signal,
        now: Instant,
    ) {
        let counts = visitor.via == Via::Registry;
        if counts && !self.answers.may(visitor.from.identity, standing, now) {
            return;
        }
        let Visitor {
            call,
            from,
            device,
            card,
            via,
            ..
        } = visitor;
        self.answer(*call, from, *device, card, *via, signal, now);
    }

    /// Says something about a call that there is not, the way that it was heard of.
    #[expect(clippy::too_many_arguments, reason = "there is no line that has them")]
    fn answer(
        &mut self,
        call: CallId,
        to: &Party,
        device: DeviceId,
        card: &KeyCard,
        via: Via,
        signal: Signal,
        now: Instant,
    ) {
        let body = CallSignal {
            call,
            from: self.post.me().device,
            to: Some(device),
            // Nothing that is said so describes a state.
            seq: u32::MAX,
            signal,
        };
        let letter = Letter::new(body, &mut self.rng);
        let (key, nonce) = match via {
            Via::Registry => (card.agreement, codec::greeting::Nonce::NONE),
            Via::Link(link) => match self.links.get(&link) {
                Some(up) => (up.peer.card.agreement, up.peer.nonce),
                None => return,
            },
        };
        // A card without a usable key gets no answer: there is no way to write one.
        if let Ok(envelope) = self.post.seal(&letter, to, &key, nonce, &mut self.rng, now) {
            self.send(call, envelope, via);
        }
    }
}
