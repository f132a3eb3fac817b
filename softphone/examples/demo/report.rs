//! What a call was like: reads the phone's events, and writes the report.
//!
//! PURE.

use std::fmt::{self, Write};

use serde_json::Value;

use crate::likeness::verdict;

/// How the likeness is measured, for whoever reads the report.
const HOW_ALIKE: &str = "
  The likeness compares what was sent with what came back, once they are aligned: it is the
  correlation of the levels of 24 bands of pitch, every 20 ms. Other sounds have less than 10 %.
";

/// A line of `ramal-phone --json`.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The phone's name can be called.
    Registered,
    /// The other phone rings.
    Ringing,
    /// The two can talk, so long after dialling.
    Established { setup_ms: f64 },
    /// Figures of the last second.
    Stats(Second),
    /// The call is over.
    Ended { reason: String, detail: String },
    /// A microphone or a loudspeaker.
    Device(Device),
    /// What does not matter here.
    Other,
}

/// One second of a call. Shares are of 100.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Second {
    pub loss_pct: f64,
    pub late_pct: f64,
    pub concealed_pct: f64,
    pub jitter_ms: f64,
    pub playout_delay_ms: f64,
    pub bitrate_bps: f64,
    /// Not known in the first moments.
    pub rtt_ms: Option<f64>,
}

/// What a device is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Device {
    pub is_input: bool,
    pub is_output: bool,
    /// An input that hears what a loudspeaker of the same machine plays.
    pub is_monitor: bool,
}

/// What is known of a call.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Call {
    /// `None` if it was never established.
    pub setup_ms: Option<f64>,
    pub seconds: Vec<Second>,
    /// The phone's word for why it ended, and its sentence.
    pub reason: String,
    pub detail: String,
}

/// How the voice came back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Voice {
    /// From the microphone to the loudspeaker, there and back; `None` if it was not found.
    pub round_trip_ms: Option<f64>,
    /// See [`crate::likeness::likeness`].
    pub likeness: f64,
}

impl Event {
    /// Reads a line.
    ///
    /// # Errors
    /// What the line lacks.
    pub fn read(line: &str) -> Result<Self, String> {
        let object: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let number = |key: &str| object[key].as_f64().ok_or(format!("no number {key}"));
        let word = |key: &str| object[key].as_str().unwrap_or_default().to_owned();
        let is = |key: &str| {
            object[key]
                .as_bool()
                .ok_or(format!("neither yes nor no: {key}"))
        };
        Ok(match object["event"].as_str().ok_or("no event")? {
            "registered" => Self::Registered,
            "ringing" => Self::Ringing,
            "established" => Self::Established {
                setup_ms: number("setup_ms")?,
            },
            "stats" => Self::Stats(Second {
                loss_pct: number("loss_pct")?,
                late_pct: number("late_pct")?,
                concealed_pct: number("concealed_pct")?,
                jitter_ms: number("jitter_ms")?,
                playout_delay_ms: number("playout_delay_ms")?,
                bitrate_bps: number("bitrate_bps")?,
                rtt_ms: object["rtt_ms"].as_f64(),
            }),
            "ended" => Self::Ended {
                reason: word("reason"),
                detail: word("detail"),
            },
            "device" => Self::Device(Device {
                is_input: is("input")?,
                is_output: is("output")?,
                is_monitor: is("monitor")?,
            }),
            _ => Self::Other,
        })
    }
}

impl fmt::Display for Second {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "lost {:.1} %, concealed {:.1} %, jitter {:.1} ms, {:.0} kbit/s",
            self.loss_pct,
            self.concealed_pct,
            self.jitter_ms,
            self.bitrate_bps / 1_000.0
        )
    }
}

/// Whether somebody can talk and hear: an input that is no monitor, and an output.
pub fn can_talk(devices: &[Device]) -> bool {
    let hears = devices
        .iter()
        .any(|device| device.is_input && !device.is_monitor);
    hears && devices.iter().any(|device| device.is_output)
}

/// The report on a call, and on its voice if that was recorded.
pub fn report(call: &Call, voice: Option<&Voice>) -> String {
    let Call {
        setup_ms, seconds, ..
    } = call;
    let mut text = String::new();
    let mut row = |what: &str, figure: String, note: &str| {
        let row = format!("  {what:<24}{figure:>9}  {note}");
        // Writing to a string does not fail.
        let _ = writeln!(text, "{}", row.trim_end());
    };
    row(
        "call set up",
        figure(*setup_ms, 0, "ms"),
        "from dialling until both could be heard",
    );
    if let Some(voice) = voice {
        let note = "from the microphone to echo and back to the ear";
        row(
            "voice, there and back",
            figure(voice.round_trip_ms, 0, "ms"),
            note,
        );
    }
    let middle = |of: fn(&Second) -> Option<f64>| median(seconds.iter().filter_map(of).collect());
    let share = |of: fn(&Second) -> f64| mean(seconds.iter().map(of));
    let network = middle(|second| second.rtt_ms);
    row("network, there and back", figure(network, 1, "ms"), "");
    let delay = middle(|second| Some(second.playout_delay_ms));
    row(
        "playout delay",
        figure(delay, 0, "ms"),
        "from the network to the ear, at the caller",
    );
    row(
        "packets lost",
        figure(share(|second| second.loss_pct), 1, "%"),
        "",
    );
    row(
        "packets too late",
        figure(share(|second| second.late_pct), 1, "%"),
        "",
    );
    let note = "sound made up in place of what was missing";
    row(
        "concealed",
        figure(share(|second| second.concealed_pct), 1, "%"),
        note,
    );
    if let Some(Voice { likeness, .. }) = voice {
        let percent = figure(Some(100.0 * likeness), 1, "%");
        row("likeness of the voice", percent, verdict(*likeness));
        text.push_str(HOW_ALIKE);
    }
    text
}

/// A figure with its unit, or a dash.
fn figure(value: Option<f64>, decimals: usize, unit: &str) -> String {
    value.map_or_else(
        || "-".to_owned(),
        |value| format!("{value:.decimals$} {unit}"),
    )
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

/// The upper one of the two in the middle, if there are two.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_is_read() {
        let read = |line| Event::read(line).unwrap();
        assert_eq!(
            read(r#"{"event":"registered","name":"echo"}"#),
            Event::Registered
        );
        assert_eq!(read(r#"{"event":"ringing"}"#), Event::Ringing);
        assert_eq!(
            read(r#"{"event":"incoming","name":"visitor"}"#),
            Event::Other
        );
        assert_eq!(
            read(r#"{"event":"established","setup_ms":120.5}"#),
            Event::Established { setup_ms: 120.5 }
        );
        assert_eq!(
            read(r#"{"event":"ended","reason":"busy","detail":"echo is busy"}"#),
            Event::Ended {
                reason: "busy".to_owned(),
                detail: "echo is busy".to_owned()
            }
        );
        let device = r#"{"event":"device","input":true,"output":false,"monitor":false}"#;
        let expected = Device {
            is_input: true,
            is_output: false,
            is_monitor: false,
        };
        assert_eq!(read(device), Event::Device(expected));
    }

    #[test]
    fn a_second_is_read_with_and_without_a_round_trip() {
        let line = r#"{"event":"stats","loss_pct":1.5,"late_pct":0,"concealed_pct":2,
            "jitter_ms":3,"playout_delay_ms":61.5,"bitrate_bps":32000,"underruns":0,"rtt_ms":"#;
        let second = |rtt_ms| {
            Event::Stats(Second {
                loss_pct: 1.5,
                late_pct: 0.0,
                concealed_pct: 2.0,
                jitter_ms: 3.0,
                playout_delay_ms: 61.5,
                bitrate_bps: 32_000.0,
                rtt_ms,
            })
        };
        assert_eq!(Event::read(&format!("{line}null}}")), Ok(second(None)));
        assert_eq!(Event::read(&format!("{line}0.4}}")), Ok(second(Some(0.4))));
    }

    #[test]
    fn what_is_no_event_is_refused() {
        for line in [
            "",
            "hello",
            "{}",
            "[1]",
            r#"{"event":"established"}"#,
            r#"{"event":3}"#,
        ] {
            assert!(Event::read(line).is_err(), "{line}");
        }
    }

    #[test]
    fn one_can_talk_with_a_microphone_and_a_loudspeaker() {
        let device = |is_input, is_output, is_monitor| Device {
            is_input,
            is_output,
            is_monitor,
        };
        let (microphone, loudspeaker) = (device(true, false, false), device(false, true, false));
        let monitor = device(true, false, true);
        assert!(can_talk(&[monitor, loudspeaker, microphone]));
        assert!(can_talk(&[device(true, true, false)]));
        for too_few in [
            vec![],
            vec![microphone],
            vec![loudspeaker],
            vec![monitor, loudspeaker],
        ] {
            assert!(!can_talk(&too_few), "{too_few:?}");
        }
    }

    #[test]
    fn a_report_tells_shares_as_means_and_times_as_medians() {
        let second = |loss_pct, playout_delay_ms, rtt_ms| Second {
            loss_pct,
            playout_delay_ms,
            rtt_ms,
            ..Second::default()
        };
        let seconds = vec![
            second(0.0, 900.0, None),
            second(6.0, 61.0, Some(0.5)),
            second(0.0, 60.0, Some(7.0)),
        ];
        let call = Call {
            setup_ms: Some(119.7),
            seconds,
            ..Call::default()
        };
        let voice = Voice {
            round_trip_ms: Some(187.6),
            likeness: 0.991,
        };
        let text = report(&call, Some(&voice));
        for expected in [
            "120 ms",
            "188 ms",
            "7.0 ms",
            "61 ms",
            "2.0 %",
            "99.1 %",
            verdict(0.991),
        ] {
            assert!(text.contains(expected), "{expected} is not in\n{text}");
        }
        assert!(!report(&call, None).contains("likeness"));
    }

    #[test]
    fn a_report_without_a_single_second_has_dashes() {
        let voice = Voice {
            round_trip_ms: None,
            likeness: 0.0,
        };
        let text = report(&Call::default(), Some(&voice));
        assert!(!text.contains("NaN"), "{text}");
        assert_eq!(text.matches("        -").count(), 7, "{text}");
    }
}
