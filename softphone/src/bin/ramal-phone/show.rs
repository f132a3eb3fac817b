//! What the phone writes: sentences for people, or one JSON object an event for scripts.

use std::io::{self, IsTerminal};

use codec::{IdentityKey, Name};
use registry::client::Host;
use serde_json::{Value, json};
use softphone::{
    audio::{Device, Direction},
    control::Told,
    media::silence::Heard,
};

use crate::{
    escape::{printable, printable_json},
    outlet::{Outlet, Weight},
};

/// Writes to standard output and standard error, in one of the two forms. Nothing that it is given
/// can do more to a terminal than be read.
#[derive(Debug)]
pub struct Show {
    pub json: bool,
    /// Every message that the phone sends and receives is written too.
    pub log: bool,
    pub out: Outlet,
    pub notes: Outlet,
}

impl Show {
    /// For scripts (`json`) or for people, on standard output and standard error.
    pub fn new(json: bool, log: bool) -> Self {
        let out = Outlet::new(io::stdout());
        // One terminal has one hand that writes on it, or live rows would be torn.
        let notes = match io::stdout().is_terminal() && io::stderr().is_terminal() {
            true => out.clone(),
            false => Outlet::new(io::stderr()),
        };
        Self {
            json,
            log,
            out,
            notes,
        }
    }

    /// Shows these rows below everything else, or none.
    pub fn live(&self, rows: Option<Vec<String>>) {
        self.out.live(rows);
    }

    /// Draws the live rows anew.
    pub fn redraw(&self) {
        self.out.redraw();
    }

    /// Waits until what was said is written, as long as somebody reads it.
    pub fn flush(&self) {
        self.out.flush();
    }

    /// Takes the live rows away, and waits until all that was said is written, as long as somebody
    /// reads it.
    pub fn finish(&self) {
        self.out.live(None);
        let lost = self.out.flush();
        if lost > 0 {
            self.note(&format!(
                "nobody read the output: {lost} of its lines are lost"
            ));
        }
        self.notes.flush();
    }

    /// A registry is met for the first time.
    pub fn registry_met(&self, host: &Host, key: IdentityKey) {
        self.note(&format!(
            "first time at {host}: its key is {}; it is remembered",
            key.fingerprint()
        ));
    }

    /// Something happened. With it comes whether a key can say that the words of a call agree.
    pub fn told(&self, told: &Told, by_key: bool) {
        if self.json {
            let Ok(object) = serde_json::to_value(told) else {
                return;
            };
            // Figures come again.
            let weight = match told {
                Told::Stats { .. } => Weight::Passing,
                _ => Weight::Kept,
            };
            let object = object.to_string();
            return self.out.line(printable_json(&object).into_owned(), weight);
        }
        let verify = |name: &str| match by_key {
            true => "v when they are the same".to_owned(),
            false => format!("when they are the same: ramal-phone contacts verify {name}"),
        };
        told.sentences(&verify)
            .iter()
            .for_each(|line| self.say(line));
    }

    /// What comes from the other side has changed; scripts have the figures.
    pub fn unheard(&self, name: &Name, heard: Heard) {
        self.note(&match heard {
            Heard::Sound => format!("{name} is heard again"),
            Heard::Silence => {
                format!("nothing but silence comes from {name}: ask if they are muted")
            }
            Heard::Nothing => format!("no sound arrives from {name}"),
        });
    }

    /// The microphone says nothing, or it does again.
    pub fn unspoken(&self, spoken: bool) {
        self.note(match spoken {
            true => "your microphone is heard again",
            false => "your microphone is silent: is it switched off, or is it the wrong one?",
        });
    }

    /// Something else that a person may want to know.
    pub fn note(&self, text: &str) {
        self.notes.line(printable(text).into_owned(), Weight::Kept);
    }

    /// Microphones and loudspeakers.
    pub fn devices(&self, devices: &[Device]) {
        if !self.json && devices.is_empty() {
            self.say("no microphone and no loudspeaker: use files, see --help");
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
                let device = device.to_string();
                self.out
                    .line(printable_json(&device).into_owned(), Weight::Kept);
                continue;
            }
            let default = if *is_default { "*" } else { " " };
            let kind = if is_input { "input " } else { "output" };
            self.say(&format!("{default} {kind}  {id}"));
            self.say(&format!("            {name}"));
        }
    }

    /// The registries that are known.
    pub fn registries(&self, known: &[(Host, IdentityKey)]) {
        if !self.json && known.is_empty() {
            self.say("no registry was met yet");
        }
        for (host, key) in known {
            let fingerprint = key.fingerprint();
            self.event(
                || {
                    json!({
                        "event": "registry",
                        "host": host.to_string(),
                        "key": key.to_string(),
                        "fingerprint": fingerprint,
                    })
                },
                || format!("{host}  {fingerprint}"),
            );
        }
    }

    /// One line of an answer to what a person asked.
    pub fn say(&self, text: &str) {
        let out = if self.json { &self.notes } else { &self.out };
        out.line(printable(text).into_owned(), Weight::Kept);
    }

    /// The answer to a command: an object for scripts, or lines for people.
    pub fn answer(&self, object: &Value, lines: &[String]) {
        if self.json {
            let object = object.to_string();
            self.out
                .line(printable_json(&object).into_owned(), Weight::Kept);
        } else {
            lines.iter().for_each(|line| self.say(line));
        }
    }

    fn event(&self, object: impl FnOnce() -> Value, sentence: impl FnOnce() -> String) {
        let text = if self.json {
            printable_json(&object().to_string()).into_owned()
        } else {
            printable(&sentence()).into_owned()
        };
        self.out.line(text, Weight::Kept);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is written in either form, on both streams together.
    fn written(json: bool, tell: impl FnOnce(&Show)) -> String {
        let written = Written::default();
        let out = Outlet::new(written.clone());
        let show = Show {
            json,
            log: false,
            notes: out.clone(),
            out,
        };
        tell(&show);
        show.finish();
        let bytes = written.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn nothing_that_others_say_moves_the_cursor_or_turns_the_direction() {
        let evil = "\x1b]0;gone\x07\u{9b}2J\n\u{202e}txt";
        let ended = Told::Ended {
            call: "01010101".to_owned(),
            name: "bob".to_owned(),
            reason: "unreachable".to_owned(),
            detail: format!("bob cannot be reached: {evil}"),
            duration_s: None,
        };
        for json in [false, true] {
            let text = written(json, |show| {
                show.note(evil);
                show.say(evil);
                show.told(&ended, false);
                show.devices(&[Device {
                    id: evil.to_owned(),
                    name: evil.to_owned(),
                    direction: Direction::Input,
                    is_default: true,
                    is_monitor: false,
                }]);
            });
            let lines = if json { 4 } else { 5 };
            assert_eq!(text.lines().count(), lines, "{text}");
            let obeyed = |c: char| c != '\n' && c.is_control() || c == '\u{202e}';
            assert!(!text.chars().any(obeyed), "{text:?}");
        }
    }
}
