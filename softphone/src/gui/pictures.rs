//! Pictures of screens, for tests: compared with how they looked before, and kept to be looked at.

#![cfg(test)]

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use iced::{Element, Size};
use iced_test::Simulator;

/// A whole window, and a person before it.
pub fn shown<'a, M: Clone + 'a>(view: Element<'a, M>, size: Size) -> Simulator<'a, M> {
    Simulator::with_size(look::settings("ramal-softphone"), size, look::frame(view))
}

/// Compares a screen with how it looked before, in both schemes. The hashes are in `tests/screens`;
/// one that is missing is written. With `RAMAL_SCREENS=DIR` the pictures are kept in DIR.
pub fn check<'a, M: Clone + 'a>(what: &str, size: Size, view: impl Fn() -> Element<'a, M>) {
    check_in(&SCHEMES, what, size, view);
}

/// The same in one scheme, where the colours are not what counts.
pub fn check_light<'a, M: Clone + 'a>(what: &str, size: Size, view: impl Fn() -> Element<'a, M>) {
    check_in(&SCHEMES[..1], what, size, view);
}

const SCHEMES: [(&str, look::Scheme); 2] =
    [("light", look::Scheme::Light), ("dark", look::Scheme::Dark)];

fn check_in<'a, M: Clone + 'a>(
    schemes: &[(&str, look::Scheme)],
    what: &str,
    size: Size,
    view: impl Fn() -> Element<'a, M>,
) {
    let mut differ = Vec::new();
    for (scheme, of) in schemes {
        let mut shown = shown(view(), size);
        let theme = look::theme(*of, iced::theme::Mode::None);
        let snapshot = shown.snapshot(&theme).expect("a picture");
        let file = format!("{what}-{scheme}");
        if let Some(folder) = env::var_os("RAMAL_SCREENS") {
            let path = PathBuf::from(folder).join(&file);
            let _ = fs::remove_file(path.with_file_name(format!("{file}-tiny-skia.png")));
            snapshot
                .matches_image(&path)
                .expect("a picture that can be written");
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/screens")
            .join(&file);
        if !snapshot
            .matches_hash(path)
            .expect("a hash that can be read")
        {
            differ.push(file);
        }
    }
    assert!(differ.is_empty(), "look different: {differ:?}");
}
