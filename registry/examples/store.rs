//! Measures the store in a file by itself: claims, what they take, and how it opens again.
//!
//! `cargo run --release -p registry --example store`, with `-- --folder DIR` on the disk of DIR.
//!
//! Each claim waits until it is on disk, as a connection does. At the end the file is opened as it
//! was while the store was open, which is what a registry finds after `kill -9`, and as it was
//! left. Linux only: memory by `/proc`.

#![allow(clippy::print_stdout)]

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use clap::Parser;
use registry::{
    event::Events,
    limits::Limits,
    store::{Claims, EmbeddedStore, Moment, Store, embedded::FILE},
};
use tokio::task::JoinSet;

use self::claim::claim;

#[path = "rig/claim.rs"]
mod claim;

/// Measures the store in a file
#[derive(Debug, Parser)]
struct Options {
    /// Names to claim
    #[arg(long, default_value_t = 100_000)]
    names: u32,
    /// Connections, each with one claim on its way
    #[arg(long, default_value_t = 1000)]
    connections: u32,
    /// Where to keep it meanwhile [default: the folder for what is temporary]
    #[arg(long)]
    folder: Option<PathBuf>,
}

type Outcome<T> = Result<T, Box<dyn Error>>;

fn open(folder: &Path) -> Outcome<EmbeddedStore> {
    let (events, _) = Events::channel();
    let limits = Limits::default();
    let store = EmbeddedStore::open(folder, &limits, Claims::Open, events, Moment::now());
    Ok(store?)
}

fn memory() -> Outcome<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.ok_or("no VmRSS")?.parse()?)
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let options = Options::parse();
    let parent = options.folder.clone().unwrap_or_else(std::env::temp_dir);
    let folder = parent.join(format!("ramal-store-{}", std::process::id()));
    let (kept, killed) = (folder.join("kept"), folder.join("killed"));
    let measured = measure(&options, &kept, &killed).await;
    fs::remove_dir_all(&folder)?;
    measured
}

async fn measure(options: &Options, kept: &Path, killed: &Path) -> Outcome<()> {
    let store = Arc::new(open(kept)?);
    let claims: Vec<_> = (0..options.names).map(claim).collect::<Result<_, _>>()?;
    let before = memory()?;
    let mut shares: Vec<Vec<_>> = (0..options.connections).map(|_| Vec::new()).collect();
    let all = shares.len();
    for (number, claim) in claims.into_iter().enumerate() {
        shares[number % all].push(claim);
    }
    let started = Instant::now();
    let mut connections = JoinSet::new();
    for share in shares {
        let store = Arc::clone(&store);
        connections.spawn(async move {
            let mut took = Vec::with_capacity(share.len());
            for claim in share {
                let asked = Instant::now();
                store.register(claim, Moment::now()).await?;
                took.push(asked.elapsed());
            }
            Ok::<_, codec::registry::Refusal>(took)
        });
    }
    let mut took = Vec::new();
    while let Some(ended) = connections.join_next().await {
        took.extend(ended??);
    }
    let passed = started.elapsed().as_secs_f64();
    took.sort_unstable();
    println!(
        "{} claims on {} connections in {passed:.2} s: {:.0} a second, median {:.1?}, 99 % within \
         {:.1?}; {} KiB of memory more",
        took.len(),
        options.connections,
        took.len() as f64 / passed,
        took[took.len() / 2],
        took[took.len() * 99 / 100],
        memory()?.saturating_sub(before)
    );
    drop(open(killed)?);
    fs::copy(kept.join(FILE), killed.join(FILE))?;
    drop(store);
    println!(
        "the file has {} KiB",
        fs::metadata(kept.join(FILE))?.len() / 1024
    );
    for (folder, how) in [(killed, "was killed"), (kept, "was stopped")] {
        let started = Instant::now();
        let store = open(folder)?;
        let (_, owned) = store.owners("", 0);
        let (_, located) = store.rows(0, Instant::now());
        println!(
            "opened again after it {how} in {:.0?}: {owned} owned, {located} with a location",
            started.elapsed()
        );
    }
    Ok(())
}
