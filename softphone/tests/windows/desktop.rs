//! A desktop without a screen: a session bus of its own (D-Bus), and on it what windows ask a
//! desktop for. It shows notifications to nobody and keeps them, counts the icons in its tray, and
//! says whether it is dark.

use std::{
    collections::HashMap,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, MutexGuard},
};

use tokio::runtime::Runtime;
use zbus::{
    Connection, OwnedVariant, Variant, connection, interface, object_server::SignalEmitter,
};

use super::first_line;

/// Where the parts of a desktop are, by their specifications.
const NOTIFICATIONS: &str = "/org/freedesktop/Notifications";
const PORTAL: &str = "/org/freedesktop/portal/desktop";
const TRAY: &str = "/StatusNotifierWatcher";

/// What the desktop was asked to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    pub id: u32,
    pub title: String,
    /// The names of what can be pressed.
    pub actions: Vec<String>,
}

/// What there is to be seen.
#[derive(Debug, Default)]
struct Seen {
    shown: Vec<Notification>,
    /// The notifications that were taken back.
    closed: Vec<u32>,
    icons: usize,
}

type Shared = Arc<Mutex<Seen>>;

/// The desktop; it ends when this is dropped.
pub struct Desktop {
    bus: Child,
    /// What programs are told in `DBUS_SESSION_BUS_ADDRESS`.
    pub address: String,
    runtime: Runtime,
    connection: Connection,
    seen: Shared,
}

impl Desktop {
    pub fn start() -> Self {
        let mut bus = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--nopidfile", "--print-address"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon (see `make setup`)");
        let address = first_line(&mut bus);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let seen = Shared::default();
        let connection = runtime.block_on(serve(&address, &seen)).unwrap();
        Self {
            bus,
            address,
            runtime,
            connection,
            seen,
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }

    /// A notification whose title has this in it and that was not taken back.
    pub fn notification(&self, with: &str) -> Option<Notification> {
        let seen = self.seen();
        let mut shown = seen.shown.iter().rev();
        let fits =
            |shown: &&Notification| shown.title.contains(with) && !seen.closed.contains(&shown.id);
        shown.find(fits).cloned()
    }

    /// How many icons there are in the tray.
    pub fn icons(&self) -> usize {
        self.seen().icons
    }

    /// Presses a button of a notification, which is gone then.
    pub fn press(&self, notification: &Notification, action: &str) {
        assert!(notification.actions.iter().any(|there| there == action));
        let pressed = async {
            let emitter = SignalEmitter::new(&self.connection, NOTIFICATIONS)?;
            Notifications::action_invoked(&emitter, notification.id, action).await
        };
        self.runtime.block_on(pressed).unwrap();
        self.seen().closed.push(notification.id);
    }

    /// Wants windows to be dark from now on.
    pub fn turn_dark(&self) {
        let told = async {
            let emitter = SignalEmitter::new(&self.connection, PORTAL)?;
            let dark = Variant::U32(1);
            Settings::setting_changed(&emitter, "org.freedesktop.appearance", "color-scheme", dark)
                .await
        };
        self.runtime.block_on(told).unwrap();
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.bus.kill();
        let _ = self.bus.wait();
    }
}

async fn serve(address: &str, seen: &Shared) -> zbus::Result<Connection> {
    connection::Builder::address(address)
        .serve_at(NOTIFICATIONS, Notifications(Arc::clone(seen)))
        .serve_at(PORTAL, Settings)
        .serve_at(TRAY, Tray(Arc::clone(seen)))
        .name("org.freedesktop.Notifications")
        .name("org.freedesktop.portal.Desktop")
        .name("org.kde.StatusNotifierWatcher")
        .build()
        .await
}

/// Desktop Notifications Specification 1.2.
struct Notifications(Shared);

#[interface(name = "org.freedesktop.Notifications")]
impl Notifications {
    #[allow(clippy::too_many_arguments, reason = "the specification has so many")]
    fn notify(
        &self,
        _program: &str,
        _replaces: u32,
        _icon: &str,
        title: &str,
        _body: &str,
        actions: Vec<String>,
        _hints: HashMap<String, OwnedVariant>,
        _timeout: i32,
    ) -> u32 {
        let mut seen = self.0.lock().unwrap();
        let id = u32::try_from(seen.shown.len()).unwrap() + 1;
        seen.shown.push(Notification {
            id,
            title: title.to_owned(),
            // Names and what stands on them take turns.
            actions: actions.into_iter().step_by(2).collect(),
        });
        id
    }

    fn close_notification(&self, id: u32) {
        self.0.lock().unwrap().closed.push(id);
    }

    fn get_capabilities(&self) -> Vec<&str> {
        vec!["actions", "body"]
    }

    fn get_server_information(&self) -> (&str, &str, &str, &str) {
        ("nobody's", "Ramal", "0", "1.2")
    }

    #[zbus(signal)]
    async fn action_invoked(emitter: &SignalEmitter<'_>, id: u32, action: &str)
    -> zbus::Result<()>;
}

/// XDG Desktop Portal, Settings.
struct Settings;

#[interface(name = "org.freedesktop.portal.Settings")]
impl Settings {
    fn read(&self, _namespace: &str, _key: &str) -> OwnedVariant {
        OwnedVariant::try_from(Variant::U32(0)).unwrap()
    }

    #[zbus(signal)]
    async fn setting_changed(
        emitter: &SignalEmitter<'_>,
        namespace: &str,
        key: &str,
        value: Variant<'_>,
    ) -> zbus::Result<()>;
}

/// StatusNotifierItem, the side that has the tray.
struct Tray(Shared);

#[interface(name = "org.kde.StatusNotifierWatcher")]
impl Tray {
    fn register_status_notifier_item(&self, _service: &str) {
        self.0.lock().unwrap().icons += 1;
    }

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }
}
