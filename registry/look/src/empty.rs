//! A place where nothing is yet: what will be here, and how to get it there.

use iced::widget::{column, container, text::IntoFragment};
use iced::{Center, Fill};

use crate::{Element, Icon, icon, space, text};

/// Fills a place where nothing is, with one action that changes that.
pub fn empty<'a, Message: 'a>(
    sign: Icon,
    title: impl IntoFragment<'a>,
    content: impl IntoFragment<'a>,
    action: Option<Element<'a, Message>>,
) -> Element<'a, Message> {
    let words = column![
        icon(sign).size(40).style(text::muted),
        text::title(title),
        text::body(content).style(text::muted).center(),
    ]
    .spacing(space::S)
    .align_x(Center);
    let all = column![words]
        .extend(action)
        .spacing(space::L)
        .align_x(Center)
        .max_width(420);
    container(all).padding(space::XL).center(Fill).into()
}
