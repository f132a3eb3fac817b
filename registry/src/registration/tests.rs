//! A registration told what its driver would tell it, with the clock in hand.

#![allow(clippy::print_stdout)]

use codec::{
    RecoveryLock,
    greeting::{Exporter, Nonce},
    identity::AgreementSecret,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

use super::*;

struct Rig {
    registration: Registration,
    identity: Identity,
    rng: ChaCha20Rng,
    now: Instant,
}

impl Rig {
    fn new(seed: u64) -> Self {
        let identity = Identity::from_secret(&[1; 32]);
        let agreement = AgreementSecret::from_secret(&[2; 32]);
        let registrant = Registrant {
            name: "bob".parse().unwrap(),
            device: DeviceId([3; 16]),
            card: KeyCard::issue(&identity, agreement.key(), 1, u64::MAX),
            contacts: Contacts::default(),
            claim: Claim::new(RecoveryLock([7; 32])),
        };
        let registration = Registration::new(registrant);
        let rng = ChaCha20Rng::seed_from_u64(seed);
        Self {
            registration,
            identity,
            rng,
            now: Instant::now(),
        }
    }

    fn tell(&mut self, input: Input) -> Vec<Output> {
        self.registration
            .handle_input(input, &self.identity, &mut self.rng, self.now);
        self.outputs()
    }

    fn outputs(&mut self) -> Vec<Output> {
        std::iter::from_fn(|| self.registration.poll_output()).collect()
    }

    fn connected(&mut self) -> Vec<Output> {
        let registry = Identity::from_secret(&[9; 32]).key();
        let binding = Binding {
            registry,
            exporter: Exporter::PLAIN,
            nonce: Nonce([7; 32]),
        };
        self.tell(Input::Connected {
            binding,
            time: 1000,
        })
    }

    fn connect(&mut self) -> RequestId {
        sent(&self.connected())
    }

    fn answer(&mut self, id: RequestId, result: Result<Success, Refusal>) -> Vec<Output> {
        self.tell(Input::Response(Response { id, result }))
    }

    fn wait_for_timeout(&mut self) -> Vec<Output> {
        self.now = self.registration.poll_timeout().unwrap();
        self.tell(Input::Timeout)
    }
}

const GRANTED: Result<Success, Refusal> = Ok(Success::Registered { expires_s: 60 });

fn sent(outputs: &[Output]) -> RequestId {
    let mut ids = outputs.iter().filter_map(|output| match output {
        Output::Send(request) => Some(request.id),
        _ => None,
    });
    ids.next_back().expect("a request was sent")
}

#[test]
fn it_registers_and_refreshes_before_the_lease_ends() {
    let mut rig = Rig::new(1);
    assert_eq!(rig.outputs(), [Output::Connect]);
    let id = rig.connect();
    assert_eq!(rig.answer(id, GRANTED), [Output::Registered]);
    let start = rig.now;
    for round in 1..=3 {
        let id = sent(&rig.wait_for_timeout());
        assert_eq!(rig.now, start + Duration::from_secs(30 * round));
        assert_eq!(rig.answer(id, GRANTED), []);
    }
    assert!(rig.registration.is_registered());
}

#[test]
fn it_comes_back_after_a_loss_however_long_that_takes_with_pauses_that_differ() {
    let mut pauses = Vec::new();
    let mut rig = Rig::new(1);
    rig.outputs();
    let id = rig.connect();
    rig.answer(id, GRANTED);
    assert_eq!(rig.tell(Input::Disconnected), [Output::Unregistered]);
    for _ in 0..100 {
        let before = rig.now;
        assert_eq!(rig.wait_for_timeout(), [Output::Connect]);
        pauses.push(rig.now - before);
        assert_eq!(rig.tell(Input::Disconnected), []);
    }
    let (least, most) = (pauses.iter().min().unwrap(), pauses.iter().max().unwrap());
    assert!(PAUSE.min <= *least && *least < PAUSE.min * 2, "{least:?}");
    assert!(PAUSE.max * 7 / 8 < *most && *most <= PAUSE.max, "{most:?}");
}

#[test]
fn who_was_replaced_waits_longer_and_once() {
    let mut rig = Rig::new(1);
    let id = rig.connect();
    rig.answer(id, GRANTED);
    rig.tell(Input::Replaced);
    rig.tell(Input::Disconnected);
    let before = rig.now;
    rig.wait_for_timeout();
    assert!(rig.now - before >= PAUSE_REPLACED.min);
    let id = rig.connect();
    rig.answer(id, GRANTED);
    rig.tell(Input::Disconnected);
    let before = rig.now;
    rig.wait_for_timeout();
    assert!(rig.now - before <= PAUSE.max);
}

/// When a phone whose registry goes at `0` and comes back at `back` is connected again. A try ends
/// at once where nobody listens. Where the host itself is gone it takes 3 s, and the system asks
/// again after 1 s in between, as TCP does (RFC 6298).
fn returns_at(rig: &mut Rig, seed: u64, back: Duration, host_is_gone: bool) -> Duration {
    let Registrant {
        name,
        device,
        card,
        contacts,
        claim,
    } = &rig.registration.registrant;
    rig.registration = Registration::new(Registrant {
        name: name.clone(),
        device: *device,
        card: *card,
        contacts: contacts.clone(),
        claim: claim.clone(),
    });
    rig.rng = ChaCha20Rng::seed_from_u64(seed);
    let start = rig.now;
    rig.outputs();
    rig.tell(Input::Disconnected);
    loop {
        assert_eq!(rig.wait_for_timeout(), [Output::Connect]);
        let tried = rig.now - start;
        let asks = [tried, tried + Duration::from_secs(1)];
        let asks = &asks[..if host_is_gone { 2 } else { 1 }];
        if let Some(connected) = asks.iter().find(|asked| **asked >= back) {
            return *connected;
        }
        if host_is_gone {
            rig.now += Duration::from_secs(3);
        }
        rig.tell(Input::Disconnected);
    }
}

#[test]
fn ten_thousand_phones_are_back_within_5_s_and_not_in_the_same_second() {
    for (back_ms, host_is_gone) in [(200, false), (60_000, false), (60_000, true)] {
        let back = Duration::from_millis(back_ms);
        let mut rig = Rig::new(0);
        let mut after: Vec<u128> = (0..10_000)
            .map(|seed| (returns_at(&mut rig, seed, back, host_is_gone) - back).as_millis())
            .collect();
        after.sort_unstable();
        let within = |from, to| after.iter().filter(|ms| (from..to).contains(*ms)).count();
        let busiest = (0..5000).step_by(50).map(|at| within(at, at + 1000)).max();
        let last = after.last().unwrap();
        println!(
            "away {back_ms} ms, host gone: {host_is_gone}: {:?} a second, the busiest {}, the last \
             after {last} ms",
            [0, 1, 2, 3, 4].map(|second| within(second * 1000, second * 1000 + 1000)),
            busiest.unwrap(),
        );
        // The rest of 5 s is for greeting and registering.
        assert!(*last <= 4500, "the last is back after {last} ms");
        let most = if host_is_gone { 6000 } else { 4600 };
        assert!(busiest < Some(most), "{busiest:?} in one second");
    }
}

#[test]
fn new_contacts_are_registered_at_once_and_kept() {
    let contacts = |port| Contacts::first_of([([10, 0, 0, 1], port).into()]);
    let registered = |outputs: &[Output]| match outputs {
        [
            Output::Send(Request {
                id,
                method: Method::Register(register),
            }),
        ] => (*id, register.contacts.clone()),
        other => panic!("{other:?}"),
    };
    let mut rig = Rig::new(1);
    let first = rig.connect();
    // While the first Register is on its way, its answer counts no more.
    let (second, told) = registered(&rig.tell(Input::Contacts(contacts(1))));
    assert_eq!(told, contacts(1));
    assert_eq!(rig.answer(first, GRANTED), []);
    assert!(!rig.registration.is_registered());
    assert_eq!(rig.answer(second, GRANTED), [Output::Registered]);
    // Whoever is registered stays so meanwhile, and is not told twice.
    assert_eq!(rig.tell(Input::Contacts(contacts(1))), []);
    let (third, told) = registered(&rig.tell(Input::Contacts(contacts(2))));
    assert_eq!(told, contacts(2));
    assert!(rig.registration.is_registered());
    let start = rig.now;
    assert_eq!(rig.answer(third, GRANTED), []);
    // The lease is counted from the new registration.
    let refresh = sent(&rig.wait_for_timeout());
    assert_eq!(rig.now, start + Duration::from_secs(30));
    let (fourth, told) = registered(&rig.tell(Input::Contacts(contacts(3))));
    assert_eq!(told, contacts(3));
    // The lease had ended: the Register that follows has claimed it anew.
    assert_eq!(rig.answer(refresh, Err(Refusal::NotFound)), []);
    assert_eq!(rig.answer(fourth, GRANTED), []);
    assert!(rig.registration.is_registered());
    // Told while away, they are what is registered next.
    assert_eq!(rig.tell(Input::Disconnected), [Output::Unregistered]);
    assert_eq!(rig.tell(Input::Contacts(contacts(4))), []);
    assert_eq!(rig.wait_for_timeout(), [Output::Connect]);
    assert_eq!(registered(&rig.connected()).1, contacts(4));
}

#[test]
fn a_registry_that_says_when_to_ask_again_is_asked_then_within_bounds() {
    for (retry_s, waited_s) in [(7, 7), (0, 1), (u32::MAX, 3600)] {
        let mut rig = Rig::new(1);
        let id = rig.connect();
        let refusal = Refusal::TooFast { retry_s };
        assert_eq!(rig.answer(id, Err(refusal)), [Output::Refused(refusal)]);
        let before = rig.now;
        sent(&rig.wait_for_timeout());
        assert_eq!(rig.now - before, Duration::from_secs(waited_s));
    }
}

#[test]
fn a_new_card_is_registered_at_once_and_kept() {
    let identity = Identity::from_secret(&[1; 32]);
    let card = |serial| {
        let agreement = AgreementSecret::from_secret(&[2; 32]);
        KeyCard::issue(&identity, agreement.key(), serial, u64::MAX)
    };
    let registered = |outputs: &[Output]| match outputs {
        [
            Output::Send(Request {
                id,
                method: Method::Register(register),
            }),
        ] => (*id, register.card),
        other => panic!("{other:?}"),
    };
    let mut rig = Rig::new(1);
    let id = rig.connect();
    rig.answer(id, GRANTED);
    assert_eq!(rig.tell(Input::Card(card(1))), []);
    let (id, told) = registered(&rig.tell(Input::Card(card(2))));
    assert_eq!(told, card(2));
    assert!(rig.registration.is_registered());
    assert_eq!(rig.answer(id, GRANTED), []);
    // Told while away, it is what is registered next.
    rig.tell(Input::Disconnected);
    assert_eq!(rig.tell(Input::Card(card(3))), []);
    assert_eq!(rig.wait_for_timeout(), [Output::Connect]);
    assert_eq!(registered(&rig.connected()).1, card(3));
}

#[test]
fn a_registration_with_new_contacts_that_stays_unanswered_is_soon_made_on_a_new_connection() {
    let mut rig = Rig::new(1);
    let id = rig.connect();
    rig.answer(id, GRANTED);
    let before = rig.now;
    rig.tell(Input::Contacts(Contacts::first_of([
        ([10, 0, 0, 1], 9).into()
    ])));
    let outputs = rig.wait_for_timeout();
    assert_eq!(outputs, [Output::Disconnect, Output::Unregistered]);
    assert_eq!(rig.now, before + MOVED_ANSWER_WITHIN);
    assert_eq!(rig.wait_for_timeout(), [Output::Connect]);
}

/// What is published by these outputs.
fn published(outputs: &[Output]) -> Vec<Presence> {
    let said = outputs.iter().filter_map(|output| match output {
        Output::Send(Request {
            method: Method::Publish { presence },
            ..
        }) => Some(*presence),
        _ => None,
    });
    said.collect()
}

#[test]
fn presence_is_told_when_registered_and_after_every_loss() {
    let mut rig = Rig::new(1);
    assert_eq!(rig.outputs(), [Output::Connect]);
    assert_eq!(rig.tell(Input::Presence(Some(Presence::Busy))), []);
    let id = rig.connect();
    let outputs = rig.answer(id, GRANTED);
    assert_eq!(outputs[0], Output::Registered);
    assert_eq!(published(&outputs), [Presence::Busy]);
    // Its answer, good or bad, changes nothing.
    let due = rig.registration.poll_timeout();
    assert_eq!(rig.answer(sent(&outputs), Ok(Success::Published)), []);
    assert_eq!(rig.answer(sent(&outputs), Err(Refusal::Failed)), []);
    assert_eq!(rig.registration.poll_timeout(), due);
    assert!(rig.registration.is_registered());
    // Said once, and when it changes.
    assert_eq!(rig.tell(Input::Presence(Some(Presence::Busy))), []);
    let away = rig.tell(Input::Presence(Some(Presence::Away)));
    assert_eq!(published(&away), [Presence::Away]);
    // Also while a refresh is on its way, whose answer is still waited for.
    let refresh = sent(&rig.wait_for_timeout());
    let busy = rig.tell(Input::Presence(Some(Presence::Busy)));
    assert_eq!(published(&busy), [Presence::Busy]);
    assert_eq!(rig.answer(sent(&busy), Ok(Success::Published)), []);
    assert_eq!(rig.answer(refresh, GRANTED), []);
    // A lease that ended is claimed anew, and a connection that was lost is made anew.
    let refresh = sent(&rig.wait_for_timeout());
    let outputs = rig.answer(refresh, Err(Refusal::NotFound));
    let outputs = rig.answer(sent(&outputs), GRANTED);
    assert_eq!(published(&outputs), [Presence::Busy]);
    rig.tell(Input::Disconnected);
    rig.wait_for_timeout();
    let id = rig.connect();
    assert_eq!(published(&rig.answer(id, GRANTED)), [Presence::Busy]);
}

#[test]
fn who_publishes_nothing_says_nothing_and_takes_back_what_was_said() {
    let mut rig = Rig::new(1);
    let id = rig.connect();
    assert_eq!(rig.answer(id, GRANTED), [Output::Registered]);
    assert_eq!(rig.tell(Input::Presence(None)), []);
    rig.tell(Input::Presence(Some(Presence::Away)));
    let back = rig.tell(Input::Presence(None));
    assert_eq!(published(&back), [Presence::Available]);
    assert_eq!(rig.tell(Input::Presence(None)), []);
    // Nobody knows anything of it on a new connection.
    rig.tell(Input::Disconnected);
    rig.wait_for_timeout();
    let id = rig.connect();
    assert_eq!(rig.answer(id, GRANTED), [Output::Registered]);
}

#[test]
fn what_was_said_is_taken_back_also_when_the_name_was_lost_meanwhile() {
    let mut rig = Rig::new(1);
    rig.tell(Input::Presence(Some(Presence::Busy)));
    let id = rig.connect();
    rig.answer(id, GRANTED);
    let refresh = sent(&rig.wait_for_timeout());
    let outputs = rig.answer(refresh, Err(Refusal::NotFound));
    assert_eq!(rig.tell(Input::Presence(None)), []);
    let outputs = rig.answer(sent(&outputs), GRANTED);
    assert_eq!(published(&outputs), [Presence::Available]);
}

#[test]
fn a_registry_that_does_not_answer_is_left() {
    let mut rig = Rig::new(1);
    rig.connect();
    assert_eq!(rig.wait_for_timeout(), [Output::Disconnect]);
    assert!(!rig.registration.is_connected());
    assert_eq!(rig.wait_for_timeout(), [Output::Connect]);
}

#[test]
fn a_taken_name_is_tried_again_later() {
    let mut rig = Rig::new(1);
    let id = rig.connect();
    let refused = rig.answer(id, Err(Refusal::NameTaken));
    assert_eq!(refused, [Output::Refused(Refusal::NameTaken)]);
    let id = sent(&rig.wait_for_timeout());
    assert_eq!(rig.answer(id, GRANTED), [Output::Registered]);
}

#[test]
fn a_lease_that_ended_is_claimed_anew() {
    let mut rig = Rig::new(1);
    let id = rig.connect();
    rig.answer(id, GRANTED);
    let id = sent(&rig.wait_for_timeout());
    let outputs = rig.answer(id, Err(Refusal::NotFound));
    assert_eq!(outputs[0], Output::Unregistered);
    assert_eq!(rig.answer(sent(&outputs), GRANTED), [Output::Registered]);
}

#[test]
fn stopping_unregisters_or_ends_at_once_without_a_connection() {
    let mut rig = Rig::new(1);
    let id = rig.connect();
    rig.answer(id, GRANTED);
    let id = sent(&rig.tell(Input::Stop));
    assert_eq!(
        rig.answer(id, Ok(Success::Unregistered)),
        [Output::Unregistered]
    );
    assert!(rig.registration.is_stopped());
    let mut unconnected = Rig::new(1);
    unconnected.tell(Input::Stop);
    assert!(unconnected.registration.is_stopped());
    let registry = unconnected.identity.key();
    let (exporter, nonce) = (Exporter::PLAIN, Nonce::NONE);
    let binding = Binding {
        registry,
        exporter,
        nonce,
    };
    let late = unconnected.tell(Input::Connected { binding, time: 1 });
    assert_eq!(late, [Output::Disconnect]);
}

#[test]
fn the_sequence_grows_over_a_restart() {
    let mut first = Rig::new(1);
    first.connect();
    assert_eq!(first.registration.cseq, 1001);
    let mut again = Rig::new(1);
    let binding = Binding {
        registry: first.identity.key(),
        exporter: Exporter::PLAIN,
        nonce: Nonce::NONE,
    };
    again.tell(Input::Connected {
        binding,
        time: 5000,
    });
    assert!(again.registration.cseq > first.registration.cseq);
}
