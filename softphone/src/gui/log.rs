//! Messages sent and received, in order, as the terminal shows them.

use std::{collections::VecDeque, sync::Arc};

use codec::fold;
use i18n_embed_fl::fl;
use iced::{
    Center, Element, Fill,
    widget::{Column, column, container, operation, row, space as gap, text::Wrapping},
};
use jiff::tz::TimeZone;
use look::{Icon, Kind, button, icon, space, text};

use super::{Action, Cx, keys::Shortcut, people::when::time_of_day};
use crate::journal::{Journal, Line, Way, With};

/// By what the filter is found.
const FILTER: &str = "log-filter";

/// The narrowest window in which the filter and all else stand in one line, in logical pixels.
const BAR_FROM: f32 = 880.0;

/// How high a line is, in logical pixels.
const LINE: f32 = 28.0;

/// How wide the time of a line is, and with whom it was, in logical pixels.
const TIME: f32 = 92.0;
const WITH: f32 = 150.0;

/// The screen.
#[derive(Debug)]
pub struct Log {
    typed: String,
    show: Show,
    /// The journal as it was when it was paused.
    paused: Option<Arc<Journal>>,
    /// The numbers of the lines that fit, oldest first; nothing where all do.
    fitting: Option<VecDeque<u64>>,
    /// The number of the last line that was tried.
    tried: u64,
    selected: Option<u64>,
    copied: Option<usize>,
    zone: TimeZone,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            typed: String::new(),
            show: Show::All,
            paused: None,
            fitting: None,
            tried: 0,
            selected: None,
            copied: None,
            zone: TimeZone::system(),
        }
    }
}

/// Which lines are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    /// All of them.
    All,
    /// Messages that this phone sent.
    Sent,
    /// Messages that it received.
    Received,
    /// What it noted of itself.
    Notes,
}

/// What happened on it.
#[derive(Debug, Clone)]
pub enum Message {
    /// The filter was typed on.
    Typed(String),
    /// Other lines are to be shown.
    ShowPressed(Show),
    /// Nothing is to be added for now, or again.
    PausePressed,
    /// All lines that are shown are to be copied.
    CopyAllPressed,
    /// One line is to be copied, by its number.
    CopyPressed(u64),
    /// A line was chosen, by its number.
    LineChosen(Option<u64>),
    /// The filter is to be empty.
    ClearPressed,
}

impl Log {
    /// Takes in what happened.
    pub fn update(&mut self, message: Message, cx: &Cx<'_>) -> Action<Message> {
        self.copied = None;
        match message {
            Message::Typed(typed) => {
                self.typed = typed;
                self.filter_anew(cx);
                Action::None
            }
            Message::ShowPressed(show) => {
                self.show = show;
                self.filter_anew(cx);
                Action::None
            }
            Message::ClearPressed => {
                self.typed.clear();
                self.show = Show::All;
                self.filter_anew(cx);
                Action::None
            }
            Message::PausePressed => {
                self.paused = match self.paused {
                    Some(_) => None,
                    None => Some(Arc::clone(cx.journal)),
                };
                self.refresh(cx);
                Action::None
            }
            Message::CopyAllPressed => {
                let journal = self.journal(cx);
                let count = self.count(journal);
                let lines = (0..count).filter_map(|at| self.line(journal, at));
                let mut all = String::new();
                for line in lines {
                    all.push_str(&self.written(line, cx));
                    all.push('\n');
                }
                self.copied = Some(count);
                Action::Copy(all)
            }
            Message::CopyPressed(number) => {
                let Some(line) = numbered(self.journal(cx), number) else {
                    return Action::None;
                };
                let written = self.written(line, cx);
                self.copied = Some(1);
                Action::Copy(written)
            }
            Message::LineChosen(number) => {
                self.selected = number;
                Action::None
            }
        }
    }

    /// Does what a key means.
    pub fn key(&mut self, shortcut: Shortcut, cx: &Cx<'_>) -> Action<Message> {
        match shortcut {
            Shortcut::Pause => self.update(Message::PausePressed, cx),
            Shortcut::CopyAll => self.update(Message::CopyAllPressed, cx),
            Shortcut::Back => self.update(Message::ClearPressed, cx),
            Shortcut::Search => Action::Run(operation::focus(FILTER)),
            _ => Action::None,
        }
    }

    /// There may be more lines, and those of before may be gone.
    pub fn refresh(&mut self, cx: &Cx<'_>) {
        if self.typed.trim().is_empty() && self.show == Show::All {
            (self.fitting, self.tried) = (None, 0);
            return;
        }
        let journal = self.paused.as_ref().unwrap_or(cx.journal);
        let wanted = fold(self.typed.trim());
        let fitting = self.fitting.get_or_insert_default();
        let gone = gone(journal);
        while fitting.front().is_some_and(|number| *number <= gone) {
            fitting.pop_front();
        }
        for line in journal.since(self.tried) {
            if fits(line, self.show, &wanted) {
                fitting.push_back(line.number);
            }
            self.tried = line.number;
        }
    }

    fn filter_anew(&mut self, cx: &Cx<'_>) {
        (self.fitting, self.tried) = (None, 0);
        self.refresh(cx);
    }

    fn journal<'a>(&'a self, cx: &Cx<'a>) -> &'a Journal {
        self.paused.as_ref().unwrap_or(cx.journal)
    }

    fn count(&self, journal: &Journal) -> usize {
        match &self.fitting {
            Some(fitting) => fitting.len(),
            None => journal.len(),
        }
    }

    /// The line at a place of the list.
    fn line<'a>(&self, journal: &'a Journal, at: usize) -> Option<&'a Line> {
        match &self.fitting {
            Some(fitting) => numbered(journal, *fitting.get(at)?),
            None => journal.get(at),
        }
    }

    /// A line as it is copied.
    fn written(&self, line: &Line, cx: &Cx<'_>) -> String {
        let at = time_of_day(line.at, &self.zone);
        let way = match line.way {
            Way::Sent => "->",
            Way::Received => "<-",
            Way::Note => "--",
        };
        format!("{at} {way} {} {}", with(line, cx), line.text)
    }

    /// What is on it.
    #[must_use]
    pub fn view<'a>(&'a self, cx: &Cx<'a>) -> Element<'a, Message> {
        let journal = self.journal(cx);
        let count = self.count(journal);
        let lines: Element<'a, Message> = if count == 0 {
            self.nothing(journal, cx)
        } else {
            let context = *cx;
            let selected = self.selected.and_then(|number| self.place(journal, number));
            let first = self.line(journal, 0).map_or(0, |line| line.number);
            let shift = match &self.fitting {
                // Of lines that fit only their own count says how many went.
                Some(_) => 0,
                None => first,
            };
            look::rows(count, LINE, move |at| match self.line(journal, at) {
                Some(line) => self.shown(line, &context),
                None => gap().into(),
            })
            .selected(selected, move |at| {
                Message::LineChosen(self.line(journal, at).map(|line| line.number))
            })
            .follow()
            .first(shift)
            .into()
        };
        let lines = container(lines)
            .width(Fill)
            .height(Fill)
            .padding(space::XS)
            .style(look::surface);
        // What does not fit the filter is not shown below it either.
        let selected = self
            .selected
            .filter(|number| self.place(journal, *number).is_some());
        let selected = selected.and_then(|number| numbered(journal, number));
        Column::new()
            .push(self.bar(cx))
            .extend(self.notice(cx))
            .push(lines)
            .extend(selected.map(|line| self.whole(line, cx)))
            .push(self.foot(count, cx))
            .spacing(space::M)
            .padding(space::L)
            .into()
    }

    /// The filter, and what can be done.
    fn bar<'a>(&'a self, cx: &Cx<'a>) -> Element<'a, Message> {
        let texts = cx.texts;
        let filter = look::input(&fl!(texts, "log-filter"), &self.typed)
            .id(FILTER)
            .on_input(Message::Typed);
        let shows = look::segments(
            [
                (Show::All, fl!(texts, "log-all")),
                (Show::Sent, fl!(texts, "log-sent")),
                (Show::Received, fl!(texts, "log-received")),
                (Show::Notes, fl!(texts, "log-notes")),
            ],
            &self.show,
            Message::ShowPressed,
        );
        let (sign, words) = match self.paused {
            Some(_) => (Icon::Play, fl!(texts, "log-go-on")),
            None => (Icon::Pause, fl!(texts, "log-pause")),
        };
        let pause = button::secondary(sign).on_press(Message::PausePressed);
        let pause = look::tip(pause, words, Shortcut::Pause.key());
        let copy = button::secondary(Icon::Copy).on_press(Message::CopyAllPressed);
        let copy = look::tip(copy, fl!(texts, "log-copy-all"), Shortcut::CopyAll.key());
        let line = row![container(filter).width(Fill)].spacing(space::S);
        let line = line.align_y(Center);
        match cx.room.width < BAR_FROM {
            true => Column::new()
                .push(line.push(pause).push(copy))
                .push(shows)
                .spacing(space::S)
                .into(),
            false => line.push(shows).push(pause).push(copy).into(),
        }
    }

    fn notice<'a>(&'a self, cx: &Cx<'a>) -> Option<Element<'a, Message>> {
        let paused = self.paused.as_ref()?;
        let new = cx.journal.written().saturating_sub(paused.written());
        let words = fl!(cx.texts, "log-paused", count = new);
        let go_on = button::quiet(fl!(cx.texts, "log-go-on")).on_press(Message::PausePressed);
        Some(look::banner(Kind::Info, words, Some(go_on.into())))
    }

    fn nothing<'a>(&'a self, journal: &Journal, cx: &Cx<'a>) -> Element<'a, Message> {
        let texts = cx.texts;
        if journal.is_empty() {
            return look::empty(
                Icon::Log,
                fl!(texts, "log-empty-title"),
                fl!(texts, "log-empty-text"),
                None,
            );
        }
        let clear =
            button::secondary(fl!(texts, "log-nothing-clear")).on_press(Message::ClearPressed);
        look::empty(
            Icon::Filter,
            fl!(texts, "log-nothing-title"),
            fl!(texts, "log-nothing-text"),
            Some(clear.into()),
        )
    }

    /// The place of a line in the list.
    fn place(&self, journal: &Journal, number: u64) -> Option<usize> {
        match &self.fitting {
            Some(fitting) => fitting.binary_search(&number).ok(),
            None => place(journal, number),
        }
    }

    /// A line of the list.
    fn shown<'a>(&self, line: &'a Line, cx: &Cx<'a>) -> Element<'a, Message> {
        let short = |words: String| {
            text::caption(words)
                .style(text::muted)
                .wrapping(Wrapping::None)
        };
        let sign = match line.way {
            Way::Sent => icon(Icon::Up).style(text::accent),
            Way::Received => icon(Icon::Down).style(text::positive),
            Way::Note => icon(Icon::Minus).style(text::muted),
        };
        let with = container(short(with(line, cx))).width(WITH).clip(true);
        let words = text::body(line.text.as_str()).wrapping(Wrapping::None);
        row![
            container(short(time_of_day(line.at, &self.zone))).width(TIME),
            sign.size(14),
            with,
            container(words).width(Fill).clip(true)
        ]
        .spacing(space::S)
        .align_y(Center)
        .height(LINE)
        .padding([0.0, space::S])
        .into()
    }

    /// The line that is chosen, all of it.
    fn whole<'a>(&'a self, line: &'a Line, cx: &Cx<'a>) -> Element<'a, Message> {
        let copy = button::quiet(Icon::Copy).on_press(Message::CopyPressed(line.number));
        let copy = look::tip(copy, fl!(cx.texts, "log-copy-line"), None);
        let words = text::body(self.written(line, cx)).wrapping(Wrapping::WordOrGlyph);
        look::card(
            row![container(words).width(Fill), copy]
                .spacing(space::M)
                .align_y(Center),
        )
    }

    fn foot<'a>(&'a self, count: usize, cx: &Cx<'a>) -> Element<'a, Message> {
        let words = match self.copied {
            Some(copied) => fl!(cx.texts, "log-copied", count = copied),
            None => fl!(cx.texts, "log-count", count = count),
        };
        column![text::caption(words).style(text::muted)].into()
    }
}

/// How many lines are gone: the number of the last of them.
fn gone(journal: &Journal) -> u64 {
    journal.written() - journal.len() as u64
}

/// Where the line with this number is, as long as it is kept.
fn place(journal: &Journal, number: u64) -> Option<usize> {
    let at = number.checked_sub(gone(journal) + 1)?;
    usize::try_from(at).ok().filter(|at| *at < journal.len())
}

/// The line with this number, as long as it is kept.
fn numbered(journal: &Journal, number: u64) -> Option<&Line> {
    journal.get(place(journal, number)?)
}

/// With whom a message was exchanged, in short.
fn with(line: &Line, cx: &Cx<'_>) -> String {
    match &line.with {
        With::Registry => fl!(cx.texts, "log-with-registry"),
        With::Phone(phone) => phone.to_string(),
        With::Here => fl!(cx.texts, "log-with-here"),
    }
}

fn fits(line: &Line, show: Show, wanted: &str) -> bool {
    let way = match show {
        Show::All => true,
        Show::Sent => line.way == Way::Sent,
        Show::Received => line.way == Way::Received,
        Show::Notes => line.way == Way::Note,
    };
    let with = || match &line.with {
        With::Phone(phone) => phone.to_string().contains(wanted),
        With::Registry | With::Here => false,
    };
    way && (wanted.is_empty() || fold(&line.text).contains(wanted) || with())
}

#[cfg(test)]
pub(super) mod tests;
