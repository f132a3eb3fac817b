//! One phone told what honest and hostile others would send it, with the clock in hand.

use codec::{
    CallSignal, DeviceId, Envelope, Identity, KeyCard, Party, Signal,
    envelope::{Address, EnvelopeId, Kind},
    greeting::Exporter,
    identity::AgreementSecret,
    registry::{Binding, Entry, Method, Presence, Record, Refusal, Request, Response, Success},
    signal::{
        CallNonce, CancelReason, Candidates, DeclineReason, Fingerprint, IceCredentials, MediaOffer,
    },
};
use rand_chacha::rand_core::SeedableRng;

use super::*;
use crate::contacts::{Change, Contact, Standing};

mod door;
mod hostile;
mod lookup;
mod trust;
mod weeks;
mod wishes;

const TIME: UnixMillis = 1_800_000_000_000;

/// Somebody who writes envelopes.
struct Person {
    identity: Identity,
    agreement: AgreementSecret,
    card: KeyCard,
}

fn person(seed: u8) -> Person {
    let identity = Identity::from_secret(&[seed; 32]);
    let agreement = AgreementSecret::from_secret(&[seed + 100; 32]);
    let card = KeyCard::issue(&identity, agreement.key(), 1, u64::MAX);
    Person {
        identity,
        agreement,
        card,
    }
}

/// Bob's phone, which is registered, and a clock.
struct Rig {
    phone: Phone,
    now: Instant,
    letters: u8,
}

const BOB: u8 = 1;
const LINK: LinkId = LinkId(INBOUND_BIT | 7);
const OURS: Nonce = Nonce([42; 32]);

impl Rig {
    fn new() -> Self {
        Self::seeded(1)
    }

    fn seeded(seed: u64) -> Self {
        let now = Instant::now();
        let Person {
            identity,
            agreement,
            card,
        } = person(BOB);
        let device = DeviceId([1; 16]);
        let me = Me {
            name: "bob".parse().unwrap(),
            device,
            identity,
            keys: Keys::new(card, agreement),
            claim: codec::claim::Claim::new(codec::RecoveryLock([7; 32])),
        };
        let settings = Settings {
            calls_max: 1,
            ring_for: Duration::from_secs(30),
            second_call: SecondCall::Busy,
            one_at_a_time: true,
            publish: false,
            callers: Callers::Everyone,
            dnd: false,
            hidden: false,
        };
        let rng = ChaCha20Rng::seed_from_u64(seed);
        let phone = Phone::new(me, Contacts::default(), settings, rng, now, TIME);
        let mut rig = Self {
            phone,
            now,
            letters: 0,
        };
        let binding = Binding {
            registry: registry(),
            exporter: Exporter::PLAIN,
            nonce: Nonce([8; 32]),
        };
        let outputs = rig.tell(Input::RegistryUp {
            binding,
            time: TIME,
        });
        let id = asked(&outputs);
        let outputs = rig.answer(id, Ok(Success::Registered { expires_s: 60 }));
        assert_eq!(outputs, [Output::Event(Event::Registered)]);
        rig
    }

    fn tell(&mut self, input: Input) -> Vec<Output> {
        self.phone.handle_input(input, self.now);
        std::iter::from_fn(|| self.phone.poll_output()).collect()
    }

    /// The next time that the phone wants to be woken at.
    fn wake(&mut self) -> Vec<Output> {
        self.now = self.phone.poll_timeout().unwrap();
        self.tell(Input::Timeout)
    }

    fn people(&mut self, people: &[Contact]) {
        let book = people.iter().cloned().collect();
        assert_eq!(self.tell(Input::People(book)), []);
    }

    fn answer(&mut self, id: RequestId, result: Result<Success, Refusal>) -> Vec<Output> {
        self.tell(Input::FromRegistry(FromRegistry::Response(Response {
            id,
            result,
        })))
    }

    /// A person's phone connects directly.
    fn link(&mut self, person: &Person) {
        let peer = PhoneGreeting {
            card: person.card,
            nonce: Nonce([5; 32]),
        };
        assert_eq!(
            self.tell(Input::LinkUp {
                link: LINK,
                ours: OURS,
                peer
            }),
            []
        );
    }

    fn envelope(
        &mut self,
        from: &Person,
        name: &str,
        link: Nonce,
        sent_at: UnixMillis,
        body: &CallSignal,
    ) -> Envelope {
        self.letters += 1;
        let bob = person(BOB);
        let party = |name: &str, identity: &Identity| Party {
            name: name.parse().unwrap(),
            identity: identity.key(),
        };
        let address = Address {
            from: party(name, &from.identity),
            to: party("bob", &bob.identity),
            id: EnvelopeId([self.letters; 16]),
            kind: Kind::Signal,
        };
        let mut rng = ChaCha20Rng::seed_from_u64(self.letters.into());
        let key = bob.agreement.key();
        Envelope::seal(&from.identity, address, &key, link, sent_at, body, &mut rng).unwrap()
    }

    /// Something said on the direct connection.
    fn say(&mut self, from: &Person, name: &str, signal: Signal) -> Vec<Output> {
        let body = about(signal);
        let envelope = self.envelope(from, name, OURS, 0, &body);
        self.on_link(envelope)
    }

    fn on_link(&mut self, envelope: Envelope) -> Vec<Output> {
        self.tell(Input::FromLink {
            link: LINK,
            frame: DirectFrame::Envelope(envelope),
        })
    }

    fn by_registry(&mut self, envelope: Envelope) -> Vec<Output> {
        self.tell(Input::FromRegistry(FromRegistry::Notice(Notice::Envelope(
            envelope,
        ))))
    }
}

/// The key of the registry where bob is registered.
fn registry() -> IdentityKey {
    Identity::from_secret(&[99; 32]).key()
}

/// Somebody whom bob knows by that name at his registry.
fn known(name: &str, person: &Person) -> Contact {
    Contact {
        registry: Some(registry()),
        name: name.parse().unwrap(),
        identity: person.identity.key(),
        verified: false,
        blocked: false,
        changed: false,
        since: TIME,
    }
}

const CALL: CallId = CallId([3; 16]);

/// What another person's device says about a call.
fn about(signal: Signal) -> CallSignal {
    CallSignal {
        call: CALL,
        from: DeviceId([2; 16]),
        to: None,
        seq: 1,
        signal,
    }
}

fn invite(from: &Person) -> Signal {
    let ice = IceCredentials::new("abcd", &"p".repeat(22)).unwrap();
    let fingerprint = Fingerprint([1; 32]);
    let media = MediaOffer {
        fingerprint,
        ice,
        candidates: Candidates::default(),
    };
    Signal::Invite {
        card: from.card,
        media,
        commitment: CallNonce([1; 32]).commitment(),
    }
}

fn record(name: &str, person: &Person) -> Success {
    let name = name.parse().unwrap();
    let (presence, devices) = (Presence::Available, codec::List::default());
    let entry = Entry {
        name,
        presence,
        devices,
    };
    Success::Found(Record {
        card: person.card,
        entry,
    })
}

/// The id of the request among `outputs`.
fn asked(outputs: &[Output]) -> RequestId {
    let mut ids = outputs.iter().filter_map(|output| match output {
        Output::ToRegistry(request) => Some(request.id),
        _ => None,
    });
    ids.next().expect("a request")
}

fn rings(outputs: &[Output]) -> Option<bool> {
    outputs.iter().find_map(|output| match output {
        Output::Event(Event::Incoming { confirmed, .. }) => Some(*confirmed),
        _ => None,
    })
}

/// What bob's phone wrote back on the direct connection.
fn written(outputs: &[Output], to: &Person, name: &str) -> Vec<Signal> {
    let me = Party {
        name: name.parse().unwrap(),
        identity: to.identity.key(),
    };
    let frames = outputs.iter().filter_map(|output| match output {
        Output::ToLink(LINK, DirectFrame::Envelope(envelope)) => Some(envelope),
        _ => None,
    });
    let opened = frames.map(|envelope| {
        let opened = envelope.open::<CallSignal>(&me, &to.agreement, Nonce([5; 32]));
        opened.unwrap().body.signal
    });
    opened.collect()
}

#[test]
fn a_caller_rings_once_the_registry_confirms_the_name() {
    let (mut rig, alice) = (Rig::new(), person(2));
    rig.link(&alice);
    let outputs = rig.say(&alice, "alice", invite(&alice));
    assert_eq!(rings(&outputs), None);
    let outputs = rig.answer(asked(&outputs), Ok(record("alice", &alice)));
    assert_eq!(rings(&outputs), Some(true));
    assert_eq!(written(&outputs, &alice, "alice"), [Signal::Ringing]);
}

#[test]
fn a_name_that_is_anothers_does_not_ring_and_an_unknown_one_is_unconfirmed() {
    let (mut rig, mallory) = (Rig::new(), person(2));
    rig.link(&mallory);
    let outputs = rig.say(&mallory, "alice", invite(&mallory));
    let outputs = rig.answer(asked(&outputs), Ok(record("alice", &person(3))));
    assert_eq!(rings(&outputs), None);
    let outputs = rig.wake();
    let declined = Signal::Decline(DeclineReason::Unavailable);
    assert_eq!(written(&outputs, &mallory, "alice"), [declined]);

    let (mut rig, carol) = (Rig::new(), person(4));
    rig.link(&carol);
    let outputs = rig.say(&carol, "carol", invite(&carol));
    let outputs = rig.answer(asked(&outputs), Err(Refusal::NotFound));
    assert_eq!(rings(&outputs), Some(false));
}

#[test]
fn an_answer_about_one_name_confirms_no_other() {
    let (mut rig, mallory) = (Rig::new(), person(2));
    rig.link(&mallory);
    let first = rig.say(&mallory, "mallory", invite(&mallory));
    rig.say(&mallory, "mallory", Signal::Cancel(CancelReason::Hangup));
    rig.say(&mallory, "alice", invite(&mallory));
    // The registry knows mallory; that says nothing about who calls herself alice.
    let outputs = rig.answer(asked(&first), Ok(record("mallory", &mallory)));
    assert_eq!(rings(&outputs), None);
}

#[test]
fn a_registry_that_does_not_answer_in_time_does_not_keep_the_phone_from_ringing() {
    let (mut rig, alice) = (Rig::new(), person(2));
    rig.link(&alice);
    rig.say(&alice, "alice", invite(&alice));
    rig.now = rig.phone.poll_timeout().unwrap();
    assert_eq!(rings(&rig.tell(Input::Timeout)), Some(false));
}

#[test]
fn an_invite_through_the_registry_counts_once_and_while_it_is_fresh() {
    for (age, counts) in [(0, true), (60_000, true), (60_001, false)] {
        let (mut rig, alice) = (Rig::new(), person(2));
        let body = about(invite(&alice));
        let envelope = rig.envelope(&alice, "alice", Nonce::NONE, TIME - age, &body);
        let outputs = rig.by_registry(envelope.clone());
        assert_eq!(rings(&outputs), counts.then_some(true), "{age} ms old");
        assert_eq!(rig.by_registry(envelope), [], "a copy");
    }
}

#[test]
fn a_replay_of_a_call_that_is_over_does_not_ring() {
    let (mut rig, alice) = (Rig::new(), person(2));
    let body = about(invite(&alice));
    let envelope = rig.envelope(&alice, "alice", Nonce::NONE, TIME, &body);
    assert_eq!(rings(&rig.by_registry(envelope.clone())), Some(true));
    rig.tell(Input::Command(Command::Hangup(CALL)));
    rig.now += Duration::from_secs(59);
    assert_eq!(rings(&rig.by_registry(envelope)), None);
}

#[test]
fn a_stranger_has_no_part_in_a_call() {
    let (mut rig, alice, mallory) = (Rig::new(), person(2), person(3));
    let body = about(invite(&alice));
    let envelope = rig.envelope(&alice, "alice", Nonce::NONE, TIME, &body);
    rig.by_registry(envelope);
    rig.link(&mallory);
    let bye = Signal::Cancel(CancelReason::Hangup);
    assert_eq!(rig.say(&mallory, "alice", bye.clone()), []);
    assert_eq!(rig.say(&mallory, "mallory", bye), []);
    assert_eq!(rig.phone.lines.len(), 1);
}

#[test]
fn what_is_not_authentic_is_refused_on_the_link() {
    let refused = |refusal| [Output::ToLink(LINK, DirectFrame::Refused(refusal))];
    let (mut rig, alice, mallory) = (Rig::new(), person(2), person(3));
    rig.link(&mallory);
    // Alice's own envelope, taken from another connection and sent on this one.
    let body = about(invite(&alice));
    let theirs = rig.envelope(&alice, "alice", OURS, 0, &body);
    assert_eq!(rig.on_link(theirs), refused(DirectRefusal::NotAuthentic));
    // Sealed for another connection.
    let body = about(invite(&mallory));
    let elsewhere = rig.envelope(&mallory, "mallory", Nonce([9; 32]), 0, &body);
    assert_eq!(rig.on_link(elsewhere), refused(DirectRefusal::NotHere));
    // For somebody else.
    let mut other = rig.envelope(&mallory, "mallory", OURS, 0, &body);
    other.to.name = "carol".parse().unwrap();
    assert_eq!(rig.on_link(other), refused(DirectRefusal::NotHere));
    assert!(rig.phone.lines.is_empty() && rig.phone.visitors.is_empty());
}

#[test]
fn stopping_does_not_wait_for_a_registry_that_is_silent() {
    let mut rig = Rig::new();
    let outputs = rig.tell(Input::Command(Command::Stop));
    assert!(!outputs.contains(&Output::Event(Event::Stopped)));
    rig.now = rig.phone.poll_timeout().unwrap();
    assert!(
        rig.tell(Input::Timeout)
            .contains(&Output::Event(Event::Stopped))
    );
}

#[test]
fn a_connection_that_no_call_uses_is_closed() {
    let (mut rig, alice) = (Rig::new(), person(2));
    rig.link(&alice);
    rig.now += LINK_UNUSED_MAX;
    assert!(rig.tell(Input::Timeout).contains(&Output::CloseLink(LINK)));
}

#[test]
fn a_copied_card_on_a_direct_connection_does_not_keep_a_call_from_the_registry() {
    let (mut rig, carol) = (Rig::new(), person(2));
    let outputs = rig.tell(Input::Command(Command::Dial("carol".parse().unwrap())));
    let call = outputs.iter().find_map(|output| match output {
        Output::PrepareMedia(call) => Some(*call),
        _ => None,
    });
    let Signal::Invite { media, .. } = invite(&carol) else {
        unreachable!()
    };
    let news = MediaNews::Prepared(media);
    assert_eq!(rig.tell(Input::Media(call.unwrap(), news)), []);
    let mut found = record("carol", &carol);
    if let Success::Found(record) = &mut found {
        let addr = ([10, 0, 0, 9], 4000).into();
        let contact = codec::registry::Contact {
            addr,
            observed: false,
        };
        record.entry.devices = codec::List::first_of([codec::registry::Device {
            id: DeviceId([2; 16]),
            contacts: codec::List::first_of([contact]),
            lease_left_s: 60,
            unverified: false,
        }]);
    }
    let outputs = rig.answer(asked(&outputs), Ok(found));
    let [Output::OpenLink { link, .. }] = outputs[..] else {
        panic!("{outputs:?}")
    };
    // Somebody answers there with carol's card, which anybody can look up, and says no more.
    let peer = PhoneGreeting {
        card: carol.card,
        nonce: Nonce([5; 32]),
    };
    let outputs = rig.tell(Input::LinkUp {
        link,
        ours: OURS,
        peer,
    });
    assert!(matches!(outputs[..], [Output::ToLink(..)]), "{outputs:?}");
    rig.now = rig.phone.poll_timeout().unwrap();
    let outputs = rig.tell(Input::Timeout);
    assert!(
        matches!(
            &outputs[..],
            [Output::ToRegistry(Request {
                method: Method::Send { .. },
                ..
            })]
        ),
        "{outputs:?}"
    );
}

#[test]
fn a_phone_that_stops_turns_callers_away() {
    let (mut rig, alice) = (Rig::new(), person(2));
    rig.link(&alice);
    rig.say(&alice, "alice", invite(&alice));
    let outputs = rig.tell(Input::Command(Command::Stop));
    assert_eq!(written(&outputs, &alice, "alice"), [Signal::Busy]);
    assert_eq!(rings(&outputs), None);
    rig.link(&alice);
    let outputs = rig.say(&alice, "alice", invite(&alice));
    assert_eq!(written(&outputs, &alice, "alice"), [Signal::Busy]);
}

#[test]
fn a_second_phone_of_the_profile_is_told_and_not_thrown_out_at_once() {
    let mut rig = Rig::new();
    let notice = Notice::Closing(ClosingReason::Replaced);
    let outputs = rig.tell(Input::FromRegistry(FromRegistry::Notice(notice)));
    assert_eq!(outputs, [Output::Event(Event::Replaced)]);
    rig.tell(Input::RegistryDown {
        why: Why::ClosedHere,
    });
    let pause = rig.phone.poll_timeout().unwrap() - rig.now;
    assert!(pause >= Duration::from_secs(15), "{pause:?}");
}

/// What is published by `outputs`.
fn published(outputs: &[Output]) -> Option<Presence> {
    outputs.iter().find_map(|output| match output {
        Output::ToRegistry(Request {
            method: Method::Publish { presence },
            ..
        }) => Some(*presence),
        _ => None,
    })
}

#[test]
fn a_phone_publishes_that_it_is_in_a_call_or_away_unless_it_may_not() {
    for publish in [true, false] {
        let mut rig = Rig::new();
        rig.phone.settings.publish = publish;
        let told = |presence| Some(presence).filter(|_| publish);
        let away = rig.tell(Input::Command(Command::Away(true)));
        assert_eq!(published(&away), told(Presence::Away));
        let dial = Command::Dial("carol".parse().unwrap());
        let dialled = rig.tell(Input::Command(dial));
        assert_eq!(published(&dialled), told(Presence::Busy));
        let asked = dialled.iter().find_map(|output| match output {
            Output::ToRegistry(Request {
                id,
                method: Method::Lookup { .. },
            }) => Some(*id),
            _ => None,
        });
        let ended = rig.answer(asked.unwrap(), Err(Refusal::NotFound));
        assert_eq!(published(&ended), told(Presence::Away));
        let back = rig.tell(Input::Command(Command::Away(false)));
        assert_eq!(published(&back), told(Presence::Available));
        assert_eq!(
            published(&rig.tell(Input::Command(Command::Away(false)))),
            None
        );
    }
}

#[test]
fn who_is_registered_is_asked_once_at_a_time_where_the_phone_is_registered() {
    let mut rig = Rig::new();
    let asked = rig.tell(Input::Command(Command::Directory));
    assert!(rig.tell(Input::Command(Command::Directory)).is_empty());
    let told = rig.answer(self::asked(&asked), Err(Refusal::Closed));
    let closed = Output::Event(Event::Directory(Err(Refusal::Closed)));
    assert_eq!(told, [closed]);
    let asked = rig.tell(Input::Command(Command::Directory));
    let page = codec::registry::Page {
        entries: codec::List::default(),
        more: false,
    };
    let told = rig.answer(self::asked(&asked), Ok(Success::Page(page.clone())));
    assert_eq!(told, [Output::Event(Event::Directory(Ok(page)))]);
    rig.tell(Input::RegistryDown { why: Why::Silent });
    assert!(rig.tell(Input::Command(Command::Directory)).is_empty());
}

#[test]
fn an_outage_is_told_by_what_the_registry_said_and_again_when_the_reason_changes() {
    let mut rig = Rig::new();
    let closing = Notice::Closing(ClosingReason::Banned);
    let said = rig.tell(Input::FromRegistry(FromRegistry::Notice(closing)));
    assert!(said.is_empty(), "{said:?}");
    let mut down = |why| {
        let outputs = rig.tell(Input::RegistryDown { why });
        outputs.into_iter().find_map(|output| match output {
            Output::Event(Event::RegistryUnreachable(why)) => Some(why),
            _ => None,
        })
    };
    let lost = Why::Lost("localhost".parse().unwrap(), None);
    assert_eq!(down(lost), Some(Why::Closed(ClosingReason::Banned)));
    assert_eq!(down(Why::Silent), Some(Why::Silent));
    assert_eq!(down(Why::Silent), None);
}
