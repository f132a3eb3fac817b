//! What an operator sees of names and says about them: taken, banned, invited. PURE.

use std::ops::Bound;

use codec::{IdentityKey, Name, UnixMillis, registry::Refusal};

use super::{Ban, Banned, Invite, Owner, Ownership, Write};

/// The most invite codes at a time.
pub const INVITES_MAX: usize = 10_000;

/// The most bans at a time.
pub const BANS_MAX: usize = 100_000;

impl Ownership {
    /// The owned names after the name `after` in its folded form, in folded order, each with that
    /// form.
    pub fn owners_after<'a>(
        &'a self,
        after: Option<&str>,
    ) -> impl Iterator<Item = (&'a str, &'a Owner)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let owners = self.owners.range::<str, _>((from, Bound::Unbounded));
        owners.map(|(key, held)| (key.as_str(), &held.owner))
    }

    /// The owned name with this folded form, and that form.
    #[must_use]
    pub fn owner_of(&self, folded: &str) -> Option<(&str, &Owner)> {
        let (key, held) = self.owners.get_key_value(folded)?;
        Some((key, &held.owner))
    }

    /// Takes a name from its owner: it is free at once. For the operator.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub fn take(&mut self, name: &Name) -> Result<(), Refusal> {
        let held = self.forget(name.folded()).ok_or(Refusal::NotFound)?;
        self.writes.push(Write::Taken(held.owner.name));
        Ok(())
    }

    /// Bans; whether it was not banned before. For the operator.
    ///
    /// # Errors
    /// [`Refusal::TooMany`] when there are [`BANS_MAX`].
    pub fn ban(&mut self, of: Banned, time: UnixMillis) -> Result<bool, Refusal> {
        if self.bans.contains_key(&of) {
            return Ok(false);
        }
        if self.bans.len() >= BANS_MAX {
            return Err(Refusal::TooMany);
        }
        self.bans.insert(of.clone(), time);
        self.writes.push(Write::Ban(Ban { of, since: time }));
        Ok(true)
    }

    /// Ends a ban. For the operator.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub fn unban(&mut self, of: &Banned) -> Result<(), Refusal> {
        self.bans.remove(of).ok_or(Refusal::NotFound)?;
        self.writes.push(Write::Unban(of.clone()));
        Ok(())
    }

    /// All bans.
    #[must_use]
    pub fn bans(&self) -> Vec<Ban> {
        let bans = self.bans.iter();
        let bans = bans.map(|(of, since)| (of.clone(), *since));
        bans.map(|(of, since)| Ban { of, since }).collect()
    }

    /// Whether an identity is banned.
    #[must_use]
    pub fn is_banned(&self, identity: &IdentityKey) -> bool {
        self.bans.contains_key(&Banned::Identity(*identity))
    }

    /// Whether the owner of a name is banned, or the name.
    #[must_use]
    pub fn is_served_no_more(&self, owner: &Owner) -> bool {
        // Most registries ban nobody.
        !self.bans.is_empty() && self.check_bans(&owner.name, &[owner.identity]).is_err()
    }

    /// Makes an invite code, in place of one with the same code. For the operator.
    ///
    /// # Errors
    /// [`Refusal::OutOfRange`] when it is for no name or has expired already,
    /// [`Refusal::TooMany`] when there are [`INVITES_MAX`].
    pub fn invite(&mut self, invite: Invite, time: UnixMillis) -> Result<(), Refusal> {
        if invite.uses_left == 0 || invite.expires_at <= time {
            return Err(Refusal::OutOfRange);
        }
        let writes = &mut self.writes;
        self.invites.retain(|_, known| {
            let valid = known.expires_at > time;
            if !valid {
                writes.push(Write::Uninvite(known.code.clone()));
            }
            valid
        });
        let known = self.invites.contains_key(invite.code.as_str());
        if self.invites.len() >= INVITES_MAX && !known {
            return Err(Refusal::TooMany);
        }
        self.keep_invite(invite.clone());
        self.writes.push(Write::Invite(invite));
        Ok(())
    }

    /// All invite codes that still count.
    #[must_use]
    pub fn invites(&self, time: UnixMillis) -> Vec<Invite> {
        let invites = self.invites.values();
        let valid = invites.filter(|invite| invite.expires_at > time);
        valid.cloned().collect()
    }
}
