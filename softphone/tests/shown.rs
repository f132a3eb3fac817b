//! What is shown of phones that run, over a real registry on this machine: the directory as it
//! changes, lookups, the calls that are over, and that these are there after the next start.

#![allow(clippy::unwrap_used)]

use std::{net::SocketAddr, path::Path, time::Duration};

use codec::registry::{Presence, Refusal};
use registry::{
    client::Access,
    limits::{Directory, Limits},
    server::Plain,
};
use softphone::{
    audio,
    call::{Direction, Reason},
    engine::{self, Config, Handle, unix_now},
    history::Change,
    media::format::Format,
    phone::{Callers, Command, Event, Found, PERSON_CALLS_MAX, RING_FOR, SecondCall, Settings},
    settings::Profile,
};
use tokio::{runtime::Runtime, sync::watch, task::JoinHandle, time::timeout};

use self::registries::{ANYWHERE, Registry};

#[path = "rig/registries.rs"]
mod registries;

/// Longer than anything takes, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

/// A phone at work.
struct Person {
    handle: Handle,
    driver: JoinHandle<()>,
}

impl Person {
    /// `name`'s phone, whose profile is in this folder.
    async fn start(name: &str, folder: &Path, registry: SocketAddr) -> Self {
        let profile = Profile::open(folder, name.parse().unwrap(), unix_now()).unwrap();
        let settings = Settings {
            calls_max: PERSON_CALLS_MAX,
            ring_for: RING_FOR,
            second_call: SecondCall::Offer,
            one_at_a_time: true,
            publish: true,
            callers: Callers::Everyone,
            dnd: false,
            hidden: false,
        };
        let config = Config {
            me: profile.me,
            disk: Some(profile.disk),
            registry: registry.into(),
            access: Access::trusting("test"),
            listen: ANYWHERE,
            input: audio::Input::Silence,
            output: audio::Output::None,
            format: Format::default(),
            ringing: None,
            has_window: false,
            settings,
        };
        let (handle, driver) = engine::start(config).await.unwrap();
        let driver = tokio::spawn(driver.run());
        let mut person = Self { handle, driver };
        person
            .wait_for(|event| matches!(event, Event::Registered).then_some(()))
            .await;
        person
    }

    async fn tell(&self, command: impl Into<engine::Command>) {
        self.handle.commands.send(command.into()).await.unwrap();
    }

    async fn wait_for<T>(&mut self, wanted: impl Fn(&Event) -> Option<T>) -> T {
        let found = async {
            while let Some(event) = self.handle.events.recv().await {
                if let engine::Event::Phone(event) = event
                    && let Some(found) = wanted(&event)
                {
                    return found;
                }
            }
            panic!("the phone has ended");
        };
        timeout(PATIENCE, found).await.expect("it did not happen")
    }

    /// Looks somebody up.
    async fn find(&mut self, typed: &str) -> Found {
        self.tell(Command::Lookup(typed.parse().unwrap())).await;
        let found = self.wait_for(|event| match event {
            Event::Found { found, .. } => Some(found.clone()),
            _ => None,
        });
        found.await.unwrap()
    }

    async fn stop(mut self) {
        self.tell(Command::Stop).await;
        self.wait_for(|event| matches!(event, Event::Stopped).then_some(()))
            .await;
        timeout(PATIENCE, self.driver).await.unwrap().unwrap();
    }
}

/// Waits until a view is so.
async fn until<T>(view: &watch::Receiver<T>, so: impl Fn(&T) -> bool) {
    let mut view = view.clone();
    let seen = timeout(PATIENCE, view.wait_for(|value| so(value))).await;
    assert!(seen.expect("it did not happen").is_ok());
}

#[test]
fn the_directory_lookups_and_calls_are_shown_and_calls_are_there_after_the_next_start() {
    let runtime = Runtime::new().unwrap();
    let registry = Registry::start(&runtime, ANYWHERE, Plain::Never, 9);
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    runtime.block_on(async {
        let mut alice = Person::start("alice", folders[0].path(), registry.addr).await;
        let mut bob = Person::start("bob", folders[1].path(), registry.addr).await;
        let views = alice.handle.views.clone();
        alice.tell(Command::Watch(true)).await;
        until(&views.roster, |roster| {
            roster.complete && roster.entries.len() == 2
        })
        .await;

        // At the registry, at the registry by its address, and at the phone itself.
        let at = bob.handle.listening.unwrap();
        let key = Some(registry.key);
        for (typed, vouches) in [
            ("BOB".to_owned(), key),
            (format!("bob@{}", registry.addr), key),
            (format!("bob@{at}"), None),
        ] {
            let found = alice.find(&typed).await;
            assert_eq!(found.registry, vouches, "{typed}");
            assert!(
                found.contacts.contains(&at),
                "{typed}: {:?}",
                found.contacts
            );
        }

        // A call that is missed, and one that is taken.
        for taken in [false, true] {
            alice.tell(Command::Dial("bob".parse().unwrap())).await;
            let incoming = |event: &Event| match event {
                Event::Incoming { call, .. } => Some(*call),
                _ => None,
            };
            let call = bob.wait_for(incoming).await;
            if taken {
                bob.tell(Command::Answer(call)).await;
                let up = |event: &Event| matches!(event, Event::Established { .. }).then_some(());
                alice.wait_for(up).await;
                bob.wait_for(up).await;
                let name = &"bob".parse().unwrap();
                until(&views.roster, |roster| {
                    roster
                        .get(name)
                        .is_some_and(|bob| bob.presence == Presence::Busy)
                })
                .await;
            }
            alice.tell(Command::Hangup(call)).await;
            for person in [&mut alice, &mut bob] {
                let over = |event: &Event| matches!(event, Event::Ended { .. }).then_some(());
                person.wait_for(over).await;
            }
        }
        let history = bob.handle.views.history.borrow().clone();
        let reasons: Vec<_> = history.entries.iter().map(|past| past.reason).collect();
        assert_eq!(reasons, [Reason::RemoteHangup, Reason::Cancelled]);
        assert!(
            history
                .entries
                .iter()
                .all(|past| past.direction == Direction::Incoming)
        );
        assert_eq!(history.unseen(), 1);
        until(&alice.handle.views.book, |book| book.len() == 1).await;
        bob.stop().await;
        until(&views.roster, |roster| roster.entries.len() == 1).await;

        // Everything is as it was, down to what has not been seen.
        let bob = Person::start("bob", folders[1].path(), registry.addr).await;
        let kept = bob.handle.views.history.clone();
        assert_eq!(*kept.borrow(), history);
        bob.tell(engine::Command::History(Change::Seen)).await;
        until(&kept, |kept| kept.unseen() == 0).await;
        bob.tell(engine::Command::History(Change::Clear)).await;
        until(&kept, |kept| kept.entries.is_empty()).await;
        bob.stop().await;
        let bob = Person::start("bob", folders[1].path(), registry.addr).await;
        assert!(bob.handle.views.history.borrow().entries.is_empty());
        bob.stop().await;
        alice.stop().await;
    });
}

#[test]
fn a_registry_that_shows_its_directory_to_members_nobody_or_few_is_followed_as_far_as_it_tells() {
    let default = Limits::default();
    let limits = |directory, watchers_of_all| Limits {
        directory,
        watchers_of_all,
        ..default
    };
    let few = default.watchers_of_all;
    for (limits, refused) in [
        (limits(Directory::Members, few), None),
        (limits(Directory::Closed, few), Some(Refusal::Closed)),
        // Nobody may watch, so it is read now and then.
        (limits(Directory::Open, 0), None),
    ] {
        let runtime = Runtime::new().unwrap();
        let registry = Registry::limited(&runtime, ANYWHERE, Plain::Never, 9, limits);
        let folder = tempfile::tempdir().unwrap();
        runtime.block_on(async {
            let alice = Person::start("alice", folder.path(), registry.addr).await;
            alice.tell(Command::Watch(true)).await;
            let roster = &alice.handle.views.roster;
            until(roster, |roster| roster.complete || roster.refused.is_some()).await;
            let seen = roster.borrow().clone();
            assert_eq!(seen.refused, refused);
            assert_eq!(seen.entries.len(), usize::from(refused.is_none()));
            alice.stop().await;
        });
    }
}
