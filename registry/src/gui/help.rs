//! The first steps: what to give to others, how they know that it is the right registry, and what
//! to do next.

use i18n_embed_fl::fl;
use iced::{
    Alignment, Center, Fill,
    widget::{column, container, row, space::horizontal},
};
use look::{Element, Icon, Kind, button, space, text};

use super::{Cx, page, scrolled};
use crate::operate::{Facts, KeyIs};

/// The first steps: nothing in them changes.
#[derive(Debug, Default)]
pub struct Help;

/// What happened.
#[derive(Debug, Clone)]
pub enum Message {
    /// The registry is to be opened.
    OpenPressed,
    /// Something is to be copied.
    CopyPressed(String),
}

/// What the window is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Opens the registry.
    Open,
    /// Puts this on the clipboard.
    Copy(String),
}

impl Help {
    /// What is to be done about what happened.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::OpenPressed => Action::Open,
            Message::CopyPressed(text) => Action::Copy(text),
        }
    }

    /// The screen.
    #[must_use]
    pub fn view<'a>(&'a self, cx: &Cx<'a>) -> Element<'a, Message> {
        let steps = match cx.seen.phase.facts() {
            Some(facts) => running(facts, cx),
            None => closed(cx),
        };
        let content = column(steps).spacing(space::L).max_width(760);
        page(
            fl!(cx.texts, "help"),
            String::new(),
            horizontal(),
            scrolled(content),
        )
    }
}

fn closed<'a>(cx: &Cx<'a>) -> Vec<Element<'a, Message>> {
    let open = button::primary((Icon::Power, fl!(cx.texts, "open")))
        .on_press_maybe(cx.seen.phase.is_closed().then_some(Message::OpenPressed));
    vec![
        text::body(fl!(cx.texts, "help-what")).into(),
        step(
            1,
            fl!(cx.texts, "help-open-title"),
            vec![
                text::body(fl!(cx.texts, "help-open-text")).into(),
                open.into(),
            ],
        ),
        step(
            2,
            fl!(cx.texts, "help-give-title"),
            vec![text::body(fl!(cx.texts, "help-give-closed")).into()],
        ),
        step(
            3,
            fl!(cx.texts, "help-call-title"),
            vec![text::body(fl!(cx.texts, "help-call-text")).into()],
        ),
    ]
}

fn running<'a>(facts: &'a Facts, cx: &Cx<'a>) -> Vec<Element<'a, Message>> {
    let local = facts
        .is_local()
        .then(|| look::banner(Kind::Warning, fl!(cx.texts, "help-local"), None));
    let addresses = facts.addresses.iter().map(|address| {
        let address = address.to_string();
        let tip = fl!(cx.texts, "copy-address");
        large(address, tip)
    });
    let mut give = vec![
        text::body(fl!(cx.texts, "help-give-text")).into(),
        column(addresses).into(),
    ];
    give.extend(local);
    give.push(
        text::caption(fl!(cx.texts, "help-outside", port = facts.listening.port()))
            .style(text::muted)
            .into(),
    );
    let tip = fl!(cx.texts, "copy-fingerprint");
    let fingerprint = vec![
        text::body(fl!(cx.texts, "help-fingerprint-text")).into(),
        large(facts.fingerprint.clone(), tip),
    ];
    let first = match (facts.key, &facts.folder) {
        (KeyIs::First, Some(folder)) => {
            let folder = folder.display().to_string();
            let text = fl!(cx.texts, "help-keep", folder = folder);
            Some(look::banner(Kind::Info, text, None))
        }
        (KeyIs::Another, Some(folder)) => {
            let folder = folder.display().to_string();
            let text = fl!(cx.texts, "help-another-key", folder = folder);
            Some(look::banner(Kind::Warning, text, None))
        }
        _ => None,
    };
    let mut steps = vec![
        step(1, fl!(cx.texts, "help-give-title"), give),
        step(2, fl!(cx.texts, "help-fingerprint-title"), fingerprint),
        step(
            3,
            fl!(cx.texts, "help-call-title"),
            vec![text::body(fl!(cx.texts, "help-call-text")).into()],
        ),
    ];
    steps.extend(first);
    steps
}

/// A numbered step.
fn step<'a>(number: u8, title: String, content: Vec<Element<'a, Message>>) -> Element<'a, Message> {
    let number = look::badge(Kind::Info, number.to_string());
    let content = column![text::title(title)]
        .extend(content)
        .spacing(space::M)
        .width(Fill);
    look::card(
        row![container(number).padding([3.0, 0.0]), content]
            .spacing(space::M)
            .align_y(Alignment::Start),
    )
}

/// What is given to others, with a button to copy it right beside it.
fn large<'a>(shown: String, tip: String) -> Element<'a, Message> {
    let copy = button::quiet(Icon::Copy).on_press(Message::CopyPressed(shown.clone()));
    row![text::strong(shown), look::tip(copy, tip, None)]
        .spacing(space::S)
        .align_y(Center)
        .into()
}
