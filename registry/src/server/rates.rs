//! How often things may be done before they are refused: by one address, and by one identity.
//!
//! PURE: who does what, and when, comes in; whether they may comes out. What is only work is not
//! refused but slowed, in `gate` and `session`; `docs/decisions/0020` has which is which.

use std::{
    collections::HashMap,
    hash::Hash,
    num::NonZeroU32,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use codec::{IdentityKey, registry::Refusal};
use governor::{
    Quota, RateLimiter,
    clock::Clock,
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::{StateStore, keyed::ShrinkableKeyedStateStore},
};

use crate::limits::{self, Count, Counters, Rate, Source};

/// What is limited by refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// A phone greets.
    Greeting,
    /// A name that is nobody's is asked for.
    Claim,
    /// It is asked after a name that nobody has, or about one that somebody else has.
    Guess,
    /// A lease is taken, renewed or ended.
    Registration,
    /// An envelope is sent.
    Envelope,
    /// A name is given up, given to another key, or taken back.
    Ownership,
    /// A recovery code was not the name's.
    WrongCode,
}

impl Deed {
    /// Where it is counted that this was refused; the session counts greetings.
    fn count(self) -> Option<Count> {
        match self {
            Self::Greeting => None,
            Self::Claim => Some(Count::ClaimsTooFast),
            Self::Guess => Some(Count::GuessesTooFast),
            Self::Registration => Some(Count::RegistrationsTooFast),
            Self::Envelope => Some(Count::EnvelopesTooFast),
            Self::Ownership | Self::WrongCode => Some(Count::OwnershipTooFast),
        }
    }
}

/// Who does something.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asker {
    /// From where.
    pub(super) source: Source,
    /// As whom, if it is a phone.
    pub(super) identity: Option<IdentityKey>,
    /// A name is registered on the connection.
    pub(super) member: bool,
}

/// All rates of a registry.
#[derive(Debug)]
pub(super) struct Rates {
    clock: Told,
    addresses: Limiters<Source>,
    identities: Limiters<IdentityKey>,
    /// Greetings are not signed, and anybody may know a card: by what was shown and from where, so
    /// that nobody uses up somebody else's.
    greetings: Limiter<(IdentityKey, Source)>,
    /// Guesses of all members at an address together, beside those of each.
    members: Limiter<Source>,
    counters: Arc<Counters>,
}

/// The rates of one kind of key; none where it is not counted by that.
#[derive(Debug)]
struct Limiters<K: Key> {
    claims: Option<Limiter<K>>,
    guesses: Option<Limiter<K>>,
    registrations: Option<Limiter<K>>,
    envelopes: Option<Limiter<K>>,
    ownership: Option<Limiter<K>>,
    wrong_codes: Option<Limiter<K>>,
}

impl<K: Key> Limiters<K> {
    fn of(&self, deed: Deed) -> Option<&Limiter<K>> {
        let limiter = match deed {
            Deed::Greeting => return None,
            Deed::Claim => &self.claims,
            Deed::Guess => &self.guesses,
            Deed::Registration => &self.registrations,
            Deed::Envelope => &self.envelopes,
            Deed::Ownership => &self.ownership,
            Deed::WrongCode => &self.wrong_codes,
        };
        limiter.as_ref()
    }

    fn all(&self) -> impl Iterator<Item = &Limiter<K>> {
        let all = [
            &self.claims,
            &self.guesses,
            &self.registrations,
            &self.envelopes,
            &self.ownership,
            &self.wrong_codes,
        ];
        all.into_iter().flatten()
    }
}

impl Rates {
    pub(super) fn new(rates: limits::Rates, counters: Arc<Counters>, now: Instant) -> Self {
        let clock = Told::new(now);
        let room = rates.counted_apart;
        let address = |rate| Limiter::new(rate, room, &clock, &counters);
        let identity = |rate| Limiter::new(rate, room, &clock, &counters);
        Self {
            greetings: Limiter::new(rates.greetings_per_identity, room, &clock, &counters),
            members: address(rates.member_guesses_per_address),
            addresses: Limiters {
                claims: Some(address(rates.claims_per_address)),
                guesses: Some(address(rates.guesses_per_address)),
                registrations: None,
                envelopes: Some(address(rates.envelopes_per_address)),
                ownership: Some(address(rates.ownership_per_address)),
                wrong_codes: Some(address(rates.wrong_codes_per_address)),
            },
            identities: Limiters {
                claims: Some(identity(rates.claims_per_identity)),
                guesses: Some(identity(rates.guesses_per_identity)),
                registrations: Some(identity(rates.registrations_per_identity)),
                envelopes: Some(identity(rates.envelopes_per_identity)),
                ownership: Some(identity(rates.ownership_per_identity)),
                // Whoever guesses draws a new identity for every guess.
                wrong_codes: None,
            },
            clock,
            counters,
        }
    }

    /// Does something once, if it may be done now.
    ///
    /// # Errors
    /// [`Refusal::TooFast`]; then it has not counted for the address.
    pub(super) fn draw(&self, deed: Deed, asker: Asker, now: Instant) -> Result<(), Refusal> {
        self.check(deed, asker, true, now)
    }

    /// Whether something may be done now, without doing it.
    ///
    /// # Errors
    /// [`Refusal::TooFast`].
    pub(super) fn allows(&self, deed: Deed, asker: Asker, now: Instant) -> Result<(), Refusal> {
        self.check(deed, asker, false, now)
    }

    /// What was drawn before has come to nothing, and does not count.
    pub(super) fn give_back(&self, deed: Deed, asker: Asker) {
        if let (Some(who), Some(limiter)) = (asker.identity, self.identities.of(deed)) {
            limiter.give_back(&who);
        }
        if let Some(limiter) = self.addresses.of(deed) {
            limiter.give_back(&asker.source);
        }
    }

    fn check(&self, deed: Deed, asker: Asker, draws: bool, now: Instant) -> Result<(), Refusal> {
        self.clock.set(now);
        // Identities cost nothing, so for guesses only those count that hold a name; and their
        // guesses count apart from those of others at the address, who only look up.
        let (by_identity, by_address) = match deed {
            Deed::Guess => (asker.member, !asker.member),
            _ => (true, true),
        };
        let (identity, source) = (asker.identity.filter(|_| by_identity), asker.source);
        let mut checked = match (deed, identity) {
            (Deed::Greeting, Some(who)) => self.greetings.check((who, source), draws),
            _ => Ok(()),
        };
        // The identity first: one that hurries takes nothing from others at its address.
        if let (Ok(()), Some(who), Some(limiter)) = (checked, identity, self.identities.of(deed)) {
            checked = limiter.check(who, draws);
        }
        if let (Ok(()), true, Some(limiter)) = (checked, by_address, self.addresses.of(deed)) {
            checked = limiter.check(source, draws);
        }
        if checked.is_ok() && deed == Deed::Guess && asker.member {
            checked = self.members.check(source, draws);
        }
        checked.map_err(|wait| {
            if let Some(count) = deed.count() {
                self.counters.add(count);
            }
            let seconds = wait.as_millis().div_ceil(1000).max(1);
            let retry_s = u32::try_from(seconds).unwrap_or(u32::MAX);
            Refusal::TooFast { retry_s }
        })
    }

    /// Forgets whoever is as free again as somebody who never came.
    pub(super) fn tidy(&self, now: Instant) {
        self.clock.set(now);
        self.addresses.all().for_each(Limiter::tidy);
        self.identities.all().for_each(Limiter::tidy);
        self.greetings.tidy();
        self.members.tidy();
    }

    /// How many keys are kept.
    #[cfg(test)]
    fn len(&self) -> usize {
        let addresses: usize = self.addresses.all().map(|it| it.limiter.len()).sum();
        let identities: usize = self.identities.all().map(|it| it.limiter.len()).sum();
        addresses + identities + self.greetings.limiter.len() + self.members.limiter.len()
    }
}

/// What something is counted by.
trait Key: Clone + Eq + Hash {}

impl<K: Clone + Eq + Hash> Key for K {}

/// One rate, for everyone it is counted for.
#[derive(Debug)]
struct Limiter<K: Key> {
    limiter: RateLimiter<Try<K>, Keys<K>, Told, NoOpMiddleware<Nanos>>,
    known: Arc<Mutex<Known<K>>>,
    /// What doing it once takes.
    each: Duration,
}

impl<K: Key> Limiter<K> {
    fn new(rate: Rate, room: usize, clock: &Told, counters: &Arc<Counters>) -> Self {
        let times = NonZeroU32::new(rate.times).unwrap_or(NonZeroU32::MIN);
        let each = (rate.period / times.get()).max(Duration::from_nanos(1));
        let quota = Quota::with_period(each).expect("a period above zero");
        let known = Arc::default();
        let keys = Keys {
            room,
            known: Arc::clone(&known),
            counters: Arc::clone(counters),
        };
        Self {
            limiter: RateLimiter::new(quota.allow_burst(times), keys, clock.clone()),
            known,
            each,
        }
    }

    /// Does it, or only tries to; else says how long to wait.
    fn check(&self, who: K, draws: bool) -> Result<(), Duration> {
        let checked = self.limiter.check_key(&Try { who, draws });
        checked.map_err(|not_until| not_until.wait_time_from(self.limiter.clock().now()))
    }

    /// Takes back what was drawn once.
    fn give_back(&self, who: &K) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let Known { each, others } = &mut *known;
        if let Some(full_at) = each.get_mut(who).or(others.as_mut()) {
            let once = u64::try_from(self.each.as_nanos()).unwrap_or(u64::MAX);
            *full_at = Nanos::new(full_at.as_u64().saturating_sub(once));
        }
    }

    fn tidy(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }
}

/// Somebody who does something, or who only wants to know whether they may.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Try<K> {
    who: K,
    draws: bool,
}

/// When each will have everything back that was drawn. Beyond [`Keys::room`], newcomers count as
/// one: a flood of new keys takes no memory, and slows none but other newcomers.
#[derive(Debug)]
struct Keys<K> {
    room: usize,
    known: Arc<Mutex<Known<K>>>,
    counters: Arc<Counters>,
}

#[derive(Debug)]
struct Known<K> {
    each: HashMap<K, Nanos>,
    others: Option<Nanos>,
}

impl<K> Default for Known<K> {
    fn default() -> Self {
        let (each, others) = (HashMap::new(), None);
        Self { each, others }
    }
}

impl<K> Keys<K> {
    /// The lock is held for one operation of the map.
    fn known(&self) -> MutexGuard<'_, Known<K>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Key> StateStore for Keys<K> {
    type Key = Try<K>;

    fn measure_and_replace<T, F, E>(&self, key: &Try<K>, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut known = self.known();
        let theirs = known.each.get(&key.who).copied();
        let apart = theirs.is_some() || known.each.len() < self.room;
        let (outcome, next) = decide(if apart { theirs } else { known.others })?;
        if key.draws && apart {
            known.each.insert(key.who.clone(), next);
        } else if key.draws {
            known.others = Some(next);
            self.counters.add(Count::CountedTogether);
        }
        Ok(outcome)
    }
}

impl<K: Key> ShrinkableKeyedStateStore<Try<K>> for Keys<K> {
    fn retain_recent(&self, drop_below: Nanos) {
        self.known().each.retain(|_, full_at| *full_at > drop_below);
    }

    fn shrink_to_fit(&self) {
        let mut known = self.known();
        // Not below what a calm registry uses again at once.
        if known.each.capacity() > 1024 + 4 * known.each.len() {
            known.each.shrink_to_fit();
        }
    }

    fn len(&self) -> usize {
        self.known().each.len()
    }

    fn is_empty(&self) -> bool {
        self.known().each.is_empty()
    }
}

/// A clock that is told the time.
#[derive(Debug, Clone)]
struct Told {
    start: Instant,
    nanos: Arc<AtomicU64>,
}

impl Told {
    fn new(start: Instant) -> Self {
        let nanos = Arc::default();
        Self { start, nanos }
    }

    /// It is `now`, unless it is later already.
    fn set(&self, now: Instant) {
        let nanos = now.saturating_duration_since(self.start).as_nanos();
        // Enough for 584 years.
        let nanos = u64::try_from(nanos).unwrap_or(u64::MAX);
        self.nanos.fetch_max(nanos, Relaxed);
    }
}

impl Clock for Told {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::new(self.nanos.load(Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn rates(rates: limits::Rates) -> (Rates, Instant) {
        let now = Instant::now();
        (Rates::new(rates, Arc::default(), now), now)
    }

    fn asker(address: u16, identity: u8, member: bool) -> Asker {
        let [high, low] = address.to_be_bytes();
        Asker {
            source: Source::from(IpAddr::from([10, 0, high, low])),
            identity: Some(IdentityKey([identity; 32])),
            member,
        }
    }

    fn too_fast(retry_s: u32) -> Result<(), Refusal> {
        Err(Refusal::TooFast { retry_s })
    }

    fn times(rates: &Rates, deed: Deed, asker: Asker, now: Instant) -> usize {
        (0..)
            .take_while(|_| rates.draw(deed, asker, now).is_ok())
            .count()
    }

    #[test]
    fn so_many_at_once_and_then_one_by_one_with_the_time_to_wait() {
        let (rates, now) = rates(limits::Rates::default());
        let alice = asker(1, 1, false);
        assert_eq!(times(&rates, Deed::Guess, alice, now), 500);
        assert_eq!(rates.draw(Deed::Guess, alice, now), too_fast(8));
        let later = now + Duration::from_millis(7_200);
        assert_eq!(rates.allows(Deed::Guess, alice, later), Ok(()));
        assert_eq!(rates.draw(Deed::Guess, alice, later), Ok(()));
        assert_eq!(rates.allows(Deed::Guess, alice, later), too_fast(8));
        // Another thing is another matter.
        assert_eq!(rates.draw(Deed::Claim, alice, later), Ok(()));
        assert_eq!(rates.counters.get(Count::GuessesTooFast), 3);
        let much_later = later + Duration::from_secs(3600);
        assert_eq!(times(&rates, Deed::Guess, alice, much_later), 500);
    }

    #[test]
    fn a_guesser_does_not_take_from_phones_at_the_same_address() {
        let (rates, now) = rates(limits::Rates::default());
        let guesser = asker(1, 1, false);
        assert_eq!(times(&rates, Deed::Guess, guesser, now), 500);
        // A new identity is no way around it, a name is one once.
        assert_eq!(
            rates.draw(Deed::Guess, asker(1, 2, false), now),
            too_fast(8)
        );
        assert_eq!(rates.draw(Deed::Guess, asker(1, 3, true), now), Ok(()));
        assert_eq!(times(&rates, Deed::Guess, asker(1, 1, true), now), 200);
        assert_eq!(
            rates.draw(Deed::Guess, asker(2, 1, true), now),
            too_fast(18)
        );
        assert_eq!(rates.draw(Deed::Guess, asker(2, 4, false), now), Ok(()));
    }

    #[test]
    fn members_at_one_address_guess_2000_names_together_however_many_they_are() {
        let (rates, now) = rates(limits::Rates::default());
        let guessed = |address| -> usize {
            let members = (0..100).map(|identity| asker(address, identity, true));
            members.map(|it| times(&rates, Deed::Guess, it, now)).sum()
        };
        assert_eq!(guessed(1), 2000);
        // Who holds no name there, and who holds one elsewhere, still may.
        assert_eq!(rates.draw(Deed::Guess, asker(1, 200, false), now), Ok(()));
        assert_eq!(rates.draw(Deed::Guess, asker(2, 200, true), now), Ok(()));
        assert_eq!(
            rates.draw(Deed::Guess, asker(1, 200, true), now),
            too_fast(2)
        );
    }

    #[test]
    fn an_identity_that_hurries_takes_nothing_from_its_address() {
        let (rates, now) = rates(limits::Rates {
            claims_per_identity: Rate::a_day(2),
            claims_per_address: Rate::a_day(4),
            ..limits::Rates::default()
        });
        assert_eq!(times(&rates, Deed::Claim, asker(1, 1, true), now), 2);
        assert_eq!(
            rates.draw(Deed::Claim, asker(1, 1, true), now),
            too_fast(43_200)
        );
        assert_eq!(times(&rates, Deed::Claim, asker(1, 2, true), now), 2);
        assert_eq!(
            rates.draw(Deed::Claim, asker(1, 3, true), now),
            too_fast(21_600)
        );
        assert_eq!(rates.draw(Deed::Claim, asker(2, 3, true), now), Ok(()));
    }

    #[test]
    fn an_office_sets_up_a_hundred_phones_in_a_morning() {
        let (rates, now) = rates(limits::Rates::default());
        for phone in 0..100 {
            let asker = asker(1, phone, false);
            assert_eq!(rates.draw(Deed::Greeting, asker, now), Ok(()));
            assert_eq!(rates.draw(Deed::Claim, asker, now), Ok(()));
        }
        assert_eq!(
            rates.draw(Deed::Claim, asker(1, 100, false), now),
            too_fast(864)
        );
    }

    #[test]
    fn whoever_shows_anothers_card_uses_up_no_greeting_of_theirs() {
        let (rates, now) = rates(limits::Rates::default());
        let thief = asker(1, 1, false);
        assert_eq!(times(&rates, Deed::Greeting, thief, now), 240);
        assert_eq!(rates.draw(Deed::Greeting, thief, now), too_fast(1));
        assert_eq!(rates.draw(Deed::Greeting, asker(2, 1, false), now), Ok(()));
        assert_eq!(rates.draw(Deed::Greeting, asker(1, 2, false), now), Ok(()));
    }

    #[test]
    fn what_is_given_back_may_be_done_again_and_no_more_than_that() {
        let (rates, now) = rates(limits::Rates::default());
        let alice = asker(1, 1, false);
        assert_eq!(times(&rates, Deed::Claim, alice, now), 10);
        rates.give_back(Deed::Claim, alice);
        assert_eq!(times(&rates, Deed::Claim, alice, now), 1);
        let others = (2..100).map(|identity| asker(1, identity, false));
        let left: usize = others.map(|it| times(&rates, Deed::Claim, it, now)).sum();
        assert_eq!(left, 90);
        // Whoever has drawn nothing gets nothing.
        rates.give_back(Deed::Claim, asker(2, 200, false));
        assert_eq!(times(&rates, Deed::Claim, asker(2, 200, false), now), 10);
    }

    #[test]
    fn recovery_codes_are_guessed_five_times_whatever_identities_are_drawn() {
        let (rates, now) = rates(limits::Rates::default());
        for identity in 0..5 {
            let guesser = asker(1, identity, false);
            assert_eq!(rates.draw(Deed::WrongCode, guesser, now), Ok(()));
        }
        assert_eq!(
            rates.allows(Deed::WrongCode, asker(1, 9, false), now),
            too_fast(720)
        );
        assert_eq!(
            rates.allows(Deed::WrongCode, asker(2, 9, false), now),
            Ok(())
        );
    }

    #[test]
    fn a_flood_of_strangers_takes_bounded_memory_and_is_forgotten() {
        let (rates, now) = rates(limits::Rates {
            claims_per_address: Rate::an_hour(2),
            claims_per_identity: Rate::an_hour(1000),
            counted_apart: 100,
            ..limits::Rates::default()
        });
        let known = asker(0, 0, false);
        assert_eq!(rates.draw(Deed::Claim, known, now), Ok(()));
        let strangers = (1..60_000).map(|address| asker(address, 1, false));
        let let_in = strangers.filter(|it| rates.draw(Deed::Claim, *it, now).is_ok());
        assert_eq!(let_in.count(), 99 + 2);
        assert_eq!(rates.len(), 100 + 2);
        assert_eq!(rates.counters.get(Count::CountedTogether), 2);
        // Whoever was known before is counted apart still.
        assert_eq!(rates.draw(Deed::Claim, known, now), Ok(()));
        assert_eq!(rates.draw(Deed::Claim, known, now), too_fast(1800));
        rates.tidy(now + Duration::from_secs(2 * 3600));
        assert_eq!(rates.len(), 0);
    }

    #[test]
    fn asking_whether_something_may_be_done_keeps_nothing() {
        let (rates, now) = rates(limits::Rates::default());
        for address in 0..1000 {
            let asker = asker(address, 1, false);
            assert_eq!(rates.allows(Deed::Guess, asker, now), Ok(()));
        }
        assert_eq!(rates.len(), 0);
    }
}
