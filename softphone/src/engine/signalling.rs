//! Connections for signals: one to the registry, and one to every phone that is talked to directly.
//!
//! Each runs as a task that greets, hands on what comes in, and sends what it is given until its
//! orders end; then it writes what is queued and closes.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use codec::{
    IdentityKey, KeyCard, Name,
    direct::{DirectFrame, DirectRefusal},
    frame::{from_payload, to_frame},
    greeting::{
        self, Answer, Exporter, GreetingError, Hello, Nonce, PROTOCOL_VERSION, PhoneGreeting, Role,
        Unwelcome, Welcome,
    },
    registry::{Binding, Method, Refusal, Request, Success},
};
use registry::{
    client::{Access, AskError, Client, ConnectError, Connected, Host, Security, connect},
    known::KnownError,
    line::Line,
    link::{FrameLink, Received},
    tls::{self, Certificate, Stream},
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::{net::TcpStream, sync::mpsc, time::timeout};

use super::{News, record::Greetings};
use crate::{
    journal::Way,
    phone::{Input, LinkId, Unresolved, Why},
};

/// How long a registry may take to answer the greeting.
const REGISTRY_WITHIN: Duration = Duration::from_secs(3);

/// How long another phone may take to answer the greeting.
const PHONE_WITHIN: Duration = Duration::from_secs(4);

/// How long the last frames of a connection may take to be written.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// How many bad frames another phone may send before it is left.
const BAD_FRAMES_MAX: u32 = 16;

/// Tells the driver what happens on one connection.
#[derive(Debug)]
pub(super) struct Tell {
    pub(super) news: mpsc::Sender<News>,
    /// Which connection to the registry it is, if it is one.
    pub(super) registry: Option<u64>,
}

impl Tell {
    /// Tells what was found out about who listens at a host, for a person.
    async fn about(&self, host: &Host, trust: Trust) {
        // A driver that hears nothing any more is about to end this task.
        let _ = self.news.send(News::Trust(host.clone(), trust)).await;
    }

    /// Tells why there is no connection, where trying again does not help.
    async fn distrust(&self, host: &Host, error: &Arc<ConnectError>) {
        let why = Why::NoConnection(Arc::clone(error));
        match **error {
            _ if error.is_distrust() => self.about(host, Trust::Untrusted(why)).await,
            ConnectError::Unwelcome(_, Unwelcome::Banned | Unwelcome::PlainRefused) => {
                self.about(host, Trust::TurnsAway(why)).await;
            }
            _ => {}
        }
    }

    /// Tells what was said first on a connection that this phone has opened.
    async fn greeted(
        &self,
        link: Option<LinkId>,
        greeter: &Greeter,
        ours: PhoneGreeting,
        to: &Connected,
    ) {
        let hello = Hello {
            version: PROTOCOL_VERSION,
            agent: greeter.access.agent.clone(),
            role: Role::Phone(ours),
        };
        let welcome = Answer::new(Ok(to.welcome.clone()));
        let said = [
            (Way::Sent, Line(&hello).to_string()),
            (Way::Received, Line(&welcome).to_string()),
        ];
        let peer = to.peer;
        // As for `about`.
        let _ = self
            .news
            .send(News::Greeted(Greetings { link, peer, said }))
            .await;
    }

    async fn tell(&self, input: Input) {
        let news = match self.registry {
            Some(count) => News::Registry(count, input),
            None => News::Phone(input),
        };
        // A driver that hears nothing any more is about to end this task.
        let _ = self.news.send(news).await;
    }
}

/// What was found out about a registry when it was connected to.
#[derive(Debug)]
pub(super) enum Trust {
    /// Its key was not known, and is from now on.
    Met(IdentityKey),
    /// It may be somebody else.
    Untrusted(Why),
    /// It takes no connection from this phone.
    TurnsAway(Why),
}

/// Who this phone says it is, and how it connects.
#[derive(Debug, Clone)]
pub(super) struct Greeter {
    pub(super) access: Access,
    pub(super) card: KeyCard,
    /// What TLS is served with to other phones.
    pub(super) certificate: Certificate,
}

impl Greeter {
    /// A greeting with a nonce for one connection.
    fn greeting(&self) -> io::Result<PhoneGreeting> {
        let mut nonce = [0; 32];
        getrandom::fill(&mut nonce).map_err(io::Error::other)?;
        Ok(PhoneGreeting {
            card: self.card,
            nonce: Nonce(nonce),
        })
    }
}

/// Talks to the registry until `orders` end or the connection fails. It tells
/// [`Input::RegistryUp`] at most once, and [`Input::RegistryDown`] at the end.
pub(super) async fn registry(
    host: Host,
    greeter: Greeter,
    orders: mpsc::Receiver<Request>,
    tell: Tell,
) {
    let why = match talk_to_registry(&host, &greeter, orders, &tell).await {
        Ok(why) => why,
        Err(error) => {
            let error = Arc::new(error);
            tell.distrust(&host, &error).await;
            Why::NoConnection(error)
        }
    };
    tell.tell(Input::RegistryDown { why }).await;
}

/// Returns why a connection that was up has ended.
async fn talk_to_registry(
    host: &Host,
    greeter: &Greeter,
    orders: mpsc::Receiver<Request>,
    tell: &Tell,
) -> Result<Why, ConnectError> {
    let failed = |error| ConnectError::Io(host.clone(), error);
    let ours = greeter.greeting().map_err(failed)?;
    let role = Role::Phone(ours);
    let connected = connect(&greeter.access, host, role, REGISTRY_WITHIN).await?;
    tell.greeted(None, greeter, ours, &connected).await;
    let Connected {
        mut link,
        welcome: Welcome::Registry(welcome),
        exporter,
        is_first,
        ..
    } = connected
    else {
        return Err(ConnectError::WrongRole(host.clone()));
    };
    if is_first {
        tell.about(host, Trust::Met(welcome.key)).await;
    }
    let (registry, nonce) = (welcome.key, welcome.nonce);
    let binding = Binding {
        registry,
        exporter,
        nonce,
    };
    tell.tell(Input::RegistryUp {
        binding,
        time: welcome.time,
    })
    .await;
    let end = exchange(
        &mut link,
        orders,
        tell,
        Input::FromRegistry,
        None::<Request>,
    )
    .await;
    match end {
        Ok(End::Told) => Ok(Why::ClosedHere),
        Ok(End::Peer) => Ok(Why::Lost(host.clone(), None)),
        Ok(End::Nonsense) => Err(ConnectError::Greeting(
            host.clone(),
            GreetingError::Malformed,
        )),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Ok(Why::Lost(host.clone(), None))
        }
        Err(error) => Ok(Why::Lost(host.clone(), Some(error.to_string()))),
    }
}

/// Connects to the phone at `contact` and talks to it; see [`direct`].
pub(super) async fn open(
    id: LinkId,
    contact: SocketAddr,
    greeter: Greeter,
    mut orders: mpsc::Receiver<DirectFrame>,
    tell: Tell,
) {
    let host = Host::from(contact);
    let Some(reached) = reach_unless_told(&host, &greeter, &mut orders).await else {
        return;
    };
    let why = match reached {
        Ok((connected, ours)) => match connected.welcome.clone() {
            Welcome::Phone(peer) => {
                let nonce = ours.nonce;
                tell.greeted(Some(id), &greeter, ours, &connected).await;
                let (ours, peer) = bound(nonce, peer, &connected.exporter);
                return direct(id, connected.link, ours, peer, orders, tell).await;
            }
            Welcome::Registry(_) => ConnectError::WrongRole(host).into(),
        },
        Err(error) => error.into(),
    };
    tell.tell(Input::LinkDown { link: id, why }).await;
}

/// Connects to whoever listens at `host`: talks to a phone, asks a registry for `name`.
pub(super) async fn open_host(
    id: LinkId,
    host: Host,
    name: Name,
    greeter: Greeter,
    mut orders: mpsc::Receiver<DirectFrame>,
    tell: Tell,
) {
    let Some(reached) = reach_unless_told(&host, &greeter, &mut orders).await else {
        return;
    };
    let (connected, ours) = match reached {
        Ok(reached) => reached,
        Err(error) => {
            let error = Arc::new(error);
            tell.distrust(&host, &error).await;
            let why = Why::NoConnection(error);
            return tell.tell(Input::LinkDown { link: id, why }).await;
        }
    };
    match connected.welcome.clone() {
        Welcome::Phone(peer) => {
            let nonce = ours.nonce;
            tell.greeted(Some(id), &greeter, ours, &connected).await;
            if let Some(why) = stands_in_for_registry(&greeter.access, &host).await {
                tell.about(&host, Trust::Untrusted(why.clone())).await;
                return tell.tell(Input::LinkDown { link: id, why }).await;
            }
            let (link, at) = (id, connected.peer);
            tell.tell(Input::Reached { link, at }).await;
            let (ours, peer) = bound(nonce, peer, &connected.exporter);
            direct(id, connected.link, ours, peer, orders, tell).await;
        }
        Welcome::Registry(welcome) => {
            let registry = welcome.key;
            tell.greeted(None, &greeter, ours, &connected).await;
            if connected.is_first {
                tell.about(&host, Trust::Met(welcome.key)).await;
            }
            let mut client = Client::over(connected.link, host, welcome);
            let found = match client.ask(Method::Lookup { name }, REGISTRY_WITHIN).await {
                Ok(Success::Found(record)) => Ok(record),
                Err(AskError::Refused(Refusal::NotFound)) => Err(Unresolved::NotFound),
                Err(AskError::Refused(refusal)) => Err(Unresolved::Failed(Why::Refused(refusal))),
                Err(AskError::Connect(error)) => Err(Unresolved::Failed(error.into())),
                Err(_) | Ok(_) => Err(Unresolved::Failed(Why::OtherAnswer)),
            };
            tell.tell(Input::Resolved {
                link: id,
                registry,
                found,
            })
            .await;
        }
    }
}

/// Why a phone that answers at `host` is not to be talked to, where it is not: a registry is known
/// there, and whoever is in between could pass for a phone with any name.
async fn stands_in_for_registry(access: &Access, host: &Host) -> Option<Why> {
    let (file, asked) = (access.known.clone()?, host.clone());
    let known = tokio::task::spawn_blocking(move || {
        let known = file.list()?;
        Ok::<_, KnownError>(known.iter().any(|(of, _)| of.is_same(&asked)))
    });
    match known.await {
        Ok(Ok(false)) => None,
        Ok(Ok(true)) => Some(Why::NoRegistry(host.clone())),
        Ok(Err(error)) => Some(ConnectError::Known(error).into()),
        Err(error) => Some(ConnectError::Io(host.clone(), io::Error::other(error)).into()),
    }
}

/// The nonces of both sides, for this TLS connection only: an envelope that somebody in between
/// takes from one connection to another does not open there.
fn bound(ours: Nonce, peer: PhoneGreeting, exporter: &Exporter) -> (Nonce, PhoneGreeting) {
    let nonce = peer.nonce.bound_to(exporter);
    (ours.bound_to(exporter), PhoneGreeting { nonce, ..peer })
}

/// Connects and greets; `None` when the orders end before that is done.
async fn reach_unless_told(
    host: &Host,
    greeter: &Greeter,
    orders: &mut mpsc::Receiver<DirectFrame>,
) -> Option<Result<(Connected, PhoneGreeting), ConnectError>> {
    let reached = std::pin::pin!(reach(host, greeter));
    tokio::select! {
        reached = reached => Some(reached),
        // Nothing is said on a connection before it is up.
        _ = orders.recv() => None,
    }
}

async fn reach(host: &Host, greeter: &Greeter) -> Result<(Connected, PhoneGreeting), ConnectError> {
    let ours = greeter
        .greeting()
        .map_err(|error| ConnectError::Io(host.clone(), error))?;
    let role = Role::Phone(ours);
    // There may be a phone, and phones speak nothing but TLS; so does every registry.
    let access = greeter.access.clone().with(Security::Tls);
    let connected = connect(&access, host, role, PHONE_WITHIN).await?;
    Ok((connected, ours))
}

/// Greets somebody who connected to this phone, and talks to them; see [`direct`]. Somebody who is
/// no phone learns that this is one, and no more.
pub(super) async fn accept(
    id: LinkId,
    stream: TcpStream,
    greeter: Greeter,
    orders: mpsc::Receiver<DirectFrame>,
    tell: Tell,
) {
    match timeout(PHONE_WITHIN, greet(id, stream, &greeter)).await {
        Ok(Ok(Some(greeted))) => {
            let (link, ours, peer, greetings) = greeted;
            // As for `Tell::about`.
            let _ = tell.news.send(News::Greeted(greetings)).await;
            direct(id, link, ours, peer, orders, tell).await;
        }
        // Whoever it was has gone, or is none of ours.
        _ => {
            let why = Why::NoPhone;
            tell.tell(Input::LinkDown { link: id, why }).await;
        }
    }
}

/// Another phone, once both sides have greeted.
type Greeted = (FrameLink<Stream>, Nonce, PhoneGreeting, Greetings);

async fn greet(id: LinkId, stream: TcpStream, greeter: &Greeter) -> io::Result<Option<Greeted>> {
    let from = stream.peer_addr()?;
    stream.set_nodelay(true)?;
    let mut first = [0];
    stream.peek(&mut first).await?;
    if first != [tls::FIRST_BYTE] {
        return Ok(None);
    }
    let stream = tls::accept(stream, &greeter.certificate).await?;
    let exporter = stream.exporter()?;
    let mut link = FrameLink::new(stream);
    let hello = match link.receive().await? {
        Received::Payload(payload) => greeting::read::<Hello>(&payload),
        Received::Bad(_) => Err(GreetingError::Malformed),
        Received::End => return Ok(None),
    };
    let ours = greeter.greeting()?;
    let welcome = match &hello {
        Ok(_) => Ok(Welcome::Phone(ours)),
        Err(GreetingError::Version { .. }) => Err(Unwelcome::Version),
        Err(_) => Err(Unwelcome::Malformed),
    };
    let answer = Answer::new(welcome);
    queue(&mut link, &answer)?;
    match &hello {
        Ok(
            hello @ Hello {
                role: Role::Phone(peer),
                ..
            },
        ) => {
            let greetings = Greetings {
                link: Some(id),
                peer: from,
                said: [
                    (Way::Received, Line(hello).to_string()),
                    (Way::Sent, Line(&answer).to_string()),
                ],
            };
            let (ours, peer) = bound(ours.nonce, *peer, &exporter);
            Ok(Some((link, ours, peer, greetings)))
        }
        _ => {
            link.close().await?;
            Ok(None)
        }
    }
}

/// Talks to another phone until `orders` end or the connection fails. It tells
/// [`Input::LinkUp`] first and [`Input::LinkDown`] at the end.
async fn direct(
    id: LinkId,
    mut link: FrameLink<Stream>,
    ours: Nonce,
    peer: PhoneGreeting,
    orders: mpsc::Receiver<DirectFrame>,
    tell: Tell,
) {
    tell.tell(Input::LinkUp {
        link: id,
        ours,
        peer,
    })
    .await;
    let heard = |frame: DirectFrame| Input::FromLink { link: id, frame };
    let refuse = DirectFrame::Refused(DirectRefusal::Malformed);
    let why = match exchange(&mut link, orders, &tell, heard, Some(refuse)).await {
        Ok(End::Told) => Why::ClosedHere,
        Ok(End::Peer) => Why::PhoneClosed,
        Ok(End::Nonsense) => Why::Nonsense,
        Err(error) => Why::PhoneLost(error.to_string()),
    };
    tell.tell(Input::LinkDown { link: id, why }).await;
}

/// Why an exchange ended, other than by failing.
enum End {
    /// The orders ended.
    Told,
    /// The peer closed.
    Peer,
    /// The peer sent what it should not, once where there is no way to refuse it, else often.
    Nonsense,
}

/// Hands on what comes in and sends what is ordered. Where there is a `refusal`, a bad frame is
/// answered with it.
async fn exchange<In: DeserializeOwned, Out: Serialize>(
    link: &mut FrameLink<Stream>,
    mut orders: mpsc::Receiver<Out>,
    tell: &Tell,
    heard: impl Fn(In) -> Input,
    refusal: Option<Out>,
) -> io::Result<End> {
    let mut bad_frames = 0;
    loop {
        tokio::select! {
            received = link.receive() => {
                let message = match received? {
                    Received::Payload(payload) => from_payload::<In>(&payload).ok(),
                    Received::Bad(_) => None,
                    Received::End => return Ok(End::Peer),
                };
                match (message, &refusal) {
                    (Some(message), _) => tell.tell(heard(message)).await,
                    (None, Some(refusal)) if bad_frames < BAD_FRAMES_MAX => {
                        bad_frames += 1;
                        queue(link, refusal)?;
                    }
                    (None, _) => return Ok(End::Nonsense),
                }
            }
            order = orders.recv() => match order {
                Some(order) => queue(link, &order)?,
                None => {
                    // The peer may be gone, or may not read; either way the connection ends.
                    let _ = timeout(CLOSE_WITHIN, link.close()).await;
                    return Ok(End::Told);
                }
            }
        }
    }
}

fn queue<T: Serialize>(link: &mut FrameLink<Stream>, message: &T) -> io::Result<()> {
    let frame = to_frame(message).map_err(io::Error::other)?;
    link.queue(&frame).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use codec::{Identity, identity::AgreementSecret};
    use registry::known::KnownRegistries;
    use tokio::net::TcpListener;

    use super::*;

    fn greeter(config: &std::path::Path) -> Greeter {
        let identity = Identity::from_secret(&[1; 32]);
        let agreement = AgreementSecret::from_secret(&[2; 32]).key();
        Greeter {
            access: Access::of("test", config),
            card: KeyCard::issue(&identity, agreement, 1, u64::MAX),
            certificate: Certificate::in_memory().unwrap(),
        }
    }

    fn greeted(news: &News) -> bool {
        matches!(news, News::Greeted(greetings) if greetings.link == Some(LinkId(2)))
    }

    /// What a phone is told that calls at an address where another phone answers.
    async fn told(known: bool) -> Vec<News> {
        let config = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = Host::from(listener.local_addr().unwrap());
        if known {
            let key = Identity::from_secret(&[9; 32]).key();
            let file = KnownRegistries::in_folder(config.path());
            file.meet(&host, &key).unwrap();
        }
        let (greeter, name) = (greeter(config.path()), "alice".parse().unwrap());
        let (news, mut inbox) = mpsc::channel(16);
        let (unheard, _kept) = mpsc::channel(16);
        let quiet = |news| Tell {
            news,
            registry: None,
        };
        let (order, orders) = mpsc::channel(1);
        let (answer, answers) = mpsc::channel(1);
        let callee = async {
            let (stream, _) = listener.accept().await.unwrap();
            accept(LinkId(1), stream, greeter.clone(), answers, quiet(unheard)).await;
        };
        let caller = open_host(LinkId(2), host, name, greeter.clone(), orders, quiet(news));
        let mut told = Vec::new();
        let heard = async {
            while let Some(news) = inbox.recv().await {
                told.push(news);
                let reached = |news: &News| matches!(news, News::Phone(Input::Reached { .. }));
                if matches!(told.last(), Some(news @ News::Phone(_)) if !reached(news)) {
                    break;
                }
            }
            drop((order, answer));
        };
        tokio::join!(callee, caller, heard);
        told
    }

    #[tokio::test]
    async fn a_phone_that_answers_where_a_registry_is_known_is_not_talked_to() {
        let down = |news: &News| matches!(news, News::Phone(Input::LinkDown { .. }));
        let distrust = |news: &News| matches!(news, News::Trust(_, Trust::Untrusted(_)));
        let told = told(true).await;
        let spoken: Vec<&News> = told.iter().filter(|news| !greeted(news)).collect();
        assert!(matches!(&spoken[..], [first, last] if distrust(first) && down(last)));
    }

    #[tokio::test]
    async fn a_phone_that_answers_anywhere_else_is_called() {
        let told = told(false).await;
        assert!(matches!(
            &told[..],
            [
                first,
                News::Phone(Input::Reached { .. }),
                News::Phone(Input::LinkUp { .. })
            ] if greeted(first)
        ));
    }
}
