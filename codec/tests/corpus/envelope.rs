//! An envelope opens as it was sealed, and no other opens: not any bytes, not a damaged one, not
//! one for another connection; and what is inside is one message in its one written form.

use std::sync::OnceLock;

use codec::{
    CallId, CallSignal, DeviceId, Envelope, EnvelopeError, Identity, Party, Signal,
    envelope::{Address, EnvelopeId, Kind, SEALED_MAX},
    frame,
    greeting::Nonce,
    identity::AgreementSecret,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use serde::Serialize;

use super::{frame::Raw, script::Script};

/// The receiver's nonce on the connection that some of the envelopes are for.
const LINK: Nonce = Nonce([7; 32]);

/// Reads `input` as an envelope, as damage to one, or as what stands inside of one.
pub fn check(input: &[u8]) {
    let mut script = Script(input);
    let how = script.byte();
    match how % 4 {
        0 => opens_if_genuine(script.rest()),
        3 => opens_if_written_well(script.rest()),
        _ => {
            let genuine = genuine();
            let mut payload = genuine[usize::from(how / 4) % genuine.len()]
                .payload
                .clone();
            script.damage(&mut payload);
            opens_if_genuine(&payload);
        }
    }
}

/// An envelope that bob can open, and on which connection.
pub struct Genuine {
    /// Its written form.
    pub payload: Vec<u8>,
    link: Nonce,
}

/// Envelopes of alice's to bob.
pub fn genuine() -> &'static [Genuine] {
    static GENUINE: OnceLock<Vec<Genuine>> = OnceLock::new();
    GENUINE.get_or_init(|| {
        let signals = [Signal::Ringing, Signal::Busy, Signal::Hold];
        let both = signals.into_iter().flat_map(|signal| {
            [Nonce::NONE, LINK].map(|link| {
                let body = CallSignal {
                    call: CallId([9; 16]),
                    from: DeviceId([8; 16]),
                    to: None,
                    seq: 1,
                    signal: signal.clone(),
                };
                let envelope = seal(link, &body).expect("it fits");
                let payload = postcard::to_allocvec(&envelope).expect("it can be written");
                Genuine { payload, link }
            })
        });
        both.collect()
    })
}

fn opens_if_genuine(payload: &[u8]) {
    let Ok(envelope) = frame::from_payload::<Envelope>(payload) else {
        return;
    };
    assert!(envelope.sealed_len() <= SEALED_MAX);
    // A varint may be longer than it must be; that is the same envelope.
    let written = postcard::to_allocvec(&envelope).expect("what was read can be written");
    let (me, agreement) = bob();
    for link in [Nonce::NONE, LINK] {
        let opened = envelope.open::<CallSignal>(&me, &agreement, link);
        let known = genuine()
            .iter()
            .any(|one| one.link == link && one.payload == written);
        assert_eq!(opened.is_ok(), known, "{opened:?}");
    }
}

/// Alice herself seals bytes that may be no message: she breaks nothing, and what she signs is
/// what is read.
fn opens_if_written_well(inside: &[u8]) {
    let envelope = match seal(Nonce::NONE, &Raw(inside)) {
        Ok(envelope) => envelope,
        Err(error) => return assert_eq!(error, EnvelopeError::TooLong),
    };
    let (me, agreement) = bob();
    let opened = envelope.open::<CallSignal>(&me, &agreement, Nonce::NONE);
    let read = frame::from_payload::<CallSignal>(inside).ok();
    let written = read
        .as_ref()
        .map(|signal| postcard::to_allocvec(signal).expect("what was read can be written"));
    if written.as_deref() == Some(inside) {
        assert_eq!(opened.map(|opened| opened.body).ok(), read);
    } else {
        assert!(opened.is_err(), "{opened:?}");
    }
}

fn bob() -> (Party, AgreementSecret) {
    let party = Party {
        name: "bob".parse().expect("a name"),
        identity: Identity::from_secret(&[2; 32]).key(),
    };
    (party, AgreementSecret::from_secret(&[3; 32]))
}

fn seal<T: Serialize>(link: Nonce, body: &T) -> Result<Envelope, EnvelopeError> {
    let sender = Identity::from_secret(&[1; 32]);
    let (to, agreement) = bob();
    let from = Party {
        name: "alice".parse().expect("a name"),
        identity: sender.key(),
    };
    let address = Address {
        from,
        to,
        id: EnvelopeId([5; 16]),
        kind: Kind::Signal,
    };
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    Envelope::seal(&sender, address, &agreement.key(), link, 42, body, &mut rng)
}
