//! The way between the screens of a window: a rail at its side, or tabs above a part of it.

use iced::widget::{column, container, row, text::IntoFragment};
use iced::{Alignment, Background, Border, Center, Fill, Theme};

use crate::press::Style;
use crate::{Element, Icon, Press, Status, Tokens, icon, space, text};

/// One place to go to.
pub struct Place<'a, Message> {
    icon: Icon,
    label: text::Text<'a>,
    is_here: bool,
    count: Option<String>,
    on_press: Message,
}

/// A place to go to, and whether the person is there.
pub fn place<'a, Message>(
    icon: Icon,
    label: impl IntoFragment<'a>,
    is_here: bool,
    on_press: Message,
) -> Place<'a, Message> {
    Place {
        icon,
        label: text::strong(label),
        is_here,
        count: None,
        on_press,
    }
}

impl<Message> Place<'_, Message> {
    /// How many new things wait there, such as missed calls. None is not shown.
    #[must_use]
    pub fn count(mut self, count: usize) -> Self {
        self.count = match count {
            0 => None,
            1..=99 => Some(count.to_string()),
            _ => Some("99+".to_owned()),
        };
        self
    }
}

/// A rail at the side of a window: places, with `foot` at its lower end.
pub fn rail<'a, Message: Clone + 'a>(
    places: impl IntoIterator<Item = Place<'a, Message>>,
    foot: Option<Element<'a, Message>>,
) -> Element<'a, Message> {
    let places = places.into_iter().map(|place| {
        let is_here = place.is_here;
        let sign = icon(place.icon);
        let words = place.label.width(Fill).wrapping(text::Wrapping::None);
        let line = row![sign, words].extend(place.count.map(counted));
        Press::new(
            line.spacing(space::M).align_y(Center),
            move |tokens, status| style(tokens, status, is_here),
        )
        .width(Fill)
        .height(space::CONTROL + 4.0)
        .padding([0.0, space::M])
        .align(Alignment::Start)
        .on_press(place.on_press)
        .into()
    });
    let places = column(places).spacing(space::XS);
    let all = column![places, iced::widget::space::vertical()].extend(foot);
    container(all)
        .width(RAIL)
        .height(Fill)
        .padding([space::L, space::M])
        .into()
}

/// How wide the rail is, in logical pixels.
pub const RAIL: f32 = 200.0;

/// Tabs above a part of a window; those that do not fit stand below.
pub fn tabs<'a, Message: Clone + 'a>(
    places: impl IntoIterator<Item = Place<'a, Message>>,
) -> Element<'a, Message> {
    let places = places.into_iter().map(|place| {
        let is_here = place.is_here;
        let line = row![
            icon(place.icon).size(16),
            place.label.wrapping(text::Wrapping::None)
        ]
        .extend(place.count.map(counted));
        Press::new(
            line.spacing(space::S).align_y(Center),
            move |tokens, status| style(tokens, status, is_here),
        )
        .height(space::CONTROL)
        .padding([0.0, space::M])
        .on_press(place.on_press)
        .into()
    });
    row(places).spacing(space::XS).wrap().into()
}

fn counted<'a, Message: 'a>(count: String) -> Element<'a, Message> {
    container(
        text::caption(count)
            .font(crate::BOLD)
            .style(|theme: &Theme| text::Style {
                color: Some(Tokens::of(theme).on_fill),
            }),
    )
    .padding([0.0, space::XS + 2.0])
    .style(|theme| container::Style {
        background: Some(Background::Color(Tokens::of(theme).danger_fill)),
        border: Border {
            radius: 9.0.into(),
            ..Border::default()
        },
        ..container::Style::default()
    })
    .into()
}

fn style(tokens: &Tokens, status: Status, is_here: bool) -> Style {
    Style {
        fill: match (is_here, status) {
            (true, _) => Some(tokens.selected),
            (false, Status::Hovered | Status::Pressed) => Some(tokens.sunken),
            (false, _) => None,
        },
        text: if is_here { tokens.accent } else { tokens.muted },
        outline: None,
    }
}
