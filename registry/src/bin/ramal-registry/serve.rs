//! Serves: opens what a registry needs, runs it, and stops it when the operator says so.

use std::{
    io::{self, IsTerminal},
    net::SocketAddr,
    path::Path,
    sync::{Arc, mpsc::Receiver},
};

use codec::Identity;
use registry::{
    admin::{AdminSocket, socket_of},
    client::agent,
    event::{Event, Events},
    keyfile,
    limits::Limits,
    server::{Config, Port, Server},
    session::Registrar,
    store::{EmbeddedStore, MemoryStore, Moment, Store, embedded::FILE},
    tls::Certificate,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::{
    journal::Journal,
    options::{Options, PlainOption, TableOption},
    welcome::{self, KeyIs},
};

/// Files that a registry needs beside those of its connections: port, log, key, and those who are
/// being turned away.
const FILES_BESIDE: u64 = 100;

/// Serves until a signal stops it.
///
/// # Errors
/// Why it cannot begin, and what to do.
pub async fn run(options: &Options) -> Result<(), String> {
    let data = options.data()?;
    let (events, queue) = Events::channel();
    let limits = within_files(options.limits(), &events);
    // Before anything is made: a start that fails leaves nothing behind that the next one, the
    // first that works, would take for its own.
    let port = Port::open(options.listen, &limits)
        .await
        .map_err(|error| cannot_listen(options.listen, &error))?;
    let (claims, at) = (options.claims(), Moment::now());
    match &data {
        None => {
            let ground = Ground {
                port,
                certificate: certificate(options, None)?,
                key: Key::in_memory()?,
            };
            let store = MemoryStore::claimed_by(&limits, claims);
            serve(options, None, ground, limits, (events, queue), store).await
        }
        Some(folder) => {
            keyfile::private_folder(folder).map_err(|error| cannot_keep(folder, &error))?;
            let certificate = certificate(options, Some(folder))?;
            let has_names = folder.join(FILE).exists();
            let store = EmbeddedStore::open(folder, &limits, claims, events.clone(), at);
            let store = store.map_err(|error| error.to_string())?;
            let ground = Ground {
                port,
                certificate,
                key: Key::kept_in(folder, has_names)?,
            };
            serve(
                options,
                Some(folder),
                ground,
                limits,
                (events, queue),
                store,
            )
            .await
        }
    }
}

/// What a registry stands on, beside its store.
struct Ground {
    port: Port,
    certificate: Certificate,
    key: Key,
}

async fn serve<S: Store>(
    options: &Options,
    data: Option<&Path>,
    ground: Ground,
    limits: Limits,
    (events, queue): (Events, Receiver<Event>),
    store: S,
) -> Result<(), String> {
    let Ground {
        port,
        certificate,
        key: Key { identity, is },
    } = ground;
    let store = Arc::new(store);
    let config = Config {
        listen: options.listen,
        plain: options.plain(),
        certificate,
    };
    let registrar = Registrar {
        identity,
        agent: agent("ramal-registry"),
        limits,
    };
    let server = Server::on(port, config, registrar, Arc::clone(&store), events.clone());
    let print_table = match options.table {
        TableOption::Auto => io::stdout().is_terminal(),
        TableOption::Always => true,
        TableOption::Never => false,
    };
    let rows = {
        // The log outlives the store, which has its last words in it.
        let store = Arc::downgrade(&store);
        move |limit, now| {
            let store = store.upgrade();
            store.map_or_else(Default::default, |store| store.rows(limit, now))
        }
    };
    let dropped = events.dropped();
    let table = print_table.then_some(rows);
    let journal = Journal::start(queue, dropped, options.log, table)
        .map_err(|error| format!("cannot start the log: {error}"))?;
    warn(options, &events);
    let stop = CancellationToken::new();
    let counters = server.counters();
    let count = || events.tell(Event::Counters(counters.to_string()));
    // Before anybody hears that it listens, and stops it at once.
    let mut signals =
        Signals::new().map_err(|error| format!("cannot wait for signals: {error}"))?;
    let control = server.control();
    let admin = data.and_then(|data| admin_socket(data, &events));
    let listening = server.local_addr().unwrap_or(options.listen);
    if let (KeyIs::Another, Some(data)) = (is, data) {
        events.tell(Event::Warning(welcome::another_key(data)));
    }
    for line in welcome::lines(listening, data, is) {
        events.tell(Event::Notice(line));
    }
    let mut serving = JoinSet::from_iter([server.run(stop.clone())]);
    if let Some(admin) = admin {
        serving.spawn(admin.serve(control, stop.clone()));
    }
    signals.wait(count).await;
    stop.cancel();
    serving.join_all().await;
    count();
    // The last second of locations is written now.
    drop(store);
    drop(events);
    journal.finish();
    Ok(())
}

fn warn(options: &Options, events: &Events) {
    let tell = |text: &str| events.tell(Event::Warning(text.to_owned()));
    if options.ephemeral {
        tell("names are kept in memory only: they are gone when the registry stops");
    }
    match options.plain {
        PlainOption::Any => tell(
            "unencrypted connections are taken from everywhere: \
             who is on the way of one sees who calls whom",
        ),
        PlainOption::Loopback | PlainOption::Never => {}
    }
}

/// The socket on which the operator asks. A registry without one serves all the same.
fn admin_socket(data: &Path, events: &Events) -> Option<AdminSocket> {
    let bound = AdminSocket::bind(data);
    let warn = |error| {
        let path = socket_of(data);
        events.tell(Event::Warning(format!(
            "ramal-registry admin does not work, there is no {}: {error}",
            path.display()
        )));
    };
    bound.map_err(warn).ok()
}

fn cannot_listen(listen: SocketAddr, error: &io::Error) -> String {
    let next = match error.kind() {
        io::ErrorKind::AddrInUse => "; another program has this port: stop it, or use --listen",
        io::ErrorKind::AddrNotAvailable => "; --listen takes an address of this machine",
        io::ErrorKind::PermissionDenied => "; use --listen with a port above 1023",
        _ => "",
    };
    format!("cannot listen on {listen}: {error}{next}")
}

/// The certificate for TLS: given, or self-made at the first start.
fn certificate(options: &Options, data: Option<&Path>) -> Result<Certificate, String> {
    let certificate = match (&options.cert, &options.key, data) {
        (Some(certificate), Some(key), _) => Certificate::from_files(certificate, key),
        (_, _, Some(data)) => Certificate::kept_in(data),
        _ => Certificate::in_memory(),
    };
    certificate.map_err(|error| error.to_string())
}

/// The registry's long-term key.
struct Key {
    identity: Identity,
    is: KeyIs,
}

impl Key {
    /// A new one that is kept nowhere.
    fn in_memory() -> Result<Self, String> {
        let identity = Identity::from_secret(&*fresh_secret()?);
        let is = KeyIs::First;
        Ok(Self { identity, is })
    }

    /// The one in the folder, or a new one; `has_names` says whether names were kept there before.
    fn kept_in(folder: &Path, has_names: bool) -> Result<Self, String> {
        let path = folder.join("registry.key");
        let failed = |error: io::Error| cannot_keep(&path, &error);
        if let Some(kept) = keyfile::read(&path).map_err(failed)? {
            let kept = kept.as_slice().try_into();
            let kept: &[u8; 32] = kept.map_err(|_| {
                format!(
                    "{} is damaged: put a copy back, or remove it for a new key",
                    path.display()
                )
            })?;
            let identity = Identity::from_secret(kept);
            let is = KeyIs::Kept;
            return Ok(Self { identity, is });
        }
        let secret = fresh_secret()?;
        keyfile::write(&path, &*secret).map_err(failed)?;
        let identity = Identity::from_secret(&secret);
        let is = match has_names {
            true => KeyIs::Another,
            false => KeyIs::First,
        };
        Ok(Self { identity, is })
    }
}

fn fresh_secret() -> Result<Zeroizing<[u8; 32]>, String> {
    let mut secret = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *secret).map_err(|error| format!("no randomness: {error}"))?;
    Ok(secret)
}

fn cannot_keep(path: &Path, error: &io::Error) -> String {
    match keyfile::exposed(error) {
        Some(exposed) => exposed.to_string(),
        None => format!(
            "cannot keep the key in {}: {error}; use --data DIR",
            path.display()
        ),
    }
}

/// Takes all the files that the system allows, and no more connections than there are files for.
fn within_files(limits: Limits, events: &Events) -> Limits {
    let allowed = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: allowed.maximum,
        ..allowed
    };
    let files = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => allowed.maximum,
        Err(_) => allowed.current,
    };
    // Without a limit there are files for everything.
    let files = files.unwrap_or(u64::MAX).saturating_sub(FILES_BESIDE);
    let connections = usize::try_from(files).unwrap_or(usize::MAX).max(1);
    if connections < limits.connections {
        events.tell(Event::Warning(format!(
            "{connections} connections are held instead of {}: the system allows no more open \
             files; raise its hard limit (ulimit -Hn, LimitNOFILE), or lower --connections",
            limits.connections
        )));
    }
    Limits {
        connections: limits.connections.min(connections),
        ..limits
    }
}

/// What an operator tells the program.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    count: Signal,
}

impl Signals {
    /// From now on they do not end the program by themselves.
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            count: signal(SignalKind::user_defined1())?,
        })
    }

    /// Waits until the program is to stop, and calls `count` whenever it is to say how it is.
    async fn wait(&mut self, count: impl Fn()) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.count.recv() => count(),
            }
        }
    }
}
