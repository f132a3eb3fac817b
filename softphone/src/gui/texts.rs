//! What stands on the screens: English and Brazilian Portuguese, compiled into the program.
//!
//! One file a language, in sections, one for each screen. `fl!` does not compile where a key is
//! missing in English; a test finds what Portuguese lacks.

use i18n_embed::{LanguageLoader, fluent::FluentLanguageLoader, unic_langid::LanguageIdentifier};
use rust_embed::RustEmbed;

use crate::settings::preferences::Language;

#[derive(RustEmbed)]
#[folder = "i18n/"]
struct Assets;

const ENGLISH: &str = "en";
const BRAZILIAN_PORTUGUESE: &str = "pt-BR";

/// The texts in the language that the person chose.
///
/// # Panics
/// When the texts that are compiled into the program cannot be read, which a test rules out.
#[must_use]
pub fn load(language: Language) -> FluentLanguageLoader {
    let loader = FluentLanguageLoader::new("softphone", identifier(ENGLISH));
    let wanted = match language {
        Language::System => of_system(&i18n_embed::DesktopLanguageRequester::requested_languages()),
        Language::English => ENGLISH,
        Language::BrazilianPortuguese => BRAZILIAN_PORTUGUESE,
    };
    loader
        .load_languages(&Assets, &[identifier(wanted), identifier(ENGLISH)])
        .expect("texts that were tested");
    // The marks around what is filled in are for texts of both directions, and no font shows them.
    loader.set_use_isolating(false);
    loader
}

/// The first of the languages that the system asks for that there is.
fn of_system(wanted: &[LanguageIdentifier]) -> &'static str {
    let known = |wanted: &LanguageIdentifier| match wanted.language.as_str() {
        "pt" => Some(BRAZILIAN_PORTUGUESE),
        "en" => Some(ENGLISH),
        _ => None,
    };
    wanted.iter().find_map(known).unwrap_or(ENGLISH)
}

fn identifier(language: &str) -> LanguageIdentifier {
    language.parse().expect("a language that is well written")
}
