//! One call, from the first Invite to the last Bye, on either side.
//!
//! PURE: signals of the peer, wishes of the person, news of the media and time come in; signals,
//! orders to the media and news for the person come out. `docs/protocol.md` has the state table.

use std::{
    collections::VecDeque,
    fmt,
    time::{Duration, Instant},
};

use codec::{
    DeviceId, KeyCard, Signal,
    signal::{ByeReason, CallNonce, CancelReason, Commitment, DeclineReason, MediaOffer},
};

/// How long this machine may take to open its media.
pub const PREPARE_WITHIN: Duration = Duration::from_secs(10);

/// How long the callee's phone may take to say anything at all.
pub const REPLY_WITHIN: Duration = Duration::from_secs(10);

/// How long media may take to come up once the call is accepted.
pub const CONNECT_WITHIN: Duration = Duration::from_secs(15);

/// Who called whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// This phone called.
    Caller,
    /// This phone was called.
    Callee,
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
    /// The peer cannot be reached by any route.
    Unreachable,
    /// Media is encrypted and has a path.
    Connected,
    /// The peer's voice, or its report of ours, came in.
    Heard,
    /// Media failed.
    MediaFailed(MediaFailure),
    /// The time of [`Call::poll_timeout`] has come.
    Timeout,
}

/// Why media failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaFailure {
    /// It could not be set up between the two.
    Failed,
    /// This machine has no sound or no network for it.
    Local,
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
    },
    /// The call is over.
    Ended(Reason),
}

/// Why a call is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// This side hung up.
    Hangup,
    /// The other side hung up.
    RemoteHangup,
    /// The callee declined.
    Declined,
    /// The callee's phone takes no call from this caller now.
    Unavailable,
    /// The callee is in another call.
    Busy,
    /// Nobody answered in time.
    NoAnswer,
    /// The caller gave up before the call was up.
    Cancelled,
    /// Nobody of that name is registered.
    NotFound,
    /// The callee's phone cannot be reached.
    Unreachable,
    /// The registry cannot be reached.
    RegistryUnreachable,
    /// Media could not be set up.
    MediaFailed,
    /// Nothing was heard of the peer for too long.
    MediaLost,
    /// The peer is not who it said it was.
    Untrusted,
    /// This machine failed: its sound, or its network.
    Failed,
}

impl Reason {
    /// The word for scripts; these never change.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Hangup => "hangup",
            Self::RemoteHangup => "remote_hangup",
            Self::Declined => "declined",
            Self::Unavailable => "unavailable",
            Self::Busy => "busy",
            Self::NoAnswer => "no_answer",
            Self::Cancelled => "cancelled",
            Self::NotFound => "not_found",
            Self::Unreachable => "unreachable",
            Self::RegistryUnreachable => "registry_unreachable",
            Self::MediaFailed => "media_failed",
            Self::MediaLost => "media_lost",
            Self::Untrusted => "untrusted",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl From<ByeReason> for Reason {
    fn from(reason: ByeReason) -> Self {
        match reason {
            ByeReason::MediaLost => Self::MediaLost,
            ByeReason::MediaFailed => Self::MediaFailed,
            ByeReason::Untrusted => Self::Untrusted,
            _ => Self::RemoteHangup,
        }
    }
}

impl From<DeclineReason> for Reason {
    fn from(reason: DeclineReason) -> Self {
        match reason {
            DeclineReason::Declined => Self::Declined,
            DeclineReason::NoAnswer => Self::NoAnswer,
            DeclineReason::Failed => Self::MediaFailed,
            _ => Self::Unavailable,
        }
    }
}

/// What is this phone's own in its signals.
#[derive(Debug, Clone, Copy)]
pub struct Own {
    /// The device.
    pub device: DeviceId,
    /// What answers are sealed to.
    pub card: KeyCard,
    /// Drawn for this call.
    pub nonce: CallNonce,
}

/// One call.
#[derive(Debug)]
pub struct Call {
    own: Own,
    state: State,
    outputs: VecDeque<Output>,
    /// For how long it may ring.
    ring_for: Duration,
}

#[derive(Debug)]
enum State {
    /// Caller: media is being opened.
    Preparing {
        dialled: Instant,
    },
    /// Caller: nothing has been heard yet.
    Inviting {
        dialled: Instant,
        deadline: Instant,
    },
    /// Caller: the callee's phone rings.
    Ringing {
        dialled: Instant,
        deadline: Instant,
    },
    /// Callee: this phone rings.
    Incoming {
        invite: Invite,
        deadline: Instant,
    },
    /// Callee: the person took the call, media is being opened.
    Answering {
        invite: Invite,
        answered: Instant,
    },
    /// Both: the call was accepted, and now media comes up.
    Connecting {
        role: Role,
        awaited: Option<Commitment>,
        media: Media,
        began: Instant,
        deadline: Instant,
    },
    Established,
    Terminated,
}

/// What a callee keeps of an Invite.
#[derive(Debug, Clone)]
struct Invite {
    media: MediaOffer,
    commitment: Commitment,
}

/// How far media has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Media {
    Down,
    /// Encrypted, with a path.
    Connected,
    /// The peer's voice came in as well.
    Heard,
}

impl Call {
    /// A call that this phone makes. `ring_for` is how long the callee's phone may ring.
    #[must_use]
    pub fn dial(own: Own, ring_for: Duration, now: Instant) -> Self {
        let state = State::Preparing { dialled: now };
        Self {
            own,
            state,
            outputs: VecDeque::from([Output::Prepare]),
            ring_for,
        }
    }

    /// A call that this phone was invited to. It rings for at most `ring_for`.
    #[must_use]
    pub fn incoming(
        own: Own,
        media: MediaOffer,
        commitment: Commitment,
        ring_for: Duration,
        now: Instant,
    ) -> Self {
        let invite = Invite { media, commitment };
        let state = State::Incoming {
            invite,
            deadline: now + ring_for,
        };
        let outputs = VecDeque::from([Output::Signal(Signal::Ringing)]);
        Self {
            own,
            state,
            outputs,
            ring_for,
        }
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to say [`Input::Timeout`], unless something else comes first.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Preparing { dialled } => Some(*dialled + PREPARE_WITHIN),
            State::Answering { answered, .. } => Some(*answered + PREPARE_WITHIN),
            State::Inviting { deadline, .. }
            | State::Ringing { deadline, .. }
            | State::Incoming { deadline, .. }
            | State::Connecting { deadline, .. } => Some(*deadline),
            State::Established | State::Terminated => None,
        }
    }

    /// Whether the call is up.
    #[must_use]
    pub fn is_established(&self) -> bool {
        matches!(self.state, State::Established)
    }

    /// Whether the call is over.
    #[must_use]
    pub fn is_terminated(&self) -> bool {
        matches!(self.state, State::Terminated)
    }

    /// Takes one input; afterwards [`Call::poll_output`] until there is none.
    pub fn handle_input(&mut self, input: Input, now: Instant) {
        match input {
            Input::Signal(signal) => self.signal(signal, now),
            Input::Prepared(media) => self.prepared(media, now),
            Input::Answer => {
                if let State::Incoming { invite, .. } = &self.state {
                    let invite = invite.clone();
                    self.state = State::Answering {
                        invite,
                        answered: now,
                    };
                    self.outputs.push_back(Output::Prepare);
                }
            }
            Input::Hangup => self.hangup(),
            Input::Unreachable => match self.state {
                State::Preparing { .. } | State::Inviting { .. } | State::Ringing { .. } => {
                    self.end(Reason::Unreachable, None);
                }
                State::Incoming { .. } | State::Answering { .. } => {
                    self.end(Reason::Cancelled, None);
                }
                // Media may come up, or stay up, without any way for signals.
                _ => {}
            },
            Input::Connected => self.media_is(Media::Connected, now),
            Input::Heard => self.media_is(Media::Heard, now),
            Input::MediaFailed(failure) => self.media_failed(failure),
            Input::Timeout => {
                if self.poll_timeout().is_some_and(|deadline| deadline <= now) {
                    self.timeout();
                }
            }
        }
    }

    fn signal(&mut self, signal: Signal, now: Instant) {
        match (&self.state, signal) {
            (State::Inviting { dialled, .. }, Signal::Ringing) => {
                let (dialled, deadline) = (*dialled, now + self.ring_for);
                self.state = State::Ringing { dialled, deadline };
                self.outputs.push_back(Output::Ringing);
            }
            (
                State::Inviting { dialled, .. } | State::Ringing { dialled, .. },
                Signal::Accept { media, .. },
            ) => {
                let began = *dialled;
                let nonce = self.own.nonce;
                self.outputs
                    .push_back(Output::Signal(Signal::Confirm { nonce }));
                self.connect(Role::Caller, None, media, began, now);
            }
            (State::Inviting { .. } | State::Ringing { .. }, Signal::Decline(reason)) => {
                self.end(reason.into(), None);
            }
            (State::Inviting { .. } | State::Ringing { .. }, Signal::Busy) => {
                self.end(Reason::Busy, None);
            }
            (
                State::Connecting {
                    awaited: Some(commitment),
                    ..
                },
                Signal::Confirm { nonce },
            ) => {
                if nonce.commitment() == *commitment {
                    self.confirmed(now);
                } else {
                    self.end_with_bye(Reason::Untrusted, ByeReason::Untrusted);
                }
            }
            (
                State::Incoming { .. }
                | State::Answering { .. }
                | State::Connecting {
                    role: Role::Callee, ..
                },
                Signal::Cancel(_),
            ) => self.end(Reason::Cancelled, None),
            (
                State::Connecting { .. } | State::Established | State::Ringing { .. },
                Signal::Bye(reason),
            ) => self.end(reason.into(), None),
            (
                State::Incoming { .. } | State::Answering { .. } | State::Inviting { .. },
                Signal::Bye(_),
            ) => self.end(Reason::Cancelled, None),
            // Duplicates and late signals are normal; Hold, Resume and Candidates have no effect
            // in a call that can do neither yet.
            _ => {}
        }
    }

    fn prepared(&mut self, media: MediaOffer, now: Instant) {
        let Own {
            device,
            card,
            nonce,
        } = self.own;
        match &self.state {
            State::Preparing { dialled } => {
                let dialled = *dialled;
                let commitment = nonce.commitment();
                let invite = Signal::Invite {
                    device,
                    card,
                    media,
                    commitment,
                };
                self.outputs.push_back(Output::Signal(invite));
                self.state = State::Inviting {
                    dialled,
                    deadline: now + REPLY_WITHIN,
                };
            }
            State::Answering { invite, answered } => {
                let (invite, answered) = (invite.clone(), *answered);
                let accept = Signal::Accept {
                    device,
                    media,
                    nonce,
                };
                self.outputs.push_back(Output::Signal(accept));
                let awaited = Some(invite.commitment);
                self.connect(Role::Callee, awaited, invite.media, answered, now);
            }
            _ => {}
        }
    }

    fn connect(
        &mut self,
        role: Role,
        awaited: Option<Commitment>,
        remote: MediaOffer,
        began: Instant,
        now: Instant,
    ) {
        self.outputs.push_back(Output::Start { remote, role });
        let deadline = now + CONNECT_WITHIN;
        self.state = State::Connecting {
            role,
            awaited,
            media: Media::Down,
            began,
            deadline,
        };
    }

    fn confirmed(&mut self, now: Instant) {
        if let State::Connecting { awaited, media, .. } = &mut self.state {
            *awaited = None;
            if *media >= Media::Connected {
                self.outputs.push_back(Output::Speak);
            }
            self.establish(now);
        }
    }

    fn media_is(&mut self, reached: Media, now: Instant) {
        if let State::Connecting { awaited, media, .. } = &mut self.state
            && reached > *media
        {
            // The peer is heard only over a connection, so it is connected by then.
            if *media == Media::Down && awaited.is_none() {
                self.outputs.push_back(Output::Speak);
            }
            *media = reached;
            self.establish(now);
        }
    }

    fn establish(&mut self, now: Instant) {
        if let State::Connecting {
            awaited: None,
            media: Media::Heard,
            began,
            ..
        } = self.state
        {
            self.state = State::Established;
            let setup = now.saturating_duration_since(began);
            self.outputs.push_back(Output::Established { setup });
        }
    }

    fn hangup(&mut self) {
        let last = match &self.state {
            State::Preparing { .. } | State::Terminated => None,
            State::Inviting { .. } | State::Ringing { .. } => {
                Some(Signal::Cancel(CancelReason::Hangup))
            }
            State::Incoming { .. } | State::Answering { .. } => {
                Some(Signal::Decline(DeclineReason::Declined))
            }
            State::Connecting { .. } | State::Established => Some(Signal::Bye(ByeReason::Hangup)),
        };
        self.end(Reason::Hangup, last);
    }

    fn media_failed(&mut self, failure: MediaFailure) {
        let (reason, bye) = match failure {
            MediaFailure::Failed => (Reason::MediaFailed, ByeReason::MediaFailed),
            MediaFailure::Local => (Reason::Failed, ByeReason::MediaFailed),
            MediaFailure::Untrusted => (Reason::Untrusted, ByeReason::Untrusted),
            MediaFailure::Lost => (Reason::MediaLost, ByeReason::MediaLost),
        };
        match &self.state {
            State::Terminated => {}
            State::Preparing { .. } => self.end(reason, None),
            State::Inviting { .. } | State::Ringing { .. } => {
                self.end(reason, Some(Signal::Cancel(CancelReason::Hangup)));
            }
            State::Incoming { .. } | State::Answering { .. } => {
                self.end(reason, Some(Signal::Decline(DeclineReason::Failed)));
            }
            State::Connecting { .. } | State::Established => self.end_with_bye(reason, bye),
        }
    }

    fn timeout(&mut self) {
        match &self.state {
            State::Preparing { .. } | State::Answering { .. } => {
                self.media_failed(MediaFailure::Local);
            }
            State::Inviting { .. } => {
                let cancel = Signal::Cancel(CancelReason::NoAnswer);
                self.end(Reason::Unreachable, Some(cancel));
            }
            State::Ringing { .. } => {
                let cancel = Signal::Cancel(CancelReason::NoAnswer);
                self.end(Reason::NoAnswer, Some(cancel));
            }
            State::Incoming { .. } => {
                let decline = Signal::Decline(DeclineReason::NoAnswer);
                self.end(Reason::NoAnswer, Some(decline));
            }
            // No Confirm is as bad as a wrong one, but media that does not come up is more likely.
            State::Connecting {
                awaited: Some(_),
                media: Media::Connected | Media::Heard,
                ..
            } => {
                self.end_with_bye(Reason::Untrusted, ByeReason::Untrusted);
            }
            State::Connecting { .. } => {
                self.end_with_bye(Reason::MediaFailed, ByeReason::MediaFailed);
            }
            State::Established | State::Terminated => {}
        }
    }

    fn end_with_bye(&mut self, reason: Reason, bye: ByeReason) {
        self.end(reason, Some(Signal::Bye(bye)));
    }

    fn end(&mut self, reason: Reason, last: Option<Signal>) {
        if self.is_terminated() {
            return;
        }
        self.state = State::Terminated;
        self.outputs.extend(last.map(Output::Signal));
        self.outputs.push_back(Output::Ended(reason));
    }
}

#[cfg(test)]
mod tests;
