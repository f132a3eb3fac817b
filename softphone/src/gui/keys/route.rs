//! Which screen hears of a key: who calls first, then the screen that is open, then the call that
//! goes on behind it, then the window.

use iced::Task;

use super::{Chord, Message, Place, Shortcut};
use crate::{
    gui::{self, App, call::Call, incoming::Incoming},
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
            Message::Released => {
                self.on_screen(|phone, cx| phone.call.talk(false, cx), gui::Message::Call)
            }
        }
    }

    /// What a key means now, and where.
    fn meant(&self, chord: Chord, taken: bool) -> Option<(Place, Shortcut)> {
        let phone = self.phone.as_ref()?;
        let cx = self.cx();
        let open = match (phone.shows_call, phone.place) {
            (true, _) if Call::is_on(&cx) => Some(Place::Call),
            (true, _) => Some(Place::Ended),
            (false, preferences::Place::People) => Some(Place::People),
            (false, preferences::Place::Log) => Some(Place::Log),
            (false, preferences::Place::Settings) => None,
        };
        let rings = Incoming::rings(&cx).then_some(Place::Incoming);
        // While something is asked only whoever calls is more urgent: what lies below hears
        // nothing.
        let asks = phone.settings.dialog(&cx).filter(|_| !phone.shows_call);
        if self.closing.is_some() || phone.recovery.is_some() || asks.is_some() {
            let place = rings.filter(|_| chord.command)?;
            return Some((place, Shortcut::at(place, chord, taken)?));
        }
        // On other screens only keys with Ctrl are about the call: letters are typed there.
        let behind = (Call::is_on(&cx) && chord.command).then_some(Place::Call);
        let talks = (Call::is_on(&cx) && cx.preferences.push_to_talk).then_some(Place::Call);
        let talks = talks.filter(|_| chord.cap == super::Cap::Space);
        [rings, open, behind, talks, Some(Place::Everywhere)]
            .into_iter()
            .flatten()
            .find_map(|place| Some((place, Shortcut::at(place, chord, taken)?)))
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
            _ => return Task::none(),
        };
        self.perform(action, |()| unreachable!())
    }
}
