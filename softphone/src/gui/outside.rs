//! What is seen of the phone outside of its window: notifications, and the icon in the tray.

use i18n_embed_fl::fl;
use iced::Task;

use super::{
    Action, App, Cx, Message, incoming,
    notify::{self, Notice, Notices},
    tray::{self, Choice, Control, Labels, Shown},
};
use crate::{board::Registered, phone};

/// What is seen there now.
#[derive(Debug, Default)]
pub(super) struct Outside {
    notices: Notices,
    tray: Option<Control>,
    /// The icon in the tray can be seen.
    pub(super) in_tray: bool,
    /// How many missed calls were there when they were told last.
    missed: usize,
}

impl Outside {
    /// Shows how everything stands, and takes back what is over.
    fn follow(&mut self, cx: &Cx<'_>) -> Task<Message> {
        if let Some(tray) = &self.tray {
            tray.show(shown(cx));
        }
        let mut rings = cx.board.calls.iter().filter(|seen| seen.rings_here());
        let ringing: Vec<_> = rings.by_ref().map(|seen| seen.call).collect();
        self.notices.keep(|call| ringing.contains(&call));
        let missed = cx.history.unseen();
        let more = missed > self.missed;
        self.missed = missed;
        if !cx.preferences.notifications {
            return Task::none();
        }
        let told = (more && cx.focused.is_none()).then(|| self.notices.tell(missed_call(cx)));
        let hides = cx.preferences.hide_callers;
        let rings = cx.board.calls.iter().filter(|seen| seen.rings_here());
        let rings = rings.map(|seen| (seen.call, incoming::notice(seen, hides, cx)));
        let rings: Vec<_> = rings
            .map(|(call, notice)| self.notices.incoming(call, notice))
            .collect();
        Task::batch(rings.into_iter().chain(told)).map(Message::Notify)
    }
}

impl App {
    /// Shows outside how everything stands.
    pub(super) fn follow_outside(&mut self) -> Task<Message> {
        match &mut self.phone {
            Some(phone) => phone.outside.follow(&self.world.cx()),
            None => Task::none(),
        }
    }

    /// Takes in news of the icon in the tray.
    pub(super) fn tray(&mut self, message: tray::Message) -> Task<Message> {
        let Some(phone) = &mut self.phone else {
            return Task::none();
        };
        match message {
            tray::Message::Ready(control) => {
                phone.outside.tray = Some(control);
                self.follow_outside()
            }
            tray::Message::Seen(seen) => {
                phone.outside.in_tray = seen;
                Task::none()
            }
            tray::Message::Chosen(Choice::Open) => self.front(),
            tray::Message::Chosen(Choice::Dnd(dnd)) => self.command(phone::Command::Dnd(dnd)),
            tray::Message::Chosen(Choice::Away(away)) => self.command(phone::Command::Away(away)),
            tray::Message::Chosen(Choice::Quit) => self.quit(),
        }
    }

    /// Takes in what was done with a notification.
    pub(super) fn notified(&mut self, message: notify::Message) -> Task<Message> {
        match message {
            notify::Message::Answer(call) => {
                let answered = self.command(phone::Command::Answer(call));
                let shown = self.perform(Action::ShowCall(true), Message::Notify);
                Task::batch([answered, shown, self.front()])
            }
            notify::Message::Decline(call) => self.command(phone::Command::Hangup(call)),
            notify::Message::Open => self.front(),
            notify::Message::Nothing => Task::none(),
        }
    }

    fn command(&mut self, command: phone::Command) -> Task<Message> {
        self.perform(Action::phone(command), Message::Notify)
    }
}

/// What the icon in the tray shows.
fn shown(cx: &Cx<'_>) -> Shown {
    let (texts, board) = (cx.texts, cx.board);
    let missed = cx.history.unseen();
    let detail = match (missed, board.registered) {
        (0, _) if board.dnd => fl!(texts, "status-dnd"),
        (0, Registered::Yes) if board.away => fl!(texts, "presence-away"),
        (0, Registered::Yes) => fl!(texts, "tray-ready"),
        (0, _) => fl!(texts, "tray-not-registered"),
        (missed, _) => fl!(texts, "tray-missed", count = missed),
    };
    Shown {
        title: fl!(texts, "tray-title", name = board.name.as_str()),
        detail,
        missed,
        dnd: board.dnd,
        away: board.publishes.then_some(board.away),
        labels: Labels {
            open: fl!(texts, "tray-open"),
            dnd: fl!(texts, "tray-dnd"),
            away: fl!(texts, "tray-away"),
            quit: fl!(texts, "tray-quit"),
        },
    }
}

/// That the newest of the calls was missed.
fn missed_call(cx: &Cx<'_>) -> Notice {
    let texts = cx.texts;
    let newest = cx.history.entries.iter().find(|past| !past.seen);
    let body = match newest {
        Some(past) if !cx.preferences.hide_callers => {
            fl!(texts, "notify-missed-from", name = past.name.as_str())
        }
        _ => fl!(texts, "notify-missed-somebody"),
    };
    Notice {
        title: fl!(texts, "notify-missed"),
        body,
        buttons: None,
    }
}
