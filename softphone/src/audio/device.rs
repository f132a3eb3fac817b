//! The sound devices of this machine: listed, chosen, and how a stream on one is set up.

use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::Thread,
    time::Duration,
};

use cpal::{
    BufferSize, ErrorKind, Host, HostId, SampleFormat, StreamConfig, SupportedBufferSize,
    SupportedStreamConfigRange,
    traits::{DeviceTrait, HostTrait, StreamTrait},
};

#[cfg(target_os = "linux")]
use super::pulse;
use super::{AudioError, connection::connect, meter::Meter};
use crate::media::SAMPLE_RATE;

/// How long a sound server may take to open a stream.
pub(super) const OPEN_MAX: Duration = Duration::from_secs(2);

/// Callbacks of a device per second that are asked for: one every 10 ms.
const PERIODS_PER_SECOND: u32 = 100;

/// A stream that reports so many errors that need not mean its end is taken for lost.
const DOUBTS_MAX: u32 = 100;

/// Which way sound goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From a microphone.
    Input,
    /// To a loudspeaker.
    Output,
}

/// One sound device, in one direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// What the sound system knows it by: `pulseaudio:alsa_input.usb-...`.
    pub id: String,
    /// What a person knows it by.
    pub name: String,
    /// Microphone or loudspeaker.
    pub direction: Direction,
    /// It is taken when none is named.
    pub is_default: bool,
    /// It is no microphone, but hears what a loudspeaker plays.
    pub is_monitor: bool,
}

/// All sound devices: microphones, then loudspeakers, the default ones first and monitors last.
///
/// Asks the sound server, which may take seconds.
///
/// # Errors
/// [`AudioError::CannotList`] when the sound system does not tell.
pub fn devices() -> Result<Vec<Device>, AudioError> {
    let host = connect(None).map_err(|error| cannot_list(&error))?;
    let mut all = Vec::new();
    for direction in [Direction::Input, Direction::Output] {
        let found = list(&host, direction)?;
        all.extend(found.into_iter().map(|(device, _)| device));
    }
    Ok(all)
}

fn cannot_list(error: &cpal::Error) -> AudioError {
    AudioError::CannotList {
        why: error.to_string(),
    }
}

/// Whether it is a device to people. ALSA lists its plugins and its sinks for nothing as well.
fn is_device(id: &cpal::DeviceId) -> bool {
    let id = id.to_string();
    !id.starts_with("alsa:") || id == "alsa:default" || id.contains("CARD=")
}

/// Whether it is a sound card of ALSA's and nothing before it. A plugin may go on to a sound server
/// or nowhere, and then wait without sleeping: with real-time priority it would keep a core to
/// itself.
fn is_hardware(id: &str) -> bool {
    id.starts_with("alsa:hw:")
}

fn list(host: &Host, direction: Direction) -> Result<Vec<(Device, cpal::Device)>, AudioError> {
    let devices: Result<Vec<cpal::Device>, _> = match direction {
        Direction::Input => host.input_devices().map(Iterator::collect),
        Direction::Output => host.output_devices().map(Iterator::collect),
    };
    let devices = devices.map_err(|error| cannot_list(&error))?;
    let default = default_device(host, direction).and_then(|device| device.id().ok());
    let mut found: Vec<_> = devices
        .into_iter()
        .filter_map(|device| {
            let id = device.id().ok().filter(is_device)?;
            let name = device.description().ok()?.name().to_owned();
            let described = Device {
                is_default: default.as_ref() == Some(&id),
                is_monitor: direction == Direction::Input && is_monitor(&id),
                id: id.to_string(),
                name,
                direction,
            };
            Some((described, device))
        })
        .collect();
    found.sort_by_key(|(device, _)| (device.is_monitor, !device.is_default));
    Ok(found)
}

fn default_device(host: &Host, direction: Direction) -> Option<cpal::Device> {
    match direction {
        Direction::Input => host.default_input_device(),
        Direction::Output => host.default_output_device(),
    }
}

/// Whether a source hears what a loudspeaker plays.
fn is_monitor(id: &cpal::DeviceId) -> bool {
    id.id().ends_with(".monitor")
}

/// Which device is meant, also after it was gone.
#[derive(Debug)]
pub(super) struct Pin {
    direction: Direction,
    /// `None` for the default one.
    wanted: Option<String>,
    /// The sound system and the device that were opened first. Another system is never taken: it
    /// would seize the sound card while the sound server is being restarted.
    opened: Option<cpal::DeviceId>,
}

impl Pin {
    /// The device that is `wanted`, or the default one.
    pub(super) fn new(direction: Direction, wanted: Option<&str>) -> Self {
        Self {
            direction,
            wanted: wanted.map(str::to_owned),
            opened: None,
        }
    }

    /// Finds the device. A name that was found once stays with the device that had it.
    pub(super) fn choose(&self) -> Result<Chosen, AudioError> {
        let direction = self.direction;
        let system = self.opened.as_ref().map(cpal::DeviceId::host);
        let host = connect(system).map_err(|error| cannot_list(&error))?;
        let device = match (&self.wanted, &self.opened) {
            (None, None) => default_device(&host, direction),
            (None, Some(opened)) => default_device(&host, direction)
                .filter(|device| !device.id().is_ok_and(|id| turns_monitor(opened, &id))),
            (Some(wanted), None) => Some(find(&host, direction, wanted)?),
            (Some(_), Some(opened)) => host.device_by_id(opened),
        };
        let device = match (device, &self.wanted) {
            (Some(device), _) => device,
            (None, Some(wanted)) => return Err(unknown(direction, wanted)),
            (None, None) => return Err(AudioError::NoDevice { direction }),
        };
        Chosen::new(direction, self.wanted.is_some(), host, device)
    }

    /// This is the device from now on.
    pub(super) fn fix(&mut self, chosen: &Chosen) {
        self.opened = chosen.device.id().ok();
    }

    /// Whether the device that is open is still the one that is meant; or why it is lost, though
    /// its stream goes on: a sound server may move streams of a device that is gone to another.
    pub(super) fn is_still(&self, chosen: &Chosen) -> Result<bool, AudioError> {
        let Some(opened) = &self.opened else {
            return Ok(true);
        };
        if opened.host() == HostId::Alsa {
            // It moves no streams, and looking for its devices is slow.
            return Ok(true);
        }
        let gone = || chosen.lost("it is gone");
        if self.wanted.is_some() {
            let there = chosen.host.device_by_id(opened);
            return there.map(|_| true).ok_or_else(gone);
        }
        // Without an answer it is for the stream to tell.
        let default = default_device(&chosen.host, self.direction);
        match default.and_then(|device| device.id().ok()) {
            Some(id) if turns_monitor(opened, &id) => Err(gone()),
            Some(id) => Ok(id == *opened),
            None => Ok(true),
        }
    }
}

/// Whether a default that was a microphone has become a monitor, for want of any microphone. It is
/// not followed: the peer would hear itself.
fn turns_monitor(opened: &cpal::DeviceId, id: &cpal::DeviceId) -> bool {
    is_monitor(id) && !is_monitor(opened)
}

/// A device that was chosen, and how to open a stream on it.
pub(super) struct Chosen {
    pub(super) device: cpal::Device,
    pub(super) config: StreamConfig,
    pub(super) format: SampleFormat,
    direction: Direction,
    host: Arc<Host>,
}

impl Chosen {
    fn new(
        direction: Direction,
        by_name: bool,
        host: Arc<Host>,
        device: cpal::Device,
    ) -> Result<Self, AudioError> {
        let ranges: Result<Vec<_>, _> = match direction {
            Direction::Input => device.supported_input_configs().map(Iterator::collect),
            Direction::Output => device.supported_output_configs().map(Iterator::collect),
        };
        let ranges = ranges.map_err(|error| match (by_name, error.kind()) {
            // ALSA has a default device even where there is no sound card.
            (false, ErrorKind::DeviceNotAvailable | ErrorKind::HostUnavailable) => {
                AudioError::NoDevice { direction }
            }
            _ => cannot_open(&device, direction, &error.to_string()),
        })?;
        let unfit = "it has no sample format that we know";
        let (config, format) =
            best_config(&ranges).ok_or_else(|| cannot_open(&device, direction, unfit))?;
        Ok(Self {
            device,
            config,
            format,
            direction,
            host,
        })
    }

    /// The stream that is wanted of it, if a PulseAudio server has it.
    #[cfg(target_os = "linux")]
    pub(super) fn pulse(&self) -> Option<pulse::Wanted> {
        let id = self.device.id().ok()?;
        let BufferSize::Fixed(period) = self.config.buffer_size else {
            return None;
        };
        // The server converts: what it is asked for is what leaves us the least to do.
        let fits = self.config.channels == 1 && self.format == SampleFormat::F32;
        (id.host() == HostId::PulseAudio && fits).then(|| pulse::Wanted {
            device: id.id().to_owned(),
            rate: self.config.sample_rate,
            period,
        })
    }

    /// Whether the thread that calls back is to have real-time priority of us: on ALSA cpal gives
    /// it none.
    pub(super) fn raises_callbacks(&self) -> bool {
        self.device
            .id()
            .is_ok_and(|id| is_hardware(&id.to_string()))
    }

    /// Lets a stream run that was built on it.
    pub(super) fn run(
        &self,
        built: Result<cpal::Stream, cpal::Error>,
    ) -> Result<Stream, AudioError> {
        let stream = built.map_err(|error| self.failed(&error))?;
        stream.play().map_err(|error| self.failed(&error))?;
        Ok(Stream::Any(stream))
    }

    /// An error in opening this device, as it is told.
    pub(super) fn failed(&self, error: &dyn fmt::Display) -> AudioError {
        cannot_open(&self.device, self.direction, &error.to_string())
    }

    /// This device has stopped working.
    pub(super) fn lost(&self, why: &str) -> AudioError {
        AudioError::Lost {
            direction: self.direction,
            device: name_of(&self.device),
            why: why.to_owned(),
        }
    }
}

/// A stream that runs until this is dropped, which may take long.
#[expect(dead_code, reason = "it is kept, not used")]
pub(super) enum Stream {
    /// Of whatever sound system there is.
    Any(cpal::Stream),
    /// Of a PulseAudio server.
    #[cfg(target_os = "linux")]
    Pulse(pulse::Stream),
}

fn cannot_open(device: &cpal::Device, direction: Direction, why: &str) -> AudioError {
    AudioError::CannotOpen {
        direction,
        device: name_of(device),
        why: why.to_owned(),
    }
}

fn name_of(device: &cpal::Device) -> String {
    device
        .description()
        .map_or_else(|_| "default".to_owned(), |d| d.name().to_owned())
}

fn find(host: &Host, direction: Direction, wanted: &str) -> Result<cpal::Device, AudioError> {
    // An id may name a device of a sound system that is not the default one: `alsa:hw:1,0`.
    if let Some((other, _)) = wanted.split_once(':')
        && let Ok(other) = other.parse::<HostId>()
        && other != host.id()
        && let (Ok(other), Ok(id)) = (cpal::host_from_id(other), wanted.parse())
    {
        return other
            .device_by_id(&id)
            .ok_or_else(|| unknown(direction, wanted));
    }
    let mut found = list(host, direction)?;
    let described: Vec<&Device> = found.iter().map(|(device, _)| device).collect();
    let chosen = choose(&described, direction, wanted)?;
    Ok(found.swap_remove(chosen).1)
}

fn unknown(direction: Direction, wanted: &str) -> AudioError {
    AudioError::UnknownDevice {
        direction,
        wanted: wanted.to_owned(),
    }
}

/// The device of `listed` that is meant by `wanted`, as one is chosen that is to be opened.
#[must_use]
pub fn meant<'a>(listed: &'a [Device], direction: Direction, wanted: &str) -> Option<&'a Device> {
    let fitting: Vec<&Device> = listed
        .iter()
        .filter(|device| device.direction == direction)
        .collect();
    let at = choose(&fitting, direction, wanted).ok()?;
    fitting.get(at).copied()
}

/// The one device that has `wanted` for its id, with or without the sound system's name before it;
/// or for its name; or that has it as a part of its name, in capitals or not. Monitors come last.
fn choose(devices: &[&Device], direction: Direction, wanted: &str) -> Result<usize, AudioError> {
    let lower = wanted.to_lowercase();
    let ways: [&dyn Fn(&Device) -> bool; 4] = [
        &|device| {
            let bare = device.id.split_once(':').map(|(_, bare)| bare);
            device.id == wanted || bare == Some(wanted)
        },
        &|device| device.name == wanted,
        &|device| !device.is_monitor && device.name.to_lowercase().contains(&lower),
        &|device| device.name.to_lowercase().contains(&lower),
    ];
    for way in ways {
        let matching: Vec<usize> = (0..devices.len()).filter(|&at| way(devices[at])).collect();
        match matching[..] {
            [] => {}
            [only] => return Ok(only),
            _ => {
                return Err(AudioError::AmbiguousDevice {
                    direction,
                    wanted: wanted.to_owned(),
                    found: matching.iter().map(|&at| devices[at].id.clone()).collect(),
                });
            }
        }
    }
    Err(unknown(direction, wanted))
}

/// The way to open a device that leaves the least to convert: 48 kHz before other rates, mono
/// before more channels, floating point before integers; and a callback every 10 ms.
fn best_config(ranges: &[SupportedStreamConfigRange]) -> Option<(StreamConfig, SampleFormat)> {
    let formats = [SampleFormat::F32, SampleFormat::I16, SampleFormat::I32];
    ranges
        .iter()
        .filter_map(|range| {
            let format = formats
                .iter()
                .position(|&format| format == range.sample_format())?;
            let rate = SAMPLE_RATE.clamp(range.min_sample_rate(), range.max_sample_rate());
            let channels = range.channels();
            (rate > 0 && channels > 0).then_some((rate, channels, format, range))
        })
        .min_by_key(|&(rate, channels, format, _)| (rate.abs_diff(SAMPLE_RATE), channels, format))
        .map(|(sample_rate, channels, _, range)| {
            let period = (sample_rate / PERIODS_PER_SECOND).max(1);
            let period = match *range.buffer_size() {
                SupportedBufferSize::Range { min, max } => period.max(min).min(max),
                SupportedBufferSize::Unknown => period,
            };
            let buffer_size = BufferSize::Fixed(period);
            (
                StreamConfig {
                    channels,
                    sample_rate,
                    buffer_size,
                },
                range.sample_format(),
            )
        })
}

/// How many samples there are in `duration`, which is a few milliseconds, at `rate`.
pub(super) fn samples_in(duration: Duration, rate: u32) -> usize {
    let samples = duration.as_millis() * u128::from(rate) / 1_000;
    usize::try_from(samples).unwrap_or(usize::MAX)
}

/// How long `samples` sound at `rate`.
pub(super) fn duration_at(samples: usize, rate: u32) -> Duration {
    Duration::from_secs(1) * u32::try_from(samples).unwrap_or(u32::MAX) / rate.max(1)
}

/// How a stream's errors are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// Nothing is to be done.
    Ignore,
    /// It goes on, and a glitch is counted.
    Count,
    /// It goes on, unless there are too many of these.
    Doubt,
    /// It is to be opened anew.
    Rebuild,
}

fn answer(kind: ErrorKind) -> Answer {
    match kind {
        // It was moved to another device, or plays without priority.
        ErrorKind::DeviceChanged | ErrorKind::RealtimeDenied => Answer::Ignore,
        ErrorKind::Xrun => Answer::Count,
        // The device or the sound server is gone, or the sample rate is another.
        ErrorKind::DeviceNotAvailable
        | ErrorKind::StreamInvalidated
        | ErrorKind::HostUnavailable
        | ErrorKind::PermissionDenied
        | ErrorKind::UnsupportedConfig => Answer::Rebuild,
        // A stream that runs may say so once and go on. ALSA repeats them as fast as it can.
        ErrorKind::DeviceBusy
        | ErrorKind::InvalidInput
        | ErrorKind::ResourceExhausted
        | ErrorKind::UnsupportedOperation
        | ErrorKind::BackendError
        | ErrorKind::Other => Answer::Doubt,
        // What later versions add.
        _ => Answer::Doubt,
    }
}

/// What is known of a stream's health.
#[derive(Debug)]
pub(super) struct Health {
    lost: AtomicBool,
    why: OnceLock<String>,
    keeper: Thread,
}

impl Health {
    /// Good, as far as known; `keeper` is woken when that changes.
    pub(super) fn watched_by(keeper: Thread) -> Self {
        Self {
            lost: AtomicBool::new(false),
            why: OnceLock::new(),
            keeper,
        }
    }

    /// Why the stream is lost, if it is.
    pub(super) fn lost(&self) -> Option<&str> {
        self.why.get().map(String::as_str)
    }

    /// The stream is lost, and its keeper is woken.
    pub(super) fn lose(&self, error: &dyn fmt::Display) {
        // Only the first error is put into words, however many there are.
        if !self.lost.swap(true, Relaxed) {
            let _ = self.why.set(error.to_string());
            self.keeper.unpark();
        }
    }
}

/// The handler for the errors of a stream. It never blocks, and whatever storm of errors there is,
/// it says one thing once.
pub(super) fn error_handler(
    meter: Arc<Meter>,
    health: Arc<Health>,
) -> impl FnMut(cpal::Error) + Send + 'static {
    let mut doubts = 0;
    move |error| match answer(error.kind()) {
        Answer::Ignore => {}
        Answer::Count => {
            meter.glitched();
        }
        Answer::Rebuild => health.lose(&error),
        Answer::Doubt => {
            doubts += 1;
            if doubts >= DOUBTS_MAX {
                health.lose(&error);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use assert_no_alloc::assert_no_alloc;

    use super::*;

    fn device(id: &str, name: &str) -> Device {
        Device {
            id: format!("pulseaudio:{id}"),
            name: name.to_owned(),
            direction: Direction::Input,
            is_default: false,
            is_monitor: false,
        }
    }

    #[test]
    fn a_device_is_found_by_id_by_name_and_by_a_part_of_its_name() {
        let devices = [
            device("usb", "Headset"),
            device("usb.2", "Headset Pro"),
            device("pci", "Built-in"),
            device("Built-in", "Monitor"),
            Device {
                is_monitor: true,
                ..device("pci.monitor", "Monitor of Built-in")
            },
        ];
        let devices: Vec<&Device> = devices.iter().collect();
        let chosen = |wanted| choose(&devices, Direction::Input, wanted);
        assert_eq!(chosen("usb"), Ok(0));
        assert_eq!(chosen("pulseaudio:usb.2"), Ok(1));
        assert_eq!(chosen("Headset"), Ok(0));
        assert_eq!(
            chosen("head PRO"),
            Err(unknown(Direction::Input, "head PRO"))
        );
        assert_eq!(chosen("set pro"), Ok(1));
        assert_eq!(chosen("Built-in"), Ok(3));
        assert_eq!(chosen("built-IN"), Ok(2));
        assert_eq!(chosen("of built-IN"), Ok(4));
        let Err(AudioError::AmbiguousDevice { found, .. }) = chosen("headset") else {
            panic!("one of two was taken");
        };
        assert_eq!(found, ["pulseaudio:usb", "pulseaudio:usb.2"]);
        assert!(matches!(
            chosen(""),
            Err(AudioError::AmbiguousDevice { .. })
        ));
    }

    #[test]
    fn what_is_no_sound_card_itself_is_not_hardware() {
        for (id, expected) in [
            ("alsa:hw:CARD=PCH,DEV=0", true),
            ("alsa:plughw:CARD=PCH,DEV=0", false),
            ("alsa:sysdefault:CARD=PCH", false),
            ("alsa:default", false),
            ("alsa:pulse", false),
            ("alsa:null", false),
            ("pulseaudio:alsa_output.usb", false),
        ] {
            assert_eq!(is_hardware(id), expected, "{id}");
        }
    }

    fn range(channels: u16, rates: (u32, u32), format: SampleFormat) -> SupportedStreamConfigRange {
        let buffer = SupportedBufferSize::Range {
            min: 512,
            max: 4_096,
        };
        SupportedStreamConfigRange::new(channels, rates.0, rates.1, buffer, format)
    }

    #[test]
    fn the_format_that_leaves_least_to_convert_is_taken() {
        let best = |ranges: &[SupportedStreamConfigRange]| {
            best_config(ranges)
                .map(|(config, format)| (config.channels, config.sample_rate, format))
        };
        let all = [
            range(2, (8_000, 96_000), SampleFormat::F32),
            range(1, (44_100, 44_100), SampleFormat::F32),
            range(1, (8_000, 48_000), SampleFormat::U8),
            range(1, (8_000, 48_000), SampleFormat::I32),
            range(1, (8_000, 48_000), SampleFormat::I16),
        ];
        assert_eq!(best(&all), Some((1, 48_000, SampleFormat::I16)));
        assert_eq!(best(&all[..4]), Some((1, 48_000, SampleFormat::I32)));
        assert_eq!(best(&all[..3]), Some((2, 48_000, SampleFormat::F32)));
        assert_eq!(best(&all[1..3]), Some((1, 44_100, SampleFormat::F32)));
        assert_eq!(best(&all[2..3]), None);
        assert_eq!(best(&[]), None);
        let (config, _) = best_config(&all).unwrap();
        assert_eq!(config.buffer_size, BufferSize::Fixed(512));
    }

    #[test]
    fn a_storm_of_errors_is_counted_and_its_first_word_is_kept_without_allocating_more() {
        let (meter, health) = (Arc::<Meter>::default(), healthy());
        let mut handler = error_handler(Arc::clone(&meter), Arc::clone(&health));
        assert_no_alloc(|| (0..1_000).for_each(|_| handler(ErrorKind::Xrun.into())));
        assert_eq!(meter.glitches(), 1_000);
        assert_eq!(health.lost(), None, "underruns do not end a stream");
        handler(cpal::Error::with_message(
            ErrorKind::StreamInvalidated,
            "no server",
        ));
        assert_no_alloc(|| (0..1_000).for_each(|_| handler(ErrorKind::BackendError.into())));
        assert!(health.lost().unwrap().contains("no server"));
    }

    #[test]
    fn every_kind_of_error_ends_a_stream_at_once_or_when_it_storms_or_never() {
        let ends_after = |kind: ErrorKind| {
            let health = healthy();
            let mut handler = error_handler(Arc::default(), Arc::clone(&health));
            (1..=1_000).find(|_| {
                handler(kind.into());
                health.lost().is_some()
            })
        };
        for kind in [
            ErrorKind::DeviceChanged,
            ErrorKind::RealtimeDenied,
            ErrorKind::Xrun,
        ] {
            assert_eq!(ends_after(kind), None, "{kind:?}");
        }
        for kind in [
            ErrorKind::DeviceNotAvailable,
            ErrorKind::StreamInvalidated,
            ErrorKind::HostUnavailable,
            ErrorKind::PermissionDenied,
            ErrorKind::UnsupportedConfig,
        ] {
            assert_eq!(ends_after(kind), Some(1), "{kind:?}");
        }
        for kind in [
            ErrorKind::DeviceBusy,
            ErrorKind::InvalidInput,
            ErrorKind::ResourceExhausted,
            ErrorKind::UnsupportedOperation,
            ErrorKind::BackendError,
            ErrorKind::Other,
        ] {
            assert_eq!(ends_after(kind), Some(100), "{kind:?}");
        }
    }

    fn healthy() -> Arc<Health> {
        Arc::new(Health::watched_by(thread::current()))
    }
}
