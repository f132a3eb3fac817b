//! Which connection reaches which device.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use codec::{DeviceId, Envelope, Name};
use tokio::sync::mpsc::Sender;

/// What one connection hands to another.
#[derive(Debug)]
pub(super) enum Delivery {
    /// An envelope for a name that is registered there.
    Envelope(Arc<Envelope>),
    /// The device is registered on another connection now.
    Replaced,
}

/// Which connection reaches which device.
#[derive(Debug, Default)]
pub(super) struct Routes {
    names: Mutex<HashMap<Name, Vec<Route>>>,
}

#[derive(Debug)]
struct Route {
    device: DeviceId,
    connection: u64,
    sender: Sender<Delivery>,
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
        connection: u64,
        sender: Sender<Delivery>,
    ) {
        let mut names = self.names();
        let routes = names.entry(name.clone()).or_default();
        routes.retain(|route| {
            let same = route.device == device;
            if same && route.connection != connection {
                // A full queue means that it is stuck, and it will end as a slow reader.
                let _ = route.sender.try_send(Delivery::Replaced);
            }
            !same
        });
        routes.push(Route {
            device,
            connection,
            sender,
        });
    }

    /// `connection` no longer reaches `device`; another one may.
    pub(super) fn leave(&self, name: &Name, device: DeviceId, connection: u64) {
        self.remove(name, |route| {
            route.device == device && route.connection == connection
        });
    }

    /// `device` has no lease any more, whichever connection reaches it.
    pub(super) fn forget(&self, name: &Name, device: DeviceId) {
        self.remove(name, |route| route.device == device);
    }

    fn remove(&self, name: &Name, gone: impl Fn(&Route) -> bool) {
        let mut names = self.names();
        if let Some(routes) = names.get_mut(name) {
            routes.retain(|route| !gone(route));
            if routes.is_empty() {
                names.remove(name);
            }
        }
    }

    /// Hands an envelope to every connection of its receiver and says to how many. One that has
    /// too much waiting is passed over.
    pub(super) fn deliver(&self, envelope: &Arc<Envelope>) -> u8 {
        let names = self.names();
        let Some(routes) = names.get(&envelope.to.name) else {
            return 0;
        };
        let delivered = routes
            .iter()
            .filter(|route| {
                route
                    .sender
                    .try_send(Delivery::Envelope(Arc::clone(envelope)))
                    .is_ok()
            })
            .count();
        u8::try_from(delivered).unwrap_or(u8::MAX)
    }
}
