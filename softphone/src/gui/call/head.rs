//! Who the call is with, how it stands, how loud it is, and on which way it goes.

use std::time::Duration;

use i18n_embed_fl::fl;
use iced::{
    Center, Element, Fill,
    widget::{Column, column, container, mouse_area, row, space as gap, text::Wrapping},
};
use look::{Icon, Kind, button, icon, space, text};

use super::{Call, Message, Voice, figures::word, talked};
use crate::{
    board::{SeenCall, Stage},
    call::Hold,
    contacts::Standing,
    gui::{Cx, keys::Shortcut, people::when::timer},
};

/// How wide the call is at most, in logical pixels.
const WIDTH: f32 = 640.0;

/// How wide the names beside the meters are, in logical pixels.
const NAME: f32 = 144.0;

impl Call {
    /// A call that is there.
    pub(super) fn talking<'a>(&'a self, seen: &'a SeenCall, cx: &Cx<'a>) -> Element<'a, Message> {
        let voice = self.voices.get(&seen.call);
        let up = seen.is_up();
        let differs = self.differs == Some(seen.call) && !seen.verified;
        let figures = voice.filter(|_| self.figures && up);
        let parts = Column::new()
            .push(head(seen, cx))
            .extend(self.warnings(seen, cx))
            .extend(others(seen, cx))
            .extend(self.words(seen, cx))
            .extend(up.then(|| meters(seen, voice, cx)))
            // Beside words that differ nothing says that nobody else hears it.
            .extend((up && !differs).then(|| way(seen, voice, cx)))
            .extend(figures.map(|voice| voice.course.view(cx)))
            .extend(self.sound.then(|| self.sound(cx)))
            .spacing(space::L)
            .align_x(Center)
            .width(Fill)
            .max_width(WIDTH);
        let parts = container(parts)
            .padding([space::L, space::XL])
            .center_x(Fill);
        let scrolled: Element<'a, Message> = match up || self.sound {
            true => look::scroll(parts).height(Fill).width(Fill).into(),
            // Nothing but who it is: that stands in the middle.
            false => parts.center_y(Fill).into(),
        };
        let controls = container(self.controls(seen, cx))
            .padding([space::M, space::L])
            .center_x(Fill);
        column![scrolled, look::separator(), controls].into()
    }

    /// The call in one line, for the other screens.
    pub(super) fn strip<'a>(&'a self, seen: &'a SeenCall, cx: &Cx<'a>) -> Element<'a, Message> {
        let texts = cx.texts;
        let more = talked(cx).count() - 1;
        let more = (more > 0).then(|| fl!(texts, "call-bar-more", count = more));
        let name = text::strong(seen.name.as_str()).wrapping(Wrapping::None);
        let state = text::body(state(seen, cx))
            .style(text::muted)
            .wrapping(Wrapping::None);
        let who = row![look::avatar(seen.name.folded(), 28.0), name, state]
            .extend(more.map(|more| text::body(more).style(text::muted).into()))
            .spacing(space::M)
            .align_y(Center);
        let back = button::quiet(fl!(texts, "call-bar-back")).on_press(Message::BarPressed);
        let back = look::tip(back, fl!(texts, "call-bar-back"), Shortcut::TheCall.key());
        let (sign, kind, words) = match cx.board.muted {
            true => (
                Icon::MicOff,
                button::Kind::Chosen,
                fl!(texts, "call-unmute"),
            ),
            false => (Icon::Mic, button::Kind::Quiet, fl!(texts, "call-mute")),
        };
        let mute = button::of(kind, sign).on_press(Message::MutePressed(!cx.board.muted));
        let mute = look::tip(mute, words, Shortcut::Mute.key());
        // A phone that is muted by the key to talk is not muted by a button.
        let mute = (!cx.preferences.push_to_talk).then_some(mute);
        let end = button::danger(Icon::HangUp).on_press(Message::HangupPressed(seen.call));
        let end = look::tip(end, fl!(texts, "call-hangup"), Shortcut::Hangup.key());
        let line = row![container(who).width(Fill).clip(true), back]
            .extend(mute)
            .push(end)
            .spacing(space::S)
            .align_y(Center);
        let strip = container(line)
            .padding([space::S, space::L])
            .width(Fill)
            .style(|theme| {
                let tokens = look::Tokens::of(theme);
                container::Style::default()
                    .background(tokens.positive_tint)
                    .color(tokens.text)
            });
        mouse_area(strip).on_press(Message::BarPressed).into()
    }
}

/// Who it is, what is known of them, and how the call stands.
fn head<'a>(seen: &'a SeenCall, cx: &Cx<'a>) -> Element<'a, Message> {
    let texts = cx.texts;
    // Once it is up there is more to see than who it is.
    let size = if seen.is_up() { 64.0 } else { 112.0 };
    let name = text::display(seen.name.as_str())
        .wrapping(Wrapping::WordOrGlyph)
        .center();
    let badge = match seen.standing {
        _ if seen.verified => Some((Kind::Positive, fl!(texts, "standing-verified"))),
        Some(Standing::Known) => Some((Kind::Neutral, fl!(texts, "standing-known"))),
        Some(Standing::Stranger) => Some((Kind::Info, fl!(texts, "standing-stranger"))),
        Some(Standing::Changed) => Some((Kind::Danger, fl!(texts, "standing-changed"))),
        Some(Standing::Verified) | None => None,
    };
    let badge = badge.map(|(kind, words)| look::badge(kind, words));
    let state = text::title(state(seen, cx)).style(match seen.stage {
        Stage::Up {
            reconnecting: true, ..
        } => text::warning,
        _ => text::muted,
    });
    column![look::avatar(seen.name.folded(), size), name]
        .push(row![state].extend(badge).spacing(space::M).align_y(Center))
        .spacing(space::S)
        .align_x(Center)
        .width(Fill)
        .into()
}

/// How a call stands: what it does, or for how long it has been up.
fn state(seen: &SeenCall, cx: &Cx<'_>) -> String {
    let texts = cx.texts;
    match seen.stage {
        Stage::Calling => fl!(texts, "call-calling"),
        Stage::RingsThere => fl!(texts, "call-rings-there"),
        Stage::RingsHere { .. } => fl!(texts, "incoming-title"),
        Stage::Connecting => fl!(texts, "call-connecting"),
        Stage::Up {
            reconnecting: true, ..
        } => fl!(texts, "call-reconnecting"),
        Stage::Up { hold, .. } => match hold {
            Hold::No => timer(lasts(seen, cx)),
            Hold::Here => fl!(texts, "call-held-here"),
            Hold::There => fl!(texts, "call-held-there", name = seen.name.as_str()),
            Hold::Both => fl!(texts, "call-held-both"),
        },
    }
}

fn lasts(seen: &SeenCall, cx: &Cx<'_>) -> Duration {
    cx.now.saturating_duration_since(seen.since)
}

/// How loud both sides are.
fn meters<'a>(seen: &'a SeenCall, voice: Option<&Voice>, cx: &Cx<'a>) -> Element<'a, Message> {
    let levels = voice.and_then(|voice| voice.levels);
    let sent = levels.map_or(look::FLOOR, |levels| levels.sent_dbfs);
    let heard = levels.map_or(look::FLOOR, |levels| levels.heard_dbfs);
    let (sign, you) = match cx.board.muted {
        true => (Icon::MicOff, fl!(cx.texts, "call-muted")),
        false => (Icon::Mic, fl!(cx.texts, "call-you")),
    };
    let line = |sign: Icon, name: String, level: f32| {
        let name = container(text::body(name).wrapping(Wrapping::None))
            .width(NAME)
            .clip(true);
        row![icon(sign).style(text::muted), name, look::meter(level)]
            .spacing(space::M)
            .align_y(Center)
    };
    look::card(
        column![
            line(Icon::Speaker, seen.name.to_string(), heard),
            line(sign, you, sent),
        ]
        .spacing(space::L),
    )
}

/// That nobody else hears it, which way it goes, and how well it comes through.
fn way<'a>(seen: &'a SeenCall, voice: Option<&Voice>, cx: &Cx<'a>) -> Element<'a, Message> {
    let texts = cx.texts;
    let part = |sign: Icon, words: String| {
        row![
            icon(sign).size(16).style(text::muted),
            text::body(words).style(text::muted)
        ]
        .spacing(6.0)
        .align_y(Center)
        .height(space::CONTROL)
    };
    let path = match seen.path {
        Some(path) => fl!(texts, "call-path-direct", address = path.remote.to_string()),
        None => fl!(texts, "call-path-unknown"),
    };
    let (kind, words) = word(voice.and_then(|voice| voice.course.quality()), cx);
    let quality = button::quiet((Icon::Plot, words)).on_press(Message::FiguresPressed);
    let quality = quality.padding([0.0, space::S]);
    let quality = row![look::dot(kind), quality].align_y(Center);
    let quality = look::tip(
        quality,
        fl!(texts, "call-quality-tip"),
        Shortcut::Figures.key(),
    );
    let ways = row![
        part(Icon::Lock, fl!(texts, "call-encrypted")),
        part(Icon::Link, path),
        quality
    ]
    .spacing(space::L)
    .align_y(Center)
    .wrap()
    .vertical_spacing(0)
    .align_x(Center);
    container(ways).center_x(Fill).into()
}

/// The calls beside the one that is shown.
fn others<'a>(shown: &SeenCall, cx: &Cx<'a>) -> Option<Element<'a, Message>> {
    let texts = cx.texts;
    let others: Vec<Element<'a, Message>> = talked(cx)
        .filter(|seen| seen.call != shown.call)
        .map(|seen| {
            let name = seen.name.as_str();
            let words = column![
                text::strong(name),
                text::caption(state(seen, cx)).style(text::muted)
            ]
            .spacing(2.0);
            let switch = button::secondary(fl!(texts, "call-other-switch", name = name))
                .on_press(Message::SwitchPressed(seen.call));
            let end = button::quiet(Icon::HangUp).on_press(Message::HangupPressed(seen.call));
            let end = look::tip(end, fl!(texts, "call-hangup"), None);
            row![
                look::avatar(seen.name.folded(), 36.0),
                words,
                gap().width(Fill),
                switch,
                end
            ]
            .spacing(space::M)
            .align_y(Center)
            .into()
        })
        .collect();
    if others.is_empty() {
        return None;
    }
    let title = text::strong(fl!(texts, "call-others"));
    let others = Column::with_children(others).spacing(space::M);
    Some(look::card(column![title, others].spacing(space::M)))
}
