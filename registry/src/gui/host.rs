//! Runs the registry beside the window, on a runtime and threads of its own.
//!
//! The window tells it by a bounded queue of commands what to do, and reads by a snapshot how it
//! is: who is late reads the newest, and has missed nothing that counts. Nothing here ever waits
//! for the window.

use std::{
    path::PathBuf,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use codec::Name;
use iced::futures::{SinkExt, Stream};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{mpsc, watch},
    time::{Instant as TokioInstant, MissedTickBehavior, interval, sleep, sleep_until},
};

use super::{journal::Journal, lines::What};
use crate::{
    admin::socket_of,
    desk::{Ban, Desk, Done, Failed, Query, Stats, User, Users},
    event::Events,
    operate::{Closed, Facts, OpenError, Operation, Options},
    server::Pulse,
    store::embedded,
};

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

/// What the window wants.
#[derive(Debug)]
pub enum Command {
    /// Opens the registry.
    Open(Box<Options>),
    /// Stops accepting, lets requests in flight finish, and closes.
    Close,
    /// While it closes: closes at once.
    CutShort,
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

/// The subscription of the window: starts what runs the registry, and tells of it as long as it is
/// polled. When it is dropped the registry closes.
pub fn connect() -> impl Stream<Item = Event> {
    iced::stream::channel(1, async |mut window| {
        let journal = Journal::default();
        let (commands, mut seen) = match start(journal.clone()) {
            Ok(started) => started,
            Err(error) => {
                // A system without a thread to give: the window says that nothing can be opened.
                journal.note(What::Warning, &format!("cannot run a registry: {error}"));
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
                return;
            }
        }
    })
}

/// Starts the thread that runs registries. It ends, and closes what is open, when the sender of
/// commands is dropped.
///
/// # Errors
/// Those of the system, when it gives no threads.
pub fn start(
    journal: Journal,
) -> std::io::Result<(mpsc::Sender<Command>, watch::Receiver<Arc<Seen>>)> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_name("registry")
        .enable_all()
        .build()?;
    let (commands, queue) = mpsc::channel(COMMANDS_MAX);
    let (seen, window) = watch::channel(Arc::default());
    let host = Host {
        journal,
        seen: Seen::default(),
        window: seen,
        sight: Sight::Nothing,
        running: None,
    };
    // It ends by itself, with the window.
    thread::Builder::new()
        .name("host".to_owned())
        .spawn(move || runtime.block_on(host.run(queue)))?;
    Ok((commands, window))
}

struct Host {
    journal: Journal,
    seen: Seen,
    window: watch::Sender<Arc<Seen>>,
    sight: Sight,
    running: Option<Running>,
}

struct Running {
    operation: Operation,
    desk: Desk,
    facts: Arc<Facts>,
}

impl Host {
    async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut seconds = interval(Duration::from_secs(1));
        seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut arrivals = self.journal.arrivals();
        let mut end = std::pin::pin!(asked_to_end());
        let (mut stale, mut look_at) = (false, TokioInstant::now());
        loop {
            tokio::select! {
                command = commands.recv() => match command {
                    Some(Command::Open(options)) => self.open(*options).await,
                    Some(Command::Close) => self.close(&mut commands).await,
                    Some(Command::CutShort) => {}
                    Some(Command::Act(act)) => {
                        self.act(act).await;
                        self.look().await;
                    }
                    Some(Command::LookAt(sight)) => {
                        self.sight = sight;
                        self.look().await;
                    }
                    None => {
                        self.close(&mut commands).await;
                        return;
                    }
                },
                // Whatever changes a user is told to the journal as well.
                Ok(()) = arrivals.changed(), if self.running.is_some() && !stale => stale = true,
                () = sleep_until(look_at), if stale => {
                    let took = self.look().await;
                    stale = false;
                    look_at = TokioInstant::now() + TELL_EVERY.max(took * LOOK_SHARE);
                }
                _ = seconds.tick(), if self.running.is_some() => self.feel_pulse(),
                () = &mut end, if !self.seen.end => {
                    self.seen.end = true;
                    self.tell_at_once();
                }
            }
        }
    }

    async fn open(&mut self, options: Options) {
        if self.running.is_some() {
            return;
        }
        self.seen.phase = Phase::Opening;
        self.tell_at_once();
        let (events, queue) = Events::channel();
        if let Err(error) = self.journal.follow(queue, events.dropped()) {
            let text = format!("nothing will stand in the log: {error}");
            self.journal.note(What::Warning, &text);
        }
        let folder = options.folder.clone();
        match Operation::open(options, events).await {
            Ok(operation) => {
                let facts = Arc::new(operation.facts().clone());
                self.seen = Seen {
                    phase: Phase::Open(Arc::clone(&facts)),
                    told: Arc::clone(&self.seen.told),
                    end: self.seen.end,
                    urgent: self.seen.urgent,
                    ..Seen::default()
                };
                self.running = Some(Running {
                    desk: operation.desk(),
                    operation,
                    facts,
                });
                self.look().await;
            }
            Err(error) => {
                let error = in_use(folder, error);
                let text = format!("the registry was not opened: {error}");
                self.journal.note(What::Warning, &text);
                self.seen.phase = Phase::Failed(Arc::new(error));
            }
        }
        self.tell_at_once();
    }

    async fn close(&mut self, commands: &mut mpsc::Receiver<Command>) {
        let Some(Running {
            operation, facts, ..
        }) = self.running.take()
        else {
            return;
        };
        self.seen.phase = Phase::Closing {
            facts,
            until: Instant::now() + PATIENCE,
        };
        self.tell_at_once();
        let closing = operation.close(PATIENCE);
        let closed = tokio::select! {
            closed = closing => closed,
            () = cut_short(commands) => Closed::default(),
        };
        self.seen = Seen {
            phase: Phase::Ended { closed },
            told: Arc::clone(&self.seen.told),
            pulses: Arc::clone(&self.seen.pulses),
            end: self.seen.end,
            urgent: self.seen.urgent,
            ..Seen::default()
        };
        self.tell_at_once();
    }

    async fn act(&mut self, act: Act) {
        let what = match &self.running {
            None => Err(Failed::Closed),
            Some(Running { desk, .. }) => match &act {
                Act::Disconnect(of) => desk.disconnect(of),
                Act::Ban(of) => desk.ban(of).await,
                Act::Unban(of) => desk.unban(of).await,
                Act::Release(name) => desk.release(name).await,
            },
        };
        let told = Arc::make_mut(&mut self.seen.told);
        let number = told.last().map_or(1, |last| last.number + 1);
        if told.len() >= TOLD_MAX {
            told.remove(0);
        }
        told.push(Told { number, what });
        self.tell_at_once();
    }

    /// Looks at what the window shows, and says how long that took.
    async fn look(&mut self) -> Duration {
        let began = Instant::now();
        let Some(Running { desk, .. }) = &self.running else {
            return Duration::ZERO;
        };
        match &self.sight {
            Sight::Users { query, chosen } => {
                let Ok(users) = desk.users(query.clone()).await else {
                    return began.elapsed();
                };
                let chosen = chosen.as_ref().and_then(|name| desk.user(name).ok()?);
                self.seen.users = Arc::new(Found {
                    users,
                    query: query.clone(),
                    chosen,
                    at: began,
                });
            }
            Sight::Bans => {
                let mut bans = desk.bans().unwrap_or_default();
                bans.sort_by_key(|ban| std::cmp::Reverse(ban.since));
                self.seen.bans = Arc::new(bans);
            }
            Sight::Activity | Sight::Nothing => {}
        }
        self.tell();
        began.elapsed()
    }

    /// Takes in what the registry did in the last second, and tells it if somebody sees it.
    fn feel_pulse(&mut self) {
        let Some(Running { desk, .. }) = &self.running else {
            return;
        };
        let before = self.seen.pulses.last().copied();
        let Ok(mut more) = desk.pulses_after(before.map_or(0, |pulse| pulse.number)) else {
            return;
        };
        if more.is_empty() {
            return;
        }
        let pulses = Arc::make_mut(&mut self.seen.pulses);
        pulses.append(&mut more);
        let surplus = pulses.len().saturating_sub(crate::server::PULSES_MAX);
        pulses.drain(..surplus);
        let now = pulses.last().copied();
        let shown = |pulse: Option<Pulse>| {
            pulse.map(|it| (it.registered, it.connections, it.requests.to_bits()))
        };
        if self.sight == Sight::Activity || shown(before) != shown(now) {
            self.seen.stats = desk.stats().ok().map(Arc::new);
            self.tell();
        }
    }

    fn tell(&self) {
        self.window.send_replace(Arc::new(self.seen.clone()));
    }

    fn tell_at_once(&mut self) {
        self.seen.urgent += 1;
        self.tell();
    }
}

/// A port that is taken by a registry with the very same folder: that says more than the port.
fn in_use(folder: Option<PathBuf>, error: OpenError) -> OpenError {
    match (folder, error) {
        (Some(folder), OpenError::PortTaken(_))
            if std::os::unix::net::UnixStream::connect(socket_of(&folder)).is_ok() =>
        {
            OpenError::Store(embedded::OpenError::InUse(folder))
        }
        (_, error) => error,
    }
}

/// Until the window wants no more patience, or is gone. Other commands come too late.
async fn cut_short(commands: &mut mpsc::Receiver<Command>) {
    loop {
        match commands.recv().await {
            Some(Command::CutShort) => return,
            // The window is gone: what is in flight has its time all the same.
            None => std::future::pending().await,
            Some(_) => {}
        }
    }
}

/// Until the system asks the program to end. Without signals that never happens.
async fn asked_to_end() {
    let wait = |kind| async move {
        match signal(kind) {
            Ok(mut asked) => {
                asked.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = wait(SignalKind::terminate()) => {}
        () = wait(SignalKind::interrupt()) => {}
    }
}
