//! What can be pressed, by mouse, finger, Enter or Space.
//!
//! iced's own button cannot have the focus, so a keyboard does not reach it.

use iced::advanced::widget::{Id, Operation, Tree, Widget, tree};
use iced::advanced::{Clipboard, Layout, Renderer as _, Shell, layout, mouse, overlay, renderer};
use iced::keyboard::{Event::KeyPressed, Key, key::Named};
use iced::{
    Alignment, Border, Color, Event, Length, Padding, Rectangle, Renderer, Shadow, Size, Theme,
    Vector, touch, window,
};

use crate::{Element, Tokens, focus::Focus, space};

/// Something that can be pressed. [`button`](crate::button) makes the usual ones.
pub struct Press<'a, Message> {
    content: Element<'a, Message>,
    id: Option<Id>,
    on_press: Option<Message>,
    width: Length,
    height: Length,
    padding: Padding,
    align: Alignment,
    radius: f32,
    style: StyleOf<'a>,
    status: Option<Status>,
}

type StyleOf<'a> = Box<dyn Fn(&Tokens, Status) -> Style + 'a>;

/// How something that can be pressed looks.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Style {
    /// Its ground.
    pub fill: Option<Color>,
    /// The colour of its text and signs.
    pub text: Color,
    /// Its outline.
    pub outline: Option<Color>,
}

/// What is done with something that can be pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Nothing.
    Idle,
    /// The mouse is over it.
    Hovered,
    /// It is being pressed.
    Pressed,
    /// It cannot be pressed now.
    Disabled,
}

impl<'a, Message> Press<'a, Message> {
    /// Makes `content` something that can be pressed. Without [`on_press`](Self::on_press) it is
    /// disabled.
    pub fn new(
        content: impl Into<Element<'a, Message>>,
        style: impl Fn(&Tokens, Status) -> Style + 'a,
    ) -> Self {
        let content = content.into();
        let hint = content.as_widget().size_hint();
        Self {
            content,
            id: None,
            on_press: None,
            width: hint.width.fluid(),
            height: hint.height.fluid(),
            padding: Padding::ZERO,
            align: Alignment::Center,
            radius: space::RADIUS,
            style: Box::new(style),
            status: None,
        }
    }

    /// What is said when it is pressed.
    #[must_use]
    pub fn on_press(self, message: Message) -> Self {
        self.on_press_maybe(Some(message))
    }

    /// What is said when it is pressed, or nothing where it is disabled.
    #[must_use]
    pub fn on_press_maybe(mut self, message: Option<Message>) -> Self {
        self.on_press = message;
        self
    }

    /// By what `iced::widget::operation::focus` finds it.
    #[must_use]
    pub fn id(mut self, id: impl Into<Id>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// How wide it is.
    #[must_use]
    pub fn width(mut self, width: impl Into<Length>) -> Self {
        self.width = width.into();
        self
    }

    /// How high it is.
    #[must_use]
    pub fn height(mut self, height: impl Into<Length>) -> Self {
        self.height = height.into();
        self
    }

    /// How far its content is from its edge.
    #[must_use]
    pub fn padding(mut self, padding: impl Into<Padding>) -> Self {
        self.padding = padding.into();
        self
    }

    /// Where its content stands if it is wider: in the middle unless told.
    #[must_use]
    pub fn align(mut self, align: Alignment) -> Self {
        self.align = align;
        self
    }

    /// How round its corners are, in logical pixels.
    #[must_use]
    pub fn radius(mut self, radius: f32) -> Self {
        self.radius = radius;
        self
    }

    fn status(&self, is_pressed: bool, is_over: bool) -> Status {
        match () {
            () if self.on_press.is_none() => Status::Disabled,
            () if is_over && is_pressed => Status::Pressed,
            () if is_over => Status::Hovered,
            () => Status::Idle,
        }
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct State {
    focus: Focus,
    is_pressed: bool,
}

impl<Message: Clone> Widget<Message, Theme, Renderer> for Press<'_, Message> {
    fn tag(&self) -> tree::Tag {
        tree::Tag::of::<State>()
    }

    fn state(&self) -> tree::State {
        tree::State::new(State::default())
    }

    fn children(&self) -> Vec<Tree> {
        vec![Tree::new(&self.content)]
    }

    fn diff(&self, tree: &mut Tree) {
        tree.diff_children(std::slice::from_ref(&self.content));
    }

    fn size(&self) -> Size<Length> {
        Size::new(self.width, self.height)
    }

    fn layout(
        &mut self,
        tree: &mut Tree,
        renderer: &Renderer,
        limits: &layout::Limits,
    ) -> layout::Node {
        let content = self.content.as_widget_mut();
        layout::positioned(
            limits,
            self.width,
            self.height,
            self.padding,
            |limits| content.layout(&mut tree.children[0], renderer, &limits.loose()),
            |content, size| content.align(self.align, Alignment::Center, size),
        )
    }

    fn operate(
        &mut self,
        tree: &mut Tree,
        layout: Layout<'_>,
        renderer: &Renderer,
        operation: &mut dyn Operation,
    ) {
        let state = tree.state.downcast_mut::<State>();
        if self.on_press.is_some() {
            operation.focusable(self.id.as_ref(), layout.bounds(), &mut state.focus);
        }
        operation.container(self.id.as_ref(), layout.bounds());
        let inside = layout.child(0);
        let content = self.content.as_widget_mut();
        operation.traverse(&mut |operation| {
            content.operate(&mut tree.children[0], inside, renderer, operation);
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
        tree.state.downcast_mut::<State>().focus.hear(event, shell);
        self.content.as_widget_mut().update(
            &mut tree.children[0],
            event,
            layout.child(0),
            cursor,
            renderer,
            clipboard,
            shell,
            viewport,
        );
        let state = tree.state.downcast_mut::<State>();
        let is_over = cursor.is_over(layout.bounds());
        if !shell.is_event_captured() {
            self.hear(state, event, is_over, shell);
        }
        let status = self.status(state.is_pressed, is_over);
        if let Event::Window(window::Event::RedrawRequested(_)) = event {
            self.status = Some(status);
        } else if self.status.is_some_and(|seen| seen != status) {
            shell.request_redraw();
        }
    }

    fn draw(
        &self,
        tree: &Tree,
        renderer: &mut Renderer,
        theme: &Theme,
        _style: &renderer::Style,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
    ) {
        let bounds = layout.bounds();
        let idle = self.status(false, false);
        let style = (self.style)(Tokens::of(theme), self.status.unwrap_or(idle));
        if style.fill.is_some() || style.outline.is_some() {
            let border = Border {
                color: style.outline.unwrap_or(Color::TRANSPARENT),
                width: style.outline.map_or(0.0, |_| 1.0),
                radius: self.radius.into(),
            };
            let quad = renderer::Quad {
                bounds,
                border,
                shadow: Shadow::default(),
                ..renderer::Quad::default()
            };
            renderer.fill_quad(quad, style.fill.unwrap_or(Color::TRANSPARENT));
        }
        self.content.as_widget().draw(
            &tree.children[0],
            renderer,
            theme,
            &renderer::Style {
                text_color: style.text,
            },
            layout.child(0),
            cursor,
            viewport,
        );
        let state = tree.state.downcast_ref::<State>();
        state.focus.draw(renderer, theme, bounds, self.radius);
    }

    fn mouse_interaction(
        &self,
        tree: &Tree,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
        renderer: &Renderer,
    ) -> mouse::Interaction {
        if !cursor.is_over(layout.bounds()) {
            return mouse::Interaction::None;
        }
        let content = self.content.as_widget();
        let inside = layout.child(0);
        let of_content =
            content.mouse_interaction(&tree.children[0], inside, cursor, viewport, renderer);
        match (of_content, &self.on_press) {
            (mouse::Interaction::None, Some(_)) => mouse::Interaction::Pointer,
            (of_content, _) => of_content,
        }
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
        let inside = layout.child(0);
        content.overlay(
            &mut tree.children[0],
            inside,
            renderer,
            viewport,
            translation,
        )
    }
}

impl<Message: Clone> Press<'_, Message> {
    fn hear(
        &self,
        state: &mut State,
        event: &Event,
        is_over: bool,
        shell: &mut Shell<'_, Message>,
    ) {
        let Some(message) = &self.on_press else {
            *state = State::default();
            return;
        };
        match event {
            Event::Mouse(iced::mouse::Event::ButtonPressed(iced::mouse::Button::Left))
            | Event::Touch(touch::Event::FingerPressed { .. })
                if is_over =>
            {
                state.is_pressed = true;
                shell.capture_event();
            }
            Event::Mouse(iced::mouse::Event::ButtonReleased(iced::mouse::Button::Left))
            | Event::Touch(touch::Event::FingerLifted { .. })
                if state.is_pressed =>
            {
                state.is_pressed = false;
                if is_over {
                    shell.publish(message.clone());
                }
                shell.capture_event();
            }
            Event::Touch(touch::Event::FingerLost { .. }) => state.is_pressed = false,
            Event::Keyboard(KeyPressed { repeat, .. }) => {
                if let Some((Key::Named(Named::Enter | Named::Space), modifiers)) =
                    state.focus.key(event)
                    && modifiers.is_empty()
                {
                    // A key held down presses once.
                    if !repeat {
                        shell.publish(message.clone());
                    }
                    shell.capture_event();
                }
            }
            _ => {}
        }
    }
}

impl<'a, Message: Clone + 'a> From<Press<'a, Message>> for Element<'a, Message> {
    fn from(press: Press<'a, Message>) -> Self {
        Self::new(press)
    }
}
