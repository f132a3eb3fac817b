//! What a voice is after a bad line: two ends with all that a call's sound has but devices, over a
//! seeded line in virtual time. `line/bench.sh` runs it over many lines, and scores what it heard.
//!
//! ```sh
//! cargo run --release -p softphone --no-default-features --example line -- \
//!     --speech speech.wav --heard heard --loss 10 --burst 3 --jitter 20 --seed 1
//! ```
//!
//! Each end says the speech, the second one from its middle on, and hears the other's. It prints
//! one line of JSON, with the figures of what each heard, after the warm-up. The sound that is
//! heard begins when the call does, so that it lies as far behind what is said as it would in a
//! call: with the packet's length, Opus's look-ahead, the line, the jitter buffer and what is
//! decoded ahead, and without devices, their rings, and the time that computing takes.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::Parser;
use hound::{SampleFormat, WavReader, WavSpec, WavWriter};
use registry::cli;
use softphone::media::{
    SAMPLE_RATE,
    format::{Format, Ptime, bps},
    redundancy::MAX_BPS,
};

#[path = "line/ends.rs"]
mod ends;
#[path = "line/link.rs"]
mod link;

use ends::{Call, Heard};
use link::Condition;

/// Sends speech over a line in virtual time.
#[derive(Debug, Parser)]
#[command(name = "line")]
struct Options {
    /// What both say: a WAV file of 48 kHz, mono, 16 bits
    #[arg(long, value_name = "WAV")]
    speech: PathBuf,
    /// What is heard goes to PATH-0.wav and PATH-1.wav
    #[arg(long, value_name = "PATH")]
    heard: Option<PathBuf>,
    /// Packets that are lost, in percent
    #[arg(long, default_value_t = 0.0, value_parser = percent)]
    loss: f64,
    /// How many are lost in a row, on average; 1 loses each by itself
    #[arg(long, default_value_t = 1.0)]
    burst: f64,
    /// The least that a packet takes, in ms
    #[arg(long, value_name = "MS", default_value_t = 10)]
    delay: u64,
    /// It takes up to twice as much more, in ms: so much on average
    #[arg(long, value_name = "MS", default_value_t = 0)]
    jitter: u64,
    /// Packets wait for each other instead of overtaking
    #[arg(long)]
    in_order: bool,
    /// A limit of the line, in kbit/s of IP
    #[arg(long, value_name = "KBPS")]
    rate: Option<f64>,
    /// Packets that wait longer than this for the limit are lost, in ms
    #[arg(long, value_name = "MS", default_value_t = 200)]
    queue: u64,
    /// Whoever sends stands still for half of this to one and a half, in ms, every 5 s on average
    #[arg(long, value_name = "MS", default_value_t = 0)]
    stall: u64,
    /// The first end's clock is faster by so many millionths
    #[arg(
        long,
        value_name = "PPM",
        default_value_t = 0.0,
        allow_negative_numbers = true
    )]
    drift: f64,
    /// Sound in a packet, in ms: 10 or 20 [default: by what is lost]
    #[arg(long, value_name = "MS")]
    ptime: Option<Ptime>,
    /// Opus in all, with copies, in kbit/s
    #[arg(long, value_name = "KBPS", value_parser = bps)]
    max_bitrate: Option<u32>,
    /// Seconds that the figures leave out
    #[arg(long, value_name = "S", default_value_t = 8)]
    warm: u64,
    /// Of all that happens by chance
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A table of the first end's figures over time, every 10 ms, goes to this file
    #[arg(long, value_name = "TSV")]
    trace: Option<PathBuf>,
}

fn main() -> ExitCode {
    let options: Options = match cli::parse() {
        Ok(options) => options,
        Err(code) => return code,
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => cli::complain(1, &why),
    }
}

fn percent(typed: &str) -> Result<f64, String> {
    let percent: Option<f64> = typed.parse().ok();
    let fits = percent.filter(|percent| (0.0..100.0).contains(percent));
    fits.ok_or_else(|| "0 to below 100".to_owned())
}

fn run(options: &Options) -> Result<(), String> {
    let speech = read(&options.speech)?;
    let mut turned = speech.clone();
    turned.rotate_left(speech.len() / 2);
    let call = Call {
        said: [&speech, &turned],
        format: Format {
            ptime: options.ptime,
            max_bps: options.max_bitrate.unwrap_or(MAX_BPS),
        },
        condition: Condition {
            loss: options.loss / 100.0,
            burst: options.burst,
            delay: Duration::from_millis(options.delay),
            jitter: Duration::from_millis(options.jitter),
            in_order: options.in_order,
            rate_bps: options.rate.map(|kbps| kbps * 1_000.0),
            queue: Duration::from_millis(options.queue),
            stall: Duration::from_millis(options.stall),
        },
        drift_ppm: options.drift,
        warm: Duration::from_secs(options.warm),
        seed: options.seed,
    };
    let heard = traced(&call, options.trace.as_deref())?;
    if let Some(path) = &options.heard {
        for (side, heard) in heard.iter().enumerate() {
            let mut path = path.clone().into_os_string();
            path.push(format!("-{side}.wav"));
            write(Path::new(&path), &heard.sound)?;
        }
    }
    let told = serde_json::json!({
        "loss": options.loss, "burst": options.burst,
        "delay_ms": options.delay, "jitter_ms": options.jitter, "stall_ms": options.stall,
        "seed": options.seed, "heard": heard,
    });
    writeln!(io::stdout(), "{told}").map_err(|error| format!("cannot write: {error}"))
}

/// Runs `call`, and writes a line to `trace` for each frame that its first end hears.
fn traced(call: &Call<'_>, trace: Option<&Path>) -> Result<[Heard; 2], String> {
    let Some(path) = trace else {
        return call.run(|_, _, _| {});
    };
    let failed = |error: io::Error| format!("cannot write {}: {error}", path.display());
    let mut file = BufWriter::new(File::create(path).map_err(failed)?);
    let mut written = writeln!(
        file,
        "ms\tdelay_ms\tconcealed_ms\trecovered\tlate\tskipped\tshortened_ms\tlengthened_ms"
    );
    let heard = call.run(|side, at, stats| {
        let buffer = &stats.buffer;
        let millis = |samples: u64| samples as f64 / 48.0;
        if side == 0 && written.is_ok() {
            written = writeln!(
                file,
                "{}\t{:.1}\t{:.1}\t{}\t{}\t{}\t{:.1}\t{:.1}",
                at.as_millis(),
                stats.playout_delay.as_secs_f64() * 1_000.0,
                millis(buffer.concealed),
                buffer.recovered,
                buffer.late,
                buffer.skipped,
                millis(stats.shortened),
                millis(stats.lengthened),
            );
        }
    });
    written.and_then(|()| file.flush()).map_err(failed)?;
    heard
}

const SPEC: WavSpec = WavSpec {
    channels: 1,
    sample_rate: SAMPLE_RATE,
    bits_per_sample: 16,
    sample_format: SampleFormat::Int,
};

fn read(path: &Path) -> Result<Vec<f32>, String> {
    let failed = |why: &str| format!("cannot read {}: {why}", path.display());
    let wav = WavReader::open(path).map_err(|error| failed(&error.to_string()))?;
    if wav.spec() != SPEC {
        return Err(failed("it is not of 48 kHz, mono, 16 bits"));
    }
    let samples = wav.into_samples::<i16>();
    let samples = samples.map(|sample| sample.map(|sample| f32::from(sample) / 32_768.0));
    let samples: Result<_, _> = samples.collect();
    samples.map_err(|error| failed(&error.to_string()))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "sound is between -1.0 and 1.0"
)]
fn write(path: &Path, sound: &[f32]) -> Result<(), String> {
    let write = || {
        let mut wav = WavWriter::create(path, SPEC)?;
        for sample in sound {
            wav.write_sample((sample * 32_767.0).round() as i16)?;
        }
        wav.finalize()
    };
    write().map_err(|error| format!("cannot write {}: {error}", path.display()))
}
