//! A question laid over a window, which has to be answered first; and the root of every window.

use iced::advanced::widget::{Operation, Tree, Widget, tree};
use iced::advanced::{Clipboard, Layout, Renderer as _, Shell, layout, mouse, overlay, renderer};
use iced::keyboard::{self, Key, key::Named};
use iced::widget::{column, container, row, text::IntoFragment};
use iced::{Border, Event, Fill, Length, Point, Rectangle, Renderer, Size, Theme, Vector};

use crate::{Element, Tokens, focus, space, surface, text};

/// Something to answer before the window goes on.
pub struct Dialog<'a, Message> {
    card: Element<'a, Message>,
    on_close: Option<Message>,
    on_submit: Option<Message>,
}

impl<'a, Message: 'a> Dialog<'a, Message> {
    /// A title, what it is about, and the answers: buttons, the main one last.
    pub fn new(
        title: impl IntoFragment<'a>,
        content: impl Into<Element<'a, Message>>,
        answers: impl IntoIterator<Item = Element<'a, Message>>,
    ) -> Self {
        let answers = row![iced::widget::space::horizontal()]
            .extend(answers)
            .spacing(space::S);
        let all = column![text::title(title), content.into(), answers].spacing(space::L);
        let card = container(all)
            .padding(space::XL)
            .max_width(WIDTH)
            .style(surface::raised)
            .into();
        Self {
            card,
            on_close: None,
            on_submit: None,
        }
    }

    /// The same, saying something else.
    #[must_use]
    pub fn map<B: 'a>(self, f: impl Fn(Message) -> B + Copy + 'a) -> Dialog<'a, B> {
        Dialog {
            card: self.card.map(f),
            on_close: self.on_close.map(f),
            on_submit: self.on_submit.map(f),
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
    let mut layers = vec![container(base).width(Fill).height(Fill).into()];
    let (mut on_close, mut on_submit) = (None, None);
    if let Some(open) = open {
        layers.push(open.card);
        (on_close, on_submit) = (open.on_close, open.on_submit);
    }
    Element::new(Window {
        layers,
        on_close,
        on_submit,
    })
}

/// The window, and the dialog over it if there is one.
struct Window<'a, Message> {
    layers: Vec<Element<'a, Message>>,
    on_close: Option<Message>,
    on_submit: Option<Message>,
}

impl<Message> Window<'_, Message> {
    fn top(&self) -> usize {
        self.layers.len() - 1
    }
}

impl<Message> Widget<Message, Theme, Renderer> for Window<'_, Message> {
    fn tag(&self) -> tree::Tag {
        struct Stateless;
        tree::Tag::of::<Stateless>()
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
        let top = self.top();
        // What a person does reaches the dialog alone; what the window needs reaches everything.
        let is_input = matches!(
            event,
            Event::Keyboard(_) | Event::Mouse(_) | Event::Touch(_) | Event::InputMethod(_)
        );
        for number in (0..=top).rev() {
            if number != top && is_input {
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
        let top = self.top();
        for (number, layer) in self.layers.iter().enumerate() {
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

/// The key that was pressed, if it has a name.
fn pressed(event: &Event) -> Option<Named> {
    match event {
        Event::Keyboard(keyboard::Event::KeyPressed {
            key: Key::Named(key),
            ..
        }) => Some(*key),
        _ => None,
    }
}
