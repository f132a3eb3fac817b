//! Somebody at an address of their own, who asks a registry frame by frame without TLS.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

use codec::{
    DeviceId, Identity, KeyCard, Name, RecoveryCode, RecoveryLock,
    claim::{Claim, Recover, Release},
    frame::{FrameDecoder, from_payload, to_frame},
    greeting::{Answer, Exporter, Hello, Nonce, PROTOCOL_VERSION, PhoneGreeting, Role, Welcome},
    identity::AgreementSecret,
    registry::{
        Binding, Contacts, FromRegistry, Method, Refusal, Register, Request, RequestId, Response,
        Success, Unregister,
    },
};
use socket2::{Domain, Socket, Type};

/// Longer than any answer takes on a busy machine.
const AT_LAST: Duration = Duration::from_secs(30);

pub type Answered = Result<Success, Refusal>;

/// Somebody who has connected.
pub struct Visitor {
    stream: TcpStream,
    decoder: FrameDecoder,
    unread: Vec<u8>,
    pub identity: Identity,
    card: KeyCard,
    binding: Option<Binding>,
    cseq: u64,
}

impl Visitor {
    /// Connects from 127.0.0.`from`, as whoever the seed makes, and says nothing yet.
    pub fn connect(registry: SocketAddr, from: u8, seed: u64) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let source = SocketAddr::from((Ipv4Addr::new(127, 0, 0, from), 0));
        socket.bind(&source.into()).unwrap();
        socket.connect(&registry.into()).unwrap();
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(AT_LAST)).unwrap();
        stream.set_nodelay(true).unwrap();
        let mut secret = [0; 32];
        secret[..8].copy_from_slice(&seed.to_le_bytes());
        let identity = Identity::from_secret(&secret);
        let agreement = AgreementSecret::from_secret(&secret);
        let card = KeyCard::issue(&identity, agreement.key(), 1, u64::MAX);
        Self {
            stream,
            decoder: FrameDecoder::default(),
            unread: Vec::new(),
            identity,
            card,
            binding: None,
            cseq: 0,
        }
    }

    /// A phone that is welcome.
    pub fn phone(registry: SocketAddr, from: u8, seed: u64) -> Self {
        let mut visitor = Self::connect(registry, from, seed);
        let Ok(Welcome::Registry(welcome)) = visitor.greet().welcome else {
            panic!("not welcome")
        };
        // As phones do: later connections count on.
        visitor.cseq = welcome.time;
        visitor.binding = Some(Binding {
            registry: welcome.key,
            exporter: Exporter::PLAIN,
            nonce: welcome.nonce,
        });
        visitor
    }

    /// Somebody without an identity.
    pub fn client(registry: SocketAddr, from: u8) -> Self {
        let mut visitor = Self::connect(registry, from, 0);
        let answer = visitor.hello(Role::Client);
        assert!(answer.welcome.is_ok(), "{answer:?}");
        visitor
    }

    /// Greets as a phone.
    pub fn greet(&mut self) -> Answer {
        let (card, nonce) = (self.card, Nonce([1; 32]));
        self.hello(Role::Phone(PhoneGreeting { card, nonce }))
    }

    fn hello(&mut self, role: Role) -> Answer {
        let hello = Hello {
            version: PROTOCOL_VERSION,
            agent: codec::Text::new("test").unwrap(),
            role,
        };
        self.stream.write_all(&to_frame(&hello).unwrap()).unwrap();
        from_payload(&self.read().unwrap()).unwrap()
    }

    /// The next frame's payload; `None` when the registry has closed the connection.
    fn read(&mut self) -> Option<Vec<u8>> {
        loop {
            let mut rest = &self.unread[..];
            let found = self.decoder.next(&mut rest);
            let taken = self.unread.len() - rest.len();
            self.unread.drain(..taken);
            if let Some(payload) = found {
                return Some(payload.unwrap());
            }
            let mut bytes = [0; 16_384];
            match self.stream.read(&mut bytes).unwrap() {
                0 => return None,
                read => self.unread.extend(&bytes[..read]),
            }
        }
    }

    /// The next frame; `None` when the registry has closed the connection.
    pub fn next(&mut self) -> Option<FromRegistry> {
        Some(from_payload(&self.read()?).unwrap())
    }

    /// Asks all of these at once, and returns the answers in their order.
    pub fn ask_all(&mut self, methods: impl IntoIterator<Item = Method>) -> Vec<Answered> {
        let mut frames = Vec::new();
        let mut asked = 0;
        for method in methods {
            asked += 1;
            let id = RequestId(asked);
            frames.extend(to_frame(&Request { id, method }).unwrap());
        }
        self.stream.write_all(&frames).unwrap();
        let answers = (1..=asked).map(|id| match self.next() {
            Some(FromRegistry::Response(Response { id: got, result })) if got.0 == id => result,
            other => panic!("{other:?}"),
        });
        answers.collect()
    }

    pub fn ask(&mut self, method: Method) -> Answered {
        self.ask_all([method]).remove(0)
    }

    pub fn lookup(&mut self, name: &str) -> Answered {
        let name = name.parse().unwrap();
        self.ask(Method::Lookup { name })
    }

    pub fn register(&mut self, name: &str) -> Answered {
        self.claim(name, Claim::new(RecoveryLock([7; 32])))
    }

    pub fn claim(&mut self, name: &str, claim: Claim) -> Answered {
        let (cseq, device) = (self.next_cseq(), DeviceId([9; 16]));
        let contacts = Contacts::first_of(["192.0.2.7:4000".parse().unwrap()]);
        let (binding, name) = (self.binding.unwrap(), name.parse().unwrap());
        let (identity, card) = (&self.identity, self.card);
        let register = Register::sign(
            identity, &binding, name, device, card, contacts, 60, cseq, claim,
        );
        self.ask(Method::Register(register))
    }

    pub fn unregister(&mut self, name: &str) -> Answered {
        let (cseq, device) = (self.next_cseq(), DeviceId([9; 16]));
        let (binding, name) = (self.binding.unwrap(), name.parse().unwrap());
        let unregister = Unregister::sign(&self.identity, &binding, name, device, cseq);
        self.ask(Method::Unregister(unregister))
    }

    pub fn release(&mut self, name: &str) -> Answered {
        let (cseq, binding) = (self.next_cseq(), self.binding.unwrap());
        let name: Name = name.parse().unwrap();
        let release = Release::sign(&self.identity, &binding, name, cseq);
        self.ask(Method::Release(release))
    }

    pub fn recover(&mut self, name: &str, code: &RecoveryCode) -> Answered {
        let (cseq, binding) = (self.next_cseq(), self.binding.unwrap());
        let (name, lock) = (name.parse().unwrap(), RecoveryLock([8; 32]));
        let recover = Recover::sign(&self.identity, &binding, name, code, lock, cseq);
        self.ask(Method::Recover(recover))
    }

    fn next_cseq(&mut self) -> u64 {
        self.cseq += 1;
        self.cseq
    }
}
