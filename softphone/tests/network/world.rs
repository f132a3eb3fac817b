//! Phones and a registry in virtual time over a seeded network.
//!
//! The phones, the registry's sessions and its table are the real ones. What lies between them is
//! not: here are connections that delay, lose, reorder, repeat and break, and media that is up
//! while packets of it get through.

use std::{
    collections::{BTreeMap, BinaryHeap},
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use codec::{
    CallId, DeviceId, Identity, IdentityKey, KeyCard, Text,
    greeting::{Nonce, PhoneGreeting},
    identity::AgreementSecret,
    registry::Contacts,
    signal::{Candidates, Fingerprint, IceCredentials, MediaOffer},
};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};
use registry::{
    client::ConnectError,
    session::{Registrar, Session},
    table::Table,
};
use softphone::{
    call::MediaFailure,
    media::watchdog::{Sign, Watchdog},
    phone::{
        Callers, Command, Event, INBOUND_BIT, Input, Keys, LinkId, Me, MediaNews, Output, Phone,
        SecondCall, Settings, Why,
    },
};

mod people;
mod registrar;

pub const TIME: u64 = 1_800_000_000_000;

/// In a healthy network everything has happened by then.
pub const SOON: Duration = Duration::from_secs(8);

/// How often media says that it is there.
const MEDIA_EVERY: Duration = Duration::from_millis(500);

/// How the network treats the phones.
#[derive(Debug, Clone, Copy)]
pub struct Net {
    /// The longest a message takes, in milliseconds.
    pub delay_ms: u64,
    /// Of 100 messages so many are lost. On a connection that keeps order they come later instead.
    pub loss_pct: u64,
    /// Of 100 messages so many come twice.
    pub twice_pct: u64,
    /// Messages overtake one another, and those that are lost do not come: no TCP does that, but a
    /// connection that breaks after it has taken a message loses it just so.
    pub wild: bool,
    /// Phones reach each other directly.
    pub direct: bool,
    /// There is a registry.
    pub registry: bool,
}

pub const LAN: Net = Net {
    delay_ms: 20,
    loss_pct: 0,
    twice_pct: 0,
    wild: false,
    direct: true,
    registry: true,
};

/// Everything that happens, in the order of time and then of coming.
pub struct World {
    pub net: Net,
    pub now: Instant,
    pub rng: ChaCha20Rng,
    queue: BinaryHeap<std::cmp::Reverse<(Instant, u64)>>,
    pending: BTreeMap<u64, (usize, Happening)>,
    count: u64,
    pub nodes: Vec<Node>,
    pub table: Table,
    registrar: Arc<Registrar>,
    /// Both ends of every direct connection.
    pub links: BTreeMap<(usize, LinkId), (usize, LinkId)>,
    /// When the last message of each way arrives: TCP keeps the order.
    last: BTreeMap<(usize, usize), Instant>,
    media: BTreeMap<(usize, CallId), Media>,
}

/// One side of a call's media.
#[derive(Debug)]
struct Media {
    peer: usize,
    connected: bool,
    speaks: bool,
    watchdog: Watchdog,
}

enum Happening {
    Tell(Box<Input>),
    /// To the registry, on the connection with this count.
    Registry(u64, Vec<u8>),
    /// From the registry, likewise.
    FromRegistry(u64, Box<Input>),
    /// A packet of media came.
    Media(CallId),
    /// The peer has closed its media.
    MediaClosed(CallId),
    /// It is time to send one.
    Beat(CallId),
}

pub struct Node {
    pub phone: Phone,
    pub greeting: PhoneGreeting,
    pub addr: SocketAddr,
    pub name: String,
    pub device: DeviceId,
    /// It is found at no address and connects to nobody.
    hidden: bool,
    session: Option<Session>,
    /// The registry tells it about everybody.
    watches: bool,
    /// Counts connections to the registry.
    connection: u64,
    /// It does nothing any more, and nobody is told.
    pub dead: bool,
    pub events: Vec<Event>,
}

impl World {
    pub fn new(seed: u64, net: Net, names: &[&str]) -> Self {
        let agent = Text::new("test").unwrap();
        let registrar = Registrar {
            identity: Identity::from_secret(&[200; 32]),
            agent,
            limits: registry::limits::Limits::default(),
        };
        let mut world = Self {
            net,
            now: Instant::now(),
            rng: ChaCha20Rng::seed_from_u64(seed),
            queue: BinaryHeap::new(),
            pending: BTreeMap::new(),
            count: 0,
            nodes: Vec::new(),
            table: Table::new(100),
            registrar: Arc::new(registrar),
            links: BTreeMap::new(),
            last: BTreeMap::new(),
            media: BTreeMap::new(),
        };
        for (number, name) in (1u8..).zip(names) {
            world.add(number, name, SecondCall::Busy);
        }
        world
    }

    /// One more phone, of the person with that number.
    pub fn add(&mut self, person: u8, name: &str, second_call: SecondCall) {
        self.add_as(person, name, second_call, Callers::Everyone, false);
    }

    /// One more phone, which may let only some in and may be hidden.
    pub fn add_as(
        &mut self,
        person: u8,
        name: &str,
        second_call: SecondCall,
        callers: Callers,
        hidden: bool,
    ) {
        let number = u8::try_from(self.nodes.len()).unwrap() + 1;
        let identity = Identity::from_secret(&[person; 32]);
        let agreement = AgreementSecret::from_secret(&[person + 50; 32]);
        let card = KeyCard::issue(&identity, agreement.key(), 1, u64::MAX);
        let greeting = PhoneGreeting {
            card,
            nonce: Nonce([number; 32]),
        };
        let device = DeviceId([number; 16]);
        let me = Me {
            name: name.parse().unwrap(),
            device,
            identity,
            keys: Keys::new(card, agreement),
            claim: codec::claim::Claim::new(codec::RecoveryLock([7; 32])),
        };
        let addr: SocketAddr = ([10, 0, 0, number], 4000).into();
        let settings = Settings {
            calls_max: if second_call == SecondCall::Busy {
                1
            } else {
                4
            },
            ring_for: Duration::from_secs(30),
            second_call,
            one_at_a_time: true,
            publish: true,
            callers,
            dnd: false,
            hidden,
        };
        let rng = ChaCha20Rng::seed_from_u64(self.rng.next_u64());
        let contacts = Contacts::first_of([addr]);
        // A phone's own clock may be some minutes wrong; the registry's counts.
        let wrong = TIME - 300_000;
        let phone = Phone::new(me, contacts, settings, rng, self.now, wrong);
        self.nodes.push(Node {
            phone,
            greeting,
            addr,
            name: name.to_owned(),
            device,
            hidden,
            session: None,
            watches: false,
            connection: 0,
            dead: false,
            events: Vec::new(),
        });
        self.obey(self.nodes.len() - 1);
    }

    /// Phones that are registered, where there is a registry.
    pub fn ready(seed: u64, net: Net, names: &[&str]) -> Self {
        let mut world = Self::new(seed, net, names);
        world.run_until(Duration::from_secs(30), |world| {
            (0..world.nodes.len()).all(|node| world.registered(node))
        });
        assert_eq!(world.registered(0), net.registry, "seed {seed}");
        world
    }

    /// The key of the registry.
    pub fn registry(&self) -> IdentityKey {
        self.registrar.identity.key()
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.rng.next_u64() % limit
    }

    // ---- the network ----

    fn at(&mut self, when: Instant, to: usize, happening: Happening) {
        self.count += 1;
        self.queue.push(std::cmp::Reverse((when, self.count)));
        self.pending.insert(self.count, (to, happening));
    }

    /// How long a message takes, and whether it comes at all.
    fn passage(&mut self) -> (Duration, bool) {
        let micros = self.below(self.net.delay_ms * 1000 + 1);
        let lost = self.below(100) < self.net.loss_pct;
        (Duration::from_micros(micros), lost)
    }

    /// A frame on a connection: in order and for certain, unless the network is wild.
    fn frame_later(&mut self, from: usize, to: usize, frame: impl Fn() -> Happening) {
        let (mut delay, mut lost) = self.passage();
        if self.net.wild {
            if !lost {
                self.at(self.now + delay, to, frame());
            }
            if self.below(100) < self.net.twice_pct {
                let (delay, _) = self.passage();
                self.at(self.now + delay, to, frame());
            }
            return;
        }
        // Sent again after 200 ms, 400 ms, and so on.
        let mut again = Duration::from_millis(200);
        while lost && again < Duration::from_secs(2) {
            delay += again;
            again *= 2;
            lost = self.passage().1;
        }
        let last = self.last.entry((from, to)).or_insert(self.now);
        *last = (*last).max(self.now + delay);
        let when = *last;
        self.at(when, to, frame());
    }

    /// What a phone learns of its own connections; it does so for certain.
    pub fn tell_later(&mut self, from: usize, to: usize, input: Input) {
        let delay = self.passage().0;
        let last = self.last.entry((from, to)).or_insert(self.now);
        *last = (*last).max(self.now + delay);
        let when = *last;
        self.at(when, to, Happening::Tell(Box::new(input)));
    }

    /// Cuts every direct connection; both ends notice.
    pub fn cut_links(&mut self) {
        for (node, link) in self.links.keys().copied().collect::<Vec<_>>() {
            let why = Why::PhoneClosed;
            self.happen(node, Input::LinkDown { link, why });
        }
    }

    /// Every direct connection is dead, and neither end notices.
    pub fn freeze_links(&mut self) {
        self.links.clear();
    }

    /// A phone's machine has another address, or had none for a while.
    pub fn move_phone(&mut self, node: usize) {
        let contacts = Contacts::first_of([self.nodes[node].addr]);
        self.happen(node, Input::Contacts(contacts));
    }

    /// The registry ends, and forgets everything that it does not store.
    pub fn kill_registry(&mut self) {
        self.net.registry = false;
        self.table = Table::new(100);
        for node in 0..self.nodes.len() {
            if self.nodes[node].session.take().is_some() {
                let why = Why::ClosedHere;
                self.tell_later(node, node, Input::RegistryDown { why });
            }
        }
    }

    /// A phone is there no more. Its machine may close its connections, or may be gone itself.
    pub fn kill(&mut self, node: usize, machine_too: bool) {
        self.nodes[node].dead = true;
        self.nodes[node].session = None;
        let ends: Vec<_> = self.links.keys().copied().collect();
        for (at, link) in ends.into_iter().filter(|(at, _)| *at == node) {
            if machine_too {
                self.links.remove(&(at, link));
            } else {
                self.close(at, link);
            }
        }
    }

    // ---- time ----

    pub fn command(&mut self, node: usize, command: Command) {
        self.nodes[node]
            .phone
            .handle_input(Input::Command(command), self.now);
        self.obey(node);
    }

    pub fn dial(&mut self, node: usize, target: &str) {
        self.command(node, Command::Dial(target.parse().unwrap()));
    }

    pub fn run_for(&mut self, time: Duration) {
        self.run_until(time, |_| false);
    }

    /// Runs until `done`, and tells whether that was within `limit`.
    pub fn run_until(&mut self, limit: Duration, done: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + limit;
        while !done(self) {
            let message = self.queue.peek().map(|std::cmp::Reverse((at, _))| *at);
            let living = self.nodes.iter().filter(|node| !node.dead);
            let timers = living.filter_map(|node| node.phone.poll_timeout()).min();
            let watched = self.media.values();
            let watched = watched.filter_map(|media| media.watchdog.poll_timeout());
            let next = message.into_iter().chain(timers).chain(watched.min()).min();
            let Some(next) = next.filter(|next| *next <= end) else {
                self.now = end;
                return false;
            };
            self.now = self.now.max(next);
            if message == Some(next) {
                let std::cmp::Reverse((_, id)) = self.queue.pop().unwrap();
                let (node, happening) = self.pending.remove(&id).unwrap();
                self.take_place(node, happening);
            }
            for node in 0..self.nodes.len() {
                let due = self.nodes[node].phone.poll_timeout();
                if !self.nodes[node].dead && due.is_some_and(|at| at <= self.now) {
                    self.nodes[node]
                        .phone
                        .handle_input(Input::Timeout, self.now);
                    self.obey(node);
                    // A timer that is not moved on by its time-out would never let time pass.
                    let next = self.nodes[node].phone.poll_timeout();
                    assert!(next.is_none_or(|at| at > self.now), "a timer stands still");
                }
            }
            self.watch_media();
        }
        true
    }

    fn take_place(&mut self, node: usize, happening: Happening) {
        match happening {
            _ if self.nodes[node].dead => {}
            Happening::Tell(input) => self.happen(node, *input),
            Happening::Registry(connection, payload) => {
                if self.nodes[node].connection == connection {
                    self.at_registry(node, &payload);
                }
            }
            Happening::FromRegistry(connection, input) => {
                if self.nodes[node].connection == connection {
                    self.happen(node, *input);
                }
            }
            Happening::Media(call) => self.media_came(node, call),
            Happening::MediaClosed(call) => {
                if let Some(media) = self.media.get_mut(&(node, call)) {
                    media.watchdog.closed(self.now);
                }
            }
            Happening::Beat(call) => self.beat(node, call),
        }
    }

    pub fn happen(&mut self, node: usize, input: Input) {
        if let Input::LinkDown { link, .. } = &input {
            self.links.remove(&(node, *link));
        }
        self.nodes[node].phone.handle_input(input, self.now);
        self.obey(node);
    }

    fn obey(&mut self, node: usize) {
        while let Some(output) = self.nodes[node].phone.poll_output() {
            match output {
                Output::ConnectRegistry => self.connect_registry(node),
                Output::DisconnectRegistry => {
                    self.nodes[node].session = None;
                    self.nodes[node].connection += 1;
                }
                Output::ToRegistry(request) => {
                    let (payload, count) =
                        (registrar::payload(&request), self.nodes[node].connection);
                    let frame = || Happening::Registry(count, payload.clone());
                    self.frame_later(node, node, frame);
                }
                Output::OpenLink { link, contact } => {
                    assert!(!self.nodes[node].hidden, "it shows where it is");
                    self.open(node, link, contact);
                }
                Output::OpenHost { link, host, .. } => {
                    assert!(!self.nodes[node].hidden, "it shows where it is");
                    let addr = host.to_string().parse().unwrap();
                    self.open(node, link, addr);
                }
                Output::ToLink(link, frame) => {
                    if let Some(&(peer, link)) = self.links.get(&(node, link)) {
                        let came = || {
                            let frame = frame.clone();
                            Happening::Tell(Box::new(Input::FromLink { link, frame }))
                        };
                        self.frame_later(node, peer, came);
                    }
                }
                Output::CloseLink(link) => self.close(node, link),
                Output::PrepareMedia(call) => {
                    let offer = offer(u8::try_from(node).unwrap());
                    let news = MediaNews::Prepared(offer);
                    self.tell_later(node, node, Input::Media(call, news));
                }
                Output::StartMedia { call, remote, .. } => {
                    // Whom it is connected with is who has that fingerprint.
                    let peer = usize::from(remote.fingerprint.0[0]);
                    let media = Media {
                        peer,
                        connected: false,
                        speaks: false,
                        watchdog: Watchdog::default(),
                    };
                    self.media.insert((node, call), media);
                    self.at(self.now, node, Happening::Beat(call));
                }
                Output::Speak(call) => {
                    if let Some(media) = self.media.get_mut(&(node, call)) {
                        media.speaks = true;
                    }
                }
                Output::StopMedia(call) => self.close_media(node, call),
                Output::HoldMedia(..) | Output::MoveMedia(..) | Output::Save(_) => {}
                Output::Event(event) => self.nodes[node].events.push(event),
            }
        }
    }

    // ---- media ----

    fn beat(&mut self, node: usize, call: CallId) {
        let Some(media) = self.media.get(&(node, call)) else {
            return;
        };
        let peer = media.peer;
        let (delay, lost) = self.passage();
        if !lost {
            self.at(self.now + delay, peer, Happening::Media(call));
        }
        self.at(self.now + MEDIA_EVERY, node, Happening::Beat(call));
    }

    fn close_media(&mut self, node: usize, call: CallId) {
        let Some(media) = self.media.remove(&(node, call)) else {
            return;
        };
        let (delay, lost) = self.passage();
        if media.connected && !lost {
            let closed = Happening::MediaClosed(call);
            self.at(self.now + delay, media.peer, closed);
        }
    }

    fn media_came(&mut self, node: usize, call: CallId) {
        let Some(media) = self.media.get(&(node, call)) else {
            return;
        };
        let peer = media.peer;
        let speaks = self
            .media
            .get(&(peer, call))
            .is_some_and(|other| other.peer == node && other.speaks);
        let media = self.media.get_mut(&(node, call)).unwrap();
        let mut news = Vec::new();
        if !media.connected {
            media.connected = true;
            news.push(MediaNews::Connected);
        }
        if media.watchdog.has_begun() || speaks {
            if !media.watchdog.has_begun() {
                news.push(MediaNews::Heard);
            }
            let sign = media.watchdog.heard(self.now);
            news.extend(sign.map(|_| MediaNews::Reconnected));
        }
        for news in news {
            self.happen(node, Input::Media(call, news));
        }
    }

    fn watch_media(&mut self) {
        let mut signs = Vec::new();
        for ((node, call), media) in &mut self.media {
            let sign = media.watchdog.handle_timeout(self.now);
            signs.extend(sign.map(|sign| (*node, *call, sign)));
        }
        for (node, call, sign) in signs {
            let news = match sign {
                Sign::Reconnecting => MediaNews::Reconnecting,
                Sign::Reconnected => MediaNews::Reconnected,
                Sign::Lost => MediaNews::Failed(MediaFailure::Lost),
                Sign::Closed => MediaNews::Failed(MediaFailure::Closed),
            };
            if !self.nodes[node].dead {
                self.happen(node, Input::Media(call, news));
            }
        }
    }

    // ---- connections between phones ----

    fn close(&mut self, node: usize, link: LinkId) {
        if let Some((peer, theirs)) = self.links.remove(&(node, link)) {
            let why = Why::PhoneClosed;
            self.tell_later(node, peer, Input::LinkDown { link: theirs, why });
        }
    }

    fn open(&mut self, node: usize, link: LinkId, contact: SocketAddr) {
        let mut nodes = self.nodes.iter();
        let peer = nodes.position(|other| other.addr == contact && !other.hidden);
        let Some(peer) = peer.filter(|peer| self.net.direct && !self.nodes[*peer].dead) else {
            let why = ConnectError::Refused(contact.into()).into();
            return self.tell_later(node, node, Input::LinkDown { link, why });
        };
        let theirs = LinkId(link.0 | INBOUND_BIT | (u64::try_from(node).unwrap() << 32));
        self.links.insert((node, link), (peer, theirs));
        self.links.insert((peer, theirs), (node, link));
        let (mine, other) = (self.nodes[node].greeting, self.nodes[peer].greeting);
        let up = |link, ours: PhoneGreeting, peer| Input::LinkUp {
            link,
            ours: ours.nonce,
            peer,
        };
        self.tell_later(node, peer, up(theirs, other, mine));
        self.tell_later(peer, node, up(link, mine, other));
    }
}

/// The media of the phone with this number.
fn offer(node: u8) -> MediaOffer {
    let ice = IceCredentials::new("abcd", &"p".repeat(22)).unwrap();
    MediaOffer {
        fingerprint: Fingerprint([node; 32]),
        ice,
        candidates: Candidates::default(),
    }
}
