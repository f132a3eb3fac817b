//! Which sequence numbers came: tells new packets from duplicates and strays, and counts the lost.

use super::Seq;

/// How many numbers behind the newest one are remembered.
const WINDOW: u32 = 128;

/// The farthest that one packet may run ahead of the newest (RFC 3550, A.1, `MAX_DROPOUT`).
const DROPOUT_MAX: u32 = 3_000;

/// What a sequence number is to those that came before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Novelty {
    /// It did not come before.
    New,
    /// It came before.
    Duplicate,
    /// It is too far from all others to belong to them.
    Stray,
}

/// The sequence numbers of one stream, and of what it became when it began anew.
#[derive(Debug, Default)]
pub(super) struct History {
    /// The newest number; `None` before the first packet.
    newest: Option<Seq>,
    /// Bit `n` tells whether the number `n` before the newest came.
    seen: u128,
    /// How many numbers up to the newest belong to the stream, at most [`WINDOW`].
    known: u32,
    /// How many packets the numbers say were sent.
    expected: u64,
    /// How many of them came.
    received: u64,
}

impl History {
    /// What `seq` is; changes nothing.
    pub(super) fn novelty(&self, seq: Seq) -> Novelty {
        let Some(newest) = self.newest else {
            return Novelty::New;
        };
        let ahead = seq.since(newest);
        let distance = u32::from(ahead.unsigned_abs());
        match ahead {
            1.. if distance <= DROPOUT_MAX => Novelty::New,
            ..=0 if distance >= WINDOW => Novelty::Stray,
            ..=0 if self.seen >> distance & 1 == 1 => Novelty::Duplicate,
            ..=0 => Novelty::New,
            _ => Novelty::Stray,
        }
    }

    /// Remembers that `seq`, which is [`Novelty::New`], came.
    pub(super) fn note(&mut self, seq: Seq) {
        let Some(newest) = self.newest else {
            return self.restart(seq);
        };
        self.received += 1;
        let ahead = seq.since(newest);
        let distance = u32::from(ahead.unsigned_abs());
        if ahead > 0 {
            self.newest = Some(seq);
            self.seen = self.seen.checked_shl(distance).unwrap_or(0) | 1;
            self.known = (self.known + distance).min(WINDOW);
            self.expected += u64::from(distance);
        } else {
            self.seen |= 1 << distance;
            // It was sent before the first that came.
            let before = (distance + 1).saturating_sub(self.known);
            self.known += before;
            self.expected += u64::from(before);
        }
    }

    /// The stream begins anew with `seq`, or for the first time.
    pub(super) fn restart(&mut self, seq: Seq) {
        self.newest = Some(seq);
        self.seen = 1;
        self.known = 1;
        self.expected += 1;
        self.received += 1;
    }

    /// How many packets came, each counted once.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// How many packets did not come, or not yet (RFC 3550, A.3).
    pub(super) fn lost(&self) -> u64 {
        self.expected.saturating_sub(self.received)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts after these numbers came, those that are not new left out.
    fn after(numbers: &[u16]) -> History {
        let mut history = History::default();
        for &number in numbers {
            if history.novelty(Seq(number)) == Novelty::New {
                history.note(Seq(number));
            }
        }
        history
    }

    #[test]
    fn what_is_missing_between_two_numbers_is_lost_until_it_comes() {
        let mut history = after(&[65_534, 1]);
        assert_eq!((history.received(), history.lost()), (2, 2));
        history.note(Seq(65_535));
        history.note(Seq(0));
        assert_eq!((history.received(), history.lost()), (4, 0));
    }

    #[test]
    fn a_number_that_came_is_a_duplicate_as_long_as_it_is_remembered() {
        let history = after(&[10, 11, 13]);
        assert_eq!(history.novelty(Seq(13)), Novelty::Duplicate);
        assert_eq!(history.novelty(Seq(10)), Novelty::Duplicate);
        assert_eq!(history.novelty(Seq(12)), Novelty::New);
        let later = after(&[10, 11, 13, 138]);
        assert_eq!(later.novelty(Seq(11)), Novelty::Duplicate);
        assert_eq!(later.novelty(Seq(10)), Novelty::Stray);
    }

    #[test]
    fn packets_that_overtook_the_first_do_not_make_it_a_duplicate() {
        let history = after(&[5, 3, 5]);
        assert_eq!((history.received(), history.lost()), (2, 1));
        assert_eq!(history.novelty(Seq(4)), Novelty::New);
    }

    #[test]
    fn numbers_far_away_are_strays_on_both_sides() {
        let history = after(&[1_000]);
        assert_eq!(history.novelty(Seq(4_000)), Novelty::New);
        assert_eq!(history.novelty(Seq(4_001)), Novelty::Stray);
        assert_eq!(history.novelty(Seq(873)), Novelty::New);
        assert_eq!(history.novelty(Seq(872)), Novelty::Stray);
        assert_eq!(history.novelty(Seq(1_000 + 0x8000)), Novelty::Stray);
    }

    #[test]
    fn a_long_gap_forgets_all_that_came_before_it() {
        let mut history = after(&[0, 1, 2]);
        history.note(Seq(130));
        assert_eq!(history.lost(), 127);
        assert_eq!(history.novelty(Seq(3)), Novelty::New);
        history.restart(Seq(40_000));
        assert_eq!((history.received(), history.lost()), (5, 127));
        assert_eq!(history.novelty(Seq(39_999)), Novelty::New);
    }
}
