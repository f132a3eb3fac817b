//! Agreement keys that change while the phone runs.

use super::*;

/// Keys like those of another week: the seed tells which.
fn keys(week: u8, earlier: Option<AgreementSecret>) -> Keys {
    let identity = person(BOB).identity;
    let agreement = AgreementSecret::from_secret(&[week; 32]);
    let card = KeyCard::issue(&identity, agreement.key(), week.into(), u64::MAX);
    Keys {
        card,
        agreement,
        earlier,
    }
}

fn registered_card(outputs: &[Output]) -> KeyCard {
    match outputs {
        [
            Output::ToRegistry(Request {
                method: Method::Register(register),
                ..
            }),
        ] => register.card,
        other => panic!("{other:?}"),
    }
}

/// Whether the phone looks into an Invite that is sealed to this key.
fn hears(rig: &mut Rig, key: &AgreementSecret) -> bool {
    rig.letters += 1;
    let alice = person(2);
    let address = Address {
        from: Party {
            name: "alice".parse().unwrap(),
            identity: alice.identity.key(),
        },
        to: Party {
            name: "bob".parse().unwrap(),
            identity: person(BOB).identity.key(),
        },
        id: EnvelopeId([rig.letters; 16]),
        kind: Kind::Signal,
    };
    let body = CallSignal {
        call: CallId([rig.letters; 16]),
        ..about(invite(&alice))
    };
    let (mut rng, key) = (ChaCha20Rng::seed_from_u64(1), key.key());
    let link = Nonce::NONE;
    let envelope = Envelope::seal(&alice.identity, address, &key, link, TIME, &body, &mut rng);
    !rig.by_registry(envelope.unwrap()).is_empty()
}

#[test]
fn a_new_week_has_a_new_card_and_last_weeks_key_still_opens_for_that_week() {
    let mut rig = Rig::new();
    let first = || person(BOB).agreement;
    let (second, third) = (keys(20, None).agreement, keys(21, None).agreement);
    assert!(hears(&mut rig, &first()) && !hears(&mut rig, &second));
    let outputs = rig.tell(Input::Keys(keys(20, Some(first()))));
    assert_eq!(registered_card(&outputs), keys(20, None).card);
    // Told twice, it is registered once.
    assert_eq!(rig.tell(Input::Keys(keys(20, Some(first())))), []);
    assert!(hears(&mut rig, &first()) && hears(&mut rig, &second));
    let earlier = keys(20, None).agreement;
    rig.tell(Input::Keys(keys(21, Some(earlier))));
    assert!(hears(&mut rig, &second) && hears(&mut rig, &third));
    assert!(!hears(&mut rig, &first()));
}
