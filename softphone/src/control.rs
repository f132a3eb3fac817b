//! A phone that runs is commanded by other programs of the same person: over a socket in the folder
//! of its name, `phone.sock`, by lines of JSON. `docs/control.md` has their shapes.
//!
//! Who may open the socket's file may command the phone. Everything is bounded: connections, lines,
//! what waits for a program that does not read. The phone never waits for any of them.

use std::path::{Path, PathBuf};

use codec::Name;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::settings::folder_of;

mod client;
mod socket;
mod told;

pub use client::{Client, ControlError, bring_to_front};
pub(crate) use socket::{Ask, EVENTS_MAX, Open, Reply, serve};
pub use told::{HoldWord, Told, clock, id};

/// The longest line of a request, in bytes.
pub const REQUEST_BYTES_MAX: usize = 4096;

/// The longest line of an answer or an event, in bytes.
pub const ANSWER_BYTES_MAX: usize = 65_536;

/// Where the socket of a name's phone is.
#[must_use]
pub fn socket_of(config: &Path, name: &Name) -> PathBuf {
    socket_in(&folder_of(config, name))
}

/// Where it is in the folder of that name.
pub(crate) fn socket_in(folder: &Path) -> PathBuf {
    folder.join("phone.sock")
}

/// What a program asks. A request without anything more is its word alone: `"status"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Call somebody.
    Call {
        /// A name, or a name at an address.
        target: String,
    },
    /// Take a call.
    Answer {
        /// Which one; else the one that rings.
        #[serde(default)]
        call: Option<String>,
    },
    /// Decline a call.
    Decline {
        /// Which one; else the one that rings.
        #[serde(default)]
        call: Option<String>,
    },
    /// End a call.
    Hangup {
        /// Which one; else the one that is meant.
        #[serde(default)]
        call: Option<String>,
    },
    /// Send silence in place of the microphone, or the microphone again.
    Mute(bool),
    /// Put the call that is meant on hold, or go on with it.
    Hold(bool),
    /// Take no calls, or take them again.
    Dnd(bool),
    /// Be away, or back.
    Away(bool),
    /// The words of a call are the same on both sides.
    Verify {
        /// Which one; else the one that is meant.
        #[serde(default)]
        call: Option<String>,
    },
    /// How everything stands.
    Status {},
    /// Forget the calls that are over.
    ClearHistory {},
    /// Tell every event from now on.
    Events {},
    /// Bring the window to the front.
    Front {},
    /// End every call, unregister, and end the program.
    Quit {},
}

impl Request {
    /// Reads a line.
    ///
    /// # Errors
    /// Why it is none, for people.
    pub fn read(line: &str) -> Result<Self, String> {
        let no_request = |error: serde_json::Error| format!("that is no request: {error}");
        let value = match serde_json::from_str(line).map_err(no_request)? {
            Value::String(word) => {
                let nothing_more = Value::Object(Map::new());
                Value::Object(Map::from_iter([(word, nothing_more)]))
            }
            value => value,
        };
        serde_json::from_value(value).map_err(no_request)
    }
}

/// What is answered: one line for each request, in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It is done, or on its way.
    Done {
        /// The call that it is about, if it is about one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        call: Option<String>,
        /// To [`Request::Status`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<Box<Status>>,
    },
    /// It cannot be done.
    Failed {
        /// Why, for people.
        why: String,
    },
}

/// How everything stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The name that others call.
    pub name: String,
    /// Where it is registered.
    pub registry: String,
    /// `yes`, `no` or `trying`.
    pub registered: String,
    /// Why it is not, as far as that was told.
    pub why_not: Option<String>,
    /// Where the phone listens for others; nowhere if it is hidden.
    pub listening: Option<String>,
    /// No voice is sent.
    pub muted: bool,
    /// The person is away.
    pub away: bool,
    /// The person is not to be disturbed.
    pub dnd: bool,
    /// `everyone`, `contacts` or `nobody`.
    pub callers: String,
    /// In the order in which they came.
    pub calls: Vec<CallStatus>,
}

/// How a call stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallStatus {
    /// Which one.
    pub call: String,
    /// With whom.
    pub name: String,
    /// `incoming` or `outgoing`.
    pub direction: String,
    /// `calling`, `ringing` (there), `incoming` (it rings here), `connecting` or `established`.
    pub stage: String,
    /// For how long it is that far, in seconds.
    pub since_s: f64,
    /// By whom it is held.
    pub hold: HoldWord,
    /// Nothing is heard of the other phone.
    pub reconnecting: bool,
    /// What the two can read to each other, once it is up.
    pub words: Option<String>,
    /// They have, in this call or in one before.
    pub verified: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_lines_that_a_script_can_write() {
        let target = "bob".to_owned();
        for (line, request) in [
            (r#"{"call":{"target":"bob"}}"#, Request::Call { target }),
            (r#""answer""#, Request::Answer { call: None }),
            (r#""hangup""#, Request::Hangup { call: None }),
            (
                r#"{"hangup":{"call":"9f226762"}}"#,
                Request::Hangup {
                    call: Some("9f226762".to_owned()),
                },
            ),
            (r#"{"mute":true}"#, Request::Mute(true)),
            (r#"{"hold":false}"#, Request::Hold(false)),
            (r#""status""#, Request::Status {}),
            (r#""quit""#, Request::Quit {}),
        ] {
            assert_eq!(Request::read(line), Ok(request.clone()), "{line}");
            let written = serde_json::to_string(&request).unwrap();
            assert_eq!(Request::read(&written), Ok(request), "{written}");
        }
        let deep = "[".repeat(4000);
        for wrong in [
            "",
            "{",
            "1",
            r#""mute""#,
            r#""reboot""#,
            r#"{"status":{"x":1}}"#,
            &deep,
        ] {
            assert!(Request::read(wrong).is_err(), "{wrong}");
        }
    }
}
