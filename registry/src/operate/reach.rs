//! Where others reach this machine.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::ADDRESSES_MAX;

/// Where a registry that listens there is reached.
pub(super) fn addresses(listening: SocketAddr) -> Vec<SocketAddr> {
    let ips = match listening.ip().is_unspecified() {
        true => own_addresses(listening.is_ipv6()),
        false => vec![listening.ip()],
    };
    let shown = ips.into_iter().take(ADDRESSES_MAX);
    shown
        .map(|ip| SocketAddr::new(ip, listening.port()))
        .collect()
}

/// This machine's addresses that others can reach, if it has any; else those that it has itself.
fn own_addresses(with_ipv6: bool) -> Vec<IpAddr> {
    let found = if_addrs::get_if_addrs().unwrap_or_default();
    let all = found.into_iter().map(|interface| interface.ip());
    let (loopback, others): (Vec<IpAddr>, Vec<IpAddr>) = all
        .filter(|ip| ip.is_ipv4() || with_ipv6)
        .filter(|ip| !is_link_local(ip))
        .partition(IpAddr::is_loopback);
    match (others.is_empty(), loopback.is_empty()) {
        (false, _) => others,
        (true, false) => loopback,
        // Nothing is up. This is what will be first.
        (true, true) => vec![Ipv4Addr::LOCALHOST.into()],
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
    fn something_is_shown_for_all_addresses_whatever_this_machine_has() {
        let everywhere = addresses("0.0.0.0:5000".parse().unwrap());
        assert!((1..=ADDRESSES_MAX).contains(&everywhere.len()));
        assert!(everywhere.iter().all(|addr| addr.port() == 5000));
        let one = "192.0.2.7:5001".parse().unwrap();
        assert_eq!(addresses(one), [one]);
    }
}
