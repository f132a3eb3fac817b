//! When the words of a recovery code are shown, how they are typed, and what is remembered.

use super::*;

#[test]
fn a_recovery_code_is_shown_when_the_name_is_granted_and_not_before() {
    let place = Place::new();
    place.first_start("here");
    // The name is somebody else's already: words that give nothing back would be written down.
    let refused = place.run("other", &["answer"]);
    refused.failed(&["belongs to somebody else"]);
    assert!(
        !refused
            .events
            .iter()
            .any(|event| event["event"] == "recovery_code"),
        "{:?}",
        refused.events
    );
    let kept = fs::read_to_string(place.path("other/bob/recovery-code")).unwrap();
    // Where it is free, they are shown, and they are those of then.
    let elsewhere = Place::new();
    let granted = place.run(
        "other",
        &[
            "--registry",
            &elsewhere.registry.to_string(),
            "answer",
            "--timeout",
            "1",
        ],
    );
    assert_eq!(words_of(&granted.events), kept.trim());
}

#[test]
fn a_change_that_is_interrupted_says_so_and_the_next_try_finds_out() {
    let place = Place::new();
    place.first_start("here");
    // Somebody who takes the connection and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let rotate = ["--registry", &address, "identity", "rotate"];
    let mut rotate = place.command("here", &rotate);
    let child = rotate.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = child.spawn().unwrap();
    let _connection = silent.accept().unwrap();
    let kill = format!("kill -INT {}", child.id());
    let killed = Command::new("sh").args(["-c", &kill]).status().unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("interrupted") && said.contains("do the same again"),
        "{said}"
    );
    assert!(place.path("here/bob/identity.next").exists());
    let again = place.run("here", &["identity", "rotate"]).went_well();
    words_of(&again.events);
    assert!(!place.path("here/bob/identity.next").exists());
}

#[test]
fn words_are_typed_with_the_numbers_that_stand_beside_them_and_a_wrong_one_is_found() {
    let place = Place::new();
    let words = place.first_start("here");
    let numbered = words.split(' ').zip(1..);
    let numbered: Vec<String> = numbered.map(|(word, at)| format!("{at} {word}")).collect();
    let rows = numbered.chunks(4).map(|four| four.join("  ") + "\n");
    let rows: String = rows.collect();
    let recover = ["identity", "recover"];
    let misspelt = rows.replacen("7 ", "7 x", 1);
    place
        .run_with("new", &recover, &misspelt)
        .failed(&["word 7 of the twelve is misspelt"]);
    place.run_with("new", &recover, &rows).went_well();
}

#[test]
fn a_name_that_was_refused_is_not_the_one_used_last() {
    let place = Place::new();
    place.first_start("here");
    let last = || fs::read_to_string(place.path("here/.last-name")).unwrap();
    let mut look_alike = place.command_of("b0b", "here", &["call", "bob"]);
    let refused = Phone::start(&mut look_alike).end_with("");
    refused.failed(&["ramal-phone: not registered as b0b", "looks like"]);
    assert_eq!(last(), "bob");
    let mut granted = place.command_of("carol", "here", &["answer", "--timeout", "1"]);
    Phone::start(&mut granted).end_with("");
    assert_eq!(last(), "carol");
}
