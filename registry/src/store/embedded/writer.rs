//! The thread that writes: all that waits goes into one transaction.
//!
//! A commit costs one wait for the disk, however much is in it. While one is written, the next one
//! fills.

use std::{
    mem::take,
    sync::{Arc, PoisonError},
    thread,
    time::{Duration, Instant},
};

use redb::Database;

use super::{
    Shared, Written,
    file::{self, FileError},
};
use crate::{
    event::{Event, Mended, Warning},
    ownership::Write,
    table::Location,
};

/// How often locations that have changed are written.
pub(super) const FLUSH_EVERY: Duration = Duration::from_secs(1);

/// How long to wait before a disk that failed is tried again.
const AGAIN_AFTER: Duration = Duration::from_secs(5);

/// The most locations in one transaction, so that claims do not wait long for them.
const LOCATIONS_MAX: usize = 4096;

/// Opens the file again after it failed.
pub(super) type Reopen = Box<dyn Fn() -> Result<Database, FileError> + Send>;

/// What one transaction writes.
#[derive(Debug, Default)]
struct Batch {
    facts: Vec<Write>,
    locations: Vec<(String, Option<Location>)>,
    /// Everything up to here is written when this is.
    upto: u64,
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.facts.is_empty() && self.locations.is_empty()
    }
}

pub(super) struct Writer {
    pub(super) shared: Arc<Shared>,
    pub(super) reopen: Reopen,
}

impl Drop for Writer {
    /// Should this thread panic, nobody is left waiting for it.
    fn drop(&mut self) {
        if thread::panicking() {
            self.shared.written.send_modify(|it| it.failed = true);
            self.warn(Warning::StoreFailed);
        }
    }
}

impl Writer {
    /// Writes until it is told to stop and everything is written, or cannot be.
    pub(super) fn run(self, database: Database) {
        let mut database = Some(database);
        let mut flushed = Instant::now();
        loop {
            let (mut batch, stops) = self.next(flushed);
            let flushes = stops || flushed.elapsed() >= FLUSH_EVERY;
            if flushes {
                batch.locations = self.changed_locations();
                flushed = Instant::now();
            }
            let more = batch.locations.len() == LOCATIONS_MAX;
            if !batch.is_empty() && !self.write(&batch, &mut database) {
                return;
            }
            if stops && !more {
                return;
            }
        }
    }

    /// What is to be written next, and whether it is the last. Waits for something that somebody
    /// waits for, or until it is time for what nobody waits for.
    fn next(&self, flushed: Instant) -> (Batch, bool) {
        let until = flushed + FLUSH_EVERY;
        let mut inner = self.shared.inner();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if inner.stops || inner.hurries || left.is_zero() {
                inner.hurries = false;
                let batch = Batch {
                    facts: take(&mut inner.queue),
                    locations: Vec::new(),
                    upto: inner.asked,
                };
                return (batch, inner.stops);
            }
            let waited = self.shared.wake.wait_timeout(inner, left);
            inner = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn changed_locations(&self) -> Vec<(String, Option<Location>)> {
        self.shared.inner().names.table.take_changed(LOCATIONS_MAX)
    }

    /// Writes a batch, as often as it takes; whether it is written in the end.
    ///
    /// While the disk fails, nobody waits: who waited is told that it failed. When it is written
    /// after all, memory and disk say the same again.
    fn write(&self, batch: &Batch, database: &mut Option<Database>) -> bool {
        let mut failed = false;
        loop {
            let written = match database {
                Some(database) => file::write_all(database, &batch.facts, &batch.locations),
                None => (self.reopen)().and_then(|reopened| {
                    let reopened = database.insert(reopened);
                    file::write_all(reopened, &batch.facts, &batch.locations)
                }),
            };
            match written {
                Ok(()) => {
                    self.acknowledge(batch.upto);
                    if failed {
                        self.shared.events.tell(Event::Mended(Mended::Disk));
                    }
                    return true;
                }
                Err(error) => {
                    // What has failed once writes nothing more; it has to be opened anew.
                    *database = None;
                    if !failed {
                        self.warn(Warning::NotKept(error.to_string()));
                    }
                    failed = true;
                }
            }
            self.shared.inner().names.freeze(true);
            self.shared.written.send_modify(|it| it.failed = true);
            if self.stopped_within(AGAIN_AFTER) {
                self.warn(Warning::NamesLost);
                return false;
            }
        }
    }

    fn acknowledge(&self, upto: u64) {
        let mut inner = self.shared.inner();
        inner.waiting.retain(|_, asked| *asked > upto);
        inner.names.freeze(false);
        drop(inner);
        let failed = false;
        self.shared.written.send_replace(Written { upto, failed });
    }

    fn warn(&self, warning: Warning) {
        self.shared.events.tell(Event::Warning(warning));
    }

    fn stopped_within(&self, wait: Duration) -> bool {
        let until = Instant::now() + wait;
        let mut inner = self.shared.inner();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if inner.stops || left.is_zero() {
                return inner.stops;
            }
            let waited = self.shared.wake.wait_timeout(inner, left);
            inner = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
