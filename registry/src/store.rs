//! Where a registry keeps its names: one trait, one suite of tests that every store passes.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use codec::{
    DeviceId, Name,
    registry::{Page, Presence, Record, Refusal},
};

pub use crate::table::{Change, ConnectionId, Ended, Registration, Renewal, Row};

#[cfg(test)]
mod conformance;
pub mod memory;

pub use memory::MemoryStore;

/// Keeps names. What it has acknowledged it has kept, as far as it keeps anything.
///
/// A store that fails answers [`Refusal::Failed`] and says why in the log.
pub trait Store: Send + Sync + 'static {
    /// Registers a device and says what that changed.
    ///
    /// Refuses with [`Refusal::NameTaken`], [`Refusal::TooMany`], [`Refusal::Stale`].
    fn register(
        &self,
        registration: Registration,
        now: Instant,
    ) -> impl Future<Output = Result<Change, Refusal>> + Send;

    /// Lets a device's lease last `expires` from now.
    ///
    /// Refuses with [`Refusal::NotFound`], [`Refusal::NameTaken`], [`Refusal::Stale`].
    fn refresh(
        &self,
        renewal: Renewal,
        expires: Duration,
        now: Instant,
    ) -> impl Future<Output = Result<(), Refusal>> + Send;

    /// Ends a device's lease, and says by which connection it was taken or renewed last.
    ///
    /// Refuses with [`Refusal::NotFound`], [`Refusal::NameTaken`], [`Refusal::Stale`].
    fn unregister(
        &self,
        renewal: Renewal,
        now: Instant,
    ) -> impl Future<Output = Result<ConnectionId, Refusal>> + Send;

    /// Says how reachable somebody is by one device, and whether that changed what others see. A
    /// device that is gone, or another connection's by now, is passed over.
    fn publish(
        &self,
        name: &Name,
        device: DeviceId,
        connection: ConnectionId,
        presence: Presence,
        now: Instant,
    ) -> impl Future<Output = bool> + Send;

    /// Everything about a name.
    ///
    /// Refuses with [`Refusal::NotFound`].
    fn lookup(
        &self,
        name: &Name,
        now: Instant,
    ) -> impl Future<Output = Result<Record, Refusal>> + Send;

    /// At most `limit` names that begin with `prefix`, after the name `after`, in folded order.
    fn list(
        &self,
        prefix: &str,
        after: Option<&Name>,
        limit: usize,
        now: Instant,
    ) -> impl Future<Output = Result<Page, Refusal>> + Send;

    /// Ends every lease whose time is over, and returns these.
    fn expire(&self, now: Instant) -> Vec<Ended>;

    /// The first `limit` devices in the order of their names, and how many names there are.
    fn rows(&self, limit: usize, now: Instant) -> (Vec<Row>, usize);
}
