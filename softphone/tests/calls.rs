//! Two phones and a registry in virtual time over a seeded network: how calls go, and how not.

#![allow(clippy::unwrap_used)]

use std::{
    collections::{BTreeMap, BTreeSet, BinaryHeap},
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use codec::{
    CallId, DeviceId, Identity, KeyCard, Text,
    frame::{FrameDecoder, from_payload, to_frame},
    greeting::{Answer, Exporter, Hello, Nonce, PROTOCOL_VERSION, PhoneGreeting, Role, Welcome},
    identity::AgreementSecret,
    registry::{Binding, Contacts},
    signal::{Candidates, Fingerprint, IceCredentials, MediaOffer},
};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};
use registry::{
    session::{self, Answered, Ask, Registrar, Session},
    table::Table,
};
use softphone::{
    call::Reason,
    phone::{Command, Event, INBOUND_BIT, Input, LinkId, Me, MediaNews, Output, Phone, Settings},
};

const TIME: u64 = 1_800_000_000_000;

/// How the network treats the phones.
#[derive(Debug, Clone, Copy)]
struct Net {
    /// The longest a message takes, in milliseconds.
    delay_ms: u64,
    /// Phones reach each other directly.
    direct: bool,
    /// There is a registry.
    registry: bool,
}

const LAN: Net = Net {
    delay_ms: 20,
    direct: true,
    registry: true,
};

/// Everything that happens, in the order of time and then of coming.
struct World {
    net: Net,
    now: Instant,
    rng: ChaCha20Rng,
    queue: BinaryHeap<std::cmp::Reverse<(Instant, u64)>>,
    pending: BTreeMap<u64, (usize, Happening)>,
    count: u64,
    nodes: Vec<Node>,
    table: Table,
    registrar: Arc<Registrar>,
    /// Both ends of every direct connection.
    links: BTreeMap<(usize, LinkId), (usize, LinkId)>,
    /// When the last message of each way arrives: TCP keeps the order.
    last: BTreeMap<(usize, usize), Instant>,
    speaking: BTreeSet<(usize, CallId)>,
    started: BTreeSet<(usize, CallId)>,
}

enum Happening {
    Tell(Box<Input>),
    Registry(Vec<u8>),
}

struct Node {
    phone: Phone,
    greeting: PhoneGreeting,
    addr: SocketAddr,
    session: Option<Session>,
    events: Vec<Event>,
}

impl World {
    fn new(seed: u64, net: Net, names: &[&str]) -> Self {
        let now = Instant::now();
        let agent = Text::new("test").unwrap();
        let registrar = Registrar {
            identity: Identity::from_secret(&[200; 32]),
            agent,
        };
        let mut world = Self {
            net,
            now,
            rng: ChaCha20Rng::seed_from_u64(seed),
            queue: BinaryHeap::new(),
            pending: BTreeMap::new(),
            count: 0,
            nodes: Vec::new(),
            table: Table::new(100),
            registrar: Arc::new(registrar),
            links: BTreeMap::new(),
            last: BTreeMap::new(),
            speaking: BTreeSet::new(),
            started: BTreeSet::new(),
        };
        for (number, name) in (1u8..).zip(names) {
            world.add(number, name);
        }
        world
    }

    fn add(&mut self, number: u8, name: &str) {
        let identity = Identity::from_secret(&[number; 32]);
        let agreement = AgreementSecret::from_secret(&[number + 50; 32]);
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
            agreement,
            card,
        };
        let addr: SocketAddr = ([10, 0, 0, number], 4000).into();
        let settings = Settings {
            calls_max: 1,
            ring_for: Duration::from_secs(30),
        };
        let rng = ChaCha20Rng::seed_from_u64(self.rng.next_u64());
        let contacts = Contacts::first_of([addr]);
        // A phone's own clock may be wrong; the registry's counts.
        let phone = Phone::new(me, contacts, settings, rng, self.now, 5);
        self.nodes.push(Node {
            phone,
            greeting,
            addr,
            session: None,
            events: Vec::new(),
        });
        self.obey(self.nodes.len() - 1);
    }

    fn later(&mut self, from: usize, to: usize, happening: Happening) {
        let delay = Duration::from_micros(self.rng.next_u64() % (self.net.delay_ms * 1000 + 1));
        let last = self.last.entry((from, to)).or_insert(self.now);
        *last = (*last).max(self.now + delay);
        let at = *last;
        self.count += 1;
        self.queue.push(std::cmp::Reverse((at, self.count)));
        self.pending.insert(self.count, (to, happening));
    }

    fn tell_later(&mut self, from: usize, to: usize, input: Input) {
        self.later(from, to, Happening::Tell(Box::new(input)));
    }

    fn command(&mut self, node: usize, command: Command) {
        self.nodes[node]
            .phone
            .handle_input(Input::Command(command), self.now);
        self.obey(node);
    }

    fn dial(&mut self, node: usize, target: &str) {
        self.command(node, Command::Dial(target.parse().unwrap()));
    }

    /// Runs until `done`, or until nothing happens within `limit`.
    fn run_until(&mut self, limit: Duration, done: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + limit;
        while !done(self) {
            let message = self.queue.peek().map(|std::cmp::Reverse((at, _))| *at);
            let timers = self
                .nodes
                .iter()
                .filter_map(|node| node.phone.poll_timeout())
                .min();
            let Some(next) = message.into_iter().chain(timers).min() else {
                return false;
            };
            if next > end {
                return false;
            }
            self.now = self.now.max(next);
            if message == Some(next) {
                let std::cmp::Reverse((_, id)) = self.queue.pop().unwrap();
                let (node, happening) = self.pending.remove(&id).unwrap();
                match happening {
                    Happening::Tell(input) => self.happen(node, *input),
                    Happening::Registry(payload) => self.at_registry(node, &payload),
                }
            }
            for node in 0..self.nodes.len() {
                if self.nodes[node]
                    .phone
                    .poll_timeout()
                    .is_some_and(|at| at <= self.now)
                {
                    self.nodes[node]
                        .phone
                        .handle_input(Input::Timeout, self.now);
                    self.obey(node);
                }
            }
        }
        true
    }

    fn happen(&mut self, node: usize, input: Input) {
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
                Output::DisconnectRegistry => self.nodes[node].session = None,
                Output::ToRegistry(request) => {
                    let payload = payload(&request);
                    self.later(node, node, Happening::Registry(payload));
                }
                Output::OpenLink { link, contact } => self.open(node, link, contact),
                Output::OpenHost { link, host, .. } => {
                    let addr = host.to_string().parse().unwrap();
                    self.open(node, link, addr);
                }
                Output::ToLink(link, frame) => {
                    if let Some(&(peer, link)) = self.links.get(&(node, link)) {
                        self.tell_later(node, peer, Input::FromLink { link, frame });
                    }
                }
                Output::CloseLink(link) => self.close(node, link),
                Output::PrepareMedia(call) => {
                    let offer = offer(u8::try_from(node).unwrap());
                    let news = MediaNews::Prepared(offer);
                    self.tell_later(node, node, Input::Media(call, news));
                }
                Output::StartMedia { call, remote, .. } => {
                    // The two meet only if each has the other's own fingerprint.
                    let peer = 1 - node;
                    assert_eq!(remote, offer(u8::try_from(peer).unwrap()));
                    self.started.insert((node, call));
                    if self.started.contains(&(peer, call)) {
                        for side in 0..2 {
                            let news = MediaNews::Connected;
                            self.tell_later(side, side, Input::Media(call, news));
                        }
                    }
                }
                Output::Speak(call) => {
                    self.speaking.insert((node, call));
                    self.tell_later(node, 1 - node, Input::Media(call, MediaNews::Heard));
                }
                Output::StopMedia(_) => {}
                Output::Event(event) => self.nodes[node].events.push(event),
            }
        }
    }

    fn close(&mut self, node: usize, link: LinkId) {
        if let Some((peer, theirs)) = self.links.remove(&(node, link)) {
            let why = "closed".to_owned();
            self.tell_later(node, peer, Input::LinkDown { link: theirs, why });
        }
    }

    fn open(&mut self, node: usize, link: LinkId, contact: SocketAddr) {
        let peer = self.nodes.iter().position(|other| other.addr == contact);
        let Some(peer) = peer.filter(|_| self.net.direct) else {
            let why = format!("nobody listens at {contact}");
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

    fn connect_registry(&mut self, node: usize) {
        if !self.net.registry {
            let why = "nobody listens there".to_owned();
            return self.tell_later(node, node, Input::RegistryDown { why });
        }
        let nonce = Nonce([u8::try_from(node).unwrap() + 77; 32]);
        let (peer, now) = (self.nodes[node].addr, self.now);
        let setup = session::Setup {
            peer,
            nonce,
            now,
            time: TIME,
            admitted: Ok(()),
        };
        let mut session = Session::new(Arc::clone(&self.registrar), setup);
        let hello = Hello {
            version: PROTOCOL_VERSION,
            agent: Text::new("test").unwrap(),
            role: Role::Phone(self.nodes[node].greeting),
        };
        session.handle_input(session::Input::Payload(&payload(&hello)), now);
        let frame = std::iter::from_fn(|| session.poll_output()).find_map(|output| match output {
            session::Output::Frame(frame) => Some(frame),
            _ => None,
        });
        let answer: Answer = from_payload(&unframed(&frame.unwrap())).unwrap();
        let Ok(Welcome::Registry(welcome)) = answer.welcome else {
            panic!("{answer:?}")
        };
        self.nodes[node].session = Some(session);
        let (registry, nonce) = (welcome.key, welcome.nonce);
        let binding = Binding {
            registry,
            exporter: Exporter::PLAIN,
            nonce,
        };
        self.tell_later(
            node,
            node,
            Input::RegistryUp {
                binding,
                time: welcome.time,
            },
        );
    }

    fn at_registry(&mut self, node: usize, payload: &[u8]) {
        let now = self.now;
        let Some(session) = &mut self.nodes[node].session else {
            return;
        };
        session.handle_input(session::Input::Payload(payload), now);
        self.drain_session(node);
    }

    fn drain_session(&mut self, node: usize) {
        let now = self.now;
        while let Some(output) = self.nodes[node].session.as_mut().unwrap().poll_output() {
            match output {
                session::Output::Frame(frame) => {
                    let message = from_payload(&unframed(&frame)).unwrap();
                    self.tell_later(node, node, Input::FromRegistry(message));
                }
                session::Output::Ask(id, ask) => {
                    let answered = match ask {
                        Ask::Register(claim) => Answered::Register(self.table.register(claim, now)),
                        Ask::Refresh(renewal, expires) => {
                            Answered::Refresh(self.table.refresh(&renewal, expires, now))
                        }
                        Ask::Unregister(renewal) => {
                            Answered::Unregister(self.table.unregister(&renewal, now))
                        }
                        Ask::Lookup(name) => {
                            let found = self.table.lookup(&name, now);
                            Answered::Lookup(found.ok_or(codec::registry::Refusal::NotFound))
                        }
                        Ask::List { .. } => panic!("a phone lists nobody"),
                        Ask::Forward(envelope) => {
                            let to = self.nodes.iter().position(|other| {
                                other.greeting.card.identity == envelope.to.identity
                                    && other.session.is_some()
                            });
                            if let Some(to) = to {
                                let session = self.nodes[to].session.as_mut().unwrap();
                                session.handle_input(session::Input::Envelope(&envelope), now);
                                self.drain_session(to);
                            }
                            Answered::Forward(
                                to.map(|_| 1).ok_or(codec::registry::Refusal::Offline),
                            )
                        }
                    };
                    let session = self.nodes[node].session.as_mut().unwrap();
                    session.handle_input(session::Input::Answered(id, answered), now);
                }
                _ => {}
            }
        }
    }

    fn established(&self, node: usize) -> bool {
        self.nodes[node]
            .events
            .iter()
            .any(|event| matches!(event, Event::Established { .. }))
    }

    fn incoming(&self, node: usize) -> Option<(CallId, bool)> {
        self.nodes[node]
            .events
            .iter()
            .find_map(|event| match event {
                Event::Incoming {
                    call, confirmed, ..
                } => Some((*call, *confirmed)),
                _ => None,
            })
    }

    fn ended(&self, node: usize) -> Option<(Reason, Option<String>)> {
        self.nodes[node]
            .events
            .iter()
            .rev()
            .find_map(|event| match event {
                Event::Ended { reason, detail, .. } => Some((*reason, detail.clone())),
                _ => None,
            })
    }

    fn registered(&self, node: usize) -> bool {
        self.nodes[node].events.contains(&Event::Registered)
    }

    /// Two phones that are registered, where there is a registry.
    fn ready(seed: u64, net: Net) -> Self {
        let mut world = Self::new(seed, net, &["alice", "bob"]);
        world.run_until(Duration::from_secs(2), |world| {
            world.registered(0) && world.registered(1)
        });
        assert_eq!(world.registered(0), net.registry, "seed {seed}");
        world
    }

    /// Runs until bob's phone rings, and answers.
    fn ring_and_answer(&mut self, seed: u64) -> bool {
        let rang = self.run_until(SOON, |world| world.incoming(1).is_some());
        assert!(rang, "seed {seed}: {:?}", self.nodes[0].events);
        let (call, confirmed) = self.incoming(1).unwrap();
        self.command(1, Command::Answer(call));
        confirmed
    }
}

const SOON: Duration = Duration::from_secs(8);

fn payload<T: serde::Serialize>(message: &T) -> Vec<u8> {
    unframed(&to_frame(message).unwrap())
}

fn unframed(frame: &[u8]) -> Vec<u8> {
    FrameDecoder::default()
        .next(&mut &frame[..])
        .unwrap()
        .unwrap()
}

fn offer(node: u8) -> MediaOffer {
    let ice = IceCredentials::new("abcd", &"p".repeat(22)).unwrap();
    MediaOffer {
        fingerprint: Fingerprint([node; 32]),
        ice,
        candidates: Candidates::default(),
    }
}

#[test]
fn a_call_by_name_is_established_and_ended_over_any_network() {
    for seed in 0..300 {
        let delay_ms = [1, 20, 150, 300][usize::try_from(seed % 4).unwrap()];
        let net = Net {
            delay_ms,
            direct: seed % 3 != 0,
            registry: true,
        };
        let mut world = World::ready(seed, net);
        world.dial(0, "bob");
        let confirmed = world.ring_and_answer(seed);
        // A check of the caller's name that takes longer than a second is not waited for.
        assert!(confirmed || delay_ms == 300, "seed {seed}");
        let up = world.run_until(SOON, |world| world.established(0) && world.established(1));
        assert!(
            up,
            "seed {seed}: {:?} {:?}",
            world.nodes[0].events, world.nodes[1].events
        );
        let (call, _) = world.incoming(1).unwrap();
        let first = usize::try_from(seed % 2).unwrap();
        world.command(first, Command::Hangup(call));
        let over = world.run_until(SOON, |world| {
            world.ended(0).is_some() && world.ended(1).is_some()
        });
        assert!(over, "seed {seed}");
        assert_eq!(world.ended(first).unwrap().0, Reason::Hangup, "seed {seed}");
        assert_eq!(
            world.ended(1 - first).unwrap().0,
            Reason::RemoteHangup,
            "seed {seed}"
        );
    }
}

#[test]
fn a_direct_call_needs_no_registry() {
    for seed in 0..50 {
        let mut world = World::ready(
            seed,
            Net {
                registry: false,
                ..LAN
            },
        );
        world.dial(0, "bob@10.0.0.2:4000");
        assert!(
            !world.ring_and_answer(seed),
            "seed {seed}: nobody can have confirmed it"
        );
        assert!(world.run_until(SOON, |world| world.established(0) && world.established(1)));
    }
}

#[test]
fn who_cannot_be_called_is_told_apart() {
    let end = |net: Net, target: &str| {
        let mut world = World::ready(1, net);
        world.dial(0, target);
        assert!(
            world.run_until(SOON, |world| world.ended(0).is_some()),
            "{target}"
        );
        world.ended(0).unwrap()
    };
    assert_eq!(end(LAN, "carol").0, Reason::NotFound);
    let nobody = end(LAN, "bob@10.0.0.9:4000");
    assert_eq!(nobody.0, Reason::Unreachable);
    assert!(nobody.1.unwrap().contains("nobody listens"));
    let other = end(LAN, "carol@10.0.0.2:4000");
    assert_eq!(other.0, Reason::Unreachable);
    assert!(other.1.unwrap().contains("is not carol"));
    let myself = end(LAN, "alice");
    assert!(myself.1.unwrap().contains("own name"));
    let offline = end(
        Net {
            registry: false,
            ..LAN
        },
        "bob",
    );
    assert_eq!(offline.0, Reason::RegistryUnreachable);
}

#[test]
fn a_declined_and_a_cancelled_call_end_on_both_sides() {
    for seed in 0..50 {
        let mut world = World::ready(seed, LAN);
        world.dial(0, "bob");
        assert!(
            world.run_until(SOON, |world| world.incoming(1).is_some()),
            "seed {seed}"
        );
        let (call, _) = world.incoming(1).unwrap();
        let who = usize::try_from(seed % 2).unwrap();
        world.command(who, Command::Hangup(call));
        assert!(
            world.run_until(SOON, |world| world.ended(0).is_some()
                && world.ended(1).is_some()),
            "seed {seed}"
        );
        let expected = if who == 1 {
            [Reason::Declined, Reason::Hangup]
        } else {
            [Reason::Hangup, Reason::Cancelled]
        };
        assert_eq!(
            [world.ended(0).unwrap().0, world.ended(1).unwrap().0],
            expected
        );
    }
}

#[test]
fn a_phone_in_a_call_is_busy_to_others() {
    let mut world = World::ready(1, LAN);
    world.dial(0, "bob");
    world.ring_and_answer(1);
    assert!(world.run_until(SOON, |world| world.established(0) && world.established(1)));
    world.add(3, "carol");
    assert!(world.run_until(SOON, |world| world.registered(2)));
    world.dial(2, "bob");
    assert!(world.run_until(SOON, |world| world.ended(2).is_some()));
    assert_eq!(world.ended(2).unwrap().0, Reason::Busy);
    assert_eq!(world.ended(1), None);
}

#[test]
fn a_connection_lost_while_it_rings_is_replaced_by_the_registry() {
    for seed in 0..50 {
        let mut world = World::ready(seed, LAN);
        world.dial(0, "bob");
        assert!(world.run_until(SOON, |world| world.incoming(1).is_some()));
        let links: Vec<_> = world.links.keys().copied().collect();
        for (node, link) in links {
            world.happen(
                node,
                Input::LinkDown {
                    link,
                    why: "cut".to_owned(),
                },
            );
        }
        world.net.direct = false;
        let (call, _) = world.incoming(1).unwrap();
        world.command(1, Command::Answer(call));
        let up = world.run_until(SOON, |world| world.established(0) && world.established(1));
        assert!(
            up,
            "seed {seed}: {:?} {:?}",
            world.nodes[0].events, world.nodes[1].events
        );
    }
}

#[test]
fn somebody_under_a_name_that_is_anothers_does_not_ring() {
    let mut world = World::ready(1, LAN);
    // The registry refuses her the name; she calls bob directly all the same.
    world.add(3, "alice");
    assert!(world.run_until(SOON, |world| {
        world.nodes[2]
            .events
            .iter()
            .any(|event| matches!(event, Event::RegistrationRefused(_)))
    }));
    world.dial(2, "bob@10.0.0.2:4000");
    assert!(world.run_until(SOON, |world| world.ended(2).is_some()));
    assert_eq!(world.ended(2).unwrap().0, Reason::Unavailable);
    assert_eq!(world.incoming(1), None);
}

#[test]
fn a_phone_that_stops_says_farewell_and_unregisters() {
    let mut world = World::ready(1, LAN);
    world.dial(0, "bob");
    world.ring_and_answer(1);
    assert!(world.run_until(SOON, |world| world.established(0) && world.established(1)));
    world.command(0, Command::Stop);
    assert!(world.run_until(SOON, |world| {
        world.nodes[0].events.contains(&Event::Stopped)
    }));
    assert!(world.run_until(SOON, |world| world.ended(1).is_some()));
    assert_eq!(world.ended(1).unwrap().0, Reason::RemoteHangup);
    assert!(
        world
            .table
            .lookup(&"alice".parse().unwrap(), world.now)
            .is_none()
    );
}
