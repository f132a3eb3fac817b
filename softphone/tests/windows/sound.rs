//! A sound server with a microphone and a loudspeaker for each of two people: sinks that play to
//! nobody. What is played into `NAME_mic_in` is what the microphone `NAME_mic` hears, and what is
//! played to the loudspeaker `NAME_spk` is recorded from its monitor.

use std::{
    fs,
    io::Read,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::{self, JoinHandle},
};

use super::eventually;

/// Samples a second.
const RATE: u32 = 48_000;

/// The server; it ends when this is dropped.
pub struct Sound {
    server: Child,
    run: PathBuf,
}

impl Sound {
    pub fn start(folder: &Path, people: &[&str]) -> Self {
        let run = folder.join("run");
        fs::create_dir_all(run.join("pulse")).unwrap();
        fs::set_permissions(&run, fs::Permissions::from_mode(0o700)).unwrap();
        let socket = run.join("pulse/native");
        let mut script = format!(
            "load-module module-native-protocol-unix auth-anonymous=1 socket={}\n",
            socket.display()
        );
        for name in people {
            script += &format!(
                "load-module module-null-sink sink_name={name}_mic_in rate=48000 channels=1\n\
                 load-module module-remap-source source_name={name}_mic \
                 master={name}_mic_in.monitor source_properties=device.description={name}_mic\n\
                 load-module module-null-sink sink_name={name}_spk rate=48000 channels=2 \
                 sink_properties=device.description={name}_spk\n"
            );
        }
        fs::write(folder.join("devices.pa"), script).unwrap();
        let mut command = Command::new("pulseaudio");
        command
            .args(["-n", "--daemonize=no", "--exit-idle-time=-1"])
            .args(["--realtime=no", "--high-priority=no", "--use-pid-file=no"])
            .arg("-F")
            .arg(folder.join("devices.pa"))
            .env("HOME", folder);
        let server = with(&mut command, &run).spawn().expect("pulseaudio");
        let sound = Self { server, run };
        eventually("the sound server is up", || {
            let mut asked = Command::new("pactl");
            let asked = sound.of(asked.arg("info")).status().unwrap();
            asked.success().then_some(())
        });
        sound
    }

    /// Has a program use this server and no other.
    pub fn of<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        with(command, &self.run)
    }

    /// Plays a WAV file into somebody's microphone.
    pub fn speak(&self, name: &str, wav: &Path) -> Program {
        let mut play = Command::new("paplay");
        play.arg("-d").arg(format!("{name}_mic_in")).arg(wav);
        Program(self.of(&mut play).spawn().unwrap())
    }

    /// Records somebody's loudspeaker until it is stopped.
    pub fn listen(&self, name: &str) -> Ear {
        let mut record = Command::new("pacat");
        record
            .args(["--record", "--raw", "--format=s16le", "--rate=48000"])
            .args(["--channels=1", "--latency-msec=20", "-d"])
            .arg(format!("{name}_spk.monitor"));
        let mut program = self.of(&mut record).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = program.stdout.take().unwrap();
        let heard = thread::spawn(move || {
            let mut bytes = Vec::new();
            output.read_to_end(&mut bytes).unwrap();
            let samples = bytes.as_chunks().0.iter();
            samples.map(|&two| i16::from_le_bytes(two)).collect()
        });
        let program = Program(program);
        Ear { program, heard }
    }
}

impl Drop for Sound {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn with<'a>(command: &'a mut Command, run: &Path) -> &'a mut Command {
    command
        .env("XDG_RUNTIME_DIR", run)
        .env("PULSE_RUNTIME_PATH", run.join("pulse"))
        .env(
            "PULSE_SERVER",
            format!("unix:{}", run.join("pulse/native").display()),
        )
        .stdout(Stdio::null())
        .stderr(Stdio::null())
}

/// A program that ends when this is dropped.
pub struct Program(Child);

impl Program {
    /// Waits for its end.
    pub fn wait(&mut self) {
        self.0.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Somebody's loudspeaker, as it is heard.
pub struct Ear {
    program: Program,
    heard: JoinHandle<Vec<i16>>,
}

impl Ear {
    /// Keeps all that was heard since the beginning.
    pub fn stop(self, wav: &Path) {
        drop(self.program);
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: RATE,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::create(wav, spec).unwrap();
        for sample in self.heard.join().unwrap() {
            writer.write_sample(sample).unwrap();
        }
        writer.finalize().unwrap();
    }
}
