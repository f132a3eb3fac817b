//! Whom one can call: the directory, favourites, and the calls of before.

use iced::{Element, widget::text};

use super::{Action, Cx};
use crate::engine;

/// The screen.
#[derive(Debug, Default)]
pub struct People {}

/// What happened on it.
#[derive(Debug, Clone, Copy)]
pub enum Message {}

impl People {
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
