//! How voice is sent, as the command lines of all phones say it.

use clap::Args;

use crate::media::format::{self, Format, Ptime};

/// What may be fixed of the voice that is sent.
#[derive(Debug, Clone, Copy, Args)]
pub struct Sent {
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

impl From<Sent> for Format {
    fn from(sent: Sent) -> Self {
        Self {
            ptime: sent.ptime,
            max_bps: sent.max_bitrate,
        }
    }
}
