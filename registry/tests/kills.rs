//! A registry that is killed while names are claimed loses none that it has acknowledged, and
//! grants none twice.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::{
    collections::HashMap,
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use codec::{
    DeviceId, Identity, IdentityKey, KeyCard, Name, RecoveryLock, Text,
    claim::Claim,
    frame::{FrameDecoder, from_payload, to_frame},
    greeting::{Answer, Exporter, Hello, Nonce, PROTOCOL_VERSION, PhoneGreeting, Role, Welcome},
    identity::AgreementSecret,
    registry::{
        Binding, Contacts, FromRegistry, Method, Refusal, Register, Request, RequestId, Success,
    },
};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};
use registry::{
    event::Events,
    limits::Limits,
    store::{Claims, EmbeddedStore, Moment, Store},
};
use serde::{Serialize, de::DeserializeOwned};
use tempfile::TempDir;

#[path = "programs/rig.rs"]
mod rig;

const KILLS: u64 = 50;
const CLIENTS: u64 = 8;

/// No more names from one identity than it may own.
const CLAIMS_OF_ONE: u64 = 5;

/// How long the next acknowledgement may take before something hangs.
const AT_LAST: Duration = Duration::from_secs(20);

/// What a registry has answered to a claim.
struct Said {
    name: Name,
    identity: IdentityKey,
    granted: bool,
}

/// A phone's connection, which may end at any time.
struct Phone {
    stream: TcpStream,
    decoder: FrameDecoder,
    unread: Vec<u8>,
    identity: Identity,
    card: KeyCard,
    binding: Option<Binding>,
}

impl Phone {
    fn connect(addr: SocketAddr, secret: [u8; 32]) -> io::Result<Self> {
        let stream = TcpStream::connect(addr)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(AT_LAST))?;
        let identity = Identity::from_secret(&secret);
        let agreement = AgreementSecret::from_secret(&secret).key();
        let card = KeyCard::issue(&identity, agreement, 1, u64::MAX);
        let mut phone = Self {
            stream,
            decoder: FrameDecoder::default(),
            unread: Vec::new(),
            identity,
            card,
            binding: None,
        };
        let nonce = Nonce([1; 32]);
        let hello = Hello {
            version: PROTOCOL_VERSION,
            agent: Text::new("test").unwrap(),
            role: Role::Phone(PhoneGreeting { card, nonce }),
        };
        let answer: Answer = phone.ask(&hello)?;
        let Ok(Welcome::Registry(welcome)) = answer.welcome else {
            panic!("not welcome: {answer:?}");
        };
        phone.binding = Some(Binding {
            registry: welcome.key,
            exporter: Exporter::PLAIN,
            nonce: welcome.nonce,
        });
        Ok(phone)
    }

    fn ask<T: DeserializeOwned>(&mut self, message: &impl Serialize) -> io::Result<T> {
        self.stream.write_all(&to_frame(message).unwrap())?;
        loop {
            let mut rest = &self.unread[..];
            let found = self.decoder.next(&mut rest);
            self.unread = rest.to_vec();
            if let Some(payload) = found {
                return Ok(from_payload(&payload.unwrap()).unwrap());
            }
            let mut bytes = [0; 4096];
            match self.stream.read(&mut bytes)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => self.unread.extend(&bytes[..read]),
            }
        }
    }

    fn claim(&mut self, name: &Name) -> io::Result<Result<Success, Refusal>> {
        let register = Register::sign(
            &self.identity,
            &self.binding.unwrap(),
            name.clone(),
            DeviceId([9; 16]),
            self.card,
            Contacts::first_of(["192.0.2.7:4000".parse().unwrap()]),
            60,
            1,
            Claim::new(RecoveryLock([7; 32])),
        );
        let (id, method) = (RequestId(1), Method::Register(register));
        match self.ask(&Request { id, method })? {
            FromRegistry::Response(response) => Ok(response.result),
            other => panic!("{other:?}"),
        }
    }
}

/// Claims names until the registry is gone: some that all clients want, some of its own, and some
/// that were given to somebody before.
fn claim_on(
    addr: SocketAddr,
    mut rng: ChaCha20Rng,
    (round, client): (u64, u64),
    given: &[Name],
    said: &SyncSender<Said>,
) -> io::Result<()> {
    for connection in 0.. {
        let mut secret = [0; 32];
        rng.fill_bytes(&mut secret);
        let mut phone = Phone::connect(addr, secret)?;
        let identity = phone.identity.key();
        for number in 0..CLAIMS_OF_ONE {
            let number = connection * CLAIMS_OF_ONE + number;
            let name: Name = match number % 4 {
                0 => format!("own-{round}-{client}-{number}").parse().unwrap(),
                3 if !given.is_empty() => {
                    let which = usize::try_from(rng.next_u32()).unwrap() % given.len();
                    given[which].clone()
                }
                _ => format!("all-{round}-{number}").parse().unwrap(),
            };
            let granted = match phone.claim(&name)? {
                Ok(Success::Registered { .. }) => true,
                Err(Refusal::NameTaken) => false,
                other => panic!("{name}: {other:?}"),
            };
            let answer = Said {
                name,
                identity,
                granted,
            };
            said.send(answer).expect("the test waits for all clients");
        }
    }
    Ok(())
}

/// What was acknowledged, and how often something was refused that was somebody's.
#[derive(Default)]
struct Ledger {
    owners: HashMap<Name, IdentityKey>,
    refused: usize,
    twice: Vec<Name>,
}

impl Ledger {
    fn note(&mut self, said: Said) -> bool {
        let Said {
            name,
            identity,
            granted,
        } = said;
        if !granted {
            self.refused += 1;
        } else if let Some(other) = self.owners.insert(name.clone(), identity)
            && other != identity
        {
            self.twice.push(name);
        }
        granted
    }
}

fn clients(
    addr: SocketAddr,
    round: u64,
    ledger: &Ledger,
) -> (Vec<JoinHandle<io::Error>>, Receiver<Said>) {
    let (said, heard) = sync_channel(10_000);
    let given: Vec<Name> = ledger.owners.keys().take(100).cloned().collect();
    let clients = (0..CLIENTS).map(|client| {
        let (said, given) = (said.clone(), given.clone());
        let rng = ChaCha20Rng::seed_from_u64(round * CLIENTS + client);
        thread::spawn(move || {
            let ended = claim_on(addr, rng, (round, client), &given, &said);
            ended.expect_err("it goes on until the registry is gone")
        })
    });
    (clients.collect(), heard)
}

#[test]
fn a_registry_that_is_killed_loses_no_acknowledged_claim_and_grants_none_twice() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let options = [
        ["--data", data.to_str().unwrap()],
        ["--per-address", "10000"],
        ["--claims-per-day", "1000000"],
        ["--guesses-per-hour", "1000000"],
    ];
    let started = Instant::now();
    let mut ledger = Ledger::default();
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    for round in 0..KILLS {
        let mut registry = rig::Registry::start(options.as_flattened());
        let (clients, heard) = clients(registry.addr, round, &ledger);
        let mut granted_before = rng.next_u32() % 60;
        while granted_before > 0 {
            let said = heard.recv_timeout(AT_LAST).expect("no claim was answered");
            granted_before -= u32::from(ledger.note(said));
        }
        // SIGKILL: nothing is tidied up.
        registry.child.kill().unwrap();
        registry.child.wait().unwrap();
        for client in clients {
            client.join().expect("every client is answered or cut off");
        }
        // Those that were told in the last moment were told all the same.
        for said in heard {
            ledger.note(said);
        }
    }
    let kept = owners(&data);
    let missing: Vec<_> = ledger
        .owners
        .iter()
        .filter(|(name, identity)| kept.get(*name) != Some(identity))
        .collect();
    let (claims, refused) = (ledger.owners.len(), ledger.refused);
    println!(
        "{KILLS} kills, {CLIENTS} clients: {claims} claims acknowledged, {} kept, {refused} \
         refused, {} missing, {} granted twice, in {:.1} s",
        kept.len(),
        missing.len(),
        ledger.twice.len(),
        started.elapsed().as_secs_f64()
    );
    assert!(missing.is_empty(), "{missing:?}");
    assert!(ledger.twice.is_empty(), "{:?}", ledger.twice);
    assert!(claims > 500 && refused > 500);
}

/// Who owns what, as the file has it after the last kill.
fn owners(data: &Path) -> HashMap<Name, IdentityKey> {
    let (events, _) = Events::channel();
    let limits = Limits::default();
    let store = EmbeddedStore::open(data, &limits, Claims::Open, events, Moment::now());
    let (owners, all) = store.unwrap().owners("", usize::MAX);
    assert_eq!(owners.len(), all);
    let owners = owners.into_iter();
    owners.map(|owner| (owner.name, owner.identity)).collect()
}
