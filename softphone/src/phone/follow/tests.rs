//! A directory as honest and hostile registries tell it, with the clock in hand.

use codec::registry::Presence;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

use super::*;

const HERE: IdentityKey = IdentityKey([90; 32]);
const THERE: IdentityKey = IdentityKey([91; 32]);

struct Rig {
    follower: Follower,
    rng: ChaCha20Rng,
    now: Instant,
    /// What was asked last and not answered.
    asked: Option<(u32, Method)>,
    /// How much was asked in all.
    count: usize,
}

fn entry(name: &str) -> registry::Entry {
    registry::Entry {
        name: name.parse().unwrap(),
        presence: Presence::Available,
        devices: List::default(),
    }
}

fn changed(name: &str, presence: Presence) -> Notice {
    Notice::Changed(registry::Entry {
        presence,
        ..entry(name)
    })
}

fn gone(name: &str) -> Notice {
    Notice::Gone(name.parse().unwrap())
}

fn page(names: &[&str], more: bool) -> Result<Success, Refusal> {
    let entries = List::first_of(names.iter().map(|name| entry(name)));
    Ok(Success::Page(Page { entries, more }))
}

impl Rig {
    /// Somebody who is registered and wants the directory.
    fn new() -> Self {
        let mut rig = Self {
            follower: Follower::default(),
            rng: ChaCha20Rng::seed_from_u64(1),
            now: Instant::now(),
            asked: None,
            count: 0,
        };
        rig.register(HERE);
        assert_eq!(rig.asked, None);
        rig.want(true);
        rig
    }

    fn take(&mut self, method: Option<Method>) {
        if let Some(method) = method {
            self.count += 1;
            self.asked = Some((self.follower.round(), method));
        }
    }

    fn register(&mut self, registry: IdentityKey) {
        let method = self.follower.registered(registry, self.now);
        self.take(method);
    }

    fn want(&mut self, wanted: bool) {
        let method = self.follower.want(wanted, Some(HERE), self.now);
        self.take(method);
    }

    /// The next time-out; returns how long it took.
    fn wake(&mut self) -> Duration {
        let at = self.follower.poll_timeout().unwrap();
        let waited = at.saturating_duration_since(self.now);
        self.now += waited;
        let method = self.follower.timeout(self.now);
        self.take(method);
        waited
    }

    fn answer(&mut self, result: Result<Success, Refusal>) {
        let (round, _) = self.asked.take().expect("something was asked");
        let rng = &mut self.rng;
        let method = self.follower.answered(round, result, rng, self.now);
        self.take(method);
    }

    fn notice(&mut self, notice: &Notice) {
        self.follower.notice(notice, self.now);
    }

    fn is_watching(&self) -> bool {
        matches!(&self.asked, Some((_, Method::Watch(Watched::Everybody))))
    }

    /// After which name it asked for a page.
    fn after(&self) -> Option<String> {
        match &self.asked {
            Some((_, Method::List { after, limit, .. })) => {
                assert_eq!(usize::from(*limit), PAGE_MAX);
                Some(after.as_ref().map_or(String::new(), Name::to_string))
            }
            _ => None,
        }
    }

    fn begin(&mut self) {
        assert!(self.is_watching());
        self.answer(Ok(Success::Watching));
        assert_eq!(self.after().as_deref(), Some(""));
    }

    fn names(&self) -> Vec<String> {
        let roster = self.follower.roster();
        roster
            .entries
            .iter()
            .map(|entry| entry.name.to_string())
            .collect()
    }

    /// Everybody of one page.
    fn followed(names: &[&str]) -> Self {
        let mut rig = Self::new();
        rig.begin();
        rig.answer(page(names, false));
        rig
    }
}

#[test]
fn it_watches_first_and_then_reads_page_after_page() {
    let mut rig = Rig::new();
    rig.begin();
    rig.answer(page(&["ana", "bob"], true));
    assert!(!rig.follower.roster().complete);
    assert_eq!(rig.asked, None);
    assert_eq!(rig.wake(), PAGE_EVERY);
    assert_eq!(rig.after().as_deref(), Some("bob"));
    rig.answer(page(&["carol"], false));
    let roster = rig.follower.roster();
    assert!(roster.complete && !roster.old && !roster.more);
    assert_eq!(roster.registry, Some(HERE));
    assert_eq!(rig.names(), ["ana", "bob", "carol"]);
    assert_eq!(rig.follower.poll_timeout(), None);
}

#[test]
fn what_changes_while_it_reads_is_neither_lost_nor_brought_back() {
    let mut rig = Rig::new();
    rig.begin();
    rig.notice(&changed("zoe", Presence::Busy));
    rig.answer(page(&["ana", "bob"], true));
    // Behind the page that was read already, and before one that is still to come.
    rig.notice(&gone("ana"));
    rig.notice(&changed("aaron", Presence::Away));
    rig.notice(&gone("dave"));
    rig.wake();
    rig.answer(page(&["carol", "dave", "zoe"], false));
    assert_eq!(rig.names(), ["aaron", "bob", "carol", "dave", "zoe"]);
    let roster = rig.follower.roster();
    assert_eq!(
        roster.get(&"aaron".parse().unwrap()).unwrap().presence,
        Presence::Away
    );
    // The page is newer than the notice.
    assert_eq!(
        roster.get(&"zoe".parse().unwrap()).unwrap().presence,
        Presence::Available
    );
}

#[test]
fn changes_are_taken_as_they_come() {
    let mut rig = Rig::followed(&["ana", "bob"]);
    let edition = rig.follower.edition();
    rig.notice(&changed("bob", Presence::Available));
    rig.notice(&gone("nobody"));
    assert_eq!(rig.follower.edition(), edition, "nothing is new");
    rig.notice(&changed("BOB", Presence::Available));
    assert_eq!(rig.names(), ["ana", "BOB"], "it is written otherwise now");
    rig.notice(&changed("bob", Presence::Busy));
    rig.notice(&gone("ana"));
    rig.notice(&changed("carol", Presence::Available));
    assert_eq!(rig.names(), ["bob", "carol"]);
    assert!(rig.follower.edition() > edition);
    assert!(rig.follower.roster().complete);
}

#[test]
fn a_registry_that_is_lost_leaves_it_as_it_was_until_it_is_read_again() {
    let mut rig = Rig::followed(&["ana", "bob"]);
    rig.follower.lost();
    assert!(rig.follower.roster().old);
    assert_eq!(rig.names(), ["ana", "bob"]);
    rig.notice(&changed("eve", Presence::Available));
    assert_eq!(rig.names(), ["ana", "bob"]);
    assert_eq!(rig.follower.poll_timeout(), None);
    rig.register(HERE);
    rig.begin();
    rig.answer(page(&["bob", "carol"], true));
    // Who may still come stays.
    assert_eq!(rig.names(), ["ana", "bob", "carol"]);
    assert!(rig.follower.roster().old);
    rig.wake();
    rig.answer(page(&["dave"], false));
    assert_eq!(rig.names(), ["bob", "carol", "dave"]);
    assert!(!rig.follower.roster().old);
    // Another registry has other people.
    rig.follower.lost();
    rig.register(THERE);
    assert_eq!(rig.names(), [""; 0]);
    assert_eq!(rig.follower.roster().registry, Some(THERE));
}

#[test]
fn who_wants_it_no_longer_is_told_nothing_more_and_may_want_it_again() {
    let mut rig = Rig::followed(&["ana"]);
    rig.want(false);
    let nobody = Method::Watch(Watched::Names(List::default()));
    assert_eq!(rig.asked.take().map(|(_, method)| method), Some(nobody));
    rig.notice(&changed("eve", Presence::Available));
    assert_eq!(rig.names(), ["ana"]);
    assert!(rig.follower.roster().old);
    rig.register(HERE);
    assert_eq!(rig.asked, None);
    rig.want(true);
    rig.begin();
    rig.answer(page(&["bob"], false));
    assert_eq!(rig.names(), ["bob"]);
    rig.want(true);
    assert_eq!(rig.asked, None, "it is wanted already");
}

#[test]
fn an_answer_to_what_was_asked_before_the_last_loss_counts_for_nothing() {
    let mut rig = Rig::new();
    let (round, _) = rig.asked.take().unwrap();
    rig.follower.lost();
    rig.register(HERE);
    let rng = &mut rig.rng;
    let method = rig
        .follower
        .answered(round, Ok(Success::Watching), rng, rig.now);
    assert_eq!(method, None);
    rig.begin();
}

#[test]
fn a_closed_directory_is_said_and_not_asked_for_again_before_the_next_registration() {
    let mut rig = Rig::followed(&["ana"]);
    rig.notice(&Notice::Missed);
    rig.wake();
    rig.answer(Err(Refusal::Closed));
    let roster = rig.follower.roster();
    assert_eq!(roster.refused, Some(Refusal::Closed));
    assert!(roster.entries.is_empty() && !roster.complete);
    assert_eq!(rig.follower.poll_timeout(), None);
    rig.follower.lost();
    rig.register(HERE);
    rig.begin();
    rig.answer(page(&["ana"], false));
    assert_eq!(rig.follower.roster().refused, None);
}

#[test]
fn where_too_many_watch_the_pages_are_read_again_and_again() {
    let mut rig = Rig::new();
    for _ in 0..3 {
        assert!(rig.is_watching());
        rig.answer(Err(Refusal::TooMany));
        assert_eq!(rig.after().as_deref(), Some(""));
        // What was not asked for does not count.
        rig.notice(&changed("eve", Presence::Available));
        rig.answer(page(&["ana"], false));
        assert_eq!(rig.names(), ["ana"]);
        assert!(rig.follower.roster().complete);
        let waited = rig.wake();
        assert!(waited >= POLL && waited <= POLL * 2, "{waited:?}");
    }
    rig.begin();
    rig.answer(page(&["bob"], false));
    assert_eq!(rig.follower.poll_timeout(), None);
}

#[test]
fn a_large_directory_is_read_again_more_rarely() {
    let mut rig = Rig::new();
    rig.answer(Err(Refusal::TooMany));
    for number in 0..10 {
        let first = number * PAGE_MAX;
        let names: Vec<String> = (first..first + PAGE_MAX).map(nth).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        rig.answer(page(&names, number < 9));
        if number < 9 {
            rig.wake();
        }
    }
    let (waited, least) = (rig.wake(), POLL + POLL_PAGE * 10);
    assert!(waited >= least && waited <= least * 2, "{waited:?}");
}

#[test]
fn a_registry_that_is_too_busy_is_asked_again_when_it_says_within_bounds() {
    for (retry_s, wait) in [
        (0, AGAIN),
        (90, Duration::from_secs(90)),
        (u32::MAX, TOLD_MAX),
    ] {
        let mut rig = Rig::followed(&["ana"]);
        rig.notice(&Notice::Missed);
        rig.wake();
        rig.answer(Err(Refusal::TooFast { retry_s }));
        let roster = rig.follower.roster();
        assert!(roster.old && roster.refused.is_some());
        assert_eq!(rig.names(), ["ana"]);
        assert_eq!(rig.wake(), wait);
        rig.begin();
    }
}

#[test]
fn a_registry_that_answers_nothing_or_something_else_is_asked_again_later() {
    for answer in [
        None,
        Some(Ok(Success::Published)),
        Some(Err(Refusal::Failed)),
    ] {
        let mut rig = Rig::new();
        rig.begin();
        match answer {
            Some(answer) => rig.answer(answer),
            None => assert_eq!(rig.wake(), ANSWER_WITHIN),
        }
        assert_eq!(rig.follower.roster().refused, Some(Refusal::Failed));
        assert_eq!(rig.wake(), AGAIN);
        rig.begin();
        rig.answer(page(&["ana"], false));
        assert_eq!(rig.follower.roster().refused, None);
    }
}

#[test]
fn what_was_missed_is_read_again_and_ever_more_rarely() {
    let mut rig = Rig::followed(&["ana"]);
    let mut waited = Vec::new();
    for _ in 0..8 {
        rig.notice(&Notice::Missed);
        rig.notice(&Notice::Missed);
        waited.push(rig.wake().as_secs());
        rig.begin();
        rig.answer(page(&["ana"], false));
    }
    assert_eq!(waited, [2, 4, 8, 16, 32, 64, 128, 128]);
    // A quiet registry is followed closely again.
    rig.now += MISSED_FORGOTTEN;
    rig.notice(&Notice::Missed);
    assert_eq!(rig.wake(), MISSED_PAUSE);
    rig.begin();
    // What is read while more is missed is read once more.
    rig.notice(&Notice::Missed);
    rig.answer(page(&["bob"], false));
    assert_eq!(rig.wake(), MISSED_PAUSE * 2);
    assert!(rig.is_watching());
}

#[test]
fn pages_that_lead_nowhere_are_not_followed() {
    for (second, more) in [
        (vec!["ana", "bob"], true),
        (vec!["bob"], true),
        (vec!["dave", "carol"], true),
        (vec!["carol", "CAROL"], false),
    ] {
        let mut rig = Rig::new();
        rig.begin();
        rig.answer(page(&["ana", "bob"], true));
        rig.wake();
        rig.answer(page(&second, more));
        assert_eq!(rig.asked, None);
        assert_eq!(
            rig.follower.roster().refused,
            Some(Refusal::Failed),
            "{second:?}"
        );
        assert_eq!(rig.wake(), AGAIN);
    }
    // An empty page is the last one, whatever it says.
    let mut rig = Rig::new();
    rig.begin();
    rig.answer(page(&[], true));
    assert!(rig.follower.roster().complete);
    assert_eq!(rig.follower.poll_timeout(), None);
}

/// The name with this number, in the order of the directory.
fn nth(number: usize) -> String {
    format!("n{number:06}")
}

#[test]
fn a_directory_without_an_end_is_read_to_ten_thousand_names() {
    let mut rig = Rig::new();
    for _ in 0..2 {
        rig.begin();
        let mut number = 0;
        while rig.asked.is_some() {
            let names: Vec<String> = (number..number + PAGE_MAX).map(nth).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            rig.answer(page(&names, true));
            number += PAGE_MAX;
            if rig.follower.poll_timeout().is_some() {
                rig.wake();
            }
        }
        let roster = rig.follower.roster();
        assert_eq!(roster.entries.len(), ROSTER_MAX);
        assert!(roster.more && !roster.complete && !roster.old);
        assert!(number < ROSTER_MAX + 2 * PAGE_MAX);
        // Nor does it grow by what it is told.
        for number in 0..3_000 {
            rig.notice(&changed(&format!("m{number}"), Presence::Busy));
        }
        assert_eq!(rig.follower.roster().entries.len(), ROSTER_MAX);
        // Where somebody has gone there is room.
        rig.notice(&gone(&nth(5)));
        rig.notice(&changed("zoe", Presence::Busy));
        assert!(rig.follower.roster().get(&"zoe".parse().unwrap()).is_some());
        rig.follower.lost();
        rig.register(HERE);
    }
}

/// A registry that says anything at any time.
#[test]
fn whatever_a_registry_says_it_is_asked_little_and_what_is_kept_is_bounded() {
    for seed in 0..200 {
        let mut rig = Rig::new();
        let mut random = ChaCha20Rng::seed_from_u64(seed);
        let mut below = |limit: u32| random.next_u32() % limit;
        for _ in 0..2_000 {
            let number = usize::try_from(below(50_000)).unwrap();
            match below(16) {
                0 => rig.notice(&Notice::Missed),
                1 => rig.notice(&gone(&nth(number))),
                2..8 => rig.notice(&changed(&nth(number), Presence::Busy)),
                8 => {
                    rig.follower.lost();
                    rig.asked = None;
                    rig.register([HERE, THERE][usize::try_from(below(2)).unwrap()]);
                }
                9 => {
                    // An answer that nobody asked for.
                    let (round, now) = (rig.follower.round(), rig.now);
                    let rng = &mut rig.rng;
                    let method = rig.follower.answered(round, page(&["x"], true), rng, now);
                    rig.take(method);
                }
                _ if rig.asked.is_some() => {
                    let names: Vec<String> = (0..PAGE_MAX).map(|at| nth(number + at)).collect();
                    let names: Vec<&str> = names.iter().map(String::as_str).collect();
                    let answer = match below(8) {
                        0 => Err(Refusal::TooFast { retry_s: below(10) }),
                        1 => Err(Refusal::TooMany),
                        2 => Ok(Success::Published),
                        3..5 => Ok(Success::Watching),
                        _ => page(&names, below(4) > 0),
                    };
                    rig.answer(answer);
                }
                _ if rig.follower.poll_timeout().is_some() => drop(rig.wake()),
                _ => {}
            }
            assert!(
                rig.follower.rows.len() <= ROSTER_MAX && rig.follower.fresh.len() <= ROSTER_MAX
            );
            let roster = rig.follower.roster();
            assert!(
                roster
                    .entries
                    .is_sorted_by(|one, other| one.name < other.name)
            );
        }
    }
}

#[test]
fn a_registry_that_answers_at_once_is_asked_no_faster_than_the_pages_turn() {
    let mut rig = Rig::new();
    let (start, mut number) = (rig.now, 0);
    // It misses something all the time, and every page is as short as it can be.
    while rig.now < start + Duration::from_secs(600) {
        rig.notice(&Notice::Missed);
        match &rig.asked {
            Some((_, Method::Watch(_))) => {
                number = 0;
                rig.answer(Ok(Success::Watching));
            }
            Some(_) => {
                number += 1;
                rig.answer(page(&[&nth(number)], number % 500 != 0));
            }
            None => drop(rig.wake()),
        }
    }
    let most = Duration::from_secs(600).as_millis() / PAGE_EVERY.as_millis();
    assert!(u128::try_from(rig.count).unwrap() <= most, "{}", rig.count);
}
