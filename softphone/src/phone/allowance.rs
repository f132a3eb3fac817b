//! How often something may be done: so often at once, and then at a steady pace.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use codec::IdentityKey;

/// So often at once, and once more after every `each`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance {
    at_once: u32,
    each: Duration,
    /// When all of it is there again; `None` before it was used.
    full: Option<Instant>,
}

impl Allowance {
    /// `at_once` at a time; `in_all` in `period` when it is used steadily, which is not 0.
    pub(super) fn new(at_once: u32, in_all: u32, period: Duration) -> Self {
        Self {
            at_once,
            each: period / in_all,
            full: None,
        }
    }

    /// Whether it may be done now.
    pub(super) fn has(&self, now: Instant) -> bool {
        let used = self.full.map(|full| full.saturating_duration_since(now));
        used.is_none_or(|used| used + self.each <= self.each * self.at_once)
    }

    /// Uses it once.
    pub(super) fn take(&mut self, now: Instant) {
        let from = self.full.map_or(now, |full| full.max(now));
        self.full = Some(from + self.each);
    }

    /// Whether it is as if it had never been used.
    fn is_full(&self, now: Instant) -> bool {
        self.full.is_none_or(|full| full <= now)
    }
}

/// An allowance for each of some identities.
#[derive(Debug)]
pub(super) struct Allowances {
    each: Allowance,
    most: usize,
    used: BTreeMap<IdentityKey, Allowance>,
}

impl Allowances {
    /// For at most `most` identities at a time; further ones may do nothing.
    pub(super) fn new(each: Allowance, most: usize) -> Self {
        let used = BTreeMap::new();
        Self { each, most, used }
    }

    /// Whether this identity may do it now.
    pub(super) fn has(&mut self, identity: IdentityKey, now: Instant) -> bool {
        if let Some(used) = self.used.get(&identity) {
            return used.has(now);
        }
        if self.used.len() >= self.most {
            self.used.retain(|_, used| !used.is_full(now));
        }
        self.used.len() < self.most
    }

    /// Uses it once; only after [`Self::has`].
    pub(super) fn take(&mut self, identity: IdentityKey, now: Instant) {
        self.used.entry(identity).or_insert(self.each).take(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn so_often_at_once_and_then_at_its_pace() {
        let (mut some, mut now) = (Allowance::new(3, 6, MINUTE), Instant::now());
        let mut done = |now| {
            let has = some.has(now);
            if has {
                some.take(now);
            }
            has
        };
        assert_eq!(
            [(); 5].map(|()| done(now)),
            [true, true, true, false, false]
        );
        now += Duration::from_secs(9);
        assert!(!done(now));
        now += Duration::from_secs(1);
        assert!(done(now) && !done(now));
        now += MINUTE * 60;
        assert_eq!([(); 4].map(|()| done(now)), [true, true, true, false]);
    }

    #[test]
    fn each_identity_has_its_own_and_there_is_room_again_when_they_have_rested() {
        let mut all = Allowances::new(Allowance::new(1, 1, MINUTE), 2);
        let (now, who) = (Instant::now(), |seed| IdentityKey([seed; 32]));
        for seed in [1, 2] {
            assert!(all.has(who(seed), now));
            all.take(who(seed), now);
            assert!(!all.has(who(seed), now));
        }
        assert!(!all.has(who(3), now));
        assert!(all.has(who(3), now + MINUTE));
        assert!(all.used.is_empty());
    }
}
