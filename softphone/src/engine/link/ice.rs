//! Candidates and credentials, as ICE wants them.

use std::{io, net::SocketAddr};

use codec::signal::{Candidate, CandidateKind, IceCredentials};
use str0m::{Candidate as IceCandidate, CandidateKind as IceKind, Rtc, net::Protocol};

/// Makes an address of this machine known to ICE.
pub(super) fn add_local(rtc: &mut Rtc, addr: SocketAddr) -> Option<Candidate> {
    let host = IceCandidate::host(addr, Protocol::Udp).ok()?;
    let priority = rtc.add_local_candidate(host)?.prio();
    Some(Candidate {
        kind: CandidateKind::Host,
        addr,
        priority,
    })
}

/// A candidate of the peer, as ICE wants it. ICE never forgets one that it was given. It takes
/// another one for the same address beside it, and then it can invalidate neither. But one that it
/// believes to have found by itself it replaces, so that is what it gets to see of every address.
pub(super) fn remote_candidate(candidate: &Candidate) -> IceCandidate {
    IceCandidate::from_parts(
        "tmp_prflx".to_owned(),
        1,
        Protocol::Udp,
        candidate.priority,
        candidate.addr,
        IceKind::PeerReflexive,
        None,
        None,
        None,
    )
}

/// Fresh ICE credentials: 48 and 144 bits.
pub(super) fn credentials() -> io::Result<IceCredentials> {
    const ICE_CHARS: &[u8; 64] =
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let text: String = random
        .iter()
        .map(|byte| char::from(ICE_CHARS[usize::from(byte % 64)]))
        .collect();
    Ok(IceCredentials::new(&text[..8], &text[8..]).expect("ICE characters, 8 and 24 of them"))
}
