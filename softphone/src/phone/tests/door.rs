//! Who may call, and that whoever may not cannot tell why.

use super::*;

/// Every way of not being let in, for alice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    Nobody,
    NoContact,
    Dnd,
    Blocked,
    Changed,
}

const EVERY: [Why; 5] = [
    Why::Nobody,
    Why::NoContact,
    Why::Dnd,
    Why::Blocked,
    Why::Changed,
];

/// Bob's phone, which does not let alice in.
fn closed(why: Why, seed: u64) -> Rig {
    close(Rig::seeded(seed), why)
}

/// The same while carol's call rings.
fn busy_and_closed(why: Why, seed: u64) -> Rig {
    let (mut rig, carol) = (Rig::seeded(seed), person(7));
    let mut body = about(invite(&carol));
    body.call = CallId([77; 16]);
    let envelope = rig.envelope(&carol, "carol", Nonce::NONE, TIME, &body);
    assert_eq!(rings(&rig.by_registry(envelope)), Some(true));
    close(rig, why)
}

fn close(mut rig: Rig, why: Why) -> Rig {
    let alice = person(2);
    let settings = &mut rig.phone.settings;
    match why {
        Why::Nobody => settings.callers = Callers::Nobody,
        Why::NoContact => settings.callers = Callers::Contacts,
        Why::Dnd => settings.dnd = true,
        Why::Blocked | Why::Changed => {}
    }
    match why {
        Why::Blocked => rig.people(&[Contact {
            blocked: true,
            ..known("alice", &alice)
        }]),
        Why::Changed => rig.people(&[known("alice", &person(5))]),
        // Who is known or verified is not let in either.
        Why::Dnd | Why::Nobody => rig.people(&[Contact {
            verified: why == Why::Dnd,
            ..known("alice", &alice)
        }]),
        Why::NoContact => {}
    }
    rig
}

/// Everything that leaves the phone, and when.
type Seen = Vec<(Duration, Vec<Output>)>;

/// What alice can see of a call to bob until nothing comes any more.
fn seen(mut rig: Rig, direct: bool) -> Seen {
    let (alice, began) = (person(2), rig.now);
    let mut seen = Vec::new();
    let mut add = |rig: &Rig, mut outputs: Vec<Output>| {
        // What the person is told and what is noted on the disk is seen by nobody else.
        outputs.retain(|output| !matches!(output, Output::Event(_) | Output::Save(_)));
        seen.push((rig.now - began, outputs));
    };
    if direct {
        rig.link(&alice);
        let asks = rig.say(&alice, "alice", invite(&alice));
        let id = asked(&asks);
        add(&rig, asks);
        rig.now += Duration::from_millis(30);
        let outputs = rig.answer(id, Ok(record("alice", &alice)));
        add(&rig, outputs);
    } else {
        let body = about(invite(&alice));
        let envelope = rig.envelope(&alice, "alice", Nonce::NONE, TIME, &body);
        let outputs = rig.by_registry(envelope.clone());
        add(&rig, outputs);
        let again = rig.by_registry(envelope);
        add(&rig, again);
    }
    while !rig.phone.turned.is_empty() {
        let outputs = rig.wake();
        add(&rig, outputs);
    }
    assert!(!rig.phone.lines.contains_key(&CALL) && rig.phone.visitors.is_empty());
    seen
}

/// What was said to alice, opened, and how long each envelope is.
fn said(seen: &Seen) -> Vec<(Duration, CallSignal, usize)> {
    let me = Party {
        name: "alice".parse().unwrap(),
        identity: person(2).identity.key(),
    };
    let mut said = Vec::new();
    for (at, outputs) in seen {
        for output in outputs {
            let (envelope, nonce) = match output {
                Output::ToLink(_, DirectFrame::Envelope(envelope)) => (envelope, Nonce([5; 32])),
                Output::ToRegistry(Request {
                    method: Method::Send { envelope, .. },
                    ..
                }) => (envelope, Nonce::NONE),
                _ => continue,
            };
            if envelope.to != me {
                continue;
            }
            let opened = envelope.open(&me, &person(2).agreement, nonce).unwrap();
            said.push((*at, opened.body, envelope.sealed_len()));
        }
    }
    said
}

#[test]
fn whoever_is_not_let_in_sees_the_same_whatever_the_reason() {
    for case in 0..4 {
        let direct = case % 2 == 0;
        // Nor does it show that bob is in another call.
        let phone: fn(Why, u64) -> Rig = if case < 2 { closed } else { busy_and_closed };
        for seed in 0..20 {
            let nobody = seen(phone(Why::Nobody, seed), direct);
            for why in EVERY {
                // Not only what is inside: with the same seed every byte is the same.
                assert_eq!(seen(phone(why, seed), direct), nobody, "{why:?}, {seed}");
            }
            let said = said(&nobody);
            let [(after, body, _)] = &said[..] else {
                panic!("{said:?}")
            };
            let declined = Signal::Decline(DeclineReason::Unavailable);
            assert_eq!(body.signal, declined);
            let asked = Duration::from_millis(if direct { 30 } else { 0 });
            assert!(*after - asked <= Duration::from_secs(2), "{after:?}");
        }
    }
}

#[test]
fn how_long_a_caller_waits_who_is_not_let_in_is_spread_over_two_seconds() {
    let waits = (0..200).map(|seed| said(&seen(closed(Why::Blocked, seed), false))[0].0);
    let waits: Vec<_> = waits.collect();
    for quarter in 0..4 {
        let from = Duration::from_millis(500) * quarter;
        let within =
            |wait: &&Duration| **wait >= from && **wait < from + Duration::from_millis(500);
        let count = waits.iter().filter(within).count();
        // 50 are expected; 30 would be as rare as one in a thousand.
        assert!((30..=70).contains(&count), "{count} from {from:?} on");
    }
}

#[test]
fn a_name_that_the_registry_gives_to_somebody_else_is_turned_away_like_everybody() {
    let (mut rig, mallory) = (Rig::new(), person(2));
    rig.link(&mallory);
    let began = rig.now;
    let asks = rig.say(&mallory, "alice", invite(&mallory));
    let id = asked(&asks);
    rig.now += Duration::from_millis(30);
    let outputs = rig.answer(id, Ok(record("alice", &person(3))));
    assert_eq!(written(&outputs, &mallory, "alice"), []);
    let turned = rig.wake();
    let declined = Signal::Decline(DeclineReason::Unavailable);
    assert_eq!(written(&turned, &mallory, "alice"), [declined]);
    // At the moment at which a phone of the same seed answers that is set to nobody.
    let nobody = said(&seen(closed(Why::Nobody, 1), true));
    assert_eq!(rig.now - began, nobody[0].0);
}

#[test]
fn contacts_are_let_in_where_only_contacts_may_call() {
    let (mut rig, alice) = (Rig::new(), person(2));
    rig.phone.settings.callers = Callers::Contacts;
    rig.people(&[known("alice", &alice)]);
    let body = about(invite(&alice));
    let envelope = rig.envelope(&alice, "alice", Nonce::NONE, TIME, &body);
    assert_eq!(rings(&rig.by_registry(envelope)), Some(true));
    // Directly, while the registry cannot be asked: the identity shows who it is.
    let mut rig = Rig::new();
    rig.phone.settings.callers = Callers::Contacts;
    rig.people(&[known("alice", &alice)]);
    rig.link(&alice);
    let outputs = rig.say(&alice, "alice", invite(&alice));
    let outputs = rig.answer(asked(&outputs), Err(Refusal::NotFound));
    assert_eq!(rings(&outputs), Some(false));
}

#[test]
fn whom_the_person_is_calling_is_let_in_but_nobody_else_under_that_name() {
    for why in [Why::Nobody, Why::NoContact, Why::Dnd, Why::Blocked] {
        let (mut rig, alice) = (closed(why, 1), person(2));
        let dial = Command::Dial("alice".parse().unwrap());
        let outputs = rig.tell(Input::Command(dial));
        rig.answer(asked(&outputs), Ok(record("alice", &alice)));
        let body = about(invite(&alice));
        let envelope = rig.envelope(&alice, "alice", Nonce::NONE, TIME, &body);
        let outputs = rig.by_registry(envelope);
        let merged = |output: &Output| matches!(output, Output::Event(Event::Merged { .. }));
        assert!(outputs.iter().any(merged), "{why:?}: {outputs:?}");
    }
    // The registry confirms the name of somebody else before the callee has been looked up.
    let (mut rig, alice) = (closed(Why::Changed, 1), person(2));
    let dial = Command::Dial("alice".parse().unwrap());
    let asks = rig.tell(Input::Command(dial));
    let body = about(invite(&alice));
    let envelope = rig.envelope(&alice, "alice", Nonce::NONE, TIME, &body);
    assert_eq!(rig.by_registry(envelope), []);
    let outputs = rig.answer(asked(&asks), Ok(record("alice", &alice)));
    let ended = |output: &Output| {
        let reason = Reason::IdentityChanged;
        matches!(output, Output::Event(Event::Ended { reason: why, .. }) if *why == reason)
    };
    assert!(outputs.iter().any(ended), "{outputs:?}");
    let changed = Event::IdentityChanged {
        name: "alice".parse().unwrap(),
    };
    assert_eq!(rig.wake(), [Output::Event(changed)]);
}

#[test]
fn a_caller_who_gives_up_while_waiting_hears_nothing() {
    let (mut rig, alice) = (closed(Why::Blocked, 3), person(2));
    rig.link(&alice);
    let outputs = rig.say(&alice, "alice", invite(&alice));
    rig.answer(asked(&outputs), Ok(record("alice", &alice)));
    assert_eq!(rig.phone.turned.len(), 1);
    let cancel = Signal::Cancel(CancelReason::Hangup);
    assert_eq!(rig.say(&alice, "alice", cancel), []);
    assert!(rig.phone.turned.is_empty());
}

/// What the person was told of callers.
fn told(outputs: &[Output]) -> Vec<Event> {
    let events = outputs.iter().filter_map(|output| match output {
        Output::Event(event) => Some(event.clone()),
        _ => None,
    });
    events.collect()
}

#[test]
fn the_person_is_told_once_of_each_caller_and_never_of_who_is_blocked() {
    for why in EVERY {
        let (mut rig, alice) = (closed(why, 1), person(2));
        let mut events = Vec::new();
        for number in 0..5 {
            let mut body = about(invite(&alice));
            body.call = CallId([number; 16]);
            let envelope = rig.envelope(&alice, "alice", Nonce::NONE, TIME, &body);
            events.extend(told(&rig.by_registry(envelope)));
        }
        let name = "alice".parse().unwrap();
        match (why, &events[..]) {
            (Why::Blocked, []) | (_, [Event::TurnedAway { .. }]) => {}
            (Why::Changed, [changed]) => assert_eq!(*changed, Event::IdentityChanged { name }),
            _ => panic!("{why:?}: {events:?}"),
        }
    }
}

#[test]
fn many_strangers_under_one_known_name_are_told_of_once() {
    let mut rig = Rig::new();
    rig.people(&[known("alice", &person(2))]);
    let mut events = Vec::new();
    for number in 0..40 {
        let mallory = person(number + 3);
        let mut body = about(invite(&mallory));
        body.call = CallId([number; 16]);
        let envelope = rig.envelope(&mallory, "alice", Nonce::NONE, TIME, &body);
        events.extend(told(&rig.by_registry(envelope)));
    }
    let name = "alice".parse().unwrap();
    assert_eq!(events, [Event::IdentityChanged { name }]);
}

#[test]
fn a_flood_of_callers_who_are_not_let_in_is_answered_and_has_its_limits() {
    let mut rig = Rig::new();
    rig.phone.settings.callers = Callers::Nobody;
    let (mut answered, mut events) = (0, 0);
    let mut count = |outputs: Vec<Output>| {
        let sent = |output: &&Output| matches!(output, Output::ToRegistry(_));
        answered += outputs.iter().filter(sent).count();
        events += told(&outputs).len();
    };
    for number in 0..150 {
        let mallory = person(number + 2);
        let mut body = about(invite(&mallory));
        body.call = CallId([number; 16]);
        let envelope = rig.envelope(&mallory, "mallory", Nonce::NONE, TIME, &body);
        count(rig.by_registry(envelope));
        assert!(rig.phone.turned.len() <= 64);
    }
    while !rig.phone.turned.is_empty() {
        count(rig.wake());
    }
    // 120 at once, and two a second while the last wait.
    assert!((120..=124).contains(&answered), "{answered}");
    assert_eq!(events, 32);
}

#[test]
fn who_is_not_to_be_disturbed_is_published_as_away_and_not_as_more() {
    let mut rig = Rig::new();
    rig.phone.settings.publish = true;
    let dnd = |on| Input::Command(Command::Dnd(on));
    assert_eq!(published(&rig.tell(dnd(true))), Some(Presence::Away));
    let away = Input::Command(Command::Away(true));
    assert_eq!(published(&rig.tell(away)), None);
    assert_eq!(published(&rig.tell(dnd(false))), None);
    let back = Input::Command(Command::Away(false));
    assert_eq!(published(&rig.tell(back)), Some(Presence::Available));
}

/// What a caller hears when the phone has something else to do than to ask who they are.
fn heard_meanwhile(why: Option<Why>, meanwhile: fn(&mut Rig)) -> Vec<Signal> {
    let mut rig = why.map_or_else(Rig::new, |why| closed(why, 1));
    let alice = person(2);
    rig.link(&alice);
    meanwhile(&mut rig);
    let mut outputs = rig.say(&alice, "alice", invite(&alice));
    while !rig.phone.turned.is_empty() {
        outputs.extend(rig.wake());
    }
    written(&outputs, &alice, "alice")
}

#[test]
fn who_is_not_let_in_is_never_told_that_the_phone_is_busy() {
    let stops = |rig: &mut Rig| drop(rig.tell(Input::Command(Command::Stop)));
    // Others say who they are, and the registry has not answered yet.
    let is_full = |rig: &mut Rig| {
        for number in 0..VISITORS_MAX {
            let apart = u8::try_from(number / VISITORS_OF_ONE_MAX).unwrap();
            let mallory = person(9 + apart);
            let mut body = about(invite(&mallory));
            body.call = CallId([100 + u8::try_from(number).unwrap(); 16]);
            let link = LinkId(LINK.0 + 1 + u64::from(apart));
            let (ours, card) = (Nonce([43; 32]), mallory.card);
            let peer = PhoneGreeting { card, nonce: ours };
            rig.tell(Input::LinkUp { link, ours, peer });
            let frame = DirectFrame::Envelope(rig.envelope(&mallory, "mallory", ours, 0, &body));
            rig.tell(Input::FromLink { link, frame });
        }
        assert_eq!(rig.phone.visitors.len(), VISITORS_MAX);
    };
    for meanwhile in [stops as fn(&mut Rig), is_full] {
        assert_eq!(heard_meanwhile(None, meanwhile), [Signal::Busy]);
        for why in EVERY {
            let declined = Signal::Decline(DeclineReason::Unavailable);
            assert_eq!(heard_meanwhile(Some(why), meanwhile), [declined], "{why:?}");
        }
    }
}

/// How many envelopes go through the registry because of so many Invites of each person.
fn answers(mut rig: Rig, people: std::ops::Range<u8>, invites: u8) -> usize {
    let mut answered = 0;
    let mut count = |outputs: Vec<Output>| {
        let sent = |output: &&Output| matches!(output, Output::ToRegistry(_));
        answered += outputs.iter().filter(sent).count();
    };
    for seed in people {
        for number in 0..invites {
            let who = person(seed);
            let mut body = about(invite(&who));
            body.call = CallId([number; 16]);
            body.call.0[0] = seed;
            let envelope = rig.envelope(&who, "alice", Nonce::NONE, TIME, &body);
            count(rig.by_registry(envelope));
        }
    }
    while !rig.phone.turned.is_empty() {
        count(rig.wake());
    }
    answered
}

#[test]
fn one_caller_is_answered_ten_times_a_minute_and_strangers_no_more_than_120_times() {
    // Alice is person 2. What is known of her makes no difference for who is not let in.
    for why in EVERY {
        assert_eq!(answers(closed(why, 1), 2..3, 50), 10, "{why:?}");
        if why != Why::Blocked {
            let answered = answers(closed(why, 1), 6..22, 12);
            // Two a second come back while the last wait.
            assert!((120..=124).contains(&answered), "{why:?}: {answered}");
        }
    }
    // The phone is in another call.
    let busy = |rig: &mut Rig| {
        let carol = person(90);
        let mut body = about(invite(&carol));
        body.call = CallId([77; 16]);
        let envelope = rig.envelope(&carol, "carol", Nonce::NONE, TIME, &body);
        assert_eq!(rings(&rig.by_registry(envelope)), Some(true));
    };
    let mut rig = Rig::new();
    busy(&mut rig);
    assert_eq!(answers(rig, 2..3, 50), 10);
    let mut rig = Rig::new();
    busy(&mut rig);
    assert_eq!(answers(rig, 2..18, 12), 120);
}

#[test]
fn strangers_do_not_use_up_what_the_phone_may_ask_the_registry() {
    let (mut rig, eve) = (Rig::new(), person(66));
    rig.link(&eve);
    let invited = |rig: &mut Rig, number: u8| {
        let mut body = about(invite(&eve));
        body.call = CallId([number; 16]);
        let envelope = rig.envelope(&eve, &format!("nobody{number}"), OURS, 0, &body);
        let outputs = rig.on_link(envelope);
        let asks = |output: &&Output| match output {
            Output::ToRegistry(request) => matches!(request.method, Method::Lookup { .. }),
            _ => false,
        };
        let asked = outputs.iter().filter(asks).count();
        if asked > 0 {
            rig.answer(self::asked(&outputs), Err(Refusal::NotFound));
        }
        asked
    };
    let asked: usize = (0..200).map(|number| invited(&mut rig, number)).sum();
    assert_eq!(asked, 60);
    // Beyond that a caller is one whose name nobody confirms.
    rig.tell(Input::Command(Command::Hangup(CallId([0; 16]))));
    let alice = person(2);
    let mut body = about(invite(&alice));
    body.call = CallId([250; 16]);
    let (link, ours) = (LinkId(LINK.0 + 1), Nonce([43; 32]));
    let peer = PhoneGreeting {
        card: alice.card,
        nonce: ours,
    };
    rig.tell(Input::LinkUp { link, ours, peer });
    let frame = DirectFrame::Envelope(rig.envelope(&alice, "alice", ours, 0, &body));
    assert_eq!(
        rings(&rig.tell(Input::FromLink { link, frame })),
        Some(false)
    );
    // Others have some of it an hour later.
    rig.now += Duration::from_secs(36);
    assert_eq!(invited(&mut rig, 201), 1);
    assert_eq!(invited(&mut rig, 202), 0);
}

#[test]
fn direct_callers_who_wait_keep_nobody_from_calling_through_the_registry_or_on_other_links() {
    let (mut rig, eve, alice) = (Rig::new(), person(66), person(2));
    rig.link(&eve);
    for number in 0..16 {
        let mut body = about(invite(&eve));
        body.call = CallId([number + 100; 16]);
        let envelope = rig.envelope(&eve, &format!("nobody{number}"), OURS, 0, &body);
        rig.on_link(envelope);
    }
    assert_eq!(rig.phone.visitors.len(), VISITORS_OF_ONE_MAX);
    let (link, ours) = (LinkId(LINK.0 + 1), Nonce([43; 32]));
    let peer = PhoneGreeting {
        card: alice.card,
        nonce: ours,
    };
    rig.tell(Input::LinkUp { link, ours, peer });
    let frame =
        DirectFrame::Envelope(rig.envelope(&alice, "alice", ours, 0, &about(invite(&alice))));
    let asks = rig.tell(Input::FromLink { link, frame });
    assert!(matches!(asks[..], [Output::ToRegistry(_)]), "{asks:?}");
    let cancel = about(Signal::Cancel(CancelReason::Hangup));
    let frame = DirectFrame::Envelope(rig.envelope(&alice, "alice", ours, 0, &cancel));
    rig.tell(Input::FromLink { link, frame });
    // And while every place is taken.
    for seed in 10..13 {
        let other = person(seed);
        let (link, ours) = (LinkId(LINK.0 + u64::from(seed)), Nonce([seed; 32]));
        let peer = PhoneGreeting {
            card: other.card,
            nonce: ours,
        };
        rig.tell(Input::LinkUp { link, ours, peer });
        for number in 0..4 {
            let mut body = about(invite(&other));
            body.call = CallId([50 + seed * 10 + number; 16]);
            let frame = DirectFrame::Envelope(rig.envelope(&other, "other", ours, 0, &body));
            rig.tell(Input::FromLink { link, frame });
        }
    }
    assert_eq!(rig.phone.visitors.len(), VISITORS_MAX);
    let envelope = rig.envelope(&alice, "alice", Nonce::NONE, TIME, &about(invite(&alice)));
    assert_eq!(rings(&rig.by_registry(envelope)), Some(true));
}

#[test]
fn a_phone_that_stops_answers_those_who_wait() {
    let (mut rig, alice) = (closed(Why::Nobody, 1), person(2));
    rig.link(&alice);
    let outputs = rig.say(&alice, "alice", invite(&alice));
    rig.answer(asked(&outputs), Ok(record("alice", &alice)));
    let outputs = rig.tell(Input::Command(Command::Stop));
    let declined = Signal::Decline(DeclineReason::Unavailable);
    assert_eq!(written(&outputs, &alice, "alice"), [declined]);
}
