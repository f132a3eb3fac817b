//! The way out: frames of the microphone become packets.

use super::opus::Encoder;
use crate::media::{Encoded, FRAME_SAMPLES, Frame, PTIME_SAMPLES, Timestamp};

/// Collects frames until they fill a packet.
pub(super) struct Sending {
    encoder: Encoder,
    sound: [f32; PTIME_SAMPLES as usize],
    filled: usize,
    timestamp: Timestamp,
    /// The next packet begins a talkspurt.
    begins: bool,
    /// Packets that could not be encoded.
    failed: u64,
}

impl Sending {
    pub(super) fn new(encoder: Encoder) -> Self {
        Self {
            encoder,
            sound: [0.0; PTIME_SAMPLES as usize],
            filled: 0,
            timestamp: Timestamp(0),
            begins: true,
            failed: 0,
        }
    }

    /// The microphone's time goes on by `frames` of 10 ms of which there is no sound, so that what
    /// comes next is not played late (RFC 3550, 5.1: timestamps tell when sound was captured). A
    /// frame that waits for its packet is left out with them.
    pub(super) fn leave_out(&mut self, frames: u32) {
        if frames > 0 {
            let frames = frames.saturating_add(u32::from(self.filled > 0));
            self.filled = 0;
            let samples = PTIME_SAMPLES / 2;
            self.timestamp = self.timestamp.plus(samples.wrapping_mul(frames));
            self.begins = true;
        }
    }

    /// Takes 10 ms; every second time there is a packet. A talkspurt begins with the first one and
    /// after what was left out, and never ends by itself: there is no DTX.
    pub(super) fn push(&mut self, frame: &Frame) -> Option<Encoded> {
        for (sample, &new) in self.sound[self.filled..].iter_mut().zip(frame) {
            // Files and devices may hold anything.
            *sample = if new.is_finite() {
                new.clamp(-1.0, 1.0)
            } else {
                0.0
            };
        }
        self.filled += FRAME_SAMPLES;
        if self.filled < self.sound.len() {
            return None;
        }
        self.filled = 0;
        let timestamp = self.timestamp;
        self.timestamp = timestamp.plus(PTIME_SAMPLES);
        let marker = std::mem::take(&mut self.begins);
        match self.encoder.encode(&self.sound) {
            Ok(payload) => Some(Encoded {
                timestamp,
                marker,
                payload: payload.to_vec(),
            }),
            Err(_) => {
                self.failed += 1;
                None
            }
        }
    }

    /// How many packets could not be encoded.
    pub(super) fn failed(&self) -> u64 {
        self.failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{SILENCE, opus_samples};

    #[test]
    fn every_second_frame_makes_a_packet_and_only_the_first_begins_a_talkspurt() {
        let mut sending = Sending::new(Encoder::new().unwrap());
        for packet in 0..50 {
            assert_eq!(sending.push(&SILENCE), None);
            let encoded = sending.push(&SILENCE).unwrap();
            assert_eq!(encoded.timestamp, Timestamp(packet * 960));
            assert_eq!(encoded.marker, packet == 0);
            assert_eq!(opus_samples(&encoded.payload), Some(960));
        }
    }

    #[test]
    fn what_is_left_out_moves_the_time_and_begins_a_talkspurt() {
        let mut sending = Sending::new(Encoder::new().unwrap());
        let packet = |sending: &mut Sending| {
            sending.push(&SILENCE);
            sending.push(&SILENCE).unwrap()
        };
        assert_eq!(packet(&mut sending).timestamp, Timestamp(0));
        sending.leave_out(0);
        sending.leave_out(31);
        let [next, last] = [(); 2].map(|()| packet(&mut sending));
        assert_eq!(
            (next.timestamp, next.marker),
            (Timestamp(960 + 31 * 480), true)
        );
        assert_eq!(
            (last.timestamp, last.marker),
            (Timestamp(2 * 960 + 31 * 480), false)
        );
        assert_eq!(sending.push(&SILENCE), None);
        sending.leave_out(1);
        let next = packet(&mut sending);
        assert_eq!(
            (next.timestamp, next.marker),
            (Timestamp(4 * 960 + 31 * 480), true)
        );
    }

    #[test]
    fn samples_that_are_no_numbers_are_silence() {
        let mut sending = Sending::new(Encoder::new().unwrap());
        let wild = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e30].repeat(FRAME_SAMPLES / 4);
        sending.push(wild[..].try_into().unwrap());
        assert!(
            sending.sound[..FRAME_SAMPLES]
                .iter()
                .all(|&sample| sample == 0.0 || sample == 1.0)
        );
        assert!(sending.push(&SILENCE).is_some());
        assert_eq!(sending.failed(), 0);
    }
}
