//! Buttons: one main action a screen, others beside it, quiet ones in rows and bars.

use std::borrow::Cow;

use iced::widget::row;
use iced::{Center, Color};

use crate::press::Style;
use crate::{Icon, Press, Status, Tokens, icon, space, text};

/// What a button says: words, a sign, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label<'a> {
    icon: Option<Icon>,
    words: Option<Cow<'a, str>>,
}

impl<'a> From<&'a str> for Label<'a> {
    fn from(words: &'a str) -> Self {
        Self::new(None, Some(words.into()))
    }
}

impl From<String> for Label<'_> {
    fn from(words: String) -> Self {
        Self::new(None, Some(words.into()))
    }
}

impl From<Icon> for Label<'_> {
    fn from(icon: Icon) -> Self {
        Self::new(Some(icon), None)
    }
}

impl<'a, W: Into<Cow<'a, str>>> From<(Icon, W)> for Label<'a> {
    fn from((icon, words): (Icon, W)) -> Self {
        Self::new(Some(icon), Some(words.into()))
    }
}

impl<'a> Label<'a> {
    fn new(icon: Option<Icon>, words: Option<Cow<'a, str>>) -> Self {
        Self { icon, words }
    }
}

/// How much a button stands out, and what it warns of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The one main action of a screen.
    Primary,
    /// Any other action.
    Secondary,
    /// An action in a row, a bar, or that leads back.
    Quiet,
    /// Accepts.
    Positive,
    /// Hangs up, declines, or cannot be undone.
    Danger,
    /// A switch that is on, or the one that is chosen.
    Chosen,
}

/// The one main action of a screen.
pub fn primary<'a, Message: Clone + 'a>(label: impl Into<Label<'a>>) -> Press<'a, Message> {
    of(Kind::Primary, label)
}

/// Any other action.
pub fn secondary<'a, Message: Clone + 'a>(label: impl Into<Label<'a>>) -> Press<'a, Message> {
    of(Kind::Secondary, label)
}

/// An action in a row, a bar, or that leads back.
pub fn quiet<'a, Message: Clone + 'a>(label: impl Into<Label<'a>>) -> Press<'a, Message> {
    of(Kind::Quiet, label)
}

/// Accepts.
pub fn positive<'a, Message: Clone + 'a>(label: impl Into<Label<'a>>) -> Press<'a, Message> {
    of(Kind::Positive, label)
}

/// Hangs up, declines, or cannot be undone.
pub fn danger<'a, Message: Clone + 'a>(label: impl Into<Label<'a>>) -> Press<'a, Message> {
    of(Kind::Danger, label)
}

/// A button of any kind. With a sign alone it is square.
pub fn of<'a, Message: Clone + 'a>(kind: Kind, label: impl Into<Label<'a>>) -> Press<'a, Message> {
    let label = label.into();
    let sign = label.icon.map(icon);
    let (content, width) = match (sign, label.words) {
        (Some(sign), None) => (row![sign], Some(space::CONTROL)),
        (sign, words) => {
            let words = words.map(|words| text::strong(words).wrapping(NO_WRAP));
            (row![].extend(parts(sign, words)).spacing(space::S), None)
        }
    };
    let press = Press::new(content.align_y(Center), move |tokens, status| {
        style(kind, tokens, status)
    });
    let press = press.height(space::CONTROL);
    match width {
        Some(width) => press.width(width),
        None => press.padding([0.0, space::L]),
    }
}

const NO_WRAP: iced::widget::text::Wrapping = iced::widget::text::Wrapping::None;

fn parts<'a, Message: 'a>(
    sign: Option<text::Text<'a>>,
    words: Option<text::Text<'a>>,
) -> impl Iterator<Item = crate::Element<'a, Message>> {
    sign.into_iter().chain(words).map(Into::into)
}

/// A large round button with a sign, as in a call. 56 logical pixels wide.
#[must_use]
pub fn round<'a, Message: Clone + 'a>(kind: Kind, sign: Icon) -> Press<'a, Message> {
    let press = Press::new(icon(sign).size(24), move |tokens, status| {
        style(kind, tokens, status)
    });
    press.width(ROUND).height(ROUND).radius(ROUND / 2.0)
}

const ROUND: f32 = 56.0;

/// How a button of a kind looks.
#[must_use]
pub fn style(kind: Kind, tokens: &Tokens, status: Status) -> Style {
    let (fill, words) = match kind {
        Kind::Primary => (Some(tokens.accent_fill), tokens.on_fill),
        Kind::Positive => (Some(tokens.positive_fill), tokens.on_fill),
        Kind::Danger => (Some(tokens.danger_fill), tokens.on_fill),
        Kind::Secondary => (Some(tokens.sunken), tokens.text),
        Kind::Chosen => (Some(tokens.selected), tokens.accent),
        Kind::Quiet => (None, tokens.text),
    };
    let style = Style {
        fill,
        text: words,
        outline: None,
    };
    // What is under the mouse changes so that its words stay as legible.
    let away = if words == tokens.on_fill {
        Color::BLACK
    } else {
        tokens.background
    };
    match (status, fill) {
        (Status::Idle, _) => style,
        (Status::Hovered, None) => Style {
            fill: Some(tokens.hover),
            ..style
        },
        (Status::Pressed, None) => Style {
            fill: Some(tokens.sunken),
            ..style
        },
        (Status::Hovered, Some(fill)) => Style {
            fill: Some(towards(fill, away, 0.06)),
            ..style
        },
        (Status::Pressed, Some(fill)) => Style {
            fill: Some(towards(fill, away, 0.12)),
            ..style
        },
        (Status::Disabled, fill) => Style {
            fill: fill.map(|_| tokens.sunken),
            text: tokens.muted.scale_alpha(0.6),
            outline: None,
        },
    }
}

/// `from`, a part of the way towards `to`.
fn towards(from: Color, to: Color, part: f32) -> Color {
    let mix = |from: f32, to: f32| from + (to - from) * part;
    Color {
        r: mix(from.r, to.r),
        g: mix(from.g, to.g),
        b: mix(from.b, to.b),
        a: from.a,
    }
}
