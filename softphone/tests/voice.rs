//! Whole voices in real time, between files: no sound device is needed.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::{
    f32::consts::TAU,
    path::{Path, PathBuf},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use softphone::{
    audio::{AudioError, Direction, Input, Output, Voice, VoiceEvent, Volume},
    media::{
        Coding, Encoded, Packet, Seq,
        format::{Format, Ptime},
        opus_samples,
        stats::VoiceStats,
    },
};
use tokio::sync::mpsc::{Receiver, channel};

/// Packets of 20 ms.
const FORMAT: Format = Format {
    ptime: Some(Ptime::Twenty),
    max_bps: 96_000,
};

/// Longer than anything takes here, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(20);

struct Phone {
    voice: Voice,
    sent: Receiver<Encoded>,
    events: Receiver<VoiceEvent>,
}

fn phone(input: &Input, output: &Output) -> Phone {
    let (to_network, sent) = channel(50);
    let (to_engine, events) = channel(3);
    let voice = Voice::start(input, output, FORMAT, to_network, to_engine).unwrap();
    Phone {
        voice,
        sent,
        events,
    }
}

/// A network: what is sent goes to the other, until the sender has ended. Tells how many bytes
/// each packet had.
fn carry(mut sent: Receiver<Encoded>, to: &Voice) -> JoinHandle<Vec<usize>> {
    let to = to.packets();
    thread::spawn(move || {
        let mut sizes = Vec::new();
        while let Some(encoded) = sent.blocking_recv() {
            assert_eq!(opus_samples(&encoded.payload), Some(960));
            let seq = Seq(u16::try_from(sizes.len()).unwrap());
            sizes.push(encoded.payload.len());
            to.receive(Packet {
                seq,
                timestamp: encoded.timestamp,
                marker: encoded.marker,
                payload: encoded.payload.into(),
                coding: encoded.coding,
                arrived: Instant::now(),
            });
        }
        sizes
    })
}

/// A network that loses every tenth packet.
fn carry_nine_of_ten(mut sent: Receiver<Encoded>, to: &Voice) -> JoinHandle<()> {
    let to = to.packets();
    thread::spawn(move || {
        let mut seq = 0;
        while let Some(encoded) = sent.blocking_recv() {
            if seq % 10 != 5 {
                to.receive(Packet {
                    seq: Seq(seq),
                    timestamp: encoded.timestamp,
                    marker: encoded.marker,
                    payload: encoded.payload.into(),
                    coding: encoded.coding,
                    arrived: Instant::now(),
                });
            }
            seq = seq.wrapping_add(1);
        }
    })
}

fn finish(voice: Voice) -> VoiceStats {
    let asked = Instant::now();
    let stats = voice.finish().blocking_recv().unwrap();
    assert!(asked.elapsed() < PATIENCE / 4, "{:?}", asked.elapsed());
    stats
}

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

/// A second of a tone of 500 Hz, at an amplitude of 0.5, in stereo at 44.1 kHz.
fn write_tone(path: &Path) {
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 44_100,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut wav = hound::WavWriter::create(path, spec).unwrap();
    for n in 0..44_100u16 {
        let sample = 0.5 * (f32::from(n) / 44_100.0 * 500.0 * TAU).sin();
        wav.write_sample(sample).unwrap();
        wav.write_sample(sample).unwrap();
    }
    wav.finalize().unwrap();
}

/// The sound in a recording, as the level of every 10 ms.
fn levels(path: &Path) -> Vec<f32> {
    let wav = hound::WavReader::open(path).unwrap();
    assert_eq!((wav.spec().sample_rate, wav.spec().channels), (48_000, 1));
    let samples: Vec<f32> = wav
        .into_samples::<i16>()
        .map(|sample| f32::from(sample.unwrap()) / 32_768.0)
        .collect();
    let level = |frame: &[f32]| (frame.iter().map(|s| s * s).sum::<f32>() / 480.0).sqrt();
    samples.chunks_exact(480).map(level).collect()
}

/// About one second of the tone must be in there, in one piece.
fn assert_holds_the_tone(path: &Path) {
    let levels = levels(path);
    let loud = |level: &f32| (0.33..0.38).contains(level);
    let first = levels.iter().position(loud).expect("nothing is heard");
    let last = levels.iter().rposition(loud).unwrap();
    assert!(
        (94..=104).contains(&(last + 1 - first)),
        "{first} to {last}: {levels:?}"
    );
    let held = levels[first..=last]
        .iter()
        .filter(|level| loud(level))
        .count();
    assert!(held >= 90, "{held} loud frames: {levels:?}");
    assert!(
        levels[..first.saturating_sub(3)]
            .iter()
            .all(|&level| level < 0.01),
        "{levels:?}"
    );
}

struct Files {
    _folder: tempfile::TempDir,
    tone: PathBuf,
    recording: PathBuf,
}

fn files() -> Files {
    let folder = tempfile::tempdir().unwrap();
    let (tone, recording) = (
        folder.path().join("tone.wav"),
        folder.path().join("out.WAV"),
    );
    write_tone(&tone);
    Files {
        _folder: folder,
        tone,
        recording,
    }
}

#[test]
fn a_file_is_heard_whole_in_the_others_file_from_when_the_call_opens() {
    let files = files();
    let mut alice = phone(&Input::File(files.tone.clone()), &Output::None);
    let bob = phone(&Input::Silence, &Output::File(files.recording.clone()));
    let there = carry(alice.sent, &bob.voice);
    let back = carry(bob.sent, &alice.voice);
    // Before the call is open there are packets, but no sound.
    eventually(|| (bob.voice.stats().buffer.played > 9_600).then_some(()));
    assert!(levels(&files.recording).is_empty());
    alice.voice.open();
    bob.voice.open();
    assert_eq!(alice.events.blocking_recv(), Some(VoiceEvent::InputEnded));
    let stats = finish(alice.voice);
    assert!(stats.sent >= 60 && stats.unsent == 0, "{stats:?}");
    let sizes = there.join().unwrap();
    assert_eq!(sizes.len() as u64, stats.sent);
    let stats = finish(bob.voice);
    assert_eq!(stats.buffer.received, sizes.len() as u64);
    assert_eq!(stats.received_bytes, sizes.iter().sum::<usize>() as u64);
    assert!(stats.playout_delay >= Duration::from_millis(5), "{stats:?}");
    back.join().unwrap();
    assert_holds_the_tone(&files.recording);
}

#[test]
fn an_echo_sends_back_what_it_plays() {
    let files = files();
    let mut alice = phone(
        &Input::File(files.tone.clone()),
        &Output::File(files.recording.clone()),
    );
    let bot = phone(&Input::Echo, &Output::None);
    let there = carry(alice.sent, &bot.voice);
    let back = carry(bot.sent, &alice.voice);
    eventually(|| (alice.voice.stats().buffer.played > 0).then_some(()));
    bot.voice.open();
    alice.voice.open();
    assert_eq!(alice.events.blocking_recv(), Some(VoiceEvent::InputEnded));
    // What is on its way comes within the two delays.
    eventually(|| {
        let quiet = levels(&files.recording)
            .into_iter()
            .rev()
            .take(20)
            .all(|level| level < 0.01);
        quiet.then_some(())
    });
    finish(alice.voice);
    finish(bot.voice);
    there.join().unwrap();
    back.join().unwrap();
    assert_holds_the_tone(&files.recording);
}

#[test]
fn a_muted_voice_sends_silence_and_an_unheard_network_is_counted() {
    let files = files();
    let (to_network, mut sent) = channel(5);
    let (to_engine, mut events) = channel(3);
    let input = Input::File(files.tone.clone());
    let voice = Voice::start(&input, &Output::None, FORMAT, to_network, to_engine).unwrap();
    voice.mute(true);
    voice.open();
    assert_eq!(events.blocking_recv(), Some(VoiceEvent::InputEnded));
    let stats = voice.stats();
    assert_eq!(stats.sent, 5);
    assert!(stats.unsent >= 40, "{stats:?}");
    let silence: usize = (0..5).map(|_| sent.try_recv().unwrap().payload.len()).sum();
    assert!(silence < 250, "{silence} bytes for 100 ms of silence");
    drop(voice);
    // The sound thread has gone when its end of the channel has.
    eventually(|| match sent.try_recv() {
        Err(tokio::sync::mpsc::error::TryRecvError::Disconnected) => Some(()),
        _ => None,
    });
}

/// Takes packets until one fits.
fn next_packet(sent: &mut Receiver<Encoded>, fits: impl Fn(&Encoded) -> bool) -> Encoded {
    eventually(|| sent.try_recv().ok().filter(&fits))
}

#[test]
fn a_held_voice_sends_nothing_and_resumes_with_a_new_talkspurt_in_its_time() {
    let mut alice = phone(&Input::Silence, &Output::None);
    alice.voice.open();
    let first = next_packet(&mut alice.sent, |packet| packet.timestamp.0 > 0);
    let began = Instant::now();
    alice.voice.hold(true);
    // What was under way comes out; then nothing does, for ten packets' time.
    let mut quiet_since = Instant::now();
    eventually(|| {
        if alice.sent.try_recv().is_ok() {
            quiet_since = Instant::now();
        }
        (quiet_since.elapsed() > Duration::from_millis(200)).then_some(())
    });
    alice.voice.hold(false);
    let next = next_packet(&mut alice.sent, |_| true);
    let elapsed = began.elapsed().as_secs_f64() * 48_000.0;
    assert!(next.marker);
    let passed = f64::from(next.timestamp.since(first.timestamp));
    assert!(passed >= 9_600.0 && passed <= elapsed + 9_600.0, "{passed}");
    assert!(!next_packet(&mut alice.sent, |_| true).marker);
}

#[test]
fn what_is_said_while_the_call_is_held_is_never_heard() {
    let files = files();
    let mut alice = phone(&Input::File(files.tone.clone()), &Output::None);
    let bob = phone(&Input::Silence, &Output::None);
    let there = carry(alice.sent, &bob.voice);
    eventually(|| (bob.voice.stats().buffer.played > 0).then_some(()));
    alice.voice.open();
    bob.voice.open();
    eventually(|| (bob.voice.levels().heard_dbfs > -7.0).then_some(()));
    bob.voice.hold(true);
    eventually(|| (bob.voice.stats().buffer.skipped > 0).then_some(()));
    let _ = bob.voice.levels();
    assert_eq!(alice.events.blocking_recv(), Some(VoiceEvent::InputEnded));
    // All of it has come, however busy the machine is.
    let sent = alice.voice.stats().sent;
    let more = eventually(|| Some(alice.voice.stats().sent).filter(|&now| now > sent + 2));
    eventually(|| (bob.voice.stats().buffer.received >= more).then_some(()));
    assert_eq!(bob.voice.levels().heard_dbfs, -96.0);
    bob.voice.hold(false);
    let played = bob.voice.stats().buffer.played;
    eventually(|| (bob.voice.stats().buffer.played > played + 9_600).then_some(()));
    assert!(bob.voice.levels().heard_dbfs < -60.0);
    let stats = finish(bob.voice);
    assert_eq!((stats.buffer.lost, stats.buffer.late), (0, 0), "{stats:?}");
    finish(alice.voice);
    there.join().unwrap();
}

#[test]
fn the_meter_shows_what_is_sent_and_heard_and_nothing_of_what_is_muted() {
    let files = files();
    let alice = phone(&Input::File(files.tone.clone()), &Output::None);
    let bob = phone(&Input::Silence, &Output::None);
    let there = carry(alice.sent, &bob.voice);
    eventually(|| (bob.voice.stats().buffer.played > 0).then_some(()));
    assert_eq!(alice.voice.levels().sent_dbfs, -96.0);
    alice.voice.open();
    bob.voice.open();
    let near = |dbfs: f32| ((dbfs + 6.0).abs() < 1.0).then_some(());
    eventually(|| near(alice.voice.levels().sent_dbfs));
    eventually(|| near(bob.voice.levels().heard_dbfs));
    assert_eq!(bob.voice.levels().sent_dbfs, -96.0);
    alice.voice.mute(true);
    eventually(|| (alice.voice.levels().sent_dbfs == -96.0).then_some(()));
    drop(alice.voice);
    there.join().unwrap();
}

/// Half a minute of a tone of 500 Hz, at an amplitude of 0.5, in 48 kHz.
fn write_long_tone(path: &Path) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut wav = hound::WavWriter::create(path, spec).unwrap();
    for n in 0..48_000 * 30 {
        let time = (n % 48_000) as f32 / 48_000.0;
        wav.write_sample(0.5 * (time * 500.0 * TAU).sin()).unwrap();
    }
    wav.finalize().unwrap();
}

/// The playout delay over a second, in which it goes up and down by a packet.
fn mean_delay(voice: &Voice) -> Duration {
    let times = 100;
    let sum: Duration = (0..times)
        .map(|_| {
            thread::sleep(Duration::from_millis(10));
            voice.stats().playout_delay
        })
        .sum();
    sum / times
}

#[test]
fn what_takes_over_in_a_call_is_heard_at_once_without_a_click_and_no_later() {
    let files = files();
    let (one, other) = (
        files.tone.with_file_name("1.wav"),
        files.tone.with_file_name("2.wav"),
    );
    write_long_tone(&one);
    write_long_tone(&other);
    let alice = phone(&Input::File(one), &Output::None);
    let bob = phone(&Input::Silence, &Output::None);
    let there = carry(alice.sent, &bob.voice);
    eventually(|| (bob.voice.stats().buffer.played > 0).then_some(()));
    alice.voice.open();
    bob.voice.open();
    let before = mean_delay(&bob.voice);
    let changer = bob.voice.changer();
    changer
        .output(&Output::File(files.recording.clone()))
        .unwrap();
    eventually(|| (levels(&files.recording).len() >= 40).then_some(()));
    let input = alice.voice.changer();
    for _ in 0..3 {
        input.input(&Input::File(other.clone())).unwrap();
        let length = levels(&files.recording).len();
        eventually(|| (levels(&files.recording).len() >= length + 40).then_some(()));
    }
    changer.output(&Output::None).unwrap();
    let after = mean_delay(&bob.voice);
    println!("playout delay before {before:?}, after {after:?}");
    // It may have become less: the link is steady.
    assert!(after < before + Duration::from_millis(20));
    let stats = bob.voice.stats();
    assert_eq!((stats.buffer.lost, stats.buffer.late), (0, 0), "{stats:?}");
    drop((alice.voice, bob.voice));
    there.join().unwrap();
    // The recording is whole as soon as the other output is in use, and loud but for 20 ms at each
    // change, and 10 ms at its beginning and its end; the coder smears that a little.
    let levels = levels(&files.recording);
    let quiet = levels.iter().filter(|&&level| level < 0.3).count();
    assert!(quiet <= 3 * 4 + 3, "{quiet} quiet frames: {levels:?}");
    assert!(levels.iter().all(|&level| level < 0.4), "{levels:?}");
}

#[test]
fn figures_tell_what_was_lost_and_that_it_was_made_up() {
    let alice = phone(&Input::Silence, &Output::None);
    let bob = phone(&Input::Silence, &Output::None);
    let there = carry_nine_of_ten(alice.sent, &bob.voice);
    let received = || bob.voice.stats().buffer.received;
    eventually(|| (received() > 45).then_some(()));
    let (before, began) = (bob.voice.stats(), Instant::now());
    eventually(|| (received() >= before.buffer.received + 180).then_some(()));
    let report = bob.voice.stats().since(&before, began.elapsed());
    // Twenty of two hundred, give or take those at either end.
    assert!((9.0..11.0).contains(&report.loss_pct), "{report:?}");
    // A machine that is busy delays some, and what is short of the delay is made up as well.
    assert!((8.5..20.0).contains(&report.concealed_pct), "{report:?}");
    assert!(
        (5.0..200.0).contains(&report.playout_delay_ms),
        "{report:?}"
    );
    assert!(
        report.bitrate_bps > 0 && report.jitter_ms < 50.0,
        "{report:?}"
    );
    drop((alice.voice, bob.voice));
    there.join().unwrap();
}

#[test]
fn volumes_are_applied_to_what_is_sent_and_heard() {
    let files = files();
    let alice = phone(&Input::File(files.tone.clone()), &Output::None);
    let bob = phone(&Input::Silence, &Output::File(files.recording.clone()));
    let there = carry(alice.sent, &bob.voice);
    eventually(|| (bob.voice.stats().buffer.played > 0).then_some(()));
    // 10 dB less are sent, and 10 dB more are heard: the tone is as loud as it was.
    alice.voice.volume(Direction::Input, Volume::of_percent(50));
    bob.voice.volume(Direction::Output, Volume::MAX);
    alice.voice.open();
    bob.voice.open();
    let near = |dbfs: f32| ((dbfs + 16.0).abs() < 1.0).then_some(());
    eventually(|| near(alice.voice.levels().sent_dbfs));
    // What is shown of the peer does not depend on the loudspeaker, nor the input on its volume.
    eventually(|| near(bob.voice.levels().heard_dbfs));
    assert!(alice.voice.input_dbfs() > -7.0);
    alice.voice.mute(true);
    eventually(|| (alice.voice.levels().sent_dbfs == -96.0).then_some(()));
    eventually(|| (alice.voice.input_dbfs() < -90.0).then_some(()));
    drop((alice.voice, bob.voice));
    there.join().unwrap();
    // The recording is whole when the thread has ended.
    let mut sent = bob.sent;
    while sent.blocking_recv().is_some() {}
    let loudest = levels(&files.recording).into_iter().fold(0.0, f32::max);
    // The coder keeps quiet sound a little less well.
    assert!((0.3..0.4).contains(&loudest), "{loudest}");
}

#[test]
fn a_recording_can_be_read_while_it_is_made_and_when_the_voice_is_dropped() {
    let files = files();
    let bob = phone(&Input::Silence, &Output::File(files.recording.clone()));
    bob.voice.open();
    eventually(|| (levels(&files.recording).len() >= 60).then_some(()));
    assert_eq!(
        levels(&files.recording).len() % 20,
        0,
        "it is flushed every 200 ms"
    );
    drop(bob.voice);
    let mut sent = bob.sent;
    while sent.blocking_recv().is_some() {}
    // The thread has ended, and the file is whole.
    assert!(levels(&files.recording).len() >= 60);
}

#[test]
fn packets_that_nobody_takes_are_dropped_and_counted() {
    let bob = phone(&Input::Silence, &Output::None);
    let packet = Packet {
        seq: Seq(0),
        timestamp: softphone::media::Timestamp(0),
        marker: false,
        payload: [31 << 3, 0, 0].into(),
        coding: Coding::Opus,
        arrived: Instant::now(),
    };
    let packets = bob.voice.packets();
    for _ in 0..100_000 {
        packets.receive(packet.clone());
    }
    let stats = eventually(|| Some(bob.voice.stats()).filter(|stats| stats.buffer.received > 0));
    assert!(stats.dropped > 0, "{stats:?}");
    assert_eq!(stats.buffer.received, 1);
}

#[test]
fn what_cannot_be_opened_is_told_with_the_file() {
    let files = files();
    let start = |input: &Input, output: &Output| {
        let (to_network, _sent) = channel(1);
        let (to_engine, _events) = channel(3);
        Voice::start(input, output, FORMAT, to_network, to_engine).err()
    };
    let missing = files.tone.with_file_name("missing.wav");
    let error = start(&Input::File(missing.clone()), &Output::None).unwrap();
    assert!(error.to_string().contains("missing.wav"), "{error}");
    assert!(matches!(error, AudioError::CannotRead { path, .. } if path == missing));
    let folder = missing.parent().unwrap().to_owned();
    let error = start(&Input::Silence, &Output::File(folder)).unwrap();
    assert!(matches!(error, AudioError::CannotWrite { .. }), "{error}");
    let same = Output::File(files.tone.clone());
    let error = start(&Input::File(files.tone.clone()), &same).unwrap();
    assert!(
        error.to_string().ends_with("it is the input file"),
        "{error}"
    );
    assert!(
        hound::WavReader::open(&files.tone).unwrap().duration() > 0,
        "it was overwritten"
    );
}
