//! A call's UDP sockets: one on each of this machine's addresses, which come and go.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    task::{Context, Poll},
};

use tokio::{io::ReadBuf, net::UdpSocket};

/// So many local addresses are offered.
const SOCKETS_MAX: usize = 8;

/// Open sockets: at most one on each address, at most 8.
#[derive(Debug)]
pub(super) struct Sockets {
    open: Vec<Socket>,
    /// Which of them is asked first for a datagram.
    first: usize,
}

#[derive(Debug)]
struct Socket {
    addr: SocketAddr,
    socket: UdpSocket,
}

/// How the addresses have changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Followed {
    pub(super) appeared: Vec<SocketAddr>,
    pub(super) gone: Vec<SocketAddr>,
}

impl Sockets {
    /// Opens a socket on each of `ips` on which that is possible.
    ///
    /// # Errors
    /// Those of the system, if it is possible on none.
    pub(super) fn open(ips: &[IpAddr]) -> io::Result<Self> {
        let mut sockets = Self {
            open: Vec::new(),
            first: 0,
        };
        sockets.follow(ips);
        if sockets.open.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::AddrNotAvailable,
                "no network address",
            ));
        }
        Ok(sockets)
    }

    pub(super) fn addrs(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        self.open.iter().map(|socket| socket.addr)
    }

    /// Opens sockets on those of `ips` that are new, and closes those on addresses that are not
    /// among them any more.
    pub(super) fn follow(&mut self, ips: &[IpAddr]) -> Followed {
        let mut followed = Followed::default();
        self.open.retain(|socket| {
            let stays = ips.contains(&socket.addr.ip());
            if !stays {
                followed.gone.push(socket.addr);
            }
            stays
        });
        for ip in ips {
            let known = self.open.iter().any(|socket| socket.addr.ip() == *ip);
            if known || self.open.len() >= SOCKETS_MAX {
                continue;
            }
            // An address that is just coming or going is no reason not to call.
            if let Ok(socket) = bind(*ip) {
                followed.appeared.push(socket.addr);
                self.open.push(socket);
            }
        }
        followed
    }

    /// Sends a datagram from one of the sockets. One that cannot be sent is one lost, which media
    /// is made for.
    pub(super) fn send(&self, from: SocketAddr, to: SocketAddr, datagram: &[u8]) {
        if let Some(socket) = self.open.iter().find(|socket| socket.addr == from) {
            let _ = socket.socket.try_send_to(datagram, to);
        }
    }

    /// Waits for a datagram on any of the sockets: how long it is, to which address it came, and
    /// from where. They take turns, so that no flood at one of them drowns the others.
    pub(super) fn poll_receive(
        &mut self,
        buffer: &mut [u8],
        cx: &mut Context<'_>,
    ) -> Poll<(usize, SocketAddr, SocketAddr)> {
        for turn in 0..self.open.len() {
            let index = (self.first + turn) % self.open.len();
            let Socket { addr, socket } = &self.open[index];
            let mut into = ReadBuf::new(buffer);
            match socket.poll_recv_from(cx, &mut into) {
                Poll::Ready(Ok(source)) => {
                    self.first = index + 1;
                    return Poll::Ready((into.filled().len(), *addr, source));
                }
                // Such as a port that refused an earlier packet; the socket is still good.
                Poll::Ready(Err(_)) => cx.waker().wake_by_ref(),
                Poll::Pending => {}
            }
        }
        Poll::Pending
    }

    /// Takes a datagram that waits at `addr`, if one does: how long it is, and from where.
    pub(super) fn try_receive(
        &self,
        addr: SocketAddr,
        buffer: &mut [u8],
    ) -> Option<(usize, SocketAddr)> {
        let socket = self.open.iter().find(|socket| socket.addr == addr)?;
        // Also an error, such as a port that refused an earlier packet, waits for another turn.
        socket.socket.try_recv_from(buffer).ok()
    }
}

fn bind(ip: IpAddr) -> io::Result<Socket> {
    let socket = std::net::UdpSocket::bind((ip, 0))?;
    socket.set_nonblocking(true)?;
    Ok(Socket {
        addr: socket.local_addr()?,
        socket: UdpSocket::from_std(socket)?,
    })
}

/// Tells which addresses this machine has at the moment.
#[derive(Clone)]
pub(super) struct Addresses(Arc<dyn Fn() -> io::Result<Vec<IpAddr>> + Send + Sync>);

impl Addresses {
    /// Those that `source` tells.
    pub(super) fn new(
        source: impl Fn() -> io::Result<Vec<IpAddr>> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(source))
    }

    /// Those that others may reach; loopback where there is no other; `only`, if there is one.
    pub(super) fn of_machine(only: Option<IpAddr>) -> Self {
        Self::new(move || match only {
            Some(only) => Ok(vec![only]),
            None => reachable(),
        })
    }

    /// The addresses now.
    ///
    /// # Errors
    /// Those of the system.
    pub(super) fn now(&self) -> io::Result<Vec<IpAddr>> {
        (self.0)()
    }
}

impl fmt::Debug for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Addresses")
    }
}

fn reachable() -> io::Result<Vec<IpAddr>> {
    let all: Vec<IpAddr> = if_addrs::get_if_addrs()?
        .into_iter()
        .map(|at| at.ip())
        .collect();
    let link_local = |ip: &IpAddr| matches!(ip, IpAddr::V4(v4) if v4.is_link_local());
    let mut reachable: Vec<IpAddr> = all
        .iter()
        .copied()
        .filter(|ip| !ip.is_loopback() && !link_local(ip))
        .collect();
    if reachable.is_empty() {
        reachable = all.into_iter().filter(IpAddr::is_loopback).collect();
    }
    reachable.truncate(SOCKETS_MAX);
    Ok(reachable)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[tokio::test]
    async fn sockets_follow_the_addresses_and_keep_those_that_stay() {
        let ip = |last| IpAddr::V4(Ipv4Addr::new(127, 0, 0, last));
        let mut sockets = Sockets::open(&[ip(1), ip(2)]).unwrap();
        let before: Vec<_> = sockets.addrs().collect();
        assert_eq!(sockets.follow(&[ip(1), ip(2)]), Followed::default());
        let followed = sockets.follow(&[ip(2), ip(3)]);
        assert_eq!(followed.gone, before[..1]);
        assert_eq!(followed.appeared[0].ip(), ip(3));
        let after: Vec<_> = sockets.addrs().collect();
        assert_eq!(after, [before[1], followed.appeared[0]]);
    }

    #[tokio::test]
    async fn a_flood_at_one_socket_does_not_drown_another() {
        let ip = |last| IpAddr::V4(Ipv4Addr::new(127, 0, 0, last));
        let mut sockets = Sockets::open(&[ip(1), ip(2), ip(3)]).unwrap();
        let own: Vec<_> = sockets.addrs().collect();
        let stranger = std::net::UdpSocket::bind((ip(1), 0)).unwrap();
        for to in [own[0], own[0], own[0], own[0], own[2], own[1]] {
            stranger.send_to(b"garbage", to).unwrap();
        }
        let mut buffer = [0; 16];
        let mut came = Vec::new();
        for _ in 0..4 {
            let receive = std::future::poll_fn(|cx| sockets.poll_receive(&mut buffer, cx));
            came.push(receive.await.1);
        }
        // Whatever was asked first while the datagrams came in, all had a turn among the first.
        for addr in own {
            assert!(came[..3].contains(&addr), "{came:?}");
        }
    }
}
