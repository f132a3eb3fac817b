//! WAV files as microphone and as loudspeaker.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, BufReader, Seek, Write},
    path::{Path, PathBuf},
};

use hound::{SampleFormat, WavIntoSamples, WavReader, WavSpec};

use super::{AudioError, resample::Resampler};
use crate::media::{FRAME_SAMPLES, Frame, SAMPLE_RATE};

/// Sample rates that are read.
const RATES: std::ops::RangeInclusive<u32> = 8_000..=192_000;

/// A recording's header is brought up to date after so many frames: 200 ms.
const FRAMES_PER_FLUSH: u32 = 20;

/// The most samples in a recording: a WAV file counts its bytes in 32 bits. 12 hours.
const RECORDED_SAMPLES_MAX: u32 = u32::MAX / 2 - 1_024;

/// `speech.wav`, `speech-2.wav`, `speech-3.wav`: where the sound of the `call`th call goes. The
/// first call is number 1.
#[must_use]
pub fn numbered(path: &Path, call: u32) -> PathBuf {
    if call <= 1 {
        return path.to_owned();
    }
    let mut name = path
        .file_stem()
        .map_or_else(OsString::new, ToOwned::to_owned);
    name.push(format!("-{call}"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

/// A WAV file, read bit by bit as it is needed: 8 to 32 bits or floating point, mono or stereo, at
/// 8 to 192 kHz. It becomes mono at 48 kHz. The memory it takes does not grow with its length.
pub(super) struct Clip {
    samples: Samples,
    channels: u16,
    resampler: Resampler,
    /// Sound at the file's rate, on its way to the resampler: 10 ms.
    block: Vec<f32>,
    /// Sound at 48 kHz, ready to be taken.
    ready: Vec<f32>,
    /// How much of what the resampler gives next comes before the file's first sample.
    early: usize,
    /// How many samples at 48 kHz are still to be taken.
    left: u64,
}

enum Samples {
    Integer {
        file: WavIntoSamples<BufReader<File>, i32>,
        scale: f32,
    },
    Float(WavIntoSamples<BufReader<File>, f32>),
}

impl Clip {
    /// Opens a file and reads its first sound.
    pub(super) fn open(path: &Path) -> Result<Self, AudioError> {
        Self::read(path).map_err(|why| AudioError::CannotRead {
            path: path.to_owned(),
            why,
        })
    }

    fn read(path: &Path) -> Result<Self, String> {
        let file = File::open(path).map_err(|error| error.to_string())?;
        let metadata = file.metadata().map_err(|error| error.to_string())?;
        if !metadata.is_file() {
            return Err("it is no file".to_owned());
        }
        let wav = WavReader::new(BufReader::new(file)).map_err(describe)?;
        let WavSpec {
            channels,
            sample_rate,
            bits_per_sample,
            sample_format,
        } = wav.spec();
        if !RATES.contains(&sample_rate) {
            return Err(format!(
                "its sample rate is {sample_rate} Hz, not 8000 to 192000"
            ));
        }
        if !(1..=2).contains(&channels) {
            return Err(format!("it has {channels} channels, not 1 or 2"));
        }
        if wav.duration() == 0 {
            return Err("it holds no sound".to_owned());
        }
        if u64::from(wav.len()) * u64::from(bits_per_sample / 8) > metadata.len() {
            return Err("it is cut short".to_owned());
        }
        let left = u64::from(wav.duration()) * u64::from(SAMPLE_RATE) / u64::from(sample_rate);
        let samples = match sample_format {
            SampleFormat::Float => Samples::Float(wav.into_samples()),
            SampleFormat::Int => Samples::Integer {
                file: wav.into_samples(),
                scale: 0.5f32.powi(i32::from(bits_per_sample) - 1),
            },
        };
        let resampler =
            Resampler::new(sample_rate, SAMPLE_RATE).map_err(|error| error.to_string())?;
        let mut clip = Self {
            samples,
            channels,
            early: resampler.delay_samples(),
            resampler,
            block: vec![0.0; sample_rate as usize / 100],
            ready: Vec::with_capacity(4 * FRAME_SAMPLES),
            left: left.max(1),
        };
        // What cannot be decoded shows up now, not in the middle of a call.
        clip.fill().map_err(describe)?;
        Ok(clip)
    }

    /// The next 10 ms; silence follows the end. `false` when the end had been reached before.
    pub(super) fn next(&mut self, frame: &mut Frame) -> Result<bool, String> {
        frame.fill(0.0);
        if self.left == 0 {
            return Ok(false);
        }
        self.fill().map_err(describe)?;
        let taken = FRAME_SAMPLES.min(usize::try_from(self.left).unwrap_or(usize::MAX));
        frame[..taken].copy_from_slice(&self.ready[..taken]);
        self.ready.drain(..taken);
        self.left -= taken as u64;
        Ok(true)
    }

    /// Has a frame ready, or all that is left and silence.
    fn fill(&mut self) -> Result<(), hound::Error> {
        while self.ready.len() < FRAME_SAMPLES {
            for sample in &mut self.block {
                *sample = self.samples.next_mono(self.channels)?;
            }
            self.resampler.push(&self.block, &mut self.ready);
            let early = self.early.min(self.ready.len());
            self.ready.drain(..early);
            self.early -= early;
        }
        Ok(())
    }
}

impl Samples {
    /// The mean of the channels; silence after the end.
    fn next_mono(&mut self, channels: u16) -> Result<f32, hound::Error> {
        let mut sum = 0.0;
        for _ in 0..channels {
            let sample = match self {
                Self::Integer { file, scale } => {
                    file.next().transpose()?.unwrap_or(0) as f32 * *scale
                }
                Self::Float(file) => file.next().transpose()?.unwrap_or(0.0),
            };
            sum += sample;
        }
        Ok(sum / f32::from(channels))
    }
}

fn describe(error: hound::Error) -> String {
    match error {
        hound::Error::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            "it is cut short".to_owned()
        }
        hound::Error::IoError(error) => error.to_string(),
        hound::Error::FormatError(what) => format!("it is no WAV file that can be read: {what}"),
        hound::Error::Unsupported => "it is coded in a way that cannot be read".to_owned(),
        error => error.to_string(),
    }
}

/// A WAV file that is written as the sound comes: 48 kHz, mono, 16 bits.
///
/// At any moment it is a whole file, without the last 200 ms at most; a program that is killed
/// leaves what it had recorded. Nothing is kept back: each frame is written at once.
pub(super) struct Recording<W: Write + Seek = File> {
    wav: hound::WavWriter<W>,
    /// Frames that the header does not count yet.
    uncounted: u32,
}

impl Recording {
    /// Whether [`Recording::create`] would succeed; leaves everything as it is.
    pub(super) fn check(path: &Path) -> Result<(), AudioError> {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let checked = match std::fs::OpenOptions::new().write(true).open(path) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                std::fs::read_dir(folder.unwrap_or(Path::new("."))).map(drop)
            }
            Err(error) => Err(error),
        };
        checked.map_err(|error| AudioError::CannotWrite {
            path: path.to_owned(),
            why: error.to_string(),
        })
    }

    /// Creates the file, or empties it.
    pub(super) fn create(path: &Path) -> Result<Self, AudioError> {
        File::create(path)
            .map_err(hound::Error::from)
            .and_then(Self::begin)
            .map_err(|error| AudioError::CannotWrite {
                path: path.to_owned(),
                why: describe(error),
            })
    }
}

impl<W: Write + Seek> Recording<W> {
    fn begin(file: W) -> Result<Self, hound::Error> {
        let spec = WavSpec {
            channels: 1,
            sample_rate: SAMPLE_RATE,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let mut wav = hound::WavWriter::new(file, spec)?;
        wav.flush()?;
        Ok(Self { wav, uncounted: 0 })
    }

    /// Appends 10 ms. After an error nothing more is to be written: what was written before stays
    /// a whole file.
    pub(super) fn write(&mut self, frame: &Frame) -> Result<(), String> {
        if self.wav.len() > RECORDED_SAMPLES_MAX {
            return Err("a WAV file holds no more than 12 hours".to_owned());
        }
        self.append(frame).map_err(describe)
    }

    fn append(&mut self, frame: &Frame) -> Result<(), hound::Error> {
        const SAMPLES: u32 = 480;
        const { assert!(SAMPLES as usize == FRAME_SAMPLES) }
        let mut samples = self.wav.get_i16_writer(SAMPLES);
        for sample in frame {
            samples.write_sample(to_i16(*sample));
        }
        samples.flush()?;
        self.uncounted += 1;
        if self.uncounted == FRAMES_PER_FLUSH {
            self.uncounted = 0;
            self.wav.flush()?;
        }
        Ok(())
    }

    /// Brings the header up to date and closes the file.
    pub(super) fn finish(self) -> Result<(), String> {
        self.wav.finalize().map_err(describe)
    }
}

/// Full scale is 1.0; what is beyond is cut off.
#[allow(
    clippy::cast_possible_truncation,
    reason = "`as` saturates, and no number becomes zero"
)]
fn to_i16(sample: f32) -> i16 {
    (sample * f32::from(i16::MAX)).round() as i16
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation, reason = "samples are rounded")]
mod tests {
    use std::{
        cell::RefCell,
        io::{Cursor, SeekFrom},
        rc::Rc,
    };

    use super::*;

    fn spec(channels: u16, sample_rate: u32, bits: u16, sample_format: SampleFormat) -> WavSpec {
        WavSpec {
            channels,
            sample_rate,
            bits_per_sample: bits,
            sample_format,
        }
    }

    /// A file of a ramp from -0.5 to 0.5; the right channel, if any, is silent.
    fn write_ramp(path: &Path, spec: WavSpec, length: u32) {
        let mut wav = hound::WavWriter::create(path, spec).unwrap();
        for n in 0..length {
            let value = f64::from(n) / f64::from(length) - 0.5;
            for channel in 0..spec.channels {
                let value = if channel == 0 { value } else { 0.0 };
                match spec.sample_format {
                    SampleFormat::Float => wav.write_sample(value as f32).unwrap(),
                    SampleFormat::Int => {
                        let scale = 2f64.powi(i32::from(spec.bits_per_sample) - 1);
                        wav.write_sample((value * scale) as i32).unwrap();
                    }
                }
            }
        }
        wav.finalize().unwrap();
    }

    fn read_all(path: &Path) -> Vec<f32> {
        let mut clip = Clip::open(path).unwrap();
        let (mut all, mut frame) = (Vec::new(), [0.0; FRAME_SAMPLES]);
        while clip.next(&mut frame).unwrap() {
            all.extend_from_slice(&frame);
        }
        assert_eq!(frame, [0.0; FRAME_SAMPLES]);
        all
    }

    #[test]
    fn every_kind_of_sample_reads_as_the_same_sound() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ramp.wav");
        for (bits, format) in [8, 16, 24, 32]
            .map(|bits| (bits, SampleFormat::Int))
            .into_iter()
            .chain([(32, SampleFormat::Float)])
        {
            for channels in [1, 2] {
                write_ramp(&path, spec(channels, 48_000, bits, format), 4_800);
                let sound = read_all(&path);
                assert_eq!(sound.len(), 4_800);
                for (n, sample) in sound.iter().enumerate() {
                    let expected = (n as f32 / 4_800.0 - 0.5) / f32::from(channels);
                    let off = (sample - expected).abs();
                    assert!(off < 0.009, "{bits} bits, {channels} channels, {n}: {off}");
                }
            }
        }
    }

    #[test]
    fn other_rates_keep_their_duration_and_begin_at_their_beginning() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ramp.wav");
        for rate in [8_000, 11_025, 16_000, 22_050, 44_100, 96_000, 192_000] {
            write_ramp(&path, spec(1, rate, 16, SampleFormat::Int), rate);
            let sound = read_all(&path);
            assert_eq!(sound.len(), 48_000, "{rate}");
            for n in (1_000..47_000).step_by(1_000) {
                let expected = n as f32 / 48_000.0 - 0.5;
                assert!(
                    (sound[n] - expected).abs() < 0.001,
                    "{rate}: {n}: {}",
                    sound[n]
                );
            }
        }
    }

    #[test]
    fn a_clip_of_an_odd_length_is_padded_with_silence() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("short.wav");
        write_ramp(&path, spec(1, 48_000, 32, SampleFormat::Float), 500);
        let sound = read_all(&path);
        assert_eq!(sound.len(), 960);
        assert_ne!(sound[499], 0.0);
        assert!(sound[500..].iter().all(|&sample| sample == 0.0));
    }

    #[test]
    fn what_is_no_sound_is_refused_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bad.wav");
        let refusal = || {
            Clip::open(&path)
                .err()
                .map(|error| error.to_string())
                .unwrap()
        };
        assert!(refusal().contains("cannot read"), "{}", refusal());
        std::fs::create_dir(&path).unwrap();
        assert!(refusal().contains("no file"), "{}", refusal());
        std::fs::remove_dir(&path).unwrap();
        std::fs::write(&path, b"ID3 this is no WAV").unwrap();
        assert!(refusal().contains("no WAV file"), "{}", refusal());
        write_ramp(&path, spec(1, 48_000, 16, SampleFormat::Int), 0);
        assert!(refusal().contains("no sound"), "{}", refusal());
        write_ramp(&path, spec(3, 48_000, 16, SampleFormat::Int), 10);
        assert!(refusal().contains("3 channels"), "{}", refusal());
        write_ramp(&path, spec(1, 400_000, 16, SampleFormat::Int), 10);
        assert!(refusal().contains("400000 Hz"), "{}", refusal());
        write_ramp(&path, spec(1, 48_000, 16, SampleFormat::Int), 10_000);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..15_000]).unwrap();
        assert!(refusal().contains("cut short"), "{}", refusal());
        let mut silent = whole.clone();
        silent[24..32].fill(0);
        std::fs::write(&path, &silent).unwrap();
        assert!(refusal().contains("0 Hz"), "{}", refusal());
        // No byte of the header makes it panic.
        for at in 0..44 {
            for value in [0, 1, 3, 0x7F, 0xFF] {
                let mut damaged = whole.clone();
                damaged[at] = value;
                std::fs::write(&path, &damaged).unwrap();
                if let Ok(mut clip) = Clip::open(&path) {
                    let mut frame = [0.0; FRAME_SAMPLES];
                    while clip.next(&mut frame).unwrap_or(false) {}
                }
            }
        }
    }

    /// A disk that has room for `room` bytes, and on which a file is looked at after every write.
    struct Disk {
        file: Rc<RefCell<Cursor<Vec<u8>>>>,
        room: u64,
        look: fn(&[u8]),
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut file = self.file.borrow_mut();
            if file.position() + bytes.len() as u64 > self.room {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let written = file.write(bytes)?;
            (self.look)(file.get_ref());
            Ok(written)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Seek for Disk {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.file.borrow_mut().seek(to)
        }
    }

    /// The samples that a reader finds, and how many more are in the file uncounted.
    fn found(file: &[u8]) -> (Vec<i16>, usize) {
        let wav = WavReader::new(file).unwrap();
        let samples: Vec<i16> = wav.into_samples().map(Result::unwrap).collect();
        let more = (file.len() - 44) / 2 - samples.len();
        (samples, more)
    }

    #[test]
    fn a_recording_is_a_whole_file_after_every_single_write() {
        fn look(file: &[u8]) {
            let (samples, more) = found(file);
            assert!(more <= 20 * FRAME_SAMPLES, "{more} samples would be lost");
            assert!(samples.iter().all(|&sample| sample == 16_384));
        }
        let disk = Disk {
            file: Rc::default(),
            room: u64::MAX,
            look,
        };
        let mut recording = Recording::begin(disk).unwrap();
        for _ in 0..65 {
            recording.write(&[0.5; FRAME_SAMPLES]).unwrap();
        }
        recording.finish().unwrap();
    }

    #[test]
    fn a_full_disk_is_an_error_and_leaves_a_whole_file() {
        let file = Rc::default();
        let disk = Disk {
            file: Rc::clone(&file),
            room: 44 + 50 * 960 + 7,
            look: |_| {},
        };
        let mut recording = Recording::begin(disk).unwrap();
        let failed = (1..100).find(|_| recording.write(&[0.1; FRAME_SAMPLES]).is_err());
        assert_eq!(failed, Some(51));
        drop(recording);
        assert_eq!(found(file.borrow().get_ref()).0.len(), 50 * FRAME_SAMPLES);
    }

    #[test]
    fn a_recording_on_disk_reads_back_and_full_scale_is_not_exceeded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.wav");
        let mut recording = Recording::create(&path).unwrap();
        let mut frame = [0.0; FRAME_SAMPLES];
        frame[..6].copy_from_slice(&[1.0, -1.0, 7.0, -7.0, 0.25, f32::NAN]);
        recording.write(&frame).unwrap();
        assert_eq!(found(&std::fs::read(&path).unwrap()).0.len(), 0);
        recording.finish().unwrap();
        let (samples, more) = found(&std::fs::read(&path).unwrap());
        assert_eq!((samples.len(), more), (FRAME_SAMPLES, 0));
        assert_eq!(samples[..6], [32_767, -32_767, 32_767, -32_768, 8_192, 0]);
        let nowhere = folder.path().join("nowhere").join("out.wav");
        let refusal = Recording::create(&nowhere).err().unwrap().to_string();
        assert!(refusal.contains("cannot write"), "{refusal}");
    }

    #[test]
    fn the_first_call_has_the_files_name_and_the_others_a_number() {
        assert_eq!(numbered(Path::new("a/out.WAV"), 1), Path::new("a/out.WAV"));
        assert_eq!(
            numbered(Path::new("a/out.WAV"), 2),
            Path::new("a/out-2.WAV")
        );
        assert_eq!(numbered(Path::new("b.c.wav"), 13), Path::new("b.c-13.wav"));
    }
}
