//! Writes the log and the table of registered users, on a thread of its own, so that a slow
//! terminal never slows the registry.

use std::{
    io::{self, IsTerminal, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use clap::ValueEnum;
use registry::{event::Event, table::Row};
use tracing::{Level, info, subscriber::with_default, warn};
use tracing_subscriber::fmt;

/// The table is printed at most so often.
const TABLE_EVERY: Duration = Duration::from_secs(1);

/// So many rows of it are printed, and a count of the rest.
const TABLE_ROWS_MAX: usize = 50;

/// How to write the log.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// How long the last lines may take to be written.
const FINISH_WITHIN: Duration = Duration::from_secs(1);

/// The thread that writes. `ended` is disconnected when it has written everything.
pub struct Journal {
    ended: Receiver<()>,
}

impl Journal {
    /// Starts to write `events` until all their senders are gone. `table` reads the first rows of
    /// the table and how many names there are; without it no table is printed.
    pub fn start<F>(
        events: Receiver<Event>,
        dropped: Arc<AtomicU64>,
        format: Format,
        table: Option<F>,
    ) -> io::Result<Self>
    where
        F: Fn(usize, Instant) -> (Vec<Row>, usize) + Send + 'static,
    {
        let (running, ended) = sync_channel(1);
        let write = move || {
            let _running: SyncSender<()> = running;
            let subscriber = fmt().with_max_level(Level::INFO).with_target(false);
            let colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            let subscriber = subscriber.with_writer(io::stderr).with_ansi(colours);
            let run = || run(&events, &dropped, table);
            match format {
                Format::Text => with_default(subscriber.finish(), run),
                Format::Json => with_default(subscriber.json().flatten_event(true).finish(), run),
            }
        };
        thread::Builder::new()
            .name("journal".to_owned())
            .spawn(write)?;
        Ok(Self { ended })
    }

    /// Waits until everything is written, but not for a reader that does not read.
    pub fn finish(self) {
        let _ = self.ended.recv_timeout(FINISH_WITHIN);
    }
}

fn run<F>(events: &Receiver<Event>, dropped: &AtomicU64, mut table: Option<F>)
where
    F: Fn(usize, Instant) -> (Vec<Row>, usize),
{
    let mut lost = 0;
    let mut print_at: Option<Instant> = None;
    let mut printed: Option<Instant> = None;
    loop {
        let now = Instant::now();
        if let Some(at) = print_at
            && at <= now
            && let Some(rows) = &table
        {
            let (rows, names) = rows(TABLE_ROWS_MAX, now);
            print_at = None;
            printed = Some(now);
            if print(&rows, names).is_err() {
                table = None;
                warn!("the table is printed no longer: standard output is closed");
            }
        }
        let wait = print_at.map_or(TABLE_EVERY, |at| at.saturating_duration_since(now));
        match events.recv_timeout(wait) {
            Ok(event) => {
                if matches!(event, Event::Added { .. }) && table.is_some() && print_at.is_none() {
                    print_at = Some(printed.map_or(now, |last| last + TABLE_EVERY));
                }
                log(&event);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let total = dropped.load(Relaxed);
        if total > lost {
            warn!(
                messages = total - lost,
                "the log is too slow, messages are missing here"
            );
            lost = total;
        }
    }
}

fn log(event: &Event) {
    match event {
        Event::Key { fingerprint } => info!(fingerprint, "the registry's key"),
        Event::Listening { addr } => info!(%addr, "listening"),
        Event::Connected { peer } => info!(%peer, "connected"),
        Event::Disconnected { peer, why } => info!(%peer, why, "disconnected"),
        Event::Received { peer, message } => info!(%peer, text = %message, "received"),
        Event::Sent { peer, message } => info!(%peer, text = %message, "sent"),
        Event::Added { name } => info!(%name, "added"),
        Event::Removed {
            name,
            expired: true,
        } => info!(%name, "removed: the lease ended"),
        Event::Removed {
            name,
            expired: false,
        } => info!(%name, "removed"),
        Event::Counters(counters) => info!(%counters, "counted"),
        Event::Operator(text) => info!("operator: {text}"),
        Event::Notice(text) => info!("{text}"),
        Event::Warning(warning) => warn!("{warning}"),
        Event::Mended(mended) => info!("{mended}"),
        other => info!("{other:?}"),
    }
}

fn print(rows: &[Row], names: usize) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "\n{:<32}  {:<40}  {:>9}  {:>9}",
        "name", "ip:port", "since", "lease"
    )?;
    for row in rows {
        let since = seconds(row.since);
        let lease = seconds(row.lease_left);
        let mut contacts = row.contacts.iter();
        let first = contacts
            .next()
            .map_or_else(|| "-".to_owned(), ToString::to_string);
        writeln!(out, "{:<32}  {first:<40}  {since:>9}  {lease:>9}", row.name)?;
        for contact in contacts {
            writeln!(out, "{:<32}  {contact}", "")?;
        }
    }
    if rows.len() == TABLE_ROWS_MAX {
        writeln!(out, "...")?;
    }
    writeln!(out, "{names} registered\n")?;
    out.flush()
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs())
}
