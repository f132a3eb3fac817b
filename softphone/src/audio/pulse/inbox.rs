//! What a sound server sends, taken as it comes: nothing here waits.

use std::{
    io::{self, Write},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
    sync::Arc,
    time::{Duration, SystemTime},
};

use pulseaudio::protocol::{
    Command, DESCRIPTOR_SIZE, LatencyParams, PlaybackLatency, ProtocolError, RecordLatency,
    Request, TagStructRead, TagStructReader, encode_command_message, read_descriptor,
};
use rustix::net::{RecvFlags, recv};

use super::{PulseError, SAMPLE_BYTES};
use crate::audio::device::{Health, duration_at};

/// Samples that are passed on at a time, at most. A message that is no sound takes no more room.
const CHUNK: usize = 4_096;

/// Bytes of a question: 44, as the protocol is now.
const QUESTION_MAX: usize = 64;

/// So often more is taken at once, before what has come is looked at.
const TAKES_MAX: usize = 64;

/// A server that does not take what it is sent is lost.
const WRITE_MAX: Duration = Duration::from_millis(100);

/// No device takes longer than that to be told, whatever a server says.
pub(super) const LATENCY_MAX: Duration = Duration::from_secs(10);

/// What the question is numbered by, of a stream that plays ...
pub(super) const PLAYS: u32 = 1_000;

/// ... and of one that records: no other question is asked of a stream that runs.
pub(super) const RECORDS: u32 = 1_001;

/// A stream's connection, once it runs: for whoever moves the sound.
pub(super) struct Inbox {
    socket: UnixStream,
    version: u16,
    /// `filled` bytes have come that are no whole message, or no whole sample.
    bytes: Box<[u8]>,
    filled: usize,
    /// Bytes of sound that are still to come of the message that has begun.
    sound: usize,
    samples: Box<[f32]>,
    health: Arc<Health>,
    is_over: bool,
}

/// What comes, beside sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// The server wants more to play.
    Wants(Request),
    /// It has nothing left to play.
    RanEmpty,
    /// The answer to a question.
    Latency(Latency),
}

/// How long sound takes in the server and its device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Latency {
    /// In the device.
    device: Duration,
    /// Bytes that wait in the server.
    queued: u64,
}

impl Latency {
    fn read(asked: u32, mut reply: &[u8], version: u16) -> Option<Self> {
        let mut reader = TagStructReader::new(&mut reply, version);
        let (micros, written, read) = if asked == PLAYS {
            let told = PlaybackLatency::read(&mut reader, version).ok()?;
            (told.sink_usec, told.write_offset, told.read_offset)
        } else {
            let told = RecordLatency::read(&mut reader, version).ok()?;
            (told.source_usec, told.write_offset, told.read_offset)
        };
        Some(Self {
            device: Duration::from_micros(micros).min(LATENCY_MAX),
            queued: u64::try_from(written.saturating_sub(read)).unwrap_or(0),
        })
    }

    /// All in all, of sound of `rate` samples a second.
    pub(super) fn total(&self, rate: u32) -> Duration {
        let samples = self.queued / SAMPLE_BYTES as u64;
        let queued = duration_at(usize::try_from(samples).unwrap_or(usize::MAX), rate);
        (self.device + queued).min(LATENCY_MAX)
    }
}

impl Inbox {
    /// Of a connection on which a stream was opened; `early` came after the answer to that.
    /// `health` is told when it ends.
    pub(super) fn new(
        socket: UnixStream,
        early: &[u8],
        version: u16,
        health: Arc<Health>,
    ) -> Result<Self, PulseError> {
        socket.set_write_timeout(Some(WRITE_MAX))?;
        // There is always room for a whole message.
        let mut bytes = vec![0; early.len() + DESCRIPTOR_SIZE + CHUNK * SAMPLE_BYTES];
        bytes[..early.len()].copy_from_slice(early);
        Ok(Self {
            socket,
            version,
            bytes: bytes.into(),
            filled: early.len(),
            sound: 0,
            samples: vec![0.0; CHUNK].into(),
            health,
            is_over: false,
        })
    }

    /// Takes what has come, and does not wait. Sound goes to `hear`, and what else is of interest
    /// to `note`.
    pub(super) fn take(&mut self, mut hear: impl FnMut(&[f32]), mut note: impl FnMut(Came)) {
        for _ in 0..TAKES_MAX {
            if self.is_over {
                return;
            }
            let more = self.receive();
            let taken = more.and_then(|more| self.read(&mut hear, &mut note).map(|()| more));
            match taken {
                Ok(true) => {}
                Ok(false) => return,
                Err(why) => self.end(&why),
            }
        }
    }

    /// Takes as much as there is room for; whether there may be more.
    fn receive(&mut self) -> Result<bool, PulseError> {
        let room = &mut self.bytes[self.filled..];
        let size = room.len();
        match recv(&self.socket, room, RecvFlags::DONTWAIT) {
            Ok((0, _)) => Err(PulseError::Closed),
            Ok((count, _)) => {
                self.filled += count;
                Ok(count == size)
            }
            Err(error) => match io::Error::from(error) {
                error if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
                error if error.kind() == io::ErrorKind::Interrupted => Ok(true),
                error => Err(error.into()),
            },
        }
    }

    /// Reads what has come, as far as it is whole.
    fn read(
        &mut self,
        hear: &mut impl FnMut(&[f32]),
        note: &mut impl FnMut(Came),
    ) -> Result<(), PulseError> {
        let mut at = 0;
        loop {
            let came = &self.bytes[at..self.filled];
            if self.sound > 0 {
                let piece = came.len().min(self.sound).min(CHUNK * SAMPLE_BYTES);
                let (samples, rest) = came[..piece].as_chunks();
                // A server may end in the middle of a sample; nobody hears that.
                let is_end = piece == self.sound;
                let read = piece - if is_end { 0 } else { rest.len() };
                if read == 0 {
                    break;
                }
                for (sample, bytes) in self.samples.iter_mut().zip(samples) {
                    *sample = f32::from_le_bytes(*bytes);
                }
                hear(&self.samples[..samples.len()]);
                self.sound -= read;
                at += read;
                continue;
            }
            let Some((mut head, rest)) = came.split_at_checked(DESCRIPTOR_SIZE) else {
                break;
            };
            let descriptor = read_descriptor(&mut head)?;
            let length = descriptor.length as usize;
            if descriptor.channel != u32::MAX {
                self.sound = length;
                at += DESCRIPTOR_SIZE;
                continue;
            }
            if length > self.bytes.len() - DESCRIPTOR_SIZE {
                let why = format!("a message of {length} bytes");
                return Err(ProtocolError::Invalid(why).into());
            }
            let Some(message) = rest.get(..length) else {
                break;
            };
            if let Some(came) = read_message(message, self.version)? {
                note(came);
            }
            at += DESCRIPTOR_SIZE + length;
        }
        self.bytes.copy_within(at..self.filled, 0);
        self.filled -= at;
        Ok(())
    }

    /// Sends this in one piece: each piece would wake the server.
    pub(super) fn send(&mut self, message: &[u8]) {
        if !self.is_over
            && let Err(error) = (&self.socket).write_all(message)
        {
            self.end(&error.into());
        }
    }

    /// Asks how long the stream takes.
    pub(super) fn ask(&mut self, number: u32, channel: u32) {
        // It comes back with the answer, and nobody reads it there.
        let now = SystemTime::UNIX_EPOCH;
        let params = LatencyParams { channel, now };
        let question = match number {
            PLAYS => Command::GetPlaybackLatency(params),
            _ => Command::GetRecordLatency(params),
        };
        let mut message = [0; QUESTION_MAX];
        match encode_command_message(&mut message[..], number, &question, self.version) {
            Ok(length) => self.send(&message[..length]),
            Err(error) => self.end(&error.into()),
        }
    }

    /// What is to be waited for, as long as anything can come.
    pub(super) fn socket(&self) -> Option<BorrowedFd<'_>> {
        (!self.is_over).then(|| self.socket.as_fd())
    }

    fn end(&mut self, why: &PulseError) {
        self.is_over = true;
        self.health.lose(why);
    }
}

/// What a message says. What this version of the protocol does not know is of no concern to a
/// stream.
fn read_message(mut message: &[u8], version: u16) -> Result<Option<Came>, PulseError> {
    let Ok((number, command)) = Command::read_tag_prefixed(&mut message, version) else {
        return Ok(None);
    };
    Ok(match command {
        Command::Reply if [PLAYS, RECORDS].contains(&number) => {
            Latency::read(number, message, version).map(Came::Latency)
        }
        Command::Request(wanted) => Some(Came::Wants(wanted)),
        Command::Underflow(_) => Some(Came::RanEmpty),
        Command::PlaybackStreamKilled(_) | Command::RecordStreamKilled(_) => {
            return Err(PulseError::Closed);
        }
        _ => None,
    })
}
