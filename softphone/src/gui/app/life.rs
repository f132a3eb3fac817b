//! From signing in to signing out: phones begin, leave their profile for a while, and end.

use std::{path::PathBuf, sync::Arc};

use iced::Task;

use super::{App, Message};
use crate::{
    board::Board,
    gui::{
        desk::Phone,
        identity::{self, Job, Outcome},
        line::{Start, Wanted},
        notices::Notices,
        recovery::Recovery,
        settings,
        sign_in::SignIn,
        trouble::{self, Trouble},
    },
    settings::{
        self as profile,
        preferences::{self, Change},
    },
};

impl App {
    /// Signs in who was signed in when the program ended, or asks.
    pub(super) fn begin(&mut self) -> Task<Message> {
        let name = self.options.name.clone();
        let name = name.or_else(|| profile::last_name(&self.options.folder));
        let Some(name) = name else {
            return self.ask();
        };
        let kept = preferences::read(&self.options.folder, &name);
        self.is_damaged(kept.damaged);
        let given = self.options.registry.clone();
        let registry = given.or_else(|| kept.value.registry.as_ref()?.parse().ok());
        match registry {
            Some(registry) if kept.value.signed_in => {
                let start = self.options.start(name, registry, &kept.value);
                self.connect(start);
                self.arrive();
                Task::none()
            }
            _ => self.ask(),
        }
    }

    fn ask(&mut self) -> Task<Message> {
        let mut sign_in = SignIn::new(&self.options);
        let damaged = sign_in.damaged.take();
        self.damaged = self.damaged.take().or(damaged);
        let focus = sign_in.focus().map(Message::SignIn);
        self.sign_in = Some(sign_in);
        focus
    }

    /// What was set could not be read: that is said until a person has seen it, and of several
    /// files of the first.
    fn is_damaged(&mut self, damaged: Option<(PathBuf, String)>) {
        let path = damaged.map(|(path, _)| path);
        self.damaged = self.damaged.take().or(path);
    }

    /// Starts a phone. The screen that asks stays until the name is granted.
    pub(in crate::gui) fn connect(&mut self, start: Start) {
        let kept = preferences::read(&self.options.folder, &start.name);
        self.is_damaged(kept.damaged);
        // What was seen of another phone's registry and contacts is not this one's.
        self.world.begin();
        let registry = Change::Registry(start.registry.clone());
        self.world.preferences = kept.value.with(registry);
        let (name, registry) = (start.name.clone(), start.registry.clone());
        self.world.board = Arc::new(Board::new(name, registry, &start.settings));
        self.phones += 1;
        let wanted = Wanted {
            number: self.phones,
            start: Arc::new(start),
        };
        let mut phone = Phone::new(wanted, &self.options, self.appearance.place);
        phone.notices = Notices::about(self.damaged.clone());
        self.phone = Some(Box::new(phone));
    }

    /// The screen that asks is done with.
    fn arrive(&mut self) {
        self.sign_in = None;
    }

    /// The phone ends, and it is asked who one is.
    pub(super) fn leave(&mut self, trouble: Option<Trouble>) -> Task<Message> {
        // What was set for this name is kept before somebody else's is read.
        self.keep_now();
        self.phone = None;
        let ask = self.ask();
        match (&mut self.sign_in, trouble) {
            (Some(sign_in), Some(trouble)) => sign_in.fail(trouble).map(Message::SignIn),
            _ => ask,
        }
    }

    /// The phone has ended by itself: that is said, in a window if there is none.
    pub(super) fn lose(&mut self, trouble: Trouble) -> Task<Message> {
        let left = self.leave(Some(trouble));
        match self.window {
            Some(_) => left,
            None => Task::batch([self.open(), left]),
        }
    }

    /// Does something with the identity. A phone that has it leaves it meanwhile, and comes back.
    pub(super) fn work(&mut self, job: Job) -> Task<Message> {
        let pauses = job.kind().wants_profile();
        if let Some(phone) = self.phone.as_mut().filter(|_| pauses) {
            phone.up = None;
            phone.paused = true;
        }
        Task::future(job.run()).map(|done| Message::Settings(settings::Message::Work(done)))
    }

    /// Starts the phone again that has left its profile, once that has been dealt with: as it is
    /// set now, and as away or undisturbed as it was.
    pub(super) fn resume(&mut self, message: &settings::Message) {
        let settings::Message::Work(identity::Message::Done(done)) = message else {
            return;
        };
        let Some(phone) = self.phone.as_mut().filter(|phone| phone.paused) else {
            return;
        };
        if matches!(done, Ok(Outcome::Released(_))) {
            // Whoever has given the name up claims it again neither at once nor at the next start.
            self.prefer(&Change::SignedIn(false));
            return self.keep_now();
        }
        let before = Arc::clone(&phone.wanted.start);
        let (name, registry) = (before.name.clone(), before.registry.clone());
        let mut start = self
            .options
            .start(name.clone(), registry.clone(), &self.world.preferences);
        start.invite.clone_from(&before.invite);
        start.settings.dnd = self.world.board.dnd;
        let mut board = Board::new(name, registry, &start.settings);
        board.away = self.world.board.away;
        self.world.board = Arc::new(board);
        self.phones += 1;
        phone.wanted = Wanted {
            number: self.phones,
            start: Arc::new(start),
        };
        (phone.paused, phone.stops) = (false, false);
        phone.notices = Notices::about(self.damaged.clone());
    }

    /// The registry has granted the name: it is who one is from now on.
    pub(super) fn granted(&mut self) -> Task<Message> {
        self.arrive();
        if let Some(phone) = &mut self.phone {
            phone.recovery = phone
                .unshown
                .take()
                .map(Recovery::new)
                .or(phone.recovery.take());
            let name = phone.wanted.start.name.clone();
            if let Err(error) = profile::set_last_name(&self.options.folder, &name) {
                phone
                    .notices
                    .warn(trouble::profile(&self.world.texts, &error).line());
            }
        }
        if !self.world.preferences.signed_in {
            self.prefer(&Change::SignedIn(true));
        }
        Task::none()
    }

    /// Who is not in yet is told at the door what is wrong.
    pub(super) fn refused_at_the_door(&mut self) -> Task<Message> {
        let (Some(_), Some(phone)) = (&self.sign_in, &self.phone) else {
            return Task::none();
        };
        match phone.notices.trouble() {
            Some(trouble) => {
                let trouble = trouble.clone().given_up();
                let (name, registry) = (&phone.wanted.start.name, &phone.wanted.start.registry);
                let (name, registry) = (name.to_string(), registry.to_string());
                self.phone = None;
                match &mut self.sign_in {
                    Some(sign_in) => {
                        sign_in.typed(name, registry);
                        sign_in.fail(trouble).map(Message::SignIn)
                    }
                    None => Task::none(),
                }
            }
            None => Task::none(),
        }
    }
}

#[cfg(test)]
mod tests;
