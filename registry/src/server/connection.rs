//! One connection: runs its session, and does what the session wants done.

use std::{
    future::pending,
    io,
    net::SocketAddr,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use codec::{
    DeviceId, Envelope, IdentityKey, List, Name,
    frame::{MAX_FRAME, to_frame},
    greeting::{Answer, Exporter, Nonce, Unwelcome},
    registry::{Refusal, Watch},
};
use socket2::{SockRef, TcpKeepalive};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant as TokioInstant, sleep_until, timeout, timeout_at},
};

use super::{
    Guest, Leave, QUIET, Shared,
    outbox::{Delivery, Outbox},
    rates::Asker,
};
use crate::{
    event::Event,
    limits::{Count, Source},
    link::{FrameLink, Patience, Received, Stalled},
    session::{Answered, Ask, Input, Output, Session, Setup},
    store::{Moment, Store},
    table::{Change, ConnectionId},
    tls::{self, Stream},
};

/// How long the last frames of a connection may take to be written.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// A peer that is silent for so long is asked by the system whether it is still there (RFC 9293,
/// 3.8.4), again at this interval, and so often: who vanished is noticed after 105 s.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(60);
const KEEPALIVE_EVERY: Duration = Duration::from_secs(15);
const KEEPALIVE_TIMES: u32 = 3;

/// Serves one connection to its end.
pub(super) async fn serve<S: Store>(
    stream: TcpStream,
    peer: SocketAddr,
    guest: Guest<S>,
    leave: Leave,
) {
    let shared = &guest.shared;
    shared.events.tell(Event::Connected { peer });
    let id = ConnectionId(shared.last_connection.fetch_add(1, Relaxed));
    let mut place = Place {
        id,
        peer,
        source: Source::from(peer.ip()),
        identity: None,
        outbox: None,
        joined: Vec::new(),
        watch: nothing(),
    };
    let ended = talk(stream, peer, shared, &leave, &mut place).await;
    for (name, device) in place.joined {
        shared.routes.leave(&name, device, id);
    }
    shared.watches.end((id, place.source), &place.watch);
    if let Some(identity) = &place.identity {
        shared.present.leave(identity, id);
    }
    let why = ended.unwrap_or_else(|error| error.to_string());
    shared.events.tell(Event::Disconnected { peer, why });
}

/// Tells a peer why it is not served, and takes in what it may have said meanwhile: a connection
/// that is closed with something unread in it may lose its last words.
pub(super) async fn refuse(mut stream: TcpStream, reason: Unwelcome) {
    let answer = to_frame(&Answer::new(Err(reason))).expect("an answer without content is short");
    let say = async {
        stream.write_all(&answer).await?;
        stream.shutdown().await?;
        let mut hello = [0; 512];
        let mut left = MAX_FRAME;
        while left > 0 {
            match stream.read(&mut hello).await? {
                0 => break,
                read => left = left.saturating_sub(read),
            }
        }
        io::Result::Ok(())
    };
    // Whoever does not listen is not told.
    let _ = timeout(CLOSE_WITHIN, say).await;
}

/// What a connection has with the others.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) id: ConnectionId,
    /// From where it comes.
    pub(super) peer: SocketAddr,
    pub(super) source: Source,
    /// Of a phone that is served.
    pub(super) identity: Option<IdentityKey>,
    /// Only where something may come for it.
    outbox: Option<Arc<Outbox>>,
    joined: Vec<(Name, DeviceId)>,
    watch: Watch,
}

impl Place {
    /// Whose requests come from here.
    pub(super) fn asker(&self) -> Asker {
        Asker {
            source: self.source,
            identity: self.identity,
            member: !self.joined.is_empty(),
        }
    }

    pub(super) fn outbox(&mut self) -> &Arc<Outbox> {
        self.outbox.get_or_insert_default()
    }

    /// What others have for this connection, if they may have anything and it takes it; with
    /// `calls_only` no changes.
    async fn next(&self, takes: bool, calls_only: bool) -> Delivery {
        match &self.outbox {
            Some(outbox) if takes => outbox.next(calls_only).await,
            _ => pending().await,
        }
    }
}

/// A watch that has ended.
fn nothing() -> Watch {
    Watch::Names(List::default())
}

fn keep_alive(stream: &TcpStream) -> io::Result<()> {
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_AFTER)
        .with_interval(KEEPALIVE_EVERY)
        .with_retries(KEEPALIVE_TIMES);
    SockRef::from(stream).set_tcp_keepalive(&keepalive)
}

/// What a connection turned out to be.
enum Opened {
    /// One that carries frames.
    Frames(Stream, Exporter),
    /// One that has ended, and why.
    Ended(String),
}

/// Looks at the first byte of a connection, and sets TLS up if it is one of TLS.
async fn open<S: Store>(
    stream: TcpStream,
    peer: SocketAddr,
    shared: &Shared<S>,
    until: Instant,
) -> io::Result<Opened> {
    stream.set_nodelay(true)?;
    keep_alive(&stream)?;
    let until = TokioInstant::from_std(until);
    let turn_away = async |stream, reason, count| {
        shared.counters.add(count);
        refuse(stream, reason).await;
        Ok(Opened::Ended(format!("turned away: {reason}")))
    };
    let mut first = [0];
    match timeout_at(until, stream.peek(&mut first)).await {
        Err(_) => return turn_away(stream, Unwelcome::TooSlow, Count::LateGreeting).await,
        Ok(peeked) => {
            if peeked? == 0 {
                return Ok(Opened::Ended("the peer closed it".to_owned()));
            }
        }
    }
    if first != [tls::FIRST_BYTE] {
        if !shared.config.plain.takes(peer.ip()) {
            return turn_away(stream, Unwelcome::PlainRefused, Count::PlainRefused).await;
        }
        return Ok(Opened::Frames(Stream::Plain(stream), Exporter::PLAIN));
    }
    match timeout_at(until, tls::accept(stream, &shared.config.certificate)).await {
        Ok(Ok(stream)) => {
            let exporter = stream.exporter()?;
            Ok(Opened::Frames(stream, exporter))
        }
        Ok(Err(error)) => {
            shared.counters.add(Count::BadGreeting);
            Ok(Opened::Ended(format!("no TLS: {error}")))
        }
        Err(_) => {
            shared.counters.add(Count::LateGreeting);
            Ok(Opened::Ended("TLS was not set up in time".to_owned()))
        }
    }
}

/// Runs a session to its end and says why it ended.
async fn talk<S: Store>(
    stream: TcpStream,
    peer: SocketAddr,
    shared: &Shared<S>,
    leave: &Leave,
    place: &mut Place,
) -> io::Result<String> {
    let Moment { now, time } = Moment::now();
    let until = now + shared.registrar.limits.greeting;
    // In a box, because what it needs is much, and needed for a moment only.
    let opened = tokio::select! {
        opened = Box::pin(open(stream, peer, shared, until)) => opened?,
        () = leave.soon.cancelled() => return Ok("the registry stops".to_owned()),
    };
    let (stream, exporter) = match opened {
        Opened::Frames(stream, exporter) => (stream, exporter),
        Opened::Ended(why) => return Ok(why),
    };
    let mut nonce = [0; 32];
    getrandom::fill(&mut nonce).map_err(io::Error::other)?;
    let setup = Setup {
        peer,
        id: place.id,
        nonce: Nonce(nonce),
        exporter,
        now,
        time,
    };
    let mut session = Session::new(Arc::clone(&shared.registrar), setup);
    let limits = &shared.registrar.limits;
    let mut link = FrameLink::new(stream).with_patience(Patience {
        frame: limits.frame,
        unread: limits.unread,
    });
    // Once the registry is to stop, when this connection ends unless more is asked.
    let mut ends_at = None;
    loop {
        // In boxes is what runs only while there is something to do: most connections are idle
        // most of the time, and hold only what they wait with.
        let done = Box::pin(carry_out_all(&mut session, &mut link, peer, shared, place));
        if let Some(why) = done.await {
            return Ok(why);
        }
        let now = Instant::now();
        let deadline = session.poll_timeout().unwrap_or(now);
        let works_at = shared.gate().works_at(place.source, now);
        let reads_at = session.reads_at(now).max(works_at);
        let reads = reads_at <= now;
        let wake_at = if reads {
            deadline
        } else {
            deadline.min(reads_at)
        };
        let takes = !link.is_congested();
        if let Some(ends_at) = &mut ends_at
            && !reads
        {
            // What it has asked and is not read yet is answered too.
            *ends_at = TokioInstant::from_std(reads_at) + QUIET;
        }
        tokio::select! {
            received = receive(&mut link, reads) => {
                let now = Instant::now();
                if let Some(ends_at) = &mut ends_at {
                    *ends_at = TokioInstant::from_std(now) + QUIET;
                }
                match received {
                    Ok(Some(Received::Payload(payload))) => {
                        session.handle_input(Input::Payload(&payload), now);
                    }
                    Ok(Some(Received::Bad(error))) => {
                        session.handle_input(Input::BadFrame(error), now);
                    }
                    Ok(Some(Received::End)) => return Ok("the peer closed it".to_owned()),
                    Ok(None) => {}
                    Err(error) => match Stalled::of(&error) {
                        Some(Stalled::Frame) => session.handle_input(Input::Incomplete, now),
                        Some(Stalled::Reader) => session.handle_input(Input::SlowReader, now),
                        None => return Err(error),
                    },
                }
            }
            // Who has had more than a share waits for changes, but never for calls.
            delivery = place.next(takes, !reads) => {
                let delivery = shared.as_shown(delivery, &session, place);
                Box::pin(shared.deliver(delivery, &mut session)).await;
            }
            () = sleep_until(TokioInstant::from_std(wake_at)) => {
                session.handle_input(Input::Timeout, Instant::now());
            }
            () = leave.next(ends_at) => match ends_at {
                None => ends_at = Some(TokioInstant::now() + QUIET),
                Some(_) => session.handle_input(Input::Stop, Instant::now()),
            },
        }
    }
}

impl Leave {
    /// Waits until the registry is to stop; and once it is, until `ends_at` or until it stops now.
    async fn next(&self, ends_at: Option<TokioInstant>) {
        let Some(ends_at) = ends_at else {
            return self.soon.cancelled().await;
        };
        tokio::select! {
            () = sleep_until(ends_at) => {}
            () = self.now.cancelled() => {}
        }
    }
}

/// Does everything that a session wants done, and says why it ended if it did.
async fn carry_out_all<S: Store>(
    session: &mut Session,
    link: &mut FrameLink<Stream>,
    peer: SocketAddr,
    shared: &Shared<S>,
    place: &mut Place,
) -> Option<String> {
    while let Some(output) = session.poll_output() {
        match output {
            Output::Frame(frame) => {
                if link.queue(&frame).is_err() {
                    session.handle_input(Input::SlowReader, Instant::now());
                }
            }
            Output::Ask(request, ask) => {
                let answered = shared.permitted(ask, place).await;
                session.handle_input(Input::Answered(request, answered), Instant::now());
            }
            Output::Close(why) => {
                // The peer may be gone, or may not read; either way the connection ends.
                let _ = timeout(CLOSE_WITHIN, link.close()).await;
                return Some(why.to_owned());
            }
            output => shared.carry_out(output, peer, place),
        }
    }
    None
}

/// The next frame, or only writing while no frame is wanted. `None` when the link was congested and
/// is no more, so that it takes what others have for it whether or not the peer says something.
async fn receive(link: &mut FrameLink<Stream>, reads: bool) -> io::Result<Option<Received>> {
    if link.is_congested() {
        link.relieve().await?;
        return Ok(None);
    }
    if !reads {
        link.flush().await?;
        return pending().await;
    }
    link.receive().await.map(Some)
}

impl<S: Store> Shared<S> {
    /// Does what a session wants done and needs no answer to.
    fn carry_out(&self, output: Output, peer: SocketAddr, place: &mut Place) {
        match output {
            Output::Join(name, device) => {
                // Only phones that were let in register.
                let Some(identity) = place.identity else {
                    return;
                };
                let outbox = Arc::clone(place.outbox());
                self.routes.join(&name, device, identity, place.id, outbox);
                let joined = &mut place.joined;
                if !joined.contains(&(name.clone(), device)) {
                    joined.push((name, device));
                }
            }
            Output::Leave(name, device) => {
                self.routes.leave(&name, device, place.id);
                place
                    .joined
                    .retain(|known| *known != (name.clone(), device));
            }
            Output::Added(name) => self.events.tell(Event::Added { name }),
            Output::Removed(name) => {
                self.events.tell(Event::Removed {
                    name,
                    expired: false,
                });
            }
            Output::Received(message) => self.events.tell(Event::Received { peer, message }),
            Output::Sent(message) => self.events.tell(Event::Sent { peer, message }),
            Output::Work(units) => self.gate().work(place.source, units, Instant::now()),
            Output::Count(count) => self.counters.add(count),
            // Done where the connection is at hand.
            Output::Frame(_) | Output::Ask(..) | Output::Close(_) => {}
        }
    }

    /// What is delivered of changes. Who is shown the directory no more watches everybody no more:
    /// they are told that they miss something, and learn the rest when they ask.
    fn as_shown(&self, delivery: Delivery, session: &Session, place: &mut Place) -> Delivery {
        let of_changes = matches!(delivery, Delivery::Changed(_) | Delivery::Missed);
        let everybody = place.watch == Watch::Everybody;
        if !of_changes || !everybody || session.is_shown_directory(Instant::now()) {
            return delivery;
        }
        self.watches.end((place.id, place.source), &place.watch);
        place.watch = nothing();
        place.outbox().forget_changes();
        Delivery::Missed
    }

    async fn deliver(&self, delivery: Delivery, session: &mut Session) {
        match delivery {
            Delivery::Envelope(parcel) => {
                session.handle_input(Input::Envelope(&parcel.envelope), Instant::now());
            }
            Delivery::Ended(reason) => session.handle_input(Input::Ended(reason), Instant::now()),
            Delivery::Missed => session.handle_input(Input::Missed, Instant::now()),
            Delivery::Changed(name) => {
                let now = Instant::now();
                match self.store.lookup(&name, now).await {
                    Ok(record) => {
                        session.handle_input(Input::Changed(&name, Some(record.entry)), now);
                    }
                    Err(Refusal::NotFound) => {
                        session.handle_input(Input::Changed(&name, None), now);
                    }
                    // The store fails: nothing is known, so nothing is said but that.
                    Err(_) => session.handle_input(Input::Missed, now),
                }
            }
        }
    }

    /// Asks the store, or the other connections.
    pub(super) async fn answer(&self, ask: Ask, place: &mut Place, at: Moment) -> Answered {
        let now = at.now;
        match ask {
            Ask::Greet(identity) => Answered::Greet(self.greet(identity, place, now)),
            Ask::Register(registration) => {
                let name = registration.name.clone();
                let result = self.store.register(registration, at).await;
                if result.is_ok_and(|change| change != Change::Nothing) {
                    self.watches.changed(&name);
                }
                Answered::Register(result)
            }
            Ask::Refresh(renewal, expires) => {
                Answered::Refresh(self.store.refresh(renewal, expires, at).await)
            }
            Ask::Unregister(renewal) => {
                let (name, device) = (renewal.name.clone(), renewal.device);
                let result = self.store.unregister(renewal, now).await;
                if let Ok(connection) = result {
                    // The lease may have been another connection's.
                    self.routes.leave(&name, device, connection);
                    self.watches.changed(&name);
                }
                Answered::Unregister(result)
            }
            Ask::Release(name, owner) => {
                let ended = self.store.release(name, owner, at).await;
                Answered::Release(ended.map(|leases| self.end(leases, false)))
            }
            Ask::ChangeKey(change) => {
                let ended = self.store.change_key(change, at).await;
                Answered::ChangeKey(ended.map(|leases| self.end(leases, false)))
            }
            Ask::Recover(recovery) => {
                let ended = self.store.recover(recovery, at).await;
                Answered::Recover(ended.map(|leases| self.end(leases, false)))
            }
            Ask::Lookup(name) => Answered::Lookup(self.store.lookup(&name, now).await),
            Ask::List {
                prefix,
                after,
                limit,
            } => Answered::List(self.store.list(&prefix, after.as_ref(), limit, now).await),
            Ask::Forward(envelope) => {
                Answered::Forward(self.forward(envelope, place.source, now).await)
            }
            Ask::Publish {
                devices,
                connection,
                presence,
            } => {
                for (name, device) in devices {
                    let published = self.store.publish(&name, device, connection, presence, now);
                    if published.await {
                        self.watches.changed(&name);
                    }
                }
                Answered::Publish
            }
            Ask::Watch(watch) => {
                let (id, outbox) = (place.id, Arc::clone(place.outbox()));
                let watcher = (id, place.source);
                let result = self.watches.set(watcher, &place.watch, &watch, &outbox);
                place.watch = if result.is_ok() { watch } else { nothing() };
                Answered::Watch(result)
            }
        }
    }

    async fn forward(
        &self,
        envelope: Envelope,
        source: Source,
        now: Instant,
    ) -> Result<u8, Refusal> {
        // The table knows best whose a name is now: the lease that a connection remembers may have
        // been ended on another one.
        let sender = self.store.lookup(&envelope.from.name, now).await;
        if !sender.is_ok_and(|record| record.card.identity == envelope.from.identity) {
            return Err(Refusal::NotYours);
        }
        let to = envelope.to.name.clone();
        let limits = &self.registrar.limits;
        match self
            .routes
            .deliver(envelope, source, limits, &self.counters)?
        {
            0 => {
                self.store.lookup(&to, now).await?;
                Err(Refusal::Offline)
            }
            devices => Ok(devices),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn the_system_is_told_to_ask_a_silent_peer() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        assert!(!SockRef::from(&stream).keepalive().unwrap());
        keep_alive(&stream).unwrap();
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), KEEPALIVE_AFTER);
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), KEEPALIVE_EVERY);
        assert_eq!(socket.tcp_keepalive_retries().unwrap(), KEEPALIVE_TIMES);
    }
}
