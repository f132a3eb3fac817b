//! A registry as its operator has it: opened, looked at, closed and opened again, over real
//! sockets.

#![allow(clippy::unwrap_used)]

use std::{
    net::{SocketAddr, TcpListener, TcpStream},
    sync::mpsc::Receiver,
    time::{Duration, Instant},
};

use codec::{
    frame::{from_payload, to_frame},
    registry::{ClosingReason, FromRegistry, Method, Notice, Request, RequestId, Success},
};
use registry::{
    desk::{Failed, Query},
    event::{Event, Events},
    operate::{Closed, OpenError, Operation, Options},
    server::DRAIN,
    store::embedded,
};
use tokio::task::spawn_blocking;

use self::rig::Peer;

#[path = "programs/rig.rs"]
mod rig;

/// More than any test needs, where it is not to matter.
const LONG: Duration = Duration::from_secs(30);

fn anywhere() -> SocketAddr {
    ([127, 0, 0, 1], 0).into()
}

/// A registry that keeps nothing, and what happens in it.
async fn opened() -> (Operation, Receiver<Event>) {
    let (events, happened) = Events::channel();
    let options = Options::new(anywhere(), None);
    (Operation::open(options, events).await.unwrap(), happened)
}

/// Runs something that waits, such as a phone of the rig, beside the registry.
async fn beside<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> T {
    spawn_blocking(act).await.unwrap()
}

/// A phone that has registered.
async fn registered(addr: SocketAddr, seed: u8, name: &'static str) -> Peer {
    registered_again(addr, seed, name, 1).await
}

async fn registered_again(addr: SocketAddr, seed: u8, name: &'static str, cseq: u64) -> Peer {
    beside(move || {
        let mut peer = Peer::greeted(addr, seed);
        peer.register(name, cseq).unwrap();
        peer
    })
    .await
}

fn notice(payload: &[u8]) -> Option<Notice> {
    match from_payload(payload).unwrap() {
        FromRegistry::Notice(notice) => Some(notice),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_before_a_registry_closes_is_answered_and_then_everybody_is_told() {
    let (operation, _happened) = opened().await;
    let addr = operation.facts().listening;
    let mut bob = registered(addr, 1, "bob").await;
    let idle = beside(move || Peer::greeted(addr, 2)).await;
    const ASKED: u32 = 200;
    let requests: Vec<u8> = (0..ASKED)
        .flat_map(|id| {
            let name = "bob".parse().unwrap();
            let (id, method) = (RequestId(id), Method::Lookup { name });
            to_frame(&Request { id, method }).unwrap()
        })
        .collect();
    let mut bob = beside(move || {
        bob.send(&requests);
        bob
    })
    .await;
    let closed = operation.close(LONG).await;
    assert_eq!(
        closed,
        Closed {
            finished: 2,
            cut: 0
        }
    );
    beside(move || {
        for id in 0..ASKED {
            let (answered, result) = bob.answer();
            assert_eq!(answered, RequestId(id));
            assert!(matches!(result, Ok(Success::Found(_))), "{result:?}");
        }
        for mut peer in [bob, idle] {
            let told = notice(&peer.read().unwrap());
            assert_eq!(told, Some(Notice::Closing(ClosingReason::Stopping)));
            assert_eq!(peer.read(), None);
        }
        assert!(TcpStream::connect(addr).is_err());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_on_and_on_does_not_keep_a_registry_open() {
    let (operation, _happened) = opened().await;
    let addr = operation.facts().listening;
    let (ready, begun) = tokio::sync::oneshot::channel();
    let asking = beside_now(move || {
        let mut eve = Peer::greeted(addr, 1);
        ready.send(()).unwrap();
        let name = || "nobody".parse().unwrap();
        let request = |id| Request {
            id: RequestId(id),
            method: Method::Lookup { name: name() },
        };
        for id in 0.. {
            if eve.try_send(&to_frame(&request(id)).unwrap()).is_err() {
                return true;
            }
            match eve.read() {
                None => return true,
                Some(payload) if notice(&payload).is_some() => return true,
                Some(_) => {}
            }
        }
        false
    });
    begun.await.unwrap();
    let patience = Duration::from_secs(2);
    let started = Instant::now();
    let closed = operation.close(patience).await;
    assert!(started.elapsed() < patience, "{:?}", started.elapsed());
    assert_eq!(
        closed,
        Closed {
            finished: 1,
            cut: 0
        }
    );
    assert!(asking.await.unwrap());
}

/// A registry with a phone that asks and does not read, which never ends in good order.
async fn with_a_deaf_phone() -> (Operation, Peer) {
    let (events, _happened) = Events::channel();
    let mut options = Options::new(anywhere(), None);
    options.limits.system_buffer = 4096;
    options.limits.work_burst = 1_000_000;
    let operation = Operation::open(options, events).await.unwrap();
    let addr = operation.facts().listening;
    let deaf = beside(move || {
        let mut deaf = Peer::greeted_plain(addr, 1);
        let socket = deaf.socket().try_clone().unwrap();
        socket2::SockRef::from(&socket)
            .set_recv_buffer_size(1024)
            .unwrap();
        socket
            .set_write_timeout(Some(Duration::from_millis(500)))
            .unwrap();
        let name = "nobody".parse().unwrap();
        let (id, method) = (RequestId(1), Method::Lookup { name });
        let asks = to_frame(&Request { id, method }).unwrap().repeat(100);
        // The registry reads no more when its answers are not read.
        while deaf.try_send(&asks).is_ok() {}
        deaf
    })
    .await;
    (operation, deaf)
}

const ONE_CUT: Closed = Closed {
    finished: 0,
    cut: 1,
};

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_is_cut_when_the_patience_is_over() {
    let (operation, deaf) = with_a_deaf_phone().await;
    let closed = operation.close(Duration::from_millis(500)).await;
    assert_eq!(closed, ONE_CUT);
    drop(deaf);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_in_a_hurry_waits_for_nobody_and_is_told_who_was_cut() {
    let (operation, deaf) = with_a_deaf_phone().await;
    let hurry = operation.hurry();
    let began = Instant::now();
    let (closed, ()) = tokio::join!(operation.close(LONG), async { hurry.cancel() });
    assert_eq!(closed, ONE_CUT);
    assert!(began.elapsed() < LONG / 2, "{:?}", began.elapsed());
    drop(deaf);
}

fn beside_now<T: Send + 'static>(
    act: impl FnOnce() -> T + Send + 'static,
) -> tokio::task::JoinHandle<T> {
    spawn_blocking(act)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_opens_again_at_once_on_the_same_port_and_folder_and_knows_who_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let folder = Some(folder.path().join("data"));
    let (events, _happened) = Events::channel();
    let mut options = Options::new(anywhere(), folder);
    let mut fingerprints = Vec::new();
    let mut desk_of_before = None;
    for round in 1..=3 {
        let operation = Operation::open(options.clone(), events.clone())
            .await
            .unwrap();
        let facts = operation.facts().clone();
        options.listen = facts.listening;
        fingerprints.push(facts.fingerprint);
        let bob = registered_again(facts.listening, 1, "bob", round).await;
        let found = operation.desk().user(&"bob".parse().unwrap()).unwrap();
        assert_eq!(found.unwrap().devices.len(), 1, "{round}");
        desk_of_before = Some(operation.desk());
        assert_eq!(operation.close(LONG).await.finished, 1);
        drop(bob);
    }
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), 1);
    // Whoever still has a desk of it keeps nothing open, and is told so.
    let desk = desk_of_before.unwrap();
    assert!(!desk.is_open());
    assert_eq!(desk.stats(), Err(Failed::Closed));
    assert_eq!(desk.users(Query::default()).await, Err(Failed::Closed));
    assert_eq!(desk.ban("bob").await, Err(Failed::Closed));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_is_dropped_lets_its_port_go_too() {
    let (operation, _happened) = opened().await;
    let addr = operation.facts().listening;
    let mut bob = registered(addr, 1, "bob").await;
    drop(operation);
    assert_eq!(beside(move || bob.read()).await, None);
    let (events, _happened) = Events::channel();
    let again = Operation::open(Options::new(addr, None), events).await;
    again.unwrap().close(DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_does_not_open_says_what_to_do() {
    let open = |listen: SocketAddr, folder| {
        let (events, _) = Events::channel();
        Operation::open(Options::new(listen, folder), events)
    };
    let holder = TcpListener::bind(anywhere()).unwrap();
    let taken = holder.local_addr().unwrap();
    let error = open(taken, None).await.unwrap_err();
    assert!(matches!(error, OpenError::PortTaken(at) if at == taken));
    assert!(error.to_string().contains("use --listen"), "{error}");
    drop(holder);
    let elsewhere = "192.0.2.7:0".parse().unwrap();
    let error = open(elsewhere, None).await.unwrap_err();
    assert!(matches!(error, OpenError::NotThisMachine(_)), "{error}");
    assert!(error.to_string().contains("this machine"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let data = Some(folder.path().join("data"));
    let first = open(anywhere(), data.clone()).await.unwrap();
    let error = open(anywhere(), data.clone()).await.unwrap_err();
    let in_use = matches!(error, OpenError::Store(embedded::OpenError::InUse(_)));
    assert!(in_use, "{error}");
    first.close(DRAIN).await;
    std::fs::write(folder.path().join("data/registry.key"), b"short").unwrap();
    let error = open(anywhere(), data).await.unwrap_err();
    assert!(matches!(error, OpenError::KeyDamaged(_)), "{error}");
    assert!(error.to_string().contains("put a copy back"), "{error}");
}
