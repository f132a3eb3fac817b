//! A store that forgets everything when the program ends.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use codec::{
    DeviceId, Name,
    registry::{Page, Presence, Record, Refusal},
};

use crate::{
    limits::Limits,
    store::Store,
    table::{Change, ConnectionId, Ended, Registration, Renewal, Row, Table},
};

/// Names in memory.
#[derive(Debug)]
pub struct MemoryStore {
    table: Mutex<Table>,
}

impl MemoryStore {
    /// An empty store for at most `names_max` names.
    #[must_use]
    pub fn new(names_max: usize) -> Self {
        Self {
            table: Mutex::new(Table::new(names_max)),
        }
    }

    /// An empty store within `limits`.
    #[must_use]
    pub fn limited(limits: &Limits) -> Self {
        let Limits {
            names,
            devices_per_address,
            ..
        } = *limits;
        Self {
            table: Mutex::new(Table::limited(names, devices_per_address)),
        }
    }

    /// The lock is held for one operation of the map, never across an await. The table stays whole
    /// whatever panics around it, so a poisoned lock is taken all the same.
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    async fn register(&self, registration: Registration, now: Instant) -> Result<Change, Refusal> {
        self.table().register(registration, now)
    }

    async fn refresh(
        &self,
        renewal: Renewal,
        expires: Duration,
        now: Instant,
    ) -> Result<(), Refusal> {
        self.table().refresh(&renewal, expires, now)
    }

    async fn unregister(&self, renewal: Renewal, now: Instant) -> Result<ConnectionId, Refusal> {
        self.table().unregister(&renewal, now)
    }

    async fn publish(
        &self,
        name: &Name,
        device: DeviceId,
        connection: ConnectionId,
        presence: Presence,
        now: Instant,
    ) -> bool {
        self.table()
            .publish(name, device, connection, presence, now)
    }

    async fn lookup(&self, name: &Name, now: Instant) -> Result<Record, Refusal> {
        self.table().lookup(name, now).ok_or(Refusal::NotFound)
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&Name>,
        limit: usize,
        now: Instant,
    ) -> Result<Page, Refusal> {
        Ok(self.table().list(prefix, after, limit, now))
    }

    fn expire(&self, now: Instant) -> Vec<Ended> {
        self.table().expire(now)
    }

    fn rows(&self, limit: usize, now: Instant) -> (Vec<Row>, usize) {
        let table = self.table();
        (table.rows(limit, now), table.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn memory_conforms() {
        crate::store::conformance::run(MemoryStore::new).await;
    }
}
