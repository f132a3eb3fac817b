//! The calls that are over: with whom, when, for how long, and which were missed.
//!
//! PURE: what happens on the phone and what time it is come in, and the calls as they are then can
//! be looked at. A call is in it when it is over. [`Missed`](Past::is_missed) ones stand out until
//! the person has seen them.
//!
//! Of those who were turned away, who is known is in it as having called: a person who did not want
//! to be disturbed wants to know afterwards that a friend called. Strangers who may not call are
//! not. Of calls that nobody took, only some of strangers and some under one name are kept: nobody
//! can push the calls of a person's own life out of it by calling often.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use codec::{CallId, Name, UnixMillis};
use registry::client::Host;

use crate::{
    call::{Direction, Reason},
    contacts::Standing,
    phone::Event,
};

/// How many calls are kept; the oldest gives way.
pub const HISTORY_MAX: usize = 1_000;

/// How many of them are calls of strangers that nobody took here; the oldest of these gives way.
pub const STRANGERS_MAX: usize = 200;

/// How many of them came under one name and were not taken here; the oldest of these gives way.
pub const UNTAKEN_OF_ONE_MAX: usize = 50;

/// How many calls that are not over are followed; of further ones nothing is kept. A phone has
/// fewer lines.
const OPEN_MAX: usize = 256;

/// A call that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// With whom.
    pub name: Name,
    /// Where they were called, if not at the phone's own registry.
    pub host: Option<Host>,
    /// Who called whom.
    pub direction: Direction,
    /// When it began to ring, or was dialled, by this machine's clock.
    pub at: UnixMillis,
    /// For how long it was up, in whole milliseconds; `None` for a call that was not.
    pub lasted: Option<Duration>,
    /// Why it ended.
    pub reason: Reason,
    /// What was known of them before the call; [`Standing::Stranger`] of somebody who was called
    /// and not reached.
    pub standing: Standing,
    /// The person has seen that it was missed; `true` for every call that was not.
    pub seen: bool,
}

impl Past {
    /// Whether somebody called, and nobody took notice: neither here, where it could have been
    /// taken or declined, nor on another phone of this person.
    #[must_use]
    pub fn is_missed(&self) -> bool {
        let noticed = matches!(
            self.reason,
            Reason::Hangup
                | Reason::DeclinedHere
                | Reason::AnsweredElsewhere
                | Reason::DeclinedElsewhere
                | Reason::Merged
                // These end a call only after the person has taken it.
                | Reason::MediaFailed
                | Reason::Failed
                | Reason::Untrusted
                | Reason::IdentityChanged
        );
        self.is_untaken() && !noticed
    }

    /// Whether somebody called, and the call was not up here. Why it ended may be what the caller
    /// has said, so it does not matter.
    fn is_untaken(&self) -> bool {
        self.direction == Direction::Incoming && self.lasted.is_none()
    }
}

/// What the person wants of the calls that are over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Forget all of them.
    Clear,
    /// They have looked: no missed call stands out any more.
    Seen,
}

/// The calls that are over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// Newest first; at most [`HISTORY_MAX`].
    pub entries: VecDeque<Arc<Past>>,
}

impl History {
    /// How many missed calls the person has not seen.
    #[must_use]
    pub fn unseen(&self) -> usize {
        self.entries.iter().filter(|past| !past.seen).count()
    }

    /// Adds a call that is newer than all others.
    pub fn add(&mut self, past: Past) {
        let name = past.name.clone();
        self.entries.push_front(Arc::new(past));
        self.keep(UNTAKEN_OF_ONE_MAX, |past| {
            past.is_untaken() && past.name == name
        });
        self.keep(STRANGERS_MAX, |past| {
            past.is_untaken() && past.standing == Standing::Stranger
        });
        self.entries.truncate(HISTORY_MAX);
    }

    /// Forgets the oldest of a kind of which there is one more than `most`.
    fn keep(&mut self, most: usize, kind: impl Fn(&Past) -> bool) {
        let of_kind = |past: &Arc<Past>| kind(past);
        if self.entries.iter().filter(|past| of_kind(past)).count() > most
            && let Some(oldest) = self.entries.iter().rposition(of_kind)
        {
            self.entries.remove(oldest);
        }
    }

    fn set_seen(&mut self) -> bool {
        let unseen = self.entries.iter_mut().filter(|past| !past.seen);
        let seen = unseen.map(|past| Arc::make_mut(past).seen = true);
        seen.count() > 0
    }
}

/// A call that is not over.
#[derive(Debug)]
struct Open {
    name: Name,
    host: Option<Host>,
    direction: Direction,
    at: UnixMillis,
    standing: Standing,
    up: Option<Instant>,
}

/// Follows the calls of a phone, and writes down those that are over.
#[derive(Debug, Default)]
pub struct Calls {
    history: History,
    open: BTreeMap<CallId, Open>,
}

impl Calls {
    /// Goes on with what was written down before.
    #[must_use]
    pub fn new(history: History) -> Self {
        let open = BTreeMap::new();
        Self { history, open }
    }

    /// The calls that are over.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Makes a change. Returns whether anything is different now.
    pub fn change(&mut self, change: Change) -> bool {
        match change {
            Change::Clear if self.history.entries.is_empty() => false,
            Change::Clear => {
                self.history.entries.clear();
                true
            }
            Change::Seen => self.history.set_seen(),
        }
    }

    /// Takes note of what happened on the phone; `time` is this machine's clock at `now`. Returns
    /// whether a call has come to the others.
    pub fn note(&mut self, event: &Event, time: UnixMillis, now: Instant) -> bool {
        match event {
            Event::Dialling { call, name, host } => {
                self.begin(
                    *call,
                    Direction::Outgoing,
                    name,
                    host,
                    Standing::Stranger,
                    time,
                );
            }
            Event::Incoming {
                call,
                from,
                standing,
                ..
            } => self.begin(
                *call,
                Direction::Incoming,
                &from.name,
                &None,
                *standing,
                time,
            ),
            Event::Merged { ended, call, name } => {
                // One conversation: the one that goes on, which may have rung here already.
                let ended = self.open.remove(ended);
                let at = ended.map_or(time, |ended| ended.at);
                if !self.open.contains_key(call) {
                    let standing = Standing::Stranger;
                    self.begin(*call, Direction::Outgoing, name, &None, standing, at);
                }
            }
            Event::Established {
                call,
                name,
                standing,
                ..
            } => {
                if let Some(open) = self.open.get_mut(call) {
                    open.name = name.clone();
                    open.standing = *standing;
                    open.up = Some(now);
                }
            }
            Event::Ended { call, reason, .. } => {
                let Some(open) = self.open.remove(call) else {
                    return false;
                };
                self.end(open, *reason, now);
                return true;
            }
            Event::TurnedAway { from, standing, .. } if standing.is_known() => {
                self.history.add(Past {
                    name: from.name.clone(),
                    host: None,
                    direction: Direction::Incoming,
                    at: time,
                    lasted: None,
                    reason: Reason::Unavailable,
                    standing: *standing,
                    seen: false,
                });
                return true;
            }
            _ => {}
        }
        false
    }

    fn begin(
        &mut self,
        call: CallId,
        direction: Direction,
        name: &Name,
        host: &Option<Host>,
        standing: Standing,
        at: UnixMillis,
    ) {
        if self.open.len() < OPEN_MAX {
            let open = Open {
                name: name.clone(),
                host: host.clone(),
                direction,
                at,
                standing,
                up: None,
            };
            self.open.insert(call, open);
        }
    }

    fn end(&mut self, open: Open, reason: Reason, now: Instant) {
        // In whole milliseconds, as the file has it.
        let lasted = |since| now.saturating_duration_since(since).as_millis();
        let lasted = open
            .up
            .map(|since| u64::try_from(lasted(since)).unwrap_or(u64::MAX));
        let mut past = Past {
            name: open.name,
            host: open.host,
            direction: open.direction,
            at: open.at,
            lasted: lasted.map(Duration::from_millis),
            reason,
            standing: open.standing,
            seen: true,
        };
        past.seen = !past.is_missed();
        self.history.add(past);
    }
}

#[cfg(test)]
mod tests;
