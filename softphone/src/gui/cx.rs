//! What every screen may look at while it is drawn.

use std::time::Instant;

use codec::UnixMillis;
use i18n_embed::fluent::FluentLanguageLoader;

use crate::settings::preferences::Preferences;

/// What every screen may look at. Screens keep nothing of it.
#[derive(Clone, Copy)]
pub struct Cx<'a> {
    /// What stands on the screen, in the person's language: `fl!(cx.texts, "people-call")`.
    pub texts: &'a FluentLanguageLoader,
    /// When the screen is drawn: how long a call has lasted goes by it.
    pub now: Instant,
    /// The same by this machine's clock: when a call was goes by it.
    pub clock: UnixMillis,
    /// What the person has set.
    pub preferences: &'a Preferences,
    /// The window has the keyboard.
    pub focused: bool,
}
