//! `docs/protocol-examples.md`: every message byte by byte, and known answers to every computation.
//!
//! `RAMAL_EXAMPLES=write cargo test -p codec --test golden examples` writes it.

use std::{env, fmt::Write, fs};

use bip39::{Language, Mnemonic};
use codec::{
    AgreementChain, CallId, FourWords, Identity, IdentityKey, Name, RecoveryCode, Transcript,
    greeting::{Exporter, Nonce},
    identity::AgreementSecret,
    signal::{CallNonce, Fingerprint},
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use serde::Serialize;

use crate::{
    hex,
    samples::{about_a_call, alice, ascending, binding, card, envelope, link, party, samples},
};

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/protocol-examples.md");

const BEGINNING: &str = "\
# The protocol by example

Every message of [`protocol.md`](protocol.md), byte by byte, and known answers to everything that is
computed. A test writes this page from the code and compares it. The same bytes, one message a line,
are in [`codec/tests/golden.txt`](../codec/tests/golden.txt).

Digits are hexadecimal. A label is the field, and its value where it is no array of bytes. What is
shown is the payload; a frame is `00`, the stuffed payload, `00`.

## Known answers

All of Ed25519 and X25519 is determined by the secrets given here, so a client in another language
can be compared with these one by one.

";

#[test]
fn examples_in_the_documents_are_what_the_code_writes() {
    let written = document();
    if env::var("RAMAL_EXAMPLES").is_ok_and(|wish| wish == "write") {
        fs::write(DOCUMENT, &written).unwrap();
    }
    let kept = fs::read_to_string(DOCUMENT).unwrap();
    let lines = kept.lines().zip(written.lines()).enumerate();
    for (number, (kept, written)) in lines {
        assert_eq!(kept, written, "protocol-examples.md, line {}", number + 1);
    }
    assert_eq!(kept.len(), written.len(), "protocol-examples.md");
}

fn document() -> String {
    let mut text = BEGINNING.to_owned();
    known_answers(&mut text);
    let mut group = "";
    for sample in samples() {
        let (kind, _) = sample
            .name
            .split_once(['/', ':'])
            .unwrap_or((sample.name, ""));
        if kind != group {
            if !group.is_empty() {
                text.push_str("```\n\n");
            }
            write!(text, "## {kind}\n\n```text\n").unwrap();
            group = kind;
        } else {
            text.push('\n');
        }
        write!(text, "{}\n{}", sample.name, sample.annotated).unwrap();
    }
    text.push_str("```\n");
    text
}

/// One block of values with names.
fn block(text: &mut String, title: &str, values: &[(&str, String)]) {
    write!(text, "### {title}\n\n```text\n").unwrap();
    for (name, value) in values {
        let mut name = *name;
        let characters: Vec<char> = value.chars().collect();
        for line in characters.chunks(64) {
            let line: String = line.iter().collect();
            writeln!(text, "{name:<26}{line}").unwrap();
            name = "";
        }
    }
    text.push_str("```\n\n");
}

/// What a signature is over.
fn signed<T: Serialize>(context: &str, content: T) -> String {
    hex(&postcard::to_allocvec(&(context, content)).unwrap())
}

fn known_answers(text: &mut String) {
    keys(text);
    signatures(text);
    an_envelope(text);
    a_call(text);
    a_name(text);
}

fn keys(text: &mut String) {
    let mut values = Vec::new();
    for (who, secret) in [
        ("Alice's identity", 1),
        ("Bob's identity", 2),
        ("Alice's next identity", 3),
        ("the registry's key", 9),
    ] {
        let key = Identity::from_secret(&[secret; 32]).key();
        values.push((who, format!("secret 32 x {secret:02x}, public")));
        values.push(("", hex(&key.0)));
    }
    for (who, secret) in [("Alice's agreement key", 11), ("Bob's agreement key", 22)] {
        let key = AgreementSecret::from_secret(&[secret; 32]).key();
        values.push((who, format!("secret 32 x {secret:02x}, public")));
        values.push(("", hex(&key.0)));
    }
    block(text, "Keys", &values);
    let chain = AgreementChain::from_secret(2_900, &[5; 32]);
    let next = chain.from(2_901);
    block(
        text,
        "Agreement keys from week to week",
        &[
            ("epoch", chain.epoch().to_string()),
            ("link", hex(&**chain.secret())),
            ("agreement key, public", hex(&chain.agreement().key().0)),
            ("next epoch", next.epoch().to_string()),
            ("its link", hex(&**next.secret())),
            ("its key, public", hex(&next.agreement().key().0)),
        ],
    );
}

fn signatures(text: &mut String) {
    let card = card();
    let content = (card.identity, card.agreement, card.serial, card.not_after);
    let exporter = Exporter(ascending(0x90));
    let nonce = Nonce(ascending(0x20));
    let proof = (exporter, nonce, 1_800_000_000_000_u64);
    let name: Name = "Alice".parse().unwrap();
    let release = (binding(), &name, 1_u64);
    block(
        text,
        "What signatures are over",
        &[
            ("KeyCard", signed("ramal key card v1", content)),
            (
                "proof of Answer/Registry",
                signed("ramal welcome v1", proof),
            ),
            ("Method::Release", signed("ramal release v1", release)),
        ],
    );
    let ours = link();
    block(
        text,
        "A link nonce, bound to its TLS connection",
        &[
            ("nonce", hex(&ours.0)),
            ("exporter", hex(&exporter.0)),
            ("bound", hex(&ours.bound_to(&exporter).0)),
        ],
    );
}

fn an_envelope(text: &mut String) {
    let envelope = envelope(link());
    let bob = party("Bob", &Identity::from_secret(&[2; 32]));
    let agreement = AgreementSecret::from_secret(&[22; 32]);
    let opened = envelope
        .open::<codec::CallSignal>(&bob, &agreement, link())
        .unwrap();
    assert_eq!(opened.body, about_a_call(codec::Signal::Ringing));
    let outside = (
        envelope.version,
        &envelope.from,
        &envelope.to,
        envelope.id,
        envelope.kind,
    );
    let associated = postcard::to_allocvec(&(outside, link())).unwrap();
    let over = (outside, link(), opened.sent_at, &opened.body);
    let signature = alice().sign("ramal envelope v1", &over);
    let inside = postcard::to_allocvec(&(opened.sent_at, &opened.body, signature)).unwrap();
    block(
        text,
        "Inside Envelope/Kind::Signal/link, opened with Bob's agreement key",
        &[
            ("info", hex(b"ramal envelope v1")),
            ("link nonce", hex(&link().0)),
            ("associated data", hex(&associated)),
            ("plaintext", hex(&inside)),
            ("signed", signed("ramal envelope v1", over)),
        ],
    );
}

fn a_call(text: &mut String) {
    let nonce = CallNonce(ascending(0x60));
    let transcript = Transcript {
        caller: IdentityKey([1; 32]),
        callee: IdentityKey([2; 32]),
        caller_fingerprint: Fingerprint([3; 32]),
        callee_fingerprint: Fingerprint([4; 32]),
        call: CallId([5; 16]),
        caller_nonce: CallNonce([6; 32]),
        callee_nonce: CallNonce([7; 32]),
    };
    let transcribed = postcard::to_allocvec(&transcript).unwrap();
    block(
        text,
        "Commitment and four words",
        &[
            ("caller's nonce", hex(&nonce.0)),
            ("commitment", hex(&nonce.commitment().0)),
            ("transcript", hex(&transcribed)),
            ("words", FourWords::of(&transcript).to_string()),
        ],
    );
}

fn a_name(text: &mut String) {
    let code = RecoveryCode::generate(&mut ChaCha20Rng::seed_from_u64(5));
    let words = code.words();
    let mut words: Vec<&str> = words.split(' ').collect();
    let rest = words.split_off(6);
    let entropy = Mnemonic::parse_in_normalized(Language::English, &code.words()).unwrap();
    let (entropy, length) = entropy.to_entropy_array();
    let looks = |name: &str| {
        let [folded, shown] = name.parse::<Name>().unwrap().looks();
        format!("{folded} {shown}")
    };
    block(
        text,
        "Recovery codes, and what names look like",
        &[
            ("recovery code", hex(&entropy[..length])),
            ("its words", words.join(" ")),
            ("", rest.join(" ")),
            ("its lock", hex(&code.lock().0)),
            ("looks of alice", looks("alice")),
            ("looks of aIice", looks("aIice")),
            ("looks of modern", looks("modern")),
            ("looks of modem", looks("modem")),
        ],
    );
}
