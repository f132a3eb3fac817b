//! How many requests of each kind were answered, in all and lately.
//!
//! PURE: time comes in as an argument.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use codec::UnixMillis;

use crate::{session::Ask, store::Moment};

/// How far back "lately" goes, at least.
const LATELY: Duration = Duration::from_secs(60);

/// How often a [`Pulse`] is taken.
pub(super) const PULSE_EVERY: Duration = Duration::from_secs(1);

/// So many of them are kept: those of the last 10 minutes.
pub const PULSES_MAX: usize = 600;

/// The words for the kinds of requests, in the order in which they are counted.
const KINDS: [&str; 12] = [
    "greet",
    "register",
    "refresh",
    "unregister",
    "lookup",
    "list",
    "send",
    "publish",
    "watch",
    "release",
    "change_key",
    "recover",
];

const REGISTER: usize = 1;
const REFRESH: usize = 2;
const LOOKUP: usize = 4;
const SEND: usize = 6;

fn kind(ask: &Ask) -> usize {
    match ask {
        Ask::Greet(_) => 0,
        Ask::Register(_) => REGISTER,
        Ask::Refresh(..) => REFRESH,
        Ask::Unregister(_) => 3,
        Ask::Lookup(_) => LOOKUP,
        Ask::List { .. } => 5,
        Ask::Forward(_) => SEND,
        Ask::Publish { .. } => 7,
        Ask::Watch(_) => 8,
        Ask::Release(..) => 9,
        Ask::ChangeKey(_) => 10,
        Ask::Recover(_) => 11,
    }
}

/// Requests of one kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Requests {
    /// The word for the kind.
    pub kind: &'static str,
    /// Since the registry started, those that were refused among them.
    pub all: u64,
    /// A second, over about the last minute.
    pub per_s: f64,
}

/// What a registry did in about a second, as a point of a plot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pulse {
    /// Counts up by one from 1.
    pub number: u64,
    /// When it was taken.
    pub at: UnixMillis,
    /// Registrations a second.
    pub registrations: f64,
    /// Renewals of leases a second.
    pub refreshes: f64,
    /// Lookups a second.
    pub lookups: f64,
    /// Envelopes a second, which carry the signals of calls.
    pub envelopes: f64,
    /// All requests a second, of these and of other kinds.
    pub requests: f64,
    /// Names that are registered.
    pub registered: usize,
    /// Open connections.
    pub connections: usize,
}

/// The pulses so far, and what the next one is told apart from.
#[derive(Debug)]
struct Pulses {
    last: Mark,
    taken: u64,
    kept: VecDeque<Pulse>,
}

/// Counts requests.
#[derive(Debug)]
pub(super) struct Traffic {
    counts: [AtomicU64; KINDS.len()],
    pulses: Mutex<Pulses>,
    /// The counts at times within the last minute, the oldest first; never empty.
    marks: Mutex<VecDeque<Mark>>,
}

#[derive(Debug, Clone, Copy)]
struct Mark {
    at: Instant,
    counts: [u64; KINDS.len()],
}

impl Traffic {
    pub(super) fn new(now: Instant) -> Self {
        let counts = [0; KINDS.len()];
        let first = Mark { at: now, counts };
        Self {
            counts: counts.map(AtomicU64::new),
            pulses: Mutex::new(Pulses {
                last: first,
                taken: 0,
                kept: VecDeque::new(),
            }),
            marks: Mutex::new(VecDeque::from([first])),
        }
    }

    /// Something was asked.
    pub(super) fn add(&self, ask: &Ask) {
        self.counts[kind(ask)].fetch_add(1, Relaxed);
    }

    /// Remembers how many there are now. To be called several times a minute.
    pub(super) fn mark(&self, now: Instant) {
        let counts = self.now();
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        marks.push_back(Mark { at: now, counts });
        while marks.get(1).is_some_and(|next| next.at + LATELY <= now) {
            marks.pop_front();
        }
    }

    /// All kinds.
    pub(super) fn requests(&self, now: Instant) -> Vec<Requests> {
        let marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *marks.front().expect("there is always a mark");
        drop(marks);
        let since = now.saturating_duration_since(before.at).as_secs_f64();
        let counts = KINDS.into_iter().zip(self.now()).zip(before.counts);
        let requests = counts.map(|((kind, all), before)| {
            let lately = u32::try_from(all.saturating_sub(before)).unwrap_or(u32::MAX);
            let per_s = f64::from(lately) / since.max(1.0);
            Requests { kind, all, per_s }
        });
        requests.collect()
    }

    /// Takes a pulse. To be called every [`PULSE_EVERY`].
    pub(super) fn pulse(&self, registered: usize, connections: usize, at: Moment) {
        let now = Mark {
            at: at.now,
            counts: self.now(),
        };
        let mut pulses = self.pulses();
        let since = now.at.saturating_duration_since(pulses.last.at);
        let per_s = |kinds: &[usize]| {
            let before = pulses.last.counts;
            let more = |&kind: &usize| now.counts[kind].saturating_sub(before[kind]);
            let more: u64 = kinds.iter().map(more).sum();
            let more = f64::from(u32::try_from(more).unwrap_or(u32::MAX));
            // Two that come together, after a machine has slept, are not a division by nothing.
            more / since.max(PULSE_EVERY / 10).as_secs_f64()
        };
        let pulse = Pulse {
            number: pulses.taken + 1,
            at: at.time,
            registrations: per_s(&[REGISTER]),
            refreshes: per_s(&[REFRESH]),
            lookups: per_s(&[LOOKUP]),
            envelopes: per_s(&[SEND]),
            requests: per_s(&std::array::from_fn::<_, { KINDS.len() }, _>(|kind| kind)),
            registered,
            connections,
        };
        (pulses.last, pulses.taken) = (now, pulse.number);
        if pulses.kept.len() >= PULSES_MAX {
            pulses.kept.pop_front();
        }
        pulses.kept.push_back(pulse);
    }

    /// The pulses that are kept and come after the one with this number, the oldest first.
    pub(super) fn pulses_after(&self, number: u64) -> Vec<Pulse> {
        let pulses = self.pulses();
        let later = pulses.kept.iter().filter(|pulse| pulse.number > number);
        later.copied().collect()
    }

    /// The lock is held for one operation, never across an await.
    fn pulses(&self) -> MutexGuard<'_, Pulses> {
        self.pulses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> [u64; KINDS.len()] {
        std::array::from_fn(|kind| self.counts[kind].load(Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pulses_say_what_was_done_since_the_last_one_and_the_oldest_are_forgotten() {
        let start = Moment::now();
        let traffic = Traffic::new(start.now);
        let lookup = Ask::Lookup("bob".parse().unwrap());
        let after = |seconds: u64| Moment {
            now: start.now + Duration::from_secs(seconds),
            time: start.time + 1000 * seconds,
        };
        (0..6).for_each(|_| traffic.add(&lookup));
        traffic.pulse(3, 4, after(2));
        traffic.pulse(3, 5, after(3));
        let pulses = traffic.pulses_after(0);
        let [first, second] = pulses[..] else {
            panic!("{pulses:?}")
        };
        assert_eq!((first.lookups, first.requests), (3.0, 3.0));
        assert_eq!((first.registered, first.connections), (3, 4));
        assert_eq!((first.number, first.at), (1, start.time + 2000));
        assert_eq!((second.lookups, second.connections), (0.0, 5));
        (0..PULSES_MAX as u64).for_each(|more| traffic.pulse(0, 0, after(4 + more)));
        let kept = traffic.pulses_after(0);
        assert_eq!(kept.len(), PULSES_MAX);
        assert_eq!(kept.first().map(|pulse| pulse.number), Some(3));
        assert_eq!(traffic.pulses_after(601).len(), 1);
    }

    #[test]
    fn requests_are_counted_in_all_and_over_the_last_minute() {
        let start = Instant::now();
        let traffic = Traffic::new(start);
        let lookup = Ask::Lookup("bob".parse().unwrap());
        let at = |seconds| start + Duration::from_secs(seconds);
        (0..600).for_each(|_| traffic.add(&lookup));
        let lookups = |now| {
            let requests = traffic.requests(now);
            let found = requests.iter().find(|it| it.kind == "lookup").copied();
            found.map(|it| (it.all, it.per_s)).unwrap()
        };
        assert_eq!(lookups(at(10)), (600, 60.0));
        for ten in 1..=12 {
            traffic.mark(at(10 * ten));
        }
        (0..30).for_each(|_| traffic.add(&lookup));
        assert_eq!(lookups(at(120)), (630, 0.5));
        assert_eq!(traffic.marks.lock().unwrap().len(), 7);
        assert!(
            traffic
                .requests(at(120))
                .iter()
                .all(|it| { it.kind == "lookup" || (it.all, it.per_s) == (0, 0.0) })
        );
    }
}
