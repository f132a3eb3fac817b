//! The rules of ownership, one by one, with the clock in hand.

use super::*;

const NOW: UnixMillis = 1_800_000_000_000;
const DAY: u64 = 24 * 3600 * 1000;

fn key(seed: u8) -> IdentityKey {
    IdentityKey([seed; 32])
}

fn lock(seed: u8) -> RecoveryLock {
    RecoveryLock([seed; 32])
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn code(text: &str) -> InviteCode {
    InviteCode::new(text).unwrap()
}

/// A registry whose names are claimed at times of the test's choosing.
struct Registry {
    ownership: Ownership,
    claims: Claims,
}

impl Registry {
    fn new() -> Self {
        Self {
            ownership: Ownership::new(20),
            claims: Claims::Open,
        }
    }

    /// What is kept of this one, opened anew.
    fn reopened(mut self) -> Self {
        let mut ownership = Ownership::new(20);
        for write in self.ownership.take_writes() {
            ownership.restore(write);
        }
        Self { ownership, ..self }
    }

    fn claim(&mut self, text: &str, seed: u8, time: UnixMillis) -> Result<(), Refusal> {
        self.bring(text, seed, &Claim::new(lock(seed)), time)
    }

    fn bring(
        &mut self,
        text: &str,
        seed: u8,
        claim: &Claim,
        time: UnixMillis,
    ) -> Result<(), Refusal> {
        self.ownership.free_unused(|_| false, time);
        let checked = self
            .ownership
            .check_claim(&name(text), key(seed), claim, self.claims, time);
        self.ownership.grant(checked?);
        Ok(())
    }

    /// Its new lock is that of `to`.
    fn change(&mut self, text: &str, from: u8, to: u8, time: UnixMillis) -> Result<(), Refusal> {
        let change = KeyChange {
            name: name(text),
            from: key(from),
            to: key(to),
            recovery: lock(to),
        };
        self.ownership.change_key(&change, time)
    }

    /// With the code of `opens`; the next one is `to`'s plus 100.
    fn recover(&mut self, text: &str, to: u8, opens: u8, time: UnixMillis) -> Result<(), Refusal> {
        let recovery = Recovery {
            name: name(text),
            to: key(to),
            opens: lock(opens),
            recovery: lock(to + 100),
        };
        self.ownership.recover(&recovery, time)
    }

    fn release(&mut self, text: &str, seed: u8, time: UnixMillis) -> Result<(), Refusal> {
        self.ownership.release(&name(text), &key(seed), time)
    }

    fn owner(&self, text: &str) -> Option<IdentityKey> {
        let owners = self.ownership.owners(text, 1);
        owners.first().map(|owner| owner.identity)
    }
}

#[test]
fn a_name_is_not_stolen_with_another_key_also_after_a_restart() {
    let mut registry = Registry::new();
    registry.claim("Bob", 1, NOW).unwrap();
    assert_eq!(registry.claim("bob", 2, NOW), Err(Refusal::NameTaken));
    let mut registry = registry.reopened();
    assert_eq!(registry.claim("BOB", 2, NOW), Err(Refusal::NameTaken));
    assert_eq!(registry.release("bob", 2, NOW), Err(Refusal::NameTaken));
    assert_eq!(registry.change("bob", 2, 2, NOW), Err(Refusal::NameTaken));
    assert_eq!(registry.claim("bob", 1, NOW), Ok(()));
    assert_eq!(registry.owner("bob"), Some(key(1)));
}

#[test]
fn a_name_that_looks_like_another_is_not_claimed() {
    let mut registry = Registry::new();
    registry.claim("lan", 1, NOW).unwrap();
    registry.claim("modern", 1, NOW).unwrap();
    for look_alike in ["Ian", "1an", "modem"] {
        let refused = registry.claim(look_alike, 2, NOW);
        assert_eq!(refused, Err(Refusal::LooksTaken), "{look_alike}");
    }
    // Nor is it reached by writing an own name otherwise.
    registry.claim("ian", 2, NOW).unwrap();
    assert_eq!(registry.claim("Ian", 2, NOW), Err(Refusal::LooksTaken));
    let mut registry = registry.reopened();
    assert_eq!(registry.claim("Ian", 2, NOW), Err(Refusal::LooksTaken));
    // A name that is nobody's any more is like no other.
    registry.ownership.take(&name("lan")).unwrap();
    assert_eq!(registry.claim("Ian", 2, NOW), Ok(()));
}

#[test]
fn a_sixth_name_is_refused_until_one_is_given_up() {
    let mut registry = Registry::new();
    for text in ["a", "b", "c", "d", "e"] {
        registry.claim(text, 1, NOW).unwrap();
    }
    assert_eq!(registry.claim("f", 1, NOW), Err(Refusal::TooManyNames));
    registry.claim("g", 2, NOW).unwrap();
    assert_eq!(registry.change("g", 2, 1, NOW), Err(Refusal::TooManyNames));
    assert_eq!(registry.recover("g", 1, 2, NOW), Err(Refusal::TooManyNames));
    registry.release("a", 1, NOW).unwrap();
    let mut registry = registry.reopened();
    registry.claim("f", 1, NOW).unwrap();
    // The one that was given up does not come back as a sixth.
    assert_eq!(registry.claim("a", 1, NOW), Err(Refusal::TooManyNames));
    assert_eq!(registry.recover("a", 1, 1, NOW), Err(Refusal::TooManyNames));
}

#[test]
fn all_names_together_have_a_limit() {
    let mut registry = Registry::new();
    for seed in 1..=20 {
        registry.claim(&format!("n{seed}"), seed, NOW).unwrap();
    }
    assert_eq!(registry.claim("more", 21, NOW), Err(Refusal::TooMany));
    registry.claim("n3", 3, NOW).unwrap();
}

#[test]
fn a_name_that_was_given_up_is_kept_for_its_owner_for_72_hours() {
    let mut registry = Registry::new();
    registry.claim("bob", 1, NOW).unwrap();
    registry.claim("carol", 1, NOW).unwrap();
    registry.release("bob", 1, NOW).unwrap();
    registry.release("carol", 1, NOW).unwrap();
    assert_eq!(registry.release("bob", 1, NOW), Err(Refusal::NotFound));
    assert_eq!(registry.change("bob", 1, 2, NOW), Err(Refusal::NotFound));
    let last = NOW + RECOVERABLE_MS - 1;
    let mut registry = registry.reopened();
    assert_eq!(registry.claim("bob", 2, last), Err(Refusal::NameTaken));
    assert_eq!(registry.claim("b0b", 2, last), Err(Refusal::LooksTaken));
    assert_eq!(registry.claim("bob", 1, last), Ok(()));
    assert_eq!(registry.claim("carol", 2, last + 1), Ok(()));
    assert_eq!(registry.claim("bob", 2, last + 1), Err(Refusal::NameTaken));
}

#[test]
fn who_gives_a_stolen_name_up_and_takes_it_back_does_not_change_its_recovery_code() {
    let mut registry = Registry::new();
    registry.claim("bob", 1, NOW).unwrap();
    registry.release("bob", 1, NOW).unwrap();
    // The thief has the key 1, and a recovery code of their own.
    registry
        .bring("bob", 1, &Claim::new(lock(66)), NOW + DAY)
        .unwrap();
    assert_eq!(
        registry.recover("bob", 66, 66, NOW + DAY),
        Err(Refusal::BadRecovery)
    );
    assert_eq!(registry.recover("bob", 2, 1, NOW + DAY), Ok(()));
    registry.release("bob", 2, NOW + DAY).unwrap();
    // Also while it is given up.
    assert_eq!(registry.recover("bob", 3, 102, NOW + 2 * DAY), Ok(()));
    assert_eq!(registry.owner("bob"), Some(key(3)));
}

#[test]
fn a_changed_key_owns_the_name_and_the_one_before_is_told_for_72_hours() {
    let mut registry = Registry::new();
    registry.claim("bob", 1, NOW).unwrap();
    assert_eq!(registry.change("bob", 1, 2, NOW), Ok(()));
    let mut registry = registry.reopened();
    let last = NOW + RECOVERABLE_MS - 1;
    assert_eq!(registry.claim("bob", 2, NOW), Ok(()));
    assert_eq!(registry.claim("bob", 1, last), Err(Refusal::KeyChanged));
    assert_eq!(registry.change("bob", 1, 3, last), Err(Refusal::KeyChanged));
    assert_eq!(registry.claim("bob", 3, last), Err(Refusal::NameTaken));
    assert_eq!(registry.claim("bob", 1, last + 1), Err(Refusal::NameTaken));
    // Who gets it back is told nothing of the sort.
    assert_eq!(registry.change("bob", 2, 1, last), Ok(()));
    assert_eq!(registry.claim("bob", 1, last), Ok(()));
    assert_eq!(registry.claim("bob", 2, last), Err(Refusal::KeyChanged));
}

#[test]
fn a_thiefs_change_of_key_is_undone_by_the_code_within_72_hours_and_not_after() {
    for (passed, result) in [
        (0, Ok(())),
        (RECOVERABLE_MS - 1, Ok(())),
        (RECOVERABLE_MS, Err(Refusal::BadRecovery)),
    ] {
        let mut registry = Registry::new();
        registry.claim("bob", 1, NOW).unwrap();
        registry.change("bob", 1, 66, NOW).unwrap();
        let mut registry = registry.reopened();
        let at = NOW + passed;
        assert_eq!(registry.recover("bob", 2, 1, at), result);
        if result.is_ok() {
            assert_eq!(registry.owner("bob"), Some(key(2)));
            assert_eq!(registry.claim("bob", 66, at), Err(Refusal::KeyChanged));
            // Neither the thief's code nor the one that was used opens anything.
            assert_eq!(
                registry.recover("bob", 66, 66, at),
                Err(Refusal::BadRecovery)
            );
            assert_eq!(
                registry.recover("bob", 66, 1, at),
                Err(Refusal::BadRecovery)
            );
        }
    }
}

#[test]
fn two_changes_leave_every_code_of_the_last_72_hours() {
    let mut registry = Registry::new();
    registry.claim("bob", 1, NOW).unwrap();
    registry.change("bob", 1, 2, NOW).unwrap();
    registry.change("bob", 2, 3, NOW + DAY).unwrap();
    let mut registry = registry.reopened();
    let last = NOW + RECOVERABLE_MS;
    assert_eq!(
        registry.recover("bob", 4, 1, last),
        Err(Refusal::BadRecovery)
    );
    assert_eq!(registry.recover("bob", 4, 2, last), Ok(()));
}

#[test]
fn a_thief_does_not_push_the_owners_code_out_by_many_changes() {
    let mut registry = Registry::new();
    registry.claim("bob", 1, NOW).unwrap();
    for number in 0..EARLIER_LOCKS_MAX {
        let seed = 1 + u8::try_from(number).unwrap();
        registry.change("bob", seed, seed + 1, NOW + 500).unwrap();
    }
    let refused = registry.change("bob", 9, 10, NOW + 1500);
    let retry_s = u32::try_from(RECOVERABLE_MS / 1000 - 1).unwrap();
    assert_eq!(refused, Err(Refusal::TooFast { retry_s }));
    assert_eq!(registry.recover("bob", 20, 1, NOW + DAY), Ok(()));
    assert!(registry.ownership.owners("bob", 1)[0].previous.len() <= 8);
}

#[test]
fn a_thief_does_not_end_the_owners_code_by_using_one_of_their_own() {
    let mut registry = Registry::new();
    registry.claim("bob", 1, NOW).unwrap();
    registry.change("bob", 1, 66, NOW).unwrap();
    // The change brought the thief a code, and its use brings another.
    assert_eq!(registry.recover("bob", 67, 66, NOW), Ok(()));
    assert_eq!(registry.recover("bob", 68, 167, NOW + DAY), Ok(()));
    let mut registry = registry.reopened();
    assert_eq!(registry.recover("bob", 2, 1, NOW + 2 * DAY), Ok(()));
    assert_eq!(registry.owner("bob"), Some(key(2)));
    let thiefs = registry.recover("bob", 69, 168, NOW + 2 * DAY);
    assert_eq!(thiefs, Err(Refusal::BadRecovery));
}

#[test]
fn a_recovery_code_counts_once_and_at_any_time() {
    let mut registry = Registry::new();
    assert_eq!(registry.recover("bob", 1, 1, NOW), Err(Refusal::NotFound));
    registry.claim("bob", 1, NOW).unwrap();
    assert_eq!(
        registry.recover("bob", 2, 9, NOW),
        Err(Refusal::BadRecovery)
    );
    let later = NOW + 100 * DAY;
    let same = Recovery {
        name: name("bob"),
        to: key(2),
        opens: lock(1),
        recovery: lock(1),
    };
    assert_eq!(
        registry.ownership.recover(&same, later),
        Err(Refusal::OutOfRange)
    );
    assert_eq!(registry.recover("bob", 2, 1, later), Ok(()));
    assert_eq!(
        registry.recover("bob", 3, 1, later),
        Err(Refusal::BadRecovery)
    );
    assert_eq!(registry.recover("bob", 3, 102, later), Ok(()));
}

#[test]
fn a_change_of_the_recovery_code_alone_leaves_the_owner_where_they_are() {
    let mut registry = Registry::new();
    for text in ["a", "b", "c", "d", "bob"] {
        registry.claim(text, 1, NOW).unwrap();
    }
    let relock = KeyChange {
        name: name("bob"),
        from: key(1),
        to: key(1),
        recovery: lock(9),
    };
    assert_eq!(registry.ownership.change_key(&relock, NOW), Ok(()));
    let relocked = Claim::new(lock(9));
    assert_eq!(registry.bring("bob", 1, &relocked, NOW), Ok(()));
    assert_eq!(registry.recover("bob", 2, 9, NOW + 4 * DAY), Ok(()));
}

#[test]
fn a_thief_who_changes_the_code_or_the_key_back_and_forth_is_noticed_by_the_owners_phone() {
    for ways in [vec![(1, 1)], vec![(1, 66), (66, 1)]] {
        let mut registry = Registry::new();
        registry.claim("bob", 1, NOW).unwrap();
        for (from, to) in ways {
            let change = KeyChange {
                name: name("bob"),
                from: key(from),
                to: key(to),
                recovery: lock(70 + from + to),
            };
            registry.ownership.change_key(&change, NOW).unwrap();
        }
        // The owner's phone has its key and its lock as always.
        let mut registry = registry.reopened();
        let last = NOW + RECOVERABLE_MS - 1;
        assert_eq!(registry.claim("bob", 1, last), Err(Refusal::KeyChanged));
        assert_eq!(registry.recover("bob", 2, 1, last), Ok(()));
        assert_eq!(registry.owner("bob"), Some(key(2)));
    }
}

#[test]
fn a_ban_is_not_undone_by_the_recovery_code() {
    let mut registry = Registry::new();
    registry.claim("bob", 1, NOW).unwrap();
    let banned = Banned::Identity(key(1));
    registry.ownership.ban(banned, NOW).unwrap();
    assert_eq!(registry.recover("bob", 2, 1, NOW), Err(Refusal::Banned));
}

#[test]
fn a_name_that_nobody_used_for_180_days_is_free() {
    let mut registry = Registry::new();
    registry.claim("bob", 1, NOW).unwrap();
    registry.claim("carol", 1, NOW).unwrap();
    // Used again, but not noted more often than each hour.
    registry.claim("carol", 1, NOW + 10).unwrap();
    registry.claim("carol", 1, NOW + DAY).unwrap();
    let mut registry = registry.reopened();
    let last = NOW + UNUSED_MAX_MS - 1;
    assert_eq!(registry.claim("bob", 2, last), Err(Refusal::NameTaken));
    assert_eq!(registry.claim("bob", 2, last + 1), Ok(()));
    let carol = registry.claim("carol", 2, last + 1);
    assert_eq!(carol, Err(Refusal::NameTaken));
    assert_eq!(registry.claim("carol", 2, last + DAY + 1), Ok(()));
}

#[test]
fn a_name_in_use_is_never_free_however_far_the_clock_jumps() {
    let mut registry = Registry::new();
    registry.claim("bob", 1, 0).unwrap();
    registry.claim("carol", 1, 0).unwrap();
    let bob = name("bob");
    registry.ownership.free_unused(|it| *it == bob, NOW);
    assert_eq!(registry.claim("bob", 2, NOW), Err(Refusal::NameTaken));
    assert_eq!(registry.claim("carol", 2, NOW), Ok(()));
}

#[test]
fn the_last_use_is_written_at_most_once_an_hour() {
    let mut registry = Registry::new();
    registry.claim("bob", 1, NOW).unwrap();
    let _ = registry.ownership.take_writes();
    let hour = 3600 * 1000;
    for minute in 0..=119 {
        registry.claim("bob", 1, NOW + minute * 60_000).unwrap();
    }
    let writes = registry.ownership.take_writes();
    assert!(matches!(&writes[..], [Write::Used(bob)] if bob.used_at == NOW + hour));
    assert!(!writes[0].is_durable());
}

#[test]
fn an_invite_is_used_up_and_expires() {
    let mut registry = Registry::new();
    registry.claims = Claims::Invite;
    let invite = |text, uses_left| Invite {
        code: code(text),
        uses_left,
        expires_at: NOW + DAY,
    };
    let refused = registry.ownership.invite(invite("none", 0), NOW);
    assert_eq!(refused, Err(Refusal::OutOfRange));
    registry.ownership.invite(invite("two", 2), NOW).unwrap();
    registry.ownership.invite(invite("old", 2), NOW).unwrap();
    let bring = |registry: &mut Registry, text: &str, seed, with: &str, time| {
        let claim = Claim {
            invite: Some(code(with)),
            ..Claim::new(lock(seed))
        };
        registry.bring(text, seed, &claim, time)
    };
    assert_eq!(registry.claim("bob", 1, NOW), Err(Refusal::NotInvited));
    let guessed = bring(&mut registry, "bob", 1, "guess", NOW);
    assert_eq!(guessed, Err(Refusal::NotInvited));
    assert_eq!(bring(&mut registry, "bob", 1, "two", NOW), Ok(()));
    // A refused claim uses nothing up.
    let refused = bring(&mut registry, "b0b", 2, "two", NOW);
    assert_eq!(refused, Err(Refusal::LooksTaken));
    let mut registry = registry.reopened();
    assert_eq!(bring(&mut registry, "carol", 2, "two", NOW), Ok(()));
    let used_up = bring(&mut registry, "dave", 3, "two", NOW);
    assert_eq!(used_up, Err(Refusal::NotInvited));
    let late = bring(&mut registry, "dave", 3, "old", NOW + DAY);
    assert_eq!(late, Err(Refusal::NotInvited));
    assert_eq!(registry.claim("bob", 1, NOW + DAY), Ok(()));
    assert_eq!(registry.ownership.invites(NOW + DAY), []);
}

#[test]
fn closed_claims_give_nothing_to_anybody_new() {
    let mut registry = Registry::new();
    registry.claim("bob", 1, NOW).unwrap();
    registry.claims = Claims::Closed;
    assert_eq!(registry.claim("carol", 1, NOW), Err(Refusal::ClaimsClosed));
    assert_eq!(registry.claim("bob", 1, NOW), Ok(()));
    assert_eq!(registry.change("bob", 1, 2, NOW), Ok(()));
}

#[test]
fn bans_hold_for_whatever_the_banned_ask_and_after_a_restart() {
    let mut registry = Registry::new();
    registry.claim("bob", 1, NOW).unwrap();
    registry.claim("carol", 2, NOW).unwrap();
    let mallory = Banned::Identity(key(1));
    assert_eq!(registry.ownership.ban(mallory.clone(), NOW), Ok(true));
    assert_eq!(registry.ownership.ban(mallory.clone(), NOW), Ok(false));
    registry
        .ownership
        .ban(Banned::Name(name("admin")), NOW)
        .unwrap();
    let mut registry = registry.reopened();
    let results = [
        registry.claim("bob", 1, NOW),
        registry.claim("new", 1, NOW),
        registry.release("bob", 1, NOW),
        registry.change("bob", 1, 3, NOW),
        registry.change("carol", 2, 1, NOW),
        registry.recover("carol", 1, 2, NOW),
        registry.claim("Admin", 2, NOW),
    ];
    for result in results {
        assert_eq!(result, Err(Refusal::Banned));
    }
    registry.ownership.unban(&mallory).unwrap();
    assert_eq!(registry.claim("bob", 1, NOW), Ok(()));
    assert_eq!(registry.ownership.bans().len(), 1);
}

#[test]
fn what_is_forgotten_leaves_nothing_behind() {
    let mut registry = Registry::new();
    registry.claim("bob", 1, NOW).unwrap();
    registry.change("bob", 1, 2, NOW).unwrap();
    registry.release("bob", 2, NOW).unwrap();
    registry.claim("bob", 2, NOW).unwrap();
    registry
        .ownership
        .free_unused(|_| false, NOW + 2 * UNUSED_MAX_MS);
    let Ownership {
        owners,
        looks,
        names_of,
        frees,
        ..
    } = &registry.ownership;
    assert!(owners.is_empty() && looks.is_empty());
    assert!(names_of.is_empty() && frees.is_empty());
}
