//! What the desktop wants windows to look like.
//!
//! On Linux it says so through the settings of its portal (XDG Desktop Portal, namespace
//! `org.freedesktop.appearance`, key `color-scheme`), at the start and at each change. Where there
//! is no portal nothing is said, and windows stay light.

use iced::{Subscription, Task, theme::Mode};

/// What the desktop wants at the start, where [`changes`] does not begin with it.
pub fn at_start() -> Task<Mode> {
    match cfg!(target_os = "linux") {
        true => Task::none(),
        false => iced::system::theme(),
    }
}

/// What the desktop wants at each change; on Linux also what it wants now.
pub fn changes() -> Subscription<Mode> {
    #[cfg(target_os = "linux")]
    return Subscription::run(portal::modes);
    #[cfg(not(target_os = "linux"))]
    iced::system::theme_changes()
}

#[cfg(target_os = "linux")]
mod portal {
    use iced::{
        futures::{SinkExt, Stream, StreamExt, channel::mpsc::Sender},
        theme::Mode,
    };
    use zbus::{Connection, OwnedVariant, Proxy, Variant};

    const NAMESPACE: &str = "org.freedesktop.appearance";
    const KEY: &str = "color-scheme";

    pub(super) fn modes() -> impl Stream<Item = Mode> {
        iced::stream::channel(4, async |mut modes| {
            // A desktop without a bus or a portal has no wish.
            let _ = follow(&mut modes).await;
        })
    }

    async fn follow(modes: &mut Sender<Mode>) -> zbus::Result<()> {
        let bus = Connection::session().await?;
        let settings = Proxy::new(
            &bus,
            "org.freedesktop.portal.Desktop",
            "/org/freedesktop/portal/desktop",
            "org.freedesktop.portal.Settings",
        )
        .await?;
        let about = [(0, NAMESPACE), (1, KEY)];
        let mut changes = settings
            .receive_signal_with_args("SettingChanged", &about)
            .await?;
        let now: OwnedVariant = settings.call("Read", &(NAMESPACE, KEY)).await?;
        // Nobody is left to be told when sending fails.
        let mut told = modes.send(mode(&now)).await;
        while let (Ok(()), Some(change)) = (told, changes.next().await) {
            let body = change.body();
            let (_, _, value): (&str, &str, Variant<'_>) = body.deserialize()?;
            told = modes.send(mode(&value)).await;
        }
        Ok(())
    }

    /// What a value of the portal means: 1 is dark, 2 light; anything else is no wish. `Read` wraps
    /// it in a variant more than the signal does.
    fn mode(value: &Variant<'_>) -> Mode {
        match value {
            Variant::Variant(inner) => mode(inner),
            Variant::U32(1) => Mode::Dark,
            Variant::U32(2) => Mode::Light,
            _ => Mode::None,
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn what_a_portal_says_is_read_in_both_its_shapes() {
            for (said, meant) in [
                (0, Mode::None),
                (1, Mode::Dark),
                (2, Mode::Light),
                (7, Mode::None),
            ] {
                let plain = Variant::U32(said);
                assert_eq!(mode(&plain), meant);
                assert_eq!(mode(&Variant::Variant(Box::new(plain))), meant);
            }
            assert_eq!(mode(&Variant::from("dark")), Mode::None);
        }
    }
}
