//! The addresses of the peer: those that it tells of, and those that its packets come from.
//!
//! ICE never forgets an address that it was given once, so there is a limit to how many it is ever
//! given in a call, whatever the peer says.

use std::net::{IpAddr, SocketAddr};

use codec::signal::{Candidate, CandidateKind};

use crate::call::Moved;

/// So many addresses a peer may tell of in the course of a call; those beyond are left out.
const TOLD_MAX: usize = 64;

/// From so many others its packets may come in the course of a call; those beyond are not heard.
const FOUND_MAX: usize = 64;

/// What ICE takes an address to be worth from which packets come without a word about it: less than
/// one of the peer's own, more than one that somebody lends it (RFC 8445, 5.1.2).
const FOUND_PRIORITY: u32 = 110 << 24 | 0xffff << 8 | 0xff;

/// The addresses of one peer in one call.
#[derive(Debug, Default)]
pub(super) struct Remote {
    /// Those of its offer.
    offered: Vec<Candidate>,
    /// All that it has ever told of, and whether it still has them.
    told: Vec<(Candidate, Standing)>,
    /// Others that its packets came from.
    found: Vec<SocketAddr>,
    /// How often one was left out because there was no room.
    left_out: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    InUse,
    Gone,
}

/// What has become different.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) added: Vec<Candidate>,
    pub(super) gone: Vec<Candidate>,
}

impl Remote {
    /// Takes the candidates of the peer's offer, and tells which of them to use.
    pub(super) fn offered(&mut self, candidates: &[Candidate]) -> Vec<Candidate> {
        self.offered = candidates.to_vec();
        self.now_has(self.offered.clone()).added
    }

    /// Takes what is different from the offer by now. An address that came and went is in neither
    /// of the lists, so whatever is not in use by them is gone.
    pub(super) fn moved(&mut self, moved: &Moved) -> Change {
        let mut has = self.offered.clone();
        has.retain(|offered| !contains(&moved.removed, offered.addr));
        has.extend_from_slice(&moved.added);
        self.now_has(has)
    }

    fn now_has(&mut self, has: Vec<Candidate>) -> Change {
        let mut change = Change::default();
        for (candidate, standing) in &mut self.told {
            if *standing == Standing::InUse && !contains(&has, candidate.addr) {
                *standing = Standing::Gone;
                change.gone.push(*candidate);
            }
        }
        for candidate in has {
            let addr = candidate.addr;
            let room = self.told.len() < TOLD_MAX;
            match self.told.iter_mut().find(|(told, _)| told.addr == addr) {
                Some((_, Standing::InUse)) => continue,
                Some((_, standing)) => *standing = Standing::InUse,
                None if room && is_sendable(&addr) => {
                    self.told.push((candidate, Standing::InUse));
                }
                None => {
                    self.left_out += u64::from(!room);
                    continue;
                }
            }
            change.added.push(candidate);
        }
        change
    }

    /// Takes note that an authentic packet came from there. Says whether it may be heard.
    pub(super) fn heard_from(&mut self, source: SocketAddr) -> bool {
        let told = self.told.iter().any(|(told, _)| told.addr == source);
        if told || self.found.contains(&source) {
            return true;
        }
        let room = self.found.len() < FOUND_MAX;
        if room {
            self.found.push(source);
        } else {
            self.left_out += 1;
        }
        room
    }

    /// How often an address was left out because there was no room for it.
    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }

    /// All that there may be a path to.
    pub(super) fn in_use(&self) -> Vec<Candidate> {
        let told = self.told.iter().filter(|(_, at)| *at == Standing::InUse);
        let found = self.found.iter().filter(|&&addr| {
            let told = self.told.iter().any(|(told, _)| told.addr == addr);
            !told
        });
        let found = found.map(|&addr| Candidate {
            kind: CandidateKind::PeerReflexive,
            addr,
            priority: FOUND_PRIORITY,
        });
        told.map(|(candidate, _)| *candidate).chain(found).collect()
    }
}

fn contains(candidates: &[Candidate], addr: SocketAddr) -> bool {
    candidates.iter().any(|candidate| candidate.addr == addr)
}

/// Whether packets can be sent there at all.
fn is_sendable(addr: &SocketAddr) -> bool {
    let ip = addr.ip();
    let mapped = matches!(ip, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some());
    let broadcast = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
    addr.port() != 0 && !ip.is_unspecified() && !ip.is_multicast() && !broadcast && !mapped
}

#[cfg(test)]
mod tests {
    use codec::signal::Candidates;

    use super::*;

    fn at(number: u16) -> Candidate {
        Candidate {
            kind: CandidateKind::Host,
            addr: ([192, 0, 2, 1], 1000 + number).into(),
            priority: 1,
        }
    }

    fn moved(added: &[u16], removed: &[u16]) -> Moved {
        let list = |numbers: &[u16]| Candidates::first_of(numbers.iter().map(|&number| at(number)));
        Moved {
            added: list(added),
            removed: list(removed),
        }
    }

    #[test]
    fn an_address_that_came_and_went_is_gone_although_no_list_names_it() {
        let mut remote = Remote::default();
        assert_eq!(remote.offered(&[at(1), at(2)]), [at(1), at(2)]);
        let change = remote.moved(&moved(&[3], &[2]));
        assert_eq!((change.added, change.gone), (vec![at(3)], vec![at(2)]));
        let change = remote.moved(&moved(&[4], &[2]));
        assert_eq!((change.added, change.gone), (vec![at(4)], vec![at(3)]));
        assert_eq!(remote.in_use(), [at(1), at(4)]);
        // And back again.
        let change = remote.moved(&moved(&[], &[]));
        assert_eq!((change.added, change.gone), (vec![at(2)], vec![at(4)]));
        assert_eq!(remote.moved(&moved(&[], &[])), Change::default());
    }

    #[test]
    fn the_peer_cannot_make_the_lists_grow_without_end() {
        let mut remote = Remote::default();
        remote.offered(&[at(0)]);
        let mut added = 1;
        for number in 1..1_000 {
            let numbers: Vec<u16> = (0..16).map(|of| number * 16 + of).collect();
            added += remote.moved(&moved(&numbers, &[])).added.len();
            remote.heard_from(([192, 0, 2, 2], number).into());
        }
        assert_eq!(added, TOLD_MAX);
        assert_eq!(remote.told.len(), TOLD_MAX);
        assert_eq!(remote.found.len(), FOUND_MAX);
        let named = 1 + 999 * 16 - TOLD_MAX;
        let heard = 999 - FOUND_MAX;
        assert_eq!(remote.left_out(), (named + heard) as u64);
        // Those that are known are heard as before, others are not.
        assert!(remote.heard_from(at(0).addr));
        assert!(remote.heard_from(([192, 0, 2, 2], 1).into()));
        assert!(!remote.heard_from(([192, 0, 2, 3], 1).into()));
        // One that it told of before can come back.
        assert_eq!(remote.moved(&moved(&[], &[0])).gone, [at(0)]);
        assert_eq!(remote.moved(&moved(&[], &[])).added, [at(0)]);
    }

    #[test]
    fn an_address_that_packets_come_from_is_in_use_until_the_peer_says_that_it_is_gone() {
        let mut remote = Remote::default();
        remote.offered(&[at(1)]);
        assert!(remote.heard_from(at(2).addr));
        let in_use = |remote: &Remote| -> Vec<_> {
            let in_use = remote.in_use().into_iter();
            in_use.map(|candidate| candidate.addr).collect()
        };
        assert_eq!(in_use(&remote), [at(1).addr, at(2).addr]);
        remote.moved(&moved(&[2], &[1]));
        assert_eq!(in_use(&remote), [at(2).addr]);
        remote.moved(&moved(&[3], &[1]));
        assert_eq!(in_use(&remote), [at(3).addr]);
    }

    #[test]
    fn addresses_that_nothing_can_be_sent_to_are_left_out() {
        let mut remote = Remote::default();
        let hosts = [
            "0.0.0.0:9",
            "224.0.0.1:9",
            "255.255.255.255:9",
            "192.0.2.1:0",
        ];
        let more = ["[::]:9", "[ff02::1]:9", "[::ffff:192.0.2.1]:9"];
        let candidates = hosts.iter().chain(&more).map(|addr| Candidate {
            addr: addr.parse().unwrap(),
            ..at(0)
        });
        assert_eq!(remote.offered(&candidates.collect::<Vec<_>>()), []);
        assert_eq!(remote.in_use(), []);
    }
}
