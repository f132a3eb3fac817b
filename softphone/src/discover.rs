//! Registries on the local network: those that announce `_ramal._tcp` by multicast DNS (RFC 6762).
//!
//! What is announced is anybody's word. It saves typing an address and nothing else: who answers
//! there proves its key as every registry does, and the fingerprint in the announcement is only
//! shown. That nothing is found is normal, and a machine without a network is no error.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use mdns_sd::{Receiver, ResolvedService, ServiceDaemon, ServiceEvent};
use registry::client::Host;
use tokio::time::sleep;

/// What registries announce themselves as.
const SERVICE: &str = "_ramal._tcp.local.";

/// The most registries that are shown; others are not.
pub const DISCOVERED_MAX: usize = 32;

/// The most characters of what a registry calls itself; the rest is cut.
const LABEL_CHARS_MAX: usize = 64;

/// How often it is told at most what is there, and how much of what was heard meanwhile counts.
const AT_MOST_EVERY: Duration = Duration::from_millis(250);
const EVENTS_AT_ONCE: usize = 256;

/// The most addresses of one registry that are kept.
const ADDRESSES_MAX: usize = 8;

/// A registry that announces itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovered {
    /// What it calls itself, by its own account: the machine's name as a rule.
    pub label: String,
    /// Where to connect to.
    pub host: Host,
    /// All addresses that it announces, IPv4 first.
    pub addresses: Vec<SocketAddr>,
    /// The fingerprint of its key, by its own account.
    pub fingerprint: Option<String>,
    /// By which multicast DNS knows it.
    service: String,
}

#[cfg(test)]
impl Discovered {
    /// One that says nothing more of itself.
    pub(crate) fn at(label: &str, addr: SocketAddr) -> Self {
        Self {
            label: label.to_owned(),
            host: addr.into(),
            addresses: vec![addr],
            fingerprint: None,
            service: label.to_owned(),
        }
    }
}

/// Looks round on the local network until it is dropped.
pub struct Browser {
    daemon: ServiceDaemon,
    events: Receiver<ServiceEvent>,
    found: Vec<Discovered>,
}

impl Browser {
    /// Begins to look round; `None` where this machine cannot.
    #[must_use]
    pub fn start() -> Option<Self> {
        let daemon = ServiceDaemon::new().ok()?;
        match daemon.browse(SERVICE) {
            Ok(events) => Some(Self {
                daemon,
                events,
                found: Vec::new(),
            }),
            Err(_) => {
                let _ = daemon.shutdown();
                None
            }
        }
    }

    /// Waits until something else is there than before, and returns all that is, by label; at most
    /// every 250 ms, however much is announced. `None` when nothing more will come.
    pub async fn next(&mut self) -> Option<Vec<Discovered>> {
        loop {
            let event = self.events.recv_async().await.ok()?;
            let mut is_new = hear(&mut self.found, event);
            sleep(AT_MOST_EVERY).await;
            for event in self.events.try_iter().take(EVENTS_AT_ONCE) {
                is_new |= hear(&mut self.found, event);
            }
            if is_new {
                return Some(self.found.clone());
            }
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Its thread ends by itself; there is nothing to be told of it.
        let _ = self.daemon.shutdown();
    }
}

/// Takes in what was heard on the network. Returns whether anything is different now.
fn hear(found: &mut Vec<Discovered>, event: ServiceEvent) -> bool {
    match event {
        ServiceEvent::ServiceResolved(service) => {
            let Some(new) = read(&service) else {
                return false;
            };
            let known = found.iter().position(|known| known.service == new.service);
            match known {
                Some(at) if found[at] == new => return false,
                Some(at) => found[at] = new,
                None if found.len() >= DISCOVERED_MAX => return false,
                None => found.push(new),
            }
            found.sort_by(|a, b| (&a.label, &a.service).cmp(&(&b.label, &b.service)));
            true
        }
        ServiceEvent::ServiceRemoved(_, service) => {
            let before = found.len();
            found.retain(|known| known.service != service);
            found.len() != before
        }
        _ => false,
    }
}

fn read(service: &ResolvedService) -> Option<Discovered> {
    let ips = service.addresses.iter().map(mdns_sd::ScopedIp::to_ip_addr);
    // An IPv6 address of one link alone is of no use without the link's name.
    let usable = |ip: &IpAddr| match ip {
        IpAddr::V4(ip) => !ip.is_unspecified(),
        IpAddr::V6(ip) => !ip.is_unspecified() && !ip.is_unicast_link_local(),
    };
    let mut ips: Vec<IpAddr> = ips.filter(usable).collect();
    // The same machine may announce its loopback address, which leads elsewhere from here.
    ips.sort_by_key(|ip| (ip.is_loopback(), ip.is_ipv6(), *ip));
    ips.truncate(ADDRESSES_MAX);
    let addresses: Vec<SocketAddr> = ips.iter().map(|ip| (*ip, service.port).into()).collect();
    let first = *addresses.first().filter(|_| service.port != 0)?;
    let instance = service.fullname.strip_suffix(SERVICE);
    let instance = instance.unwrap_or(&service.fullname).trim_end_matches('.');
    let plain = |text: &str, most: usize| -> String {
        // Nothing that turns the order of a line round or hides in it.
        let is_seen = |c: &char| c.is_alphanumeric() || c.is_ascii_punctuation() || *c == ' ';
        let shown = text.chars().filter(is_seen);
        shown.take(most).collect()
    };
    let fingerprint = service.txt_properties.get_property_val_str("fp");
    Some(Discovered {
        label: plain(instance, LABEL_CHARS_MAX),
        host: first.into(),
        addresses,
        fingerprint: fingerprint
            .map(|fingerprint| plain(fingerprint, LABEL_CHARS_MAX))
            .filter(|fingerprint| !fingerprint.is_empty()),
        service: service.fullname.clone(),
    })
}

#[cfg(test)]
mod tests {
    use mdns_sd::ServiceInfo;

    use super::*;

    fn announced(instance: &str, ips: &str, port: u16) -> ServiceEvent {
        let properties = [("v", "0"), ("fp", "abcd ef01")];
        let info = ServiceInfo::new(
            SERVICE,
            instance,
            "tower.local.",
            ips,
            port,
            &properties[..],
        );
        ServiceEvent::ServiceResolved(Box::new(info.unwrap().as_resolved_service()))
    }

    #[test]
    fn what_is_announced_is_listed_once_until_it_goes() {
        let mut found = Vec::new();
        assert!(hear(
            &mut found,
            announced("tower", "127.0.0.1,10.0.0.7", 5000)
        ));
        assert!(!hear(
            &mut found,
            announced("tower", "10.0.0.7,127.0.0.1", 5000)
        ));
        assert!(hear(&mut found, announced("attic", "10.0.0.9", 5001)));
        let labels: Vec<_> = found.iter().map(|found| found.label.as_str()).collect();
        assert_eq!(labels, ["attic", "tower"]);
        assert_eq!(found[1].host.to_string(), "10.0.0.7:5000");
        assert_eq!(found[1].fingerprint.as_deref(), Some("abcd ef01"));
        // It moved.
        assert!(hear(&mut found, announced("tower", "10.0.0.8", 5000)));
        assert_eq!(found[1].host.to_string(), "10.0.0.8:5000");
        let gone = format!("tower.{SERVICE}");
        assert!(hear(
            &mut found,
            ServiceEvent::ServiceRemoved(SERVICE.to_owned(), gone)
        ));
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn what_cannot_be_used_is_left_out_and_a_flood_is_cut() {
        let mut found = Vec::new();
        assert!(!hear(&mut found, announced("nowhere", "", 5000)));
        assert!(!hear(&mut found, announced("link", "fe80::1", 5000)));
        assert!(!hear(&mut found, announced("closed", "10.0.0.1", 0)));
        for number in 0..100 {
            hear(
                &mut found,
                announced(&format!("n{number}"), "10.0.0.1", 5000),
            );
        }
        assert_eq!(found.len(), DISCOVERED_MAX);
        let mut found = Vec::new();
        hear(
            &mut found,
            announced(&"\u{1b}\u{202e}x".repeat(40), "10.0.0.1", 5000),
        );
        assert!(found[0].label.chars().all(|c| c == 'x'), "{found:?}");
    }
}
