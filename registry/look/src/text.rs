//! Five sizes of text, the colours that text may have, and how large a person wants it all.

use iced::Theme;
use iced::widget::text::IntoFragment;
pub use iced::widget::text::{LineHeight, Shaping, Style, Wrapping};

use crate::{BOLD, Tokens};

/// A piece of text.
pub type Text<'a> = iced::widget::Text<'a>;

/// The size of [`caption`], in logical pixels.
pub const CAPTION: f32 = 12.0;
/// The size of [`body`] and [`strong`].
pub const BODY: f32 = 14.0;
/// The size of [`title`].
pub const TITLE: f32 = 18.0;
/// The size of [`display`].
pub const DISPLAY: f32 = 28.0;

/// How large a person wants everything. Given to iced as the scale factor, it enlarges text,
/// icons and distances alike, so nothing overlaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TextSize {
    /// As designed.
    #[default]
    Normal,
    /// 125 %.
    Large,
    /// 150 %.
    Larger,
}

impl TextSize {
    /// All sizes, from small to large.
    pub const ALL: [Self; 3] = [Self::Normal, Self::Large, Self::Larger];

    /// The size in percent.
    #[must_use]
    pub fn percent(self) -> u16 {
        match self {
            Self::Normal => 100,
            Self::Large => 125,
            Self::Larger => 150,
        }
    }

    /// What `scale_factor` of an iced application wants.
    #[must_use]
    pub fn factor(self) -> f32 {
        f32::from(self.percent()) / 100.0
    }
}

/// Small text beside or under other text.
pub fn caption<'a>(content: impl IntoFragment<'a>) -> Text<'a> {
    Text::new(content).size(CAPTION)
}

/// Plain text.
pub fn body<'a>(content: impl IntoFragment<'a>) -> Text<'a> {
    Text::new(content).size(BODY)
}

/// Text that stands out: a name in a list, a label.
pub fn strong<'a>(content: impl IntoFragment<'a>) -> Text<'a> {
    body(content).font(BOLD)
}

/// The title of a screen, card or dialog.
pub fn title<'a>(content: impl IntoFragment<'a>) -> Text<'a> {
    Text::new(content).size(TITLE).font(BOLD)
}

/// The one thing of a screen: who calls.
pub fn display<'a>(content: impl IntoFragment<'a>) -> Text<'a> {
    Text::new(content).size(DISPLAY).font(BOLD)
}

/// Style: as what is around it.
#[must_use]
pub fn ordinary(_theme: &Theme) -> Style {
    Style::default()
}

/// Style: of second rank.
#[must_use]
pub fn muted(theme: &Theme) -> Style {
    coloured(theme, |tokens| tokens.muted)
}

/// Style: chosen, or a link.
#[must_use]
pub fn accent(theme: &Theme) -> Style {
    coloured(theme, |tokens| tokens.accent)
}

/// Style: good news.
#[must_use]
pub fn positive(theme: &Theme) -> Style {
    coloured(theme, |tokens| tokens.positive)
}

/// Style: needs attention.
#[must_use]
pub fn warning(theme: &Theme) -> Style {
    coloured(theme, |tokens| tokens.warning)
}

/// Style: went wrong.
#[must_use]
pub fn danger(theme: &Theme) -> Style {
    coloured(theme, |tokens| tokens.danger)
}

fn coloured(theme: &Theme, of: fn(&Tokens) -> iced::Color) -> Style {
    Style {
        color: Some(of(Tokens::of(theme))),
    }
}
