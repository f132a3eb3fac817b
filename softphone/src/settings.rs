//! A person's profile on this machine: a folder with their keys, for one name.
//!
//! `CONFIG/NAME/identity` holds the secrets, `CONFIG/NAME/device` tells this phone from the same
//! person's others, `CONFIG/NAME/lock` keeps two programs off one profile, `CONFIG/.last-name`
//! remembers the name used last. Who copies `identity` alone to another machine has a second phone
//! there, and both ring.

use std::{
    fmt,
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use codec::{
    DeviceId, Identity, KeyCard, Name, RecoveryLock, UnixMillis, claim::Claim, fold,
    identity::AgreementSecret,
};
use registry::keyfile;
use zeroize::Zeroizing;

use crate::phone::{Keys, Me};

/// For how long a key card counts from the start of the phone: 400 days, longer than phones run.
const CARD_VALID_MS: u64 = 400 * 24 * 3600 * 1000;

/// `identity` is the identity's and the agreement secret, behind a byte that tells the format.
const FORMAT: u8 = 2;

/// The same with the device behind it, as it was when there was no file for that.
const FORMAT_WITH_DEVICE: u8 = 1;

const SECRETS_BYTES: usize = 32 + 32;

const DEVICE_BYTES: usize = 16;

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
        let (identity, agreement, device) = keys(&folder)?;
        let card = KeyCard::issue(&identity, agreement.key(), time, time + CARD_VALID_MS);
        let last = config.join(".last-name");
        fs::write(&last, name.as_str()).map_err(|error| failed(&last, error))?;
        Ok(Self {
            me: Me {
                name,
                device,
                identity,
                keys: Keys::new(card, agreement),
                claim: Claim::new(RecoveryLock([0; 32])),
            },
            lock: Lock { _file: lock },
        })
    }
}

/// Reads keys and device, or draws them at the first time.
fn keys(folder: &Path) -> Result<(Identity, AgreementSecret, DeviceId), ProfileError> {
    let path = folder.join("identity");
    let bytes = read_or_draw::<{ 1 + SECRETS_BYTES }>(&path, Some(FORMAT))?;
    let damaged = || ProfileError::Damaged(path.clone());
    let (secrets, old_device) = match bytes.split_first().ok_or_else(damaged)? {
        (&FORMAT, secrets) => (secrets, None),
        (&FORMAT_WITH_DEVICE, rest) => {
            let (secrets, device) = rest.split_at_checked(SECRETS_BYTES).ok_or_else(damaged)?;
            (secrets, Some(device))
        }
        _ => return Err(damaged()),
    };
    let (identity, agreement) = secrets.split_first_chunk::<32>().ok_or_else(damaged)?;
    let agreement = agreement.try_into().map_err(|_| damaged())?;
    let path = folder.join("device");
    let device = match old_device {
        Some(device) => device.to_vec(),
        None => read_or_draw::<DEVICE_BYTES>(&path, None)?.to_vec(),
    };
    let device = device
        .try_into()
        .map_err(|_| ProfileError::Damaged(path.clone()))?;
    Ok((
        Identity::from_secret(identity),
        AgreementSecret::from_secret(agreement),
        DeviceId(device),
    ))
}

/// What the file holds; at the first time `N` random bytes, the first of them being `format`.
fn read_or_draw<const N: usize>(
    path: &Path,
    format: Option<u8>,
) -> Result<Zeroizing<Vec<u8>>, ProfileError> {
    let failed = |error| ProfileError::Io(path.to_owned(), error);
    if let Some(bytes) = keyfile::read(path).map_err(failed)? {
        return Ok(bytes);
    }
    let mut bytes = Zeroizing::new(vec![0; N]);
    getrandom::fill(&mut bytes).map_err(|_| ProfileError::NoRandomness)?;
    if let (Some(format), Some(first)) = (format, bytes.first_mut()) {
        *first = format;
    }
    keyfile::write(path, &bytes).map_err(failed)?;
    Ok(bytes)
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

    #[test]
    fn a_copied_identity_is_the_same_person_on_another_device() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let bob: Name = "bob".parse().unwrap();
        let first = Profile::open(here.path(), bob.clone(), 1).unwrap();
        keyfile::private_folder(&there.path().join("bob")).unwrap();
        let file = "bob/identity";
        fs::copy(here.path().join(file), there.path().join(file)).unwrap();
        let second = Profile::open(there.path(), bob, 1).unwrap();
        assert_eq!(first.me.identity.key(), second.me.identity.key());
        assert_eq!(
            first.me.keys.agreement.key(),
            second.me.keys.agreement.key()
        );
        assert_ne!(first.me.device, second.me.device);
    }

    #[test]
    fn a_profile_that_keeps_its_device_with_its_keys_still_opens() {
        let config = tempfile::tempdir().unwrap();
        let folder = config.path().join("bob");
        keyfile::private_folder(&folder).unwrap();
        let mut bytes = vec![FORMAT_WITH_DEVICE];
        bytes.extend([[1; 32], [2; 32]].concat());
        bytes.extend([3; 16]);
        keyfile::write(&folder.join("identity"), &bytes).unwrap();
        let profile = Profile::open(config.path(), "bob".parse().unwrap(), 1).unwrap();
        let identity = Identity::from_secret(&[1; 32]);
        assert_eq!(profile.me.identity.key(), identity.key());
        assert_eq!(profile.me.device, DeviceId([3; 16]));
    }
}
