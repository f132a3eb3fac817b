//! How keys and presences are written in JSON: as an operator reads and types them.

use codec::IdentityKey;

/// Reads a key as it is shown: 64 hexadecimal digits.
pub(super) fn key_of(text: &str) -> Option<IdentityKey> {
    let mut key = [0; 32];
    let digits = text.as_bytes();
    if digits.len() != 2 * key.len() {
        return None;
    }
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16);
        *byte = u8::try_from(digit(0)? << 4 | digit(1)?).ok()?;
    }
    Some(IdentityKey(key))
}

/// A key in hexadecimal.
pub(super) mod hexadecimal {
    use codec::IdentityKey;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(key: &IdentityKey, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(key)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<IdentityKey, D::Error> {
        let text = String::deserialize(from)?;
        super::key_of(&text).ok_or_else(|| D::Error::custom("64 hexadecimal digits are needed"))
    }
}

/// The same, if there is a key.
pub(super) mod hexadecimal_if_any {
    use codec::IdentityKey;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(key: &Option<IdentityKey>, to: S) -> Result<S::Ok, S::Error> {
        match key {
            Some(key) => to.collect_str(key),
            None => to.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<IdentityKey>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        let key = |text: String| {
            super::key_of(&text).ok_or_else(|| D::Error::custom("64 hexadecimal digits are needed"))
        };
        text.map(key).transpose()
    }
}

/// A presence as its word.
pub(super) mod presence {
    use codec::registry::Presence;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(presence: &Presence, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(presence)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Presence, D::Error> {
        let text = String::deserialize(from)?;
        let mut known = [Presence::Available, Presence::Busy, Presence::Away].into_iter();
        let found = known.find(|presence| presence.to_string() == text);
        found.ok_or_else(|| D::Error::custom("available, busy or away is needed"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_is_shown_and_nothing_else_is_one() {
        let key = IdentityKey([0xa7; 32]);
        assert_eq!(key_of(&key.to_string()), Some(key));
        assert_eq!(key_of(&key.to_string().to_uppercase()), Some(key));
        for wrong in [
            "",
            "bob",
            &"a7".repeat(33),
            &"g7".repeat(32),
            &"ä".repeat(32),
        ] {
            assert_eq!(key_of(wrong), None, "{wrong}");
        }
    }
}
