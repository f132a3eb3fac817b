//! The system's signals that the program answers.

use std::io;

use rustix::process;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// To end; the number of the signal.
    End(u8),
    /// To go on after a stop.
    Continue,
    /// The terminal has another size.
    Resized,
}

/// Every signal that is waited for.
#[derive(Debug)]
pub struct Signals {
    hangup: Signal,
    interrupt: Signal,
    quit: Signal,
    terminate: Signal,
    /// Only on a terminal that the program draws on.
    terminal: Option<[Signal; 2]>,
}

impl Signals {
    /// Waits for signals from now on; for those about a terminal if the program draws on one.
    ///
    /// # Errors
    /// Those of the system.
    pub fn new(draws: bool) -> io::Result<Self> {
        let of_terminal = || -> io::Result<_> {
            let go_on = SignalKind::from_raw(process::Signal::CONT.as_raw());
            Ok([signal(go_on)?, signal(SignalKind::window_change())?])
        };
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            terminate: signal(SignalKind::terminate())?,
            terminal: draws.then(of_terminal).transpose()?,
        })
    }

    /// The next one.
    pub async fn next(&mut self) -> Asked {
        let terminal = async {
            match &mut self.terminal {
                None => std::future::pending().await,
                Some([go_on, resize]) => tokio::select! {
                    _ = go_on.recv() => Asked::Continue,
                    _ = resize.recv() => Asked::Resized,
                },
            }
        };
        tokio::select! {
            // The terminal was closed.
            _ = self.hangup.recv() => Asked::End(1),
            _ = self.interrupt.recv() => Asked::End(2),
            _ = self.quit.recv() => Asked::End(3),
            _ = self.terminate.recv() => Asked::End(15),
            asked = terminal => asked,
        }
    }
}
