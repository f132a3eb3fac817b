//! Who is let in, who is shown the directory, and how a connection is ended from outside.

use super::*;
use crate::limits::Directory;

#[test]
fn a_phone_that_is_not_served_is_told_why_and_nothing_else() {
    let bob = person(1);
    for (reason, count) in [
        (Unwelcome::Banned, Count::Banned),
        (Unwelcome::TooFast, Count::GreetingsTooFast),
    ] {
        let mut rig = Rig::from("10.0.0.7:1234");
        rig.served = Err(reason);
        rig.greet(Some(&bob));
        assert_eq!(rig.answers, [Answer::new(Err(reason))]);
        assert!(rig.closed.is_some() && rig.said.is_empty());
        assert_eq!(rig.counted, [count]);
    }
}

#[test]
fn the_directory_is_shown_to_whom_it_is_meant_for_and_names_are_found_in_any_case() {
    use Directory::{Closed, Members, Open};
    let (bob, list) = (person(1), || Method::List {
        prefix: Prefix::default(),
        after: None,
        limit: 9,
    });
    // Shown to a program, to a phone without a name, and to one with a name.
    for (directory, shown) in [
        (Open, [true, true, true]),
        (Members, [false, false, true]),
        (Closed, [false, false, false]),
    ] {
        for (asker, shown) in shown.into_iter().enumerate() {
            let mut rig = Rig::with(
                "10.0.0.7:1234",
                Nonce([6; 32]),
                Limits {
                    directory,
                    ..Limits::default()
                },
            );
            rig.greet((asker > 0).then_some(&bob));
            if asker == 2 {
                let register = rig.register(&bob, &["10.0.0.7:4000"], 1);
                assert_eq!(rig.ask(1, register), GRANTED);
            }
            let page = rig.ask(2, list());
            let watch = rig.ask(3, Method::Watch(Watch::Everybody));
            if shown {
                assert!(
                    matches!(page, Ok(Success::Page(_))),
                    "{directory:?} {asker}"
                );
                assert_eq!(watch, Ok(Success::Watching));
            } else {
                assert_eq!(page, Err(Refusal::Closed), "{directory:?} {asker}");
                assert_eq!(watch, Err(Refusal::Closed));
                assert_eq!(rig.counted, [Count::DirectoryRefused; 2]);
            }
            let found = if asker == 2 {
                Ok(1)
            } else {
                Err(Refusal::NotFound)
            };
            assert_eq!(rig.lookup(4).map(|contacts| contacts.len()), found);
            let names = List::first_of(["bob".parse().unwrap()]);
            let watch = rig.ask(5, Method::Watch(Watch::Names(names)));
            assert_eq!(watch, Ok(Success::Watching));
            // Who lets the lease end is no member any more.
            rig.now += Duration::from_secs(61);
            let shown_later = directory == Open;
            assert_eq!(rig.ask(6, list()).is_ok(), shown_later);
        }
    }
}

#[test]
fn an_operator_ends_a_connection_with_the_reason() {
    for reason in [ClosingReason::Banned, ClosingReason::Operator] {
        let mut rig = Rig::from("10.0.0.1:1");
        rig.greet(Some(&person(1)));
        rig.tell(Input::Ended(reason));
        let closing = FromRegistry::Notice(Notice::Closing(reason));
        assert_eq!(rig.said, [closing]);
        assert!(rig.closed.is_some());
    }
}
