//! What becomes of a call when a program is killed or stopped in the middle of it: real processes,
//! real signals, real time. Limits are generous; how long things take is in `docs/benchmarks.md`.

#![allow(clippy::unwrap_used)]
#![allow(
    clippy::print_stdout,
    reason = "how long it took, for whoever asks with --nocapture"
)]

use std::{
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, sync_channel},
    thread,
    time::{Duration, Instant},
};

use codec::registry::Method;
use registry::{
    client::{Access, Client},
    server::Plain,
};
use serde_json::Value;

use self::registries::{ANYWHERE, Registry};

#[path = "rig/registries.rs"]
mod registries;

/// Longer than anything takes, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

/// So many events of one phone may wait for the test.
const EVENTS_MAX: usize = 1024;

/// Where the registry of a process of its own listens.
const REGISTRY_AT: &str = "RAMAL_TEST_REGISTRY_AT";

/// A registry in a process that can be killed is this very program, told to run only this.
#[test]
fn the_registry_that_other_tests_start_and_kill() {
    let Ok(listen) = std::env::var(REGISTRY_AT) else {
        return;
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let registry = Registry::start(&runtime, listen.parse().unwrap(), Plain::Never, 9);
    let mut out = std::io::stdout();
    // Behind whatever the test harness has written on the line.
    writeln!(out, "\nlistening {}", registry.addr).unwrap();
    out.flush().unwrap();
    registry.serve(&runtime);
}

/// A program that a test started, and ends at the latest when it is dropped.
struct Program {
    child: Child,
    /// What it says, and when it said it.
    lines: Receiver<(Instant, String)>,
    said: Vec<String>,
}

impl Program {
    fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = sync_channel(EVENTS_MAX);
        // Ends with the program, or with the test.
        thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if sender.send((Instant::now(), line)).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            lines,
            said: Vec::new(),
        }
    }

    fn signal(&self, signal: &str) {
        let kill = format!("kill -{signal} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(status.success());
    }

    /// Reads lines up to one that is wanted.
    fn wait_for<T>(&mut self, wanted: impl Fn(Instant, &str) -> Option<T>) -> T {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok((at, line)) => {
                    let found = wanted(at, &line);
                    self.said.push(line);
                    if let Some(found) = found {
                        return found;
                    }
                }
                Err(why) => panic!("{why}, only {:#?}", self.said),
            }
        }
    }

    fn wait_for_event(&mut self, kind: &str) -> Value {
        self.wait_for(|_, line| {
            let event: Value = serde_json::from_str(line).unwrap();
            (event["event"] == kind).then_some(event)
        })
    }

    /// Waits for figures of a time after `since`, which say that the other's voice is coming in
    /// and is played at most so late; returns when they came, and how late it is played.
    fn hears(&mut self, since: Instant, delay_max_ms: f64) -> (Instant, f64) {
        self.wait_for(|at, line| {
            let event: Value = serde_json::from_str(line).unwrap();
            assert_ne!(event["event"], "ended", "{event}");
            let delay_ms = event["playout_delay_ms"].as_f64()?;
            // Not only what was still on its way: whole silence has about 14,000.
            let heard = event["bitrate_bps"].as_u64()? > 7_000;
            (at > since && heard && delay_ms <= delay_max_ms).then_some((at, delay_ms))
        })
    }

    fn has_said(&self, kind: &str) -> bool {
        let kind = format!("\"event\":\"{kind}\"");
        self.said.iter().any(|line| line.contains(&kind))
    }

    fn end(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It has ended already where the test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a registry; returns where it listens.
fn registry(listen: SocketAddr) -> (Program, SocketAddr) {
    let mut program = Program::start(
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "the_registry_that_other_tests_start_and_kill"])
            .arg("--nocapture")
            .env(REGISTRY_AT, listen.to_string()),
    );
    let at = program.wait_for(|_, line| line.strip_prefix("listening ")?.parse().ok());
    (program, at)
}

fn phone(folder: &Path, registry: SocketAddr, name: &str, arguments: &[&str]) -> Program {
    Program::start(
        Command::new(env!("CARGO_BIN_EXE_ramal-phone"))
            .env_remove("RAMAL_NAME")
            .current_dir(folder)
            .args(["--json", "--listen", "127.0.0.1:0", "--config", name])
            .args(["--input", "silence", "--output", "none", "--name", name])
            .args(["--registry", &registry.to_string()])
            .args(arguments),
    )
}

/// Whether a registry knows this name now; `false` too while there is none.
fn is_registered(registry: SocketAddr, name: &str) -> bool {
    let within = Duration::from_secs(2);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let host = registry.into();
        let access = Access::trusting("test");
        let Ok(mut client) = Client::connect(&access, &host, within).await else {
            return false;
        };
        let name = name.parse().unwrap();
        client.ask(Method::Lookup { name }, within).await.is_ok()
    })
}

/// Alice calls bob, and both hear each other.
struct Call {
    registry: Program,
    at: SocketAddr,
    alice: Program,
    bob: Program,
    _folder: tempfile::TempDir,
}

impl Call {
    fn begin() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (registry, at) = registry(ANYWHERE);
        let mut bob = phone(
            folder.path(),
            at,
            "bob",
            &["answer", "--auto", "--calls", "1"],
        );
        bob.wait_for_event("registered");
        let mut alice = phone(folder.path(), at, "alice", &["call", "bob", "--for", "600"]);
        for phone in [&mut alice, &mut bob] {
            phone.wait_for_event("established");
            phone.hears(Instant::now(), f64::INFINITY);
        }
        Self {
            registry,
            at,
            alice,
            bob,
            _folder: folder,
        }
    }

    /// Alice hangs up, and both programs end as after any other call.
    fn hang_up(mut self) {
        assert!(!self.alice.has_said("ended") && !self.bob.has_said("ended"));
        self.alice.signal("INT");
        assert_eq!(self.alice.wait_for_event("ended")["reason"], "hangup");
        assert_eq!(self.bob.wait_for_event("ended")["reason"], "remote_hangup");
        assert_eq!((self.alice.end(), self.bob.end()), (Some(0), Some(0)));
    }
}

#[test]
fn a_registry_that_is_killed_takes_no_call_with_it_and_has_both_names_again_when_it_is_back() {
    let mut call = Call::begin();
    call.registry.signal("KILL");
    assert_eq!(call.registry.child.wait().unwrap().code(), None);
    // Figures are of a second each, so that these have seen nothing of the time before.
    let gone = Instant::now() + Duration::from_secs(2);
    for phone in [&mut call.alice, &mut call.bob] {
        phone.hears(gone, f64::INFINITY);
    }
    let (registry, _) = registry(call.at);
    let back = Instant::now();
    call.registry = registry;
    for name in ["alice", "bob"] {
        while !is_registered(call.at, name) {
            assert!(back.elapsed() < PATIENCE, "{name} does not come back");
            thread::sleep(Duration::from_millis(50));
        }
    }
    println!(
        "both names are back after {:.1} s",
        back.elapsed().as_secs_f64()
    );
    for phone in [&mut call.alice, &mut call.bob] {
        phone.hears(Instant::now(), f64::INFINITY);
    }
    call.hang_up();
}

#[test]
fn a_phone_that_is_killed_ends_the_others_call_with_a_reason() {
    let mut call = Call::begin();
    call.bob.signal("KILL");
    let killed = Instant::now();
    let ended = call.alice.wait_for_event("ended");
    println!(
        "the call has ended after {:.1} s",
        killed.elapsed().as_secs_f64()
    );
    assert_eq!(ended["reason"], "media_lost");
    assert_eq!(call.alice.end(), Some(2));
}

#[test]
fn a_phone_that_stands_still_for_five_seconds_goes_on_with_its_call_as_before() {
    let mut call = Call::begin();
    call.bob.signal("STOP");
    thread::sleep(Duration::from_secs(5));
    let resumed = Instant::now();
    call.bob.signal("CONT");
    for phone in [&mut call.alice, &mut call.bob] {
        // A backlog that is played to its end would be of seconds.
        let (at, delay_ms) = phone.hears(resumed, 250.0);
        let after = at.duration_since(resumed);
        println!(
            "voice again after {:.1} s, {delay_ms} ms late",
            after.as_secs_f64()
        );
    }
    call.hang_up();
}
