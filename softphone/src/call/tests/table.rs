//! Every state by every input, and the table of it in `docs/protocol.md`.
//!
//! With `RAMAL_STATES=print` and `--nocapture` the test prints the table as it is now.

use super::*;

/// The name of a state, and what leads there from the one before.
type Step = (&'static str, fn(&mut Rig));

/// A call in every state that a caller, or a callee, passes through.
fn in_every_state(role: Role) -> Vec<(&'static str, Rig)> {
    let caller: [Step; 5] = [
        ("Preparing", |_| {}),
        ("Inviting", |rig| drop(rig.tell(Input::Prepared(media(1))))),
        ("Ringing", |rig| drop(rig.hear(Signal::Ringing))),
        ("Connecting", |rig| drop(rig.hear(accept()))),
        ("Established", |rig| drop(rig.tell(Input::Heard))),
    ];
    let callee: [Step; 6] = [
        ("Incoming", |_| {}),
        ("Answering", |rig| drop(rig.tell(Input::Answer))),
        ("Unconfirmed", |rig| {
            drop(rig.tell(Input::Prepared(media(2))));
        }),
        ("Unconfirmed, media up", |rig| {
            drop(rig.tell(Input::Connected));
        }),
        ("Confirmed", |rig| drop(rig.hear(confirm()))),
        ("Established", |rig| drop(rig.tell(Input::Heard))),
    ];
    let (steps, new): (&[Step], fn() -> Rig) = match role {
        Role::Caller => (&caller, Rig::caller),
        Role::Callee => (&callee, Rig::callee),
    };
    let reach = |reached: usize| {
        let mut rig = new();
        for (_, step) in &steps[..=reached] {
            step(&mut rig);
        }
        (steps[reached].0, rig)
    };
    (0..steps.len()).map(reach).collect()
}

/// A fresh copy of every input there is, under the name of its row.
fn every_input() -> Vec<(String, Input)> {
    let Own { card, nonce, .. } = own(1);
    let moved = || Moved {
        added: Candidates::default(),
        removed: Candidates::default(),
    };
    let Moved { added, removed } = moved();
    let said = [
        Signal::Invite {
            card,
            media: media(1),
            commitment: nonce.commitment(),
        },
        Signal::Ringing,
        accept(),
        confirm(),
        Signal::Decline(DeclineReason::Declined),
        Signal::Decline(DeclineReason::Unavailable),
        Signal::Decline(DeclineReason::NoAnswer),
        Signal::Decline(DeclineReason::Failed),
        Signal::Busy,
        Signal::Cancel(CancelReason::Hangup),
        Signal::Cancel(CancelReason::NoAnswer),
        Signal::Cancel(CancelReason::Merged),
        Signal::Cancel(CancelReason::AnsweredElsewhere),
        Signal::Cancel(CancelReason::DeclinedElsewhere),
        Signal::Bye(ByeReason::Hangup),
        Signal::Bye(ByeReason::MediaLost),
        Signal::Hold,
        Signal::Resume,
        Signal::Candidates { added, removed },
    ];
    let mut inputs: Vec<_> = said
        .into_iter()
        .map(|signal| (format!("*{}*", word(&signal)), Input::Signal(signal)))
        .collect();
    let wrong = Signal::Confirm {
        nonce: CallNonce([9; 32]),
    };
    inputs.insert(4, ("*Confirm*, wrong".to_owned(), Input::Signal(wrong)));
    let failed = |failure: MediaFailure| {
        let name = format!("media {failure:?}").to_lowercase();
        (name, Input::MediaFailed(failure))
    };
    inputs.extend([
        ("Answer".to_owned(), Input::Answer),
        ("Hangup".to_owned(), Input::Hangup),
        ("Hold".to_owned(), Input::Hold),
        ("Resume".to_owned(), Input::Resume),
        ("Merge".to_owned(), Input::Merge),
        ("media prepared".to_owned(), Input::Prepared(media(1))),
        ("media connected".to_owned(), Input::Connected),
        ("voice heard".to_owned(), Input::Heard),
        ("reconnecting".to_owned(), Input::Reconnecting),
        ("reconnected".to_owned(), Input::Reconnected),
        ("addresses changed".to_owned(), Input::Moved(moved())),
        failed(MediaFailure::Failed),
        failed(MediaFailure::Local),
        (
            "no network for media".to_owned(),
            Input::MediaFailed(MediaFailure::NoNetwork),
        ),
        failed(MediaFailure::Untrusted),
        failed(MediaFailure::Lost),
        failed(MediaFailure::Closed),
        ("no way to the peer".to_owned(), Input::Unreachable),
        ("time is up".to_owned(), Input::Timeout),
        (RUNG_OUT.to_owned(), Input::Timeout),
    ]);
    inputs
}

/// The row of what happens when the ringing time is over.
const RUNG_OUT: &str = "ringing time is up";

fn word(signal: &Signal) -> String {
    match signal {
        Signal::Invite { .. } => "Invite".to_owned(),
        Signal::Accept { .. } => "Accept".to_owned(),
        Signal::Confirm { .. } => "Confirm".to_owned(),
        Signal::Candidates { .. } => "Candidates".to_owned(),
        other => format!("{other:?}"),
    }
}

fn state(call: &Call) -> &'static str {
    match call.state {
        State::Preparing { .. } => "Preparing",
        State::Inviting { .. } => "Inviting",
        State::Ringing { .. } => "Ringing",
        State::Incoming { .. } => "Incoming",
        State::Answering { .. } => "Answering",
        State::Connecting {
            role: Role::Caller, ..
        } => "Connecting",
        State::Connecting {
            confirmation: Confirmation::Awaited { .. },
            media: Media::Down,
            ..
        } => "Unconfirmed",
        State::Connecting {
            confirmation: Confirmation::Awaited { .. },
            ..
        } => "Unconfirmed, media up",
        State::Connecting { .. } => "Confirmed",
        State::Established { .. } => "Established",
        State::Terminated => "Terminated",
    }
}

/// What an input does, in a few words.
fn cell(before: &str, rig: &Rig, outputs: &[Output]) -> String {
    let mut parts = Vec::new();
    let after = state(&rig.call);
    if after != before && after != "Terminated" {
        parts.push(format!("→ {after}"));
    }
    for output in outputs {
        parts.push(match output {
            Output::Ended(reason) => format!("✕ {reason}"),
            Output::Signal(signal) => format!("says *{}*", word(signal)),
            Output::StopOthers(_) => "stops others".to_owned(),
            Output::Prepare => "opens media".to_owned(),
            Output::Start { .. } => "starts media".to_owned(),
            Output::Speak => "speaks".to_owned(),
            Output::Held(hold) => format!("held: {hold:?}").to_lowercase(),
            Output::Reconnecting | Output::Reconnected => "told".to_owned(),
            Output::PeerMoved(_) => "media follows".to_owned(),
            // The new state says it.
            Output::Ringing | Output::Established { .. } => continue,
        });
    }
    if parts.is_empty() {
        return "·".to_owned();
    }
    // How it ends comes first.
    parts.sort_by_key(|part| !part.starts_with(['✕', '→']));
    parts.join(", ")
}

/// The table as it is: a row for each input, a column for each state.
fn table(role: Role) -> String {
    let states: Vec<_> = in_every_state(role).iter().map(|(name, _)| *name).collect();
    let mut rows = vec![
        format!("| | {} |", states.join(" | ")),
        format!("|---|{}", "---|".repeat(states.len())),
    ];
    for (at, (name, _)) in every_input().iter().enumerate() {
        let cells = in_every_state(role).into_iter().map(|(before, mut rig)| {
            let (_, input) = every_input().swap_remove(at);
            if name == RUNG_OUT {
                rig.now += RING;
            } else if matches!(input, Input::Timeout) {
                rig.now = rig.call.poll_timeout().unwrap_or(rig.now);
            }
            let outputs = rig.tell(input);
            cell(before, &rig, &outputs)
        });
        rows.push(format!(
            "| {name} | {} |",
            cells.collect::<Vec<_>>().join(" | ")
        ));
    }
    rows.join("\n")
}

#[test]
#[expect(
    clippy::print_stdout,
    reason = "it prints the table when it is asked to"
)]
fn the_table_in_the_protocol_is_what_a_call_does() {
    let document = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/protocol.md");
    let document = std::fs::read_to_string(document).unwrap();
    for role in [Role::Caller, Role::Callee] {
        let table = table(role);
        if std::env::var("RAMAL_STATES").as_deref() == Ok("print") {
            println!("{table}\n");
        } else {
            assert!(document.contains(&table), "{role:?} is now:\n{table}");
        }
    }
}

#[test]
fn every_call_ends_once_and_then_nothing_does_anything() {
    let every = |role| in_every_state(role).into_iter();
    for at in 0..every_input().len() {
        for (name, mut rig) in every(Role::Caller).chain(every(Role::Callee)) {
            let (input_name, input) = every_input().swap_remove(at);
            let case = format!("{input_name} in {name}");
            rig.now = rig.call.poll_timeout().unwrap_or(rig.now);
            let mut outputs = rig.tell(input);
            if !rig.call.is_terminated() {
                outputs.extend(rig.tell(Input::Hangup));
            }
            let ended = |output: &&Output| matches!(output, Output::Ended(_));
            assert_eq!(outputs.iter().filter(ended).count(), 1, "{case}");
            assert!(matches!(outputs.last(), Some(Output::Ended(_))), "{case}");
            assert_eq!(rig.call.poll_timeout(), None, "{case}");
            for (_, input) in every_input() {
                assert_eq!(rig.tell(input), [], "{case}, then more");
            }
        }
    }
}

#[test]
fn no_state_but_established_lasts_for_ever() {
    let every = |role| in_every_state(role).into_iter();
    for (name, mut rig) in every(Role::Caller).chain(every(Role::Callee)) {
        let began = rig.now;
        while rig.call.poll_timeout().is_some() {
            rig.wait();
        }
        let over = rig.call.is_terminated() || rig.call.is_established();
        assert!(over, "{name}");
        assert!(rig.now - began <= Duration::from_secs(60), "{name}");
    }
}
