//! What a person has set: for one name, and for how every window looks on this machine.
//!
//! Both are JSON that a person can read. What a newer program has written beside it stays. A file
//! that cannot be read, for whatever reason, is set aside as `preferences.damaged` and said, so
//! that nothing is written over it, and everything is as at the first start: nothing in it is
//! worth keeping anybody from their calls.

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    path::{Path, PathBuf},
};

use codec::Name;
use registry::{client::Host, keyfile};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{ProfileError, folder::failed, folder_of};
use crate::{
    audio::{self, Device, Direction, Input, Output},
    phone::Callers,
};

/// The longest file that is read.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// How many files that could not be read are kept; the last of them gives way.
const ASIDE_MAX: usize = 9;

/// How many people can be favourites.
pub const FAVOURITES_MAX: usize = 500;

/// What one person has set for one name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferences {
    /// The registry used last, as `HOST:PORT`.
    pub registry: Option<String>,
    /// The name was granted there, and the person has not signed out since.
    pub signed_in: bool,
    /// The microphone, as [`Input`] reads it; `None` is the one that the system offers.
    pub input: Option<String>,
    /// The loudspeaker, as [`Output`] reads it; `None` is the one that the system offers.
    pub output: Option<String>,
    /// Where it rings, as [`Output`] reads it; `None` is where voice goes.
    pub ring_on: Option<String>,
    /// What these three were called when they were last there, by how they are written here.
    pub device_names: BTreeMap<String, String>,
    /// How loud the microphone is taken: 0-200 %.
    pub input_volume: u8,
    /// How loud the loudspeaker plays: 0-200 %.
    pub output_volume: u8,
    /// Who may call.
    pub callers: MayCall,
    /// Others are told whether the person is there.
    pub publish: bool,
    /// Who stands at the top, folded; at most [`FAVOURITES_MAX`].
    pub favourites: Vec<String>,
    /// The desktop shows who calls and whose call was missed.
    pub notifications: bool,
    /// They do not say who.
    pub hide_callers: bool,
    /// What closing the window does.
    pub on_close: OnClose,
    /// The microphone is open only while the key for it is held down.
    pub push_to_talk: bool,
    /// What a newer program has written.
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            registry: None,
            signed_in: false,
            input: None,
            output: None,
            ring_on: None,
            device_names: BTreeMap::new(),
            input_volume: 100,
            output_volume: 100,
            callers: MayCall::Everyone,
            publish: true,
            favourites: Vec::new(),
            notifications: true,
            hide_callers: false,
            on_close: OnClose::Ask,
            push_to_talk: false,
            unknown: Map::new(),
        }
    }
}

/// Who may call; see [`Callers`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MayCall {
    /// Everybody who is not blocked.
    Everyone,
    /// Those with whom there has been a call before.
    Contacts,
    /// Nobody.
    Nobody,
}

impl From<MayCall> for Callers {
    fn from(who: MayCall) -> Self {
        match who {
            MayCall::Everyone => Self::Everyone,
            MayCall::Contacts => Self::Contacts,
            MayCall::Nobody => Self::Nobody,
        }
    }
}

/// What closing the window does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnClose {
    /// The phone goes on without a window, and rings.
    Ring,
    /// The person is asked.
    Ask,
    /// The program ends.
    Quit,
}

/// One thing that the person sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The registry used last.
    Registry(Host),
    /// The name was granted, or the person has signed out.
    SignedIn(bool),
    /// The microphone.
    Input(Option<String>),
    /// The loudspeaker.
    Output(Option<String>),
    /// Where it rings.
    RingOn(Option<String>),
    /// What a device that was chosen is called, by how it is written.
    DeviceNamed(String, String),
    /// How loud the microphone is taken: 0-200 %; more is 200.
    InputVolume(u8),
    /// How loud the loudspeaker plays: 0-200 %; more is 200.
    OutputVolume(u8),
    /// Who may call.
    Callers(MayCall),
    /// Others are told whether the person is there.
    Publish(bool),
    /// Somebody is a favourite, or is no longer.
    Favourite(Name, bool),
    /// The desktop shows who calls.
    Notifications(bool),
    /// The desktop does not show who it is.
    HideCallers(bool),
    /// What closing the window does.
    OnClose(OnClose),
    /// The microphone is open only while the key for it is held down.
    PushToTalk(bool),
}

/// Why something is not set. Each text names the next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unset {
    /// There are [`FAVOURITES_MAX`] favourites already.
    TooManyFavourites,
}

impl fmt::Display for Unset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyFavourites => write!(
                f,
                "there are {FAVOURITES_MAX} favourites already; take somebody out of them first"
            ),
        }
    }
}

impl std::error::Error for Unset {}

impl Preferences {
    /// Makes a change.
    ///
    /// # Errors
    /// [`Unset`]; then nothing has changed.
    pub fn apply(&mut self, change: Change) -> Result<(), Unset> {
        match change {
            Change::Registry(host) => self.registry = Some(host.to_string()),
            Change::SignedIn(signed_in) => self.signed_in = signed_in,
            Change::Input(input) => self.input = input,
            Change::Output(output) => self.output = output,
            Change::RingOn(output) => self.ring_on = output,
            Change::DeviceNamed(device, name) => {
                self.device_names.insert(device, name);
                let chosen = [&self.input, &self.output, &self.ring_on];
                let chosen = chosen.map(Option::as_ref);
                self.device_names
                    .retain(|device, _| chosen.contains(&Some(device)));
            }
            Change::InputVolume(percent) => self.input_volume = percent.min(200),
            Change::OutputVolume(percent) => self.output_volume = percent.min(200),
            Change::Callers(who) => self.callers = who,
            Change::Publish(publish) => self.publish = publish,
            Change::Favourite(name, favourite) => {
                let folded = name.folded().to_owned();
                let at = self.favourites.iter().position(|other| *other == folded);
                match (favourite, at) {
                    (true, None) if self.favourites.len() >= FAVOURITES_MAX => {
                        return Err(Unset::TooManyFavourites);
                    }
                    (true, None) => self.favourites.push(folded),
                    (false, Some(at)) => drop(self.favourites.remove(at)),
                    (true, Some(_)) | (false, None) => {}
                }
            }
            Change::Notifications(shown) => self.notifications = shown,
            Change::HideCallers(hidden) => self.hide_callers = hidden,
            Change::OnClose(what) => self.on_close = what,
            Change::PushToTalk(held) => self.push_to_talk = held,
        }
        Ok(())
    }

    /// The same after a change; as it is where that is not set.
    #[must_use]
    pub fn with(&self, change: Change) -> Self {
        let mut changed = self.clone();
        let _ = changed.apply(change);
        changed
    }

    /// What a device that was chosen is called, as far as that is known.
    #[must_use]
    pub fn device_name<'a>(&'a self, device: &'a str) -> &'a str {
        self.device_names.get(device).map_or(device, String::as_str)
    }

    /// What is to be set so that the devices that are chosen are still called what they are now
    /// when they are there no more.
    #[must_use]
    pub fn name_devices(&self, listed: &[Device]) -> Vec<Change> {
        let chosen = [
            (Direction::Input, &self.input),
            (Direction::Output, &self.output),
            (Direction::Output, &self.ring_on),
        ];
        let chosen = chosen.into_iter().filter_map(|(direction, written)| {
            let written = written.as_ref()?;
            let name = &audio::meant(listed, direction, written)?.name;
            let is_new = self.device_names.get(written) != Some(name);
            is_new.then(|| Change::DeviceNamed(written.clone(), name.clone()))
        });
        chosen.collect()
    }

    /// Whether somebody is a favourite.
    #[must_use]
    pub fn is_favourite(&self, name: &Name) -> bool {
        let folded = name.folded();
        self.favourites.iter().any(|other| other == folded)
    }

    /// Where voice comes from.
    #[must_use]
    pub fn input(&self) -> Input {
        device(self.input.as_deref()).unwrap_or(Input::Default)
    }

    /// Where voice goes.
    #[must_use]
    pub fn output(&self) -> Output {
        device(self.output.as_deref()).unwrap_or(Output::Default)
    }

    /// Where it rings, if not where voice goes.
    #[must_use]
    pub fn ring_on(&self) -> Option<Output> {
        device(self.ring_on.as_deref())
    }
}

impl Preferences {
    /// Takes over what is in use, which may not be what was wanted. Returns whether that is new.
    /// Files and silence are for scripts, and are not remembered.
    pub fn use_devices(
        &mut self,
        input: &Input,
        output: &Output,
        ring_on: Option<&Output>,
    ) -> bool {
        let before = (
            self.input.clone(),
            self.output.clone(),
            self.ring_on.clone(),
        );
        match input {
            Input::Default => self.input = None,
            Input::Device(device) => self.input = Some(device.clone()),
            _ => {}
        }
        match output {
            Output::Default => self.output = None,
            Output::Device(device) => self.output = Some(device.clone()),
            _ => {}
        }
        match ring_on {
            None => self.ring_on = None,
            Some(Output::Device(device)) => self.ring_on = Some(device.clone()),
            Some(_) => {}
        }
        (&self.input, &self.output, &self.ring_on) != (&before.0, &before.1, &before.2)
    }
}

fn device<T: std::str::FromStr>(written: Option<&str>) -> Option<T> {
    written.and_then(|written| written.parse().ok())
}

/// How every window looks on this machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Appearance {
    /// Light, dark, or as the system is.
    pub scheme: Scheme,
    /// The language of all texts.
    pub language: Language,
    /// How large everything is: 100-150 %.
    pub text_size: u16,
    /// How wide and high the window was, in logical pixels, before they are enlarged with the text.
    pub window: (f32, f32),
    /// The screen that was open last.
    pub place: Place,
    /// What a newer program has written.
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

impl Default for Appearance {
    fn default() -> Self {
        Self {
            scheme: Scheme::System,
            language: Language::System,
            text_size: 100,
            window: (960.0, 680.0),
            place: Place::People,
            unknown: Map::new(),
        }
    }
}

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// As the system is.
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// The language of all texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Language {
    /// The first of those that the system asks for that there is, or English.
    #[serde(rename = "system")]
    System,
    /// English.
    #[serde(rename = "en")]
    English,
    /// Portuguese as it is spoken in Brazil.
    #[serde(rename = "pt-BR")]
    BrazilianPortuguese,
}

/// A screen that can be opened again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Whom one can call.
    People,
    /// Messages sent and received.
    Log,
    /// What can be set.
    Settings,
}

impl Appearance {
    /// Everything within its range, whatever was written.
    fn checked(mut self) -> Self {
        let within = |size: f32, least: f32| match size.is_finite() {
            true => size.clamp(least, 8192.0),
            false => least,
        };
        self.text_size = self.text_size.clamp(100, 150);
        self.window = (within(self.window.0, 400.0), within(self.window.1, 480.0));
        self
    }
}

/// What a file held.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept<T> {
    /// What was set, or what is so at the first start.
    pub value: T,
    /// The file was damaged or unreadable: where it is now, and what was wrong.
    pub damaged: Option<(PathBuf, String)>,
}

/// What was set for a name.
#[must_use]
pub fn read(config: &Path, name: &Name) -> Kept<Preferences> {
    read_file(&preferences_path(config, name))
}

/// How windows look on this machine.
#[must_use]
pub fn read_appearance(config: &Path) -> Kept<Appearance> {
    let Kept { value, damaged } = read_file::<Appearance>(&appearance_path(config));
    let value = value.checked();
    Kept { value, damaged }
}

/// Keeps what was set for a name. The folder of the name is there as long as its profile is.
///
/// # Errors
/// [`ProfileError`]; what was kept before stays.
pub fn write(config: &Path, name: &Name, preferences: &Preferences) -> Result<(), ProfileError> {
    let path = preferences_path(config, name);
    write_file(&path, preferences).map_err(failed(&path))
}

/// Keeps how windows look on this machine.
///
/// # Errors
/// [`ProfileError`]; what was kept before stays.
pub fn write_appearance(config: &Path, appearance: &Appearance) -> Result<(), ProfileError> {
    keyfile::guarded_folder(config).map_err(failed(config))?;
    let path = appearance_path(config);
    write_file(&path, appearance).map_err(failed(&path))
}

fn preferences_path(config: &Path, name: &Name) -> PathBuf {
    folder_of(config, name).join("preferences")
}

/// No name begins with a dot, so no folder of a name is in the way.
fn appearance_path(config: &Path) -> PathBuf {
    config.join(".appearance")
}

fn read_file<T: Default + DeserializeOwned>(path: &Path) -> Kept<T> {
    let damaged = |path: PathBuf, why: String| Kept {
        value: T::default(),
        damaged: Some((path, why)),
    };
    let bytes = match keyfile::read_up_to(path, FILE_BYTES_MAX) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => {
            return Kept {
                value: T::default(),
                damaged: None,
            };
        }
        // Also what may be over the next time: what is set until then would be written over it.
        Err(error) => return damaged(set_aside(path), error.to_string()),
    };
    match serde_json::from_slice(&bytes) {
        Ok(value) => Kept {
            value,
            damaged: None,
        },
        Err(error) => damaged(set_aside(path), error.to_string()),
    }
}

/// Moves a file out of the way that would be written over; returns where it is then. What was set
/// aside before stays, as long as there are fewer than [`ASIDE_MAX`].
fn set_aside(path: &Path) -> PathBuf {
    let numbered = |number: usize| {
        let mut aside = path.as_os_str().to_owned();
        aside.push(match number {
            1 => ".damaged".to_owned(),
            number => format!(".damaged-{number}"),
        });
        PathBuf::from(aside)
    };
    let is_free = |aside: &PathBuf| fs::symlink_metadata(aside).is_err();
    let free = (1..ASIDE_MAX).map(numbered).find(is_free);
    let aside = free.unwrap_or_else(|| numbered(ASIDE_MAX));
    match fs::rename(path, &aside) {
        Ok(()) => aside,
        Err(_) => path.to_owned(),
    }
}

fn write_file<T: Serialize>(path: &Path, value: &T) -> io::Result<()> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(io::Error::other)?;
    bytes.push(b'\n');
    keyfile::write(path, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bob() -> Name {
        "Bob".parse().unwrap()
    }

    /// A configuration folder in which bob has a profile.
    fn config() -> tempfile::TempDir {
        let config = tempfile::tempdir().unwrap();
        keyfile::guarded_folder(config.path()).unwrap();
        keyfile::private_folder(&folder_of(config.path(), &bob())).unwrap();
        config
    }

    #[test]
    fn what_is_set_is_read_again_and_what_is_not_known_stays() {
        let config = config();
        let first = read(config.path(), &bob());
        assert_eq!(
            (first.value.clone(), first.damaged),
            (Preferences::default(), None)
        );
        let mut set = first.value;
        set.apply(Change::Favourite("Alice".parse().unwrap(), true))
            .unwrap();
        set.apply(Change::Callers(MayCall::Contacts)).unwrap();
        set.apply(Change::InputVolume(255)).unwrap();
        write(config.path(), &bob(), &set).unwrap();
        let path = preferences_path(config.path(), &bob());
        let text = fs::read_to_string(&path).unwrap();
        keyfile::write(&path, text.replacen('{', "{\"later\": [1],", 1).as_bytes()).unwrap();
        let mut again = read(config.path(), &bob()).value;
        assert!(again.is_favourite(&"ALICE".parse().unwrap()));
        assert_eq!(
            (again.callers, again.input_volume),
            (MayCall::Contacts, 200)
        );
        again
            .apply(Change::Favourite("alice".parse().unwrap(), false))
            .unwrap();
        assert!(again.favourites.is_empty());
        write(config.path(), &bob(), &again).unwrap();
        assert!(fs::read_to_string(&path).unwrap().contains("later"));
    }

    #[test]
    fn what_is_damaged_is_set_aside_and_said() {
        let config = config();
        let path = preferences_path(config.path(), &bob());
        for damaged in ["", "[]", "{\"notifications\": 3}", &" ".repeat(300_000)] {
            keyfile::write(&path, damaged.as_bytes()).unwrap();
            let kept = read(config.path(), &bob());
            assert_eq!(kept.value, Preferences::default());
            let (aside, _) = kept.damaged.unwrap();
            assert_eq!(fs::read_to_string(aside).unwrap(), damaged);
            assert!(read(config.path(), &bob()).damaged.is_none());
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_written_over_and_neither_is_what_was_set_aside() {
        use std::os::unix::fs::PermissionsExt;
        let config = config();
        let path = preferences_path(config.path(), &bob());
        let open = fs::Permissions::from_mode(0o644);
        let mut asides = Vec::new();
        for written in ["{\"publish\": false}", "damaged"] {
            fs::write(&path, written).unwrap();
            fs::set_permissions(&path, open.clone()).unwrap();
            let (aside, why) = read(config.path(), &bob()).damaged.unwrap();
            assert!(why.contains("chmod 600"), "{why}");
            write(config.path(), &bob(), &Preferences::default()).unwrap();
            asides.push((aside, written));
        }
        for (aside, written) in asides {
            assert_eq!(fs::read_to_string(aside).unwrap(), written);
        }
    }

    #[test]
    fn one_favourite_too_many_is_refused_and_all_others_stay() {
        let favourite = |number: usize, is| {
            let name = format!("user{number}").parse().unwrap();
            Change::Favourite(name, is)
        };
        let mut set = Preferences::default();
        for number in 0..FAVOURITES_MAX {
            set.apply(favourite(number, true)).unwrap();
        }
        let full = set.clone();
        let more = favourite(FAVOURITES_MAX, true);
        assert_eq!(set.apply(more.clone()), Err(Unset::TooManyFavourites));
        set.apply(favourite(7, true)).unwrap();
        assert_eq!(set, full);
        set.apply(favourite(7, false)).unwrap();
        set.apply(more).unwrap();
        assert_eq!(set.favourites.len(), FAVOURITES_MAX);
        assert_eq!(set.favourites.last().unwrap(), "user500");
    }

    #[test]
    fn a_device_that_is_gone_is_still_called_what_it_was() {
        let headset = Device {
            id: "pulseaudio:usb".to_owned(),
            name: "USB headset".to_owned(),
            direction: Direction::Input,
            is_default: false,
            is_monitor: false,
        };
        let listed = std::slice::from_ref(&headset);
        let mut set = Preferences::default();
        assert!(set.name_devices(listed).is_empty());
        set.apply(Change::Input(Some(headset.id.clone()))).unwrap();
        assert_eq!(set.device_name(&headset.id), headset.id);
        for change in set.name_devices(listed) {
            set.apply(change).unwrap();
        }
        assert_eq!(set.device_name(&headset.id), headset.name);
        assert!(set.name_devices(listed).is_empty(), "it is known");
        set.apply(Change::Input(Some("pulseaudio:pci".to_owned())))
            .unwrap();
        let other = Change::DeviceNamed("pulseaudio:pci".to_owned(), "Built-in".to_owned());
        set.apply(other).unwrap();
        assert_eq!(set.device_names.len(), 1, "only what is chosen is kept");
    }

    #[test]
    fn devices_are_what_was_typed_or_those_of_the_system() {
        let mut set = Preferences::default();
        assert_eq!(
            (set.input(), set.output()),
            (Input::Default, Output::Default)
        );
        assert_eq!(set.ring_on(), None);
        set.apply(Change::Input(Some("silence".to_owned())))
            .unwrap();
        set.apply(Change::RingOn(Some("pulseaudio:bell".to_owned())))
            .unwrap();
        assert_eq!(set.input(), Input::Silence);
        assert_eq!(
            set.ring_on(),
            Some(Output::Device("pulseaudio:bell".to_owned()))
        );
    }

    #[test]
    fn a_window_has_a_size_that_can_be_used_whatever_was_written() {
        let config = config();
        let written = r#"{"window": [1e30, -5], "text_size": 9000, "language": "pt-BR"}"#;
        keyfile::write(&appearance_path(config.path()), written.as_bytes()).unwrap();
        let kept = read_appearance(config.path());
        assert_eq!(kept.value.window, (8192.0, 480.0));
        assert_eq!(kept.value.text_size, 150);
        assert_eq!(kept.value.language, Language::BrazilianPortuguese);
        write_appearance(config.path(), &kept.value).unwrap();
        assert_eq!(read_appearance(config.path()), kept);
    }
}
