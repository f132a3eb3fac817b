//! The registries that a person has met, and their keys, in a file that people may edit.
//!
//! A line is `HOST:PORT KEY`, the key in 64 hexadecimal digits; what begins with `#` is a comment.
//! The first time at a registry its key is noted, and from then on no other is taken there. A host
//! with several lines may have any of their keys, for an operator who tells of a new one ahead.

use std::{
    fmt,
    fs::{File, OpenOptions},
    io::{self, Read},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use codec::IdentityKey;

use crate::{client::Host, keyfile};

/// The file's name in a configuration folder. No profile has it: no person's name begins so.
const FILE: &str = ".known-registries";

/// The longest file that is read: a thousand registries and what somebody writes about them.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// How many lines are kept.
const LINES_MAX: usize = 2000;

/// What stands at the head of a new file.
const HEAD: &str = "# The registries that this person has met, and their keys: HOST:PORT KEY\n\
                    # A line that is removed is a registry that was never met.\n";

/// Why it is not known whether a registry is the one that was met before. Each text names the next
/// step.
#[derive(Debug)]
#[non_exhaustive]
pub enum KnownError {
    /// The file cannot be read or written.
    Io(PathBuf, io::Error),
    /// A line is no `HOST:PORT KEY`.
    Damaged {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
    },
    /// There is no room for another registry.
    Full(PathBuf),
}

impl fmt::Display for KnownError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(path, error) => match keyfile::exposed(error) {
                Some(exposed) => exposed.fmt(f),
                None => write!(
                    f,
                    "cannot remember registries in {}: {error}; use --config DIR",
                    path.display()
                ),
            },
            Self::Damaged { path, line } => write!(
                f,
                "{}, line {line}: this is no HOST:PORT KEY; mend the line, or remove it",
                path.display()
            ),
            Self::Full(path) => write!(
                f,
                "{} has no room for another registry; forget some",
                path.display()
            ),
        }
    }
}

impl std::error::Error for KnownError {}

/// What is known of a registry that shows a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Met {
    /// It has shown this key before.
    Before,
    /// Nobody has met it; its key is remembered from now on.
    First,
    /// It has shown another key before.
    Changed {
        /// That key; the first of them, if there are several.
        known: IdentityKey,
    },
}

/// The file of known registries. It is read anew for every question, so what a person changes in
/// it counts at once.
#[derive(Debug, Clone)]
pub struct KnownRegistries {
    path: PathBuf,
}

/// What a line of the file says.
enum Line {
    /// Nothing.
    Comment,
    /// A registry has this key.
    Known(Host, IdentityKey),
}

impl KnownRegistries {
    /// The file in a configuration folder. Neither has to be there yet.
    #[must_use]
    pub fn in_folder(config: &Path) -> Self {
        Self {
            path: config.join(FILE),
        }
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether `host` may show `key`, which it has proven to have. A registry that is met for the
    /// first time is remembered.
    ///
    /// # Errors
    /// [`KnownError`]; then the registry is not to be talked to.
    pub fn meet(&self, host: &Host, key: &IdentityKey) -> Result<Met, KnownError> {
        let met = |lines: &[(Host, IdentityKey)]| {
            let mut keys = lines.iter().filter(|(other, _)| other.is_same(host));
            let first = keys.next()?;
            let same = first.1 == *key || keys.any(|(_, other)| other == key);
            Some(match same {
                true => Met::Before,
                false => Met::Changed { known: first.1 },
            })
        };
        // Nearly always it is known, and nothing has to be kept from changing.
        if let Some(met) = met(&self.list()?) {
            return Ok(met);
        }
        let _lock = self.lock()?;
        let text = self.read()?;
        let lines = self.parse(&text)?;
        if let Some(met) = met(&lines) {
            return Ok(met);
        }
        if text.lines().count() >= LINES_MAX {
            return Err(KnownError::Full(self.path.clone()));
        }
        let mut new = if text.is_empty() {
            HEAD.to_owned()
        } else {
            text
        };
        if !new.ends_with('\n') {
            new.push('\n');
        }
        new.push_str(&format!("{host} {key}\n"));
        self.write(&new)?;
        Ok(Met::First)
    }

    /// The registries that are known, and their keys, in the order of the file.
    ///
    /// # Errors
    /// [`KnownError`].
    pub fn list(&self) -> Result<Vec<(Host, IdentityKey)>, KnownError> {
        self.parse(&self.read()?)
    }

    /// Forgets every key of `host`, and says how many there were. What else stands in the file
    /// stays as it is.
    ///
    /// # Errors
    /// [`KnownError`].
    pub fn forget(&self, host: &Host) -> Result<usize, KnownError> {
        if self.list()?.is_empty() {
            return Ok(0);
        }
        let _lock = self.lock()?;
        let text = self.read()?;
        let known = self.parse(&text)?.len();
        let is_kept =
            |line: &&str| !matches!(parse(line), Some(Line::Known(of, _)) if of.is_same(host));
        let kept: String = text.split_inclusive('\n').filter(is_kept).collect();
        let forgotten = known - self.parse(&kept)?.len();
        if forgotten > 0 {
            self.write(&kept)?;
        }
        Ok(forgotten)
    }

    fn parse(&self, text: &str) -> Result<Vec<(Host, IdentityKey)>, KnownError> {
        let mut known = Vec::new();
        for (index, line) in text.lines().enumerate() {
            match parse(line) {
                Some(Line::Known(host, key)) => known.push((host, key)),
                Some(Line::Comment) => {}
                None => {
                    return Err(KnownError::Damaged {
                        path: self.path.clone(),
                        line: index + 1,
                    });
                }
            }
        }
        Ok(known)
    }

    /// The file's text; empty when there is no file.
    fn read(&self) -> Result<String, KnownError> {
        let mut text = String::new();
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(text),
            Err(error) => return Err(self.failed(error)),
        };
        let read = file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text);
        match read.map_err(|error| self.failed(error))? {
            read if read as u64 > FILE_BYTES_MAX => Err(self.failed(io::Error::new(
                io::ErrorKind::FileTooLarge,
                "the file is far too long",
            ))),
            _ => Ok(text),
        }
    }

    fn write(&self, text: &str) -> Result<(), KnownError> {
        keyfile::replace(&self.path, text.as_bytes()).map_err(|error| self.failed(error))
    }

    /// Keeps other programs from changing the file meanwhile; they do so for moments only.
    fn lock(&self) -> Result<File, KnownError> {
        if let Some(folder) = self.path.parent() {
            keyfile::guarded_folder(folder).map_err(|error| self.failed(error))?;
        }
        let mut options = OpenOptions::new();
        let options = options.write(true).create(true).truncate(false).mode(0o600);
        let locked = options
            .open(self.path.with_extension("lock"))
            .and_then(|file| file.lock().map(|()| file));
        locked.map_err(|error| self.failed(error))
    }

    fn failed(&self, error: io::Error) -> KnownError {
        KnownError::Io(self.path.clone(), error)
    }
}

/// Reads a line; `None` when it is damaged.
fn parse(line: &str) -> Option<Line> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Some(Line::Comment);
    }
    let mut words = line.split_whitespace();
    let (host, key) = (words.next()?, words.next()?);
    // Behind the key somebody may say whose registry it is.
    if words.next().is_some_and(|word| !word.starts_with('#')) {
        return None;
    }
    Some(Line::Known(host.parse().ok()?, key_of_hex(key)?))
}

fn key_of_hex(text: &str) -> Option<IdentityKey> {
    let mut key = [0; 32];
    if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, digits) in key.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let digits = std::str::from_utf8(digits).ok()?;
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(IdentityKey(key))
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    /// A folder that only this user can enter, gone when this is dropped.
    fn private_place() -> tempfile::TempDir {
        let mode = fs::Permissions::from_mode(0o700);
        tempfile::Builder::new()
            .permissions(mode)
            .tempdir()
            .unwrap()
    }

    fn host(text: &str) -> Host {
        text.parse().unwrap()
    }

    fn key(byte: u8) -> IdentityKey {
        IdentityKey([byte; 32])
    }

    #[test]
    fn a_registry_is_remembered_and_another_key_is_not_taken() {
        let folder = private_place();
        let known = KnownRegistries::in_folder(&folder.path().join("not/yet/there"));
        assert_eq!(known.forget(&host("a")).unwrap(), 0);
        assert!(!known.path().parent().unwrap().exists());
        assert_eq!(known.meet(&host("a"), &key(1)).unwrap(), Met::First);
        assert_eq!(known.meet(&host("A:5000"), &key(1)).unwrap(), Met::Before);
        let before = fs::read(known.path()).unwrap();
        let changed = Met::Changed { known: key(1) };
        assert_eq!(known.meet(&host("a"), &key(2)).unwrap(), changed);
        assert_eq!(fs::read(known.path()).unwrap(), before);
        assert_eq!(known.meet(&host("a:70"), &key(2)).unwrap(), Met::First);
        let mode = fs::metadata(known.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(known.forget(&host("a")).unwrap(), 1);
        assert_eq!(known.meet(&host("a"), &key(2)).unwrap(), Met::First);
        assert_eq!(known.list().unwrap().len(), 2);
    }

    #[test]
    fn what_a_person_writes_beside_it_stays() {
        let folder = private_place();
        let known = KnownRegistries::in_folder(folder.path());
        let (one, two) = (key(1), key(2));
        let text = format!("# mine\n\na {one} # at home\nb {two}\nA:5000 {two}\n#end");
        fs::write(known.path(), &text).unwrap();
        // Both of its keys count.
        assert_eq!(known.meet(&host("a"), &one).unwrap(), Met::Before);
        assert_eq!(known.meet(&host("a"), &two).unwrap(), Met::Before);
        assert_eq!(known.meet(&host("c"), &two).unwrap(), Met::First);
        let longer = format!("{text}\nc:5000 {two}\n");
        assert_eq!(fs::read_to_string(known.path()).unwrap(), longer);
        assert_eq!(known.forget(&host("a")).unwrap(), 2);
        let left = format!("# mine\n\nb {two}\n#end\nc:5000 {two}\n");
        assert_eq!(fs::read_to_string(known.path()).unwrap(), left);
    }

    #[test]
    fn a_damaged_line_is_told_by_its_number_and_nobody_is_believed_meanwhile() {
        let folder = private_place();
        let known = KnownRegistries::in_folder(folder.path());
        let good = key(1);
        for damaged in [
            "a",
            "a 0101",
            &format!("a {good}0"),
            &format!("a:0 {good}"),
            &format!("a {good} and more"),
            &format!("a {}", "é".repeat(32)),
            &format!("a {}", "+1".repeat(32)),
        ] {
            let text = format!("# one\nb {good}\n{damaged}\n");
            fs::write(known.path(), &text).unwrap();
            for error in [
                known.meet(&host("b"), &good).unwrap_err(),
                known.forget(&host("b")).unwrap_err(),
            ] {
                assert!(matches!(error, KnownError::Damaged { line: 3, .. }));
                assert!(error.to_string().contains("line 3: "), "{error}");
            }
            assert_eq!(fs::read_to_string(known.path()).unwrap(), text);
        }
        fs::write(known.path(), [0xff, 0xfe]).unwrap();
        assert!(matches!(known.list(), Err(KnownError::Io(..))));
    }

    #[test]
    fn a_file_that_is_far_too_long_is_not_read_and_a_full_one_takes_nothing_more() {
        let folder = private_place();
        let known = KnownRegistries::in_folder(folder.path());
        fs::write(known.path(), "#\n".repeat(LINES_MAX)).unwrap();
        let full = known.meet(&host("a"), &key(1)).unwrap_err();
        assert!(matches!(full, KnownError::Full(_)));
        fs::write(known.path(), "#\n".repeat(256 * 1024)).unwrap();
        assert!(matches!(known.list(), Err(KnownError::Io(..))));
    }

    #[test]
    fn programs_that_meet_registries_at_the_same_time_forget_none() {
        let folder = private_place();
        let known = KnownRegistries::in_folder(folder.path());
        std::thread::scope(|scope| {
            for number in 0..8 {
                let known = known.clone();
                scope.spawn(move || {
                    for port in 1..10 {
                        let host = host(&format!("r{number}:{port}"));
                        assert_eq!(known.meet(&host, &key(number)).unwrap(), Met::First);
                    }
                });
            }
        });
        assert_eq!(known.list().unwrap().len(), 72);
    }
}
