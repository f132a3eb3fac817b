//! Somebody in between: ends TLS on both sides with a certificate of their own, and passes on
//! everything that is said.

use std::net::SocketAddr;

use registry::tls::{self, Certificate};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// Somebody in between, until this is dropped.
pub struct Between {
    pub addr: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Between {
    pub async fn start(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let certificate = Certificate::in_memory().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut relayed = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let certificate = certificate.clone();
                relayed.spawn(async move {
                    let mut near = tls::accept(stream, &certificate).await.unwrap();
                    let stream = TcpStream::connect(to).await.unwrap();
                    let mut far = tls::connect(stream, "registry", to.ip()).await.unwrap();
                    // Whoever closes has seen enough.
                    let _ = copy_bidirectional(&mut near, &mut far).await;
                });
            }
        });
        Self {
            addr,
            _tasks: tasks,
        }
    }
}
