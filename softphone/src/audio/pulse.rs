//! Streams of a PulseAudio server, or of PipeWire in its place: a connection for each.
//!
//! Whoever moves the sound reads and writes the connections by itself, with neither a thread nor a
//! buffer between. Why these are not the streams of the sound library that finds the devices:
//! `docs/decisions`, 0024.

mod feed;
mod inbox;
mod intake;

use std::{
    ffi::CString,
    fmt,
    io::{self, BufReader},
    net::Shutdown,
    os::unix::net::UnixStream,
    sync::Arc,
};

use pulseaudio::protocol::{
    AuthParams, AuthReply, ChannelMap, Command, CommandReply, CreatePlaybackStreamReply,
    CreateRecordStreamReply, MAX_VERSION, PlaybackStreamParams, Prop, Props, ProtocolError,
    RecordStreamParams, SampleFormat, SampleSpec, SetClientNameReply, read_reply_message,
    stream::{BufferAttr, StreamFlags},
    write_command_message,
};

use self::inbox::Inbox;
pub(super) use self::{feed::Feed, intake::Intake};
use super::device::{Health, OPEN_MAX};

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

/// A stream that runs until this is dropped, whoever has the other end of it.
pub(super) struct Stream(UnixStream);

impl Drop for Stream {
    fn drop(&mut self) {
        // It fails where the server has closed it before.
        let _ = self.0.shutdown(Shutdown::Both);
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
}

impl fmt::Display for PulseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoServer => f.write_str("the sound server is not there"),
            Self::Closed => f.write_str("the sound server has closed it"),
            Self::Hangs => f.write_str("the sound server does not answer"),
            Self::Protocol(error) => write!(f, "{error}"),
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

/// Opens a stream that plays what its [`Feed`] is given; `health` is told when it ends by itself.
/// Waits for the server, for a few times [`OPEN_MAX`] at the most.
///
/// # Errors
/// Any [`PulseError`]; nothing is left open then.
pub(super) fn play(wanted: &Wanted, health: &Arc<Health>) -> Result<(Feed, Stream), PulseError> {
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
    let (inbox, stream) = server.run(health)?;
    let feed = Feed::begin(inbox, &created);
    // It was given what it is to hold.
    feed.socket().ok_or(PulseError::Closed)?;
    Ok((feed, stream))
}

/// Opens a stream of what a device hears, which its [`Intake`] gives, likewise.
///
/// # Errors
/// As [`play`].
pub(super) fn record(
    wanted: &Wanted,
    health: &Arc<Health>,
) -> Result<(Intake, Stream), PulseError> {
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
    let (inbox, stream) = server.run(health)?;
    Ok((Intake::begin(inbox, &created), stream))
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

/// A connection, of which nothing is wanted but one stream.
struct Server {
    reader: BufReader<UnixStream>,
    version: u16,
    asked: u32,
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

    /// Hands the connection over to whoever moves the sound.
    fn run(self, health: &Arc<Health>) -> Result<(Inbox, Stream), PulseError> {
        let stream = Stream(self.reader.get_ref().try_clone()?);
        let early = self.reader.buffer().to_vec();
        let socket = self.reader.into_inner();
        let inbox = Inbox::new(socket, &early, self.version, Arc::clone(health))?;
        Ok((inbox, stream))
    }
}

#[cfg(test)]
mod tests;
