//! Whom a phone trusts on the network: real phones, registries that change their keys, and somebody
//! in between.

#![allow(clippy::unwrap_used)]

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::Command,
};

use codec::{
    frame::to_frame,
    greeting::{Answer, Hello, PROTOCOL_VERSION, Role, Unwelcome},
};
use registry::{client::agent, server::Plain};

use self::{
    between::Between,
    phones::{PATIENCE, Phone, Place},
    registries::{ANYWHERE, Registry, is_registered},
};

#[path = "../../registry/tests/attacks/between.rs"]
mod between;
#[path = "rig/phones.rs"]
mod phones;
#[path = "rig/registries.rs"]
mod registries;

const NO_SOUND: [&str; 4] = ["--input", "silence", "--output", "none"];

/// A registry whose key is made of `seed`.
fn start(place: &Place, seed: u8) -> Registry {
    Registry::start(&place.runtime, ANYWHERE, Plain::Loopback, seed)
}

/// The file with the registries that somebody knows.
fn known(place: &Place, name: &str) -> PathBuf {
    place.path(name).join(".known-registries")
}

/// The registries that somebody knows, as they stand in the file.
fn pinned_by(place: &Place, name: &str) -> String {
    std::fs::read_to_string(known(place, name)).unwrap()
}

/// What `ramal-phone registries` says to Bob.
fn bobs_registries(place: &Place, arguments: &[&str]) -> (Option<i32>, Vec<String>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ramal-phone"));
    let command = place.set_up(&mut command);
    let of_bob = command.args(["--config", "bob", "registries"]);
    let (code, said, _) = Phone::start(of_bob.args(arguments)).end_in_lines();
    (code, said)
}

#[test]
fn a_changed_registry_key_stops_a_phone_that_waits_and_one_that_starts() {
    let place = Place::new(&NO_SOUND);
    let registry = start(&place, 9);
    let (at, first_key) = (registry.addr, registry.key);
    let mut bob = place.phone("bob", at, &["answer"]);
    bob.wait_for("registered");
    let met = bob.wait_for_note("first time at");
    assert!(met.contains(&first_key.fingerprint()), "{met}");
    assert!(met.ends_with("it is remembered"), "{met}");
    let pinned = pinned_by(&place, "bob");

    let registry = registry.replace(&place.runtime, 8);
    let (code, _, said) = bob.end_in_lines();
    assert_eq!(code, Some(2), "{said}");
    assert_eq!(
        said.matches("has another key than before").count(),
        1,
        "{said}"
    );
    assert!(said.contains(&first_key.fingerprint()), "{said}");
    assert!(said.contains(&registry.key.fingerprint()), "{said}");
    let forget = format!("ramal-phone registries forget {at}");
    assert!(said.contains(&forget), "{said}");
    // Neither a phone that starts anew nor one that wants to call comes any further.
    for arguments in [
        &["answer"][..],
        &["call", "carol"],
        &["echo"],
        &["--plain", "answer"],
    ] {
        let (code, events, said) = place.phone("bob", at, arguments).end_in_lines();
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("has another key than before"), "{said}");
        assert!(!events.iter().any(|event| event.contains("registered")));
        assert_eq!(pinned_by(&place, "bob"), pinned);
    }
    assert!(!is_registered(&place.runtime, registry.addr, "bob"));

    // A person has looked into it.
    let (code, listed) = bobs_registries(&place, &["list"]);
    assert_eq!(code, Some(0));
    assert_eq!(listed, [format!("{at}  {}", first_key.fingerprint())]);
    let forget = ["forget", &at.to_string()];
    assert_eq!(bobs_registries(&place, &forget).0, Some(0));
    assert_eq!(bobs_registries(&place, &forget).0, Some(2));
    let mut bob = place.phone("bob", at, &["answer"]);
    bob.wait_for("registered");
    assert!(is_registered(&place.runtime, registry.addr, "bob"));
}

#[test]
fn a_call_that_is_up_outlives_a_changed_registry_key_and_the_phone_ends_after_it() {
    let place = Place::new(&NO_SOUND);
    let registry = start(&place, 9);
    let at = registry.addr;
    let mut bob = place.phone("bob", at, &["answer", "--auto"]);
    bob.wait_for("registered");
    let mut alice = place.phone("alice", at, &["call", "bob"]);
    alice.wait_for("established");
    bob.wait_for("established");
    let registry = registry.replace(&place.runtime, 8);
    bob.wait_for_note("has another key than before");
    alice.wait_for_note("has another key than before");
    // Both are heard for another while.
    bob.wait_for("stats");
    alice.wait_for("stats");
    alice.signal("-INT");
    assert_eq!(alice.end_in_lines().0, Some(130));
    let (code, events, said) = bob.end_in_lines();
    assert_eq!(code, Some(2), "{said}");
    assert!(
        events.last().unwrap().contains("remote_hangup"),
        "{events:?}"
    );
    drop(registry);
}

#[test]
fn a_changed_key_of_another_registry_ends_the_call_there_in_2() {
    let place = Place::new(&NO_SOUND);
    let home = start(&place, 7);
    let abroad = start(&place, 9);
    let target = format!("bob@{}", abroad.addr);
    let call = || place.phone("alice", home.addr, &["call", &target]);
    let (code, _, said) = call().end_in_lines();
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains(&format!("first time at {}: ", abroad.addr)),
        "{said}"
    );
    let pinned = pinned_by(&place, "alice");
    let _abroad = abroad.replace(&place.runtime, 8);
    let (code, _, said) = call().end_in_lines();
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("has another key than before"), "{said}");
    assert_eq!(pinned_by(&place, "alice"), pinned);
}

#[test]
fn a_phone_does_not_register_through_a_man_in_the_middle() {
    let place = Place::new(&NO_SOUND);
    let registry = start(&place, 9);
    let between = place.runtime.block_on(Between::start(registry.addr));
    let (code, events, said) = place.phone("bob", between.addr, &["answer"]).end_in_lines();
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("could not prove its key"), "{said}");
    assert!(
        !events.iter().any(|event| event.contains("registered")),
        "{events:?}"
    );
    assert!(!is_registered(&place.runtime, registry.addr, "bob"));
    assert!(!known(&place, "bob").exists());
}

#[test]
fn a_phone_that_is_answered_in_plain_says_so_and_never_falls_back() {
    let place = Place::new(&NO_SOUND);
    let stranger = TcpListener::bind(ANYWHERE).unwrap();
    let at = stranger.local_addr().unwrap();
    let listening = std::thread::spawn(move || {
        let beginnings = stranger.incoming().take(3).map(|stream| {
            let mut stream = stream.unwrap();
            let mut first = [0];
            stream.read_exact(&mut first).unwrap();
            let answer = Answer::new(Err(Unwelcome::Malformed));
            stream.write_all(&to_frame(&answer).unwrap()).unwrap();
            // All that it says before it gives up.
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest);
            (first[0], rest)
        });
        beginnings.collect::<Vec<_>>()
    });
    let mut bob = place.phone("bob", at, &["answer"]);
    let note = bob.wait_for_note("answers without encryption");
    assert!(note.contains("--plain"), "{note}");
    for (first, rest) in listening.join().unwrap() {
        assert_eq!(first, 0x16);
        assert!(!rest.windows(5).any(|bytes| bytes == b"ramal"));
    }
    bob.signal("-INT");
    let (code, events, _) = bob.end_in_lines();
    assert_eq!(code, Some(0));
    assert!(
        !events.iter().any(|event| event.contains("registered")),
        "{events:?}"
    );
}

#[test]
fn a_phone_that_was_told_to_talks_in_plain_to_its_registry_and_by_tls_to_phones() {
    let place = Place::new(&NO_SOUND);
    let registry = start(&place, 9);
    let mut bob = place.phone("bob", registry.addr, &["answer", "--auto"]);
    bob.wait_for("registered");
    let call = ["--plain", "call", "bob", "--for", "1"];
    let (code, _, said) = place.phone("alice", registry.addr, &call).end_in_lines();
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn a_phone_says_nothing_at_all_without_tls() {
    let place = Place::new(&NO_SOUND);
    let registry = start(&place, 9);
    let mut bob = place.phone("bob", registry.addr, &["answer"]);
    let listening: SocketAddr = bob.wait_for("registered")["listening"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let hello = Hello {
        version: PROTOCOL_VERSION,
        agent: agent("stranger"),
        role: Role::Client,
    };
    for bytes in [
        &to_frame(&hello).unwrap()[..],
        b"GET / HTTP/1.1\r\n\r\n",
        &[0x15, 3, 3],
    ] {
        let mut stranger = TcpStream::connect(listening).unwrap();
        stranger.set_read_timeout(Some(PATIENCE)).unwrap();
        stranger.write_all(bytes).unwrap();
        let mut said = Vec::new();
        // Closed with something unread in it, a connection may be reset.
        let _ = stranger.read_to_end(&mut said);
        assert!(said.is_empty(), "{said:?}");
    }
}

#[test]
fn a_direct_link_with_somebody_in_between_carries_no_call() {
    let place = Place::new(&NO_SOUND);
    let registry = start(&place, 9);
    let mut bob = place.phone("bob", registry.addr, &["answer", "--auto"]);
    let listening: SocketAddr = bob.wait_for("registered")["listening"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let between = place.runtime.block_on(Between::start(listening));
    // Alice's registry does not listen, so there is no other way to Bob.
    let nobody = TcpListener::bind(ANYWHERE).unwrap();
    let nowhere = nobody.local_addr().unwrap();
    drop(nobody);
    let relayed = format!("bob@{}", between.addr);
    let (code, events, said) = place
        .phone("alice", nowhere, &["call", &relayed])
        .end_in_lines();
    assert_eq!(code, Some(1), "{said}");
    assert!(!events.iter().any(|event| event.contains("established")));
    // The same without anybody in between is a call.
    let straight = format!("bob@{listening}");
    let call = ["call", &straight, "--for", "0.5"];
    let (code, _, said) = place.phone("alice", nowhere, &call).end_in_lines();
    assert_eq!(code, Some(0), "{said}");
    bob.signal("-INT");
    let (_, events, _) = bob.end_in_lines();
    let incoming = events
        .iter()
        .filter(|event| event.contains(r#""incoming""#));
    assert_eq!(incoming.count(), 1, "{events:?}");
}
