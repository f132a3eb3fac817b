//! What is wrong beside the calls, of sound and else, and what to do.

use i18n_embed::fluent::FluentLanguageLoader;
use i18n_embed_fl::fl;

use super::profile;
use crate::{
    audio::{AudioError, Direction},
    engine::{Kept, Warning},
};

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
        // What is wrong with a file is in the words of this program, which are in the log.
        AudioError::CannotRead { path, .. } => {
            fl!(
                texts,
                "sound-cannot-read",
                path = path.display().to_string()
            )
        }
        AudioError::CannotWrite { path, .. } => {
            fl!(
                texts,
                "sound-cannot-write",
                path = path.display().to_string()
            )
        }
        AudioError::Unavailable { .. } => fl!(texts, "sound-unavailable"),
    }
}

/// What is wrong beside the calls, in a line.
pub fn warned(texts: &FluentLanguageLoader, warning: &Warning) -> String {
    match warning {
        Warning::Sound(error) => sound(texts, error),
        Warning::NoNetwork(_) => fl!(texts, "warning-network"),
        Warning::ClockApart => fl!(texts, "warning-clock"),
        Warning::NoSocket(_) => fl!(texts, "warning-socket"),
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
