//! The phone at work: a task that drives the pure [`Phone`], and owns every task beside it.
//!
//! ```text
//!  commands ->+--------+-> orders -> registry task   <-> TCP to the registry      (signalling)
//!             |        |-> orders -> direct tasks    <-> TCP to other phones      (signalling)
//!   events <--| Driver |-> orders -> link tasks      <-> UDP to the peer's media  (link)
//!             | Phone  |                 |    ^
//!   inbox  -->+--------+        packets  v    |  encoded voice
//!    ^ news of all tasks        one audio thread a call  <-> devices, files      (audio)
//! ```
//!
//! The driver never waits for anybody: its orders go by bounded queues, and a queue that is full
//! ends the connection behind it. The tasks may wait for the driver.

use std::{
    collections::{HashMap, VecDeque},
    io,
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant, SystemTime},
};

use codec::{
    CallId, UnixMillis,
    direct::DirectFrame,
    registry::{Contacts, Request},
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use registry::{client::Host, tls::Certificate};
use tokio::{
    net::TcpListener,
    sync::mpsc,
    task::JoinSet,
    time::{Instant as TokioInstant, MissedTickBehavior, interval, sleep_until, timeout},
};

use crate::{
    board::Board,
    contacts::Change,
    history::Calls,
    media::format::Format,
    phone::{self, Input, LinkId, Output, Phone, Why},
};

mod asked;
mod connections;
mod cue;
mod disk;
mod interface;
mod link;
mod media;
mod news;
mod record;
mod signalling;
mod sockets;
mod sound;
mod untold;
mod views;
mod warning;

use asked::Listeners;
use cue::{Cue, Cues};
use link::Order;
use media::Media;
use news::News;
use signalling::Greeter;
use sockets::Addresses;
use sound::Sounds;
use views::Shown;

pub use interface::{Command, Config, Event, Handle};
pub use link::{Path, PathKind};
pub use views::Views;
pub use warning::{Kept, Warning};

/// How many commands may wait.
const COMMANDS_MAX: usize = 32;

/// How many events whoever shows them may have before them.
const EVENTS_MAX: usize = 256;

/// How many more wait for somebody who shows none; what comes beyond is lost to them.
const UNTOLD_MAX: usize = 4096;

/// How much news of the tasks may wait; beyond, the tasks wait.
const INBOX_MAX: usize = 256;

/// How many frames may wait for one connection; beyond, it is given up.
const ORDERS_MAX: usize = 64;

/// How many packets of one's own voice may wait for the network: half a second.
const ENCODED_MAX: usize = 25;

/// How many phones may be connected to this one at once.
const INBOUND_MAX: usize = 64;

/// How many of them from one address, so that one machine does not keep all others out. Callers
/// beyond it are heard through the registry.
const INBOUND_PER_ADDRESS_MAX: usize = 16;

/// How long tasks may take to end when the phone stops.
const DRAIN: Duration = Duration::from_secs(2);

/// How long no connection is taken after one could not be.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How often it is told how loud a call is.
const LEVELS_EVERY: Duration = Duration::from_millis(100);

/// How often figures of a call are given.
const STATS_EVERY: Duration = Duration::from_secs(1);

/// The phone at work; [`Driver::run`] is its life.
#[derive(Debug)]
pub struct Driver {
    phone: Phone,
    config: Shared,
    /// Where other phones are told to reach this one.
    contacts: Contacts,
    /// A hidden phone has none.
    listener: Option<TcpListener>,
    commands: mpsc::Receiver<Command>,
    events: mpsc::Sender<Event>,
    /// What happened and was not told yet.
    untold: VecDeque<Event>,
    /// How everything stands, for whoever looks.
    shown: Shown,
    /// Other programs, which hear what happens.
    listeners: Listeners,
    inbox: mpsc::Receiver<News>,
    /// Given to every task.
    news: mpsc::Sender<News>,
    tasks: JoinSet<()>,
    /// What the phone wants kept, where anything is.
    saves: Option<mpsc::Sender<Change>>,
    registry: Option<mpsc::Sender<Request>>,
    /// Counts connections to the registry: news of an earlier one is old.
    registry_count: u64,
    links: HashMap<LinkId, mpsc::Sender<DirectFrame>>,
    /// From where those links come that others opened.
    inbound: HashMap<LinkId, IpAddr>,
    last_inbound: u64,
    /// Where links lead, as far as that is known.
    peers: HashMap<LinkId, SocketAddr>,
    media: HashMap<CallId, Media>,
    /// Calls that are over while their last words are still played, and what to tell then.
    ending: HashMap<CallId, Option<phone::Event>>,
    /// Devices, and how loud they are.
    sounds: Sounds,
    /// The calls that are over.
    past: Calls,
    /// What there is to hear besides voice, and what sounds now.
    cues: Cues,
    cue: Option<Cue>,
    stopped: bool,
}

/// What the driver keeps of its [`Config`].
#[derive(Debug)]
struct Shared {
    registry: Host,
    greeter: Greeter,
    listening: SocketAddr,
    /// The addresses for media: one, or all that this machine has.
    addresses: Addresses,
    format: Format,
    has_window: bool,
}

/// Opens the port for other phones and sets the phone up. Nothing happens before [`Driver::run`].
///
/// # Errors
/// Those of the system: the port is taken, or the address is not this machine's.
pub async fn start(config: Config) -> io::Result<(Handle, Driver)> {
    let Config {
        me,
        disk,
        registry,
        access,
        listen,
        input,
        output,
        format,
        ringing,
        has_window,
        settings,
    } = config;
    let sounds = Sounds::start(input, output, ringing)?;
    let (listener, listening) = match settings.hidden {
        true => (None, listen),
        false => {
            let listener = TcpListener::bind(listen).await?;
            let listening = listener.local_addr()?;
            (Some(listener), listening)
        }
    };
    let only = Some(listening.ip()).filter(|ip| !ip.is_unspecified());
    let addresses = Addresses::of_machine(only);
    let contacts = contacts(listening, &addresses)?;
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(io::Error::other)?;
    let rng = ChaCha20Rng::from_seed(seed);
    let greeter = Greeter {
        access,
        card: me.keys.card,
        certificate: Certificate::in_memory().map_err(io::Error::other)?,
    };
    let now = Instant::now();
    let board = Board::new(me.name.clone(), registry.clone(), &settings);
    let mut phone = Phone::new(me, contacts.clone(), settings, rng, now, unix_now());
    let mut kept = disk.as_ref().map(disk::calls).unwrap_or_default();
    let past = Calls::new(std::mem::take(&mut kept.history));
    let untold = kept.trouble.take().map(Event::Warning);
    let (command_sender, commands) = mpsc::channel(COMMANDS_MAX);
    let (events, event_receiver) = mpsc::channel(EVENTS_MAX);
    let (news, inbox) = mpsc::channel(INBOX_MAX);
    let mut tasks = JoinSet::new();
    let socket = disk.as_ref().map(|disk| asked::socket(disk.folder()));
    if let Some(disk) = &disk {
        phone.handle_input(Input::People(disk.people().clone()), now);
    }
    let (shown, views) = Shown::new(board, &phone, &past, now);
    let newest = views.history.clone();
    let saves = disk.map(|disk| disk::start(disk, kept, newest, &mut tasks, news.clone()));
    let handle = Handle {
        commands: command_sender,
        events: event_receiver,
        listening: listener.as_ref().map(|_| listening),
        views,
    };
    let mut driver = Driver {
        phone,
        config: Shared {
            registry,
            greeter,
            listening,
            addresses,
            format,
            has_window,
        },
        contacts,
        listener,
        commands,
        events,
        untold: VecDeque::from_iter(untold),
        shown,
        listeners: Listeners::default(),
        inbox,
        news,
        tasks,
        saves,
        registry: None,
        registry_count: 0,
        links: HashMap::new(),
        inbound: HashMap::new(),
        last_inbound: 0,
        peers: HashMap::new(),
        media: HashMap::new(),
        ending: HashMap::new(),
        sounds,
        past,
        cues: Cues::default(),
        cue: None,
        stopped: false,
    };
    if let Some(socket) = socket {
        driver.open_socket(socket);
    }
    Ok((handle, driver))
}

/// Where other phones reach one that listens there.
fn contacts(listening: SocketAddr, addresses: &Addresses) -> io::Result<Contacts> {
    let ips = addresses.now()?.into_iter();
    // Who listens on 0.0.0.0 cannot be reached at an IPv6 address.
    let reachable = ips.filter(|ip| ip.is_ipv4() || listening.is_ipv6());
    Ok(Contacts::first_of(
        reachable.map(|ip| (ip, listening.port()).into()),
    ))
}

/// This machine's clock; 1970 when it is before that.
#[must_use]
pub fn unix_now() -> UnixMillis {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl Driver {
    /// Runs the phone until it is told to stop, or nobody is left to tell it anything.
    pub async fn run(mut self) {
        let mut stats = interval(STATS_EVERY);
        stats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut levels = interval(LEVELS_EVERY);
        levels.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut listens, mut accepts_from) = (true, Instant::now());
        let events = self.events.clone();
        loop {
            self.obey();
            if self.stopped && self.ending.is_empty() && self.untold.is_empty() {
                break;
            }
            let now = Instant::now();
            self.sound(now);
            self.shown.show(&self.phone, now);
            let far = now + Duration::from_secs(3600);
            let deadline = TokioInstant::from_std(self.phone.poll_timeout().unwrap_or(far));
            let cue = TokioInstant::from_std(self.cues.poll_timeout(now).unwrap_or(far));
            let view = TokioInstant::from_std(self.shown.poll_timeout(&self.phone).unwrap_or(far));
            let input = tokio::select! {
                command = self.commands.recv(), if listens => {
                    listens = command.is_some();
                    self.command(command.unwrap_or(Command::Phone(phone::Command::Stop)), now)
                }
                Some(news) = self.inbox.recv() => self.hear(news),
                accepted = connections::accepted(self.listener.as_ref()),
                    if accepts_from <= Instant::now() => {
                    match accepted {
                        Ok((stream, peer)) => self.accept(stream, peer),
                        // Out of files: others may end, so wait instead of spinning.
                        Err(_) => accepts_from = Instant::now() + ACCEPT_PAUSE,
                    }
                    None
                }
                permit = events.reserve(), if !self.untold.is_empty() => {
                    match (permit, self.untold.pop_front()) {
                        (Ok(permit), Some(event)) => permit.send(event),
                        // Nobody listens any more.
                        _ => self.untold.clear(),
                    }
                    None
                }
                () = sleep_until(deadline) => Some(Input::Timeout),
                () = sleep_until(cue) => None,
                () = sleep_until(view) => None,
                _ = levels.tick(), if !self.media.is_empty() => {
                    self.give_levels();
                    None
                }
                _ = stats.tick() => {
                    self.give_stats();
                    self.moved()
                }
                Some(ended) = self.tasks.join_next(), if !self.tasks.is_empty() => {
                    if ended.is_err_and(|error| error.is_panic()) {
                        self.tell(Event::Warning(Warning::PartFailed));
                    }
                    None
                }
            };
            if let Some(input) = input {
                let received = self.receive(&input);
                self.phone.handle_input(input, Instant::now());
                if let Some(received) = received {
                    self.write_received(received);
                }
            }
        }
        self.shown.finish(Instant::now());
        self.drain().await;
    }

    /// Does what a person wants; what concerns the phone is its next input.
    fn command(&mut self, command: Command, now: Instant) -> Option<Input> {
        let is_seen = matches!(
            command,
            Command::Mute(_)
                | Command::Phone(
                    phone::Command::Answer(_)
                        | phone::Command::Away(_)
                        | phone::Command::Dnd(_)
                        | phone::Command::Callers(_)
                        | phone::Command::Publish(_)
                        | phone::Command::Stop
                )
        );
        if is_seen {
            self.tell(Event::Commanded(command.clone()));
        }
        match command {
            Command::Phone(command) => {
                if let phone::Command::Answer(call) = command {
                    self.cues.answered(call, now);
                }
                Some(Input::Command(command))
            }
            Command::History(change) => {
                if self.past.change(change) {
                    self.shown.show_history(&self.past);
                }
                None
            }
            command => {
                self.sound_command(command);
                None
            }
        }
    }

    /// Whether this machine's addresses have changed.
    fn moved(&mut self) -> Option<Input> {
        // What is not known now is known a second later.
        let contacts = contacts(self.config.listening, &self.config.addresses).ok()?;
        if contacts == self.contacts {
            return None;
        }
        self.contacts = contacts.clone();
        Some(Input::Contacts(contacts))
    }

    /// Lets every connection write its last frames.
    async fn drain(self) {
        let Self {
            mut tasks,
            saves,
            links,
            registry,
            media,
            mut inbox,
            listeners,
            ..
        } = self;
        listeners.end().await;
        drop((saves, links, registry, media));
        let ended = async {
            loop {
                tokio::select! {
                    ended = tasks.join_next() => if ended.is_none() { break },
                    // Nobody hears it any more, but nobody may be kept waiting to say it.
                    _ = inbox.recv() => {}
                }
            }
        };
        // Those that take longer are aborted when the set is dropped.
        let _ = timeout(DRAIN, ended).await;
    }

    /// Does everything that the phone wants done.
    fn obey(&mut self) {
        while let Some(output) = self.phone.poll_output() {
            match output {
                Output::ConnectRegistry => self.connect_registry(),
                Output::DisconnectRegistry => self.leave_registry(),
                Output::ToRegistry(request) => {
                    self.write_request(&request);
                    // A connection that takes nothing more is dead; the phone hears so.
                    if let Some(orders) = &self.registry
                        && orders.try_send(request).is_err()
                    {
                        self.leave_registry();
                        let why = Why::Stuck;
                        self.phone
                            .handle_input(Input::RegistryDown { why }, Instant::now());
                    }
                }
                Output::OpenLink { link, contact } => self.open_link(link, contact),
                Output::OpenHost { link, host, name } => self.open_host(link, host, name),
                Output::ToLink(link, frame) => {
                    self.write_frame(link, &frame);
                    if let Some(orders) = self.links.get(&link)
                        && orders.try_send(frame).is_err()
                    {
                        self.links.remove(&link);
                    }
                }
                Output::CloseLink(link) => {
                    self.links.remove(&link);
                }
                Output::PrepareMedia(call) => self.prepare_media(call),
                Output::StartMedia { call, remote, role } => self.start_media(call, remote, role),
                Output::Speak(call) => {
                    if let Some(Media::Running(running)) = self.media.get(&call) {
                        // The queue is as long as there are orders to give.
                        let _ = running.orders.try_send(Order::Speak);
                    }
                }
                Output::HoldMedia(call, held) => self.hold_media(call, held),
                Output::MoveMedia(call, moved) => {
                    if let Some(Media::Running(running)) = self.media.get(&call) {
                        // Each one says all that the earlier ones said.
                        running.moved.send_replace(moved);
                    }
                }
                Output::StopMedia(call) => self.stop_media(call),
                Output::Save(change) => self.save(change),
                Output::Event(event) => self.phone_event(event),
            }
        }
    }

    /// Plays the tone that it is time for.
    fn sound(&mut self, now: Instant) {
        let cue = self.cues.now(now);
        if cue != self.cue {
            self.cue = cue;
            self.sounds.tones.play(cue.map(Cue::tone));
        }
    }

    fn phone_event(&mut self, event: phone::Event) {
        let now = Instant::now();
        self.cues.note(&event, now);
        if self.past.note(&event, unix_now(), now) {
            self.shown.show_history(&self.past);
        }
        match &event {
            phone::Event::Established { call, .. } => {
                self.media_up(*call);
            }
            phone::Event::Ended { call, .. } => {
                if let Some(later) = self.ending.get_mut(call) {
                    *later = Some(event);
                    return;
                }
            }
            phone::Event::Stopped => self.stopped = true,
            _ => {}
        }
        self.tell(Event::Phone(event));
    }

    /// Figures come again, so they are dropped when nobody takes them. What happens once is kept.
    fn tell(&mut self, event: Event) {
        let now = Instant::now();
        self.spread(&event, now);
        self.shown.hear(&event, now);
        if matches!(event, Event::Stats { .. } | Event::Levels { .. }) {
            if self.untold.is_empty() && self.events.capacity() > EVENTS_MAX / 2 {
                let _ = self.events.try_send(event);
            }
        } else {
            untold::add(&mut self.untold, event);
        }
    }
}
