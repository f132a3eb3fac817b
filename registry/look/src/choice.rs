//! One of several: a list that opens, or all side by side where they are few.

use iced::keyboard::{Key, key::Named};
use iced::widget::{container, overlay::menu, pick_list, row, text::IntoFragment};
use iced::{Background, Border, Fill, Shadow, Theme};

use crate::{Element, Press, Status, Tokens, focus, font::ICONS, press, space, surface, text};

/// A list that opens to choose one. The arrow keys choose without opening it.
///
/// `placeholder` is what stands there while nothing is chosen.
pub fn choice<'a, T, Message>(
    options: Vec<T>,
    chosen: Option<T>,
    placeholder: impl Into<String>,
    on_choose: impl Fn(T) -> Message + Clone + 'a,
) -> Element<'a, Message>
where
    T: ToString + PartialEq + Clone + 'a,
    Message: Clone + 'a,
{
    let at = options
        .iter()
        .position(|option| Some(option) == chosen.as_ref());
    let by_mouse = on_choose.clone();
    let list = pick_list(options.clone(), chosen, by_mouse)
        .placeholder(placeholder)
        .text_size(text::BODY)
        .padding([8.0, space::M])
        .width(Fill)
        .handle(pick_list::Handle::Static(pick_list::Icon {
            font: ICONS,
            code_point: crate::Icon::ChevronDown.code(),
            size: Some(16.into()),
            line_height: text::LineHeight::Relative(1.0),
            shaping: text::Shaping::Basic,
        }))
        .style(style)
        .menu_style(menu_style);
    focus::keys(list, space::RADIUS, move |key, modifiers| {
        if !modifiers.is_empty() {
            return None;
        }
        let last = options.len().checked_sub(1)?;
        let wanted = match (key, at) {
            (Key::Named(Named::ArrowDown), Some(at)) => (at + 1).min(last),
            (Key::Named(Named::ArrowUp), Some(at)) => at.saturating_sub(1),
            (Key::Named(Named::Enter | Named::Space), Some(at)) => (at + 1) % (last + 1),
            (Key::Named(Named::ArrowDown | Named::ArrowUp | Named::Enter | Named::Space), None)
            | (Key::Named(Named::Home), _) => 0,
            (Key::Named(Named::End), _) => last,
            _ => return None,
        };
        Some(on_choose(options[wanted].clone()))
    })
}

/// A few to choose from, side by side, or in several lines where there is not room enough.
pub fn segments<'a, T, Message, W>(
    options: impl IntoIterator<Item = (T, W)>,
    chosen: &T,
    on_choose: impl Fn(T) -> Message,
) -> Element<'a, Message>
where
    T: PartialEq,
    W: IntoFragment<'a>,
    Message: Clone + 'a,
{
    let parts = options.into_iter().map(|(option, words)| {
        let is_chosen = option == *chosen;
        let words = match is_chosen {
            true => text::strong(words),
            false => text::body(words),
        };
        Press::new(
            words.wrapping(text::Wrapping::None),
            move |tokens, status| segment(tokens, status, is_chosen),
        )
        .height(space::CONTROL - 2.0 * INSET)
        .padding([0.0, space::L])
        .radius(space::RADIUS - INSET)
        .on_press(on_choose(option))
        .into()
    });
    container(row(parts).spacing(INSET).wrap().vertical_spacing(INSET))
        .padding(INSET)
        .style(|theme| container::Style {
            border: Border {
                radius: space::RADIUS.into(),
                ..surface(theme).border
            },
            ..surface(theme)
        })
        .into()
}

const INSET: f32 = 3.0;

fn segment(tokens: &Tokens, status: Status, is_chosen: bool) -> press::Style {
    press::Style {
        fill: match (is_chosen, status) {
            (true, _) => Some(tokens.selected),
            (false, Status::Hovered | Status::Pressed) => Some(tokens.hover),
            (false, _) => None,
        },
        text: if is_chosen {
            tokens.accent
        } else {
            tokens.muted
        },
        outline: None,
    }
}

fn style(theme: &Theme, status: pick_list::Status) -> pick_list::Style {
    let tokens = Tokens::of(theme);
    let colour = match status {
        pick_list::Status::Active => tokens.outline,
        pick_list::Status::Hovered => tokens.muted,
        pick_list::Status::Opened { .. } => tokens.accent,
    };
    pick_list::Style {
        text_color: tokens.text,
        placeholder_color: tokens.muted,
        handle_color: tokens.muted,
        background: Background::Color(tokens.surface),
        border: Border {
            color: colour,
            width: 1.0,
            radius: space::RADIUS.into(),
        },
    }
}

fn menu_style(theme: &Theme) -> menu::Style {
    let tokens = Tokens::of(theme);
    menu::Style {
        background: Background::Color(tokens.raised),
        border: Border {
            color: tokens.line,
            width: 1.0,
            radius: space::RADIUS.into(),
        },
        text_color: tokens.text,
        selected_text_color: tokens.text,
        selected_background: Background::Color(tokens.selected),
        // As for dialogs: see `surface::raised`.
        shadow: Shadow::default(),
    }
}
