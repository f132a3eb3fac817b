//! Text in one line, which ends with `…` where there is no room for all of it.

use std::borrow::Cow;

use iced::advanced::text::{
    Hit, Paragraph as _, Renderer as TextRenderer, Wrapping, paragraph::Plain,
};
use iced::advanced::widget::text::{Format, draw, layout};
use iced::advanced::widget::{Operation, Tree, Widget, tree};
use iced::advanced::{Layout, layout as layouts, mouse, renderer};
use iced::{Fill, Length, Point, Rectangle, Renderer, Shrink, Size, Theme};

use crate::{Element, text};

/// [`text::caption`] in one line as wide as its place: for lists, where something else shows all
/// of it. Whoever looks for a text finds it whole.
pub fn cut<'a, Message: 'a>(
    content: impl Into<Cow<'a, str>>,
    style: impl Fn(&Theme) -> text::Style + 'a,
) -> Element<'a, Message> {
    Element::new(Cut {
        content: content.into(),
        style: Box::new(style),
    })
}

struct Cut<'a> {
    content: Cow<'a, str>,
    style: Box<dyn Fn(&Theme) -> text::Style + 'a>,
}

type Paragraph = <Renderer as TextRenderer>::Paragraph;

#[derive(Default)]
struct State {
    whole: Plain<Paragraph>,
    /// What is shown where there is no room for that.
    cut: Option<Plain<Paragraph>>,
}

/// What stands for the rest, and the room for it and for half of the letter before it: a letter
/// is hit from its middle on.
const REST: &str = "…";
const REST_WIDTH: f32 = 1.5 * text::CAPTION;

impl<Message> Widget<Message, Theme, Renderer> for Cut<'_> {
    fn tag(&self) -> tree::Tag {
        tree::Tag::of::<State>()
    }

    fn state(&self) -> tree::State {
        tree::State::new(State::default())
    }

    fn size(&self) -> Size<Length> {
        Size::new(Fill, Shrink)
    }

    fn layout(
        &mut self,
        tree: &mut Tree,
        renderer: &Renderer,
        limits: &layouts::Limits,
    ) -> layouts::Node {
        let state = tree.state.downcast_mut::<State>();
        let endless = layouts::Limits::new(Size::ZERO, Size::INFINITE);
        let format = || Format {
            size: Some(text::CAPTION.into()),
            wrapping: Wrapping::None,
            ..Format::default()
        };
        let whole = layout(
            &mut state.whole,
            renderer,
            &endless,
            &self.content,
            format(),
        );
        let (height, room) = (whole.size().height, limits.max().width);
        if state.whole.min_width() <= room {
            state.cut = None;
        } else {
            let end = Point::new((room - REST_WIDTH).max(0.0), height / 2.0);
            let hit = state.whole.raw().hit_test(end);
            let end = hit.map_or(0, Hit::cursor);
            let kept = self.content.get(..end).unwrap_or_default();
            let kept = kept.trim_end().to_owned() + REST;
            let cut = state.cut.get_or_insert_default();
            layout(cut, renderer, &endless, &kept, format());
        }
        layouts::Node::new(limits.resolve(Fill, Shrink, Size::new(room, height)))
    }

    fn operate(
        &mut self,
        _tree: &mut Tree,
        layout: Layout<'_>,
        _renderer: &Renderer,
        operation: &mut dyn Operation,
    ) {
        operation.text(None, layout.bounds(), &self.content);
    }

    fn draw(
        &self,
        tree: &Tree,
        renderer: &mut Renderer,
        theme: &Theme,
        style: &renderer::Style,
        layout: Layout<'_>,
        _cursor: mouse::Cursor,
        viewport: &Rectangle,
    ) {
        let state = tree.state.downcast_ref::<State>();
        let shown = state.cut.as_ref().unwrap_or(&state.whole).raw();
        let bounds = layout.bounds();
        draw(
            renderer,
            style,
            bounds,
            shown,
            (self.style)(theme),
            viewport,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is shown of a text in so much room.
    fn shown(content: &str, room: f32) -> String {
        let mut element: Element<'_, ()> = cut(content, text::muted);
        let mut tree = Tree::new(&element);
        let renderer = Renderer::new(crate::REGULAR, text::BODY.into());
        let limits = layouts::Limits::new(Size::ZERO, Size::new(room, 20.0));
        let node = element
            .as_widget_mut()
            .layout(&mut tree, &renderer, &limits);
        assert!(node.size().width <= room);
        let state = tree.state.downcast_ref::<State>();
        let shown = state.cut.as_ref().unwrap_or(&state.whole);
        assert!(
            shown.min_width() <= room.max(REST_WIDTH),
            "{content} in {room}"
        );
        shown.content().to_owned()
    }

    #[test]
    fn what_has_room_is_whole_and_the_rest_ends_between_letters() {
        assert_eq!(shown("Lookup bob", 200.0), "Lookup bob");
        for content in [
            "Register alice device=9c2f01aa",
            "Регистрация Ивана",
            "日本語のなまえです",
        ] {
            // Letters that no font here has may be narrow.
            let content = &content.repeat(4);
            let some = shown(content, 80.0);
            let kept = some.strip_suffix(REST).expect("there is more");
            assert!(!kept.is_empty() && content.starts_with(kept), "{some}");
            assert_eq!(shown(content, 4.0), REST);
        }
        assert_eq!(shown("", 4.0), "");
    }
}
