//! What the person hears besides voice, as the calls are: ringing, ringback, busy.
//!
//! PURE: events and time come in.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use codec::CallId;

use crate::{audio::Tone, call::Reason, phone::Event};

/// A tone begins only when its reason has lasted so long: who answers at once hears none, and no
/// device is opened for nothing.
const AFTER: Duration = Duration::from_millis(150);

/// For how long a busy tone is heard.
const BUSY_FOR: Duration = Duration::from_secs(3);

/// What there is to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cue {
    /// Somebody calls.
    Ringing,
    /// Somebody calls, and there is a call already.
    CallWaiting,
    /// The callee's phone rings.
    Ringback,
    /// The callee is in another call.
    Busy,
}

impl Cue {
    /// How it sounds.
    pub(super) fn tone(self) -> Tone {
        match self {
            Self::Ringing => Tone::Ringing,
            Self::CallWaiting => Tone::CallWaiting,
            Self::Ringback => Tone::Ringback,
            Self::Busy => Tone::Busy,
        }
    }
}

/// Knows which cue it is time for.
#[derive(Debug, Default)]
pub(super) struct Cues {
    calls: BTreeMap<CallId, Stage>,
    busy_until: Option<Instant>,
    /// The cue that there is a reason for, and since when.
    wanted: Option<(Cue, Instant)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The person knows it already: it was dialled, or is being answered.
    Quiet,
    RingsHere,
    RingsThere,
    Up,
}

impl Cues {
    /// Takes note of what happened.
    pub(super) fn note(&mut self, event: &Event, now: Instant) {
        match event {
            Event::Dialling { call, .. } | Event::Merged { call, .. } => {
                self.busy_until = None;
                self.calls.insert(*call, Stage::Quiet);
            }
            Event::Incoming { call, .. } => {
                self.busy_until = None;
                self.calls.insert(*call, Stage::RingsHere);
            }
            Event::Ringing { call } => {
                self.calls.insert(*call, Stage::RingsThere);
            }
            Event::Established { call, .. } => {
                self.calls.insert(*call, Stage::Up);
            }
            Event::Ended { call, reason, .. } => {
                self.calls.remove(call);
                if *reason == Reason::Busy {
                    self.busy_until = Some(now + BUSY_FOR);
                }
            }
            _ => return,
        }
        self.settle(now);
    }

    /// The person takes this call: it need not ring any longer.
    pub(super) fn answered(&mut self, call: CallId, now: Instant) {
        if let Some(stage @ Stage::RingsHere) = self.calls.get_mut(&call) {
            *stage = Stage::Quiet;
        }
        self.settle(now);
    }

    /// What is to be heard now.
    pub(super) fn now(&mut self, now: Instant) -> Option<Cue> {
        self.settle(now);
        let due = |(_, since): &(Cue, Instant)| *since + AFTER <= now;
        self.wanted.filter(due).map(|(cue, _)| cue)
    }

    /// When [`Cues::now`] may have changed, if nothing happens before.
    pub(super) fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        let begins = self.wanted.map(|(_, since)| since + AFTER);
        let begins = begins.filter(|begins| *begins > now);
        begins.into_iter().chain(self.busy_until).min()
    }

    fn settle(&mut self, now: Instant) {
        if self.busy_until.is_some_and(|until| until <= now) {
            self.busy_until = None;
        }
        let any = |wanted| self.calls.values().any(|stage| *stage == wanted);
        let cue = if any(Stage::RingsHere) && any(Stage::Up) {
            Some(Cue::CallWaiting)
        } else if any(Stage::RingsHere) {
            Some(Cue::Ringing)
        } else if any(Stage::RingsThere) {
            Some(Cue::Ringback)
        } else {
            self.busy_until.map(|_| Cue::Busy)
        };
        let same = self.wanted.filter(|(wanted, _)| Some(*wanted) == cue);
        self.wanted = same.or(cue.map(|cue| (cue, now)));
    }
}

#[cfg(test)]
mod tests {
    use codec::{
        FourWords, IdentityKey, Transcript,
        signal::{CallNonce, Fingerprint},
    };

    use super::*;
    use crate::contacts::Standing;

    const CALL: CallId = CallId([1; 16]);
    const OTHER: CallId = CallId([2; 16]);

    struct Rig {
        cues: Cues,
        now: Instant,
    }

    impl Rig {
        fn new() -> Self {
            let (cues, now) = (Cues::default(), Instant::now());
            Self { cues, now }
        }

        /// What is heard a moment after that has happened.
        fn after(&mut self, event: &Event) -> Option<Cue> {
            self.cues.note(event, self.now);
            self.later(AFTER)
        }

        fn later(&mut self, time: Duration) -> Option<Cue> {
            self.now += time;
            self.cues.now(self.now)
        }
    }

    fn dialling(call: CallId) -> Event {
        let (name, host) = ("bob".parse().unwrap(), None);
        Event::Dialling { call, name, host }
    }

    fn incoming(call: CallId) -> Event {
        let from = codec::Party {
            name: "bob".parse().unwrap(),
            identity: codec::Identity::from_secret(&[1; 32]).key(),
        };
        Event::Incoming {
            call,
            from,
            confirmed: true,
            waiting: false,
            standing: Standing::Known,
        }
    }

    fn established(call: CallId) -> Event {
        let name = "bob".parse().unwrap();
        let setup = Duration::ZERO;
        let words = FourWords::of(&Transcript {
            caller: IdentityKey([1; 32]),
            callee: IdentityKey([2; 32]),
            caller_fingerprint: Fingerprint([3; 32]),
            callee_fingerprint: Fingerprint([4; 32]),
            call,
            caller_nonce: CallNonce([6; 32]),
            callee_nonce: CallNonce([7; 32]),
        });
        Event::Established {
            call,
            name,
            setup,
            words,
            standing: Standing::Known,
        }
    }

    fn ended(call: CallId, reason: Reason) -> Event {
        Event::Ended {
            call,
            name: "bob".parse().unwrap(),
            reason,
            detail: None,
        }
    }

    #[test]
    fn the_caller_hears_ringback_while_the_other_phone_rings() {
        let mut rig = Rig::new();
        assert_eq!(rig.after(&dialling(CALL)), None);
        let ringing = Event::Ringing { call: CALL };
        assert_eq!(rig.after(&ringing), Some(Cue::Ringback));
        assert_eq!(rig.after(&established(CALL)), None);
        assert_eq!(rig.after(&ended(CALL, Reason::RemoteHangup)), None);
    }

    #[test]
    fn a_busy_tone_ends_by_itself_or_with_the_next_call() {
        let mut rig = Rig::new();
        rig.after(&dialling(CALL));
        assert_eq!(rig.after(&ended(CALL, Reason::Busy)), Some(Cue::Busy));
        assert!(rig.cues.poll_timeout(rig.now).is_some());
        assert_eq!(rig.later(BUSY_FOR), None);
        assert_eq!(rig.cues.poll_timeout(rig.now), None);
        rig.after(&dialling(CALL));
        assert_eq!(rig.after(&ended(CALL, Reason::Busy)), Some(Cue::Busy));
        assert_eq!(rig.after(&dialling(OTHER)), None);
    }

    #[test]
    fn the_callee_hears_ringing_until_it_answers_and_call_waiting_in_a_call() {
        let mut rig = Rig::new();
        assert_eq!(rig.after(&incoming(CALL)), Some(Cue::Ringing));
        rig.cues.answered(CALL, rig.now);
        assert_eq!(rig.later(AFTER), None);
        rig.after(&established(CALL));
        assert_eq!(rig.after(&incoming(OTHER)), Some(Cue::CallWaiting));
        assert_eq!(rig.after(&ended(OTHER, Reason::Cancelled)), None);
    }

    #[test]
    fn who_answers_at_once_hears_nothing() {
        let mut rig = Rig::new();
        rig.cues.note(&incoming(CALL), rig.now);
        assert_eq!(rig.cues.now(rig.now), None);
        let due = rig.cues.poll_timeout(rig.now).unwrap();
        rig.cues.answered(CALL, rig.now);
        assert_eq!(rig.cues.now(due), None);
    }
}
