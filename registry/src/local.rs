//! Local sockets: a program that runs is asked by others of the same person, in lines. Who may open
//! the socket's file may ask.

use std::{
    fmt, fs,
    io::{self, ErrorKind},
    os::unix::{fs::PermissionsExt, net::UnixStream as StdStream},
    path::{Path, PathBuf},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
};

/// A socket that programs of this machine connect to. Its file is gone when this is dropped.
#[derive(Debug)]
pub struct LocalSocket {
    listener: UnixListener,
    path: PathBuf,
}

/// Why there is no socket.
#[derive(Debug)]
#[non_exhaustive]
pub enum BindError {
    /// Another program answers on it.
    Taken,
    /// Its path is too long for a socket.
    TooLong,
    /// The file system or the system does not allow it.
    System(io::Error),
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken => f.write_str("another program answers on it"),
            Self::TooLong => f.write_str("its path is too long for a socket"),
            Self::System(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for BindError {}

impl From<io::Error> for BindError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::InvalidInput => Self::TooLong,
            _ => Self::System(error),
        }
    }
}

impl LocalSocket {
    /// Opens the socket at `path`, for this user only. The one that a dead program left is
    /// replaced.
    ///
    /// # Errors
    /// [`BindError`].
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn bind(path: PathBuf) -> Result<Self, BindError> {
        match StdStream::connect(&path) {
            Ok(_) => return Err(BindError::Taken),
            // Nobody listens there, or there is nothing.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::ConnectionRefused | ErrorKind::NotFound
                ) => {}
            Err(error) => return Err(error.into()),
        }
        // Others never see it before it is private, whatever the folder and the umask allow.
        let new = path.with_extension("new");
        match fs::remove_file(&new) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let listener = UnixListener::bind(&new)?;
        fs::set_permissions(&new, fs::Permissions::from_mode(0o600))?;
        fs::rename(&new, &path)?;
        Ok(Self { listener, path })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The next program that connects. Cancel safe.
    ///
    /// # Errors
    /// The system gives no connection now.
    pub async fn accept(&self) -> io::Result<UnixStream> {
        Ok(self.listener.accept().await?.0)
    }
}

impl Drop for LocalSocket {
    fn drop(&mut self) {
        // Should it stay, the next program replaces it.
        let _ = fs::remove_file(&self.path);
    }
}

/// The next line, with its end; `None` at the end, and when it is longer than `bytes_max`.
///
/// # Errors
/// Those of the system, and a line that is no text. Not cancel safe.
pub async fn next_line(
    read: &mut BufReader<OwnedReadHalf>,
    bytes_max: usize,
) -> io::Result<Option<String>> {
    let mut line = String::new();
    let most = u64::try_from(bytes_max).unwrap_or(u64::MAX);
    read.take(most).read_line(&mut line).await?;
    Ok(line.ends_with('\n').then_some(line))
}

/// Writes a line, which has no end yet.
///
/// # Errors
/// Those of the system.
pub async fn say(write: &mut OwnedWriteHalf, line: &str) -> io::Result<()> {
    write.write_all(format!("{line}\n").as_bytes()).await
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileTypeExt;

    use super::*;

    #[tokio::test]
    async fn the_socket_is_private_replaces_a_dead_one_and_never_a_living_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.sock");
        // A program that was killed leaves its socket behind.
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        let socket = LocalSocket::bind(path.clone()).unwrap();
        let metadata = fs::metadata(socket.path()).unwrap();
        assert!(metadata.file_type().is_socket());
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let second = LocalSocket::bind(path.clone());
        assert!(matches!(second, Err(BindError::Taken)), "{second:?}");
        assert!(
            StdStream::connect(&path).is_ok(),
            "the first one is there still"
        );
        drop(socket);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_path_that_is_too_long_for_a_socket_is_told_so() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("x".repeat(120));
        fs::create_dir(&deep).unwrap();
        let error = LocalSocket::bind(deep.join("some.sock")).unwrap_err();
        assert!(matches!(error, BindError::TooLong), "{error}");
    }
}
