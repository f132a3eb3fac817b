//! How voice is sent: what the command lines of all phones take.

use clap::Args;

use crate::media::format::{self, Format, Ptime};

/// What may be fixed of the voice that is sent: `--ptime`, `--max-bitrate`.
#[derive(Debug, Clone, Copy, Args)]
pub struct VoiceOptions {
    /// Milliseconds of voice in a packet: 10 for the least delay, 20 for fewer packets. Left to
    /// the phone, it is 20, and 10 where packets get lost
    #[arg(long, global = true, value_name = "10|20")]
    ptime: Option<Ptime>,
    /// The most bits of voice, in kbit/s, with copies for a network that loses packets
    #[arg(
        long,
        global = true,
        value_name = "KBIT/S",
        default_value = "96",
        value_parser = format::bps
    )]
    max_bitrate: u32,
}

impl From<VoiceOptions> for Format {
    fn from(options: VoiceOptions) -> Self {
        Self {
            ptime: options.ptime,
            max_bps: options.max_bitrate,
        }
    }
}
