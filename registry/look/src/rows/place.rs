//! Which rows of a list are in view, and where.
//!
//! Distances from the list's first row are `f64`: in `f32`, the rows of a list of a million would
//! tremble.

use std::ops::Range;

use iced::Rectangle;

/// Where a list is scrolled to.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Place {
    count: usize,
    row: f64,
    /// How much of the list is seen, in logical pixels, as all distances here.
    pub(super) view: f64,
    /// How far below the upper end of the first row the view begins.
    pub(super) offset: f64,
}

impl Place {
    /// Takes what is known now; `gone` rows have left at the list's beginning.
    pub(super) fn settle(&mut self, count: usize, row: f32, view: f32, gone: u64, follows: bool) {
        let was_at_end = self.offset + 1.0 >= self.last_offset();
        if self.row > 0.0 {
            // What is read stays in view when rows become higher.
            self.offset *= f64::from(row) / self.row;
        }
        (self.count, self.row, self.view) = (count, f64::from(row), f64::from(view));
        self.offset = match follows && was_at_end {
            true => self.last_offset(),
            false => self.offset - approximately(gone) * self.row,
        };
        self.scroll_to(self.offset);
    }

    /// Moves the view, as far as the list reaches; whether it moved.
    pub(super) fn scroll_to(&mut self, offset: f64) -> bool {
        let before = self.offset;
        // Whole pixels: letters between two of them are blurred.
        self.offset = offset.clamp(0.0, self.last_offset()).round();
        #[expect(clippy::float_cmp, reason = "both are whole")]
        let has_moved = self.offset != before;
        has_moved
    }

    /// Scrolls as little as brings all of a row into view.
    pub(super) fn reveal(&mut self, row: Option<usize>) {
        let Some(row) = row else { return };
        let top = approximately(row as u64) * self.row;
        let lowest = (top + self.row - self.view).min(top);
        self.scroll_to(self.offset.clamp(lowest, top));
    }

    /// The rows of which anything is seen.
    pub(super) fn in_view(&self) -> Range<usize> {
        if self.row <= 0.0 {
            return 0..0;
        }
        let first = whole((self.offset / self.row).floor()).min(self.count);
        let end = whole(((self.offset + self.view) / self.row).ceil()).min(self.count);
        first..end.max(first)
    }

    /// The row at this distance below the upper end of the view.
    pub(super) fn row_at(&self, below: f32) -> Option<usize> {
        let row = whole(((self.offset + f64::from(below)) / self.row).floor());
        (row < self.count).then_some(row)
    }

    /// How far below the upper end of the view a row begins.
    pub(super) fn top_of(&self, row: usize) -> f32 {
        near(approximately(row as u64) * self.row - self.offset)
    }

    /// How many rows a page is.
    pub(super) fn page(&self) -> usize {
        whole((self.view / self.row).floor())
            .saturating_sub(1)
            .max(1)
    }

    /// Whether there is more than is seen.
    pub(super) fn overflows(&self) -> bool {
        self.last_offset() > 0.0
    }

    fn length(&self) -> f64 {
        approximately(self.count as u64) * self.row
    }

    fn last_offset(&self) -> f64 {
        (self.length() - self.view).max(0.0)
    }

    /// The part of the scrollbar that moves, in a list in these bounds.
    pub(super) fn scroller(&self, bounds: Rectangle) -> Option<Rectangle> {
        if !self.overflows() {
            return None;
        }
        let height = self.scroller_height();
        let part = self.offset / self.last_offset();
        Some(Rectangle {
            x: bounds.x + bounds.width - WIDTH - INSET,
            y: bounds.y + INSET + near((self.track() - height) * part),
            width: WIDTH,
            height: near(height),
        })
    }

    /// Where the view is when the scroller's upper end is at `top`.
    pub(super) fn offset_of_scroller(&self, top: f32, bounds: Rectangle) -> f64 {
        let free = self.track() - self.scroller_height();
        let part = f64::from(top - bounds.y - INSET) / free.max(1.0);
        part * self.last_offset()
    }

    fn track(&self) -> f64 {
        (self.view - 2.0 * f64::from(INSET)).max(1.0)
    }

    fn scroller_height(&self) -> f64 {
        let part = self.view / self.length();
        (self.track() * part).max(SHORTEST).min(self.track())
    }
}

/// How wide the scroller is, and how far from the edge.
const WIDTH: f32 = 6.0;
const INSET: f32 = 3.0;
/// A scroller can be grabbed however long the list is.
const SHORTEST: f64 = 28.0;

#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 rows")]
fn approximately(count: u64) -> f64 {
    count as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a distance divided by a height, from which casts saturate"
)]
fn whole(rows: f64) -> usize {
    rows as usize
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a distance within a window"
)]
fn near(distance: f64) -> f32 {
    distance as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(count: usize) -> Place {
        let mut place = Place::default();
        place.settle(count, 30.0, 100.0, 0, false);
        place
    }

    #[test]
    fn only_rows_in_view_are_built() {
        let mut place = place(100_000);
        assert_eq!(place.in_view(), 0..4);
        place.scroll_to(15.0);
        assert_eq!(place.in_view(), 0..4);
        place.scroll_to(f64::INFINITY);
        assert_eq!(place.in_view(), 99_996..100_000);
        assert!(place.top_of(99_999) > 69.0 && place.top_of(99_999) < 71.0);
    }

    #[test]
    fn a_list_shorter_than_its_place_does_not_scroll() {
        let mut place = place(2);
        assert!(!place.scroll_to(50.0));
        assert_eq!(place.in_view(), 0..2);
        assert_eq!(place.row_at(59.0), Some(1));
        assert_eq!(place.row_at(61.0), None);
        assert!(!place.overflows());
    }

    #[test]
    fn a_row_is_revealed_by_scrolling_as_little_as_needed() {
        let mut place = place(100);
        place.reveal(Some(2));
        assert_eq!(place.offset, 0.0);
        place.reveal(Some(3));
        assert_eq!(place.offset, 20.0);
        place.reveal(Some(2));
        assert_eq!(place.offset, 20.0);
        place.reveal(Some(0));
        assert_eq!(place.offset, 0.0);
    }

    #[test]
    fn a_log_follows_its_end_until_somebody_reads_further_up() {
        let mut place = place(100);
        place.scroll_to(f64::INFINITY);
        place.settle(110, 30.0, 100.0, 0, true);
        assert_eq!(place.in_view().end, 110);
        place.scroll_to(600.0);
        place.settle(110, 30.0, 100.0, 5, true);
        assert_eq!(place.offset, 450.0, "what is read stays where it is");
    }

    #[test]
    fn what_is_read_stays_in_view_when_rows_become_higher() {
        let mut place = place(100);
        place.scroll_to(600.0);
        place.settle(100, 45.0, 100.0, 0, false);
        assert_eq!(place.in_view().start, 20);
    }

    #[test]
    fn the_scroller_says_where_the_view_is_and_moves_it() {
        let bounds = Rectangle {
            x: 0.0,
            y: 10.0,
            width: 50.0,
            height: 100.0,
        };
        let mut place = place(1_000);
        place.scroll_to(12_345.0);
        let scroller = place.scroller(bounds).expect("a list that scrolls");
        assert!(scroller.height >= 28.0);
        let back = place.offset_of_scroller(scroller.y, bounds);
        assert!((back - 12_345.0).abs() < 1.0, "{back}");
    }
}
