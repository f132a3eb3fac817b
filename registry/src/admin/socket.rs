//! The socket in the data folder: who may open its file may ask.

use std::{fmt, io, path::Path, time::Duration};

use tokio::{
    io::BufReader,
    net::{UnixStream, unix::OwnedWriteHalf},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{Answer, Command, REQUEST_BYTES_MAX, answer, socket_of};
use crate::{
    desk::Desk,
    local::{self, LocalSocket},
    store::Store,
};

/// So many operators may ask at a time; the connections of others are closed.
const CLIENTS_MAX: usize = 8;

/// How long a client may take for a request, and to read a part of an answer.
const WITHIN: Duration = Duration::from_secs(30);

/// How long to wait when the system gives no connection.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// A local socket on which operators ask. Its file is gone when this is dropped.
#[derive(Debug)]
pub struct AdminSocket {
    socket: LocalSocket,
}

/// Why there is no socket.
#[derive(Debug)]
#[non_exhaustive]
pub enum BindError {
    /// Another registry answers on it.
    Taken,
    /// The file system or the system does not allow it.
    System(local::BindError),
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken => f.write_str("another registry runs with this data folder"),
            Self::System(error @ local::BindError::TooLong) => {
                write!(f, "{error}: use --data with a shorter one")
            }
            Self::System(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for BindError {}

impl AdminSocket {
    /// Opens the socket in the data folder. The socket that a dead registry left is replaced.
    ///
    /// # Errors
    /// [`BindError`].
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn bind(data: &Path) -> Result<Self, BindError> {
        match LocalSocket::bind(socket_of(data)) {
            Ok(socket) => Ok(Self { socket }),
            Err(local::BindError::Taken) => Err(BindError::Taken),
            Err(error) => Err(BindError::System(error)),
        }
    }

    /// Answers until `stop`.
    pub async fn serve<S: Store>(self, desk: Desk<S>, stop: CancellationToken) {
        let mut clients = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.socket.accept() => match accepted {
                    Ok(stream) if clients.len() < CLIENTS_MAX => {
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

async fn serve<S: Store>(stream: UnixStream, desk: Desk<S>) {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    // Whoever does not ask, or does not read, is not waited for.
    while let Ok(Ok(Some(line))) =
        timeout(WITHIN, local::next_line(&mut read, REQUEST_BYTES_MAX)).await
    {
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

async fn say(write: &mut OwnedWriteHalf, answer: &Answer) -> io::Result<()> {
    local::say(write, &serde_json::to_string(answer)?).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_data_folder_has_one_socket_and_a_problem_is_told_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let socket = AdminSocket::bind(folder.path()).unwrap();
        let second = AdminSocket::bind(folder.path());
        assert!(matches!(second, Err(BindError::Taken)), "{second:?}");
        drop(socket);
        let deep = folder.path().join("x".repeat(120));
        std::fs::create_dir(&deep).unwrap();
        let error = AdminSocket::bind(&deep).unwrap_err();
        assert!(error.to_string().contains("shorter"), "{error}");
    }
}
