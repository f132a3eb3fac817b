//! Why a registry did not open, and what to do.

use std::{fmt, io, net::SocketAddr, path::PathBuf};

use crate::{keyfile, store::embedded, tls::CertificateError};

/// Why a registry did not open. The text is for a terminal, and names the next step.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// Another program has the port.
    PortTaken(SocketAddr),
    /// The system keeps this port for its own programs, as most do with those below 1024.
    PortForbidden(SocketAddr),
    /// This machine does not have that address.
    NotThisMachine(SocketAddr),
    /// The port cannot be opened for another reason.
    Port(SocketAddr, io::Error),
    /// The folder, or the key in it, cannot be used.
    Folder(PathBuf, io::Error),
    /// The key is no key any more: a copy is put back, or it is removed for a new one.
    KeyDamaged(PathBuf),
    /// There is no certificate.
    Certificate(CertificateError),
    /// The names cannot be opened; [`embedded::OpenError::InUse`] says that a registry runs with
    /// this folder already.
    Store(embedded::OpenError),
    /// The machine fails.
    Machine(String),
}

impl OpenError {
    pub(super) fn of_port(listen: SocketAddr, error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::AddrInUse => Self::PortTaken(listen),
            io::ErrorKind::PermissionDenied => Self::PortForbidden(listen),
            io::ErrorKind::AddrNotAvailable => Self::NotThisMachine(listen),
            _ => Self::Port(listen, error),
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PortTaken(listen) => write!(
                f,
                "cannot listen on {listen}: another program has this port: stop it, or use --listen"
            ),
            Self::PortForbidden(listen) => write!(
                f,
                "cannot listen on {listen}: permission denied; use --listen with a port above 1023"
            ),
            Self::NotThisMachine(listen) => write!(
                f,
                "cannot listen on {listen}: --listen takes an address of this machine"
            ),
            Self::Port(listen, error) => write!(f, "cannot listen on {listen}: {error}"),
            Self::Folder(path, error) => match keyfile::exposed(error) {
                // It says itself which file it is and what to do.
                Some(exposed) => write!(f, "{exposed}"),
                None => write!(
                    f,
                    "cannot keep the key in {}: {error}; use --data DIR",
                    path.display()
                ),
            },
            Self::KeyDamaged(path) => write!(
                f,
                "{} is damaged: put a copy back, or remove it for a new key",
                path.display()
            ),
            Self::Certificate(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
            Self::Machine(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for OpenError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_taken_forbidden_or_elsewhere_is_told_with_the_next_step() {
        let listen = "127.0.0.1:80".parse().unwrap();
        let told = |kind: io::ErrorKind| OpenError::of_port(listen, kind.into()).to_string();
        let forbidden = told(io::ErrorKind::PermissionDenied);
        assert!(forbidden.contains("127.0.0.1:80"), "{forbidden}");
        assert!(forbidden.contains("a port above 1023"), "{forbidden}");
        let taken = told(io::ErrorKind::AddrInUse);
        assert!(taken.contains("stop it, or use --listen"), "{taken}");
        let elsewhere = told(io::ErrorKind::AddrNotAvailable);
        assert!(elsewhere.contains("address of this machine"), "{elsewhere}");
    }
}
