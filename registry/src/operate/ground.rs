//! What a registry stands on: its folder, its key, its certificate, its names, and open files.

use std::{io, path::Path};

use codec::Identity;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use zeroize::Zeroizing;

use super::{KeyIs, OpenError, Options};
use crate::{
    event::{Event, Events, Warning},
    keyfile,
    limits::Limits,
    store::{AnyStore, EmbeddedStore, MemoryStore, Moment, embedded::FILE},
    tls::Certificate,
};

/// Files that a registry needs beside those of its connections: port, log, key, and those who are
/// being turned away.
const FILES_BESIDE: u64 = 100;

/// What a registry stands on.
pub(super) struct Ground {
    pub(super) store: AnyStore,
    pub(super) certificate: Certificate,
    pub(super) identity: Identity,
    pub(super) key: KeyIs,
}

/// Opens everything, and makes what is missing. It reads and writes files.
pub(super) fn prepare(
    options: &Options,
    limits: &Limits,
    events: Events,
) -> Result<Ground, OpenError> {
    let Some(folder) = &options.folder else {
        return Ok(Ground {
            store: AnyStore::Memory(MemoryStore::claimed_by(limits, options.claims)),
            certificate: certificate(options)?,
            identity: Identity::from_secret(&*fresh_secret()?),
            key: KeyIs::First,
        });
    };
    let failed = |error| OpenError::Folder(folder.clone(), error);
    keyfile::private_folder(folder).map_err(failed)?;
    let certificate = certificate(options)?;
    let has_names = folder.join(FILE).exists();
    let store = EmbeddedStore::open(folder, limits, options.claims, events, Moment::now());
    let store = AnyStore::Embedded(store.map_err(OpenError::Store)?);
    let (identity, key) = kept_key(folder, has_names)?;
    Ok(Ground {
        store,
        certificate,
        identity,
        key,
    })
}

/// The certificate for TLS: given, or self-made at the first start.
fn certificate(options: &Options) -> Result<Certificate, OpenError> {
    let certificate = match (&options.certificate, &options.folder) {
        (Some(given), _) => Certificate::from_files(&given.certificate, &given.key),
        (None, Some(folder)) => Certificate::kept_in(folder),
        (None, None) => Certificate::in_memory(),
    };
    certificate.map_err(OpenError::Certificate)
}

/// The long-term key in the folder, or a new one; `has_names` says whether names were kept there
/// before.
fn kept_key(folder: &Path, has_names: bool) -> Result<(Identity, KeyIs), OpenError> {
    let path = folder.join("registry.key");
    let failed = |error: io::Error| OpenError::Folder(path.clone(), error);
    if let Some(kept) = keyfile::read(&path).map_err(failed)? {
        let kept = kept.as_slice().try_into();
        let kept: &[u8; 32] = kept.map_err(|_| OpenError::KeyDamaged(path.clone()))?;
        return Ok((Identity::from_secret(kept), KeyIs::Kept));
    }
    let secret = fresh_secret()?;
    keyfile::write(&path, &*secret).map_err(failed)?;
    let key = match has_names {
        true => KeyIs::Another,
        false => KeyIs::First,
    };
    Ok((Identity::from_secret(&secret), key))
}

fn fresh_secret() -> Result<Zeroizing<[u8; 32]>, OpenError> {
    let mut secret = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *secret)
        .map_err(|error| OpenError::Machine(format!("no randomness: {error}")))?;
    Ok(secret)
}

/// Takes all the files that the system allows, and no more connections than there are files for.
pub(super) fn within_files(limits: Limits, events: &Events) -> Limits {
    let allowed = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: allowed.maximum,
        ..allowed
    };
    let files = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => allowed.maximum,
        Err(_) => allowed.current,
    };
    // Without a limit there are files for everything.
    let files = files.unwrap_or(u64::MAX).saturating_sub(FILES_BESIDE);
    let connections = usize::try_from(files).unwrap_or(usize::MAX).max(1);
    if connections < limits.connections {
        events.tell(Event::Warning(Warning::FewerConnections {
            held: connections,
            wanted: limits.connections,
        }));
    }
    Limits {
        connections: limits.connections.min(connections),
        ..limits
    }
}
