//! The recovery words, shown once: when a registry has granted the name.

use i18n_embed_fl::fl;
use iced::{
    Fill,
    widget::{column, container, row},
};
use look::{Dialog, button, space, text};
use zeroize::Zeroizing;

use super::Cx;
use crate::settings::{ProfileError, Unshown};

/// How many words stand on one line: four lines of three are copied without losing the place, and
/// no word comes near the number of the next one.
const WORDS_A_LINE: usize = 3;

/// How wide the number of a word is, in logical pixels.
const NUMBER: f32 = 20.0;

/// The dialog.
#[derive(Debug)]
pub struct Recovery {
    unshown: Unshown,
    pub(super) words: Vec<Zeroizing<String>>,
}

/// What was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message {
    /// They are on paper: nothing keeps them any more.
    Written,
    /// Another time.
    Later,
}

impl Recovery {
    /// Shows these.
    #[must_use]
    pub fn new(unshown: Unshown) -> Self {
        let words = unshown.code.words();
        let words = words.split(' ').map(|word| Zeroizing::new(word.to_owned()));
        Self {
            words: words.collect(),
            unshown,
        }
    }

    /// The owner has them: the file that kept them goes.
    ///
    /// # Errors
    /// That the file could not be removed.
    pub fn forget(self) -> Result<(), ProfileError> {
        self.unshown.forget()
    }

    /// What it looks like.
    #[must_use]
    pub fn dialog<'a>(&'a self, cx: &Cx<'a>) -> Dialog<'a, Message> {
        let t = cx.texts;
        let name = self.unshown.name.to_string();
        let lines = self
            .words
            .chunks(WORDS_A_LINE)
            .enumerate()
            .map(|(at, three)| {
                let cells = three.iter().enumerate().map(|(place, word)| {
                    let number = (at * WORDS_A_LINE + place + 1).to_string();
                    row![
                        text::caption(number)
                            .style(text::muted)
                            .width(NUMBER)
                            .align_x(iced::Alignment::End),
                        text::strong(word.as_str()),
                    ]
                    .spacing(space::S)
                    .align_y(iced::Center)
                    .width(Fill)
                    .into()
                });
                row(cells).spacing(space::L).into()
            });
        let words = container(column(lines).spacing(space::M))
            .padding(space::L)
            .width(Fill)
            .style(look::surface);
        let content = column![
            text::body(fl!(t, "recovery-text", name = name)),
            words,
            text::caption(fl!(t, "recovery-warning")).style(text::muted),
        ]
        .spacing(space::L);
        let answers = [
            button::quiet(fl!(t, "recovery-later"))
                .on_press(Message::Later)
                .into(),
            button::primary(fl!(t, "recovery-written"))
                .on_press(Message::Written)
                .into(),
        ];
        Dialog::new(fl!(t, "recovery-title"), content, answers).on_close(Message::Later)
    }
}
