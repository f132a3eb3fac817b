//! The windows as people use them: a registry and two phones, on screens that nobody sees, with
//! microphones and loudspeakers that are none. What is typed and clicked is all that is done; what
//! comes of it is seen on the screens, heard on the loudspeakers, and asked of the phones.
//!
//! `RAMAL_PICTURES=docs/pictures cargo test -p softphone --test windows` keeps what was on the
//! screens: the pictures of the README and of docs/guide.md. `RAMAL_PROGRAMS=target/release` runs
//! the programs of that folder, and the figures that are printed are those of docs/benchmarks.md.

#![cfg(feature = "gui")]
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::cast_precision_loss)]

use std::{
    collections::BTreeMap,
    env, fs,
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};

use look::Tokens;
use serde_json::Value;

#[path = "windows/desktop.rs"]
mod desktop;
#[allow(dead_code, reason = "the demo says what the figures mean")]
#[path = "../examples/demo/likeness.rs"]
mod likeness;
#[path = "windows/screen.rs"]
mod screen;
#[path = "windows/sound.rs"]
mod sound;
#[allow(dead_code, reason = "the demo says what the figures mean")]
#[path = "../examples/demo/wav.rs"]
mod wav;

use desktop::Desktop;
use screen::{Key, Rgb, Screen};
use sound::Sound;

/// Longer than anything takes here, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long the picture on a screen stays the same before it is kept.
const CALM: Duration = Duration::from_millis(700);

/// How large the windows are when nobody has said otherwise.
const REGISTRY: (u16, u16) = (1240, 760);
const PHONE: (u16, u16) = (960, 680);

/// What is said.
const CLIP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/demo/speech.wav");

/// How often it is said at most.
const SAID_MAX: usize = 5;

/// From this likeness on, what was heard is what was said.
const ALIKE: f64 = 0.7;

/// Waits until there is something.
fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "never: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// What a program that was started says first.
fn first_line(program: &mut Child) -> String {
    let mut line = String::new();
    let told = program.stdout.take().unwrap();
    BufReader::new(told).read_line(&mut line).unwrap();
    line.trim().to_owned()
}

/// What two people do with their windows: a registry is opened, both sign in, one finds the other
/// and calls, the other accepts by a click, the words agree, each hears the other, and one hangs
/// up.
#[test]
fn two_people_meet_at_a_registry_and_talk() {
    let missing = ["Xvfb", "pulseaudio", "pacat", "dbus-daemon"]
        .into_iter()
        .find(|program| Command::new(program).arg("-version").output().is_err());
    if let Some(missing) = missing {
        // Straight to the terminal: what a test prints is kept back when it passes.
        let notice = format!("\nSKIPPED, for want of {missing} (see `make setup`): windows\n");
        std::io::stderr().write_all(notice.as_bytes()).unwrap();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::set(folder.path());

    let registry = stage.open_registry();
    let bob = stage.sign_in("bob", registry.addr);
    let alice = stage.sign_in("alice", registry.addr);
    registry
        .window
        .screen
        .press_with(Key::CONTROL, Key::of('1'));
    registry.window.keep("registry");
    let figures = [
        ("registry, idle", &registry.window),
        ("softphone, idle", &bob.window),
    ];
    print_figures(&figures);

    alice.find("bob");
    alice.window.keep("people");
    alice.window.screen.press_with(Key::CONTROL, Key::ENTER);
    alice.window.keep("calling");
    bob.until("it rings here", "incoming");
    alice.until("it rings there", "ringing");
    bob.window.keep("incoming");
    alice.window.keep("ringing");

    bob.accept_by_click();
    let hers = alice.until("the call is up", "established");
    let his = bob.until("the call is up", "established");
    assert_eq!(hers["words"].as_str().unwrap().split(' ').count(), 4);
    assert_eq!(hers["words"], his["words"], "the words agree");
    stage.says_to(&alice, &bob);
    stage.says_to(&bob, &alice);
    // Both talk while it is seen how a call looks.
    let talk = ["alice", "bob"].map(|name| stage.sound.speak(name, CLIP.as_ref()));
    bob.window.keep("call-callee");
    alice.window.keep("call");
    drop(talk);
    print_figures(&[("softphone, in a call", &alice.window)]);

    alice.window.screen.press_with(Key::CONTROL, Key::of('h'));
    alice.until_idle();
    bob.until_idle();
    bob.window.keep("ended");
    stage.calls_seen_from_the_desktop(&alice, &bob);
}

/// Where everything takes place.
struct Stage {
    folder: PathBuf,
    sound: Sound,
    desktop: Desktop,
}

impl Stage {
    fn set(folder: &Path) -> Self {
        let folder = folder.to_owned();
        let sound = Sound::start(&folder, &["alice", "bob"]);
        let desktop = Desktop::start();
        Self {
            folder,
            sound,
            desktop,
        }
    }

    /// Whoever does not look at the window sees on their desktop who calls, and answers there.
    fn calls_seen_from_the_desktop(&self, alice: &Person, bob: &Person) {
        assert_eq!(self.desktop.icons(), 2, "a phone each in the tray");
        let told = || self.desktop.notification("alice");
        assert_eq!(
            told(),
            None,
            "what was answered in the window is taken back"
        );
        alice.window.screen.press_with(Key::CONTROL, Key::ENTER);
        let rings = eventually("the desktop tells that alice calls", told);
        self.desktop.press(&rings, "answer");
        alice.until("the call is up", "established");
        bob.until("the call is up", "established");
        alice.window.screen.press_with(Key::CONTROL, Key::of('h'));
        bob.until_idle();
        self.desktop.turn_dark();
        let [red, green, blue, _] = Tokens::DARK.background.into_rgba8();
        eventually("a dark desktop has dark windows", || {
            let picture = alice.window.screen.picture();
            picture.middle_of([red, green, blue], 10_000)
        });
    }

    /// Starts a program with a screen of its own.
    fn open(&self, program: &str, (width, height): (u16, u16), arguments: &[&str]) -> Window {
        let screen = Screen::start(width, height);
        let mut command = Command::new(programs().join(program));
        let log = fs::File::create(
            self.folder
                .join(format!("{}.log", arguments.join(" ").replace('/', "_"))),
        );
        self.sound
            .of(&mut command)
            .args(arguments)
            .env("DISPLAY", &screen.display)
            .env("HOME", &self.folder)
            .env("LANG", "en_US.UTF-8")
            .env_remove("LC_ALL")
            .env_remove("LANGUAGE")
            .env_remove("WAYLAND_DISPLAY")
            .env("DBUS_SESSION_BUS_ADDRESS", &self.desktop.address)
            .stderr(log.unwrap());
        let program = command.spawn().expect("a program that has been built");
        screen.focus();
        Window { program, screen }
    }

    /// The registry's window, and its registry opened by a click.
    fn open_registry(&self) -> Registry {
        let data = self.folder.join("registry");
        let addr = free_port();
        let listen = addr.to_string();
        let arguments = ["--data", data.to_str().unwrap(), "--listen", &listen];
        let window = self.open("ramal-registry-gui", REGISTRY, &arguments);
        window.keep("registry-closed");
        window.click_on(Tokens::LIGHT.accent_fill.into_rgba8());
        eventually("the registry listens", || TcpStream::connect(addr).ok());
        Registry { window, addr }
    }

    /// Somebody's phone, signed in by what they type.
    fn sign_in(&self, name: &'static str, registry: SocketAddr) -> Person {
        let config = self.folder.join("people");
        let (input, output) = (format!("{name}_mic"), format!("{name}_spk"));
        let own = config.join(name);
        let arguments = [
            "--config",
            own.to_str().unwrap(),
            "--listen",
            "127.0.0.1:0",
            "--input",
            &input,
            "--output",
            &output,
        ];
        let window = self.open("ramal-softphone", PHONE, &arguments);
        window.calm();
        window.screen.write(name);
        window.screen.press(Key::ENTER);
        window.calm();
        window.screen.write(&registry.to_string());
        window.keep(&format!("sign-in-{name}"));
        window.screen.press(Key::ENTER);
        let socket = own.join(name).join("phone.sock");
        let person = Person {
            name,
            window,
            socket,
        };
        eventually("the phone is registered", || {
            (person.status()?["registered"] == "yes").then_some(())
        });
        // The words that get the name back are shown once, and put away.
        person.window.keep(&format!("recovery-{name}"));
        person
            .window
            .click_on(Tokens::LIGHT.accent_fill.into_rgba8());
        person
    }

    /// What one says into the microphone comes out of the other's loudspeaker. On a machine that
    /// is busy with other tests it is said again.
    fn says_to(&self, one: &Person, other: &Person) {
        let alike = (0..SAID_MAX).map(|_| self.heard(one, other));
        let alike = alike.inspect(|alike| {
            println!(
                "{} hears {}: {:.0} % alike",
                other.name,
                one.name,
                alike * 100.0
            );
        });
        let heard = alike.into_iter().any(|alike| alike > ALIKE);
        assert!(heard, "{} hears {}", other.name, one.name);
    }

    /// How like what the other hears is to what one says.
    fn heard(&self, one: &Person, other: &Person) -> f64 {
        let ear = self.sound.listen(other.name);
        self.sound.speak(one.name, CLIP.as_ref()).wait();
        let recording = self.folder.join("heard.wav");
        ear.stop(&recording);
        let said = wav::read(CLIP.as_ref()).unwrap();
        let heard = wav::read(&recording).unwrap();
        let lag = likeness::lag(&said, &heard);
        lag.map_or(0.0, |lag| likeness::likeness(&said, &heard, lag))
    }
}

/// A window that is open, with its program.
struct Window {
    program: Child,
    screen: Screen,
}

impl Window {
    /// Waits until nothing moves, for a while at most: meters always do.
    fn calm(&self) {
        let until = Instant::now() + 4 * CALM;
        let (mut seen, mut since) = (self.screen.picture(), Instant::now());
        while since.elapsed() < CALM && Instant::now() < until {
            thread::sleep(Duration::from_millis(50));
            let now = self.screen.picture();
            if now != seen {
                (seen, since) = (now, Instant::now());
            }
        }
    }

    /// Keeps what is on the screen, where somebody wants it.
    fn keep(&self, name: &str) {
        self.calm();
        if let Some(folder) = env::var_os("RAMAL_PICTURES") {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("..")
                .join(folder);
            fs::create_dir_all(&folder).unwrap();
            self.screen
                .picture()
                .save(&folder.join(format!("{name}.png")));
        }
    }

    /// Clicks on what has this colour, once it is there.
    fn click_on(&self, [red, green, blue, _]: [u8; 4]) {
        let colour: Rgb = [red, green, blue];
        let there = || self.screen.picture().middle_of(colour, 400);
        let at = eventually(&format!("there is something of {colour:?}"), there);
        self.calm();
        self.screen.click(there().unwrap_or(at));
        // What is moved away too soon counts as not being there at all.
        self.calm();
        self.screen.leave();
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

struct Registry {
    window: Window,
    addr: SocketAddr,
}

/// Somebody at their phone.
struct Person {
    name: &'static str,
    window: Window,
    socket: PathBuf,
}

impl Person {
    /// How the phone stands, as it tells other programs; `None` before it runs.
    fn status(&self) -> Option<Value> {
        let mut stream = UnixStream::connect(&self.socket).ok()?;
        stream.write_all(b"\"status\"\n").unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        Some(answer["done"]["status"].clone())
    }

    /// Types a name where people are looked for.
    fn find(&self, name: &str) {
        self.window.calm();
        self.window.screen.press_with(Key::CONTROL, Key::of('f'));
        // Where to type is decided by the window, a moment after the key.
        self.window.calm();
        self.window.screen.write(name);
    }

    fn accept_by_click(&self) {
        self.window
            .click_on(Tokens::LIGHT.positive_fill.into_rgba8());
    }

    /// The one call, once it is that far.
    fn until(&self, what: &str, stage: &str) -> Value {
        eventually(&format!("{}: {what}", self.name), || {
            let status = self.status()?;
            let calls = status["calls"].as_array()?;
            calls.iter().find(|call| call["stage"] == stage).cloned()
        })
    }

    fn until_idle(&self) {
        eventually(&format!("{}: no call", self.name), || {
            self.status()?["calls"].as_array()?.is_empty().then_some(())
        });
    }
}

/// The folder of the programs: that of this test's own, or a named one.
fn programs() -> PathBuf {
    match env::var_os("RAMAL_PROGRAMS") {
        Some(folder) => Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .join(folder),
        None => {
            let folder = Path::new(env!("CARGO_BIN_EXE_ramal-softphone"))
                .parent()
                .unwrap();
            let registry = folder.join("ramal-registry-gui");
            assert!(
                registry.is_file(),
                "first: cargo build -p registry --bin ramal-registry-gui"
            );
            folder.to_owned()
        }
    }
}

/// A port that is free now, and hardly anybody's a moment later.
fn free_port() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap()
}

/// Prints what programs take of processor and memory, over a while, and which of their threads.
fn print_figures(windows: &[(&str, &Window)]) {
    if env::var_os("RAMAL_FIGURES").is_none() {
        return;
    }
    const OVER: Duration = Duration::from_secs(20);
    let before: Vec<_> = windows.iter().map(|(_, window)| times(window)).collect();
    thread::sleep(OVER);
    let share = |time: Duration| time.as_secs_f64() / OVER.as_secs_f64() * 100.0;
    for ((what, window), before) in windows.iter().zip(before) {
        let mut used: Vec<(Duration, String)> = times(window)
            .into_iter()
            .map(|(thread, (name, time))| {
                let before = before
                    .get(&thread)
                    .map_or(Duration::ZERO, |(_, time)| *time);
                (time.saturating_sub(before), name)
            })
            .collect();
        used.sort();
        let all: Duration = used.iter().map(|(time, _)| *time).sum();
        let status = fs::read_to_string(format!("/proc/{}/status", window.program.id())).unwrap();
        let rss = status
            .lines()
            .find(|line| line.starts_with("VmRSS"))
            .unwrap();
        println!(
            "{what}: {:.2} % of a core, {}",
            share(all),
            rss.replace('\t', " ")
        );
        for (time, name) in used.iter().rev().take(8) {
            println!("    {:.2} % {name}", share(*time));
        }
    }
}

/// The threads of a program, with their names, and what each took of the processor. The scheduler's
/// own figures, as sound's threads wake in time with the ticks that others are counted by.
fn times(window: &Window) -> BTreeMap<String, (String, Duration)> {
    let threads = fs::read_dir(format!("/proc/{}/task", window.program.id())).unwrap();
    threads
        .filter_map(|thread| {
            let thread = thread.ok()?;
            // One that has ended meanwhile is left out.
            let name = fs::read_to_string(thread.path().join("comm")).ok()?;
            let times = fs::read_to_string(thread.path().join("schedstat")).ok()?;
            let nanoseconds = times.split(' ').next()?.parse().ok()?;
            let id = thread.file_name().to_string_lossy().into_owned();
            Some((
                id,
                (name.trim().to_owned(), Duration::from_nanos(nanoseconds)),
            ))
        })
        .collect()
}
