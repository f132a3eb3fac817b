//! Finds and sorts the users of a registry, a few hundred names at a time, so that it serves on.

use std::{
    cmp::Ordering,
    fmt::Write,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use codec::{Name, fold, registry::Presence};

use super::{Device, User, shown::key_of};
use crate::{
    server::Control,
    store::{Binding, ConnectionId, Owner, Seen, Store},
};

/// The most users that are told at once.
pub const USERS_AT_ONCE_MAX: usize = 10_000;

/// So many names are looked at before others have their turn.
const WALK_AT_ONCE: usize = 128;

/// See [`Order`]: looking takes at most about a tenth of a core.
const SERVES_TIMES: u32 = 9;

/// Which users to tell, and in which order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Only those whose name contains this, however it is written; what looks like a part of an
    /// address also finds who listens there, and 64 hexadecimal digits whose key that is. Empty:
    /// all.
    pub text: String,
    /// Only these.
    pub shown: Shown,
    /// In the order of what. What is alike is in the order of names.
    pub sort: Sort,
    /// The other way round. Who has nothing to be sorted by comes last either way.
    pub descending: bool,
    /// Without so many first ones.
    pub offset: usize,
    /// At most so many, and never more than [`USERS_AT_ONCE_MAX`].
    pub limit: usize,
}

impl Default for Query {
    /// The first 100 of all, by name.
    fn default() -> Self {
        Self {
            text: String::new(),
            shown: Shown::All,
            sort: Sort::Name,
            descending: false,
            offset: 0,
            limit: 100,
        }
    }
}

/// Whom to show.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Shown {
    /// Everybody who owns a name.
    #[default]
    All,
    /// Who is registered.
    Registered,
    /// Who is not registered.
    Absent,
    /// Who is banned.
    Banned,
}

/// What users are sorted by. Who has several phones is sorted by the one that comes first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    /// The name, in its folded form.
    #[default]
    Name,
    /// The ip:port.
    Contact,
    /// How long ago they were registered, the latest first.
    Since,
    /// How long the lease still lasts, the shortest first.
    LeaseLeft,
    /// The device.
    Device,
    /// Where the connection comes from.
    Connection,
    /// Who is in a call, then who is available, then who is away.
    Presence,
    /// When the name was claimed, the earliest first.
    ClaimedAt,
}

/// What a [`Query`] found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Users {
    /// The users.
    pub users: Vec<User>,
    /// How many there are that the query would find without its offset and its limit.
    pub matching: usize,
    /// How many names are owned.
    pub owned: usize,
}

/// Who owns a name, if anybody does.
pub(super) fn owner<S: Store>(control: &Control<S>, name: &Name) -> Option<Owner> {
    // The name itself comes before all that only begin like it.
    let (owners, _) = control.store().owners(name.folded(), 1);
    owners.into_iter().find(|owner| owner.name == *name)
}

/// One user.
pub(super) fn user<S: Store>(control: &Control<S>, name: &Name, now: Instant) -> Option<User> {
    at(control, name.folded(), now)
}

/// See [`Desk::users_after`](super::Desk::users_after).
pub(super) fn after<S: Store>(
    control: &Control<S>,
    prefix: &str,
    after: Option<&str>,
    limit: usize,
) -> (Vec<User>, bool) {
    let (prefix, limit) = (fold(prefix), limit.min(USERS_AT_ONCE_MAX));
    let mut names = Vec::new();
    // What begins with the prefix comes after it, but for the prefix itself.
    let after = after.map(fold).filter(|after| *after >= prefix);
    if after.is_none() {
        let mut see = |seen: Seen<'_>| names.push(seen.folded.to_owned());
        control.store().see(&prefix, &mut see);
    }
    let mut from = Some(after.unwrap_or_else(|| prefix.clone()));
    while let Some(last) = from
        && names.len() <= limit
    {
        let mut beyond = false;
        let mut see = |seen: Seen<'_>| match seen.folded.starts_with(&prefix) {
            true => names.push(seen.folded.to_owned()),
            false => beyond = true,
        };
        let next = control.store().walk(Some(&last), WALK_AT_ONCE, &mut see);
        from = next.filter(|_| !beyond);
    }
    let (more, now) = (names.len() > limit, Instant::now());
    let first = names.iter().take(limit);
    (
        first.filter_map(|name| at(control, name, now)).collect(),
        more,
    )
}

/// What was found for a query, in its order. It costs a look at every name, so it serves for a
/// while to scroll through.
#[derive(Debug)]
pub(super) struct Order {
    query: Query,
    names: Vec<String>,
    owned: usize,
    found_at: Instant,
    /// For how long it serves: so many times what it took, so that looking takes a bounded part of
    /// a core however many names there are.
    serves: Duration,
}

impl Order {
    /// Whether it still answers this query, whatever part of it is wanted.
    fn answers(&self, query: &Query, now: Instant) -> bool {
        let of = |it: &Query| (it.shown, it.sort, it.descending);
        now.saturating_duration_since(self.found_at) < self.serves
            && of(&self.query) == of(query)
            && self.query.text == query.text
    }

    fn find<S: Store>(control: &Control<S>, query: &Query, now: Instant) -> Self {
        let wanted = Wanted::of(query);
        let (mut found, mut owned): (Vec<Found>, usize) = (Vec::new(), 0);
        let mut after: Option<String> = None;
        loop {
            let begin = found.len();
            let mut see = |seen: Seen<'_>| {
                owned += 1;
                if wanted.is(&seen, now) {
                    found.push(Found::of(&seen, query.sort, now));
                }
            };
            let store = control.store();
            after = store.walk(after.as_deref(), WALK_AT_ONCE, &mut see);
            // Where connections come from is looked up when the names are not held.
            for found in &mut found[begin..] {
                found.find_peer(control);
            }
            if after.is_none() {
                break;
            }
            // The lock is not fair: whoever waits for it has it now.
            thread::yield_now();
        }
        found.sort_unstable_by(|one, other| one.order(other, query.descending));
        Self {
            query: query.clone(),
            names: found.into_iter().map(|found| found.folded).collect(),
            owned,
            found_at: now,
            serves: now.elapsed() * SERVES_TIMES,
        }
    }
}

/// What a query finds; `known` is what was found last.
pub(super) fn users<S: Store>(
    control: &Control<S>,
    known: &Mutex<Option<Arc<Order>>>,
    query: &Query,
) -> Users {
    let now = Instant::now();
    let last = || known.lock().unwrap_or_else(PoisonError::into_inner);
    let serves = last().clone().filter(|order| order.answers(query, now));
    let order = serves.unwrap_or_else(|| {
        let order = Arc::new(Order::find(control, query, now));
        *last() = Some(Arc::clone(&order));
        order
    });
    let names = order.names.iter().skip(query.offset);
    let page = names.take(query.limit.min(USERS_AT_ONCE_MAX));
    Users {
        users: page.filter_map(|name| at(control, name, now)).collect(),
        matching: order.names.len(),
        owned: order.owned,
    }
}

/// The user with this name in its folded form.
fn at<S: Store>(control: &Control<S>, folded: &str, now: Instant) -> Option<User> {
    let mut user = None;
    let mut connections = Vec::new();
    let mut see = |seen: Seen<'_>| {
        let live = seen.devices.iter().filter(|device| device.ends > now);
        connections.extend(live.clone().map(|device| device.connection));
        let owner = seen.owner;
        user = Some((
            owner.identity,
            User {
                name: owner.name.clone(),
                key: owner.identity,
                fingerprint: String::new(),
                banned: seen.banned,
                claimed_at: owner.claimed_at,
                used_at: owner.used_at,
                free_at: owner.released_until,
                devices: live.map(|device| shown(device, now)).collect(),
            },
        ));
    };
    control.store().see(folded, &mut see);
    let (key, mut user) = user?;
    user.fingerprint = key.fingerprint();
    for (device, connection) in user.devices.iter_mut().zip(connections) {
        device.connection = control.peer(&key, connection);
    }
    Some(user)
}

/// A device without its connection.
fn shown(device: &Binding, now: Instant) -> Device {
    let lease_left = device.ends.saturating_duration_since(now).as_secs();
    Device {
        id: format!("{:?}", device.device),
        contacts: device.contacts.iter().map(|it| it.addr).collect(),
        since_s: now.saturating_duration_since(device.since).as_secs(),
        lease_left_s: u16::try_from(lease_left).unwrap_or(u16::MAX),
        connection: None,
        presence: device.presence,
        unverified: device.unverified,
    }
}

/// Whom a query is after.
struct Wanted {
    name: String,
    /// What is typed, if it may be a part of an address.
    address: Option<String>,
    key: Option<codec::IdentityKey>,
    shown: Shown,
}

impl Wanted {
    fn of(query: &Query) -> Self {
        let text = query.text.trim();
        let of_address = |letter: char| letter.is_ascii_hexdigit() || ".:[]".contains(letter);
        let address = text.contains(['.', ':']) && text.chars().all(of_address);
        Self {
            name: fold(text),
            address: address.then(|| text.to_ascii_lowercase()),
            key: key_of(text),
            shown: query.shown,
        }
    }

    fn is(&self, seen: &Seen<'_>, now: Instant) -> bool {
        let registered = || seen.devices.iter().any(|device| device.ends > now);
        let shown = match self.shown {
            Shown::All => true,
            Shown::Registered => registered(),
            Shown::Absent => !registered(),
            Shown::Banned => seen.banned,
        };
        shown
            && (seen.folded.contains(&self.name)
                || self.key == Some(seen.owner.identity)
                || self.is_at(seen.devices, now))
    }

    fn is_at(&self, devices: &[Binding], now: Instant) -> bool {
        let Some(address) = &self.address else {
            return false;
        };
        let live = devices.iter().filter(|device| device.ends > now);
        let mut text = String::new();
        live.flat_map(|device| &device.contacts).any(|contact| {
            text.clear();
            // Writing to a string does not fail.
            write!(text, "{}", contact.addr).is_ok() && text.contains(address.as_str())
        })
    }
}

/// Somebody who was found, and what they are sorted by.
struct Found {
    folded: String,
    by: Option<By>,
}

/// What somebody is sorted by. All of one query are of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    Number(u64),
    Address(SocketAddr),
    Device([u8; 16]),
    /// Whose connection it is, before it is looked where it comes from.
    Connection(codec::IdentityKey, ConnectionId),
}

impl Found {
    fn of(seen: &Seen<'_>, sort: Sort, now: Instant) -> Self {
        let live = seen.devices.iter().filter(|device| device.ends > now);
        let millis = |duration: Duration| {
            By::Number(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
        };
        let by = match sort {
            Sort::Name => None,
            Sort::Contact => {
                let contacts = live.flat_map(|device| device.contacts.first());
                contacts.map(|contact| By::Address(contact.addr)).min()
            }
            Sort::Since => live
                .map(|device| millis(now.saturating_duration_since(device.since)))
                .min(),
            Sort::LeaseLeft => live
                .map(|device| millis(device.ends.saturating_duration_since(now)))
                .min(),
            Sort::Device => live.map(|device| By::Device(device.device.0)).min(),
            Sort::Connection => live
                .map(|device| By::Connection(seen.owner.identity, device.connection))
                .min(),
            Sort::Presence => {
                let ranks = live.map(|device| match device.presence {
                    Presence::Busy => By::Number(0),
                    Presence::Available => By::Number(1),
                    _ => By::Number(2),
                });
                ranks.min()
            }
            Sort::ClaimedAt => Some(By::Number(seen.owner.claimed_at)),
        };
        Self {
            folded: seen.folded.to_owned(),
            by,
        }
    }

    /// Looks where the connection comes from: not while the names are held.
    fn find_peer<S: Store>(&mut self, control: &Control<S>) {
        if let Some(By::Connection(key, connection)) = self.by {
            self.by = control.peer(&key, connection).map(By::Address);
        }
    }

    fn order(&self, other: &Self, descending: bool) -> Ordering {
        let by = match (&self.by, &other.by) {
            (Some(one), Some(other)) if descending => other.cmp(one),
            (Some(one), Some(other)) => one.cmp(other),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) if descending => return other.folded.cmp(&self.folded),
            (None, None) => Ordering::Equal,
        };
        by.then_with(|| self.folded.cmp(&other.folded))
    }
}
