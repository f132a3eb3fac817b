//! Opus (RFC 6716) in types that cannot be misused: packets are vetted, what comes out is clamped.

use ::opus::{Application, Bandwidth, Bitrate, Channels, Error, Signal, packet::get_nb_samples};

use crate::media::{PACKET_SAMPLES_MAX, SAMPLE_RATE};

/// The most bytes in a packet of one frame (RFC 6716, 3.2.1, and the TOC byte).
const PAYLOAD_BYTES_MAX: usize = 1_275 + 1;

/// Conceals in steps of 2.5 ms.
const GRAIN_SAMPLES: usize = 120;

/// Makes sound into packets: fullband mono for voice, variable rate, without DTX.
pub struct Encoder {
    opus: ::opus::Encoder,
    payload: [u8; PAYLOAD_BYTES_MAX],
}

impl Encoder {
    /// An encoder for 48 kHz, at the bits per second that libopus finds right.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn new() -> Result<Self, Error> {
        let mut opus = ::opus::Encoder::new(SAMPLE_RATE, Channels::Mono, Application::Audio)?;
        opus.set_vbr(true)?;
        opus.set_max_bandwidth(Bandwidth::Fullband)?;
        opus.set_signal(Signal::Voice)?;
        opus.set_inband_fec(false)?;
        opus.set_dtx(false)?;
        Ok(Self {
            opus,
            payload: [0; PAYLOAD_BYTES_MAX],
        })
    }

    /// Aims at so many bits per second from now on: 500 to 512,000, or what is nearest.
    pub fn set_bitrate(&mut self, bps: u32) {
        let bps = i32::try_from(bps.clamp(500, 512_000)).unwrap_or(i32::MAX);
        // What an encoder that exists refuses leaves it as it was.
        let _ = self.opus.set_bitrate(Bitrate::Bits(bps));
    }

    /// How far it looks ahead, in samples.
    pub(super) fn lookahead(&mut self) -> u32 {
        let samples = self.opus.get_lookahead().unwrap_or(0);
        u32::try_from(samples).unwrap_or(0)
    }

    /// Makes so much effort: 0 to 10, or what is nearest.
    pub(super) fn set_complexity(&mut self, complexity: u8) {
        // What an encoder that exists refuses leaves it as it was.
        let _ = self.opus.set_complexity(complexity.min(10).into());
    }

    #[cfg(test)]
    pub(super) fn complexity(&mut self) -> i32 {
        self.opus.get_complexity().unwrap()
    }

    /// Spends bits of each packet on the one before it (in-band FEC), for a network that loses so
    /// many of 100; zero is none. Packets of less than some 10 kbit/s have none in any case.
    pub(super) fn set_fec(&mut self, lost_percent: u8) {
        // What an encoder that exists refuses leaves it as it was.
        let _ = self.opus.set_inband_fec(lost_percent > 0);
        let _ = self.opus.set_packet_loss_perc(lost_percent.min(100).into());
    }

    /// The packet for `samples`, 10 or 20 ms between -1.0 and 1.0. It ends with what came 6.5 ms
    /// before the end of `samples`: the encoder looks that far ahead.
    ///
    /// # Errors
    /// `samples` are of another length, or libopus fails.
    pub fn encode(&mut self, samples: &[f32]) -> Result<&[u8], Error> {
        let length = self.opus.encode_float(samples, &mut self.payload)?;
        Ok(&self.payload[..length])
    }
}

/// Makes packets of any sender into sound: mono, between -1.0 and 1.0.
pub struct Decoder {
    opus: ::opus::Decoder,
    sound: Box<[f32; PACKET_SAMPLES_MAX]>,
}

impl Decoder {
    /// A decoder for 48 kHz that has heard nothing.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn new() -> Result<Self, Error> {
        Ok(Self {
            opus: ::opus::Decoder::new(SAMPLE_RATE, Channels::Mono)?,
            sound: Box::new([0.0; PACKET_SAMPLES_MAX]),
        })
    }

    /// The sound in `payload`, up to 120 ms; `None` when it is no Opus packet, whatever it says
    /// it is. The decoder is then as it was, so that [`Decoder::conceal`] can fill in.
    pub fn decode(&mut self, payload: &[u8]) -> Option<&[f32]> {
        self.decoded(payload, false)
    }

    /// The sound of the packet before `payload`, which has FEC and one frame; as
    /// [`Decoder::decode`].
    pub(super) fn decode_fec(&mut self, payload: &[u8]) -> Option<&[f32]> {
        self.decoded(payload, true)
    }

    fn decoded(&mut self, payload: &[u8], fec: bool) -> Option<&[f32]> {
        // An empty packet would ask for concealment.
        let samples = get_nb_samples(payload, SAMPLE_RATE).ok()?;
        let sound = self.sound.get_mut(..samples)?;
        let length = self.opus.decode_float(payload, sound, fec).ok()?;
        Some(clamped(&mut self.sound[..length]))
    }

    /// Forgets what was decoded before, so that none of it sounds in what comes next.
    pub fn forget(&mut self) {
        // A decoder that exists can be reset; one that could not goes on as it was.
        let _ = self.opus.reset_state();
    }

    /// `samples` of sound like what was decoded before, fading out. Rounded down to a multiple
    /// of 120, at most 5760.
    pub fn conceal(&mut self, samples: u32) -> &[f32] {
        let samples = usize::try_from(samples)
            .unwrap_or(usize::MAX)
            .min(PACKET_SAMPLES_MAX);
        let sound = &mut self.sound[..samples / GRAIN_SAMPLES * GRAIN_SAMPLES];
        if !sound.is_empty() && self.opus.decode_float(&[], sound, false).is_err() {
            sound.fill(0.0);
        }
        clamped(sound)
    }
}

/// A hostile or clipped packet can decode to more than full scale, and to no number at all.
fn clamped(sound: &mut [f32]) -> &[f32] {
    for sample in sound.iter_mut() {
        *sample = if sample.is_finite() {
            sample.clamp(-1.0, 1.0)
        } else {
            0.0
        };
    }
    sound
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use rand_chacha::{
        ChaCha8Rng,
        rand_core::{Rng, SeedableRng},
    };

    use super::*;
    use crate::media::{opus_fec, opus_samples};

    #[test]
    fn a_packet_tells_its_length_as_libopus_reads_it() {
        for toc in 0..=255u8 {
            for second in 0..=255u8 {
                let payload = [toc, second, 0, 0];
                let theirs = get_nb_samples(&payload, SAMPLE_RATE).ok();
                let ours = opus_samples(&payload).map(|samples| samples as usize);
                // libopus takes a packet that announces no frame at all for one of no length.
                assert_eq!(ours, theirs.filter(|&samples| samples > 0), "{payload:?}");
            }
        }
        assert_eq!(opus_samples(&[]), None);
        assert_eq!(opus_samples(&[3]), None);
    }

    #[test]
    fn any_bytes_decode_to_finite_clamped_sound_or_to_nothing() {
        let seed = 7;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut decoder = Decoder::new().unwrap();
        let mut decoded = 0;
        for round in 0..3_000 {
            let mut payload = vec![0; (random.next_u32() % 200) as usize];
            random.fill_bytes(&mut payload);
            let Some(sound) = decoder.decode(&payload) else {
                let fill = decoder.conceal(random.next_u32() % 10_000);
                assert!(fill.iter().all(|sample| sample.abs() <= 1.0), "seed {seed}");
                continue;
            };
            decoded += 1;
            assert_eq!(
                Some(sound.len()),
                opus_samples(&payload).map(|n| n as usize)
            );
            assert!(
                sound.iter().all(|sample| sample.abs() <= 1.0),
                "seed {seed} round {round}"
            );
        }
        assert!(decoded > 300, "only {decoded} were taken for Opus");
    }

    #[test]
    fn concealment_continues_a_tone_and_fades_to_silence() {
        let mut encoder = Encoder::new().unwrap();
        let mut decoder = Decoder::new().unwrap();
        let loudness = |sound: &[f32]| sound.iter().map(|sample| sample * sample).sum::<f32>();
        let mut heard = 0.0;
        for packet in 0..20 {
            let samples: [f32; 960] = std::array::from_fn(|n| {
                let time = (packet * 960 + n) as f32 / SAMPLE_RATE as f32;
                0.5 * (time * 220.0 * TAU).sin()
            });
            let payload = encoder.encode(&samples).unwrap();
            assert!(
                (20..=200).contains(&payload.len()),
                "{} bytes",
                payload.len()
            );
            heard = loudness(decoder.decode(payload).unwrap());
        }
        let first = loudness(decoder.conceal(960));
        assert!(first > heard / 4.0, "{first} after {heard}");
        let last = (0..50)
            .map(|_| loudness(decoder.conceal(960)))
            .last()
            .unwrap();
        assert!(last < heard / 1_000.0, "{last} after {heard}");
        assert_eq!(decoder.conceal(119).len(), 0);
        assert_eq!(decoder.conceal(u32::MAX).len(), PACKET_SAMPLES_MAX);
    }

    #[test]
    fn a_packet_with_fec_brings_back_the_one_before_it() {
        for ptime in [480, 960_u16] {
            let mut encoder = Encoder::new().unwrap();
            encoder.set_bitrate(24_000);
            let mut packets = |lost_percent| {
                encoder.set_fec(lost_percent);
                let mut packets = Vec::new();
                for packet in 0..100_u16 {
                    let samples: Vec<f32> = (0..ptime)
                        .map(|n| {
                            let n = u32::from(packet) * u32::from(ptime) + u32::from(n);
                            let time = n as f32 / SAMPLE_RATE as f32;
                            let tone = |h: u8| (f32::from(h) * time * 140.0 * TAU).sin();
                            0.1 * (time * 2.0 * TAU).sin() * (1..20).map(tone).sum::<f32>()
                        })
                        .collect();
                    packets.push(encoder.encode(&samples).unwrap().to_vec());
                }
                packets
            };
            assert!(packets(0).iter().all(|packet| opus_fec(packet).is_none()));
            let packets = packets(10);
            let with_fec = packets.iter().filter(|packet| opus_fec(packet).is_some());
            assert!(with_fec.count() > 60);
            let (mut whole, mut lossy) = (Decoder::new().unwrap(), Decoder::new().unwrap());
            let (mut error, mut power) = (0.0, 0.0);
            for (n, packet) in packets.iter().enumerate() {
                let said = whole.decode(packet).unwrap().to_vec();
                let next = packets.get(n + 1);
                let made_good = next.filter(|next| n % 7 == 6 && opus_fec(next).is_some());
                let Some(next) = made_good else {
                    lossy.decode(packet);
                    continue;
                };
                assert_eq!(opus_fec(next), Some(u32::from(ptime)));
                let heard = lossy.decode_fec(next).unwrap();
                assert_eq!(heard.len(), said.len());
                for (said, heard) in said.iter().zip(heard) {
                    power += said * said;
                    error += (said - heard) * (said - heard);
                }
            }
            assert!(power > 0.0 && error < 0.2 * power, "{error} of {power}");
        }
    }

    #[test]
    fn what_is_said_of_fec_is_what_libopus_says() {
        let seed = 3;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut decoder = Decoder::new().unwrap();
        for toc in 0..=255u8 {
            let mut payload = [0; 40];
            random.fill_bytes(&mut payload);
            payload[0] = toc;
            let samples = opus_fec(&payload);
            assert!(samples.is_none() || toc < 128 && toc & 3 == 0);
            if samples.is_some() {
                let sound = decoder.decode_fec(&payload).map(<[f32]>::len);
                assert_eq!(sound, samples.map(|samples| samples as usize), "{seed}");
            }
        }
        assert_eq!([opus_fec(&[]), opus_fec(&[0])], [None; 2]);
    }
}
