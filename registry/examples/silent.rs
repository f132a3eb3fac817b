//! Measures what silent connections cost a registry, and whoever asks it for names meanwhile.
//!
//! `cargo build --release -p registry --bins && cargo run --release -p registry --example silent`,
//! with `-- --plain` without TLS.
//!
//! Starts `ramal-registry` from the folder of this program's build, opens connections from
//! loopback addresses 127.0.0.2 and on, greets on each, says nothing more, and looks a name up from
//! 127.0.0.1 before and while they are held. At the end, one address opens connections until one is
//! refused. Linux only: a whole net of loopback addresses, and memory by `/proc`.

#![allow(clippy::print_stdout)]

use std::{
    io::Write,
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use clap::Parser;
use codec::{
    DeviceId, Identity, KeyCard,
    frame::{from_payload, to_frame},
    greeting::{Answer, Hello, Nonce, PROTOCOL_VERSION, PhoneGreeting, Role, Unwelcome, Welcome},
    identity::AgreementSecret,
    registry::{Binding, Contacts, Method, Register, Request, RequestId},
};
use registry::{
    client::{Access, Client, Security, agent},
    link::{FrameLink, Received},
    tls::{self, Stream},
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    net::{TcpSocket, TcpStream},
    time::sleep,
};

#[path = "rig/process.rs"]
mod process;

use process::{Outcome, Registry};

/// For every question and every connection.
const WITHIN: Duration = Duration::from_secs(10);

/// Measures what silent connections cost a registry
#[derive(Debug, Parser)]
struct Options {
    /// Connections to hold
    #[arg(long, default_value_t = 5000)]
    connections: usize,
    /// Loopback addresses that they come from, at most 200
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u8).range(1..=200))]
    addresses: u8,
    /// Lookups to measure, before and while the connections are held
    #[arg(long, default_value_t = 4000)]
    lookups: usize,
    /// A lookup begins so long after the last one, in microseconds; one connection may ask for one
    /// every 2,000
    #[arg(long, default_value_t = 2500)]
    every_us: u64,
    /// Does not greet on every other connection: it is measured before these are turned away
    #[arg(long)]
    half_mute: bool,
    /// Without TLS
    #[arg(long)]
    plain: bool,
}

async fn with_tls(stream: TcpStream, plain: bool) -> Outcome<Stream> {
    let ip = stream.peer_addr()?.ip();
    // As programs do; else the end of the handshake and the greeting wait for each other.
    stream.set_nodelay(true)?;
    match plain {
        true => Ok(Stream::Plain(stream)),
        false => Ok(tls::connect(stream, "registry", ip)
            .await
            .map_err(|(error, _)| error)?),
    }
}

async fn connect_from(last: u8, to: SocketAddr) -> Outcome<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::new(127, 0, 0, last), 0).into())?;
    Ok(socket.connect(to).await?)
}

async fn greet(stream: Stream, role: Role) -> Outcome<(FrameLink<Stream>, Answer)> {
    let mut link = FrameLink::new(stream);
    let hello = Hello {
        version: PROTOCOL_VERSION,
        agent: agent("silent"),
        role,
    };
    link.queue(&to_frame(&hello)?)?;
    match link.receive().await? {
        Received::Payload(payload) => Ok((link, from_payload(&payload)?)),
        other => Err(format!("no answer but {other:?}").into()),
    }
}

/// Registers Bob, so that there is somebody to look up.
async fn register(addr: SocketAddr, plain: bool) -> Outcome<FrameLink<Stream>> {
    let identity = Identity::from_secret(&[1; 32]);
    let agreement = AgreementSecret::from_secret(&[1; 32]);
    let card = KeyCard::issue(&identity, agreement.key(), 1, u64::MAX);
    let nonce = Nonce([1; 32]);
    let role = Role::Phone(PhoneGreeting { card, nonce });
    let stream = with_tls(TcpStream::connect(addr).await?, plain).await?;
    let exporter = stream.exporter()?;
    let (mut link, answer) = greet(stream, role).await?;
    let Ok(Welcome::Registry(welcome)) = answer.welcome else {
        return Err("not welcome".into());
    };
    let binding = Binding {
        registry: welcome.key,
        exporter,
        nonce: welcome.nonce,
    };
    let contacts = Contacts::first_of([([192, 0, 2, 7], 4000).into()]);
    let (name, device) = ("bob".parse()?, DeviceId([1; 16]));
    let register = Register::sign(
        &identity,
        &binding,
        name,
        device,
        card,
        contacts,
        3600,
        1,
        codec::claim::Claim::new(codec::RecoveryLock([7; 32])),
    );
    let method = Method::Register(register);
    let id = RequestId(1);
    link.queue(&to_frame(&Request { id, method })?)?;
    link.receive().await?;
    Ok(link)
}

/// How long lookups take, sorted.
async fn look_up(client: &mut Client, options: &Options) -> Outcome<Vec<Duration>> {
    let mut took = Vec::with_capacity(options.lookups);
    let mut next = tokio::time::Instant::now();
    for _ in 0..options.lookups {
        let name = "bob".parse()?;
        let asked = Instant::now();
        client.ask(Method::Lookup { name }, WITHIN).await?;
        took.push(asked.elapsed());
        next += Duration::from_micros(options.every_us);
        tokio::time::sleep_until(next).await;
    }
    took.sort_unstable();
    Ok(took)
}

fn show(what: &str, took: &[Duration]) {
    let at = |part: usize| took[(took.len() * part / 1000).min(took.len() - 1)];
    println!(
        "{what}: {} lookups, median {:?}, 99 % within {:?}, longest {:?}",
        took.len(),
        at(500),
        at(990),
        took[took.len() - 1]
    );
}

/// Opens connections from one address until one is refused; how many were taken, and the reason.
async fn until_refused(addr: SocketAddr) -> Outcome<(usize, Unwelcome)> {
    let mut held = Vec::new();
    loop {
        // Without TLS, as that is how the last one is refused.
        let stream = Stream::Plain(connect_from(250, addr).await?);
        let (link, answer) = greet(stream, Role::Client).await?;
        match answer.welcome {
            Ok(_) => held.push(link),
            Err(reason) => return Ok((held.len(), reason)),
        }
    }
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let options = Options::parse();
    let allowed = getrlimit(Resource::Nofile);
    let current = allowed.maximum;
    setrlimit(Resource::Nofile, Rlimit { current, ..allowed })?;
    let registry = Registry::start(&["--ephemeral"])?;
    let _bob = register(registry.addr, options.plain).await?;
    let security = if options.plain {
        Security::Plain
    } else {
        Security::Tls
    };
    let access = Access::trusting("silent").with(security);
    let mut client = Client::connect(&access, &registry.addr.into(), WITHIN).await?;
    show("alone", &look_up(&mut client, &options).await?);
    let before = registry.memory()?;

    let (started, worked) = (Instant::now(), registry.ticks()?);
    let (mut held, mut mute) = (Vec::new(), Vec::new());
    for number in 0..options.connections {
        let last = 2 + u8::try_from(number % usize::from(options.addresses))?;
        let stream = connect_from(last, registry.addr).await?;
        if options.half_mute && number % 2 == 1 {
            mute.push(stream);
            continue;
        }
        let stream = with_tls(stream, options.plain).await?;
        let (link, answer) = greet(stream, Role::Client).await?;
        answer.welcome.map_err(|reason| reason.to_string())?;
        held.push(link);
    }
    println!(
        "{} connections from {} addresses in {:.1} s, {} of them mute, {} ms of the registry",
        options.connections,
        options.addresses,
        started.elapsed().as_secs_f64(),
        mute.len(),
        (registry.ticks()? - worked) * 10
    );
    let ticks = registry.ticks()?;
    show("beside them", &look_up(&mut client, &options).await?);
    let after = registry.memory()?;
    println!(
        "memory: {before} KiB before, {after} KiB while held: {:.2} KiB each",
        (after.saturating_sub(before) * 1024) as f64 / 1024.0 / options.connections as f64
    );
    let took = (registry.ticks()? - ticks) * 10;
    println!("processor time of the registry while looked up: {took} ms");
    let idle = registry.ticks()?;
    sleep(Duration::from_secs(5)).await;
    let took = (registry.ticks()? - idle) * 10;
    println!("processor time of the registry in 5 s of silence: {took} ms");
    let (taken, reason) = until_refused(registry.addr).await?;
    println!("127.0.0.250: {taken} taken, then refused: {reason}");
    drop((held, mute));
    println!("{}", registry.stop()?);
    std::io::stdout().flush()?;
    Ok(())
}
