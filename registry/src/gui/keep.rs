//! Writes down what is remembered, on threads of its own: a disk that hangs keeps a window neither
//! from being used nor from closing.

use std::{
    io,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{RecvTimeoutError, sync_channel},
    },
    thread,
    time::Duration,
};

use super::preferences::Preferences;

/// The window waits no longer than this for its disk.
const WITHIN: Duration = Duration::from_secs(1);

/// What is to be written, for whoever writes next.
#[derive(Debug, Clone, Default)]
pub(super) struct Keep(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// The newest; `None` once somebody writes it.
    waiting: Mutex<Option<Preferences>>,
    /// Held by whoever writes, so that nothing older comes after what is newer.
    turn: Mutex<()>,
}

impl Keep {
    /// Writes this, and waits a moment for it.
    ///
    /// # Errors
    /// Those of the file system and of the system's threads; [`io::ErrorKind::TimedOut`] if the
    /// disk does not answer: it is still written when it does.
    pub(super) fn store(&self, preferences: &Preferences, data: &Path) -> io::Result<()> {
        let newest = Some(preferences.clone());
        let before = std::mem::replace(&mut *lock(&self.0.waiting), newest);
        if before.is_some() {
            // Somebody waits for the disk already, and will write this instead.
            return Err(io::ErrorKind::TimedOut.into());
        }
        let (keep, data) = (Self::clone(self), data.to_owned());
        let (written, result) = sync_channel(1);
        let began = thread::Builder::new().spawn(move || {
            let _turn = lock(&keep.0.turn);
            let newest = lock(&keep.0.waiting).take();
            let stored = newest.map_or(Ok(()), |it| it.store(&data));
            // Who waited no longer has said so.
            let _late = written.send(stored);
        });
        if let Err(error) = began {
            *lock(&self.0.waiting) = None;
            return Err(error);
        }
        match result.recv_timeout(WITHIN) {
            Ok(stored) => stored,
            Err(RecvTimeoutError::Timeout) => Err(io::ErrorKind::TimedOut.into()),
            Err(RecvTimeoutError::Disconnected) => Err(io::ErrorKind::Other.into()),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn while_a_disk_hangs_nobody_waits_and_what_is_written_in_the_end_is_the_newest() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("registry");
        let keep = Keep::default();
        let with = |lease_max_s| Preferences {
            lease_max_s,
            ..Preferences::default()
        };
        // Whoever writes now takes long.
        let hung = lock(&keep.0.turn);
        for lease in [60, 61, 62] {
            let error = keep.store(&with(lease), &data).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        }
        drop(hung);
        while lock(&keep.0.waiting).is_some() {
            thread::yield_now();
        }
        drop(lock(&keep.0.turn));
        assert_eq!(Preferences::load(&data).preferences.lease_max_s, 62);
        keep.store(&with(63), &data).unwrap();
        assert_eq!(Preferences::load(&data).preferences.lease_max_s, 63);
    }
}
