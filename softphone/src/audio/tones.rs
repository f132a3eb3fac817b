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
};

/// How often the device is looked after while a tone sounds: often enough that its ring, which
/// holds a period and 10 ms, never runs dry.
const LOOK_EVERY: Duration = Duration::from_millis(4);

/// How long after a device could not be opened it is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// Plays tones, one at a time. Dropping it ends its thread, promptly and without waiting for it.
#[derive(Debug)]
pub struct Tones {
    wish: Arc<Wish>,
}

/// What the thread is to do.
#[derive(Debug, Default)]
struct Wish {
    wanted: Mutex<Wanted>,
    changed: Condvar,
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
    /// `others`. Files stay as they are, and get no tones.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn start(ringing: Output, others: Output) -> io::Result<Self> {
        let wish = Arc::<Wish>::default();
        let wished = Arc::clone(&wish);
        thread::Builder::new()
            .name("tones".to_owned())
            .spawn(move || wished.fulfil(&ringing, &others))?;
        Ok(Self { wish })
    }

    /// Plays this from its beginning, in place of what sounds now, until something else is wanted.
    /// `None` is silence, which is heard within 50 ms. Never waits.
    pub fn play(&self, tone: Option<Tone>) {
        let mut wanted = self.wish.lock();
        *wanted = match (tone, *wanted) {
            (None, _) => Wanted::Silence,
            (Some(tone), Wanted::Tone(_, number)) => Wanted::Tone(tone, number.wrapping_add(1)),
            (Some(tone), _) => Wanted::Tone(tone, 0),
        };
        self.wish.changed.notify_all();
    }
}

impl Drop for Tones {
    fn drop(&mut self) {
        *self.wish.lock() = Wanted::End;
        self.wish.changed.notify_all();
    }
}

impl Wish {
    /// Held for a moment each time, never while anything else is waited for.
    fn lock(&self) -> MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something else than `now` is wanted, for `limit` at most; what is wanted then.
    fn other_than(&self, now: Wanted, limit: Option<Duration>) -> Wanted {
        let same = |wanted: &mut Wanted| *wanted == now;
        let wanted = self.lock();
        match limit {
            None => *self
                .changed
                .wait_while(wanted, same)
                .unwrap_or_else(PoisonError::into_inner),
            Some(limit) => {
                *self
                    .changed
                    .wait_timeout_while(wanted, limit, same)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0
            }
        }
    }

    fn fulfil(&self, ringing: &Output, others: &Output) {
        let mut wanted = Wanted::Silence;
        loop {
            wanted = match wanted {
                Wanted::End => return,
                Wanted::Silence => self.other_than(wanted, None),
                Wanted::Tone(tone, _) => {
                    let output = match tone {
                        Tone::Ringing => ringing,
                        Tone::Ringback | Tone::Busy | Tone::CallWaiting => others,
                    };
                    match output {
                        Output::Default => self.sound(wanted, tone, None),
                        Output::Device(name) => self.sound(wanted, tone, Some(name)),
                        Output::File(_) | Output::None => self.other_than(wanted, None),
                    }
                }
            };
        }
    }

    /// Sounds a tone until something else is wanted, which it returns.
    fn sound(&self, wanted: Wanted, tone: Tone, device: Option<&str>) -> Wanted {
        let opened = Opening::<Playout>::begin(device).and_then(Opening::finish);
        let mut kept: Kept<Playout> = match opened {
            Ok(kept) => kept,
            Err(error) => {
                // A call without its tone is still a call.
                tracing::warn!("no tone: {error}");
                return self.other_than(wanted, Some(RETRY));
            }
        };
        let mut generator = Generator::new(tone);
        loop {
            let now = self.other_than(wanted, Some(LOOK_EVERY));
            if now != wanted {
                return now;
            }
            // A device that is lost is opened again by its keeper; meanwhile nothing is heard.
            let _ = kept.attend();
            if let Ok(playout) = kept.end() {
                while playout.wants(Instant::now()) {
                    playout.write(&generator.next());
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
            wish: Arc::default(),
        };
        tones.play(Some(Tone::Ringing));
        let first = *tones.wish.lock();
        assert_eq!(first, Wanted::Tone(Tone::Ringing, 0));
        tones.play(Some(Tone::Ringing));
        assert_ne!(*tones.wish.lock(), first);
        tones.play(None);
        assert_eq!(*tones.wish.lock(), Wanted::Silence);
        let wish = Arc::clone(&tones.wish);
        drop(tones);
        assert_eq!(wish.other_than(Wanted::Silence, None), Wanted::End);
    }

    #[test]
    fn tones_go_to_no_file_and_the_thread_ends_with_its_owner() {
        let file = Output::File("tone.wav".into());
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
