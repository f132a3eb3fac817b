//! A sound server's side of a stream, played by the test.

use std::{io::Write, sync::mpsc, time::Instant};

use assert_no_alloc::assert_no_alloc;
use pulseaudio::protocol::{
    Request, read_command_message, write_ack_message, write_memblock, write_reply_message,
};

use super::*;

/// A sound server's end of a connection, and the phone's that has greeted it.
fn greeted() -> (BufReader<UnixStream>, Server) {
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
    (greeting.join().unwrap(), phone)
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

#[test]
fn what_the_server_asks_for_is_wanted_and_no_more() {
    let (mut server, phone) = greeted();
    let (tell, lost) = mpsc::sync_channel(8);
    let mut created = CreatePlaybackStreamReply {
        channel: 7,
        buffer_attr: BufferAttr {
            minimum_request_length: 1_920,
            ..BufferAttr::default()
        },
        ..CreatePlaybackStreamReply::default()
    };
    created.sample_spec.sample_rate = 48_000;
    let meter = Arc::<Meter>::default();
    meter.wake_me();
    let (mut feed, stream) = phone
        .playing(&created, Arc::clone(&meter), move |why| {
            tell.send(why.to_string()).unwrap();
        })
        .unwrap();
    // A period, and 5 ms in which it is to be answered.
    assert_eq!(heard(&mut server), (7, vec![0.0; 720]));
    let now = Instant::now();
    assert!(!feed.wants(480, now));
    // Of another stream, of no concern, and of ours.
    let of = |channel, length| Command::Request(Request { channel, length });
    say(&mut server, &of(8, 4_000));
    say(&mut server, &Command::Started(7));
    say(&mut server, &of(7, 1_920));
    while !feed.wants(480, now) {
        thread::park();
    }
    assert!(!feed.wants(481, now));
    feed.write(&[0.5; 480], now);
    assert_eq!(heard(&mut server), (7, vec![0.5; 480]));
    assert_eq!(meter.latency(), None);
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
    say(&mut server, &Command::PlaybackStreamKilled(7));
    assert_eq!(lost.recv().unwrap(), "the sound server has closed it");
    assert_eq!(meter.latency(), Some(Duration::from_millis(7)));
    drop(stream);
}

#[test]
fn what_is_recorded_comes_whole_and_in_order() {
    let (mut server, phone) = greeted();
    let (tell, lost) = mpsc::sync_channel(8);
    let (pass, taken) = mpsc::sync_channel(8);
    let stream = phone.stream(
        "recording",
        move |why| tell.send(why.to_string()).unwrap(),
        move |phone| {
            let take = move |samples: &[f32]| pass.send(samples.to_vec()).unwrap();
            phone.record(3, 48_000, &Meter::default(), take)
        },
    );
    let sound: Vec<f32> = (0..5_000_u16).map(f32::from).collect();
    let bytes: Vec<u8> = sound.iter().flat_map(|it| it.to_le_bytes()).collect();
    let server = server.get_mut();
    write_memblock(server, 0, &bytes[..1_920], 0).unwrap();
    write_ack_message(server, 9).unwrap();
    write_memblock(server, 0, &bytes[1_920..], 0).unwrap();
    let came: Vec<Vec<f32>> = taken.iter().take(3).collect();
    let lengths: Vec<usize> = came.iter().map(Vec::len).collect();
    assert_eq!(lengths, [480, 4_096, 424]);
    assert_eq!(came.concat(), sound);
    server.shutdown(Shutdown::Both).unwrap();
    assert_eq!(lost.recv().unwrap(), "the sound server has closed it");
    drop(stream);
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
        let (mut server, mut phone) = greeted();
        server.get_mut().write_all(&bytes).unwrap();
        drop(server);
        let ended = phone.record(3, 48_000, &Meter::default(), |_| {});
        assert_eq!(ended.to_string(), why);
    }
}

#[test]
fn a_stream_that_is_no_longer_wanted_ends_at_once() {
    let (server, phone) = greeted();
    let (tell, lost) = mpsc::sync_channel(8);
    let tell = move |why: &PulseError| tell.send(why.to_string()).unwrap();
    let stream = phone.stream("recording", tell, |phone| {
        phone.record(3, 48_000, &Meter::default(), |_| {})
    });
    drop(stream);
    assert_eq!(lost.recv().unwrap(), "the sound server has closed it");
    drop(server);
}

#[test]
fn sound_moves_without_allocating() {
    let (mut server, mut phone) = greeted();
    let request = Request {
        channel: 7,
        length: 1_920,
    };
    say(&mut server, &Command::Request(request));
    write_memblock(server.get_mut(), 0, &[0; 1_920], 0).unwrap();
    let came = assert_no_alloc(|| phone.next(|_| {}).unwrap());
    assert!(matches!(came, Some(Came::Word(Command::Request(it))) if it == request));
    let mut samples = 0;
    assert_no_alloc(|| phone.next(|sound| samples += sound.len()).unwrap());
    assert_eq!(samples, 480);
}

#[test]
fn a_microphone_is_asked_once_a_second_how_long_it_takes() {
    let (mut server, phone) = greeted();
    let (tell, lost) = mpsc::sync_channel(8);
    let meter = Arc::<Meter>::default();
    let asks = Arc::clone(&meter);
    let stream = phone.stream(
        "recording",
        move |why| tell.send(why.to_string()).unwrap(),
        move |phone| phone.record(3, 48_000, &asks, |_| {}),
    );
    for _ in 0..100 {
        write_memblock(server.get_mut(), 0, &[0; 1_920], 0).unwrap();
    }
    let (asked, question) = read_command_message(&mut server, MAX_VERSION).unwrap();
    assert!(matches!(question, Command::GetRecordLatency(it) if it.channel == 3));
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
    write_reply_message(server.get_mut(), asked, &told(384), MAX_VERSION).unwrap();
    server.get_mut().shutdown(Shutdown::Both).unwrap();
    assert_eq!(lost.recv().unwrap(), "the sound server has closed it");
    assert_eq!(meter.latency(), Some(Duration::from_millis(5)));
    drop(stream);
}

#[test]
fn a_server_may_say_any_latency() {
    let latency = Latency {
        device: LATENCY_MAX,
        queued: u64::MAX,
    };
    for rate in [0, 1, u32::MAX] {
        assert_eq!(latency.total(rate), LATENCY_MAX);
    }
}
