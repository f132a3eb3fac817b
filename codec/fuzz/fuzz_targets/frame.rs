//! Streams of bytes, cut anywhere.

#![no_main]

#[path = "../../tests/corpus/frame.rs"]
mod frame;
#[path = "../../tests/corpus/script.rs"]
mod script;

libfuzzer_sys::fuzz_target!(|input: &[u8]| frame::check(input));
