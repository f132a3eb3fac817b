//! The program where there is no display, and where the display goes away while it runs.

use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Longer than anything takes on a busy machine.
const AT_LAST: Duration = Duration::from_secs(60);

/// The program with its data there and no display, unless it is given one.
fn program(folder: &Path) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_ramal-registry-gui"));
    program.arg("--data").arg(folder.join("registry"));
    for name in ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"] {
        program.env_remove(name);
    }
    program.stdout(Stdio::piped()).stderr(Stdio::piped());
    program
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_program_without_a_display_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let output = program(folder.path()).output().unwrap();
    let none = "ramal-registry-gui: there is no display to open a window on; ramal-registry does \
                without one\n";
    assert_eq!(
        (said(&output).as_str(), output.status.code()),
        (none, Some(2))
    );
    // Nobody is there.
    let output = program(folder.path())
        .env("WAYLAND_DISPLAY", folder.path().join("nobody"))
        .output()
        .unwrap();
    let deaf = "ramal-registry-gui: cannot open a window: the display does not answer; \
                ramal-registry does without one\n";
    assert_eq!(
        (said(&output).as_str(), output.status.code()),
        (deaf, Some(2))
    );
}

/// A display that nobody sees, and what it is called; it ends when this is dropped.
struct Display(Child, String);

impl Display {
    fn start() -> Option<Self> {
        let started = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1300x800x24"])
            .args(["-nolisten", "tcp", "-noreset"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut server = started.ok()?;
        let mut number = String::new();
        let told = server.stdout.take().unwrap();
        BufReader::new(told).read_line(&mut number).unwrap();
        Some(Self(server, format!(":{}", number.trim())))
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn a_display_that_goes_away_leaves_no_registry_open() {
    let Some(display) = Display::start() else {
        // Straight to the terminal: what a test prints is kept back when it passes.
        let notice = b"\nSKIPPED, for want of Xvfb (see `make setup`): a display that goes away\n";
        std::io::stderr().write_all(notice).unwrap();
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let listen = free();
    let program = program(folder.path())
        .args(["--open", "--listen", &listen.to_string()])
        .env("DISPLAY", &display.1)
        .spawn()
        .unwrap();
    let until = Instant::now() + AT_LAST;
    let admin = folder.path().join("registry/admin.sock");
    while TcpStream::connect(listen).is_err() || !admin.exists() {
        assert!(Instant::now() < until, "it never opens");
        thread::yield_now();
    }
    drop(display);
    let output = program.wait_with_output().unwrap();
    let said = said(&output);
    let gone = "ramal-registry-gui: the window is gone, and the registry was closed; \
                ramal-registry needs no display";
    // The registry may have been faster than the window, which then was never there.
    let never = "ramal-registry-gui: cannot open a window: ";
    let told = match output.status.code() {
        Some(1) => said.lines().any(|line| line == gone),
        Some(2) => said.lines().any(|line| line.starts_with(never)),
        _ => false,
    };
    assert!(told, "{:?}: {said}", output.status);
    assert!(!admin.exists(), "it was closed as it is by a person");
}

fn free() -> SocketAddr {
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    port.local_addr().unwrap()
}
