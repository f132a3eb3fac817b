//! How long a list of 100,000 rows takes for each step that it is scrolled, and a meter for each
//! change of its level: `cargo run --release -p look --features frames --example frames`.

use std::{
    io::{self, Write},
    time::Duration,
};

use iced::{
    Event, Fill, Point, Size,
    mouse::{Event as Mouse, ScrollDelta},
    theme::Mode,
    widget::{container, row, text},
};
use look::frames::{Frame, Screen, mean_and_longest};

const STEPS: usize = 300;

fn main() -> io::Result<()> {
    let list = |_| {
        let rows = look::rows(100_000, 26.0, |number| {
            let time = format!("10:{:02}:{:02}", number / 60 % 60, number % 60);
            let line = format!("Lookup user{number} -> 192.0.2.{}:40000", number % 250);
            row![text(time), look::icon(look::Icon::Up).size(14), text(line)]
                .height(Fill)
                .spacing(look::space::M)
                .into()
        });
        rows.into()
    };
    let delta = ScrollDelta::Pixels { x: 0.0, y: -37.0 };
    let wheel = Event::Mouse(Mouse::WheelScrolled { delta });
    measure("list, 1000 x 760, a step of the wheel", list, &[wheel])?;

    let meter = |step: usize| {
        let level = -60.0 + u8::try_from(step % 60).map_or(0.0, f32::from);
        container(look::meter(level)).width(320).into()
    };
    measure("meter, alone in 1000 x 760", meter, &[])
}

/// Says the mean over all steps: of what is built and laid out, and of what is drawn.
fn measure(
    what: &str,
    view: impl Fn(usize) -> look::Element<'static, ()>,
    events: &[Event],
) -> io::Result<()> {
    let theme = look::theme(look::Scheme::Dark, Mode::None);
    let mut screen = Screen::new(Size::new(1000, 760));
    let mouse = Point::new(100.0, 100.0);
    let frames: Vec<Frame> = (0..STEPS)
        .map(|step| screen.frame(|| view(step), &theme, events, mouse))
        .collect();
    let mean = |part: fn(&Frame) -> Duration| {
        let times: Vec<Duration> = frames.iter().map(part).collect();
        mean_and_longest(&times).0
    };
    let (laid_out, drawn) = (mean(|frame| frame.laid_out), mean(|frame| frame.drawn));
    writeln!(
        io::stdout(),
        "{what}: built and laid out {laid_out:.1?}, drawn {drawn:.1?}, on average"
    )
}
