//! What is around every screen: the head with Open and Close, the way between the screens, what a
//! person is told, and the line of figures at the foot.

use std::time::Instant;

use i18n_embed_fl::fl;
use iced::{
    Center, Fill,
    widget::{column, container, row, space::horizontal, text::Wrapping},
};
use look::{Dialog, Element, Icon, Kind, button, nav, space, text};

use super::{
    App, Cx, Message, Place, Question, alarm, bans,
    door::{self, Wrong},
    elided,
    host::{GRACE, PATIENCE, Phase},
    leaving::Leaving,
    problem::Problem,
    said, users,
};

/// The places, as they are offered and as Ctrl and a digit reach them.
pub(super) const PLACES: [Place; 6] = [
    Place::Users,
    Place::Bans,
    Place::Activity,
    Place::Log,
    Place::Settings,
    Place::Help,
];

/// So many alarms are shown at a time, in a window so wide and in a smaller one, so that the screen
/// below has room; the next one comes when one of them is read.
const ALARMS_MAX: (usize, f32, usize) = (2, 1000.0, 1);

impl App {
    pub(super) fn frame(&self) -> Element<'_, Message> {
        let cx = self.cx();
        let screen: Element<'_, Message> = match self.place {
            Place::Users => self.users.view(&cx).map(Message::Users),
            Place::Bans => self.bans.view(&cx).map(Message::Bans),
            Place::Activity => self.activity.view(&cx).map(Message::Activity),
            Place::Log => self.log.view(&cx).map(Message::Log),
            Place::Settings => self.settings.view(&cx).map(Message::Settings),
            Place::Help => self.help.view(&cx).map(Message::Help),
        };
        let told = self.told(&cx);
        let told = (!told.is_empty()).then(|| column(told).spacing(space::S).into());
        let content = column![]
            .extend(told)
            .push(container(screen).height(Fill))
            .spacing(space::L)
            .padding([space::L, space::XL]);
        let body = row![self.places(&cx), content].height(Fill);
        let window = column![
            self.door.view(&cx).map(Message::Door),
            look::separator(),
            body,
            look::separator(),
            foot(&cx),
        ];
        look::dialog(window, self.asked(&cx))
    }

    fn places(&self, cx: &Cx<'_>) -> Element<'_, Message> {
        let places = PLACES.map(|place| {
            let (icon, label) = match place {
                Place::Users => (Icon::People, fl!(cx.texts, "users")),
                Place::Bans => (Icon::Ban, fl!(cx.texts, "bans")),
                Place::Activity => (Icon::Plot, fl!(cx.texts, "activity")),
                Place::Log => (Icon::Log, fl!(cx.texts, "log")),
                Place::Settings => (Icon::Settings, fl!(cx.texts, "settings")),
                Place::Help => (Icon::Help, fl!(cx.texts, "help")),
            };
            let go = nav::place(icon, label, place == self.place, Message::Go(place));
            match place {
                Place::Log => go.count(alarm::all(cx).count()),
                _ => go,
            }
        });
        nav::rail(places, None)
    }

    /// What a person is told above every screen.
    fn told<'a>(&'a self, cx: &Cx<'a>) -> Vec<Element<'a, Message>> {
        let mut told = Vec::new();
        match &cx.seen.phase {
            Phase::Failed(error) => told.push(problem(&Problem::of(error, cx.texts), cx)),
            &Phase::Closing { until, .. } if self.leaving == Leaving::No => {
                let (kind, text) = match seconds_until(until, cx) {
                    0 => {
                        let seconds = (PATIENCE + GRACE).as_secs();
                        (
                            Kind::Warning,
                            fl!(cx.texts, "closing-late", seconds = seconds),
                        )
                    }
                    left => (Kind::Info, fl!(cx.texts, "closing-text", seconds = left)),
                };
                let cut = button::quiet(fl!(cx.texts, "close-at-once"))
                    .on_press(Message::Door(door::Message::CutPressed));
                told.push(look::banner(kind, text, Some(cut.into())));
            }
            Phase::Ended { closed } if closed.cut > 0 => {
                let text = fl!(
                    cx.texts,
                    "closed-cut",
                    finished = closed.finished,
                    cut = closed.cut
                );
                told.push(look::banner(Kind::Warning, text, None));
            }
            _ => {}
        }
        told.extend(self.alarms(cx));
        told.extend(self.unread(cx));
        if let Some(notice) = &self.notice {
            let read = button::quiet(Icon::Close).on_press(Message::NoticeRead);
            let read = look::tip(read, fl!(cx.texts, "dismiss"), Some("Esc"));
            told.push(look::banner(notice.kind, notice.text.as_str(), Some(read)));
        }
        told
    }

    /// What is wrong: what a person has not read yet, and all of it above the log.
    fn alarms<'a>(&'a self, cx: &Cx<'a>) -> Vec<Element<'a, Message>> {
        let is_log = self.place == Place::Log;
        let alarms = alarm::all(cx).filter(|alarm| is_log || !self.read.contains(alarm.of));
        let banner = |alarm: alarm::Alarm<'a>| {
            let read = || {
                let read = button::quiet(Icon::Close);
                let read = read.on_press(Message::WarningRead(alarm.of.clone()));
                look::tip(read, fl!(cx.texts, "dismiss"), None)
            };
            let read = (!self.read.contains(alarm.of)).then(read);
            look::banner(alarm.kind, alarm.text, read)
        };
        let (most, wide, fewer) = ALARMS_MAX;
        let most = if cx.width < wide { fewer } else { most };
        alarms.take(most).map(banner).collect()
    }

    /// Why the list that is shown is not as it is now.
    fn unread<'a>(&self, cx: &Cx<'a>) -> Option<Element<'a, Message>> {
        let failed = cx.seen.unread.as_ref()?;
        let is_shown = matches!(self.place, Place::Users | Place::Bans) && cx.seen.phase.is_open();
        is_shown.then(|| {
            let why = said::failed(failed, cx.texts);
            look::banner(Kind::Danger, fl!(cx.texts, "unread", why = why), None)
        })
    }

    /// What is to be answered before anything else.
    pub(super) fn asked<'a>(&'a self, cx: &Cx<'a>) -> Option<Dialog<'a, Message>> {
        match self.leaving {
            // Where nothing is open, it is over in no time.
            Leaving::Yes { .. } if cx.seen.phase.is_closed() => return None,
            Leaving::Yes { until, hurried } => {
                let left = seconds_until(until, cx);
                let (words, sooner) = match hurried {
                    false => (
                        fl!(cx.texts, "leaving-text", seconds = left),
                        fl!(cx.texts, "close-at-once"),
                    ),
                    true => (
                        fl!(cx.texts, "leaving-hurried", seconds = left),
                        fl!(cx.texts, "quit-now"),
                    ),
                };
                let sooner =
                    button::secondary(sooner).on_press(Message::Door(door::Message::CutPressed));
                let title = fl!(cx.texts, "leaving-title");
                return Some(Dialog::new(title, text::body(words), [sooner.into()]));
            }
            Leaving::Asked => {
                let users = cx.seen.pulses.last().map_or(0, |it| it.registered);
                let question = Question {
                    title: fl!(cx.texts, "leave-title"),
                    follows: fl!(cx.texts, "leave-follows", users = users),
                    yes: fl!(cx.texts, "leave"),
                    sign: Icon::Power,
                    harms: true,
                    no: fl!(cx.texts, "cancel"),
                };
                let (yes, no) = (Message::LeaveConfirmed, Message::LeaveDismissed);
                return Some(ask(question, yes, no));
            }
            Leaving::No => {}
        }
        match self.place {
            Place::Users => {
                let question = self.users.question(cx)?;
                let yes = Message::Users(users::Message::Confirmed);
                Some(ask(
                    question,
                    yes,
                    Message::Users(users::Message::Dismissed),
                ))
            }
            Place::Bans => {
                let question = self.bans.question(cx)?;
                let yes = Message::Bans(bans::Message::Confirmed);
                Some(ask(question, yes, Message::Bans(bans::Message::Dismissed)))
            }
            Place::Log => Some(self.log.question(cx)?.map(Message::Log)),
            _ => None,
        }
    }
}

/// How many seconds are left until then, rounded up.
fn seconds_until(until: Instant, cx: &Cx<'_>) -> u64 {
    let left = until.saturating_duration_since(cx.now);
    left.as_secs() + u64::from(left.subsec_nanos() > 0)
}

fn ask<'a>(question: Question, yes: Message, no: Message) -> Dialog<'a, Message> {
    let does = match question.harms {
        true => button::danger((question.sign, question.yes)),
        false => button::primary((question.sign, question.yes)),
    };
    let answers = [
        button::secondary(question.no).on_press(no.clone()).into(),
        does.on_press(yes).into(),
    ];
    Dialog::new(question.title, text::body(question.follows), answers).on_close(no)
}

/// Why the registry did not open, what to do, and the command that does it.
fn problem<'a>(problem: &Problem, cx: &Cx<'a>) -> Element<'a, Message> {
    let again = button::secondary(fl!(cx.texts, "try-again"))
        .on_press(Message::Door(door::Message::OpenPressed));
    let (title, next) = (problem.title.clone(), problem.next.clone());
    let banner = look::alert(Kind::Danger, title, next, Some(again.into()));
    let Some(command) = problem.command.clone() else {
        return banner;
    };
    let copy = button::quiet((Icon::Copy, fl!(cx.texts, "copy")))
        .on_press(Message::Door(door::Message::CopyPressed(command.clone())));
    let command = row![text::strong(command).width(Fill), copy]
        .spacing(space::M)
        .align_y(Center);
    let command = container(command)
        .style(look::surface)
        .padding(iced::padding::left(space::L));
    column![banner, command].spacing(space::S).into()
}

/// The line of figures at the foot.
fn foot<'a>(cx: &Cx<'a>) -> Element<'a, Message> {
    let quiet = |words: String| -> Element<'a, Message> {
        let words = text::caption(words).style(text::muted);
        words.wrapping(Wrapping::None).into()
    };
    let mut figures = Vec::new();
    if let (true, Some(pulse)) = (cx.seen.phase.is_open(), cx.seen.pulses.last()) {
        figures.push(quiet(fl!(cx.texts, "foot-users", count = pulse.registered)));
        figures.push(quiet(fl!(
            cx.texts,
            "foot-connections",
            count = pulse.connections
        )));
        let requests = format!("{:.0}", pulse.requests);
        figures.push(quiet(fl!(cx.texts, "foot-requests", value = requests)));
    }
    let folder = fl!(
        cx.texts,
        "foot-folder",
        path = elided(&cx.data.display().to_string(), 64)
    );
    let line = row(figures)
        .push(horizontal())
        .push(quiet(folder))
        .spacing(space::L)
        .align_y(Center);
    container(line).padding([space::XS + 2.0, space::XL]).into()
}

impl door::Door {
    /// The head of the window.
    fn view<'a>(&'a self, cx: &Cx<'a>) -> Element<'a, door::Message> {
        let closed = cx.seen.phase.is_closed();
        let (ip, port) = self.typed();
        let input = |placeholder: &str, value: &str, wrong: bool, on_input: fn(String) -> _| {
            let input = look::input(placeholder, value)
                .on_input_maybe(closed.then_some(on_input))
                .on_submit_maybe(closed.then_some(door::Message::OpenPressed));
            if wrong {
                input.style(look::wrong)
            } else {
                input
            }
        };
        let wrong = self.wrong();
        let ip = input(
            "0.0.0.0",
            ip,
            wrong == Some(Wrong::Ip),
            door::Message::IpTyped,
        );
        let port = input(
            "5000",
            port,
            wrong == Some(Wrong::Port),
            door::Message::PortTyped,
        );
        let error = wrong.map(|wrong| match wrong {
            Wrong::Ip => fl!(cx.texts, "wrong-ip"),
            Wrong::Port => fl!(cx.texts, "wrong-port"),
        });
        let error = error.map(|error| text::caption(error).style(text::danger).into());
        let labelled = |label: String, input: Element<'a, door::Message>| {
            let label = text::caption(label).style(text::muted);
            row![label, input].spacing(space::S).align_y(Center)
        };
        let ip = look::tip(ip.width(150), fl!(cx.texts, "ip-tip"), None);
        let port = look::tip(port.width(76), fl!(cx.texts, "port-tip"), None);
        let line = row![
            labelled(fl!(cx.texts, "listens-on"), ip),
            labelled(fl!(cx.texts, "port"), port),
            switch(cx),
        ]
        .extend(error)
        .push(horizontal())
        .push(state(cx))
        .spacing(space::M)
        .align_y(Center);
        container(line).padding([space::M, space::XL]).into()
    }
}

/// Open, or Close.
fn switch<'a>(cx: &Cx<'a>) -> Element<'a, door::Message> {
    let (press, tip) = match &cx.seen.phase {
        Phase::Opening => (
            button::primary((Icon::Power, fl!(cx.texts, "opening"))),
            fl!(cx.texts, "open-tip"),
        ),
        Phase::Open(_) => (
            button::secondary((Icon::Power, fl!(cx.texts, "close")))
                .on_press(door::Message::ClosePressed),
            fl!(cx.texts, "close-tip"),
        ),
        Phase::Closing { .. } => (
            button::secondary((Icon::Power, fl!(cx.texts, "closing"))),
            fl!(cx.texts, "close-tip"),
        ),
        Phase::Closed | Phase::Failed(_) | Phase::Ended { .. } => (
            button::primary((Icon::Power, fl!(cx.texts, "open")))
                .on_press(door::Message::OpenPressed),
            fl!(cx.texts, "open-tip"),
        ),
    };
    let shortcut = cx.seen.phase.is_closed().then_some("Ctrl+O");
    look::tip(press, tip, shortcut)
}

/// Whether it is open, and the address to give to others.
fn state<'a>(cx: &Cx<'a>) -> Element<'a, door::Message> {
    let (kind, words) = match &cx.seen.phase {
        Phase::Opening => (Kind::Warning, fl!(cx.texts, "state-opening")),
        Phase::Open(_) => (Kind::Positive, fl!(cx.texts, "state-open")),
        Phase::Closing { .. } => (Kind::Warning, fl!(cx.texts, "state-closing")),
        Phase::Failed(_) => (Kind::Danger, fl!(cx.texts, "state-failed")),
        Phase::Closed | Phase::Ended { .. } => (Kind::Neutral, fl!(cx.texts, "state-closed")),
    };
    let state = row![look::dot(kind), text::strong(words)]
        .spacing(space::S)
        .align_y(Center);
    let address = match &cx.seen.phase {
        Phase::Open(facts) => facts.addresses.first(),
        _ => None,
    };
    let give = address.map(|address| {
        let address = address.to_string();
        let copy = button::quiet(Icon::Copy).on_press(door::Message::CopyPressed(address.clone()));
        let copy = look::tip(copy, fl!(cx.texts, "copy-address"), None);
        let address = text::body(elided(&address, 24)).wrapping(Wrapping::None);
        row![address, copy]
            .spacing(space::XS)
            .align_y(Center)
            .into()
    });
    row![state]
        .extend(give)
        .spacing(space::M)
        .align_y(Center)
        .into()
}
