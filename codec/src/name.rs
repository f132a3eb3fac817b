//! `Name`: what people call each other by, and `DeviceId`: one of a person's phones.

use std::{
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unicode_security::{GeneralSecurityProfile, MixedScript, skeleton};

/// The most characters in a name.
pub const NAME_CHARS_MAX: usize = 32;

/// The most bytes in a name, in UTF-8.
pub const NAME_BYTES_MAX: usize = 128;

/// The most marks (accents, vowel signs) that may follow one letter: Burmese ကျော် needs four.
const MARKS_MAX: usize = 4;

/// A name, in the form in which it was typed, after NFKC.
///
/// 1-32 characters and at most 128 bytes: letters and their marks of one script (UTS #39), ASCII
/// digits, `.`, `_` and `-`; the first is a letter or a digit. Names are equal when they are equal
/// after case folding. A `Name` is safe to print: it has no control, format or space character.
#[derive(Clone)]
pub struct Name {
    shown: String,
    folded: String,
}

/// Why a text is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameError {
    /// It is empty.
    Empty,
    /// It has more than [`NAME_CHARS_MAX`] characters or [`NAME_BYTES_MAX`] bytes.
    TooLong,
    /// It has a character that names do not have.
    Character(char),
    /// It does not begin with a letter or a digit.
    Beginning(char),
    /// Its letters come from more than one script, so it could pass for another name.
    MixedScripts,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a name has at least one letter"),
            Self::TooLong => write!(f, "a name has at most {NAME_CHARS_MAX} characters"),
            // `escape_debug` keeps what could move the cursor from the terminal.
            Self::Character(c) => {
                write!(
                    f,
                    "a name has letters, digits, '.', '_' and '-', not '{}'",
                    c.escape_debug()
                )
            }
            Self::Beginning(c) => {
                write!(
                    f,
                    "a name begins with a letter or a digit, not '{}'",
                    c.escape_debug()
                )
            }
            Self::MixedScripts => f.write_str("the letters of a name are all of one script"),
        }
    }
}

impl std::error::Error for NameError {}

impl Name {
    /// The name as it was typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// The form that is compared and sorted: two names are the same when these are.
    #[must_use]
    pub fn folded(&self) -> &str {
        &self.folded
    }

    /// What the name looks like (UTS #39, skeletons), in any case and as it was typed. Two names
    /// that share one of these can be taken for each other.
    #[must_use]
    pub fn looks(&self) -> [String; 2] {
        [&self.folded, &self.shown].map(|text| fold(&skeleton(text).collect::<String>()))
    }
}

/// The form of `text` that names are compared by: NFKC, case folded.
#[must_use]
pub fn fold(text: &str) -> String {
    let normal: String = text.nfkc().collect();
    caseless::default_case_fold_str(&normal).nfkc().collect()
}

impl FromStr for Name {
    type Err = NameError;

    /// Reads a name as a person types it; spaces around it do not count.
    fn from_str(typed: &str) -> Result<Self, NameError> {
        let typed = typed.trim();
        // NFKC makes a character into 18 at the most, so this bounds the work before it is done.
        if typed.len() > 4 * NAME_BYTES_MAX {
            return Err(NameError::TooLong);
        }
        let shown: String = typed.nfkc().collect();
        check(&shown)?;
        let folded = fold(&shown);
        Ok(Self { shown, folded })
    }
}

fn check(shown: &str) -> Result<(), NameError> {
    let first = shown.chars().next().ok_or(NameError::Empty)?;
    if shown.len() > NAME_BYTES_MAX || shown.chars().count() > NAME_CHARS_MAX {
        return Err(NameError::TooLong);
    }
    // How many more marks may follow; none where there is no letter to carry them.
    let mut marks_left = 0_usize;
    for c in shown.chars() {
        let allowed = if is_combining_mark(c) {
            let carried = marks_left > 0;
            marks_left = marks_left.saturating_sub(1);
            carried && c.identifier_allowed()
        } else {
            marks_left = if c.is_alphabetic() { MARKS_MAX } else { 0 };
            let other = c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
            other || (c.is_alphabetic() && c.identifier_allowed())
        };
        if !allowed {
            return Err(NameError::Character(c));
        }
    }
    if !(first.is_alphabetic() || first.is_ascii_digit()) {
        return Err(NameError::Beginning(first));
    }
    if !shown.is_single_script() {
        return Err(NameError::MixedScripts);
    }
    Ok(())
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.shown)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.shown)
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.folded == other.folded
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded.hash(state);
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.folded.cmp(&other.folded)
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.shown.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Name {
    /// Takes a name only in the form in which [`Name`] writes it.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let shown = <&str>::deserialize(deserializer)?;
        let name: Self = shown.parse().map_err(D::Error::custom)?;
        if name.shown == shown {
            Ok(name)
        } else {
            Err(D::Error::custom("not in NFKC"))
        }
    }
}

/// One of a person's phones: 16 random bytes, drawn once and kept with the identity.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DeviceId(pub [u8; 16]);

impl fmt::Debug for DeviceId {
    /// The first four bytes tell a person's few devices apart.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::hex(&self.0[..4], f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Result<Name, NameError> {
        text.parse()
    }

    #[test]
    fn names_people_have_are_names() {
        for good in [
            "bob",
            "Ana-Luísa",
            "joão.silva",
            "Zoë",
            "Ольга",
            "李明",
            "さくら",
            "7up",
            "a_b",
        ] {
            assert!(name(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn case_and_composition_do_not_make_another_name() {
        assert_eq!(name("Bob").unwrap(), name("bOB").unwrap());
        assert_eq!(name("e\u{301}va").unwrap(), name("\u{c9}VA").unwrap());
        assert_eq!(name("Straße").unwrap(), name("STRASSE").unwrap());
        assert_eq!(name(" Bob ").unwrap().as_str(), "Bob");
    }

    #[test]
    fn what_could_deceive_or_break_a_terminal_is_refused() {
        assert_eq!(name(""), Err(NameError::Empty));
        assert_eq!(name("a b"), Err(NameError::Character(' ')));
        assert_eq!(name("a\u{1b}[2J"), Err(NameError::Character('\u{1b}')));
        assert_eq!(name("a\u{202e}b"), Err(NameError::Character('\u{202e}')));
        assert_eq!(name("a\u{200d}b"), Err(NameError::Character('\u{200d}')));
        assert_eq!(name("b@home"), Err(NameError::Character('@')));
        assert_eq!(name("--help"), Err(NameError::Beginning('-')));
        assert_eq!(name(".."), Err(NameError::Beginning('.')));
        // Latin "p" and "l" with a Cyrillic "а" between them.
        assert_eq!(name("p\u{430}l"), Err(NameError::MixedScripts));
        assert_eq!(name(&"a".repeat(33)), Err(NameError::TooLong));
        assert!(name(&format!("a{}", "\u{316}".repeat(5))).is_err());
        assert!(name("a.\u{316}").is_err());
    }

    #[test]
    fn names_that_look_alike_share_a_look() {
        let alike = |a: &str, b: &str| {
            let (a, b) = (name(a).unwrap().looks(), name(b).unwrap().looks());
            a.iter().any(|look| b.contains(look))
        };
        assert!(alike("alice", "a1ice") && alike("alice", "aIice"));
        // Cyrillic letters, all of one script.
        assert!(alike("cop", "\u{441}\u{43e}\u{440}"));
        assert!(alike("modern", "modem") && alike("bob0", "bobo"));
        assert!(alike("alice", "ALICE") && !alike("alice", "alicia"));
    }

    #[test]
    fn a_name_that_is_not_in_nfkc_is_refused_on_the_wire() {
        let composed = postcard::to_allocvec("\u{e9}va").unwrap();
        let decomposed = postcard::to_allocvec("e\u{301}va").unwrap();
        assert!(postcard::from_bytes::<Name>(&composed).is_ok());
        assert!(postcard::from_bytes::<Name>(&decomposed).is_err());
    }
}
