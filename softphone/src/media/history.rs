//! Which sequence numbers came: tells new packets from duplicates and strays, and counts the lost.

use super::{Seq, reception::Reception};

/// How many numbers behind the newest one are remembered.
const WINDOW: u32 = 128;

/// The newest may have overtaken others: at least so many are not told of yet ...
const OVERTAKEN_MIN: u32 = 4;

/// ... and at most so many.
const OVERTAKEN_MAX: u32 = WINDOW / 2;

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

/// What a packet is that came too late to be played, to the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Late {
    /// The receiver will wait longer: it is not lost.
    Comes,
    /// The receiver waits as long as it ever does.
    IsLost,
}

/// The sequence numbers of one stream, and of what it became when it began anew.
#[derive(Debug, Default)]
pub(super) struct History {
    /// The newest number; `None` before the first packet.
    newest: Option<Seq>,
    /// Bit `n` tells whether the number `n` before the newest came.
    seen: u128,
    /// Bit `n` tells whether the number `n` before the newest came too late to be played.
    late: u128,
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
            self.late = self.late.checked_shl(distance).unwrap_or(0);
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

    /// `seq`, which was noted, came too late to be played.
    pub(super) fn note_late(&mut self, seq: Seq) {
        let behind = self.newest.map_or(-1, |newest| newest.since(seq));
        if let Ok(behind) = u32::try_from(behind) {
            self.late |= 1_u128.checked_shl(behind).unwrap_or(0);
        }
    }

    /// How the last packets came, at most 124 of them, but for the newest ones that may have
    /// `overtaken` others: 4 to 64. `late` tells what those are that came too late. `None` at the
    /// beginning.
    pub(super) fn reception(&self, overtaken: u32, late: Late) -> Option<Reception> {
        let overtaken = overtaken.clamp(OVERTAKEN_MIN, OVERTAKEN_MAX);
        let sent = self.known.checked_sub(overtaken).filter(|&sent| sent > 0)?;
        let played = match late {
            Late::Comes => self.seen,
            Late::IsLost => self.seen & !self.late,
        } >> overtaken;
        let lost = !played & (u128::MAX >> (WINDOW - sent));
        let bursts = lost & !(lost << 1);
        Reception::new(sent, lost.count_ones(), bursts.count_ones())
    }

    /// The stream begins anew with `seq`, or for the first time.
    pub(super) fn restart(&mut self, seq: Seq) {
        self.newest = Some(seq);
        self.seen = 1;
        self.late = 0;
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

    #[test]
    fn reception_is_of_what_could_be_played_but_for_the_newest() {
        assert_eq!(after(&[0, 1, 2, 3]).reception(0, Late::IsLost), None);
        assert_eq!(
            after(&[0, 1, 2, 3, 4]).reception(0, Late::IsLost),
            Reception::new(1, 0, 0)
        );
        // 2, 3 and 6 are lost; 12 may still come.
        let mut history = after(&[65_535, 0, 1, 4, 5, 7, 8, 9, 10, 11, 13]);
        assert_eq!(history.reception(0, Late::IsLost), Reception::new(11, 3, 2));
        history.note(Seq(6));
        assert_eq!(history.reception(0, Late::IsLost), Reception::new(11, 2, 1));
        history.note_late(Seq(6));
        history.note_late(Seq(5));
        assert_eq!(history.reception(0, Late::IsLost), Reception::new(11, 4, 2));
        assert_eq!(history.reception(0, Late::Comes), Reception::new(11, 2, 1));
        assert_eq!(history.reception(7, Late::IsLost), Reception::new(8, 4, 2));
        // From before all that is remembered.
        history.note_late(Seq(14));
        history.note_late(Seq(60_000));
        assert_eq!(history.reception(0, Late::IsLost), Reception::new(11, 4, 2));
        // What is forgotten is told of no more.
        let all: Vec<u16> = (14..300).collect();
        for number in all {
            history.note(Seq(number));
        }
        assert_eq!(
            history.reception(0, Late::IsLost),
            Reception::new(124, 0, 0)
        );
        history.restart(Seq(9));
        assert_eq!(history.reception(0, Late::IsLost), None);
    }
}
