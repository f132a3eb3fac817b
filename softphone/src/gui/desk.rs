//! A phone that runs, and the screens that show it: which is open, and what lies over it.

use i18n_embed_fl::fl;
use iced::{
    Fill,
    widget::{column, container, opaque, row, stack},
};
use look::{Element, Icon, nav, space};

use super::{
    Action, Cx, Message, Options,
    call::Call,
    incoming::Incoming,
    line::{Up, Wanted},
    log::Log,
    notices::Notices,
    outside::Outside,
    people::People,
    recovery::Recovery,
    settings::{self, Settings},
};
use crate::{
    board::{SeenCall, Stage},
    settings::{
        Unshown,
        preferences::{Appearance, Place},
    },
};

/// A phone that runs, and the screens that show it.
pub(super) struct Phone {
    pub(super) wanted: Wanted,
    pub(super) up: Option<Up>,
    /// It has left its profile for a while, and comes back.
    pub(super) paused: bool,
    /// It was told to stop, and the program with it.
    pub(super) stops: bool,
    pub(super) place: Place,
    pub(super) shows_call: bool,
    pub(super) people: People,
    pub(super) incoming: Incoming,
    pub(super) call: Call,
    pub(super) log: Log,
    pub(super) settings: Settings,
    settings_seen: bool,
    pub(super) notices: Notices,
    pub(super) outside: Outside,
    /// Recovery words that are worth nothing before the name is granted.
    pub(super) unshown: Option<Unshown>,
    pub(super) recovery: Option<Recovery>,
}

impl Phone {
    /// Of the phone that is wanted, before it runs.
    pub(super) fn new(wanted: Wanted, options: &Options, place: Place) -> Self {
        let mut settings = Settings::new(options, &wanted.start);
        if place == Place::Settings {
            settings.begin_unheard();
        }
        Self {
            wanted,
            up: None,
            paused: false,
            stops: false,
            place,
            shows_call: false,
            people: People::default(),
            incoming: Incoming::default(),
            call: Call::default(),
            log: Log::default(),
            settings,
            settings_seen: false,
            notices: Notices::default(),
            outside: Outside::default(),
            unshown: None,
            recovery: None,
        }
    }

    /// What screens make of how everything stands is made anew.
    pub(super) fn refresh(&mut self, cx: &Cx<'_>) {
        match self.place {
            Place::People => self.people.refresh(cx),
            Place::Log => self.log.refresh(cx),
            Place::Settings => {}
        }
    }

    /// Settings that a person sees listen to the microphone; all others let go of it. `seen` says
    /// whether there is a window with this phone in it.
    pub(super) fn settle(&mut self, seen: bool, cx: &Cx<'_>) -> Action<settings::Message> {
        let rings = |seen: &SeenCall| matches!(seen.stage, Stage::RingsHere { .. });
        let covered = self.shows_call || cx.board.calls.iter().any(rings);
        let seen = seen && self.place == Place::Settings && !covered;
        if std::mem::replace(&mut self.settings_seen, seen) == seen {
            return Action::None;
        }
        match seen {
            true => self.settings.arrive(cx),
            false => {
                self.settings.leave();
                Action::None
            }
        }
    }

    /// What is on the screen.
    pub(super) fn view<'a>(
        &'a self,
        cx: &Cx<'a>,
        appearance: &'a Appearance,
    ) -> Element<'a, Message> {
        let place = |icon, words, place| {
            let is_here = !self.shows_call && self.place == place;
            nav::place(icon, words, is_here, Message::PlacePressed(place))
        };
        let places = [
            place(Icon::People, fl!(cx.texts, "nav-people"), Place::People),
            place(Icon::Log, fl!(cx.texts, "nav-log"), Place::Log),
            place(
                Icon::Settings,
                fl!(cx.texts, "nav-settings"),
                Place::Settings,
            ),
        ];
        let rail = nav::rail(places, Some(self.people.me(cx).map(Message::People)));
        let bar = self.call.bar(cx).filter(|_| !self.shows_call);
        let screen = match (self.shows_call, self.place) {
            (true, _) => self.call.view(cx).map(Message::Call),
            (false, Place::People) => self.people.view(cx).map(Message::People),
            (false, Place::Log) => self.log.view(cx).map(Message::Log),
            (false, Place::Settings) => self.settings.view(cx, appearance).map(Message::Settings),
        };
        let notices = self.notices.view(cx).map(|notices| {
            let notices = notices.map(Message::Notices);
            container(notices).padding([space::M, space::XL]).into()
        });
        // What comes and goes has a place of its own: a screen whose place among its siblings
        // changes begins anew.
        let above = column![]
            .extend(bar.map(|bar| bar.map(Message::Call)))
            .extend(notices);
        let main = column![above, container(screen).width(Fill).height(Fill)];
        let all = row![rail, main.width(Fill).height(Fill)].into();
        let incoming = self.incoming.view(cx);
        let incoming = incoming.map(|incoming| opaque(incoming.map(Message::Incoming)));
        let all = stack([all].into_iter().chain(incoming));
        let settings = self.settings.dialog(cx);
        let settings = settings.filter(|_| !self.shows_call && self.place == Place::Settings);
        let settings = settings.map(|dialog| dialog.map(Message::Settings));
        let recovery = self.recovery.as_ref();
        let recovery = recovery.map(|shown| shown.dialog(cx).map(Message::Recovery));
        look::dialog(all, recovery.or(settings))
    }
}
