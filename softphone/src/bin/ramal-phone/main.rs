//! `ramal-phone`: the phone in a terminal, for people, scripts and tests.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use clap::{Args, Parser, Subcommand};
use codec::Name;
use registry::{cli, client::Host};
use softphone::{
    audio::{self, AudioError, Direction},
    engine::{self, Config},
    phone::{SecondCall, Settings, Target},
    settings::{self, Profile},
};

mod conduct;
mod show;

use conduct::{Conduct, Until};
use show::Show;

/// For how long a phone rings.
const RING_FOR: Duration = Duration::from_secs(45);

/// How many people an echo talks to at once.
const ECHO_CALLS_MAX: usize = 16;

/// Calls people by name, and answers them.
///
/// Exit code: 0 a call was established and ended normally, 1 nobody was reached, 2 failed,
/// 130 or 143 when interrupted.
#[derive(Debug, Parser)]
#[command(name = "ramal-phone", version, about, args_override_self = true)]
struct Options {
    #[command(flatten)]
    general: General,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Args)]
struct General {
    /// The registry to register and look up at
    #[arg(
        long,
        global = true,
        value_name = "HOST[:PORT]",
        env = "RAMAL_REGISTRY",
        default_value = "localhost"
    )]
    registry: Host,
    /// The name to go by [default: the one used last]
    #[arg(long, global = true, value_name = "NAME", env = "RAMAL_NAME")]
    name: Option<String>,
    /// The folder with the keys of every name [default: ramal in the user's configuration folder]
    #[arg(long, global = true, value_name = "DIR")]
    config: Option<PathBuf>,
    /// Where to listen for other phones
    #[arg(
        long,
        global = true,
        value_name = "IP:PORT",
        default_value = "0.0.0.0:0"
    )]
    listen: SocketAddr,
    /// The microphone: a device's id or name, FILE.wav, or silence
    #[arg(long, global = true, value_name = "DEV|FILE.wav|silence")]
    input: Option<audio::Input>,
    /// The loudspeaker: a device's id or name, FILE.wav, or none
    #[arg(long, global = true, value_name = "DEV|FILE.wav|none")]
    output: Option<audio::Output>,
    /// Writes one JSON object an event to standard output, and everything else to standard error
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Registers and waits for calls
    Answer {
        /// Takes every call at once
        #[arg(long)]
        auto: bool,
        /// Ends after so many calls
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        calls: Option<u32>,
        /// Gives up when nobody has called for so long
        #[arg(long, value_name = "SECS", value_parser = seconds)]
        timeout: Option<Duration>,
    },
    /// Calls somebody
    Call {
        /// Whom: a name, or a name at an address
        #[arg(value_name = "NAME|NAME@HOST:PORT")]
        target: Target,
        /// Hangs up when the call has lasted so long
        #[arg(long = "for", value_name = "SECS", value_parser = seconds)]
        for_: Option<Duration>,
        /// Gives up when it has rung for so long
        #[arg(long, value_name = "SECS", value_parser = seconds)]
        ring: Option<Duration>,
    },
    /// Answers everybody and sends their voice back
    Echo,
    /// Lists microphones and loudspeakers
    Devices,
}

/// A positive number of seconds, whole or not, up to a year.
fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 31_536_000.0 => {
            Ok(Duration::from_secs_f64(seconds))
        }
        _ => Err("a number of seconds above 0".to_owned()),
    }
}

fn main() -> ExitCode {
    let options: Options = match cli::parse() {
        Ok(options) => options,
        Err(code) => return code,
    };
    let show = Show::new(options.general.json);
    let result = match options.command {
        Command::Devices => devices(&show),
        _ => cli::block_on(run(options, &show)),
    };
    result.unwrap_or_else(|why| cli::complain(2, &why))
}

fn devices(show: &Show) -> Result<ExitCode, String> {
    let listed = audio::devices().map_err(|error| error.to_string())?;
    show.devices(&listed);
    Ok(ExitCode::SUCCESS)
}

async fn run(options: Options, show: &Show) -> Result<ExitCode, String> {
    let Options { general, command } = options;
    let echo = matches!(command, Command::Echo);
    let folder = match general.config {
        Some(folder) => folder,
        None => settings::default_folder().map_err(|error| error.to_string())?,
    };
    let name = name(general.name.as_deref(), &folder)?;
    let (input, output) = sound(echo, general.input, general.output, show).await?;
    let profile = Profile::open(&folder, name.clone(), engine::unix_now())
        .map_err(|error| error.to_string())?;
    let Profile { me, lock: _lock } = profile;
    let ring_for = match &command {
        Command::Call {
            ring: Some(ring), ..
        } => *ring,
        _ => RING_FOR,
    };
    let calls_max = if echo { ECHO_CALLS_MAX } else { 1 };
    let config = Config {
        me,
        registry: general.registry.clone(),
        listen: general.listen,
        input,
        output,
        ringing: None,
        settings: Settings {
            calls_max,
            ring_for,
            second_call: SecondCall::Busy,
            one_at_a_time: !echo,
            publish: true,
        },
    };
    let until = match command {
        Command::Answer {
            auto,
            calls,
            timeout,
        } => Until::Answered {
            auto,
            calls,
            timeout,
        },
        Command::Call { target, for_, .. } => Until::Called {
            target,
            lasting: for_,
        },
        Command::Echo | Command::Devices => Until::Answered {
            auto: true,
            calls: None,
            timeout: None,
        },
    };
    let (handle, driver) = engine::start(config).await.map_err(|error| {
        format!(
            "cannot listen on {}: {error}; use another --listen",
            general.listen
        )
    })?;
    let conduct = Conduct::new(until, name, general.registry, show);
    let mut running = tokio::task::JoinSet::new();
    running.spawn(driver.run());
    let code = conduct.run(handle).await;
    // The driver has ended, or is ended with the set.
    Ok(code)
}

/// Where voice comes from and goes. What cannot work is said before anybody is called.
async fn sound(
    echo: bool,
    input: Option<audio::Input>,
    output: Option<audio::Output>,
    show: &Show,
) -> Result<(audio::Input, audio::Output), String> {
    // Who says where voice comes from, but not where it goes, can do without a loudspeaker where
    // there is none.
    let optional = output.is_none() && input.is_some();
    let input = match input {
        _ if echo => audio::Input::Echo,
        Some(input) => input,
        None => audio::Input::Default,
    };
    let output = match output {
        Some(output) => output,
        None if echo => audio::Output::None,
        None => audio::Output::Default,
    };
    let (checked_input, checked_output) = (input.clone(), output.clone());
    let check = move || audio::check(&checked_input, &checked_output);
    let checked = tokio::task::spawn_blocking(check).await;
    match checked.map_err(|error| error.to_string())? {
        Ok(()) => Ok((input, output)),
        Err(AudioError::NoDevice {
            direction: Direction::Output,
        }) if optional => {
            show.note("no loudspeaker found, so nothing is played; --output FILE.wav records it");
            Ok((input, audio::Output::None))
        }
        Err(error) => Err(error.to_string()),
    }
}

fn name(given: Option<&str>, folder: &std::path::Path) -> Result<Name, String> {
    match given {
        Some(given) => given.parse().map_err(|error| format!("--name: {error}")),
        None => settings::last_name(folder)
            .ok_or_else(|| "who is calling? use --name NAME the first time".to_owned()),
    }
}
