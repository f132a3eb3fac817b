//! How loud a call is, both ways, for a meter.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::media::Frame;

/// What is told of silence: as quiet as 16 bits can say.
const SILENT_DBFS: f32 = -96.0;

/// How loud it was since this was last asked: the peaks, in dB relative to full scale, from -96,
/// which is also silence, to 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Levels {
    /// What was sent, after the microphone's volume, since that is what the peer gets. Silence
    /// while muted or held.
    pub sent_dbfs: f32,
    /// What came, before the loudspeaker's volume, so that a peer who speaks is seen to speak also
    /// when it is turned down. Silence while held.
    pub heard_dbfs: f32,
}

/// The loudest sample since it was last taken, as the bits of a float: of floats that are not
/// negative the greater one has the greater bits.
#[derive(Debug, Default)]
pub(super) struct Peak(AtomicU32);

impl Peak {
    /// Takes note of 10 ms.
    pub(super) fn note(&self, frame: &Frame) {
        // The greater of a number and of what is none is the number.
        let peak = frame
            .iter()
            .fold(0.0f32, |peak, sample| peak.max(sample.abs()));
        self.0.fetch_max(peak.min(1.0).to_bits(), Relaxed);
    }

    /// The peak in dBFS, and begins anew.
    pub(super) fn take_dbfs(&self) -> f32 {
        let peak = f32::from_bits(self.0.swap(0, Relaxed));
        (20.0 * peak.log10()).max(SILENT_DBFS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::SILENCE;

    #[test]
    fn the_loudest_sample_since_the_last_question_is_told() {
        let peak = Peak::default();
        assert_eq!(peak.take_dbfs(), SILENT_DBFS);
        let mut frame = SILENCE;
        frame[7] = -0.5;
        frame[9] = f32::NAN;
        peak.note(&frame);
        peak.note(&SILENCE);
        let dbfs = peak.take_dbfs();
        assert!((dbfs + 6.02).abs() < 0.01, "{dbfs}");
        assert_eq!(peak.take_dbfs(), SILENT_DBFS);
        peak.note(&[3.0; 480]);
        assert_eq!(peak.take_dbfs(), 0.0);
    }
}
