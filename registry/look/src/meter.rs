//! How loud it is.

use iced::widget::canvas::{self, Canvas};
use iced::{Color, Fill, Point, Rectangle, Renderer, Size, Theme, border, mouse};

use crate::{Element, Tokens};

/// What a meter shows as silence, in dBFS.
pub const FLOOR: f32 = -60.0;

/// How loud it is, in dBFS, from [`FLOOR`] to 0; above -6 the bar warns.
///
/// Only its own place is repainted when the level changes.
#[must_use]
pub fn meter<'a, Message: 'a>(level: f32) -> Element<'a, Message> {
    // Whole steps of half a decibel: most frames of a quiet line look like the one before.
    Canvas::new(Meter((level.clamp(FLOOR, 0.0) * 2.0).round() / 2.0))
        .width(Fill)
        .height(HEIGHT)
        .into()
}

const HEIGHT: f32 = 8.0;
const LOUD: f32 = -6.0;

struct Meter(f32);

/// What was painted last, and how it looked.
#[derive(Default)]
struct Painted {
    cache: canvas::Cache,
    level: std::cell::Cell<f32>,
    is_dark: std::cell::Cell<bool>,
}

impl<Message> canvas::Program<Message> for Meter {
    type State = Painted;

    fn draw(
        &self,
        painted: &Painted,
        renderer: &Renderer,
        theme: &Theme,
        bounds: Rectangle,
        _cursor: mouse::Cursor,
    ) -> Vec<canvas::Geometry> {
        let tokens = Tokens::of(theme);
        let is_dark = tokens == &Tokens::DARK;
        #[expect(clippy::float_cmp, reason = "the same step is the same number")]
        if painted.level.replace(self.0) != self.0 || painted.is_dark.replace(is_dark) != is_dark {
            painted.cache.clear();
        }
        let bar = painted.cache.draw(renderer, bounds.size(), |frame| {
            fill(frame, frame.width(), tokens.sunken);
            let width = frame.width() * (1.0 - self.0 / FLOOR);
            let colour = match self.0 > LOUD {
                true => tokens.warning,
                false => tokens.positive,
            };
            if width >= 1.0 {
                fill(frame, width.max(frame.height()), colour);
            }
        });
        vec![bar]
    }
}

fn fill(frame: &mut canvas::Frame, width: f32, colour: Color) {
    let size = Size::new(width, frame.height());
    let shape =
        canvas::Path::rounded_rectangle(Point::ORIGIN, size, border::radius(frame.height() / 2.0));
    frame.fill(&shape, colour);
}
