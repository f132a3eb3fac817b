//! What keys do that nothing on the screen takes.

use iced::{
    Task,
    keyboard::{self, Key, key::Named},
};

use super::{App, Message, Place, bans, door, frame, log, users};

impl App {
    pub(super) fn key(&mut self, key: &Key, modifiers: keyboard::Modifiers) -> Task<Message> {
        if key == &Key::Named(Named::Escape) {
            return self.escape();
        }
        if !modifiers.command() {
            return Task::none();
        }
        let Key::Character(letter) = key else {
            return Task::none();
        };
        if letter.as_str() != "q" && self.asked(&self.cx()).is_some() {
            // What is behind a question stays as it is until that is answered.
            return Task::none();
        }
        match letter.as_str() {
            "o" => return self.door(door::Message::OpenPressed),
            "f" => {
                return match self.place {
                    Place::Users => iced::widget::operation::focus(users::SEARCH),
                    Place::Bans => iced::widget::operation::focus(bans::TYPED),
                    Place::Log => iced::widget::operation::focus(log::SEARCH),
                    _ => Task::none(),
                };
            }
            "q" => return self.leave(),
            digit => {
                let places = frame::PLACES;
                let at = digit.parse::<usize>().ok().and_then(|at| at.checked_sub(1));
                if let Some(place) = at.and_then(|at| places.get(at)) {
                    self.go(*place);
                    return Task::none();
                }
            }
        }
        if self.place == Place::Log {
            match letter.as_str() {
                "p" => return self.log(log::Message::PausePressed),
                "c" => return self.log(log::Message::CopyPressed),
                "e" => return self.log(log::Message::ExportPressed),
                _ => {}
            }
        }
        Task::none()
    }

    fn escape(&mut self) -> Task<Message> {
        if self.notice.take().is_some() {
            return Task::none();
        }
        match self.place {
            Place::Users => {
                let action = self
                    .users
                    .update(users::Message::Dismissed, &self.seen.users);
                self.users(action)
            }
            Place::Bans => {
                self.bans.update(bans::Message::Dismissed);
                Task::none()
            }
            Place::Log => self.log(log::Message::Dismissed),
            _ => Task::none(),
        }
    }
}
