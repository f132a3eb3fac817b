//! What goes into the phone and what comes out of it.

use std::{net::SocketAddr, time::Duration};

use codec::{
    CallId, DeviceId, FourWords, Identity, IdentityKey, KeyCard, Name, Party, UnixMillis,
    claim::Claim,
    direct::DirectFrame,
    greeting::{Nonce, PhoneGreeting},
    identity::AgreementSecret,
    registry::{Binding, Contacts, FromRegistry, Page, Presence, Record, Refusal, Request},
    signal::MediaOffer,
};
use registry::client::Host;

use super::{Target, Why};
use crate::{
    call::{Hold, MediaFailure, Moved, Reason, Role},
    contacts::{Book, Change, Standing},
};

/// A connection between two phones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u64);

/// The ids of links that others opened have this bit; the phone gives those without it.
pub const INBOUND_BIT: u64 = 1 << 63;

/// Whose phone it is.
#[derive(Debug)]
pub struct Me {
    /// The name it goes by.
    pub name: Name,
    /// Which of that name's phones it is.
    pub device: DeviceId,
    /// Signs for it.
    pub identity: Identity,
    /// Opens envelopes for it.
    pub keys: Keys,
    /// What it says of itself when its name is free.
    pub claim: Claim,
}

/// The agreement keys of one week; see [`codec::agreement`].
#[derive(Debug)]
pub struct Keys {
    /// What others seal envelopes to.
    pub card: KeyCard,
    /// Opens what is sealed to the card.
    pub agreement: AgreementSecret,
    /// Opens what is sealed to the card of the week before.
    pub earlier: Option<AgreementSecret>,
}

impl Keys {
    /// One key, and none from before.
    #[must_use]
    pub fn new(card: KeyCard, agreement: AgreementSecret) -> Self {
        let earlier = None;
        Self {
            card,
            agreement,
            earlier,
        }
    }
}

/// What may differ from phone to phone.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How many calls it has at once.
    pub calls_max: usize,
    /// For how long it rings, and lets others ring.
    pub ring_for: Duration,
    /// What becomes of a call that comes while there is another one.
    pub second_call: SecondCall,
    /// Dialling, taking or resuming a call puts the others on hold, since a person has one mouth.
    /// Whatever answers for nobody, such as an echo, can talk to many.
    pub one_at_a_time: bool,
    /// Tells the registry whether the person is available, busy or away. If not, all that anybody
    /// sees is that the phone is registered.
    pub publish: bool,
    /// Who may call.
    pub callers: Callers,
    /// The person does not want to be disturbed: nobody may call for now.
    pub dnd: bool,
    /// Nobody is told where this phone is before a call is taken: it is found at no address, says
    /// everything through its registry, and calls by name only.
    pub hidden: bool,
}

/// For how long a person's phone rings, and lets others ring.
pub const RING_FOR: Duration = Duration::from_secs(45);

/// How many calls a person has at once: one is spoken in, the others are held or ring.
pub const PERSON_CALLS_MAX: usize = 4;

impl Settings {
    /// Those of a person who is there and talks to everybody, one at a time.
    #[must_use]
    pub fn of_person() -> Self {
        Self {
            calls_max: PERSON_CALLS_MAX,
            ring_for: RING_FOR,
            second_call: SecondCall::Offer,
            one_at_a_time: true,
            publish: true,
            callers: Callers::Everyone,
            dnd: false,
            hidden: false,
        }
    }
}

/// Who may call. Whoever may not hears the same in every case: that this phone takes no call from
/// them now. Whom this phone is calling itself may always call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Callers {
    /// Everybody who is not blocked.
    Everyone,
    /// Those with whom there has been a call before.
    Contacts,
    /// Nobody.
    Nobody,
}

/// What becomes of a call that comes while there is another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondCall {
    /// It is offered to the person: call waiting.
    Offer,
    /// The caller hears that this phone is busy.
    Busy,
}

/// What the person wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Call somebody.
    Dial(Target),
    /// Take a call. Other calls that are up are put on hold.
    Answer(CallId),
    /// End a call, or decline it.
    Hangup(CallId),
    /// Put a call that is up on hold: no voice either way until it is resumed.
    Hold(CallId),
    /// Go on with a call that this side has put on hold. Other calls that are up are put on hold.
    Resume(CallId),
    /// The person is away from the phone, or is back.
    Away(bool),
    /// The person does not want to be disturbed from now on, or may be again.
    Dnd(bool),
    /// Ask who is registered. While the registry cannot be reached nothing is answered.
    Directory,
    /// Keep the directory as it is from now on, in [`super::Phone::roster`], or no longer.
    Watch(bool),
    /// Find out where somebody is, without calling. Ends with one [`Event::Found`] within
    /// [`super::LOOKUP_WITHIN`]; there are at most [`super::LOOKUPS_MAX`] at a time.
    Lookup(Target),
    /// Who may call from now on. Calls that are there go on.
    Callers(Callers),
    /// Tell the registry from now on whether the person is available, busy or away, or no longer.
    Publish(bool),
    /// Change what is known of somebody. A call of theirs that rings ends when they are blocked;
    /// one that is up goes on.
    Change(Change),
    /// The two have read the four words of a call that is up to each other, and they are the same.
    Verify(CallId),
    /// End everything and unregister.
    Stop,
}

/// What the phone is told.
#[derive(Debug)]
pub enum Input {
    /// The person wants something.
    Command(Command),
    /// A connection to the registry is up.
    RegistryUp {
        /// What signatures on it are bound to.
        binding: Binding,
        /// The registry's clock.
        time: UnixMillis,
    },
    /// What this machine's clock says; told before every [`Input::RegistryUp`], as a machine that
    /// slept has lost time.
    Clock(UnixMillis),
    /// The connection to the registry failed.
    RegistryDown {
        /// Why.
        why: Why,
    },
    /// The registry said something.
    FromRegistry(FromRegistry),
    /// A connection to another phone is up.
    LinkUp {
        /// Which one.
        link: LinkId,
        /// The nonce that this side greeted with.
        ours: Nonce,
        /// Who is there.
        peer: PhoneGreeting,
    },
    /// A connection to another phone failed or ended.
    LinkDown {
        /// Which one.
        link: LinkId,
        /// Why.
        why: Why,
    },
    /// Another phone said something.
    FromLink {
        /// On which connection.
        link: LinkId,
        /// What.
        frame: DirectFrame,
    },
    /// A phone listens where [`Output::OpenHost`] leads. Told before [`Input::LinkUp`].
    Reached {
        /// What may become a link.
        link: LinkId,
        /// At which of the host's addresses.
        at: SocketAddr,
    },
    /// What was asked for with [`Output::OpenHost`] is a registry, and it answered.
    Resolved {
        /// What was to become a link, and is none.
        link: LinkId,
        /// Which registry: names are known by its key.
        registry: IdentityKey,
        /// What it knows of the name.
        found: Result<Record, Unresolved>,
    },
    /// This machine's addresses have changed: other phones reach this one there from now on.
    Contacts(Contacts),
    /// The agreement keys of a new week.
    Keys(Keys),
    /// The people whom this person knows, as the file has them now: at the start, after every
    /// [`Output::Save`], and whenever somebody else has changed the file.
    People(Book),
    /// News of a call's media.
    Media(CallId, MediaNews),
    /// The time of [`super::Phone::poll_timeout`] has come.
    Timeout,
}

/// Why a registry that was asked only once gave no record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unresolved {
    /// Nobody of that name is registered there.
    NotFound,
    /// It could not be asked.
    Failed(Why),
}

/// News of a call's media.
#[derive(Debug)]
pub enum MediaNews {
    /// It is open and can be offered.
    Prepared(MediaOffer),
    /// It is encrypted and has a path.
    Connected,
    /// The peer's voice came in.
    Heard,
    /// Nothing authentic has come for 3 s.
    Reconnecting,
    /// It comes again.
    Reconnected,
    /// This machine's addresses are no longer those that were offered.
    Moved(Moved),
    /// It failed.
    Failed(MediaFailure),
}

/// What the phone wants done.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    /// Connect to the registry.
    ConnectRegistry,
    /// Close the connection to the registry.
    DisconnectRegistry,
    /// Send this to the registry.
    ToRegistry(Request),
    /// Connect to the phone at this contact.
    OpenLink {
        /// What to call it.
        link: LinkId,
        /// Where.
        contact: SocketAddr,
    },
    /// Connect to whoever listens there: a phone becomes a link, a registry is asked for the name.
    OpenHost {
        /// What to call it.
        link: LinkId,
        /// Where.
        host: Host,
        /// Whom to ask for.
        name: Name,
    },
    /// Send this to another phone.
    ToLink(LinkId, DirectFrame),
    /// Send what is queued, then close.
    CloseLink(LinkId),
    /// Open media for a call.
    PrepareMedia(CallId),
    /// Connect a call's media to the peer's.
    StartMedia {
        /// Which call.
        call: CallId,
        /// How to reach the peer's media, and how to know it.
        remote: MediaOffer,
        /// Which side this is.
        role: Role,
    },
    /// Send voice, or silence until the call is up.
    Speak(CallId),
    /// Stop both ways of a call's voice, or let it go on. The path stays up meanwhile.
    HoldMedia(CallId, bool),
    /// The peer's media is elsewhere now.
    MoveMedia(CallId, Moved),
    /// Close a call's media.
    StopMedia(CallId),
    /// Make this change to the file of the people whom this person knows, and answer with
    /// [`Input::People`]. The phone itself reckons with it already.
    Save(Change),
    /// Tell the person.
    Event(Event),
}

/// Somebody who was looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The name, as its owner typed it.
    pub name: Name,
    /// Who they are.
    pub identity: IdentityKey,
    /// The registry that says so. `None` of a phone that answered at an address itself: nobody says
    /// then that the name is theirs, only that this identity is there.
    pub registry: Option<IdentityKey>,
    /// Where they can be reached, in the order in which it was told; none for who is hidden.
    pub contacts: Vec<SocketAddr>,
    /// What they say of themselves.
    pub presence: Presence,
    /// What is known of them.
    pub standing: Standing,
}

/// Why somebody who was looked up was not found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfound {
    /// Nobody of that name is registered.
    NotFound,
    /// Nobody who knows could be asked.
    NoAnswer(Why),
    /// The registry does not tell.
    Refused(Refusal),
    /// [`super::LOOKUPS_MAX`] others are being looked up.
    TooMany,
}

/// What a person may want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The phone can be found under its name.
    Registered,
    /// It can no longer; it keeps trying unless it was told to stop.
    Unregistered,
    /// Another phone with this one's profile has registered in its place.
    Replaced,
    /// The registry refused the name.
    RegistrationRefused(Refusal),
    /// The registry cannot be reached; the phone keeps trying.
    RegistryUnreachable(Why),
    /// The first names of the registry's directory, or why it does not tell them.
    Directory(Result<Page, Refusal>),
    /// What [`Command::Lookup`] has found.
    Found {
        /// Whom the person asked for.
        target: Target,
        /// Where they are, or why that is not known.
        found: Result<Found, Unfound>,
    },
    /// A call is being made.
    Dialling {
        /// Which one.
        call: CallId,
        /// To whom.
        name: Name,
        /// Where they are called, if not at the phone's own registry.
        host: Option<Host>,
    },
    /// Somebody calls.
    Incoming {
        /// Which call.
        call: CallId,
        /// Who, by their own account.
        from: Party,
        /// The registry confirms that the name is theirs.
        confirmed: bool,
        /// There is another call already.
        waiting: bool,
        /// What is known of them; never [`Standing::Changed`].
        standing: Standing,
    },
    /// Somebody called who is not let in. They hear that this phone takes no call from them, and
    /// not why. Nothing is told of who is blocked, of others once in 10 minutes.
    TurnedAway {
        /// Who, by their own account.
        from: Party,
        /// The registry confirms that the name is theirs.
        confirmed: bool,
        /// What is known of them.
        standing: Standing,
    },
    /// Somebody called under a name that is pinned to another identity, and was not let in. It is
    /// told of a name once in 10 minutes.
    IdentityChanged {
        /// The name.
        name: Name,
    },
    /// Two people called each other at the same time. The person's own call ends as
    /// [`Reason::Merged`], and the other's is taken at once in its place.
    Merged {
        /// The call that ends.
        ended: CallId,
        /// The call that goes on.
        call: CallId,
        /// With whom.
        name: Name,
    },
    /// The callee's phone rings.
    Ringing {
        /// In which call.
        call: CallId,
    },
    /// A call is up.
    Established {
        /// Which one.
        call: CallId,
        /// With whom.
        name: Name,
        /// Since it was dialled or answered.
        setup: Duration,
        /// What the two read to each other: the same on both sides, unless somebody is in between.
        words: FourWords,
        /// What was known of them before this call. Of a [`Standing::Stranger`] only the words show
        /// whether somebody is in between.
        standing: Standing,
    },
    /// The person found the words of a call to be the same: the contact is verified.
    Verified {
        /// In which call.
        call: CallId,
    },
    /// A call that is up was put on hold, or is resumed, by either side.
    Held {
        /// Which one.
        call: CallId,
        /// By whom it is held now.
        hold: Hold,
    },
    /// Nothing has been heard of the other phone for 3 s. The call goes on as soon as something is,
    /// and ends after 8 s.
    Reconnecting {
        /// In which call.
        call: CallId,
    },
    /// The other phone is heard again.
    Reconnected {
        /// In which call.
        call: CallId,
    },
    /// A call is over.
    Ended {
        /// Which one.
        call: CallId,
        /// With whom.
        name: Name,
        /// Why.
        reason: Reason,
        /// What was in the way, where the reason alone does not say it.
        detail: Option<Why>,
    },
    /// The phone was told to stop, and has unregistered.
    Stopped,
}
