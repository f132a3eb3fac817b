//! What strangers do to a registry, over real sockets, while somebody else asks it for names.
//!
//! Each ends with its reason and its counter, and every lookup is answered meanwhile. How long that
//! takes depends on the machine and is no matter here; times are short where a limit is a time.

#![allow(clippy::unwrap_used)]

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use codec::{
    frame::{FrameDecoder, from_payload, to_frame},
    greeting::{Answer, Hello, PROTOCOL_VERSION, Role, Unwelcome},
    registry::{
        ClosingReason, FromRegistry, Method, Notice, Prefix, Refusal, Request, RequestId, Response,
    },
};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};
use registry::{
    client::{Access, AskError, Client, agent},
    limits::{Count, Counters, Limits},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    task::{JoinSet, spawn_blocking},
    time::timeout,
};

#[path = "programs/rig.rs"]
mod rig;
#[path = "programs/served.rs"]
mod served;

use served::Served;

/// Longer than anything here takes, even on a busy machine.
const AT_LAST: Duration = Duration::from_secs(60);

/// A registry that runs, and somebody who looks up names all the while.
struct Scene {
    addr: SocketAddr,
    counters: Arc<Counters>,
    tasks: JoinSet<()>,
    asked: Arc<std::sync::atomic::AtomicU64>,
    _stop: tokio_util::sync::DropGuard,
}

impl Scene {
    async fn with(limits: Limits) -> Self {
        let Served {
            addr,
            counters,
            tasks,
            stop,
        } = Served::with(limits).await;
        let asked = Arc::default();
        let mut scene = Self {
            addr,
            counters,
            tasks,
            asked,
            _stop: stop,
        };
        scene.somebody_asks().await;
        scene
    }

    /// Registers Bob and looks him up for ever, from an address of its own.
    async fn somebody_asks(&mut self) {
        let addr = self.addr;
        let bob = spawn_blocking(move || {
            let mut bob = rig::Peer::greeted(addr, 1);
            bob.register("bob", 1).unwrap();
            bob
        });
        let bob = bob.await.unwrap();
        let mut client = Client::connect(&Access::trusting("test"), &addr.into(), AT_LAST)
            .await
            .unwrap();
        let asked = Arc::clone(&self.asked);
        self.tasks.spawn(async move {
            let _bob = bob;
            loop {
                let name = "bob".parse().unwrap();
                let found = client.ask(Method::Lookup { name }, AT_LAST).await;
                found.expect("a lookup is answered");
                asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
        });
        self.lookups_go_on().await;
    }

    /// Waits until another hundred lookups were answered.
    async fn lookups_go_on(&mut self) {
        let answered = || self.asked.load(std::sync::atomic::Ordering::Relaxed);
        let before = answered();
        let more = async {
            while answered() < before + 100 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(AT_LAST, more).await.expect("lookups are answered");
        assert!(self.tasks.try_join_next().is_none(), "somebody gave up");
    }

    /// Waits until something was counted so often.
    async fn counted(&self, count: Count, times: u64) {
        let enough = async {
            while self.counters.get(count) < times {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let waited = timeout(AT_LAST, enough).await;
        assert!(waited.is_ok(), "{count:?} {times}: {}", self.counters);
    }
}

/// Somebody who means no good, at an address that others here do not have.
struct Stranger {
    stream: TcpStream,
    decoder: FrameDecoder,
    unread: Vec<u8>,
}

impl Stranger {
    async fn connect(scene: &Scene) -> Self {
        Self::connect_from(scene, 66, None).await
    }

    async fn connect_from(scene: &Scene, last: u8, receive_buffer: Option<u32>) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        if let Some(bytes) = receive_buffer {
            socket.set_recv_buffer_size(bytes).unwrap();
        }
        socket.bind(([127, 0, 0, last], 0).into()).unwrap();
        Self {
            stream: socket.connect(scene.addr).await.unwrap(),
            decoder: FrameDecoder::default(),
            unread: Vec::new(),
        }
    }

    async fn greeted(scene: &Scene) -> Self {
        let mut stranger = Self::connect(scene).await;
        assert_eq!(stranger.greet().await, Ok(()));
        stranger
    }

    async fn greet(&mut self) -> Result<(), Unwelcome> {
        // Whoever is refused at once may have no chance to say it.
        let _ = self.stream.write_all(&hello()).await;
        self.answer().await
    }

    async fn answer(&mut self) -> Result<(), Unwelcome> {
        let answer: Answer = from_payload(&self.read().await.unwrap()).unwrap();
        answer.welcome.map(|_| ())
    }

    /// The next frame's payload; `None` at the end.
    async fn read(&mut self) -> Option<Vec<u8>> {
        loop {
            let mut rest = &self.unread[..];
            let found = self.decoder.next(&mut rest);
            self.unread = rest.to_vec();
            if let Some(payload) = found {
                return Some(payload.unwrap());
            }
            let mut bytes = [0; 4096];
            match timeout(AT_LAST, self.stream.read(&mut bytes))
                .await
                .unwrap()
            {
                Ok(0) | Err(_) => return None,
                Ok(read) => self.unread.extend(&bytes[..read]),
            }
        }
    }

    /// Everything that is said up to the end of the connection.
    async fn last_words(&mut self) -> Vec<FromRegistry> {
        let mut said = Vec::new();
        while let Some(payload) = self.read().await {
            said.push(from_payload(&payload).unwrap());
        }
        said
    }
}

fn hello() -> Vec<u8> {
    let hello = Hello {
        version: PROTOCOL_VERSION,
        agent: agent("stranger"),
        role: Role::Client,
    };
    to_frame(&hello).unwrap()
}

fn closing(reason: ClosingReason) -> FromRegistry {
    FromRegistry::Notice(Notice::Closing(reason))
}

fn malformed(message: &FromRegistry) -> bool {
    *message
        == FromRegistry::Response(Response {
            id: RequestId(0),
            result: Err(Refusal::Malformed),
        })
}

fn short() -> Limits {
    Limits {
        greeting: Duration::from_millis(1500),
        idle: Duration::from_millis(1500),
        frame: Duration::from_millis(200),
        unread: Duration::from_millis(300),
        ..Limits::default()
    }
}

/// The same for a machine that is slow: nobody is too late who is only waiting for their turn.
fn patient() -> Limits {
    Limits {
        greeting: AT_LAST,
        idle: AT_LAST,
        ..short()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_bytes_end_in_a_reason() {
    let mut scene = Scene::with(patient()).await;
    for seed in 0..20 {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let mut bytes = vec![0; 20_000];
        rng.fill_bytes(&mut bytes);
        // A greeting that is none, however it begins.
        let mut stranger = Stranger::connect(&scene).await;
        bytes[100] = 0;
        let _ = stranger.stream.write_all(&bytes).await;
        let refused = stranger.answer().await.unwrap_err();
        assert!(matches!(refused, Unwelcome::Malformed | Unwelcome::Version));
        assert_eq!(stranger.read().await, None);
        // And nonsense from somebody who has greeted.
        let mut stranger = Stranger::greeted(&scene).await;
        bytes.push(0);
        stranger.stream.write_all(&bytes).await.unwrap();
        stranger.stream.shutdown().await.unwrap();
        let said = stranger.last_words().await;
        assert!(!said.is_empty() && said.iter().all(malformed), "{said:?}");
        scene.counted(Count::BadGreeting, seed + 1).await;
    }
    assert!(scene.counters.get(Count::BadFrames) > 1000);
    scene.lookups_go_on().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frame_of_a_gibibyte_is_refused_once_and_ends_with_its_time() {
    let mut scene = Scene::with(patient()).await;
    let stranger = Stranger::greeted(&scene).await;
    let (mut reader, mut writer) = stranger.stream.into_split();
    let mut flood = JoinSet::new();
    flood.spawn(async move {
        let piece = vec![7; 64 * 1024];
        let mut sent = 0;
        while sent < 1 << 30 && writer.write_all(&piece).await.is_ok() {
            sent += piece.len();
        }
        sent
    });
    scene.lookups_go_on().await;
    scene.counted(Count::Incomplete, 1).await;
    let sent = flood.join_next().await.unwrap().unwrap();
    assert!(sent < 1 << 30, "the whole of it was taken");
    assert_eq!(scene.counters.get(Count::BadFrames), 1);
    // What was said may be lost with the connection, which was closed with bytes unread in it.
    let mut said = Vec::new();
    let _: io::Result<usize> = reader.read_to_end(&mut said).await;
    scene.lookups_go_on().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_frame_and_one_byte_at_a_time_end_as_incomplete() {
    let mut scene = Scene::with(patient()).await;
    let mut half = Stranger::greeted(&scene).await;
    half.stream.write_all(&[0, 9, 1, 2]).await.unwrap();
    let trickle = Stranger::greeted(&scene).await;
    let (mut reader, mut writer) = trickle.stream.into_split();
    let mut bytes = JoinSet::new();
    bytes.spawn(async move {
        // Each byte in less than the time for a frame.
        while writer.write_all(&[5]).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let incomplete = closing(ClosingReason::Incomplete);
    assert_eq!(half.last_words().await, [incomplete]);
    scene.counted(Count::Incomplete, 2).await;
    let mut said = Vec::new();
    let _: io::Result<usize> = reader.read_to_end(&mut said).await;
    assert!(said.starts_with(&to_frame(&closing(ClosingReason::Incomplete)).unwrap()));
    scene.lookups_go_on().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_and_never_reads_ends_as_a_slow_reader() {
    let mut scene = Scene::with(patient()).await;
    let mut stranger = Stranger::connect_from(&scene, 66, Some(4096)).await;
    assert_eq!(stranger.greet().await, Ok(()));
    let method = Method::Lookup {
        name: "bob".parse().unwrap(),
    };
    let id = RequestId(1);
    let ask = to_frame(&Request { id, method }).unwrap().repeat(500);
    let asking = async { while stranger.stream.write_all(&ask).await.is_ok() {} };
    timeout(AT_LAST, asking).await.unwrap();
    scene.counted(Count::SlowReader, 1).await;
    scene.lookups_go_on().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_without_end_gets_a_share_and_every_answer() {
    let limits = Limits {
        work_burst: 100,
        work_per_s: 200,
        ..patient()
    };
    let mut scene = Scene::with(limits).await;
    let mut stranger = Stranger::greeted(&scene).await;
    let started = tokio::time::Instant::now();
    for id in 1..=80 {
        let method = Method::List {
            prefix: Prefix::default(),
            after: None,
            limit: 24,
        };
        let id = RequestId(id);
        let ask = to_frame(&Request { id, method }).unwrap();
        stranger.stream.write_all(&ask).await.unwrap();
    }
    for asked in 1..=80 {
        let answer = from_payload(&stranger.read().await.unwrap()).unwrap();
        assert!(
            matches!(&answer, FromRegistry::Response(Response { id: RequestId(id), result: Ok(_) })
                if *id == asked),
            "{answer:?}"
        );
    }
    // 400 units of work: 100 at once, the others at 200 a second, and the last one is owed.
    assert!(started.elapsed() >= Duration::from_millis(1400));
    assert!(scene.counters.get(Count::Slowed) > 0);
    scene.lookups_go_on().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_never_greets_or_never_asks_is_told_so() {
    let scene = Scene::with(short()).await;
    let mut mute = Stranger::connect(&scene).await;
    let mut idle = Stranger::greeted(&scene).await;
    assert_eq!(mute.answer().await, Err(Unwelcome::TooSlow));
    assert_eq!(mute.read().await, None);
    assert_eq!(idle.last_words().await, [closing(ClosingReason::Idle)]);
    assert_eq!(scene.counters.get(Count::LateGreeting), 1);
    assert!(scene.counters.get(Count::Idle) >= 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_too_often_is_refused_with_a_reason_and_others_are_not() {
    let limits = Limits::default();
    let mut scene = Scene::with(limits).await;
    let mut held = Vec::new();
    for _ in 0..limits.connections_per_address {
        held.push(Stranger::greeted(&scene).await);
    }
    let mut one_more = Stranger::connect(&scene).await;
    assert_eq!(one_more.greet().await, Err(Unwelcome::AddressFull));
    assert_eq!(one_more.read().await, None);
    assert_eq!(scene.counters.get(Count::AddressFull), 1);
    let mut elsewhere = Stranger::connect_from(&scene, 67, None).await;
    assert_eq!(elsewhere.greet().await, Ok(()));
    drop(held.pop());
    // The place is free as soon as the registry has noticed.
    let again = async {
        while Stranger::connect(&scene).await.greet().await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(AT_LAST, again).await.unwrap();
    scene.lookups_go_on().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_greetings_is_taken_at_a_rate_and_the_rest_is_turned_away() {
    let limits = Limits {
        arrivals_burst: 50,
        arrivals_per_s: 1,
        ..patient()
    };
    let mut scene = Scene::with(limits).await;
    let (mut welcome, mut refused, mut unanswered) = (0, 0, 0);
    for _ in 0..200 {
        let mut stranger = Stranger::connect(&scene).await;
        let _ = stranger.stream.write_all(&hello()).await;
        match stranger.read().await {
            Some(payload) => match from_payload::<Answer>(&payload).unwrap().welcome {
                Ok(_) => welcome += 1,
                Err(reason) => {
                    assert_eq!(reason, Unwelcome::AddressFull);
                    refused += 1;
                }
            },
            None => unanswered += 1,
        }
        drop(stranger);
    }
    assert!((50..150).contains(&welcome), "{welcome}");
    assert!(refused > 0, "nobody was told");
    assert_eq!(welcome + refused + unanswered, 200);
    let counted = scene.counters.get(Count::AddressFull);
    assert_eq!(counted, refused + unanswered);
    scene.lookups_go_on().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_registry_says_so_to_some_and_drops_the_flood() {
    let limits = Limits {
        connections: 10,
        turned_away: 4,
        ..patient()
    };
    let mut scene = Scene::with(limits).await;
    // Eight places are left beside Bob and who asks for him.
    let mut held = Vec::new();
    for last in 0..8 {
        let mut stranger = Stranger::connect_from(&scene, 70 + last, None).await;
        assert_eq!(stranger.greet().await, Ok(()));
        held.push(stranger);
    }
    // They say nothing, so they are being told for a while, and there is room for four of them.
    let mut waiting = Vec::new();
    for last in 0..12 {
        waiting.push(Stranger::connect_from(&scene, 100 + last, None).await);
    }
    let (mut told, mut dropped) = (0, 0);
    for stranger in &mut waiting {
        match stranger.read().await {
            Some(payload) => {
                let answer: Answer = from_payload(&payload).unwrap();
                assert_eq!(answer.welcome.unwrap_err(), Unwelcome::Full);
                told += 1;
            }
            None => dropped += 1,
        }
    }
    assert!(told >= 4 && dropped >= 1, "told {told}, dropped {dropped}");
    assert_eq!(scene.counters.get(Count::Full), 12);
    assert_eq!(scene.counters.get(Count::Unanswered), dropped);
    scene.lookups_go_on().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watchers_have_a_limit_and_are_told_what_they_missed() {
    let limits = Limits {
        watchers_of_all: 2,
        watched: 300,
        changes: 2,
        ..patient()
    };
    let mut scene = Scene::with(limits).await;
    let host = scene.addr.into();
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(
            Client::connect(&Access::trusting("test"), &host, AT_LAST)
                .await
                .unwrap(),
        );
    }
    let everybody = || Method::Watch(codec::registry::Watch::Everybody);
    for (number, client) in clients.iter_mut().enumerate() {
        let answer = client.ask(everybody(), AT_LAST).await;
        match number {
            0 | 1 => assert!(answer.is_ok(), "{answer:?}"),
            _ => assert!(matches!(answer, Err(AskError::Refused(Refusal::TooMany)))),
        }
    }
    let names = |from: usize| {
        let names = (from..from + 200).map(|number| format!("n{number}").parse().unwrap());
        Method::Watch(codec::registry::Watch::Names(codec::List::first_of(names)))
    };
    assert!(clients[1].ask(names(0), AT_LAST).await.is_ok());
    let refused = clients[2].ask(names(200), AT_LAST).await;
    assert!(matches!(refused, Err(AskError::Refused(Refusal::TooMany))));
    assert!(clients[2].ask(everybody(), AT_LAST).await.is_ok());
    assert_eq!(scene.counters.get(Count::WatchesRefused), 2);
    // Five names that change at once are more than wait for who watches everybody, even if they
    // are spread in two times, and are told as such.
    let addr = scene.addr;
    let names = spawn_blocking(move || {
        let mut peer = rig::Peer::greeted(addr, 10);
        for number in 0..5 {
            peer.register(&format!("x{number}"), 1).unwrap();
        }
        let presence = codec::registry::Presence::Busy;
        peer.ask(3, Method::Publish { presence }).unwrap();
        peer
    });
    let _names = names.await.unwrap();
    let missed = async {
        loop {
            match clients[0].notice().await.unwrap() {
                Notice::Changed(_) => {}
                Notice::Missed => break,
                other => panic!("{other:?}"),
            }
        }
    };
    timeout(AT_LAST, missed).await.expect("nothing was missed");
    assert!(scene.counters.get(Count::ChangesMissed) > 0);
    scene.lookups_go_on().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watcher_that_never_reads_is_left_and_slows_no_other_down() {
    let limits = Limits {
        work_burst: 1_000_000,
        ..patient()
    };
    let mut scene = Scene::with(limits).await;
    let mut honest = Client::connect(&Access::trusting("test"), &scene.addr.into(), AT_LAST)
        .await
        .unwrap();
    let carol = codec::List::first_of(["carol".parse().unwrap()]);
    let watch = Method::Watch(codec::registry::Watch::Names(carol));
    honest.ask(watch, AT_LAST).await.unwrap();
    let mut told = async || timeout(AT_LAST, honest.notice()).await.unwrap().unwrap();
    assert!(matches!(told().await, Notice::Gone(_)));

    // Watches names and asks for more, so that both answers and changes wait for it.
    let mut stranger = Stranger::connect_from(&scene, 66, Some(4096)).await;
    assert_eq!(stranger.greet().await, Ok(()));
    let names = (0..256).map(|number| format!("a.rather.long.name{number}").parse().unwrap());
    let method = Method::Watch(codec::registry::Watch::Names(codec::List::first_of(names)));
    let id = RequestId(1);
    let mut watch = to_frame(&Request { id, method }).unwrap();
    let method = Method::Lookup {
        name: "bob".parse().unwrap(),
    };
    watch.extend(to_frame(&Request { id, method }).unwrap().repeat(1000));
    let asking = async { while stranger.stream.write_all(&watch).await.is_ok() {} };
    timeout(AT_LAST, asking).await.unwrap();
    scene.counted(Count::SlowReader, 1).await;

    let addr = scene.addr;
    let register = spawn_blocking(move || {
        let mut carol = rig::Peer::greeted(addr, 3);
        carol.register("carol", 1).unwrap();
    });
    register.await.unwrap();
    assert!(matches!(told().await, Notice::Changed(entry) if entry.name.as_str() == "carol"));
    scene.lookups_go_on().await;
}
