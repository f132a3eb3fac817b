//! A phone that runs already, in a window or another terminal: it is commanded over its socket, and
//! what it tells is written here as usual.

use std::{path::Path, process::ExitCode, time::Duration};

use clap::{Subcommand, ValueEnum};
use codec::Name;
use registry::cli;
use serde_json::{Value, json};
use softphone::{
    call::Reason,
    control::{Answer, Client, ControlError, HoldWord, Request, Status, Told, clock},
    phone::Target,
};
use tokio::time::{Instant, sleep_until};

use crate::{
    General, name,
    show::Show,
    signals::{Asked, Signals},
};

/// What can be asked of a phone that runs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// How everything stands: registration, calls, and what is switched
    Status,
    /// Brings its window to the front
    Show,
    /// Writes how everything stands and then what happens, until interrupted
    Events,
    /// Takes a call
    Answer {
        /// Which one [default: the one that rings]
        call: Option<String>,
    },
    /// Declines a call
    Decline {
        /// Which one [default: the one that rings]
        call: Option<String>,
    },
    /// Ends a call
    HangUp {
        /// Which one [default: the one that is spoken in]
        call: Option<String>,
    },
    /// Sends silence in place of the microphone, or the microphone again
    Mute {
        /// Whether from now on
        #[arg(default_value = "on")]
        switch: Switch,
    },
    /// Puts the call on hold, or goes on with it
    Hold {
        /// Whether from now on
        #[arg(default_value = "on")]
        switch: Switch,
    },
    /// Takes no calls, or takes them again
    Dnd {
        /// Whether from now on
        #[arg(default_value = "on")]
        switch: Switch,
    },
    /// Says that the person is away, or back
    Away {
        /// Whether from now on
        #[arg(default_value = "on")]
        switch: Switch,
    },
    /// The four words of a call were the same on both sides
    Verify {
        /// Which one [default: the one that is up]
        call: Option<String>,
    },
    /// Ends every call, and the phone
    Quit,
}

/// Whether something is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// It is
    On,
    /// It is not
    Off,
}

impl Command {
    fn request(&self) -> Request {
        let on = |switch: &Switch| *switch == Switch::On;
        match self {
            Self::Status => Request::Status {},
            Self::Show => Request::Front {},
            Self::Events => Request::Events {},
            Self::Answer { call } => Request::Answer { call: call.clone() },
            Self::Decline { call } => Request::Decline { call: call.clone() },
            Self::HangUp { call } => Request::Hangup { call: call.clone() },
            Self::Mute { switch } => Request::Mute(on(switch)),
            Self::Hold { switch } => Request::Hold(on(switch)),
            Self::Dnd { switch } => Request::Dnd(on(switch)),
            Self::Away { switch } => Request::Away(on(switch)),
            Self::Verify { call } => Request::Verify { call: call.clone() },
            Self::Quit => Request::Quit {},
        }
    }
}

/// Does it.
///
/// # Errors
/// Why it cannot be done, with the next step.
pub fn run(command: &Command, general: &General, show: &Show) -> Result<ExitCode, String> {
    let config = general.folder()?;
    let name = name(general.name.as_deref(), &config)?;
    cli::block_on(async {
        match ask(&config, &name, command, show).await {
            Ok(()) => Ok(ExitCode::SUCCESS),
            Err(error @ ControlError::NotRunning(_)) => Ok(cli::complain(1, &error.to_string())),
            Err(error) => Err(error.to_string()),
        }
    })
}

async fn ask(
    config: &Path,
    name: &Name,
    command: &Command,
    show: &Show,
) -> Result<(), ControlError> {
    let mut phone = Client::connect(config, name).await?;
    let follows = matches!(command, Command::Events);
    let mut answer = phone.ask(&command.request()).await?;
    if follows {
        // How everything stands comes first: from there on nothing is missed.
        answer = phone.ask(&Request::Status {}).await?;
    }
    let Answer::Done { call, status } = answer else {
        return Ok(());
    };
    match status {
        Some(status) => show.answer(&status_object(&status), &status_lines(&status)),
        None => show.answer(&json!({ "event": "done", "call": call }), &[]),
    }
    if follows {
        while let Some(event) = phone.event().await {
            tell(&event, show);
        }
    }
    Ok(())
}

/// Writes an event as usual. One that only a newer phone knows is for scripts.
fn tell(event: &Value, show: &Show) -> Option<Told> {
    match serde_json::from_value(event.clone()) {
        Ok(told) => {
            show.told(&told, false);
            Some(told)
        }
        Err(_) if show.json => {
            show.answer(event, &[]);
            None
        }
        Err(_) => None,
    }
}

fn status_object(status: &Status) -> Value {
    let mut object = serde_json::to_value(status).unwrap_or_default();
    if let Value::Object(fields) = &mut object {
        fields.insert("event".to_owned(), "status".into());
    }
    object
}

/// How everything stands, for people.
fn status_lines(status: &Status) -> Vec<String> {
    let Status { name, registry, .. } = status;
    let why = status.why_not.as_deref().map(|why| format!(": {why}"));
    let mut lines = vec![match status.registered.as_str() {
        "yes" => format!("registered as {name} at {registry}"),
        "no" => format!("not registered at {registry}{}", why.unwrap_or_default()),
        _ => format!("registering as {name} at {registry}"),
    }];
    for (is_so, said) in [
        (status.muted, "the microphone is muted"),
        (status.away, "away"),
        (status.dnd, "taking no calls"),
        (
            status.callers == "contacts",
            "taking calls of contacts only",
        ),
        (status.callers == "nobody", "taking nobody's calls"),
    ] {
        if is_so {
            lines.push(said.to_owned());
        }
    }
    if status.calls.is_empty() {
        lines.push("no calls".to_owned());
    }
    for call in &status.calls {
        let since = Duration::try_from_secs_f64(call.since_s).unwrap_or_default();
        let how = match (call.stage.as_str(), call.hold) {
            ("calling", _) => "being looked for".to_owned(),
            ("ringing", _) => "their phone rings".to_owned(),
            ("incoming", _) => "calls you".to_owned(),
            ("established", HoldWord::No) if call.reconnecting => "reconnecting".to_owned(),
            ("established", HoldWord::No) => "in a call".to_owned(),
            ("established", _) => "on hold".to_owned(),
            (stage, _) => stage.to_owned(),
        };
        let verified = if call.verified { ", verified" } else { "" };
        lines.push(format!(
            "{}  {}: {how} {}{verified}",
            call.call,
            call.name,
            clock(since)
        ));
        if let Some(words) = call.words.as_ref().filter(|_| !call.verified) {
            lines.push(format!("          words: {words}"));
        }
    }
    lines
}

/// A call that another program makes for this one.
struct Followed {
    call: String,
    up: bool,
    /// The system asked this program to end.
    interrupted: Option<u8>,
    lasting: Option<Duration>,
    /// When to hang up.
    deadline: Option<Instant>,
}

/// How a person's own call is to be.
pub struct Wanted {
    /// Whom.
    pub target: Target,
    /// How long it lasts.
    pub lasting: Option<Duration>,
    /// For how long it rings.
    pub ring: Option<Duration>,
}

/// Has the phone that runs call somebody, and follows the call to its end.
///
/// # Errors
/// Why there is no call, with the next step.
pub async fn call(
    mut phone: Client,
    name: &Name,
    wanted: Wanted,
    show: &Show,
) -> Result<ExitCode, String> {
    let failed = |error: ControlError| error.to_string();
    let mut signals = Signals::new(false).map_err(|error| error.to_string())?;
    show.note(&format!(
        "{name}'s phone runs already, and makes the call with its own sound"
    ));
    phone.ask(&Request::Events {}).await.map_err(failed)?;
    let target = wanted.target.to_string();
    let answer = phone.ask(&Request::Call { target }).await.map_err(failed)?;
    let Answer::Done {
        call: Some(call), ..
    } = answer
    else {
        return Err(format!(
            "{name}'s phone is of another version; start it anew"
        ));
    };
    let mut followed = Followed {
        call,
        up: false,
        interrupted: None,
        lasting: wanted.lasting,
        deadline: wanted.ring.map(|ring| Instant::now() + ring),
    };
    loop {
        let deadline = followed.deadline;
        tokio::select! {
            event = phone.event() => match event {
                Some(event) => {
                    if let Some(code) = followed.hear(&event, show) {
                        return Ok(code);
                    }
                    continue;
                }
                None => return Err(format!("{name}'s phone has ended")),
            },
            asked = signals.next() => match asked {
                // Asked twice, or to quit at once: the call goes on.
                Asked::End(number) if followed.interrupted.is_some() || number == 3 => {
                    return Ok(ExitCode::from(128 + number));
                }
                Asked::End(number) => followed.interrupted = Some(number),
                Asked::Continue | Asked::Resized => continue,
            },
            () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {}
        }
        // The time has come, or the person has interrupted it.
        followed.deadline = None;
        let call = Some(followed.call.clone());
        match phone.ask(&Request::Hangup { call }).await {
            // It has ended just now.
            Ok(_) | Err(ControlError::Failed(_)) => {}
            Err(error) => return Err(error.to_string()),
        }
    }
}

impl Followed {
    /// Writes what happens in the call; at its end comes the exit code.
    fn hear(&mut self, event: &Value, show: &Show) -> Option<ExitCode> {
        let merged = event["event"] == "merged" && event["ended"] == self.call.as_str();
        if event["call"] != self.call.as_str() && !merged {
            return None;
        }
        match tell(event, show)? {
            Told::Merged { call, .. } if merged => self.call = call,
            Told::Established { .. } => {
                self.up = true;
                self.deadline = self.lasting.map(|lasting| Instant::now() + lasting);
            }
            // It goes on as another one.
            Told::Ended { reason, .. } if reason == Reason::Merged.word() => {}
            Told::Ended { reason, .. } => return Some(self.code(&reason)),
            _ => {}
        }
        None
    }

    fn code(&self, reason: &str) -> ExitCode {
        let normally = [Reason::Hangup, Reason::RemoteHangup].map(Reason::word);
        ExitCode::from(match (self.interrupted, self.up) {
            (Some(_), true) if self.lasting.is_some() => 0,
            (Some(number), _) => 128 + number,
            (None, true) if normally.contains(&reason) => 0,
            (None, true) => 2,
            (None, false) if reason == Reason::Failed.word() => 2,
            (None, false) => 1,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::outlet::Outlet;

    fn followed(lasting: Option<Duration>) -> Followed {
        Followed {
            call: "01010101".to_owned(),
            up: false,
            interrupted: None,
            lasting,
            deadline: None,
        }
    }

    fn show() -> Show {
        Show {
            json: true,
            log: false,
            out: Outlet::new(io::sink()),
            notes: Outlet::new(io::sink()),
        }
    }

    fn ended(call: &str, reason: &str) -> Value {
        json!({"event": "ended", "call": call, "name": "bob", "reason": reason,
               "detail": "", "duration_s": null})
    }

    fn established(call: &str) -> Value {
        json!({"event": "established", "call": call, "name": "bob", "setup_ms": 1.0,
               "words": "", "known": true, "verified": true})
    }

    /// What the program ends with when this happens.
    fn code(followed: &mut Followed, events: &[Value]) -> Option<String> {
        let mut codes = events.iter().map(|event| followed.hear(event, &show()));
        codes.find_map(|code| code.map(|code| format!("{code:?}")))
    }

    fn exit(code: u8) -> Option<String> {
        Some(format!("{:?}", ExitCode::from(code)))
    }

    #[test]
    fn a_call_that_another_phone_makes_ends_with_the_same_exit_codes() {
        let (call, other) = ("01010101", "02020202");
        for (reason, up, code_is) in [
            ("remote_hangup", true, 0),
            ("hangup", true, 0),
            ("media_lost", true, 2),
            ("not_found", false, 1),
            ("busy", false, 1),
            ("failed", false, 2),
        ] {
            let mut followed = followed(None);
            let mut events = vec![ended(other, "remote_hangup"), json!({"event": "newer"})];
            events.extend(up.then(|| established(call)));
            assert_eq!(code(&mut followed, &events), None);
            assert_eq!(
                code(&mut followed, &[ended(call, reason)]),
                exit(code_is),
                "{reason}"
            );
        }
        let mut stopped = followed(None);
        stopped.interrupted = Some(2);
        let over = [established(call), ended(call, "hangup")];
        assert_eq!(code(&mut stopped, &over), exit(130));
        let mut timed = followed(Some(Duration::from_secs(1)));
        timed.interrupted = Some(2);
        assert_eq!(code(&mut timed, &over), exit(0));
    }

    #[test]
    fn a_call_that_becomes_one_with_the_callees_is_followed_in_either_order() {
        let (call, other) = ("01010101", "02020202");
        let merged = json!({"event": "merged", "call": other, "ended": call, "name": "bob"});
        for order in [
            vec![merged.clone(), ended(call, "merged")],
            vec![ended(call, "merged"), merged],
        ] {
            let mut followed = followed(None);
            assert_eq!(code(&mut followed, &order), None);
            let over = [established(other), ended(other, "remote_hangup")];
            assert_eq!(code(&mut followed, &over), exit(0));
        }
    }
}
