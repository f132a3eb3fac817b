//! What stays when the phone ends: the keys of the week, the people whom this person knows, and the
//! calls that are over.
//!
//! One task looks every second whether a new week has begun, and whether somebody else has changed
//! the file of contacts, and writes what the phone wants saved; calls at most once a second, and at
//! the end. Files are read and written on a
//! thread beside it: a disk that is slow keeps nobody waiting.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, watch},
    task::{JoinSet, spawn_blocking},
    time::{MissedTickBehavior, interval},
};

use super::{Driver, Event, News, unix_now};
use crate::{
    contacts::Change,
    history::History,
    phone::Input,
    settings::{CallsFile, ContactsFile, Disk, ProfileError, Stamp},
};

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How many changes may wait to be written; a call makes two at most.
const CHANGES_MAX: usize = 64;

/// The disk, and what was last seen on it.
struct Keeper {
    disk: Disk,
    contacts: ContactsFile,
    seen: Option<Stamp>,
    /// Where the calls that are over are kept, if they are.
    calls: Option<Calls>,
    /// What went wrong last, which is said once.
    trouble: Option<String>,
}

/// The calls that are over, and what of them is on the disk.
struct Calls {
    file: CallsFile,
    newest: watch::Receiver<Arc<History>>,
    written: Arc<History>,
}

/// The calls that the disk holds at the start.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) history: History,
    /// Where they are kept from now on; nowhere if what is there is not to be touched.
    file: Option<CallsFile>,
    /// What a person should know of it.
    pub(super) trouble: Option<String>,
}

/// Reads the calls that are over. A damaged file is set aside, and the phone begins a new one; one
/// that is newer than this program, or cannot be read for other reasons, is left alone.
pub(super) fn calls(disk: &Disk) -> Kept {
    let file = disk.calls();
    let (history, trouble) = match file.read() {
        Ok(history) => (history, None),
        Err(error @ ProfileError::CallsDamaged(_)) => match file.set_aside() {
            Ok(to) => {
                let to = to.display();
                let said = format!("{error}; it is {to} now, and the list of calls begins anew");
                (History::default(), Some(said))
            }
            Err(refused) => return Kept::nowhere(&refused),
        },
        Err(error) => return Kept::nowhere(&error),
    };
    let file = Some(file);
    Kept {
        history,
        file,
        trouble,
    }
}

impl Kept {
    fn nowhere(error: &ProfileError) -> Self {
        Self {
            history: History::default(),
            file: None,
            trouble: Some(format!("calls are not kept: {error}")),
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
        }
    });
    tasks.spawn(keep(disk, calls, changes, news));
    saves
}

impl Driver {
    /// Has a change of contacts written; the phone reckons with it already.
    pub(super) fn save(&mut self, change: Change) {
        let refused = |saves: &mpsc::Sender<_>| saves.try_send(change).is_err();
        if self.saves.as_ref().is_some_and(refused) {
            let text = "a contact could not be kept: the disk takes nothing";
            self.tell(Event::Warning(text.to_owned()));
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
        trouble: None,
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
            let found = keeper.look(&made);
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
    /// Writes what is to be written, and tells what is new.
    fn look(&mut self, changes: &[Change]) -> Vec<News> {
        let mut found = Vec::new();
        let mut troubles = Vec::new();
        match self.disk.new_keys(unix_now()) {
            Ok(Some(keys)) => found.push(News::Phone(Input::Keys(keys))),
            Ok(None) => {}
            Err(error) => troubles.push(format!("this week's keys are not saved: {error}")),
        }
        match self.people(changes) {
            Ok(Some(people)) => found.push(News::Phone(people)),
            Ok(None) => {}
            Err(error) => troubles.push(format!("the contacts are not kept: {error}")),
        }
        if let Some(Err(error)) = self.calls.as_mut().map(Calls::write) {
            troubles.push(format!("the calls are not kept: {error}"));
        }
        let trouble = (!troubles.is_empty()).then(|| troubles.join("; "));
        if trouble != self.trouble {
            found.extend(trouble.clone().map(News::Trouble));
            self.trouble = trouble;
        }
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
    /// Writes the calls that are over, if there are others than those that are written.
    fn write(&mut self) -> Result<(), ProfileError> {
        let newest = Arc::clone(&self.newest.borrow());
        if !Arc::ptr_eq(&newest, &self.written) {
            self.file.write(&newest)?;
            self.written = newest;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use codec::IdentityKey;

    use super::*;
    use crate::{
        call::Reason,
        contacts::{Book, Contact, Standing},
        history::{Direction, Past},
        settings::Profile,
    };

    fn pin(name: &str) -> Change {
        Change::Pin(Contact {
            registry: None,
            name: name.parse().unwrap(),
            identity: IdentityKey([1; 32]),
            verified: false,
            blocked: false,
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
            trouble: None,
        };
        assert!(keeper.look(&[]).is_empty());
        assert_eq!(people(keeper.look(&[pin("alice")])).len(), 1);
        assert_eq!(people(keeper.look(&[])).len(), 1);
        assert!(keeper.look(&[]).is_empty());
        // Somebody else, such as `ramal-phone contacts`, and then both.
        contacts.change(&[pin("eve")]).unwrap();
        assert_eq!(people(keeper.look(&[])).len(), 2);
        assert!(keeper.look(&[]).is_empty());
        contacts.change(&[pin("carol")]).unwrap();
        assert_eq!(people(keeper.look(&[pin("dave")])).len(), 4);
        keeper.look(&[]);
        // A file that is damaged meanwhile changes nothing for the phone, and is not overwritten.
        let path = config.path().join("bob/contacts");
        let whole = fs::read(&path).unwrap();
        fs::write(&path, "{").unwrap();
        let said = keeper.look(&[]);
        assert!(
            matches!(&said[..], [News::Trouble(why)] if why.contains("damaged")),
            "{said:?}"
        );
        assert!(keeper.look(&[pin("frank")]).is_empty());
        assert_eq!(fs::read(&path).unwrap(), b"{");
        fs::write(&path, whole).unwrap();
        assert_eq!(people(keeper.look(&[pin("frank")])).len(), 5);
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
        assert!(said.contains("damaged-1"), "{said}");
        assert!(!path.exists());
        let newer = br#"{"format":9}"#;
        registry::keyfile::write(&path, newer).unwrap();
        let kept = calls(&disk);
        assert!(kept.file.is_none() && kept.trouble.unwrap().contains("newer"));
        assert_eq!(fs::read(&path).unwrap(), newer);
    }
}
