//! A device that is kept open: a lost stream is opened anew, and a default is followed.
//!
//! Opening, closing and asking may wait for a sound server that hangs, so a thread of its own does
//! all of that: the *keeper*, one for each device of a call. It hands the sound thread one end of
//! each stream that it opens, and takes it back by word only: the sound thread drops its end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{
    AudioError,
    device::{Chosen, Direction, Health, OPEN_MAX, Pin, Stream},
    pace::Pace,
};

/// How often the keeper asks whether the device is still there, and still the default one.
const WATCH: Duration = Duration::from_millis(500);

/// How soon a stream is opened anew after the first failure; twice as late after each further one.
const RETRY_MIN: Duration = Duration::from_millis(100);

/// The latest, as long as the sound system answers.
const RETRY_MAX: Duration = Duration::from_millis(400);

/// An attempt that took so long found a sound server that hangs. Each such attempt can leave a
/// thread behind in the sound library, until the server answers ...
const HANGS: Duration = Duration::from_millis(1_500);

/// ... so it is tried again later and later, up to this.
const RETRY_HANGING_MAX: Duration = Duration::from_secs(60);

/// A stream that has run so long was no failure when it ends.
const STEADY: Duration = Duration::from_secs(5);

/// How long the first opening is waited for: connecting, asking, building and starting.
const FIRST_MAX: Duration = OPEN_MAX.saturating_mul(3);

/// How long it is waited for after that has failed.
const SECOND_MAX: Duration = Duration::from_millis(700);

/// How often whoever waits for the first opening is asked whether it is still wanted.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// How long the end of a call waits for its devices to close.
const CLOSE_MAX: Duration = Duration::from_millis(300);

/// The most keepers at a time. A call has two, and only a sound server that hangs lets them pile
/// up; then no more are started.
const KEEPERS_MAX: usize = 32;

/// How many keepers there are.
static KEEPERS: AtomicUsize = AtomicUsize::new(0);

/// The sound thread's end of a stream.
pub(super) trait End: Send + Sized + 'static {
    /// Which way its sound goes.
    const DIRECTION: Direction;

    /// Opens a stream and lets it run. May take long.
    fn open(chosen: &Chosen, health: &Arc<Health>) -> Result<(Self, Stream), AudioError>;

    /// Up to when its sound is accounted for, by the clock.
    fn until(&self) -> Instant;
}

/// A device as the sound thread has it.
pub(super) struct Kept<E> {
    end: Result<E, Pace>,
    /// While there is no stream.
    why: Option<AudioError>,
    turns: mpsc::Receiver<Turn<E>>,
    _keeper: Keeper,
}

/// A device whose first stream is being opened.
pub(super) struct Opening<E> {
    turns: mpsc::Receiver<Turn<E>>,
    keeper: Keeper,
}

/// What the keeper tells.
enum Turn<E> {
    /// There is a stream, in the place of another or of none.
    Opened(E),
    /// There is none.
    Lost(AudioError),
}

/// The thread, and how it is ended.
struct Keeper {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl<E: End> Opening<E> {
    /// Begins to open the device that is `wanted`, or the default one; does not wait.
    pub(super) fn begin(wanted: Option<&str>) -> Result<Self, AudioError> {
        let unavailable = |why: &str| AudioError::Unavailable {
            why: why.to_owned(),
        };
        let counted = Counted::new().ok_or_else(|| unavailable("the sound server hangs"))?;
        let stop = Arc::<AtomicBool>::default();
        // A turn is a stream, and streams come one after the other.
        let (told, turns) = mpsc::sync_channel(4);
        let keeping = Keeping {
            pin: Pin::new(E::DIRECTION, wanted),
            told,
            stop: Arc::clone(&stop),
            _counted: counted,
        };
        let thread = thread::Builder::new()
            .name(E::DIRECTION.to_string())
            .spawn(move || keeping.run())
            .map_err(|error| unavailable(&error.to_string()))?;
        let thread = Some(thread);
        let keeper = Keeper { stop, thread };
        Ok(Self { turns, keeper })
    }

    /// Waits until the device is open, for some seconds at most, or until `given_up`, which is
    /// asked every 50 ms. A device that is there and cannot be opened is given a second chance: a
    /// server that has just started may refuse once.
    pub(super) fn finish(self, given_up: impl Fn() -> bool) -> Result<Kept<E>, AudioError> {
        let refused = match self.first_turn(FIRST_MAX, &given_up) {
            Some(Turn::Opened(end)) => return Ok(self.kept(end)),
            Some(Turn::Lost(error)) => error,
            None => AudioError::Unavailable {
                why: "the sound server does not answer".to_owned(),
            },
        };
        if let AudioError::CannotOpen { .. } = refused
            && let Some(Turn::Opened(end)) = self.first_turn(SECOND_MAX, &given_up)
        {
            return Ok(self.kept(end));
        }
        Err(refused)
    }

    fn first_turn(&self, limit: Duration, given_up: &impl Fn() -> bool) -> Option<Turn<E>> {
        let until = Instant::now() + limit;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.turns.recv_timeout(left.min(ASK_EVERY)) {
                Ok(turn) => return Some(turn),
                Err(mpsc::RecvTimeoutError::Timeout) if !left.is_zero() && !given_up() => {}
                Err(_) => return None,
            }
        }
    }

    fn kept(self, end: E) -> Kept<E> {
        Kept {
            end: Ok(end),
            why: None,
            turns: self.turns,
            _keeper: self.keeper,
        }
    }
}

impl<E: End> Kept<E> {
    /// Hears what the keeper has done; if there is no stream, why not.
    pub(super) fn attend(&mut self) -> Option<&AudioError> {
        while let Ok(turn) = self.turns.try_recv() {
            (self.end, self.why) = match (turn, &self.end) {
                (Turn::Opened(end), _) => (Ok(end), None),
                (Turn::Lost(error), Ok(end)) => (Err(Pace::starting(end.until())), Some(error)),
                (Turn::Lost(error), Err(pace)) => (Err(*pace), Some(error)),
            };
        }
        self.why.as_ref()
    }

    /// The end of the stream, if there is one.
    pub(super) fn there(&self) -> Option<&E> {
        self.end.as_ref().ok()
    }

    /// The end of the stream, or while there is none the schedule that stands in for it.
    pub(super) fn end(&mut self) -> Result<&mut E, &mut Pace> {
        self.end.as_mut()
    }
}

impl Drop for Keeper {
    /// Closes the device. When that takes too long the thread is left to itself: it ends when the
    /// sound server lets go of it.
    fn drop(&mut self) {
        self.stop.store(true, SeqCst);
        let Some(keeper) = self.thread.take() else {
            return;
        };
        keeper.thread().unpark();
        let until = Instant::now() + CLOSE_MAX;
        while !keeper.is_finished() {
            if Instant::now() >= until {
                tracing::warn!("the sound system does not close a device");
                return;
            }
            thread::sleep(Duration::from_millis(2));
        }
        if keeper.join().is_err() {
            tracing::warn!("the thread that kept a device has panicked");
        }
    }
}

/// One of [`KEEPERS`], until it is dropped.
struct Counted;

impl Counted {
    fn new() -> Option<Self> {
        KEEPERS
            .fetch_update(SeqCst, SeqCst, |count| {
                (count < KEEPERS_MAX).then_some(count + 1)
            })
            .ok()
            .map(|_| Self)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        KEEPERS.fetch_sub(1, SeqCst);
    }
}

/// What the keeper's thread owns.
struct Keeping<E> {
    pin: Pin,
    told: mpsc::SyncSender<Turn<E>>,
    stop: Arc<AtomicBool>,
    _counted: Counted,
}

/// A stream that runs.
struct Open {
    /// Closes before the connection is free for another one.
    _stream: Stream,
    chosen: Chosen,
    health: Arc<Health>,
}

impl<E: End> Keeping<E> {
    fn run(mut self) {
        let mut retry = Retry::default();
        let mut told = false;
        while !self.is_over() {
            let began = Instant::now();
            let opened = self.open();
            let took = began.elapsed();
            let lost = match opened {
                Ok((end, open)) => {
                    told = false;
                    if self.told.send(Turn::Opened(end)).is_err() {
                        return;
                    }
                    let lost = self.watch(open);
                    if began.elapsed() >= STEADY {
                        retry = Retry::default();
                    }
                    lost
                }
                Err(error) => error,
            };
            // It is told once. When nobody hears it, the sound thread has gone.
            if !told && !self.is_over() && self.told.send(Turn::Lost(lost)).is_err() {
                return;
            }
            told = true;
            self.wait(retry.after(took));
        }
    }

    fn open(&mut self) -> Result<(E, Open), AudioError> {
        let chosen = self.pin.choose()?;
        let health = Arc::new(Health::watched_by(thread::current()));
        let (end, stream) = E::open(&chosen, &health)?;
        self.pin.fix(&chosen);
        let open = Open {
            chosen,
            health,
            _stream: stream,
        };
        Ok((end, open))
    }

    /// Keeps the stream open, and follows the default, until it is lost or the call is over; says
    /// why it is lost.
    fn watch(&mut self, mut open: Open) -> AudioError {
        loop {
            thread::park_timeout(WATCH);
            if let Some(why) = open.health.lost() {
                return open.chosen.lost(why);
            }
            if self.is_over() {
                return open.chosen.lost("the call is over");
            }
            match self.pin.is_still(&open.chosen) {
                Ok(true) => {}
                Err(error) => return error,
                Ok(false) => {
                    // The old stream ends when the new one runs. If that cannot be opened, the old
                    // one is as good as any, and the next look tries again.
                    if let Ok((end, newer)) = self.open() {
                        if self.told.send(Turn::Opened(end)).is_err() {
                            return open.chosen.lost("the call is over");
                        }
                        open = newer;
                    }
                }
            }
        }
    }

    fn is_over(&self) -> bool {
        self.stop.load(SeqCst)
    }

    fn wait(&self, time: Duration) {
        let until = Instant::now() + time;
        while !self.is_over() && Instant::now() < until {
            thread::park_timeout(until.saturating_duration_since(Instant::now()));
        }
    }
}

/// When to try again.
#[derive(Debug, Default)]
struct Retry(Duration);

impl Retry {
    /// How long to wait after an attempt that `took` so long.
    fn after(&mut self, took: Duration) -> Duration {
        let most = match took < HANGS {
            true => RETRY_MAX,
            false => RETRY_HANGING_MAX,
        };
        self.0 = (self.0 * 2).clamp(RETRY_MIN, most);
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_tried_again_soon_at_first_and_rarely_when_the_server_hangs() {
        let quick = Duration::from_millis(20);
        let mut retry = Retry::default();
        let waits: Vec<u128> = (0..6).map(|_| retry.after(quick).as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 400, 400, 400]);
        let waits: Vec<u128> = (0..9).map(|_| retry.after(HANGS).as_millis()).collect();
        assert_eq!(waits[..3], [800, 1_600, 3_200]);
        assert_eq!(waits[7..], [60_000, 60_000]);
        assert_eq!(retry.after(quick), RETRY_MAX);
    }
}
