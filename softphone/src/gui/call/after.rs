//! After a call: why it ended, in plain words, and what to do next.

use i18n_embed_fl::fl;
use iced::{
    Center, Element, Fill,
    widget::{column, container, row},
};
use look::{Icon, Kind, button, icon, space, text};

use super::{Message, again, ending::ending};
use crate::{
    board::EndedCall,
    call::Reason,
    gui::{Cx, keys::Shortcut, people::when},
};

/// How wide it is at most, in logical pixels.
const WIDTH: f32 = 480.0;

/// A call that is over.
pub(super) fn view<'a>(over: &'a EndedCall, cx: &Cx<'a>) -> Element<'a, Message> {
    let texts = cx.texts;
    let ending = ending(over, texts);
    let sign = match (ending.alarming, ending.failed) {
        (true, _) => icon(Icon::Alert).size(40).style(text::danger),
        (false, true) => icon(Icon::Disconnect).size(40).style(text::warning),
        (false, false) => icon(Icon::HangUp).size(40).style(text::muted),
    };
    let lasted = over.lasted.map(|lasted| {
        let lasted = when::lasted(texts, lasted);
        text::caption(fl!(texts, "ended-lasted", lasted = lasted))
            .style(text::muted)
            .into()
    });
    let close =
        button::secondary(fl!(texts, "ended-close")).on_press(Message::ClosePressed(over.call));
    let close = look::tip(close, fl!(texts, "ended-close"), Shortcut::Back.key());
    let call = ending.again.then(|| {
        let target = again(over, cx);
        let call = button::primary((Icon::Call, fl!(texts, "ended-again")))
            .on_press(Message::AgainPressed(target));
        let name = over.name.as_str();
        look::tip(
            call,
            fl!(texts, "people-call", name = name),
            Shortcut::CallAgain.key(),
        )
    });
    // To forget who was known is done where they are seen.
    let show = (over.reason == Reason::IdentityChanged).then(|| {
        let words = fl!(texts, "ended-show", name = over.name.as_str());
        let shown = Message::ShowPressed(over.call, again(over, cx));
        button::primary(words).on_press(shown).into()
    });
    let words = column![
        sign,
        text::title(ending.title).center(),
        text::body(ending.next).center(),
    ]
    .extend(lasted)
    .spacing(space::M)
    .align_x(Center);
    let answers = row![close].extend(call).extend(show).spacing(space::S);
    let all = column![words, answers]
        .spacing(space::XL)
        .align_x(Center)
        .max_width(WIDTH);
    container(all).padding(space::XL).center(Fill).into()
}

/// The same in a line, over another screen. `idle` is that there is no other call.
pub(super) fn strip<'a>(over: &'a EndedCall, idle: bool, cx: &Cx<'a>) -> Element<'a, Message> {
    let texts = cx.texts;
    let ending = ending(over, texts);
    let kind = match (ending.alarming, ending.failed) {
        (true, _) => Kind::Danger,
        (false, true) => Kind::Warning,
        (false, false) => Kind::Neutral,
    };
    let again = (idle && ending.again).then(|| {
        let call = button::quiet((Icon::Call, fl!(texts, "ended-again")));
        call.on_press(Message::AgainPressed(again(over, cx))).into()
    });
    let close = button::quiet(fl!(texts, "ended-close")).on_press(Message::ClosePressed(over.call));
    let answers = row![].extend(again).push(close).spacing(space::S);
    let answers = answers.align_y(Center).into();
    let banner = look::alert(kind, ending.title, ending.next, Some(answers));
    container(banner)
        .padding(iced::Padding::from([space::M, space::XL]).bottom(0))
        .into()
}

/// There is no call, and there was none.
pub(super) fn nothing<'a>(cx: &Cx<'a>) -> Element<'a, Message> {
    let people =
        button::primary(fl!(cx.texts, "call-empty-people")).on_press(Message::PeoplePressed);
    look::empty(
        Icon::Phone,
        fl!(cx.texts, "call-empty-title"),
        fl!(cx.texts, "call-empty-text"),
        Some(people.into()),
    )
}
