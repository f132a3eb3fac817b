//! What the phone writes: sentences for people, or one JSON object an event for scripts.

use std::{
    io::{self, Write},
    net::SocketAddr,
    time::Duration,
};

use codec::{CallId, Name};
use registry::client::Host;
use serde_json::{Value, json};
use softphone::{
    audio::{Device, Direction},
    call::Reason,
    media::stats::VoiceReport,
};

/// Writes to standard output and standard error, in one of the two forms.
#[derive(Debug)]
pub struct Show {
    json: bool,
}

impl Show {
    /// For scripts (`json`) or for people.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// The name can be called.
    pub fn registered(&self, name: &Name, registry: &Host, listening: SocketAddr) {
        self.event(
            || {
                json!({
                    "event": "registered",
                    "name": name.as_str(),
                    "registry": registry.to_string(),
                    "listening": listening.to_string(),
                })
            },
            || format!("registered as {name} at {registry}"),
        );
    }

    /// Somebody calls.
    pub fn incoming(&self, call: CallId, from: &Name, confirmed: bool) {
        let doubt = if confirmed {
            ""
        } else {
            " (nobody confirms that it is)"
        };
        self.event(
            || {
                json!({
                    "event": "incoming",
                    "call": id(call),
                    "name": from.as_str(),
                    "confirmed": confirmed,
                })
            },
            || format!("{from} calls{doubt}"),
        );
    }

    /// The callee's phone rings.
    pub fn ringing(&self, call: CallId, name: &Name) {
        self.event(
            || json!({"event": "ringing", "call": id(call), "name": name.as_str()}),
            || format!("{name}'s phone rings"),
        );
    }

    /// A call is up.
    pub fn established(&self, call: CallId, name: &Name, setup: Duration) {
        let setup_ms = milliseconds(setup);
        self.event(
            || {
                json!({
                    "event": "established",
                    "call": id(call),
                    "name": name.as_str(),
                    "setup_ms": setup_ms,
                })
            },
            || format!("in a call with {name} (set up in {setup_ms:.0} ms)"),
        );
    }

    /// Figures of the last second; only scripts want them that often.
    pub fn stats(&self, call: CallId, voice: &VoiceReport, round_trip: Option<Duration>) {
        if !self.json {
            return;
        }
        let mut object = json!({
            "event": "stats",
            "call": id(call),
            "rtt_ms": round_trip.map(milliseconds),
        });
        if let (Value::Object(object), Ok(Value::Object(figures))) =
            (&mut object, serde_json::to_value(voice))
        {
            // Two places are more than anybody measures.
            object.extend(
                figures
                    .into_iter()
                    .map(|(name, figure)| match figure.as_f64() {
                        Some(value) if figure.is_f64() => {
                            (name, json!((value * 100.0).round() / 100.0))
                        }
                        _ => (name, figure),
                    }),
            );
        }
        line(&mut io::stdout().lock(), &object.to_string());
    }

    /// A call is over.
    pub fn ended(
        &self,
        call: CallId,
        name: &Name,
        reason: Reason,
        detail: Option<&str>,
        lasted: Option<Duration>,
        registry: &Host,
    ) {
        let why = why(name, reason, detail, registry);
        self.event(
            || {
                json!({
                    "event": "ended",
                    "call": id(call),
                    "name": name.as_str(),
                    "reason": reason.word(),
                    "detail": why,
                    "duration_s": lasted.map(|lasted| milliseconds(lasted).round() / 1000.0),
                })
            },
            || match lasted {
                Some(lasted) => format!("{why}, after {:.0} s", lasted.as_secs_f64()),
                None => why.clone(),
            },
        );
    }

    /// Something else that a person may want to know.
    #[expect(clippy::unused_self, reason = "all that is written is written by this")]
    pub fn note(&self, text: &str) {
        line(&mut io::stderr().lock(), text);
    }

    /// Microphones and loudspeakers.
    pub fn devices(&self, devices: &[Device]) {
        let mut out = io::stdout().lock();
        if !self.json && devices.is_empty() {
            line(
                &mut out,
                "no microphone and no loudspeaker: use files, see --help",
            );
        }
        for Device {
            id,
            name,
            direction,
            is_default,
            is_monitor,
        } in devices
        {
            let is_input = *direction == Direction::Input;
            if self.json {
                let device = json!({
                    "event": "device",
                    "id": id,
                    "name": name,
                    "input": is_input,
                    "output": !is_input,
                    "default_input": is_input && *is_default,
                    "default_output": !is_input && *is_default,
                    "monitor": is_monitor,
                });
                line(&mut out, &device.to_string());
                continue;
            }
            let default = if *is_default { "*" } else { " " };
            let kind = if is_input { "input " } else { "output" };
            // Names come from the sound system, and from whatever was plugged in.
            let (id, name) = (printable(id), printable(name));
            line(
                &mut out,
                &format!("{default} {kind}  {id}\n            {name}"),
            );
        }
    }

    fn event(&self, object: impl FnOnce() -> Value, sentence: impl FnOnce() -> String) {
        let text = if self.json {
            object().to_string()
        } else {
            sentence()
        };
        line(&mut io::stdout().lock(), &text);
    }
}

fn line(out: &mut impl Write, text: &str) {
    // Whoever does not read any more does not need to be told; the call goes on.
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .collect()
}

fn id(call: CallId) -> String {
    format!("{call:?}")
}

fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10_000.0).round() / 10.0
}

/// Why a call is over, in a sentence that names the next step where there is one.
fn why(name: &Name, reason: Reason, detail: Option<&str>, registry: &Host) -> String {
    let detail = detail
        .map(|detail| format!(": {detail}"))
        .unwrap_or_default();
    match reason {
        Reason::Hangup => format!("hung up on {name}"),
        Reason::RemoteHangup => format!("{name} hung up"),
        Reason::Declined => format!("{name} declined the call"),
        Reason::Unavailable => format!("{name} takes no calls now"),
        Reason::Busy => format!("{name} is busy in another call; try again later"),
        Reason::NoAnswer => format!("nobody answered the call with {name}"),
        Reason::Cancelled => format!("{name} gave up"),
        Reason::NotFound => format!("nobody called {name} is registered at {registry}"),
        Reason::Unreachable => format!("{name} cannot be reached{detail}"),
        Reason::RegistryUnreachable => {
            format!("cannot ask the registry {registry} for {name}{detail}")
        }
        Reason::MediaFailed => {
            format!(
                "no voice between here and {name}: a firewall blocks UDP, or {name}'s sound failed"
            )
        }
        Reason::MediaLost => format!("the connection to {name} was lost"),
        Reason::Failed => format!("this phone failed in the call with {name}"),
        Reason::Untrusted => {
            format!("ended for safety: the other phone did not prove to be {name}'s{detail}")
        }
        other => format!("the call with {name} ended: {other}"),
    }
}
