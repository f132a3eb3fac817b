//! Asks an enum for the names of its variants.

use serde::{
    Deserializer,
    de::{DeserializeOwned, Error as _, Visitor},
};

/// The name and variants with which an enum asks a deserializer for itself.
pub fn enum_of<T: DeserializeOwned>() -> (&'static str, &'static [&'static str]) {
    struct Asked<'a>(&'a mut Option<(&'static str, &'static [&'static str])>);

    impl<'de> Deserializer<'de> for Asked<'_> {
        type Error = serde::de::value::Error;

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
            Err(Self::Error::custom("not an enum"))
        }

        fn deserialize_enum<V: Visitor<'de>>(
            self,
            name: &'static str,
            variants: &'static [&'static str],
            _: V,
        ) -> Result<V::Value, Self::Error> {
            *self.0 = Some((name, variants));
            Err(Self::Error::custom("only asked"))
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
            option unit unit_struct newtype_struct seq tuple tuple_struct map struct identifier
            ignored_any
        }
    }

    let mut asked = None;
    assert!(T::deserialize(Asked(&mut asked)).is_err());
    asked.expect("every type in the list is an enum")
}
