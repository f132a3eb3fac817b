//! What a connection may watch and ask for, and how long it may take.

use super::*;

#[test]
fn a_watch_is_open_to_everybody_and_tells_no_loopback_address_elsewhere() {
    let bob = person(1);
    let mut rig = Rig::from("127.0.0.1:1");
    rig.greet(Some(&bob));
    let register = rig.register(&bob, &["192.168.1.7:4000"], 1);
    rig.ask(1, register).unwrap();
    let name: Name = "bob".parse().unwrap();
    let entry = rig.table.lookup(&name, rig.now).unwrap().entry;
    let mut far = Rig::from("10.0.0.9:1");
    far.greet(None);
    let watch = Method::Watch(Watch::Names(List::first_of([name.clone()])));
    assert_eq!(far.ask(1, watch), Ok(Success::Watching));
    for (rig, contacts) in [(&mut rig, 2), (&mut far, 1)] {
        let before = rig.worked;
        rig.tell(Input::Changed(&name, Some(entry.clone())));
        let Some(FromRegistry::Notice(Notice::Changed(told))) = rig.said.last() else {
            panic!("{:?}", rig.said)
        };
        assert_eq!(told.contacts().len(), contacts);
        rig.tell(Input::Changed(&name, None));
        let gone = FromRegistry::Notice(Notice::Gone(name.clone()));
        assert_eq!(rig.said.last(), Some(&gone));
        assert_eq!(rig.worked, before + 2, "who is told pays for it");
    }
}

#[test]
fn who_asks_too_fast_is_read_more_slowly_and_nonsense_counts_more() {
    let limits = Limits::default();
    for (nonsense, frames) in [(false, limits.work_burst), (true, limits.work_burst / 5)] {
        let mut rig = Rig::from("10.0.0.1:1");
        rig.greet(None);
        let ask = |rig: &mut Rig, id| {
            if nonsense {
                rig.tell(Input::Payload(&[200]));
            } else {
                let _ = rig.lookup(id);
            }
        };
        for id in 1..=frames {
            assert_eq!(rig.session.reads_at(rig.now), rig.now);
            ask(&mut rig, id);
        }
        assert!(!rig.counted.contains(&Count::Slowed));
        ask(&mut rig, frames + 1);
        assert!(rig.session.reads_at(rig.now) > rig.now);
        assert!(rig.counted.contains(&Count::Slowed));
        let second = rig.now + Duration::from_secs(1);
        assert_eq!(rig.session.reads_at(second), second);
    }
}

#[test]
fn a_peer_that_is_half_done_for_too_long_is_told_so() {
    for (input, reason, count) in [
        (
            Input::Incomplete,
            ClosingReason::Incomplete,
            Count::Incomplete,
        ),
        (
            Input::SlowReader,
            ClosingReason::SlowReader,
            Count::SlowReader,
        ),
    ] {
        let mut rig = Rig::from("10.0.0.1:1");
        rig.greet(None);
        rig.tell(input);
        let closing = FromRegistry::Notice(Notice::Closing(reason));
        assert_eq!(rig.said, [closing]);
        assert_eq!(rig.counted, [count]);
        assert!(rig.closed.is_some());
    }
}
