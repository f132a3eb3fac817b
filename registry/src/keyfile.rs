//! Secrets in files that only their owner can read.
//!
//! A file or folder that others can read is refused and not made private in silence: whoever read
//! it has the secret already, and its owner has to know. As `ssh` does, the refusal says what to
//! type.

use std::{
    fmt,
    fs::{self, File, Metadata, OpenOptions, Permissions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use rustix::{fs::OFlags, process::geteuid};
use zeroize::Zeroizing;

/// The longest key file that is read: keys are short.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// The bits of a mode that let others read, write or enter.
const OTHERS: u32 = 0o077;

/// The bits of a mode that let others write.
const OTHERS_WRITE: u32 = 0o022;

/// Why a file or folder is no place for a secret. Each text is whole and names the next step.
///
/// It comes inside an [`io::Error`] of kind [`io::ErrorKind::PermissionDenied`]; see [`exposed`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exposed {
    /// Other users can read or write it.
    File {
        /// Which one.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// Other users can enter it, or write in it.
    Folder {
        /// Which one.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// Other users can write in it, and so put files of theirs in the place of what is there.
    Writable {
        /// Which one.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It is another user's, who can change it and its permissions.
    Foreign {
        /// Which one.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who this is.
        user: u32,
    },
    /// It is a symbolic link. What it leads to would stay behind, with an old secret in it.
    Link {
        /// Which one.
        path: PathBuf,
    },
    /// There is something that is no file, or no folder.
    Neither {
        /// Which one.
        path: PathBuf,
    },
}

impl fmt::Display for Exposed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, mode } => write!(
                f,
                "other users can get at the secret in {path} (its permissions are {mode:o}); if \
                 you trust them, type: chmod 600 {quoted}",
                path = path.display(),
                quoted = Quoted(path),
            ),
            Self::Folder { path, mode } => write!(
                f,
                "other users can get at the folder {path} (its permissions are {mode:o}); keep \
                 them out, type: chmod 700 {quoted}",
                path = path.display(),
                quoted = Quoted(path),
            ),
            Self::Writable { path, mode } => write!(
                f,
                "other users can write in the folder {path} (its permissions are {mode:o}); keep \
                 them from it, type: chmod go-w {quoted}",
                path = path.display(),
                quoted = Quoted(path),
            ),
            Self::Foreign { path, owner, user } => write!(
                f,
                "{path} belongs to another user ({owner}, this is {user}); run this as that user, \
                 or type: sudo chown {user} {quoted}",
                path = path.display(),
                quoted = Quoted(path),
            ),
            Self::Link { path } => write!(
                f,
                "{path} is a symbolic link, and a secret is kept in no other place than its own; \
                 put the file itself there (a link in place of its folder is followed)",
                path = path.display(),
            ),
            Self::Neither { path } => write!(
                f,
                "{path} is not what it should be, a file with a secret or the folder of one; move \
                 it away",
                path = path.display(),
            ),
        }
    }
}

impl std::error::Error for Exposed {}

impl Exposed {
    /// The command that mends it, for a shell, where there is one.
    #[must_use]
    pub fn command(&self) -> Option<String> {
        match self {
            Self::File { path, .. } => Some(format!("chmod 600 {}", Quoted(path))),
            Self::Folder { path, .. } => Some(format!("chmod 700 {}", Quoted(path))),
            Self::Writable { path, .. } => Some(format!("chmod go-w {}", Quoted(path))),
            Self::Foreign { path, user, .. } => Some(format!("sudo chown {user} {}", Quoted(path))),
            Self::Link { .. } | Self::Neither { .. } => None,
        }
    }
}

impl From<Exposed> for io::Error {
    fn from(exposed: Exposed) -> Self {
        Self::new(io::ErrorKind::PermissionDenied, exposed)
    }
}

/// Why a place was refused, when that is what the error says. Its text needs no other around it.
#[must_use]
pub fn exposed(error: &io::Error) -> Option<&Exposed> {
    error.get_ref()?.downcast_ref()
}

/// A path as a shell reads it.
struct Quoted<'a>(&'a Path);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.0.to_string_lossy();
        let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%:,".contains(c);
        if !path.is_empty() && path.chars().all(plain) {
            f.write_str(&path)
        } else {
            write!(f, "'{}'", path.replace('\'', r"'\''"))
        }
    }
}

fn check_owner(path: &Path, metadata: &Metadata) -> Result<(), Exposed> {
    let (owner, user) = (metadata.uid(), geteuid().as_raw());
    if owner == user {
        return Ok(());
    }
    let path = path.to_owned();
    Err(Exposed::Foreign { path, owner, user })
}

/// Makes `folder`, and those above it, so that only its owner can enter it. One that is there
/// already and empty is made so: it has held no secret yet.
///
/// # Errors
/// Those of the file system; [`Exposed`] when there is something in it already, and others can
/// enter.
pub fn private_folder(folder: &Path) -> io::Result<()> {
    // The mask of the process can take permissions away here, and adds none.
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    match check_folder(folder) {
        Err(error) if matches!(exposed(&error), Some(Exposed::Folder { .. })) => {
            if fs::read_dir(folder)?.next().is_some() {
                return Err(error);
            }
            fs::set_permissions(folder, Permissions::from_mode(0o700))
        }
        checked => checked,
    }
}

/// Makes `folder`, and those above it, so that only its owner can enter it. For what others may
/// read, but not replace: in a folder that is there already they may look around.
///
/// # Errors
/// Those of the file system; [`Exposed`] when it is there already and others can write in it.
pub fn guarded_folder(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let metadata = fs::metadata(folder)?;
    let (path, mode) = (folder.to_owned(), metadata.mode() & 0o7777);
    // The superuser can do everything anyway.
    if metadata.uid() != 0 {
        check_owner(folder, &metadata)?;
    }
    match mode & OTHERS_WRITE {
        0 => Ok(()),
        _ => Err(Exposed::Writable { path, mode }.into()),
    }
}

/// Whether others are kept out of a folder that is there. A symbolic link is followed.
///
/// # Errors
/// Those of the file system, and [`Exposed`].
pub fn check_folder(folder: &Path) -> io::Result<()> {
    let metadata = fs::metadata(folder)?;
    let (path, mode) = (folder.to_owned(), metadata.mode() & 0o7777);
    if !metadata.is_dir() {
        return Err(Exposed::Neither { path }.into());
    }
    check_owner(folder, &metadata)?;
    match mode & OTHERS {
        0 => Ok(()),
        _ => Err(Exposed::Folder { path, mode }.into()),
    }
}

/// Whether others are kept out of a file that is there. A symbolic link is followed: this is for
/// files that are written in place.
///
/// # Errors
/// Those of the file system, and [`Exposed`].
pub fn check_file(path: &Path) -> io::Result<()> {
    let metadata = fs::metadata(path)?;
    Ok(check_private(path, &metadata)?)
}

fn check_private(path: &Path, metadata: &Metadata) -> Result<(), Exposed> {
    if !metadata.is_file() {
        let path = path.to_owned();
        return Err(Exposed::Neither { path });
    }
    check_owner(path, metadata)?;
    let (path, mode) = (path.to_owned(), metadata.mode() & 0o7777);
    match mode & OTHERS {
        0 => Ok(()),
        _ => Err(Exposed::File { path, mode }),
    }
}

/// Reads a secret; `None` when there is no such file.
///
/// # Errors
/// Those of the file system; [`Exposed`]; [`io::ErrorKind::InvalidData`] for a file that is far too
/// long.
pub fn read(path: &Path) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    read_up_to(path, FILE_BYTES_MAX)
}

/// [`read`], of at most so many bytes.
///
/// # Errors
/// As [`read`].
pub fn read_up_to(path: &Path, bytes_max: u64) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let Some(file) = open(path)? else {
        return Ok(None);
    };
    let metadata = file.metadata()?;
    check_private(path, &metadata)?;
    let too_long = || io::Error::new(io::ErrorKind::InvalidData, "far too long for what it is");
    if metadata.len() > bytes_max {
        return Err(too_long());
    }
    // Room for all of it at once: a vector that grows leaves copies of the secret behind.
    let length = usize::try_from(metadata.len()).map_err(|_| too_long())?;
    let mut secret = Zeroizing::new(Vec::with_capacity(length + 1));
    file.take(bytes_max).read_to_end(&mut secret)?;
    Ok(Some(secret))
}

/// Opens what is there without waiting for anybody, as a pipe would.
fn open(path: &Path) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    options.read(true).custom_flags(flags.bits().cast_signed());
    match options.open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(_) if path.is_symlink() => {
            let path = path.to_owned();
            Err(Exposed::Link { path }.into())
        }
        Err(error) => Err(error),
    }
}

/// Writes a secret whole or not at all: into a new file, which then takes the place of the old.
/// What the old one held is overwritten, unless the file has another name as well.
///
/// # Errors
/// Those of the file system.
pub fn write(path: &Path, secret: &[u8]) -> io::Result<()> {
    let old = OpenOptions::new().write(true).open(path).ok();
    replace(path, secret)?;
    if let Some(old) = old {
        // The new secret is safe. A file system that keeps old blocks anyway is beyond reach.
        let _ = overwrite(old);
    }
    Ok(())
}

/// Writes what is no secret likewise. Whoever reads the old file meanwhile reads it to its end.
///
/// # Errors
/// Those of the file system.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    // One that was begun and never finished.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&new)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    sync_folder(path)
}

/// Removes a secret, overwritten as by [`write()`]. That there is none is no error.
///
/// # Errors
/// Those of the file system.
pub fn remove(path: &Path) -> io::Result<()> {
    let old = OpenOptions::new().write(true).open(path).ok();
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        removed => removed?,
    }
    sync_folder(path)?;
    if let Some(old) = old {
        let _ = overwrite(old);
    }
    Ok(())
}

/// What was done to names in the folder is on disk when the folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    path.parent()
        .map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// Overwrites a file that has no name any more: one that has is somebody's copy.
fn overwrite(mut file: File) -> io::Result<()> {
    let metadata = file.metadata()?;
    if metadata.nlink() > 0 || metadata.len() > FILE_BYTES_MAX {
        return Ok(());
    }
    let length = usize::try_from(metadata.len()).map_err(io::Error::other)?;
    file.write_all(&vec![0; length])?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{chown, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    /// What it says to a person.
    fn refused<T: fmt::Debug>(result: io::Result<T>) -> String {
        let error = result.unwrap_err();
        exposed(&error).unwrap().to_string()
    }

    #[test]
    fn a_secret_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b");
        private_folder(&deep).unwrap();
        assert_eq!(mode(&deep), 0o700);
        let path = deep.join("key");
        assert!(read(&path).unwrap().is_none());
        write(&path, b"one").unwrap();
        write(&path, b"two").unwrap();
        assert_eq!(mode(&path), 0o600);
        assert_eq!(read(&path).unwrap().unwrap().as_slice(), b"two");
        assert_eq!(fs::read_dir(&deep).unwrap().count(), 1);
        remove(&path).unwrap();
        remove(&path).unwrap();
        assert!(read(&path).unwrap().is_none());
    }

    #[test]
    fn a_key_file_that_others_can_read_or_write_is_refused_with_what_to_type() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a key");
        write(&path, b"secret").unwrap();
        for open in [0o640, 0o604, 0o620, 0o602, 0o666, 0o610] {
            set_mode(&path, open);
            let said = refused(read(&path));
            let step = format!("chmod 600 '{}'", path.display());
            assert!(
                said.ends_with(&step) && said.contains(&format!("{open:o}")),
                "{said}"
            );
            // What others have read is not hidden from its owner by a repair.
            assert_eq!(mode(&path), open);
        }
        set_mode(&path, 0o400);
        assert_eq!(read(&path).unwrap().unwrap().as_slice(), b"secret");
    }

    #[test]
    fn a_folder_that_others_can_enter_or_write_in_is_refused_with_what_to_type() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("bob");
        private_folder(&folder).unwrap();
        write(&folder.join("key"), b"secret").unwrap();
        for open in [0o755, 0o750, 0o770, 0o702, 0o1777] {
            set_mode(&folder, open);
            let said = refused(private_folder(&folder));
            assert!(
                said.ends_with(&format!("chmod 700 {}", folder.display())),
                "{said}"
            );
        }
        set_mode(&folder, 0o700);
        private_folder(&folder).unwrap();
        write(&outer.path().join("file"), b"").unwrap();
        assert!(check_folder(&outer.path().join("file")).is_err());
    }

    #[test]
    fn an_empty_folder_has_no_secret_yet_and_is_made_private() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("data");
        fs::create_dir(&folder).unwrap();
        set_mode(&folder, 0o755);
        private_folder(&folder).unwrap();
        assert_eq!(mode(&folder), 0o700);
    }

    #[test]
    fn a_guarded_folder_may_be_looked_into_and_not_written_in() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("ramal");
        guarded_folder(&folder).unwrap();
        assert_eq!(mode(&folder), 0o700);
        set_mode(&folder, 0o755);
        guarded_folder(&folder).unwrap();
        for open in [0o775, 0o757, 0o1777] {
            set_mode(&folder, open);
            let said = refused(guarded_folder(&folder));
            assert!(
                said.ends_with(&format!("chmod go-w {}", folder.display())),
                "{said}"
            );
        }
    }

    #[test]
    fn what_belongs_to_another_user_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        write(&path, b"secret").unwrap();
        let foreign = match chown(&path, Some(1), None) {
            Ok(()) => path,
            // Only the superuser gives files away; others have one of the superuser's to read.
            Err(_) => PathBuf::from("/etc/passwd"),
        };
        let said = refused(read(&foreign));
        assert!(said.contains("belongs to another user"), "{said}");
        assert!(said.ends_with(&format!(
            "chown {} {}",
            geteuid().as_raw(),
            foreign.display()
        )));
    }

    #[test]
    fn a_link_is_followed_in_place_of_a_folder_and_refused_in_place_of_a_secret() {
        let outer = tempfile::tempdir().unwrap();
        let (folder, link) = (outer.path().join("real"), outer.path().join("link"));
        private_folder(&folder).unwrap();
        symlink(&folder, &link).unwrap();
        private_folder(&link).unwrap();
        write(&folder.join("key"), b"secret").unwrap();
        assert!(read(&link.join("key")).unwrap().is_some());
        symlink(folder.join("key"), folder.join("other")).unwrap();
        let said = refused(read(&folder.join("other")));
        assert!(said.contains("symbolic link"), "{said}");
        // One that leads to an open folder is no way around.
        set_mode(&folder, 0o755);
        assert!(refused(private_folder(&link)).contains("chmod 700"));
    }

    #[test]
    fn what_is_no_file_and_what_is_too_long_are_no_secrets() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path()).is_err());
        let path = folder.path().join("long");
        write(&path, &[7; 65]).unwrap();
        let error = read_up_to(&path, 64).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert_eq!(read_up_to(&path, 65).unwrap().unwrap().len(), 65);
    }

    #[test]
    fn an_old_secret_is_overwritten_and_a_copy_of_it_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (path, copy) = (folder.path().join("key"), folder.path().join("copy"));
        write(&path, b"one").unwrap();
        let mut old = File::open(&path).unwrap();
        write(&path, b"two").unwrap();
        let mut left = Vec::new();
        old.read_to_end(&mut left).unwrap();
        assert_eq!(left, [0; 3]);
        fs::hard_link(&path, &copy).unwrap();
        write(&path, b"three").unwrap();
        assert_eq!(fs::read(&copy).unwrap(), b"two");
    }
}
