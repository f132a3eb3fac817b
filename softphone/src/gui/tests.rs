//! The whole window, as a person sees and uses it: signing in, settings, banners and dialogs.

#![cfg(test)]

use std::sync::Arc;

use codec::{
    CallId, Name,
    greeting::Unwelcome,
    registry::{ClosingReason, Refusal},
};
use iced::Size;
use registry::{
    client::{ConnectError, Host},
    known::KnownRegistries,
};

use super::{
    App, Message, Options, identity,
    incoming::tests::seen,
    line::{Failure, News},
    notices,
    pictures::{check, shown},
    recovery::Recovery,
    settings::{self, sound},
    sign_in::{self, SignIn},
    trouble::{Said, Trouble},
};
use crate::{
    audio::{self, AudioError, Device, Direction},
    board::{EndedCall, Stage},
    call::{self, Reason},
    contacts::Standing,
    discover::Discovered,
    engine::{self, Kept, Warning},
    phone::{self, Why},
    settings::{
        ProfileError,
        preferences::{self, Language, Place},
    },
};

mod above;
mod closing;
mod files;
mod keyboard;
mod large;

pub(super) const WINDOW: Size = Size::new(960.0, 680.0);

const LANGUAGES: [(&str, Language); 2] = [
    ("en", Language::English),
    ("pt", Language::BrazilianPortuguese),
];

pub(super) fn host() -> Host {
    "192.168.1.5:5000".parse().unwrap()
}

pub(super) fn bob() -> Name {
    "bob".parse().unwrap()
}

/// A configuration folder in which the language is set.
pub(super) fn config(language: Language) -> tempfile::TempDir {
    let config = tempfile::tempdir().unwrap();
    let mut appearance = preferences::read_appearance(config.path()).value;
    appearance.language = language;
    preferences::write_appearance(config.path(), &appearance).unwrap();
    config
}

/// A window before anybody is signed in.
pub(super) fn app(config: &tempfile::TempDir) -> App {
    App::new(Options::new(config.path().to_owned())).0
}

/// A window in which bob is signed in, as far as the phone says.
pub(super) fn signed_in(config: &tempfile::TempDir, place: Place) -> App {
    let mut app = app(config);
    app.run_as(bob(), host());
    let _ = app.update(Message::Line(
        1,
        News::Event(phone::Event::Registered.into()),
    ));
    let _ = app.update(Message::PlacePressed(place));
    app
}

impl App {
    /// Bob's phone, which is not there: nothing listens to what it would say.
    pub(super) fn run_as(&mut self, name: Name, registry: Host) {
        let options = Options::new(std::env::temp_dir());
        let start = options.start(name, registry, &self.world.preferences);
        self.connect(start);
    }

    fn ask_to_close(&mut self) {
        let window = self.window.unwrap();
        let asked = iced::window::Event::CloseRequested;
        let _ = self.update(Message::Window(window, asked));
    }

    /// Recovery words, as if they had just been drawn.
    fn show_recovery(&mut self, words: &str) {
        let config = tempfile::tempdir().unwrap();
        let profile = crate::settings::Profile::open(config.path(), bob(), 1).unwrap();
        let mut shown = Recovery::new(profile.recovery.unwrap());
        shown.words = words
            .split(' ')
            .map(|word| word.to_owned().into())
            .collect();
        self.phone.as_mut().unwrap().recovery = Some(shown);
    }
}

impl From<phone::Event> for engine::Event {
    fn from(event: phone::Event) -> Self {
        Self::Phone(event)
    }
}

/// What a person does on the screen that asks who they are.
fn type_in(app: &mut App, name: &str, registry: &str) {
    for message in [
        sign_in::Message::NameChanged(name.to_owned()),
        sign_in::Message::RegistryChanged(registry.to_owned()),
    ] {
        let _ = app.update(Message::SignIn(message));
    }
}

/// Clicks on what says `words`, and lets the window hear what that means.
pub(super) fn click(app: &mut App, words: &str) {
    let messages: Vec<Message> = {
        let mut shown = shown(app.screen(), WINDOW);
        shown
            .click(words)
            .unwrap_or_else(|error| panic!("{words}: {error}"));
        shown.into_messages().collect()
    };
    assert!(!messages.is_empty(), "{words} does nothing");
    for message in messages {
        let _ = app.update(message);
    }
}

pub(super) fn sees(app: &App, words: &str) -> bool {
    shown(app.screen(), WINDOW).find(words).is_ok()
}

fn says(app: &App, said: &Said) -> bool {
    sees(app, &said.title) && sees(app, &said.text)
}

fn fail(app: &mut App, trouble: impl Into<Trouble>) {
    if let Some(sign_in) = app.sign_in.as_mut() {
        let _ = SignIn::fail(sign_in, trouble.into());
    }
}

#[test]
fn somebody_who_has_never_seen_it_types_two_things_and_connects() {
    let config = config(Language::English);
    let mut app = app(&config);
    click(&mut app, "Connect");
    assert!(sees(&app, "Type a name") && sees(&app, "Type where the registry is"));
    type_in(&mut app, "bob smith", "http://x");
    assert!(sees(&app, "Without spaces: use a dot or a dash"));
    assert!(sees(
        &app,
        "That is no address: try 192.168.1.5 or 192.168.1.5:5000"
    ));
    type_in(&mut app, "bob", "192.168.1.5");
    click(&mut app, "Connect");
    assert!(sees(&app, "Looking for 192.168.1.5…"));
    click(&mut app, "Cancel");
    assert!(sees(&app, "Connect"));
}

#[test]
fn the_screen_that_asks_looks_as_it_did() {
    for (tag, language) in LANGUAGES {
        let config = config(language);
        let mut empty = app(&config);
        let _ = empty.update(Message::SignIn(sign_in::Message::Found(Vec::new())));
        check(&format!("sign-in-{tag}"), WINDOW, || empty.screen());
        let known = KnownRegistries::in_folder(config.path());
        let key = codec::IdentityKey([7; 32]);
        known
            .meet(&"ramal.example.org".parse().unwrap(), &key)
            .unwrap();
        known.meet(&host(), &key).unwrap();
        let mut typed = app(&config);
        type_in(&mut typed, "bob", "192.168.1.5");
        check(&format!("sign-in-known-{tag}"), WINDOW, || typed.screen());
        fail(&mut typed, Trouble::Refused(Refusal::NotInvited, bob()));
        check(&format!("sign-in-invite-{tag}"), WINDOW, || typed.screen());
        fail(
            &mut typed,
            ConnectError::KeyChanged {
                host: host(),
                known: key,
                now: codec::IdentityKey([8; 32]),
                file: config.path().to_owned(),
            },
        );
        check(&format!("sign-in-key-{tag}"), WINDOW, || typed.screen());
        let _ = typed.update(Message::SignIn(sign_in::Message::ForgetPressed));
        check(&format!("sign-in-forget-{tag}"), WINDOW, || typed.screen());
    }
}

#[test]
fn whatever_goes_wrong_is_said_with_what_to_do() {
    let config = config(Language::English);
    let mut app = app(&config);
    let full = || std::io::Error::from_raw_os_error(28);
    let profile = |error| Trouble::Failure(Arc::new(Failure::Profile(error)));
    for (trouble, words) in [
        (
            ConnectError::Refused(host()).into(),
            "ask whoever runs the registry",
        ),
        (
            ConnectError::Unknown(host()).into(),
            "Check how it is written",
        ),
        (ConnectError::TimedOut(host()).into(), "your network"),
        (ConnectError::WrongRole(host()).into(), "Check the address"),
        (ConnectError::NoTls(host()).into(), "--plain"),
        (ConnectError::NotProven(host()).into(), "another network"),
        (
            ConnectError::Unwelcome(host(), Unwelcome::Banned).into(),
            "Ask them",
        ),
        (
            ConnectError::Unwelcome(host(), Unwelcome::BadCard).into(),
            "Set the clock",
        ),
        (
            ConnectError::Unwelcome(host(), Unwelcome::Full).into(),
            "Try again",
        ),
        (
            ConnectError::Unwelcome(host(), Unwelcome::PlainRefused).into(),
            "without --plain",
        ),
        (
            Trouble::Refused(Refusal::NameTaken, bob()),
            "Choose another name",
        ),
        (
            Trouble::Refused(Refusal::LooksTaken, bob()),
            "choose another name",
        ),
        (Trouble::Refused(Refusal::KeyChanged, bob()), "72 hours"),
        (
            Trouble::Refused(Refusal::TooFast { retry_s: 7 }, bob()),
            "in 7 seconds",
        ),
        (profile(ProfileError::InUse(bob())), "Close it"),
        (profile(ProfileError::Damaged("x".into())), "recovery words"),
        (profile(ProfileError::Io("x".into(), full())), "space left"),
        (profile(ProfileError::NoFolder), "--config"),
    ] {
        fail(&mut app, trouble);
        let sign_in = app.sign_in.as_ref().unwrap();
        let said = sign_in.trouble.as_ref().unwrap().said(&app.world.texts);
        assert!(said.line().contains(words), "{said:?}");
        assert!(
            sees(&app, &said.title) && sees(&app, &said.text),
            "{said:?}"
        );
    }
}

#[test]
fn a_name_that_is_taken_brings_back_to_the_door_and_offers_to_recover_it() {
    let config = config(Language::English);
    let mut app = app(&config);
    app.run_as(bob(), host());
    let refused = phone::Event::RegistrationRefused(Refusal::NameTaken);
    let _ = app.update(Message::Line(1, News::Event(refused.into())));
    assert!(app.phone.is_none());
    click(&mut app, "Recover a name");
    assert!(sees(&app, "Recovery words"));
    click(&mut app, "Recover");
    assert!(sees(
        &app,
        "Check the words: twelve, in order, as you wrote them down"
    ));
}

#[test]
fn a_registry_that_goes_away_is_said_above_every_screen_until_it_is_back() {
    let config = config(Language::English);
    let mut app = signed_in(&config, Place::Settings);
    let gone = phone::Event::RegistryUnreachable(ConnectError::TimedOut(host()).into());
    let _ = app.update(Message::Line(1, News::Event(gone.into())));
    let told = "Can’t reach 192.168.1.5:5000";
    assert!(sees(&app, told));
    assert!(sees(
        &app,
        "No answer came. Check the address and your network. Ramal keeps trying. Until then nobody \
         can call you by name; you can still call name@address."
    ));
    let _ = app.update(Message::Line(
        1,
        News::Event(phone::Event::Registered.into()),
    ));
    assert!(!sees(&app, told));
    let untrusted = engine::Event::RegistryUntrusted {
        host: host(),
        why: ConnectError::NotProven(host()).into(),
    };
    let _ = app.update(Message::Line(1, News::Event(untrusted)));
    click(&mut app, "Sign in again");
    assert!(app.phone.is_none() && sees(&app, "Connect"));
}

#[test]
fn what_is_wrong_beside_the_calls_is_said_once_in_the_language_of_the_window() {
    let config = config(Language::BrazilianPortuguese);
    let mut app = signed_in(&config, Place::Settings);
    let in_use = Arc::new(ProfileError::ContactsInUse("contacts".into()));
    for warning in [
        Warning::ClockApart,
        Warning::NotKept(Kept::Contacts, Arc::clone(&in_use)),
        Warning::NotKept(Kept::Contacts, in_use),
    ] {
        let event = engine::Event::Warning(warning);
        let _ = app.update(Message::Line(1, News::Event(event)));
    }
    let turned_away = engine::Event::RegistryTurnsAway {
        host: "elsewhere:5000".parse().unwrap(),
        why: ConnectError::Unwelcome(host(), Unwelcome::Banned).into(),
    };
    let _ = app.update(Message::Line(1, News::Event(turned_away)));
    let phone = app.phone.as_ref().unwrap();
    let mut shown = phone.notices.warnings();
    for begins in [
        "O relógio deste computador e o do servidor",
        "Seus contatos não foram guardados. Seus contatos estão em uso",
        "O servidor não aceita você",
    ] {
        let said = shown.next().unwrap();
        assert!(said.starts_with(begins), "{said}");
    }
    assert_eq!(shown.next(), None);
}

#[test]
fn a_microphone_is_listened_to_while_its_settings_are_seen_and_no_longer() {
    let config = config(Language::English);
    let mut app = signed_in(&config, Place::Settings);
    let sound = settings::Message::TabPressed(settings::Tab::Sound);
    let _ = app.update(Message::Settings(sound));
    let listens = |app: &App| app.phone.as_ref().unwrap().settings.listens();
    assert!(listens(&app));
    // A call, another screen, or no window at all.
    let mut board = (*app.world.board).clone();
    let rings = Stage::RingsHere {
        confirmed: true,
        standing: Standing::Known,
    };
    board.calls.push(seen(1, "alice", rings));
    let before = std::mem::replace(&mut app.world.board, Arc::new(board));
    let _ = app.update(Message::Tick(std::time::Instant::now()));
    assert!(!listens(&app));
    app.world.board = before;
    let _ = app.update(Message::Tick(std::time::Instant::now()));
    assert!(listens(&app));
    let _ = app.update(Message::PlacePressed(Place::Log));
    assert!(!listens(&app));
    let _ = app.update(Message::PlacePressed(Place::Settings));
    assert!(listens(&app));
    let window = app.window.unwrap();
    let _ = app.update(Message::Window(window, iced::window::Event::Closed));
    assert!(!listens(&app));
}

#[test]
fn a_start_that_shows_the_settings_opens_no_microphone() {
    let config = config(Language::English);
    let mut app = signed_in(&config, Place::Settings);
    assert!(app.phone.as_ref().unwrap().settings.listens());
    app.run_as(bob(), host());
    let granted = News::Event(phone::Event::Registered.into());
    let _ = app.update(Message::Line(2, granted));
    let phone = app.phone.as_ref().unwrap();
    assert_eq!(phone.place, Place::Settings);
    assert!(!phone.settings.listens());
}

#[test]
fn a_device_that_cannot_be_used_does_not_stay_chosen() {
    let config = config(Language::English);
    let mut app = signed_in(&config, Place::People);
    app.world.preferences.input = Some("alsa:gone".to_owned());
    let used = engine::Event::Devices {
        input: audio::Input::Device("alsa:headset".to_owned()),
        output: audio::Output::None,
        ring_on: None,
    };
    let _ = app.update(Message::Line(1, News::Event(used)));
    let set = &app.world.preferences;
    assert_eq!(set.input.as_deref(), Some("alsa:headset"));
    assert_eq!(set.output, None);
}

#[test]
fn a_registry_that_announces_itself_is_offered_and_not_filled_in() {
    let config = config(Language::English);
    let mut app = app(&config);
    let announced = vec![Discovered::at("attic", "10.0.0.9:5000".parse().unwrap())];
    let _ = app.update(Message::SignIn(sign_in::Message::Found(announced)));
    assert!(sees(&app, "attic"));
    click(&mut app, "Connect");
    assert!(sees(&app, "Type where the registry is"));
}

#[test]
fn a_window_with_large_texts_is_opened_again_as_large_as_it_was() {
    let config = config(Language::English);
    let mut app = signed_in(&config, Place::People);
    let large = settings::Message::LookSet(super::Looks::TextSize(150));
    let _ = app.update(Message::Settings(large));
    // What a window is told of its size is in units of its texts.
    let size = Size::new(800.0, 600.0);
    let resized = iced::window::Event::Resized(size);
    let _ = app.update(Message::Window(app.window.unwrap(), resized));
    assert_eq!(app.appearance.window, (1200.0, 900.0));
}

/// A headset, and the loudspeakers of the machine.
fn devices() -> Vec<Device> {
    let device = |id: &str, name: &str, direction| Device {
        id: format!("pulseaudio:{id}"),
        name: name.to_owned(),
        direction,
        is_default: false,
        is_monitor: false,
    };
    vec![
        device("usb", "USB headset", Direction::Input),
        device("usb", "USB headset", Direction::Output),
        device("speakers", "Built-in speakers", Direction::Output),
    ]
}

impl settings::Settings {
    /// Opens a part of the screen, without what that begins.
    fn show(&mut self, tab: settings::Tab) {
        self.tab = tab;
    }
}

#[test]
fn every_part_of_the_settings_looks_as_it_did() {
    for (tag, language) in LANGUAGES {
        let config = config(language);
        let mut app = signed_in(&config, Place::Settings);
        for (part, tab) in [
            ("calls", settings::Tab::Calls),
            ("window", settings::Tab::Window),
            ("identity", settings::Tab::Identity),
            ("about", settings::Tab::About),
        ] {
            let pressed = settings::Message::TabPressed(tab);
            let _ = app.update(Message::Settings(pressed));
            let read = settings::Message::Read(Arc::new(settings::Read {
                fingerprint: Ok(Some("7f3c 91ab 02de 44f0 8a61 c5b9 3e27 d018".to_owned())),
                known: Ok(vec![(host(), codec::IdentityKey([7; 32]))]),
            }));
            let _ = app.update(Message::Settings(read));
            check(&format!("settings-{part}-{tag}"), WINDOW, || app.screen());
        }
        let heard = |message| Message::Settings(settings::Message::Sound(message));
        app.world.preferences.input = Some("pulseaudio:usb".to_owned());
        let (gone, named) = ("pulseaudio:gone".to_owned(), "Desk speakers".to_owned());
        app.world.preferences.output = Some(gone.clone());
        app.world.preferences.device_names = [(gone, named)].into();
        let _ = app.update(heard(sound::Message::Listed(Arc::new(Ok(devices())))));
        app.phone
            .as_mut()
            .unwrap()
            .settings
            .show(settings::Tab::Sound);
        check(&format!("settings-sound-{tag}"), WINDOW, || app.screen());
        let gone = AudioError::CannotList {
            why: "connection refused".to_owned(),
        };
        let _ = app.update(heard(sound::Message::Listed(Arc::new(Err(gone)))));
        check(&format!("settings-no-sound-{tag}"), WINDOW, || app.screen());
        for (part, kind) in [
            ("export", identity::Kind::Export),
            ("rotate", identity::Kind::Rotate),
            ("release", identity::Kind::Release),
        ] {
            let pressed = settings::Message::WorkPressed(kind);
            let _ = app.update(Message::Settings(pressed));
            check(&format!("identity-{part}-{tag}"), WINDOW, || app.screen());
        }
    }
}

#[test]
fn what_is_set_is_kept_and_read_at_the_next_start() {
    let config = config(Language::English);
    drop(crate::settings::Profile::open(config.path(), bob(), 1).unwrap());
    let mut app = signed_in(&config, Place::Settings);
    let _ = app.update(Message::Settings(settings::Message::TabPressed(
        settings::Tab::Calls,
    )));
    click(&mut app, "People I know");
    let _ = app.update(Message::Settings(settings::Message::TabPressed(
        settings::Tab::Window,
    )));
    click(&mut app, "Dark");
    app.keep_now();
    let kept = preferences::read(config.path(), &bob()).value;
    assert_eq!(kept.callers, preferences::MayCall::Contacts);
    assert_eq!(kept.registry.as_deref(), Some("192.168.1.5:5000"));
    assert!(kept.signed_in);
    let appearance = preferences::read_appearance(config.path()).value;
    assert_eq!(
        (appearance.scheme, appearance.place),
        (preferences::Scheme::Dark, Place::Settings)
    );
    // Whoever was signed in is so at the next start, on the same screen.
    let again = App::new(Options::new(config.path().to_owned())).0;
    assert!(again.sign_in.is_none() && again.phone.is_some());
    assert!(sees(&again, "About"));
}

#[test]
fn banners_and_recovery_words_look_as_they_did() {
    for (tag, language) in LANGUAGES {
        let config = config(language);
        let mut app = signed_in(&config, Place::Settings);
        let _ = app.update(Message::Settings(settings::Message::TabPressed(
            settings::Tab::Calls,
        )));
        let key = codec::IdentityKey([7; 32]);
        for event in [
            engine::Event::RegistryMet { host: host(), key },
            phone::Event::RegistryUnreachable(ConnectError::TimedOut(host()).into()).into(),
        ] {
            let _ = app.update(Message::Line(1, News::Event(event)));
        }
        check(&format!("banners-{tag}"), WINDOW, || app.screen());
        let _ = app.update(Message::Notices(notices::Message::Read(
            notices::Notice::Met,
        )));
        app.show_recovery(
            "legal winner thank year wave sausage worth useful legal winner thank yellow",
        );
        check(&format!("recovery-{tag}"), WINDOW, || app.screen());
    }
}
