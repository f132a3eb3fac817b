//! A call told what a peer, a person and the media would tell it, with the clock in hand.

use codec::{
    Identity, KeyCard,
    identity::AgreementSecret,
    signal::{Candidates, Fingerprint, IceCredentials},
};

use super::*;

const RING: Duration = Duration::from_secs(30);

fn own(seed: u8) -> Own {
    let agreement = AgreementSecret::from_secret(&[seed; 32]).key();
    let card = KeyCard::issue(&Identity::from_secret(&[seed; 32]), agreement, 1, u64::MAX);
    Own {
        device: DeviceId([seed; 16]),
        card,
        nonce: CallNonce([seed; 32]),
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
        device: own.device,
        media: media(2),
        nonce: own.nonce,
    }
}

fn confirm() -> Signal {
    Signal::Confirm {
        nonce: own(1).nonce,
    }
}

/// The name of a state, and what leads there from the one before.
type Step = (&'static str, fn(&mut Rig));

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

    /// The states that a call passes through, in order, each with what leads there.
    fn in_every_state() -> Vec<(&'static str, Self)> {
        let steps: [Step; 4] = [
            ("inviting", |rig| drop(rig.tell(Input::Prepared(media(1))))),
            ("ringing", |rig| drop(rig.hear(Signal::Ringing))),
            ("connecting", |rig| drop(rig.hear(accept()))),
            ("established", |rig| drop(rig.tell(Input::Heard))),
        ];
        let mut rigs = vec![("preparing", Self::caller())];
        for reached in 0..steps.len() {
            let mut rig = Self::caller();
            steps[..=reached]
                .iter()
                .for_each(|(_, step)| step(&mut rig));
            rigs.push((steps[reached].0, rig));
        }
        let steps: [Step; 4] = [
            ("answering", |rig| drop(rig.tell(Input::Answer))),
            ("callee connecting", |rig| {
                drop(rig.tell(Input::Prepared(media(2))));
            }),
            ("callee confirmed", |rig| drop(rig.hear(confirm()))),
            ("callee established", |rig| drop(rig.tell(Input::Heard))),
        ];
        rigs.push(("incoming", Self::callee()));
        for reached in 0..steps.len() {
            let mut rig = Self::callee();
            steps[..=reached]
                .iter()
                .for_each(|(_, step)| step(&mut rig));
            rigs.push((steps[reached].0, rig));
        }
        let mut over = Self::caller();
        over.tell(Input::Hangup);
        rigs.push(("terminated", over));
        rigs
    }
}

/// A fresh copy of every input there is.
fn every_input() -> Vec<(&'static str, Input)> {
    let Own {
        device,
        card,
        nonce,
    } = own(1);
    let invite = Signal::Invite {
        device,
        card,
        media: media(1),
        commitment: nonce.commitment(),
    };
    vec![
        ("Invite", Input::Signal(invite)),
        ("Ringing", Input::Signal(Signal::Ringing)),
        ("Accept", Input::Signal(accept())),
        ("Confirm", Input::Signal(confirm())),
        (
            "wrong Confirm",
            Input::Signal(Signal::Confirm {
                nonce: CallNonce([9; 32]),
            }),
        ),
        (
            "Decline",
            Input::Signal(Signal::Decline(DeclineReason::Declined)),
        ),
        ("Busy", Input::Signal(Signal::Busy)),
        (
            "Cancel",
            Input::Signal(Signal::Cancel(CancelReason::Hangup)),
        ),
        ("Bye", Input::Signal(Signal::Bye(ByeReason::Hangup))),
        ("Hold", Input::Signal(Signal::Hold)),
        ("Resume", Input::Signal(Signal::Resume)),
        ("Prepared", Input::Prepared(media(1))),
        ("Answer", Input::Answer),
        ("Hangup", Input::Hangup),
        ("Unreachable", Input::Unreachable),
        ("Connected", Input::Connected),
        ("Heard", Input::Heard),
        ("media failed", Input::MediaFailed(MediaFailure::Failed)),
        (
            "media untrusted",
            Input::MediaFailed(MediaFailure::Untrusted),
        ),
        ("media lost", Input::MediaFailed(MediaFailure::Lost)),
        ("Timeout", Input::Timeout),
    ]
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
    assert_eq!(rig.hear(accept()), [Output::Signal(confirm()), start]);
    rig.now += Duration::from_millis(120);
    assert_eq!(rig.tell(Input::Connected), [Output::Speak]);
    let setup = Duration::from_millis(120);
    assert_eq!(rig.tell(Input::Heard), [Output::Established { setup }]);
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
        [Output::Speak, Output::Established { setup }]
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
    assert_eq!(missing.wait(), untrusted);
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
        (Signal::Decline(DeclineReason::Declined), Reason::Declined),
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
    let mut ringing = inviting();
    ringing.hear(Signal::Ringing);
    assert_eq!(ringing.call.poll_timeout(), Some(ringing.now + RING));
    let cancel = Output::Signal(Signal::Cancel(CancelReason::NoAnswer));
    assert_eq!(ringing.wait(), [cancel, Output::Ended(Reason::NoAnswer)]);
}

#[test]
fn a_callee_that_never_answers_ends_in_no_answer() {
    let decline = Output::Signal(Signal::Decline(DeclineReason::NoAnswer));
    assert_eq!(
        Rig::callee().wait(),
        [decline, Output::Ended(Reason::NoAnswer)]
    );
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

#[test]
fn every_state_takes_every_input_and_terminated_stays_so() {
    for (input_name, _) in every_input() {
        for (state_name, mut rig) in Rig::in_every_state() {
            let case = format!("{input_name} in {state_name}");
            let inputs = every_input().into_iter();
            let (_, input) = inputs
                .into_iter()
                .find(|(name, _)| *name == input_name)
                .unwrap();
            let was_over = rig.call.is_terminated();
            if input_name == "Timeout" && !was_over && rig.call.poll_timeout().is_some() {
                rig.now = rig.call.poll_timeout().unwrap();
            }
            let outputs = rig.tell(input);
            let ends = outputs
                .iter()
                .filter(|output| matches!(output, Output::Ended(_)));
            let ends = ends.count();
            assert_eq!(
                ends,
                usize::from(!was_over && rig.call.is_terminated()),
                "{case}"
            );
            if was_over {
                assert_eq!(outputs, [], "{case}");
            }
            if rig.call.is_terminated() {
                assert_eq!(rig.call.poll_timeout(), None, "{case}");
                for (_, input) in every_input() {
                    assert_eq!(rig.tell(input), [], "{case}, then more");
                }
            } else {
                // A call that is not over ends when the person hangs up, and says so once.
                let ended = rig.tell(Input::Hangup);
                assert_eq!(ended.last(), Some(&Output::Ended(Reason::Hangup)), "{case}");
            }
        }
    }
}

#[test]
fn no_state_but_established_lasts_for_ever() {
    for (name, mut rig) in Rig::in_every_state() {
        if rig.call.is_established() {
            continue;
        }
        for _ in 0..3 {
            if rig.call.poll_timeout().is_some() {
                rig.wait();
            }
        }
        assert!(rig.call.is_terminated(), "{name}");
    }
}
