//! How well a call comes through: figures of the last minute, and one plain word for them.
//!
//! PURE: reports come in once a second, each with its time.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use crate::media::stats::VoiceReport;

/// How far back figures are kept.
pub const SHOWN_FOR: Duration = Duration::from_secs(60);

/// How many there are at the most: one a second, and a few that come early.
const FIGURES_MAX: usize = 64;

/// Over how many figures the word is found, so that one bad second does not change it.
const JUDGED: usize = 4;

/// The figures of one second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// When they came.
    pub at: Instant,
    /// Of the voice that came in.
    pub voice: VoiceReport,
    /// There and back, once it is known.
    pub round_trip: Option<Duration>,
}

impl Figures {
    /// From one mouth to the other's ear, as far as it is known.
    #[must_use]
    pub fn delay_ms(&self) -> f32 {
        self.voice.mouth_to_ear_ms(self.network_ms())
    }

    /// One way.
    #[must_use]
    pub fn network_ms(&self) -> f32 {
        self.round_trip.unwrap_or_default().as_secs_f32() * 500.0
    }
}

/// How well a call comes through, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quality {
    /// Nobody would notice that anything is between the two.
    Good,
    /// It can be heard that something is lost or late, and all is understood.
    Fair,
    /// Words are lost, or the two talk into each other.
    Poor,
}

/// The figures of the last minute.
#[derive(Debug, Clone, Default)]
pub struct Track {
    figures: VecDeque<Figures>,
}

impl Track {
    /// Takes in the figures of one more second, and lets those go that are too old.
    pub fn add(&mut self, figures: Figures) {
        let fresh = |then: &Figures| figures.at.duration_since(then.at) <= SHOWN_FOR;
        while self.figures.front().is_some_and(|then| !fresh(then))
            || self.figures.len() >= FIGURES_MAX
        {
            self.figures.pop_front();
        }
        self.figures.push_back(figures);
    }

    /// The newest figures.
    #[must_use]
    pub fn newest(&self) -> Option<&Figures> {
        self.figures.back()
    }

    /// The word for the last few seconds; none before there are figures.
    #[must_use]
    pub fn quality(&self) -> Option<Quality> {
        let judged = self.figures.len().min(JUDGED);
        if judged == 0 {
            return None;
        }
        let mean = |of: fn(&Figures) -> f32| {
            let last = self.figures.iter().rev().take(judged);
            last.map(of).sum::<f32>() / judged as f32
        };
        let concealed = mean(|figures| figures.voice.concealed_pct);
        let delay = mean(Figures::delay_ms);
        // One-way delay by ITU-T G.114: up to 150 ms is fine for all, beyond 400 ms for nobody.
        // What was concealed by its own measure: 2 % can be heard, from 8 % on words are lost.
        Some(match (concealed, delay) {
            (concealed, delay) if concealed >= 8.0 || delay >= 400.0 => Quality::Poor,
            (concealed, delay) if concealed >= 2.0 || delay >= 220.0 => Quality::Fair,
            _ => Quality::Good,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(at: Instant, concealed_pct: f32, delay_ms: f32) -> Figures {
        Figures {
            at,
            voice: VoiceReport {
                loss_pct: 0.0,
                late_pct: 0.0,
                duplicate_pct: 0.0,
                recovered_pct: 0.0,
                fec_pct: 0.0,
                concealed_pct,
                jitter_ms: 1.0,
                capture_ms: 0.0,
                encode_ms: 0.0,
                playout_delay_ms: delay_ms,
                device_ms: 0.0,
                bitrate_bps: 32_000,
                underruns: 0,
                speed_ppm: 0,
            },
            round_trip: Some(Duration::from_millis(20)),
        }
    }

    #[test]
    fn the_word_follows_what_is_concealed_and_how_late_it_comes() {
        let now = Instant::now();
        let of = |concealed, delay| {
            let mut track = Track::default();
            for second in 0..5 {
                track.add(figures(now + Duration::from_secs(second), concealed, delay));
            }
            track.quality()
        };
        assert_eq!(Track::default().quality(), None);
        assert_eq!(of(0.0, 60.0), Some(Quality::Good));
        assert_eq!(of(4.0, 60.0), Some(Quality::Fair));
        assert_eq!(of(0.0, 250.0), Some(Quality::Fair));
        assert_eq!(of(30.0, 60.0), Some(Quality::Poor));
        assert_eq!(of(0.0, 900.0), Some(Quality::Poor));
    }

    #[test]
    fn one_bad_second_does_not_make_a_call_poor() {
        let now = Instant::now();
        let mut track = Track::default();
        for second in 0..4 {
            track.add(figures(now + Duration::from_secs(second), 0.0, 60.0));
        }
        track.add(figures(now + Duration::from_secs(4), 20.0, 60.0));
        assert_eq!(track.quality(), Some(Quality::Fair));
    }

    #[test]
    fn figures_of_more_than_a_minute_ago_are_forgotten() {
        let now = Instant::now();
        let mut track = Track::default();
        for second in 0..200 {
            track.add(figures(now + Duration::from_secs(second), 0.0, 60.0));
        }
        assert_eq!(track.figures.len(), 61);
        for _ in 0..200 {
            track.add(figures(now + Duration::from_secs(200), 0.0, 60.0));
        }
        assert_eq!(track.figures.len(), FIGURES_MAX);
    }
}
