//! The programs that the demo runs: starts them, hears what they say, and ends every one of them.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    sync::mpsc::SyncSender,
    thread,
    time::{Duration, Instant},
};

/// How long a program may take to end when it is asked to; then it is killed.
const END_WITHIN: Duration = Duration::from_secs(3);

/// The logs of all programs, by [`Who::name`].
pub const LOGS: [&str; 5] = [
    "registry.log",
    "echo.log",
    "visitor.log",
    "devices.log",
    "softphone.log",
];

/// Which program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The registry.
    Registry,
    /// The phone that sends every voice back.
    Echo,
    /// The phone that calls it.
    Visitor,
    /// Lists microphones and loudspeakers, and ends.
    Devices,
    /// The window of somebody who can call it.
    Softphone,
}

impl Who {
    /// What it is called on the screen, and its log after it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Registry => "registry",
            Self::Echo => "echo",
            Self::Visitor => "visitor",
            Self::Devices => "devices",
            Self::Softphone => "softphone",
        }
    }
}

/// What happens while programs run.
#[derive(Debug)]
pub enum News {
    /// A program wrote a line to its standard output.
    Line(Who, String),
    /// A program closed its standard output: it has ended, or is about to.
    Closed(Who),
    /// The person wants to stop: a signal, or the Enter key.
    Stop,
}

/// A program that runs. Dropping it ends it.
#[derive(Debug)]
pub struct Running {
    child: Child,
}

impl Running {
    /// Starts a program of the folder `programs`. Its standard error goes to a log in `logs`.
    ///
    /// It gets a process group of its own, so that Ctrl-C reaches the demo alone, which then ends
    /// its programs in order.
    ///
    /// # Errors
    /// The program or its log cannot be had.
    pub fn start(
        who: Who,
        command: &mut Command,
        logs: &Path,
        news: SyncSender<News>,
    ) -> io::Result<Self> {
        let log = logs.join(format!("{}.log", who.name()));
        let log = File::options().create(true).append(true).open(log)?;
        let mut child = command
            .env("NO_COLOR", "1")
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()?;
        let stdout = child.stdout.take();
        // From here on the child is owned: whatever fails, it is ended.
        let running = Self { child };
        let stdout = stdout.ok_or(io::ErrorKind::BrokenPipe)?;
        thread::Builder::new().spawn(move || tell_lines(who, stdout, &news))?;
        Ok(running)
    }

    /// How it ended; waits for that, and brings it about when it takes too long.
    pub fn end(&mut self, ask: bool) -> Option<ExitStatus> {
        let until = Instant::now() + END_WITHIN;
        if ask {
            self.ask_to_end();
        }
        while Instant::now() < until {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) => thread::sleep(Duration::from_millis(10)),
                Err(_) => break,
            }
        }
        // An error means that it has ended already, which is what is wanted.
        let _ = self.child.kill();
        self.child.wait().ok()
    }

    /// Sends SIGTERM, which `std` cannot. As long as nobody has waited for the child, its number
    /// is no other's.
    pub fn ask_to_end(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let kill = format!("kill -TERM {}", self.child.id());
            let mut shell = Command::new("sh");
            let shell = shell
                .args(["-c", &kill])
                .process_group(0)
                .stderr(Stdio::null());
            // If there is no shell, the child is killed a little later.
            let _ = shell.status();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end(true);
    }
}

/// Tells every line until there is none, or nobody to tell.
fn tell_lines(who: Who, stdout: ChildStdout, news: &SyncSender<News>) {
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        if news.send(News::Line(who, line)).is_err() {
            return;
        }
    }
    // If nobody hears it, the demo is over.
    let _ = news.send(News::Closed(who));
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;

    fn start(script: &str) -> (Running, std::sync::mpsc::Receiver<News>, tempfile::TempDir) {
        let logs = tempfile::tempdir().unwrap();
        let (sender, news) = sync_channel(8);
        let command = &mut Command::new("sh");
        let command = command.args(["-c", script]);
        let running = Running::start(Who::Echo, command, logs.path(), sender).unwrap();
        (running, news, logs)
    }

    #[test]
    fn a_program_tells_its_lines_and_its_end_and_keeps_a_log() {
        let (mut running, news, logs) = start("echo one; echo two; echo three >&2; exit 7");
        let news: Vec<News> = news.iter().collect();
        assert!(matches!(&news[0], News::Line(Who::Echo, line) if line == "one"));
        assert!(matches!(&news[1], News::Line(Who::Echo, line) if line == "two"));
        assert!(matches!(&news[2..], [News::Closed(Who::Echo)]));
        assert_eq!(running.end(false).and_then(|status| status.code()), Some(7));
        assert_eq!(
            std::fs::read_to_string(logs.path().join("echo.log")).unwrap(),
            "three\n"
        );
    }

    #[test]
    fn a_program_that_is_asked_to_end_can_say_farewell() {
        let (mut running, news, _logs) =
            start("trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.02; done");
        assert!(matches!(news.recv().unwrap(), News::Line(_, line) if line == "up"));
        assert_eq!(running.end(true).and_then(|status| status.code()), Some(0));
        assert!(matches!(news.recv().unwrap(), News::Line(_, line) if line == "bye"));
    }

    #[test]
    fn a_program_that_does_not_listen_is_killed() {
        use std::os::unix::process::ExitStatusExt;
        let (mut running, news, _logs) =
            start("trap '' TERM; echo up; while :; do sleep 0.02; done");
        assert!(matches!(news.recv().unwrap(), News::Line(..)));
        assert_eq!(
            running.end(true).and_then(|status| status.signal()),
            Some(9)
        );
    }

    #[test]
    fn a_program_that_nobody_wants_any_more_has_ended() {
        let (running, news, _logs) = start("echo up; exec sleep 60");
        assert!(matches!(news.recv().unwrap(), News::Line(..)));
        let folder = format!("/proc/{}", running.child.id());
        drop(running);
        assert!(!Path::new(&folder).exists());
    }
}
