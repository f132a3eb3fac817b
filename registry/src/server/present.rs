//! Which identities are here, and on which connections: so that an operator can end them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use codec::{IdentityKey, registry::ClosingReason};

use super::outbox::Outbox;
use crate::table::ConnectionId;

/// Connections, and how to reach each.
type Connections = Vec<(ConnectionId, Arc<Outbox>)>;

/// The connections of phones, by identity: at most as many as there are connections.
#[derive(Debug, Default)]
pub(super) struct Present(Mutex<HashMap<IdentityKey, Connections>>);

impl Present {
    /// The lock is held for one operation of the map, never across an await.
    fn identities(&self) -> MutexGuard<'_, HashMap<IdentityKey, Connections>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A phone of `identity` is on `connection` from now on.
    pub(super) fn join(&self, identity: IdentityKey, connection: ConnectionId, to: Arc<Outbox>) {
        let mut identities = self.identities();
        identities
            .entry(identity)
            .or_default()
            .push((connection, to));
    }

    /// `connection` has ended.
    pub(super) fn leave(&self, identity: &IdentityKey, connection: ConnectionId) {
        let mut identities = self.identities();
        if let Some(here) = identities.get_mut(identity) {
            here.retain(|(known, _)| *known != connection);
            if here.is_empty() {
                identities.remove(identity);
            }
        }
    }

    /// Ends every connection of `identity`, and says how many that are.
    pub(super) fn end(&self, identity: &IdentityKey, reason: ClosingReason) -> usize {
        let identities = self.identities();
        let here = identities.get(identity).map_or(&[][..], Vec::as_slice);
        here.iter().for_each(|(_, outbox)| outbox.end(reason));
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
        let (alice, bob) = (IdentityKey([1; 32]), IdentityKey([2; 32]));
        for (connection, identity) in [(0, alice), (1, alice), (2, bob)] {
            let outbox = Arc::clone(&outboxes[connection]);
            let connection = ConnectionId(u64::try_from(connection).unwrap());
            present.join(identity, connection, outbox);
        }
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
