//! Devices and volumes, while talking.

use std::fmt;

use i18n_embed_fl::fl;
use iced::{
    Center, Element, Fill,
    widget::{Column, column, container, row},
};
use look::{Icon, Kind, icon, space, text};

use super::{Call, Message};
use crate::{
    audio::{self, AudioError, Device, Direction},
    gui::{Action, Cx, trouble},
    settings::preferences::{Change, Preferences},
};

/// The sound devices of this machine.
#[derive(Debug, Default)]
pub enum Devices {
    /// Nobody has asked.
    #[default]
    Unknown,
    /// The sound system is being asked, which may take seconds.
    Asking,
    /// These.
    Listed(Vec<Device>),
    /// It does not tell.
    Failed(AudioError),
}

/// One device to choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Choice {
    /// `None` is what the system offers.
    id: Option<String>,
    name: String,
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// How far a volume goes with one press of a key, in percent.
const STEP: u8 = 5;

/// How wide a percentage is, in logical pixels.
const PERCENT: f32 = 52.0;

impl Call {
    pub(super) fn sound<'a>(&'a self, cx: &Cx<'a>) -> Element<'a, Message> {
        let texts = cx.texts;
        let set = cx.preferences;
        let failed = match &self.devices {
            Devices::Failed(why) => Some(look::banner(
                Kind::Warning,
                trouble::sound(texts, why),
                None,
            )),
            _ => None,
        };
        let input = self.side(
            Icon::Mic,
            fl!(texts, "call-sound-input"),
            look::choice(
                self.choices(Direction::Input, set.input.as_deref(), cx),
                Some(self.chosen_device(Direction::Input, set.input.as_deref(), cx)),
                "",
                |choice: Choice| Message::InputChosen(choice.id),
            ),
            look::slider(0..=200, set.input_volume, STEP, Message::InputVolume),
            percent(set.input_volume, cx),
        );
        let output = self.side(
            Icon::Speaker,
            fl!(texts, "call-sound-output"),
            look::choice(
                self.choices(Direction::Output, set.output.as_deref(), cx),
                Some(self.chosen_device(Direction::Output, set.output.as_deref(), cx)),
                "",
                |choice: Choice| Message::OutputChosen(choice.id),
            ),
            look::slider(0..=200, set.output_volume, STEP, Message::OutputVolume),
            percent(set.output_volume, cx),
        );
        look::card(
            Column::new()
                .extend(failed)
                .push(input)
                .push(output)
                .spacing(space::L),
        )
    }

    fn side<'a>(
        &self,
        sign: Icon,
        name: String,
        device: Element<'a, Message>,
        volume: Element<'a, Message>,
        percent: Element<'a, Message>,
    ) -> Element<'a, Message> {
        let sign = icon(sign).style(text::muted);
        let volume = row![container(volume).width(Fill), percent]
            .spacing(space::M)
            .align_y(Center);
        let head = row![sign, text::strong(name)]
            .spacing(space::S)
            .align_y(Center);
        column![head, device, volume].spacing(space::S).into()
    }

    /// Sets a device, with what it is called.
    pub(super) fn choose(&self, change: Change, cx: &Cx<'_>) -> Action<Message> {
        let set = cx.preferences.with(change.clone());
        Action::All(vec![Action::Prefer(change), self.named(&set)])
    }

    /// What is chosen is called the same when it is there no more.
    pub(super) fn named(&self, set: &Preferences) -> Action<Message> {
        let names = match &self.devices {
            Devices::Listed(devices) => set.name_devices(devices),
            _ => Vec::new(),
        };
        Action::All(names.into_iter().map(Action::Prefer).collect())
    }

    /// What there is to choose from. What was set and is not there now stands there all the same.
    fn choices(&self, direction: Direction, set: Option<&str>, cx: &Cx<'_>) -> Vec<Choice> {
        let mut choices = vec![Choice {
            id: None,
            name: fl!(cx.texts, "call-sound-default"),
        }];
        if let Devices::Listed(devices) = &self.devices {
            let fitting = devices
                .iter()
                .filter(|device| device.direction == direction && !device.is_monitor);
            choices.extend(fitting.map(|device| Choice {
                id: Some(device.id.clone()),
                name: device.name.clone(),
            }));
        }
        let chosen = self.chosen_device(direction, set, cx);
        if !choices.contains(&chosen) {
            choices.push(chosen);
        }
        choices
    }

    fn chosen_device(&self, direction: Direction, set: Option<&str>, cx: &Cx<'_>) -> Choice {
        let Some(set) = set else {
            return Choice {
                id: None,
                name: fl!(cx.texts, "call-sound-default"),
            };
        };
        let known = match &self.devices {
            Devices::Listed(devices) => audio::meant(devices, direction, set),
            _ => None,
        };
        let called = || cx.preferences.device_name(set).to_owned();
        Choice {
            id: Some(known.map_or_else(|| set.to_owned(), |device| device.id.clone())),
            name: known.map_or_else(called, |device| device.name.clone()),
        }
    }
}

fn percent<'a>(percent: u8, cx: &Cx<'a>) -> Element<'a, Message> {
    let words = fl!(cx.texts, "call-sound-volume", percent = percent);
    container(text::body(words).style(text::muted))
        .align_right(PERCENT)
        .into()
}
