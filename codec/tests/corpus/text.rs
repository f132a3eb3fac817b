//! What a text for people, or for a log, must not have in it.

/// Whether a character moves, hides or reorders what stands around it.
pub fn deceives(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{AD}' | '\u{61C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{E0000}'..='\u{E0FFF}')
}

/// Asserts that `line` may be written on a terminal as it is.
pub fn is_harmless(line: &str) {
    assert!(!line.chars().any(deceives), "{line:?}");
}
