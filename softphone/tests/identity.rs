//! `ramal-phone identity` and `contacts` as people run them: real processes, a real registry.

#![allow(clippy::unwrap_used)]

use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use codec::{IdentityKey, RecoveryCode};
use registry::server::Plain;
use serde_json::Value;
use softphone::{
    contacts::{Change, Contact},
    settings::ContactsFile,
};

use self::{
    phones::{Over, Phone},
    registries::{ANYWHERE, Registry},
};

#[path = "identity/granted.rs"]
mod granted;
#[path = "rig/phones.rs"]
mod phones;
#[path = "rig/registries.rs"]
mod registries;

/// A registry in this process, and phones with a folder for everything.
struct Place {
    rig: phones::Place,
    registry: SocketAddr,
}

impl Place {
    fn new() -> Self {
        Self::at(ANYWHERE)
    }

    fn at(listen: SocketAddr) -> Self {
        let rig = phones::Place::new(&["--input", "silence"]);
        let registry = Registry::start(&rig.runtime, listen, Plain::Any, 9).addr;
        Self { rig, registry }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.rig.path(path)
    }

    /// The program, as the phone called bob with the keys in this folder.
    fn command(&self, config: &str, arguments: &[&str]) -> Command {
        self.command_of("bob", config, arguments)
    }

    fn command_of(&self, name: &str, config: &str, arguments: &[&str]) -> Command {
        let mut command = self.rig.command(config, name, self.registry, arguments);
        command
            .env("XDG_CONFIG_HOME", self.path(""))
            .stdin(Stdio::piped());
        command
    }

    fn run(&self, config: &str, arguments: &[&str]) -> Over {
        self.run_with(config, arguments, "")
    }

    fn run_with(&self, config: &str, arguments: &[&str], typed: &str) -> Over {
        Phone::start(&mut self.command(config, arguments)).end_with(typed)
    }

    /// Alice with an identity of her own.
    fn alice(&self, arguments: &[&str]) -> Over {
        Phone::start(&mut self.command_of("alice", "hers", arguments)).end_with("")
    }

    /// A phone that has registered.
    fn phone(&self, config: &str) -> Phone {
        self.phone_that(config, &["answer"])
    }

    fn phone_that(&self, config: &str, arguments: &[&str]) -> Phone {
        let mut phone = Phone::start(&mut self.command(config, arguments));
        phone.wait_for("registered");
        phone
    }

    /// Registers once, and returns the words of the recovery code that it was shown.
    fn first_start(&self, config: &str) -> String {
        let phone = self.phone(config);
        let words = words_of(&phone.heard());
        stop(phone);
        words
    }

    fn fingerprint(&self, config: &str) -> String {
        let shown = self.run(config, &["identity", "show"]);
        assert_eq!(shown.code, Some(0), "{}", shown.complaints);
        let fingerprint = shown.event("identity")["fingerprint"].as_str();
        fingerprint.unwrap().to_owned()
    }
}

fn words_of(events: &[Value]) -> String {
    let code = events
        .iter()
        .find(|event| event["event"] == "recovery_code");
    let words = code.unwrap()["words"].as_str().unwrap().to_owned();
    assert!(words.parse::<RecoveryCode>().is_ok(), "{words}");
    words
}

/// Ends a phone as Ctrl-C does, which is a good end.
#[track_caller]
fn stop(phone: Phone) {
    phone.signal("-INT");
    assert_eq!(phone.end().code, Some(0));
}

impl Over {
    /// That it failed, with these words in one line.
    #[track_caller]
    fn failed(&self, words: &[&str]) {
        assert_eq!(self.code, Some(2), "{:?} {}", self.events, self.complaints);
        for word in words {
            assert!(
                self.complaints.contains(word),
                "no {word}: {}",
                self.complaints
            );
        }
    }

    #[track_caller]
    fn went_well(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.complaints);
        self
    }
}

const EXPORT: [&str; 4] = ["identity", "export", "bob.txt", "--passphrase-stdin"];
const IMPORT: [&str; 4] = ["identity", "import", "bob.txt", "--passphrase-stdin"];
const PASSPHRASE: &str = "five words for one export\n";

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn an_identity_goes_to_another_machine_under_a_passphrase() {
    let place = Place::new();
    place
        .run("here", &EXPORT)
        .failed(&["no identity of bob", "import"]);
    place.first_start("here");
    place
        .run_with("here", &EXPORT, "short\n")
        .failed(&["at least 10 characters"]);
    assert!(!place.path("bob.txt").exists());
    // While the phone runs, as on any day that somebody makes a backup.
    let phone = place.phone("here");
    place.run_with("here", &EXPORT, PASSPHRASE).went_well();
    stop(phone);
    place
        .run_with("here", &EXPORT, PASSPHRASE)
        .failed(&["is there already"]);
    let text = fs::read_to_string(place.path("bob.txt")).unwrap();
    assert!(text.starts_with("-----BEGIN RAMAL IDENTITY-----\n"));

    place
        .run_with("there", &IMPORT, "another passphrase\n")
        .failed(&["passphrase is not"]);
    fs::write(place.path("bob.txt"), text.replacen('\n', "\n00", 1)).unwrap();
    place
        .run_with("there", &IMPORT, PASSPHRASE)
        .failed(&["bob.txt", "damaged or cut"]);
    fs::write(place.path("bob.txt"), b"\xff\xfe").unwrap();
    place
        .run_with("there", &IMPORT, PASSPHRASE)
        .failed(&["no exported identity"]);
    assert!(!place.path("there/bob/identity").exists());

    fs::write(
        place.path("bob.txt"),
        format!("> hello\r\n{}", text.replace('\n', "\r\n")),
    )
    .unwrap();
    let imported = place.run_with("there", &IMPORT, PASSPHRASE).went_well();
    assert_eq!(imported.event("imported")["backup"], Value::Null);
    assert_eq!(place.fingerprint("there"), place.fingerprint("here"));
    place
        .run_with("there", &IMPORT, PASSPHRASE)
        .failed(&["already", "--replace"]);
    // The same person with another phone.
    let (one, other) = (place.phone("here"), place.phone("there"));
    assert!(
        !other
            .heard()
            .iter()
            .any(|event| event["event"] == "recovery_code")
    );
    stop(one);
    stop(other);

    place
        .run("elsewhere", &["identity", "show"])
        .failed(&["no identity"]);
    place.first_start_of_another("elsewhere");
    let before = place.fingerprint("elsewhere");
    let replace = [&IMPORT[..], &["--replace"]].concat();
    let replaced = place
        .run_with("elsewhere", &replace, PASSPHRASE)
        .went_well();
    let backup = replaced.event("imported")["backup"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(place.fingerprint("elsewhere"), place.fingerprint("here"));
    fs::copy(place.path(&backup), place.path("elsewhere/bob/identity")).unwrap();
    assert_eq!(place.fingerprint("elsewhere"), before);
}

impl Place {
    /// Somebody else who wants to be bob: they have an identity, and are refused.
    fn first_start_of_another(&self, config: &str) {
        let over = self.run(config, &["answer"]);
        over.failed(&["belongs to somebody else", "identity recover"]);
    }
}

#[test]
fn keys_that_others_can_read_are_refused_with_what_to_type() {
    let place = Place::new();
    place.first_start("here");
    let (folder, file) = (place.path("here/bob"), place.path("here/bob/identity"));
    for arguments in [
        &["answer"][..],
        &["identity", "show"],
        &["identity", "rotate"],
    ] {
        mode(&file, 0o644);
        place
            .run("here", arguments)
            .failed(&["chmod 600 here/bob/identity"]);
        mode(&file, 0o600);
        mode(&folder, 0o755);
        place.run("here", arguments).failed(&["chmod 700 here/bob"]);
        mode(&folder, 0o700);
    }
    stop(place.phone("here"));
}

#[test]
fn a_changed_key_is_the_names_and_the_old_one_is_told_and_recovers() {
    let place = Place::new();
    let first_words = place.first_start("here");
    let before = place.fingerprint("here");
    let running = place.phone("here");
    place
        .run("here", &["identity", "rotate"])
        .failed(&["another program"]);
    stop(running);
    let rotated = place.run("here", &["identity", "rotate"]).went_well();
    let changed = rotated.event("identity_replaced");
    assert_eq!(changed["fingerprint"], *place.fingerprint("here"));
    assert_ne!(place.fingerprint("here"), before);
    let second_words = words_of(&rotated.events);
    assert_ne!(first_words, second_words);
    assert!(!place.path("here/bob/identity.next").exists());
    stop(place.phone("here"));

    // Whoever has the old key is told what happened, and does not wait for what never comes.
    let backup = place.path(changed["backup"].as_str().unwrap());
    fs::create_dir_all(place.path("old/bob")).unwrap();
    mode(&place.path("old/bob"), 0o700);
    fs::copy(backup, place.path("old/bob/identity")).unwrap();
    let over = place.run("old", &["answer"]);
    over.failed(&["given to another key", "72 h", "identity recover"]);

    // For 72 hours the code of before counts beside the new one, on any machine.
    let recover = ["identity", "recover"];
    let guessed = "zoo ".repeat(11) + "wrong\n";
    place
        .run_with("new", &recover, &guessed)
        .failed(&["recovery code", "nothing was changed"]);
    place
        .run_with("new", &recover, "zoo zoo\n")
        .failed(&["twelve words"]);
    assert!(!place.path("new/bob/identity").exists());
    assert!(!place.path("new/bob/identity.next").exists());
    let lines = first_words.replacen(' ', "\n", 6);
    let recovered = place.run_with("new", &recover, &lines).went_well();
    assert_eq!(recovered.event("identity_replaced")["backup"], Value::Null);
    words_of(&recovered.events);
    stop(place.phone("new"));
    place
        .run("here", &["answer"])
        .failed(&["ramal-phone identity recover"]);
    // It counts once.
    let again = place.run_with("thief", &recover, &lines);
    again.failed(&["not, or no longer"]);
}

#[test]
fn a_change_whose_answer_was_lost_is_found_out_by_the_next_try() {
    let place = Place::new();
    place.first_start("here");
    let (file, next) = (
        place.path("here/bob/identity"),
        place.path("here/bob/identity.next"),
    );
    let old = fs::read(&file).unwrap();
    let rotated = place.run("here", &["identity", "rotate"]).went_well();
    let after = place.fingerprint("here");
    // As if the program had been killed before it heard the answer.
    let words = words_of(&rotated.events);
    let new = fs::read(&file).unwrap();
    fs::write(&next, [&[1], &new[1..], words.as_bytes()].concat()).unwrap();
    mode(&next, 0o600);
    fs::write(&file, old).unwrap();
    let refused = place.run("here", &["answer"]);
    refused.failed(&["broke off", "identity rotate"]);
    let found = place.run("here", &["identity", "rotate"]).went_well();
    assert_eq!(found.event("identity_replaced")["fingerprint"], *after);
    assert_eq!(words_of(&found.events), words);
    assert!(!next.exists());
    stop(place.phone("here"));
}

#[test]
fn a_registry_that_is_not_there_changes_nothing() {
    let place = Place::new();
    place.first_start("here");
    let before = place.fingerprint("here");
    // A port that was free a moment ago.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nowhere = gone.local_addr().unwrap().to_string();
    drop(gone);
    let rotate = ["--registry", &nowhere, "identity", "rotate"];
    place
        .run("here", &rotate)
        .failed(&["nobody listens", "nothing was changed"]);
    assert_eq!(place.fingerprint("here"), before);
    assert!(!place.path("here/bob/identity.next").exists());
    // Nobody's name cannot be given to anybody.
    let elsewhere = Place::new();
    let rotate = [
        "--registry",
        &elsewhere.registry.to_string(),
        "identity",
        "rotate",
    ];
    place
        .run("here", &rotate)
        .failed(&["nobody owns bob", "--registry"]);
    assert_eq!(place.fingerprint("here"), before);
    stop(place.phone("here"));
}

#[test]
fn a_name_is_recovered_also_where_others_can_read_because_the_code_is_told_to_nobody() {
    let reachable = if_addrs::get_if_addrs().unwrap().into_iter();
    let mut reachable = reachable.map(|interface| interface.ip());
    let Some(ip) = reachable.find(|ip| ip.is_ipv4() && !ip.is_loopback()) else {
        // On a machine without a network nothing can be read by others.
        return;
    };
    let place = Place::at((ip, 0).into());
    let words = place.first_start("here");
    let recover = ["--plain", "identity", "recover"];
    place.run_with("new", &recover, &words).went_well();
}

#[test]
fn a_name_that_is_given_up_is_kept_for_its_owner_for_a_while() {
    let place = Place::new();
    place.first_start("here");
    place
        .run("here", &["identity", "release"])
        .failed(&["--yes"]);
    place
        .run("other", &["answer"])
        .failed(&["belongs to somebody else"]);
    place
        .run("other", &["identity", "release", "--yes"])
        .failed(&["another identity"]);
    let released = place
        .run("here", &["identity", "release", "--yes"])
        .went_well();
    assert_eq!(released.event("released")["name"], "bob");
    place
        .run("other", &["answer"])
        .failed(&["belongs to somebody else"]);
    stop(place.phone("here"));
}

#[test]
fn contacts_are_listed_verified_and_blocked_while_the_phone_runs() {
    let place = Place::new();
    let contacts = |arguments: &[&str]| place.run("here", &[&["contacts"], arguments].concat());
    contacts(&["list"]).failed(&["no identity of bob"]);
    let phone = place.phone("here");
    assert!(contacts(&["list"]).went_well().events.is_empty());
    contacts(&["verify", "alice"]).failed(&["no contact is called alice", "first call"]);
    contacts(&["block", "alice"]).failed(&["no contact is called alice", "--callers contacts"]);
    let alice = IdentityKey([1; 32]);
    let file = ContactsFile::within(&place.path("here/bob"));
    let pin = Change::Pin(Contact {
        registry: None,
        name: "Alice".parse().unwrap(),
        identity: alice,
        verified: false,
        blocked: false,
        changed: false,
        since: 1_800_000_000_000,
    });
    file.change(&[pin]).unwrap();
    let verified = contacts(&["verify", "alice"]).went_well();
    let said = verified.event("contact_changed");
    assert_eq!(said["fingerprint"], *alice.fingerprint());
    contacts(&["block", "alice"]).went_well();
    let listed = contacts(&["list"]).went_well();
    let listed = listed.event("contact");
    assert_eq!(
        [&listed["verified"], &listed["blocked"], &listed["changed"]],
        [true, true, false]
    );
    assert_eq!(
        (&listed["name"], &listed["identity"]),
        (&"Alice".into(), &alice.to_string().into())
    );
    contacts(&["unblock", "alice"]).went_well();
    contacts(&["forget", "alice"]).went_well();
    assert!(contacts(&["list"]).went_well().events.is_empty());
    stop(phone);
    fs::write(place.path("here/bob/contacts"), "{").unwrap();
    contacts(&["list"]).failed(&["here/bob/contacts is damaged"]);
    place
        .run("here", &["answer"])
        .failed(&["here/bob/contacts is damaged"]);
    assert_eq!(fs::read(place.path("here/bob/contacts")).unwrap(), b"{");
}

/// Tries until it is so; a phone that runs hears of changed contacts within a second or two.
#[track_caller]
fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let tries = (0..100).any(|_| {
        let is = is_so();
        if !is {
            std::thread::sleep(Duration::from_millis(50));
        }
        is
    });
    assert!(tries, "never: {what}");
}

#[test]
fn a_phone_that_runs_pins_who_called_and_hears_what_becomes_of_them() {
    let place = Place::new();
    let bob = place.phone_that("here", &["answer", "--auto"]);
    let contacts = |arguments: &[&str]| place.run("here", &[&["contacts"], arguments].concat());
    let call = || place.alice(&["call", "bob", "--for", "0.3"]);
    let talks = || call().code == Some(0);
    call().went_well();
    eventually("alice is a contact", || {
        let listed = contacts(&["list"]).went_well().events;
        listed.len() == 1 && listed[0]["name"] == "alice" && listed[0]["verified"] == false
    });
    contacts(&["verify", "alice"]).went_well();
    contacts(&["block", "alice"]).went_well();
    eventually("alice is not let in", || {
        call()
            .events
            .iter()
            .any(|event| event["reason"] == "unavailable")
    });
    contacts(&["unblock", "alice"]).went_well();
    eventually("alice is let in again", talks);
    // She has a new key: bob does not take her for alice until he says so.
    place.alice(&["identity", "rotate"]).went_well();
    assert_ne!(call().code, Some(0));
    let listed = contacts(&["list"]).went_well();
    assert_eq!(listed.event("contact")["verified"], true);
    contacts(&["forget", "alice"]).went_well();
    eventually("whoever is alice now is pinned", talks);
    stop(bob);
    let listed = contacts(&["list"]).went_well();
    let hers = place.alice(&["identity", "show"]).went_well();
    assert_eq!(
        listed.event("contact")["identity"],
        hers.event("identity")["identity"]
    );
    assert_eq!(listed.event("contact")["verified"], false);
}

#[test]
fn a_recovery_code_is_not_written_where_a_log_may_be() {
    let place = Place::new();
    let mut command = place.command("here", &["--json", "answer", "--timeout", "1"]);
    let program = command.get_program().to_owned();
    let mut plain = Command::new(program);
    for argument in command.get_args().filter(|argument| *argument != "--json") {
        plain.arg(argument);
    }
    let run = |command: &mut Command| command.stdin(Stdio::null()).output().unwrap();
    let registry = place.registry.to_string();
    let output = run(place.rig.set_up(&mut plain).env("RAMAL_REGISTRY", registry));
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let file = place.path("here/bob/recovery-code");
    let words = fs::read_to_string(&file).unwrap();
    assert!(words.parse::<RecoveryCode>().is_ok());
    assert!(
        said.contains("here/bob/recovery-code") && !said.contains(words.trim()),
        "{said}"
    );
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    // A script is told the words and the file, at every start until the file is gone.
    let second = run(&mut command);
    let second = String::from_utf8_lossy(&second.stdout).into_owned();
    assert!(
        second.contains(words.trim()) && second.contains("bob/recovery-code"),
        "{second}"
    );
    fs::remove_file(&file).unwrap();
    let third = run(&mut command);
    assert!(!String::from_utf8_lossy(&third.stdout).contains("recovery_code"));
    let recovered = place.run_with("new", &["identity", "recover"], &words);
    recovered.went_well();
}
