//! The four words that show that nobody is in between, and what to do when they differ.

use i18n_embed_fl::fl;
use iced::{
    Center, Element, Fill,
    widget::{Column, Row, column, container, row, space as gap},
};
use look::{Icon, button, icon, space, text};

use super::{Call, Message};
use crate::{
    board::SeenCall,
    gui::{Cx, keys::Shortcut},
};

impl Call {
    /// The words of a call that is up.
    pub(super) fn words<'a>(
        &'a self,
        seen: &'a SeenCall,
        cx: &Cx<'a>,
    ) -> Option<Element<'a, Message>> {
        let words = seen.words.filter(|_| seen.is_up())?.to_string();
        let texts = cx.texts;
        if seen.verified {
            let told = fl!(texts, "call-words-verified", words = words);
            let told = row![
                icon(Icon::Verified).size(16).style(text::positive),
                text::body(told).style(text::muted)
            ]
            .spacing(space::S)
            .align_y(Center);
            return Some(told.into());
        }
        if self.differs == Some(seen.call) {
            return Some(self.differ(seen, cx));
        }
        // Neither stands out: which of them is right only the two can tell.
        let same = button::secondary((Icon::Check, fl!(texts, "call-words-same")))
            .on_press(Message::SamePressed(seen.call));
        let same = look::tip(
            same,
            fl!(texts, "call-words-same-tip"),
            Shortcut::Verify.key(),
        );
        let differ = button::secondary((Icon::Close, fl!(texts, "call-words-differ")))
            .on_press(Message::DifferPressed(seen.call));
        let name = seen.name.as_str();
        let answers = row![gap().width(Fill), differ, same].spacing(space::S);
        Some(look::card(
            column![
                text::title(fl!(texts, "call-words-title")),
                text::body(fl!(texts, "call-words-text", name = name)).style(text::muted),
                large(&words, cx),
                answers
            ]
            .spacing(space::L),
        ))
    }

    /// The words are not the same.
    fn differ<'a>(&'a self, seen: &'a SeenCall, cx: &Cx<'a>) -> Element<'a, Message> {
        let texts = cx.texts;
        let name = seen.name.as_str();
        let back = button::quiet(fl!(texts, "call-words-differ-back"))
            .on_press(Message::SamePressed(seen.call));
        let end = button::danger((Icon::HangUp, fl!(texts, "call-hangup")))
            .on_press(Message::HangupPressed(seen.call));
        let end = look::tip(end, fl!(texts, "call-hangup"), Shortcut::Hangup.key());
        let title = row![
            icon(Icon::Alert).size(24).style(text::danger),
            text::title(fl!(texts, "call-words-differ-title"))
        ]
        .spacing(space::M)
        .align_y(Center);
        container(
            column![
                title,
                text::body(fl!(texts, "call-words-differ-text", name = name)),
                row![gap().width(Fill), back, end].spacing(space::S)
            ]
            .spacing(space::L),
        )
        .padding(space::L)
        .width(Fill)
        .style(|theme| {
            let tokens = look::Tokens::of(theme);
            look::surface(theme)
                .background(tokens.danger_tint)
                .color(tokens.text)
        })
        .into()
    }
}

/// The narrowest window that has room for the four words beside each other, in logical pixels.
const ALL_FROM: f32 = 760.0;

/// The words, large enough to be read from the other side of a desk.
fn large<'a>(words: &str, cx: &Cx<'_>) -> Element<'a, Message> {
    let large = |word: &&str| {
        container(text::title((*word).to_owned()))
            .padding([space::M, space::L])
            .center_x(Fill)
            .style(|theme| {
                let tokens = look::Tokens::of(theme);
                container::Style::default()
                    .background(tokens.accent_tint)
                    .color(tokens.text)
                    .border(iced::border::rounded(space::RADIUS))
            })
            .into()
    };
    let words: Vec<_> = words.split(' ').collect();
    let beside = if cx.room.width < ALL_FROM { 2 } else { 4 };
    let lines = words.chunks(beside).map(|words| {
        let line = Row::with_children(words.iter().map(large));
        line.spacing(space::S).into()
    });
    Column::with_children(lines).spacing(space::S).into()
}
