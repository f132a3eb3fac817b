//! A labelled place to type into, which says what is wrong with what was typed.

use iced::widget::{column, text::IntoFragment, text_input};
use iced::{Background, Border, Theme};

use crate::{Element, Tokens, space, text};

/// `input` under its label, and above what is wrong, if anything is.
pub fn field<'a, Message: 'a>(
    label: impl IntoFragment<'a>,
    input: impl Into<Element<'a, Message>>,
    error: Option<impl IntoFragment<'a>>,
) -> Element<'a, Message> {
    let wrong = error.map(|error| text::caption(error).style(text::danger).into());
    column![text::caption(label).style(text::muted), input.into()]
        .extend(wrong)
        .spacing(space::XS + 2.0)
        .into()
}

/// A place to type one line into.
#[must_use]
pub fn input<'a, Message: Clone + 'a>(
    placeholder: &str,
    value: &str,
) -> text_input::TextInput<'a, Message> {
    text_input(placeholder, value)
        .size(text::BODY)
        .padding([8.0, space::M])
        .style(|theme, status| style(theme, status, false))
}

/// Style of an [`input`] with something wrong in it.
#[must_use]
pub fn wrong(theme: &Theme, status: text_input::Status) -> text_input::Style {
    style(theme, status, true)
}

fn style(theme: &Theme, status: text_input::Status, is_wrong: bool) -> text_input::Style {
    let tokens = Tokens::of(theme);
    let (colour, width) = match status {
        text_input::Status::Focused { .. } if is_wrong => (tokens.danger, 2.0),
        text_input::Status::Focused { .. } => (tokens.accent, 2.0),
        _ if is_wrong => (tokens.danger, 1.0),
        text_input::Status::Hovered => (tokens.muted, 1.0),
        text_input::Status::Active => (tokens.outline, 1.0),
        text_input::Status::Disabled => (tokens.line, 1.0),
    };
    text_input::Style {
        background: Background::Color(match status {
            text_input::Status::Disabled => tokens.background,
            _ => tokens.surface,
        }),
        border: Border {
            color: colour,
            width,
            radius: space::RADIUS.into(),
        },
        icon: tokens.muted,
        placeholder: tokens.muted,
        value: tokens.text,
        selection: tokens.accent.scale_alpha(0.30),
    }
}
