//! A registry that hands envelopes on as it likes. It has a key of its own and serves anybody: all
//! that it cannot do is what only the phones' keys can.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use codec::{
    Envelope, Identity, KeyCard, List, Name,
    frame::{from_payload, to_frame},
    greeting::{self, Answer, Exporter, Hello, Nonce, RegistryWelcome, Role, Welcome},
    registry::{
        Device, Entry, FromRegistry, Method, Notice, Presence, Record, Refusal, Request, Response,
        Success,
    },
};
use registry::{
    client::agent,
    link::{FrameLink, Received},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinSet,
};

/// So many frames may wait for one phone.
const WAITING_MAX: usize = 256;

/// What becomes of an envelope: the frames that its receiver gets in its place.
pub type Deed = dyn FnMut(Envelope) -> Vec<Vec<u8>> + Send;

/// The frame by which a registry hands an envelope on.
pub fn notice(envelope: Envelope) -> Vec<u8> {
    to_frame(&FromRegistry::Notice(Notice::Envelope(envelope))).unwrap()
}

struct Phone {
    card: KeyCard,
    frames: mpsc::Sender<Vec<u8>>,
}

#[derive(Clone)]
struct Shared {
    phones: Arc<Mutex<HashMap<Name, Phone>>>,
    deed: Arc<Mutex<Box<Deed>>>,
}

/// Runs on `runtime` for as long as that does; where it listens.
pub fn start(runtime: &tokio::runtime::Runtime, deed: Box<Deed>) -> SocketAddr {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let addr = listener.local_addr().unwrap();
    let shared = Shared {
        phones: Arc::default(),
        deed: Arc::new(Mutex::new(deed)),
    };
    runtime.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((stream, peer)) = listener.accept().await {
            connections.spawn(serve(stream, peer, shared.clone()));
        }
    });
    addr
}

async fn serve(stream: TcpStream, peer: SocketAddr, shared: Shared) {
    let mut link = FrameLink::new(stream);
    let Ok(Received::Payload(payload)) = link.receive().await else {
        return;
    };
    let hello: Hello = greeting::read(&payload).unwrap();
    let welcome = RegistryWelcome::prove(
        &Identity::from_secret(&[66; 32]),
        &Exporter::PLAIN,
        agent("registry"),
        Nonce([3; 32]),
        softphone::engine::unix_now(),
        peer,
    );
    let answer = Answer::new(Ok(Welcome::Registry(welcome)));
    link.queue(&to_frame(&answer).unwrap()).unwrap();
    let card = match hello.role {
        Role::Phone(greeting) => Some(greeting.card),
        Role::Client => None,
    };
    let (frames, mut waiting) = mpsc::channel(WAITING_MAX);
    loop {
        tokio::select! {
            received = link.receive() => {
                let Ok(Received::Payload(payload)) = received else { return };
                let Request { id, method } = from_payload(&payload).unwrap();
                let result = shared.answer(method, card, &frames);
                let response = FromRegistry::Response(Response { id, result });
                link.queue(&to_frame(&response).unwrap()).unwrap();
            }
            Some(frame) = waiting.recv() => link.queue(&frame).unwrap(),
        }
    }
}

impl Shared {
    fn answer(
        &self,
        method: Method,
        card: Option<KeyCard>,
        frames: &mpsc::Sender<Vec<u8>>,
    ) -> Result<Success, Refusal> {
        let mut phones = self.phones.lock().unwrap();
        match method {
            Method::Register(register) => {
                let frames = frames.clone();
                let card = card.ok_or(Refusal::NotYours)?;
                phones.insert(register.name, Phone { card, frames });
                Ok(Success::Registered { expires_s: 60 })
            }
            Method::Refresh(_) => Ok(Success::Registered { expires_s: 60 }),
            Method::Unregister(_) => Ok(Success::Unregistered),
            // Without an address, so that every signal comes through here.
            Method::Lookup { name } => {
                let phone = phones.get(&name).ok_or(Refusal::NotFound)?;
                let device = Device {
                    id: codec::DeviceId([1; 16]),
                    contacts: List::default(),
                    lease_left_s: 60,
                    unverified: false,
                };
                let entry = Entry {
                    name,
                    presence: Presence::Available,
                    devices: List::first_of([device]),
                };
                let card = phone.card;
                Ok(Success::Found(Record { card, entry }))
            }
            Method::Send { envelope, .. } => {
                let to = envelope.to.name.clone();
                let handed = self.deed.lock().unwrap()(envelope);
                if let Some(phone) = phones.get(&to) {
                    for frame in handed {
                        // A phone that has gone is sent nothing.
                        let _ = phone.frames.try_send(frame);
                    }
                }
                Ok(Success::Sent { devices: 1 })
            }
            _ => Ok(Success::Published),
        }
    }
}
