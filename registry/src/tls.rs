//! TLS 1.3 between programs that prove who they are inside it, and the stream that is the same
//! with and without.
//!
//! Nobody checks a certificate here: it is self-made at most registries and all phones. A registry
//! proves its long-term key over the connection's exporter (RFC 9266), phones bind their nonces to
//! it. Somebody in between has two connections with two exporters, and can do neither.

use std::{
    fmt, io,
    net::IpAddr,
    path::{Path, PathBuf},
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, ready},
};

use codec::greeting::Exporter;
use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::{
    ClientConfig, DigitallySignedStruct, ServerConfig, SignatureScheme,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, aws_lc_rs, verify_tls13_signature},
    pki_types::{
        CertificateDer, PrivateKeyDer, ServerName, UnixTime,
        pem::{Error as PemError, PemObject},
    },
    server::NoServerSessionStorage,
    version::TLS13,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use crate::keyfile;

/// The first byte of a TLS connection: a handshake record (RFC 8446, 5.1).
pub const FIRST_BYTE: u8 = 0x16;

/// The first byte of a TLS connection that ends at once: an alert record.
const ALERT_BYTE: u8 = 0x15;

/// What makes an exporter a channel binding (RFC 9266, 2).
const EXPORTER_LABEL: &[u8] = b"EXPORTER-Channel-Binding";

/// How many bytes of records may wait inside TLS. Little, so that a link knows what its peer has
/// not read yet.
const RECORDS_MAX: usize = 16 * 1024;

/// The files of a self-made certificate, in the folder of who made it.
const CERTIFICATE_FILE: &str = "tls-certificate.pem";
const KEY_FILE: &str = "tls-key.pem";

/// Why there is no certificate to serve TLS with. Each text names the next step.
#[derive(Debug)]
#[non_exhaustive]
pub enum CertificateError {
    /// A file cannot be read or written.
    Io(PathBuf, io::Error),
    /// A file has no certificate, or no private key, in PEM.
    NotPem(PathBuf, &'static str),
    /// The key is another certificate's.
    KeyDoesNotFit {
        /// Where the certificate stands.
        certificate: PathBuf,
        /// Where the key stands.
        key: PathBuf,
    },
    /// The certificate or the key is of a kind that cannot be used.
    Unusable(PathBuf, String),
    /// No certificate could be made.
    NotMade(String),
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(path, error) => write!(
                f,
                "cannot use {}: {error}; check the path, and who may read it",
                path.display()
            ),
            Self::NotPem(path, what) => write!(
                f,
                "{} has no {what} in PEM; it begins with a line -----BEGIN ...-----",
                path.display()
            ),
            Self::KeyDoesNotFit { certificate, key } => write!(
                f,
                "the key in {} is not the one of the certificate in {}; give both of one pair",
                key.display(),
                certificate.display()
            ),
            Self::Unusable(path, why) => write!(
                f,
                "{} cannot be used: {why}; an ECDSA, RSA or Ed25519 certificate is needed",
                path.display()
            ),
            Self::NotMade(why) => write!(f, "no certificate could be made: {why}"),
        }
    }
}

impl std::error::Error for CertificateError {}

/// How TLS is served: with which certificate.
#[derive(Clone)]
pub struct Certificate(Arc<ServerConfig>);

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("certificate")
    }
}

impl Certificate {
    /// A new self-made certificate that is kept nowhere.
    ///
    /// # Errors
    /// [`CertificateError::NotMade`].
    pub fn in_memory() -> Result<Self, CertificateError> {
        let (certificate, key) = self_made()?;
        let nowhere = Path::new("memory");
        Self::from_pem(certificate.as_bytes(), key.as_bytes(), nowhere, nowhere)
    }

    /// The self-made certificate in `folder`; at the first time, and whenever one of its two files
    /// is missing, a new one. Both files are their owner's alone.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn kept_in(folder: &Path) -> Result<Self, CertificateError> {
        let (certificate_file, key_file) = (folder.join(CERTIFICATE_FILE), folder.join(KEY_FILE));
        let read = |path: &Path| {
            keyfile::read(path).map_err(|error| CertificateError::Io(path.to_owned(), error))
        };
        if let (Some(certificate), Some(key)) = (read(&certificate_file)?, read(&key_file)?) {
            return Self::from_pem(&certificate, &key, &certificate_file, &key_file);
        }
        let (certificate, key) = self_made()?;
        let write = |path: &Path, text: &str| {
            keyfile::write(path, text.as_bytes())
                .map_err(|error| CertificateError::Io(path.to_owned(), error))
        };
        write(&key_file, &key)?;
        write(&certificate_file, &certificate)?;
        Self::from_pem(
            certificate.as_bytes(),
            key.as_bytes(),
            &certificate_file,
            &key_file,
        )
    }

    /// A certificate that somebody else has made, with those that vouch for it behind it in the
    /// same file, and its key, both in PEM.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Self, CertificateError> {
        let read = |path: &Path| {
            std::fs::read(path)
                .map(zeroize::Zeroizing::new)
                .map_err(|error| CertificateError::Io(path.to_owned(), error))
        };
        Self::from_pem(&read(certificate)?, &read(key)?, certificate, key)
    }

    fn from_pem(
        certificate: &[u8],
        key: &[u8],
        certificate_file: &Path,
        key_file: &Path,
    ) -> Result<Self, CertificateError> {
        let no_certificate =
            || CertificateError::NotPem(certificate_file.to_owned(), "certificate");
        let chain: Result<Vec<_>, PemError> = CertificateDer::pem_slice_iter(certificate).collect();
        let chain = chain.map_err(|_| no_certificate())?;
        if chain.is_empty() {
            return Err(no_certificate());
        }
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|_| CertificateError::NotPem(key_file.to_owned(), "private key"))?;
        let config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])
            .map_err(|error| CertificateError::NotMade(error.to_string()))?
            .with_no_client_auth()
            .with_single_cert(chain, key);
        let mut config = config.map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => CertificateError::KeyDoesNotFit {
                certificate: certificate_file.to_owned(),
                key: key_file.to_owned(),
            },
            rustls::Error::InvalidCertificate(_) => {
                CertificateError::Unusable(certificate_file.to_owned(), error.to_string())
            }
            error => CertificateError::Unusable(key_file.to_owned(), error.to_string()),
        })?;
        // Connections last for days, so nothing is kept to make the next one a little shorter.
        config.send_tls13_tickets = 0;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        Ok(Self(Arc::new(config)))
    }
}

/// A certificate that says nothing, for ever, and its key, in PEM.
fn self_made() -> Result<(String, zeroize::Zeroizing<String>), CertificateError> {
    let not_made = |error: rcgen::Error| CertificateError::NotMade(error.to_string());
    let key = KeyPair::generate().map_err(not_made)?;
    let mut params = CertificateParams::new(["ramal".to_owned()]).map_err(not_made)?;
    let name = &mut params.distinguished_name;
    name.push(DnType::CommonName, "ramal");
    let certificate = params.self_signed(&key).map_err(not_made)?;
    Ok((certificate.pem(), key.serialize_pem().into()))
}

fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(aws_lc_rs::default_provider())))
}

/// How TLS is begun: TLS 1.3 and nothing before, with whoever is there. Who that is, is shown
/// inside.
#[must_use]
pub fn client_config() -> Arc<ClientConfig> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    let make = || {
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])
            .expect("the provider has suites of TLS 1.3")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anybody))
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        Arc::new(config)
    };
    Arc::clone(CONFIG.get_or_init(make))
}

/// Takes every certificate, but only from who has its key.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::PeerIncompatible::Tls12NotOffered.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &provider().signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// A connection, with or without TLS.
#[derive(Debug)]
pub enum Stream {
    /// Without.
    Plain(TcpStream),
    /// The listener's end of TLS. In a box, so that a connection without needs no room for it.
    Served(Box<server::TlsStream<TcpStream>>),
    /// The end of TLS of who connected.
    Dialled(Box<client::TlsStream<Peeked>>),
}

impl Stream {
    /// What signatures and nonces on this connection are bound to; [`Exporter::PLAIN`] without TLS.
    ///
    /// # Errors
    /// None on a connection that TLS has set up.
    pub fn exporter(&self) -> io::Result<Exporter> {
        let exported = match self {
            Self::Plain(_) => return Ok(Exporter::PLAIN),
            Self::Served(stream) => {
                let (_, connection) = stream.get_ref();
                connection.export_keying_material([0; 32], EXPORTER_LABEL, None)
            }
            Self::Dialled(stream) => {
                let (_, connection) = stream.get_ref();
                connection.export_keying_material([0; 32], EXPORTER_LABEL, None)
            }
        };
        exported.map(Exporter).map_err(io::Error::other)
    }
}

/// Takes TLS from somebody who begins it on `stream`.
///
/// # Errors
/// Those of the connection; [`io::ErrorKind::InvalidData`] for what is no TLS 1.3. The peer has
/// been told by an alert.
pub async fn accept(stream: TcpStream, certificate: &Certificate) -> io::Result<Stream> {
    let acceptor = TlsAcceptor::from(Arc::clone(&certificate.0));
    let handshake = acceptor.accept_with(stream, |connection| {
        connection.set_buffer_limit(Some(RECORDS_MAX));
    });
    Ok(Stream::Served(Box::new(handshake.await?)))
}

/// Begins TLS on `stream`. `name` is told to the listener in clear when it is a DNS name, as
/// whoever asked for its address has told already; an address is not told.
///
/// # Errors
/// Those of the connection, and those of TLS. When the first byte that comes back is none of TLS,
/// the plain connection is handed back with everything that came still to be read.
pub async fn connect(
    stream: TcpStream,
    name: &str,
    ip: IpAddr,
) -> Result<Stream, (io::Error, Option<TcpStream>)> {
    let name = ServerName::try_from(name.to_owned()).unwrap_or_else(|_| ip.into());
    let connector = TlsConnector::from(client_config());
    let stream = Peeked {
        stream,
        first: First::Unknown,
    };
    let handshake = connector.connect_with(name, stream, |connection| {
        connection.set_buffer_limit(Some(RECORDS_MAX));
    });
    match handshake.into_fallible().await {
        Ok(stream) => Ok(Stream::Dialled(Box::new(stream))),
        Err((error, Peeked { stream, first })) => {
            let plain = (first == First::OfNoTls).then_some(stream);
            Err((error, plain))
        }
    }
}

/// A connection whose first byte is looked at before TLS has it.
#[derive(Debug)]
pub struct Peeked {
    stream: TcpStream,
    first: First,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum First {
    Unknown,
    OfTls,
    OfNoTls,
}

impl AsyncRead for Peeked {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.first != First::OfTls {
            let mut byte = [0];
            let peeked = ready!(self.stream.poll_peek(cx, &mut ReadBuf::new(&mut byte)))?;
            if peeked > 0 && byte[0] != FIRST_BYTE && byte[0] != ALERT_BYTE {
                self.first = First::OfNoTls;
                let error = "the answer is none of TLS";
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, error)));
            }
            self.first = First::OfTls;
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Peeked {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = match self.get_mut() {
            Self::Plain(stream) => return Pin::new(stream).poll_read(cx, buf),
            Self::Served(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Dialled(stream) => Pin::new(stream).poll_read(cx, buf),
        };
        match ready!(read) {
            // A peer that is gone says no farewell. What is cut off is half a frame at most, and
            // nobody takes half a frame for a whole one.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(())),
            read => Poll::Ready(read),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Served(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Dialled(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Served(stream) => Pin::new(stream).poll_flush(cx),
            Self::Dialled(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Served(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Dialled(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
