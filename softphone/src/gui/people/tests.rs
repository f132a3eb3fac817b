//! The people as a person finds and calls them.

use iced_test::simulator;

use super::*;
use crate::{
    board::Registered,
    contacts::{Contact, Standing},
    gui::fixture::{BOB, World, check, check_in, contact, languages, name, shown},
};

fn people(world: &World) -> People {
    let mut people = People {
        zone: TimeZone::UTC,
        ..People::default()
    };
    people.refresh(&world.cx());
    people
}

fn english() -> World {
    World::with_friends(preferences::Language::English)
}

/// What the phone is told by an action, in short.
fn told(action: Action<Message>) -> Vec<String> {
    match action {
        Action::Tell(command) => vec![format!("{command:?}")],
        Action::All(actions) => actions.into_iter().flat_map(told).collect(),
        _ => Vec::new(),
    }
}

fn found(who: &str) -> engine::Event {
    engine::Event::Phone(Event::Found {
        target: named(name(who)),
        found: Ok(Found {
            name: name(who),
            identity: BOB,
            registry: None,
            contacts: vec!["192.168.0.12:4000".parse().expect("an address")],
            presence: codec::registry::Presence::Available,
            standing: Standing::Verified,
        }),
    })
}

#[test]
fn a_click_on_the_button_beside_a_name_calls() {
    let world = english();
    let mut people = people(&world);
    let message = {
        let cx = world.cx();
        let mut ui = shown(people.view(&cx));
        ui.click("Bob").expect("bob is listed");
        let messages: Vec<_> = ui.into_messages().collect();
        messages.into_iter().next().expect("he is chosen")
    };
    let _ = people.update(message, &world.cx());
    let open = people.open.as_ref().expect("open");
    assert_eq!(open.target, named(name("bob")));
    let _ = people.update(Message::LookupPressed, &world.cx());
    people.hear(&found("bob"));
    let cx = world.cx();
    let mut ui = shown(people.view(&cx));
    ui.find("192.168.0.12:4000").expect("where he is");
    ui.click("Call").expect("a button");
    let pressed = ui.into_messages().next().expect("something");
    let told = told(people.update(pressed, &cx));
    assert!(told[0].contains("Dial"), "{told:?}");
}

#[test]
fn enter_opens_who_was_typed_and_enter_once_more_calls() {
    let world = english();
    let mut people = people(&world);
    let _ = people.update(Message::Typed("deb".to_owned()), &world.cx());
    assert!(people.rows.is_empty(), "accents are letters of their own");
    let _ = people.update(Message::Typed("car".to_owned()), &world.cx());
    let first = told(people.key(Shortcut::Open, &world.cx()));
    assert!(first[0].contains("Lookup"), "{first:?}");
    assert_eq!(
        people.open.as_ref().expect("open").target.name,
        name("carlos.eduardo")
    );
    let second = told(people.key(Shortcut::Open, &world.cx()));
    assert!(second[0].contains("Dial"), "{second:?}");
}

#[test]
fn whoever_is_in_no_list_can_be_typed_and_looked_up() {
    let world = english();
    let mut people = people(&world);
    let typed = "carol@10.0.0.9:4000";
    let _ = people.update(Message::Typed(typed.to_owned()), &world.cx());
    let message = {
        let cx = world.cx();
        let mut ui = shown(people.view(&cx));
        ui.click(format!("Look up {typed}").as_str())
            .expect("offered");
        ui.into_messages().next().expect("something")
    };
    let told = told(people.update(message, &world.cx()));
    assert!(told[0].contains("Lookup"), "{told:?}");
    let target: Target = typed.parse().expect("a target");
    let nobody = engine::Event::Phone(Event::Found {
        target,
        found: Err(Unfound::NotFound),
    });
    people.hear(&nobody);
    let cx = world.cx();
    let mut ui = shown(people.view(&cx));
    ui.find("Look up again").expect("a next step");
}

#[test]
fn arrows_go_from_person_to_person_and_over_headings() {
    let world = english();
    let mut people = people(&world);
    let mut seen = Vec::new();
    for _ in 0..3 {
        let _ = people.key(Shortcut::Below, &world.cx());
        let open = people.open.as_ref().expect("open");
        seen.push(open.target.name.to_string());
    }
    assert_eq!(seen, ["Bob", "Débora", "carlos.eduardo"]);
    let _ = people.key(Shortcut::Above, &world.cx());
    assert_eq!(
        people.open.as_ref().expect("open").target.name,
        name("débora")
    );
    let _ = people.key(Shortcut::Back, &world.cx());
    assert!(people.open.is_none());
}

#[test]
fn a_contact_is_forgotten_only_when_the_person_says_yes() {
    let world = english();
    let mut people = people(&world);
    let _ = people.update(Message::OpenPressed(named(name("erik"))), &world.cx());
    let asked = told(people.update(Message::ForgetPressed(None, name("erik")), &world.cx()));
    assert!(asked.is_empty());
    let forgotten = told(people.update(Message::YesPressed, &world.cx()));
    assert!(forgotten[0].contains("Forget"), "{forgotten:?}");
    let again = told(people.update(Message::YesPressed, &world.cx()));
    assert!(again.is_empty());
}

#[test]
fn whoever_looks_at_the_calls_has_seen_the_missed_ones() {
    let world = english();
    let mut people = people(&world);
    let told = told(people.update(Message::TabPressed(Tab::Recent), &world.cx()));
    assert!(told[0].contains("Seen"), "{told:?}");
    let cx = world.cx();
    let mut ui = shown(people.view(&cx));
    ui.find("Missed call · gave up").expect("a missed call");
    ui.find("11:40").expect("today");
    ui.find("yesterday 11:00").expect("yesterday");
}

#[test]
fn calls_that_are_missed_while_their_list_is_open_are_seen_once() {
    let world = english();
    let mut people = people(&world);
    assert!(told(people.settle(true, &world.cx())).is_empty());
    people.tab = Tab::Recent;
    assert!(told(people.settle(false, &world.cx())).is_empty());
    let away = Cx {
        focused: None,
        ..world.cx()
    };
    assert!(told(people.settle(true, &away)).is_empty());
    let seen = told(people.settle(true, &world.cx()));
    assert!(seen[0].contains("Seen"), "{seen:?}");
    let again = told(people.settle(true, &world.cx()));
    assert!(again.is_empty(), "the phone has been told: {again:?}");
}

#[test]
fn a_click_means_whoever_stood_there_when_it_was_made() {
    let mut world = english();
    let mut people = people(&world);
    let clicked = {
        let cx = world.cx();
        let mut ui = shown(people.view(&cx));
        ui.click("erik").expect("erik is listed");
        ui.into_messages().next().expect("he is chosen")
    };
    world.preferences.favourites = vec!["zoe".to_owned(), "yara".to_owned()];
    people.refresh(&world.cx());
    let _ = people.update(clicked, &world.cx());
    let open = people.open.as_ref().expect("open");
    assert_eq!(open.target, named(name("erik")));
}

#[test]
fn two_thousand_names_are_as_quick_as_two() {
    let mut world = english();
    Arc::make_mut(&mut world.roster).entries = (0..2_000)
        .map(|number| {
            Arc::new(crate::roster::Entry {
                name: name(&format!("user{number:04}")),
                presence: codec::registry::Presence::Available,
                contacts: Vec::new(),
            })
        })
        .collect();
    let people = people(&world);
    let cx = world.cx();
    let mut ui = simulator(people.view(&cx));
    ui.find("bob").expect("favourites come first");
    let below = ui.find("user1999");
    assert!(below.is_err(), "what is not in view is not built");
}

#[test]
fn the_list_is_made_again_when_there_is_something_new_in_it_and_only_then() {
    let mut world = english();
    let mut people = people(&world);
    let made = people.rows.as_ptr();
    people.refresh(&world.cx());
    assert_eq!(people.rows.as_ptr(), made);
    let persons = |people: &People| {
        let is_person = |row: &&Row| matches!(row, Row::Person(_));
        people.rows.iter().filter(is_person).count()
    };
    let before = persons(&people);
    let newcomer = Arc::new(crate::roster::Entry {
        name: name("zoe"),
        presence: codec::registry::Presence::Available,
        contacts: Vec::new(),
    });
    Arc::make_mut(&mut world.roster).entries.push(newcomer);
    people.refresh(&world.cx());
    assert_eq!(persons(&people), before + 1);
    let book: Book = [contact("yara", false, false)].into_iter().collect();
    world.book = Arc::new(book);
    people.refresh(&world.cx());
    let is_yara = |row: &Row| matches!(row, Row::Person(listed) if listed.name == name("yara"));
    assert!(people.rows.iter().any(is_yara));
    world.preferences.favourites = vec!["quim".to_owned()];
    people.refresh(&world.cx());
    let heading = Row::Heading(listed::Section::Favourites);
    assert_eq!(people.rows[0], heading);
    let quim = |row: &Row| matches!(row, Row::Person(listed) if listed.name == name("quim"));
    assert!(quim(&people.rows[1]));
}

#[test]
fn screens_look_as_they_did() {
    for (tag, language) in languages() {
        let world = World::with_friends(language);
        let mut people = people(&world);
        check("people", tag, || people.view(&world.cx()));
        let _ = people.update(Message::OpenPressed(named(name("bob"))), &world.cx());
        people.hear(&found("bob"));
        check("people-details", tag, || people.view(&world.cx()));
        let narrow = iced::Size::new(400.0, 600.0);
        check_in("people-narrow", tag, narrow, || people.view(&world.cx()));
        let mallory = named(name("mallory"));
        let _ = people.update(Message::OpenPressed(mallory.clone()), &world.cx());
        people.hear(&engine::Event::Phone(Event::Found {
            target: mallory,
            found: Err(Unfound::NotFound),
        }));
        let _ = people.update(Message::ForgetPressed(None, name("mallory")), &world.cx());
        let _ = people.update(Message::TabPressed(Tab::Recent), &world.cx());
        check("people-recent", tag, || people.view(&world.cx()));
        let _ = people.update(Message::TabPressed(Tab::Everyone), &world.cx());
        let _ = people.update(Message::Typed("carol!".to_owned()), &world.cx());
        check("people-mistyped", tag, || people.view(&world.cx()));
        let _ = people.update(Message::Typed("bo".to_owned()), &world.cx());
        let _ = people.update(Message::ClosePressed, &world.cx());
        check("people-found", tag, || people.view(&world.cx()));
    }
}

#[test]
fn empty_screens_look_as_they_did() {
    for (tag, language) in languages() {
        let mut world = World::new(language);
        let mut people = people(&world);
        check("people-empty", tag, || people.view(&world.cx()));
        Arc::make_mut(&mut world.roster).refused = Some(codec::registry::Refusal::Closed);
        check("people-closed", tag, || people.view(&world.cx()));
        Arc::make_mut(&mut world.roster).refused = None;
        world.board.registered = Registered::No;
        check("people-offline", tag, || people.view(&world.cx()));
        let _ = people.update(Message::TabPressed(Tab::Recent), &world.cx());
        check("people-recent-empty", tag, || people.view(&world.cx()));
    }
}

/// Alice's friends after a registry has said that bob is this identity.
fn seen_as(identity: IdentityKey) -> Arc<Book> {
    let mut book = english().book;
    Arc::make_mut(&mut book).apply(&Change::See {
        registry: None,
        name: name("bob"),
        identity,
    });
    book
}

#[test]
fn who_is_known_to_have_another_identity_has_no_mark_of_before_and_is_not_called_at_ease() {
    let warning = "This name belongs to somebody else now";
    for (identity, is_changed) in [(BOB, false), (IdentityKey([8; 32]), true)] {
        let world = World {
            book: seen_as(identity),
            ..english()
        };
        let mut people = people(&world);
        let listed = people.rows.iter().find_map(|row| match row {
            Row::Person(listed) if listed.name == name("bob") => Some(listed.known),
            _ => None,
        });
        let expected = match is_changed {
            true => listed::Known::Changed,
            false => listed::Known::Verified,
        };
        assert_eq!(listed, Some(expected));
        let cx = world.cx();
        let sees = |people: &People, words: &str| shown(people.view(&cx)).find(words).is_ok();
        assert_eq!(sees(&people, "Identity changed"), is_changed);
        // It is said before the registry has answered once more.
        let _ = people.update(Message::OpenPressed(named(name("bob"))), &cx);
        assert_eq!(sees(&people, warning), is_changed);
        // The last word is the registry's.
        people.hear(&found("bob"));
        assert!(!sees(&people, warning));
    }
}

#[test]
fn a_changed_identity_is_loud() {
    for (tag, language) in languages() {
        let world = World {
            book: seen_as(IdentityKey([8; 32])),
            ..World::with_friends(language)
        };
        let mut people = people(&world);
        let bob = named(name("bob"));
        let _ = people.update(Message::OpenPressed(bob.clone()), &world.cx());
        let engine::Event::Phone(Event::Found { found, .. }) = found("bob") else {
            panic!("it was found");
        };
        let found = found.map(|found| Found {
            standing: Standing::Changed,
            ..found
        });
        let changed = engine::Event::Phone(Event::Found { target: bob, found });
        people.hear(&changed);
        check("people-changed", tag, || people.view(&world.cx()));
    }
}

#[test]
fn the_person_sees_whether_they_can_be_called() {
    for (tag, language) in languages() {
        let mut world = World::with_friends(language);
        let people = people(&world);
        let size = iced::Size::new(176.0, 136.0);
        check_in("me", tag, size, || people.me(&world.cx()));
        world.board.dnd = true;
        check_in("me-dnd", tag, size, || people.me(&world.cx()));
    }
}

/// Bob as somebody at this registry, whom the details show, with what is kept of him.
fn bob_at(kept: Option<IdentityKey>, standing: Option<Standing>) -> Vec<bool> {
    const HERE: Option<IdentityKey> = Some(IdentityKey([1; 32]));
    let mut world = english();
    Arc::make_mut(&mut world.roster).registry = HERE;
    let bob = contact("bob", true, false);
    let registry = kept;
    world.book = Arc::new(Book::from_iter([Contact { registry, ..bob }]));
    let mut people = people(&world);
    let _ = people.update(Message::OpenPressed(named(name("bob"))), &world.cx());
    if let Some(standing) = standing {
        let found = engine::Event::Phone(Event::Found {
            target: named(name("bob")),
            found: Ok(Found {
                name: name("bob"),
                identity: IdentityKey([9; 32]),
                registry: HERE,
                contacts: Vec::new(),
                presence: codec::registry::Presence::Available,
                standing,
            }),
        });
        people.hear(&found);
    }
    let cx = world.cx();
    let mut ui = shown(people.view(&cx));
    let verified = "You have read the four words to each other, and they were the same.";
    let kept = BOB.fingerprint();
    [verified, &kept, "Forget"]
        .map(|words| ui.find(words).is_ok())
        .into()
}

#[test]
fn what_is_known_at_another_registry_says_nothing_of_who_is_called_so_here() {
    let here = Some(IdentityKey([1; 32]));
    let there = Some(IdentityKey([2; 32]));
    assert_eq!(bob_at(here, None), [true, true, true]);
    assert_eq!(bob_at(None, None), [true, true, true]);
    assert_eq!(bob_at(there, None), [false, false, false]);
    assert_eq!(
        bob_at(there, Some(Standing::Stranger)),
        [false, false, false]
    );
    // Somebody else has the name: what was verified is not whoever is shown.
    assert_eq!(bob_at(here, Some(Standing::Changed)), [false, false, true]);
}

#[test]
fn who_is_blocked_at_another_registry_can_be_let_in_again() {
    let mut world = english();
    Arc::make_mut(&mut world.roster).registry = Some(IdentityKey([1; 32]));
    let there = Some(IdentityKey([2; 32]));
    let eve = contact("eve", false, true);
    let registry = there;
    world.book = Arc::new(Book::from_iter([Contact { registry, ..eve }]));
    let mut people = people(&world);
    let _ = people.update(Message::OpenPressed(named(name("eve"))), &world.cx());
    let cx = world.cx();
    let mut ui = shown(people.view(&cx));
    ui.click("Unblock").expect("offered");
    let pressed = ui.into_messages().next().expect("something");
    let let_in = |pressed: &Message| match pressed {
        Message::BlockPressed(at, who, false) => *at == there && *who == name("eve"),
        _ => false,
    };
    assert!(let_in(&pressed), "{pressed:?}");
}

#[test]
fn what_nobody_could_find_out_is_not_said_to_be_so() {
    let mut world = english();
    Arc::make_mut(&mut world.roster).complete = false;
    let mut people = people(&world);
    let _ = people.update(Message::OpenPressed(named(name("gil"))), &world.cx());
    for (unfound, offline, words) in [
        (Unfound::NotFound, true, "Check the spelling"),
        (
            Unfound::NoAnswer(phone::Why::Silent),
            false,
            "Not found out where gil is. The registry does not answer. Check your network and try \
             again.",
        ),
        (
            Unfound::Refused(codec::registry::Refusal::TooFast { retry_s: 7200 }),
            false,
            "Try again in 2 hours.",
        ),
    ] {
        let found = Err(unfound);
        let target = named(name("gil"));
        let event = engine::Event::Phone(Event::Found { target, found });
        people.hear(&event);
        let cx = world.cx();
        let open = people.open.as_ref().expect("open");
        let mut ui = simulator(people.details(open, true, &cx));
        assert_eq!(ui.find("Offline").is_ok(), offline, "{words}");
        let said = People::said(open, &cx).expect("said");
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn a_registry_that_refuses_its_list_for_now_is_not_said_to_keep_it_private() {
    let mut world = World::new(preferences::Language::English);
    let private = "This registry keeps its list private";
    for (refusal, keeps) in [
        (codec::registry::Refusal::Closed, true),
        (codec::registry::Refusal::Failed, false),
        (codec::registry::Refusal::TooFast { retry_s: 9 }, false),
    ] {
        Arc::make_mut(&mut world.roster).refused = Some(refusal);
        let people = people(&world);
        let cx = world.cx();
        let mut ui = shown(people.view(&cx));
        assert_eq!(ui.find(private).is_ok(), keeps, "{refusal}");
    }
}
