//! Measures what a registry with many names pays for a window that looks at them.
//!
//! `cargo run --release -p registry --example desk`
//!
//! Somebody looks a name up over and over, as phones do, and notes how long each takes: first while
//! nobody looks at the desk, then while a window asks for a page of users in every order, as often
//! as a window does. The longest that a lookup takes is the longest that anybody waits.

#![allow(clippy::print_stdout)]

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use clap::Parser;
use codec::Identity;
use registry::{
    client::agent,
    desk::{Desk, Opened, Query, Sort},
    event::Events,
    limits::Limits,
    server::{Config, Plain, Server},
    session::Registrar,
    store::{MemoryStore, Moment, Store},
    tls::Certificate,
};

use self::claim::claim;

#[path = "rig/claim.rs"]
mod claim;

/// Measures what a window costs a registry
#[derive(Debug, Parser)]
struct Options {
    /// Names that are registered
    #[arg(long, default_value_t = 100_000)]
    names: u32,
    /// How often a window asks, in milliseconds
    #[arg(long, default_value_t = 300)]
    every_ms: u64,
    /// How often it asks in each order
    #[arg(long, default_value_t = 10)]
    times: u32,
}

/// All orders, and what they are called.
const SORTS: [(Sort, &str); 8] = [
    (Sort::Name, "name"),
    (Sort::Contact, "ip:port"),
    (Sort::Since, "since"),
    (Sort::LeaseLeft, "lease left"),
    (Sort::Device, "device"),
    (Sort::Connection, "connection"),
    (Sort::Presence, "presence"),
    (Sort::ClaimedAt, "claimed"),
];

/// Looks a name up until it is told to stop; returns how long each took, the shortest first.
struct Lookups {
    stop: Arc<AtomicBool>,
    runs: thread::JoinHandle<Vec<Duration>>,
}

impl Lookups {
    fn begin(store: Arc<MemoryStore>) -> Result<Self, Box<dyn Error>> {
        let stop = Arc::new(AtomicBool::new(false));
        let name = claim(77)?.name;
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let stopped = Arc::clone(&stop);
        let runs = thread::spawn(move || {
            let mut took = Vec::new();
            while !stopped.load(Relaxed) {
                let asked = Instant::now();
                let found = runtime.block_on(store.lookup(&name, asked));
                took.push(asked.elapsed());
                assert!(found.is_ok());
                // Some thousands a second: enough to meet every chunk that is looked at.
                thread::sleep(Duration::from_micros(50));
            }
            took.sort_unstable();
            took
        });
        Ok(Self { stop, runs })
    }

    fn end(self, when: &str) {
        self.stop.store(true, Relaxed);
        let took = self.runs.join().expect("lookups do not panic");
        println!(
            "lookups {when}: {}, median {:.1?}, 99.9 % within {:.1?}, longest {:.1?}",
            took.len(),
            took[took.len() / 2],
            took[took.len() * 999 / 1000],
            took[took.len() - 1]
        );
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let limits = Limits::default();
    let store = Arc::new(MemoryStore::limited(&limits));
    for number in 0..options.names {
        store.register(claim(number)?, Moment::now()).await?;
    }
    let config = Config {
        listen: ([127, 0, 0, 1], 0).into(),
        plain: Plain::Never,
        certificate: Certificate::in_memory()?,
    };
    let registrar = Registrar {
        identity: Identity::from_secret(&[9; 32]),
        agent: agent("desk"),
        limits,
    };
    let (events, _happened) = Events::channel();
    let server = Server::bind(config, registrar, Arc::clone(&store), events).await?;
    let opened = Opened::of(server.control());
    let desk = opened.desk();

    let lookups = Lookups::begin(Arc::clone(&store))?;
    let every = Duration::from_millis(options.every_ms);
    tokio::time::sleep(every * options.times).await;
    lookups.end("while nobody looks at the desk");

    let lookups = Lookups::begin(Arc::clone(&store))?;
    for (sort, called) in SORTS {
        ask(&desk, sort, called, every, options.times).await?;
    }
    lookups.end("while a window looks at it");

    let (mut steps, mut after) = (Vec::new(), None);
    loop {
        let begun = Instant::now();
        let mut registered = 0;
        after = store.walk(Option::as_deref(&after), 128, &mut |seen| {
            registered += seen.devices.len();
        });
        steps.push(begun.elapsed());
        if after.is_none() {
            break;
        }
    }
    steps.sort_unstable();
    let all: Duration = steps.iter().sum();
    let (median, longest) = (steps[steps.len() / 2], steps[steps.len() - 1]);
    println!(
        "a walk over all, 128 names at a time: {all:.1?}; a step: median {median:.1?}, longest \
         {longest:.1?}"
    );
    Ok(())
}

async fn ask(
    desk: &Desk<MemoryStore>,
    sort: Sort,
    called: &str,
    every: Duration,
    times: u32,
) -> Result<(), Box<dyn Error>> {
    let mut took = Vec::new();
    for time in 0..times {
        let query = Query {
            // What one types first is what most names have in them.
            text: "n".to_owned(),
            sort,
            offset: 50_000 + usize::try_from(time)?,
            ..Query::default()
        };
        let asked = Instant::now();
        let users = desk.users(query).await?;
        took.push(asked.elapsed());
        assert_eq!(users.matching, users.owned);
        tokio::time::sleep(every.saturating_sub(asked.elapsed())).await;
    }
    took.sort_unstable();
    let (median, longest) = (took[took.len() / 2], took[took.len() - 1]);
    println!("100 users from the middle by {called}: median {median:.1?}, longest {longest:.1?}");
    Ok(())
}
