//! The table of users.

use std::{net::SocketAddr, time::Duration};

use codec::registry::Presence;
use i18n_embed_fl::fl;
use iced::{
    Alignment, Center, Fill,
    widget::{column, container, row, space::horizontal, text::Wrapping},
};
use look::{Element, Icon, Kind, button, nav, space, text};

use super::{Line, Message, SEARCH, Users, person::PANEL};
use crate::{
    desk::{Device, Shown, Sort, User},
    gui::{Cx, elided, host::Phase, page, times::lasting},
};

/// How high a row is, in logical pixels.
const ROW: f32 = 40.0;

/// A name has at least so much room, in logical pixels.
const NAME: f32 = 180.0;

/// How wide the disc beside a name is.
const AVATAR: f32 = 26.0;

/// How wide the badge of who is banned is, in either language, with the space before it.
const BADGE: f32 = 92.0;

/// What is beside the table: the rail, the space around, and the scrollbar.
const BESIDE: f32 = nav::RAIL + 2.0 * space::XL + 2.0 * space::S + 2.0 + SCROLLBAR;

/// How wide the scrollbar of the table is, with the space around it.
const SCROLLBAR: f32 = 12.0;

/// A column: by what it sorts, and how wide it is.
#[derive(Debug, Clone, Copy)]
struct Column {
    sort: Sort,
    /// In logical pixels; the name has what is left.
    width: f32,
    /// Which are left out first where there is no room: the panel of a user has them all.
    spare: u8,
}

const COLUMNS: [Column; 7] = [
    Column::new(Sort::Name, NAME, 0),
    Column::new(Sort::Contact, 184.0, 0),
    Column::new(Sort::Presence, 124.0, 0),
    Column::new(Sort::Since, 78.0, 2),
    Column::new(Sort::LeaseLeft, 98.0, 1),
    Column::new(Sort::Device, 98.0, 4),
    Column::new(Sort::Connection, 172.0, 3),
];

impl Column {
    const fn new(sort: Sort, width: f32, spare: u8) -> Self {
        Self { sort, width, spare }
    }

    fn title(self, cx: &Cx<'_>) -> String {
        match self.sort {
            Sort::Contact => fl!(cx.texts, "column-address"),
            Sort::Presence => fl!(cx.texts, "column-state"),
            Sort::Since => fl!(cx.texts, "column-since"),
            Sort::LeaseLeft => fl!(cx.texts, "column-lease"),
            Sort::Device => fl!(cx.texts, "column-device"),
            Sort::Connection => fl!(cx.texts, "column-connection"),
            Sort::Name | Sort::ClaimedAt => fl!(cx.texts, "column-name"),
        }
    }
}

impl Users {
    pub(super) fn table<'a>(&'a self, cx: &Cx<'a>) -> Element<'a, Message> {
        let found = &cx.seen.users;
        let search = look::input(&fl!(cx.texts, "users-search"), &self.search)
            .id(SEARCH)
            .on_input(Message::SearchTyped);
        let search = look::tip(search, fl!(cx.texts, "users-search-tip"), Some("Ctrl+F"));
        let choices = [
            (Shown::Registered, fl!(cx.texts, "users-registered")),
            (Shown::All, fl!(cx.texts, "users-all")),
            (Shown::Banned, fl!(cx.texts, "users-banned")),
        ];
        let choices = look::segments(choices, &self.shown.0, Message::ShownChosen);
        let content = if self.lines.is_empty() {
            self.empty(cx)
        } else {
            let cx = *cx;
            let list = look::rows(self.lines.len(), ROW, move |at| self.row(at, &cx))
                .selected(self.place(&cx), move |at| self.pressed(at, &cx));
            column![self.head(&cx), look::separator(), Element::from(list)].into()
        };
        let card = container(content)
            .style(look::surface)
            .width(Fill)
            .height(Fill)
            .padding(1);
        let (shown, matching) = (found.users.users.len(), found.users.matching);
        let more = (matching > shown).then(|| {
            let more = fl!(cx.texts, "users-more", shown = shown, matching = matching);
            text::caption(more).style(text::muted).into()
        });
        let table = column![card].extend(more).spacing(space::S);
        let least: f32 = COLUMNS[..3].iter().map(|it| it.width).sum();
        // Where there is no room for both, a person sees what they asked for last.
        let alone = self.room(cx) < least;
        let body = match self.panel(alone, cx) {
            Some(panel) if alone => row![panel],
            Some(panel) => row![table, container(panel).width(PANEL)].spacing(space::L),
            None => row![table],
        };
        let tools = row![choices, container(search).width(Fill)]
            .spacing(space::M)
            .align_y(Center);
        let body = column![tools, body].spacing(space::M);
        page(fl!(cx.texts, "users"), self.count(cx), horizontal(), body)
    }

    fn count(&self, cx: &Cx<'_>) -> String {
        let users = &cx.seen.users.users;
        match cx.seen.phase.is_open() {
            true => fl!(
                cx.texts,
                "users-count",
                matching = users.matching,
                owned = users.owned
            ),
            false => String::new(),
        }
    }

    fn columns(&self, cx: &Cx<'_>) -> impl Iterator<Item = Column> + use<> {
        let room = self.room(cx);
        let of = |spare: u8| COLUMNS.into_iter().filter(move |it| it.spare <= spare);
        let fits = |spare: &u8| of(*spare).map(|it| it.width).sum::<f32>() <= room;
        let shown = (0..=4).rev().find(fits).unwrap_or(0);
        let others = of(shown).map(|it| it.width).sum::<f32>() - NAME;
        // Not as wide as there is room: a scrollbar comes and goes, and moves no column.
        of(shown).map(move |column| match column.sort {
            Sort::Name => Column {
                width: (room - others).max(NAME),
                ..column
            },
            _ => column,
        })
    }

    /// So many letters of a name are shown, beside so many logical pixels of something else.
    fn letters(&self, beside: f32, cx: &Cx<'_>) -> usize {
        let name = self.columns(cx).next().map_or(NAME, |it| it.width);
        let room = name - AVATAR - 3.0 * space::S - beside;
        // Most letters are no wider than this.
        let letters = (room / 8.6).clamp(4.0, 40.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "4 to 40"
        )]
        let letters = letters as usize;
        letters
    }

    /// How wide the table is.
    fn room(&self, cx: &Cx<'_>) -> f32 {
        let panel = match self.chosen(&cx.seen.users) {
            Some(_) => PANEL + space::L,
            None => 0.0,
        };
        cx.width - BESIDE - panel
    }

    fn head<'a>(&self, cx: &Cx<'a>) -> Element<'a, Message> {
        let heads = self.columns(cx).map(|column| {
            let title = column.title(cx);
            let title = match (column.sort == self.sort, self.descending) {
                (true, false) => format!("{title} ↑"),
                (true, true) => format!("{title} ↓"),
                (false, _) => title,
            };
            let press = button::quiet(title)
                .on_press(Message::SortPressed(column.sort))
                .align(Alignment::Start)
                .width(column.width)
                .height(32)
                .padding([0.0, space::S]);
            look::tip(press, fl!(cx.texts, "sort-tip"), None)
        });
        container(row(heads).width(Fill))
            .padding(iced::Padding {
                top: 2.0,
                bottom: 2.0,
                left: space::S,
                right: space::S + SCROLLBAR,
            })
            .into()
    }

    fn row<'a>(&'a self, at: usize, cx: &Cx<'a>) -> Element<'a, Message> {
        let found = &cx.seen.users;
        let Some(Line { user, device }) = self.lines.get(at).copied() else {
            return iced::widget::space().into();
        };
        let Some(user) = found.users.users.get(user) else {
            return iced::widget::space().into();
        };
        let passed = cx.now.saturating_duration_since(found.at);
        let shown = user.devices.get(device);
        let letters = self.letters(if user.banned { BADGE } else { 0.0 }, cx);
        let cells = self.columns(cx).map(|column| {
            let cell = cell(column.sort, user, shown, passed, cx, |user| {
                name(user, device == 0, letters, cx)
            });
            container(cell)
                .width(column.width)
                .padding([0.0, space::S])
                .clip(true)
                .into()
        });
        row(cells)
            .height(ROW)
            .padding([0.0, space::S])
            .align_y(Center)
            .into()
    }

    /// The row that is chosen: of the user, and of the phone if it is still there.
    fn place(&self, cx: &Cx<'_>) -> Option<usize> {
        let users = &cx.seen.users.users.users;
        let name = self.chosen.as_ref()?;
        let is_of = |line: &Line| users.get(line.user).is_some_and(|it| it.name == *name);
        let first = self.lines.iter().position(is_of)?;
        let mut devices = users.get(self.lines.get(first)?.user)?.devices.iter();
        let device = devices.position(|it| Some(&it.id) == self.device.as_ref());
        Some(first + device.unwrap_or(0))
    }

    /// What is said when a row is chosen: who is in it, because another may be there by then.
    fn pressed(&self, at: usize, cx: &Cx<'_>) -> Message {
        let line = self.lines.get(at);
        let user = line.and_then(|line| cx.seen.users.users.users.get(line.user));
        let (Some(line), Some(user)) = (line, user) else {
            return Message::PanelClosed;
        };
        Message::RowPressed {
            name: user.name.clone(),
            device: user.devices.get(line.device).map(|it| it.id.clone()),
        }
    }

    fn empty<'a>(&self, cx: &Cx<'a>) -> Element<'a, Message> {
        let none = || None;
        if !cx.seen.phase.is_open() {
            // What is under way needs no advice.
            let under_way = match cx.seen.phase {
                Phase::Closing { .. } => Some(fl!(cx.texts, "state-closing")),
                Phase::Opening => Some(fl!(cx.texts, "state-opening")),
                _ => None,
            };
            if let Some(title) = under_way {
                return look::empty(Icon::Power, title, String::new(), none());
            }
            let open = button::primary((Icon::Power, fl!(cx.texts, "open")));
            return look::empty(
                Icon::Power,
                fl!(cx.texts, "users-closed-title"),
                fl!(cx.texts, "users-closed-text"),
                Some(open.on_press(Message::OpenPressed).into()),
            );
        }
        if !self.search.trim().is_empty() {
            let all = (self.shown.0 != Shown::All).then(|| {
                button::secondary(fl!(cx.texts, "users-look-in-all"))
                    .on_press(Message::ShowAllPressed)
                    .into()
            });
            return look::empty(
                Icon::Search,
                fl!(cx.texts, "users-unfound-title"),
                fl!(cx.texts, "users-unfound-text", search = self.search.trim()),
                all,
            );
        }
        match self.shown.0 {
            Shown::Banned => look::empty(
                Icon::Ban,
                fl!(cx.texts, "users-nobody-banned-title"),
                fl!(cx.texts, "users-nobody-banned-text"),
                none(),
            ),
            _ => look::empty(
                Icon::People,
                fl!(cx.texts, "users-nobody-title"),
                fl!(cx.texts, "users-nobody-text"),
                Some(
                    button::primary((Icon::Help, fl!(cx.texts, "users-nobody-action")))
                        .on_press(Message::HelpPressed)
                        .into(),
                ),
            ),
        }
    }
}

fn cell<'a>(
    sort: Sort,
    user: &'a User,
    device: Option<&Device>,
    passed: Duration,
    cx: &Cx<'a>,
    name: impl Fn(&'a User) -> Element<'a, Message>,
) -> Element<'a, Message> {
    let plain = |words: String| -> Element<'a, Message> {
        text::body(words).wrapping(Wrapping::None).into()
    };
    let muted = |words: String| -> Element<'a, Message> {
        let words = text::body(words).wrapping(Wrapping::None);
        words.style(text::muted).into()
    };
    let Some(device) = device else {
        return match sort {
            Sort::Name | Sort::ClaimedAt => name(user),
            Sort::Contact => muted(fl!(cx.texts, "not-registered")),
            _ => muted("–".to_owned()),
        };
    };
    match sort {
        Sort::Name | Sort::ClaimedAt => name(user),
        Sort::Contact => match (device.contacts.first(), device.contacts.len()) {
            (None, _) => muted(fl!(cx.texts, "hidden")),
            (Some(contact), 1) => plain(address(*contact, 0)),
            (Some(contact), all) => plain(format!("{} +{}", address(*contact, 3), all - 1)),
        },
        Sort::Since => plain(lasting(
            cx.texts,
            Duration::from_secs(device.since_s) + passed,
        )),
        Sort::LeaseLeft => {
            let left = Duration::from_secs(device.lease_left_s.into());
            plain(lasting(cx.texts, left.saturating_sub(passed)))
        }
        Sort::Device => muted(device.id.clone()),
        Sort::Connection => match device.connection {
            Some(peer) => plain(address(peer, 0)),
            None => muted(fl!(cx.texts, "no-connection")),
        },
        Sort::Presence => state(device, cx),
    }
}

/// An address, as far as there is room for it beside so many letters of something else.
fn address(addr: SocketAddr, beside: usize) -> String {
    // Those of IPv4 fit whole: dots are narrow.
    let letters = if addr.is_ipv6() { 19 } else { 22 };
    elided(&addr.to_string(), letters - beside)
}

fn name<'a>(user: &'a User, first: bool, letters: usize, cx: &Cx<'a>) -> Element<'a, Message> {
    if !first {
        return iced::widget::space().into();
    }
    let name = text::strong(elided(user.name.as_str(), letters)).wrapping(Wrapping::None);
    let avatar = look::avatar(user.name.as_str(), AVATAR);
    let banned = user
        .banned
        .then(|| look::badge(Kind::Danger, fl!(cx.texts, "banned")));
    row![avatar, name]
        .extend(banned)
        .spacing(space::S)
        .align_y(Center)
        .into()
}

/// How a device is, as a dot and a word.
pub(super) fn state<'a>(device: &Device, cx: &Cx<'a>) -> Element<'a, Message> {
    let (kind, words) = match device.presence {
        _ if device.unverified => (Kind::Neutral, fl!(cx.texts, "unverified")),
        Presence::Busy => (Kind::Danger, fl!(cx.texts, "in-a-call")),
        Presence::Away => (Kind::Warning, fl!(cx.texts, "away")),
        _ => (Kind::Positive, fl!(cx.texts, "available")),
    };
    let words = text::body(words).wrapping(Wrapping::None);
    row![look::dot(kind), words]
        .spacing(space::S)
        .align_y(Center)
        .into()
}
