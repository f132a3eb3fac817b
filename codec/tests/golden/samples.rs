//! The messages whose bytes are frozen, and the people and values that they are made of.

use std::{fmt::Debug, net::SocketAddr};

use codec::{
    CallId, CallSignal, DeviceId, Envelope, Identity, KeyCard, List, Name, Party, RecoveryCode,
    RecoveryLock, Signal, Text,
    claim::{ChangeKey, Claim, Recover, Release},
    direct::{DirectFrame, DirectRefusal},
    envelope::{Address, EnvelopeId, Kind},
    frame,
    greeting::{
        Answer, Exporter, Hello, Nonce, PhoneGreeting, RegistryWelcome, Role, Unwelcome, Welcome,
    },
    identity::AgreementSecret,
    registry::{
        Binding, ClosingReason, Contact, Device, Entry, FromRegistry, Method, Notice, Page, Prefix,
        Presence, Record, Refresh, Refusal, Register, Request, RequestId, Response, Success,
        Unregister, Watch,
    },
    signal::{
        ByeReason, CallNonce, CancelReason, Candidate, CandidateKind, Candidates, DeclineReason,
        Fingerprint, IceCredentials, MediaOffer,
    },
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use serde::{Serialize, de::DeserializeOwned};

use crate::{annotate::annotated, hex};

/// A fixed message and how to read one of its type.
pub struct Sample {
    pub name: &'static str,
    pub shown: String,
    pub payload: Vec<u8>,
    /// Piece by piece, for people.
    pub annotated: String,
    pub read: Box<Read>,
}

/// What bytes are read as, if as anything.
pub type Read = dyn Fn(&[u8]) -> Option<WasRead>;

#[derive(Debug, PartialEq)]
pub struct WasRead {
    pub as_the_sample: bool,
    /// Names are equal in any case, so equal values must also write the same bytes.
    pub writes: Vec<u8>,
}

impl Sample {
    pub fn line(&self) -> String {
        format!("{} {}", self.name, hex(&self.payload))
    }
}

pub fn sample<T>(name: &'static str, value: T) -> Sample
where
    T: Serialize + DeserializeOwned + PartialEq + Debug + 'static,
{
    let payload = postcard::to_allocvec(&value).unwrap();
    Sample {
        name,
        shown: format!("{value:?}"),
        payload,
        annotated: annotated(&value),
        read: Box::new(move |bytes| {
            let read: T = frame::from_payload(bytes).ok()?;
            Some(WasRead {
                as_the_sample: read == value,
                writes: postcard::to_allocvec(&read).unwrap(),
            })
        }),
    }
}

pub fn samples() -> Vec<Sample> {
    [
        greetings(),
        requests(),
        responses(),
        notices(),
        signals(),
        between_phones(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A sample for each variant of an enum without fields, named `path/Enum::Variant`.
macro_rules! each {
    ($path:literal, $wrap:expr, $of:ident: $($variant:ident)*) => {
        vec![$(sample(
            concat!($path, "/", stringify!($of), "::", stringify!($variant)),
            $wrap($of::$variant),
        )),*]
    };
}

pub fn greetings() -> Vec<Sample> {
    let hello = |role| Hello {
        version: 1,
        agent: agent(),
        role,
    };
    let welcome = |welcome| Answer::new(Ok(welcome));
    let registry = Welcome::Registry(registry_welcome());
    let mut samples = vec![
        sample("KeyCard", card()),
        sample("Hello/Role::Client", hello(Role::Client)),
        sample("Hello/Role::Phone", hello(Role::Phone(phone()))),
        sample("Answer/Welcome::Registry", welcome(registry)),
        sample("Answer/Welcome::Phone", welcome(Welcome::Phone(phone()))),
    ];
    samples.extend(each!(
        "Answer",
        |unwelcome| Answer::new(Err(unwelcome)),
        Unwelcome: Version Full PlainRefused Malformed BadCard AddressFull TooSlow Banned TooFast
    ));
    samples
}

pub fn requests() -> Vec<Sample> {
    let request = |method| Request {
        id: RequestId(70_000),
        method,
    };
    let first_page = Method::List {
        prefix: Prefix::new(""),
        after: None,
        limit: 24,
    };
    let next_page = Method::List {
        prefix: Prefix::new("jo"),
        after: Some(name("joão.silva")),
        limit: 200,
    };
    let send = Method::Send {
        envelope: envelope(Nonce::NONE),
        ttl_s: 604_800,
    };
    let presence = Presence::Busy;
    let publish = Method::Publish { presence };
    let watched = List::first_of([name("Bob"), name("ольга")]);
    let invited = registered_with(Claim {
        invite: Text::new("K7QP-2XWM-94TD"),
        ..claim()
    });
    [
        ("Request/Method::Register", Method::Register(register())),
        ("Request/Method::Refresh", Method::Refresh(refresh())),
        (
            "Request/Method::Unregister",
            Method::Unregister(unregister()),
        ),
        (
            "Request/Method::Lookup",
            Method::Lookup { name: name("Bob") },
        ),
        ("Request/Method::List", first_page),
        ("Request/Method::List/after", next_page),
        ("Request/Method::Send", send),
        ("Request/Method::Publish", publish),
        (
            "Request/Method::Watch/Watch::Names",
            Method::Watch(Watch::Names(watched)),
        ),
        (
            "Request/Method::Watch/Watch::Everybody",
            Method::Watch(Watch::Everybody),
        ),
        (
            "Request/Method::Register/invited",
            Method::Register(invited),
        ),
        ("Request/Method::Release", Method::Release(release())),
        ("Request/Method::ChangeKey", Method::ChangeKey(change_key())),
        ("Request/Method::Recover", Method::Recover(recover())),
    ]
    .map(|(name, method)| sample(name, request(method)))
    .into()
}

pub fn responses() -> Vec<Sample> {
    let response = |result| {
        FromRegistry::Response(Response {
            id: RequestId(5),
            result,
        })
    };
    let found = |presence| {
        response(Ok(Success::Found(Record {
            card: card(),
            entry: entry("Alice", presence),
        })))
    };
    let page = Page {
        entries: List::first_of([entry("Ольга", Presence::Away), entry("b", Presence::Busy)]),
        more: true,
    };
    let registered = Success::Registered { expires_s: 3600 };
    let mut samples: Vec<Sample> = [
        ("FromRegistry::Response/Success::Registered", registered),
        (
            "FromRegistry::Response/Success::Unregistered",
            Success::Unregistered,
        ),
        ("FromRegistry::Response/Success::Page", Success::Page(page)),
        (
            "FromRegistry::Response/Success::Sent",
            Success::Sent { devices: 3 },
        ),
        (
            "FromRegistry::Response/Success::Published",
            Success::Published,
        ),
        (
            "FromRegistry::Response/Success::Watching",
            Success::Watching,
        ),
        (
            "FromRegistry::Response/Success::Released",
            Success::Released,
        ),
        (
            "FromRegistry::Response/Success::KeyChanged",
            Success::KeyChanged,
        ),
    ]
    .map(|(name, success)| sample(name, response(Ok(success))))
    .into();
    samples.extend(each!(
        "FromRegistry::Response/Success::Found",
        found,
        Presence: Available Busy Away
    ));
    samples.extend(each!(
        "FromRegistry::Response",
        |refusal| response(Err(refusal)),
        Refusal: NameTaken BadSignature NotFound TooMany Stale OutOfRange Closed
            Offline MailboxFull NotYours Malformed Failed LooksTaken TooManyNames ClaimsClosed
            NotInvited Banned BadRecovery KeyChanged
    ));
    let too_fast = Refusal::TooFast { retry_s: 90 };
    let name = "FromRegistry::Response/Refusal::TooFast";
    samples.push(sample(name, response(Err(too_fast))));
    samples
}

pub fn notices() -> Vec<Sample> {
    let changed = Notice::Changed(entry("Alice", Presence::Away));
    let mut samples: Vec<Sample> = [
        (
            "FromRegistry::Notice/Notice::Envelope",
            Notice::Envelope(envelope(Nonce::NONE)),
        ),
        ("FromRegistry::Notice/Notice::Changed", changed),
        (
            "FromRegistry::Notice/Notice::Gone",
            Notice::Gone(name("Bob")),
        ),
        ("FromRegistry::Notice/Notice::Missed", Notice::Missed),
    ]
    .map(|(name, notice)| sample(name, FromRegistry::Notice(notice)))
    .into();
    samples.extend(each!(
        "FromRegistry::Notice/Notice::Closing",
        |reason| FromRegistry::Notice(Notice::Closing(reason)),
        ClosingReason: Stopping Idle SlowReader Replaced Incomplete Banned Operator
    ));
    samples
}

pub fn signals() -> Vec<Sample> {
    let nonce = CallNonce(ascending(0x60));
    let invite = Signal::Invite {
        card: card(),
        media: media(),
        commitment: nonce.commitment(),
    };
    let accept = Signal::Accept {
        media: media(),
        nonce,
    };
    let moved = |kind| {
        about_a_call(Signal::Candidates {
            added: List::first_of([candidate(kind)]),
            removed: candidates(),
        })
    };
    let mut samples: Vec<Sample> = [
        ("CallSignal/Signal::Invite", invite),
        ("CallSignal/Signal::Ringing", Signal::Ringing),
        ("CallSignal/Signal::Accept", accept),
        ("CallSignal/Signal::Confirm", Signal::Confirm { nonce }),
        ("CallSignal/Signal::Busy", Signal::Busy),
        ("CallSignal/Signal::Hold", Signal::Hold),
        ("CallSignal/Signal::Resume", Signal::Resume),
    ]
    .map(|(name, signal)| sample(name, about_a_call(signal)))
    .into();
    let to_all = CallSignal {
        to: None,
        ..about_a_call(Signal::Ringing)
    };
    samples.push(sample("CallSignal/Signal::Ringing/to-all", to_all));
    samples.extend(each!(
        "CallSignal/Signal::Candidates",
        moved,
        CandidateKind: Host ServerReflexive PeerReflexive Relayed
    ));
    samples.extend(each!(
        "CallSignal/Signal::Decline",
        |reason| about_a_call(Signal::Decline(reason)),
        DeclineReason: Declined Unavailable NoAnswer Failed
    ));
    samples.extend(each!(
        "CallSignal/Signal::Cancel",
        |reason| about_a_call(Signal::Cancel(reason)),
        CancelReason: Hangup NoAnswer AnsweredElsewhere Merged DeclinedElsewhere
    ));
    samples.extend(each!(
        "CallSignal/Signal::Bye",
        |reason| about_a_call(Signal::Bye(reason)),
        ByeReason: Hangup MediaLost MediaFailed Untrusted
    ));
    samples
}

pub fn between_phones() -> Vec<Sample> {
    let carried = DirectFrame::Envelope(envelope(link()));
    let mut samples = vec![
        sample("Envelope/Kind::Signal", envelope(Nonce::NONE)),
        sample("Envelope/Kind::Signal/link", envelope(link())),
        sample("DirectFrame::Envelope", carried),
    ];
    samples.extend(each!(
        "DirectFrame::Refused",
        DirectFrame::Refused,
        DirectRefusal: Malformed NotHere NotAuthentic TooMany
    ));
    samples
}

// The people, addresses and values that the messages are made of. Fields of the same type differ,
// so that two of them swapped show.

/// 32 bytes, each one more than the one before.
pub fn ascending(first: u8) -> [u8; 32] {
    std::array::from_fn(|index| first + u8::try_from(index).unwrap())
}

pub fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub fn agent() -> Text<64> {
    Text::new("ramal-phone/0.1.0").unwrap()
}

pub fn alice() -> Identity {
    Identity::from_secret(&[1; 32])
}

pub fn party(called: &str, identity: &Identity) -> Party {
    Party {
        name: name(called),
        identity: identity.key(),
    }
}

pub fn device_id() -> DeviceId {
    DeviceId([0xDE; 16])
}

pub fn card() -> KeyCard {
    let agreement = AgreementSecret::from_secret(&[11; 32]);
    KeyCard::issue(&alice(), agreement.key(), 300, 1_900_000_000_000)
}

pub fn phone() -> PhoneGreeting {
    PhoneGreeting {
        card: card(),
        nonce: link(),
    }
}

pub fn link() -> Nonce {
    Nonce(ascending(0x40))
}

pub fn ipv4() -> SocketAddr {
    ([192, 0, 2, 7], 40_000).into()
}

pub fn ipv6() -> SocketAddr {
    ([0x2001, 0xDB8, 0, 0, 0, 0, 0, 9], 41_000).into()
}

pub fn registry_welcome() -> RegistryWelcome {
    RegistryWelcome::prove(
        &Identity::from_secret(&[9; 32]),
        &Exporter(ascending(0x90)),
        agent(),
        Nonce(ascending(0x20)),
        1_800_000_000_000,
        ipv4(),
    )
}

pub fn binding() -> Binding {
    Binding {
        registry: Identity::from_secret(&[9; 32]).key(),
        exporter: Exporter(ascending(0x90)),
        nonce: Nonce(ascending(0x20)),
    }
}

pub fn claim() -> Claim {
    Claim::new(RecoveryLock(ascending(0xA0)))
}

pub fn register() -> Register {
    registered_with(claim())
}

pub fn registered_with(claim: Claim) -> Register {
    let contacts = List::first_of([ipv4(), ipv6()]);
    Register::sign(
        &alice(),
        &binding(),
        name("Alice"),
        device_id(),
        card(),
        contacts,
        600,
        300,
        claim,
    )
}

pub fn release() -> Release {
    Release::sign(&alice(), &binding(), name("Alice"), 1)
}

pub fn change_key() -> ChangeKey {
    let to = Identity::from_secret(&[3; 32]);
    let lock = RecoveryLock(ascending(0xA0));
    ChangeKey::sign(&alice(), &to, &binding(), name("Alice"), lock, 2)
}

pub fn recover() -> Recover {
    let code = RecoveryCode::generate(&mut ChaCha20Rng::seed_from_u64(5));
    let lock = RecoveryLock(ascending(0xA0));
    Recover::sign(&alice(), &binding(), name("Alice"), &code, lock, 3)
}

pub fn refresh() -> Refresh {
    Refresh::sign(&alice(), &binding(), name("Alice"), device_id(), 60, 301)
}

pub fn unregister() -> Unregister {
    Unregister::sign(&alice(), &binding(), name("Alice"), device_id(), 302)
}

pub fn entry(called: &str, presence: Presence) -> Entry {
    let contact = |addr, observed| Contact { addr, observed };
    let device = Device {
        id: device_id(),
        contacts: List::first_of([contact(ipv6(), false), contact(ipv4(), true)]),
        lease_left_s: 599,
        unverified: false,
    };
    Entry {
        name: name(called),
        presence,
        devices: List::first_of([device]),
    }
}

pub fn about_a_call(signal: Signal) -> CallSignal {
    CallSignal {
        call: CallId([0xCA; 16]),
        from: device_id(),
        to: Some(DeviceId([0xDF; 16])),
        seq: 7,
        signal,
    }
}

pub fn candidate(kind: CandidateKind) -> Candidate {
    Candidate {
        kind,
        addr: ipv4(),
        priority: 2_130_706_431,
    }
}

pub fn candidates() -> Candidates {
    let remote = Candidate {
        addr: ipv6(),
        priority: 1,
        kind: CandidateKind::ServerReflexive,
    };
    List::first_of([candidate(CandidateKind::Host), remote])
}

pub fn media() -> MediaOffer {
    MediaOffer {
        fingerprint: Fingerprint(ascending(0xC0)),
        ice: IceCredentials::new("uFrg", "0123456789abcdefghij+/").unwrap(),
        candidates: candidates(),
    }
}

/// Alice tells Bob that her phone rings.
pub fn envelope(link: Nonce) -> Envelope {
    let address = Address {
        from: party("Alice", &alice()),
        to: party("Bob", &Identity::from_secret(&[2; 32])),
        id: EnvelopeId([0xE1; 16]),
        kind: Kind::Signal,
    };
    Envelope::seal(
        &alice(),
        address,
        &AgreementSecret::from_secret(&[22; 32]).key(),
        link,
        1_800_000_000_123,
        &about_a_call(Signal::Ringing),
        &mut ChaCha20Rng::seed_from_u64(7),
    )
    .unwrap()
}
