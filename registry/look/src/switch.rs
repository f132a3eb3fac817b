//! Something that is on or off.

use iced::widget::{container, row, text::IntoFragment};
use iced::{Alignment, Background, Border, Center, Fill, Theme};

use crate::press::Style;
use crate::{Element, Press, Status, Tokens, space, text};

const WIDTH: f32 = 36.0;
const HEIGHT: f32 = 20.0;
const INSET: f32 = 3.0;

/// A switch at the end of a line that says what it switches.
///
/// `on_toggle` says what happens when it is changed, given what it would be then. Without it the
/// switch is disabled.
pub fn switch<'a, Message: Clone + 'a>(
    label: impl IntoFragment<'a>,
    is_on: bool,
    on_toggle: Option<impl FnOnce(bool) -> Message>,
) -> Element<'a, Message> {
    let line = switched(text::body(label), is_on, on_toggle);
    line.padding([space::S, 0.0]).into()
}

/// The same beside whatever says what it switches, all of which switches it.
#[must_use]
pub fn switched<'a, Message: Clone + 'a>(
    about: impl Into<Element<'a, Message>>,
    is_on: bool,
    on_toggle: Option<impl FnOnce(bool) -> Message>,
) -> Press<'a, Message> {
    let is_enabled = on_toggle.is_some();
    let knob = HEIGHT - 2.0 * INSET;
    let knob = container(iced::widget::space())
        .width(knob)
        .height(knob)
        .style(move |theme: &Theme| {
            let tokens = Tokens::of(theme);
            disc(
                if is_on {
                    tokens.on_fill
                } else {
                    tokens.surface
                },
                knob,
            )
        });
    let track = container(knob)
        .width(WIDTH)
        .height(HEIGHT)
        .padding(INSET)
        .align_x(if is_on {
            Alignment::End
        } else {
            Alignment::Start
        })
        .style(move |theme: &Theme| {
            let tokens = Tokens::of(theme);
            let ground = match (is_on, is_enabled) {
                (true, true) => tokens.accent_fill,
                (false, true) => tokens.outline,
                (true, false) => tokens.accent_fill.scale_alpha(0.4),
                (false, false) => tokens.outline.scale_alpha(0.4),
            };
            disc(ground, HEIGHT)
        });
    let line = row![container(about).width(Fill), track]
        .spacing(space::M)
        .align_y(Center);
    Press::new(line, style)
        .width(Fill)
        .on_press_maybe(on_toggle.map(|on_toggle| on_toggle(!is_on)))
}

fn disc(ground: iced::Color, height: f32) -> container::Style {
    container::Style {
        background: Some(Background::Color(ground)),
        border: Border {
            radius: (height / 2.0).into(),
            ..Border::default()
        },
        ..container::Style::default()
    }
}

/// It has no ground of its own: its words stand in line with those above and below it.
fn style(tokens: &Tokens, status: Status) -> Style {
    Style {
        fill: None,
        text: match status {
            Status::Disabled => tokens.muted,
            _ => tokens.text,
        },
        outline: None,
    }
}
