//! What goes into the engine and what comes out of it.

use std::{net::SocketAddr, time::Duration};

use codec::{CallId, IdentityKey};
use registry::client::{Access, Host};
use tokio::sync::mpsc;

use super::{Path, Views, Warning};
use crate::{
    audio::{self, Levels},
    history,
    media::{format::Format, silence::Heard, stats::VoiceReport},
    phone::{self, Me, Settings, Why},
    settings::Disk,
};

/// How a phone is set up.
#[derive(Debug)]
pub struct Config {
    /// Whose phone it is.
    pub me: Me,
    /// Where it keeps what is to stay; `None` is nowhere.
    pub disk: Option<Disk>,
    /// The registry that it registers at.
    pub registry: Host,
    /// How it connects, and which registries it knows.
    pub access: Access,
    /// Where it listens for other phones; the unspecified address means everywhere.
    pub listen: SocketAddr,
    /// Where voice comes from.
    pub input: audio::Input,
    /// Where voice goes.
    pub output: audio::Output,
    /// How voice is sent.
    pub format: Format,
    /// Where an incoming call rings; `None` is where voice goes.
    pub ringing: Option<audio::Output>,
    /// There is a window, which can be asked for.
    pub has_window: bool,
    /// What may differ from phone to phone.
    pub settings: Settings,
}

/// What the person wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Of registration and calls.
    Phone(phone::Command),
    /// Send silence in place of the microphone in every call, or the microphone again.
    Mute(bool),
    /// Take voice from there, in the calls that there are and in those to come. What cannot be used
    /// is a [`Event::Warning`], and what was in use goes on.
    Input(audio::Input),
    /// Play voice there, likewise; and ring there, unless that is somewhere else.
    Output(audio::Output),
    /// Let incoming calls ring there; `None` is where voice goes.
    RingOn(Option<audio::Output>),
    /// How loud the microphone is sent, or the loudspeaker plays, in all calls.
    Volume(audio::Direction, audio::Volume),
    /// Forget the calls that are over, or take note that the missed ones have been seen.
    History(history::Change),
}

impl From<phone::Command> for Command {
    fn from(command: phone::Command) -> Self {
        Self::Phone(command)
    }
}

/// What a person may want to know.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Of registration and calls.
    Phone(phone::Event),
    /// Figures of a call that is up.
    Stats {
        /// Which one.
        call: CallId,
        /// Of the voice that came in.
        voice: VoiceReport,
        /// There and back, once it is known.
        round_trip: Option<Duration>,
    },
    /// How loud a call that is up is; ten times a second, for whoever reads fast enough.
    Levels {
        /// Which one.
        call: CallId,
        /// How loud.
        levels: Levels,
    },
    /// The microphone is gone, or the input file cannot be read on; the other side hears silence.
    InputLost {
        /// In which call.
        call: CallId,
        /// What the system says.
        why: String,
    },
    /// The microphone that was gone is back.
    InputBack {
        /// In which call.
        call: CallId,
    },
    /// The output is gone, or the output file cannot be written on; the call goes on unheard.
    OutputLost {
        /// In which call.
        call: CallId,
        /// What the system says.
        why: String,
    },
    /// The loudspeaker that was gone is back, and the call is heard again.
    OutputBack {
        /// In which call.
        call: CallId,
    },
    /// What is in use, after a change that a person wanted; also after one that could not be made,
    /// of which a [`Event::Warning`] says why.
    Devices {
        /// Where voice comes from.
        input: audio::Input,
        /// Where voice goes.
        output: audio::Output,
        /// Where incoming calls ring; `None` is where voice goes.
        ring_on: Option<audio::Output>,
    },
    /// How voice gets to the peer: told once it is known, and when it changes.
    Path {
        /// In which call.
        call: CallId,
        /// By which way, and to where.
        path: Path,
    },
    /// What comes from the peer has changed: nothing for 5 s, or nothing but silence, or sound
    /// again. A call begins with sound, and one that is held has it.
    Unheard {
        /// In which call.
        call: CallId,
        /// What comes now.
        heard: Heard,
    },
    /// The microphone has said nothing for 5 s, or says something again. It says something at the
    /// beginning, and while it is muted, turned down to nothing or not in use.
    Unspoken {
        /// In which call.
        call: CallId,
        /// It says something.
        spoken: bool,
    },
    /// The input file has been played to its end.
    InputEnded {
        /// In which call.
        call: CallId,
    },
    /// A registry was met for the first time; its key is remembered, and no other is taken there.
    RegistryMet {
        /// Where.
        host: Host,
        /// The key that it has proven.
        key: IdentityKey,
    },
    /// Who listens there may be somebody else than the registry that was met: it has another key,
    /// or cannot prove the one it shows, or it cannot be told what is known. It comes again
    /// whenever the phone tries again.
    RegistryUntrusted {
        /// Where.
        host: Host,
        /// What happened.
        why: Why,
    },
    /// A registry takes no connection from this phone: its operator has banned the identity, or it
    /// wants an encrypted one. It comes again whenever the phone tries again.
    RegistryTurnsAway {
        /// Where.
        host: Host,
        /// What it answered.
        why: Why,
    },
    /// Somebody had the phone do this: several can command one phone, and all of them show the
    /// same. It is told before what comes of it, of muting, answering, being away, not being
    /// disturbed, who may call, what is published, and the end.
    Commanded(Command),
    /// The person asks for the window.
    Front,
    /// Something is wrong that a person can mend.
    Warning(Warning),
}

/// What talks to a phone that runs.
#[derive(Debug)]
pub struct Handle {
    /// What the person wants.
    pub commands: mpsc::Sender<Command>,
    /// What the person may want to know. Ends when the phone has stopped.
    pub events: mpsc::Receiver<Event>,
    /// Where the phone listens for others; nowhere if it is hidden.
    pub listening: Option<SocketAddr>,
    /// How everything is now.
    pub views: Views,
}
