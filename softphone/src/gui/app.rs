//! The whole window: who is signed in, which screen is open, and everything that screens ask for.

use std::{
    path::PathBuf,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use i18n_embed_fl::fl;
use iced::{
    Subscription, Task, Theme,
    theme::{self, Mode},
    widget::{column, container},
    window,
};
use look::{Element, TextSize, space};

use super::{
    Action, Cx, Looks, Message, Options, World,
    desk::{Layer, Phone},
    identity,
    keep::{self, Keeper, Kept},
    keys,
    line::{self, News, Up},
    notices, people, recovery,
    sign_in::{self, SignIn},
    texts, tray,
    trouble::{self, Trouble},
};
use crate::{
    audio::{Direction, Volume},
    engine, phone,
    settings::preferences::{self, Appearance, Change, Place, Scheme},
};

/// How often what shows how long ago something was is drawn anew.
const TICK: Duration = Duration::from_secs(30);

/// The same, while there is a call, which shows its seconds.
const CALL_TICK: Duration = Duration::from_secs(1);

/// The program's id, as its `.desktop` file is called.
pub(super) const ID: &str = "ramal-softphone";

mod frame;
mod life;

pub(super) use frame::ICON;

/// The whole window.
pub struct App {
    pub(super) world: World,
    /// What tells the time.
    pub(super) clock: Box<dyn Fn() -> Instant>,
    options: Options,
    pub(super) appearance: Appearance,
    keeper: Keeper,
    /// What was set could not be read, and is there now.
    damaged: Option<PathBuf>,
    pub(super) sign_in: Option<SignIn>,
    pub(super) phone: Option<Box<Phone>>,
    /// How many phones there have been; the newest has this number.
    phones: u64,
    pub(super) window: Option<window::Id>,
    desktop: Mode,
    /// Closing the window is asked about, and whether the answer is remembered.
    pub(super) closing: Option<bool>,
    pub(super) quitting: bool,
    /// Flipped by every update; see [`look::repaint`].
    odd: bool,
}

impl App {
    /// The window as it is at the start: whoever was signed in is so again.
    pub fn new(options: Options) -> (Self, Task<Message>) {
        let kept = preferences::read_appearance(&options.folder);
        let mut app = Self {
            sign_in: None,
            phone: None,
            phones: 0,
            world: World::new(texts::load(kept.value.language)),
            clock: Box::new(Instant::now),
            options,
            appearance: kept.value,
            keeper: Keeper::default(),
            damaged: kept.damaged.map(|(path, _)| path),
            window: None,
            desktop: Mode::None,
            closing: None,
            quitting: false,
            odd: false,
        };
        app.world.room = app.room();
        let open = app.open();
        let begin = app.begin();
        let desktop = look::desktop::at_start().map(Message::Desktop);
        (app, Task::batch([open, begin, desktop]))
    }

    /// Takes in what happened.
    pub fn update(&mut self, message: Message) -> Task<Message> {
        if !self.moves_a_meter(&message) {
            self.odd = !self.odd;
        }
        self.world.now = (self.clock)();
        let task = self.take_in(message);
        self.world.room = self.room();
        if let Some(Phone {
            up: Some(up),
            shows_call,
            ..
        }) = self.phone.as_deref()
        {
            let shown = *shows_call && self.window.is_some();
            up.shows_levels.store(shown, Relaxed);
        }
        let settle = self.settle();
        let keep = self.keep();
        Task::batch([task, settle, keep])
    }

    /// Whether nothing but a meter looks different afterwards, which repaints itself.
    fn moves_a_meter(&self, message: &Message) -> bool {
        match message {
            Message::Line(_, News::Event(engine::Event::Levels { .. })) => true,
            Message::Settings(message) => {
                let phone = self.phone.as_ref();
                phone.is_some_and(|phone| phone.settings.moves_a_meter(message))
            }
            _ => false,
        }
    }

    fn take_in(&mut self, message: Message) -> Task<Message> {
        match message {
            Message::SignIn(message) => {
                let Some(sign_in) = &mut self.sign_in else {
                    return Task::none();
                };
                let action = sign_in.update(message);
                let damaged = sign_in.damaged.take();
                self.damaged = self.damaged.take().or(damaged);
                self.sign_in(action)
            }
            Message::People(message) => self.on_screen(
                |phone, cx| phone.people.update(message, cx),
                Message::People,
            ),
            Message::Incoming(message) => {
                self.on_screen(|phone, _| phone.incoming.update(message), Message::Incoming)
            }
            Message::Call(message) => {
                self.on_screen(|phone, cx| phone.call.update(message, cx), Message::Call)
            }
            Message::Log(message) => {
                self.on_screen(|phone, cx| phone.log.update(message, cx), Message::Log)
            }
            Message::Settings(message) => {
                self.resume(&message);
                self.on_screen(
                    |phone, cx| phone.settings.update(message, cx),
                    Message::Settings,
                )
            }
            Message::Notices(message) => self.notices(&message),
            Message::Recovery(message) => self.recovery(message),
            Message::Line(number, news) => match number == self.phones {
                true => self.hear(news),
                false => Task::none(),
            },
            Message::PlacePressed(place) => {
                self.on_screen(|_, _| Action::Go(place), Message::People)
            }
            Message::Key(message) => self.key(message),
            Message::Tray(message) => self.tray(message),
            Message::Notify(message) => self.notified(message),
            Message::Window(id, event) => match self.window == Some(id) {
                true => self.window(&event),
                false => Task::none(),
            },
            Message::Desktop(mode) => {
                self.desktop = mode;
                Task::none()
            }
            Message::CloseAnswered(answer) => self.closing(answer),
            Message::Kept(message) => self.kept_is(message),
            Message::Late(number) if self.quitting && number == self.phones => self.exit(),
            Message::Late(_) | Message::Tick(_) => Task::none(),
        }
    }

    /// What the screens may look at.
    pub(super) fn cx(&self) -> Cx<'_> {
        self.world.cx()
    }

    /// Lets a screen of the phone take something in, and does what it wants.
    pub(super) fn on_screen<M: Send + 'static>(
        &mut self,
        screen: impl FnOnce(&mut Phone, &Cx<'_>) -> Action<M>,
        wrap: fn(M) -> Message,
    ) -> Task<Message> {
        let Some(phone) = &mut self.phone else {
            return Task::none();
        };
        let action = screen(phone, &self.world.cx());
        self.perform(action, wrap)
    }

    /// Does what a screen wants.
    pub(super) fn perform<M: Send + 'static>(
        &mut self,
        action: Action<M>,
        wrap: fn(M) -> Message,
    ) -> Task<Message> {
        match action {
            Action::None => {}
            Action::Tell(command) => self.tell(command),
            Action::Prefer(change) => self.prefer(&change),
            Action::Look(looks) => return self.look(looks),
            Action::Go(place) => {
                self.appearance.place = place;
                self.keeper.touch();
                if let Some(phone) = &mut self.phone {
                    (phone.place, phone.shows_call) = (place, false);
                }
                self.refresh();
            }
            Action::Show(target) => {
                let gone = self.perform(Action::Go(Place::People), wrap);
                let open = people::Message::OpenPressed(target);
                let shown =
                    self.on_screen(|phone, cx| phone.people.update(open, cx), Message::People);
                return Task::batch([gone, shown]);
            }
            Action::ShowCall(shows) => {
                if let Some(phone) = &mut self.phone {
                    phone.shows_call = shows;
                }
            }
            Action::Copy(text) => return iced::clipboard::write(text),
            Action::Front => return self.front(),
            Action::SignOut => {
                self.prefer(&Change::SignedIn(false));
                return self.leave(None);
            }
            Action::Quit => return self.quit(),
            Action::Work(job) => return self.work(job),
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

    fn tell(&mut self, command: engine::Command) {
        if let Some(phone) = &mut self.phone
            && let Some(up) = &phone.up
            && up.commands.try_send(command).is_err()
        {
            // Its queue is full, or it has ended: it hangs, and the person should know.
            let busy = fl!(self.world.texts, "notice-phone-hangs");
            phone.notices.warn(busy);
        }
    }

    /// Keeps what was set, and lets the phone go by it.
    fn prefer(&mut self, change: &Change) {
        if let Err(unset) = self.world.preferences.apply(change.clone()) {
            if let Some(phone) = &mut self.phone {
                let said = trouble::unset(&self.world.texts, unset);
                phone.notices.warn(said.line());
            }
            return;
        }
        self.keeper.touch();
        if let Some(phone) = &mut self.phone {
            phone.refresh(&self.world.cx());
        }
        // What the command line says counts until a person sets something else.
        match change {
            Change::Input(_) => self.options.input = None,
            Change::Output(_) => self.options.output = None,
            Change::RingOn(_) => self.options.ring_on = None,
            _ => {}
        }
        let set = &self.world.preferences;
        let command = match change {
            Change::Input(_) => engine::Command::Input(set.input()),
            Change::Output(_) => engine::Command::Output(set.output()),
            Change::RingOn(_) => engine::Command::RingOn(set.ring_on()),
            Change::InputVolume(_) => {
                engine::Command::Volume(Direction::Input, Volume::of_percent(set.input_volume))
            }
            Change::OutputVolume(_) => {
                engine::Command::Volume(Direction::Output, Volume::of_percent(set.output_volume))
            }
            Change::Callers(_) => phone::Command::Callers(set.callers.into()).into(),
            Change::Publish(_) => phone::Command::Publish(set.publish).into(),
            Change::Registry(_)
            | Change::SignedIn(_)
            | Change::DeviceNamed(..)
            | Change::Favourite(..)
            | Change::Notifications(_)
            | Change::HideCallers(_)
            | Change::OnClose(_)
            | Change::PushToTalk(_) => return,
        };
        self.tell(command);
    }

    fn look(&mut self, looks: Looks) -> Task<Message> {
        match looks {
            Looks::Scheme(scheme) => self.appearance.scheme = scheme,
            Looks::Language(language) => {
                self.appearance.language = language;
                self.world.texts = texts::load(language);
            }
            Looks::TextSize(percent) => self.appearance.text_size = percent,
        }
        self.keeper.touch();
        self.rescaled()
    }

    /// What is to be written.
    fn kept(&self) -> Kept {
        let named = self.phone.as_ref().filter(|_| self.sign_in.is_none());
        let name = named.map(|phone| phone.wanted.start.name.clone());
        Kept {
            folder: self.options.folder.clone(),
            appearance: self.appearance.clone(),
            preferences: name.map(|name| (name, self.world.preferences.clone())),
        }
    }

    fn keep(&mut self) -> Task<Message> {
        self.keeper.collect().map(Message::Kept)
    }

    /// What was set is to be written, or has been.
    fn kept_is(&mut self, message: keep::Message) -> Task<Message> {
        match message {
            keep::Message::Due => {
                let mut keeper = std::mem::take(&mut self.keeper);
                let task = keeper.write(|| self.kept());
                self.keeper = keeper;
                return task.map(Message::Kept);
            }
            keep::Message::Written(Ok(())) => {}
            keep::Message::Written(Err(error)) => {
                if let Some(phone) = &mut self.phone {
                    let lost = fl!(self.world.texts, "notice-not-kept");
                    let said = trouble::profile(&self.world.texts, &error);
                    phone.notices.warn(format!("{lost} {}", said.line()));
                }
            }
        }
        Task::none()
    }

    pub(super) fn keep_now(&mut self) {
        let mut keeper = std::mem::take(&mut self.keeper);
        // The program ends, or somebody else signs in: there is nobody left to be told.
        let _ = keeper.flush(|| self.kept());
        self.keeper = keeper;
    }

    fn sign_in(&mut self, action: sign_in::Action) -> Task<Message> {
        match action {
            sign_in::Action::None => {}
            sign_in::Action::Run(task) => return task.map(Message::SignIn),
            sign_in::Action::Connect(start) => self.connect(*start),
            sign_in::Action::Cancel => self.phone = None,
        }
        Task::none()
    }

    fn notices(&mut self, message: &notices::Message) -> Task<Message> {
        match message {
            notices::Message::SignInPressed => {
                let phone = self.phone.as_ref();
                let trouble = phone.and_then(|phone| phone.notices.trouble().cloned());
                let known = trouble.filter(|trouble| !matches!(trouble, Trouble::Replaced));
                self.leave(known.map(Trouble::given_up))
            }
            notices::Message::FindOutPressed => self.on_screen(
                |phone, cx| {
                    let begun = phone.settings.begin(identity::Kind::Rotate, cx);
                    Action::All(vec![Action::Go(Place::Settings), begun])
                },
                Message::Settings,
            ),
            notices::Message::Read(notice) => {
                if *notice == notices::Notice::Damaged {
                    self.damaged = None;
                }
                if let Some(phone) = &mut self.phone {
                    phone.notices.read(*notice);
                }
                Task::none()
            }
        }
    }

    fn recovery(&mut self, message: recovery::Message) -> Task<Message> {
        let Some(phone) = &mut self.phone else {
            return Task::none();
        };
        let shown = phone.recovery.take();
        if let (recovery::Message::Written, Some(shown)) = (message, shown)
            && let Err(error) = shown.forget()
        {
            let said = trouble::profile(&self.world.texts, &error);
            phone.notices.warn(said.line());
        }
        Task::none()
    }

    // ---- the phone ----

    /// Takes in news of the phone.
    fn hear(&mut self, news: News) -> Task<Message> {
        if self.phone.is_none() && !self.quitting {
            // It was given up while its last news was on the way.
            return Task::none();
        }
        match news {
            News::Up(parcel) => {
                if let (Some(phone), Some(mut up)) = (&mut self.phone, parcel.take()) {
                    phone.notices.broke_off(up.broke_off);
                    phone.unshown = up.recovery.take();
                    phone.up = Some(up);
                }
                self.prefer_all();
                // The board is still that of the phone before, if there was one.
                if self.world.board.away {
                    self.tell(phone::Command::Away(true).into());
                }
                self.tell(phone::Command::Watch(true).into());
                self.refresh();
                Task::none()
            }
            News::Event(event) => {
                self.refresh();
                self.event(&event)
            }
            News::Changed => {
                self.refresh();
                self.follow_outside()
            }
            News::Failed(failure) if !self.quitting => self.lose(Trouble::Failure(failure)),
            News::Over if !self.quitting => match &self.phone {
                Some(phone) if phone.paused => Task::none(),
                // Another program had it end, and a program that runs for it ends with it.
                Some(phone) if phone.stops => self.exit(),
                _ => self.lose(Trouble::Over),
            },
            News::Failed(_) | News::Over => self.exit(),
        }
    }

    /// Looks how everything stands now.
    fn refresh(&mut self) {
        let views = self.phone.as_mut().and_then(|phone| phone.up.as_mut());
        if let Some(Up { views, .. }) = views {
            self.world.look_at(views);
        }
        if let Some(phone) = &mut self.phone {
            phone.refresh(&self.world.cx());
        }
    }

    /// What a phone that has just begun does not know from its start.
    fn prefer_all(&mut self) {
        let set = &self.world.preferences;
        let volumes = [
            (Direction::Input, set.input_volume),
            (Direction::Output, set.output_volume),
        ];
        for (direction, percent) in volumes {
            if percent != 100 {
                self.tell(engine::Command::Volume(
                    direction,
                    Volume::of_percent(percent),
                ));
            }
        }
    }

    fn event(&mut self, event: &engine::Event) -> Task<Message> {
        let Some(phone) = &mut self.phone else {
            return Task::none();
        };
        let start = Arc::clone(&phone.wanted.start);
        phone
            .notices
            .hear(event, &start.name, &start.registry, &self.world.texts);
        let own = match event {
            engine::Event::Phone(phone::Event::Registered) => self.granted(),
            engine::Event::Phone(phone::Event::Incoming { .. }) | engine::Event::Front => {
                self.front()
            }
            engine::Event::Commanded(engine::Command::Phone(phone::Command::Stop)) => {
                phone.stops = true;
                Task::none()
            }
            engine::Event::Devices {
                input,
                output,
                ring_on,
            } => {
                let set = &mut self.world.preferences;
                if set.use_devices(input, output, ring_on.as_ref()) {
                    self.keeper.touch();
                }
                Task::none()
            }
            _ => self.refused_at_the_door(),
        };
        if let Some(phone) = &mut self.phone {
            phone.people.hear(event);
            phone.incoming.hear(event);
        }
        let call = self.on_screen(|phone, cx| phone.call.hear(event, cx), Message::Call);
        let shown = self.follow_outside();
        Task::batch([own, call, shown])
    }

    // ---- what it looks like ----

    /// What is on the screen.
    #[must_use]
    pub fn view(&self, _window: window::Id) -> Element<'_, Message> {
        self.screen()
    }

    /// What is on the screen, in whatever window.
    #[must_use]
    pub fn screen(&self) -> Element<'_, Message> {
        let cx = self.cx();
        let screen = match (&self.sign_in, &self.phone) {
            (None, Some(phone)) => phone.view(&cx, &self.appearance),
            (Some(sign_in), _) => {
                let damaged = self.damaged.as_deref();
                let damaged = damaged.map(|path| notices::damaged(path, &cx));
                let damaged = damaged.map(|it| it.map(Message::Notices));
                let above = damaged.map(|it| container(it).padding([space::M, space::XL]).into());
                // As above the other screens: what comes and goes has a place of its own.
                let above = column![].extend(above);
                let screen = sign_in.view(&cx).map(Message::SignIn);
                column![above, screen].into()
            }
            (None, None) => iced::widget::space().into(),
        };
        look::dialogs(screen, Layer::ALL.map(|layer| self.laid(layer)))
    }

    /// What the window listens to.
    pub fn subscription(&self) -> Subscription<Message> {
        let mut all = vec![
            window::events().map(|(id, event)| Message::Window(id, event)),
            look::desktop::changes().map(Message::Desktop),
            keys::subscription().map(Message::Key),
        ];
        if let Some(sign_in) = &self.sign_in {
            all.push(sign_in.subscription().map(Message::SignIn));
        }
        if let Some(phone) = &self.phone {
            if !phone.paused {
                let news = line::subscription(&phone.wanted).with(phone.wanted.number);
                all.push(news.map(|(number, news)| Message::Line(number, news)));
            }
            if self.sign_in.is_none() {
                all.push(phone.settings.subscription().map(Message::Settings));
                all.push(tray::subscription().map(Message::Tray));
                let every = match self.world.board.calls.is_empty() {
                    true => TICK,
                    false => CALL_TICK,
                };
                all.push(iced::time::every(every).map(Message::Tick));
            }
        }
        Subscription::batch(all)
    }

    /// What stands on the window's edge.
    #[must_use]
    pub fn title(&self, _window: window::Id) -> String {
        match (&self.sign_in, &self.phone) {
            (None, Some(phone)) => format!("{} – Ramal", phone.wanted.start.name),
            _ => "Ramal".to_owned(),
        }
    }

    /// Its colours.
    #[must_use]
    pub fn theme(&self, _window: window::Id) -> Theme {
        let scheme = match self.appearance.scheme {
            Scheme::System => look::Scheme::System,
            Scheme::Light => look::Scheme::Light,
            Scheme::Dark => look::Scheme::Dark,
        };
        look::theme(scheme, self.desktop)
    }

    /// How large everything is, as a factor.
    #[must_use]
    pub fn factor(&self) -> f32 {
        let fits = |size: &&TextSize| size.percent() >= self.appearance.text_size;
        TextSize::ALL
            .iter()
            .find(fits)
            .copied()
            .unwrap_or_default()
            .factor()
    }

    fn style(&self, theme: &Theme) -> theme::Style {
        look::repaint(self.odd, theme)
    }
}

/// Opens the window, and returns when the program is to end.
///
/// # Errors
/// When there is no display.
pub fn run(options: Options) -> iced::Result {
    iced::daemon(move || App::new(options.clone()), App::update, App::view)
        .settings(look::settings(ID))
        .title(App::title)
        .theme(App::theme)
        .style(App::style)
        .scale_factor(|app, _| app.factor())
        .subscription(App::subscription)
        .run()
}
