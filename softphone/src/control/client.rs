//! The side of a program that commands a phone which runs in another one.

use std::{
    collections::VecDeque,
    fmt,
    io::{self, BufRead, BufReader, ErrorKind, Write},
    os::unix::net::UnixStream as StdStream,
    path::Path,
    time::Duration,
};

use codec::Name;
use registry::local::{next_line, say};
use serde_json::Value;
use tokio::{
    net::{UnixStream, unix::OwnedWriteHalf},
    sync::mpsc,
    task::JoinSet,
    time::timeout,
};

use super::{ANSWER_BYTES_MAX, Answer, Request, socket_of};

/// How long a phone may take to answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// How many events are kept while an answer is awaited; more is no phone.
const KEPT_MAX: usize = 4096;

/// Why a phone cannot be commanded.
#[derive(Debug)]
#[non_exhaustive]
pub enum ControlError {
    /// No phone of that name runs on this machine, for this user.
    NotRunning(Name),
    /// It does not answer, or in a way that is not understood.
    NoAnswer(Name),
    /// The file system or the system does not allow it.
    Io(Name, io::Error),
    /// It cannot do that; the text says why.
    Failed(String),
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRunning(name) => write!(
                f,
                "{name}'s phone does not run: start it with ramal-softphone, or ramal-phone --name \
                 {name} answer"
            ),
            Self::NoAnswer(name) => write!(f, "{name}'s phone runs and does not answer"),
            Self::Io(name, error) => write!(f, "cannot ask {name}'s phone: {error}"),
            Self::Failed(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for ControlError {}

impl ControlError {
    fn of(name: &Name, error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => Self::NotRunning(name.clone()),
            ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::UnexpectedEof => {
                Self::NoAnswer(name.clone())
            }
            _ => Self::Io(name.clone(), error),
        }
    }
}

/// Asks for the window of a name's phone that runs on this machine. It blocks for some seconds at
/// most, and needs no runtime.
///
/// # Errors
/// [`ControlError`], above all [`ControlError::NotRunning`].
pub fn bring_to_front(config: &Path, name: &Name) -> Result<(), ControlError> {
    let ask = || {
        let mut stream = StdStream::connect(socket_of(config, name))?;
        stream.set_read_timeout(Some(ANSWERS_WITHIN))?;
        stream.set_write_timeout(Some(ANSWERS_WITHIN))?;
        stream.write_all(b"\"front\"\n")?;
        let mut line = String::new();
        let most = u64::try_from(ANSWER_BYTES_MAX).unwrap_or(u64::MAX);
        BufReader::new(io::Read::take(stream, most)).read_line(&mut line)?;
        Ok(line)
    };
    let line = ask().map_err(|error| ControlError::of(name, error))?;
    match serde_json::from_str(&line) {
        Ok(Answer::Done { .. }) => Ok(()),
        Ok(Answer::Failed { why }) => Err(ControlError::Failed(why)),
        Err(_) => Err(ControlError::NoAnswer(name.clone())),
    }
}

/// A connection to a phone that runs.
#[derive(Debug)]
pub struct Client {
    name: Name,
    write: OwnedWriteHalf,
    lines: mpsc::Receiver<String>,
    /// Events that came while an answer was awaited.
    kept: VecDeque<Value>,
    /// Reads; half a line is not given up.
    _reading: JoinSet<()>,
}

/// What a phone says.
#[derive(Debug)]
enum Heard {
    /// To a request.
    Answer(Answer),
    /// An event, in the shape of [`super::Told`] or of a newer phone.
    Event(Value),
}

impl Client {
    /// Connects to the phone of a name.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn connect(config: &Path, name: &Name) -> Result<Self, ControlError> {
        let connected = UnixStream::connect(socket_of(config, name)).await;
        let stream = connected.map_err(|error| ControlError::of(name, error))?;
        let (read, write) = stream.into_split();
        let (sender, lines) = mpsc::channel(16);
        let mut reading = JoinSet::new();
        reading.spawn(async move {
            let mut read = tokio::io::BufReader::new(read);
            while let Ok(Some(line)) = next_line(&mut read, ANSWER_BYTES_MAX).await {
                if sender.send(line).await.is_err() {
                    break;
                }
            }
        });
        Ok(Self {
            name: name.clone(),
            write,
            lines,
            kept: VecDeque::new(),
            _reading: reading,
        })
    }

    /// Asks, and waits for the answer. Events that come before it are kept.
    ///
    /// # Errors
    /// [`ControlError`], also when the phone cannot do it.
    pub async fn ask(&mut self, request: &Request) -> Result<Answer, ControlError> {
        let no_answer = || ControlError::NoAnswer(self.name.clone());
        let line = serde_json::to_string(request).map_err(|_| no_answer())?;
        let sent = timeout(ANSWERS_WITHIN, say(&mut self.write, &line)).await;
        sent.map_err(|_| no_answer())?
            .map_err(|error| ControlError::of(&self.name, error))?;
        loop {
            let line = timeout(ANSWERS_WITHIN, self.lines.recv()).await;
            let line = line.ok().flatten().ok_or_else(no_answer)?;
            match heard(&line).ok_or_else(no_answer)? {
                Heard::Answer(Answer::Failed { why }) => return Err(ControlError::Failed(why)),
                Heard::Answer(answer) => return Ok(answer),
                Heard::Event(event) if self.kept.len() < KEPT_MAX => self.kept.push_back(event),
                Heard::Event(_) => return Err(no_answer()),
            }
        }
    }

    /// The next event, once [`Request::Events`] was asked; `None` when the phone has ended, or has
    /// left this program because it did not read. Cancel safe.
    pub async fn event(&mut self) -> Option<Value> {
        if let Some(event) = self.kept.pop_front() {
            return Some(event);
        }
        loop {
            let line = self.lines.recv().await?;
            if let Heard::Event(event) = heard(&line)? {
                return Some(event);
            }
        }
    }
}

fn heard(line: &str) -> Option<Heard> {
    let value: Value = serde_json::from_str(line).ok()?;
    match value.get("event") {
        Some(_) => Some(Heard::Event(value)),
        None => serde_json::from_value(value).ok().map(Heard::Answer),
    }
}
