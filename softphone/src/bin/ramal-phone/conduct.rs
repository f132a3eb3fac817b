//! What the program does with the phone: whom it calls, what it answers, when it ends, and how.

use std::{
    net::SocketAddr,
    process::ExitCode,
    time::{Duration, Instant},
};

use codec::{CallId, Name, registry::Refusal};
use registry::client::Host;
use softphone::{
    board::SeenCall,
    call::Reason,
    control::Told,
    engine::{self, Event, Handle, Views},
    phone::{self, Command, Target},
};
use tokio::{
    sync::mpsc,
    time::{Instant as TokioInstant, MissedTickBehavior, interval, sleep_until},
};

use crate::{
    desk::{Action, Desk},
    directory,
    keys::{Decoder, Lines},
    recovery::Grant,
    refused, screen,
    show::Show,
    signals::{Asked, Signals},
    terminal::{self, Terminal},
};

mod wishes;

/// How long a call goes on after the input file has been played, so that its end is heard.
const AFTER_INPUT: Duration = Duration::from_millis(500);

/// How often the live rows are drawn.
const DRAW_EVERY: Duration = Duration::from_millis(200);

/// How long nothing is drawn after the program has asked to be stopped.
const REST: Duration = Duration::from_millis(300);

/// What the program is for.
#[derive(Debug)]
pub enum Until {
    /// Being called.
    Answered {
        /// Every call is taken at once.
        auto: bool,
        /// It ends after so many calls.
        calls: Option<u32>,
        /// It ends when nobody has called for so long.
        timeout: Option<Duration>,
    },
    /// Calling.
    Called {
        /// Whom.
        target: Target,
        /// How long the call lasts.
        lasting: Option<Duration>,
    },
}

/// How the person and the program come together.
#[derive(Debug)]
pub enum Hands {
    /// Single keys, and live rows.
    Keys(Terminal, Decoder),
    /// Lines.
    Typed(Lines),
    /// Nothing can be typed.
    Off,
}

/// One run of the program.
pub struct Conduct<'a> {
    until: Until,
    registry: Host,
    /// Why trying again does not help: the registry may be somebody else, or does not want this
    /// phone or its name.
    hopeless: Option<String>,
    show: &'a Show,
    hands: Hands,
    board: Desk,
    grant: Grant,
    /// The call that the program was started for, once it is dialled.
    dialled: Option<CallId>,
    /// How that call ended.
    reached: Option<Outcome>,
    /// Calls that were established and ended normally.
    completed: u32,
    /// When to give up waiting for a call, or to hang up.
    deadline: Option<Instant>,
    outcome: Option<Outcome>,
    commands: mpsc::Sender<engine::Command>,
    listening: Option<SocketAddr>,
    views: Views,
    /// The number of the line of the journal that was written last.
    logged: u64,
    /// Others have the terminal until then, or until the program is told to go on.
    rests_until: Option<Instant>,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Completed,
    NotReached,
    Failed,
    Interrupted(u8),
}

impl<'a> Conduct<'a> {
    /// Runs the phone to its end.
    pub async fn run(
        until: Until,
        registry: Host,
        show: &'a Show,
        hands: Hands,
        board: Desk,
        grant: Grant,
        handle: Handle,
    ) -> ExitCode {
        let Handle {
            commands,
            events,
            listening,
            views,
        } = handle;
        let conduct = Self {
            until,
            registry,
            hopeless: None,
            show,
            hands,
            board,
            grant,
            dialled: None,
            reached: None,
            completed: 0,
            deadline: None,
            outcome: None,
            commands,
            listening,
            rests_until: None,
            views,
            logged: 0,
        };
        let Ok(signals) = Signals::new(matches!(conduct.hands, Hands::Keys(..))) else {
            show.note("cannot wait for signals");
            return ExitCode::from(2);
        };
        conduct.work(events, signals).await
    }

    async fn work(mut self, mut events: mpsc::Receiver<Event>, mut signals: Signals) -> ExitCode {
        let mut typed = match self.hands {
            Hands::Off => mpsc::channel(1).1,
            Hands::Keys(..) | Hands::Typed(_) => terminal::typed(),
        };
        let draws = matches!(self.hands, Hands::Keys(..));
        let mut ticks = interval(DRAW_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut journal = self.views.journal.clone();
        let mut logs = self.show.log;
        self.begin().await;
        loop {
            let deadline = self.deadline.filter(|_| self.outcome.is_none());
            let far = Instant::now() + Duration::from_secs(3600);
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => self.event(event).await,
                    None => break,
                },
                Some(bytes) = typed.recv() => self.typed(&bytes).await,
                () = sleep_until(TokioInstant::from_std(deadline.unwrap_or(far))),
                    if deadline.is_some() => self.due().await,
                _ = ticks.tick(), if draws => self.draw(),
                changed = journal.changed(), if logs => {
                    logs = changed.is_ok();
                    self.log();
                }
                asked = signals.next() => match asked {
                    // Asked twice, or to quit at once: without farewell.
                    Asked::End(number) if self.outcome.is_some() || number == 3 => {
                        return ExitCode::from(128 + number);
                    }
                    Asked::End(number) => self.end(self.interrupted(number)).await,
                    Asked::Continue => {
                        self.rests_until = None;
                        self.draw_anew();
                    }
                    Asked::Resized => self.draw_anew(),
                },
            }
        }
        self.log();
        match self.outcome {
            Some(Outcome::Completed) => ExitCode::SUCCESS,
            Some(Outcome::NotReached) => ExitCode::from(1),
            Some(Outcome::Interrupted(number)) => ExitCode::from(128 + number),
            // The phone ended although nobody told it to.
            Some(Outcome::Failed) | None => ExitCode::from(2),
        }
    }

    async fn begin(&mut self) {
        match &self.until {
            Until::Answered { timeout, .. } => {
                self.deadline = timeout.map(|timeout| Instant::now() + timeout);
            }
            Until::Called { target, .. } => {
                let dial = Command::Dial(target.clone());
                self.tell(dial).await;
            }
        }
    }

    // ---- what happens ----

    async fn event(&mut self, event: Event) {
        let now = Instant::now();
        // A call that is over is seen no more, but how it was decides how it goes on.
        let over = match &event {
            Event::Phone(phone::Event::Ended { call, .. }) => self.board.seen(*call).cloned(),
            _ => None,
        };
        let told = Told::of(&event, &self.board, self.listening, now);
        self.board.hear(&event, now);
        match event {
            // Another program had the phone end, as the key `q` does.
            Event::Commanded(engine::Command::Phone(Command::Stop)) if self.outcome.is_none() => {
                self.outcome = Some(self.interrupted(2));
            }
            Event::Levels { .. }
            | Event::Path { .. }
            | Event::Devices { .. }
            | Event::Commanded(_) => {}
            Event::Stats { .. } => self.told(told.as_ref()),
            Event::Warning(warning) => self.show.note(&warning.to_string()),
            Event::RegistryMet { host, key } => self.show.registry_met(&host, key),
            Event::RegistryUntrusted { host, why } => {
                self.unusable(&host, why.to_string()).await;
            }
            Event::RegistryTurnsAway { host, why, .. } => {
                // Others are called at their addresses without it.
                let is_own = host.is_same(&self.registry);
                if !is_own || self.needs_registry() {
                    self.unusable(&host, why.to_string()).await;
                }
            }
            Event::InputLost { why, .. } => self.show.note(&format!("nothing to send: {why}")),
            Event::InputBack { .. } => self.show.note("the microphone is back"),
            Event::OutputLost { why, .. } => self.show.note(&format!("nothing to be heard: {why}")),
            Event::OutputBack { .. } => self.show.note("the loudspeaker is back"),
            Event::InputEnded { call } => {
                let alone = matches!(self.until, Until::Called { lasting: None, .. });
                if alone && self.dialled.is_none_or(|dialled| dialled == call) {
                    self.deadline = Some(Instant::now() + AFTER_INPUT);
                }
            }
            Event::Unheard { call, heard } => {
                self.with_name(call, |name| self.show.unheard(name, heard));
            }
            Event::Unspoken { spoken, .. } => self.show.unspoken(spoken),
            // It says that there is no window.
            Event::Front => {}
            Event::Phone(event) => {
                self.phone_event(event, told, over.as_ref(), now).await;
                self.draw();
            }
        }
    }

    fn told(&self, told: Option<&Told>) {
        if let Some(told) = told {
            self.show.told(told, self.is_typed_to());
        }
    }

    async fn phone_event(
        &mut self,
        event: phone::Event,
        told: Option<Told>,
        over: Option<&SeenCall>,
        now: Instant,
    ) {
        let show = self.show;
        if let phone::Event::Registered = event {
            self.hopeless = None;
            self.grant.come(show);
        }
        // Nobody hung up on whom a phone that failed had not reached; it was said why.
        let lasted = over.and_then(|seen| seen.lasted(now));
        let is_said = matches!(event, phone::Event::Ended { .. })
            && self.outcome == Some(Outcome::Failed)
            && lasted.is_none();
        if show.json || !is_said {
            self.told(told.as_ref());
        }
        match event {
            phone::Event::Replaced => {
                show.note("another phone with this profile has registered in this one's place");
            }
            phone::Event::RegistrationRefused(refusal) => self.refused(refusal).await,
            phone::Event::Directory(page) => show.say(&directory::sentence(&self.registry, &page)),
            // That has been said, and what to do.
            phone::Event::RegistryUnreachable(why) if self.hopeless == Some(why.to_string()) => {}
            phone::Event::RegistryUnreachable(why) => {
                show.note(&format!("not registered: {why}; trying again"));
            }
            phone::Event::Dialling { call, .. } => match self.until {
                Until::Answered { .. } => self.deadline = None,
                Until::Called { .. } => self.dialled = self.dialled.or(Some(call)),
            },
            phone::Event::Incoming { call, .. } => self.incoming(call).await,
            phone::Event::Merged { ended, call, .. } if self.dialled == Some(ended) => {
                self.dialled = Some(call);
            }
            phone::Event::Established { call, .. } => self.established(call),
            phone::Event::Ended { call, reason, .. } => self.ended(call, over, reason).await,
            _ => {}
        }
    }

    /// Writes what the journal has that is not written yet, where that is wanted.
    fn log(&mut self) {
        if self.show.log {
            let journal = self.views.journal.borrow_and_update().clone();
            for line in journal.since(self.logged) {
                self.show.note(&line.to_string());
            }
            self.logged = journal.written();
        }
    }

    fn with_name(&self, call: CallId, tell: impl FnOnce(&Name)) {
        if let Some(seen) = self.board.seen(call) {
            tell(&seen.name);
        }
    }

    async fn refused(&mut self, refusal: Refusal) {
        let name = &self.board.name;
        let next = refused::next_step(refusal, name);
        let why = format!("not registered as {name}: {refusal}{next}");
        // Nobody is called under a name that is another's, and nobody can call a phone by it.
        if refused::is_final(refusal) && self.needs_registry() {
            let registry = self.registry.clone();
            return self.unusable(&registry, why).await;
        }
        self.show.note(&why);
    }

    /// Whether nothing works without the registry: others call a phone that waits by its name, and
    /// it calls them by theirs.
    fn needs_registry(&self) -> bool {
        match &self.until {
            Until::Answered { .. } => true,
            Until::Called { target, .. } => target
                .host
                .as_ref()
                .is_none_or(|host| host.is_same(&self.registry)),
        }
    }

    /// A registry cannot be used. Trying again does not help, a person has to look into it; a call
    /// that is up needs no registry, and goes on.
    async fn unusable(&mut self, host: &Host, why: String) {
        if self.outcome.is_some() || self.hopeless.as_ref() == Some(&why) {
            return;
        }
        self.show.note(&format!("ramal-phone: {why}"));
        if host.is_same(&self.registry) {
            self.hopeless = Some(why);
        } else {
            let is_asked =
                |target: &Target| target.host.as_ref().is_some_and(|it| it.is_same(host));
            if !matches!(&self.until, Until::Called { target, .. } if is_asked(target)) {
                return;
            }
        }
        let mut calls = self.board.calls.iter();
        if !calls.any(SeenCall::is_up) {
            self.end(Outcome::Failed).await;
        }
    }

    async fn incoming(&mut self, call: CallId) {
        match self.until {
            Until::Answered { auto, .. } => {
                self.deadline = None;
                if auto {
                    return self.act(Action::Accept(call)).await;
                }
            }
            Until::Called { .. } => {}
        }
        if matches!(self.hands, Hands::Typed(_)) && self.is_typed_to() {
            self.hint();
        }
    }

    /// Whether a person can type something.
    fn is_typed_to(&self) -> bool {
        match self.hands {
            Hands::Keys(..) => true,
            Hands::Typed(_) => terminal::is_typed_by_hand(),
            Hands::Off => false,
        }
    }

    fn established(&mut self, call: CallId) {
        if let Until::Called {
            lasting: Some(lasting),
            ..
        } = self.until
            && self.dialled == Some(call)
        {
            self.deadline = Some(Instant::now() + lasting);
        }
    }

    async fn ended(&mut self, call: CallId, seen: Option<&SeenCall>, reason: Reason) {
        let was_up = seen.is_some_and(SeenCall::is_up);
        let output_lost = seen.is_some_and(|seen| seen.output_lost);
        let normally = matches!(reason, Reason::Hangup | Reason::RemoteHangup);
        let completed = was_up && normally && !output_lost;
        self.completed += u32::from(completed);
        let none_left = self.board.calls.is_empty();
        match &self.until {
            Until::Answered { calls, timeout, .. } => {
                if none_left && calls.is_some_and(|calls| self.completed >= calls) {
                    return self.end(Outcome::Completed).await;
                }
                if none_left && self.hopeless.is_some() {
                    return self.end(Outcome::Failed).await;
                }
                if none_left {
                    self.deadline = timeout.map(|timeout| Instant::now() + timeout);
                }
            }
            Until::Called { .. } => {
                let is_it = self.dialled.is_none_or(|dialled| dialled == call);
                // A call that was merged goes on as another one.
                if is_it && reason != Reason::Merged {
                    self.deadline = None;
                    self.reached = Some(match was_up {
                        _ if completed => Outcome::Completed,
                        _ if reason == Reason::Failed => Outcome::Failed,
                        true => Outcome::Failed,
                        false => Outcome::NotReached,
                    });
                }
                // Somebody who called meanwhile is not cut off.
                if let Some(reached) = self.reached.filter(|_| none_left) {
                    self.end(reached).await;
                }
            }
        }
    }

    /// The time has come to hang up, or to wait no longer.
    async fn due(&mut self) {
        self.deadline = None;
        match &self.until {
            Until::Answered { timeout, calls, .. } => {
                let (waited, had) = (timeout.unwrap_or_default().as_secs_f64(), self.completed);
                let so_far = match calls {
                    None if had > 0 => return self.end(Outcome::Completed).await,
                    Some(calls) if had > 0 => format!(", after {had} of {calls} calls"),
                    _ => String::new(),
                };
                self.show
                    .note(&format!("nobody has called for {waited} s{so_far}"));
                self.end(Outcome::NotReached).await;
            }
            Until::Called { .. } => {
                if let Some(call) = self.dialled {
                    self.tell(Command::Hangup(call)).await;
                }
            }
        }
    }

    // ---- the terminal ----

    /// Shows the live rows while the terminal is this program's.
    fn draw(&mut self) {
        let Hands::Keys(terminal, _) = &self.hands else {
            return;
        };
        let now = Instant::now();
        let rests = self.rests_until.is_some_and(|until| now < until);
        let shown = self.outcome.is_none() && !rests && terminal.take();
        let rows = shown.then(|| screen::rows(&self.board, terminal.size(), terminal.look(), now));
        self.show.live(rows);
    }

    fn draw_anew(&mut self) {
        if let Hands::Keys(terminal, _) = &self.hands {
            if self.rests_until.is_none_or(|until| until <= Instant::now()) {
                terminal.take_again();
            }
            self.draw();
            self.show.redraw();
        }
    }

    /// Ctrl-Z: others get the terminal as it was, until the program goes on.
    fn suspend(&mut self) {
        if let Hands::Keys(terminal, _) = &self.hands {
            self.show.live(None);
            self.show.flush();
            terminal.give_back();
            // The stop comes within an instant of being asked for, or not at all.
            self.rests_until = Some(Instant::now() + REST);
            terminal::suspend();
        }
    }

    // ---- the end ----

    /// How it ends when the person interrupts it.
    fn interrupted(&self, number: u8) -> Outcome {
        let in_call = self.board.calls.iter().any(SeenCall::is_up);
        match &self.until {
            Until::Answered { calls: None, .. } => Outcome::Completed,
            Until::Called {
                lasting: Some(_), ..
            } if in_call => Outcome::Completed,
            _ => Outcome::Interrupted(number),
        }
    }

    /// Ends every call and unregisters; the events end when that is done.
    async fn end(&mut self, outcome: Outcome) {
        if self.outcome.is_none() {
            self.outcome = Some(outcome);
            self.draw();
            self.tell(Command::Stop).await;
        }
    }

    async fn tell(&self, command: Command) {
        // The phone has ended already: its events end as well.
        let _ = self.commands.send(command.into()).await;
    }
}

#[cfg(test)]
mod tests;
