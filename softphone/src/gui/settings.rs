//! What a person can set: sound, who may call, how the window looks, and who they are.

use std::{path::Path, sync::Arc};

use codec::{IdentityKey, Name};
use i18n_embed_fl::fl;
use iced::{
    Center, Fill, Subscription, Task,
    widget::{column, container, row},
};
use look::{Dialog, Element, Icon, Kind, TextSize, button, nav, space, text};
use registry::{
    client::Host,
    known::{KnownError, KnownRegistries},
};

use super::{
    Action, Cx, Looks, Options,
    identity::{self, Work},
    line::Start,
    trouble::{self, Said},
};
use crate::settings::{
    self as profile, ProfileError, Secrets,
    preferences::{Appearance, Change, Language, MayCall, OnClose, Scheme},
};

pub mod sound;

pub use sound::Sound;

/// The widest that a setting is, in logical pixels.
const WIDTH: f32 = 640.0;

/// The screen.
#[derive(Debug)]
pub struct Settings {
    options: Options,
    name: Name,
    registry: Host,
    pub(super) tab: Tab,
    sound: Sound,
    /// Nothing before the disk has been asked.
    read: Option<Arc<Read>>,
    /// To forget this registry is asked back.
    forgets: Option<Host>,
    work: Option<Work>,
    problem: Option<String>,
}

/// Who one is and which registries were met, as the disk has it.
#[derive(Debug)]
pub struct Read {
    /// The identity's fingerprint, if there is an identity.
    pub fingerprint: Result<Option<String>, ProfileError>,
    /// The registries, and their keys.
    pub known: Result<Vec<(Host, IdentityKey)>, KnownError>,
}

impl Read {
    /// Reads it for a name in a configuration folder.
    #[must_use]
    pub fn of(folder: &Path, name: &Name) -> Self {
        let fingerprint = |secrets: Secrets| secrets.identity.key().fingerprint();
        Self {
            fingerprint: profile::read(folder, name).map(|secrets| secrets.map(fingerprint)),
            known: KnownRegistries::in_folder(folder).list(),
        }
    }
}

/// A part of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    /// Devices, and whether they work.
    Sound,
    /// Who may call, and what others see.
    Calls,
    /// How the window looks, and what closing it does.
    Window,
    /// Who one is, and which registries were met.
    Identity,
    /// What this program is.
    About,
}

/// What happened on it.
#[derive(Debug, Clone)]
pub enum Message {
    /// Another part was asked for.
    TabPressed(Tab),
    /// In the part about sound.
    Sound(sound::Message),
    /// Something was set.
    Set(Change),
    /// How the window looks was set.
    LookSet(Looks),
    /// The fingerprint of the identity, and the registries that were met, were read.
    Read(Arc<Read>),
    /// To do something with the identity.
    WorkPressed(identity::Kind),
    /// In the dialog about it.
    Work(identity::Message),
    /// The fingerprint is to be put on the clipboard.
    CopyPressed,
    /// To forget a registry.
    ForgetPressed(Host),
    /// That is meant.
    ForgetConfirmed,
    /// It is not.
    ForgetLeft,
    /// To sign out.
    SignOutPressed,
}

impl Settings {
    /// Of the phone that runs with this.
    #[must_use]
    pub fn new(options: &Options, start: &Start) -> Self {
        Self {
            options: options.clone(),
            name: start.name.clone(),
            registry: start.registry.clone(),
            tab: Tab::Sound,
            sound: Sound::default(),
            read: None,
            forgets: None,
            work: None,
            problem: None,
        }
    }

    /// The screen is the first that is open: no microphone is heard because a program starts.
    pub fn begin_unheard(&mut self) {
        self.tab = Tab::Calls;
    }

    /// The screen was opened.
    pub fn arrive(&mut self, cx: &Cx<'_>) -> Action<Message> {
        match self.tab {
            Tab::Sound => Self::heard(self.sound.arrive(cx)),
            _ => self.read(),
        }
    }

    /// It is seen no more: nothing is listened to.
    pub fn leave(&mut self) {
        self.sound = Sound::default();
    }

    #[cfg(test)]
    pub(super) fn listens(&self) -> bool {
        self.sound.listens()
    }

    /// Opens the dialog that does this with the identity.
    pub fn begin(&mut self, kind: identity::Kind, _cx: &Cx<'_>) -> Action<Message> {
        let registry = self.registry.to_string();
        self.tab = Tab::Identity;
        let work = Work::new(kind, &self.options, self.name.as_str(), &registry);
        Action::Run(self.work.insert(work).focus())
    }

    /// Whether nothing but a meter looks different after this.
    #[must_use]
    pub fn moves_a_meter(&self, message: &Message) -> bool {
        matches!(message, Message::Sound(sound::Message::Tick(_))) && self.sound.only_listens()
    }

    /// Takes in what happened.
    pub fn update(&mut self, message: Message, cx: &Cx<'_>) -> Action<Message> {
        match message {
            Message::TabPressed(tab) => {
                self.leave();
                self.tab = tab;
                return self.arrive(cx);
            }
            Message::Sound(message) => return Self::heard(self.sound.update(message, cx)),
            Message::Set(change) => return Action::Prefer(change),
            Message::LookSet(looks) => return Action::Look(looks),
            Message::Read(read) => self.read = Some(read),
            Message::WorkPressed(kind) => return self.begin(kind, cx),
            Message::Work(message) => return self.work(message),
            Message::CopyPressed => {
                let fingerprint = self.fingerprint().map(str::to_owned);
                return fingerprint.map_or(Action::None, Action::Copy);
            }
            Message::ForgetPressed(host) => self.forgets = Some(host),
            Message::ForgetLeft => self.forgets = None,
            Message::ForgetConfirmed => {
                let known = KnownRegistries::in_folder(&self.options.folder);
                let forgotten = self.forgets.take().map(|host| known.forget(&host));
                self.problem = match forgotten {
                    Some(Err(error)) => Some(trouble::known(cx.texts, &error).line()),
                    _ => None,
                };
                return self.read();
            }
            Message::SignOutPressed => return Action::SignOut,
        }
        Action::None
    }

    fn heard(action: Action<sound::Message>) -> Action<Message> {
        match action {
            Action::Prefer(change) => Action::Prefer(change),
            Action::Run(task) => Action::Run(task.map(Message::Sound)),
            Action::All(all) => Action::All(all.into_iter().map(Self::heard).collect()),
            _ => Action::None,
        }
    }

    fn work(&mut self, message: identity::Message) -> Action<Message> {
        let Some(work) = &mut self.work else {
            return Action::None;
        };
        match work.update(message) {
            identity::Action::None => Action::None,
            identity::Action::Focus => Action::Run(work.focus()),
            identity::Action::Run(job) => Action::Work(job),
            identity::Action::Close => {
                let released = matches!(work.outcome(), Some(identity::Outcome::Released(_)));
                self.work = None;
                match released {
                    true => Action::SignOut,
                    false => self.read(),
                }
            }
        }
    }

    /// Reads who one is and which registries were met, beside the window's thread.
    fn read(&self) -> Action<Message> {
        let (folder, name) = (self.options.folder.clone(), self.name.clone());
        let read = move || Message::Read(Arc::new(Read::of(&folder, &name)));
        let read = async move { tokio::task::spawn_blocking(read).await.ok() };
        Action::Run(Task::future(read).and_then(Task::done))
    }

    /// What it listens to.
    pub fn subscription(&self) -> Subscription<Message> {
        self.sound.subscription().map(Message::Sound)
    }

    // ---- what it looks like ----

    /// What is on it.
    #[must_use]
    pub fn view<'a>(&'a self, cx: &Cx<'a>, appearance: &Appearance) -> Element<'a, Message> {
        let t = cx.texts;
        let tab =
            |icon, words, tab| nav::place(icon, words, self.tab == tab, Message::TabPressed(tab));
        let tabs = nav::tabs([
            tab(Icon::Speaker, fl!(t, "settings-sound"), Tab::Sound),
            tab(Icon::Call, fl!(t, "settings-calls"), Tab::Calls),
            tab(Icon::System, fl!(t, "settings-window"), Tab::Window),
            tab(
                Icon::Fingerprint,
                fl!(t, "settings-identity"),
                Tab::Identity,
            ),
            tab(Icon::Info, fl!(t, "settings-about"), Tab::About),
        ]);
        let part = match self.tab {
            Tab::Sound => self.sound.view(cx).map(Message::Sound),
            Tab::Calls => calls(cx),
            Tab::Window => window(cx, appearance),
            Tab::Identity => self.identity(cx),
            Tab::About => about(cx),
        };
        let problem = self.problem.as_deref();
        let problem = problem.map(|problem| look::banner(Kind::Danger, problem, None));
        let part = container(column![].extend(problem).push(part).spacing(space::L));
        let page = look::scroll(part.max_width(WIDTH).padding([0.0, space::XL])).height(Fill);
        let all = column![container(tabs).padding(space::XL), page];
        all.width(Fill).height(Fill).into()
    }

    /// The fingerprint of the identity, as far as it was read.
    fn fingerprint(&self) -> Option<&str> {
        self.read.as_ref()?.fingerprint.as_ref().ok()?.as_deref()
    }

    fn own<'a>(&'a self, cx: &Cx<'a>) -> Element<'a, Message> {
        let t = cx.texts;
        let copies = self.fingerprint().map(|_| Message::CopyPressed);
        let copy = button::quiet(Icon::Copy).on_press_maybe(copies);
        let fingerprint = self.fingerprint().unwrap_or("…");
        let fingerprint = row![
            look::icon(Icon::Fingerprint).style(text::muted),
            text::body(fingerprint).width(Fill),
            look::tip(copy, fl!(t, "copy"), None),
        ];
        column![
            fingerprint.spacing(space::S).align_y(Center),
            text::caption(fl!(t, "identity-fingerprint-text")).style(text::muted),
        ]
        .spacing(space::S)
        .into()
    }

    fn identity<'a>(&'a self, cx: &Cx<'a>) -> Element<'a, Message> {
        let t = cx.texts;
        let read = self.read.as_deref();
        let unread = |said: Said| look::alert(Kind::Danger, said.title, said.text, None);
        let whose = match read.map(|read| &read.fingerprint) {
            Some(Err(error)) => unread(trouble::profile(t, error)),
            _ => self.own(cx),
        };
        let whose = column![text::title(self.name.to_string()), whose].spacing(space::S);
        let does = |icon, title: String, words: String, go: String, kind| {
            let go = button::secondary(go);
            setting(
                Some(icon),
                title,
                words,
                go.on_press(Message::WorkPressed(kind)),
            )
        };
        let work = column![
            does(
                Icon::Export,
                fl!(t, "identity-export"),
                fl!(t, "identity-export-short"),
                fl!(t, "identity-export-open"),
                identity::Kind::Export,
            ),
            does(
                Icon::Refresh,
                fl!(t, "identity-rotate"),
                fl!(t, "identity-rotate-short"),
                fl!(t, "identity-rotate-open"),
                identity::Kind::Rotate,
            ),
            does(
                Icon::Release,
                fl!(t, "identity-release"),
                fl!(
                    t,
                    "identity-release-short",
                    registry = self.registry.to_string()
                ),
                fl!(t, "identity-release-open"),
                identity::Kind::Release,
            ),
            setting(
                Some(Icon::SignOut),
                fl!(t, "sign-out"),
                fl!(t, "sign-out-text"),
                button::secondary(fl!(t, "sign-out")).on_press(Message::SignOutPressed),
            ),
        ]
        .spacing(space::L);
        let met = |(host, key): &(Host, IdentityKey)| {
            let forget = button::quiet((Icon::Trash, fl!(t, "settings-forget")));
            let forget = forget.on_press(Message::ForgetPressed(host.clone()));
            setting(
                Some(Icon::Server),
                host.to_string(),
                key.fingerprint(),
                forget,
            )
        };
        let known = match read.map(|read| &read.known) {
            Some(Err(error)) => unread(trouble::known(t, error)),
            Some(Ok(known)) => column(known.iter().map(met)).spacing(space::M).into(),
            None => column![].into(),
        };
        let registries = column![
            text::title(fl!(t, "settings-registries")),
            text::caption(fl!(t, "settings-registries-text")).style(text::muted),
            known,
        ]
        .spacing(space::M);
        column![look::card(whose), look::card(work), look::card(registries)]
            .spacing(space::L)
            .into()
    }

    /// What lies over the whole window until it is answered.
    #[must_use]
    pub fn dialog<'a>(&'a self, cx: &Cx<'a>) -> Option<Dialog<'a, Message>> {
        if let Some(work) = &self.work {
            return Some(work.dialog(cx, Message::Work));
        }
        let (host, t) = (self.forgets.as_ref()?.to_string(), cx.texts);
        let content = text::body(fl!(t, "sign-in-forget-text", host = host));
        let answers = [
            button::secondary(fl!(t, "cancel"))
                .on_press(Message::ForgetLeft)
                .into(),
            button::danger(fl!(t, "settings-forget"))
                .on_press(Message::ForgetConfirmed)
                .into(),
        ];
        let dialog = Dialog::new(fl!(t, "sign-in-forget-title"), content, answers);
        Some(dialog.on_close(Message::ForgetLeft))
    }
}

/// One thing to set: what it is, what that means, and what sets it.
fn setting<'a, M: 'a>(
    icon: Option<Icon>,
    title: String,
    words: String,
    sets: impl Into<Element<'a, M>>,
) -> Element<'a, M> {
    let icon = icon.map(|icon| look::icon(icon).style(text::muted).into());
    let about = column![text::strong(title), text::caption(words).style(text::muted)];
    let about = about.spacing(space::XS);
    row![]
        .extend(icon)
        .push(about.width(Fill))
        .push(sets)
        .spacing(space::M)
        .align_y(Center)
        .into()
}

fn calls<'a>(cx: &Cx<'a>) -> Element<'a, Message> {
    let (t, set) = (cx.texts, cx.preferences);
    let callers = [
        (MayCall::Everyone, fl!(t, "callers-everyone")),
        (MayCall::Contacts, fl!(t, "callers-contacts")),
        (MayCall::Nobody, fl!(t, "callers-nobody")),
    ];
    let callers = look::segments(callers, &set.callers, |who| {
        Message::Set(Change::Callers(who))
    });
    let callers = column![
        text::strong(fl!(t, "callers")),
        text::caption(fl!(t, "callers-text")).style(text::muted),
        callers,
    ]
    .spacing(space::S);
    let switched = |words: String, explained: String, is_on, change: fn(bool) -> Change| {
        let about = column![
            text::strong(words),
            text::caption(explained).style(text::muted)
        ];
        let sets = move |on| Message::Set(change(on));
        look::switched(about.spacing(space::XS), is_on, Some(sets))
    };
    let publish = switched(
        fl!(t, "publish"),
        fl!(t, "publish-text"),
        set.publish,
        Change::Publish,
    );
    let talk = switched(
        fl!(t, "push-to-talk"),
        fl!(t, "push-to-talk-text"),
        set.push_to_talk,
        Change::PushToTalk,
    );
    let shown = switched(
        fl!(t, "notifications"),
        fl!(t, "notifications-text"),
        set.notifications,
        Change::Notifications,
    );
    let hides = switched(
        fl!(t, "hide-callers"),
        fl!(t, "hide-callers-text"),
        set.hide_callers,
        Change::HideCallers,
    );
    column![
        look::card(callers),
        look::card(publish),
        look::card(column![shown, hides].spacing(space::L)),
        look::card(talk),
    ]
    .spacing(space::L)
    .into()
}

fn window<'a>(cx: &Cx<'a>, appearance: &Appearance) -> Element<'a, Message> {
    let t = cx.texts;
    let part = |title: String, sets: Element<'a, Message>| {
        look::card(column![text::strong(title), sets].spacing(space::S))
    };
    let scheme = [
        (Scheme::System, fl!(t, "as-system")),
        (Scheme::Light, fl!(t, "scheme-light")),
        (Scheme::Dark, fl!(t, "scheme-dark")),
    ];
    let scheme = look::segments(scheme, &appearance.scheme, |scheme| {
        Message::LookSet(Looks::Scheme(scheme))
    });
    let language = [
        (Language::System, fl!(t, "as-system")),
        (Language::English, "English".to_owned()),
        (Language::BrazilianPortuguese, "Português".to_owned()),
    ];
    let language = look::segments(language, &appearance.language, |language| {
        Message::LookSet(Looks::Language(language))
    });
    let sizes = TextSize::ALL.map(|size| (size.percent(), format!("{}%", size.percent())));
    let sizes = look::segments(sizes, &appearance.text_size, |percent| {
        Message::LookSet(Looks::TextSize(percent))
    });
    let closes = [
        (OnClose::Ask, fl!(t, "on-close-ask")),
        (OnClose::Ring, fl!(t, "on-close-ring")),
        (OnClose::Quit, fl!(t, "on-close-quit")),
    ];
    let closes = look::segments(closes, &cx.preferences.on_close, |what| {
        Message::Set(Change::OnClose(what))
    });
    column![
        part(fl!(t, "scheme"), scheme),
        part(fl!(t, "language"), language),
        part(fl!(t, "text-size"), sizes),
        part(fl!(t, "on-close"), closes),
    ]
    .spacing(space::L)
    .into()
}

fn about<'a>(cx: &Cx<'a>) -> Element<'a, Message> {
    let t = cx.texts;
    let version = env!("CARGO_PKG_VERSION");
    let what = column![
        text::display("Ramal"),
        text::body(fl!(t, "about-version", version = version)).style(text::muted),
        text::body(fl!(t, "about-text")),
        text::body(fl!(t, "about-private")),
        text::caption(fl!(t, "about-licence")).style(text::muted),
    ]
    .spacing(space::M);
    look::card(what)
}
