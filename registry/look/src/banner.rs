//! What happened and what to do about it, in a coloured strip; and the small marks beside names.

use iced::widget::{column, container, row, text::IntoFragment};
use iced::{Background, Border, Center, Color, Fill, Theme};

use crate::{Element, Icon, Tokens, icon, space, text};

/// What a banner, badge or dot is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Neither good nor bad.
    Neutral,
    /// A hint.
    Info,
    /// Good news; available.
    Positive,
    /// Needs attention; away.
    Warning,
    /// Went wrong; in a call.
    Danger,
}

impl Kind {
    fn sign(self) -> Icon {
        match self {
            Self::Neutral | Self::Info => Icon::Info,
            Self::Positive => Icon::Success,
            Self::Warning => Icon::Alert,
            Self::Danger => Icon::Error,
        }
    }

    /// The colour of its words and signs.
    pub(crate) fn colour(self, tokens: &Tokens) -> Color {
        match self {
            Self::Neutral => tokens.muted,
            Self::Info => tokens.accent,
            Self::Positive => tokens.positive,
            Self::Warning => tokens.warning,
            Self::Danger => tokens.danger,
        }
    }

    fn tint(self, tokens: &Tokens) -> Color {
        match self {
            Self::Neutral => tokens.sunken,
            Self::Info => tokens.accent_tint,
            Self::Positive => tokens.positive_tint,
            Self::Warning => tokens.warning_tint,
            Self::Danger => tokens.danger_tint,
        }
    }
}

/// A strip that says what happened and, by `action`, offers what to do: a quiet button.
pub fn banner<'a, Message: 'a>(
    kind: Kind,
    content: impl IntoFragment<'a>,
    action: Option<Element<'a, Message>>,
) -> Element<'a, Message> {
    strip(kind, text::body(content).into(), action)
}

/// The same of something that needs two parts to be said: what happened, and what that means.
pub fn alert<'a, Message: 'a>(
    kind: Kind,
    title: impl IntoFragment<'a>,
    content: impl IntoFragment<'a>,
    action: Option<Element<'a, Message>>,
) -> Element<'a, Message> {
    let words = column![text::strong(title), text::body(content)].spacing(space::XS);
    strip(kind, words.into(), action)
}

fn strip<'a, Message: 'a>(
    kind: Kind,
    words: Element<'a, Message>,
    action: Option<Element<'a, Message>>,
) -> Element<'a, Message> {
    let sign = icon(kind.sign()).style(move |theme: &Theme| text::Style {
        color: Some(kind.colour(Tokens::of(theme))),
    });
    // Words of one line are as high as the button beside them.
    let (above, around) = match action {
        Some(_) => (space::XS, LEAN),
        None => (space::M, 0.0),
    };
    let words = row![sign, container(words).width(Fill)]
        .spacing(space::M)
        .padding([around, 0.0]);
    let content = row![words].extend(action).spacing(space::M);
    container(content.align_y(Center))
        .padding([above, space::M])
        .width(Fill)
        .style(move |theme| tinted(kind, theme, space::RADIUS))
        .into()
}

/// Above and below words that have a button beside them, in logical pixels.
const LEAN: f32 = 9.0;

/// A word in a small coloured pill, as "missed" or "verified".
pub fn badge<'a, Message: 'a>(kind: Kind, content: impl IntoFragment<'a>) -> Element<'a, Message> {
    let words = text::caption(content).style(move |theme: &Theme| text::Style {
        color: Some(kind.colour(Tokens::of(theme))),
    });
    container(words)
        .padding([2.0, space::S])
        .style(move |theme| tinted(kind, theme, 10.0))
        .into()
}

/// A small disc that says how something is. Beside a word, never alone: not everybody sees
/// colours.
#[must_use]
pub fn dot<'a, Message: 'a>(kind: Kind) -> Element<'a, Message> {
    container(iced::widget::space())
        .width(DOT)
        .height(DOT)
        .style(move |theme| container::Style {
            background: Some(Background::Color(kind.colour(Tokens::of(theme)))),
            border: Border {
                radius: (DOT / 2.0).into(),
                ..Border::default()
            },
            ..container::Style::default()
        })
        .into()
}

const DOT: f32 = 8.0;

fn tinted(kind: Kind, theme: &Theme, radius: f32) -> container::Style {
    let tokens = Tokens::of(theme);
    container::Style {
        text_color: Some(tokens.text),
        background: Some(Background::Color(kind.tint(tokens))),
        border: Border {
            radius: radius.into(),
            ..Border::default()
        },
        ..container::Style::default()
    }
}
