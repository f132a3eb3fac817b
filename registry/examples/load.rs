//! Measures how many signed claims, signed registrations and lookups a registry answers, and what
//! each costs it.
//!
//! `cargo build --release -p registry --bins && cargo run --release -p registry --example load`,
//! with `-- --plain` without TLS.
//!
//! Starts `ramal-registry` from the folder of this program's build with a data folder of its own,
//! so that claims wait for the disk. Phones, each with its own identity, connect from loopback
//! addresses, 127.0.1.1 and on, and stay within what the registry gives one connection. Every
//! request is signed and encoded before the clock runs; each phone has `--depth` requests on their
//! way. Server and phones share the machine. Linux only.

#![allow(clippy::print_stdout)]

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use clap::Parser;
use codec::{
    DeviceId, Identity, KeyCard, RecoveryLock,
    claim::Claim,
    frame::{from_payload, to_frame},
    greeting::{Answer, Hello, Nonce, PROTOCOL_VERSION, PhoneGreeting, Role, Welcome},
    identity::AgreementSecret,
    registry::{
        Binding, Contacts, FromRegistry, Method, Register, Request, RequestId, Response, Success,
    },
};
use registry::{
    client::agent,
    link::{FrameLink, Received},
    tls::{self, Stream},
};
use tokio::{net::TcpSocket, task::JoinSet};

#[path = "rig/process.rs"]
mod process;

use process::{Outcome, Registry};

/// A clock tick of `/proc`.
const TICK_US: f64 = 10_000.0;

/// Measures how many signed requests and lookups a registry answers
#[derive(Debug, Parser)]
struct Options {
    /// Phones, each with a connection and an identity
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u16).range(1..=5000))]
    phones: u16,
    /// Names that each claims
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=5))]
    claims: u16,
    /// Signed registrations of each; a connection may send 80 at once, and 20 a second
    #[arg(long, default_value_t = 60)]
    registrations: u32,
    /// Lookups of each; a connection may ask for 2,000 at once, and for 500 a second
    #[arg(long, default_value_t = 1000)]
    lookups: u32,
    /// Requests on their way from each phone
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    depth: u8,
    /// Without TLS
    #[arg(long)]
    plain: bool,
}

/// A phone, and the frames that it is going to send.
struct Phone {
    number: u16,
    link: FrameLink<Stream>,
    identity: Identity,
    card: KeyCard,
    binding: Binding,
    frames: Vec<Vec<u8>>,
    /// How long each answer took.
    took: Vec<Duration>,
}

/// Some letters for a number: digits and letters that look alike would be one name.
fn name_of(phone: u16, name: u32) -> String {
    let mut left = u32::from(phone) * 8 + name;
    let mut text = String::from("u");
    for _ in 0..6 {
        text.push(char::from(b"abcdefghjk"[left as usize % 10]));
        left /= 10;
    }
    text
}

impl Phone {
    async fn connect(number: u16, to: SocketAddr, plain: bool) -> Outcome<Self> {
        let socket = TcpSocket::new_v4()?;
        let [high, low] = (256 + number % 100).to_be_bytes();
        socket.bind((Ipv4Addr::new(127, 0, high, low + 1), 0).into())?;
        let stream = socket.connect(to).await?;
        stream.set_nodelay(true)?;
        let stream = match plain {
            true => Stream::Plain(stream),
            false => tls::connect(stream, "registry", to.ip())
                .await
                .map_err(|(error, _)| error)?,
        };
        let exporter = stream.exporter()?;
        let mut link = FrameLink::new(stream);
        let mut secret = [7; 32];
        secret[..2].copy_from_slice(&number.to_be_bytes());
        let identity = Identity::from_secret(&secret);
        let agreement = AgreementSecret::from_secret(&secret).key();
        let card = KeyCard::issue(&identity, agreement, 1, u64::MAX);
        let nonce = Nonce([1; 32]);
        let hello = Hello {
            version: PROTOCOL_VERSION,
            agent: agent("load"),
            role: Role::Phone(PhoneGreeting { card, nonce }),
        };
        link.queue(&to_frame(&hello)?)?;
        let Received::Payload(payload) = link.receive().await? else {
            return Err("no answer to the greeting".into());
        };
        let answer: Answer = from_payload(&payload)?;
        let Welcome::Registry(welcome) = answer.welcome.map_err(|reason| reason.to_string())?
        else {
            return Err("that is no registry".into());
        };
        let binding = Binding {
            registry: welcome.key,
            exporter,
            nonce: welcome.nonce,
        };
        Ok(Self {
            number,
            link,
            identity,
            card,
            binding,
            frames: Vec::new(),
            took: Vec::new(),
        })
    }

    fn register(&self, name: u32, cseq: u64) -> Outcome<Method> {
        Ok(Method::Register(Register::sign(
            &self.identity,
            &self.binding,
            name_of(self.number, name).parse()?,
            DeviceId([1; 16]),
            self.card,
            Contacts::first_of([([192, 0, 2, 7], 4000).into()]),
            3600,
            cseq,
            Claim::new(RecoveryLock([7; 32])),
        )))
    }

    fn prepare(&mut self, methods: impl Iterator<Item = Outcome<Method>>) -> Outcome<()> {
        self.frames.clear();
        for (id, method) in (1..).zip(methods) {
            let (id, method) = (RequestId(id), method?);
            self.frames.push(to_frame(&Request { id, method })?);
        }
        Ok(())
    }

    /// Sends all frames, and waits for all answers.
    async fn run(mut self, depth: usize) -> Result<Self, String> {
        self.took.clear();
        let frames = std::mem::take(&mut self.frames);
        let mut sent = Vec::with_capacity(frames.len());
        for answered in 0..frames.len() {
            while sent.len() < frames.len().min(answered + depth) {
                let queued = self.link.queue(&frames[sent.len()]);
                queued.map_err(|error| error.to_string())?;
                sent.push(Instant::now());
            }
            let received = self.link.receive().await;
            let Received::Payload(payload) = received.map_err(|error| error.to_string())? else {
                return Err("the registry ended".to_owned());
            };
            let read = from_payload(&payload).map_err(|error| format!("{error:?}"))?;
            match read {
                FromRegistry::Response(Response {
                    result: Ok(Success::Registered { .. } | Success::Found(_)),
                    ..
                }) => {}
                other => return Err(format!("phone {}: {other:?}", self.number)),
            }
            self.took.push(sent[answered].elapsed());
        }
        Ok(self)
    }
}

/// Lets all phones send what they have prepared, and says how it went.
async fn measure(
    what: &str,
    registry: &Registry,
    phones: Vec<Phone>,
    depth: usize,
) -> Outcome<Vec<Phone>> {
    let (ticks, started) = (registry.ticks()?, Instant::now());
    let mut running = JoinSet::new();
    for phone in phones {
        running.spawn(phone.run(depth));
    }
    let mut phones = Vec::new();
    while let Some(ended) = running.join_next().await {
        phones.push(ended??);
    }
    let passed = started.elapsed().as_secs_f64();
    let ticks = registry.ticks()? - ticks;
    let mut took: Vec<Duration> = phones
        .iter()
        .flat_map(|it| it.took.iter().copied())
        .collect();
    took.sort_unstable();
    let at = |part: usize| took[(took.len() * part / 1000).min(took.len() - 1)];
    println!(
        "{what}: {} in {passed:.2} s: {:.0} a second, {:.1} us of the registry each, median \
         {:.1?}, 99 % within {:.1?}",
        took.len(),
        took.len() as f64 / passed,
        ticks as f64 * TICK_US / took.len() as f64,
        at(500),
        at(990)
    );
    Ok(phones)
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let options = Options::parse();
    let folder = std::env::temp_dir().join(format!("ramal-load-{}", std::process::id()));
    let data = folder.to_str().ok_or("no folder")?;
    let rates = [
        "--claims-per-day",
        "1000000",
        "--guesses-per-hour",
        "1000000",
    ];
    let mut arguments = vec!["--data", data, "--per-address", "5000"];
    arguments.extend(rates);
    let registry = Registry::start(&arguments)?;
    let measured = measure_all(&options, &registry).await;
    let counted = registry.stop();
    std::fs::remove_dir_all(&folder)?;
    measured?;
    println!("{}", counted?);
    Ok(())
}

async fn measure_all(options: &Options, registry: &Registry) -> Outcome<()> {
    let depth = usize::from(options.depth);
    let mut phones = Vec::new();
    for number in 0..options.phones {
        phones.push(Phone::connect(number, registry.addr, options.plain).await?);
    }
    let claims = u32::from(options.claims);
    for phone in &mut phones {
        let claims: Vec<_> = (0..claims).map(|name| phone.register(name, 1)).collect();
        phone.prepare(claims.into_iter())?;
    }
    let mut phones = measure("claims", registry, phones, depth).await?;
    for phone in &mut phones {
        let registrations = 0..options.registrations;
        let requests = registrations.map(|it| phone.register(it % claims, 2 + u64::from(it)));
        let requests: Vec<_> = requests.collect();
        phone.prepare(requests.into_iter())?;
    }
    let mut phones = measure("registrations", registry, phones, depth).await?;
    let all = options.phones;
    for phone in &mut phones {
        // Everybody looks up somebody else each time.
        let number = u32::from(phone.number);
        let requests = (0..options.lookups).map(|it| {
            let whom = u16::try_from((number + it * 7) % u32::from(all))?;
            let name = name_of(whom, it % claims).parse()?;
            Ok(Method::Lookup { name })
        });
        phone.prepare(requests)?;
    }
    let phones = measure("lookups", registry, phones, depth).await?;
    println!("memory of the registry: {} KiB", registry.memory()?);
    drop(phones);
    Ok(())
}
