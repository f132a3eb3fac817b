//! Follows the registry's directory: asks to be told of changes, reads all pages, and takes changes
//! as they come.
//!
//! It is asked to watch first and for the pages after that, so that nothing falls in between: what
//! a notice says is older than a page that comes after it, and newer than one that came before.
//! Names that neither a page nor a notice has spoken of by the end of the last page are gone. Until
//! then they are shown as they were.
//!
//! A registry that does not tell of changes, because too many watch, is asked for the pages again
//! and again: every minute or few. Whatever a registry says, it is asked one thing at a time, and
//! no faster than the constants here say.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use codec::{
    IdentityKey, List, Name,
    registry::{self, Method, Notice, PAGE_MAX, Page, Prefix, Refusal, Success, Watch as Watched},
};
use rand_chacha::rand_core::Rng;

use crate::roster::{Entry, ROSTER_MAX, Roster};

/// How long an answer may take: a registry that is asked much reads more slowly.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// From one page to the next. 50 pages a second are half of the work that a registry does for one
/// connection, so that whatever else is asked on it does not have to wait.
const PAGE_EVERY: Duration = Duration::from_millis(20);

/// When the directory is asked for again that could not be read to its end.
const AGAIN: Duration = Duration::from_secs(60);

/// The same for one whose changes are not told: at least so long, and at most twice that; with
/// [`POLL_PAGE`] more for each page, so that it is as little work however many there are.
const POLL: Duration = Duration::from_secs(30);
const POLL_PAGE: Duration = Duration::from_secs(1);

/// The pause before it is read again because changes were missed. It doubles each time.
const MISSED_PAUSE: Duration = Duration::from_secs(2);

/// How often it doubles: up to 128 s.
const MISSED_DOUBLINGS_MAX: u32 = 6;

/// After so long without missed changes the pause is a short one again.
const MISSED_FORGOTTEN: Duration = Duration::from_secs(300);

/// The longest pause that a registry may ask for.
const TOLD_MAX: Duration = Duration::from_secs(3600);

/// What is being done.
#[derive(Debug)]
enum State {
    /// Nothing: it is not wanted, the phone is not registered, or the registry does not tell.
    Idle,
    /// Asked to watch everybody.
    Beginning { until: Instant },
    /// Asked for the names after this one.
    Listing { after: Option<Name>, until: Instant },
    /// About to ask for the names after this one.
    Turning { after: Name, at: Instant },
    /// It has been read. Read again at that time, if any.
    Following { again: Option<Instant> },
    /// It could not be read. Tried again at that time.
    Failed { again: Instant },
}

/// Names as they are shown, at most [`ROSTER_MAX`].
type Rows = BTreeMap<Name, Arc<Entry>>;

/// Keeps the directory as it is.
#[derive(Debug)]
pub(super) struct Follower {
    wanted: bool,
    state: State,
    rows: Rows,
    /// What was heard of since it was begun to read everything.
    fresh: Rows,
    /// Counts from how often it was begun to read everything; answers to earlier ones are old.
    round: u32,
    /// The registry tells what changes.
    told: bool,
    /// Some changes of this round were not told.
    missed: bool,
    /// How often in a row changes were missed, and when last.
    misses: (u32, Option<Instant>),
    complete: bool,
    old: bool,
    more: bool,
    refused: Option<Refusal>,
    registry: Option<IdentityKey>,
    edition: u64,
}

impl Default for Follower {
    fn default() -> Self {
        Self {
            wanted: false,
            state: State::Idle,
            rows: Rows::new(),
            fresh: Rows::new(),
            round: 0,
            told: false,
            missed: false,
            misses: (0, None),
            complete: false,
            old: false,
            more: false,
            refused: None,
            registry: None,
            edition: 0,
        }
    }
}

impl Follower {
    /// Grows with every change.
    pub(super) fn edition(&self) -> u64 {
        self.edition
    }

    /// The directory as far as it is known.
    pub(super) fn roster(&self) -> Roster {
        Roster {
            entries: self.rows.values().cloned().collect(),
            complete: self.complete,
            old: self.old,
            more: self.more,
            refused: self.refused,
            registry: self.registry,
        }
    }

    /// The round that is going on: what is asked now is a part of it.
    pub(super) fn round(&self) -> u32 {
        self.round
    }

    /// When to say [`Self::timeout`].
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Idle => None,
            State::Beginning { until } | State::Listing { until, .. } => Some(*until),
            State::Turning { at, .. } => Some(*at),
            State::Following { again } => *again,
            State::Failed { again } => Some(*again),
        }
    }

    // Whatever happens, there is at most one thing to ask then, which is returned.

    /// The person wants it from now on, or no longer.
    pub(super) fn want(
        &mut self,
        wanted: bool,
        registered: Option<IdentityKey>,
        now: Instant,
    ) -> Option<Method> {
        if wanted == self.wanted {
            return None;
        }
        self.wanted = wanted;
        if wanted {
            return registered.and_then(|registry| self.registered(registry, now));
        }
        let told = self.told;
        self.lost();
        // Nothing is told any more.
        (told && registered.is_some()).then(|| Method::Watch(Watched::Names(List::default())))
    }

    /// The phone is registered from now on: some registries tell nobody else.
    pub(super) fn registered(&mut self, registry: IdentityKey, now: Instant) -> Option<Method> {
        if !self.wanted {
            return None;
        }
        if self.registry != Some(registry) {
            self.clear();
            self.registry = Some(registry);
        }
        Some(self.begin(now))
    }

    /// What is known is how it was: the phone is not registered any more, or does not want to know.
    pub(super) fn lost(&mut self) {
        self.round = self.round.wrapping_add(1);
        self.state = State::Idle;
        self.told = false;
        if self.complete || !self.rows.is_empty() {
            self.old = true;
        }
        self.edition += 1;
    }

    /// The registry answered what was asked in this round.
    pub(super) fn answered(
        &mut self,
        round: u32,
        result: Result<Success, Refusal>,
        rng: &mut impl Rng,
        now: Instant,
    ) -> Option<Method> {
        if round != self.round {
            return None;
        }
        match (&mut self.state, result) {
            (State::Beginning { .. }, Ok(Success::Watching)) => {
                self.told = true;
                Some(self.list(None, now))
            }
            (State::Listing { after, .. }, Ok(Success::Page(page))) => {
                let after = after.take();
                self.page(after, &page, rng, now);
                None
            }
            (State::Beginning { .. } | State::Listing { .. }, Err(Refusal::Closed)) => {
                self.clear();
                self.refused = Some(Refusal::Closed);
                self.state = State::Idle;
                self.told = false;
                None
            }
            (
                State::Beginning { .. } | State::Listing { .. },
                Err(refusal @ Refusal::TooFast { retry_s }),
            ) => {
                let pause = Duration::from_secs(retry_s.into());
                self.fail(refusal, pause.clamp(AGAIN, TOLD_MAX), now);
                None
            }
            // Too many watch, or it knows only how to list.
            (State::Beginning { .. }, Err(_)) => {
                self.told = false;
                Some(self.list(None, now))
            }
            (State::Listing { .. }, Err(refusal)) => {
                self.fail(refusal, AGAIN, now);
                None
            }
            (State::Beginning { .. } | State::Listing { .. }, Ok(_)) => {
                self.fail(Refusal::Failed, AGAIN, now);
                None
            }
            // It was not waited for any longer.
            _ => None,
        }
    }

    /// The registry says something that was not asked for.
    pub(super) fn notice(&mut self, notice: &Notice, now: Instant) {
        if !self.told || matches!(self.state, State::Idle | State::Failed { .. }) {
            return;
        }
        match notice {
            Notice::Changed(entry) => self.set(entry),
            Notice::Gone(name) => {
                self.fresh.remove(name);
                if self.rows.remove(name).is_some() {
                    self.edition += 1;
                }
            }
            Notice::Missed => self.miss(now),
            _ => {}
        }
    }

    /// The time of [`Self::poll_timeout`] has come.
    pub(super) fn timeout(&mut self, now: Instant) -> Option<Method> {
        if self.poll_timeout().is_none_or(|at| at > now) {
            return None;
        }
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Idle => None,
            State::Turning { after, .. } => Some(self.list(Some(after), now)),
            State::Beginning { .. } | State::Listing { .. } => {
                self.fail(Refusal::Failed, AGAIN, now);
                None
            }
            State::Following { .. } | State::Failed { .. } => Some(self.begin(now)),
        }
    }

    fn begin(&mut self, now: Instant) -> Method {
        self.round = self.round.wrapping_add(1);
        self.missed = false;
        self.fresh.clear();
        self.state = State::Beginning {
            until: now + ANSWER_WITHIN,
        };
        Method::Watch(Watched::Everybody)
    }

    fn list(&mut self, after: Option<Name>, now: Instant) -> Method {
        let until = now + ANSWER_WITHIN;
        self.state = State::Listing {
            after: after.clone(),
            until,
        };
        Method::List {
            prefix: Prefix::default(),
            after,
            limit: u8::try_from(PAGE_MAX).unwrap_or(u8::MAX),
        }
    }

    fn page(&mut self, after: Option<Name>, page: &Page, rng: &mut impl Rng, now: Instant) {
        let mut last = after;
        for entry in page.entries.iter() {
            if last.as_ref().is_some_and(|last| entry.name <= *last) {
                // It would never come to an end.
                return self.fail(Refusal::Failed, AGAIN, now);
            }
            last = Some(entry.name.clone());
            self.set(entry);
        }
        match last.filter(|_| page.more && !page.entries.is_empty()) {
            Some(after) if self.fresh.len() < ROSTER_MAX => {
                let at = now + PAGE_EVERY;
                self.state = State::Turning { after, at };
            }
            more => self.whole(more.is_some(), rng, now),
        }
    }

    /// Everything has been read, but for what is too much.
    fn whole(&mut self, more: bool, rng: &mut impl Rng, now: Instant) {
        self.rows = std::mem::take(&mut self.fresh);
        (self.complete, self.old, self.refused) = (!more, false, None);
        self.more = more;
        let again = match (self.told, self.missed) {
            (true, false) => None,
            (true, true) => Some(now + self.pause()),
            (false, _) => {
                let pages = u32::try_from(self.rows.len() / PAGE_MAX).unwrap_or(u32::MAX);
                let poll = POLL + POLL_PAGE * pages;
                let part = f64::from(rng.next_u32()) / f64::from(u32::MAX);
                Some(now + poll + poll.mul_f64(part))
            }
        };
        self.state = State::Following { again };
        self.edition += 1;
    }

    fn fail(&mut self, refusal: Refusal, pause: Duration, now: Instant) {
        self.round = self.round.wrapping_add(1);
        self.refused = Some(refusal);
        if self.complete || !self.rows.is_empty() {
            self.old = true;
        }
        let again = now + pause;
        self.state = State::Failed { again };
        self.edition += 1;
    }

    /// Some changes were not told: everything is to be read anew.
    fn miss(&mut self, now: Instant) {
        let (count, last) = &mut self.misses;
        if last.is_none_or(|last| last + MISSED_FORGOTTEN <= now) {
            *count = 0;
        }
        *last = Some(now);
        match &self.state {
            State::Following { again: None } => {
                let again = Some(now + self.pause());
                self.state = State::Following { again };
            }
            State::Following { again: Some(_) } => {}
            // What is being read now may be too old; it is read once more.
            _ => self.missed = true,
        }
    }

    fn pause(&mut self) -> Duration {
        let (count, _) = &mut self.misses;
        let pause = MISSED_PAUSE * 2u32.pow(*count);
        *count = (*count + 1).min(MISSED_DOUBLINGS_MAX);
        pause
    }

    fn set(&mut self, told: &registry::Entry) {
        let entry = match self.rows.get(&told.name) {
            Some(known) if **known == Entry::from(told) && is_written(known, told) => {
                Arc::clone(known)
            }
            _ => Arc::new(Entry::from(told)),
        };
        if !matches!(self.state, State::Following { .. }) {
            put(&mut self.fresh, &entry);
        }
        if put(&mut self.rows, &entry) {
            self.edition += 1;
        } else if self.rows.len() >= ROSTER_MAX
            && !self.rows.contains_key(&entry.name)
            && matches!(self.state, State::Following { .. })
            && !self.more
        {
            (self.more, self.complete) = (true, false);
            self.edition += 1;
        }
    }

    fn clear(&mut self) {
        self.rows.clear();
        self.fresh.clear();
        (self.complete, self.old, self.more) = (false, false, false);
        self.refused = None;
        self.edition += 1;
    }
}

/// Whether a name is shown as its owner types it now: two forms of it are the same name.
fn is_written(known: &Entry, told: &registry::Entry) -> bool {
    known.name.as_str() == told.name.as_str()
}

/// Puts a name among others if there is room. Returns whether that is different from before.
fn put(rows: &mut Rows, entry: &Arc<Entry>) -> bool {
    if let Some(known) = rows.get_mut(&entry.name) {
        let is_new = !Arc::ptr_eq(known, entry);
        *known = Arc::clone(entry);
        return is_new;
    }
    let has_room = rows.len() < ROSTER_MAX;
    if has_room {
        rows.insert(entry.name.clone(), Arc::clone(entry));
    }
    has_room
}

#[cfg(test)]
mod tests;
