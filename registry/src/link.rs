//! Frames over a byte stream: what every connection of a registry, a lookup and a phone is made of.

use std::{
    fmt,
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use codec::frame::{FrameDecoder, FrameError};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What is read at once. On the stack, so that an idle connection holds no read buffer.
const READ_BYTES: usize = 8 * 1024;

/// What may wait to be written before the peer counts as a slow reader: four of the longest frames.
const UNWRITTEN_MAX: usize = 4 * codec::frame::MAX_FRAME;

/// Above this no more frames are read: who does not take answers may not ask on.
const UNWRITTEN_HIGH: usize = codec::frame::MAX_FRAME;

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
    /// Frames over `stream`.
    pub fn new(stream: S) -> Self {
        Self {
            stream,
            decoder: FrameDecoder::default(),
            unread: Vec::new(),
            decoded: 0,
            unwritten: Vec::new(),
            written: 0,
        }
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
    /// Those of the stream.
    pub async fn receive(&mut self) -> io::Result<Received> {
        poll_fn(|cx| self.poll_receive(cx)).await
    }

    /// Writes everything that is queued.
    ///
    /// # Errors
    /// Those of the stream.
    pub async fn flush(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.poll_write_out(cx)).await
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
                return Poll::Pending;
            }
            if let Some(received) = self.decode() {
                return Poll::Ready(Ok(received));
            }
            if ready!(self.poll_read_some(cx))? == 0 {
                return Poll::Ready(Ok(Received::End));
            }
        }
    }

    fn decode(&mut self) -> Option<Received> {
        let mut rest = &self.unread[self.decoded..];
        let found = self.decoder.next(&mut rest);
        self.decoded = self.unread.len() - rest.len();
        if self.decoded == self.unread.len() {
            self.unread = Vec::new();
            self.decoded = 0;
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
                bytes => self.written += bytes,
            }
        }
        self.unwritten = Vec::new();
        self.written = 0;
        Pin::new(&mut self.stream).poll_flush(cx)
    }
}

#[cfg(test)]
mod tests {
    use codec::frame::to_frame;
    use tokio::io::AsyncWriteExt;

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
