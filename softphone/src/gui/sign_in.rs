//! Who one is, and which registry knows: the first screen.
//!
//! The registry is asked who it is before anything is made on this machine, so that a mistyped
//! address costs nothing and whatever is wrong with it is known exactly.

use std::{path::PathBuf, time::Duration};

use codec::{Name, NameError, claim::InviteCode};
use i18n_embed_fl::fl;
use iced::{
    Center, Fill, Subscription, Task,
    futures::stream,
    widget::{column, container, operation, row, space::horizontal},
};
use look::{Dialog, Element, Icon, Kind, Press, Status, button, space, text};
use registry::{
    client::{Access, Client, ConnectError, Host},
    known::KnownRegistries,
};

use super::{
    Cx, Options,
    identity::{self, Work},
    line::Start,
    trouble::{self, Trouble},
};
use crate::{
    discover::{Browser, Discovered},
    settings::{self, preferences},
};

/// How long a registry may take to say who it is.
const PROBE_WITHIN: Duration = Duration::from_secs(10);

/// How many registries that were met are offered.
const KNOWN_MAX: usize = 4;

/// The widest that the fields are, in logical pixels.
const WIDTH: f32 = 400.0;

/// How wide what a key is called is, in logical pixels.
const LABEL: f32 = 104.0;

/// The fields, as focus finds them.
const NAME: &str = "sign-in-name";
const REGISTRY: &str = "sign-in-registry";
const INVITE: &str = "sign-in-invite";

/// The screen.
#[derive(Debug)]
pub struct SignIn {
    options: Options,
    name: String,
    registry: String,
    invite: String,
    asks_invite: bool,
    /// What is wrong in the fields is said only once somebody has tried.
    tried: bool,
    found: Vec<Discovered>,
    known: Vec<Host>,
    state: State,
    pub(super) trouble: Option<Trouble>,
    /// What was set for a name could not be read, and is there now; whoever says so takes it.
    pub(super) damaged: Option<PathBuf>,
    /// To forget the key of a registry that shows another one is asked back.
    forgets: bool,
    work: Option<Work>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Typing,
    /// The registry is asked who it is. Only the newest question counts.
    Probing(u32),
    /// The phone runs, and waits for its name.
    Registering,
}

/// What happened on it.
#[derive(Debug, Clone)]
pub enum Message {
    /// The name was typed on.
    NameChanged(String),
    /// Enter in the name.
    NameSubmitted,
    /// The registry was typed on.
    RegistryChanged(String),
    /// A registry that is offered was chosen.
    RegistryPressed(Host),
    /// Somebody has an invitation.
    InvitePressed,
    /// The invitation was typed on.
    InviteChanged(String),
    /// To sign in.
    ConnectPressed,
    /// To give up waiting.
    CancelPressed,
    /// The registry said who it is, or why not; the answer to the question of this number.
    Probed(u32, Result<(), Trouble>),
    /// Registries announce themselves.
    Found(Vec<Discovered>),
    /// To forget the key that a registry had.
    ForgetPressed,
    /// That is meant.
    ForgetConfirmed,
    /// It is not.
    ForgetLeft,
    /// An identity is on another computer.
    ImportPressed,
    /// The name is to be had back.
    RecoverPressed,
    /// In the dialog about identities.
    Work(identity::Message),
}

/// What it wants done.
pub enum Action {
    /// Nothing.
    None,
    /// Go on with this.
    Run(Task<Message>),
    /// Run this phone.
    Connect(Box<Start>),
    /// End the phone that waits for its name.
    Cancel,
}

impl SignIn {
    /// With what is known from before.
    #[must_use]
    pub fn new(options: &Options) -> Self {
        let name = options.name.clone();
        let name = name.or_else(|| settings::last_name(&options.folder));
        let kept = name
            .as_ref()
            .map(|name| preferences::read(&options.folder, name));
        let (remembered, damaged) = match kept {
            Some(kept) => (kept.value.registry, kept.damaged),
            None => (None, None),
        };
        let given = options.registry.as_ref().map(ToString::to_string);
        let known = KnownRegistries::in_folder(&options.folder).list();
        // Nobody gets in with a list that cannot be read: that is said before anybody has tried.
        let (known, trouble) = match known {
            Ok(known) => (known, None),
            Err(error) => (Vec::new(), Some(ConnectError::Known(error).into())),
        };
        Self {
            name: name.map(|name| name.to_string()).unwrap_or_default(),
            registry: given.or(remembered).unwrap_or_default(),
            invite: options
                .invite
                .as_ref()
                .map(|code| code.as_str().to_owned())
                .unwrap_or_default(),
            asks_invite: options.invite.is_some(),
            tried: false,
            found: Vec::new(),
            known: known
                .into_iter()
                .rev()
                .map(|(host, _)| host)
                .take(KNOWN_MAX)
                .collect(),
            state: State::Typing,
            trouble,
            damaged: damaged.map(|(path, _)| path),
            forgets: false,
            work: None,
            options: options.clone(),
        }
    }

    /// Says what went wrong, after which the person may try again, where it can be mended.
    pub fn fail(&mut self, trouble: Trouble) -> Task<Message> {
        self.state = State::Typing;
        self.asks_invite |= trouble.wants_invitation();
        let field = match &trouble {
            Trouble::Refused(..) if trouble.wants_invitation() => INVITE,
            Trouble::Refused(..) => NAME,
            _ => REGISTRY,
        };
        self.trouble = Some(trouble);
        operation::focus(field)
    }

    /// With these in the fields.
    pub fn typed(&mut self, name: String, registry: String) {
        (self.name, self.registry) = (name, registry);
    }

    /// Where the keyboard is at first.
    pub fn focus(&self) -> Task<Message> {
        operation::focus(match (self.name.is_empty(), self.registry.is_empty()) {
            (true, _) => NAME,
            (false, true) => REGISTRY,
            (false, false) => CONNECT,
        })
    }

    /// Takes in what happened.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::NameChanged(name) => self.name = name,
            Message::RegistryChanged(registry) => {
                self.registry = registry;
                self.trouble = None;
            }
            Message::NameSubmitted if self.registry.trim().is_empty() => {
                return Action::Run(operation::focus(REGISTRY));
            }
            Message::RegistryPressed(host) => {
                self.registry = host.to_string();
                self.trouble = None;
            }
            Message::InvitePressed => {
                self.asks_invite = true;
                return Action::Run(operation::focus(INVITE));
            }
            Message::InviteChanged(invite) => self.invite = invite,
            Message::NameSubmitted | Message::ConnectPressed => return self.connect(),
            Message::CancelPressed => {
                let was = std::mem::replace(&mut self.state, State::Typing);
                return match was {
                    State::Registering => Action::Cancel,
                    _ => Action::Run(operation::focus(REGISTRY)),
                };
            }
            Message::Probed(number, result) if self.state == State::Probing(number) => {
                match (result, self.start()) {
                    (Ok(()), Some(start)) => {
                        self.state = State::Registering;
                        return Action::Connect(Box::new(start));
                    }
                    (Ok(()), None) => self.state = State::Typing,
                    (Err(trouble), _) => return Action::Run(self.fail(trouble)),
                }
            }
            Message::Probed(..) => {}
            // They are offered and never filled in: what is announced is anybody's word.
            Message::Found(found) => self.found = found,
            Message::ForgetPressed => self.forgets = true,
            Message::ForgetLeft => self.forgets = false,
            Message::ForgetConfirmed => {
                self.forgets = false;
                let changed = self.trouble.as_ref().and_then(Trouble::changed_key);
                if let Some((host, ..)) = changed {
                    let known = KnownRegistries::in_folder(&self.options.folder);
                    if let Err(error) = known.forget(host) {
                        let error = ConnectError::Known(error);
                        self.trouble = Some(error.into());
                        return Action::None;
                    }
                    return self.connect();
                }
            }
            Message::ImportPressed => return self.begin(identity::Kind::Import),
            Message::RecoverPressed => return self.begin(identity::Kind::Recover),
            Message::Work(message) => return self.work(message),
        }
        Action::None
    }

    /// Opens the dialog about identities.
    fn begin(&mut self, kind: identity::Kind) -> Action {
        let work = Work::new(kind, &self.options, self.name.trim(), self.registry.trim());
        Action::Run(self.work.insert(work).focus())
    }

    fn work(&mut self, message: identity::Message) -> Action {
        let Some(work) = &mut self.work else {
            return Action::None;
        };
        match work.update(message) {
            identity::Action::None => {}
            identity::Action::Focus => return Action::Run(work.focus()),
            identity::Action::Run(job) => {
                return Action::Run(Task::future(job.run()).map(Message::Work));
            }
            identity::Action::Close => {
                // Whose identity is here now is who signs in next.
                if let Some(name) = self.work.take().and_then(|work| work.brought()) {
                    self.name = name.to_string();
                    self.trouble = None;
                }
            }
        }
        Action::None
    }

    fn connect(&mut self) -> Action {
        self.tried = true;
        let Some(start) = self.start() else {
            let wrong = if self.parsed_name().is_err() {
                NAME
            } else {
                REGISTRY
            };
            return Action::Run(operation::focus(wrong));
        };
        if self.state != State::Typing {
            return Action::None;
        }
        let number = PROBES.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.state = State::Probing(number);
        self.trouble = None;
        let access = Access::of("ramal-softphone", &start.folder).with(start.security);
        let probe = async move {
            let met = Client::connect(&access, &start.registry, PROBE_WITHIN).await;
            met.map(|_| ()).map_err(Trouble::from)
        };
        Action::Run(Task::perform(probe, move |met| {
            Message::Probed(number, met)
        }))
    }

    fn parsed_name(&self) -> Result<Name, NameError> {
        self.name.trim().parse()
    }

    fn invitation(&self) -> Result<Option<InviteCode>, ()> {
        match self.invite.trim() {
            "" => Ok(None),
            typed => InviteCode::new(typed).map(Some).ok_or(()),
        }
    }

    /// The phone that is asked for, if everything can be read.
    fn start(&mut self) -> Option<Start> {
        let (name, registry) = (self.parsed_name().ok()?, self.registry.parse().ok()?);
        let kept = preferences::read(&self.options.folder, &name);
        let damaged = kept.damaged.map(|(path, _)| path);
        self.damaged = self.damaged.take().or(damaged);
        let mut start = self.options.start(name, registry, &kept.value);
        start.invite = self.invitation().ok()?;
        Some(start)
    }

    /// What the screen listens to: registries that announce themselves.
    pub fn subscription(&self) -> Subscription<Message> {
        Subscription::run(|| {
            stream::unfold(None, async |browser| {
                let mut browser = match browser {
                    Some(browser) => browser,
                    None => Browser::start()?,
                };
                let found = browser.next().await?;
                Some((Message::Found(found), Some(browser)))
            })
        })
    }

    // ---- what it looks like ----

    /// What is on it.
    #[must_use]
    pub fn view<'a>(&'a self, cx: &Cx<'a>) -> Element<'a, Message> {
        let t = cx.texts;
        let heading = column![
            text::display(fl!(t, "sign-in-title")),
            text::body(fl!(t, "sign-in-text")).style(text::muted),
        ]
        .spacing(space::XS);
        // What comes and goes stands behind what is typed into, or in a place of its own: a field
        // whose place among its siblings changes loses the keyboard.
        let registry = column![self.registry_field(cx)].extend(self.offers(cx));
        let fields = column![self.name_field(cx), registry.spacing(space::L)]
            .extend(self.invite_field(cx))
            .spacing(space::L);
        let foot = column![
            row![
                button::quiet((Icon::Import, fl!(t, "sign-in-import")))
                    .on_press_maybe(self.is_typing().then_some(Message::ImportPressed)),
                horizontal(),
                button::quiet((Icon::Key, fl!(t, "sign-in-recover")))
                    .on_press_maybe(self.is_typing().then_some(Message::RecoverPressed)),
            ]
            .spacing(space::S)
        ];
        let heading = column![heading].extend(self.trouble(cx)).spacing(space::L);
        let all = column![heading, fields]
            .push(self.go(cx))
            .push(look::separator())
            .push(foot)
            .spacing(space::L)
            .max_width(WIDTH);
        let page = look::scroll(container(all).center_x(Fill).padding(space::XL));
        look::dialog(container(page).center(Fill), self.dialog(cx))
    }

    /// Whether something is under way that can be given up.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        !self.is_typing()
    }

    fn is_typing(&self) -> bool {
        self.state == State::Typing
    }

    fn name_field<'a>(&'a self, cx: &Cx<'a>) -> Element<'a, Message> {
        let error = self.parsed_name().err();
        // While nothing is typed there is nothing wrong with it yet.
        let error = error.filter(|error| self.tried || *error != NameError::Empty);
        let error = error.map(|error| trouble::name(cx.texts, &error));
        let mut input = look::input(&fl!(cx.texts, "sign-in-name-example"), &self.name)
            .id(NAME)
            .on_input_maybe(self.is_typing().then_some(Message::NameChanged))
            .on_submit(Message::NameSubmitted);
        if error.is_some() {
            input = input.style(look::wrong);
        }
        look::field(fl!(cx.texts, "sign-in-name"), input, error)
    }

    fn registry_field<'a>(&'a self, cx: &Cx<'a>) -> Element<'a, Message> {
        let typed = self.registry.trim();
        let error = match (typed.is_empty(), self.tried) {
            (true, true) => Some(fl!(cx.texts, "sign-in-registry-empty")),
            (false, true) if typed.parse::<Host>().is_err() => {
                Some(fl!(cx.texts, "sign-in-registry-wrong"))
            }
            _ => None,
        };
        let mut input = look::input(&fl!(cx.texts, "sign-in-registry-example"), &self.registry)
            .id(REGISTRY)
            .on_input_maybe(self.is_typing().then_some(Message::RegistryChanged))
            .on_submit(Message::ConnectPressed);
        if error.is_some() {
            input = input.style(look::wrong);
        }
        look::field(fl!(cx.texts, "sign-in-registry"), input, error)
    }

    /// Registries that need not be typed: those on the network, and those of before.
    fn offers<'a>(&'a self, cx: &Cx<'a>) -> Option<Element<'a, Message>> {
        let is_typed = |host: &Host| {
            let typed = self.registry.trim().parse::<Host>();
            typed.is_ok_and(|typed| typed.is_same(host))
        };
        let found = self.found.iter().map(|found| {
            let more = match &found.fingerprint {
                Some(fingerprint) => format!("{}  ·  {fingerprint}", found.host),
                None => found.host.to_string(),
            };
            offer(
                Icon::Network,
                found.label.clone(),
                more,
                &found.host,
                is_typed(&found.host),
            )
        });
        let announced = |host: &&Host| !self.found.iter().any(|found| found.host.is_same(host));
        let known = self.known.iter().filter(announced).map(|host| {
            let more = match self.found.is_empty() {
                true => String::new(),
                false => fl!(cx.texts, "sign-in-met"),
            };
            offer(Icon::History, host.to_string(), more, host, is_typed(host))
        });
        let offers: Vec<_> = found.chain(known).collect();
        // What is wrong has the place, where there is something.
        if offers.is_empty() || !self.is_typing() || self.trouble.is_some() {
            return None;
        }
        let title = match self.found.is_empty() {
            true => fl!(cx.texts, "sign-in-known"),
            false => fl!(cx.texts, "sign-in-found"),
        };
        let list = column(offers).spacing(space::XS);
        Some(
            column![text::caption(title).style(text::muted), list]
                .spacing(space::XS)
                .into(),
        )
    }

    fn invite_field<'a>(&'a self, cx: &Cx<'a>) -> Option<Element<'a, Message>> {
        if !self.asks_invite {
            let ask = text::strong(fl!(cx.texts, "sign-in-have-invite"));
            let ask = Press::new(ask, |tokens, _| look::Style {
                fill: None,
                text: tokens.accent,
                outline: None,
            });
            let ask = ask.on_press(Message::InvitePressed);
            return self.is_typing().then(|| ask.into());
        }
        let error = self.invitation().is_err();
        let error = error.then(|| fl!(cx.texts, "sign-in-invite-wrong"));
        let input = look::input(&fl!(cx.texts, "sign-in-invite-example"), &self.invite)
            .id(INVITE)
            .on_input_maybe(self.is_typing().then_some(Message::InviteChanged))
            .on_submit(Message::ConnectPressed);
        Some(look::field(fl!(cx.texts, "sign-in-invite"), input, error))
    }

    fn go<'a>(&'a self, cx: &Cx<'a>) -> Element<'a, Message> {
        let t = cx.texts;
        let words = match self.state {
            State::Typing => {
                // With another key it only fails again.
                let kind = match self.trouble.as_ref().and_then(Trouble::changed_key) {
                    Some(_) => button::Kind::Secondary,
                    None => button::Kind::Primary,
                };
                let connect = button::of(kind, fl!(t, "sign-in-connect"));
                let connect = connect.id(CONNECT).width(Fill);
                return connect.on_press(Message::ConnectPressed).into();
            }
            State::Probing(_) => fl!(t, "sign-in-probing", host = self.registry.trim()),
            State::Registering => fl!(t, "sign-in-registering", name = self.name.trim()),
        };
        row![
            text::body(words).width(Fill).style(text::muted),
            button::secondary(fl!(t, "cancel")).on_press(Message::CancelPressed),
        ]
        .spacing(space::M)
        .align_y(Center)
        .into()
    }

    /// What went wrong, and what can be done about it here.
    fn trouble<'a>(&'a self, cx: &Cx<'a>) -> Option<Element<'a, Message>> {
        let trouble = self.trouble.as_ref()?;
        let t = cx.texts;
        let said = trouble.said(t);
        let forget = trouble.changed_key().map(|(_, known, now)| {
            let key = |label: String, key: String| {
                let label = text::caption(label).style(text::muted).width(LABEL);
                row![label, text::body(key)].align_y(Center)
            };
            let keys = column![
                key(fl!(t, "sign-in-key-before"), known),
                key(fl!(t, "sign-in-key-now"), now),
            ];
            column![
                container(keys.spacing(space::XS)).padding([space::XS, space::M]),
                button::secondary(fl!(t, "sign-in-forget")).on_press(Message::ForgetPressed),
            ]
            .spacing(space::S)
        });
        let recover = trouble.is_recoverable().then(|| {
            button::secondary((Icon::Key, fl!(t, "sign-in-recover")))
                .on_press(Message::RecoverPressed)
        });
        let all = column![look::alert(Kind::Danger, said.title, said.text, None)]
            .extend(forget.map(Into::into))
            .extend(recover.map(Into::into))
            .spacing(space::S);
        Some(all.into())
    }

    fn dialog<'a>(&'a self, cx: &Cx<'a>) -> Option<Dialog<'a, Message>> {
        if let Some(work) = &self.work {
            return Some(work.dialog(cx, Message::Work));
        }
        let changed = self
            .trouble
            .as_ref()?
            .changed_key()
            .filter(|_| self.forgets)?;
        let (host, t) = (changed.0.to_string(), cx.texts);
        let content = text::body(fl!(t, "sign-in-forget-text", host = host));
        let answers = [
            button::secondary(fl!(t, "cancel"))
                .on_press(Message::ForgetLeft)
                .into(),
            button::danger(fl!(t, "sign-in-forget-yes"))
                .on_press(Message::ForgetConfirmed)
                .into(),
        ];
        let dialog = Dialog::new(fl!(t, "sign-in-forget-title"), content, answers);
        Some(dialog.on_close(Message::ForgetLeft))
    }
}

/// Numbers the questions who a registry is.
static PROBES: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(1);

/// The button that signs in, as focus finds it.
const CONNECT: &str = "sign-in-connect";

/// A registry that need not be typed.
fn offer<'a>(
    sign: Icon,
    label: String,
    more: String,
    host: &Host,
    is_typed: bool,
) -> Element<'a, Message> {
    let more = (!more.is_empty()).then(|| {
        let more = text::caption(more).style(text::muted);
        more.wrapping(text::Wrapping::None).into()
    });
    let words = column![text::strong(label).wrapping(text::Wrapping::None)].extend(more);
    let check = is_typed.then(|| look::icon(Icon::Check).style(text::accent).into());
    let line = row![
        look::icon(sign).style(text::muted),
        container(words).width(Fill).clip(true)
    ]
    .extend(check)
    .spacing(space::M)
    .align_y(Center);
    let press = Press::new(line, move |tokens, status| look::Style {
        fill: match (is_typed, status) {
            (true, _) => Some(tokens.selected),
            (false, Status::Hovered | Status::Pressed) => Some(tokens.hover),
            (false, _) => Some(tokens.surface),
        },
        text: tokens.text,
        outline: Some(tokens.line),
    });
    press
        .width(Fill)
        .padding([space::S, space::M])
        .on_press(Message::RegistryPressed(host.clone()))
        .into()
}
