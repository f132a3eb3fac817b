//! `ramal-registry`: the registry without a window.

use std::{
    io::{self, IsTerminal},
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
};

use clap::{Parser, ValueEnum};
use codec::Identity;
use etcetera::BaseStrategy;
use registry::{
    cli,
    client::agent,
    event::{Event, Events},
    keyfile,
    limits::{Directory, Limits, Rate, Rates},
    server::{Config, Plain, Server},
    session::Registrar,
    store::{MemoryStore, Store},
    tls::Certificate,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

mod journal;

use journal::Journal;

/// Files that a registry needs beside those of its connections: port, log, key, and those who are
/// being turned away.
const FILES_BESIDE: u64 = 100;

/// Keeps the table of who can be called where, and hands call signals on.
///
/// Prints the table of registered users when one is added, and logs every message to standard
/// error. SIGUSR1 logs how often each limit was reached. SIGINT or SIGTERM stop it.
#[derive(Debug, Parser)]
#[command(name = "ramal-registry", version, about, args_override_self = true)]
struct Options {
    /// Where to listen
    #[arg(long, value_name = "IP:PORT", default_value = "0.0.0.0:5000")]
    listen: SocketAddr,
    /// The folder for the registry's key [default: ramal/registry in the user's data folder]
    #[arg(long, value_name = "DIR", conflicts_with = "ephemeral")]
    data: Option<PathBuf>,
    /// Keeps nothing: a new key at every start
    #[arg(long)]
    ephemeral: bool,
    /// From where unencrypted connections are taken, beside those by TLS
    #[arg(long, value_enum, default_value = "loopback")]
    plain: PlainOption,
    /// The TLS certificate in PEM, with those that vouch for it behind it [default: a self-made one
    /// beside the registry's key]
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// The key of that certificate in PEM
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// How many connections to hold
    #[arg(long, value_name = "N", default_value_t = Limits::default().connections,
          value_parser = at_least_one)]
    connections: usize,
    /// How many of them from one address, or from one /64 network of IPv6
    #[arg(long, value_name = "N", default_value_t = Limits::default().connections_per_address,
          value_parser = at_least_one)]
    per_address: usize,
    /// How many new names to give in a day to those at one address
    #[arg(long, value_name = "N", default_value_t = Rates::default().claims_per_address.times,
          value_parser = rate)]
    claims_per_day: u32,
    /// How many names that nobody has may be asked for in an hour from one address
    #[arg(long, value_name = "N", default_value_t = Rates::default().guesses_per_address.times,
          value_parser = rate)]
    guesses_per_hour: u32,
    /// Who is shown which names are registered; a name that somebody knows is found in any case
    #[arg(long, value_enum, default_value = "open")]
    directory: DirectoryOption,
    /// When to print the table of registered users (auto: when standard output is a terminal)
    #[arg(long, value_enum, default_value = "auto")]
    table: TableOption,
    /// How to write the log
    #[arg(long, value_enum, default_value = "text")]
    log: journal::Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PlainOption {
    Never,
    Loopback,
    Any,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum DirectoryOption {
    /// Everyone
    Open,
    /// Phones that are registered
    Members,
    /// Nobody
    Closed,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum TableOption {
    Auto,
    Always,
    Never,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if (1..=10_000_000).contains(&number) => Ok(number),
        _ => Err("a number from 1 to 10000000 is needed".to_owned()),
    }
}

fn rate(text: &str) -> Result<u32, String> {
    let number = at_least_one(text)?;
    u32::try_from(number).map_err(|error| error.to_string())
}

fn main() -> ExitCode {
    let options: Options = match cli::parse() {
        Ok(options) => options,
        Err(code) => return code,
    };
    match cli::block_on(run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => cli::complain(2, &why),
    }
}

async fn run(options: &Options) -> Result<(), String> {
    let identity = identity(options)?;
    let certificate = certificate(options)?;
    let (events, queue) = Events::channel();
    let limits = within_files(limits(options), &events);
    let store = Arc::new(MemoryStore::limited(&limits));
    let plain = match options.plain {
        PlainOption::Never => Plain::Never,
        PlainOption::Loopback => Plain::Loopback,
        PlainOption::Any => Plain::Any,
    };
    let config = Config {
        listen: options.listen,
        plain,
        certificate,
    };
    let registrar = Registrar {
        identity,
        agent: agent("ramal-registry"),
        limits,
    };
    let server = Server::bind(config, registrar, Arc::clone(&store), events.clone())
        .await
        .map_err(|error| cannot_listen(options.listen, &error))?;
    let print_table = match options.table {
        TableOption::Auto => io::stdout().is_terminal(),
        TableOption::Always => true,
        TableOption::Never => false,
    };
    let rows = {
        let store = Arc::clone(&store);
        move |limit, now| store.rows(limit, now)
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
    let serving = tokio::task::JoinSet::from_iter([server.run(stop.clone())]);
    signals.wait(count).await;
    stop.cancel();
    serving.join_all().await;
    count();
    drop(events);
    journal.finish();
    Ok(())
}

fn limits(options: &Options) -> Limits {
    let limits = Limits {
        connections: options.connections,
        directory: match options.directory {
            DirectoryOption::Open => Directory::Open,
            DirectoryOption::Members => Directory::Members,
            DirectoryOption::Closed => Directory::Closed,
        },
        rates: Rates {
            claims_per_address: Rate::a_day(options.claims_per_day),
            guesses_per_address: Rate::an_hour(options.guesses_per_hour),
            ..Rates::default()
        },
        ..Limits::default()
    };
    limits.per_address(options.per_address)
}

fn warn(options: &Options, events: &Events) {
    let tell = |text: &str| events.tell(Event::Warning(text.to_owned()));
    tell("names are kept in memory only: they are gone when the registry stops");
    match options.plain {
        PlainOption::Any => tell(
            "unencrypted connections are taken from everywhere: \
             who is on the way of one sees who calls whom",
        ),
        PlainOption::Loopback | PlainOption::Never => {}
    }
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

fn data_folder(options: &Options) -> Result<PathBuf, String> {
    if let Some(folder) = &options.data {
        return Ok(folder.clone());
    }
    let strategy = etcetera::choose_base_strategy()
        .map_err(|error| format!("{error}; use --data DIR or --ephemeral"))?;
    Ok(strategy.data_dir().join("ramal/registry"))
}

/// The certificate for TLS: given, or self-made at the first start.
fn certificate(options: &Options) -> Result<Certificate, String> {
    let certificate = match (&options.cert, &options.key) {
        (Some(certificate), Some(key)) => Certificate::from_files(certificate, key),
        _ if options.ephemeral => Certificate::in_memory(),
        _ => Certificate::kept_in(&data_folder(options)?),
    };
    certificate.map_err(|error| error.to_string())
}

/// The registry's long-term key: read, or made at the first start.
fn identity(options: &Options) -> Result<Identity, String> {
    let mut secret = Zeroizing::new([0; 32]);
    let fresh = |secret: &mut [u8; 32]| {
        getrandom::fill(secret).map_err(|error| format!("no randomness: {error}"))
    };
    if options.ephemeral {
        fresh(&mut secret)?;
        return Ok(Identity::from_secret(&secret));
    }
    let folder = data_folder(options)?;
    let path = folder.join("registry.key");
    let failed = |error: io::Error| match keyfile::exposed(&error) {
        Some(exposed) => exposed.to_string(),
        None => format!(
            "cannot keep the key in {}: {error}; use --data DIR",
            path.display()
        ),
    };
    keyfile::private_folder(&folder).map_err(failed)?;
    if let Some(kept) = keyfile::read(&path).map_err(failed)? {
        let kept = kept.as_slice().try_into();
        let kept: &[u8; 32] = kept.map_err(|_| {
            format!(
                "{} is damaged: put a copy back, or remove it for a new key",
                path.display()
            )
        })?;
        return Ok(Identity::from_secret(kept));
    }
    fresh(&mut secret)?;
    keyfile::write(&path, &*secret).map_err(failed)?;
    Ok(Identity::from_secret(&secret))
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
