//! The programs as people run them: real processes, a real port, wrong use too.

#![allow(clippy::unwrap_used)]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, ChildStderr, Command, Output, Stdio},
    time::Duration,
};

use codec::{
    DeviceId, Envelope, Identity, KeyCard, Party,
    envelope::{Address, EnvelopeId, Kind},
    frame::{FrameDecoder, from_payload, to_frame},
    greeting::{
        Answer, Exporter, Hello, Nonce, PROTOCOL_VERSION, PhoneGreeting, Role, Unwelcome, Welcome,
    },
    identity::AgreementSecret,
    registry::{
        Binding, ClosingReason, Contacts, FromRegistry, Method, Notice, Refusal, Register, Request,
        RequestId, Response, Success, Unregister,
    },
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

/// A running `ramal-registry` on a port of its own.
struct Registry {
    child: Child,
    addr: SocketAddr,
    log: BufReader<ChildStderr>,
}

impl Registry {
    fn start(options: &[&str]) -> Self {
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

    fn lookup(&self, arguments: &[&str]) -> Output {
        lookup(&self.addr.to_string(), arguments)
    }

    /// Stops it as an operator does, and returns its exit code, output and log.
    fn stop(mut self) -> (Option<i32>, String, String) {
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

fn lookup(registry: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ramal-lookup"))
        .args(["--registry", registry])
        .args(arguments)
        .output()
        .unwrap()
}

/// A phone's connection, frame by frame.
struct Peer {
    stream: TcpStream,
    decoder: FrameDecoder,
    unread: Vec<u8>,
    identity: Identity,
    card: KeyCard,
    binding: Option<Binding>,
}

impl Peer {
    fn connect(addr: SocketAddr, seed: u8) -> Self {
        let stream = TcpStream::connect(addr).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
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

    fn greeted(addr: SocketAddr, seed: u8) -> Self {
        let mut peer = Self::connect(addr, seed);
        let Ok(Welcome::Registry(welcome)) = peer.greet().welcome else {
            panic!("not welcome")
        };
        assert!(welcome.is_proven(&Exporter::PLAIN));
        let (registry, nonce) = (welcome.key, welcome.nonce);
        peer.binding = Some(Binding {
            registry,
            exporter: Exporter::PLAIN,
            nonce,
        });
        peer
    }

    fn greet(&mut self) -> Answer {
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

    fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// The next frame's payload; `None` when the registry has closed the connection.
    fn read(&mut self) -> Option<Vec<u8>> {
        loop {
            let mut rest = &self.unread[..];
            let found = self.decoder.next(&mut rest);
            self.unread = rest.to_vec();
            if let Some(payload) = found {
                return Some(payload.unwrap());
            }
            let mut bytes = [0; 4096];
            match self.stream.read(&mut bytes).unwrap() {
                0 => return None,
                read => self.unread.extend(&bytes[..read]),
            }
        }
    }

    fn ask(&mut self, id: u32, method: Method) -> Result<Success, Refusal> {
        self.send(
            &to_frame(&Request {
                id: RequestId(id),
                method,
            })
            .unwrap(),
        );
        match from_payload(&self.read().unwrap()).unwrap() {
            FromRegistry::Response(Response {
                id: RequestId(got),
                result,
            }) if got == id => result,
            other => panic!("{other:?}"),
        }
    }

    fn unregister(&mut self, name: &str, cseq: u64) -> Result<Success, Refusal> {
        let (binding, name) = (self.binding.unwrap(), name.parse().unwrap());
        let device = DeviceId([9; 16]);
        let unregister = Unregister::sign(&self.identity, &binding, name, device, cseq);
        self.ask(2, Method::Unregister(unregister))
    }

    /// Sends something sealed to `to` as `name`.
    fn send_to(&mut self, to: &Self, name: &str) -> Result<Success, Refusal> {
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

    fn register(&mut self, name: &str, cseq: u64) -> Result<Success, Refusal> {
        let binding = self.binding.unwrap();
        let contacts = Contacts::first_of(["192.0.2.7:4000".parse().unwrap()]);
        let register = Register::sign(
            &self.identity,
            &binding,
            name.parse().unwrap(),
            DeviceId([9; 16]),
            self.card,
            contacts,
            60,
            cseq,
        );
        self.ask(1, Method::Register(register))
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_registered_name_is_found_printed_and_logged() {
    let registry = Registry::start(&["--ephemeral", "--table", "always"]);
    let mut bob = Peer::greeted(registry.addr, 1);
    assert_eq!(
        bob.register("Bob", 1),
        Ok(Success::Registered { expires_s: 60 })
    );
    let mut eve = Peer::greeted(registry.addr, 2);
    assert_eq!(eve.register("bob", 5), Err(Refusal::NameTaken));

    let found = registry.lookup(&["bob"]);
    assert_eq!(
        text(&found.stdout),
        "Bob 192.0.2.7:4000\nBob 127.0.0.1:4000\n"
    );
    assert_eq!(found.status.code(), Some(0));
    let json = registry.lookup(&["BOB", "--json"]);
    assert!(text(&json.stdout).contains(r#""contacts":["192.0.2.7:4000","127.0.0.1:4000"]"#));
    assert_eq!(
        text(&registry.lookup(&["--all"]).stdout),
        text(&found.stdout)
    );

    let missing = registry.lookup(&["carol"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(text(&missing.stderr).contains("nobody called carol is registered at 127.0.0.1"));

    let (code, out, log) = registry.stop();
    assert_eq!(code, Some(0));
    assert!(
        out.contains("name") && out.contains("Bob") && out.contains("192.0.2.7:4000"),
        "{out}"
    );
    assert!(out.contains("1 registered"), "{out}");
    assert!(
        log.contains("Register Bob") && log.contains("refused NameTaken"),
        "{log}"
    );
    assert!(
        log.contains("Lookup carol") && log.contains("refused NotFound"),
        "{log}"
    );
    assert!(!log.contains("signature"), "{log}");
}

#[test]
fn who_gave_a_name_up_on_one_connection_does_not_send_under_it_on_another() {
    let registry = Registry::start(&["--ephemeral"]);
    let mut bob = Peer::greeted(registry.addr, 1);
    bob.register("bob", 1).unwrap();
    let mut mallory = Peer::greeted(registry.addr, 2);
    mallory.register("alice", 1).unwrap();
    assert_eq!(
        mallory.send_to(&bob, "alice"),
        Ok(Success::Sent { devices: 1 })
    );
    let mut elsewhere = Peer::greeted(registry.addr, 2);
    assert_eq!(elsewhere.unregister("alice", 2), Ok(Success::Unregistered));
    let mut alice = Peer::greeted(registry.addr, 3);
    alice.register("alice", 1).unwrap();
    assert_eq!(mallory.send_to(&bob, "alice"), Err(Refusal::NotYours));
    assert_eq!(
        alice.send_to(&bob, "alice"),
        Ok(Success::Sent { devices: 1 })
    );
}

#[test]
fn a_log_that_nobody_reads_does_not_keep_the_registry_from_serving_or_stopping() {
    let mut registry = Registry::start(&["--ephemeral"]);
    let mut bob = Peer::greeted(registry.addr, 1);
    // More than a pipe holds, twice over: what is not written is dropped.
    for id in 1..=1500 {
        let name = "bob".parse().unwrap();
        assert_eq!(bob.ask(id, Method::Lookup { name }), Err(Refusal::NotFound));
    }
    let kill = format!("kill {}", registry.child.id());
    assert!(
        Command::new("sh")
            .args(["-c", &kill])
            .status()
            .unwrap()
            .success()
    );
    let started = std::time::Instant::now();
    let code = loop {
        if let Some(status) = registry.child.try_wait().unwrap() {
            break status.code();
        }
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "it does not stop"
        );
        std::thread::yield_now();
    };
    assert_eq!(code, Some(0));
}

#[test]
fn an_empty_registry_says_so() {
    let registry = Registry::start(&["--ephemeral"]);
    let listed = registry.lookup(&["--all"]);
    assert_eq!(listed.status.code(), Some(1));
    assert!(text(&listed.stderr).contains("nobody is registered"));
}

#[test]
fn stopping_tells_who_is_connected() {
    let registry = Registry::start(&["--ephemeral", "--log", "json"]);
    let mut bob = Peer::greeted(registry.addr, 1);
    let addr = registry.addr;
    let (code, _, log) = registry.stop();
    assert_eq!(code, Some(0));
    let notice: FromRegistry = from_payload(&bob.read().unwrap()).unwrap();
    assert_eq!(
        notice,
        FromRegistry::Notice(Notice::Closing(ClosingReason::Stopping))
    );
    assert_eq!(bob.read(), None);
    assert!(TcpStream::connect(addr).is_err());
    assert!(
        log.lines()
            .any(|line| line.starts_with('{') && line.contains("Closing")),
        "{log}"
    );
}

#[test]
fn rubbish_does_not_disturb_the_others() {
    let registry = Registry::start(&["--ephemeral"]);
    let mut bob = Peer::greeted(registry.addr, 1);
    bob.register("bob", 1).unwrap();
    let mut web = Peer::connect(registry.addr, 2);
    web.send(b"GET / HTTP/1.1\r\n\r\n\0\0");
    let refused: Answer = from_payload(&web.read().unwrap()).unwrap();
    assert_eq!(refused.welcome, Err(Unwelcome::Malformed));
    let mut flood = Peer::greeted(registry.addr, 3);
    flood.send(&vec![7; 300_000]);
    flood.send(&[0, 1, 2, 3, 0, 9, 9, 0]);
    for _ in 0..3 {
        let answer: FromRegistry = from_payload(&flood.read().unwrap()).unwrap();
        let FromRegistry::Response(response) = answer else {
            panic!("{answer:?}")
        };
        assert_eq!(response.result, Err(Refusal::Malformed));
    }
    assert!(registry.lookup(&["bob"]).status.success());
}

#[test]
fn the_key_is_kept_private_and_the_same() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let key_of = |registry: &Registry| Peer::greeted(registry.addr, 1).binding.unwrap().registry;
    let first = Registry::start(&["--data", data.to_str().unwrap()]);
    let key = key_of(&first);
    drop(first);
    let second = Registry::start(&["--data", data.to_str().unwrap()]);
    assert_eq!(key_of(&second), key);
    let file = data.join("registry.key");
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    drop(second);
    std::fs::write(&file, b"short").unwrap();
    let damaged = refused(&["--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()]);
    assert!(damaged.contains("is damaged"), "{damaged}");
}

#[test]
fn plain_frames_are_refused_where_they_are_not_wanted() {
    let registry = Registry::start(&["--ephemeral", "--plain", "never"]);
    let answer = Peer::connect(registry.addr, 1).greet();
    assert_eq!(answer.welcome, Err(Unwelcome::PlainRefused));
    let lookup = registry.lookup(&["bob"]);
    assert_eq!(lookup.status.code(), Some(2));
    assert!(text(&lookup.stderr).contains("takes no unencrypted connections"));
}

/// Runs a registry that does not start, and returns the one line that says why.
fn refused(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_ramal-registry"))
        .args(arguments)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = text(&output.stderr);
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

#[test]
fn wrong_starts_end_in_one_clear_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    assert!(refused(&["--ephemeral", "--listen", &addr]).contains("another program has this port"));
    assert!(refused(&["--listen", "somewhere"]).contains("somewhere"));
    let elsewhere = refused(&["--ephemeral", "--listen", "203.0.113.1:5000"]);
    assert!(
        elsewhere.contains("an address of this machine"),
        "{elsewhere}"
    );
    assert!(refused(&["--prot", "1"]).contains("--prot"));
    assert!(refused(&["--data", "/proc/none"]).contains("use --data DIR"));
}

#[test]
fn lookups_fail_clearly() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string();
    let nobody = lookup(&free, &["bob"]);
    assert_eq!(nobody.status.code(), Some(2));
    assert!(
        text(&nobody.stderr).contains("nobody listens at 127.0.0.1"),
        "{nobody:?}"
    );

    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let waiting = lookup(&silent.local_addr().unwrap().to_string(), &["bob"]);
    assert_eq!(waiting.status.code(), Some(2));
    assert!(
        text(&waiting.stderr).contains("no answer from"),
        "{waiting:?}"
    );

    for bad in ["b b", "\u{1b}[2J", ""] {
        let output = lookup(&free, &[bad]);
        assert_eq!(output.status.code(), Some(2));
        assert!(!output.stderr.contains(&0x1b), "{output:?}");
    }
    assert_eq!(lookup(&free, &[]).status.code(), Some(2));
    assert_eq!(lookup("a:b:c", &["bob"]).status.code(), Some(2));
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let registry = Registry::start(&["--ephemeral"]);
    let mut bob = Peer::greeted(registry.addr, 1);
    bob.register("bob", 1).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_ramal-lookup"))
        .args(["--registry", &registry.addr.to_string(), "bob"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (output.status.code(), text(&output.stderr).as_str()),
        (Some(0), "")
    );
}
