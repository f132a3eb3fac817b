//! A registry as its operator has it: opened, looked at, and closed. The program without a window
//! and the one with a window run the same.

use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use etcetera::BaseStrategy;
use tokio::{
    sync::oneshot,
    task::{JoinSet, spawn_blocking},
};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    admin::{AdminSocket, BindError, socket_of},
    announce::Announcement,
    client::agent,
    desk::{Desk, Opened},
    event::{Event, Events, Warning},
    limits::Limits,
    server::{Config, Plain, Port, Server},
    session::Registrar,
    store::{AnyStore, Claims},
};

mod ground;
mod open_error;
mod reach;
mod welcome;

pub use crate::{announce::Announce, server::Closed};
pub use open_error::OpenError;

/// The port that phones try when they are told none.
pub const PORT: u16 = 5000;

/// How a registry is to be.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where it keeps what it keeps; `None`: it keeps nothing, with a new key and no names at every
    /// start.
    pub folder: Option<PathBuf>,
    /// From where plain frames are taken.
    pub plain: Plain,
    /// A certificate that somebody else has made; else one that is self-made and kept in the
    /// folder.
    pub certificate: Option<CertificateFiles>,
    /// What strangers may use, and who is shown the directory.
    pub limits: Limits,
    /// Who may claim a name.
    pub claims: Claims,
    /// Whether phones on the same network find it by themselves.
    pub announce: Announce,
}

/// A certificate and its key, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate, with those that vouch for it behind it.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl Options {
    /// A registry that listens there, keeps what it keeps there, and is like most else.
    #[must_use]
    pub fn new(listen: SocketAddr, folder: Option<PathBuf>) -> Self {
        Self {
            listen,
            folder,
            plain: Plain::Loopback,
            certificate: None,
            limits: Limits::default(),
            claims: Claims::Open,
            announce: Announce::Auto,
        }
    }

    /// Where a registry keeps what it keeps unless it is told where: `ramal/registry` in the user's
    /// data folder. `None` for a user without a home.
    #[must_use]
    pub fn usual_folder() -> Option<PathBuf> {
        let strategy = etcetera::choose_base_strategy().ok()?;
        Some(strategy.data_dir().join("ramal/registry"))
    }
}

/// Where the registry's key comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyIs {
    /// It was there.
    Kept,
    /// Nothing was there: this is the first start.
    First,
    /// Names were there and no key, so that a new one was made: phones that know this registry stop
    /// until their owner says that it is right.
    Another,
}

/// What is known of a registry that is open, and does not change before it is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Where it listens, with the port that it was given.
    pub listening: SocketAddr,
    /// What to give to others: where phones reach it, at most [`ADDRESSES_MAX`]. If it is reached
    /// from this machine only, these are loopback addresses.
    pub addresses: Vec<SocketAddr>,
    /// Of its key, as phones show it.
    pub fingerprint: String,
    /// Where its key comes from.
    pub key: KeyIs,
    /// Where it keeps what it keeps, if it does.
    pub folder: Option<PathBuf>,
}

impl Facts {
    /// Whether only programs on this machine reach it.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.addresses.iter().all(|addr| addr.ip().is_loopback())
    }
}

/// So many addresses are shown at most: a machine with containers has many.
pub const ADDRESSES_MAX: usize = 8;

/// A registry that is open. Dropped, it stops at once; [`Operation::close`] is kinder.
#[derive(Debug)]
pub struct Operation {
    facts: Facts,
    desk: Opened<AnyStore>,
    events: Events,
    store: Arc<AnyStore>,
    announcement: Option<Announcement>,
    serving: JoinSet<Closed>,
    /// Answers on the socket in the folder.
    asked: JoinSet<()>,
    /// Tells the server with which patience to end; dropped, with none.
    close: oneshot::Sender<Duration>,
    hurry: CancellationToken,
    stop: DropGuard,
}

impl Operation {
    /// Opens a registry: takes its port, its folder, its key and its names, and serves. What
    /// happens is told to `events`.
    ///
    /// # Errors
    /// [`OpenError`], which names the next step. Nothing is left behind that the next one, the
    /// first that works, would take for its own.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn open(options: Options, events: Events) -> Result<Self, OpenError> {
        let limits = ground::within_files(options.limits, &events);
        // Before anything is made, since this is what fails most.
        let port = Port::open(options.listen, &limits)
            .await
            .map_err(|error| OpenError::of_port(options.listen, error))?;
        let listening = port.local_addr().unwrap_or(options.listen);
        let prepare = {
            let (options, events) = (options.clone(), events.clone());
            move || ground::prepare(&options, &limits, events)
        };
        let ground = spawn_blocking(prepare).await;
        let ground = ground.map_err(|error| OpenError::Machine(error.to_string()))??;
        let fingerprint = ground.identity.key().fingerprint();
        let facts = Facts {
            listening,
            addresses: reach::addresses(listening),
            fingerprint,
            key: ground.key,
            folder: options.folder.clone(),
        };
        welcome::events(&options, &facts)
            .into_iter()
            .for_each(|event| events.tell(event));
        let config = Config {
            listen: options.listen,
            plain: options.plain,
            certificate: ground.certificate,
        };
        let registrar = Registrar {
            identity: ground.identity,
            agent: agent("ramal-registry"),
            limits,
        };
        let store = Arc::new(ground.store);
        let server = Server::on(port, config, registrar, Arc::clone(&store), events.clone());
        let (desk, stop) = (Opened::of(server.control()), CancellationToken::new());
        let (mut serving, mut asked) = (JoinSet::new(), JoinSet::new());
        if let Some(socket) = admin_socket(options.folder.as_deref(), &events) {
            asked.spawn(socket.serve(desk.desk(), stop.clone()));
        }
        let (close, closing) = oneshot::channel();
        let closing = async move { closing.await.unwrap_or(Duration::ZERO) };
        let hurry = CancellationToken::new();
        serving.spawn(server.run_until(closing, hurry.clone()));
        let announcement = announce(&options, &facts, &events);
        Ok(Self {
            facts,
            desk,
            events,
            store,
            announcement,
            serving,
            asked,
            close,
            hurry,
            stop: stop.drop_guard(),
        })
    }

    /// What is known of it.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// What an operator sees of it and does with it. It may be kept after the registry is closed.
    #[must_use]
    pub fn desk(&self) -> Desk {
        self.desk.desk()
    }

    /// Cancelled while it closes, it waits for no connection any more: those that have not ended
    /// are cut, and counted as such.
    #[must_use]
    pub fn hurry(&self) -> CancellationToken {
        self.hurry.clone()
    }

    /// Stops taking connections, lets what is being asked be answered, tells everybody, and ends;
    /// whoever takes longer than `patience` is cut. Then the port and the folder are free, and a
    /// registry may be opened on them at once.
    ///
    /// With patience it takes about 0.2 s if everybody is quiet, and at most `patience` and the
    /// time that the disk takes for the last second. [`Desk::stats`] tells meanwhile how many
    /// connections are left.
    pub async fn close(self, patience: Duration) -> Closed {
        let Self {
            desk,
            events,
            store,
            announcement,
            mut serving,
            mut asked,
            close,
            stop,
            ..
        } = self;
        // It may have ended by itself, if it has failed.
        let _ended = close.send(patience);
        let withdraw = async {
            if let Some(announcement) = announcement {
                announcement.withdraw().await;
            }
        };
        let (ended, ()) = tokio::join!(serving.join_next(), withdraw);
        let closed = match ended {
            Some(Ok(closed)) => closed,
            failed => {
                let why = format!("{failed:?}");
                events.tell(Event::Warning(Warning::Failed(why)));
                Closed::default()
            }
        };
        drop(stop);
        while asked.join_next().await.is_some() {}
        desk.close().await;
        // The last second of locations is written now. It has said itself if it failed.
        let _ended = spawn_blocking(move || drop(store)).await;
        events.tell(Event::Notice(closed.to_string()));
        closed
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { finished, cut } = self;
        let all = finished + cut;
        write!(
            f,
            "closed: {finished} of {all} connections ended in good order"
        )
    }
}

/// A registry that cannot be announced serves all the same.
fn announce(options: &Options, facts: &Facts, events: &Events) -> Option<Announcement> {
    if !options.announce.takes(facts.listening) {
        return None;
    }
    let warn = |error: mdns_sd::Error| {
        let warning = Warning::NotAnnounced(error.to_string());
        events.tell(Event::Warning(warning));
    };
    let announced = Announcement::begin(facts.listening, &facts.fingerprint, events);
    announced.map_err(warn).ok()
}

/// The socket on which the operator asks. A registry without one serves all the same.
fn admin_socket(folder: Option<&Path>, events: &Events) -> Option<AdminSocket> {
    let folder = folder?;
    let warn = |error: BindError| {
        events.tell(Event::Warning(Warning::NoAdminSocket {
            path: socket_of(folder),
            why: error.to_string(),
        }));
    };
    AdminSocket::bind(folder).map_err(warn).ok()
}
