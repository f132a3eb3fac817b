//! A registry's side of one connection, told anything in any order.

#![no_main]

#[path = "../../tests/corpus/script.rs"]
mod script;
#[path = "../../../registry/tests/corpus/session.rs"]
mod session;
#[path = "../../tests/corpus/text.rs"]
mod text;

libfuzzer_sys::fuzz_target!(|input: &[u8]| session::check(input));
