//! What the tasks tell the driver, and what it makes of it.

use std::io;

use codec::CallId;
use registry::client::Host;

use super::{
    Driver, Event,
    link::{Prepared, Report},
    media::Media,
    signalling::Trust,
};
use crate::{
    audio::{self, AudioError, Voice, VoiceEvent},
    call::MediaFailure,
    phone::{Input, MediaNews},
};

/// What the tasks tell the driver.
#[derive(Debug)]
pub(super) enum News {
    Phone(Input),
    /// Something is wrong that a person can mend.
    Trouble(String),
    /// Of the connection to the registry with this count.
    Registry(u64, Input),
    Trust(Host, Trust),
    Prepared(CallId, io::Result<Prepared>),
    Link(CallId, Report),
    Opened(CallId, Result<Voice, AudioError>),
    Voice(CallId, VoiceEvent),
    /// The last words have been played.
    Finished(CallId),
}

impl Driver {
    /// Takes news of a task; what concerns the phone is its next input.
    pub(super) fn hear(&mut self, news: News) -> Option<Input> {
        match news {
            News::Phone(input) => {
                if let Input::LinkDown { link, .. } | Input::Resolved { link, .. } = &input {
                    self.links.remove(link);
                }
                if let Input::Keys(keys) = &input {
                    self.config.greeter.card = keys.card;
                }
                Some(input)
            }
            News::Trouble(text) => {
                self.tell(Event::Warning(text));
                None
            }
            News::Registry(count, _) if count != self.registry_count => None,
            News::Registry(_, input) => {
                if matches!(input, Input::RegistryDown { .. }) {
                    self.registry = None;
                }
                if let Input::RegistryUp { time, .. } = &input {
                    self.set_clock(*time);
                }
                Some(input)
            }
            News::Trust(host, trust) => {
                self.tell(match trust {
                    Trust::Met(key) => Event::RegistryMet { host, key },
                    Trust::Untrusted(why) => Event::RegistryUntrusted { host, why },
                    Trust::TurnsAway(why) => Event::RegistryTurnsAway { host, why },
                });
                None
            }
            News::Prepared(call, Ok(prepared)) => {
                let media = self.media.get_mut(&call)?;
                let offer = prepared.offer.clone();
                *media = Media::Prepared(prepared);
                Some(Input::Media(call, MediaNews::Prepared(offer)))
            }
            News::Prepared(call, Err(error)) => {
                self.tell(Event::Warning(format!(
                    "cannot open the network for a call: {error}"
                )));
                Some(Input::Media(call, MediaNews::Failed(MediaFailure::Local)))
            }
            News::Link(call, report) => {
                let news = match report {
                    Report::Connected => MediaNews::Connected,
                    Report::Heard => MediaNews::Heard,
                    Report::Reconnecting => MediaNews::Reconnecting,
                    Report::Reconnected => MediaNews::Reconnected,
                    Report::Moved(moved) => MediaNews::Moved(moved),
                    Report::Failed(failure) => MediaNews::Failed(failure),
                    Report::RoundTrip(time) => {
                        if let Some(Media::Running(running)) = self.media.get_mut(&call) {
                            running.round_trip = Some(time);
                        }
                        return None;
                    }
                };
                Some(Input::Media(call, news))
            }
            News::Opened(call, Ok(voice)) => {
                self.voice_opened(call, voice);
                None
            }
            News::Opened(call, Err(error)) => {
                self.tell(Event::Warning(error.to_string()));
                Some(Input::Media(call, MediaNews::Failed(MediaFailure::Local)))
            }
            News::Voice(call, VoiceEvent::InputEnded) => {
                self.tell(Event::InputEnded { call });
                None
            }
            News::Voice(call, VoiceEvent::InputLost { why }) => {
                self.tell(Event::Warning(format!("nothing to send: {why}")));
                if matches!(self.config.input, audio::Input::File(_)) {
                    // There is no more to come than at its end.
                    self.tell(Event::InputEnded { call });
                }
                None
            }
            News::Voice(call, VoiceEvent::OutputLost { why }) => {
                self.tell(Event::OutputLost { call, why });
                None
            }
            News::Voice(_, VoiceEvent::InputBack) => {
                self.tell(Event::Warning("the microphone is back".to_owned()));
                None
            }
            News::Voice(call, VoiceEvent::OutputBack) => {
                self.tell(Event::OutputBack { call });
                None
            }
            News::Finished(call) => {
                if let Some(Some(event)) = self.ending.remove(&call) {
                    self.tell(Event::Phone(event));
                }
                None
            }
        }
    }
}
