//! Every message that this phone sends and receives, and what else it notes, as lines in the order
//! in which they came. PURE: lines come in with their time, and the newest are kept.
//!
//! A line holds no secret: messages come as [`registry::line`] writes them, and of what is sealed
//! stands there how long it is and what kind of signal it is, if this phone can know.

use std::{collections::VecDeque, fmt, net::SocketAddr, sync::Arc};

use codec::UnixMillis;

/// The most lines that are kept; the oldest ones go first, a hundred at a time.
pub const LINES_MAX: usize = 10_000;

/// The longest text of one line, in bytes; what is beyond it is cut.
pub const TEXT_BYTES_MAX: usize = 512;

/// So many lines are shared by a journal and its clones, whatever is written afterwards.
const CHUNK_LINES: usize = 100;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Counts from 1, without a gap.
    pub number: u64,
    /// When it was written, by this machine's clock.
    pub at: UnixMillis,
    /// Which way it went.
    pub way: Way,
    /// With whom.
    pub with: With,
    /// What it says, at most [`TEXT_BYTES_MAX`].
    pub text: String,
}

/// Which way a message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    /// This phone sent it.
    Sent,
    /// This phone received it.
    Received,
    /// It is no message: something happened.
    Note,
}

/// With whom a message was exchanged, or whom a note is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum With {
    /// A registry.
    Registry,
    /// The phone at this address.
    Phone(SocketAddr),
    /// This phone.
    Here,
}

/// For people, in one line. The time is UTC's.
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of_day = self.at % 86_400_000;
        let (seconds, ms) = (of_day / 1000, of_day % 1000);
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        write!(f, "{hours:02}:{minutes:02}:{:02}.{ms:03}Z ", seconds % 60)?;
        let with = |f: &mut fmt::Formatter<'_>| match self.with {
            With::Registry => f.write_str("registry"),
            With::Phone(at) => at.fmt(f),
            With::Here => f.write_str("phone"),
        };
        match self.way {
            Way::Sent => f.write_str("to ")?,
            Way::Received => f.write_str("from ")?,
            Way::Note => {}
        }
        with(f)?;
        write!(f, ": {}", self.text)
    }
}

/// The newest lines. A clone is a snapshot, and cheap: it shares what was written before it.
#[derive(Debug, Clone, Default)]
pub struct Journal {
    /// Each of [`CHUNK_LINES`].
    whole: VecDeque<Arc<Vec<Line>>>,
    /// Fewer.
    open: Arc<Vec<Line>>,
    written: u64,
}

impl Journal {
    /// Writes a line.
    pub fn write(&mut self, at: UnixMillis, way: Way, with: With, text: impl Into<String>) {
        self.written += 1;
        let line = Line {
            number: self.written,
            at,
            way,
            with,
            text: cut(text.into()),
        };
        // Where a snapshot shares it, this copies it first.
        let open = Arc::make_mut(&mut self.open);
        open.push(line);
        if open.len() < CHUNK_LINES {
            return;
        }
        let full = std::mem::take(&mut self.open);
        self.whole.push_back(full);
        if self.whole.len() * CHUNK_LINES > LINES_MAX {
            self.whole.pop_front();
        }
    }

    /// How many lines there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.whole.len() * CHUNK_LINES + self.open.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many lines were written since the beginning, those that are gone too: the number of the
    /// last one.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written
    }

    /// The line at a place, from 0 for the oldest that is kept.
    #[must_use]
    pub fn get(&self, at: usize) -> Option<&Line> {
        match self.whole.get(at / CHUNK_LINES) {
            Some(chunk) => chunk.get(at % CHUNK_LINES),
            None => self
                .open
                .get(at.checked_sub(self.whole.len() * CHUNK_LINES)?),
        }
    }

    /// All lines, the oldest first.
    #[must_use]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Line> {
        self.whole
            .iter()
            .chain([&self.open])
            .flat_map(|chunk| chunk.iter())
    }

    /// The lines after the one with this number, the oldest first; 0 is before the first one.
    /// Whoever asks too seldom finds that the first of them has a greater number than expected.
    pub fn since(&self, number: u64) -> impl Iterator<Item = &Line> {
        let first = self.written - self.len() as u64;
        let skipped = number.clamp(first, self.written) - first;
        let skipped = usize::try_from(skipped).unwrap_or(usize::MAX);
        (skipped..self.len()).filter_map(|at| self.get(at))
    }
}

/// A text that is not too long.
fn cut(mut text: String) -> String {
    if text.len() > TEXT_BYTES_MAX {
        let mut end = TEXT_BYTES_MAX - '…'.len_utf8();
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal(lines: usize) -> Journal {
        let mut journal = Journal::default();
        for number in 1..=lines {
            journal.write(0, Way::Note, With::Here, number.to_string());
        }
        journal
    }

    #[test]
    fn the_newest_lines_are_kept_in_order_and_found_by_number_and_place() {
        for lines in [
            0,
            1,
            99,
            100,
            101,
            LINES_MAX,
            LINES_MAX + 1,
            3 * LINES_MAX + 50,
        ] {
            let journal = journal(lines);
            let kept = journal.len();
            assert!(
                kept <= LINES_MAX + CHUNK_LINES && kept >= lines.min(LINES_MAX),
                "{lines}"
            );
            let numbers: Vec<u64> = journal.iter().map(|line| line.number).collect();
            let expected = (lines - kept + 1) as u64..=lines as u64;
            assert_eq!(numbers, expected.collect::<Vec<_>>());
            assert!(
                journal
                    .iter()
                    .all(|line| line.text == line.number.to_string())
            );
            for at in [0, 98, 99, 100, kept.saturating_sub(1), kept] {
                assert_eq!(journal.get(at), journal.iter().nth(at), "{at} of {lines}");
            }
            for since in [0, 1, 99, 100, lines as u64, u64::MAX] {
                let found: Vec<u64> = journal.since(since).map(|line| line.number).collect();
                let expected: Vec<u64> = numbers.iter().copied().filter(|n| *n > since).collect();
                assert_eq!(found, expected, "{since} of {lines}");
            }
        }
    }

    #[test]
    fn a_snapshot_stays_as_it_is_and_shares_all_but_the_last_lines() {
        let mut journal = journal(250);
        let snapshot = journal.clone();
        assert!(Arc::ptr_eq(&snapshot.whole[1], &journal.whole[1]));
        journal.write(0, Way::Note, With::Here, "new");
        assert_eq!((snapshot.len(), journal.len()), (250, 251));
        assert!(Arc::ptr_eq(&snapshot.whole[1], &journal.whole[1]));
    }

    #[test]
    fn a_text_that_is_too_long_is_cut_at_a_character() {
        let mut journal = Journal::default();
        for length in [511, 512, 513, 5000] {
            journal.write(0, Way::Note, With::Here, "é".repeat(length));
        }
        assert!(journal.iter().all(|line| line.text.len() <= TEXT_BYTES_MAX));
        assert!(journal.iter().all(|line| line.text.ends_with('…')));
    }

    #[test]
    fn a_line_says_when_which_way_with_whom_and_what() {
        let mut journal = Journal::default();
        let at = 3 * 86_400_000 + 13 * 3_600_000 + 4 * 60_000 + 5_006;
        let phone = With::Phone("192.0.2.7:4000".parse().unwrap());
        journal.write(at, Way::Sent, With::Registry, "Lookup bob");
        journal.write(at, Way::Received, phone, "Envelope");
        journal.write(at, Way::Note, With::Here, "registered");
        let lines: Vec<String> = journal.iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "13:04:05.006Z to registry: Lookup bob",
                "13:04:05.006Z from 192.0.2.7:4000: Envelope",
                "13:04:05.006Z phone: registered",
            ]
        );
    }
}
