//! How the window goes: it waits for its registry to close, but not for ever.

use std::{sync::Arc, time::Instant};

use iced::Task;

use super::{
    App, Message,
    host::{Command, GRACE, PATIENCE, Phase, Seen},
};
use crate::operate::OpenError;

/// Whether the window is being closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaving {
    /// It is not.
    No,
    /// It is asked whether it is to be, because there are users.
    Asked,
    /// As soon as the registry is closed, and then at the latest.
    Yes {
        /// Whatever the registry does.
        until: Instant,
        /// The registry was told to wait for nobody.
        hurried: bool,
    },
}

impl App {
    /// Closes the window, if it may be closed: asked for once more it waits for nobody, and then
    /// not even for the registry.
    pub(super) fn leave(&mut self) -> Task<Message> {
        if self.host.is_none() {
            return self.end();
        }
        let users = self.seen.pulses.last().map_or(0, |pulse| pulse.registered);
        match self.leaving {
            Leaving::No if users > 0 && self.seen.phase.is_open() => {
                self.leaving = Leaving::Asked;
            }
            // Who closes it again means it.
            Leaving::No | Leaving::Asked => self.leave_now(),
            Leaving::Yes {
                until,
                hurried: false,
            } => {
                self.leaving = Leaving::Yes {
                    until: until.min(self.moment.now + GRACE),
                    hurried: true,
                };
                self.command(Command::CutShort);
            }
            Leaving::Yes { hurried: true, .. } => return self.end(),
        }
        Task::none()
    }

    /// What is open is closed, or what is being opened as soon as it is; then the window goes.
    pub(super) fn leave_now(&mut self) {
        self.leaving = Leaving::Yes {
            until: self.moment.now + PATIENCE + GRACE,
            hurried: false,
        };
        self.command(Command::End);
    }

    /// Nothing runs registries: opening one tries that anew.
    pub(super) fn without_host(&mut self, why: String) {
        self.host = None;
        self.seen = Arc::new(Seen {
            phase: Phase::Failed(Arc::new(OpenError::Machine(why))),
            ..Seen::default()
        });
    }

    pub(super) fn end(&mut self) -> Task<Message> {
        self.remember();
        self.hosting.waited();
        iced::exit()
    }
}
