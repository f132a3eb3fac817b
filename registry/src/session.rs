//! One connection to a registry: greets, checks every request, asks the store, answers by id.
//!
//! PURE: bytes and time come in, frames and questions to the store come out.

use std::{
    collections::VecDeque,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use codec::{
    DeviceId, Envelope, Identity, IdentityKey, List, Name, PROTOCOL_VERSION, UnixMillis,
    frame::{FrameError, from_payload, to_frame},
    greeting::{
        self, Agent, Answer, Exporter, GreetingError, Hello, Nonce, RegistryWelcome, Role,
        Unwelcome, Welcome,
    },
    registry::{
        Binding, ClosingReason, Entry, FromRegistry, Notice, Page, Presence, Record, Refusal,
        Request, RequestId, Response, Success, Watch,
    },
};
use serde::Serialize;

use crate::{
    limits::{Bucket, Count, Limits},
    line::Line,
    ownership::{KeyChange, Recovery},
    table::{Change, ConnectionId, Registration, Renewal},
};

mod check;
#[cfg(test)]
mod tests;

use check::{CHANGE_UNITS, MALFORMED_UNITS, units_of};

/// What is the same for all connections of a registry.
#[derive(Debug)]
pub struct Registrar {
    /// The long-term key.
    pub identity: Identity,
    /// What the program calls itself.
    pub agent: Agent,
    /// What each connection may use.
    pub limits: Limits,
}

/// What is known of a connection when it begins.
#[derive(Debug)]
pub struct Setup {
    /// From where it comes.
    pub peer: SocketAddr,
    /// Which of them it is.
    pub id: ConnectionId,
    /// Drawn for this connection.
    pub nonce: Nonce,
    /// What its signatures are bound to beside that.
    pub exporter: Exporter,
    /// When it began.
    pub now: Instant,
    /// The same by the registry's clock.
    pub time: UnixMillis,
}

/// What a session is told.
#[derive(Debug)]
pub enum Input<'a> {
    /// A frame came.
    Payload(&'a [u8]),
    /// A frame came that could not be read.
    BadFrame(FrameError),
    /// The store answered.
    Answered(RequestId, Answered),
    /// Somebody sent this to a name that is registered here.
    Envelope(&'a Envelope),
    /// The connection is to end: a device that was registered here is now registered on another
    /// one, or the operator ends it.
    Ended(ClosingReason),
    /// A watched name is now so, or is not registered.
    Changed(&'a Name, Option<Entry>),
    /// More watched names changed than could be kept.
    Missed,
    /// A frame was begun and not finished in time.
    Incomplete,
    /// The peer does not read what it is sent.
    SlowReader,
    /// The registry stops.
    Stop,
    /// The time of [`Session::poll_timeout`] has come.
    Timeout,
}

/// A question to the store, or to the other connections.
#[derive(Debug)]
pub enum Ask {
    /// Whether a phone of this identity is served.
    Greet(IdentityKey),
    /// Register.
    Register(Registration),
    /// Refresh.
    Refresh(Renewal, Duration),
    /// Unregister.
    Unregister(Renewal),
    /// Give a name up that is this identity's.
    Release(Name, IdentityKey),
    /// Give a name to another identity.
    ChangeKey(KeyChange),
    /// Give a name to whoever has its recovery code.
    Recover(Recovery),
    /// Lookup.
    Lookup(Name),
    /// List.
    List {
        /// Names that begin so.
        prefix: String,
        /// Names after this one.
        after: Option<Name>,
        /// At most so many.
        limit: usize,
    },
    /// Hand an envelope to the devices of its receiver.
    Forward(Envelope),
    /// Say how reachable somebody is by these devices.
    Publish {
        /// The devices, each under its name, as far as they are this connection's still.
        devices: Vec<(Name, DeviceId)>,
        /// This connection.
        connection: ConnectionId,
        /// From now on.
        presence: Presence,
    },
    /// Tell this connection about these from now on, and about no others.
    Watch(Watch),
}

/// An answer of the store, to the question of the same name.
#[derive(Debug)]
pub enum Answered {
    /// To a greeting.
    Greet(Result<(), Unwelcome>),
    /// To any other question: it may not be asked now.
    Refused(Refusal),
    /// What it changed.
    Register(Result<Change, Refusal>),
    /// To a refresh.
    Refresh(Result<(), Refusal>),
    /// To an unregister.
    Unregister(Result<ConnectionId, Refusal>),
    /// To a release.
    Release(Result<(), Refusal>),
    /// To a change of key.
    ChangeKey(Result<(), Refusal>),
    /// To a recovery.
    Recover(Result<(), Refusal>),
    /// To a lookup.
    Lookup(Result<Record, Refusal>),
    /// To a list.
    List(Result<Page, Refusal>),
    /// To how many connections the envelope was handed.
    Forward(Result<u8, Refusal>),
    /// It is published.
    Publish,
    /// To a watch.
    Watch(Result<(), Refusal>),
}

/// What a session wants done.
#[derive(Debug)]
pub enum Output {
    /// Send this frame.
    Frame(Vec<u8>),
    /// Answer this with [`Input::Answered`], before the next frame is told.
    Ask(RequestId, Ask),
    /// Hand envelopes for this name to this connection from now on.
    Join(Name, DeviceId),
    /// And no longer: a lease that was taken here has ended.
    Leave(Name, DeviceId),
    /// A device that was not in the table is in it now.
    Added(Name),
    /// A device was taken out of the table.
    Removed(Name),
    /// A message came in; for the log.
    Received(String),
    /// A message goes out; for the log.
    Sent(String),
    /// So many units of work were asked for, or done for this peer.
    Work(u32),
    /// Count this.
    Count(Count),
    /// Send what is queued and close.
    Close(&'static str),
}

/// One connection.
#[derive(Debug)]
pub struct Session {
    registrar: Arc<Registrar>,
    setup: Setup,
    state: State,
    /// What the driver was asked and has not answered: one thing, as it answers before it reads on.
    waiting: Option<(RequestId, Waiting)>,
    outputs: VecDeque<Output>,
    heard: Instant,
    work: Bucket,
}

#[derive(Debug)]
enum State {
    Greeting,
    /// It is asked whether this phone is served.
    Introduced(IdentityKey),
    Client,
    Phone(Phone),
    Closed,
}

#[derive(Debug)]
struct Phone {
    identity: IdentityKey,
    registered: Vec<Lease>,
    /// What was said last on this connection.
    presence: Presence,
    /// The greatest count of a request about ownership.
    cseq: u64,
    /// The greatest number of an Unregister on this connection: the table knows it no more, and
    /// nothing older registers again what was given up.
    given_up: u64,
}

/// What this connection has registered, for as long as it holds.
#[derive(Debug)]
struct Lease {
    name: Name,
    device: DeviceId,
    ends: Instant,
}

impl Lease {
    fn is_of(&self, name: &Name, device: DeviceId) -> bool {
        self.name == *name && self.device == device
    }
}

/// What to do with the store's answer.
#[derive(Debug)]
enum Waiting {
    Register(Name, DeviceId, u16),
    Refresh(Name, DeviceId, u16),
    Unregister(Name, DeviceId),
    Release(Name),
    KeyChange(Name),
    Other,
}

impl Session {
    /// A connection that has just begun.
    #[must_use]
    pub fn new(registrar: Arc<Registrar>, setup: Setup) -> Self {
        let heard = setup.now;
        Self {
            registrar,
            setup,
            state: State::Greeting,
            waiting: None,
            outputs: VecDeque::new(),
            heard,
            work: Bucket::full(heard),
        }
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        let output = self.outputs.pop_front();
        if output.is_none() {
            // Most connections are idle most of the time: they hold no memory for outputs.
            self.outputs = VecDeque::new();
        }
        output
    }

    /// From when on the next frame is wanted, or a change that waits: later than `now` when
    /// the peer has asked for more work than its share.
    #[must_use]
    pub fn reads_at(&self, now: Instant) -> Instant {
        let limits = &self.registrar.limits;
        self.work
            .ready_at(limits.work_burst, limits.work_per_s, now)
    }

    /// When to say [`Input::Timeout`], unless something else comes first.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Greeting | State::Introduced(_) => {
                Some(self.setup.now + self.registrar.limits.greeting)
            }
            State::Client => Some(self.heard + self.registrar.limits.idle),
            State::Phone(phone) => {
                let leases = phone.registered.iter().map(|lease| lease.ends);
                leases
                    .chain([self.heard + self.registrar.limits.idle])
                    .max()
            }
            State::Closed => None,
        }
    }

    /// Takes one input; afterwards [`Session::poll_output`] until there is none.
    pub fn handle_input(&mut self, input: Input<'_>, now: Instant) {
        match (&self.state, input) {
            (State::Closed, _) => {}
            (_, Input::Stop) => self.close_with(ClosingReason::Stopping, "the registry stops"),
            (_, Input::Timeout) => {
                if self.poll_timeout().is_some_and(|deadline| deadline <= now) {
                    self.time_out();
                }
            }
            (_, Input::Incomplete) => {
                self.count(Count::Incomplete);
                self.close_with(ClosingReason::Incomplete, "a frame was not finished");
            }
            (_, Input::SlowReader) => {
                self.count(Count::SlowReader);
                self.close_with(ClosingReason::SlowReader, "the peer does not read");
            }
            (State::Greeting, Input::Payload(payload)) => self.greet(payload, now),
            (State::Introduced(identity), Input::Answered(_, Answered::Greet(served))) => {
                let identity = *identity;
                self.introduced(identity, served, now);
            }
            // Nothing is said before the answer to the greeting.
            (State::Greeting, Input::BadFrame(_))
            | (State::Introduced(_), Input::BadFrame(_) | Input::Payload(_)) => {
                self.turn_away(Unwelcome::Malformed, Count::BadGreeting);
            }
            (_, Input::Payload(payload)) => {
                self.heard = now;
                self.request(payload, now);
            }
            (_, Input::BadFrame(_)) => {
                self.outputs
                    .push_back(Output::Received("a frame that is none".to_owned()));
                self.malformed(now);
            }
            (_, Input::Answered(id, answered)) => self.answered(id, answered, now),
            (_, Input::Envelope(envelope)) => {
                self.say(&FromRegistry::Notice(Notice::Envelope(envelope.clone())));
            }
            (_, Input::Ended(reason)) => {
                let why = match reason {
                    ClosingReason::Replaced => "the device registered elsewhere",
                    _ => "the operator ended it",
                };
                self.close_with(reason, why);
            }
            (_, Input::Changed(_, Some(entry))) => {
                self.work(CHANGE_UNITS, now);
                let entry = self.visible(entry);
                self.say(&FromRegistry::Notice(Notice::Changed(entry)));
            }
            (_, Input::Changed(name, None)) => {
                self.work(CHANGE_UNITS, now);
                self.say(&FromRegistry::Notice(Notice::Gone(name.clone())));
            }
            (_, Input::Missed) => self.say(&FromRegistry::Notice(Notice::Missed)),
        }
    }

    fn time_out(&mut self) {
        if matches!(self.state, State::Greeting | State::Introduced(_)) {
            return self.turn_away(Unwelcome::TooSlow, Count::LateGreeting);
        }
        self.count(Count::Idle);
        self.close_with(ClosingReason::Idle, "nothing was heard for too long");
    }

    fn greet(&mut self, payload: &[u8], now: Instant) {
        let hello: Hello = match greeting::read(payload) {
            Ok(hello) => hello,
            Err(GreetingError::Version { .. }) => {
                return self.turn_away(Unwelcome::Version, Count::BadGreeting);
            }
            Err(_) => return self.turn_away(Unwelcome::Malformed, Count::BadGreeting),
        };
        self.outputs
            .push_back(Output::Received(Line(&hello).to_string()));
        match hello.role {
            Role::Client => {
                self.state = State::Client;
                self.welcome(now);
            }
            Role::Phone(phone) if phone.card.is_valid(self.time(now)) => {
                let identity = phone.card.identity;
                self.state = State::Introduced(identity);
                let ask = Ask::Greet(identity);
                self.outputs.push_back(Output::Ask(RequestId(0), ask));
            }
            Role::Phone(_) => self.turn_away(Unwelcome::BadCard, Count::BadGreeting),
        }
    }

    fn introduced(&mut self, identity: IdentityKey, served: Result<(), Unwelcome>, now: Instant) {
        match served {
            Ok(()) => {
                self.state = State::Phone(Phone {
                    identity,
                    registered: Vec::new(),
                    presence: Presence::Available,
                    cseq: 0,
                    given_up: 0,
                });
                self.welcome(now);
            }
            Err(Unwelcome::Banned) => self.turn_away(Unwelcome::Banned, Count::Banned),
            Err(reason) => self.turn_away(reason, Count::GreetingsTooFast),
        }
    }

    fn welcome(&mut self, now: Instant) {
        self.heard = now;
        let Registrar {
            identity, agent, ..
        } = &*self.registrar;
        let welcome = RegistryWelcome::prove(
            identity,
            &self.setup.exporter,
            agent.clone(),
            self.setup.nonce,
            self.time(now),
            self.setup.peer,
        );
        self.say(&Answer::new(Ok(Welcome::Registry(welcome))));
    }

    fn turn_away(&mut self, reason: Unwelcome, count: Count) {
        self.count(count);
        self.say(&Answer {
            version: PROTOCOL_VERSION,
            welcome: Err(reason),
        });
        self.close("not welcome");
    }

    fn request(&mut self, payload: &[u8], now: Instant) {
        let Ok(Request { id, method }) = from_payload::<Request>(payload).inspect(|request| {
            self.outputs
                .push_back(Output::Received(Line(request).to_string()));
        }) else {
            self.outputs
                .push_back(Output::Received("a frame without a request".to_owned()));
            return self.malformed(now);
        };
        self.work(units_of(&method), now);
        if let State::Phone(phone) = &mut self.state {
            // Who lets a lease end has the name no more, here as in the table.
            for lease in phone.registered.extract_if(.., |lease| lease.ends <= now) {
                let Lease { name, device, .. } = lease;
                self.outputs.push_back(Output::Leave(name, device));
            }
        }
        if self.waiting.is_some() {
            // The driver reads on without having answered.
            return self.respond(id, Err(Refusal::Failed));
        }
        match self.check(method, now) {
            Ok((waiting, ask)) => {
                self.waiting = Some((id, waiting));
                self.outputs.push_back(Output::Ask(id, ask));
            }
            Err(refusal) => self.respond(id, Err(refusal)),
        }
    }

    fn malformed(&mut self, now: Instant) {
        self.count(Count::BadFrames);
        self.work(MALFORMED_UNITS, now);
        self.respond(RequestId(0), Err(Refusal::Malformed));
    }

    /// Notes work that was asked for, or that watching has made.
    fn work(&mut self, units: u32, now: Instant) {
        self.work.take(units, self.registrar.limits.work_per_s, now);
        self.outputs.push_back(Output::Work(units));
        if self.reads_at(now) > now {
            self.count(Count::Slowed);
        }
    }

    fn count(&mut self, count: Count) {
        self.outputs.push_back(Output::Count(count));
    }

    fn answered(&mut self, id: RequestId, answered: Answered, now: Instant) {
        let Some((_, waiting)) = self.waiting.take_if(|(asked, _)| *asked == id) else {
            return;
        };
        let result = match (waiting, answered) {
            (Waiting::Register(name, device, expires_s), Answered::Register(Ok(change))) => {
                self.hold(&name, device, expires_s, now);
                self.outputs.push_back(Output::Join(name.clone(), device));
                if change == Change::Added {
                    self.outputs.push_back(Output::Added(name));
                }
                Ok(Success::Registered { expires_s })
            }
            (Waiting::Refresh(name, device, expires_s), Answered::Refresh(Ok(()))) => {
                self.hold(&self.as_registered(&name, device), device, expires_s, now);
                // Again, should the route have been lost on the way.
                self.outputs.push_back(Output::Join(name, device));
                Ok(Success::Registered { expires_s })
            }
            (Waiting::Unregister(name, device), Answered::Unregister(Ok(_))) => {
                if let State::Phone(phone) = &mut self.state {
                    phone.registered.retain(|lease| !lease.is_of(&name, device));
                }
                self.outputs.push_back(Output::Leave(name.clone(), device));
                self.outputs.push_back(Output::Removed(name));
                Ok(Success::Unregistered)
            }
            (Waiting::Release(name), Answered::Release(Ok(()))) => {
                self.drop_all(&name);
                Ok(Success::Released)
            }
            (Waiting::KeyChange(name), Answered::ChangeKey(Ok(())) | Answered::Recover(Ok(()))) => {
                self.drop_all(&name);
                Ok(Success::KeyChanged)
            }
            (_, Answered::Lookup(Ok(record))) => Ok(Success::Found(self.visible_record(record))),
            (_, Answered::List(Ok(page))) => {
                let Page { entries, more } = page;
                let visible = entries
                    .into_vec()
                    .into_iter()
                    .map(|entry| self.visible(entry));
                Ok(Success::Page(Page {
                    entries: List::first_of(visible),
                    more,
                }))
            }
            (_, Answered::Forward(Ok(devices))) => Ok(Success::Sent { devices }),
            (_, Answered::Publish) => Ok(Success::Published),
            (_, Answered::Watch(Ok(()))) => Ok(Success::Watching),
            (_, Answered::Watch(Err(refusal))) => {
                self.count(Count::WatchesRefused);
                Err(refusal)
            }
            (_, Answered::Register(Err(Refusal::TooMany))) => {
                self.count(Count::RegistrationsRefused);
                Err(Refusal::TooMany)
            }
            (
                _,
                Answered::Refused(refusal)
                | Answered::Register(Err(refusal))
                | Answered::Refresh(Err(refusal))
                | Answered::Unregister(Err(refusal))
                | Answered::Release(Err(refusal))
                | Answered::ChangeKey(Err(refusal))
                | Answered::Recover(Err(refusal))
                | Answered::Lookup(Err(refusal))
                | Answered::List(Err(refusal))
                | Answered::Forward(Err(refusal)),
            ) => Err(refusal),
            // The driver answered another question than was asked.
            _ => Err(Refusal::Failed),
        };
        self.respond(id, result);
    }

    /// Notes until when this connection holds a name.
    fn hold(&mut self, name: &Name, device: DeviceId, expires_s: u16, now: Instant) {
        if let State::Phone(phone) = &mut self.state {
            let ends = now + Duration::from_secs(expires_s.into());
            phone.registered.retain(|lease| !lease.is_of(name, device));
            let name = name.clone();
            phone.registered.push(Lease { name, device, ends });
        }
    }

    /// A name in the form in which this connection registered it. Nobody has looked at the form
    /// that a refresh brings: where another connection registered it, it counts folded.
    fn as_registered(&self, name: &Name, device: DeviceId) -> Name {
        let held = self.phone().map_or(&[][..], |phone| &phone.registered);
        let known = held.iter().find(|lease| lease.is_of(name, device));
        let folded = || name.folded().parse().unwrap_or_else(|_| name.clone());
        known.map_or_else(folded, |lease| lease.name.clone())
    }

    /// The store has ended every lease of a name, those of this connection among them.
    fn drop_all(&mut self, name: &Name) {
        if let State::Phone(phone) = &mut self.state {
            for lease in phone.registered.extract_if(.., |lease| lease.name == *name) {
                let Lease { name, device, .. } = lease;
                self.outputs.push_back(Output::Leave(name, device));
            }
        }
    }

    /// Without what is of no use to this asker: a loopback address is on the registry's machine.
    fn visible(&self, mut entry: Entry) -> Entry {
        if !is_loopback(self.setup.peer.ip()) {
            let mut devices = entry.devices.into_vec();
            for device in &mut devices {
                let contacts = device.contacts.iter().copied();
                let elsewhere = contacts.filter(|contact| !is_loopback(contact.addr.ip()));
                device.contacts = List::first_of(elsewhere);
            }
            entry.devices = List::first_of(devices);
        }
        entry
    }

    fn visible_record(&self, record: Record) -> Record {
        Record {
            entry: self.visible(record.entry),
            ..record
        }
    }

    fn phone(&self) -> Result<&Phone, Refusal> {
        match &self.state {
            State::Phone(phone) => Ok(phone),
            _ => Err(Refusal::NotYours),
        }
    }

    fn binding(&self) -> Binding {
        Binding {
            registry: self.registrar.identity.key(),
            exporter: self.setup.exporter,
            nonce: self.setup.nonce,
        }
    }

    /// The registry's clock at `now`.
    fn time(&self, now: Instant) -> UnixMillis {
        let since = now.saturating_duration_since(self.setup.now).as_millis();
        self.setup
            .time
            .saturating_add(u64::try_from(since).unwrap_or(u64::MAX))
    }

    fn respond(&mut self, id: RequestId, result: Result<Success, Refusal>) {
        self.say(&FromRegistry::Response(Response { id, result }));
    }

    fn say<T: Serialize>(&mut self, message: &T)
    where
        for<'a> Line<'a, T>: std::fmt::Display,
    {
        match to_frame(message) {
            Ok(frame) => {
                self.outputs
                    .push_back(Output::Sent(Line(message).to_string()));
                self.outputs.push_back(Output::Frame(frame));
            }
            // Every message is bounded well below a frame; should one not be, the peer is not left
            // waiting for an answer that never comes.
            Err(_) => self.close("an answer was too long"),
        }
    }

    fn close_with(&mut self, reason: ClosingReason, why: &'static str) {
        if !matches!(self.state, State::Greeting | State::Introduced(_)) {
            self.say(&FromRegistry::Notice(Notice::Closing(reason)));
        }
        self.close(why);
    }

    fn close(&mut self, why: &'static str) {
        self.state = State::Closed;
        self.outputs.push_back(Output::Close(why));
    }
}

fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}
