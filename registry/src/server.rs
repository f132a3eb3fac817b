//! The registrar on a TCP port: takes connections, runs a [`Session`] for each, asks the store and
//! hands envelopes from one connection to the others.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant, SystemTime},
};

use codec::{
    DeviceId, Envelope, Name, UnixMillis,
    greeting::{Nonce, Unwelcome},
    registry::Refusal,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinSet,
    time::{Instant as TokioInstant, interval, sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    event::{Event, Events},
    link::{FrameLink, Received},
    session::{Answered, Ask, Input, Output, Registrar, Session, Setup},
    store::Store,
};

mod routes;

use routes::{Delivery, Routes};

/// How long connections may take to end when the registry stops.
pub const DRAIN: Duration = Duration::from_secs(2);

/// How many envelopes may wait for one connection; those beyond are not delivered to it.
const DELIVERIES_MAX: usize = 32;

/// How many connections beyond the limit are still told that there is no room.
const TURNED_AWAY_MAX: usize = 64;

/// How long the last frames of a connection may take to be written.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// How often leases are looked over.
const EXPIRE_EVERY: Duration = Duration::from_millis(500);

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
    /// How many connections it holds at once.
    pub connections_max: usize,
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
    routes: Routes,
    last_connection: AtomicU64,
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
        let listener = TcpListener::bind(config.listen).await?;
        let registrar = Arc::new(registrar);
        let (routes, last_connection) = (Routes::default(), AtomicU64::new(0));
        let shared = Shared {
            config,
            registrar,
            store,
            events,
            routes,
            last_connection,
        };
        Ok(Self {
            listener,
            shared: Arc::new(shared),
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// Those of the system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop`; then tells every connection, and waits for them for [`DRAIN`].
    pub async fn run(self, stop: CancellationToken) {
        let Self { listener, shared } = self;
        if let Ok(addr) = listener.local_addr() {
            shared.events.tell(Event::Listening { addr });
        }
        let mut connections = JoinSet::new();
        let mut expiry = interval(EXPIRE_EVERY);
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        let max = shared.config.connections_max;
                        if connections.len() < max + TURNED_AWAY_MAX {
                            let admitted = if connections.len() < max {
                                shared.admit(peer)
                            } else {
                                Err(Unwelcome::Full)
                            };
                            let (shared, stop) = (Arc::clone(&shared), stop.clone());
                            connections.spawn(serve(stream, peer, admitted, shared, stop));
                        }
                    }
                    Err(error) => {
                        // Out of files or memory: others may end, so wait instead of spinning.
                        let warning = format!("cannot take a connection: {error}");
                        shared.events.tell(Event::Warning(warning));
                        sleep(Duration::from_millis(100)).await;
                    }
                },
                Some(_) = connections.join_next(), if !connections.is_empty() => {}
                _ = expiry.tick() => shared.expire(),
                () = stop.cancelled() => break,
            }
        }
        drop(listener);
        let ended = async { while connections.join_next().await.is_some() {} };
        if timeout(DRAIN, ended).await.is_err() {
            let left = connections.len();
            shared.events.tell(Event::Warning(format!(
                "{left} connections did not end in time"
            )));
            connections.shutdown().await;
        }
    }
}

impl<S: Store> Shared<S> {
    fn admit(&self, peer: SocketAddr) -> Result<(), Unwelcome> {
        match self.config.plain {
            Plain::Any => Ok(()),
            Plain::Loopback if peer.ip().to_canonical().is_loopback() => Ok(()),
            Plain::Loopback | Plain::Never => Err(Unwelcome::PlainRefused),
        }
    }

    fn expire(&self) {
        let (ended, _) = self.store.expire(Instant::now());
        for lease in ended {
            self.routes.forget(&lease.name, lease.device);
            self.events.tell(Event::Removed {
                name: lease.name,
                expired: true,
            });
        }
    }

    async fn answer(&self, ask: Ask) -> Answered {
        let now = Instant::now();
        match ask {
            Ask::Register(registration) => {
                Answered::Register(self.store.register(registration, now).await)
            }
            Ask::Refresh(renewal, expires) => {
                Answered::Refresh(self.store.refresh(renewal, expires, now).await)
            }
            Ask::Unregister(renewal) => {
                Answered::Unregister(self.store.unregister(renewal, now).await)
            }
            Ask::Lookup(name) => Answered::Lookup(self.store.lookup(&name, now).await),
            Ask::List {
                prefix,
                after,
                limit,
            } => Answered::List(self.store.list(&prefix, after.as_ref(), limit, now).await),
            Ask::Forward(envelope) => Answered::Forward(self.forward(envelope, now).await),
        }
    }

    async fn forward(&self, envelope: Envelope, now: Instant) -> Result<u8, Refusal> {
        // The table knows best whose a name is now: the lease that a connection remembers may have
        // been ended on another one.
        let sender = self.store.lookup(&envelope.from.name, now).await;
        if !sender.is_ok_and(|record| record.card.identity == envelope.from.identity) {
            return Err(Refusal::NotYours);
        }
        let envelope = Arc::new(envelope);
        match self.routes.deliver(&envelope) {
            0 => {
                self.store.lookup(&envelope.to.name, now).await?;
                Err(Refusal::Offline)
            }
            devices => Ok(devices),
        }
    }
}

/// The machine's clock; 1970 when it is before that.
fn unix_now() -> UnixMillis {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

async fn serve<S: Store>(
    stream: TcpStream,
    peer: SocketAddr,
    admitted: Result<(), Unwelcome>,
    shared: Arc<Shared<S>>,
    stop: CancellationToken,
) {
    shared.events.tell(Event::Connected { peer });
    let id = shared.last_connection.fetch_add(1, Relaxed);
    let mut joined = Vec::new();
    let ended = talk(stream, peer, admitted, &shared, &stop, id, &mut joined).await;
    for (name, device) in joined {
        shared.routes.leave(&name, device, id);
    }
    let why = ended.unwrap_or_else(|error| error.to_string());
    shared.events.tell(Event::Disconnected { peer, why });
}

/// Runs a session to its end and says why it ended.
async fn talk<S: Store>(
    stream: TcpStream,
    peer: SocketAddr,
    admitted: Result<(), Unwelcome>,
    shared: &Shared<S>,
    stop: &CancellationToken,
    id: u64,
    joined: &mut Vec<(Name, DeviceId)>,
) -> io::Result<String> {
    stream.set_nodelay(true)?;
    let mut nonce = [0; 32];
    getrandom::fill(&mut nonce).map_err(io::Error::other)?;
    let (now, time) = (Instant::now(), unix_now());
    let setup = Setup {
        peer,
        nonce: Nonce(nonce),
        now,
        time,
        admitted,
    };
    let mut session = Session::new(Arc::clone(&shared.registrar), setup);
    let (sender, mut deliveries) = mpsc::channel(DELIVERIES_MAX);
    let mut link = FrameLink::new(stream);
    loop {
        while let Some(output) = session.poll_output() {
            match output {
                Output::Frame(frame) => link.queue(&frame).map_err(io::Error::other)?,
                Output::Ask(request, ask) => {
                    let answered = shared.answer(ask).await;
                    session.handle_input(Input::Answered(request, answered), Instant::now());
                }
                Output::Join(name, device) => {
                    shared.routes.join(&name, device, id, sender.clone());
                    if !joined.contains(&(name.clone(), device)) {
                        joined.push((name, device));
                    }
                }
                Output::Leave(name, device) => {
                    shared.routes.forget(&name, device);
                    joined.retain(|known| *known != (name.clone(), device));
                }
                Output::Added(name) => shared.events.tell(Event::Added { name }),
                Output::Removed(name) => {
                    shared.events.tell(Event::Removed {
                        name,
                        expired: false,
                    });
                }
                Output::Received(message) => {
                    shared.events.tell(Event::Received { peer, message });
                }
                Output::Sent(message) => shared.events.tell(Event::Sent { peer, message }),
                Output::Close(why) => {
                    // The peer may be gone, or may not read; either way the connection ends.
                    let _ = timeout(CLOSE_WITHIN, link.close()).await;
                    return Ok(why.to_owned());
                }
            }
        }
        let deadline = session.poll_timeout().map(TokioInstant::from_std);
        let deadline = deadline.unwrap_or_else(TokioInstant::now);
        tokio::select! {
            received = link.receive() => {
                let now = Instant::now();
                match received? {
                    Received::Payload(payload) => {
                        session.handle_input(Input::Payload(&payload), now);
                    }
                    Received::Bad(error) => session.handle_input(Input::BadFrame(error), now),
                    Received::End => return Ok("the peer closed it".to_owned()),
                }
            }
            Some(delivery) = deliveries.recv(), if !link.is_congested() => {
                let now = Instant::now();
                match delivery {
                    Delivery::Envelope(envelope) => {
                        session.handle_input(Input::Envelope(&envelope), now);
                    }
                    Delivery::Replaced => session.handle_input(Input::Replaced, now),
                }
            }
            () = sleep_until(deadline) => session.handle_input(Input::Timeout, Instant::now()),
            () = stop.cancelled() => session.handle_input(Input::Stop, Instant::now()),
        }
    }
}
