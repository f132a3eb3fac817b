//! What the host does: one thing after another, and none of it keeps it from hearing the window.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{mpsc, watch},
    task::{JoinError, JoinSet},
    time::{Instant as TokioInstant, MissedTickBehavior, interval, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    Act, COMMANDS_MAX, Command, Found, LOOK_SHARE, PATIENCE, Phase, Seen, Sight, TELL_EVERY,
    TOLD_MAX, Told,
};
use crate::{
    admin::socket_of,
    desk::{Desk, Done, Failed},
    event::{Event, Events, Standing, Warning},
    gui::{journal::Journal, lines::What},
    operate::{Closed, Facts, OpenError, Operation, Options},
    server::{PULSES_MAX, Pulse},
    store::embedded,
};

/// Runs registries, one at a time.
pub(super) struct Host {
    journal: Journal,
    seen: Seen,
    window: watch::Sender<Arc<Seen>>,
    sight: Sight,
    work: Work,
    /// What an operator does, one after the other, because the second may undo the first.
    acts: VecDeque<Act>,
    acting: JoinSet<Result<Done, Failed>>,
    /// What is wrong with the registry that was opened last.
    standing: Standing,
    /// As soon as nothing is open.
    ends: bool,
}

/// What a disk that hangs holds up is a task of its own: the window is heard meanwhile.
enum Work {
    Nothing,
    Opening {
        opened: JoinSet<Result<Operation, OpenError>>,
        folder: Option<PathBuf>,
        /// It is to be closed again as soon as it is open.
        closes: bool,
    },
    Open {
        operation: Operation,
        desk: Desk,
        facts: Arc<Facts>,
    },
    Closing {
        closed: JoinSet<Closed>,
        hurry: CancellationToken,
    },
}

/// What became of opening or closing.
enum Outcome {
    Opened(Result<Result<Operation, OpenError>, JoinError>),
    Closed(Result<Closed, JoinError>),
}

impl Work {
    fn is_open(&self) -> bool {
        matches!(self, Self::Open { .. })
    }

    /// May be cancelled: then it waits for the same outcome again.
    async fn outcome(&mut self) -> Outcome {
        match self {
            Self::Opening { opened, .. } => match opened.join_next().await {
                Some(opened) => Outcome::Opened(opened),
                None => std::future::pending().await,
            },
            Self::Closing { closed, .. } => match closed.join_next().await {
                Some(closed) => Outcome::Closed(closed),
                None => std::future::pending().await,
            },
            Self::Nothing | Self::Open { .. } => std::future::pending().await,
        }
    }
}

impl Host {
    pub(super) fn new(journal: Journal, window: watch::Sender<Arc<Seen>>) -> Self {
        Self {
            journal,
            seen: Seen::default(),
            window,
            sight: Sight::Nothing,
            work: Work::Nothing,
            acts: VecDeque::new(),
            acting: JoinSet::new(),
            standing: Standing::default(),
            ends: false,
        }
    }

    /// Does what the window says until that wants to end, or is gone.
    pub(super) async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut seconds = interval(Duration::from_secs(1));
        seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut arrivals = self.journal.arrivals();
        let mut end = std::pin::pin!(asked_to_end());
        let (mut stale, mut look_at) = (false, TokioInstant::now());
        let mut has_window = true;
        while !(self.ends && matches!(self.work, Work::Nothing)) {
            tokio::select! {
                command = commands.recv(), if has_window => match command {
                    Some(command) => self.obey(command).await,
                    None => {
                        has_window = false;
                        self.obey(Command::End).await;
                    }
                },
                outcome = self.work.outcome() => match outcome {
                    Outcome::Opened(opened) => self.opened(opened).await,
                    Outcome::Closed(closed) => self.closed(closed),
                },
                Some(done) = self.acting.join_next(), if !self.acting.is_empty() => {
                    let failed = |error: JoinError| Err(Failed::Machine(error.to_string()));
                    self.told(done.unwrap_or_else(failed));
                    self.act_on();
                    self.look().await;
                }
                // Whatever changes a user is told to the journal as well.
                Ok(()) = arrivals.changed(), if self.work.is_open() && !stale => stale = true,
                () = sleep_until(look_at), if stale => {
                    let took = self.look().await;
                    stale = false;
                    look_at = TokioInstant::now() + TELL_EVERY.max(took * LOOK_SHARE);
                }
                _ = seconds.tick(), if self.work.is_open() => self.feel_pulse(),
                () = &mut end, if !self.seen.end => {
                    self.seen.end = true;
                    self.tell_at_once();
                }
            }
        }
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::Open(options) => self.open(*options),
            Command::Close => self.close(),
            Command::CutShort => {
                if let Work::Closing { hurry, .. } = &self.work {
                    hurry.cancel();
                }
            }
            Command::End => {
                self.ends = true;
                self.close();
            }
            Command::Act(act) => {
                if self.acts.len() < COMMANDS_MAX {
                    self.acts.push_back(act);
                    self.act_on();
                } else {
                    let why = format!("{COMMANDS_MAX} things before it wait for the disk");
                    self.told(Err(Failed::NotKept(why)));
                }
            }
            Command::LookAt(sight) => {
                self.sight = sight;
                self.look().await;
            }
        }
    }

    fn open(&mut self, options: Options) {
        if self.ends || !matches!(self.work, Work::Nothing) {
            return;
        }
        self.seen.phase = Phase::Opening;
        self.tell_at_once();
        let (events, queue) = Events::channel();
        self.standing = events.standing();
        if let Err(error) = self.journal.follow(queue, events.dropped()) {
            let warning = Warning::NoLog(error.to_string());
            self.journal.note(What::Warning, &warning.to_string());
            // Nobody reads it there: it counts as dropped, and stands all the same.
            events.tell(Event::Warning(warning));
        }
        let folder = options.folder.clone();
        let mut opened = JoinSet::new();
        opened.spawn(Operation::open(options, events));
        self.work = Work::Opening {
            opened,
            folder,
            closes: false,
        };
    }

    async fn opened(&mut self, opened: Result<Result<Operation, OpenError>, JoinError>) {
        let before = std::mem::replace(&mut self.work, Work::Nothing);
        let Work::Opening { folder, closes, .. } = before else {
            unreachable!("only what is being opened has an outcome of that");
        };
        let failed = |error: JoinError| Err(OpenError::Machine(error.to_string()));
        match opened.unwrap_or_else(failed) {
            Ok(operation) => {
                let facts = Arc::new(operation.facts().clone());
                self.seen = Seen {
                    phase: Phase::Open(Arc::clone(&facts)),
                    told: Arc::clone(&self.seen.told),
                    end: self.seen.end,
                    urgent: self.seen.urgent,
                    ..Seen::default()
                };
                self.work = Work::Open {
                    desk: operation.desk(),
                    operation,
                    facts,
                };
                match closes {
                    true => self.close(),
                    false => _ = self.look().await,
                }
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

    /// Begins to close what is open, or what is being opened as soon as it is.
    fn close(&mut self) {
        match std::mem::replace(&mut self.work, Work::Nothing) {
            Work::Open {
                operation, facts, ..
            } => {
                let until = Instant::now() + PATIENCE;
                self.seen.phase = Phase::Closing { facts, until };
                let (hurry, mut closed) = (operation.hurry(), JoinSet::new());
                closed.spawn(operation.close(PATIENCE));
                self.work = Work::Closing { closed, hurry };
                self.tell_at_once();
            }
            Work::Opening { opened, folder, .. } => {
                self.work = Work::Opening {
                    opened,
                    folder,
                    closes: true,
                };
            }
            work @ (Work::Nothing | Work::Closing { .. }) => self.work = work,
        }
    }

    fn closed(&mut self, closed: Result<Closed, JoinError>) {
        self.work = Work::Nothing;
        let closed = closed.unwrap_or_else(|error| {
            let text = format!("the registry failed while it closed: {error}");
            self.journal.note(What::Warning, &text);
            Closed::default()
        });
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

    /// Does the next thing of those that wait, unless one is being done.
    fn act_on(&mut self) {
        while self.acting.is_empty()
            && let Some(act) = self.acts.pop_front()
        {
            let Work::Open { desk, .. } = &self.work else {
                self.told(Err(Failed::Closed));
                continue;
            };
            let desk = desk.clone();
            self.acting.spawn(async move {
                match &act {
                    Act::Disconnect(of) => desk.disconnect(of),
                    Act::Ban(of) => desk.ban(of).await,
                    Act::Unban(of) => desk.unban(of).await,
                    Act::Release(name) => desk.release(name).await,
                }
            });
        }
    }

    /// Tells the window what came of something.
    fn told(&mut self, what: Result<Done, Failed>) {
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
        let Work::Open { desk, .. } = &self.work else {
            return Duration::ZERO;
        };
        self.seen.unread = match &self.sight {
            Sight::Users { query, chosen } => match desk.users(query.clone()).await {
                Ok(users) => {
                    let chosen = chosen.as_ref().and_then(|name| desk.user(name).ok()?);
                    self.seen.users = Arc::new(Found {
                        users,
                        query: query.clone(),
                        chosen,
                        at: began,
                    });
                    None
                }
                Err(failed) => Some(failed),
            },
            Sight::Bans => match desk.bans() {
                Ok(mut bans) => {
                    bans.sort_by_key(|ban| std::cmp::Reverse(ban.since));
                    self.seen.bans = Arc::new(bans);
                    None
                }
                Err(failed) => Some(failed),
            },
            Sight::Activity | Sight::Nothing => None,
        };
        self.take_warnings();
        self.tell();
        began.elapsed()
    }

    /// Takes in what the registry did in the last second, and tells it if somebody sees it.
    fn feel_pulse(&mut self) {
        let Work::Open { desk, .. } = &self.work else {
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
        let surplus = pulses.len().saturating_sub(PULSES_MAX);
        pulses.drain(..surplus);
        let now = pulses.last().copied();
        let shown = |pulse: Option<Pulse>| {
            pulse.map(|it| (it.registered, it.connections, it.requests.to_bits()))
        };
        let stats = desk.stats().ok().map(Arc::new);
        let is_news = self.take_warnings() || shown(before) != shown(now);
        if self.sight == Sight::Activity || is_news {
            self.seen.stats = stats;
            self.tell();
        }
    }

    /// Takes in what is wrong; whether that is news.
    fn take_warnings(&mut self) -> bool {
        let now = self.standing.now();
        let is_news = now != *self.seen.warnings;
        if is_news {
            self.seen.warnings = Arc::new(now);
        }
        is_news
    }

    fn tell(&self) {
        self.window.send_replace(Arc::new(self.seen.clone()));
    }

    fn tell_at_once(&mut self) {
        self.take_warnings();
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
