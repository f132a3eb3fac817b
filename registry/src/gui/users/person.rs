//! One user from near, beside the table, and what can be done about them.

use std::time::Duration;

use i18n_embed_fl::fl;
use iced::{
    Center, Fill,
    widget::{column, container, row, space::horizontal, text::Wrapping},
};
use look::{Element, Icon, Kind, button, space, text};

use super::{Message, Users, table::state};
use crate::{
    desk::{Device, User},
    gui::{
        Cx, copied,
        times::{ago, date, lasting},
    },
};

/// How wide the panel is, in logical pixels.
pub(super) const PANEL: f32 = 320.0;

impl Users {
    /// The panel of the user who was chosen; `alone` says that there is nothing beside it.
    pub(super) fn panel<'a>(&self, alone: bool, cx: &Cx<'a>) -> Option<Element<'a, Message>> {
        let user = self.chosen(&cx.seen.users)?;
        let passed = cx.now.saturating_duration_since(cx.seen.users.at);
        let close = button::quiet(Icon::Close).on_press(Message::PanelClosed);
        let name = text::title(user.name.as_str()).wrapping(Wrapping::WordOrGlyph);
        let head = row![
            look::avatar(user.name.as_str(), 40.0),
            container(name).width(Fill),
            look::tip(close, fl!(cx.texts, "close-panel"), Some("Esc")),
        ]
        .spacing(space::M)
        .align_y(Center);
        let banned = user
            .banned
            .then(|| look::banner(Kind::Danger, fl!(cx.texts, "person-banned"), None));
        let given_up = user.free_at.map(|at| {
            let text = fl!(cx.texts, "person-free", day = date(cx.texts, at, cx.zone));
            look::banner(Kind::Warning, text, None)
        });
        let key = fact(
            fl!(cx.texts, "person-key"),
            copied(
                user.fingerprint.clone(),
                user.key.to_string(),
                fl!(cx.texts, "copy-key"),
                Message::CopyPressed,
            ),
        );
        let claimed = fact(
            fl!(cx.texts, "person-claimed"),
            text::body(date(cx.texts, user.claimed_at, cx.zone)).into(),
        );
        let devices: Vec<Element<'a, Message>> = match user.devices.is_empty() {
            true => vec![absent(user, cx)],
            false => {
                let devices = user.devices.iter();
                devices.map(|it| phone(it, passed, cx)).collect()
            }
        };
        let facts = column![key, claimed]
            .extend(devices)
            .spacing(space::M)
            .padding(iced::padding::right(space::L));
        let top = column![head]
            .extend(banned)
            .extend(given_up)
            .spacing(space::M);
        let content = column![
            top,
            look::scroll_by_keys(look::scroll(facts).height(Fill)),
            look::separator(),
            actions(user, alone, cx),
        ]
        .spacing(space::M);
        let panel = container(content)
            .style(look::surface)
            .padding(space::L)
            .width(Fill)
            .height(Fill);
        Some(panel.into())
    }
}

fn fact<'a>(label: String, value: Element<'a, Message>) -> Element<'a, Message> {
    column![text::caption(label).style(text::muted), value]
        .spacing(2)
        .into()
}

fn absent<'a>(user: &User, cx: &Cx<'a>) -> Element<'a, Message> {
    let used = ago(cx.texts, user.used_at, cx.clock);
    fact(
        fl!(cx.texts, "person-absent"),
        text::body(fl!(cx.texts, "person-last-seen", ago = used)).into(),
    )
}

fn phone<'a>(device: &Device, passed: Duration, cx: &Cx<'a>) -> Element<'a, Message> {
    let since = lasting(cx.texts, Duration::from_secs(device.since_s) + passed);
    let left = Duration::from_secs(device.lease_left_s.into()).saturating_sub(passed);
    let left = lasting(cx.texts, left);
    let contacts: Vec<Element<'a, Message>> = match device.contacts.is_empty() {
        true => vec![text::body(fl!(cx.texts, "person-hidden")).into()],
        false => {
            let contacts = device.contacts.iter().map(ToString::to_string);
            let copy = |it: String| {
                let tip = fl!(cx.texts, "copy-address");
                copied(it.clone(), it, tip, Message::CopyPressed)
            };
            contacts.map(copy).collect()
        }
    };
    let connection = match device.connection {
        Some(peer) => peer.to_string(),
        None => fl!(cx.texts, "person-no-connection"),
    };
    let title = row![
        text::strong(fl!(cx.texts, "person-device", device = device.id.as_str())),
        horizontal(),
        state(device, cx),
    ]
    .align_y(Center);
    column![
        look::separator(),
        title,
        fact(
            fl!(cx.texts, "column-address"),
            column(contacts).spacing(2).into()
        ),
        fact(
            fl!(cx.texts, "column-connection"),
            text::body(connection).into()
        ),
        row![
            container(fact(
                fl!(cx.texts, "column-since"),
                text::body(since).into()
            ))
            .width(Fill),
            container(fact(fl!(cx.texts, "column-lease"), text::body(left).into())).width(Fill),
        ],
    ]
    .spacing(space::S)
    .into()
}

fn actions<'a>(user: &User, alone: bool, cx: &Cx<'a>) -> Element<'a, Message> {
    let wide = |press: look::Press<'a, Message>| press.width(Fill);
    let disconnect = wide(button::secondary((
        Icon::Disconnect,
        fl!(cx.texts, "disconnect"),
    )))
    .on_press_maybe((!user.devices.is_empty()).then_some(Message::DisconnectPressed));
    let ban = match user.banned {
        true => wide(button::secondary((Icon::Check, fl!(cx.texts, "unban"))))
            .on_press(Message::UnbanPressed),
        false => {
            wide(button::danger((Icon::Ban, fl!(cx.texts, "ban")))).on_press(Message::BanPressed)
        }
    };
    let release = wide(button::secondary((Icon::Release, fl!(cx.texts, "release"))))
        .on_press(Message::ReleasePressed);
    let all = [
        look::tip(disconnect, fl!(cx.texts, "disconnect-tip"), None),
        look::tip(release, fl!(cx.texts, "release-tip"), None),
        look::tip(ban, fl!(cx.texts, "ban-tip"), None),
    ];
    match alone {
        true => row(all).spacing(space::S).into(),
        false => column(all).spacing(space::S).into(),
    }
}
