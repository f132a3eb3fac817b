//! The phone's connection to its registry: what is asked and said there, and what comes of it.

use std::time::Instant;

use codec::{
    UnixMillis,
    registry::{
        Binding, Method, PAGE_MAX, Prefix, Presence, Refusal, Request, RequestId, Response, Success,
    },
};
use registry::registration::{self, ID_BIT};

use super::{Asked, Event, Life, Output, Phone, Why};
use crate::call::Reason;

impl Phone {
    pub(super) fn registry_up(&mut self, binding: Binding, time: UnixMillis, now: Instant) {
        self.post.set_clock(time, now);
        self.registry = Some(binding.registry);
        self.registry_missed = None;
        self.closing = None;
        self.tell_registration(registration::Input::Connected { binding, time }, now);
        for call in self.lines.keys().copied().collect::<Vec<_>>() {
            let Some(line) = self.lines.get_mut(&call) else {
                continue;
            };
            line.letters
                .iter_mut()
                .for_each(|letter| letter.by_registry = false);
            if line.seek_until.is_some() && line.ways.is_empty() {
                self.look_up(call);
            }
        }
        self.seek_at_registry();
    }

    pub(super) fn registry_down(&mut self, why: Why, now: Instant) {
        self.tell_registration(registration::Input::Disconnected, now);
        // What it said before counts for more than that the connection has ended.
        let why = self.closing.take().map_or(why, Why::Closed);
        self.registry_lost(&why, now);
    }

    /// Nothing that was asked will be answered.
    fn registry_lost(&mut self, why: &Why, now: Instant) {
        self.requests.clear();
        self.follower.lost();
        self.sought_in_vain(why);
        // A new reason is news.
        let is_news = self.registry_missed.as_ref() != Some(why);
        if is_news && self.life == Life::Running {
            self.outputs
                .push_back(Output::Event(Event::RegistryUnreachable(why.clone())));
        }
        self.registry_missed = Some(why.clone());
        self.visitors_unconfirmed(now);
        for call in self.lines.keys().copied().collect::<Vec<_>>() {
            let Some(line) = self.lines.get(&call) else {
                continue;
            };
            if line.seek_until.is_some() && line.ways.is_empty() {
                self.give_up(call, Reason::RegistryUnreachable, Some(why.clone()), now);
            }
        }
    }

    pub(super) fn tell_registration(&mut self, input: registration::Input, now: Instant) {
        let identity = &self.post.me().identity;
        self.registration
            .handle_input(input, identity, &mut self.rng, now);
        self.drain_registration(now);
    }

    pub(super) fn drain_registration(&mut self, now: Instant) {
        while let Some(output) = self.registration.poll_output() {
            let output = match output {
                registration::Output::Connect => Output::ConnectRegistry,
                registration::Output::Disconnect => {
                    self.registry_lost(&Why::Silent, now);
                    Output::DisconnectRegistry
                }
                registration::Output::Send(request) => Output::ToRegistry(request),
                registration::Output::Registered => {
                    // What could not be handed on meanwhile.
                    for call in self.lines.keys().copied().collect::<Vec<_>>() {
                        self.post_letters(call, now);
                    }
                    let wanted = self.registry.and_then(|registry| {
                        let registered = self.follower.registered(registry, now);
                        registered.filter(|_| self.life == Life::Running)
                    });
                    if let Some(method) = wanted {
                        self.ask_directory_for(method);
                    }
                    Output::Event(Event::Registered)
                }
                registration::Output::Unregistered => {
                    self.follower.lost();
                    Output::Event(Event::Unregistered)
                }
                registration::Output::Refused(refusal) => {
                    Output::Event(Event::RegistrationRefused(refusal))
                }
            };
            self.outputs.push_back(output);
        }
    }

    pub(super) fn ask(&mut self, method: Method, about: Asked) -> RequestId {
        self.last_request = (self.last_request + 1) & !ID_BIT;
        let id = RequestId(self.last_request);
        self.requests.insert(id, about);
        self.outputs
            .push_back(Output::ToRegistry(Request { id, method }));
        id
    }

    pub(super) fn response(&mut self, response: Response, now: Instant) {
        let Response { id, result } = response;
        if id.0 & ID_BIT != 0 {
            let response = Response { id, result };
            return self.tell_registration(registration::Input::Response(response), now);
        }
        match self.requests.remove(&id) {
            Some(Asked::Callee(call)) => self.callee_found(call, result, now),
            Some(Asked::Caller) => self.caller_checked(id, result, now),
            Some(Asked::Forward(call)) if result.is_err() => {
                if let Some(line) = self.lines.get_mut(&call) {
                    line.refused(now);
                    self.check_reachable(call, now);
                }
            }
            Some(Asked::Directory) => {
                let page = result.and_then(|success| match success {
                    Success::Page(page) => Ok(page),
                    _ => Err(Refusal::Failed),
                });
                self.outputs
                    .push_back(Output::Event(Event::Directory(page)));
            }
            Some(Asked::Roster(round)) => {
                let asks = self.follower.answered(round, result, &mut self.rng, now);
                if let Some(method) = asks {
                    self.ask_directory_for(method);
                }
            }
            Some(Asked::Sought) => self.sought_answered(id, result, now),
            Some(Asked::Forward(_)) | None => {}
        }
    }

    /// Asks for the first names of the directory, on the connection on which this phone is
    /// registered: some registries tell them nobody else.
    pub(super) fn ask_directory(&mut self) {
        let mut asked = self.requests.values();
        // One question at a time: whoever is impatient gets one answer.
        let there = self.registry.is_some() && self.registry_missed.is_none();
        if there && !asked.any(|it| matches!(it, Asked::Directory)) {
            let list = Method::List {
                prefix: Prefix::default(),
                after: None,
                limit: u8::try_from(PAGE_MAX).unwrap_or(u8::MAX),
            };
            self.ask(list, Asked::Directory);
        }
    }

    // ---- the directory as it is ----

    /// The person wants the directory to be kept, or no longer.
    pub(super) fn follow(&mut self, wanted: bool, now: Instant) {
        let registered = self.registry.filter(|_| self.registration.is_registered());
        if let Some(method) = self.follower.want(wanted, registered, now) {
            self.ask_directory_for(method);
        }
    }

    /// The phone is being stopped.
    pub(super) fn follow_no_more(&mut self, now: Instant) {
        // Nobody is told to tell nothing more: it ends with the connection.
        let _ = self.follower.want(false, None, now);
        self.forget_directory();
    }

    pub(super) fn follow_on(&mut self, now: Instant) {
        if let Some(method) = self.follower.timeout(now) {
            self.ask_directory_for(method);
        }
    }

    /// Asks the next thing about the directory. What was asked before is waited for no longer.
    fn ask_directory_for(&mut self, method: Method) {
        self.forget_directory();
        self.ask(method, Asked::Roster(self.follower.round()));
    }

    fn forget_directory(&mut self) {
        self.requests
            .retain(|_, about| !matches!(about, Asked::Roster(_)));
    }

    // ---- what is said of the person ----

    /// Tells the registry how reachable the person is, when that has changed.
    pub(super) fn publish(&mut self, now: Instant) {
        let in_call = self.lines.values().any(|line| !line.call.is_incoming());
        let presence = match self.settings.publish {
            false => None,
            true if in_call => Some(Presence::Busy),
            // Who is not to be disturbed is away, and nobody sees why.
            true if self.away || self.settings.dnd => Some(Presence::Away),
            true => Some(Presence::Available),
        };
        // Who is registered is available until they say otherwise.
        let news = self.presence.is_some() || presence != Some(Presence::Available);
        if news && presence != self.presence {
            self.presence = presence;
            self.tell_registration(registration::Input::Presence(presence), now);
        }
    }
}
