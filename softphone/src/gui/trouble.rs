//! What can go wrong before and beside a call: what happened, and what to do.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use codec::{
    Name, NameError,
    greeting::{GreetingError, Unwelcome},
    registry::{ClosingReason, Refusal},
};
use i18n_embed::fluent::FluentLanguageLoader;
use i18n_embed_fl::fl;
use registry::{
    client::{ConnectError, Host},
    keyfile::Exposed,
    known::KnownError,
};

use super::line::Failure;
use crate::{
    audio::{AudioError, Direction},
    engine::{Kept, Warning},
    settings::ProfileError,
};

/// Something went wrong that a person has to know of.
#[derive(Debug, Clone)]
pub enum Trouble {
    /// There is no connection to a registry.
    Connect(Arc<ConnectError>),
    /// The registry does not give this name.
    Refused(Refusal, Name),
    /// The registry may be somebody else; what is known of it is in the words of the phone.
    Untrusted(Host, String),
    /// The registry cannot be reached now; it is tried again.
    Unreachable(Host, String),
    /// The phone behind the window does not run.
    Failure(Arc<Failure>),
    /// The phone behind the window has ended by itself.
    Over,
    /// Another phone with this profile has registered in this one's place.
    Replaced,
}

/// What is said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// What happened, in a few words.
    pub title: String,
    /// What it means and what to do.
    pub text: String,
}

impl Said {
    /// Both on one line, for a banner.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{}. {}", self.title, self.text)
    }
}

fn said(title: String, text: String) -> Said {
    Said { title, text }
}

impl From<ConnectError> for Trouble {
    fn from(error: ConnectError) -> Self {
        Self::Connect(Arc::new(error))
    }
}

impl Trouble {
    /// A registry takes no connection from this phone.
    #[must_use]
    pub fn turned_away(host: &Host, because: Unwelcome) -> Self {
        ConnectError::Unwelcome(host.clone(), because).into()
    }

    /// Whether a registry may be somebody else than before because its key is another.
    #[must_use]
    pub fn changed_key(&self) -> Option<(&Host, String, String)> {
        match self {
            Self::Connect(error) => match &**error {
                ConnectError::KeyChanged {
                    host, known, now, ..
                } => Some((host, known.fingerprint(), now.fingerprint())),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether the name is somebody else's, or was given to another key: what recovery words undo.
    #[must_use]
    pub fn is_recoverable(&self) -> bool {
        matches!(
            self,
            Self::Refused(Refusal::NameTaken | Refusal::KeyChanged, _)
        )
    }

    /// Whether the registry wants to see an invitation.
    #[must_use]
    pub fn wants_invitation(&self) -> bool {
        matches!(self, Self::Refused(Refusal::NotInvited, _))
    }

    /// What happened and what to do.
    #[must_use]
    pub fn said(&self, texts: &FluentLanguageLoader) -> Said {
        match self {
            Self::Connect(error) => connect(texts, error),
            Self::Refused(refusal, name) => refused(texts, *refusal, name),
            Self::Untrusted(host, _) => said(
                fl!(texts, "trouble-untrusted-title"),
                fl!(texts, "trouble-untrusted", host = host.to_string()),
            ),
            Self::Unreachable(host, _) => said(
                fl!(texts, "trouble-offline-title", host = host.to_string()),
                fl!(texts, "trouble-offline"),
            ),
            Self::Failure(failure) => match &**failure {
                Failure::Profile(error) => profile(texts, error),
                Failure::Listen(addr, error) => listen(texts, *addr, error),
                Failure::Thread(error) => said(
                    fl!(texts, "trouble-thread-title"),
                    fl!(texts, "trouble-thread", why = error.to_string()),
                ),
            },
            Self::Over => said(fl!(texts, "trouble-over-title"), fl!(texts, "trouble-over")),
            Self::Replaced => said(
                fl!(texts, "trouble-replaced-title"),
                fl!(texts, "trouble-replaced"),
            ),
        }
    }
}

fn listen(texts: &FluentLanguageLoader, addr: SocketAddr, error: &std::io::Error) -> Said {
    said(
        fl!(texts, "trouble-listen-title"),
        fl!(
            texts,
            "trouble-listen",
            address = addr.to_string(),
            why = error.to_string()
        ),
    )
}

/// Why there is no connection to a registry.
pub fn connect(texts: &FluentLanguageLoader, error: &ConnectError) -> Said {
    let unreachable =
        |host: &Host| fl!(texts, "trouble-unreachable-title", host = host.to_string());
    match error {
        ConnectError::Unknown(host) => said(unreachable(host), fl!(texts, "trouble-unknown-host")),
        ConnectError::Refused(host) => {
            said(unreachable(host), fl!(texts, "trouble-nobody-listens"))
        }
        ConnectError::TimedOut(host) => said(unreachable(host), fl!(texts, "trouble-no-answer")),
        ConnectError::Io(host, error) => said(
            unreachable(host),
            fl!(texts, "trouble-network", why = error.to_string()),
        ),
        ConnectError::Greeting(host, GreetingError::Malformed)
        | ConnectError::WrongRole(host)
        | ConnectError::Unwelcome(host, Unwelcome::Malformed) => said(
            fl!(texts, "trouble-no-registry-title", host = host.to_string()),
            fl!(texts, "trouble-no-registry"),
        ),
        ConnectError::Greeting(host, _) | ConnectError::Unwelcome(host, Unwelcome::Version) => {
            said(
                fl!(texts, "trouble-version-title"),
                fl!(texts, "trouble-version", host = host.to_string()),
            )
        }
        ConnectError::NoTls(host) => said(
            fl!(
                texts,
                "trouble-no-encryption-title",
                host = host.to_string()
            ),
            fl!(texts, "trouble-no-encryption"),
        ),
        ConnectError::Unwelcome(host, Unwelcome::PlainRefused) => said(
            fl!(
                texts,
                "trouble-plain-refused-title",
                host = host.to_string()
            ),
            fl!(texts, "trouble-plain-refused"),
        ),
        ConnectError::Unwelcome(host, Unwelcome::Banned)
        | ConnectError::Closed(host, ClosingReason::Banned) => said(
            fl!(texts, "trouble-banned-title"),
            fl!(texts, "trouble-banned", host = host.to_string()),
        ),
        ConnectError::Unwelcome(host, Unwelcome::BadCard) => said(
            fl!(texts, "trouble-clock-title"),
            fl!(texts, "trouble-clock", host = host.to_string()),
        ),
        ConnectError::Unwelcome(
            host,
            Unwelcome::Full | Unwelcome::AddressFull | Unwelcome::TooSlow | Unwelcome::TooFast,
        ) => said(
            fl!(texts, "trouble-full-title", host = host.to_string()),
            fl!(texts, "trouble-full"),
        ),
        ConnectError::Closed(host, reason) => said(
            fl!(texts, "trouble-closed-title", host = host.to_string()),
            fl!(texts, "trouble-closed", why = reason.to_string()),
        ),
        ConnectError::NotProven(host) => said(
            fl!(texts, "trouble-not-proven-title", host = host.to_string()),
            fl!(texts, "trouble-not-proven"),
        ),
        ConnectError::KeyChanged { host, .. } => said(
            fl!(texts, "trouble-key-changed-title", host = host.to_string()),
            fl!(texts, "trouble-key-changed"),
        ),
        ConnectError::Known(error) => known(texts, error),
        _ => said(fl!(texts, "trouble-other-title"), error.to_string()),
    }
}

/// Why the registries that were met cannot be told from others.
pub fn known(texts: &FluentLanguageLoader, error: &KnownError) -> Said {
    let title = fl!(texts, "trouble-known-title");
    match error {
        KnownError::Damaged { path, line } => said(
            title,
            fl!(
                texts,
                "trouble-known-damaged",
                path = path.display().to_string(),
                line = line.to_string()
            ),
        ),
        KnownError::Full(_) => said(title, fl!(texts, "trouble-known-full")),
        KnownError::Io(path, error) => match registry::keyfile::exposed(error) {
            Some(exposed) => self::exposed(texts, exposed),
            None => said(
                title,
                fl!(
                    texts,
                    "trouble-file",
                    path = path.display().to_string(),
                    why = error.to_string()
                ),
            ),
        },
        _ => said(title, error.to_string()),
    }
}

/// Why the registry does not give a name.
fn refused(texts: &FluentLanguageLoader, refusal: Refusal, name: &Name) -> Said {
    let name = name.to_string();
    match refusal {
        Refusal::NameTaken => said(
            fl!(texts, "trouble-taken-title", name = name),
            fl!(texts, "trouble-taken"),
        ),
        Refusal::LooksTaken => said(
            fl!(texts, "trouble-looks-taken-title", name = name),
            fl!(texts, "trouble-looks-taken"),
        ),
        Refusal::TooManyNames => said(
            fl!(texts, "trouble-too-many-names-title"),
            fl!(texts, "trouble-too-many-names"),
        ),
        Refusal::ClaimsClosed => said(
            fl!(texts, "trouble-claims-closed-title"),
            fl!(texts, "trouble-claims-closed"),
        ),
        Refusal::NotInvited => said(
            fl!(texts, "trouble-not-invited-title"),
            fl!(texts, "trouble-not-invited"),
        ),
        Refusal::Banned => said(
            fl!(texts, "trouble-banned-title"),
            fl!(texts, "trouble-name-banned", name = name),
        ),
        Refusal::KeyChanged => said(
            fl!(texts, "trouble-lost-title", name = name),
            fl!(texts, "trouble-lost"),
        ),
        Refusal::BadRecovery => said(
            fl!(texts, "trouble-bad-recovery-title"),
            fl!(texts, "trouble-bad-recovery", name = name),
        ),
        Refusal::NotFound => said(
            fl!(texts, "trouble-not-owned-title", name = name),
            fl!(texts, "trouble-not-owned"),
        ),
        Refusal::BadSignature | Refusal::Stale | Refusal::OutOfRange => said(
            fl!(texts, "trouble-clock-title"),
            fl!(texts, "trouble-clock-refused", why = refusal.to_string()),
        ),
        Refusal::TooFast { retry_s } => said(
            fl!(texts, "trouble-too-fast-title"),
            fl!(texts, "trouble-too-fast", seconds = retry_s),
        ),
        Refusal::TooMany => said(
            fl!(texts, "trouble-too-many-title"),
            fl!(texts, "trouble-too-many"),
        ),
        _ => said(
            fl!(texts, "trouble-registry-failed-title"),
            fl!(texts, "trouble-registry-failed", why = refusal.to_string()),
        ),
    }
}

/// Why there is no sound, and what to do.
#[must_use]
pub fn sound(texts: &FluentLanguageLoader, error: &AudioError) -> String {
    match error {
        AudioError::NoDevice {
            direction: Direction::Input,
        } => fl!(texts, "sound-no-microphone"),
        AudioError::NoDevice {
            direction: Direction::Output,
        } => fl!(texts, "sound-no-loudspeaker"),
        AudioError::UnknownDevice { wanted, .. } => {
            fl!(texts, "sound-unknown", device = wanted.as_str())
        }
        AudioError::AmbiguousDevice { wanted, .. } => {
            fl!(texts, "sound-ambiguous", device = wanted.as_str())
        }
        AudioError::CannotOpen { device, why, .. } => {
            fl!(
                texts,
                "sound-cannot-open",
                device = device.as_str(),
                why = why.as_str()
            )
        }
        AudioError::Lost { device, .. } => fl!(texts, "sound-lost", device = device.as_str()),
        AudioError::CannotList { why } => fl!(texts, "sound-cannot-list", why = why.as_str()),
        AudioError::CannotRead { path, why } | AudioError::CannotWrite { path, why } => {
            fl!(
                texts,
                "trouble-file",
                path = path.display().to_string(),
                why = why.as_str()
            )
        }
        other => fl!(texts, "sound-failed", why = other.to_string()),
    }
}

/// What is wrong beside the calls, in a line.
pub fn warned(texts: &FluentLanguageLoader, warning: &Warning) -> String {
    match warning {
        Warning::Sound(error) => sound(texts, error),
        Warning::NoNetwork(why) => fl!(texts, "warning-network", why = why.as_str()),
        Warning::ClockApart => fl!(texts, "warning-clock"),
        Warning::NoSocket(why) => fl!(texts, "warning-socket", why = why.as_str()),
        Warning::NotKept(what, error) => {
            let lost = match what {
                Kept::Keys => fl!(texts, "warning-keys-lost"),
                Kept::Contacts => fl!(texts, "warning-contacts-lost"),
                Kept::Calls => fl!(texts, "warning-calls-lost"),
            };
            format!("{lost} {}", profile(texts, error).line())
        }
        Warning::ContactDropped => fl!(texts, "warning-contact-dropped"),
        Warning::CallsSetAside { to, .. } => fl!(
            texts,
            "warning-calls-set-aside",
            path = to.display().to_string()
        ),
        Warning::PartFailed => fl!(texts, "warning-part-failed"),
    }
}

/// Why a profile cannot be used.
pub fn profile(texts: &FluentLanguageLoader, error: &ProfileError) -> Said {
    let shown = |path: &PathBuf| path.display().to_string();
    match error {
        ProfileError::NoFolder => said(
            fl!(texts, "trouble-no-folder-title"),
            fl!(texts, "trouble-no-folder"),
        ),
        ProfileError::InUse(name) => said(
            fl!(texts, "trouble-in-use-title", name = name.to_string()),
            fl!(texts, "trouble-in-use"),
        ),
        ProfileError::NoIdentity(name, _) => said(
            fl!(texts, "trouble-no-identity-title", name = name.to_string()),
            fl!(texts, "trouble-no-identity"),
        ),
        ProfileError::Exists(name, _) => said(
            fl!(texts, "trouble-exists-title", name = name.to_string()),
            fl!(texts, "trouble-exists"),
        ),
        ProfileError::Damaged(path) => said(
            fl!(texts, "trouble-damaged-title"),
            fl!(texts, "trouble-damaged", path = shown(path)),
        ),
        ProfileError::ContactsDamaged(path) => said(
            fl!(texts, "trouble-contacts-damaged-title"),
            fl!(texts, "trouble-contacts-damaged", path = shown(path)),
        ),
        ProfileError::ContactsNewer(path) => said(
            fl!(texts, "trouble-contacts-newer-title"),
            fl!(texts, "trouble-contacts-newer", path = shown(path)),
        ),
        ProfileError::CallsDamaged(path) => said(
            fl!(texts, "trouble-calls-damaged-title"),
            fl!(texts, "trouble-calls-damaged", path = shown(path)),
        ),
        ProfileError::CallsNewer(path) => said(
            fl!(texts, "trouble-calls-newer-title"),
            fl!(texts, "trouble-contacts-newer", path = shown(path)),
        ),
        ProfileError::ContactsInUse(path) => said(
            fl!(texts, "trouble-contacts-in-use-title"),
            fl!(texts, "trouble-contacts-in-use", path = shown(path)),
        ),
        ProfileError::Exposed(exposed) => self::exposed(texts, exposed),
        ProfileError::TooManyBackups(path) => said(
            fl!(texts, "trouble-backups-title"),
            fl!(texts, "trouble-backups", path = shown(path)),
        ),
        ProfileError::Io(path, error) => said(
            fl!(texts, "trouble-disk-title"),
            fl!(
                texts,
                "trouble-file",
                path = shown(path),
                why = error.to_string()
            ),
        ),
        ProfileError::NoRandomness => said(
            fl!(texts, "trouble-randomness-title"),
            fl!(texts, "trouble-randomness"),
        ),
    }
}

/// Others can get at what is secret.
fn exposed(texts: &FluentLanguageLoader, exposed: &Exposed) -> Said {
    let title = fl!(texts, "trouble-exposed-title");
    let quoted = |path: &PathBuf| format!("'{}'", path.display());
    let text = match exposed {
        Exposed::File { path, .. } => {
            let command = format!("chmod 600 {}", quoted(path));
            fl!(
                texts,
                "trouble-exposed-file",
                path = path.display().to_string(),
                command = command
            )
        }
        Exposed::Folder { path, .. } => {
            let command = format!("chmod 700 {}", quoted(path));
            fl!(
                texts,
                "trouble-exposed-folder",
                path = path.display().to_string(),
                command = command
            )
        }
        Exposed::Writable { path, .. } => {
            let command = format!("chmod go-w {}", quoted(path));
            fl!(
                texts,
                "trouble-exposed-folder",
                path = path.display().to_string(),
                command = command
            )
        }
        Exposed::Foreign { path, user, .. } => {
            let command = format!("sudo chown {user} {}", quoted(path));
            fl!(
                texts,
                "trouble-exposed-foreign",
                path = path.display().to_string(),
                command = command
            )
        }
        Exposed::Link { path } => {
            fl!(
                texts,
                "trouble-exposed-link",
                path = path.display().to_string()
            )
        }
        Exposed::Neither { path } => {
            fl!(
                texts,
                "trouble-exposed-neither",
                path = path.display().to_string()
            )
        }
        other => other.to_string(),
    };
    said(title, text)
}

/// What is wrong with a name that is being typed.
pub fn name(texts: &FluentLanguageLoader, error: &NameError) -> String {
    match error {
        NameError::Empty => fl!(texts, "name-empty"),
        NameError::TooLong => fl!(texts, "name-too-long"),
        NameError::Character(' ') => fl!(texts, "name-space"),
        NameError::Character(c) => {
            fl!(
                texts,
                "name-character",
                character = c.escape_debug().to_string()
            )
        }
        NameError::Beginning(_) => fl!(texts, "name-beginning"),
        NameError::MixedScripts => fl!(texts, "name-mixed"),
        other => other.to_string(),
    }
}
