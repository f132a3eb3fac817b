//! The socket in the data folder: who may open its file may ask.

use std::{
    fmt, fs,
    io::{self, ErrorKind},
    os::unix::{fs::PermissionsExt, net::UnixStream as StdStream},
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{Answer, Command, REQUEST_BYTES_MAX, answer, socket_of};
use crate::{desk::Desk, store::Store};

/// So many operators may ask at a time; the connections of others are closed.
const CLIENTS_MAX: usize = 8;

/// How long a client may take for a request, and to read a part of an answer.
const WITHIN: Duration = Duration::from_secs(30);

/// How long to wait when the system gives no connection.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// A local socket on which operators ask. Its file is gone when this is dropped.
#[derive(Debug)]
pub struct AdminSocket {
    listener: UnixListener,
    path: PathBuf,
}

/// Why there is no socket.
#[derive(Debug)]
#[non_exhaustive]
pub enum BindError {
    /// Another registry answers on it.
    Taken,
    /// The file system or the system does not allow it.
    System(io::Error),
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken => f.write_str("another registry runs with this data folder"),
            Self::System(error) if error.kind() == ErrorKind::InvalidInput => {
                f.write_str("its path is too long for a socket: use --data with a shorter one")
            }
            Self::System(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for BindError {}

impl From<io::Error> for BindError {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

impl AdminSocket {
    /// Opens the socket in the data folder. The socket that a dead registry left is replaced.
    ///
    /// # Errors
    /// [`BindError`].
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn bind(data: &Path) -> Result<Self, BindError> {
        let path = socket_of(data);
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

    /// Answers until `stop`.
    pub async fn serve<S: Store>(self, desk: Desk<S>, stop: CancellationToken) {
        let mut clients = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) if clients.len() < CLIENTS_MAX => {
                        clients.spawn(serve(stream, desk.clone()));
                    }
                    // Telling it why would be one more that waits to be read.
                    Ok(_) => {}
                    Err(_) => sleep(ACCEPT_AGAIN).await,
                },
                Some(_) = clients.join_next(), if !clients.is_empty() => {}
                () = stop.cancelled() => break,
            }
        }
        clients.shutdown().await;
    }
}

impl Drop for AdminSocket {
    fn drop(&mut self) {
        // Should it stay, the next registry replaces it.
        let _ = fs::remove_file(&self.path);
    }
}

async fn serve<S: Store>(stream: UnixStream, desk: Desk<S>) {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    // Whoever does not ask, or does not read, is not waited for.
    while let Ok(Ok(Some(line))) = timeout(WITHIN, next_line(&mut read)).await {
        let answers = match serde_json::from_str::<Command>(&line) {
            Ok(command) => answer(command, &desk).await,
            Err(error) => vec![Answer::Failed {
                why: format!("that is no request: {error}"),
            }],
        };
        for answer in answers {
            if timeout(WITHIN, say(&mut write, &answer)).await.is_err() {
                return;
            }
        }
    }
}

/// The next line; `None` at the end, and when it is too long.
async fn next_line(read: &mut BufReader<OwnedReadHalf>) -> io::Result<Option<String>> {
    let mut line = String::new();
    let most = u64::try_from(REQUEST_BYTES_MAX).unwrap_or(u64::MAX);
    read.take(most).read_line(&mut line).await?;
    Ok(line.ends_with('\n').then_some(line))
}

async fn say(write: &mut OwnedWriteHalf, answer: &Answer) -> io::Result<()> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    write.write_all(&line).await
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileTypeExt;

    use super::*;

    #[tokio::test]
    async fn the_socket_is_private_replaces_a_dead_one_and_never_a_living_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = socket_of(folder.path());
        // A registry that was killed leaves its socket behind.
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        let socket = AdminSocket::bind(folder.path()).unwrap();
        let metadata = fs::metadata(&path).unwrap();
        assert!(metadata.file_type().is_socket());
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let second = AdminSocket::bind(folder.path());
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
        let error = AdminSocket::bind(&deep).unwrap_err();
        assert!(error.to_string().contains("shorter"), "{error}");
    }
}
