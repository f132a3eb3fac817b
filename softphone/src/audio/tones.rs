//! Plays a phone's tones, on a thread of its own that holds a device only while there is something
//! to hear.

use std::{
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use super::{
    Output,
    kept::{Kept, Opening},
    playout::Playout,
    tone::{Generator, Tone},
    volume::{Gain, Knob, Volume},
};

/// How often the device is looked after while a tone sounds: often enough that its ring, which
/// holds a period and 10 ms, never runs dry.
const LOOK_EVERY: Duration = Duration::from_millis(4);

/// How late that may come: nobody waits for a tone.
const SLACK: Duration = Duration::from_millis(20);

/// How long after a device could not be opened it is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// Plays tones, one at a time. Dropping it ends its thread, promptly and without waiting for it.
#[derive(Debug)]
pub struct Tones {
    wish: Arc<Wish>,
}

/// What the thread is to do.
#[derive(Debug)]
struct Wish {
    state: Mutex<State>,
    changed: Condvar,
    volume: Knob,
}

#[derive(Debug)]
struct State {
    wanted: Wanted,
    /// `None` is where everything else is heard.
    ringing: Option<Output>,
    others: Output,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    #[default]
    Silence,
    /// The number tells a tone from the same one before it.
    Tone(Tone, u64),
    /// Nobody wants anything any more.
    End,
}

impl Tones {
    /// Starts the thread: an incoming call is to be heard on `ringing`, everything else on
    /// `others`, and `None` is there as well. Files stay as they are, and get no tones.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn start(ringing: Option<Output>, others: Output) -> io::Result<Self> {
        let wish = Arc::new(Wish::new(ringing, others));
        let wished = Arc::clone(&wish);
        thread::Builder::new()
            .name("tones".to_owned())
            .spawn(move || wished.fulfil())?;
        Ok(Self { wish })
    }

    /// Plays this from its beginning, in place of what sounds now, until something else is wanted.
    /// `None` is silence, which is heard within 50 ms. Never waits.
    pub fn play(&self, tone: Option<Tone>) {
        let mut state = self.wish.lock();
        state.wanted = match (tone, state.wanted) {
            (None, _) => Wanted::Silence,
            (Some(tone), Wanted::Tone(_, number)) => Wanted::Tone(tone, number.wrapping_add(1)),
            (Some(tone), _) => Wanted::Tone(tone, 0),
        };
        self.wish.changed.notify_all();
    }

    /// Where an incoming call is heard from now on; `None` is where everything else is. A tone that
    /// sounds begins anew there. Never waits.
    pub fn ring_on(&self, output: Option<Output>) {
        self.wish.change(|state| state.ringing = output);
    }

    /// Where everything else is heard from now on. A tone that sounds begins anew there. Never
    /// waits.
    pub fn output(&self, output: Output) {
        self.wish.change(|state| state.others = output);
    }

    /// How loud everything but an incoming call is, from now on.
    pub fn volume(&self, volume: Volume) {
        self.wish.volume.set(volume);
    }
}

impl Drop for Tones {
    fn drop(&mut self) {
        self.wish.lock().wanted = Wanted::End;
        self.wish.changed.notify_all();
    }
}

impl State {
    fn output(&self, tone: Tone) -> &Output {
        match tone {
            Tone::Ringing => self.ringing.as_ref().unwrap_or(&self.others),
            Tone::Ringback | Tone::Busy | Tone::CallWaiting | Tone::Test => &self.others,
        }
    }
}

impl Wish {
    fn new(ringing: Option<Output>, others: Output) -> Self {
        Self {
            state: Mutex::new(State {
                wanted: Wanted::Silence,
                ringing,
                others,
            }),
            changed: Condvar::new(),
            volume: Knob::default(),
        }
    }

    /// Held for a moment each time, never while anything else is waited for.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes where tones are heard; one that was to be heard elsewhere begins anew.
    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        let Wanted::Tone(tone, number) = state.wanted else {
            return change(&mut state);
        };
        let before = state.output(tone).clone();
        change(&mut state);
        if *state.output(tone) != before {
            state.wanted = Wanted::Tone(tone, number.wrapping_add(1));
            self.changed.notify_all();
        }
    }

    /// Waits until something else than `now` is wanted, for `limit` at most; what is wanted then.
    fn other_than(&self, now: Wanted, limit: Option<Duration>) -> Wanted {
        let same = |state: &mut State| state.wanted == now;
        let state = self.lock();
        match limit {
            None => {
                let state = self.changed.wait_while(state, same);
                state.unwrap_or_else(PoisonError::into_inner).wanted
            }
            Some(limit) => {
                let state = self.changed.wait_timeout_while(state, limit, same);
                state.unwrap_or_else(PoisonError::into_inner).0.wanted
            }
        }
    }

    fn fulfil(&self) {
        let mut wanted = Wanted::Silence;
        loop {
            wanted = match wanted {
                Wanted::End => return,
                Wanted::Silence => self.other_than(wanted, None),
                Wanted::Tone(tone, _) => {
                    let output = self.lock().output(tone).clone();
                    match output {
                        Output::Default => self.sound(wanted, tone, None),
                        Output::Device(name) => self.sound(wanted, tone, Some(&name)),
                        Output::File(_) | Output::None => self.other_than(wanted, None),
                    }
                }
            };
        }
    }

    /// Sounds a tone until something else is wanted, which it returns.
    fn sound(&self, wanted: Wanted, tone: Tone, device: Option<&str>) -> Wanted {
        let opened =
            Opening::begin(device).and_then(|opening: Opening<Playout>| opening.finish(|| false));
        let mut kept: Kept<Playout> = match opened {
            Ok(kept) => kept,
            Err(error) => {
                // A call without its tone is still a call.
                tracing::warn!("no tone: {error}");
                return self.other_than(wanted, Some(RETRY));
            }
        };
        let (mut generator, mut gain) = (Generator::new(tone), Gain::default());
        loop {
            let now = self.other_than(wanted, Some(LOOK_EVERY));
            if now != wanted {
                return now;
            }
            let volume = match tone {
                // Whoever has turned a voice down still wants to hear that somebody calls.
                Tone::Ringing => Volume::NORMAL,
                Tone::Ringback | Tone::Busy | Tone::CallWaiting | Tone::Test => self.volume.get(),
            };
            // A device that is lost is opened again by its keeper; meanwhile nothing is heard.
            let _ = kept.attend();
            if let Ok(playout) = kept.end() {
                playout.afford(SLACK);
                while playout.wants(Instant::now()) {
                    let mut frame = generator.next();
                    gain.apply(&mut frame, volume);
                    playout.write(&frame, Instant::now());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_last_is_what_counts_and_a_tone_begins_anew() {
        let tones = Tones {
            wish: Arc::new(Wish::new(None, Output::None)),
        };
        tones.play(Some(Tone::Ringing));
        let first = tones.wish.lock().wanted;
        assert_eq!(first, Wanted::Tone(Tone::Ringing, 0));
        tones.play(Some(Tone::Ringing));
        assert_ne!(tones.wish.lock().wanted, first);
        tones.play(None);
        assert_eq!(tones.wish.lock().wanted, Wanted::Silence);
        let wish = Arc::clone(&tones.wish);
        drop(tones);
        assert_eq!(wish.other_than(Wanted::Silence, None), Wanted::End);
    }

    #[test]
    fn a_tone_begins_anew_only_where_it_is_heard_elsewhere() {
        let tones = Tones {
            wish: Arc::new(Wish::new(None, Output::None)),
        };
        let number = || match tones.wish.lock().wanted {
            Wanted::Tone(_, number) => number,
            other => panic!("{other:?}"),
        };
        tones.play(Some(Tone::Ringing));
        tones.output(Output::Default);
        assert_eq!(number(), 1, "it rings where everything else is heard");
        tones.ring_on(Some(Output::Default));
        assert_eq!(number(), 1);
        tones.output(Output::None);
        assert_eq!(number(), 1, "it rings elsewhere");
        tones.ring_on(None);
        assert_eq!(number(), 2);
        assert_eq!(*tones.wish.lock().output(Tone::Ringing), Output::None);
    }

    #[test]
    fn tones_go_to_no_file_and_the_thread_ends_with_its_owner() {
        let file = Some(Output::File("tone.wav".into()));
        let tones = Tones::start(file, Output::None).unwrap();
        let wish = Arc::downgrade(&tones.wish);
        tones.play(Some(Tone::Ringing));
        tones.play(Some(Tone::Busy));
        drop(tones);
        while wish.upgrade().is_some() {
            thread::yield_now();
        }
    }
}
