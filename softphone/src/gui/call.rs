//! The calls that there are: a screen of their own, and a bar on every other.

use std::collections::HashMap;

use codec::CallId;
use iced::{Element, Task};
use tokio::task::spawn_blocking;

use super::{
    Action, Cx,
    keys::{By, PushToTalk, Shortcut},
};
use crate::{
    audio::{self, AudioError, Device, Levels},
    board::{EndedCall, SeenCall},
    call::Reason,
    engine::{self, Command},
    phone::{self, Event, Target},
    settings::preferences,
};

mod after;
mod controls;
pub(super) mod ending;
mod figures;
mod head;
mod quality;
mod sound;
mod warnings;
mod words;

use figures::Course;
use sound::Devices;

/// The screen.
#[derive(Debug, Default)]
pub struct Call {
    /// What is heard of each call that is up.
    voices: HashMap<CallId, Voice>,
    /// The call that the person has switched to.
    chosen: Option<CallId>,
    /// The call whose words the person found to differ.
    differs: Option<CallId>,
    /// The call whose end the person has seen.
    dismissed: Option<CallId>,
    figures: bool,
    sound: bool,
    devices: Devices,
    talk: PushToTalk,
}

/// What is heard of a call.
#[derive(Debug, Default)]
struct Voice {
    course: Course,
    levels: Option<Levels>,
}

/// What happened on it.
#[derive(Debug, Clone)]
pub enum Message {
    /// The call is to end.
    HangupPressed(CallId),
    /// The call is to be held, or to go on.
    HoldPressed(CallId, bool),
    /// The microphone is to be silent, or not.
    MutePressed(bool),
    /// The microphone is to be open for as long as it is pressed.
    TalkHeld(bool),
    /// The words of this call are the same.
    SamePressed(CallId),
    /// They are not.
    DifferPressed(CallId),
    /// The figures are to be shown, or hidden.
    FiguresPressed,
    /// Devices and volumes are to be shown, or hidden.
    SoundPressed,
    /// The devices that there are.
    Devices(Result<Vec<Device>, AudioError>),
    /// Voice is to come from there; `None` is what the system offers.
    InputChosen(Option<String>),
    /// Voice is to go there; `None` is what the system offers.
    OutputChosen(Option<String>),
    /// The microphone is to be so loud, in percent.
    InputVolume(u8),
    /// The loudspeaker is to be so loud, in percent.
    OutputVolume(u8),
    /// Another call is to be shown, and to be talked in.
    SwitchPressed(CallId),
    /// Somebody is to be called again.
    AgainPressed(Target),
    /// What is known of somebody is wanted, after this call.
    ShowPressed(CallId, Target),
    /// The end of this call has been seen.
    ClosePressed(CallId),
    /// The screen of the calls is to open.
    BarPressed,
    /// The people are wanted.
    PeoplePressed,
}

impl Call {
    /// Takes in what happened.
    pub fn update(&mut self, message: Message, cx: &Cx<'_>) -> Action<Message> {
        match message {
            Message::HangupPressed(call) => Action::phone(phone::Command::Hangup(call)),
            Message::HoldPressed(call, true) => Action::phone(phone::Command::Hold(call)),
            Message::HoldPressed(call, false) => Action::phone(phone::Command::Resume(call)),
            Message::MutePressed(mute) => Action::Tell(Command::Mute(mute)),
            Message::TalkHeld(held) => self.talk(By::Mouse, held, cx),
            Message::SamePressed(call) => {
                self.differs = None;
                Action::phone(phone::Command::Verify(call))
            }
            Message::DifferPressed(call) => {
                self.differs = Some(call);
                Action::None
            }
            Message::FiguresPressed => {
                self.figures = !self.figures;
                Action::None
            }
            Message::SoundPressed => {
                self.sound = !self.sound;
                self.list_devices()
            }
            Message::Devices(listed) => {
                self.devices = match listed {
                    Ok(devices) => Devices::Listed(devices),
                    Err(why) => Devices::Failed(why),
                };
                self.named(cx.preferences)
            }
            Message::InputChosen(id) => self.choose(preferences::Change::Input(id), cx),
            Message::OutputChosen(id) => self.choose(preferences::Change::Output(id), cx),
            Message::InputVolume(percent) => {
                Action::Prefer(preferences::Change::InputVolume(percent))
            }
            Message::OutputVolume(percent) => {
                Action::Prefer(preferences::Change::OutputVolume(percent))
            }
            Message::SwitchPressed(call) => self.switch(call, cx),
            Message::AgainPressed(target) => Action::phone(phone::Command::Dial(target)),
            Message::ShowPressed(call, target) => {
                self.dismissed = Some(call);
                Action::Show(target)
            }
            Message::ClosePressed(call) => {
                self.dismissed = Some(call);
                match self.shown(cx) {
                    Some(_) => Action::None,
                    None => Action::ShowCall(false),
                }
            }
            Message::BarPressed => Action::ShowCall(true),
            Message::PeoplePressed => Action::ShowCall(false),
        }
    }

    /// Takes in what happened in the phone.
    pub fn hear(&mut self, event: &engine::Event, cx: &Cx<'_>) -> Action<Message> {
        match event {
            engine::Event::Stats {
                call,
                voice,
                round_trip,
            } => {
                let heard = self.voices.entry(*call).or_default();
                heard.course.add(cx.now, *voice, *round_trip);
            }
            engine::Event::Levels { call, levels } => {
                self.voices.entry(*call).or_default().levels = Some(*levels);
                return Action::None;
            }
            engine::Event::Phone(Event::Ended { call, reason, .. }) => {
                self.voices.remove(call);
                let others = cx.board.calls.iter().any(|other| other.call != *call);
                let hung_up = matches!(reason, Reason::Hangup | Reason::DeclinedHere);
                if hung_up {
                    self.dismissed = Some(*call);
                }
                if hung_up && !others {
                    (self.figures, self.sound) = (false, false);
                    return Action::All(vec![Action::ShowCall(false), self.mute_for_talk(cx)]);
                }
            }
            engine::Event::Phone(Event::Dialling { call, .. }) => {
                self.chosen = Some(*call);
                // Whoever calls somebody has done with the call before.
                let before = cx.board.ended.as_ref().map(|over| over.call);
                self.dismissed = before.filter(|over| over != call).or(self.dismissed);
            }
            _ => {}
        }
        self.mute_for_talk(cx)
    }

    /// Does what a key means.
    pub fn key(&mut self, shortcut: Shortcut, cx: &Cx<'_>) -> Action<Message> {
        let shown = self.shown(cx);
        match (shortcut, shown) {
            (Shortcut::Hangup, Some(seen)) => self.update(Message::HangupPressed(seen.call), cx),
            (Shortcut::Mute, Some(_)) if !cx.preferences.push_to_talk => {
                self.update(Message::MutePressed(!cx.board.muted), cx)
            }
            (Shortcut::Hold, Some(seen)) if seen.is_up() => {
                self.update(Message::HoldPressed(seen.call, !seen.is_held_here()), cx)
            }
            (Shortcut::Verify, Some(seen)) if seen.unread().is_some() => {
                self.update(Message::SamePressed(seen.call), cx)
            }
            (Shortcut::NextCall, Some(seen)) => {
                let calls: Vec<_> = talked(cx).map(|seen| seen.call).collect();
                let at = calls
                    .iter()
                    .position(|call| *call == seen.call)
                    .unwrap_or(0);
                match calls.get((at + 1) % calls.len().max(1)) {
                    Some(next) if *next != seen.call => {
                        self.update(Message::SwitchPressed(*next), cx)
                    }
                    _ => Action::None,
                }
            }
            (Shortcut::Figures, Some(_)) => self.update(Message::FiguresPressed, cx),
            (Shortcut::Sound, Some(_)) => self.update(Message::SoundPressed, cx),
            (Shortcut::Talk, Some(_)) => self.talk(By::Key, true, cx),
            (Shortcut::CallAgain, None) => match self.over(cx) {
                // Where the button is not offered, its key does nothing either.
                Some(over) if !ending::ending(over, cx.texts).again => Action::None,
                Some(over) => self.update(Message::AgainPressed(again(over, cx)), cx),
                None => Action::None,
            },
            (Shortcut::Back, None) => match self.over(cx) {
                Some(over) => self.update(Message::ClosePressed(over.call), cx),
                None => Action::ShowCall(false),
            },
            (Shortcut::Back, Some(_)) => {
                if self.figures || self.sound {
                    (self.figures, self.sound) = (false, false);
                    return Action::None;
                }
                Action::ShowCall(false)
            }
            _ => Action::None,
        }
    }

    /// The key to talk, or the place for it on the screen, is held or let go.
    pub fn talk(&mut self, by: By, held: bool, cx: &Cx<'_>) -> Action<Message> {
        self.talk.hold(by, held);
        self.mute_for_talk(cx)
    }

    /// Lets go for the person what they cannot let go themselves any more. `is_open` is that this
    /// screen is what they see and can reach.
    pub fn settle(&mut self, has_window: bool, is_open: bool, cx: &Cx<'_>) -> Action<Message> {
        let Some(by) = self.talk.held() else {
            return Action::None;
        };
        let reachable = match by {
            By::Key => has_window,
            By::Mouse => is_open,
        };
        match reachable && Self::is_on(cx) {
            true => Action::None,
            false => self.talk(by, false, cx),
        }
    }

    fn mute_for_talk(&mut self, cx: &Cx<'_>) -> Action<Message> {
        let muted = self.talk.mute(cx.preferences.push_to_talk, cx.board.muted);
        muted.map_or(Action::None, |muted| Action::Tell(Command::Mute(muted)))
    }

    /// Whether there is a call, other than one that rings here.
    #[must_use]
    pub fn is_on(cx: &Cx<'_>) -> bool {
        talked(cx).next().is_some()
    }

    /// Shows a call. If it is up and held by this side, it goes on; the phone itself puts the
    /// others on hold.
    fn switch(&mut self, call: CallId, cx: &Cx<'_>) -> Action<Message> {
        self.chosen = Some(call);
        match cx.board.seen(call) {
            Some(seen) if seen.is_held_here() => Action::phone(phone::Command::Resume(call)),
            _ => Action::None,
        }
    }

    fn list_devices(&mut self) -> Action<Message> {
        if !self.sound || matches!(self.devices, Devices::Asking) {
            return Action::None;
        }
        self.devices = Devices::Asking;
        let listed = Task::future(async {
            let listed = spawn_blocking(audio::devices).await;
            Message::Devices(listed.unwrap_or_else(|error| {
                let why = error.to_string();
                Err(AudioError::CannotList { why })
            }))
        });
        Action::Run(listed)
    }

    /// The call that the screen shows: the one that was switched to, the one that is talked in, or
    /// any.
    fn shown<'a>(&self, cx: &Cx<'a>) -> Option<&'a SeenCall> {
        let chosen = self.chosen.and_then(|call| cx.board.seen(call));
        chosen
            .filter(|seen| !seen.rings_here())
            .or_else(|| talked(cx).find(|seen| seen.is_up() && !seen.is_held_here()))
            .or_else(|| talked(cx).next())
    }

    /// The call that has ended, as long as nobody has seen that.
    fn over<'a>(&self, cx: &Cx<'a>) -> Option<&'a EndedCall> {
        let ended = cx.board.ended.as_ref();
        ended.filter(|ended| self.dismissed != Some(ended.call))
    }

    /// What is on it.
    #[must_use]
    pub fn view<'a>(&'a self, cx: &Cx<'a>) -> Element<'a, Message> {
        match (self.shown(cx), self.over(cx)) {
            (Some(seen), _) => self.talking(seen, cx),
            (None, Some(over)) => after::view(over, cx),
            (None, None) => after::nothing(cx),
        }
    }

    /// The calls in short: the one that goes on, where another screen is open, and the one that
    /// has ended, where that is not seen otherwise.
    pub fn bars<'a>(
        &'a self,
        is_open: bool,
        cx: &Cx<'a>,
    ) -> impl Iterator<Item = Element<'a, Message>> + use<'a> {
        let shown = self.shown(cx);
        let seen = is_open && shown.is_none();
        let goes_on = shown.filter(|_| !is_open);
        let over = self.over(cx).filter(|_| !seen);
        let goes_on = goes_on.map(|seen| self.strip(seen, cx));
        let over = over.map(|over| after::strip(over, shown.is_none(), cx));
        goes_on.into_iter().chain(over)
    }
}

/// The calls that do not wait for the person to take them.
fn talked<'a>(cx: &Cx<'a>) -> impl Iterator<Item = &'a SeenCall> {
    cx.board.calls.iter().filter(|seen| !seen.rings_here())
}

/// Whom a call was with, as they were called.
fn again(over: &EndedCall, cx: &Cx<'_>) -> Target {
    let mut past = cx.history.entries.iter();
    let host = past
        .find(|past| past.name == over.name)
        .and_then(|past| past.host.clone());
    Target {
        name: over.name.clone(),
        host,
    }
}

#[cfg(test)]
mod tests;
