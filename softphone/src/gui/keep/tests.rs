//! What was set is on disk as it was set last, however the phone or the program ends.

use iced::futures::{StreamExt, executor::block_on};
use iced_test::runtime::{Action, task::into_stream};

use super::*;
use crate::settings::Profile;

fn bob() -> Name {
    "bob".parse().unwrap()
}

/// A folder in which bob has a profile.
fn config() -> tempfile::TempDir {
    let config = tempfile::tempdir().unwrap();
    drop(Profile::open(config.path(), bob(), 1).unwrap());
    config
}

fn set(config: &tempfile::TempDir, signed_in: bool) -> Kept {
    let preferences = Preferences::default().with(preferences::Change::SignedIn(signed_in));
    Kept {
        folder: config.path().to_owned(),
        appearance: Appearance::default(),
        preferences: Some((bob(), preferences)),
    }
}

fn is_signed_in(config: &tempfile::TempDir) -> bool {
    preferences::read(config.path(), &bob()).value.signed_in
}

/// What comes of a task.
fn messages(runtime: &tokio::runtime::Runtime, task: Task<Message>) -> Vec<Message> {
    let _inside = runtime.enter();
    let Some(stream) = into_stream(task) else {
        return Vec::new();
    };
    let output = |action| match action {
        Action::Output(message) => Some(message),
        _ => None,
    };
    let all: Vec<_> = block_on(stream.collect());
    all.into_iter().filter_map(output).collect()
}

#[test]
fn what_is_written_is_what_was_set_when_the_time_has_come() {
    let (config, mut keeper) = (config(), Keeper::default());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    assert!(into_stream(keeper.collect()).is_none(), "nothing was set");
    keeper.touch();
    let due = keeper.collect();
    // What is set meanwhile is written with it.
    keeper.touch();
    assert!(into_stream(keeper.collect()).is_none(), "it waits already");
    assert!(matches!(messages(&runtime, due)[..], [Message::Due]));
    let written = keeper.write(|| set(&config, true));
    let written = messages(&runtime, written);
    assert!(matches!(written[..], [Message::Written(Ok(()))]));
    assert!(is_signed_in(&config));
    let again = keeper.write(|| set(&config, false));
    assert!(into_stream(again).is_none(), "all is written");
}

#[test]
fn nothing_old_is_written_over_what_was_set_at_the_end() {
    let (config, mut keeper) = (config(), Keeper::default());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    keeper.touch();
    let due = keeper.collect();
    // A write is on its way, and more is being collected, when the end comes.
    let late = keeper.write(|| set(&config, true));
    keeper.touch();
    let collected = keeper.collect();
    keeper.touch();
    keeper.flush(|| set(&config, false)).unwrap();
    assert!(!is_signed_in(&config));
    assert!(matches!(
        messages(&runtime, late)[..],
        [Message::Written(Ok(()))]
    ));
    assert!(!is_signed_in(&config), "the older one is late");
    assert!(messages(&runtime, collected).is_empty(), "it is aborted");
    drop(due);
}

#[test]
fn what_could_not_be_written_is_tried_again_at_the_end() {
    let (config, mut keeper) = (tempfile::tempdir().unwrap(), Keeper::default());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    keeper.touch();
    let task = keeper.write(|| set(&config, true));
    let written = messages(&runtime, task);
    assert!(matches!(written[..], [Message::Written(Err(_))]));
    drop(Profile::open(config.path(), bob(), 1).unwrap());
    keeper.flush(|| set(&config, true)).unwrap();
    assert!(is_signed_in(&config));
}
