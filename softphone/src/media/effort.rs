//! How much effort the encoder makes, by how long it takes: a machine that is too slow, or too
//! busy, is to send a plainer voice rather than a late one. Pure: what was measured comes in.

use std::time::Duration;

/// Opus's complexity, of 10, from the least effort to the most: the step to 10 costs a fifth more
/// and is not heard.
const STEPS: [u8; 4] = [3, 5, 7, 9];

/// The most for packets of less than 20 ms, of which there are more: it takes a third less time
/// than 9, for 0.01 of PESQ-WB. The step from 9 to 7 is none for them.
const SHORT_MAX: u8 = 6;

/// Packets of less sound are short.
const LONG: Duration = Duration::from_millis(20);

/// What was measured is looked at after so much sound.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Above this share of the time, in percent, encoding takes too long ...
const HIGH_PERCENT: u32 = 25;

/// ... and below this it would not even if it took twice as long ...
const LOW_PERCENT: u32 = 8;

/// ... which is believed after so many looks in a row.
const LOW_FOR: u32 = 5;

/// Decides the encoder's complexity.
#[derive(Debug, Clone)]
pub struct Effort {
    step: usize,
    sound: Duration,
    spent: Duration,
    low_for: u32,
}

impl Default for Effort {
    fn default() -> Self {
        Self {
            step: STEPS.len() - 1,
            sound: Duration::ZERO,
            spent: Duration::ZERO,
            low_for: 0,
        }
    }
}

impl Effort {
    /// Opus's complexity for packets of so much sound: 3 to 9.
    #[must_use]
    pub fn complexity(&self, sound: Duration) -> u8 {
        let most = if sound < LONG { SHORT_MAX } else { u8::MAX };
        STEPS[self.step].min(most)
    }

    /// Encoding so much `sound` took so long.
    pub fn took(&mut self, spent: Duration, sound: Duration) {
        self.spent += spent;
        self.sound += sound;
        if self.sound < LOOK_EVERY {
            return;
        }
        let (spent, sound) = (
            std::mem::take(&mut self.spent) * 100,
            std::mem::take(&mut self.sound),
        );
        if spent >= sound * LOW_PERCENT {
            self.low_for = 0;
        } else {
            self.low_for += 1;
        }
        if spent > sound * HIGH_PERCENT {
            self.step = self.step.saturating_sub(1);
        } else if self.low_for == LOW_FOR {
            self.low_for = 0;
            self.step = (self.step + 1).min(STEPS.len() - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: Duration = Duration::from_millis(1);

    /// The complexity after each second of packets of 20 ms, each of which takes so many
    /// microseconds at that complexity.
    fn complexities(effort: &mut Effort, seconds: u32, takes: impl Fn(u8) -> u64) -> Vec<u8> {
        let second = |_| {
            for _ in 0..50 {
                let takes = takes(effort.complexity(LONG));
                effort.took(Duration::from_micros(takes), LONG);
            }
            effort.complexity(LONG)
        };
        (0..seconds).map(second).collect()
    }

    #[test]
    fn a_machine_that_is_fast_enough_makes_all_the_effort() {
        let mut effort = Effort::default();
        assert_eq!(complexities(&mut effort, 20, |_| 400), [9; 20]);
        assert_eq!(complexities(&mut effort, 20, |_| 4_900), [9; 20]);
        assert_eq!(effort.complexity(LONG / 2), 6);
        complexities(&mut effort, 2, |_| 12_000);
        assert_eq!(effort.complexity(LONG / 2), 5);
    }

    #[test]
    fn one_that_is_too_slow_makes_less_each_second_and_more_after_5_good_ones() {
        let mut effort = Effort::default();
        let busy = complexities(&mut effort, 5, |_| 12_000);
        assert_eq!(busy, [7, 5, 3, 3, 3]);
        let between = complexities(&mut effort, 20, |_| 3_000);
        assert_eq!(between, [3; 20]);
        let calm = complexities(&mut effort, 16, |_| 300);
        assert_eq!(calm, [3, 3, 3, 3, 5, 5, 5, 5, 5, 7, 7, 7, 7, 7, 9, 9]);
    }

    #[test]
    fn effort_does_not_swing() {
        for at_most in (1_000..30_000).step_by(500) {
            let takes = |complexity| at_most * u64::from(complexity) / 9;
            let all = complexities(&mut Effort::default(), 120, takes);
            assert!(all.is_sorted_by(|a, b| a >= b), "{at_most}: {all:?}");
        }
    }

    #[test]
    fn one_packet_that_took_long_changes_nothing() {
        let mut effort = Effort::default();
        effort.took(MILLI * 200, LONG);
        assert_eq!(complexities(&mut effort, 3, |_| 400), [9; 3]);
    }
}
