//! `ramal-lookup`: asks a registry where a name can be reached.

use std::{
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use clap::Parser;
use codec::{
    Name,
    registry::{Entry, Method, PAGE_MAX, Prefix, Refusal, Success},
};
use registry::{
    cli,
    client::{AskError, Client, Host, agent},
};
use serde_json::json;

/// How long the registry may take to answer, for each question.
const WITHIN: Duration = Duration::from_secs(3);

/// Asks a registry where a name can be reached, and prints `name ip:port`, one line a contact.
///
/// Exit code: 0 found, 1 not found, 2 failed.
#[derive(Debug, Parser)]
#[command(name = "ramal-lookup", version, about, args_override_self = true)]
struct Options {
    /// Whom to look up
    #[arg(required_unless_present = "all")]
    name: Option<String>,
    /// Lists everybody who is registered
    #[arg(long, conflicts_with = "name")]
    all: bool,
    /// The registry to ask, HOST or HOST:PORT
    #[arg(
        long,
        value_name = "HOST[:PORT]",
        env = "RAMAL_REGISTRY",
        default_value = "localhost"
    )]
    registry: Host,
    /// Prints one JSON object a name
    #[arg(long)]
    json: bool,
}

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
    let name = options.name.as_deref().map(str::parse::<Name>).transpose();
    let name = name.map_err(|error| failed(&error))?;
    let connected = Client::connect(&options.registry, agent("ramal-lookup"), WITHIN).await;
    let mut client = connected.map_err(|error| failed(&error))?;
    match name {
        Some(name) => match client
            .ask(Method::Lookup { name: name.clone() }, WITHIN)
            .await
        {
            Ok(Success::Found(record)) => print(&record.entry, options.json),
            Err(AskError::Refused(Refusal::NotFound)) => Err(Failure::NotFound(format!(
                "nobody called {name} is registered at {}",
                options.registry
            ))),
            Ok(_) => Err(failed(&"the registry answered something else")),
            Err(error) => Err(failed(&error)),
        },
        None => print_all(&mut client, options).await,
    }
}

async fn print_all(client: &mut Client, options: &Options) -> Result<(), Failure> {
    let limit = u8::try_from(PAGE_MAX).unwrap_or(u8::MAX);
    let mut after: Option<Name> = None;
    loop {
        let method = Method::List {
            prefix: Prefix::default(),
            after: after.clone(),
            limit,
        };
        let page = match client.ask(method, WITHIN).await {
            Ok(Success::Page(page)) => page,
            Ok(_) => {
                return Err(Failure::Failed(
                    "the registry answered something else".into(),
                ));
            }
            Err(error) => return Err(Failure::Failed(error.to_string())),
        };
        for entry in page.entries.iter() {
            // A registry that repeats itself would otherwise be asked for ever.
            if after.as_ref().is_some_and(|last| entry.name <= *last) {
                return Err(Failure::Failed(
                    "the registry's list is not in order".into(),
                ));
            }
            print(entry, options.json)?;
            after = Some(entry.name.clone());
        }
        if !page.more || page.entries.is_empty() {
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
