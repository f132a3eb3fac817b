//! Which connection reaches which device.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use codec::{
    DeviceId, Envelope, Name,
    registry::{ClosingReason, Refusal},
};

use super::outbox::{Outbox, Parcel, Room};
use crate::{
    limits::{Count, Counters, Limits, Source},
    table::ConnectionId,
};

/// Which connection reaches which device.
#[derive(Debug, Default)]
pub(super) struct Routes {
    names: Mutex<HashMap<Name, Vec<Route>>>,
    /// What envelopes that wait may take, and take.
    room: Arc<Room>,
}

#[derive(Debug)]
struct Route {
    device: DeviceId,
    connection: ConnectionId,
    outbox: Arc<Outbox>,
}

impl Routes {
    /// The lock is held for one operation of the map, never across an await.
    fn names(&self) -> MutexGuard<'_, HashMap<Name, Vec<Route>>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on `connection` reaches `device`; the one that did so before is told.
    pub(super) fn join(
        &self,
        name: &Name,
        device: DeviceId,
        connection: ConnectionId,
        outbox: Arc<Outbox>,
    ) {
        let mut names = self.names();
        let routes = names.entry(name.clone()).or_default();
        routes.retain(|route| {
            let same = route.device == device;
            if same && route.connection != connection {
                route.outbox.end(ClosingReason::Replaced);
            }
            !same
        });
        routes.push(Route {
            device,
            connection,
            outbox,
        });
    }

    /// `connection` no longer reaches `device`; another one may.
    pub(super) fn leave(&self, name: &Name, device: DeviceId, connection: ConnectionId) {
        let mut names = self.names();
        if let Some(routes) = names.get_mut(name) {
            routes.retain(|route| route.device != device || route.connection != connection);
            if routes.is_empty() {
                names.remove(name);
            }
        }
    }

    /// Hands an envelope to every connection of its receiver and says to how many. One that has
    /// too much waiting is passed over.
    ///
    /// # Errors
    /// [`Refusal::TooMany`] when too much waits for all connections together, in all or of what
    /// `source` has sent.
    pub(super) fn deliver(
        &self,
        envelope: Envelope,
        source: Source,
        limits: &Limits,
        counters: &Counters,
    ) -> Result<u8, Refusal> {
        let Some(parcel) = Parcel::new(envelope, source, &self.room, limits) else {
            counters.add(Count::EnvelopesDropped);
            return Err(Refusal::TooMany);
        };
        let parcel = Arc::new(parcel);
        let names = self.names();
        let routes = names.get(&parcel.envelope.to.name);
        let mut delivered = 0;
        for route in routes.into_iter().flatten() {
            if route.outbox.put(&parcel, limits) {
                delivered += 1;
            } else {
                counters.add(Count::EnvelopesDropped);
            }
        }
        Ok(delivered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_that_ended_takes_no_route_of_another_connection() {
        let (routes, bob) = (Routes::default(), "bob".parse().unwrap());
        let (device, old, new) = (DeviceId([1; 16]), ConnectionId(1), ConnectionId(2));
        let reaches = |connection| {
            let names = routes.names();
            let mut known = names.get(&bob).into_iter().flatten();
            known.any(|route| route.connection == connection)
        };
        routes.join(&bob, device, old, Arc::default());
        // The device is back before it was noticed that its lease had ended.
        routes.join(&bob, device, new, Arc::default());
        routes.leave(&bob, device, old);
        assert!(reaches(new) && !reaches(old));
        routes.leave(&bob, device, new);
        assert!(routes.names().is_empty());
    }
}
