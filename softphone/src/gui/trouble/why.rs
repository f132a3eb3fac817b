//! What was in the way of being registered, of a call and of a lookup, and what to do.

use codec::{
    greeting::{GreetingError, Unwelcome},
    registry::{ClosingReason, Refusal},
};
use i18n_embed::fluent::FluentLanguageLoader;
use i18n_embed_fl::fl;
use registry::client::{ConnectError, Host};

use super::{Said, closed, connect, said, system, wait};
use crate::phone::Why;

/// Why a registry is not there.
#[must_use]
pub fn missed(texts: &FluentLanguageLoader, host: &Host, why: &Why) -> Said {
    let title = || fl!(texts, "trouble-offline-title", host = host.to_string());
    match why {
        Why::NoConnection(error) => connect(texts, error),
        Why::Closed(reason) => closed(texts, host, *reason),
        Why::Lost(_, Some(why)) => said(title(), fl!(texts, "trouble-network", why = why.as_str())),
        Why::Lost(_, None) => said(title(), fl!(texts, "trouble-broken")),
        Why::NoRegistry(at) => said(
            fl!(texts, "trouble-stands-in-title", host = at.to_string()),
            fl!(texts, "trouble-stands-in"),
        ),
        Why::Refused(refusal) => said(title(), asked(texts, *refusal)),
        // Of whatever else there is, it has not answered.
        _ => said(title(), fl!(texts, "trouble-no-answer")),
    }
}

/// Why another registry than the phone's own is not asked: of whoever is called there.
#[must_use]
pub fn elsewhere(texts: &FluentLanguageLoader, host: &Host, why: &Why) -> Said {
    let said = missed(texts, host, why);
    match why {
        Why::NoConnection(error) if matches!(**error, ConnectError::KeyChanged { .. }) => {
            said.and(&fl!(texts, "trouble-forget-elsewhere"))
        }
        Why::NoRegistry(_) => said.and(&fl!(texts, "trouble-forget-elsewhere")),
        _ => said,
    }
}

/// Why a registry does not tell where somebody is, or who is there.
#[must_use]
pub fn asked(texts: &FluentLanguageLoader, refusal: Refusal) -> String {
    match refusal {
        Refusal::TooFast { retry_s } => {
            format!("{} {}", fl!(texts, "asked-too-fast"), wait(texts, retry_s))
        }
        Refusal::TooMany => fl!(texts, "asked-too-many"),
        Refusal::Banned => fl!(texts, "asked-banned"),
        Refusal::Closed => fl!(texts, "asked-closed"),
        Refusal::NotFound | Refusal::Offline => fl!(texts, "asked-not-found"),
        Refusal::Malformed | Refusal::OutOfRange => fl!(texts, "asked-malformed"),
        Refusal::NotYours | Refusal::Stale | Refusal::BadSignature => {
            fl!(texts, "asked-unregistered")
        }
        _ => fl!(texts, "asked-failed"),
    }
}

/// What was in the way of a call or a lookup, in a line that says what to do.
#[must_use]
pub fn reached(texts: &FluentLanguageLoader, why: &Why) -> String {
    match why {
        Why::NoConnection(error) => address(texts, error),
        Why::Lost(host, _) => fl!(texts, "why-lost", host = host.to_string()),
        Why::Closed(ClosingReason::Banned) => fl!(texts, "asked-banned"),
        Why::Closed(_) => fl!(texts, "why-closed"),
        Why::Silent | Why::Stuck | Why::ClosedHere => fl!(texts, "why-silent"),
        Why::NoRegistry(host) => format!(
            "{} {}",
            fl!(texts, "why-no-registry", host = host.to_string()),
            fl!(texts, "trouble-forget-elsewhere")
        ),
        Why::Refused(refusal) => asked(texts, *refusal),
        Why::OtherAnswer | Why::BadAnswer => fl!(texts, "why-bad-answer"),
        Why::Late => fl!(texts, "why-late"),
        Why::Itself | Why::OwnName => fl!(texts, "why-itself"),
        Why::BadCard => fl!(texts, "why-bad-card"),
        Why::SomebodyElse => fl!(texts, "why-somebody-else"),
        Why::NotThere(name) => fl!(texts, "why-not-there", name = name.to_string()),
        Why::Overwhelmed => fl!(texts, "why-overwhelmed"),
        Why::NotUnderstood | Why::Nonsense | Why::Useless | Why::Unwritable(..) => {
            fl!(texts, "why-nonsense")
        }
        Why::PhoneClosed | Why::PhoneLost(_) => fl!(texts, "why-phone-lost"),
        Why::NoPhone => fl!(texts, "why-no-phone"),
        Why::NoLine => fl!(texts, "why-no-line"),
        Why::Hidden => fl!(texts, "why-hidden"),
        Why::Stopping => fl!(texts, "why-stopping"),
        Why::NoNetwork => fl!(texts, "why-no-network"),
    }
}

/// Why there is no connection to an address where a phone or a registry may be.
fn address(texts: &FluentLanguageLoader, error: &ConnectError) -> String {
    let at = |host: &Host| host.to_string();
    match error {
        ConnectError::Unknown(host) => fl!(texts, "address-unknown", host = at(host)),
        ConnectError::Refused(host) => fl!(texts, "address-refused", host = at(host)),
        ConnectError::TimedOut(host) => fl!(texts, "address-silent", host = at(host)),
        ConnectError::Io(host, error) => match system(error) {
            Some(why) => fl!(texts, "address-system", host = at(host), why = why),
            None => fl!(texts, "why-lost", host = at(host)),
        },
        ConnectError::Greeting(host, GreetingError::Malformed)
        | ConnectError::WrongRole(host)
        | ConnectError::NoTls(host)
        | ConnectError::Unwelcome(host, Unwelcome::Malformed) => {
            fl!(texts, "address-other", host = at(host))
        }
        // What a registry says of itself is said the same wherever it is asked.
        other => connect(texts, other).line(),
    }
}
