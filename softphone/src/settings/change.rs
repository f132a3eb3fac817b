//! Telling a registry whose a name is from now on.
//!
//! A new identity is on the disk before a registry hears of it, and counts when the registry has
//! said so. When that answer is lost, nobody knows which of the two counts; the same command again
//! finds out.

use std::{fmt, path::PathBuf, time::Duration};

use codec::{
    DeviceId, Identity, IdentityKey, KeyCard, Name, RecoveryCode, UnixMillis,
    claim::{ChangeKey, Claim, Recover, RecoveryLock, Release},
    greeting::{Nonce, PhoneGreeting, Role, Welcome},
    registry::{Binding, Contacts, EXPIRES_MIN_S, Method, Refusal, Register, Success, Unregister},
};
use registry::client::{Access, AskError, Client, ConnectError, Connected, Host, connect};

use super::{Folder, Next, Profile, ProfileError};

/// How long the registry may take for each answer.
const WITHIN: Duration = Duration::from_secs(10);

/// The first request about ownership on a connection.
const FIRST: u64 = 1;

/// What came of it.
#[derive(Debug)]
pub struct Changed {
    /// Whose the name is now.
    pub identity: IdentityKey,
    /// The lock of the new identity's recovery code, which is in the folder and nobody has seen.
    pub recovery: RecoveryLock,
    /// Where the identity of before is kept, if there was one.
    pub backup: Option<PathBuf>,
}

/// Why it did not happen, or is not known to have happened. Each text names the next step.
#[derive(Debug)]
pub enum ChangeError {
    /// The profile cannot be used.
    Profile(ProfileError),
    /// It did not, and nothing is different.
    Unchanged(Why),
    /// It did not, but what a try before has changed is not known.
    Refused(Why),
    /// It is not known what the registry has changed: both keys are kept, and the same again finds
    /// out.
    Unknown(Why),
}

/// What was in the way.
#[derive(Debug)]
pub enum Why {
    /// There was no connection.
    Connect(ConnectError),
    /// The registry refused.
    Refused(Name, Host, Refusal),
    /// The registry had no time to say whose the name is.
    NoTime,
    /// The system gives no randomness.
    NoRandomness,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(error) => error.fmt(f),
            Self::Refused(name, host, Refusal::NotFound) => write!(
                f,
                "nobody owns {name} at {host}, so there is nothing to change; check --registry, \
                 or claim it: ramal-phone --name {name} answer"
            ),
            Self::Refused(name, host, Refusal::NameTaken) => write!(
                f,
                "{name} belongs to another identity at {host}; its recovery code gets it back \
                 (ramal-phone --name {} identity recover)",
                name.folded()
            ),
            // It is at fault, and says nothing of the name.
            Self::Refused(_, _, Refusal::Failed) => Refusal::Failed.fmt(f),
            Self::Refused(name, host, refusal) => write!(f, "{host} refused for {name}: {refusal}"),
            Self::NoTime => f.write_str("the registry has no time to say whose the name is"),
            Self::NoRandomness => f.write_str("the system gives no randomness"),
        }
    }
}

impl fmt::Display for ChangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Profile(error) => error.fmt(f),
            Self::Unchanged(why) => write!(f, "{why} (nothing was changed)"),
            Self::Refused(why) => why.fmt(f),
            Self::Unknown(why) => write!(
                f,
                "{why}; whether the registry has changed the key is not known, and both keys are \
                 kept: do the same again to find out"
            ),
        }
    }
}

impl std::error::Error for ChangeError {}

impl From<ProfileError> for ChangeError {
    fn from(error: ProfileError) -> Self {
        Self::Profile(error)
    }
}

impl From<AskError> for Asked {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Refused(refusal) => Self::Refused(refusal),
            AskError::Connect(error) => Self::Unanswered(Why::Connect(error)),
            // A later variant: whatever it is, no answer came.
            _ => Self::Unanswered(Why::NoTime),
        }
    }
}

/// What came instead of what was asked for.
enum Asked {
    Refused(Refusal),
    Unanswered(Why),
}

/// Which registry, and how it is reached.
#[derive(Clone, Copy)]
pub struct Way<'a> {
    /// Which one.
    pub host: &'a Host,
    /// How.
    pub access: &'a Access,
    /// Tells the person that it is met for the first time, and its key.
    pub met: &'a (dyn Fn(&Host, IdentityKey) + Sync),
}

/// A connection to a registry, as one identity.
struct Asker {
    client: Client,
    binding: Binding,
    time: UnixMillis,
}

impl Asker {
    async fn greet(way: Way<'_>, card: KeyCard) -> Result<Self, ConnectError> {
        let Way { host, access, met } = way;
        let mut nonce = [0; 32];
        let drawn = getrandom::fill(&mut nonce).map_err(std::io::Error::other);
        drawn.map_err(|error| ConnectError::Io(host.clone(), error))?;
        let nonce = Nonce(nonce);
        let role = Role::Phone(PhoneGreeting { card, nonce });
        let connected = connect(access, host, role, WITHIN).await?;
        let Connected {
            link,
            welcome: Welcome::Registry(welcome),
            exporter,
            is_first,
            ..
        } = connected
        else {
            return Err(ConnectError::WrongRole(host.clone()));
        };
        if is_first {
            met(host, welcome.key);
        }
        Ok(Self {
            binding: Binding {
                registry: welcome.key,
                exporter,
                nonce: welcome.nonce,
            },
            time: welcome.time,
            client: Client::over(link, host.clone(), welcome),
        })
    }

    async fn ask(&mut self, method: Method) -> Result<Success, Asked> {
        Ok(self.client.ask(method, WITHIN).await?)
    }
}

/// Gives the profile's name to a new identity.
///
/// # Errors
/// [`ChangeError`].
pub async fn rotate(
    profile: &Profile,
    way: Way<'_>,
    time: UnixMillis,
) -> Result<Changed, ChangeError> {
    let (me, folder) = (&profile.me, profile.disk.folder());
    let broke_off = folder.next()?;
    let is_again = broke_off.is_some();
    let next = match broke_off {
        Some(next) => next,
        None => folder.draw_next(time)?,
    };
    let mut asker = match Asker::greet(way, me.keys.card).await {
        Ok(asker) => asker,
        Err(error) => return Err(unasked(folder, is_again, Why::Connect(error))),
    };
    let (new, lock) = (&next.secrets.identity, next.secrets.recovery);
    let name = me.name.clone();
    let change = ChangeKey::sign(&me.identity, new, &asker.binding, name, lock, FIRST);
    let refusal = match asker.ask(Method::ChangeKey(change)).await {
        Ok(_) => return adopted(folder, &next),
        Err(Asked::Refused(refusal)) => refusal,
        Err(Asked::Unanswered(why)) => return Err(ChangeError::Unknown(why)),
    };
    let why = Why::Refused(me.name.clone(), way.host.clone(), refusal);
    match refusal {
        Refusal::KeyChanged | Refusal::NameTaken if is_again => {
            // The last try may have been heard after all.
            if owns(way, &next, &me.name, time).await? {
                return adopted(folder, &next);
            }
            Err(ChangeError::Refused(why))
        }
        Refusal::Failed => Err(ChangeError::Unknown(why)),
        _ => Err(unasked(folder, is_again, why)),
    }
}

/// Finds out what came of a recovery that broke off. It may have been heard: then the code is used
/// up, and has done its work. `None` when there is still something to do.
///
/// # Errors
/// [`ChangeError`].
pub async fn find_out(
    folder: &Folder,
    way: Way<'_>,
    time: UnixMillis,
) -> Result<Option<Changed>, ChangeError> {
    match folder.next()? {
        Some(next) if owns(way, &next, folder.name(), time).await? => {
            adopted(folder, &next).map(Some)
        }
        _ => Ok(None),
    }
}

/// Gives a name to a new identity by its recovery code.
///
/// # Errors
/// [`ChangeError`].
pub async fn recover(
    folder: &Folder,
    way: Way<'_>,
    time: UnixMillis,
    code: RecoveryCode,
) -> Result<Changed, ChangeError> {
    let name = folder.name();
    let broke_off = folder.next()?;
    let is_again = broke_off.is_some();
    let next = match broke_off {
        Some(next) => next,
        None => folder.draw_next(time)?,
    };
    let new = &next.secrets.identity;
    let mut asker = match Asker::greet(way, next.secrets.keys(time).card).await {
        Ok(asker) => asker,
        Err(error) => return Err(unasked(folder, is_again, Why::Connect(error))),
    };
    let (lock, binding) = (next.secrets.recovery, asker.binding);
    let recover = Recover::sign(new, &binding, name.clone(), &code, lock, FIRST);
    let refused = |refusal| Why::Refused(name.clone(), way.host.clone(), refusal);
    match asker.ask(Method::Recover(recover)).await {
        Ok(_) => adopted(folder, &next),
        Err(Asked::Refused(Refusal::Failed)) => Err(ChangeError::Unknown(refused(Refusal::Failed))),
        Err(Asked::Refused(refusal)) => Err(unasked(folder, is_again, refused(refusal))),
        Err(Asked::Unanswered(why)) => Err(ChangeError::Unknown(why)),
    }
}

/// Gives the profile's name up.
///
/// # Errors
/// [`ChangeError`].
pub async fn release(profile: &Profile, way: Way<'_>) -> Result<(), ChangeError> {
    let me = &profile.me;
    let asker = Asker::greet(way, me.keys.card).await;
    let mut asker = asker.map_err(|error| ChangeError::Refused(Why::Connect(error)))?;
    let release = Release::sign(&me.identity, &asker.binding, me.name.clone(), FIRST);
    match asker.ask(Method::Release(release)).await {
        Ok(_) => Ok(()),
        Err(Asked::Refused(refusal)) => Err(ChangeError::Refused(Why::Refused(
            me.name.clone(),
            way.host.clone(),
            refusal,
        ))),
        Err(Asked::Unanswered(why)) => Err(ChangeError::Refused(why)),
    }
}

/// Whether the name is the new identity's already: it can register then, which this undoes at once.
async fn owns(
    way: Way<'_>,
    next: &Next,
    name: &Name,
    time: UnixMillis,
) -> Result<bool, ChangeError> {
    let card = next.secrets.keys(time).card;
    let asker = Asker::greet(way, card).await;
    let mut asker = asker.map_err(|error| ChangeError::Unknown(Why::Connect(error)))?;
    let mut device = [0; 16];
    getrandom::fill(&mut device).map_err(|_| ChangeError::Unknown(Why::NoRandomness))?;
    let (identity, device): (&Identity, _) = (&next.secrets.identity, DeviceId(device));
    let register = Register::sign(
        identity,
        &asker.binding,
        name.clone(),
        device,
        card,
        Contacts::default(),
        EXPIRES_MIN_S,
        asker.time,
        Claim::new(next.secrets.recovery),
    );
    match asker.ask(Method::Register(register)).await {
        Ok(_) => {}
        Err(Asked::Refused(Refusal::TooFast { .. } | Refusal::TooMany | Refusal::Failed)) => {
            return Err(ChangeError::Unknown(Why::NoTime));
        }
        Err(Asked::Refused(_)) => return Ok(false),
        Err(Asked::Unanswered(why)) => return Err(ChangeError::Unknown(why)),
    }
    let cseq = asker.time + 1;
    let unregister = Unregister::sign(identity, &asker.binding, name.clone(), device, cseq);
    // If it is not heard, the lease ends by itself.
    let _ = asker.ask(Method::Unregister(unregister)).await;
    Ok(true)
}

fn adopted(folder: &Folder, next: &Next) -> Result<Changed, ChangeError> {
    let backup = folder.adopt(next)?;
    Ok(Changed {
        identity: next.secrets.identity.key(),
        recovery: next.secrets.recovery,
        backup,
    })
}

/// Nothing has changed. A new identity that no registry can have heard of is forgotten.
fn unasked(folder: &Folder, is_again: bool, why: Why) -> ChangeError {
    match is_again {
        true => ChangeError::Unknown(why),
        false => match folder.drop_next() {
            Ok(()) => ChangeError::Unchanged(why),
            Err(error) => ChangeError::Profile(error),
        },
    }
}
