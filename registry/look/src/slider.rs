//! A value between two others, set by mouse or arrow keys.

use std::ops::RangeInclusive;

use iced::keyboard::{Key, key::Named};
use iced::widget::slider as plain;
use iced::{Background, Border, Theme};

use crate::{Element, Tokens, focus, space};

/// A slider over whole numbers. The arrow keys move it by `step`, Home and End to its ends.
pub fn slider<'a, Message: Clone + 'a>(
    range: RangeInclusive<u8>,
    value: u8,
    step: u8,
    on_change: impl Fn(u8) -> Message + Clone + 'a,
) -> Element<'a, Message> {
    let (low, high) = (*range.start(), *range.end());
    let by_mouse = on_change.clone();
    let bar = plain(range, value, by_mouse)
        .step(step)
        .height(20)
        .style(style);
    focus::keys(bar, space::RADIUS, move |key, modifiers| {
        if !modifiers.is_empty() {
            return None;
        }
        let wanted = match key {
            Key::Named(Named::ArrowRight | Named::ArrowUp) => value.saturating_add(step),
            Key::Named(Named::ArrowLeft | Named::ArrowDown) => value.saturating_sub(step),
            Key::Named(Named::Home) => low,
            Key::Named(Named::End) => high,
            _ => return None,
        };
        Some(on_change(wanted.clamp(low, high)))
    })
}

fn style(theme: &Theme, status: plain::Status) -> plain::Style {
    let tokens = Tokens::of(theme);
    let radius = match status {
        plain::Status::Active => 8.0,
        plain::Status::Hovered | plain::Status::Dragged => 9.0,
    };
    plain::Style {
        rail: plain::Rail {
            backgrounds: (
                Background::Color(tokens.accent_fill),
                Background::Color(tokens.outline.scale_alpha(0.4)),
            ),
            width: 4.0,
            border: Border {
                radius: 2.0.into(),
                ..Border::default()
            },
        },
        handle: plain::Handle {
            shape: plain::HandleShape::Circle { radius },
            background: Background::Color(tokens.accent_fill),
            border_width: 2.0,
            border_color: tokens.surface,
        },
    }
}
