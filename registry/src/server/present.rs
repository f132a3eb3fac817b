//! Which identities are here, and on which connections: so that an operator can end them.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use codec::{IdentityKey, registry::ClosingReason};

use super::outbox::Outbox;
use crate::table::ConnectionId;

/// A connection, where it comes from, and how to reach it.
type Here = (ConnectionId, SocketAddr, Arc<Outbox>);

/// The connections of phones, by identity: at most as many as there are connections.
#[derive(Debug, Default)]
pub(super) struct Present(Mutex<HashMap<IdentityKey, Vec<Here>>>);

impl Present {
    /// The lock is held for one operation of the map, never across an await.
    fn identities(&self) -> MutexGuard<'_, HashMap<IdentityKey, Vec<Here>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A phone of `identity` is on `connection`, which comes from `peer`, from now on.
    pub(super) fn join(
        &self,
        identity: IdentityKey,
        connection: ConnectionId,
        peer: SocketAddr,
        to: Arc<Outbox>,
    ) {
        let mut identities = self.identities();
        let here = identities.entry(identity).or_default();
        here.push((connection, peer, to));
    }

    /// Where a connection of `identity` comes from, while it is open.
    pub(super) fn peer(
        &self,
        identity: &IdentityKey,
        connection: ConnectionId,
    ) -> Option<SocketAddr> {
        let identities = self.identities();
        let here = identities.get(identity)?;
        let found = here.iter().find(|(known, ..)| *known == connection);
        found.map(|(_, peer, _)| *peer)
    }

    /// `connection` has ended.
    pub(super) fn leave(&self, identity: &IdentityKey, connection: ConnectionId) {
        let mut identities = self.identities();
        if let Some(here) = identities.get_mut(identity) {
            here.retain(|(known, ..)| *known != connection);
            if here.is_empty() {
                identities.remove(identity);
            }
        }
    }

    /// Ends every connection of `identity`, and says how many that are.
    pub(super) fn end(&self, identity: &IdentityKey, reason: ClosingReason) -> usize {
        let identities = self.identities();
        let here = identities.get(identity).map_or(&[][..], Vec::as_slice);
        here.iter().for_each(|(.., outbox)| outbox.end(reason));
        here.len()
    }

    /// How many identities are here.
    pub(super) fn len(&self) -> usize {
        self.identities().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::outbox::Delivery;

    #[test]
    fn every_connection_of_an_identity_ends_and_those_of_others_go_on() {
        let present = Present::default();
        let outboxes: Vec<Arc<Outbox>> = (0..3).map(|_| Arc::default()).collect();
        let peer = SocketAddr::from(([192, 0, 2, 7], 4000));
        let (alice, bob) = (IdentityKey([1; 32]), IdentityKey([2; 32]));
        for (connection, identity) in [(0, alice), (1, alice), (2, bob)] {
            let outbox = Arc::clone(&outboxes[connection]);
            let connection = ConnectionId(u64::try_from(connection).unwrap());
            present.join(identity, connection, peer, outbox);
        }
        assert_eq!(present.peer(&alice, ConnectionId(1)), Some(peer));
        assert_eq!(present.peer(&bob, ConnectionId(1)), None);
        assert_eq!(present.end(&alice, ClosingReason::Banned), 2);
        let ended = |at: usize| {
            let waits = outboxes[at].take(true);
            matches!(waits, Some(Delivery::Ended(ClosingReason::Banned)))
        };
        assert!(ended(0) && ended(1) && !ended(2));
        present.leave(&alice, ConnectionId(0));
        assert_eq!(present.end(&alice, ClosingReason::Banned), 1);
        present.leave(&alice, ConnectionId(1));
        assert_eq!(present.len(), 1);
    }
}
