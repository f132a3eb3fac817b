//! A recovery code between the moment when it is drawn and the one when its owner has it.
//!
//! It is worth something only when a registry has granted the name, so it is shown then and not
//! before. Until then it is in the file `recovery-code`, which is written before the identity: no
//! crash leaves an identity whose code nobody has.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use codec::{Name, RecoveryCode, claim::RecoveryLock};
use registry::keyfile;
use zeroize::Zeroizing;

use super::{ProfileError, folder::failed};

/// A recovery code that its owner has not been shown, and the file that keeps it meanwhile.
pub struct Unshown {
    /// Whose it is.
    pub name: Name,
    /// The code.
    pub code: RecoveryCode,
    path: PathBuf,
}

impl fmt::Debug for Unshown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "recovery code in {}", self.path.display())
    }
}

impl Unshown {
    /// Keeps a code in the folder of a name, in the place of one that is there.
    pub(super) fn keep(
        folder: &Path,
        name: Name,
        code: RecoveryCode,
    ) -> Result<Self, ProfileError> {
        let path = path_in(folder);
        let line = Zeroizing::new(format!("{}\n", code.words().as_str()));
        keyfile::write(&path, line.as_bytes()).map_err(failed(&path))?;
        Ok(Self { name, code, path })
    }

    /// The code that is kept in the folder of a name, as long as it is the key to this lock: one of
    /// an identity of before is nobody's to show.
    pub(super) fn find(
        folder: &Path,
        name: Name,
        lock: RecoveryLock,
    ) -> Result<Option<Self>, ProfileError> {
        let path = path_in(folder);
        let Some(bytes) = keyfile::read(&path).map_err(failed(&path))? else {
            return Ok(None);
        };
        let words = std::str::from_utf8(&bytes).ok();
        let code = words.and_then(|words| words.parse::<RecoveryCode>().ok());
        let code = code.filter(|code| code.lock() == lock);
        Ok(code.map(|code| Self { name, code, path }))
    }

    /// The file that keeps it.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the file: the owner has seen the words.
    ///
    /// # Errors
    /// [`ProfileError`].
    pub fn forget(self) -> Result<(), ProfileError> {
        keyfile::remove(&self.path).map_err(failed(&self.path))
    }
}

fn path_in(folder: &Path) -> PathBuf {
    folder.join("recovery-code")
}
