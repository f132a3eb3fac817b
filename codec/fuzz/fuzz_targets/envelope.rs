//! Envelopes: any bytes, damaged ones, and any bytes inside of one.

#![no_main]

#[path = "../../tests/corpus/envelope.rs"]
mod envelope;
#[path = "../../tests/corpus/frame.rs"]
#[allow(dead_code, reason = "only its way to write bytes is used")]
mod frame;
#[path = "../../tests/corpus/script.rs"]
mod script;

libfuzzer_sys::fuzz_target!(|input: &[u8]| envelope::check(input));
