//! What a button does and by which key, shown while the mouse rests on it.

use std::time::Duration;

use iced::widget::{container, row, text::IntoFragment, tooltip};
use iced::{Background, Border, Center, Theme};

use crate::{Element, Tokens, space, surface, text};

/// How long the mouse rests before a tip is shown.
const DELAY: Duration = Duration::from_millis(450);

/// `content`, which says `words` and its shortcut while the mouse rests on it.
pub fn tip<'a, Message: 'a>(
    content: impl Into<Element<'a, Message>>,
    words: impl IntoFragment<'a>,
    shortcut: Option<&'a str>,
) -> Element<'a, Message> {
    let key = shortcut.map(|shortcut| {
        container(text::caption(shortcut).style(text::muted))
            .padding([0.0, space::XS + 2.0])
            .style(key)
            .into()
    });
    let shown = row![text::caption(words)]
        .extend(key)
        .spacing(space::S)
        .align_y(Center);
    tooltip(
        content,
        container(shown).padding([space::XS + 2.0, space::S + 2.0]),
        tooltip::Position::Bottom,
    )
    .gap(space::XS + 2.0)
    .delay(DELAY)
    .style(|theme| container::Style {
        border: Border {
            radius: space::RADIUS.into(),
            ..surface::raised(theme).border
        },
        ..surface::raised(theme)
    })
    .into()
}

fn key(theme: &Theme) -> container::Style {
    let tokens = Tokens::of(theme);
    container::Style {
        background: Some(Background::Color(tokens.sunken)),
        border: Border {
            radius: 4.0.into(),
            ..Border::default()
        },
        ..container::Style::default()
    }
}
