//! Questions laid over a window, which have to be answered first; and the root of every window.

use iced::advanced::widget::{Id, Operation, Tree, Widget, operation, tree};
use iced::advanced::{Clipboard, Layout, Renderer as _, Shell, layout, mouse, overlay, renderer};
use iced::keyboard::{self, Key, key::Named};
use iced::widget::{column, container, row, text::IntoFragment};
use iced::{Border, Event, Fill, Length, Point, Rectangle, Renderer, Size, Theme, Vector, touch};

use crate::{Element, Tokens, focus, space, surface, text};

/// Something to answer before the window goes on.
pub struct Dialog<'a, Message> {
    card: Element<'a, Message>,
    on_close: Option<Message>,
    on_submit: Option<Message>,
    is_deaf: bool,
}

/// By what the answers are found among all that can have the focus.
const ANSWERS: Id = Id::new("look-answers");

impl<'a, Message: 'a> Dialog<'a, Message> {
    /// A title, what it is about, and the answers: buttons, the main one last, and first the one
    /// that does no harm. When it opens, what is typed goes into its first field; where there is
    /// none, and Enter has no [meaning](Self::on_submit), the first of several answers has the
    /// focus.
    pub fn new(
        title: impl IntoFragment<'a>,
        content: impl Into<Element<'a, Message>>,
        answers: impl IntoIterator<Item = Element<'a, Message>>,
    ) -> Self {
        let answers = container(row(answers).spacing(space::S)).id(ANSWERS);
        let answers = container(answers).align_right(Fill);
        Self::card(column![text::title(title), content.into(), answers].spacing(space::L))
    }

    /// Anything at all; it scrolls where it is higher than the window. Nothing in it has the focus
    /// when it opens.
    pub fn card(content: impl Into<Element<'a, Message>>) -> Self {
        let content = container(content).padding(space::XL);
        let card = container(surface::scroll(content))
            .max_width(WIDTH)
            .style(surface::raised)
            .into();
        Self {
            card,
            on_close: None,
            on_submit: None,
            is_deaf: false,
        }
    }

    /// The same, saying something else.
    #[must_use]
    pub fn map<B: 'a>(self, f: impl Fn(Message) -> B + Copy + 'a) -> Dialog<'a, B> {
        Dialog {
            card: self.card.map(f),
            on_close: self.on_close.map(f),
            on_submit: self.on_submit.map(f),
            is_deaf: self.is_deaf,
        }
    }

    /// What Escape says.
    #[must_use]
    pub fn on_close(mut self, message: Message) -> Self {
        self.on_close = Some(message);
        self
    }

    /// What Enter says, unless something in the dialog has the focus and takes it.
    #[must_use]
    pub fn on_submit(mut self, message: Message) -> Self {
        self.on_submit = Some(message);
        self
    }

    /// Whether it takes no keys for now: one that opened by itself may catch what was meant for
    /// something else.
    #[must_use]
    pub fn deaf(mut self, is_deaf: bool) -> Self {
        self.is_deaf = is_deaf;
        self
    }
}

/// How wide a dialog is at most, in logical pixels.
const WIDTH: f32 = 440.0;

/// The outermost element of a window, with a dialog over it when there is one.
///
/// Tab and Shift-Tab move the focus round, and stay in the dialog while it is open; the window
/// below keeps its state and hears nothing. Use it for the whole window, open or not, so that
/// what is below does not begin anew.
pub fn dialog<'a, Message: 'a>(
    base: impl Into<Element<'a, Message>>,
    open: Option<Dialog<'a, Message>>,
) -> Element<'a, Message> {
    dialogs(base, [open])
}

/// The same with a place for each dialog that can be open, each over those before it. Only the
/// topmost hears anything; those below it keep their state as well.
pub fn dialogs<'a, Message: 'a>(
    base: impl Into<Element<'a, Message>>,
    places: impl IntoIterator<Item = Option<Dialog<'a, Message>>>,
) -> Element<'a, Message> {
    let mut window = Window {
        layers: vec![container(base).width(Fill).height(Fill).into()],
        is_open: vec![true],
        on_close: None,
        on_submit: None,
        is_deaf: false,
    };
    for place in places {
        window.is_open.push(place.is_some());
        window.layers.push(match place {
            Some(open) => {
                (window.on_close, window.on_submit) = (open.on_close, open.on_submit);
                window.is_deaf = open.is_deaf;
                open.card
            }
            None => iced::widget::space().into(),
        });
    }
    Element::new(window)
}

/// The window, and the dialogs over it.
struct Window<'a, Message> {
    /// The window itself, then a layer for each place of a dialog.
    layers: Vec<Element<'a, Message>>,
    is_open: Vec<bool>,
    /// Of the topmost dialog, as the two that follow.
    on_close: Option<Message>,
    on_submit: Option<Message>,
    is_deaf: bool,
}

/// Which of the layers that are open have been the topmost: what they begin with is over.
#[derive(Default)]
struct Seen(Vec<bool>);

impl<Message> Window<'_, Message> {
    fn top(&self) -> usize {
        let open = self.is_open.iter().rposition(|is_open| *is_open);
        open.unwrap_or_default()
    }

    /// Gives the focus to what a dialog that has just opened begins with.
    fn begin(&mut self, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer) {
        let top = self.top();
        let seen = tree.state.downcast_mut::<Seen>();
        seen.0.resize(self.is_open.len(), false);
        let has_begun = seen.0[top];
        seen.0[top] = true;
        for (seen, is_open) in seen.0.iter_mut().zip(&self.is_open) {
            *seen &= is_open;
        }
        if top == 0 || has_begun {
            return;
        }
        let (layer, tree) = (&mut self.layers[top], &mut tree.children[top]);
        let mut first = First::default();
        focus::operate(layer, tree, layout.child(top), renderer, &mut first);
        // Of one answer alone nobody knows whether it does harm.
        let is_safe = self.on_submit.is_none() && first.answers > 1;
        let answer = first.answer.filter(|_| is_safe);
        if let (false, Some(wanted)) = (first.is_focused, first.field.or(answer)) {
            focus::give(wanted, layer, tree, layout.child(top), renderer);
        }
    }
}

impl<Message> Widget<Message, Theme, Renderer> for Window<'_, Message> {
    fn tag(&self) -> tree::Tag {
        tree::Tag::of::<Seen>()
    }

    fn state(&self) -> tree::State {
        tree::State::new(Seen::default())
    }

    fn children(&self) -> Vec<Tree> {
        self.layers.iter().map(Tree::new).collect()
    }

    fn diff(&self, tree: &mut Tree) {
        tree.diff_children(&self.layers);
    }

    fn size(&self) -> Size<Length> {
        Size::new(Fill, Fill)
    }

    fn layout(
        &mut self,
        tree: &mut Tree,
        renderer: &Renderer,
        limits: &layout::Limits,
    ) -> layout::Node {
        let size = limits.max();
        let layers = self.layers.iter_mut().zip(&mut tree.children).enumerate();
        let nodes = layers.map(|(number, (layer, tree))| {
            let layer = layer.as_widget_mut();
            if number == 0 {
                return layer.layout(tree, renderer, limits);
            }
            let around = 2.0 * space::L;
            let limits = layout::Limits::new(Size::ZERO, size).shrink(Size::new(around, around));
            let node = layer.layout(tree, renderer, &limits);
            let free = Size::new(
                size.width - node.size().width,
                size.height - node.size().height,
            );
            // A little above the middle, where the eye expects it.
            node.move_to(Point::new(free.width / 2.0, free.height * 0.4))
        });
        let nodes = nodes.collect();
        layout::Node::with_children(size, nodes)
    }

    fn operate(
        &mut self,
        tree: &mut Tree,
        layout: Layout<'_>,
        renderer: &Renderer,
        operation: &mut dyn Operation,
    ) {
        let top = self.top();
        let layer = self.layers[top].as_widget_mut();
        operation.container(None, layout.bounds());
        operation.traverse(&mut |operation| {
            layer.operate(
                &mut tree.children[top],
                layout.child(top),
                renderer,
                operation,
            );
        });
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
        self.begin(tree, layout, renderer);
        let top = self.top();
        let is_key = matches!(event, Event::Keyboard(_) | Event::InputMethod(_));
        if self.is_deaf && is_key && !lets_go(event) {
            return;
        }
        for number in (0..=top).rev() {
            if number != top && !reaches_all(event) {
                break;
            }
            let cursor = match number == top {
                true => cursor,
                false => mouse::Cursor::Unavailable,
            };
            self.layers[number].as_widget_mut().update(
                &mut tree.children[number],
                event,
                layout.child(number),
                cursor,
                renderer,
                clipboard,
                shell,
                viewport,
            );
        }
        if shell.is_event_captured() {
            return;
        }
        let (layer, tree) = (&mut self.layers[top], &mut tree.children[top]);
        if focus::step(event, layer, tree, layout.child(top), renderer) {
            shell.capture_event();
            shell.request_redraw();
            return;
        }
        let said = match pressed(event) {
            _ if top == 0 => return,
            Some(Named::Escape) => self.on_close.take(),
            Some(Named::Enter) => self.on_submit.take(),
            _ => return,
        };
        if let Some(message) = said {
            shell.publish(message);
            shell.capture_event();
        }
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
        let top = self.top();
        for (number, layer) in self.layers.iter().enumerate() {
            if !self.is_open[number] {
                continue;
            }
            let cursor = match number == top {
                true => cursor,
                false => mouse::Cursor::Unavailable,
            };
            let layer = layer.as_widget();
            let (tree, inside) = (&tree.children[number], layout.child(number));
            if number == 0 {
                layer.draw(tree, renderer, theme, style, inside, cursor, viewport);
                continue;
            }
            renderer.with_layer(layout.bounds(), |renderer| {
                let quad = renderer::Quad {
                    bounds: layout.bounds(),
                    border: Border::default(),
                    ..renderer::Quad::default()
                };
                renderer.fill_quad(quad, Tokens::of(theme).scrim);
                layer.draw(tree, renderer, theme, style, inside, cursor, viewport);
            });
        }
    }

    fn mouse_interaction(
        &self,
        tree: &Tree,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
        renderer: &Renderer,
    ) -> mouse::Interaction {
        let top = self.top();
        let layer = self.layers[top].as_widget();
        let inside = layout.child(top);
        layer.mouse_interaction(&tree.children[top], inside, cursor, viewport, renderer)
    }

    fn overlay<'b>(
        &'b mut self,
        tree: &'b mut Tree,
        layout: Layout<'b>,
        renderer: &Renderer,
        viewport: &Rectangle,
        translation: Vector,
    ) -> Option<overlay::Element<'b, Message, Theme, Renderer>> {
        let top = self.top();
        let layer = self.layers[top].as_widget_mut();
        let inside = layout.child(top);
        layer.overlay(
            &mut tree.children[top],
            inside,
            renderer,
            viewport,
            translation,
        )
    }
}

/// Whether what is below hears of it as well. What a person does reaches the topmost alone, but
/// what they let go is let go everywhere; and what the window needs reaches everything.
fn reaches_all(event: &Event) -> bool {
    let is_input = matches!(
        event,
        Event::Keyboard(_) | Event::Mouse(_) | Event::Touch(_) | Event::InputMethod(_)
    );
    !is_input || lets_go(event)
}

/// Whether something that was held is held no more.
fn lets_go(event: &Event) -> bool {
    matches!(
        event,
        Event::Keyboard(keyboard::Event::KeyReleased { .. } | keyboard::Event::ModifiersChanged(_))
            | Event::Mouse(mouse::Event::ButtonReleased(_))
            | Event::Touch(touch::Event::FingerLifted { .. } | touch::Event::FingerLost { .. })
    )
}

/// What a dialog begins with, by its number among all that can have the focus.
#[derive(Default)]
struct First {
    total: usize,
    /// Something has the focus already.
    is_focused: bool,
    field: Option<usize>,
    answer: Option<usize>,
    answers: usize,
    in_answers: bool,
}

impl Operation for First {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation)) {
        operate(self);
    }

    fn container(&mut self, id: Option<&Id>, _bounds: Rectangle) {
        // The answers are the last thing in a dialog.
        self.in_answers |= id == Some(&ANSWERS);
    }

    fn text_input(
        &mut self,
        _id: Option<&Id>,
        _bounds: Rectangle,
        _state: &mut dyn operation::TextInput,
    ) {
        // It is told of as something that can have the focus right after this.
        self.field.get_or_insert(self.total);
    }

    fn focusable(
        &mut self,
        _id: Option<&Id>,
        _bounds: Rectangle,
        state: &mut dyn operation::Focusable,
    ) {
        self.is_focused |= state.is_focused();
        if self.in_answers {
            self.answer.get_or_insert(self.total);
            self.answers += 1;
        }
        self.total += 1;
    }
}

/// The key that was pressed, if it has a name. One that is held down may have opened the dialog.
fn pressed(event: &Event) -> Option<Named> {
    match event {
        Event::Keyboard(keyboard::Event::KeyPressed {
            key: Key::Named(key),
            repeat: false,
            ..
        }) => Some(*key),
        _ => None,
    }
}
