//! What others do to people who call each other: real phones as processes, and a registry that is
//! not on their side. Each attack fails, says why, and loses nothing.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;

use codec::{Envelope, IdentityKey, cobs, envelope::SEALED_MAX};
use registry::server::Plain;

#[path = "attacks/forwarder.rs"]
mod forwarder;
#[path = "rig/phones.rs"]
mod phones;
#[path = "rig/registries.rs"]
mod registries;

use forwarder::{Deed, notice};
use phones::{Over, Phone, Place};
use registries::{ANYWHERE, Registry};

/// Where the bytes of what is sealed begin, behind the outside and its own length.
const KEY_BYTES: usize = 32;

/// In plain, as the forwarder talks, and without sound.
const GENERAL: [&str; 5] = ["--plain", "--input", "silence", "--output", "none"];

/// A registry that does what it should.
fn honest(place: &Place) -> SocketAddr {
    Registry::start(&place.runtime, ANYWHERE, Plain::Any, 9).addr
}

/// How a call of alice's to bob ends whose envelopes become what `deed` makes of them, and what
/// bob's phone told of it.
fn call_through(deed: Box<Deed>) -> (Over, Over) {
    let place = Place::new(&GENERAL);
    let registry = forwarder::start(&place.runtime, deed);
    let mut bob = place.phone("bob", registry, &["answer", "--auto"]);
    bob.wait_for("registered");
    let alice = place.phone("alice", registry, &["call", "bob", "--for", "1"]);
    (alice.end(), bob.stop())
}

fn assert_nobody_was_called((alice, bob): &(Over, Over)) {
    let told = format!("{:?} {}", alice.events, alice.complaints);
    assert_eq!(alice.code, Some(1), "{told}");
    assert_eq!(alice.reason(), "unreachable", "{told}");
    assert_eq!(bob.count("incoming"), 0, "{:?}", bob.events);
}

/// Hands every envelope on with its bytes changed by `change`: it may be none any more.
fn with_bytes(mut change: impl FnMut(&mut Vec<u8>) + Send + 'static) -> Box<Deed> {
    Box::new(move |envelope| {
        let mut frame = notice(envelope);
        let stuffed = 1..frame.len() - 1;
        let length = cobs::decode_in_place(&mut frame[stuffed.clone()]).unwrap();
        let mut payload = frame[stuffed][..length].to_vec();
        change(&mut payload);
        let mut frame = vec![0];
        cobs::encode(&payload, &mut frame);
        frame.push(0);
        vec![frame]
    })
}

#[test]
fn a_forwarder_that_hands_on_what_it_gets_is_no_attack() {
    let (alice, bob) = call_through(Box::new(|envelope| vec![notice(envelope)]));
    assert_eq!(
        alice.code,
        Some(0),
        "{:?} {}",
        alice.events,
        alice.complaints
    );
    assert_eq!(bob.count("established"), 1);
}

#[test]
fn a_forwarder_that_changes_what_is_sealed_reaches_nobody() {
    // Fingerprint and candidates are inside: whatever is changed there, it does not open.
    let mut at = 0;
    assert_nobody_was_called(&call_through(with_bytes(move |bytes| {
        let sealed = bytes.len() - 100;
        at = (at + 7) % 90;
        bytes[sealed + at] ^= 1;
    })));
}

#[test]
fn a_truncated_or_oversized_envelope_reaches_nobody() {
    assert_nobody_was_called(&call_through(with_bytes(|bytes| {
        bytes.truncate(bytes.len() - 1);
    })));
    assert_nobody_was_called(&call_through(with_bytes(|bytes| {
        bytes.extend([0; SEALED_MAX]);
    })));
}

#[test]
fn a_re_addressed_envelope_reaches_nobody() {
    assert_nobody_was_called(&call_through(Box::new(|mut envelope| {
        envelope.to.identity = IdentityKey([7; 32]);
        vec![notice(envelope)]
    })));
    // From somebody else: whom the screen would show, and the answer would go to.
    assert_nobody_was_called(&call_through(Box::new(|mut envelope| {
        envelope.from.name = "mallory".parse().unwrap();
        vec![notice(envelope)]
    })));
}

#[test]
fn the_seal_of_one_envelope_is_of_no_use_on_another() {
    let mut last: Option<Vec<u8>> = None;
    assert_nobody_was_called(&call_through(with_bytes(move |bytes| {
        let own = bytes.clone();
        let other = last.replace(own).unwrap_or_else(|| vec![0; bytes.len()]);
        let tail = other.len().min(bytes.len()) - KEY_BYTES;
        let (begin, from) = (bytes.len() - tail, other.len() - tail);
        bytes[begin + KEY_BYTES..].copy_from_slice(&other[from + KEY_BYTES..]);
    })));
}

#[test]
fn replayed_envelopes_ring_once_and_end_nothing() {
    let mut all: Vec<Envelope> = Vec::new();
    let (alice, bob) = call_through(Box::new(move |envelope| {
        all.push(envelope);
        // Everything that was ever said, three times: Invites, Byes and all.
        let again = all.iter().chain(&all).chain(&all).cloned();
        again.map(notice).collect()
    }));
    assert_eq!(
        alice.code,
        Some(0),
        "{:?} {}",
        alice.events,
        alice.complaints
    );
    assert_eq!((alice.count("established"), bob.count("incoming")), (1, 1));
    let ended = (alice.count("ended"), bob.count("ended"));
    assert_eq!(ended, (1, 1), "{:?}", bob.events);
}

#[test]
fn a_man_in_the_middle_of_a_first_contact_is_shown_by_the_words() {
    let place = Place::new(&GENERAL);
    // The registry shows alice and bob two worlds, and eve is the other one in each.
    let (to_alice, to_bob) = (honest(&place), honest(&place));
    let mut bob = place.phone("bob", to_bob, &["answer", "--auto"]);
    let mut as_bob = place.phone_of("eve", "bob", to_alice, &["answer", "--auto"]);
    bob.wait_for("registered");
    as_bob.wait_for("registered");
    let mut alice = place.phone("alice", to_alice, &["call", "bob"]);
    let mut as_alice = place.phone_of("eve", "alice", to_bob, &["call", "bob"]);
    let words = |phone: &mut Phone| {
        let established = phone.wait_for("established");
        assert_eq!(established["verified"], false);
        established["words"].as_str().unwrap().to_owned()
    };
    let (at_alice, at_bob) = (words(&mut alice), words(&mut bob));
    assert_eq!(at_alice, words(&mut as_bob));
    assert_eq!(at_bob, words(&mut as_alice));
    assert_eq!(at_alice.split(' ').count(), 4);
    assert_ne!(at_alice, at_bob);
    alice.stop();
    as_alice.stop();
}

#[test]
fn somebody_else_under_a_pinned_name_is_not_called_and_does_not_ring() {
    let place = Place::new(&GENERAL);
    let first = honest(&place);
    let mut bob = place.phone("bob", first, &["answer", "--auto"]);
    bob.wait_for("registered");
    let call = ["call", "bob", "--for", "1"];
    let alice = place.phone("alice", first, &call).end();
    assert_eq!(
        alice.code,
        Some(0),
        "{:?} {}",
        alice.events,
        alice.complaints
    );
    bob.stop();
    // The same registry, as far as its key tells, has another bob now.
    let second = honest(&place);
    let mut eve = place.phone_of("eve", "bob", second, &["answer", "--auto"]);
    eve.wait_for("registered");
    let alice = place.phone("alice", second, &call).end();
    assert_eq!(alice.reason(), "identity_changed", "{:?}", alice.events);
    assert_eq!(alice.code, Some(1));
    let detail = alice.event("ended")["detail"].as_str().unwrap();
    assert!(detail.contains("contacts forget bob"), "{detail}");
    assert_eq!(eve.stop().count("incoming"), 0);
    // Nor does she get through as the one who calls.
    let mut alice = place.phone("alice", second, &["answer", "--auto"]);
    alice.wait_for("registered");
    let eve = place
        .phone_of("eve", "bob", second, &["call", "alice"])
        .end();
    assert_eq!(eve.reason(), "unavailable", "{:?}", eve.events);
    let alice = alice.stop();
    assert_eq!(alice.count("incoming"), 0);
    assert_eq!(alice.count("identity_changed"), 1, "{:?}", alice.events);
}
