//! Sound without a call, to try devices: a meter of a microphone, a test sound, and one's own voice
//! recorded and played again.
//!
//! Each is a thread of its own, which a dropped handle ends within 20 ms. Whoever holds a handle
//! never waits: opening a device takes as long as the sound server takes, and until then the state
//! is [`State::Opening`]. A server that does not answer is [`State::Failed`] after some seconds.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use super::{
    AudioError, Input, Output, Tone, Volume,
    level::Peak,
    sink::{Sink, SinkOpening},
    source::{Source, SourceOpening},
    tone::Generator,
    volume::{Gain, Knob},
    wait::{Alarm, sleep_until},
};
use crate::media::{FRAME_SAMPLES, Frame, SAMPLE_RATE, SILENCE};

/// The longest recording. It takes 2 MB.
pub const RECORDING_MAX: Duration = Duration::from_secs(10);

/// As many samples.
const RECORDING_MAX_SAMPLES: usize = 10 * SAMPLE_RATE as usize;

const _: () = assert!(RECORDING_MAX.as_secs() == 10);

/// How long the test sound is.
const TEST_SOUND: Duration = Duration::from_millis(1_500);

/// How long the sound system may take to play what it was given last, before it is closed.
const TAIL: Duration = Duration::from_millis(250);

/// The longest that a thread sleeps, and so the longest that it does not notice its end.
const SLEEP_MAX: Duration = Duration::from_millis(20);

/// How far a trial has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The sound system opens the device.
    Opening,
    /// Sound goes.
    Running,
    /// All has been recorded that there is room for, or all has been played.
    Ended,
    /// There is no sound. A device that was lost may come back, and then it is
    /// [`State::Running`] again.
    Failed(AudioError),
}

/// Shows how loud a microphone is, for as long as this is kept.
#[derive(Debug)]
pub struct Meter(Trial);

impl Meter {
    /// Begins to listen; does not wait. A file is listened to once.
    ///
    /// # Errors
    /// [`AudioError::Unavailable`] if the system has no thread left.
    pub fn start(input: Input) -> Result<Self, AudioError> {
        Trial::start("meter", move |shared| listen(shared, &input, None)).map(Self)
    }

    /// How far it has come.
    #[must_use]
    pub fn state(&self) -> State {
        self.0.state()
    }

    /// How loud it was since this was last asked, in dB relative to full scale, after the volume:
    /// from -96, which is also silence, to 0.
    #[must_use]
    pub fn level_dbfs(&self) -> f32 {
        self.0.shared.peak.take_dbfs()
    }

    /// How loud the microphone is to be from now on.
    pub fn volume(&self, volume: Volume) {
        self.0.shared.volume.set(volume);
    }
}

/// Records a microphone, up to [`RECORDING_MAX`], for as long as this is kept.
#[derive(Debug)]
pub struct Recorder {
    trial: Trial,
    taken: Arc<Mutex<Vec<f32>>>,
}

impl Recorder {
    /// Begins to record; does not wait. What is heard is recorded from when the device is open.
    ///
    /// # Errors
    /// [`AudioError::Unavailable`] if the system has no thread left.
    pub fn start(input: Input) -> Result<Self, AudioError> {
        let taken = Arc::new(Mutex::new(Vec::with_capacity(RECORDING_MAX_SAMPLES)));
        let recorded = Arc::clone(&taken);
        let trial = Trial::start("recorder", move |shared| {
            listen(shared, &input, Some(&recorded));
        })?;
        Ok(Self { trial, taken })
    }

    /// How far it has come.
    #[must_use]
    pub fn state(&self) -> State {
        self.trial.state()
    }

    /// As [`Meter::level_dbfs`].
    #[must_use]
    pub fn level_dbfs(&self) -> f32 {
        self.trial.shared.peak.take_dbfs()
    }

    /// How loud the microphone is to be from now on.
    pub fn volume(&self, volume: Volume) {
        self.trial.shared.volume.set(volume);
    }

    /// How much is recorded by now.
    #[must_use]
    pub fn length(&self) -> Duration {
        length_of(lock(&self.taken).len())
    }

    /// Ends, and gives what was recorded.
    #[must_use]
    pub fn finish(self) -> Recording {
        let samples = std::mem::take(&mut *lock(&self.taken));
        Recording(samples.into())
    }
}

/// What was recorded: 48 kHz, mono, at most [`RECORDING_MAX`]. Copies share it.
#[derive(Clone, PartialEq)]
pub struct Recording(Arc<[f32]>);

impl Recording {
    /// How long it sounds.
    #[must_use]
    pub fn length(&self) -> Duration {
        length_of(self.0.len())
    }

    /// The loudest sample of each 10 ms, of full scale: what a picture of it shows.
    pub fn peaks(&self) -> impl Iterator<Item = f32> + '_ {
        let pieces = self.0.chunks(FRAME_SAMPLES);
        pieces.map(|piece| {
            piece
                .iter()
                .fold(0.0, |peak: f32, sample| peak.max(sample.abs()))
        })
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Recording").field(&self.length()).finish()
    }
}

/// Plays something once on a loudspeaker; dropping this stops it.
#[derive(Debug)]
pub struct Player {
    trial: Trial,
    length: Duration,
}

impl Player {
    /// Begins to play three soft rising notes, 1.5 s; does not wait. Files stay as they are, and
    /// get none.
    ///
    /// # Errors
    /// [`AudioError::Unavailable`] if the system has no thread left.
    pub fn tone(output: Output) -> Result<Self, AudioError> {
        let mut generator = Generator::new(Tone::Test);
        Self::start(output, TEST_SOUND, move |_| generator.next())
    }

    /// Begins to play what was recorded, likewise.
    ///
    /// # Errors
    /// [`AudioError::Unavailable`] if the system has no thread left.
    pub fn replay(recording: &Recording, output: Output) -> Result<Self, AudioError> {
        let samples = Arc::clone(&recording.0);
        Self::start(output, recording.length(), move |number| {
            let mut frame = SILENCE;
            let from = (number * FRAME_SAMPLES).min(samples.len());
            let piece = &samples[from..samples.len().min(from + FRAME_SAMPLES)];
            frame[..piece.len()].copy_from_slice(piece);
            frame
        })
    }

    fn start(
        output: Output,
        length: Duration,
        next: impl FnMut(usize) -> Frame + Send + 'static,
    ) -> Result<Self, AudioError> {
        let frames = samples_of(length).div_ceil(FRAME_SAMPLES);
        let trial = Trial::start("player", move |shared| play(shared, &output, frames, next))?;
        Ok(Self { trial, length })
    }

    /// How far it has come.
    #[must_use]
    pub fn state(&self) -> State {
        self.trial.state()
    }

    /// How loud it was since this was last asked, in dB relative to full scale, before the volume:
    /// from -96, which is also silence, to 0.
    #[must_use]
    pub fn level_dbfs(&self) -> f32 {
        self.trial.shared.peak.take_dbfs()
    }

    /// How loud the loudspeaker is to be from now on.
    pub fn volume(&self, volume: Volume) {
        self.trial.shared.volume.set(volume);
    }

    /// How much has been played by now.
    #[must_use]
    pub fn position(&self) -> Duration {
        let frames = self.trial.shared.played.load(Relaxed);
        length_of(frames * FRAME_SAMPLES).min(self.length)
    }

    /// How much there is to play.
    #[must_use]
    pub fn length(&self) -> Duration {
        self.length
    }
}

/// A thread that ends when this is dropped.
#[derive(Debug)]
struct Trial {
    shared: Arc<Shared>,
    thread: thread::Thread,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    stop: AtomicBool,
    peak: Peak,
    volume: Knob,
    /// Frames that were played.
    played: AtomicUsize,
}

impl Trial {
    fn start(name: &str, run: impl FnOnce(&Shared) + Send + 'static) -> Result<Self, AudioError> {
        let shared = Arc::new(Shared {
            state: Mutex::new(State::Opening),
            stop: AtomicBool::new(false),
            peak: Peak::default(),
            volume: Knob::default(),
            played: AtomicUsize::new(0),
        });
        let theirs = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || run(&theirs))
            .map_err(|error| AudioError::Unavailable {
                why: error.to_string(),
            })?;
        let thread = thread.thread().clone();
        Ok(Self { shared, thread })
    }

    fn state(&self) -> State {
        lock(&self.shared.state).clone()
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        self.shared.stop.store(true, Relaxed);
        self.thread.unpark();
    }
}

impl Shared {
    fn is_over(&self) -> bool {
        self.stop.load(Relaxed)
    }

    fn enter(&self, state: State) {
        *lock(&self.state) = state;
    }

    /// Whether the device is there, as far as is known.
    fn note(&self, lost: Option<&AudioError>) {
        let mut state = lock(&self.state);
        match (lost, &*state) {
            (None, State::Running) => {}
            (Some(why), State::Failed(known)) if why == known => {}
            (None, _) => *state = State::Running,
            (Some(why), _) => *state = State::Failed(why.clone()),
        }
    }
}

fn listen(shared: &Shared, input: &Input, taken: Option<&Mutex<Vec<f32>>>) {
    let opened = SourceOpening::begin(input).and_then(|it| it.finish(|| shared.is_over()));
    let mut source: Source = match opened {
        Ok(source) => source,
        Err(error) => return shared.enter(State::Failed(error)),
    };
    let mut gain = Gain::default();
    while !shared.is_over() {
        let now = Instant::now();
        shared.note(source.attend());
        source.leave_out(now);
        let mut frame = SILENCE;
        // A file that is at its end is silence.
        while source.next(&mut frame, now, true, |_| ()) {
            gain.apply(&mut frame, shared.volume.get());
            shared.peak.note(&frame);
            let Some(mut taken) = taken.map(lock) else {
                continue;
            };
            if taken.len() + FRAME_SAMPLES > RECORDING_MAX_SAMPLES {
                return shared.enter(State::Ended);
            }
            // Files and devices may hold anything.
            taken.extend(frame.map(|s| {
                if s.is_finite() {
                    s.clamp(-1.0, 1.0)
                } else {
                    0.0
                }
            }));
        }
        nap(source.wakes(now), source.alarm());
    }
}

fn play(shared: &Shared, output: &Output, frames: usize, mut next: impl FnMut(usize) -> Frame) {
    let output = match output {
        Output::File(_) => &Output::None,
        other => other,
    };
    let opened = SinkOpening::begin(output).and_then(|it| it.finish(|| shared.is_over()));
    let mut sink: Sink = match opened {
        Ok(sink) => sink,
        Err(error) => return shared.enter(State::Failed(error)),
    };
    let mut gain = Gain::default();
    let mut played = 0;
    let mut ends = None;
    while !shared.is_over() {
        let now = Instant::now();
        let is_lost = sink.attend().map(|why| shared.note(Some(why))).is_some();
        if !is_lost {
            shared.note(None);
        }
        sink.leave_out(now);
        while sink.wants(now) {
            // What a device that is away would have played is played when it is back.
            let mut frame = match played < frames && !is_lost {
                true => next(played),
                false => SILENCE,
            };
            shared.peak.note(&frame);
            gain.apply(&mut frame, shared.volume.get());
            sink.write(&frame, now, true);
            played += usize::from(!is_lost);
            shared.played.store(played, Relaxed);
        }
        if played >= frames && now >= *ends.get_or_insert(now + TAIL) {
            return shared.enter(State::Ended);
        }
        nap(sink.wakes(now), sink.alarm());
    }
}

/// Sleeps until there is something to do, and never long.
fn nap(wake: Instant, alarm: Alarm<'_>) {
    let wake = wake.min(Instant::now() + SLEEP_MAX);
    sleep_until(wake, [alarm, Alarm::Clock]);
}

fn samples_of(length: Duration) -> usize {
    usize::try_from(length.as_micros() * u128::from(SAMPLE_RATE) / 1_000_000).unwrap_or(usize::MAX)
}

fn length_of(samples: usize) -> Duration {
    super::device::duration_at(samples, SAMPLE_RATE)
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
