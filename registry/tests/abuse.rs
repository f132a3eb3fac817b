//! What people do to a registry and to each other's names, over real sockets, and what the operator
//! does about it. Visitors come from addresses of their own: 127.0.0.2 and on.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::{
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::Path,
    process::{Command, Output},
    thread,
    time::Instant,
};

use codec::{
    List, RecoveryCode,
    claim::Claim,
    greeting::Unwelcome,
    registry::{ClosingReason, FromRegistry, Method, Notice, Prefix, Refusal, Success, Watch},
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use registry::limits::{Count, Directory, Limits};

use self::{
    rig::{Registry, text},
    served::Served,
    visitor::Visitor,
};

#[path = "programs/rig.rs"]
mod rig;
#[allow(dead_code, reason = "some only have to be kept")]
#[path = "programs/served.rs"]
mod served;
#[path = "abuse/visitor.rs"]
mod visitor;

/// Work is not slowed, so that a flood is over soon. What is refused is as it always is.
const UNSLOWED: fn() -> Limits = || Limits {
    work_burst: 1_000_000,
    work_burst_per_address: 10_000_000,
    ..Limits::default()
};

fn is_found(answer: &Result<Success, Refusal>) -> bool {
    matches!(answer, Ok(Success::Found(_)))
}

fn is_too_fast(answer: &Result<Success, Refusal>) -> bool {
    matches!(answer, Err(Refusal::TooFast { retry_s: 1.. }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guesser_of_100_000_names_learns_500_and_nobody_else_notices() {
    const CONNECTIONS: usize = 10;
    const EACH: usize = 10_000;
    let served = Served::with(UNSLOWED()).await;
    let addr = served.addr;
    let began = Instant::now();
    let (counts, seconds) = tokio::task::spawn_blocking(move || {
        let mut bob = Visitor::phone(addr, 3, 1);
        bob.register("bob").unwrap();
        // Somebody of the guesser's own office, who has a name, and a friend who is not there now.
        let mut alice = Visitor::phone(addr, 2, 2);
        alice.register("alice").unwrap();
        alice.register("carol").unwrap();
        alice.unregister("carol").unwrap();
        // One of the names that are tried exists.
        bob.register("guess9.9999").unwrap();
        let guessers: Vec<_> = (0..CONNECTIONS)
            .map(|guesser| thread::spawn(move || guess(addr, guesser, EACH)))
            .collect();
        while guessers.iter().any(|guesser| !guesser.is_finished()) {
            assert!(
                is_found(&alice.lookup("bob")),
                "a neighbour finds her contact"
            );
            assert_eq!(alice.lookup("carol"), Err(Refusal::NotFound));
            assert!(is_found(&bob.lookup("alice")));
        }
        let mut stranger = Visitor::client(addr, 4);
        assert_eq!(stranger.lookup("nobody"), Err(Refusal::NotFound));
        // When guesses are used up, what is there looks like what is not.
        let mut guesser = Visitor::client(addr, 2);
        assert!(is_too_fast(&guesser.lookup("guess9.9999")));
        let names = List::first_of(["guess9.9999".parse().unwrap()]);
        assert!(is_too_fast(
            &guesser.ask(Method::Watch(Watch::Names(names)))
        ));
        let counts = guessers.into_iter().map(|it| it.join().unwrap());
        let sum = |all: [usize; 3], one: [usize; 3]| std::array::from_fn(|at| all[at] + one[at]);
        (counts.fold([0; 3], sum), began.elapsed().as_secs())
    })
    .await
    .unwrap();
    let [not_found, too_fast, found] = counts;
    println!("{not_found} not found, {too_fast} too fast, {found} found, in {seconds} s");
    assert_eq!(not_found + too_fast + found, CONNECTIONS * EACH);
    assert_eq!(found, 0);
    // One more every 7.2 s.
    let learnt = 500..=501 + usize::try_from(seconds / 7).unwrap();
    assert!(learnt.contains(&not_found), "{not_found} in {seconds} s");
    let counted = served.counters.get(Count::GuessesTooFast);
    assert!(counted >= u64::try_from(too_fast).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guesser_who_registers_first_learns_200_for_a_name_and_no_neighbour_pays_for_it() {
    const NAMES: u64 = 8;
    let served = Served::with(UNSLOWED()).await;
    let addr = served.addr;
    tokio::task::spawn_blocking(move || {
        let began = Instant::now();
        let mut learnt = 0;
        for seed in 100..100 + NAMES {
            let mut guesser = Visitor::phone(addr, 66, seed);
            guesser.register(&format!("sock{seed}")).unwrap();
            let names = (0..600).map(|number| format!("guess{seed}.{number}"));
            let lookups = names.map(|name| Method::Lookup {
                name: name.parse().unwrap(),
            });
            let answers = guesser.ask_all(lookups);
            let not_found = answers.iter().filter(|it| **it == Err(Refusal::NotFound));
            learnt += not_found.count();
            assert!(is_too_fast(&guesser.lookup("sock100")), "nor what is there");
        }
        // One more every 18 s.
        let more = usize::try_from(NAMES * (1 + began.elapsed().as_secs() / 18)).unwrap();
        assert!((1600..=1600 + more).contains(&learnt), "{learnt}");
        let mut neighbour = Visitor::client(addr, 66);
        assert!(is_found(&neighbour.lookup("sock100")));
        let mut other = Visitor::phone(addr, 66, 1);
        other.register("bob").unwrap();
        assert_eq!(other.lookup("nobody"), Err(Refusal::NotFound));
    })
    .await
    .unwrap();
}

/// Looks names up as fast as it goes, and counts what was not found, refused, and found.
fn guess(addr: std::net::SocketAddr, guesser: usize, names: usize) -> [usize; 3] {
    let mut visitor = Visitor::client(addr, 2);
    let mut counts = [0; 3];
    for batch in 0..names / 250 {
        let numbers = batch * 250..(batch + 1) * 250;
        let names = numbers.map(|number| format!("guess{guesser}.{number}").parse().unwrap());
        for answer in visitor.ask_all(names.map(|name| Method::Lookup { name })) {
            match answer {
                Err(Refusal::NotFound) => counts[0] += 1,
                answer if is_too_fast(&answer) => counts[1] += 1,
                answer if is_found(&answer) => counts[2] += 1,
                other => panic!("{other:?}"),
            }
        }
    }
    counts
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_claims_from_one_address_takes_100_names_and_leaves_the_rest_to_others() {
    let served = Served::with(UNSLOWED()).await;
    let addr = served.addr;
    tokio::task::spawn_blocking(move || {
        let mut taken = 0;
        for number in 0..150 {
            let mut squatter = Visitor::phone(addr, 2, 100 + number);
            match squatter.register(&format!("squat{number}")) {
                Ok(_) => taken += 1,
                answer => assert!(is_too_fast(&answer), "{answer:?}"),
            }
        }
        assert_eq!(taken, 100);
        // Whether a name is free is not told either.
        let mut squatter = Visitor::phone(addr, 2, 1);
        for name in ["squat0", "free"] {
            assert!(is_too_fast(&squatter.register(name)));
        }
        // Who has a name there registers as ever, and others claim theirs.
        let mut owner = Visitor::phone(addr, 2, 100);
        owner.register("squat0").unwrap();
        let mut bob = Visitor::phone(addr, 3, 2);
        bob.register("bob").unwrap();
        assert_eq!(bob.register("squat1"), Err(Refusal::NameTaken));
    })
    .await
    .unwrap();
    assert_eq!(served.counters.get(Count::ClaimsTooFast), 52);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_is_let_in_however_often_somebody_shows_its_card_elsewhere() {
    const OWNER: u64 = 5;
    let served = Served::with(UNSLOWED()).await;
    let addr = served.addr;
    tokio::task::spawn_blocking(move || {
        let refused = (0..300).find_map(|_| {
            let answer = Visitor::connect(addr, 66, OWNER).greet();
            answer.welcome.err()
        });
        assert_eq!(refused, Some(Unwelcome::TooFast));
        let mut owner = Visitor::phone(addr, 3, OWNER);
        assert!(owner.register("bob").is_ok());
    })
    .await
    .unwrap();
    assert_eq!(served.counters.get(Count::GreetingsTooFast), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_that_are_refused_leave_the_day_s_claims_to_others_and_count_as_guesses() {
    let served = Served::with(UNSLOWED()).await;
    let addr = served.addr;
    tokio::task::spawn_blocking(move || {
        let mut alice = Visitor::phone(addr, 3, 1);
        alice.register("alice").unwrap();
        for seed in 0..15 {
            let mut eve = Visitor::phone(addr, 2, 100 + seed);
            for _ in 0..9 {
                assert_eq!(eve.register("aIice"), Err(Refusal::LooksTaken));
            }
        }
        // What is left of the claims is there still; 135 guesses are gone.
        for office in 0..10 {
            let mut phone = Visitor::phone(addr, 2, 200 + office);
            phone.register(&format!("office{office}")).unwrap();
        }
        let mut eve = Visitor::phone(addr, 2, 100);
        let refused = (0..400).find(|_| is_too_fast(&eve.register("aIice")));
        assert!((365..=366).contains(&refused.unwrap()), "{refused:?}");
    })
    .await
    .unwrap();
    assert_eq!(served.counters.get(Count::ClaimsTooFast), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn five_wrong_recovery_codes_an_hour_and_the_owner_comes_in_from_elsewhere() {
    let served = Served::with(UNSLOWED()).await;
    let addr = served.addr;
    tokio::task::spawn_blocking(move || {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let code = RecoveryCode::generate(&mut rng);
        let mut bob = Visitor::phone(addr, 3, 1);
        bob.claim("bob", Claim::new(code.lock())).unwrap();
        for guess in 0..8 {
            // With a new identity each time.
            let mut thief = Visitor::phone(addr, 2, 100 + guess);
            let answer = thief.recover("bob", &RecoveryCode::generate(&mut rng));
            match guess {
                0..5 => assert_eq!(answer, Err(Refusal::BadRecovery)),
                _ => assert!(is_too_fast(&answer), "{answer:?}"),
            }
        }
        let mut thief = Visitor::phone(addr, 2, 200);
        assert!(
            is_too_fast(&thief.recover("bob", &code)),
            "not even looked at"
        );
        let mut owner = Visitor::phone(addr, 3, 2);
        assert_eq!(owner.recover("bob", &code), Ok(Success::KeyChanged));
    })
    .await
    .unwrap();
}

#[test]
fn a_stranger_neither_unregisters_nor_releases_a_name() {
    let registry = Registry::start(&["--ephemeral"]);
    let mut bob = Visitor::phone(registry.addr, 2, 1);
    bob.register("bob").unwrap();
    let mut stranger = Visitor::phone(registry.addr, 3, 2);
    assert_eq!(stranger.unregister("bob"), Err(Refusal::NameTaken));
    assert_eq!(stranger.release("bob"), Err(Refusal::NameTaken));
    assert_eq!(stranger.register("bob"), Err(Refusal::NameTaken));
    assert!(is_found(&stranger.lookup("bob")));
}

/// Asks the registry of a data folder.
fn admin(data: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ramal-registry"))
        .args(["admin", "--data"])
        .arg(data)
        .args(arguments)
        .output()
        .unwrap()
}

/// The same, when it goes well: what it printed.
fn admin_ok(data: &Path, arguments: &[&str]) -> String {
    let output = admin(data, arguments);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {said}");
    text(&output.stdout)
}

/// The same: what it said beside that.
fn admin_said(data: &Path, arguments: &[&str]) -> String {
    let output = admin(data, arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    text(&output.stderr)
}

/// The same, when it goes wrong: what it said.
fn admin_failed(data: &Path, arguments: &[&str]) -> String {
    let output = admin(data, arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    text(&output.stderr)
}

fn start_in(data: &Path, options: &[&str]) -> Registry {
    let mut all = vec!["--data", data.to_str().unwrap()];
    all.extend(options);
    Registry::start(&all)
}

#[test]
fn a_ban_ends_what_is_there_and_keeps_it_out_until_it_is_lifted() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let registry = start_in(&data, &[]);
    let mut bob = Visitor::phone(registry.addr, 2, 1);
    bob.register("bob").unwrap();
    let mut second = Visitor::phone(registry.addr, 2, 1);
    let mut alice = Visitor::phone(registry.addr, 2, 2);
    alice.register("alice").unwrap();
    let users = admin_ok(&data, &["users"]);
    let fingerprint = bob.identity.key().fingerprint();
    assert!(
        users.contains(&fingerprint) && users.contains("192.0.2.7:4000"),
        "{users}"
    );

    admin_ok(&data, &["ban", "bob"]);
    let banned = Some(FromRegistry::Notice(Notice::Closing(ClosingReason::Banned)));
    assert_eq!(bob.next(), banned);
    assert_eq!(
        second.next(),
        banned,
        "connections that hold no name as well"
    );
    assert_eq!(bob.next(), None);
    let mut again = Visitor::connect(registry.addr, 3, 1);
    assert_eq!(again.greet().welcome, Err(Unwelcome::Banned));
    assert_eq!(alice.lookup("bob"), Err(Refusal::NotFound));
    assert!(is_found(&alice.lookup("alice")));
    assert_eq!(
        alice.register("bob"),
        Err(Refusal::NameTaken),
        "it stays theirs"
    );
    assert!(admin_ok(&data, &["bans"]).contains(&fingerprint));
    assert!(admin_ok(&data, &["users", "bo"]).contains("banned"));

    admin_ok(&data, &["unban", "bob"]);
    assert_eq!(admin_ok(&data, &["bans"]), "");
    let mut bob = Visitor::phone(registry.addr, 2, 1);
    bob.register("bob").unwrap();

    // A name that nobody owns is given to nobody while it is banned.
    admin_ok(&data, &["ban", "admin"]);
    assert_eq!(alice.register("admin"), Err(Refusal::Banned));
    admin_ok(&data, &["unban", "admin"]);
    alice.register("admin").unwrap();
    assert!(admin_failed(&data, &["unban", "admin"]).contains("not banned"));
}

#[test]
fn an_operator_disconnects_somebody_and_takes_a_name_for_another() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let registry = start_in(&data, &[]);
    let mut bob = Visitor::phone(registry.addr, 2, 1);
    bob.register("bob").unwrap();
    admin_ok(&data, &["disconnect", &bob.identity.key().to_string()]);
    let closing = Notice::Closing(ClosingReason::Operator);
    assert_eq!(bob.next(), Some(FromRegistry::Notice(closing)));

    let mut alice = Visitor::phone(registry.addr, 2, 2);
    assert_eq!(alice.register("bob"), Err(Refusal::NameTaken));
    admin_ok(&data, &["release", "bob"]);
    alice.register("bob").unwrap();
    assert!(admin_failed(&data, &["release", "nobody"]).contains("nobody owns nobody"));

    let stats = admin_ok(&data, &["stats", "--json"]);
    let stats: serde_json::Value = serde_json::from_str(&stats).unwrap();
    assert_eq!(
        (&stats["owned"], &stats["registered"]),
        (&1.into(), &1.into())
    );
    let requests = stats["requests"].as_array().unwrap();
    let registers = requests.iter().find(|it| it["kind"] == "register").unwrap();
    assert_eq!(registers["all"], 3);
    let (_, _, log) = registry.stop();
    assert!(log.contains("operator: released bob"), "{log}");
}

#[test]
fn names_by_invitation_are_given_to_whoever_has_a_code_and_as_often_as_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let registry = start_in(&data, &["--claims", "invite"]);
    let mut bob = Visitor::phone(registry.addr, 2, 1);
    assert_eq!(bob.register("bob"), Err(Refusal::NotInvited));
    let invite = admin_ok(&data, &["invite", "--json"]);
    let invite: serde_json::Value = serde_json::from_str(&invite).unwrap();
    let code = invite["code"].as_str().unwrap();
    let claim = |code: &str| Claim {
        invite: Some(codec::Text::new(code).unwrap()),
        ..Claim::new(codec::RecoveryLock([7; 32]))
    };
    assert_eq!(bob.claim("bob", claim("guessed")), Err(Refusal::NotInvited));
    bob.claim("bob", claim(code)).unwrap();
    bob.register("bob").unwrap();
    let mut alice = Visitor::phone(registry.addr, 2, 2);
    assert_eq!(
        alice.claim("alice", claim(code)),
        Err(Refusal::NotInvited),
        "used up"
    );
    assert_eq!(admin_ok(&data, &["invites"]), "");
    let codes = admin_ok(&data, &["invite", "3", "--uses", "2", "--days", "1"]);
    assert_eq!(codes.lines().count(), 3);
    assert_eq!(admin_ok(&data, &["invites"]).lines().count(), 3);
    for wrong in [["invite", "0"], ["invite", "2000"]] {
        assert!(admin_failed(&data, &wrong).contains("1 to 1000"));
    }
    let (_, _, log) = registry.stop();
    assert!(!log.contains(code), "whoever reads the log is not invited");
}

#[test]
fn the_operator_is_told_of_one_thing_in_the_singular_and_of_several_in_the_plural() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let registry = start_in(&data, &[]);
    for (arguments, said) in [
        (&["invite"][..], "made 1 invite code, for 1 name"),
        (&["invite", "2"], "made 2 invite codes, for 1 name each"),
        (
            &["invite", "2", "--uses", "3"],
            "made 2 invite codes, for 3 names each",
        ),
    ] {
        assert_eq!(admin_said(&data, arguments).trim_end(), said);
    }
    let mut bob = Visitor::phone(registry.addr, 2, 1);
    bob.register("bob").unwrap();
    let said = admin_said(&data, &["disconnect", "bob"]);
    assert!(said.starts_with("ended 1 connection of "), "{said}");
    let said = admin_said(&data, &["ban", "nobody"]);
    assert!(said.ends_with("; ended 0 connections\n"), "{said}");
}

#[test]
fn the_admin_socket_is_for_its_owner_alone_and_says_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let why = admin_failed(&data, &["users"]);
    assert!(
        why.contains("no registry runs with the data folder"),
        "{why}"
    );
    let registry = start_in(&data, &[]);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let socket = data.join("admin.sock");
    assert_eq!((mode(&data), mode(&socket)), (0o700, 0o600));
    admin_ok(&data, &["users"]);

    // With folders that others may enter, the socket keeps them out still. To be somebody else
    // needs the rights of root; without them the modes above have to do.
    for open in [folder.path(), &data] {
        fs::set_permissions(open, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let program = folder.path().join("ramal-registry");
    fs::copy(env!("CARGO_BIN_EXE_ramal-registry"), &program).unwrap();
    let mut other = Command::new(&program);
    other
        .args(["admin", "stats", "--data"])
        .arg(&data)
        .uid(65_534);
    if let Ok(output) = other.output() {
        assert_eq!(output.status.code(), Some(2));
        assert!(
            text(&output.stderr).contains("permission denied"),
            "{output:?}"
        );
    }

    fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();

    assert_eq!(registry.stop().0, Some(0));
    assert!(!socket.exists(), "it is gone with the registry");
    // One that was killed leaves it, and the next one takes its place.
    let mut killed = start_in(&data, &[]);
    killed.child.kill().unwrap();
    killed.child.wait().unwrap();
    assert!(socket.exists());
    let why = admin_failed(&data, &["users"]);
    assert!(
        why.contains("no registry runs with the data folder"),
        "{why}"
    );
    let _registry = start_in(&data, &[]);
    admin_ok(&data, &["users"]);
}

#[test]
fn a_directory_that_is_not_shown_is_refused_clearly_and_names_are_found_all_the_same() {
    let list = || Method::List {
        prefix: Prefix::default(),
        after: None,
        limit: 9,
    };
    for (directory, shown_to_members) in [("members", true), ("closed", false)] {
        let registry = Registry::start(&["--ephemeral", "--directory", directory]);
        let mut bob = Visitor::phone(registry.addr, 2, 1);
        assert_eq!(bob.ask(list()), Err(Refusal::Closed));
        bob.register("bob").unwrap();
        assert_eq!(bob.ask(list()).is_ok(), shown_to_members);
        let all = registry.lookup(&["--all"]);
        assert_eq!(all.status.code(), Some(2));
        let why = text(&all.stderr);
        assert!(why.contains("does not list who is registered"), "{why}");
        assert_eq!(registry.lookup(&["bob"]).status.code(), Some(0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_holds_a_name_no_more_is_told_no_more_of_who_comes_and_goes() {
    let served = Served::with(Limits {
        directory: Directory::Members,
        ..Limits::default()
    })
    .await;
    let addr = served.addr;
    tokio::task::spawn_blocking(move || {
        let (mut bob, mut carol) = (Visitor::phone(addr, 2, 1), Visitor::client(addr, 3));
        let names = ["bob", "alice"].map(|name| name.parse().unwrap());
        let watch = Watch::Names(List::first_of(names));
        carol.ask(Method::Watch(watch)).unwrap();
        let hears = |carol: &mut Visitor, what: &str| {
            while !matches!(carol.next(), Some(FromRegistry::Notice(Notice::Changed(entry)))
                if entry.name.as_str() == what)
            {}
        };
        bob.register("bob").unwrap();
        // That has been told before bob watches.
        hears(&mut carol, "bob");
        bob.ask(Method::Watch(Watch::Everybody)).unwrap();
        bob.unregister("bob").unwrap();
        let missed = FromRegistry::Notice(Notice::Missed);
        assert_eq!(bob.next(), Some(missed), "not who has gone");
        let mut alice = Visitor::phone(addr, 4, 2);
        alice.register("alice").unwrap();
        hears(&mut carol, "alice");
        let answers = bob.ask_all((0..3).map(|_| Method::Watch(Watch::Everybody)));
        assert_eq!(answers, vec![Err(Refusal::Closed); 3]);
    })
    .await
    .unwrap();
}
