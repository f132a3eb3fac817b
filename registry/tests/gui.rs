//! The window of a registry, as a person uses it, without a display: what can be pressed and typed
//! on each screen, how each looks, and that it never holds the registry up.
//!
//! `RAMAL_PICTURES=FOLDER` writes a picture of every screen there.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "gui/display.rs"]
mod display;
#[path = "gui/ending.rs"]
mod ending;
#[path = "gui/frozen.rs"]
mod frozen;
#[path = "gui/full.rs"]
mod full;
#[path = "gui/keyboard.rs"]
mod keyboard;
#[path = "gui/pictures.rs"]
mod pictures;
#[path = "gui/scene.rs"]
mod scene;
#[path = "gui/screens.rs"]
mod screens;
#[allow(dead_code, reason = "a window's visitors do less than others")]
#[path = "abuse/visitor.rs"]
mod visitor;

use std::collections::BTreeSet;

use look::{Language, language};
use registry::gui::{DOMAIN, Texts};

#[test]
fn both_languages_have_the_same_texts_with_the_same_variables() {
    let differences = language::differences(DOMAIN, &Texts);
    assert!(differences.is_empty(), "{differences:#?}");
}

#[test]
fn nothing_is_counted_as_one() {
    for language in [Language::English, Language::BrazilianPortuguese] {
        let texts = language::loader(DOMAIN, &Texts, language);
        for key in ["foot-connections", "log-count", "users-count"] {
            let said = |count: u32| {
                let args = ["count", "kept", "matching", "owned"].map(|it| (it, count));
                texts.get_args(key, args.into_iter().collect())
            };
            // Portuguese has one plural for 0 and 1, which would say one where there is none.
            assert!(said(0).contains('0'), "{}", said(0));
            assert_ne!(said(0).replace('0', "1"), said(1).replace("one", "1"));
        }
    }
}

#[test]
fn every_text_is_used_and_no_text_is_empty() {
    let source = |folder: &str| {
        let mut sources = String::new();
        let mut folders = vec![std::path::PathBuf::from(folder)];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => sources += &std::fs::read_to_string(path).unwrap(),
                }
            }
        }
        sources
    };
    let root = env!("CARGO_MANIFEST_DIR");
    let used = source(&format!("{root}/src/gui")) + &source(&format!("{root}/i18n/en"));
    for tag in ["en", "pt-BR"] {
        let texts = std::fs::read_to_string(format!("{root}/i18n/{tag}/{DOMAIN}.ftl")).unwrap();
        let keys: BTreeSet<&str> = texts
            .lines()
            .filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()))
            .map(|line| line.split(' ').next().unwrap())
            .collect();
        assert!(keys.len() > 200);
        for key in keys {
            assert!(used.contains(&format!("\"{key}\"")), "nobody says {key}");
            let loader = language::loader(
                DOMAIN,
                &Texts,
                match tag {
                    "en" => Language::English,
                    _ => Language::BrazilianPortuguese,
                },
            );
            assert!(loader.has(key), "{tag} has no {key}");
        }
    }
}
