//! What holds for every message and for any bytes: round trips, refusals, limits, no panic.
//!
//! A failure prints the smallest input that shows it; write that down as a unit test.
//! `PROPTEST_CASES` sets how many inputs are tried.

#![allow(clippy::unwrap_used)]

use std::{
    collections::hash_map::DefaultHasher,
    fmt::Debug,
    hash::{Hash as _, Hasher as _},
    net::SocketAddr,
};

use codec::{
    Bytes, CallId, CallSignal, DeviceId, Envelope, EnvelopeError, Identity, IdentityKey, KeyCard,
    List, NAME_BYTES_MAX, NAME_CHARS_MAX, Name, PROTOCOL_VERSION, Party, Signal, Text, cobs,
    direct::DirectFrame,
    envelope::{EnvelopeId, SEALED_MAX},
    fold,
    frame::{self, FrameDecoder, FrameError, MAX_FRAME},
    greeting::{self, AGENT_BYTES_MAX, Agent, Answer, Hello, Nonce},
    identity::{AgreementKey, Signature},
    registry::{
        CONTACTS_MAX, Contact, DEVICES_MAX, Device, Entry, FromRegistry, Method, PAGE_MAX, Page,
        Prefix, Presence, Request, RequestId, Response, Success, WATCHED_MAX, Watch,
    },
    signal::{
        CANDIDATES_MAX, Candidate, CandidateKind, Commitment, Fingerprint, IceCredentials,
        MediaOffer,
    },
};
use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
};
use serde::{Serialize, de::DeserializeOwned};

use self::messages::{
    answers, bob, cards, direct_frames, envelopes, from_registry, hellos, names, nonces, payloads,
    requests, seal, signals,
};

#[path = "properties/messages.rs"]
mod messages;
#[path = "corpus/reader.rs"]
mod reader;

use reader::{Raw, expected, held, unstuffed};

/// As many cases as usual, and no files of regressions beside the tests.
fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

// Frames.

/// Feeds `stream` in pieces of the sizes of `pieces`, over and over, and returns what came out.
fn decode(stream: &[u8], pieces: &[usize]) -> Vec<Result<Vec<u8>, FrameError>> {
    let mut decoder = FrameDecoder::default();
    let mut found = Vec::new();
    let (mut rest, mut sizes, mut seen) = (stream, pieces.iter().cycle(), 0);
    while !rest.is_empty() {
        let size = (*sizes.next().unwrap()).clamp(1, rest.len());
        let (mut piece, later) = rest.split_at(size);
        while let Some(frame) = decoder.next(&mut piece) {
            found.push(frame);
        }
        assert!(piece.is_empty(), "the decoder left bytes behind");
        rest = later;
        // Looking inside takes long, so it is done only every so often.
        seen += size;
        if seen > 16 * 1024 || rest.is_empty() {
            seen = 0;
            assert!(held(&decoder) <= cobs::stuffed_len_max(MAX_FRAME));
        }
    }
    found
}

fn round_trip<T>(message: &T, pieces: &[usize]) -> Result<(), TestCaseError>
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let found = decode(&frame::to_frame(message).unwrap(), pieces);
    prop_assert_eq!(found.len(), 1);
    let payload = found[0].as_ref().unwrap();
    let read: T = frame::from_payload(payload).unwrap();
    prop_assert_eq!(&read, message);
    // Names are equal in any case; their bytes are not.
    prop_assert_eq!(&postcard::to_allocvec(&read).unwrap(), payload);
    let shorter = &payload[..payload.len() - 1];
    prop_assert!(frame::from_payload::<T>(shorter).is_err());
    let longer = [payload.as_slice(), &[0]].concat();
    prop_assert!(frame::from_payload::<T>(&longer).is_err());
    Ok(())
}

/// Streams of bytes with frames, noise and runs about as long as the cap.
fn streams() -> impl Strategy<Value = Vec<u8>> {
    let longest = cobs::stuffed_len_max(MAX_FRAME);
    // Zeros take no room for stuffing, so a payload over the cap fits when it is stuffed.
    let capped =
        (MAX_FRAME - 2..=MAX_FRAME + 2, 0..3u8).prop_map(|(length, byte)| vec![byte; length]);
    let frames = prop_oneof![4 => vec(any::<u8>(), 0..600), 1 => capped].prop_map(|payload| {
        let mut frame = vec![0];
        cobs::encode(&payload, &mut frame);
        frame.push(0);
        frame
    });
    let runs =
        (longest - 2..=longest + 2, 1..=0xFFu8).prop_map(|(length, byte)| vec![byte; length]);
    let parts = prop_oneof![
        4 => vec(any::<u8>(), 0..300),
        4 => vec(0..4u8, 0..40),
        4 => frames,
        1 => runs,
        1 => Just(vec![0]),
    ];
    vec(parts, 0..6).prop_map(|parts| parts.concat())
}

fn pieces() -> impl Strategy<Value = Vec<usize>> {
    vec(prop_oneof![1..8usize, 1..2000usize], 1..6)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_greeting_arrives_as_it_was_sent(
        hello in hellos(), answer in answers(), pieces in pieces(),
    ) {
        round_trip(&hello, &pieces)?;
        round_trip(&answer, &pieces)?;
        let payload = postcard::to_allocvec(&hello).unwrap();
        prop_assert_eq!(greeting::read::<Hello>(&payload), Ok(hello));
        let payload = postcard::to_allocvec(&answer).unwrap();
        prop_assert_eq!(greeting::read::<Answer>(&payload), Ok(answer));
    }

    #[test]
    fn a_request_arrives_as_it_was_sent(request in requests(), pieces in pieces()) {
        round_trip(&request, &pieces)?;
    }

    #[test]
    fn what_a_registry_says_arrives_as_it_was_sent(
        said in from_registry(), pieces in pieces(),
    ) {
        round_trip(&said, &pieces)?;
    }

    #[test]
    fn what_a_phone_says_arrives_as_it_was_sent(
        direct in direct_frames(), signal in signals(), card in cards(), pieces in pieces(),
    ) {
        round_trip(&direct, &pieces)?;
        round_trip(&signal, &pieces)?;
        round_trip(&card, &pieces)?;
    }

    #[test]
    fn a_sealed_signal_opens_as_it_was_sealed(signal in signals(), link in nonces()) {
        let (me, agreement) = bob();
        let sender = Identity::from_secret(&[1; 32]);
        let from = Party { name: "alice".parse().unwrap(), identity: sender.key() };
        let envelope = seal(&sender, from, EnvelopeId([5; 16]), link, &signal).unwrap();
        round_trip(&envelope, &[usize::MAX])?;
        let opened = envelope.open::<CallSignal>(&me, &agreement, link).unwrap();
        prop_assert_eq!((opened.sent_at, opened.body), (42, signal));
    }

    #[test]
    fn any_stream_in_any_pieces_gives_the_same_frames_and_holds_no_more_than_one(
        stream in streams(), pieces in pieces(),
    ) {
        // Not prop_assert_eq, which would print both lists of up to 400 KB.
        prop_assert!(decode(&stream, &pieces) == expected(&stream));
    }
}

// Any bytes as messages.

/// Reads `payload` as a `T` in every way there is; what was read must be writable and readable.
fn digest<T>(payload: &[u8]) -> Result<(), TestCaseError>
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let read = frame::from_payload::<T>(payload);
    let greeted = greeting::read::<T>(payload);
    prop_assert!(greeted.is_err() || greeted.as_ref().ok() == read.as_ref().ok());
    if let Ok(message) = read {
        let written = postcard::to_allocvec(&message).unwrap();
        prop_assert!(written.len() <= payload.len());
        prop_assert_eq!(frame::from_payload::<T>(&written), Ok(message));
    }
    Ok(())
}

fn digest_as_every_message(payload: &[u8]) -> Result<(), TestCaseError> {
    digest::<Hello>(payload)?;
    digest::<Answer>(payload)?;
    digest::<Request>(payload)?;
    digest::<FromRegistry>(payload)?;
    digest::<DirectFrame>(payload)?;
    digest::<Envelope>(payload)?;
    digest::<KeyCard>(payload)?;
    digest::<CallSignal>(payload)?;
    if let Ok(envelope) = frame::from_payload::<Envelope>(payload) {
        let (me, agreement) = bob();
        let opened = envelope.open::<String>(&me, &agreement, Nonce::NONE);
        prop_assert!(opened.is_err() || payload[0] == PROTOCOL_VERSION);
        prop_assert!(envelope.sealed_len() <= SEALED_MAX);
    }
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_bytes_are_read_or_refused(
        noise in vec(any::<u8>(), 0..400), small in vec(0..12u8, 0..200),
    ) {
        digest_as_every_message(&noise)?;
        digest_as_every_message(&small)?;
        // Past the version, where a greeting's own shape begins.
        digest_as_every_message(&[&[PROTOCOL_VERSION], noise.as_slice()].concat())?;
    }

    #[test]
    fn a_damaged_message_is_read_or_refused(
        payload in payloads(),
        damage in vec((any::<Index>(), 0..4u8, any::<u8>()), 1..6),
    ) {
        let mut payload = payload;
        for (at, how, byte) in damage {
            let at = at.index(payload.len() + 1);
            match how {
                0 => payload.insert(at, byte),
                1 => payload.truncate(at),
                2 if at < payload.len() => drop(payload.remove(at)),
                _ if at < payload.len() => payload[at] = byte,
                _ => payload.push(byte),
            }
        }
        digest_as_every_message(&payload)?;
    }

    #[test]
    fn another_version_is_named_whatever_follows(
        rest in vec(any::<u8>(), 0..50), hello in hellos(),
    ) {
        let hello = postcard::to_allocvec(&hello).unwrap();
        for theirs in (0..=0xFF).filter(|version| *version != PROTOCOL_VERSION) {
            let refused = Err(greeting::GreetingError::Version { theirs });
            for rest in [rest.as_slice(), &hello[1..]] {
                let payload = [&[theirs], rest].concat();
                prop_assert_eq!(greeting::read::<Hello>(&payload), refused.clone());
            }
        }
    }

    #[test]
    fn an_envelope_of_another_version_is_named(envelope in envelopes(), theirs in any::<u8>()) {
        prop_assume!(theirs != PROTOCOL_VERSION);
        let (me, agreement) = bob();
        let mut envelope = envelope;
        envelope.version = theirs;
        let opened = envelope.open::<String>(&me, &agreement, Nonce::NONE);
        prop_assert_eq!(opened.err(), Some(EnvelopeError::Version { theirs }));
    }
}

// Byte stuffing.

/// Payloads with runs without a zero, about as long as a block can be.
fn runs() -> impl Strategy<Value = Vec<u8>> {
    let run = prop_oneof![250..260usize, 505..512usize, 0..5usize];
    let part = prop_oneof![
        (run, 1..=0xFFu8).prop_map(|(length, byte)| vec![byte; length]),
        vec(any::<u8>(), 0..300),
        vec(0..2u8, 0..10),
    ];
    vec(part, 0..5).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn stuffing_agrees_with_postcards_and_is_undone(payload in runs()) {
        let mut stuffed = vec![7];
        cobs::encode(&payload, &mut stuffed);
        prop_assert_eq!(stuffed.remove(0), 7, "what was there before stays");
        prop_assert!(!stuffed.contains(&0));
        prop_assert!(stuffed.len() <= cobs::stuffed_len_max(payload.len()));

        let mut theirs = postcard::to_allocvec_cobs(&Raw(&payload)).unwrap();
        prop_assert_eq!(theirs.pop(), Some(0));
        let mut undone = theirs.clone();
        let length = cobs::decode_in_place(&mut undone).unwrap();
        prop_assert_eq!(&undone[..length], &payload);

        // After a last block of 254 bytes postcard writes an empty one, which stands for nothing.
        if let Some((1, before @ [_, ..])) = theirs.split_last()
            && unstuffed(before).as_ref() == Some(&payload)
        {
            theirs.pop();
        }
        prop_assert_eq!(&stuffed, &theirs);

        let length = cobs::decode_in_place(&mut stuffed).unwrap();
        prop_assert_eq!(&stuffed[..length], &payload);
    }

    #[test]
    fn any_bytes_are_unstuffed_or_refused(bytes in prop_oneof![
        vec(any::<u8>(), 0..600),
        vec(prop_oneof![0..4u8, 250..=0xFFu8], 0..600),
        runs(),
    ]) {
        let mut decoded = bytes.clone();
        let length = cobs::decode_in_place(&mut decoded).ok();
        let payload = length.map(|length| decoded[..length].to_vec());
        let has_zero = bytes.contains(&0);
        prop_assert_eq!(payload, unstuffed(&bytes).filter(|_| !has_zero));
    }
}

// Envelopes.

/// Asserts that `envelope` opens, and with the bit at `bit` of its payload flipped does not.
fn refuses_flipped(envelope: &Envelope, link: Nonce, bits: impl IntoIterator<Item = usize>) {
    let (me, agreement) = bob();
    let payload = postcard::to_allocvec(envelope).unwrap();
    let opens = |payload: &[u8]| {
        frame::from_payload::<Envelope>(payload)
            .is_ok_and(|read| read.open::<String>(&me, &agreement, link).is_ok())
    };
    assert!(opens(&payload));
    for bit in bits {
        let mut flipped = payload.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(!opens(&flipped), "bit {bit} of {payload:02x?}");
    }
}

#[test]
fn no_bit_of_an_envelope_can_be_flipped() {
    let sender = Identity::from_secret(&[1; 32]);
    for link in [Nonce::NONE, Nonce([7; 32])] {
        let from = Party {
            name: "Alice".parse().unwrap(),
            identity: sender.key(),
        };
        let body = "hello".to_owned();
        let envelope = seal(&sender, from, EnvelopeId([5; 16]), link, &body).unwrap();
        let bits = 8 * postcard::to_allocvec(&envelope).unwrap().len();
        refuses_flipped(&envelope, link, 0..bits);
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_flipped_bit_anywhere_in_any_envelope_is_refused(
        envelope in envelopes(), bits in vec(any::<Index>(), 1..8),
    ) {
        let length = 8 * postcard::to_allocvec(&envelope).unwrap().len();
        let bits = bits.iter().map(|bit| bit.index(length));
        refuses_flipped(&envelope, Nonce::NONE, bits);
    }
}

// Limits.

#[test]
fn the_longest_messages_fit_where_they_go() {
    // An Ethiopic letter of four bytes.
    let longest_name: Name = "\u{1E7E0}".repeat(NAME_CHARS_MAX).parse().unwrap();
    assert_eq!(longest_name.as_str().len(), NAME_BYTES_MAX);
    let addr: SocketAddr = ([0xFFFF; 8], 0xFFFF).into();
    let device = Device {
        id: DeviceId([0xFF; 16]),
        contacts: List::first_of(vec![
            Contact {
                addr,
                observed: true
            };
            CONTACTS_MAX + 1
        ]),
        lease_left_s: 0xFFFF,
        unverified: true,
    };
    let entry = Entry {
        name: longest_name.clone(),
        presence: Presence::Away,
        devices: List::first_of(vec![device; DEVICES_MAX]),
    };
    let page = Page {
        entries: List::first_of(vec![entry; PAGE_MAX]),
        more: true,
    };
    let response = FromRegistry::Response(Response {
        id: RequestId(u32::MAX),
        result: Ok(Success::Page(page)),
    });
    round_trip(&response, &[1000]).unwrap();
    let watched = vec![longest_name.clone(); WATCHED_MAX];
    let watch = Request {
        id: RequestId(u32::MAX),
        method: Method::Watch(Watch::Names(List::first_of(watched))),
    };
    round_trip(&watch, &[1000]).unwrap();

    let candidate = Candidate {
        kind: CandidateKind::Relayed,
        addr,
        priority: u32::MAX,
    };
    let invite = CallSignal {
        call: CallId([0xFF; 16]),
        from: DeviceId([0xFF; 16]),
        to: Some(DeviceId([0xFF; 16])),
        seq: u32::MAX,
        signal: Signal::Invite {
            card: KeyCard {
                identity: IdentityKey([0xFF; 32]),
                agreement: AgreementKey([0xFF; 32]),
                serial: u64::MAX,
                not_after: u64::MAX,
                signature: Signature::from_bytes([0xFF; 64]),
            },
            media: MediaOffer {
                fingerprint: Fingerprint([0xFF; 32]),
                ice: IceCredentials::new(&"u".repeat(256), &"p".repeat(256)).unwrap(),
                candidates: List::first_of(vec![candidate; CANDIDATES_MAX]),
            },
            commitment: Commitment([0xFF; 32]),
        },
    };
    let sender = Identity::from_secret(&[1; 32]);
    let from = Party {
        name: longest_name,
        identity: sender.key(),
    };
    let id = EnvelopeId([5; 16]);
    assert!(seal(&sender, from.clone(), id, Nonce::NONE, &invite).is_ok());

    // Inside stand the time (1 byte), the text after its length (3), the signature and the tag.
    let longest = "x".repeat(SEALED_MAX - 1 - 3 - 64 - 16);
    let envelope = seal(&sender, from.clone(), id, Nonce::NONE, &longest).unwrap();
    assert_eq!(envelope.sealed_len(), SEALED_MAX);
    let method = Method::Send {
        envelope,
        ttl_s: u32::MAX,
    };
    let request = Request {
        id: RequestId(u32::MAX),
        method,
    };
    round_trip(&request, &[1000]).unwrap();
    let too_long = seal(&sender, from, id, Nonce::NONE, &format!("{longest}x"));
    assert_eq!(too_long, Err(EnvelopeError::TooLong));
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_is_bounded_keeps_its_bound_on_the_wire(items in vec(any::<u8>(), 0..20)) {
        let fits = items.len() <= 8;
        let payload = postcard::to_allocvec(&items).unwrap();
        prop_assert_eq!(frame::from_payload::<List<u8, 8>>(&payload).is_ok(), fits);
        prop_assert_eq!(frame::from_payload::<Bytes<8>>(&payload).is_ok(), fits);
        prop_assert_eq!(List::<u8, 8>::try_from(items.clone()).is_ok(), fits);
        prop_assert_eq!(Bytes::<8>::try_from(items.clone()).is_ok(), fits);
        prop_assert_eq!(List::<u8, 8>::first_of(items).len(), payload[0].min(8).into());
        let text = "x".repeat(payload[0].into());
        prop_assert_eq!(Text::<8>::new(&text).is_some(), fits);
    }

    #[test]
    fn any_string_makes_a_text_a_prefix_or_credentials_or_none(
        text in any::<String>(), other in any::<String>(),
    ) {
        let prefix = Prefix::new(&text);
        prop_assert!(text.starts_with(prefix.as_str()) && prefix.as_str().len() <= NAME_BYTES_MAX);
        if let Some(agent) = Text::<AGENT_BYTES_MAX>::new(&text) {
            prop_assert_eq!(agent.as_str(), text.as_str());
        }
        let payload = postcard::to_allocvec(&text).unwrap();
        let read = frame::from_payload::<Agent>(&payload).ok();
        prop_assert_eq!(read, Agent::new(&text));
        if let Some(ice) = IceCredentials::new(&text, &other) {
            prop_assert_eq!((ice.ufrag(), ice.password()), (text.as_str(), other.as_str()));
        }
    }
}

// Names.

/// Texts that are names more often than not, or nearly: characters of one kind, and a few others.
fn typed() -> impl Strategy<Value = String> {
    let alphabets = vec![
        "abcXYZéßſĳﬁ0-9._-İıŉ",
        "абвЯЁйґ",
        "αβςΣΐ",
        "李明々〆さくらサー",
        "ひらカタｶﾞ",
        "अजख़ािँं्",
        "กขนำ้ํ",
        "אבגשׁ",
        "ابجﷲلا",
        "가나다한글ㅎ",
        "e\u{301}\u{316}\u{327}\u{345}\u{34F}a\u{308}",
        "a\u{200B}\u{200D}\u{202E}\u{2066}\u{FEFF}\u{AD}\u{FE0F}\u{E0061} \t\n\u{85}\u{1B}",
    ];
    let of_one = select(alphabets).prop_flat_map(|alphabet| {
        let letters: Vec<char> = alphabet.chars().collect();
        vec(select(letters), 0..36).prop_map(String::from_iter)
    });
    let few = vec(any::<char>(), 0..3).prop_map(String::from_iter);
    prop_oneof![4 => of_one, 1 => any::<String>(), 1 => few]
}

/// Whether a character moves, hides or reorders text: White_Space, controls, Bidi_Control, and the
/// characters of Default_Ignorable_Code_Point that are letters or marks.
fn deceives(c: char) -> bool {
    c.is_control()
        || c.is_whitespace()
        || matches!(c,
            '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
            | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{E000}'..='\u{F8FF}'
            | '\u{E0000}'..='\u{10FFFF}')
}

/// Everything that holds for a name, whatever it was made from.
fn is_sound(name: &Name) {
    let text = name.as_str();
    let again: Name = text.parse().expect("a name's own text is a name");
    assert_eq!(again.as_str(), text);
    assert_eq!(&again, name);
    assert!(
        (1..=NAME_CHARS_MAX).contains(&text.chars().count()),
        "{text:?}"
    );
    assert!(text.len() <= NAME_BYTES_MAX, "{text:?}");
    assert!(!text.chars().any(deceives), "{text:?}");
    assert!(!name.folded().chars().any(deceives), "{text:?}");
    assert_eq!(fold(text), name.folded());
    assert_eq!(fold(name.folded()), name.folded(), "{text:?}");
    let payload = postcard::to_allocvec(name).unwrap();
    let read: Name = frame::from_payload(&payload).unwrap();
    assert_eq!(read.as_str(), text);
}

#[test]
fn every_character_makes_a_sound_name_or_none() {
    let mut names = 0;
    for c in '\0'..=char::MAX {
        let (alone, after_a_letter) = (c.to_string(), format!("a{c}"));
        for name in [alone.parse(), after_a_letter.parse()]
            .into_iter()
            .flatten()
        {
            is_sound(&name);
            names += 1;
        }
    }
    assert!(names > 30_000, "{names}");
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_text_makes_a_sound_name_or_none(text in typed()) {
        match text.parse::<Name>() {
            Ok(name) => is_sound(&name),
            // What a person is told of it must not break their terminal either.
            Err(error) => {
                let told = error.to_string();
                prop_assert!(!told.chars().any(|c| c != ' ' && deceives(c)), "{}", told);
            }
        }
        // On the wire a name has one form only.
        for text in [&text, &format!(" {text}"), &format!("{text}\n")] {
            let exact = text.parse::<Name>().is_ok_and(|name| name.as_str() == text);
            let payload = postcard::to_allocvec(text).unwrap();
            prop_assert_eq!(frame::from_payload::<Name>(&payload).is_ok(), exact);
        }
    }

    #[test]
    fn the_case_of_ascii_letters_does_not_count(
        typed in "[a-zA-Z0-9][a-zA-Z0-9._-]{0,31}", flips in any::<u32>(),
    ) {
        let other: String = typed
            .char_indices()
            .map(|(at, c)| match (flips >> at) & 1 {
                0 => c.to_ascii_lowercase(),
                _ => c.to_ascii_uppercase(),
            })
            .collect();
        let (one, other): (Name, Name) = (typed.parse().unwrap(), other.parse().unwrap());
        let hash = |name: &Name| {
            let mut hasher = DefaultHasher::new();
            name.hash(&mut hasher);
            hasher.finish()
        };
        prop_assert_eq!(one.folded(), other.folded());
        prop_assert_eq!(hash(&one), hash(&other));
        prop_assert_eq!(one.cmp(&other), std::cmp::Ordering::Equal);
        prop_assert_eq!(one, other);
    }

    #[test]
    fn names_are_equal_exactly_when_their_folded_forms_are(one in names(), other in names()) {
        prop_assert_eq!(one == other, one.folded() == other.folded());
        prop_assert_eq!(one.cmp(&other), one.folded().cmp(other.folded()));
    }
}
