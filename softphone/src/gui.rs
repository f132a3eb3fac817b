//! The window: screens, what they ask for, and the way to the phone behind it.
//!
//! ```text
//!          Message                 Action                 Command
//!  person --------> screen.update --------> App.perform ----------> line -> engine
//!                   screen.hear   <-------- App.hear    <---------- line <- engine
//!                                  Event                  News
//! ```
//!
//! Every screen is a struct that knows nothing of the others, nor of the engine: it says by an
//! [`Action`] what the person wants, and [`App`] does it. What all screens may look at is in
//! [`Cx`]. What happened in the engine reaches a screen as an event, by `hear`, and as snapshots,
//! in [`Cx`].

use std::{path::PathBuf, sync::Arc, time::Instant};

use codec::Name;
use i18n_embed::fluent::FluentLanguageLoader;
use i18n_embed_fl::fl;
use iced::{Element, Subscription, Task, Theme, window};
use registry::client::Host;

use crate::{
    engine::{self, unix_now},
    phone,
    settings::preferences::{self, Appearance, Change, Place, Preferences},
};

pub mod call;
mod cx;
pub mod incoming;
pub mod keys;
pub mod line;
pub mod log;
pub mod notify;
pub mod people;
pub mod settings;
pub mod sign_in;
pub mod texts;
pub mod tray;
pub mod trouble;

pub use cx::Cx;

/// The smallest window in which nothing is clipped.
const WINDOW_MIN: iced::Size = iced::Size::new(400.0, 480.0);

/// What a screen wants done. Screens do nothing themselves.
pub enum Action<M> {
    /// Nothing.
    None,
    /// Tell the phone.
    Tell(engine::Command),
    /// Keep what the person set.
    Prefer(Change),
    /// Open another screen.
    Go(Place),
    /// Open the screen of the calls, or leave it.
    ShowCall(bool),
    /// Put a text on the clipboard.
    Copy(String),
    /// Go on with this: focus, scrolling, something that takes time.
    Run(Task<M>),
    /// All of these, in order.
    All(Vec<Self>),
}

impl<M> Action<M> {
    /// Tells the phone something of registration and calls.
    #[must_use]
    pub fn phone(command: phone::Command) -> Self {
        Self::Tell(command.into())
    }
}

/// What the command line says.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The folder with the keys of every name, and with what was set.
    pub folder: PathBuf,
    /// The name to go by, if not the one used last.
    pub name: Option<Name>,
    /// The registry, if not the one used last.
    pub registry: Option<Host>,
}

/// The whole window.
pub struct App {
    options: Options,
    texts: FluentLanguageLoader,
    appearance: Appearance,
    preferences: Preferences,
    stage: Stage,
    window: Option<window::Id>,
    focused: bool,
    now: Instant,
    /// Flipped by every update, so that everything is painted anew.
    odd: bool,
}

enum Stage {
    SignIn(sign_in::SignIn),
    Phone(Box<Phone>),
}

/// A phone that runs, and the screens that show it.
struct Phone {
    wanted: line::Wanted,
    up: Option<line::Up>,
    place: Place,
    shows_call: bool,
    people: people::People,
    incoming: incoming::Incoming,
    call: call::Call,
    log: log::Log,
    settings: settings::Settings,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Message {
    /// On the screen that asks for name and registry.
    SignIn(sign_in::Message),
    /// On the screen of people.
    People(people::Message),
    /// Where somebody calls.
    Incoming(incoming::Message),
    /// On the screen of the calls, or in their bar.
    Call(call::Message),
    /// On the screen of messages.
    Log(log::Message),
    /// On the screen of what can be set.
    Settings(settings::Message),
    /// In the phone.
    Line(line::News),
    /// Another screen was asked for.
    PlacePressed(Place),
    /// A key was pressed or released that no field took.
    Key(keys::Message),
    /// In the tray.
    Tray(tray::Message),
    /// A notification of the desktop was answered.
    Notify(notify::Message),
    /// The window opened, closed, or changed.
    Window(window::Id, window::Event),
    /// Time went by that is shown somewhere.
    Tick(Instant),
}

impl App {
    /// The window as it is at the start, before anybody is signed in.
    pub fn new(options: Options) -> (Self, Task<Message>) {
        let appearance = preferences::read_appearance(&options.folder).value;
        let (window, opened) = window::open(window::Settings {
            size: appearance.window.into(),
            min_size: Some(WINDOW_MIN),
            exit_on_close_request: false,
            ..window::Settings::default()
        });
        let app = Self {
            stage: Stage::SignIn(sign_in::SignIn::new(&options)),
            texts: texts::load(appearance.language),
            options,
            appearance,
            preferences: Preferences::default(),
            window: Some(window),
            focused: true,
            now: Instant::now(),
            odd: false,
        };
        (app, opened.discard())
    }

    /// Takes in what happened.
    pub fn update(&mut self, message: Message) -> Task<Message> {
        self.odd = !self.odd;
        self.now = Instant::now();
        match message {
            Message::SignIn(message) => {
                let Stage::SignIn(sign_in) = &mut self.stage else {
                    return Task::none();
                };
                let action = sign_in.update(message);
                self.sign_in(action)
            }
            Message::People(message) => self.on_screen(
                |phone, cx| phone.people.update(message, cx),
                Message::People,
            ),
            Message::Incoming(message) => self.on_screen(
                |phone, cx| phone.incoming.update(message, cx),
                Message::Incoming,
            ),
            Message::Call(message) => {
                self.on_screen(|phone, cx| phone.call.update(message, cx), Message::Call)
            }
            Message::Log(message) => {
                self.on_screen(|phone, cx| phone.log.update(message, cx), Message::Log)
            }
            Message::Settings(message) => self.on_screen(
                |phone, cx| phone.settings.update(message, cx),
                Message::Settings,
            ),
            Message::Line(news) => self.hear(news),
            Message::PlacePressed(place) => self.perform(Action::Go(place), Message::People),
            Message::Key(message) => {
                self.on_screen(|_, cx| keys::meant(&message, cx), Message::Key)
            }
            Message::Tray(message) => {
                self.on_screen(|_, cx| tray::meant(message, cx), Message::Tray)
            }
            Message::Notify(message) => {
                self.on_screen(|_, cx| notify::meant(message, cx), Message::Notify)
            }
            Message::Window(id, _) if self.window != Some(id) => Task::none(),
            Message::Window(_, event) => {
                match event {
                    window::Event::Focused => self.focused = true,
                    window::Event::Unfocused => self.focused = false,
                    window::Event::CloseRequested => return iced::exit(),
                    _ => {}
                }
                Task::none()
            }
            Message::Tick(_) => Task::none(),
        }
    }

    /// Lets a screen of the phone take something in, and does what it wants.
    fn on_screen<M: Send + 'static>(
        &mut self,
        screen: impl FnOnce(&mut Phone, &Cx<'_>) -> Action<M>,
        wrap: fn(M) -> Message,
    ) -> Task<Message> {
        let Stage::Phone(phone) = &mut self.stage else {
            return Task::none();
        };
        let cx = Cx {
            texts: &self.texts,
            now: self.now,
            clock: unix_now(),
            preferences: &self.preferences,
            focused: self.focused,
        };
        let action = screen(phone, &cx);
        self.perform(action, wrap)
    }

    /// Does what a screen wants.
    fn perform<M: Send + 'static>(
        &mut self,
        action: Action<M>,
        wrap: fn(M) -> Message,
    ) -> Task<Message> {
        match action {
            Action::None => {}
            Action::Tell(command) => self.tell(command),
            Action::Prefer(change) => self.preferences.apply(change),
            Action::Go(place) => {
                self.appearance.place = place;
                if let Stage::Phone(phone) = &mut self.stage {
                    (phone.place, phone.shows_call) = (place, false);
                }
            }
            Action::ShowCall(shows) => {
                if let Stage::Phone(phone) = &mut self.stage {
                    phone.shows_call = shows;
                }
            }
            Action::Copy(text) => return iced::clipboard::write(text),
            Action::Run(task) => return task.map(wrap),
            Action::All(actions) => {
                let tasks: Vec<_> = actions
                    .into_iter()
                    .map(|action| self.perform(action, wrap))
                    .collect();
                return Task::batch(tasks);
            }
        }
        Task::none()
    }

    fn tell(&self, command: engine::Command) {
        if let Stage::Phone(phone) = &self.stage
            && let Some(up) = &phone.up
        {
            // Full means that the phone hangs; what it does then is seen on the screen.
            let _ = up.commands.try_send(command);
        }
    }

    fn sign_in(&mut self, action: sign_in::Action) -> Task<Message> {
        match action {
            sign_in::Action::None => {}
            sign_in::Action::Connect(start) => {
                let wanted = line::Wanted {
                    number: 1,
                    start: Arc::new(start),
                };
                self.stage = Stage::Phone(Box::new(Phone::new(wanted, self.appearance.place)));
            }
        }
        Task::none()
    }

    /// Takes in news of the phone.
    fn hear(&mut self, news: line::News) -> Task<Message> {
        match news {
            line::News::Up(parcel) => {
                if let Stage::Phone(phone) = &mut self.stage {
                    phone.up = parcel.take();
                }
                Task::none()
            }
            line::News::Event(event) => {
                let people =
                    self.on_screen(|phone, cx| phone.people.hear(&event, cx), Message::People);
                let incoming = self.on_screen(
                    |phone, cx| phone.incoming.hear(&event, cx),
                    Message::Incoming,
                );
                let call = self.on_screen(|phone, cx| phone.call.hear(&event, cx), Message::Call);
                let log = self.on_screen(|phone, cx| phone.log.hear(&event, cx), Message::Log);
                let shown = self.on_screen(|_, cx| notify::hear(&event, cx), Message::Notify);
                Task::batch([people, incoming, call, log, shown])
            }
            line::News::Failed(_) | line::News::Over => {
                self.stage = Stage::SignIn(sign_in::SignIn::new(&self.options));
                Task::none()
            }
        }
    }

    fn cx(&self) -> Cx<'_> {
        Cx {
            texts: &self.texts,
            now: self.now,
            clock: unix_now(),
            preferences: &self.preferences,
            focused: self.focused,
        }
    }

    /// What is on the screen.
    #[must_use]
    pub fn view(&self, _window: window::Id) -> Element<'_, Message> {
        let cx = self.cx();
        match &self.stage {
            Stage::SignIn(sign_in) => sign_in.view(&cx).map(Message::SignIn),
            Stage::Phone(phone) => phone.view(&cx),
        }
    }

    /// What the window listens to.
    pub fn subscription(&self) -> Subscription<Message> {
        let mut all = vec![
            window::events().map(|(id, event)| Message::Window(id, event)),
            keys::subscription().map(Message::Key),
        ];
        if let Stage::Phone(phone) = &self.stage {
            all.push(line::subscription(&phone.wanted).map(Message::Line));
            all.push(tray::subscription().map(Message::Tray));
        }
        Subscription::batch(all)
    }

    /// What stands on the window's edge.
    #[must_use]
    pub fn title(&self, _window: window::Id) -> String {
        "Ramal".to_owned()
    }

    /// Its colours.
    #[must_use]
    pub fn theme(&self, _window: window::Id) -> Theme {
        Theme::Light
    }
}

impl Phone {
    fn new(wanted: line::Wanted, place: Place) -> Self {
        Self {
            wanted,
            up: None,
            place,
            shows_call: false,
            people: people::People::default(),
            incoming: incoming::Incoming::default(),
            call: call::Call::default(),
            log: log::Log::default(),
            settings: settings::Settings::default(),
        }
    }

    fn view<'a>(&'a self, cx: &Cx<'a>) -> Element<'a, Message> {
        use iced::widget::{button, column, row};
        let nav = [
            (Place::People, fl!(cx.texts, "nav-people")),
            (Place::Log, fl!(cx.texts, "nav-log")),
            (Place::Settings, fl!(cx.texts, "nav-settings")),
        ];
        let nav = row(nav.map(|(place, text)| {
            button(iced::widget::text(text))
                .on_press(Message::PlacePressed(place))
                .into()
        }));
        let bar = self.call.bar(cx).filter(|_| !self.shows_call);
        let screen = match (self.shows_call, self.place) {
            (true, _) => self.call.view(cx).map(Message::Call),
            (false, Place::People) => self.people.view(cx).map(Message::People),
            (false, Place::Log) => self.log.view(cx).map(Message::Log),
            (false, Place::Settings) => self.settings.view(cx).map(Message::Settings),
        };
        let screen = column![nav, bar.map(|bar| bar.map(Message::Call)), screen];
        match self.incoming.view(cx) {
            Some(incoming) => iced::widget::stack![screen, incoming.map(Message::Incoming)].into(),
            None => screen.into(),
        }
    }
}

/// Opens the window, and returns when the program is to end.
///
/// # Errors
/// When there is no display.
pub fn run(options: Options) -> iced::Result {
    iced::daemon(move || App::new(options.clone()), App::update, App::view)
        .title(App::title)
        .theme(App::theme)
        .subscription(App::subscription)
        .run()
}
