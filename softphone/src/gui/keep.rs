//! What outlives the window: what was set, written beside the window's thread, and what closing the
//! window means.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use codec::Name;
use i18n_embed_fl::fl;
use iced::{Task, task};
use look::{Dialog, button, text};

use super::Cx;
use crate::settings::{
    ProfileError,
    preferences::{self, Appearance, OnClose, Preferences},
};

/// How long changes are collected before they are written.
const COLLECTED: Duration = Duration::from_millis(400);

/// What was set and not written yet.
#[derive(Debug, Default)]
pub struct Keeper {
    dirty: bool,
    /// Changes are being collected; nothing is written for it any more once it is aborted.
    collects: Option<task::Handle>,
    /// How many states there were to be written.
    states: u64,
    /// The newest of them that is on disk. One writes at a time, and none over a newer one.
    written: Arc<Mutex<u64>>,
}

/// What is written.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The folder with everything.
    pub folder: PathBuf,
    /// How windows look.
    pub appearance: Appearance,
    /// What was set for a name, once it is somebody's.
    pub preferences: Option<(Name, Preferences)>,
}

/// What happened to what was set.
#[derive(Debug, Clone)]
pub enum Message {
    /// Enough was collected: the time to write has come.
    Due,
    /// It has been written, or why not.
    Written(Result<(), Arc<ProfileError>>),
}

impl Kept {
    /// Writes it.
    ///
    /// # Errors
    /// [`ProfileError`].
    pub fn write(&self) -> Result<(), ProfileError> {
        preferences::write_appearance(&self.folder, &self.appearance)?;
        match &self.preferences {
            Some((name, set)) => preferences::write(&self.folder, name, set),
            None => Ok(()),
        }
    }

    /// Writes it as the state with this number, unless a newer one is written.
    fn write_as(&self, number: u64, written: &Mutex<u64>) -> Result<(), ProfileError> {
        let mut newest = written.lock().unwrap_or_else(PoisonError::into_inner);
        if *newest < number {
            self.write()?;
            *newest = number;
        }
        Ok(())
    }
}

impl Keeper {
    /// Something was set.
    pub fn touch(&mut self) {
        self.dirty = true;
    }

    /// Waits for more, if something was set, before it is [`Message::Due`].
    pub fn collect(&mut self) -> Task<Message> {
        if !self.dirty || self.collects.is_some() {
            return Task::none();
        }
        let due = Task::future(async {
            tokio::time::sleep(COLLECTED).await;
            Message::Due
        });
        let (due, handle) = due.abortable();
        self.collects = Some(handle);
        due
    }

    /// Writes what was set, as it is now, beside the window's thread.
    pub fn write(&mut self, kept: impl FnOnce() -> Kept) -> Task<Message> {
        self.collects = None;
        if !std::mem::take(&mut self.dirty) {
            return Task::none();
        }
        self.states += 1;
        let (kept, number, written) = (kept(), self.states, Arc::clone(&self.written));
        Task::future(async move {
            let writes = move || kept.write_as(number, &written).map_err(Arc::new);
            // A thread that was lost has said so, and what it was to write is tried at the end.
            let result = tokio::task::spawn_blocking(writes).await;
            Message::Written(result.unwrap_or(Ok(())))
        })
    }

    /// Writes what is left, now: the phone or the program ends.
    ///
    /// # Errors
    /// [`ProfileError`].
    pub fn flush(&mut self, kept: impl FnOnce() -> Kept) -> Result<(), ProfileError> {
        if let Some(collects) = self.collects.take() {
            collects.abort();
        }
        if std::mem::take(&mut self.dirty) {
            self.states += 1;
        }
        match self.states {
            0 => Ok(()),
            number => kept().write_as(number, &self.written),
        }
    }
}

/// What a person answered when they closed the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// The phone goes on without a window. Said with whether it is so from now on.
    Ring(bool),
    /// The program ends; likewise.
    Quit(bool),
    /// Always so from now on, or not.
    Remember(bool),
    /// The window stays.
    Stay,
}

impl Closing {
    /// What is to be set, if anything.
    #[must_use]
    pub fn remembered(self) -> Option<OnClose> {
        match self {
            Self::Ring(true) => Some(OnClose::Ring),
            Self::Quit(true) => Some(OnClose::Quit),
            _ => None,
        }
    }
}

/// Asks what closing the window does. `remembers`: so from now on. Without an icon in the tray
/// nothing shows that the phone goes on, so that is said, and it is asked every time.
pub fn question<'a>(cx: &Cx<'a>, remembers: bool, in_tray: bool) -> Dialog<'a, Closing> {
    let t = cx.texts;
    let words = text::body(fl!(t, "close-text")).style(text::muted);
    let more = match in_tray {
        true => look::switch(fl!(t, "close-always"), remembers, Some(Closing::Remember)),
        false => text::body(fl!(t, "close-no-tray")).into(),
    };
    let content = iced::widget::column![words, more].spacing(look::space::L);
    let answers = [
        button::quiet(fl!(t, "cancel"))
            .on_press(Closing::Stay)
            .into(),
        button::secondary(fl!(t, "close-quit"))
            .on_press(Closing::Quit(remembers))
            .into(),
        button::primary(fl!(t, "close-ring"))
            .on_press(Closing::Ring(remembers))
            .into(),
    ];
    let dialog = Dialog::new(fl!(t, "close-title"), content, answers).on_close(Closing::Stay);
    match in_tray {
        true => dialog.on_submit(Closing::Ring(remembers)),
        false => dialog,
    }
}

#[cfg(test)]
mod tests;
