//! Any text makes a name that is sound in every way, or a refusal that can be shown.

use codec::{NAME_BYTES_MAX, NAME_CHARS_MAX, Name, fold, frame, registry::Prefix};

use super::text::is_harmless;

/// Reads `input` as a name that was typed, and as one from the wire.
pub fn check(input: &[u8]) {
    let on_wire = frame::from_payload::<Name>(input);
    if let Ok(name) = &on_wire {
        is_sound(name);
    }
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let typed = text.parse::<Name>();
    match &typed {
        Ok(name) => is_sound(name),
        Err(error) => is_harmless(&error.to_string()),
    }
    // On the wire a name has one form only.
    let exact = typed.is_ok_and(|name| name.as_str() == text);
    let payload = postcard::to_allocvec(text).expect("a text can be written");
    assert_eq!(frame::from_payload::<Name>(&payload).is_ok(), exact);
    let prefix = Prefix::new(text);
    assert!(prefix.as_str().len() <= NAME_BYTES_MAX && text.starts_with(prefix.as_str()));
}

fn is_sound(name: &Name) {
    let text = name.as_str();
    let again: Name = text.parse().expect("a name's own text is a name");
    assert_eq!(again.as_str(), text);
    assert_eq!(&again, name);
    assert!((1..=NAME_CHARS_MAX).contains(&text.chars().count()));
    assert!(text.len() <= NAME_BYTES_MAX, "{text:?}");
    is_harmless(text);
    is_harmless(name.folded());
    assert!(
        !text
            .chars()
            .chain(name.folded().chars())
            .any(char::is_whitespace)
    );
    assert_eq!(fold(text), name.folded());
    assert_eq!(fold(name.folded()), name.folded(), "{text:?}");
    let payload = postcard::to_allocvec(name).expect("a name can be written");
    let read: Name = frame::from_payload(&payload).expect("what was written can be read");
    assert_eq!(read.as_str(), text);
    assert_eq!(&read, name);
}
