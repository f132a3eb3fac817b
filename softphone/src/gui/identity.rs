//! What makes somebody themselves, carried elsewhere, brought here, changed, recovered or given
//! up: a dialog that asks for what it needs, and says what came of it.

use std::{path::PathBuf, sync::Arc};

use codec::{Name, RecoveryCode};
use i18n_embed_fl::fl;
use iced::{
    Fill,
    widget::{column, operation},
};
use look::{Dialog, Element, Icon, Kind as Mood, button, space, text};
use registry::client::{Host, Security};
use zeroize::{Zeroize, Zeroizing};

use super::{
    Cx, Options,
    line::Parcel,
    trouble::{self, Said, Trouble},
};
use crate::settings::{
    ExportError, Passphrase, ProfileError,
    change::{ChangeError, Why},
};

mod job;

pub use job::Job;

/// The longest that is typed anywhere here, in bytes.
const TYPED_MAX: usize = 4096;

/// By what its fields are found.
const PATH: &str = "identity-path";
const PASSPHRASE: &str = "identity-passphrase";
const AGAIN: &str = "identity-again";
const NAME: &str = "identity-name";
const REGISTRY: &str = "identity-registry";
const WORDS: &str = "identity-words";

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Written into a file, under a passphrase.
    Export,
    /// Read from such a file.
    Import,
    /// The name goes to a new identity.
    Rotate,
    /// The name is had back by its recovery words.
    Recover,
    /// The name is given up.
    Release,
}

impl Kind {
    /// Whether the profile must not be in use meanwhile.
    #[must_use]
    pub fn wants_profile(self) -> bool {
        !matches!(self, Self::Export)
    }
}

/// The dialog.
#[derive(Debug)]
pub struct Work {
    kind: Kind,
    folder: PathBuf,
    security: Security,
    name: String,
    registry: String,
    path: String,
    passphrase: Zeroizing<String>,
    again: Zeroizing<String>,
    words: Zeroizing<String>,
    replaces: bool,
    tried: bool,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Asking(Option<Problem>),
    Running,
    Done(Outcome),
}

/// What happened in it.
#[derive(Debug, Clone)]
pub enum Message {
    /// A name was typed on.
    NameChanged(String),
    /// A registry was typed on.
    RegistryChanged(String),
    /// A file was typed on.
    PathChanged(String),
    /// A passphrase was typed on.
    PassphraseChanged(Secret),
    /// It was typed on once more.
    AgainChanged(Secret),
    /// Recovery words were typed on.
    WordsChanged(Secret),
    /// Whether an identity that is here is replaced.
    ReplaceToggled(bool),
    /// To do it.
    GoPressed,
    /// What came of it.
    Done(Result<Outcome, Problem>),
    /// To leave the dialog.
    Closed,
}

/// What is typed and nobody else should see: it has no debug output, and is wiped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("secret")
    }
}

impl From<String> for Secret {
    fn from(typed: String) -> Self {
        Self(Zeroizing::new(typed))
    }
}

/// What the dialog wants done.
pub enum Action {
    /// Nothing.
    None,
    /// Do this; where it [wants the profile](Kind::wants_profile), the phone leaves it before.
    Run(Job),
    /// Have the keyboard where something is missing: [`Work::focus`].
    Focus,
    /// Close it.
    Close,
}

/// What came of it.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The identity is in this file.
    Exported(PathBuf),
    /// This name's identity is here now, with this fingerprint.
    Imported(Name, String, Option<PathBuf>),
    /// This name has a new identity, with this fingerprint; the old one is kept there. Its recovery
    /// words are in the folder, and are shown when the name is granted to it.
    Changed(Name, String, Option<PathBuf>),
    /// The name is given up.
    Released(Name),
}

/// Why it did not happen.
#[derive(Debug, Clone)]
pub enum Problem {
    /// The profile cannot be used.
    Profile(Arc<ProfileError>),
    /// The export cannot be made or read.
    Export(ExportError),
    /// The file cannot be read or written.
    File(PathBuf, String),
    /// A file of that name is there.
    There(PathBuf),
    /// The registry has not changed the key, or it is not known.
    Change(Arc<ChangeError>),
}

impl Work {
    /// Asks for what is needed.
    #[must_use]
    pub fn new(kind: Kind, options: &Options, name: &str, registry: &str) -> Self {
        let path = match (kind, name) {
            (Kind::Export, name) => format!("~/{name}.ramal"),
            _ => String::new(),
        };
        Self {
            kind,
            folder: options.folder.clone(),
            security: options.security,
            name: name.to_owned(),
            registry: registry.to_owned(),
            path,
            passphrase: Zeroizing::default(),
            again: Zeroizing::default(),
            words: Zeroizing::default(),
            replaces: false,
            tried: false,
            stage: Stage::Asking(None),
        }
    }

    /// What is done.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Has the keyboard where something is still to be typed.
    pub fn focus<M: Send + 'static>(&self) -> iced::Task<M> {
        self.wanting()
            .map_or_else(iced::Task::none, operation::focus)
    }

    /// The first field that does not hold what is needed.
    fn wanting(&self) -> Option<&'static str> {
        let path = expanded(self.path.trim()).is_none().then_some(PATH);
        let long = Passphrase::new(self.passphrase.clone()).is_long_enough();
        match self.kind {
            Kind::Export => path
                .or((!long).then_some(PASSPHRASE))
                .or((self.again != self.passphrase).then_some(AGAIN)),
            Kind::Import => path.or(self.passphrase.is_empty().then_some(PASSPHRASE)),
            Kind::Recover => {
                let name = self.name.trim().parse::<Name>().is_err();
                let registry = self.registry.trim().parse::<Host>().is_err();
                let words = self.words.trim().parse::<RecoveryCode>().is_err();
                name.then_some(NAME)
                    .or(registry.then_some(REGISTRY))
                    .or(words.then_some(WORDS))
            }
            Kind::Rotate | Kind::Release => None,
        }
    }

    /// Whose identity was brought here, or had back.
    #[must_use]
    pub fn brought(&self) -> Option<Name> {
        match &self.stage {
            Stage::Done(Outcome::Imported(name, ..) | Outcome::Changed(name, ..)) => {
                Some(name.clone())
            }
            _ => None,
        }
    }

    /// Whether it has been done.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        match &self.stage {
            Stage::Done(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// Takes in what happened.
    pub fn update(&mut self, message: Message) -> Action {
        let short = |typed: &str| typed.len() <= TYPED_MAX;
        match message {
            Message::NameChanged(name) if short(&name) => self.name = name,
            Message::RegistryChanged(registry) if short(&registry) => self.registry = registry,
            Message::PathChanged(path) if short(&path) => self.path = path,
            Message::PassphraseChanged(Secret(typed)) if short(&typed) => self.passphrase = typed,
            Message::AgainChanged(Secret(typed)) if short(&typed) => self.again = typed,
            Message::WordsChanged(Secret(typed)) if short(&typed) => self.words = typed,
            Message::ReplaceToggled(replaces) => self.replaces = replaces,
            Message::GoPressed => {
                self.tried = true;
                if let Stage::Asking(_) = self.stage {
                    let Some(job) = self.job() else {
                        return Action::Focus;
                    };
                    self.stage = Stage::Running;
                    return Action::Run(job);
                }
            }
            Message::Done(Ok(outcome)) => {
                self.passphrase.zeroize();
                self.again.zeroize();
                self.words.zeroize();
                self.stage = Stage::Done(outcome);
            }
            Message::Done(Err(problem)) => self.stage = Stage::Asking(Some(problem)),
            // What is under way is not left alone: it may have changed whose the name is.
            Message::Closed if !matches!(self.stage, Stage::Running) => return Action::Close,
            _ => {}
        }
        Action::None
    }

    /// What is to be done, if everything that it needs is there.
    fn job(&self) -> Option<Job> {
        let is_import = self.kind == Kind::Import;
        let name = match self.name.trim() {
            "" if is_import => None,
            typed => Some(typed.parse().ok()?),
        };
        let asks_registry = matches!(self.kind, Kind::Rotate | Kind::Recover | Kind::Release);
        let registry = match asks_registry {
            true => Some(self.registry.parse().ok()?),
            false => None,
        };
        let path = match self.kind {
            Kind::Export | Kind::Import => expanded(self.path.trim())?,
            _ => PathBuf::new(),
        };
        let words = match self.kind {
            Kind::Recover => Some(Parcel::new(self.words.trim().parse().ok()?)),
            _ => None,
        };
        let passphrase = Passphrase::new(self.passphrase.clone());
        let sealed = match self.kind {
            Kind::Export => passphrase.is_long_enough() && self.passphrase == self.again,
            Kind::Import => !self.passphrase.is_empty(),
            _ => true,
        };
        sealed.then(|| Job {
            kind: self.kind,
            folder: self.folder.clone(),
            security: self.security,
            name,
            registry,
            path,
            passphrase: Secret(self.passphrase.clone()),
            words,
            replaces: self.replaces,
        })
    }

    // ---- what it looks like ----

    /// The dialog; `wrap` makes its messages those of the screen that it lies over.
    pub fn dialog<'a, M: Clone + 'a>(
        &'a self,
        cx: &Cx<'a>,
        wrap: fn(Message) -> M,
    ) -> Dialog<'a, M> {
        let t = cx.texts;
        let title = match self.kind {
            Kind::Export => fl!(t, "identity-export"),
            Kind::Import => fl!(t, "identity-import"),
            Kind::Rotate => fl!(t, "identity-rotate"),
            Kind::Recover => fl!(t, "identity-recover"),
            Kind::Release => fl!(t, "identity-release"),
        };
        if let Stage::Done(outcome) = &self.stage {
            let close = button::primary(fl!(t, "close")).on_press(wrap(Message::Closed));
            let said = Element::from(done(cx, outcome));
            return Dialog::new(title, said.map(wrap), [close.into()])
                .on_close(wrap(Message::Closed))
                .on_submit(wrap(Message::Closed));
        }
        let runs = matches!(self.stage, Stage::Running);
        let problem = match &self.stage {
            Stage::Asking(Some(problem)) => Some(problem.said(cx)),
            _ => None,
        };
        let problem = problem.map(|said| look::alert(Mood::Danger, said.title, said.text, None));
        let above = column![self.intro(cx)].extend(problem).spacing(space::L);
        let content = column![above].extend(self.fields(cx));
        let content = Element::from(content.spacing(space::L).width(Fill));
        let go = match (runs, self.kind) {
            (true, _) => fl!(t, "identity-running"),
            (false, Kind::Export) => fl!(t, "identity-export-go"),
            (false, Kind::Import) => fl!(t, "identity-import-go"),
            (false, Kind::Rotate) => fl!(t, "identity-rotate-go"),
            (false, Kind::Recover) => fl!(t, "identity-recover-go"),
            (false, Kind::Release) => fl!(t, "identity-release-go"),
        };
        let go = match self.kind {
            Kind::Rotate | Kind::Release => button::danger(go),
            _ => button::primary(go),
        };
        let idle = |message| Some(wrap(message)).filter(|_| !runs);
        let answers = [
            button::secondary(fl!(t, "cancel"))
                .on_press_maybe(idle(Message::Closed))
                .into(),
            go.on_press_maybe(idle(Message::GoPressed)).into(),
        ];
        Dialog::new(title, content.map(wrap), answers).on_close(wrap(Message::Closed))
    }

    fn intro<'a>(&self, cx: &Cx<'a>) -> Element<'a, Message> {
        let (t, name) = (cx.texts, self.name.as_str());
        let words = match self.kind {
            Kind::Export => fl!(t, "identity-export-text", name = name),
            Kind::Import => fl!(t, "identity-import-text"),
            Kind::Rotate => fl!(t, "identity-rotate-text", name = name),
            Kind::Recover => fl!(t, "identity-recover-text"),
            Kind::Release => fl!(t, "identity-release-text", name = name),
        };
        text::body(words).style(text::muted).into()
    }

    fn fields<'a>(&'a self, cx: &Cx<'a>) -> Vec<Element<'a, Message>> {
        let t = cx.texts;
        let tried = |wrong: bool, words: String| Some(words).filter(|_| wrong && self.tried);
        let plain = |placeholder: &str, value: &str| {
            look::input(placeholder, value).on_submit(Message::GoPressed)
        };
        let path = || {
            let wrong = expanded(self.path.trim()).is_none();
            let input = plain(&fl!(t, "identity-file-example"), &self.path).id(PATH);
            let error = tried(wrong, fl!(t, "identity-file-wrong"));
            look::field(
                fl!(t, "identity-file"),
                input.on_input(Message::PathChanged),
                error,
            )
        };
        let passphrase = |is_new: bool| {
            let input = plain("", &self.passphrase).id(PASSPHRASE).secure(true);
            let input = input.on_input(|typed| Message::PassphraseChanged(typed.into()));
            let long = Passphrase::new(self.passphrase.clone()).is_long_enough();
            let error = match is_new {
                true => tried(!long, fl!(t, "identity-passphrase-short")),
                false => tried(
                    self.passphrase.is_empty(),
                    fl!(t, "identity-passphrase-empty"),
                ),
            };
            let help = is_new && error.is_none();
            let help = help.then(|| {
                let help = text::caption(fl!(t, "identity-passphrase-short"));
                help.style(text::muted).into()
            });
            column![look::field(fl!(t, "identity-passphrase"), input, error)]
                .extend(help)
                .spacing(space::XS + 2.0)
                .into()
        };
        match self.kind {
            Kind::Export => {
                let again = plain("", &self.again).id(AGAIN).secure(true);
                let again = again.on_input(|typed| Message::AgainChanged(typed.into()));
                let differs = self.again != self.passphrase;
                let error = tried(differs, fl!(t, "identity-passphrase-differs"));
                let again = look::field(fl!(t, "identity-passphrase-again"), again, error);
                vec![path(), passphrase(true), again]
            }
            Kind::Import => {
                let replaces = look::switch(
                    fl!(t, "identity-replace"),
                    self.replaces,
                    Some(Message::ReplaceToggled),
                );
                vec![path(), passphrase(false), replaces]
            }
            Kind::Recover => {
                let error = self.name.trim().parse::<Name>().err();
                let error = error
                    .map(|error| trouble::name(t, &error))
                    .filter(|_| self.tried);
                let name = plain("", &self.name)
                    .id(NAME)
                    .on_input(Message::NameChanged);
                let name = look::field(fl!(t, "sign-in-name"), name, error);
                let wrong = self.registry.trim().parse::<Host>().is_err();
                let error = tried(wrong, fl!(t, "sign-in-registry-wrong"));
                let registry = plain(&fl!(t, "sign-in-registry-example"), &self.registry);
                let registry = registry.id(REGISTRY).on_input(Message::RegistryChanged);
                let registry = look::field(fl!(t, "sign-in-registry"), registry, error);
                let wrong = self.words.trim().parse::<RecoveryCode>().is_err();
                let error = tried(wrong, fl!(t, "identity-words-wrong"));
                let words = plain(&fl!(t, "identity-words-example"), &self.words);
                let words = words.id(WORDS);
                let words = words.on_input(|typed| Message::WordsChanged(typed.into()));
                let words = look::field(fl!(t, "identity-words"), words, error);
                vec![name, registry, words]
            }
            Kind::Rotate | Kind::Release => Vec::new(),
        }
    }
}

/// What came of it, and what to do next.
fn done<'a>(cx: &Cx<'a>, outcome: &Outcome) -> Element<'a, Message> {
    let t = cx.texts;
    let shown = |path: &PathBuf| path.display().to_string();
    let kept = |backup: &Option<PathBuf>| {
        let backup = backup.as_ref().map(shown);
        backup.map(|path| {
            let words = fl!(t, "identity-backup", path = path);
            text::caption(words).style(text::muted).into()
        })
    };
    let (words, fingerprint, backup) = match outcome {
        Outcome::Exported(path) => (fl!(t, "identity-exported", path = shown(path)), None, None),
        Outcome::Imported(name, fingerprint, backup) => (
            fl!(t, "identity-imported", name = name.to_string()),
            Some(fingerprint),
            kept(backup),
        ),
        Outcome::Changed(name, fingerprint, backup) => (
            fl!(t, "identity-changed", name = name.to_string()),
            Some(fingerprint),
            kept(backup),
        ),
        Outcome::Released(name) => (
            fl!(t, "identity-released", name = name.to_string()),
            None,
            None,
        ),
    };
    let fingerprint = fingerprint.map(|fingerprint| {
        iced::widget::row![
            look::icon(Icon::Fingerprint).style(text::muted),
            text::strong(fingerprint.clone()),
        ]
        .spacing(space::S)
        .into()
    });
    column![text::body(words)]
        .extend(fingerprint)
        .extend(backup)
        .spacing(space::M)
        .into()
}

impl Problem {
    /// What happened and what to do.
    #[must_use]
    pub fn said(&self, cx: &Cx<'_>) -> Said {
        let t = cx.texts;
        let title = || fl!(t, "trouble-other-title");
        let text = match self {
            Self::Profile(error) => return trouble::profile(t, error),
            Self::Export(error) => match error {
                ExportError::TooShort => fl!(t, "identity-passphrase-short"),
                ExportError::NotAnExport => fl!(t, "identity-no-export"),
                ExportError::Newer { .. } => fl!(t, "identity-export-newer"),
                ExportError::Damaged => fl!(t, "identity-export-damaged"),
                ExportError::TooCostly => fl!(t, "identity-export-costly"),
                ExportError::WrongPassphrase => fl!(t, "identity-passphrase-wrong"),
                ExportError::Failed => fl!(t, "identity-no-memory"),
            },
            Self::File(path, why) => fl!(
                t,
                "trouble-file",
                path = path.display().to_string(),
                why = why.as_str()
            ),
            Self::There(path) => fl!(t, "identity-there", path = path.display().to_string()),
            Self::Change(error) => return changed(cx, error),
        };
        Said {
            title: title(),
            text,
        }
    }
}

fn changed(cx: &Cx<'_>, error: &ChangeError) -> Said {
    let t = cx.texts;
    let why = |why: &Why| match why {
        Why::Connect(error) => trouble::connect(t, error),
        Why::Refused(name, _, refusal) => Trouble::Refused(*refusal, name.clone()).said(t),
        Why::NoTime => Said {
            title: fl!(t, "trouble-too-many-title"),
            text: fl!(t, "trouble-too-many"),
        },
        Why::NoRandomness => trouble::profile(t, &ProfileError::NoRandomness),
    };
    let (said, more) = match error {
        ChangeError::Profile(error) => return trouble::profile(t, error),
        ChangeError::Refused(reason) => return why(reason),
        ChangeError::Unchanged(reason) => (why(reason), fl!(t, "identity-unchanged")),
        ChangeError::Unknown(reason) => (why(reason), fl!(t, "identity-unknown")),
    };
    Said {
        text: format!("{} {more}", said.text),
        ..said
    }
}

/// A path as it is typed, `~` for the home folder; `None` for none, and for one that is no file's.
fn expanded(typed: &str) -> Option<PathBuf> {
    let path = match typed.strip_prefix("~/") {
        Some(rest) => PathBuf::from(std::env::var_os("HOME")?).join(rest),
        None => PathBuf::from(typed),
    };
    path.file_name()?;
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keyboard_is_where_something_is_still_to_be_typed() {
        let options = Options::new(std::env::temp_dir());
        let mut export = Work::new(Kind::Export, &options, "ana", "");
        assert_eq!(export.wanting(), Some(PASSPHRASE));
        let typed = |typed: &str| Secret::from(typed.to_owned());
        export.update(Message::PassphraseChanged(typed("correct horse battery")));
        assert!(matches!(export.update(Message::GoPressed), Action::Focus));
        assert_eq!(export.wanting(), Some(AGAIN));
        export.update(Message::AgainChanged(typed("correct horse battery")));
        assert_eq!(export.wanting(), None);
        assert!(matches!(export.update(Message::GoPressed), Action::Run(_)));

        let recover = Work::new(Kind::Recover, &options, "ana", "192.168.1.5");
        assert_eq!(recover.wanting(), Some(WORDS));
        let recover = Work::new(Kind::Recover, &options, "", "192.168.1.5");
        assert_eq!(recover.wanting(), Some(NAME));
        let import = Work::new(Kind::Import, &options, "", "");
        assert_eq!(import.wanting(), Some(PATH));
    }
}
