//! A registry that runs in a test, with limits of its own.

use std::{net::SocketAddr, sync::Arc};

use codec::Identity;
use registry::{
    client::agent,
    event::Events,
    limits::{Counters, Limits},
    server::{Config, Plain, Server},
    session::Registrar,
    store::MemoryStore,
    tls::Certificate,
};
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A registry that runs until this is dropped.
pub struct Served {
    pub addr: SocketAddr,
    pub counters: Arc<Counters>,
    /// The registry's own task, which ends by itself only if it fails.
    #[allow(dead_code, reason = "the attacks need neither of these two")]
    pub tasks: JoinSet<()>,
    #[allow(dead_code, reason = "it only has to be kept")]
    pub stop: DropGuard,
}

impl Served {
    pub async fn with(limits: Limits) -> Self {
        let config = Config {
            listen: ([127, 0, 0, 1], 0).into(),
            plain: Plain::Any,
            certificate: Certificate::in_memory().unwrap(),
        };
        let registrar = Registrar {
            identity: Identity::from_secret(&[9; 32]),
            agent: agent("test"),
            limits,
        };
        let (events, _) = Events::channel();
        let store = Arc::new(MemoryStore::limited(&limits));
        let server = Server::bind(config, registrar, store, events)
            .await
            .unwrap();
        let (addr, counters) = (server.local_addr().unwrap(), server.counters());
        let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
        tasks.spawn(server.run(stop.clone()));
        Self {
            addr,
            counters,
            tasks,
            stop: stop.drop_guard(),
        }
    }
}
