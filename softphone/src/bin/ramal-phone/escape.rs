//! Text of others, made harmless for a terminal: what would move the cursor, change colours or turn
//! the direction of reading is written as a number.

use std::{borrow::Cow, fmt::Write};

/// `text` on one line, with `\u{1b}` in place of what a terminal would obey.
pub fn printable(text: &str) -> Cow<'_, str> {
    escaped(text, |out, c| match c {
        '\n' => out.push_str("\\n"),
        '\t' => out.push(' '),
        _ => {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        }
    })
}

/// A JSON text that says the same, without what a terminal would obey. JSON's own escapes are used,
/// since such characters stand in strings only.
pub fn printable_json(json: &str) -> Cow<'_, str> {
    escaped(json, |out, c| {
        let mut units = [0; 2];
        for unit in c.encode_utf16(&mut units) {
            let _ = write!(out, "\\u{unit:04x}");
        }
    })
}

fn escaped(text: &str, escape: impl Fn(&mut String, char)) -> Cow<'_, str> {
    if !text.chars().any(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_obeyed(c) {
            escape(&mut out, c);
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Control characters of both kinds (ECMA-48, C0 and C1), line separators, the marks, embeddings,
/// overrides and isolates of Unicode's bidirectional algorithm (UAX #9), and what is not seen at
/// all: zero-width characters, interlinear annotations and tags.
fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown_as_a_number() {
        for (text, shown) in [
            ("José 山田 bob", "José 山田 bob"),
            ("\x1b[2Jgone", "\\u{1b}[2Jgone"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("a\r\nb\tc\x07", "a\\u{d}\\nb c\\u{7}"),
            (
                "user\u{202e}gnp.exe\u{2069}",
                "user\\u{202e}gnp.exe\\u{2069}",
            ),
            ("zero\u{200b}width\u{feff}", "zero\\u{200b}width\\u{feff}"),
        ] {
            assert_eq!(printable(text), shown);
        }
    }

    #[test]
    fn json_says_the_same_when_it_is_read_again() {
        let text = "\u{7f}\u{9b}2J\u{202e}\u{e0041}é山\x1b\n";
        let json = serde_json::json!({ "name": text }).to_string();
        let safe = printable_json(&json);
        assert!(!safe.chars().any(is_obeyed), "{safe}");
        let read: serde_json::Value = serde_json::from_str(&safe).unwrap();
        assert_eq!(read["name"], text);
    }
}
