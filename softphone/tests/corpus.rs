//! The checks of fuzzing a phone, run on every seed: what a fuzzer looks for holds at least there.
//! The fuzz target in `codec/fuzz` runs the same file.

#![allow(clippy::unwrap_used)]

#[path = "corpus/phone.rs"]
mod phone;
#[path = "../../codec/tests/corpus/script.rs"]
mod script;
#[path = "../../codec/tests/corpus/seeds.rs"]
mod seeds;

use seeds::Seed;

// The settings are the first byte.
const OFFER_SECOND: u8 = 0;
const UP: &[u8] = &[4, 2];
const REGISTERED: &[u8] = &[5, 0, 0];
const DIAL_ALICE: &[u8] = &[0, 0];
const DIAL_AT: &[u8] = &[0, 3];
// Alice is found, with her own card, at one contact.
const FOUND: &[u8] = &[5, 0, 3, 1, 0, 7, 8, 9];
// With a fingerprint and two candidates.
const PREPARED: &[u8] = &[19, 0, 9, 1, 2];
// Her phone answers at the first connection that was opened.
const LINKED: &[u8] = &[10, 0, 1];
const STRANGER_LINKED: &[u8] = &[10, 200, 2];
const WAKE: &[u8] = &[23];
const CONNECTED: &[u8] = &[19, 3];
const HEARD: &[u8] = &[19, 5];
// Of the call that was dialled, which is the third that is known.
const OURS: u8 = 2;
fn of(news: &[u8], call: u8) -> Vec<u8> {
    [news, &[call]].concat()
}
// From alice under her own name: on the first connection, or through the registry.
fn on_link(call: u8, signal: &[u8]) -> Vec<u8> {
    [&[13, 0, 2, 1, 0, 1, 0, call], signal].concat()
}
fn forwarded(call: u8, signal: &[u8]) -> Vec<u8> {
    [&[16, 2, 1, 0, 1, 0, call], signal].concat()
}
const INVITE: &[u8] = &[0, 0, 9, 3, 4];

// How the phone is set: only contacts may call, nobody may, it is hidden.
const CONTACTS: u8 = 8;
const NOBODY: u8 = 16;
const HIDDEN: u8 = 32;
fn set(how: u8, start: &[u8]) -> Vec<u8> {
    [&[how], &start[1..]].concat()
}
// Alice is known by her name, verified, blocked; or is somebody else now.
const KNOWS_ALICE: &[u8] = &[30, 5, 5, 5, 5];
const VERIFIED: &[u8] = &[30, 21, 21, 21, 21];
const BLOCKS_ALICE: &[u8] = &[30, 37, 37, 37, 37];
const WAS_CAROL: &[u8] = &[30, 13, 13, 13, 13];

/// What happens to a phone, step by step; [`phone`] says what the bytes mean.
fn phones() -> Vec<Seed> {
    let start = [&[OFFER_SECOND], UP, REGISTERED].concat();
    let dialled = [&start[..], DIAL_ALICE, &of(PREPARED, OURS), FOUND, LINKED].concat();
    let accepted = [
        &dialled[..],
        &on_link(OURS, &[4]),
        &on_link(OURS, &[5, 7, 3, 4]),
    ]
    .concat();
    let up = [&accepted[..], &of(CONNECTED, OURS), &of(HEARD, OURS)].concat();
    let rings = [&start[..], &forwarded(0, INVITE)].concat();
    let answered = [&rings[..], &[2, 0], &of(PREPARED, 0), &of(CONNECTED, 0)].concat();
    // Alice connects to bob, and invites him on that connection.
    let visited = [&start[..], &[10, 200, 1, 13, 200, 2, 1, 0, 1, 0, 0], INVITE].concat();
    let seeds: [(&str, &[&[u8]]); 27] = [
        ("registered", &[&start]),
        ("refused", &[&[OFFER_SECOND], UP, &[5, 0, 9]]),
        ("not-found", &[&start, DIAL_ALICE, &[5, 0, 8]]),
        ("dialled", &[&dialled]),
        (
            "nobody-there",
            &[&start, DIAL_ALICE, FOUND, &[12, 0], WAKE, WAKE],
        ),
        ("accepted", &[&accepted]),
        ("established", &[&up]),
        ("hung-up", &[&up, &[3, OURS]]),
        ("hung-up-by-the-other", &[&up, &on_link(OURS, &[12])]),
        (
            "held",
            &[&up, &on_link(OURS, &[13, 0]), &on_link(OURS, &[13, 1])],
        ),
        ("declined", &[&dialled, &on_link(OURS, &[9])]),
        ("rings", &[&rings]),
        ("answered", &[&answered, &forwarded(0, &[7]), &of(HEARD, 0)]),
        ("a-wrong-nonce", &[&answered, &forwarded(0, &[8, 2])]),
        ("visited", &[&visited, FOUND]),
        ("visited-by-an-impostor", &[&visited, &[5, 0, 3, 1, 3]]),
        ("visited-by-an-unknown", &[&visited, &[5, 0, 8]]),
        ("held-here", &[&up, &[24, OURS, 25, OURS]]),
        (
            "moved",
            &[
                &up,
                &on_link(OURS, &[14, 7, 8, 3, 4]),
                &[27, 2, 5, 6, 1, 2, OURS],
            ],
        ),
        ("lost-and-found", &[&up, &[27, 0, OURS, 27, 1, OURS]]),
        ("away", &[&start, &[26, 0], &[26, 1]]),
        (
            "two-at-once",
            &[&up, &forwarded(0, INVITE), FOUND, &[2, 0], &of(PREPARED, 0)],
        ),
        ("busy", &[&[1], &up[1..], &forwarded(0, INVITE), FOUND]),
        ("cancelled", &[&rings, &forwarded(0, &[11])]),
        ("glare", &[&dialled, &on_link(0, INVITE), FOUND]),
        ("the-registry-goes", &[&up, &[4, 1], WAKE, UP, WAKE]),
        (
            "at-an-address",
            &[
                &start,
                DIAL_AT,
                STRANGER_LINKED,
                &of(PREPARED, OURS),
                &[18, 0, 0],
            ],
        ),
    ];
    let mut seeds = named(&seeds);
    seeds.extend(let_in_or_not(&start, &up));
    seeds.extend(followed(&start));
    seeds.extend(said_to(&start));
    seeds
}

/// The directory, lookups, and what a person changes. `start` is a registered phone.
fn followed(start: &[u8]) -> Vec<Seed> {
    // Asked to watch, and then for the first page; each is the newest question.
    let watches = [start, &[31, 0, 5, 0, 200]].concat();
    // One name, which is alice, and there are no more.
    let page = &[5, 0, 220, 1, 1, 0, 7, 8, 9, 1];
    let seeds: [(&str, &[&[u8]]); 8] = [
        (
            "follows-the-directory",
            &[
                &watches,
                page,
                &[35, 2, 3, 0, 7, 8, 9],
                &[35, 1, 3, 0, 7, 8, 9],
            ],
        ),
        (
            "missed-changes",
            &[&watches, page, &[35, 0], WAKE, &[5, 0, 200]],
        ),
        (
            "a-directory-without-an-end",
            &[&watches, &[5, 0, 220, 1, 1, 0, 7, 8, 9, 2], WAKE, page],
        ),
        ("a-closed-directory", &[start, &[31, 0, 5, 0, 245]]),
        ("too-many-watch", &[start, &[31, 0, 5, 0, 240], page, WAKE]),
        ("looked-up", &[start, &[32, 0], FOUND]),
        ("looked-up-at-an-address", &[start, &[32, 3, 34, 0], LINKED]),
        (
            "changed-while-it-runs",
            &[
                start,
                &[33, 1],
                KNOWS_ALICE,
                &forwarded(0, INVITE),
                &[33, 14],
            ],
        ),
    ];
    named(&seeds)
}

/// People whom the phone knows, or does not let in. `up` is a call after `start`.
fn let_in_or_not(start: &[u8], up: &[u8]) -> Vec<Seed> {
    let visited = [start, &[10, 200, 1, 13, 200, 2, 1, 0, 1, 0, 0], INVITE].concat();
    let hidden = [
        &set(HIDDEN, start)[..],
        DIAL_ALICE,
        &of(PREPARED, OURS),
        FOUND,
        WAKE,
    ];
    let hidden = hidden.concat();
    let seeds: [(&str, &[&[u8]]); 10] = [
        (
            "only-contacts",
            &[&set(CONTACTS, start), &forwarded(0, INVITE), WAKE],
        ),
        (
            "a-contact",
            &[&set(CONTACTS, start), KNOWS_ALICE, &forwarded(0, INVITE)],
        ),
        (
            "nobody-may-call",
            &[&set(NOBODY, &visited), FOUND, WAKE, WAKE],
        ),
        (
            "not-to-be-disturbed",
            &[start, &[28, 0], &forwarded(0, INVITE), WAKE, &[28, 1]],
        ),
        (
            "blocked",
            &[start, BLOCKS_ALICE, &forwarded(0, INVITE), WAKE],
        ),
        (
            "somebody-else-now",
            &[start, WAS_CAROL, &forwarded(0, INVITE), WAKE],
        ),
        (
            "dialled-and-somebody-else-now",
            &[start, WAS_CAROL, DIAL_ALICE, &of(PREPARED, OURS), FOUND],
        ),
        ("verified", &[up, &[29, OURS]]),
        (
            "verified-long-ago",
            &[start, VERIFIED, &forwarded(0, INVITE)],
        ),
        ("hidden", &[&hidden, &forwarded(OURS, &[5, 7, 3, 4])]),
    ];
    named(&seeds)
}

fn named(seeds: &[(&str, &[&[u8]])]) -> Vec<Seed> {
    let named = seeds
        .iter()
        .map(|(name, steps)| ((*name).to_owned(), steps.concat()));
    named.collect()
}

/// Every message that a registered phone may hear, as `golden.txt` has it.
fn said_to(start: &[u8]) -> Vec<Seed> {
    let mut seeds = Vec::new();
    for (name, payload) in seeds::golden() {
        let (step, after): (u8, &[u8]) = match &name {
            name if name.starts_with("FromRegistry") => (8, &[]),
            name if name.starts_with("DirectFrame") => (9, &[0]),
            _ => continue,
        };
        if let Ok(length) = u8::try_from(payload.len()) {
            seeds.push((name, [start, &[step, length][..], &payload, after].concat()));
        }
    }
    seeds
}

#[test]
fn seeds_are_as_they_are_derived() {
    seeds::are_kept("phone", &phones());
}

#[test]
fn phones_hold_on_every_seed() {
    seeds::replay("phone", phone::check);
}
