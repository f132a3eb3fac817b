//! What strangers cannot make a phone do: answer, give a call up, or shut others out.

use super::*;

fn dial(rig: &mut Rig, target: &str) -> Vec<Output> {
    let dial = Command::Dial(target.parse().unwrap());
    rig.tell(Input::Command(dial))
}

fn media_of(person: &Person) -> MediaOffer {
    match invite(person) {
        Signal::Invite { media, .. } => media,
        _ => unreachable!(),
    }
}

#[test]
fn dialling_a_name_does_not_answer_somebody_who_only_says_it_is_theirs() {
    let (mut rig, mallory) = (Rig::new(), person(2));
    rig.phone.settings.calls_max = 2;
    rig.link(&mallory);
    let outputs = rig.say(&mallory, "alice", invite(&mallory));
    let outputs = rig.answer(asked(&outputs), Err(Refusal::NotFound));
    assert_eq!(rings(&outputs), Some(false));
    // Alice is registered meanwhile, and is somebody else.
    let outputs = dial(&mut rig, "alice");
    assert!(!outputs.contains(&Output::PrepareMedia(CALL)));
    let outputs = rig.answer(asked(&outputs), Ok(record("alice", &person(5))));
    assert!(!outputs.contains(&Output::PrepareMedia(CALL)));
}

#[test]
fn dialling_a_name_answers_whose_it_is_once_that_is_known() {
    let (mut rig, alice) = (Rig::new(), person(2));
    rig.phone.settings.calls_max = 2;
    rig.link(&alice);
    let outputs = rig.say(&alice, "alice", invite(&alice));
    rig.answer(asked(&outputs), Err(Refusal::NotFound));
    let outputs = dial(&mut rig, "alice");
    let outputs = rig.answer(asked(&outputs), Ok(record("alice", &alice)));
    assert!(outputs.contains(&Output::PrepareMedia(CALL)));
    let merged = |output: &Output| matches!(output, Output::Event(Event::Merged { .. }));
    assert!(outputs.iter().any(merged));
}

#[test]
fn calling_an_address_does_not_answer_the_registrys_owner_of_that_name() {
    let (mut rig, mallory) = (Rig::new(), person(3));
    rig.phone.settings.calls_max = 2;
    rig.phone.settings.second_call = SecondCall::Offer;
    dial(&mut rig, "alice@198.51.100.1:4000");
    let envelope = rig.envelope(
        &mallory,
        "alice",
        Nonce::NONE,
        TIME,
        &about(invite(&mallory)),
    );
    let outputs = rig.by_registry(envelope);
    assert_eq!(rings(&outputs), Some(true));
    assert!(!outputs.contains(&Output::PrepareMedia(CALL)));
}

#[test]
fn a_refusal_at_a_contact_does_not_end_a_call_that_the_registry_carries() {
    let (mut rig, carol) = (Rig::new(), person(2));
    let outputs = dial(&mut rig, "carol");
    let call = outputs.iter().find_map(|output| match output {
        Output::PrepareMedia(call) => Some(*call),
        _ => None,
    });
    let prepared = MediaNews::Prepared(media_of(&carol));
    rig.tell(Input::Media(call.unwrap(), prepared));
    let mut found = record("carol", &carol);
    if let Success::Found(record) = &mut found {
        let contact = codec::registry::Contact {
            addr: ([10, 0, 0, 9], 4000).into(),
            observed: false,
        };
        let device = codec::registry::Device {
            id: DeviceId([2; 16]),
            contacts: codec::List::first_of([contact]),
            lease_left_s: 60,
            unverified: false,
        };
        record.entry.devices = codec::List::first_of([device]);
    }
    let outputs = rig.answer(asked(&outputs), Ok(found));
    let [Output::OpenLink { link, .. }] = outputs[..] else {
        panic!("{outputs:?}")
    };
    // Whoever listens there has copied carol's card.
    let peer = PhoneGreeting {
        card: carol.card,
        nonce: Nonce([5; 32]),
    };
    let ours = OURS;
    rig.tell(Input::LinkUp { link, ours, peer });
    rig.now = rig.phone.poll_timeout().unwrap();
    let forwarded = rig.tell(Input::Timeout);
    assert!(matches!(forwarded[..], [Output::ToRegistry(_)]));
    let frame = DirectFrame::Refused(DirectRefusal::NotHere);
    let outputs = rig.tell(Input::FromLink { link, frame });
    assert_eq!(outputs, [Output::CloseLink(link)]);
    assert!(rig.phone.lines.contains_key(&call.unwrap()));
}

#[test]
fn answering_a_call_that_is_over_holds_no_other() {
    let (mut rig, alice) = (Rig::new(), person(2));
    rig.phone.settings.calls_max = 4;
    rig.link(&alice);
    let outputs = rig.say(&alice, "alice", invite(&alice));
    rig.answer(asked(&outputs), Ok(record("alice", &alice)));
    rig.tell(Input::Command(Command::Answer(CALL)));
    let prepared = MediaNews::Prepared(media_of(&alice));
    rig.tell(Input::Media(CALL, prepared));
    let nonce = CallNonce([1; 32]);
    rig.say(&alice, "alice", Signal::Confirm { nonce });
    rig.tell(Input::Media(CALL, MediaNews::Heard));
    for command in [Command::Answer, Command::Resume] {
        let over = command(CallId([77; 16]));
        assert_eq!(rig.tell(Input::Command(over)), []);
    }
}

#[test]
fn one_stranger_does_not_take_every_line() {
    let (mut rig, mallory) = (Rig::new(), person(2));
    rig.phone.settings.calls_max = 4;
    rig.phone.settings.second_call = SecondCall::Offer;
    rig.link(&mallory);
    for number in 0..200 {
        let mut body = about(invite(&mallory));
        body.call = CallId([number; 16]);
        let envelope = rig.envelope(&mallory, "mallory", OURS, 0, &body);
        rig.on_link(envelope);
        rig.now += Duration::from_millis(1_100);
        rig.tell(Input::Timeout);
        assert!(rig.phone.lines.len() <= 1, "{number}");
    }
    // Others are heard.
    let alice = person(5);
    let mut body = about(invite(&alice));
    body.call = CallId([250; 16]);
    let time = TIME + 220_000;
    let envelope = rig.envelope(&alice, "alice", Nonce::NONE, time, &body);
    assert_eq!(rings(&rig.by_registry(envelope)), Some(true));
}

#[test]
fn what_is_wrong_with_an_envelope_does_not_tell_what_the_phone_is_called() {
    let (mut rig, eve) = (Rig::new(), person(66));
    rig.link(&eve);
    let (bob, card) = (person(BOB), &eve.agreement);
    // Sealed to a key that is not bob's, and with a signature that is not eve's.
    let sealed = |name: &str, key: &AgreementSecret, signer: &Person| {
        let party = |name: &str, identity| Party {
            name: name.parse().unwrap(),
            identity,
        };
        let address = Address {
            from: party("eve", eve.identity.key()),
            to: party(name, bob.identity.key()),
            id: EnvelopeId([7; 16]),
            kind: Kind::Signal,
        };
        let (body, key) = (about(Signal::Ringing), key.key());
        let (signer, mut rng) = (&signer.identity, ChaCha20Rng::seed_from_u64(1));
        Envelope::seal(signer, address, &key, OURS, 0, &body, &mut rng).unwrap()
    };
    let refused = || Output::ToLink(LINK, DirectFrame::Refused(DirectRefusal::NotHere));
    for name in ["guess", "bob"] {
        assert_eq!(rig.on_link(sealed(name, card, &eve)), [refused()]);
        assert_eq!(rig.on_link(sealed(name, &bob.agreement, &bob)), [refused()]);
    }
    // And there are not many guesses.
    for _ in 4..15 {
        assert_eq!(rig.on_link(sealed("guess", card, &eve)), [refused()]);
    }
    let last = rig.on_link(sealed("guess", card, &eve));
    assert_eq!(last, [refused(), Output::CloseLink(LINK)]);
    assert_eq!(rig.on_link(sealed("bob", card, &eve)), []);
}

#[test]
fn a_registry_whose_clock_is_set_back_cannot_have_an_old_invite_ring() {
    const HOUR_MS: u64 = 3_600_000;
    for (machine, counts) in [
        (TIME, true),
        (TIME + 600_000, true),
        (TIME - 600_000, true),
        (TIME + 600_001, false),
        (TIME + 24 * HOUR_MS, false),
        (TIME - HOUR_MS, false),
    ] {
        let (mut rig, alice) = (Rig::new(), person(2));
        // The registry says that it is TIME, when the Invite was written.
        assert_eq!(rig.tell(Input::Clock(machine)), []);
        let body = about(invite(&alice));
        let envelope = rig.envelope(&alice, "alice", Nonce::NONE, TIME, &body);
        let rang = rings(&rig.by_registry(envelope));
        assert_eq!(rang, counts.then_some(true), "{machine}");
    }
    // A direct connection shows by its nonce that an Invite is fresh.
    let (mut rig, alice) = (Rig::new(), person(2));
    rig.tell(Input::Clock(5));
    rig.link(&alice);
    let asks = rig.say(&alice, "alice", invite(&alice));
    let outputs = rig.answer(asked(&asks), Ok(record("alice", &alice)));
    assert_eq!(rings(&outputs), Some(true));
}
