//! Telling a registry whose a name is from now on.
//!
//! A new identity is on the disk before a registry hears of it, and counts when the registry has
//! said so. When that answer is lost, nobody knows which of the two counts; the same command again
//! finds out.

use std::{path::PathBuf, time::Duration};

use codec::{
    DeviceId, Identity, IdentityKey, KeyCard, Name, RecoveryCode, UnixMillis,
    claim::{ChangeKey, Claim, Recover, RecoveryLock, Release},
    greeting::{Nonce, PhoneGreeting, Role, Welcome},
    registry::{Binding, Contacts, EXPIRES_MIN_S, Method, Refusal, Register, Success, Unregister},
};
use registry::client::{Access, AskError, Client, ConnectError, Connected, Host, connect};
use softphone::settings::{Folder, Next, Profile, ProfileError};

use crate::show::Show;

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

/// Which registry, and how it is reached.
#[derive(Clone, Copy)]
pub struct Way<'a> {
    /// Which one.
    pub host: &'a Host,
    /// How.
    pub access: &'a Access,
    /// Tells the person that it is met for the first time.
    pub show: &'a Show,
}

/// A connection to a registry, as one identity.
struct Asker {
    client: Client,
    binding: Binding,
    time: UnixMillis,
}

impl Asker {
    async fn greet(way: Way<'_>, card: KeyCard) -> Result<Self, ConnectError> {
        let Way { host, access, show } = way;
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
            show.registry_met(host, welcome.key);
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

    async fn ask(&mut self, method: Method) -> Result<Success, AskError> {
        self.client.ask(method, WITHIN).await
    }
}

/// Gives the profile's name to a new identity.
///
/// # Errors
/// Why not, with the next step.
pub async fn rotate(profile: &Profile, way: Way<'_>, time: UnixMillis) -> Result<Changed, String> {
    let (me, folder) = (&profile.me, profile.disk.folder());
    let broke_off = folder.next().map_err(in_words)?;
    let is_again = broke_off.is_some();
    let next = match broke_off {
        Some(next) => next,
        None => folder.draw_next(time).map_err(in_words)?,
    };
    let mut asker = match Asker::greet(way, me.keys.card).await {
        Ok(asker) => asker,
        Err(error) => return Err(unasked(folder, is_again, &error.to_string())),
    };
    let (new, lock) = (&next.secrets.identity, next.secrets.recovery);
    let name = me.name.clone();
    let change = ChangeKey::sign(&me.identity, new, &asker.binding, name, lock, FIRST);
    let refusal = match asker.ask(Method::ChangeKey(change)).await {
        Ok(_) => return adopted(folder, &next),
        Err(AskError::Refused(refusal)) => refusal,
        Err(AskError::Connect(error)) => return Err(unanswered(&error.to_string())),
        Err(error) => return Err(unanswered(&error.to_string())),
    };
    match refusal {
        Refusal::KeyChanged | Refusal::NameTaken if is_again => {
            // The last try may have been heard after all.
            if owns(way, &next, &me.name, time).await? {
                return adopted(folder, &next);
            }
            Err(refused(&me.name, way.host, refusal))
        }
        Refusal::Failed => Err(unanswered(&refusal.to_string())),
        _ => Err(unasked(
            folder,
            is_again,
            &refused(&me.name, way.host, refusal),
        )),
    }
}

/// Finds out what came of a recovery that broke off. It may have been heard: then the code is used
/// up, and has done its work. `None` when there is still something to do.
///
/// # Errors
/// Why that cannot be found out, with the next step.
pub async fn find_out(
    folder: &Folder,
    way: Way<'_>,
    time: UnixMillis,
) -> Result<Option<Changed>, String> {
    match folder.next().map_err(in_words)? {
        Some(next) if owns(way, &next, folder.name(), time).await? => {
            adopted(folder, &next).map(Some)
        }
        _ => Ok(None),
    }
}

/// Gives a name to a new identity by its recovery code.
///
/// # Errors
/// Why not, with the next step.
pub async fn recover(
    folder: &Folder,
    way: Way<'_>,
    time: UnixMillis,
    code: RecoveryCode,
) -> Result<Changed, String> {
    let name = folder.name();
    let broke_off = folder.next().map_err(in_words)?;
    let is_again = broke_off.is_some();
    let next = match broke_off {
        Some(next) => next,
        None => folder.draw_next(time).map_err(in_words)?,
    };
    let new = &next.secrets.identity;
    let mut asker = match Asker::greet(way, next.secrets.keys(time).card).await {
        Ok(asker) => asker,
        Err(error) => return Err(unasked(folder, is_again, &error.to_string())),
    };
    let (lock, binding) = (next.secrets.recovery, asker.binding);
    let recover = Recover::sign(new, &binding, name.clone(), &code, lock, FIRST);
    match asker.ask(Method::Recover(recover)).await {
        Ok(_) => adopted(folder, &next),
        Err(AskError::Refused(Refusal::Failed)) => Err(unanswered(&Refusal::Failed.to_string())),
        Err(AskError::Refused(refusal)) => {
            Err(unasked(folder, is_again, &refused(name, way.host, refusal)))
        }
        Err(error) => Err(unanswered(&error.to_string())),
    }
}

/// Gives the profile's name up.
///
/// # Errors
/// Why not, with the next step.
pub async fn release(profile: &Profile, way: Way<'_>) -> Result<(), String> {
    let me = &profile.me;
    let asker = Asker::greet(way, me.keys.card).await;
    let mut asker = asker.map_err(|error| error.to_string())?;
    let release = Release::sign(&me.identity, &asker.binding, me.name.clone(), FIRST);
    match asker.ask(Method::Release(release)).await {
        Ok(_) => Ok(()),
        Err(AskError::Refused(refusal)) => Err(refused(&me.name, way.host, refusal)),
        Err(error) => Err(error.to_string()),
    }
}

/// Whether the name is the new identity's already: it can register then, which this undoes at once.
async fn owns(way: Way<'_>, next: &Next, name: &Name, time: UnixMillis) -> Result<bool, String> {
    let card = next.secrets.keys(time).card;
    let asker = Asker::greet(way, card).await;
    let mut asker = asker.map_err(|error| unanswered(&error.to_string()))?;
    let mut device = [0; 16];
    getrandom::fill(&mut device).map_err(|error| error.to_string())?;
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
        Err(AskError::Refused(Refusal::TooFast { .. } | Refusal::TooMany | Refusal::Failed)) => {
            return Err(unanswered(
                "the registry has no time to say whose the name is",
            ));
        }
        Err(AskError::Refused(_)) => return Ok(false),
        Err(error) => return Err(unanswered(&error.to_string())),
    }
    let cseq = asker.time + 1;
    let unregister = Unregister::sign(identity, &asker.binding, name.clone(), device, cseq);
    // If it is not heard, the lease ends by itself.
    let _ = asker.ask(Method::Unregister(unregister)).await;
    Ok(true)
}

fn adopted(folder: &Folder, next: &Next) -> Result<Changed, String> {
    let backup = folder.adopt(next).map_err(in_words)?;
    Ok(Changed {
        identity: next.secrets.identity.key(),
        recovery: next.secrets.recovery,
        backup,
    })
}

/// Nothing has changed. A new identity that no registry can have heard of is forgotten.
fn unasked(folder: &Folder, is_again: bool, why: &str) -> String {
    match is_again {
        true => unanswered(why),
        false => match folder.drop_next() {
            Ok(()) => format!("{why} (nothing was changed)"),
            Err(error) => format!("{why}; {error}"),
        },
    }
}

/// Nobody knows what has changed.
fn unanswered(why: &str) -> String {
    format!(
        "{why}; whether the registry has changed the key is not known, and both keys are kept: do \
         the same again to find out"
    )
}

/// A refusal of the registry, with the next step.
fn refused(name: &Name, host: &Host, refusal: Refusal) -> String {
    match refusal {
        Refusal::NotFound => format!(
            "nobody owns {name} at {host}, so there is nothing to change; check --registry, or \
             claim it: ramal-phone --name {name} answer"
        ),
        Refusal::NameTaken => format!(
            "{name} belongs to another identity at {host}; its recovery code gets it back \
             (ramal-phone --name {} identity recover)",
            name.folded()
        ),
        refusal => format!("{host} refused for {name}: {refusal}"),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn in_words(error: ProfileError) -> String {
    error.to_string()
}
