//! What every store keeps in memory: who owns which name, and where it can be reached.
//!
//! One place joins the two, so that a registration is granted by both or changes neither, and
//! so that what ends an ownership ends its leases.

use std::time::Duration;

use codec::{IdentityKey, Name, registry::Refusal};

use super::Moment;
use crate::{
    limits::Limits,
    ownership::{Banned, Claims, Invite, KeyChange, Ownership, Recovery, Write},
    table::{Change, Ended, Registration, Renewal, Table},
};

/// Owned names and their leases.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) table: Table,
    pub(super) ownership: Ownership,
    claims: Claims,
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
        self.ownership.release(name, owner, at.time)?;
        Ok(self.table.end_all(name))
    }

    pub(super) fn change_key(
        &mut self,
        change: &KeyChange,
        at: Moment,
    ) -> Result<Vec<Ended>, Refusal> {
        self.check_frozen()?;
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
        self.ownership.invite(invite, at.time)
    }

    pub(super) fn expire(&mut self, at: Moment) -> Vec<Ended> {
        let ended = self.table.expire(at.now);
        self.free_unused(at);
        ended
    }

    fn free_unused(&mut self, at: Moment) {
        let table = &self.table;
        self.ownership
            .free_unused(|name| table.is_registered(name), at.time);
    }
}
