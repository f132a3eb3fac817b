//! The keyboard: what keys mean that no field takes.

use iced::{Subscription, keyboard};

use super::{Action, Cx};

/// A key was pressed or released.
#[derive(Debug, Clone)]
pub enum Message {
    /// As the window heard it.
    Key(keyboard::Event),
}

/// Keys that no field took.
pub fn subscription() -> Subscription<Message> {
    Subscription::none()
}

/// What a key means now.
#[must_use]
pub fn meant(message: &Message, _cx: &Cx<'_>) -> Action<Message> {
    match message {
        Message::Key(_) => Action::None,
    }
}
