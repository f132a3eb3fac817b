//! Shows Ramal at work: a registry, a phone that echoes, and a phone that calls it by name.
//!
//! `make run` builds the programs and starts this. Where there is a display, the windows open: the
//! registry's and that of a phone, with an echo to call, until the person closes the phone's.
//! Without one the call is made in the terminal: with a microphone, a loudspeaker and a terminal
//! the person talks and hears themselves; otherwise (or by `make run | cat`) the shipped clip is
//! sent, and what comes back is compared with it. Keys and logs are in a folder that goes with the
//! run; it stays when the run has failed. Exit code: 0 the call went well, 1 it did not, 130 it was
//! interrupted before it was over.
//!
//! The clip was made by espeak-ng 1.51, whose output is free to use, and by SoX 14.4:
//!
//! ```sh
//! espeak-ng -v en-gb -s 170 --stdout "This is Ramal. You call people by name, \
//! and your voice goes straight to them. These words went out and came back. \
//! If each of them is clear, the line is good." |
//!   sox -V1 -D - -r 16000 -b 16 speech.wav gain -1.7 pad 0.3 2 trim 0 10
//! ```

use std::{
    env, fmt, fs,
    io::{self, IsTerminal, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Writes a line to the screen.
macro_rules! say {
    ($($text:tt)*) => { $crate::write_line(format_args!($($text)*)) };
}

#[path = "demo/child.rs"]
mod child;
#[path = "demo/likeness.rs"]
mod likeness;
#[path = "demo/report.rs"]
mod report;
#[path = "demo/stage.rs"]
mod stage;
#[path = "demo/wav.rs"]
mod wav;

use report::Voice;
use stage::{Failure, Stage, Talk};

/// What is sent where nobody can talk.
const CLIP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/demo/speech.wav");

/// Where registries are usually found.
const PORT: u16 = 5000;

/// So many last lines of a log are shown after a failure.
const LOG_LINES: usize = 6;

fn main() -> ExitCode {
    let folder = match tempfile::Builder::new().prefix("ramal-demo-").tempdir() {
        Ok(folder) => folder,
        Err(error) => return fail(&format!("cannot make a folder for the run: {error}")),
    };
    let programs = match programs() {
        Ok(programs) => programs,
        Err(why) => return fail(&why),
    };
    let shown = Stage::new(programs, folder.path()).and_then(|stage| match has_display() {
        true => show_windows(&stage),
        false => show(&stage),
    });
    match shown {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Interrupted) => {
            say!("\nInterrupted; everything has ended.");
            ExitCode::from(130)
        }
        Err(Failure::NoCall(why) | Failure::Failed(why)) => {
            show_logs(folder.path());
            fail(&format!(
                "{why}\nThe logs stay in {}",
                folder.keep().display()
            ))
        }
    }
}

fn write_line(line: fmt::Arguments) {
    // Who does not look any more needs not be told; the run goes on to its end.
    let _ = writeln!(io::stdout(), "{line}");
}

fn fail(why: &str) -> ExitCode {
    say!("\nThe demo failed: {why}");
    ExitCode::FAILURE
}

/// The folder of the programs: Cargo puts examples into a folder beside them.
fn programs() -> Result<PathBuf, String> {
    let this = env::current_exe().map_err(|error| format!("where is this program? {error}"))?;
    let folder = this
        .parent()
        .and_then(Path::parent)
        .unwrap_or(Path::new("/"));
    let wanted = ["ramal-registry", "ramal-phone"].map(|program| folder.join(program));
    match wanted.iter().find(|program| !program.is_file()) {
        Some(program) => Err(format!(
            "{} has not been built; use make run",
            program.display()
        )),
        None => Ok(folder.to_owned()),
    }
}

/// Whether windows can be opened.
fn has_display() -> bool {
    let is_set = |variable| env::var_os(variable).is_some_and(|value| !value.is_empty());
    is_set("WAYLAND_DISPLAY") || is_set("DISPLAY")
}

/// The demo with windows, until the person has seen enough.
fn show_windows(stage: &Stage) -> Result<(), Failure> {
    say!("Ramal: people call each other by name, and talk directly.\n");
    let addr = choose_port().map_err(|error| Failure::Failed(format!("no port: {error}")))?;
    say!("1. A registry, which knows who can be called where, opens its window on {addr}.");
    let mut registry = stage.open_registry_window(addr)?;
    say!("2. A phone without a window registers as echo: it sends every voice back.");
    let mut echo = stage.start_echo(addr)?;
    say!("3. The window of your phone opens. Connect, and call echo: you hear yourself, so use");
    say!("   headphones. Close that window, or press Ctrl-C, and everything ends.");
    let mut phone = stage.open_phone_window(addr)?;
    stage.until_closed()?;
    phone.end(true);
    echo.end(true);
    registry.end(true);
    say!("\n{}", how_to_go_on(&short(&stage.programs)));
    Ok(())
}

/// The whole demo. Each step is told before it is done; programs end when this returns.
fn show(stage: &Stage) -> Result<(), Failure> {
    say!("Ramal: people call each other by name, and talk directly.\n");
    let addr = choose_port().map_err(|error| Failure::Failed(format!("no port: {error}")))?;
    say!("1. A registry, which knows who can be called where, starts on {addr}.");
    let mut registry = stage.start_registry(addr)?;
    say!("2. A phone registers as echo: it answers everybody and sends their voice back.");
    let mut echo = stage.start_echo(addr)?;
    // Where nobody looks at the screen, nobody talks.
    let mut talk = Talk::Clip;
    if io::stdout().is_terminal() && stage.has_sound()? {
        talk = Talk::Person;
    }
    say!("3. A phone registers as visitor, and calls echo.");
    let mut result = stage.call(addr, talk);
    if let (Talk::Person, Err(Failure::NoCall(why))) = (talk, &result) {
        say!("   That did not work: {why}. Once more, with a clip:");
        talk = Talk::Clip;
        result = stage.call(addr, talk);
    }
    let call = result?;
    say!(
        "4. The call is over ({}); echo and the registry end.",
        call.reason
    );
    echo.end(true);
    registry.end(true);
    let voice = match talk {
        Talk::Clip => Some(stage.listen()?),
        Talk::Person => None,
    };
    let report = report::report(&call, voice.as_ref());
    say!("\nReport\n{}", report.trim_end());
    if let Some(voice) = &voice {
        keep_returned(stage);
        judge(voice)?;
    }
    say!("\n{}", how_to_go_on(&short(&stage.programs)));
    Ok(())
}

/// Port 5000 on this machine alone, or a free one if it is taken.
fn choose_port() -> io::Result<SocketAddr> {
    let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
    // A listener that nobody connected to leaves its port free at once.
    if TcpListener::bind(usual).is_ok() {
        return Ok(usual);
    }
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    say!(
        "Another program has port {PORT}, so this run uses port {}.\n",
        free.port()
    );
    Ok(free)
}

/// Whether the voice that came back is good enough.
fn judge(voice: &Voice) -> Result<(), Failure> {
    if voice.round_trip_ms.is_none() {
        return Err(Failure::Failed("the voice did not come back".to_owned()));
    }
    // A likeness that is no number is not good either.
    if !(likeness::GOOD..).contains(&voice.likeness) {
        let good = 100.0 * likeness::GOOD;
        let why = format!("the voice came back, but on a good line {good:.0} % and more are alike");
        return Err(Failure::Failed(why));
    }
    Ok(())
}

/// Puts what came back to where it can be listened to after the run, beside the programs' folder.
fn keep_returned(stage: &Stage) {
    let folder = stage.programs.with_file_name("demo");
    let kept = folder.join("returned.wav");
    let copied = fs::create_dir_all(&folder).and_then(|()| fs::copy(stage.returned(), &kept));
    match copied {
        Ok(_) => say!("\nWhat came back can be listened to: {}", short(&kept)),
        Err(error) => say!("\nWhat came back could not be kept: {error}"),
    }
}

/// The end of every log that holds something.
fn show_logs(folder: &Path) {
    for name in child::LOGS {
        let path = folder.join(name);
        // A program that was not started has no log.
        let log = fs::read(&path).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        if !log.is_empty() {
            let last = last_lines(&log, LOG_LINES);
            say!("\nThe end of {}:\n      {last}", path.display());
        }
    }
}

/// The last lines of a log, indented after the first, with nothing in them that could disturb a
/// terminal.
fn last_lines(log: &str, count: usize) -> String {
    let lines: Vec<&str> = log.lines().collect();
    let last = &lines[lines.len().saturating_sub(count)..];
    let printable = |line: &&str| -> String {
        let text = line.chars().map(|c| if c.is_control() { '?' } else { c });
        text.collect()
    };
    let last: Vec<String> = last.iter().map(printable).collect();
    last.join("\n      ")
}

/// A path as somebody in the current folder writes it.
fn short(path: &Path) -> String {
    let here = env::current_dir().unwrap_or_default();
    path.strip_prefix(here)
        .unwrap_or(path)
        .display()
        .to_string()
}

fn how_to_go_on(programs: &str) -> String {
    format!(
        "How to go on, with two machines; HOST is the first one's name or address:\n\
         \x20 on the first      {programs}/ramal-registry\n\
         \x20 on the first too  {programs}/ramal-phone --name bob answer\n\
         \x20 on the second     {programs}/ramal-phone --name alice --registry HOST call bob\n\
         With windows these are {programs}/ramal-registry-gui and {programs}/ramal-softphone."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_voice_that_is_missing_or_bad_fails() {
        let voice = |round_trip_ms, likeness| Voice {
            round_trip_ms,
            likeness,
        };
        assert!(judge(&voice(Some(180.0), 0.99)).is_ok());
        assert!(judge(&voice(Some(180.0), 0.5)).is_err());
        assert!(judge(&voice(None, 0.99)).is_err());
        assert!(judge(&voice(Some(180.0), f64::NAN)).is_err());
    }

    #[test]
    fn the_end_of_a_log_is_short_and_printable() {
        let log: String = (0..100).map(|n| format!("line {n}\u{1b}[2J\n")).collect();
        let last = last_lines(&log, 2);
        assert_eq!(last, "line 98?[2J\n      line 99?[2J");
        assert_eq!(last_lines("", 2), "");
    }

    #[test]
    fn going_on_takes_three_commands() {
        let text = how_to_go_on("target/release");
        assert_eq!(
            text.matches("target/release/ramal-phone ").count(),
            2,
            "{text}"
        );
        assert_eq!(text.lines().count(), 5, "{text}");
    }
}
