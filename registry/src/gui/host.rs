//! Runs the registry beside the window, on a runtime and threads of its own.
//!
//! The window tells it by a bounded queue of commands what to do, and reads by a snapshot how it
//! is: who is late reads the newest, and has missed nothing that counts. Nothing here ever waits
//! for the window.

use std::{
    hash::{Hash, Hasher},
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc::{Receiver, RecvTimeoutError, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use codec::Name;
use iced::futures::{SinkExt, Stream};
use tokio::{
    sync::{mpsc, watch},
    time::sleep,
};

use super::journal::Journal;
use crate::{
    desk::{Ban, Done, Failed, Query, Stats, User, Users},
    event::Warning,
    operate::{Closed, Facts, OpenError, Options},
    server::Pulse,
};

mod run;

use run::Host;

/// So many commands may wait; a window that has more waits with them.
const COMMANDS_MAX: usize = 64;

/// The window is told of changes at most so often; what a person did is told at once.
pub const TELL_EVERY: Duration = Duration::from_millis(300);

/// Looking through the users takes at most one part in so many of the time.
const LOOK_SHARE: u32 = 20;

/// So many answers to what a person did are kept for a window that reads late.
const TOLD_MAX: usize = 16;

/// How long requests in flight may take to finish when the registry closes.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How much longer closing may take, for what no patience helps against, such as a slow disk. What
/// closes the window waits no longer.
pub const GRACE: Duration = Duration::from_secs(2);

/// What the window wants.
#[derive(Debug)]
pub enum Command {
    /// Opens the registry.
    Open(Box<Options>),
    /// Stops accepting, lets requests in flight finish, and closes.
    Close,
    /// While it closes: closes at once.
    CutShort,
    /// Closes what is open or being opened, and ends: nothing more is heard.
    End,
    /// Does something as the operator.
    Act(Act),
    /// Looks at this from now on.
    LookAt(Sight),
}

/// What an operator does to somebody: a name, or a key in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Ends their connections.
    Disconnect(String),
    /// Serves them no more.
    Ban(String),
    /// Ends a ban.
    Unban(String),
    /// Takes a name from its owner.
    Release(String),
}

/// What is looked at, so that nothing is looked up that nobody sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sight {
    /// Users.
    Users {
        /// Those that this finds.
        query: Query,
        /// This one from near.
        chosen: Option<Name>,
    },
    /// The bans.
    Bans,
    /// What it did second by second.
    Activity,
    /// None of these.
    Nothing,
}

/// What the window hears.
#[derive(Debug, Clone)]
pub enum Event {
    /// The registry can be told what to do. Comes first.
    Ready(mpsc::Sender<Command>, Journal),
    /// How it is now.
    Seen(Arc<Seen>),
    /// The system gives no threads to run a registry on; why.
    Unable(String),
    /// Nothing runs registries any more, and none is open. Comes last.
    Ended,
}

/// How a registry is, at one point in time.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Whether it is open.
    pub phase: Phase,
    /// The users that were looked for last.
    pub users: Arc<Found>,
    /// The bans, the latest first.
    pub bans: Arc<Vec<Ban>>,
    /// What it did second by second, the oldest first.
    pub pulses: Arc<Vec<Pulse>>,
    /// How it is in figures.
    pub stats: Option<Arc<Stats>>,
    /// What came of what a person did, the oldest first.
    pub told: Arc<Vec<Told>>,
    /// What is wrong with it that a person can mend.
    pub warnings: Arc<Vec<Warning>>,
    /// Why what is looked at is not shown as it is now.
    pub unread: Option<Failed>,
    /// The system asked the program to end.
    pub end: bool,
    /// Counts up with whatever the window is told at once.
    pub urgent: u64,
}

/// Whether a registry is open.
#[derive(Debug, Clone, Default)]
pub enum Phase {
    /// It was not opened yet, or was closed.
    #[default]
    Closed,
    /// It could not be opened.
    Failed(Arc<OpenError>),
    /// It is being opened.
    Opening,
    /// It is open.
    Open(Arc<Facts>),
    /// It takes no more connections, and waits for requests in flight.
    Closing {
        /// What it was.
        facts: Arc<Facts>,
        /// Those that are not finished then are cut.
        until: Instant,
    },
    /// It was closed.
    Ended {
        /// Requests that were finished, and those that were cut.
        closed: Closed,
    },
}

/// Users that were found, and when.
#[derive(Debug, Clone)]
pub struct Found {
    /// Who.
    pub users: Users,
    /// By what.
    pub query: Query,
    /// The one that was looked at from near, if anybody owns the name.
    pub chosen: Option<User>,
    /// When: what they have left is counted from then.
    pub at: Instant,
}

/// What came of an act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Counts up from 1.
    pub number: u64,
    /// What was done, or why not.
    pub what: Result<Done, Failed>,
}

impl Default for Found {
    fn default() -> Self {
        Self {
            users: Users::default(),
            query: Query::default(),
            chosen: None,
            at: Instant::now(),
        }
    }
}

impl Phase {
    /// It takes connections.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Open(_))
    }

    /// Nothing runs: it can be opened.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed | Self::Failed(_) | Self::Ended { .. })
    }

    /// What is known of it while it runs.
    #[must_use]
    pub fn facts(&self) -> Option<&Facts> {
        match self {
            Self::Open(facts) | Self::Closing { facts, .. } => Some(facts),
            _ => None,
        }
    }
}

/// What runs registries, for the window that starts it and for whoever waits for its end.
#[derive(Debug, Clone, Default)]
pub struct Hosting {
    running: Arc<Mutex<Option<Running>>>,
    /// The window has waited for it as long as anybody does.
    was_waited_for: Arc<AtomicBool>,
    /// Counts up when it is to be tried anew.
    attempt: u32,
}

/// The thread that was started last.
#[derive(Debug)]
struct Running {
    commands: mpsc::WeakSender<Command>,
    /// Disconnected when it has ended.
    ended: Receiver<()>,
}

/// The window listens to the same one until it is tried anew.
impl Hash for Hosting {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.attempt.hash(state);
    }
}

impl Hosting {
    /// Is to be tried anew.
    pub fn try_again(&mut self) {
        self.attempt += 1;
    }

    /// The window has waited for it, and goes.
    pub(super) fn waited(&self) {
        self.was_waited_for.store(true, Relaxed);
    }

    /// Closes what is open, also where the window could not see to that, and waits until it is
    /// closed, but not for ever; whether it is.
    #[must_use]
    pub fn close(&self) -> bool {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(running) = &*running else {
            return true;
        };
        if let Some(commands) = running.commands.upgrade() {
            // Where there is no room for it a disk hangs, and what waits for that is not closed.
            let _ = commands.try_send(Command::End);
        }
        let limit = match self.was_waited_for.load(Relaxed) {
            true => GRACE,
            false => PATIENCE + GRACE,
        };
        running.ended.recv_timeout(limit) == Err(RecvTimeoutError::Disconnected)
    }

    /// Starts the thread that runs registries. It ends, and closes what is open, when the sender of
    /// commands is dropped.
    ///
    /// # Errors
    /// Those of the system, when it gives no threads.
    fn start(
        &self,
        journal: Journal,
    ) -> io::Result<(mpsc::Sender<Command>, watch::Receiver<Arc<Seen>>)> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .thread_name("registry")
            .enable_all()
            .build()?;
        let (commands, queue) = mpsc::channel(COMMANDS_MAX);
        let (seen, window) = watch::channel(Arc::default());
        let (running, ended) = sync_channel::<()>(1);
        let host = Host::new(journal, seen);
        thread::Builder::new()
            .name("host".to_owned())
            .spawn(move || {
                let _running = running;
                runtime.block_on(host.run(queue));
            })?;
        let running = Running {
            commands: commands.downgrade(),
            ended,
        };
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(running);
        Ok((commands, window))
    }
}

/// The subscription of the window: starts what runs the registry, and tells of it as long as it is
/// polled. When it is dropped the registry closes.
pub fn connect(hosting: &Hosting) -> impl Stream<Item = Event> + use<> {
    let hosting = hosting.clone();
    iced::stream::channel(1, async move |mut window| {
        let journal = Journal::default();
        let (commands, mut seen) = match hosting.start(journal.clone()) {
            Ok(started) => started,
            Err(error) => {
                // A window that is gone needs to hear nothing.
                let _gone = window.send(Event::Unable(error.to_string())).await;
                return;
            }
        };
        let mut arrivals = journal.arrivals();
        // A window that is gone hears nothing, and needs nothing.
        let ready = Event::Ready(commands, journal);
        if window.send(ready).await.is_err() {
            return;
        }
        let mut at_once = seen.clone();
        loop {
            let now = Arc::clone(&seen.borrow_and_update());
            let urgent = now.urgent;
            arrivals.mark_unchanged();
            if window.send(Event::Seen(now)).await.is_err() {
                return;
            }
            let quiet = async {
                sleep(TELL_EVERY).await;
                tokio::select! {
                    changed = arrivals.changed() => changed.is_ok(),
                    changed = seen.changed() => changed.is_ok(),
                }
            };
            let still_there = tokio::select! {
                still_there = quiet => still_there,
                changed = at_once.wait_for(|seen| seen.urgent != urgent) => changed.is_ok(),
            };
            if !still_there {
                let last = Arc::clone(&seen.borrow_and_update());
                let _gone = window.send(Event::Seen(last)).await;
                let _gone = window.send(Event::Ended).await;
                return;
            }
        }
    })
}
