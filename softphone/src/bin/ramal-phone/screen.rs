//! The live rows at the bottom of a terminal: one a call, and the keys that do something now. PURE:
//! the board, the terminal's size and the time give the text.

use std::time::Instant;

use softphone::{
    audio::Levels,
    board::{Board, Registered, SeenCall, Stage},
    call::Hold,
    contacts::Standing,
    control::clock,
    phone::Callers,
};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::{
    desk::{Action, Desk, Offer},
    escape::printable,
};

/// Columns and rows of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub columns: usize,
    pub rows: usize,
}

/// What a terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    pub colours: bool,
    /// Characters beside ASCII.
    pub unicode: bool,
}

/// The quietest level that a bar shows, in dB below full scale.
const QUIETEST_DBFS: f32 = -60.0;

/// From here on it is too loud: it is about to be clipped.
const TOO_LOUD_DBFS: f32 = -1.5;

/// Loss from here on is heard; from the second on, it hurts.
const LOSS_PCT: [f32; 2] = [2.0, 10.0];

/// Delay from here on is felt; from the second on, people talk into each other (ITU-T G.114).
const DELAY_MS: [u128; 2] = [150, 400];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Strong,
    Dim,
    Good,
    Doubtful,
    Bad,
}

impl Style {
    /// SGR parameters (ECMA-48, 8.3.117).
    fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Strong => "1",
            Self::Dim => "2",
            Self::Good => "32",
            Self::Doubtful => "33",
            Self::Bad => "31",
        }
    }

    /// How bad a figure is, by the two limits above it.
    fn of<T: PartialOrd + Copy>(figure: T, limits: [T; 2]) -> Self {
        match limits {
            [_, bad] if figure >= bad => Self::Bad,
            [doubtful, _] if figure >= doubtful => Self::Doubtful,
            _ => Self::Plain,
        }
    }
}

/// A row before it is cut: pieces of text, each in one style.
#[derive(Debug, Default)]
struct Row {
    pieces: Vec<(Style, String)>,
}

/// How much of a call is shown. What is richer comes first; the first that fits is taken.
struct Detail {
    /// That a call goes well is said in words.
    words: bool,
    /// Columns of a bar.
    bar: usize,
    loss: bool,
    delay: bool,
}

const DETAILS: [Detail; 8] = [
    detail(true, 10, true, true),
    detail(true, 7, true, true),
    detail(true, 4, true, true),
    detail(false, 4, true, true),
    detail(false, 3, true, false),
    detail(false, 3, false, false),
    detail(false, 0, true, false),
    detail(false, 0, false, false),
];

const fn detail(words: bool, bar: usize, loss: bool, delay: bool) -> Detail {
    Detail {
        words,
        bar,
        loss,
        delay,
    }
}

/// The live rows, each no wider than the terminal, and no more than it has.
pub fn rows(board: &Desk, size: Size, look: Look, now: Instant) -> Vec<String> {
    // The last column is left free: some terminals break a row that fills it.
    let columns = size.columns.saturating_sub(1);
    let keys = match &board.typing {
        Some(text) => typing_row(text, columns),
        None => keys_row(board, columns, look),
    };
    let mut rows = if board.calls.is_empty() {
        vec![idle_row(board)]
    } else {
        call_rows(board, size.rows, columns, look, now)
    };
    let words = board.meant().and_then(SeenCall::unread);
    if let Some(words) = words.filter(|_| rows.len() + 2 <= size.rows) {
        let mut row = Row::default();
        row.push(Style::Plain, "words: ");
        row.push(Style::Strong, words.to_string());
        row.push(Style::Dim, "  read them aloud; v if both see them");
        rows.push(row);
    }
    rows.push(keys);
    if size.rows < 2 {
        rows.truncate(1);
    }
    let shown = rows
        .into_iter()
        .map(|row| row.cut(columns, look).text(look));
    shown.collect()
}

/// As many calls as there is room for, the one that is meant among them.
fn call_rows(board: &Board, room: usize, columns: usize, look: Look, now: Instant) -> Vec<Row> {
    let meant = board.meant().map(|seen| seen.call);
    let several = board.calls.len() > 1;
    let room = room.saturating_sub(1).max(1);
    let at = board.calls.iter().position(|seen| Some(seen.call) == meant);
    let first = at.map_or(0, |at| (at + 1).saturating_sub(room));
    let numbered = board.calls.iter().enumerate().skip(first).take(room);
    let row = |(at, seen): (usize, &SeenCall)| {
        let mark = if Some(seen.call) == meant { ">" } else { " " };
        let mark = match several {
            true => format!("{mark}{} ", at + 1),
            false => String::new(),
        };
        let candidate = |detail| call_row(board, seen, &mark, detail, columns, look, now);
        let fits = DETAILS
            .iter()
            .map(candidate)
            .find(|row| row.width() <= columns);
        fits.unwrap_or_else(|| candidate(&DETAILS[DETAILS.len() - 1]))
    };
    numbered.map(row).collect()
}

fn call_row(
    board: &Board,
    seen: &SeenCall,
    mark: &str,
    detail: &Detail,
    columns: usize,
    look: Look,
    now: Instant,
) -> Row {
    let mut row = Row::default();
    row.push(Style::Strong, mark);
    let name = printable(seen.name.as_str());
    row.push(Style::Strong, cut(&name, (columns / 3).max(10), look).0);
    let (style, stage) = stage(seen);
    let time = clock(now.saturating_duration_since(seen.since));
    row.push(Style::Plain, "  ");
    let goes_well = Stage::Up {
        hold: Hold::No,
        reconnecting: false,
    };
    if detail.words || seen.stage != goes_well {
        row.push(style, stage);
        row.push(Style::Plain, " ");
    }
    row.push(Style::Plain, time);
    let Stage::Up { hold: Hold::No, .. } = seen.stage else {
        return row;
    };
    row.push_levels(seen, board.muted, detail.bar, look);
    row.push_figures(seen, detail);
    row
}

/// How far a call is, in words.
fn stage(seen: &SeenCall) -> (Style, &'static str) {
    match seen.stage {
        Stage::Calling => (Style::Plain, "calling"),
        Stage::RingsThere => (Style::Plain, "ringing"),
        Stage::RingsHere {
            standing: Standing::Verified,
            confirmed: true,
        } => (Style::Good, "calls you (verified)"),
        Stage::RingsHere {
            standing: Standing::Known,
            confirmed: true,
        } => (Style::Good, "calls you"),
        // The key is theirs, but may have been stolen and replaced since.
        Stage::RingsHere {
            standing: Standing::Verified | Standing::Known,
            confirmed: false,
        } => (Style::Doubtful, "calls you (not confirmed)"),
        Stage::RingsHere {
            confirmed: true, ..
        } => (Style::Good, "calls you (new)"),
        Stage::RingsHere {
            confirmed: false, ..
        } => (Style::Doubtful, "calls you (new, not confirmed)"),
        Stage::Connecting => (Style::Plain, "connecting"),
        Stage::Up {
            reconnecting: true, ..
        } => (Style::Bad, "reconnecting"),
        Stage::Up { hold, .. } => match hold {
            Hold::No => (Style::Good, "in a call"),
            Hold::Here => (Style::Doubtful, "on hold by you"),
            Hold::There => (Style::Doubtful, "on hold by them"),
            Hold::Both => (Style::Doubtful, "on hold by both"),
        },
    }
}

fn idle_row(board: &Board) -> Row {
    let mut row = Row::default();
    row.push(Style::Strong, printable(board.name.as_str()));
    let nobody = board.dnd || board.callers == Callers::Nobody;
    let (style, how) = match (board.registered, board.away) {
        (Registered::Trying, _) => (Style::Plain, "registering at"),
        (Registered::No, _) => (Style::Bad, "cannot be called: not registered at"),
        (Registered::Yes, _) if nobody => (Style::Doubtful, "takes no calls, registered at"),
        (Registered::Yes, false) if board.callers == Callers::Contacts => {
            (Style::Plain, "can be called by contacts at")
        }
        (Registered::Yes, true) => (Style::Doubtful, "away, registered at"),
        (Registered::Yes, false) => (Style::Plain, "can be called at"),
    };
    row.push(style, format!("  {how} "));
    row.push(Style::Plain, printable(&board.registry));
    row
}

/// What is being typed, its end if there is no room for all.
fn typing_row(text: &str, columns: usize) -> Row {
    let mut row = Row::default();
    let (before, after) = ("call: ", "   Enter calls, Esc leaves");
    row.push(Style::Strong, before);
    let shown = printable(text);
    let room = columns.saturating_sub(before.len() + 1);
    let mut start = 0;
    while shown[start..].width() > room {
        start += shown[start..].chars().next().map_or(1, char::len_utf8);
    }
    row.push(Style::Plain, &shown[start..]);
    row.push(Style::Strong, "_");
    if row.width() + after.len() <= columns {
        row.push(Style::Dim, after);
    }
    row
}

/// The keys. Where several calls are, they say whose, rather than to name the last keys as well.
/// What does not fit is left to `?`.
fn keys_row(board: &Desk, columns: usize, look: Look) -> Row {
    let offers = board.offers();
    let several = board.calls.len() > 1;
    let row = |named: bool, kept: usize| {
        let mut row = Row::default();
        let is_help = |offer: &&Offer| offer.action == Action::Help;
        let first = offers.iter().filter(|offer| !is_help(offer));
        for offer in first.take(kept).chain(offers.iter().filter(is_help)) {
            if !row.pieces.is_empty() {
                row.push(Style::Plain, "  ");
            }
            row.push(Style::Strong, offer.key.to_string());
            row.push(Style::Dim, format!(" {}", offer.word));
            if let Some(name) = whose(board, offer).filter(|_| named) {
                let name = cut(&printable(name), 12, look).0;
                row.push(Style::Dim, format!(" {name}"));
            }
        }
        row
    };
    let about_calls = offers.iter().filter(|offer| offer.action.is_about_calls());
    let wanted = if several {
        about_calls.count()
    } else {
        offers.len()
    };
    let with_names = (wanted..=offers.len()).rev().map(|kept| row(several, kept));
    let without = (0..=offers.len()).rev().map(|kept| row(false, kept));
    let mut fits = with_names
        .chain(without)
        .filter(|row| row.width() <= columns);
    fits.next().unwrap_or_default()
}

/// Whom a key is about. `d` is about the same call as `a`, and `o` as `h`.
fn whose<'a>(board: &'a Board, offer: &Offer) -> Option<&'a str> {
    match offer.action {
        Action::Accept(call) | Action::Hangup(call) => {
            board.seen(call).map(|seen| seen.name.as_str())
        }
        _ => None,
    }
}

/// Every call in a line of plain text, with its number.
pub fn calls(board: &Board, now: Instant) -> Vec<String> {
    let told = |(at, seen): (usize, &SeenCall)| {
        let time = clock(now.saturating_duration_since(seen.since));
        format!("{} {}  {} {time}", at + 1, seen.name, stage(seen).1)
    };
    board.calls.iter().enumerate().map(told).collect()
}

/// The beginning of `text` that is no wider than `columns`, and its width. A character that is
/// drawn onto the one before it stays with it. What is cut shows that it is.
fn cut(text: &str, columns: usize, look: Look) -> (String, usize) {
    let width = text.width();
    if width <= columns {
        return (text.to_owned(), width);
    }
    let (more, more_width) = if look.unicode { ("…", 1) } else { ("~", 1) };
    let (mut out, mut width) = (String::new(), 0);
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if width + wide + more_width > columns {
            break;
        }
        out.push(c);
        width += wide;
    }
    if columns >= more_width {
        out.push_str(more);
        width += more_width;
    }
    (out, width)
}

impl Row {
    fn push(&mut self, style: Style, text: impl AsRef<str>) {
        self.pieces.push((style, text.as_ref().to_owned()));
    }

    /// How loud both sides are.
    fn push_levels(&mut self, seen: &SeenCall, muted: bool, columns: usize, look: Look) {
        if columns == 0 {
            if muted {
                self.push(Style::Doubtful, "  muted");
            }
            return;
        }
        let silence = Levels {
            sent_dbfs: QUIETEST_DBFS,
            heard_dbfs: QUIETEST_DBFS,
        };
        let levels = seen.levels.unwrap_or(silence);
        self.push(Style::Dim, "  you ");
        if muted {
            self.push(Style::Doubtful, format!("{:columns$}", "muted"));
        } else {
            self.push_bar(levels.sent_dbfs, columns, look);
        }
        self.push(Style::Dim, "  they ");
        self.push_bar(levels.heard_dbfs, columns, look);
    }

    /// How well it comes through.
    fn push_figures(&mut self, seen: &SeenCall, detail: &Detail) {
        let Some(figures) = seen.figures else { return };
        if detail.loss {
            let loss = figures.loss_pct;
            let digits = usize::from(loss > 0.0 && loss < 9.95);
            self.push(Style::Dim, "  loss ");
            self.push(Style::of(loss, LOSS_PCT), format!("{loss:.digits$} %"));
        }
        if detail.delay {
            let delay = figures.delay.as_millis();
            self.push(Style::Dim, "  delay ");
            self.push(Style::of(delay, DELAY_MS), format!("{delay} ms"));
        }
    }

    fn push_bar(&mut self, level_dbfs: f32, columns: usize, look: Look) {
        let (on, off) = if look.unicode {
            ("▮", "▯")
        } else {
            ("#", "-")
        };
        let level = level_dbfs.clamp(QUIETEST_DBFS, 0.0);
        let is_on = |at: usize| {
            // Each step is as many dB as the others; a bar is full a step below full scale.
            let step = QUIETEST_DBFS + (at as f32 + 0.5) * -QUIETEST_DBFS / columns as f32;
            level > step
        };
        let filled = (0..columns).filter(|&at| is_on(at)).count();
        let style = match level_dbfs > TOO_LOUD_DBFS {
            true => Style::Bad,
            false => Style::Good,
        };
        self.push(style, on.repeat(filled));
        self.push(Style::Dim, off.repeat(columns - filled));
    }

    fn width(&self) -> usize {
        self.pieces.iter().map(|(_, text)| text.width()).sum()
    }

    fn cut(self, columns: usize, look: Look) -> Self {
        let mut left = columns;
        let mut row = Self::default();
        for (style, text) in self.pieces {
            let (text, width) = cut(&text, left, look);
            left -= width;
            row.push(style, text);
        }
        row
    }

    fn text(&self, look: Look) -> String {
        let mut text = String::new();
        for (style, piece) in self.pieces.iter().filter(|(_, piece)| !piece.is_empty()) {
            match style.code() {
                code if look.colours && !code.is_empty() => {
                    text.push_str(&format!("\x1b[{code}m{piece}\x1b[0m"));
                }
                _ => text.push_str(piece),
            }
        }
        text
    }
}

#[cfg(test)]
mod tests;
