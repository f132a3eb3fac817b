//! What can be done in a call, always within reach at the foot of the screen.

use i18n_embed_fl::fl;
use iced::{
    Center, Element, Padding,
    widget::{Column, Row, column, container, mouse_area, row, text::Wrapping},
};
use look::{Icon, Press, button, icon, space, text};

use super::{Call, Message};
use crate::{
    board::SeenCall,
    gui::{Cx, keys::Shortcut},
};

/// How wide one of them is with its word, in logical pixels.
const PLACE: f32 = 72.0;

impl Call {
    pub(super) fn controls<'a>(&'a self, seen: &'a SeenCall, cx: &Cx<'a>) -> Element<'a, Message> {
        let texts = cx.texts;
        let to_talk = cx.preferences.push_to_talk.then(|| self.talk_place(cx));
        let mut all = Row::new().align_y(Center);
        if to_talk.is_none() {
            all = all.push(mute(cx));
        }
        if seen.is_up() {
            let held = seen.is_held_here();
            let (sign, words) = match held {
                true => (Icon::Play, fl!(texts, "call-resume")),
                false => (Icon::Pause, fl!(texts, "call-hold")),
            };
            let hold =
                button::round(chosen(held), sign).on_press(Message::HoldPressed(seen.call, !held));
            all = all.push(place(hold, words, Shortcut::Hold));
        }
        let sound = button::round(chosen(self.sound), Icon::Processing);
        let sound = sound.on_press(Message::SoundPressed);
        all = all.push(place(sound, fl!(texts, "call-sound"), Shortcut::Sound));
        if seen.is_up() {
            let figures = button::round(chosen(self.figures), Icon::Plot);
            let figures = figures.on_press(Message::FiguresPressed);
            let words = fl!(texts, "call-figures");
            all = all.push(place(figures, words, Shortcut::Figures));
        }
        let words = match seen.is_up() {
            true => fl!(texts, "call-hangup"),
            false => fl!(texts, "call-cancel"),
        };
        let end = button::round(button::Kind::Danger, Icon::HangUp);
        let end = end.on_press(Message::HangupPressed(seen.call));
        let end =
            container(place(end, words, Shortcut::Hangup)).padding(Padding::ZERO.left(space::S));
        // Where even these do not fit they go on in a second line: nothing is out of reach.
        let all = all.push(end).wrap().vertical_spacing(space::S);
        Column::new()
            .extend(to_talk)
            .push(all.align_x(Center))
            .spacing(space::M)
            .align_x(Center)
            .into()
    }

    /// Where push to talk can be held with the mouse, and how to do it with the keyboard.
    fn talk_place<'a>(&'a self, cx: &Cx<'a>) -> Element<'a, Message> {
        let texts = cx.texts;
        let open = self.talk.held().is_some() && !cx.board.muted;
        let (sign, words) = match open {
            true => (Icon::Mic, fl!(texts, "call-talk-on")),
            false => {
                let key = fl!(texts, "key-space");
                (Icon::MicOff, fl!(texts, "call-talk-hold", key = key))
            }
        };
        let content = row![icon(sign), text::strong(words).wrapping(Wrapping::None)]
            .spacing(space::S)
            .align_y(Center);
        let place = container(content)
            .padding([0.0, space::L])
            .center_y(56)
            .style(move |theme| {
                let tokens = look::Tokens::of(theme);
                let (fill, text) = match open {
                    true => (tokens.positive_fill, tokens.on_fill),
                    false => (tokens.sunken, tokens.text),
                };
                container::Style::default()
                    .background(fill)
                    .color(text)
                    .border(iced::border::rounded(28))
            });
        mouse_area(place)
            .on_press(Message::TalkHeld(true))
            .on_release(Message::TalkHeld(false))
            .on_exit(Message::TalkHeld(false))
            .into()
    }
}

fn mute<'a>(cx: &Cx<'a>) -> Element<'a, Message> {
    let muted = cx.board.muted;
    let (sign, words) = match muted {
        true => (Icon::MicOff, fl!(cx.texts, "call-unmute")),
        false => (Icon::Mic, fl!(cx.texts, "call-mute")),
    };
    let mute = button::round(chosen(muted), sign).on_press(Message::MutePressed(!muted));
    place(mute, words, Shortcut::Mute)
}

fn chosen(on: bool) -> button::Kind {
    match on {
        true => button::Kind::Chosen,
        false => button::Kind::Secondary,
    }
}

/// A round button with its word under it.
fn place<'a>(press: Press<'a, Message>, words: String, shortcut: Shortcut) -> Element<'a, Message> {
    let press = look::tip(press, words.clone(), shortcut.key());
    let words = text::caption(words).wrapping(Wrapping::None);
    column![press, words]
        .spacing(6.0)
        .align_x(Center)
        .width(PLACE)
        .into()
}
