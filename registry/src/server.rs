//! The registrar on a TCP port: takes connections, runs a session for each, asks the store and
//! hands envelopes and changes from one connection to the others.

use std::{
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use codec::greeting::Unwelcome;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinSet,
    time::{Instant as TokioInstant, interval, sleep_until, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

use crate::{
    event::{Event, Events, Mended, Warning},
    limits::{Count, Counters, Limits},
    session::Registrar,
    store::{Ended, Moment, Store},
    tls::Certificate,
};

mod connection;
mod control;
mod gate;
mod outbox;
mod permit;
mod present;
mod rates;
mod routes;
mod traffic;
mod watches;

pub use control::{Control, Stats};
pub use traffic::{PULSES_MAX, Pulse, Requests};

use gate::{Arrival, Gate};
use present::Present;
use rates::Rates;
use routes::Routes;
use traffic::{PULSE_EVERY, Traffic};
use watches::Watches;

/// How long connections may take to end when the registry stops and is told nothing else.
pub const DRAIN: Duration = Duration::from_secs(2);

/// On a connection that says nothing for so long after the registry was told to stop, everything
/// that was asked is answered: it is longer than a request is on its way.
const QUIET: Duration = Duration::from_millis(200);

/// How long to wait when the system gives no connection.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// How often leases are looked over.
const EXPIRE_EVERY: Duration = Duration::from_millis(500);

/// How often it is looked who has not done anything for so long that nothing is to be counted.
const TIDY_EVERY: Duration = Duration::from_secs(10);

/// How often those who watch are told what has changed.
const SPREAD_EVERY: Duration = Duration::from_millis(100);

/// How many connections may wait to be taken: a registry's phones come back together.
const BACKLOG: u32 = 4096;

/// From where plain frames are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plain {
    /// From nowhere.
    Never,
    /// From this machine.
    Loopback,
    /// From everywhere.
    Any,
}

/// How a registry is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it listens.
    pub listen: SocketAddr,
    /// From where plain frames are taken.
    pub plain: Plain,
    /// What TLS is served with.
    pub certificate: Certificate,
}

impl Plain {
    fn takes(self, ip: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::Loopback => ip.to_canonical().is_loopback(),
            Self::Never => false,
        }
    }
}

/// A port that is taken for a registry. Whoever connects waits until a [`Server`] runs on it.
#[derive(Debug)]
pub struct Port(TcpListener);

impl Port {
    /// Takes the port.
    ///
    /// # Errors
    /// Those of the system: the port is taken, or the address is not this machine's.
    pub async fn open(listen: SocketAddr, limits: &Limits) -> io::Result<Self> {
        Ok(Self(open(listen, limits.system_buffer)?))
    }

    /// Where it is.
    ///
    /// # Errors
    /// Those of the system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// A registry that listens.
#[derive(Debug)]
pub struct Server<S> {
    listener: TcpListener,
    shared: Arc<Shared<S>>,
}

#[derive(Debug)]
struct Shared<S> {
    config: Config,
    registrar: Arc<Registrar>,
    store: Arc<S>,
    events: Events,
    counters: Arc<Counters>,
    gate: Mutex<Gate>,
    rates: Rates,
    traffic: Traffic,
    present: Present,
    routes: Routes,
    watches: Watches,
    last_connection: AtomicU64,
    started: Instant,
    /// The operator knows that the machine's clock is not believed.
    clock_doubted: AtomicBool,
}

impl<S: Store> Server<S> {
    /// Opens the port.
    ///
    /// # Errors
    /// Those of the system: the port is taken, or the address is not this machine's.
    pub async fn bind(
        config: Config,
        registrar: Registrar,
        store: Arc<S>,
        events: Events,
    ) -> io::Result<Self> {
        let port = Port::open(config.listen, &registrar.limits).await?;
        Ok(Self::on(port, config, registrar, store, events))
    }

    /// Listens on a port that was opened before; `config.listen` is not looked at.
    #[must_use]
    pub fn on(
        Port(listener): Port,
        config: Config,
        registrar: Registrar,
        store: Arc<S>,
        events: Events,
    ) -> Self {
        let limits = registrar.limits;
        let (counters, now) = (Arc::default(), Instant::now());
        let shared = Shared {
            rates: Rates::new(limits.rates, Arc::clone(&counters), now),
            traffic: Traffic::new(now),
            present: Present::default(),
            config,
            registrar: Arc::new(registrar),
            store,
            events,
            counters,
            gate: Mutex::new(Gate::new(limits)),
            routes: Routes::default(),
            watches: Watches::new(limits),
            last_connection: AtomicU64::new(0),
            started: now,
            clock_doubted: AtomicBool::new(false),
        };
        Self {
            listener,
            shared: Arc::new(shared),
        }
    }

    /// Where it listens.
    ///
    /// # Errors
    /// Those of the system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// How often each limit was reached.
    #[must_use]
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.shared.counters)
    }

    /// What an operator sees of it and may do with it, while it runs.
    #[must_use]
    pub fn control(&self) -> Control<S> {
        Control::of(&self.shared)
    }

    /// Serves until `stop`, and then ends with a patience of [`DRAIN`], as
    /// [`Server::run_until`].
    pub async fn run(self, stop: CancellationToken) {
        let stop = async move {
            stop.cancelled().await;
            DRAIN
        };
        self.run_until(stop, CancellationToken::new()).await;
    }

    /// Serves until `stop`, which says how much patience there is. Then it takes no more
    /// connections, answers what was asked on those that it has, tells them, and ends; how they
    /// ended is returned. On a connection that goes on asking, answering ends after half of the
    /// patience; one that does not even take that it is told is cut after all of it. When `hurry`
    /// is cancelled meanwhile, whatever has not ended by then is cut.
    pub async fn run_until(
        self,
        stop: impl Future<Output = Duration>,
        hurry: CancellationToken,
    ) -> Closed {
        let Self { listener, shared } = self;
        let (leave, mut stop) = (Leave::default(), pin!(stop));
        if let Ok(addr) = listener.local_addr() {
            shared.events.tell(Event::Listening { addr });
        }
        let fingerprint = shared.registrar.identity.key().fingerprint();
        shared.events.tell(Event::Key { fingerprint });
        let mut connections = JoinSet::new();
        let mut turned_away = JoinSet::new();
        let (mut expiry, mut spread) = (interval(EXPIRE_EVERY), interval(SPREAD_EVERY));
        let (mut tidy, mut pulse) = (interval(TIDY_EVERY), interval(PULSE_EVERY));
        // While connections cannot be taken, and then until when to wait.
        let mut not_before = None;
        // When one could not be taken last, until that is over.
        let mut lacked: Option<Instant> = None;
        let patience = loop {
            tokio::select! {
                accepted = accept(&listener, not_before) => match accepted {
                    Ok((stream, peer)) => {
                        not_before = None;
                        match shared.arrive(peer) {
                            Arrival::Welcome => {
                                let guest = Guest::new(&shared, peer.ip(), true);
                                let serve = connection::serve(stream, peer, guest, leave.clone());
                                connections.spawn(serve);
                            }
                            Arrival::TurnedAway(reason) => {
                                let guest = Guest::new(&shared, peer.ip(), false);
                                let stop = leave.soon.clone();
                                turned_away.spawn(turn_away(stream, peer, reason, guest, stop));
                            }
                            Arrival::Dropped(_) => {}
                        }
                    }
                    Err(error) => {
                        // Out of files or memory: others may end, so wait instead of spinning.
                        not_before = Some(TokioInstant::now() + ACCEPT_AGAIN);
                        if lacked.replace(Instant::now()).is_none() {
                            let warning = Warning::NoConnections(error.to_string());
                            shared.events.tell(Event::Warning(warning));
                        }
                    }
                },
                Some(_) = connections.join_next(), if !connections.is_empty() => {}
                Some(_) = turned_away.join_next(), if !turned_away.is_empty() => {}
                _ = expiry.tick() => shared.expire(),
                _ = tidy.tick() => {
                    let now = Instant::now();
                    shared.rates.tidy(now);
                    shared.traffic.mark(now);
                    // Not as soon as one is taken again: the next one may fail.
                    if lacked.is_some_and(|at| at + TIDY_EVERY <= now) {
                        lacked = None;
                        shared.events.tell(Event::Mended(Mended::Connections));
                    }
                }
                _ = pulse.tick() => shared.pulse(),
                _ = spread.tick() => shared.watches.spread(&shared.counters),
                patience = &mut stop => break patience,
            }
        };
        drop(listener);
        let (ends, open) = (TokioInstant::now() + patience, connections.len());
        leave.soon.cancel();
        let patiently = async {
            let mut ended = async || while connections.join_next().await.is_some() {};
            if timeout(patience / 2, ended()).await.is_err() {
                leave.now.cancel();
                let _late = timeout_at(ends, ended()).await;
            }
        };
        tokio::select! {
            () = patiently => {}
            () = hurry.cancelled() => {}
        }
        let cut = connections.len();
        if cut > 0 {
            shared.events.tell(Event::Warning(Warning::CutOff(cut)));
        }
        connections.shutdown().await;
        // They have heard the stop too.
        turned_away.shutdown().await;
        let finished = open - cut;
        Closed { finished, cut }
    }
}

/// How the connections of a registry ended when it stopped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Closed {
    /// Those that ended in good order: what had been asked on them was answered, and they were
    /// told.
    pub finished: usize,
    /// Those that had not ended in time.
    pub cut: usize,
}

/// Tells connections that the registry stops.
#[derive(Debug, Clone, Default)]
struct Leave {
    /// They end when what was asked is answered.
    soon: CancellationToken,
    /// They end.
    now: CancellationToken,
}

/// The next connection, if one comes after `not_before`. May be cancelled: that is a point in time.
async fn accept(
    listener: &TcpListener,
    not_before: Option<TokioInstant>,
) -> io::Result<(TcpStream, SocketAddr)> {
    if let Some(at) = not_before {
        sleep_until(at).await;
    }
    listener.accept().await
}

/// Opens the port. What the system keeps for a connection is bounded; connections inherit it.
fn open(addr: SocketAddr, buffer: u32) -> io::Result<TcpListener> {
    let socket = match addr {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A port whose last registry has just stopped is not taken.
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(buffer)?;
    socket.set_recv_buffer_size(buffer)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

impl<S: Store> Shared<S> {
    fn arrive(&self, peer: SocketAddr) -> Arrival {
        // Whether it is wanted without TLS is seen when it has said something.
        let arrival = self.gate().arrive(peer.ip(), Instant::now());
        match arrival {
            Arrival::Welcome => self.counters.add(Count::Connections),
            Arrival::TurnedAway(reason) | Arrival::Dropped(reason) => {
                self.counters.add(match reason {
                    Unwelcome::AddressFull => Count::AddressFull,
                    _ => Count::Full,
                });
            }
        }
        if matches!(arrival, Arrival::Dropped(_)) {
            self.counters.add(Count::Unanswered);
        }
        arrival
    }

    fn expire(&self) {
        let at = Moment::now();
        let ended = self.store.expire(at);
        self.end(ended, true);
        self.gate().tidy(at.now);
        self.look_at_clock();
    }

    fn pulse(&self) {
        let at = Moment::now();
        let (_, registered) = self.store.rows(0, at.now);
        let connections = self.gate().len();
        self.traffic.pulse(registered, connections, at);
    }

    /// Warns when the store frees no names because the machine's clock is not believed.
    fn look_at_clock(&self) {
        let doubted = self.store.doubts_clock();
        match (self.clock_doubted.swap(doubted, Relaxed), doubted) {
            (false, true) => self.events.tell(Event::Warning(Warning::ClockDoubted)),
            (true, false) => self.events.tell(Event::Mended(Mended::Clock)),
            _ => {}
        }
    }

    /// What ended in the store ends here: calls no more go there, and those who watch are told.
    fn end(&self, leases: Vec<Ended>, expired: bool) {
        for lease in leases {
            // By its connection: on another one the device may be back by now.
            self.routes
                .leave(&lease.name, lease.device, lease.connection);
            self.watches.changed(&lease.name);
            let name = lease.name;
            self.events.tell(Event::Removed { name, expired });
        }
    }
}

impl<S> Shared<S> {
    /// The lock is held for one operation, never across an await.
    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection's place, which is free again when this is dropped, however the connection ended.
#[derive(Debug)]
struct Guest<S> {
    shared: Arc<Shared<S>>,
    ip: IpAddr,
    welcome: bool,
}

impl<S> Guest<S> {
    fn new(shared: &Arc<Shared<S>>, ip: IpAddr, welcome: bool) -> Self {
        let shared = Arc::clone(shared);
        Self {
            shared,
            ip,
            welcome,
        }
    }
}

impl<S> Drop for Guest<S> {
    fn drop(&mut self) {
        let mut gate = self.shared.gate();
        gate.leave(self.ip, self.welcome, Instant::now());
    }
}

/// Tells somebody why they are not served.
async fn turn_away<S: Store>(
    stream: TcpStream,
    peer: SocketAddr,
    reason: Unwelcome,
    guest: Guest<S>,
    stop: CancellationToken,
) {
    let why = format!("turned away: {reason}");
    guest.shared.events.tell(Event::Disconnected { peer, why });
    tokio::select! {
        () = connection::refuse(stream, reason) => {}
        () = stop.cancelled() => {}
    }
}
