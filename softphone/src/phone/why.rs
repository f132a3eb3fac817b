//! What was in the way of a call, of a lookup, or of being registered.
//!
//! PURE: what went wrong with a connection is carried as whoever made it says it.

use std::{fmt, sync::Arc};

use codec::{
    Name,
    registry::{ClosingReason, Refusal},
};
use registry::client::{ConnectError, Host};

/// What was in the way. Its words are for logs and terminals; a window has its own.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Why {
    /// There is no connection to whoever was to be asked or called.
    NoConnection(Arc<ConnectError>),
    /// The connection to a registry was lost; what the system says, where it says anything.
    Lost(Host, Option<String>),
    /// The registry said why it closes the connection.
    Closed(ClosingReason),
    /// The registry does not answer.
    Silent,
    /// The registry does not take what it is sent.
    Stuck,
    /// The connection was closed from here.
    ClosedHere,
    /// A phone answers where a registry is known: somebody may be in between.
    NoRegistry(Host),
    /// The registry refused what it was asked.
    Refused(Refusal),
    /// The registry answered something else.
    OtherAnswer,
    /// The registry's answer is not valid.
    BadAnswer,
    /// No answer came in time.
    Late,
    /// This phone itself answers at the address.
    Itself,
    /// Whoever answers at the address has a key card that is not valid.
    BadCard,
    /// Somebody else answers at the address.
    SomebodyElse,
    /// Whoever answers does not go by this name.
    NotThere(Name),
    /// The other phone has too much to do.
    Overwhelmed,
    /// The other phone did not understand.
    NotUnderstood,
    /// The other phone sent what nobody understands.
    Nonsense,
    /// The other phone sent only what is of no use.
    Useless,
    /// The other phone closed the connection.
    PhoneClosed,
    /// The connection to the other phone failed; what the system says.
    PhoneLost(String),
    /// Whoever connected is no phone.
    NoPhone,
    /// Nothing can be written to somebody, with what went wrong.
    Unwritable(Name, String),
    /// It is this phone's own name.
    OwnName,
    /// There are as many calls as there can be.
    NoLine,
    /// This phone is hidden, and connects to no address.
    Hidden,
    /// This phone is being stopped.
    Stopping,
    /// The system gives no network for a call.
    NoNetwork,
}

impl From<ConnectError> for Why {
    fn from(error: ConnectError) -> Self {
        Self::NoConnection(Arc::new(error))
    }
}

/// What tells a person the same is the same: errors of the system cannot be compared.
impl PartialEq for Why {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Eq for Why {}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = match self {
            Self::NoConnection(error) => return error.fmt(f),
            Self::Lost(host, None) => return write!(f, "the connection to {host} was lost"),
            Self::Lost(host, Some(why)) => {
                return write!(f, "the connection to {host} was lost: {why}");
            }
            Self::Closed(reason) => {
                return write!(f, "the registry has closed the connection: {reason}");
            }
            Self::NoRegistry(host) => {
                return write!(
                    f,
                    "a phone answers at {host} where a registry is known: somebody may be in \
                     between; if there is none any more, say so with ramal-phone registries \
                     forget {host}"
                );
            }
            Self::Refused(refusal) => return refusal.fmt(f),
            Self::NotThere(name) => return write!(f, "whoever answers there is not {name}"),
            Self::PhoneLost(why) => {
                return write!(f, "the connection to the other phone failed: {why}");
            }
            Self::Unwritable(name, why) => return write!(f, "cannot write to {name}: {why}"),
            Self::Silent => "it does not answer",
            Self::Stuck => "it does not take what it is sent",
            Self::ClosedHere => "it was closed",
            Self::OtherAnswer => "the registry answered something else",
            Self::BadAnswer => "the registry's answer is not valid",
            Self::Late => "no answer came in time",
            Self::Itself => "this phone itself answers at the callee's address",
            Self::BadCard => "a key card that is not valid is shown at the callee's address",
            Self::SomebodyElse => "somebody else answers at the callee's address",
            Self::Overwhelmed => "the other phone is overwhelmed, try again later",
            Self::NotUnderstood => "the other phone did not understand",
            Self::Nonsense => "the other phone sent nonsense",
            Self::Useless => "the other phone sent nothing of use",
            Self::PhoneClosed => "the other phone closed the connection",
            Self::NoPhone => "no phone",
            Self::OwnName => "that is this phone's own name",
            Self::NoLine => "this phone has no more lines; end another call first",
            Self::Hidden => {
                "this phone is hidden, and whoever is called at an address would see where it is; \
                 call by name, or start without --hidden"
            }
            Self::Stopping => "the phone is being stopped",
            Self::NoNetwork => "the system gives no network",
        };
        f.write_str(said)
    }
}
