//! Phones as the processes that people run, in a folder that is theirs.

#![allow(dead_code, reason = "not every suite needs all of it")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, sync_channel},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::runtime::Runtime;

/// Longer than anything here takes, even on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// So many lines of one phone may wait for the test.
const LINES_MAX: usize = 10_000;

/// A folder for everything, and a runtime for registries.
pub struct Place {
    pub runtime: Runtime,
    folder: tempfile::TempDir,
    general: &'static [&'static str],
}

impl Place {
    /// One in which every phone has these arguments before its own.
    pub fn new(general: &'static [&'static str]) -> Self {
        Self {
            runtime: Runtime::new().unwrap(),
            folder: tempfile::tempdir().unwrap(),
            general,
        }
    }

    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Where a phone finds everything, and finds no sound, whatever this machine has.
    pub fn set_up<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env_remove("RAMAL_NAME")
            .env_remove("RAMAL_REGISTRY")
            .env("PULSE_SERVER", "unix:/nonexistent")
            .env("ALSA_CONFIG_PATH", "/dev/null")
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
    }

    /// The program, as `name`'s phone with the profile that `owner` has for it.
    pub fn command(
        &self,
        owner: &str,
        name: &str,
        registry: SocketAddr,
        arguments: &[&str],
    ) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ramal-phone"));
        self.set_up(&mut command)
            .env("RAMAL_REGISTRY", registry.to_string())
            .args(["--json", "--listen", "127.0.0.1:0"])
            .args(self.general)
            .args(["--name", name, "--config", owner])
            .args(arguments);
        command
    }

    /// Starts `name`'s phone; its profile is kept from one start to the next.
    pub fn phone(&self, name: &str, registry: SocketAddr, arguments: &[&str]) -> Phone {
        self.phone_of(name, name, registry, arguments)
    }

    /// Starts a phone under `name` with the profile that `owner` has for it.
    pub fn phone_of(
        &self,
        owner: &str,
        name: &str,
        registry: SocketAddr,
        arguments: &[&str],
    ) -> Phone {
        Phone::start(&mut self.command(owner, name, registry, arguments))
    }
}

/// A phone that runs; it ends at the latest when it is dropped.
pub struct Phone {
    child: Child,
    events: Receiver<String>,
    notes: Receiver<String>,
    /// What it has said so far, up to what was waited for.
    heard: Vec<String>,
    noted: Vec<String>,
}

/// What a phone said and how it ended.
pub struct Over {
    pub code: Option<i32>,
    pub events: Vec<Value>,
    pub complaints: String,
}

impl Phone {
    pub fn start(command: &mut Command) -> Self {
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        Self {
            events: lines(child.stdout.take().unwrap()),
            notes: lines(child.stderr.take().unwrap()),
            child,
            heard: Vec::new(),
            noted: Vec::new(),
        }
    }

    /// Waits for an event of this kind.
    pub fn wait_for(&mut self, kind: &str) -> Value {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let Ok(line) = self.events.recv_timeout(left) else {
                self.noted.extend(self.notes.try_iter());
                panic!("no {kind}: {:#?} {:#?}", self.heard, self.noted)
            };
            let event = event(&line);
            self.heard.push(line);
            if event["event"] == kind {
                return event;
            }
        }
    }

    /// Waits for a note that says so.
    pub fn wait_for_note(&mut self, text: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let Ok(line) = self.notes.recv_timeout(left) else {
                panic!("no '{text}': {:#?}", self.noted)
            };
            self.noted.push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
    }

    /// The events up to the one that was waited for.
    pub fn heard(&self) -> Vec<Value> {
        self.heard.iter().map(|line| event(line)).collect()
    }

    /// Types a line to one that was started with a pipe to type into.
    pub fn type_line(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Types this and no more to one that was started with a pipe, and waits for its end.
    pub fn end_with(mut self, typed: &str) -> Over {
        let mut input = self.child.stdin.take().unwrap();
        // A program that asks for nothing may have ended already.
        let _ = input.write_all(typed.as_bytes());
        drop(input);
        self.end()
    }

    pub fn signal(&self, signal: &str) {
        let kill = format!("kill {signal} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(status.success());
    }

    /// Waits until it has ended by itself.
    pub fn end(self) -> Over {
        let (code, lines, complaints) = self.end_in_lines();
        Over {
            code,
            events: lines.iter().map(|line| event(line)).collect(),
            complaints,
        }
    }

    /// Waits for its end: its exit code, the lines that it has said and all that it has noted.
    pub fn end_in_lines(mut self) -> (Option<i32>, Vec<String>, String) {
        let mut heard = std::mem::take(&mut self.heard);
        heard.extend(self.events.iter());
        self.noted.extend(self.notes.iter());
        let code = self.child.wait().unwrap().code();
        (code, heard, self.noted.join("\n"))
    }

    /// Ends it, and says what it told.
    pub fn stop(self) -> Over {
        self.signal("-TERM");
        self.end()
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        // It has ended already where the test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Over {
    pub fn count(&self, kind: &str) -> usize {
        let of_kind = self.events.iter().filter(|event| event["event"] == kind);
        of_kind.count()
    }

    /// The last event of this kind.
    pub fn event(&self, kind: &str) -> &Value {
        let found = self.events.iter().rfind(|event| event["event"] == kind);
        found.unwrap_or_else(|| panic!("no {kind}: {:?} {}", self.events, self.complaints))
    }

    pub fn reason(&self) -> &str {
        self.event("ended")["reason"].as_str().unwrap()
    }

    pub fn why(&self) -> &str {
        self.event("ended")["detail"].as_str().unwrap()
    }
}

fn event(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

fn lines(read: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = sync_channel(LINES_MAX);
    // Ends with the program, or with the test.
    thread::spawn(move || {
        for line in BufReader::new(read).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}
