//! Enlarged texts: at 150 % the smallest window has 800 x 453 logical pixels, and one of the usual
//! size on a screen that has no more has 640 x 453.

use std::time::Duration;

use iced::Size;

use super::*;
use crate::{
    board::SeenCall,
    call::Hold,
    gui::{call as calls, fixture, people, pictures::check_light},
    media::silence::Heard,
    phone::Found,
};

const SIZES: [(&str, Size); 2] = [
    ("large", Size::new(800.0, 453.0)),
    ("large-narrow", Size::new(640.0, 453.0)),
];

const UP: Stage = Stage::Up {
    hold: Hold::No,
    reconnecting: false,
};

/// Pictures of a window in both sizes.
fn check(what: &str, tag: &str, app: &mut App) {
    app.appearance.text_size = 150;
    for (size, of) in SIZES {
        let resized = iced::window::Event::Resized(of);
        let _ = app.update(Message::Window(app.window.unwrap(), resized));
        check_light(&format!("{size}-{what}-{tag}"), of, || app.screen());
    }
}

/// A window of somebody with friends, on a day that is always the same.
fn befriended(config: &tempfile::TempDir, language: Language, place: Place) -> App {
    let mut app = signed_in(config, place);
    let friends = fixture::World::with_friends(language);
    app.world.board = Arc::new(friends.board);
    app.world.roster = friends.roster;
    app.world.book = friends.book;
    app.world.history = Arc::new(friends.history);
    app.world.preferences = friends.preferences;
    let now = app.world.now;
    app.clock = Box::new(move || now);
    let _ = app.update(Message::PlacePressed(place));
    app
}

/// A call that has been up for 4 min 5 s.
fn talking(app: &mut App) -> SeenCall {
    let mut bob = seen(1, "Zoë-Marie_van-der-Heyden", UP);
    bob.since = app.world.now - Duration::from_secs(245);
    bob.words = Some(fixture::words());
    bob.standing = Some(Standing::Stranger);
    bob
}

fn calls(app: &mut App, calls: Vec<SeenCall>) {
    Arc::make_mut(&mut app.world.board).calls = calls;
    let _ = app.update(Message::Tick(app.world.now));
}

fn hear(app: &mut App, event: impl Into<engine::Event>) {
    let _ = app.update(Message::Line(1, News::Event(event.into())));
}

#[test]
fn signing_in_with_large_texts_looks_as_it_did() {
    for (tag, language) in LANGUAGES {
        let config = config(language);
        let known = KnownRegistries::in_folder(config.path());
        let key = codec::IdentityKey([7; 32]);
        known
            .meet(&"ramal.example.org".parse().unwrap(), &key)
            .unwrap();
        known.meet(&host(), &key).unwrap();
        let mut app = app(&config);
        check("sign-in", tag, &mut app);
        type_in(&mut app, "bob", "192.168.1.5");
        fail(
            &mut app,
            ConnectError::KeyChanged {
                host: host(),
                known: key,
                now: codec::IdentityKey([8; 32]),
                file: config.path().to_owned(),
            },
        );
        check("sign-in-key", tag, &mut app);
    }
}

#[test]
fn people_with_large_texts_look_as_they_did() {
    for (tag, language) in LANGUAGES {
        let config = config(language);
        let mut app = befriended(&config, language, Place::People);
        check("people", tag, &mut app);
        let opened = people::Message::OpenPressed("Zoë-Marie_van-der-Heyden".parse().unwrap());
        let _ = app.update(Message::People(opened));
        let target = "Zoë-Marie_van-der-Heyden".parse().unwrap();
        let found = Found {
            name: "Zoë-Marie_van-der-Heyden".parse().unwrap(),
            identity: fixture::BOB,
            registry: None,
            contacts: vec!["192.168.0.12:4000".parse().unwrap()],
            presence: codec::registry::Presence::Available,
            standing: Standing::Changed,
        };
        let found = Ok(found);
        app.phone
            .as_mut()
            .unwrap()
            .people
            .hear(&engine::Event::Phone(phone::Event::Found { target, found }));
        check("people-changed", tag, &mut app);
        let gone = phone::Event::RegistryUnreachable(ConnectError::TimedOut(host()).into());
        hear(&mut app, gone);
        check("people-banner", tag, &mut app);
    }
}

#[test]
fn calls_with_large_texts_look_as_they_did() {
    for (tag, language) in LANGUAGES {
        let config = config(language);
        let mut app = befriended(&config, language, Place::People);
        let stranger = Stage::RingsHere {
            confirmed: false,
            standing: Standing::Stranger,
        };
        let up = talking(&mut app);
        calls(
            &mut app,
            vec![
                up.clone(),
                seen(9, "carlos.eduardo", stranger),
                seen(8, "bea", stranger),
            ],
        );
        check("incoming", tag, &mut app);
        for key in ["incoming-decline", "incoming-answer"] {
            let words = app.world.texts.get(key);
            let mut shown = shown(app.screen(), SIZES[1].1);
            let word = shown.find(words.as_str()).unwrap();
            let seen = word.visible_bounds().unwrap();
            // The word stands under its button: where it is whole, the button is.
            let hidden = word.bounds().height - seen.height;
            assert!(hidden < 0.1, "{words}: {hidden} pixels are not seen");
        }
        calls(&mut app, Vec::new());
        let name = "carlos.eduardo".parse().unwrap();
        hear(&mut app, phone::Event::IdentityChanged { name });
        check("incoming-changed", tag, &mut app);
        app.phone.as_mut().unwrap().incoming = Default::default();
        calls(&mut app, vec![up.clone()]);
        let _ = app.update(Message::Call(calls::Message::BarPressed));
        check("call", tag, &mut app);
        let warned = SeenCall {
            heard: Heard::Nothing,
            unspoken: true,
            output_lost: true,
            ..up
        };
        let mut held = seen(
            2,
            "erik",
            Stage::Up {
                hold: Hold::Here,
                reconnecting: false,
            },
        );
        held.since = app.world.now;
        calls(&mut app, vec![warned, held]);
        check("call-warnings", tag, &mut app);
    }
}

#[test]
fn settings_and_the_log_with_large_texts_look_as_they_did() {
    for (tag, language) in LANGUAGES {
        let config = config(language);
        let mut app = befriended(&config, language, Place::Settings);
        for (part, tab) in [
            ("sound", settings::Tab::Sound),
            ("calls", settings::Tab::Calls),
            ("window", settings::Tab::Window),
            ("identity", settings::Tab::Identity),
        ] {
            app.phone.as_mut().unwrap().settings.show(tab);
            let read = settings::Message::Read(Arc::new(settings::Read {
                fingerprint: Ok(Some("7f3c 91ab 02de 44f0 8a61 c5b9 3e27 d018".to_owned())),
                known: Ok(vec![(host(), codec::IdentityKey([7; 32]))]),
            }));
            let _ = app.update(Message::Settings(read));
            let listed = sound::Message::Listed(Arc::new(Ok(devices())));
            let _ = app.update(Message::Settings(settings::Message::Sound(listed)));
            check(&format!("settings-{part}"), tag, &mut app);
        }
        for (part, kind) in [
            ("export", identity::Kind::Export),
            ("release", identity::Kind::Release),
        ] {
            let pressed = settings::Message::WorkPressed(kind);
            let _ = app.update(Message::Settings(pressed));
            check(&format!("identity-{part}"), tag, &mut app);
        }
        app.show_recovery(
            "legal winner thank year wave sausage worth useful legal winner thank yellow",
        );
        check("recovery", tag, &mut app);
        app.phone.as_mut().unwrap().recovery = None;
        app.ask_to_close();
        check("close", tag, &mut app);
        app.closing = None;
        let mut app = befriended(&config, language, Place::Log);
        app.world.journal = super::super::log::tests::journal(40);
        let _ = app.update(Message::PlacePressed(Place::Log));
        check("log", tag, &mut app);
    }
}
