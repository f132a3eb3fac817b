//! Which screen hears of a key: what lies on top, or else the screen that is open; then the call
//! that goes on behind it, then the window.

use iced::Task;

use super::{By, Cap, Chord, Message, Place, Shortcut};
use crate::{
    gui::{self, App, call::Call, desk::Layer, sign_in},
    phone,
    settings::preferences,
};

impl App {
    /// Does what a key means.
    pub(in crate::gui) fn key(&mut self, message: Message) -> Task<gui::Message> {
        match message {
            Message::Pressed { chord, taken } => match self.meant(chord, taken) {
                Some((place, shortcut)) => self.obey(place, shortcut),
                None => Task::none(),
            },
            Message::Released => self.on_screen(
                |phone, cx| phone.call.talk(By::Key, false, cx),
                gui::Message::Call,
            ),
        }
    }

    /// What a key means now, and where.
    fn meant(&self, chord: Chord, taken: bool) -> Option<(Place, Shortcut)> {
        let at = |place| Some((place, Shortcut::at(place, chord, taken)?));
        let Some(phone) = self.phone.as_ref().filter(|_| self.sign_in.is_none()) else {
            let anywhere = at(Place::Everywhere);
            let quits = anywhere.filter(|(_, shortcut)| *shortcut == Shortcut::Quit);
            return at(Place::Door).or(quits);
        };
        let cx = self.cx();
        let is_on = Call::is_on(&cx);
        let (open, around) = match self.on_top() {
            Some(Layer::Incoming) => {
                let hears = phone.incoming.hears(chord, &cx);
                (hears.then_some(Place::Incoming), None)
            }
            // What is asked is answered by what is in it, and nothing below hears anything.
            Some(Layer::Settings | Layer::Recovery | Layer::Closing) => (None, None),
            None => {
                let open = match (phone.shows_call, phone.place) {
                    (true, _) if is_on => Some(Place::Call),
                    (true, _) => Some(Place::Ended),
                    (false, preferences::Place::People) => Some(Place::People),
                    (false, preferences::Place::Log) => Some(Place::Log),
                    (false, preferences::Place::Settings) => None,
                };
                (open, Some(Place::Everywhere))
            }
        };
        // On other screens only keys with Ctrl are about the call: letters are typed there.
        let talks = cx.preferences.push_to_talk && chord.cap == Cap::Space;
        let behind = (is_on && (chord.command || talks)).then_some(Place::Call);
        [open, behind, around].into_iter().flatten().find_map(at)
    }

    fn obey(&mut self, place: Place, shortcut: Shortcut) -> Task<gui::Message> {
        match place {
            Place::Incoming => self.on_screen(
                |phone, cx| phone.incoming.key(shortcut, cx),
                gui::Message::Incoming,
            ),
            Place::Call | Place::Ended => {
                self.on_screen(|phone, cx| phone.call.key(shortcut, cx), gui::Message::Call)
            }
            Place::People => self.on_screen(
                |phone, cx| phone.people.key(shortcut, cx),
                gui::Message::People,
            ),
            Place::Log => {
                self.on_screen(|phone, cx| phone.log.key(shortcut, cx), gui::Message::Log)
            }
            Place::Door => match (shortcut, &self.sign_in) {
                (Shortcut::Back, Some(sign_in)) if sign_in.is_busy() => {
                    let cancelled = sign_in::Message::CancelPressed;
                    self.update(gui::Message::SignIn(cancelled))
                }
                _ => Task::none(),
            },
            Place::Everywhere => self.obey_anywhere(shortcut),
        }
    }

    fn obey_anywhere(&mut self, shortcut: Shortcut) -> Task<gui::Message> {
        let go = gui::Action::<()>::Go;
        let (away, dnd) = {
            let board = self.cx().board;
            (board.away, board.dnd)
        };
        let action = match shortcut {
            Shortcut::People => go(preferences::Place::People),
            Shortcut::Log => go(preferences::Place::Log),
            Shortcut::Settings => go(preferences::Place::Settings),
            Shortcut::TheCall => gui::Action::ShowCall(true),
            Shortcut::Away => gui::Action::phone(phone::Command::Away(!away)),
            Shortcut::DoNotDisturb => gui::Action::phone(phone::Command::Dnd(!dnd)),
            Shortcut::Search => {
                let shown = self.perform(go(preferences::Place::People), |()| unreachable!());
                let focused = self.on_screen(
                    |phone, cx| phone.people.key(shortcut, cx),
                    gui::Message::People,
                );
                return shown.chain(focused);
            }
            Shortcut::Quit => gui::Action::Quit,
            // Each of these has places of its own.
            Shortcut::Answer
            | Shortcut::Decline
            | Shortcut::Hangup
            | Shortcut::Mute
            | Shortcut::Hold
            | Shortcut::Verify
            | Shortcut::NextCall
            | Shortcut::Figures
            | Shortcut::Sound
            | Shortcut::Talk
            | Shortcut::CallAgain
            | Shortcut::Back
            | Shortcut::Above
            | Shortcut::Below
            | Shortcut::Open
            | Shortcut::Call
            | Shortcut::Favourite
            | Shortcut::Pause
            | Shortcut::CopyAll => gui::Action::None,
        };
        self.perform(action, |()| unreachable!())
    }
}
