//! The programs as people run them: real processes, a real port, wrong use too.

#![allow(clippy::unwrap_used)]

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, ChildStderr, ChildStdout, Command, Stdio},
    time::Duration,
};

use codec::{
    frame::{from_payload, to_frame},
    greeting::{Answer, Unwelcome},
    registry::{ClosingReason, FromRegistry, Method, Notice, Presence, Refusal, Success},
};

use self::rig::{Peer, Registry, lookup, text};

#[path = "programs/rig.rs"]
mod rig;

#[test]
fn a_registered_name_is_found_printed_and_logged() {
    let registry = Registry::start(&["--ephemeral", "--table", "always"]);
    let mut bob = Peer::greeted(registry.addr, 1);
    assert_eq!(
        bob.register("Bob", 1),
        Ok(Success::Registered { expires_s: 60 })
    );
    let mut eve = Peer::greeted(registry.addr, 2);
    assert_eq!(eve.register("bob", 5), Err(Refusal::NameTaken));

    let found = registry.lookup(&["bob"]);
    assert_eq!(
        text(&found.stdout),
        "Bob 192.0.2.7:4000\nBob 127.0.0.1:4000\n"
    );
    assert_eq!(found.status.code(), Some(0));
    let json = registry.lookup(&["BOB", "--json"]);
    assert!(text(&json.stdout).contains(r#""contacts":["192.0.2.7:4000","127.0.0.1:4000"]"#));
    assert_eq!(
        text(&registry.lookup(&["--all"]).stdout),
        text(&found.stdout)
    );

    let missing = registry.lookup(&["carol"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(text(&missing.stderr).contains("nobody called carol is registered at 127.0.0.1"));

    let (code, out, log) = registry.stop();
    assert_eq!(code, Some(0));
    assert!(
        out.contains("name") && out.contains("Bob") && out.contains("192.0.2.7:4000"),
        "{out}"
    );
    assert!(out.contains("1 registered"), "{out}");
    assert!(
        log.contains("Register Bob") && log.contains("refused NameTaken"),
        "{log}"
    );
    assert!(
        log.contains("Lookup carol") && log.contains("refused NotFound"),
        "{log}"
    );
    assert!(!log.contains("signature"), "{log}");
}

#[test]
fn who_gave_a_name_up_on_one_connection_does_not_send_under_it_on_another() {
    let registry = Registry::start(&["--ephemeral"]);
    let mut bob = Peer::greeted(registry.addr, 1);
    bob.register("bob", 1).unwrap();
    let mut mallory = Peer::greeted(registry.addr, 2);
    mallory.register("alice", 1).unwrap();
    assert_eq!(
        mallory.send_to(&bob, "alice"),
        Ok(Success::Sent { devices: 1 })
    );
    let mut elsewhere = Peer::greeted(registry.addr, 2);
    let mut alice = Peer::greeted(registry.addr, 3);
    let changed = elsewhere.change_key("alice", &alice, 1);
    assert_eq!(changed, Ok(Success::KeyChanged));
    alice.register("alice", 1).unwrap();
    assert_eq!(mallory.send_to(&bob, "alice"), Err(Refusal::NotYours));
    assert_eq!(
        alice.send_to(&bob, "alice"),
        Ok(Success::Sent { devices: 1 })
    );
}

#[test]
fn a_log_that_nobody_reads_does_not_keep_the_registry_from_serving_or_stopping() {
    let mut registry = Registry::start(&["--ephemeral"]);
    let mut bob = Peer::greeted(registry.addr, 1);
    // More than a pipe holds, twice over: what is not written is dropped.
    bob.register("bob", 1).unwrap();
    for id in 1..=1500 {
        let name = "bob".parse().unwrap();
        let found = bob.ask(id, Method::Lookup { name });
        assert!(matches!(found, Ok(Success::Found(_))), "{found:?}");
    }
    let kill = format!("kill {}", registry.child.id());
    assert!(
        Command::new("sh")
            .args(["-c", &kill])
            .status()
            .unwrap()
            .success()
    );
    let started = std::time::Instant::now();
    let code = loop {
        if let Some(status) = registry.child.try_wait().unwrap() {
            break status.code();
        }
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "it does not stop"
        );
        std::thread::yield_now();
    };
    assert_eq!(code, Some(0));
}

#[test]
fn an_empty_registry_says_so() {
    let registry = Registry::start(&["--ephemeral"]);
    let listed = registry.lookup(&["--all"]);
    assert_eq!(listed.status.code(), Some(1));
    assert!(text(&listed.stderr).contains("nobody is registered"));
}

#[test]
fn stopping_tells_who_is_connected() {
    let registry = Registry::start(&["--ephemeral", "--log", "json"]);
    let mut bob = Peer::greeted(registry.addr, 1);
    let addr = registry.addr;
    let (code, _, log) = registry.stop();
    assert_eq!(code, Some(0));
    let notice: FromRegistry = from_payload(&bob.read().unwrap()).unwrap();
    assert_eq!(
        notice,
        FromRegistry::Notice(Notice::Closing(ClosingReason::Stopping))
    );
    assert_eq!(bob.read(), None);
    assert!(TcpStream::connect(addr).is_err());
    assert!(
        log.lines()
            .any(|line| line.starts_with('{') && line.contains("Closing")),
        "{log}"
    );
}

#[test]
fn rubbish_does_not_disturb_the_others() {
    let registry = Registry::start(&["--ephemeral"]);
    let mut bob = Peer::greeted(registry.addr, 1);
    bob.register("bob", 1).unwrap();
    let mut web = Peer::connect(registry.addr, 2);
    web.send(b"GET / HTTP/1.1\r\n\r\n\0\0");
    let refused: Answer = from_payload(&web.read().unwrap()).unwrap();
    assert_eq!(refused.welcome, Err(Unwelcome::Malformed));
    let mut flood = Peer::greeted(registry.addr, 3);
    flood.send(&vec![7; 300_000]);
    flood.send(&[0, 1, 2, 3, 0, 9, 9, 0]);
    for _ in 0..3 {
        let answer: FromRegistry = from_payload(&flood.read().unwrap()).unwrap();
        let FromRegistry::Response(response) = answer else {
            panic!("{answer:?}")
        };
        assert_eq!(response.result, Err(Refusal::Malformed));
    }
    assert!(registry.lookup(&["bob"]).status.success());
}

#[test]
fn the_key_is_kept_private_and_the_same() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let key_of = |registry: &Registry| Peer::greeted(registry.addr, 1).binding.unwrap().registry;
    let first = Registry::start(&["--data", data.to_str().unwrap()]);
    let key = key_of(&first);
    drop(first);
    let second = Registry::start(&["--data", data.to_str().unwrap()]);
    assert_eq!(key_of(&second), key);
    let file = data.join("registry.key");
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    drop(second);
    std::fs::write(&file, b"short").unwrap();
    let damaged = refused(&["--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()]);
    assert!(damaged.contains("is damaged"), "{damaged}");
}

#[test]
fn a_damaged_file_of_names_is_reported_in_one_line_and_no_panic_is_shown() {
    const PAGE: usize = 4096;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let registry = Registry::start(&["--data", data]);
    let mut bob = Peer::greeted(registry.addr, 1);
    bob.register("bob", 1).unwrap();
    assert_eq!(registry.stop().0, Some(0));
    let path = Path::new(data).join("names.redb");
    let mut bytes = std::fs::read(&path).unwrap();
    // The kind of every page but the first, which is no tree's: the engine has no such kind.
    for page in bytes.chunks_mut(PAGE).skip(1) {
        page[0] = 0x33;
    }
    std::fs::write(&path, &bytes).unwrap();
    let why = refused(&["--listen", "127.0.0.1:0", "--data", data]);
    assert!(
        why.contains("is damaged (its tables cannot be followed)"),
        "{why}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

#[test]
fn plain_frames_are_refused_where_they_are_not_wanted() {
    let registry = Registry::start(&["--ephemeral", "--plain", "never"]);
    let answer = Peer::connect_plain(registry.addr, 1).greet();
    assert_eq!(answer.welcome, Err(Unwelcome::PlainRefused));
    let lookup = registry.lookup(&["--plain", "bob"]);
    assert_eq!(lookup.status.code(), Some(2));
    assert!(text(&lookup.stderr).contains("takes no unencrypted connections"));
    assert_eq!(registry.lookup(&["bob"]).status.code(), Some(1));
    let (_, _, log) = registry.stop();
    assert!(log.contains("plain_refused=2"), "{log}");
}

/// Runs a registry that does not start, and returns the one line that says why.
fn refused(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_ramal-registry"))
        .args(arguments)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = text(&output.stderr);
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

#[test]
fn wrong_starts_end_in_one_clear_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    assert!(refused(&["--ephemeral", "--listen", &addr]).contains("another program has this port"));
    assert!(refused(&["--listen", "somewhere"]).contains("somewhere"));
    let elsewhere = refused(&["--ephemeral", "--listen", "203.0.113.1:5000"]);
    assert!(
        elsewhere.contains("an address of this machine"),
        "{elsewhere}"
    );
    assert!(refused(&["--prot", "1"]).contains("--prot"));
    let nowhere = refused(&["--listen", "127.0.0.1:0", "--data", "/proc/none"]);
    assert!(nowhere.contains("use --data DIR"), "{nowhere}");
}

/// What a registry says at its start, up to its key, without the times; then it is killed.
fn said_at_start(data: &Path) -> Vec<String> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ramal-registry"))
        // Fewer connections than any system has files for, which it would warn of.
        .args(["--listen", "127.0.0.1:0", "--connections", "50", "--data"])
        .arg(data)
        .env("NO_COLOR", "1")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = Vec::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        let (_, text) = line.trim_start().split_once(' ').unwrap();
        said.push(text.trim_start().to_owned());
        if line.contains("the registry's key") {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    said
}

/// Whether these lines begin so, one after the other.
fn begin_so(said: &[String], beginnings: &[&str]) {
    assert_eq!(said.len(), beginnings.len(), "{said:?}");
    for (line, beginning) in said.iter().zip(beginnings) {
        assert!(line.starts_with(beginning), "{said:?}");
    }
}

#[test]
fn a_start_that_fails_makes_nothing_so_the_next_one_is_still_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let why = refused(&["--listen", &addr, "--data", data.to_str().unwrap()]);
    assert!(why.contains("another program has this port"), "{why}");
    assert!(!data.exists());
    // Files that are not there are the operator's mistake as well.
    let none = ["--cert", "/none.pem", "--key", "/none.pem"];
    let listen = ["--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()];
    refused(&[&listen[..], &none[..]].concat());
    assert!(!data.join("registry.key").exists() && !data.join("names.redb").exists());
    let first = [
        "INFO reachable from this machine only, at 127.0.0.1:",
        "INFO this is its first start: it has made its key in ",
        "INFO to see and manage its users: ramal-registry admin",
        "INFO listening addr=127.0.0.1:",
        "INFO the registry's key fingerprint=",
    ];
    begin_so(&said_at_start(&data), &first);
    let again = [
        first[0],
        "INFO what it keeps is in ",
        first[2],
        first[3],
        first[4],
    ];
    begin_so(&said_at_start(&data), &again);
}

#[test]
fn a_key_that_is_gone_while_the_names_are_there_is_warned_of_and_is_no_first_start() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let before = said_at_start(&data);
    std::fs::remove_file(data.join("registry.key")).unwrap();
    let after = said_at_start(&data);
    begin_so(
        &after,
        &[
            "WARN there was no key in ",
            "INFO reachable from this machine only, at 127.0.0.1:",
            "INFO what it keeps is in ",
            "INFO to see and manage its users: ramal-registry admin",
            "INFO listening addr=127.0.0.1:",
            "INFO the registry's key fingerprint=",
        ],
    );
    assert!(after[0].ends_with("ramal-phone registries forget HOST:PORT"));
    assert_ne!(before.last(), after.last());
}

#[test]
fn lookups_fail_clearly() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string();
    let nobody = lookup(&free, &["bob"]);
    assert_eq!(nobody.status.code(), Some(2));
    assert!(
        text(&nobody.stderr).contains("nobody listens at 127.0.0.1"),
        "{nobody:?}"
    );

    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let waiting = lookup(&silent.local_addr().unwrap().to_string(), &["bob"]);
    assert_eq!(waiting.status.code(), Some(2));
    assert!(
        text(&waiting.stderr).contains("no answer from"),
        "{waiting:?}"
    );

    for bad in ["b b", "\u{1b}[2J", ""] {
        let output = lookup(&free, &[bad]);
        assert_eq!(output.status.code(), Some(2));
        assert!(!output.stderr.contains(&0x1b), "{output:?}");
    }
    assert_eq!(lookup(&free, &[]).status.code(), Some(2));
    assert_eq!(lookup("a:b:c", &["bob"]).status.code(), Some(2));
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let registry = Registry::start(&["--ephemeral"]);
    let mut bob = Peer::greeted(registry.addr, 1);
    bob.register("bob", 1).unwrap();
    let config = tempfile::tempdir().unwrap();
    registry.lookup_with(config.path(), &["bob"]);
    let mut child = Command::new(env!("CARGO_BIN_EXE_ramal-lookup"))
        .args(["--registry", &registry.addr.to_string(), "bob", "--config"])
        .arg(config.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (output.status.code(), text(&output.stderr).as_str()),
        (Some(0), "")
    );
}

/// A running `ramal-lookup --watch`.
struct Watcher {
    child: Child,
    out: BufReader<ChildStdout>,
    log: BufReader<ChildStderr>,
    _config: tempfile::TempDir,
}

impl Watcher {
    fn start(registry: &Registry, arguments: &[&str]) -> Self {
        let config = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_ramal-lookup"))
            .args(["--registry", &registry.addr.to_string(), "--watch"])
            .arg("--config")
            .arg(config.path())
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut watcher = Self {
            child,
            out,
            log,
            _config: config,
        };
        let first = watcher.complaint();
        assert!(first.contains("first time at"), "{first}");
        watcher
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn complaint(&mut self) -> String {
        let mut line = String::new();
        self.log.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn interrupt(&mut self) -> Option<i32> {
        let kill = format!("kill -INT {}", self.child.id());
        Command::new("sh").args(["-c", &kill]).status().unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        // It has ended already where the test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const BOB_AT: &str = "192.0.2.7:4000 127.0.0.1:4000";

#[test]
fn a_watch_tells_how_names_are_and_every_change_and_outlives_the_registry() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path().to_str().unwrap();
    let registry = Registry::start(&["--data", data]);
    let mut watcher = Watcher::start(&registry, &["bob", "carol"]);
    assert_eq!(watcher.line(), "bob gone");
    assert_eq!(watcher.line(), "carol gone");
    let mut bob = Peer::greeted(registry.addr, 1);
    bob.register("Bob", 1).unwrap();
    assert_eq!(watcher.line(), format!("Bob available {BOB_AT}"));
    // Nobody asked for dave, and a renewed registration is no news.
    Peer::greeted(registry.addr, 4).register("dave", 1).unwrap();
    bob.register("Bob", 2).unwrap();
    let presence = Presence::Busy;
    let published = bob.ask(3, Method::Publish { presence });
    assert_eq!(published, Ok(Success::Published));
    assert_eq!(watcher.line(), format!("Bob busy {BOB_AT}"));
    assert_eq!(bob.unregister("bob", 3), Ok(Success::Unregistered));
    assert_eq!(watcher.line(), "bob gone");

    let listen = registry.addr.to_string();
    drop(registry);
    let lost = watcher.complaint();
    assert!(lost.ends_with("; trying again"), "{lost}");
    // Why it does not come back is said as well, once.
    let why = watcher.complaint();
    let nobody = format!("ramal-lookup: nobody listens at {listen}");
    assert!(why.starts_with(&nobody), "{why}");
    let registry = Registry::start(&["--data", data, "--listen", &listen]);
    let back = watcher.complaint();
    assert_eq!(back, format!("ramal-lookup: connected to {listen} again"));
    let mut carol = Peer::greeted(registry.addr, 3);
    carol.register("carol", 1).unwrap();
    assert_eq!(watcher.line(), format!("carol available {BOB_AT}"));
    assert_eq!(watcher.interrupt(), Some(0));
}

#[test]
fn a_watch_ends_when_something_else_listens_in_the_registrys_place() {
    let registry = Registry::start(&["--ephemeral"]);
    let mut watcher = Watcher::start(&registry, &["--plain", "bob"]);
    assert_eq!(watcher.line(), "bob gone");
    let listen = registry.addr;
    drop(registry);
    let other = TcpListener::bind(listen).unwrap();
    let (mut stream, _) = other.accept().unwrap();
    let answer = Answer {
        version: 9,
        welcome: Err(Unwelcome::Version),
    };
    stream.write_all(&to_frame(&answer).unwrap()).unwrap();
    assert_eq!(watcher.child.wait().unwrap().code(), Some(2));
    let said = std::iter::from_fn(|| Some(watcher.complaint()).filter(|line| !line.is_empty()));
    let said: Vec<String> = said.collect();
    let last = said.last().unwrap();
    assert!(last.contains("peer speaks version 9"), "{said:?}");
}

#[test]
fn everybody_is_watched_as_json_and_who_went_while_nobody_looked_is_told_gone() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path().to_str().unwrap();
    let registry = Registry::start(&["--data", data]);
    for (seed, name) in [(1, "bob"), (3, "carol")] {
        Peer::greeted(registry.addr, seed)
            .register(name, 1)
            .unwrap();
    }
    let mut watcher = Watcher::start(&registry, &["--all", "--json"]);
    let is = |line: &str, name: &str, rest: &str| {
        line.contains(&format!(r#""name":"{name}""#)) && line.contains(rest)
    };
    assert!(is(&watcher.line(), "bob", r#""presence":"available""#));
    assert!(is(&watcher.line(), "carol", r#""registered":true"#));
    let mut dave = Peer::greeted(registry.addr, 4);
    dave.register("dave", 1).unwrap();
    assert!(is(&watcher.line(), "dave", r#""registered":true"#));
    dave.unregister("dave", 2).unwrap();
    assert!(is(&watcher.line(), "dave", r#""registered":false"#));
    let listen = registry.addr.to_string();
    drop(registry);
    watcher.complaint();
    let registry = Registry::start(&["--data", data, "--listen", &listen]);
    let mut gone = [watcher.line(), watcher.line()];
    gone.sort();
    assert!(is(&gone[0], "bob", r#""registered":false"#), "{gone:?}");
    assert!(is(&gone[1], "carol", r#""registered":false"#), "{gone:?}");
    // Whoever read the lines goes away: the next one ends the program, in silence.
    assert!(watcher.complaint().contains("again"));
    drop(std::mem::replace(
        &mut watcher.out,
        BufReader::new(
            Command::new("true")
                .stdout(Stdio::piped())
                .spawn()
                .unwrap()
                .stdout
                .unwrap(),
        ),
    ));
    Peer::greeted(registry.addr, 5).register("eve", 1).unwrap();
    assert_eq!(watcher.child.wait().unwrap().code(), Some(0));
    assert_eq!(watcher.complaint(), "");
}

#[test]
fn a_watch_that_cannot_begin_fails_clearly() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = free.local_addr().unwrap().to_string();
    drop(free);
    let nobody = lookup(&addr, &["--watch", "bob"]);
    assert_eq!(nobody.status.code(), Some(2));
    assert!(
        text(&nobody.stderr).contains("nobody listens at"),
        "{nobody:?}"
    );
    let several = lookup(&addr, &["bob", "carol"]);
    assert_eq!(several.status.code(), Some(2));
    assert!(text(&several.stderr).contains("several names need --watch"));
    let names: Vec<String> = (0..257).map(|number| format!("n{number}")).collect();
    let mut arguments: Vec<&str> = names.iter().map(String::as_str).collect();
    arguments.push("--watch");
    let many = lookup(&addr, &arguments);
    assert_eq!(many.status.code(), Some(2));
    assert!(text(&many.stderr).contains("too many names"), "{many:?}");
}

#[test]
fn one_address_is_refused_with_a_reason_and_the_registry_counts_it_when_asked() {
    let mut registry = Registry::start(&["--ephemeral", "--per-address", "2"]);
    let _held = [1, 2].map(|seed| Peer::greeted(registry.addr, seed));
    let refused = registry.lookup(&["bob"]);
    assert_eq!(refused.status.code(), Some(2));
    let why = text(&refused.stderr);
    assert!(
        why.contains("too many connections from this address"),
        "{why}"
    );
    assert!(why.contains("--per-address"), "{why}");
    let ask = format!("kill -USR1 {}", registry.child.id());
    Command::new("sh").args(["-c", &ask]).status().unwrap();
    let counted = loop {
        let mut line = String::new();
        assert_ne!(registry.log.read_line(&mut line).unwrap(), 0);
        if line.contains("counted") {
            break line;
        }
    };
    assert!(
        counted.contains("connections=2 full=0 address_full=1"),
        "{counted}"
    );
    let (code, _, log) = registry.stop();
    assert_eq!(code, Some(0));
    assert!(log.contains("counted counters=connections=2"), "{log}");
}

#[test]
fn it_holds_no_more_connections_than_the_system_has_files_for_and_says_so() {
    let limited = r#"ulimit -n 150; exec "$0" --ephemeral --listen 127.0.0.1:0"#;
    let mut child = Command::new("sh")
        .args(["-c", limited, env!("CARGO_BIN_EXE_ramal-registry")])
        .env("NO_COLOR", "1")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let warned = lines.any(|line| {
        line.unwrap()
            .contains("50 connections are held instead of 20000")
    });
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(warned);
}
