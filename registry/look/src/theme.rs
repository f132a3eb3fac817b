//! Colours by what they mean, in a light and a dark scheme.

use std::sync::LazyLock;

use iced::theme::{Base, Mode, Palette, palette};
use iced::{Color, Theme, color};

/// Which colours a person wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Scheme {
    /// As the desktop has it, light where it does not say.
    #[default]
    System,
    /// Dark text on light ground.
    Light,
    /// Light text on dark ground.
    Dark,
}

/// The colours of one scheme, by what they mean.
///
/// Every text colour has a contrast of at least 4.5:1 on every ground that it is used on, and
/// every sign and outline 3:1 (WCAG 2.2, 1.4.3 and 1.4.11); a test computes it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tokens {
    /// The ground of the window.
    pub background: Color,
    /// The ground of cards, lists and fields.
    pub surface: Color,
    /// The ground of what floats above: dialogs, menus and tips.
    pub raised: Color,
    /// The ground of what is set in: secondary buttons, the groove of a meter.
    pub sunken: Color,
    /// The ground of a row or quiet button under the mouse.
    pub hover: Color,
    /// The ground of what is chosen.
    pub selected: Color,
    /// Lines that only divide. Nothing may depend on seeing one.
    pub line: Color,
    /// Outlines of what can be typed into or switched.
    pub outline: Color,
    /// Text.
    pub text: Color,
    /// Text of second rank.
    pub muted: Color,
    /// Links, what is chosen, and the ring around what has the focus.
    pub accent: Color,
    /// The ground of the one main action.
    pub accent_fill: Color,
    /// Text and signs on any `_fill`.
    pub on_fill: Color,
    /// Words and signs that something is well.
    pub positive: Color,
    /// The ground of "accept".
    pub positive_fill: Color,
    /// Words and signs that something went wrong or cannot be undone.
    pub danger: Color,
    /// The ground of "hang up" and "delete".
    pub danger_fill: Color,
    /// Words and signs that something needs attention.
    pub warning: Color,
    /// The ground of a hint.
    pub accent_tint: Color,
    /// The ground of good news.
    pub positive_tint: Color,
    /// The ground of an error.
    pub danger_tint: Color,
    /// The ground of a warning.
    pub warning_tint: Color,
    /// What a dialog lays over the window.
    pub scrim: Color,
    /// Shadows under what floats.
    pub shadow: Color,
}

impl Tokens {
    /// The light scheme.
    pub const LIGHT: Self = Self {
        background: color!(0xf5f6f8),
        surface: color!(0xffffff),
        raised: color!(0xffffff),
        sunken: color!(0xe9ebf0),
        hover: color!(0xeef0f4),
        selected: color!(0xe4eafc),
        line: color!(0xe2e5eb),
        outline: color!(0x808897),
        text: color!(0x171a21),
        muted: color!(0x565d6b),
        accent: color!(0x3456d0),
        accent_fill: color!(0x3456d0),
        on_fill: color!(0xffffff),
        positive: color!(0x126e3f),
        positive_fill: color!(0x177d48),
        danger: color!(0xb82333),
        danger_fill: color!(0xc92f3d),
        warning: color!(0x834f00),
        accent_tint: color!(0xe8edfd),
        positive_tint: color!(0xe0f3e8),
        danger_tint: color!(0xfce8e9),
        warning_tint: color!(0xfcf0d9),
        scrim: color!(0x171a21, 0.40),
        shadow: color!(0x171a21, 0.14),
    };

    /// The dark scheme.
    pub const DARK: Self = Self {
        background: color!(0x14161b),
        surface: color!(0x1b1e25),
        raised: color!(0x242831),
        sunken: color!(0x2b303a),
        hover: color!(0x252932),
        selected: color!(0x263157),
        line: color!(0x2c313b),
        outline: color!(0x7d8595),
        text: color!(0xeceef2),
        muted: color!(0xa6adbb),
        accent: color!(0x93abff),
        accent_fill: color!(0x4a69e0),
        on_fill: color!(0xffffff),
        positive: color!(0x55c98b),
        positive_fill: color!(0x1c824b),
        danger: color!(0xff8d92),
        danger_fill: color!(0xd03a46),
        warning: color!(0xf0b954),
        accent_tint: color!(0x202948),
        positive_tint: color!(0x162e20),
        danger_tint: color!(0x391d21),
        warning_tint: color!(0x342814),
        scrim: color!(0x000000, 0.55),
        shadow: color!(0x000000, 0.40),
    };

    /// The colours that belong to a theme: those of [`theme`], or of the nearest scheme.
    #[must_use]
    pub fn of(theme: &Theme) -> &'static Self {
        match theme.mode() {
            Mode::Dark => &Self::DARK,
            Mode::Light | Mode::None => &Self::LIGHT,
        }
    }

    fn palette(&self) -> Palette {
        Palette {
            background: self.background,
            text: self.text,
            primary: self.accent_fill,
            success: self.positive_fill,
            warning: self.warning,
            danger: self.danger_fill,
        }
    }
}

/// The theme of a scheme, where the desktop wants `desktop`.
///
/// What the desktop wants comes from [`crate::desktop`].
#[must_use]
pub fn theme(scheme: Scheme, desktop: Mode) -> Theme {
    static LIGHT: LazyLock<Theme> = LazyLock::new(|| named("Ramal light", &Tokens::LIGHT));
    static DARK: LazyLock<Theme> = LazyLock::new(|| named("Ramal dark", &Tokens::DARK));
    match (scheme, desktop) {
        (Scheme::Dark, _) | (Scheme::System, Mode::Dark) => DARK.clone(),
        _ => LIGHT.clone(),
    }
}

fn named(name: &'static str, tokens: &Tokens) -> Theme {
    Theme::custom_with_fn(name, tokens.palette(), palette::Extended::generate)
}
