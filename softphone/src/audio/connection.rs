//! The connection to the sound server by which devices are found, shared by all who look for one.
//!
//! A connection that is given up may leave a thread and a socket behind in the sound library, so
//! it is kept for as long as the server lives.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cpal::{Host, HostId, traits::HostTrait};

/// The one in use.
static CONNECTION: Mutex<Option<Arc<Host>>> = Mutex::new(None);

/// A connection to the best sound system that is there, or to the one that is `wanted`. May wait
/// for some seconds.
pub(super) fn connect(wanted: Option<HostId>) -> Result<Arc<Host>, cpal::Error> {
    // ALSA's library would write to standard error what it does not find, where what it returns
    // says it already. Where that cannot be kept from it, it is no more than untidy.
    #[cfg(target_os = "linux")]
    let _ = alsa::Output::local_error_handler();
    if wanted == Some(HostId::Alsa) {
        return cpal::host_from_id(HostId::Alsa).map(Arc::new);
    }
    let known = connection().clone();
    // A server that hangs does so to whoever asks it: nothing is locked meanwhile.
    if let Some(known) = known.as_ref().filter(|known| is_alive(known)) {
        return Ok(Arc::clone(known));
    }
    // This takes two seconds at the most.
    let host = Arc::new(match wanted {
        Some(wanted) => cpal::host_from_id(wanted)?,
        None => cpal::default_host(),
    });
    let mut connection = connection();
    let is_same = match (&*connection, &known) {
        (Some(kept), Some(known)) => Arc::ptr_eq(kept, known),
        (kept, known) => kept.is_none() == known.is_none(),
    };
    // ALSA is what is left without a sound server; one may be there the next time. And somebody
    // else may have connected meanwhile: one is enough.
    match &*connection {
        Some(newer) if !is_same => Ok(Arc::clone(newer)),
        _ => {
            *connection = (host.id() != HostId::Alsa).then(|| Arc::clone(&host));
            Ok(host)
        }
    }
}

fn connection() -> MutexGuard<'static, Option<Arc<Host>>> {
    CONNECTION.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_alive(host: &Host) -> bool {
    host.default_output_device().is_some() || host.output_devices().is_ok()
}
