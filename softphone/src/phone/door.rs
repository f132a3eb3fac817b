//! Who is let in: what is known of a caller, and how those are turned away who may not call.
//!
//! Whoever is turned away cannot tell why. Each of them gets the same answer after a time that is
//! drawn in the same way, and until then the phone has done for them what it does for everybody.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use codec::{IdentityKey, Name, Party, Signal, signal::DeclineReason};

use super::{
    Callers, Event, Output, Phone,
    allowance::{Allowance, Allowances},
    caller::Visitor,
};
use crate::contacts::Standing;

/// The longest that a caller waits who is not let in, in microseconds.
const WAIT_MAX_US: u64 = 2_000_000;

/// How many may wait so. When there are more, the one who would be answered next is answered now.
const TURNED_MAX: usize = 64;

/// How often the person is told of the same caller at most.
const TOLD_EVERY: Duration = Duration::from_secs(600);

/// How many callers the person is told of in that time; of more they learn nothing.
const TOLD_MAX: usize = 32;

/// How many callers with whom there is no call are answered through the registry in a minute, all
/// strangers together and everybody who is not let in; further ones hear nothing. Each answer is
/// one of the envelopes that the registry hands on for this phone.
const ANSWERED_MAX: u32 = 120;

/// How often one identity is answered so in a minute, known or not.
const ANSWERED_OF_ONE_MAX: u32 = 10;

/// How many identities are counted apart for that.
const ANSWERED_APART_MAX: usize = 1024;

/// How often callers with whom there is no call are answered through the registry.
#[derive(Debug)]
pub(super) struct Answers {
    strangers: Allowance,
    each: Allowances,
}

impl Default for Answers {
    fn default() -> Self {
        let minutely = |most| Allowance::new(most, most, Duration::from_secs(60));
        Self {
            strangers: minutely(ANSWERED_MAX),
            each: Allowances::new(minutely(ANSWERED_OF_ONE_MAX), ANSWERED_APART_MAX),
        }
    }
}

impl Answers {
    /// Whether this caller is answered once more; it counts.
    pub(super) fn may(&mut self, who: IdentityKey, standing: Standing, now: Instant) -> bool {
        let is_stranger = !standing.is_known();
        if is_stranger && !self.strangers.has(now) || !self.each.has(who, now) {
            return false;
        }
        if is_stranger {
            self.strangers.take(now);
        }
        self.each.take(who, now);
        true
    }
}

/// The form of a caller's name that people get to see. No registry has looked at what a name looks
/// like that it does not confirm, so such a one is shown folded: `aIice` is `aiice` then.
pub(super) fn shown(name: &Name, confirmed: bool) -> Name {
    let folded = || name.folded().parse().ok();
    let shown = (!confirmed).then(folded).flatten();
    shown.unwrap_or_else(|| name.clone())
}

/// Somebody who is not let in, and will be told so.
#[derive(Debug)]
pub(super) struct Turned {
    pub(super) visitor: Visitor,
    pub(super) at: Instant,
}

/// Of whom the person was told not long ago: of whom by name and identity, or that a name is used
/// by whom it is not pinned to, whoever that is.
#[derive(Debug, Default)]
pub(super) struct Told {
    callers: VecDeque<(Name, Option<IdentityKey>, Instant)>,
}

impl Told {
    /// Whether the person is to be told of this caller.
    fn is_new(&mut self, from: &Party, standing: Standing, now: Instant) -> bool {
        let identity = Some(from.identity).filter(|_| standing != Standing::Changed);
        while let Some((_, _, at)) = self.callers.front()
            && *at + TOLD_EVERY <= now
        {
            self.callers.pop_front();
        }
        let mut callers = self.callers.iter();
        let known = callers.any(|(name, who, _)| *name == from.name && *who == identity);
        if known || self.callers.len() >= TOLD_MAX {
            return false;
        }
        self.callers.push_back((from.name.clone(), identity, now));
        true
    }
}

impl Phone {
    /// Where the caller's name is theirs, and what is known of them. A registry that confirms the
    /// name vouches for it; otherwise it is theirs where it is pinned to them.
    pub(super) fn who_calls(
        &self,
        from: &Party,
        confirmed: bool,
    ) -> (Option<IdentityKey>, Standing) {
        let Party { name, identity } = from;
        match confirmed {
            true => {
                let standing = self.book.standing(self.registry, name, *identity);
                (self.registry, standing)
            }
            false => self.book.claimed(name, *identity),
        }
    }

    /// Whether the phone may ring for this caller.
    pub(super) fn lets_in(&self, from: &Party, standing: Standing) -> bool {
        let may_call = match self.settings.callers {
            Callers::Everyone => standing != Standing::Changed,
            Callers::Contacts => standing.is_known(),
            Callers::Nobody => false,
        };
        may_call && !self.settings.dnd && !self.book.is_blocked(from.identity)
    }

    /// Turns a caller away, in a while.
    pub(super) fn turn_away(
        &mut self,
        visitor: Visitor,
        confirmed: bool,
        standing: Standing,
        now: Instant,
    ) {
        if self.turned.len() >= TURNED_MAX {
            let next = self.turned.iter().map(|turned| turned.at).min();
            self.answer_turned(next.unwrap_or(now), now);
        }
        let wait = Duration::from_micros(u64::from_le_bytes(self.random()) % (WAIT_MAX_US + 1));
        let mut from = visitor.from.clone();
        from.name = shown(&from.name, confirmed);
        let at = now + wait;
        self.turned.push(Turned { visitor, at });
        let blocked = match standing {
            // The name is known; whether this is a new key of theirs, the person may find out.
            Standing::Changed => self.book.named(&from.name).all(|contact| contact.blocked),
            _ => false,
        };
        let hushed = blocked || self.book.is_blocked(from.identity);
        if hushed || !self.told.is_new(&from, standing, now) {
            return;
        }
        let event = match standing {
            Standing::Changed => Event::IdentityChanged { name: from.name },
            _ => Event::TurnedAway {
                from,
                confirmed,
                standing,
            },
        };
        self.outputs.push_back(Output::Event(event));
    }

    /// Answers those whose time has come.
    pub(super) fn turned_due(&mut self, now: Instant) {
        self.answer_turned(now, now);
    }

    /// The phone stops: nobody waits for an answer any more.
    pub(super) fn turn_all_away(&mut self, now: Instant) {
        let last = self.turned.iter().map(|turned| turned.at).max();
        self.answer_turned(last.unwrap_or(now), now);
    }

    fn answer_turned(&mut self, until: Instant, now: Instant) {
        let (due, early) = std::mem::take(&mut self.turned)
            .into_iter()
            .partition(|turned: &Turned| turned.at <= until);
        self.turned = early;
        for Turned { visitor, .. } in due {
            let decline = Signal::Decline(DeclineReason::Unavailable);
            self.answer_visitor(&visitor, Standing::Stranger, decline, now);
        }
    }
}
