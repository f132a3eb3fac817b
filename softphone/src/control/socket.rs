//! The phone's side of the socket: a task that takes connections, and one each that reads requests,
//! hands them to the driver, and writes what is answered and told.

use std::time::Duration;

use registry::local::{LocalSocket, next_line, say};
use tokio::{
    io::BufReader,
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{mpsc, oneshot, watch},
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{Answer, REQUEST_BYTES_MAX, Request};

/// So many programs may be connected at a time; the connections of others are closed.
const CLIENTS_MAX: usize = 8;

/// How long a program that hears no events may take for a request.
const ASKS_WITHIN: Duration = Duration::from_secs(30);

/// How long a program may take to read a line.
const READS_WITHIN: Duration = Duration::from_secs(5);

/// How long one program waits after each answer: it cannot keep the phone busy.
const NEXT_AFTER: Duration = Duration::from_millis(10);

/// How long to wait when the system gives no connection.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// How many events may wait for a program; one that has more before it is left.
pub(crate) const EVENTS_MAX: usize = 256;

/// A request on its way to the driver.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) request: Request,
    pub(crate) reply: oneshot::Sender<Reply>,
}

/// What the driver answers.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) answer: Answer,
    /// The events from now on, as lines, where they were asked for.
    pub(crate) events: Option<mpsc::Receiver<String>>,
}

/// How a request gets to the driver, which may have ended.
pub(crate) trait Open: Clone + Send + Sync + 'static {
    /// Hands it over; `false` when nobody hears it any more.
    fn ask(&self, ask: Ask) -> impl Future<Output = bool> + Send;
}

/// How long the last answers and events may take to be written.
const FAREWELL: Duration = Duration::from_millis(300);

/// Serves until the sender of `stop` is gone.
pub(crate) async fn serve(socket: LocalSocket, driver: impl Open, mut stop: watch::Receiver<()>) {
    let mut clients = JoinSet::new();
    loop {
        tokio::select! {
            accepted = socket.accept() => match accepted {
                Ok(stream) if clients.len() < CLIENTS_MAX => {
                    clients.spawn(attend(stream, driver.clone()));
                }
                // Telling it why would be one more that waits to be read.
                Ok(_) => {}
                Err(_) => sleep(ACCEPT_AGAIN).await,
            },
            Some(_) = clients.join_next(), if !clients.is_empty() => {}
            _ = stop.changed() => break,
        }
    }
    // The next phone of this name opens its own.
    drop(socket);
    let ended = async { while clients.join_next().await.is_some() {} };
    if timeout(FAREWELL, ended).await.is_err() {
        clients.shutdown().await;
    }
}

async fn attend(stream: UnixStream, driver: impl Open) {
    let (read, write) = stream.into_split();
    let (lines, asked) = mpsc::channel(1);
    // Half a line cannot be put back, so reading is not given up for anything but the end.
    let reading = async {
        read_lines(read, lines).await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = reading => {}
        () = converse(asked, write, driver) => {}
    }
}

async fn read_lines(read: OwnedReadHalf, lines: mpsc::Sender<String>) {
    let mut read = BufReader::new(read);
    while let Ok(Some(line)) = next_line(&mut read, REQUEST_BYTES_MAX).await {
        if lines.send(line).await.is_err() {
            break;
        }
    }
}

/// Answers requests and tells events until the program goes, or does not read.
async fn converse(mut asked: mpsc::Receiver<String>, mut write: OwnedWriteHalf, driver: impl Open) {
    let mut events: Option<mpsc::Receiver<String>> = None;
    loop {
        let listens = events.is_some();
        let (line, rest) = tokio::select! {
            line = next(&mut asked, listens) => {
                let Some(line) = line else { return };
                let Some(reply) = answered(&line, &driver).await else { return };
                events = reply.events.or(events);
                (serde_json::to_string(&reply.answer).ok(), NEXT_AFTER)
            }
            event = told(&mut events) => (event, Duration::ZERO),
        };
        // Without one, this program has left too much unread.
        let Some(line) = line else { return };
        match timeout(READS_WITHIN, say(&mut write, &line)).await {
            Ok(Ok(())) => sleep(rest).await,
            _ => return,
        }
    }
}

/// The next request; `None` when the program has gone, or asks nothing although it hears nothing.
async fn next(asked: &mut mpsc::Receiver<String>, listens: bool) -> Option<String> {
    match listens {
        true => asked.recv().await,
        false => timeout(ASKS_WITHIN, asked.recv()).await.ok().flatten(),
    }
}

/// The next event, as a line; `None` when this program was left. Never, where none are wanted.
async fn told(events: &mut Option<mpsc::Receiver<String>>) -> Option<String> {
    match events {
        Some(events) => events.recv().await,
        None => std::future::pending().await,
    }
}

/// What the driver answers; `None` when it has ended.
async fn answered(line: &str, driver: &impl Open) -> Option<Reply> {
    let request = match Request::read(line) {
        Ok(request) => request,
        Err(why) => {
            let answer = Answer::Failed { why };
            let events = None;
            return Some(Reply { answer, events });
        }
    };
    let (reply, replied) = oneshot::channel();
    if !driver.ask(Ask { request, reply }).await {
        return None;
    }
    replied.await.ok()
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader as StdReader, Write};
    use std::os::unix::net::UnixStream as StdStream;

    use super::*;

    /// A driver that gives its senders of events away.
    impl Open for mpsc::Sender<mpsc::Sender<String>> {
        async fn ask(&self, ask: Ask) -> bool {
            let (sender, events) = mpsc::channel(EVENTS_MAX);
            let answer = Answer::Done {
                call: None,
                status: None,
            };
            let events = Some(events);
            let _ = ask.reply.send(Reply { answer, events });
            self.send(sender).await.is_ok()
        }
    }

    struct Served {
        path: std::path::PathBuf,
        senders: mpsc::Receiver<mpsc::Sender<String>>,
        stop: watch::Sender<()>,
        serving: JoinSet<()>,
        _folder: tempfile::TempDir,
    }

    fn served() -> Served {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("phone.sock");
        let socket = LocalSocket::bind(path.clone()).unwrap();
        let (driver, senders) = mpsc::channel(8);
        let (stop, stopped) = watch::channel(());
        let mut serving = JoinSet::new();
        serving.spawn(serve(socket, driver, stopped));
        Served {
            path,
            senders,
            stop,
            serving,
            _folder: folder,
        }
    }

    #[tokio::test]
    async fn a_program_that_does_not_read_is_left_and_others_are_not() {
        let mut served = served();
        let mut deaf = StdStream::connect(&served.path).unwrap();
        deaf.write_all(b"\"events\"\n").unwrap();
        let to_deaf = served.senders.recv().await.unwrap();
        let mut other = StdStream::connect(&served.path).unwrap();
        other.write_all(b"\"events\"\n").unwrap();
        let to_other = served.senders.recv().await.unwrap();
        // More than the system keeps for somebody, and then more than is waited for.
        let line = "x".repeat(8192);
        while to_deaf.send(line.clone()).await.is_ok() {}
        to_other.send("still here".to_owned()).await.unwrap();
        let heard = tokio::task::spawn_blocking(move || {
            let lines = StdReader::new(other).lines().map(Result::unwrap);
            lines.take(2).collect::<Vec<_>>()
        });
        assert_eq!(heard.await.unwrap()[1], "still here");
    }

    #[tokio::test]
    async fn programs_beyond_the_limit_are_closed_and_the_end_closes_all_and_the_file() {
        let mut served = served();
        let mut within = Vec::new();
        for _ in 0..CLIENTS_MAX {
            let mut client = StdStream::connect(&served.path).unwrap();
            client.write_all(b"\"events\"\n").unwrap();
            served.senders.recv().await.unwrap();
            within.push(client);
        }
        let beyond = StdStream::connect(&served.path).unwrap();
        let closed = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            StdReader::new(beyond).read_line(&mut line)
        });
        assert!(matches!(closed.await.unwrap(), Ok(0) | Err(_)));
        drop(served.stop);
        while served.serving.join_next().await.is_some() {}
        assert!(!served.path.exists());
        for client in within {
            let ended = StdReader::new(client).lines().map_while(Result::ok).count();
            assert_eq!(ended, 1, "the answer, and then the end");
        }
    }
}
