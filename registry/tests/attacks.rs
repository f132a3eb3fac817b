//! Attacks on the way between phones, lookups and a registry, by name, with real programs and real
//! sockets: who listens, relays, replays, downgrades or takes a registry's place.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    process::Output,
    time::Duration,
};

use codec::{
    frame::to_frame,
    greeting::{Answer, Exporter, Unwelcome, Welcome},
    registry::{Method, Refusal, Request, RequestId, Success},
};
use registry::{
    client::{Access, Client, ConnectError, Security},
    known::KnownRegistries,
    limits::{Count, Limits},
};
use tokio::{task::spawn_blocking, time::timeout};

use self::{
    between::Between,
    rig::{Peer, Registry, Wire, dial, text},
    served::Served,
};

#[path = "attacks/between.rs"]
mod between;
#[path = "programs/rig.rs"]
mod rig;
#[path = "programs/served.rs"]
mod served;

/// Longer than anything here takes, even on a busy machine.
const AT_LAST: Duration = Duration::from_secs(60);

fn failed(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    text(&output.stderr)
}

// ---- in the registry's place ----

#[test]
fn downgrade_somebody_who_answers_tls_in_plain_is_told_nothing() {
    let stranger = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = stranger.local_addr().unwrap().to_string();
    let welcome = std::thread::spawn(move || {
        let (mut stream, _) = stranger.accept().unwrap();
        // As a registry that knows no TLS, or as somebody who wants it to look so.
        let answer = Answer::new(Err(Unwelcome::Malformed));
        stream.write_all(&to_frame(&answer).unwrap()).unwrap();
        let mut heard = Vec::new();
        // The lookup may close with this unread.
        let _ = stream.read_to_end(&mut heard);
        drop(stream);
        let again = stranger
            .set_nonblocking(true)
            .and_then(|()| stranger.accept());
        (heard, again.is_ok())
    });
    let looked_up = rig::lookup(&at, &["a.secret.name"]);
    let why = failed(&looked_up);
    assert!(why.contains("answers without encryption"), "{why}");
    assert!(why.contains("--plain"), "{why}");
    let (heard, came_again) = welcome.join().unwrap();
    // The beginning of TLS and not a word beside it, nor on another connection.
    assert!(
        heard
            .first()
            .is_none_or(|byte| *byte == registry::tls::FIRST_BYTE)
    );
    assert!(!heard.windows(6).any(|bytes| bytes == b"secret"));
    assert!(!heard.windows(5).any(|bytes| bytes == b"ramal"));
    assert!(!came_again, "it fell back");
}

#[test]
fn downgrade_a_registry_that_was_stripped_of_tls_is_not_talked_to() {
    let registry = Registry::start(&["--ephemeral"]);
    // Somebody in between takes the hello for themselves and asks the registry in plain.
    let between = TcpListener::bind("127.0.0.1:0").unwrap();
    let (at, to) = (between.local_addr().unwrap(), registry.addr);
    let stripper = std::thread::spawn(move || {
        let (mut phone, _) = between.accept().unwrap();
        let mut hello = [0; 4096];
        let begun = phone.read(&mut hello).unwrap();
        assert_eq!(hello[0], registry::tls::FIRST_BYTE);
        let mut plain = TcpStream::connect(to).unwrap();
        plain.write_all(&[0, 2, 1, 0]).unwrap();
        let answered = plain.read(&mut hello).unwrap();
        phone.write_all(&hello[..answered]).unwrap();
        begun
    });
    let why = failed(&rig::lookup(&at.to_string(), &["bob"]));
    assert!(why.contains("answers without encryption"), "{why}");
    assert!(stripper.join().unwrap() > 0);
}

#[test]
fn a_registry_that_has_no_room_says_so_also_to_who_begins_tls() {
    let registry = Registry::start(&["--ephemeral", "--per-address", "1"]);
    let held = Peer::greeted(registry.addr, 1);
    let why = failed(&registry.lookup(&["bob"]));
    assert!(
        why.contains("too many connections from this address"),
        "{why}"
    );
    drop(held);
}

#[test]
fn a_changed_registry_key_stops_a_lookup_and_what_is_pinned_stays() {
    let config = tempfile::tempdir().unwrap();
    let file = config.path().join(".known-registries");
    let registry = Registry::start(&["--ephemeral"]);
    let at = registry.addr.to_string();
    let first = registry.lookup_with(config.path(), &["bob"]);
    assert_eq!(first.status.code(), Some(1));
    let first = text(&first.stderr);
    assert!(
        first.contains(&format!("first time at {at}: its key is ")),
        "{first}"
    );
    let again = registry.lookup_with(config.path(), &["bob"]);
    assert!(!text(&again.stderr).contains("first time"));
    let pinned = std::fs::read(&file).unwrap();
    let (_, _, log) = registry.stop();

    let other = Registry::start(&["--ephemeral", "--listen", &at]);
    for arguments in [&["bob"][..], &["--plain", "bob"], &["--watch", "bob"]] {
        let why = failed(&other.lookup_with(config.path(), arguments));
        assert!(why.contains("has another key than before"), "{why}");
        assert!(why.contains("somebody is in between"), "{why}");
        assert!(
            why.contains(&format!("ramal-phone registries forget {at}")),
            "{why}"
        );
        // The registry's own log says which was the first one.
        let known = KnownRegistries::in_folder(config.path()).list().unwrap()[0].1;
        assert!(why.contains(&known.fingerprint()), "{why}");
        assert!(log.contains(&known.fingerprint()), "{log}");
        assert_eq!(std::fs::read(&file).unwrap(), pinned);
    }
    let (_, _, log) = other.stop();
    assert!(!log.contains("Lookup"), "{log}");

    // When a person has looked into it, the new key is met for the first time.
    let known = KnownRegistries::in_folder(config.path());
    assert_eq!(known.forget(&at.parse().unwrap()).unwrap(), 1);
    let other = Registry::start(&["--ephemeral", "--listen", &at]);
    let met = text(&other.lookup_with(config.path(), &["bob"]).stderr);
    assert!(met.contains("first time at"), "{met}");
}

#[test]
fn a_damaged_line_among_known_registries_is_named_and_nobody_is_asked() {
    let config = tempfile::tempdir().unwrap();
    std::fs::write(config.path().join(".known-registries"), "# mine\nhello\n").unwrap();
    let registry = Registry::start(&["--ephemeral"]);
    let why = failed(&registry.lookup_with(config.path(), &["bob"]));
    assert!(why.contains(".known-registries, line 2: "), "{why}");
    let (_, _, log) = registry.stop();
    assert!(!log.contains("Lookup"), "{log}");
}

#[test]
fn a_renewed_certificate_is_silent() {
    let (config, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let keep = data.path().to_str().unwrap();
    let registry = Registry::start(&["--data", keep]);
    let at = registry.addr.to_string();
    registry.lookup_with(config.path(), &["bob"]);
    drop(registry);
    let file = data.path().join("tls-certificate.pem");
    let before = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let registry = Registry::start(&["--data", keep, "--listen", &at]);
    assert_ne!(std::fs::read(&file).unwrap(), before);
    let output = registry.lookup_with(config.path(), &["bob"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(text(&output.stderr).lines().count(), 1, "{output:?}");
}

// ---- in between ----

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registration_relayed_by_a_man_in_the_middle_is_not_made_and_would_not_count() {
    let registry = Served::with(Limits::default()).await;
    let between = Between::start(registry.addr).await;
    // A phone or a lookup sees it, because the registry proved itself to somebody else.
    let host = between.addr.into();
    let refused = Client::connect(&Access::trusting("test"), &host, AT_LAST).await;
    assert!(
        matches!(refused, Err(ConnectError::NotProven(_))),
        "{refused:?}"
    );
    // And one that ignores it signs for a connection that the registry does not have.
    let (at, straight) = (between.addr, registry.addr);
    let ignorant = spawn_blocking(move || {
        let mut phone = Peer::connect(at, 1);
        let Ok(Welcome::Registry(welcome)) = phone.greet().welcome else {
            panic!("not welcome")
        };
        assert!(!welcome.is_proven(&phone.exporter()));
        phone.bind_to(&welcome, phone.exporter());
        assert_eq!(phone.register("bob", 1), Err(Refusal::BadSignature));
        // Somebody in between has none of the two exporters to offer it that would do.
        phone.bind_to(&welcome, Exporter::PLAIN);
        assert_eq!(phone.register("bob", 2), Err(Refusal::BadSignature));
        let mut honest = Peer::greeted(straight, 2);
        let name = "bob".parse().unwrap();
        assert_eq!(
            honest.ask(9, Method::Lookup { name }),
            Err(Refusal::NotFound)
        );
        // Nothing is lost: the name is free for its owner on a connection of their own.
        let mut phone = Peer::greeted(straight, 1);
        assert!(phone.register("bob", 3).is_ok());
    });
    ignorant.await.unwrap();
}

#[test]
fn a_captured_registration_is_of_no_use_on_the_same_or_another_connection_or_registry() {
    let registry = Registry::start(&["--ephemeral"]);
    let other = Registry::start(&["--ephemeral"]);
    // What somebody who sees everything would have, on a connection that can be read.
    for plain in [true, false] {
        let connect = |registry: &Registry, seed| match plain {
            true => Peer::greeted_plain(registry.addr, seed),
            false => Peer::greeted(registry.addr, seed),
        };
        let mut bob = connect(&registry, 1);
        let (first, second) = (u64::from(plain) * 10 + 1, u64::from(plain) * 10 + 2);
        let captured = bob.signed_register("bob", first);
        let replay = |peer: &mut Peer| peer.ask(7, Method::Register(captured.clone()));
        assert_eq!(replay(&mut bob), Ok(Success::Registered { expires_s: 60 }));
        // On the same connection: neither while it holds, nor to bring back what was given up.
        assert_eq!(replay(&mut bob), Err(Refusal::Stale));
        assert_eq!(bob.unregister("bob", second), Ok(Success::Unregistered));
        assert_eq!(replay(&mut bob), Err(Refusal::Stale));
        // On another one, even of somebody who can greet with Bob's card.
        for registry in [&registry, &other] {
            for seed in [1, 2] {
                let mut thief = connect(registry, seed);
                assert_eq!(replay(&mut thief), Err(Refusal::BadSignature));
            }
        }
        // And not across the two ways of one registry either.
        let mut thief = match plain {
            true => Peer::greeted(registry.addr, 1),
            false => Peer::greeted_plain(registry.addr, 1),
        };
        assert_eq!(replay(&mut thief), Err(Refusal::BadSignature));
        let name = "bob".parse().unwrap();
        assert_eq!(
            thief.ask(8, Method::Lookup { name }),
            Err(Refusal::NotFound)
        );
        drop(thief);
    }
}

// ---- from elsewhere ----

/// An address of this machine at which connections do not come from loopback.
fn address() -> Option<Ipv4Addr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    // Nothing is sent: the system only chooses where it would be sent from.
    socket.connect("192.0.2.1:9").ok()?;
    match socket.local_addr().ok()? {
        SocketAddr::V4(addr) if !addr.ip().is_loopback() => Some(*addr.ip()),
        _ => None,
    }
}

#[test]
fn plain_frames_from_elsewhere_are_refused_and_tls_from_there_is_not() {
    let Some(address) = address() else {
        println!("skipped: this machine has no address but loopback");
        return;
    };
    let registry = Registry::start(&["--ephemeral", "--listen", "0.0.0.0:0"]);
    let from_elsewhere = SocketAddr::from((address, registry.addr.port()));
    let refused = Peer::connect_plain(from_elsewhere, 1).greet().welcome;
    assert_eq!(refused, Err(Unwelcome::PlainRefused));
    let why = failed(&rig::lookup(
        &from_elsewhere.to_string(),
        &["--plain", "bob"],
    ));
    assert!(
        why.contains("takes no unencrypted connections from this address; leave --plain away"),
        "{why}"
    );
    let mut bob = Peer::greeted(from_elsewhere, 1);
    bob.register("bob", 1).unwrap();
    // From this machine itself both are taken.
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, registry.addr.port()));
    for arguments in [&["bob"][..], &["--plain", "bob"]] {
        let found = rig::lookup(&loopback.to_string(), arguments);
        assert_eq!(found.status.code(), Some(0), "{found:?}");
    }
    let (_, _, log) = registry.stop();
    assert!(log.contains("plain_refused=2"), "{log}");
}

// ---- on the handshake itself ----

fn hurried() -> Limits {
    Limits {
        greeting: Duration::from_millis(700),
        ..Limits::default()
    }
}

async fn counted(registry: &Served, count: Count, times: u64) {
    let enough = async {
        while registry.counters.get(count) < times {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let waited = timeout(AT_LAST, enough).await;
    assert!(waited.is_ok(), "{count:?} {times}: {}", registry.counters);
}

async fn still_serves(registry: &Served) {
    for security in [Security::Tls, Security::Plain] {
        let access = Access::trusting("test").with(security);
        let client = Client::connect(&access, &registry.addr.into(), AT_LAST).await;
        assert!(client.is_ok(), "{client:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handshake_that_is_never_finished_ends_with_the_time_of_the_greeting() {
    let registry = Served::with(hurried()).await;
    let addr = registry.addr;
    let ended = spawn_blocking(move || {
        // One stops in the middle of its first record, one sends a byte at a time, and one sets
        // TLS up and says nothing: each has the one time for everything.
        let mut half = dial(addr);
        half.write_all(&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3])
            .unwrap();
        let mut slow = dial(addr);
        let mut silent = Wire::tls(dial(addr));
        let record = [&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3][..], &[7; 500]].concat();
        for byte in record {
            if slow.write_all(&[byte]).is_err() {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let mut said = Vec::new();
        silent.read_to_end(&mut said).unwrap();
        assert_eq!(
            said,
            to_frame(&Answer::new(Err(Unwelcome::TooSlow))).unwrap()
        );
        let mut rest = Vec::new();
        assert_eq!(half.read_to_end(&mut rest).unwrap_or(0), 0);
    });
    ended.await.unwrap();
    counted(&registry, Count::LateGreeting, 3).await;
    still_serves(&registry).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_huge_records_and_old_versions_end_a_handshake_at_once() {
    let registry = Served::with(Limits {
        greeting: AT_LAST,
        ..Limits::default()
    })
    .await;
    let addr = registry.addr;
    let garbage = [
        // No handshake at all behind the first byte.
        [&[0x16][..], &[0xff; 600]].concat(),
        // A record of 65,535 bytes, where 16,640 is the most (RFC 8446, 5.2).
        [&[0x16, 3, 1, 0xff, 0xff][..], &[1; 70_000]].concat(),
        // A hello of 16 MiB in records that are small enough.
        [
            &[0x16, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff][..],
            &[3; 16_380],
        ]
        .concat(),
        // A whole hello of TLS 1.2 without any extension.
        [
            &[0x16, 3, 1, 0, 45, 1, 0, 0, 41, 3, 3][..],
            &[9; 32],
            &[0, 0, 2, 0xc0, 0x2f, 1, 0],
        ]
        .concat(),
    ];
    let many = garbage.len() as u64;
    let ended = spawn_blocking(move || {
        for bytes in garbage {
            let mut stranger = dial(addr);
            // It may be closed before everything is sent.
            let _ = stranger.write_all(&bytes);
            let mut said = Vec::new();
            let _ = stranger.read_to_end(&mut said);
            // An alert, if the connection was not reset: never a frame.
            assert!(said.first().is_none_or(|byte| *byte == 0x15), "{said:?}");
        }
    });
    ended.await.unwrap();
    counted(&registry, Count::BadGreeting, many).await;
    assert_eq!(registry.counters.get(Count::LateGreeting), 0);
    still_serves(&registry).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tls_peer_that_asks_and_never_reads_ends_as_a_slow_reader() {
    let registry = Served::with(Limits {
        unread: Duration::from_millis(300),
        work_burst: 10_000_000,
        work_burst_per_address: 10_000_000,
        ..Limits::default()
    })
    .await;
    let addr = registry.addr;
    let asked = spawn_blocking(move || {
        let mut bob = Peer::greeted(addr, 1);
        let name = "bob".parse().unwrap();
        let (id, method) = (RequestId(1), Method::Lookup { name });
        let ask = to_frame(&Request { id, method }).unwrap().repeat(500);
        while bob.try_send(&ask).is_ok() {}
    });
    asked.await.unwrap();
    counted(&registry, Count::SlowReader, 1).await;
    still_serves(&registry).await;
}

#[test]
fn a_tls_peer_that_sends_frames_of_nonsense_is_answered_like_any_other() {
    let registry = Registry::start(&["--ephemeral"]);
    let mut bob = Peer::greeted(registry.addr, 1);
    bob.send(&[0, 9, 9, 9, 9, 0]);
    let id = RequestId(5);
    let name = "bob".parse().unwrap();
    let method = Method::Lookup { name };
    bob.send(&to_frame(&Request { id, method }).unwrap());
    let (first, second) = (bob.answer(), bob.answer());
    assert_eq!(first, (RequestId(0), Err(Refusal::Malformed)));
    assert_eq!(second, (id, Err(Refusal::NotFound)));
}

#[test]
fn certificates_that_cannot_be_used_are_said_before_anybody_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for name in ["one", "two"] {
        let data = at(name);
        drop(Registry::start(&["--data", &data]));
    }
    let (cert, key) = (at("one/tls-certificate.pem"), at("one/tls-key.pem"));
    let refused = |cert: &str, key: &str| {
        let arguments = ["--ephemeral", "--listen", "127.0.0.1:0"];
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_ramal-registry"))
            .args(arguments)
            .args(["--cert", cert, "--key", key])
            .output()
            .unwrap();
        assert_eq!(text(&output.stderr).lines().count(), 1, "{output:?}");
        failed(&output)
    };
    assert!(refused(&at("none"), &key).contains("none: No such file"));
    assert!(refused(&key, &key).contains("has no certificate in PEM"));
    assert!(refused(&cert, &cert).contains("has no private key in PEM"));
    std::fs::write(
        at("short"),
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    assert!(refused(&at("short"), &key).contains("cannot be used"));
    let mixed = refused(&cert, &at("two/tls-key.pem"));
    assert!(
        mixed.contains("is not the one of the certificate"),
        "{mixed}"
    );
    let registry = Registry::start(&["--ephemeral", "--cert", &cert, "--key", &key]);
    assert_eq!(registry.lookup(&["bob"]).status.code(), Some(1));
}
