//! A phone that runs, and the screens that show it: which is open, and what lies over it.

use i18n_embed_fl::fl;
use iced::{
    Fill, Task,
    widget::{column, container, row},
};
use look::{Dialog, Element, Icon, nav, space};

use super::{
    Action, App, Cx, Message, Options,
    call::Call,
    incoming::Incoming,
    keep,
    line::{Up, Wanted},
    log::Log,
    notices::Notices,
    outside::Outside,
    people::People,
    recovery::Recovery,
    settings::{self, Settings},
};
use crate::settings::{
    Unshown,
    preferences::{Appearance, Place},
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

    /// Settings that a person sees listen to the microphone; all others let go of it.
    fn settle(&mut self, seen: bool, cx: &Cx<'_>) -> Action<settings::Message> {
        let seen = seen && self.place == Place::Settings && !self.shows_call;
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
        let bars = self.call.bars(self.shows_call, cx);
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
            .extend(bars.map(|bar| bar.map(Message::Call)))
            .extend(notices);
        let main = column![above, container(screen).width(Fill).height(Fill)];
        row![rail, main.width(Fill).height(Fill)].into()
    }
}

/// What can lie over the screen that is open. The topmost alone hears mouse and keyboard, but for
/// the keys of a call that goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layer {
    /// The settings ask something.
    Settings,
    /// The recovery words are shown.
    Recovery,
    /// It is asked what closing the window does.
    Closing,
    /// Somebody calls, or has called under the name of somebody else.
    Incoming,
}

impl Layer {
    /// From below.
    pub(super) const ALL: [Self; 4] = [
        Self::Settings,
        Self::Recovery,
        Self::Closing,
        Self::Incoming,
    ];
}

impl App {
    /// What lies on top of the screen that is open, if anything does.
    pub(super) fn on_top(&self) -> Option<Layer> {
        let mut from_above = Layer::ALL.into_iter().rev();
        from_above.find(|layer| self.laid(*layer).is_some())
    }

    /// What lies in this layer now.
    pub(super) fn laid(&self, layer: Layer) -> Option<Dialog<'_, Message>> {
        let phone = self.phone.as_ref().filter(|_| self.sign_in.is_none())?;
        let cx = self.cx();
        match layer {
            Layer::Settings if phone.shows_call || phone.place != Place::Settings => None,
            Layer::Settings => Some(phone.settings.dialog(&cx)?.map(Message::Settings)),
            Layer::Recovery => {
                let shown = phone.recovery.as_ref()?;
                Some(shown.dialog(&cx).map(Message::Recovery))
            }
            Layer::Closing => {
                let question = keep::question(&cx, self.closing?, phone.outside.in_tray);
                Some(question.map(Message::CloseAnswered))
            }
            Layer::Incoming => Some(phone.incoming.dialog(&cx)?.map(Message::Incoming)),
        }
    }

    /// Brings every screen in line with what is seen of it now, whatever it was that happened.
    pub(super) fn settle(&mut self) -> Task<Message> {
        if self.phone.is_none() || self.sign_in.is_some() {
            self.closing = None;
        }
        let has_window = self.window.is_some();
        let seen = has_window && self.sign_in.is_none();
        let top = self.on_top();
        let settings = self.on_screen(
            |phone, cx| phone.settle(seen && top != Some(Layer::Incoming), cx),
            Message::Settings,
        );
        let incoming = self.on_screen(|phone, cx| phone.incoming.settle(cx), Message::Incoming);
        let call = self.on_screen(
            |phone, cx| {
                let is_open = seen && top.is_none() && phone.shows_call;
                phone.call.settle(has_window, is_open, cx)
            },
            Message::Call,
        );
        let people = self.on_screen(
            |phone, cx| {
                let is_open = top.is_none() && !phone.shows_call && phone.place == Place::People;
                phone.people.settle(seen && is_open, cx)
            },
            Message::People,
        );
        Task::batch([settings, incoming, call, people])
    }
}
