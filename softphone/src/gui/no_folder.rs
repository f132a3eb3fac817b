//! The window of a start for which the system names no folder: nothing can be kept, so there is
//! nobody to be. It says so, and what to do, to whoever started the program without a terminal.

use i18n_embed::fluent::FluentLanguageLoader;
use i18n_embed_fl::fl;
use iced::{
    Size, Subscription, Task, Theme,
    theme::{self, Mode},
    widget::operation,
    window,
};
use look::{Element, Icon, button};

use super::{
    app::{ICON, ID},
    texts, trouble,
};
use crate::settings::{ProfileError, preferences::Language};

const WINDOW: Size = Size::new(560.0, 380.0);

/// The button, as focus finds it.
const QUIT: &str = "no-folder-quit";

/// The window.
struct NoFolder {
    texts: FluentLanguageLoader,
    desktop: Mode,
    /// Flipped by every update; see [`look::repaint`].
    odd: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Message {
    /// It was read.
    QuitPressed,
    /// The desktop became light or dark.
    Desktop(Mode),
}

impl NoFolder {
    /// In this language: what was set cannot be read either.
    fn new(language: Language) -> Self {
        Self {
            texts: texts::load(language),
            desktop: Mode::None,
            odd: false,
        }
    }

    fn update(&mut self, message: Message) -> Task<Message> {
        self.odd = !self.odd;
        match message {
            Message::QuitPressed => iced::exit(),
            Message::Desktop(mode) => {
                self.desktop = mode;
                Task::none()
            }
        }
    }

    fn view(&self) -> Element<'_, Message> {
        let said = trouble::profile(&self.texts, &ProfileError::NoFolder);
        let quit = button::primary(fl!(self.texts, "close-quit")).id(QUIT);
        let quit = quit.on_press(Message::QuitPressed).into();
        look::frame(look::empty(Icon::Folder, said.title, said.text, Some(quit)))
    }

    fn theme(&self) -> Theme {
        look::theme(look::Scheme::System, self.desktop)
    }

    fn style(&self, theme: &Theme) -> theme::Style {
        look::repaint(self.odd, theme)
    }
}

/// Opens the window, and returns when it is closed.
///
/// # Errors
/// When there is no display.
pub fn say() -> iced::Result {
    let begin = || {
        let desktop = look::desktop::at_start().map(Message::Desktop);
        let all = Task::batch([desktop, operation::focus(QUIT)]);
        (NoFolder::new(Language::System), all)
    };
    iced::application(begin, NoFolder::update, NoFolder::view)
        .settings(look::settings(ID))
        .window(window::Settings {
            size: WINDOW,
            min_size: Some(WINDOW),
            icon: look::window_icon(ICON),
            ..window::Settings::default()
        })
        .title("Ramal")
        .theme(NoFolder::theme)
        .style(NoFolder::style)
        .subscription(|_| -> Subscription<_> { look::desktop::changes().map(Message::Desktop) })
        .run()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gui::pictures::{check, shown};

    #[test]
    fn a_start_without_a_folder_says_what_to_do_and_ends() {
        for (tag, language, command) in [
            ("en", Language::English, "ramal-softphone --config FOLDER"),
            (
                "pt",
                Language::BrazilianPortuguese,
                "ramal-softphone --config PASTA",
            ),
        ] {
            let window = NoFolder::new(language);
            let said = trouble::profile(&window.texts, &ProfileError::NoFolder);
            assert!(said.text.contains(command), "{said:?}");
            let mut shown = shown(window.view(), WINDOW);
            assert!(shown.find(said.title).is_ok() && shown.find(said.text).is_ok());
            shown.click(iced_test::selector::id(QUIT)).unwrap();
            let messages: Vec<_> = shown.into_messages().collect();
            assert_eq!(messages, [Message::QuitPressed]);
            check(&format!("no-folder-{tag}"), WINDOW, || window.view());
        }
    }
}
