//! The sound of calls as a person has it in hand: real phones and a real registry in this process,
//! with files in place of devices.

#![allow(clippy::unwrap_used)]

use std::{
    f32::consts::TAU,
    path::Path,
    time::{Duration, Instant},
};

use codec::CallId;
use registry::{client::Access, server::Plain};
use softphone::{
    audio::{Direction, Input, Output, Volume},
    engine::{self, Command, Config, Event, Handle, PathKind},
    media::{format::Format, silence::Heard},
    phone::{self, Callers, SecondCall, Settings},
    settings::Profile,
};
use tokio::{runtime::Runtime, task::JoinSet, time::timeout};

use self::registries::{ANYWHERE, Registry};

#[path = "rig/registries.rs"]
mod registries;

/// Longer than anything takes here, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

/// A minute of a tone of 500 Hz, at an amplitude of 0.5: -6 dBFS.
fn tone(folder: &Path) -> Input {
    let path = folder.join("tone.wav");
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut wav = hound::WavWriter::create(&path, spec).unwrap();
    for n in 0..48_000 * 60 {
        let time = (n % 48_000) as f32 / 48_000.0;
        wav.write_sample(0.5 * (time * 500.0 * TAU).sin()).unwrap();
    }
    wav.finalize().unwrap();
    Input::File(path)
}

fn start(
    runtime: &Runtime,
    running: &mut JoinSet<()>,
    folder: &Path,
    registry: &Registry,
    name: &str,
    input: Input,
) -> Handle {
    let folder = folder.join(name);
    let profile = Profile::open(&folder, name.parse().unwrap(), engine::unix_now()).unwrap();
    let config = Config {
        me: profile.me,
        disk: Some(profile.disk),
        registry: registry.addr.into(),
        access: Access::of("test", &folder),
        listen: ANYWHERE,
        input,
        output: Output::None,
        format: Format::default(),
        ringing: None,
        has_window: false,
        settings: Settings {
            calls_max: 4,
            ring_for: Duration::from_secs(45),
            second_call: SecondCall::Offer,
            one_at_a_time: true,
            publish: true,
            callers: Callers::Everyone,
            dnd: false,
            hidden: false,
        },
    };
    let (handle, driver) = runtime.block_on(engine::start(config)).unwrap();
    running.spawn_on(driver.run(), runtime.handle());
    handle
}

/// What a phone tells until it tells what is looked for, and that.
async fn until<T>(handle: &mut Handle, wanted: impl Fn(&Event) -> Option<T>) -> (T, Vec<Event>) {
    let mut before = Vec::new();
    let found = timeout(PATIENCE, async {
        loop {
            let event = handle.events.recv().await.expect("the phone runs");
            if let Some(found) = wanted(&event) {
                return found;
            }
            before.push(event);
        }
    });
    match found.await {
        Ok(found) => (found, before),
        Err(_) => panic!("{:?}", before.iter().rev().take(20).collect::<Vec<_>>()),
    }
}

/// How loud the peer is, once that is near `dbfs`.
async fn hears(handle: &mut Handle, dbfs: f32) {
    let near = |event: &Event| match event {
        Event::Levels { levels, .. } => (levels.heard_dbfs - dbfs).abs() < 1.5,
        _ => false,
    };
    until(handle, |event| near(event).then_some(())).await;
}

async fn tell(handle: &Handle, command: impl Into<Command>) {
    handle.commands.send(command.into()).await.unwrap();
}

fn recorded(path: &Path) -> Vec<f32> {
    let wav = hound::WavReader::open(path).unwrap();
    let samples = wav.into_samples::<i16>();
    samples
        .map(|sample| f32::from(sample.unwrap()) / 32_768.0)
        .collect()
}

/// Two phones in a call that Alice has made.
struct InCall {
    alice: Handle,
    bob: Handle,
    call: CallId,
    folder: tempfile::TempDir,
    runtime: Runtime,
    _running: JoinSet<()>,
}

impl InCall {
    /// Alice says a tone, and Bob nothing.
    fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let registry = Registry::start(&runtime, ANYWHERE, Plain::Never, 9);
        let folder = tempfile::tempdir().unwrap();
        let mut running = JoinSet::new();
        let mut phone = |name: &str, input| {
            let folder = folder.path();
            start(&runtime, &mut running, folder, &registry, name, input)
        };
        let mut alice = phone("alice", tone(folder.path()));
        let mut bob = phone("bob", Input::Silence);
        let call = runtime.block_on(async {
            for phone in [&mut alice, &mut bob] {
                let registered = |event: &Event| match event {
                    Event::Phone(phone::Event::Registered) => Some(()),
                    _ => None,
                };
                until(phone, registered).await;
            }
            tell(&alice, phone::Command::Dial("bob".parse().unwrap())).await;
            let incoming = |event: &Event| match event {
                Event::Phone(phone::Event::Incoming { call, .. }) => Some(*call),
                _ => None,
            };
            let (call, _) = until(&mut bob, incoming).await;
            tell(&bob, phone::Command::Answer(call)).await;
            hears(&mut bob, -6.0).await;
            call
        });
        Self {
            alice,
            bob,
            call,
            folder,
            runtime,
            _running: running,
        }
    }

    /// Bob ends the call, which Alice's phone tells.
    async fn hang_up(alice: &mut Handle, bob: &Handle, call: CallId) {
        tell(bob, phone::Command::Hangup(call)).await;
        let ended = |event: &Event| match event {
            Event::Phone(phone::Event::Ended { .. }) => Some(()),
            _ => None,
        };
        until(alice, ended).await;
    }
}

fn unheard(event: &Event) -> Option<Heard> {
    match event {
        Event::Unheard { heard, .. } => Some(*heard),
        _ => None,
    }
}

#[test]
fn silence_the_path_and_figures_are_told_during_a_call() {
    let mut all = InCall::new();
    let InCall {
        alice,
        bob,
        call,
        runtime,
        ..
    } = &mut all;
    runtime.block_on(async {
        let (heard, before) = until(alice, unheard).await;
        assert_eq!(heard, Heard::Silence);
        let paths = before.iter().filter_map(|event| match event {
            Event::Path { path, .. } => Some(*path),
            _ => None,
        });
        let [path] = paths.collect::<Vec<_>>()[..] else {
            panic!("not one path: {before:?}")
        };
        assert_eq!(path.kind, PathKind::Direct);
        assert!(!path.remote.ip().is_unspecified() && path.remote.port() > 0);
        let figures = before
            .iter()
            .filter(|event| matches!(event, Event::Stats { .. }));
        // In the 5 s that it took, and no more often than once a second.
        let figures = figures.count();
        assert!((3..=7).contains(&figures), "{figures}");
        let unspoken = |event: &Event| matches!(event, Event::Unspoken { .. });
        assert!(!before.iter().any(unspoken), "a file is no microphone");
        InCall::hang_up(alice, bob, *call).await;
    });
}

#[test]
fn an_input_that_cannot_be_used_leaves_the_old_one_and_another_ends_the_silence() {
    let mut all = InCall::new();
    let InCall {
        alice,
        bob,
        call,
        folder,
        runtime,
        ..
    } = &mut all;
    runtime.block_on(async {
        let missing = folder.path().join("missing.wav");
        tell(bob, Command::Input(Input::File(missing))).await;
        let warned = |event: &Event| match event {
            Event::Warning(text) => Some(text.clone()),
            _ => None,
        };
        let (warning, _) = until(bob, warned).await;
        assert!(warning.to_string().contains("missing.wav"), "{warning}");
        let used = |event: &Event| match event {
            Event::Devices { input, .. } => Some(input.clone()),
            _ => None,
        };
        assert_eq!(until(bob, used).await.0, Input::Silence);
        assert_eq!(until(alice, unheard).await.0, Heard::Silence);
        let tone = Input::File(folder.path().join("tone.wav"));
        tell(bob, Command::Input(tone.clone())).await;
        assert_eq!(until(bob, used).await.0, tone);
        assert_eq!(until(alice, unheard).await.0, Heard::Sound);
        hears(alice, -6.0).await;
        InCall::hang_up(alice, bob, *call).await;
    });
}

#[test]
fn volumes_and_another_output_are_those_of_the_call_and_no_file_is_written_over() {
    let mut all = InCall::new();
    let InCall {
        alice,
        bob,
        call,
        folder,
        runtime,
        ..
    } = &mut all;
    runtime.block_on(async {
        // Bob hears Alice less, and writes down what he hears a bit louder.
        let quiet = Command::Volume(Direction::Input, Volume::of_percent(50));
        tell(alice, quiet).await;
        hears(bob, -16.0).await;
        let loud = Command::Volume(Direction::Output, Volume::of_percent(150));
        tell(bob, loud).await;
        let file = folder.path().join("heard.wav");
        std::fs::write(&file, "kept").unwrap();
        tell(bob, Command::Output(Output::File(file.clone()))).await;
        let written = folder.path().join("heard-2.wav");
        let until_written = Instant::now() + PATIENCE;
        while !written.exists() || recorded(&written).len() < 48_000 {
            assert!(Instant::now() < until_written, "nothing is written");
            hears(bob, -16.0).await;
        }
        assert_eq!(std::fs::read(&file).unwrap(), b"kept");
        let sound = recorded(&written);
        let loudness = sound[24_000..].iter().map(|sample| sample.abs());
        let peak = loudness.fold(0.0, f32::max);
        // -16 dBFS and 5.9 dB.
        assert!((0.26..0.38).contains(&peak), "{peak}");
        InCall::hang_up(alice, bob, *call).await;
    });
}
