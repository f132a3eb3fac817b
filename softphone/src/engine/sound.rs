//! Which devices the phone uses, and how loud: what a person changes while it runs.
//!
//! Opening a device takes a sound server's answer, so that goes on beside everything else: one
//! change at a time for each place, and of those that a person wants meanwhile the newest is next.

use std::{io, path::PathBuf};

use codec::CallId;

use super::{Command, Driver, Event, News, Warning, media::Media};
use crate::audio::{self, AudioError, Changer, Direction, Tones, Voice, Volume};

/// What the phone sounds like, whatever calls there are.
#[derive(Debug)]
pub(super) struct Sounds {
    pub(super) input: audio::Input,
    pub(super) output: audio::Output,
    ring_on: Option<audio::Output>,
    pub(super) tones: Tones,
    pub(super) muted: bool,
    /// The file that calls are recorded to, and how many of its numbers were taken.
    recorded: Option<(PathBuf, u32)>,
    /// The next file is the one that the phone was started with.
    overwrites: bool,
    input_volume: Volume,
    output_volume: Volume,
    /// For each kind of place.
    changing: [Changing; 3],
}

/// What sounds where.
#[derive(Debug, Clone)]
pub(super) enum Place {
    Input(audio::Input),
    Output(audio::Output),
    RingOn(Option<audio::Output>),
}

/// Whether a place is being changed.
#[derive(Debug, Default)]
enum Changing {
    #[default]
    No,
    /// And what is next.
    Yes(Option<Place>),
}

/// What has come of a change.
#[derive(Debug)]
pub(super) struct Changed {
    place: Place,
    /// Which calls were changed, or could not be.
    calls: Vec<CallId>,
    /// Whether it is used from now on.
    used: bool,
    /// What went wrong.
    errors: Vec<AudioError>,
}

/// A change of the calls that there are; for each the place as it is there.
struct Change {
    place: Place,
    calls: Vec<(CallId, Changer, Place)>,
    /// The input that is used beside it.
    input: audio::Input,
}

impl Change {
    /// Changes all calls, or tries whether a later one could have it. May take seconds.
    fn make(self) -> Changed {
        let Self {
            place,
            calls,
            input,
        } = self;
        let ids: Vec<CallId> = calls.iter().map(|(call, ..)| *call).collect();
        let checked = match &place {
            Place::Input(wanted) => audio::check(wanted, &audio::Output::None),
            Place::Output(wanted) => audio::check(&input, wanted),
            Place::RingOn(Some(wanted)) => audio::check(&audio::Input::Silence, wanted),
            Place::RingOn(None) => Ok(()),
        };
        let errors: Vec<_> = match checked {
            Err(error) => vec![error],
            Ok(()) => {
                let changed = calls.into_iter().map(|(_, changer, place)| match place {
                    Place::Input(input) => changer.input(&input),
                    Place::Output(output) => changer.output(&output),
                    Place::RingOn(_) => Ok(()),
                });
                changed.filter_map(Result::err).collect()
            }
        };
        Changed {
            place,
            // If some call could have it, the next one can.
            used: errors.len() < ids.len().max(1),
            calls: ids,
            errors,
        }
    }
}

impl Sounds {
    /// Starts the thread for tones.
    ///
    /// # Errors
    /// The system has no thread left.
    pub(super) fn start(
        input: audio::Input,
        output: audio::Output,
        ring_on: Option<audio::Output>,
    ) -> io::Result<Self> {
        Ok(Self {
            tones: Tones::start(ring_on.clone(), output.clone())?,
            ring_on,
            overwrites: matches!(output, audio::Output::File(_)),
            recorded: None,
            input,
            output,
            muted: false,
            input_volume: Volume::NORMAL,
            output_volume: Volume::NORMAL,
            changing: Default::default(),
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

    /// The output of another call: the files of one phone are numbered.
    pub(super) fn numbered(&mut self, output: audio::Output) -> audio::Output {
        let audio::Output::File(path) = output else {
            return output;
        };
        let recorded = self.recorded.take().filter(|(known, _)| *known == path);
        let mut number = recorded.map_or(0, |(_, number)| number);
        // Files that are there are kept, but for the one that the phone was started with.
        let file = loop {
            number += 1;
            let file = audio::numbered(&path, number);
            if std::mem::take(&mut self.overwrites) || !file.exists() {
                break file;
            }
        };
        self.recorded = Some((path, number));
        audio::Output::File(file)
    }

    fn changing(&mut self, place: &Place) -> &mut Changing {
        &mut self.changing[match place {
            Place::Input(_) => 0,
            Place::Output(_) => 1,
            Place::RingOn(_) => 2,
        }]
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

    pub(super) fn change(&mut self, place: Place) {
        let changing = self.sounds.changing(&place);
        if let Changing::Yes(next) = changing {
            *next = Some(place);
            return;
        }
        *changing = Changing::Yes(None);
        let mut calls = Vec::new();
        for (call, media) in &self.media {
            if let Media::Running(running) = media
                && let Some(voice) = &running.voice
            {
                let place = match place.clone() {
                    Place::Output(output) => Place::Output(self.sounds.numbered(output)),
                    other => other,
                };
                calls.push((*call, voice.changer(), place));
            }
        }
        let change = Change {
            place,
            calls,
            input: self.sounds.input.clone(),
        };
        let news = self.news.clone();
        self.tasks.spawn_blocking(move || {
            let _ = news.blocking_send(News::Changed(change.make()));
        });
    }

    /// What was wanted is used from now on, or what was used before.
    pub(super) fn sound_changed(&mut self, changed: Changed) {
        let Changed {
            place,
            calls,
            used,
            errors,
        } = changed;
        let next = std::mem::take(self.sounds.changing(&place));
        for error in errors {
            self.tell(Event::Warning(Warning::Sound(error)));
        }
        // A call whose devices were opened meanwhile has the old ones.
        let missed = self.media.iter().any(|(call, media)| match media {
            Media::Running(running) => running.voice.is_some() && !calls.contains(call),
            Media::Preparing | Media::Prepared(_) => false,
        });
        let missed = Some(place.clone()).filter(|_| missed && used);
        match place {
            _ if !used => {}
            Place::Input(input) => self.sounds.input = input,
            Place::Output(output) => {
                self.sounds.tones.output(output.clone());
                self.sounds.output = output;
            }
            Place::RingOn(output) => {
                self.sounds.tones.ring_on(output.clone());
                self.sounds.ring_on = output;
            }
        }
        self.tell(Event::Devices {
            input: self.sounds.input.clone(),
            output: self.sounds.output.clone(),
            ring_on: self.sounds.ring_on.clone(),
        });
        let next = match next {
            Changing::Yes(next) => next.or(missed),
            Changing::No => None,
        };
        if let Some(next) = next {
            self.change(next);
        }
    }
}
