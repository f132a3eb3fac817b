//! What the driver writes into the journal: every message to and from the registry and other
//! phones, in the order in which it goes out or comes in, and what happens to connections.

use std::{net::SocketAddr, time::Instant};

use codec::{
    Envelope,
    direct::DirectFrame,
    envelope::EnvelopeId,
    registry::{FromRegistry, Method, Notice, Request},
};
use registry::line::Line;

use super::{Driver, unix_now};
use crate::{
    journal::{Way, With},
    phone::{Input, LinkId, Why},
};

/// The greetings of a connection.
#[derive(Debug)]
pub(super) struct Greetings {
    /// Which link it is; nothing for one to a registry.
    pub(super) link: Option<LinkId>,
    /// Where it leads.
    pub(super) peer: SocketAddr,
    /// What was said, in order.
    pub(super) said: [(Way, String); 2],
}

/// A message that came in and is not written yet: what it is about is known when it is opened.
#[derive(Debug)]
pub(super) struct Received {
    with: With,
    text: String,
    envelope: Option<EnvelopeId>,
}

impl Driver {
    pub(super) fn write(&mut self, way: Way, with: With, text: impl Into<String>) {
        let now = Instant::now();
        self.shown.journal(now).write(unix_now(), way, with, text);
    }

    pub(super) fn write_greetings(&mut self, greetings: Greetings) {
        let Greetings { link, peer, said } = greetings;
        if let Some(link) = link {
            self.peers.insert(link, peer);
        }
        let with = link.map_or(With::Registry, |_| With::Phone(peer));
        for (way, text) in said {
            self.write(way, with, text);
        }
    }

    pub(super) fn write_request(&mut self, request: &Request) {
        let envelope = match &request.method {
            Method::Send { envelope, .. } => Some(envelope.id),
            _ => None,
        };
        let text = self.named(Line(request).to_string(), envelope);
        self.write(Way::Sent, With::Registry, text);
    }

    pub(super) fn write_frame(&mut self, link: LinkId, frame: &DirectFrame) {
        let text = self.named(Line(frame).to_string(), enveloped(frame));
        self.write(Way::Sent, self.with(link), text);
    }

    /// Looks at what is about to be told to the phone, and writes what is no message at once.
    pub(super) fn receive(&mut self, input: &Input) -> Option<Received> {
        match input {
            Input::FromRegistry(message) => Some(Received {
                with: With::Registry,
                text: Line(message).to_string(),
                envelope: match message {
                    FromRegistry::Notice(Notice::Envelope(Envelope { id, .. })) => Some(*id),
                    _ => None,
                },
            }),
            Input::FromLink { link, frame } => Some(Received {
                with: self.with(*link),
                text: Line(frame).to_string(),
                envelope: enveloped(frame),
            }),
            Input::RegistryDown { why } => {
                self.write(Way::Note, With::Registry, format!("no connection: {why}"));
                None
            }
            Input::LinkDown { link, why } => {
                let with = self.with(*link);
                self.peers.remove(link);
                // Whoever knocks here and is no phone is of no interest.
                if *why != Why::NoPhone {
                    self.write(Way::Note, with, format!("no connection: {why}"));
                }
                None
            }
            Input::Resolved { link, .. } => {
                self.peers.remove(link);
                None
            }
            _ => None,
        }
    }

    /// Writes what came in, once the phone has looked at it.
    pub(super) fn write_received(&mut self, received: Received) {
        let Received {
            with,
            text,
            envelope,
        } = received;
        let text = self.named(text, envelope);
        self.write(Way::Received, with, text);
    }

    fn with(&self, link: LinkId) -> With {
        self.peers
            .get(&link)
            .map_or(With::Here, |at| With::Phone(*at))
    }

    /// The text with what is in the envelope, where this phone has made or opened it.
    fn named(&self, text: String, envelope: Option<EnvelopeId>) -> String {
        match envelope.and_then(|id| self.phone.signal_in(id)) {
            Some(signal) => format!("{text} {signal}"),
            None => text,
        }
    }
}

fn enveloped(frame: &DirectFrame) -> Option<EnvelopeId> {
    match frame {
        DirectFrame::Envelope(envelope) => Some(envelope.id),
        _ => None,
    }
}
