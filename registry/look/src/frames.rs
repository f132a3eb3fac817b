//! What a frame of a window costs, for benchmarks: drawn as a whole by tiny-skia into memory, which
//! a window that repaints a part need not do.

use std::{
    fmt, fs,
    sync::LazyLock,
    time::{Duration, Instant},
};

use iced::{
    Event, Point, Renderer, Size,
    advanced::{
        clipboard,
        graphics::text::font_system,
        mouse::Cursor,
        renderer::{Headless, Style},
    },
    mouse::ScrollDelta,
    theme::Base,
    window,
};
use iced_test::runtime::{UserInterface, user_interface::Cache};

use crate::Element;

/// A screen that nobody sees, on which a window is drawn again and again.
pub struct Screen {
    renderer: Renderer,
    cache: Cache,
    size: Size<u32>,
}

/// What one frame took of the processor; on systems other than Linux, of time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Frame {
    /// To take in what a person did, and to build and lay out what is shown.
    pub laid_out: Duration,
    /// To draw it.
    pub drawn: Duration,
}

impl Frame {
    /// All of it.
    #[must_use]
    pub fn whole(self) -> Duration {
        self.laid_out + self.drawn
    }
}

/// What some frames cost, each of them after a change.
#[derive(Debug, Clone, Copy)]
pub struct Figures {
    /// The change, on average.
    pub update: Duration,
    /// The frame, on average.
    pub mean: Duration,
    /// The longest frame.
    pub longest: Duration,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            update,
            mean,
            longest,
        } = self;
        write!(
            f,
            "update {update:.1?}, view, layout and drawing {mean:.1?}, the longest {longest:.1?}"
        )
    }
}

impl Screen {
    /// One of so many logical pixels, which are as many pixels.
    ///
    /// # Panics
    /// When the fonts are not what they were when this was built.
    #[must_use]
    pub fn new(size: Size<u32>) -> Self {
        for font in crate::fonts() {
            let mut system = font_system().write();
            let system = system.as_mut().expect("fonts that nobody else holds");
            system.load_font(font);
        }
        Self {
            renderer: Renderer::new(crate::REGULAR, crate::text::BODY.into()),
            cache: Cache::new(),
            size,
        }
    }

    /// Does what a window does for one message: takes in `events`, with the mouse at `mouse`, and
    /// builds, lays out and draws what `view` makes. What widgets say is dropped.
    pub fn frame<'a, M: 'a>(
        &mut self,
        view: impl FnOnce() -> Element<'a, M>,
        theme: &iced::Theme,
        events: &[Event],
        mouse: Point,
    ) -> Frame {
        let cursor = Cursor::Available(mouse);
        let begin = spent();
        #[allow(clippy::cast_precision_loss, reason = "screens are small")]
        let size = Size::new(self.size.width as f32, self.size.height as f32);
        let cache = std::mem::take(&mut self.cache);
        let mut interface = UserInterface::build(view(), size, cache, &mut self.renderer);
        let mut events = events.to_vec();
        events.push(Event::Window(
            window::Event::RedrawRequested(Instant::now()),
        ));
        let mut messages = Vec::new();
        let (renderer, clipboard) = (&mut self.renderer, &mut clipboard::Null);
        let _ = interface.update(&events, cursor, renderer, clipboard, &mut messages);
        let middle = spent();
        let base = theme.base();
        let style = Style {
            text_color: base.text_color,
        };
        interface.draw(renderer, theme, &style, cursor);
        let _ = renderer.screenshot(self.size, 1.0, base.background_color);
        let drawn = spent() - middle;
        self.cache = interface.into_cache();
        Frame {
            laid_out: middle - begin,
            drawn,
        }
    }

    /// Draws a window once, and then so many times again, each time after `change`, with `events`
    /// and the mouse at `mouse`.
    ///
    /// # Panics
    /// When `times` is 0.
    pub fn figures<S, M>(
        &mut self,
        window: &mut S,
        view: impl for<'a> Fn(&'a S) -> Element<'a, M>,
        theme: &iced::Theme,
        (events, mouse): (&[Event], Point),
        times: usize,
        change: impl Fn(&mut S, usize),
    ) -> Figures {
        self.frame(|| view(window), theme, &[], mouse);
        let (mut updates, mut frames) = (Vec::new(), Vec::new());
        for time in 0..times {
            let began = spent();
            change(window, time);
            updates.push(spent() - began);
            let frame = self.frame(|| view(window), theme, events, mouse);
            frames.push(frame.whole());
        }
        let (mean, longest) = mean_and_longest(&frames);
        Figures {
            update: mean_and_longest(&updates).0,
            mean,
            longest,
        }
    }
}

/// A step of the mouse wheel.
#[must_use]
pub fn wheel() -> Event {
    let delta = ScrollDelta::Lines { x: 0.0, y: -3.0 };
    Event::Mouse(iced::mouse::Event::WheelScrolled { delta })
}

/// How long this thread has run, so that what else a machine does is not counted.
#[must_use]
pub fn spent() -> Duration {
    static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
    let spent = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let spent = spent.and_then(|line| line.split(' ').next()?.parse().ok());
    spent.map_or_else(|| BEGIN.elapsed(), Duration::from_nanos)
}

/// The mean and the longest.
///
/// # Panics
/// When there are none.
#[must_use]
pub fn mean_and_longest(times: &[Duration]) -> (Duration, Duration) {
    let count = u32::try_from(times.len()).expect("not so many");
    let longest = times.iter().max().expect("some");
    (times.iter().sum::<Duration>() / count, *longest)
}
