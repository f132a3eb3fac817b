//! Who is let in: how many connections, from one address and in all.
//!
//! PURE: addresses and time come in, decisions come out.

use std::{collections::HashMap, net::IpAddr, time::Instant};

use codec::greeting::Unwelcome;

use crate::limits::{Bucket, Limits, Source};

/// What to do with a connection that has just come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// Serve it.
    Welcome,
    /// Tell it why it is not served.
    TurnedAway(Unwelcome),
    /// Close it: too many are being told already.
    Dropped(Unwelcome),
}

/// Counts the connections that are open.
#[derive(Debug)]
pub(super) struct Gate {
    limits: Limits,
    sources: HashMap<Source, Guests>,
    welcome: usize,
    turned_away: usize,
}

#[derive(Debug)]
struct Guests {
    welcome: usize,
    turned_away: usize,
    arrivals: Bucket,
    /// What its connections have asked for, those that have ended as well.
    work: Bucket,
}

impl Gate {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            sources: HashMap::new(),
            welcome: 0,
            turned_away: 0,
        }
    }

    /// A connection has come. Unless it is dropped, [`Gate::leave`] is told when it ends.
    pub(super) fn arrive(&mut self, ip: IpAddr, now: Instant) -> Arrival {
        let Limits {
            connections,
            connections_per_address,
            arrivals_per_s,
            arrivals_burst,
            ..
        } = self.limits;
        let source = Source::from(ip);
        // A flood from many addresses fills the map only as far as it could fill the registry.
        if !self.sources.contains_key(&source) && self.sources.len() >= 2 * connections {
            self.tidy(now);
            if self.sources.len() >= 2 * connections {
                return Arrival::Dropped(Unwelcome::Full);
            }
        }
        let guests = self.sources.entry(source).or_insert(Guests {
            welcome: 0,
            turned_away: 0,
            arrivals: Bucket::full(now),
            work: Bucket::full(now),
        });
        let arrivals = &mut guests.arrivals;
        let hurried = arrivals.ready_at(arrivals_burst, arrivals_per_s, now) > now;
        if !hurried {
            arrivals.take(1, arrivals_per_s, now);
        }
        let reason = if hurried || guests.welcome >= connections_per_address {
            Unwelcome::AddressFull
        } else if self.welcome >= connections {
            Unwelcome::Full
        } else {
            guests.welcome += 1;
            self.welcome += 1;
            return Arrival::Welcome;
        };
        if self.turned_away >= self.limits.turned_away
            || guests.turned_away >= self.limits.turned_away_per_address
        {
            return Arrival::Dropped(reason);
        }
        guests.turned_away += 1;
        self.turned_away += 1;
        Arrival::TurnedAway(reason)
    }

    /// A connection has ended.
    pub(super) fn leave(&mut self, ip: IpAddr, welcome: bool, now: Instant) {
        let source = Source::from(ip);
        let Some(guests) = self.sources.get_mut(&source) else {
            return;
        };
        if welcome {
            guests.welcome -= 1;
            self.welcome -= 1;
        } else {
            guests.turned_away -= 1;
            self.turned_away -= 1;
        }
        if guests.is_forgettable(now) {
            self.sources.remove(&source);
        }
    }

    /// A connection has asked for work.
    pub(super) fn work(&mut self, source: Source, units: u32, now: Instant) {
        if let Some(guests) = self.sources.get_mut(&source) {
            let per_s = self.limits.work_per_s_per_address;
            guests.work.take(units, per_s, now);
        }
    }

    /// From when on more work of an address is wanted.
    pub(super) fn works_at(&self, source: Source, now: Instant) -> Instant {
        let Limits {
            work_burst_per_address: burst,
            work_per_s_per_address: per_s,
            ..
        } = self.limits;
        let guests = self.sources.get(&source);
        guests.map_or(now, |guests| guests.work.ready_at(burst, per_s, now))
    }

    /// How many connections are open.
    pub(super) fn len(&self) -> usize {
        self.welcome
    }

    /// Forgets addresses from which nobody is here, and nobody came lately.
    pub(super) fn tidy(&mut self, now: Instant) {
        self.sources.retain(|_, guests| !guests.is_forgettable(now));
    }
}

impl Guests {
    fn is_forgettable(&self, now: Instant) -> bool {
        self.welcome == 0
            && self.turned_away == 0
            && self.arrivals.is_full(now)
            && self.work.is_full(now)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const LIMITS: fn() -> Limits = || Limits {
        connections: 10,
        connections_per_address: 4,
        arrivals_per_s: 1,
        arrivals_burst: 20,
        turned_away: 3,
        turned_away_per_address: 2,
        ..Limits::default()
    };

    fn ip(last: u8) -> IpAddr {
        [10, 0, 0, last].into()
    }

    #[test]
    fn one_address_is_full_while_others_come_in() {
        let (mut gate, now) = (Gate::new(LIMITS()), Instant::now());
        let full = Unwelcome::AddressFull;
        for _ in 0..4 {
            assert_eq!(gate.arrive(ip(1), now), Arrival::Welcome);
        }
        assert_eq!(gate.arrive(ip(1), now), Arrival::TurnedAway(full));
        assert_eq!(gate.arrive(ip(1), now), Arrival::TurnedAway(full));
        assert_eq!(gate.arrive(ip(1), now), Arrival::Dropped(full));
        assert_eq!(gate.arrive(ip(2), now), Arrival::Welcome);
        gate.leave(ip(1), true, now);
        assert_eq!(gate.arrive(ip(1), now), Arrival::Welcome);
        gate.leave(ip(1), false, now);
        assert_eq!(gate.arrive(ip(1), now), Arrival::TurnedAway(full));
    }

    #[test]
    fn the_registry_is_full_at_its_limit_and_tells_only_some() {
        let (mut gate, now) = (Gate::new(LIMITS()), Instant::now());
        let came: Vec<Arrival> = (0..14).map(|n| gate.arrive(ip(n), now)).collect();
        assert!(came[..10].iter().all(|it| *it == Arrival::Welcome));
        let told = Arrival::TurnedAway(Unwelcome::Full);
        assert!(came[10..13].iter().all(|it| *it == told));
        assert_eq!(came[13], Arrival::Dropped(Unwelcome::Full));
    }

    #[test]
    fn who_comes_too_often_waits_and_is_forgotten_when_calm() {
        let (mut gate, now) = (Gate::new(LIMITS()), Instant::now());
        let come_and_go = |gate: &mut Gate, now| {
            let arrival = gate.arrive(ip(1), now);
            match arrival {
                Arrival::Welcome => gate.leave(ip(1), true, now),
                Arrival::TurnedAway(_) => gate.leave(ip(1), false, now),
                Arrival::Dropped(_) => {}
            }
            arrival
        };
        for _ in 0..21 {
            assert_eq!(come_and_go(&mut gate, now), Arrival::Welcome);
        }
        let hurried = Arrival::TurnedAway(Unwelcome::AddressFull);
        assert_eq!(come_and_go(&mut gate, now), hurried);
        let later = now + Duration::from_secs(1);
        assert_eq!(come_and_go(&mut gate, later), Arrival::Welcome);
        assert_eq!(gate.sources.len(), 1);
        gate.tidy(now + Duration::from_secs(60));
        assert!(gate.sources.is_empty());
    }

    #[test]
    fn who_comes_again_owes_the_work_of_the_last_time() {
        let limits = Limits {
            work_burst_per_address: 10,
            work_per_s_per_address: 5,
            ..LIMITS()
        };
        let (mut gate, now) = (Gate::new(limits), Instant::now());
        let (one, other) = (Source::from(ip(1)), Source::from(ip(2)));
        for _ in 0..2 {
            assert_eq!(gate.arrive(ip(1), now), Arrival::Welcome);
            gate.work(one, 10, now);
            gate.leave(ip(1), true, now);
            gate.tidy(now);
        }
        let due = now + Duration::from_secs(2);
        assert_eq!(gate.works_at(one, now), due);
        assert_eq!(gate.works_at(one, due), due);
        assert_eq!(gate.works_at(other, now), now);
        gate.tidy(now + Duration::from_secs(4));
        assert!(gate.sources.is_empty());
    }

    #[test]
    fn addresses_that_only_pass_by_fill_no_memory() {
        let (mut gate, now) = (Gate::new(LIMITS()), Instant::now());
        for last in 0..=255 {
            if gate.arrive(ip(last), now) == Arrival::Welcome {
                gate.leave(ip(last), true, now);
            }
        }
        assert_eq!(gate.sources.len(), 20);
        assert_eq!(gate.arrive(ip(99), now), Arrival::Dropped(Unwelcome::Full));
        let later = now + Duration::from_secs(1);
        assert_eq!(gate.arrive(ip(99), later), Arrival::Welcome);
    }
}
