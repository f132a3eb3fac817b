//! The settings: of the registry, which count from its next opening, and of the window.

use codec::registry::{EXPIRES_MAX_S, EXPIRES_MIN_S};
use i18n_embed_fl::fl;
use iced::{
    Center, Fill,
    widget::{column, container, row, space::horizontal},
};
use look::{Element, Icon, Kind, Language, Scheme, TextSize, button, space, text};

use super::{Cx, page, preferences::Preferences, scrolled};
use crate::{limits::Directory, server::Plain};

/// How wide a choice is, in logical pixels.
const CHOICE: f32 = 280.0;

/// The settings, as a person edits them.
#[derive(Debug, Default)]
pub struct Settings {
    /// What is typed as the longest lease, while it is no lease.
    lease: Option<String>,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Message {
    /// From where plain frames are to be taken.
    PlainChosen(Plain),
    /// Who is to be shown the directory.
    DirectoryChosen(Directory),
    /// A longest lease was typed.
    LeaseTyped(String),
    /// Whether the registry is to open with the window.
    OpenAtStart(bool),
    /// A language was chosen.
    LanguageChosen(Language),
    /// Light or dark.
    SchemeChosen(Scheme),
    /// How large everything is to be.
    SizeChosen(TextSize),
    /// The path of the data folder is to be copied.
    CopyPressed(String),
}

/// What the window is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    None,
    /// Remembers what was changed.
    Changed,
    /// Puts this on the clipboard.
    Copy(String),
}

impl Settings {
    /// What is to be done about what happened.
    pub fn update(&mut self, message: Message, preferences: &mut Preferences) -> Action {
        match message {
            Message::PlainChosen(plain) => preferences.plain = plain,
            Message::DirectoryChosen(directory) => preferences.directory = directory,
            Message::LeaseTyped(typed) => match typed.trim().parse() {
                Ok(lease @ EXPIRES_MIN_S..=EXPIRES_MAX_S) => {
                    self.lease = None;
                    preferences.lease_max_s = lease;
                }
                _ => {
                    self.lease = Some(typed);
                    return Action::None;
                }
            },
            Message::OpenAtStart(open) => preferences.open_at_start = open,
            Message::LanguageChosen(language) => preferences.language = language,
            Message::SchemeChosen(scheme) => preferences.scheme = scheme,
            Message::SizeChosen(size) => preferences.text_size = size,
            Message::CopyPressed(text) => return Action::Copy(text),
        }
        Action::Changed
    }

    /// The screen.
    #[must_use]
    pub fn view<'a>(&'a self, cx: &Cx<'a>) -> Element<'a, Message> {
        let content = column![self.registry(cx), Self::window(cx), Self::folder(cx),]
            .spacing(space::L)
            .max_width(760);
        page(
            fl!(cx.texts, "settings"),
            String::new(),
            horizontal(),
            scrolled(content),
        )
    }

    fn registry<'a>(&'a self, cx: &Cx<'a>) -> Element<'a, Message> {
        let preferences = cx.preferences;
        let running = (!cx.seen.phase.is_closed())
            .then(|| look::banner(Kind::Info, fl!(cx.texts, "settings-next-time"), None));
        let plain = one_of(
            [Plain::Never, Plain::Loopback, Plain::Any].map(|plain| {
                let words = match plain {
                    Plain::Never => fl!(cx.texts, "plain-never"),
                    Plain::Loopback => fl!(cx.texts, "plain-loopback"),
                    Plain::Any => fl!(cx.texts, "plain-any"),
                };
                (plain, words)
            }),
            preferences.plain,
            Message::PlainChosen,
        );
        let exposed = (preferences.plain == Plain::Any)
            .then(|| look::banner(Kind::Warning, fl!(cx.texts, "plain-any-follows"), None));
        let directory = one_of(
            [Directory::Open, Directory::Members, Directory::Closed].map(|directory| {
                let words = match directory {
                    Directory::Open => fl!(cx.texts, "directory-open"),
                    Directory::Members => fl!(cx.texts, "directory-members"),
                    Directory::Closed => fl!(cx.texts, "directory-closed"),
                };
                (directory, words)
            }),
            preferences.directory,
            Message::DirectoryChosen,
        );
        let typed = match &self.lease {
            Some(typed) => typed.clone(),
            None => preferences.lease_max_s.to_string(),
        };
        let wrong = self.lease.is_some();
        let lease = look::input("", &typed)
            .on_input(Message::LeaseTyped)
            .width(110);
        let lease = if wrong {
            lease.style(look::wrong)
        } else {
            lease
        };
        let lease = row![lease, text::body(fl!(cx.texts, "unit-seconds"))]
            .spacing(space::S)
            .align_y(Center);
        let wrong = wrong.then(|| {
            let text = fl!(
                cx.texts,
                "lease-wrong",
                least = EXPIRES_MIN_S,
                most = EXPIRES_MAX_S
            );
            text::caption(text).style(text::danger).into()
        });
        let lease = column![lease]
            .extend(wrong)
            .spacing(space::XS)
            .width(CHOICE);
        let at_start = look::switch(
            fl!(cx.texts, "open-at-start"),
            preferences.open_at_start,
            Some(Message::OpenAtStart),
        );
        let content = column![text::title(fl!(cx.texts, "settings-registry"))]
            .extend(running)
            .push(setting(
                fl!(cx.texts, "lease"),
                fl!(cx.texts, "lease-help"),
                lease.into(),
            ))
            .push(setting(
                fl!(cx.texts, "directory"),
                fl!(cx.texts, "directory-help"),
                directory,
            ))
            .push(setting(
                fl!(cx.texts, "plain"),
                fl!(cx.texts, "plain-help"),
                plain,
            ))
            .extend(exposed)
            .push(at_start);
        look::card(content.spacing(space::L))
    }

    fn window<'a>(cx: &Cx<'a>) -> Element<'a, Message> {
        let preferences = cx.preferences;
        let languages = Language::ALL.map(|language| {
            let words = match language.name() {
                Some(name) => name.to_owned(),
                None => fl!(cx.texts, "language-system"),
            };
            (language, words)
        });
        let language = one_of(languages, preferences.language, Message::LanguageChosen);
        let schemes = [Scheme::System, Scheme::Light, Scheme::Dark].map(|scheme| {
            let words = match scheme {
                Scheme::System => fl!(cx.texts, "scheme-system"),
                Scheme::Light => fl!(cx.texts, "scheme-light"),
                Scheme::Dark => fl!(cx.texts, "scheme-dark"),
            };
            (scheme, words)
        });
        let scheme = look::segments(schemes, &preferences.scheme, Message::SchemeChosen);
        let sizes = TextSize::ALL.map(|size| {
            let words = fl!(cx.texts, "percent", percent = size.percent());
            (size, words)
        });
        let size = look::segments(sizes, &preferences.text_size, Message::SizeChosen);
        let content = column![
            text::title(fl!(cx.texts, "settings-window")),
            setting(fl!(cx.texts, "language"), String::new(), language),
            setting(fl!(cx.texts, "scheme"), String::new(), scheme),
            setting(fl!(cx.texts, "text-size"), String::new(), size),
        ];
        look::card(content.spacing(space::L))
    }

    fn folder<'a>(cx: &Cx<'a>) -> Element<'a, Message> {
        let path = cx.data.display().to_string();
        let copy = button::quiet((Icon::Copy, fl!(cx.texts, "copy")))
            .on_press(Message::CopyPressed(path.clone()));
        let content = column![
            text::title(fl!(cx.texts, "folder")),
            text::body(fl!(cx.texts, "folder-help")).style(text::muted),
            row![text::body(path).width(Fill), copy]
                .spacing(space::M)
                .align_y(Center),
        ];
        look::card(content.spacing(space::M))
    }
}

/// A setting: what it is, what it does, and its control at the right.
fn setting<'a>(name: String, help: String, control: Element<'a, Message>) -> Element<'a, Message> {
    let help = (!help.is_empty()).then(|| text::caption(help).style(text::muted).into());
    let words = column![text::body(name)]
        .extend(help)
        .spacing(2)
        .width(Fill);
    row![words, control]
        .spacing(space::XL)
        .align_y(Center)
        .into()
}

/// One of a few things with their names.
fn one_of<'a, T: Copy + PartialEq + 'a>(
    options: impl IntoIterator<Item = (T, String)>,
    chosen: T,
    on_choose: fn(T) -> Message,
) -> Element<'a, Message> {
    let options: Vec<Named<T>> = options
        .into_iter()
        .map(|(value, name)| Named { value, name })
        .collect();
    let chosen = options.iter().find(|it| it.value == chosen).cloned();
    let list = look::choice(options, chosen, "", move |named: Named<T>| {
        on_choose(named.value)
    });
    container(list).width(CHOICE).into()
}

#[derive(Debug, Clone)]
struct Named<T> {
    value: T,
    name: String,
}

impl<T: PartialEq> PartialEq for Named<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T> std::fmt::Display for Named<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}
