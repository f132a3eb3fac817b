//! A workaround: what tiny-skia repaints.

use iced::Theme;
use iced::theme::{Base, Style};

/// The style of a window, which repaints all of it whenever `odd` is another than before.
///
/// iced 0.14 with tiny-skia repaints only what it thinks has changed, and misses text that it
/// measures at another place than it draws it, as text in the middle of something. It repaints
/// everything when the ground has another colour than before; this one differs by less than an
/// eighth of what a screen can show. Flip `odd` for every message but those that only move a
/// [`meter`](crate::meter) or a [`plot`](crate::plot): these repaint themselves.
#[must_use]
pub fn repaint(odd: bool, theme: &Theme) -> Style {
    let mut style = theme.base();
    if odd {
        style.background_color.a -= 0.0005;
    }
    style
}
