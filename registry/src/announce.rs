//! Announces a registry on the local network by multicast DNS (RFC 6762, 6763), so that phones find
//! it without being told an address.
//!
//! What is announced is the machine's name, the port and the fingerprint of the registry's key, in
//! clear, to everybody on the same network. Nobody trusts it: who answers proves its key.
//!
//! All of it happens on a thread of `mdns-sd`, to which commands go by a queue that nobody waits
//! for. Without a network there is nothing to be heard, and that is no error.

use std::{
    fmt,
    net::SocketAddr,
    time::{Duration, Instant},
};

use mdns_sd::{DaemonEvent, IfKind, Receiver, ServiceDaemon, ServiceInfo};
use rustix::system::uname;
use tokio::{
    task::JoinSet,
    time::{Instant as TokioInstant, timeout_at},
};

use crate::event::{Event, Events, Warning};

/// What registries are announced as.
pub const SERVICE: &str = "_ramal._tcp.local.";

/// The version of what is announced beside name and port, under `v`.
const VERSION: &str = "0";

/// How long it may take to tell the network that a registry is gone.
const WITHDRAW_WITHIN: Duration = Duration::from_millis(500);

/// The most bytes of a machine's name that are announced: one label of DNS, with room for what
/// makes it another than its neighbour's.
const LABEL_BYTES_MAX: usize = 48;

/// Whether a registry is announced on the local network.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Announce {
    /// If others than this machine reach it.
    #[default]
    Auto,
    /// In any case.
    Always,
    /// In no case.
    Never,
}

impl Announce {
    /// Whether a registry that listens there is announced.
    #[must_use]
    pub fn takes(self, listening: SocketAddr) -> bool {
        match self {
            Self::Auto => !listening.ip().to_canonical().is_loopback(),
            Self::Always => true,
            Self::Never => false,
        }
    }
}

/// A registry is announced until this is withdrawn or dropped.
pub struct Announcement {
    daemon: ServiceDaemon,
    /// By which the network knows it.
    service: String,
    /// Tells the log what became of it; ends when this is dropped.
    _told: JoinSet<()>,
}

impl fmt::Debug for Announcement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Announcement({})", self.service)
    }
}

impl Announcement {
    /// Announces a registry that listens there and whose key has this fingerprint. What becomes of
    /// it is told to `events`.
    ///
    /// # Errors
    /// Why this machine cannot announce anything.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn begin(
        listening: SocketAddr,
        fingerprint: &str,
        events: &Events,
    ) -> Result<Self, mdns_sd::Error> {
        let machine = machine();
        let info = service(listening, fingerprint, &machine)?;
        let service = info.get_fullname().to_owned();
        let daemon = ServiceDaemon::new()?;
        let begin = || {
            if !listening.ip().is_unspecified() {
                // What is not heard where it is reached is of no use to anybody.
                daemon.disable_interface(IfKind::All)?;
                daemon.enable_interface(IfKind::Addr(listening.ip()))?;
            } else if listening.is_ipv4() {
                daemon.disable_interface(IfKind::IPv6)?;
            }
            let told = daemon.monitor()?;
            daemon.register(info)?;
            Ok(told)
        };
        match begin() {
            Ok(told) => {
                let mut tells = JoinSet::new();
                tells.spawn(tell(told, machine, events.clone()));
                let _told = tells;
                Ok(Self {
                    daemon,
                    service,
                    _told,
                })
            }
            Err(error) => {
                // Its thread ends by itself; there is nothing to be told of it.
                let _ = daemon.shutdown();
                Err(error)
            }
        }
    }

    /// Tells the network that the registry is gone. It takes half a second at most: whoever has
    /// not heard it by then hears nothing of the registry from then on, and forgets it.
    pub async fn withdraw(self) {
        let until = TokioInstant::from_std(Instant::now() + WITHDRAW_WITHIN);
        if let Ok(gone) = self.daemon.unregister(&self.service) {
            let _late = timeout_at(until, gone.recv_async()).await;
        }
    }
}

impl Drop for Announcement {
    fn drop(&mut self) {
        // Its thread ends by itself, and says farewell for what is still announced.
        let _ = self.daemon.shutdown();
    }
}

/// Tells the log once that it is announced, and once why it is not somewhere.
async fn tell(told: Receiver<DaemonEvent>, machine: String, events: Events) {
    let (mut announced, mut failed) = (false, false);
    while let Ok(event) = told.recv_async().await {
        let event = match event {
            DaemonEvent::Announce(..) if !announced => {
                announced = true;
                Event::Notice(format!("phones on this network find it as {machine}"))
            }
            DaemonEvent::Error(error) if !failed => {
                failed = true;
                Event::Warning(Warning::NotHeard(error.to_string()))
            }
            _ => continue,
        };
        events.tell(event);
    }
}

/// What is said of a registry.
fn service(
    listening: SocketAddr,
    fingerprint: &str,
    machine: &str,
) -> Result<ServiceInfo, mdns_sd::Error> {
    // A name of its own, beside the one that the system may announce for the same machine.
    let host = format!("{machine}-ramal.local.");
    let said = [("v", VERSION), ("fp", fingerprint)];
    let port = listening.port();
    if listening.ip().is_unspecified() {
        // The machine's addresses, as they come and go.
        let info = ServiceInfo::new(SERVICE, machine, &host, "", port, &said[..])?;
        return Ok(info.enable_addr_auto());
    }
    ServiceInfo::new(SERVICE, machine, &host, listening.ip(), port, &said[..])
}

/// What this machine is called, as a label of DNS.
fn machine() -> String {
    label(&uname().nodename().to_string_lossy())
}

fn label(name: &str) -> String {
    let first = name.split('.').next().unwrap_or_default();
    let kept = first
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-');
    let label: String = kept.take(LABEL_BYTES_MAX).collect();
    match label.is_empty() {
        true => "registry".to_owned(),
        false => label,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_for_this_machine_only_is_announced_only_if_that_is_wanted() {
        let takes =
            |announce: Announce, listening: &str| announce.takes(listening.parse().unwrap());
        for everywhere in ["0.0.0.0:5000", "[::]:5000", "192.0.2.7:5000"] {
            assert!(takes(Announce::Auto, everywhere));
            assert!(!takes(Announce::Never, everywhere));
        }
        for here in ["127.0.0.1:5000", "[::1]:5000", "[::ffff:127.0.0.1]:5000"] {
            assert!(!takes(Announce::Auto, here));
            assert!(takes(Announce::Always, here));
        }
    }

    #[test]
    fn a_machine_is_called_by_a_label_whatever_its_name_is() {
        assert_eq!(label("tower"), "tower");
        assert_eq!(label("tower.example.org"), "tower");
        assert_eq!(label("my tower\n"), "mytower");
        assert_eq!(label(""), "registry");
        assert_eq!(label(&"x".repeat(255)).len(), LABEL_BYTES_MAX);
    }

    #[test]
    fn what_is_announced_is_name_port_and_fingerprint_and_nothing_of_its_users() {
        let listening = "192.0.2.7:5000".parse().unwrap();
        let info = service(listening, "abcd efgh", "tower").unwrap();
        assert_eq!(info.get_fullname(), "tower._ramal._tcp.local.");
        assert_eq!(info.get_port(), 5000);
        assert_eq!(info.get_property_val_str("fp"), Some("abcd efgh"));
        assert_eq!(info.get_property_val_str("v"), Some("0"));
        assert_eq!(info.get_properties().len(), 2);
        assert_eq!(info.get_addresses().len(), 1);
        let everywhere = "0.0.0.0:5000".parse().unwrap();
        let info = service(everywhere, "abcd efgh", "tower").unwrap();
        assert!(info.is_addr_auto() && info.get_addresses().is_empty());
    }
}
