//! The person themselves: their name, whether they can be called, and whether they want to be.

use i18n_embed_fl::fl;
use iced::{
    Alignment, Center, Element, Fill,
    widget::{column, container, row, text::Wrapping},
};
use look::{Icon, Kind, Press, button, space, text};

use super::{Message, People};
use crate::{
    board::Registered,
    gui::{Cx, call::Call, keys::Shortcut},
};

impl People {
    /// The foot of the rail: who one is, and the two switches of whether one may be called.
    #[must_use]
    pub fn me<'a>(&'a self, cx: &Cx<'a>) -> Element<'a, Message> {
        let (texts, board) = (cx.texts, cx.board);
        let (kind, state) = match board.registered {
            _ if board.dnd => (Kind::Danger, fl!(texts, "status-dnd")),
            Registered::Yes if Call::is_on(cx) => (Kind::Danger, fl!(texts, "presence-busy")),
            Registered::Yes if board.away => (Kind::Warning, fl!(texts, "presence-away")),
            Registered::Yes => (Kind::Positive, fl!(texts, "presence-available")),
            Registered::Trying => (Kind::Neutral, fl!(texts, "status-connecting")),
            Registered::No => (Kind::Neutral, fl!(texts, "status-unregistered")),
        };
        let state = row![look::dot(kind), text::caption(state).style(text::muted)]
            .spacing(6.0)
            .align_y(Center);
        let name = text::strong(board.name.as_str()).wrapping(Wrapping::None);
        let words = container(column![name, state].spacing(2.0))
            .width(Fill)
            .clip(true);
        let who = row![look::avatar(board.name.folded(), 36.0), words]
            .spacing(space::S)
            .align_y(Center);

        let (sign, tip) = match board.dnd {
            true => (Icon::BellOff, fl!(texts, "status-dnd-on")),
            false => (Icon::Bell, fl!(texts, "status-dnd-off")),
        };
        let dnd = switch(sign, fl!(texts, "status-dnd"), board.dnd)
            .on_press(Message::DndPressed(!board.dnd));
        let dnd = look::tip(dnd, tip, Shortcut::DoNotDisturb.key());
        let away = board.publishes.then(|| {
            let tip = match board.away {
                true => fl!(texts, "status-away-on"),
                false => fl!(texts, "status-away-off"),
            };
            let away = switch(Icon::Clock, fl!(texts, "presence-away"), board.away)
                .on_press(Message::AwayPressed(!board.away));
            look::tip(away, tip, Shortcut::Away.key())
        });
        let switches = column![dnd].extend(away).spacing(space::S);
        column![who, switches].spacing(space::M).into()
    }
}

/// One of the two, with what it says of the person.
fn switch<'a>(sign: Icon, words: String, on: bool) -> Press<'a, Message> {
    let kind = match on {
        true => button::Kind::Chosen,
        false => button::Kind::Secondary,
    };
    button::of(kind, (sign, words))
        .padding([0.0, space::M])
        .align(Alignment::Start)
        .width(Fill)
}
