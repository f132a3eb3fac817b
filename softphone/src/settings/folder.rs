//! The folder of one name, and a change of identity in it that can break off anywhere.
//!
//! A new identity is written to `identity.next`, with its recovery code, before a registry is asked
//! to give it the name. When the answer has come it takes the place of `identity`, which stays as
//! `identity.backup-1` and so on. When the answer is lost, the next try finds `identity.next`.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    time::SystemTime,
};

use codec::{DeviceId, Name, RecoveryCode, UnixMillis, claim::RecoveryLock, fold};
use registry::keyfile;
use zeroize::Zeroizing;

use super::{
    ProfileError,
    secrets::{self, SECRETS_BYTES, Secrets, Stored},
    unshown::Unshown,
};

/// The most backups of identities that one folder keeps.
const BACKUPS_MAX: u32 = 100;

/// `identity.next` is this byte, the secrets as in format 3 of `identity` without its first byte,
/// and the words of the recovery code.
const NEXT_FORMAT: u8 = 1;

/// The folder of a name, in use by this program and by no other until it is dropped.
#[derive(Debug)]
pub struct Folder {
    name: Name,
    path: PathBuf,
    _lock: File,
}

/// A new identity that a registry may have given the name to, or not.
#[derive(Debug)]
pub struct Next {
    /// The identity.
    pub secrets: Secrets,
    /// Its recovery code, which nobody has been shown.
    pub code: RecoveryCode,
}

/// Where the folder of `name` is, whether it is there or not.
#[must_use]
pub fn folder_of(config: &Path, name: &Name) -> PathBuf {
    // Names that are the same have the same folder; a folded name holds no separator and does not
    // begin with a dot.
    config.join(fold(name.as_str()))
}

/// Whether there is an identity of `name`.
#[must_use]
pub fn has_identity(config: &Path, name: &Name) -> bool {
    folder_of(config, name).join("identity").exists()
}

pub(super) fn failed(path: &Path) -> impl Fn(std::io::Error) -> ProfileError {
    move |error| match keyfile::exposed(&error) {
        Some(exposed) => ProfileError::Exposed(exposed.clone()),
        None => ProfileError::Io(path.to_owned(), error),
    }
}

/// Reads the identity in a folder, without changing it; `None` when there is none.
pub(super) fn stored(folder: &Path) -> Result<Option<Stored>, ProfileError> {
    let path = folder.join("identity");
    if folder.exists() {
        keyfile::check_folder(folder).map_err(failed(folder))?;
    }
    let Some(bytes) = keyfile::read(&path).map_err(failed(&path))? else {
        return Ok(None);
    };
    let changed = fs::metadata(&path).and_then(|metadata| metadata.modified());
    let changed = millis(changed.unwrap_or(SystemTime::UNIX_EPOCH));
    match secrets::decode(&bytes, changed) {
        Some(stored) => Ok(Some(stored)),
        None => Err(ProfileError::Damaged(path)),
    }
}

fn millis(time: SystemTime) -> UnixMillis {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}

impl Folder {
    /// Takes the folder of `name`, and makes it at the first time.
    ///
    /// # Errors
    /// [`ProfileError`], among them [`ProfileError::InUse`].
    pub fn take(config: &Path, name: Name) -> Result<Self, ProfileError> {
        let path = folder_of(config, &name);
        let lock_path = path.join("lock");
        keyfile::guarded_folder(config).map_err(failed(config))?;
        keyfile::private_folder(&path).map_err(failed(&path))?;
        let lock = File::create(&lock_path).map_err(failed(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(ProfileError::InUse(name)),
            Err(TryLockError::Error(error)) => return Err(failed(&lock_path)(error)),
        }
        let _lock = lock;
        Ok(Self { name, path, _lock })
    }

    /// Whose folder it is.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn stored(&self) -> Result<Option<Stored>, ProfileError> {
        stored(&self.path)
    }

    /// Writes the identity in the place of the one that is there.
    pub(super) fn write(&self, secrets: &Secrets) -> Result<(), ProfileError> {
        let path = self.path.join("identity");
        keyfile::write(&path, &secrets.encode()).map_err(failed(&path))
    }

    /// Which of the person's phones this is; drawn at the first time.
    ///
    /// # Errors
    /// [`ProfileError`].
    pub fn device(&self) -> Result<DeviceId, ProfileError> {
        let path = self.path.join("device");
        if let Some(bytes) = keyfile::read(&path).map_err(failed(&path))? {
            let device = bytes.as_slice().try_into();
            return Ok(DeviceId(device.map_err(|_| ProfileError::Damaged(path))?));
        }
        let mut device = [0; 16];
        getrandom::fill(&mut device).map_err(|_| ProfileError::NoRandomness)?;
        self.set_device(DeviceId(device))?;
        Ok(DeviceId(device))
    }

    pub(super) fn set_device(&self, device: DeviceId) -> Result<(), ProfileError> {
        let path = self.path.join("device");
        keyfile::write(&path, &device.0).map_err(failed(&path))
    }

    fn next_path(&self) -> PathBuf {
        self.path.join("identity.next")
    }

    /// The new identity of a change that broke off, if there is one.
    ///
    /// # Errors
    /// [`ProfileError`].
    pub fn next(&self) -> Result<Option<Next>, ProfileError> {
        let path = self.next_path();
        let Some(bytes) = keyfile::read(&path).map_err(failed(&path))? else {
            return Ok(None);
        };
        match decode_next(&bytes) {
            Some(next) => Ok(Some(next)),
            None => Err(ProfileError::Damaged(path)),
        }
    }

    /// Draws a new identity, and writes it beside the one that counts.
    ///
    /// # Errors
    /// [`ProfileError`].
    pub fn draw_next(&self, time: UnixMillis) -> Result<Next, ProfileError> {
        let (secrets, code) = Secrets::draw(time).map_err(|_| ProfileError::NoRandomness)?;
        let words = code.words();
        let mut bytes = Zeroizing::new(Vec::with_capacity(1 + SECRETS_BYTES + words.len()));
        bytes.push(NEXT_FORMAT);
        bytes.extend(&secrets.encode()[1..]);
        bytes.extend(words.as_bytes());
        let path = self.next_path();
        keyfile::write(&path, &bytes).map_err(failed(&path))?;
        Ok(Next { secrets, code })
    }

    /// Forgets a new identity that no registry has given anything to.
    ///
    /// # Errors
    /// [`ProfileError`].
    pub fn drop_next(&self) -> Result<(), ProfileError> {
        let path = self.next_path();
        keyfile::remove(&path).map_err(failed(&path))
    }

    /// Keeps a recovery code until its owner has been shown it.
    pub(super) fn keep_code(&self, code: RecoveryCode) -> Result<Unshown, ProfileError> {
        Unshown::keep(&self.path, self.name.clone(), code)
    }

    /// The recovery code with this lock, if its owner has not been shown it.
    ///
    /// # Errors
    /// [`ProfileError`].
    pub fn unshown(&self, lock: RecoveryLock) -> Result<Option<Unshown>, ProfileError> {
        Unshown::find(&self.path, self.name.clone(), lock)
    }

    /// Puts a new identity in the place of the old one, of which it keeps a backup, and keeps its
    /// recovery code until it is shown. Returns where the backup is, if there was an identity.
    ///
    /// # Errors
    /// [`ProfileError`]. Whatever was done before can be done again.
    pub fn adopt(&self, next: &Next) -> Result<Option<PathBuf>, ProfileError> {
        self.keep_code(next.code.clone())?;
        let backup = self.replace(&next.secrets)?;
        self.drop_next()?;
        Ok(backup)
    }

    /// Puts an identity in the place of the one that is there, of which it keeps a backup. Returns
    /// where, if there was another one.
    ///
    /// # Errors
    /// [`ProfileError`].
    pub fn replace(&self, secrets: &Secrets) -> Result<Option<PathBuf>, ProfileError> {
        let path = self.path.join("identity");
        let old = keyfile::read(&path).map_err(failed(&path))?;
        let new = secrets.encode();
        let backup = match old {
            Some(old) if old != new => Some(self.back_up(&old)?),
            _ => None,
        };
        keyfile::write(&path, &new).map_err(failed(&path))?;
        Ok(backup)
    }

    fn back_up(&self, old: &[u8]) -> Result<PathBuf, ProfileError> {
        let paths = (1..=BACKUPS_MAX).map(|n| self.path.join(format!("identity.backup-{n}")));
        let mut free = paths.filter(|path| !path.exists() && !path.is_symlink());
        let path = free
            .next()
            .ok_or_else(|| ProfileError::TooManyBackups(self.path.clone()))?;
        keyfile::write(&path, old).map_err(failed(&path))?;
        Ok(path)
    }
}

fn decode_next(bytes: &[u8]) -> Option<Next> {
    let (format, rest) = bytes.split_first()?;
    if *format != NEXT_FORMAT {
        return None;
    }
    let (secrets, words) = rest.split_at_checked(SECRETS_BYTES)?;
    Some(Next {
        secrets: Secrets::decode(secrets)?,
        code: std::str::from_utf8(words).ok()?.parse().ok()?,
    })
}
