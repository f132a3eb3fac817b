//! What 10 ms of one call's voice cost, step by step: processor time, medians of several rounds
//! over 10 s of recorded speech. Linux tells that time, whatever else the machine does meanwhile.
//!
//! ```sh
//! cargo bench --locked -p softphone --no-default-features --bench ptime
//! cargo bench --locked -p softphone --no-default-features --bench ptime -- encode
//! ```

use std::{
    fs,
    hint::black_box,
    io::{self, Write},
    path::Path,
    time::{Duration, Instant},
};

use hound::WavReader;
use softphone::{
    audio::{
        Decoder, Encoder, Gain, Receiving, Resampler, SHORTENS_FROM, Sending, Stretcher, Volume,
    },
    media::{
        Coding, FRAME_SAMPLES, Packet, SAMPLE_RATE, Seq,
        format::{Format, Ptime},
        jitter::JitterBuffer,
        payload_type::OPUS,
        reception::Reception,
        red::{self, Block},
        steer::{Piece, When},
    },
};

/// Rounds, of which the median counts.
const ROUNDS: usize = 5;

/// A round goes over the speech for so long at least: the system counts in steps of 1 to 10 ms.
const ROUND_MIN: Duration = Duration::from_millis(300);

const FRAME: Duration = Duration::from_millis(10);

fn main() -> io::Result<()> {
    let options: Vec<String> = std::env::args().skip(1).collect();
    // Without it these are tests, and it is enough that everything runs.
    let (rounds, least) = match options.iter().any(|it| it == "--bench") {
        true => (ROUNDS, ROUND_MIN),
        false => (1, Duration::ZERO),
    };
    let wanted: Vec<&String> = options.iter().filter(|it| !it.starts_with('-')).collect();
    let mut out = io::stdout().lock();
    writeln!(out, "{:34} {:>11} {:>9}", "", "ns / 10 ms", "of a core")?;
    let speech = speech();
    for (name, mut bench) in benches(&speech) {
        if !wanted.is_empty() && !wanted.iter().any(|part| name.contains(part.as_str())) {
            continue;
        }
        let frames = speech.len() / FRAME_SAMPLES;
        let mut costs = Vec::with_capacity(rounds);
        for _ in 0..rounds {
            costs.push(round(&mut bench, least)? / frames as f64);
        }
        costs.sort_by(f64::total_cmp);
        let ns = costs[costs.len() / 2];
        // 10 ms are 10 million ns.
        let share = ns / 100_000.0;
        writeln!(out, "{name:34} {ns:>11.0} {share:>7.3} %")?;
    }
    Ok(())
}

/// Goes over the speech again and again; the ns for each time.
fn round(bench: &mut Bench<'_>, least: Duration) -> io::Result<f64> {
    let (began, mut times) = (processor_time()?, 0);
    loop {
        bench();
        times += 1;
        let took = processor_time()?.saturating_sub(began);
        if took >= least {
            return Ok(took.as_secs_f64() * 1e9 / f64::from(times));
        }
    }
}

/// What this thread has used of a core.
fn processor_time() -> io::Result<Duration> {
    let told = fs::read_to_string("/proc/thread-self/schedstat")?;
    let ns = told.split(' ').next().and_then(|ns| ns.parse().ok());
    let unknown = || io::Error::other("the system does not tell processor time");
    ns.map(Duration::from_nanos).ok_or_else(unknown)
}

/// Goes over the speech once.
type Bench<'a> = Box<dyn FnMut() + 'a>;

fn benches(speech: &[f32]) -> Vec<(&'static str, Bench<'_>)> {
    let [out_10, out_20] = [Ptime::Ten, Ptime::Twenty].map(|ptime| sent(speech, ptime, false));
    let [red_10, red_20] = [Ptime::Ten, Ptime::Twenty].map(|ptime| sent(speech, ptime, true));
    let frames = u32::try_from(speech.len() / FRAME_SAMPLES).expect("10 s are 1,000 frames");
    let (decoded_10, decoded_20, buffered) = (out_10.clone(), out_20.clone(), out_10.clone());
    let (packed, taken_apart, concealed) = (out_10.clone(), red_10.clone(), out_20.clone());
    vec![
        ("encode, packets of 10 ms", Box::new(|| encode(speech, 480))),
        ("encode, packets of 20 ms", Box::new(|| encode(speech, 960))),
        ("pack with two copies", Box::new(move || pack(&packed))),
        (
            "take two copies out",
            Box::new(move || unpack(&taken_apart)),
        ),
        (
            "jitter buffer, in and out",
            Box::new(move || buffer(&buffered)),
        ),
        ("decode, packets of 10 ms", decoding(decoded_10)),
        ("decode, packets of 20 ms", decoding(decoded_20)),
        (
            "decode and conceal, 20 ms by turns",
            Box::new(move || conceal(&concealed)),
        ),
        (
            "look for a piece to leave out",
            Box::new(|| stretch(speech, When::Now)),
        ),
        (
            "look for silence to leave out",
            Box::new(|| stretch(speech, When::InSilence)),
        ),
        (
            "play at 150 %, to 48 kHz",
            Box::new(|| playout(speech, 48_000)),
        ),
        (
            "play at 150 %, to 44.1 kHz",
            Box::new(|| playout(speech, 44_100)),
        ),
        (
            "the way out, 10 ms",
            Box::new(|| drop(sent(speech, Ptime::Ten, false))),
        ),
        (
            "the way out, 10 ms, two copies",
            Box::new(|| drop(sent(speech, Ptime::Ten, true))),
        ),
        (
            "the way out, 20 ms",
            Box::new(|| drop(sent(speech, Ptime::Twenty, false))),
        ),
        ("the way in, 10 ms", way_in(frames, out_10)),
        ("the way in, 10 ms, two copies", way_in(frames, red_10)),
        ("the way in, 20 ms", way_in(frames, out_20)),
        ("the way in, 20 ms, two copies", way_in(frames, red_20)),
    ]
}

/// 10 s of a person, at 48 kHz.
fn speech() -> Vec<f32> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/demo/speech.wav");
    let wav = WavReader::open(path).expect("the demo's speech is part of the repository");
    let samples: Vec<f32> = wav
        .into_samples::<i16>()
        .map(|sample| f32::from(sample.expect("the file is whole")) / 32_768.0)
        .collect();
    // From 16 kHz, by straight lines: what it costs to code does not ask for better.
    let thirds = samples.windows(2).flat_map(|two| {
        let step = (two[1] - two[0]) / 3.0;
        [two[0], two[0] + step, two[0] + 2.0 * step]
    });
    let mut speech: Vec<f32> = thirds.collect();
    speech.truncate(speech.len() / 960 * 960);
    speech
}

/// The packets of all the speech.
fn sent(speech: &[f32], ptime: Ptime, copies: bool) -> Vec<Packet> {
    let format = Format {
        ptime: Some(ptime),
        ..Format::default()
    };
    let (mut sending, origin) = (Sending::new(encoder(), format), Instant::now());
    if copies {
        let lossy = Reception::new(100, 10, 9).expect("10 of 100 are lost, in 9 rows");
        sending.hear(lossy, origin);
    }
    let mut packets = Vec::new();
    let mut arrived = origin;
    for frame in speech.as_chunks::<FRAME_SAMPLES>().0 {
        arrived += FRAME;
        let Some(encoded) = sending.push(frame, None) else {
            continue;
        };
        packets.push(Packet {
            seq: Seq(u16::try_from(packets.len()).expect("10 s are 1,000 packets")),
            timestamp: encoded.timestamp,
            marker: encoded.marker,
            payload: encoded.payload.into(),
            coding: encoded.coding,
            arrived,
        });
    }
    packets
}

fn encoder() -> Encoder {
    Encoder::new().expect("there is memory for an encoder")
}

fn decoder() -> Decoder {
    Decoder::new().expect("there is memory for a decoder")
}

fn encode(speech: &[f32], samples: usize) {
    let mut encoder = encoder();
    encoder.set_bitrate(30_000);
    for packet in speech.chunks_exact(samples) {
        black_box(encoder.encode(packet).expect("the length is right"));
    }
}

fn pack(packets: &[Packet]) {
    for three in packets.windows(3) {
        let copy = |n: usize| Block {
            kind: OPUS,
            offset: three[2].timestamp.since(three[n].timestamp).unsigned_abs(),
            payload: &three[n].payload,
        };
        black_box(red::pack(&[copy(0), copy(1)], OPUS, &three[2].payload));
    }
}

fn unpack(packets: &[Packet]) {
    for packet in packets.iter().filter(|it| it.coding == Coding::Red) {
        let unpacked = red::unpack(&packet.payload, OPUS).expect("it was packed");
        black_box(unpacked.others().count());
    }
}

fn buffer(packets: &[Packet]) {
    let mut buffer = JitterBuffer::new();
    for packet in packets {
        buffer.insert(packet.clone());
        let now = packet.arrived + FRAME;
        black_box(buffer.stretch(now, FRAME));
        black_box(buffer.next(now));
    }
    assert!(buffer.counters().played > 400_000, "most of it is played");
}

fn decoding(packets: Vec<Packet>) -> Bench<'static> {
    Box::new(move || {
        let mut decoder = decoder();
        for packet in &packets {
            black_box(decoder.decode(&packet.payload).expect("it was encoded"));
        }
    })
}

fn conceal(packets: &[Packet]) {
    let mut decoder = decoder();
    for packet in packets.iter().step_by(2) {
        decoder.decode(&packet.payload);
        black_box(decoder.conceal(960));
    }
}

/// At each 10 ms, of 20 ms of which nothing is left out in the end.
fn stretch(speech: &[f32], when: When) {
    let stretcher = Stretcher::default();
    let piece = Piece { when, samples: 480 };
    let mut sound = Vec::with_capacity(SHORTENS_FROM);
    for start in (0..speech.len() - SHORTENS_FROM).step_by(FRAME_SAMPLES) {
        sound.clear();
        sound.extend_from_slice(&speech[start..start + SHORTENS_FROM]);
        black_box(stretcher.shorten(&mut sound, piece));
    }
}

/// What comes after the way in: the volume, and the rate of the loudspeaker.
fn playout(speech: &[f32], rate: u32) {
    let resampler = Resampler::new(SAMPLE_RATE, rate);
    let mut resampler = resampler.expect("there is memory for a resampler");
    let (mut gain, mut played) = (Gain::default(), Vec::with_capacity(FRAME_SAMPLES * 2));
    for frame in speech.as_chunks::<FRAME_SAMPLES>().0 {
        let mut frame = *frame;
        gain.apply(&mut frame, Volume::of_percent(150));
        played.clear();
        resampler.push(&frame, &mut played);
        black_box(&played);
    }
}

fn way_in(frames: u32, packets: Vec<Packet>) -> Bench<'static> {
    Box::new(move || {
        let mut receiving = Receiving::new(decoder());
        let mut packets = packets.iter().peekable();
        let origin = packets.peek().map_or_else(Instant::now, |it| it.arrived);
        for now in (0..frames).map(|n| origin + FRAME * n) {
            while let Some(packet) = packets.next_if(|packet| packet.arrived <= now) {
                receiving.insert(packet);
            }
            black_box(receiving.next(now));
        }
    })
}
