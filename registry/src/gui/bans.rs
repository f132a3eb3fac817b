//! The bans: who and what is served no more, and how a ban ends.

use i18n_embed_fl::fl;
use iced::{
    Center, Fill,
    widget::{column, container, row},
};
use look::{Element, Icon, Kind, button, space, text};

use super::{Cx, Question, host::Act, page, times::date};
use crate::desk::Ban;

/// How high a row is, in logical pixels.
const ROW: f32 = 48.0;

/// By what the field for a name or a key is found.
pub const TYPED: &str = "bans-typed";

/// The bans, as a person looks at them.
#[derive(Debug, Default)]
pub struct Bans {
    typed: String,
    /// What is banned in the row that is chosen, as the desk takes it.
    chosen: Option<String>,
    asking: Option<Asking>,
}

/// A ban that is to begin or to end.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Asking {
    Ban(String),
    Unban { of: String, shown: String },
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Message {
    /// A name or key was typed.
    Typed(String),
    /// What was typed is to be banned.
    BanPressed,
    /// The row of this ban was chosen.
    Chosen(Ban),
    /// This ban is to end.
    UnbanPressed(Ban),
    /// Yes.
    Confirmed,
    /// No, or Escape.
    Dismissed,
}

/// What the window is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    None,
    /// Does that.
    Act(Act),
}

impl Bans {
    /// What is to be done about what happened.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::Typed(typed) => self.typed = typed,
            Message::BanPressed => {
                let typed = self.typed.trim();
                self.asking = (!typed.is_empty()).then(|| Asking::Ban(typed.to_owned()));
            }
            Message::Chosen(ban) => self.chosen = Some(subject(&ban)),
            Message::UnbanPressed(ban) => {
                self.asking = Some(Asking::Unban {
                    of: subject(&ban),
                    shown: shown(&ban),
                });
            }
            // First the question, then the row, as they lie one over the other.
            Message::Dismissed => {
                if self.asking.take().is_none() {
                    self.chosen = None;
                }
            }
            Message::Confirmed => match self.asking.take() {
                Some(Asking::Ban(of)) => {
                    self.typed.clear();
                    return Action::Act(Act::Ban(of));
                }
                Some(Asking::Unban { of, .. }) => return Action::Act(Act::Unban(of)),
                None => {}
            },
        }
        Action::None
    }

    /// What is to be answered first, if something is.
    #[must_use]
    pub fn question(&self, cx: &Cx<'_>) -> Option<Question> {
        let (title, follows, yes, sign) = match self.asking.as_ref()? {
            Asking::Ban(of) => (
                fl!(cx.texts, "ban-title", name = of.as_str()),
                fl!(cx.texts, "ban-typed-follows", name = of.as_str()),
                fl!(cx.texts, "ban"),
                Icon::Ban,
            ),
            Asking::Unban { shown, .. } => (
                fl!(cx.texts, "unban-title", name = shown.as_str()),
                fl!(cx.texts, "unban-follows"),
                fl!(cx.texts, "unban"),
                Icon::Check,
            ),
        };
        let no = fl!(cx.texts, "cancel");
        Some(Question {
            title,
            follows,
            yes,
            sign,
            harms: matches!(self.asking, Some(Asking::Ban(_))),
            no,
        })
    }

    /// The screen.
    #[must_use]
    pub fn view<'a>(&'a self, cx: &Cx<'a>) -> Element<'a, Message> {
        let open = cx.seen.phase.is_open();
        let bans = cx.seen.bans.as_slice();
        let is_ready = open && !self.typed.trim().is_empty();
        let field = look::input(&fl!(cx.texts, "bans-typed"), &self.typed)
            .id(TYPED)
            .on_input_maybe(open.then_some(Message::Typed))
            .on_submit_maybe(is_ready.then_some(Message::BanPressed))
            .width(280);
        let ban = button::danger((Icon::Ban, fl!(cx.texts, "ban")))
            .on_press_maybe(is_ready.then_some(Message::BanPressed));
        let field = look::tip(field, fl!(cx.texts, "bans-typed-tip"), Some("Ctrl+F"));
        let tools = row![field, look::tip(ban, fl!(cx.texts, "ban-tip"), None)]
            .spacing(space::S)
            .align_y(Center);
        let unread = cx.seen.unread.is_some();
        let content: Element<'a, Message> = match (open, bans.is_empty()) {
            // That they could not be read stands above; there may be some.
            (true, true) if unread => column![].into(),
            (false, _) => look::empty(
                Icon::Power,
                fl!(cx.texts, "bans-closed-title"),
                fl!(cx.texts, "bans-closed-text"),
                None,
            ),
            (true, true) => look::empty(
                Icon::Ban,
                fl!(cx.texts, "bans-none-title"),
                fl!(cx.texts, "bans-none-text"),
                None,
            ),
            (true, false) => {
                let cx = *cx;
                let chosen = self.chosen.as_deref();
                let chosen = bans.iter().position(|ban| Some(&*subject(ban)) == chosen);
                look::rows(bans.len(), ROW, move |at| line(&bans[at], &cx))
                    .selected(chosen, move |at| Message::Chosen(bans[at].clone()))
                    .on_press(move |at| Message::UnbanPressed(bans[at].clone()))
                    .into()
            }
        };
        let card = container(content)
            .style(look::surface)
            .width(Fill)
            .height(Fill)
            .padding(1);
        let count = match open && !(unread && bans.is_empty()) {
            true => fl!(cx.texts, "bans-count", count = bans.len()),
            false => String::new(),
        };
        page(fl!(cx.texts, "bans"), count, tools, column![card])
    }
}

fn line<'a>(ban: &'a Ban, cx: &Cx<'a>) -> Element<'a, Message> {
    let kind = match ban.key {
        Some(_) => fl!(cx.texts, "ban-of-key"),
        None => fl!(cx.texts, "ban-of-name"),
    };
    let unban = button::quiet((Icon::Check, fl!(cx.texts, "unban")))
        .on_press(Message::UnbanPressed(ban.clone()));
    row![
        container(look::badge(Kind::Neutral, kind)).width(64),
        text::strong(shown(ban))
            .wrapping(text::Wrapping::None)
            .width(Fill),
        text::body(fl!(
            cx.texts,
            "ban-since",
            day = date(cx.texts, ban.since, cx.zone)
        ))
        .style(text::muted),
        look::tip(unban, fl!(cx.texts, "unban-tip"), Some("Enter")),
    ]
    .spacing(space::L)
    .height(ROW)
    .padding([0.0, space::M])
    .align_y(Center)
    .into()
}

/// What is banned, as people see it.
fn shown(ban: &Ban) -> String {
    match (&ban.name, &ban.fingerprint) {
        (Some(name), _) => name.to_string(),
        (None, Some(fingerprint)) => fingerprint.clone(),
        (None, None) => String::new(),
    }
}

/// What is banned, as the desk takes it.
fn subject(ban: &Ban) -> String {
    match (&ban.name, &ban.key) {
        (Some(name), _) => name.to_string(),
        (None, Some(key)) => key.to_string(),
        (None, None) => String::new(),
    }
}
