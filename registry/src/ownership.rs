//! Who owns which name, who may claim one, and who is served no more.
//!
//! PURE. It holds the facts that a registry must not lose. Each change of them is queued as a
//! [`Write`], so that one set of rules serves every store; a store gives them back with
//! [`Ownership::restore`] when it is opened again.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use codec::{
    IdentityKey, Name, RecoveryLock, UnixMillis,
    claim::{Claim, InviteCode, NAMES_OF_ONE_MAX, RECOVERABLE_MS, UNUSED_MAX_MS},
    fold,
    registry::Refusal,
};
use serde::{Deserialize, Serialize};

mod operator;

pub use operator::{BANS_MAX, INVITES_MAX};

/// The most recovery locks of before that a name keeps; a further change of key has to wait.
pub const EARLIER_LOCKS_MAX: usize = 8;

/// The most identities of before that are told that the key was changed.
const PREVIOUS_MAX: usize = 8;

/// How exact it is when a name was used last, in milliseconds: an hour.
const USED_EVERY_MS: u64 = 3600 * 1000;

/// Who may claim a name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Claims {
    /// Everybody.
    #[default]
    Open,
    /// Who brings an invite code.
    Invite,
    /// Nobody. Who owns a name keeps it.
    Closed,
}

/// Everything that is kept about a name that is owned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The name, as its owner typed it last.
    pub name: Name,
    /// Whose it is.
    pub identity: IdentityKey,
    /// What the recovery code opens.
    pub recovery: RecoveryLock,
    /// Locks that changes of key have replaced; at most [`EARLIER_LOCKS_MAX`].
    pub earlier: Vec<Until<RecoveryLock>>,
    /// Identities that are told that it was given to another key.
    pub previous: Vec<Until<IdentityKey>>,
    /// When it was claimed.
    pub claimed_at: UnixMillis,
    /// When it was registered last, to the hour.
    pub used_at: UnixMillis,
    /// Its owner gave it up, and until then it is kept for them.
    pub released_until: Option<UnixMillis>,
}

/// Something that holds for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Until<T> {
    /// What holds.
    pub what: T,
    /// It holds before then.
    pub until: UnixMillis,
}

impl Owner {
    /// From when on the name is free, if nobody uses it.
    #[must_use]
    pub fn free_at(&self) -> UnixMillis {
        let unused = self.used_at.saturating_add(UNUSED_MAX_MS);
        self.released_until.unwrap_or(unused)
    }

    /// Why somebody else is refused it.
    fn refusal(&self, identity: &IdentityKey, time: UnixMillis) -> Refusal {
        let mut previous = self.previous.iter();
        if previous.any(|it| it.what == *identity && it.until > time) {
            Refusal::KeyChanged
        } else {
            Refusal::NameTaken
        }
    }

    /// From `time` on it is `to`'s.
    fn give(&mut self, to: IdentityKey, time: UnixMillis) {
        self.previous
            .retain(|it| it.until > time && it.what != to && it.what != self.identity);
        if self.identity != to {
            let (what, until) = (self.identity, time.saturating_add(RECOVERABLE_MS));
            self.previous.push(Until { what, until });
        }
        let beyond = self.previous.len().saturating_sub(PREVIOUS_MAX);
        self.previous.drain(..beyond);
        self.identity = to;
        self.used_at = self.used_at.max(time);
    }
}

/// An invite code that an operator made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invite {
    /// The code.
    pub code: InviteCode,
    /// How many names may still be claimed with it; never 0.
    pub uses_left: u32,
    /// It counts before then.
    pub expires_at: UnixMillis,
}

/// What an operator serves no more.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Banned {
    /// Whoever has this key, under any name.
    Identity(IdentityKey),
    /// Whoever asks for this name.
    Name(Name),
}

/// A ban.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ban {
    /// Of what.
    pub of: Banned,
    /// Since when.
    pub since: UnixMillis,
}

/// A change of the facts, in the order in which they changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// A name is now so.
    Owner(Owner),
    /// The same, of which only the time of its last use is new: it may be lost.
    Used(Owner),
    /// A name is nobody's any more. It may be lost: time frees it again.
    Freed(Name),
    /// A name is nobody's any more because the operator says so.
    Taken(Name),
    /// An invite code is now so.
    Invite(Invite),
    /// An invite code is used up, has expired or was withdrawn.
    Uninvite(InviteCode),
    /// A ban.
    Ban(Ban),
    /// The end of one.
    Unban(Banned),
}

impl Write {
    /// Whether who asked for it is answered only when it is kept for good.
    #[must_use]
    pub fn is_durable(&self) -> bool {
        !matches!(self, Self::Used(_) | Self::Freed(_))
    }
}

/// What a claim will change when it is granted.
#[derive(Debug)]
#[must_use]
pub struct Grant {
    owner: Owner,
    invite: Option<InviteCode>,
    how: How,
}

impl Grant {
    /// Whether something has to be kept for good before anybody may be told.
    #[must_use]
    pub fn is_durable(&self) -> bool {
        self.how == How::Written
    }
}

#[derive(Debug, PartialEq, Eq)]
enum How {
    /// It was theirs already.
    Used,
    /// Something of it is new.
    Written,
}

/// A change of key that was signed by both identities.
#[derive(Debug, Clone)]
pub struct KeyChange {
    /// The name.
    pub name: Name,
    /// Whose it is.
    pub from: IdentityKey,
    /// Whose it is to be.
    pub to: IdentityKey,
    /// The lock of the next recovery code.
    pub recovery: RecoveryLock,
}

/// A recovery that was signed by the new identity.
#[derive(Debug, Clone)]
pub struct Recovery {
    /// The name.
    pub name: Name,
    /// Whose it is to be.
    pub to: IdentityKey,
    /// The lock that their code opens.
    pub opens: RecoveryLock,
    /// The lock of the next one.
    pub recovery: RecoveryLock,
}

/// The names that are owned, and what an operator has said.
#[derive(Debug)]
pub struct Ownership {
    owners: BTreeMap<String, Held>,
    /// Which name has this look.
    looks: HashMap<String, String>,
    /// How many names an identity has that it has not given up.
    names_of: HashMap<IdentityKey, usize>,
    /// When which name is free, the next one first.
    frees: BTreeSet<(UnixMillis, String)>,
    /// By their codes.
    invites: BTreeMap<String, Invite>,
    bans: BTreeMap<Banned, UnixMillis>,
    names_max: usize,
    writes: Vec<Write>,
}

#[derive(Debug)]
struct Held {
    owner: Owner,
    looks: [String; 2],
}

impl Ownership {
    /// Nobody owns anything; at most `names_max` names in all.
    #[must_use]
    pub fn new(names_max: usize) -> Self {
        Self {
            owners: BTreeMap::new(),
            looks: HashMap::new(),
            names_of: HashMap::new(),
            frees: BTreeSet::new(),
            invites: BTreeMap::new(),
            bans: BTreeMap::new(),
            names_max,
            writes: Vec::new(),
        }
    }

    /// What has changed since this was last called.
    #[must_use]
    pub fn take_writes(&mut self) -> Vec<Write> {
        std::mem::take(&mut self.writes)
    }

    /// Takes back what was written before.
    pub fn restore(&mut self, kept: Write) {
        match kept {
            Write::Owner(owner) | Write::Used(owner) => self.keep(owner),
            Write::Freed(name) | Write::Taken(name) => drop(self.forget(name.folded())),
            Write::Invite(invite) => self.keep_invite(invite),
            Write::Uninvite(code) => drop(self.invites.remove(code.as_str())),
            Write::Ban(Ban { of, since }) => drop(self.bans.insert(of, since)),
            Write::Unban(of) => drop(self.bans.remove(&of)),
        }
    }

    /// Whether `identity` may have `name`, which it claims if nobody owns it. Nothing changes
    /// before [`Ownership::grant`], which comes before any other change.
    ///
    /// # Errors
    /// [`Refusal::Banned`], [`Refusal::NameTaken`], [`Refusal::KeyChanged`],
    /// [`Refusal::ClaimsClosed`], [`Refusal::NotInvited`], [`Refusal::LooksTaken`],
    /// [`Refusal::TooManyNames`], [`Refusal::TooMany`].
    pub fn check_claim(
        &self,
        name: &Name,
        identity: IdentityKey,
        claim: &Claim,
        claims: Claims,
        time: UnixMillis,
    ) -> Result<Grant, Refusal> {
        self.check_bans(name, &[identity])?;
        let (mut invite, mut how) = (None, How::Written);
        let owner = if let Some(Held { owner, .. }) = self.owners.get(name.folded()) {
            if owner.identity != identity {
                return Err(owner.refusal(&identity, time));
            }
            // Who says who they are and brings an older lock has not changed it themselves: their
            // key was stolen, and the time in which their code still opens the name is running.
            let replaced = |it: &Until<_>| it.what == claim.recovery && it.until > time;
            if owner.recovery != claim.recovery && owner.earlier.iter().any(replaced) {
                return Err(Refusal::KeyChanged);
            }
            let mut owner = owner.clone();
            if owner.name.as_str() != name.as_str() {
                owner.name = name.clone();
                self.check_looks(name)?;
            } else if owner.released_until.is_none() {
                how = How::Used;
            }
            if owner.released_until.take().is_some() {
                // The lock stays: who has stolen a key does not get rid of it by giving up.
                self.check_room(&identity)?;
            }
            owner.used_at = owner.used_at.max(time);
            owner
        } else {
            invite = self.check_invited(claim, claims, time)?;
            self.check_looks(name)?;
            self.check_room(&identity)?;
            if self.owners.len() >= self.names_max {
                return Err(Refusal::TooMany);
            }
            Owner {
                name: name.clone(),
                identity,
                recovery: claim.recovery,
                earlier: Vec::new(),
                previous: Vec::new(),
                claimed_at: time,
                used_at: time,
                released_until: None,
            }
        };
        Ok(Grant { owner, invite, how })
    }

    /// Grants what was checked.
    pub fn grant(&mut self, grant: Grant) {
        let Grant { owner, invite, how } = grant;
        if how == How::Used {
            return self.use_name(&owner.name, owner.used_at);
        }
        if let Some(code) = invite {
            self.use_invite(&code);
        }
        self.write_owner(owner);
    }

    /// Whether `name` is still `identity`'s.
    ///
    /// # Errors
    /// [`Refusal::Banned`], [`Refusal::NotFound`], [`Refusal::NameTaken`], [`Refusal::KeyChanged`].
    pub fn check_owner(
        &self,
        name: &Name,
        identity: &IdentityKey,
        time: UnixMillis,
    ) -> Result<&Owner, Refusal> {
        self.check_bans(name, &[*identity])?;
        let held = self.owners.get(name.folded()).ok_or(Refusal::NotFound)?;
        if held.owner.identity != *identity {
            return Err(held.owner.refusal(identity, time));
        }
        if held.owner.released_until.is_some() {
            return Err(Refusal::NotFound);
        }
        Ok(&held.owner)
    }

    /// Notes that a name is in use.
    pub fn use_name(&mut self, name: &Name, time: UnixMillis) {
        let key = name.folded();
        let Some(Held { owner, .. }) = self.owners.get_mut(key) else {
            return;
        };
        if time < owner.used_at.saturating_add(USED_EVERY_MS) {
            return;
        }
        let before = owner.free_at();
        owner.used_at = time;
        self.frees.remove(&(before, key.to_owned()));
        self.frees.insert((owner.free_at(), key.to_owned()));
        self.writes.push(Write::Used(owner.clone()));
    }

    /// Gives a name up: for 72 h it is kept for its owner and their recovery code.
    ///
    /// # Errors
    /// As [`Ownership::check_owner`].
    pub fn release(
        &mut self,
        name: &Name,
        identity: &IdentityKey,
        time: UnixMillis,
    ) -> Result<(), Refusal> {
        let mut owner = self.check_owner(name, identity, time)?.clone();
        owner.released_until = Some(time.saturating_add(RECOVERABLE_MS));
        self.write_owner(owner);
        Ok(())
    }

    /// Gives a name to another identity of its owner.
    ///
    /// # Errors
    /// As [`Ownership::check_owner`]; [`Refusal::TooManyNames`] for the new identity,
    /// [`Refusal::TooFast`].
    pub fn change_key(&mut self, change: &KeyChange, time: UnixMillis) -> Result<(), Refusal> {
        let KeyChange {
            name,
            from,
            to,
            recovery,
        } = change;
        self.check_bans(name, &[*to])?;
        let mut owner = self.check_owner(name, from, time)?.clone();
        if from != to {
            self.check_room(to)?;
        }
        owner.earlier.retain(|lock| lock.until > time);
        if owner.earlier.len() >= EARLIER_LOCKS_MAX {
            let first = owner.earlier.iter().map(|lock| lock.until).min();
            let wait = first.unwrap_or(time).saturating_sub(time).div_ceil(1000);
            let retry_s = u32::try_from(wait).unwrap_or(u32::MAX);
            return Err(Refusal::TooFast { retry_s });
        }
        owner.earlier.push(Until {
            what: owner.recovery,
            until: time.saturating_add(RECOVERABLE_MS),
        });
        owner.recovery = *recovery;
        owner.give(*to, time);
        self.write_owner(owner);
        Ok(())
    }

    /// Gives a name to whoever has its recovery code, which is then used up.
    ///
    /// # Errors
    /// [`Refusal::Banned`], [`Refusal::NotFound`], [`Refusal::BadRecovery`],
    /// [`Refusal::OutOfRange`] when the next code is the same, [`Refusal::TooManyNames`].
    pub fn recover(&mut self, recovery: &Recovery, time: UnixMillis) -> Result<(), Refusal> {
        let Recovery {
            name,
            to,
            opens,
            recovery: next,
        } = recovery;
        let held = self.owners.get(name.folded()).ok_or(Refusal::NotFound)?;
        self.check_bans(name, &[*to, held.owner.identity])?;
        let mut owner = held.owner.clone();
        let opens_it = |lock: &Until<_>| lock.what == *opens && lock.until > time;
        let opened = match owner.recovery == *opens {
            true => Some(owner.earlier.len()),
            false => owner.earlier.iter().position(opens_it),
        };
        let opened = opened.ok_or(Refusal::BadRecovery)?;
        if next == opens {
            return Err(Refusal::OutOfRange);
        }
        if owner.identity != *to || owner.released_until.is_some() {
            self.check_room(to)?;
        }
        // Whoever changed the key later has no part in it any more; who had it before still has: a
        // thief does not get rid of the owner's code by using up one of their own.
        owner.earlier.truncate(opened);
        owner.recovery = *next;
        owner.released_until = None;
        owner.give(*to, time);
        self.write_owner(owner);
        Ok(())
    }

    /// Frees every name that was given up or unused for long enough, unless it is `in_use`.
    pub fn free_unused(&mut self, in_use: impl Fn(&Name) -> bool, time: UnixMillis) {
        while let Some((at, key)) = self.frees.first()
            && *at <= time
            && let Some(held) = self.owners.get(key)
        {
            let name = held.owner.name.clone();
            if held.owner.released_until.is_none() && in_use(&name) {
                self.use_name(&name, time);
            } else {
                self.forget(name.folded());
                self.writes.push(Write::Freed(name));
            }
        }
    }

    /// When a name was registered last, to the hour.
    #[must_use]
    pub fn last_used(&self) -> Option<UnixMillis> {
        self.owners.values().map(|held| held.owner.used_at).max()
    }

    /// How many names are owned.
    #[must_use]
    pub fn len(&self) -> usize {
        self.owners.len()
    }

    /// Whether no name is owned.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.owners.is_empty()
    }

    /// The first `limit` names that begin with `prefix`, in folded order.
    #[must_use]
    pub fn owners(&self, prefix: &str, limit: usize) -> Vec<Owner> {
        let prefix = fold(prefix);
        let from = self.owners.range(prefix.clone()..);
        let matching = from.take_while(|(key, _)| key.starts_with(&prefix));
        let owners = matching.map(|(_, held)| held.owner.clone());
        owners.take(limit).collect()
    }

    /// The names of one identity.
    #[must_use]
    pub fn names_of(&self, identity: &IdentityKey) -> Vec<Name> {
        let owners = self.owners.values().map(|held| &held.owner);
        let theirs = owners.filter(|owner| owner.identity == *identity);
        theirs.map(|owner| owner.name.clone()).collect()
    }

    fn check_bans(&self, name: &Name, identities: &[IdentityKey]) -> Result<(), Refusal> {
        let by_key = identities.iter().any(|identity| self.is_banned(identity));
        if by_key || self.bans.contains_key(&Banned::Name(name.clone())) {
            return Err(Refusal::Banned);
        }
        Ok(())
    }

    fn check_looks(&self, name: &Name) -> Result<(), Refusal> {
        let mut owners = name
            .looks()
            .into_iter()
            .filter_map(|it| self.looks.get(&it));
        if owners.any(|key| key != name.folded()) {
            return Err(Refusal::LooksTaken);
        }
        Ok(())
    }

    fn check_room(&self, identity: &IdentityKey) -> Result<(), Refusal> {
        let names = self.names_of.get(identity).copied().unwrap_or_default();
        if names >= NAMES_OF_ONE_MAX {
            return Err(Refusal::TooManyNames);
        }
        Ok(())
    }

    /// The invite code that a claim will use, if it needs one.
    fn check_invited(
        &self,
        claim: &Claim,
        claims: Claims,
        time: UnixMillis,
    ) -> Result<Option<InviteCode>, Refusal> {
        match (claims, &claim.invite) {
            (Claims::Open, _) => Ok(None),
            (Claims::Closed, _) => Err(Refusal::ClaimsClosed),
            (Claims::Invite, Some(code))
                if (self.invites.get(code.as_str())).is_some_and(|it| it.expires_at > time) =>
            {
                Ok(Some(code.clone()))
            }
            (Claims::Invite, _) => Err(Refusal::NotInvited),
        }
    }

    fn use_invite(&mut self, code: &InviteCode) {
        let Some(invite) = self.invites.get_mut(code.as_str()) else {
            return;
        };
        invite.uses_left = invite.uses_left.saturating_sub(1);
        if invite.uses_left > 0 {
            self.writes.push(Write::Invite(invite.clone()));
        } else {
            self.invites.remove(code.as_str());
            self.writes.push(Write::Uninvite(code.clone()));
        }
    }

    fn keep_invite(&mut self, invite: Invite) {
        self.invites.insert(invite.code.as_str().to_owned(), invite);
    }

    fn write_owner(&mut self, owner: Owner) {
        self.keep(owner.clone());
        self.writes.push(Write::Owner(owner));
    }

    /// Puts a name in all indexes, in place of what is known of it.
    fn keep(&mut self, owner: Owner) {
        let key = owner.name.folded().to_owned();
        self.forget(&key);
        let looks = owner.name.looks();
        for look in &looks {
            self.looks.insert(look.clone(), key.clone());
        }
        if owner.released_until.is_none() {
            *self.names_of.entry(owner.identity).or_default() += 1;
        }
        self.frees.insert((owner.free_at(), key.clone()));
        self.owners.insert(key, Held { owner, looks });
    }

    /// Takes a name out of all indexes.
    fn forget(&mut self, key: &str) -> Option<Held> {
        let held = self.owners.remove(key)?;
        for look in &held.looks {
            if self.looks.get(look).is_some_and(|of| of == key) {
                self.looks.remove(look);
            }
        }
        let owner = &held.owner;
        self.frees.remove(&(owner.free_at(), key.to_owned()));
        if owner.released_until.is_none()
            && let Some(names) = self.names_of.get_mut(&owner.identity)
        {
            *names -= 1;
            if *names == 0 {
                self.names_of.remove(&owner.identity);
            }
        }
        Some(held)
    }
}

#[cfg(test)]
mod tests;
