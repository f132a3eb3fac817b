//! What stays when the phone ends: the keys of the week, the people whom this person knows, and the
//! calls that are over.
//!
//! One task looks every second whether a new week has begun, and whether somebody else has changed
//! the file of contacts, and writes what the phone wants saved; calls at most every 5 s, and at the
//! end. Files are read and written on a
//! thread beside it: a disk that is slow keeps nobody waiting.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::{mpsc, watch},
    task::{JoinSet, spawn_blocking},
    time::{MissedTickBehavior, interval},
};

use super::{
    Driver, Event, News, unix_now,
    warning::{self, Warning},
};
use crate::{
    contacts::Change,
    history::History,
    phone::Input,
    settings::{CallsFile, ContactsFile, Disk, ProfileError, Stamp},
};

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How often calls are written at most: the whole list each time, however often somebody calls.
const CALLS_EVERY: Duration = Duration::from_secs(5);

/// How many changes may wait to be written; a call makes two at most.
const CHANGES_MAX: usize = 64;

/// The disk, and what was last seen on it.
struct Keeper {
    disk: Disk,
    contacts: ContactsFile,
    seen: Option<Stamp>,
    /// Where the calls that are over are kept, if they are.
    calls: Option<Calls>,
    /// What goes wrong, each of which is said once.
    troubles: Vec<Warning>,
}

/// The calls that are over, and what of them is on the disk.
struct Calls {
    file: CallsFile,
    newest: watch::Receiver<Arc<History>>,
    written: Arc<History>,
    /// When it was tried to write them last, and what went wrong then.
    tried: Option<Instant>,
    trouble: Option<Warning>,
}

/// The calls that the disk holds at the start.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) history: History,
    /// Where they are kept from now on; nowhere if what is there is not to be touched.
    file: Option<CallsFile>,
    /// What a person should know of it.
    pub(super) trouble: Option<Warning>,
}

/// Reads the calls that are over. A damaged file is set aside, and the phone begins a new one; one
/// that is newer than this program, or cannot be read for other reasons, is left alone.
pub(super) fn calls(disk: &Disk) -> Kept {
    let file = disk.calls();
    let (history, trouble) = match file.read() {
        Ok(history) => (history, None),
        Err(ProfileError::CallsDamaged(from)) => match file.set_aside() {
            Ok(to) => (
                History::default(),
                Some(Warning::CallsSetAside { from, to }),
            ),
            Err(refused) => return Kept::nowhere(refused),
        },
        Err(error) => return Kept::nowhere(error),
    };
    let file = Some(file);
    Kept {
        history,
        file,
        trouble,
    }
}

impl Kept {
    fn nowhere(error: ProfileError) -> Self {
        Self {
            history: History::default(),
            file: None,
            trouble: Some(not_kept(warning::Kept::Calls, error)),
        }
    }
}

/// Starts the task, and returns where to send what is to be saved. The calls that are over are
/// taken from `newest`.
pub(super) fn start(
    disk: Disk,
    kept: Kept,
    newest: watch::Receiver<Arc<History>>,
    tasks: &mut JoinSet<()>,
    news: mpsc::Sender<News>,
) -> mpsc::Sender<Change> {
    let (saves, changes) = mpsc::channel(CHANGES_MAX);
    let calls = kept.file.map(|file| {
        let written = Arc::clone(&newest.borrow());
        Calls {
            file,
            newest,
            written,
            tried: None,
            trouble: None,
        }
    });
    tasks.spawn(keep(disk, calls, changes, news));
    saves
}

fn not_kept(what: warning::Kept, error: ProfileError) -> Warning {
    Warning::NotKept(what, Arc::new(error))
}

impl Driver {
    /// Has a change of contacts written; the phone reckons with it already.
    pub(super) fn save(&mut self, change: Change) {
        let refused = |saves: &mpsc::Sender<_>| saves.try_send(change).is_err();
        if self.saves.as_ref().is_some_and(refused) {
            self.tell(Event::Warning(Warning::ContactDropped));
        }
    }
}

/// Keeps what is to stay until there is nobody left who saves anything.
async fn keep(
    disk: Disk,
    calls: Option<Calls>,
    mut changes: mpsc::Receiver<Change>,
    news: mpsc::Sender<News>,
) {
    let contacts = disk.contacts();
    let mut keeper = Keeper {
        // The phone was told at its start what it held then; a change since is seen now.
        seen: disk.contacts_seen(),
        contacts,
        calls,
        disk,
        troubles: Vec::new(),
    };
    let mut looks = interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told = Vec::with_capacity(CHANGES_MAX);
    loop {
        let mut ends = false;
        tokio::select! {
            _ = looks.tick() => {}
            count = changes.recv_many(&mut told, CHANGES_MAX) => ends = count == 0,
        }
        let made = std::mem::take(&mut told);
        let work = move || {
            let found = keeper.look(&made, ends);
            (keeper, found)
        };
        // Should it fail, it says so as every task of the phone does.
        let (back, found) = spawn_blocking(work).await.expect("a look that ends");
        keeper = back;
        for one in found {
            // A driver that hears nothing any more is about to end this task.
            let _ = news.send(one).await;
        }
        if ends {
            return;
        }
    }
}

impl Keeper {
    /// Writes what is to be written, all of it if the phone `ends`, and tells what is new.
    fn look(&mut self, changes: &[Change], ends: bool) -> Vec<News> {
        let mut found = Vec::new();
        let mut troubles = Vec::new();
        match self.disk.new_keys(unix_now()) {
            Ok(Some(keys)) => found.push(News::Phone(Input::Keys(keys))),
            Ok(None) => {}
            Err(error) => troubles.push(not_kept(warning::Kept::Keys, error)),
        }
        match self.people(changes) {
            Ok(Some(people)) => found.push(News::Phone(people)),
            Ok(None) => {}
            Err(error) => troubles.push(not_kept(warning::Kept::Contacts, error)),
        }
        if let Some(calls) = &mut self.calls {
            calls.write(Instant::now(), ends);
            troubles.extend(calls.trouble.clone());
        }
        let is_new = |one: &&Warning| !self.troubles.contains(one);
        found.extend(troubles.iter().filter(is_new).cloned().map(News::Trouble));
        self.troubles = troubles;
        found
    }

    /// The people as the file has them, after a change or when somebody else has changed it.
    fn people(&mut self, changes: &[Change]) -> Result<Option<Input>, ProfileError> {
        let stamp = self.contacts.stamp();
        let book = match changes {
            [] if stamp == self.seen => return Ok(None),
            [] => {
                self.seen = stamp;
                self.contacts.read()?
            }
            changes => {
                let (book, _) = self.contacts.change(changes)?;
                // Should it be changed in between, it is read once more.
                self.seen = None;
                book
            }
        };
        Ok(Some(Input::People(book)))
    }
}

impl Calls {
    /// Writes the calls that are over, if there are others than those that are written and it is
    /// time.
    fn write(&mut self, now: Instant, ends: bool) {
        let newest = Arc::clone(&self.newest.borrow());
        let early = self.tried.is_some_and(|tried| now < tried + CALLS_EVERY);
        // Who has them forgotten does not want to wait for it.
        let waits = early && !ends && !newest.entries.is_empty();
        if Arc::ptr_eq(&newest, &self.written) || waits {
            return;
        }
        self.tried = Some(now);
        let failed = self.file.write(&newest).err();
        if failed.is_none() {
            self.written = newest;
        }
        self.trouble = failed.map(|error| not_kept(warning::Kept::Calls, error));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use codec::IdentityKey;

    use super::*;
    use crate::{
        call::{Direction, Reason},
        contacts::{Book, Contact, Standing},
        history::Past,
        settings::Profile,
    };

    fn pin(name: &str) -> Change {
        Change::Pin(Contact {
            registry: None,
            name: name.parse().unwrap(),
            identity: IdentityKey([1; 32]),
            verified: false,
            blocked: false,
            changed: false,
            since: 1,
        })
    }

    /// The one book among what was found.
    fn people(found: Vec<News>) -> Book {
        match found.into_iter().next() {
            Some(News::Phone(Input::People(book))) => book,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_saved_and_what_others_change_is_told_once_and_trouble_is_said_once() {
        let config = tempfile::tempdir().unwrap();
        let bob = "bob".parse().unwrap();
        let disk = Profile::open(config.path(), bob, unix_now()).unwrap().disk;
        let contacts = disk.contacts();
        let mut keeper = Keeper {
            seen: disk.contacts_seen(),
            contacts: contacts.clone(),
            calls: None,
            disk,
            troubles: Vec::new(),
        };
        assert!(keeper.look(&[], false).is_empty());
        assert_eq!(people(keeper.look(&[pin("alice")], false)).len(), 1);
        assert_eq!(people(keeper.look(&[], false)).len(), 1);
        assert!(keeper.look(&[], false).is_empty());
        // Somebody else, such as `ramal-phone contacts`, and then both.
        contacts.change(&[pin("eve")]).unwrap();
        assert_eq!(people(keeper.look(&[], false)).len(), 2);
        assert!(keeper.look(&[], false).is_empty());
        contacts.change(&[pin("carol")]).unwrap();
        assert_eq!(people(keeper.look(&[pin("dave")], false)).len(), 4);
        keeper.look(&[], false);
        // A file that is damaged meanwhile changes nothing for the phone, and is not overwritten.
        let path = config.path().join("bob/contacts");
        let whole = fs::read(&path).unwrap();
        fs::write(&path, "{").unwrap();
        let said = keeper.look(&[], false);
        assert!(
            matches!(&said[..], [News::Trouble(why)] if why.to_string().contains("damaged")),
            "{said:?}"
        );
        assert!(keeper.look(&[pin("frank")], false).is_empty());
        assert_eq!(fs::read(&path).unwrap(), b"{");
        fs::write(&path, whole).unwrap();
        assert_eq!(people(keeper.look(&[pin("frank")], false)).len(), 5);
    }

    fn history(calls: u64) -> History {
        let mut history = History::default();
        for at in 0..calls {
            history.add(Past {
                name: "alice".parse().unwrap(),
                host: None,
                direction: Direction::Incoming,
                at,
                lasted: None,
                reason: Reason::Cancelled,
                standing: Standing::Known,
                seen: false,
            });
        }
        history
    }

    #[tokio::test]
    async fn the_calls_of_the_last_moment_are_on_the_disk_when_the_phone_has_ended() {
        let config = tempfile::tempdir().unwrap();
        let open = || {
            let bob = "bob".parse().unwrap();
            Profile::open(config.path(), bob, unix_now()).unwrap().disk
        };
        let disk = open();
        let kept = calls(&disk);
        assert!(kept.history.entries.is_empty() && kept.trouble.is_none());
        let (shown, newest) = watch::channel(Arc::default());
        let (news, _heard) = mpsc::channel(8);
        let mut tasks = JoinSet::new();
        let saves = start(disk, kept, newest, &mut tasks, news);
        for calls in 1..=3 {
            shown.send_replace(Arc::new(history(calls)));
        }
        drop((saves, shown));
        tasks.join_next().await.unwrap().unwrap();
        assert_eq!(calls(&open()).history, history(3));
    }

    #[test]
    fn a_damaged_list_of_calls_is_set_aside_and_a_newer_one_is_left_alone() {
        let config = tempfile::tempdir().unwrap();
        let bob = "bob".parse().unwrap();
        let disk = Profile::open(config.path(), bob, unix_now()).unwrap().disk;
        let path = config.path().join("bob/calls");
        registry::keyfile::write(&path, b"{").unwrap();
        let kept = calls(&disk);
        assert!(kept.history.entries.is_empty() && kept.file.is_some());
        let said = kept.trouble.unwrap();
        assert!(said.to_string().contains("damaged-1"), "{said}");
        assert!(!path.exists());
        let newer = br#"{"format":9}"#;
        registry::keyfile::write(&path, newer).unwrap();
        let kept = calls(&disk);
        assert!(kept.file.is_none());
        assert!(kept.trouble.unwrap().to_string().contains("newer"));
        assert_eq!(fs::read(&path).unwrap(), newer);
    }

    #[test]
    fn however_often_somebody_calls_the_list_is_not_written_each_time() {
        let config = tempfile::tempdir().unwrap();
        let bob = "bob".parse().unwrap();
        let disk = Profile::open(config.path(), bob, unix_now()).unwrap().disk;
        let (shown, newest) = watch::channel(Arc::default());
        let written = Arc::clone(&newest.borrow());
        let mut calls = Calls {
            file: disk.calls(),
            written,
            newest,
            tried: None,
            trouble: None,
        };
        let kept = || disk.calls().read().unwrap();
        let start = Instant::now();
        let mut tell = |count, after, ends| {
            shown.send_replace(Arc::new(history(count)));
            calls.write(start + after, ends);
            calls.trouble.clone()
        };
        assert_eq!(tell(1, Duration::ZERO, false), None);
        assert_eq!(kept(), history(1));
        tell(2, CALLS_EVERY / 2, false);
        assert_eq!(kept(), history(1));
        tell(3, CALLS_EVERY, false);
        assert_eq!(kept(), history(3));
        tell(4, CALLS_EVERY, true);
        assert_eq!(kept(), history(4));
        tell(0, CALLS_EVERY, false);
        assert_eq!(kept(), history(0));
        // A disk that takes nothing is told of until it takes something again.
        let in_the_way = config.path().join("bob/calls.new");
        fs::create_dir(&in_the_way).unwrap();
        assert!(tell(5, CALLS_EVERY * 3, false).is_some());
        assert!(tell(5, CALLS_EVERY * 3, false).is_some());
        fs::remove_dir(&in_the_way).unwrap();
        assert_eq!(tell(5, CALLS_EVERY * 4, false), None);
        assert_eq!(kept(), history(5));
    }
}
