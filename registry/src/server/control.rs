//! What an operator sees of a registry that runs, and may do with it.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use codec::{IdentityKey, registry::ClosingReason};

use super::{Pulse, Shared, traffic::Requests};
use crate::{
    event::Event,
    limits::Counters,
    store::{ConnectionId, Ended, Store},
};

/// A registry that runs, for its operator.
#[derive(Debug)]
pub struct Control<S>(Arc<Shared<S>>);

impl<S> Clone for Control<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// How a registry is.
#[derive(Debug, Clone, PartialEq)]
pub struct Stats {
    /// Since when it runs.
    pub uptime: Duration,
    /// Open connections.
    pub connections: usize,
    /// Identities that have one.
    pub identities: usize,
    /// Names with a lease.
    pub registered: usize,
    /// Requests, by kind.
    pub requests: Vec<Requests>,
}

impl<S: Store> Control<S> {
    pub(super) fn of(shared: &Arc<Shared<S>>) -> Self {
        Self(Arc::clone(shared))
    }

    /// Where it keeps its names.
    #[must_use]
    pub fn store(&self) -> &S {
        &self.0.store
    }

    /// How often each limit was reached.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.0.counters
    }

    /// Ends every connection of an identity, and says how many these are.
    #[must_use]
    pub fn end(&self, identity: &IdentityKey, reason: ClosingReason) -> usize {
        self.0.present.end(identity, reason)
    }

    /// Where a connection of an identity comes from, while it is open.
    #[must_use]
    pub fn peer(&self, identity: &IdentityKey, connection: ConnectionId) -> Option<SocketAddr> {
        self.0.present.peer(identity, connection)
    }

    /// What it did second by second, after the pulse with this number, the oldest first: at most
    /// the last [`PULSES_MAX`](super::PULSES_MAX).
    #[must_use]
    pub fn pulses_after(&self, number: u64) -> Vec<Pulse> {
        self.0.traffic.pulses_after(number)
    }

    /// Tells the connections and those who watch that these leases have ended.
    pub fn ended(&self, leases: Vec<Ended>) {
        self.0.end(leases, false);
    }

    /// Tells the log.
    pub fn tell(&self, event: Event) {
        self.0.events.tell(event);
    }

    /// How it is.
    #[must_use]
    pub fn stats(&self, now: Instant) -> Stats {
        let (_, registered) = self.0.store.rows(0, now);
        Stats {
            uptime: now.saturating_duration_since(self.0.started),
            connections: self.0.gate().len(),
            identities: self.0.present.len(),
            registered,
            requests: self.0.traffic.requests(now),
        }
    }
}
