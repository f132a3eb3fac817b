//! What the phone writes: sentences for people, or one JSON object an event for scripts.

use std::{
    io::{self, IsTerminal},
    net::SocketAddr,
    time::Duration,
};

use codec::{CallId, FourWords, IdentityKey, Name};
use registry::client::Host;
use serde_json::{Value, json};
use softphone::{
    audio::{Device, Direction},
    call::{Hold, Reason},
    contacts::Standing,
    media::{silence::Heard, stats::VoiceReport},
};

use crate::{
    escape::{printable, printable_json},
    outlet::{Outlet, Weight},
    screen::clock,
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

    /// The name can be called.
    pub fn registered(&self, name: &Name, registry: &Host, listening: Option<SocketAddr>) {
        self.event(
            || {
                json!({
                    "event": "registered",
                    "name": name.as_str(),
                    "registry": registry.to_string(),
                    "listening": listening.map(|listening| listening.to_string()),
                })
            },
            || format!("registered as {name} at {registry}"),
        );
    }

    /// Somebody calls: whether the registry confirms the name, and what is known of them.
    pub fn incoming(
        &self,
        call: CallId,
        from: &Name,
        (confirmed, standing): (bool, Standing),
        waiting: bool,
    ) {
        let meanwhile = if waiting { " meanwhile" } else { "" };
        // A key that was pinned may have been stolen and replaced since: only a registry knows.
        let doubt = match (standing, confirmed) {
            (Standing::Verified, true) => " (verified)".to_owned(),
            (Standing::Verified, false) => {
                format!(" (verified, but nobody confirms now that it is {from})")
            }
            (Standing::Known, true) => String::new(),
            (Standing::Known, false) => format!(" (nobody confirms now that it is {from})"),
            (_, true) => " for the first time".to_owned(),
            (_, false) => format!(" for the first time (nobody confirms that it is {from})"),
        };
        self.event(
            || {
                json!({
                    "event": "incoming",
                    "call": id(call),
                    "name": from.as_str(),
                    "confirmed": confirmed,
                    "known": standing.is_known(),
                    "verified": standing == Standing::Verified,
                    "waiting": waiting,
                })
            },
            || format!("{from} calls{meanwhile}{doubt}"),
        );
    }

    /// Somebody called and was not let in.
    pub fn turned_away(&self, from: &Name, confirmed: bool, standing: Standing) {
        let doubt = match confirmed {
            true => String::new(),
            false => format!(" (nobody confirms that it was {from})"),
        };
        self.event(
            || {
                json!({
                    "event": "turned_away",
                    "name": from.as_str(),
                    "confirmed": confirmed,
                    "known": standing.is_known(),
                    "verified": standing == Standing::Verified,
                })
            },
            || format!("{from} called{doubt} and was not let in"),
        );
    }

    /// Somebody called under a name that was another identity's in the calls before.
    pub fn identity_changed(&self, name: &Name) {
        self.event(
            || json!({"event": "identity_changed", "name": name.as_str()}),
            || {
                format!(
                    "WARNING: somebody called as {name} who is not the {name} of your calls \
                     before, and was not let in: {}",
                    ask_another_way(name)
                )
            },
        );
    }

    /// The words of a call were the same on both sides.
    pub fn verified(&self, call: CallId, name: &Name) {
        self.event(
            || json!({"event": "verified", "call": id(call), "name": name.as_str()}),
            || format!("{name} is verified: nobody is in between"),
        );
    }

    /// The callee's phone rings.
    pub fn ringing(&self, call: CallId, name: &Name) {
        self.event(
            || json!({"event": "ringing", "call": id(call), "name": name.as_str()}),
            || format!("{name}'s phone rings"),
        );
    }

    /// A call is up. The four words are one string, with a space between each two. With what was
    /// known of the other comes whether a key can say that the words are the same.
    pub fn established(
        &self,
        call: CallId,
        name: &Name,
        setup: Duration,
        words: FourWords,
        (standing, by_key): (Standing, bool),
    ) {
        let setup_ms = milliseconds(setup);
        let verified = standing == Standing::Verified;
        let mark = if verified { ", verified" } else { "" };
        self.event(
            || {
                json!({
                    "event": "established",
                    "call": id(call),
                    "name": name.as_str(),
                    "setup_ms": setup_ms,
                    "words": words.to_string(),
                    "known": standing.is_known(),
                    "verified": verified,
                })
            },
            || format!("in a call with {name}{mark} (set up in {setup_ms:.0} ms)"),
        );
        if self.json {
            return;
        }
        if !standing.is_known() {
            self.say(&format!(
                "this is the first call with {name}: only the words show whether somebody is in \
                 between"
            ));
        }
        let next = match (verified, by_key) {
            (true, _) => String::new(),
            (false, true) => " - read them to each other; v when they are the same".to_owned(),
            (false, false) => format!(
                " - read them to each other; when they are the same: ramal-phone contacts verify \
                 {name}"
            ),
        };
        self.say(&format!("words: {words}{next}"));
    }

    /// Two calls between the same two became one.
    pub fn merged(&self, ended: CallId, call: CallId, name: &Name) {
        self.event(
            || {
                json!({
                    "event": "merged",
                    "call": id(call),
                    "ended": id(ended),
                    "name": name.as_str(),
                })
            },
            || format!("{name} calls too: the two calls become one"),
        );
    }

    /// A call is held, or goes on.
    pub fn held(&self, call: CallId, name: &Name, hold: Hold) {
        let (word, sentence) = match hold {
            Hold::No => ("no", format!("the call with {name} goes on")),
            Hold::Here => ("here", format!("{name} is on hold")),
            Hold::There => ("there", format!("{name} has put the call on hold")),
            Hold::Both => (
                "both",
                format!("both have put the call with {name} on hold"),
            ),
        };
        self.event(
            || json!({"event": "held", "call": id(call), "name": name.as_str(), "hold": word}),
            || sentence,
        );
    }

    /// Nothing is heard of the other phone.
    pub fn reconnecting(&self, call: CallId, name: &Name) {
        self.event(
            || json!({"event": "reconnecting", "call": id(call), "name": name.as_str()}),
            || format!("nothing is heard of {name}'s phone: reconnecting"),
        );
    }

    /// The other phone is heard again.
    pub fn reconnected(&self, call: CallId, name: &Name) {
        self.event(
            || json!({"event": "reconnected", "call": id(call), "name": name.as_str()}),
            || format!("{name}'s phone is heard again"),
        );
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
        let object = object.to_string();
        self.out
            .line(printable_json(&object).into_owned(), Weight::Passing);
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
        if reason == Reason::Merged && !self.json {
            // People were told when it merged.
            return;
        }
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
                Some(lasted) if lasted.as_secs() < 60 => {
                    format!("{why}, after {:.0} s", lasted.as_secs_f64())
                }
                Some(lasted) => format!("{why}, after {}", clock(lasted)),
                None => why.clone(),
            },
        );
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
        Reason::DeclinedHere => format!("declined the call from {name}"),
        Reason::AnsweredElsewhere => {
            format!("the call from {name} was answered on another of your phones")
        }
        Reason::DeclinedElsewhere => {
            format!("the call from {name} was declined on another of your phones")
        }
        Reason::Merged => format!("{name} called too: the two calls became one"),
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
        Reason::IdentityChanged => format!(
            "ended for safety: whoever is called {name} now is not the {name} of your calls \
             before: {}",
            ask_another_way(name)
        ),
        other => format!("the call with {name} ended: {other}"),
    }
}

/// What to do about a name that somebody else has now.
fn ask_another_way(name: &Name) -> String {
    format!(
        "a new key of theirs, or somebody who pretends to be them. Ask {name} in another way; if \
         the new one is right: ramal-phone contacts forget {name}"
    )
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::fixture::words;

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
        let host: Host = "localhost".parse().unwrap();
        let name: Name = "bob".parse().unwrap();
        let call = CallId([1; 16]);
        for json in [false, true] {
            let text = written(json, |show| {
                show.note(evil);
                show.say(evil);
                show.ended(call, &name, Reason::Unreachable, Some(evil), None, &host);
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

    #[test]
    fn every_reason_has_a_sentence_with_the_name_in_it() {
        let host: Host = "localhost".parse().unwrap();
        let name: Name = "bob".parse().unwrap();
        for reason in [
            Reason::Hangup,
            Reason::DeclinedHere,
            Reason::AnsweredElsewhere,
            Reason::DeclinedElsewhere,
            Reason::Merged,
            Reason::MediaLost,
            Reason::IdentityChanged,
        ] {
            let sentence = why(&name, reason, None, &host);
            assert!(sentence.contains("bob"), "{sentence}");
            assert!(!sentence.contains(reason.word()), "{sentence}");
        }
    }

    #[test]
    fn a_known_key_that_no_registry_confirms_is_said_to_be_so() {
        let (name, call): (Name, _) = ("kira".parse().unwrap(), CallId([1; 16]));
        let calls = |confirmed, standing| {
            written(false, |show| {
                show.incoming(call, &name, (confirmed, standing), false);
            })
        };
        assert_eq!(calls(true, Standing::Known), "kira calls\n");
        for standing in [Standing::Known, Standing::Verified, Standing::Stranger] {
            assert!(!calls(true, standing).contains("nobody"));
            let said = calls(false, standing);
            assert!(
                said.contains("nobody confirms") && said.contains("that it is kira)"),
                "{said}"
            );
            let away = written(false, |show| show.turned_away(&name, false, standing));
            assert!(away.contains("nobody confirms that it was kira"), "{away}");
        }
    }

    #[test]
    fn the_words_of_a_call_are_shown_with_what_to_do_about_them() {
        let (name, call): (Name, _) = ("bob".parse().unwrap(), CallId([1; 16]));
        let words = words();
        let up = |standing| {
            move |show: &Show| show.established(call, &name, Duration::ZERO, words, standing)
        };
        let first = written(false, up.clone()((Standing::Stranger, true)));
        assert!(
            first.contains("first call with bob: only the words show"),
            "{first}"
        );
        assert!(
            first.contains("words: runway sunset wolf brand - read them"),
            "{first}"
        );
        let known = written(false, up.clone()((Standing::Known, true)));
        assert!(
            !known.contains("first call") && known.contains("; v when they are the same"),
            "{known}"
        );
        // Where there are no keys, a command does it.
        let piped = written(false, up.clone()((Standing::Known, false)));
        assert!(
            piped.contains("ramal-phone contacts verify bob") && !piped.contains("; v "),
            "{piped}"
        );
        let verified = written(false, up.clone()((Standing::Verified, false)));
        assert!(verified.contains("bob, verified") && !verified.contains("read them"));
        let json = written(true, up((Standing::Verified, true)));
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["words"], "runway sunset wolf brand");
        assert_eq!(
            (&json["known"], &json["verified"]),
            (&true.into(), &true.into())
        );
    }

    #[test]
    fn two_calls_that_became_one_are_told_to_people_once_and_to_scripts_twice() {
        let host: Host = "localhost".parse().unwrap();
        let name: Name = "bob".parse().unwrap();
        let (ended, call) = (CallId([1; 16]), CallId([2; 16]));
        let tell = |show: &Show| {
            show.merged(ended, call, &name);
            show.ended(ended, &name, Reason::Merged, None, None, &host);
            show.held(call, &name, Hold::There);
        };
        assert_eq!(
            written(false, tell),
            "bob calls too: the two calls become one\nbob has put the call on hold\n"
        );
        let json = written(true, tell);
        let words = ["\"merged\"", "\"reason\":\"merged\"", "\"hold\":\"there\""];
        for (line, word) in json.lines().zip(words) {
            assert!(line.contains(word), "{line}");
        }
        assert_eq!(json.lines().count(), 3);
    }
}
