//! What happens in a registry, for its log, its printed table and its window.

use std::{
    fmt,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
};

use codec::{
    Envelope, Name,
    claim::{ChangeKey, Recover, Release},
    greeting::{Answer, Hello, Role, Welcome},
    registry::{FromRegistry, Method, Notice, Request, Response, Success, Watch},
};

/// How many events may wait for whoever reads them; what comes beyond is dropped and counted.
pub const EVENTS_MAX: usize = 8192;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// What the registry is known by to those who have met it.
    Key {
        /// Of its long-term key.
        fingerprint: String,
    },
    /// The registry takes connections.
    Listening {
        /// Where.
        addr: SocketAddr,
    },
    /// Somebody connected.
    Connected {
        /// From where.
        peer: SocketAddr,
    },
    /// A connection ended.
    Disconnected {
        /// From where it came.
        peer: SocketAddr,
        /// Why it ended.
        why: String,
    },
    /// A message came in.
    Received {
        /// From whom.
        peer: SocketAddr,
        /// What it says, without its secrets.
        message: String,
    },
    /// A message went out.
    Sent {
        /// To whom.
        peer: SocketAddr,
        /// What it says, without its secrets.
        message: String,
    },
    /// A device was added to the table.
    Added {
        /// Under which name.
        name: Name,
    },
    /// A device left the table, because it said so or because its lease ended.
    Removed {
        /// Under which name.
        name: Name,
        /// Its lease ended.
        expired: bool,
    },
    /// How often each limit was reached, because somebody asked or the registry stops.
    Counters(String),
    /// What the operator had done.
    Operator(String),
    /// What an operator wants to know at the start.
    Notice(String),
    /// Something is wrong that the operator can mend.
    Warning(String),
}

/// Takes events and never waits.
#[derive(Debug, Clone)]
pub struct Events {
    queue: SyncSender<Event>,
    dropped: Arc<AtomicU64>,
}

impl Events {
    /// A bounded queue of events.
    #[must_use]
    pub fn channel() -> (Self, Receiver<Event>) {
        let (queue, events) = sync_channel(EVENTS_MAX);
        (
            Self {
                queue,
                dropped: Arc::default(),
            },
            events,
        )
    }

    /// Tells what happened, or counts it as dropped when nobody reads fast enough.
    pub fn tell(&self, event: Event) {
        if self.queue.try_send(event).is_err() {
            self.dropped.fetch_add(1, Relaxed);
        }
    }

    /// Where dropped events are counted.
    #[must_use]
    pub fn dropped(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.dropped)
    }
}

/// A message in one line, without signatures, keys or sealed bytes.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a, T>(pub &'a T);

impl fmt::Display for Line<'_, Hello> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.role {
            Role::Client => write!(f, "Hello {}", self.0.agent.as_str()),
            Role::Phone(phone) => {
                write!(
                    f,
                    "Hello {} identity={:?}",
                    self.0.agent.as_str(),
                    phone.card.identity
                )
            }
        }
    }
}

impl fmt::Display for Line<'_, Answer> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.welcome {
            Ok(Welcome::Registry(welcome)) => write!(f, "Welcome observed={}", welcome.observed),
            Ok(Welcome::Phone(_)) => f.write_str("Welcome"),
            Err(reason) => write!(f, "Unwelcome {reason:?}"),
        }
    }
}

impl fmt::Display for Line<'_, Request> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:?} ", self.0.id)?;
        match &self.0.method {
            Method::Register(register) => write!(
                f,
                "Register {} device={:?} contacts={:?} expires={}s cseq={}",
                register.name,
                register.device,
                &register.contacts[..],
                register.expires_s,
                register.cseq
            ),
            Method::Refresh(refresh) => write!(
                f,
                "Refresh {} device={:?} expires={}s cseq={}",
                refresh.name, refresh.device, refresh.expires_s, refresh.cseq
            ),
            Method::Unregister(unregister) => write!(
                f,
                "Unregister {} device={:?} cseq={}",
                unregister.name, unregister.device, unregister.cseq
            ),
            Method::Lookup { name } => write!(f, "Lookup {name}"),
            Method::List {
                prefix,
                after,
                limit,
            } => {
                write!(
                    f,
                    "List prefix={:?} after={after:?} limit={limit}",
                    prefix.as_str()
                )
            }
            Method::Send { envelope, ttl_s } => {
                write!(f, "Send {} ttl={ttl_s}s", Line(envelope))
            }
            Method::Release(Release { name, cseq, .. }) => write!(f, "Release {name} cseq={cseq}"),
            Method::ChangeKey(ChangeKey { name, to, cseq, .. }) => {
                write!(f, "ChangeKey {name} to={to:?} cseq={cseq}")
            }
            Method::Recover(Recover { name, cseq, .. }) => write!(f, "Recover {name} cseq={cseq}"),
            Method::Watch(Watch::Names(names)) => write!(f, "Watch names={}", names.len()),
            other => write!(f, "{other:?}"),
        }
    }
}

impl fmt::Display for Line<'_, Envelope> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Envelope {
            from, to, id, kind, ..
        } = self.0;
        let bytes = self.0.sealed_len();
        write!(
            f,
            "{kind:?} {id:?} from={} to={} sealed={bytes}",
            from.name, to.name
        )
    }
}

impl fmt::Display for Line<'_, FromRegistry> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            FromRegistry::Response(Response {
                id,
                result: Ok(success),
            }) => {
                write!(f, "#{id:?} ")?;
                match success {
                    Success::Found(record) => {
                        let contacts = record.entry.contacts();
                        write!(f, "Found {} contacts={contacts:?}", record.entry.name)
                    }
                    Success::Page(page) => {
                        write!(f, "Page names={} more={}", page.entries.len(), page.more)
                    }
                    other => write!(f, "{other:?}"),
                }
            }
            FromRegistry::Response(Response {
                id,
                result: Err(refusal),
            }) => {
                write!(f, "#{id:?} refused {refusal:?}")
            }
            FromRegistry::Notice(Notice::Envelope(envelope)) => {
                write!(f, "Envelope {}", Line(envelope))
            }
            FromRegistry::Notice(Notice::Changed(entry)) => {
                let (name, presence) = (&entry.name, entry.presence);
                write!(
                    f,
                    "Changed {name} {presence} contacts={:?}",
                    entry.contacts()
                )
            }
            FromRegistry::Notice(Notice::Gone(name)) => write!(f, "Gone {name}"),
            FromRegistry::Notice(notice) => write!(f, "{notice:?}"),
            other => write!(f, "{other:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_counted() {
        let (events, _receiver) = Events::channel();
        for _ in 0..EVENTS_MAX + 5 {
            events.tell(Event::Warning("w".into()));
        }
        assert_eq!(events.dropped().load(Relaxed), 5);
    }
}
