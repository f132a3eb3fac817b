//! One connection told anything in any order: it never panics, asks and holds no more than its
//! limits, answers every frame once, and closes when its time has come.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use codec::{
    DeviceId, Envelope, Identity, KeyCard, List, Name, Party, Text,
    envelope::{Address, EnvelopeId, Kind},
    frame::{FrameDecoder, FrameError, from_payload, to_frame},
    greeting::{Answer, Exporter, Hello, Nonce, PROTOCOL_VERSION, PhoneGreeting, Role},
    identity::AgreementSecret,
    registry::{
        Binding, ClosingReason, Contacts, FromRegistry, Method, Prefix, Presence, Refresh, Refusal,
        Register, Request, RequestId, Unregister, Watch,
    },
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use registry::{
    limits::Limits,
    line::Line,
    session::{Answered, Ask, Input, Output, Registrar, Session, Setup},
    table::{ConnectionId, Table},
};
use serde::{Serialize, de::DeserializeOwned};

use super::{script::Script, text::is_harmless};

/// A connection registers little, so that a script reaches what happens beyond that.
fn limits() -> Limits {
    Limits {
        registrations: REGISTERED_MAX,
        ..Limits::default()
    }
}

/// A driver answers before it reads on; one that does not is told that it failed.
const WAITING_MAX: usize = 1;
const REGISTERED_MAX: usize = 3;

const TIME: u64 = 1_800_000_000_000;
const NONCE: Nonce = Nonce([6; 32]);

/// The most that one input may bring out: leases that end, and an answer.
const OUTPUTS_MAX: usize = 64;

/// The most steps of one script, so that none takes longer than a moment.
const STEPS_MAX: usize = 200;

/// Reads `input` as what happens to a session, and as a message to be logged.
pub fn check(input: &[u8]) {
    shows::<Hello>(input);
    shows::<Answer>(input);
    shows::<Request>(input);
    shows::<Envelope>(input);
    shows::<FromRegistry>(input);

    let mut script = Script(input);
    let mut rig = Rig::new(&mut script);
    for _ in 0..STEPS_MAX {
        if script.is_over() {
            break;
        }
        rig.step(&mut script);
    }
    rig.finish();
}

/// What is logged of a message breaks no terminal.
fn shows<T: DeserializeOwned>(payload: &[u8])
where
    for<'a> Line<'a, T>: std::fmt::Display,
{
    if let Ok(message) = from_payload::<T>(payload) {
        is_harmless(&Line(&message).to_string());
    }
}

/// A session with a table behind it, and what was asked of the table and not answered yet.
struct Rig {
    session: Session,
    table: Table,
    now: Instant,
    asked: Vec<(RequestId, Ask)>,
    greeted: bool,
    /// Frames that came in after the greeting, and answers that went out.
    heard: usize,
    answered: usize,
    /// Until when the connection holds what it registered.
    leases: BTreeMap<(Name, DeviceId), Instant>,
    watches: bool,
    closed: bool,
}

impl Rig {
    fn new(script: &mut Script<'_>) -> Self {
        let registrar = Registrar {
            identity: Identity::from_secret(&[99; 32]),
            agent: Text::new("fuzz").expect("an agent"),
            limits: limits(),
        };
        let peers = ["127.0.0.1:9", "192.0.2.7:9", "[2001:db8::7]:9", "[::1]:9"];
        let how = script.byte();
        let now = Instant::now();
        let setup = Setup {
            id: ConnectionId(1),
            peer: peers[usize::from(how % 4)].parse().expect("an address"),
            nonce: NONCE,
            exporter: Exporter::PLAIN,
            now,
            time: TIME,
        };
        Self {
            session: Session::new(Arc::new(registrar), setup),
            table: Table::new(4),
            now,
            asked: Vec::new(),
            greeted: false,
            heard: 0,
            answered: 0,
            leases: BTreeMap::new(),
            watches: false,
            closed: false,
        }
    }

    fn step(&mut self, script: &mut Script<'_>) {
        match script.byte() % 16 {
            0 => self.payload(script.some_bytes()),
            1..=8 => {
                let mut payload = message(script);
                script.damage(&mut payload);
                self.payload(&payload);
            }
            9 | 10 => self.answer(script.byte().into()),
            11 => {
                self.now += Duration::from_millis(100) * u32::from(script.byte());
                self.timeout();
            }
            12 => {
                self.now += Duration::from_secs(5) * u32::from(script.byte());
                self.table.expire(self.now);
                self.timeout();
            }
            13 => {
                let open = !self.closed;
                self.heard += usize::from(self.greeted && open);
                self.tell(Input::BadFrame(FrameError::NotStuffed));
            }
            // Only to who has registered here can anything come by another way.
            14 if !self.leases.is_empty() => self.tell(Input::Envelope(envelope())),
            _ => self.other(script),
        }
    }

    /// What happens rarely.
    fn other(&mut self, script: &mut Script<'_>) {
        let name: Name = "bob".parse().expect("a name");
        match script.byte() {
            0 => self.tell(Input::Stop),
            1 if !self.leases.is_empty() => self.tell(Input::Ended(ClosingReason::Replaced)),
            2 => self.tell(Input::Incomplete),
            3 => self.tell(Input::SlowReader),
            4 | 5 if self.watches => {
                let entry = self.table.lookup(&name, self.now).map(|found| found.entry);
                self.tell(Input::Changed(&name, entry));
            }
            6 if self.watches => self.tell(Input::Missed),
            _ => self.timeout(),
        }
    }

    fn payload(&mut self, payload: &[u8]) {
        self.heard += usize::from(self.greeted && !self.closed);
        self.tell(Input::Payload(payload));
    }

    /// Whoever drives the session comes at its time, and does not have to come again at once.
    fn timeout(&mut self) {
        self.tell(Input::Timeout);
        let next = self.session.poll_timeout();
        assert!(next.is_none_or(|next| next > self.now), "it would spin");
    }

    fn tell(&mut self, input: Input<'_>) {
        self.session.handle_input(input, self.now);
        let mut count = 0;
        while let Some(output) = self.session.poll_output() {
            count += 1;
            assert!(count <= OUTPUTS_MAX, "one input brings out too much");
            assert!(!self.closed, "{output:?} after the end");
            self.obey(output);
        }
        assert!(self.asked.len() <= WAITING_MAX);
        let live = self.leases.values().filter(|ends| **ends > self.now);
        // What is being asked counts only once it is answered.
        assert!(live.count() <= REGISTERED_MAX + WAITING_MAX);
        assert_eq!(self.session.poll_timeout().is_none(), self.closed);
    }

    #[allow(unreachable_patterns, reason = "there may be more outputs one day")]
    fn obey(&mut self, output: Output) {
        match output {
            Output::Frame(frame) => {
                let payload = FrameDecoder::default().next(&mut frame.as_slice());
                let payload = payload.expect("a whole frame").expect("a frame");
                if !std::mem::replace(&mut self.greeted, true) {
                    let answer: Answer = from_payload(&payload).expect("an answer");
                    assert_eq!(answer.version, PROTOCOL_VERSION);
                } else if let FromRegistry::Response(_) =
                    from_payload(&payload).expect("what a registry says")
                {
                    self.answered += 1;
                }
            }
            Output::Ask(id, ask) => self.asked.push((id, ask)),
            Output::Leave(name, device) => drop(self.leases.remove(&(name, device))),
            Output::Received(line) | Output::Sent(line) => is_harmless(&line),
            Output::Close(_) => self.closed = true,
            _ => {}
        }
    }

    /// Answers one of the questions, in any order.
    #[allow(unreachable_patterns, reason = "there may be more questions one day")]
    fn answer(&mut self, which: usize) {
        if self.asked.is_empty() {
            return;
        }
        let (id, ask) = self.asked.remove(which % self.asked.len());
        let (table, now) = (&mut self.table, self.now);
        let answered = match ask {
            Ask::Greet(_) => Answered::Greet(Ok(())),
            Ask::Register(registration) => {
                let device = (registration.name.clone(), registration.device);
                let ends = now + registration.expires;
                let registered = table.register(registration, now);
                if registered.is_ok() {
                    self.leases.insert(device, ends);
                }
                Answered::Register(registered)
            }
            Ask::Refresh(renewal, expires) => {
                Answered::Refresh(table.refresh(&renewal, expires, now))
            }
            Ask::Unregister(renewal) => Answered::Unregister(table.unregister(&renewal, now)),
            Ask::Lookup(name) => {
                Answered::Lookup(table.lookup(&name, now).ok_or(Refusal::NotFound))
            }
            Ask::List {
                prefix,
                after,
                limit,
            } => Answered::List(Ok(table.list(&prefix, after.as_ref(), limit, now))),
            Ask::Forward(_) => Answered::Forward(Ok(1)),
            Ask::Publish {
                devices,
                connection,
                presence,
            } => {
                for (name, device) in devices {
                    table.publish(&name, device, connection, presence, now);
                }
                Answered::Publish
            }
            Ask::Watch(_) => {
                self.watches = true;
                Answered::Watch(Ok(()))
            }
            _ => Answered::Forward(Err(Refusal::Failed)),
        };
        self.tell(Input::Answered(id, answered));
    }

    /// Once everything is answered so is everything that was asked, and the end comes by itself.
    fn finish(mut self) {
        while !self.asked.is_empty() {
            self.answer(0);
        }
        if !self.closed {
            assert_eq!(
                self.answered, self.heard,
                "a frame was left without an answer"
            );
        }
        for _ in 0..=REGISTERED_MAX {
            if let Some(next) = self.session.poll_timeout() {
                self.now = self.now.max(next);
                self.timeout();
            }
        }
        assert!(self.closed, "silence does not end it");
    }
}

/// A message as an honest phone would send it, if in no sensible order.
fn message(script: &mut Script<'_>) -> Vec<u8> {
    let what = script.byte();
    let person = person(script.byte() % 2);
    if what % 16 < 3 {
        let role = match what % 16 {
            0 => Role::Client,
            _ => Role::Phone(PhoneGreeting {
                card: person.card,
                nonce: Nonce([1; 32]),
            }),
        };
        let agent = Text::new("fuzz").expect("an agent");
        return payload(&Hello {
            version: PROTOCOL_VERSION,
            agent,
            role,
        });
    }
    let names = ["alice", "Bob", "bob", "Ольга", "李明", "carol"];
    let name: Name = script.choose(&names).parse().expect("a name");
    let device = DeviceId([script.byte() % 12; 16]);
    let expires_s = *script.choose(&[60, 10, 3600, 9, 3601, 0, u16::MAX]);
    let (id, cseq) = (RequestId(script.byte().into()), script.byte().into());
    let method = match what % 16 {
        3..=6 => {
            let addr = |number: u8| match number % 5 {
                0 => ([0, 0, 0, 0], 1).into(),
                1 => ([127, 0, 0, 1], number.into()).into(),
                _ => ([10, 0, 0, number], 4000).into(),
            };
            let contacts = script.bytes(3).iter().map(|&number| addr(number));
            let contacts = Contacts::first_of(contacts);
            Method::Register(Register::sign(
                &person.identity,
                &binding(),
                name,
                device,
                person.card,
                contacts,
                expires_s,
                cseq,
                codec::claim::Claim::new(codec::RecoveryLock([7; 32])),
            ))
        }
        7 | 8 => Method::Refresh(Refresh::sign(
            &person.identity,
            &binding(),
            name,
            device,
            expires_s,
            cseq,
        )),
        9 => Method::Unregister(Unregister::sign(
            &person.identity,
            &binding(),
            name,
            device,
            cseq,
        )),
        10 | 11 => Method::Lookup { name },
        12 => Method::List {
            prefix: Prefix::new(&String::from_utf8_lossy(script.bytes(3))),
            after: (cseq % 2 == 0).then_some(name),
            limit: script.byte(),
        },
        14 => Method::Publish {
            presence: *script.choose(&[Presence::Busy, Presence::Away, Presence::Available]),
        },
        15 => Method::Watch(match script.byte() {
            0 => Watch::Everybody,
            _ => Watch::Names(List::first_of([name])),
        }),
        _ => Method::Send {
            envelope: envelope().clone(),
            ttl_s: 0,
        },
    };
    payload(&Request { id, method })
}

fn payload<T: Serialize>(message: &T) -> Vec<u8> {
    let frame = to_frame(message).expect("it fits a frame");
    let payload = FrameDecoder::default().next(&mut frame.as_slice());
    payload.expect("a whole frame").expect("a frame")
}

fn binding() -> Binding {
    Binding {
        registry: Identity::from_secret(&[99; 32]).key(),
        exporter: Exporter::PLAIN,
        nonce: NONCE,
    }
}

struct Person {
    identity: Identity,
    card: KeyCard,
}

/// Alice and bob. Signing takes most of the time, so what is always the same is made once.
fn person(number: u8) -> &'static Person {
    static PEOPLE: OnceLock<[Person; 2]> = OnceLock::new();
    let people = PEOPLE.get_or_init(|| {
        [0, 1].map(|number| {
            let identity = Identity::from_secret(&[number + 1; 32]);
            let agreement = AgreementSecret::from_secret(&[number + 100; 32]);
            let card = KeyCard::issue(&identity, agreement.key(), 1, TIME + 86_400_000);
            Person { identity, card }
        })
    });
    &people[usize::from(number)]
}

/// From alice to bob; what is inside does not matter to a registry.
fn envelope() -> &'static Envelope {
    static ENVELOPE: OnceLock<Envelope> = OnceLock::new();
    ENVELOPE.get_or_init(sealed)
}

fn sealed() -> Envelope {
    let (alice, bob) = (person(0), person(1));
    let party = |name: &str, identity: &Identity| Party {
        name: name.parse().expect("a name"),
        identity: identity.key(),
    };
    let address = Address {
        from: party("alice", &alice.identity),
        to: party("bob", &bob.identity),
        id: EnvelopeId([5; 16]),
        kind: Kind::Signal,
    };
    let (key, mut rng) = (bob.card.agreement, ChaCha20Rng::seed_from_u64(1));
    Envelope::seal(
        &alice.identity,
        address,
        &key,
        Nonce::NONE,
        1,
        &"hello",
        &mut rng,
    )
    .expect("it fits")
}
