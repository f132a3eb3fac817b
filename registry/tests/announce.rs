//! A registry that is open is found on the network, and one that is closed is not: with multicast
//! DNS on the loopback device, so that nobody else hears of it.

#![allow(clippy::unwrap_used)]
#![allow(clippy::print_stderr, reason = "a test that shows nothing says so")]

use std::{
    io,
    net::{Ipv4Addr, SocketAddrV4, UdpSocket},
    time::{Duration, Instant},
};

use mdns_sd::{IfKind, Receiver, ServiceDaemon, ServiceEvent};
use registry::{
    announce::SERVICE,
    event::{Event, Events},
    operate::{Announce, Operation, Options},
    server::DRAIN,
};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::time::timeout;

/// Announcing takes a second or two: it is first asked whether somebody has the name.
const WITHIN: Duration = Duration::from_secs(30);

const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);

/// Whether a multicast packet on the loopback device comes back.
fn loopback_has_multicast() -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.bind(&SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0).into())?;
    socket.join_multicast_v4(&GROUP, &Ipv4Addr::LOCALHOST)?;
    socket.set_multicast_if_v4(&Ipv4Addr::LOCALHOST)?;
    let socket = UdpSocket::from(socket);
    SockRef::from(&socket).set_multicast_loop_v4(true)?;
    socket.set_read_timeout(Some(Duration::from_secs(2)))?;
    socket.send_to(b"ping", (GROUP, socket.local_addr()?.port()))?;
    socket.recv_from(&mut [0; 8]).map(drop)
}

/// Says that a test shows nothing here, and why.
fn skipped() -> bool {
    let works = loopback_has_multicast();
    if let Err(error) = &works {
        eprintln!("SKIPPED: no multicast on the loopback device, so nothing was tried: {error}");
    }
    works.is_err()
}

fn browse() -> (ServiceDaemon, Receiver<ServiceEvent>) {
    let daemon = ServiceDaemon::new().unwrap();
    daemon.disable_interface(IfKind::All).unwrap();
    daemon
        .enable_interface(IfKind::Addr(Ipv4Addr::LOCALHOST.into()))
        .unwrap();
    let found = daemon.browse(SERVICE).unwrap();
    (daemon, found)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_registry_is_found_with_its_port_and_its_key_until_it_is_closed() {
    if skipped() {
        return;
    }
    let (daemon, found) = browse();
    let (events, happened) = Events::channel();
    let mut options = Options::new((Ipv4Addr::LOCALHOST, 0).into(), None);
    options.announce = Announce::Always;
    let operation = Operation::open(options, events).await.unwrap();
    let facts = operation.facts().clone();
    let find = async {
        loop {
            match found.recv_async().await.unwrap() {
                ServiceEvent::ServiceResolved(it) if it.port == facts.listening.port() => {
                    return it;
                }
                _ => {}
            }
        }
    };
    let service = timeout(WITHIN, find).await.expect("it is found");
    let told = service.txt_properties.get_property_val_str("fp");
    assert_eq!(told, Some(facts.fingerprint.as_str()));
    let told = service.txt_properties.get_property_val_str("v");
    assert_eq!(told, Some("0"));
    let ips: Vec<_> = service
        .addresses
        .iter()
        .map(mdns_sd::ScopedIp::to_ip_addr)
        .collect();
    assert_eq!(ips, [facts.listening.ip()]);
    let told = |event| matches!(event, Event::Notice(text) if text.contains("find it as"));
    while !told(happened.recv_timeout(WITHIN).expect("it is told")) {}

    let started = Instant::now();
    operation.close(DRAIN).await;
    assert!(started.elapsed() < DRAIN);
    let gone = async {
        loop {
            match found.recv_async().await.unwrap() {
                ServiceEvent::ServiceRemoved(_, name) if name == service.fullname => return,
                _ => {}
            }
        }
    };
    timeout(WITHIN, gone).await.expect("it is withdrawn");
    let _ = daemon.shutdown();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_for_this_machine_only_says_nothing_on_the_network() {
    if skipped() {
        return;
    }
    let (daemon, found) = browse();
    let (events, _happened) = Events::channel();
    let open = |announce| {
        let mut options = Options::new((Ipv4Addr::LOCALHOST, 0).into(), None);
        options.announce = announce;
        Operation::open(options, events.clone())
    };
    let silent = open(Announce::Auto).await.unwrap();
    // By the time at which this one is found, the other would have been.
    let heard = open(Announce::Always).await.unwrap();
    let silent_port = silent.facts().listening.port();
    let heard_port = heard.facts().listening.port();
    let find = async {
        loop {
            if let ServiceEvent::ServiceResolved(it) = found.recv_async().await.unwrap() {
                assert_ne!(it.port, silent_port);
                if it.port == heard_port {
                    return;
                }
            }
        }
    };
    timeout(WITHIN, find).await.expect("the other is found");
    silent.close(DRAIN).await;
    heard.close(DRAIN).await;
    let _ = daemon.shutdown();
}
