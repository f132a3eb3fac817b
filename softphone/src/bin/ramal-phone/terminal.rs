//! The thin shell around a terminal: single keys instead of lines, its size, whether it is this
//! program's to use, and how it was before.

use std::{
    env,
    io::{self, IsTerminal},
    os::fd::AsFd,
    panic,
    sync::{Mutex, MutexGuard, Once, PoisonError},
    thread,
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    io::Errno,
    process::{self, Signal},
    termios::{
        LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp, tcgetwinsize,
        tcsetattr,
    },
};
use tokio::sync::mpsc;

use crate::{
    outlet::RESTORED,
    screen::{Look, Size},
};

/// How the terminal was before single keys were asked of it, while they are.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// How often a program in the background looks whether it is in the foreground.
const BACKGROUND_LOOK: Duration = Duration::from_millis(250);

/// What switches a special character off (`_POSIX_VDISABLE`).
const NO_CHARACTER: u8 = if cfg!(target_os = "linux") { 0 } else { 0xff };

/// A size to go on with, when the terminal tells none.
const USUAL: Size = Size {
    columns: 80,
    rows: 24,
};

/// A terminal that can show live rows and give single keys. It is as before when this is dropped,
/// and when the program panics.
#[derive(Debug)]
pub struct Terminal {
    look: Look,
}

impl Terminal {
    /// The terminal that the program was started in, if standard input and output are one and it
    /// can move its cursor.
    pub fn open() -> Option<Self> {
        let kind = env::var("TERM").unwrap_or_default();
        let moves = !matches!(kind.as_str(), "" | "dumb" | "unknown");
        if !(io::stdin().is_terminal() && io::stdout().is_terminal() && moves) {
            return None;
        }
        restore_on_panic();
        let set = |name| env::var(name).ok().filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
        let locale = locale.unwrap_or_default().to_ascii_lowercase();
        let look = Look {
            colours: set("NO_COLOR").is_none(),
            unicode: locale.contains("utf-8") || locale.contains("utf8"),
        };
        Some(Self { look })
    }

    pub fn look(&self) -> Look {
        self.look
    }

    pub fn size(&self) -> Size {
        match tcgetwinsize(io::stdout()) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => Size {
                columns: size.ws_col.into(),
                rows: size.ws_row.into(),
            },
            _ => USUAL,
        }
    }

    /// Takes the terminal, if it is this program's now. Says whether it is; live rows may then be
    /// shown.
    pub fn take(&self) -> bool {
        if !in_foreground() {
            return false;
        }
        if before().is_some() {
            return true;
        }
        let was = tcgetattr(io::stdin());
        was.is_ok_and(|was| set_single(&was) && before().replace(was).is_none())
    }

    /// Takes the terminal again, after others, such as the shell, may have set it.
    pub fn take_again(&self) -> bool {
        self.take() && before().as_ref().is_some_and(set_single)
    }

    /// Gives the terminal back as it was.
    pub fn give_back(&self) {
        give_back();
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        give_back();
    }
}

fn before() -> MutexGuard<'static, Option<Termios>> {
    BEFORE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks for single keys. Ctrl-C stays a signal, and Enter and line ends what they are. Ctrl-Z is a
/// key, so that the terminal is given back before the program stops.
fn set_single(before: &Termios) -> bool {
    let mut single = before.clone();
    single
        .local_modes
        .remove(LocalModes::ICANON | LocalModes::ECHO);
    single.special_codes[SpecialCodeIndex::VMIN] = 1;
    single.special_codes[SpecialCodeIndex::VTIME] = 0;
    single.special_codes[SpecialCodeIndex::VSUSP] = NO_CHARACTER;
    tcsetattr(io::stdin(), OptionalActions::Now, &single).is_ok()
}

fn give_back() {
    let was = before().take();
    // In the background it is somebody else's, and setting it would stop this program.
    if let Some(was) = was
        && in_foreground()
    {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &was);
    }
}

/// Whatever panics, its message stands on a terminal as it was before. A phone that goes on takes
/// the terminal again.
fn restore_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let tell = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            // Past the lock of standard output, which the writing thread may hold.
            let _ = rustix::io::write(io::stdout(), RESTORED.as_bytes());
            give_back();
            tell(info);
        }));
    });
}

/// Stops the program, and whoever runs in the foreground with it, as Ctrl-Z does. Where nobody
/// could make it go on (its process group is orphaned), the system lets it be.
pub fn suspend() {
    let _ = process::kill_current_process_group(Signal::TSTP);
}

/// Whether the terminal of standard input is this program's to read and to set. One that is
/// nobody's controlling terminal is.
fn in_foreground() -> bool {
    match tcgetpgrp(io::stdin()) {
        Ok(group) => group == process::getpgrp(),
        Err(error) => error == Errno::NOTTY,
    }
}

/// Whether a person types, on a terminal. Else what can be read may be a script's orders, or
/// somebody else's list.
pub fn is_typed_by_hand() -> bool {
    io::stdin().is_terminal()
}

/// The bytes of standard input. The thread that reads them ends with the program: a read cannot be
/// taken back. In the background it does not read, since that would stop the program.
pub fn typed() -> mpsc::Receiver<Vec<u8>> {
    let (sender, typed) = mpsc::channel(8);
    let read = move || {
        let is_terminal = io::stdin().is_terminal();
        let mut bytes = [0; 256];
        loop {
            if is_terminal {
                if !in_foreground() {
                    thread::sleep(BACKGROUND_LOOK);
                    continue;
                }
                // By the time that something is typed, the foreground may be somebody else's.
                let stdin = io::stdin();
                let mut wanted = [PollFd::from_borrowed_fd(stdin.as_fd(), PollFlags::IN)];
                match poll(&mut wanted, None) {
                    Ok(_) if in_foreground() => {}
                    Ok(_) | Err(Errno::INTR) => continue,
                    Err(_) => return,
                }
            }
            // Past the buffer of standard input, which would keep what it has from `poll`.
            match rustix::io::read(io::stdin(), &mut bytes) {
                Ok(0) => return,
                Ok(count) => {
                    if sender.blocking_send(bytes[..count].to_vec()).is_err() {
                        return;
                    }
                }
                Err(Errno::INTR) => {}
                Err(_) => return,
            }
        }
    };
    // Without the thread the phone works; only nothing can be typed.
    let _ = thread::Builder::new().name("typed".to_owned()).spawn(read);
    typed
}
