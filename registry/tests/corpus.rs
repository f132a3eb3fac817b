//! The checks of fuzzing a session, run on every seed: what a fuzzer looks for holds at least
//! there. The fuzz target in `codec/fuzz` runs the same file.

#![allow(clippy::unwrap_used)]

#[path = "../../codec/tests/corpus/script.rs"]
mod script;
#[path = "../../codec/tests/corpus/seeds.rs"]
mod seeds;
#[path = "corpus/session.rs"]
mod session;
#[path = "../../codec/tests/corpus/text.rs"]
mod text;

use seeds::Seed;

/// What happens to a session, step by step; [`session`] says what the bytes mean.
fn sessions() -> Vec<Seed> {
    const HELLO_CLIENT: &[u8] = &[1, 0, 0, 0];
    const HELLO: &[u8] = &[1, 1, 0, 0];
    const ANSWER: &[u8] = &[9, 0];
    // What is asked by whom, with which name, device, lease, id and number; undamaged.
    fn ask(what: u8, id: u8, rest: &[u8]) -> Vec<u8> {
        [&[1, what, 0, 0, 1, 0, id, id][..], rest, &[0]].concat()
    }
    let register = |id| ask(3, id, &[2, 3, 1]);
    let seeds: [(&str, &[&[u8]]); 18] = [
        (
            "a-client-looks-up",
            &[HELLO_CLIENT, &ask(10, 1, &[]), ANSWER],
        ),
        (
            "a-client-lists",
            &[HELLO_CLIENT, &ask(12, 2, b"ali\x09"), ANSWER],
        ),
        ("a-client-may-not-register", &[HELLO_CLIENT, &register(1)]),
        ("one-registers", &[HELLO, &register(1), ANSWER]),
        (
            "one-refreshes",
            &[HELLO, &register(1), ANSWER, &ask(7, 2, &[]), ANSWER],
        ),
        (
            "one-unregisters",
            &[HELLO, &register(1), ANSWER, &ask(9, 2, &[]), ANSWER],
        ),
        (
            "one-sends",
            &[HELLO, &register(1), ANSWER, &ask(13, 2, &[]), ANSWER],
        ),
        ("one-gets", &[HELLO, &register(1), ANSWER, &[14]]),
        (
            "an-answer-that-comes-late",
            &[HELLO, &register(1), &ask(10, 2, &[]), &[9, 1], ANSWER],
        ),
        (
            "the-same-id-twice",
            &[HELLO, &ask(10, 2, &[]), &ask(10, 2, &[]), ANSWER],
        ),
        (
            "a-lease-ends",
            &[
                HELLO,
                &register(1),
                ANSWER,
                &[12, 13],
                &ask(10, 2, &[]),
                ANSWER,
            ],
        ),
        (
            "one-is-away",
            &[HELLO, &register(1), ANSWER, &ask(14, 2, &[1]), ANSWER],
        ),
        (
            "one-watches",
            &[
                HELLO,
                &ask(15, 2, &[1]),
                ANSWER,
                &[15, 4],
                &register(3),
                ANSWER,
                &[15, 4, 15, 6],
            ],
        ),
        ("a-frame-is-not-finished", &[HELLO, &register(1), &[15, 2]]),
        (
            "the-peer-does-not-read",
            &[HELLO, &register(1), ANSWER, &[15, 3]],
        ),
        ("replaced", &[HELLO, &register(1), ANSWER, &[15, 1]]),
        (
            "stopped-while-asking",
            &[HELLO, &register(1), &[15, 0], ANSWER],
        ),
        (
            "rubbish",
            &[&[13], HELLO, &[0, 3, 1, 2, 3], &[13], &[12, 255], &[15, 9]],
        ),
    ];
    let mut seeds: Vec<Seed> = seeds
        .into_iter()
        .map(|(name, steps)| (name.to_owned(), [&[1], &steps.concat()[..]].concat()))
        .collect();
    let golden = seeds::golden().into_iter();
    let messages = golden.filter(|(name, _)| !name.starts_with("CallSignal"));
    seeds.extend(messages.step_by(2));
    seeds
}

#[test]
fn seeds_are_as_they_are_derived() {
    seeds::are_kept("session", &sessions());
}

#[test]
fn sessions_hold_on_every_seed() {
    seeds::replay("session", session::check);
}
