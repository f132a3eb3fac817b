//! Microphone and loudspeaker: which, how loud, and whether they work.

use std::sync::Arc;

use i18n_embed::fluent::FluentLanguageLoader;
use i18n_embed_fl::fl;
use iced::{
    Center, Task,
    widget::{column, row},
};
use look::{Element, Icon, Kind, button, space, text};

use super::super::{Action, Cx};
use crate::{
    audio::{self, AudioError, Device, Direction},
    settings::preferences::Change,
};

/// The part of the screen.
#[derive(Debug, Default)]
pub struct Sound {
    devices: Option<Arc<Result<Vec<Device>, AudioError>>>,
}

/// What happened on it.
#[derive(Debug, Clone)]
pub enum Message {
    /// The devices of this machine.
    Listed(Arc<Result<Vec<Device>, AudioError>>),
    /// Look again which there are.
    RefreshPressed,
    /// One was chosen.
    Chosen(Role, Option<String>),
    /// How loud, in percent.
    VolumeSet(Direction, u8),
}

/// What a device is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Voice comes from it.
    Microphone,
    /// Voice goes to it.
    Loudspeaker,
    /// It rings there.
    Bell,
}

/// A device to choose, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Choice {
    id: Option<String>,
    words: String,
}

impl std::fmt::Display for Choice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.words)
    }
}

impl Sound {
    /// It was opened: the devices are listed.
    pub fn arrive(&mut self) -> Action<Message> {
        list()
    }

    /// Takes in what happened.
    pub fn update(&mut self, message: Message) -> Action<Message> {
        match message {
            Message::Listed(devices) => self.devices = Some(devices),
            Message::RefreshPressed => {
                self.devices = None;
                return list();
            }
            Message::Chosen(role, id) => {
                return Action::Prefer(match role {
                    Role::Microphone => Change::Input(id),
                    Role::Loudspeaker => Change::Output(id),
                    Role::Bell => Change::RingOn(id),
                });
            }
            Message::VolumeSet(Direction::Input, percent) => {
                return Action::Prefer(Change::InputVolume(percent));
            }
            Message::VolumeSet(Direction::Output, percent) => {
                return Action::Prefer(Change::OutputVolume(percent));
            }
        }
        Action::None
    }

    // ---- what it looks like ----

    /// What is on it.
    #[must_use]
    pub fn view<'a>(&'a self, cx: &Cx<'a>) -> Element<'a, Message> {
        let t = cx.texts;
        let refresh = button::quiet((Icon::Refresh, fl!(t, "sound-refresh")));
        let refresh = refresh.on_press(Message::RefreshPressed);
        column![
            self.microphone(cx),
            self.loudspeaker(cx),
            self.bell(cx),
            refresh
        ]
        .spacing(space::L)
        .into()
    }

    fn microphone<'a>(&'a self, cx: &Cx<'a>) -> Element<'a, Message> {
        let (t, set) = (cx.texts, cx.preferences);
        let all = column![
            head(Icon::Mic, fl!(t, "sound-microphone")),
            self.devices(cx, Role::Microphone, set.input.as_deref()),
            volume(t, set.input_volume, Direction::Input),
        ];
        look::card(all.spacing(space::M))
    }

    fn loudspeaker<'a>(&'a self, cx: &Cx<'a>) -> Element<'a, Message> {
        let (t, set) = (cx.texts, cx.preferences);
        let all = column![
            head(Icon::Speaker, fl!(t, "sound-loudspeaker")),
            self.devices(cx, Role::Loudspeaker, set.output.as_deref()),
            volume(t, set.output_volume, Direction::Output),
        ];
        look::card(all.spacing(space::M))
    }

    fn bell<'a>(&'a self, cx: &Cx<'a>) -> Element<'a, Message> {
        let chosen = cx.preferences.ring_on.as_deref();
        let all = column![
            head(Icon::Bell, fl!(cx.texts, "sound-bell")),
            self.devices(cx, Role::Bell, chosen),
        ];
        look::card(all.spacing(space::M))
    }

    /// The list to choose from; why there is none, where there is none.
    fn devices<'a>(
        &'a self,
        cx: &Cx<'a>,
        role: Role,
        chosen: Option<&str>,
    ) -> Element<'a, Message> {
        let t = cx.texts;
        let first = match role {
            Role::Bell => fl!(t, "sound-same"),
            Role::Microphone | Role::Loudspeaker => fl!(t, "sound-default"),
        };
        let wanted = match role {
            Role::Microphone => Direction::Input,
            Role::Loudspeaker | Role::Bell => Direction::Output,
        };
        let mut choices = vec![Choice {
            id: None,
            words: first,
        }];
        let listed = match self.devices.as_deref() {
            Some(Ok(listed)) => listed.as_slice(),
            Some(Err(error)) => return look::banner(Kind::Warning, said(t, error), None),
            None => &[],
        };
        let fitting = listed.iter().filter(|device| device.direction == wanted);
        choices.extend(fitting.map(|device| Choice {
            id: Some(device.id.clone()),
            words: device.name.clone(),
        }));
        let chosen = chosen.map(str::to_owned);
        // What was chosen and is not there now is waited for.
        if chosen.is_some() && !choices.iter().any(|choice| choice.id == chosen) {
            let words = fl!(t, "sound-away", device = chosen.clone().unwrap_or_default());
            choices.push(Choice {
                id: chosen.clone(),
                words,
            });
        }
        let at = choices.iter().find(|choice| choice.id == chosen).cloned();
        look::choice(choices, at, "", move |choice: Choice| {
            Message::Chosen(role, choice.id)
        })
    }
}

fn list() -> Action<Message> {
    let listed = async {
        let listed = tokio::task::spawn_blocking(audio::devices).await;
        let failed = |error: tokio::task::JoinError| AudioError::CannotList {
            why: error.to_string(),
        };
        listed.unwrap_or_else(|error| Err(failed(error)))
    };
    Action::Run(Task::perform(listed, |listed| {
        Message::Listed(Arc::new(listed))
    }))
}

fn head<'a>(icon: Icon, words: String) -> Element<'a, Message> {
    row![look::icon(icon).style(text::muted), text::title(words)]
        .spacing(space::S)
        .align_y(Center)
        .into()
}

fn volume<'a>(t: &FluentLanguageLoader, percent: u8, direction: Direction) -> Element<'a, Message> {
    row![
        text::body(fl!(t, "sound-volume")).width(72),
        look::slider(0..=200, percent, 5, move |percent| Message::VolumeSet(
            direction, percent
        )),
        text::body(format!("{percent} %")).width(56),
    ]
    .spacing(space::M)
    .align_y(Center)
    .into()
}

/// Why there is no sound, and what to do.
#[must_use]
pub fn said(t: &FluentLanguageLoader, error: &AudioError) -> String {
    match error {
        AudioError::NoDevice {
            direction: Direction::Input,
        } => fl!(t, "sound-no-microphone"),
        AudioError::NoDevice {
            direction: Direction::Output,
        } => fl!(t, "sound-no-loudspeaker"),
        AudioError::UnknownDevice { wanted, .. } => {
            fl!(t, "sound-unknown", device = wanted.as_str())
        }
        AudioError::AmbiguousDevice { wanted, .. } => {
            fl!(t, "sound-ambiguous", device = wanted.as_str())
        }
        AudioError::CannotOpen { device, why, .. } => {
            fl!(
                t,
                "sound-cannot-open",
                device = device.as_str(),
                why = why.as_str()
            )
        }
        AudioError::Lost { device, .. } => fl!(t, "sound-lost", device = device.as_str()),
        AudioError::CannotList { why } => fl!(t, "sound-cannot-list", why = why.as_str()),
        AudioError::CannotRead { path, why } | AudioError::CannotWrite { path, why } => {
            fl!(
                t,
                "trouble-file",
                path = path.display().to_string(),
                why = why.as_str()
            )
        }
        other => fl!(t, "sound-failed", why = other.to_string()),
    }
}
