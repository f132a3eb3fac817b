//! The way between the window and the phone behind it.
//!
//! ```text
//!  window thread                            thread `phone`, a runtime of its own
//!  +-----+  Command, try_send, bounded   +--------+
//!  | App | ----------------------------> | Driver |  never waits for the window
//!  |     | <--- News, bounded queue ---- |  line  |  waits for the window; what comes meanwhile
//!  |     | <--- Views, newest only ----- |        |  is in the snapshots
//!  +-----+                               +--------+
//! ```
//!
//! A window that hangs leaves calls alone: nothing on the right waits for anything on the left but
//! the task that carries news over, and that one has nothing else to do.

use std::{
    hash::{Hash, Hasher},
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use codec::{Name, claim::InviteCode};
use iced::{
    Subscription,
    futures::{Stream, stream},
};
use registry::client::{Access, Host, Security};
use tokio::{runtime, sync::mpsc, task::JoinSet, time::timeout};

use crate::{
    audio::{Input, Output},
    engine::{self, Command, Config, Event, Handle, Views},
    media::format::Format,
    phone,
    settings::{Profile, ProfileError, Unshown},
};

/// How much news may wait for the window; beyond, the task that carries it waits.
const NEWS_MAX: usize = 64;

/// How many threads the phone's tasks have, beside those of sound: a second one would be woken
/// with each packet, for nothing.
const WORKERS: usize = 1;

/// How long a phone that was told to stop may take to say goodbye to its registry.
const FAREWELL: Duration = Duration::from_secs(3);

/// Which phone is wanted.
#[derive(Debug, Clone)]
pub struct Start {
    /// The folder with the keys of every name.
    pub folder: PathBuf,
    /// Whose phone.
    pub name: Name,
    /// Where it registers.
    pub registry: Host,
    /// How it talks to registries.
    pub security: Security,
    /// From the registry's operator, where names are given by invitation.
    pub invite: Option<InviteCode>,
    /// Where it listens for other phones.
    pub listen: SocketAddr,
    /// Where voice comes from.
    pub input: Input,
    /// Where voice goes.
    pub output: Output,
    /// How voice is sent.
    pub format: Format,
    /// Where it rings, if not where voice goes.
    pub ring_on: Option<Output>,
    /// What may differ from phone to phone.
    pub settings: phone::Settings,
}

/// A phone that is wanted for as long as the subscription to it is there.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Tells this one from those before.
    pub number: u64,
    /// Which phone.
    pub start: Arc<Start>,
}

impl Hash for Wanted {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.number.hash(state);
    }
}

/// What comes of it.
#[derive(Debug, Clone)]
pub enum News {
    /// The phone runs; comes first.
    Up(Parcel<Up>),
    /// It cannot; nothing comes after it.
    Failed(Arc<Failure>),
    /// Something happened.
    Event(Event),
    /// How everything stands is different from before; see [`Views`].
    Changed,
    /// The phone has stopped; nothing comes after it.
    Over,
}

/// What talks to a phone that runs.
#[derive(Debug)]
pub struct Up {
    /// What the person wants.
    pub commands: mpsc::Sender<Command>,
    /// Where the phone listens for others.
    pub listening: Option<SocketAddr>,
    /// How everything stands.
    pub views: Views,
    /// Whether the window shows how loud calls are; if not, it is not told.
    pub shows_levels: Arc<AtomicBool>,
    /// The recovery code, which nobody has been shown.
    pub recovery: Option<Unshown>,
    /// A change of the identity broke off before.
    pub broke_off: bool,
}

/// Why the phone does not run.
#[derive(Debug)]
pub enum Failure {
    /// The profile cannot be used.
    Profile(ProfileError),
    /// It cannot listen there for other phones, or has no sound thread.
    Listen(SocketAddr, std::io::Error),
    /// The system has no thread for it.
    Thread(std::io::Error),
}

/// Something that only one can have, handed over in a message that can be copied.
#[derive(Debug)]
pub struct Parcel<T>(Arc<Mutex<Option<T>>>);

impl<T> Clone for Parcel<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Parcel<T> {
    /// To be taken once.
    pub fn new(content: T) -> Self {
        Self(Arc::new(Mutex::new(Some(content))))
    }

    /// What is in it; nothing the second time.
    #[must_use]
    pub fn take(&self) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Runs the phone that is wanted, and tells what happens. The phone stops, as after
/// [`phone::Command::Stop`], when the subscription ends.
pub fn subscription(wanted: &Wanted) -> Subscription<News> {
    Subscription::run_with(wanted.clone(), |wanted| news(Arc::clone(&wanted.start)))
}

/// The life of a phone, as news. It begins at once, on a thread of its own.
pub fn news(start: Arc<Start>) -> impl Stream<Item = News> {
    let (sender, receiver) = mpsc::channel(NEWS_MAX);
    let (last_words, thread) = (sender.clone(), thread::Builder::new());
    let begun = thread
        .name("phone".to_owned())
        .spawn(move || run(&start, &sender));
    if let Err(error) = begun {
        // The queue is empty: there is room for it.
        let _ = last_words.try_send(News::Failed(Arc::new(Failure::Thread(error))));
    }
    stream::unfold(receiver, async |mut receiver| {
        let news = receiver.recv().await?;
        Some((news, receiver))
    })
}

/// The thread `phone`.
fn run(start: &Start, news: &mpsc::Sender<News>) {
    let built = runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .thread_name("phone-task")
        .enable_all()
        .build();
    let last = match built {
        Ok(runtime) => {
            let last = runtime.block_on(live(start, news));
            runtime.shutdown_background();
            last
        }
        Err(error) => News::Failed(Arc::new(Failure::Thread(error))),
    };
    // Where nobody listens any more, nobody has to be told.
    let _ = news.blocking_send(last);
}

/// Runs the phone until it has stopped, or nobody wants it any more. Returns the last news of it.
async fn live(start: &Start, news: &mpsc::Sender<News>) -> News {
    let (up, mut events, driver) = match begin(start).await {
        Ok(begun) => begun,
        Err(failure) => return News::Failed(Arc::new(failure)),
    };
    let (commands, mut views) = (up.commands.clone(), up.views.clone());
    let shows_levels = Arc::clone(&up.shows_levels);
    let mut running = JoinSet::new();
    running.spawn(driver.run());
    let mut wanted = news.send(News::Up(Parcel::new(up))).await.is_ok();
    while wanted {
        tokio::select! {
            event = events.recv() => match event {
                // Every event has the window drawn anew.
                Some(Event::Levels { .. }) if !shows_levels.load(Relaxed) => {}
                Some(event) => wanted = news.send(News::Event(event)).await.is_ok(),
                None => return News::Over,
            },
            true = changed(&mut views) => wanted = news.send(News::Changed).await.is_ok(),
            () = news.closed() => wanted = false,
        }
    }
    let farewell = async {
        let _ = commands.send(Command::Phone(phone::Command::Stop)).await;
        while events.recv().await.is_some() {}
    };
    // Whoever is late is ended with the set.
    let _ = timeout(FAREWELL, farewell).await;
    News::Over
}

/// Waits until anything stands differently. `false` when nothing will any more.
async fn changed(views: &mut Views) -> bool {
    let changed = tokio::select! {
        changed = views.board.changed() => changed,
        changed = views.roster.changed() => changed,
        changed = views.book.changed() => changed,
        changed = views.history.changed() => changed,
        changed = views.journal.changed() => changed,
    };
    changed.is_ok()
}

async fn begin(start: &Start) -> Result<(Up, mpsc::Receiver<Event>, engine::Driver), Failure> {
    let opened = Profile::open(&start.folder, start.name.clone(), engine::unix_now());
    let Profile {
        mut me,
        disk,
        recovery,
    } = opened.map_err(Failure::Profile)?;
    me.claim.invite.clone_from(&start.invite);
    let broke_off = disk.folder().next().map_err(Failure::Profile)?.is_some();
    let config = Config {
        me,
        disk: Some(disk),
        registry: start.registry.clone(),
        access: Access::of("ramal-softphone", &start.folder).with(start.security),
        listen: start.listen,
        input: start.input.clone(),
        output: start.output.clone(),
        format: start.format,
        ringing: start.ring_on.clone(),
        has_window: true,
        settings: start.settings,
    };
    let started = engine::start(config).await;
    let (handle, driver) = started.map_err(|error| Failure::Listen(start.listen, error))?;
    let Handle {
        commands,
        events,
        listening,
        views,
    } = handle;
    let up = Up {
        commands,
        listening,
        views,
        shows_levels: Arc::new(AtomicBool::new(true)),
        recovery,
        broke_off,
    };
    Ok((up, events, driver))
}
