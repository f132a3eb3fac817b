//! The four words, who may call, and hidden phones, as people and scripts have them.

use std::time::Duration;

use codec::registry::{Method, Success};
use registry::client::{Access, Client};
use serde_json::Value;

use super::*;

#[test]
fn both_sides_show_the_same_words_and_a_key_verifies_the_other() {
    let place = Place::new();
    let mut bob = place.phone("bob", &with_no_sound(&["answer", "--calls", "1"]));
    bob.wait_for("registered");
    let mut alice = place.phone("alice", &with_no_sound(&["call", "bob", "--for", "2"]));
    let incoming = bob.wait_for("incoming");
    assert_eq!(incoming["known"], false);
    bob.type_line("a");
    let theirs = bob.wait_for("established");
    bob.type_line("v");
    assert_eq!(bob.wait_for("verified")["name"], "alice");
    let ours = alice.wait_for("established");
    assert_eq!(ours["words"], theirs["words"]);
    let words = ours["words"].as_str().unwrap();
    assert_eq!(words.split(' ').count(), 4, "{words}");
    assert_eq!(
        (&ours["known"], &ours["verified"]),
        (&false.into(), &false.into())
    );
    assert_eq!(alice.end().code, Some(0));
    assert_eq!(bob.end().code, Some(0));
}

#[test]
fn a_caller_who_is_not_let_in_hears_that_no_call_is_taken_until_it_is() {
    let place = Place::new();
    let mut bob = place.phone("bob", &with_no_sound(&["--dnd", "answer", "--calls", "1"]));
    bob.wait_for("registered");
    let call = ["call", "bob", "--for", "0.5"];
    let turned = place.phone("alice", &with_no_sound(&call)).end();
    assert_eq!((turned.code, turned.reason()), (Some(1), "unavailable"));
    let rang = |event: &Value| event["event"] == "ringing";
    assert!(!turned.events.iter().any(rang), "{:?}", turned.events);
    let told = bob.wait_for("turned_away");
    assert_eq!(
        (told["name"].as_str(), &told["known"]),
        (Some("alice"), &false.into())
    );
    bob.type_line("z");
    let mut alice = place.phone("alice", &with_no_sound(&call));
    bob.wait_for("incoming");
    bob.type_line("a");
    alice.wait_for("established");
    assert_eq!(alice.end().code, Some(0));
    assert_eq!(bob.end().code, Some(0));
}

#[test]
fn hidden_phones_talk_and_a_lookup_of_them_shows_no_address() {
    let place = Place::new();
    let answer = with_no_sound(&["--hidden", "answer", "--auto", "--calls", "1"]);
    let mut bob = place.phone("bob", &answer);
    assert_eq!(bob.wait_for("registered")["listening"], Value::Null);
    let within = Duration::from_secs(5);
    let found = place.rig.runtime.block_on(async {
        let host = place.registry.into();
        let client = Client::connect(&Access::trusting("test"), &host, within).await;
        let name = "bob".parse().unwrap();
        client.unwrap().ask(Method::Lookup { name }, within).await
    });
    let Ok(Success::Found(found)) = found else {
        panic!("{found:?}")
    };
    assert_eq!(found.entry.devices.len(), 1);
    assert!(found.entry.devices[0].contacts.is_empty());
    let call = with_no_sound(&["--hidden", "call", "bob", "--for", "1"]);
    let alice = place.phone("alice", &call).end();
    assert_eq!(alice.code, Some(0), "{}", alice.complaints);
    let warns = "shows the two phones each other's addresses";
    assert!(alice.complaints.contains(warns), "{}", alice.complaints);
    assert!(alice.event("ended")["duration_s"].as_f64().unwrap() >= 1.0);
    assert_eq!(bob.end().code, Some(0));
    // Calling an address would show where the call comes from.
    let at_address = format!("bob@{}", place.registry);
    let call = with_no_sound(&["--hidden", "call", &at_address]);
    let refused = place.phone("alice", &call).end();
    assert_eq!((refused.code, refused.reason()), (Some(1), "unreachable"));
    assert!(refused.why().contains("hidden"), "{}", refused.why());
}

#[test]
fn who_is_verified_stays_so_and_somebody_else_under_the_name_is_not_let_in() {
    let place = Place::new();
    let mut bob = place.phone("bob", &with_no_sound(&["answer", "--calls", "1"]));
    bob.wait_for("registered");
    let call = with_no_sound(&["call", "bob", "--for", "1"]);
    let alice = place.phone("alice", &call);
    bob.wait_for("incoming");
    bob.type_line("a");
    bob.wait_for("established");
    bob.type_line("v");
    bob.wait_for("verified");
    assert_eq!(alice.end().code, Some(0));
    assert_eq!(bob.end().code, Some(0));
    let auto = with_no_sound(&["answer", "--auto", "--calls", "1"]);
    let mut bob = place.phone("bob", &auto);
    bob.wait_for("registered");
    assert_eq!(place.phone("alice", &call).end().code, Some(0));
    let bob = bob.end();
    for event in ["incoming", "established"] {
        let event = bob.event(event);
        assert_eq!(
            (&event["known"], &event["verified"]),
            (&true.into(), &true.into())
        );
    }

    // The registry has lost what it knew, and gives the name to whoever asks first.
    let later = Place::new();
    let owner = place.path("bob");
    let owner = owner.to_str().unwrap();
    let mut bob = later.phone_of(owner, "bob", &auto);
    bob.wait_for("registered");
    let stranger = later.phone("alice", &call).end();
    assert_eq!((stranger.code, stranger.reason()), (Some(1), "unavailable"));
    assert_eq!(bob.wait_for("identity_changed")["name"], "alice");
    drop(bob);
    // And bob does not call them either, until he says so.
    let mut alice = later.phone("alice", &auto);
    alice.wait_for("registered");
    let call = with_no_sound(&["call", "alice", "--for", "0.5"]);
    let refused = later.phone_of(owner, "bob", &call).end();
    assert_eq!(refused.reason(), "identity_changed");
    assert!(refused.why().contains("ramal-phone contacts forget alice"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_ramal-phone"));
    let forgotten = later
        .set_up(&mut command)
        .args([
            "--name", "bob", "--config", owner, "contacts", "forget", "alice",
        ])
        .stdout(Stdio::null())
        .status();
    assert!(forgotten.unwrap().success());
    let again = later.phone_of(owner, "bob", &call).end();
    assert_eq!(again.code, Some(0), "{}", again.complaints);
    assert_eq!(again.event("established")["known"], false);
    assert_eq!(alice.end().code, Some(0));
}
