//! What the command line says, and what it makes of what a person has set.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use codec::{Name, claim::InviteCode};
use registry::client::{Host, Security};

use super::line::Start;
use crate::{
    audio::{Input, Output},
    media::format::Format,
    phone,
    settings::preferences::Preferences,
};

/// What the command line says. What it says counts before what a person has set.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder with the keys of every name, and with what was set.
    pub folder: PathBuf,
    /// The name to go by, if not the one used last.
    pub name: Option<Name>,
    /// The registry, if not the one used last.
    pub registry: Option<Host>,
    /// How registries are talked to.
    pub security: Security,
    /// From the registry's operator, where names are given by invitation.
    pub invite: Option<InviteCode>,
    /// Where the phone listens for others.
    pub listen: SocketAddr,
    /// The microphone, if not the one that was set.
    pub input: Option<Input>,
    /// The loudspeaker, if not the one that was set.
    pub output: Option<Output>,
    /// How voice is sent.
    pub format: Format,
    /// Where it rings, if not where that was set.
    pub ring_on: Option<Output>,
}

impl Options {
    /// With everything as it was set, in this folder.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            name: None,
            registry: None,
            security: Security::Tls,
            invite: None,
            listen: (Ipv4Addr::UNSPECIFIED, 0).into(),
            input: None,
            output: None,
            format: Format::default(),
            ring_on: None,
        }
    }

    /// The phone of a person who has set this.
    #[must_use]
    pub fn start(&self, name: Name, registry: Host, set: &Preferences) -> Start {
        let mut settings = phone::Settings::of_person();
        settings.publish = set.publish;
        settings.callers = set.callers.into();
        Start {
            folder: self.folder.clone(),
            name,
            registry,
            security: self.security,
            invite: self.invite.clone(),
            listen: self.listen,
            input: self.input.clone().unwrap_or_else(|| set.input()),
            output: self.output.clone().unwrap_or_else(|| set.output()),
            format: self.format,
            ring_on: self.ring_on.clone().or_else(|| set.ring_on()),
            settings,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::format::Ptime;

    #[test]
    fn what_the_command_line_says_counts_before_what_was_set() {
        let mut set = Preferences::default();
        set.input = Some("alsa:other".to_owned());
        let options = Options {
            input: Some(Input::Silence),
            format: Format {
                ptime: Some(Ptime::Ten),
                max_bps: 40_000,
            },
            ..Options::new(PathBuf::new())
        };
        let (name, registry) = ("alice".parse().unwrap(), "localhost".parse().unwrap());
        let start = options.start(name, registry, &set);
        assert_eq!(
            (start.input, start.format),
            (Input::Silence, options.format)
        );
    }
}
