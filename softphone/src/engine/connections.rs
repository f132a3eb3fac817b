//! The driver's connections for signals: which there are, and what each is given.

use std::{
    io,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    time::Instant,
};

use codec::{UnixMillis, direct::DirectFrame};
use registry::client::Host;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

use super::{
    Driver, Event, INBOUND_MAX, INBOUND_PER_ADDRESS_MAX, ORDERS_MAX, Warning,
    signalling::{self, Tell},
    unix_now,
};
use crate::phone::{INBOUND_BIT, Input, LinkId, MACHINE_OFF_MAX_MS};

impl Driver {
    pub(super) fn connect_registry(&mut self) {
        self.registry_count += 1;
        let (sender, orders) = mpsc::channel(ORDERS_MAX);
        self.registry = Some(sender);
        let tell = Tell {
            news: self.news.clone(),
            registry: Some(self.registry_count),
        };
        let (host, greeter) = (self.config.registry.clone(), self.config.greeter.clone());
        self.tasks
            .spawn(signalling::registry(host, greeter, orders, tell));
    }

    /// Tells the phone what time it is here, and the person if a registry's clock is so far away
    /// that calls through it do not ring.
    pub(super) fn set_clock(&mut self, registry: UnixMillis) {
        let time = unix_now();
        self.phone.handle_input(Input::Clock(time), Instant::now());
        if time.abs_diff(registry) > MACHINE_OFF_MAX_MS {
            self.tell(Event::Warning(Warning::ClockApart));
        }
    }

    pub(super) fn leave_registry(&mut self) {
        self.registry_count += 1;
        self.registry = None;
    }

    pub(super) fn accept(&mut self, stream: TcpStream, peer: SocketAddr) {
        self.inbound.retain(|link, _| self.links.contains_key(link));
        let from = network(peer.ip());
        let same = self.inbound.values().filter(|other| **other == from);
        if self.inbound.len() >= INBOUND_MAX || same.count() >= INBOUND_PER_ADDRESS_MAX {
            return;
        }
        self.last_inbound += 1;
        let link = LinkId(self.last_inbound | INBOUND_BIT);
        self.inbound.insert(link, from);
        self.peers.insert(link, peer);
        let (orders, tell) = self.link_orders(link);
        self.tasks.spawn(signalling::accept(
            link,
            stream,
            self.config.greeter.clone(),
            orders,
            tell,
        ));
    }

    pub(super) fn open_link(&mut self, link: LinkId, contact: SocketAddr) {
        self.peers.insert(link, contact);
        let (orders, tell) = self.link_orders(link);
        let greeter = self.config.greeter.clone();
        self.tasks
            .spawn(signalling::open(link, contact, greeter, orders, tell));
    }

    pub(super) fn open_host(&mut self, link: LinkId, host: Host, name: codec::Name) {
        let (orders, tell) = self.link_orders(link);
        let greeter = self.config.greeter.clone();
        self.tasks.spawn(signalling::open_host(
            link, host, name, greeter, orders, tell,
        ));
    }

    fn link_orders(&mut self, link: LinkId) -> (mpsc::Receiver<DirectFrame>, Tell) {
        let (sender, orders) = mpsc::channel(ORDERS_MAX);
        // Some links end without a word.
        self.peers
            .retain(|of, _| *of == link || self.links.contains_key(of));
        self.links.insert(link, sender);
        (
            orders,
            Tell {
                news: self.news.clone(),
                registry: None,
            },
        )
    }
}

/// The next connection of another phone; never, where nobody listens.
pub(super) async fn accepted(
    listener: Option<&TcpListener>,
) -> io::Result<(TcpStream, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}

/// What counts as one address: whoever has one IPv6 address has a /64 of them (RFC 6177).
fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(v4) => v4.into(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_network_count_as_one() {
        let of = |text: &str| network(text.parse().unwrap()).to_string();
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2::9"));
        assert_ne!(of("2001:db8:1:2::9"), of("2001:db8:1:3::9"));
        assert_eq!(of("::ffff:192.0.2.7"), "192.0.2.7");
        assert_ne!(of("192.0.2.7"), of("192.0.2.8"));
    }
}
