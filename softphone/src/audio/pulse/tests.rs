//! A sound server's side of a connection, played by the test.

use std::{
    io::{Read, Write},
    thread,
    time::{Duration, Instant, SystemTime},
};

use assert_no_alloc::assert_no_alloc;
use pulseaudio::protocol::{
    PlaybackLatency, RecordLatency, Request, read_command_message, read_descriptor,
    write_ack_message, write_memblock, write_reply_message,
};

use super::{
    inbox::{Came, LATENCY_MAX, PLAYS, RECORDS},
    *,
};

/// A sound server's end of a connection, the phone's that has greeted it, and its keeper's.
fn greeted() -> (BufReader<UnixStream>, Server, Arc<Health>) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let greeting = thread::spawn(move || {
        let mut server = BufReader::new(theirs);
        let (asked, auth) = read_command_message(&mut server, MAX_VERSION).unwrap();
        let Command::Auth(AuthParams { cookie, .. }) = auth else {
            panic!("{auth:?} comes first");
        };
        assert_eq!(cookie, b"cookie");
        let reply = AuthReply {
            // A newer server than this knows.
            version: MAX_VERSION + 1,
            ..AuthReply::default()
        };
        write_reply_message(server.get_mut(), asked, &reply, MAX_VERSION).unwrap();
        let (asked, _) = read_command_message(&mut server, MAX_VERSION).unwrap();
        let reply = SetClientNameReply { client_id: 1 };
        write_reply_message(server.get_mut(), asked, &reply, MAX_VERSION).unwrap();
        server
    });
    let phone = Server::greet(ours, b"cookie".to_vec()).unwrap();
    assert_eq!(phone.version, MAX_VERSION);
    let health = Arc::new(Health::watched_by(thread::current()));
    (greeting.join().unwrap(), phone, health)
}

fn say(server: &mut BufReader<UnixStream>, command: &Command) {
    write_command_message(server.get_mut(), u32::MAX, command, MAX_VERSION).unwrap();
}

fn heard(server: &mut BufReader<UnixStream>) -> (u32, Vec<f32>) {
    let descriptor = read_descriptor(server).unwrap();
    let mut bytes = vec![0; descriptor.length as usize];
    server.read_exact(&mut bytes).unwrap();
    let samples = bytes.as_chunks().0.iter().copied().map(f32::from_le_bytes);
    (descriptor.channel, samples.collect())
}

/// A stream that records, of channel 3, and the server's end of it.
fn recording() -> (BufReader<UnixStream>, Intake, Stream, Arc<Health>) {
    let (server, phone, health) = greeted();
    let mut created = CreateRecordStreamReply {
        channel: 3,
        ..CreateRecordStreamReply::default()
    };
    created.sample_spec.sample_rate = 48_000;
    let (inbox, stream) = phone.run(&health).unwrap();
    (server, Intake::begin(inbox, &created), stream, health)
}

/// Sound as the server sends it.
fn bytes(sound: &[f32]) -> Vec<u8> {
    sound.iter().flat_map(|it| it.to_le_bytes()).collect()
}

fn pop(intake: &mut Intake) -> Vec<f32> {
    intake.look();
    let mut sound = vec![0.0; intake.waiting()];
    assert_eq!(intake.pop(&mut sound), sound.len());
    sound
}

#[test]
fn what_the_server_asks_for_is_wanted_and_no_more() {
    let (mut server, phone, health) = greeted();
    let mut created = CreatePlaybackStreamReply {
        channel: 7,
        buffer_attr: BufferAttr {
            minimum_request_length: 1_920,
            ..BufferAttr::default()
        },
        ..CreatePlaybackStreamReply::default()
    };
    created.sample_spec.sample_rate = 48_000;
    let (inbox, _stream) = phone.run(&health).unwrap();
    let mut feed = Feed::begin(inbox, &created);
    // A period, and 5 ms in which it is to be answered.
    assert_eq!(heard(&mut server), (7, vec![0.0; 720]));
    let now = Instant::now();
    assert!(!feed.wants(480, now));
    // Of another stream, of no concern, and of ours.
    let of = |channel, length| Command::Request(Request { channel, length });
    say(&mut server, &of(8, 4_000));
    say(&mut server, &Command::Started(7));
    say(&mut server, &of(7, 1_920));
    assert!(feed.wants(480, now) && !feed.wants(481, now));
    feed.write(&[0.5; 480], now);
    assert_eq!(heard(&mut server), (7, vec![0.5; 480]));
    assert_eq!(feed.latency(), None);
    let told = PlaybackLatency {
        sink_usec: 2_000,
        write_offset: 1_920 + 960,
        read_offset: 1_920,
        source_usec: 0,
        playing: true,
        local_time: SystemTime::UNIX_EPOCH,
        remote_time: SystemTime::UNIX_EPOCH,
        underrun_for: 0,
        playing_for: 0,
    };
    write_reply_message(server.get_mut(), PLAYS, &told, MAX_VERSION).unwrap();
    assert!(!feed.wants(480, now));
    assert_eq!(feed.latency(), Some(Duration::from_millis(7)));
    assert_eq!((health.lost(), feed.socket().is_some()), (None, true));
    say(&mut server, &Command::PlaybackStreamKilled(7));
    assert!(!feed.wants(480, now));
    assert_eq!(health.lost(), Some("the sound server has closed it"));
    assert!(feed.socket().is_none());
    // It goes on in silence.
    feed.write(&[0.5; 480], now);
    assert!(!feed.wants(480, now));
}

#[test]
fn what_is_recorded_comes_whole_and_in_order_however_it_is_cut() {
    let sound: Vec<f32> = (0..5_000_u16).map(f32::from).collect();
    let mut said = Vec::new();
    write_memblock(&mut said, 0, &bytes(&sound[..480]), 0).unwrap();
    write_ack_message(&mut said, 9).unwrap();
    write_memblock(&mut said, 0, &[], 0).unwrap();
    write_memblock(&mut said, 0, &bytes(&sound[480..]), 0).unwrap();
    for cut in [1, 3, 19, 20, 21, 22, 1_023, 1_939, 1_940, 16_403, 30_000] {
        let (mut server, mut intake, _stream, health) = recording();
        let mut came = Vec::new();
        for piece in said.chunks(cut) {
            server.get_mut().write_all(piece).unwrap();
            came.extend(pop(&mut intake));
        }
        assert_eq!(came, sound, "cut at {cut}");
        assert_eq!((health.lost(), intake.overruns()), (None, 0));
        server.get_mut().shutdown(Shutdown::Both).unwrap();
        assert!(pop(&mut intake).is_empty());
        assert_eq!(health.lost(), Some("the sound server has closed it"));
    }
}

#[test]
fn the_longest_piece_is_the_period_and_what_nobody_takes_is_dropped() {
    let (mut server, mut intake, _stream, _) = recording();
    write_memblock(server.get_mut(), 0, &bytes(&[0.25; 240]), 0).unwrap();
    write_memblock(server.get_mut(), 0, &bytes(&[0.25; 720]), 0).unwrap();
    intake.look();
    assert_eq!((intake.waiting(), intake.period()), (960, 720));
    assert_eq!((intake.pop(&mut [0.0; 480]), intake.waiting()), (480, 480));
    intake.clear();
    assert_eq!(intake.waiting(), 0);
    for _ in 0..51 {
        write_memblock(server.get_mut(), 0, &bytes(&[0.25; 480]), 0).unwrap();
        intake.look();
    }
    assert_eq!((intake.waiting(), intake.overruns()), (24_000, 1));
    assert_eq!(intake.overruns(), 0);
}

#[test]
fn what_came_with_the_answer_is_not_lost_and_half_a_sample_is() {
    let (mut server, mut phone, health) = greeted();
    let mut said = Vec::new();
    let odd = [bytes(&[0.5, -0.5]), vec![0xFF; 3]].concat();
    write_memblock(&mut said, 0, &odd, 0).unwrap();
    write_memblock(&mut said, 0, &bytes(&[0.125]), 0).unwrap();
    write_reply_message(
        server.get_mut(),
        3,
        &SetClientNameReply { client_id: 2 },
        MAX_VERSION,
    )
    .unwrap();
    server.get_mut().write_all(&said).unwrap();
    let _: SetClientNameReply = phone.ask(&Command::SetClientName(props())).unwrap();
    assert_eq!(phone.reader.buffer().len(), said.len());
    let (inbox, _stream) = phone.run(&health).unwrap();
    let mut intake = Intake::begin(inbox, &CreateRecordStreamReply::default());
    assert_eq!(pop(&mut intake), [0.5, -0.5, 0.125]);
    assert_eq!(health.lost(), None);
}

#[test]
fn a_server_that_makes_no_sense_ends_the_stream() {
    for (bytes, why) in [
        (
            vec![0xFF; 20],
            "invalid IPC message: a message of 4294967295 bytes",
        ),
        (vec![0; 7], "the sound server has closed it"),
    ] {
        let (mut server, mut intake, _stream, health) = recording();
        server.get_mut().write_all(&bytes).unwrap();
        drop(server);
        // What is there, and then that there is no more.
        assert!(pop(&mut intake).is_empty() && pop(&mut intake).is_empty());
        assert_eq!(health.lost(), Some(why));
    }
}

#[test]
fn a_stream_that_is_no_longer_wanted_ends_at_once() {
    let (server, mut intake, stream, health) = recording();
    intake.look();
    assert_eq!(health.lost(), None);
    drop(stream);
    intake.look();
    assert_eq!(health.lost(), Some("the sound server has closed it"));
    drop(server);
}

#[test]
fn what_comes_is_taken_without_allocating() {
    let (mut server, phone, health) = greeted();
    let (mut inbox, _stream) = phone.run(&health).unwrap();
    let request = Request {
        channel: 7,
        length: 1_920,
    };
    say(&mut server, &Command::Request(request));
    write_memblock(server.get_mut(), 0, &[0; 1_920], 0).unwrap();
    let (mut samples, mut came) = (0, None);
    assert_no_alloc(|| inbox.take(|sound| samples += sound.len(), |it| came = Some(it)));
    assert_eq!((samples, came), (480, Some(Came::Wants(request))));
    let (mut server, mut intake, _stream, _) = recording();
    let mut frame = [0.5; 480];
    // A second, and the question after it.
    for _ in 0..100 {
        write_memblock(server.get_mut(), 0, &[0; 1_920], 0).unwrap();
        assert_no_alloc(|| {
            intake.look();
            assert_eq!(intake.pop(&mut frame), 480);
        });
    }
    assert_eq!(frame, [0.0; 480]);
    assert_eq!(
        read_command_message(&mut server, MAX_VERSION).unwrap().0,
        RECORDS
    );
}

#[test]
fn a_microphone_is_asked_once_a_second_how_long_it_takes() {
    let (mut server, mut intake, _stream, _) = recording();
    for _ in 0..100 {
        write_memblock(server.get_mut(), 0, &[0; 1_920], 0).unwrap();
        pop(&mut intake);
    }
    let (asked, question) = read_command_message(&mut server, MAX_VERSION).unwrap();
    assert!(matches!(question, Command::GetRecordLatency(it) if it.channel == 3));
    assert_eq!(asked, RECORDS);
    let told = |queued| RecordLatency {
        source_usec: 3_000,
        write_offset: queued,
        read_offset: 0,
        sink_usec: 0,
        playing: true,
        local_time: SystemTime::UNIX_EPOCH,
        remote_time: SystemTime::UNIX_EPOCH,
    };
    // An answer to nothing that was asked is nothing.
    write_reply_message(server.get_mut(), 5, &told(96_000), MAX_VERSION).unwrap();
    intake.look();
    assert_eq!(intake.latency(), None);
    write_reply_message(server.get_mut(), asked, &told(384), MAX_VERSION).unwrap();
    intake.look();
    assert_eq!(intake.latency(), Some(Duration::from_millis(5)));
    // A server may say anything.
    write_reply_message(server.get_mut(), asked, &told(i64::MAX), MAX_VERSION).unwrap();
    intake.look();
    assert_eq!(intake.latency(), Some(LATENCY_MAX));
}
