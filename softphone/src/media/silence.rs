//! Whether there is anything to hear, either way: what a person is to be warned of.
//!
//! Silence is told once it has lasted for 5 s, and once; so is its end, at once. What was not
//! looked at for a while, because this program or this machine slept, was no silence.

use std::time::{Duration, Instant};

/// Sound whose peaks are quieter is nothing that anybody hears, in dB relative to full scale.
pub const AUDIBLE_DBFS: f32 = -70.0;

/// Silence that lasts so long is told.
pub const SILENT_AFTER: Duration = Duration::from_secs(5);

/// Whoever did not look for so long knows nothing of the time in between.
const UNSEEN_MAX: Duration = Duration::from_secs(1);

/// What comes from the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// Something that can be heard; or the call is held, and nothing is to be.
    Sound,
    /// Packets, and in them nothing but silence: the peer is muted, or its microphone is.
    Silence,
    /// Not one packet of voice: the network or the peer's phone keeps it.
    Nothing,
}

/// Watches over what comes from one peer.
#[derive(Debug)]
pub struct Hearing {
    packets: u64,
    came: Lasting,
    audible: Lasting,
    told: Heard,
}

impl Hearing {
    /// The call is up from `now` on.
    #[must_use]
    pub fn starting(now: Instant) -> Self {
        Self {
            packets: 0,
            came: Lasting::starting(now),
            audible: Lasting::starting(now),
            told: Heard::Sound,
        }
    }

    /// What has come: how many packets since the call began, and how loud it was since this was
    /// last told. To be called several times a second. Says what the peer is heard like, if that is
    /// another than it was.
    pub fn note(
        &mut self,
        packets: u64,
        peak_dbfs: f32,
        held: bool,
        now: Instant,
    ) -> Option<Heard> {
        let came = self.came.note(held || packets > self.packets, now);
        self.packets = packets;
        let audible = self.audible.note(held || peak_dbfs >= AUDIBLE_DBFS, now);
        let heard = match (came, audible) {
            (false, _) => Heard::Nothing,
            (true, false) => Heard::Silence,
            (true, true) => Heard::Sound,
        };
        let changed = heard != self.told;
        self.told = heard;
        changed.then_some(heard)
    }
}

/// Watches over what one's own microphone says.
#[derive(Debug)]
pub struct Speaking {
    audible: Lasting,
    told: bool,
}

impl Speaking {
    /// The call is up from `now` on.
    #[must_use]
    pub fn starting(now: Instant) -> Self {
        Self {
            audible: Lasting::starting(now),
            told: true,
        }
    }

    /// How loud the microphone was since this was last told; `None` if nothing is expected of it.
    /// To be called several times a second. Says whether it says anything, if that has changed.
    pub fn note(&mut self, peak_dbfs: Option<f32>, now: Instant) -> Option<bool> {
        let audible = peak_dbfs.is_none_or(|peak| peak >= AUDIBLE_DBFS);
        let spoken = self.audible.note(audible, now);
        let changed = spoken != self.told;
        self.told = spoken;
        changed.then_some(spoken)
    }
}

/// Something that is there again and again, until it has not been for [`SILENT_AFTER`].
#[derive(Debug)]
struct Lasting {
    there: Instant,
    looked: Instant,
}

impl Lasting {
    fn starting(now: Instant) -> Self {
        Self {
            there: now,
            looked: now,
        }
    }

    fn note(&mut self, there: bool, now: Instant) -> bool {
        let unseen = now.saturating_duration_since(self.looked);
        if unseen > UNSEEN_MAX {
            self.there += unseen;
        }
        self.looked = now;
        if there {
            self.there = now;
        }
        now.saturating_duration_since(self.there) < SILENT_AFTER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOK: Duration = Duration::from_millis(100);

    /// What is told in a call, and after how many looks: `peer(n)` is whether a packet came until
    /// the `n`th look, how loud it was and whether the call was held.
    fn told(looks: u32, peer: impl Fn(u32) -> (bool, f32, bool)) -> Vec<(u32, Heard)> {
        let origin = Instant::now();
        let mut hearing = Hearing::starting(origin);
        let mut packets = 0;
        let look = |n| {
            let (came, peak, held) = peer(n);
            packets += u64::from(came);
            Some((n, hearing.note(packets, peak, held, origin + LOOK * n)?))
        };
        (1..=looks).filter_map(look).collect()
    }

    #[test]
    fn a_peer_of_whom_no_packet_comes_is_told_after_5_s_and_when_it_is_back() {
        let expected = [(50, Heard::Nothing), (80, Heard::Sound)];
        assert_eq!(told(200, |n| (n >= 80, -20.0, false)), expected);
        let expected = [(119, Heard::Nothing)];
        assert_eq!(told(300, |n| (n < 70, -20.0, false)), expected);
    }

    #[test]
    fn a_peer_that_sends_only_silence_is_told_apart_and_a_word_ends_it() {
        let expected = [
            (50, Heard::Silence),
            (90, Heard::Sound),
            (140, Heard::Silence),
        ];
        let peak = |n| if n == 90 { -69.9 } else { -70.1 };
        assert_eq!(told(180, |n| (true, peak(n), false)), expected);
    }

    #[test]
    fn who_sends_silence_and_then_nothing_is_told_as_both() {
        let expected = [
            (50, Heard::Silence),
            (109, Heard::Nothing),
            (150, Heard::Silence),
        ];
        assert_eq!(
            told(190, |n| (!(60..150).contains(&n), -96.0, false)),
            expected
        );
    }

    #[test]
    fn a_pause_between_words_and_a_held_call_are_nothing_to_tell() {
        assert_eq!(
            told(500, |n| (
                true,
                [-96.0, -30.0][usize::from(n % 49 == 0)],
                false
            )),
            []
        );
        assert_eq!(told(500, |_| (false, -96.0, true)), []);
        // Held after it was told, which takes it back; and resumed, from when the time counts.
        let expected = [
            (50, Heard::Nothing),
            (60, Heard::Sound),
            (149, Heard::Nothing),
        ];
        assert_eq!(
            told(200, |n| (false, -96.0, (60..100).contains(&n))),
            expected
        );
    }

    #[test]
    fn what_a_machine_slept_through_was_no_silence() {
        let origin = Instant::now();
        let mut hearing = Hearing::starting(origin);
        let mut speaking = Speaking::starting(origin);
        let mut look = |at: Duration| {
            let now = origin + at;
            (
                hearing.note(0, -96.0, false, now),
                speaking.note(Some(-96.0), now),
            )
        };
        assert_eq!(look(LOOK * 40), (None, None));
        assert_eq!(look(Duration::from_secs(3_600)), (None, None));
        let later = |looks| Duration::from_secs(3_600) + LOOK * looks;
        let told: Vec<u32> = (1..100).filter(|&n| look(later(n)).0.is_some()).collect();
        // The first look came after 4 s, which is as long as nobody looked; so nothing is known of
        // them either.
        assert_eq!(told, [50]);
    }

    #[test]
    fn a_silent_microphone_is_told_once_unless_nothing_is_expected_of_it() {
        let origin = Instant::now();
        let mut speaking = Speaking::starting(origin);
        let told: Vec<(u32, bool)> = (1..400)
            .filter_map(|n| {
                let peak = match n {
                    // Silent from the start; then a word; then muted; then silent again.
                    ..100 => Some(-96.0),
                    100 => Some(-40.0),
                    101..=250 => None,
                    _ => Some(-80.0),
                };
                Some((n, speaking.note(peak, origin + LOOK * n)?))
            })
            .collect();
        assert_eq!(told, [(50, false), (100, true), (300, false)]);
    }
}
