//! Frames over a byte stream: what every connection of a registry, a lookup and a phone is made of.

use std::{
    fmt,
    future::{Future, poll_fn},
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use codec::frame::{FrameDecoder, FrameError};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// What is read at once. On the stack, so that an idle connection holds no read buffer.
const READ_BYTES: usize = 8 * 1024;

/// What may wait to be written before the peer counts as a slow reader: four of the longest frames.
const UNWRITTEN_MAX: usize = 4 * codec::frame::MAX_FRAME;

/// Above this no more frames are read: who does not take answers may not ask on.
const UNWRITTEN_HIGH: usize = codec::frame::MAX_FRAME;

/// So much has to be read by the peer before [`Patience::unread`] begins anew: who reads a byte now
/// and then is a slow reader all the same.
const PROGRESS_BYTES: usize = 16 * 1024;

/// How long a peer may be half done with something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// From the first byte of a frame to its last.
    pub frame: Duration,
    /// Until the next 16 KiB of what waits for it are read, or all of it.
    pub unread: Duration,
}

/// What a peer was half done with for too long. It comes inside an error of the kind
/// [`io::ErrorKind::TimedOut`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stalled {
    /// A frame was begun and not finished.
    Frame,
    /// It does not read what it is sent.
    Reader,
}

impl Stalled {
    /// Whether this is why a link failed.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }
}

impl fmt::Display for Stalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frame => f.write_str("the peer did not finish a frame"),
            Self::Reader => SlowReader.fmt(f),
        }
    }
}

impl std::error::Error for Stalled {}

/// Runs only while there is something to be patient about; idle connections hold none.
type Timer = Option<Pin<Box<Sleep>>>;

/// Frames over a byte stream. Everything half read or half written is in here and not in the
/// futures, so every method may be cancelled and called again.
#[derive(Debug)]
pub struct FrameLink<S> {
    stream: S,
    decoder: FrameDecoder,
    /// Read, not yet decoded; the first `decoded` bytes of it are.
    unread: Vec<u8>,
    decoded: usize,
    /// Queued, not yet written; the first `written` bytes of it are.
    unwritten: Vec<u8>,
    written: usize,
    /// The stream has taken something that it could not hand on yet.
    holds_back: bool,
    patience: Option<Patience>,
    finishing: Timer,
    reading: Timer,
    /// Written since `reading` began.
    progress: usize,
}

/// What came over a link.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// A frame's payload.
    Payload(Vec<u8>),
    /// A frame that could not be read; the next may be good.
    Bad(FrameError),
    /// The peer closed its side.
    End,
}

/// The peer takes less than it is sent; the connection is of no more use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlowReader;

impl fmt::Display for SlowReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the peer does not read what it is sent")
    }
}

impl std::error::Error for SlowReader {}

impl<S: AsyncRead + AsyncWrite + Unpin> FrameLink<S> {
    /// Frames over `stream`, with all the patience of the world.
    pub fn new(stream: S) -> Self {
        Self {
            stream,
            decoder: FrameDecoder::default(),
            unread: Vec::new(),
            decoded: 0,
            unwritten: Vec::new(),
            written: 0,
            holds_back: false,
            patience: None,
            finishing: None,
            reading: None,
            progress: 0,
        }
    }

    /// The same, but [`FrameLink::receive`] and [`FrameLink::flush`] fail with [`Stalled`] when the
    /// peer is half done with something for longer than this.
    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Self {
        let patience = Some(patience);
        Self { patience, ..self }
    }

    /// The stream underneath.
    pub fn stream(&self) -> &S {
        &self.stream
    }

    /// Queues a whole frame. It is written by [`FrameLink::receive`] or [`FrameLink::flush`].
    ///
    /// # Errors
    /// [`SlowReader`] when too much waits already.
    pub fn queue(&mut self, frame: &[u8]) -> Result<(), SlowReader> {
        if self.unwritten.len() - self.written + frame.len() > UNWRITTEN_MAX {
            return Err(SlowReader);
        }
        if self.written >= UNWRITTEN_HIGH {
            // Whoever always leaves something unread would otherwise let this grow for ever.
            self.unwritten.drain(..self.written);
            self.written = 0;
        }
        self.unwritten.extend_from_slice(frame);
        Ok(())
    }

    /// Whether so much waits to be written that no more frames are read until it is.
    pub fn is_congested(&self) -> bool {
        self.unwritten.len() - self.written > UNWRITTEN_HIGH
    }

    /// Writes what is queued and waits for the next frame.
    ///
    /// # Errors
    /// Those of the stream, and [`Stalled`].
    pub async fn receive(&mut self) -> io::Result<Received> {
        poll_fn(|cx| self.poll_receive(cx)).await
    }

    /// Writes everything that is queued.
    ///
    /// # Errors
    /// Those of the stream, and [`Stalled`].
    pub async fn flush(&mut self) -> io::Result<()> {
        poll_fn(|cx| match self.poll_write_out(cx) {
            Poll::Pending => self.poll_patience(cx, false),
            ready => ready,
        })
        .await
    }

    /// Writes until the link is congested no more; reads nothing meanwhile, as
    /// [`FrameLink::receive`] does not either. For who has to do something else then.
    ///
    /// # Errors
    /// Those of the stream, and [`Stalled`].
    pub async fn relieve(&mut self) -> io::Result<()> {
        poll_fn(|cx| match self.poll_write_out(cx) {
            Poll::Pending if self.is_congested() => self.poll_patience(cx, false),
            Poll::Pending => Poll::Ready(Ok(())),
            ready => ready,
        })
        .await
    }

    /// Writes everything that is queued and closes this side.
    ///
    /// # Errors
    /// Those of the stream.
    pub async fn close(&mut self) -> io::Result<()> {
        self.flush().await?;
        poll_fn(|cx| Pin::new(&mut self.stream).poll_shutdown(cx)).await
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Received>> {
        loop {
            if self.poll_write_out(cx)?.is_pending() && self.is_congested() {
                return self
                    .poll_patience(cx, false)
                    .map(|stalled| stalled.map(|()| Received::End));
            }
            if let Some(received) = self.decode() {
                return Poll::Ready(Ok(received));
            }
            match self.poll_read_some(cx)? {
                Poll::Ready(0) => return Poll::Ready(Ok(Received::End)),
                Poll::Ready(_) => {}
                Poll::Pending => {
                    return self
                        .poll_patience(cx, true)
                        .map(|stalled| stalled.map(|()| Received::End));
                }
            }
        }
    }

    /// Fails when the peer is half done with something for too long, and waits until then; to be
    /// called when there is nothing else to do. While nothing is read the peer is not at fault for
    /// a frame without an end, so the time for that begins anew when something is.
    fn poll_patience(&mut self, cx: &mut Context<'_>, reads: bool) -> Poll<io::Result<()>> {
        let Some(Patience { frame, unread }) = self.patience else {
            return Poll::Pending;
        };
        let unfinished = reads && self.decoder.is_mid_frame();
        ready_or_idle(&mut self.finishing, unfinished, frame, Stalled::Frame, cx)?;
        let waits = self.holds_back || self.written < self.unwritten.len();
        if !waits || self.progress >= PROGRESS_BYTES {
            (self.reading, self.progress) = (None, 0);
        }
        ready_or_idle(&mut self.reading, waits, unread, Stalled::Reader, cx)?;
        Poll::Pending
    }

    fn decode(&mut self) -> Option<Received> {
        let mut rest = &self.unread[self.decoded..];
        let found = self.decoder.next(&mut rest);
        self.decoded = self.unread.len() - rest.len();
        if self.decoded == self.unread.len() {
            self.unread = Vec::new();
            self.decoded = 0;
        }
        if found.is_some() {
            self.finishing = None;
        }
        found.map(|frame| frame.map_or_else(Received::Bad, Received::Payload))
    }

    fn poll_read_some(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut bytes = [0; READ_BYTES];
        let mut buffer = ReadBuf::new(&mut bytes);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
        self.unread.extend_from_slice(buffer.filled());
        Poll::Ready(Ok(buffer.filled().len()))
    }

    fn poll_write_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.unwritten.len() {
            let rest = &self.unwritten[self.written..];
            match ready!(Pin::new(&mut self.stream).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                bytes => {
                    self.written += bytes;
                    self.progress += bytes;
                }
            }
        }
        self.unwritten = Vec::new();
        self.written = 0;
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.holds_back = flushed.is_pending();
        flushed
    }
}

/// Lets `timer` run while it is `on`, and fails when it has run out.
fn ready_or_idle(
    timer: &mut Timer,
    on: bool,
    within: Duration,
    stalled: Stalled,
    cx: &mut Context<'_>,
) -> io::Result<()> {
    if !on {
        *timer = None;
        return Ok(());
    }
    let running = timer.get_or_insert_with(|| Box::pin(sleep(within)));
    match running.as_mut().poll(cx) {
        Poll::Ready(()) => Err(io::Error::new(io::ErrorKind::TimedOut, stalled)),
        Poll::Pending => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use codec::frame::to_frame;
    use tokio::{
        io::AsyncWriteExt,
        time::{Instant, timeout},
    };

    use super::*;

    #[tokio::test]
    async fn frames_in_pieces_and_in_heaps_all_arrive() {
        let (near, mut far) = tokio::io::duplex(3);
        let sender = tokio::task::spawn(async move {
            for number in 0..100u8 {
                far.write_all(&to_frame(&number).unwrap()).await.unwrap();
            }
        });
        let mut link = FrameLink::new(near);
        for number in 0..100u8 {
            assert_eq!(
                link.receive().await.unwrap(),
                Received::Payload(vec![number])
            );
        }
        sender.await.unwrap();
        assert_eq!(link.receive().await.unwrap(), Received::End);
        assert_eq!(link.unread.capacity(), 0);
    }

    #[tokio::test]
    async fn a_cancelled_receive_loses_nothing() {
        let (near, mut far) = tokio::io::duplex(64);
        let mut link = FrameLink::new(near);
        let frame = to_frame(&"hello".to_owned()).unwrap();
        far.write_all(&frame[..3]).await.unwrap();
        tokio::select! {
            biased;
            _ = link.receive() => panic!("half a frame is no frame"),
            () = tokio::task::yield_now() => {}
        }
        far.write_all(&frame[3..]).await.unwrap();
        assert!(matches!(
            link.receive().await.unwrap(),
            Received::Payload(_)
        ));
    }

    #[tokio::test]
    async fn a_peer_that_reads_nothing_is_told_apart() {
        let (near, _far) = tokio::io::duplex(64);
        let mut link = FrameLink::new(near);
        let frame = vec![1; 60_000];
        let queued = (0..10).map_while(|_| link.queue(&frame).ok()).count();
        assert_eq!(queued, 4);
    }

    const PATIENCE: Patience = Patience {
        frame: Duration::from_secs(20),
        unread: Duration::from_secs(30),
    };

    async fn failed<S: AsyncRead + AsyncWrite + Unpin>(link: &mut FrameLink<S>) -> Stalled {
        Stalled::of(&link.receive().await.unwrap_err()).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_frame_byte_by_byte_is_waited_for_once_and_not_anew_for_every_byte() {
        let (near, mut far) = tokio::io::duplex(64);
        let mut link = FrameLink::new(near).with_patience(PATIENCE);
        // A silent peer is not half done with anything.
        assert!(timeout(PATIENCE.frame * 9, link.receive()).await.is_err());
        let start = Instant::now();
        let trickle = async {
            loop {
                far.write_all(&[1]).await.unwrap();
                sleep(Duration::from_secs(1)).await;
            }
        };
        tokio::select! {
            stalled = failed(&mut link) => assert_eq!(stalled, Stalled::Frame),
            () = trickle => {}
        }
        assert_eq!(start.elapsed(), PATIENCE.frame);
    }

    #[tokio::test(start_paused = true)]
    async fn frames_that_end_in_time_never_stall() {
        let (near, mut far) = tokio::io::duplex(64);
        let mut link = FrameLink::new(near).with_patience(PATIENCE);
        let frame = to_frame(&7u8).unwrap();
        let mut sender = tokio::task::JoinSet::new();
        sender.spawn(async move {
            for _ in 0..20 {
                far.write_all(&frame[..2]).await.unwrap();
                sleep(PATIENCE.frame - Duration::from_secs(1)).await;
                far.write_all(&frame[2..]).await.unwrap();
            }
        });
        for _ in 0..20 {
            assert_eq!(link.receive().await.unwrap(), Received::Payload(vec![7]));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_nothing_or_a_byte_now_and_then_is_a_slow_reader() {
        for trickles in [false, true] {
            let (near, mut far) = tokio::io::duplex(64);
            let mut link = FrameLink::new(near).with_patience(PATIENCE);
            link.queue(&[1; 50_000]).unwrap();
            let start = Instant::now();
            let read = async {
                loop {
                    sleep(Duration::from_secs(1)).await;
                    if trickles {
                        tokio::io::AsyncReadExt::read_u8(&mut far).await.unwrap();
                    }
                }
            };
            tokio::select! {
                stalled = failed(&mut link) => assert_eq!(stalled, Stalled::Reader),
                () = read => {}
            }
            assert_eq!(start.elapsed(), PATIENCE.unread);
        }
    }

    /// Takes everything and hands nothing on, as TLS does while its peer does not read.
    struct HoldsBack;

    impl AsyncRead for HoldsBack {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    impl AsyncWrite for HoldsBack {
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_inside_tls_is_unread_as_well() {
        let mut link = FrameLink::new(HoldsBack).with_patience(PATIENCE);
        link.queue(&[1; 100]).unwrap();
        let start = Instant::now();
        assert_eq!(failed(&mut link).await, Stalled::Reader);
        assert_eq!(start.elapsed(), PATIENCE.unread);
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_slowly_is_not_blamed_for_a_frame_that_nobody_reads() {
        let (near, mut far) = tokio::io::duplex(UNWRITTEN_HIGH);
        let mut link = FrameLink::new(near).with_patience(PATIENCE);
        let frame = to_frame(&7u8).unwrap();
        far.write_all(&frame[..2]).await.unwrap();
        let moment = Duration::from_millis(1);
        assert!(timeout(moment, link.receive()).await.is_err());
        for _ in 0..3 {
            link.queue(&[1; 60_000]).unwrap();
        }
        assert!(timeout(moment, link.receive()).await.is_err());
        assert!(link.is_congested());
        // Finished at once, but not read before the answers are, which takes longer than a frame
        // may; the peer reads fast enough all the same.
        far.write_all(&frame[2..]).await.unwrap();
        let reading = async {
            let mut bytes = vec![0; PROGRESS_BYTES];
            loop {
                sleep(PATIENCE.unread - Duration::from_secs(5)).await;
                tokio::io::AsyncReadExt::read_exact(&mut far, &mut bytes)
                    .await
                    .unwrap();
            }
        };
        tokio::select! {
            received = link.receive() => assert_eq!(received.unwrap(), Received::Payload(vec![7])),
            () = reading => {}
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_link_is_relieved_as_soon_as_less_waits_and_not_before() {
        let (near, mut far) = tokio::io::duplex(1000);
        let mut link = FrameLink::new(near).with_patience(PATIENCE);
        link.relieve().await.unwrap();
        link.queue(&[1; 60_000]).unwrap();
        link.queue(&[1; 10_000]).unwrap();
        assert!(
            timeout(Duration::from_secs(1), link.relieve())
                .await
                .is_err()
        );
        let mut bytes = vec![0; 4000];
        let read = tokio::io::AsyncReadExt::read_exact(&mut far, &mut bytes);
        let (relieved, read) = tokio::join!(link.relieve(), read);
        assert!(relieved.is_ok() && read.is_ok());
        assert!(!link.is_congested() && link.written < link.unwritten.len());
        link.queue(&[1; 20_000]).unwrap();
        let stalled = Stalled::of(&link.relieve().await.unwrap_err());
        assert_eq!(stalled, Some(Stalled::Reader));
    }

    #[tokio::test]
    async fn what_was_written_is_not_kept_for_a_peer_that_always_lags() {
        let (near, mut far) = tokio::io::duplex(UNWRITTEN_HIGH);
        let mut link = FrameLink::new(near);
        let mut read = vec![0; 10_000];
        link.queue(&[1; UNWRITTEN_HIGH]).unwrap();
        for _ in 0..100 {
            link.queue(&read).unwrap();
            tokio::select! {
                biased;
                _ = link.receive() => panic!("nothing was sent"),
                () = tokio::task::yield_now() => {}
            }
            tokio::io::AsyncReadExt::read_exact(&mut far, &mut read)
                .await
                .unwrap();
            assert!(link.unwritten.len() < 3 * UNWRITTEN_HIGH);
        }
    }

    #[tokio::test]
    async fn requests_in_a_heap_are_answered_as_fast_as_the_answers_are_read() {
        let (near, far) = tokio::io::duplex(16 * 1024);
        let (mut reader, mut writer) = tokio::io::split(far);
        let asking = tokio::task::spawn(async move {
            for number in 0..1000u16 {
                writer.write_all(&to_frame(&number).unwrap()).await.unwrap();
            }
        });
        let answer = vec![7; 2000];
        let reading = tokio::task::spawn(async move {
            let mut all = vec![0; 1000 * 2000];
            tokio::io::AsyncReadExt::read_exact(&mut reader, &mut all).await
        });
        let mut link = FrameLink::new(near);
        for _ in 0..1000 {
            assert!(matches!(
                link.receive().await.unwrap(),
                Received::Payload(_)
            ));
            link.queue(&answer)
                .expect("a peer that reads is no slow reader");
        }
        link.flush().await.unwrap();
        asking.await.unwrap();
        assert_eq!(reading.await.unwrap().unwrap(), 1000 * 2000);
    }
}
