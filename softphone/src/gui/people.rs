//! Whom one can call: the directory, favourites, people who are known, and the calls of before.

use std::{sync::Arc, time::Duration};

use codec::{IdentityKey, Name, UnixMillis};
use i18n_embed_fl::fl;
use iced::{
    Element, Fill, Length, Task,
    widget::{container, operation, responsive, row, space as gap},
};
use jiff::tz::TimeZone;
use look::space;

use super::{Action, Cx, keys::Shortcut};
use crate::{
    contacts::{Book, Change},
    engine::{self, Command},
    history::{self, Past},
    phone::{self, Event, Found, Target, Unfound},
    roster::Roster,
    settings::preferences,
};

mod details;
mod list;
pub mod listed;
mod me;
mod recent;
mod typed;
pub mod when;

use listed::Row;
use typed::Typed;

/// By what the search field is found.
const SEARCH: &str = "people-search";

/// How long somebody is chosen before it is asked where they are: who goes through the list with
/// the arrow keys does not want to ask for everybody.
const SETTLED: Duration = Duration::from_millis(300);

/// The narrowest place for the list and a person beside it, in logical pixels.
const BOTH_FROM: f32 = 640.0;

/// How wide the list is beside a person.
const LIST: f32 = 340.0;

/// The screen.
#[derive(Debug)]
pub struct People {
    typed: String,
    /// Something was typed since somebody was opened.
    typing: bool,
    tab: Tab,
    rows: Vec<Row>,
    /// What the rows were made of last.
    made_of: Option<Sources>,
    open: Option<Open>,
    asks: Option<Ask>,
    copied: Option<String>,
    /// Counts who was opened, so that an answer for an earlier one is known.
    opened: u64,
    /// When the newest missed call was that the phone has been told to be seen.
    seen_until: Option<UnixMillis>,
    /// By which clocks the calls of before are told.
    zone: TimeZone,
}

impl Default for People {
    fn default() -> Self {
        Self {
            typed: String::new(),
            typing: false,
            tab: Tab::Everyone,
            rows: Vec::new(),
            made_of: None,
            open: None,
            asks: None,
            copied: None,
            opened: 0,
            seen_until: None,
            zone: TimeZone::system(),
        }
    }
}

/// What the list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tab {
    /// Everybody.
    #[default]
    Everyone,
    /// The calls of before.
    Recent,
}

/// What the rows are made of: of the same, they need not be made again.
#[derive(Debug)]
struct Sources {
    roster: Arc<Roster>,
    book: Arc<Book>,
    favourites: Vec<String>,
    typed: String,
}

impl Sources {
    fn of(cx: &Cx<'_>, typed: &str) -> Self {
        Self {
            roster: Arc::clone(cx.roster),
            book: Arc::clone(cx.book),
            favourites: cx.preferences.favourites.clone(),
            typed: typed.to_owned(),
        }
    }

    fn are(&self, cx: &Cx<'_>, typed: &str) -> bool {
        Arc::ptr_eq(&self.roster, cx.roster)
            && Arc::ptr_eq(&self.book, cx.book)
            && self.favourites == cx.preferences.favourites
            && self.typed == typed
    }
}

/// Somebody whose details are shown.
#[derive(Debug)]
struct Open {
    target: Target,
    finding: Finding,
}

/// Where somebody is.
#[derive(Debug)]
enum Finding {
    /// It is not asked yet: they were only just chosen.
    Chosen,
    Asking,
    Found(Found),
    Unfound(Unfound),
}

/// What the person is asked before it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Ask {
    Forget {
        registry: Option<IdentityKey>,
        name: Name,
    },
    Clear,
}

/// What happened on it.
#[derive(Debug, Clone)]
pub enum Message {
    /// Something was typed.
    Typed(String),
    /// The list is to show something else.
    TabPressed(Tab),
    /// A row of the list was chosen: whom it is about, if it is about anybody.
    RowChosen(Option<Target>),
    /// A row of the list is to be called, likewise.
    RowPressed(Option<Target>),
    /// Details of somebody are wanted.
    OpenPressed(Target),
    /// Somebody has been chosen for a while.
    Settled(u64),
    /// Somebody is to be called.
    CallPressed(Target),
    /// It is to be asked anew where they are.
    LookupPressed,
    /// Somebody is to be a favourite, or no longer.
    FavouritePressed(Name, bool),
    /// The details are to close.
    ClosePressed,
    /// This is to be copied.
    CopyPressed(String),
    /// Somebody is not to be let in, or is again.
    BlockPressed(Option<IdentityKey>, Name, bool),
    /// Somebody is to be forgotten.
    ForgetPressed(Option<IdentityKey>, Name),
    /// All calls are to be forgotten.
    ClearPressed,
    /// What was asked is to be done.
    YesPressed,
    /// What was asked is not to be done.
    NoPressed,
    /// The person is away, or back.
    AwayPressed(bool),
    /// The person is not to be disturbed, or may be.
    DndPressed(bool),
}

impl People {
    /// Takes in what happened.
    pub fn update(&mut self, message: Message, cx: &Cx<'_>) -> Action<Message> {
        self.copied = None;
        match message {
            Message::Typed(typed) => {
                self.typed = typed;
                self.typing = true;
                self.refresh(cx);
                Action::None
            }
            Message::TabPressed(tab) => {
                self.tab = tab;
                self.asks = None;
                match tab {
                    Tab::Recent => self.see(cx),
                    Tab::Everyone => Action::None,
                }
            }
            Message::RowChosen(Some(target)) => self.choose(target),
            Message::RowPressed(Some(target)) => call(target),
            Message::RowChosen(None) | Message::RowPressed(None) => Action::None,
            Message::OpenPressed(target) => self.look_up(target),
            Message::Settled(opened) if opened == self.opened => match &self.open {
                Some(Open {
                    target,
                    finding: Finding::Chosen,
                }) => {
                    let target = target.clone();
                    self.look_up(target)
                }
                _ => Action::None,
            },
            Message::Settled(_) => Action::None,
            Message::CallPressed(target) => call(target),
            Message::LookupPressed => match &self.open {
                Some(open) => {
                    let target = open.target.clone();
                    self.look_up(target)
                }
                None => Action::None,
            },
            Message::FavouritePressed(name, favourite) => {
                Action::Prefer(preferences::Change::Favourite(name, favourite))
            }
            Message::ClosePressed => {
                self.open = None;
                self.asks = None;
                Action::None
            }
            Message::CopyPressed(text) => {
                self.copied = Some(text.clone());
                Action::Copy(text)
            }
            Message::BlockPressed(registry, name, blocked) => change(Change::Block {
                registry,
                name,
                blocked,
            }),
            Message::ForgetPressed(registry, name) => {
                self.asks = Some(Ask::Forget { registry, name });
                Action::None
            }
            Message::ClearPressed => {
                self.asks = Some(Ask::Clear);
                Action::None
            }
            Message::YesPressed => match self.asks.take() {
                Some(Ask::Forget { registry, name }) => change(Change::Forget { registry, name }),
                Some(Ask::Clear) => Action::Tell(Command::History(history::Change::Clear)),
                None => Action::None,
            },
            Message::NoPressed => {
                self.asks = None;
                Action::None
            }
            Message::AwayPressed(away) => Action::phone(phone::Command::Away(away)),
            Message::DndPressed(dnd) => Action::phone(phone::Command::Dnd(dnd)),
        }
    }

    /// Takes in what happened in the phone.
    pub fn hear(&mut self, event: &engine::Event) {
        if let engine::Event::Phone(Event::Found { target, found }) = event
            && let Some(open) = &mut self.open
            && open.target == *target
        {
            open.finding = match found {
                Ok(found) => Finding::Found(found.clone()),
                Err(unfound) => Finding::Unfound(unfound.clone()),
            };
        }
    }

    /// Missed calls are seen while their list is. `is_open` is that this screen is.
    pub fn settle(&mut self, is_open: bool, cx: &Cx<'_>) -> Action<Message> {
        let is_open = is_open && cx.focused.is_some() && self.tab == Tab::Recent;
        match newest_unseen(cx) {
            // What is told already takes a moment to be seen here.
            Some(at) if is_open && self.seen_until != Some(at) => self.see(cx),
            _ => Action::None,
        }
    }

    fn see(&mut self, cx: &Cx<'_>) -> Action<Message> {
        self.seen_until = newest_unseen(cx);
        Action::Tell(Command::History(history::Change::Seen))
    }

    /// The directory, the contacts or what was set may have changed.
    pub fn refresh(&mut self, cx: &Cx<'_>) {
        let same = |of: &Sources| of.are(cx, &self.typed);
        if self.made_of.as_ref().is_some_and(same) {
            return;
        }
        self.made_of = Some(Sources::of(cx, &self.typed));
        let directory = cx.roster.entries.iter();
        let directory = directory.map(|entry| (entry.name.clone(), entry.presence));
        self.rows = listed::rows(
            directory,
            cx.roster.registry,
            cx.book,
            &cx.preferences.favourites,
            &cx.board.name,
            &self.typed,
        );
    }

    /// Does what a key means.
    pub fn key(&mut self, shortcut: Shortcut, cx: &Cx<'_>) -> Action<Message> {
        match shortcut {
            Shortcut::Search => Action::Run(operation::focus(SEARCH)),
            Shortcut::Above => self.step(false, cx),
            Shortcut::Below => self.step(true, cx),
            Shortcut::Open | Shortcut::Call if self.asks.is_some() => Action::None,
            // What was typed since somebody was opened is what is meant, and else who is open.
            Shortcut::Open => match &self.open {
                Some(open) if !self.typing => call(open.target.clone()),
                _ => self.look_up_typed(),
            },
            Shortcut::Call => match (&self.open, Typed::of(&self.typed)) {
                (Some(open), _) if !self.typing => call(open.target.clone()),
                (_, Typed::Target(target)) => call(target),
                (Some(open), _) => call(open.target.clone()),
                (None, _) => Action::None,
            },
            Shortcut::Favourite => match &self.open {
                Some(open) => {
                    let name = open.target.name.clone();
                    let favourite = !cx.preferences.is_favourite(&name);
                    Action::Prefer(preferences::Change::Favourite(name, favourite))
                }
                None => Action::None,
            },
            Shortcut::Back => {
                match (&self.asks, &self.open) {
                    (Some(_), _) => self.asks = None,
                    (None, Some(_)) => self.open = None,
                    (None, None) => {
                        self.typed.clear();
                        self.refresh(cx);
                    }
                }
                Action::None
            }
            _ => Action::None,
        }
    }

    /// Shows whoever is called just as it was typed, or else the one who fits best, or who was
    /// typed.
    fn look_up_typed(&mut self) -> Action<Message> {
        let typed = Typed::of(&self.typed);
        let best = self.rows.iter().find_map(|row| match row {
            Row::Person(listed) => Some(listed),
            Row::Heading(_) => None,
        });
        let target = match (typed, best) {
            (Typed::Target(target), _) if target.host.is_some() => target,
            (Typed::Target(target), best) => match best {
                // What was typed is the beginning of somebody's name, not somebody else.
                Some(best) if best.name.folded().starts_with(target.name.folded()) => {
                    named(best.name.clone())
                }
                _ => target,
            },
            (Typed::Nothing | Typed::Bad(_), _) => return Action::None,
        };
        self.look_up(target)
    }

    /// Goes to the person above or below.
    fn step(&mut self, down: bool, cx: &Cx<'_>) -> Action<Message> {
        let count = self.count(cx);
        let here = self.chosen(cx);
        let person = |at: &usize| self.target(*at, cx).is_some();
        let next = match (here, down) {
            (Some(here), true) => (here + 1..count).find(person),
            (Some(here), false) => (0..here).rev().find(person),
            (None, true) => (0..count).find(person),
            (None, false) => None,
        };
        match next.and_then(|at| self.target(at, cx)) {
            Some(target) => self.choose(target),
            None => Action::None,
        }
    }

    /// How many rows there are.
    fn count(&self, cx: &Cx<'_>) -> usize {
        match self.tab {
            Tab::Everyone => self.rows.len(),
            Tab::Recent => self.past(cx).count(),
        }
    }

    /// Whom the row at a place is about.
    fn target(&self, at: usize, cx: &Cx<'_>) -> Option<Target> {
        match self.tab {
            Tab::Everyone => match self.rows.get(at)? {
                Row::Person(listed) => Some(named(listed.name.clone())),
                Row::Heading(_) => None,
            },
            Tab::Recent => self.past(cx).nth(at).map(of_past),
        }
    }

    /// Whom the list comes to at a place: where a heading is, whoever stands beyond it, as seen
    /// from who is open.
    fn reached(&self, at: usize, cx: &Cx<'_>) -> Option<Target> {
        let here = self.chosen(cx);
        let up = here.is_some_and(|here| at < here);
        let above = || (0..at).rev().find_map(|at| self.target(at, cx));
        let below = || (at..self.count(cx)).find_map(|at| self.target(at, cx));
        let there = self.target(at, cx);
        there.or_else(|| if up { above() } else { below() })
    }

    /// The place of who is open.
    fn chosen(&self, cx: &Cx<'_>) -> Option<usize> {
        let open = &self.open.as_ref()?.target;
        match self.tab {
            Tab::Everyone if open.host.is_some() => None,
            Tab::Everyone => {
                let is = |row: &Row| matches!(row, Row::Person(who) if who.name == open.name);
                self.rows.iter().position(is)
            }
            Tab::Recent => self.past(cx).position(|past| of_past(past) == *open),
        }
    }

    /// The calls of before with whoever has in their name what was typed, newest first.
    fn past<'a>(&self, cx: &Cx<'a>) -> impl Iterator<Item = &'a Past> + use<'a> {
        let wanted = codec::fold(self.typed.trim());
        let history = cx.history.entries.iter().map(|past| &**past);
        history.filter(move |past| past.name.folded().contains(&wanted))
    }

    /// Shows somebody, and asks in a moment where they are.
    fn choose(&mut self, target: Target) -> Action<Message> {
        self.show(target, Finding::Chosen);
        let opened = self.opened;
        let settled = Task::future(async move {
            tokio::time::sleep(SETTLED).await;
            Message::Settled(opened)
        });
        Action::Run(settled)
    }

    /// Shows somebody, and asks where they are.
    fn look_up(&mut self, target: Target) -> Action<Message> {
        self.show(target.clone(), Finding::Asking);
        Action::phone(phone::Command::Lookup(target))
    }

    fn show(&mut self, target: Target, finding: Finding) {
        self.opened += 1;
        self.asks = None;
        self.typing = false;
        self.open = Some(Open { target, finding });
    }

    /// What is on it.
    #[must_use]
    pub fn view<'a>(&'a self, cx: &Cx<'a>) -> Element<'a, Message> {
        let cx = *cx;
        responsive(move |size| {
            let both = size.width >= BOTH_FROM;
            // What is typed into stays at the same place of the tree, or it would lose the focus.
            let content: Element<'a, Message> = match &self.open {
                Some(open) if !both => self.details(open, false, &cx),
                open => {
                    let (width, beside) = match open {
                        Some(open) => (Length::from(LIST), self.details(open, true, &cx)),
                        None if both && self.count(&cx) > 0 => {
                            (LIST.into(), self.nobody_chosen(&cx))
                        }
                        None => (Fill, gap().into()),
                    };
                    let list = container(self.list(&cx)).width(width);
                    row![list, beside].spacing(space::L).into()
                }
            };
            container(content)
                .padding(space::L)
                .center_x(Fill)
                .height(Fill)
                .into()
        })
        .into()
    }

    /// What stands where a person's details would be.
    fn nobody_chosen<'a>(&'a self, cx: &Cx<'a>) -> Element<'a, Message> {
        look::empty(
            look::Icon::Person,
            fl!(cx.texts, "details-nobody-title"),
            fl!(cx.texts, "details-nobody-text"),
            None,
        )
    }
}

/// Calls somebody, and shows that.
fn call<M>(target: Target) -> Action<M> {
    Action::All(vec![
        Action::phone(phone::Command::Dial(target)),
        Action::ShowCall(true),
    ])
}

/// When the newest call was that was missed and has not been seen.
fn newest_unseen(cx: &Cx<'_>) -> Option<UnixMillis> {
    let mut unseen = cx.history.entries.iter().filter(|past| !past.seen);
    unseen.next().map(|past| past.at)
}

fn change<M>(change: Change) -> Action<M> {
    Action::phone(phone::Command::Change(change))
}

/// Somebody at the phone's own registry.
fn named(name: Name) -> Target {
    Target { name, host: None }
}

/// Whom a call of before was with.
fn of_past(past: &Past) -> Target {
    Target {
        name: past.name.clone(),
        host: past.host.clone(),
    }
}

#[cfg(test)]
mod tests;
