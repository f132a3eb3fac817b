//! Streams of a PulseAudio server, or of PipeWire in its place: a connection and a thread for each.
//!
//! The thread waits for what the server sends, calls back, and answers, and does nothing else. Why
//! these are not the streams of the sound library that finds the devices: `docs/decisions`, 0024.

use std::{
    ffi::CString,
    fmt,
    io::{self, BufReader, Read, Write},
    net::Shutdown,
    os::unix::net::UnixStream,
    thread::{self, JoinHandle},
};

use pulseaudio::protocol::{
    AuthParams, AuthReply, ChannelMap, Command, CommandReply, CreatePlaybackStreamReply,
    CreateRecordStreamReply, DESCRIPTOR_SIZE, Descriptor, DescriptorFlags, MAX_MEMBLOCKQ_LENGTH,
    MAX_VERSION, PlaybackStreamParams, Prop, Props, ProtocolError, RecordStreamParams,
    SampleFormat, SampleSpec, SetClientNameReply, encode_descriptor, read_descriptor,
    read_reply_message,
    stream::{BufferAttr, StreamFlags},
    write_command_message,
};

use super::device::OPEN_MAX;

/// Samples that a callback is given at most. A message that is no sound has no more bytes.
const CHUNK: usize = 4_096;

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

/// Plays what `fill` gives, which is called on a thread of its own, and calls `lost` when it ends
/// by itself. Waits for the server, for a few times [`OPEN_MAX`] at the most.
///
/// # Errors
/// Any [`PulseError`]; nothing is left open then.
pub(super) fn play(
    wanted: &Wanted,
    fill: impl FnMut(&mut [f32]) + Send + 'static,
    lost: impl FnOnce(&PulseError) + Send + 'static,
) -> Result<Stream, PulseError> {
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
    server.stream("playing", lost, move |server| {
        server.play(created.channel, created.requested_bytes, fill)
    })
}

/// Hands what a device hears to `take`, likewise.
///
/// # Errors
/// As [`play`].
pub(super) fn record(
    wanted: &Wanted,
    take: impl FnMut(&[f32]) + Send + 'static,
    lost: impl FnOnce(&PulseError) + Send + 'static,
) -> Result<Stream, PulseError> {
    let mut server = Server::connect()?;
    let _created: CreateRecordStreamReply =
        server.ask(&Command::CreateRecordStream(RecordStreamParams {
            sample_spec: wanted.spec(),
            channel_map: ChannelMap::mono(),
            source_name: Some(wanted.name()?),
            buffer_attr: wanted.recording(),
            props: props(),
            flags: low_latency(),
            ..RecordStreamParams::default()
        }))?;
    server.stream("recording", lost, move |server| server.record(take))
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

    /// Two periods in all, of which the server asks for one when it has played one.
    fn playing(&self) -> BufferAttr {
        let period = self.period_bytes();
        BufferAttr {
            max_length: period.saturating_mul(2),
            target_length: period.saturating_mul(2),
            minimum_request_length: period,
            ..BufferAttr::default()
        }
    }

    fn recording(&self) -> BufferAttr {
        let period = self.period_bytes();
        BufferAttr {
            max_length: period,
            fragment_size: period,
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
            .spawn(move || lost(&run(&mut self)))
            .map_err(PulseError::NoThread)?;
        Ok(Stream {
            socket,
            thread: Some(thread),
        })
    }

    /// REAL-TIME: plays until there is an error.
    fn play(&mut self, channel: u32, first: u32, mut fill: impl FnMut(&mut [f32])) -> PulseError {
        let mut wanted = first as usize;
        loop {
            while wanted >= SAMPLE_BYTES {
                let count = (wanted / SAMPLE_BYTES).min(CHUNK);
                fill(&mut self.samples[..count]);
                if let Err(error) = self.send(channel, count) {
                    return error.into();
                }
                wanted -= count * SAMPLE_BYTES;
            }
            match self.next(|_| {}) {
                Ok(Some(Command::Request(more))) if more.channel == channel => {
                    // No buffer of a server holds more.
                    wanted = (wanted + more.length as usize).min(MAX_MEMBLOCKQ_LENGTH);
                }
                Ok(Some(Command::PlaybackStreamKilled(_))) => return PulseError::Closed,
                Ok(_) => {}
                Err(error) => return error,
            }
        }
    }

    /// REAL-TIME: records until there is an error.
    fn record(&mut self, mut take: impl FnMut(&[f32])) -> PulseError {
        loop {
            match self.next(&mut take) {
                Ok(Some(Command::RecordStreamKilled(_))) => return PulseError::Closed,
                Ok(_) => {}
                Err(error) => return error,
            }
        }
    }

    /// Sends so many of the samples, in one piece: each piece would wake the server.
    fn send(&mut self, channel: u32, count: usize) -> io::Result<()> {
        let (header, bytes) = self.message.split_at_mut(DESCRIPTOR_SIZE);
        let bytes = &mut bytes[..count * SAMPLE_BYTES];
        for (bytes, sample) in bytes.chunks_exact_mut(SAMPLE_BYTES).zip(&self.samples) {
            bytes.copy_from_slice(&sample.to_le_bytes());
        }
        let descriptor = Descriptor {
            length: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
            channel,
            offset: 0,
            flags: DescriptorFlags::empty(),
        };
        if let Some(header) = header.first_chunk_mut() {
            encode_descriptor(header, &descriptor);
        }
        let length = DESCRIPTOR_SIZE + bytes.len();
        self.reader.get_mut().write_all(&self.message[..length])
    }

    /// Waits for a message: sound goes to `take`, and anything else that we know is returned.
    fn next(&mut self, take: impl FnMut(&[f32])) -> Result<Option<Command>, PulseError> {
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
        let known = Command::read_tag_prefixed(&mut &*message, self.version);
        Ok(known.ok().map(|(_, command)| command))
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
mod tests {
    use std::sync::mpsc;

    use assert_no_alloc::assert_no_alloc;
    use pulseaudio::protocol::{
        Request, read_command_message, write_ack_message, write_memblock, write_reply_message,
    };

    use super::*;

    /// A sound server's end of a connection, and the phone's that has greeted it.
    fn greeted() -> (BufReader<UnixStream>, Server) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let greeting = thread::spawn(move || {
            let mut server = BufReader::new(theirs);
            let (asked, auth) = read_command_message(&mut server, MAX_VERSION).unwrap();
            let Command::Auth(AuthParams { cookie, .. }) = auth else {
                panic!("{auth:?} comes first");
            };
            assert_eq!(cookie, b"cookie");
            let reply = AuthReply {
                // A newer server than this knows.
                version: MAX_VERSION + 1,
                ..AuthReply::default()
            };
            write_reply_message(server.get_mut(), asked, &reply, MAX_VERSION).unwrap();
            let (asked, _) = read_command_message(&mut server, MAX_VERSION).unwrap();
            let reply = SetClientNameReply { client_id: 1 };
            write_reply_message(server.get_mut(), asked, &reply, MAX_VERSION).unwrap();
            server
        });
        let phone = Server::greet(ours, b"cookie".to_vec()).unwrap();
        assert_eq!(phone.version, MAX_VERSION);
        (greeting.join().unwrap(), phone)
    }

    fn say(server: &mut BufReader<UnixStream>, command: &Command) {
        write_command_message(server.get_mut(), u32::MAX, command, MAX_VERSION).unwrap();
    }

    fn heard(server: &mut BufReader<UnixStream>) -> (u32, Vec<f32>) {
        let descriptor = read_descriptor(server).unwrap();
        let mut bytes = vec![0; descriptor.length as usize];
        server.read_exact(&mut bytes).unwrap();
        let samples = bytes.as_chunks().0.iter().copied().map(f32::from_le_bytes);
        (descriptor.channel, samples.collect())
    }

    #[test]
    fn what_the_server_asks_for_is_played_and_no_more() {
        let (mut server, phone) = greeted();
        let (tell, lost) = mpsc::sync_channel(8);
        let mut next = 0.0;
        let counted = move |samples: &mut [f32]| {
            samples.fill_with(|| {
                next += 1.0;
                next
            });
        };
        let stream = phone.stream(
            "playing",
            move |why| tell.send(why.to_string()).unwrap(),
            move |phone| phone.play(7, 4 * 480, counted),
        );
        let count = |from: u16, to: u16| (from..=to).map(f32::from).collect::<Vec<_>>();
        assert_eq!(heard(&mut server), (7, count(1, 480)));
        // Of another stream, of no concern, and of half a sample.
        let of = |channel, length| Command::Request(Request { channel, length });
        say(&mut server, &of(8, 400));
        say(&mut server, &Command::Started(7));
        say(&mut server, &of(7, 42));
        assert_eq!(heard(&mut server), (7, count(481, 490)));
        say(&mut server, &of(7, 4 * 5_000 - 2));
        assert_eq!(heard(&mut server), (7, count(491, 491 + 4_095)));
        assert_eq!(heard(&mut server), (7, count(4_587, 5_490)));
        say(&mut server, &Command::PlaybackStreamKilled(7));
        assert_eq!(lost.recv().unwrap(), "the sound server has closed it");
        drop(stream);
    }

    #[test]
    fn what_is_recorded_comes_whole_and_in_order() {
        let (mut server, phone) = greeted();
        let (tell, lost) = mpsc::sync_channel(8);
        let (pass, taken) = mpsc::sync_channel(8);
        let stream = phone.stream(
            "recording",
            move |why| tell.send(why.to_string()).unwrap(),
            |phone| phone.record(move |samples| pass.send(samples.to_vec()).unwrap()),
        );
        let sound: Vec<f32> = (0..5_000_u16).map(f32::from).collect();
        let bytes: Vec<u8> = sound.iter().flat_map(|it| it.to_le_bytes()).collect();
        let server = server.get_mut();
        write_memblock(server, 0, &bytes[..1_920], 0).unwrap();
        write_ack_message(server, 9).unwrap();
        write_memblock(server, 0, &bytes[1_920..], 0).unwrap();
        let came: Vec<Vec<f32>> = taken.iter().take(3).collect();
        let lengths: Vec<usize> = came.iter().map(Vec::len).collect();
        assert_eq!(lengths, [480, 4_096, 424]);
        assert_eq!(came.concat(), sound);
        server.shutdown(Shutdown::Both).unwrap();
        assert_eq!(lost.recv().unwrap(), "the sound server has closed it");
        drop(stream);
    }

    #[test]
    fn a_server_that_makes_no_sense_ends_the_stream() {
        for (bytes, why) in [
            (
                vec![0xFF; 20],
                "invalid IPC message: a message of 4294967295 bytes",
            ),
            (vec![0; 7], "the sound server has closed it"),
        ] {
            let (mut server, mut phone) = greeted();
            server.get_mut().write_all(&bytes).unwrap();
            drop(server);
            assert_eq!(phone.record(|_| {}).to_string(), why);
        }
    }

    #[test]
    fn a_stream_that_is_no_longer_wanted_ends_at_once() {
        let (server, phone) = greeted();
        let (tell, lost) = mpsc::sync_channel(8);
        let tell = move |why: &PulseError| tell.send(why.to_string()).unwrap();
        let stream = phone.stream("recording", tell, |phone| phone.record(|_| {}));
        drop(stream);
        assert_eq!(lost.recv().unwrap(), "the sound server has closed it");
        drop(server);
    }

    #[test]
    fn sound_moves_without_allocating() {
        let (mut server, mut phone) = greeted();
        let request = Command::Request(Request {
            channel: 7,
            length: 1_920,
        });
        say(&mut server, &request);
        write_memblock(server.get_mut(), 0, &[0; 1_920], 0).unwrap();
        let asked = assert_no_alloc(|| phone.next(|_| {}).unwrap());
        assert_eq!(asked, Some(request));
        assert_no_alloc(|| phone.send(7, 480).unwrap());
        let mut samples = 0;
        assert_no_alloc(|| phone.next(|sound| samples += sound.len()).unwrap());
        assert_eq!((samples, heard(&mut server).1.len()), (480, 480));
    }
}
