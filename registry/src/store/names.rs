//! What every store keeps in memory: who owns which name, and where it can be reached.
//!
//! One place joins the two, so that a registration is granted by both or changes neither, and
//! so that what ends an ownership ends its leases. A store says only when what was done is kept
//! ([`KeepsNames`]), and is a [`Store`] by that.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use codec::{
    DeviceId, IdentityKey, Name,
    registry::{Page, Presence, Record, Refusal},
};

use super::{Moment, Seen, Store, clock::Clock};
use crate::{
    limits::Limits,
    ownership::{Ban, Banned, Claims, Invite, KeyChange, Owner, Ownership, Recovery, Write},
    table::{Change, ConnectionId, Ended, Registration, Renewal, Row, Table},
};

/// Owned names and their leases.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) table: Table,
    pub(super) ownership: Ownership,
    claims: Claims,
    clock: Clock,
    /// The machine's clock was not believed at the last look, so that no names were freed.
    doubts_clock: bool,
    /// Nothing that has to be kept can be, so nothing of that kind is done: what memory says is
    /// what will be kept.
    frozen: bool,
}

impl Names {
    /// No names.
    pub(super) fn new(limits: &Limits, claims: Claims) -> Self {
        Self {
            table: Table::limited(limits.names, limits.devices_per_address),
            ownership: Ownership::new(limits.names),
            claims,
            clock: Clock::default(),
            doubts_clock: false,
            frozen: false,
        }
    }

    /// Whether what has to be kept can be kept.
    pub(super) fn freeze(&mut self, frozen: bool) {
        self.frozen = frozen;
    }

    fn check_frozen(&self) -> Result<(), Refusal> {
        if self.frozen {
            return Err(Refusal::Failed);
        }
        Ok(())
    }

    /// What has to be written since this was last called.
    pub(super) fn take_writes(&mut self) -> Vec<Write> {
        self.ownership.take_writes()
    }

    pub(super) fn register(
        &mut self,
        registration: Registration,
        at: Moment,
    ) -> Result<Change, Refusal> {
        let at = self.look(at);
        self.free_unused(at);
        let Registration {
            name, card, claim, ..
        } = &registration;
        let checked = self
            .ownership
            .check_claim(name, card.identity, claim, self.claims, at.time);
        let grant = checked?;
        if grant.is_durable() {
            self.check_frozen()?;
        }
        let change = self.table.register(registration, at.now)?;
        self.ownership.grant(grant);
        Ok(change)
    }

    pub(super) fn refresh(
        &mut self,
        renewal: &Renewal,
        expires: Duration,
        at: Moment,
    ) -> Result<(), Refusal> {
        let at = self.look(at);
        let Renewal { name, identity, .. } = renewal;
        self.ownership.check_owner(name, identity, at.time)?;
        self.table.refresh(renewal, expires, at.now)?;
        self.ownership.use_name(name, at.time);
        Ok(())
    }

    pub(super) fn release(
        &mut self,
        name: &Name,
        owner: &IdentityKey,
        at: Moment,
    ) -> Result<Vec<Ended>, Refusal> {
        self.check_frozen()?;
        let at = self.look(at);
        self.ownership.release(name, owner, at.time)?;
        Ok(self.table.end_all(name))
    }

    pub(super) fn change_key(
        &mut self,
        change: &KeyChange,
        at: Moment,
    ) -> Result<Vec<Ended>, Refusal> {
        self.check_frozen()?;
        let at = self.look(at);
        self.ownership.change_key(change, at.time)?;
        // Also of who only changes the recovery code: their phones have to register, and hear if it
        // was not they who changed it.
        Ok(self.table.end_all(&change.name))
    }

    pub(super) fn recover(
        &mut self,
        recovery: &Recovery,
        at: Moment,
    ) -> Result<Vec<Ended>, Refusal> {
        self.check_frozen()?;
        let at = self.look(at);
        self.ownership.recover(recovery, at.time)?;
        Ok(self.table.end_all(&recovery.name))
    }

    pub(super) fn take(&mut self, name: &Name) -> Result<Vec<Ended>, Refusal> {
        self.check_frozen()?;
        self.ownership.take(name)?;
        Ok(self.table.end_all(name))
    }

    pub(super) fn ban(&mut self, of: Banned, at: Moment) -> Result<Vec<Ended>, Refusal> {
        self.check_frozen()?;
        let at = self.look(at);
        let names = match &of {
            Banned::Identity(identity) => self.ownership.names_of(identity),
            Banned::Name(name) => vec![name.clone()],
        };
        self.ownership.ban(of, at.time)?;
        let ended = names.iter().flat_map(|name| self.table.end_all(name));
        Ok(ended.collect())
    }

    pub(super) fn unban(&mut self, of: &Banned) -> Result<(), Refusal> {
        self.check_frozen()?;
        self.ownership.unban(of)
    }

    pub(super) fn invite(&mut self, invite: Invite, at: Moment) -> Result<(), Refusal> {
        self.check_frozen()?;
        let at = self.look(at);
        self.ownership.invite(invite, at.time)
    }

    pub(super) fn expire(&mut self, at: Moment) -> Vec<Ended> {
        let at = self.look(at);
        let ended = self.table.expire(at.now);
        self.free_unused(at);
        ended
    }

    fn walk(
        &self,
        after: Option<&str>,
        most: usize,
        see: &mut (dyn FnMut(Seen<'_>) + Send),
    ) -> Option<String> {
        let mut owners = self.ownership.owners_after(after);
        let mut last = None;
        for (folded, owner) in owners.by_ref().take(most) {
            last = Some(folded);
            see(self.seen(folded, owner));
        }
        owners.next().and(last).map(str::to_owned)
    }

    fn see(&self, folded: &str, see: &mut (dyn FnMut(Seen<'_>) + Send)) {
        if let Some((folded, owner)) = self.ownership.owner_of(folded) {
            see(self.seen(folded, owner));
        }
    }

    fn seen<'a>(&'a self, folded: &'a str, owner: &'a Owner) -> Seen<'a> {
        Seen {
            folded,
            owner,
            banned: self.ownership.is_served_no_more(owner),
            devices: self.table.bindings(folded),
        }
    }

    fn free_unused(&mut self, at: Moment) {
        if !self.doubts_clock {
            let table = &self.table;
            self.ownership
                .free_unused(|name| table.is_registered(name), at.time);
        }
    }

    /// The moment with the time that counts for what is kept.
    fn look(&mut self, at: Moment) -> Moment {
        let ownership = &self.ownership;
        let look = self.clock.look(at, || ownership.last_used());
        self.doubts_clock = look.doubted;
        look.at
    }
}

/// A store that has its names in memory, whatever else it has: that is all that a [`Store`] needs.
pub(super) trait KeepsNames: Send + Sync + 'static {
    /// Does something that nobody waits for until it is kept.
    fn names<T>(&self, act: impl FnOnce(&mut Names) -> T) -> T;

    /// Does something, to this name if to one, and answers when it is kept as far as this store
    /// keeps anything.
    fn settled<T: Send>(
        &self,
        name: Option<&Name>,
        act: impl FnOnce(&mut Names) -> Result<T, Refusal> + Send,
    ) -> impl Future<Output = Result<T, Refusal>> + Send;
}

impl<S: KeepsNames> Store for S {
    async fn register(&self, registration: Registration, at: Moment) -> Result<Change, Refusal> {
        let name = registration.name.clone();
        self.settled(Some(&name), |names| names.register(registration, at))
            .await
    }

    async fn refresh(
        &self,
        renewal: Renewal,
        expires: Duration,
        at: Moment,
    ) -> Result<(), Refusal> {
        self.settled(Some(&renewal.name), |names| {
            names.refresh(&renewal, expires, at)
        })
        .await
    }

    async fn unregister(&self, renewal: Renewal, now: Instant) -> Result<ConnectionId, Refusal> {
        self.settled(Some(&renewal.name), |names| {
            names.table.unregister(&renewal, now)
        })
        .await
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
        self.settled(Some(&name), |names| names.release(&name, &owner, at))
            .await
    }

    async fn change_key(&self, change: KeyChange, at: Moment) -> Result<Vec<Ended>, Refusal> {
        self.settled(Some(&change.name), |names| names.change_key(&change, at))
            .await
    }

    async fn recover(&self, recovery: Recovery, at: Moment) -> Result<Vec<Ended>, Refusal> {
        self.settled(Some(&recovery.name), |names| names.recover(&recovery, at))
            .await
    }

    fn doubts_clock(&self) -> bool {
        self.names(|names| names.doubts_clock)
    }

    fn owners(&self, prefix: &str, limit: usize) -> (Vec<Owner>, usize) {
        self.names(|names| {
            let ownership = &names.ownership;
            (ownership.owners(prefix, limit), ownership.len())
        })
    }

    fn walk(
        &self,
        after: Option<&str>,
        most: usize,
        see: &mut (dyn FnMut(Seen<'_>) + Send),
    ) -> Option<String> {
        self.names(|names| names.walk(after, most, see))
    }

    fn see(&self, folded: &str, see: &mut (dyn FnMut(Seen<'_>) + Send)) {
        self.names(|names| names.see(folded, see));
    }

    async fn release_by_operator(&self, name: Name) -> Result<Vec<Ended>, Refusal> {
        self.settled(Some(&name), |names| names.take(&name)).await
    }

    async fn ban(&self, of: Banned, at: Moment) -> Result<Vec<Ended>, Refusal> {
        self.settled(None, |names| names.ban(of, at)).await
    }

    async fn unban(&self, of: Banned) -> Result<(), Refusal> {
        self.settled(None, |names| names.unban(&of)).await
    }

    fn bans(&self) -> Vec<Ban> {
        self.names(|names| names.ownership.bans())
    }

    fn is_banned(&self, identity: &IdentityKey) -> bool {
        self.names(|names| names.ownership.is_banned(identity))
    }

    async fn invite(&self, invite: Invite, at: Moment) -> Result<(), Refusal> {
        self.settled(None, |names| names.invite(invite, at)).await
    }

    fn invites(&self, at: Moment) -> Vec<Invite> {
        self.names(|names| {
            let at = names.look(at);
            names.ownership.invites(at.time)
        })
    }
}
