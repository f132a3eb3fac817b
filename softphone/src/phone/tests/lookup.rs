//! Finding out where somebody is without calling: one answer each, whoever is asked.

use std::net::SocketAddr;

use codec::registry::{Contact as At, Device};

use super::*;

fn look_up(rig: &mut Rig, typed: &str) -> Vec<Output> {
    let target = typed.parse().unwrap();
    rig.tell(Input::Command(Command::Lookup(target)))
}

/// What was found, of each lookup that has ended.
fn found(outputs: &[Output]) -> Vec<Result<Found, Unfound>> {
    let found = outputs.iter().filter_map(|output| match output {
        Output::Event(Event::Found { found, .. }) => Some(found.clone()),
        _ => None,
    });
    found.collect()
}

/// The connection that was opened to a host.
fn opened(outputs: &[Output]) -> LinkId {
    let link = outputs.iter().find_map(|output| match output {
        Output::OpenHost { link, .. } => Some(*link),
        _ => None,
    });
    link.expect("a connection")
}

/// Why there is no answer.
fn why(outputs: &[Output]) -> String {
    match &found(outputs)[..] {
        [Err(Unfound::NoAnswer(why))] => why.to_string(),
        other => panic!("{other:?}"),
    }
}

fn at(port: u16) -> SocketAddr {
    ([192, 0, 2, 7], port).into()
}

/// A record of somebody who listens at these ports.
fn listening(name: &str, person: &Person, ports: &[u16]) -> Record {
    let Success::Found(mut record) = record(name, person) else {
        panic!("a record");
    };
    let contacts = ports.iter().map(|port| At {
        addr: at(*port),
        observed: false,
    });
    record.entry.presence = Presence::Busy;
    record.entry.devices = codec::List::first_of([Device {
        id: DeviceId([2; 16]),
        contacts: codec::List::first_of(contacts),
        lease_left_s: 60,
        unverified: false,
    }]);
    record
}

#[test]
fn a_name_is_looked_up_at_the_registry_and_nobody_is_called() {
    let (mut rig, alice) = (Rig::new(), person(2));
    rig.people(&[known("alice", &alice)]);
    let outputs = look_up(&mut rig, "ALICE");
    let record = listening("Alice", &alice, &[4000, 4001]);
    let outputs = rig.answer(asked(&outputs), Ok(Success::Found(record)));
    let target = "ALICE".parse().unwrap();
    let expected = Event::Found {
        target,
        found: Ok(Found {
            name: "Alice".parse().unwrap(),
            identity: alice.identity.key(),
            registry: Some(registry()),
            contacts: vec![at(4000), at(4001)],
            presence: Presence::Busy,
            standing: Standing::Known,
        }),
    };
    assert_eq!(outputs, [Output::Event(expected)]);
}

#[test]
fn somebody_else_under_a_known_name_is_found_as_changed() {
    let (mut rig, mallory) = (Rig::new(), person(3));
    rig.people(&[known("alice", &person(2))]);
    let outputs = look_up(&mut rig, "alice");
    let outputs = rig.answer(asked(&outputs), Ok(record("alice", &mallory)));
    let found = found(&outputs).remove(0).unwrap();
    assert_eq!(found.standing, Standing::Changed);
}

/// Whether alice is remembered to be somebody else by now, here and in the file.
fn is_changed(rig: &Rig, outputs: &[Output], file: &mut Book) -> bool {
    for output in outputs {
        if let Output::Save(change) = output {
            assert!(file.apply(change), "{change:?}");
        }
    }
    assert_eq!(rig.phone.book(), file);
    let alice = "alice".parse().unwrap();
    file.get(Some(registry()), &alice).unwrap().changed
}

#[test]
fn whoever_asks_whose_a_name_is_has_it_remembered_whether_it_is_still_theirs() {
    let (alice, mallory) = (person(2), person(3));
    let contact = known("alice", &alice);
    let ask_by: [fn(&mut Rig, &Person) -> Vec<Output>; 3] = [
        |rig, _| look_up(rig, "alice"),
        |rig, _| rig.tell(Input::Command(Command::Dial("alice".parse().unwrap()))),
        // Somebody says to be alice.
        |rig, caller| {
            rig.link(caller);
            rig.say(caller, "alice", invite(caller))
        },
    ];
    for ask in ask_by {
        for (owner, changed) in [(&mallory, true), (&alice, false)] {
            let mut rig = Rig::new();
            rig.people(std::slice::from_ref(&contact));
            let mut file = rig.phone.book().clone();
            let asks = ask(&mut rig, &mallory);
            let outputs = rig.answer(asked(&asks), Ok(record("alice", owner)));
            assert_eq!(is_changed(&rig, &outputs, &mut file), changed);
            let asks = look_up(&mut rig, "alice");
            let outputs = rig.answer(asked(&asks), Ok(record("alice", &alice)));
            assert!(!is_changed(&rig, &outputs, &mut file), "it is hers again");
        }
    }
}

#[test]
fn who_only_says_to_be_somebody_changes_nothing_of_what_is_known() {
    let (mut rig, alice, mallory) = (Rig::new(), person(2), person(3));
    rig.people(&[known("alice", &alice)]);
    let before = rig.phone.book().clone();
    rig.link(&mallory);
    let asks = rig.say(&mallory, "alice", invite(&mallory));
    rig.answer(asked(&asks), Err(Refusal::NotFound));
    rig.wake();
    // Nor does a card that is not hers, whoever shows it.
    let Success::Found(mut forged) = record("alice", &mallory) else {
        panic!("a record");
    };
    forged.card.identity = person(4).identity.key();
    let asks = look_up(&mut rig, "alice");
    rig.answer(asked(&asks), Ok(Success::Found(forged)));
    assert_eq!(*rig.phone.book(), before);
}

#[test]
fn what_a_registry_refuses_is_said_and_what_is_not_valid_is_not_found() {
    let alice = person(2);
    let refused = |result| {
        let mut rig = Rig::new();
        let outputs = look_up(&mut rig, "alice");
        let outputs = rig.answer(asked(&outputs), result);
        assert_eq!(outputs.len(), 1);
        found(&outputs).remove(0).unwrap_err()
    };
    assert_eq!(refused(Err(Refusal::NotFound)), Unfound::NotFound);
    let too_fast = Refusal::TooFast { retry_s: 9 };
    assert_eq!(refused(Err(too_fast)), Unfound::Refused(too_fast));
    let no_answer = |unfound| matches!(unfound, Unfound::NoAnswer(_));
    assert!(no_answer(refused(Ok(record("carol", &alice)))));
    assert!(no_answer(refused(Ok(Success::Published))));
    let Success::Found(mut forged) = record("alice", &alice) else {
        panic!("a record");
    };
    forged.card.identity = person(3).identity.key();
    assert!(no_answer(refused(Ok(Success::Found(forged)))));
}

#[test]
fn an_address_is_connected_to_and_a_registry_there_is_asked() {
    let (mut rig, alice) = (Rig::new(), person(2));
    let there = person(80).identity.key();
    let outputs = look_up(&mut rig, "alice@192.0.2.7:5000");
    let link = opened(&outputs);
    assert_eq!(rig.tell(Input::Reached { link, at: at(5000) }), []);
    let record = listening("alice", &alice, &[4000]);
    let outputs = rig.tell(Input::Resolved {
        link,
        registry: there,
        found: Ok(record),
    });
    let alone = found(&outputs)[0].clone().unwrap();
    assert_eq!(
        (alone.registry, alone.contacts),
        (Some(there), vec![at(4000)])
    );
    for (unresolved, unfound) in [
        (Unresolved::NotFound, Unfound::NotFound),
        (
            Unresolved::Failed(Why::Silent),
            Unfound::NoAnswer(Why::Silent),
        ),
    ] {
        let link = opened(&look_up(&mut rig, "alice@192.0.2.7:5000"));
        let outputs = rig.tell(Input::Resolved {
            link,
            registry: there,
            found: Err(unresolved),
        });
        assert_eq!(found(&outputs), [Err(unfound)]);
    }
}

#[test]
fn a_phone_at_an_address_is_found_there_and_hears_nothing() {
    let (mut rig, alice) = (Rig::new(), person(2));
    let up = |rig: &mut Rig, link, person: &Person, card| {
        let nonce = Nonce([5; 32]);
        assert_eq!(rig.tell(Input::Reached { link, at: at(4000) }), []);
        assert_eq!(person.card.identity, person.identity.key());
        let peer = PhoneGreeting { card, nonce };
        rig.tell(Input::LinkUp {
            link,
            ours: OURS,
            peer,
        })
    };
    let link = opened(&look_up(&mut rig, "alice@192.0.2.7:4000"));
    let outputs = up(&mut rig, link, &alice, alice.card);
    assert_eq!(outputs.len(), 2);
    assert!(outputs.contains(&Output::CloseLink(link)));
    let found_there = found(&outputs)[0].clone().unwrap();
    assert_eq!(found_there.identity, alice.identity.key());
    assert_eq!(
        (found_there.registry, found_there.contacts),
        (None, vec![at(4000)])
    );
    assert_eq!(found_there.standing, Standing::Stranger);
    // The name is known, but as somebody else's.
    rig.people(&[known("alice", &person(3))]);
    let link = opened(&look_up(&mut rig, "alice@192.0.2.7:4000"));
    let outputs = up(&mut rig, link, &alice, alice.card);
    assert_eq!(
        found(&outputs)[0].as_ref().unwrap().standing,
        Standing::Changed
    );
    // Nobody is found by a card that is not valid, nor is bob himself.
    let link = opened(&look_up(&mut rig, "alice@192.0.2.7:4000"));
    let old = KeyCard::issue(&alice.identity, alice.agreement.key(), 1, TIME - 1);
    assert!(why(&up(&mut rig, link, &alice, old)).contains("not valid"));
    let link = opened(&look_up(&mut rig, "alice@192.0.2.7:4000"));
    let bob = person(BOB);
    assert!(why(&up(&mut rig, link, &bob, bob.card)).contains("itself"));
}

#[test]
fn nobody_at_an_address_is_said() {
    let mut rig = Rig::new();
    let link = opened(&look_up(&mut rig, "alice@192.0.2.7:4000"));
    let outputs = rig.tell(Input::LinkDown {
        link,
        why: Why::PhoneClosed,
    });
    assert_eq!(why(&outputs), Why::PhoneClosed.to_string());
}

#[test]
fn every_lookup_has_one_answer_in_time_and_nine_are_one_too_many() {
    let mut rig = Rig::new();
    let begun = rig.now;
    let mut links = Vec::new();
    for number in 0..LOOKUPS_MAX {
        let typed = match number % 2 {
            0 => format!("n{number}"),
            _ => format!("n{number}@192.0.2.7:4000"),
        };
        let outputs = look_up(&mut rig, &typed);
        assert_eq!(found(&outputs), []);
        links.extend((number % 2 == 1).then(|| opened(&outputs)));
    }
    for typed in ["alice", "alice@192.0.2.7:4000"] {
        let outputs = look_up(&mut rig, typed);
        assert_eq!(found(&outputs), [Err(Unfound::TooMany)]);
        assert_eq!(outputs.len(), 1);
    }
    rig.now = begun + LOOKUP_WITHIN;
    let outputs = rig.tell(Input::Timeout);
    assert_eq!(found(&outputs).len(), LOOKUPS_MAX);
    for link in &links {
        assert!(outputs.contains(&Output::CloseLink(*link)));
    }
    // What comes too late is no answer, and there is room again.
    let outputs = rig.tell(Input::LinkDown {
        link: links[0],
        why: Why::Late,
    });
    assert_eq!(outputs, []);
    assert_eq!(found(&look_up(&mut rig, "alice")), []);
}

#[test]
fn a_registry_that_is_lost_answers_nothing_and_one_that_is_away_is_said_at_once() {
    let mut rig = Rig::new();
    look_up(&mut rig, "alice");
    let down = Input::RegistryDown { why: Why::Stuck };
    assert_eq!(why(&rig.tell(down)), Why::Stuck.to_string());
    assert_eq!(why(&look_up(&mut rig, "alice")), Why::Stuck.to_string());
}

#[test]
fn before_the_first_connection_a_lookup_waits_for_it() {
    let mut rig = Rig::new();
    let device = rig.phone.post.me().device;
    let bob = person(BOB);
    let me = Me {
        name: "bob".parse().unwrap(),
        device,
        identity: bob.identity,
        keys: Keys::new(bob.card, bob.agreement),
        claim: codec::claim::Claim::new(codec::RecoveryLock([7; 32])),
    };
    let (settings, rng) = (rig.phone.settings, ChaCha20Rng::seed_from_u64(1));
    rig.phone = Phone::new(me, Contacts::default(), settings, rng, rig.now, TIME);
    look_up(&mut rig, "alice");
    let binding = Binding {
        registry: registry(),
        exporter: Exporter::PLAIN,
        nonce: Nonce([8; 32]),
    };
    let outputs = rig.tell(Input::RegistryUp {
        binding,
        time: TIME,
    });
    let lookup = outputs.iter().find_map(|output| match output {
        Output::ToRegistry(Request {
            id,
            method: Method::Lookup { .. },
        }) => Some(*id),
        _ => None,
    });
    let outputs = rig.answer(lookup.unwrap(), Err(Refusal::NotFound));
    assert_eq!(found(&outputs), [Err(Unfound::NotFound)]);
}

#[test]
fn a_hidden_phone_shows_itself_to_nobody_at_an_address() {
    let mut rig = Rig::new();
    rig.phone.settings.hidden = true;
    let outputs = look_up(&mut rig, "alice@192.0.2.7:4000");
    assert!(why(&outputs).contains("hidden"));
    assert_eq!(outputs.len(), 1);
    assert_eq!(found(&look_up(&mut rig, "alice")), []);
}

#[test]
fn a_phone_that_stops_ends_what_it_looks_for() {
    let mut rig = Rig::new();
    look_up(&mut rig, "alice");
    let link = opened(&look_up(&mut rig, "alice@192.0.2.7:4000"));
    let outputs = rig.tell(Input::Command(Command::Stop));
    assert_eq!(found(&outputs).len(), 2);
    assert!(outputs.contains(&Output::CloseLink(link)));
    assert!(why(&look_up(&mut rig, "carol")).contains("stopped"));
}
