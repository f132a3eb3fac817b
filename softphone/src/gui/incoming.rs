//! Somebody calls: who, and what to do. It lies over every screen.

use std::time::{Duration, Instant};

use codec::{CallId, Name};
use i18n_embed_fl::fl;
use iced::{
    Center, Element, Fill, Task, Theme,
    widget::{column, row, space as gap, text::Wrapping},
};
use look::{Dialog, Icon, Kind, Tokens, button, icon, space, text};

use super::{
    Action, Cx,
    keys::{Cap, Chord, Shortcut},
    notify::{Buttons, Notice},
};
use crate::{
    board::{SeenCall, Stage},
    contacts::Standing,
    engine,
    phone::{self, Event},
};

/// How long it takes a person to see that something has come over what they type into, be it in
/// this window or in another one: until then their keys are not meant for it.
const SETTLED: Duration = Duration::from_secs(1);

/// The lowest window in which who calls stands above the rest of the card, in logical pixels.
const HIGH_FROM: f32 = 600.0;

/// How many warnings are kept; the oldest gives way.
const WARNINGS_MAX: usize = 3;

/// The screen.
#[derive(Debug, Default)]
pub struct Incoming {
    /// Under whose names somebody else has called, newest last.
    warnings: Vec<Name>,
    shown: Option<Shown>,
}

/// What lies over the window, and since when.
#[derive(Debug)]
struct Shown {
    what: What,
    /// Since when the person can have seen it.
    since: Instant,
    /// The window had the keyboard before. If not, whoever types may mean another one.
    expected: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Rings(CallId),
    Changed(Name),
}

/// What happened on it.
#[derive(Debug, Clone)]
pub enum Message {
    /// The call is to be taken.
    AnswerPressed(CallId),
    /// It is not.
    DeclinePressed(CallId),
    /// The warning about this name has been read.
    WarningRead(Name),
    /// What lies over the window has been there for a while.
    Settled,
}

impl Incoming {
    /// Takes in what happened.
    pub fn update(&mut self, message: Message) -> Action<Message> {
        match message {
            Message::AnswerPressed(call) => answer(call),
            Message::DeclinePressed(call) => decline(call),
            Message::WarningRead(name) => {
                self.warnings.retain(|warned| *warned != name);
                Action::None
            }
            Message::Settled => Action::None,
        }
    }

    /// Takes in what happened in the phone.
    pub fn hear(&mut self, event: &engine::Event) {
        if let engine::Event::Phone(Event::IdentityChanged { name }) = event {
            if !self.warnings.contains(name) {
                self.warnings.push(name.clone());
            }
            if self.warnings.len() > WARNINGS_MAX {
                self.warnings.remove(0);
            }
        }
    }

    /// Takes note of what lies over the window now.
    pub fn settle(&mut self, cx: &Cx<'_>) -> Action<Message> {
        let before = self.shown.take();
        let Some(what) = self.what(cx) else {
            return Action::None;
        };
        let (since, expected) = match before.filter(|shown| shown.what == what) {
            Some(shown) => {
                let since = cx
                    .focused
                    .map_or(shown.since, |since| since.max(shown.since));
                if since == shown.since {
                    self.shown = Some(shown);
                    return Action::None;
                }
                (since, shown.expected)
            }
            None => (cx.now, cx.focused.is_some()),
        };
        self.shown = Some(Shown {
            what,
            since,
            expected,
        });
        let settled = Task::future(async {
            tokio::time::sleep(SETTLED).await;
            Message::Settled
        });
        Action::Run(settled)
    }

    /// Whether a key is meant for what lies over the window: what a person who saw it pressed.
    #[must_use]
    pub fn hears(&self, chord: Chord, cx: &Cx<'_>) -> bool {
        let expected = self.shown.as_ref().is_some_and(|shown| shown.expected);
        match chord.cap {
            _ if chord.command => true,
            Cap::Character(_) => expected && self.is_settled(cx),
            _ => self.is_settled(cx),
        }
    }

    fn is_settled(&self, cx: &Cx<'_>) -> bool {
        let shown = self.shown.as_ref();
        shown.is_some_and(|shown| cx.now.saturating_duration_since(shown.since) >= SETTLED)
    }

    fn what(&self, cx: &Cx<'_>) -> Option<What> {
        let rings = ringing(cx).next().map(|seen| What::Rings(seen.call));
        rings.or_else(|| Some(What::Changed(self.warnings.last()?.clone())))
    }

    /// Does what a key means.
    pub fn key(&mut self, shortcut: Shortcut, cx: &Cx<'_>) -> Action<Message> {
        match (shortcut, ringing(cx).next()) {
            (Shortcut::Answer, Some(seen)) => answer(seen.call),
            (Shortcut::Decline, Some(seen)) => decline(seen.call),
            _ => Action::None,
        }
    }

    /// What lies over the screen that is open; nothing while nobody calls.
    #[must_use]
    pub fn dialog<'a>(&'a self, cx: &Cx<'a>) -> Option<Dialog<'a, Message>> {
        let dialog = match (ringing(cx).next(), self.warnings.last()) {
            (Some(seen), _) => Dialog::card(card(seen, cx)),
            (None, Some(name)) => {
                let read = || Message::WarningRead(name.clone());
                Dialog::card(warning(name, cx))
                    .on_close(read())
                    .on_submit(read())
            }
            (None, None) => return None,
        };
        Some(dialog.deaf(!self.is_settled(cx)))
    }
}

fn card<'a>(seen: &'a SeenCall, cx: &Cx<'a>) -> Element<'a, Message> {
    let texts = cx.texts;
    let others = cx.board.calls.iter();
    let mut others = others.filter(|other| !other.rings_here() && !other.is_held_here());
    let talking = others.next();
    let title = match talking {
        Some(_) => fl!(texts, "incoming-waiting"),
        None => fl!(texts, "incoming-title"),
    };
    let name = text::display(seen.name.as_str()).wrapping(Wrapping::WordOrGlyph);
    let held = talking.map(|other| {
        let name = other.name.as_str();
        let words = fl!(texts, "incoming-waiting-text", name = name);
        text::body(words).style(text::muted).center()
    });
    let more = ringing(cx).count() - 1;
    let more = (more > 0)
        .then(|| text::caption(fl!(texts, "incoming-more", count = more)).style(text::muted));
    let title = text::body(title).style(text::muted);
    let avatar = |size| look::avatar(seen.name.folded(), size);
    let is_low = cx.room.height < HIGH_FROM;
    let who: Element<'a, Message> = match is_low {
        true => row![avatar(56.0), column![title, name].width(Fill)]
            .spacing(space::L)
            .align_y(Center)
            .into(),
        false => column![title, avatar(88.0), name.center()]
            .spacing(space::M)
            .align_x(Center)
            .width(Fill)
            .into(),
    };
    let known = column![].extend(who_it_is(seen, cx)).spacing(space::S);
    column![who, known]
        .extend(held.map(Element::from))
        .push(answers(seen.call, cx))
        .extend(more.map(Element::from))
        .spacing(if is_low { space::L } else { space::XL })
        .align_x(Center)
        .into()
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
    row![sign, text::body(words)]
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
fn warning<'a>(whose: &'a Name, cx: &Cx<'a>) -> Element<'a, Message> {
    let (texts, name) = (cx.texts, whose.as_str());
    let read = button::primary(fl!(texts, "incoming-understood"))
        .on_press(Message::WarningRead(whose.clone()));
    column![
        icon(Icon::Alert).size(40).style(text::danger),
        text::title(fl!(texts, "identity-changed-title", name = name)).center(),
        text::body(fl!(texts, "identity-changed-text", name = name)).center(),
        read
    ]
    .spacing(space::L)
    .align_x(Center)
    .width(Fill)
    .into()
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
