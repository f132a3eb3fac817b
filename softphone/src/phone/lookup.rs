//! Finding out where somebody is, without calling: at the registry, or at an address.
//!
//! It goes the way that a call would go, and stops where that would begin to ring.

use std::{net::SocketAddr, time::Instant};

use codec::{
    IdentityKey, KeyCard,
    registry::{Method, Presence, Record, Refusal, RequestId, Success},
};

use super::{
    Asked, Event, Found, LOOKUP_WITHIN, LOOKUPS_MAX, Life, LinkId, Output, Phone, Target, Unfound,
    Unresolved, Why,
};

/// Somebody who is looked for.
#[derive(Debug)]
pub(super) struct Sought {
    target: Target,
    way: Way,
    pub(super) until: Instant,
}

/// Whom the phone waits for.
#[derive(Debug)]
enum Way {
    /// The connection to the registry, which is being made.
    Connecting,
    /// The registry's answer to this.
    Registry(RequestId),
    /// Whoever listens at the address; where that is, when they have been reached.
    Host(LinkId, Option<SocketAddr>),
}

impl Phone {
    /// The person wants to know where somebody is.
    pub(super) fn seek(&mut self, target: Target, now: Instant) {
        let no_answer = |why| Err(Unfound::NoAnswer(why));
        if self.life != Life::Running {
            return self.found(target, no_answer(Why::Stopping));
        }
        if self.sought.len() >= LOOKUPS_MAX {
            return self.found(target, Err(Unfound::TooMany));
        }
        let way = match (&target.host, &self.registry_missed) {
            (Some(_), _) if self.settings.hidden => {
                return self.found(target, no_answer(Why::Hidden));
            }
            (Some(host), _) => {
                let (host, name) = (host.clone(), target.name.clone());
                let link = self.new_link();
                self.outputs
                    .push_back(Output::OpenHost { link, host, name });
                Way::Host(link, None)
            }
            (None, _) if self.registration.is_connected() => {
                let name = target.name.clone();
                Way::Registry(self.ask(Method::Lookup { name }, Asked::Sought))
            }
            (None, Some(why)) => {
                let why = no_answer(why.clone());
                return self.found(target, why);
            }
            (None, None) => Way::Connecting,
        };
        let until = now + LOOKUP_WITHIN;
        self.sought.push(Sought { target, way, until });
    }

    /// The registry can be asked.
    pub(super) fn seek_at_registry(&mut self) {
        for at in 0..self.sought.len() {
            if matches!(self.sought[at].way, Way::Connecting) {
                let name = self.sought[at].target.name.clone();
                let id = self.ask(Method::Lookup { name }, Asked::Sought);
                self.sought[at].way = Way::Registry(id);
            }
        }
    }

    /// The registry cannot be asked, and what it was asked is not answered.
    pub(super) fn sought_in_vain(&mut self, why: &Why) {
        let at_registry = |one: &mut Sought| !matches!(one.way, Way::Host(..));
        for one in self.sought.extract_if(.., at_registry).collect::<Vec<_>>() {
            self.found(one.target, Err(Unfound::NoAnswer(why.clone())));
        }
    }

    /// The registry answered.
    pub(super) fn sought_answered(
        &mut self,
        id: RequestId,
        result: Result<Success, Refusal>,
        now: Instant,
    ) {
        let asked = |one: &Sought| matches!(one.way, Way::Registry(of) if of == id);
        let Some(target) = self.take_sought(asked).map(|one| one.target) else {
            return;
        };
        let found = match result {
            Ok(Success::Found(record)) => {
                self.registered_there(&target, self.registry, &record, now)
            }
            Ok(_) => Err(Unfound::NoAnswer(Why::OtherAnswer)),
            Err(Refusal::NotFound) => Err(Unfound::NotFound),
            Err(refusal) => Err(Unfound::Refused(refusal)),
        };
        self.found(target, found);
    }

    /// Whoever listens at an address has been reached there.
    pub(super) fn sought_reached(&mut self, link: LinkId, at: SocketAddr) {
        for one in &mut self.sought {
            if let Way::Host(of, reached) = &mut one.way
                && *of == link
            {
                *reached = Some(at);
            }
        }
    }

    /// A registry at an address answered. Returns what it said if nobody looks for that here.
    pub(super) fn sought_resolved(
        &mut self,
        link: LinkId,
        registry: IdentityKey,
        answer: Result<Record, Unresolved>,
        now: Instant,
    ) -> Option<Result<Record, Unresolved>> {
        let Some(target) = self
            .take_sought(|one| one.leads(link))
            .map(|one| one.target)
        else {
            return Some(answer);
        };
        let found = match answer {
            Ok(record) => self.registered_there(&target, Some(registry), &record, now),
            Err(Unresolved::NotFound) => Err(Unfound::NotFound),
            Err(Unresolved::Failed(why)) => Err(Unfound::NoAnswer(why)),
        };
        self.found(target, found);
        None
    }

    /// A phone at an address answered. Returns whether it was looked for.
    pub(super) fn sought_up(&mut self, link: LinkId, card: &KeyCard, now: Instant) -> bool {
        let Some(one) = self.take_sought(|one| one.leads(link)) else {
            return false;
        };
        let (Sought { target, way, .. }, identity) = (one, card.identity);
        let at = match way {
            Way::Host(_, at) => at,
            _ => None,
        };
        let found = if identity == self.post.me().identity.key() {
            Err(Unfound::NoAnswer(Why::Itself))
        } else if card.is_valid(self.post.time(now)) {
            Ok(Found {
                name: target.name.clone(),
                identity,
                registry: None,
                contacts: at.into_iter().collect(),
                presence: Presence::Available,
                standing: self.book.claimed(&target.name, identity).1,
            })
        } else {
            Err(Unfound::NoAnswer(Why::BadCard))
        };
        self.found(target, found);
        true
    }

    /// Nobody could be reached at an address.
    pub(super) fn sought_down(&mut self, link: LinkId, why: &Why) {
        if let Some(one) = self.take_sought(|one| one.leads(link)) {
            self.found(one.target, Err(Unfound::NoAnswer(why.clone())));
        }
    }

    /// Those that have been looked for long enough are not found.
    pub(super) fn sought_due(&mut self, now: Instant) {
        while let Some(one) = self.take_sought(|one| one.until <= now) {
            self.give_up_on(one, &Why::Late);
        }
    }

    /// The phone is being stopped: nobody is looked for any more.
    pub(super) fn seek_nobody(&mut self) {
        while let Some(one) = self.take_sought(|_| true) {
            self.give_up_on(one, &Why::Stopping);
        }
    }

    fn give_up_on(&mut self, one: Sought, why: &Why) {
        match one.way {
            Way::Host(link, _) => self.close_link(link),
            Way::Registry(id) => drop(self.requests.remove(&id)),
            Way::Connecting => {}
        }
        self.found(one.target, Err(Unfound::NoAnswer(why.clone())));
    }

    /// What a registry says of somebody, if it is valid.
    fn registered_there(
        &mut self,
        target: &Target,
        registry: Option<IdentityKey>,
        record: &Record,
        now: Instant,
    ) -> Result<Found, Unfound> {
        let Record { card, entry } = record;
        if entry.name != target.name || !card.is_valid(self.post.time(now)) {
            return Err(Unfound::NoAnswer(Why::BadAnswer));
        }
        self.see(registry, &entry.name, card.identity);
        let standing = self.book.standing(registry, &entry.name, card.identity);
        Ok(Found {
            name: entry.name.clone(),
            identity: card.identity,
            registry,
            contacts: entry.contacts(),
            presence: entry.presence,
            standing,
        })
    }

    fn take_sought(&mut self, which: impl Fn(&Sought) -> bool) -> Option<Sought> {
        let at = self.sought.iter().position(which)?;
        Some(self.sought.remove(at))
    }

    fn found(&mut self, target: Target, found: Result<Found, Unfound>) {
        let event = Event::Found { target, found };
        self.outputs.push_back(Output::Event(event));
    }
}

impl Sought {
    fn leads(&self, link: LinkId) -> bool {
        matches!(self.way, Way::Host(of, _) if of == link)
    }
}
