//! Whom a call is with: pinned identities, the four words, a missing Confirm, a hidden phone.

use codec::{
    frame::{FrameDecoder, from_payload, to_frame},
    registry::Device,
};

use super::*;
use crate::call::{Agreed, Role};

fn dial(rig: &mut Rig, target: &str) -> (CallId, Vec<Output>) {
    let dial = Command::Dial(target.parse().unwrap());
    let outputs = rig.tell(Input::Command(dial));
    let dialled = outputs.iter().find_map(|output| match output {
        Output::Event(Event::Dialling { call, .. }) => Some(*call),
        _ => None,
    });
    (dialled.unwrap(), outputs)
}

/// Of somebody's own, with one candidate.
fn offer(seed: u8) -> MediaOffer {
    let candidate = codec::signal::Candidate {
        kind: codec::signal::CandidateKind::Host,
        addr: ([10, 0, 0, seed], 5000).into(),
        priority: 1,
    };
    MediaOffer {
        fingerprint: Fingerprint([seed; 32]),
        ice: IceCredentials::new("abcd", &"p".repeat(22)).unwrap(),
        candidates: Candidates::first_of([candidate]),
    }
}

/// A person found at one contact.
fn found_at(name: &str, person: &Person) -> Success {
    let mut found = record(name, person);
    if let Success::Found(record) = &mut found {
        let contact = codec::registry::Contact {
            addr: ([10, 0, 0, 9], 4000).into(),
            observed: false,
        };
        record.entry.devices = codec::List::first_of([Device {
            id: DeviceId([2; 16]),
            contacts: codec::List::first_of([contact]),
            lease_left_s: 60,
            unverified: false,
        }]);
    }
    found
}

/// What goes to anybody, by any way.
fn sent(outputs: &[Output]) -> usize {
    let sent = |output: &&Output| match output {
        Output::ToLink(..) => true,
        Output::ToRegistry(request) => matches!(request.method, Method::Send { .. }),
        _ => false,
    };
    outputs.iter().filter(sent).count()
}

/// What was sealed for a person through the registry.
fn forwarded(outputs: &[Output], to: &Person, name: &str) -> Vec<Signal> {
    let me = Party {
        name: name.parse().unwrap(),
        identity: to.identity.key(),
    };
    let sends = outputs.iter().filter_map(|output| match output {
        Output::ToRegistry(Request {
            method: Method::Send { envelope, .. },
            ..
        }) => Some(envelope),
        _ => None,
    });
    let opened = sends.map(|envelope| {
        let opened = envelope.open::<CallSignal>(&me, &to.agreement, Nonce::NONE);
        opened.unwrap().body.signal
    });
    opened.collect()
}

fn ended(outputs: &[Output]) -> Option<Reason> {
    outputs.iter().find_map(|output| match output {
        Output::Event(Event::Ended { reason, .. }) => Some(*reason),
        _ => None,
    })
}

/// What is saved of people.
fn saved(outputs: &[Output]) -> Vec<&Change> {
    let saved = outputs.iter().filter_map(|output| match output {
        Output::Save(change) => Some(change),
        _ => None,
    });
    saved.collect()
}

/// Alice calls through the registry, bob takes the call and media is up. What came of that.
fn taken(rig: &mut Rig, alice: &Person) -> Vec<Output> {
    let mut body = about(invite(alice));
    if let Signal::Invite { media, .. } = &mut body.signal {
        *media = offer(2);
    }
    let envelope = rig.envelope(alice, "alice", Nonce::NONE, TIME, &body);
    assert_eq!(rings(&rig.by_registry(envelope)), Some(true));
    rig.tell(Input::Command(Command::Answer(CALL)));
    rig.tell(Input::Media(CALL, MediaNews::Prepared(offer(1))));
    rig.tell(Input::Media(CALL, MediaNews::Connected))
}

/// Alice reveals a nonce; hers is `[1; 32]`.
fn confirm(rig: &mut Rig, alice: &Person, nonce: u8) -> Vec<Output> {
    let mut body = about(Signal::Confirm {
        nonce: CallNonce([nonce; 32]),
    });
    body.seq = 2;
    let envelope = rig.envelope(alice, "alice", Nonce::NONE, TIME, &body);
    rig.by_registry(envelope)
}

#[test]
fn the_first_call_pins_and_the_words_verify() {
    let (mut rig, alice) = (Rig::new(), person(2));
    taken(&mut rig, &alice);
    confirm(&mut rig, &alice, 1);
    let outputs = rig.tell(Input::Media(CALL, MediaNews::Heard));
    assert_eq!(saved(&outputs), [&Change::Pin(known("alice", &alice))]);
    let up = outputs.iter().find_map(|output| match output {
        Output::Event(Event::Established { standing, .. }) => Some(*standing),
        _ => None,
    });
    assert_eq!(up, Some(Standing::Stranger));
    let verify = rig.tell(Input::Command(Command::Verify(CALL)));
    assert_eq!(saved(&verify), [&Change::Verify(known("alice", &alice))]);
    assert!(verify.contains(&Output::Event(Event::Verified { call: CALL })));
    assert_eq!(rig.tell(Input::Command(Command::Verify(CALL))), []);
    rig.tell(Input::Command(Command::Hangup(CALL)));
    // The next call knows it.
    let mut body = about(invite(&alice));
    body.call = CallId([9; 16]);
    let envelope = rig.envelope(&alice, "alice", Nonce::NONE, TIME, &body);
    let outputs = rig.by_registry(envelope);
    let standing = outputs.iter().find_map(|output| match output {
        Output::Event(Event::Incoming { standing, .. }) => Some(*standing),
        _ => None,
    });
    assert_eq!(standing, Some(Standing::Verified));
}

#[test]
fn the_words_are_those_of_both_identities_fingerprints_and_nonces() {
    let (mut rig, alice) = (Rig::new(), person(2));
    let outputs = {
        let mut body = about(invite(&alice));
        if let Signal::Invite { media, .. } = &mut body.signal {
            *media = offer(2);
        }
        let envelope = rig.envelope(&alice, "alice", Nonce::NONE, TIME, &body);
        rig.by_registry(envelope);
        rig.tell(Input::Command(Command::Answer(CALL)));
        rig.tell(Input::Media(CALL, MediaNews::Prepared(offer(1))))
    };
    let accepted = forwarded(&outputs, &alice, "alice");
    let Some(Signal::Accept { nonce, .. }) = accepted.last() else {
        panic!("{accepted:?}")
    };
    rig.tell(Input::Media(CALL, MediaNews::Connected));
    confirm(&mut rig, &alice, 1);
    let outputs = rig.tell(Input::Media(CALL, MediaNews::Heard));
    let words = outputs.iter().find_map(|output| match output {
        Output::Event(Event::Established { words, .. }) => Some(*words),
        _ => None,
    });
    let agreed = Agreed {
        caller_fingerprint: Fingerprint([2; 32]),
        callee_fingerprint: Fingerprint([1; 32]),
        caller_nonce: CallNonce([1; 32]),
        callee_nonce: *nonce,
    };
    // As alice's phone reckons.
    let (hers, his) = (alice.identity.key(), person(BOB).identity.key());
    assert_eq!(words, Some(agreed.words(CALL, Role::Caller, hers, his)));
}

#[test]
fn a_call_to_a_name_with_another_identity_ends_before_anything_is_sent() {
    let (mut rig, alice, mallory) = (Rig::new(), person(2), person(3));
    rig.people(&[known("alice", &alice)]);
    let (call, asks) = dial(&mut rig, "alice");
    assert_eq!(
        rig.tell(Input::Media(call, MediaNews::Prepared(offer(1)))),
        []
    );
    let outputs = rig.answer(asked(&asks), Ok(found_at("alice", &mallory)));
    assert_eq!(ended(&outputs), Some(Reason::IdentityChanged));
    assert_eq!(sent(&outputs), 0, "{outputs:?}");
    let opens = |output: &Output| matches!(output, Output::OpenLink { .. });
    assert!(!outputs.iter().any(opens), "{outputs:?}");
    // At another registry the name is somebody else's, and nobody is pinned there.
    let (call, outputs) = dial(&mut rig, "alice@198.51.100.1:5000");
    let link = outputs.iter().find_map(|output| match output {
        Output::OpenHost { link, .. } => Some(*link),
        _ => None,
    });
    let Success::Found(found) = found_at("alice", &mallory) else {
        unreachable!()
    };
    let outputs = rig.tell(Input::Resolved {
        link: link.unwrap(),
        registry: person(50).identity.key(),
        found: Ok(found),
    });
    assert_eq!(ended(&outputs), None);
    assert!(rig.phone.lines.contains_key(&call));
}

#[test]
fn a_phone_at_an_address_with_another_identity_than_before_is_not_called() {
    let (mut rig, alice, mallory) = (Rig::new(), person(2), person(3));
    rig.people(&[Contact {
        registry: None,
        ..known("alice", &alice)
    }]);
    let (call, outputs) = dial(&mut rig, "alice@198.51.100.1:4000");
    rig.tell(Input::Media(call, MediaNews::Prepared(offer(1))));
    let link = outputs.iter().find_map(|output| match output {
        Output::OpenHost { link, .. } => Some(*link),
        _ => None,
    });
    let peer = PhoneGreeting {
        card: mallory.card,
        nonce: Nonce([5; 32]),
    };
    let (link, ours) = (link.unwrap(), OURS);
    let outputs = rig.tell(Input::LinkUp { link, ours, peer });
    assert_eq!(ended(&outputs), Some(Reason::IdentityChanged));
    assert_eq!(sent(&outputs), 0, "{outputs:?}");
    assert!(outputs.contains(&Output::CloseLink(link)));
}

#[test]
fn a_phone_at_an_address_does_not_come_to_a_name_that_is_known_at_a_registry() {
    let (alice, eve) = (person(2), person(3));
    let contact = Contact {
        registry: Some(person(77).identity.key()),
        verified: true,
        ..known("alice", &alice)
    };
    for (answers, changed) in [(&eve, true), (&alice, false)] {
        let mut rig = Rig::new();
        rig.people(std::slice::from_ref(&contact));
        let (call, outputs) = dial(&mut rig, "alice@198.51.100.1:4000");
        rig.tell(Input::Media(call, MediaNews::Prepared(offer(1))));
        let link = outputs.iter().find_map(|output| match output {
            Output::OpenHost { link, .. } => Some(*link),
            _ => None,
        });
        let peer = PhoneGreeting {
            card: answers.card,
            nonce: Nonce([5; 32]),
        };
        let (link, ours) = (link.unwrap(), OURS);
        let outputs = rig.tell(Input::LinkUp { link, ours, peer });
        let reason = changed.then_some(Reason::IdentityChanged);
        assert_eq!(ended(&outputs), reason);
        assert_eq!(sent(&outputs), usize::from(!changed), "{outputs:?}");
    }
}

/// Alice is called as she is registered, after a call that no registry vouched for.
#[test]
fn who_was_verified_while_the_registry_was_silent_is_nobody_else_once_it_speaks() {
    let (alice, eve) = (person(2), person(3));
    for (answer, reason) in [(&eve, Some(Reason::IdentityChanged)), (&alice, None)] {
        let mut rig = Rig::new();
        rig.people(&[Contact {
            registry: None,
            verified: true,
            ..known("alice", &alice)
        }]);
        let (_, asks) = dial(&mut rig, "alice");
        let outputs = rig.answer(asked(&asks), Ok(found_at("alice", answer)));
        assert_eq!(ended(&outputs), reason);
    }
}

#[test]
fn a_ringing_call_that_one_of_ones_own_becomes_is_pinned_where_the_name_was_looked_up() {
    let (mut rig, alice) = (Rig::new(), person(2));
    rig.phone.settings.calls_max = 2;
    rig.link(&alice);
    let mut body = about(invite(&alice));
    if let Signal::Invite { media, .. } = &mut body.signal {
        *media = offer(2);
    }
    let envelope = rig.envelope(&alice, "alice", OURS, 0, &body);
    let asks = rig.on_link(envelope);
    let outputs = rig.answer(asked(&asks), Err(Refusal::NotFound));
    assert_eq!(rings(&outputs), Some(false));
    let (_, asks) = dial(&mut rig, "alice");
    rig.answer(asked(&asks), Ok(record("alice", &alice)));
    rig.tell(Input::Media(CALL, MediaNews::Prepared(offer(1))));
    rig.tell(Input::Media(CALL, MediaNews::Connected));
    confirm(&mut rig, &alice, 1);
    let outputs = rig.tell(Input::Media(CALL, MediaNews::Heard));
    assert_eq!(saved(&outputs), [&Change::Pin(known("alice", &alice))]);
}

#[test]
fn who_keeps_the_registry_from_answering_cannot_use_a_name_that_is_known() {
    let (mut rig, alice, mallory) = (Rig::new(), person(2), person(3));
    rig.people(&[known("alice", &alice)]);
    rig.link(&mallory);
    rig.say(&mallory, "alice", invite(&mallory));
    // The registry says nothing.
    let outputs = rig.wake();
    assert_eq!(rings(&outputs), None);
    let name = "alice".parse().unwrap();
    let changed = Output::Event(Event::IdentityChanged { name });
    assert!(outputs.contains(&changed), "{outputs:?}");
    let declined = Signal::Decline(DeclineReason::Unavailable);
    assert_eq!(written(&rig.wake(), &mallory, "alice"), [declined]);
}

#[test]
fn of_two_first_calls_under_one_name_only_one_identity_gets_it() {
    let (mut rig, alice, mallory) = (Rig::new(), person(2), person(3));
    taken(&mut rig, &mallory);
    // Meanwhile the real one was talked to on another of bob's phones.
    rig.people(&[known("alice", &alice)]);
    confirm(&mut rig, &mallory, 1);
    let outputs = rig.tell(Input::Media(CALL, MediaNews::Heard));
    assert_eq!(ended(&outputs), Some(Reason::IdentityChanged));
    assert_eq!(saved(&outputs), [] as [&Change; 0]);
}

#[test]
fn a_wrong_or_missing_confirm_ends_the_call_and_no_voice_is_sent_or_heard() {
    let speaks = |outputs: &[Output]| {
        let up = |output: &Output| {
            let up = matches!(output, Output::Event(Event::Established { .. }));
            up || matches!(output, Output::Speak(_))
        };
        outputs.iter().any(up)
    };
    let alice = person(2);
    let mut wrong = Rig::new();
    assert!(!speaks(&taken(&mut wrong, &alice)));
    assert!(!speaks(&wrong.tell(Input::Media(CALL, MediaNews::Heard))));
    let outputs = confirm(&mut wrong, &alice, 9);
    assert_eq!(ended(&outputs), Some(Reason::Untrusted));
    assert!(outputs.contains(&Output::StopMedia(CALL)) && !speaks(&outputs));
    // The other side hears why, and ends it for the same reason.
    let bye = Signal::Bye(codec::signal::ByeReason::Untrusted);
    assert_eq!(forwarded(&outputs, &alice, "alice"), [bye]);

    let mut missing = Rig::new();
    taken(&mut missing, &alice);
    let began = missing.now;
    assert!(!speaks(&missing.tell(Input::Media(CALL, MediaNews::Heard))));
    let over = loop {
        let outputs = missing.wake();
        assert!(!speaks(&outputs), "{outputs:?}");
        if let Some(reason) = ended(&outputs) {
            break reason;
        }
    };
    assert_eq!(over, Reason::MediaFailed);
    assert!(missing.now - began <= call::CONNECT_WITHIN);
}

#[test]
fn what_a_hostile_forwarder_changes_does_nothing() {
    let (alice, body) = (person(2), about(invite(&person(2))));
    let mut rig = Rig::new();
    let envelope = rig.envelope(&alice, "alice", Nonce::NONE, TIME, &body);
    let frame = to_frame(&envelope).unwrap();
    let read = FrameDecoder::default().next(&mut &frame[..]);
    let mut written = read.unwrap().unwrap();
    let mut opened = 0;
    for at in 0..written.len() {
        written[at] ^= 1;
        if let Ok(changed) = from_payload::<Envelope>(&written) {
            opened += 1;
            assert_eq!(rig.by_registry(changed), [], "byte {at}");
        }
        written[at] ^= 1;
        // And what is cut off is no envelope.
        assert!(from_payload::<Envelope>(&written[..at]).is_err());
    }
    assert!(opened > written.len() / 2);
    // From somebody else, to somebody else, of a device or a name that is not meant.
    let mallory = Party {
        name: "alice".parse().unwrap(),
        identity: person(3).identity.key(),
    };
    let (mut from, mut to) = (envelope.clone(), envelope.clone());
    (from.from, to.to) = (mallory.clone(), mallory);
    for changed in [from, to] {
        assert_eq!(rig.by_registry(changed), []);
    }
    assert_eq!(rings(&rig.by_registry(envelope)), Some(true));
}

#[test]
fn a_hidden_phone_calls_through_the_registry_and_shows_its_addresses_with_the_confirm() {
    let (mut rig, carol) = (Rig::new(), person(2));
    rig.phone.settings.hidden = true;
    let (call, asks) = dial(&mut rig, "carol");
    rig.tell(Input::Media(call, MediaNews::Prepared(offer(1))));
    let outputs = rig.answer(asked(&asks), Ok(found_at("carol", &carol)));
    let opens = |output: &Output| matches!(output, Output::OpenLink { .. });
    assert!(!outputs.iter().any(opens), "{outputs:?}");
    let invited = forwarded(&outputs, &carol, "carol");
    let [Signal::Invite { media, .. }] = &invited[..] else {
        panic!("{invited:?}")
    };
    assert!(media.candidates.is_empty());
    assert_eq!(media.fingerprint, offer(1).fingerprint);
    let mut body = about(Signal::Accept {
        media: offer(2),
        nonce: CallNonce([2; 32]),
    });
    body.call = call;
    let envelope = rig.envelope(&carol, "carol", Nonce::NONE, TIME, &body);
    let outputs = rig.by_registry(envelope);
    let said = forwarded(&outputs, &carol, "carol");
    let [
        Signal::Confirm { .. },
        Signal::Candidates { added, removed },
    ] = &said[..]
    else {
        panic!("{said:?}")
    };
    assert_eq!(*added, offer(1).candidates);
    assert!(removed.is_empty());
}

#[test]
fn a_hidden_phone_registers_no_address_takes_no_connection_and_calls_none() {
    let (mut rig, alice) = (Rig::new(), person(2));
    rig.phone.settings.hidden = true;
    let addresses = Contacts::first_of([([10, 0, 0, 1], 4000).into()]);
    let outputs = rig.tell(Input::Contacts(addresses));
    for output in &outputs {
        let Output::ToRegistry(Request { method, .. }) = output else {
            continue;
        };
        let shows = matches!(method, Method::Register(register) if !register.contacts.is_empty());
        assert!(!shows, "{outputs:?}");
    }
    let peer = PhoneGreeting {
        card: alice.card,
        nonce: Nonce([5; 32]),
    };
    let (link, ours) = (LINK, OURS);
    let outputs = rig.tell(Input::LinkUp { link, ours, peer });
    assert_eq!(outputs, [Output::CloseLink(LINK)]);
    let (_, outputs) = dial(&mut rig, "alice@198.51.100.1:4000");
    assert_eq!(ended(&outputs), Some(Reason::Unreachable));
    let opens = |output: &Output| matches!(output, Output::OpenHost { .. });
    assert!(!outputs.iter().any(opens), "{outputs:?}");
}

#[test]
fn a_name_is_shown_as_it_is_registered_and_folded_where_nobody_confirms_it() {
    let eve = person(66);
    let shown = |outputs: &[Output]| {
        let names = outputs.iter().filter_map(|output| match output {
            Output::Event(Event::Incoming { from, .. } | Event::TurnedAway { from, .. }) => {
                Some(from.name.as_str().to_owned())
            }
            _ => None,
        });
        names.collect::<Vec<_>>()
    };
    // It looks like alice, and is another name.
    for (answer, as_shown) in [
        (Ok(record("aiiCe", &eve)), "aiiCe"),
        (Err(Refusal::NotFound), "aiice"),
    ] {
        for dnd in [false, true] {
            let mut rig = Rig::new();
            rig.phone.settings.dnd = dnd;
            rig.link(&eve);
            let asks = rig.say(&eve, "aIice", invite(&eve));
            let outputs = rig.answer(asked(&asks), answer.clone());
            assert_eq!(shown(&outputs), [as_shown]);
        }
    }
}
