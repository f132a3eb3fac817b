//! What is typed into the search field: a part of a name, a whole one, or an address.

use codec::{NAME_CHARS_MAX, NameError};
use i18n_embed::fluent::FluentLanguageLoader;
use i18n_embed_fl::fl;

use crate::phone::{BadTarget, Target};

/// What a text can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// Nothing but spaces.
    Nothing,
    /// Somebody who can be looked up.
    Target(Target),
    /// Nobody's name, and why.
    Bad(BadTarget),
}

impl Typed {
    /// Reads it.
    #[must_use]
    pub fn of(typed: &str) -> Self {
        let typed = typed.trim();
        if typed.is_empty() {
            return Self::Nothing;
        }
        match typed.parse() {
            Ok(target) => Self::Target(target),
            Err(bad) => Self::Bad(bad),
        }
    }
}

/// Why nobody is called so, in a sentence that says what would be right.
#[must_use]
pub fn why(texts: &FluentLanguageLoader, bad: &BadTarget) -> String {
    match bad {
        BadTarget::Host(_) => fl!(texts, "people-host-bad"),
        BadTarget::Name(NameError::Empty) => fl!(texts, "people-name-empty"),
        BadTarget::Name(NameError::TooLong) => {
            fl!(texts, "people-name-too-long", most = NAME_CHARS_MAX)
        }
        BadTarget::Name(NameError::Character(character)) => {
            let character = character.escape_debug().to_string();
            fl!(texts, "people-name-character", character = character)
        }
        BadTarget::Name(NameError::Beginning(_)) => fl!(texts, "people-name-beginning"),
        BadTarget::Name(NameError::MixedScripts) => fl!(texts, "people-name-mixed"),
        BadTarget::Name(error) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_not_finished_yet_is_no_target() {
        assert_eq!(Typed::of("  "), Typed::Nothing);
        assert!(matches!(Typed::of("bob"), Typed::Target(_)));
        assert!(matches!(Typed::of("bob@10.0.0.2:4000 "), Typed::Target(_)));
        assert!(matches!(Typed::of("bob@"), Typed::Bad(BadTarget::Host(_))));
        assert!(matches!(Typed::of("bob!"), Typed::Bad(BadTarget::Name(_))));
    }
}
