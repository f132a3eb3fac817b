//! What stands on the screens: English and Brazilian Portuguese, compiled into the program.
//!
//! One file a language, in sections, one for each screen. `fl!` does not compile where a key is
//! missing in English; a test finds what Portuguese lacks.

use i18n_embed::fluent::FluentLanguageLoader;
use look::language;
use rust_embed::RustEmbed;

use crate::settings::preferences::Language;

#[derive(RustEmbed)]
#[folder = "i18n/"]
struct Assets;

/// The crate, as its texts are called.
const DOMAIN: &str = "softphone";

/// The texts in the language that the person chose.
///
/// # Panics
/// When the texts that are compiled into the program cannot be read, which a test rules out.
#[must_use]
pub fn load(language: Language) -> FluentLanguageLoader {
    let language = match language {
        Language::System => look::Language::System,
        Language::English => look::Language::English,
        Language::BrazilianPortuguese => look::Language::BrazilianPortuguese,
    };
    language::loader(DOMAIN, &Assets, language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things_with_the_same_variables() {
        assert_eq!(language::differences(DOMAIN, &Assets), Vec::<String>::new());
    }

    #[test]
    fn nothing_is_counted_as_one() {
        for language in [Language::English, Language::BrazilianPortuguese] {
            let texts = load(language);
            let said = |key: &str, count: u32| {
                let args = ["count", "seconds"].map(|it| (it, count));
                texts.get_args(key, args.into_iter().collect())
            };
            // Portuguese has one plural for 0 and 1, which would say one where there is none.
            for key in ["log-count", "log-copied", "trouble-too-fast"] {
                assert!(said(key, 0).contains('0'), "{}", said(key, 0));
            }
            for key in ["log-count", "log-copied", "log-paused", "incoming-more"] {
                assert!(!said(key, 1).contains('1'), "{}", said(key, 1));
            }
            assert!(!said("log-paused", 0).contains('0'));
        }
    }
}
