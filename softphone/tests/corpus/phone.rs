//! A phone told anything by anybody in any order: it never panics, does not ask to be woken again
//! and again, rings for no more calls than it takes, ends each once, answers each lookup once, and
//! stops when it is told to.

use std::{
    collections::BTreeSet,
    sync::OnceLock,
    time::{Duration, Instant},
};

use codec::{
    CallId, CallSignal, DeviceId, Envelope, Identity, KeyCard, List, Party, Signal,
    direct::{DirectFrame, DirectRefusal},
    envelope::{Address, EnvelopeId, Kind},
    frame::from_payload,
    greeting::{Exporter, Nonce, PhoneGreeting},
    identity::AgreementSecret,
    registry::{
        Binding, ClosingReason, Contact, Contacts, Device, Entry, FromRegistry, Notice, Page,
        Presence, Record, Refusal, RequestId, Response, Success,
    },
    signal::{
        ByeReason, CallNonce, CancelReason, Candidate, CandidateKind, Candidates, DeclineReason,
        Fingerprint, IceCredentials, MediaOffer,
    },
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use softphone::{
    call::{MediaFailure, Moved},
    contacts::{Book, Change, Contact as Known},
    phone::{
        Callers, Command, Event, INBOUND_BIT, Input, Keys, LinkId, Me, MediaNews, Output, Phone,
        SecondCall, Settings, Unresolved, Why,
    },
};

use super::script::Script;

const TIME: u64 = 1_800_000_000_000;
const CALLS_MAX: usize = 2;

/// How often the person calls somebody: how many calls they make at once is up to them.
const DIALS_MAX: usize = 6;

/// The most that one input may bring out: letters to all contacts of all calls.
const OUTPUTS_MAX: usize = 256;

/// The most steps of one script, so that none takes longer than a moment.
const STEPS_MAX: usize = 120;

/// How often a phone that stops may have to be woken until it has.
const WAKES_MAX: usize = 100;

const NAMES: [&str; 4] = ["bob", "alice", "mallory", "carol"];

/// Reads `input` as what happens to bob's phone.
pub fn check(input: &[u8]) {
    let mut script = Script(input);
    let mut rig = Rig::new(script.byte());
    for _ in 0..STEPS_MAX {
        if script.is_over() {
            break;
        }
        rig.step(&mut script);
    }
    rig.finish();
}

/// Bob's phone, and what it has asked for.
struct Rig {
    phone: Phone,
    now: Instant,
    requests: Vec<RequestId>,
    links: Vec<LinkId>,
    /// Calls that were ever heard of.
    calls: Vec<CallId>,
    /// Calls that the person knows and that are not over.
    live: BTreeSet<CallId>,
    ringing: BTreeSet<CallId>,
    media: BTreeSet<CallId>,
    hidden: bool,
    letters: u8,
    dialled: usize,
    /// Lookups without an answer.
    sought: usize,
    stopped: bool,
}

impl Rig {
    fn new(how: u8) -> Self {
        let now = Instant::now();
        let Person { identity, card, .. } = person(0);
        let me = Me {
            name: NAMES[0].parse().expect("a name"),
            device: DeviceId([1; 16]),
            identity: Identity::from_secret(&SECRETS[0]),
            keys: Keys::new(*card, AgreementSecret::from_secret(&[100; 32])),
            claim: codec::claim::Claim::new(codec::RecoveryLock([7; 32])),
        };
        assert_eq!(me.identity.key(), identity.key());
        let settings = Settings {
            calls_max: CALLS_MAX,
            ring_for: Duration::from_secs(30),
            second_call: match how % 2 {
                0 => SecondCall::Offer,
                _ => SecondCall::Busy,
            },
            publish: how < 128,
            callers: match how / 8 % 4 {
                0 | 3 => Callers::Everyone,
                1 => Callers::Contacts,
                _ => Callers::Nobody,
            },
            dnd: false,
            hidden: how / 32 % 2 == 1,
            one_at_a_time: how % 4 < 2,
        };
        let rng = ChaCha20Rng::seed_from_u64(1);
        let contacts = Contacts::first_of([([10, 0, 0, 1], 4000).into()]);
        let mut rig = Self {
            phone: Phone::new(me, contacts, settings, rng, now, TIME),
            now,
            requests: Vec::new(),
            links: Vec::new(),
            calls: vec![CallId([3; 16]), CallId([4; 16])],
            live: BTreeSet::new(),
            ringing: BTreeSet::new(),
            media: BTreeSet::new(),
            hidden: settings.hidden,
            letters: 0,
            dialled: 0,
            sought: 0,
            stopped: false,
        };
        rig.obey();
        rig
    }

    fn step(&mut self, script: &mut Script<'_>) {
        let what = script.byte() % 36;
        let input = match what {
            0..=3 | 24..=26 | 28 | 29 | 31..=33 => Some(Input::Command(self.command(what, script))),
            4 => Some(match script.byte() {
                0 => Input::Command(Command::Stop),
                1 => Input::RegistryDown { why: Why::Silent },
                _ => Input::RegistryUp {
                    binding: binding(),
                    time: TIME,
                },
            }),
            5..=7 => self
                .response(script)
                .map(|response| Input::FromRegistry(FromRegistry::Response(response))),
            8 => {
                let said = from_payload::<FromRegistry>(script.some_bytes());
                said.ok().map(Input::FromRegistry)
            }
            9 => {
                let frame = from_payload::<DirectFrame>(script.some_bytes()).ok();
                let link = self.link(script);
                frame.map(|frame| Input::FromLink { link, frame })
            }
            10..=15 | 18 => Some(self.on_link(what, script)),
            16 | 17 => {
                let notice = match script.byte() {
                    0 => Notice::Closing(ClosingReason::Replaced),
                    1 => Notice::Closing(ClosingReason::Stopping),
                    _ => Notice::Envelope(self.envelope(Nonce::NONE, script)),
                };
                Some(Input::FromRegistry(FromRegistry::Notice(notice)))
            }
            19..=21 | 27 => {
                let news = media_news(what, script);
                Some(Input::Media(self.call(script), news))
            }
            30 => Some(Input::People(book(script))),
            34 => Some(Input::Reached {
                link: self.link(script),
                at: ([10, 0, 0, 9], 4000).into(),
            }),
            35 => Some(Input::FromRegistry(FromRegistry::Notice(news_of_names(
                script,
            )))),
            22 => {
                self.now += Duration::from_millis(50) * u32::from(script.byte());
                return self.timeout();
            }
            _ => {
                let next = self.phone.poll_timeout();
                self.now = next.map_or(self.now, |next| next.max(self.now));
                return self.timeout();
            }
        };
        if let Some(input) = input {
            self.tell(input);
        }
    }

    /// What the person wants.
    fn command(&mut self, what: u8, script: &mut Script<'_>) -> Command {
        match what {
            0 | 1 if self.dialled < DIALS_MAX => {
                self.dialled += 1;
                let targets = ["alice", "carol", "bob", "mallory@10.0.0.9:4000", "x@h"];
                Command::Dial(script.choose(&targets).parse().expect("a target"))
            }
            2 => Command::Answer(self.call(script)),
            24 => Command::Hold(self.call(script)),
            25 => Command::Resume(self.call(script)),
            26 => Command::Away(script.byte().is_multiple_of(2)),
            28 => Command::Dnd(script.byte().is_multiple_of(2)),
            29 => Command::Verify(self.call(script)),
            31 => Command::Watch(script.byte().is_multiple_of(2)),
            32 => {
                self.sought += 1;
                let targets = ["alice", "carol", "bob", "mallory@10.0.0.9:4000", "x@h"];
                Command::Lookup(script.choose(&targets).parse().expect("a target"))
            }
            33 => wish(script),
            _ => Command::Hangup(self.call(script)),
        }
    }

    /// What happens on a connection to another phone.
    fn on_link(&mut self, what: u8, script: &mut Script<'_>) -> Input {
        let link = self.link(script);
        match what {
            10 | 11 => Input::LinkUp {
                link,
                ours: nonce_of(link),
                peer: PhoneGreeting {
                    card: person(script.byte() % 4).card,
                    nonce: Nonce([5; 32]),
                },
            },
            12 => Input::LinkDown {
                link,
                why: Why::Silent,
            },
            18 => Input::Resolved {
                link,
                registry: binding().registry,
                found: match script.byte() % 4 {
                    0 => Err(Unresolved::NotFound),
                    1 => Err(Unresolved::Failed(Why::Silent)),
                    _ => Ok(record(script)),
                },
            },
            _ => {
                let frame = match script.byte() {
                    0 => DirectFrame::Refused(DirectRefusal::NotHere),
                    1 => DirectFrame::Refused(DirectRefusal::TooMany),
                    _ => DirectFrame::Envelope(self.envelope(nonce_of(link), script)),
                };
                Input::FromLink { link, frame }
            }
        }
    }

    fn tell(&mut self, input: Input) {
        self.phone.handle_input(input, self.now);
        self.obey();
    }

    /// Whoever drives the phone comes at its time, and does not have to come again at once.
    fn timeout(&mut self) {
        self.tell(Input::Timeout);
        let next = self.phone.poll_timeout();
        assert!(next.is_none_or(|next| next > self.now), "it would spin");
    }

    fn obey(&mut self) {
        let mut count = 0;
        while let Some(output) = self.phone.poll_output() {
            count += 1;
            assert!(count <= OUTPUTS_MAX, "one input brings out too much");
            match output {
                Output::ToRegistry(request) => self.requests.push(request.id),
                Output::OpenLink { link, .. } | Output::OpenHost { link, .. } => {
                    assert!(!self.hidden, "it shows where it is");
                    self.links.push(link);
                }
                Output::PrepareMedia(call) => {
                    self.hear_of(call);
                    assert!(self.media.insert(call), "media twice");
                }
                Output::StopMedia(call) => drop(self.media.remove(&call)),
                Output::Event(event) => self.event(&event),
                _ => {}
            }
        }
        assert!(self.ringing.len() <= CALLS_MAX, "it rings for too many");
    }

    fn event(&mut self, event: &Event) {
        match *event {
            Event::Dialling { call, .. } => {
                self.hear_of(call);
                assert!(self.live.insert(call), "two calls are one");
            }
            Event::Incoming { call, .. } => {
                self.hear_of(call);
                assert!(self.live.insert(call), "two calls are one");
                self.ringing.insert(call);
            }
            Event::Merged { call, .. } => {
                self.hear_of(call);
                self.live.insert(call);
            }
            Event::Ended { call, .. } => {
                assert!(self.live.remove(&call), "a call ends twice");
                self.ringing.remove(&call);
            }
            Event::Found { .. } => {
                self.sought = self.sought.checked_sub(1).expect("nobody asked for it");
            }
            Event::Stopped => self.stopped = true,
            _ => {}
        }
    }

    fn hear_of(&mut self, call: CallId) {
        if !self.calls.contains(&call) {
            self.calls.push(call);
        }
    }

    /// It stops, whatever has happened, and leaves nothing open.
    fn finish(mut self) {
        self.tell(Input::Command(Command::Stop));
        for _ in 0..WAKES_MAX {
            if self.stopped && self.live.is_empty() && self.media.is_empty() {
                assert_eq!(self.sought, 0, "a lookup has no answer");
                return;
            }
            let next = self.phone.poll_timeout().expect("a time to be woken at");
            self.now = self.now.max(next);
            self.timeout();
        }
        panic!(
            "it does not stop: {}, calls {:?}, media {:?}",
            self.stopped, self.live, self.media
        );
    }

    // ---- what scripts choose from ----

    fn call(&self, script: &mut Script<'_>) -> CallId {
        *script.choose(&self.calls)
    }

    fn link(&self, script: &mut Script<'_>) -> LinkId {
        let which = script.byte();
        match self.links.get(usize::from(which)) {
            Some(link) => *link,
            None => LinkId(INBOUND_BIT | u64::from(which % 4)),
        }
    }

    fn response(&mut self, script: &mut Script<'_>) -> Option<Response> {
        if self.requests.is_empty() {
            return None;
        }
        // The newest first, so that what just was asked is answered by a zero.
        let from_end = usize::from(script.byte()) % self.requests.len();
        let id = self.requests.remove(self.requests.len() - 1 - from_end);
        let result = match script.byte() {
            200..=219 => Ok(Success::Watching),
            220..=239 => Ok(Success::Page(Page {
                entries: List::first_of((0..script.byte() % 5).map(|_| record(script).entry)),
                more: script.byte().is_multiple_of(2),
            })),
            240..=244 => Err(Refusal::TooMany),
            245..=249 => Err(Refusal::Closed),
            250..=255 => Err(Refusal::TooFast {
                retry_s: script.byte().into(),
            }),
            other => answer(other % 10, script),
        };
        Some(Response { id, result })
    }

    fn envelope(&mut self, link: Nonce, script: &mut Script<'_>) -> Envelope {
        let number = script.byte() % 4;
        let from = person(number);
        let name = NAMES[usize::from(script.byte().checked_sub(1).unwrap_or(number) % 4)];
        self.letters = self.letters.wrapping_add(script.byte().max(1));
        // From which device, to which, and whether it is older than what came before.
        let how = script.byte();
        let call = self.call(script);
        let signal = match script.byte() % 16 {
            0..=3 => Signal::Invite {
                card: person(script.byte().checked_sub(1).unwrap_or(number) % 4).card,
                media: media(script),
                commitment: NONCE.commitment(),
            },
            4 => Signal::Ringing,
            5 | 6 => Signal::Accept {
                media: media(script),
                nonce: NONCE,
            },
            7 => Signal::Confirm { nonce: NONCE },
            8 => Signal::Confirm {
                nonce: CallNonce([script.byte(); 32]),
            },
            9 => Signal::Decline(DeclineReason::Declined),
            10 => Signal::Busy,
            11 => Signal::Cancel(CancelReason::Hangup),
            12 => Signal::Bye(ByeReason::Hangup),
            14 => Signal::Candidates {
                added: candidates(script),
                removed: candidates(script),
            },
            13 => script.choose(&[Signal::Hold, Signal::Resume]).clone(),
            _ => match from_payload::<CallSignal>(script.some_bytes()) {
                Ok(read) => read.signal,
                Err(_) => Signal::Busy,
            },
        };
        let party = |name: &str, number| Party {
            name: name.parse().expect("a name"),
            identity: person(number).identity.key(),
        };
        let address = Address {
            from: party(name, number),
            to: party(NAMES[0], 0),
            id: EnvelopeId([self.letters; 16]),
            kind: Kind::Signal,
        };
        let mut rng = ChaCha20Rng::seed_from_u64(self.letters.into());
        let key = &person(0).card.agreement;
        let body = CallSignal {
            call,
            from: DeviceId([2 + how % 2; 16]),
            to: [None, Some(DeviceId([1; 16])), Some(DeviceId([9; 16]))][usize::from(how / 2 % 3)],
            seq: u32::from(self.letters) * u32::from(how < 128),
            signal,
        };
        Envelope::seal(&from.identity, address, key, link, TIME, &body, &mut rng).expect("it fits")
    }
}

/// What a registry answers to somebody who makes calls.
fn answer(which: u8, script: &mut Script<'_>) -> Result<Success, Refusal> {
    match which {
        0..=2 => Ok(Success::Registered { expires_s: 60 }),
        3..=5 => Ok(Success::Found(record(script))),
        6 => Ok(Success::Sent { devices: 1 }),
        7 => Ok(Success::Unregistered),
        8 => Err(Refusal::NotFound),
        _ => Err(Refusal::NameTaken),
    }
}

/// Something that a person changes while the phone runs.
fn wish(script: &mut Script<'_>) -> Command {
    let registry = Some(binding().registry);
    let which = script.byte();
    let name = NAMES[usize::from(which / 8 % 4)].parse().expect("a name");
    match which % 8 {
        0 => Command::Callers(Callers::Everyone),
        1 => Command::Callers(Callers::Contacts),
        2 => Command::Publish(which < 128),
        3 => Command::Directory,
        4 => Command::Change(Change::Forget { registry, name }),
        5 => Command::Change(Change::Unverify { registry, name }),
        _ => Command::Change(Change::Block {
            registry,
            name,
            blocked: which < 128,
        }),
    }
}

/// What a registry says of its directory, asked or not.
fn news_of_names(script: &mut Script<'_>) -> Notice {
    match script.byte() % 4 {
        0 => Notice::Missed,
        1 => Notice::Gone(record(script).entry.name),
        _ => Notice::Changed(record(script).entry),
    }
}

const NONCE: CallNonce = CallNonce([1; 32]);
const SECRETS: [[u8; 32]; 4] = [[1; 32], [2; 32], [3; 32], [4; 32]];

/// The nonce that bob's side greets with on a connection.
fn nonce_of(link: LinkId) -> Nonce {
    Nonce([u8::try_from(link.0 & 0x7F).expect("seven bits") + 1; 32])
}

fn binding() -> Binding {
    Binding {
        registry: Identity::from_secret(&[99; 32]).key(),
        exporter: Exporter::PLAIN,
        nonce: Nonce([8; 32]),
    }
}

fn candidates(script: &mut Script<'_>) -> Candidates {
    let addresses = script.bytes(2).iter();
    Candidates::first_of(addresses.map(|&last| Candidate {
        kind: CandidateKind::Host,
        addr: ([10, 0, 1, last], 5000).into(),
        priority: last.into(),
    }))
}

fn media(script: &mut Script<'_>) -> MediaOffer {
    MediaOffer {
        fingerprint: Fingerprint([script.byte(); 32]),
        ice: IceCredentials::new("abcd", &"p".repeat(22)).expect("fit"),
        candidates: candidates(script),
    }
}

fn media_news(what: u8, script: &mut Script<'_>) -> MediaNews {
    match (what, script.byte() % 8) {
        (27, 0) => MediaNews::Reconnecting,
        (27, 1) => MediaNews::Reconnected,
        (27, _) => MediaNews::Moved(Moved {
            added: candidates(script),
            removed: candidates(script),
        }),
        (_, 0..=2) => MediaNews::Prepared(media(script)),
        (_, 3 | 4) => MediaNews::Connected,
        (_, 5 | 6) => MediaNews::Heard,
        _ => MediaNews::Failed(MediaFailure::Lost),
    }
}

/// Up to 4 people: the name, whose it is, and how they stand.
fn book(script: &mut Script<'_>) -> Book {
    let people = script.bytes(4).iter().map(|&who| Known {
        registry: Some(binding().registry).filter(|_| who < 128),
        name: NAMES[usize::from(who % 4)].parse().expect("a name"),
        identity: person(who / 4 % 4).identity.key(),
        verified: who / 16 % 2 == 1,
        blocked: who / 32 % 2 == 1,
        changed: who / 64 % 2 == 1,
        since: TIME,
    });
    people.collect()
}

/// Of one of the four, with their own card or another's, and up to 3 contacts.
fn record(script: &mut Script<'_>) -> Record {
    let number = script.byte() % 4;
    let card = person(script.byte().checked_sub(1).unwrap_or(number) % 4).card;
    let contacts = script.bytes(3).iter().map(|&last| Contact {
        addr: ([10, 0, 0, last], 4000).into(),
        observed: last % 2 == 0,
    });
    let device = Device {
        id: DeviceId([2; 16]),
        contacts: List::first_of(contacts),
        lease_left_s: 60,
        unverified: false,
    };
    let entry = Entry {
        name: NAMES[usize::from(number)].parse().expect("a name"),
        presence: Presence::Available,
        devices: List::first_of([device]),
    };
    Record { card, entry }
}

struct Person {
    identity: Identity,
    card: KeyCard,
}

/// Bob, alice, mallory and carol. What is always the same is signed once.
fn person(number: u8) -> &'static Person {
    static PEOPLE: OnceLock<[Person; 4]> = OnceLock::new();
    let people = PEOPLE.get_or_init(|| {
        SECRETS.map(|secret| {
            let identity = Identity::from_secret(&secret);
            let agreement = AgreementSecret::from_secret(&[secret[0] + 99; 32]);
            let card = KeyCard::issue(&identity, agreement.key(), 1, u64::MAX);
            Person { identity, card }
        })
    });
    &people[usize::from(number)]
}
