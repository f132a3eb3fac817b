//! Serves: opens the registry, writes its log, and closes it when the operator says so.

use std::io::{self, IsTerminal};

use registry::{
    event::{Event, Events},
    operate::Operation,
    server::DRAIN,
};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{
    journal::Journal,
    options::{Options, TableOption},
};

/// Serves until a signal stops it.
///
/// # Errors
/// Why it cannot begin, and what to do.
pub async fn run(options: &Options) -> Result<(), String> {
    let setup = options.setup()?;
    let (events, queue) = Events::channel();
    // Before anybody hears that it listens, and stops it at once.
    let mut signals =
        Signals::new().map_err(|error| format!("cannot wait for signals: {error}"))?;
    let operation = Operation::open(setup, events.clone()).await;
    let operation = operation.map_err(|error| error.to_string())?;
    let print_table = match options.table {
        TableOption::Auto => io::stdout().is_terminal(),
        TableOption::Always => true,
        TableOption::Never => false,
    };
    let desk = operation.desk();
    let count = || {
        if let Ok(counters) = desk.counters() {
            events.tell(Event::Counters(counters));
        }
    };
    let rows = {
        let desk = desk.clone();
        move |limit, now| desk.rows(limit, now).unwrap_or_default()
    };
    let table = print_table.then_some(rows);
    let journal = Journal::start(queue, events.dropped(), options.log, table)
        .map_err(|error| format!("cannot start the log: {error}"))?;
    signals.wait(count).await;
    count();
    operation.close(DRAIN).await;
    drop(events);
    journal.finish();
    Ok(())
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
