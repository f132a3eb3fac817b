//! What is done with an identity, beside the window's thread: files, passphrases and registries.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use codec::{Name, RecoveryCode};
use registry::client::{Access, Host, Security};

use super::{Kind, Message, Outcome, Problem, Secret};
use crate::{
    engine::unix_now,
    gui::line::Parcel,
    settings::{
        self, EXPORT_BYTES_MAX, ExportError, Folder, Passphrase, Profile, ProfileError,
        change::{self, ChangeError, Changed, Way},
        folder_of, has_identity, seal, unseal,
    },
};

/// How long a phone that runs with the same profile may take to leave it.
const LEFT_WITHIN: Duration = Duration::from_secs(8);

/// How often that is looked at.
const LEFT_EVERY: Duration = Duration::from_millis(50);

/// Something to do; see [`Job::run`].
#[derive(Debug, Clone)]
pub struct Job {
    pub(super) kind: Kind,
    pub(super) folder: PathBuf,
    pub(super) security: Security,
    pub(super) name: Option<Name>,
    pub(super) registry: Option<Host>,
    pub(super) path: PathBuf,
    pub(super) passphrase: Secret,
    pub(super) words: Option<Parcel<RecoveryCode>>,
    pub(super) replaces: bool,
}

impl Job {
    /// What is done.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Does it.
    pub async fn run(self) -> Message {
        let done = match self.kind {
            Kind::Export => self.export().await,
            Kind::Import => self.import().await,
            Kind::Rotate | Kind::Recover | Kind::Release => self.change().await,
        };
        Message::Done(done)
    }

    fn whose(&self) -> Result<Name, Problem> {
        self.name
            .clone()
            .ok_or(Problem::Export(ExportError::Failed))
    }

    async fn export(self) -> Result<Outcome, Problem> {
        let name = self.whose()?;
        aside(move || {
            let secrets = settings::read(&self.folder, &name).map_err(profile)?;
            let secrets = secrets.ok_or_else(|| {
                profile(ProfileError::NoIdentity(
                    name.clone(),
                    folder_of(&self.folder, &name),
                ))
            })?;
            let passphrase = Passphrase::new(self.passphrase.0);
            let text = seal(&secrets, &name, &passphrase).map_err(Problem::Export)?;
            write_new(&self.path, text.as_bytes())?;
            Ok(Outcome::Exported(self.path))
        })
        .await
    }

    async fn import(self) -> Result<Outcome, Problem> {
        let folder = self.folder.clone();
        let replaces = self.replaces;
        let (name, secrets) = aside(move || {
            let text = read_text(&self.path)?;
            let passphrase = Passphrase::new(self.passphrase.0);
            unseal(&text, &passphrase).map_err(Problem::Export)
        })
        .await?;
        if !replaces && has_identity(&folder, &name) {
            let here = folder_of(&folder, &name);
            return Err(profile(ProfileError::Exists(name, here)));
        }
        let taken = taken(&folder, &name).await?;
        aside(move || {
            let backup = taken.replace(&secrets).map_err(profile)?;
            settings::set_last_name(&folder, &name).map_err(profile)?;
            let fingerprint = secrets.identity.key().fingerprint();
            Ok(Outcome::Imported(name, fingerprint, backup))
        })
        .await
    }

    async fn change(self) -> Result<Outcome, Problem> {
        let name = self.whose()?;
        let registry = self.registry.clone();
        let registry = registry.ok_or(Problem::Export(ExportError::Failed))?;
        let access = Access::of("ramal-softphone", &self.folder).with(self.security);
        let way = Way {
            host: &registry,
            access: &access,
            met: &|_, _| {},
        };
        if self.kind != Kind::Recover && !has_identity(&self.folder, &name) {
            let folder = folder_of(&self.folder, &name);
            return Err(profile(ProfileError::NoIdentity(name, folder)));
        }
        let folder = taken(&self.folder, &name).await?;
        let now = unix_now();
        if self.kind == Kind::Recover {
            let found_out = change::find_out(&folder, way, now).await.map_err(change)?;
            let done = match (found_out, self.words.as_ref().and_then(Parcel::take)) {
                (Some(done), _) => done,
                (None, Some(code)) => change::recover(&folder, way, now, code)
                    .await
                    .map_err(change)?,
                (None, None) => return Err(Problem::Export(ExportError::Failed)),
            };
            settings::set_last_name(&self.folder, &name).map_err(profile)?;
            return Ok(told(&folder, done));
        }
        let opened = Profile::of(folder, now).map_err(profile)?;
        if self.kind == Kind::Release {
            change::release(&opened, way).await.map_err(change)?;
            return Ok(Outcome::Released(name));
        }
        let done = change::rotate(&opened, way, now).await.map_err(change)?;
        Ok(told(opened.disk.folder(), done))
    }
}

fn told(folder: &Folder, changed: Changed) -> Outcome {
    let fingerprint = changed.identity.fingerprint();
    Outcome::Changed(folder.name().clone(), fingerprint, changed.backup)
}

/// The profile's folder, once a phone that runs with it has left it.
async fn taken(config: &Path, name: &Name) -> Result<Folder, Problem> {
    let deadline = tokio::time::Instant::now() + LEFT_WITHIN;
    loop {
        match Folder::take(config, name.clone()) {
            Err(ProfileError::InUse(_)) if tokio::time::Instant::now() < deadline => {
                tokio::time::sleep(LEFT_EVERY).await;
            }
            taken => return taken.map_err(profile),
        }
    }
}

fn profile(error: ProfileError) -> Problem {
    Problem::Profile(Arc::new(error))
}

fn change(error: ChangeError) -> Problem {
    Problem::Change(Arc::new(error))
}

/// Does something that takes long on a thread beside.
async fn aside<T: Send + 'static>(
    something: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(something).await;
    done.unwrap_or(Err(Problem::Export(ExportError::Failed)))
}

fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Problem> {
    let mut options = OpenOptions::new();
    let opened = options.write(true).create_new(true).mode(0o600).open(path);
    let written = opened.and_then(|mut out| {
        out.write_all(bytes)?;
        out.sync_all()
    });
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Problem::There(path.to_owned()),
        _ => Problem::File(path.to_owned(), error.to_string()),
    })
}

fn read_text(path: &Path) -> Result<String, Problem> {
    let mut text = String::new();
    let limit = EXPORT_BYTES_MAX as u64 + 1;
    let read = File::open(path).and_then(|file| file.take(limit).read_to_string(&mut text));
    match read {
        Ok(_) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(Problem::Export(ExportError::NotAnExport))
        }
        Err(error) => Err(Problem::File(path.to_owned(), error.to_string())),
    }
}
