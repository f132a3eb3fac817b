//! The file of an embedded store: how it is opened, what lies in it, and how an older one is
//! brought up to date.

use std::{
    cell::Cell,
    fmt,
    fs::{self, File, OpenOptions, Permissions, TryLockError},
    io,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    panic::{self, AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::Once,
};

use redb::{
    Database, Durability, ReadableDatabase, ReadableTable, StorageError, TableDefinition,
    TableError, WriteTransaction,
};

use super::record::{self, BanRecord, Unreadable};
use crate::{
    keyfile,
    ownership::{Ban, Invite, Owner, Write},
    table::Location,
};

/// The file, in the registry's folder.
pub const FILE: &str = "names.redb";

/// Locked while a registry uses the folder.
const LOCK: &str = "registry.lock";

/// What this program writes.
pub(super) const SCHEMA: u64 = 1;

/// The most memory for what was read, in bytes: everything is read once.
const CACHE_BYTES: usize = 32 * 1024 * 1024;

type Records = TableDefinition<'static, &'static str, &'static [u8]>;

const META: TableDefinition<&str, u64> = TableDefinition::new("meta");
const OWNERS: Records = TableDefinition::new("owners");
const INVITES: Records = TableDefinition::new("invites");
const LOCATIONS: Records = TableDefinition::new("locations");
const BANS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("bans");
/// Texts to somebody who is offline, by the receiver's folded name and a number. Nothing writes
/// them yet.
const MAILBOX: TableDefinition<(&str, u64), &[u8]> = TableDefinition::new("mailbox");

/// Why a registry's data could not be opened, and what to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// Another program uses it.
    InUse(PathBuf),
    /// It is no longer what was written. It is left as it is.
    Damaged(PathBuf, String),
    /// A newer program wrote it.
    TooNew {
        /// The file.
        path: PathBuf,
        /// The version of its schema.
        theirs: u64,
    },
    /// The machine failed.
    Failed(PathBuf, io::Error),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse(path) => write!(
                f,
                "another registry uses {}: stop it, or give this one its own --data DIR",
                path.display()
            ),
            Self::Damaged(path, why) => write!(
                f,
                "{} is damaged ({why}) and was left as it is: put a backup back, or move it \
                 away to begin without names, which are then free for anybody",
                path.display()
            ),
            Self::TooNew { path, theirs } => write!(
                f,
                "{} was written by a newer ramal-registry (schema {theirs}, this one knows \
                 {SCHEMA}): use that one, or another --data DIR",
                path.display()
            ),
            Self::Failed(path, error) => {
                // It says itself which file it is and what to do.
                if let Some(exposed) = keyfile::exposed(error) {
                    return write!(f, "{exposed}");
                }
                let next = match error.kind() {
                    io::ErrorKind::StorageFull => "make room on the disk",
                    io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                        "it must be writable for this user"
                    }
                    _ => "use another --data DIR",
                };
                write!(
                    f,
                    "cannot keep names in {}: {error}; {next}",
                    path.display()
                )
            }
        }
    }
}

impl std::error::Error for OpenError {}

/// What was read at the start.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) facts: Vec<Write>,
    pub(super) locations: Vec<Location>,
}

/// Why reading or writing failed.
#[derive(Debug)]
pub(super) enum FileError {
    Damaged(String),
    TooNew(u64),
    Database(redb::Error),
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(why) => f.write_str(why),
            Self::TooNew(theirs) => write!(f, "schema {theirs}"),
            Self::Database(error) => write!(f, "{error}"),
        }
    }
}

impl<E: Into<redb::Error>> From<E> for FileError {
    fn from(error: E) -> Self {
        Self::Database(error.into())
    }
}

/// Takes a folder for this program alone, until what it returns is dropped.
pub(super) fn lock(folder: &Path) -> Result<File, OpenError> {
    let path = folder.join(LOCK);
    let failed = |error| OpenError::Failed(path.clone(), error);
    keyfile::private_folder(folder).map_err(failed)?;
    let file = private(OpenOptions::new().create(true).truncate(false), &path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(folder.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// Opens a file for reading and writing, which only its owner may do.
fn private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let file = options.read(true).write(true).mode(0o600).open(path)?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

/// Opens the file in a folder that is locked, made at the first time, and reads everything.
pub(super) fn open(folder: &Path) -> Result<(Database, Kept), OpenError> {
    let path = folder.join(FILE);
    if !path.exists() {
        create(&path).map_err(|error| refused(&path, error))?;
    }
    // It has invite codes in it, and who was where.
    keyfile::check_file(&path).map_err(|error| OpenError::Failed(path.clone(), error))?;
    // A damaged tree may make the engine stumble over its own checks.
    let read = stumbling(|| {
        let database = reopen(&path)?;
        migrate(&database)?;
        let kept = read_all(&database)?;
        Ok((database, kept))
    });
    let stumbled = || {
        Err(FileError::Damaged(
            "its tables cannot be followed".to_owned(),
        ))
    };
    read.unwrap_or_else(stumbled)
        .map_err(|error| refused(&path, error))
}

thread_local! {
    /// Whether a panic of this thread is expected, and says nothing.
    static STUMBLES: Cell<bool> = const { Cell::new(false) };
}

/// Runs what may panic; `None` when it did. The panic itself is not written to standard error: the
/// operator reads what it means, and nothing of where in the engine it came about. Panics of other
/// threads are written as ever.
fn stumbling<T>(run: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let ever = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !STUMBLES.get() {
                ever(panic);
            }
        }));
    });
    STUMBLES.set(true);
    let done = catch_unwind(AssertUnwindSafe(run));
    STUMBLES.set(false);
    done.ok()
}

/// Opens a file that is whole.
pub(super) fn reopen(path: &Path) -> Result<Database, FileError> {
    if fs::metadata(path).map_err(StorageError::from)?.len() == 0 {
        return Err(FileError::Damaged("it is empty".to_owned()));
    }
    Ok(Database::builder().set_cache_size(CACHE_BYTES).open(path)?)
}

fn refused(path: &Path, error: FileError) -> OpenError {
    let path = path.to_owned();
    match error {
        FileError::Damaged(why) => OpenError::Damaged(path, why),
        FileError::TooNew(theirs) => OpenError::TooNew { path, theirs },
        FileError::Database(redb::Error::DatabaseAlreadyOpen) => OpenError::InUse(path),
        // What is no such file is reported as bad data, and a file that was cut as one that ends.
        FileError::Database(redb::Error::Io(error))
            if !matches!(
                error.kind(),
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
            ) =>
        {
            OpenError::Failed(path, error)
        }
        FileError::Database(error) => OpenError::Damaged(path, error.to_string()),
    }
}

/// Makes an empty file whole or not at all: an empty file is never taken for a new one.
fn create(path: &Path) -> Result<(), FileError> {
    let new = path.with_extension("new");
    let make = || {
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        private(OpenOptions::new().create_new(true), &new)
    };
    let file = make().map_err(StorageError::from)?;
    let database = Database::builder().create_file(file)?;
    initialise(&database)?;
    drop(database);
    let folder = path.parent().unwrap_or(Path::new("."));
    let place = || {
        fs::rename(&new, path)?;
        // The rename is on disk when the folder is.
        File::open(folder)?.sync_all()
    };
    place().map_err(|error| StorageError::from(error).into())
}

/// Makes everything that an empty store has.
pub(super) fn initialise(database: &Database) -> Result<(), FileError> {
    let write = database.begin_write()?;
    write.open_table(META)?.insert("schema", SCHEMA)?;
    make_tables(&write)?;
    Ok(write.commit()?)
}

fn make_tables(write: &WriteTransaction) -> Result<(), FileError> {
    for records in [OWNERS, INVITES, LOCATIONS] {
        write.open_table(records)?;
    }
    write.open_table(BANS)?;
    write.open_table(MAILBOX)?;
    Ok(())
}

/// Brings an older file up to date, step by step, in one transaction.
fn migrate(database: &Database) -> Result<(), FileError> {
    let read = database.begin_read()?;
    let schema = match read.open_table(META) {
        Ok(meta) => meta.get("schema")?.map(|schema| schema.value()),
        Err(TableError::TableDoesNotExist(_)) => None,
        Err(error) => return Err(error.into()),
    };
    drop(read);
    let schema = schema.ok_or_else(|| FileError::Damaged("it has no schema".to_owned()))?;
    if schema > SCHEMA {
        return Err(FileError::TooNew(schema));
    }
    if schema == SCHEMA {
        return Ok(());
    }
    let write = database.begin_write()?;
    if schema < 1 {
        number_records(&write)?;
        make_tables(&write)?;
    }
    write.open_table(META)?.insert("schema", SCHEMA)?;
    write.commit()?;
    Ok(())
}

/// From 0 to 1: records of owners get their version and checksum.
fn number_records(write: &WriteTransaction) -> Result<(), FileError> {
    let mut owners = write.open_table(OWNERS)?;
    let mut renewed = Vec::new();
    for row in owners.iter()? {
        let (key, content) = row?;
        let (key, content) = (key.value(), content.value());
        let owner: Owner = record::read(content).map_err(|_| unreadable("owner", key))?;
        let record = record::encode(key.as_bytes(), &owner);
        renewed.push((
            key.to_owned(),
            record.map_err(|_| unreadable("owner", key))?,
        ));
    }
    for (key, record) in renewed {
        owners.insert(&*key, &*record)?;
    }
    Ok(())
}

fn unreadable(what: &str, key: &str) -> FileError {
    FileError::Damaged(format!(
        "the {what} \"{}\" cannot be read",
        key.escape_debug()
    ))
}

/// Reads everything.
pub(super) fn read_all(database: &Database) -> Result<Kept, FileError> {
    let read = database.begin_read()?;
    let mut kept = Kept::default();
    for row in read.open_table(OWNERS)?.iter()? {
        let (key, record) = row?;
        let owner: Owner = decoded("owner", key.value(), record.value())?;
        if owner.name.folded() != key.value() {
            return Err(unreadable("owner", key.value()));
        }
        kept.facts.push(Write::Owner(owner));
    }
    for row in read.open_table(INVITES)?.iter()? {
        let (key, record) = row?;
        let invite: Invite = decoded("invite", key.value(), record.value())?;
        kept.facts.push(Write::Invite(invite));
    }
    for row in read.open_table(BANS)?.iter()? {
        let (key, record) = row?;
        let (key, record) = (key.value(), record.value());
        let ban = record::decode(key, record);
        let (of, ban) = (record::read(key), ban);
        let damaged = |_: Unreadable| FileError::Damaged("a ban cannot be read".to_owned());
        let (of, BanRecord { since }) = (of.map_err(damaged)?, ban.map_err(damaged)?);
        kept.facts.push(Write::Ban(Ban { of, since }));
    }
    for row in read.open_table(LOCATIONS)?.iter()? {
        let (key, record) = row?;
        // Soft: a phone registers again, so one that cannot be read is one that is not there.
        if let Ok(location) = record::decode(key.value().as_bytes(), record.value()) {
            kept.locations.push(location);
        }
    }
    Ok(kept)
}

fn decoded<T: serde::de::DeserializeOwned>(
    what: &str,
    key: &str,
    bytes: &[u8],
) -> Result<T, FileError> {
    record::decode(key.as_bytes(), bytes).map_err(|_| unreadable(what, key))
}

/// Writes all of it, or nothing, and returns when it is on disk.
pub(super) fn write_all(
    database: &Database,
    writes: &[Write],
    locations: &[(String, Option<Location>)],
) -> Result<(), FileError> {
    let mut write = database.begin_write()?;
    write.set_durability(Durability::Immediate)?;
    {
        let mut owners = write.open_table(OWNERS)?;
        let mut invites = write.open_table(INVITES)?;
        let mut bans = write.open_table(BANS)?;
        for fact in writes {
            match fact {
                Write::Owner(owner) | Write::Used(owner) => {
                    let key = owner.name.folded();
                    owners.insert(key, &*encoded(key.as_bytes(), owner)?)?;
                }
                Write::Freed(name) | Write::Taken(name) => {
                    owners.remove(name.folded())?;
                }
                Write::Invite(invite) => {
                    let key = invite.code.as_str();
                    invites.insert(key, &*encoded(key.as_bytes(), invite)?)?;
                }
                Write::Uninvite(code) => {
                    invites.remove(code.as_str())?;
                }
                Write::Ban(Ban { of, since }) => {
                    let key = key_of(of)?;
                    let record = encoded(&key, &BanRecord { since: *since })?;
                    bans.insert(&*key, &*record)?;
                }
                Write::Unban(of) => {
                    bans.remove(&*key_of(of)?)?;
                }
            }
        }
        let mut located = write.open_table(LOCATIONS)?;
        for (key, location) in locations {
            match location {
                Some(location) => {
                    let record = encoded(key.as_bytes(), location)?;
                    located.insert(&**key, &*record)?;
                }
                None => {
                    located.remove(&**key)?;
                }
            }
        }
    }
    write.commit()?;
    Ok(())
}

fn encoded<T: serde::Serialize>(key: &[u8], value: &T) -> Result<Vec<u8>, FileError> {
    record::encode(key, value).map_err(|_| unwritable())
}

fn key_of<T: serde::Serialize>(of: &T) -> Result<Vec<u8>, FileError> {
    postcard::to_allocvec(of).map_err(|_| unwritable())
}

fn unwritable() -> FileError {
    FileError::Damaged("a record cannot be written".to_owned())
}

#[cfg(test)]
mod tests;
