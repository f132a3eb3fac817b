//! What phones and lookups ask a registry, and what it answers and announces.

use std::{fmt, net::SocketAddr};

use serde::{Deserialize, Serialize};

use crate::{
    DeviceId, Envelope, Identity, IdentityKey, KeyCard, List, NAME_BYTES_MAX, Name,
    claim::{ChangeKey, Claim, Recover, Release},
    greeting::{Exporter, Nonce},
    identity::Signature,
};

mod refusal;

pub use refusal::Refusal;

/// The most contacts that one device registers.
pub const CONTACTS_MAX: usize = 8;

/// The most devices that one name has.
pub const DEVICES_MAX: usize = 8;

/// The most names on one page of [`Method::List`]: a page of the longest entries fits a frame.
pub const PAGE_MAX: usize = 24;

/// The most names that one [`Watch`] has: the longest names of that number fit a frame.
pub const WATCHED_MAX: usize = 256;

/// The shortest lease, in seconds.
pub const EXPIRES_MIN_S: u16 = 10;

/// The longest lease, in seconds.
pub const EXPIRES_MAX_S: u16 = 3600;

/// The lease that phones ask for, in seconds.
pub const EXPIRES_DEFAULT_S: u16 = 60;

/// Tells the answers of one connection apart. Chosen by who asks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestId(pub u32);

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A frame to a registry. Requests may be sent without waiting for earlier answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Comes back with the answer.
    pub id: RequestId,
    /// What is asked.
    pub method: Method,
}

/// What a registry can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Method {
    /// Claims a name if it is free, and replaces one device's contacts under it.
    Register(Register),
    /// Renews a device's lease.
    Refresh(Refresh),
    /// Ends a device's lease.
    Unregister(Unregister),
    /// Asks where a name can be reached.
    Lookup {
        /// The name.
        name: Name,
    },
    /// Asks for a page of the directory, in the order of the folded names.
    List {
        /// Only names whose folded form begins with this one's folded form.
        prefix: Prefix,
        /// Only names after this one.
        after: Option<Name>,
        /// At most so many; the registry may give fewer, never more than [`PAGE_MAX`].
        limit: u8,
    },
    /// Hands an envelope to every device of the name that it is for.
    Send {
        /// The envelope; its own outside says to whom and of what kind.
        envelope: Envelope,
        /// For how long it may wait for somebody who is offline, in seconds; 0 is not at all.
        ttl_s: u32,
    },
    /// Says how reachable the person is, for every device that is registered on this connection
    /// now or later. Who never says it is [`Presence::Available`].
    Publish {
        /// From now on.
        presence: Presence,
    },
    /// Asks to be told how names are, and how they change. It replaces what was watched before.
    Watch(Watch),
    /// Gives a name up.
    Release(Release),
    /// Gives a name to another identity of its owner.
    ChangeKey(ChangeKey),
    /// Gives a name to the identity that greeted, by its recovery code.
    Recover(Recover),
}

/// What a connection wants to be told about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Watch {
    /// These names, whether they are registered or not; none of them ends the watch. How each is
    /// now is told at once.
    Names(List<Name, WATCHED_MAX>),
    /// Every name. How they are now is asked for by [`Method::List`], after the answer.
    Everybody,
}

/// The beginning of a name; may be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Prefix(String);

impl Prefix {
    /// A prefix, cut to the longest that a name can have.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut end = text.len().min(NAME_BYTES_MAX);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        Self(text[..end].to_owned())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Prefix {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&str>::deserialize(deserializer)?;
        if text.len() > NAME_BYTES_MAX {
            return Err(serde::de::Error::custom("too long"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// What a signature to a registry is bound to besides its content: this registry, this connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Binding {
    /// The registry's long-term key.
    pub registry: IdentityKey,
    /// The connection's TLS exporter.
    pub exporter: Exporter,
    /// The nonce of the registry's welcome.
    pub nonce: Nonce,
}

/// The contacts of a device.
pub type Contacts = List<SocketAddr, CONTACTS_MAX>;

/// Claims a name if it is free, and replaces one device's contacts under it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Register {
    /// The name.
    pub name: Name,
    /// The device.
    pub device: DeviceId,
    /// Whose it is.
    pub card: KeyCard,
    /// Where the device listens, as far as it knows. The registry adds the address that it
    /// observed, with the port of the first of these. None for a phone that is hidden: it is heard
    /// through the registry only.
    pub contacts: Contacts,
    /// For how long, in seconds, [`EXPIRES_MIN_S`]-[`EXPIRES_MAX_S`].
    pub expires_s: u16,
    /// Grows with every signed request of this device.
    pub cseq: u64,
    /// In case the name is free.
    pub claim: Claim,
    /// By the card's identity, over all of the above and the [`Binding`].
    pub signature: Signature,
}

const REGISTER_CONTEXT: &str = "ramal register v1";
const REFRESH_CONTEXT: &str = "ramal refresh v1";
const UNREGISTER_CONTEXT: &str = "ramal unregister v1";

impl Register {
    /// A signed request.
    #[must_use]
    #[expect(
        clippy::too_many_arguments,
        reason = "the message has this many fields"
    )]
    pub fn sign(
        identity: &Identity,
        binding: &Binding,
        name: Name,
        device: DeviceId,
        card: KeyCard,
        contacts: Contacts,
        expires_s: u16,
        cseq: u64,
        claim: Claim,
    ) -> Self {
        let signature = identity.sign(
            REGISTER_CONTEXT,
            &(
                binding, &name, device, card, &contacts, expires_s, cseq, &claim,
            ),
        );
        Self {
            name,
            device,
            card,
            contacts,
            expires_s,
            cseq,
            claim,
            signature,
        }
    }

    /// Whether the card's identity signed this for this connection.
    #[must_use]
    pub fn is_signed(&self, binding: &Binding) -> bool {
        let Self {
            name,
            device,
            card,
            contacts,
            expires_s,
            cseq,
            claim,
            signature,
        } = self;
        let content = (
            binding, name, device, card, contacts, expires_s, cseq, claim,
        );
        card.identity
            .verifies(REGISTER_CONTEXT, &content, signature)
    }
}

/// Renews a device's lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refresh {
    /// The name.
    pub name: Name,
    /// The device.
    pub device: DeviceId,
    /// For how long from now, in seconds, [`EXPIRES_MIN_S`]-[`EXPIRES_MAX_S`].
    pub expires_s: u16,
    /// Grows with every signed request of this device.
    pub cseq: u64,
    /// By the identity that registered, over all of the above and the [`Binding`].
    pub signature: Signature,
}

impl Refresh {
    /// A signed request.
    #[must_use]
    pub fn sign(
        identity: &Identity,
        binding: &Binding,
        name: Name,
        device: DeviceId,
        expires_s: u16,
        cseq: u64,
    ) -> Self {
        let content = (binding, &name, device, expires_s, cseq);
        let signature = identity.sign(REFRESH_CONTEXT, &content);
        Self {
            name,
            device,
            expires_s,
            cseq,
            signature,
        }
    }

    /// Whether `identity` signed this for this connection.
    #[must_use]
    pub fn is_signed(&self, identity: &IdentityKey, binding: &Binding) -> bool {
        let Self {
            name,
            device,
            expires_s,
            cseq,
            signature,
        } = self;
        identity.verifies(
            REFRESH_CONTEXT,
            &(binding, name, device, expires_s, cseq),
            signature,
        )
    }
}

/// Ends a device's lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unregister {
    /// The name.
    pub name: Name,
    /// The device.
    pub device: DeviceId,
    /// Grows with every signed request of this device.
    pub cseq: u64,
    /// By the identity that registered, over all of the above and the [`Binding`].
    pub signature: Signature,
}

impl Unregister {
    /// A signed request.
    #[must_use]
    pub fn sign(
        identity: &Identity,
        binding: &Binding,
        name: Name,
        device: DeviceId,
        cseq: u64,
    ) -> Self {
        let signature = identity.sign(UNREGISTER_CONTEXT, &(binding, &name, device, cseq));
        Self {
            name,
            device,
            cseq,
            signature,
        }
    }

    /// Whether `identity` signed this for this connection.
    #[must_use]
    pub fn is_signed(&self, identity: &IdentityKey, binding: &Binding) -> bool {
        let Self {
            name,
            device,
            cseq,
            signature,
        } = self;
        identity.verifies(
            UNREGISTER_CONTEXT,
            &(binding, name, device, cseq),
            signature,
        )
    }
}

/// A frame from a registry, after its welcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FromRegistry {
    /// The answer to one request.
    Response(Response),
    /// Something that nobody asked for.
    Notice(Notice),
}

/// The answer to one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    /// The request's.
    pub id: RequestId,
    /// What was asked for, or why not.
    pub result: Result<Success, Refusal>,
}

/// What a registry answers when it did what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Success {
    /// To Register and Refresh.
    Registered {
        /// How long the lease lasts, in seconds.
        expires_s: u16,
    },
    /// To Unregister.
    Unregistered,
    /// To Lookup.
    Found(Record),
    /// To List.
    Page(Page),
    /// To Send.
    Sent {
        /// How many open connections it was handed to.
        devices: u8,
    },
    /// To Publish.
    Published,
    /// To Watch. Notices follow.
    Watching,
    /// To Release.
    Released,
    /// To ChangeKey and Recover.
    KeyChanged,
}

/// Everything a registry tells about a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The key card that was registered last.
    pub card: KeyCard,
    /// The rest.
    pub entry: Entry,
}

/// A name in the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The name, as its owner typed it.
    pub name: Name,
    /// What its owner said of themselves.
    pub presence: Presence,
    /// Its phones.
    pub devices: List<Device, DEVICES_MAX>,
}

impl Entry {
    /// Every contact of every device, each once, in the order in which they were registered.
    #[must_use]
    pub fn contacts(&self) -> Vec<SocketAddr> {
        let mut found = Vec::new();
        for contact in self
            .devices
            .iter()
            .flat_map(|device| device.contacts.iter())
        {
            if !found.contains(&contact.addr) {
                found.push(contact.addr);
            }
        }
        found
    }
}

/// What somebody says of themselves. Who is registered is available until they say otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Presence {
    /// Can be called.
    Available,
    /// In a call.
    Busy,
    /// Not at the phone.
    Away,
}

impl Presence {
    /// What several phones of one person say together: busy when one of them is, else available
    /// when one of them is, else away. Without a phone that says anything, available.
    #[must_use]
    pub fn of_all(phones: impl IntoIterator<Item = Self>) -> Self {
        let rank = |presence: &Self| match presence {
            Self::Away => 0,
            Self::Available => 1,
            Self::Busy => 2,
        };
        phones
            .into_iter()
            .max_by_key(rank)
            .unwrap_or(Self::Available)
    }
}

impl fmt::Display for Presence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Available => "available",
            Self::Busy => "busy",
            Self::Away => "away",
        })
    }
}

/// One phone of a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Which one.
    pub id: DeviceId,
    /// Where it listens. One more than it may sign: the observed one.
    pub contacts: List<Contact, { CONTACTS_MAX + 1 }>,
    /// How long its lease still lasts, in seconds.
    pub lease_left_s: u16,
    /// It was registered before the registry was started anew, and has not been heard since.
    pub unverified: bool,
}

/// Where a phone listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The address.
    pub addr: SocketAddr,
    /// Added by the registry, which saw the phone come from there; not signed by the phone.
    pub observed: bool,
}

/// A part of the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The names.
    pub entries: List<Entry, PAGE_MAX>,
    /// There are more after the last of these.
    pub more: bool,
}

/// What a registry says without being asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Notice {
    /// An envelope for a name that is registered on this connection.
    Envelope(Envelope),
    /// The registry closes this connection.
    Closing(ClosingReason),
    /// A watched name is now so.
    Changed(Entry),
    /// A watched name is not registered.
    Gone(Name),
    /// More changed at once than is kept for one connection: ask for everything anew.
    Missed,
}

/// Why a registry closes a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ClosingReason {
    /// It stops.
    Stopping,
    /// Nothing was asked for too long.
    Idle,
    /// The peer does not read what it is sent.
    SlowReader,
    /// The same device registered on another connection.
    Replaced,
    /// A frame was begun and not finished in time.
    Incomplete,
    /// Its operator has banned this identity.
    Banned,
    /// Its operator has ended the connection.
    Operator,
}

impl fmt::Display for ClosingReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stopping => "it stops",
            Self::Idle => "nothing was asked for too long",
            Self::SlowReader => "what it said was not read",
            Self::Replaced => "the same device registered on another connection",
            Self::Incomplete => "a frame was not finished in time",
            Self::Banned => "its operator has banned this identity; ask them",
            Self::Operator => "its operator has ended the connection",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registration_is_bound_to_its_registry_and_connection() {
        let identity = Identity::from_secret(&[1; 32]);
        let agreement = crate::identity::AgreementSecret::from_secret(&[2; 32]);
        let card = KeyCard::issue(&identity, agreement.key(), 1, u64::MAX);
        let binding = Binding {
            registry: Identity::from_secret(&[9; 32]).key(),
            exporter: Exporter::PLAIN,
            nonce: Nonce([4; 32]),
        };
        let name: Name = "bob".parse().unwrap();
        let register = Register::sign(
            &identity,
            &binding,
            name,
            DeviceId([5; 16]),
            card,
            List::first_of([([10, 0, 0, 1], 4000).into()]),
            60,
            1,
            Claim::new(crate::RecoveryLock([6; 32])),
        );
        assert!(register.is_signed(&binding));
        assert!(!register.is_signed(&Binding {
            nonce: Nonce([5; 32]),
            ..binding
        }));
        assert!(!register.is_signed(&Binding {
            exporter: Exporter([1; 32]),
            ..binding
        }));
        let elsewhere = Identity::from_secret(&[8; 32]).key();
        assert!(!register.is_signed(&Binding {
            registry: elsewhere,
            ..binding
        }));
        assert!(
            !Register {
                expires_s: 61,
                ..register.clone()
            }
            .is_signed(&binding)
        );
        assert!(
            !Register {
                cseq: 2,
                ..register
            }
            .is_signed(&binding)
        );
    }

    #[test]
    fn a_prefix_is_cut_between_characters() {
        let prefix = Prefix::new(&"é".repeat(100));
        assert_eq!(prefix.as_str().len(), 128);
    }
}
