//! One person: where they are, who they are, what was with them before, and what to do.

use codec::registry::Presence;
use i18n_embed_fl::fl;
use iced::{
    Alignment, Center, Element, Fill,
    widget::{Column, column, container, row, space as gap, text::Wrapping},
};
use jiff::tz::TimeZone;
use look::{Icon, Kind, Press, button, icon, space, text};

use super::{Ask, Finding, Message, Open, People, list::presence, of_past, recent::told, when};
use crate::{
    contacts::{Contact, Standing},
    gui::{Cx, keys::Shortcut, trouble},
    phone::{Found, Unfound},
};

/// How many of the last calls are shown.
const CALLS_SHOWN: usize = 5;

/// How wide the details are at most, in logical pixels.
const WIDTH: f32 = 560.0;

impl People {
    /// All that is known of who is open. Beside the list they can be closed, and in its place the
    /// way leads back.
    pub(super) fn details<'a>(
        &'a self,
        open: &'a Open,
        beside: bool,
        cx: &Cx<'a>,
    ) -> Element<'a, Message> {
        let contact = contact(open, cx);
        let kept = contact.or_else(|| blocked(open, cx));
        let parts = Column::new()
            .push(head(open, contact, beside, cx))
            .push(actions(open, cx))
            .extend(self.warning(open, kept, cx))
            .push(look::card(self.facts(open, contact, cx)))
            .extend(calls(open, &self.zone, cx))
            .extend(kept.map(|kept| self.ends(open, kept, cx)))
            .spacing(space::L)
            .max_width(WIDTH);
        let scrolled = look::scroll(
            container(parts)
                .padding(iced::Padding::ZERO.right(space::M))
                .center_x(Fill),
        )
        .height(Fill)
        .width(Fill);
        scrolled.into()
    }

    /// What is wrong, or has to be known before the next call.
    fn warning<'a>(
        &'a self,
        open: &'a Open,
        contact: Option<&'a Contact>,
        cx: &Cx<'a>,
    ) -> Option<Element<'a, Message>> {
        let (texts, name) = (cx.texts, open.target.name.as_str());
        if is_changed(open, cx) {
            let words = column![
                text::strong(fl!(texts, "details-changed-title")),
                text::body(fl!(texts, "details-changed-text", name = name)),
            ]
            .spacing(space::XS);
            // What it advises is at hand.
            let forgets = contact.map(|contact| {
                let asked = self.forgets(contact, cx);
                asked.unwrap_or_else(|| row![gap().width(Fill), forget(contact, cx)].into())
            });
            let words = column![words].extend(forgets).spacing(space::M);
            return Some(alarm(words.into()));
        }
        if contact.is_some_and(|contact| contact.blocked) {
            let words = fl!(texts, "details-blocked", name = name);
            return Some(look::banner(Kind::Warning, words, None));
        }
        let words = Self::said(open, cx)?;
        let again = button::quiet(fl!(texts, "details-retry")).on_press(Message::LookupPressed);
        Some(look::banner(Kind::Info, words, Some(again.into())))
    }

    /// Why it is not known where somebody is.
    pub(super) fn said(open: &Open, cx: &Cx<'_>) -> Option<String> {
        let (texts, name) = (cx.texts, open.target.name.as_str());
        let Finding::Unfound(unfound) = &open.finding else {
            return None;
        };
        let why = match (unfound, &open.target.host) {
            (Unfound::NotFound, None) => return Some(fl!(texts, "details-not-found", name = name)),
            (Unfound::NotFound, Some(host)) => {
                let host = host.to_string();
                return Some(fl!(texts, "details-not-found-at", name = name, host = host));
            }
            (Unfound::TooMany, _) => return Some(fl!(texts, "details-too-many")),
            (Unfound::NoAnswer(why), _) => trouble::reached(texts, why),
            (Unfound::Refused(refusal), _) => trouble::asked(texts, *refusal),
        };
        let title = fl!(texts, "details-no-answer-title", name = name);
        Some(format!("{title} {why}"))
    }

    /// Where and who they are.
    fn facts<'a>(
        &'a self,
        open: &'a Open,
        contact: Option<&'a Contact>,
        cx: &Cx<'a>,
    ) -> Element<'a, Message> {
        let texts = cx.texts;
        let found = match &open.finding {
            Finding::Found(found) => Some(found),
            _ => None,
        };
        let mut facts = Column::new().spacing(space::M);
        let places = self.places(open, cx);
        facts = facts.extend(places.map(|places| fact(fl!(texts, "details-where"), places)));
        let identity = found
            .map(|found| found.identity)
            .or(contact.map(|contact| contact.identity));
        if let Some(identity) = identity {
            let fingerprint = identity.fingerprint();
            let shown = self.copyable(fingerprint, cx);
            let shown = look::tip(shown, fl!(texts, "details-identity-hint"), None);
            facts = facts.push(fact(fl!(texts, "details-identity"), shown));
        }
        let standing = standing(open, contact);
        let words = match standing {
            Standing::Verified => fl!(texts, "details-verified-text"),
            Standing::Known => fl!(texts, "details-known-text"),
            Standing::Stranger => fl!(texts, "details-stranger-text"),
            Standing::Changed => fl!(texts, "standing-changed"),
        };
        facts = facts.push(fact(fl!(texts, "details-standing"), text::body(words)));
        if let Some(contact) = contact {
            let since = text::body(when::day(texts, contact.since, &self.zone));
            facts = facts.push(fact(fl!(texts, "details-since"), since));
        }
        facts.into()
    }

    /// The addresses where they were found; nothing of somebody who is nowhere.
    fn places<'a>(&'a self, open: &'a Open, cx: &Cx<'a>) -> Option<Element<'a, Message>> {
        let texts = cx.texts;
        let quiet = |words: String| text::body(words).style(text::muted).into();
        Some(match &open.finding {
            Finding::Found(found) if found.contacts.is_empty() => {
                quiet(fl!(texts, "details-hidden"))
            }
            Finding::Found(found) => {
                let places = found.contacts.iter();
                let places = places.map(|contact| self.copyable(contact.to_string(), cx));
                Column::with_children(places).into()
            }
            Finding::Unfound(Unfound::NotFound) => return None,
            Finding::Unfound(_) => quiet(fl!(texts, "details-unknown")),
            Finding::Chosen | Finding::Asking => {
                let name = open.target.to_string();
                quiet(fl!(texts, "details-looking", name = name))
            }
        })
    }

    /// A text that can be copied.
    fn copyable<'a>(&self, shown: String, cx: &Cx<'a>) -> Element<'a, Message> {
        let copied = self.copied.as_deref() == Some(&shown);
        let (sign, words) = match copied {
            true => (Icon::Check, fl!(cx.texts, "details-copied")),
            false => (
                Icon::Copy,
                fl!(cx.texts, "details-copy", what = shown.as_str()),
            ),
        };
        let copy = button::quiet(sign).on_press(Message::CopyPressed(shown.clone()));
        let shown = text::body(shown).wrapping(Wrapping::WordOrGlyph);
        row![container(shown).width(Fill), look::tip(copy, words, None)]
            .align_y(Center)
            .spacing(space::S)
            .into()
    }

    /// Whether somebody is to be forgotten, if that is asked.
    fn forgets<'a>(&'a self, contact: &'a Contact, cx: &Cx<'a>) -> Option<Element<'a, Message>> {
        let (texts, name) = (cx.texts, &contact.name);
        match &self.asks {
            Some(Ask::Forget { name: asked, .. }) if asked == name => {}
            _ => return None,
        }
        let answers = row![
            gap().width(Fill),
            button::quiet(fl!(texts, "details-cancel")).on_press(Message::NoPressed),
            button::danger(fl!(texts, "details-forget-yes")).on_press(Message::YesPressed),
        ]
        .spacing(space::S);
        let asks = column![
            text::strong(fl!(texts, "details-forget-ask", name = name.as_str())),
            text::body(fl!(texts, "details-forget-text")),
            answers
        ];
        Some(asks.spacing(space::S).into())
    }

    /// Not to be let in, and to be forgotten, unless that is offered above.
    fn ends<'a>(&'a self, open: &Open, contact: &'a Contact, cx: &Cx<'a>) -> Element<'a, Message> {
        let (registry, name) = (contact.registry, contact.name.clone());
        let texts = cx.texts;
        let offers = !is_changed(open, cx);
        if let Some(asks) = self.forgets(contact, cx).filter(|_| offers) {
            return look::card(asks);
        }
        let block = match contact.blocked {
            true => button::secondary((Icon::Check, fl!(texts, "details-unblock"))),
            false => button::quiet((Icon::Ban, fl!(texts, "details-block"))),
        };
        let block = block.on_press(Message::BlockPressed(
            registry,
            name.clone(),
            !contact.blocked,
        ));
        let forget = offers.then(|| forget(contact, cx).into());
        row![block].extend(forget).spacing(space::S).into()
    }
}

/// To forget somebody; it is asked back.
fn forget<'a>(contact: &Contact, cx: &Cx<'a>) -> Press<'a, Message> {
    let pressed = Message::ForgetPressed(contact.registry, contact.name.clone());
    button::quiet((Icon::Trash, fl!(cx.texts, "details-forget"))).on_press(pressed)
}

/// Whether whoever has the name is somebody else than who is known.
fn is_changed(open: &Open, cx: &Cx<'_>) -> bool {
    standing(open, contact(open, cx)) == Standing::Changed
}

/// What is kept of who is open: a name that is known at another registry is somebody else's here.
fn contact<'a>(open: &Open, cx: &Cx<'a>) -> Option<&'a Contact> {
    let name = &open.target.name;
    match (&open.finding, &open.target.host) {
        // Nobody vouches for whoever answered at an address: they are whom the identity says.
        (
            Finding::Found(Found {
                registry: None,
                identity,
                ..
            }),
            _,
        ) => {
            let (registry, _) = cx.book.claimed(name, *identity);
            let pinned = cx.book.pinned(registry, name);
            pinned.or_else(|| cx.book.named(name).next())
        }
        (Finding::Found(found), _) => cx.book.pinned(found.registry, name),
        (_, None) => cx.book.pinned(cx.roster.registry, name),
        (_, Some(_)) => None,
    }
}

/// Whoever of this name is not let in, wherever they are known: only so can they be let in again.
fn blocked<'a>(open: &Open, cx: &Cx<'a>) -> Option<&'a Contact> {
    let here = open.target.host.is_none();
    let mut named = cx.book.named(&open.target.name).filter(|_| here);
    named.find(|contact| contact.blocked)
}

/// What is known of who is open: of whoever was found, or, before that, of who is kept.
fn standing(open: &Open, contact: Option<&Contact>) -> Standing {
    match (&open.finding, contact) {
        (Finding::Found(found), _) => found.standing,
        (_, Some(contact)) if contact.changed => Standing::Changed,
        (_, Some(contact)) if contact.verified => Standing::Verified,
        (_, Some(_)) => Standing::Known,
        (_, None) => Standing::Stranger,
    }
}

/// What they say of themselves, or that they are not registered; nothing where nobody knows.
fn there(open: &Open, cx: &Cx<'_>) -> Option<Option<Presence>> {
    let listed = || cx.roster.get(&open.target.name).map(|entry| entry.presence);
    let here = open.target.host.is_none();
    match &open.finding {
        Finding::Found(found) => Some(Some(found.presence)),
        Finding::Unfound(Unfound::NotFound) => Some(None),
        // The list says who is there, and of who is not in it only if it is whole and new.
        _ => match listed().filter(|_| here) {
            Some(presence) => Some(Some(presence)),
            None => (here && cx.roster.complete && !cx.roster.old).then_some(None),
        },
    }
}

fn head<'a>(
    open: &'a Open,
    contact: Option<&Contact>,
    beside: bool,
    cx: &Cx<'a>,
) -> Element<'a, Message> {
    let name = match &open.finding {
        Finding::Found(found) => found.name.as_str(),
        _ => open.target.name.as_str(),
    };
    let there = there(open, cx);
    let mark = match standing(open, contact) {
        Standing::Verified => {
            let mark = icon(Icon::Verified).size(20).style(text::positive);
            Some(look::tip(mark, fl!(cx.texts, "standing-verified"), None))
        }
        Standing::Changed => Some(look::badge(Kind::Danger, fl!(cx.texts, "standing-changed"))),
        Standing::Known | Standing::Stranger => None,
    };
    let title = row![text::display(name).wrapping(Wrapping::WordOrGlyph)]
        .extend(mark)
        .spacing(space::S)
        .align_y(Center)
        .wrap();
    let host = open.target.host.as_ref();
    let host = host.map(|host| text::caption(host.to_string()).style(text::muted));
    let words = column![title]
        .extend(there.map(|there| presence(there, cx)))
        .extend(host.map(Element::from))
        .spacing(space::XS);
    let sign = if beside { Icon::Close } else { Icon::Back };
    let close = button::quiet(sign).on_press(Message::ClosePressed);
    let close = look::tip(close, fl!(cx.texts, "details-close"), Shortcut::Back.key());
    let avatar = look::avatar(open.target.name.folded(), 64.0);
    let words = container(words).width(Fill);
    let all = match beside {
        true => row![avatar, words, container(close).align_top(64.0)],
        false => row![close, avatar, words],
    };
    all.spacing(space::L).align_y(Center).into()
}

fn actions<'a>(open: &'a Open, cx: &Cx<'a>) -> Element<'a, Message> {
    let name = &open.target.name;
    let kind = match is_changed(open, cx) {
        true => button::Kind::Secondary,
        false => button::Kind::Primary,
    };
    let call = button::of(kind, (Icon::Call, fl!(cx.texts, "people-call-short")))
        .on_press(Message::CallPressed(open.target.clone()));
    let call = look::tip(
        call,
        fl!(cx.texts, "people-call", name = open.target.to_string()),
        Shortcut::Call.key(),
    );
    let is_favourite = cx.preferences.is_favourite(name);
    let (sign, words) = match is_favourite {
        true => (
            Icon::FavouriteFilled,
            fl!(cx.texts, "people-favourite-remove"),
        ),
        false => (Icon::Favourite, fl!(cx.texts, "people-favourite-add")),
    };
    // Favourites are names of the phone's own registry.
    let favourite = open.target.host.is_none().then(|| {
        let favourite = button::secondary(sign)
            .on_press(Message::FavouritePressed(name.clone(), !is_favourite));
        look::tip(favourite, words, Shortcut::Favourite.key())
    });
    row![call].extend(favourite).spacing(space::S).into()
}

fn calls<'a>(open: &Open, zone: &TimeZone, cx: &Cx<'a>) -> Option<Element<'a, Message>> {
    let calls = cx.history.entries.iter();
    let calls = calls.filter(|past| of_past(past) == open.target);
    let lines: Vec<Element<'a, Message>> = calls
        .take(CALLS_SHOWN)
        .map(|past| {
            let at = when::when(cx.texts, past.at, cx.clock, zone);
            let mut words = text::body(told(past, cx.texts));
            if past.is_missed() {
                words = words.style(text::danger);
            }
            row![
                words.width(Fill),
                text::caption(at).style(text::muted).align_x(Alignment::End)
            ]
            .spacing(space::S)
            .align_y(Center)
            .into()
        })
        .collect();
    if lines.is_empty() {
        return None;
    }
    let title = text::strong(fl!(cx.texts, "details-last-calls"));
    let lines = Column::with_children(lines).spacing(space::S);
    Some(look::card(column![title, lines].spacing(space::M)))
}

/// A name of something, and under it what it is.
fn fact<'a>(name: String, what: impl Into<Element<'a, Message>>) -> Element<'a, Message> {
    column![text::caption(name).style(text::muted), what.into()]
        .spacing(2.0)
        .into()
}

/// Something loud, of several lines.
fn alarm<'a>(words: Element<'a, Message>) -> Element<'a, Message> {
    container(row![icon(Icon::Alert).size(24).style(text::danger), words].spacing(space::M))
        .padding(space::L)
        .width(Fill)
        .style(|theme| {
            let tokens = look::Tokens::of(theme);
            look::surface(theme)
                .background(tokens.danger_tint)
                .color(tokens.text)
        })
        .into()
}
