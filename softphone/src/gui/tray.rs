//! The icon beside the clock, on desktops that have a place for one: missed calls at a glance, and
//! a phone that goes on ringing while its window is closed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use iced::{
    Subscription,
    futures::{SinkExt, Stream, channel::mpsc},
    stream,
};
use ksni::{
    Category, Icon, MenuItem, OfflineReason, Status, ToolTip, TrayMethods,
    menu::{CheckmarkItem, StandardItem},
};
use tokio::{sync::watch, time::timeout};

mod picture;

/// How long the desktop may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// How many choices may wait for the window; beyond, they are lost, as the window does not react.
const CHOICES_MAX: usize = 16;

/// What the icon shows, in the language of the person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// What stands there when the pointer rests on it: the name, and how the phone stands.
    pub title: String,
    /// The rest of it, such as how many calls were missed.
    pub detail: String,
    /// How many calls were missed and not yet seen.
    pub missed: usize,
    /// Nobody may call for now.
    pub dnd: bool,
    /// The person is away; `None` where others are not told so.
    pub away: Option<bool>,
    /// What the entries of the menu are called.
    pub labels: Labels,
}

/// What the entries of the menu are called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels {
    /// Bring the window to the front.
    pub open: String,
    /// Nobody may call for now.
    pub dnd: String,
    /// The person is away.
    pub away: String,
    /// End the program.
    pub quit: String,
}

/// What the person chose on the icon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Bring the window to the front.
    Open,
    /// Do not disturb from now on, or take calls again.
    Dnd(bool),
    /// Away from now on, or back.
    Away(bool),
    /// End the program.
    Quit,
}

/// News of the icon.
#[derive(Debug, Clone)]
pub enum Message {
    /// Where to say what it shows; comes first.
    Ready(Control),
    /// Whether it can be seen now: desktops come with and without a place for it, and some lose
    /// theirs for a while.
    Seen(bool),
    /// The person chose something.
    Chosen(Choice),
}

/// Says what the icon shows. A copy says it to the same icon.
#[derive(Debug, Clone)]
pub struct Control(watch::Sender<Shown>);

impl Control {
    /// From now on the icon shows this.
    pub fn show(&self, shown: Shown) {
        self.0.send_if_modified(|before| {
            let changes = *before != shown;
            *before = shown;
            changes
        });
    }
}

/// The icon, for as long as this is listened to.
pub fn subscription() -> Subscription<Message> {
    Subscription::run(run)
}

/// The icon at work. It is there for as long as the stream is read.
fn run() -> impl Stream<Item = Message> {
    stream::channel(CHOICES_MAX, async |mut heard: mpsc::Sender<Message>| {
        let (control, mut shown) = watch::channel(Shown::default());
        if heard.send(Message::Ready(Control(control))).await.is_err() {
            return;
        }
        // The first thing that it is to show: until then there is no icon.
        if shown.changed().await.is_err() {
            return;
        }
        let first = shown.borrow_and_update().clone();
        let nowhere = Arc::new(AtomicBool::new(false));
        let tray = Tray {
            shown: first,
            heard: heard.clone(),
            nowhere: Arc::clone(&nowhere),
        };
        let spawned = tray.assume_sni_available(true).spawn();
        let Ok(Ok(handle)) = timeout(PATIENCE, spawned).await else {
            let _ = heard.send(Message::Seen(false)).await;
            return;
        };
        if !nowhere.load(Relaxed) {
            let _ = heard.send(Message::Seen(true)).await;
        }
        while shown.changed().await.is_ok() {
            let next = shown.borrow_and_update().clone();
            if handle.update(|tray| tray.shown = next).await.is_none() {
                let _ = heard.send(Message::Seen(false)).await;
                return;
            }
        }
        handle.shutdown().await;
    })
}

#[derive(Debug)]
struct Tray {
    shown: Shown,
    heard: mpsc::Sender<Message>,
    /// There is no place for the icon now.
    nowhere: Arc<AtomicBool>,
}

impl Tray {
    fn tell(&self, heard: Message) {
        // A window that does not read its choices is frozen, and would do them much too late.
        let _ = self.heard.clone().try_send(heard);
    }

    fn choose(&mut self, choice: Choice) {
        self.tell(Message::Chosen(choice));
    }
}

impl ksni::Tray for Tray {
    fn id(&self) -> String {
        "ramal-softphone".to_owned()
    }

    fn category(&self) -> Category {
        Category::Communications
    }

    fn title(&self) -> String {
        self.shown.title.clone()
    }

    fn status(&self) -> Status {
        match self.shown.missed {
            0 => Status::Active,
            _ => Status::NeedsAttention,
        }
    }

    fn icon_pixmap(&self) -> Vec<Icon> {
        [22, 44]
            .map(|edge| picture::drawn(edge, &self.shown))
            .into()
    }

    fn attention_icon_pixmap(&self) -> Vec<Icon> {
        self.icon_pixmap()
    }

    fn tool_tip(&self) -> ToolTip {
        ToolTip {
            title: self.shown.title.clone(),
            description: self.shown.detail.clone(),
            ..ToolTip::default()
        }
    }

    fn activate(&mut self, _x: i32, _y: i32) {
        self.choose(Choice::Open);
    }

    fn menu(&self) -> Vec<MenuItem<Self>> {
        let Shown {
            dnd, away, labels, ..
        } = &self.shown;
        let mut menu = vec![
            StandardItem {
                label: labels.open.clone(),
                activate: Box::new(|tray: &mut Self| tray.choose(Choice::Open)),
                ..StandardItem::default()
            }
            .into(),
            MenuItem::Separator,
            checked(&labels.dnd, *dnd, Choice::Dnd(!dnd)),
        ];
        menu.extend(away.map(|away| checked(&labels.away, away, Choice::Away(!away))));
        menu.push(MenuItem::Separator);
        menu.push(
            StandardItem {
                label: labels.quit.clone(),
                activate: Box::new(|tray: &mut Self| tray.choose(Choice::Quit)),
                ..StandardItem::default()
            }
            .into(),
        );
        menu
    }

    fn watcher_online(&self) {
        self.nowhere.store(false, Relaxed);
        self.tell(Message::Seen(true));
    }

    fn watcher_offline(&self, _reason: OfflineReason) -> bool {
        self.nowhere.store(true, Relaxed);
        self.tell(Message::Seen(false));
        true
    }
}

fn checked(label: &str, checked: bool, choice: Choice) -> MenuItem<Tray> {
    CheckmarkItem {
        label: label.to_owned(),
        checked,
        activate: Box::new(move |tray: &mut Tray| tray.choose(choice)),
        ..CheckmarkItem::default()
    }
    .into()
}
