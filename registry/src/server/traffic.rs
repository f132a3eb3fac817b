//! How many requests of each kind were answered, in all and lately.
//!
//! PURE: time comes in as an argument.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use crate::session::Ask;

/// How far back "lately" goes, at least.
const LATELY: Duration = Duration::from_secs(60);

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

fn kind(ask: &Ask) -> usize {
    match ask {
        Ask::Greet(_) => 0,
        Ask::Register(_) => 1,
        Ask::Refresh(..) => 2,
        Ask::Unregister(_) => 3,
        Ask::Lookup(_) => 4,
        Ask::List { .. } => 5,
        Ask::Forward(_) => 6,
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

/// Counts requests.
#[derive(Debug)]
pub(super) struct Traffic {
    counts: [AtomicU64; KINDS.len()],
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
        Self {
            counts: counts.map(AtomicU64::new),
            marks: Mutex::new(VecDeque::from([Mark { at: now, counts }])),
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

    fn now(&self) -> [u64; KINDS.len()] {
        std::array::from_fn(|kind| self.counts[kind].load(Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
