//! Which language a person reads, and the texts in it.
//!
//! A crate with texts keeps them in `i18n/en/CRATE.ftl` and `i18n/pt-BR/CRATE.ftl`, embeds the
//! folder with `rust_embed`, and takes [`loader`] for a language. `i18n_embed_fl::fl!` with that
//! loader does not compile where the English text is missing; [`differences`] in a test finds
//! what the others miss.

use std::collections::{BTreeMap, BTreeSet};

use i18n_embed::fluent::FluentLanguageLoader;
use i18n_embed::unic_langid::LanguageIdentifier;
use i18n_embed::{DesktopLanguageRequester, I18nAssets, LanguageLoader};

/// A language that a person chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Language {
    /// As the desktop has it, English where there is no text in that.
    #[default]
    System,
    /// English.
    English,
    /// Brazilian Portuguese.
    BrazilianPortuguese,
}

impl Language {
    /// What a person can choose from.
    pub const ALL: [Self; 3] = [Self::System, Self::English, Self::BrazilianPortuguese];

    /// What the language calls itself. None for the system's: that has a name in every language.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::System => None,
            Self::English => Some("English"),
            Self::BrazilianPortuguese => Some("Português (Brasil)"),
        }
    }

    /// Its tag (BCP 47), as settings keep it. None for the system's.
    #[must_use]
    pub fn tag(self) -> Option<&'static str> {
        match self {
            Self::System => None,
            Self::English => Some(ENGLISH),
            Self::BrazilianPortuguese => Some("pt-BR"),
        }
    }
}

const ENGLISH: &str = "en";

/// The texts of a crate in a language.
///
/// `domain` is the crate's name, which is the name of its `.ftl` files. Text put into a sentence
/// comes without the marks that keep directions apart, which iced would show as boxes.
///
/// # Panics
///
/// Where `assets` have no English texts that can be read: a defect of the program, which any test
/// that makes a loader finds.
#[must_use]
pub fn loader(domain: &str, assets: &dyn I18nAssets, language: Language) -> FluentLanguageLoader {
    let wanted = match language.tag() {
        Some(tag) => vec![identifier(tag)],
        None => DesktopLanguageRequester::requested_languages(),
    };
    loader_for(domain, assets, &wanted)
}

/// As [`loader`], for the first of `wanted` that there are texts in. Portuguese of any country is
/// better than English to who asked for Portuguese.
fn loader_for(
    domain: &str,
    assets: &dyn I18nAssets,
    wanted: &[LanguageIdentifier],
) -> FluentLanguageLoader {
    let loader = FluentLanguageLoader::new(domain, identifier(ENGLISH));
    let known = loader.available_languages(assets).unwrap_or_default();
    let chosen = wanted.iter().find_map(|wanted| {
        let same = known.iter().find(|known| *known == wanted);
        same.or_else(|| known.iter().find(|known| known.language == wanted.language))
    });
    let mut languages = vec![identifier(ENGLISH)];
    languages.splice(
        0..0,
        chosen.filter(|chosen| *chosen != &languages[0]).cloned(),
    );
    let loaded = loader.load_languages(assets, &languages);
    loaded.expect("the texts of a crate are embedded in it");
    loader.set_use_isolating(false);
    loader
}

fn identifier(tag: &str) -> LanguageIdentifier {
    tag.parse().expect("a tag of this program is well formed")
}

/// What the languages of a crate do not have in common: a sentence for each message that one has
/// and another has not, or that has other variables. For a test that wants none.
#[must_use]
pub fn differences(domain: &str, assets: &dyn I18nAssets) -> Vec<String> {
    let file = |tag: &str| format!("{tag}/{domain}.ftl");
    let english = messages(&read(assets, &file(ENGLISH)));
    let mut found = Vec::new();
    if english.is_empty() {
        found.push(format!("{} has no messages", file(ENGLISH)));
    }
    for language in Language::ALL.into_iter().filter_map(Language::tag) {
        let theirs = messages(&read(assets, &file(language)));
        let keys: BTreeSet<_> = english.keys().chain(theirs.keys()).collect();
        for key in keys {
            match (english.get(key), theirs.get(key)) {
                (Some(_), None) => found.push(format!("{language} has no {key}")),
                (None, Some(_)) => found.push(format!("only {language} has {key}")),
                (Some(english), Some(theirs)) if english != theirs => {
                    found.push(format!("{key} has other variables in {language}"));
                }
                _ => {}
            }
        }
    }
    found
}

fn read(assets: &dyn I18nAssets, path: &str) -> String {
    let files = assets.get_files(path);
    let texts = files.iter().map(|file| String::from_utf8_lossy(file));
    texts.collect()
}

/// The messages and attributes of a Fluent file, with the variables of each.
fn messages(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut messages: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let (mut message, mut current) = (String::new(), None);
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let head = line.split_once('=').map(|(head, _)| head.trim());
        match head.filter(|head| is_key(head.trim_start_matches('.'))) {
            Some(key) if !line.starts_with(' ') => {
                key.clone_into(&mut message);
                current = Some(message.clone());
            }
            Some(attribute) if attribute.starts_with('.') => {
                current = Some(format!("{message}{attribute}"));
            }
            _ => {}
        }
        if let Some(current) = &current {
            let variables = messages.entry(current.clone()).or_default();
            variables.extend(line.split('$').skip(1).map(|rest| {
                let end = rest.find(|letter| !is_part_of_key(letter));
                rest[..end.unwrap_or(rest.len())].to_owned()
            }));
        }
    }
    messages
}

fn is_key(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.chars().all(is_part_of_key)
}

fn is_part_of_key(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '-' || letter == '_'
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    /// Texts as they are embedded: a path and what is there.
    struct Texts(&'static [(&'static str, &'static str)]);

    impl I18nAssets for Texts {
        fn get_files(&self, path: &str) -> Vec<Cow<'_, [u8]>> {
            let found = self.0.iter().filter(|(known, _)| *known == path);
            found.map(|(_, text)| text.as_bytes().into()).collect()
        }

        fn filenames_iter(&self) -> Box<dyn Iterator<Item = String> + '_> {
            Box::new(self.0.iter().map(|(path, _)| (*path).to_owned()))
        }
    }

    const TEXTS: Texts = Texts(&[
        (
            "en/phone.ftl",
            "# A remark = none.\ncalls = { $name } calls\nmissed = { $count ->\n    [one] One \
             missed call\n   *[other] { $count } missed calls\n }\nend = End\n    .tip = Ends it\n",
        ),
        (
            "pt-BR/phone.ftl",
            "calls = { $name } está ligando\nmissed = { $who }\nmais = Mais\nend = Desligar\n",
        ),
    ]);

    #[test]
    fn texts_come_in_the_language_that_was_chosen() {
        let say = |language| {
            let loader = loader("phone", &TEXTS, language);
            loader.get_args("calls", [("name", "Ana")].into())
        };
        assert_eq!(say(Language::English), "Ana calls");
        assert_eq!(say(Language::BrazilianPortuguese), "Ana está ligando");
    }

    #[test]
    fn the_system_gets_the_nearest_language_there_is() {
        let end = |wanted: &[&str]| {
            let wanted: Vec<_> = wanted.iter().map(|tag| identifier(tag)).collect();
            loader_for("phone", &TEXTS, &wanted).get("end")
        };
        assert_eq!(end(&["pt-BR"]), "Desligar");
        assert_eq!(end(&["pt-PT"]), "Desligar");
        assert_eq!(end(&["de-DE", "pt-BR"]), "Desligar");
        assert_eq!(end(&["en-GB", "pt-BR"]), "End");
        assert_eq!(end(&["de-DE"]), "End");
        assert_eq!(end(&[]), "End");
    }

    #[test]
    fn what_a_language_misses_falls_back_to_english_and_is_found() {
        let loader = loader("phone", &TEXTS, Language::BrazilianPortuguese);
        assert_eq!(loader.get_attr("end", "tip"), "Ends it");
        assert_eq!(
            differences("phone", &TEXTS),
            [
                "pt-BR has no end.tip",
                "only pt-BR has mais",
                "missed has other variables in pt-BR",
            ]
        );
        assert_eq!(
            differences("other", &TEXTS),
            ["en/other.ftl has no messages"]
        );
    }
}
