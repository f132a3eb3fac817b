//! Where sound is to wait: no longer than its packets need, as far as frames let it.
//!
//! The loudspeaker asks for whole frames. A packet is needed when the frame is asked for in which
//! it begins, and if that is not at the frame's beginning its sound is *ready* before it is heard:
//! up to a frame of delay that helps nobody. When a packet came before it was needed, its *spare*,
//! changes by whole frames only; the rest is a matter of two clocks.
//!
//! As long as these go alike, sound is to be ready hardly before it is heard; once in many minutes
//! that comes to be a frame more or less, which is approached slowly. Where they drift apart each
//! rest comes in its turn, and sound is to wait for so long that any of them will do: for as long
//! all the time.

use std::time::Duration;

use super::micros;

/// A frame, in microseconds.
const FRAME: i64 = 10_000;

/// How long sound is ready before it is heard, where clocks go alike, in microseconds: what moves
/// it a little does not move a packet into the frame before.
const READY: i64 = 1_500;

/// So much less than the target will do, in microseconds ...
const SLIP: i64 = 1_000;

/// ... and so much more than a frame above it: what wanders a little is not to go to and fro by
/// frames.
const LIFT: i64 = 3_000;

/// How fast a frame more or less is approached, in microseconds a look: 500 ppm, which is a matter
/// of speed ([`super::drift`]) and of no stretching.
const APPROACH: i64 = 5;

/// Clocks that drift apart by more than this do not go alike, in ppm: each rest has its turn in
/// some minutes ...
const APART_PPM: f64 = 30.0;

/// ... and go alike again by less than this ...
const ALIKE_PPM: f64 = 10.0;

/// ... for so many looks: a minute.
const ALIKE_LOOKS: u32 = 6_000;

/// Finds it.
#[derive(Debug, Default)]
pub(super) struct Goal {
    /// What the spare was to be for what target, both in microseconds.
    spare: Option<(i64, i64)>,
    /// How far that is still to be approached.
    ahead: i64,
    drifts: bool,
    /// Looks since the clocks were apart.
    alike: u32,
}

impl Goal {
    /// Where sound is to wait, in microseconds, that waits for `waits` and is ready so long before
    /// it is heard, if packets are to be spared `target` and the clocks drift apart by
    /// `drift_ppm`. To be called for each frame.
    pub(super) fn find(
        &mut self,
        waits: i64,
        ready: Duration,
        target: Duration,
        drift_ppm: f64,
    ) -> i64 {
        self.look_at(drift_ppm);
        let target = micros(target);
        if self.drifts {
            self.forget();
            return target.saturating_add(FRAME);
        }
        let spare = waits.saturating_sub(micros(ready).rem_euclid(FRAME));
        let beyond = spare.saturating_sub(target).rem_euclid(FRAME);
        let least = target.saturating_add(beyond);
        // What is only a little too little, or too much, stays.
        let will_do = target.saturating_sub(SLIP)..target.saturating_add(FRAME + LIFT);
        let was = self.spare.map_or(least, |(was, _)| was);
        let near = |spare: &i64| was.abs_diff(*spare) < LIFT.unsigned_abs();
        let others = [least.saturating_sub(FRAME), least.saturating_add(FRAME)];
        let stays = others
            .into_iter()
            .find(|it| will_do.contains(it) && near(it));
        let spare = stays.unwrap_or(least);
        self.ahead = match self.spare.replace((spare, target)) {
            Some((was, same)) if same == target => {
                let frames = spare
                    .saturating_sub(was)
                    .saturating_add(FRAME / 2)
                    .div_euclid(FRAME);
                let ahead = self.ahead.saturating_add(frames.saturating_mul(FRAME));
                ahead.saturating_sub(ahead.clamp(-APPROACH, APPROACH))
            }
            _ => 0,
        };
        spare.saturating_add(READY).saturating_sub(self.ahead)
    }

    fn look_at(&mut self, drift_ppm: f64) {
        if drift_ppm.abs() >= APART_PPM {
            self.drifts = true;
        }
        if drift_ppm.abs() >= ALIKE_PPM {
            self.alike = 0;
        }
        self.alike = self.alike.saturating_add(1);
        self.drifts &= self.alike < ALIKE_LOOKS;
    }

    /// What was seen tells nothing of what comes; the clocks are the same.
    pub(super) fn forget(&mut self) {
        self.spare = None;
        self.ahead = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: Duration = Duration::from_millis(5);

    #[test]
    fn where_clocks_go_alike_sound_is_ready_hardly_before_it_is_heard() {
        // What sound waits, how long it was ready, and where it is to wait: in ms.
        for (waits, ready, goal) in [
            (12, 0, 12),
            (12, 7, 5),
            (12, 8, 14),
            (47, 13, 14),
            (-31, 2, 7),
        ] {
            let before = Duration::from_millis(ready);
            let found = Goal::default().find(waits * 1_000, before, TARGET, 0.0);
            assert_eq!(found, goal * 1_000 + READY, "{waits} {ready}");
        }
    }

    #[test]
    fn what_is_a_little_too_little_or_too_much_is_not_changed_at_once() {
        let mut goal = Goal::default();
        let mut find = |spare: i64| goal.find(spare, Duration::ZERO, TARGET, 0.0) - READY;
        assert_eq!(find(5_100), 5_100);
        assert_eq!(find(4_500), 4_500);
        assert_eq!(find(4_100), 4_100);
        // A frame more, slowly.
        assert_eq!(find(3_900), 3_905);
        assert_eq!(find(3_900), 3_910);
        let last = (2..2_000).map(|_| find(3_900)).last();
        assert_eq!((last, find(5_100)), (Some(13_900), 15_100));
        assert_eq!(find(17_900), 17_900);
        assert_eq!(find(18_100), 18_095);
    }

    #[test]
    fn another_target_is_to_be_reached_at_once() {
        let mut goal = Goal::default();
        let mut find = |spare, target| {
            goal.find(spare, Duration::ZERO, Duration::from_millis(target), 0.0) - READY
        };
        assert_eq!(find(7_000, 5), 7_000);
        assert_eq!(find(7_000, 12), 17_000);
        assert_eq!(find(7_000, 3), 7_000);
    }

    #[test]
    fn where_clocks_drift_apart_sound_waits_alike_whatever_the_rest() {
        let mut goal = Goal::default();
        let mut find = |waits, drift| goal.find(waits, Duration::ZERO, TARGET, drift);
        assert_eq!(find(7_000, 0.0), 7_000 + READY);
        for waits in [7_000, 3_000, 50_000] {
            assert_eq!(find(waits, -40.0), 15_000);
        }
        for n in 0..ALIKE_LOOKS + 10 {
            let apart = n + 2 < ALIKE_LOOKS;
            assert_eq!(find(7_000, 9.0) == 15_000, apart, "{n}");
        }
    }

    #[test]
    fn nothing_that_is_found_is_too_much() {
        for waits in [i64::MIN, 0, i64::MAX] {
            for drift in [f64::NAN, f64::INFINITY, 0.0] {
                let mut goal = Goal::default();
                for _ in 0..2 {
                    let found = goal.find(waits, Duration::MAX, Duration::MAX, drift);
                    assert!(found > 0, "{waits} {drift}: {found}");
                }
            }
        }
    }
}
