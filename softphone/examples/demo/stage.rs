//! The steps of the demo: what is started, what it has to say, and for how long it is waited for.

use std::{
    ffi::OsStr,
    fs,
    io::{self, IsTerminal},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    thread,
    time::{Duration, Instant},
};

use tokio::signal::unix::{SignalKind, signal};

use crate::{
    CLIP,
    child::{News, Running, Who},
    last_lines, likeness,
    report::{self, Call, Event, Voice},
    short, wav,
};

/// How long each step before the call may take.
const STEP_WITHIN: Duration = Duration::from_secs(6);

/// How long the registry may take to print its table.
const TABLE_WITHIN: Duration = Duration::from_millis(300);

/// How long a call with the clip, which has 10 s, may take, from the start of the phone to its
/// end. Three steps before it and the ends of all programs included, a run takes less than 60 s,
/// and 12 s as a rule.
const CALL_WITHIN: Duration = Duration::from_secs(25);

/// How long a person may talk; then their phone hangs up.
const TALK_SECONDS: u64 = 600;

/// News that waits; beyond, the programs wait.
const NEWS_MAX: usize = 256;

/// Why the demo did not go well.
#[derive(Debug)]
pub enum Failure {
    /// The person wanted it.
    Interrupted,
    /// There was no call; with the clip there may be one.
    NoCall(String),
    /// Everything else.
    Failed(String),
}

/// Who talks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Talk {
    /// The person, into a microphone.
    Person,
    /// The clip.
    Clip,
}

/// What all steps share.
pub struct Stage {
    /// The folder of the programs.
    pub programs: PathBuf,
    /// For keys, logs and what came back.
    folder: PathBuf,
    news: Receiver<News>,
    sender: SyncSender<News>,
}

impl Stage {
    /// Prepares to run `programs`, with all that they keep in `folder`. From now on, signals are
    /// news.
    pub fn new(programs: PathBuf, folder: &Path) -> Result<Self, Failure> {
        let (sender, news) = sync_channel(NEWS_MAX);
        watch_signals(sender.clone())
            .map_err(|error| Failure::Failed(format!("cannot wait for signals: {error}")))?;
        Ok(Self {
            programs,
            folder: folder.to_owned(),
            news,
            sender,
        })
    }

    /// Starts the registry, and waits until it listens.
    pub fn start_registry(&self, addr: SocketAddr) -> Result<Running, Failure> {
        let mut command = Command::new(self.programs.join("ramal-registry"));
        command.args(["--listen", &addr.to_string(), "--table", "always", "--data"]);
        let registry = self.start(Who::Registry, command.arg(self.folder.join("registry")))?;
        let until = Instant::now() + STEP_WITHIN;
        while TcpStream::connect(addr).is_err() {
            if Instant::now() > until {
                return Err(Failure::Failed("the registry does not listen".to_owned()));
            }
            // It has nothing to say before somebody registers: this waits, or hears that it ended.
            self.next(Instant::now() + Duration::from_millis(50))?;
        }
        Ok(registry)
    }

    /// Opens the registry's window with the registry in it, and waits until it listens.
    pub fn open_registry_window(&self, addr: SocketAddr) -> Result<Running, Failure> {
        let mut command = Command::new(self.programs.join("ramal-registry-gui"));
        command.args(["--open", "--listen", &addr.to_string(), "--data"]);
        let window = self.start(Who::Registry, command.arg(self.folder.join("registry")))?;
        let until = Instant::now() + STEP_WITHIN;
        while TcpStream::connect(addr).is_err() {
            if Instant::now() > until {
                return Err(Failure::Failed("the registry does not listen".to_owned()));
            }
            self.next(Instant::now() + Duration::from_millis(50))?;
        }
        Ok(window)
    }

    /// Opens a phone's window, in which everything is filled in that a call needs.
    pub fn open_phone_window(&self, registry: SocketAddr) -> Result<Running, Failure> {
        let mut command = Command::new(self.programs.join("ramal-softphone"));
        command.args(["--registry", &registry.to_string(), "--name", "visitor"]);
        command.args(["--listen", "127.0.0.1:0", "--config"]);
        self.start(
            Who::Softphone,
            command.arg(self.folder.join("phones-with-windows")),
        )
    }

    /// Waits until the person has closed the phone's window, or wants everything to end.
    pub fn until_closed(&self) -> Result<(), Failure> {
        loop {
            match self.news.recv() {
                Ok(News::Closed(Who::Softphone) | News::Stop) => return Ok(()),
                Ok(News::Closed(Who::Echo)) => {
                    return Err(Failure::Failed("echo ended by itself".to_owned()));
                }
                // The registry's window may be closed: that is a thing to try.
                Ok(_) => {}
                Err(_) => unreachable!("there is a sender in `self`"),
            }
        }
    }

    /// Starts the phone that echoes, and waits until it can be called.
    pub fn start_echo(&self, registry: SocketAddr) -> Result<Running, Failure> {
        let echo = self.start_phone(Who::Echo, registry, &["echo".as_ref()])?;
        let until = Instant::now() + STEP_WITHIN;
        loop {
            match self.next(until)? {
                Some((Who::Echo, Some(Event::Registered))) => break,
                Some(_) => {}
                None => return Err(Failure::Failed("echo could not register".to_owned())),
            }
        }
        // The table follows at once; the next step is told after it.
        self.next(Instant::now() + TABLE_WITHIN)?;
        Ok(echo)
    }

    /// Whether a person can talk here. Where devices cannot be listed, there are none.
    pub fn has_sound(&self) -> Result<bool, Failure> {
        let mut command = Command::new(self.programs.join("ramal-phone"));
        let mut listing = self.start(Who::Devices, command.args(["--json", "devices"]))?;
        let until = Instant::now() + STEP_WITHIN;
        let mut devices = Vec::new();
        while let Some((who, event)) = self.next(until)? {
            match (who, event) {
                (Who::Devices, Some(Event::Device(device))) => devices.push(device),
                (Who::Devices, None) => break,
                _ => {}
            }
        }
        listing.end(false);
        Ok(report::can_talk(&devices))
    }

    /// Calls echo, and shows the call until it is over.
    pub fn call(&self, registry: SocketAddr, talk: Talk) -> Result<Call, Failure> {
        let mut visitor = self.start_visitor(registry, talk)?;
        let mut until = Instant::now() + CALL_WITHIN;
        let mut call = Call::default();
        let mut hung_up = false;
        loop {
            let (who, event) = match self.next(until) {
                Ok(Some(news)) => news,
                Ok(None) => return Err(Failure::Failed("the call takes too long".to_owned())),
                // Who talks decides when the call ends, but only once.
                Err(Failure::Interrupted)
                    if talk == Talk::Person && call.setup_ms.is_some() && !hung_up =>
                {
                    hung_up = true;
                    visitor.ask_to_end();
                    until = Instant::now() + STEP_WITHIN;
                    continue;
                }
                Err(failure) => return Err(failure),
            };
            if who != Who::Visitor {
                continue;
            }
            let Some(event) = event else { break };
            if talk == Talk::Person && matches!(event, Event::Established { .. }) {
                until = Instant::now() + Duration::from_secs(TALK_SECONDS) + STEP_WITHIN;
            }
            take(&mut call, event);
        }
        let ended_well = visitor.end(false).is_some_and(|status| status.success());
        match (call.setup_ms, ended_well) {
            (Some(_), true) => Ok(call),
            (Some(_), false) => Err(Failure::Failed(format!("the call ended: {}", call.detail))),
            // It did not even dial; its last words say why.
            (None, _) if call.detail.is_empty() => {
                let log = fs::read(self.folder.join("visitor.log")).unwrap_or_default();
                Err(Failure::NoCall(last_lines(
                    &String::from_utf8_lossy(&log),
                    1,
                )))
            }
            (None, _) => Err(Failure::NoCall(call.detail)),
        }
    }

    /// Compares what came back with the clip.
    pub fn listen(&self) -> Result<Voice, Failure> {
        let clip = wav::read(CLIP.as_ref()).map_err(Failure::Failed)?;
        let returned = wav::read(&self.returned()).map_err(Failure::Failed)?;
        let lag = likeness::lag(&clip, &returned);
        let milliseconds = |lag| lag as f64 * 1_000.0 / likeness::RATE as f64;
        Ok(Voice {
            round_trip_ms: lag.map(milliseconds),
            likeness: lag.map_or(0.0, |lag| likeness::likeness(&clip, &returned, lag)),
        })
    }

    /// The recording of what came back.
    pub fn returned(&self) -> PathBuf {
        self.folder.join("returned.wav")
    }

    fn start_visitor(&self, registry: SocketAddr, talk: Talk) -> Result<Running, Failure> {
        let call = ["call".as_ref(), "echo".as_ref()];
        if talk == Talk::Person {
            say!("   You can talk and hear yourself: use headphones. Enter or Ctrl-C hangs up.");
            hang_up_at_enter(self.sender.clone());
            let seconds = TALK_SECONDS.to_string();
            let lasting: [&OsStr; 2] = ["--for".as_ref(), seconds.as_ref()];
            return self.start_phone(Who::Visitor, registry, &[call, lasting].concat());
        }
        say!("   What it says is in {}.", short(CLIP.as_ref()));
        let returned = self.returned();
        let input: [&OsStr; 2] = ["--input".as_ref(), CLIP.as_ref()];
        let output = ["--output".as_ref(), returned.as_ref()];
        self.start_phone(Who::Visitor, registry, &[input, output, call].concat())
    }

    fn start_phone(
        &self,
        who: Who,
        registry: SocketAddr,
        arguments: &[&OsStr],
    ) -> Result<Running, Failure> {
        let mut command = Command::new(self.programs.join("ramal-phone"));
        command.args(["--registry", &registry.to_string(), "--name", who.name()]);
        command.args(["--listen", "127.0.0.1:0", "--json", "--config"]);
        self.start(who, command.arg(self.folder.join("phones")).args(arguments))
    }

    fn start(&self, who: Who, command: &mut Command) -> Result<Running, Failure> {
        Running::start(who, command, &self.folder, self.sender.clone())
            .map_err(|error| Failure::Failed(format!("cannot start {}: {error}", who.name())))
    }

    /// What a phone tells next, `None` within it when it has ended; `None` when `until` comes
    /// first. The registry's table is passed on to the screen on the way. The registry and echo are
    /// not to end by themselves.
    fn next(&self, until: Instant) -> Result<Option<(Who, Option<Event>)>, Failure> {
        loop {
            let wait = until.saturating_duration_since(Instant::now());
            match self.news.recv_timeout(wait) {
                Ok(News::Line(Who::Registry, line)) if line.is_empty() => say!(""),
                Ok(News::Line(Who::Registry, line)) => say!("   {line}"),
                Ok(News::Line(who, line)) => {
                    let event = Event::read(&line);
                    let wrong = |why| format!("{} wrote what is no event: {why}", who.name());
                    let event = event.map_err(|why| Failure::Failed(wrong(why)))?;
                    return Ok(Some((who, Some(event))));
                }
                Ok(News::Closed(who @ (Who::Registry | Who::Echo))) => {
                    return Err(Failure::Failed(format!("{} ended by itself", who.name())));
                }
                Ok(News::Closed(who)) => return Ok(Some((who, None))),
                Ok(News::Stop) => return Err(Failure::Interrupted),
                // It never disconnects: there is a sender in `self`.
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
    }
}

/// Shows an event of the phone that calls, and notes it down.
fn take(call: &mut Call, event: Event) {
    match event {
        Event::Ringing => say!("   echo rings."),
        Event::Established { setup_ms } => {
            say!("   They can hear each other, {setup_ms:.0} ms after dialling.");
            call.setup_ms = Some(setup_ms);
        }
        Event::Stats(second) => {
            call.seconds.push(second);
            say!("   {:>4} s: {second}", call.seconds.len());
        }
        Event::Ended { reason, detail } => {
            call.reason = reason;
            call.detail = detail;
        }
        Event::Registered | Event::Device(_) | Event::Other => {}
    }
}

/// Tells of SIGINT, SIGTERM and SIGHUP; nobody would end the programs if the demo died of them.
fn watch_signals(news: SyncSender<News>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let entered = runtime.enter();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    drop(entered);
    let watch = async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
            if news.send(News::Stop).is_err() {
                return;
            }
        }
    };
    thread::Builder::new().spawn(move || runtime.block_on(watch))?;
    Ok(())
}

/// Tells when the Enter key is pressed: unlike Ctrl-C, it does not make `make` complain. The thread
/// ends with the demo.
fn hang_up_at_enter(news: SyncSender<News>) {
    if !io::stdin().is_terminal() {
        return;
    }
    let wait = move || {
        let mut line = String::new();
        if io::stdin().read_line(&mut line).is_ok() {
            // If nobody hears it, the demo is over.
            let _ = news.send(News::Stop);
        }
    };
    // Without the thread, Ctrl-C hangs up.
    let _ = thread::Builder::new().spawn(wait);
}
