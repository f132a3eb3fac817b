//! Registries that can be stopped and started with another key, and phones that are processes.

use std::{
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        mpsc::{Receiver, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use codec::{Identity, IdentityKey, registry::Method};
use registry::{
    client::{Access, Client, agent},
    event::Events,
    limits::Limits,
    server::{Config, Plain, Server},
    session::Registrar,
    store::MemoryStore,
    tls::Certificate,
};
use serde_json::Value;
use tokio::{runtime::Runtime, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// Longer than anything here takes, even on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A registry in this process.
pub struct Registry {
    pub addr: SocketAddr,
    pub key: IdentityKey,
    stop: CancellationToken,
    server: JoinHandle<()>,
}

impl Registry {
    /// One whose key is made of `seed`.
    pub fn start(runtime: &Runtime, listen: SocketAddr, seed: u8) -> Self {
        let identity = Identity::from_secret(&[seed; 32]);
        let key = identity.key();
        let config = Config {
            listen,
            plain: Plain::Loopback,
            certificate: Certificate::in_memory().unwrap(),
        };
        let registrar = Registrar {
            identity,
            agent: agent("test"),
            limits: Limits::default(),
        };
        let (events, _) = Events::channel();
        let store = Arc::new(MemoryStore::new(100));
        let server = runtime
            .block_on(Server::bind(config, registrar, store, events))
            .unwrap();
        let addr = server.local_addr().unwrap();
        let stop = CancellationToken::new();
        let server = runtime.spawn(server.run(stop.clone()));
        Self {
            addr,
            key,
            stop,
            server,
        }
    }

    /// Stops it, and starts another one with another key in its place.
    pub fn replace(self, runtime: &Runtime, seed: u8) -> Self {
        self.stop.cancel();
        runtime.block_on(self.server).unwrap();
        Self::start(runtime, self.addr, seed)
    }

    /// Whether a name is registered.
    pub fn knows(&self, runtime: &Runtime, name: &str) -> bool {
        runtime.block_on(async {
            let access = Access::trusting("test");
            let client = Client::connect(&access, &self.addr.into(), PATIENCE).await;
            let name = name.parse().unwrap();
            let asked = client.unwrap().ask(Method::Lookup { name }, PATIENCE).await;
            asked.is_ok()
        })
    }
}

/// A folder for the phones of a test.
pub struct Place {
    pub runtime: Runtime,
    pub folder: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self {
            runtime: Runtime::new().unwrap(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// Somebody's configuration.
    pub fn config(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The registries that somebody knows, as they stand in the file.
    pub fn pinned(&self, name: &str) -> String {
        std::fs::read_to_string(self.config(name).join(".known-registries")).unwrap()
    }

    /// Runs a phone without sound, as `name` and with the configuration of that name.
    pub fn phone(&self, name: &str, registry: SocketAddr, arguments: &[&str]) -> Phone {
        let registry = registry.to_string();
        let general = ["--json", "--listen", "127.0.0.1:0", "--name", name];
        let sound = ["--input", "silence", "--output", "none"];
        let registry = ["--registry", &registry];
        let arguments = [&general[..], &sound, &registry, arguments].concat();
        Phone::start(&self.config(name), &arguments)
    }
}

/// A running `ramal-phone`.
pub struct Phone {
    child: Child,
    events: Receiver<String>,
    notes: Receiver<String>,
    /// What it has noted so far, up to what was waited for.
    pub noted: Vec<String>,
}

impl Phone {
    pub fn start(config: &Path, arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ramal-phone"))
            .env_remove("RAMAL_NAME")
            .env_remove("RAMAL_REGISTRY")
            .env("PULSE_SERVER", "unix:/nonexistent")
            .env("ALSA_CONFIG_PATH", "/dev/null")
            .arg("--config")
            .arg(config)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            events: lines(child.stdout.take().unwrap()),
            notes: lines(child.stderr.take().unwrap()),
            child,
            noted: Vec::new(),
        }
    }

    /// Waits for an event of this kind.
    pub fn wait_for(&mut self, kind: &str) -> Value {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let Ok(line) = self.events.recv_timeout(left) else {
                self.noted.extend(self.notes.try_iter());
                panic!("no {kind}: {:#?}", self.noted)
            };
            let event: Value = serde_json::from_str(&line).unwrap();
            if event["event"] == kind {
                return event;
            }
        }
    }

    /// Waits for a note that says so.
    pub fn wait_for_note(&mut self, text: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let Ok(line) = self.notes.recv_timeout(left) else {
                panic!("no '{text}': {:#?}", self.noted)
            };
            self.noted.push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
    }

    pub fn interrupt(&self) {
        let kill = format!("kill -INT {}", self.child.id());
        Command::new("sh").args(["-c", &kill]).status().unwrap();
    }

    /// Waits for its end: its exit code, its events and all that it has noted.
    pub fn end(mut self) -> (Option<i32>, Vec<String>, String) {
        let events: Vec<String> = self.events.iter().collect();
        self.noted.extend(self.notes.iter());
        let code = self.child.wait().unwrap().code();
        (code, events, self.noted.join("\n"))
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        // It has ended already where the test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(read: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = sync_channel(10_000);
    // Ends with the program, or with the test.
    thread::spawn(move || {
        for line in BufReader::new(read).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}
