//! What an operator says about names: taken, banned, invited. PURE.

use codec::{IdentityKey, Name, UnixMillis, registry::Refusal};

use super::{Ban, Banned, Invite, Ownership, Write};

/// The most invite codes at a time.
pub const INVITES_MAX: usize = 10_000;

/// The most bans at a time.
pub const BANS_MAX: usize = 100_000;

impl Ownership {
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
