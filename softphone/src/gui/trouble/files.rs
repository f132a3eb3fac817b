//! What is wrong with the files of a profile, and what to do.

use std::{
    io,
    path::{Path, PathBuf},
};

use i18n_embed::fluent::FluentLanguageLoader;
use i18n_embed_fl::fl;
use registry::keyfile::Exposed;

use super::{Said, said, system};
use crate::settings::ProfileError;

/// A file cannot be used; what the system says of it.
pub fn file(texts: &FluentLanguageLoader, path: &Path, error: &io::Error) -> String {
    let path = path.display().to_string();
    match system(error) {
        Some(why) => fl!(texts, "trouble-file", path = path, why = why),
        None => fl!(texts, "trouble-file-plain", path = path),
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
        ProfileError::Io(path, error) => {
            said(fl!(texts, "trouble-disk-title"), file(texts, path, error))
        }
        ProfileError::NoRandomness => said(
            fl!(texts, "trouble-randomness-title"),
            fl!(texts, "trouble-randomness"),
        ),
    }
}

/// Others can get at what is secret.
pub fn exposed(texts: &FluentLanguageLoader, exposed: &Exposed) -> Said {
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
        _ => fl!(texts, "trouble-other"),
    };
    said(title, text)
}
