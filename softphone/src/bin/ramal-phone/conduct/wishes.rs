//! What the person wants: keys and lines become commands.

use std::time::Instant;

use softphone::{
    board::Registered,
    engine,
    phone::{Command, Target},
};

use super::{Conduct, Hands};
use crate::{
    desk::Action,
    help,
    keys::{self, Key, Typed},
    screen,
};

impl Conduct<'_> {
    pub(super) async fn typed(&mut self, bytes: &[u8]) {
        match &mut self.hands {
            Hands::Keys(_, decoder) => {
                for key in decoder.decode(bytes) {
                    self.key(key).await;
                }
                self.draw();
            }
            Hands::Typed(lines) => {
                for line in lines.split(bytes) {
                    self.line(&line).await;
                }
            }
            Hands::Off => {}
        }
    }

    async fn key(&mut self, key: Key) {
        if key == Key::Suspend {
            return self.suspend();
        }
        if let Some(mut text) = self.board.typing.take() {
            match keys::type_on(&mut text, key) {
                Typed::On => self.board.typing = Some(text),
                Typed::Done(target) => self.dial(&target).await,
                Typed::Left => {}
            }
            return;
        }
        let action = match key {
            Key::Char(c) => self.board.action(c),
            Key::Enter => self.board.action('a'),
            Key::Tab => self.board.action('n'),
            Key::End => Some(Action::Quit),
            Key::Redraw => return self.draw_anew(),
            Key::Backspace | Key::EraseAll | Key::Escape | Key::Suspend => None,
        };
        if let Some(action) = action {
            self.act(action).await;
        }
    }

    /// A line, where there are no single keys: a key's letter, or a word; nothing at all accepts.
    pub(super) async fn line(&mut self, line: &str) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let key = match word {
            "" | "answer" | "accept" => 'a',
            "decline" => 'd',
            "hangup" => 'h',
            "quit" => 'q',
            "verify" => 'v',
            _ if word.chars().count() == 1 => word.chars().next().unwrap_or('?'),
            _ => '?',
        };
        match self.board.action(key) {
            Some(Action::Call) => self.dial(rest.trim()).await,
            Some(action) => {
                self.act(action).await;
                match action {
                    Action::Mute(true) => self.show.note("muted"),
                    Action::Mute(false) => self.show.note("not muted any more"),
                    Action::Away(true) => self.show.note("away"),
                    Action::Away(false) => self.show.note("back"),
                    Action::Dnd(true) => self.show.note("taking no calls"),
                    Action::Dnd(false) => self.show.note("taking calls again"),
                    _ => {}
                }
            }
            None if word.is_empty() => {}
            None => self.hint(),
        }
    }

    async fn dial(&mut self, typed: &str) {
        match typed.parse::<Target>() {
            Ok(target) => {
                // Nobody talks to two at once without wanting to.
                for call in self.board.spoken().collect::<Vec<_>>() {
                    self.tell(Command::Hold(call)).await;
                }
                self.tell(Command::Dial(target)).await;
            }
            Err(error) => {
                self.show.note(&format!("cannot call '{typed}': {error}"));
            }
        }
    }

    pub(super) async fn act(&mut self, action: Action) {
        match action {
            Action::Accept(call) => {
                self.board.taken(call, Instant::now());
                self.tell(Command::Answer(call)).await;
            }
            Action::Decline(call) | Action::Hangup(call) => {
                self.tell(Command::Hangup(call)).await;
            }
            Action::Hold(call) => self.tell(Command::Hold(call)).await,
            Action::Resume(call) => self.tell(Command::Resume(call)).await,
            Action::Mute(muted) => {
                self.board.muted = muted;
                // As for `tell`.
                let _ = self.commands.send(engine::Command::Mute(muted)).await;
            }
            Action::Away(away) => {
                self.board.away = away;
                self.tell(Command::Away(away)).await;
            }
            Action::Dnd(dnd) => {
                self.board.dnd = dnd;
                self.tell(Command::Dnd(dnd)).await;
            }
            Action::Verify(call) => self.tell(Command::Verify(call)).await,
            Action::Call => self.board.typing = Some(String::new()),
            Action::Select(call) => self.board.select(call),
            Action::List => self.list().await,
            Action::Help => help::LINES.iter().for_each(|line| self.show.say(line)),
            Action::Quit => self.end(self.interrupted(2)).await,
        }
    }

    /// What can be typed now.
    pub(super) fn hint(&self) {
        let offers = self.board.offers().into_iter();
        let keys = offers.map(|offer| format!("{} {}", offer.key, offer.word));
        let keys = keys.collect::<Vec<_>>().join(", ");
        self.show.note(&format!("type a letter and Enter: {keys}"));
    }

    async fn list(&mut self) {
        let now = Instant::now();
        let calls = screen::calls(&self.board, now);
        calls.iter().for_each(|call| self.show.say(call));
        if calls.is_empty() {
            self.show.say("no calls");
        }
        match self.board.registered {
            Registered::Yes => self.tell(Command::Directory).await,
            _ => self.show.say("not registered: cannot list who is"),
        }
    }
}
