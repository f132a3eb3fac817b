//! The log: every message that was sent and received, and what else happened.

use std::{borrow::Cow, ops::Range, path::PathBuf};

use i18n_embed_fl::fl;
use iced::{
    Center, Fill,
    widget::{
        column, container, row,
        text::{IntoFragment, Style, Wrapping},
    },
};
use look::{Dialog, Element, Icon, Kind, button, space, text};

use super::{
    Cx,
    lines::{Filter, Kinds, Line, Lines, What},
    page,
    times::{UTC, clock, clock_or_day, date},
};

mod export;

pub use export::{Exported, export, place};

/// How high a line is, in logical pixels.
const LINE: f32 = 26.0;

/// The same where what it says stands below the rest, which is in windows that are less wide.
const TWO_LINES: f32 = 46.0;
const NARROW: f32 = 1000.0;

/// How wide times, kinds and addresses are, in logical pixels.
const TIME: f32 = 96.0;
const WAY: f32 = 88.0;
const PEER: f32 = 152.0;

/// How high the chosen line is at most, in logical pixels: five lines of text. The rest of longer
/// ones is scrolled to.
const WHOLE: f32 = 91.0;

/// So many lines are copied at most: more belongs into a file.
pub const COPIED_MAX: usize = 10_000;

/// By what the field for searching is found.
pub const SEARCH: &str = "log-search";

/// The log, as a person looks at it.
#[derive(Debug, Default)]
pub struct Log {
    lines: Lines,
    search: String,
    kinds: Kinds,
    /// Lines from this number on are not shown.
    paused_at: Option<u64>,
    /// The number of the line that is chosen.
    chosen: Option<u64>,
    /// Where it is to be written, while a person is asked.
    file: Option<String>,
    exported: Option<Exported>,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Message {
    /// Something was typed to search for.
    SearchTyped(String),
    /// Other kinds are to be shown.
    KindsChosen(Kinds),
    /// Pause, or go on.
    PausePressed,
    /// A line was chosen, by its number.
    LineChosen(u64),
    /// The chosen line, or else all that are shown, are to be copied.
    CopyPressed,
    /// More lines are to be looked through.
    LookOn,
    /// What is shown is to be written to a file.
    ExportPressed,
    /// A place for that was typed.
    FileTyped(String),
    /// It is to be written there.
    ExportConfirmed,
    /// It was.
    Exported(Exported),
    /// What came of it was read.
    ExportedRead,
    /// The path of what was written is to be copied.
    PathPressed(PathBuf),
    /// The folder of what was written is to be shown.
    FolderPressed(PathBuf),
    /// Everything is to be forgotten.
    ClearPressed,
    /// Everything is to be shown.
    ShowAllPressed,
    /// Escape.
    Dismissed,
}

/// What the window is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    None,
    /// Puts this on the clipboard.
    Copy(String),
    /// Says [`Message::LookOn`] as soon as there is time.
    LookOn,
    /// Asks where to write it, with [`Log::ask`].
    Ask,
    /// Writes this into a file, of which a person typed where it is.
    Export(String, Vec<Line>),
    /// Shows the folder of this file.
    Show(PathBuf),
}

impl Log {
    /// Takes in lines.
    pub fn push(&mut self, lines: impl IntoIterator<Item = Line>) {
        lines.into_iter().for_each(|line| self.lines.push(line));
        if self.chosen.is_some_and(|it| it < self.lines.dropped()) {
            self.chosen = None;
        }
    }

    /// The lines.
    #[must_use]
    pub fn lines(&self) -> &Lines {
        &self.lines
    }

    /// What is to be done about what happened.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::SearchTyped(search) => {
                self.search = search;
                return self.look();
            }
            Message::KindsChosen(kinds) => {
                self.kinds = kinds;
                return self.look();
            }
            Message::ShowAllPressed => {
                self.search.clear();
                self.kinds = Kinds::All;
                return self.look();
            }
            Message::LookOn => {
                self.lines.look_on();
                return self.looks_on();
            }
            Message::PausePressed => {
                self.paused_at = match self.paused_at {
                    Some(_) => None,
                    None => Some(self.lines.next()),
                };
            }
            Message::LineChosen(number) => self.chosen = Some(number),
            Message::CopyPressed => return Action::Copy(self.copied()),
            Message::ExportPressed if self.shown() > 0 => return Action::Ask,
            Message::ExportPressed => {}
            Message::FileTyped(typed) => self.file = Some(typed),
            Message::ExportConfirmed => {
                let typed = self.file.take_if(|it| !it.trim().is_empty());
                if let Some(typed) = typed {
                    return Action::Export(typed, self.snapshot());
                }
            }
            Message::PathPressed(path) => return Action::Copy(path.display().to_string()),
            Message::FolderPressed(path) => return Action::Show(path),
            Message::Exported(exported) => self.exported = Some(exported),
            Message::ExportedRead => self.exported = None,
            Message::ClearPressed => {
                self.lines.clear();
                self.chosen = None;
                self.paused_at = self.paused_at.map(|_| self.lines.next());
            }
            Message::Dismissed => {
                if self.file.take().is_none() && self.exported.take().is_none() {
                    self.chosen = None;
                }
            }
        }
        Action::None
    }

    /// The log is being looked at as it was.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.paused_at.is_some()
    }

    /// Asks where to write what is shown: there, unless a person types something else.
    pub fn ask(&mut self, file: String) {
        self.file = Some(file);
    }

    /// What is to be answered first, if something is.
    #[must_use]
    pub fn question<'a>(&self, cx: &Cx<'a>) -> Option<Dialog<'a, Message>> {
        let typed = self.file.as_deref()?;
        Some(export::question(typed, self.shown(), cx))
    }

    fn look(&mut self) -> Action {
        self.chosen = None;
        self.lines.look_for(Filter::new(&self.search, self.kinds));
        self.looks_on()
    }

    fn looks_on(&self) -> Action {
        match self.lines.is_looking() {
            true => Action::LookOn,
            false => Action::None,
        }
    }

    fn shown(&self) -> usize {
        self.lines.found(self.paused_at.unwrap_or(u64::MAX))
    }

    /// The place of the line that is chosen, if it is shown.
    fn place(&self) -> Option<usize> {
        let at = self.lines.found(self.chosen?);
        let (number, _) = self.lines.get(at)?;
        (Some(number) == self.chosen && at < self.shown()).then_some(at)
    }

    fn copied(&self) -> String {
        let shown = self.shown();
        match self.place() {
            Some(at) => self.written(at..at + 1),
            None => self.written(shown.saturating_sub(COPIED_MAX)..shown),
        }
    }

    /// Lines as they are copied.
    fn written(&self, places: Range<usize>) -> String {
        let mut text = Vec::new();
        for (_, line) in places.filter_map(|at| self.lines.get(at)) {
            // Writing to memory does not fail.
            let _ = export::write_line(line, &mut text);
        }
        String::from_utf8(text).unwrap_or_default()
    }

    /// The lines that are shown.
    fn snapshot(&self) -> Vec<Line> {
        let lines = (0..self.shown()).filter_map(|at| self.lines.get(at));
        lines.map(|(_, line)| line.clone()).collect()
    }
}

/// What a line tells of, in a file.
fn word(what: What) -> &'static str {
    match what {
        What::Received(_) => "received",
        What::Sent(_) => "sent",
        What::Connection(_) => "connection",
        What::Note => "note",
        What::Warning => "warning",
        What::Missing(_) => "missing",
    }
}

impl Log {
    /// The screen.
    #[must_use]
    pub fn view<'a>(&'a self, cx: &Cx<'a>) -> Element<'a, Message> {
        let shown = self.shown();
        let content: Element<'a, Message> = if shown > 0 {
            let cx = *cx;
            // Where a filter is, those that it found move up when old ones are dropped.
            let first = match self.lines.filter().is_open() {
                true => self.lines.dropped(),
                false => 0,
            };
            let height = if is_narrow(&cx) { TWO_LINES } else { LINE };
            look::rows(shown, height, move |at| self.line(at, &cx))
                .selected(self.place(), |at| {
                    // Its number, because it may be elsewhere by then.
                    let number = self.lines.get(at).map(|(number, _)| number);
                    Message::LineChosen(number.unwrap_or(u64::MAX))
                })
                .follow()
                .first(first)
                .into()
        } else if self.lines.is_empty() {
            look::empty(
                Icon::Log,
                fl!(cx.texts, "log-empty-title"),
                match cx.seen.phase.is_open() {
                    true => fl!(cx.texts, "log-empty-open"),
                    false => fl!(cx.texts, "log-empty-closed"),
                },
                None,
            )
        } else if self.lines.is_looking() {
            column![].into()
        } else {
            let all = button::secondary(fl!(cx.texts, "log-show-all"));
            look::empty(
                Icon::Search,
                fl!(cx.texts, "log-unfound-title"),
                fl!(cx.texts, "log-unfound-text"),
                Some(all.on_press(Message::ShowAllPressed).into()),
            )
        };
        let card = container(content)
            .style(look::surface)
            .width(Fill)
            .height(Fill)
            .padding([space::XS, 1.0]);
        let body = column![self.filters(cx)]
            .extend(self.notices(cx))
            .push(card)
            .extend(self.whole(cx))
            .spacing(space::M);
        page(
            fl!(cx.texts, "log"),
            self.count(shown, cx),
            self.tools(shown, cx),
            body,
        )
    }

    fn count(&self, shown: usize, cx: &Cx<'_>) -> String {
        let kept = self.lines.len();
        match shown == kept {
            _ if self.lines.is_looking() => fl!(cx.texts, "log-looking", shown = shown),
            true => fl!(cx.texts, "log-count", kept = kept),
            false => fl!(cx.texts, "log-count-found", shown = shown, kept = kept),
        }
    }

    fn tools<'a>(&self, shown: usize, cx: &Cx<'a>) -> Element<'a, Message> {
        let pause = match self.paused_at {
            None => button::secondary((Icon::Pause, fl!(cx.texts, "pause"))),
            Some(_) => button::primary((Icon::Play, fl!(cx.texts, "go-on"))),
        };
        let some = shown > 0;
        let copy = button::secondary((Icon::Copy, fl!(cx.texts, "copy")));
        let copied = match self.place() {
            Some(_) => fl!(cx.texts, "log-copy-line-tip"),
            None => fl!(cx.texts, "log-copy-tip", most = COPIED_MAX),
        };
        let export = button::secondary((Icon::Export, fl!(cx.texts, "export")));
        let clear = button::quiet(Icon::Trash);
        let has = !self.lines.is_empty();
        row![
            look::tip(
                pause.on_press(Message::PausePressed),
                fl!(cx.texts, "pause-tip"),
                Some("Ctrl+P")
            ),
            look::tip(
                copy.on_press_maybe(some.then_some(Message::CopyPressed)),
                copied,
                Some("Ctrl+C")
            ),
            look::tip(
                export.on_press_maybe(some.then_some(Message::ExportPressed)),
                fl!(cx.texts, "export-tip"),
                Some("Ctrl+E")
            ),
            look::tip(
                clear.on_press_maybe(has.then_some(Message::ClearPressed)),
                fl!(cx.texts, "clear-tip"),
                None
            ),
        ]
        .spacing(space::S)
        .into()
    }

    fn filters<'a>(&self, cx: &Cx<'a>) -> Element<'a, Message> {
        let kinds = Kinds::ALL.map(|kinds| {
            let words = match kinds {
                Kinds::All => fl!(cx.texts, "log-all"),
                Kinds::Received => fl!(cx.texts, "log-received"),
                Kinds::Sent => fl!(cx.texts, "log-sent"),
                Kinds::Events => fl!(cx.texts, "log-events"),
                Kinds::Warnings => fl!(cx.texts, "log-warnings"),
            };
            (kinds, words)
        });
        let search = look::input(&fl!(cx.texts, "log-search"), &self.search)
            .id(SEARCH)
            .on_input(Message::SearchTyped);
        let search = look::tip(search, fl!(cx.texts, "log-search-tip"), Some("Ctrl+F"));
        row![
            look::segments(kinds, &self.kinds, Message::KindsChosen),
            container(search).width(Fill),
        ]
        .spacing(space::M)
        .align_y(Center)
        .into()
    }

    fn notices<'a>(&'a self, cx: &Cx<'a>) -> impl Iterator<Item = Element<'a, Message>> {
        let paused = self.paused_at.map(|at| {
            let more = self.lines.next().saturating_sub(at);
            look::banner(Kind::Info, fl!(cx.texts, "log-paused", more = more), None)
        });
        let (dropped, missed) = (self.lines.dropped(), self.lines.missed());
        let dropped = (dropped > 0 && !self.lines.is_empty()).then(|| {
            let text = fl!(cx.texts, "log-dropped", dropped = dropped);
            text::caption(text).style(text::muted).into()
        });
        let missed = (missed > 0).then(|| {
            let text = fl!(cx.texts, "log-missed", missed = missed);
            look::banner(Kind::Warning, text, None)
        });
        let exported = self.exported.as_ref().map(|it| export::told(it, cx));
        paused
            .into_iter()
            .chain(exported)
            .chain(missed)
            .chain(dropped)
    }

    /// The chosen line, however long it is.
    fn whole<'a>(&'a self, cx: &Cx<'a>) -> Option<Element<'a, Message>> {
        let (_, line) = self.lines.get(self.place()?)?;
        let (.., way) = way(line.what, cx);
        let peer = line.what.peer().map(|it| it.to_string());
        let here = format!(
            "{} {}",
            date(cx.texts, line.at, cx.zone),
            clock(line.at, cx.zone)
        );
        // As it stands in files.
        let utc = format!("{} UTC", clock(line.at, &UTC));
        let head = [Some(here), Some(utc), Some(way), peer];
        let head = head.into_iter().flatten().collect::<Vec<_>>();
        let head = text::caption(head.join("   ")).style(text::muted);
        let copy = button::quiet(Icon::Copy).on_press(Message::CopyPressed);
        let copy = look::tip(copy, fl!(cx.texts, "log-copy-line-tip"), Some("Ctrl+C"));
        let close = button::quiet(Icon::Close).on_press(Message::Dismissed);
        let close = look::tip(close, fl!(cx.texts, "close-panel"), Some("Esc"));
        let said = text::body(said(line, cx)).wrapping(Wrapping::WordOrGlyph);
        let said = look::scroll(container(said).padding(iced::padding::right(space::L)));
        let content = column![
            row![head.width(Fill), copy, close].align_y(Center),
            container(look::scroll_by_keys(said)).max_height(WHOLE),
        ];
        Some(look::card(content.spacing(space::XS)))
    }

    fn line<'a>(&'a self, at: usize, cx: &Cx<'a>) -> Element<'a, Message> {
        let Some((_, line)) = self.lines.get(at) else {
            return iced::widget::space().into();
        };
        let (kind, sign, words) = way(line.what, cx);
        let way = row![
            look::icon(sign).size(13).style(coloured(kind)),
            plain(words).style(coloured(kind)),
        ]
        .spacing(space::XS)
        .align_y(Center)
        .width(WAY);
        let peer = line.what.peer();
        let peer = peer.map_or_else(String::new, |it| it.to_string());
        let when = clock_or_day(cx.texts, line.at, cx.clock, cx.zone);
        let when = plain(when).style(text::muted).width(TIME);
        let said = look::cut(said(line, cx), text::ordinary);
        let peer = look::cut(peer, text::muted);
        let line = match is_narrow(cx) {
            false => row![when, way, container(peer).width(PEER), said]
                .spacing(space::S)
                .align_y(Center),
            true => {
                let head = row![when, way, peer].spacing(space::S).align_y(Center);
                row![column![head, said].spacing(2.0)].align_y(Center)
            }
        };
        line.height(Fill).padding([0.0, space::M]).into()
    }
}

fn is_narrow(cx: &Cx<'_>) -> bool {
    cx.width < NARROW
}

/// What a line tells of, as it is shown.
fn way(what: What, cx: &Cx<'_>) -> (Kind, Icon, String) {
    match what {
        What::Received(_) => (Kind::Positive, Icon::Down, fl!(cx.texts, "way-received")),
        What::Sent(_) => (Kind::Info, Icon::Up, fl!(cx.texts, "way-sent")),
        What::Connection(_) => (Kind::Neutral, Icon::Link, fl!(cx.texts, "way-connection")),
        What::Note => (Kind::Neutral, Icon::Info, fl!(cx.texts, "way-note")),
        What::Warning => (Kind::Warning, Icon::Alert, fl!(cx.texts, "way-warning")),
        What::Missing(_) => (Kind::Warning, Icon::More, fl!(cx.texts, "way-missing")),
    }
}

fn said<'a>(line: &'a Line, cx: &Cx<'_>) -> Cow<'a, str> {
    match line.what {
        What::Missing(lines) => Cow::Owned(fl!(cx.texts, "line-missing", lines = lines)),
        _ => Cow::Borrowed(&*line.text),
    }
}

fn plain<'a>(words: impl IntoFragment<'a>) -> text::Text<'a> {
    text::caption(words).wrapping(Wrapping::None)
}

fn coloured(kind: Kind) -> fn(&iced::Theme) -> Style {
    match kind {
        Kind::Positive => text::positive,
        Kind::Info => text::accent,
        Kind::Warning => text::warning,
        Kind::Danger => text::danger,
        Kind::Neutral => text::muted,
    }
}
