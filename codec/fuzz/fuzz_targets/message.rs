//! Any bytes as every message of the wire.

#![no_main]

#[path = "../../tests/corpus/message.rs"]
mod message;
#[path = "../../tests/corpus/text.rs"]
mod text;

libfuzzer_sys::fuzz_target!(|input: &[u8]| message::check(input));
