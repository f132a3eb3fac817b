//! Registries in the process of the test, which can be stopped and started with another key.

#![allow(dead_code, reason = "not every suite needs all of it")]

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
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
use tokio::{runtime::Runtime, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// A free port of this machine.
pub const ANYWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// How long a registry may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A registry that does what it should, for as long as its runtime is there.
pub struct Registry {
    pub addr: SocketAddr,
    pub key: IdentityKey,
    plain: Plain,
    stop: CancellationToken,
    server: JoinHandle<()>,
}

impl Registry {
    /// One that serves `plain` connections and has a key that is made of `seed`.
    pub fn start(runtime: &Runtime, listen: SocketAddr, plain: Plain, seed: u8) -> Self {
        Self::limited(runtime, listen, plain, seed, Limits::default())
    }

    /// The same with other limits.
    pub fn limited(
        runtime: &Runtime,
        listen: SocketAddr,
        plain: Plain,
        seed: u8,
        limits: Limits,
    ) -> Self {
        let identity = Identity::from_secret(&[seed; 32]);
        let key = identity.key();
        let config = Config {
            listen,
            plain,
            certificate: Certificate::in_memory().unwrap(),
        };
        let registrar = Registrar {
            identity,
            agent: agent("test"),
            limits,
        };
        let (events, _) = Events::channel();
        let store = Arc::new(MemoryStore::new(100));
        let server = Server::bind(config, registrar, store, events);
        let server = runtime.block_on(server).unwrap();
        let addr = server.local_addr().unwrap();
        let stop = CancellationToken::new();
        let server = runtime.spawn(server.run(stop.clone()));
        Self {
            addr,
            key,
            plain,
            stop,
            server,
        }
    }

    /// Stays until it ends, or the process.
    pub fn serve(self, runtime: &Runtime) {
        runtime.block_on(self.server).unwrap();
    }

    /// Stops it, and starts another one with another key in its place.
    pub fn replace(self, runtime: &Runtime, seed: u8) -> Self {
        self.stop.cancel();
        runtime.block_on(self.server).unwrap();
        Self::start(runtime, self.addr, self.plain, seed)
    }
}

/// Whether a name is registered at this registry.
pub fn is_registered(runtime: &Runtime, registry: SocketAddr, name: &str) -> bool {
    let name = name.parse().unwrap();
    runtime.block_on(async {
        let access = Access::trusting("test");
        let client = Client::connect(&access, &registry.into(), PATIENCE).await;
        let asked = client.unwrap().ask(Method::Lookup { name }, PATIENCE).await;
        asked.is_ok()
    })
}
