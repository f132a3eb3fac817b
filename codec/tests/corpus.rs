//! The checks of fuzzing, run on every seed: what a fuzzer looks for holds at least there.
//!
//! The same files are the bodies of the fuzz targets in `codec/fuzz`.

#![allow(clippy::unwrap_used)]

#[path = "corpus/envelope.rs"]
mod envelope;
#[path = "corpus/frame.rs"]
mod frame;
#[path = "corpus/message.rs"]
mod message;
#[path = "corpus/name.rs"]
mod name;
#[path = "corpus/script.rs"]
mod script;
#[path = "corpus/seeds.rs"]
mod seeds;
#[path = "corpus/text.rs"]
mod text;

use seeds::Seed;

fn seed(name: &str, input: impl Into<Vec<u8>>) -> Seed {
    (name.to_owned(), input.into())
}

/// Scripts of [`frame`]: sizes of pieces, then parts of a stream.
fn frames() -> Vec<Seed> {
    // One piece of 3 bytes over and over.
    const IN_THREES: [u8; 3] = [0, 0, 3];
    let golden = seeds::golden().into_iter().step_by(4);
    let framed = golden.map(|(name, payload)| {
        let payload = &payload[..payload.len().min(255)];
        let length = u8::try_from(payload.len()).unwrap();
        (name, [&IN_THREES, &[1, length][..], payload].concat())
    });
    let mut seeds: Vec<Seed> = framed.collect();
    for (name, script) in [
        ("noise", &[0, 5, 1, 2, 0, 9, 9][..]),
        ("two-empty-frames", &[1, 0, 1, 0]),
        ("a-frame-after-noise", &[0, 2, 7, 7, 1, 3, 1, 0, 1]),
        ("the-longest-frame", &[0xB7, 0, 4, 1]),
        ("the-longest-frame-of-zeros", &[0xB7, 0, 4, 0]),
        ("a-frame-too-long", &[0xB7, 0, 5, 1]),
        ("a-frame-too-long-of-zeros", &[0xB7, 0, 5, 0]),
        ("never-ending", &[0xB6, 1, 5, 1]),
        ("too-long-then-a-frame", &[0xB6, 1, 5, 1, 1, 1, 5]),
        ("a-block-of-254", &[3, 7, 0, 254]),
        ("a-block-of-255", &[3, 7, 0, 255]),
        ("two-blocks", &[3, 7, 1, 252]),
    ] {
        seeds.push(seed(name, [&IN_THREES, script].concat()));
    }
    seeds
}

/// Scripts of [`envelope`]: how to read what follows, and that.
fn envelopes() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for (number, genuine) in (0u8..).zip(envelope::genuine()) {
        let whole = [&[0][..], &genuine.payload].concat();
        seeds.push(seed(&format!("whole-{number}"), whole));
        // How: one byte replaced; where: near the end; with what.
        let damaged = [1 + 4 * number, 1, 3, 0, 200 - number, 0x55];
        seeds.push(seed(&format!("damaged-{number}"), damaged));
    }
    let signals = seeds::golden().into_iter();
    for (name, payload) in signals.filter(|(name, _)| name.starts_with("CallSignal")) {
        seeds.push((format!("inside-{name}"), [&[3], &payload[..]].concat()));
    }
    seeds
}

/// Texts as people type them, and as nobody should.
fn names() -> Vec<Seed> {
    let texts = [
        "bob",
        " Ana-Luísa ",
        "joão.silva",
        "7up",
        "a_b",
        "STRASSE",
        "Straße",
        "ΌΣΟΣ",
        "İI",
        "Ольга",
        "李明",
        "さくら",
        "मीरा",
        "ကျော်",
        "กขนำ้",
        "가나다",
        "ﷲ",
        "e\u{301}\u{316}\u{327}\u{345}",
        "p\u{430}l",
        "--help",
        "b@home",
        "a\u{1b}[2J",
        "a\u{202e}b\u{200d}c",
        "\u{fdfa}\u{fdfa}",
        "a\u{34f}\u{ad}",
        "0123456789.0123456789-0123456789_",
    ];
    (0..)
        .zip(texts)
        .map(|(number, text)| seed(&format!("text-{number:02}"), text))
        .collect()
}

#[test]
fn seeds_are_as_they_are_derived() {
    seeds::are_kept("frame", &frames());
    seeds::are_kept("message", &seeds::golden());
    seeds::are_kept("envelope", &envelopes());
    seeds::are_kept("name", &names());
}

#[test]
fn frames_hold_on_every_seed() {
    seeds::replay("frame", frame::check);
}

#[test]
fn messages_hold_on_every_seed() {
    seeds::replay("message", message::check);
}

#[test]
fn envelopes_hold_on_every_seed() {
    seeds::replay("envelope", envelope::check);
}

#[test]
fn names_hold_on_every_seed() {
    seeds::replay("name", name::check);
}
