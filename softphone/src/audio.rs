//! Sound: microphone to packets, packets to loudspeaker. A [`Voice`] is both, for one call.
//!
//! ```text
//!  microphone                        sound thread                              engine
//!  server, or ring ----> [resample] -> 10 ms frames -> [Opus] --> Encoded --> `sent` channel
//!                         WAV file --^
//!                          silence --^<--- echo ---+
//!                                                  |
//!  loudspeaker                                     |
//!  server, or ring <---- [resample] <- 10 ms frames + <- [Opus, PLC] <- jitter buffer <- `receive`
//!                         WAV file <-+
//!                          nowhere <-+
//! ```
//!
//! Threads, each with its reason and its deadline:
//!
//! - The *microphone's callback*, on a thread of the sound system, if that is no PulseAudio: the
//!   device hands over what it has heard. It is back within the device's period, 10 ms: all it does
//!   is fill a ring.
//! - The *loudspeaker's callback*, likewise: the device fetches what it plays next. All it does is
//!   empty a ring.
//! - The *sound thread*, one for each call: does all that may compute, allocate or write files. It
//!   goes both ways, so that an echo leaves in the moment in which it is heard, and nothing between
//!   the two ways needs a lock. With a PulseAudio server it speaks by itself. It has 10 ms for a
//!   frame, of which coding takes less than one; the loudspeaker's ring forgives 10 ms more, and a
//!   PulseAudio server 5.
//! - The *keepers*, one for each device: open, watch and close its streams, which may wait for a
//!   sound server that hangs. They have no deadline, and nobody waits for them for long.
//! - The *tones*, one for a phone: rings, and plays ringback and busy, on a device of its own that
//!   is open only meanwhile.
//! - *Trials* of devices, outside of calls: a meter, a recorder, a player (see [`trial`]).
//!
//! Code that the callbacks run is marked `REAL-TIME`: it touches a ring, atomics and its own memory
//! and nothing else, and wakes the sound thread. Files and silence have no clock: they go by an
//! absolute schedule of 10 ms, and catch up after a stall of up to 200 ms. Devices have their own:
//! they are looked at when they have moved sound. Between the engine and the sound thread
//! are bounded queues that neither ever waits for, and atomics.

mod capture;
mod connection;
mod crossing;
mod device;
#[cfg(test)]
mod drift;
#[cfg(test)]
mod exchange;
mod file;
mod fresh;
mod kept;
mod level;
mod meter;
mod opus;
mod pace;
mod playout;
mod priority;
#[cfg(target_os = "linux")]
mod pulse;
mod receive;
mod resample;
mod send;
mod sink;
mod source;
mod stretch;
mod thread;
mod tone;
mod tones;
pub mod trial;
mod varispeed;
mod volume;
mod wait;

use std::{
    convert::Infallible,
    fmt,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::{Arc, atomic::Ordering::Relaxed, mpsc},
};

use tokio::sync::{mpsc as queue, oneshot};

pub use device::{Device, Direction, devices, meant};
pub use file::numbered;
pub use level::Levels;
// The way out and the way in by themselves, for measuring what they do and cost.
pub use opus::{Decoder, Encoder};
pub use receive::Receiving;
pub use resample::Resampler;
pub use send::Sending;
pub use stretch::{LENGTHENS_FROM, SHORTENS_FROM, Stretcher};
pub use tone::Tone;
pub use tones::Tones;
pub use volume::{Gain, Volume};

use crate::media::{Encoded, Packet, format::Format, stats::VoiceStats};
use crossing::{Crossing, Swap};
use device::Pin;
use file::{Clip, Recording};
use sink::{Sink, SinkOpening};
use source::{Source, SourceOpening};
use thread::{Notices, Phase, Shared, SoundThread, Swaps};

/// The most packets that wait for the sound thread: one second of the shortest that make sense.
const PACKETS_MAX: usize = 256;

/// The most changes of devices that wait for the sound thread, which takes them every 20 ms.
const SWAPS_MAX: usize = 4;

/// Where the sound that we send comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The microphone that the sound system offers first, also when that becomes another.
    Default,
    /// A microphone, by its id, its name, or a part of its name that no other has. No other takes
    /// its place: while it is away, it is waited for.
    Device(String),
    /// A WAV file, once, from its beginning when the call is open; then silence.
    File(PathBuf),
    /// Nothing.
    Silence,
    /// What the peer sends, the moment that it is played here.
    Echo,
}

/// Where the sound that we receive goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// The loudspeaker that the sound system offers first, also when that becomes another.
    Default,
    /// A loudspeaker, by its id, its name, or a part of its name that no other has. No other takes
    /// its place: while it is away, it is waited for.
    Device(String),
    /// A WAV file, which is written anew: 48 kHz, mono, 16 bits, from the time the call is open.
    File(PathBuf),
    /// Nowhere; it is decoded and counted all the same.
    None,
}

impl FromStr for Input {
    type Err = Infallible;

    /// `default`, `silence`, a path that ends in `.wav`, or a device.
    fn from_str(typed: &str) -> Result<Self, Infallible> {
        Ok(match typed {
            "default" => Self::Default,
            "silence" => Self::Silence,
            _ if is_wav(typed) => Self::File(typed.into()),
            _ => Self::Device(typed.to_owned()),
        })
    }
}

impl FromStr for Output {
    type Err = Infallible;

    /// `default`, `none`, a path that ends in `.wav`, or a device.
    fn from_str(typed: &str) -> Result<Self, Infallible> {
        Ok(match typed {
            "default" => Self::Default,
            "none" => Self::None,
            _ if is_wav(typed) => Self::File(typed.into()),
            _ => Self::Device(typed.to_owned()),
        })
    }
}

fn is_wav(typed: &str) -> bool {
    typed.to_ascii_lowercase().ends_with(".wav")
}

/// Why there is no sound.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AudioError {
    /// This machine has none.
    NoDevice {
        /// Which way.
        direction: Direction,
    },
    /// No device is called that.
    UnknownDevice {
        /// Which way.
        direction: Direction,
        /// What was asked for.
        wanted: String,
    },
    /// More than one device could be meant.
    AmbiguousDevice {
        /// Which way.
        direction: Direction,
        /// What was asked for.
        wanted: String,
        /// The ids of those that fit.
        found: Vec<String>,
    },
    /// The device is there, but does not work.
    CannotOpen {
        /// Which way.
        direction: Direction,
        /// Its name.
        device: String,
        /// What the sound system says.
        why: String,
    },
    /// The device was open, and works no more.
    Lost {
        /// Which way.
        direction: Direction,
        /// Its name.
        device: String,
        /// What the sound system says.
        why: String,
    },
    /// The sound system does not tell its devices.
    CannotList {
        /// What it says.
        why: String,
    },
    /// The input file cannot be used.
    CannotRead {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The output file cannot be used.
    CannotWrite {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// This machine has no memory or no thread left.
    Unavailable {
        /// What failed.
        why: String,
    },
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Input => "microphone",
            Self::Output => "loudspeaker",
        })
    }
}

impl fmt::Display for AudioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LISTED: &str = "`ramal-phone devices` lists them";
        match self {
            Self::NoDevice {
                direction: Direction::Input,
            } => f.write_str("no microphone found; use --input silence or --input FILE.wav"),
            Self::NoDevice {
                direction: Direction::Output,
            } => f.write_str("no loudspeaker found; use --output none or --output FILE.wav"),
            Self::UnknownDevice { direction, wanted } => {
                write!(f, "no {direction} is called {wanted:?}; {LISTED}")
            }
            Self::AmbiguousDevice {
                direction,
                wanted,
                found,
            } => write!(
                f,
                "{wanted:?} could be more than one {direction}: {}; {LISTED}",
                found.join(", ")
            ),
            Self::CannotOpen {
                direction,
                device,
                why,
            } => {
                write!(
                    f,
                    "cannot open the {direction} {device:?}: {why}; try another, {LISTED}"
                )
            }
            Self::Lost {
                direction,
                device,
                why,
            } => write!(f, "the {direction} {device:?} is lost: {why}"),
            Self::CannotList { why } => write!(f, "cannot list the sound devices: {why}"),
            Self::CannotRead { path, why } => write!(f, "cannot read {}: {why}", path.display()),
            Self::CannotWrite { path, why } => write!(f, "cannot write {}: {why}", path.display()),
            Self::Unavailable { why } => write!(f, "cannot set up sound: {why}"),
        }
    }
}

impl std::error::Error for AudioError {}

/// What happens to a call's sound. What is lost and what is back is told in turns, at most once a
/// second for each direction; the rest once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VoiceEvent {
    /// The input file has been sent to its end, which the network has taken. Silence follows.
    InputEnded,
    /// The microphone is gone, and silence is sent until [`VoiceEvent::InputBack`]. Or the input
    /// file cannot be read on, and silence is sent from now on.
    InputLost {
        /// What the system says.
        why: String,
    },
    /// The microphone is heard again.
    InputBack,
    /// The loudspeaker is gone: the call goes on unheard until [`VoiceEvent::OutputBack`]. Or the
    /// output file cannot be written on.
    OutputLost {
        /// What the system says.
        why: String,
    },
    /// The loudspeaker plays again.
    OutputBack,
}

/// The sound of one call, which its own thread moves. Dropping it ends that thread, promptly and
/// without waiting for it.
#[derive(Debug)]
pub struct Voice {
    shared: Arc<Shared>,
    packets: Packets,
    changer: Changer,
    /// `None` once the thread has been told to finish.
    ended: Option<oneshot::Receiver<VoiceStats>>,
}

/// Takes a call's packets from the network.
#[derive(Debug, Clone)]
pub struct Packets {
    queue: mpsc::SyncSender<Packet>,
    shared: Arc<Shared>,
}

impl Packets {
    /// Takes a packet; never blocks. When the sound thread is 256 packets behind it is dropped,
    /// and counted.
    pub fn receive(&self, packet: Packet) {
        if self.queue.try_send(packet).is_err() {
            self.shared.dropped.fetch_add(1, Relaxed);
        }
    }
}

/// Changes a call's devices while it goes on.
#[derive(Debug, Clone)]
pub struct Changer {
    swaps: mpsc::SyncSender<Swaps>,
}

impl Changer {
    /// Opens this and has the call send from it, in place of what it sends from. The old one fades
    /// out within 10 ms and is closed; no time is lost or gained. A file begins at once, if the
    /// call is open. When the call is over nothing happens.
    ///
    /// Waits for sound server and disk, which can take seconds: not to be called from async code.
    ///
    /// # Errors
    /// As [`Voice::start`]; the old one is still in use then.
    pub fn input(&self, input: &Input) -> Result<(), AudioError> {
        let new = SourceOpening::begin(input)?.finish(|| false)?;
        drop(self.swap(new, Swaps::Source));
        Ok(())
    }

    /// Opens this and has the call be heard there, in place of where it is heard. Likewise.
    ///
    /// # Errors
    /// As [`Voice::start`]; the old one is still in use then. Or a file that was written until now
    /// could not be finished, though the new one is in use.
    pub fn output(&self, output: &Output) -> Result<(), AudioError> {
        let new = SinkOpening::begin(output)?.finish(|| false)?;
        let old = self.swap(new, Swaps::Sink);
        old.map_or(Ok(()), Sink::close)
    }

    /// What is no longer used, unless the call is over.
    fn swap<L>(&self, new: L, swap: impl FnOnce(Swap<L>) -> Swaps) -> Option<L> {
        let (back, old) = mpsc::sync_channel(1);
        self.swaps.send(swap(Swap { new, back })).ok()?;
        old.recv().ok()
    }
}

impl Voice {
    /// Opens devices and files and starts the sound thread. A packet of `format` goes to
    /// `sent` from now on: encoded silence until [`Voice::open`]. What `sent` has no room for is
    /// counted and lost; `events` wants room for eight, and a reader.
    ///
    /// Waits for sound server and disk, which can take seconds: not to be called from async code.
    ///
    /// # Errors
    /// Any [`AudioError`] but [`AudioError::CannotList`]; nothing is left open then.
    pub fn start(
        input: &Input,
        output: &Output,
        format: Format,
        sent: queue::Sender<Encoded>,
        events: queue::Sender<VoiceEvent>,
    ) -> Result<Self, AudioError> {
        let unavailable = |why: &dyn fmt::Display| AudioError::Unavailable {
            why: why.to_string(),
        };
        let encoder = Encoder::new().map_err(|error| unavailable(&error))?;
        let decoder = Decoder::new().map_err(|error| unavailable(&error))?;
        let (source, sink) = open(input, output)?;
        let shared = Arc::<Shared>::default();
        let (packets, taken) = mpsc::sync_channel(PACKETS_MAX);
        let (swaps, swapped) = mpsc::sync_channel(SWAPS_MAX);
        let (tell_end, ended) = oneshot::channel();
        let sound = SoundThread {
            shared: Arc::clone(&shared),
            packets: taken,
            source,
            sink,
            swaps: swapped,
            sources: Crossing::default(),
            sinks: Crossing::default(),
            sending: Sending::new(encoder, format),
            receiving: Receiving::new(decoder),
            sent,
            events,
            stats: VoiceStats::default(),
            notices: Notices::default(),
            held: false,
            sent_gain: Gain::default(),
            heard_gain: Gain::default(),
        };
        std::thread::Builder::new()
            .name("sound".to_owned())
            .spawn(move || {
                // Nobody may be waiting for it.
                let _ = tell_end.send(sound.run());
            })
            .map_err(|error| unavailable(&error))?;
        let packets = Packets {
            queue: packets,
            shared: Arc::clone(&shared),
        };
        Ok(Self {
            shared,
            packets,
            changer: Changer { swaps },
            ended: Some(ended),
        })
    }

    /// Where to hand the packets that come from the network.
    #[must_use]
    pub fn packets(&self) -> Packets {
        self.packets.clone()
    }

    /// How to change its devices.
    #[must_use]
    pub fn changer(&self) -> Changer {
        self.changer.clone()
    }

    /// The call is established: from now on the two hear each other. Files begin here.
    pub fn open(&self) {
        self.shared.advance(Phase::Open);
    }

    /// Sends silence instead of the input, or the input again. A file goes on meanwhile.
    pub fn mute(&self, muted: bool) {
        self.shared.muted.store(muted, Relaxed);
    }

    /// Holds the call, or resumes it. Held, no packet is sent, and none that comes is played; the
    /// input goes on unheard. What is sent afterwards begins a talkspurt, at its own time, and what
    /// is heard afterwards was said afterwards.
    pub fn hold(&self, held: bool) {
        self.shared.held.store(held, Relaxed);
    }

    /// How loud the microphone, or what stands in its place, is sent; or the loudspeaker is played.
    /// Each begins at [`Volume::NORMAL`], and moves there within 20 ms.
    pub fn volume(&self, direction: Direction, volume: Volume) {
        match direction {
            Direction::Input => self.shared.sent_volume.set(volume),
            Direction::Output => self.shared.heard_volume.set(volume),
        }
    }

    /// How loud it was, both ways, since this was last asked. For one who asks: a second one would
    /// take away what the first was to hear.
    #[must_use]
    pub fn levels(&self) -> Levels {
        Levels {
            sent_dbfs: self.shared.sent_peak.take_dbfs(),
            heard_dbfs: self.shared.heard_peak.take_dbfs(),
        }
    }

    /// How loud the input was since this was last asked, in dB relative to full scale, before its
    /// volume, and whether it is muted or not; -96 before the call is open and while it is held.
    #[must_use]
    pub fn input_dbfs(&self) -> f32 {
        self.shared.input_peak.take_dbfs()
    }

    /// What was counted until about 10 ms ago.
    #[must_use]
    pub fn stats(&self) -> VoiceStats {
        self.shared.stats()
    }

    /// Stops sending, plays what has come, for half a second at most, closes the files and ends
    /// the thread; the receiver then gets the last stats. A disk or a device that hangs can hold
    /// that up: wait for it with a limit.
    #[must_use]
    pub fn finish(mut self) -> oneshot::Receiver<VoiceStats> {
        self.shared.advance(Phase::Finishing);
        self.ended
            .take()
            .expect("only `finish`, which consumes the voice, takes it")
    }
}

impl Drop for Voice {
    fn drop(&mut self) {
        if self.ended.is_some() {
            self.shared.advance(Phase::Stopped);
        }
    }
}

/// Whether input and output can be used, as far as that shows without using them: devices that are
/// there, files that can be read and written. Nothing is changed.
///
/// Asks the sound server, which may take seconds.
///
/// # Errors
/// As [`Voice::start`].
pub fn check(input: &Input, output: &Output) -> Result<(), AudioError> {
    let there = |direction, wanted| Pin::new(direction, wanted).choose().map(drop);
    match input {
        Input::Default => there(Direction::Input, None)?,
        Input::Device(wanted) => there(Direction::Input, Some(wanted))?,
        Input::File(path) => Clip::open(path).map(drop)?,
        Input::Silence | Input::Echo => {}
    }
    match output {
        Output::Default => there(Direction::Output, None),
        Output::Device(wanted) => there(Direction::Output, Some(wanted)),
        Output::File(path) => {
            refuse_input_file(path, input)?;
            Recording::check(path)
        }
        Output::None => Ok(()),
    }
}

/// Opens both; devices at the same time.
fn open(input: &Input, output: &Output) -> Result<(Source, Sink), AudioError> {
    if let Output::File(path) = output {
        refuse_input_file(path, input)?;
    }
    let sink = SinkOpening::begin(output)?;
    let source = SourceOpening::begin(input)?.finish(|| false)?;
    Ok((source, sink.finish(|| false)?))
}

/// An output that is the input, by whatever name, would be emptied before it is read.
fn refuse_input_file(path: &Path, input: &Input) -> Result<(), AudioError> {
    match input {
        Input::File(read) if is_same_file(path, read) => Err(AudioError::CannotWrite {
            path: path.to_owned(),
            why: "it is the input file".to_owned(),
        }),
        _ => Ok(()),
    }
}

/// Whether both are there and are one.
fn is_same_file(one: &Path, other: &Path) -> bool {
    let which = |path: &Path| path.metadata().map(|data| (data.dev(), data.ino()));
    matches!((which(one), which(other)), (Ok(one), Ok(other)) if one == other)
}

/// Aborts a test in which `assert_no_alloc` sees an allocation.
#[cfg(test)]
#[global_allocator]
static ALLOCATOR: assert_no_alloc::AllocDisabler = assert_no_alloc::AllocDisabler;
