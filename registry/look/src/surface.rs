//! What content stands on: cards, lines between parts, and what scrolls.

use iced::widget::{container, rule, scrollable};
use iced::{Background, Border, Color, Fill, Theme};

use crate::{Element, Tokens, space};

/// A card: things that belong together, on their own ground.
pub fn card<'a, Message: 'a>(content: impl Into<Element<'a, Message>>) -> Element<'a, Message> {
    container(content)
        .padding(space::L)
        .width(Fill)
        .style(surface)
        .into()
}

/// Style of a container: the ground of cards and lists.
#[must_use]
pub fn surface(theme: &Theme) -> container::Style {
    let tokens = Tokens::of(theme);
    container::Style {
        text_color: Some(tokens.text),
        background: Some(Background::Color(tokens.surface)),
        border: Border {
            color: tokens.line,
            width: 1.0,
            radius: space::RADIUS_LARGE.into(),
        },
        ..container::Style::default()
    }
}

/// The ground of what floats.
pub(crate) fn raised(theme: &Theme) -> container::Style {
    let tokens = Tokens::of(theme);
    container::Style {
        background: Some(Background::Color(tokens.raised)),
        // No shadow: where iced 0.14 with tiny-skia repaints a part, it draws the whole shadow
        // again, over what is not repainted.
        border: Border {
            color: tokens.outline,
            width: 1.0,
            radius: space::RADIUS_LARGE.into(),
        },
        ..surface(theme)
    }
}

/// A line between two parts.
#[must_use]
pub fn separator<'a, Message: 'a>() -> Element<'a, Message> {
    rule::horizontal(1)
        .style(|theme: &Theme| rule::Style {
            color: Tokens::of(theme).line,
            radius: 0.0.into(),
            fill_mode: rule::FillMode::Full,
            snap: true,
        })
        .into()
}

/// Content that scrolls up and down when it is higher than its place.
pub fn scroll<'a, Message: 'a>(
    content: impl Into<Element<'a, Message>>,
) -> scrollable::Scrollable<'a, Message> {
    let bar = scrollable::Scrollbar::new()
        .width(10)
        .scroller_width(6)
        .margin(2);
    scrollable(content)
        .direction(scrollable::Direction::Vertical(bar))
        .style(scrolling)
}

/// How scrollbars look.
pub(crate) fn scrolling(theme: &Theme, status: scrollable::Status) -> scrollable::Style {
    let tokens = Tokens::of(theme);
    let is_used = match status {
        scrollable::Status::Active { .. } => false,
        scrollable::Status::Hovered {
            is_vertical_scrollbar_hovered: used,
            ..
        }
        | scrollable::Status::Dragged {
            is_vertical_scrollbar_dragged: used,
            ..
        } => used,
    };
    let rail = scrollable::Rail {
        background: None,
        border: Border::default(),
        scroller: scrollable::Scroller {
            background: Background::Color(scroller(tokens, is_used)),
            border: Border {
                radius: 3.0.into(),
                ..Border::default()
            },
        },
    };
    scrollable::Style {
        container: container::Style::default(),
        vertical_rail: rail,
        horizontal_rail: rail,
        gap: None,
        ..scrollable::default(theme, status)
    }
}

/// The colour of the part of a scrollbar that moves.
pub(crate) fn scroller(tokens: &Tokens, is_used: bool) -> Color {
    tokens.outline.scale_alpha(if is_used { 1.0 } else { 0.55 })
}
