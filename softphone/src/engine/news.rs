//! What the tasks tell the driver, and what it makes of it.

use std::io;

use codec::CallId;
use registry::client::Host;

use super::{
    Driver, Event, Warning,
    link::{Prepared, Report},
    media::Media,
    record::Greetings,
    signalling::Trust,
    sound::Changed,
};
use crate::{
    audio::{AudioError, Voice, VoiceEvent},
    call::MediaFailure,
    control::Ask,
    phone::{Input, MediaNews},
};

/// What the tasks tell the driver.
#[derive(Debug)]
pub(super) enum News {
    Phone(Input),
    /// Something is wrong that a person can mend.
    Trouble(Warning),
    /// Of the connection to the registry with this count.
    Registry(u64, Input),
    Trust(Host, Trust),
    Greeted(Greetings),
    Asked(Ask),
    Prepared(CallId, io::Result<Prepared>),
    Link(CallId, Report),
    Opened(CallId, Result<Voice, AudioError>),
    Voice(CallId, VoiceEvent),
    /// Other devices, or why not.
    Changed(Changed),
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
            News::Trouble(warning) => {
                self.tell(Event::Warning(warning));
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
            News::Asked(ask) => {
                self.asked(ask);
                None
            }
            News::Greeted(greetings) => {
                self.write_greetings(greetings);
                None
            }
            News::Prepared(call, Ok(prepared)) => {
                let media = self.media.get_mut(&call)?;
                let offer = prepared.offer.clone();
                *media = Media::Prepared(prepared);
                Some(Input::Media(call, MediaNews::Prepared(offer)))
            }
            News::Prepared(call, Err(error)) => {
                self.tell(Event::Warning(Warning::NoNetwork(error.to_string())));
                Some(Input::Media(
                    call,
                    MediaNews::Failed(MediaFailure::NoNetwork),
                ))
            }
            News::Link(call, report) => self.link_news(call, report),
            News::Opened(call, opened) => self.opened(call, opened),
            News::Voice(call, event) => {
                self.voice_event(call, event);
                None
            }
            News::Changed(changed) => {
                self.sound_changed(changed);
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
