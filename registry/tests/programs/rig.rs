//! A running registry, and a phone that talks to it frame by frame.

#![allow(dead_code, reason = "not every suite needs all of it")]

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, ChildStderr, Command, Output, Stdio},
    time::Duration,
};

use codec::{
    DeviceId, Envelope, Identity, KeyCard, Party, RecoveryLock,
    claim::ChangeKey,
    envelope::{Address, EnvelopeId, Kind},
    frame::{FrameDecoder, from_payload, to_frame},
    greeting::{
        Answer, Exporter, Hello, Nonce, PROTOCOL_VERSION, PhoneGreeting, RegistryWelcome, Role,
        Welcome,
    },
    identity::AgreementSecret,
    registry::{
        Binding, Contacts, FromRegistry, Method, Refusal, Register, Request, RequestId, Response,
        Success, Unregister,
    },
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use registry::tls::client_config;
use rustls::{ClientConnection, StreamOwned, pki_types::ServerName};

/// A running `ramal-registry` on a port of its own.
pub struct Registry {
    pub child: Child,
    pub addr: SocketAddr,
    pub log: BufReader<ChildStderr>,
}

impl Registry {
    pub fn start(options: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ramal-registry"))
            .args(["--listen", "127.0.0.1:0"])
            .args(options)
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let addr = loop {
            let mut line = String::new();
            assert_ne!(log.read_line(&mut line).unwrap(), 0, "the registry ended");
            let text = line.split_once("listening addr=");
            let json = line.split_once(r#""message":"listening","addr":""#);
            if let Some((_, addr)) = text.or(json) {
                let end = addr.find(['"', '\n']).unwrap();
                break addr[..end].parse().unwrap();
            }
        };
        Self { child, addr, log }
    }

    pub fn lookup(&self, arguments: &[&str]) -> Output {
        lookup(&self.addr.to_string(), arguments)
    }

    /// A lookup by somebody whose configuration is in this folder.
    pub fn lookup_with(&self, config: &Path, arguments: &[&str]) -> Output {
        lookup_with(&self.addr.to_string(), config, arguments)
    }

    /// Stops it as an operator does, and returns its exit code, output and log.
    pub fn stop(mut self) -> (Option<i32>, String, String) {
        let kill = format!("kill {}", self.child.id());
        let killed = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(killed.success());
        let (mut out, mut log) = (String::new(), String::new());
        self.child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut out)
            .unwrap();
        self.log.read_to_string(&mut log).unwrap();
        (self.child.wait().unwrap().code(), out, log)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // It has ended already where the test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A lookup by somebody who has met no registry yet.
pub fn lookup(registry: &str, arguments: &[&str]) -> Output {
    let config = tempfile::tempdir().unwrap();
    lookup_with(registry, config.path(), arguments)
}

fn lookup_with(registry: &str, config: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ramal-lookup"))
        .args(["--registry", registry, "--config"])
        .arg(config)
        .args(arguments)
        .output()
        .unwrap()
}

/// Bytes to and from a registry.
pub enum Wire {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Wire {
    /// Sets TLS up.
    pub fn tls(mut stream: TcpStream) -> Self {
        let name = ServerName::from(stream.peer_addr().unwrap().ip());
        let mut connection = ClientConnection::new(client_config(), name).unwrap();
        while connection.is_handshaking() {
            connection.complete_io(&mut stream).unwrap();
        }
        Self::Tls(Box::new(StreamOwned::new(connection, stream)))
    }

    /// The channel binding of RFC 9266, or what stands in its place.
    pub fn exporter(&self) -> Exporter {
        let Self::Tls(stream) = self else {
            return Exporter::PLAIN;
        };
        let label = b"EXPORTER-Channel-Binding";
        let exported = stream.conn.export_keying_material([0; 32], label, None);
        Exporter(exported.unwrap())
    }

    pub fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => &stream.sock,
        }
    }
}

impl Read for Wire {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(bytes),
            Self::Tls(stream) => stream.read(bytes),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

/// A phone's connection, frame by frame.
pub struct Peer {
    stream: Wire,
    decoder: FrameDecoder,
    unread: Vec<u8>,
    identity: Identity,
    card: KeyCard,
    pub binding: Option<Binding>,
}

impl Peer {
    /// A connection by TLS, as phones have them.
    pub fn connect(addr: SocketAddr, seed: u8) -> Self {
        Self::over(Wire::tls(dial(addr)), seed)
    }

    /// A connection without TLS.
    pub fn connect_plain(addr: SocketAddr, seed: u8) -> Self {
        Self::over(Wire::Plain(dial(addr)), seed)
    }

    pub fn over(stream: Wire, seed: u8) -> Self {
        let identity = Identity::from_secret(&[seed; 32]);
        let agreement = AgreementSecret::from_secret(&[seed; 32]);
        let card = KeyCard::issue(&identity, agreement.key(), 1, u64::MAX);
        let (decoder, unread) = (FrameDecoder::default(), Vec::new());
        Self {
            stream,
            decoder,
            unread,
            identity,
            card,
            binding: None,
        }
    }

    pub fn greeted(addr: SocketAddr, seed: u8) -> Self {
        Self::connect(addr, seed).welcomed()
    }

    pub fn greeted_plain(addr: SocketAddr, seed: u8) -> Self {
        Self::connect_plain(addr, seed).welcomed()
    }

    /// Greets, and believes who proves its key.
    pub fn welcomed(mut self) -> Self {
        let Ok(Welcome::Registry(welcome)) = self.greet().welcome else {
            panic!("not welcome")
        };
        let exporter = self.exporter();
        assert!(welcome.is_proven(&exporter));
        self.bind_to(&welcome, exporter);
        self
    }

    pub fn exporter(&self) -> Exporter {
        self.stream.exporter()
    }

    pub fn socket(&self) -> &TcpStream {
        self.stream.socket()
    }

    /// From now on signs for this registry and this connection.
    pub fn bind_to(&mut self, welcome: &RegistryWelcome, exporter: Exporter) {
        let (registry, nonce) = (welcome.key, welcome.nonce);
        self.binding = Some(Binding {
            registry,
            exporter,
            nonce,
        });
    }

    pub fn greet(&mut self) -> Answer {
        let greeting = PhoneGreeting {
            card: self.card,
            nonce: Nonce([1; 32]),
        };
        let agent = codec::Text::new("test").unwrap();
        let hello = Hello {
            version: PROTOCOL_VERSION,
            agent,
            role: Role::Phone(greeting),
        };
        self.send(&to_frame(&hello).unwrap());
        from_payload(&self.read().unwrap()).unwrap()
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.try_send(bytes).unwrap();
    }

    pub fn try_send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    /// The next frame's payload; `None` when the registry has closed the connection.
    pub fn read(&mut self) -> Option<Vec<u8>> {
        loop {
            let mut rest = &self.unread[..];
            let found = self.decoder.next(&mut rest);
            self.unread = rest.to_vec();
            if let Some(payload) = found {
                return Some(payload.unwrap());
            }
            let mut bytes = [0; 4096];
            match self.stream.read(&mut bytes) {
                Ok(0) => return None,
                // A program that was killed says no farewell.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return None,
                Err(error) => panic!("{error}"),
                Ok(read) => self.unread.extend(&bytes[..read]),
            }
        }
    }

    pub fn ask(&mut self, id: u32, method: Method) -> Result<Success, Refusal> {
        self.send(
            &to_frame(&Request {
                id: RequestId(id),
                method,
            })
            .unwrap(),
        );
        let (got, result) = self.answer();
        assert_eq!(got, RequestId(id), "{result:?}");
        result
    }

    /// The next answer, whatever it answers.
    pub fn answer(&mut self) -> (RequestId, Result<Success, Refusal>) {
        match from_payload(&self.read().unwrap()).unwrap() {
            FromRegistry::Response(Response { id, result }) => (id, result),
            other => panic!("{other:?}"),
        }
    }

    pub fn unregister(&mut self, name: &str, cseq: u64) -> Result<Success, Refusal> {
        let (binding, name) = (self.binding.unwrap(), name.parse().unwrap());
        let device = DeviceId([9; 16]);
        let unregister = Unregister::sign(&self.identity, &binding, name, device, cseq);
        self.ask(2, Method::Unregister(unregister))
    }

    pub fn change_key(&mut self, name: &str, to: &Self, cseq: u64) -> Result<Success, Refusal> {
        let (binding, name) = (self.binding.unwrap(), name.parse().unwrap());
        // The one that `to` registers with: a registry takes no lock from before the change.
        let (from, to, lock) = (&self.identity, &to.identity, RecoveryLock([7; 32]));
        let change = ChangeKey::sign(from, to, &binding, name, lock, cseq);
        self.ask(4, Method::ChangeKey(change))
    }

    /// Sends something sealed to `to` as `name`.
    pub fn send_to(&mut self, to: &Self, name: &str) -> Result<Success, Refusal> {
        let party = |name: &str, identity: &Identity| Party {
            name: name.parse().unwrap(),
            identity: identity.key(),
        };
        let address = Address {
            from: party(name, &self.identity),
            to: party("bob", &to.identity),
            id: EnvelopeId([1; 16]),
            kind: Kind::Signal,
        };
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (identity, key) = (&self.identity, &to.card.agreement);
        let sealed = Envelope::seal(identity, address, key, Nonce::NONE, 0, &1u8, &mut rng);
        let envelope = sealed.unwrap();
        self.ask(3, Method::Send { envelope, ttl_s: 0 })
    }

    pub fn register(&mut self, name: &str, cseq: u64) -> Result<Success, Refusal> {
        let register = self.signed_register(name, cseq);
        self.ask(1, Method::Register(register))
    }

    /// A registration that holds on this connection.
    pub fn signed_register(&self, name: &str, cseq: u64) -> Register {
        let binding = self.binding.unwrap();
        let contacts = Contacts::first_of(["192.0.2.7:4000".parse().unwrap()]);
        Register::sign(
            &self.identity,
            &binding,
            name.parse().unwrap(),
            DeviceId([9; 16]),
            self.card,
            contacts,
            60,
            cseq,
            codec::claim::Claim::new(RecoveryLock([7; 32])),
        )
    }
}

pub fn dial(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).unwrap();
    let within = Some(Duration::from_secs(10));
    stream.set_read_timeout(within).unwrap();
    stream
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
