//! Other devices in the middle of a call, and devices that are tried outside of calls. Each test
//! runs in a process of its own, with a PulseAudio of its own.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use softphone::{
    audio::{
        AudioError, Direction, Input, Output, Volume,
        trial::{Meter, Player, Recorder, State},
    },
    media::stats::VoiceStats,
};

use sound::{Call, Ear, eventually, speak_into, with_sound_server};

#[path = "rig/sound.rs"]
mod sound;

fn microphone(name: &str) -> Input {
    Input::Device(name.to_owned())
}

fn loudspeaker(name: &str) -> Output {
    Output::Device(name.to_owned())
}

/// The playout delay over a second, in which it may go up and down by a packet.
fn delay(stats: impl Fn() -> VoiceStats) -> Duration {
    let times = 100;
    let sum: Duration = (0..times)
        .map(|_| {
            thread::sleep(Duration::from_millis(10));
            stats().playout_delay
        })
        .sum();
    sum / times
}

/// What a figure in `docs/benchmarks.md` is taken from. A virtual card's clock is as late as the
/// machine is busy, so a test does not look at it; `tests/voice.rs` has one that is exact.
fn print_delay(when: &str, stats: impl Fn() -> VoiceStats) {
    println!("playout delay {when} {:?}", delay(stats));
}

/// How many threads of this process are called that.
fn threads(name: &str) -> usize {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|it| it.trim_end() == name).count()
}

#[test]
fn another_microphone_is_heard_in_the_same_call() {
    with_sound_server("another_microphone_is_heard_in_the_same_call", |server| {
        let folder = server.folder.clone();
        let _mouths = ["mic_in", "mic2_in"].map(|sink| speak_into(sink, &folder));
        let ear = Ear::at("speaker");
        let mut call = Call::between(&folder, &microphone("mic"), &Output::Default);
        call.flows(&ear, "the call is open");
        thread::sleep(Duration::from_secs(1));
        print_delay("before", || call.bob.stats());
        for name in ["mic2", "mic", "mic2"] {
            let asked = Instant::now();
            call.alice.changer().input(&microphone(name)).unwrap();
            println!("{name} is in use after {:?}", asked.elapsed());
            call.flows(&ear, "the microphone is another");
        }
        print_delay("after", || call.bob.stats());
        assert!(call.events.try_recv().is_err(), "nothing was lost");
    });
}

#[test]
fn another_loudspeaker_is_heard_in_the_same_call() {
    with_sound_server("another_loudspeaker_is_heard_in_the_same_call", |server| {
        let folder = server.folder.clone();
        let _mouth = speak_into("mic_in", &folder);
        let (ear, other) = (Ear::at("speaker"), Ear::at("speaker2"));
        let mut call = Call::between(&folder, &Input::Default, &loudspeaker("speaker"));
        call.flows(&ear, "the call is open");
        thread::sleep(Duration::from_secs(1));
        print_delay("before", || call.alice.stats());
        let asked = Instant::now();
        call.alice
            .changer()
            .output(&loudspeaker("speaker2"))
            .unwrap();
        println!("the other is in use after {:?}", asked.elapsed());
        call.flows(&other, "the loudspeaker is another");
        eventually("the old one is silent", || (!ear.hears()).then_some(()));
        print_delay("after", || call.alice.stats());
        assert!(call.events.try_recv().is_err(), "nothing was lost");
    });
}

#[test]
fn a_device_that_cannot_be_opened_leaves_the_old_one_in_use() {
    with_sound_server(
        "a_device_that_cannot_be_opened_leaves_the_old_one_in_use",
        |server| {
            let folder = server.folder.clone();
            let _mouth = speak_into("mic_in", &folder);
            let ear = Ear::at("speaker");
            let mut call = Call::between(&folder, &Input::Default, &Output::Default);
            call.flows(&ear, "the call is open");
            let changer = call.alice.changer();
            let unknown = |direction| AudioError::UnknownDevice {
                direction,
                wanted: "headset".to_owned(),
            };
            let refused = changer.input(&microphone("headset")).unwrap_err();
            assert_eq!(refused, unknown(Direction::Input));
            let refused = changer.output(&loudspeaker("headset")).unwrap_err();
            assert_eq!(refused, unknown(Direction::Output));
            call.flows(&ear, "nothing was changed");
            // A server that hangs holds up whoever asks, and not the call.
            server.signal("-STOP");
            let (asked, played) = (Instant::now(), call.alice.stats().buffer.played);
            let refused = changer.input(&microphone("mic2"));
            println!("{refused:?} after {:?}", asked.elapsed());
            assert!(refused.is_err() && asked.elapsed() < Duration::from_secs(10));
            assert!(call.alice.stats().buffer.played > played + 48_000);
            server.signal("-CONT");
            call.flows(&ear, "the server goes on");
            assert!(call.events.try_recv().is_err());
        },
    );
}

#[test]
fn devices_files_and_silence_follow_each_other() {
    with_sound_server("devices_files_and_silence_follow_each_other", |server| {
        let folder = server.folder.clone();
        let _mouth = speak_into("mic_in", &folder);
        let ear = Ear::at("speaker");
        let call = Call::between(&folder, &Input::Default, &Output::Default);
        call.flows(&ear, "the call is open");
        let changer = call.alice.changer();
        changer.input(&Input::Silence).unwrap();
        let recording = folder.join("recorded.wav");
        changer.output(&Output::File(recording.clone())).unwrap();
        eventually("both are silent", || {
            let quiet = call.bob.levels().heard_dbfs < -60.0;
            (quiet && !ear.hears()).then_some(())
        });
        changer
            .input(&Input::File(folder.join("tone.wav")))
            .unwrap();
        eventually("the file is heard", || {
            (call.bob.levels().heard_dbfs > -12.0).then_some(())
        });
        changer.input(&Input::Default).unwrap();
        changer.output(&Output::Default).unwrap();
        call.flows(&ear, "the devices are back");
        let recorded = hound::WavReader::open(recording).unwrap();
        assert!(recorded.duration() > 4_800, "{}", recorded.duration());
        let loudest = recorded
            .into_samples::<i16>()
            .map(|sample| sample.unwrap().abs())
            .max();
        assert!(loudest > Some(12_000), "{loudest:?}");
    });
}

#[test]
fn a_microphone_is_metered_recorded_and_played_again() {
    with_sound_server(
        "a_microphone_is_metered_recorded_and_played_again",
        |server| {
            let mouth = speak_into("mic_in", &server.folder);
            let meter = Meter::start(microphone("mic")).unwrap();
            eventually("the microphone is seen", || {
                (meter.level_dbfs() > -7.0).then_some(())
            });
            assert_eq!(meter.state(), State::Running);
            meter.volume(Volume::of_percent(50));
            eventually("it is turned down", || {
                ((meter.level_dbfs() + 16.0).abs() < 1.0).then_some(())
            });
            drop(meter);
            let recorder = Recorder::start(microphone("mic")).unwrap();
            eventually("a second is recorded", || {
                (recorder.length() > Duration::from_secs(1)).then_some(())
            });
            let recording = recorder.finish();
            drop(mouth);
            let loud = recording
                .peaks()
                .filter(|peak| (0.45..0.55).contains(peak))
                .count();
            assert!(loud > 80, "{loud} of {:?}", recording.length());
            let ear = Ear::listening_at("speaker");
            let player = Player::replay(&recording, loudspeaker("speaker")).unwrap();
            eventually("it is heard", || ear.hears().then_some(()));
            eventually("it has been played", || {
                (player.state() == State::Ended).then_some(())
            });
            assert_eq!(player.position(), player.length());
            eventually("all have ended", || {
                let left: usize = ["meter", "recorder", "player"].map(threads).iter().sum();
                (left == 0 && server.playing() == 0).then_some(())
            });
        },
    );
}

#[test]
fn a_test_sound_is_heard_and_stops_when_it_is_dropped() {
    with_sound_server(
        "a_test_sound_is_heard_and_stops_when_it_is_dropped",
        |server| {
            let ear = Ear::listening_at("speaker2");
            let asked = Instant::now();
            let player = Player::tone(loudspeaker("speaker2")).unwrap();
            assert!(asked.elapsed() < Duration::from_millis(100));
            eventually("it is heard", || ear.hears().then_some(()));
            drop(player);
            let dropped = Instant::now();
            eventually("the loudspeaker is let go", || {
                (server.playing() == 0).then_some(())
            });
            println!("the loudspeaker is let go after {:?}", dropped.elapsed());
            let player = Player::tone(loudspeaker("nosuch")).unwrap();
            eventually("it cannot be played", || match player.state() {
                State::Failed(AudioError::UnknownDevice { .. }) => Some(()),
                _ => None,
            });
        },
    );
}

#[test]
fn a_sound_server_that_hangs_keeps_nobody_waiting_who_tries_a_device() {
    with_sound_server(
        "a_sound_server_that_hangs_keeps_nobody_waiting_who_tries_a_device",
        |server| {
            // The first of them connects.
            drop(softphone::audio::devices().unwrap());
            server.signal("-STOP");
            let asked = Instant::now();
            let meter = Meter::start(Input::Default).unwrap();
            let player = Player::tone(Output::Default).unwrap();
            assert_eq!(
                (meter.state(), player.state()),
                (State::Opening, State::Opening)
            );
            drop(player);
            assert!(asked.elapsed() < Duration::from_millis(200));
            eventually("the player has ended", || {
                (threads("player") == 0).then_some(())
            });
            assert!(
                asked.elapsed() < Duration::from_secs(2),
                "{:?}",
                asked.elapsed()
            );
            eventually("the meter has given up", || match meter.state() {
                State::Failed(error) => Some(error),
                _ => None,
            });
            println!("it has after {:?}", asked.elapsed());
            server.signal("-CONT");
            let meter = Meter::start(Input::Default).unwrap();
            eventually("the server answers again", || {
                (meter.state() == State::Running).then_some(())
            });
        },
    );
}
