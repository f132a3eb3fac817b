//! `ramal-phone` as people run it: real processes, a real registry, voice from and into files.

#![allow(clippy::unwrap_used)]

use std::{
    f32::consts::TAU,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use registry::server::Plain;

use self::{
    phones::Phone,
    registries::{ANYWHERE, Registry, is_registered},
};

#[path = "programs/control.rs"]
mod control;
#[path = "rig/phones.rs"]
mod phones;
#[path = "rig/registries.rs"]
mod registries;
#[cfg(target_os = "linux")]
#[path = "programs/terminal.rs"]
mod terminal;
#[path = "programs/trust.rs"]
mod trust;

const RATE: u32 = 48_000;

/// A registry in this process, and phones with a folder for everything.
struct Place {
    rig: phones::Place,
    registry: SocketAddr,
}

impl Place {
    fn new() -> Self {
        let rig = phones::Place::new(&[]);
        let registry = Registry::start(&rig.runtime, ANYWHERE, Plain::Never, 9).addr;
        Self { rig, registry }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.rig.path(name)
    }

    /// A phone with a configuration of its own, and a pipe to type into.
    fn phone(&self, name: &str, arguments: &[&str]) -> Phone {
        self.phone_of(name, name, arguments)
    }

    fn phone_of(&self, owner: &str, name: &str, arguments: &[&str]) -> Phone {
        let mut command = self.rig.command(owner, name, self.registry, arguments);
        Phone::start(command.stdin(Stdio::piped()))
    }

    /// Where a phone finds everything, this registry too.
    fn set_up<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let registry = self.registry.to_string();
        self.rig.set_up(command).env("RAMAL_REGISTRY", registry)
    }

    fn is_registered(&self, name: &str) -> bool {
        is_registered(&self.rig.runtime, self.registry, name)
    }
}

/// Three seconds of something like a voice: gliding harmonics in syllables with pauses.
fn voice() -> Vec<f32> {
    let mut phase = 0.0f32;
    (0..3 * RATE)
        .map(|at| {
            let t = f32::from(u16::try_from(at / 480).unwrap()) * 0.01;
            phase += TAU * (140.0 + 40.0 * (t * 2.3).sin()) / 48_000.0;
            let syllable = (t * 2.1 * TAU).sin().max(0.0);
            let harmonics = (1u8..12).map(|n| (phase * f32::from(n)).sin() / f32::from(n));
            0.2 * syllable * harmonics.sum::<f32>()
        })
        .collect()
}

fn write_wav(path: &Path, samples: &[f32]) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(path, spec).unwrap();
    for sample in samples {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "within the range of 16 bits"
        )]
        wav.write_sample((sample * 32_000.0) as i16).unwrap();
    }
    wav.finalize().unwrap();
}

fn read_wav(path: &Path) -> Vec<f32> {
    let mut wav = hound::WavReader::open(path).unwrap();
    wav.samples::<i16>()
        .map(|sample| f32::from(sample.unwrap()) / 32_768.0)
        .collect()
}

/// In samples of a file.
const HALF_A_SECOND: usize = RATE as usize / 2;

/// The greatest correlation of `sent` with what begins up to half a second into `heard`, or up to
/// a quarter of it.
fn likeness(sent: &[f32], heard: &[f32]) -> f32 {
    let energy = |x: &[f32]| x.iter().map(|x| x * x).sum::<f32>();
    let at = |delay: usize| {
        let heard = &heard[delay..];
        let length = sent.len().min(heard.len());
        let product: f32 = sent.iter().zip(heard).map(|(a, b)| a * b).sum();
        product
            / (energy(&sent[..length]) * energy(&heard[..length]))
                .sqrt()
                .max(1e-9)
    };
    // Coarsely first, then to the sample around the best.
    let end = (RATE as usize / 2).min(heard.len() / 4);
    let best = |delays: &mut dyn Iterator<Item = usize>| {
        delays
            .map(|delay| (at(delay), delay))
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .unwrap()
    };
    let (_, near) = best(&mut (0..end).step_by(16));
    best(&mut (near.saturating_sub(16)..(near + 16).min(end))).0
}

/// How alike pieces of half a second, so many samples, are, each at its own delay: the middle one
/// of them, as the delay of a call may change between two.
fn alike_in_pieces(sent: &[f32], heard: &[f32], piece: usize) -> f32 {
    let pieces = sent.chunks_exact(piece).enumerate();
    let mut all: Vec<f32> = pieces
        .map(|(n, sent)| {
            let heard = &heard[n * piece..];
            likeness(sent, &heard[..heard.len().min(4 * piece)])
        })
        .collect();
    all.sort_by(f32::total_cmp);
    all[all.len() / 2]
}

/// How loud it is in every 10 ms, around its mean.
fn loudness(samples: &[f32]) -> Vec<f32> {
    let frames = samples.chunks_exact(480);
    let loud: Vec<f32> = frames
        .map(|frame| frame.iter().map(|x| x * x).sum::<f32>().sqrt())
        .collect();
    let mean = loud.iter().sum::<f32>() / f32::from(u16::try_from(loud.len()).unwrap());
    loud.iter().map(|x| x - mean).collect()
}

#[test]
fn a_call_by_name_carries_a_voice_into_a_file_and_both_end_well() {
    let place = Place::new();
    let speech = voice();
    write_wav(&place.path("speech.wav"), &speech);
    // A file that was there before is no recording of these calls.
    std::fs::write(place.path("heard-2.wav"), "mine").unwrap();
    let heard = ["--input", "silence", "--output", "heard.wav"];
    let mut bob = place.phone(
        "bob",
        &[&heard[..], &["answer", "--auto", "--calls", "2"]].concat(),
    );
    bob.wait_for("registered");
    for call in 0..2 {
        let alice = place.phone("alice", &["--input", "speech.wav", "call", "bob"]);
        let alice = alice.end();
        assert_eq!(alice.code, Some(0), "{}", alice.complaints);
        assert!(
            alice
                .complaints
                .contains("no loudspeaker found, so nothing is played")
        );
        assert_eq!(alice.reason(), "hangup");
        assert!(alice.event("established")["setup_ms"].as_f64().unwrap() > 0.0);
        assert!(alice.event("stats")["loss_pct"].as_f64().is_some());
        let file = ["heard.wav", "heard-3.wav"][call];
        if call == 0 {
            bob.wait_for("ended");
        }
        if call == 1 {
            // Bob has had his two calls; his file is whole when he has ended.
            break;
        }
        let like = alike_in_pieces(&speech, &read_wav(&place.path(file)), HALF_A_SECOND);
        assert!(like > 0.8, "{file} is like the speech by {like}");
    }
    let bob = bob.end();
    assert_eq!(bob.code, Some(0), "{}", bob.complaints);
    assert_eq!(bob.reason(), "remote_hangup");
    assert_eq!(bob.event("incoming")["confirmed"], true);
    let like = alike_in_pieces(
        &speech,
        &read_wav(&place.path("heard-3.wav")),
        HALF_A_SECOND,
    );
    assert!(like > 0.8, "the second file is like the speech by {like}");
    assert_eq!(std::fs::read(place.path("heard-2.wav")).unwrap(), b"mine");
    assert!(!place.is_registered("bob"));
}

#[test]
fn an_echo_sends_the_voice_back() {
    let place = Place::new();
    let speech = voice();
    write_wav(&place.path("speech.wav"), &speech);
    let mut echo = place.phone("echo", &["echo"]);
    echo.wait_for("registered");
    let files = ["--input", "speech.wav", "--output", "back.wav"];
    let alice = place
        .phone("alice", &[&["call", "echo"], &files[..]].concat())
        .end();
    assert_eq!(alice.code, Some(0), "{}", alice.complaints);
    // Coded twice, the waves of the voice have shifted; its syllables have not.
    let back = loudness(&read_wav(&place.path("back.wav")));
    let like = alike_in_pieces(&loudness(&speech), &back, 50);
    assert!(like > 0.9, "the echo is like the speech by {like}");
    echo.signal("-TERM");
    let echo = echo.end();
    assert_eq!(echo.code, Some(0), "{}", echo.complaints);
    assert!(!place.is_registered("echo"));
}

const NO_SOUND: [&str; 4] = ["--input", "silence", "--output", "none"];

fn with_no_sound<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [arguments, &NO_SOUND[..]].concat()
}

#[test]
fn four_ways_of_not_being_reached_have_four_messages() {
    let place = Place::new();
    let call = |target: &str| {
        let over = place
            .phone("alice", &with_no_sound(&["call", target]))
            .end();
        assert_eq!(over.code, Some(1), "{}", over.complaints);
        over
    };
    let unknown = call("carol");
    assert_eq!(unknown.reason(), "not_found");
    assert!(
        unknown
            .why()
            .contains("nobody called carol is registered at 127.0.0.1")
    );

    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let nobody = call(&format!("bob@{free}"));
    assert_eq!(nobody.reason(), "unreachable");
    assert!(
        nobody.why().contains(&format!("nobody listens at {free}")),
        "{}",
        nobody.why()
    );

    let mut bob = place.phone("bob", &with_no_sound(&["answer", "--busy"]));
    bob.wait_for("registered");
    let alice = place.phone("alice", &with_no_sound(&["call", "bob"]));
    assert_eq!(bob.wait_for("incoming")["waiting"], false);
    bob.type_line("d");
    let declined = alice.end();
    assert_eq!((declined.code, declined.reason()), (Some(1), "declined"));
    assert_eq!(declined.why(), "bob declined the call");
    assert_eq!(bob.wait_for("ended")["reason"], "declined_here");

    let mut dora = place.phone("dora", &with_no_sound(&["call", "bob", "--for", "60"]));
    bob.wait_for("incoming");
    bob.type_line("");
    dora.wait_for("established");
    let busy = call("bob");
    assert_eq!(busy.reason(), "busy");
    assert!(busy.why().contains("busy in another call"));
    dora.signal("-INT");
    let dora = dora.end();
    assert_eq!((dora.code, dora.reason()), (Some(0), "hangup"));
    bob.signal("-INT");
    assert_eq!(bob.end().code, Some(0));
}

#[test]
fn a_second_key_cannot_register_a_live_name() {
    let place = Place::new();
    let mut bob = place.phone("bob", &with_no_sound(&["answer"]));
    bob.wait_for("registered");
    let thief = place
        .phone_of("thief", "bob", &with_no_sound(&["answer", "--auto"]))
        .end();
    assert_eq!(thief.code, Some(2));
    assert!(
        thief
            .complaints
            .contains("belongs to somebody else; choose another --name")
    );
    let twice = place.phone("bob", &with_no_sound(&["answer"])).end();
    assert_eq!(twice.code, Some(2));
    assert!(
        twice
            .complaints
            .contains("another program is bob's phone on this machine")
    );
    assert!(place.is_registered("bob"));
}

#[test]
fn a_direct_call_needs_no_registry() {
    let place = Place::new();
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string();
    let lost = ["--registry", free.as_str()];
    let answer = [&lost[..], &["--listen", "127.0.0.1:0", "answer", "--auto"]].concat();
    let mut registered = place.phone("bob", &with_no_sound(&answer[2..]));
    let listening = registered.wait_for("registered")["listening"]
        .as_str()
        .unwrap()
        .to_owned();
    let call = format!("bob@{listening}");
    let alice = place.phone(
        "alice",
        &with_no_sound(&[&lost[..], &["call", &call, "--for", "1"]].concat()),
    );
    let alice = alice.end();
    assert_eq!(alice.code, Some(0), "{}", alice.complaints);
    assert!(
        alice
            .complaints
            .contains("not registered: nobody listens at")
    );
    assert!(alice.event("ended")["duration_s"].as_f64().unwrap() >= 1.0);
    let by_registry = format!("bob@{}", place.registry);
    let asked = place.phone(
        "carol",
        &with_no_sound(&[&lost[..], &["call", &by_registry, "--for", "0.5"]].concat()),
    );
    assert_eq!(asked.end().code, Some(0));
}

#[test]
fn interruptions_and_waiting_in_vain_have_their_exit_codes() {
    let place = Place::new();
    let waited = place
        .phone("bob", &with_no_sound(&["answer", "--timeout", "0.3"]))
        .end();
    assert_eq!(waited.code, Some(1));
    assert!(waited.complaints.contains("nobody has called for 0.3 s"));

    let mut bob = place.phone("bob", &with_no_sound(&["answer", "--calls", "1"]));
    bob.wait_for("registered");
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let mut alice = place.phone("alice", &with_no_sound(&["call", "bob"]));
        alice.wait_for("ringing");
        alice.signal(signal);
        let alice = alice.end();
        assert_eq!(alice.code, Some(code));
        assert_eq!(alice.reason(), "hangup");
        assert_eq!(bob.wait_for("ended")["reason"], "cancelled");
    }
    let rings = place
        .phone("alice", &with_no_sound(&["call", "bob", "--ring", "0.5"]))
        .end();
    assert_eq!((rings.code, rings.reason()), (Some(1), "no_answer"));
    bob.signal("-INT");
    assert_eq!(bob.end().code, Some(130));
}

#[test]
fn fewer_calls_than_asked_for_are_no_success() {
    let place = Place::new();
    let waits = ["answer", "--auto", "--calls", "2", "--timeout", "1.5"];
    let mut bob = place.phone("bob", &with_no_sound(&waits));
    bob.wait_for("registered");
    let alice = place
        .phone("alice", &with_no_sound(&["call", "bob", "--for", "0.3"]))
        .end();
    assert_eq!(alice.code, Some(0), "{}", alice.complaints);
    let bob = bob.end();
    assert_eq!(bob.code, Some(1));
    assert!(
        bob.complaints.contains("after 1 of 2 calls"),
        "{}",
        bob.complaints
    );
}

#[test]
fn a_phone_that_calls_its_own_address_is_told_so() {
    let place = Place::new();
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let itself = format!("alice@{free}");
    let listen = free.to_string();
    let over = place
        .phone(
            "alice",
            &with_no_sound(&["call", &itself, "--listen", &listen]),
        )
        .end();
    assert_eq!((over.code, over.reason()), (Some(1), "unreachable"));
    assert!(
        over.why().contains("this phone itself answers"),
        "{}",
        over.why()
    );
}

#[test]
fn a_recording_is_whole_after_a_kill() {
    let place = Place::new();
    write_wav(&place.path("speech.wav"), &voice());
    let mut echo = place.phone("echo", &["echo"]);
    echo.wait_for("registered");
    let files = ["--input", "speech.wav", "--output", "killed.wav"];
    let mut alice = place.phone("alice", &[&["call", "echo"], &files[..]].concat());
    alice.wait_for("stats");
    alice.wait_for("stats");
    alice.signal("-KILL");
    alice.end_in_lines();
    let recorded = read_wav(&place.path("killed.wav"));
    assert!(
        recorded.len() > RATE as usize / 2,
        "{} samples",
        recorded.len()
    );
}

#[test]
fn wrong_use_ends_in_one_clear_line_before_anybody_is_called() {
    let place = Place::new();
    let wrong = |arguments: &[&str], says: &str| {
        let over = place.phone("alice", arguments).end();
        assert_eq!(over.code, Some(2), "{arguments:?}");
        assert_eq!(over.complaints.lines().count(), 1, "{}", over.complaints);
        assert!(over.complaints.contains(says), "{}", over.complaints);
    };
    wrong(&with_no_sound(&["call", "b b"]), "a name has letters");
    wrong(&with_no_sound(&["call", "bob@a:b"]), "is no HOST");
    wrong(
        &["call", "bob", "--input", "missing.wav", "--output", "none"],
        "cannot read missing.wav",
    );
    wrong(
        &[
            "call",
            "bob",
            "--input",
            "silence",
            "--output",
            "no/dir/x.wav",
        ],
        "cannot write",
    );
    wrong(&with_no_sound(&["call", "bob", "--for", "0"]), "--for");
    wrong(&with_no_sound(&["answer", "--calls", "0"]), "--calls");
    wrong(
        &with_no_sound(&["answer", "--listen", "203.0.113.1:1"]),
        "cannot listen on",
    );
    wrong(&["frobnicate"], "frobnicate");
    write_wav(&place.path("tone.wav"), &voice()[..4800]);
    std::fs::hard_link(place.path("tone.wav"), place.path("same.wav")).unwrap();
    wrong(
        &["call", "bob", "--input", "tone.wav", "--output", "same.wav"],
        "it is the input file",
    );
    std::fs::write(place.path("text.wav"), "this is no sound").unwrap();
    wrong(
        &["call", "bob", "--input", "text.wav", "--output", "none"],
        "cannot read text.wav",
    );
}
