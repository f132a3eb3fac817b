//! A call's media on the network: ICE finds the path, DTLS-SRTP encrypts, RTP carries voice.
//!
//! One task owns the sockets and the WebRTC machine (`str0m`), which does no I/O of its own: one
//! input, then everything it wants sent, then sleep until it wants to be woken.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

use codec::signal::{
    Candidate, CandidateKind, Candidates, Fingerprint, IceCredentials, MediaOffer,
};
use str0m::{
    Candidate as IceCandidate, CandidateKind as IceKind, Event, IceCreds, Input, Output, Rtc,
    RtcConfig, RtcError,
    config::{DtlsVersion, Fingerprint as DtlsFingerprint},
    media::MediaKind,
    net::{Protocol, Receive},
    rtp::{RtpWrite, SeqNo, Ssrc},
};
use tokio::{
    sync::mpsc,
    time::{Instant as TokioInstant, MissedTickBehavior, interval, sleep_until},
};

use super::sockets::{Addresses, Sockets};
use crate::{
    call::{MediaFailure, Moved, Role},
    media::{
        Encoded, Packet, Seq, Timestamp,
        watchdog::{Sign, Watchdog},
    },
};

/// Opus (RFC 7587), the one payload type in use.
const PAYLOAD_TYPE: u8 = 111;

/// The media's name; there is one, so any will do.
const MID: &str = "0";

/// RTP of the caller, and of the callee. The two meet on a path of their own, so fixed numbers
/// cannot collide.
const SSRC: [u32; 2] = [1, 2];

/// Longer datagrams are none of ours.
const DATAGRAM_MAX: usize = 1500;

/// The longest Opus packet of one frame (RFC 6716, 3.2.1).
const PAYLOAD_MAX: usize = 1275;

/// So many datagrams are taken before voice has its turn.
const DATAGRAMS_AT_ONCE: usize = 32;

/// How often each side reports to the other, whether it speaks or not.
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// How often it is looked whether this machine's addresses have changed.
const FOLLOW_EVERY: Duration = Duration::from_secs(1);

/// So many addresses a peer may name in the course of a call; those beyond are left out.
const REMOTE_MAX: usize = 64;

/// Media that is open on this side and waits for the other side's.
pub struct Prepared {
    sockets: Sockets,
    addresses: Addresses,
    rtc: Rtc,
    /// What the other side needs to know.
    pub offer: MediaOffer,
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prepared")
            .field("offer", &self.offer)
            .finish_non_exhaustive()
    }
}

/// What a running link is told.
pub enum Order {
    /// Send voice from now on.
    Speak,
    /// Deliver received packets there from now on.
    Deliver(PacketSink),
    /// The peer's addresses are no longer those of its offer.
    PeerMoved(Moved),
}

/// Takes received packets and never waits.
pub type PacketSink = Box<dyn Fn(Packet) + Send>;

/// What a running link reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// It is encrypted and has a path.
    Connected,
    /// The first of the peer's voice came in.
    Heard,
    /// Nothing authentic has come for 3 s.
    Reconnecting,
    /// It comes again.
    Reconnected,
    /// This machine's addresses are no longer those of the offer.
    Moved(Moved),
    /// The time that a packet takes there and back.
    RoundTrip(Duration),
    /// It has ended by itself.
    Failed(MediaFailure),
}

/// Opens sockets on this machine's addresses, and draws keys and credentials.
///
/// # Errors
/// Those of the system.
pub(super) fn prepare(addresses: Addresses) -> io::Result<Prepared> {
    let sockets = Sockets::open(&addresses.now()?)?;
    let ice = credentials()?;
    let creds = IceCreds {
        ufrag: ice.ufrag().to_owned(),
        pass: ice.password().to_owned(),
    };
    let mut rtc = RtcConfig::new()
        .set_local_ice_credentials(creds)
        .clear_codecs()
        .enable_opus(true, false)
        .clear_extension_map()
        .set_rtp_mode(true)
        .set_dtls_version(DtlsVersion::Dtls13)
        .set_stats_interval(Some(REPORT_EVERY))
        .set_rtcp_report_interval_audio(REPORT_EVERY)
        .build(Instant::now());
    let own = sockets.addrs();
    let candidates: Vec<_> = own.filter_map(|addr| add_local(&mut rtc, addr)).collect();
    let fingerprint = rtc
        .direct_api()
        .local_dtls_fingerprint()
        .bytes
        .as_slice()
        .try_into();
    let fingerprint = Fingerprint(fingerprint.map_err(io::Error::other)?);
    let offer = MediaOffer {
        fingerprint,
        ice,
        candidates: Candidates::first_of(candidates),
    };
    Ok(Prepared {
        sockets,
        addresses,
        rtc,
        offer,
    })
}

/// Makes an address of this machine known to ICE.
fn add_local(rtc: &mut Rtc, addr: SocketAddr) -> Option<Candidate> {
    let host = IceCandidate::host(addr, Protocol::Udp).ok()?;
    let priority = rtc.add_local_candidate(host)?.prio();
    Some(Candidate {
        kind: CandidateKind::Host,
        addr,
        priority,
    })
}

/// A candidate of the peer, as ICE wants it.
fn remote_candidate(candidate: &Candidate) -> IceCandidate {
    let kind = match candidate.kind {
        CandidateKind::Host => IceKind::Host,
        CandidateKind::ServerReflexive => IceKind::ServerReflexive,
        CandidateKind::PeerReflexive => IceKind::PeerReflexive,
        CandidateKind::Relayed => IceKind::Relayed,
    };
    IceCandidate::from_parts(
        "1".to_owned(),
        1,
        Protocol::Udp,
        candidate.priority,
        candidate.addr,
        kind,
        None,
        None,
        None,
    )
}

/// Fresh ICE credentials: 48 and 144 bits.
fn credentials() -> io::Result<IceCredentials> {
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

/// Whether packets can be sent there at all.
fn is_sendable(addr: &SocketAddr) -> bool {
    let ip = addr.ip();
    let mapped = matches!(ip, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some());
    let broadcast = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
    addr.port() != 0 && !ip.is_unspecified() && !ip.is_multicast() && !broadcast && !mapped
}

impl Prepared {
    /// Runs the link until `orders` ends, or it fails. Voice to send comes from `voice`.
    pub async fn run(
        self,
        remote: MediaOffer,
        role: Role,
        orders: mpsc::Receiver<Order>,
        voice: mpsc::Receiver<Encoded>,
        report: impl Fn(Report),
    ) {
        let Self {
            sockets,
            addresses,
            rtc,
            offer,
        } = self;
        let now = Instant::now();
        let (own, theirs) = match role {
            Role::Caller => (SSRC[0], SSRC[1]),
            Role::Callee => (SSRC[1], SSRC[0]),
        };
        let mut random = [0; 6];
        // Without randomness there would have been no keys; zeros are no harm here.
        let _ = getrandom::fill(&mut random);
        let mut link = Link {
            sockets,
            addresses,
            offered: offer.candidates.to_vec(),
            current: offer.candidates.to_vec(),
            remote: Vec::new(),
            rtc,
            role,
            own: own.into(),
            // RFC 3550, 5.1: both start at random, the first far from where it wraps.
            seq: u64::from(u16::from_be_bytes([random[0], random[1]]) >> 1),
            timestamp: u32::from_be_bytes([random[2], random[3], random[4], random[5]]),
            speaking: false,
            connected: false,
            watchdog: Watchdog::default(),
            wake: now,
            deliver: None,
            report,
        };
        let failed = match link.start(&remote, theirs.into(), now) {
            Ok(()) => link.serve(orders, voice).await,
            Err(failure) => Some(failure),
        };
        if let Some(failure) = failed {
            (link.report)(Report::Failed(failure));
        }
    }
}

struct Link<F> {
    sockets: Sockets,
    addresses: Addresses,
    /// The candidates of this side's offer.
    offered: Vec<Candidate>,
    /// Those that it has now.
    current: Vec<Candidate>,
    /// Those of the peer that are in use.
    remote: Vec<Candidate>,
    rtc: Rtc,
    role: Role,
    own: Ssrc,
    seq: u64,
    /// Added to the timestamps of the voice to send.
    timestamp: u32,
    speaking: bool,
    connected: bool,
    /// Knows when the peer was last heard, authentically.
    watchdog: Watchdog,
    /// When the machine wants to be woken.
    wake: Instant,
    deliver: Option<PacketSink>,
    report: F,
}

/// Runs the WebRTC machine. It has assertions that a peer's odd certificate can trip, before the
/// certificate is known to be the right one; such a peer ends its own call, and no more.
fn guarded<T>(run: impl FnOnce() -> Result<T, RtcError>) -> Result<T, MediaFailure> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(RtcError::RemoteSdp(_))) => Err(MediaFailure::Untrusted),
        Ok(Err(_)) | Err(_) => Err(MediaFailure::Failed),
    }
}

impl<F: Fn(Report)> Link<F> {
    fn start(
        &mut self,
        remote: &MediaOffer,
        theirs: Ssrc,
        now: Instant,
    ) -> Result<(), MediaFailure> {
        let (rtc, role, own) = (&mut self.rtc, self.role, self.own);
        guarded(|| {
            // Its clock stood still while the phones rang.
            rtc.handle_input(Input::Timeout(now))?;
            let mut api = rtc.direct_api();
            api.declare_media(MID.into(), MediaKind::Audio);
            api.declare_stream_tx(own, None, MID.into(), None);
            // Voice that comes again comes too late.
            api.expect_stream_rx(theirs, None, MID.into(), None)
                .suppress_nack(true);
            api.set_remote_fingerprint(DtlsFingerprint {
                hash_func: "sha-256".to_owned(),
                bytes: remote.fingerprint.0.to_vec(),
            });
            api.set_ice_controlling(role == Role::Caller);
            api.set_remote_ice_credentials(IceCreds {
                ufrag: remote.ice.ufrag().to_owned(),
                pass: remote.ice.password().to_owned(),
            });
            api.start_dtls(role == Role::Callee)
        })?;
        self.add_remote(&remote.candidates)?;
        self.drain(now)
    }

    fn add_remote(&mut self, candidates: &[Candidate]) -> Result<(), MediaFailure> {
        for candidate in candidates {
            let known = self.remote.iter().any(|known| known.addr == candidate.addr);
            if known || !is_sendable(&candidate.addr) || self.remote.len() >= REMOTE_MAX {
                continue;
            }
            self.remote.push(*candidate);
            let rtc = &mut self.rtc;
            guarded(|| {
                rtc.add_remote_candidate(remote_candidate(candidate));
                Ok(())
            })?;
        }
        Ok(())
    }

    fn peer_moved(&mut self, moved: &Moved, now: Instant) -> Result<(), MediaFailure> {
        self.add_remote(&moved.added)?;
        let gone = |known: &Candidate| moved.removed.iter().any(|gone| gone.addr == known.addr);
        let rtc = &mut self.rtc;
        guarded(|| {
            for candidate in self.remote.iter().filter(|known| gone(known)) {
                rtc.direct_api()
                    .invalidate_candidate(&remote_candidate(candidate));
            }
            Ok(())
        })?;
        self.remote.retain(|known| !gone(known));
        self.input(Input::Timeout(now), now)
    }

    /// Looks for a path anew. The side that controls ICE stays with a path that has worked for far
    /// longer than people wait, although the other side may send from another address by now.
    fn seek_path(&mut self) -> Result<(), MediaFailure> {
        if self.role == Role::Callee {
            return Ok(());
        }
        let rtc = &mut self.rtc;
        guarded(|| {
            for candidate in &self.remote {
                let candidate = remote_candidate(candidate);
                rtc.direct_api().invalidate_candidate(&candidate);
                rtc.add_remote_candidate(candidate);
            }
            Ok(())
        })
    }

    /// Uses the addresses that this machine has now.
    fn follow(&mut self, ips: &[IpAddr], now: Instant) -> Result<(), MediaFailure> {
        let followed = self.sockets.follow(ips);
        if followed.appeared.is_empty() && followed.gone.is_empty() {
            return Ok(());
        }
        let (rtc, current) = (&mut self.rtc, &mut self.current);
        guarded(|| {
            let appeared = followed.appeared.iter();
            current.extend(appeared.filter_map(|addr| add_local(rtc, *addr)));
            for addr in &followed.gone {
                current.retain(|known| known.addr != *addr);
                if let Ok(gone) = IceCandidate::host(*addr, Protocol::Udp) {
                    rtc.direct_api().invalidate_candidate(&gone);
                }
            }
            Ok(())
        })?;
        let missing = |of: &[Candidate], from: &[Candidate]| {
            let mut missing = of.to_vec();
            missing.retain(|candidate| !from.iter().any(|other| other.addr == candidate.addr));
            Candidates::first_of(missing)
        };
        (self.report)(Report::Moved(Moved {
            added: missing(&self.current, &self.offered),
            removed: missing(&self.offered, &self.current),
        }));
        self.input(Input::Timeout(now), now)
    }

    /// Returns why it failed, or nothing when it was told to end.
    async fn serve(
        &mut self,
        mut orders: mpsc::Receiver<Order>,
        mut voice: mpsc::Receiver<Encoded>,
    ) -> Option<MediaFailure> {
        let mut buffer = vec![0; DATAGRAM_MAX + 1];
        let mut voice_open = true;
        let mut follow = interval(FOLLOW_EVERY);
        follow.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let watched = self.watchdog.poll_timeout();
            let wake = watched.map_or(self.wake, |at| at.min(self.wake));
            let result = tokio::select! {
                // Voice first: it is what everything else is for.
                biased;
                encoded = voice.recv(), if voice_open => match encoded {
                    Some(encoded) => self.send(encoded, Instant::now()),
                    None => {
                        voice_open = false;
                        Ok(())
                    }
                },
                order = orders.recv() => match order {
                    Some(Order::Speak) => {
                        self.speaking = true;
                        Ok(())
                    }
                    Some(Order::Deliver(sink)) => {
                        self.deliver = Some(sink);
                        Ok(())
                    }
                    Some(Order::PeerMoved(moved)) => self.peer_moved(&moved, Instant::now()),
                    None => {
                        // Tells the peer's DTLS; its call is told by a Bye.
                        let _ = guarded(|| self.rtc.close());
                        let _ = self.drain(Instant::now());
                        return None;
                    }
                },
                received = std::future::poll_fn(|cx| self.sockets.poll_receive(&mut buffer, cx))
                    => self.receive_some(received, &mut buffer),
                () = sleep_until(TokioInstant::from_std(wake)) => self.due(Instant::now()),
                _ = follow.tick() => match self.addresses.now() {
                    Ok(ips) => self.follow(&ips, Instant::now()),
                    // What is not known now is known a second later.
                    Err(_) => Ok(()),
                },
            };
            if let Err(failure) = result {
                return Some(failure);
            }
        }
    }

    fn due(&mut self, now: Instant) -> Result<(), MediaFailure> {
        match self.watchdog.handle_timeout(now) {
            Some(Sign::Reconnecting) => {
                (self.report)(Report::Reconnecting);
                self.seek_path()?;
            }
            Some(Sign::Lost) => return Err(MediaFailure::Lost),
            Some(Sign::Closed) => return Err(MediaFailure::Closed),
            Some(Sign::Reconnected) | None => {}
        }
        self.input(Input::Timeout(now), now)
    }

    fn input(&mut self, input: Input<'_>, now: Instant) -> Result<(), MediaFailure> {
        let rtc = &mut self.rtc;
        guarded(|| rtc.handle_input(input))?;
        self.drain(now)
    }

    fn send(&mut self, encoded: Encoded, now: Instant) -> Result<(), MediaFailure> {
        if !self.speaking || !self.connected || encoded.payload.len() > PAYLOAD_MAX {
            return Ok(());
        }
        let Encoded {
            timestamp,
            marker,
            payload,
        } = encoded;
        let (seq, timestamp) = (
            SeqNo::from(self.seq),
            self.timestamp.wrapping_add(timestamp.0),
        );
        self.seq += 1;
        if let Some(stream) = self.rtc.direct_api().stream_tx(&self.own) {
            let packet = RtpWrite::new(PAYLOAD_TYPE.into(), seq, timestamp, now, payload);
            stream.write_rtp(packet.marker(marker));
        }
        // The packet leaves with the next input, so there is one at once.
        self.input(Input::Timeout(now), now)
    }

    /// Takes the datagram in `buffer`, and those that wait behind it.
    fn receive_some(
        &mut self,
        first: (usize, SocketAddr, SocketAddr),
        buffer: &mut [u8],
    ) -> Result<(), MediaFailure> {
        let (length, at, source) = first;
        self.receive(at, &buffer[..length], source)?;
        for _ in 1..DATAGRAMS_AT_ONCE {
            let Some((length, source)) = self.sockets.try_receive(at, buffer) else {
                break;
            };
            self.receive(at, &buffer[..length], source)?;
        }
        Ok(())
    }

    fn receive(
        &mut self,
        destination: SocketAddr,
        datagram: &[u8],
        source: SocketAddr,
    ) -> Result<(), MediaFailure> {
        let now = Instant::now();
        if datagram.len() > DATAGRAM_MAX {
            return Ok(());
        }
        let Ok(receive) = Receive::new(Protocol::Udp, source, destination, datagram) else {
            return Ok(());
        };
        let input = Input::Receive(now, receive);
        // Strangers' packets must not reach DTLS.
        if !guarded(|| Ok(self.rtc.accepts(&input)))? {
            return Ok(());
        }
        let rtc = &mut self.rtc;
        match guarded(|| rtc.handle_input(input)) {
            // Whoever can send from the peer's address must not be able to end a call that is up;
            // should the peer really be broken, it falls silent.
            Err(MediaFailure::Failed) if self.connected => {}
            Err(failure) => return Err(failure),
            Ok(()) => {}
        }
        self.drain(now)
    }

    /// Sends and reports everything that the machine has ready, and notes when to wake it.
    fn drain(&mut self, now: Instant) -> Result<(), MediaFailure> {
        loop {
            let rtc = &mut self.rtc;
            match guarded(|| rtc.poll_output())? {
                Output::Timeout(wake) => {
                    self.wake = wake.min(now + REPORT_EVERY);
                    return Ok(());
                }
                Output::Transmit(transmit) => {
                    let (from, to) = (transmit.source, transmit.destination);
                    self.sockets.send(from, to, &transmit.contents);
                }
                Output::Event(event) => self.event(event, now),
            }
        }
    }

    fn event(&mut self, event: Event, now: Instant) {
        match event {
            Event::RtpPacket(packet) => {
                if *packet.header.payload_type != PAYLOAD_TYPE {
                    return;
                }
                if !self.watchdog.has_begun() {
                    (self.report)(Report::Heard);
                }
                self.heard(now);
                if let Some(deliver) = &self.deliver {
                    deliver(Packet {
                        seq: Seq(packet.header.sequence_number),
                        timestamp: Timestamp(packet.header.timestamp),
                        marker: packet.header.marker,
                        payload: Arc::clone(&packet.payload),
                        arrived: now,
                    });
                }
            }
            // A report is as authentic as voice, but only voice begins a call.
            Event::SenderFeedback(_) if self.watchdog.has_begun() => self.heard(now),
            Event::Closed => self.watchdog.closed(now),
            Event::MediaEgressStats(stats) => {
                if let Some(rtt) = stats.rtt {
                    (self.report)(Report::RoundTrip(rtt));
                }
            }
            _ => {}
        }
        if !self.connected && self.rtc.is_connected() {
            self.connected = true;
            (self.report)(Report::Connected);
        }
    }

    fn heard(&mut self, now: Instant) {
        if self.watchdog.heard(now).is_some() {
            (self.report)(Report::Reconnected);
        }
    }
}

#[cfg(test)]
mod tests;
