//! `ramal-lookup`: asks a registry where a name can be reached.

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use clap::Parser;
use codec::{
    Name,
    registry::{Entry, Method, PAGE_MAX, Page, Prefix, Refusal, Success, Watch},
};
use etcetera::BaseStrategy;
use registry::{
    cli,
    client::{Access, AskError, Client, ConnectError, Host, Security},
};
use serde_json::json;

mod watch;

/// How long the registry may take to answer, for each question.
const WITHIN: Duration = Duration::from_secs(3);

/// Asks a registry where a name can be reached, and prints `name ip:port`, one line a contact.
///
/// With --watch it prints a line for each name, `name available|busy|away ip:port...` or
/// `name gone`, and another one whenever that changes, until SIGINT or SIGTERM stop it. It outlives
/// the registry: what it loses and finds again it says on standard error.
///
/// Exit code: 0 found, or stopped; 1 not found; 2 failed.
#[derive(Debug, Parser)]
#[command(name = "ramal-lookup", version, about, args_override_self = true)]
struct Options {
    /// Whom to look up; several only with --watch
    #[arg(required_unless_present = "all", value_name = "NAME")]
    names: Vec<String>,
    /// Everybody who is registered
    #[arg(long, conflicts_with = "names")]
    all: bool,
    /// Goes on printing whenever something changes
    #[arg(long)]
    watch: bool,
    /// The registry to ask, HOST or HOST:PORT
    #[arg(
        long,
        value_name = "HOST[:PORT]",
        env = "RAMAL_REGISTRY",
        default_value = "localhost"
    )]
    registry: Host,
    /// Asks without encryption; everybody on the way can read and change what is said
    #[arg(long)]
    plain: bool,
    /// The folder that remembers the keys of registries [default: ramal in the user's configuration
    /// folder]
    #[arg(long, value_name = "DIR")]
    config: Option<PathBuf>,
    /// Prints one JSON object a line
    #[arg(long)]
    json: bool,
}

const OTHER_ANSWER: &str = "the registry answered something else";

/// How it went wrong.
enum Failure {
    NotFound(String),
    Failed(String),
    /// Whoever reads the output has read enough.
    Output(io::Error),
}

fn main() -> ExitCode {
    let options: Options = match cli::parse() {
        Ok(options) => options,
        Err(code) => return code,
    };
    match cli::block_on(run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(Failure::Output(error)) => cli::complain(2, &format!("cannot write: {error}")),
        Err(Failure::NotFound(why)) => cli::complain(1, &why),
        Err(Failure::Failed(why)) => cli::complain(2, &why),
    }
}

async fn run(options: &Options) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::Failed(error.to_string());
    let names: Result<Vec<Name>, _> = options.names.iter().map(|name| name.parse()).collect();
    let names = names.map_err(|error: codec::NameError| failed(&error))?;
    if options.watch {
        let watched = match names.try_into() {
            _ if options.all => Watch::Everybody,
            Ok(names) => Watch::Names(names),
            Err(_) => return Err(failed(&"too many names; use --all")),
        };
        let access = access(options).map_err(|error| failed(&error))?;
        return watch::run(&access, options, watched).await;
    }
    if names.len() > 1 {
        return Err(failed(&"several names need --watch"));
    }
    let access = access(options).map_err(|error| failed(&error))?;
    let client = connect(&access, options).await;
    let mut client = client.map_err(|error| failed(&error))?;
    match names.first() {
        None => print_all(&mut client, options).await,
        Some(name) => {
            let method = Method::Lookup { name: name.clone() };
            match client.ask(method, WITHIN).await {
                Ok(Success::Found(record)) => print(&record.entry, options.json),
                Err(AskError::Refused(Refusal::NotFound)) => Err(Failure::NotFound(format!(
                    "nobody called {name} is registered at {}",
                    options.registry
                ))),
                Ok(_) => Err(failed(&OTHER_ANSWER)),
                Err(error) => Err(failed(&error)),
            }
        }
    }
}

fn access(options: &Options) -> Result<Access, String> {
    let config = match &options.config {
        Some(folder) => folder.clone(),
        None => etcetera::choose_base_strategy()
            .map_err(|error| format!("{error}; use --config DIR"))?
            .config_dir()
            .join("ramal"),
    };
    let security = match options.plain {
        true => Security::Plain,
        false => Security::Tls,
    };
    Ok(Access::of("ramal-lookup", &config).with(security))
}

async fn connect(access: &Access, options: &Options) -> Result<Client, ConnectError> {
    let client = Client::connect(access, &options.registry, WITHIN).await?;
    if client.is_first {
        let key = client.welcome.key.fingerprint();
        say(&format!(
            "first time at {}: its key is {key}; it is remembered",
            options.registry
        ));
    }
    Ok(client)
}

/// Tells something that is no answer.
fn say(text: &str) {
    // Without a place to say it, there is nobody who wants to know.
    let _ = writeln!(io::stderr(), "ramal-lookup: {text}");
}

/// Asks for the page after a name, and sees to it that the pages come to an end.
async fn page(client: &mut Client, after: Option<&Name>) -> Result<Page, String> {
    let method = Method::List {
        prefix: Prefix::default(),
        after: after.cloned(),
        limit: u8::try_from(PAGE_MAX).unwrap_or(u8::MAX),
    };
    let mut page = match client.ask(method, WITHIN).await {
        Ok(Success::Page(page)) => page,
        Ok(_) => return Err(OTHER_ANSWER.to_owned()),
        Err(error) => return Err(error.to_string()),
    };
    // A registry that repeats itself would otherwise be asked for ever.
    let mut last = after;
    for entry in page.entries.iter() {
        if last.is_some_and(|last| entry.name <= *last) {
            return Err("the registry's list is not in order".to_owned());
        }
        last = Some(&entry.name);
    }
    page.more &= !page.entries.is_empty();
    Ok(page)
}

async fn print_all(client: &mut Client, options: &Options) -> Result<(), Failure> {
    let mut after: Option<Name> = None;
    loop {
        let page = page(client, after.as_ref()).await;
        let page = page.map_err(Failure::Failed)?;
        for entry in page.entries.iter() {
            print(entry, options.json)?;
            after = Some(entry.name.clone());
        }
        if !page.more {
            break;
        }
    }
    match after {
        Some(_) => Ok(()),
        None => Err(Failure::NotFound(format!(
            "nobody is registered at {}",
            options.registry
        ))),
    }
}

/// A [`Name`] and a socket address hold nothing that could disturb a terminal.
fn print(entry: &Entry, as_json: bool) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let mut write = |line: String| writeln!(out, "{line}").map_err(Failure::Output);
    if as_json {
        let lease_left = entry.devices.iter().map(|device| device.lease_left_s).max();
        return write(
            json!({
                "name": entry.name.as_str(),
                "presence": entry.presence.to_string(),
                "contacts": entry.contacts(),
                "devices": entry.devices.len(),
                "lease_left_s": lease_left.unwrap_or(0),
            })
            .to_string(),
        );
    }
    if entry.contacts().is_empty() {
        return write(format!("{} -", entry.name));
    }
    entry
        .contacts()
        .iter()
        .try_for_each(|contact| write(format!("{} {contact}", entry.name)))
}
