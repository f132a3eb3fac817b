//! What other programs ask of the phone over its socket, and what they are told.

use std::time::Instant;

use codec::CallId;
use registry::local::{BindError, LocalSocket};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::timeout,
};

use super::{Command, DRAIN, Driver, Event, News, Warning};
use crate::{
    board::{Board, Registered, SeenCall, Stage},
    call::{Direction, Hold},
    control::{
        self, Answer, Ask, CallStatus, EVENTS_MAX, HoldWord, Open, Reply, Request, Status, Told, id,
    },
    history,
    journal::{Way, With},
    phone::{self, Callers, Target},
    settings::Folder,
};

impl Open for mpsc::Sender<News> {
    async fn ask(&self, ask: Ask) -> bool {
        self.send(News::Asked(ask)).await.is_ok()
    }
}

/// The programs that hear every event.
#[derive(Debug, Default)]
pub(super) struct Listeners {
    lines: Vec<mpsc::Sender<String>>,
    /// The call that was dialled last.
    dialled: Option<CallId>,
    /// Tells the task that serves the socket to end, once this is dropped.
    stop: Option<watch::Sender<()>>,
    serving: JoinSet<()>,
}

impl Listeners {
    fn add(&mut self) -> mpsc::Receiver<String> {
        self.lines.retain(|line| !line.is_closed());
        let (sender, lines) = mpsc::channel(EVENTS_MAX);
        self.lines.push(sender);
        lines
    }

    /// Ends the task that serves the socket. Its file is gone before the folder is another phone's.
    pub(super) async fn end(self) {
        let Self {
            stop,
            lines,
            mut serving,
            ..
        } = self;
        drop((stop, lines));
        let ended = async { while serving.join_next().await.is_some() {} };
        let _ = timeout(DRAIN / 2, ended).await;
    }

    /// Whoever has too much before it is left.
    fn tell(&mut self, told: &Told) {
        if self.lines.is_empty() {
            return;
        }
        // By way of a value, whose fields are in order.
        if let Ok(object) = serde_json::to_value(told) {
            let line = object.to_string();
            self.lines.retain(|to| to.try_send(line.clone()).is_ok());
        }
    }
}

impl Driver {
    /// Opens the socket in the folder of the name. Without one the phone works all the same.
    pub(super) fn open_socket(&mut self, socket: Result<LocalSocket, BindError>) {
        match socket {
            Ok(socket) => {
                let (stop, stopped) = watch::channel(());
                self.listeners.stop = Some(stop);
                let serving = control::serve(socket, self.news.clone(), stopped);
                self.listeners.serving.spawn(serving);
            }
            Err(error) => self.tell(Event::Warning(Warning::NoSocket(error.to_string()))),
        }
    }

    /// Tells other programs what is about to be told here, and writes it down.
    pub(super) fn spread(&mut self, event: &Event, now: Instant) {
        if let Event::Phone(phone::Event::Dialling { call, .. }) = event {
            self.listeners.dialled = Some(*call);
        }
        let listening = self.listener.as_ref().map(|_| self.config.listening);
        let told = Told::of(event, self.shown.board(), listening, now);
        let notes = match (&told, event) {
            (Some(told), _) => {
                self.listeners.tell(told);
                told.sentences(&|_| "verify them when they are the same".to_owned())
            }
            (None, event) => note(event).into_iter().collect(),
        };
        for note in notes {
            self.write(Way::Note, With::Here, note);
        }
    }

    /// Does what another program asks, and answers.
    pub(super) fn asked(&mut self, ask: Ask) {
        let Ask { request, reply } = ask;
        let events = matches!(request, Request::Events {}).then(|| self.listeners.add());
        let answer = match self.fulfil(request, Instant::now()) {
            Ok((call, status)) => Answer::Done {
                call: call.map(id),
                status: status.map(Box::new),
            },
            Err(why) => Answer::Failed { why },
        };
        // Whoever asked may have gone.
        let _ = reply.send(Reply { answer, events });
    }

    fn fulfil(
        &mut self,
        request: Request,
        now: Instant,
    ) -> Result<(Option<CallId>, Option<Status>), String> {
        let board = self.shown.board();
        let meant = |board: &Board| board.meant().map(|seen| seen.call);
        let (call, command) = match request {
            Request::Status {} => return Ok((None, Some(self.status(now)))),
            Request::Events {} => return Ok((None, None)),
            Request::Front {} => {
                if !self.config.has_window {
                    return Err("it runs in a terminal and has no window".to_owned());
                }
                self.tell(Event::Front);
                return Ok((None, None));
            }
            Request::Call { target } => return self.call(&target, now).map(|call| (call, None)),
            Request::Answer { call } => {
                let call = which(board, call.as_deref(), SeenCall::rings_here)
                    .ok_or("no such call rings")?;
                (Some(call), phone::Command::Answer(call).into())
            }
            Request::Decline { call } => {
                let call = which(board, call.as_deref(), SeenCall::rings_here)
                    .ok_or("no such call rings")?;
                (Some(call), phone::Command::Hangup(call).into())
            }
            Request::Hangup { call } => {
                let call = match call {
                    Some(call) => which(board, Some(&call), |_| true),
                    None => meant(board),
                };
                let call = call.ok_or("there is no such call")?;
                (Some(call), phone::Command::Hangup(call).into())
            }
            Request::Hold(hold) => {
                let fits = |seen: &SeenCall| seen.is_up() && seen.is_held_here() != hold;
                let first = board
                    .meant()
                    .filter(|seen| fits(seen))
                    .map(|seen| seen.call);
                let call = first
                    .or_else(|| which(board, None, fits))
                    .ok_or("there is no call for that")?;
                let command = match hold {
                    true => phone::Command::Hold(call),
                    false => phone::Command::Resume(call),
                };
                (Some(call), command.into())
            }
            Request::Verify { call } => {
                let call = which(board, call.as_deref(), |seen| seen.unread().is_some())
                    .ok_or("there is no call whose words are to be compared")?;
                (Some(call), phone::Command::Verify(call).into())
            }
            Request::Mute(muted) => (None, Command::Mute(muted)),
            Request::Dnd(dnd) => (None, phone::Command::Dnd(dnd).into()),
            Request::Away(away) => (None, phone::Command::Away(away).into()),
            Request::ClearHistory {} => (None, Command::History(history::Change::Clear)),
            Request::Quit {} => (None, phone::Command::Stop.into()),
        };
        self.perform(command, now);
        Ok((call, None))
    }

    /// Calls somebody, and finds out which call it has become.
    fn call(&mut self, target: &str, now: Instant) -> Result<Option<CallId>, String> {
        let target: Target = target
            .parse()
            .map_err(|error| format!("cannot call '{target}': {error}"))?;
        let name = target.name.clone();
        self.listeners.dialled = None;
        self.perform(phone::Command::Dial(target).into(), now);
        // Whoever was just calling is answered instead.
        let same = |seen: &&SeenCall| seen.name == name;
        let there = || {
            self.shown
                .board()
                .calls
                .iter()
                .find(same)
                .map(|seen| seen.call)
        };
        match self.listeners.dialled.or_else(there) {
            Some(call) => Ok(Some(call)),
            None => Err("the phone does not call now".to_owned()),
        }
    }

    fn perform(&mut self, command: Command, now: Instant) {
        if let Some(input) = self.command(command, now) {
            self.phone.handle_input(input, now);
            self.obey();
        }
    }

    fn status(&self, now: Instant) -> Status {
        let board = self.shown.board();
        let registered = match board.registered {
            Registered::Yes => "yes",
            Registered::No => "no",
            Registered::Trying => "trying",
        };
        let callers = match board.callers {
            Callers::Everyone => "everyone",
            Callers::Contacts => "contacts",
            Callers::Nobody => "nobody",
        };
        let listening = self.listener.as_ref().map(|_| self.config.listening);
        Status {
            name: board.name.as_str().to_owned(),
            registry: board.registry.clone(),
            registered: registered.to_owned(),
            why_not: board.why_not.as_ref().map(ToString::to_string),
            listening: listening.map(|listening| listening.to_string()),
            muted: board.muted,
            away: board.away,
            dnd: board.dnd,
            callers: callers.to_owned(),
            calls: board
                .calls
                .iter()
                .map(|seen| call_status(seen, now))
                .collect(),
        }
    }
}

/// The call with this id, as scripts name it, or the first one; of those that fit.
fn which(board: &Board, given: Option<&str>, fits: impl Fn(&SeenCall) -> bool) -> Option<CallId> {
    let is_it = |seen: &&SeenCall| given.is_none_or(|given| id(seen.call) == given) && fits(seen);
    board.calls.iter().find(is_it).map(|seen| seen.call)
}

fn call_status(seen: &SeenCall, now: Instant) -> CallStatus {
    let (stage, hold, reconnecting) = match seen.stage {
        Stage::Calling => ("calling", Hold::No, false),
        Stage::RingsThere => ("ringing", Hold::No, false),
        Stage::RingsHere { .. } => ("incoming", Hold::No, false),
        Stage::Connecting => ("connecting", Hold::No, false),
        Stage::Up { hold, reconnecting } => ("established", hold, reconnecting),
    };
    let direction = match seen.direction {
        Direction::Incoming => "incoming",
        Direction::Outgoing => "outgoing",
    };
    let since = now.saturating_duration_since(seen.since);
    CallStatus {
        call: id(seen.call),
        name: seen.name.as_str().to_owned(),
        direction: direction.to_owned(),
        stage: stage.to_owned(),
        since_s: (since.as_secs_f64() * 1000.0).round() / 1000.0,
        hold: HoldWord::from(hold),
        reconnecting,
        words: seen.words.map(|words| words.to_string()),
        verified: seen.verified,
    }
}

/// What is noted of an event that scripts are not told of.
fn note(event: &Event) -> Option<String> {
    Some(match event {
        Event::Phone(phone::Event::Dialling { name, .. }) => format!("calling {name}"),
        Event::Phone(phone::Event::Unregistered) => "not registered any more".to_owned(),
        Event::Phone(phone::Event::Replaced) => {
            "another phone with this profile has registered in this one's place".to_owned()
        }
        Event::Phone(phone::Event::RegistrationRefused(refusal)) => {
            format!("not registered: {refusal}")
        }
        Event::Phone(phone::Event::RegistryUnreachable(why)) => format!("not registered: {why}"),
        Event::RegistryMet { host, key } => {
            format!("first time at {host}: its key is {}", key.fingerprint())
        }
        Event::RegistryUntrusted { why, .. } | Event::RegistryTurnsAway { why, .. } => {
            why.to_string()
        }
        Event::Warning(warning) => warning.to_string(),
        Event::InputLost { why, .. } => format!("nothing to send: {why}"),
        Event::InputBack { .. } => "the microphone is back".to_owned(),
        Event::OutputLost { why, .. } => format!("nothing to be heard: {why}"),
        Event::OutputBack { .. } => "the loudspeaker is back".to_owned(),
        _ => return None,
    })
}

/// The socket of the name in this folder.
pub(super) fn socket(folder: &Folder) -> Result<LocalSocket, BindError> {
    LocalSocket::bind(control::socket_in(folder.path()))
}
