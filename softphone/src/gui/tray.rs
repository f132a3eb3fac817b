//! The icon in the desktop's tray, where there is one.

use iced::Subscription;

use super::{Action, Cx};

/// What was chosen there.
#[derive(Debug, Clone, Copy)]
pub enum Message {}

/// What is chosen in the tray.
pub fn subscription() -> Subscription<Message> {
    Subscription::none()
}

/// What a choice means now.
#[must_use]
pub fn meant(message: Message, _cx: &Cx<'_>) -> Action<Message> {
    match message {}
}
