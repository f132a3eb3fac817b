//! Somebody calls: who, and what to do. It lies over every screen.

use codec::CallId;
use i18n_embed_fl::fl;
use iced::{
    Center, Element, Fill, Theme,
    widget::{column, container, mouse_area, opaque, row, space as gap, text::Wrapping},
};
use look::{Icon, Kind, Tokens, button, icon, space, text};

use super::{
    Action, Cx,
    keys::Shortcut,
    notify::{Buttons, Notice},
};
use crate::{
    board::{SeenCall, Stage},
    contacts::Standing,
    engine,
    phone::{self, Event},
};

/// How wide the card is, in logical pixels.
const WIDTH: f32 = 440.0;

/// How many warnings are kept; the oldest gives way.
const WARNINGS_MAX: usize = 3;

/// The screen.
#[derive(Debug, Default)]
pub struct Incoming {
    /// Calls of whom the person should be warned, newest last.
    warnings: Vec<String>,
}

/// What happened on it.
#[derive(Debug, Clone, Copy)]
pub enum Message {
    /// The call is to be taken.
    AnswerPressed(CallId),
    /// It is not.
    DeclinePressed(CallId),
    /// A warning has been read.
    WarningPressed(usize),
}

impl Incoming {
    /// Takes in what happened.
    pub fn update(&mut self, message: &Message, _cx: &Cx<'_>) -> Action<Message> {
        match *message {
            Message::AnswerPressed(call) => answer(call),
            Message::DeclinePressed(call) => decline(call),
            Message::WarningPressed(at) => {
                if at < self.warnings.len() {
                    self.warnings.remove(at);
                }
                Action::None
            }
        }
    }

    /// Takes in what happened in the phone.
    pub fn hear(&mut self, event: &engine::Event, _cx: &Cx<'_>) -> Action<Message> {
        if let engine::Event::Phone(Event::IdentityChanged { name }) = event {
            let name = name.to_string();
            if !self.warnings.contains(&name) {
                self.warnings.push(name);
            }
            if self.warnings.len() > WARNINGS_MAX {
                self.warnings.remove(0);
            }
        }
        Action::None
    }

    /// Does what a key means.
    pub fn key(&mut self, shortcut: Shortcut, cx: &Cx<'_>) -> Action<Message> {
        match (shortcut, ringing(cx).next()) {
            (Shortcut::Answer, Some(seen)) => answer(seen.call),
            (Shortcut::Decline, Some(seen)) => decline(seen.call),
            _ => Action::None,
        }
    }

    /// Whether somebody calls.
    #[must_use]
    pub fn rings(cx: &Cx<'_>) -> bool {
        ringing(cx).next().is_some()
    }

    /// What lies over the screen that is open; nothing while nobody calls.
    #[must_use]
    pub fn view<'a>(&'a self, cx: &Cx<'a>) -> Option<Element<'a, Message>> {
        if let Some(seen) = ringing(cx).next() {
            return Some(over(self.card(seen, cx)));
        }
        let (at, name) = self.warnings.iter().enumerate().next_back()?;
        Some(over(warning(at, name, cx)))
    }

    fn card<'a>(&'a self, seen: &'a SeenCall, cx: &Cx<'a>) -> Element<'a, Message> {
        let texts = cx.texts;
        let others = cx.board.calls.iter();
        let mut others = others.filter(|other| !other.rings_here() && !other.is_held_here());
        let talking = others.next();
        let title = match talking {
            Some(_) => fl!(texts, "incoming-waiting"),
            None => fl!(texts, "incoming-title"),
        };
        let name = text::display(seen.name.as_str())
            .wrapping(Wrapping::WordOrGlyph)
            .center();
        let held = talking.map(|other| {
            let name = other.name.as_str();
            let words = fl!(texts, "incoming-waiting-text", name = name);
            text::body(words).style(text::muted).center()
        });
        let more = ringing(cx).count() - 1;
        let more = (more > 0)
            .then(|| text::caption(fl!(texts, "incoming-more", count = more)).style(text::muted));
        let who = column![
            text::body(title).style(text::muted),
            look::avatar(seen.name.folded(), 88.0),
            name
        ]
        .spacing(space::M)
        .align_x(Center)
        .width(Fill);
        let known = column![]
            .extend(who_it_is(seen, cx))
            .spacing(space::S)
            .width(Fill);
        column![who, known]
            .extend(held.map(Element::from))
            .push(answers(seen.call, cx))
            .extend(more.map(Element::from))
            .spacing(space::XL)
            .align_x(Center)
            .into()
    }
}

/// The calls that ring here, the one that came first before the others.
fn ringing<'a>(cx: &Cx<'a>) -> impl Iterator<Item = &'a SeenCall> {
    cx.board.calls.iter().filter(|seen| seen.rings_here())
}

fn answer<M>(call: CallId) -> Action<M> {
    Action::All(vec![
        Action::phone(phone::Command::Answer(call)),
        Action::ShowCall(true),
    ])
}

fn decline<M>(call: CallId) -> Action<M> {
    Action::phone(phone::Command::Hangup(call))
}

/// What is known of who calls, and whether the name is theirs.
fn who_it_is<'a>(seen: &SeenCall, cx: &Cx<'a>) -> Vec<Element<'a, Message>> {
    let Stage::RingsHere {
        confirmed,
        standing,
    } = seen.stage
    else {
        return Vec::new();
    };
    let texts = cx.texts;
    let known = match standing {
        Standing::Verified => (
            Icon::Verified,
            Kind::Positive,
            fl!(texts, "incoming-verified"),
        ),
        Standing::Known | Standing::Changed => {
            (Icon::Person, Kind::Neutral, fl!(texts, "incoming-known"))
        }
        Standing::Stranger => (Icon::Info, Kind::Info, fl!(texts, "incoming-first")),
    };
    let name = match confirmed {
        true => (Icon::Check, Kind::Neutral, fl!(texts, "incoming-confirmed")),
        false => (
            Icon::Alert,
            Kind::Warning,
            fl!(texts, "incoming-unconfirmed"),
        ),
    };
    // Whom the words have shown to be who they are needs no registry to say so.
    let name = Some(name).filter(|_| standing != Standing::Verified || !confirmed);
    [known]
        .into_iter()
        .chain(name)
        .map(|(sign, kind, words)| told(sign, kind, words))
        .collect()
}

fn told<'a>(sign: Icon, kind: Kind, words: String) -> Element<'a, Message> {
    let sign = icon(sign).style(move |theme: &Theme| {
        let tokens = Tokens::of(theme);
        let colour = match kind {
            Kind::Positive => tokens.positive,
            Kind::Warning => tokens.warning,
            Kind::Danger => tokens.danger,
            Kind::Info => tokens.accent,
            Kind::Neutral => tokens.muted,
        };
        iced::widget::text::Style {
            color: Some(colour),
        }
    });
    row![sign, text::body(words).width(Fill)]
        .spacing(space::M)
        .align_y(Center)
        .into()
}

/// The two buttons, each with its word under it.
fn answers<'a>(call: CallId, cx: &Cx<'a>) -> Element<'a, Message> {
    let texts = cx.texts;
    let one = |press: look::Press<'a, Message>, words: String, shortcut: Shortcut| {
        let press = look::tip(press, words.clone(), shortcut.key());
        column![press, text::caption(words)]
            .spacing(space::S)
            .align_x(Center)
    };
    let decline =
        button::round(button::Kind::Danger, Icon::HangUp).on_press(Message::DeclinePressed(call));
    let answer =
        button::round(button::Kind::Positive, Icon::Accept).on_press(Message::AnswerPressed(call));
    row![
        one(decline, fl!(texts, "incoming-decline"), Shortcut::Decline),
        gap().width(space::XXL * 2.0),
        one(answer, fl!(texts, "incoming-answer"), Shortcut::Answer),
    ]
    .into()
}

/// Somebody else has called under the name of somebody who is known.
fn warning<'a>(at: usize, name: &'a str, cx: &Cx<'a>) -> Element<'a, Message> {
    let texts = cx.texts;
    let seen =
        button::primary(fl!(texts, "incoming-understood")).on_press(Message::WarningPressed(at));
    column![
        icon(Icon::Alert).size(40).style(text::danger),
        text::title(fl!(texts, "identity-changed-title", name = name)).center(),
        text::body(fl!(texts, "identity-changed-text", name = name)).center(),
        seen
    ]
    .spacing(space::L)
    .align_x(Center)
    .into()
}

/// Lays something over the window, which hears nothing meanwhile.
fn over<'a>(content: Element<'a, Message>) -> Element<'a, Message> {
    let card = container(content)
        .padding(space::XXL)
        .max_width(WIDTH)
        .style(|theme| {
            let tokens = Tokens::of(theme);
            look::surface(theme).background(tokens.raised)
        });
    let scrim = container(card)
        .center(Fill)
        .padding(space::L)
        .style(|theme: &Theme| {
            let tokens = Tokens::of(theme);
            container::Style::default().background(tokens.scrim)
        });
    opaque(mouse_area(scrim))
}

/// What a notification says of a call that rings. `hides` is that it does not say who calls.
#[must_use]
pub fn notice(seen: &SeenCall, hides: bool, cx: &Cx<'_>) -> Notice {
    let texts = cx.texts;
    let title = match hides {
        true => fl!(texts, "notify-somebody"),
        false => fl!(texts, "incoming-calls", name = seen.name.as_str()),
    };
    let body = match seen.stage {
        Stage::RingsHere {
            standing: Standing::Verified,
            ..
        } if !hides => fl!(texts, "incoming-verified"),
        Stage::RingsHere {
            confirmed: false, ..
        } if !hides => fl!(texts, "incoming-unconfirmed"),
        Stage::RingsHere {
            standing: Standing::Stranger,
            ..
        } if !hides => fl!(texts, "incoming-first"),
        _ => String::new(),
    };
    Notice {
        title,
        body,
        buttons: Some(Buttons {
            answer: fl!(texts, "incoming-answer"),
            decline: fl!(texts, "incoming-decline"),
        }),
    }
}

#[cfg(test)]
pub(super) mod tests;
