//! What outlives the window: what was set, written beside the window's thread, and what closing the
//! window means.

use std::{path::PathBuf, time::Duration};

use codec::Name;
use i18n_embed_fl::fl;
use iced::Task;
use look::{Dialog, button, text};

use super::Cx;
use crate::settings::preferences::{self, Appearance, OnClose, Preferences};

/// How long changes are collected before they are written.
const COLLECTED: Duration = Duration::from_millis(400);

/// What was set and not written yet.
#[derive(Debug, Default)]
pub struct Keeper {
    dirty: bool,
    writing: bool,
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

impl Kept {
    /// Writes it.
    ///
    /// # Errors
    /// Those of the file system, for people.
    pub fn write(&self) -> Result<(), String> {
        let told = |error: std::io::Error| error.to_string();
        preferences::write_appearance(&self.folder, &self.appearance).map_err(told)?;
        match &self.preferences {
            Some((name, set)) => preferences::write(&self.folder, name, set).map_err(told),
            None => Ok(()),
        }
    }
}

impl Keeper {
    /// Something was set.
    pub fn touch(&mut self) {
        self.dirty = true;
    }

    /// Writes what was set, unless it is being written; `kept` is asked when the time has come.
    pub fn write(&mut self, kept: impl FnOnce() -> Kept) -> Task<Result<(), String>> {
        if !self.dirty || self.writing {
            return Task::none();
        }
        (self.dirty, self.writing) = (false, true);
        let kept = kept();
        Task::future(async move {
            tokio::time::sleep(COLLECTED).await;
            let written = tokio::task::spawn_blocking(move || kept.write()).await;
            written.unwrap_or_else(|error| Err(error.to_string()))
        })
    }

    /// It has been written.
    pub fn written(&mut self) {
        self.writing = false;
    }

    /// Writes what is left, now: the program ends.
    ///
    /// # Errors
    /// Those of the file system, for people.
    pub fn flush(&mut self, kept: impl FnOnce() -> Kept) -> Result<(), String> {
        match std::mem::take(&mut self.dirty) || self.writing {
            true => kept().write(),
            false => Ok(()),
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
