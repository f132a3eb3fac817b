//! The list of people: what is typed, and whoever fits.

use codec::registry::{Presence, Refusal};
use i18n_embed_fl::fl;
use iced::{
    Alignment, Center, Element, Fill, Padding,
    widget::{Column, column, container, row, space as gap, text::Wrapping},
};
use look::{Icon, Kind, Press, button, icon, nav, space, text};

use super::{
    Message, People, SEARCH, Tab,
    listed::{Known, Listed, Row, Section},
    named,
    typed::{Typed, why},
};
use crate::{
    board::Registered,
    gui::{Cx, keys::Shortcut, trouble},
    phone::Target,
};

/// How high a row is, in logical pixels.
pub(super) const ROW: f32 = 52.0;

/// How wide the sign of a person is, in logical pixels.
const AVATAR: f32 = 36.0;

impl People {
    /// What is typed, what is shown, and the list.
    pub(super) fn list<'a>(&'a self, cx: &Cx<'a>) -> Element<'a, Message> {
        let search = look::input(&fl!(cx.texts, "people-search"), &self.typed)
            .id(SEARCH)
            .on_input(Message::Typed);
        let search = look::tip(
            search,
            fl!(cx.texts, "people-search-tip"),
            Shortcut::Search.key(),
        );
        let everyone = (
            self.tab == Tab::Everyone,
            Message::TabPressed(Tab::Everyone),
        );
        let recent = (self.tab == Tab::Recent, Message::TabPressed(Tab::Recent));
        let tabs = nav::tabs([
            nav::place(
                Icon::People,
                fl!(cx.texts, "people-tab-everyone"),
                everyone.0,
                everyone.1,
            ),
            nav::place(
                Icon::History,
                fl!(cx.texts, "people-tab-recent"),
                recent.0,
                recent.1,
            )
            .count(cx.history.unseen()),
        ]);
        let shown = match self.tab {
            Tab::Everyone => self.everyone(cx),
            Tab::Recent => self.recent(cx),
        };
        let shown = container(shown)
            .width(Fill)
            .height(Fill)
            .padding(space::XS)
            .style(look::surface);
        column![search, tabs, shown].spacing(space::M).into()
    }

    fn everyone<'a>(&'a self, cx: &Cx<'a>) -> Element<'a, Message> {
        let typed = Typed::of(&self.typed);
        let look_up = match &typed {
            Typed::Target(target) if self.is_unlisted(target) => Some(look_up(target, cx)),
            _ => None,
        };
        if self.rows.is_empty() {
            let empty = self.nobody(&typed, cx);
            return Column::new().extend(look_up).push(empty).into();
        }
        let rows = &self.rows;
        let context = *cx;
        let list = look::rows(rows.len(), ROW, move |at| match rows.get(at) {
            Some(Row::Heading(section)) => heading(*section, &context),
            Some(Row::Person(listed)) => person(listed, &context),
            None => gap().into(),
        })
        .selected(self.chosen(cx), move |at| {
            Message::RowChosen(self.reached(at, &context))
        })
        .on_press(move |at| Message::RowPressed(self.target(at, &context)));
        let notice = self.notice(cx);
        Column::new()
            .extend(notice)
            .extend(look_up)
            .push(container(list).height(Fill))
            .spacing(space::XS)
            .into()
    }

    /// Whether nobody in the list is called so.
    fn is_unlisted(&self, target: &Target) -> bool {
        let listed = |row: &Row| matches!(row, Row::Person(listed) if listed.name == target.name);
        target.host.is_some() || !self.rows.iter().any(listed)
    }

    /// What is to be known of a list that may not be all.
    fn notice<'a>(&'a self, cx: &Cx<'a>) -> Option<Element<'a, Message>> {
        let (kind, words) = match cx.board.registered {
            Registered::No => (Kind::Warning, fl!(cx.texts, "people-unregistered-text")),
            Registered::Trying => return None,
            Registered::Yes if cx.roster.more => (Kind::Info, fl!(cx.texts, "people-more")),
            Registered::Yes => return None,
        };
        Some(look::banner(kind, words, None))
    }

    /// What stands where the list would be, and what to do.
    fn nobody<'a>(&'a self, typed: &Typed, cx: &Cx<'a>) -> Element<'a, Message> {
        let texts = cx.texts;
        match typed {
            Typed::Target(target) if target.host.is_none() => look::empty(
                Icon::Search,
                fl!(texts, "people-nobody-title", typed = target.to_string()),
                fl!(texts, "people-nobody-text"),
                None,
            ),
            Typed::Target(target) => look::empty(
                Icon::Globe,
                target.to_string(),
                fl!(texts, "people-look-up-hint"),
                None,
            ),
            Typed::Bad(bad) => look::empty(
                Icon::Search,
                fl!(texts, "people-bad-title"),
                why(texts, bad),
                None,
            ),
            Typed::Nothing => nobody_at_all(cx),
        }
    }
}

/// Nobody is in the list, and nothing is typed.
fn nobody_at_all<'a>(cx: &Cx<'a>) -> Element<'a, Message> {
    let texts = cx.texts;
    match cx.roster.refused {
        Some(Refusal::Closed) => {
            return look::empty(
                Icon::Hide,
                fl!(texts, "people-closed-title"),
                fl!(texts, "people-closed-text"),
                None,
            );
        }
        Some(refusal) => {
            let said = trouble::asked(texts, refusal);
            let call = fl!(texts, "people-refused-call");
            return look::empty(
                Icon::Alert,
                fl!(texts, "people-refused-title"),
                format!("{said} {call}"),
                None,
            );
        }
        None => {}
    }
    match (cx.board.registered, cx.roster.complete) {
        (Registered::No, _) => look::empty(
            Icon::Offline,
            fl!(texts, "people-unregistered-title"),
            fl!(texts, "people-unregistered-text"),
            None,
        ),
        (Registered::Trying, _) | (Registered::Yes, false) => look::empty(
            Icon::Clock,
            fl!(texts, "people-connecting-title"),
            fl!(texts, "people-connecting-text"),
            None,
        ),
        (Registered::Yes, true) => {
            let registry = cx.board.registry.clone();
            let label = fl!(texts, "people-empty-address", registry = registry.as_str());
            let copy = button::secondary((Icon::Copy, label));
            look::empty(
                Icon::People,
                fl!(texts, "people-empty-title"),
                fl!(texts, "people-empty-text"),
                Some(copy.on_press(Message::CopyPressed(registry)).into()),
            )
        }
    }
}

/// Whoever was typed and is not in the list.
fn look_up<'a>(target: &Target, cx: &Cx<'a>) -> Element<'a, Message> {
    let words = fl!(cx.texts, "people-look-up", typed = target.to_string());
    // As a person of the list stands below it.
    let line = row![
        container(icon(Icon::Search)).center_x(AVATAR),
        text::strong(words).wrapping(Wrapping::None)
    ]
    .spacing(space::M)
    .align_y(Center);
    let look = Press::new(line, |tokens, status| {
        button::style(button::Kind::Quiet, tokens, status)
    })
    .on_press(Message::OpenPressed(target.clone()))
    .align(Alignment::Start)
    .padding([0.0, space::S])
    .height(space::CONTROL)
    .width(Fill);
    let call = button::quiet(Icon::Call).on_press(Message::CallPressed(target.clone()));
    let call = look::tip(
        call,
        fl!(cx.texts, "people-call", name = target.to_string()),
        Shortcut::Call.key(),
    );
    let look = look::tip(
        look,
        fl!(cx.texts, "people-look-up-hint"),
        Shortcut::Open.key(),
    );
    row![container(look).width(Fill), call]
        .align_y(Center)
        .spacing(space::M)
        .padding(Padding::ZERO.right(space::S))
        .into()
}

fn heading<'a>(section: Section, cx: &Cx<'a>) -> Element<'a, Message> {
    let words = match section {
        Section::Favourites => fl!(cx.texts, "people-favourites"),
        Section::Registered => fl!(cx.texts, "people-registered"),
        Section::Known => fl!(cx.texts, "people-known"),
        Section::Found => fl!(cx.texts, "people-found"),
    };
    container(text::caption(words).style(text::muted))
        .height(ROW)
        .align_y(Alignment::End)
        .padding(space::S)
        .into()
}

/// Somebody in the list.
fn person<'a>(listed: &'a Listed, cx: &Cx<'a>) -> Element<'a, Message> {
    let name = text::strong(listed.name.as_str()).wrapping(Wrapping::None);
    let mark = |sign, style: fn(&_) -> _, words| {
        let mark = icon(sign).size(14).style(style);
        Some(look::tip(mark, words, None))
    };
    let mark = match listed.known {
        Known::Verified => {
            let words = fl!(cx.texts, "people-verified-hint");
            mark(Icon::Verified, text::positive, words)
        }
        Known::Changed => {
            let words = fl!(cx.texts, "details-changed-title");
            mark(Icon::Alert, text::danger, words)
        }
        Known::Blocked => {
            let words = fl!(cx.texts, "details-blocked", name = listed.name.as_str());
            mark(Icon::Ban, text::danger, words)
        }
        Known::Yes | Known::No => None,
    };
    let star = listed
        .favourite
        .then(|| icon(Icon::FavouriteFilled).size(12).style(text::warning));
    let title = row![name]
        .extend(mark)
        .extend(star.map(Element::from))
        .spacing(space::XS)
        .align_y(Center);
    let call = button::quiet(Icon::Call).on_press(Message::CallPressed(named(listed.name.clone())));
    let call = look::tip(
        call,
        fl!(cx.texts, "people-call", name = listed.name.as_str()),
        None,
    );
    let changed = (listed.known == Known::Changed).then(|| {
        let words = text::caption(fl!(cx.texts, "standing-changed"));
        words.style(text::danger).wrapping(Wrapping::None).into()
    });
    let below = row![presence(listed.presence, cx)].extend(changed);
    let words = column![title, below.spacing(space::S)].spacing(2.0);
    row![
        look::avatar(listed.name.folded(), AVATAR),
        container(words).width(Fill).clip(true),
        call
    ]
    .spacing(space::M)
    .align_y(Center)
    .height(ROW)
    .padding([0.0, space::S])
    .into()
}

/// What somebody says of themselves, or that they are not registered.
pub(super) fn presence<'a, M: 'a>(presence: Option<Presence>, cx: &Cx<'a>) -> Element<'a, M> {
    let texts = cx.texts;
    let (kind, words) = match presence {
        Some(Presence::Available) => (Kind::Positive, fl!(texts, "presence-available")),
        Some(Presence::Busy) => (Kind::Danger, fl!(texts, "presence-busy")),
        Some(Presence::Away) => (Kind::Warning, fl!(texts, "presence-away")),
        Some(_) | None => (Kind::Neutral, fl!(texts, "presence-offline")),
    };
    row![look::dot(kind), text::caption(words).style(text::muted)]
        .spacing(6.0)
        .align_y(Center)
        .into()
}
