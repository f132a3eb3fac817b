//! The registry's side: its sessions and its table, without sockets.

use std::sync::Arc;

use codec::{
    Name, Text,
    frame::{FrameDecoder, from_payload, to_frame},
    greeting::{Answer, Exporter, Hello, Nonce, PROTOCOL_VERSION, Role, Welcome},
    registry::{Binding, Watch},
};
use rand_chacha::rand_core::Rng;
use registry::session::{self, Answered, Ask, Session};
use softphone::phone::{Input, Why};

use super::{Happening, Node, TIME, World};

impl World {
    pub(super) fn connect_registry(&mut self, node: usize) {
        self.nodes[node].connection += 1;
        if !self.net.registry {
            let why = Why::Silent;
            return self.tell_later(node, node, Input::RegistryDown { why });
        }
        let mut nonce = [0; 32];
        self.rng.fill_bytes(&mut nonce);
        let (peer, now) = (self.nodes[node].addr, self.now);
        let setup = session::Setup {
            peer,
            id: registry::table::ConnectionId(1),
            nonce: Nonce(nonce),
            exporter: Exporter::PLAIN,
            now,
            time: TIME,
        };
        let mut session = Session::new(Arc::clone(&self.registrar), setup);
        let hello = Hello {
            version: PROTOCOL_VERSION,
            agent: Text::new("test").unwrap(),
            role: Role::Phone(self.nodes[node].greeting),
        };
        session.handle_input(session::Input::Payload(&payload(&hello)), now);
        let mut frame = None;
        while let Some(output) = session.poll_output() {
            match output {
                session::Output::Frame(answer) => frame = Some(answer),
                // Everybody is served here.
                session::Output::Ask(id, Ask::Greet(_)) => {
                    let greeted = Answered::Greet(Ok(()));
                    session.handle_input(session::Input::Answered(id, greeted), now);
                }
                _ => {}
            }
        }
        let answer: Answer = from_payload(&unframed(&frame.unwrap())).unwrap();
        let Ok(Welcome::Registry(welcome)) = answer.welcome else {
            panic!("{answer:?}")
        };
        self.nodes[node].session = Some(session);
        self.nodes[node].watches = false;
        let binding = Binding {
            registry: welcome.key,
            exporter: Exporter::PLAIN,
            nonce: welcome.nonce,
        };
        let time = welcome.time;
        self.tell_later(node, node, Input::RegistryUp { binding, time });
    }

    pub(super) fn at_registry(&mut self, node: usize, payload: &[u8]) {
        let now = self.now;
        let Some(session) = &mut self.nodes[node].session else {
            return;
        };
        session.handle_input(session::Input::Payload(payload), now);
        self.drain_session(node);
    }

    fn drain_session(&mut self, node: usize) {
        let now = self.now;
        while let Some(output) = self.nodes[node]
            .session
            .as_mut()
            .and_then(Session::poll_output)
        {
            match output {
                session::Output::Frame(frame) => {
                    let count = self.nodes[node].connection;
                    let payload = unframed(&frame);
                    let frame = || {
                        let message = from_payload(&payload).unwrap();
                        Happening::FromRegistry(count, Box::new(Input::FromRegistry(message)))
                    };
                    self.frame_later(node, node, frame);
                }
                session::Output::Ask(id, ask) => {
                    let names = about(&ask);
                    let answered = match ask {
                        Ask::Watch(watch) => {
                            self.nodes[node].watches = watch == Watch::Everybody;
                            Answered::Watch(Ok(()))
                        }
                        ask => self.ask_table(ask),
                    };
                    if let Some(session) = &mut self.nodes[node].session {
                        session.handle_input(session::Input::Answered(id, answered), now);
                    }
                    for name in names {
                        self.tell_watchers(node, &name);
                    }
                }
                _ => {}
            }
        }
    }

    /// Tells everybody who watches how a name is now. Who asked is told after the answer.
    fn tell_watchers(&mut self, asker: usize, name: &Name) {
        let (now, record) = (self.now, self.table.lookup(name, self.now));
        for node in 0..self.nodes.len() {
            let watches = self.nodes[node].watches;
            let Some(session) = self.nodes[node].session.as_mut().filter(|_| watches) else {
                continue;
            };
            let entry = record.as_ref().map(|record| record.entry.clone());
            session.handle_input(session::Input::Changed(name, entry), now);
            if node != asker {
                self.drain_session(node);
            }
        }
    }

    fn ask_table(&mut self, ask: Ask) -> Answered {
        let now = self.now;
        match ask {
            Ask::Register(claim) => Answered::Register(self.table.register(claim, now)),
            Ask::Refresh(renewal, expires) => {
                Answered::Refresh(self.table.refresh(&renewal, expires, now))
            }
            Ask::Unregister(renewal) => Answered::Unregister(self.table.unregister(&renewal, now)),
            Ask::Lookup(name) => {
                let found = self.table.lookup(&name, now);
                Answered::Lookup(found.ok_or(codec::registry::Refusal::NotFound))
            }
            Ask::Forward(envelope) => {
                let receives = |node: &Node| {
                    node.greeting.card.identity == envelope.to.identity && node.session.is_some()
                };
                let all = 0..self.nodes.len();
                let to: Vec<_> = all.filter(|to| receives(&self.nodes[*to])).collect();
                for &to in &to {
                    if let Some(session) = &mut self.nodes[to].session {
                        session.handle_input(session::Input::Envelope(&envelope), now);
                        self.drain_session(to);
                    }
                }
                let devices = u8::try_from(to.len()).unwrap();
                let offline = codec::registry::Refusal::Offline;
                Answered::Forward(if to.is_empty() {
                    Err(offline)
                } else {
                    Ok(devices)
                })
            }
            Ask::Publish {
                devices,
                connection,
                presence,
            } => {
                for (name, device) in devices {
                    self.table.publish(&name, device, connection, presence, now);
                }
                Answered::Publish
            }
            Ask::List {
                prefix,
                after,
                limit,
            } => Answered::List(Ok(self.table.list(&prefix, after.as_ref(), limit, now))),
            _ => panic!("a phone does not ask this"),
        }
    }
}

/// The names of which others may see something else afterwards.
fn about(ask: &Ask) -> Vec<Name> {
    match ask {
        Ask::Register(claim) => vec![claim.name.clone()],
        Ask::Unregister(renewal) => vec![renewal.name.clone()],
        Ask::Publish { devices, .. } => devices.iter().map(|(name, _)| name.clone()).collect(),
        _ => Vec::new(),
    }
}

pub(super) fn payload<T: serde::Serialize>(message: &T) -> Vec<u8> {
    unframed(&to_frame(message).unwrap())
}

fn unframed(frame: &[u8]) -> Vec<u8> {
    FrameDecoder::default()
        .next(&mut &frame[..])
        .unwrap()
        .unwrap()
}
