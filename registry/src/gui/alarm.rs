//! What is wrong with the registry, in a person's language, and what to do about it.

use i18n_embed::fluent::FluentLanguageLoader;
use i18n_embed_fl::fl;
use look::Kind;

use super::Cx;
use crate::event::Warning;

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Alarm<'a> {
    /// What.
    pub of: &'a Warning,
    /// How bad it is.
    pub kind: Kind,
    /// What a person is told.
    pub text: String,
}

/// Everything that is wrong, the worst first.
pub fn all<'a>(cx: &Cx<'a>) -> impl Iterator<Item = Alarm<'a>> + use<'a> {
    let (texts, warnings) = (cx.texts, cx.seen.warnings.as_slice());
    let of = move |kind: Kind| {
        let told = warnings.iter().filter_map(move |of| {
            let (how, text) = said(of, texts)?;
            let kind = how;
            Some(Alarm { of, kind, text })
        });
        told.filter(move |alarm| alarm.kind == kind)
    };
    of(Kind::Danger).chain(of(Kind::Warning))
}

/// How bad it is and what a person is told of it, unless they see it elsewhere.
#[must_use]
pub fn said(warning: &Warning, texts: &FluentLanguageLoader) -> Option<(Kind, String)> {
    Some(match warning {
        Warning::NotKept(why) => {
            let text = fl!(texts, "alarm-not-kept", why = why.as_str());
            (Kind::Danger, text)
        }
        Warning::StoreFailed => (Kind::Danger, fl!(texts, "alarm-store-failed")),
        Warning::NamesLost => (Kind::Danger, fl!(texts, "alarm-names-lost")),
        Warning::NoConnections(why) => {
            let text = fl!(texts, "alarm-no-connections", why = why.as_str());
            (Kind::Danger, text)
        }
        // Nobody misses a few of so many; the log has it.
        &Warning::FewerConnections { held, wanted } if held >= wanted - wanted / 10 => return None,
        &Warning::FewerConnections { held, wanted } => {
            let text = fl!(texts, "alarm-fewer", held = held, wanted = wanted);
            (Kind::Warning, text)
        }
        Warning::ClockDoubted => (Kind::Danger, fl!(texts, "alarm-clock")),
        Warning::NoAdminSocket { path, why } => {
            let path = path.display().to_string();
            let text = fl!(texts, "alarm-no-socket", path = path, why = why.as_str());
            (Kind::Warning, text)
        }
        Warning::NotAnnounced(why) | Warning::NotHeard(why) => {
            let text = fl!(texts, "alarm-not-announced", why = why.as_str());
            (Kind::Warning, text)
        }
        Warning::Failed(why) => {
            let text = fl!(texts, "alarm-failed", why = why.as_str());
            (Kind::Danger, text)
        }
        Warning::AnotherKey(folder) => {
            let folder = folder.display().to_string();
            let text = fl!(texts, "help-another-key", folder = folder);
            (Kind::Warning, text)
        }
        Warning::NoLog(why) => {
            let text = fl!(texts, "alarm-no-log", why = why.as_str());
            (Kind::Warning, text)
        }
        // That is what was cut when it closed, which is told beside what was not.
        Warning::CutOff(_)
        // These are wanted: of the settings, and of who keeps nothing.
        | Warning::PlainAnywhere
        | Warning::InMemory => return None,
    })
}

#[cfg(test)]
mod tests {
    use look::{Language, language};

    use super::*;
    use crate::gui::{DOMAIN, Texts};

    /// The warning after this one: one that is new has to be put in here.
    fn after(warning: &Warning) -> Option<Warning> {
        let why = || "the reason".to_owned();
        Some(match warning {
            Warning::NotKept(_) => Warning::StoreFailed,
            Warning::StoreFailed => Warning::NamesLost,
            Warning::NamesLost => Warning::NoConnections(why()),
            Warning::NoConnections(_) => Warning::FewerConnections {
                held: 412,
                wanted: 20_000,
            },
            Warning::FewerConnections { .. } => Warning::ClockDoubted,
            Warning::ClockDoubted => Warning::NoAdminSocket {
                path: "/var/lib/ramal/admin.sock".into(),
                why: why(),
            },
            Warning::NoAdminSocket { .. } => Warning::NotAnnounced(why()),
            Warning::NotAnnounced(_) => Warning::NotHeard(why()),
            Warning::NotHeard(_) => Warning::Failed(why()),
            Warning::Failed(_) => Warning::AnotherKey("/var/lib/ramal".into()),
            Warning::AnotherKey(_) => Warning::NoLog(why()),
            Warning::NoLog(_) => Warning::CutOff(3),
            Warning::CutOff(_) => Warning::PlainAnywhere,
            Warning::PlainAnywhere => Warning::InMemory,
            Warning::InMemory => return None,
        })
    }

    #[test]
    fn every_warning_is_told_in_both_languages_with_what_is_known_and_a_next_step() {
        let first = Warning::NotKept("the reason".to_owned());
        let all = std::iter::successors(Some(first), after);
        let (mut told, mut told_elsewhere) = (0, 0);
        for warning in all {
            let [english, portuguese] = [Language::English, Language::BrazilianPortuguese]
                .map(|it| said(&warning, &language::loader(DOMAIN, &Texts, it)));
            let (Some((_, english)), Some((_, portuguese))) = (english, portuguese) else {
                told_elsewhere += 1;
                continue;
            };
            told += 1;
            assert_ne!(english, portuguese);
            for text in [&english, &portuguese] {
                assert!(text.matches('.').count() >= 2, "no next step: {text}");
                assert!(!text.contains('{'), "{text}");
                let shown = warning.to_string();
                for known in ["the reason", "/var/lib/ramal", "412"] {
                    assert_eq!(text.contains(known), shown.contains(known), "{text}");
                }
            }
        }
        assert_eq!((told, told_elsewhere), (12, 3));
    }
}
