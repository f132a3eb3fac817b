//! Somebody calls: who, and what to do. It lies over every screen.

use iced::{Element, widget::text};

use super::{Action, Cx};
use crate::engine;

/// The screen.
#[derive(Debug, Default)]
pub struct Incoming {}

/// What happened on it.
#[derive(Debug, Clone, Copy)]
pub enum Message {}

impl Incoming {
    /// Takes in what happened.
    pub fn update(&mut self, message: Message, _cx: &Cx<'_>) -> Action<Message> {
        match message {}
    }

    /// Takes in what happened in the phone.
    pub fn hear(&mut self, _event: &engine::Event, _cx: &Cx<'_>) -> Action<Message> {
        Action::None
    }

    /// What lies over the screen that is open; nothing while nobody calls.
    #[must_use]
    pub fn view<'a>(&'a self, _cx: &Cx<'a>) -> Option<Element<'a, Message>> {
        Some(text("").into()).filter(|_| false)
    }
}
