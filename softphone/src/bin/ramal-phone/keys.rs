//! What a person types, from bytes to keys, and from keys to a name to call.

use std::mem;

/// The longest text that is typed for a name; a target is a name of 128 bytes and a host of 253.
const TYPED_BYTES_MAX: usize = 400;

/// The longest line that is read where lines are typed; what is beyond is not.
const LINE_BYTES_MAX: usize = 1024;

/// One key, as far as the phone knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// A letter, a digit, a sign.
    Char(char),
    /// Enter.
    Enter,
    /// Tab.
    Tab,
    /// Backspace.
    Backspace,
    /// Ctrl-U: all that was typed goes.
    EraseAll,
    /// Escape.
    Escape,
    /// Ctrl-D: nothing more will be typed.
    End,
    /// Ctrl-L: draw everything anew.
    Redraw,
    /// Ctrl-Z: stop for a while.
    Suspend,
}

/// Makes keys of the bytes that a terminal sends.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The first bytes of a character whose last ones are still to come.
    pending: Vec<u8>,
}

impl Decoder {
    /// The keys in the next bytes. What is no UTF-8, and keys that the phone does not know, such as
    /// arrows, are left out.
    pub fn decode(&mut self, bytes: &[u8]) -> Vec<Key> {
        self.pending.extend(bytes);
        let bytes = mem::take(&mut self.pending);
        let mut keys = Vec::new();
        let mut chunks = bytes.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            keys_of(chunk.valid(), &mut keys);
            // At the very end it may be the beginning of a character; it has 4 bytes at most.
            if chunks.peek().is_none() && chunk.invalid().len() < 4 {
                self.pending = chunk.invalid().to_owned();
            }
        }
        keys
    }
}

fn keys_of(text: &str, keys: &mut Vec<Key>) {
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let key = match c {
            '\x1b' => match chars.next() {
                None => Key::Escape,
                // A control sequence ends with a byte from @ to ~ (ECMA-48, 5.4).
                Some('[') => {
                    chars.find(|c| matches!(c, '@'..='~'));
                    continue;
                }
                // A function key.
                Some('O') => {
                    chars.next();
                    continue;
                }
                // A key with Alt.
                Some(_) => continue,
            },
            '\r' | '\n' => Key::Enter,
            '\t' => Key::Tab,
            '\x7f' | '\x08' => Key::Backspace,
            '\x15' => Key::EraseAll,
            '\x04' => Key::End,
            '\x0c' => Key::Redraw,
            '\x1a' => Key::Suspend,
            c if c.is_control() => continue,
            c => Key::Char(c),
        };
        keys.push(key);
    }
}

/// Makes lines of bytes, where lines are typed.
#[derive(Debug, Default)]
pub struct Lines {
    line: Vec<u8>,
}

impl Lines {
    /// The lines that end in the next bytes, without their ends.
    pub fn split(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for &byte in bytes {
            if byte == b'\n' {
                let line = mem::take(&mut self.line);
                lines.push(String::from_utf8_lossy(&line).trim().to_owned());
            } else if self.line.len() < LINE_BYTES_MAX {
                self.line.push(byte);
            }
        }
        lines
    }
}

/// What became of a text that is being typed.
#[derive(Debug, PartialEq, Eq)]
pub enum Typed {
    /// It goes on.
    On,
    /// It is complete.
    Done(String),
    /// The person thought better of it.
    Left,
}

/// Goes on typing `text`.
pub fn type_on(text: &mut String, key: Key) -> Typed {
    match key {
        Key::Enter if text.trim().is_empty() => return Typed::Left,
        Key::Enter => return Typed::Done(text.trim().to_owned()),
        Key::Escape | Key::End => return Typed::Left,
        Key::Backspace if text.is_empty() => return Typed::Left,
        Key::Backspace => {
            text.pop();
        }
        Key::EraseAll => text.clear(),
        Key::Char(c) if text.len() + c.len_utf8() <= TYPED_BYTES_MAX => text.push(c),
        Key::Char(_) | Key::Tab | Key::Redraw | Key::Suspend => {}
    }
    Typed::On
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_from_bytes_in_whatever_pieces() {
        let bytes = "a山\n\x7f\t\x15".as_bytes();
        let keys = [
            Key::Char('a'),
            Key::Char('山'),
            Key::Enter,
            Key::Backspace,
            Key::Tab,
            Key::EraseAll,
        ];
        for piece in 1..=bytes.len() {
            let mut decoder = Decoder::default();
            let pieces = bytes.chunks(piece);
            let decoded: Vec<Key> = pieces.flat_map(|piece| decoder.decode(piece)).collect();
            assert_eq!(decoded, keys, "in pieces of {piece}");
        }
    }

    #[test]
    fn keys_that_nobody_knows_and_bytes_that_are_no_text_do_nothing() {
        let mut decoder = Decoder::default();
        let known = decoder.decode(b"\x1b[A\x1b[1;5Cq\x1bOPd\x1bx\xff\xfe\x00m");
        assert_eq!(known, ['q', 'd', 'm'].map(Key::Char));
        assert_eq!(decoder.decode(b"\x1b"), [Key::Escape]);
        assert_eq!(decoder.decode(b"\xff\xff\xff\xffa"), [Key::Char('a')]);
    }

    #[test]
    fn lines_are_cut_where_they_are_too_long() {
        let mut lines = Lines::default();
        assert_eq!(lines.split(b" a \nd"), ["a"]);
        let mut long = vec![b'x'; 5000];
        long.push(b'\n');
        assert_eq!(lines.split(&long)[0].len(), LINE_BYTES_MAX);
    }

    #[test]
    fn a_name_is_typed_corrected_and_left() {
        let mut text = String::new();
        for c in "boc".chars() {
            assert_eq!(type_on(&mut text, Key::Char(c)), Typed::On);
        }
        type_on(&mut text, Key::Backspace);
        type_on(&mut text, Key::Char('b'));
        assert_eq!(
            type_on(&mut text, Key::Enter),
            Typed::Done("bob".to_owned())
        );
        assert_eq!(type_on(&mut text, Key::Escape), Typed::Left);
        type_on(&mut text, Key::EraseAll);
        assert_eq!(type_on(&mut text, Key::Enter), Typed::Left);
        for _ in 0..1000 {
            type_on(&mut text, Key::Char('山'));
        }
        assert!(text.len() <= TYPED_BYTES_MAX);
    }
}
