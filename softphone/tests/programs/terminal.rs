//! `ramal-phone` on a terminal, as a person has it: a real one, with a shell around the program.

use std::{
    fs::{File, OpenOptions},
    io::{Read, Write},
    os::unix::ffi::OsStrExt,
    process::Child,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::OFlags,
    process::{Pid, Signal, kill_process_group},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize},
};

use super::*;

/// How long a text may take to appear.
const PATIENCE: Duration = Duration::from_secs(20);

/// Whatever ends the program, the shell goes on and says how the terminal is then.
const SHELL: &str = "trap : HUP INT QUIT TERM; \"$@\"; echo \"ended $?\"; stty -a; echo over";

/// A shell with jobs, as people have it: when the phone stops, it waits for Enter and goes on.
const JOBS: &str = "set -m; \"$@\"; echo stopped; read line; fg >/dev/null; \
                    echo \"ended $?\"; stty -a; echo over";

/// A terminal with a phone on it.
struct Screen {
    shell: Child,
    controller: File,
    /// Everything that was written on it, and how far it was looked at.
    written: Vec<u8>,
    seen: usize,
}

impl Place {
    /// A phone on a terminal of 80 columns.
    fn on_terminal(&self, name: &str, kind: &str, arguments: &[&str]) -> Screen {
        self.on_terminal_of(SHELL, name, kind, arguments)
    }

    fn on_terminal_of(&self, shell: &str, name: &str, kind: &str, arguments: &[&str]) -> Screen {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&controller).unwrap();
        unlockpt(&controller).unwrap();
        let path = ptsname(&controller, Vec::new()).unwrap();
        let path = Path::new(std::ffi::OsStr::from_bytes(path.as_bytes())).to_owned();
        let no_ctty = i32::try_from(OFlags::NOCTTY.bits()).unwrap();
        let side = || {
            use std::os::unix::fs::OpenOptionsExt;
            let mut options = OpenOptions::new();
            let side = options.read(true).write(true).custom_flags(no_ctty);
            Stdio::from(side.open(&path).unwrap())
        };
        tcsetwinsize(&controller, size(80)).unwrap();
        // A session of its own, with this terminal as the one that controls it.
        let mut command = Command::new("setsid");
        let shell = self
            .set_up(&mut command)
            .args(["--ctty", "sh", "-c", shell, "sh"])
            .arg(env!("CARGO_BIN_EXE_ramal-phone"))
            .args(["--listen", "127.0.0.1:0", "--name", name, "--config", name])
            .args(NO_SOUND)
            .args(arguments)
            .env("TERM", kind)
            .env("LC_ALL", "C.UTF-8")
            .env("NO_COLOR", "1")
            .stdin(side())
            .stdout(side())
            .stderr(side())
            .spawn()
            .unwrap();
        Screen {
            shell,
            controller: controller.into(),
            written: Vec::new(),
            seen: 0,
        }
    }
}

fn size(columns: u16) -> Winsize {
    Winsize {
        ws_row: 24,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}

impl Screen {
    /// Waits until this is written, after what was waited for before.
    fn wait_for(&mut self, text: &str) {
        let found = self.comes_within(text, PATIENCE);
        assert!(
            found,
            "no {text}: {}",
            String::from_utf8_lossy(&self.written)
        );
    }

    fn comes_within(&mut self, text: &str, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        loop {
            let unseen = &self.written[self.seen..];
            let mut places = unseen.windows(text.len());
            if let Some(at) = places.position(|place| place == text.as_bytes()) {
                self.seen += at + text.len();
                return true;
            }
            let left = until.saturating_duration_since(Instant::now());
            let left = Timespec::try_from(left).unwrap();
            let mut wanted = [PollFd::new(&self.controller, PollFlags::IN)];
            if poll(&mut wanted, Some(&left)).unwrap() == 0 {
                return false;
            }
            let mut bytes = [0; 4096];
            match self.controller.read(&mut bytes) {
                Ok(count) => self.written.extend(&bytes[..count]),
                // Nobody is left to write.
                Err(_) => return false,
            }
        }
    }

    fn types(&mut self, keys: &str) {
        self.controller.write_all(keys.as_bytes()).unwrap();
    }

    /// Sends a signal to the phone, and to the shell, which goes on.
    fn signal(&self, signal: Signal) {
        // While the test holds it, it is nobody else's number.
        let group = Pid::from_child(&self.shell);
        let _ = kill_process_group(group, signal);
    }

    /// Whether keys are given one by one.
    fn has_single_keys(&self) -> bool {
        let modes = tcgetattr(&self.controller).unwrap().local_modes;
        !modes.intersects(LocalModes::ICANON | LocalModes::ECHO)
    }

    /// Waits for the end of the phone, and checks that the terminal is as before.
    fn ends_with(mut self, code: u8) {
        self.wait_for(&format!("ended {code}\r\n"));
        let begins = self.seen;
        self.wait_for("over\r\n");
        let modes = String::from_utf8_lossy(&self.written[begins..]);
        assert!(
            modes.contains(" icanon") && modes.contains(" echo "),
            "{modes}"
        );
        // Nothing is left of the live rows, and the cursor is shown again.
        let all = String::from_utf8_lossy(&self.written);
        let (hidden, shown) = (all.rfind("\x1b[?25l"), all.rfind("\x1b[?25h"));
        assert!(hidden <= shown, "{all}");
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.signal(Signal::KILL);
        }
        let _ = self.shell.wait();
    }
}

#[test]
fn single_keys_take_mute_and_end_a_call_that_the_live_row_shows() {
    let place = Place::new();
    let mut bob = place.on_terminal("bob", "xterm", &["answer"]);
    bob.wait_for("registered as bob");
    bob.wait_for("c call");
    assert!(bob.has_single_keys());
    let mut alice = place.phone("alice", &with_no_sound(&["call", "bob", "--for", "60"]));
    bob.wait_for("alice  calls you (new) 0:0");
    bob.wait_for("a accept  d decline");
    bob.types("a");
    alice.wait_for("established");
    bob.wait_for("in a call with alice");
    bob.wait_for("alice  in a call 0:0");
    bob.wait_for("m mute");
    bob.types("m");
    bob.wait_for("you muted");
    // The row fits wherever it is.
    tcsetwinsize(&bob.controller, size(36)).unwrap();
    bob.wait_for("\ralice  0:0");
    tcsetwinsize(&bob.controller, size(100)).unwrap();
    bob.wait_for("\ralice  in a call 0:0");
    bob.types("l");
    bob.wait_for("1 alice  in a call 0:0");
    bob.wait_for(": alice (busy), bob (busy)");
    bob.types("h");
    assert_eq!(alice.wait_for("ended")["reason"], "remote_hangup");
    bob.wait_for("hung up on alice");
    bob.wait_for("bob  can be called");
    bob.types("q");
    bob.ends_with(0);
}

#[test]
fn a_second_call_waits_and_taking_it_holds_the_first_until_it_is_resumed() {
    let place = Place::new();
    let mut bob = place.on_terminal("bob", "xterm", &["answer"]);
    bob.wait_for("c call");
    let mut alice = place.phone("alice", &with_no_sound(&["call", "bob", "--for", "60"]));
    bob.wait_for("a accept  d decline");
    bob.types("a");
    bob.wait_for("in a call with alice");
    let mut carol = place.phone("carol", &with_no_sound(&["call", "bob", "--for", "60"]));
    bob.wait_for("carol calls meanwhile");
    bob.wait_for(">1 alice  in a call");
    bob.wait_for(" 2 carol  calls you");
    bob.wait_for("a accept carol  d decline  h hang up alice");
    bob.types("a");
    carol.wait_for("established");
    assert_eq!(alice.wait_for("held")["hold"], "there");
    bob.wait_for("alice is on hold");
    bob.wait_for(" 1 alice  on hold by you");
    bob.wait_for("h hang up carol");
    bob.types("1");
    bob.wait_for("h hang up alice  o resume");
    bob.types("o");
    assert_eq!(alice.wait_for("held")["hold"], "no");
    assert_eq!(carol.wait_for("held")["hold"], "there");
    bob.types("h");
    assert_eq!(alice.wait_for("ended")["reason"], "remote_hangup");
    bob.wait_for("carol  on hold by you");
    bob.types("q");
    assert_eq!(carol.wait_for("ended")["reason"], "remote_hangup");
    bob.ends_with(0);
}

#[test]
fn a_name_is_typed_and_called_from_a_terminal() {
    let place = Place::new();
    let mut echo = place.phone("echo", &["echo"]);
    echo.wait_for("registered");
    let mut bob = place.on_terminal("bob", "xterm", &["answer"]);
    bob.wait_for("c call");
    // Keys that do nothing now do nothing.
    bob.types("ahomcnobody\x7f\x15no body\n");
    bob.wait_for("cannot call 'no body'");
    bob.types("cecko\x7f\x7f");
    bob.wait_for("call: ec_");
    bob.types("ho\n");
    echo.wait_for("established");
    bob.wait_for("echo  in a call 0:0");
    bob.types("h");
    bob.wait_for("hung up on echo");
    bob.types("q");
    bob.ends_with(0);
}

#[test]
fn a_call_has_keys_on_a_terminal_too() {
    let place = Place::new();
    let mut bob = place.phone("bob", &with_no_sound(&["answer", "--auto"]));
    bob.wait_for("registered");
    let mut alice = place.on_terminal("alice", "xterm", &["call", "bob"]);
    alice.wait_for("h hang up  o hold  m mute");
    alice.types("h");
    assert_eq!(bob.wait_for("ended")["reason"], "remote_hangup");
    alice.ends_with(0);
}

#[test]
fn a_terminal_is_as_before_whatever_ends_the_phone() {
    let place = Place::new();
    let endings: [(Signal, u8); 4] = [
        (Signal::TERM, 143),
        (Signal::HUP, 129),
        (Signal::INT, 130),
        (Signal::QUIT, 131),
    ];
    for (signal, code) in endings {
        let mut bob = place.on_terminal("bob", "xterm", &["answer", "--calls", "1"]);
        bob.wait_for("c call");
        assert!(bob.has_single_keys());
        bob.signal(signal);
        bob.ends_with(code);
    }
}

#[test]
fn a_phone_that_is_stopped_gives_the_terminal_back_and_takes_it_again() {
    let place = Place::new();
    let mut bob = place.on_terminal_of(JOBS, "bob", "xterm", &["answer"]);
    bob.wait_for("c call");
    assert!(bob.has_single_keys());
    bob.types("\x1a");
    bob.wait_for("\x1b[?25h");
    bob.wait_for("stopped");
    assert!(!bob.has_single_keys());
    bob.types("\n");
    bob.wait_for("bob  can be called");
    assert!(bob.has_single_keys());
    bob.types("q");
    bob.ends_with(0);
}

#[test]
fn a_phone_that_nobody_could_make_go_on_does_not_stop() {
    let place = Place::new();
    let mut bob = place.on_terminal("bob", "xterm", &["answer"]);
    bob.wait_for("c call");
    bob.types("\x1a");
    bob.wait_for("\x1b[?25h");
    bob.wait_for("bob  can be called");
    bob.types("q");
    bob.ends_with(0);
}

#[test]
fn a_terminal_that_moves_no_cursor_gets_lines_and_takes_letters_with_enter() {
    let place = Place::new();
    let mut bob = place.on_terminal("bob", "dumb", &["answer", "--calls", "1"]);
    bob.wait_for("registered as bob");
    assert!(!bob.has_single_keys());
    let mut alice = place.phone("alice", &with_no_sound(&["call", "bob", "--for", "60"]));
    bob.wait_for("alice calls");
    bob.wait_for("type a letter and Enter: a accept, d decline");
    bob.types("a\n");
    alice.wait_for("established");
    bob.wait_for("in a call with alice");
    bob.types("h\n");
    bob.wait_for("hung up on alice");
    bob.wait_for("ended 0");
    assert!(!bob.written.contains(&0x1b));
}

#[test]
fn output_that_nobody_reads_does_not_keep_a_phone_from_ending() {
    let place = Place::new();
    let (unread, mut full) = std::io::pipe().unwrap();
    let room = rustix::pipe::fcntl_getpipe_size(&full).unwrap();
    full.write_all(&vec![b'\n'; room]).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ramal-phone"));
    let mut bob = place
        .set_up(&mut command)
        .args(["--json", "--name", "bob", "--config", "bob", "answer"])
        .args(NO_SOUND)
        .stdin(Stdio::null())
        .stdout(full)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while !place.is_registered("bob") {
        assert_eq!(bob.try_wait().unwrap(), None);
    }
    let mut kill = Command::new("kill");
    assert!(
        kill.arg("-INT")
            .arg(bob.id().to_string())
            .status()
            .unwrap()
            .success()
    );
    let mut complaints = String::new();
    bob.stderr
        .take()
        .unwrap()
        .read_to_string(&mut complaints)
        .unwrap();
    assert_eq!(bob.wait().unwrap().code(), Some(0));
    assert!(
        complaints.contains("nobody read the output"),
        "{complaints}"
    );
    drop(unread);
}
