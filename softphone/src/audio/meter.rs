//! What the callbacks of a device's stream tell the sound thread, without waiting.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed},
    },
    thread::{self, Thread},
    time::Duration,
};

/// Written by the callbacks, read by the sound thread.
#[derive(Debug, Default)]
pub(super) struct Meter {
    glitches: AtomicU32,
    period_frames: AtomicUsize,
    latency_micros: AtomicU32,
    /// The thread at the other end.
    mover: OnceLock<Thread>,
}

impl Meter {
    /// REAL-TIME: a loudspeaker wanted more than there was, or sound of a microphone was dropped.
    pub(super) fn glitched(&self) {
        self.glitches.fetch_add(1, Relaxed);
    }

    /// REAL-TIME: a callback has moved so many frames. The device took or takes `latency` with the
    /// last of them: from the mouth to the callback, or from there to the ear.
    pub(super) fn moved(&self, frames: usize, latency: Duration) {
        self.period_frames.fetch_max(frames, Relaxed);
        let micros = u32::try_from(latency.as_micros()).unwrap_or(u32::MAX);
        self.latency_micros.store(micros, Relaxed);
    }

    /// REAL-TIME: wakes the thread that has asked for it.
    pub(super) fn wake(&self) {
        if let Some(mover) = self.mover.get() {
            mover.unpark();
        }
    }

    /// This thread is woken from now on.
    pub(super) fn wake_me(&self) {
        self.mover.get_or_init(thread::current);
    }

    /// How often it glitched since this was last asked.
    pub(super) fn glitches(&self) -> u32 {
        self.glitches.swap(0, Relaxed)
    }

    /// The most frames that one callback has moved since [`Meter::forget_period`].
    pub(super) fn period_frames(&self) -> usize {
        self.period_frames.load(Relaxed)
    }

    /// What callbacks have moved before tells nothing of the next ones.
    pub(super) fn forget_period(&self) {
        self.period_frames.store(0, Relaxed);
    }

    /// What the device takes, as the last callback was told; nothing before the first one.
    pub(super) fn latency(&self) -> Duration {
        Duration::from_micros(self.latency_micros.load(Relaxed).into())
    }
}
