//! A session told what a peer would send, in order, with the clock in hand.

use codec::{
    Bytes, DeviceId, Envelope, Identity, KeyCard, Party, Text,
    envelope::{Address, EnvelopeId, Kind},
    greeting::PhoneGreeting,
    identity::AgreementSecret,
    registry::{Contacts, Method, Prefix, Refresh, Register, Unregister},
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

use super::*;
use crate::table::Table;

mod doors;
mod fairness;
mod owning;

const TIME: UnixMillis = 1_800_000_000_000;

/// A session with a table behind it, driven as the server drives it.
struct Rig {
    session: Session,
    table: Table,
    now: Instant,
    said: Vec<FromRegistry>,
    answers: Vec<Answer>,
    closed: Option<&'static str>,
    joined: Vec<(Name, DeviceId)>,
    added: usize,
    logged: Vec<String>,
    counted: Vec<Count>,
    worked: u32,
    served: Result<(), Unwelcome>,
}

struct Person {
    identity: Identity,
    card: KeyCard,
}

fn person(seed: u8) -> Person {
    let identity = Identity::from_secret(&[seed; 32]);
    let agreement = AgreementSecret::from_secret(&[seed + 100; 32]);
    let card = KeyCard::issue(&identity, agreement.key(), 1, TIME + 86_400_000);
    Person { identity, card }
}

fn payload<T: Serialize>(message: &T) -> Vec<u8> {
    let mut decoder = codec::frame::FrameDecoder::default();
    let frame = to_frame(message).unwrap();
    decoder.next(&mut &frame[..]).unwrap().unwrap()
}

fn device() -> DeviceId {
    DeviceId([4; 16])
}

impl Rig {
    fn from(peer: &str) -> Self {
        Self::with(peer, Nonce([6; 32]), Limits::default())
    }

    fn with_nonce(peer: &str, nonce: Nonce) -> Self {
        Self::with(peer, nonce, Limits::default())
    }

    fn with(peer: &str, nonce: Nonce, limits: Limits) -> Self {
        let identity = Identity::from_secret(&[99; 32]);
        let registrar = Registrar {
            identity,
            agent: Text::new("test").unwrap(),
            limits,
        };
        let now = Instant::now();
        let peer = peer.parse().unwrap();
        let setup = Setup {
            peer,
            id: ConnectionId(1),
            nonce,
            exporter: Exporter::PLAIN,
            now,
            time: TIME,
        };
        Self {
            session: Session::new(Arc::new(registrar), setup),
            table: Table::new(100),
            now,
            said: Vec::new(),
            answers: Vec::new(),
            closed: None,
            joined: Vec::new(),
            added: 0,
            logged: Vec::new(),
            counted: Vec::new(),
            worked: 0,
            served: Ok(()),
        }
    }

    fn tell(&mut self, input: Input<'_>) {
        self.session.handle_input(input, self.now);
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Frame(frame) => {
                    let mut decoder = codec::frame::FrameDecoder::default();
                    let payload = decoder.next(&mut &frame[..]).unwrap().unwrap();
                    // The first frame is the answer to the greeting, all others are not.
                    if self.answers.is_empty() {
                        self.answers.push(from_payload(&payload).unwrap());
                    } else {
                        self.said.push(from_payload(&payload).unwrap());
                    }
                }
                Output::Ask(id, ask) => {
                    let now = self.now;
                    let answered = match ask {
                        Ask::Greet(_) => Answered::Greet(self.served),
                        Ask::Register(r) => Answered::Register(self.table.register(r, now)),
                        Ask::Refresh(r, expires) => {
                            Answered::Refresh(self.table.refresh(&r, expires, now))
                        }
                        Ask::Unregister(r) => Answered::Unregister(self.table.unregister(&r, now)),
                        Ask::Lookup(name) => {
                            Answered::Lookup(self.table.lookup(&name, now).ok_or(Refusal::NotFound))
                        }
                        Ask::List {
                            prefix,
                            after,
                            limit,
                        } => {
                            let page = self.table.list(&prefix, after.as_ref(), limit, now);
                            Answered::List(Ok(page))
                        }
                        Ask::Forward(_) => Answered::Forward(Ok(1)),
                        Ask::Publish {
                            devices,
                            connection,
                            presence,
                        } => {
                            for (name, device) in devices {
                                self.table.publish(&name, device, connection, presence, now);
                            }
                            Answered::Publish
                        }
                        Ask::Watch(_) => Answered::Watch(Ok(())),
                        // Whose it is is decided elsewhere; here it only counts who asks.
                        Ask::Release(name, _) => {
                            self.table.end_all(&name);
                            Answered::Release(Ok(()))
                        }
                        Ask::ChangeKey(change) => {
                            self.table.end_all(&change.name);
                            Answered::ChangeKey(Ok(()))
                        }
                        Ask::Recover(recovery) => {
                            self.table.end_all(&recovery.name);
                            Answered::Recover(Ok(()))
                        }
                    };
                    self.session
                        .handle_input(Input::Answered(id, answered), now);
                }
                Output::Join(name, device) => self.joined.push((name, device)),
                Output::Leave(name, device) => {
                    self.joined.retain(|known| *known != (name.clone(), device));
                }
                Output::Added(_) => self.added += 1,
                Output::Removed(_) => {}
                Output::Work(units) => self.worked += units,
                Output::Count(count) => self.counted.push(count),
                Output::Received(line) | Output::Sent(line) => self.logged.push(line),
                Output::Close(why) => self.closed = Some(why),
            }
        }
    }

    fn greet(&mut self, person: Option<&Person>) {
        let role = match person {
            Some(person) => Role::Phone(PhoneGreeting {
                card: person.card,
                nonce: Nonce([1; 32]),
            }),
            None => Role::Client,
        };
        let agent = Text::new("test").unwrap();
        let hello = Hello {
            version: PROTOCOL_VERSION,
            agent,
            role,
        };
        self.tell(Input::Payload(&payload(&hello)));
    }

    fn ask(&mut self, id: u32, method: Method) -> Result<Success, Refusal> {
        let before = self.said.len();
        self.tell(Input::Payload(&payload(&Request {
            id: RequestId(id),
            method,
        })));
        assert_eq!(self.said.len(), before + 1, "one answer to one request");
        match self.said.last() {
            Some(FromRegistry::Response(response)) => {
                assert_eq!(response.id, RequestId(id));
                response.result.clone()
            }
            other => panic!("no response but {other:?}"),
        }
    }

    fn binding(&self) -> Binding {
        self.session.binding()
    }

    fn register(&self, person: &Person, contacts: &[&str], cseq: u64) -> Method {
        let contacts = Contacts::first_of(contacts.iter().map(|addr| addr.parse().unwrap()));
        Method::Register(Register::sign(
            &person.identity,
            &self.binding(),
            "bob".parse().unwrap(),
            device(),
            person.card,
            contacts,
            60,
            cseq,
            codec::claim::Claim::new(codec::RecoveryLock([7; 32])),
        ))
    }

    fn lookup(&mut self, id: u32) -> Result<Vec<SocketAddr>, Refusal> {
        match self.ask(
            id,
            Method::Lookup {
                name: "bob".parse().unwrap(),
            },
        )? {
            Success::Found(record) => Ok(record.entry.contacts()),
            other => panic!("{other:?}"),
        }
    }
}

const GRANTED: Result<Success, Refusal> = Ok(Success::Registered { expires_s: 60 });

#[test]
fn a_phone_registers_is_found_and_unregisters() {
    let bob = person(1);
    let mut rig = Rig::from("10.0.0.7:1234");
    rig.greet(Some(&bob));
    assert!(matches!(&rig.answers[0].welcome, Ok(Welcome::Registry(w))
        if w.is_proven(&Exporter::PLAIN) && w.observed == rig.session.setup.peer));
    let register = rig.register(&bob, &["192.168.1.7:4000"], 1);
    assert_eq!(rig.ask(1, register), GRANTED);
    assert_eq!((rig.added, rig.joined.len()), (1, 1));
    let found = rig.lookup(2).unwrap();
    assert_eq!(
        found,
        [
            "192.168.1.7:4000".parse().unwrap(),
            "10.0.0.7:4000".parse().unwrap()
        ]
    );
    let name: Name = "bob".parse().unwrap();
    let refresh = Refresh::sign(&bob.identity, &rig.binding(), name.clone(), device(), 60, 2);
    assert_eq!(rig.ask(3, Method::Refresh(refresh)), GRANTED);
    let unregister = Unregister::sign(&bob.identity, &rig.binding(), name, device(), 3);
    assert_eq!(
        rig.ask(4, Method::Unregister(unregister)),
        Ok(Success::Unregistered)
    );
    assert!(rig.joined.is_empty());
    assert_eq!(rig.lookup(5), Err(Refusal::NotFound));
}

#[test]
fn a_second_key_cannot_take_a_live_name() {
    let (bob, eve) = (person(1), person(2));
    let mut rig = Rig::from("10.0.0.7:1234");
    rig.greet(Some(&bob));
    let register = rig.register(&bob, &["10.0.0.7:4000"], 1);
    rig.ask(1, register).unwrap();
    let mut thief = Rig::from("10.0.0.8:1234");
    thief.table = rig.table;
    thief.greet(Some(&eve));
    let register = thief.register(&eve, &["10.0.0.8:4000"], 9);
    assert_eq!(thief.ask(1, register), Err(Refusal::NameTaken));
    // With Bob's card instead of her own the signature does not fit.
    let mut forged = thief.register(&eve, &["10.0.0.8:4000"], 9);
    if let Method::Register(register) = &mut forged {
        register.card = bob.card;
    }
    assert_eq!(thief.ask(2, forged), Err(Refusal::BadSignature));
    assert!(thief.joined.is_empty());
}

#[test]
fn a_registration_captured_elsewhere_is_refused() {
    let bob = person(1);
    let mut rig = Rig::from("10.0.0.7:1234");
    rig.greet(Some(&bob));
    let other = Binding {
        nonce: Nonce([7; 32]),
        ..rig.binding()
    };
    let register = Register::sign(
        &bob.identity,
        &other,
        "bob".parse().unwrap(),
        device(),
        bob.card,
        Contacts::default(),
        60,
        1,
        codec::claim::Claim::new(codec::RecoveryLock([7; 32])),
    );
    assert_eq!(
        rig.ask(1, Method::Register(register)),
        Err(Refusal::BadSignature)
    );
    let register = rig.register(&bob, &[], 1);
    assert_eq!(rig.ask(2, register.clone()), GRANTED);
    assert_eq!(rig.ask(3, register), Err(Refusal::Stale));
}

#[test]
fn loopback_contacts_are_told_only_on_the_same_machine() {
    let bob = person(1);
    let mut rig = Rig::from("127.0.0.1:1234");
    rig.greet(Some(&bob));
    let register = rig.register(&bob, &["192.168.1.7:4000"], 1);
    rig.ask(1, register).unwrap();
    assert_eq!(rig.lookup(2).unwrap().len(), 2);
    let mut far = Rig::from("10.0.0.9:1");
    far.table = rig.table;
    far.greet(None);
    assert_eq!(
        far.lookup(1).unwrap(),
        ["192.168.1.7:4000".parse().unwrap()]
    );
    let page = far.ask(
        2,
        Method::List {
            prefix: Prefix::new("B"),
            after: None,
            limit: 9,
        },
    );
    let Ok(Success::Page(page)) = page else {
        panic!("{page:?}")
    };
    assert_eq!(page.entries[0].contacts().len(), 1);
}

#[test]
fn a_phone_elsewhere_registers_no_loopback_address() {
    let bob = person(1);
    let mut rig = Rig::from("10.0.0.7:1234");
    rig.greet(Some(&bob));
    let register = rig.register(&bob, &["127.0.0.1:6379", "[::1]:25"], 1);
    rig.ask(1, register).unwrap();
    // Somebody on the registry's machine, who is told all there is.
    let mut near = Rig::from("127.0.0.1:1");
    near.table = rig.table;
    near.greet(None);
    let observed = "10.0.0.7:6379".parse().unwrap();
    assert_eq!(near.lookup(1).unwrap(), [observed]);
}

#[test]
fn what_a_connection_holds_by_refreshing_counts_as_well() {
    let bob = person(1);
    let mut rig = Rig::from("10.0.0.7:1234");
    let most = u8::try_from(Limits::default().registrations).unwrap();
    let name = |number: u8| -> Name { format!("n{number}").parse().unwrap() };
    let register = |rig: &Rig, number: u8| {
        let (binding, device) = (rig.binding(), DeviceId([number; 16]));
        let (key, name, none) = (&bob.identity, name(number), Contacts::default());
        let signed = Register::sign(
            key,
            &binding,
            name,
            device,
            bob.card,
            none,
            60,
            1,
            codec::claim::Claim::new(codec::RecoveryLock([7; 32])),
        );
        Method::Register(signed)
    };
    let refresh = |rig: &Rig, number: u8| {
        let (binding, device) = (rig.binding(), DeviceId([number; 16]));
        let signed = Refresh::sign(&bob.identity, &binding, name(number), device, 60, 2);
        Method::Refresh(signed)
    };
    rig.greet(Some(&bob));
    for number in 0..most {
        rig.ask(1, register(&rig, number)).unwrap();
    }
    let mut other = Rig::from("10.0.0.7:1235");
    other.table = rig.table;
    other.greet(Some(&bob));
    other.ask(1, register(&other, most)).unwrap();
    for number in 0..most {
        let refreshed = other.ask(2, refresh(&other, number));
        if number + 1 < most {
            assert_eq!(refreshed, GRANTED);
        } else {
            assert_eq!(refreshed, Err(Refusal::TooMany));
        }
    }
    assert!(other.counted.contains(&Count::RegistrationsRefused));
}

#[test]
fn a_lease_is_no_longer_than_the_registry_gives_and_the_phone_is_told() {
    for (most, granted) in [(3600, 60), (60, 60), (20, 20), (0, 10)] {
        let bob = person(1);
        let limits = Limits {
            lease_max_s: most,
            ..Limits::default()
        };
        let mut rig = Rig::with("10.0.0.7:1234", Nonce([6; 32]), limits);
        rig.greet(Some(&bob));
        let register = rig.register(&bob, &["192.168.1.7:4000"], 1);
        let told = Ok(Success::Registered { expires_s: granted });
        assert_eq!(rig.ask(1, register), told);
        let name: Name = "bob".parse().unwrap();
        let refresh = Refresh::sign(&bob.identity, &rig.binding(), name, device(), 60, 2);
        assert_eq!(rig.ask(2, Method::Refresh(refresh)), told);
        let (rows, now) = (rig.table.rows(1, rig.now), rig.now);
        let granted = Duration::from_secs(granted.into());
        assert_eq!(rows[0].lease_left, granted);
        assert!(rig.table.expire(now + granted).len() == 1);
    }
}

#[test]
fn values_out_of_range_are_refused() {
    let bob = person(1);
    let mut rig = Rig::from("10.0.0.7:1234");
    rig.greet(Some(&bob));
    for (id, contact) in [(1, "0.0.0.0:5"), (2, "10.0.0.1:0"), (3, "224.0.0.1:5")] {
        let register = rig.register(&bob, &[contact], 1);
        assert_eq!(rig.ask(id, register), Err(Refusal::OutOfRange));
    }
    let name: Name = "bob".parse().unwrap();
    for (id, expires) in [(4, 9), (5, 3601)] {
        let refresh = Refresh::sign(
            &bob.identity,
            &rig.binding(),
            name.clone(),
            device(),
            expires,
            2,
        );
        assert_eq!(
            rig.ask(id, Method::Refresh(refresh)),
            Err(Refusal::OutOfRange)
        );
    }
}

/// From somebody under a name, to eve.
fn envelope(from: &Person, name: &str) -> Envelope {
    let eve = person(2);
    let party = |name: &str, person: &Person| Party {
        name: name.parse().unwrap(),
        identity: person.identity.key(),
    };
    let address = Address {
        from: party(name, from),
        to: party("eve", &eve),
        id: EnvelopeId([1; 16]),
        kind: Kind::Signal,
    };
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let body: Bytes<9> = vec![1].try_into().unwrap();
    let key = eve.card.agreement;
    Envelope::seal(
        &from.identity,
        address,
        &key,
        Nonce::NONE,
        TIME,
        &body,
        &mut rng,
    )
    .unwrap()
}

#[test]
fn envelopes_are_forwarded_only_from_who_registered_here() {
    let (bob, eve) = (person(1), person(2));
    let mut rig = Rig::from("10.0.0.7:1234");
    rig.greet(Some(&bob));
    let send = |envelope| Method::Send { envelope, ttl_s: 0 };
    assert_eq!(
        rig.ask(1, send(envelope(&bob, "bob"))),
        Err(Refusal::NotYours)
    );
    let register = rig.register(&bob, &[], 1);
    rig.ask(2, register).unwrap();
    assert_eq!(
        rig.ask(3, send(envelope(&bob, "bob"))),
        Ok(Success::Sent { devices: 1 })
    );
    assert_eq!(
        rig.ask(4, send(envelope(&bob, "carol"))),
        Err(Refusal::NotYours)
    );
    assert_eq!(
        rig.ask(5, send(envelope(&eve, "bob"))),
        Err(Refusal::NotYours)
    );
    let letter = envelope(&eve, "eve");
    rig.tell(Input::Envelope(&letter));
    assert_eq!(
        rig.said.last(),
        Some(&FromRegistry::Notice(Notice::Envelope(letter)))
    );
}

#[test]
fn who_is_not_welcome_is_told_why() {
    let mut rubbish = Rig::from("10.0.0.1:1");
    rubbish.tell(Input::Payload(&[PROTOCOL_VERSION, 0xFF, 0xFF]));
    assert_eq!(rubbish.answers[0].welcome, Err(Unwelcome::Malformed));

    let mut newer = Rig::from("10.0.0.1:1");
    newer.tell(Input::Payload(&[77, 1, 2, 3]));
    assert_eq!(newer.answers[0].welcome, Err(Unwelcome::Version));

    let mut late = Rig::from("10.0.0.1:1");
    let mut bob = person(1);
    bob.card = KeyCard::issue(&bob.identity, bob.card.agreement, 1, TIME);
    late.greet(Some(&bob));
    assert_eq!(late.answers[0].welcome, Err(Unwelcome::BadCard));
}

#[test]
fn rubbish_costs_one_frame_and_an_error() {
    let mut rig = Rig::from("10.0.0.1:1");
    rig.greet(None);
    rig.tell(Input::Payload(&[200; 50]));
    rig.tell(Input::BadFrame(FrameError::TooLong));
    let refused = FromRegistry::Response(Response {
        id: RequestId(0),
        result: Err(Refusal::Malformed),
    });
    assert_eq!(rig.said, [refused.clone(), refused]);
    assert_eq!(rig.lookup(1), Err(Refusal::NotFound));
    assert_eq!(rig.closed, None);
}

#[test]
fn silence_ends_a_connection_but_not_within_a_lease() {
    let mut silent = Rig::from("10.0.0.1:1");
    assert_eq!(
        silent.session.poll_timeout(),
        Some(silent.now + Limits::default().greeting)
    );
    silent.now += Limits::default().greeting;
    silent.tell(Input::Timeout);
    assert!(silent.closed.is_some());
    assert_eq!(silent.answers[0].welcome, Err(Unwelcome::TooSlow));

    let bob = person(1);
    let mut rig = Rig::from("10.0.0.7:1");
    rig.greet(Some(&bob));
    let register = Register::sign(
        &bob.identity,
        &rig.binding(),
        "bob".parse().unwrap(),
        device(),
        bob.card,
        Contacts::default(),
        3600,
        1,
        codec::claim::Claim::new(codec::RecoveryLock([7; 32])),
    );
    rig.ask(1, Method::Register(register)).unwrap();
    rig.now += Limits::default().idle;
    rig.tell(Input::Timeout);
    assert_eq!(rig.closed, None);
    rig.now += Duration::from_secs(3600);
    rig.tell(Input::Timeout);
    assert!(rig.closed.is_some());
    assert_eq!(
        rig.said.last(),
        Some(&FromRegistry::Notice(Notice::Closing(ClosingReason::Idle)))
    );
}

#[test]
fn the_log_names_every_message_and_no_secret() {
    let bob = person(1);
    let mut rig = Rig::from("10.0.0.7:1");
    rig.greet(Some(&bob));
    let register = rig.register(&bob, &["10.0.0.7:4000"], 1);
    rig.ask(1, register).unwrap();
    let log = rig.logged.join("\n");
    assert!(
        log.contains("Register bob device=04040404 contacts=[10.0.0.7:4000]"),
        "{log}"
    );
    assert!(log.contains("Registered { expires_s: 60 }"), "{log}");
    assert!(!log.contains("signature"), "{log}");
}

#[test]
fn a_name_that_lapsed_is_no_longer_held_and_can_be_registered_again() {
    let bob = person(1);
    let mut rig = Rig::from("10.0.0.7:1");
    rig.greet(Some(&bob));
    let register = rig.register(&bob, &[], 1);
    rig.ask(1, register).unwrap();
    rig.now += Duration::from_secs(61);
    rig.table.expire(rig.now);
    assert_eq!(rig.joined.len(), 1);
    assert_eq!(rig.lookup(2), Err(Refusal::NotFound));
    // A connection that takes ever new names for a short time does not collect them.
    assert!(rig.joined.is_empty());
    let address = Address {
        from: Party {
            name: "bob".parse().unwrap(),
            identity: bob.identity.key(),
        },
        to: Party {
            name: "eve".parse().unwrap(),
            identity: bob.identity.key(),
        },
        id: EnvelopeId([1; 16]),
        kind: Kind::Signal,
    };
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let (key, none) = (bob.card.agreement, Nonce::NONE);
    let envelope =
        Envelope::seal(&bob.identity, address, &key, none, TIME, &1u8, &mut rng).unwrap();
    let send = Method::Send { envelope, ttl_s: 0 };
    assert_eq!(rig.ask(3, send.clone()), Err(Refusal::NotYours));
    let register = rig.register(&bob, &[], 2);
    assert_eq!(rig.ask(4, register), GRANTED);
    assert_eq!(rig.joined.len(), 1, "envelopes find this connection again");
    assert_eq!(rig.ask(5, send), Ok(Success::Sent { devices: 1 }));
}

#[test]
fn presence_is_of_the_connection_and_lives_as_long_as_the_lease() {
    let bob = person(1);
    let mut rig = Rig::from("10.0.0.7:1");
    rig.greet(Some(&bob));
    let publish = |presence| Method::Publish { presence };
    let seen = |rig: &Rig| {
        let record = rig.table.lookup(&"bob".parse().unwrap(), rig.now);
        record.map(|record| record.entry.presence)
    };
    // Said before there is anything to say it of, it holds for what is registered later.
    let published = Ok(Success::Published);
    assert_eq!(rig.ask(1, publish(Presence::Away)), published);
    let register = rig.register(&bob, &[], 1);
    assert_eq!(rig.ask(2, register), GRANTED);
    assert_eq!(seen(&rig), Some(Presence::Away));
    assert_eq!(rig.ask(3, publish(Presence::Busy)), published);
    let again = rig.register(&bob, &[], 2);
    assert_eq!(rig.ask(4, again), GRANTED);
    assert_eq!(seen(&rig), Some(Presence::Busy));
    // A phone that has restarted says nothing of itself yet.
    let mut restarted = Rig::from("10.0.0.7:2");
    restarted.table = std::mem::replace(&mut rig.table, Table::new(1));
    restarted.greet(Some(&bob));
    let register = restarted.register(&bob, &[], 3);
    restarted.ask(1, register).unwrap();
    assert_eq!(seen(&restarted), Some(Presence::Available));
    let mut client = Rig::from("10.0.0.8:1");
    client.greet(None);
    let refused = Err(Refusal::NotYours);
    assert_eq!(client.ask(1, publish(Presence::Away)), refused);
}
