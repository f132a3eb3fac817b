//! Desktop notifications of calls: who calls, with buttons where the desktop has them.
//!
//! A desktop without notifications is normal: then nothing is shown, and nobody waits for it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use codec::CallId;
use iced::Task;
use notify_rust::{Hint, Notification, NotificationResponse, Timeout, Urgency};
use tokio::{sync::oneshot, task::spawn_blocking, time::timeout};

/// How long the desktop may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many notifications there can be at once. A phone has fewer calls than that.
const SHOWN_MAX: usize = 16;

/// How long it is waited for what a person does with something told.
const TOLD_FOR: Duration = Duration::from_secs(3600);

const ANSWER: &str = "answer";
const DECLINE: &str = "decline";

/// What a notification says, in the language of the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// In a few words.
    pub title: String,
    /// In a sentence.
    pub body: String,
    /// What can be pressed on it; nothing on one that only tells.
    pub buttons: Option<Buttons>,
}

/// What stands on the buttons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buttons {
    /// Take the call.
    pub answer: String,
    /// Decline it.
    pub decline: String,
}

/// What the person did with a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message {
    /// Pressed the button that takes the call.
    Answer(CallId),
    /// Pressed the button that declines it.
    Decline(CallId),
    /// Clicked on it: they want to see the window.
    Open,
    /// Nothing, or there are no notifications here.
    Nothing,
}

/// The notifications of calls that ring.
#[derive(Debug, Default)]
pub struct Notices {
    /// A notification goes as soon as its sender is dropped.
    shown: HashMap<CallId, oneshot::Sender<()>>,
    /// Shared with every task that waits for what a person does with something told.
    told: Arc<()>,
}

impl Notices {
    /// Tells that a call rings, until [`Self::keep`] takes it back or the person presses a button.
    pub fn incoming(&mut self, call: CallId, notice: Notice) -> Task<Message> {
        if self.shown.len() >= SHOWN_MAX || self.shown.contains_key(&call) {
            return Task::none();
        }
        let (over, is_over) = oneshot::channel();
        self.shown.insert(call, over);
        Task::perform(ring(call, notice, is_over), |heard| heard)
    }

    /// Takes back the notifications of calls that do not ring any more.
    pub fn keep(&mut self, rings: impl Fn(CallId) -> bool) {
        self.shown.retain(|call, _| rings(*call));
    }

    /// Tells something that has no buttons, such as a missed call; not while a person has left so
    /// many others where they are.
    pub fn tell(&self, notice: Notice) -> Task<Message> {
        if Arc::strong_count(&self.told) > SHOWN_MAX {
            return Task::none();
        }
        let place = Arc::clone(&self.told);
        let told = async move {
            let heard = told(notice).await;
            drop(place);
            heard
        };
        Task::perform(told, |heard| heard)
    }
}

async fn told(notice: Notice) -> Message {
    let Ok(Ok(shown)) = timeout(PATIENCE, made(&notice, false).show_async()).await else {
        return Message::Nothing;
    };
    let mut heard = Message::Nothing;
    let pressed = shown.wait_for_action_async(|response| {
        if matches!(response, NotificationResponse::Default) {
            heard = Message::Open;
        }
    });
    // Some desktops never say that one has gone.
    let _ = timeout(TOLD_FOR, pressed).await;
    heard
}

async fn ring(call: CallId, notice: Notice, is_over: oneshot::Receiver<()>) -> Message {
    let buttons = notice.buttons.is_some() && takes_buttons().await;
    let Ok(Ok(shown)) = timeout(PATIENCE, made(&notice, buttons).show_async()).await else {
        return Message::Nothing;
    };
    let mut heard = Message::Nothing;
    let pressed = shown.wait_for_action_async(|response| {
        heard = match response {
            NotificationResponse::Default => Message::Open,
            NotificationResponse::Action(name) if name == ANSWER => Message::Answer(call),
            NotificationResponse::Action(name) if name == DECLINE => Message::Decline(call),
            _ => Message::Nothing,
        };
    });
    tokio::select! {
        () = pressed => heard,
        _ = is_over => {
            // Whether it could be taken back or not, the desktop lets it go by itself some time.
            let _ = timeout(PATIENCE, shown.close_async()).await;
            Message::Nothing
        }
    }
}

/// Whether the desktop shows buttons on notifications.
async fn takes_buttons() -> bool {
    let asked = timeout(PATIENCE, spawn_blocking(notify_rust::get_capabilities)).await;
    match asked {
        Ok(Ok(Ok(capabilities))) => capabilities
            .iter()
            .any(|capability| capability == "actions"),
        _ => false,
    }
}

fn made(notice: &Notice, buttons: bool) -> Notification {
    let mut made = Notification::new();
    made.appname("Ramal")
        .icon("ramal-softphone")
        .summary(&notice.title)
        .body(&notice.body)
        .hint(Hint::DesktopEntry("ramal-softphone".to_owned()));
    match &notice.buttons {
        // It is of use for as long as it rings, and not after that.
        Some(words) => {
            made.urgency(Urgency::Critical)
                .timeout(Timeout::Never)
                .hint(Hint::Category("call.incoming".to_owned()))
                .hint(Hint::Transient(true));
            if buttons {
                made.action("default", &notice.title)
                    .action(ANSWER, &words.answer)
                    .action(DECLINE, &words.decline);
            }
        }
        None => {
            made.hint(Hint::Category("call.unanswered".to_owned()));
        }
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice() -> Notice {
        Notice {
            title: "bob is calling".to_owned(),
            body: "verified".to_owned(),
            buttons: Some(Buttons {
                answer: "Answer".to_owned(),
                decline: "Decline".to_owned(),
            }),
        }
    }

    #[test]
    fn buttons_are_on_a_notification_only_where_the_desktop_has_them() {
        assert_eq!(made(&notice(), false).actions.len(), 0);
        let actions = made(&notice(), true).actions;
        assert!(actions.contains(&"Answer".to_owned()), "{actions:?}");
        assert!(actions.contains(&"Decline".to_owned()), "{actions:?}");
    }

    #[test]
    fn a_call_is_told_once_and_taken_back_when_it_rings_no_more() {
        let mut notices = Notices::default();
        let (first, second) = (CallId([1; 16]), CallId([2; 16]));
        let _ = notices.incoming(first, notice());
        let _ = notices.incoming(first, notice());
        let _ = notices.incoming(second, notice());
        assert_eq!(notices.shown.len(), 2);
        notices.keep(|call| call == second);
        assert!(!notices.shown.contains_key(&first));
        assert!(notices.shown.contains_key(&second));
    }
}
