//! What a person changes while the phone runs.

use super::*;

fn command(rig: &mut Rig, command: Command) -> Vec<Output> {
    rig.tell(Input::Command(command))
}

/// What the phone asks its registry.
fn methods(outputs: &[Output]) -> Vec<&Method> {
    let asked = outputs.iter().filter_map(|output| match output {
        Output::ToRegistry(request) => Some(&request.method),
        _ => None,
    });
    asked.collect()
}

fn block(name: &str, blocked: bool) -> Command {
    Command::Change(Change::Block {
        registry: Some(registry()),
        name: name.parse().unwrap(),
        blocked,
    })
}

/// Somebody calls, and the registry confirms who.
fn call(rig: &mut Rig, who: &Person, name: &str) -> Vec<Output> {
    let outputs = rig.say(who, name, invite(who));
    rig.answer(asked(&outputs), Ok(record(name, who)))
}

#[test]
fn who_may_call_changes_at_once() {
    let (mut rig, alice) = (Rig::new(), person(2));
    rig.link(&alice);
    command(&mut rig, Command::Callers(Callers::Contacts));
    assert_eq!(rings(&call(&mut rig, &alice, "alice")), None);
    rig.wake();
    command(&mut rig, Command::Callers(Callers::Everyone));
    assert_eq!(rings(&call(&mut rig, &alice, "alice")), Some(true));
}

#[test]
fn presence_is_told_from_when_it_is_wanted_and_taken_back_when_it_is_not() {
    let mut rig = Rig::new();
    let published = |outputs: &[Output]| match methods(outputs)[..] {
        [Method::Publish { presence }] => Some(*presence),
        [] => None,
        ref other => panic!("{other:?}"),
    };
    assert_eq!(published(&command(&mut rig, Command::Away(true))), None);
    let outputs = command(&mut rig, Command::Publish(true));
    assert_eq!(published(&outputs), Some(Presence::Away));
    // Nothing is said any more, so what was said is no longer true.
    let outputs = command(&mut rig, Command::Publish(false));
    assert_eq!(published(&outputs), Some(Presence::Available));
    assert_eq!(published(&command(&mut rig, Command::Away(false))), None);
    assert_eq!(published(&command(&mut rig, Command::Away(true))), None);
}

#[test]
fn who_is_blocked_while_they_call_rings_no_longer_and_does_not_again() {
    let (mut rig, alice) = (Rig::new(), person(2));
    rig.people(&[known("alice", &alice)]);
    rig.link(&alice);
    assert!(rings(&call(&mut rig, &alice, "alice")).is_some());
    let edition = rig.phone.book_edition();
    let outputs = command(&mut rig, block("alice", true));
    assert!(
        outputs
            .iter()
            .any(|output| matches!(output, Output::Save(_)))
    );
    assert!(outputs.iter().any(|output| matches!(
        output,
        Output::Event(Event::Ended {
            reason: Reason::DeclinedHere,
            ..
        })
    )));
    assert!(rig.phone.book_edition() > edition);
    assert!(rig.phone.book().is_blocked(alice.identity.key()));
    assert_eq!(rings(&call(&mut rig, &alice, "alice")), None);
    rig.wake();
    // The same once more is no news for the disk.
    assert_eq!(command(&mut rig, block("alice", true)), []);
    command(&mut rig, block("alice", false));
    assert!(rings(&call(&mut rig, &alice, "alice")).is_some());
}

#[test]
fn a_book_that_is_the_same_on_the_disk_is_no_other_edition() {
    let mut rig = Rig::new();
    let alice = known("alice", &person(2));
    rig.people(std::slice::from_ref(&alice));
    let edition = rig.phone.book_edition();
    rig.people(std::slice::from_ref(&alice));
    assert_eq!(rig.phone.book_edition(), edition);
    let (registry, name) = (alice.registry, alice.name);
    let forget = Command::Change(Change::Forget { registry, name });
    command(&mut rig, forget);
    assert!(rig.phone.book_edition() > edition && rig.phone.book().is_empty());
}

#[test]
fn the_directory_is_followed_over_registrations_and_not_while_the_phone_stops() {
    let mut rig = Rig::new();
    let outputs = command(&mut rig, Command::Watch(true));
    let watch = asked(&outputs);
    let outputs = rig.answer(watch, Ok(Success::Watching));
    assert!(matches!(methods(&outputs)[..], [Method::List { .. }]));
    let page = codec::registry::Page {
        entries: codec::List::default(),
        more: false,
    };
    rig.answer(asked(&outputs), Ok(Success::Page(page)));
    assert!(rig.phone.roster().complete);
    let Success::Found(zoe) = record("zoe", &person(5)) else {
        panic!("a record");
    };
    rig.tell(Input::FromRegistry(FromRegistry::Notice(Notice::Changed(
        zoe.entry,
    ))));
    assert_eq!(rig.phone.roster().entries.len(), 1);
    rig.tell(Input::RegistryDown { why: Why::Silent });
    assert!(rig.phone.roster().old);
    let binding = Binding {
        registry: registry(),
        exporter: Exporter::PLAIN,
        nonce: Nonce([9; 32]),
    };
    let outputs = rig.tell(Input::RegistryUp {
        binding,
        time: TIME,
    });
    let outputs = rig.answer(asked(&outputs), Ok(Success::Registered { expires_s: 60 }));
    assert!(matches!(methods(&outputs)[..], [Method::Watch(_)]));
    // The registry never answers that, and nobody waits for it.
    let outputs = rig.tell(Input::Command(Command::Stop));
    let outputs = rig.answer(asked(&outputs), Ok(Success::Unregistered));
    assert!(
        outputs.contains(&Output::Event(Event::Stopped)),
        "{outputs:?}"
    );
    assert_eq!(command(&mut rig, Command::Watch(true)), []);
}
