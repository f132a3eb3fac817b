//! `ramal-phone`: the phone in a terminal, for people, scripts and tests.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::{Arg, Args, Parser, Subcommand, ValueEnum};
use codec::{Name, claim::InviteCode};
use registry::{
    cli,
    client::{Access, Host, Security},
    known::KnownRegistries,
};
use softphone::{
    audio::{self, AudioError, Direction},
    board::Board,
    control::Client,
    engine::{self, Config},
    phone::{Callers, SecondCall, Settings, Target},
    settings::{self, Profile, VoiceOptions},
};

mod conduct;
mod contacts;
mod desk;
mod directory;
mod escape;
mod fixture;
mod help;
mod history;
mod identity;
mod keys;
mod outlet;
mod recovery;
mod refused;
mod running;
mod screen;
mod show;
mod signals;
mod terminal;
mod typed;

use conduct::{Conduct, Hands, Until};
use desk::Desk;
use escape::printable;
use keys::{Decoder, Lines};
use recovery::Grant;
use running::Wanted;
use show::Show;
use terminal::Terminal;

/// For how long a phone rings.
const RING_FOR: Duration = Duration::from_secs(45);

/// How many calls a person has at once: one is spoken in, the others are held or ring.
const PERSON_CALLS_MAX: usize = 4;

/// How many people an echo talks to at once.
const ECHO_CALLS_MAX: usize = 16;

/// Calls people by name, and answers them.
///
/// On a terminal, single keys accept, hold, mute and hang up; `?` lists them, and the row at the
/// bottom shows those that do something now. Where there is only a simple terminal, or no screen,
/// the same letters are typed with Enter.
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
    /// Talks to that registry without encryption; everybody on the way can read and change what is
    /// said. What phones say to each other is encrypted all the same
    #[arg(long, global = true)]
    plain: bool,
    /// The name to go by [default: the one used last]
    #[arg(long, global = true, value_name = "NAME", env = "RAMAL_NAME")]
    name: Option<String>,
    /// The folder with the keys of every name [default: ramal in the user's configuration folder]
    #[arg(long, global = true, value_name = "DIR")]
    config: Option<PathBuf>,
    /// From the registry's operator, where names are given by invitation
    #[arg(long, global = true, value_name = "CODE", value_parser = settings::invite)]
    invite: Option<InviteCode>,
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
    /// The loudspeaker: a device's id or name, FILE.wav (a second call goes to FILE-2.wav), or none
    #[arg(long, global = true, value_name = "DEV|FILE.wav|none")]
    output: Option<audio::Output>,
    #[command(flatten)]
    voice: VoiceOptions,
    /// Where it rings, if not where voice goes: a device's id or name, or none
    #[arg(long, global = true, value_name = "DEV|none")]
    ring_on: Option<audio::Output>,
    /// One call at a time: whoever calls meanwhile hears that this phone is busy, instead of
    /// waiting. Always so with --auto, with an input file, and for a call without a terminal
    #[arg(long, global = true)]
    busy: bool,
    /// Tells nobody whether the person is there, busy or away
    #[arg(long, global = true)]
    private: bool,
    /// Who may call. Whoever may not hears that you take no call from them, and not why
    #[arg(long, global = true, value_enum, default_value_t = MayCall::Everyone)]
    callers: MayCall,
    /// Begins undisturbed: nobody can call until the key `z` ends it
    #[arg(long, global = true)]
    dnd: bool,
    /// Shows nobody where this phone is before a call is taken: no address in lookups, everything
    /// through the registry, calls by name only
    #[arg(long, global = true)]
    hidden: bool,
    /// Writes one JSON object an event to standard output, and everything else to standard error
    #[arg(long, global = true)]
    json: bool,
    /// Writes every message sent and received to standard error, without secrets. Times are UTC's
    #[arg(long, global = true)]
    log: bool,
}

/// Who may call.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum MayCall {
    /// Everybody who is not blocked
    Everyone,
    /// Those with whom there has been a call before
    Contacts,
    /// Nobody
    Nobody,
}

impl From<MayCall> for Callers {
    fn from(who: MayCall) -> Self {
        match who {
            MayCall::Everyone => Self::Everyone,
            MayCall::Contacts => Self::Contacts,
            MayCall::Nobody => Self::Nobody,
        }
    }
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
    /// The calls that are over; missed ones are marked
    #[command(args = about_no_call())]
    History {
        #[command(subcommand)]
        command: Option<history::Command>,
    },
    /// Commands the phone of this name that runs already, in a window or another terminal
    #[command(subcommand, args = about_no_call())]
    Control(running::Command),
    /// The registries that were met, whose keys are remembered
    #[command(args = about_no_call())]
    Registries {
        #[command(subcommand)]
        command: Registries,
    },
    /// Shows, backs up, moves, changes or recovers the identity behind the name
    #[command(subcommand, args = about_no_call())]
    Identity(identity::Command),
    /// Lists whom this name knows; verifies, forgets or blocks them, also while the phone runs
    #[command(subcommand, args = about_no_call())]
    Contacts(contacts::Command),
}

/// The options that are about calls. Where there is no call they are understood, and not shown.
const ABOUT_CALLS: [&str; 11] = [
    "ptime",
    "max_bitrate",
    "listen",
    "input",
    "output",
    "ring_on",
    "busy",
    "private",
    "callers",
    "dnd",
    "hidden",
];

/// These options, for a command whose help does not show them.
fn about_no_call() -> Vec<Arg> {
    let general = General::augment_args(clap::Command::new("general"));
    let about_calls = |arg: &&Arg| ABOUT_CALLS.contains(&arg.get_id().as_str());
    let hidden = general.get_arguments().filter(about_calls);
    hidden.map(|arg| arg.clone().hide(true)).collect()
}

#[derive(Debug, Subcommand)]
enum Registries {
    /// Lists them, with the fingerprints of their keys
    List,
    /// Forgets a registry's key, so that it is met for the first time again
    Forget {
        /// Which one
        #[arg(value_name = "HOST[:PORT]")]
        host: Host,
    },
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
    let show = Show::new(options.general.json, options.general.log);
    let Options { general, command } = options;
    let result = match command {
        Command::Devices => devices(&show),
        Command::Registries { command } => registries(&command, &general, &show),
        Command::Identity(command) => identity::run(command, &general, &show),
        Command::Contacts(command) => contacts::run(&command, &general, &show),
        Command::History { command } => history::run(command.as_ref(), &general, &show),
        Command::Control(command) => running::run(&command, &general, &show),
        command => cli::block_on_one(run(general, command, &show)),
    };
    show.finish();
    result.unwrap_or_else(|why| cli::complain(2, &printable(&why)))
}

fn devices(show: &Show) -> Result<ExitCode, String> {
    let listed = audio::devices().map_err(|error| error.to_string())?;
    show.devices(&listed);
    Ok(ExitCode::SUCCESS)
}

fn registries(command: &Registries, general: &General, show: &Show) -> Result<ExitCode, String> {
    let known = KnownRegistries::in_folder(&general.folder()?);
    match command {
        Registries::List => {
            let listed = known.list().map_err(|error| error.to_string())?;
            show.registries(&listed);
            Ok(ExitCode::SUCCESS)
        }
        Registries::Forget { host } => match known.forget(host) {
            Ok(0) => Ok(cli::complain(
                2,
                &format!("{host} is not known (ramal-phone registries list)"),
            )),
            Ok(_) => {
                show.say(&format!(
                    "{host} is forgotten; if it shows another key from now on, its names count as \
                     new, also those of verified contacts"
                ));
                Ok(ExitCode::SUCCESS)
            }
            Err(error) => Err(error.to_string()),
        },
    }
}

impl General {
    /// The folder with the keys of every name.
    fn folder(&self) -> Result<PathBuf, String> {
        match &self.config {
            Some(folder) => Ok(folder.clone()),
            None => settings::default_folder().map_err(|error| error.to_string()),
        }
    }

    /// How registries are talked to, and which ones are known.
    fn access(&self, folder: &Path) -> Access {
        let security = match self.plain {
            true => Security::Plain,
            false => Security::Tls,
        };
        Access::of("ramal-phone", folder).with(security)
    }
}

async fn run(general: General, command: Command, show: &Show) -> Result<ExitCode, String> {
    let echo = matches!(command, Command::Echo);
    let folder = general.folder()?;
    let access = general.access(&folder);
    let name = name(general.name.as_deref(), &folder)?;
    if let Command::Call { target, for_, ring } = &command
        && let Ok(phone) = Client::connect(&folder, &name).await
    {
        let wanted = Wanted {
            target: target.clone(),
            lasting: *for_,
            ring: *ring,
        };
        return running::call(phone, &name, wanted, show).await;
    }
    let format = general.voice.into();
    let (input, output) = sound(echo, general.input, general.output, show).await?;
    let ringing = match general.ring_on {
        Some(ringing) if !echo => Some(ringing_on(ringing).await?),
        _ => None,
    };
    let hands = hands(&command, general.json);
    let settings = Settings {
        callers: general.callers.into(),
        dnd: general.dnd,
        hidden: general.hidden,
        ..settings(&command, &hands, &input, general.busy, !general.private)
    };
    if settings.hidden {
        show.note(
            "hidden: nobody is told where this phone is before a call is taken; a call that is \
             taken shows the two phones each other's addresses, until there is a relay",
        );
    }
    let board = Board::new(name.clone(), general.registry.clone(), &settings);
    let may_call = matches!(command, Command::Answer { .. });
    let desk = Desk::new(board, settings.calls_max, may_call);
    let profile = Profile::open(&folder, name.clone(), engine::unix_now())
        .map_err(|error| error.to_string())?;
    let Profile {
        mut me,
        disk,
        recovery,
    } = profile;
    me.claim.invite = general.invite;
    let grant = Grant {
        recovery,
        last: Some((folder, name.clone())),
    };
    let broke_off = disk.folder().next().map_err(|error| error.to_string())?;
    if broke_off.is_some() {
        show.note(&format!(
            "a change of {name}'s identity broke off: ramal-phone --name {name} identity rotate \
             finds out what came of it"
        ));
    }
    let config = Config {
        me,
        disk: Some(disk),
        registry: general.registry.clone(),
        access,
        listen: general.listen,
        input,
        output,
        format,
        ringing,
        has_window: false,
        settings,
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
        _ => Until::Answered {
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
    let mut running = tokio::task::JoinSet::new();
    running.spawn(driver.run());
    let code = Conduct::run(until, general.registry, show, hands, desk, grant, handle).await;
    // The driver has ended, or is ended with the set.
    Ok(code)
}

/// How a person types, if one can.
fn hands(command: &Command, json: bool) -> Hands {
    let terminal = match json {
        true => None,
        false => Terminal::open(),
    };
    // What is no terminal is read only by a phone that waits to be told what to do.
    let asks = matches!(command, Command::Answer { auto: false, .. });
    match terminal {
        Some(terminal) => Hands::Keys(terminal, Decoder::default()),
        None if asks || terminal::is_typed_by_hand() => Hands::Typed(Lines::default()),
        None => Hands::Off,
    }
}

/// How many calls there can be, and what becomes of a second one.
fn settings(
    command: &Command,
    hands: &Hands,
    input: &audio::Input,
    busy: bool,
    publish: bool,
) -> Settings {
    let ring_for = match command {
        Command::Call {
            ring: Some(ring), ..
        } => *ring,
        _ => RING_FOR,
    };
    let by_file = matches!(input, audio::Input::File(_));
    let by_person = match command {
        Command::Answer { auto, .. } => !auto,
        Command::Call { .. } => matches!(hands, Hands::Keys(..)),
        _ => false,
    };
    let (calls_max, second_call) = match command {
        Command::Echo => (ECHO_CALLS_MAX, SecondCall::Offer),
        _ if by_person && !by_file && !busy => (PERSON_CALLS_MAX, SecondCall::Offer),
        _ => (1, SecondCall::Busy),
    };
    Settings {
        calls_max,
        ring_for,
        second_call,
        one_at_a_time: !matches!(command, Command::Echo),
        publish,
        callers: Callers::Everyone,
        dnd: false,
        hidden: false,
    }
}

/// Where it rings, as long as that can be used.
async fn ringing_on(ringing: audio::Output) -> Result<audio::Output, String> {
    if let audio::Output::File(path) = &ringing {
        return Err(format!(
            "--ring-on: {} is a file; name a device, or none",
            path.display()
        ));
    }
    let checked = ringing.clone();
    let check = move || audio::check(&audio::Input::Silence, &checked);
    let checked = tokio::task::spawn_blocking(check).await;
    let checked = checked.map_err(|error| error.to_string())?;
    checked.map_err(|error| format!("--ring-on: {error}"))?;
    Ok(ringing)
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

fn name(given: Option<&str>, folder: &Path) -> Result<Name, String> {
    match given {
        Some(given) => given.parse().map_err(|error| format!("--name: {error}")),
        None => settings::last_name(folder)
            .ok_or_else(|| "no name yet: use --name NAME the first time".to_owned()),
    }
}
