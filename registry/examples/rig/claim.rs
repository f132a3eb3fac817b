//! Names that are registered for a measurement.

use std::{error::Error, net::IpAddr, time::Duration};

use codec::{
    DeviceId, Identity, KeyCard, RecoveryLock,
    claim::Claim,
    identity::AgreementSecret,
    registry::{Contact, Presence},
};
use registry::{
    limits::Source,
    store::{ConnectionId, Registration},
};

/// The claim of one name; five of them are one identity's.
pub fn claim(number: u32) -> Result<Registration, Box<dyn Error>> {
    // Without digits that look like letters, or two names would be one.
    let letters = format!("{number:07}").replace('0', "x").replace('1', "y");
    let mut secret = [9; 32];
    secret[..4].copy_from_slice(&(number / 5).to_be_bytes());
    let agreement = AgreementSecret::from_secret(&secret).key();
    let [a, b, c, d] = number.to_be_bytes();
    Ok(Registration {
        name: format!("n{letters}").parse()?,
        device: DeviceId([1; 16]),
        card: KeyCard::issue(&Identity::from_secret(&secret), agreement, 1, u64::MAX),
        contacts: vec![Contact {
            addr: ([a, b, c, d], 4000).into(),
            observed: false,
        }],
        expires: Duration::from_secs(3600),
        cseq: 1,
        presence: Presence::Available,
        source: Source::from(IpAddr::from([10, b, c, d])),
        connection: ConnectionId(1),
        claim: Claim::new(RecoveryLock(secret)),
    })
}
