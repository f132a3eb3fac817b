//! A list of any length, of which only the rows in view are built.

use std::ops::Range;

use iced::advanced::graphics::geometry::Renderer as _;
use iced::advanced::widget::{Id, Operation, Tree, Widget, operation, tree};
use iced::advanced::{Clipboard, Layout, Renderer as _, Shell, layout, mouse, overlay, renderer};
use iced::keyboard::{Key, Modifiers, key::Named};
use iced::mouse::{Button, Event as Mouse, ScrollDelta};
use iced::widget::canvas::Cache;
use iced::{Border, Color, Event, Fill, Length, Point, Rectangle, Renderer, Size, Theme, Vector};

use crate::{Element, Tokens, focus::Focus, space, surface};

mod place;

use place::Place;

/// A list of rows of one height. It fills the place that it is given, and scrolls in it.
pub struct Rows<'a, Message> {
    id: Option<Id>,
    count: usize,
    height: f32,
    row: Box<dyn Fn(usize) -> Element<'a, Message> + 'a>,
    selected: Option<usize>,
    on_select: Option<OnRow<'a, Message>>,
    on_press: Option<OnRow<'a, Message>>,
    follows: bool,
    first: u64,
    /// The rows that were built by the last layout: those of `State::built`.
    built: Vec<Element<'a, Message>>,
}

type OnRow<'a, Message> = Box<dyn Fn(usize) -> Message + 'a>;

/// `count` rows of `height` logical pixels; `row` builds one, by its place from 0.
pub fn rows<'a, Message: Clone + 'a>(
    count: usize,
    height: f32,
    row: impl Fn(usize) -> Element<'a, Message> + 'a,
) -> Rows<'a, Message> {
    Rows {
        id: None,
        count,
        height,
        row: Box::new(row),
        selected: None,
        on_select: None,
        on_press: None,
        follows: false,
        first: 0,
        built: Vec::new(),
    }
}

impl<'a, Message: Clone + 'a> Rows<'a, Message> {
    /// By what `iced::widget::operation::focus` finds the list.
    #[must_use]
    pub fn id(mut self, id: impl Into<Id>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Which row is selected, and what is said when another one is: by a click, the arrow keys,
    /// Page Up, Page Down, Home or End. What can be pressed in a row is in the Tab order while
    /// the row is selected.
    #[must_use]
    pub fn selected(
        mut self,
        selected: Option<usize>,
        on_select: impl Fn(usize) -> Message + 'a,
    ) -> Self {
        self.selected = selected.filter(|&row| row < self.count);
        self.on_select = Some(Box::new(on_select));
        self
    }

    /// What is said when a row is meant: by Enter on the selected one, or a double click.
    #[must_use]
    pub fn on_press(mut self, on_press: impl Fn(usize) -> Message + 'a) -> Self {
        self.on_press = Some(Box::new(on_press));
        self
    }

    /// Keeps the last row in view while the list is scrolled to its end: for a log.
    #[must_use]
    pub fn follow(mut self) -> Self {
        self.follows = true;
        self
    }

    /// The number of the first row since the beginning, where a list forgets its oldest rows:
    /// the rows in view stay where they are.
    #[must_use]
    pub fn first(mut self, number: u64) -> Self {
        self.first = number;
        self
    }

    /// Builds the rows in view, with the state of those that were in view before.
    fn build(&mut self, tree: &mut Tree) {
        let state = tree.state.downcast_mut::<State>();
        let range = state.place.in_view();
        let mut before: Vec<Option<Tree>> = tree.children.drain(..).map(Some).collect();
        let known = state.built.start + state.first;
        self.built = range.clone().map(&self.row).collect();
        let trees = range.clone().zip(&self.built).map(|(row, element)| {
            let at = (row as u64 + self.first).checked_sub(known);
            let at = at.and_then(|at| usize::try_from(at).ok());
            let kept = at.and_then(|at| before.get_mut(at)).and_then(Option::take);
            let mut tree = kept.unwrap_or_else(|| Tree::new(element));
            tree.diff(element);
            tree
        });
        tree.children = trees.collect();
        state.built = range.start as u64..range.end as u64;
        state.first = self.first;
    }

    fn hear_mouse(
        &self,
        state: &mut State,
        event: &iced::mouse::Event,
        bounds: Rectangle,
        cursor: mouse::Cursor,
        shell: &mut Shell<'_, Message>,
    ) {
        let over = cursor.position_over(bounds);
        let row = over.and_then(|point| state.place.row_at(point.y - bounds.y));
        let scroller = state.place.scroller(bounds);
        let on_bar = |point: &Point| scroller.is_some() && point.x > bounds.x + bounds.width - BAR;
        match event {
            Mouse::WheelScrolled { delta } if over.is_some() => {
                let by = match delta {
                    ScrollDelta::Lines { y, .. } => -y * LINE,
                    ScrollDelta::Pixels { y, .. } => -y,
                };
                if state.scroll_by(f64::from(by), shell) {
                    shell.capture_event();
                }
            }
            Mouse::ButtonPressed(Button::Left) => {
                let Some(point) = over else { return };
                shell.capture_event();
                if on_bar(&point) {
                    let grabbed = scroller.filter(|scroller| scroller.contains(point));
                    let middle = scroller.map_or(0.0, |scroller| scroller.height / 2.0);
                    let hold = grabbed.map_or(middle, |scroller| point.y - scroller.y);
                    state.drag = Some(hold);
                    state.drag_to(point.y - hold, bounds, shell);
                } else if let Some(row) = row {
                    state.clicked(point);
                    self.clicked(state, row, shell);
                }
            }
            Mouse::ButtonReleased(Button::Left) if state.drag.take().is_some() => {
                shell.capture_event();
                shell.request_redraw();
            }
            Mouse::CursorMoved { position } => {
                if let Some(hold) = state.drag {
                    state.drag_to(position.y - hold, bounds, shell);
                    shell.capture_event();
                }
                let hovered = (row, over.is_some_and(|point| on_bar(&point)));
                if std::mem::replace(&mut state.hovered, hovered) != hovered {
                    shell.request_redraw();
                }
            }
            Mouse::CursorLeft => {
                state.hovered = (None, false);
                shell.request_redraw();
            }
            _ => {}
        }
    }

    fn clicked(&self, state: &mut State, row: usize, shell: &mut Shell<'_, Message>) {
        state.focus = Focus::Quiet;
        let is_double = state
            .click
            .is_some_and(|click| click.kind() == mouse::click::Kind::Double);
        match (&self.on_press, &self.on_select) {
            (Some(on_press), _) if is_double => shell.publish(on_press(row)),
            (_, Some(on_select)) => shell.publish(on_select(row)),
            _ => {}
        }
    }

    /// What a key does; whether it does anything.
    fn hear_key(
        &self,
        state: &mut State,
        key: &Key,
        modifiers: Modifiers,
        shell: &mut Shell<'_, Message>,
    ) -> bool {
        let Key::Named(key) = key else { return false };
        if !modifiers.is_empty() || self.count == 0 {
            return false;
        }
        if let (Named::Enter, Some(row), Some(on_press)) = (key, self.selected, &self.on_press) {
            shell.publish(on_press(row));
            return true;
        }
        let Some(on_select) = &self.on_select else {
            return state.scroll_by_key(*key, f64::from(self.height), shell);
        };
        let (page, last) = (state.place.page(), self.count - 1);
        let wanted = match (key, self.selected) {
            (Named::Home, _) => 0,
            (Named::End, _) => last,
            (Named::ArrowDown | Named::ArrowUp | Named::PageDown | Named::PageUp, None) => 0,
            (Named::ArrowDown, Some(row)) => (row + 1).min(last),
            (Named::ArrowUp, Some(row)) => row.saturating_sub(1),
            (Named::PageDown, Some(row)) => (row + page).min(last),
            (Named::PageUp, Some(row)) => row.saturating_sub(page),
            _ => return false,
        };
        shell.publish(on_select(wanted));
        true
    }
}

/// How far a step of a mouse wheel scrolls, in logical pixels.
const LINE: f32 = 60.0;
/// How high a list is where there is no end to the room it has.
const ENDLESS: f32 = 400.0;
/// How wide the place of the scrollbar is.
const BAR: f32 = 12.0;

#[derive(Debug, Default)]
struct State {
    focus: Focus,
    place: Place,
    /// Which rows are built, counted from `first`.
    built: Range<u64>,
    first: u64,
    selected: Option<usize>,
    /// The row under the mouse, and whether the scrollbar is: what `draw` shows of it.
    hovered: (Option<usize>, bool),
    /// How far below the upper end of the scroller it is held.
    drag: Option<f32>,
    click: Option<mouse::Click>,
    /// A drawing of nothing, which scrolling makes anew. Scrolling says nothing to the program, so
    /// [`repaint`](crate::repaint) does not help here; tiny-skia repaints all that this covers.
    /// That is the whole window: to repaint a part, it fills all of whatever is larger than the
    /// part through a mask, which was measured to take several times as long. Its middle is the
    /// window's corner, because what is nearest to that is where parts begin to be joined to one.
    repaint: Cache,
}

impl State {
    /// Scrolls; whether anything moved.
    fn scroll_by(&mut self, by: f64, shell: &mut Shell<'_, impl Sized>) -> bool {
        let has_moved = self.place.scroll_to(self.place.offset + by);
        if has_moved {
            self.repaint.clear();
            shell.invalidate_layout();
            shell.request_redraw();
        }
        has_moved
    }

    fn drag_to(&mut self, top: f32, bounds: Rectangle, shell: &mut Shell<'_, impl Sized>) {
        let wanted = self.place.offset_of_scroller(top, bounds);
        self.scroll_by(wanted - self.place.offset, shell);
    }

    fn scroll_by_key(&mut self, key: Named, row: f64, shell: &mut Shell<'_, impl Sized>) -> bool {
        let page = self.place.view - row;
        let by = match key {
            Named::ArrowDown => row,
            Named::ArrowUp => -row,
            Named::PageDown => page,
            Named::PageUp => -page,
            Named::Home => f64::NEG_INFINITY,
            Named::End => f64::INFINITY,
            _ => return false,
        };
        self.scroll_by(by, shell);
        true
    }

    fn clicked(&mut self, point: Point) {
        self.click = Some(mouse::Click::new(point, Button::Left, self.click));
    }
}

impl<'a, Message: Clone + 'a> Widget<Message, Theme, Renderer> for Rows<'a, Message> {
    fn tag(&self) -> tree::Tag {
        tree::Tag::of::<State>()
    }

    fn state(&self) -> tree::State {
        tree::State::new(State::default())
    }

    fn diff(&self, _tree: &mut Tree) {
        // The rows are built, and compared, where it is known which are in view: in `layout`.
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
        let mut size = limits.resolve(Fill, Fill, Size::ZERO);
        if !size.height.is_finite() {
            // In something that scrolls itself, a list would have room for all of its rows.
            size.height = ENDLESS;
        }
        let state = tree.state.downcast_mut::<State>();
        let gone = self.first.saturating_sub(state.first);
        state
            .place
            .settle(self.count, self.height, size.height, gone, self.follows);
        if std::mem::replace(&mut state.selected, self.selected) != self.selected {
            state.place.reveal(self.selected);
        }
        let (place, first) = (state.place, state.place.in_view().start);
        self.build(tree);
        let width = match place.overflows() {
            true => size.width - BAR,
            false => size.width,
        };
        let row = Size::new(width.max(0.0), self.height);
        let limits = layout::Limits::new(row, row);
        let rows = self.built.iter_mut().zip(&mut tree.children).enumerate();
        let nodes = rows.map(|(number, (element, tree))| {
            let node = element.as_widget_mut().layout(tree, renderer, &limits);
            node.move_to(Point::new(0.0, place.top_of(first + number)))
        });
        layout::Node::with_children(size, nodes.collect())
    }

    fn operate(
        &mut self,
        tree: &mut Tree,
        layout: Layout<'_>,
        renderer: &Renderer,
        operation: &mut dyn Operation,
    ) {
        let state = tree.state.downcast_mut::<State>();
        if self.count > 0 {
            operation.focusable(self.id.as_ref(), layout.bounds(), &mut state.focus);
        }
        let first = state.place.in_view().start;
        let selected = self.selected.and_then(|row| row.checked_sub(first));
        operation.container(self.id.as_ref(), layout.bounds());
        operation.traverse(&mut |operation| {
            let rows = self.built.iter_mut().zip(&mut tree.children);
            for (number, ((row, tree), layout)) in rows.zip(layout.children()).enumerate() {
                let row = row.as_widget_mut();
                match selected == Some(number) {
                    true => row.operate(tree, layout, renderer, operation),
                    false => row.operate(tree, layout, renderer, &mut OutOfReach(operation)),
                }
            }
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
        let bounds = layout.bounds();
        let state = tree.state.downcast_mut::<State>();
        state.focus.hear(event, shell);
        let seen = bounds.intersection(viewport).unwrap_or_default();
        let inside = match cursor.is_over(seen) && state.drag.is_none() {
            true => cursor,
            false => mouse::Cursor::Unavailable,
        };
        let rows = self.built.iter_mut().zip(&mut tree.children);
        for ((row, tree), layout) in rows.zip(layout.children()) {
            let row = row.as_widget_mut();
            row.update(
                tree, event, layout, inside, renderer, clipboard, shell, &seen,
            );
        }
        if shell.is_event_captured() {
            return;
        }
        let state = tree.state.downcast_mut::<State>();
        if let Event::Mouse(event) = event {
            self.hear_mouse(state, event, bounds, cursor, shell);
        }
        if let Some((key, modifiers)) = state.focus.key(event)
            && self.hear_key(state, key, modifiers, shell)
        {
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
        let bounds = layout.bounds();
        let Some(seen) = bounds.intersection(viewport) else {
            return;
        };
        let state = tree.state.downcast_ref::<State>();
        let tokens = Tokens::of(theme);
        let first = state.place.in_view().start;
        let point = cursor
            .position_over(seen)
            .filter(|_| self.on_select.is_some());
        let hovered = point.and_then(|point| state.place.row_at(point.y - bounds.y));
        let end = viewport.position() + Vector::new(viewport.width, viewport.height);
        let around = Rectangle::new(Point::new(-end.x, -end.y), Size::new(end.x, end.y) * 2.0);
        let repaint = state.repaint.draw_with_bounds(renderer, around, |_| {});
        renderer.draw_geometry(repaint);
        renderer.with_layer(seen, |renderer| {
            let rows = self.built.iter().zip(&tree.children).zip(layout.children());
            for (row, ((element, tree), layout)) in (first..).zip(rows) {
                let place = layout.bounds();
                if self.selected == Some(row) {
                    fill(renderer, place, space::RADIUS, tokens.selected);
                } else if hovered == Some(row) {
                    fill(renderer, place, space::RADIUS, tokens.hover);
                }
                element
                    .as_widget()
                    .draw(tree, renderer, theme, style, layout, cursor, &seen);
                if self.selected == Some(row) {
                    state
                        .focus
                        .draw(renderer, theme, place.shrink(3.0), space::RADIUS - 3.0);
                }
            }
            if self.selected.is_none() {
                state
                    .focus
                    .draw(renderer, theme, bounds.shrink(3.0), space::RADIUS - 3.0);
            }
            if let Some(scroller) = state.place.scroller(bounds) {
                let is_used = state.hovered.1 || state.drag.is_some();
                fill(renderer, scroller, 3.0, surface::scroller(tokens, is_used));
            }
        });
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
        let rows = self.built.iter().zip(&tree.children).zip(layout.children());
        let of_rows = rows.map(|((row, tree), layout)| {
            row.as_widget()
                .mouse_interaction(tree, layout, cursor, viewport, renderer)
        });
        of_rows.max().unwrap_or_default()
    }

    fn overlay<'b>(
        &'b mut self,
        tree: &'b mut Tree,
        layout: Layout<'b>,
        renderer: &Renderer,
        viewport: &Rectangle,
        translation: Vector,
    ) -> Option<overlay::Element<'b, Message, Theme, Renderer>> {
        overlay::from_children(
            &mut self.built,
            tree,
            layout,
            renderer,
            viewport,
            translation,
        )
    }
}

impl<'a, Message: Clone + 'a> From<Rows<'a, Message>> for Element<'a, Message> {
    fn from(rows: Rows<'a, Message>) -> Self {
        Element::new(rows)
    }
}

fn fill(renderer: &mut Renderer, bounds: Rectangle, radius: f32, colour: Color) {
    let border = Border {
        radius: radius.into(),
        ..Border::default()
    };
    let quad = renderer::Quad {
        bounds,
        border,
        ..renderer::Quad::default()
    };
    renderer.fill_quad(quad, colour);
}

/// An operation that reaches everything in a row but does not give it the focus.
struct OutOfReach<'a>(&'a mut dyn Operation);

impl Operation for OutOfReach<'_> {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation)) {
        self.0
            .traverse(&mut |operation| operate(&mut OutOfReach(operation)));
    }

    fn focusable(
        &mut self,
        _id: Option<&Id>,
        _bounds: Rectangle,
        state: &mut dyn operation::Focusable,
    ) {
        state.unfocus();
    }

    fn container(&mut self, id: Option<&Id>, bounds: Rectangle) {
        self.0.container(id, bounds);
    }

    fn scrollable(
        &mut self,
        id: Option<&Id>,
        bounds: Rectangle,
        content: Rectangle,
        translation: Vector,
        state: &mut dyn operation::Scrollable,
    ) {
        self.0.scrollable(id, bounds, content, translation, state);
    }

    fn text_input(
        &mut self,
        id: Option<&Id>,
        bounds: Rectangle,
        state: &mut dyn operation::TextInput,
    ) {
        self.0.text_input(id, bounds, state);
    }

    fn text(&mut self, id: Option<&Id>, bounds: Rectangle, text: &str) {
        self.0.text(id, bounds, text);
    }

    fn custom(&mut self, id: Option<&Id>, bounds: Rectangle, state: &mut dyn std::any::Any) {
        self.0.custom(id, bounds, state);
    }
}
