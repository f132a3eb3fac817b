//! A person's profile on this machine: a folder with their keys, for one name.
//!
//! `CONFIG/NAME/identity` holds the secrets, `CONFIG/NAME/lock` keeps two programs off one profile,
//! `CONFIG/.last-name` remembers the name used last.

use std::{
    fmt,
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use codec::{DeviceId, Identity, KeyCard, Name, UnixMillis, fold, identity::AgreementSecret};
use registry::keyfile;
use zeroize::Zeroizing;

use crate::phone::Me;

/// For how long a key card counts from the start of the phone: 400 days, longer than phones run.
const CARD_VALID_MS: u64 = 400 * 24 * 3600 * 1000;

/// `identity`, agreement secret and device, behind a byte that tells the format.
const FORMAT: u8 = 1;

const IDENTITY_BYTES: usize = 1 + 32 + 32 + 16;

/// A profile that is in use by this program, and by no other until it is dropped.
#[derive(Debug)]
pub struct Profile {
    /// Whose phone this is.
    pub me: Me,
    /// Keeps other programs off the profile.
    pub lock: Lock,
}

/// Keeps other programs off a profile for as long as it is held.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Why a profile cannot be used. Each text names the next step.
#[derive(Debug)]
#[non_exhaustive]
pub enum ProfileError {
    /// The system knows no folder for configuration.
    NoFolder,
    /// Another program uses it.
    InUse(Name),
    /// The file with the keys is not whole.
    Damaged(PathBuf),
    /// The file system refused.
    Io(PathBuf, io::Error),
    /// The system gives no randomness.
    NoRandomness,
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFolder => f.write_str("no folder for the phone's keys; use --config DIR"),
            Self::InUse(name) => write!(
                f,
                "another program is {name}'s phone on this machine; end it, or use another --name"
            ),
            Self::Damaged(path) => write!(
                f,
                "{} is damaged; put a copy back, or remove it for a new identity",
                path.display()
            ),
            Self::Io(path, error) => {
                write!(
                    f,
                    "cannot use {}: {error}; use --config DIR",
                    path.display()
                )
            }
            Self::NoRandomness => f.write_str("the system gives no randomness"),
        }
    }
}

impl std::error::Error for ProfileError {}

/// `$XDG_CONFIG_HOME/ramal`, or what the system has in its place.
///
/// # Errors
/// [`ProfileError::NoFolder`].
pub fn default_folder() -> Result<PathBuf, ProfileError> {
    use etcetera::BaseStrategy;
    let strategy = etcetera::choose_base_strategy().map_err(|_| ProfileError::NoFolder)?;
    Ok(strategy.config_dir().join("ramal"))
}

/// The name used last in this configuration folder.
#[must_use]
pub fn last_name(config: &Path) -> Option<Name> {
    fs::read_to_string(config.join(".last-name"))
        .ok()?
        .parse()
        .ok()
}

impl Profile {
    /// Opens the profile of `name`, and makes it at the first time. `time` dates the key card.
    ///
    /// # Errors
    /// [`ProfileError`].
    pub fn open(config: &Path, name: Name, time: UnixMillis) -> Result<Self, ProfileError> {
        // Names that are the same have the same folder; a folded name holds no separator and
        // does not begin with a dot.
        let folder = config.join(fold(name.as_str()));
        let lock_path = folder.join("lock");
        let failed = |path: &Path, error| ProfileError::Io(path.to_owned(), error);
        keyfile::private_folder(&folder).map_err(|error| failed(&folder, error))?;
        let lock = File::create(&lock_path).map_err(|error| failed(&lock_path, error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(ProfileError::InUse(name)),
            Err(TryLockError::Error(error)) => return Err(failed(&lock_path, error)),
        }
        let (identity, agreement, device) = keys(&folder.join("identity"))?;
        let card = KeyCard::issue(&identity, agreement.key(), time, time + CARD_VALID_MS);
        let last = config.join(".last-name");
        fs::write(&last, name.as_str()).map_err(|error| failed(&last, error))?;
        Ok(Self {
            me: Me {
                name,
                device,
                identity,
                agreement,
                card,
            },
            lock: Lock { _file: lock },
        })
    }
}

/// Reads the keys, or draws them at the first time.
fn keys(path: &Path) -> Result<(Identity, AgreementSecret, DeviceId), ProfileError> {
    let failed = |error| ProfileError::Io(path.to_owned(), error);
    let bytes = match keyfile::read(path).map_err(failed)? {
        Some(bytes) => bytes,
        None => {
            let mut bytes = Zeroizing::new(vec![0; IDENTITY_BYTES]);
            getrandom::fill(&mut bytes).map_err(|_| ProfileError::NoRandomness)?;
            bytes[0] = FORMAT;
            keyfile::write(path, &bytes).map_err(failed)?;
            bytes
        }
    };
    let damaged = || ProfileError::Damaged(path.to_owned());
    let [FORMAT, secrets @ ..] = bytes.as_slice() else {
        return Err(damaged());
    };
    let (identity, rest) = secrets.split_first_chunk::<32>().ok_or_else(damaged)?;
    let (agreement, rest) = rest.split_first_chunk::<32>().ok_or_else(damaged)?;
    let device = rest.try_into().map_err(|_| damaged())?;
    Ok((
        Identity::from_secret(identity),
        AgreementSecret::from_secret(agreement),
        DeviceId(device),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_keeps_its_identity_and_is_used_by_one_program() {
        let config = tempfile::tempdir().unwrap();
        let bob: Name = "Bob".parse().unwrap();
        let first = Profile::open(config.path(), bob.clone(), 1).unwrap();
        let key = first.me.identity.key();
        assert!(matches!(
            Profile::open(config.path(), "BOB".parse().unwrap(), 2),
            Err(ProfileError::InUse(_))
        ));
        let other = Profile::open(config.path(), "eve".parse().unwrap(), 2).unwrap();
        assert_ne!(other.me.identity.key(), key);
        drop(first);
        let again = Profile::open(config.path(), bob.clone(), 3).unwrap();
        assert_eq!(again.me.identity.key(), key);
        assert_eq!(last_name(config.path()), Some(bob));
    }

    #[test]
    fn a_damaged_profile_is_said_and_not_replaced() {
        let config = tempfile::tempdir().unwrap();
        let bob: Name = "bob".parse().unwrap();
        drop(Profile::open(config.path(), bob.clone(), 1).unwrap());
        let file = config.path().join("bob/identity");
        fs::write(&file, [FORMAT, 2, 3]).unwrap();
        let refused = Profile::open(config.path(), bob, 2);
        assert!(matches!(refused, Err(ProfileError::Damaged(_))));
        assert_eq!(fs::read(&file).unwrap(), [FORMAT, 2, 3]);
    }
}
