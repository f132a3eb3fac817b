//! A registry as a process of its own, and what it costs.

#![allow(dead_code, reason = "not every program needs all of it")]

use std::{
    error::Error,
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

pub type Outcome<T> = Result<T, Box<dyn Error>>;

/// A registry of its own, on any port.
pub struct Registry {
    child: Child,
    pub addr: SocketAddr,
    log: Option<std::thread::JoinHandle<String>>,
}

impl Registry {
    /// Starts it with these options.
    pub fn start(options: &[&str]) -> Outcome<Self> {
        let mut folder: PathBuf = std::env::current_exe()?;
        folder.pop();
        folder.pop();
        let mut child = Command::new(folder.join("ramal-registry"))
            .args(["--listen", "127.0.0.1:0"])
            .args(options)
            .env("NO_COLOR", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(child.stderr.take().ok_or("no log")?).lines();
        let addr = loop {
            let line = lines.next().ok_or("the registry ended")??;
            if let Some((_, addr)) = line.split_once("listening addr=") {
                break addr.parse()?;
            }
        };
        // Its log is read, or the pipe would be full. Kept is what it counted.
        let log = std::thread::spawn(move || {
            let counted = lines.map_while(Result::ok);
            let counted = counted.filter(|line| line.contains("counted"));
            counted.last().unwrap_or_default()
        });
        let log = Some(log);
        Ok(Self { child, addr, log })
    }

    /// Resident memory, in KiB.
    pub fn memory(&self) -> Outcome<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        Ok(number.ok_or("no VmRSS")?.parse()?)
    }

    /// Processor time so far, in clock ticks of 10 ms.
    pub fn ticks(&self) -> Outcome<u64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let (_, after_name) = stat.rsplit_once(')').ok_or("no name")?;
        let fields: Vec<&str> = after_name.split_whitespace().collect();
        Ok(fields[11].parse::<u64>()? + fields[12].parse::<u64>()?)
    }

    /// Stops it, and returns the last line of its log that counts.
    pub fn stop(mut self) -> Outcome<String> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        self.child.wait()?;
        let log = self.log.take().map(std::thread::JoinHandle::join);
        log.and_then(Result::ok).ok_or_else(|| "no log".into())
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // It has ended already where all went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
