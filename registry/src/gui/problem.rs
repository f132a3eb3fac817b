//! Why a registry did not open, in a person's language, and what to do.

use std::{io, path::Path};

use i18n_embed::fluent::FluentLanguageLoader;
use i18n_embed_fl::fl;

use crate::{
    keyfile::{self, Exposed},
    operate::OpenError,
    store::embedded,
    tls::CertificateError,
};

/// What happened and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What happened.
    pub title: String,
    /// What to do.
    pub next: String,
    /// A command that does it, to be typed in a terminal.
    pub command: Option<String>,
}

impl Problem {
    /// Why a registry did not open.
    #[must_use]
    pub fn of(error: &OpenError, texts: &FluentLanguageLoader) -> Self {
        match error {
            OpenError::PortTaken(listen) => {
                let port = listen.port().to_string();
                Self::new(
                    fl!(texts, "port-taken", port = port),
                    fl!(texts, "port-taken-next"),
                )
            }
            OpenError::PortForbidden(listen) => {
                let port = listen.port().to_string();
                Self::new(
                    fl!(texts, "port-forbidden", port = port),
                    fl!(texts, "port-forbidden-next"),
                )
            }
            OpenError::NotThisMachine(listen) => {
                let ip = listen.ip().to_string();
                Self::new(
                    fl!(texts, "not-this-machine", ip = ip),
                    fl!(texts, "not-this-machine-next"),
                )
            }
            OpenError::Port(listen, error) => {
                let (listen, why) = (listen.to_string(), error.to_string());
                Self::new(
                    fl!(texts, "port-failed", listen = listen),
                    fl!(texts, "port-failed-next", why = why),
                )
            }
            OpenError::Folder(path, error) => match keyfile::exposed(error) {
                Some(exposed) => Self::of_exposed(exposed, texts),
                None => Self::new(
                    fl!(texts, "folder-unusable", path = path.display().to_string()),
                    folder_next(error, texts),
                ),
            },
            OpenError::KeyDamaged(path) => Self::new(
                fl!(texts, "key-damaged", path = path.display().to_string()),
                fl!(texts, "key-damaged-next"),
            ),
            OpenError::Certificate(error) => Self::of_certificate(error, texts),
            OpenError::Store(error) => Self::of_store(error, texts),
            OpenError::Machine(why) => Self::new(
                fl!(texts, "machine-failed"),
                fl!(texts, "machine-failed-next", why = why.as_str()),
            ),
        }
    }

    fn new(title: String, next: String) -> Self {
        Self {
            title,
            next,
            command: None,
        }
    }

    fn of_certificate(error: &CertificateError, texts: &FluentLanguageLoader) -> Self {
        let shown = |path: &Path| path.display().to_string();
        let next = match error {
            CertificateError::Io(path, error) => {
                return match keyfile::exposed(error) {
                    Some(exposed) => Self::of_exposed(exposed, texts),
                    None => {
                        let title = fl!(texts, "folder-unusable", path = shown(path));
                        Self::new(title, folder_next(error, texts))
                    }
                };
            }
            CertificateError::NotPem(path, _) => {
                fl!(texts, "certificate-not-pem", path = shown(path))
            }
            CertificateError::KeyDoesNotFit { certificate, key } => fl!(
                texts,
                "certificate-not-of-key",
                certificate = shown(certificate),
                key = shown(key)
            ),
            CertificateError::Unusable(path, why) => fl!(
                texts,
                "certificate-unusable",
                path = shown(path),
                why = why.as_str()
            ),
            CertificateError::NotMade(why) => {
                fl!(texts, "certificate-not-made", why = why.as_str())
            }
        };
        Self::new(fl!(texts, "certificate-failed"), next)
    }

    fn of_store(error: &embedded::OpenError, texts: &FluentLanguageLoader) -> Self {
        match error {
            embedded::OpenError::InUse(_) => {
                Self::new(fl!(texts, "in-use"), fl!(texts, "in-use-next"))
            }
            embedded::OpenError::Damaged(path, why) => Self::new(
                fl!(texts, "store-damaged", why = why.as_str()),
                fl!(
                    texts,
                    "store-damaged-next",
                    path = path.display().to_string()
                ),
            ),
            embedded::OpenError::TooNew { path, .. } => Self::new(
                fl!(texts, "store-too-new", path = path.display().to_string()),
                fl!(texts, "store-too-new-next"),
            ),
            embedded::OpenError::Failed(path, error) => match keyfile::exposed(error) {
                Some(exposed) => Self::of_exposed(exposed, texts),
                None => Self::new(
                    fl!(texts, "folder-unusable", path = path.display().to_string()),
                    folder_next(error, texts),
                ),
            },
        }
    }

    fn of_exposed(exposed: &Exposed, texts: &FluentLanguageLoader) -> Self {
        let (path, next) = match exposed {
            Exposed::File { path, .. }
            | Exposed::Folder { path, .. }
            | Exposed::Writable { path, .. } => (path, fl!(texts, "exposed-next")),
            Exposed::Foreign { path, .. } => (path, fl!(texts, "exposed-foreign-next")),
            Exposed::Link { path } => (path, fl!(texts, "exposed-link-next")),
            Exposed::Neither { path } => (path, fl!(texts, "exposed-neither-next")),
        };
        let path = path.display().to_string();
        let title = match exposed {
            Exposed::Link { .. } | Exposed::Neither { .. } => {
                fl!(texts, "exposed-unusable", path = path)
            }
            _ => fl!(texts, "exposed", path = path),
        };
        Self {
            title,
            next,
            command: exposed.command(),
        }
    }
}

fn folder_next(error: &io::Error, texts: &FluentLanguageLoader) -> String {
    match error.kind() {
        io::ErrorKind::StorageFull => fl!(texts, "disk-full-next"),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            fl!(texts, "folder-forbidden-next")
        }
        _ => fl!(texts, "folder-unusable-next", why = error.to_string()),
    }
}
