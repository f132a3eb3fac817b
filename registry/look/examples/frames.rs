//! How long a list of 100,000 rows takes for each step that it is scrolled, and a meter for each
//! change of its level: `cargo run --release -p look --example frames`.
//!
//! Every picture is drawn anew as a whole, by tiny-skia into memory, which a window need not do:
//! it repaints the list, or the meter, alone. On Linux the times are those that a processor spent
//! on it, so that what else a machine does is not counted.

use std::time::{Duration, Instant};

use iced::advanced::{clipboard, mouse, renderer::Headless, renderer::Style};
use iced::mouse::{Event as Mouse, ScrollDelta};
use iced::widget::{container, row, text};
use iced::{Color, Event, Fill, Point, Renderer, Size, Theme, theme::Mode};
use iced_test::runtime::{UserInterface, user_interface::Cache};

const SIZE: Size<u32> = Size::new(1000, 760);
const STEPS: usize = 300;

fn main() {
    let theme = look::theme(look::Scheme::Dark, Mode::None);
    let mut renderer = Renderer::new(look::REGULAR, look::text::BODY.into());
    for font in look::fonts() {
        let mut system = iced::advanced::graphics::text::font_system().write();
        let system = system.as_mut().expect("fonts that nobody else holds");
        system.load_font(font);
    }

    let list = || {
        look::rows(100_000, 26.0, |number| {
            let time = format!("10:{:02}:{:02}", number / 60 % 60, number % 60);
            let line = format!("Lookup user{number} -> 192.0.2.{}:40000", number % 250);
            row![text(time), look::icon(look::Icon::Up).size(14), text(line)]
                .height(Fill)
                .spacing(look::space::M)
                .into()
        })
    };
    let scroll = |_| {
        let delta = ScrollDelta::Pixels { x: 0.0, y: -37.0 };
        vec![Event::Mouse(Mouse::WheelScrolled { delta })]
    };
    let what = "list, 1000 x 760, a step of the wheel";
    measure(what, &mut renderer, &theme, |_| list().into(), scroll);

    let meter = |step: usize| -> look::Element<'_, ()> {
        let level = -60.0 + u8::try_from(step % 60).map_or(0.0, f32::from);
        container(look::meter(level)).width(320).into()
    };
    measure(
        "meter, alone in 1000 x 760",
        &mut renderer,
        &theme,
        meter,
        |_| Vec::new(),
    );
}

/// Says the mean over all steps of an interface: of what is rebuilt and laid out, and of what is
/// drawn.
fn measure<'a>(
    what: &str,
    renderer: &mut Renderer,
    theme: &Theme,
    view: impl Fn(usize) -> look::Element<'a, ()>,
    events: impl Fn(usize) -> Vec<Event>,
) {
    let cursor = mouse::Cursor::Available(Point::new(100.0, 100.0));
    let size = Size::new(1000.0, 760.0);
    let (mut laid_out, mut drawn) = (Vec::new(), Vec::new());
    let mut cache = Cache::new();
    for step in 0..STEPS {
        let begin = now();
        let mut interface = UserInterface::build(view(step), size, cache, renderer);
        let events = events(step);
        let _ = interface.update(
            &events,
            cursor,
            renderer,
            &mut clipboard::Null,
            &mut Vec::new(),
        );
        let middle = now();
        let style = Style {
            text_color: Color::WHITE,
        };
        interface.draw(renderer, theme, &style, cursor);
        let _ = renderer.screenshot(SIZE, 1.0, Color::BLACK);
        laid_out.push(middle - begin);
        drawn.push(now() - middle);
        cache = interface.into_cache();
    }
    let say = |part: &str, times: &[Duration]| {
        let mean = times.iter().sum::<Duration>() / u32::try_from(times.len()).unwrap_or(1);
        let line = format!("{what}: {part}: {mean:.1?} on average\n");
        std::io::Write::write_all(&mut std::io::stdout(), line.as_bytes()).expect("a terminal");
    };
    say("built and laid out", &laid_out);
    say("drawn", &drawn);
}

/// How long this thread has run, or how long the program is there.
fn now() -> Duration {
    static BEGIN: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let spent = spent.and_then(|line| line.split(' ').next()?.parse().ok());
    spent.map_or_else(|| BEGIN.elapsed(), Duration::from_nanos)
}
