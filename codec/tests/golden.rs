//! The frozen bytes of every message: what `golden.txt` holds is what other versions speak.
//!
//! A line is `name hex`: the payload of one message, named by the enum variants that it shows.
//! The first [`FROZEN`] lines never change; a new variant gets a new line at the end of the file. A
//! failure prints the line that belongs in the file, and
//! `RAMAL_GOLDEN=print cargo test -p codec --test golden -- --nocapture` prints them all.
//!
//! Most enums are `#[non_exhaustive]`, so no `match` here could force a new variant to get a
//! sample. Instead serde is asked for the variants of each enum, and one without a line fails.
//! A new enum has to be added to [`enums`]; it comes in by a new variant, which needs a line.
//! The envelopes depend on how `hpke` draws from its generator: if only their bytes change with a
//! new version of it, and the old ones still open, the wire has not changed.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::BTreeMap;

use codec::{
    CallSignal, Envelope, Identity, KeyCard, Signal,
    direct::{DirectFrame, DirectRefusal},
    envelope::Kind,
    frame,
    greeting::{Answer, Exporter, Nonce, Role, Unwelcome, Welcome},
    identity::AgreementSecret,
    registry::{
        ClosingReason, FromRegistry, Method, Notice, Presence, Refusal, Request, RequestId,
        Success, Watch,
    },
    signal::{ByeReason, CancelReason, CandidateKind, DeclineReason},
};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use self::{
    samples::{WasRead, about_a_call, alice, ascending, binding, link, name, party, samples},
    variants::enum_of,
};

#[path = "golden/variants.rs"]
mod variants;

#[path = "golden/samples.rs"]
mod samples;

#[path = "golden/annotate.rs"]
mod annotate;

#[path = "golden/examples.rs"]
mod examples;

const GOLDEN: &str = include_str!("golden.txt");

/// So many lines are frozen since 2026-11-21: what was written then is read for ever.
const FROZEN: usize = 102;

/// SHA-256 over these lines, each with its line feed.
const FROZEN_HASH: &str = "c3f57b32fde836e9e8f1fff4d0c2d1fbf8c9404a94222b43c117c331140dd3d4";

/// Every enum that can be on the wire, with the names of its variants.
fn enums() -> Vec<(&'static str, &'static [&'static str])> {
    vec![
        enum_of::<Role>(),
        enum_of::<Welcome>(),
        enum_of::<Unwelcome>(),
        enum_of::<Method>(),
        enum_of::<Watch>(),
        enum_of::<FromRegistry>(),
        enum_of::<Success>(),
        enum_of::<Presence>(),
        enum_of::<Refusal>(),
        enum_of::<Notice>(),
        enum_of::<ClosingReason>(),
        enum_of::<Signal>(),
        enum_of::<CandidateKind>(),
        enum_of::<DeclineReason>(),
        enum_of::<CancelReason>(),
        enum_of::<ByeReason>(),
        enum_of::<Kind>(),
        enum_of::<DirectFrame>(),
        enum_of::<DirectRefusal>(),
    ]
}

#[test]
fn every_message_has_its_frozen_bytes() {
    let frozen = frozen();
    let samples = samples();
    if std::env::var("RAMAL_GOLDEN").is_ok_and(|wish| wish == "print") {
        for sample in &samples {
            println!("{}", sample.line());
        }
    }
    let mut wrong = Vec::new();
    for sample in &samples {
        match frozen.get(sample.name) {
            Some(bytes) if *bytes == sample.payload => {}
            Some(_) => wrong.push(format!("other bytes than: {}", sample.line())),
            None => wrong.push(format!("line missing: {}", sample.line())),
        }
    }
    for name in frozen.keys() {
        if !samples.iter().any(|sample| sample.name == *name) {
            wrong.push(format!("line without a message: {name}"));
        }
    }
    assert!(wrong.is_empty(), "golden.txt\n{}", wrong.join("\n"));
}

#[test]
fn lines_that_are_frozen_have_not_changed() {
    let lines: String = GOLDEN.split_inclusive('\n').take(FROZEN).collect();
    assert_eq!(hex(&Sha256::digest(lines)), FROZEN_HASH);
}

#[test]
fn frozen_bytes_read_back_as_the_message_they_were_written_from() {
    let frozen = frozen();
    for sample in samples() {
        let bytes = &frozen[sample.name];
        let expected = WasRead {
            as_the_sample: true,
            writes: bytes.clone(),
        };
        assert_eq!((sample.read)(bytes), Some(expected), "{}", sample.name);
        let shorter = &bytes[..bytes.len() - 1];
        assert_eq!((sample.read)(shorter), None, "{}", sample.name);
        let longer = [bytes.as_slice(), &[0]].concat();
        assert_eq!((sample.read)(&longer), None, "{}", sample.name);
    }
}

#[test]
fn every_variant_of_every_enum_has_a_line() {
    let frozen = frozen();
    let shown: Vec<&str> = frozen.keys().flat_map(|name| name.split('/')).collect();
    let known = enums();
    for (name, variants) in &known {
        for variant in *variants {
            let wanted = format!("{name}::{variant}");
            assert!(shown.contains(&wanted.as_str()), "no line for {wanted}");
        }
    }
    for (name, _) in shown.iter().filter_map(|part| part.split_once("::")) {
        let listed = known.iter().any(|(listed, _)| *listed == name);
        assert!(listed, "{name} is not in enums()");
    }
}

#[test]
fn every_line_is_named_after_what_it_shows() {
    for sample in samples() {
        let words: Vec<&str> = sample.shown.split(|c: char| !c.is_alphanumeric()).collect();
        for (_, variant) in sample
            .name
            .split('/')
            .filter_map(|part| part.split_once("::"))
        {
            assert!(
                words.contains(&variant),
                "{}: {}",
                sample.name,
                sample.shown
            );
        }
    }
}

#[test]
fn frozen_signatures_and_proofs_are_still_accepted() {
    let frozen = frozen();
    let card: KeyCard = read(&frozen["KeyCard"]);
    assert!(card.is_valid(0));
    let answer: Answer = read(&frozen["Answer/Welcome::Registry"]);
    let Ok(Welcome::Registry(welcome)) = answer.welcome else {
        panic!("not a registry: {answer:?}");
    };
    assert!(welcome.is_proven(&Exporter(ascending(0x90))));
    let accepted = |line: &str| match read::<Request>(&frozen[line]).method {
        Method::Register(register) => register.is_signed(&binding()),
        Method::Refresh(refresh) => refresh.is_signed(&alice().key(), &binding()),
        Method::Unregister(unregister) => unregister.is_signed(&alice().key(), &binding()),
        other => panic!("not signed: {other:?}"),
    };
    assert!(accepted("Request/Method::Register"));
    assert!(accepted("Request/Method::Refresh"));
    assert!(accepted("Request/Method::Unregister"));
}

#[test]
fn frozen_envelopes_still_open() {
    let frozen = frozen();
    let bob = party("Bob", &Identity::from_secret(&[2; 32]));
    let agreement = AgreementSecret::from_secret(&[22; 32]);
    for (line, link) in [
        ("Envelope/Kind::Signal", Nonce::NONE),
        ("Envelope/Kind::Signal/link", link()),
    ] {
        let envelope: Envelope = read(&frozen[line]);
        let opened = envelope.open::<CallSignal>(&bob, &agreement, link).unwrap();
        assert_eq!(opened.body, about_a_call(Signal::Ringing));
        assert_eq!(opened.sent_at, 1_800_000_000_123);
    }
}

#[test]
fn a_whole_frame_is_its_payload_stuffed_between_two_zeros() {
    let request = Request {
        id: RequestId(0),
        method: Method::Lookup { name: name("bob") },
    };
    assert_eq!(
        frame::to_frame(&request).unwrap(),
        *b"\x00\x01\x06\x03\x03bob\x00"
    );
}

fn frozen() -> BTreeMap<&'static str, Vec<u8>> {
    let mut lines = BTreeMap::new();
    for line in GOLDEN.lines() {
        let (name, digits) = line.split_once(' ').expect("a line is `name hex`");
        let twice = lines.insert(name, unhex(digits)).is_some();
        assert!(!twice, "two lines for {name}");
    }
    lines
}

fn read<T: DeserializeOwned>(payload: &[u8]) -> T {
    frame::from_payload(payload).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(digits: &str) -> Vec<u8> {
    assert!(digits.len().is_multiple_of(2), "half a byte: {digits}");
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hex digits"))
        .collect()
}
