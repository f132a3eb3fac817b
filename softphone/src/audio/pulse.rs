//! Streams of a PulseAudio server, or of PipeWire in its place: a connection and a thread for each.
//!
//! The thread waits for what the server sends and passes it on, and does nothing else. What is to
//! be played the sound thread writes by itself, with no buffer between. Why these are not the
//! streams of the sound library that finds the devices: `docs/decisions`, 0024.

mod feed;

use std::{
    ffi::CString,
    fmt,
    io::{self, BufReader, Read},
    net::Shutdown,
    os::unix::net::UnixStream,
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, SystemTime},
};

use pulseaudio::protocol::{
    AuthParams, AuthReply, ChannelMap, Command, CommandReply, CreatePlaybackStreamReply,
    CreateRecordStreamReply, DESCRIPTOR_SIZE, LatencyParams, MAX_VERSION, PlaybackLatency,
    PlaybackStreamParams, Prop, Props, ProtocolError, RecordLatency, RecordStreamParams,
    SampleFormat, SampleSpec, SetClientNameReply, TagStructRead, TagStructReader, read_descriptor,
    read_reply_message,
    stream::{BufferAttr, StreamFlags},
    write_command_message,
};

use self::feed::Asked;
pub(super) use self::feed::Feed;
use super::{
    device::{Meter, OPEN_MAX},
    priority,
};

/// Samples that a callback is given at most. A message that is no sound has no more bytes.
const CHUNK: usize = 4_096;

/// No device takes longer than that to be told, whatever a server says.
const LATENCY_MAX: Duration = Duration::from_secs(10);

/// What the question is numbered by, of a stream that plays ...
const PLAYS: u32 = 1_000;

/// ... and of one that records: no other question is asked of a stream that runs.
const RECORDS: u32 = 1_001;

/// Bytes of a sample, which is a little-endian `f32`.
const SAMPLE_BYTES: usize = size_of::<f32>();

/// A stream of one channel that is wanted.
pub(super) struct Wanted {
    /// What the server knows the device by.
    pub(super) device: String,
    /// Samples in a second.
    pub(super) rate: u32,
    /// Samples that the server is to ask for, or to deliver, at a time.
    pub(super) period: u32,
}

/// A stream that runs until this is dropped.
pub(super) struct Stream {
    socket: UnixStream,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Stream {
    fn drop(&mut self) {
        // Whatever the thread waits for, this ends it.
        let _ = self.socket.shutdown(Shutdown::Both);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::warn!("the thread of a sound stream has panicked");
        }
    }
}

/// Why there is no stream, or no more.
#[derive(Debug)]
pub(super) enum PulseError {
    /// There is no server, or not for us.
    NoServer,
    /// It has closed the stream, or its device is gone.
    Closed,
    /// It does not answer in time.
    Hangs,
    /// It refuses, or says what makes no sense.
    Protocol(ProtocolError),
    /// There is no thread for it.
    NoThread(io::Error),
}

impl fmt::Display for PulseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoServer => f.write_str("the sound server is not there"),
            Self::Closed => f.write_str("the sound server has closed it"),
            Self::Hangs => f.write_str("the sound server does not answer"),
            Self::Protocol(error) => write!(f, "{error}"),
            Self::NoThread(error) => write!(f, "no thread for it: {error}"),
        }
    }
}

impl From<ProtocolError> for PulseError {
    fn from(error: ProtocolError) -> Self {
        match error {
            ProtocolError::Io(error) => error.into(),
            error => Self::Protocol(error),
        }
    }
}

impl From<io::Error> for PulseError {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind::{BrokenPipe, ConnectionReset, TimedOut, UnexpectedEof, WouldBlock};
        match error.kind() {
            UnexpectedEof | BrokenPipe | ConnectionReset => Self::Closed,
            TimedOut | WouldBlock => Self::Hangs,
            _ => Self::Protocol(error.into()),
        }
    }
}

/// Opens a stream that plays what its [`Feed`] is given, and calls `lost` when it ends by itself.
/// Whoever feeds it is woken by `meter`. Waits for the server, for a few times [`OPEN_MAX`] at the
/// most.
///
/// # Errors
/// Any [`PulseError`]; nothing is left open then.
pub(super) fn play(
    wanted: &Wanted,
    meter: Arc<Meter>,
    lost: impl FnOnce(&PulseError) + Send + 'static,
) -> Result<(Feed, Stream), PulseError> {
    let mut server = Server::connect()?;
    let created: CreatePlaybackStreamReply =
        server.ask(&Command::CreatePlaybackStream(PlaybackStreamParams {
            sample_spec: wanted.spec(),
            channel_map: ChannelMap::mono(),
            sink_name: Some(wanted.name()?),
            buffer_attr: wanted.playing(),
            props: props(),
            flags: low_latency(),
            ..PlaybackStreamParams::default()
        }))?;
    server.playing(&created, meter, lost)
}

/// Hands what a device hears to `take`, which is called on a thread of its own, likewise. `meter`
/// is told how long the device takes until then.
///
/// # Errors
/// As [`play`].
pub(super) fn record(
    wanted: &Wanted,
    meter: Arc<Meter>,
    take: impl FnMut(&[f32]) + Send + 'static,
    lost: impl FnOnce(&PulseError) + Send + 'static,
) -> Result<Stream, PulseError> {
    let mut server = Server::connect()?;
    let created: CreateRecordStreamReply =
        server.ask(&Command::CreateRecordStream(RecordStreamParams {
            sample_spec: wanted.spec(),
            channel_map: ChannelMap::mono(),
            source_name: Some(wanted.name()?),
            buffer_attr: wanted.recording(),
            props: props(),
            flags: low_latency(),
            ..RecordStreamParams::default()
        }))?;
    let rate = created.sample_spec.sample_rate;
    server.stream("recording", lost, move |server| {
        server.record(created.channel, rate, &meter, take)
    })
}

impl Wanted {
    fn spec(&self) -> SampleSpec {
        SampleSpec {
            format: SampleFormat::Float32Le,
            channels: 1,
            sample_rate: self.rate,
        }
    }

    fn name(&self) -> Result<CString, PulseError> {
        let no_name = |_| ProtocolError::Invalid("a device with no name".to_owned());
        Ok(CString::new(self.device.as_str()).map_err(no_name)?)
    }

    /// Three periods in all: of what is above two the server gives half to the device, which is
    /// then looked after 200 times a second; with less it would be 2,000 times, for a fifth of a
    /// core. It asks for a period when it has played one, and is not filled to the brim ([`Feed`]).
    fn playing(&self) -> BufferAttr {
        let period = self.period_bytes();
        BufferAttr {
            target_length: period.saturating_mul(3),
            minimum_request_length: period,
            // It plays all the time, also when it is empty.
            pre_buffering: 0,
            ..BufferAttr::default()
        }
    }

    /// Half a period at a time: a frame's last part is to come as soon as it can. A server that is
    /// late keeps what it has not delivered, and loses nothing.
    fn recording(&self) -> BufferAttr {
        BufferAttr {
            fragment_size: self.period_bytes() / 2,
            ..BufferAttr::default()
        }
    }

    fn period_bytes(&self) -> u32 {
        let bytes = u64::from(self.period) * SAMPLE_BYTES as u64;
        u32::try_from(bytes).unwrap_or(u32::MAX)
    }
}

/// The device's own delay is to be as short as the stream's.
fn low_latency() -> StreamFlags {
    StreamFlags {
        adjust_latency: true,
        ..StreamFlags::default()
    }
}

fn props() -> Props {
    let mut props = Props::new();
    props.set(Prop::ApplicationName, c"Ramal");
    props.set(Prop::ApplicationIconName, c"ramal");
    props.set(Prop::MediaName, c"Ramal");
    props
}

/// What comes, beside sound.
enum Came {
    Word(Command),
    Latency(Latency),
}

/// How long sound takes in the server and its device.
struct Latency {
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
    fn total(&self, rate: u32) -> Duration {
        let samples = self.queued / SAMPLE_BYTES as u64;
        let micros = samples.saturating_mul(1_000_000) / u64::from(rate.max(1));
        (self.device + Duration::from_micros(micros)).min(LATENCY_MAX)
    }
}

/// A connection, of which nothing is wanted but one stream.
struct Server {
    reader: BufReader<UnixStream>,
    version: u16,
    asked: u32,
    /// What is sent, or a part of what has come.
    message: Vec<u8>,
    /// The sound of one, or of a part of it.
    samples: Vec<f32>,
}

impl Server {
    fn connect() -> Result<Self, PulseError> {
        let path = pulseaudio::socket_path_from_env().ok_or(PulseError::NoServer)?;
        let socket = UnixStream::connect(path).map_err(|_| PulseError::NoServer)?;
        let cookie = pulseaudio::cookie_path_from_env()
            .and_then(|path| std::fs::read(path).ok())
            .unwrap_or_default();
        Self::greet(socket, cookie)
    }

    fn greet(socket: UnixStream, cookie: Vec<u8>) -> Result<Self, PulseError> {
        socket.set_read_timeout(Some(OPEN_MAX))?;
        socket.set_write_timeout(Some(OPEN_MAX))?;
        let mut server = Self {
            reader: BufReader::new(socket),
            version: MAX_VERSION,
            asked: 0,
            message: vec![0; DESCRIPTOR_SIZE + CHUNK * SAMPLE_BYTES],
            samples: vec![0.0; CHUNK],
        };
        let known: AuthReply = server.ask(&Command::Auth(AuthParams {
            version: MAX_VERSION,
            supports_shm: false,
            supports_memfd: false,
            cookie,
        }))?;
        server.version = known.version.min(MAX_VERSION);
        let _: SetClientNameReply = server.ask(&Command::SetClientName(props()))?;
        Ok(server)
    }

    fn ask<R: CommandReply>(&mut self, command: &Command) -> Result<R, PulseError> {
        self.asked += 1;
        write_command_message(self.reader.get_mut(), self.asked, command, self.version)?;
        Ok(read_reply_message(&mut self.reader, self.version)?.1)
    }

    /// Runs what moves the sound, on a thread of its own.
    fn stream(
        mut self,
        name: &str,
        lost: impl FnOnce(&PulseError) + Send + 'static,
        run: impl FnOnce(&mut Self) -> PulseError + Send + 'static,
    ) -> Result<Stream, PulseError> {
        let socket = self.reader.get_ref().try_clone()?;
        // A device may stand still for as long as it wants.
        socket.set_read_timeout(None)?;
        socket.set_write_timeout(None)?;
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                priority::raise();
                lost(&run(&mut self));
            })
            .map_err(PulseError::NoThread)?;
        Ok(Stream {
            socket,
            thread: Some(thread),
        })
    }

    /// Runs a stream that plays.
    fn playing(
        self,
        created: &CreatePlaybackStreamReply,
        meter: Arc<Meter>,
        lost: impl FnOnce(&PulseError) + Send + 'static,
    ) -> Result<(Feed, Stream), PulseError> {
        let asked = Arc::<Asked>::default();
        let socket = self.reader.get_ref().try_clone()?;
        let feed = Feed::begin(socket, created, self.version, Arc::clone(&asked))?;
        let (channel, rate) = (created.channel, created.sample_spec.sample_rate);
        let stream = self.stream("playing", lost, move |server| {
            server.play(channel, rate, &asked, &meter)
        })?;
        Ok((feed, stream))
    }

    /// REAL-TIME: passes on what the server asks for, until there is an error.
    fn play(&mut self, channel: u32, rate: u32, asked: &Asked, meter: &Meter) -> PulseError {
        loop {
            match self.next(|_| {}) {
                Ok(Some(Came::Word(Command::Request(more)))) if more.channel == channel => {
                    let samples = more.length as usize / SAMPLE_BYTES;
                    asked.more(samples);
                    meter.moved(samples);
                }
                Ok(Some(Came::Word(Command::Underflow(_)))) => asked.ran_empty(),
                Ok(Some(Came::Word(Command::PlaybackStreamKilled(_)))) => {
                    return PulseError::Closed;
                }
                Ok(Some(Came::Latency(latency))) => meter.takes(latency.total(rate)),
                Ok(_) => {}
                Err(error) => return error,
            }
        }
    }

    /// REAL-TIME: records until there is an error, and asks now and then how long it takes.
    fn record(
        &mut self,
        channel: u32,
        rate: u32,
        meter: &Meter,
        mut take: impl FnMut(&[f32]),
    ) -> PulseError {
        let (every, mut heard) = (rate as usize, 0);
        loop {
            let mut count = 0;
            let came = self.next(|sound| {
                count += sound.len();
                take(sound);
            });
            match came {
                Ok(Some(Came::Word(Command::RecordStreamKilled(_)))) => return PulseError::Closed,
                Ok(Some(Came::Latency(latency))) => meter.takes(latency.total(rate)),
                Ok(_) => {}
                Err(error) => return error,
            }
            heard += count;
            if heard >= every {
                heard = 0;
                let now = SystemTime::now();
                let asked = Command::GetRecordLatency(LatencyParams { channel, now });
                let socket = self.reader.get_mut();
                if let Err(error) = write_command_message(socket, RECORDS, &asked, self.version) {
                    return error.into();
                }
            }
        }
    }

    /// Waits for a message: sound goes to `take`, and anything else that we know is returned.
    fn next(&mut self, take: impl FnMut(&[f32])) -> Result<Option<Came>, PulseError> {
        let descriptor = read_descriptor(&mut self.reader)?;
        let length = descriptor.length as usize;
        if descriptor.channel != u32::MAX {
            self.hear(length, take)?;
            return Ok(None);
        }
        let Some(message) = self.message.get_mut(..length) else {
            let why = format!("a message of {length} bytes");
            return Err(ProtocolError::Invalid(why).into());
        };
        self.reader.read_exact(message)?;
        // What this version of the protocol does not know is of no concern to a stream.
        let mut rest = &*message;
        Ok(match Command::read_tag_prefixed(&mut rest, self.version) {
            Ok((asked @ (PLAYS | RECORDS), Command::Reply)) => {
                Latency::read(asked, rest, self.version).map(Came::Latency)
            }
            Ok((_, command)) => Some(Came::Word(command)),
            Err(_) => None,
        })
    }

    /// Takes sound of so many bytes.
    fn hear(&mut self, length: usize, mut take: impl FnMut(&[f32])) -> io::Result<()> {
        let mut left = length;
        while left > 0 {
            let piece = left.min(CHUNK * SAMPLE_BYTES);
            let bytes = &mut self.message[..piece];
            self.reader.read_exact(bytes)?;
            let mut count = 0;
            for (sample, bytes) in self.samples.iter_mut().zip(bytes.as_chunks().0) {
                *sample = f32::from_le_bytes(*bytes);
                count += 1;
            }
            take(&self.samples[..count]);
            left -= piece;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
