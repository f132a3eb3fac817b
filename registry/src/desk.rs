//! The operator's desk: what can be seen of a registry that runs, and what can be done with it.
//!
//! The window of a registry uses it as it is, and `admin` hands it out on a socket. It may outlive
//! its registry; then every call is answered by [`Failed::Closed`].

use std::{
    fmt::{self, Display},
    net::SocketAddr,
    sync::{Arc, Mutex, Weak},
    time::Instant,
};

use codec::{IdentityKey, Name, UnixMillis, registry::Presence};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::{
    server::{Control, Pulse},
    store::{self, AnyStore, Banned, Moment, Row, Store},
};

mod act;
mod shown;
mod users;

use users::Order;
pub use users::{Query, Shown, Sort, USERS_AT_ONCE_MAX, Users};

/// The most invite codes that are made at once.
pub const INVITES_AT_ONCE_MAX: u32 = 1000;

/// The longest time that an invite code counts, in days.
pub const DAYS_MAX: u32 = 3650;

/// What an operator sees and does. Cheap to clone; all clones are of the same registry.
#[derive(Debug)]
pub struct Desk<S = AnyStore> {
    /// Whoever still asks does not keep a registry open, nor its folder.
    open: Weak<Open<S>>,
}

impl<S> Clone for Desk<S> {
    fn clone(&self) -> Self {
        let open = Weak::clone(&self.open);
        Self { open }
    }
}

#[derive(Debug)]
struct Open<S> {
    control: Control<S>,
    /// What a query for users found last.
    order: Mutex<Option<Arc<Order>>>,
    /// Dropped after the control: then nobody has the registry any more.
    _busy: mpsc::Sender<()>,
}

/// Keeps a desk open.
#[derive(Debug)]
pub struct Opened<S = AnyStore> {
    open: Arc<Open<S>>,
    idle: mpsc::Receiver<()>,
}

impl<S: Store> Opened<S> {
    /// Opens the desk of a registry.
    #[must_use]
    pub fn of(control: Control<S>) -> Self {
        let (busy, idle) = mpsc::channel(1);
        let open = Arc::new(Open {
            control,
            order: Mutex::default(),
            _busy: busy,
        });
        Self { open, idle }
    }

    /// A desk, which works until this is closed or dropped.
    #[must_use]
    pub fn desk(&self) -> Desk<S> {
        let open = Arc::downgrade(&self.open);
        Desk { open }
    }

    /// Answers nobody from now on, and waits for those who are being answered.
    pub async fn close(self) {
        let Self { open, mut idle } = self;
        drop(open);
        let _nobody = idle.recv().await;
    }
}

/// A name that is owned, and its phones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The name, as its owner typed it last.
    pub name: Name,
    /// The owner's key; in JSON in hexadecimal.
    #[serde(with = "shown::hexadecimal")]
    pub key: IdentityKey,
    /// The same in short.
    pub fingerprint: String,
    /// The owner is banned.
    pub banned: bool,
    /// Since when it is theirs.
    pub claimed_at: UnixMillis,
    /// When it was registered last, to the hour.
    pub used_at: UnixMillis,
    /// Its owner gave it up; it is free from then on.
    pub free_at: Option<UnixMillis>,
    /// The phones that are registered now, at most 8.
    pub devices: Vec<Device>,
}

impl User {
    /// How reachable they are, if they are registered at all.
    #[must_use]
    pub fn presence(&self) -> Option<Presence> {
        let devices = self.devices.iter().map(|device| device.presence);
        (!self.devices.is_empty()).then(|| Presence::of_all(devices))
    }
}

/// A phone that is registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Which one: the first 8 hexadecimal digits, which tell a person's few devices apart.
    pub id: String,
    /// Where it listens; none when it hides.
    pub contacts: Vec<SocketAddr>,
    /// How long ago it was registered, in seconds. Renewals do not count.
    pub since_s: u64,
    /// How long its lease still lasts, in seconds.
    pub lease_left_s: u16,
    /// Where the connection comes from that it holds. Without one it is called directly, and is
    /// gone when its lease ends.
    pub connection: Option<SocketAddr>,
    /// How reachable it says it is; busy is in a call.
    #[serde(with = "shown::presence")]
    pub presence: Presence,
    /// Not heard since the registry was started anew.
    pub unverified: bool,
}

/// A ban: of a name or of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ban {
    /// A name, if that is what is banned.
    pub name: Option<Name>,
    /// A key, if that is it; in JSON in hexadecimal.
    #[serde(with = "shown::hexadecimal_if_any")]
    pub key: Option<IdentityKey>,
    /// The key in short.
    pub fingerprint: Option<String>,
    /// Since when.
    pub since: UnixMillis,
}

/// An invite code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invite {
    /// The code.
    pub code: String,
    /// How many names it still gives.
    pub uses_left: u32,
    /// It counts before then.
    pub expires_at: UnixMillis,
}

/// How a registry is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// For how long it runs, in seconds.
    pub uptime_s: u64,
    /// Open connections.
    pub connections: usize,
    /// Identities that have one.
    pub identities: usize,
    /// Names that somebody owns.
    pub owned: usize,
    /// Names that are registered now.
    pub registered: usize,
    /// Requests by kind.
    pub requests: Vec<Requests>,
    /// How often each thing was counted since the start, under its word.
    pub counted: Vec<(String, u64)>,
}

/// Requests of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Requests {
    /// Which.
    pub kind: String,
    /// Since the start.
    pub all: u64,
    /// A second, over about the last minute.
    pub per_s: f64,
}

/// Whom or what an operator names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// Whoever has this key.
    Key(IdentityKey),
    /// The owner of a name.
    Owner {
        /// The name.
        name: Name,
        /// Their key.
        key: IdentityKey,
    },
    /// A name that nobody owns.
    Name(Name),
}

/// What was done. As text for whoever asked and for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// A name is free.
    Released(Name),
    /// Somebody or something is served no more.
    Banned {
        /// Who or what.
        of: Subject,
        /// So many connections were ended.
        connections: usize,
    },
    /// A ban has ended.
    Unbanned(Subject),
    /// Connections were ended; phones come back by themselves.
    Disconnected {
        /// Whose.
        of: Subject,
        /// How many.
        connections: usize,
    },
    /// Invite codes were made.
    Invited {
        /// The codes.
        codes: Vec<Invite>,
        /// How many names each gives.
        uses: u32,
    },
}

/// Why something could not be done. As text with the next step.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failed {
    /// The registry is closed.
    Closed,
    /// What was typed is no name.
    NoName {
        /// What was typed.
        typed: String,
        /// What is wrong with it.
        why: String,
    },
    /// What was typed is neither a key nor a name.
    Nobody {
        /// What was typed.
        typed: String,
        /// Why it is no name.
        why: String,
    },
    /// Nobody owns that.
    NotOwned(String),
    /// That is not banned.
    NotBanned(Subject),
    /// There are as many bans as are kept.
    TooManyBans,
    /// There are as many invite codes as are kept.
    TooManyInvites,
    /// 1 to [`INVITES_AT_ONCE_MAX`] codes are made at once.
    HowManyCodes,
    /// A code counts for 1 to [`DAYS_MAX`] days.
    HowManyDays,
    /// A code gives at least one name.
    HowManyUses,
    /// The registry cannot keep it: its disk fails, as its log says.
    NotKept(String),
    /// The machine gives no randomness, or something else failed in it.
    Machine(String),
}

impl<S: Store> Desk<S> {
    fn open(&self) -> Result<Arc<Open<S>>, Failed> {
        self.open.upgrade().ok_or(Failed::Closed)
    }

    /// Whether the registry is still open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open.strong_count() > 0
    }

    /// Who owns names and where they are, found and sorted.
    ///
    /// It looks at every name, a hundred at a time, on a thread of its own, so that the registry
    /// serves on meanwhile; `docs/benchmarks.md` has what that takes. What it found serves the same
    /// query with another offset for nine times as long as it took. Who a user is and where they
    /// are is always as it is now.
    ///
    /// # Errors
    /// [`Failed::Closed`], [`Failed::Machine`].
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn users(&self, query: Query) -> Result<Users, Failed> {
        let open = self.open()?;
        let look =
            tokio::task::spawn_blocking(move || users::users(&open.control, &open.order, &query));
        look.await
            .map_err(|error| Failed::Machine(error.to_string()))
    }

    /// One of them, if anybody owns the name.
    ///
    /// # Errors
    /// [`Failed::Closed`].
    pub fn user(&self, name: &Name) -> Result<Option<User>, Failed> {
        let open = self.open()?;
        Ok(users::user(&open.control, name, Instant::now()))
    }

    /// The first `limit` users whose names begin with `prefix`, after the name `after` in whatever
    /// form, in the order of names, and whether there are more. At most [`USERS_AT_ONCE_MAX`].
    ///
    /// # Errors
    /// [`Failed::Closed`].
    pub fn users_after(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<User>, bool), Failed> {
        let open = self.open()?;
        Ok(users::after(&open.control, prefix, after, limit))
    }

    /// How it is. Quick, whatever it holds.
    ///
    /// # Errors
    /// [`Failed::Closed`].
    pub fn stats(&self) -> Result<Stats, Failed> {
        let control = &self.open()?.control;
        let stats = control.stats(Instant::now());
        let (_, owned) = control.store().owners("", 0);
        let requests = stats.requests.into_iter().map(|it| Requests {
            kind: it.kind.to_owned(),
            all: it.all,
            per_s: it.per_s,
        });
        let counted = control.counters().all();
        Ok(Stats {
            uptime_s: stats.uptime.as_secs(),
            connections: stats.connections,
            identities: stats.identities,
            owned,
            registered: stats.registered,
            requests: requests.collect(),
            counted: counted
                .map(|(word, times)| (word.to_owned(), times))
                .collect(),
        })
    }

    /// What it did second by second, after the pulse with this number (0: all that are kept, those
    /// of the last 10 minutes), the oldest first. Quick, whatever it holds.
    ///
    /// # Errors
    /// [`Failed::Closed`].
    pub fn pulses_after(&self, number: u64) -> Result<Vec<Pulse>, Failed> {
        Ok(self.open()?.control.pulses_after(number))
    }

    /// The first `limit` devices in the order of their names, and how many names are registered.
    /// For the table that a terminal shows.
    ///
    /// # Errors
    /// [`Failed::Closed`].
    pub fn rows(&self, limit: usize, now: Instant) -> Result<(Vec<Row>, usize), Failed> {
        Ok(self.open()?.control.store().rows(limit, now))
    }

    /// How often each limit was reached, in one line.
    ///
    /// # Errors
    /// [`Failed::Closed`].
    pub fn counters(&self) -> Result<String, Failed> {
        Ok(self.open()?.control.counters().to_string())
    }

    /// All bans.
    ///
    /// # Errors
    /// [`Failed::Closed`].
    pub fn bans(&self) -> Result<Vec<Ban>, Failed> {
        let bans = self.open()?.control.store().bans().into_iter();
        Ok(bans.map(Ban::of).collect())
    }

    /// The invite codes that still count.
    ///
    /// # Errors
    /// [`Failed::Closed`].
    pub fn invites(&self) -> Result<Vec<Invite>, Failed> {
        let invites = self.open()?.control.store().invites(Moment::now());
        Ok(invites.iter().map(Invite::of).collect())
    }
}

impl Ban {
    fn of(ban: store::Ban) -> Self {
        let (name, key) = match ban.of {
            Banned::Name(name) => (Some(name), None),
            Banned::Identity(key) => (None, Some(key)),
        };
        let fingerprint = key.map(|key| key.fingerprint());
        Self {
            name,
            key,
            fingerprint,
            since: ban.since,
        }
    }
}

impl Invite {
    fn of(invite: &store::Invite) -> Self {
        Self {
            code: invite.code.as_str().to_owned(),
            uses_left: invite.uses_left,
            expires_at: invite.expires_at,
        }
    }
}

impl Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => write!(f, "the key {}", key.fingerprint()),
            Self::Owner { name, key } => {
                write!(f, "the owner of {name}, whose key is {}", key.fingerprint())
            }
            Self::Name(name) => write!(f, "the name {name}"),
        }
    }
}

impl Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Released(name) => write!(f, "released {name}: whoever claims it next has it"),
            Self::Banned { of, connections } => {
                write!(
                    f,
                    "banned {of}; ended {}",
                    counted(*connections, "connection")
                )
            }
            Self::Unbanned(of) => write!(f, "unbanned {of}"),
            Self::Disconnected { of, connections } => write!(
                f,
                "ended {} of {of}; phones come back by themselves",
                counted(*connections, "connection")
            ),
            Self::Invited { codes, uses } => {
                let each = if codes.len() == 1 { "" } else { " each" };
                let (codes, names) = (counted(codes.len(), "invite code"), counted(*uses, "name"));
                write!(f, "made {codes}, for {names}{each}")
            }
        }
    }
}

/// So many of something: `1 name`, `2 names`.
fn counted<N: Copy + Display + From<u8> + PartialEq>(count: N, what: &str) -> String {
    let ending = if count == N::from(1) { "" } else { "s" };
    format!("{count} {what}{ending}")
}

impl Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the registry is closed: open it again"),
            Self::NoName { typed, why } => write!(f, "{typed:?} is no name: {why}"),
            Self::Nobody { typed, why } => {
                write!(f, "{typed:?} is neither a key nor a name: {why}")
            }
            Self::NotOwned(what) => write!(f, "nobody owns {what}; see users"),
            Self::NotBanned(subject) => write!(f, "{subject} is not banned; see bans"),
            Self::TooManyBans => f.write_str("there are as many bans as are kept; see bans"),
            Self::TooManyInvites => {
                f.write_str("there are as many invite codes as are kept; see invites")
            }
            Self::HowManyCodes => write!(f, "1 to {INVITES_AT_ONCE_MAX} codes are made at once"),
            Self::HowManyDays => write!(f, "a code counts for 1 to {DAYS_MAX} days"),
            Self::HowManyUses => f.write_str("a code gives at least one name"),
            Self::NotKept(why) => f.write_str(why),
            Self::Machine(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Failed {}
