//! What stands above the screens: why there is no connection, and how to go on.

use super::*;

/// What stands above the screens of a phone that was signed in before, after this.
fn told(app: &mut App, why: impl Into<Why>) -> Said {
    let gone = phone::Event::RegistryUnreachable(why.into());
    let _ = app.update(Message::Line(1, News::Event(gone.into())));
    let trouble = app.phone.as_ref().unwrap().notices.trouble().unwrap();
    trouble.said(&app.world.texts)
}

#[test]
fn a_phone_that_was_signed_in_before_says_why_there_is_no_connection_and_how_to_go_on() {
    let config = config(Language::English);
    let mut app = signed_in(&config, Place::Settings);
    for (why, words) in [
        (
            ConnectError::Unwelcome(host(), Unwelcome::BadCard).into(),
            "Set the clock",
        ),
        (
            ConnectError::Unwelcome(host(), Unwelcome::Version).into(),
            "Update whichever",
        ),
        (ConnectError::NoTls(host()).into(), "without encryption"),
        (ConnectError::WrongRole(host()).into(), "Something else"),
        (ConnectError::Unknown(host()).into(), "how it is written"),
        (Why::Closed(ClosingReason::Stopping), "stopped or restarted"),
        (Why::Closed(ClosingReason::Banned), "has banned"),
    ] {
        let said = told(&mut app, why);
        assert!(said.line().contains(words), "{said:?}");
        assert!(says(&app, &said) && sees(&app, "Sign in again"), "{said:?}");
    }
    // That another phone has its place is not hidden by the end of the connection.
    let replaced = Why::Closed(ClosingReason::Replaced);
    assert!(
        told(&mut app, replaced)
            .text
            .contains("has taken this one’s place")
    );
    // What is known is said at the door as well, where nothing is tried again.
    let said = told(
        &mut app,
        ConnectError::Unwelcome(host(), Unwelcome::BadCard),
    );
    assert!(said.text.contains("Ramal keeps trying"));
    click(&mut app, "Sign in again");
    assert!(sees(
        &app,
        "192.168.1.5:5000 can’t believe the date on this computer. Set the clock and try again."
    ));
}

#[test]
fn signing_in_anew_is_not_offered_in_a_call_that_needs_no_registry() {
    let config = config(Language::English);
    let mut app = signed_in(&config, Place::Settings);
    let call = seen(1, "bob", Stage::Connecting);
    Arc::make_mut(&mut app.world.board).calls.push(call);
    let _ = told(&mut app, Why::Silent);
    assert!(!sees(&app, "Sign in again"));
    let _ = told(&mut app, ConnectError::NoTls(host()));
    assert!(sees(&app, "Sign in again"));
}

#[test]
fn another_registry_with_another_key_is_said_with_the_way_to_trust_it() {
    let config = config(Language::English);
    let mut app = signed_in(&config, Place::Settings);
    let elsewhere: Host = "elsewhere:5000".parse().unwrap();
    let key = codec::IdentityKey([7; 32]);
    let why = ConnectError::KeyChanged {
        host: elsewhere.clone(),
        known: key,
        now: key,
        file: config.path().to_owned(),
    };
    let untrusted = engine::Event::RegistryUntrusted {
        host: elsewhere,
        why: why.into(),
    };
    let _ = app.update(Message::Line(1, News::Event(untrusted)));
    let phone = app.phone.as_ref().unwrap();
    assert!(phone.notices.trouble().is_none());
    let said = phone.notices.warnings().next().unwrap();
    assert!(
        said.contains("forget it under Settings, Identity"),
        "{said}"
    );
    assert!(!said.contains("call you by name"), "{said}");
}

#[test]
fn somebody_who_is_another_now_is_shown_where_they_can_be_forgotten() {
    let config = config(Language::English);
    let mut app = signed_in(&config, Place::Log);
    let board = Arc::make_mut(&mut app.world.board);
    board.ended = Some(EndedCall {
        call: CallId([1; 16]),
        name: "alice".parse().unwrap(),
        direction: call::Direction::Outgoing,
        standing: Some(Standing::Changed),
        reason: Reason::IdentityChanged,
        detail: None,
        lasted: None,
        output_lost: false,
        at: std::time::Instant::now(),
    });
    app.phone.as_mut().unwrap().shows_call = true;
    click(&mut app, "Show alice");
    assert!(sees(&app, "Looking for alice"));
    // What was seen of the call is not shown again.
    app.phone.as_mut().unwrap().shows_call = true;
    assert!(sees(&app, "No call now"));
}
