//! `ramal-softphone`: the phone in a window.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::Parser;
use codec::{Name, claim::InviteCode};
use registry::{
    cli,
    client::{Host, Security},
};
use softphone::{
    audio, control,
    gui::{self, Options},
    settings::{self, VoiceOptions},
};

/// Calls people by name, in a window.
///
/// What is given here counts before what was set in the window. The same phone in a terminal is
/// ramal-phone.
#[derive(Debug, Parser)]
#[command(name = "ramal-softphone", version, about, args_override_self = true)]
struct Given {
    /// The registry to register and look up at [default: the one used last]
    #[arg(long, value_name = "HOST[:PORT]", env = "RAMAL_REGISTRY")]
    registry: Option<Host>,
    /// Talks to that registry without encryption; everybody on the way can read and change what is
    /// said. What phones say to each other is encrypted all the same
    #[arg(long)]
    plain: bool,
    /// The name to go by [default: the one used last]
    #[arg(long, value_name = "NAME", env = "RAMAL_NAME")]
    name: Option<Name>,
    /// The folder with the keys of every name [default: ramal in the user's configuration folder]
    #[arg(long, value_name = "DIR")]
    config: Option<PathBuf>,
    /// From the registry's operator, where names are given by invitation
    #[arg(long, value_name = "CODE", value_parser = settings::invite)]
    invite: Option<InviteCode>,
    /// Where to listen for other phones
    #[arg(long, value_name = "IP:PORT", default_value = "0.0.0.0:0")]
    listen: SocketAddr,
    /// The microphone: a device's id or name, FILE.wav, or silence [default: as it was set]
    #[arg(long, value_name = "DEV|FILE.wav|silence")]
    input: Option<audio::Input>,
    /// The loudspeaker: a device's id or name, FILE.wav, or none [default: as it was set]
    #[arg(long, value_name = "DEV|FILE.wav|none")]
    output: Option<audio::Output>,
    #[command(flatten)]
    voice: VoiceOptions,
    /// Where it rings: a device's id or name, or none [default: as it was set]
    #[arg(long, value_name = "DEV|none")]
    ring_on: Option<audio::Output>,
}

fn main() -> ExitCode {
    let given: Given = match cli::parse() {
        Ok(given) => given,
        Err(code) => return code,
    };
    let folder = match given.config {
        Some(folder) => Ok(folder),
        None => settings::default_folder(),
    };
    let folder = match folder {
        Ok(folder) => folder,
        Err(why) => {
            // Who clicked on an icon reads no terminal.
            let complained = cli::complain(2, &why.to_string());
            let _ = look::display::run(gui::no_folder::say, || ());
            return complained;
        }
    };
    // One program a profile: a second start brings the first to the front. A phone in a terminal
    // has no window to bring; then this one opens, and says that the name is in use.
    let name = given.name.clone().or_else(|| settings::last_name(&folder));
    if let Some(name) = name
        && control::bring_to_front(&folder, &name).is_ok()
    {
        return cli::complain(
            0,
            &format!("{name}'s phone runs already, and was asked to show itself"),
        );
    }
    let options = Options {
        name: given.name,
        registry: given.registry,
        security: match given.plain {
            true => Security::Plain,
            false => Security::Tls,
        },
        invite: given.invite,
        listen: given.listen,
        input: given.input,
        output: given.output,
        format: given.voice.into(),
        ring_on: given.ring_on,
        ..Options::new(folder)
    };
    match look::display::run(|| gui::run(options), || ()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            let why = format!("{why}; ramal-phone is the same phone in a terminal");
            cli::complain(2, &why)
        }
    }
}
