//! Connections to the sound server, shared by all that need one.
//!
//! A connection that is given up may leave a thread and a socket behind in the sound library, so
//! they are kept for as long as the server lives. One is enough for everything but loudspeakers:
//! the library opens all of a connection's streams as if they were to play in step, and such
//! streams a server refuses to play on two devices. So each loudspeaker that is open has one that
//! no other has; what it leaves is taken by the next.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cpal::{ErrorKind, Host, HostId, traits::HostTrait};

use super::Direction;

/// The most connections. A phone has a loudspeaker for each call, one for tones and one that takes
/// over, so that only a server that hangs comes near.
const CONNECTIONS_MAX: usize = 16;

/// What is known of the server.
static CONNECTIONS: Mutex<Vec<Connection>> = Mutex::new(Vec::new());

/// A connection to the sound server, or to what there is in its place.
pub(super) struct Connection {
    pub(super) host: Arc<Host>,
    /// Shared with whoever plays something by it, as long as that is kept.
    playing: Arc<()>,
}

impl Connection {
    fn to(host: Host) -> Self {
        Self {
            host: Arc::new(host),
            playing: Arc::default(),
        }
    }

    fn lend(&self, to: Direction) -> Self {
        Self {
            host: Arc::clone(&self.host),
            playing: match to {
                Direction::Input => Arc::default(),
                Direction::Output => Arc::clone(&self.playing),
            },
        }
    }
}

/// A connection for a microphone or for questions, or one for a loudspeaker: to the best sound
/// system that is there, or to the one that is `wanted`. May wait for some seconds.
pub(super) fn connect(to: Direction, wanted: Option<HostId>) -> Result<Connection, cpal::Error> {
    // ALSA's library would write to standard error what it does not find, where what it returns
    // says it already. Where that cannot be kept from it, it is no more than untidy.
    #[cfg(target_os = "linux")]
    let _ = alsa::Output::local_error_handler();
    if wanted == Some(HostId::Alsa) {
        return cpal::host_from_id(HostId::Alsa).map(Connection::to);
    }
    let (free, known) = {
        let known = connections();
        let hosts: Vec<_> = known.iter().map(|it| Arc::clone(&it.host)).collect();
        (free(&known, to), hosts)
    };
    // A server that hangs does so to whoever asks it: nothing is locked meanwhile.
    let is_dead = match free {
        Some(free) if is_alive(&free.host) => return Ok(free),
        dead => dead.is_some(),
    };
    let mut connections = connections();
    if is_dead {
        // Its server is gone, and so are they all.
        connections.retain(|it| !known.iter().any(|known| Arc::ptr_eq(known, &it.host)));
    }
    // Somebody else may have connected meanwhile.
    if let Some(newer) = self::free(&connections, to) {
        return Ok(newer);
    }
    if connections.len() >= CONNECTIONS_MAX {
        let why = "the sound server hangs";
        return Err(cpal::Error::with_message(ErrorKind::ResourceExhausted, why));
    }
    // This takes two seconds at the most.
    let connection = Connection::to(match wanted {
        Some(wanted) => cpal::host_from_id(wanted)?,
        None => cpal::default_host(),
    });
    let lent = connection.lend(to);
    // ALSA is what is left without a sound server; one may be there the next time.
    if lent.host.id() != HostId::Alsa {
        connections.push(connection);
    }
    Ok(lent)
}

fn connections() -> MutexGuard<'static, Vec<Connection>> {
    CONNECTIONS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One that can be used.
fn free(known: &[Connection], to: Direction) -> Option<Connection> {
    let is_free = |it: &&Connection| match to {
        Direction::Input => true,
        Direction::Output => Arc::strong_count(&it.playing) == 1,
    };
    known.iter().find(is_free).map(|free| free.lend(to))
}

fn is_alive(host: &Host) -> bool {
    host.default_output_device().is_some() || host.output_devices().is_ok()
}
