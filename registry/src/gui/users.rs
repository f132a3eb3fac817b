//! The users: who owns a name, where they are, and what an operator does about them.

use codec::Name;
use look::Element;

use super::{
    Cx, Question,
    host::{Act, Found, Sight},
};
use crate::desk::{Query, Shown, Sort, USERS_AT_ONCE_MAX, User};

mod asking;
mod person;
mod table;

/// By what the field for searching is found.
pub const SEARCH: &str = "users-search";

/// The users, as a person looks at them.
#[derive(Debug, Default)]
pub struct Users {
    search: String,
    shown: ShownChoice,
    sort: Sort,
    descending: bool,
    chosen: Option<Name>,
    /// In the row of which of their phones.
    device: Option<String>,
    asking: Option<Asking>,
    /// A line for each device, and for each user without one.
    lines: Vec<Line>,
}

/// Whom to show; those who are registered unless told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShownChoice(pub Shown);

impl Default for ShownChoice {
    fn default() -> Self {
        Self(Shown::Registered)
    }
}

/// A line of the table: a user and one of their devices, by their places in what was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Line {
    user: usize,
    device: usize,
}

/// What a person is asked before it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Asking {
    act: Act,
    name: String,
    devices: usize,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Message {
    /// Something was typed to search for.
    SearchTyped(String),
    /// Others are to be shown.
    ShownChosen(Shown),
    /// The head of a column was pressed.
    SortPressed(Sort),
    /// A row of this user was chosen.
    RowPressed {
        /// Who.
        name: Name,
        /// With which of their phones, if they have any.
        device: Option<String>,
    },
    /// The panel is to go.
    PanelClosed,
    /// Connections are to be ended.
    DisconnectPressed,
    /// Somebody is to be banned.
    BanPressed,
    /// A ban is to end.
    UnbanPressed,
    /// A name is to be free.
    ReleasePressed,
    /// Yes.
    Confirmed,
    /// No, or Escape.
    Dismissed,
    /// Something is to be copied.
    CopyPressed(String),
    /// The address to give to others is wanted.
    HelpPressed,
    /// The registry is to be opened.
    OpenPressed,
    /// What is searched for is to be shown among all names.
    ShowAllPressed,
}

/// What the window is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    None,
    /// Looks at something else.
    LookAt(Sight),
    /// Does that.
    Act(Act),
    /// Puts this on the clipboard.
    Copy(String),
    /// Shows the first steps.
    Help,
    /// Opens the registry.
    Open,
}

impl Users {
    /// What is to be looked at for this screen.
    #[must_use]
    pub fn sight(&self) -> Sight {
        Sight::Users {
            query: Query {
                text: self.search.trim().to_owned(),
                shown: self.shown.0,
                sort: self.sort,
                descending: self.descending,
                offset: 0,
                limit: USERS_AT_ONCE_MAX,
            },
            chosen: self.chosen.clone(),
        }
    }

    /// What is to be done about what happened.
    pub fn update(&mut self, message: Message, found: &Found) -> Action {
        match message {
            Message::SearchTyped(search) => {
                self.search = search;
                return Action::LookAt(self.sight());
            }
            Message::ShownChosen(shown) => {
                self.shown = ShownChoice(shown);
                return Action::LookAt(self.sight());
            }
            Message::ShowAllPressed => {
                self.shown = ShownChoice(Shown::All);
                return Action::LookAt(self.sight());
            }
            Message::SortPressed(sort) => {
                self.descending = self.sort == sort && !self.descending;
                self.sort = sort;
                return Action::LookAt(self.sight());
            }
            Message::RowPressed { name, device } => {
                self.chosen = Some(name);
                self.device = device;
                return Action::LookAt(self.sight());
            }
            Message::PanelClosed => {
                self.chosen = None;
                return Action::LookAt(self.sight());
            }
            Message::DisconnectPressed => self.ask(found, Act::Disconnect),
            Message::BanPressed => self.ask(found, Act::Ban),
            Message::ReleasePressed => self.ask(found, Act::Release),
            Message::UnbanPressed => {
                if let Some(user) = self.chosen(found) {
                    return Action::Act(Act::Unban(user.key.to_string()));
                }
            }
            Message::Confirmed => {
                if let Some(asking) = self.asking.take() {
                    return Action::Act(asking.act);
                }
            }
            Message::Dismissed => {
                // First the question, then the panel, as they lie one over the other.
                if self.asking.take().is_none() && self.chosen.take().is_some() {
                    return Action::LookAt(self.sight());
                }
            }
            Message::CopyPressed(text) => return Action::Copy(text),
            Message::HelpPressed => return Action::Help,
            Message::OpenPressed => return Action::Open,
        }
        Action::None
    }

    /// Takes in what was found.
    pub fn found(&mut self, found: &Found) {
        self.lines.clear();
        for (at, user) in found.users.users.iter().enumerate() {
            let devices = 0..user.devices.len().max(1);
            self.lines
                .extend(devices.map(|device| Line { user: at, device }));
        }
    }

    /// A question is being asked.
    #[must_use]
    pub fn is_asking(&self) -> bool {
        self.asking.is_some()
    }

    /// The screen.
    #[must_use]
    pub fn view<'a>(&'a self, cx: &Cx<'a>) -> Element<'a, Message> {
        self.table(cx)
    }

    /// What is to be answered first, if something is.
    #[must_use]
    pub fn question(&self, cx: &Cx<'_>) -> Option<Question> {
        self.asking.as_ref().map(|asking| asking.question(cx))
    }

    fn chosen<'a>(&self, found: &'a Found) -> Option<&'a User> {
        let name = self.chosen.as_ref()?;
        found.chosen.as_ref().filter(|user| user.name == *name)
    }

    fn ask(&mut self, found: &Found, act: fn(String) -> Act) {
        if let Some(user) = self.chosen(found) {
            self.asking = Some(Asking {
                act: act(user.name.to_string()),
                name: user.name.to_string(),
                devices: user.devices.len(),
            });
        }
    }
}
