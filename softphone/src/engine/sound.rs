//! Which devices the phone uses, and how loud: what a person changes while it runs.
//!
//! Whether a device can be used takes a sound server's answer, so it is asked for beside everything
//! else: one question at a time for each place, and of those that a person asks meanwhile the
//! newest is next.

use std::io;

use super::{Command, Driver, Event, News, media::Media};
use crate::audio::{self, AudioError, Direction, Tones, Voice, Volume};

/// What the phone sounds like, whatever calls there are.
#[derive(Debug)]
pub(super) struct Sounds {
    pub(super) input: audio::Input,
    pub(super) output: audio::Output,
    pub(super) tones: Tones,
    pub(super) muted: bool,
    /// How many calls have had sound, and how many numbers of their files were taken.
    pub(super) calls: u32,
    input_volume: Volume,
    output_volume: Volume,
    /// Questions that wait for an answer, one of each kind.
    asking: [Asking; 3],
}

/// What sounds where.
#[derive(Debug, Clone)]
pub(super) enum Place {
    Input(audio::Input),
    Output(audio::Output),
    RingOn(Option<audio::Output>),
}

/// Whether a place is being asked for.
#[derive(Debug, Default)]
enum Asking {
    #[default]
    No,
    /// And what is to be asked next.
    Yes(Option<Place>),
}

/// Whether something can be used from now on.
#[derive(Debug)]
pub(super) struct Changed {
    place: Place,
    result: Result<(), AudioError>,
}

impl Sounds {
    /// Starts the thread for tones.
    ///
    /// # Errors
    /// The system has no thread left.
    pub(super) fn start(
        input: audio::Input,
        output: audio::Output,
        ringing: Option<audio::Output>,
    ) -> io::Result<Self> {
        Ok(Self {
            tones: Tones::start(ringing, output.clone())?,
            input,
            output,
            muted: false,
            calls: 0,
            input_volume: Volume::NORMAL,
            output_volume: Volume::NORMAL,
            asking: Default::default(),
        })
    }

    /// Has a voice that was opened sound like the others.
    pub(super) fn set_up(&self, voice: &Voice) {
        voice.mute(self.muted);
        voice.volume(Direction::Input, self.input_volume);
        voice.volume(Direction::Output, self.output_volume);
    }

    /// Whether there is a microphone that the person wants to be heard by.
    pub(super) fn speaks(&self) -> bool {
        let is_microphone = matches!(self.input, audio::Input::Default | audio::Input::Device(_));
        is_microphone && !self.muted && self.input_volume > Volume::SILENT
    }

    fn asking(&mut self, place: &Place) -> &mut Asking {
        &mut self.asking[match place {
            Place::Input(_) => 0,
            Place::Output(_) => 1,
            Place::RingOn(_) => 2,
        }]
    }
}

impl Place {
    /// Whether it can be used, beside this input.
    fn check(&self, used: &audio::Input) -> Result<(), AudioError> {
        match self {
            Self::Input(input) => audio::check(input, &audio::Output::None),
            Self::Output(output) => audio::check(used, output),
            Self::RingOn(Some(output)) => audio::check(&audio::Input::Silence, output),
            Self::RingOn(None) => Ok(()),
        }
    }
}

impl Driver {
    /// Does what a person wants of the sound.
    pub(super) fn sound_command(&mut self, command: Command) {
        match command {
            Command::Mute(muted) => {
                self.sounds.muted = muted;
                self.each_voice(|voice| voice.mute(muted));
            }
            Command::Volume(direction, volume) => {
                match direction {
                    Direction::Input => self.sounds.input_volume = volume,
                    Direction::Output => {
                        self.sounds.output_volume = volume;
                        self.sounds.tones.volume(volume);
                    }
                }
                self.each_voice(|voice| voice.volume(direction, volume));
            }
            Command::Input(input) => self.change(Place::Input(input)),
            Command::Output(output) => self.change(Place::Output(output)),
            Command::RingOn(output) => self.change(Place::RingOn(output)),
            Command::Phone(_) | Command::History(_) => {}
        }
    }

    fn each_voice(&self, tell: impl Fn(&Voice)) {
        for media in self.media.values() {
            if let Media::Running(running) = media
                && let Some(voice) = &running.voice
            {
                tell(voice);
            }
        }
    }

    fn change(&mut self, place: Place) {
        match self.sounds.asking(&place) {
            Asking::Yes(next) => *next = Some(place),
            asking @ Asking::No => {
                *asking = Asking::Yes(None);
                self.ask(place);
            }
        }
    }

    fn ask(&mut self, place: Place) {
        let (used, news) = (self.sounds.input.clone(), self.news.clone());
        self.tasks.spawn_blocking(move || {
            let result = place.check(&used);
            let _ = news.blocking_send(News::Changed(Changed { place, result }));
        });
    }

    /// What was asked for is used from now on, or what was used before.
    pub(super) fn sound_changed(&mut self, changed: Changed) {
        let Changed { place, result } = changed;
        if let Asking::Yes(next) = std::mem::take(self.sounds.asking(&place))
            && let Some(next) = next
        {
            self.change(next);
        }
        match (result, place) {
            (Err(error), _) => self.tell(Event::Warning(error.to_string())),
            (Ok(()), Place::Input(input)) => self.sounds.input = input,
            (Ok(()), Place::Output(output)) => {
                self.sounds.tones.output(output.clone());
                self.sounds.output = output;
            }
            (Ok(()), Place::RingOn(output)) => self.sounds.tones.ring_on(output),
        }
    }
}
