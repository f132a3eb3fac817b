//! Where text goes: a thread of its own writes, so that nobody who reads slowly, or not at all,
//! keeps the phone waiting. On a terminal it also keeps a few live rows below everything else.

use std::{
    collections::VecDeque,
    fmt::Write as _,
    io::Write,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

/// How many lines may wait to be written.
const LINES_MAX: usize = 1024;

/// How long the phone waits for room, and for the last lines to be read. After waiting in vain it
/// does not wait again before something has been read.
const PATIENCE: Duration = Duration::from_secs(1);

/// Takes the live rows away and shows the cursor again.
pub const RESTORED: &str = "\r\x1b[J\x1b[?7h\x1b[?25h";

/// What becomes of a line when [`LINES_MAX`] others wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// It is written if its reader reads again within [`PATIENCE`]; else it is counted as lost.
    Kept,
    /// It is dropped: another one like it comes soon.
    Passing,
}

/// One stream that text is written to. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Outlet {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    /// Something is to be written.
    filled: Condvar,
    /// Something was written.
    written: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    lines: VecDeque<String>,
    /// The rows below, if any; they may have changed.
    live: Option<Vec<String>>,
    live_changed: bool,
    /// Nobody reads.
    stuck: bool,
    /// Lines that nobody could read.
    lost: u64,
    /// How often something was written.
    turns: u64,
    /// The thread is writing.
    busy: bool,
    /// How many lines it is writing.
    in_hand: usize,
}

impl Outlet {
    /// Starts the thread. Without it (the system has none to give) nothing is written.
    pub fn new(to: impl Write + Send + 'static) -> Self {
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            filled: Condvar::new(),
            written: Condvar::new(),
        });
        let writes = Arc::clone(&shared);
        // It ends with the program: a write that nobody reads cannot be taken back.
        let _ = thread::Builder::new()
            .name("written".to_owned())
            .spawn(move || writes.write_to(to));
        Self { shared }
    }

    /// Writes a line, in time.
    pub fn line(&self, text: String, weight: Weight) {
        let mut queue = self.shared.lock();
        if queue.lines.len() >= LINES_MAX {
            if weight == Weight::Passing {
                return;
            }
            if !queue.stuck {
                let full = |queue: &mut Queue| queue.lines.len() >= LINES_MAX;
                let waited = self
                    .shared
                    .written
                    .wait_timeout_while(queue, PATIENCE, full);
                (queue, _) = waited.unwrap_or_else(PoisonError::into_inner);
            }
            if queue.lines.len() >= LINES_MAX {
                queue.stuck = true;
                queue.lost += 1;
                return;
            }
        }
        queue.lines.push_back(text);
        self.shared.filled.notify_one();
    }

    /// Shows these rows below everything else; each must fit the terminal's width. `None` takes
    /// them away.
    pub fn live(&self, rows: Option<Vec<String>>) {
        let mut queue = self.shared.lock();
        if queue.live != rows {
            queue.live = rows;
            queue.live_changed = true;
            self.shared.filled.notify_one();
        }
    }

    /// Draws the live rows anew, whatever the terminal shows.
    pub fn redraw(&self) {
        let mut queue = self.shared.lock();
        queue.live_changed = true;
        self.shared.filled.notify_one();
    }

    /// Waits until all is written, as long as somebody reads. Returns how many lines nobody read,
    /// of those that count.
    pub fn flush(&self) -> u64 {
        let mut queue = self.shared.lock();
        loop {
            let turns = queue.turns;
            if queue.is_done() || queue.stuck {
                break;
            }
            let same = |queue: &mut Queue| queue.turns == turns && !queue.is_done();
            let waited = self
                .shared
                .written
                .wait_timeout_while(queue, PATIENCE, same);
            let (after, result) = waited.unwrap_or_else(PoisonError::into_inner);
            queue = after;
            if result.timed_out() {
                queue.stuck = true;
            }
        }
        queue.lost + (queue.in_hand + queue.lines.len()) as u64
    }
}

impl Queue {
    fn is_done(&self) -> bool {
        self.lines.is_empty() && !self.live_changed && !self.busy
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread.
    fn write_to(&self, mut to: impl Write) {
        let mut shown = false;
        loop {
            let idle = |queue: &mut Queue| queue.lines.is_empty() && !queue.live_changed;
            let waited = self.filled.wait_while(self.lock(), idle);
            let mut queue = waited.unwrap_or_else(PoisonError::into_inner);
            let lines = std::mem::take(&mut queue.lines);
            let live = queue.live.clone();
            queue.live_changed = false;
            (queue.busy, queue.in_hand) = (true, lines.len());
            drop(queue);
            let text = painted(&lines, shown, live.as_deref());
            shown = live.is_some();
            // Whoever does not read any more does not need to be told; the phone goes on.
            let _ = to.write_all(text.as_bytes()).and_then(|()| to.flush());
            let mut queue = self.lock();
            (queue.busy, queue.in_hand) = (false, 0);
            queue.stuck = false;
            queue.turns += 1;
            self.written.notify_all();
        }
    }
}

/// What is written for `lines`, above the rows of `live`, when live rows are `shown` already.
///
/// While live rows are shown, the cursor stands at the beginning of the first one: a terminal that
/// breaks rows anew when it is resized keeps it there, and all that has to go is what comes after.
fn painted<'a>(
    lines: impl IntoIterator<Item = &'a String>,
    shown: bool,
    live: Option<&[String]>,
) -> String {
    let mut text = String::new();
    let mut lines = lines.into_iter().peekable();
    if shown && live.is_none() {
        text.push_str(RESTORED);
    } else if shown && lines.peek().is_some() {
        text.push_str("\r\x1b[J");
    }
    for line in lines {
        text.push_str(line);
        text.push('\n');
    }
    let Some(rows) = live else { return text };
    // Rows that do not fit are cut by the terminal, should it have become narrower just now.
    text.push_str("\x1b[?25l\x1b[?7l\r");
    for (at, row) in rows.iter().enumerate() {
        if at > 0 {
            text.push_str("\r\n");
        }
        text.push_str(row);
        text.push_str("\x1b[K");
    }
    text.push_str("\x1b[J\r");
    if rows.len() > 1 {
        let _ = write!(text, "\x1b[{}A", rows.len() - 1);
    }
    text.push_str("\x1b[?7h");
    text
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::mpsc::{Receiver, SyncSender, sync_channel},
    };

    use super::*;

    /// A terminal that knows what is written to it here: rows, a cursor, and nothing else.
    #[derive(Default)]
    struct Paper {
        rows: Vec<String>,
        at: (usize, usize),
        cursor_hidden: bool,
    }

    impl Paper {
        fn write(&mut self, text: &str) {
            let mut chars = text.chars();
            while let Some(c) = chars.next() {
                self.rows
                    .resize(self.rows.len().max(self.at.0 + 1), String::new());
                match c {
                    '\r' => self.at.1 = 0,
                    '\n' => self.at = (self.at.0 + 1, 0),
                    '\x1b' => {
                        assert_eq!(chars.next(), Some('['));
                        let mut number = String::new();
                        let order = loop {
                            match chars.next().unwrap() {
                                c if c.is_ascii_alphabetic() => break c,
                                c => number.push(c),
                            }
                        };
                        self.obey(order, &number);
                    }
                    c => {
                        let row = &mut self.rows[self.at.0];
                        let mut cells: Vec<char> = row.chars().collect();
                        cells.resize(cells.len().max(self.at.1 + 1), ' ');
                        cells[self.at.1] = c;
                        *row = cells.into_iter().collect();
                        self.at.1 += 1;
                    }
                }
            }
        }

        fn obey(&mut self, order: char, number: &str) {
            let (row, column) = self.at;
            match (order, number) {
                ('J' | 'K', "") => {
                    let kept: String = self.rows[row].chars().take(column).collect();
                    self.rows[row] = kept;
                    if order == 'J' {
                        self.rows.truncate(row + 1);
                    }
                }
                ('A', up) => self.at.0 -= up.parse::<usize>().unwrap(),
                ('h' | 'l', "?25") => self.cursor_hidden = order == 'l',
                ('h' | 'l', "?7") => {}
                _ => panic!("{number}{order}"),
            }
        }

        fn shows(&self) -> Vec<&str> {
            self.rows.iter().map(String::as_str).collect()
        }
    }

    fn strings(rows: &[&str]) -> Vec<String> {
        rows.iter().map(|&row| row.to_owned()).collect()
    }

    #[test]
    fn messages_scroll_above_the_live_rows_and_leave_nothing_of_them() {
        let mut paper = Paper::default();
        let first = strings(&["in a call with bob", "h hang up"]);
        paper.write(&painted(&strings(&["registered"]), false, Some(&first)));
        assert_eq!(
            paper.shows(),
            ["registered", "in a call with bob", "h hang up"]
        );
        assert!(paper.cursor_hidden);
        let second = strings(&["reconnecting", "h hang up"]);
        paper.write(&painted(&strings(&["no news"]), true, Some(&second)));
        assert_eq!(
            paper.shows(),
            ["registered", "no news", "reconnecting", "h hang up"]
        );
        let third = strings(&["waiting"]);
        paper.write(&painted(&[], true, Some(&third)));
        assert_eq!(paper.shows(), ["registered", "no news", "waiting"]);
        paper.write(&painted(&strings(&["bob hung up"]), true, None));
        assert_eq!(paper.shows(), ["registered", "no news", "bob hung up"]);
        assert!(!paper.cursor_hidden);
    }

    #[test]
    fn without_live_rows_nothing_but_the_lines_is_written() {
        let lines = strings(&["one", "two"]);
        assert_eq!(painted(&lines, false, None), "one\ntwo\n");
    }

    /// A reader that reads when it is told to, and keeps what it read.
    struct Slow {
        may_read: Receiver<()>,
        wants: SyncSender<()>,
        read: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.wants.try_send(());
            // For ever, when nobody is left to tell.
            if self.may_read.recv().is_err() {
                loop {
                    thread::park();
                }
            }
            self.read.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    type Reads = (Outlet, SyncSender<()>, Receiver<()>, Arc<Mutex<Vec<u8>>>);

    fn slow() -> Reads {
        let (read_on, may_read) = sync_channel(10);
        let (wants, wanted) = sync_channel(1);
        let read = Arc::default();
        let slow = Slow {
            may_read,
            wants,
            read: Arc::clone(&read),
        };
        (Outlet::new(slow), read_on, wanted, read)
    }

    #[test]
    fn whoever_reads_nothing_costs_one_wait_and_is_told_what_was_lost() {
        let (outlet, read_on, wanted, read) = slow();
        outlet.line("first".to_owned(), Weight::Kept);
        // The first line is being written, and stays there.
        wanted.recv().unwrap();
        for number in 0..LINES_MAX {
            outlet.line(number.to_string(), Weight::Kept);
        }
        outlet.line("figures".to_owned(), Weight::Passing);
        for _ in 0..50 {
            outlet.line("lost".to_owned(), Weight::Kept);
        }
        assert_eq!(outlet.shared.lock().lost, 50);
        assert_eq!(outlet.shared.lock().lines.len(), LINES_MAX);
        // What waited is written when somebody reads again, and what comes then as well.
        for _ in 0..3 {
            read_on.send(()).unwrap();
        }
        outlet.shared.lock().stuck = false;
        assert_eq!(outlet.flush(), 50);
        outlet.line("last".to_owned(), Weight::Kept);
        outlet.flush();
        let read = String::from_utf8(read.lock().unwrap().clone()).unwrap();
        assert_eq!(read.lines().count(), 1 + LINES_MAX + 1);
        assert!(read.ends_with("\n1023\nlast\n"), "{read}");
    }

    #[test]
    fn an_end_does_not_wait_for_ever_for_a_reader() {
        let (outlet, read_on, wanted, _) = slow();
        outlet.line("first".to_owned(), Weight::Kept);
        wanted.recv().unwrap();
        outlet.line("second".to_owned(), Weight::Kept);
        assert_eq!(outlet.flush(), 2);
        drop(read_on);
    }
}
