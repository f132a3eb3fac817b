//! The sound of calls as a person has it in hand: real phones and a real registry in this process,
//! with files in place of devices.

#![allow(clippy::unwrap_used)]

use std::{
    f32::consts::TAU,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use registry::{client::Access, server::Plain};
use softphone::{
    audio::{Direction, Input, Output, Volume},
    engine::{self, Command, Config, Event, Handle, PathKind},
    media::silence::Heard,
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
        ringing: None,
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

#[test]
fn devices_volume_and_warnings_are_a_person_s_during_a_call() {
    let runtime = Runtime::new().unwrap();
    let registry = Registry::start(&runtime, ANYWHERE, Plain::Never, 9);
    let folder = tempfile::tempdir().unwrap();
    let mut running = JoinSet::new();
    let tone = tone(folder.path());
    let mut phone = |name: &str, input: &Input| {
        let folder = folder.path();
        start(
            &runtime,
            &mut running,
            folder,
            &registry,
            name,
            input.clone(),
        )
    };
    let (mut alice, mut bob) = (phone("alice", &tone), phone("bob", &Input::Silence));
    runtime.block_on(async {
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

        // Bob sends silence, of which Alice is told once; the way there is known by then.
        let unheard = |event: &Event| match event {
            Event::Unheard { heard, .. } => Some((*heard, Instant::now())),
            _ => None,
        };
        let ((heard, _), before) = until(&mut alice, unheard).await;
        assert_eq!(heard, Heard::Silence);
        let paths: Vec<_> = before
            .iter()
            .filter_map(|event| match event {
                Event::Path { path, .. } => Some(*path),
                _ => None,
            })
            .collect();
        let [path] = paths[..] else {
            panic!("{paths:?}")
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

        // What cannot be used changes nothing but to be told.
        let missing = folder.path().join("missing.wav");
        tell(&bob, Command::Input(Input::File(missing))).await;
        let warned = |event: &Event| match event {
            Event::Warning(text) => Some(text.clone()),
            _ => None,
        };
        let (warning, _) = until(&mut bob, warned).await;
        assert!(warning.contains("missing.wav"), "{warning}");
        let used = |event: &Event| match event {
            Event::Devices { input, .. } => Some(input.clone()),
            _ => None,
        };
        assert_eq!(until(&mut bob, used).await.0, Input::Silence);
        tell(&bob, Command::Input(tone.clone())).await;
        assert_eq!(until(&mut bob, used).await.0, tone);
        let ((heard, _), _) = until(&mut alice, unheard).await;
        assert_eq!(heard, Heard::Sound);
        hears(&mut alice, -6.0).await;

        // Bob hears Alice less, and writes down what he hears a bit louder.
        tell(
            &alice,
            Command::Volume(Direction::Input, Volume::of_percent(50)),
        )
        .await;
        hears(&mut bob, -16.0).await;
        tell(
            &bob,
            Command::Volume(Direction::Output, Volume::of_percent(150)),
        )
        .await;
        let file = folder.path().join("heard.wav");
        std::fs::write(&file, "kept").unwrap();
        tell(&bob, Command::Output(Output::File(file.clone()))).await;
        let written: PathBuf = folder.path().join("heard-2.wav");
        let until_written = Instant::now() + PATIENCE;
        while !written.exists() || recorded(&written).len() < 48_000 {
            assert!(Instant::now() < until_written, "nothing is written");
            hears(&mut bob, -16.0).await;
        }
        assert_eq!(std::fs::read(&file).unwrap(), b"kept");
        let sound = recorded(&written);
        let peak = sound[24_000..]
            .iter()
            .fold(0.0, |peak: f32, s| peak.max(s.abs()));
        // -16 dBFS and 5.9 dB.
        assert!((0.26..0.38).contains(&peak), "{peak}");
        tell(&bob, phone::Command::Hangup(call)).await;
        let ended = |event: &Event| match event {
            Event::Phone(phone::Event::Ended { .. }) => Some(()),
            _ => None,
        };
        until(&mut alice, ended).await;
    });
}
