//! What is told of a phone: one object an event for scripts, and sentences for people. It is the
//! same whether the phone runs in the program that tells it or in another one. PURE.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use codec::{CallId, Name};
use registry::client::Host;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    board::Board,
    call::{Hold, Reason},
    contacts::Standing,
    engine,
    phone::{Event, Why},
};

/// An event in the shape of `ramal-phone --json`: `event` is its kind, the rest are its fields.
/// Calls are named by the first 8 digits of their ids.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[expect(missing_docs, reason = "docs/control.md has every field")]
pub enum Told {
    /// The name can be called.
    Registered {
        name: String,
        registry: String,
        listening: Option<String>,
    },
    /// Somebody calls.
    Incoming {
        call: String,
        name: String,
        confirmed: bool,
        known: bool,
        verified: bool,
        waiting: bool,
    },
    /// Somebody called and was not let in.
    TurnedAway {
        name: String,
        confirmed: bool,
        known: bool,
        verified: bool,
    },
    /// Somebody called under a name that was another identity's in the calls before.
    IdentityChanged { name: String },
    /// The words of a call were the same on both sides.
    Verified { call: String, name: String },
    /// The callee's phone rings.
    Ringing { call: String, name: String },
    /// A call is up.
    Established {
        call: String,
        name: String,
        setup_ms: f64,
        words: String,
        known: bool,
        verified: bool,
    },
    /// Two calls between the same two became one.
    Merged {
        call: String,
        ended: String,
        name: String,
    },
    /// A call is held, or goes on.
    Held {
        call: String,
        name: String,
        hold: HoldWord,
    },
    /// Nothing is heard of the other phone.
    Reconnecting { call: String, name: String },
    /// The other phone is heard again.
    Reconnected { call: String, name: String },
    /// Figures of the last second.
    Stats {
        call: String,
        rtt_ms: Option<f64>,
        network_ms: Option<f64>,
        #[serde(flatten)]
        figures: Map<String, Value>,
    },
    /// A call is over.
    Ended {
        call: String,
        name: String,
        reason: String,
        detail: String,
        duration_s: Option<f64>,
    },
}

/// By whom a call is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "they are those of `Hold`")]
pub enum HoldWord {
    No,
    Here,
    There,
    Both,
}

impl From<Hold> for HoldWord {
    fn from(hold: Hold) -> Self {
        match hold {
            Hold::No => Self::No,
            Hold::Here => Self::Here,
            Hold::There => Self::There,
            Hold::Both => Self::Both,
        }
    }
}

/// How scripts name a call.
#[must_use]
pub fn id(call: CallId) -> String {
    format!("{call:?}")
}

impl Told {
    /// What is told of an event, if anything; `board` has not heard it yet.
    #[must_use]
    pub fn of(
        event: &engine::Event,
        board: &Board,
        listening: Option<SocketAddr>,
        now: Instant,
    ) -> Option<Self> {
        match event {
            engine::Event::Phone(event) => Self::of_named(event, board)
                .or_else(|| Self::of_phone(event, board, listening, now)),
            engine::Event::Stats {
                call,
                voice,
                round_trip,
            } => Some(Self::Stats {
                call: id(*call),
                rtt_ms: round_trip.map(milliseconds),
                network_ms: round_trip.map(|there| milliseconds(there / 2)),
                figures: figures(serde_json::to_value(voice).ok()?),
            }),
            _ => None,
        }
    }

    /// Of events that name their call by its id only.
    fn of_named(event: &Event, board: &Board) -> Option<Self> {
        let named = |call: &CallId| {
            let seen = board.seen(*call)?;
            Some((id(*call), seen.name.as_str().to_owned()))
        };
        Some(match event {
            Event::Verified { call } => {
                let (call, name) = named(call)?;
                Self::Verified { call, name }
            }
            Event::Ringing { call } => {
                let (call, name) = named(call)?;
                Self::Ringing { call, name }
            }
            Event::Held { call, hold } => {
                let (call, name) = named(call)?;
                let hold = (*hold).into();
                Self::Held { call, name, hold }
            }
            Event::Reconnecting { call } => {
                let (call, name) = named(call)?;
                Self::Reconnecting { call, name }
            }
            Event::Reconnected { call } => {
                let (call, name) = named(call)?;
                Self::Reconnected { call, name }
            }
            _ => return None,
        })
    }

    fn of_phone(
        event: &Event,
        board: &Board,
        listening: Option<SocketAddr>,
        now: Instant,
    ) -> Option<Self> {
        let known = |standing: &Standing| (standing.is_known(), *standing == Standing::Verified);
        let text = |name: &Name| name.as_str().to_owned();
        Some(match event {
            Event::Registered => Self::Registered {
                name: text(&board.name),
                registry: board.registry.clone(),
                listening: listening.map(|listening| listening.to_string()),
            },
            Event::Incoming {
                call,
                from,
                confirmed,
                waiting,
                standing,
            } => {
                let (known, verified) = known(standing);
                Self::Incoming {
                    call: id(*call),
                    name: text(&from.name),
                    confirmed: *confirmed,
                    known,
                    verified,
                    waiting: *waiting,
                }
            }
            Event::TurnedAway {
                from,
                confirmed,
                standing,
            } => {
                let (known, verified) = known(standing);
                Self::TurnedAway {
                    name: text(&from.name),
                    confirmed: *confirmed,
                    known,
                    verified,
                }
            }
            Event::IdentityChanged { name } => Self::IdentityChanged { name: text(name) },
            Event::Established {
                call,
                name,
                setup,
                words,
                standing,
            } => {
                let (known, verified) = known(standing);
                Self::Established {
                    call: id(*call),
                    name: text(name),
                    setup_ms: milliseconds(*setup),
                    words: words.to_string(),
                    known,
                    verified,
                }
            }
            Event::Merged { ended, call, name } => Self::Merged {
                call: id(*call),
                ended: id(*ended),
                name: text(name),
            },
            Event::Ended {
                call,
                name,
                reason,
                detail,
            } => {
                let seen = board.seen(*call);
                let lasted = seen.and_then(|seen| seen.lasted(now));
                let asked = seen.and_then(|seen| seen.host.as_ref());
                Self::Ended {
                    call: id(*call),
                    name: text(name),
                    reason: reason.word().to_owned(),
                    detail: why(
                        name,
                        *reason,
                        detail.as_ref(),
                        asked.unwrap_or(board.host()),
                    ),
                    duration_s: lasted.map(|lasted| milliseconds(lasted).round() / 1000.0),
                }
            }
            _ => return None,
        })
    }

    /// The call that it is about, as scripts name it.
    #[must_use]
    pub fn call(&self) -> Option<&str> {
        match self {
            Self::Incoming { call, .. }
            | Self::Verified { call, .. }
            | Self::Ringing { call, .. }
            | Self::Established { call, .. }
            | Self::Merged { call, .. }
            | Self::Held { call, .. }
            | Self::Reconnecting { call, .. }
            | Self::Reconnected { call, .. }
            | Self::Stats { call, .. }
            | Self::Ended { call, .. } => Some(call),
            Self::Registered { .. } | Self::TurnedAway { .. } | Self::IdentityChanged { .. } => {
                None
            }
        }
    }

    /// What people are told: a few sentences, or none. `verify` is what a person does when the
    /// words are the same.
    #[must_use]
    pub fn sentences(&self, verify: &dyn Fn(&str) -> String) -> Vec<String> {
        let one = |sentence: String| vec![sentence];
        match self {
            Self::Registered { name, registry, .. } => {
                one(format!("registered as {name} at {registry}"))
            }
            Self::Incoming {
                name,
                confirmed,
                known,
                verified,
                waiting,
                ..
            } => {
                let meanwhile = if *waiting { " meanwhile" } else { "" };
                // A key that was pinned may have been stolen and replaced since: only a registry
                // knows.
                let doubt = match (verified, known, confirmed) {
                    (true, _, true) => " (verified)".to_owned(),
                    (true, _, false) => {
                        format!(" (verified, but nobody confirms now that it is {name})")
                    }
                    (_, true, true) => String::new(),
                    (_, true, false) => format!(" (nobody confirms now that it is {name})"),
                    (.., true) => " for the first time".to_owned(),
                    (.., false) => {
                        format!(" for the first time (nobody confirms that it is {name})")
                    }
                };
                one(format!("{name} calls{meanwhile}{doubt}"))
            }
            Self::TurnedAway {
                name, confirmed, ..
            } => {
                let doubt = match confirmed {
                    true => String::new(),
                    false => format!(" (nobody confirms that it was {name})"),
                };
                one(format!("{name} called{doubt} and was not let in"))
            }
            Self::IdentityChanged { name } => one(format!(
                "WARNING: somebody called as {name} who is not the {name} of your calls before, \
                 and was not let in: {}",
                ask_another_way(name)
            )),
            Self::Verified { name, .. } => one(format!("{name} is verified: nobody is in between")),
            Self::Ringing { name, .. } => one(format!("{name}'s phone rings")),
            Self::Established {
                name,
                setup_ms,
                words,
                known,
                verified,
                ..
            } => {
                let mark = if *verified { ", verified" } else { "" };
                let mut said = one(format!(
                    "in a call with {name}{mark} (set up in {setup_ms:.0} ms)"
                ));
                if !known {
                    said.push(format!(
                        "this is the first call with {name}: only the words show whether somebody \
                         is in between"
                    ));
                }
                let next = match verified {
                    true => String::new(),
                    false => format!(" - read them to each other; {}", verify(name)),
                };
                said.push(format!("words: {words}{next}"));
                said
            }
            Self::Merged { name, .. } => one(format!("{name} calls too: the two calls become one")),
            Self::Held { name, hold, .. } => one(match hold {
                HoldWord::No => format!("the call with {name} goes on"),
                HoldWord::Here => format!("{name} is on hold"),
                HoldWord::There => format!("{name} has put the call on hold"),
                HoldWord::Both => format!("both have put the call with {name} on hold"),
            }),
            Self::Reconnecting { name, .. } => {
                one(format!("nothing is heard of {name}'s phone: reconnecting"))
            }
            Self::Reconnected { name, .. } => one(format!("{name}'s phone is heard again")),
            // Only scripts want them that often.
            Self::Stats { .. } => Vec::new(),
            // People were told when it merged.
            Self::Ended { reason, .. } if reason == Reason::Merged.word() => Vec::new(),
            Self::Ended {
                detail, duration_s, ..
            } => one(match duration_s {
                Some(lasted) if *lasted < 60.0 => format!("{detail}, after {lasted:.0} s"),
                Some(lasted) => {
                    let lasted = Duration::try_from_secs_f64(*lasted).unwrap_or_default();
                    format!("{detail}, after {}", clock(lasted))
                }
                None => detail.clone(),
            }),
        }
    }
}

/// How a call's time is shown: minutes and seconds, and hours before them where there are any.
#[must_use]
pub fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    match hours {
        0 => format!("{minutes}:{:02}", seconds % 60),
        _ => format!("{hours}:{:02}:{:02}", minutes % 60, seconds % 60),
    }
}

/// Figures with two places: more than anybody measures.
fn figures(voice: Value) -> Map<String, Value> {
    let Value::Object(figures) = voice else {
        return Map::new();
    };
    let round = |(name, figure): (String, Value)| match figure.as_f64() {
        Some(value) if figure.is_f64() => (name, ((value * 100.0).round() / 100.0).into()),
        _ => (name, figure),
    };
    figures.into_iter().map(round).collect()
}

fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10_000.0).round() / 10.0
}

/// Why a call is over, in a sentence that names the next step where there is one.
fn why(name: &Name, reason: Reason, detail: Option<&Why>, registry: &Host) -> String {
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
            ask_another_way(name.as_str())
        ),
    }
}

/// What to do about a name that somebody else has now.
fn ask_another_way(name: &str) -> String {
    format!(
        "a new key of theirs, or somebody who pretends to be them. Ask {name} in another way; if \
         the new one is right: ramal-phone contacts forget {name}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> Name {
        "bob".parse().unwrap()
    }

    fn said(told: &Told) -> String {
        told.sentences(&|name| format!("verify {name}")).join("\n")
    }

    #[test]
    fn every_reason_has_a_sentence_with_the_name_in_it() {
        let host: Host = "localhost".parse().unwrap();
        for reason in [
            Reason::Hangup,
            Reason::DeclinedHere,
            Reason::AnsweredElsewhere,
            Reason::DeclinedElsewhere,
            Reason::Merged,
            Reason::MediaLost,
            Reason::IdentityChanged,
        ] {
            let sentence = why(&name(), reason, None, &host);
            assert!(sentence.contains("bob"), "{sentence}");
            assert!(!sentence.contains(reason.word()), "{sentence}");
        }
    }

    #[test]
    fn a_known_key_that_no_registry_confirms_is_said_to_be_so() {
        let calls = |confirmed, known, verified| {
            said(&Told::Incoming {
                call: "01010101".to_owned(),
                name: "kira".to_owned(),
                confirmed,
                known,
                verified,
                waiting: false,
            })
        };
        assert_eq!(calls(true, true, false), "kira calls");
        for (known, verified) in [(true, false), (true, true), (false, false)] {
            assert!(!calls(true, known, verified).contains("nobody"));
            let said_of = calls(false, known, verified);
            assert!(
                said_of.contains("nobody confirms") && said_of.contains("that it is kira)"),
                "{said_of}"
            );
            let away = said(&Told::TurnedAway {
                name: "kira".to_owned(),
                confirmed: false,
                known,
                verified,
            });
            assert!(away.contains("nobody confirms that it was kira"), "{away}");
        }
    }

    #[test]
    fn the_words_of_a_call_are_told_with_what_to_do_about_them() {
        let up = |known, verified| Told::Established {
            call: "01010101".to_owned(),
            name: "bob".to_owned(),
            setup_ms: 12.3,
            words: "runway sunset wolf brand".to_owned(),
            known,
            verified,
        };
        let first = said(&up(false, false));
        assert!(
            first.contains("first call with bob: only the words show"),
            "{first}"
        );
        let next = "words: runway sunset wolf brand - read them to each other; verify bob";
        assert!(first.contains(next), "{first}");
        let known = said(&up(true, false));
        assert!(
            !known.contains("first call") && known.contains(next),
            "{known}"
        );
        let verified = said(&up(true, true));
        assert!(verified.contains("bob, verified") && !verified.contains("read them"));
    }

    #[test]
    fn what_is_told_is_an_object_with_its_kind_and_is_read_back_as_it_was() {
        let object = |told: &Told| {
            let object = serde_json::to_value(told).unwrap();
            assert_eq!(
                serde_json::from_value::<Told>(object.clone()).unwrap(),
                *told
            );
            object.to_string()
        };
        let (call, name) = ("01010101".to_owned(), "bob".to_owned());
        let ended = Told::Ended {
            call: call.clone(),
            name: name.clone(),
            reason: "merged".to_owned(),
            detail: "bob called too".to_owned(),
            duration_s: None,
        };
        assert_eq!(
            object(&ended),
            r#"{"call":"01010101","detail":"bob called too","duration_s":null,"event":"ended","#
                .to_owned()
                + r#""name":"bob","reason":"merged"}"#
        );
        // People were told when it merged.
        assert_eq!(said(&ended), "");
        let hold = HoldWord::There;
        let held = Told::Held { call, name, hold };
        assert!(object(&held).contains(r#""hold":"there""#));
        assert_eq!(said(&held), "bob has put the call on hold");
        let figures = figures(serde_json::json!({"loss_pct": 1.239, "underruns": 2}));
        let stats = Told::Stats {
            call: "01010101".to_owned(),
            rtt_ms: Some(0.2),
            network_ms: Some(0.1),
            figures,
        };
        let expected = [
            r#"{"call":"01010101","event":"stats","loss_pct":1.24,"#,
            r#""network_ms":0.1,"rtt_ms":0.2,"underruns":2}"#,
        ];
        assert_eq!(object(&stats), expected.concat());
    }

    #[test]
    fn the_time_of_a_call_is_said_in_seconds_and_then_by_the_clock() {
        let after = |duration_s| {
            said(&Told::Ended {
                call: "01010101".to_owned(),
                name: "bob".to_owned(),
                reason: "hangup".to_owned(),
                detail: "hung up on bob".to_owned(),
                duration_s: Some(duration_s),
            })
        };
        assert_eq!(after(10.6), "hung up on bob, after 11 s");
        assert_eq!(after(161.0), "hung up on bob, after 2:41");
        assert_eq!(after(3761.0), "hung up on bob, after 1:02:41");
        // What another program says may be anything.
        assert_eq!(after(1e300), "hung up on bob, after 0:00");
    }
}
