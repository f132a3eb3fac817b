//! Every widget in one window: `cargo run -p look --example gallery`.

use std::time::Duration;

use iced::widget::{column, container, row, space};
use iced::{Center, Fill, Subscription, Theme};

use look::button::Kind as Button;
use look::{Element, Icon, Kind, Plot, Scheme, TextSize, nav, text};

/// What the gallery shows.
#[derive(Debug)]
pub(crate) struct Gallery {
    page: Page,
    scheme: Scheme,
    size: TextSize,
    name: String,
    is_asking: bool,
    is_notified: bool,
    device: Option<&'static str>,
    volume: u8,
    level: f32,
    plots: [Plot; 2],
    selected: Option<usize>,
    odd: bool,
}

/// Its pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    Controls,
    People,
    Call,
    Log,
}

/// What happens in it.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    PageChosen(Page),
    SchemeChosen(Scheme),
    SizeChosen(TextSize),
    NameChanged(String),
    Notified(bool),
    DeviceChosen(&'static str),
    VolumeChanged(u8),
    Selected(usize),
    Asked,
    Answered,
    Ticked,
}

const DEVICES: [&str; 3] = ["Built-in microphone", "USB headset", "Studio interface"];

const PEOPLE: [(&str, Kind, &str); 7] = [
    ("ana.souza", Kind::Positive, "Available"),
    ("bob", Kind::Warning, "In a call"),
    ("carla", Kind::Neutral, "Offline"),
    ("dmitri", Kind::Positive, "Available"),
    ("Ελένη", Kind::Neutral, "Away"),
    (
        "francisco-das-chagas-de-oliveira",
        Kind::Positive,
        "Available",
    ),
    ("grace hopper", Kind::Neutral, "Offline"),
];

impl Default for Gallery {
    fn default() -> Self {
        let mut plots = [Plot::new(120, 40.0), Plot::new(120, 1.0)];
        let mut wave = 0.0_f32;
        for step in 0..120 {
            wave += 0.13;
            let rest = (wave * 3.7).sin() * 5.0;
            plots[0].push((step != 70).then_some(22.0 + wave.sin() * 9.0 + rest));
            plots[1].push(if step % 37 > 33 { 3.2 } else { 0.1 });
        }
        Self {
            page: Page::Controls,
            scheme: Scheme::Light,
            size: TextSize::Normal,
            name: "ana.souza".to_owned(),
            is_asking: false,
            is_notified: true,
            device: Some(DEVICES[0]),
            volume: 80,
            level: -18.0,
            plots,
            selected: Some(1),
            odd: false,
        }
    }
}

impl Gallery {
    pub(crate) fn update(&mut self, message: Message) {
        // The meter repaints itself.
        if !matches!(message, Message::Ticked) {
            self.odd = !self.odd;
        }
        match message {
            Message::PageChosen(page) => self.page = page,
            Message::SchemeChosen(scheme) => self.scheme = scheme,
            Message::SizeChosen(size) => self.size = size,
            Message::NameChanged(name) => self.name = name,
            Message::Notified(is_notified) => self.is_notified = is_notified,
            Message::DeviceChosen(device) => self.device = Some(device),
            Message::VolumeChanged(volume) => self.volume = volume,
            Message::Selected(row) => self.selected = Some(row),
            Message::Asked => self.is_asking = true,
            Message::Answered => self.is_asking = false,
            Message::Ticked => self.level = -60.0 - (self.level + 7.3) % 60.0,
        }
    }

    /// The level moves ten times a second while there is a call, as it does in a phone.
    fn subscription(&self) -> Subscription<Message> {
        match self.page {
            Page::Call => iced::time::every(Duration::from_millis(100)).map(|_| Message::Ticked),
            Page::Controls | Page::People | Page::Log => Subscription::none(),
        }
    }

    pub(crate) fn theme(&self) -> Theme {
        look::theme(self.scheme, iced::theme::Mode::None)
    }

    pub(crate) fn view(&self) -> Element<'_, Message> {
        let place = |icon, label, page| {
            nav::place(icon, label, self.page == page, Message::PageChosen(page))
        };
        let foot = row![
            look::avatar("ana.souza", 32.0),
            column![
                text::strong("ana.souza"),
                text::caption("registry.example").style(text::muted),
            ],
        ]
        .spacing(look::space::S)
        .align_y(Center);
        let rail = nav::rail(
            [
                place(Icon::People, "People", Page::People).count(3),
                place(Icon::Call, "Call", Page::Call),
                place(Icon::Log, "Log", Page::Log),
                place(Icon::Settings, "Controls", Page::Controls),
            ],
            Some(foot.into()),
        );
        let page = match self.page {
            Page::Controls => self.controls(),
            Page::People => self.people(),
            Page::Call => self.call(),
            Page::Log => self.log(),
        };
        let page = container(page).padding([look::space::XL, look::space::XL]);
        let question = self.is_asking.then(|| {
            look::Dialog::new(
                "Forget this certificate?",
                text::body("The registry will be asked for a new one. Compare it with its owner."),
                [
                    look::button::secondary("Cancel")
                        .on_press(Message::Answered)
                        .into(),
                    look::button::danger("Forget")
                        .on_press(Message::Answered)
                        .into(),
                ],
            )
            .on_close(Message::Answered)
        });
        look::dialog(row![rail, page.width(Fill)], question)
    }

    fn controls(&self) -> Element<'_, Message> {
        let buttons = row![
            look::button::primary((Icon::Call, "Call")).on_press(Message::Ticked),
            look::button::secondary("Look up").on_press(Message::Ticked),
            look::button::positive("Accept").on_press(Message::Ticked),
            look::button::danger("Delete").on_press(Message::Asked),
            look::button::quiet("Cancel").on_press(Message::Ticked),
            look::button::primary("Disabled"),
            look::tip(
                look::button::quiet(Icon::Settings).on_press(Message::Ticked),
                "Settings",
                Some("Ctrl ,"),
            ),
        ]
        .spacing(look::space::S);
        let typed = look::input("Your name", &self.name).on_input(Message::NameChanged);
        let is_wrong = self.name.contains(' ');
        let error = is_wrong.then_some("A name has no spaces");
        let name = look::field("Name", typed, error);
        let wrong = look::input("Registry", "registry example").style(look::wrong);
        let wrong = wrong.on_input(Message::NameChanged);
        let wrong = look::field("Registry", wrong, Some("An address has no spaces"));
        let device = look::choice(
            DEVICES.to_vec(),
            self.device,
            "Choose",
            Message::DeviceChosen,
        );
        let device = look::field("Microphone", device, None::<&str>);
        let volume = look::slider(0..=200, self.volume, 5, Message::VolumeChanged);
        let volume = row![
            look::icon(Icon::Speaker),
            volume,
            text::body(format!("{} %", self.volume))
        ];
        let schemes = [
            (Scheme::Light, "Light"),
            (Scheme::Dark, "Dark"),
            (Scheme::System, "System"),
        ];
        let sizes = TextSize::ALL.map(|size| (size, format!("{} %", size.percent())));
        let settings = column![
            look::switch(
                "Notify me of calls",
                self.is_notified,
                Some(Message::Notified)
            ),
            look::separator(),
            look::switch(
                "Only people I know may call",
                false,
                Some(Message::Notified)
            ),
            look::separator(),
            look::switch("Not here", true, None::<fn(bool) -> Message>),
        ]
        .spacing(look::space::XS);
        let marks = row![
            look::badge(Kind::Danger, "missed"),
            look::badge(Kind::Positive, "verified"),
            look::badge(Kind::Warning, "changed"),
            look::badge(Kind::Info, "new"),
            look::badge(Kind::Neutral, "relayed"),
        ]
        .spacing(look::space::S);
        let left = column![
            name,
            wrong,
            device,
            volume.spacing(look::space::M).align_y(Center),
            look::meter(self.level),
        ];
        let right = column![
            look::card(settings),
            look::segments(schemes, &self.scheme, Message::SchemeChosen),
            look::segments(sizes, &self.size, Message::SizeChosen),
            marks,
        ];
        let parts = row![
            left.spacing(look::space::L).width(Fill),
            right.spacing(look::space::L).width(Fill),
        ];
        let again = look::button::quiet("Try again")
            .on_press(Message::Ticked)
            .into();
        let banners = column![
            look::banner(Kind::Danger, "The registry does not answer", Some(again)),
            look::banner(Kind::Warning, "Your microphone is silent", None),
            look::banner(Kind::Positive, "The words agreed: this is Ana", None),
            look::banner(Kind::Info, "Give others this address: 192.0.2.7:7100", None),
        ];
        column![
            text::title("Controls"),
            buttons,
            parts.spacing(look::space::XXL),
            banners.spacing(look::space::S),
        ]
        .spacing(look::space::XL)
        .into()
    }

    fn people(&self) -> Element<'_, Message> {
        let list = look::rows(PEOPLE.len() * 300, 60.0, |number| {
            let (name, kind, presence) = PEOPLE[number % PEOPLE.len()];
            let presence = row![look::dot(kind), text::caption(presence).style(text::muted)];
            let names = column![
                row![
                    text::strong(name).wrapping(text::Wrapping::None),
                    look::icon(Icon::Verified).size(16).style(text::positive),
                ]
                .spacing(look::space::XS)
                .align_y(Center),
                presence.spacing(look::space::XS + 2.0).align_y(Center),
            ]
            .spacing(2);
            row![
                look::avatar(name, 36.0),
                container(names).width(Fill).clip(true),
                look::button::quiet(Icon::Favourite).on_press(Message::Ticked),
                look::button::quiet(Icon::Call).on_press(Message::Asked),
            ]
            .padding([0.0, look::space::M])
            .height(Fill)
            .spacing(look::space::M)
            .align_y(Center)
            .into()
        })
        .selected(self.selected, Message::Selected)
        .on_press(|_| Message::Asked);
        let search = look::input("Search people", "").on_input(Message::NameChanged);
        let list = container(list).padding(look::space::S).style(look::surface);
        let nothing = look::empty(
            Icon::People,
            "Nobody here yet",
            "People appear here once they are registered. Give them the address of your registry.",
            Some(
                look::button::secondary((Icon::Copy, "Copy address"))
                    .on_press(Message::Ticked)
                    .into(),
            ),
        );
        row![
            column![text::title("People"), search, list]
                .spacing(look::space::L)
                .width(Fill),
            container(nothing).width(280).height(Fill),
        ]
        .spacing(look::space::XL)
        .into()
    }

    fn call(&self) -> Element<'_, Message> {
        let round = |kind, icon, words: &'static str, key: &'static str| {
            let button = look::button::round(kind, icon).on_press(Message::Ticked);
            column![
                look::tip(button, words, Some(key)),
                text::caption(words).style(text::muted),
            ]
            .spacing(look::space::S)
            .align_x(Center)
            .width(72)
        };
        let controls = row![
            round(Button::Secondary, Icon::Mic, "Mute", "Ctrl M"),
            round(Button::Chosen, Icon::Pause, "On hold", "Ctrl H"),
            round(Button::Secondary, Icon::Speaker, "Sound", "Ctrl U"),
            round(Button::Danger, Icon::HangUp, "Hang up", "Esc"),
        ]
        .spacing(look::space::L);
        let who = column![
            look::avatar("ana.souza", 96.0),
            text::display("ana.souza"),
            row![
                look::icon(Icon::Lock).size(16).style(text::positive),
                text::body("04:17 · direct").style(text::muted),
            ]
            .spacing(look::space::XS)
            .align_y(Center),
        ]
        .spacing(look::space::M)
        .align_x(Center);
        let figures = row![
            look::card(look::plot(&self.plots[0], "Delay", |ms| format!(
                "{ms:.0} ms"
            ))),
            look::card(look::plot(&self.plots[1], "Loss", |part| format!(
                "{part:.1} %"
            ))),
        ]
        .spacing(look::space::L);
        column![
            space::vertical(),
            who,
            container(look::meter(self.level)).max_width(320),
            controls,
            space::vertical(),
            figures,
        ]
        .spacing(look::space::XL)
        .align_x(Center)
        .into()
    }

    fn log(&self) -> Element<'_, Message> {
        let lines = look::rows(100_000, 26.0, |number| {
            row![
                text::caption(format!("10:{:02}:{:02}", number / 60 % 60, number % 60))
                    .style(text::muted),
                look::icon(if number % 3 == 0 {
                    Icon::Up
                } else {
                    Icon::Down
                })
                .size(14)
                .style(text::muted),
                text::caption(format!(
                    "Lookup user{number} -> 192.0.2.{}:40000",
                    number % 250
                ))
                .wrapping(text::Wrapping::None),
            ]
            .padding([0.0, look::space::M])
            .height(Fill)
            .spacing(look::space::M)
            .align_y(Center)
            .into()
        })
        .follow();
        let tabs = nav::tabs([
            nav::place(Icon::Log, "Everything", true, Message::Ticked),
            nav::place(Icon::Alert, "Problems", false, Message::Ticked).count(2),
        ]);
        let lines = container(lines)
            .padding(look::space::XS)
            .style(look::surface);
        column![text::title("Log"), tabs, lines]
            .spacing(look::space::L)
            .into()
    }
}

fn main() -> iced::Result {
    iced::application(Gallery::default, Gallery::update, Gallery::view)
        .title("Gallery")
        .settings(look::settings("ramal-gallery"))
        .subscription(Gallery::subscription)
        .theme(Gallery::theme)
        .style(|gallery: &Gallery, theme| look::repaint(gallery.odd, theme))
        .scale_factor(|gallery: &Gallery| gallery.size.factor())
        .run()
}
