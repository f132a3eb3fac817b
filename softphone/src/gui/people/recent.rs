//! The calls of before: with whom, when, for how long and why they ended; missed ones stand out.

use i18n_embed::fluent::FluentLanguageLoader;
use i18n_embed_fl::fl;
use iced::{
    Center, Element, Fill,
    widget::{column, container, row, space as gap, text::Wrapping},
};
use jiff::tz::TimeZone;
use look::{Icon, Kind, button, icon, space, text};

use super::{Ask, Message, People, list::ROW, of_past, when};
use crate::{
    call::{Direction, Reason},
    gui::Cx,
    history::Past,
};

impl People {
    pub(super) fn recent<'a>(&'a self, cx: &Cx<'a>) -> Element<'a, Message> {
        if cx.history.entries.is_empty() {
            return look::empty(
                Icon::History,
                fl!(cx.texts, "recent-empty-title"),
                fl!(cx.texts, "recent-empty-text"),
                None,
            );
        }
        let past: Vec<&Past> = self.past(cx).collect();
        if past.is_empty() {
            return look::empty(
                Icon::Search,
                fl!(cx.texts, "recent-nothing-title", typed = self.typed.trim()),
                "",
                None,
            );
        }
        let context = *cx;
        let count = past.len();
        let list = look::rows(count, ROW, move |at| match past.get(at) {
            Some(past) => line(past, &self.zone, &context),
            None => gap().into(),
        })
        .selected(self.chosen(cx), move |at| {
            Message::RowChosen(self.target(at, &context))
        })
        .on_press(move |at| Message::RowPressed(self.target(at, &context)));
        let foot = match &self.asks {
            Some(Ask::Clear) => ask_clear(cx),
            _ => container(
                button::quiet((Icon::Trash, fl!(cx.texts, "recent-clear")))
                    .on_press(Message::ClearPressed),
            )
            .align_right(Fill)
            .into(),
        };
        column![container(list).height(Fill), look::separator(), foot]
            .spacing(space::XS)
            .into()
    }
}

fn ask_clear<'a>(cx: &Cx<'a>) -> Element<'a, Message> {
    let answers = row![
        gap().width(Fill),
        button::quiet(fl!(cx.texts, "details-cancel")).on_press(Message::NoPressed),
        button::danger(fl!(cx.texts, "recent-clear-yes")).on_press(Message::YesPressed),
    ]
    .spacing(space::S);
    column![
        text::strong(fl!(cx.texts, "recent-clear-ask")),
        text::caption(fl!(cx.texts, "recent-clear-text")).style(text::muted),
        answers
    ]
    .spacing(space::XS)
    .padding(space::S)
    .into()
}

fn line<'a>(past: &'a Past, zone: &TimeZone, cx: &Cx<'a>) -> Element<'a, Message> {
    let missed = past.is_missed();
    let (sign, style): (_, fn(&iced::Theme) -> iced::widget::text::Style) = match past.direction {
        _ if missed => (Icon::Missed, text::danger),
        Direction::Incoming => (Icon::Incoming, text::muted),
        Direction::Outgoing => (Icon::Outgoing, text::muted),
    };
    let mut name = text::strong(past.name.as_str()).wrapping(Wrapping::None);
    if missed {
        name = name.style(text::danger);
    }
    let at = text::caption(when::when(cx.texts, past.at, cx.clock, zone))
        .style(text::muted)
        .wrapping(Wrapping::None);
    let new = (!past.seen).then(|| look::badge(Kind::Danger, fl!(cx.texts, "recent-new")));
    let title = row![name]
        .extend(new)
        .push(gap().width(Fill))
        .push(at)
        .spacing(space::S)
        .align_y(Center);
    let under = text::caption(told(past, cx.texts))
        .style(text::muted)
        .wrapping(Wrapping::None);
    let target = of_past(past);
    let call = button::quiet(Icon::Call).on_press(Message::CallPressed(target));
    let call = look::tip(
        call,
        fl!(cx.texts, "people-call", name = past.name.as_str()),
        None,
    );
    row![
        container(icon(sign).style(style)).center_x(24),
        container(column![title, under].spacing(2.0))
            .width(Fill)
            .clip(true),
        call
    ]
    .spacing(space::S)
    .align_y(Center)
    .height(ROW)
    .padding([0.0, space::S])
    .into()
}

/// What became of a call, in a few words: `Missed call · gave up`.
pub(super) fn told(past: &Past, texts: &FluentLanguageLoader) -> String {
    let what = match past.direction {
        _ if past.is_missed() => fl!(texts, "recent-missed"),
        Direction::Incoming => fl!(texts, "recent-incoming"),
        Direction::Outgoing => fl!(texts, "recent-outgoing"),
    };
    let more = match past.lasted {
        Some(lasted) => when::lasted(texts, lasted),
        None => ended(past, texts),
    };
    fl!(texts, "recent-line", what = what, more = more)
}

/// Why a call that was never up ended, in a few words.
fn ended(past: &Past, texts: &FluentLanguageLoader) -> String {
    match (past.reason, past.direction) {
        (Reason::Hangup | Reason::RemoteHangup, _) => fl!(texts, "past-hangup"),
        (Reason::DeclinedHere, _) => fl!(texts, "past-declined-here"),
        (Reason::AnsweredElsewhere, _) => fl!(texts, "past-answered-elsewhere"),
        (Reason::DeclinedElsewhere, _) => fl!(texts, "past-declined-elsewhere"),
        (Reason::Merged, _) => fl!(texts, "past-merged"),
        (Reason::Declined, _) => fl!(texts, "past-declined"),
        (Reason::Unavailable, Direction::Incoming) => fl!(texts, "past-turned-away"),
        (Reason::Unavailable, Direction::Outgoing) => fl!(texts, "past-unavailable"),
        (Reason::Busy, _) => fl!(texts, "past-busy"),
        (Reason::NoAnswer, Direction::Incoming) => fl!(texts, "past-no-answer-incoming"),
        (Reason::NoAnswer, Direction::Outgoing) => fl!(texts, "past-no-answer"),
        (Reason::Cancelled, Direction::Incoming) => fl!(texts, "past-cancelled-incoming"),
        (Reason::Cancelled, Direction::Outgoing) => fl!(texts, "past-cancelled-outgoing"),
        (Reason::NotFound, _) => fl!(texts, "past-not-found"),
        (Reason::Unreachable, _) => fl!(texts, "past-unreachable"),
        (Reason::RegistryUnreachable, _) => fl!(texts, "past-registry-unreachable"),
        (Reason::MediaFailed, _) => fl!(texts, "past-media-failed"),
        (Reason::MediaLost, _) => fl!(texts, "past-media-lost"),
        (Reason::Untrusted, _) => fl!(texts, "past-untrusted"),
        (Reason::IdentityChanged, _) => fl!(texts, "past-identity-changed"),
        (Reason::Failed, _) => fl!(texts, "past-failed"),
    }
}
