//! Letters: signals that are sealed into envelopes, by one way or by two, and opened once.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use codec::{
    CallSignal, Envelope, EnvelopeError, IdentityKey, Party, Signal, UnixMillis,
    direct::DirectRefusal,
    envelope::{Address, EnvelopeId, Kind},
    greeting::Nonce,
    identity::AgreementKey,
};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{CryptoRng, Rng},
};
use registry::line::signal_word;

use super::{Keys, LinkId, Me};

/// How old an Invite through a registry may be, or how far ahead of the registry's clock.
const INVITE_AGE_MAX_MS: u64 = 60_000;

/// How old it may be by this machine's own clock, or how far ahead of it: as much as machines are
/// wrong that set their clocks at all. A registry that says another time cannot have an old Invite
/// ring anew.
pub(crate) const MACHINE_OFF_MAX_MS: u64 = 600_000;

/// For how long the ids of envelopes are remembered: longer than an Invite counts.
const REMEMBERED_FOR: Duration = Duration::from_secs(300);

/// How many ids are remembered of Invites that came directly, and as many of those that came
/// through a registry; beyond, Invites on that way are refused until old ids are forgotten.
const REMEMBERED_MAX: usize = 8192;

/// How many of them of one sender, so that there is room for others: seven calls a second.
const REMEMBERED_OF_ONE_MAX: usize = 2048;

/// Of how many envelopes it is known what is in them, for whoever writes down what goes out and
/// comes in: more than one input makes the phone send.
const NAMED_MAX: usize = 64;

/// The way that an envelope takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Via {
    /// Both phones' connections to the registry.
    Registry,
    /// A connection between the two.
    Link(LinkId),
}

/// A signal that was or is to be sent, and the ways that it went.
#[derive(Debug)]
pub(super) struct Letter {
    id: EnvelopeId,
    pub(super) body: CallSignal,
    /// The direct connections that it was sent on.
    pub(super) by_links: Vec<LinkId>,
    /// It was sent through the registry.
    pub(super) by_registry: bool,
}

impl Letter {
    pub(super) fn new(body: CallSignal, rng: &mut ChaCha20Rng) -> Self {
        let mut id = [0; 16];
        rng.fill_bytes(&mut id);
        Self {
            id: EnvelopeId(id),
            body,
            by_links: Vec::new(),
            by_registry: false,
        }
    }

    pub(super) fn is_invite_sent(&self) -> bool {
        matches!(self.body.signal, Signal::Invite { .. }) && self.is_sent()
    }

    pub(super) fn is_sent(&self) -> bool {
        self.by_registry || !self.by_links.is_empty()
    }

    /// Whether it says anew what `older` said.
    pub(super) fn replaces(&self, older: &Self) -> bool {
        let subject = |signal: &Signal| match signal {
            Signal::Ringing => Some(0),
            Signal::Hold | Signal::Resume => Some(1),
            Signal::Candidates { .. } => Some(2),
            Signal::Cancel(_) => Some(3),
            _ => None,
        };
        let ours = subject(&self.body.signal);
        ours.is_some() && ours == subject(&older.body.signal) && self.body.to == older.body.to
    }
}

/// Seals and opens in one person's name.
#[derive(Debug)]
pub(super) struct Post {
    me: Me,
    party: Party,
    /// The clock that envelopes are dated by: this machine's, until a registry tells its own.
    clock: (Instant, UnixMillis),
    /// This machine's own.
    machine: (Instant, UnixMillis),
    /// Of Invites on direct connections, and of those that a registry handed on: strangers on one
    /// way leave the other one open.
    direct: Memory,
    forwarded: Memory,
    /// What is in the envelopes that were sealed or opened last.
    named: VecDeque<(EnvelopeId, &'static str)>,
}

impl Post {
    pub(super) fn new(me: Me, now: Instant, time: UnixMillis) -> Self {
        let party = Party {
            name: me.name.clone(),
            identity: me.identity.key(),
        };
        let clock = (now, time);
        Self {
            me,
            party,
            clock,
            machine: clock,
            direct: Memory::default(),
            forwarded: Memory::default(),
            named: VecDeque::with_capacity(NAMED_MAX),
        }
    }

    /// What is in an envelope that was sealed or opened here just now.
    pub(super) fn signal_in(&self, id: EnvelopeId) -> Option<&'static str> {
        let named = self.named.iter().rev();
        named
            .clone()
            .find(|(of, _)| *of == id)
            .map(|(_, word)| *word)
    }

    fn name(&mut self, id: EnvelopeId, signal: &Signal) {
        if self.named.len() >= NAMED_MAX {
            self.named.pop_front();
        }
        self.named.push_back((id, signal_word(signal)));
    }

    pub(super) fn me(&self) -> &Me {
        &self.me
    }

    /// Opens what is sealed to these keys from now on.
    pub(super) fn set_keys(&mut self, keys: Keys) {
        self.me.keys = keys;
    }

    pub(super) fn set_clock(&mut self, time: UnixMillis, now: Instant) {
        self.clock = (now, time);
    }

    /// What this machine's own clock says.
    pub(super) fn set_machine(&mut self, time: UnixMillis, now: Instant) {
        self.machine = (now, time);
    }

    /// The registry's clock, as far as it is known.
    pub(super) fn time(&self, now: Instant) -> UnixMillis {
        at(self.clock, now)
    }

    pub(super) fn seal(
        &mut self,
        letter: &Letter,
        to: &Party,
        agreement: &AgreementKey,
        link: Nonce,
        rng: &mut impl CryptoRng,
        now: Instant,
    ) -> Result<Envelope, EnvelopeError> {
        let address = Address {
            from: self.party.clone(),
            to: to.clone(),
            id: letter.id,
            kind: Kind::Signal,
        };
        let sent_at = self.time(now);
        self.name(letter.id, &letter.body.signal);
        Envelope::seal(
            &self.me.identity,
            address,
            agreement,
            link,
            sent_at,
            &letter.body,
            rng,
        )
    }

    /// Opens an envelope; `None` when a copy of it came before.
    ///
    /// # Errors
    /// What to answer, where there is somebody to answer.
    pub(super) fn open(
        &mut self,
        envelope: &Envelope,
        link: Nonce,
        now: Instant,
    ) -> Result<Option<CallSignal>, DirectRefusal> {
        let Keys {
            agreement, earlier, ..
        } = &self.me.keys;
        let open = |key| envelope.open::<CallSignal>(&self.party, key, link);
        let opened = match (open(agreement), earlier) {
            (Err(EnvelopeError::NotSealedForUs), Some(earlier)) => open(earlier),
            (opened, _) => opened,
        };
        let opened = opened.map_err(|error| match error {
            EnvelopeError::Version { .. } => DirectRefusal::Malformed,
            // Nobody finds out what this phone's name is by what else is wrong with an envelope.
            _ => DirectRefusal::NotHere,
        })?;
        self.name(envelope.id, &opened.body.signal);
        // On a direct connection its nonce shows that the envelope is fresh, whatever the clocks.
        let is_invite = matches!(opened.body.signal, Signal::Invite { .. });
        let age = self.time(now).abs_diff(opened.sent_at);
        let by_machine = at(self.machine, now).abs_diff(opened.sent_at);
        let fresh = age <= INVITE_AGE_MAX_MS && by_machine <= MACHINE_OFF_MAX_MS;
        if is_invite && link == Nonce::NONE && !fresh {
            return Err(DirectRefusal::NotAuthentic);
        }
        // Every other signal counts only for a live call, and a copy of it changes nothing there.
        if !is_invite {
            return Ok(Some(opened.body));
        }
        let id = (envelope.from.identity, envelope.id);
        if self.direct.has(&id) || self.forwarded.has(&id) {
            return Ok(None);
        }
        let memory = match link {
            Nonce::NONE => &mut self.forwarded,
            _ => &mut self.direct,
        };
        if memory.remember(id, now) {
            Ok(Some(opened.body))
        } else {
            Err(DirectRefusal::TooMany)
        }
    }
}

/// What a clock says that said something before.
fn at((said, time): (Instant, UnixMillis), now: Instant) -> UnixMillis {
    let since = now.saturating_duration_since(said).as_millis();
    time.saturating_add(u64::try_from(since).unwrap_or(u64::MAX))
}

/// The ids of Invites that came one way, for as long as a copy could count.
#[derive(Debug, Default)]
struct Memory {
    seen: BTreeMap<(IdentityKey, EnvelopeId), Instant>,
    in_order: VecDeque<(IdentityKey, EnvelopeId)>,
}

impl Memory {
    fn has(&self, id: &(IdentityKey, EnvelopeId)) -> bool {
        self.seen.contains_key(id)
    }

    /// Whether there was room for it: in all, and for this sender.
    fn remember(&mut self, id: (IdentityKey, EnvelopeId), now: Instant) -> bool {
        while let Some(oldest) = self.in_order.front()
            && self
                .seen
                .get(oldest)
                .is_none_or(|at| *at + REMEMBERED_FOR <= now)
        {
            self.seen.remove(oldest);
            self.in_order.pop_front();
        }
        let (first, last) = (EnvelopeId([0; 16]), EnvelopeId([u8::MAX; 16]));
        let of_sender = self.seen.range((id.0, first)..=(id.0, last)).count();
        if self.seen.len() >= REMEMBERED_MAX || of_sender >= REMEMBERED_OF_ONE_MAX {
            return false;
        }
        self.seen.insert(id, now);
        self.in_order.push_back(id);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sender_leaves_room_for_others_and_old_ids_are_forgotten() {
        let (mut memory, now) = (Memory::default(), Instant::now());
        let id = |sender: u8, number: usize| {
            let mut id = [0; 16];
            id[..8].copy_from_slice(&number.to_be_bytes());
            (IdentityKey([sender; 32]), EnvelopeId(id))
        };
        let taken = (0..3_000).filter(|number| memory.remember(id(1, *number), now));
        assert_eq!(taken.count(), REMEMBERED_OF_ONE_MAX);
        assert!(memory.remember(id(2, 0), now));
        for sender in 3..10 {
            for number in 0..3_000 {
                memory.remember(id(sender, number), now);
            }
        }
        assert_eq!(memory.seen.len(), REMEMBERED_MAX);
        assert!(!memory.remember(id(99, 0), now));
        assert!(memory.has(&id(1, 0)));
        let later = now + REMEMBERED_FOR;
        assert!(memory.remember(id(99, 0), later));
        assert_eq!((memory.seen.len(), memory.in_order.len()), (1, 1));
    }
}
