//! Keeping a phone registered: register, refresh before the lease ends, come back after a loss, and
//! tell presence and new contacts.
//!
//! PURE: connections, answers and time come in, requests come out.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use codec::{
    DeviceId, Identity, KeyCard, Name, UnixMillis,
    claim::Claim,
    registry::{
        Binding, Contacts, EXPIRES_DEFAULT_S, EXPIRES_MAX_S, EXPIRES_MIN_S, Method, Presence,
        Refresh, Refusal, Register, Request, RequestId, Response, Success, Unregister,
    },
};
use rand_core::Rng;

/// The ids of a registration's requests have this bit; those of others on the connection do not.
pub const ID_BIT: u32 = 1 << 31;

/// How long a registry may take to answer before the connection counts as dead.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// The same for a registration with new contacts: the network has changed, so that the connection
/// may well be dead.
const MOVED_ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// Between two tries to connect, from the beginning of one to that of the next, lies a time between
/// these, each as likely as any other. It does not grow: whenever a registry comes back, its phones
/// are back within 5 s, and 10,000 of them do not come in the same second.
const PAUSE: Pause = Pause {
    min: Duration::from_millis(500),
    max: Duration::from_secs(4),
};

/// The same after another connection has taken over this device: whoever has a copy of this profile
/// is not to be thrown out at once in turn.
const PAUSE_REPLACED: Pause = Pause {
    min: Duration::from_secs(15),
    max: Duration::from_secs(30),
};

/// The same between the end of a try and the beginning of the next one, for tries that take long:
/// to a host that does not answer one takes 3 s.
const BREATH: Pause = Pause {
    min: Duration::from_millis(250),
    max: Duration::from_millis(1250),
};

/// The pause after a refusal that time may mend, such as a name that another's lease still holds.
const PAUSE_REFUSED: Duration = Duration::from_secs(30);

/// Bounds of the pause that a registry asks for.
const PAUSE_TOLD: Pause = Pause {
    min: Duration::from_secs(1),
    max: Duration::from_secs(3600),
};

/// Bounds of a pause, a random one or one that somebody else chose.
#[derive(Debug, Clone, Copy)]
struct Pause {
    min: Duration,
    max: Duration,
}

impl Pause {
    fn draw(self, rng: &mut impl Rng) -> Duration {
        let part = f64::from(rng.next_u32()) / f64::from(u32::MAX);
        self.min + (self.max - self.min).mul_f64(part)
    }
}

/// Who is to be registered.
#[derive(Debug)]
pub struct Registrant {
    /// The name to claim.
    pub name: Name,
    /// This phone.
    pub device: DeviceId,
    /// What to seal envelopes to; signed by the identity that registers.
    pub card: KeyCard,
    /// Where this phone listens.
    pub contacts: Contacts,
    /// In case the name is free.
    pub claim: Claim,
}

/// What a registration is told.
#[derive(Debug)]
pub enum Input {
    /// A connection to the registry is up.
    Connected {
        /// What signatures on it are bound to.
        binding: Binding,
        /// The registry's clock.
        time: UnixMillis,
    },
    /// The connection failed, or could not be made.
    Disconnected,
    /// The registry answered one of the requests.
    Response(Response),
    /// The registry closes the connection because the same device has registered on another one.
    Replaced,
    /// This phone listens elsewhere now. Registers anew at once if it is registered.
    Contacts(Contacts),
    /// What to seal envelopes to has changed. Registers anew at once if it is registered.
    Card(KeyCard),
    /// What the person says of themselves, from now on and after every loss; `None` says nothing.
    Presence(Option<Presence>),
    /// Unregister, then stop.
    Stop,
    /// The time of [`Registration::poll_timeout`] has come.
    Timeout,
}

/// What a registration wants done.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    /// Connect to the registry.
    Connect,
    /// Close the connection: the registry does not answer.
    Disconnect,
    /// Send this.
    Send(Request),
    /// The name is registered; said once until it is lost.
    Registered,
    /// The registry refused. It is tried again later.
    Refused(Refusal),
    /// The name is registered no longer.
    Unregistered,
}

/// Keeps one name registered at one registry.
#[derive(Debug)]
pub struct Registration {
    registrant: Registrant,
    state: State,
    outputs: VecDeque<Output>,
    cseq: u64,
    last_id: u32,
    pause: Pause,
    stopping: bool,
    /// What the person says of themselves, if anything.
    presence: Option<Presence>,
    /// What was said of it on this connection, if anything.
    published: Option<Presence>,
}

#[derive(Debug)]
enum State {
    /// Waits before it connects.
    Pausing {
        until: Instant,
    },
    Connecting {
        /// `None` for the first time, which nobody has told the time yet.
        since: Option<Instant>,
    },
    /// Waits for the answer to a Register.
    Registering {
        link: Link,
        asked: Asked,
    },
    /// Was refused, and waits before it asks again.
    Refused {
        link: Link,
        until: Instant,
    },
    Registered {
        link: Link,
        refresh_at: Instant,
    },
    /// Is registered, and waits for the answer to a Refresh, or to a Register with new contacts.
    Refreshing {
        link: Link,
        asked: Asked,
    },
    /// Waits for the answer to an Unregister.
    Unregistering {
        asked: Asked,
    },
    Stopped,
}

#[derive(Debug, Clone, Copy)]
struct Link {
    binding: Binding,
}

#[derive(Debug, Clone, Copy)]
struct Asked {
    id: RequestId,
    deadline: Instant,
}

impl Registration {
    /// A registration that wants to connect at once.
    #[must_use]
    pub fn new(registrant: Registrant) -> Self {
        Self {
            registrant,
            state: State::Connecting { since: None },
            outputs: VecDeque::from([Output::Connect]),
            cseq: 0,
            last_id: 0,
            pause: PAUSE,
            stopping: false,
            presence: None,
            published: None,
        }
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to say [`Input::Timeout`], unless something else comes first.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Pausing { until } | State::Refused { until, .. } => Some(*until),
            State::Registered { refresh_at, .. } => Some(*refresh_at),
            State::Registering { asked, .. }
            | State::Refreshing { asked, .. }
            | State::Unregistering { asked } => Some(asked.deadline),
            State::Connecting { .. } | State::Stopped => None,
        }
    }

    /// Whether the name is registered now.
    #[must_use]
    pub fn is_registered(&self) -> bool {
        matches!(
            self.state,
            State::Registered { .. } | State::Refreshing { .. }
        )
    }

    /// Whether it was told to stop, and has.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        matches!(self.state, State::Stopped)
    }

    /// Whether the connection to the registry is up.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        !matches!(
            self.state,
            State::Pausing { .. } | State::Connecting { .. } | State::Stopped
        )
    }

    /// Takes one input; afterwards [`Registration::poll_output`] until there is none.
    pub fn handle_input(
        &mut self,
        input: Input,
        identity: &Identity,
        rng: &mut impl Rng,
        now: Instant,
    ) {
        match input {
            // It was told to stop while the connection was being made.
            Input::Connected { .. } if self.stopping => self.outputs.push_back(Output::Disconnect),
            Input::Connected { binding, time } => {
                // Counting from the registry's clock, a phone that restarts goes on where it was.
                // A registry with a wild clock does not make the count overflow.
                self.cseq = self.cseq.max(time.min(u64::MAX / 2));
                self.published = None;
                let link = Link { binding };
                let asked = self.register(link, ANSWER_WITHIN, identity, now);
                self.state = State::Registering { link, asked };
            }
            Input::Disconnected => self.disconnected(rng, now),
            Input::Response(response) => self.response(response, identity, now),
            Input::Replaced => self.pause = PAUSE_REPLACED,
            Input::Contacts(contacts) if contacts == self.registrant.contacts => {}
            Input::Contacts(contacts) => {
                self.registrant.contacts = contacts;
                self.register_anew(MOVED_ANSWER_WITHIN, identity, now);
            }
            Input::Card(card) if card == self.registrant.card => {}
            Input::Card(card) => {
                self.registrant.card = card;
                self.register_anew(ANSWER_WITHIN, identity, now);
            }
            Input::Presence(presence) => {
                self.presence = presence;
                if self.is_registered() {
                    self.publish();
                }
            }
            Input::Stop => self.stop(identity, now),
            Input::Timeout => self.timeout(identity, rng, now),
        }
    }

    /// Asks to be registered. What state that leads to depends on whether it is already.
    fn register(
        &mut self,
        link: Link,
        within: Duration,
        identity: &Identity,
        now: Instant,
    ) -> Asked {
        let cseq = self.next_cseq();
        let Registrant {
            name,
            device,
            card,
            contacts,
            claim,
        } = &self.registrant;
        let register = Register::sign(
            identity,
            &link.binding,
            name.clone(),
            *device,
            *card,
            contacts.clone(),
            EXPIRES_DEFAULT_S,
            cseq,
            claim.clone(),
        );
        self.ask(Method::Register(register), within, now)
    }

    /// Tells what is new at once. The answer to what was asked before is waited for no longer: the
    /// registry takes requests in order, so the last one counts.
    fn register_anew(&mut self, within: Duration, identity: &Identity, now: Instant) {
        match self.state {
            State::Registering { link, .. } => {
                let asked = self.register(link, within, identity, now);
                self.state = State::Registering { link, asked };
            }
            State::Registered { link, .. } | State::Refreshing { link, .. } => {
                let asked = self.register(link, within, identity, now);
                self.state = State::Refreshing { link, asked };
            }
            State::Pausing { .. }
            | State::Connecting { .. }
            | State::Refused { .. }
            | State::Unregistering { .. }
            | State::Stopped => {}
        }
    }

    /// Says what the person says of themselves, if the registry does not know it. Nobody waits for
    /// the answer: it could only be that it is done, and a lost connection is noticed otherwise.
    fn publish(&mut self) {
        // Who has nothing to say (any more) is available, as everybody is who never said anything.
        let presence = self.presence.unwrap_or(Presence::Available);
        let says_nothing = self.presence.is_none() && self.published.is_none();
        if says_nothing || self.published == Some(presence) {
            return;
        }
        self.published = Some(presence);
        self.request(Method::Publish { presence });
    }

    fn refresh(&mut self, link: Link, identity: &Identity, now: Instant) {
        let cseq = self.next_cseq();
        let Registrant { name, device, .. } = &self.registrant;
        let refresh = Refresh::sign(
            identity,
            &link.binding,
            name.clone(),
            *device,
            EXPIRES_DEFAULT_S,
            cseq,
        );
        let asked = self.ask(Method::Refresh(refresh), ANSWER_WITHIN, now);
        self.state = State::Refreshing { link, asked };
    }

    fn stop(&mut self, identity: &Identity, now: Instant) {
        self.stopping = true;
        let link = match &self.state {
            // A Register on its way may still be granted, so it is taken back as well.
            State::Registering { link, .. }
            | State::Registered { link, .. }
            | State::Refreshing { link, .. } => *link,
            State::Unregistering { .. } => return,
            _ => return self.state = State::Stopped,
        };
        let cseq = self.next_cseq();
        let Registrant { name, device, .. } = &self.registrant;
        let unregister = Unregister::sign(identity, &link.binding, name.clone(), *device, cseq);
        let asked = self.ask(Method::Unregister(unregister), ANSWER_WITHIN, now);
        self.state = State::Unregistering { asked };
    }

    fn response(&mut self, response: Response, identity: &Identity, now: Instant) {
        match (&self.state, response.result) {
            (State::Registering { asked, .. } | State::Refreshing { asked, .. }, _)
                if asked.id != response.id => {}
            (State::Registering { link, .. }, Ok(Success::Registered { expires_s })) => {
                let link = *link;
                self.outputs.push_back(Output::Registered);
                self.registered(link, expires_s, now);
                // Said again for every registration, should an earlier one have been another's.
                if self.presence.is_some() {
                    self.published = None;
                }
                self.publish();
            }
            (State::Refreshing { link, .. }, Ok(Success::Registered { expires_s })) => {
                let link = *link;
                self.registered(link, expires_s, now);
            }
            // The lease ended before the refresh came: the name may still be free.
            (State::Refreshing { link, .. }, Err(Refusal::NotFound)) => {
                let link = *link;
                self.outputs.push_back(Output::Unregistered);
                let asked = self.register(link, ANSWER_WITHIN, identity, now);
                self.state = State::Registering { link, asked };
            }
            (State::Registering { link, .. } | State::Refreshing { link, .. }, result) => {
                let refusal = result.err().unwrap_or(Refusal::Failed);
                let pause = match refusal {
                    Refusal::TooFast { retry_s } => {
                        Duration::from_secs(retry_s.into()).clamp(PAUSE_TOLD.min, PAUSE_TOLD.max)
                    }
                    _ => PAUSE_REFUSED,
                };
                let (link, until) = (*link, now + pause);
                if matches!(self.state, State::Refreshing { .. }) {
                    self.outputs.push_back(Output::Unregistered);
                }
                self.state = State::Refused { link, until };
                self.outputs.push_back(Output::Refused(refusal));
            }
            (State::Unregistering { asked }, _) if asked.id == response.id => {
                self.state = State::Stopped;
                self.outputs.push_back(Output::Unregistered);
            }
            // An answer that is no longer waited for.
            _ => {}
        }
    }

    fn registered(&mut self, link: Link, expires_s: u16, now: Instant) {
        self.pause = PAUSE;
        // Half of the lease leaves time for a lost connection and a second try.
        let expires_s = expires_s.clamp(EXPIRES_MIN_S, EXPIRES_MAX_S);
        let refresh_at = now + Duration::from_secs(expires_s.into()) / 2;
        self.state = State::Registered { link, refresh_at };
    }

    fn disconnected(&mut self, rng: &mut impl Rng, now: Instant) {
        if self.is_registered() {
            self.outputs.push_back(Output::Unregistered);
        }
        if self.stopping {
            self.state = State::Stopped;
            return;
        }
        let pause = self.pause.draw(rng);
        let until = match self.state {
            State::Connecting { since: Some(since) } => (since + pause).max(now + BREATH.draw(rng)),
            _ => now + pause,
        };
        self.state = State::Pausing { until };
    }

    fn timeout(&mut self, identity: &Identity, rng: &mut impl Rng, now: Instant) {
        if self.poll_timeout().is_none_or(|deadline| deadline > now) {
            return;
        }
        match &self.state {
            State::Pausing { .. } => {
                self.state = State::Connecting { since: Some(now) };
                self.outputs.push_back(Output::Connect);
            }
            State::Refused { link, .. } => {
                let link = *link;
                let asked = self.register(link, ANSWER_WITHIN, identity, now);
                self.state = State::Registering { link, asked };
            }
            State::Registered { link, .. } => {
                let link = *link;
                self.refresh(link, identity, now);
            }
            State::Registering { .. } | State::Refreshing { .. } | State::Unregistering { .. } => {
                self.outputs.push_back(Output::Disconnect);
                self.disconnected(rng, now);
            }
            State::Connecting { .. } | State::Stopped => {}
        }
    }

    fn next_cseq(&mut self) -> u64 {
        self.cseq += 1;
        self.cseq
    }

    fn ask(&mut self, method: Method, within: Duration, now: Instant) -> Asked {
        Asked {
            id: self.request(method),
            deadline: now + within,
        }
    }

    fn request(&mut self, method: Method) -> RequestId {
        self.last_id = self.last_id.wrapping_add(1);
        let id = RequestId(self.last_id | ID_BIT);
        self.outputs.push_back(Output::Send(Request { id, method }));
        id
    }
}

#[cfg(test)]
mod tests;
