//! Takes what a sound server records, whenever whoever wants it looks.

use std::{collections::VecDeque, os::fd::BorrowedFd, time::Duration};

use pulseaudio::protocol::CreateRecordStreamReply;

use super::inbox::{Came, Inbox, Latency, RECORDS};
use crate::audio::device::samples_in;

/// More is not kept: whoever comes later than that wants none of it.
const KEPT_MAX: Duration = Duration::from_millis(500);

/// A stream that records, from the side of whoever wants the sound.
pub(in crate::audio) struct Intake {
    inbox: Inbox,
    channel: u32,
    rate: u32,
    latency: Option<Latency>,
    /// What has come and was not taken.
    sound: VecDeque<f32>,
    most: usize,
    /// The longest piece that has come.
    period: usize,
    /// Samples since it was asked for its latency.
    heard: usize,
    /// Times that there was no room for what came.
    overruns: u32,
}

impl Intake {
    /// Of the stream that was `created`.
    pub(super) fn begin(inbox: Inbox, created: &CreateRecordStreamReply) -> Self {
        let rate = created.sample_spec.sample_rate;
        let most = samples_in(KEPT_MAX, rate);
        Self {
            inbox,
            channel: created.channel,
            rate,
            latency: None,
            sound: VecDeque::with_capacity(most),
            most,
            period: 0,
            heard: 0,
            overruns: 0,
        }
    }

    /// Takes what has come, and does not wait.
    pub(in crate::audio) fn look(&mut self) {
        self.inbox.take(
            |sound| {
                self.heard += sound.len();
                self.period = self.period.max(sound.len());
                let room = self.most - self.sound.len();
                self.overruns += u32::from(sound.len() > room);
                self.sound.extend(sound.iter().take(room));
            },
            |came| {
                if let Came::Latency(latency) = came {
                    self.latency = Some(latency);
                }
            },
        );
        if self.heard >= self.rate as usize {
            self.heard = 0;
            self.inbox.ask(RECORDS, self.channel);
        }
    }

    /// Moves as many samples to `sound` as there are, or as it has room for; how many that were.
    pub(in crate::audio) fn pop(&mut self, sound: &mut [f32]) -> usize {
        let count = sound.len().min(self.sound.len());
        for (to, from) in sound.iter_mut().zip(self.sound.drain(..count)) {
            *to = from;
        }
        count
    }

    /// Throws away what was not taken.
    pub(in crate::audio) fn clear(&mut self) {
        self.sound.clear();
    }

    /// What waits to be taken, in samples.
    pub(in crate::audio) fn waiting(&self) -> usize {
        self.sound.len()
    }

    /// The most that came at a time, in samples.
    pub(in crate::audio) fn period(&self) -> usize {
        self.period
    }

    /// How long sound takes to get here, if the server has told.
    pub(in crate::audio) fn latency(&self) -> Option<Duration> {
        Some(self.latency?.total(self.rate))
    }

    /// Times that there was no room for what came, since this was last asked.
    pub(in crate::audio) fn overruns(&mut self) -> u32 {
        std::mem::take(&mut self.overruns)
    }

    /// What it is woken by, while there is a stream.
    pub(in crate::audio) fn socket(&self) -> Option<BorrowedFd<'_>> {
        self.inbox.socket()
    }
}
