//! A call told what a peer, a person and the media would tell it, with the clock in hand.

use codec::{
    Identity, KeyCard,
    identity::AgreementSecret,
    signal::{Candidates, Fingerprint, IceCredentials},
};

use super::*;

mod table;

const RING: Duration = Duration::from_secs(30);

fn own(seed: u8) -> Own {
    let agreement = AgreementSecret::from_secret(&[seed; 32]).key();
    let card = KeyCard::issue(&Identity::from_secret(&[seed; 32]), agreement, 1, u64::MAX);
    Own {
        card,
        nonce: CallNonce([seed; 32]),
        hidden: false,
    }
}

fn media(seed: u8) -> MediaOffer {
    let ice = IceCredentials::new("abcd", &"p".repeat(22)).unwrap();
    MediaOffer {
        fingerprint: Fingerprint([seed; 32]),
        ice,
        candidates: Candidates::default(),
    }
}

fn accept() -> Signal {
    let own = own(2);
    Signal::Accept {
        media: media(2),
        nonce: own.nonce,
    }
}

fn confirm() -> Signal {
    Signal::Confirm {
        nonce: own(1).nonce,
    }
}

/// What both sides know once the Confirm is there.
fn up(setup: Duration, role: Role) -> Output {
    let agreed = Agreed {
        caller_fingerprint: media(1).fingerprint,
        callee_fingerprint: media(2).fingerprint,
        caller_nonce: own(1).nonce,
        callee_nonce: own(2).nonce,
    };
    Output::Established {
        setup,
        role,
        agreed,
    }
}

/// A call and its clock.
struct Rig {
    call: Call,
    now: Instant,
}

impl Rig {
    fn caller() -> Self {
        let now = Instant::now();
        let mut rig = Self {
            call: Call::dial(own(1), RING, now),
            now,
        };
        assert_eq!(rig.outputs(), [Output::Prepare]);
        rig
    }

    fn callee() -> Self {
        let now = Instant::now();
        let commitment = own(1).nonce.commitment();
        let mut rig = Self {
            call: Call::incoming(own(2), media(1), commitment, RING, now),
            now,
        };
        assert_eq!(rig.outputs(), [Output::Signal(Signal::Ringing)]);
        rig
    }

    fn established() -> Self {
        let mut rig = Self::caller();
        rig.tell(Input::Prepared(media(1)));
        rig.hear(accept());
        rig.tell(Input::Heard);
        assert!(rig.call.is_established());
        rig
    }

    fn outputs(&mut self) -> Vec<Output> {
        std::iter::from_fn(|| self.call.poll_output()).collect()
    }

    fn tell(&mut self, input: Input) -> Vec<Output> {
        self.call.handle_input(input, self.now);
        self.outputs()
    }

    fn hear(&mut self, signal: Signal) -> Vec<Output> {
        self.tell(Input::Signal(signal))
    }

    fn wait(&mut self) -> Vec<Output> {
        self.now = self.call.poll_timeout().expect("a deadline");
        self.tell(Input::Timeout)
    }
}

#[test]
fn the_caller_goes_from_invite_to_bye() {
    let mut rig = Rig::caller();
    let invited = rig.tell(Input::Prepared(media(1)));
    assert!(
        matches!(&invited[..], [Output::Signal(Signal::Invite { commitment, .. })]
        if *commitment == own(1).nonce.commitment())
    );
    assert_eq!(rig.hear(Signal::Ringing), [Output::Ringing]);
    let start = Output::Start {
        remote: media(2),
        role: Role::Caller,
    };
    let stop = Output::StopOthers(CancelReason::AnsweredElsewhere);
    assert_eq!(rig.hear(accept()), [Output::Signal(confirm()), stop, start]);
    rig.now += Duration::from_millis(120);
    assert_eq!(rig.tell(Input::Connected), [Output::Speak]);
    let setup = Duration::from_millis(120);
    assert_eq!(rig.tell(Input::Heard), [up(setup, Role::Caller)]);
    let bye = Output::Signal(Signal::Bye(ByeReason::Hangup));
    assert_eq!(
        rig.tell(Input::Hangup),
        [bye, Output::Ended(Reason::Hangup)]
    );
}

#[test]
fn the_callee_speaks_only_after_the_confirm_and_is_up_when_it_hears() {
    let mut rig = Rig::callee();
    assert_eq!(rig.tell(Input::Answer), [Output::Prepare]);
    let accepted = rig.tell(Input::Prepared(media(2)));
    let start = Output::Start {
        remote: media(1),
        role: Role::Callee,
    };
    assert_eq!(accepted, [Output::Signal(accept()), start]);
    assert_eq!(rig.tell(Input::Connected), []);
    assert_eq!(rig.tell(Input::Heard), []);
    let setup = Duration::ZERO;
    assert_eq!(
        rig.hear(confirm()),
        [Output::Speak, up(setup, Role::Callee)]
    );
    assert_eq!(
        rig.hear(Signal::Bye(ByeReason::Hangup)),
        [Output::Ended(Reason::RemoteHangup)]
    );
}

#[test]
fn a_wrong_or_missing_confirm_ends_the_call() {
    let untrusted = [
        Output::Signal(Signal::Bye(ByeReason::Untrusted)),
        Output::Ended(Reason::Untrusted),
    ];
    let mut wrong = Rig::callee();
    wrong.tell(Input::Answer);
    wrong.tell(Input::Prepared(media(2)));
    assert_eq!(
        wrong.hear(Signal::Confirm {
            nonce: CallNonce([9; 32])
        }),
        untrusted
    );
    let mut missing = Rig::callee();
    missing.tell(Input::Answer);
    missing.tell(Input::Prepared(media(2)));
    missing.tell(Input::Connected);
    let failed = [
        Output::Signal(Signal::Bye(ByeReason::MediaFailed)),
        Output::Ended(Reason::MediaFailed),
    ];
    // What it hears meanwhile does not count.
    assert_eq!(missing.tell(Input::Heard), []);
    assert_eq!(missing.wait(), failed);
    // The caller hears that its nonce was not the one.
    let mut caller = Rig::caller();
    caller.tell(Input::Prepared(media(1)));
    caller.hear(accept());
    assert_eq!(
        caller.hear(Signal::Bye(ByeReason::Untrusted)),
        [Output::Ended(Reason::Untrusted)]
    );
}

#[test]
fn a_hidden_caller_tells_its_addresses_once_the_call_is_taken_and_whenever_they_change() {
    let at = |last: u8| Candidate {
        kind: codec::signal::CandidateKind::Host,
        addr: ([10, 0, 0, last], 5000).into(),
        priority: 1,
    };
    let list = |last: &[u8]| Candidates::first_of(last.iter().map(|&last| at(last)));
    let mut rig = Rig::caller();
    rig.call.own.hidden = true;
    let offer = MediaOffer {
        candidates: list(&[1, 2]),
        ..media(1)
    };
    let invited = rig.tell(Input::Prepared(offer));
    assert!(
        matches!(&invited[..], [Output::Signal(Signal::Invite { media: sent, .. })]
        if *sent == media(1))
    );
    let told = |added: &[u8]| {
        Output::Signal(Signal::Candidates {
            added: list(added),
            removed: list(&[]),
        })
    };
    let accepted = rig.hear(accept());
    assert_eq!(accepted[..2], [Output::Signal(confirm()), told(&[1, 2])]);
    // One of them is gone and another has come: what the peer was offered is still nothing.
    let moved = Moved {
        added: list(&[3]),
        removed: list(&[2]),
    };
    assert_eq!(rig.tell(Input::Moved(moved)), [told(&[1, 3])]);
}

#[test]
fn every_way_of_not_being_answered_has_its_reason() {
    let inviting = || {
        let mut rig = Rig::caller();
        rig.tell(Input::Prepared(media(1)));
        rig
    };
    for (signal, reason) in [
        (Signal::Busy, Reason::Busy),
        (
            Signal::Decline(DeclineReason::Unavailable),
            Reason::Unavailable,
        ),
        (Signal::Decline(DeclineReason::NoAnswer), Reason::NoAnswer),
        (Signal::Decline(DeclineReason::Failed), Reason::MediaFailed),
    ] {
        assert_eq!(inviting().hear(signal), [Output::Ended(reason)]);
    }
    let cancel = Output::Signal(Signal::Cancel(CancelReason::NoAnswer));
    assert_eq!(
        inviting().wait(),
        [cancel, Output::Ended(Reason::Unreachable)]
    );
    let stop = Output::StopOthers(CancelReason::DeclinedElsewhere);
    assert_eq!(
        inviting().hear(Signal::Decline(DeclineReason::Declined)),
        [stop, Output::Ended(Reason::Declined)]
    );
    let mut ringing = inviting();
    let rang = ringing.now;
    while !ringing.call.is_terminated() {
        ringing.hear(Signal::Ringing);
        ringing.now = (ringing.now + RINGING_EVERY).min(rang + RING);
        let outputs = ringing.tell(Input::Timeout);
        if ringing.now == rang + RING {
            let cancel = Output::Signal(Signal::Cancel(CancelReason::NoAnswer));
            assert_eq!(outputs, [cancel, Output::Ended(Reason::NoAnswer)]);
        } else {
            assert_eq!(outputs, []);
        }
    }
}

#[test]
fn a_callee_that_vanishes_while_it_rings_is_given_up() {
    let mut rig = Rig::caller();
    rig.tell(Input::Prepared(media(1)));
    let rang = rig.now;
    rig.hear(Signal::Ringing);
    let cancel = Output::Signal(Signal::Cancel(CancelReason::NoAnswer));
    assert_eq!(rig.wait(), [cancel, Output::Ended(Reason::Unreachable)]);
    assert_eq!(rig.now, rang + RINGING_HEARD_WITHIN);
}

#[test]
fn a_hold_of_either_side_stops_voice_until_both_go_on() {
    let mut rig = Rig::established();
    let held = |hold| Output::Held(hold);
    let said = |signal| Output::Signal(signal);
    assert_eq!(
        rig.tell(Input::Hold),
        [said(Signal::Hold), held(Hold::Here)]
    );
    assert_eq!(rig.tell(Input::Hold), []);
    assert_eq!(rig.hear(Signal::Hold), [held(Hold::Both)]);
    assert_eq!(rig.hear(Signal::Hold), []);
    assert_eq!(
        rig.tell(Input::Resume),
        [said(Signal::Resume), held(Hold::There)]
    );
    assert_eq!(rig.hear(Signal::Resume), [held(Hold::No)]);
    assert_eq!(rig.hear(Signal::Resume), []);
}

#[test]
fn a_peer_that_holds_before_this_side_is_up_is_held_when_it_is() {
    let mut rig = Rig::caller();
    rig.tell(Input::Prepared(media(1)));
    rig.hear(accept());
    assert_eq!(rig.hear(Signal::Hold), []);
    let outputs = rig.tell(Input::Heard);
    assert_eq!(outputs.last(), Some(&Output::Held(Hold::There)));
    assert_eq!(rig.call.hold(), Hold::There);
}

#[test]
fn a_call_that_crossed_another_is_taken_without_ringing() {
    let now = Instant::now();
    let commitment = own(1).nonce.commitment();
    let call = Call::crossing(own(2), media(1), commitment, now);
    let mut rig = Rig { call, now };
    assert_eq!(rig.outputs(), [Output::Prepare]);
    let accepted = rig.tell(Input::Prepared(media(2)));
    assert_eq!(accepted[0], Output::Signal(accept()));
}

#[test]
fn a_callee_that_never_answers_ends_in_no_answer() {
    let decline = Output::Signal(Signal::Decline(DeclineReason::NoAnswer));
    let mut rig = Rig::callee();
    let rang = rig.now;
    let mut said = 0;
    while rig.call.poll_timeout() < Some(rang + RING) {
        assert_eq!(rig.wait(), [Output::Signal(Signal::Ringing)]);
        said += 1;
    }
    // It says every 3 s that it rings, before the last of its 30.
    assert_eq!(said, 9);
    assert_eq!(rig.wait(), [decline, Output::Ended(Reason::NoAnswer)]);
}

#[test]
fn a_caller_that_gives_up_stops_the_ringing() {
    let cancelled = [Output::Ended(Reason::Cancelled)];
    let cancel = || Signal::Cancel(CancelReason::Hangup);
    assert_eq!(Rig::callee().hear(cancel()), cancelled);
    let mut accepted = Rig::callee();
    accepted.tell(Input::Answer);
    assert_eq!(accepted.hear(cancel()), cancelled);
}
