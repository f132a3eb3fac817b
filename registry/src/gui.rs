//! The window of a registry: opens and closes it, and shows who is registered and what happens.
//!
//! Each screen is a struct that hears what happened and says what is to be done; this does it. The
//! registry itself runs on threads of its own (`host`), and never waits for the window.

use std::{
    net::SocketAddr,
    path::PathBuf,
    process::Command as Process,
    sync::Arc,
    time::{Duration, Instant},
};

use codec::UnixMillis;
use i18n_embed::fluent::FluentLanguageLoader;
use iced::{
    Center, Fill, Size, Subscription, Task, Theme,
    keyboard::{self, Key},
    theme::Mode,
    widget::{column, container, row, space::horizontal, text::IntoFragment},
    window,
};
use jiff::tz::TimeZone;
use look::{Element, Icon, Kind, button, space, text};
use rust_embed::RustEmbed;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::{event::Warning, limits::Limits, operate::Options, store::Moment};

pub mod activity;
pub mod alarm;
pub mod bans;
pub mod door;
pub mod help;
pub mod host;
pub mod journal;
pub mod lines;
pub mod log;
pub mod preferences;
pub mod problem;
pub mod settings;
pub mod times;
pub mod users;

mod beside;
mod frame;
mod keep;
mod keys;
mod leaving;
mod said;

use activity::Activity;
use bans::Bans;
use beside::beside;
use door::Door;
use help::Help;
use host::{Command, Hosting, Phase, Seen, Sight};
use journal::Journal;
use keep::Keep;
use leaving::Leaving;
use log::Log;
use preferences::Preferences;
use settings::Settings;
use users::Users;

/// The texts of the window, in every language.
#[derive(RustEmbed)]
#[folder = "i18n/"]
pub struct Texts;

/// What the `.ftl` files are called.
pub const DOMAIN: &str = "registry";

/// The size of a window that was never resized, in logical pixels.
pub const WINDOW: Size = Size::new(1240.0, 760.0);

/// No smaller, in logical pixels, where text has its usual size.
pub const WINDOW_MIN: Size = Size::new(880.0, 560.0);

/// What a program is started with.
#[derive(Debug, Clone)]
pub struct Start {
    /// Where the registry keeps what it keeps.
    pub data: PathBuf,
    /// Where to listen this time, whatever is remembered.
    pub listen: Option<SocketAddr>,
    /// Opens at once.
    pub open: bool,
    /// What is remembered.
    pub found: preferences::Found,
    /// What clocks show at this place.
    pub zone: TimeZone,
    /// What runs the registry, for whoever starts the window and waits for its end.
    pub hosting: Hosting,
}

/// Where a person is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// At the users.
    Users,
    /// At the bans.
    Bans,
    /// At the plots.
    Activity,
    /// At the log.
    Log,
    /// At the settings.
    Settings,
    /// At the first steps.
    #[default]
    Help,
}

/// What every screen is shown with.
#[derive(Debug, Clone, Copy)]
pub struct Cx<'a> {
    /// The texts of a person's language.
    pub texts: &'a FluentLanguageLoader,
    /// How the registry is.
    pub seen: &'a Seen,
    /// What is remembered.
    pub preferences: &'a Preferences,
    /// Where the registry keeps what it keeps.
    pub data: &'a std::path::Path,
    /// How wide the window is, in logical pixels.
    pub width: f32,
    /// When this is.
    pub now: Instant,
    /// The same by this machine's clock.
    pub clock: UnixMillis,
    /// What clocks show at this place.
    pub zone: &'a TimeZone,
}

/// Something to answer before it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What is asked.
    pub title: String,
    /// What follows.
    pub follows: String,
    /// What does it.
    pub yes: String,
    /// The sign beside that.
    pub sign: Icon,
    /// Somebody loses something by it.
    pub harms: bool,
    /// What does nothing.
    pub no: String,
}

/// The window.
#[derive(Debug)]
pub struct App {
    data: PathBuf,
    preferences: Preferences,
    texts: FluentLanguageLoader,
    /// What the desktop wants.
    desktop: Mode,
    place: Place,
    door: Door,
    users: Users,
    bans: Bans,
    activity: Activity,
    log: Log,
    settings: Settings,
    help: Help,
    seen: Arc<Seen>,
    hosting: Hosting,
    /// To whatever runs the registry, while that runs.
    host: Option<(mpsc::Sender<Command>, Journal)>,
    /// Where this start was told to listen: that is not remembered.
    given: Option<SocketAddr>,
    keep: Keep,
    /// It is to be opened as soon as that can be told.
    opens: bool,
    leaving: Leaving,
    notice: Option<Notice>,
    /// What a person has read of what is wrong still.
    read: Vec<Warning>,
    /// The number of the last answer that was shown.
    told: u64,
    moment: Moment,
    zone: TimeZone,
    /// How wide the window is, in logical pixels.
    width: f32,
    /// Flipped by every update: see [`look::repaint`].
    odd: bool,
}

/// Something that a person is told once.
#[derive(Debug, Clone)]
struct Notice {
    kind: Kind,
    text: String,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Message {
    /// In what runs the registry.
    Host(host::Event),
    /// A place was chosen.
    Go(Place),
    /// In the head of the window.
    Door(door::Message),
    /// At the users.
    Users(users::Message),
    /// At the bans.
    Bans(bans::Message),
    /// At the plots.
    Activity(activity::Message),
    /// At the log.
    Log(log::Message),
    /// At the settings.
    Settings(settings::Message),
    /// At the first steps.
    Help(help::Message),
    /// A key was pressed that nothing else took.
    Key(Key, keyboard::Modifiers),
    /// The window is to be closed.
    CloseRequested,
    /// The window is to be closed although there are users.
    LeaveConfirmed,
    /// The window is to stay.
    LeaveDismissed,
    /// What was told is read.
    NoticeRead,
    /// What is wrong is read.
    WarningRead(Warning),
    /// The window has another size.
    Resized(Size),
    /// The desktop wants it light or dark.
    Desktop(Mode),
    /// Time went by.
    Tick,
    /// A folder could not be shown.
    NotShown(PathBuf),
}

impl App {
    /// A window as it was left.
    pub fn new(start: &Start) -> (Self, Task<Message>) {
        let preferences = start.found.preferences.clone();
        let texts = look::language::loader(DOMAIN, &Texts, preferences.language);
        let notice = start.found.set_aside.as_ref().map(|path| Notice {
            kind: Kind::Warning,
            text: said::preferences_damaged(path, &texts),
        });
        let app = Self {
            data: start.data.clone(),
            texts,
            desktop: Mode::None,
            place: preferences.place.unwrap_or_default(),
            door: Door::new(start.listen.unwrap_or(preferences.listen)),
            users: Users::default(),
            bans: Bans::default(),
            activity: Activity::default(),
            log: Log::default(),
            settings: Settings::default(),
            help: Help,
            seen: Arc::default(),
            hosting: start.hosting.clone(),
            host: None,
            given: start.listen,
            keep: Keep::default(),
            opens: start.open || preferences.open_at_start,
            leaving: Leaving::No,
            notice,
            read: Vec::new(),
            told: 0,
            moment: Moment::now(),
            zone: start.zone.clone(),
            width: preferences.window.map_or(WINDOW.width, |it| it.0)
                / preferences.text_size.factor(),
            odd: false,
            preferences,
        };
        (app, look::desktop::at_start().map(Message::Desktop))
    }

    /// The title of the window.
    #[must_use]
    pub fn title(&self) -> String {
        said::title(&self.seen.phase, &self.texts)
    }

    /// The theme that a person chose.
    #[must_use]
    pub fn theme(&self) -> Theme {
        look::theme(self.preferences.scheme, self.desktop)
    }

    /// How the window is painted.
    #[must_use]
    pub fn style(&self, theme: &Theme) -> iced::theme::Style {
        look::repaint(self.odd, theme)
    }

    /// How large everything is.
    #[must_use]
    pub fn scale(&self) -> f32 {
        self.preferences.text_size.factor()
    }

    /// What the window listens to.
    pub fn subscription(&self) -> Subscription<Message> {
        let ticks = match self.tick_every() {
            Some(every) => iced::time::every(every).map(|_| Message::Tick),
            None => Subscription::none(),
        };
        Subscription::batch([
            Subscription::run_with(self.hosting.clone(), host::connect).map(Message::Host),
            keyboard::listen().filter_map(|event| match event {
                keyboard::Event::KeyPressed { key, modifiers, .. } => {
                    Some(Message::Key(key, modifiers))
                }
                _ => None,
            }),
            window::close_requests().map(|_| Message::CloseRequested),
            window::resize_events().map(|(_, size)| Message::Resized(size)),
            look::desktop::changes().map(Message::Desktop),
            ticks,
        ])
    }

    /// How often the window has to look at the clock, if it has to.
    fn tick_every(&self) -> Option<Duration> {
        let leases = self.place == Place::Users && !self.seen.users.users.users.is_empty();
        match (&self.leaving, &self.seen.phase) {
            (Leaving::Yes { .. }, _) | (_, Phase::Closing { .. }) => {
                Some(Duration::from_millis(250))
            }
            (_, Phase::Open(_)) if leases => Some(Duration::from_secs(1)),
            _ => None,
        }
    }

    /// Does what is to be done about what happened.
    pub fn update(&mut self, message: Message) -> Task<Message> {
        self.update_at(message, Moment::now())
    }

    /// [`App::update`] at a point in time.
    pub fn update_at(&mut self, message: Message, moment: Moment) -> Task<Message> {
        self.odd = !self.odd;
        self.moment = moment;
        match message {
            Message::Host(host::Event::Ready(commands, journal)) => {
                self.host = Some((commands, journal));
                self.look();
                if std::mem::take(&mut self.opens) {
                    return self.door(door::Message::OpenPressed);
                }
            }
            Message::Host(host::Event::Seen(seen)) => return self.see(seen),
            Message::Host(host::Event::Unable(why)) => self.without_host(why),
            Message::Host(host::Event::Ended) => match self.leaving {
                Leaving::Yes { .. } => return self.end(),
                Leaving::No | Leaving::Asked => {
                    self.without_host("what runs the registry has failed".to_owned());
                }
            },
            Message::Tick => {
                if matches!(self.leaving, Leaving::Yes { until, .. } if until <= moment.now) {
                    return self.end();
                }
            }
            Message::Go(place) => self.go(place),
            Message::Door(message) => return self.door(message),
            Message::Users(message) => {
                let action = self.users.update(message, &self.seen.users);
                return self.users(action);
            }
            Message::Bans(message) => match self.bans.update(message) {
                bans::Action::Act(act) => self.command(Command::Act(act)),
                bans::Action::None => {}
            },
            Message::Activity(message) => match message {},
            Message::Log(message) => return self.log(message),
            Message::Settings(message) => {
                return match self.settings.update(message, &mut self.preferences) {
                    settings::Action::None => Task::none(),
                    settings::Action::Copy(text) => self.copy(text),
                    settings::Action::Changed => {
                        self.texts =
                            look::language::loader(DOMAIN, &Texts, self.preferences.language);
                        self.remember();
                        let smallest = Some(smallest(self.scale()));
                        window::latest().and_then(move |id| window::set_min_size(id, smallest))
                    }
                };
            }
            Message::Help(message) => match self.help.update(message) {
                help::Action::Open => return self.door(door::Message::OpenPressed),
                help::Action::Copy(text) => return self.copy(text),
            },
            Message::Key(key, modifiers) => return self.key(&key, modifiers),
            Message::CloseRequested => return self.leave(),
            Message::LeaveConfirmed => self.leave_now(),
            Message::LeaveDismissed => self.leaving = Leaving::No,
            Message::NoticeRead => self.notice = None,
            Message::WarningRead(warning) => self.read.push(warning),
            Message::Resized(size) => {
                let scale = self.scale();
                self.width = size.width;
                self.preferences.window = Some((size.width * scale, size.height * scale));
            }
            Message::Desktop(mode) => self.desktop = mode,
            Message::NotShown(folder) => {
                self.notice = Some(Notice {
                    kind: Kind::Warning,
                    text: said::not_shown(&folder, &self.texts),
                });
            }
        }
        Task::none()
    }

    /// The window.
    pub fn view(&self) -> Element<'_, Message> {
        self.frame()
    }

    /// Writes lines into the log, beside those of the registry.
    pub fn write(&mut self, lines: impl IntoIterator<Item = lines::Line>) {
        self.log.push(lines);
    }

    fn cx(&self) -> Cx<'_> {
        Cx {
            texts: &self.texts,
            seen: &self.seen,
            preferences: &self.preferences,
            data: &self.data,
            width: self.width,
            now: self.moment.now,
            clock: self.moment.time,
            zone: &self.zone,
        }
    }

    fn see(&mut self, seen: Arc<Seen>) -> Task<Message> {
        let was_open = self.seen.phase.is_open();
        self.seen = seen;
        if let Some((_, journal)) = &self.host {
            self.log.push(journal.take());
        }
        // What was mended and is wrong again is told again.
        let standing = Arc::clone(&self.seen);
        self.read.retain(|it| standing.warnings.contains(it));
        self.users.found(&self.seen.users);
        self.activity.pulses(&self.seen.pulses);
        if let Some(last) = self.seen.told.last().filter(|it| it.number > self.told) {
            self.told = last.number;
            let (kind, text) = match &last.what {
                Ok(done) => (Kind::Positive, said::done(done, &self.texts)),
                Err(failed) => (Kind::Danger, said::failed(failed, &self.texts)),
            };
            self.notice = Some(Notice { kind, text });
        }
        if self.seen.phase.is_open() && !was_open {
            self.look();
        }
        if self.seen.end && !matches!(self.leaving, Leaving::Yes { .. }) {
            self.leave_now();
        }
        Task::none()
    }

    fn go(&mut self, place: Place) {
        self.place = place;
        self.preferences.place = Some(place);
        self.look();
    }

    /// Tells what is shown now.
    fn look(&mut self) {
        let sight = match self.place {
            Place::Users => self.users.sight(),
            Place::Bans => Sight::Bans,
            Place::Activity => Sight::Activity,
            Place::Log | Place::Settings | Place::Help => Sight::Nothing,
        };
        self.command(Command::LookAt(sight));
    }

    fn door(&mut self, message: door::Message) -> Task<Message> {
        match self.door.update(message) {
            door::Action::None => {}
            door::Action::Open(listen) => {
                if !self.seen.phase.is_closed() {
                    return Task::none();
                }
                if self.given != Some(listen) {
                    self.given = None;
                    self.preferences.listen = listen;
                    self.remember();
                }
                self.notice = None;
                if self.host.is_some() {
                    let options = self.options(listen);
                    self.command(Command::Open(Box::new(options)));
                } else {
                    // It opens as soon as there is something to run it.
                    self.opens = true;
                    if let Phase::Failed(_) = self.seen.phase {
                        self.hosting.try_again();
                    }
                }
            }
            door::Action::Close => self.command(Command::Close),
            door::Action::Cut if self.leaving != Leaving::No => return self.leave(),
            door::Action::Cut => self.command(Command::CutShort),
            door::Action::Copy(text) => return self.copy(text),
        }
        Task::none()
    }

    fn options(&self, listen: SocketAddr) -> Options {
        let mut options = Options::new(listen, Some(self.data.clone()));
        options.plain = self.preferences.plain;
        options.limits = Limits {
            directory: self.preferences.directory,
            lease_max_s: self.preferences.lease_max_s,
            ..options.limits
        };
        options
    }

    fn users(&mut self, action: users::Action) -> Task<Message> {
        match action {
            users::Action::None => {}
            users::Action::LookAt(sight) => self.command(Command::LookAt(sight)),
            users::Action::Act(act) => self.command(Command::Act(act)),
            users::Action::Copy(text) => return self.copy(text),
            users::Action::Help => self.go(Place::Help),
            users::Action::Open => return self.door(door::Message::OpenPressed),
        }
        Task::none()
    }

    fn log(&mut self, message: log::Message) -> Task<Message> {
        match self.log.update(message) {
            log::Action::None => Task::none(),
            log::Action::Copy(text) => self.copy(text),
            log::Action::LookOn => Task::done(Message::Log(log::Message::LookOn)),
            log::Action::Ask => {
                let file = self.data.join(said::export_name(self.moment.time));
                self.log.ask(file.display().to_string());
                Task::none()
            }
            log::Action::Export(typed, lines) => {
                let name = said::export_name(self.moment.time);
                let path = log::place(&typed, &self.data, &name);
                let written = {
                    let path = path.clone();
                    beside(move || log::export(&path, &lines))
                };
                let no_thread = "no threads".to_owned();
                Task::perform(written, move |exported| {
                    let exported = exported.unwrap_or(log::Exported::Failed(path, no_thread));
                    Message::Log(log::Message::Exported(exported))
                })
            }
            log::Action::Show(file) => {
                let folder = file.parent().unwrap_or(&self.data).to_owned();
                let show = {
                    let folder = folder.clone();
                    beside(move || Process::new("xdg-open").arg(folder).status())
                };
                Task::future(show).then(move |shown| match shown {
                    Some(Ok(status)) if status.success() => Task::none(),
                    _ => Task::done(Message::NotShown(folder.clone())),
                })
            }
        }
    }

    fn copy(&mut self, text: String) -> Task<Message> {
        self.notice = Some(Notice {
            kind: Kind::Positive,
            text: said::copied(&self.texts),
        });
        iced::clipboard::write(text)
    }

    fn remember(&mut self) {
        if let Err(error) = self.keep.store(&self.preferences, &self.data) {
            self.notice = Some(Notice {
                kind: Kind::Warning,
                text: said::not_remembered(&error, &self.texts),
            });
        }
    }

    fn command(&mut self, command: Command) {
        let Some((commands, _)) = &self.host else {
            return;
        };
        // Nobody waits here. What runs the registry is that far behind only while a disk hangs.
        if commands.try_send(command).is_err() {
            self.notice = Some(Notice {
                kind: Kind::Warning,
                text: said::busy(&self.texts),
            });
        }
    }
}

/// The smallest size of a window whose text is so large.
#[must_use]
pub fn smallest(scale: f32) -> Size {
    Size::new(WINDOW_MIN.width * scale, WINDOW_MIN.height * scale)
}

/// A text of at most so many letters: what is in its middle is left out.
fn elided(text: &str, letters_max: usize) -> String {
    let letters = text.chars().count();
    if letters <= letters_max {
        return text.to_owned();
    }
    // The end of an address or a path tells more than its beginning.
    let first = letters_max / 3;
    let last = letters_max - first - 1;
    let head = text.chars().take(first);
    let tail = text.chars().skip(letters - last);
    head.chain(['…']).chain(tail).collect()
}

/// A screen: its title, what is counted in it, its tools, and what it shows.
fn page<'a, M: 'a>(
    title: String,
    count: String,
    tools: impl Into<Element<'a, M>>,
    content: impl Into<Element<'a, M>>,
) -> Element<'a, M> {
    let title = text::title(title).wrapping(iced::widget::text::Wrapping::None);
    let head = row![
        title,
        text::caption(count).style(text::muted),
        horizontal(),
        tools.into(),
    ]
    .spacing(space::M)
    .height(space::CONTROL)
    .align_y(Center);
    column![head, content.into()]
        .spacing(space::L)
        .height(Fill)
        .into()
}

/// What a screen shows that may be higher than the window.
fn scrolled<'a, M: 'a>(content: impl Into<Element<'a, M>>) -> Element<'a, M> {
    let content = container(content).padding(iced::padding::right(space::M));
    look::scroll_by_keys(look::scroll(content).height(Fill))
}

/// Something that others need, with a button that copies it.
fn copied<'a, M: Clone + 'a>(
    shown: impl IntoFragment<'a>,
    text_to_copy: String,
    tip: String,
    on_press: fn(String) -> M,
) -> Element<'a, M> {
    let copy = button::quiet(Icon::Copy).on_press(on_press(text_to_copy));
    let shown = text::strong(shown).wrapping(iced::widget::text::Wrapping::Glyph);
    row![container(shown).width(Fill), look::tip(copy, tip, None)]
        .spacing(space::S)
        .align_y(Center)
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_keeps_its_beginning_and_more_of_its_end() {
        assert_eq!(elided("short", 5), "short");
        assert_eq!(elided("[2001:db8::7334]:40000", 16), "[2001…334]:40000");
        assert_eq!(elided("äöüäöüäöü", 6).chars().count(), 6);
    }
}
