//! Any bytes are read as a message, or refused: what is read has one written form, which is read
//! as the same, fits a frame, and shows neither what could break a terminal nor a secret.

use std::fmt::Debug;

use codec::{
    CallSignal, Envelope, KeyCard, Signal,
    direct::DirectFrame,
    frame::{self, FrameDecoder, MAX_FRAME},
    greeting::{self, Answer, Hello, PROTOCOL_VERSION},
    registry::{FromRegistry, Request},
    signal::{CallNonce, IceCredentials},
};
use serde::{Serialize, de::DeserializeOwned};

use super::text::is_harmless;

/// Reads `payload` as every message that can come from the network.
pub fn check(payload: &[u8]) {
    digest::<Hello>(payload);
    digest::<Answer>(payload);
    digest::<Request>(payload);
    digest::<FromRegistry>(payload);
    digest::<DirectFrame>(payload);
    digest::<KeyCard>(payload);
    if let Some(envelope) = digest::<Envelope>(payload) {
        keeps_its_seal(&envelope);
    }
    if let Some(signal) = digest::<CallSignal>(payload) {
        keeps_its_secrets(&signal);
    }
}

fn digest<T>(payload: &[u8]) -> Option<T>
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let read = frame::from_payload::<T>(payload);
    let greeted = greeting::read::<T>(payload);
    match payload.first() {
        Some(&PROTOCOL_VERSION) => assert_eq!(greeted.ok(), read.as_ref().ok().map(same)),
        _ => assert!(greeted.is_err(), "another version"),
    }
    let message = read.ok()?;
    let written = postcard::to_allocvec(&message).expect("what was read can be written");
    assert!(written.len() <= payload.len(), "it grew");
    let again: T = frame::from_payload(&written).expect("what was written can be read");
    assert_eq!(again, message);
    // Names are equal in any case; their bytes are not.
    assert_eq!(
        postcard::to_allocvec(&again).expect("as before"),
        written,
        "two written forms"
    );
    if written.len() <= MAX_FRAME {
        let frame = frame::to_frame(&message).expect("it fits a frame");
        let unframed = FrameDecoder::default().next(&mut frame.as_slice());
        assert_eq!(unframed, Some(Ok(written)));
    }
    is_harmless(&format!("{message:?}"));
    Some(message)
}

/// A copy through the wire's own form: not every message can be cloned.
fn same<T: Serialize + DeserializeOwned>(message: &T) -> T {
    let written = postcard::to_allocvec(message).expect("what was read can be written");
    frame::from_payload(&written).expect("what was written can be read")
}

/// Whatever stands for what is sealed, the shown form is the same.
fn keeps_its_seal(envelope: &Envelope) {
    if envelope.sealed_len() == 0 {
        return;
    }
    let mut other = postcard::to_allocvec(envelope).expect("what was read can be written");
    *other.last_mut().expect("sealed bytes") ^= 0xFF;
    let other: Envelope = frame::from_payload(&other).expect("other sealed bytes");
    assert_ne!(&other, envelope);
    assert_eq!(format!("{other:?}"), format!("{envelope:?}"));
}

/// Whatever the password and the nonce are, the shown form is the same.
fn keeps_its_secrets(signal: &CallSignal) {
    let mut other = signal.clone();
    if let Signal::Invite { media, .. } | Signal::Accept { media, .. } = &mut other.signal {
        let password = "p".repeat(media.ice.password().len() % 235 + 22);
        media.ice = IceCredentials::new(media.ice.ufrag(), &password).expect("fit to be read");
    }
    if let Signal::Confirm { nonce } | Signal::Accept { nonce, .. } = &mut other.signal {
        *nonce = CallNonce([0; 32]);
    }
    assert_eq!(format!("{other:?}"), format!("{signal:?}"));
}
