//! Sound that is tried outside of calls, with files in place of devices.

#![allow(clippy::unwrap_used)]

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use softphone::audio::{
    AudioError, Input, Output,
    trial::{Meter, Player, RECORDING_MAX, Recorder, State},
};

/// Longer than anything takes here, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(40);

/// Asks again until there is an answer.
fn eventually<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < until, "it did not happen");
        thread::sleep(Duration::from_millis(5));
    }
}

/// 11 s at a constant half of full scale.
fn input(folder: &tempfile::TempDir) -> Input {
    let path = folder.path().join("loud.wav");
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(&path, spec).unwrap();
    for _ in 0..48_000 * 11 {
        wav.write_sample(16_384_i16).unwrap();
    }
    wav.finalize().unwrap();
    Input::File(path)
}

#[test]
fn a_recorder_ends_after_10_s_and_what_it_took_is_played_once() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::start(input(&folder)).unwrap();
    eventually(|| (recorder.state() == State::Ended).then_some(()));
    assert!((recorder.level_dbfs() + 6.02).abs() < 0.1);
    assert_eq!(recorder.length(), RECORDING_MAX);
    let recording = recorder.finish();
    assert_eq!(recording.length(), RECORDING_MAX);
    assert!(recording.peaks().all(|peak| (peak - 0.5).abs() < 0.01));
    // A file that a person named is not written on.
    let kept = folder.path().join("kept.wav");
    fs::write(&kept, "kept").unwrap();
    let player = Player::replay(&recording, Output::File(kept.clone())).unwrap();
    eventually(|| (player.position() > Duration::from_secs(1)).then_some(()));
    assert!((player.level_dbfs() + 6.02).abs() < 0.1);
    assert_eq!(player.state(), State::Running);
    drop(player);
    let short = Player::tone(Output::None).unwrap();
    eventually(|| (short.state() == State::Ended).then_some(()));
    assert_eq!(short.position(), short.length());
    assert_eq!(fs::read(kept).unwrap(), b"kept");
}

#[test]
fn a_meter_shows_what_it_hears_and_an_error_what_it_cannot() {
    let folder = tempfile::tempdir().unwrap();
    let meter = Meter::start(input(&folder)).unwrap();
    eventually(|| ((meter.level_dbfs() + 6.02).abs() < 0.1).then_some(()));
    assert_eq!(meter.state(), State::Running);
    let meter = Meter::start(Input::File(folder.path().join("missing.wav"))).unwrap();
    eventually(|| match meter.state() {
        State::Failed(AudioError::CannotRead { .. }) => Some(()),
        _ => None,
    });
    assert_eq!(meter.level_dbfs(), -96.0);
}
