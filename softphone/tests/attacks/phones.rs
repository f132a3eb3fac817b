//! Phones as processes, and registries that are on their side.

use std::{
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    process::{Child, ChildStdout, Command, Stdio},
    sync::Arc,
};

use codec::Identity;
use registry::{
    client::agent,
    event::Events,
    limits::Limits,
    server::{Config, Plain, Server},
    session::Registrar,
    store::MemoryStore,
    tls::Certificate,
};
use serde_json::Value;

/// A folder for everything, and a runtime for registries.
pub struct Place {
    pub runtime: tokio::runtime::Runtime,
    folder: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self {
            runtime: tokio::runtime::Runtime::new().unwrap(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// Starts `name`'s phone; its profile is kept from one start to the next.
    pub fn phone(&self, name: &str, registry: SocketAddr, arguments: &[&str]) -> Phone {
        self.phone_of(name, name, registry, arguments)
    }

    /// Starts a phone under `name` with the profile that `owner` has for it.
    pub fn phone_of(
        &self,
        owner: &str,
        name: &str,
        registry: SocketAddr,
        arguments: &[&str],
    ) -> Phone {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ramal-phone"))
            .env_remove("RAMAL_NAME")
            .env("PULSE_SERVER", "unix:/nonexistent")
            .env("ALSA_CONFIG_PATH", "/dev/null")
            .env("RAMAL_REGISTRY", registry.to_string())
            .current_dir(self.folder.path())
            .args(["--json", "--plain", "--listen", "127.0.0.1:0"])
            .args(["--input", "silence", "--output", "none"])
            .args(["--name", name, "--config", owner])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Phone {
            child,
            out,
            heard: Vec::new(),
        }
    }
}

/// A registry that does what it should, and its store.
pub fn honest(place: &Place) -> (SocketAddr, Arc<MemoryStore>) {
    let config = Config {
        listen: ([127, 0, 0, 1], 0).into(),
        plain: Plain::Any,
        certificate: Certificate::in_memory().unwrap(),
    };
    let (events, _) = Events::channel();
    let store = Arc::new(MemoryStore::new(100));
    let registrar = Registrar {
        identity: Identity::from_secret(&[9; 32]),
        agent: agent("test"),
        limits: Limits::default(),
    };
    let server = Server::bind(config, registrar, Arc::clone(&store), events);
    let server = place.runtime.block_on(server).unwrap();
    let addr = server.local_addr().unwrap();
    let stop = tokio_util::sync::CancellationToken::new();
    place.runtime.spawn(server.run(stop));
    (addr, store)
}

/// A phone that runs; it ends at the latest when it is dropped.
pub struct Phone {
    child: Child,
    out: BufReader<ChildStdout>,
    heard: Vec<Value>,
}

/// What a phone said and how it ended.
pub struct Over {
    pub code: Option<i32>,
    pub events: Vec<Value>,
    pub complaints: String,
}

impl Phone {
    /// Reads events up to one of this kind.
    pub fn wait_for(&mut self, event: &str) -> Value {
        loop {
            let mut line = String::new();
            let read = self.out.read_line(&mut line).unwrap();
            assert_ne!(read, 0, "no {event}: {:?}", self.heard);
            let value: Value = serde_json::from_str(&line).unwrap();
            self.heard.push(value.clone());
            if value["event"] == event {
                return value;
            }
        }
    }

    pub fn signal(&self, signal: &str) {
        let kill = format!("kill {signal} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(status.success());
    }

    /// Waits until it has ended by itself.
    pub fn end(mut self) -> Over {
        let (mut rest, mut complaints) = (String::new(), String::new());
        self.out.read_to_string(&mut rest).unwrap();
        let mut stderr = self.child.stderr.take().unwrap();
        stderr.read_to_string(&mut complaints).unwrap();
        let mut events = std::mem::take(&mut self.heard);
        events.extend(
            rest.lines()
                .map(|line| serde_json::from_str::<Value>(line).unwrap()),
        );
        Over {
            code: self.child.wait().unwrap().code(),
            events,
            complaints,
        }
    }

    /// Ends it, and says what it told.
    pub fn stop(self) -> Over {
        self.signal("-TERM");
        self.end()
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        // It has ended already where the test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Over {
    pub fn count(&self, kind: &str) -> usize {
        let of_kind = self.events.iter().filter(|event| event["event"] == kind);
        of_kind.count()
    }

    pub fn event(&self, kind: &str) -> &Value {
        let found = self.events.iter().rfind(|event| event["event"] == kind);
        found.unwrap_or_else(|| panic!("no {kind}: {:?} {}", self.events, self.complaints))
    }

    pub fn reason(&self) -> &str {
        self.event("ended")["reason"].as_str().unwrap()
    }
}
