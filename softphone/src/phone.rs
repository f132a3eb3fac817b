//! The whole phone as one machine: registration, calls, and the routes that signals take.
//!
//! PURE: commands, frames, news of connections and media, and time come in; frames, orders and
//! events come out. Randomness is a seeded generator.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use codec::{
    CallId, CallSignal, Envelope, IdentityKey, Signal, UnixMillis,
    direct::{DirectFrame, DirectRefusal},
    envelope::EnvelopeId,
    greeting::{Nonce, PhoneGreeting},
    registry::{ClosingReason, Contacts, FromRegistry, Notice, Presence, RequestId},
    signal::CancelReason,
};
use rand_chacha::{ChaCha20Rng, rand_core::Rng};
use registry::registration::{self, Registrant, Registration};

use crate::{
    call::{self, MediaFailure, Reason},
    contacts::Book,
    roster::Roster,
};

mod allowance;
mod caller;
mod calls;
mod door;
mod follow;
mod interface;
mod line;
mod lookup;
mod post;
mod registrar;
mod routes;
mod target;
mod why;

use allowance::Allowance;
use caller::{Visitor, checks};
use door::{Answers, Told, Turned};
use follow::Follower;
pub use interface::{
    Callers, Command, Event, Found, INBOUND_BIT, Input, Keys, LinkId, Me, MediaNews, Output,
    PERSON_CALLS_MAX, RING_FOR, SecondCall, Settings, Unfound, Unresolved,
};
use line::{Departed, Line, turns_away};
use lookup::Sought;
pub(crate) use post::MACHINE_OFF_MAX_MS;
use post::{Post, Via};
pub use target::{BadTarget, Target};
pub use why::Why;

/// How many direct callers' names are asked for at a time, and how many callers through the
/// registry wait for a lookup of the person's own; more are answered with Busy.
const VISITORS_MAX: usize = 16;

/// How many of those are of one connection or one identity.
const VISITORS_OF_ONE_MAX: usize = 4;

/// How many envelopes on one connection are refused before it is closed.
const REFUSED_MAX: u32 = 16;

/// How many lookups without a call there are at a time.
pub const LOOKUPS_MAX: usize = 8;

/// Within what time a lookup without a call has its answer.
pub const LOOKUP_WITHIN: Duration = Duration::from_secs(10);

/// How long a connection may be open without a call that uses it.
const LINK_UNUSED_MAX: Duration = Duration::from_secs(60);

/// The whole phone.
#[derive(Debug)]
pub struct Phone {
    post: Post,
    settings: Settings,
    registration: Registration,
    /// Why the registry cannot be reached; the person has been told.
    registry_missed: Option<Why>,
    /// Why the registry said that it closes the connection.
    closing: Option<ClosingReason>,
    lines: BTreeMap<CallId, Line>,
    departed: Departed,
    visitors: Vec<Visitor>,
    links: BTreeMap<LinkId, Link>,
    requests: BTreeMap<RequestId, Asked>,
    outputs: VecDeque<Output>,
    rng: ChaCha20Rng,
    last_link: u64,
    last_request: u32,
    life: Life,
    /// The call that the person has last dialled, taken or resumed; the others are on hold.
    talk: Option<CallId>,
    /// The person is away from the phone.
    away: bool,
    /// What was last said of the person; nothing yet, or nothing at all.
    presence: Option<Presence>,
    /// Whom the person knows, and how often that has changed.
    book: Book,
    book_edition: u64,
    /// The registry's directory.
    follower: Follower,
    /// Who is looked for without being called.
    sought: Vec<Sought>,
    /// The registry that names are looked up at, once it has been reached.
    registry: Option<IdentityKey>,
    /// Callers who are not let in and have not been told yet.
    turned: Vec<Turned>,
    /// Of whom the person was told that they were not let in.
    told: Told,
    /// How often the registry is asked whose a caller's name is.
    checks: Allowance,
    /// How often callers with whom there is no call are answered through the registry.
    answers: Answers,
}

/// Whether the phone takes part in anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Running,
    /// It says farewell, and waits for answers until then.
    Stopping {
        until: Instant,
    },
    Stopped,
}

/// A connection to another phone.
#[derive(Debug)]
struct Link {
    ours: Nonce,
    peer: PhoneGreeting,
    /// When it was last known to be of use to a call.
    used: Instant,
    /// How many envelopes on it were refused.
    refused: u32,
}

/// What a request to the registry was about.
#[derive(Debug)]
enum Asked {
    /// Where the callee is.
    Callee(CallId),
    /// Whether the name of the visitor with this check is theirs.
    Caller,
    /// To hand a letter on.
    Forward(CallId),
    /// Who is registered.
    Directory,
    /// The same, to follow it from then on; in which round of that.
    Roster(u32),
    /// Where somebody is who is not called.
    Sought,
}

impl Phone {
    /// A phone that wants to register. `contacts` is where it listens for other phones; `time` is
    /// this machine's clock at `now`.
    #[must_use]
    pub fn new(
        me: Me,
        contacts: Contacts,
        settings: Settings,
        rng: ChaCha20Rng,
        now: Instant,
        time: UnixMillis,
    ) -> Self {
        let Me {
            name,
            device,
            keys,
            claim,
            ..
        } = &me;
        let (name, device, card, claim) = (name.clone(), *device, keys.card, claim.clone());
        let contacts = reachable(contacts, settings);
        let registration = Registration::new(Registrant {
            name,
            device,
            card,
            contacts,
            claim,
        });
        let mut phone = Self {
            post: Post::new(me, now, time),
            settings,
            registration,
            registry_missed: None,
            closing: None,
            lines: BTreeMap::new(),
            departed: Departed::default(),
            visitors: Vec::new(),
            links: BTreeMap::new(),
            requests: BTreeMap::new(),
            outputs: VecDeque::new(),
            rng,
            last_link: 0,
            last_request: 0,
            life: Life::Running,
            talk: None,
            away: false,
            presence: None,
            book: Book::default(),
            book_edition: 0,
            follower: Follower::default(),
            sought: Vec::new(),
            registry: None,
            turned: Vec::new(),
            told: Told::default(),
            checks: checks(),
            answers: Answers::default(),
        };
        phone.drain_registration(now);
        phone
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// What is in an envelope that this phone has sealed or opened just now, for whoever writes
    /// down what goes out and comes in.
    #[must_use]
    pub fn signal_in(&self, id: EnvelopeId) -> Option<&'static str> {
        self.post.signal_in(id)
    }

    /// When to say [`Input::Timeout`], unless something else comes first.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let calls = self.lines.values().flat_map(|line| {
            let forward = line.forward.due();
            [line.call.poll_timeout(), line.seek_until, forward]
        });
        let visitors = self.visitors.iter().map(|visitor| Some(visitor.deadline));
        let turned = self.turned.iter().map(|turned| Some(turned.at));
        let links = self
            .links
            .values()
            .map(|link| Some(link.used + LINK_UNUSED_MAX));
        let registration = [
            self.registration.poll_timeout(),
            self.follower.poll_timeout(),
        ];
        let sought = self.sought.iter().map(|sought| Some(sought.until));
        let stop = match self.life {
            Life::Stopping { until } => Some(until),
            Life::Running | Life::Stopped => None,
        };
        calls
            .chain([stop])
            .chain(visitors)
            .chain(turned)
            .chain(links)
            .chain(sought)
            .chain(registration)
            .flatten()
            .min()
    }

    /// The registry's directory as far as it is known; kept while [`Command::Watch`] says so.
    #[must_use]
    pub fn roster(&self) -> Roster {
        self.follower.roster()
    }

    /// Grows whenever [`Self::roster`] is another one.
    #[must_use]
    pub fn roster_edition(&self) -> u64 {
        self.follower.edition()
    }

    /// Whom the person knows.
    #[must_use]
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// Grows whenever [`Self::book`] is another one.
    #[must_use]
    pub fn book_edition(&self) -> u64 {
        self.book_edition
    }

    /// Takes one input; afterwards [`Phone::poll_output`] until there is none.
    pub fn handle_input(&mut self, input: Input, now: Instant) {
        match input {
            Input::Command(command) => self.command(command, now),
            Input::RegistryUp { binding, time } => self.registry_up(binding, time, now),
            Input::Clock(time) => self.post.set_machine(time, now),
            Input::RegistryDown { why } => self.registry_down(why, now),
            Input::FromRegistry(FromRegistry::Response(response)) => self.response(response, now),
            Input::FromRegistry(FromRegistry::Notice(Notice::Envelope(envelope))) => {
                self.envelope(&envelope, Via::Registry, now);
            }
            Input::FromRegistry(FromRegistry::Notice(Notice::Closing(reason))) => {
                self.closing = Some(reason);
                if reason == ClosingReason::Replaced {
                    self.outputs.push_back(Output::Event(Event::Replaced));
                    self.tell_registration(registration::Input::Replaced, now);
                }
            }
            Input::FromRegistry(FromRegistry::Notice(notice)) => {
                self.follower.notice(&notice, now);
            }
            Input::FromRegistry(_) => {}
            Input::LinkUp { link, ours, peer } => self.link_up(
                link,
                Link {
                    ours,
                    peer,
                    used: now,
                    refused: 0,
                },
                now,
            ),
            Input::LinkDown { link, why } => self.link_down(link, &why, now),
            Input::FromLink {
                link,
                frame: DirectFrame::Envelope(envelope),
            } => {
                self.envelope(&envelope, Via::Link(link), now);
            }
            Input::FromLink {
                link,
                frame: DirectFrame::Refused(refusal),
            } => {
                self.link_refused(link, refusal, now);
            }
            Input::FromLink { .. } => {}
            Input::Resolved {
                link,
                registry,
                found,
            } => {
                if let Some(found) = self.sought_resolved(link, registry, found, now) {
                    self.resolved(link, registry, found, now);
                }
            }
            Input::Reached { link, at } => self.sought_reached(link, at),
            Input::Keys(keys) => {
                let card = keys.card;
                self.post.set_keys(keys);
                self.tell_registration(registration::Input::Card(card), now);
            }
            Input::People(book) => self.set_people(book),
            Input::Contacts(contacts) => {
                let contacts = reachable(contacts, self.settings);
                self.tell_registration(registration::Input::Contacts(contacts), now);
                self.doubt_links(now);
            }
            Input::Media(call, news) => {
                let input = match news {
                    MediaNews::Prepared(offer) => call::Input::Prepared(offer),
                    MediaNews::Connected => call::Input::Connected,
                    MediaNews::Heard => call::Input::Heard,
                    MediaNews::Reconnecting => call::Input::Reconnecting,
                    MediaNews::Reconnected => call::Input::Reconnected,
                    MediaNews::Moved(moved) => call::Input::Moved(moved),
                    MediaNews::Failed(failure) => {
                        if let (MediaFailure::NoNetwork, Some(line)) =
                            (failure, self.lines.get_mut(&call))
                        {
                            line.detail = Some(Why::NoNetwork);
                        }
                        call::Input::MediaFailed(failure)
                    }
                };
                self.tell_call(call, input, now);
            }
            Input::Timeout => self.timeout(now),
        }
        self.publish(now);
        self.stop_when_done();
    }

    fn command(&mut self, command: Command, now: Instant) {
        match command {
            // A phone that stops makes and takes no calls any more.
            Command::Dial(_) | Command::Answer(_) if self.life != Life::Running => {}
            Command::Dial(target) => self.dial(target, now),
            Command::Answer(call) => {
                let rings = |line: &Line| line.call.is_incoming();
                if self.lines.get(&call).is_some_and(rings) {
                    self.talk_in(call, now);
                }
                self.tell_call(call, call::Input::Answer, now);
            }
            Command::Hangup(call) => self.tell_call(call, call::Input::Hangup, now),
            Command::Hold(call) => self.tell_call(call, call::Input::Hold, now),
            Command::Resume(call) => {
                let held = |line: &Line| line.call.hold().is_here();
                if self.lines.get(&call).is_some_and(held) {
                    self.talk_in(call, now);
                }
                self.tell_call(call, call::Input::Resume, now);
            }
            Command::Away(away) => self.away = away,
            Command::Dnd(dnd) => self.settings.dnd = dnd,
            Command::Directory => self.ask_directory(),
            Command::Watch(_) if self.life != Life::Running => {}
            Command::Watch(wanted) => self.follow(wanted, now),
            Command::Lookup(target) => self.seek(target, now),
            Command::Callers(callers) => self.settings.callers = callers,
            Command::Publish(publish) => self.settings.publish = publish,
            Command::Change(change) => self.change_people(&change, now),
            Command::Verify(call) => self.verify(call, now),
            Command::Stop if self.life != Life::Running => {}
            Command::Stop => {
                let until = now + registration::ANSWER_WITHIN;
                self.life = Life::Stopping { until };
                self.turn_visitors_away(now);
                self.seek_nobody();
                self.follow_no_more(now);
                for call in self.lines.keys().copied().collect::<Vec<_>>() {
                    self.tell_call(call, call::Input::Hangup, now);
                }
                self.tell_registration(registration::Input::Stop, now);
            }
        }
    }

    fn stop_when_done(&mut self) {
        let stopping = matches!(self.life, Life::Stopping { .. });
        if stopping && self.registration.is_stopped() && self.requests.is_empty() {
            self.life = Life::Stopped;
            self.outputs.push_back(Output::Event(Event::Stopped));
        }
    }

    fn timeout(&mut self, now: Instant) {
        self.tell_registration(registration::Input::Timeout, now);
        if matches!(self.life, Life::Stopping { until } if until <= now) {
            self.requests.clear();
        }
        self.visitors_due(now);
        self.turned_due(now);
        self.sought_due(now);
        self.follow_on(now);
        self.close_unused_links(now);
        for call in self.lines.keys().copied().collect::<Vec<_>>() {
            self.tell_call(call, call::Input::Timeout, now);
            let Some(line) = self.lines.get_mut(&call) else {
                continue;
            };
            if line.seek_until.is_some_and(|deadline| deadline <= now) {
                let why = self.registry_missed.clone();
                self.give_up(call, Reason::RegistryUnreachable, why, now);
            } else if line.forward.is_due(now) {
                self.open_forward(call, now);
            }
        }
    }

    // ---- envelopes ----

    fn envelope(&mut self, envelope: &Envelope, via: Via, now: Instant) {
        let (nonce, peer) = match via {
            Via::Registry => (Nonce::NONE, None),
            Via::Link(link) => match self.links.get(&link) {
                Some(up) => (up.ours, Some(up.peer.card.identity)),
                None => return,
            },
        };
        // Who greeted with a card sends in its own name only.
        let opened = match peer {
            Some(identity) if identity != envelope.from.identity => {
                Err(DirectRefusal::NotAuthentic)
            }
            _ => self.post.open(envelope, nonce, now),
        };
        let signal = match opened {
            Ok(Some(signal)) => signal,
            Ok(None) => return,
            Err(refusal) => {
                if let Via::Link(link) = via {
                    let frame = DirectFrame::Refused(refusal);
                    self.outputs.push_back(Output::ToLink(link, frame));
                    self.count_refused(link, now);
                }
                return;
            }
        };
        let me = self.post.me().device;
        if signal.to.is_some_and(|to| to != me) {
            return;
        }
        match self.lines.get_mut(&signal.call) {
            Some(line) if line.is_with(&envelope.from) => {
                match via {
                    Via::Link(link) => line.prove(link, signal.from),
                    // It has a reason not to use the connection alone.
                    Via::Registry => line.doubt(),
                }
                self.signal(signal, now);
            }
            // Somebody who guessed a call's id has no part in it.
            Some(_) => {}
            None => self.signal_without_call(envelope.from.clone(), signal, via, now),
        }
    }

    /// A signal of a call, from one of the devices of whom it is with.
    fn signal(&mut self, said: CallSignal, now: Instant) {
        let CallSignal {
            call,
            from,
            seq,
            signal,
            ..
        } = said;
        let Some(line) = self.lines.get_mut(&call) else {
            return;
        };
        if let Some(device) = line.device {
            if device == from {
                if line.counts(seq, &signal) {
                    self.tell_call(call, call::Input::Signal(signal), now);
                }
            } else if matches!(signal, Signal::Ringing | Signal::Accept { .. })
                && line.branch(from).is_some()
            {
                // Another of the callee's devices was faster.
                let cancel = Signal::Cancel(CancelReason::AnsweredElsewhere);
                self.say(call, Some(from), cancel, now);
            }
            return;
        }
        let Some(branch) = line.branch(from) else {
            return;
        };
        if turns_away(&signal) {
            // The others may still take the call.
            branch.turned.get_or_insert(signal);
            return self.check_reachable(call, now);
        }
        if matches!(signal, Signal::Accept { .. } | Signal::Decline(_)) {
            line.device = Some(from);
        }
        self.tell_call(call, call::Input::Signal(signal), now);
    }

    fn new_link(&mut self) -> LinkId {
        self.last_link += 1;
        LinkId(self.last_link)
    }

    fn random<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.rng.fill_bytes(&mut bytes);
        bytes
    }
}

/// What others are told of where this phone is.
fn reachable(contacts: Contacts, settings: Settings) -> Contacts {
    match settings.hidden {
        true => Contacts::default(),
        false => contacts,
    }
}

#[cfg(test)]
mod tests;
