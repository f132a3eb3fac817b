//! What can go wrong before and beside a call: what happened, and what to do.

use std::{io, net::SocketAddr, sync::Arc};

use codec::{
    Name, NameError,
    greeting::{GreetingError, Unwelcome},
    registry::{ClosingReason, Refusal},
};
use i18n_embed::fluent::FluentLanguageLoader;
use i18n_embed_fl::fl;
use registry::{
    client::{ConnectError, Host},
    known::KnownError,
};

use super::line::Failure;
use crate::{
    phone::Why,
    settings::preferences::{FAVOURITES_MAX, Unset},
};

mod files;
mod sound;
mod why;

pub use files::{file, profile};
pub use sound::{sound, warned};
pub use why::{asked, elsewhere, missed, reached};

/// Something went wrong that a person has to know of.
#[derive(Debug, Clone)]
pub enum Trouble {
    /// There is no connection to a registry.
    Connect(Arc<ConnectError>),
    /// The same; it was there, or something else than a connection is missing.
    Missed(Host, Why),
    /// The registry does not give this name.
    Refused(Refusal, Name),
    /// The registry is not used before a person has looked into it: it may be somebody else, or
    /// turns this phone away.
    Barred(Host, Why),
    /// The registry cannot be reached now; it is tried again.
    Unreachable(Host, Why),
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

    /// With more behind it.
    #[must_use]
    fn and(self, more: &str) -> Self {
        let text = format!("{} {more}", self.text);
        Self { text, ..self }
    }
}

/// What the system says of an error, where it is the system's: nothing else knows the language of
/// whoever reads it.
fn system(error: &io::Error) -> Option<String> {
    error.raw_os_error().map(|_| error.to_string())
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
    /// The same where nothing is tried again: the phone has ended.
    #[must_use]
    pub fn given_up(self) -> Self {
        match self {
            Self::Barred(_, Why::NoConnection(error))
            | Self::Unreachable(_, Why::NoConnection(error)) => Self::Connect(error),
            Self::Barred(host, why) | Self::Unreachable(host, why) => Self::Missed(host, why),
            other => other,
        }
    }

    /// Whether it may be over without anybody doing anything.
    #[must_use]
    pub fn passes(&self) -> bool {
        match self {
            Self::Unreachable(_, Why::NoConnection(error)) => matches!(
                **error,
                ConnectError::Unknown(_)
                    | ConnectError::Refused(_)
                    | ConnectError::TimedOut(_)
                    | ConnectError::Io(..)
                    | ConnectError::Unwelcome(
                        _,
                        Unwelcome::Full
                            | Unwelcome::AddressFull
                            | Unwelcome::TooFast
                            | Unwelcome::TooSlow
                    )
                    | ConnectError::Closed(..)
            ),
            Self::Unreachable(_, Why::Closed(reason)) => *reason != ClosingReason::Banned,
            Self::Unreachable(..) => true,
            _ => false,
        }
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
            Self::Missed(host, why) => missed(texts, host, why),
            Self::Barred(host, why) => {
                let said = missed(texts, host, why);
                said.and(&fl!(texts, "trouble-barred"))
            }
            Self::Unreachable(host, why) => {
                let said = missed(texts, host, why);
                said.and(&fl!(texts, "trouble-offline"))
            }
            Self::Failure(failure) => match &**failure {
                Failure::Profile(error) => profile(texts, error),
                Failure::Listen(addr, error) => listen(texts, *addr, error),
                Failure::Thread(_) => said(
                    fl!(texts, "trouble-thread-title"),
                    fl!(texts, "trouble-thread"),
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

fn listen(texts: &FluentLanguageLoader, addr: SocketAddr, error: &io::Error) -> Said {
    let address = addr.to_string();
    let text = match system(error) {
        Some(why) => fl!(texts, "trouble-listen", address = address, why = why),
        None => fl!(texts, "trouble-listen-plain", address = address),
    };
    said(fl!(texts, "trouble-listen-title"), text)
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
            match system(error) {
                Some(why) => fl!(texts, "trouble-network", why = why),
                None => fl!(texts, "trouble-broken"),
            },
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
        ConnectError::Unwelcome(host, Unwelcome::Full) => said(
            fl!(texts, "trouble-full-title", host = host.to_string()),
            fl!(texts, "trouble-full"),
        ),
        ConnectError::Unwelcome(host, Unwelcome::AddressFull) => said(
            fl!(texts, "trouble-address-full-title"),
            fl!(texts, "trouble-address-full", host = host.to_string()),
        ),
        ConnectError::Unwelcome(_, Unwelcome::TooFast) => said(
            fl!(texts, "trouble-too-fast-title"),
            fl!(texts, "trouble-too-fast-minute"),
        ),
        ConnectError::Unwelcome(host, Unwelcome::TooSlow) => {
            said(unreachable(host), fl!(texts, "trouble-too-slow"))
        }
        ConnectError::Closed(host, reason) => closed(texts, host, *reason),
        ConnectError::NotProven(host) => said(
            fl!(texts, "trouble-not-proven-title", host = host.to_string()),
            fl!(texts, "trouble-not-proven"),
        ),
        ConnectError::KeyChanged { host, .. } => said(
            fl!(texts, "trouble-key-changed-title", host = host.to_string()),
            fl!(texts, "trouble-key-changed"),
        ),
        ConnectError::Known(error) => known(texts, error),
        _ => said(
            fl!(texts, "trouble-other-title"),
            fl!(texts, "trouble-other"),
        ),
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
        KnownError::Full(path) => said(
            title,
            fl!(
                texts,
                "trouble-known-full",
                path = path.display().to_string()
            ),
        ),
        KnownError::Io(path, error) => match registry::keyfile::exposed(error) {
            Some(exposed) => files::exposed(texts, exposed),
            None => said(title, file(texts, path, error)),
        },
        _ => said(title, fl!(texts, "trouble-other")),
    }
}

/// Why a registry closed the connection.
fn closed(texts: &FluentLanguageLoader, host: &Host, reason: ClosingReason) -> Said {
    let text = match reason {
        ClosingReason::Stopping => fl!(texts, "closed-stopping"),
        ClosingReason::Idle => fl!(texts, "closed-idle"),
        ClosingReason::SlowReader => fl!(texts, "closed-slow"),
        ClosingReason::Incomplete => fl!(texts, "closed-incomplete"),
        ClosingReason::Operator => fl!(texts, "closed-operator"),
        ClosingReason::Replaced => return Trouble::Replaced.said(texts),
        ClosingReason::Banned => {
            return said(
                fl!(texts, "trouble-banned-title"),
                fl!(texts, "trouble-banned", host = host.to_string()),
            );
        }
        _ => fl!(texts, "trouble-other"),
    };
    let title = fl!(texts, "trouble-closed-title", host = host.to_string());
    said(title, text)
}

/// Why something is not set.
pub fn unset(texts: &FluentLanguageLoader, unset: Unset) -> Said {
    match unset {
        Unset::TooManyFavourites => said(
            fl!(texts, "trouble-favourites-title"),
            fl!(texts, "trouble-favourites", most = FAVOURITES_MAX),
        ),
    }
}

/// In what time to try again.
fn wait(texts: &FluentLanguageLoader, seconds: u32) -> String {
    match seconds {
        ..=90 => fl!(texts, "trouble-too-fast", seconds = seconds),
        91..=5400 => fl!(
            texts,
            "trouble-too-fast-minutes",
            minutes = seconds.div_ceil(60)
        ),
        _ => fl!(
            texts,
            "trouble-too-fast-hours",
            hours = seconds.div_ceil(3600)
        ),
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
        Refusal::BadSignature => said(
            fl!(texts, "trouble-clock-title"),
            fl!(texts, "trouble-clock-refused"),
        ),
        Refusal::Stale => said(
            fl!(texts, "trouble-stale-title"),
            fl!(texts, "trouble-stale"),
        ),
        Refusal::TooFast { retry_s } => {
            said(fl!(texts, "trouble-too-fast-title"), wait(texts, retry_s))
        }
        Refusal::TooMany => said(
            fl!(texts, "trouble-too-many-title"),
            fl!(texts, "trouble-too-many"),
        ),
        Refusal::OutOfRange | Refusal::Malformed => said(
            fl!(texts, "trouble-misunderstood-title"),
            fl!(texts, "trouble-misunderstood"),
        ),
        // It is at fault, or says what is never said of a name.
        _ => said(
            fl!(texts, "trouble-registry-failed-title"),
            fl!(texts, "trouble-registry-failed"),
        ),
    }
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
        _ => fl!(texts, "name-other"),
    }
}

#[cfg(test)]
mod tests;
