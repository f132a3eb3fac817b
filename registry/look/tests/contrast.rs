//! Everything can be read, in both schemes: WCAG 2.2, 1.4.3 (4.5:1 for text) and 1.4.11 (3:1 for
//! signs and outlines).

use iced::Color;
use iced::theme::Mode;
use look::button::{self, Kind};
use look::{Scheme, Status, Tokens};

const TEXT: f32 = 4.5;
const SIGN: f32 = 3.0;

/// The contrast of two colours (WCAG 2.2, "contrast ratio"), computed here and not by iced, whose
/// colours are what is tested.
fn contrast(one: Color, other: Color) -> f32 {
    let luminance = |colour: Color| {
        let linear = [colour.r, colour.g, colour.b].map(|part| match part <= 0.040_45 {
            true => part / 12.92,
            false => ((part + 0.055) / 1.055).powf(2.4),
        });
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    };
    let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
    one.max(other) / one.min(other)
}

#[test]
fn black_on_white_is_21_to_1() {
    assert!((contrast(Color::BLACK, Color::WHITE) - 21.0).abs() < 0.01);
    assert!((contrast(Color::from_rgb8(0x76, 0x76, 0x76), Color::WHITE) - 4.54).abs() < 0.01);
}

fn of_both(check: impl Fn(&str, &Tokens)) {
    check("light", &Tokens::LIGHT);
    check("dark", &Tokens::DARK);
}

#[test]
fn text_is_legible_on_every_ground_that_it_stands_on() {
    of_both(|scheme, t| {
        let plain = [
            ("background", t.background),
            ("surface", t.surface),
            ("raised", t.raised),
            ("hover", t.hover),
            ("selected", t.selected),
        ];
        let inks = [
            ("text", t.text),
            ("muted", t.muted),
            ("accent", t.accent),
            ("positive", t.positive),
            ("danger", t.danger),
            ("warning", t.warning),
        ];
        let mut pairs = Vec::new();
        for (on, ground) in plain {
            pairs.extend(inks.map(|(name, ink)| (name, ink, on, ground)));
        }
        for (on, ground, sign) in [
            ("accent_tint", t.accent_tint, t.accent),
            ("positive_tint", t.positive_tint, t.positive),
            ("danger_tint", t.danger_tint, t.danger),
            ("warning_tint", t.warning_tint, t.warning),
            ("sunken", t.sunken, t.muted),
        ] {
            pairs.extend([("text", t.text, on, ground), ("its sign", sign, on, ground)]);
        }
        for (name, ink, on, ground) in pairs {
            let ratio = contrast(ink, ground);
            assert!(ratio >= TEXT, "{scheme}: {name} on {on}: {ratio}");
        }
    });
}

#[test]
fn buttons_are_legible_whatever_is_done_with_them() {
    let kinds = [
        Kind::Primary,
        Kind::Secondary,
        Kind::Quiet,
        Kind::Positive,
        Kind::Danger,
        Kind::Chosen,
    ];
    of_both(|scheme, t| {
        for kind in kinds {
            for status in [Status::Idle, Status::Hovered, Status::Pressed] {
                let style = button::style(kind, t, status);
                let ground = style.fill.unwrap_or(t.surface);
                let ratio = contrast(style.text, ground);
                assert!(ratio >= TEXT, "{scheme}: {kind:?} {status:?}: {ratio}");
            }
        }
    });
}

#[test]
fn outlines_switches_and_the_ring_are_seen() {
    of_both(|scheme, t| {
        for ground in [t.background, t.surface, t.raised] {
            let seen = [
                ("outline", t.outline),
                ("ring", t.accent),
                ("switch", t.accent_fill),
                ("hang up", t.danger_fill),
                ("accept", t.positive_fill),
            ];
            for (name, colour) in seen {
                let ratio = contrast(colour, ground);
                assert!(ratio >= SIGN, "{scheme}: {name} on {ground:?}: {ratio}");
            }
        }
        assert!(
            contrast(t.on_fill, t.accent_fill) >= SIGN,
            "{scheme}: knob that is on"
        );
        assert!(
            contrast(t.surface, t.outline) >= SIGN,
            "{scheme}: knob that is off"
        );
        assert!(
            contrast(t.positive_fill, t.sunken) >= 2.5,
            "{scheme}: meter in its groove"
        );
    });
}

#[test]
fn the_desktop_decides_where_nobody_chose() {
    let of = |scheme, desktop| *Tokens::of(&look::theme(scheme, desktop));
    assert_eq!(of(Scheme::System, Mode::Dark), Tokens::DARK);
    assert_eq!(of(Scheme::System, Mode::Light), Tokens::LIGHT);
    assert_eq!(of(Scheme::System, Mode::None), Tokens::LIGHT);
    assert_eq!(of(Scheme::Light, Mode::Dark), Tokens::LIGHT);
    assert_eq!(of(Scheme::Dark, Mode::Light), Tokens::DARK);
}
