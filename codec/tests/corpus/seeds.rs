//! The files that fuzzing begins with: `codec/fuzz/seeds/TARGET/*`.
//!
//! `RAMAL_SEEDS=write` makes a test write those that are derived; others may lie beside them.

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
};

/// A name and what is in the file.
pub type Seed = (String, Vec<u8>);

/// Every line of `golden.txt`: what message it is, and its payload.
pub fn golden() -> Vec<Seed> {
    let lines = include_str!("../golden.txt").lines();
    let fields = lines.filter_map(|line| line.split_once(' '));
    let seeds = fields.map(|(name, hex)| (file_name(name), unhex(hex.trim())));
    seeds.collect()
}

fn file_name(name: &str) -> String {
    name.replace("::", "-").replace('/', "-")
}

fn unhex(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex
        .chars()
        .map(|digit| u8::try_from(digit.to_digit(16).expect("a digit")).expect("half a byte"))
        .collect();
    digits.chunks(2).map(|two| two[0] << 4 | two[1]).collect()
}

/// Asserts that every derived seed of a target is in its folder, as it is derived now; with
/// `RAMAL_SEEDS=write` puts it there.
pub fn are_kept(target: &str, seeds: &[Seed]) {
    let folder = folder(target);
    let writes = std::env::var_os("RAMAL_SEEDS").is_some_and(|how| how == "write");
    if writes {
        fs::create_dir_all(&folder).expect("a folder for seeds");
    }
    let mut stale = Vec::new();
    for (name, seed) in seeds {
        let path = folder.join(name);
        if writes {
            fs::write(&path, seed).expect("a seed can be written");
        } else if fs::read(&path).ok().as_ref() != Some(seed) {
            stale.push(name.as_str());
        }
    }
    assert!(
        stale.is_empty(),
        "{target}: {stale:?} are not as they are derived now: make seeds"
    );
}

/// Runs `check` on every file of a target.
pub fn replay(target: &str, check: impl Fn(&[u8])) {
    let files = fs::read_dir(folder(target)).expect("a folder of seeds");
    let mut count = 0;
    for file in files {
        let path = file.expect("a readable entry").path();
        let input = fs::read(&path).expect("a readable seed");
        let outcome = catch_unwind(AssertUnwindSafe(|| check(&input)));
        assert!(outcome.is_ok(), "the check of {} failed", path.display());
        count += 1;
    }
    assert!(count > 0, "{target} has no seeds");
}

fn folder(target: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../codec/fuzz/seeds")).join(target)
}
