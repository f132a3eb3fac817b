//! How a call ends: by this person, by its media, by its time.

use std::time::Instant;

use codec::{
    Signal,
    signal::{ByeReason, CancelReason, DeclineReason},
};

use super::{Call, MediaFailure, Output, RINGING_EVERY, Reason, State};

impl Call {
    pub(super) fn hangup(&mut self) {
        let (reason, last) = match &self.state {
            State::Preparing { .. } | State::Terminated => (Reason::Hangup, None),
            State::Inviting { .. } | State::Ringing { .. } => {
                let cancel = Signal::Cancel(CancelReason::Hangup);
                (Reason::Hangup, Some(cancel))
            }
            State::Incoming { .. } => {
                let decline = Signal::Decline(DeclineReason::Declined);
                (Reason::DeclinedHere, Some(decline))
            }
            State::Answering { .. } => {
                let decline = Signal::Decline(DeclineReason::Declined);
                (Reason::Hangup, Some(decline))
            }
            State::Connecting { .. } | State::Established { .. } => {
                (Reason::Hangup, Some(Signal::Bye(ByeReason::Hangup)))
            }
        };
        self.end(reason, last);
    }

    pub(super) fn media_failed(&mut self, failure: MediaFailure) {
        let (reason, bye) = match failure {
            MediaFailure::Failed => (Reason::MediaFailed, ByeReason::MediaFailed),
            MediaFailure::Local | MediaFailure::NoNetwork => {
                (Reason::Failed, ByeReason::MediaFailed)
            }
            MediaFailure::Untrusted => (Reason::Untrusted, ByeReason::Untrusted),
            MediaFailure::Closed => (Reason::RemoteHangup, ByeReason::Hangup),
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
            State::Connecting { .. } | State::Established { .. } => {
                self.end_with_bye(reason, bye);
            }
        }
    }

    pub(super) fn timeout(&mut self, now: Instant) {
        match &mut self.state {
            State::Preparing { .. } | State::Answering { .. } => {
                self.media_failed(MediaFailure::Local);
            }
            State::Inviting { .. } => {
                let cancel = Signal::Cancel(CancelReason::NoAnswer);
                self.end(Reason::Unreachable, Some(cancel));
            }
            State::Ringing { deadline, .. } => {
                let reason = if *deadline <= now {
                    Reason::NoAnswer
                } else {
                    Reason::Unreachable
                };
                let cancel = Signal::Cancel(CancelReason::NoAnswer);
                self.end(reason, Some(cancel));
            }
            State::Incoming {
                deadline, say_at, ..
            } if *deadline > now => {
                *say_at = now + RINGING_EVERY;
                self.outputs.push_back(Output::Signal(Signal::Ringing));
            }
            State::Incoming { .. } => {
                let decline = Signal::Decline(DeclineReason::NoAnswer);
                self.end(Reason::NoAnswer, Some(decline));
            }
            // A Confirm that does not come is more likely lost than withheld.
            State::Connecting { .. } => {
                self.end_with_bye(Reason::MediaFailed, ByeReason::MediaFailed);
            }
            State::Established { .. } | State::Terminated => {}
        }
    }

    pub(super) fn end_with_bye(&mut self, reason: Reason, bye: ByeReason) {
        self.end(reason, Some(Signal::Bye(bye)));
    }

    pub(super) fn end(&mut self, reason: Reason, last: Option<Signal>) {
        if self.is_terminated() {
            return;
        }
        self.state = State::Terminated;
        self.outputs.extend(last.map(Output::Signal));
        self.outputs.push_back(Output::Ended(reason));
    }
}
