//! Phones that run, and other programs of the same person that command them.

use std::{
    io::{BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
};

use serde_json::{Value, json};

use super::{phones::PATIENCE, *};

impl Place {
    /// Alice's phone, which waits, and Bob's, which takes every call.
    fn alice_and_bob(&self) -> (Phone, Phone) {
        let mut alice = self.phone("alice", &with_no_sound(&["answer"]));
        let mut bob = self.phone("bob", &with_no_sound(&["answer", "--auto"]));
        alice.wait_for("registered");
        bob.wait_for("registered");
        (alice, bob)
    }

    /// What a command to Alice's phone ends with.
    fn control(&self, arguments: &[&str]) -> phones::Over {
        self.phone("alice", &[&["control"], arguments].concat())
            .end()
    }

    fn status(&self) -> Value {
        let over = self.control(&["status"]);
        assert_eq!(over.code, Some(0), "{}", over.complaints);
        over.event("status").clone()
    }

    /// A program that talks to the socket of Alice's phone by itself.
    fn socket(&self) -> UnixStream {
        let stream = UnixStream::connect(self.path("alice/alice/phone.sock")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }
}

#[test]
fn a_call_of_a_phone_that_runs_is_made_by_it_and_ends_with_the_same_exit_codes() {
    let place = Place::new();
    let (mut alice, mut bob) = place.alice_and_bob();
    let mut call = place.phone("alice", &["call", "bob", "--for", "1"]);
    let up = call.wait_for("established");
    assert_eq!(up["words"], bob.wait_for("established")["words"]);
    // Whoever sits at the phone that runs sees the same call.
    assert_eq!(alice.wait_for("established"), up);
    let over = call.end();
    assert_eq!((over.code, over.reason()), (Some(0), "hangup"));
    assert!(
        over.complaints.contains("alice's phone runs already"),
        "{}",
        over.complaints
    );
    assert_eq!(bob.wait_for("ended")["reason"], "remote_hangup");
    // Interrupted, it hangs up as well, and says that it was.
    let mut call = place.phone("alice", &["call", "bob"]);
    call.wait_for("established");
    call.signal("-INT");
    let over = call.end();
    assert_eq!((over.code, over.reason()), (Some(130), "hangup"));
    assert_eq!(bob.wait_for("ended")["reason"], "remote_hangup");
    let unknown = place.phone("alice", &["call", "carol"]).end();
    assert_eq!((unknown.code, unknown.reason()), (Some(1), "not_found"));
    assert!(place.is_registered("alice"));
    assert_eq!(alice.stop().code, Some(0));
    // Now there is none that runs, and the program is the phone again.
    let call = place.phone("alice", &with_no_sound(&["call", "bob", "--for", "0.5"]));
    let over = call.end();
    assert_eq!(over.code, Some(0));
    assert!(
        !over.complaints.contains("runs already"),
        "{}",
        over.complaints
    );
}

#[test]
fn a_script_commands_a_phone_that_runs() {
    let place = Place::new();
    let none = place.control(&["status"]);
    assert_eq!(none.code, Some(1));
    assert!(
        none.complaints.contains("alice's phone does not run"),
        "{}",
        none.complaints
    );
    let (mut alice, bob) = place.alice_and_bob();
    let status = place.status();
    assert_eq!(status["registered"], "yes");
    assert_eq!(
        (&status["name"], &status["calls"]),
        (&json!("alice"), &json!([]))
    );
    let mut dora = place.phone("dora", &with_no_sound(&["call", "alice"]));
    let incoming = alice.wait_for("incoming");
    let call = incoming["call"].as_str().unwrap();
    assert_eq!(place.status()["calls"][0]["stage"], "incoming");
    let wrong = place.control(&["answer", "00000000"]);
    assert_eq!(wrong.code, Some(2));
    assert!(
        wrong.complaints.contains("no such call rings"),
        "{}",
        wrong.complaints
    );
    assert_eq!(place.control(&["answer"]).event("done")["call"], call);
    dora.wait_for("established");
    alice.wait_for("established");
    for (command, field) in [("mute", "muted"), ("dnd", "dnd"), ("away", "away")] {
        assert_eq!(place.control(&[command]).code, Some(0));
        assert_eq!(place.status()[field], true, "{command}");
        assert_eq!(place.control(&[command, "off"]).code, Some(0));
        assert_eq!(place.status()[field], false, "{command}");
    }
    assert_eq!(place.control(&["hold"]).code, Some(0));
    assert_eq!(dora.wait_for("held")["hold"], "there");
    assert_eq!(place.status()["calls"][0]["hold"], "here");
    assert_eq!(place.control(&["hold", "off"]).code, Some(0));
    assert_eq!(dora.wait_for("held")["hold"], "no");
    assert_eq!(place.control(&["verify"]).event("done")["call"], call);
    assert_eq!(alice.wait_for("verified")["call"], call);
    assert_eq!(place.control(&["hang-up", call]).code, Some(0));
    assert_eq!(dora.end().code, Some(0));
    // There is nothing to hang up any more, and the reason is said.
    let nothing = place.control(&["hang-up"]);
    assert_eq!(nothing.code, Some(2));
    assert!(nothing.complaints.contains("there is no such call"));
    let shown = place.control(&["show"]);
    assert_eq!(shown.code, Some(2));
    assert!(
        shown.complaints.contains("has no window"),
        "{}",
        shown.complaints
    );
    let mut events = place.phone("alice", &["control", "events"]);
    assert_eq!(events.wait_for("status")["registered"], "yes");
    assert_eq!(place.control(&["quit"]).code, Some(0));
    let alice = alice.end();
    assert_eq!(alice.code, Some(0), "{}", alice.complaints);
    assert_eq!(events.end().code, Some(0));
    assert!(!place.is_registered("alice"));
    assert!(!place.path("alice/alice/phone.sock").exists());
    bob.signal("-TERM");
    bob.end();
}

#[test]
fn the_socket_of_a_phone_that_was_killed_is_replaced() {
    let place = Place::new();
    let mut alice = place.phone("alice", &with_no_sound(&["answer"]));
    alice.wait_for("registered");
    alice.signal("-KILL");
    alice.end_in_lines();
    let path = place.path("alice/alice/phone.sock");
    assert!(path.exists() && UnixStream::connect(&path).is_err());
    assert_eq!(place.control(&["status"]).code, Some(1));
    let mut alice = place.phone("alice", &with_no_sound(&["answer"]));
    alice.wait_for("registered");
    assert_eq!(place.status()["registered"], "yes");
    let mode = std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn whatever_a_local_program_sends_or_does_not_read_the_phone_goes_on() {
    let place = Place::new();
    let (mut alice, mut bob) = place.alice_and_bob();
    // What is no request is answered with why, and the next one counts.
    let mut stream = place.socket();
    stream
        .write_all(b"nonsense\n{\"hold\":7}\n\"status\"\n")
        .unwrap();
    let mut answers = BufReader::new(stream).lines();
    for key in ["failed", "failed", "done"] {
        let answer: Value = serde_json::from_str(&answers.next().unwrap().unwrap()).unwrap();
        assert!(answer.get(key).is_some(), "{answer}");
    }
    // A line without an end, and one that is no text: the connection ends.
    for endless in [vec![b'x'; 1 << 20], vec![0xff, b'\n']] {
        let mut stream = place.socket();
        // It may be closed before all is written.
        let _ = stream.write_all(&endless);
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        assert!(rest.is_empty(), "{rest:?}");
    }
    // So many at once are too many: the others are closed, and the phone is not kept busy.
    let idle: Vec<UnixStream> = (0..20).map(|_| place.socket()).collect();
    drop(idle);
    // Two that hear everything and read nothing, while there is a lot to hear.
    let mut deaf = [place.socket(), place.socket()];
    for stream in &mut deaf {
        stream.write_all(b"\"events\"\n").unwrap();
    }
    let mut call = place.phone("alice", &["call", "bob"]);
    call.wait_for("established");
    alice.wait_for("established");
    let mut script = place.socket();
    script.write_all(b"\"events\"\n").unwrap();
    let mut reader = BufReader::new(script.try_clone().unwrap());
    let mut line = String::new();
    for turn in 0..300 {
        let request = format!("{{\"hold\":{}}}\n", turn % 2 == 0);
        script.write_all(request.as_bytes()).unwrap();
        // Its answer, and what it brings about.
        loop {
            line.clear();
            assert!(reader.read_line(&mut line).unwrap() > 0, "left at {turn}");
            if line.contains("\"done\"") {
                break;
            }
        }
    }
    drop((reader, script));
    // The call is up still, and ends as it should.
    assert_eq!(place.status()["calls"][0]["stage"], "established");
    assert_eq!(place.control(&["hang-up"]).code, Some(0));
    assert_eq!(call.end().code, Some(0));
    assert_eq!(bob.wait_for("ended")["reason"], "remote_hangup");
    assert!(place.is_registered("alice"));
    drop(deaf);
    assert_eq!(alice.stop().code, Some(0));
}

#[test]
fn calls_that_are_over_are_listed_and_forgotten_also_while_the_phone_runs() {
    let place = Place::new();
    let (alice, bob) = place.alice_and_bob();
    let list = |name: &str| place.phone(name, &["history"]).end();
    assert_eq!(list("bob").count("past_call"), 0);
    assert_eq!(
        place
            .phone("alice", &["call", "bob", "--for", "0.5"])
            .end()
            .code,
        Some(0)
    );
    assert_eq!(place.phone("alice", &["call", "carol"]).end().code, Some(1));
    alice.signal("-TERM");
    assert_eq!(alice.end().code, Some(0));
    let over = list("alice");
    let past: Vec<_> = over
        .events
        .iter()
        .map(|past| past["reason"].as_str())
        .collect();
    assert_eq!(
        past,
        [Some("not_found"), Some("hangup")],
        "the newest first"
    );
    assert_eq!(over.event("past_call")["direction"], "outgoing");
    assert!(over.event("past_call")["duration_s"].as_f64().unwrap() >= 0.5);
    assert_eq!(
        place.phone("alice", &["history", "clear"]).end().code,
        Some(0)
    );
    assert_eq!(list("alice").count("past_call"), 0);
    // Bob's phone runs still, and forgets them itself.
    assert_eq!(
        place.phone("bob", &["history", "clear"]).end().code,
        Some(0)
    );
    bob.signal("-TERM");
    assert_eq!(bob.end().code, Some(0));
    assert_eq!(list("bob").count("past_call"), 0);
}

#[test]
fn commands_without_a_call_show_no_options_about_sound_and_understand_them() {
    let place = Place::new();
    for command in ["identity", "contacts", "registries", "history", "control"] {
        let (code, lines, _) = place.phone("alice", &[command, "--help"]).end_in_lines();
        let help = lines.join("\n");
        assert_eq!(code, Some(0), "{help}");
        assert!(help.contains("--config"), "{help}");
        let about_sound = ["--input", "--ptime", "--max-bitrate"];
        assert!(!about_sound.iter().any(|it| help.contains(it)), "{help}");
    }
    let (_, lines, _) = place.phone("alice", &["call", "--help"]).end_in_lines();
    let help = lines.join("\n");
    assert!(help.contains("--input") && help.contains("--max-bitrate"));
    let with = place.phone("alice", &with_no_sound(&["--dnd", "registries", "list"]));
    assert_eq!(with.end_in_lines().0, Some(0));
}
