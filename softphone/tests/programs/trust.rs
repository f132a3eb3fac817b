//! The four words, who may call, and hidden phones, as people and scripts have them.

use codec::registry::Success;

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
    let found = place.runtime.block_on(async {
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
