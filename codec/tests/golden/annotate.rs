//! Writes what a message is made of: its bytes, piece by piece, each with the field that it is.

use std::fmt::{Display, Write};

use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

/// So many digits stand in front of a label, unless there are more.
const DIGITS: usize = 34;

/// So many bytes stand on a line at most.
const LINE_BYTES: usize = 32;

/// The message piece by piece: its bytes in hexadecimal digits, and what they are.
pub fn annotated<T: Serialize>(message: &T) -> String {
    let mut pieces = Pieces::default();
    message
        .serialize(&mut pieces)
        .expect("a message of the wire");
    let whole: Vec<u8> = pieces
        .pieces
        .iter()
        .flat_map(|it| it.bytes.clone())
        .collect();
    assert_eq!(whole, postcard::to_allocvec(message).unwrap());
    let mut text = String::new();
    for Piece { bytes, label, .. } in &pieces.pieces {
        let mut label = label.as_str();
        for line in bytes.chunks(LINE_BYTES) {
            let digits: String = line.iter().map(|byte| format!("{byte:02x}")).collect();
            let gap = DIGITS.saturating_sub(digits.len()).max(2);
            let line = format!("{digits}{:gap$}{label}", "");
            writeln!(text, "{}", line.trim_end()).unwrap();
            label = "";
        }
    }
    text
}

/// A part of a message that is one value.
struct Piece {
    bytes: Vec<u8>,
    label: String,
    /// One byte of an array.
    is_byte: bool,
}

#[derive(Default)]
struct Pieces {
    pieces: Vec<Piece>,
    path: Vec<String>,
}

impl Pieces {
    fn put<T: Serialize>(&mut self, value: &T, shown: impl Display) {
        let bytes = postcard::to_allocvec(value).unwrap();
        let path = self.path.join(".");
        let equals = if path.is_empty() { "" } else { " = " };
        self.pieces.push(Piece {
            bytes,
            label: format!("{path}{equals}{shown}"),
            is_byte: false,
        });
    }

    fn within<T: Serialize + ?Sized>(&mut self, step: String, value: &T) -> Result<(), Error> {
        self.path.push(step);
        value.serialize(&mut *self)?;
        self.path.pop();
        Ok(())
    }
}

/// The steps from a value to its parts, and where its pieces begin.
struct Parts<'a> {
    pieces: &'a mut Pieces,
    begin: usize,
    count: usize,
}

impl Parts<'_> {
    fn next<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.count += 1;
        self.pieces.within((self.count - 1).to_string(), value)
    }

    /// An array of bytes is one piece.
    fn joined(self) {
        let Self { pieces, begin, .. } = self;
        let parts = &pieces.pieces[begin..];
        if parts.len() > 1 && parts.iter().all(|piece| piece.is_byte) {
            let bytes = parts.iter().flat_map(|piece| piece.bytes.clone()).collect();
            pieces.pieces.truncate(begin);
            let label = pieces.path.join(".");
            pieces.pieces.push(Piece {
                bytes,
                label,
                is_byte: false,
            });
        }
    }
}

/// Nothing of the wire is a map.
#[derive(Debug)]
pub struct Error(String);

impl Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl serde::ser::Error for Error {
    fn custom<T: Display>(text: T) -> Self {
        Self(text.to_string())
    }
}

fn no_map() -> Error {
    Error("a map".to_owned())
}

fn parts(pieces: &mut Pieces) -> Parts<'_> {
    Parts {
        begin: pieces.pieces.len(),
        pieces,
        count: 0,
    }
}

macro_rules! numbers {
    ($($put:ident $of:ty)*) => {
        $(fn $put(self, value: $of) -> Result<(), Error> {
            self.put(&value, value);
            Ok(())
        })*
    };
}

impl<'a> Serializer for &'a mut Pieces {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Parts<'a>;
    type SerializeTuple = Parts<'a>;
    type SerializeTupleStruct = Parts<'a>;
    type SerializeTupleVariant = Parts<'a>;
    type SerializeMap = Parts<'a>;
    type SerializeStruct = Parts<'a>;
    type SerializeStructVariant = Parts<'a>;

    numbers! {
        serialize_bool bool serialize_i8 i8 serialize_i16 i16 serialize_i32 i32 serialize_i64 i64
        serialize_u16 u16 serialize_u32 u32 serialize_u64 u64 serialize_f32 f32 serialize_f64 f64
        serialize_char char
    }

    fn serialize_u8(self, value: u8) -> Result<(), Error> {
        self.put(&value, value);
        let last = self.pieces.last_mut().expect("it was just put there");
        last.is_byte = true;
        Ok(())
    }

    fn serialize_str(self, text: &str) -> Result<(), Error> {
        self.put(&text, format_args!("{text:?}"));
        Ok(())
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), Error> {
        self.put(&bytes.len(), format_args!("{} bytes", bytes.len()));
        self.pieces.push(Piece {
            bytes: bytes.to_vec(),
            label: self.path.join("."),
            is_byte: false,
        });
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.put(&0u8, "none");
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        self.put(&1u8, "some");
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<(), Error> {
        self.put(&index, variant);
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.put(&index, variant);
        value.serialize(self)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Parts<'a>, Error> {
        let length = length.expect("lists of the wire know how long they are");
        self.put(&length, format_args!("{length} of"));
        Ok(parts(self))
    }

    fn serialize_tuple(self, _: usize) -> Result<Parts<'a>, Error> {
        Ok(parts(self))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Parts<'a>, Error> {
        Ok(parts(self))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        index: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Parts<'a>, Error> {
        self.put(&index, variant);
        Ok(parts(self))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Parts<'a>, Error> {
        Err(no_map())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts<'a>, Error> {
        Ok(parts(self))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        index: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Parts<'a>, Error> {
        self.put(&index, variant);
        Ok(parts(self))
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

/// What has parts in a row.
macro_rules! in_a_row {
    ($($of:ident $put:ident)*) => {
        $(impl $of for Parts<'_> {
            type Ok = ();
            type Error = Error;

            fn $put<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.next(value)
            }

            fn end(self) -> Result<(), Error> {
                self.joined();
                Ok(())
            }
        })*
    };
}

in_a_row! {
    SerializeSeq serialize_element
    SerializeTuple serialize_element
    SerializeTupleStruct serialize_field
    SerializeTupleVariant serialize_field
}

/// What has parts with names.
macro_rules! named {
    ($($of:ident)*) => {
        $(impl $of for Parts<'_> {
            type Ok = ();
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Error> {
                self.pieces.within(name.to_owned(), value)
            }

            fn end(self) -> Result<(), Error> {
                Ok(())
            }
        })*
    };
}

named! { SerializeStruct SerializeStructVariant }

impl SerializeMap for Parts<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<(), Error> {
        Err(no_map())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<(), Error> {
        Err(no_map())
    }

    fn end(self) -> Result<(), Error> {
        Ok(())
    }
}
