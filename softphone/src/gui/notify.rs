//! Notifications of the desktop: who calls, and whose call was missed.

use super::{Action, Cx};
use crate::engine;

/// What was answered there.
#[derive(Debug, Clone, Copy)]
pub enum Message {}

/// Shows what the person should know of, if they want it shown.
#[must_use]
pub fn hear(_event: &engine::Event, _cx: &Cx<'_>) -> Action<Message> {
    Action::None
}

/// What an answer means now.
#[must_use]
pub fn meant(message: Message, _cx: &Cx<'_>) -> Action<Message> {
    match message {}
}
