//! Whatever can go wrong is said in the language of the window, and with what to do.

use std::{
    collections::BTreeSet,
    io,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::LazyLock,
    time::Instant,
};

use codec::{CallId, IdentityKey, frame::from_payload};
use registry::keyfile::Exposed;
use serde::de::DeserializeOwned;

use super::*;
use crate::{
    audio::{AudioError, Direction},
    board::EndedCall,
    call::{self, Reason},
    engine::{Kept, Warning},
    gui::{call::ending::ending, texts},
    settings::{ProfileError, preferences::Language},
};

/// What a person is told to do, in both languages. A text without any of these has no next step.
const STEPS: [&str; 2] = [
    "ask|call|check|choose|close|connect|end one|forget|give|move|open|put|quit|restart|set |\
     sign in|start|tell|try|type|update|use |wait|you can replace|take the name back",
    "abra|acerte|atualize|avise|coloque|conecte|confira|corrija|digite|encerre|entre |escolha|\
     espere|esqueça|fale |feche|libere|ligue|mova|peça|pergunte|procure|recupere|reinicie|\
     restaure|tente|veja|verifique|você pode substituí-lo",
];

/// Checks what is said in both languages: another text in each, whole sentences, a next step, and
/// nothing of what the program says to terminals.
fn check(what: &str, raw: &str, steps: bool, say: impl Fn(&FluentLanguageLoader) -> String) {
    static TEXTS: LazyLock<[FluentLanguageLoader; 2]> =
        LazyLock::new(|| [Language::English, Language::BrazilianPortuguese].map(texts::load));
    let said = TEXTS.each_ref().map(say);
    assert_ne!(said[0], said[1], "{what}");
    assert!(!said[1].contains(raw), "{what}: {}", said[1]);
    for (said, steps_of) in said.iter().zip(STEPS) {
        assert!(!said.contains(['{', '}']), "{what}: {said}");
        let lower = said.to_lowercase();
        let step = steps_of.split('|').any(|step| lower.contains(step));
        assert!(step || !steps, "{what}: {said}");
    }
}

/// Every variant of an enum of messages, whose numbers are frozen: the first is 0.
fn every<T: DeserializeOwned>() -> Vec<T> {
    let numbered = |number: u8| {
        // Those with a field have a number in it.
        let plain = from_payload(&[number]).ok();
        plain.or_else(|| from_payload(&[number, 7]).ok())
    };
    (0..u8::MAX).map_while(numbered).collect()
}

fn host() -> Host {
    "ramal.example.org".parse().unwrap()
}

fn bob() -> Name {
    "bob".parse().unwrap()
}

fn file() -> PathBuf {
    "/home/bob/file".into()
}

/// An error of the system, and one of this program.
fn errors() -> [io::Error; 2] {
    [
        io::Error::from_raw_os_error(13),
        io::Error::other("far too long for what it is"),
    ]
}

#[test]
fn every_refusal_says_what_to_do_of_a_name_and_of_a_question() {
    let all = every::<Refusal>();
    assert_eq!(all.len(), 20);
    for refusal in all {
        let (what, raw) = (format!("{refusal:?}"), refusal.to_string());
        check(&what, &raw, true, |texts| {
            Trouble::Refused(refusal, bob()).said(texts).line()
        });
        check(&what, &raw, true, |texts| asked(texts, refusal));
    }
}

#[test]
fn a_wait_is_said_in_seconds_minutes_or_hours() {
    let texts = texts::load(Language::English);
    for (seconds, said) in [
        (1, "Try again in a second."),
        (90, "Try again in 90 seconds."),
        (91, "Try again in 2 minutes."),
        (51_234, "Try again in 15 hours."),
        (u32::MAX, "Try again in 1,193,047 hours."),
    ] {
        let plain = wait(&texts, seconds).replace(['\u{2068}', '\u{2069}'], "");
        assert_eq!(plain.replace(',', ""), said.replace(',', ""));
    }
}

/// Every error of connecting.
fn connections() -> Vec<ConnectError> {
    let mut all = vec![
        ConnectError::Unknown(host()),
        ConnectError::Refused(host()),
        ConnectError::TimedOut(host()),
        ConnectError::Greeting(host(), GreetingError::Malformed),
        ConnectError::Greeting(host(), GreetingError::Version { theirs: 9 }),
        ConnectError::WrongRole(host()),
        ConnectError::NotProven(host()),
        ConnectError::NoTls(host()),
        ConnectError::KeyChanged {
            host: host(),
            known: IdentityKey([1; 32]),
            now: IdentityKey([2; 32]),
            file: file(),
        },
    ];
    all.extend(errors().map(|error| ConnectError::Io(host(), error)));
    all.extend(knowns().into_iter().map(ConnectError::Known));
    let unwelcome = every::<Unwelcome>();
    assert_eq!(unwelcome.len(), 9);
    let closing = every::<ClosingReason>();
    assert_eq!(closing.len(), 7);
    all.extend(
        unwelcome
            .into_iter()
            .map(|why| ConnectError::Unwelcome(host(), why)),
    );
    all.extend(
        closing
            .into_iter()
            .map(|why| ConnectError::Closed(host(), why)),
    );
    all
}

fn knowns() -> Vec<KnownError> {
    let mut all = vec![
        KnownError::Damaged {
            path: file(),
            line: 3,
        },
        KnownError::Full(file()),
    ];
    all.extend(errors().map(|error| KnownError::Io(file(), error)));
    all.extend(
        exposures()
            .into_iter()
            .map(|it| KnownError::Io(file(), it.into())),
    );
    all
}

fn exposures() -> Vec<Exposed> {
    let path = file();
    let mode = 0o644;
    vec![
        Exposed::File {
            path: path.clone(),
            mode,
        },
        Exposed::Folder {
            path: path.clone(),
            mode,
        },
        Exposed::Writable {
            path: path.clone(),
            mode,
        },
        Exposed::Foreign {
            path: path.clone(),
            owner: 1,
            user: 2,
        },
        Exposed::Link { path: path.clone() },
        Exposed::Neither { path },
    ]
}

#[test]
fn every_connection_that_fails_is_said_at_the_door_and_above_the_screens() {
    for error in connections() {
        let (what, raw) = (format!("{error:?}"), error.to_string());
        let why = Why::from(error);
        let barred = Trouble::Barred(host(), why.clone());
        let tried = Trouble::Unreachable(host(), why.clone());
        check(&what, &raw, true, |texts| tried.said(texts).line());
        check(&what, &raw, true, |texts| barred.said(texts).line());
        check(&what, &raw, true, |texts| {
            elsewhere(texts, &host(), &why).line()
        });
        check(&what, &raw, true, |texts| reached(texts, &why));
        // At the door nothing is tried any more.
        let texts = texts::load(Language::English);
        let trying = fl!(texts, "trouble-offline");
        assert!(tried.said(&texts).line().contains(&trying));
        let door = tried.given_up();
        assert!(matches!(door, Trouble::Connect(_)), "{what}");
        check(&what, &raw, true, |texts| door.said(texts).line());
        assert!(!door.said(&texts).line().contains(&trying), "{what}");
    }
}

/// Everything that can be in the way beside connections, and which it is: a new one belongs here.
fn ways() -> Vec<Why> {
    let all = vec![
        Why::Lost(host(), None),
        Why::Lost(host(), Some("Network is down".to_owned())),
        Why::Silent,
        Why::Stuck,
        Why::ClosedHere,
        Why::NoRegistry(host()),
        Why::OtherAnswer,
        Why::BadAnswer,
        Why::Late,
        Why::Itself,
        Why::BadCard,
        Why::SomebodyElse,
        Why::NotThere(bob()),
        Why::Overwhelmed,
        Why::NotUnderstood,
        Why::Nonsense,
        Why::Useless,
        Why::PhoneClosed,
        Why::PhoneLost("Network is down".to_owned()),
        Why::NoPhone,
        Why::Unwritable(bob(), "the key is bad".to_owned()),
        Why::OwnName,
        Why::NoLine,
        Why::Hidden,
        Why::Stopping,
        Why::NoNetwork,
    ];
    let closed = every::<ClosingReason>().into_iter().map(Why::Closed);
    let refused = every::<Refusal>().into_iter().map(Why::Refused);
    all.into_iter().chain(closed).chain(refused).collect()
}

#[test]
fn whatever_is_in_the_way_of_a_call_a_lookup_or_a_registration_is_said() {
    for why in ways() {
        let (what, raw) = (format!("{why:?}"), why.to_string());
        check(&what, &raw, true, |texts| reached(texts, &why));
        let tried = Trouble::Unreachable(host(), why.clone());
        check(&what, &raw, true, |texts| tried.said(texts).line());
        let door = tried.given_up();
        check(&what, &raw, true, |texts| door.said(texts).line());
    }
}

#[test]
fn every_end_of_a_call_is_said_with_whatever_was_in_the_way() {
    // What a person can do nothing about, and need not.
    let calm = [
        Reason::AnsweredElsewhere,
        Reason::DeclinedElsewhere,
        Reason::Merged,
    ];
    let over = |reason, direction, detail| EndedCall {
        call: CallId([1; 16]),
        name: bob(),
        direction,
        standing: None,
        reason,
        detail,
        lasted: None,
        output_lost: false,
        at: Instant::now(),
    };
    for direction in [call::Direction::Incoming, call::Direction::Outgoing] {
        for reason in Reason::ALL {
            let over = over(reason, direction, None);
            let steps = !calm.contains(&reason);
            check(reason.word(), reason.word(), steps, |texts| {
                let said = ending(&over, texts);
                format!("{}. {}", said.title, said.next)
            });
        }
    }
    let connections = connections().into_iter().map(Why::from);
    for why in ways().into_iter().chain(connections) {
        let (what, raw) = (format!("{why:?}"), why.to_string());
        for reason in [Reason::Unreachable, Reason::RegistryUnreachable] {
            let over = over(reason, call::Direction::Outgoing, Some(why.clone()));
            check(&what, &raw, true, |texts| ending(&over, texts).next);
        }
    }
}

/// Every error of a profile, and which it is: a new one belongs here.
fn profiles() -> Vec<ProfileError> {
    let number = |error: &ProfileError| match error {
        ProfileError::NoFolder => 0,
        ProfileError::InUse(_) => 1,
        ProfileError::NoIdentity(..) => 2,
        ProfileError::Exists(..) => 3,
        ProfileError::Damaged(_) => 4,
        ProfileError::ContactsDamaged(_) => 5,
        ProfileError::ContactsNewer(_) => 6,
        ProfileError::CallsDamaged(_) => 7,
        ProfileError::CallsNewer(_) => 8,
        ProfileError::ContactsInUse(_) => 9,
        ProfileError::Exposed(_) => 10,
        ProfileError::TooManyBackups(_) => 11,
        ProfileError::Io(..) => 12,
        ProfileError::NoRandomness => 13,
    };
    let mut all = vec![
        ProfileError::NoFolder,
        ProfileError::InUse(bob()),
        ProfileError::NoIdentity(bob(), file()),
        ProfileError::Exists(bob(), file()),
        ProfileError::Damaged(file()),
        ProfileError::ContactsDamaged(file()),
        ProfileError::ContactsNewer(file()),
        ProfileError::CallsDamaged(file()),
        ProfileError::CallsNewer(file()),
        ProfileError::ContactsInUse(file()),
        ProfileError::TooManyBackups(file()),
        ProfileError::NoRandomness,
    ];
    all.extend(errors().map(|error| ProfileError::Io(file(), error)));
    all.extend(exposures().into_iter().map(ProfileError::Exposed));
    let numbers: BTreeSet<_> = all.iter().map(number).collect();
    assert_eq!(numbers, (0..14).collect());
    all
}

#[test]
fn every_trouble_with_files_and_with_the_phone_itself_is_said() {
    let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, 5000));
    let listening = errors().map(|error| Failure::Listen(addr, error));
    let threads = errors().map(Failure::Thread);
    let failures = profiles().into_iter().map(Failure::Profile);
    for failure in failures.chain(listening).chain(threads) {
        let what = format!("{failure:?}");
        let raw = match &failure {
            Failure::Profile(error) => error.to_string(),
            Failure::Listen(_, error) | Failure::Thread(error) => match system(error) {
                // What the system says is in its own language.
                Some(_) => "no such words".to_owned(),
                None => error.to_string(),
            },
        };
        let trouble = Trouble::Failure(Arc::new(failure));
        check(&what, &raw, true, |texts| trouble.said(texts).line());
    }
    for trouble in [Trouble::Over, Trouble::Replaced] {
        let what = format!("{trouble:?}");
        check(&what, &what, true, |texts| trouble.said(texts).line());
    }
    let full = Unset::TooManyFavourites;
    let raw = full.to_string();
    check("favourites", &raw, true, |texts| unset(texts, full).line());
}

/// Every error of sound, and which it is: a new one belongs here.
fn sounds() -> Vec<AudioError> {
    let number = |error: &AudioError| match error {
        AudioError::NoDevice { .. } => 0,
        AudioError::UnknownDevice { .. } => 1,
        AudioError::AmbiguousDevice { .. } => 2,
        AudioError::CannotOpen { .. } => 3,
        AudioError::Lost { .. } => 4,
        AudioError::CannotList { .. } => 5,
        AudioError::CannotRead { .. } => 6,
        AudioError::CannotWrite { .. } => 7,
        AudioError::Unavailable { .. } => 8,
    };
    let (wanted, device) = ("usb".to_owned(), "USB headset".to_owned());
    let why = "device busy".to_owned();
    let mut all = vec![
        AudioError::CannotList { why: why.clone() },
        AudioError::CannotRead {
            path: file(),
            why: why.clone(),
        },
        AudioError::CannotWrite {
            path: file(),
            why: why.clone(),
        },
        AudioError::Unavailable { why: why.clone() },
    ];
    for direction in [Direction::Input, Direction::Output] {
        let (wanted, device, why) = (wanted.clone(), device.clone(), why.clone());
        all.extend([
            AudioError::NoDevice { direction },
            AudioError::UnknownDevice {
                direction,
                wanted: wanted.clone(),
            },
            AudioError::AmbiguousDevice {
                direction,
                wanted,
                found: Vec::new(),
            },
            AudioError::CannotOpen {
                direction,
                device: device.clone(),
                why: why.clone(),
            },
            AudioError::Lost {
                direction,
                device,
                why,
            },
        ]);
    }
    let numbers: BTreeSet<_> = all.iter().map(number).collect();
    assert_eq!(numbers, (0..9).collect());
    all
}

#[test]
fn every_warning_is_said_of_sound_and_of_all_else() {
    let number = |warning: &Warning| match warning {
        Warning::Sound(_) => 0,
        Warning::NoNetwork(_) => 1,
        Warning::ClockApart => 2,
        Warning::NoSocket(_) => 3,
        Warning::NotKept(..) => 4,
        Warning::ContactDropped => 5,
        Warning::CallsSetAside { .. } => 6,
        Warning::PartFailed => 7,
    };
    let mut all: Vec<_> = sounds().into_iter().map(Warning::Sound).collect();
    all.extend([
        Warning::NoNetwork("no address to be found".to_owned()),
        Warning::ClockApart,
        Warning::NoSocket("another program answers on it".to_owned()),
        Warning::ContactDropped,
        Warning::CallsSetAside {
            from: file(),
            to: file(),
        },
        Warning::PartFailed,
    ]);
    for kept in [Kept::Keys, Kept::Contacts, Kept::Calls] {
        let errors = profiles().into_iter().map(Arc::new);
        all.extend(errors.map(|error| Warning::NotKept(kept, error)));
    }
    let numbers: BTreeSet<_> = all.iter().map(number).collect();
    assert_eq!(numbers, (0..8).collect());
    for warning in all {
        // A list that begins anew needs nothing to be done.
        let steps = !matches!(warning, Warning::CallsSetAside { .. });
        let what = format!("{warning:?}");
        let raw = match &warning {
            Warning::NoNetwork(why) | Warning::NoSocket(why) => why.clone(),
            other => other.to_string(),
        };
        check(&what, &raw, steps, |texts| warned(texts, &warning));
    }
}
