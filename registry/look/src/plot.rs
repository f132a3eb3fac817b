//! How a figure went over the last while.

use std::collections::VecDeque;

use iced::widget::canvas::{self, Canvas, Stroke};
use iced::widget::{column, row, text::IntoFragment};
use iced::{Fill, Point, Rectangle, Renderer, Size, Theme, mouse};

use crate::{Element, Tokens, space, text};

/// The last values of a figure, and how they look. A screen keeps one for each figure.
#[derive(Debug)]
pub struct Plot {
    values: VecDeque<Option<f32>>,
    length: usize,
    least: f32,
    cache: canvas::Cache,
    is_dark: std::cell::Cell<bool>,
}

impl Plot {
    /// Keeps the last `length` values. Its axis reaches from 0 to at least `least`, so that the
    /// noise of a figure that is nearly nothing stays small.
    #[must_use]
    pub fn new(length: usize, least: f32) -> Self {
        Self {
            values: VecDeque::with_capacity(length),
            length: length.max(2),
            least,
            cache: canvas::Cache::new(),
            is_dark: false.into(),
        }
    }

    /// Adds a value. None is a gap: nothing was measured then.
    pub fn push(&mut self, value: impl Into<Option<f32>>) {
        if self.values.len() == self.length {
            self.values.pop_front();
        }
        let value = value.into().filter(|value| value.is_finite());
        self.values.push_back(value.map(|value| value.max(0.0)));
        self.cache.clear();
    }

    /// The newest value.
    #[must_use]
    pub fn last(&self) -> Option<f32> {
        self.values.back().copied().flatten()
    }

    /// Where the axis ends: the next of 1, 2 and 5 times a power of ten.
    #[must_use]
    pub fn top(&self) -> f32 {
        let most = self
            .values
            .iter()
            .flatten()
            .fold(self.least, |most, &value| most.max(value));
        let power = 10_f32.powf(most.max(f32::MIN_POSITIVE).log10().floor());
        let tops = [1.0, 2.0, 5.0].map(|step| step * power);
        tops.into_iter()
            .find(|&top| top >= most)
            .unwrap_or(10.0 * power)
    }
}

/// A plot under its name and last value, beside its axis; `say` writes a value with its unit.
pub fn plot<'a, Message: 'a>(
    plot: &'a Plot,
    name: impl IntoFragment<'a>,
    say: impl Fn(f32) -> String,
) -> Element<'a, Message> {
    let last = plot.last().map_or_else(|| "–".to_owned(), &say);
    let head = row![
        text::caption(name).style(text::muted).width(Fill),
        text::strong(last),
    ]
    .spacing(space::S)
    .align_y(iced::Alignment::End);
    let axis = column![
        text::caption(say(plot.top())).style(text::muted),
        iced::widget::space::vertical(),
        text::caption(say(0.0)).style(text::muted),
        iced::widget::space().width(AXIS),
    ];
    let line = Canvas::new(Line(plot)).width(Fill).height(Fill);
    let line = row![line, axis.align_x(iced::Alignment::End)].spacing(space::S);
    column![head, line.height(HEIGHT)].spacing(space::S).into()
}

const HEIGHT: f32 = 72.0;
/// How wide an axis is at least, so that plots of which one is below the other end together.
const AXIS: f32 = 40.0;

struct Line<'a>(&'a Plot);

impl<Message> canvas::Program<Message> for Line<'_> {
    type State = ();

    fn draw(
        &self,
        _state: &(),
        renderer: &Renderer,
        theme: &Theme,
        bounds: Rectangle,
        _cursor: mouse::Cursor,
    ) -> Vec<canvas::Geometry> {
        let tokens = Tokens::of(theme);
        let is_dark = tokens == &Tokens::DARK;
        if self.0.is_dark.replace(is_dark) != is_dark {
            self.0.cache.clear();
        }
        let line = self.0.cache.draw(renderer, bounds.size(), |frame| {
            for part in [0.0, 0.5, 1.0] {
                let y = (part * (frame.height() - 1.0)).floor();
                let grid = Size::new(frame.width(), 1.0);
                frame.fill_rectangle(Point::new(0.0, y), grid, tokens.line);
            }
            for run in self.0.runs(frame.size()) {
                draw_run(frame, &run, tokens);
            }
        });
        vec![line]
    }
}

impl Plot {
    /// Where the values are in a place of this size, from the newest at its right end; a gap
    /// begins a new run.
    fn runs(&self, size: Size) -> Vec<Vec<Point>> {
        #[expect(clippy::cast_precision_loss, reason = "thousands of values at most")]
        let (step, missing) = (
            size.width / (self.length - 1) as f32,
            (self.length - self.values.len()) as f32,
        );
        let top = self.top();
        let mut runs = vec![Vec::new()];
        let mut x = missing * step;
        for value in &self.values {
            match (value, runs.last_mut()) {
                (Some(value), Some(run)) => {
                    let y = (1.0 - value / top) * (size.height - 3.0) + 1.5;
                    run.push(Point::new(x, y));
                }
                _ => runs.push(Vec::new()),
            }
            x += step;
        }
        runs.retain(|run| !run.is_empty());
        runs
    }
}

fn draw_run(frame: &mut canvas::Frame, run: &[Point], tokens: &Tokens) {
    let (Some(first), Some(last)) = (run.first(), run.last()) else {
        return;
    };
    let ground = frame.height();
    let area = canvas::Path::new(|path| {
        path.move_to(Point::new(first.x, ground));
        for &point in run {
            path.line_to(point);
        }
        path.line_to(Point::new(last.x, ground));
        path.close();
    });
    frame.fill(&area, tokens.accent.scale_alpha(0.14));
    let line = canvas::Path::new(|path| {
        path.move_to(*first);
        for &point in run {
            path.line_to(point);
        }
    });
    let stroke = Stroke::default()
        .with_color(tokens.accent)
        .with_width(1.5)
        .with_line_join(canvas::LineJoin::Round);
    frame.stroke(&line, stroke);
}
