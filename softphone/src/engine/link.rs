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

use codec::signal::{Candidate, Candidates, Fingerprint, MediaOffer};
use str0m::{
    Candidate as IceCandidate, Event, IceCreds, Input, Output, Rtc, RtcConfig, RtcError,
    config::{DtlsVersion, Fingerprint as DtlsFingerprint},
    format::{Codec, FormatParams},
    media::{Frequency, MediaKind},
    net::{Protocol, Receive},
    rtp::{RtpWrite, SeqNo, Ssrc},
};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant as TokioInstant, MissedTickBehavior, interval, sleep_until},
};

use super::sockets::{Addresses, Sockets};
use ice::{add_local, credentials, remote_candidate};
use remote::Remote;

mod ice;
mod remote;

use crate::{
    call::{MediaFailure, Moved, Role},
    media::{
        Coding, Encoded, PAYLOAD_BYTES_MAX, Packet, Seq, Timestamp, payload_type,
        watchdog::{Sign, Watchdog},
    },
};

/// The media's name; there is one, so any will do.
const MID: &str = "0";

/// RTP of the caller, and of the callee. The two meet on a path of their own, so fixed numbers
/// cannot collide.
const SSRC: [u32; 2] = [1, 2];

/// Longer datagrams are none of ours.
const DATAGRAM_MAX: usize = 1500;

/// So many datagrams are taken before voice has its turn.
const DATAGRAMS_AT_ONCE: usize = 32;

/// How often each side reports to the other, whether it speaks or not.
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// How often it is looked whether this machine's addresses have changed.
const FOLLOW_EVERY: Duration = Duration::from_secs(1);

/// From one change of the peer's addresses that counts to the next; of those that it tells of in
/// between, the newest does.
const MOVES_APART: Duration = Duration::from_secs(1);

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
}

/// Takes received packets and never waits.
pub type PacketSink = Box<dyn Fn(Packet) + Send>;

/// How voice gets to the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Path {
    /// By which way.
    pub kind: PathKind,
    /// Where it is sent.
    pub remote: SocketAddr,
}

/// By which way voice goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PathKind {
    /// From this phone to the other one, and nobody in between takes it on.
    Direct,
}

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
    /// Where voice is sent, which is where it comes from as well unless the peer has just moved.
    /// Told when that is another, and again with every round trip.
    Path(Path),
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
    let mut config = RtcConfig::new()
        .set_local_ice_credentials(creds)
        .clear_codecs();
    for payload_type in [payload_type::OPUS, payload_type::RED] {
        // It takes voice on as it is, in either form.
        config.codec_config().add_config(
            payload_type.into(),
            None,
            Codec::Opus,
            Frequency::FORTY_EIGHT_KHZ,
            Some(2),
            FormatParams::default(),
        );
    }
    let mut rtc = config
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

impl Prepared {
    /// Runs the link until `orders` ends, or it fails. How the peer's addresses are different from
    /// those of its offer is in `moved`, and voice to send comes from `voice`.
    pub async fn run(
        self,
        remote: MediaOffer,
        role: Role,
        orders: mpsc::Receiver<Order>,
        moved: watch::Receiver<Moved>,
        voice: mpsc::Receiver<Encoded>,
        report: impl Fn(Report),
    ) {
        let now = Instant::now();
        let theirs = match role {
            Role::Caller => SSRC[1],
            Role::Callee => SSRC[0],
        };
        let mut link = Link::new(self, role, report, now);
        let failed = match link.start(&remote, theirs.into(), now) {
            Ok(()) => link.serve(orders, moved, voice).await,
            Err(failure) => Some(failure),
        };
        let left_out = link.remote.left_out();
        if left_out > 0 {
            tracing::warn!(left_out, "the peer has had too many addresses");
        }
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
    remote: Remote,
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
    /// Whether the newest datagram was authentic.
    authentic: bool,
    /// Where voice is sent.
    sends_to: Option<SocketAddr>,
    /// From when on another path may be taken because the peer speaks on it.
    turns_from: Instant,
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
    fn new(prepared: Prepared, role: Role, report: F, now: Instant) -> Self {
        let Prepared {
            sockets,
            addresses,
            rtc,
            offer,
        } = prepared;
        let own = match role {
            Role::Caller => SSRC[0],
            Role::Callee => SSRC[1],
        };
        let mut random = [0; 6];
        // Without randomness there would have been no keys; zeros are no harm here.
        let _ = getrandom::fill(&mut random);
        Self {
            sockets,
            addresses,
            offered: offer.candidates.to_vec(),
            current: offer.candidates.to_vec(),
            remote: Remote::default(),
            rtc,
            role,
            own: own.into(),
            // RFC 3550, 5.1: both start at random, the first far from where it wraps.
            seq: u64::from(u16::from_be_bytes([random[0], random[1]]) >> 1),
            timestamp: u32::from_be_bytes([random[2], random[3], random[4], random[5]]),
            speaking: false,
            connected: false,
            watchdog: Watchdog::default(),
            authentic: false,
            sends_to: None,
            turns_from: now,
            wake: now,
            deliver: None,
            report,
        }
    }

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
        let offered = self.remote.offered(&remote.candidates);
        self.change_remote(&[], &offered)?;
        self.drain(now)
    }

    /// Tells ICE which of the peer's addresses are gone, and then which there are.
    fn change_remote(
        &mut self,
        gone: &[Candidate],
        added: &[Candidate],
    ) -> Result<(), MediaFailure> {
        let rtc = &mut self.rtc;
        guarded(|| {
            for candidate in gone {
                rtc.direct_api()
                    .invalidate_candidate(&remote_candidate(candidate));
            }
            for candidate in added {
                rtc.add_remote_candidate(remote_candidate(candidate));
            }
            Ok(())
        })
    }

    fn peer_moved(&mut self, moved: &Moved, now: Instant) -> Result<(), MediaFailure> {
        let change = self.remote.moved(moved);
        self.change_remote(&change.gone, &change.added)?;
        self.input(Input::Timeout(now), now)
    }

    /// Looks for a path anew. The side that controls ICE stays with a path that has worked for far
    /// longer than people wait, although the other side may send from another address by now.
    fn seek_path(&mut self) -> Result<(), MediaFailure> {
        if self.role == Role::Callee {
            return Ok(());
        }
        let all = self.remote.in_use();
        self.change_remote(&all, &all)
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
        mut moved: watch::Receiver<Moved>,
        mut voice: mpsc::Receiver<Encoded>,
    ) -> Option<MediaFailure> {
        let mut buffer = vec![0; DATAGRAM_MAX + 1];
        let mut voice_open = true;
        let mut follow = interval(FOLLOW_EVERY);
        follow.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut moves_from = TokioInstant::now();
        loop {
            let wake = TokioInstant::from_std(self.wake_at());
            let peer_moves = async {
                sleep_until(moves_from).await;
                moved.changed().await
            };
            let result = tokio::select! {
                // Voice first: it is what everything else is for. Datagrams come near the end,
                // since a stranger can send so many that there is always one.
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
                    None => {
                        // Tells the peer's DTLS; its call is told by a Bye.
                        let _ = guarded(|| self.rtc.close());
                        let _ = self.drain(Instant::now());
                        return None;
                    }
                },
                Ok(()) = peer_moves => {
                    moves_from = TokioInstant::now() + MOVES_APART;
                    let newest = moved.borrow_and_update().clone();
                    self.peer_moved(&newest, Instant::now())
                }
                _ = follow.tick() => match self.addresses.now() {
                    Ok(ips) => self.follow(&ips, Instant::now()),
                    // What is not known now is known a second later.
                    Err(_) => Ok(()),
                },
                received = std::future::poll_fn(|cx| self.sockets.poll_receive(&mut buffer, cx))
                    => self.receive_some(received, &mut buffer),
                () = sleep_until(wake) => self.due(Instant::now()),
            };
            if let Err(failure) = result {
                return Some(failure);
            }
        }
    }

    /// When there is something to do, whether anything comes or not.
    fn wake_at(&self) -> Instant {
        let watched = self.watchdog.poll_timeout();
        watched.map_or(self.wake, |at| at.min(self.wake))
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
        if !self.speaking || !self.connected || encoded.payload.len() > PAYLOAD_BYTES_MAX {
            return Ok(());
        }
        let Encoded {
            timestamp,
            marker,
            payload,
            coding,
        } = encoded;
        let payload_type = match coding {
            Coding::Opus => payload_type::OPUS,
            Coding::Red => payload_type::RED,
        };
        let (seq, timestamp) = (
            SeqNo::from(self.seq),
            self.timestamp.wrapping_add(timestamp.0),
        );
        self.seq += 1;
        if let Some(stream) = self.rtc.direct_api().stream_tx(&self.own) {
            let packet = RtpWrite::new(payload_type.into(), seq, timestamp, now, payload);
            stream.write_rtp(packet.marker(marker));
        }
        // The packet leaves with the next input, so there is one at once.
        self.input(Input::Timeout(now), now)
    }

    /// Takes the datagram in `buffer`, and those that wait behind it. Then it does what is due, for
    /// which there may be no other time while they keep coming.
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
        let now = Instant::now();
        if now < self.wake_at() {
            return Ok(());
        }
        self.due(now)
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
        if !guarded(|| Ok(self.rtc.accepts(&input)))? || !self.remote.heard_from(source) {
            return Ok(());
        }
        self.authentic = false;
        let rtc = &mut self.rtc;
        match guarded(|| rtc.handle_input(input)) {
            // Whoever can send from the peer's address must not be able to end a call that is up;
            // should the peer really be broken, it falls silent.
            Err(MediaFailure::Failed) if self.connected => {}
            Err(failure) => return Err(failure),
            Ok(()) => {}
        }
        self.drain(now)?;
        if self.authentic {
            self.turn_to(source, now)?;
        }
        Ok(())
    }

    /// Leaves the path that voice is sent on if the side that controls ICE speaks on another one.
    /// Otherwise ICE stays with whichever of them it likes better, although it may be dead.
    fn turn_to(&mut self, source: SocketAddr, now: Instant) -> Result<(), MediaFailure> {
        let stays = self.sends_to.is_none_or(|to| to == source);
        if self.role == Role::Caller || stays || now < self.turns_from {
            return Ok(());
        }
        self.turns_from = now + MOVES_APART;
        let mut old = self.remote.in_use();
        old.retain(|candidate| Some(candidate.addr) == self.sends_to);
        self.change_remote(&old, &old)?;
        self.input(Input::Timeout(now), now)
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
                    // RTP and RTCP, by their first byte (RFC 7983).
                    if matches!(transmit.contents.first(), Some(128..=191))
                        && self.sends_to.replace(to) != Some(to)
                    {
                        self.tell_path();
                    }
                    self.sockets.send(from, to, &transmit.contents);
                }
                Output::Event(event) => self.event(event, now),
            }
        }
    }

    fn event(&mut self, event: Event, now: Instant) {
        match event {
            Event::RtpPacket(packet) => {
                let coding = match *packet.header.payload_type {
                    payload_type::OPUS => Coding::Opus,
                    payload_type::RED => Coding::Red,
                    _ => return,
                };
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
                        coding,
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
                    self.tell_path();
                }
            }
            _ => {}
        }
        if !self.connected && self.rtc.is_connected() {
            self.connected = true;
            (self.report)(Report::Connected);
        }
    }

    fn tell_path(&self) {
        if let Some(remote) = self.sends_to {
            let kind = PathKind::Direct;
            (self.report)(Report::Path(Path { kind, remote }));
        }
    }

    fn heard(&mut self, now: Instant) {
        self.authentic = true;
        if self.watchdog.heard(now).is_some() {
            (self.report)(Report::Reconnected);
        }
    }
}

#[cfg(test)]
mod tests;
