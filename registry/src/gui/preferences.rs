//! What the window remembers: a file beside what the registry keeps.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use codec::registry::{EXPIRES_MAX_S, EXPIRES_MIN_S};
use look::{Language, Scheme, TextSize};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Place;
use crate::{keyfile, limits::Directory, server::Plain};

/// The file in the data folder.
pub const FILE: &str = "window.json";

/// A file that is longer is none of ours, in bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// Where a registry listens that nobody has set up.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 5000);

/// No window is opened again smaller or larger than that, in logical pixels.
const SIDES: (f32, f32) = (480.0, 8192.0);

/// What is remembered from one start to the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferences {
    /// Where the registry listens.
    pub listen: SocketAddr,
    /// From where unencrypted connections are taken.
    #[serde(with = "PlainText")]
    pub plain: Plain,
    /// Who is shown which names are registered.
    #[serde(with = "DirectoryText")]
    pub directory: Directory,
    /// The longest lease that is given, in seconds.
    pub lease_max_s: u16,
    /// The registry opens with the window.
    pub open_at_start: bool,
    /// The language on screen.
    #[serde(with = "LanguageText")]
    pub language: Language,
    /// Light or dark.
    #[serde(with = "SchemeText")]
    pub scheme: Scheme,
    /// How large everything is.
    #[serde(with = "SizeText")]
    pub text_size: TextSize,
    /// Width and height of the window, in logical pixels.
    pub window: Option<(f32, f32)>,
    /// The screen that was open last; without one this is the first start.
    pub place: Option<Place>,
    /// What a later version remembers.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            listen: LISTEN,
            plain: Plain::Loopback,
            directory: Directory::Open,
            lease_max_s: EXPIRES_MAX_S,
            open_at_start: false,
            language: Language::default(),
            scheme: Scheme::default(),
            text_size: TextSize::default(),
            window: None,
            place: None,
            rest: Map::new(),
        }
    }
}

/// What was found where preferences are kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// What is remembered; the defaults where nothing is.
    pub preferences: Preferences,
    /// A file that could not be read was put aside under this name.
    pub set_aside: Option<PathBuf>,
}

impl Preferences {
    /// Reads what is remembered in the data folder. A file that makes no sense is put aside.
    #[must_use]
    pub fn load(data: &Path) -> Found {
        let path = data.join(FILE);
        let read = keyfile::read_up_to(&path, FILE_BYTES_MAX);
        let bytes = match read {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Some(Vec::new().into()),
            // A folder that is no folder yet, or closed to us: opening the registry says so.
            Err(_) => None,
        };
        let parsed = bytes.map(|bytes| serde_json::from_slice::<Self>(&bytes));
        match parsed {
            None => Found {
                preferences: Self::default(),
                set_aside: None,
            },
            Some(Ok(preferences)) => Found {
                preferences: preferences.within_reason(),
                set_aside: None,
            },
            Some(Err(_)) => {
                let aside = path.with_extension("damaged");
                let moved = std::fs::rename(&path, &aside);
                Found {
                    preferences: Self::default(),
                    set_aside: Some(if moved.is_ok() { aside } else { path }),
                }
            }
        }
    }

    /// Writes everything, whole or not at all. The folder is made if it is not there.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn store(&self, data: &Path) -> io::Result<()> {
        keyfile::private_folder(data)?;
        keyfile::write(&data.join(FILE), &serde_json::to_vec_pretty(self)?)
    }

    fn within_reason(mut self) -> Self {
        let (least, most) = SIDES;
        let fits = |side: &f32| (least..=most).contains(side);
        self.window = self.window.filter(|(w, h)| fits(w) && fits(h));
        self.lease_max_s = self.lease_max_s.clamp(EXPIRES_MIN_S, EXPIRES_MAX_S);
        self
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Plain", rename_all = "snake_case")]
enum PlainText {
    Never,
    Loopback,
    Any,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Directory", rename_all = "snake_case")]
enum DirectoryText {
    Open,
    Members,
    Closed,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Language")]
enum LanguageText {
    #[serde(rename = "system")]
    System,
    #[serde(rename = "en")]
    English,
    #[serde(rename = "pt-BR")]
    BrazilianPortuguese,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Scheme", rename_all = "snake_case")]
enum SchemeText {
    System,
    Light,
    Dark,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "TextSize", rename_all = "snake_case")]
enum SizeText {
    Normal,
    Large,
    Larger,
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn changed() -> Preferences {
        Preferences {
            listen: "127.0.0.1:6000".parse().unwrap(),
            plain: Plain::Never,
            directory: Directory::Members,
            lease_max_s: 120,
            open_at_start: true,
            language: Language::BrazilianPortuguese,
            scheme: Scheme::Dark,
            text_size: TextSize::Larger,
            window: Some((900.0, 640.0)),
            place: Some(Place::Log),
            rest: Map::new(),
        }
    }

    #[test]
    fn what_is_stored_is_found_again_and_what_a_later_version_wrote_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("registry");
        assert_eq!(Preferences::load(&data).preferences, Preferences::default());
        changed().store(&data).unwrap();
        assert_eq!(Preferences::load(&data).preferences, changed());

        let path = data.join(FILE);
        let text = fs::read_to_string(&path).unwrap();
        let later = text.replacen('{', "{\"colour_of_the_door\": \"green\",", 1);
        fs::write(&path, later).unwrap();
        let found = Preferences::load(&data).preferences;
        assert_eq!(found.rest["colour_of_the_door"], "green");
        found.store(&data).unwrap();
        assert!(fs::read_to_string(&path).unwrap().contains("green"));
    }

    #[test]
    fn a_damaged_file_is_put_aside_and_never_lost() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("registry");
        changed().store(&data).unwrap();
        fs::write(data.join(FILE), "{\"listen\": 7").unwrap();
        let found = Preferences::load(&data);
        assert_eq!(found.preferences, Preferences::default());
        let aside = found.set_aside.unwrap();
        assert_eq!(fs::read_to_string(aside).unwrap(), "{\"listen\": 7");
        assert_eq!(Preferences::load(&data).set_aside, None);
    }

    #[test]
    fn a_window_that_nobody_could_see_is_not_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("registry");
        for window in [(3.0, 700.0), (f32::MAX, 700.0)] {
            let window = Some(window);
            let odd = Preferences {
                window,
                lease_max_s: 0,
                ..changed()
            };
            odd.store(&data).unwrap();
            let found = Preferences::load(&data).preferences;
            assert_eq!(found.window, None);
            assert_eq!(found.lease_max_s, EXPIRES_MIN_S);
        }
    }
}
