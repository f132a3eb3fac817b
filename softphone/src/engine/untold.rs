//! Events that wait for somebody who shows them and is behind: what a newer one makes old goes, so
//! that no peer fills the queue by saying the same again and again.

use std::collections::VecDeque;

use super::{Event, UNTOLD_MAX};
use crate::phone;

/// With so many that wait, whoever shows them is behind, and learns only how things stand.
const BEHIND: usize = 256;

/// Has an event wait; it is lost when [`UNTOLD_MAX`] others do.
pub(super) fn add(waiting: &mut VecDeque<Event>, event: Event) {
    if waiting.len() >= BEHIND
        && let Some(old) = waiting.iter().rposition(|old| is_made_old(old, &event))
    {
        waiting.remove(old);
    }
    if waiting.len() < UNTOLD_MAX {
        waiting.push_back(event);
    }
}

/// Whether who hears `new` has no use for `old` any more.
fn is_made_old(old: &Event, new: &Event) -> bool {
    use phone::Event::{Held, Reconnected, Reconnecting};
    match (old, new) {
        (Event::Phone(Held { call: old, .. }), Event::Phone(Held { call, .. }))
        | (Event::Path { call: old, .. }, Event::Path { call, .. })
        | (Event::Unheard { call: old, .. }, Event::Unheard { call, .. })
        | (Event::Unspoken { call: old, .. }, Event::Unspoken { call, .. })
        | (
            Event::Phone(Reconnecting { call: old } | Reconnected { call: old }),
            Event::Phone(Reconnecting { call } | Reconnected { call }),
        ) => old == call,
        (Event::Front, Event::Front) => true,
        (Event::Warning(old), Event::Warning(new)) => old == new,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use codec::CallId;

    use super::{super::Warning, *};
    use crate::call::{Hold, Reason};

    fn held(call: u8, hold: Hold) -> Event {
        let call = CallId([call; 16]);
        Event::Phone(phone::Event::Held { call, hold })
    }

    #[test]
    fn a_peer_that_holds_and_resumes_for_ever_leaves_room_for_what_counts() {
        let mut waiting = VecDeque::new();
        for _ in 0..UNTOLD_MAX {
            add(&mut waiting, held(1, Hold::There));
            add(&mut waiting, Event::Front);
            add(&mut waiting, held(1, Hold::No));
        }
        add(&mut waiting, held(2, Hold::There));
        assert!(waiting.len() <= BEHIND + 3, "{}", waiting.len());
        let ended = Event::Phone(phone::Event::Ended {
            call: CallId([1; 16]),
            name: "bob".parse().unwrap(),
            reason: Reason::RemoteHangup,
            detail: None,
        });
        add(&mut waiting, ended.clone());
        let last: Vec<&Event> = waiting.iter().rev().take(3).collect();
        assert_eq!(last, [&ended, &held(2, Hold::There), &held(1, Hold::No)]);
    }

    #[test]
    fn whoever_is_not_behind_hears_everything_and_nothing_is_kept_without_end() {
        let mut waiting = VecDeque::new();
        for hold in [Hold::There, Hold::No, Hold::There] {
            add(&mut waiting, held(1, hold));
        }
        assert_eq!(waiting.len(), 3);
        for number in 0..2 * UNTOLD_MAX {
            add(
                &mut waiting,
                Event::Warning(Warning::NoNetwork(number.to_string())),
            );
        }
        assert_eq!(waiting.len(), UNTOLD_MAX);
    }
}
