//! One call, from the first Invite to the last Bye, on either side.
//!
//! PURE: signals of the peer, wishes of the person, news of the media and time come in; signals,
//! orders to the media and news for the person come out. `docs/protocol.md` has the state table.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use codec::{
    KeyCard, Signal,
    signal::{
        ByeReason, CallNonce, CancelReason, Candidate, Candidates, Commitment, DeclineReason,
        Fingerprint, MediaOffer,
    },
};

mod agreed;
mod ending;
mod interface;
mod reason;

pub use agreed::Agreed;
use agreed::Confirmation;
pub use interface::{Direction, Hold, Input, MediaFailure, Moved, Output, Role};
pub use reason::Reason;

/// How long this machine may take to open its media.
pub const PREPARE_WITHIN: Duration = Duration::from_secs(10);

/// How long the callee's phone may take to say anything at all.
pub const REPLY_WITHIN: Duration = Duration::from_secs(10);

/// How often the callee's phone says that it still rings.
pub const RINGING_EVERY: Duration = Duration::from_secs(3);

/// A callee's phone that rings and says nothing for so long is gone: three times it was not heard.
pub const RINGING_HEARD_WITHIN: Duration = Duration::from_secs(10);

/// How long media may take to come up once the call is accepted.
pub const CONNECT_WITHIN: Duration = Duration::from_secs(15);

/// What is this phone's own in its signals.
#[derive(Debug, Clone, Copy)]
pub struct Own {
    /// What answers are sealed to.
    pub card: KeyCard,
    /// Drawn for this call.
    pub nonce: CallNonce,
    /// Where this phone is, only who has taken the call is told.
    pub hidden: bool,
}

/// One call.
#[derive(Debug)]
pub struct Call {
    own: Own,
    state: State,
    outputs: VecDeque<Output>,
    /// For how long it may ring.
    ring_for: Duration,
    /// What the callee said of its addresses before its Accept came.
    peer_moved: Option<Moved>,
    /// The addresses that a hidden caller keeps out of its Invite.
    withheld: Candidates,
}

#[derive(Debug)]
enum State {
    /// Caller: media is being opened.
    Preparing {
        dialled: Instant,
    },
    /// Caller: nothing has been heard yet.
    Inviting {
        offered: Offered,
        deadline: Instant,
    },
    /// Caller: the callee's phone rings.
    Ringing {
        offered: Offered,
        deadline: Instant,
        /// When it is gone, unless it says by then that it still rings.
        heard_until: Instant,
    },
    /// Callee: this phone rings.
    Incoming {
        invite: Invite,
        deadline: Instant,
        /// When to say again that it rings.
        say_at: Instant,
    },
    /// Callee: the person took the call, media is being opened.
    Answering {
        invite: Invite,
        answered: Instant,
    },
    /// Both: the call was accepted, and now media comes up.
    Connecting {
        role: Role,
        confirmation: Confirmation,
        media: Media,
        /// The peer, whose side may be up already, holds the call.
        held: bool,
        began: Instant,
        deadline: Instant,
    },
    Established {
        hold: Hold,
    },
    Terminated,
}

/// What a caller keeps of its own Invite.
#[derive(Debug, Clone, Copy)]
struct Offered {
    dialled: Instant,
    fingerprint: Fingerprint,
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
            peer_moved: None,
            withheld: Candidates::default(),
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
            say_at: now + RINGING_EVERY,
        };
        let outputs = VecDeque::from([Output::Signal(Signal::Ringing)]);
        Self {
            own,
            state,
            outputs,
            ring_for,
            peer_moved: None,
            withheld: Candidates::default(),
        }
    }

    /// A call that this phone was invited to by whom it was calling itself: it is taken at once.
    #[must_use]
    pub fn crossing(own: Own, media: MediaOffer, commitment: Commitment, now: Instant) -> Self {
        let invite = Invite { media, commitment };
        let state = State::Answering {
            invite,
            answered: now,
        };
        Self {
            own,
            state,
            outputs: VecDeque::from([Output::Prepare]),
            ring_for: Duration::ZERO,
            peer_moved: None,
            withheld: Candidates::default(),
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
            State::Inviting { deadline, .. } | State::Connecting { deadline, .. } => {
                Some(*deadline)
            }
            State::Ringing {
                deadline,
                heard_until,
                ..
            } => Some(*deadline.min(heard_until)),
            State::Incoming {
                deadline, say_at, ..
            } => Some(*deadline.min(say_at)),
            State::Established { .. } | State::Terminated => None,
        }
    }

    /// Whether this phone calls, and nobody has taken the call yet.
    #[must_use]
    pub fn is_calling(&self) -> bool {
        matches!(
            self.state,
            State::Preparing { .. } | State::Inviting { .. } | State::Ringing { .. }
        )
    }

    /// Whether the other phone has been heard.
    #[must_use]
    pub fn has_peer(&self) -> bool {
        !matches!(
            self.state,
            State::Preparing { .. } | State::Inviting { .. } | State::Terminated
        )
    }

    /// Whether this phone rings, and nobody has taken the call yet.
    #[must_use]
    pub fn is_incoming(&self) -> bool {
        matches!(self.state, State::Incoming { .. })
    }

    /// Whether the call is up.
    #[must_use]
    pub fn is_established(&self) -> bool {
        matches!(self.state, State::Established { .. })
    }

    /// By whom the call is held.
    #[must_use]
    pub fn hold(&self) -> Hold {
        match self.state {
            State::Established { hold } => hold,
            _ => Hold::No,
        }
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
            Input::Hold => self.hold_here(true),
            Input::Resume => self.hold_here(false),
            Input::Merge => match self.state {
                State::Preparing { .. } => self.end(Reason::Merged, None),
                State::Inviting { .. } | State::Ringing { .. } => {
                    let cancel = Signal::Cancel(CancelReason::Merged);
                    self.end(Reason::Merged, Some(cancel));
                }
                _ => {}
            },
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
            Input::Reconnecting if self.is_established() => {
                self.outputs.push_back(Output::Reconnecting);
            }
            Input::Reconnected if self.is_established() => {
                self.outputs.push_back(Output::Reconnected);
            }
            // Before, media has a time limit of its own.
            Input::Reconnecting | Input::Reconnected => {}
            Input::Moved(moved) => {
                if matches!(
                    self.state,
                    State::Connecting { .. } | State::Established { .. }
                ) {
                    self.say_candidates(moved);
                }
            }
            Input::MediaFailed(failure) => self.media_failed(failure),
            Input::Timeout => {
                if self.poll_timeout().is_some_and(|deadline| deadline <= now) {
                    self.timeout(now);
                }
            }
        }
    }

    fn signal(&mut self, signal: Signal, now: Instant) {
        match (&self.state, signal) {
            (State::Inviting { offered, .. }, Signal::Ringing) => {
                self.state = State::Ringing {
                    offered: *offered,
                    deadline: now + self.ring_for,
                    heard_until: now + RINGING_HEARD_WITHIN,
                };
                self.outputs.push_back(Output::Ringing);
            }
            (State::Ringing { .. }, Signal::Ringing) => {
                if let State::Ringing { heard_until, .. } = &mut self.state {
                    *heard_until = now + RINGING_HEARD_WITHIN;
                }
            }
            (
                State::Inviting { offered, .. } | State::Ringing { offered, .. },
                Signal::Accept {
                    media,
                    nonce: callee_nonce,
                },
            ) => {
                let Offered {
                    dialled: began,
                    fingerprint,
                } = *offered;
                let nonce = self.own.nonce;
                self.outputs
                    .push_back(Output::Signal(Signal::Confirm { nonce }));
                if !self.withheld.is_empty() {
                    self.say_candidates(Moved::default());
                }
                let confirmation = Confirmation::Settled(Agreed {
                    caller_fingerprint: fingerprint,
                    callee_fingerprint: media.fingerprint,
                    caller_nonce: nonce,
                    callee_nonce,
                });
                let elsewhere = CancelReason::AnsweredElsewhere;
                self.outputs.push_back(Output::StopOthers(elsewhere));
                self.connect(Role::Caller, confirmation, media, began, now);
            }
            (State::Inviting { .. } | State::Ringing { .. }, Signal::Decline(reason)) => {
                if reason == DeclineReason::Declined {
                    let elsewhere = CancelReason::DeclinedElsewhere;
                    self.outputs.push_back(Output::StopOthers(elsewhere));
                }
                self.end(reason.into(), None);
            }
            (State::Inviting { .. } | State::Ringing { .. }, Signal::Busy) => {
                self.end(Reason::Busy, None);
            }
            (
                State::Connecting {
                    confirmation: awaited @ Confirmation::Awaited { .. },
                    ..
                },
                Signal::Confirm { nonce },
            ) => match awaited.settled_by(nonce) {
                Some(agreed) => self.confirmed(agreed, now),
                None => self.end_with_bye(Reason::Untrusted, ByeReason::Untrusted),
            },
            (
                State::Incoming { .. }
                | State::Answering { .. }
                | State::Connecting {
                    role: Role::Callee, ..
                },
                Signal::Cancel(reason),
            ) => self.end(reason.into(), None),
            (
                State::Connecting { .. } | State::Established { .. } | State::Ringing { .. },
                Signal::Bye(reason),
            ) => self.end(reason.into(), None),
            (
                State::Incoming { .. } | State::Answering { .. } | State::Inviting { .. },
                Signal::Bye(_),
            ) => self.end(Reason::Cancelled, None),
            (_, Signal::Hold) => self.hold_there(true),
            (_, Signal::Resume) => self.hold_there(false),
            (
                State::Connecting { .. } | State::Established { .. },
                Signal::Candidates { added, removed },
            ) => {
                let moved = Moved { added, removed };
                self.outputs.push_back(Output::PeerMoved(moved));
            }
            // It has overtaken the Accept.
            (
                State::Inviting { .. } | State::Ringing { .. },
                Signal::Candidates { added, removed },
            ) => {
                self.peer_moved = Some(Moved { added, removed });
            }
            // Duplicates and late signals are normal.
            _ => {}
        }
    }

    fn hold_here(&mut self, here: bool) {
        let State::Established { hold } = &mut self.state else {
            return;
        };
        if hold.is_here() == here {
            return;
        }
        *hold = Hold::of(here, hold.is_there());
        let said = if here { Signal::Hold } else { Signal::Resume };
        let held = Output::Held(*hold);
        self.outputs.extend([Output::Signal(said), held]);
    }

    fn hold_there(&mut self, there: bool) {
        match &mut self.state {
            State::Connecting { held, .. } => *held = there,
            State::Established { hold } if hold.is_there() != there => {
                *hold = Hold::of(hold.is_here(), there);
                self.outputs.push_back(Output::Held(*hold));
            }
            _ => {}
        }
    }

    /// How this side's addresses differ from those that it offered; what it withheld, it has not.
    fn say_candidates(&mut self, Moved { added, removed }: Moved) {
        let gone = |candidate: &&Candidate| !removed.contains(candidate);
        let withheld = self.withheld.iter().filter(gone);
        let added = Candidates::first_of(withheld.chain(added.iter()).copied());
        let offered = |candidate: &&Candidate| !self.withheld.contains(candidate);
        let removed = Candidates::first_of(removed.iter().filter(offered).copied());
        let moved = Signal::Candidates { added, removed };
        self.outputs.push_back(Output::Signal(moved));
    }

    fn prepared(&mut self, mut media: MediaOffer, now: Instant) {
        let Own {
            card,
            nonce,
            hidden,
        } = self.own;
        match &self.state {
            State::Preparing { dialled } => {
                let offered = Offered {
                    dialled: *dialled,
                    fingerprint: media.fingerprint,
                };
                if hidden {
                    self.withheld = std::mem::take(&mut media.candidates);
                }
                let commitment = nonce.commitment();
                let invite = Signal::Invite {
                    card,
                    media,
                    commitment,
                };
                self.outputs.push_back(Output::Signal(invite));
                self.state = State::Inviting {
                    offered,
                    deadline: now + REPLY_WITHIN,
                };
            }
            State::Answering { invite, answered } => {
                let (invite, answered) = (invite.clone(), *answered);
                let confirmation = Confirmation::Awaited {
                    commitment: invite.commitment,
                    caller_fingerprint: invite.media.fingerprint,
                    callee_fingerprint: media.fingerprint,
                    callee_nonce: nonce,
                };
                let accept = Signal::Accept { media, nonce };
                self.outputs.push_back(Output::Signal(accept));
                self.connect(Role::Callee, confirmation, invite.media, answered, now);
            }
            _ => {}
        }
    }

    fn connect(
        &mut self,
        role: Role,
        confirmation: Confirmation,
        remote: MediaOffer,
        began: Instant,
        now: Instant,
    ) {
        self.outputs.push_back(Output::Start { remote, role });
        let moved = self.peer_moved.take().map(Output::PeerMoved);
        self.outputs.extend(moved);
        let deadline = now + CONNECT_WITHIN;
        self.state = State::Connecting {
            role,
            confirmation,
            media: Media::Down,
            held: false,
            began,
            deadline,
        };
    }

    fn confirmed(&mut self, agreed: Agreed, now: Instant) {
        if let State::Connecting {
            confirmation,
            media,
            ..
        } = &mut self.state
        {
            *confirmation = Confirmation::Settled(agreed);
            if *media >= Media::Connected {
                self.outputs.push_back(Output::Speak);
            }
            self.establish(now);
        }
    }

    fn media_is(&mut self, reached: Media, now: Instant) {
        if let State::Connecting {
            confirmation,
            media,
            ..
        } = &mut self.state
            && reached > *media
        {
            // The peer is heard only over a connection, so it is connected by then.
            if *media == Media::Down && confirmation.is_settled() {
                self.outputs.push_back(Output::Speak);
            }
            *media = reached;
            self.establish(now);
        }
    }

    fn establish(&mut self, now: Instant) {
        if let State::Connecting {
            role,
            confirmation: Confirmation::Settled(agreed),
            media: Media::Heard,
            held,
            began,
            ..
        } = self.state
        {
            let hold = Hold::of(false, held);
            self.state = State::Established { hold };
            let setup = now.saturating_duration_since(began);
            let established = Output::Established {
                setup,
                role,
                agreed,
            };
            self.outputs.push_back(established);
            if held {
                self.outputs.push_back(Output::Held(hold));
            }
        }
    }
}

#[cfg(test)]
mod tests;
