//! What is asked before something is done to somebody, and what follows.

use i18n_embed_fl::fl;
use look::Icon;

use super::Asking;
use crate::gui::{Cx, Question, host::Act};

impl Asking {
    pub(super) fn question(&self, cx: &Cx<'_>) -> Question {
        let name = self.name.as_str();
        let (title, follows, yes, sign) = match &self.act {
            Act::Disconnect(_) => (
                fl!(cx.texts, "disconnect-title", name = name),
                fl!(cx.texts, "disconnect-follows", devices = self.devices),
                fl!(cx.texts, "disconnect"),
                Icon::Disconnect,
            ),
            Act::Ban(_) => (
                fl!(cx.texts, "ban-title", name = name),
                fl!(cx.texts, "ban-follows", name = name),
                fl!(cx.texts, "ban"),
                Icon::Ban,
            ),
            Act::Unban(_) => (
                fl!(cx.texts, "unban-title", name = name),
                fl!(cx.texts, "unban-follows"),
                fl!(cx.texts, "unban"),
                Icon::Check,
            ),
            Act::Release(_) => (
                fl!(cx.texts, "release-title", name = name),
                fl!(cx.texts, "release-follows", name = name),
                fl!(cx.texts, "release"),
                Icon::Release,
            ),
        };
        Question {
            title,
            follows,
            yes,
            sign,
            harms: matches!(self.act, Act::Ban(_) | Act::Release(_)),
            no: fl!(cx.texts, "cancel"),
        }
    }
}
