//! What a process holds, counted from what the system says of it.

use std::{collections::BTreeMap, fs};

/// What this process and its runtimes hold at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Open files and sockets, by their kind: `tcp`, `udp`, `unix`, `eventpoll`, `file`...
    pub open: BTreeMap<String, usize>,
    /// Threads.
    pub threads: usize,
    /// Tasks that have not ended: of the registry, the callee and the caller.
    pub tasks: [usize; 3],
    /// Resident memory, in KiB.
    pub rss_kib: u64,
}

impl Counts {
    /// What is held now, with these `tasks`.
    ///
    /// # Errors
    /// This system has no `/proc`, for people.
    pub fn take(tasks: [usize; 3]) -> Result<Self, String> {
        let missing = |error| format!("/proc/self cannot be read: {error}");
        let sockets = sockets();
        let mut open = BTreeMap::new();
        for file in fs::read_dir("/proc/self/fd").map_err(missing)? {
            let path = file.map_err(missing)?.path();
            // The one that reads this folder is closed by now.
            if let Ok(to) = fs::read_link(path) {
                *open
                    .entry(kind(&to.to_string_lossy(), &sockets))
                    .or_default() += 1;
            }
        }
        let threads = fs::read_dir("/proc/self/task").map_err(missing)?.count();
        let status = fs::read_to_string("/proc/self/status").map_err(missing)?;
        let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let rss_kib = rss
            .and_then(|rss| rss.trim().strip_suffix("kB")?.trim().parse().ok())
            .ok_or("/proc/self/status has no VmRSS")?;
        Ok(Self {
            open,
            threads,
            tasks,
            rss_kib,
        })
    }

    /// Whether both are the same but for memory, which never is.
    pub fn is_as(&self, other: &Self) -> bool {
        (&self.open, self.threads, self.tasks) == (&other.open, other.threads, other.tasks)
    }

    /// What there is more of than in `before`, but for memory.
    pub fn more_than(&self, before: &Self) -> Vec<String> {
        let mut more = Vec::new();
        let mut compare = |what: &str, now: usize, then: usize| {
            if now > then {
                more.push(format!("{what}: {now} instead of {then}"));
            }
        };
        for (kind, &now) in &self.open {
            compare(kind, now, before.open.get(kind).copied().unwrap_or(0));
        }
        compare("threads", self.threads, before.threads);
        let whose = ["registry", "callee", "caller"];
        for (whose, (now, then)) in whose.iter().zip(self.tasks.into_iter().zip(before.tasks)) {
            compare(&format!("tasks of the {whose}"), now, then);
        }
        more
    }

    /// How many files there are of a kind.
    pub fn of(&self, kind: &str) -> usize {
        self.open.get(kind).copied().unwrap_or(0)
    }
}

/// What the link of a file descriptor stands for.
fn kind(to: &str, sockets: &BTreeMap<String, &'static str>) -> String {
    if let Some(inode) = to
        .strip_prefix("socket:[")
        .and_then(|to| to.strip_suffix(']'))
    {
        return (*sockets.get(inode).unwrap_or(&"socket")).to_owned();
    }
    if let Some(kind) = to.strip_prefix("anon_inode:") {
        return kind.trim_matches(['[', ']']).to_owned();
    }
    let kind = if to.starts_with("pipe:") {
        "pipe"
    } else {
        "file"
    };
    kind.to_owned()
}

/// Which socket is of which kind, by its inode: the tenth field of `/proc/self/net/*`.
fn sockets() -> BTreeMap<String, &'static str> {
    let mut found = BTreeMap::new();
    for (table, kind, field) in [
        ("tcp", "tcp", 9),
        ("tcp6", "tcp", 9),
        ("udp", "udp", 9),
        ("udp6", "udp", 9),
        ("unix", "unix", 6),
    ] {
        // A system without IPv6 has no table of it.
        let lines = fs::read_to_string(format!("/proc/self/net/{table}")).unwrap_or_default();
        let inodes = lines
            .lines()
            .skip(1)
            .filter_map(|line| line.split_whitespace().nth(field));
        found.extend(inodes.map(|inode| (inode.to_owned(), kind)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_opened_is_counted_by_its_kind() {
        let tcp = std::net::TcpListener::bind("127.0.0.1:0").expect("a socket");
        let sockets = sockets();
        let files = fs::read_dir("/proc/self/fd").expect("a folder");
        let links = files.filter_map(|file| fs::read_link(file.ok()?.path()).ok());
        let kinds: Vec<String> = links
            .map(|to| kind(&to.to_string_lossy(), &sockets))
            .collect();
        assert!(kinds.iter().any(|kind| kind == "tcp"), "{kinds:?}");
        drop(tcp);
        assert_eq!(kind("anon_inode:[eventpoll]", &sockets), "eventpoll");
        assert_eq!(kind("pipe:[17]", &sockets), "pipe");
        assert_eq!(kind("/dev/null", &sockets), "file");
    }

    #[test]
    fn more_of_anything_is_named() {
        let before = Counts {
            tasks: [1, 2, 3],
            threads: 4,
            ..Counts::default()
        };
        let mut after = before.clone();
        assert!(after.more_than(&before).is_empty());
        after.rss_kib = 1 << 30;
        after.threads = 3;
        assert!(after.more_than(&before).is_empty());
        after.tasks[1] = 3;
        after.open.insert("udp".to_owned(), 1);
        assert_eq!(
            after.more_than(&before),
            ["udp: 1 instead of 0", "tasks of the callee: 3 instead of 2"]
        );
    }
}
