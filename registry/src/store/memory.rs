//! A store that forgets everything when the program ends.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use codec::{
    DeviceId, IdentityKey, Name,
    registry::{Page, Presence, Record, Refusal},
};

use super::names::Names;
use crate::{
    limits::Limits,
    ownership::{Ban, Banned, Claims, Invite, KeyChange, Owner, Recovery},
    store::{Moment, Store},
    table::{Change, ConnectionId, Ended, Registration, Renewal, Row},
};

/// Names in memory.
#[derive(Debug)]
pub struct MemoryStore {
    names: Mutex<Names>,
}

impl MemoryStore {
    /// An empty store for at most `names_max` names.
    #[must_use]
    pub fn new(names_max: usize) -> Self {
        Self::limited(&Limits {
            names: names_max,
            ..Limits::default()
        })
    }

    /// An empty store within `limits`.
    #[must_use]
    pub fn limited(limits: &Limits) -> Self {
        Self::claimed_by(limits, Claims::Open)
    }

    /// The same, where not everybody may claim a name.
    #[must_use]
    pub fn claimed_by(limits: &Limits, claims: Claims) -> Self {
        Self {
            names: Mutex::new(Names::new(limits, claims)),
        }
    }

    /// The lock is held for one operation, never across an await. The names stay whole whatever
    /// panics around them, so a poisoned lock is taken all the same. Nothing is written.
    fn names<T>(&self, act: impl FnOnce(&mut Names) -> T) -> T {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let done = act(&mut names);
        drop(names.take_writes());
        done
    }
}

impl Store for MemoryStore {
    async fn register(&self, registration: Registration, at: Moment) -> Result<Change, Refusal> {
        self.names(|names| names.register(registration, at))
    }

    async fn refresh(
        &self,
        renewal: Renewal,
        expires: Duration,
        at: Moment,
    ) -> Result<(), Refusal> {
        self.names(|names| names.refresh(&renewal, expires, at))
    }

    async fn unregister(&self, renewal: Renewal, now: Instant) -> Result<ConnectionId, Refusal> {
        self.names(|names| names.table.unregister(&renewal, now))
    }

    async fn publish(
        &self,
        name: &Name,
        device: DeviceId,
        connection: ConnectionId,
        presence: Presence,
        now: Instant,
    ) -> bool {
        self.names(|names| names.table.publish(name, device, connection, presence, now))
    }

    async fn lookup(&self, name: &Name, now: Instant) -> Result<Record, Refusal> {
        self.names(|names| names.table.lookup(name, now))
            .ok_or(Refusal::NotFound)
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&Name>,
        limit: usize,
        now: Instant,
    ) -> Result<Page, Refusal> {
        Ok(self.names(|names| names.table.list(prefix, after, limit, now)))
    }

    fn expire(&self, at: Moment) -> Vec<Ended> {
        self.names(|names| names.expire(at))
    }

    fn rows(&self, limit: usize, now: Instant) -> (Vec<Row>, usize) {
        self.names(|names| (names.table.rows(limit, now), names.table.len()))
    }

    async fn release(
        &self,
        name: Name,
        owner: IdentityKey,
        at: Moment,
    ) -> Result<Vec<Ended>, Refusal> {
        self.names(|names| names.release(&name, &owner, at))
    }

    async fn change_key(&self, change: KeyChange, at: Moment) -> Result<Vec<Ended>, Refusal> {
        self.names(|names| names.change_key(&change, at))
    }

    async fn recover(&self, recovery: Recovery, at: Moment) -> Result<Vec<Ended>, Refusal> {
        self.names(|names| names.recover(&recovery, at))
    }

    fn owners(&self, prefix: &str, limit: usize) -> (Vec<Owner>, usize) {
        self.names(|names| {
            let ownership = &names.ownership;
            (ownership.owners(prefix, limit), ownership.len())
        })
    }

    async fn release_by_operator(&self, name: Name) -> Result<Vec<Ended>, Refusal> {
        self.names(|names| names.take(&name))
    }

    async fn ban(&self, of: Banned, at: Moment) -> Result<Vec<Ended>, Refusal> {
        self.names(|names| names.ban(of, at))
    }

    async fn unban(&self, of: Banned) -> Result<(), Refusal> {
        self.names(|names| names.unban(&of))
    }

    fn bans(&self) -> Vec<Ban> {
        self.names(|names| names.ownership.bans())
    }

    fn is_banned(&self, identity: &IdentityKey) -> bool {
        self.names(|names| names.ownership.is_banned(identity))
    }

    async fn invite(&self, invite: Invite, at: Moment) -> Result<(), Refusal> {
        self.names(|names| names.invite(invite, at))
    }

    fn invites(&self, at: Moment) -> Vec<Invite> {
        self.names(|names| names.ownership.invites(at.time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn memory_conforms() {
        crate::store::conformance::run(MemoryStore::claimed_by).await;
    }
}
