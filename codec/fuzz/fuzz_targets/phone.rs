//! A whole phone without its sockets and sound, told anything by anybody.

#![no_main]

#[path = "../../../softphone/tests/corpus/phone.rs"]
mod phone;
#[path = "../../tests/corpus/script.rs"]
mod script;

libfuzzer_sys::fuzz_target!(|input: &[u8]| phone::check(input));
