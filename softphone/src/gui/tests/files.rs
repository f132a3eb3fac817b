//! Files that cannot be used, as a person is told of them.

use super::*;
use crate::{gui::people, settings::Profile};
use registry::known::KnownError;

/// What somebody has spoilt by hand.
fn spoil(config: &tempfile::TempDir) -> String {
    let path = KnownRegistries::in_folder(config.path()).path().to_owned();
    std::fs::write(&path, "# mine\nramal.example.org 12").unwrap();
    path.display().to_string()
}

fn without_marks(said: &str) -> String {
    said.replace(['\u{2068}', '\u{2069}'], "")
}

#[test]
fn a_list_of_registries_that_cannot_be_read_is_said_at_the_door_and_in_the_settings() {
    for (language, title, next) in [
        (
            Language::English,
            "The list of registries you have met can’t be used",
            "is damaged. Mend the line, or remove it.",
        ),
        (
            Language::BrazilianPortuguese,
            "A lista de servidores conhecidos não pode ser usada",
            "está danificada. Corrija ou apague essa linha.",
        ),
    ] {
        let config = config(language);
        let known = KnownRegistries::in_folder(config.path());
        known.meet(&host(), &codec::IdentityKey([7; 32])).unwrap();
        let mut app = app(&config);
        assert!(!sees(&app, title) && sees(&app, "192.168.1.5:5000"));
        let path = spoil(&config);
        drop(Profile::open(config.path(), bob(), 1).unwrap());
        let read = settings::Read::of(config.path(), &bob());
        let trouble = super::super::trouble::known(
            &app.world.texts,
            read.known.as_ref().expect_err("what is no key"),
        );
        let text = without_marks(&trouble.text);
        assert!(text.contains(&path) && text.contains(next), "{text}");
        assert_eq!(trouble.title, title);

        let door = super::app(&config);
        assert!(says(&door, &trouble));

        app.run_as(bob(), host());
        let granted = phone::Event::Registered;
        let _ = app.update(Message::Line(1, News::Event(granted.into())));
        let _ = app.update(Message::PlacePressed(Place::Settings));
        let identity = settings::Message::TabPressed(settings::Tab::Identity);
        let _ = app.update(Message::Settings(identity));
        let _ = app.update(Message::Settings(settings::Message::Read(Arc::new(read))));
        assert!(says(&app, &trouble));
        // The next look finds it mended.
        std::fs::remove_file(known.path()).unwrap();
        let read = settings::Read::of(config.path(), &bob());
        assert!(matches!(&read.fingerprint, Ok(Some(_))));
        let _ = app.update(Message::Settings(settings::Message::Read(Arc::new(read))));
        assert!(!sees(&app, title));
    }
}

#[test]
fn settings_that_cannot_be_read_look_as_they_did() {
    for (tag, language) in LANGUAGES {
        let config = config(language);
        let mut app = signed_in(&config, Place::Settings);
        let identity = settings::Message::TabPressed(settings::Tab::Identity);
        let _ = app.update(Message::Settings(identity));
        let read = settings::Read {
            fingerprint: Err(ProfileError::Damaged(
                "/home/bob/.config/ramal/bob/identity".into(),
            )),
            known: Err(KnownError::Damaged {
                path: "/home/bob/.config/ramal/.known-registries".into(),
                line: 3,
            }),
        };
        let _ = app.update(Message::Settings(settings::Message::Read(Arc::new(read))));
        check(&format!("settings-unread-{tag}"), WINDOW, || app.screen());
    }
}

#[test]
fn one_favourite_too_many_is_said_once_above_the_screen_that_asked_for_it() {
    for (language, said) in [
        (
            Language::English,
            "There is no room for another favourite. You can have 500 favourites. Remove somebody \
             from them, then try again.",
        ),
        (
            Language::BrazilianPortuguese,
            "Não cabe mais ninguém nos favoritos. Você pode ter até 500 favoritos. Tire alguém de \
             lá e tente de novo.",
        ),
    ] {
        let config = config(language);
        let mut app = signed_in(&config, Place::People);
        let full = (0..500).map(|number| format!("user{number}"));
        app.world.preferences.favourites = full.collect();
        let before = app.world.preferences.clone();
        for _ in 0..2 {
            let pressed = people::Message::FavouritePressed(bob(), true);
            let _ = app.update(Message::People(pressed));
        }
        let notices = &app.phone.as_ref().unwrap().notices;
        let warnings: Vec<_> = notices.warnings().map(without_marks).collect();
        assert_eq!(warnings, [said]);
        assert_eq!(app.world.preferences, before);
    }
}
