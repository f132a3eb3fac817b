//! Microphone and loudspeaker: which, how loud, and whether they work.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use i18n_embed::fluent::FluentLanguageLoader;
use i18n_embed_fl::fl;
use iced::{
    Alignment, Center, Fill, Subscription, Task,
    widget::{Row, column, row},
};
use look::{Element, Icon, Kind, button, space, text};

use super::super::{Action, Cx, trouble};
use crate::{
    audio::{
        self, AudioError, Device, Direction, Volume,
        trial::{Meter, Player, RECORDING_MAX, Recorder, State},
    },
    settings::preferences::{Change, Preferences},
};

/// How wide what a bar is called is, in logical pixels.
const LABEL: f32 = 60.0;

/// How often levels are shown.
const LEVELS_EVERY: Duration = Duration::from_millis(100);

/// The part of the screen.
#[derive(Debug)]
pub struct Sound {
    devices: Option<Arc<Result<Vec<Device>, AudioError>>>,
    meter: Option<Meter>,
    trial: Trial,
    level: f32,
    problem: Option<AudioError>,
}

impl Default for Sound {
    /// Nothing is listed yet, and nothing heard.
    fn default() -> Self {
        Self {
            devices: None,
            meter: None,
            trial: Trial::Nothing,
            level: look::FLOOR,
            problem: None,
        }
    }
}

/// What is being tried beside the meter.
#[derive(Debug, Default)]
enum Trial {
    #[default]
    Nothing,
    Tone(Player),
    Recording(Recorder),
    Replaying(Player),
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
    /// To hear something.
    TonePressed,
    /// To record.
    RecordPressed,
    /// To stop what is being tried.
    StopPressed,
    /// Levels are due.
    Tick(Instant),
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
    /// It was opened: the devices are listed, and the microphone is listened to.
    pub fn arrive(&mut self, cx: &Cx<'_>) -> Action<Message> {
        self.listen(cx.preferences);
        list()
    }

    fn listen(&mut self, set: &Preferences) {
        self.meter = None;
        self.level = look::FLOOR;
        match Meter::start(set.input()) {
            Ok(meter) => {
                meter.volume(Volume::of_percent(set.input_volume));
                self.meter = Some(meter);
                self.problem = None;
            }
            Err(error) => self.problem = Some(error),
        }
    }

    /// Takes in what happened.
    pub fn update(&mut self, message: Message, cx: &Cx<'_>) -> Action<Message> {
        match message {
            Message::Listed(devices) => {
                self.devices = Some(devices);
                return self.named(cx.preferences);
            }
            Message::RefreshPressed => {
                self.devices = None;
                self.listen(cx.preferences);
                return list();
            }
            Message::Chosen(role, id) => {
                let change = match role {
                    Role::Microphone => Change::Input(id),
                    Role::Loudspeaker => Change::Output(id),
                    Role::Bell => Change::RingOn(id),
                };
                let set = cx.preferences.with(change.clone());
                self.trial = Trial::Nothing;
                if role == Role::Microphone {
                    self.listen(&set);
                }
                let names = self.named(&set);
                return Action::All(vec![Action::Prefer(change), names]);
            }
            Message::VolumeSet(direction, percent) => {
                let volume = Volume::of_percent(percent);
                return match direction {
                    Direction::Input => {
                        if let Some(meter) = &self.meter {
                            meter.volume(volume);
                        }
                        Action::Prefer(Change::InputVolume(percent))
                    }
                    Direction::Output => {
                        if let Trial::Tone(player) | Trial::Replaying(player) = &self.trial {
                            player.volume(volume);
                        }
                        Action::Prefer(Change::OutputVolume(percent))
                    }
                };
            }
            Message::TonePressed => {
                self.trial = match Player::tone(cx.preferences.output()) {
                    Ok(player) => {
                        player.volume(Volume::of_percent(cx.preferences.output_volume));
                        Trial::Tone(player)
                    }
                    Err(error) => self.failed(error),
                };
            }
            Message::RecordPressed => {
                self.meter = None;
                self.trial = match Recorder::start(cx.preferences.input()) {
                    Ok(recorder) => {
                        recorder.volume(Volume::of_percent(cx.preferences.input_volume));
                        Trial::Recording(recorder)
                    }
                    Err(error) => self.failed(error),
                };
            }
            Message::StopPressed => self.stop(cx.preferences),
            Message::Tick(_) => self.tick(cx.preferences),
        }
        Action::None
    }

    /// What is chosen is called the same when it is there no more.
    fn named(&self, set: &Preferences) -> Action<Message> {
        let names = set.name_devices(self.listed());
        Action::All(names.into_iter().map(Action::Prefer).collect())
    }

    fn listed(&self) -> &[Device] {
        match self.devices.as_deref() {
            Some(Ok(listed)) => listed,
            // Why there is none is said once, at the microphone.
            Some(Err(_)) | None => &[],
        }
    }

    fn failed(&mut self, error: AudioError) -> Trial {
        self.problem = Some(error);
        Trial::Nothing
    }

    #[cfg(test)]
    pub(in crate::gui) fn listens(&self) -> bool {
        self.meter.is_some()
    }

    /// Whether the microphone is listened to, and works, and nothing else goes on.
    #[must_use]
    pub fn only_listens(&self) -> bool {
        let works = |meter: &Meter| !matches!(meter.state(), State::Failed(_));
        let listens = self.meter.as_ref().is_some_and(works);
        listens && self.problem.is_none() && matches!(self.trial, Trial::Nothing)
    }

    /// Ends what is being tried: a recording is played then, anything else is over.
    fn stop(&mut self, set: &Preferences) {
        self.trial = match std::mem::take(&mut self.trial) {
            Trial::Recording(recorder) => {
                let recording = recorder.finish();
                match Player::replay(&recording, set.output()) {
                    Ok(player) => {
                        player.volume(Volume::of_percent(set.output_volume));
                        Trial::Replaying(player)
                    }
                    Err(error) => self.failed(error),
                }
            }
            _ => Trial::Nothing,
        };
        if matches!(self.trial, Trial::Nothing) && self.meter.is_none() {
            self.listen(set);
        }
    }

    fn tick(&mut self, set: &Preferences) {
        let (state, level) = match (&self.trial, &self.meter) {
            (Trial::Recording(recorder), _) => (Some(recorder.state()), recorder.level_dbfs()),
            (Trial::Replaying(player), _) => (Some(player.state()), player.level_dbfs()),
            (Trial::Tone(player), meter) => {
                let level = meter.as_ref().map(Meter::level_dbfs);
                (Some(player.state()), level.unwrap_or(look::FLOOR))
            }
            (Trial::Nothing, Some(meter)) => {
                self.problem = match meter.state() {
                    State::Failed(error) => Some(error),
                    _ => None,
                };
                (None, meter.level_dbfs())
            }
            (Trial::Nothing, None) => (None, look::FLOOR),
        };
        self.level = level;
        match state {
            Some(State::Ended) => self.stop(set),
            Some(State::Failed(error)) => {
                self.trial = Trial::Nothing;
                self.problem = Some(error);
            }
            _ => {}
        }
    }

    /// What it listens to: levels, while something is listened to.
    pub fn subscription(&self) -> Subscription<Message> {
        match (&self.trial, &self.meter) {
            (Trial::Nothing, None) => Subscription::none(),
            _ => iced::time::every(LEVELS_EVERY).map(Message::Tick),
        }
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
        let seconds = RECORDING_MAX.as_secs().to_string();
        let (tries, said) = match &self.trial {
            Trial::Recording(recorder) => {
                let so_far = recorder.length().as_secs().to_string();
                let stop = button::primary((Icon::Stop, fl!(t, "sound-record-stop")));
                let said = fl!(t, "sound-recording", seconds = so_far, of = seconds);
                (stop.on_press(Message::StopPressed), said)
            }
            Trial::Replaying(_) => {
                let stop = button::secondary((Icon::Stop, fl!(t, "sound-stop")));
                (
                    stop.on_press(Message::StopPressed),
                    fl!(t, "sound-replaying"),
                )
            }
            Trial::Nothing | Trial::Tone(_) => {
                let record = button::secondary((Icon::Record, fl!(t, "sound-record")));
                let said = fl!(t, "sound-record-text", seconds = seconds);
                (record.on_press(Message::RecordPressed), said)
            }
        };
        let problem = self.problem(Direction::Input, set.input.as_deref(), cx);
        let all = column![
            head(Icon::Mic, fl!(t, "sound-microphone")),
            column![self.devices(cx, Role::Microphone, set.input.as_deref())]
                .extend(problem)
                .spacing(space::S),
        ]
        .push(labelled(fl!(t, "sound-level"), look::meter(self.level)))
        .push(volume(t, set.input_volume, Direction::Input))
        .push(
            row![text::caption(said).style(text::muted).width(Fill), tries]
                .spacing(space::M)
                .align_y(Center),
        )
        .spacing(space::M);
        look::card(all)
    }

    fn loudspeaker<'a>(&'a self, cx: &Cx<'a>) -> Element<'a, Message> {
        let (t, set) = (cx.texts, cx.preferences);
        let tries =
            match &self.trial {
                Trial::Tone(_) => button::secondary((Icon::Stop, fl!(t, "sound-stop")))
                    .on_press(Message::StopPressed),
                Trial::Nothing => button::secondary((Icon::Play, fl!(t, "sound-tone")))
                    .on_press(Message::TonePressed),
                Trial::Recording(_) | Trial::Replaying(_) => {
                    button::secondary((Icon::Play, fl!(t, "sound-tone")))
                }
            };
        let all = column![
            head(Icon::Speaker, fl!(t, "sound-loudspeaker")),
            column![self.devices(cx, Role::Loudspeaker, set.output.as_deref())]
                .extend(self.problem(Direction::Output, set.output.as_deref(), cx))
                .spacing(space::S),
        ]
        .push(volume(t, set.output_volume, Direction::Output))
        .push(
            row![
                text::caption(fl!(t, "sound-tone-text"))
                    .style(text::muted)
                    .width(Fill),
                tries,
            ]
            .spacing(space::M)
            .align_y(Center),
        )
        .spacing(space::M);
        look::card(all)
    }

    fn bell<'a>(&'a self, cx: &Cx<'a>) -> Element<'a, Message> {
        let chosen = cx.preferences.ring_on.as_deref();
        let all = column![
            head(Icon::Bell, fl!(cx.texts, "sound-bell")),
            self.devices(cx, Role::Bell, chosen),
        ];
        look::card(all.spacing(space::M))
    }

    /// The list to choose from.
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
        let listed = self.listed();
        let fitting = listed.iter().filter(|device| device.direction == wanted);
        choices.extend(fitting.map(|device| Choice {
            id: Some(device.id.clone()),
            words: device.name.clone(),
        }));
        let meant = chosen.and_then(|written| audio::meant(listed, wanted, written));
        let known = meant.map(|device| device.id.as_str()).or(chosen);
        let chosen = known.map(str::to_owned);
        // What was chosen and is not there now is waited for.
        if let (Some(written), None) = (known, meant) {
            let name = cx.preferences.device_name(written);
            let words = match self.devices.as_deref() {
                Some(Ok(_)) => fl!(t, "sound-away", device = name),
                Some(Err(_)) | None => name.to_owned(),
            };
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

    /// What is wrong with the microphone or the loudspeaker.
    fn problem<'a>(
        &self,
        direction: Direction,
        chosen: Option<&str>,
        cx: &Cx<'_>,
    ) -> Option<Element<'a, Message>> {
        let t = cx.texts;
        let listed = self
            .devices
            .as_deref()
            .and_then(|listed| listed.as_ref().err());
        let of_way = self.problem.as_ref();
        let of_way = of_way.filter(|problem| way(problem) == direction);
        let away = match (chosen, of_way) {
            (Some(written), None | Some(AudioError::UnknownDevice { .. })) => {
                let is_there = audio::meant(self.listed(), direction, written).is_some();
                let knows = matches!(self.devices.as_deref(), Some(Ok(_)));
                Some(written).filter(|_| knows && !is_there)
            }
            _ => None,
        };
        if let Some(written) = away {
            let device = cx.preferences.device_name(written);
            let words = fl!(t, "sound-unknown", device = device);
            return Some(look::banner(Kind::Warning, words, None));
        }
        let problem = listed.or(of_way)?;
        (way(problem) == direction)
            .then(|| look::banner(Kind::Warning, trouble::sound(t, problem), None))
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

/// Something that is moved or moves, with its name before it.
fn labelled<'a>(label: String, what: Element<'a, Message>) -> Row<'a, Message> {
    row![text::body(label).width(LABEL), what]
        .spacing(space::M)
        .align_y(Center)
}

fn volume<'a>(t: &FluentLanguageLoader, percent: u8, direction: Direction) -> Element<'a, Message> {
    let slider = look::slider(0..=200, percent, 5, move |percent| {
        Message::VolumeSet(direction, percent)
    });
    row![
        labelled(fl!(t, "sound-volume"), slider),
        text::body(format!("{percent}%"))
            .width(48)
            .align_x(Alignment::End),
    ]
    .spacing(space::M)
    .align_y(Center)
    .into()
}

/// Which way the sound goes that an error is about.
fn way(error: &AudioError) -> Direction {
    match error {
        AudioError::NoDevice { direction }
        | AudioError::UnknownDevice { direction, .. }
        | AudioError::AmbiguousDevice { direction, .. }
        | AudioError::CannotOpen { direction, .. }
        | AudioError::Lost { direction, .. } => *direction,
        AudioError::CannotWrite { .. } => Direction::Output,
        _ => Direction::Input,
    }
}
