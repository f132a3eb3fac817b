//! Connecting to whoever listens at an address, a registry or a phone, and asking a registry.

use std::{
    collections::VecDeque,
    fmt, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use codec::{
    IdentityKey, Text,
    frame::{self, to_frame},
    greeting::{
        self, Agent, Answer, Exporter, GreetingError, Hello, PROTOCOL_VERSION, RegistryWelcome,
        Role, Unwelcome, Welcome,
    },
    registry::{
        ClosingReason, FromRegistry, Method, Notice, Refusal, Request, RequestId, Response, Success,
    },
};
use tokio::{
    net::{TcpStream, lookup_host},
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    known::{KnownError, KnownRegistries, Met},
    link::{FrameLink, Received},
    tls::{self, Stream},
};

/// The port of a registry, when none is given.
pub const DEFAULT_PORT: u16 = 5000;

/// How long one address may take before the next is tried beside it (RFC 8305, 5).
const NEXT_ADDRESS_AFTER: Duration = Duration::from_millis(250);

/// How long somebody who answers without TLS may take to say why.
const REASON_WITHIN: Duration = Duration::from_millis(500);

/// The most addresses of one host that are tried.
const ADDRESSES_MAX: usize = 16;

/// How many notices may wait while an answer is waited for; those of a page or two.
const NOTICES_MAX: usize = 1024;

/// `HOST[:PORT]`, as people type it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    host: String,
    port: u16,
}

/// A text is no `HOST[:PORT]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadHost(String);

impl fmt::Display for BadHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: String = self
            .0
            .chars()
            .take(80)
            .flat_map(char::escape_debug)
            .collect();
        write!(
            f,
            "'{shown}' is no HOST or HOST:PORT, such as 192.168.1.5:{DEFAULT_PORT}"
        )
    }
}

impl std::error::Error for BadHost {}

impl FromStr for Host {
    type Err = BadHost;

    /// Reads a host name or an IP address with or without a port; an IPv6 address with a port
    /// stands in brackets.
    fn from_str(typed: &str) -> Result<Self, BadHost> {
        let bad = || BadHost(typed.to_owned());
        let text = typed.trim();
        let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, "")) => (host, None),
            Some((host, rest)) => (host, Some(rest.strip_prefix(':').ok_or_else(bad)?)),
            None if text.matches(':').count() > 1 => (text, None),
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let port = match port.map(str::parse) {
            None => DEFAULT_PORT,
            Some(Ok(port)) if port != 0 => port,
            Some(_) => return Err(bad()),
        };
        let host_like = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '%');
        if host.is_empty() || host.len() > 253 || !host.chars().all(host_like) {
            return Err(bad());
        }
        Ok(Self {
            host: host.to_owned(),
            port,
        })
    }
}

impl Host {
    /// Whether both are the same place as people write it: letters of a host name have no case.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.port == other.port && self.host.eq_ignore_ascii_case(&other.host)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl From<SocketAddr> for Host {
    fn from(addr: SocketAddr) -> Self {
        Self {
            host: addr.ip().to_string(),
            port: addr.port(),
        }
    }
}

/// Why there is no connection. Each names the way on in its text.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectError {
    /// The host has no address.
    Unknown(Host),
    /// Nobody listens there.
    Refused(Host),
    /// No answer came in time.
    TimedOut(Host),
    /// Something else went wrong with the network.
    Io(Host, io::Error),
    /// Somebody listens who does not speak this protocol, or another version.
    Greeting(Host, GreetingError),
    /// The peer does not want the connection.
    Unwelcome(Host, Unwelcome),
    /// The peer is a phone where a registry is needed, or the other way round.
    WrongRole(Host),
    /// The registry could not prove its key on this connection.
    NotProven(Host),
    /// It answers without encryption, although none was offered to it.
    NoTls(Host),
    /// The registry shows another key than before.
    KeyChanged {
        /// Which registry.
        host: Host,
        /// The key that was known.
        known: IdentityKey,
        /// The key that it has now.
        now: IdentityKey,
        /// Where the known one stands.
        file: PathBuf,
    },
    /// It cannot be told whether the registry has the key that it had.
    Known(KnownError),
    /// The registry has closed the connection.
    Closed(Host, ClosingReason),
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(host) => write!(f, "no address is known for {host}; check the name"),
            Self::Refused(host) => {
                write!(
                    f,
                    "nobody listens at {host}; check the address, and that it is running"
                )
            }
            Self::TimedOut(host) => {
                write!(
                    f,
                    "no answer from {host}; check the address and the network"
                )
            }
            Self::Io(host, error) => write!(f, "cannot reach {host}: {error}"),
            Self::Greeting(host, error) => write!(f, "{host}: {error}"),
            Self::Unwelcome(host, reason) => write!(f, "{host} ended the connection: {reason}"),
            Self::WrongRole(host) => write!(f, "who listens at {host} is not what is needed here"),
            Self::Closed(host, reason) => write!(f, "{host} closed the connection: {reason}"),
            Self::NotProven(host) => write!(
                f,
                "{host} could not prove its key: somebody may be in between; \
                 try from another network, and ask the registry's operator"
            ),
            Self::NoTls(host) => write!(
                f,
                "{host} answers without encryption; check the address. --plain talks to it all \
                 the same, and then everybody on the way can read and change what is said"
            ),
            Self::KeyChanged {
                host,
                known,
                now,
                file,
            } => write!(
                f,
                "{host} has another key than before: it was set up anew, or somebody is in \
                 between. It was {}, it is {}. Ask its operator which is right; if the new one \
                 is, forget the old one: ramal-phone registries forget {host} (it stands in {})",
                known.fingerprint(),
                now.fingerprint(),
                file.display()
            ),
            Self::Known(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ConnectError {}

impl ConnectError {
    /// Whether who listens there may be somebody else than it seems, which a person has to look
    /// into: trying again is of no use.
    #[must_use]
    pub fn is_distrust(&self) -> bool {
        matches!(
            self,
            Self::NotProven(_) | Self::KeyChanged { .. } | Self::Known(_)
        )
    }
}

/// Whether what is said on the way to a registry can be read there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// It cannot: TLS 1.3, and nothing else if there is none.
    Tls,
    /// It can.
    Plain,
}

/// How a program connects.
#[derive(Debug, Clone)]
pub struct Access {
    /// What it calls itself.
    pub agent: Agent,
    /// How it talks to registries.
    pub security: Security,
    /// The registries that it has met; `None` is for a program that trusts whoever is there.
    pub known: Option<KnownRegistries>,
}

impl Access {
    /// As [`agent`] of this name, by TLS, to the registries known in this configuration folder.
    #[must_use]
    pub fn of(program: &str, config: &Path) -> Self {
        Self {
            agent: agent(program),
            security: Security::Tls,
            known: Some(KnownRegistries::in_folder(config)),
        }
    }

    /// As [`agent`] of this name, by TLS, to any registry. For tests and measurements.
    #[must_use]
    pub fn trusting(program: &str) -> Self {
        Self {
            agent: agent(program),
            security: Security::Tls,
            known: None,
        }
    }

    /// The same with this security.
    #[must_use]
    pub fn with(self, security: Security) -> Self {
        Self { security, ..self }
    }
}

/// A connection on which both sides have greeted.
#[derive(Debug)]
pub struct Connected {
    /// The connection.
    pub link: FrameLink<Stream>,
    /// Where it leads.
    pub peer: SocketAddr,
    /// Who is there.
    pub welcome: Welcome,
    /// What signatures and nonces on it are bound to.
    pub exporter: Exporter,
    /// It leads to a registry that was not known, and is from now on.
    pub is_first: bool,
}

/// This program's name for greetings.
#[must_use]
pub fn agent(program: &str) -> Agent {
    let version = env!("CARGO_PKG_VERSION");
    Text::new(&format!("{program}/{version}"))
        .unwrap_or_else(|| Text::new("ramal").expect("printable ASCII"))
}

/// Connects to the first address of `host` that answers, and greets. A registry has proven its key,
/// and it is the one that is known.
///
/// # Errors
/// [`ConnectError`], at the latest after `within`.
pub async fn connect(
    access: &Access,
    host: &Host,
    role: Role,
    within: Duration,
) -> Result<Connected, ConnectError> {
    let connected = async {
        let mut connected = connect_any(access, host, role).await?;
        if let (Welcome::Registry(welcome), Some(known)) = (&connected.welcome, &access.known) {
            connected.is_first = meet(known, host, welcome.key).await?;
        }
        Ok(connected)
    };
    match timeout(within, connected).await {
        Ok(result) => result,
        Err(_) => Err(ConnectError::TimedOut(host.clone())),
    }
}

/// Whether a registry that has proven `key` is met for the first time.
async fn meet(
    known: &KnownRegistries,
    host: &Host,
    key: IdentityKey,
) -> Result<bool, ConnectError> {
    let (file, asked) = (known.clone(), host.clone());
    let met = tokio::task::spawn_blocking(move || file.meet(&asked, &key)).await;
    let failed = |error| KnownError::Io(known.path().to_owned(), io::Error::other(error));
    match met.map_err(failed).flatten().map_err(ConnectError::Known)? {
        Met::First => Ok(true),
        Met::Before => Ok(false),
        Met::Changed { known: before } => Err(ConnectError::KeyChanged {
            host: host.clone(),
            known: before,
            now: key,
            file: known.path().to_owned(),
        }),
    }
}

/// Tries every address of the host, the next one when the last has failed or takes long, and takes
/// the first where somebody greets back (RFC 8305).
async fn connect_any(access: &Access, host: &Host, role: Role) -> Result<Connected, ConnectError> {
    let found = lookup_host((host.host.as_str(), host.port)).await;
    let addrs = found.map_err(|_| ConnectError::Unknown(host.clone()))?;
    let mut addrs = addrs.take(ADDRESSES_MAX).peekable();
    let mut attempts = JoinSet::new();
    let mut failure = ConnectError::Unknown(host.clone());
    loop {
        if let Some(addr) = addrs.next() {
            let (host, security) = (host.clone(), access.security);
            let hello = Hello {
                version: PROTOCOL_VERSION,
                agent: access.agent.clone(),
                role: role.clone(),
            };
            attempts.spawn(async move { connect_and_greet(&host, addr, security, &hello).await });
        }
        tokio::select! {
            attempt = attempts.join_next() => match attempt {
                Some(Ok(Ok(connected))) => return Ok(connected),
                Some(Ok(Err(error))) => failure = error,
                Some(Err(_)) => {}
                None => return Err(failure),
            },
            () = sleep(NEXT_ADDRESS_AFTER), if addrs.peek().is_some() => {}
        }
    }
}

async fn connect_and_greet(
    host: &Host,
    addr: SocketAddr,
    security: Security,
    hello: &Hello,
) -> Result<Connected, ConnectError> {
    let io_error = |error| ConnectError::Io(host.clone(), error);
    let stream = TcpStream::connect(addr)
        .await
        .map_err(|error| explain(host, error))?;
    stream.set_nodelay(true).map_err(io_error)?;
    let peer = stream.peer_addr().map_err(io_error)?;
    let stream = match security {
        Security::Plain => Stream::Plain(stream),
        Security::Tls => match tls::connect(stream, &host.host, addr.ip()).await {
            Ok(stream) => stream,
            Err((error, None)) => return Err(explain(host, error)),
            Err((_, Some(plain))) => return Err(why_plain(host, plain).await),
        },
    };
    let exporter = stream.exporter().map_err(io_error)?;
    let mut link = FrameLink::new(stream);
    let hello = to_frame(hello).expect("a greeting is short");
    link.queue(&hello)
        .expect("the first frame of a connection fits");
    let greeting_error = |error| ConnectError::Greeting(host.clone(), error);
    let answer: Answer = match link.receive().await.map_err(io_error)? {
        Received::Payload(payload) => greeting::read(&payload).map_err(greeting_error)?,
        Received::Bad(_) | Received::End => return Err(greeting_error(GreetingError::Malformed)),
    };
    let welcome = answer
        .welcome
        .map_err(|reason| ConnectError::Unwelcome(host.clone(), reason))?;
    if let Welcome::Registry(registry) = &welcome
        && !registry.is_proven(&exporter)
    {
        return Err(ConnectError::NotProven(host.clone()));
    }
    Ok(Connected {
        link,
        peer,
        welcome,
        exporter,
        is_first: false,
    })
}

/// Why somebody answers the beginning of TLS in plain. A registry that has no room says so without
/// TLS, which would be more work than to let the connection in. Nothing else counts from there.
async fn why_plain(host: &Host, stream: TcpStream) -> ConnectError {
    let mut link = FrameLink::new(stream);
    if let Ok(Ok(Received::Payload(payload))) = timeout(REASON_WITHIN, link.receive()).await
        && let Ok(Answer {
            welcome: Err(reason @ (Unwelcome::Full | Unwelcome::AddressFull | Unwelcome::TooSlow)),
            ..
        }) = greeting::read(&payload)
    {
        return ConnectError::Unwelcome(host.clone(), reason);
    }
    ConnectError::NoTls(host.clone())
}

fn explain(host: &Host, error: io::Error) -> ConnectError {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => ConnectError::Refused(host.clone()),
        io::ErrorKind::TimedOut => ConnectError::TimedOut(host.clone()),
        _ => ConnectError::Io(host.clone(), error),
    }
}

/// A connection to a registry for asking one thing after the other.
#[derive(Debug)]
pub struct Client {
    link: FrameLink<Stream>,
    host: Host,
    /// What the registry said of itself.
    pub welcome: RegistryWelcome,
    /// It was not known, and is from now on.
    pub is_first: bool,
    last_id: u32,
    /// Came while an answer was waited for.
    notices: VecDeque<Notice>,
}

/// Why an answer did not come.
#[derive(Debug)]
#[non_exhaustive]
pub enum AskError {
    /// The connection failed.
    Connect(ConnectError),
    /// The registry refused.
    Refused(Refusal),
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(error) => error.fmt(f),
            Self::Refused(refusal) => refusal.fmt(f),
        }
    }
}

impl std::error::Error for AskError {}

impl From<ConnectError> for AskError {
    fn from(error: ConnectError) -> Self {
        Self::Connect(error)
    }
}

impl Client {
    /// Connects to a registry, as somebody without an identity.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn connect(
        access: &Access,
        host: &Host,
        within: Duration,
    ) -> Result<Self, ConnectError> {
        let connected = connect(access, host, Role::Client, within).await?;
        let Connected { link, is_first, .. } = connected;
        match connected.welcome {
            Welcome::Registry(welcome) => Ok(Self {
                is_first,
                ..Self::over(link, host.clone(), welcome)
            }),
            Welcome::Phone(_) => Err(ConnectError::WrongRole(host.clone())),
        }
    }

    /// Asks over a connection on which both sides have greeted.
    #[must_use]
    pub fn over(link: FrameLink<Stream>, host: Host, welcome: RegistryWelcome) -> Self {
        Self {
            link,
            host,
            welcome,
            is_first: false,
            last_id: 0,
            notices: VecDeque::new(),
        }
    }

    /// Asks and waits for the answer.
    ///
    /// # Errors
    /// [`AskError`], at the latest after `within`.
    pub async fn ask(&mut self, method: Method, within: Duration) -> Result<Success, AskError> {
        match timeout(within, self.ask_and_wait(method)).await {
            Ok(answer) => answer,
            Err(_) => Err(ConnectError::TimedOut(self.host.clone()).into()),
        }
    }

    async fn ask_and_wait(&mut self, method: Method) -> Result<Success, AskError> {
        self.last_id = self.last_id.wrapping_add(1);
        let id = RequestId(self.last_id);
        let request =
            to_frame(&Request { id, method }).map_err(|_| AskError::Refused(Refusal::Malformed))?;
        let slow = io::Error::other(crate::link::SlowReader);
        self.link
            .queue(&request)
            .map_err(|_| ConnectError::Io(self.host.clone(), slow))?;
        loop {
            match self.receive().await? {
                FromRegistry::Response(response) if response.id == id => {
                    let Response { result, .. } = response;
                    return result.map_err(AskError::Refused);
                }
                FromRegistry::Notice(notice) => self.keep(notice),
                _ => {}
            }
        }
    }

    /// The next notice that came while an answer was waited for. It is older than that answer.
    pub fn kept_notice(&mut self) -> Option<Notice> {
        self.notices.pop_front()
    }

    /// Waits for the next notice, for as long as it takes. May be cancelled.
    ///
    /// # Errors
    /// [`ConnectError`], among them [`ConnectError::Closed`].
    pub async fn notice(&mut self) -> Result<Notice, AskError> {
        loop {
            if let Some(notice) = self.kept_notice() {
                return Ok(notice);
            }
            if let FromRegistry::Notice(notice) = self.receive().await? {
                self.keep(notice);
            }
        }
    }

    fn keep(&mut self, notice: Notice) {
        if self.notices.len() >= NOTICES_MAX {
            // As the registry does when too much waits: it has to be asked for anew.
            self.notices.clear();
            self.notices.push_back(Notice::Missed);
        }
        self.notices.push_back(notice);
    }

    async fn receive(&mut self) -> Result<FromRegistry, AskError> {
        let received = self.link.receive().await;
        let payload = match received.map_err(|error| ConnectError::Io(self.host.clone(), error))? {
            Received::Payload(payload) => payload,
            Received::Bad(_) => return Err(self.not_understood()),
            Received::End => {
                let ended = io::ErrorKind::UnexpectedEof.into();
                return Err(ConnectError::Io(self.host.clone(), ended).into());
            }
        };
        match frame::from_payload(&payload) {
            Ok(FromRegistry::Notice(Notice::Closing(reason))) => {
                Err(ConnectError::Closed(self.host.clone(), reason).into())
            }
            Ok(message) => Ok(message),
            Err(_) => Err(self.not_understood()),
        }
    }

    fn not_understood(&self) -> AskError {
        ConnectError::Greeting(self.host.clone(), GreetingError::Malformed).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        text.parse::<Host>().ok().map(|host| host.to_string())
    }

    #[test]
    fn hosts_are_read_as_people_type_them() {
        assert_eq!(read("localhost").as_deref(), Some("localhost:5000"));
        assert_eq!(read("10.0.0.1:70").as_deref(), Some("10.0.0.1:70"));
        assert_eq!(read("::1").as_deref(), Some("[::1]:5000"));
        assert_eq!(
            read("[fe80::1%eth0]:1").as_deref(),
            Some("[fe80::1%eth0]:1")
        );
        for bad in [
            "", ":5000", "a:b", "a:0", "a:70000", "[::1", "[::1]5", "a b", "a/b", "\u{1b}x",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
