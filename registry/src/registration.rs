//! Keeping a phone registered: register, refresh before the lease ends, come back after a loss.
//!
//! PURE: connections, answers and time come in, requests come out.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use codec::{
    DeviceId, Identity, KeyCard, Name, UnixMillis,
    registry::{
        Binding, Contacts, EXPIRES_DEFAULT_S, EXPIRES_MAX_S, EXPIRES_MIN_S, Method, Refresh,
        Refusal, Register, Request, RequestId, Response, Success, Unregister,
    },
};
use rand_core::Rng;

/// The ids of a registration's requests have this bit; those of others on the connection do not.
pub const ID_BIT: u32 = 1 << 31;

/// How long a registry may take to answer before the connection counts as dead.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// The first pause before another try; it doubles up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(500);

/// The longest pause before another try.
const PAUSE_MAX: Duration = Duration::from_secs(4);

/// The pause after a refusal that time may mend, such as a name that another's lease still holds.
const PAUSE_REFUSED: Duration = Duration::from_secs(30);

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
    pause: Duration,
    stopping: bool,
}

#[derive(Debug)]
enum State {
    /// Waits before it connects.
    Pausing {
        until: Instant,
    },
    Connecting,
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
    /// Waits for the answer to a Refresh.
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
            state: State::Connecting,
            outputs: VecDeque::from([Output::Connect]),
            cseq: 0,
            last_id: 0,
            pause: PAUSE_MIN,
            stopping: false,
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
            State::Connecting | State::Stopped => None,
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
            State::Pausing { .. } | State::Connecting | State::Stopped
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
                self.register(Link { binding }, identity, now);
            }
            Input::Disconnected => self.disconnected(rng, now),
            Input::Response(response) => self.response(response, identity, now),
            // Whoever has a copy of this profile is not to be thrown out at once in turn.
            Input::Replaced => self.pause = PAUSE_MAX,
            Input::Stop => self.stop(identity, now),
            Input::Timeout => self.timeout(identity, rng, now),
        }
    }

    fn register(&mut self, link: Link, identity: &Identity, now: Instant) {
        let cseq = self.next_cseq();
        let Registrant {
            name,
            device,
            card,
            contacts,
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
        );
        let asked = self.ask(Method::Register(register), now);
        self.state = State::Registering { link, asked };
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
        let asked = self.ask(Method::Refresh(refresh), now);
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
        let asked = self.ask(Method::Unregister(unregister), now);
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
            }
            (State::Refreshing { link, .. }, Ok(Success::Registered { expires_s })) => {
                let link = *link;
                self.registered(link, expires_s, now);
            }
            // The lease ended before the refresh came: the name may still be free.
            (State::Refreshing { link, .. }, Err(Refusal::NotFound)) => {
                let link = *link;
                self.outputs.push_back(Output::Unregistered);
                self.register(link, identity, now);
            }
            (State::Registering { link, .. } | State::Refreshing { link, .. }, result) => {
                let (link, until) = (*link, now + PAUSE_REFUSED);
                if matches!(self.state, State::Refreshing { .. }) {
                    self.outputs.push_back(Output::Unregistered);
                }
                self.state = State::Refused { link, until };
                self.outputs
                    .push_back(Output::Refused(result.err().unwrap_or(Refusal::Failed)));
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
        self.pause = PAUSE_MIN;
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
        // Between half of the pause and all of it, so that many phones do not come back at once.
        let half = self.pause / 2;
        let jitter = half.mul_f64(f64::from(rng.next_u32()) / f64::from(u32::MAX));
        self.state = State::Pausing {
            until: now + half + jitter,
        };
        self.pause = (self.pause * 2).min(PAUSE_MAX);
    }

    fn timeout(&mut self, identity: &Identity, rng: &mut impl Rng, now: Instant) {
        if self.poll_timeout().is_none_or(|deadline| deadline > now) {
            return;
        }
        match &self.state {
            State::Pausing { .. } => {
                self.state = State::Connecting;
                self.outputs.push_back(Output::Connect);
            }
            State::Refused { link, .. } => {
                let link = *link;
                self.register(link, identity, now);
            }
            State::Registered { link, .. } => {
                let link = *link;
                self.refresh(link, identity, now);
            }
            State::Registering { .. } | State::Refreshing { .. } | State::Unregistering { .. } => {
                self.outputs.push_back(Output::Disconnect);
                self.disconnected(rng, now);
            }
            State::Connecting | State::Stopped => {}
        }
    }

    fn next_cseq(&mut self) -> u64 {
        self.cseq += 1;
        self.cseq
    }

    fn ask(&mut self, method: Method, now: Instant) -> Asked {
        self.last_id = self.last_id.wrapping_add(1);
        let id = RequestId(self.last_id | ID_BIT);
        self.outputs.push_back(Output::Send(Request { id, method }));
        Asked {
            id,
            deadline: now + ANSWER_WITHIN,
        }
    }
}

#[cfg(test)]
mod tests {
    use codec::{
        greeting::{Exporter, Nonce},
        identity::AgreementSecret,
    };
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    use super::*;

    struct Rig {
        registration: Registration,
        identity: Identity,
        rng: ChaCha20Rng,
        now: Instant,
    }

    impl Rig {
        fn new(seed: u64) -> Self {
            let identity = Identity::from_secret(&[1; 32]);
            let agreement = AgreementSecret::from_secret(&[2; 32]);
            let registrant = Registrant {
                name: "bob".parse().unwrap(),
                device: DeviceId([3; 16]),
                card: KeyCard::issue(&identity, agreement.key(), 1, u64::MAX),
                contacts: Contacts::default(),
            };
            let registration = Registration::new(registrant);
            let rng = ChaCha20Rng::seed_from_u64(seed);
            Self {
                registration,
                identity,
                rng,
                now: Instant::now(),
            }
        }

        fn tell(&mut self, input: Input) -> Vec<Output> {
            self.registration
                .handle_input(input, &self.identity, &mut self.rng, self.now);
            self.outputs()
        }

        fn outputs(&mut self) -> Vec<Output> {
            std::iter::from_fn(|| self.registration.poll_output()).collect()
        }

        fn connect(&mut self) -> RequestId {
            let registry = Identity::from_secret(&[9; 32]).key();
            let binding = Binding {
                registry,
                exporter: Exporter::PLAIN,
                nonce: Nonce([7; 32]),
            };
            sent(&self.tell(Input::Connected {
                binding,
                time: 1000,
            }))
        }

        fn answer(&mut self, id: RequestId, result: Result<Success, Refusal>) -> Vec<Output> {
            self.tell(Input::Response(Response { id, result }))
        }

        fn wait_for_timeout(&mut self) -> Vec<Output> {
            self.now = self.registration.poll_timeout().unwrap();
            self.tell(Input::Timeout)
        }
    }

    const GRANTED: Result<Success, Refusal> = Ok(Success::Registered { expires_s: 60 });

    fn sent(outputs: &[Output]) -> RequestId {
        let mut ids = outputs.iter().filter_map(|output| match output {
            Output::Send(request) => Some(request.id),
            _ => None,
        });
        ids.next_back().expect("a request was sent")
    }

    #[test]
    fn it_registers_and_refreshes_before_the_lease_ends() {
        let mut rig = Rig::new(1);
        assert_eq!(rig.outputs(), [Output::Connect]);
        let id = rig.connect();
        assert_eq!(rig.answer(id, GRANTED), [Output::Registered]);
        let start = rig.now;
        for round in 1..=3 {
            let id = sent(&rig.wait_for_timeout());
            assert_eq!(rig.now, start + Duration::from_secs(30 * round));
            assert_eq!(rig.answer(id, GRANTED), []);
        }
        assert!(rig.registration.is_registered());
    }

    #[test]
    fn it_comes_back_after_a_loss_with_growing_pauses_that_differ() {
        let mut pauses = Vec::new();
        for seed in 0..2 {
            let mut rig = Rig::new(seed);
            rig.outputs();
            let id = rig.connect();
            rig.answer(id, GRANTED);
            assert_eq!(rig.tell(Input::Disconnected), [Output::Unregistered]);
            let mut last = Duration::ZERO;
            for _ in 0..10 {
                let before = rig.now;
                assert_eq!(rig.wait_for_timeout(), [Output::Connect]);
                last = rig.now - before;
                assert!(last <= PAUSE_MAX);
                rig.tell(Input::Disconnected);
            }
            assert!(last >= PAUSE_MAX / 2);
            pauses.push(last);
        }
        assert_ne!(pauses[0], pauses[1]);
    }

    #[test]
    fn a_registry_that_does_not_answer_is_left() {
        let mut rig = Rig::new(1);
        rig.connect();
        assert_eq!(rig.wait_for_timeout(), [Output::Disconnect]);
        assert!(!rig.registration.is_connected());
        assert_eq!(rig.wait_for_timeout(), [Output::Connect]);
    }

    #[test]
    fn a_taken_name_is_tried_again_later() {
        let mut rig = Rig::new(1);
        let id = rig.connect();
        let refused = rig.answer(id, Err(Refusal::NameTaken));
        assert_eq!(refused, [Output::Refused(Refusal::NameTaken)]);
        let id = sent(&rig.wait_for_timeout());
        assert_eq!(rig.answer(id, GRANTED), [Output::Registered]);
    }

    #[test]
    fn a_lease_that_ended_is_claimed_anew() {
        let mut rig = Rig::new(1);
        let id = rig.connect();
        rig.answer(id, GRANTED);
        let id = sent(&rig.wait_for_timeout());
        let outputs = rig.answer(id, Err(Refusal::NotFound));
        assert_eq!(outputs[0], Output::Unregistered);
        assert_eq!(rig.answer(sent(&outputs), GRANTED), [Output::Registered]);
    }

    #[test]
    fn stopping_unregisters_or_ends_at_once_without_a_connection() {
        let mut rig = Rig::new(1);
        let id = rig.connect();
        rig.answer(id, GRANTED);
        let id = sent(&rig.tell(Input::Stop));
        assert_eq!(
            rig.answer(id, Ok(Success::Unregistered)),
            [Output::Unregistered]
        );
        assert!(rig.registration.is_stopped());
        let mut unconnected = Rig::new(1);
        unconnected.tell(Input::Stop);
        assert!(unconnected.registration.is_stopped());
        let registry = unconnected.identity.key();
        let (exporter, nonce) = (Exporter::PLAIN, Nonce::NONE);
        let binding = Binding {
            registry,
            exporter,
            nonce,
        };
        let late = unconnected.tell(Input::Connected { binding, time: 1 });
        assert_eq!(late, [Output::Disconnect]);
    }

    #[test]
    fn the_sequence_grows_over_a_restart() {
        let mut first = Rig::new(1);
        first.connect();
        assert_eq!(first.registration.cseq, 1001);
        let mut again = Rig::new(1);
        let binding = Binding {
            registry: first.identity.key(),
            exporter: Exporter::PLAIN,
            nonce: Nonce::NONE,
        };
        again.tell(Input::Connected {
            binding,
            time: 5000,
        });
        assert!(again.registration.cseq > first.registration.cseq);
    }
}
