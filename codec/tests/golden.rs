//! The frozen bytes of every message: what `golden.txt` holds is what other versions speak.
//!
//! A line is `name hex`: the payload of one message, named by the enum variants that it shows.
//! A line that has been released never changes; a new variant gets a new line at the end of its
//! message's. A failure prints the line that belongs in the file, and
//! `RAMAL_GOLDEN=print cargo test -p codec --test golden -- --nocapture` prints them all.
//!
//! Most enums are `#[non_exhaustive]`, so no `match` here could force a new variant to get a
//! sample. Instead serde is asked for the variants of each enum, and one without a line fails.
//! A new enum has to be added to [`enums`]; it comes in by a new variant, which needs a line.
//! The envelopes depend on how `hpke` draws from its generator: if only their bytes change with a
//! new version of it, and the old ones still open, the wire has not changed.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::{collections::BTreeMap, fmt::Debug, net::SocketAddr};

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

use self::variants::enum_of;

#[path = "golden/variants.rs"]
mod variants;

const GOLDEN: &str = include_str!("golden.txt");

/// A fixed message and how to read one of its type.
struct Sample {
    name: &'static str,
    shown: String,
    payload: Vec<u8>,
    read: Box<Read>,
}

/// What bytes are read as, if as anything.
type Read = dyn Fn(&[u8]) -> Option<WasRead>;

#[derive(Debug, PartialEq)]
struct WasRead {
    as_the_sample: bool,
    /// Names are equal in any case, so equal values must also write the same bytes.
    writes: Vec<u8>,
}

impl Sample {
    fn line(&self) -> String {
        format!("{} {}", self.name, hex(&self.payload))
    }
}

fn sample<T>(name: &'static str, value: T) -> Sample
where
    T: Serialize + DeserializeOwned + PartialEq + Debug + 'static,
{
    let payload = postcard::to_allocvec(&value).unwrap();
    Sample {
        name,
        shown: format!("{value:?}"),
        payload,
        read: Box::new(move |bytes| {
            let read: T = frame::from_payload(bytes).ok()?;
            Some(WasRead {
                as_the_sample: read == value,
                writes: postcard::to_allocvec(&read).unwrap(),
            })
        }),
    }
}

fn samples() -> Vec<Sample> {
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

fn greetings() -> Vec<Sample> {
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
        Unwelcome: Version Full PlainRefused Malformed BadCard AddressFull TooSlow Banned
    ));
    samples
}

fn requests() -> Vec<Sample> {
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

fn responses() -> Vec<Sample> {
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

fn notices() -> Vec<Sample> {
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

fn signals() -> Vec<Sample> {
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

fn between_phones() -> Vec<Sample> {
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

/// Every enum that can be on the wire, with the names of its variants.
fn enums() -> Vec<(&'static str, &'static [&'static str])> {
    vec![
        enum_of::<Role>(),
        enum_of::<Welcome>(),
        enum_of::<Unwelcome>(),
        enum_of::<Method>(),
        enum_of::<Watch>(),
        enum_of::<FromRegistry>(),
        enum_of::<Success>(),
        enum_of::<Presence>(),
        enum_of::<Refusal>(),
        enum_of::<Notice>(),
        enum_of::<ClosingReason>(),
        enum_of::<Signal>(),
        enum_of::<CandidateKind>(),
        enum_of::<DeclineReason>(),
        enum_of::<CancelReason>(),
        enum_of::<ByeReason>(),
        enum_of::<Kind>(),
        enum_of::<DirectFrame>(),
        enum_of::<DirectRefusal>(),
    ]
}

#[test]
fn every_message_has_its_frozen_bytes() {
    let frozen = frozen();
    let samples = samples();
    if std::env::var("RAMAL_GOLDEN").is_ok_and(|wish| wish == "print") {
        for sample in &samples {
            println!("{}", sample.line());
        }
    }
    let mut wrong = Vec::new();
    for sample in &samples {
        match frozen.get(sample.name) {
            Some(bytes) if *bytes == sample.payload => {}
            Some(_) => wrong.push(format!("other bytes than: {}", sample.line())),
            None => wrong.push(format!("line missing: {}", sample.line())),
        }
    }
    for name in frozen.keys() {
        if !samples.iter().any(|sample| sample.name == *name) {
            wrong.push(format!("line without a message: {name}"));
        }
    }
    assert!(wrong.is_empty(), "golden.txt\n{}", wrong.join("\n"));
}

#[test]
fn frozen_bytes_read_back_as_the_message_they_were_written_from() {
    let frozen = frozen();
    for sample in samples() {
        let bytes = &frozen[sample.name];
        let expected = WasRead {
            as_the_sample: true,
            writes: bytes.clone(),
        };
        assert_eq!((sample.read)(bytes), Some(expected), "{}", sample.name);
        let shorter = &bytes[..bytes.len() - 1];
        assert_eq!((sample.read)(shorter), None, "{}", sample.name);
        let longer = [bytes.as_slice(), &[0]].concat();
        assert_eq!((sample.read)(&longer), None, "{}", sample.name);
    }
}

#[test]
fn every_variant_of_every_enum_has_a_line() {
    let frozen = frozen();
    let shown: Vec<&str> = frozen.keys().flat_map(|name| name.split('/')).collect();
    let known = enums();
    for (name, variants) in &known {
        for variant in *variants {
            let wanted = format!("{name}::{variant}");
            assert!(shown.contains(&wanted.as_str()), "no line for {wanted}");
        }
    }
    for (name, _) in shown.iter().filter_map(|part| part.split_once("::")) {
        let listed = known.iter().any(|(listed, _)| *listed == name);
        assert!(listed, "{name} is not in enums()");
    }
}

#[test]
fn every_line_is_named_after_what_it_shows() {
    for sample in samples() {
        let words: Vec<&str> = sample.shown.split(|c: char| !c.is_alphanumeric()).collect();
        for (_, variant) in sample
            .name
            .split('/')
            .filter_map(|part| part.split_once("::"))
        {
            assert!(
                words.contains(&variant),
                "{}: {}",
                sample.name,
                sample.shown
            );
        }
    }
}

#[test]
fn frozen_signatures_and_proofs_are_still_accepted() {
    let frozen = frozen();
    let card: KeyCard = read(&frozen["KeyCard"]);
    assert!(card.is_valid(0));
    let answer: Answer = read(&frozen["Answer/Welcome::Registry"]);
    let Ok(Welcome::Registry(welcome)) = answer.welcome else {
        panic!("not a registry: {answer:?}");
    };
    assert!(welcome.is_proven(&Exporter(ascending(0x90))));
    let accepted = |line: &str| match read::<Request>(&frozen[line]).method {
        Method::Register(register) => register.is_signed(&binding()),
        Method::Refresh(refresh) => refresh.is_signed(&alice().key(), &binding()),
        Method::Unregister(unregister) => unregister.is_signed(&alice().key(), &binding()),
        other => panic!("not signed: {other:?}"),
    };
    assert!(accepted("Request/Method::Register"));
    assert!(accepted("Request/Method::Refresh"));
    assert!(accepted("Request/Method::Unregister"));
}

#[test]
fn frozen_envelopes_still_open() {
    let frozen = frozen();
    let bob = party("Bob", &Identity::from_secret(&[2; 32]));
    let agreement = AgreementSecret::from_secret(&[22; 32]);
    for (line, link) in [
        ("Envelope/Kind::Signal", Nonce::NONE),
        ("Envelope/Kind::Signal/link", link()),
    ] {
        let envelope: Envelope = read(&frozen[line]);
        let opened = envelope.open::<CallSignal>(&bob, &agreement, link).unwrap();
        assert_eq!(opened.body, about_a_call(Signal::Ringing));
        assert_eq!(opened.sent_at, 1_800_000_000_123);
    }
}

#[test]
fn a_whole_frame_is_its_payload_stuffed_between_two_zeros() {
    let request = Request {
        id: RequestId(0),
        method: Method::Lookup { name: name("bob") },
    };
    assert_eq!(
        frame::to_frame(&request).unwrap(),
        *b"\x00\x01\x06\x03\x03bob\x00"
    );
}

fn frozen() -> BTreeMap<&'static str, Vec<u8>> {
    let mut lines = BTreeMap::new();
    for line in GOLDEN.lines() {
        let (name, digits) = line.split_once(' ').expect("a line is `name hex`");
        let twice = lines.insert(name, unhex(digits)).is_some();
        assert!(!twice, "two lines for {name}");
    }
    lines
}

fn read<T: DeserializeOwned>(payload: &[u8]) -> T {
    frame::from_payload(payload).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(digits: &str) -> Vec<u8> {
    assert!(digits.len().is_multiple_of(2), "half a byte: {digits}");
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hex digits"))
        .collect()
}

// The people, addresses and values that the messages are made of. Fields of the same type differ,
// so that two of them swapped show.

/// 32 bytes, each one more than the one before.
fn ascending(first: u8) -> [u8; 32] {
    std::array::from_fn(|index| first + u8::try_from(index).unwrap())
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn agent() -> Text<64> {
    Text::new("ramal-phone/0.1.0").unwrap()
}

fn alice() -> Identity {
    Identity::from_secret(&[1; 32])
}

fn party(called: &str, identity: &Identity) -> Party {
    Party {
        name: name(called),
        identity: identity.key(),
    }
}

fn device_id() -> DeviceId {
    DeviceId([0xDE; 16])
}

fn card() -> KeyCard {
    let agreement = AgreementSecret::from_secret(&[11; 32]);
    KeyCard::issue(&alice(), agreement.key(), 300, 1_900_000_000_000)
}

fn phone() -> PhoneGreeting {
    PhoneGreeting {
        card: card(),
        nonce: link(),
    }
}

fn link() -> Nonce {
    Nonce(ascending(0x40))
}

fn ipv4() -> SocketAddr {
    ([192, 0, 2, 7], 40_000).into()
}

fn ipv6() -> SocketAddr {
    ([0x2001, 0xDB8, 0, 0, 0, 0, 0, 9], 41_000).into()
}

fn registry_welcome() -> RegistryWelcome {
    RegistryWelcome::prove(
        &Identity::from_secret(&[9; 32]),
        &Exporter(ascending(0x90)),
        agent(),
        Nonce(ascending(0x20)),
        1_800_000_000_000,
        ipv4(),
    )
}

fn binding() -> Binding {
    Binding {
        registry: Identity::from_secret(&[9; 32]).key(),
        exporter: Exporter(ascending(0x90)),
        nonce: Nonce(ascending(0x20)),
    }
}

fn claim() -> Claim {
    Claim::new(RecoveryLock(ascending(0xA0)))
}

fn register() -> Register {
    registered_with(claim())
}

fn registered_with(claim: Claim) -> Register {
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

fn release() -> Release {
    Release::sign(&alice(), &binding(), name("Alice"), 1)
}

fn change_key() -> ChangeKey {
    let to = Identity::from_secret(&[3; 32]);
    let lock = RecoveryLock(ascending(0xA0));
    ChangeKey::sign(&alice(), &to, &binding(), name("Alice"), lock, 2)
}

fn recover() -> Recover {
    let code = RecoveryCode::generate(&mut ChaCha20Rng::seed_from_u64(5));
    let lock = RecoveryLock(ascending(0xA0));
    Recover::sign(&alice(), &binding(), name("Alice"), code, lock, 3)
}

fn refresh() -> Refresh {
    Refresh::sign(&alice(), &binding(), name("Alice"), device_id(), 60, 301)
}

fn unregister() -> Unregister {
    Unregister::sign(&alice(), &binding(), name("Alice"), device_id(), 302)
}

fn entry(called: &str, presence: Presence) -> Entry {
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

fn about_a_call(signal: Signal) -> CallSignal {
    CallSignal {
        call: CallId([0xCA; 16]),
        from: device_id(),
        to: Some(DeviceId([0xDF; 16])),
        seq: 7,
        signal,
    }
}

fn candidate(kind: CandidateKind) -> Candidate {
    Candidate {
        kind,
        addr: ipv4(),
        priority: 2_130_706_431,
    }
}

fn candidates() -> Candidates {
    let remote = Candidate {
        addr: ipv6(),
        priority: 1,
        kind: CandidateKind::ServerReflexive,
    };
    List::first_of([candidate(CandidateKind::Host), remote])
}

fn media() -> MediaOffer {
    MediaOffer {
        fingerprint: Fingerprint(ascending(0xC0)),
        ice: IceCredentials::new("uFrg", "0123456789abcdefghij+/").unwrap(),
        candidates: candidates(),
    }
}

/// Alice tells Bob that her phone rings.
fn envelope(link: Nonce) -> Envelope {
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
