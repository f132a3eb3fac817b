//! Does what an operator asks.

use std::{
    fmt::Display,
    time::{Duration, Instant},
};

use codec::{
    IdentityKey, Name, Text, UnixMillis,
    registry::{ClosingReason, Refusal},
};

use super::{
    Answer, Ban, Command, Device, INVITES_AT_ONCE_MAX, Invite, Requests, Stats, USERS_MAX, User,
    key_of,
};
use crate::{
    event::Event,
    server::Control,
    store::{self, Banned, Moment, Owner, Store},
};

/// The letters of invite codes: without those that are mistaken for others.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// So many letters: 80 bits, which nobody guesses.
const CODE_LETTERS: usize = 16;

/// The longest time that an invite code counts, in days.
const DAYS_MAX: u32 = 3650;

/// The lines of an answer, the last of which says how it ended.
pub(super) async fn answer<S: Store>(command: Command, control: &Control<S>) -> Vec<Answer> {
    let mut lines = Vec::new();
    let only_looks = matches!(
        command,
        Command::Users { .. } | Command::Bans | Command::Invites | Command::Stats
    );
    let ended = match command {
        Command::Users { prefix, limit } => users(control, &prefix, limit, &mut lines).await,
        Command::Release { name } => release(control, &name).await,
        Command::Ban { of } => ban(control, &of).await,
        Command::Unban { of } => unban(control, &of).await,
        Command::Bans => {
            lines.extend(
                control
                    .store()
                    .bans()
                    .into_iter()
                    .map(Ban::of)
                    .map(Answer::Ban),
            );
            Ok(String::new())
        }
        Command::Invite { codes, uses, days } => {
            invite(control, codes, uses, days, &mut lines).await
        }
        Command::Invites => {
            let invites = control.store().invites(Moment::now()).into_iter();
            lines.extend(invites.map(|it| Answer::Invite(Invite::of(&it))));
            Ok(String::new())
        }
        Command::Stats => {
            lines.push(Answer::Stats(stats(control)));
            Ok(String::new())
        }
        Command::Disconnect { of } => disconnect(control, &of),
    };
    lines.push(match ended {
        Ok(said) => {
            if !only_looks {
                // What was done is looked for in the log later.
                control.tell(Event::Operator(said.clone()));
            }
            Answer::Done { said }
        }
        Err(why) => Answer::Failed { why },
    });
    lines
}

/// Somebody or something that an operator names.
enum Subject {
    Key(IdentityKey),
    Owned(Owner),
    Free(Name),
}

impl Subject {
    fn of<S: Store>(text: &str, control: &Control<S>) -> Result<Self, String> {
        if let Some(key) = key_of(text) {
            return Ok(Self::Key(key));
        }
        let name: Name = text
            .parse()
            .map_err(|error| format!("{text:?} is neither a key nor a name: {error}"))?;
        Ok(match owner(control, &name) {
            Some(owner) => Self::Owned(owner),
            None => Self::Free(name),
        })
    }

    fn identity(&self) -> Option<IdentityKey> {
        match self {
            Self::Key(key) => Some(*key),
            Self::Owned(owner) => Some(owner.identity),
            Self::Free(_) => None,
        }
    }

    fn banned(&self) -> Banned {
        match self {
            Self::Free(name) => Banned::Name(name.clone()),
            Self::Key(key) => Banned::Identity(*key),
            Self::Owned(owner) => Banned::Identity(owner.identity),
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Key(key) => format!("the key {}", key.fingerprint()),
            Self::Owned(Owner { name, identity, .. }) => {
                format!(
                    "the owner of {name}, whose key is {}",
                    identity.fingerprint()
                )
            }
            Self::Free(name) => format!("the name {name}"),
        }
    }
}

/// Who owns a name, if anybody does.
fn owner<S: Store>(control: &Control<S>, name: &Name) -> Option<Owner> {
    let (owners, _) = control.store().owners(name.folded(), 1);
    owners.into_iter().find(|owner| owner.name == *name)
}

async fn users<S: Store>(
    control: &Control<S>,
    prefix: &str,
    limit: usize,
    lines: &mut Vec<Answer>,
) -> Result<String, String> {
    let limit = limit.min(USERS_MAX);
    let (mut owners, _) = control.store().owners(prefix, limit + 1);
    let (more, nobody) = (owners.len() > limit, owners.is_empty());
    owners.truncate(limit);
    for owner in owners {
        let found = control.store().lookup(&owner.name, Instant::now()).await;
        let devices = found.map(|record| record.entry.devices.into_vec());
        let devices = devices.unwrap_or_default();
        let devices = devices.iter().map(|device| Device {
            contacts: device
                .contacts
                .iter()
                .map(|it| it.addr.to_string())
                .collect(),
            lease_left_s: device.lease_left_s,
        });
        lines.push(Answer::User(User {
            name: owner.name,
            key: owner.identity.to_string(),
            fingerprint: owner.identity.fingerprint(),
            banned: control.store().is_banned(&owner.identity),
            claimed_at: owner.claimed_at,
            used_at: owner.used_at,
            free_at: owner.released_until,
            devices: devices.collect(),
        }));
    }
    Ok(if more {
        format!("there are more than {limit}: name the first letters, or raise --limit")
    } else if nobody {
        "nobody owns a name that begins so".to_owned()
    } else {
        String::new()
    })
}

async fn release<S: Store>(control: &Control<S>, text: &str) -> Result<String, String> {
    let name: Name = text
        .parse()
        .map_err(|error| format!("{text:?} is no name: {error}"))?;
    let ended = control.store().release_by_operator(name.clone()).await;
    control.ended(ended.map_err(|refusal| failed(refusal, text))?);
    Ok(format!("released {name}: whoever claims it next has it"))
}

async fn ban<S: Store>(control: &Control<S>, text: &str) -> Result<String, String> {
    let subject = Subject::of(text, control)?;
    let ended = control.store().ban(subject.banned(), Moment::now()).await;
    control.ended(ended.map_err(|refusal| failed(refusal, text))?);
    let connections = subject
        .identity()
        .map_or(0, |identity| control.end(&identity, ClosingReason::Banned));
    Ok(format!(
        "banned {}; ended {}",
        subject.shown(),
        counted(connections, "connection")
    ))
}

async fn unban<S: Store>(control: &Control<S>, text: &str) -> Result<String, String> {
    let subject = Subject::of(text, control)?;
    let mut banned = subject.banned();
    // A name may have been banned before somebody owned it.
    if let Subject::Owned(owner) = &subject {
        let named = Banned::Name(owner.name.clone());
        if control.store().bans().iter().any(|ban| ban.of == named) {
            banned = named;
        }
    }
    let unbanned = control.store().unban(banned).await;
    match unbanned {
        Ok(()) => Ok(format!("unbanned {}", subject.shown())),
        Err(Refusal::NotFound) => Err(format!("{} is not banned; see bans", subject.shown())),
        Err(refusal) => Err(failed(refusal, text)),
    }
}

fn disconnect<S: Store>(control: &Control<S>, text: &str) -> Result<String, String> {
    let subject = Subject::of(text, control)?;
    let Some(identity) = subject.identity() else {
        return Err(format!("nobody owns {text}"));
    };
    let connections = control.end(&identity, ClosingReason::Operator);
    Ok(format!(
        "ended {} of {}; phones come back by themselves",
        counted(connections, "connection"),
        subject.shown()
    ))
}

async fn invite<S: Store>(
    control: &Control<S>,
    codes: u32,
    uses: u32,
    days: u32,
    lines: &mut Vec<Answer>,
) -> Result<String, String> {
    if !(1..=INVITES_AT_ONCE_MAX).contains(&codes) {
        return Err(format!("1 to {INVITES_AT_ONCE_MAX} codes are made at once"));
    }
    if !(1..=DAYS_MAX).contains(&days) {
        return Err(format!("a code counts for 1 to {DAYS_MAX} days"));
    }
    let at = Moment::now();
    let lasts = Duration::from_secs(u64::from(days) * 24 * 3600).as_millis();
    let expires_at = at
        .time
        .saturating_add(UnixMillis::try_from(lasts).unwrap_or(u64::MAX));
    for _ in 0..codes {
        let code = code().map_err(|error| format!("no randomness: {error}"))?;
        let invite = store::Invite {
            code: Text::new(&code).ok_or("the code is too long")?,
            uses_left: uses,
            expires_at,
        };
        let made = control.store().invite(invite.clone(), at).await;
        made.map_err(|refusal| match refusal {
            Refusal::OutOfRange => "a code gives at least one name".to_owned(),
            Refusal::TooMany => {
                "there are as many invite codes as are kept; see invites".to_owned()
            }
            other => failed(other, "the code"),
        })?;
        lines.push(Answer::Invite(Invite::of(&invite)));
    }
    let each = if codes == 1 { "" } else { " each" };
    Ok(format!(
        "made {}, for {}{each}",
        counted(codes, "invite code"),
        counted(uses, "name")
    ))
}

/// So many of something: `1 name`, `2 names`.
fn counted<N: Copy + Display + From<u8> + PartialEq>(count: N, what: &str) -> String {
    let ending = if count == N::from(1) { "" } else { "s" };
    format!("{count} {what}{ending}")
}

/// A code that is read out and typed without mistakes: `k3xq-7mzp-...`.
fn code() -> Result<String, getrandom::Error> {
    let mut random = [0; CODE_LETTERS];
    getrandom::fill(&mut random)?;
    let letters = random.map(|byte| char::from(LETTERS[usize::from(byte) % LETTERS.len()]));
    let groups = letters.chunks(4).map(String::from_iter);
    Ok(groups.collect::<Vec<_>>().join("-"))
}

fn stats<S: Store>(control: &Control<S>) -> Stats {
    let stats = control.stats(Instant::now());
    let (_, owned) = control.store().owners("", 0);
    let requests = stats.requests.into_iter().map(|it| Requests {
        kind: it.kind.to_owned(),
        all: it.all,
        per_s: it.per_s,
    });
    let counted = control.counters().all();
    Stats {
        uptime_s: stats.uptime.as_secs(),
        connections: stats.connections,
        identities: stats.identities,
        owned,
        registered: stats.registered,
        requests: requests.collect(),
        counted: counted
            .map(|(word, times)| (word.to_owned(), times))
            .collect(),
    }
}

fn failed(refusal: Refusal, about: &str) -> String {
    match refusal {
        Refusal::NotFound => format!("nobody owns {about}; see users"),
        Refusal::TooMany => "there are as many bans as are kept; see bans".to_owned(),
        other => other.to_string(),
    }
}

impl Ban {
    fn of(ban: store::Ban) -> Self {
        let (name, key) = match ban.of {
            Banned::Name(name) => (Some(name), None),
            Banned::Identity(key) => (None, Some(key)),
        };
        Self {
            name,
            key: key.map(|key| key.to_string()),
            fingerprint: key.map(|key| key.fingerprint()),
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
