//! Which connection reaches which device.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use codec::{
    DeviceId, Envelope, IdentityKey, Name,
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
    /// Whose connection it is. Whoever had the name before may still be on the way here.
    identity: IdentityKey,
    connection: ConnectionId,
    outbox: Arc<Outbox>,
}

impl Routes {
    /// The lock is held for one operation of the map, never across an await.
    fn names(&self) -> MutexGuard<'_, HashMap<Name, Vec<Route>>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on `connection` reaches `identity`'s `device`; the one that did so before is told.
    pub(super) fn join(
        &self,
        name: &Name,
        device: DeviceId,
        identity: IdentityKey,
        connection: ConnectionId,
        outbox: Arc<Outbox>,
    ) {
        let mut names = self.names();
        let routes = names.entry(name.clone()).or_default();
        routes.retain(|route| {
            let same = route.device == device && route.identity == identity;
            if same && route.connection != connection {
                route.outbox.end(ClosingReason::Replaced);
            }
            !same
        });
        routes.push(Route {
            device,
            identity,
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

    /// Hands an envelope to every connection of its receiver, of that name and identity, and says
    /// to how many. One that has too much waiting is passed over.
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
        let to = &parcel.envelope.to;
        let routes = names.get(&to.name).into_iter().flatten();
        let mut delivered = 0;
        for route in routes.filter(|route| route.identity == to.identity) {
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
    use codec::{
        Bytes, Identity, Party,
        envelope::{Address, EnvelopeId, Kind},
        greeting::Nonce,
        identity::AgreementSecret,
    };
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

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
        let key = IdentityKey([1; 32]);
        routes.join(&bob, device, key, old, Arc::default());
        // The device is back before it was noticed that its lease had ended.
        routes.join(&bob, device, key, new, Arc::default());
        routes.leave(&bob, device, old);
        assert!(reaches(new) && !reaches(old));
        routes.leave(&bob, device, new);
        assert!(routes.names().is_empty());
    }

    #[test]
    fn who_had_a_name_before_gets_nothing_of_who_has_it_now_however_late_they_join() {
        let (routes, bob) = (Routes::default(), "bob".parse::<Name>().unwrap());
        let (owner, thief) = (IdentityKey([1; 32]), IdentityKey([2; 32]));
        let (device, limits, counters) =
            (DeviceId([1; 16]), Limits::default(), Counters::default());
        let source = Source::from(std::net::IpAddr::from([127, 0, 0, 1]));
        let deliver = |to: IdentityKey| {
            let (sender, mut rng) = (
                Identity::from_secret(&[3; 32]),
                ChaCha20Rng::seed_from_u64(1),
            );
            let party = |name: &str, identity| Party {
                name: name.parse().unwrap(),
                identity,
            };
            let address = Address {
                from: party("alice", sender.key()),
                to: party("bob", to),
                id: EnvelopeId([1; 16]),
                kind: Kind::Signal,
            };
            let key = AgreementSecret::from_secret(&[4; 32]).key();
            let body: Bytes<9> = vec![1].try_into().unwrap();
            let sealed =
                Envelope::seal(&sender, address, &key, Nonce::NONE, 0, &body, &mut rng).unwrap();
            routes.deliver(sealed, source, &limits, &counters)
        };
        routes.join(&bob, device, owner, ConnectionId(1), Arc::default());
        // The same device number, so that the owner would be told that it was replaced.
        routes.join(&bob, device, thief, ConnectionId(2), Arc::default());
        assert_eq!(deliver(owner), Ok(1));
        routes.leave(&bob, device, ConnectionId(1));
        assert_eq!(deliver(owner), Ok(0));
    }
}
