//! A window that hangs leaves its calls alone.

#![cfg(feature = "gui")]
#![allow(clippy::unwrap_used)]

use std::{
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use codec::CallId;
use iced::futures::{Stream, StreamExt, executor::block_on};
use registry::{client::Security, server::Plain};
use softphone::{
    audio::{Input, Output},
    engine::{self, Event},
    gui::line::{self, News, Start, Up},
    media::format::Format,
    phone::{self, Command},
};

#[path = "rig/phones.rs"]
mod phones;
#[path = "rig/registries.rs"]
mod registries;

use phones::Place;
use registries::{ANYWHERE, Registry};

/// How long the window hangs.
const FROZEN: Duration = Duration::from_secs(5);

/// What the thread of a window does: it takes news one by one, when it comes to it.
struct Window {
    news: Pin<Box<dyn Stream<Item = News>>>,
    up: Up,
}

impl Window {
    fn open(start: Start) -> Self {
        let mut news: Pin<Box<dyn Stream<Item = News>>> = Box::pin(line::news(Arc::new(start)));
        let up = match block_on(news.next()) {
            Some(News::Up(up)) => up.take().unwrap(),
            other => panic!("{other:?}"),
        };
        Self { news, up }
    }

    fn tell(&self, command: Command) {
        self.up.commands.try_send(command.into()).unwrap();
    }

    /// Takes news until this comes.
    fn wait_for<T>(&mut self, wanted: impl Fn(Event) -> Option<T>) -> T {
        loop {
            match block_on(self.news.next()) {
                Some(News::Event(event)) => {
                    if let Some(found) = wanted(event) {
                        return found;
                    }
                }
                Some(News::Changed) => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

fn phone(event: Event) -> Option<phone::Event> {
    match event {
        Event::Phone(event) => Some(event),
        _ => None,
    }
}

/// How the call stands, as the window would see it now.
fn figures(views: &engine::Views, call: CallId) -> softphone::board::Figures {
    let board = views.board.borrow();
    let seen = board.seen(call).expect("the call is up");
    assert!(seen.is_up(), "{seen:?}");
    seen.figures.expect("figures come every second")
}

#[test]
fn a_window_that_is_frozen_for_5_s_leaves_its_call_untouched() {
    let place = Place::new(&["--plain"]);
    let registry = Registry::start(&place.runtime, ANYWHERE, Plain::Any, 1);
    let mut echo = place.phone("echo", registry.addr, &["echo"]);
    echo.wait_for("registered");
    let settings = phone::Settings::of_person();
    let mut window = Window::open(Start {
        folder: place.path("alice"),
        name: "alice".parse().unwrap(),
        registry: registry.addr.into(),
        security: Security::Plain,
        invite: None,
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        input: Input::Silence,
        output: Output::None,
        format: Format::default(),
        ring_on: Some(Output::None),
        settings,
    });
    window.wait_for(|event| matches!(phone(event)?, phone::Event::Registered).then_some(()));
    window.tell(Command::Dial("echo".parse().unwrap()));
    let call = window.wait_for(|event| match phone(event)? {
        phone::Event::Established { call, .. } => Some(call),
        _ => None,
    });
    window.wait_for(|event| matches!(event, Event::Stats { .. }).then_some(()));

    // The window reads nothing and says nothing, and everything that it holds is held.
    let (began, mut worst) = (Instant::now(), 0.0_f32);
    let views = window.up.views.clone();
    while began.elapsed() < FROZEN {
        thread::sleep(Duration::from_millis(500));
        let voice = figures(&views, call).voice;
        worst = worst.max(voice.loss_pct + voice.late_pct);
    }
    assert_eq!(worst, 0.0, "% of the echo is lost");

    // What happened meanwhile is still told, and the call goes on until it is hung up.
    window.wait_for(|event| matches!(event, Event::Stats { .. }).then_some(()));
    window.tell(Command::Hangup(call));
    window.wait_for(|event| matches!(phone(event)?, phone::Event::Ended { .. }).then_some(()));
    let over = echo.stop();
    let seconds = over.events.iter().filter(|event| event["event"] == "stats");
    let lost: Vec<_> = seconds
        .map(|event| event["loss_pct"].as_f64().unwrap())
        .collect();
    assert!(
        lost.len() >= 5 && lost.iter().all(|lost| *lost == 0.0),
        "{lost:?}"
    );
}
