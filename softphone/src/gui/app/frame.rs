//! The window itself: opened, closed with the phone going on, brought to the front, and the end.

use std::time::Duration;

use iced::{Task, window};

use super::{App, Message};
use crate::{
    gui::keep::Closing,
    phone,
    settings::preferences::{Change, OnClose},
};

/// The smallest window in which nothing is clipped.
const WINDOW_MIN: iced::Size = iced::Size::new(800.0, 560.0);

/// What the screen of a small laptop has room for.
const SCREEN: iced::Size = iced::Size::new(1280.0, 680.0);

/// How long a phone that was told to stop may take before the program ends without it.
const FAREWELL: Duration = Duration::from_secs(3);

/// What desktops show of the window where no `.desktop` file tells them.
pub(in crate::gui) const ICON: &[u8] = include_bytes!("../../../assets/ramal-softphone-64.rgba");

impl App {
    /// Opens the window.
    pub(super) fn open(&mut self) -> Task<Message> {
        let (window, opened) = window::open(window::Settings {
            size: self.appearance.window.into(),
            min_size: Some(self.smallest()),
            exit_on_close_request: false,
            icon: look::window_icon(ICON),
            ..window::Settings::default()
        });
        self.window = Some(window);
        opened.discard()
    }

    /// The smallest window in which nothing is clipped, with texts as large as they are.
    fn smallest(&self) -> iced::Size {
        let scale = self.factor();
        let wanted = iced::Size::new(WINDOW_MIN.width * scale, WINDOW_MIN.height * scale);
        iced::Size::new(
            wanted.width.min(SCREEN.width),
            wanted.height.min(SCREEN.height),
        )
    }

    /// How large the window is, in logical pixels.
    pub(super) fn room(&self) -> iced::Size {
        let ((width, height), scale) = (self.appearance.window, self.factor());
        iced::Size::new(width / scale, height / scale)
    }

    /// Texts are of another size than before.
    pub(super) fn rescaled(&self) -> Task<Message> {
        let smallest = Some(self.smallest());
        self.window
            .map_or_else(Task::none, |window| window::set_min_size(window, smallest))
    }

    pub(super) fn window(&mut self, event: &window::Event) -> Task<Message> {
        match event {
            window::Event::Focused => self.world.focused = Some(self.world.now),
            window::Event::Unfocused => self.world.focused = None,
            window::Event::Resized(size) => {
                // A window that is opened knows nothing of how large its texts are.
                let scale = self.factor();
                self.appearance.window = (size.width * scale, size.height * scale);
                self.keeper.touch();
            }
            window::Event::Closed => (self.window, self.world.focused) = (None, None),
            window::Event::CloseRequested => {
                let phone = self.phone.as_ref().filter(|_| self.sign_in.is_none());
                let in_tray = phone.map(|phone| phone.outside.in_tray);
                match (in_tray, self.world.preferences.on_close) {
                    (None, _) | (Some(_), OnClose::Quit) => return self.quit(),
                    (Some(true), OnClose::Ring) => return self.close(),
                    (Some(_), OnClose::Ring | OnClose::Ask) => self.closing = Some(false),
                }
            }
            _ => {}
        }
        Task::none()
    }

    pub(super) fn closing(&mut self, answer: Closing) -> Task<Message> {
        if let Closing::Remember(remembers) = answer {
            self.closing = Some(remembers);
            return Task::none();
        }
        self.closing = None;
        if let Some(what) = answer.remembered() {
            self.prefer(&Change::OnClose(what));
        }
        match answer {
            Closing::Ring(_) => self.close(),
            Closing::Quit(_) => self.quit(),
            Closing::Stay | Closing::Remember(_) => Task::none(),
        }
    }

    /// Closes the window; the phone goes on.
    fn close(&mut self) -> Task<Message> {
        self.world.focused = None;
        self.window.take().map_or_else(Task::none, window::close)
    }

    /// Brings the window to the front.
    pub(in crate::gui) fn front(&mut self) -> Task<Message> {
        let Some(window) = self.window else {
            return self.open();
        };
        Task::batch([
            window::minimize(window, false),
            window::gain_focus(window),
            window::request_user_attention(window, Some(window::UserAttention::Informational)),
        ])
    }

    /// Ends the phone, then the program.
    pub(in crate::gui) fn quit(&mut self) -> Task<Message> {
        self.keep_now();
        let stopping = self.phone.as_ref().and_then(|phone| phone.up.as_ref());
        let stop = || phone::Command::Stop.into();
        if stopping.is_none_or(|up| up.commands.try_send(stop()).is_err()) {
            return self.exit();
        }
        self.quitting = true;
        let number = self.phones;
        let late = Task::future(async move {
            tokio::time::sleep(FAREWELL).await;
            Message::Late(number)
        });
        // What is still said to the registry is said without a window.
        Task::batch([self.close(), late])
    }

    pub(super) fn exit(&mut self) -> Task<Message> {
        self.keep_now();
        iced::exit()
    }
}
