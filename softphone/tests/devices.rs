//! Voices on sound devices that come and go. Each test runs in a process of its own, with a
//! PulseAudio of its own: its microphones and loudspeakers are sinks that play to nobody. Nothing
//! of the sound system that this machine may have is touched.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use softphone::{
    audio::{Input, Output, Tone, Tones, Voice, VoiceEvent},
    media::format::Format,
};
use tokio::sync::mpsc::channel;

use sound::{Call, DEVICES, Ear, eventually, speak_into, with_sound_server};

#[path = "rig/sound.rs"]
mod sound;

/// How soon a tone that is stopped is no longer heard; it would be for up to a second more. The
/// sound server and the recorder by which it is heard have their share.
const SILENT_WITHIN: Duration = Duration::from_millis(600);

const IS_LOST: [fn(&VoiceEvent) -> bool; 2] = [
    |event| matches!(event, VoiceEvent::InputLost { .. }),
    |event| matches!(event, VoiceEvent::OutputLost { .. }),
];

const IS_BACK: [fn(&VoiceEvent) -> bool; 2] = [
    |event| *event == VoiceEvent::InputBack,
    |event| *event == VoiceEvent::OutputBack,
];

#[test]
fn a_sound_server_that_is_killed_and_started_again_carries_the_call_on() {
    with_sound_server(
        "a_sound_server_that_is_killed_and_started_again_carries_the_call_on",
        |server| {
            let folder = server.folder.clone();
            let _mouth = speak_into("mic_in", &folder);
            let ear = Ear::at("speaker");
            let mut call = Call::between(&folder, &Input::Default, &Output::Default);
            call.flows(&ear, "the call is open");
            for _ in 0..2 {
                server.kill();
                call.tells(&IS_LOST);
                // Both ways go on in silence.
                let (before, sent) = (call.alice.stats(), call.bob.stats().buffer.received);
                eventually("silence is sent, and voice is consumed", || {
                    let played = call.alice.stats().buffer.played - before.buffer.played;
                    let came = call.bob.stats().buffer.received - sent;
                    (played > 24_000 && came > 25).then_some(())
                });
                server.restart();
                call.flows(&ear, "the server's first answer");
                call.tells(&IS_BACK);
            }
            assert!(call.events.try_recv().is_err());
        },
    );
}

#[test]
fn a_chosen_device_that_is_unplugged_is_waited_for_and_no_other_takes_its_place() {
    with_sound_server(
        "a_chosen_device_that_is_unplugged_is_waited_for_and_no_other_takes_its_place",
        |server| {
            let folder = server.folder.clone();
            let _mouth = speak_into("mic2_in", &folder);
            let _other_mouth = speak_into("mic_in", &folder);
            let (ear, other) = (Ear::at("speaker2"), Ear::at("speaker"));
            let input = Input::Device("mic2".to_owned());
            let output = Output::Device("speaker2".to_owned());
            let mut call = Call::between(&folder, &input, &output);
            call.flows(&ear, "the call is open");
            server.unload(DEVICES[3]);
            server.unload(DEVICES[5]);
            call.tells(&IS_LOST);
            // The sound server moves a stream whose device is gone to another by itself, for the
            // moment until that is noticed; and some of it is still on its way.
            thread::sleep(Duration::from_millis(500));
            let quiet = Instant::now();
            let _ = call.bob.levels();
            thread::sleep(Duration::from_secs(1));
            assert!(other.heard_at().is_none_or(|at| at < quiet), "it was taken");
            assert!(call.bob.levels().heard_dbfs < -40.0, "it was taken");
            server.load(DEVICES[3]);
            server.load(DEVICES[5]);
            call.flows(&ear, "the modules are loaded");
            call.tells(&IS_BACK);
            assert!(other.heard_at().is_none_or(|at| at < quiet), "it was taken");
        },
    );
}

#[test]
fn a_default_is_followed_when_it_becomes_another_device() {
    with_sound_server(
        "a_default_is_followed_when_it_becomes_another_device",
        |server| {
            let folder = server.folder.clone();
            let mouth = speak_into("mic_in", &folder);
            let (ear, other) = (Ear::at("speaker"), Ear::at("speaker2"));
            let mut call = Call::between(&folder, &Input::Default, &Output::Default);
            call.flows(&ear, "the call is open");
            assert!(!other.hears());
            drop(mouth);
            eventually("what was said before has been heard", || {
                thread::sleep(Duration::from_millis(300));
                (call.bob.levels().heard_dbfs < -40.0).then_some(())
            });
            let _other_mouth = speak_into("mic2_in", &folder);
            assert!(server.tells(&["set-default-sink", "speaker2"]));
            assert!(server.tells(&["set-default-source", "mic2"]));
            call.flows(&other, "the default is another");
            eventually("the old one is silent", || (!ear.hears()).then_some(()));
            assert!(call.events.try_recv().is_err(), "nothing was lost");
        },
    );
}

#[test]
fn devices_of_alsa_are_heard_and_the_loudspeaker_tells_how_long_it_takes() {
    with_sound_server(
        "devices_of_alsa_are_heard_and_the_loudspeaker_tells_how_long_it_takes",
        |server| {
            let folder = server.folder.clone();
            let _mouth = speak_into("mic_in", &folder);
            let ear = Ear::at("speaker");
            // Its plugin, which goes on to the sound server.
            let device = "alsa:pulse".to_owned();
            let (input, output) = (Input::Device(device.clone()), Output::Device(device));
            let call = Call::between(&folder, &input, &output);
            call.flows(&ear, "the call is open");
            let told = eventually("the loudspeaker tells", || {
                let told = call.alice.stats().device;
                // More than the period, which is known without it.
                (told > Duration::from_millis(15)).then_some(told)
            });
            println!("from the ring to the ear {told:?}");
            assert!(told < Duration::from_secs(1), "{told:?}");
        },
    );
}

#[test]
fn a_sound_server_that_hangs_does_not_hold_up_the_end_of_a_call() {
    with_sound_server(
        "a_sound_server_that_hangs_does_not_hold_up_the_end_of_a_call",
        |server| {
            let folder = server.folder.clone();
            let _mouth = speak_into("mic_in", &folder);
            let ear = Ear::at("speaker");
            let call = Call::between(&folder, &Input::Default, &Output::Default);
            call.flows(&ear, "the call is open");
            server.signal("-STOP");
            thread::sleep(Duration::from_secs(2));
            let asked = Instant::now();
            let stats = call.alice.finish().blocking_recv().unwrap();
            assert!(
                asked.elapsed() < Duration::from_secs(3),
                "{:?}",
                asked.elapsed()
            );
            assert!(stats.buffer.played > 0);
            server.signal("-CONT");
        },
    );
}

#[test]
fn calls_leave_no_thread_and_no_file_open() {
    with_sound_server("calls_leave_no_thread_and_no_file_open", |server| {
        let count = |what: &str| fs::read_dir(format!("/proc/self/{what}")).unwrap().count();
        let call = || {
            let (sent, _unsent) = channel(50);
            let (told, _untold) = channel(16);
            let voice = Voice::start(
                &Input::Default,
                &Output::Default,
                Format::default(),
                sent,
                told,
            )
            .unwrap();
            voice.open();
            voice.finish().blocking_recv().unwrap();
        };
        let _mouth = speak_into("mic_in", &server.folder);
        call();
        // The connection to the sound server stays, for the next call.
        let before = (count("task"), count("fd"));
        for _ in 0..8 {
            call();
        }
        eventually("all has ended", || {
            let after = (count("task"), count("fd"));
            (after <= before).then_some(())
        });
    });
}

#[test]
fn tones_hold_a_loudspeaker_only_while_they_sound() {
    with_sound_server("tones_hold_a_loudspeaker_only_while_they_sound", |server| {
        let (others, ringing) = (Ear::at("speaker"), Ear::at("speaker2"));
        let output = |sink: &str| Output::Device(sink.to_owned());
        let tones = Tones::start(Some(output("speaker2")), output("speaker")).unwrap();
        assert_eq!(server.playing(), 0);
        for (tone, ear, other) in [
            (Tone::Ringback, &others, &ringing),
            (Tone::Ringing, &ringing, &others),
        ] {
            let begun = Instant::now();
            tones.play(Some(tone));
            eventually("a tone is heard", || {
                ear.heard_at().filter(|&heard| heard > begun)
            });
            println!("{tone:?} is heard after {:?}", begun.elapsed());
            assert_eq!(server.playing(), 1);
            assert!(other.heard_at().is_none_or(|heard| heard < begun));
            tones.play(None);
            let stopped = Instant::now();
            eventually("the loudspeaker is let go", || {
                (server.playing() == 0).then_some(())
            });
            eventually("it is silent", || (!ear.hears()).then_some(()));
            thread::sleep(Duration::from_secs(1));
            let last = ear.heard_at().unwrap().saturating_duration_since(stopped);
            println!("and for the last time {last:?} after its end");
            assert!(last < SILENT_WITHIN, "it sounds on for {last:?}");
        }
        tones.play(Some(Tone::Busy));
        eventually("a tone is heard", || others.hears().then_some(()));
        drop(tones);
        eventually("the loudspeaker is let go", || {
            (server.playing() == 0).then_some(())
        });
    });
}
