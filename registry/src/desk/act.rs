//! What an operator has done: to names, to those who have them, and with invite codes.

use std::time::Duration;

use codec::{
    Name, Text, UnixMillis,
    registry::{ClosingReason, Refusal},
};

use super::{
    DAYS_MAX, Desk, Done, Failed, INVITES_AT_ONCE_MAX, Invite, Open, Subject, shown::key_of,
    users::owner,
};
use crate::{
    event::Event,
    store::{self, Banned, Moment, Store},
};

/// The letters of invite codes: without those that are mistaken for others.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// So many letters: 80 bits, which nobody guesses.
const CODE_LETTERS: usize = 16;

/// What was done is told to the log, where it is looked for later.
impl<S: Store> Desk<S> {
    /// Takes a name from its owner: whoever claims it next has it.
    ///
    /// # Errors
    /// [`Failed::NoName`], [`Failed::NotOwned`], [`Failed::NotKept`], [`Failed::Closed`].
    pub async fn release(&self, name: &str) -> Result<Done, Failed> {
        let open = self.open()?;
        let parsed: Name = name.parse().map_err(|error| Failed::NoName {
            typed: name.to_owned(),
            why: format!("{error}"),
        })?;
        let ended = open.control.store().release_by_operator(parsed.clone());
        let ended = ended.await.map_err(|refusal| failed(refusal, name))?;
        open.control.ended(ended);
        Ok(open.told(Done::Released(parsed)))
    }

    /// Serves somebody no more, and ends their connections at once: a key, or a name, which stands
    /// for its owner. A name that nobody owns is given to nobody.
    ///
    /// # Errors
    /// [`Failed::Nobody`], [`Failed::TooManyBans`], [`Failed::NotKept`], [`Failed::Closed`].
    pub async fn ban(&self, of: &str) -> Result<Done, Failed> {
        let open = self.open()?;
        let subject = open.subject(of)?;
        let banned = open.control.store().ban(subject.banned(), Moment::now());
        let ended = banned.await.map_err(|refusal| failed(refusal, of))?;
        open.control.ended(ended);
        let connections = subject
            .key()
            .map_or(0, |key| open.control.end(&key, ClosingReason::Banned));
        Ok(open.told(Done::Banned {
            of: subject,
            connections,
        }))
    }

    /// Ends a ban of what was banned, or of whoever owns that name.
    ///
    /// # Errors
    /// [`Failed::Nobody`], [`Failed::NotBanned`], [`Failed::NotKept`], [`Failed::Closed`].
    pub async fn unban(&self, of: &str) -> Result<Done, Failed> {
        let open = self.open()?;
        let (subject, store) = (open.subject(of)?, open.control.store());
        let mut banned = subject.banned();
        // A name may have been banned before somebody owned it.
        if let Subject::Owner { name, .. } = &subject {
            let named = Banned::Name(name.clone());
            if store.bans().iter().any(|ban| ban.of == named) {
                banned = named;
            }
        }
        match store.unban(banned).await {
            Ok(()) => Ok(open.told(Done::Unbanned(subject))),
            Err(Refusal::NotFound) => Err(Failed::NotBanned(subject)),
            Err(refusal) => Err(failed(refusal, of)),
        }
    }

    /// Ends the connections of somebody: a key, or a name, which stands for its owner.
    ///
    /// # Errors
    /// [`Failed::Nobody`], [`Failed::NotOwned`], [`Failed::Closed`].
    pub fn disconnect(&self, of: &str) -> Result<Done, Failed> {
        let open = self.open()?;
        let subject = open.subject(of)?;
        let key = subject.key();
        let key = key.ok_or_else(|| Failed::NotOwned(of.to_owned()))?;
        let connections = open.control.end(&key, ClosingReason::Operator);
        Ok(open.told(Done::Disconnected {
            of: subject,
            connections,
        }))
    }

    /// Makes so many invite codes, each for so many names, that count for so many days.
    ///
    /// # Errors
    /// [`Failed::HowManyCodes`], [`Failed::HowManyDays`], [`Failed::HowManyUses`],
    /// [`Failed::TooManyInvites`], [`Failed::Machine`], [`Failed::NotKept`], [`Failed::Closed`].
    pub async fn invite(&self, codes: u32, uses: u32, days: u32) -> Result<Done, Failed> {
        let open = self.open()?;
        if !(1..=INVITES_AT_ONCE_MAX).contains(&codes) {
            return Err(Failed::HowManyCodes);
        }
        if !(1..=DAYS_MAX).contains(&days) {
            return Err(Failed::HowManyDays);
        }
        let at = Moment::now();
        let lasts = Duration::from_secs(u64::from(days) * 24 * 3600).as_millis();
        let lasts = UnixMillis::try_from(lasts).unwrap_or(u64::MAX);
        let expires_at = at.time.saturating_add(lasts);
        let mut made = Vec::new();
        for _ in 0..codes {
            let code =
                code().map_err(|error| Failed::Machine(format!("no randomness: {error}")))?;
            let code = Text::new(&code).expect("16 letters are short enough for a code");
            let invite = store::Invite {
                code,
                uses_left: uses,
                expires_at,
            };
            let kept = open.control.store().invite(invite.clone(), at).await;
            kept.map_err(|refusal| match refusal {
                Refusal::OutOfRange => Failed::HowManyUses,
                Refusal::TooMany => Failed::TooManyInvites,
                other => Failed::NotKept(other.to_string()),
            })?;
            made.push(Invite::of(&invite));
        }
        Ok(open.told(Done::Invited { codes: made, uses }))
    }
}

impl<S: Store> Open<S> {
    fn subject(&self, typed: &str) -> Result<Subject, Failed> {
        if let Some(key) = key_of(typed) {
            return Ok(Subject::Key(key));
        }
        let name: Name = typed.parse().map_err(|error| Failed::Nobody {
            typed: typed.to_owned(),
            why: format!("{error}"),
        })?;
        Ok(match owner(&self.control, &name) {
            Some(owner) => Subject::Owner {
                name: owner.name,
                key: owner.identity,
            },
            None => Subject::Name(name),
        })
    }

    /// Tells the log, and hands it back.
    fn told(&self, done: Done) -> Done {
        self.control.tell(Event::Operator(done.to_string()));
        done
    }
}

impl Subject {
    fn key(&self) -> Option<codec::IdentityKey> {
        match self {
            Self::Key(key) | Self::Owner { key, .. } => Some(*key),
            Self::Name(_) => None,
        }
    }

    fn banned(&self) -> Banned {
        match self {
            Self::Name(name) => Banned::Name(name.clone()),
            Self::Key(key) | Self::Owner { key, .. } => Banned::Identity(*key),
        }
    }
}

fn failed(refusal: Refusal, about: &str) -> Failed {
    match refusal {
        Refusal::NotFound => Failed::NotOwned(about.to_owned()),
        Refusal::TooMany => Failed::TooManyBans,
        other => Failed::NotKept(other.to_string()),
    }
}

/// A code that is read out and typed without mistakes: `k3xq-7mzp-...`.
fn code() -> Result<String, getrandom::Error> {
    let mut random = [0; CODE_LETTERS];
    getrandom::fill(&mut random)?;
    let letters = random.map(|byte| char::from(LETTERS[usize::from(byte) % LETTERS.len()]));
    let groups = letters.chunks(4).map(String::from_iter);
    Ok(groups.collect::<Vec<_>>().join("-"))
}
