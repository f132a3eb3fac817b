//! What the program does with the phone: whom it calls, what it answers, when it ends, and how.

use std::{
    collections::HashMap,
    io::{BufRead, IsTerminal},
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use codec::{CallId, Name, registry::Refusal};
use registry::client::Host;
use softphone::{
    call::Reason,
    engine::{self, Event, Handle},
    phone::{self, Command, Target},
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
    time::{Instant as TokioInstant, sleep_until},
};

use crate::show::Show;

/// How long a call goes on after the input file has been played, so that its end is heard.
const AFTER_INPUT: Duration = Duration::from_millis(500);

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

/// One run of the program.
pub struct Conduct<'a> {
    until: Until,
    name: Name,
    registry: Host,
    show: &'a Show,
    calls: HashMap<CallId, CallSoFar>,
    /// Calls that were established and ended normally.
    completed: u32,
    /// When to give up waiting for a call, or to hang up.
    deadline: Option<Instant>,
    outcome: Option<Outcome>,
}

#[derive(Debug)]
struct CallSoFar {
    name: Name,
    established: Option<Instant>,
    /// Rings here, and waits for the person.
    rings: bool,
    /// What was said is not all in the output.
    output_lost: bool,
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
    pub fn new(until: Until, name: Name, registry: Host, show: &'a Show) -> Self {
        let calls = HashMap::new();
        Self {
            until,
            name,
            registry,
            show,
            calls,
            completed: 0,
            deadline: None,
            outcome: None,
        }
    }

    /// Runs the phone to its end.
    pub async fn run(mut self, handle: Handle) -> ExitCode {
        let Handle {
            commands,
            mut events,
            listening,
        } = handle;
        let (Ok(mut hangup), Ok(mut interrupt), Ok(mut terminate)) = (
            signal(SignalKind::hangup()),
            signal(SignalKind::interrupt()),
            signal(SignalKind::terminate()),
        ) else {
            self.show.note("cannot wait for signals");
            return ExitCode::from(2);
        };
        let asks = matches!(self.until, Until::Answered { auto: false, .. });
        let mut typed = typed_lines(asks);
        self.begin(&commands).await;
        loop {
            let deadline = self.deadline.filter(|_| self.outcome.is_none());
            let far = Instant::now() + Duration::from_secs(3600);
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => self.event(event, &commands, listening).await,
                    None => break,
                },
                Some(line) = typed.recv() => self.typed(&line, &commands).await,
                () = sleep_until(TokioInstant::from_std(deadline.unwrap_or(far))),
                    if deadline.is_some() => self.due(&commands).await,
                number = signalled(&mut hangup, &mut interrupt, &mut terminate) => {
                    if self.outcome.is_some() {
                        // Asked twice: at once, without farewell.
                        return ExitCode::from(128 + number);
                    }
                    self.end(self.interrupted(number), &commands).await;
                }
            }
        }
        match self.outcome {
            Some(Outcome::Completed) => ExitCode::SUCCESS,
            Some(Outcome::NotReached) => ExitCode::from(1),
            Some(Outcome::Interrupted(number)) => ExitCode::from(128 + number),
            // The phone ended although nobody told it to.
            Some(Outcome::Failed) | None => ExitCode::from(2),
        }
    }

    async fn begin(&mut self, commands: &mpsc::Sender<engine::Command>) {
        match &self.until {
            Until::Answered { timeout, .. } => {
                self.deadline = timeout.map(|timeout| Instant::now() + timeout);
            }
            Until::Called { target, .. } => {
                let dial = Command::Dial(target.clone());
                self.tell(commands, dial).await;
            }
        }
    }

    async fn event(
        &mut self,
        event: Event,
        commands: &mpsc::Sender<engine::Command>,
        listening: std::net::SocketAddr,
    ) {
        match event {
            Event::Levels { .. } => {}
            Event::Stats {
                call,
                voice,
                round_trip,
            } => self.show.stats(call, &voice, round_trip),
            Event::Warning(text) => self.show.note(&text),
            Event::OutputLost { call, why } => {
                self.show
                    .note(&format!("nothing to be heard any more: {why}"));
                if let Some(known) = self.calls.get_mut(&call) {
                    known.output_lost = true;
                }
            }
            Event::InputEnded { .. } => {
                if matches!(self.until, Until::Called { lasting: None, .. }) {
                    self.deadline = Some(Instant::now() + AFTER_INPUT);
                }
            }
            Event::Phone(event) => match event {
                phone::Event::Registered => {
                    self.show.registered(&self.name, &self.registry, listening);
                }
                phone::Event::Unregistered | phone::Event::Stopped => {}
                phone::Event::Replaced => {
                    self.show
                        .note("another phone with this profile has registered in this one's place");
                }
                phone::Event::RegistrationRefused(refusal) => {
                    self.refused(refusal, commands).await;
                }
                phone::Event::RegistryUnreachable(why) => {
                    self.show
                        .note(&format!("not registered: {why}; trying again"));
                }
                phone::Event::Dialling { call, name } => {
                    self.calls.insert(
                        call,
                        CallSoFar {
                            name,
                            established: None,
                            rings: false,
                            output_lost: false,
                        },
                    );
                }
                phone::Event::Incoming {
                    call,
                    from,
                    confirmed,
                    ..
                } => {
                    self.incoming(call, from.name, confirmed, commands).await;
                }
                phone::Event::Merged { .. }
                | phone::Event::Held { .. }
                | phone::Event::Reconnecting { .. }
                | phone::Event::Reconnected { .. } => {}
                phone::Event::Ringing { call } => {
                    if let Some(known) = self.calls.get(&call) {
                        self.show.ringing(call, &known.name);
                    }
                }
                phone::Event::Established { call, name, setup } => {
                    self.established(call, &name, setup);
                }
                phone::Event::Ended {
                    call,
                    name,
                    reason,
                    detail,
                } => {
                    self.ended(call, &name, reason, detail.as_deref(), commands)
                        .await;
                }
            },
        }
    }

    async fn refused(&mut self, refusal: Refusal, commands: &mpsc::Sender<engine::Command>) {
        let next = match refusal {
            Refusal::NameTaken => "; choose another --name",
            _ => "; trying again",
        };
        self.show
            .note(&format!("not registered as {}: {refusal}{next}", self.name));
        // Nobody can call a phone that waits under a name that is another's.
        let waits = matches!(self.until, Until::Answered { .. }) && self.calls.is_empty();
        if refusal == Refusal::NameTaken && waits {
            self.end(Outcome::Failed, commands).await;
        }
    }

    async fn incoming(
        &mut self,
        call: CallId,
        from: Name,
        confirmed: bool,
        commands: &mpsc::Sender<engine::Command>,
    ) {
        self.show.incoming(call, &from, confirmed);
        self.deadline = None;
        let auto = matches!(self.until, Until::Answered { auto: true, .. });
        self.calls.insert(
            call,
            CallSoFar {
                name: from,
                established: None,
                rings: !auto,
                output_lost: false,
            },
        );
        if auto {
            self.tell(commands, Command::Answer(call)).await;
        } else {
            self.show
                .note("Enter answers, d declines, h hangs up, q ends");
        }
    }

    fn established(&mut self, call: CallId, name: &Name, setup: Duration) {
        let now = Instant::now();
        self.show.established(call, name, setup);
        if let Some(known) = self.calls.get_mut(&call) {
            known.established = Some(now);
            known.rings = false;
        }
        if let Until::Called {
            lasting: Some(lasting),
            ..
        } = self.until
        {
            self.deadline = Some(now + lasting);
        }
    }

    async fn ended(
        &mut self,
        call: CallId,
        name: &Name,
        reason: Reason,
        detail: Option<&str>,
        commands: &mpsc::Sender<engine::Command>,
    ) {
        let known = self.calls.remove(&call);
        let output_lost = known.as_ref().is_some_and(|known| known.output_lost);
        let lasted = known
            .and_then(|known| known.established)
            .map(|since| since.elapsed());
        let asked = match &self.until {
            Until::Called { target, .. } => target.host.as_ref().unwrap_or(&self.registry),
            Until::Answered { .. } => &self.registry,
        };
        self.show.ended(call, name, reason, detail, lasted, asked);
        let normally = matches!(reason, Reason::Hangup | Reason::RemoteHangup);
        let completed = lasted.is_some() && normally && !output_lost;
        self.completed += u32::from(completed);
        match &self.until {
            Until::Answered { calls, timeout, .. } => {
                if calls.is_some_and(|calls| self.completed >= calls) {
                    return self.end(Outcome::Completed, commands).await;
                }
                if self.calls.is_empty() {
                    self.deadline = timeout.map(|timeout| Instant::now() + timeout);
                }
            }
            Until::Called { .. } => {
                let outcome = match lasted {
                    _ if completed => Outcome::Completed,
                    _ if reason == Reason::Failed => Outcome::Failed,
                    Some(_) => Outcome::Failed,
                    None => Outcome::NotReached,
                };
                self.end(outcome, commands).await;
            }
        }
    }

    /// What the person typed: to take, to decline or to end a call, or to end the program.
    async fn typed(&mut self, line: &str, commands: &mpsc::Sender<engine::Command>) {
        let rings = self
            .calls
            .iter()
            .find(|(_, call)| call.rings)
            .map(|(id, _)| *id);
        let any = self.calls.keys().next().copied();
        match line.trim() {
            "" | "a" | "answer" => {
                if let Some(call) = rings {
                    if let Some(known) = self.calls.get_mut(&call) {
                        known.rings = false;
                    }
                    self.tell(commands, Command::Answer(call)).await;
                }
            }
            "d" | "decline" => {
                if let Some(call) = rings {
                    self.tell(commands, Command::Hangup(call)).await;
                }
            }
            "h" | "hangup" => {
                if let Some(call) = any {
                    self.tell(commands, Command::Hangup(call)).await;
                }
            }
            "q" | "quit" => self.end(self.interrupted(2), commands).await,
            _ => self
                .show
                .note("Enter answers, d declines, h hangs up, q ends"),
        }
    }

    /// The time has come to hang up, or to wait no longer.
    async fn due(&mut self, commands: &mpsc::Sender<engine::Command>) {
        self.deadline = None;
        match &self.until {
            Until::Answered { timeout, calls, .. } => {
                let (waited, had) = (timeout.unwrap_or_default().as_secs_f64(), self.completed);
                let so_far = match calls {
                    None if had > 0 => return self.end(Outcome::Completed, commands).await,
                    Some(calls) if had > 0 => format!(", after {had} of {calls} calls"),
                    _ => String::new(),
                };
                self.show
                    .note(&format!("nobody has called for {waited} s{so_far}"));
                self.end(Outcome::NotReached, commands).await;
            }
            Until::Called { .. } => {
                for call in self.calls.keys().copied().collect::<Vec<_>>() {
                    self.tell(commands, Command::Hangup(call)).await;
                }
            }
        }
    }

    /// How it ends when the person interrupts it.
    fn interrupted(&self, number: u8) -> Outcome {
        let in_call = self.calls.values().any(|call| call.established.is_some());
        match &self.until {
            Until::Answered { calls: None, .. } => Outcome::Completed,
            Until::Called {
                lasting: Some(_), ..
            } if in_call => Outcome::Completed,
            _ => Outcome::Interrupted(number),
        }
    }

    /// Ends every call and unregisters; the events end when that is done.
    async fn end(&mut self, outcome: Outcome, commands: &mpsc::Sender<engine::Command>) {
        if self.outcome.is_none() {
            self.outcome = Some(outcome);
            self.tell(commands, Command::Stop).await;
        }
    }

    async fn tell(&self, commands: &mpsc::Sender<engine::Command>, command: Command) {
        // The phone has ended already: its events end as well.
        let _ = commands.send(command.into()).await;
    }
}

/// The number of the signal that came.
async fn signalled(hangup: &mut Signal, interrupt: &mut Signal, terminate: &mut Signal) -> u8 {
    tokio::select! {
        // The terminal was closed.
        _ = hangup.recv() => 1,
        _ = interrupt.recv() => 2,
        _ = terminate.recv() => 15,
    }
}

/// Lines from standard input, as long as there are any. The thread that reads them ends with the
/// program: a read from a terminal cannot be taken back.
fn typed_lines(asks: bool) -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(8);
    if !may_read(asks) {
        return lines;
    }
    let read = move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    };
    // Without the thread the phone works; only nothing can be typed.
    let _ = thread::Builder::new().name("typed".to_owned()).spawn(read);
    lines
}

/// Whether standard input is this program's to read: a terminal, unless the program runs in its
/// background, where reading would stop it; anything else only when the program `asks` to be told
/// what to do, since it may be somebody else's list.
fn may_read(asks: bool) -> bool {
    let stdin = std::io::stdin();
    let foreground = || {
        rustix::termios::tcgetpgrp(&stdin).is_ok_and(|group| group == rustix::process::getpgrp())
    };
    if stdin.is_terminal() {
        foreground()
    } else {
        asks
    }
}
