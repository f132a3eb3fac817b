//! What goes into a call and what comes out of it.

use std::time::Duration;

use codec::{
    Signal,
    signal::{CancelReason, Candidates, MediaOffer},
};

use super::{Agreed, Reason};

/// Who called whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// This phone called.
    Caller,
    /// This phone was called.
    Callee,
}

/// Who called whom, as the person of this phone says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// This phone was called.
    Incoming,
    /// This phone called.
    Outgoing,
}

/// What a call is told.
#[derive(Debug)]
pub enum Input {
    /// The peer said this, authentically.
    Signal(Signal),
    /// This side's media is ready to be offered.
    Prepared(MediaOffer),
    /// The person takes the call.
    Answer,
    /// The person ends the call, or declines it.
    Hangup,
    /// The person puts the call on hold.
    Hold,
    /// The person goes on with the call.
    Resume,
    /// The peer's own call is taken in this one's place.
    Merge,
    /// The peer cannot be reached by any route.
    Unreachable,
    /// Media is encrypted and has a path.
    Connected,
    /// The peer's voice, or its report of ours, came in.
    Heard,
    /// Nothing authentic has come for a while.
    Reconnecting,
    /// It comes again.
    Reconnected,
    /// This side's addresses are no longer those that it offered.
    Moved(Moved),
    /// Media failed.
    MediaFailed(MediaFailure),
    /// The time of [`super::Call::poll_timeout`] has come.
    Timeout,
}

/// How the addresses of one side differ from those of its [`MediaOffer`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moved {
    /// What it has and had not offered.
    pub added: Candidates,
    /// What it had offered and no longer has.
    pub removed: Candidates,
}

/// Why media failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaFailure {
    /// It could not be set up between the two.
    Failed,
    /// This machine has no sound for it.
    Local,
    /// This machine has no network for it.
    NoNetwork,
    /// The peer has closed it, and did not say why.
    Closed,
    /// The peer's certificate is not the one that its envelope named.
    Untrusted,
    /// Nothing authentic came for too long.
    Lost,
}

/// What a call wants done.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    /// Open media and answer with [`Input::Prepared`].
    Prepare,
    /// Say this to the peer.
    Signal(Signal),
    /// One of the callee's devices has decided; its others, should they ring, are to stop.
    StopOthers(CancelReason),
    /// Connect the prepared media with the peer's.
    Start {
        /// How to reach it, and how to know it.
        remote: MediaOffer,
        /// Which side of the media this is.
        role: Role,
    },
    /// Send voice, or silence until the call is up.
    Speak,
    /// The peer's phone rings.
    Ringing,
    /// The call is up.
    Established {
        /// Since it was dialled or answered.
        setup: Duration,
        /// Which side this is.
        role: Role,
        /// What its four words are made of.
        agreed: Agreed,
    },
    /// The call is held by these from now on; voice goes if it is nobody.
    Held(Hold),
    /// Nothing authentic has come for a while.
    Reconnecting,
    /// It comes again.
    Reconnected,
    /// The peer's media is elsewhere now.
    PeerMoved(Moved),
    /// The call is over.
    Ended(Reason),
}

/// By whom a call is held. While it is, no voice goes either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Hold {
    /// By nobody: the two talk.
    #[default]
    No,
    /// By this side.
    Here,
    /// By the other side.
    There,
    /// By both.
    Both,
}

impl Hold {
    /// Whether this side holds it.
    #[must_use]
    pub fn is_here(self) -> bool {
        matches!(self, Self::Here | Self::Both)
    }

    /// Whether the other side holds it.
    #[must_use]
    pub fn is_there(self) -> bool {
        matches!(self, Self::There | Self::Both)
    }

    pub(super) fn of(here: bool, there: bool) -> Self {
        match (here, there) {
            (false, false) => Self::No,
            (true, false) => Self::Here,
            (false, true) => Self::There,
            (true, true) => Self::Both,
        }
    }
}
