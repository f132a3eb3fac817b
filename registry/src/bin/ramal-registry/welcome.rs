//! What an operator wants to know at the start: what to give to others, and what to keep.

use std::{
    net::{IpAddr, SocketAddr},
    path::Path,
};

/// So many addresses are shown: a machine with containers has many.
const ADDRESSES_MAX: usize = 8;

/// Where the registry's key comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyIs {
    /// It was there.
    Kept,
    /// Nothing was there: this is the first start.
    First,
    /// Names were there and no key, so that a new one was made.
    Another,
}

/// What an operator has to know who did not mean to give the registry another key.
pub fn another_key(data: &Path) -> String {
    format!(
        "there was no key in {}, so it has made a new one: phones that know this registry stop \
         until their owner says ramal-phone registries forget HOST:PORT",
        data.display()
    )
}

/// The lines, in the order in which they are read.
pub fn lines(listening: SocketAddr, data: Option<&Path>, key: KeyIs) -> Vec<String> {
    let addresses = match listening.ip().is_unspecified() {
        true => own_addresses(listening.is_ipv6()),
        false => vec![listening.ip()],
    };
    let mut lines = vec![reachable(&addresses, listening.port())];
    match data {
        Some(data) if key == KeyIs::First => lines.push(format!(
            "this is its first start: it has made its key in {}; keep a copy of the folder, \
             phones know the registry by its key",
            data.display()
        )),
        Some(data) => lines.push(format!("what it keeps is in {}", data.display())),
        None => lines.push("it keeps nothing: the key is a new one at every start".to_owned()),
    }
    if let Some(data) = data {
        lines.push(format!(
            "to see and manage its users: ramal-registry admin --data {} users",
            data.display()
        ));
    }
    lines
}

fn reachable(addresses: &[IpAddr], port: u16) -> String {
    let shown = addresses.iter().take(ADDRESSES_MAX);
    let shown: Vec<String> = shown
        .map(|ip| SocketAddr::new(*ip, port).to_string())
        .collect();
    match addresses.iter().all(IpAddr::is_loopback) {
        true => format!("reachable from this machine only, at {}", shown.join(", ")),
        false => format!("phones reach it at {}", shown.join(", ")),
    }
}

/// This machine's addresses that others can reach, if it has any; else those that it has itself.
fn own_addresses(with_ipv6: bool) -> Vec<IpAddr> {
    let found = if_addrs::get_if_addrs().unwrap_or_default();
    let all = found.into_iter().map(|interface| interface.ip());
    let (loopback, others): (Vec<IpAddr>, Vec<IpAddr>) = all
        .filter(|ip| ip.is_ipv4() || with_ipv6)
        .filter(|ip| !is_link_local(ip))
        .partition(IpAddr::is_loopback);
    match others.is_empty() {
        true => loopback,
        false => others,
    }
}

fn is_link_local(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newcomer_is_told_what_to_give_to_others_and_what_to_keep() {
        let data = Path::new("/var/lib/ramal");
        let listening = "192.0.2.7:5000".parse().unwrap();
        let lines = lines(listening, Some(data), KeyIs::First);
        assert_eq!(lines[0], "phones reach it at 192.0.2.7:5000");
        assert!(lines[1].contains("first start") && lines[1].contains("/var/lib/ramal"));
        assert!(lines[2].ends_with("ramal-registry admin --data /var/lib/ramal users"));
    }

    #[test]
    fn only_a_first_start_is_called_one() {
        let listening = "192.0.2.7:5000".parse().unwrap();
        for key in [KeyIs::Kept, KeyIs::Another] {
            let lines = lines(listening, Some(Path::new("/var/lib/ramal")), key);
            assert_eq!(lines[1], "what it keeps is in /var/lib/ramal");
        }
    }

    #[test]
    fn a_registry_on_loopback_says_that_others_do_not_reach_it() {
        let lines = lines("127.0.0.1:5000".parse().unwrap(), None, KeyIs::First);
        assert_eq!(
            lines[0],
            "reachable from this machine only, at 127.0.0.1:5000"
        );
        assert!(lines[1].contains("keeps nothing"));
        assert_eq!(lines.len(), 2);
        // Whatever this machine has, something is shown for all of its addresses.
        assert!(!own_addresses(false).is_empty());
    }
}
