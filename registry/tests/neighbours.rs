//! What phones on one registry have to do with each other: nobody is silenced, crowded out or
//! mistaken for another, whatever the others do. Over real sockets.

#![allow(clippy::unwrap_used)]

use std::{net::SocketAddr, time::Duration};

use codec::{
    DeviceId, Envelope, Identity, IdentityKey, KeyCard, Party,
    envelope::{Address, EnvelopeId, Kind},
    frame::{from_payload, to_frame},
    greeting::{Answer, Hello, Nonce, PROTOCOL_VERSION, PhoneGreeting, Role, Welcome},
    identity::AgreementSecret,
    registry::{
        Binding, Contacts, FromRegistry, Method, Notice, Prefix, Refusal, Register, Request,
        RequestId, Success,
    },
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use registry::{
    client::agent,
    limits::{Count, Limits},
    link::{FrameLink, Received},
    tls::{self, Stream},
};
use tokio::{net::TcpSocket, time::timeout};

#[allow(dead_code, reason = "they only have to be kept")]
#[path = "programs/served.rs"]
mod served;

use served::Served;

/// Longer than anything here takes, even on a busy machine.
const AT_LAST: Duration = Duration::from_secs(60);

impl Served {
    /// A phone at 127.0.0.`from`, whose identity and device are numbered alike.
    async fn phone(&self, from: u8, number: u8) -> Phone {
        Phone::greeted(self.addr, from, number, None).await
    }
}

/// A phone's connection.
struct Phone {
    link: FrameLink<Stream>,
    identity: Identity,
    card: KeyCard,
    binding: Binding,
    device: DeviceId,
    asked: u32,
}

impl Phone {
    async fn greeted(addr: SocketAddr, from: u8, number: u8, buffer: Option<u32>) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        if let Some(bytes) = buffer {
            socket.set_recv_buffer_size(bytes).unwrap();
        }
        socket.bind(([127, 0, 0, from], 0).into()).unwrap();
        let stream = socket.connect(addr).await.unwrap();
        let stream = tls::connect(stream, "registry", addr.ip()).await.unwrap();
        let exporter = stream.exporter().unwrap();
        let mut link = FrameLink::new(stream);
        let identity = Identity::from_secret(&[number; 32]);
        let agreement = AgreementSecret::from_secret(&[number; 32]);
        let card = KeyCard::issue(&identity, agreement.key(), 1, u64::MAX);
        let nonce = Nonce([1; 32]);
        let hello = Hello {
            version: PROTOCOL_VERSION,
            agent: agent("test"),
            role: Role::Phone(PhoneGreeting { card, nonce }),
        };
        link.queue(&to_frame(&hello).unwrap()).unwrap();
        let Received::Payload(payload) = link.receive().await.unwrap() else {
            panic!("no greeting")
        };
        let answer: Answer = from_payload(&payload).unwrap();
        let Ok(Welcome::Registry(welcome)) = answer.welcome else {
            panic!("not welcome")
        };
        Self {
            link,
            identity,
            card,
            binding: Binding {
                registry: welcome.key,
                exporter,
                nonce: welcome.nonce,
            },
            device: DeviceId([number; 16]),
            asked: 0,
        }
    }

    /// What the registry says next.
    async fn hears(&mut self) -> FromRegistry {
        let received = timeout(AT_LAST, self.link.receive()).await;
        match received.expect("the registry is silent").unwrap() {
            Received::Payload(payload) => from_payload(&payload).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    async fn ask(&mut self, method: Method) -> Result<Success, Refusal> {
        self.asked += 1;
        let id = RequestId(self.asked);
        self.link
            .queue(&to_frame(&Request { id, method }).unwrap())
            .unwrap();
        loop {
            if let FromRegistry::Response(response) = self.hears().await {
                assert_eq!(response.id, id);
                return response.result;
            }
        }
    }

    async fn register(&mut self, name: &str, cseq: u64) -> Result<Success, Refusal> {
        let contacts = Contacts::first_of([([192, 0, 2, 7], 4000).into()]);
        let register = Register::sign(
            &self.identity,
            &self.binding,
            name.parse().unwrap(),
            self.device,
            self.card,
            contacts,
            3600,
            cseq,
            codec::claim::Claim::new(codec::RecoveryLock([7; 32])),
        );
        self.ask(Method::Register(register)).await
    }

    async fn send(&mut self, from: &str, to: (&str, IdentityKey), bytes: usize) -> Sent {
        let party = |name: &str, identity| Party {
            name: name.parse().unwrap(),
            identity,
        };
        let address = Address {
            from: party(from, self.identity.key()),
            to: party(to.0, to.1),
            id: EnvelopeId([1; 16]),
            kind: Kind::Signal,
        };
        let (key, body) = (self.card.agreement, "x".repeat(bytes));
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let sealed = Envelope::seal(
            &self.identity,
            address,
            &key,
            Nonce::NONE,
            1,
            &body,
            &mut rng,
        );
        let envelope = sealed.unwrap();
        self.ask(Method::Send { envelope, ttl_s: 0 }).await
    }
}

type Sent = Result<Success, Refusal>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_slowly_and_says_nothing_gets_everything_that_waited() {
    let scene = Served::with(Limits::default()).await;
    let mut bob = Phone::greeted(scene.addr, 2, 1, Some(4096)).await;
    bob.register("bob", 1).await.unwrap();
    let to = ("bob", bob.identity.key());
    // From several, so that no share of one sender is what ends it.
    let mut taken = 0;
    for number in 2..5 {
        let mut eve = scene.phone(number, number).await;
        let name = format!("eve{number}");
        eve.register(&name, 1).await.unwrap();
        for _ in 0..12 {
            taken += usize::from(eve.send(&name, to, 32_000).await.is_ok());
        }
    }
    assert!(taken > 20, "only {taken} were taken");
    for _ in 0..taken {
        let heard = bob.hears().await;
        assert!(matches!(heard, FromRegistry::Notice(Notice::Envelope(_))));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_sender_or_address_that_nobody_reads_leaves_room_for_others() {
    let limits = Limits {
        envelope_bytes_per_address: 900_000,
        ..Limits::default()
    };
    let scene = Served::with(limits).await;
    let mut alice = scene.phone(10, 1).await;
    alice.register("alice", 1).await.unwrap();
    let mut deaf = Vec::new();
    for number in 0..2 {
        let mut phone = Phone::greeted(scene.addr, 66, 20 + number, Some(4096)).await;
        phone.register(&format!("deaf{number}"), 1).await.unwrap();
        deaf.push(phone);
    }
    let to = |number: usize| (["deaf0", "deaf1"][number], deaf[number].identity.key());
    // Until one sender has its share of what waits for one, then until its address has.
    for number in 2..5 {
        let mut eve = scene.phone(66, number).await;
        let name = format!("eve{number}");
        eve.register(&name, 1).await.unwrap();
        let mut sent = 0;
        while eve.send(&name, to(0), 30_000).await == Ok(Success::Sent { devices: 1 }) {
            sent += 1;
            assert!(sent < 100, "there is no end to it");
        }
        if number == 3 {
            let another = eve.send(&name, to(1), 30_000).await;
            assert_eq!(another, Ok(Success::Sent { devices: 1 }), "{number}");
        }
    }
    assert_eq!(
        alice.send("alice", to(0), 30_000).await,
        Ok(Success::Sent { devices: 1 })
    );
    // Until nothing of that address is taken any more, whomever it is for.
    let mut eve = scene.phone(66, 9).await;
    eve.register("eve9", 1).await.unwrap();
    for _ in 0..40 {
        let _ = eve.send("eve9", to(1), 30_000).await;
    }
    let key = alice.identity.key();
    let refused = eve.send("eve9", ("alice", key), 30_000).await;
    assert_eq!(refused, Err(Refusal::TooMany));
    assert_eq!(
        alice.send("alice", ("alice", key), 30_000).await,
        Ok(Success::Sent { devices: 1 })
    );
    assert!(scene.counters.get(Count::EnvelopesDropped) > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_connects_again_gets_no_new_share_of_work() {
    let limits = Limits {
        work_burst_per_address: 100,
        work_per_s_per_address: 200,
        ..Limits::default()
    };
    let scene = Served::with(limits).await;
    let started = tokio::time::Instant::now();
    for number in 1..=3 {
        let mut eve = scene.phone(66, number).await;
        for _ in 0..20 {
            let list = Method::List {
                prefix: Prefix::default(),
                after: None,
                limit: 24,
            };
            eve.ask(list).await.unwrap();
        }
    }
    // 300 units: 100 at once, the others at 200 a second, and the last one is owed.
    assert!(started.elapsed() >= Duration::from_millis(900));
}
