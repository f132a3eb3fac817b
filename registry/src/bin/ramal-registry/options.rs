//! What is said on the command line, and what it means.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use codec::registry::{EXPIRES_MAX_S, EXPIRES_MIN_S};
use registry::{
    limits::{Directory, Limits, Rate, Rates},
    operate::{Announce, CertificateFiles, Options as Setup},
    server::Plain,
    store::Claims,
};

use crate::journal;

/// Keeps the table of who can be called where, and hands call signals on.
///
/// Prints the table of registered users when one is added, and logs every message to standard
/// error. SIGUSR1 logs how often each limit was reached. SIGINT or SIGTERM stop it.
#[derive(Debug, Parser)]
#[command(
    name = "ramal-registry",
    version,
    about,
    args_override_self = true,
    args_conflicts_with_subcommands = true
)]
pub struct CommandLine {
    #[command(subcommand)]
    pub program: Option<Program>,
    #[command(flatten)]
    pub options: Options,
}

/// What to do instead of serving.
#[derive(Debug, Subcommand)]
pub enum Program {
    /// Asks a registry that runs on this machine, and tells it what to do
    Admin(Admin),
}

#[derive(Debug, Args)]
pub struct Options {
    /// Where to listen
    #[arg(long, value_name = "IP:PORT", default_value = "0.0.0.0:5000")]
    pub listen: SocketAddr,
    /// The folder for what the registry keeps [default: ramal/registry in the user's data folder]
    #[arg(long, value_name = "DIR", conflicts_with = "ephemeral")]
    pub data: Option<PathBuf>,
    /// Keeps nothing: a new key and no names at every start
    #[arg(long)]
    pub ephemeral: bool,
    /// From where unencrypted connections are taken, beside those by TLS
    #[arg(long, value_enum, default_value = "loopback")]
    pub plain: PlainOption,
    /// The TLS certificate in PEM, with those that vouch for it behind it [default: a self-made one
    /// beside the registry's key]
    #[arg(long, value_name = "FILE", requires = "key")]
    pub cert: Option<PathBuf>,
    /// The key of that certificate in PEM
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub key: Option<PathBuf>,
    /// How many connections to hold
    #[arg(long, value_name = "N", default_value_t = Limits::default().connections,
          value_parser = at_least_one)]
    pub connections: usize,
    /// How many of them from one address, or from one /64 network of IPv6
    #[arg(long, value_name = "N", default_value_t = Limits::default().connections_per_address,
          value_parser = at_least_one)]
    pub per_address: usize,
    /// The longest lease that phones are given: one that says nothing for so long is gone
    #[arg(long, value_name = "SECONDS", default_value_t = EXPIRES_MAX_S,
          value_parser = lease)]
    pub lease_max: u16,
    /// Who is given a name that nobody has; whoever has one keeps it
    #[arg(long, value_enum, default_value = "open")]
    pub claims: ClaimsOption,
    /// How many new names to give in a day to those at one address
    #[arg(long, value_name = "N", default_value_t = Rates::default().claims_per_address.times,
          value_parser = rate)]
    pub claims_per_day: u32,
    /// How many names that nobody has may be asked for in an hour from one address
    #[arg(long, value_name = "N", default_value_t = Rates::default().guesses_per_address.times,
          value_parser = rate)]
    pub guesses_per_hour: u32,
    /// Who is shown which names are registered; a name that somebody knows is found in any case
    #[arg(long, value_enum, default_value = "open")]
    pub directory: DirectoryOption,
    /// Whether phones on the same network find it without being told where it is (auto: unless it
    /// listens for this machine only)
    #[arg(long, value_enum, default_value = "auto")]
    pub announce: AnnounceOption,
    /// When to print the table of registered users (auto: when standard output is a terminal)
    #[arg(long, value_enum, default_value = "auto")]
    pub table: TableOption,
    /// How to write the log
    #[arg(long, value_enum, default_value = "text")]
    pub log: journal::Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum PlainOption {
    Never,
    Loopback,
    Any,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ClaimsOption {
    /// Everyone
    Open,
    /// Who has a code of `ramal-registry admin invite`
    Invite,
    /// Nobody
    Closed,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum DirectoryOption {
    /// Everyone
    Open,
    /// Phones that are registered
    Members,
    /// Nobody
    Closed,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum AnnounceOption {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum TableOption {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Args)]
pub struct Admin {
    /// The data folder of the registry [default: ramal/registry in the user's data folder]
    #[arg(long, value_name = "DIR", global = true)]
    pub data: Option<PathBuf>,
    /// Prints one JSON object a line
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub what: What,
}

/// What the operator wants.
#[derive(Debug, Clone, Subcommand)]
pub enum What {
    /// Lists who owns which name, since when, and where they are registered
    Users {
        /// Only names that begin so
        #[arg(value_name = "FILTER", default_value = "")]
        filter: String,
        /// Only those after this name, to go on where a list ended
        #[arg(long, value_name = "NAME")]
        after: Option<String>,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 1000)]
        limit: usize,
    },
    /// Takes a name from its owner: whoever claims it next has it
    Release { name: String },
    /// Serves an identity no more and ends its connections at once; a name that nobody owns is
    /// given to nobody
    Ban {
        /// A name, or a key as `users --json` shows it
        #[arg(value_name = "NAME|KEY")]
        of: String,
    },
    /// Ends a ban
    Unban {
        #[arg(value_name = "NAME|KEY")]
        of: String,
    },
    /// Lists who and what is banned
    Bans,
    /// Prints new invite codes, for a registry with --claims invite
    Invite {
        /// How many codes
        #[arg(value_name = "CODES", default_value_t = 1)]
        codes: u32,
        /// How many names each code gives
        #[arg(long, value_name = "N", default_value_t = 1)]
        uses: u32,
        /// For how many days it counts
        #[arg(long, value_name = "N", default_value_t = 30)]
        days: u32,
    },
    /// Lists the invite codes that still count
    Invites,
    /// Shows connections, names, requests, and how often each limit was reached
    Stats,
    /// Ends the connections of an identity; its phones come back by themselves
    Disconnect {
        #[arg(value_name = "NAME|KEY")]
        of: String,
    },
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if (1..=10_000_000).contains(&number) => Ok(number),
        _ => Err("a number from 1 to 10000000 is needed".to_owned()),
    }
}

fn lease(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(seconds) if (EXPIRES_MIN_S..=EXPIRES_MAX_S).contains(&seconds) => Ok(seconds),
        _ => Err(format!(
            "a number from {EXPIRES_MIN_S} to {EXPIRES_MAX_S} is needed"
        )),
    }
}

fn rate(text: &str) -> Result<u32, String> {
    let number = at_least_one(text)?;
    u32::try_from(number).map_err(|error| error.to_string())
}

impl Options {
    /// How the registry is to be.
    pub fn setup(&self) -> Result<Setup, String> {
        let folder = match self.ephemeral {
            true => None,
            false => Some(data_folder(
                self.data.as_ref(),
                "use --data DIR or --ephemeral",
            )?),
        };
        let files = self.cert.clone().zip(self.key.clone());
        let mut setup = Setup::new(self.listen, folder);
        setup.plain = self.plain();
        setup.certificate = files.map(|(certificate, key)| CertificateFiles { certificate, key });
        setup.limits = self.limits();
        setup.claims = self.claims();
        setup.announce = match self.announce {
            AnnounceOption::Auto => Announce::Auto,
            AnnounceOption::Always => Announce::Always,
            AnnounceOption::Never => Announce::Never,
        };
        Ok(setup)
    }

    fn limits(&self) -> Limits {
        let limits = Limits {
            connections: self.connections,
            lease_max_s: self.lease_max,
            directory: match self.directory {
                DirectoryOption::Open => Directory::Open,
                DirectoryOption::Members => Directory::Members,
                DirectoryOption::Closed => Directory::Closed,
            },
            rates: Rates {
                claims_per_address: Rate::a_day(self.claims_per_day),
                guesses_per_address: Rate::an_hour(self.guesses_per_hour),
                ..Rates::default()
            },
            ..Limits::default()
        };
        limits.per_address(self.per_address)
    }

    fn claims(&self) -> Claims {
        match self.claims {
            ClaimsOption::Open => Claims::Open,
            ClaimsOption::Invite => Claims::Invite,
            ClaimsOption::Closed => Claims::Closed,
        }
    }

    fn plain(&self) -> Plain {
        match self.plain {
            PlainOption::Never => Plain::Never,
            PlainOption::Loopback => Plain::Loopback,
            PlainOption::Any => Plain::Any,
        }
    }
}

impl Admin {
    /// Where the registry that is asked keeps what it keeps.
    pub fn data(&self) -> Result<PathBuf, String> {
        data_folder(self.data.as_ref(), "use --data DIR")
    }
}

/// The folder that was named, or the user's own.
fn data_folder(named: Option<&PathBuf>, else_use: &str) -> Result<PathBuf, String> {
    let folder = named.cloned().or_else(Setup::usual_folder);
    folder.ok_or_else(|| format!("there is no home folder; {else_use}"))
}
