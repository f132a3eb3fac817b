//! Every limit of a registry that is not fixed by the wire, and how often each was reached.
//!
//! PURE. What one message may hold is fixed in `codec`: a frame, a name, contacts and devices of a
//! name, names on a page and in a watch. What waits to be written is bounded in `link`.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use codec::registry::EXPIRES_MAX_S;
use serde::{Deserialize, Serialize};

/// What a stranger may use of a registry. `docs/protocol.md` has what happens beyond each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections in all. One takes a file, 10 KB while it is idle, and up to about 0.3 MB if its
    /// peer is hostile.
    pub connections: usize,
    /// Connections from one [`Source`], so that no one machine takes them all. A household or an
    /// office behind one address has fewer phones than this.
    pub connections_per_address: usize,
    /// Connections a second from one source, after [`Limits::arrivals_burst`]: each costs the
    /// registry a signature.
    pub arrivals_per_s: u32,
    /// Connections at once from one source: more than [`Limits::connections_per_address`], so that
    /// all of them may come back together.
    pub arrivals_burst: u32,
    /// Connections that are turned away at the same time and told why. Those beyond are closed
    /// without a word, so that a flood of them costs nothing.
    pub turned_away: usize,
    /// The same for one source, so that a flood from one does not keep others from being told.
    pub turned_away_per_address: usize,
    /// How long a peer may take to say Hello: a slow link does it in a second or two.
    pub greeting: Duration,
    /// How long a connection without a lease may ask nothing: a program that waits for changes
    /// asks something more often.
    pub idle: Duration,
    /// How long a peer may take from the first byte of a frame to its last: the longest frame at
    /// 32 kbit/s takes 16 s.
    pub frame: Duration,
    /// How long a peer may take to read the next 16 KiB of what it was sent: about 4 kbit/s.
    pub unread: Duration,
    /// Units of work a second of one connection, after [`Limits::work_burst`]. A lookup is one
    /// unit, a checked signature 25. Who asks more is read more slowly.
    pub work_per_s: u32,
    /// Units of work that a connection may ask for at once: a phone that comes back, and a
    /// directory of some thousand names read page by page.
    pub work_burst: u32,
    /// Units of work a second of all connections of one source, those that have ended as well,
    /// after [`Limits::work_burst_per_address`]: 2 % to 3 % of a core.
    pub work_per_s_per_address: u32,
    /// Units of work that one source may ask for at once: an office whose phones come back.
    pub work_burst_per_address: u32,
    /// The longest lease that is granted, in seconds: who asks for a longer one is given this one.
    /// Less than 10 counts as that: see [`EXPIRES_MIN_S`](codec::registry::EXPIRES_MIN_S).
    pub lease_max_s: u16,
    /// Devices that one connection registers: more than a phone with several names needs.
    pub registrations: usize,
    /// Names that are owned: about 1 KB each, and as much again while one is registered.
    pub names: usize,
    /// Devices registered from one source: as many as its connections can register at once. Leases
    /// outlive connections, so without it one machine could take every name that is left.
    pub devices_per_address: usize,
    /// Connections that watch everybody: every change costs something for each.
    pub watchers_of_all: usize,
    /// The same from one source, so that no one machine is all of them.
    pub watchers_of_all_per_address: usize,
    /// Names watched by all connections together: up to about 750 bytes each, so 96 MB.
    pub watched: usize,
    /// The same by the connections of one source.
    pub watched_per_address: usize,
    /// Changed names that wait for one connection. Beyond it is told that it has missed some.
    pub changes: usize,
    /// Envelopes that wait for one connection: those of a call or two.
    pub envelopes: usize,
    /// Of these, the most from one identity, and from one source: so that others get through.
    pub envelopes_per_sender: usize,
    /// See [`Limits::envelopes_per_sender`].
    pub envelopes_per_address: usize,
    /// Bytes of envelopes that wait for all connections together.
    pub envelope_bytes: usize,
    /// Of these, the most from one source.
    pub envelope_bytes_per_address: usize,
    /// Bytes that the system keeps for one connection each way, so that peers that read nothing
    /// take a bounded part of its memory. The system doubles it.
    pub system_buffer: u32,
    /// How often things may be done before they are refused.
    pub rates: Rates,
    /// Who is shown which names are registered.
    pub directory: Directory,
}

/// Who may list names and watch everybody. A name that somebody knows is found in any case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Directory {
    /// Everyone.
    #[default]
    Open,
    /// Connections on which a name is registered.
    Members,
    /// Nobody.
    Closed,
}

/// So many times at once, and as many again over each period, spread evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// At least 1; 0 counts as 1.
    pub times: u32,
    /// More than nothing.
    pub period: Duration,
}

impl Rate {
    /// A rate of `times` in a minute.
    #[must_use]
    pub const fn a_minute(times: u32) -> Self {
        let period = Duration::from_secs(60);
        Self { times, period }
    }

    /// A rate of `times` in an hour.
    #[must_use]
    pub const fn an_hour(times: u32) -> Self {
        let period = Duration::from_secs(3600);
        Self { times, period }
    }

    /// A rate of `times` in a day.
    #[must_use]
    pub const fn a_day(times: u32) -> Self {
        let period = Duration::from_secs(24 * 3600);
        Self { times, period }
    }
}

/// How often things may be done before they are refused with the time to wait. These protect what
/// is scarce beside work: names, the secret of who has which, and people's peace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Phones of one identity that greet from one [`Source`]: a person's phones that come back
    /// together. A greeting is not signed, so from elsewhere it may be anybody's.
    pub greetings_per_identity: Rate,
    /// New names from one [`Source`]: an office of 100 phones is set up in a morning.
    pub claims_per_address: Rate,
    /// New names of one identity, which owns 5 at most.
    pub claims_per_identity: Rate,
    /// Guesses from one source on connections that hold no name: questions after names that nobody
    /// has, and requests about names that somebody else has. A person mistypes now and then.
    pub guesses_per_address: Rate,
    /// The same of one identity on connections that hold a name, so that a guesser behind the same
    /// address does not keep a phone from looking up its contacts.
    pub guesses_per_identity: Rate,
    /// The same of all such identities at one source: their names were claimed from there, or are
    /// brought from elsewhere.
    pub member_guesses_per_address: Rate,
    /// Signed requests about leases of one identity: 8 phones with 5 names each and the shortest
    /// lease make 8 a second.
    pub registrations_per_identity: Rate,
    /// Envelopes from one source: those of some ten identities.
    pub envelopes_per_address: Rate,
    /// Envelopes of one identity: a call takes about 10.
    pub envelopes_per_identity: Rate,
    /// Names given up, given to another key and taken back from one source.
    pub ownership_per_address: Rate,
    /// The same of one identity.
    pub ownership_per_identity: Rate,
    /// Recovery codes from one source that are not the name's.
    pub wrong_codes_per_address: Rate,
    /// So many sources and identities are counted apart for each rate; those beyond count as one.
    pub counted_apart: usize,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            greetings_per_identity: Rate::a_minute(240),
            claims_per_address: Rate::a_day(100),
            claims_per_identity: Rate::a_day(10),
            guesses_per_address: Rate::an_hour(500),
            guesses_per_identity: Rate::an_hour(200),
            member_guesses_per_address: Rate::an_hour(2000),
            registrations_per_identity: Rate::a_minute(1200),
            envelopes_per_address: Rate::a_minute(38 * 256),
            envelopes_per_identity: Rate::a_minute(600),
            ownership_per_address: Rate::an_hour(60),
            ownership_per_identity: Rate::an_hour(20),
            wrong_codes_per_address: Rate::an_hour(5),
            counted_apart: 32_768,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 20_000,
            connections_per_address: 256,
            arrivals_per_s: 200,
            arrivals_burst: 1024,
            turned_away: 64,
            turned_away_per_address: 8,
            greeting: Duration::from_secs(10),
            idle: Duration::from_secs(300),
            frame: Duration::from_secs(20),
            unread: Duration::from_secs(30),
            work_per_s: 500,
            work_burst: 2000,
            work_per_s_per_address: 16 * 256,
            work_burst_per_address: 160 * 256,
            lease_max_s: EXPIRES_MAX_S,
            registrations: 8,
            names: 1_000_000,
            devices_per_address: 8 * 256,
            watchers_of_all: 256,
            watchers_of_all_per_address: 16,
            watched: 131_072,
            watched_per_address: 64 * 256,
            changes: 1024,
            envelopes: 32,
            envelopes_per_sender: 12,
            envelopes_per_address: 24,
            envelope_bytes: 64 * 1024 * 1024,
            envelope_bytes_per_address: 4 * 1024 * 1024,
            system_buffer: 64 * 1024,
            rates: Rates::default(),
            directory: Directory::default(),
        }
    }
}

impl Limits {
    /// The same with another number of connections from one address, and what follows from it.
    #[must_use]
    pub fn per_address(self, connections: usize) -> Self {
        let times = |each: usize| {
            let all = connections.saturating_mul(each);
            u32::try_from(all).unwrap_or(u32::MAX)
        };
        Self {
            connections_per_address: connections,
            arrivals_burst: times(4).max(self.arrivals_burst),
            work_per_s_per_address: times(16).max(self.work_per_s_per_address),
            work_burst_per_address: times(160).max(self.work_burst_per_address),
            devices_per_address: connections.saturating_mul(self.registrations),
            watchers_of_all_per_address: (connections / 16).max(self.watchers_of_all_per_address),
            watched_per_address: connections.saturating_mul(64).max(self.watched_per_address),
            rates: Rates {
                envelopes_per_address: Rate::a_minute(
                    times(38).max(self.rates.envelopes_per_address.times),
                ),
                ..self.rates
            },
            ..self
        }
    }
}

/// Whom a limit of an address counts for: an IPv4 address, or the /64 of an IPv6 one, which is
/// what one household or one rented machine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Source(IpAddr);

impl From<IpAddr> for Source {
    fn from(ip: IpAddr) -> Self {
        Self(match ip.to_canonical() {
            IpAddr::V6(v6) => {
                let network = u128::from(v6) & !u128::from(u64::MAX);
                IpAddr::V6(Ipv6Addr::from(network))
            }
            v4 => v4,
        })
    }
}

/// A token bucket: so many units at once, and then so many a second.
#[derive(Debug, Clone, Copy)]
pub struct Bucket {
    /// When everything that was taken will have come back.
    full_at: Instant,
}

impl Bucket {
    /// A full bucket.
    #[must_use]
    pub fn full(now: Instant) -> Self {
        Self { full_at: now }
    }

    /// Takes `units`, even if there are fewer; then it owes them.
    pub fn take(&mut self, units: u32, per_s: u32, now: Instant) {
        let cost = time_of(units, per_s);
        self.full_at = self.full_at.max(now) + cost;
    }

    /// When it owes nothing: at the latest `now` if that is so.
    #[must_use]
    pub fn ready_at(&self, burst: u32, per_s: u32, now: Instant) -> Instant {
        let ready = self.full_at.checked_sub(time_of(burst, per_s));
        ready.unwrap_or(now).max(now)
    }

    /// Whether nothing is missing.
    #[must_use]
    pub fn is_full(&self, now: Instant) -> bool {
        self.full_at <= now
    }
}

fn time_of(units: u32, per_s: u32) -> Duration {
    Duration::from_secs(1) * units / per_s.max(1)
}

/// Something that a registry counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Count {
    /// Connections that were taken.
    Connections,
    /// Turned away: as many connections as it holds.
    Full,
    /// Turned away: as many connections from one address as it takes, or too fast.
    AddressFull,
    /// Turned away: plain frames from an unwanted address.
    PlainRefused,
    /// Turned away without a word.
    Unanswered,
    /// Ended: the first frame was no greeting, or one that is not accepted.
    BadGreeting,
    /// Ended: no greeting in time.
    LateGreeting,
    /// Ended: nothing was asked for too long.
    Idle,
    /// Ended: a frame was not finished in time.
    Incomplete,
    /// Ended: the peer does not read.
    SlowReader,
    /// Frames that were no request.
    BadFrames,
    /// Requests after which a connection was read more slowly.
    Slowed,
    /// Registrations refused for a limit: of the connection, the name, the address or in all.
    RegistrationsRefused,
    /// Watches refused for a limit.
    WatchesRefused,
    /// Connections told that they have missed changes.
    ChangesMissed,
    /// Envelopes not handed to a connection for which too much waits.
    EnvelopesDropped,
    /// Turned away: phones of one identity that greet too often.
    GreetingsTooFast,
    /// Refused: too many new names.
    ClaimsTooFast,
    /// Refused: too many names asked for that nobody has, or that somebody else has.
    GuessesTooFast,
    /// Refused: too many signed requests about leases.
    RegistrationsTooFast,
    /// Refused: too many envelopes.
    EnvelopesTooFast,
    /// Refused: too many changes of who owns a name, or wrong recovery codes.
    OwnershipTooFast,
    /// Counted with others, because as many sources or identities as are counted apart are known.
    CountedTogether,
    /// Refused: a directory that is not shown to this connection.
    DirectoryRefused,
    /// Turned away, ended or refused: banned by the operator.
    Banned,
}

impl Count {
    /// All of them, with the words under which they are shown.
    const ALL: [(Self, &'static str); 25] = [
        (Self::Connections, "connections"),
        (Self::Full, "full"),
        (Self::AddressFull, "address_full"),
        (Self::PlainRefused, "plain_refused"),
        (Self::Unanswered, "unanswered"),
        (Self::BadGreeting, "bad_greeting"),
        (Self::LateGreeting, "late_greeting"),
        (Self::Idle, "idle"),
        (Self::Incomplete, "incomplete"),
        (Self::SlowReader, "slow_reader"),
        (Self::BadFrames, "bad_frames"),
        (Self::Slowed, "slowed"),
        (Self::RegistrationsRefused, "registrations_refused"),
        (Self::WatchesRefused, "watches_refused"),
        (Self::ChangesMissed, "changes_missed"),
        (Self::EnvelopesDropped, "envelopes_dropped"),
        (Self::GreetingsTooFast, "greetings_too_fast"),
        (Self::ClaimsTooFast, "claims_too_fast"),
        (Self::GuessesTooFast, "guesses_too_fast"),
        (Self::RegistrationsTooFast, "registrations_too_fast"),
        (Self::EnvelopesTooFast, "envelopes_too_fast"),
        (Self::OwnershipTooFast, "ownership_too_fast"),
        (Self::CountedTogether, "counted_together"),
        (Self::DirectoryRefused, "directory_refused"),
        (Self::Banned, "banned"),
    ];
}

/// How often each thing happened since the registry started.
#[derive(Debug, Default)]
pub struct Counters([AtomicU64; Count::ALL.len()]);

impl Counters {
    /// It happened once more.
    pub fn add(&self, count: Count) {
        self.0[count as usize].fetch_add(1, Relaxed);
    }

    /// How often it happened.
    #[must_use]
    pub fn get(&self, count: Count) -> u64 {
        self.0[count as usize].load(Relaxed)
    }

    /// All of them, with the words under which they are shown.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Count::ALL
            .into_iter()
            .map(|(count, word)| (word, self.get(count)))
    }
}

impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (word, times)) in self.all().enumerate() {
            let space = if index == 0 { "" } else { " " };
            write!(f, "{space}{word}={times}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_at_once_and_then_its_rate() {
        let start = Instant::now();
        let mut bucket = Bucket::full(start);
        for _ in 0..10 {
            assert_eq!(bucket.ready_at(10, 5, start), start);
            bucket.take(1, 5, start);
        }
        assert_eq!(bucket.ready_at(10, 5, start), start);
        bucket.take(1, 5, start);
        let fifth = Duration::from_millis(200);
        assert_eq!(bucket.ready_at(10, 5, start), start + fifth);
        assert!(!bucket.is_full(start + fifth));
        assert!(bucket.is_full(start + 11 * fifth));
        bucket.take(1, 5, start + Duration::from_secs(60));
        assert!(bucket.is_full(start + Duration::from_secs(60) + fifth));
    }

    #[test]
    fn an_ipv6_network_is_one_source_and_mapped_ipv4_is_ipv4() {
        let source = |text: &str| Source::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(source("2001:db8::1"), source("2001:db8::ffff:0:0:9"));
        assert_ne!(source("2001:db8:0:1::1"), source("2001:db8::1"));
        assert_eq!(source("::ffff:10.0.0.1"), source("10.0.0.1"));
        assert_ne!(source("10.0.0.1"), source("10.0.0.2"));
    }

    #[test]
    fn every_count_has_its_own_place_and_word() {
        let counters = Counters::default();
        for (index, (count, _)) in Count::ALL.into_iter().enumerate() {
            assert_eq!(count as usize, index);
            (0..=index).for_each(|_| counters.add(count));
        }
        let shown = counters.to_string();
        assert!(shown.starts_with("connections=1 full=2 "), "{shown}");
        assert!(shown.ends_with("banned=25"), "{shown}");
    }

    #[test]
    fn more_connections_of_an_address_bring_what_they_need() {
        let limits = Limits::default().per_address(5000);
        assert_eq!(limits.devices_per_address, 40_000);
        assert!(limits.arrivals_burst >= 5000);
        // Each may register and look around when all come back.
        assert!(limits.work_burst_per_address >= 5000 * 100);
        assert_eq!(Limits::default().per_address(256), Limits::default());
    }
}
