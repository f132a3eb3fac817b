//! The window: screens, what they ask for, and the way to the phone behind it.
//!
//! ```text
//!          Message                 Action                 Command
//!  person --------> screen.update --------> App.perform ----------> line -> engine
//!                   screen.hear   <-------- App.hear    <---------- line <- engine
//!                                  Event                  News
//! ```
//!
//! Every screen is a struct that knows nothing of the others, nor of the engine: it says by an
//! [`Action`] what the person wants, and [`App`] does it. What all screens may look at is in
//! [`Cx`]. What happened in the engine reaches a screen as an event, by `hear`, and as snapshots,
//! in [`Cx`].

mod app;
pub mod call;
mod cx;
mod desk;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod full;
pub mod identity;
pub mod incoming;
mod keep;
pub mod keys;
pub mod line;
pub mod log;
pub mod no_folder;
pub mod notices;
pub mod notify;
mod options;
mod outside;
pub mod people;
#[cfg(test)]
mod pictures;
pub mod recovery;
pub mod settings;
pub mod sign_in;
#[cfg(test)]
mod tests;
pub mod texts;
pub mod tray;
pub mod trouble;

use std::time::Instant;

use iced::{Task, theme::Mode, window};

use crate::{
    engine, phone,
    phone::Target,
    settings::preferences::{Change, Language, Place, Scheme},
};

pub use app::{App, run};
pub use cx::Cx;
use cx::World;
pub use options::Options;

/// What a screen wants done. Screens do nothing themselves.
pub enum Action<M> {
    /// Nothing.
    None,
    /// Tell the phone.
    Tell(engine::Command),
    /// Keep what the person set, and let the phone go by it.
    Prefer(Change),
    /// Keep how the window looks.
    Look(Looks),
    /// Open another screen.
    Go(Place),
    /// Open the people, and what is known of this one.
    Show(Target),
    /// Open the screen of the calls, or leave it.
    ShowCall(bool),
    /// Put a text on the clipboard.
    Copy(String),
    /// Bring the window to the front; open it if it is closed.
    Front,
    /// End the phone that runs, and ask who one is.
    SignOut,
    /// End the phone, and then the program.
    Quit,
    /// Do this with the identity, which the phone leaves meanwhile if need be.
    Work(identity::Job),
    /// Go on with this: focus, scrolling, something that takes time.
    Run(Task<M>),
    /// All of these, in order.
    All(Vec<Self>),
}

impl<M> Action<M> {
    /// Tells the phone something of registration and calls.
    #[must_use]
    pub fn phone(command: phone::Command) -> Self {
        Self::Tell(command.into())
    }
}

/// One thing of how the window looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looks {
    /// Light or dark.
    Scheme(Scheme),
    /// The language of all texts.
    Language(Language),
    /// How large everything is, in percent.
    TextSize(u16),
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Message {
    /// On the screen that asks for name and registry.
    SignIn(sign_in::Message),
    /// On the screen of people.
    People(people::Message),
    /// Where somebody calls.
    Incoming(incoming::Message),
    /// On the screen of the calls, or in their bar.
    Call(call::Message),
    /// On the screen of messages.
    Log(log::Message),
    /// On the screen of what can be set.
    Settings(settings::Message),
    /// In the banners above every screen.
    Notices(notices::Message),
    /// In the dialog that shows the recovery words.
    Recovery(recovery::Message),
    /// In the phone that has this number.
    Line(u64, line::News),
    /// Another screen was asked for.
    PlacePressed(Place),
    /// A key was pressed or released that no field took.
    Key(keys::Message),
    /// In the tray.
    Tray(tray::Message),
    /// A notification of the desktop was answered.
    Notify(notify::Message),
    /// The window opened, closed, or changed.
    Window(window::Id, window::Event),
    /// The desktop became light or dark.
    Desktop(Mode),
    /// The question what closing the window does was answered.
    CloseAnswered(keep::Closing),
    /// What was set is to be written, or has been.
    Kept(keep::Message),
    /// A phone that was told to stop has had its time.
    Late(u64),
    /// Time went by that is shown somewhere.
    Tick(Instant),
}
