//! What a person can set.

use iced::{Element, widget::text};

use super::{Action, Cx};
use crate::engine;

/// The screen.
#[derive(Debug, Default)]
pub struct Settings {}

/// What happened on it.
#[derive(Debug, Clone, Copy)]
pub enum Message {}

impl Settings {
    /// Takes in what happened.
    pub fn update(&mut self, message: Message, _cx: &Cx<'_>) -> Action<Message> {
        match message {}
    }

    /// Takes in what happened in the phone.
    pub fn hear(&mut self, _event: &engine::Event, _cx: &Cx<'_>) -> Action<Message> {
        Action::None
    }

    /// What is on it.
    #[must_use]
    pub fn view<'a>(&'a self, _cx: &Cx<'a>) -> Element<'a, Message> {
        text("").into()
    }
}
