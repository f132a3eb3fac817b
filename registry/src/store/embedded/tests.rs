//! The store in a file: conformance, restarts, and a disk that fails.

use std::{
    cell::RefCell,
    fs::Permissions,
    os::unix::fs::PermissionsExt,
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
        mpsc::Receiver,
    },
    time::{Duration, Instant},
};

use redb::{StorageBackend, backends::InMemoryBackend};
use tempfile::TempDir;

use super::*;
use crate::{
    event::{Event, Mended, Warning},
    ownership::Banned,
    store::{
        Store,
        conformance::{self, after, card, claim, name},
    },
    table::Change,
};

/// A folder that is gone when this is dropped.
pub(super) fn private_place() -> TempDir {
    let mode = Permissions::from_mode(0o700);
    tempfile::Builder::new()
        .permissions(mode)
        .tempdir()
        .unwrap()
}

fn begin() -> Moment {
    after(Instant::now(), Duration::ZERO)
}

fn open(folder: &Path, limits: &Limits, claims: Claims) -> EmbeddedStore {
    let (events, _) = Events::channel();
    EmbeddedStore::open(folder, limits, claims, events, begin()).unwrap()
}

#[tokio::test]
async fn a_file_conforms() {
    let folders = RefCell::new(Vec::new());
    conformance::run(|limits, claims| {
        let folder = private_place();
        let store = open(folder.path(), limits, claims);
        folders.borrow_mut().push(folder);
        store
    })
    .await;
}

#[tokio::test]
async fn a_file_conforms_over_restarts() {
    conformance::restart::run(|| {
        let folder = private_place();
        async move |at| {
            let (events, _) = Events::channel();
            let limits = Limits::default();
            EmbeddedStore::open(folder.path(), &limits, Claims::Open, events, at).unwrap()
        }
    })
    .await;
}

#[tokio::test]
async fn what_was_acknowledged_is_in_the_file_while_the_store_is_open() {
    let (folder, copy) = (private_place(), private_place());
    let store = open(folder.path(), &Limits::default(), Claims::Open);
    for seed in 1..=20 {
        let registration = claim(&format!("n{seed}"), seed, 1);
        store.register(registration, begin()).await.unwrap();
        // As if the machine stopped right here.
        std::fs::copy(folder.path().join(FILE), copy.path().join(FILE)).unwrap();
        let crashed = open(copy.path(), &Limits::default(), Claims::Open);
        assert_eq!(crashed.owners("", 100).1, usize::from(seed));
    }
}

#[tokio::test]
async fn locations_are_in_the_file_within_about_a_second() {
    let (folder, copy) = (private_place(), private_place());
    let store = open(folder.path(), &Limits::default(), Claims::Open);
    store.register(claim("bob", 1, 1), begin()).await.unwrap();
    let deadline = Instant::now() + 10 * writer::FLUSH_EVERY;
    loop {
        std::fs::copy(folder.path().join(FILE), copy.path().join(FILE)).unwrap();
        let crashed = open(copy.path(), &Limits::default(), Claims::Open);
        if crashed.lookup(&name("bob"), Instant::now()).await.is_ok() {
            return;
        }
        assert!(Instant::now() < deadline, "no location was written");
        thread::yield_now();
    }
}

/// A disk in memory that can be full.
#[derive(Debug, Clone, Default)]
struct Disk(Arc<DiskState>);

#[derive(Debug, Default)]
struct DiskState {
    bytes: InMemoryBackend,
    full: AtomicBool,
    syncs: AtomicUsize,
}

impl Disk {
    fn check(&self) -> io::Result<()> {
        if self.0.full.load(Relaxed) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn database(&self) -> Result<Database, file::FileError> {
        Ok(Database::builder().create_with_backend(self.clone())?)
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.0.bytes.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.bytes.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.check()?;
        self.0.bytes.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.check()?;
        self.0.syncs.fetch_add(1, Relaxed);
        self.0.bytes.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.check()?;
        self.0.bytes.write(offset, data)
    }
}

/// A store on a disk of its own, and what it tells.
fn on(disk: &Disk) -> (EmbeddedStore, Receiver<Event>) {
    let (events, told) = Events::channel();
    let database = disk.database().unwrap();
    file::initialise(&database).unwrap();
    let reopen = Box::new({
        let disk = disk.clone();
        move || disk.database()
    });
    let names = Names::new(&Limits::default(), Claims::Open);
    let kept = Kept::default();
    let store = EmbeddedStore::begin(names, kept, begin(), events, database, reopen);
    (store.unwrap(), told)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claims_that_come_together_are_written_together() {
    let disk = Disk::default();
    let (store, _told) = on(&disk);
    let store = Arc::new(store);
    let before = disk.0.syncs.load(Relaxed);
    let mut claims = tokio::task::JoinSet::new();
    for seed in 1..=200 {
        let store = Arc::clone(&store);
        let registration = claim(&format!("n{seed}"), seed, 1);
        claims.spawn(async move { store.register(registration, begin()).await });
    }
    for result in claims.join_all().await {
        assert_eq!(result, Ok(Change::Added));
    }
    let syncs = disk.0.syncs.load(Relaxed) - before;
    assert!(syncs < 150, "{syncs} times written for 200 claims");
}

#[tokio::test]
async fn a_full_disk_refuses_claims_serves_the_rest_and_says_so_once() {
    let disk = Disk::default();
    let (store, told) = on(&disk);
    store.register(claim("bob", 1, 1), begin()).await.unwrap();
    disk.0.full.store(true, Relaxed);
    for cseq in [1, 2] {
        let refused = store.register(claim("carol", 2, cseq), begin()).await;
        assert_eq!(refused, Err(Refusal::Failed));
    }
    assert!(store.is_failing());
    // What cannot be kept is not done in memory either, but for what was on its way.
    let refused = store.register(claim("dave", 3, 1), begin()).await;
    assert_eq!((refused, store.owners("", 10).1), (Err(Refusal::Failed), 2));
    let released = store.release(name("bob"), card(1).identity, begin()).await;
    assert_eq!(released, Err(Refusal::Failed));
    let ban = Banned::Identity(card(9).identity);
    assert_eq!(store.ban(ban, begin()).await, Err(Refusal::Failed));
    // Who needs nothing written is served.
    store.register(claim("bob", 1, 2), begin()).await.unwrap();
    assert!(store.lookup(&name("bob"), Instant::now()).await.is_ok());
    let warnings: Vec<_> = told.try_iter().collect();
    assert!(
        matches!(&warnings[..], [Event::Warning(Warning::NotKept(_))]),
        "{warnings:?}"
    );
    // It stops all the same, and says what is lost.
    drop(store);
    assert_eq!(told.recv(), Ok(Event::Warning(Warning::NamesLost)));
}

#[tokio::test]
async fn a_disk_that_works_again_has_everything_that_was_asked_for() {
    let disk = Disk::default();
    let (store, told) = on(&disk);
    store.register(claim("bob", 1, 1), begin()).await.unwrap();
    disk.0.full.store(true, Relaxed);
    let refused = store.register(claim("carol", 2, 1), begin()).await;
    assert_eq!(refused, Err(Refusal::Failed));
    disk.0.full.store(false, Relaxed);
    let again = told
        .iter()
        .find(|event| matches!(event, Event::Mended(Mended::Disk)));
    assert!(again.is_some());
    store.register(claim("carol", 2, 2), begin()).await.unwrap();
    drop(store);
    let kept = file::read_all(&disk.database().unwrap()).unwrap();
    assert_eq!(kept.facts.len(), 2);
}
