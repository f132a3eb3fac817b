//! What the window says about itself and about what was done, in a person's language.

use std::{io, path::Path};

use codec::UnixMillis;
use i18n_embed::fluent::FluentLanguageLoader;
use i18n_embed_fl::fl;

use super::{
    host::Phase,
    times::{UTC, clock, day},
};
use crate::desk::{Done, Failed, Subject};

/// The title of the window.
pub(super) fn title(phase: &Phase, texts: &FluentLanguageLoader) -> String {
    match phase.facts() {
        Some(facts) => {
            let address = facts.addresses.first().unwrap_or(&facts.listening);
            fl!(texts, "title-open", address = address.to_string())
        }
        None => fl!(texts, "title"),
    }
}

/// What was done.
pub(super) fn done(done: &Done, texts: &FluentLanguageLoader) -> String {
    match done {
        Done::Released(name) => fl!(texts, "done-released", name = name.to_string()),
        &Done::Banned {
            ref of,
            connections,
        } => fl!(
            texts,
            "done-banned",
            who = subject(of),
            connections = connections
        ),
        Done::Unbanned(of) => fl!(texts, "done-unbanned", who = subject(of)),
        &Done::Disconnected {
            ref of,
            connections,
        } => fl!(
            texts,
            "done-disconnected",
            who = subject(of),
            connections = connections
        ),
        // The window makes no invite codes.
        Done::Invited { codes, .. } => fl!(texts, "done-invited", codes = codes.len()),
    }
}

/// Why something could not be done, and what to do.
pub(super) fn failed(failed: &Failed, texts: &FluentLanguageLoader) -> String {
    match failed {
        Failed::Closed => fl!(texts, "failed-closed"),
        Failed::NoName { typed, .. } | Failed::Nobody { typed, .. } => {
            fl!(texts, "failed-nobody", typed = typed.as_str())
        }
        Failed::NotOwned(name) => fl!(texts, "failed-not-owned", name = name.to_string()),
        Failed::NotBanned(of) => fl!(texts, "failed-not-banned", who = subject(of)),
        Failed::TooManyBans => fl!(texts, "failed-too-many-bans"),
        Failed::NotKept(why) => fl!(texts, "failed-not-kept", why = why.as_str()),
        Failed::Machine(why) => fl!(texts, "failed-machine", why = why.as_str()),
        // Of invite codes, which the window does not make.
        Failed::TooManyInvites
        | Failed::HowManyCodes
        | Failed::HowManyDays
        | Failed::HowManyUses => fl!(texts, "failed-other"),
    }
}

fn subject(subject: &Subject) -> String {
    match subject {
        Subject::Key(key) => key.fingerprint(),
        Subject::Owner { name, .. } | Subject::Name(name) => name.to_string(),
    }
}

pub(super) fn copied(texts: &FluentLanguageLoader) -> String {
    fl!(texts, "copied")
}

pub(super) fn not_shown(folder: &Path, texts: &FluentLanguageLoader) -> String {
    let path = folder.display().to_string();
    fl!(texts, "folder-not-shown", path = path)
}

pub(super) fn busy(texts: &FluentLanguageLoader) -> String {
    fl!(texts, "busy")
}

pub(super) fn not_remembered(error: &io::Error, texts: &FluentLanguageLoader) -> String {
    fl!(texts, "not-remembered", why = error.to_string())
}

pub(super) fn preferences_damaged(aside: &Path, texts: &FluentLanguageLoader) -> String {
    let path = aside.display().to_string();
    fl!(texts, "preferences-damaged", path = path)
}

/// The name of a file for the log, in UTC as the times in it: `log-2026-11-21-103107Z.txt`.
pub(super) fn export_name(at: UnixMillis) -> String {
    let time: String = clock(at, &UTC)
        .chars()
        .filter(char::is_ascii_digit)
        .take(6)
        .collect();
    format!("log-{}-{time}Z.txt", day(at, &UTC))
}
