//! Texts as names.

#![no_main]

#[path = "../../tests/corpus/name.rs"]
mod name;
#[path = "../../tests/corpus/text.rs"]
mod text;

libfuzzer_sys::fuzz_target!(|input: &[u8]| name::check(input));
