//! A sound server of a test's own: microphones and loudspeakers that play to nobody, people who
//! speak into them, and ears.

#![allow(dead_code, reason = "not every suite needs all of it")]

use std::{
    env,
    f32::consts::TAU,
    fs,
    io::{Read, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use softphone::{
    audio::{Input, Output, Voice, VoiceEvent},
    media::{Encoded, Packet, Seq, format::Format},
};
use tokio::sync::mpsc::{Receiver, channel};

/// Longer than anything takes here, however busy the machine is.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How long a test may take in all.
pub const TEST_MAX: Duration = Duration::from_secs(100);

/// The folder of a test's own sound server; set in the process that runs the test.
pub const FOLDER: &str = "RAMAL_TEST_SOUND_SERVER";

/// What is said into a microphone, in seconds.
pub const SPEECH_SECONDS: usize = 120;

/// Microphones and loudspeakers, each twice: a source is what is played into a sink.
pub const DEVICES: [(&str, &str); 6] = [
    ("module-null-sink", "sink_name=mic_in rate=48000 channels=1"),
    (
        "module-null-sink",
        "sink_name=mic2_in rate=48000 channels=1",
    ),
    (
        "module-null-sink",
        "sink_name=speaker rate=48000 channels=2",
    ),
    (
        "module-null-sink",
        "sink_name=speaker2 rate=48000 channels=2",
    ),
    (
        "module-remap-source",
        "source_name=mic master=mic_in.monitor",
    ),
    (
        "module-remap-source",
        "source_name=mic2 master=mic2_in.monitor",
    ),
];

/// Runs `test`, the test of this name, in a process of its own with a sound server of its own.
pub fn with_sound_server(name: &str, test: fn(&mut Server)) {
    if let Some(folder) = env::var_os(FOLDER) {
        return test(&mut Server::start(Path::new(&folder)));
    }
    if Command::new("pulseaudio")
        .arg("--version")
        .output()
        .is_err()
    {
        // Straight to the terminal: what a test prints is kept back when it passes.
        let notice = format!("\nSKIPPED, for want of pulseaudio (see `make setup`): {name}\n");
        std::io::stderr().write_all(notice.as_bytes()).unwrap();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    fs::create_dir_all(run.join("pulse")).unwrap();
    fs::set_permissions(&run, fs::Permissions::from_mode(0o700)).unwrap();
    let socket = run.join("pulse/native");
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(FOLDER, folder.path())
        .env("HOME", folder.path())
        .env("XDG_RUNTIME_DIR", &run)
        .env("PULSE_RUNTIME_PATH", run.join("pulse"))
        .env("PULSE_SERVER", format!("unix:{}", socket.display()))
        .spawn()
        .unwrap();
    let until = Instant::now() + TEST_MAX;
    while Instant::now() < until {
        if let Some(status) = child.try_wait().unwrap() {
            return assert!(status.success(), "{name}: {status}");
        }
        thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    if let Ok(server) = fs::read_to_string(folder.path().join("server")) {
        kill("-KILL", &server);
    }
    panic!("{name} takes too long");
}

/// Sends a signal, as people do.
pub fn kill(signal: &str, process: &str) {
    let kill = Command::new("kill").args([signal, process]).status();
    assert!(kill.unwrap().success());
}

/// A sound server, which ends when this is dropped.
pub struct Server {
    pub folder: PathBuf,
    process: Child,
}

impl Server {
    pub fn start(folder: &Path) -> Self {
        let socket = folder.join("run/pulse/native");
        let mut script = format!(
            "load-module module-native-protocol-unix auth-anonymous=1 socket={}\n",
            socket.display()
        );
        for (module, arguments) in DEVICES {
            script += &format!("load-module {module} {arguments}\n");
        }
        script += "set-default-sink speaker\nset-default-source mic\n";
        fs::write(folder.join("devices.pa"), script).unwrap();
        let process = Command::new("pulseaudio")
            .args(["-n", "--daemonize=no", "--exit-idle-time=-1"])
            .args(["--realtime=no", "--high-priority=no", "--use-pid-file=no"])
            .arg("-F")
            .arg(folder.join("devices.pa"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        fs::write(folder.join("server"), process.id().to_string()).unwrap();
        let server = Self {
            folder: folder.to_owned(),
            process,
        };
        eventually("the sound server is up", || {
            server.tells(&["info"]).then_some(())
        });
        server
    }

    /// As in a crash: nobody is told anything.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub fn restart(&mut self) {
        *self = Self::start(&self.folder);
    }

    /// Stops the server as it is, or lets it go on.
    pub fn signal(&self, signal: &str) {
        kill(signal, &self.process.id().to_string());
    }

    /// Whether the server does what it is asked to.
    pub fn tells(&self, question: &[&str]) -> bool {
        let asked = Command::new("pactl").args(question).output().unwrap();
        asked.status.success()
    }

    /// How many streams play something to a loudspeaker, or hold one open.
    pub fn playing(&self) -> usize {
        let listed = Command::new("pactl")
            .args(["list", "short", "sink-inputs"])
            .output()
            .unwrap();
        assert!(listed.status.success());
        String::from_utf8(listed.stdout).unwrap().lines().count()
    }

    pub fn load(&self, (module, arguments): (&str, &str)) {
        let mut question = vec!["load-module", module];
        question.extend(arguments.split(' '));
        assert!(self.tells(&question), "{arguments}");
    }

    /// Unloads the one module that was loaded with these arguments.
    pub fn unload(&self, (_, arguments): (&str, &str)) {
        let listed = Command::new("pactl")
            .args(["list", "short", "modules"])
            .output();
        let listed = String::from_utf8(listed.unwrap().stdout).unwrap();
        let line = listed.lines().find(|line| line.contains(arguments));
        let number = line.unwrap().split('\t').next().unwrap();
        assert!(self.tells(&["unload-module", number]));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have been killed before.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A thread with a program of the sound server's, which is started again whenever it ends.
pub struct Program {
    /// `None` when it is to end.
    running: Arc<Mutex<Option<Child>>>,
    thread: Option<JoinHandle<()>>,
}

impl Program {
    pub fn start(arguments: &[&str], mut hear: impl FnMut(&[u8]) + Send + 'static) -> Self {
        let arguments: Vec<String> = arguments.iter().map(|&a| a.to_owned()).collect();
        let start = move || {
            let mut program = Command::new("pacat")
                .args(&arguments)
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let output = program.stdout.take().unwrap();
            (program, output)
        };
        let (first, mut output) = start();
        let running = Arc::new(Mutex::new(Some(first)));
        let shared = Arc::clone(&running);
        let thread = thread::spawn(move || {
            loop {
                let mut bytes = [0; 1_920];
                while output.read_exact(&mut bytes).is_ok() {
                    hear(&bytes);
                }
                thread::sleep(Duration::from_millis(20));
                let mut running = shared.lock().unwrap();
                let Some(ended) = running.as_mut() else {
                    return;
                };
                ended.wait().unwrap();
                let (next, its_output) = start();
                (*ended, output) = (next, its_output);
            }
        });
        let thread = Some(thread);
        Self { running, thread }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Some(mut program) = self.running.lock().unwrap().take() {
            // It may have ended by itself.
            let _ = program.kill();
            program.wait().unwrap();
        }
        let thread = self.thread.take().unwrap();
        if thread.join().is_err() && !thread::panicking() {
            panic!("a program of the sound server could not be run");
        }
    }
}

/// Somebody who speaks into a microphone all the time.
pub fn speak_into(sink: &str, folder: &Path) -> Program {
    let speech = folder.join("speech.raw");
    if !speech.exists() {
        let tone: Vec<u8> = (0..48_000 * SPEECH_SECONDS)
            .flat_map(|n| sample(n).to_le_bytes())
            .collect();
        fs::write(&speech, tone).unwrap();
    }
    let speech = speech.to_str().unwrap();
    Program::start(
        &[
            "--playback",
            "--raw",
            "--format=s16le",
            "--rate=48000",
            "--channels=1",
            "--latency-msec=20",
            "-d",
            sink,
            speech,
        ],
        |_| {},
    )
}

/// A tone of 500 Hz, at an amplitude of 0.5.
pub fn sample(n: usize) -> i16 {
    let time = (n % 48_000) as f32 / 48_000.0;
    #[allow(clippy::cast_possible_truncation, reason = "it is rounded")]
    let sample = (16_384.0 * (time * 500.0 * TAU).sin()) as i16;
    sample
}

/// Somebody who listens to a loudspeaker.
pub struct Ear {
    /// When something was heard for the last time.
    heard: Arc<Mutex<Option<Instant>>>,
    /// Something has come, and be it silence.
    listens: Arc<AtomicBool>,
    _program: Program,
}

impl Ear {
    pub fn at(sink: &str) -> Self {
        let heard = Arc::<Mutex<Option<Instant>>>::default();
        let hearing = Arc::clone(&heard);
        let listens = Arc::<AtomicBool>::default();
        let listening = Arc::clone(&listens);
        let source = format!("{sink}.monitor");
        let arguments = [
            "--record",
            "--raw",
            "--format=float32le",
            "--rate=48000",
            "--channels=1",
            "--latency-msec=10",
            "-d",
            &source,
        ];
        let program = Program::start(&arguments, move |bytes| {
            listening.store(true, Relaxed);
            let samples = bytes
                .as_chunks()
                .0
                .iter()
                .map(|&four| f32::from_le_bytes(four));
            if samples.fold(0.0, f32::max) > 0.1 {
                *hearing.lock().unwrap() = Some(Instant::now());
            }
        });
        Self {
            heard,
            listens,
            _program: program,
        }
    }

    /// One that hears what comes from now on, however short it is.
    pub fn listening_at(sink: &str) -> Self {
        let ear = Self::at(sink);
        eventually("somebody listens", || {
            ear.listens.load(Relaxed).then_some(())
        });
        ear
    }

    /// Whether something has been heard within the last 100 ms.
    pub fn hears(&self) -> bool {
        let heard = *self.heard.lock().unwrap();
        heard.is_some_and(|at| at.elapsed() < Duration::from_millis(100))
    }

    /// When something was last heard.
    pub fn heard_at(&self) -> Option<Instant> {
        *self.heard.lock().unwrap()
    }
}

/// Asks again until there is an answer.
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < until, "it did not happen: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A call: Alice, who has devices, and Bob, who says a tone from a file and has a meter.
pub struct Call {
    pub alice: Voice,
    pub bob: Voice,
    pub events: Receiver<VoiceEvent>,
}

impl Call {
    pub fn between(folder: &Path, input: &Input, output: &Output) -> Self {
        let tone = folder.join("tone.wav");
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 48_000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut wav = hound::WavWriter::create(&tone, spec).unwrap();
        for n in 0..48_000 * SPEECH_SECONDS {
            wav.write_sample(sample(n)).unwrap();
        }
        wav.finalize().unwrap();
        let (from_alice, to_bob) = channel(50);
        let (from_bob, to_alice) = channel(50);
        let (told, events) = channel(16);
        let (bob_told, _) = channel(16);
        let alice = Voice::start(input, output, Format::default(), from_alice, told).unwrap();
        let bob = Voice::start(
            &Input::File(tone),
            &Output::None,
            Format::default(),
            from_bob,
            bob_told,
        )
        .unwrap();
        carry(to_bob, &bob);
        carry(to_alice, &alice);
        alice.open();
        bob.open();
        Self { alice, bob, events }
    }

    /// Waits until Alice's loudspeaker is heard, and Bob hears what is said into her microphone;
    /// tells how long each took.
    pub fn flows(&self, ear: &Ear, after: &str) {
        let began = Instant::now();
        let _ = self.bob.levels();
        let (mut heard, mut said) = (None, None);
        eventually("voice goes both ways", || {
            if ear.hears() {
                heard.get_or_insert_with(|| began.elapsed().as_millis());
            }
            if self.bob.levels().heard_dbfs > -12.0 {
                said.get_or_insert_with(|| began.elapsed().as_millis());
            }
            heard.zip(said)
        });
        // What a figure in `docs/benchmarks.md` is taken from; a test does not look at it.
        println!("after {after}: loudspeaker {heard:?} ms, microphone {said:?} ms");
    }

    /// Waits for these events, in any order.
    pub fn tells(&mut self, wanted: &[fn(&VoiceEvent) -> bool]) {
        let mut missing: Vec<_> = wanted.iter().collect();
        eventually("the events that are to come", || {
            while let Ok(event) = self.events.try_recv() {
                let at = missing.iter().position(|is| is(&event));
                missing.swap_remove(at.unwrap_or_else(|| panic!("not expected: {event:?}")));
            }
            missing.is_empty().then_some(())
        });
    }
}

/// A network: what is sent goes to the other, until the sender has ended.
pub fn carry(mut sent: Receiver<Encoded>, to: &Voice) {
    let to = to.packets();
    thread::spawn(move || {
        let mut seq = Seq(0);
        while let Some(encoded) = sent.blocking_recv() {
            to.receive(Packet {
                seq,
                timestamp: encoded.timestamp,
                marker: encoded.marker,
                payload: encoded.payload.into(),
                coding: encoded.coding,
                arrived: Instant::now(),
            });
            seq.0 = seq.0.wrapping_add(1);
        }
    });
}
