//! A disc with the initials of a name, in a colour that is always that name's.

use iced::widget::{container, text::LineHeight};
use iced::{Background, Border, Color, Theme, border, color};

use crate::{BOLD, Element, text::Text};

/// White initials are legible on each of these: at least 4.5:1.
const COLOURS: [Color; 8] = [
    color!(0x4a5fc4),
    color!(0x0f768a),
    color!(0x8a4bb8),
    color!(0xb0452f),
    color!(0x3c772e),
    color!(0xa83c74),
    color!(0x8a630a),
    color!(0x4d6a85),
];

/// A disc for a person, `size` logical pixels wide.
#[must_use]
pub fn avatar<'a, Message: 'a>(name: &str, size: f32) -> Element<'a, Message> {
    let ground = COLOURS[place(name)];
    let letters = Text::new(initials(name))
        .font(BOLD)
        .size(size * 0.38)
        .line_height(LineHeight::Relative(1.0))
        .color(Color::WHITE);
    container(letters)
        .center(size)
        .style(move |_: &Theme| container::Style {
            background: Some(Background::Color(ground)),
            border: Border {
                radius: border::radius(size / 2.0),
                ..Border::default()
            },
            ..container::Style::default()
        })
        .into()
}

/// The first letters of the first two words of a name, as capitals.
///
/// Words are what stands between spaces, dots, dashes and underscores: `ana.souza` is `AS`.
#[must_use]
pub fn initials(name: &str) -> String {
    let parts = name.split([' ', '.', '-', '_']);
    let firsts = parts.filter_map(|part| part.chars().find(|letter| letter.is_alphanumeric()));
    let letters: String = firsts.take(2).flat_map(char::to_uppercase).collect();
    match letters.is_empty() {
        true => "?".to_owned(),
        false => letters,
    }
}

/// Which colour is a name's: FNV-1a, which is the same on every machine and in every version.
fn place(name: &str) -> usize {
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    // The low bits of FNV alone spread short names badly.
    ((hash ^ (hash >> 15)) % 8) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_those_of_the_first_two_words() {
        let of = [
            ("ana", "A"),
            ("ana.souza", "AS"),
            ("Ana Maria Souza", "AM"),
            ("ß", "SS"),
            ("  ", "?"),
            ("4x4_off", "4O"),
        ];
        for (name, letters) in of {
            assert_eq!(initials(name), letters, "{name:?}");
        }
    }

    #[test]
    fn initials_are_legible_on_every_colour() {
        for colour in COLOURS {
            let ratio = Color::WHITE.relative_contrast(colour);
            assert!(ratio >= 4.5, "{ratio} on {colour:?}");
        }
    }

    #[test]
    fn a_name_keeps_its_colour_and_names_share_all_colours_out() {
        assert_eq!(place("bob"), place("bob"));
        let names = (0..400).map(|number| format!("user{number}"));
        let mut used = [0_u32; 8];
        for name in names {
            used[place(&name)] += 1;
        }
        assert!(used.iter().all(|&count| count > 20), "{used:?}");
    }
}
