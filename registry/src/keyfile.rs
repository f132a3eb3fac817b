//! Secrets in files that only their owner can read.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

use zeroize::Zeroizing;

/// The longest file that is read: keys are short.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// Makes `folder`, and those above it, so that only its owner can enter it. A folder that is there
/// already stays as it is.
///
/// # Errors
/// Those of the file system.
pub fn private_folder(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
}

/// Reads a secret; `None` when there is no such file. A file that others may read is made private.
///
/// # Errors
/// Those of the file system; [`io::ErrorKind::InvalidData`] for a file that is far too long.
pub fn read(path: &Path) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let metadata = file.metadata()?;
    if metadata.len() > FILE_BYTES_MAX {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "not a key file: too long",
        ));
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    let mut secret = Zeroizing::new(Vec::new());
    file.take(FILE_BYTES_MAX).read_to_end(&mut secret)?;
    Ok(Some(secret))
}

/// Writes a secret whole or not at all: into a new file, which then takes the place of the old.
///
/// # Errors
/// Those of the file system.
pub fn write(path: &Path, secret: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(secret)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    // The rename is on disk when the folder is.
    path.parent()
        .map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
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
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert_eq!(read(&path).unwrap().unwrap().as_slice(), b"two");
        assert_eq!(mode(&path), 0o600);
        assert_eq!(fs::read_dir(&deep).unwrap().count(), 1);
    }
}
