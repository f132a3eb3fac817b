//! The last messages of a registry, and those of them that somebody looks for. PURE.

use std::{collections::VecDeque, fmt::Write, net::SocketAddr, sync::Arc};

use codec::UnixMillis;

use crate::event::Event;

/// So many lines are kept; the oldest make room for new ones.
pub const LINES_MAX: usize = 100_000;

/// So many bytes of text are kept, whichever is reached first: a line has 150 as a rule.
pub const BYTES_MAX: usize = 32 << 20;

/// The longest line, in bytes: what is beyond is cut off.
pub const LINE_BYTES_MAX: usize = 2000;

/// So many lines are looked through at a time, so that whoever types waits for no more.
pub const LOOKED_AT_ONCE: usize = 8192;

/// A line of the log. Clones share its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When it was written, by this machine's clock.
    pub at: UnixMillis,
    /// What kind of line it is.
    pub what: What,
    /// What it says, in the words of `ramal-registry`'s own log.
    pub text: Arc<str>,
}

/// What a line tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A message that came in from there.
    Received(SocketAddr),
    /// A message that went out to there.
    Sent(SocketAddr),
    /// A connection from there began or ended.
    Connection(SocketAddr),
    /// The table changed, or the operator did something.
    Note,
    /// Something is wrong that the operator can mend.
    Warning,
    /// So many lines are missing here: they came faster than they could be taken.
    Missing(u64),
}

/// Which lines are looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Words that all have to be in a line, in small letters.
    words: Vec<String>,
    /// Of which kinds.
    pub kinds: Kinds,
}

/// Kinds of lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Kinds {
    /// All.
    #[default]
    All,
    /// What came in.
    Received,
    /// What went out.
    Sent,
    /// What is no message.
    Events,
    /// Warnings, and where lines are missing.
    Warnings,
}

impl Kinds {
    /// Every one, as they are offered.
    pub const ALL: [Self; 5] = [
        Self::All,
        Self::Received,
        Self::Sent,
        Self::Events,
        Self::Warnings,
    ];

    fn takes(self, what: What) -> bool {
        match (self, what) {
            (Self::All, _)
            | (Self::Received, What::Received(_))
            | (Self::Sent, What::Sent(_))
            | (Self::Warnings, What::Warning | What::Missing(_)) => true,
            (Self::Events, what) => !matches!(what, What::Received(_) | What::Sent(_)),
            _ => false,
        }
    }
}

impl What {
    /// With whom the message was exchanged.
    #[must_use]
    pub fn peer(&self) -> Option<SocketAddr> {
        match self {
            Self::Received(peer) | Self::Sent(peer) | Self::Connection(peer) => Some(*peer),
            Self::Note | Self::Warning | Self::Missing(_) => None,
        }
    }
}

impl Line {
    /// The line that tells of an event.
    #[must_use]
    pub fn of(event: Event, at: UnixMillis) -> Self {
        let (what, text) = match event {
            Event::Key { fingerprint } => (What::Note, format!("the registry's key {fingerprint}")),
            Event::Listening { addr } => (What::Note, format!("listening on {addr}")),
            Event::Connected { peer } => (What::Connection(peer), "connected".to_owned()),
            Event::Disconnected { peer, why } => {
                (What::Connection(peer), format!("disconnected: {why}"))
            }
            Event::Received { peer, message } => (What::Received(peer), message),
            Event::Sent { peer, message } => (What::Sent(peer), message),
            Event::Added { name } => (What::Note, format!("added {name}")),
            Event::Removed {
                name,
                expired: true,
            } => (What::Note, format!("removed {name}: the lease ended")),
            Event::Removed { name, .. } => (What::Note, format!("removed {name}")),
            Event::Counters(counters) => (What::Note, format!("counted {counters}")),
            Event::Operator(text) => (What::Note, format!("operator: {text}")),
            Event::Notice(text) => (What::Note, text),
            Event::Warning(warning) => (What::Warning, warning.to_string()),
            Event::Mended(mended) => (What::Note, mended.to_string()),
        };
        Self::new(at, what, &text)
    }

    /// A line, no longer than [`LINE_BYTES_MAX`], without anything that breaks it.
    #[must_use]
    pub fn new(at: UnixMillis, what: What, text: &str) -> Self {
        let ends = text
            .char_indices()
            .map(|(at, letter)| at + letter.len_utf8());
        let end = match text.len() {
            short @ ..=LINE_BYTES_MAX => short,
            _ => ends
                .take_while(|end| *end <= LINE_BYTES_MAX)
                .last()
                .unwrap_or(0),
        };
        let cut = if end < text.len() { "..." } else { "" };
        let text = text[..end].replace(char::is_control, " ") + cut;
        Self {
            at,
            what,
            text: text.into(),
        }
    }

    /// Writes what is looked through behind what is in `into`: peer and text.
    fn searched(&self, into: &mut String) {
        if let Some(peer) = self.what.peer() {
            let _ = write!(into, "{peer} ");
        }
        into.push_str(&self.text);
    }
}

impl Filter {
    /// Lines that have all the words of `text` in them, in any order and in letters of any size.
    #[must_use]
    pub fn new(text: &str, kinds: Kinds) -> Self {
        let words = text.split_whitespace().map(str::to_lowercase).collect();
        Self { words, kinds }
    }

    /// Every line passes.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.words.is_empty() && self.kinds == Kinds::All
    }

    fn takes(&self, line: &Line, buffer: &mut String) -> bool {
        if !self.kinds.takes(line.what) {
            return false;
        }
        if self.words.is_empty() {
            return true;
        }
        buffer.clear();
        line.searched(buffer);
        if buffer.is_ascii() {
            buffer.make_ascii_lowercase();
        } else {
            *buffer = buffer.to_lowercase();
        }
        self.words.iter().all(|word| buffer.contains(word.as_str()))
    }
}

/// The last lines. Each has a number that it keeps, from 0.
#[derive(Debug, Default)]
pub struct Lines {
    kept: VecDeque<Line>,
    bytes: usize,
    /// The number of the first that is kept: so many were dropped for newer ones, or cleared.
    first: u64,
    /// So many came too fast to be taken.
    missed: u64,
    filter: Filter,
    /// The numbers of those that pass the filter, unless it is open.
    passed: VecDeque<u64>,
    /// Lines before this number have not been looked at with this filter.
    looked_from: u64,
    buffer: String,
}

impl Lines {
    /// Takes a line, and drops the oldest if there are too many.
    pub fn push(&mut self, line: Line) {
        if let What::Missing(lines) = line.what {
            self.missed = self.missed.saturating_add(lines);
        }
        let number = self.next();
        if !self.filter.is_open() && self.filter.takes(&line, &mut self.buffer) {
            self.passed.push_back(number);
        }
        self.bytes += line.text.len();
        self.kept.push_back(line);
        while self.kept.len() > LINES_MAX || self.bytes > BYTES_MAX {
            let Some(oldest) = self.kept.pop_front() else {
                break;
            };
            self.bytes -= oldest.text.len();
            self.first += 1;
        }
        while self.passed.front().is_some_and(|it| *it < self.first) {
            self.passed.pop_front();
        }
    }

    /// The number that the next line will have.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.first + as_u64(self.kept.len())
    }

    /// How many lines are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// No line is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// How many lines are kept no more.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.first
    }

    /// How many lines came too fast to be taken.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// The bytes of text that are kept.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Which lines are looked for.
    #[must_use]
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Looks for other lines, among the newest first: the rest is for [`Lines::look_on`].
    pub fn look_for(&mut self, filter: Filter) {
        self.filter = filter;
        self.passed.clear();
        self.looked_from = self.next();
        self.look_on();
    }

    /// Some lines were not looked through yet.
    #[must_use]
    pub fn is_looking(&self) -> bool {
        !self.filter.is_open() && self.looked_from > self.first
    }

    /// Looks through the next older lines, [`LOOKED_AT_ONCE`] of them.
    pub fn look_on(&mut self) {
        if !self.is_looking() {
            return;
        }
        let upto = usize::try_from(self.looked_from - self.first).unwrap_or(usize::MAX);
        let from = upto.saturating_sub(LOOKED_AT_ONCE);
        for at in (from..upto).rev() {
            let number = self.first + as_u64(at);
            let line = self.kept.get(at);
            if line.is_some_and(|line| self.filter.takes(line, &mut self.buffer)) {
                self.passed.push_front(number);
            }
        }
        self.looked_from = self.first + as_u64(from);
    }

    /// How many of the lines before number `until` are looked for and kept.
    #[must_use]
    pub fn found(&self, until: u64) -> usize {
        if self.filter.is_open() {
            let found = until.min(self.next()).saturating_sub(self.first);
            return usize::try_from(found).unwrap_or(usize::MAX);
        }
        self.passed.partition_point(|number| *number < until)
    }

    /// The line that is the `at`th of those that are looked for, and its number.
    #[must_use]
    pub fn get(&self, at: usize) -> Option<(u64, &Line)> {
        let number = match self.filter.is_open() {
            true => self.first + as_u64(at),
            false => *self.passed.get(at)?,
        };
        let kept = usize::try_from(number.checked_sub(self.first)?).ok()?;
        Some((number, self.kept.get(kept)?))
    }

    /// Forgets every line; what is looked for stays.
    pub fn clear(&mut self) {
        self.first = self.next();
        self.kept.clear();
        self.passed.clear();
        self.bytes = 0;
        self.missed = 0;
    }
}

fn as_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line {
        Line::new(0, What::Note, text)
    }

    /// Looks until there is nothing left to look through.
    fn look_for(lines: &mut Lines, filter: Filter) {
        lines.look_for(filter);
        while lines.is_looking() {
            lines.look_on();
        }
    }

    fn texts(lines: &Lines) -> Vec<&str> {
        let found = lines.found(lines.next());
        let all = (0..found).map(|at| &*lines.get(at).unwrap().1.text);
        all.collect()
    }

    #[test]
    fn the_oldest_lines_make_room_and_are_counted() {
        let mut lines = Lines::default();
        for number in 0..LINES_MAX + 5 {
            lines.push(line(&number.to_string()));
        }
        assert_eq!((lines.len(), lines.dropped()), (LINES_MAX, 5));
        let (number, first) = lines.get(0).unwrap();
        assert_eq!((number, &*first.text), (5, "5"));
        assert!(lines.get(LINES_MAX).is_none());
    }

    #[test]
    fn long_lines_take_no_more_memory_than_short_ones() {
        let mut lines = Lines::default();
        let long = "x".repeat(LINE_BYTES_MAX * 2);
        for _ in 0..LINES_MAX / 2 {
            lines.push(line(&long));
        }
        assert!(lines.bytes() <= BYTES_MAX);
        assert!(lines.len() >= BYTES_MAX / (LINE_BYTES_MAX + 3) - 1);
    }

    #[test]
    fn a_line_is_one_line_whatever_a_stranger_put_into_it() {
        let line = line("a\nb\u{1b}[31m\tc");
        assert_eq!(&*line.text, "a b [31m c");
        // Cut between letters, not within one.
        let long = Line::new(0, What::Note, &"é".repeat(LINE_BYTES_MAX));
        assert!(long.text.ends_with("é..."));
    }

    #[test]
    fn a_filter_finds_lines_that_were_there_and_lines_that_come() {
        let mut lines = Lines::default();
        let peer = "192.0.2.7:5000".parse().unwrap();
        lines.push(Line::new(0, What::Received(peer), "#1 Lookup bob"));
        lines.push(Line::new(0, What::Sent(peer), "#1 Found bob"));
        lines.push(line("added carol"));
        lines.look_for(Filter::new("BOB lookup", Kinds::All));
        assert_eq!(texts(&lines), ["#1 Lookup bob"]);
        lines.push(Line::new(0, What::Received(peer), "#2 Lookup Bobby"));
        lines.push(line("nothing"));
        assert_eq!(texts(&lines), ["#1 Lookup bob", "#2 Lookup Bobby"]);
        lines.look_for(Filter::new("192.0.2.7", Kinds::Sent));
        assert_eq!(texts(&lines), ["#1 Found bob"]);
        lines.look_for(Filter::new("", Kinds::Events));
        assert_eq!(texts(&lines), ["added carol", "nothing"]);
        lines.look_for(Filter::default());
        assert_eq!(lines.found(lines.next()), 5);
    }

    #[test]
    fn many_lines_are_looked_through_a_part_at_a_time_the_newest_first() {
        let mut lines = Lines::default();
        let count = 3 * LOOKED_AT_ONCE + 5;
        (0..count).for_each(|number| lines.push(line(["odd", "even"][number % 2])));
        lines.look_for(Filter::new("even", Kinds::All));
        let newest = lines.get(lines.found(u64::MAX) - 1).unwrap().0;
        assert_eq!(newest, as_u64(count) - 2);
        let mut parts = vec![lines.found(u64::MAX)];
        // What comes meanwhile is found at once, and what is dropped is looked for no more.
        lines.push(line("even"));
        while lines.is_looking() {
            lines.look_on();
            parts.push(lines.found(u64::MAX));
        }
        let half = LOOKED_AT_ONCE / 2;
        let found = [half, 2 * half + 1, 3 * half + 1, count / 2 + 1];
        assert_eq!(parts, found);
        let numbers: Vec<u64> = (0..found[3]).map(|at| lines.get(at).unwrap().0).collect();
        assert!(numbers.is_sorted() && numbers[0] == 1, "{numbers:?}");
        // Other words begin anew, in the middle of it too.
        lines.look_for(Filter::new("odd", Kinds::All));
        look_for(&mut lines, Filter::new("even", Kinds::All));
        assert_eq!(lines.found(u64::MAX), found[3]);
    }

    #[test]
    fn lines_that_are_dropped_before_they_were_looked_through_are_not_found() {
        let mut lines = Lines::default();
        (0..LINES_MAX).for_each(|_| lines.push(line("old")));
        lines.look_for(Filter::new("old", Kinds::All));
        assert!(lines.is_looking());
        (0..LINES_MAX).for_each(|_| lines.push(line("new")));
        assert!(!lines.is_looking());
        lines.look_on();
        assert_eq!(lines.found(u64::MAX), 0);
    }

    #[test]
    fn what_came_after_a_pause_is_not_among_what_was_found_before() {
        let mut lines = Lines::default();
        lines.push(line("one"));
        let until = lines.next();
        lines.push(line("two"));
        assert_eq!((lines.found(until), lines.found(u64::MAX)), (1, 2));
        lines.look_for(Filter::new("o", Kinds::All));
        assert_eq!((lines.found(until), lines.found(u64::MAX)), (1, 2));
    }

    #[test]
    fn found_lines_that_were_dropped_are_found_no_more() {
        let mut lines = Lines::default();
        lines.look_for(Filter::new("even", Kinds::All));
        for number in 0..LINES_MAX + 10 {
            lines.push(line(["even", "odd"][number % 2]));
        }
        assert_eq!(lines.found(u64::MAX), LINES_MAX / 2);
        assert_eq!(lines.get(0).unwrap().0, 10);
    }

    #[test]
    fn missing_lines_are_counted_and_cleared_with_the_rest() {
        let mut lines = Lines::default();
        lines.push(Line::new(0, What::Missing(7), ""));
        assert_eq!(lines.missed(), 7);
        lines.clear();
        assert_eq!((lines.missed(), lines.len(), lines.next()), (0, 0, 1));
    }
}
