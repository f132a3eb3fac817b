//! The sound devices of this machine: listed, chosen, and how a stream on one is set up.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed},
        mpsc,
    },
    time::Duration,
};

use cpal::{
    BufferSize, ErrorKind, Host, HostId, SampleFormat, StreamConfig, SupportedBufferSize,
    SupportedStreamConfigRange,
    traits::{DeviceTrait, HostTrait},
};

use super::AudioError;
use crate::media::SAMPLE_RATE;

/// How long a sound server may take to open a stream.
pub(super) const OPEN_MAX: Duration = Duration::from_secs(2);

/// Callbacks of a device per second that are asked for: one every 10 ms.
const PERIODS_PER_SECOND: u32 = 100;

/// A stream that reports so many errors that we do not know is taken for lost.
const UNKNOWN_ERRORS_MAX: u32 = 100;

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
    let host = quiet_host();
    let mut all = Vec::new();
    for direction in [Direction::Input, Direction::Output] {
        let found = list(&host, direction)?;
        all.extend(found.into_iter().map(|(device, _)| device));
    }
    Ok(all)
}

/// The sound system. ALSA's library would write to standard error what it does not find, where what
/// it returns says it already.
fn quiet_host() -> Host {
    // Where that cannot be kept from being written, it is no more than untidy.
    #[cfg(target_os = "linux")]
    let _ = alsa::Output::local_error_handler();
    cpal::default_host()
}

/// Whether it is a device to people. ALSA lists its plugins and its sinks for nothing as well.
fn is_device(id: &cpal::DeviceId) -> bool {
    let id = id.to_string();
    !id.starts_with("alsa:") || id == "alsa:default" || id.contains("CARD=")
}

fn list(host: &Host, direction: Direction) -> Result<Vec<(Device, cpal::Device)>, AudioError> {
    let cannot_list = |error: cpal::Error| AudioError::CannotList {
        why: error.to_string(),
    };
    let devices: Vec<cpal::Device> = match direction {
        Direction::Input => host.input_devices().map_err(cannot_list)?.collect(),
        Direction::Output => host.output_devices().map_err(cannot_list)?.collect(),
    };
    let default = default_device(host, direction).and_then(|device| device.id().ok());
    let mut found: Vec<_> = devices
        .into_iter()
        .filter_map(|device| {
            let id = device.id().ok().filter(is_device)?;
            let name = device.description().ok()?.name().to_owned();
            let described = Device {
                is_default: default.as_ref() == Some(&id),
                is_monitor: direction == Direction::Input && id.id().ends_with(".monitor"),
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

/// A device that was chosen, and how to open a stream on it.
pub(super) struct Chosen {
    pub(super) device: cpal::Device,
    pub(super) config: StreamConfig,
    pub(super) format: SampleFormat,
}

impl Chosen {
    /// The device that is `wanted`, or the default one.
    pub(super) fn new(direction: Direction, wanted: Option<&str>) -> Result<Self, AudioError> {
        let host = quiet_host();
        let device = match wanted {
            None => default_device(&host, direction).ok_or(AudioError::NoDevice { direction })?,
            Some(wanted) => find(&host, direction, wanted)?,
        };
        let ranges: Result<Vec<_>, _> = match direction {
            Direction::Input => device.supported_input_configs().map(Iterator::collect),
            Direction::Output => device.supported_output_configs().map(Iterator::collect),
        };
        let ranges = ranges.map_err(|error| match (wanted, error.kind()) {
            // ALSA has a default device even where there is no sound card.
            (None, ErrorKind::DeviceNotAvailable | ErrorKind::HostUnavailable) => {
                AudioError::NoDevice { direction }
            }
            _ => cannot_open(&device, direction, &error),
        })?;
        let (config, format) = best_config(&ranges).ok_or_else(|| AudioError::CannotOpen {
            direction,
            device: name_of(&device),
            why: "it has no sample format that we know".to_owned(),
        })?;
        Ok(Self {
            device,
            config,
            format,
        })
    }

    /// An error of this device, as it is told.
    pub(super) fn failed(&self, direction: Direction, error: &cpal::Error) -> AudioError {
        cannot_open(&self.device, direction, error)
    }
}

fn cannot_open(device: &cpal::Device, direction: Direction, error: &cpal::Error) -> AudioError {
    AudioError::CannotOpen {
        direction,
        device: name_of(device),
        why: error.to_string(),
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

/// What a stream's callbacks tell the sound thread.
#[derive(Debug, Default)]
pub(super) struct Meter {
    /// Underruns of a loudspeaker, overruns of a microphone.
    pub(super) glitches: AtomicU32,
    /// The most frames that one callback has moved since this was last taken.
    pub(super) period_frames: AtomicUsize,
    /// Frames of a microphone that found the ring full since this was last taken.
    pub(super) dropped_frames: AtomicUsize,
}

/// How many samples there are in `duration`, which is a few milliseconds, at `rate`.
pub(super) fn samples_in(duration: Duration, rate: u32) -> usize {
    let samples = duration.as_millis() * u128::from(rate) / 1_000;
    usize::try_from(samples).unwrap_or(usize::MAX)
}

/// The handler for the errors of a stream, and where it tells that the stream is lost, once.
///
/// It never blocks, whatever storm of errors there is.
pub(super) fn error_handler(
    meter: Arc<Meter>,
) -> (
    impl FnMut(cpal::Error) + Send + 'static,
    mpsc::Receiver<String>,
) {
    let (lost, told) = mpsc::sync_channel(1);
    let mut unknown = 0;
    let handler = move |error: cpal::Error| {
        let goes_on = match error.kind() {
            ErrorKind::Xrun => {
                meter.glitches.fetch_add(1, Relaxed);
                true
            }
            // It was moved to another device, or plays without priority.
            ErrorKind::DeviceChanged | ErrorKind::RealtimeDenied => true,
            ErrorKind::DeviceNotAvailable
            | ErrorKind::StreamInvalidated
            | ErrorKind::HostUnavailable => false,
            _ => {
                unknown += 1;
                unknown < UNKNOWN_ERRORS_MAX
            }
        };
        if !goes_on {
            // When it is full, it is known already.
            let _ = lost.try_send(error.to_string());
        }
    };
    (handler, told)
}

#[cfg(test)]
mod tests {
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
    fn a_storm_of_errors_is_counted_and_the_loss_is_told_once() {
        let meter = Arc::new(Meter::default());
        let (mut handler, told) = error_handler(Arc::clone(&meter));
        for _ in 0..1_000 {
            handler(cpal::Error::new(ErrorKind::Xrun));
        }
        assert_eq!(meter.glitches.load(Relaxed), 1_000);
        assert!(told.try_recv().is_err(), "underruns do not end a stream");
        for _ in 0..1_000 {
            handler(cpal::Error::new(ErrorKind::StreamInvalidated));
        }
        assert_eq!(told.try_iter().count(), 1);
        let (mut handler, told) = error_handler(meter);
        for _ in 0..99 {
            handler(cpal::Error::new(ErrorKind::BackendError));
        }
        assert!(
            told.try_recv().is_err(),
            "a few failures do not end a stream"
        );
        handler(cpal::Error::new(ErrorKind::BackendError));
        assert!(told.try_recv().is_ok());
    }
}
