//! What is left out because it came after something was concealed in its place.

use std::time::Instant;

use super::{Form, HOLD_SAMPLES, Held, JitterBuffer, Playout, SLACK};
use crate::media::Timestamp;

impl JitterBuffer {
    /// Drops what is behind the position. Only packets that overlap others can be: late ones are
    /// not taken in.
    pub(super) fn leave_behind(&mut self, position: Timestamp) {
        while self
            .held
            .front()
            .is_some_and(|held| held.after(position) < 0)
        {
            self.held.pop_front();
            self.counters.skipped += 1;
        }
    }

    /// Whether packets that are on time would still wait for the target if what was concealed while
    /// nothing was there counts as played.
    pub(super) fn spares_target(&self, position: Timestamp, now: Instant) -> bool {
        let end = position.plus(self.dry.min(HOLD_SAMPLES));
        let turn = self.delay.waits(end, now).unwrap_or(0);
        let target = self.delay.target().saturating_sub(SLACK).as_micros();
        i128::from(turn) >= target.cast_signed()
    }

    /// Whether what came itself, in whose place something was concealed, may be left out: if that
    /// is little, and what follows is there. If it is not, the path has become slower, and what
    /// comes next would be late as well.
    pub(super) fn may_skip(&self, position: Timestamp, now: Instant) -> bool {
        let dry = self.dry.min(HOLD_SAMPLES);
        let itself = self.held.iter().filter(|held| held.form == Form::Itself);
        let late = itself.map(|held| held.within(position, dry)).sum();
        let follows = |held: &Held| held.within(position.plus(dry), 1) > 0;
        self.allowance.has(late, now) && self.held.iter().any(follows)
    }

    /// What was concealed while nothing was there counts for what was lost and came as a copy after
    /// its turn, and for what came itself if that may be skipped: to play it would be delay for the
    /// sake of what few packets need. Returns the new position.
    pub(super) fn go_on_without(
        &mut self,
        mut position: Timestamp,
        may_skip: bool,
        now: Instant,
    ) -> Timestamp {
        while let Some(first) = self.held.front()
            && (first.form < Form::Itself || may_skip)
            && let Ok(passed) = u32::try_from(first.end().since(position))
            && (1..=self.dry.min(HOLD_SAMPLES)).contains(&passed)
        {
            self.dry = self.dry.min(HOLD_SAMPLES) - passed;
            position = first.end();
            match first.form.count(&mut self.counters) {
                Some(count) => {
                    *count -= 1;
                    self.counters.skipped += 1;
                }
                None => {
                    self.allowance.take(now);
                    self.counters.late += 1;
                    self.history.note_late(first.packet.seq);
                }
            }
            self.held.pop_front();
            self.leave_behind(position);
        }
        self.playout = Playout::Playing { position };
        position
    }
}
