//! Everything within reach of the keyboard: Tab moves the focus, a ring shows where it is.
//!
//! iced gives the focus to text fields only. What is pressed or switched here takes part through
//! [`Focusable`], so `iced::widget::operation::{focus, focus_next, ...}` work as well.

use iced::advanced::widget::operation::{Focusable, Operation, Scrollable, scrollable};
use iced::advanced::widget::{Id, Tree, Widget, tree};
use iced::advanced::{Clipboard, Layout, Renderer as _, Shell, layout, mouse, overlay, renderer};
use iced::keyboard::{self, Key, Modifiers, key::Named};
use iced::{Border, Color, Event, Length, Rectangle, Renderer, Size, Theme, Vector, touch};

use crate::{Element, Tokens};

/// Whether a widget has the focus, and shows it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Focus {
    /// Something else has it, or nothing.
    #[default]
    Elsewhere,
    /// It came by the mouse: keys are heard, and there is no ring, which is for keyboards.
    Quiet,
    /// It came by a key.
    Shown,
}

impl Focusable for Focus {
    fn is_focused(&self) -> bool {
        *self != Self::Elsewhere
    }

    fn focus(&mut self) {
        *self = Self::Shown;
    }

    fn unfocus(&mut self) {
        *self = Self::Elsewhere;
    }
}

impl Focus {
    /// Gives the focus up when the mouse is pressed anywhere.
    pub(crate) fn hear(&mut self, event: &Event, shell: &mut Shell<'_, impl Sized>) {
        if self.is_focused() && is_pressed(event) {
            self.unfocus();
            shell.request_redraw();
        }
    }

    /// The key that a focused widget was given, once for each press.
    pub(crate) fn key(self, event: &Event) -> Option<(&Key, Modifiers)> {
        match event {
            Event::Keyboard(keyboard::Event::KeyPressed { key, modifiers, .. })
                if self.is_focused() =>
            {
                Some((key, *modifiers))
            }
            _ => None,
        }
    }

    /// Draws the ring around `bounds`.
    pub(crate) fn draw(
        self,
        renderer: &mut Renderer,
        theme: &Theme,
        bounds: Rectangle,
        radius: f32,
    ) {
        if self != Self::Shown {
            return;
        }
        let quad = renderer::Quad {
            bounds: bounds.expand(RING),
            border: Border {
                color: Tokens::of(theme).accent,
                width: 2.0,
                radius: (radius + RING).into(),
            },
            ..renderer::Quad::default()
        };
        renderer.fill_quad(quad, Color::TRANSPARENT);
    }
}

/// How far the ring's outer edge is from what it surrounds, in logical pixels.
const RING: f32 = 3.0;

fn is_pressed(event: &Event) -> bool {
    matches!(
        event,
        Event::Mouse(iced::mouse::Event::ButtonPressed(_))
            | Event::Touch(touch::Event::FingerPressed { .. })
    )
}

/// Makes something that answers keys part of the Tab order, with a ring of this corner radius.
///
/// `on_key` hears the keys that the content did not take, and says what they do.
pub fn keys<'a, Message: 'a>(
    content: impl Into<Element<'a, Message>>,
    radius: f32,
    on_key: impl Fn(&Key, Modifiers) -> Option<Message> + 'a,
) -> Element<'a, Message> {
    Element::new(Keys {
        content: content.into(),
        radius,
        keys: Does::Say(Box::new(on_key)),
    })
}

/// Makes what scrolls part of the Tab order while it has more than it shows: the arrow keys, Page
/// Up, Page Down, Home and End scroll it. For text that nothing can be pressed in.
#[must_use]
pub fn scroll_by_keys<'a, Message: 'a>(
    content: iced::widget::Scrollable<'a, Message>,
) -> Element<'a, Message> {
    Element::new(Keys {
        content: content.into(),
        radius: crate::space::RADIUS,
        keys: Does::Scroll,
    })
}

struct Keys<'a, Message> {
    content: Element<'a, Message>,
    radius: f32,
    keys: Does<'a, Message>,
}

/// What keys do.
enum Does<'a, Message> {
    Say(OnKey<'a, Message>),
    Scroll,
}

type OnKey<'a, Message> = Box<dyn Fn(&Key, Modifiers) -> Option<Message> + 'a>;

/// How far a key scrolls something of which so much is shown.
fn scrolled_by(key: &Key, modifiers: Modifiers, shown: f32) -> Option<f32> {
    let Key::Named(key) = key else { return None };
    let by = match key {
        _ if !modifiers.is_empty() => return None,
        Named::ArrowDown => STEP,
        Named::ArrowUp => -STEP,
        Named::PageDown => shown - STEP,
        Named::PageUp => STEP - shown,
        Named::Home => -ENDS,
        Named::End => ENDS,
        _ => return None,
    };
    Some(by)
}

/// How far an arrow key scrolls, in logical pixels: a line of text.
const STEP: f32 = 18.0;
/// Farther than anything that scrolls is high.
const ENDS: f32 = 1e6;

impl<Message> Widget<Message, Theme, Renderer> for Keys<'_, Message> {
    fn tag(&self) -> tree::Tag {
        tree::Tag::of::<Focus>()
    }

    fn state(&self) -> tree::State {
        tree::State::new(Focus::default())
    }

    fn children(&self) -> Vec<Tree> {
        vec![Tree::new(&self.content)]
    }

    fn diff(&self, tree: &mut Tree) {
        tree.diff_children(std::slice::from_ref(&self.content));
    }

    fn size(&self) -> Size<Length> {
        self.content.as_widget().size()
    }

    fn size_hint(&self) -> Size<Length> {
        self.content.as_widget().size_hint()
    }

    fn layout(
        &mut self,
        tree: &mut Tree,
        renderer: &Renderer,
        limits: &layout::Limits,
    ) -> layout::Node {
        let content = self.content.as_widget_mut();
        content.layout(&mut tree.children[0], renderer, limits)
    }

    fn operate(
        &mut self,
        tree: &mut Tree,
        layout: Layout<'_>,
        renderer: &Renderer,
        operation: &mut dyn Operation,
    ) {
        let focus = tree.state.downcast_mut::<Focus>();
        let has_more = |layout: Layout<'_>| {
            let content = layout.children().next();
            content.is_some_and(|it| it.bounds().height > layout.bounds().height)
        };
        match self.keys {
            Does::Scroll if !has_more(layout) => focus.unfocus(),
            _ => operation.focusable(None, layout.bounds(), focus),
        }
        let content = self.content.as_widget_mut();
        content.operate(&mut tree.children[0], layout, renderer, operation);
    }

    fn update(
        &mut self,
        tree: &mut Tree,
        event: &Event,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        renderer: &Renderer,
        clipboard: &mut dyn Clipboard,
        shell: &mut Shell<'_, Message>,
        viewport: &Rectangle,
    ) {
        tree.state.downcast_mut::<Focus>().hear(event, shell);
        self.content.as_widget_mut().update(
            &mut tree.children[0],
            event,
            layout,
            cursor,
            renderer,
            clipboard,
            shell,
            viewport,
        );
        if shell.is_event_captured() {
            return;
        }
        let Some((key, modifiers)) = tree.state.downcast_ref::<Focus>().key(event) else {
            return;
        };
        match &self.keys {
            Does::Say(on_key) => {
                let Some(message) = on_key(key, modifiers) else {
                    return;
                };
                shell.publish(message);
            }
            Does::Scroll => {
                let Some(by) = scrolled_by(key, modifiers, layout.bounds().height) else {
                    return;
                };
                let reveal = Reveal { number: 0, by };
                let mut scroll = Scroll { reveal, seen: 0 };
                let tree = &mut tree.children[0];
                operate(&mut self.content, tree, layout, renderer, &mut scroll);
                shell.request_redraw();
            }
        }
        shell.capture_event();
    }

    fn draw(
        &self,
        tree: &Tree,
        renderer: &mut Renderer,
        theme: &Theme,
        style: &renderer::Style,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
    ) {
        self.content.as_widget().draw(
            &tree.children[0],
            renderer,
            theme,
            style,
            layout,
            cursor,
            viewport,
        );
        let focus = tree.state.downcast_ref::<Focus>();
        focus.draw(renderer, theme, layout.bounds(), self.radius);
    }

    fn mouse_interaction(
        &self,
        tree: &Tree,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
        renderer: &Renderer,
    ) -> mouse::Interaction {
        let content = self.content.as_widget();
        content.mouse_interaction(&tree.children[0], layout, cursor, viewport, renderer)
    }

    fn overlay<'b>(
        &'b mut self,
        tree: &'b mut Tree,
        layout: Layout<'b>,
        renderer: &Renderer,
        viewport: &Rectangle,
        translation: Vector,
    ) -> Option<overlay::Element<'b, Message, Theme, Renderer>> {
        let content = self.content.as_widget_mut();
        content.overlay(
            &mut tree.children[0],
            layout,
            renderer,
            viewport,
            translation,
        )
    }
}

/// The outermost element of a window: Tab and Shift-Tab move the focus round in it.
pub fn frame<'a, Message: 'a>(content: impl Into<Element<'a, Message>>) -> Element<'a, Message> {
    crate::dialog(content, None)
}

/// Moves the focus as `event` says, round in `content`; whether the event was a key that does.
pub(crate) fn step<Message>(
    event: &Event,
    content: &mut Element<'_, Message>,
    tree: &mut Tree,
    layout: Layout<'_>,
    renderer: &Renderer,
) -> bool {
    let Event::Keyboard(keyboard::Event::KeyPressed {
        key: Key::Named(Named::Tab),
        modifiers,
        ..
    }) = event
    else {
        return false;
    };
    if modifiers.command() || modifiers.alt() || modifiers.logo() {
        return false;
    }
    let mut count = Count::default();
    operate(content, tree, layout, renderer, &mut count);
    if count.total == 0 {
        return true;
    }
    let wanted = match (count.focused, modifiers.shift()) {
        (None, false) => 0,
        (None, true) => count.total - 1,
        (Some(at), false) => (at + 1) % count.total,
        (Some(at), true) => (at + count.total - 1) % count.total,
    };
    give(wanted, content, tree, layout, renderer);
    true
}

/// Gives the focus to what has this number among all in `content` that can have it, and brings it
/// into view.
pub(crate) fn give<Message>(
    wanted: usize,
    content: &mut Element<'_, Message>,
    tree: &mut Tree,
    layout: Layout<'_>,
    renderer: &Renderer,
) {
    let mut give = Give {
        wanted,
        ..Give::default()
    };
    operate(content, tree, layout, renderer, &mut give);
    if let Some(reveal) = give.reveal {
        operate(
            content,
            tree,
            layout,
            renderer,
            &mut Scroll { reveal, seen: 0 },
        );
    }
}

pub(crate) fn operate<Message>(
    content: &mut Element<'_, Message>,
    tree: &mut Tree,
    layout: Layout<'_>,
    renderer: &Renderer,
    operation: &mut dyn Operation,
) {
    let content = content.as_widget_mut();
    operation.traverse(&mut |operation| content.operate(tree, layout, renderer, operation));
}

/// How many widgets could have the focus, and which one has it.
#[derive(Default)]
struct Count {
    total: usize,
    focused: Option<usize>,
}

impl Operation for Count {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation)) {
        operate(self);
    }

    fn focusable(&mut self, _id: Option<&Id>, _bounds: Rectangle, state: &mut dyn Focusable) {
        if state.is_focused() {
            self.focused = Some(self.total);
        }
        self.total += 1;
    }
}

/// Gives the focus to one widget and takes it from all others.
#[derive(Default)]
struct Give {
    wanted: usize,
    seen: usize,
    scrollables: usize,
    /// What is being traversed: the next `traverse` after `scrollable` is its content.
    entering: Option<Within>,
    within: Option<Within>,
    reveal: Option<Reveal>,
}

/// A scrollable, by its number in the tree, and the part of its content that is seen.
#[derive(Clone, Copy)]
struct Within {
    number: usize,
    seen: Rectangle,
}

/// By how much which scrollable has to scroll for the focus to be seen.
#[derive(Clone, Copy)]
struct Reveal {
    number: usize,
    by: f32,
}

impl Operation for Give {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation)) {
        let outer = self.within;
        if let Some(entered) = self.entering.take() {
            self.within = Some(entered);
        }
        operate(self);
        self.within = outer;
    }

    fn scrollable(
        &mut self,
        _id: Option<&Id>,
        bounds: Rectangle,
        _content_bounds: Rectangle,
        translation: Vector,
        _state: &mut dyn Scrollable,
    ) {
        self.entering = Some(Within {
            number: self.scrollables,
            seen: bounds + translation,
        });
        self.scrollables += 1;
    }

    fn focusable(&mut self, _id: Option<&Id>, bounds: Rectangle, state: &mut dyn Focusable) {
        self.entering = None;
        if self.seen == self.wanted {
            state.focus();
            self.reveal = self.within.and_then(|within| within.reveal(bounds));
        } else {
            state.unfocus();
        }
        self.seen += 1;
    }
}

impl Within {
    /// How to bring `bounds` into view, with some room around it.
    fn reveal(self, bounds: Rectangle) -> Option<Reveal> {
        let wanted = bounds.expand(crate::space::L);
        let under = wanted.y + wanted.height - (self.seen.y + self.seen.height);
        let over = wanted.y - self.seen.y;
        let by = match () {
            () if over < 0.0 => over,
            () if under > 0.0 => under.min(over),
            () => return None,
        };
        let number = self.number;
        Some(Reveal { number, by })
    }
}

/// Scrolls one scrollable.
struct Scroll {
    reveal: Reveal,
    seen: usize,
}

impl Operation for Scroll {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation)) {
        operate(self);
    }

    fn scrollable(
        &mut self,
        _id: Option<&Id>,
        bounds: Rectangle,
        content_bounds: Rectangle,
        _translation: Vector,
        state: &mut dyn Scrollable,
    ) {
        if self.seen == self.reveal.number {
            let offset = scrollable::AbsoluteOffset {
                x: 0.0,
                y: self.reveal.by,
            };
            state.scroll_by(offset, bounds, content_bounds);
        }
        self.seen += 1;
    }
}
