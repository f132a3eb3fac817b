//! Where a registry keeps its names: one trait, one suite of tests that every store passes.

use std::{
    future::Future,
    time::{Duration, Instant, SystemTime},
};

use codec::{
    DeviceId, IdentityKey, Name, UnixMillis,
    registry::{Page, Presence, Record, Refusal},
};

pub use crate::{
    ownership::{Ban, Banned, Claims, Invite, KeyChange, Owner, Recovery},
    table::{Binding, Change, ConnectionId, Ended, Registration, Renewal, Row},
};

mod any;
mod clock;
#[cfg(test)]
mod conformance;
pub mod embedded;
pub mod memory;
mod names;

pub use any::AnyStore;
pub use embedded::EmbeddedStore;
pub use memory::MemoryStore;

/// A point in time by both clocks: leases go by the one that never jumps, and what outlives the
/// program by the one that all programs share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// By the clock that never jumps.
    pub now: Instant,
    /// By the machine's clock.
    pub time: UnixMillis,
}

impl Moment {
    /// This moment. The machine's clock is 1970 when it is before that.
    #[must_use]
    pub fn now() -> Self {
        let since = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            now: Instant::now(),
            time: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

/// A name that is owned, and what is registered under it, as an operator sees it.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The name in its folded form, by which names are in order.
    pub folded: &'a str,
    /// Whose it is.
    pub owner: &'a Owner,
    /// The owner is banned, or the name.
    pub banned: bool,
    /// The devices under it, with leases that have ended but were not told yet.
    pub devices: &'a [Binding],
}

/// Keeps names. What it has acknowledged it has kept, as far as it keeps anything: who owns a name,
/// bans and invite codes are on disk before anybody is told, where a store has a disk.
///
/// A store that fails answers [`Refusal::Failed`] and says why in the log.
pub trait Store: Send + Sync + 'static {
    /// Registers a device and says what that changed. Claims the name if nobody owns it.
    ///
    /// Refuses as [`check_claim`](crate::ownership::Ownership::check_claim), and with
    /// [`Refusal::TooMany`] and [`Refusal::Stale`].
    fn register(
        &self,
        registration: Registration,
        at: Moment,
    ) -> impl Future<Output = Result<Change, Refusal>> + Send;

    /// Lets a device's lease last `expires` from now.
    ///
    /// Refuses as [`check_owner`](crate::ownership::Ownership::check_owner), and with
    /// [`Refusal::NotFound`] and [`Refusal::Stale`].
    fn refresh(
        &self,
        renewal: Renewal,
        expires: Duration,
        at: Moment,
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

    /// Ends every lease whose time is over, and returns these. Frees names that were given up or
    /// unused for long enough.
    fn expire(&self, at: Moment) -> Vec<Ended>;

    /// Whether it freed no names at the last look because the machine's clock has jumped ahead.
    fn doubts_clock(&self) -> bool;

    /// Gives `owner`'s name up, and returns the leases that this ended.
    ///
    /// Refuses as [`release`](crate::ownership::Ownership::release).
    fn release(
        &self,
        name: Name,
        owner: IdentityKey,
        at: Moment,
    ) -> impl Future<Output = Result<Vec<Ended>, Refusal>> + Send;

    /// Gives a name to another identity of its owner, and returns the leases that this ended.
    ///
    /// Refuses as [`change_key`](crate::ownership::Ownership::change_key).
    fn change_key(
        &self,
        change: KeyChange,
        at: Moment,
    ) -> impl Future<Output = Result<Vec<Ended>, Refusal>> + Send;

    /// Gives a name to whoever has its recovery code, and returns the leases that this ended.
    ///
    /// Refuses as [`recover`](crate::ownership::Ownership::recover).
    fn recover(
        &self,
        recovery: Recovery,
        at: Moment,
    ) -> impl Future<Output = Result<Vec<Ended>, Refusal>> + Send;

    /// The first `limit` owned names that begin with `prefix`, in folded order, and how many names
    /// are owned in all.
    fn owners(&self, prefix: &str, limit: usize) -> (Vec<Owner>, usize);

    /// Shows `see` the next `most` owned names after the name `after` in its folded form, in folded
    /// order, and returns the last of them if there are more. Nothing else is done meanwhile, so
    /// few are asked for at a time, and `see` is quick. For the operator.
    fn walk(
        &self,
        after: Option<&str>,
        most: usize,
        see: &mut (dyn FnMut(Seen<'_>) + Send),
    ) -> Option<String>;

    /// Shows `see` the owned name with this folded form, if there is one. For the operator.
    fn see(&self, folded: &str, see: &mut (dyn FnMut(Seen<'_>) + Send));

    /// Takes a name from its owner, so that it is free at once, and returns the leases that this
    /// ended. For the operator.
    ///
    /// Refuses with [`Refusal::NotFound`].
    fn release_by_operator(
        &self,
        name: Name,
    ) -> impl Future<Output = Result<Vec<Ended>, Refusal>> + Send;

    /// Serves an identity or a name no more, and returns the leases that this ended; it keeps what
    /// it owns. To ban what is banned already changes nothing. For the operator.
    ///
    /// Refuses with [`Refusal::TooMany`].
    fn ban(
        &self,
        of: Banned,
        at: Moment,
    ) -> impl Future<Output = Result<Vec<Ended>, Refusal>> + Send;

    /// Ends a ban. For the operator.
    ///
    /// Refuses with [`Refusal::NotFound`].
    fn unban(&self, of: Banned) -> impl Future<Output = Result<(), Refusal>> + Send;

    /// All bans.
    fn bans(&self) -> Vec<Ban>;

    /// Whether an identity is banned.
    fn is_banned(&self, identity: &IdentityKey) -> bool;

    /// Makes an invite code. For the operator.
    ///
    /// Refuses with [`Refusal::OutOfRange`] and [`Refusal::TooMany`].
    fn invite(
        &self,
        invite: Invite,
        at: Moment,
    ) -> impl Future<Output = Result<(), Refusal>> + Send;

    /// All invite codes that still count.
    fn invites(&self, at: Moment) -> Vec<Invite>;

    /// The first `limit` devices in the order of their names, and how many names there are.
    fn rows(&self, limit: usize, now: Instant) -> (Vec<Row>, usize);
}
