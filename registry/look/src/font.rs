//! The fonts that ship with the windows. Where they come from: `assets/README.md`.

use std::borrow::Cow;

use iced::font::{Family, Weight};
use iced::{Font, Pixels, Settings};

use crate::text;

/// The font of text: Latin, Greek and Cyrillic. Other scripts come from the system's fonts.
pub const REGULAR: Font = Font::with_name("Ramal Sans");

/// The font of headings and of what stands out.
pub const BOLD: Font = Font {
    family: Family::Name("Ramal Sans"),
    weight: Weight::Semibold,
    ..Font::DEFAULT
};

/// The font of the signs in [`Icon`](crate::Icon).
pub(crate) const ICONS: Font = Font::with_name("Ramal Icons");

pub(crate) const ICONS_FILE: &[u8] = include_bytes!("../assets/fonts/RamalIcons.ttf");

/// The fonts to load at the start. [`settings`] has them already.
#[must_use]
pub fn fonts() -> Vec<Cow<'static, [u8]>> {
    let files: [&[u8]; 3] = [
        include_bytes!("../assets/fonts/RamalSans-Regular.ttf"),
        include_bytes!("../assets/fonts/RamalSans-SemiBold.ttf"),
        ICONS_FILE,
    ];
    files.map(Cow::Borrowed).to_vec()
}

/// The settings of a program, whose id is the name of its `.desktop` file.
#[must_use]
pub fn settings(id: &str) -> Settings {
    Settings {
        id: Some(id.to_owned()),
        fonts: fonts(),
        default_font: REGULAR,
        default_text_size: Pixels(text::BODY),
        antialiasing: true,
        vsync: true,
    }
}
