//! Requests about ownership: who may ask, and what they end on the connection.

use codec::{
    RecoveryCode, RecoveryLock,
    claim::{ChangeKey, Recover, Release},
};

use super::*;

fn bob() -> Name {
    "bob".parse().unwrap()
}

fn release(rig: &Rig, owner: &Person, cseq: u64) -> Method {
    Method::Release(Release::sign(&owner.identity, &rig.binding(), bob(), cseq))
}

fn change(rig: &Rig, owner: &Person, to: &Person, cseq: u64) -> Method {
    let (binding, lock) = (rig.binding(), RecoveryLock([1; 32]));
    let (from, to) = (&owner.identity, &to.identity);
    Method::ChangeKey(ChangeKey::sign(from, to, &binding, bob(), lock, cseq))
}

fn recover(rig: &Rig, to: &Person, cseq: u64) -> Method {
    let code = RecoveryCode::generate(&mut ChaCha20Rng::seed_from_u64(1));
    let (binding, lock) = (rig.binding(), RecoveryLock([1; 32]));
    let recover = Recover::sign(&to.identity, &binding, bob(), &code, lock, cseq);
    Method::Recover(recover)
}

/// A rig on which `owner` is registered.
fn registered(owner: &Person) -> Rig {
    let mut rig = Rig::from("192.0.2.7:50000");
    rig.greet(Some(owner));
    let register = rig.register(owner, &["192.0.2.7:4000"], 1);
    rig.ask(1, register).unwrap();
    assert_eq!(rig.joined.len(), 1);
    rig
}

#[test]
fn what_ends_an_ownership_ends_what_the_connection_holds() {
    let (owner, other) = (person(1), person(2));
    for (method, success) in [
        (
            release as fn(&Rig, &Person, u64) -> Method,
            Success::Released,
        ),
        (
            |rig, owner, cseq| change(rig, owner, &person(2), cseq),
            Success::KeyChanged,
        ),
        (recover, Success::KeyChanged),
    ] {
        let mut rig = registered(&owner);
        let asked = method(&rig, &owner, 1);
        assert_eq!(rig.ask(2, asked), Ok(success));
        assert!(rig.joined.is_empty());
        // It no more sends as that name.
        assert_eq!(rig.ask(3, send(&owner, &other)), Err(Refusal::NotYours));
    }
}

fn send(from: &Person, to: &Person) -> Method {
    let party = |name: &str, person: &Person| Party {
        name: name.parse().unwrap(),
        identity: person.identity.key(),
    };
    let address = Address {
        from: party("bob", from),
        to: party("carol", to),
        id: EnvelopeId([1; 16]),
        kind: Kind::Signal,
    };
    let (mut rng, key) = (ChaCha20Rng::seed_from_u64(1), to.card.agreement);
    let none = Nonce::NONE;
    let sealed = Envelope::seal(&from.identity, address, &key, none, TIME, &1u8, &mut rng);
    let envelope = sealed.unwrap();
    Method::Send { envelope, ttl_s: 0 }
}

#[test]
fn a_change_of_the_recovery_code_alone_ends_the_lease_so_that_the_owners_phones_hear() {
    let owner = person(1);
    let mut rig = registered(&owner);
    let relock = change(&rig, &owner, &owner, 1);
    assert_eq!(rig.ask(2, relock), Ok(Success::KeyChanged));
    assert_eq!(rig.joined.len(), 0);
}

#[test]
fn requests_about_ownership_are_signed_on_this_connection_and_counted() {
    let (owner, thief) = (person(1), person(2));
    let mut rig = registered(&owner);
    for forged in [
        release(&rig, &thief, 1),
        change(&rig, &thief, &thief, 1),
        recover(&rig, &thief, 1),
    ] {
        assert_eq!(rig.ask(2, forged), Err(Refusal::BadSignature));
    }
    // A captured one counts on no other connection.
    let captured = release(&rig, &owner, 9);
    let mut elsewhere = Rig::with_nonce("192.0.2.7:50001", Nonce([7; 32]));
    elsewhere.greet(Some(&owner));
    assert_eq!(
        elsewhere.ask(2, captured.clone()),
        Err(Refusal::BadSignature)
    );
    assert_eq!(rig.ask(3, captured.clone()), Ok(Success::Released));
    // Nor twice on the same one.
    assert_eq!(rig.ask(4, captured), Err(Refusal::Stale));
    for stale in [change(&rig, &owner, &thief, 9), recover(&rig, &owner, 8)] {
        assert_eq!(rig.ask(5, stale), Err(Refusal::Stale));
    }
    let next = recover(&rig, &owner, 10);
    assert_eq!(rig.ask(6, next), Ok(Success::KeyChanged));
    // Who is no phone has no key to sign with.
    let mut client = Rig::from("192.0.2.7:50000");
    client.greet(None);
    let unsigned = release(&client, &owner, 1);
    assert_eq!(client.ask(1, unsigned), Err(Refusal::NotYours));
}

#[test]
fn recovery_codes_are_tried_slowly_and_never_logged() {
    let owner = person(1);
    let mut rig = registered(&owner);
    let before = rig.worked;
    let wrong = recover(&rig, &owner, 1);
    rig.ask(2, wrong).unwrap();
    assert!(rig.worked - before >= 100);
    assert!(rig.logged.contains(&"#2 Recover bob cseq=1".to_owned()));
}

#[test]
fn a_name_is_shown_to_others_only_in_the_form_that_was_registered() {
    let eve = person(2);
    let mut rig = Rig::from("10.0.0.7:1234");
    rig.greet(Some(&eve));
    let (name, none) = (
        |text: &str| text.parse::<Name>().unwrap(),
        Contacts::default,
    );
    let claim = codec::claim::Claim::new(RecoveryLock([7; 32]));
    let register = Register::sign(
        &eve.identity,
        &rig.binding(),
        name("aiice"),
        device(),
        eve.card,
        none(),
        60,
        1,
        claim,
    );
    let refresh = |rig: &Rig, cseq| {
        let (key, binding) = (&eve.identity, rig.binding());
        // Which looks like alice.
        Method::Refresh(Refresh::sign(
            key,
            &binding,
            name("aIice"),
            device(),
            60,
            cseq,
        ))
    };
    let send = |name| Method::Send {
        envelope: envelope(&eve, name),
        ttl_s: 0,
    };
    let (sent, refused) = (Ok(Success::Sent { devices: 1 }), Err(Refusal::NotYours));
    assert_eq!(rig.ask(1, Method::Register(register)), GRANTED);
    assert_eq!(rig.ask(2, send("aIice")), refused);
    assert_eq!(rig.ask(3, send("aiice")), sent);
    let again = refresh(&rig, 2);
    assert_eq!(rig.ask(4, again), GRANTED);
    assert_eq!(rig.ask(5, send("aIice")), refused);
    assert_eq!(rig.ask(6, send("aiice")), sent);
    // Nor on a connection that has only refreshed.
    let mut other = Rig::from("10.0.0.7:1235");
    other.table = rig.table;
    other.greet(Some(&eve));
    let again = refresh(&other, 3);
    assert_eq!(other.ask(1, again), GRANTED);
    assert_eq!(other.ask(2, send("aIice")), refused);
    assert_eq!(other.ask(3, send("aiice")), sent);
}
