//! What the keyboard does: one table, which the window obeys and the tooltips show.
//!
//! Plain letters are those of `ramal-phone`, and mean something only where nothing is typed. With
//! Ctrl (Command on a Mac) a key means the same everywhere, also in the middle of a word.

use std::{collections::HashMap, sync::LazyLock};

use iced::{
    Event, Subscription, event,
    keyboard::{self, Key, Modifiers, key::Named},
    window,
};

mod route;

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shortcut {
    /// Take the call that rings.
    Answer,
    /// Decline the call that rings.
    Decline,
    /// End the call.
    Hangup,
    /// Send silence in place of the microphone, or the microphone again.
    Mute,
    /// Put the call on hold, or go on with it.
    Hold,
    /// The four words are the same on both sides.
    Verify,
    /// Go to the call after this one.
    NextCall,
    /// Show the figures of the call, or hide them.
    Figures,
    /// Show devices and volumes, or hide them.
    Sound,
    /// Send the microphone for as long as the key is held.
    Talk,
    /// Call the same person once more.
    CallAgain,
    /// Leave what is shown: close details, empty the search, go back.
    Back,
    /// Type what is looked for: whom to call, or lines of the log.
    Search,
    /// The person above in the list.
    Above,
    /// The person below in the list.
    Below,
    /// Open the person who is chosen, or call who is open.
    Open,
    /// Call who is chosen at once.
    Call,
    /// Make the person a favourite, or no longer.
    Favourite,
    /// Others hear that this phone takes no calls.
    DoNotDisturb,
    /// Others see that nobody is at this phone.
    Away,
    /// Stop adding lines to the log, or go on.
    Pause,
    /// Copy all lines of the log.
    CopyAll,
    /// Go to the people.
    People,
    /// Go to the call.
    TheCall,
    /// Go to the log.
    Log,
    /// Go to the settings.
    Settings,
    /// End the program.
    Quit,
}

/// Where a key counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// Wherever the person is.
    Everywhere,
    /// While a call rings here.
    Incoming,
    /// In a call.
    Call,
    /// After a call, while it is shown why it ended.
    Ended,
    /// Among the people.
    People,
    /// In the log.
    Log,
    /// Where it is asked who one is.
    Door,
}

/// Keys that are pressed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Chord {
    /// With Ctrl, or Command on a Mac.
    pub command: bool,
    /// With Shift.
    pub shift: bool,
    /// And this.
    pub cap: Cap,
}

/// A key by what is printed on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cap {
    /// A letter, in lower case, a digit or a sign.
    Character(char),
    /// Enter.
    Enter,
    /// Escape.
    Escape,
    /// The space bar.
    Space,
    /// The arrow upwards.
    Up,
    /// The arrow downwards.
    Down,
}

const fn plain(cap: Cap) -> Chord {
    Chord {
        command: false,
        shift: false,
        cap,
    }
}

const fn letter(letter: char) -> Chord {
    plain(Cap::Character(letter))
}

const fn ctrl(cap: Cap) -> Chord {
    Chord {
        command: true,
        shift: false,
        cap,
    }
}

const fn ctrl_letter(letter: char) -> Chord {
    ctrl(Cap::Character(letter))
}

const fn ctrl_shift(letter: char) -> Chord {
    Chord {
        command: true,
        shift: true,
        cap: Cap::Character(letter),
    }
}

/// Every key that means something. Of several for one thing the first is shown in tooltips.
pub const TABLE: &[(Place, Shortcut, Chord)] = &[
    (Place::Incoming, Shortcut::Answer, ctrl(Cap::Enter)),
    (Place::Incoming, Shortcut::Answer, letter('a')),
    (Place::Incoming, Shortcut::Decline, plain(Cap::Escape)),
    (Place::Incoming, Shortcut::Decline, letter('d')),
    (Place::Call, Shortcut::Hangup, ctrl_letter('h')),
    (Place::Call, Shortcut::Hangup, letter('h')),
    (Place::Call, Shortcut::Mute, ctrl_letter('m')),
    (Place::Call, Shortcut::Mute, letter('m')),
    (Place::Call, Shortcut::Hold, ctrl_letter('o')),
    (Place::Call, Shortcut::Hold, letter('o')),
    (Place::Call, Shortcut::Verify, letter('v')),
    (Place::Call, Shortcut::NextCall, letter('n')),
    (Place::Call, Shortcut::Figures, letter('i')),
    (Place::Call, Shortcut::Sound, letter('s')),
    (Place::Call, Shortcut::Talk, plain(Cap::Space)),
    (Place::Call, Shortcut::Back, plain(Cap::Escape)),
    (Place::Ended, Shortcut::CallAgain, plain(Cap::Enter)),
    (Place::Ended, Shortcut::CallAgain, letter('c')),
    (Place::Ended, Shortcut::Back, plain(Cap::Escape)),
    (Place::People, Shortcut::Back, plain(Cap::Escape)),
    (Place::People, Shortcut::Above, plain(Cap::Up)),
    (Place::People, Shortcut::Below, plain(Cap::Down)),
    (Place::People, Shortcut::Open, plain(Cap::Enter)),
    (Place::People, Shortcut::Call, ctrl(Cap::Enter)),
    (Place::People, Shortcut::Favourite, ctrl_letter('b')),
    (Place::Log, Shortcut::Back, plain(Cap::Escape)),
    (Place::Log, Shortcut::Search, ctrl_letter('f')),
    (Place::Log, Shortcut::Pause, ctrl_letter('p')),
    (Place::Log, Shortcut::CopyAll, ctrl_shift('c')),
    (Place::Door, Shortcut::Back, plain(Cap::Escape)),
    (Place::Everywhere, Shortcut::Search, ctrl_letter('f')),
    (Place::Everywhere, Shortcut::Search, ctrl_letter('k')),
    (Place::Everywhere, Shortcut::DoNotDisturb, ctrl_letter('d')),
    (Place::Everywhere, Shortcut::Away, ctrl_shift('a')),
    (Place::Everywhere, Shortcut::People, ctrl_letter('1')),
    (Place::Everywhere, Shortcut::TheCall, ctrl_letter('2')),
    (Place::Everywhere, Shortcut::Log, ctrl_letter('3')),
    (Place::Everywhere, Shortcut::Settings, ctrl_letter(',')),
    (Place::Everywhere, Shortcut::Settings, ctrl_letter('4')),
    (Place::Everywhere, Shortcut::Quit, ctrl_letter('q')),
];

impl Chord {
    /// What was pressed, if it is something that the table may have.
    #[must_use]
    pub fn pressed(key: &Key, modifiers: Modifiers) -> Option<Self> {
        if modifiers.alt() {
            return None;
        }
        let cap = match key {
            Key::Named(Named::Enter) => Cap::Enter,
            Key::Named(Named::Escape) => Cap::Escape,
            Key::Named(Named::Space) => Cap::Space,
            Key::Named(Named::ArrowUp) => Cap::Up,
            Key::Named(Named::ArrowDown) => Cap::Down,
            Key::Character(text) => {
                let mut characters = text.chars().flat_map(char::to_lowercase);
                match (characters.next()?, characters.next()) {
                    (' ', None) => Cap::Space,
                    (character, None) => Cap::Character(character),
                    _ => return None,
                }
            }
            _ => return None,
        };
        Some(Self {
            command: modifiers.command(),
            shift: modifiers.shift(),
            cap,
        })
    }

    /// How it is written in a tooltip, as it is printed on keyboards of both languages.
    fn shown(self) -> String {
        let mut shown = String::new();
        if self.command {
            shown.push_str(if cfg!(target_os = "macos") {
                "⌘"
            } else {
                "Ctrl+"
            });
        }
        if self.shift {
            shown.push_str("Shift+");
        }
        match self.cap {
            Cap::Character(character) => shown.extend(character.to_uppercase()),
            Cap::Enter => shown.push_str("Enter"),
            Cap::Escape => shown.push_str("Esc"),
            // The only one with a word on it, if anything: a text names it in its language.
            Cap::Space => shown.push('␣'),
            Cap::Up => shown.push('↑'),
            Cap::Down => shown.push('↓'),
        }
        shown
    }
}

impl Shortcut {
    /// What a key means at a place. `taken` is that a text field or button has used the key
    /// already: then only what is pressed with Ctrl counts.
    #[must_use]
    pub fn at(place: Place, chord: Chord, taken: bool) -> Option<Self> {
        if taken && !chord.command {
            return None;
        }
        let mut rows = TABLE.iter();
        let (_, shortcut, _) = rows.find(|(at, _, held)| *at == place && *held == chord)?;
        Some(*shortcut)
    }

    /// The key that tooltips show.
    #[must_use]
    pub fn key(self) -> Option<&'static str> {
        SHOWN.get(&self).map(String::as_str)
    }
}

/// Of each shortcut the first key in the table, as it is written.
static SHOWN: LazyLock<HashMap<Shortcut, String>> = LazyLock::new(|| {
    let rows = TABLE.iter().rev();
    rows.map(|(_, shortcut, chord)| (*shortcut, chord.shown()))
        .collect()
});

/// Something on the keyboard that may mean something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message {
    /// A key of the table was pressed.
    Pressed {
        /// Which.
        chord: Chord,
        /// A text field or button has used it already.
        taken: bool,
    },
    /// The key to talk was let go, or the window lost the keyboard.
    Released,
}

/// The keys of the table, wherever in the window they are pressed.
pub fn subscription() -> Subscription<Message> {
    event::listen_with(|event, status, _window| heard(&event, status))
}

pub(super) fn heard(event: &Event, status: event::Status) -> Option<Message> {
    match event {
        Event::Keyboard(keyboard::Event::KeyPressed {
            key,
            modifiers,
            repeat,
            ..
        }) => {
            let chord = Chord::pressed(key, *modifiers)?;
            let moves = matches!(chord.cap, Cap::Up | Cap::Down);
            let known = TABLE.iter().any(|(_, _, held)| *held == chord);
            // A key that is held down does what it does once.
            (known && (moves || !repeat)).then_some(Message::Pressed {
                chord,
                taken: status == event::Status::Captured,
            })
        }
        Event::Keyboard(keyboard::Event::KeyReleased {
            key: Key::Named(Named::Space),
            ..
        })
        | Event::Window(window::Event::Unfocused) => Some(Message::Released),
        Event::Keyboard(keyboard::Event::KeyReleased {
            key: Key::Character(text),
            ..
        }) if text == " " => Some(Message::Released),
        _ => None,
    }
}

/// The microphone while a key must be held to talk.
///
/// PURE: keys and what was set come in, what the engine is to be told comes out.
#[derive(Debug, Clone, Copy, Default)]
pub struct PushToTalk {
    held: Option<By>,
    /// This has muted the phone, and has to give the microphone back.
    ruled: bool,
}

/// What is held to talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The key.
    Key,
    /// The mouse, on the place for it.
    Mouse,
}

impl PushToTalk {
    /// It is held, or let go. A window that loses the keyboard hears of no key that goes up: there
    /// it counts as up.
    pub fn hold(&mut self, by: By, held: bool) {
        match held {
            true => self.held = Some(by),
            false => self.held = self.held.filter(|holds| *holds != by),
        }
    }

    /// By what the person talks, if they do.
    #[must_use]
    pub fn held(self) -> Option<By> {
        self.held
    }

    /// Whether the phone is to be muted from now on, if that differs from how it is. With push to
    /// talk it is muted before anybody calls, so that nothing is heard that was not meant to be.
    pub fn mute(&mut self, switched_on: bool, muted: bool) -> Option<bool> {
        let wanted = match (switched_on, self.ruled) {
            (true, _) => self.held.is_none(),
            (false, true) => false,
            (false, false) => return None,
        };
        self.ruled = switched_on;
        (wanted != muted).then_some(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things_at_one_place() {
        let mut seen = HashMap::new();
        for (place, shortcut, chord) in TABLE {
            let before = seen.insert((place, chord), shortcut);
            assert_eq!(before, None, "{place:?} {chord:?} is {shortcut:?} as well");
        }
        for (place, shortcut, chord) in TABLE {
            let everywhere = seen.get(&(&Place::Everywhere, chord));
            let clash = everywhere.is_some_and(|everywhere| *everywhere != shortcut);
            assert!(!clash, "{chord:?} is {shortcut:?} and {everywhere:?}");
            // What is pressed with Ctrl in a call counts on all screens while there is one.
            let in_call = seen.get(&(&Place::Call, chord));
            let clash = *place != Place::Call && chord.command && in_call.is_some();
            assert!(!clash, "{chord:?} is {shortcut:?} and {in_call:?}");
        }
    }

    #[test]
    fn what_counts_everywhere_can_be_pressed_while_something_is_typed() {
        for (place, shortcut, chord) in TABLE {
            let typed = !chord.command && matches!(chord.cap, Cap::Character(_) | Cap::Space);
            assert!(
                !typed || *place != Place::Everywhere,
                "{shortcut:?} would swallow a letter"
            );
            // A text field uses these itself.
            let editing = ['a', 'c', 'v', 'x', 'z'].map(ctrl_letter);
            assert!(!editing.contains(chord), "{shortcut:?}");
        }
    }

    #[test]
    fn a_letter_in_a_text_field_is_a_letter() {
        let a = Chord::pressed(&Key::Character("A".into()), Modifiers::empty());
        let a = a.expect("a letter");
        let answer = Some(Shortcut::Answer);
        assert_eq!(Shortcut::at(Place::Incoming, a, false), answer);
        assert_eq!(Shortcut::at(Place::Incoming, a, true), None);
        assert_eq!(Shortcut::at(Place::People, a, false), None);
        let enter = Chord::pressed(&Key::Named(Named::Enter), Modifiers::CTRL).expect("a key");
        assert_eq!(Shortcut::at(Place::Incoming, enter, true), answer);
    }

    #[test]
    fn tooltips_show_the_first_key_as_it_is_printed() {
        assert_eq!(Shortcut::Mute.key(), Some("Ctrl+M"));
        assert_eq!(Shortcut::Decline.key(), Some("Esc"));
        assert_eq!(Shortcut::CopyAll.key(), Some("Ctrl+Shift+C"));
        for (_, shortcut, _) in TABLE {
            assert!(shortcut.key().is_some_and(|key| !key.is_empty()));
        }
    }

    #[test]
    fn push_to_talk_lets_the_microphone_through_only_while_the_key_is_held() {
        let mut talk = PushToTalk::default();
        assert_eq!(talk.mute(false, true), None, "a mute of the person's stays");
        assert_eq!(talk.mute(true, false), Some(true));
        assert_eq!(talk.mute(true, true), None);
        talk.hold(By::Key, true);
        assert_eq!(talk.mute(true, true), Some(false));
        talk.hold(By::Mouse, false);
        assert_eq!(talk.mute(true, false), None, "the mouse only passes by");
        talk.hold(By::Key, false);
        assert_eq!(talk.mute(true, false), Some(true));
        let back = talk.mute(false, true);
        assert_eq!(back, Some(false), "the microphone is back");
        assert_eq!(talk.mute(false, false), None);
    }
}
