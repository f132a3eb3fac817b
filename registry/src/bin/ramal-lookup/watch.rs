//! `--watch`: how names are, and every change, for as long as it is wanted.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
    time::Duration,
};

use codec::{
    Name,
    greeting::GreetingError,
    registry::{Entry, Method, Notice, Prefix, Refusal, Success, Watch},
};
use registry::client::{Access, AskError, Client, ConnectError};
use serde_json::json;
use tokio::{
    signal::unix::{SignalKind, signal},
    time::{MissedTickBehavior, interval, sleep},
};

use super::{Failure, Options, WITHIN, connect, page, say};

/// How often the registry is asked something: so that it does not take this for an idle connection,
/// and so that it is noticed when it is gone without a word.
const ASK_EVERY: Duration = Duration::from_secs(60);

/// The shortest pause before another try to connect; the longest is eight times as much.
const PAUSE: Duration = Duration::from_millis(500);

/// How many names are remembered, so that only what changed is printed. Of others everything is.
const KNOWN_MAX: usize = 1_000_000;

/// Why a connection is of no more use.
enum Ended {
    /// It may be better on another one.
    Lost(String),
    /// It will not.
    Failed(Failure),
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Watches until a signal comes.
pub async fn run(access: &Access, options: &Options, watch: Watch) -> Result<(), Failure> {
    let no_signals =
        |error: io::Error| Failure::Failed(format!("cannot wait for signals: {error}"));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(no_signals)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(no_signals)?;
    tokio::select! {
        failure = follow(access, options, watch) => Err(failure),
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
    }
}

async fn follow(access: &Access, options: &Options, watch: Watch) -> Failure {
    let mut screen = Screen {
        as_json: options.json,
        of_everybody: watch == Watch::Everybody,
        known: BTreeMap::new(),
    };
    // Who cannot be reached the first time is perhaps not where somebody thinks.
    let mut client = match connect(access, options).await {
        Ok(client) => client,
        Err(error) => return Failure::Failed(error.to_string()),
    };
    loop {
        let why = match listen(&mut client, &watch, &mut screen).await {
            Ended::Lost(why) => why,
            Ended::Failed(failure) => return failure,
        };
        say(&format!("{why}; trying again"));
        let mut said = String::new();
        client = loop {
            sleep(pause()).await;
            match connect(access, options).await {
                Ok(client) => break client,
                Err(error) if is_final(&error) => return Failure::Failed(error.to_string()),
                Err(error) => {
                    // Whoever watches for days wants to know why, but not twice a second.
                    let why = error.to_string();
                    if why != said {
                        say(&why);
                        said = why;
                    }
                }
            }
        };
        say(&format!("connected to {} again", options.registry));
    }
}

/// Whether somebody else listens there now, so that trying again is of no use. A greeting that was
/// cut off is none of that: a registry that stops does so.
fn is_final(error: &ConnectError) -> bool {
    let version = matches!(
        error,
        ConnectError::Greeting(_, GreetingError::Version { .. })
    );
    let other = matches!(error, ConnectError::WrongRole(_) | ConnectError::NoTls(_));
    version || other || error.is_distrust()
}

/// Follows changes on one connection to its end.
async fn listen(client: &mut Client, watch: &Watch, screen: &mut Screen) -> Ended {
    match try_to_listen(client, watch, screen).await {
        Ok(never) => match never {},
        Err(ended) => ended,
    }
}

/// What is never returned.
enum Never {}

async fn try_to_listen(
    client: &mut Client,
    watch: &Watch,
    screen: &mut Screen,
) -> Result<Never, Ended> {
    begin(client, watch, screen).await?;
    let mut ask = interval(ASK_EVERY);
    ask.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ask.tick().await;
    loop {
        tokio::select! {
            notice = client.notice() => match notice.map_err(|error| lost(&error))? {
                Notice::Missed => begin(client, watch, screen).await?,
                notice => screen.take(notice)?,
            },
            _ = ask.tick() => {
                let (prefix, after, limit) = (Prefix::default(), None, 0);
                let asked = Method::List { prefix, after, limit };
                // A refusal is an answer as well: the registry is there.
                match client.ask(asked, WITHIN).await {
                    Ok(_) | Err(AskError::Refused(_)) => {}
                    Err(error) => return Err(lost(&error)),
                }
            }
        }
    }
}

fn lost(error: &AskError) -> Ended {
    Ended::Lost(error.to_string())
}

/// Begins to watch, and reads how everybody is now. The registry tells that of single names.
async fn begin(client: &mut Client, watch: &Watch, screen: &mut Screen) -> Result<(), Ended> {
    match client.ask(Method::Watch(watch.clone()), WITHIN).await {
        Ok(Success::Watching) => {}
        Ok(_) => return Err(Failure::Failed(super::OTHER_ANSWER.to_owned()).into()),
        Err(AskError::Refused(Refusal::Malformed)) => {
            let why = "the registry knows no --watch; it is older than this program";
            return Err(Failure::Failed(why.to_owned()).into());
        }
        Err(AskError::Refused(refusal)) => {
            return Err(Failure::Failed(refusal.to_string()).into());
        }
        Err(error) => return Err(lost(&error)),
    }
    if !screen.of_everybody {
        return Ok(());
    }
    while !list(client, screen).await? {}
    Ok(())
}

/// Reads the directory, and says whether nothing was missed meanwhile.
async fn list(client: &mut Client, screen: &mut Screen) -> Result<bool, Ended> {
    let mut here = BTreeSet::new();
    let mut whole = true;
    let mut after = None;
    loop {
        let page = page(client, after.as_ref()).await.map_err(Ended::Lost)?;
        // These are older than the page.
        while let Some(notice) = client.kept_notice() {
            match &notice {
                Notice::Changed(entry) => {
                    here.insert(entry.name.clone());
                }
                Notice::Missed => whole = false,
                _ => {}
            }
            screen.take(notice)?;
        }
        for entry in page.entries.iter() {
            here.insert(entry.name.clone());
            screen.show(entry)?;
        }
        after = page.entries.last().map(|entry| entry.name.clone());
        if !page.more {
            break;
        }
    }
    let gone = screen.known.keys().filter(|name| !here.contains(*name));
    for name in gone.cloned().collect::<Vec<_>>() {
        screen.show_gone(&name)?;
    }
    Ok(whole)
}

/// Between half a second and four, at random, so that not everybody comes back at once.
fn pause() -> Duration {
    let mut random = [0];
    // Without randomness it is the shortest.
    let _ = getrandom::fill(&mut random);
    PAUSE + PAUSE.mul_f64(7.0 * f64::from(random[0]) / 255.0)
}

/// Prints what is not known yet.
struct Screen {
    as_json: bool,
    of_everybody: bool,
    /// What was printed last of whom.
    known: BTreeMap<Name, String>,
}

impl Screen {
    fn take(&mut self, notice: Notice) -> Result<(), Failure> {
        match notice {
            Notice::Changed(entry) => self.show(&entry),
            Notice::Gone(name) => self.show_gone(&name),
            // None of the others is about a name.
            _ => Ok(()),
        }
    }

    fn show(&mut self, entry: &Entry) -> Result<(), Failure> {
        let Entry { name, presence, .. } = entry;
        let contacts = entry.contacts();
        let line = if self.as_json {
            let line = json!({
                "name": name.as_str(),
                "registered": true,
                "presence": presence.to_string(),
                "contacts": contacts,
                "devices": entry.devices.len(),
            });
            line.to_string()
        } else {
            let contacts = contacts.iter().map(|contact| format!(" {contact}"));
            format!("{name} {presence}{}", contacts.collect::<String>())
        };
        self.print(name, line)
    }

    fn show_gone(&mut self, name: &Name) -> Result<(), Failure> {
        let line = if self.as_json {
            json!({ "name": name.as_str(), "registered": false }).to_string()
        } else {
            format!("{name} gone")
        };
        if self.of_everybody {
            // Who is not there and never was is no news among everybody.
            return match self.known.remove(name) {
                Some(_) => write(&line),
                None => Ok(()),
            };
        }
        self.print(name, line)
    }

    fn print(&mut self, name: &Name, line: String) -> Result<(), Failure> {
        if self.known.get(name) == Some(&line) {
            return Ok(());
        }
        write(&line)?;
        if self.known.len() < KNOWN_MAX || self.known.contains_key(name) {
            self.known.insert(name.clone(), line);
        }
        Ok(())
    }
}

/// Every line is out at once: whoever reads it may wait for it.
fn write(line: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .map_err(Failure::Output)
}
