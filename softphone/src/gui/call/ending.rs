//! Why a call ended, and what to do next, in plain words.

use i18n_embed::fluent::FluentLanguageLoader;
use i18n_embed_fl::fl;

use crate::{
    board::EndedCall,
    call::{Direction, Reason},
    gui::trouble,
    phone::Why,
};

/// What is said of a call that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// What happened.
    pub title: String,
    /// What to do.
    pub next: String,
    /// It went wrong, and did not only end.
    pub failed: bool,
    /// Somebody may have been in between, or is somebody else.
    pub alarming: bool,
    /// To call again may help.
    pub again: bool,
}

/// What is said of a call that is over.
#[must_use]
pub fn ending(over: &EndedCall, texts: &FluentLanguageLoader) -> Ending {
    let (reason, direction, name) = (over.reason, over.direction, over.name.as_str());
    let (title, next) = match &over.detail {
        Some(why) => in_the_way(reason, why, name, texts),
        None => words(reason, direction, name, texts),
    };
    let failed = matches!(
        reason,
        Reason::NotFound
            | Reason::Unreachable
            | Reason::RegistryUnreachable
            | Reason::MediaFailed
            | Reason::MediaLost
            | Reason::Untrusted
            | Reason::IdentityChanged
            | Reason::Failed
    );
    let again = !matches!(
        reason,
        Reason::AnsweredElsewhere
            | Reason::DeclinedElsewhere
            | Reason::Merged
            | Reason::Untrusted
            | Reason::IdentityChanged
    ) && !matches!(over.detail, Some(Why::OwnName));
    Ending {
        title,
        next,
        failed,
        alarming: matches!(reason, Reason::Untrusted | Reason::IdentityChanged),
        again,
    }
}

/// The same where it is known what was in the way: that, and what to do about it.
fn in_the_way(
    reason: Reason,
    why: &Why,
    name: &str,
    texts: &FluentLanguageLoader,
) -> (String, String) {
    let title = match (why, reason) {
        (Why::OwnName, _) => fl!(texts, "ended-own-name"),
        (Why::NoLine, _) => fl!(texts, "ended-no-line"),
        (Why::Hidden, _) => fl!(texts, "ended-hidden"),
        (Why::NoNetwork, _) => fl!(texts, "ended-no-network"),
        (Why::Refused(_) | Why::OtherAnswer, _) => fl!(texts, "ended-refused", name = name),
        (_, reason) => words(reason, Direction::Outgoing, name, texts).0,
    };
    (title, trouble::reached(texts, why))
}

fn words(
    reason: Reason,
    direction: Direction,
    name: &str,
    texts: &FluentLanguageLoader,
) -> (String, String) {
    match (reason, direction) {
        (Reason::Hangup, _) => (fl!(texts, "ended-hangup"), fl!(texts, "ended-hangup-next")),
        (Reason::DeclinedHere, _) => (
            fl!(texts, "ended-declined-here"),
            fl!(texts, "ended-declined-here-next", name = name),
        ),
        (Reason::AnsweredElsewhere, _) => (
            fl!(texts, "ended-answered-elsewhere"),
            fl!(texts, "ended-answered-elsewhere-next"),
        ),
        (Reason::DeclinedElsewhere, _) => (
            fl!(texts, "ended-declined-elsewhere"),
            fl!(texts, "ended-declined-elsewhere-next"),
        ),
        (Reason::Merged, _) => (fl!(texts, "ended-merged"), fl!(texts, "ended-merged-next")),
        (Reason::RemoteHangup, _) => (
            fl!(texts, "ended-remote-hangup", name = name),
            fl!(texts, "ended-remote-hangup-next"),
        ),
        (Reason::Declined, _) => (
            fl!(texts, "ended-declined", name = name),
            fl!(texts, "ended-declined-next"),
        ),
        (Reason::Unavailable, _) => (
            fl!(texts, "ended-unavailable", name = name),
            fl!(texts, "ended-unavailable-next"),
        ),
        (Reason::Busy, _) => (
            fl!(texts, "ended-busy", name = name),
            fl!(texts, "ended-busy-next"),
        ),
        (Reason::NoAnswer, Direction::Incoming) => (
            fl!(texts, "ended-missed", name = name),
            fl!(texts, "ended-missed-next"),
        ),
        (Reason::NoAnswer, Direction::Outgoing) => (
            fl!(texts, "ended-no-answer", name = name),
            fl!(texts, "ended-no-answer-next"),
        ),
        (Reason::Cancelled, Direction::Outgoing) => (
            fl!(texts, "ended-cancelled-here"),
            fl!(texts, "ended-cancelled-here-next"),
        ),
        (Reason::Cancelled, Direction::Incoming) => (
            fl!(texts, "ended-cancelled-there", name = name),
            fl!(texts, "ended-cancelled-there-next"),
        ),
        (Reason::NotFound, _) => (
            fl!(texts, "ended-not-found", name = name),
            fl!(texts, "ended-not-found-next"),
        ),
        (Reason::Unreachable, _) => (
            fl!(texts, "ended-unreachable", name = name),
            fl!(texts, "ended-unreachable-next"),
        ),
        (Reason::RegistryUnreachable, _) => (
            fl!(texts, "ended-registry-unreachable"),
            fl!(texts, "ended-registry-unreachable-next"),
        ),
        (Reason::MediaFailed, _) => (
            fl!(texts, "ended-media-failed"),
            fl!(texts, "ended-media-failed-next"),
        ),
        (Reason::MediaLost, _) => (
            fl!(texts, "ended-media-lost"),
            fl!(texts, "ended-media-lost-next", name = name),
        ),
        (Reason::Untrusted, _) => (
            fl!(texts, "ended-untrusted", name = name),
            fl!(texts, "ended-untrusted-next"),
        ),
        (Reason::IdentityChanged, _) => (
            fl!(texts, "ended-identity-changed"),
            fl!(texts, "ended-identity-changed-next", name = name),
        ),
        (Reason::Failed, _) => (fl!(texts, "ended-failed"), fl!(texts, "ended-failed-next")),
    }
}
