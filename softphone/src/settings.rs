//! A person's profile on this machine: a folder with their keys, for one name.
//!
//! `CONFIG/NAME/identity` holds the secrets, `CONFIG/NAME/device` tells this phone from the same
//! person's others, `CONFIG/NAME/contacts` whom they know, `CONFIG/NAME/calls` which calls there
//! were, `CONFIG/NAME/lock` keeps two programs off one profile, `CONFIG/.last-name` remembers the
//! name used last. Who copies `identity` alone to another machine has a second phone there, and
//! both ring.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use codec::{
    AgreementChain, Name, RecoveryCode, UnixMillis,
    claim::{Claim, INVITE_BYTES_MAX, InviteCode},
};
use registry::keyfile;

use crate::{
    contacts::Book,
    phone::{Keys, Me},
};

mod calls;
pub mod change;
mod contacts;
mod export;
mod folder;
pub mod preferences;
mod secrets;
mod unshown;
mod voice_options;

pub use calls::CallsFile;
pub use contacts::{ContactsFile, Stamp};
pub use export::{EXPORT_BYTES_MAX, ExportError, PASSPHRASE_CHARS_MIN, Passphrase, seal, unseal};
use folder::failed;
pub use folder::{Folder, Next, folder_of, has_identity};
pub use secrets::Secrets;
use secrets::Stored;
pub use unshown::Unshown;
pub use voice_options::VoiceOptions;

/// Reads an invitation as it is typed: what an operator hands to somebody who may claim a name.
///
/// # Errors
/// What one looks like, for people.
pub fn invite(typed: &str) -> Result<InviteCode, String> {
    let no_code = || format!("an invitation has at most {INVITE_BYTES_MAX} letters and digits");
    InviteCode::new(typed.trim()).ok_or_else(no_code)
}

/// A profile that is in use by this program, and by no other until it is dropped.
#[derive(Debug)]
pub struct Profile {
    /// Whose phone this is.
    pub me: Me,
    /// What stays on the disk; keeps other programs off the profile.
    pub disk: Disk,
    /// Known to nobody yet: to be shown to the person when a registry has granted the name.
    pub recovery: Option<Unshown>,
}

/// What a phone keeps on the disk while it runs.
#[derive(Debug)]
pub struct Disk {
    folder: Folder,
    secrets: Secrets,
    /// The serial of the card in use.
    serial: u64,
    /// Whom the person knew when the profile was opened, and what the file was like before.
    people: (Book, Option<Stamp>),
}

/// Why a profile cannot be used. Each text names the next step.
#[derive(Debug)]
#[non_exhaustive]
pub enum ProfileError {
    /// The system knows no folder for configuration.
    NoFolder,
    /// Another program uses it.
    InUse(Name),
    /// There is none in this folder.
    NoIdentity(Name, PathBuf),
    /// There is one already, in this folder.
    Exists(Name, PathBuf),
    /// The file with the keys is not whole.
    Damaged(PathBuf),
    /// The file with the contacts is not whole.
    ContactsDamaged(PathBuf),
    /// A newer program has written the file with the contacts.
    ContactsNewer(PathBuf),
    /// The file with the calls that are over is not whole.
    CallsDamaged(PathBuf),
    /// A newer program has written the file with the calls that are over.
    CallsNewer(PathBuf),
    /// Another program writes the contacts, and does not end.
    ContactsInUse(PathBuf),
    /// Others can get at the keys.
    Exposed(keyfile::Exposed),
    /// The folder has as many backups as it takes.
    TooManyBackups(PathBuf),
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
            Self::NoIdentity(name, folder) => write!(
                f,
                "no identity of {name} in {}; make one with ramal-phone --name {name} answer, or \
                 bring one with ramal-phone identity import FILE",
                folder.display()
            ),
            Self::Exists(name, folder) => write!(
                f,
                "there is an identity of {name} in {} already; --replace puts this one in its \
                 place and keeps a backup of it",
                folder.display()
            ),
            Self::Damaged(path) => write!(
                f,
                "{} is damaged; put a copy back, or move it away (without a copy, the recovery \
                 code gives a new identity the name: ramal-phone identity recover)",
                path.display()
            ),
            Self::ContactsDamaged(path) => write!(
                f,
                "{} is damaged; put a copy back, or move it away (names are then anybody's until \
                 the next call, and nobody is blocked)",
                path.display()
            ),
            Self::ContactsNewer(path) => write!(
                f,
                "{} was written by a newer ramal-phone; update this one",
                path.display()
            ),
            Self::CallsDamaged(path) => write!(
                f,
                "{} is damaged; put a copy back, or move it away",
                path.display()
            ),
            Self::CallsNewer(path) => write!(
                f,
                "{} was written by a newer ramal-phone; update this one",
                path.display()
            ),
            Self::ContactsInUse(path) => write!(
                f,
                "another program has been writing {} for long; end it and try again",
                path.display()
            ),
            Self::Exposed(exposed) => exposed.fmt(f),
            Self::TooManyBackups(folder) => write!(
                f,
                "too many backups in {}; move the oldest away",
                folder.display()
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

/// Remembers the name used last.
///
/// # Errors
/// [`ProfileError`].
pub fn set_last_name(config: &Path, name: &Name) -> Result<(), ProfileError> {
    let last = config.join(".last-name");
    fs::write(&last, name.as_str()).map_err(failed(&last))
}

/// Reads the identity of `name` while it may be in use, and changes nothing. `None` when there is
/// none, or one of an older format, which [`Profile::open`] rewrites.
///
/// # Errors
/// [`ProfileError`].
pub fn read(config: &Path, name: &Name) -> Result<Option<Secrets>, ProfileError> {
    match folder::stored(&folder_of(config, name))? {
        Some(Stored::Current(secrets)) => Ok(Some(secrets)),
        Some(Stored::Old { .. }) | None => Ok(None),
    }
}

/// The folders of names in a configuration folder that hold an identity, in order.
#[must_use]
pub fn names(config: &Path) -> Vec<String> {
    let folders = fs::read_dir(config).into_iter().flatten().flatten();
    let with_identity = folders.filter(|folder| folder.path().join("identity").exists());
    let mut names: Vec<_> = with_identity
        .filter_map(|folder| folder.file_name().into_string().ok())
        .collect();
    names.sort_unstable();
    names
}

impl Profile {
    /// Opens the profile of `name`, and makes it at the first time. Whoever uses it remembers it by
    /// [`set_last_name`] when the name is granted; the first of all is remembered now. `time` tells
    /// which week's keys are in use.
    ///
    /// # Errors
    /// [`ProfileError`].
    pub fn open(config: &Path, name: Name, time: UnixMillis) -> Result<Self, ProfileError> {
        let folder = Folder::take(config, name)?;
        // Until a registry has granted another one, it is the only one.
        if last_name(config).is_none() {
            set_last_name(config, folder.name())?;
        }
        Self::of(folder, time)
    }

    /// The profile in a folder, made at the first time.
    ///
    /// # Errors
    /// [`ProfileError`].
    pub fn of(folder: Folder, time: UnixMillis) -> Result<Self, ProfileError> {
        let drawn = |_| ProfileError::NoRandomness;
        let (mut secrets, drawn_now) = match folder.stored()? {
            Some(Stored::Current(secrets)) => (secrets, None),
            Some(Stored::Old {
                mut secrets,
                device,
            }) => {
                if let Some(device) = device {
                    folder.set_device(device)?;
                }
                let code = RecoveryCode::generate(&mut secrets::rng().map_err(drawn)?);
                secrets.recovery = code.lock();
                (secrets, Some(code))
            }
            None => {
                let (secrets, code) = Secrets::draw(time).map_err(drawn)?;
                (secrets, Some(code))
            }
        };
        let keys = secrets.keys(time);
        let is_new = drawn_now.is_some();
        // The words are on the disk before the identity is.
        let recovery = match drawn_now {
            Some(code) => Some(folder.keep_code(code)?),
            None => folder.unshown(secrets.recovery)?,
        };
        if secrets.forget(time) || is_new {
            folder.write(&secrets)?;
        }
        let me = Me {
            name: folder.name().clone(),
            device: folder.device()?,
            identity: secrets.clone().identity,
            claim: Claim::new(secrets.recovery),
            keys,
        };
        let contacts = ContactsFile::within(folder.path());
        let seen = contacts.stamp();
        let disk = Disk {
            people: (contacts.read()?, seen),
            folder,
            secrets,
            serial: me.keys.card.serial,
        };
        Ok(Self { me, disk, recovery })
    }
}

impl Disk {
    /// The keys of the week that `time` is in, when it is another one than that of the keys in use.
    /// Those of before the week that came before it are gone from the disk then.
    ///
    /// # Errors
    /// [`ProfileError`]; the keys in use stay, and it can be asked again.
    pub fn new_keys(&mut self, time: UnixMillis) -> Result<Option<Keys>, ProfileError> {
        if AgreementChain::epoch_at(time) <= self.serial {
            return Ok(None);
        }
        let keys = self.secrets.keys(time);
        let mut later = self.secrets.clone();
        if later.forget(time) {
            self.folder.write(&later)?;
            self.secrets = later;
        }
        self.serial = keys.card.serial;
        Ok(Some(keys))
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// The file of the calls that are over.
    #[must_use]
    pub fn calls(&self) -> CallsFile {
        CallsFile::within(self.folder.path())
    }

    /// The file of the people whom this person knows.
    #[must_use]
    pub fn contacts(&self) -> ContactsFile {
        ContactsFile::within(self.folder.path())
    }

    /// Whom the person knew when the profile was opened.
    #[must_use]
    pub fn people(&self) -> &Book {
        &self.people.0
    }

    /// What the file of contacts was like before they were read.
    #[must_use]
    pub fn contacts_seen(&self) -> Option<Stamp> {
        self.people.1
    }
}

#[cfg(test)]
mod tests {
    use codec::{DeviceId, Identity};

    use super::*;

    fn bob() -> Name {
        "Bob".parse().unwrap()
    }

    fn open(config: &Path, time: UnixMillis) -> Result<Profile, ProfileError> {
        Profile::open(config, bob(), time)
    }

    #[test]
    fn a_profile_keeps_its_identity_and_is_used_by_one_program() {
        let config = tempfile::tempdir().unwrap();
        let first = open(config.path(), 1).unwrap();
        let key = first.me.identity.key();
        assert!(matches!(
            Profile::open(config.path(), "BOB".parse().unwrap(), 2),
            Err(ProfileError::InUse(_))
        ));
        let other = Profile::open(config.path(), "eve".parse().unwrap(), 2).unwrap();
        assert_ne!(other.me.identity.key(), key);
        // Nobody has granted that name yet.
        assert_eq!(last_name(config.path()), Some(bob()));
        drop(first);
        let again = open(config.path(), 3).unwrap();
        assert_eq!(again.me.identity.key(), key);
        assert_eq!(last_name(config.path()), Some(bob()));
        assert_eq!(names(config.path()), ["bob", "eve"]);
    }

    #[test]
    fn a_recovery_code_is_kept_until_it_was_shown_and_its_lock_goes_with_every_claim() {
        let config = tempfile::tempdir().unwrap();
        let first = open(config.path(), 1).unwrap();
        let code = first.recovery.as_ref().unwrap().code.clone();
        assert!(!format!("{first:?}").contains(code.words().as_str()));
        assert_eq!(first.me.claim.recovery, code.lock());
        drop(first);
        let again = open(config.path(), 2).unwrap();
        assert_eq!(again.me.claim.recovery, code.lock());
        let unshown = again.recovery.unwrap();
        assert!(unshown.code == code);
        unshown.forget().unwrap();
        drop(again.disk);
        let shown = open(config.path(), 3).unwrap();
        assert!(shown.recovery.is_none());
        assert_eq!(shown.me.claim.recovery, code.lock());
    }

    #[test]
    fn the_words_of_an_identity_of_before_are_not_taken_for_those_of_this_one() {
        let config = tempfile::tempdir().unwrap();
        let first = open(config.path(), 1).unwrap();
        let folder = first.disk.folder;
        let (other, code) = Secrets::draw(2).unwrap();
        folder.replace(&other).unwrap();
        assert!(folder.unshown(code.lock()).unwrap().is_none());
        drop(folder);
        assert!(open(config.path(), 3).unwrap().recovery.is_none());
        // Nor is something else that somebody has put there.
        fs::write(config.path().join("bob/recovery-code"), [0xff]).unwrap();
        assert!(open(config.path(), 4).unwrap().recovery.is_none());
    }

    #[test]
    fn a_damaged_profile_is_said_and_not_replaced() {
        let config = tempfile::tempdir().unwrap();
        drop(open(config.path(), 1).unwrap());
        let file = config.path().join("bob/identity");
        let whole = fs::read(&file).unwrap();
        for damaged in [
            &[][..],
            &[3, 2, 3],
            &whole[1..],
            &[&whole[..], &[0]].concat(),
        ] {
            fs::write(&file, damaged).unwrap();
            let refused = open(config.path(), 2);
            assert!(matches!(refused, Err(ProfileError::Damaged(_))));
            assert_eq!(fs::read(&file).unwrap(), damaged);
        }
    }

    #[test]
    fn keys_that_others_can_read_are_not_used() {
        use std::os::unix::fs::PermissionsExt;
        let config = tempfile::tempdir().unwrap();
        drop(open(config.path(), 1).unwrap());
        let folder = config.path().join("bob");
        for (path, mode, step) in [
            (folder.clone(), 0o755, "chmod 700"),
            (folder.join("identity"), 0o644, "chmod 600"),
            (folder.join("device"), 0o660, "chmod 600"),
        ] {
            let before = fs::metadata(&path).unwrap().permissions();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let said = open(config.path(), 2).unwrap_err().to_string();
            assert!(
                said.ends_with(&format!("{step} {}", path.display())),
                "{said}"
            );
            fs::set_permissions(&path, before).unwrap();
        }
        open(config.path(), 2).unwrap();
    }

    #[test]
    fn a_copied_identity_is_the_same_person_on_another_device() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let first = open(here.path(), 1).unwrap();
        keyfile::private_folder(&there.path().join("bob")).unwrap();
        let file = "bob/identity";
        fs::copy(here.path().join(file), there.path().join(file)).unwrap();
        let second = open(there.path(), 1).unwrap();
        assert_eq!(first.me.identity.key(), second.me.identity.key());
        assert_eq!(
            first.me.keys.agreement.key(),
            second.me.keys.agreement.key()
        );
        assert_ne!(first.me.device, second.me.device);
        assert!(second.recovery.is_none());
    }

    #[test]
    fn profiles_of_older_formats_still_open_and_are_rewritten() {
        let secrets = [[1; 32], [2; 32]].concat();
        let with_device = [&[1][..], &secrets, &[3; 16]].concat();
        for old in [with_device, [&[2][..], &secrets].concat()] {
            let config = tempfile::tempdir().unwrap();
            let folder = config.path().join("bob");
            keyfile::private_folder(&folder).unwrap();
            keyfile::write(&folder.join("identity"), &old).unwrap();
            assert!(read(config.path(), &bob()).unwrap().is_none());
            let profile = open(config.path(), Secrets::week(9)).unwrap();
            let identity = Identity::from_secret(&[1; 32]);
            assert_eq!(profile.me.identity.key(), identity.key());
            let device = profile.me.device;
            assert_eq!(device == DeviceId([3; 16]), old[0] == 1);
            let lock = profile.recovery.as_ref().unwrap().code.lock();
            profile.recovery.unwrap().forget().unwrap();
            drop(profile.disk);
            assert_eq!(fs::read(folder.join("identity")).unwrap()[0], 3);
            let again = open(config.path(), Secrets::week(9)).unwrap();
            assert!(again.recovery.is_none());
            assert_eq!((again.me.claim.recovery, again.me.device), (lock, device));
        }
    }

    #[test]
    fn a_running_phone_has_new_keys_every_week_and_old_ones_leave_the_disk() {
        let config = tempfile::tempdir().unwrap();
        let mut profile = open(config.path(), Secrets::week(5)).unwrap();
        let first = profile.me.keys.agreement.key();
        let disk = &mut profile.disk;
        assert!(disk.new_keys(Secrets::week(6) - 1).unwrap().is_none());
        let second = disk.new_keys(Secrets::week(6)).unwrap().unwrap();
        assert_eq!(second.earlier.unwrap().key(), first);
        assert!(disk.new_keys(Secrets::week(6) + 1).unwrap().is_none());
        // A clock that was set back changes nothing.
        assert!(disk.new_keys(Secrets::week(5)).unwrap().is_none());
        let third = disk.new_keys(Secrets::week(7)).unwrap().unwrap();
        assert_eq!(third.earlier.unwrap().key(), second.agreement.key());
        let kept = read(config.path(), &bob()).unwrap().unwrap();
        assert_eq!(kept.chain.epoch(), 6);
        drop(profile);
        let again = open(config.path(), Secrets::week(7)).unwrap();
        assert_eq!(again.me.keys.card, third.card);
    }

    #[test]
    fn keys_that_cannot_be_saved_are_asked_for_again() {
        let config = tempfile::tempdir().unwrap();
        let mut profile = open(config.path(), Secrets::week(5)).unwrap();
        let in_the_way = config.path().join("bob/identity.new");
        fs::create_dir(&in_the_way).unwrap();
        // Nothing has to be forgotten yet.
        assert!(profile.disk.new_keys(Secrets::week(6)).unwrap().is_some());
        assert!(profile.disk.new_keys(Secrets::week(7)).is_err());
        fs::remove_dir(&in_the_way).unwrap();
        assert!(profile.disk.new_keys(Secrets::week(7)).unwrap().is_some());
    }

    #[test]
    fn a_change_of_identity_that_breaks_off_loses_neither() {
        let config = tempfile::tempdir().unwrap();
        let profile = open(config.path(), 1).unwrap();
        let (old, folder) = (profile.me.identity.key(), profile.disk.folder);
        let drawn = folder.draw_next(2).unwrap();
        let new = drawn.secrets.identity.key();
        assert!(!format!("{drawn:?}").contains(drawn.code.words().as_str()));
        drop(folder);
        // The answer of the registry never came; nothing has changed.
        let folder = open(config.path(), 3).unwrap().disk.folder;
        let found = folder.next().unwrap().unwrap();
        assert_eq!(found.secrets.identity.key(), new);
        assert_eq!(found.code, drawn.code);
        let backup = folder.adopt(&found).unwrap().unwrap();
        // Its words are kept until they are shown.
        let unshown = folder.unshown(drawn.code.lock()).unwrap().unwrap();
        assert_eq!(unshown.code, drawn.code);
        assert!(folder.next().unwrap().is_none());
        let Some(Stored::Current(kept)) = folder.stored().unwrap() else {
            panic!("no identity");
        };
        assert_eq!(
            (kept.identity.key(), kept.recovery),
            (new, drawn.code.lock())
        );
        let Some(Stored::Current(kept)) = secrets::decode(&fs::read(&backup).unwrap(), 0) else {
            panic!("no backup");
        };
        assert_eq!(kept.identity.key(), old);
        // Once more, as after a crash between the two: there is nothing else to back up.
        assert_eq!(folder.adopt(&found).unwrap(), None);
    }
}
