//! What is wrong in a call, and what to do about it.

use i18n_embed_fl::fl;
use iced::{
    Element,
    widget::{Column, text::IntoFragment},
};
use look::{Kind, button, space};

use super::{Call, Message};
use crate::{board::SeenCall, gui::Cx, media::silence::Heard};

impl Call {
    /// What is wrong in a call that is up and that nobody holds; nothing if all is well.
    pub(super) fn warnings<'a>(
        &'a self,
        seen: &'a SeenCall,
        cx: &Cx<'a>,
    ) -> Option<Element<'a, Message>> {
        let texts = cx.texts;
        let name = seen.name.as_str();
        let mut warnings = Vec::new();
        if seen.input_lost {
            let action = self.open_sound(fl!(texts, "call-warning-unspoken-action"));
            let words = fl!(texts, "call-warning-input");
            warnings.push(look::banner(Kind::Danger, words, action));
        }
        if seen.output_lost {
            let action = self.open_sound(fl!(texts, "call-warning-output-action"));
            let words = fl!(texts, "call-warning-output");
            warnings.push(look::banner(Kind::Danger, words, action));
        }
        match seen.heard {
            Heard::Sound => {}
            Heard::Silence => {
                let words = fl!(texts, "call-warning-silence", name = name);
                warnings.push(look::banner(Kind::Warning, words, None));
            }
            Heard::Nothing => {
                let words = fl!(texts, "call-warning-nothing", name = name);
                warnings.push(look::banner(Kind::Warning, words, None));
            }
        }
        if seen.unspoken && !seen.input_lost && !cx.board.muted {
            let action = self.open_sound(fl!(texts, "call-warning-unspoken-action"));
            let words = fl!(texts, "call-warning-unspoken");
            warnings.push(look::banner(Kind::Warning, words, action));
        }
        if warnings.is_empty() {
            return None;
        }
        Some(Column::with_children(warnings).spacing(space::S).into())
    }

    /// The way to the devices, unless they are shown already.
    fn open_sound<'a>(
        &self,
        words: impl IntoFragment<'a> + Into<String>,
    ) -> Option<Element<'a, Message>> {
        let words: String = words.into();
        (!self.sound).then(|| button::quiet(words).on_press(Message::SoundPressed).into())
    }
}
