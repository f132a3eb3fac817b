//! A store that keeps everything in one file, with nothing to install.
//!
//! Everything is in memory as well, so nothing is ever read from the file but at the start. A
//! change is made in memory at once, and queued; one thread writes all that waits in one
//! transaction, and only then is anybody told (group commit). Where names can be reached is soft:
//! it is written about once a second, and never waited for.

use std::{
    collections::HashMap,
    fmt,
    fs::File,
    io,
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
};

use codec::{Name, registry::Refusal};
use redb::Database;
use tokio::sync::watch;

use super::names::{KeepsNames, Names};
use crate::{
    event::Events,
    limits::Limits,
    ownership::{Claims, Owner, Write},
    store::Moment,
};

mod file;
mod record;
#[cfg(test)]
mod tests;
mod writer;

use file::Kept;
pub use file::{FILE, OpenError};
use writer::{Reopen, Writer};

/// The most changes that wait to be written; beyond, those that may be lost are. What may not be
/// lost is not more than this: each connection waits for one change at a time, and while the disk
/// fails there are no new ones.
const QUEUE_MAX: usize = 100_000;

/// Names in a file.
pub struct EmbeddedStore {
    shared: Arc<Shared>,
    writer: Option<JoinHandle<()>>,
    /// Held so that nobody else uses the folder meanwhile.
    lock: Option<File>,
}

impl fmt::Debug for EmbeddedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmbeddedStore")
    }
}

struct Shared {
    inner: Mutex<Inner>,
    /// Tells the writer that there is something to do.
    wake: Condvar,
    written: watch::Sender<Written>,
    events: Events,
}

struct Inner {
    names: Names,
    /// What the file does not know yet, in order.
    queue: Vec<Write>,
    /// Changes that somebody waits for, counted.
    asked: u64,
    /// By folded name, the last change of it that is not written yet; no more than are queued.
    waiting: HashMap<String, u64>,
    /// Somebody waits.
    hurries: bool,
    stops: bool,
}

impl Inner {
    fn enqueue(&mut self, writes: Vec<Write>) {
        let room = self.queue.len() < QUEUE_MAX;
        let kept = writes.into_iter().filter(|it| room || it.is_durable());
        self.queue.extend(kept);
    }
}

/// How far the writer is.
#[derive(Debug, Clone, Copy, Default)]
struct Written {
    /// Changes up to here are on disk.
    upto: u64,
    /// The disk fails.
    failed: bool,
}

impl Shared {
    /// The lock is held for one operation, never across an await or a write. The names stay whole
    /// whatever panics around them, so a poisoned lock is taken all the same.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EmbeddedStore {
    /// Opens the store in `folder`, which is made if it is not there, and takes back what it knew
    /// at `at`. What goes wrong later is told to `events`.
    ///
    /// # Errors
    /// [`OpenError`] says what to do.
    pub fn open(
        folder: &Path,
        limits: &Limits,
        claims: Claims,
        events: Events,
        at: Moment,
    ) -> Result<Self, OpenError> {
        let lock = file::lock(folder)?;
        let (database, kept) = file::open(folder)?;
        let path = folder.join(FILE);
        let reopen = Box::new({
            let path = path.clone();
            move || file::reopen(&path)
        });
        let names = Names::new(limits, claims);
        let store = Self::begin(names, kept, at, events, database, reopen);
        let mut store = store.map_err(|error| OpenError::Failed(path, error))?;
        store.lock = Some(lock);
        Ok(store)
    }

    fn begin(
        mut names: Names,
        kept: Kept,
        at: Moment,
        events: Events,
        database: Database,
        reopen: Reopen,
    ) -> io::Result<Self> {
        for fact in kept.facts {
            names.ownership.restore(fact);
        }
        for location in kept.locations {
            // It may be older than what is known of its owner.
            let (name, identity) = (&location.name, &location.card.identity);
            let owned = names.ownership.check_owner(name, identity, at.time);
            if owned.is_ok() {
                names.table.restore(location, at.now);
            }
        }
        names.table.track();
        let inner = Inner {
            names,
            queue: Vec::new(),
            asked: 0,
            waiting: HashMap::new(),
            hurries: false,
            stops: false,
        };
        let shared = Arc::new(Shared {
            inner: Mutex::new(inner),
            wake: Condvar::new(),
            written: watch::Sender::default(),
            events,
        });
        let writer = Writer {
            shared: Arc::clone(&shared),
            reopen,
        };
        let writer = thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || writer.run(database))?;
        Ok(Self {
            shared,
            writer: Some(writer),
            lock: None,
        })
    }

    /// Whether the disk fails: nothing that would have to be kept is done until it works again.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.shared.written.borrow().failed
    }

    fn act<T>(
        &self,
        name: Option<&Name>,
        act: impl FnOnce(&mut Names) -> Result<T, Refusal>,
    ) -> (Result<T, Refusal>, Option<u64>) {
        let mut guard = self.shared.inner();
        let inner = &mut *guard;
        let result = act(&mut inner.names);
        let writes = inner.names.take_writes();
        let waits = writes.iter().any(Write::is_durable);
        if waits {
            inner.asked += 1;
            inner.hurries = true;
            self.shared.wake.notify_one();
            for write in &writes {
                if let Write::Owner(Owner { name, .. }) | Write::Taken(name) = write {
                    inner.waiting.insert(name.folded().to_owned(), inner.asked);
                }
            }
        }
        inner.enqueue(writes);
        let of_name = name.and_then(|name| inner.waiting.get(name.folded()));
        let settled_at = of_name.copied().max(waits.then_some(inner.asked));
        (result, settled_at)
    }

    async fn reaches(&self, asked: u64) -> Result<(), Refusal> {
        let mut written = self.shared.written.subscribe();
        let reached = written.wait_for(|it| it.upto >= asked || it.failed).await;
        match reached {
            Ok(written) if written.upto >= asked => Ok(()),
            _ => Err(Refusal::Failed),
        }
    }
}

impl KeepsNames for EmbeddedStore {
    fn names<T>(&self, act: impl FnOnce(&mut Names) -> T) -> T {
        let mut guard = self.shared.inner();
        let inner = &mut *guard;
        let done = act(&mut inner.names);
        let writes = inner.names.take_writes();
        inner.enqueue(writes);
        done
    }

    /// Answers when it is on disk: what it did itself, and what was done to that name before and
    /// is not written yet.
    async fn settled<T: Send>(
        &self,
        name: Option<&Name>,
        act: impl FnOnce(&mut Names) -> Result<T, Refusal> + Send,
    ) -> Result<T, Refusal> {
        let (result, settled_at) = self.act(name, act);
        if let Some(settled_at) = settled_at {
            self.reaches(settled_at).await?;
        }
        result
    }
}

impl Drop for EmbeddedStore {
    /// Writes what is not written, and waits for it.
    fn drop(&mut self) {
        self.shared.inner().stops = true;
        self.shared.wake.notify_one();
        if let Some(writer) = self.writer.take() {
            // It has said itself if it failed.
            let _ = writer.join();
        }
        drop(self.lock.take());
    }
}
