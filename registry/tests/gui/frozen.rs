//! A window that does not run leaves the registry untouched, and catches up afterwards.

use std::{
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use iced::futures::{Stream, StreamExt};
use registry::{
    desk::{Query, Shown},
    event::Warning,
    gui::{
        host::{self, Command, Event, Phase, Seen, Sight},
        journal::Journal,
        lines::What,
    },
    operate::Options,
    server::Plain,
};
use tokio::{sync::mpsc, task::spawn_blocking, time::timeout};

use crate::visitor::Visitor;

/// Longer than anything takes on a busy machine.
const AT_LAST: Duration = Duration::from_secs(60);

/// How long the window does not run.
const FROZEN: Duration = Duration::from_secs(5);

/// A window's side of a registry.
struct Window<S> {
    events: S,
    commands: mpsc::Sender<Command>,
    journal: Journal,
    seen: Arc<Seen>,
}

impl<S: Stream<Item = Event> + Unpin> Window<S> {
    async fn of(mut events: S) -> Self {
        let first = timeout(AT_LAST, events.next()).await.unwrap();
        let Some(Event::Ready(commands, journal)) = first else {
            panic!("{first:?}")
        };
        Self {
            events,
            commands,
            journal,
            seen: Arc::default(),
        }
    }

    async fn until(&mut self, is: impl Fn(&Seen) -> bool) {
        let wait = async {
            while !is(&self.seen) {
                match self.events.next().await {
                    Some(Event::Seen(seen)) => self.seen = seen,
                    other => panic!("{other:?}"),
                }
            }
        };
        timeout(AT_LAST, wait).await.expect("it is never so");
    }

    async fn open(&mut self, data: &Path) -> SocketAddr {
        let any = "127.0.0.1:0".parse().unwrap();
        let mut options = Options::new(any, Some(data.to_owned()));
        options.plain = Plain::Any;
        self.tell(Command::Open(Box::new(options))).await;
        self.until(|seen| seen.phase.is_open()).await;
        self.seen.phase.facts().unwrap().listening
    }

    async fn tell(&self, command: Command) {
        self.commands.send(command).await.unwrap();
    }

    async fn close(mut self) {
        self.tell(Command::Close).await;
        self.until(|seen| seen.phase.is_closed()).await;
    }
}

fn registered() -> Sight {
    Sight::Users {
        query: Query {
            shown: Shown::Registered,
            ..Query::default()
        },
        chosen: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_does_not_run_for_5_s_leaves_the_registry_untouched_and_catches_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = Window::of(Box::pin(host::connect(&host::Hosting::default()))).await;
    let addr = window.open(&folder.path().join("registry")).await;
    window.tell(Command::LookAt(registered())).await;
    let _ = window.journal.take();
    // From here on nobody polls the window's stream, takes lines, or answers anything.
    let frozen_until = Instant::now() + FROZEN;
    let (visits, slowest, visitors) = spawn_blocking(move || {
        let (mut visits, mut slowest) = (0, Duration::ZERO);
        let mut visitors = Vec::new();
        while Instant::now() < frozen_until {
            visits += 1;
            let began = Instant::now();
            let from = u8::try_from(2 + visits % 200).unwrap();
            let mut visitor = Visitor::phone(addr, from, visits);
            let name = format!("visitor{visits}");
            assert!(visitor.register(&name).is_ok(), "{name} registers");
            assert!(visitor.lookup(&name).is_ok(), "{name} is found");
            slowest = slowest.max(began.elapsed());
            visitors.push(visitor);
        }
        (visits, slowest, visitors)
    })
    .await
    .unwrap();
    println!("{visits} visits, the slowest in {slowest:?}");
    assert!(visits >= 20, "{visits} visits in {FROZEN:?}");
    assert!(slowest < FROZEN, "{slowest:?}");
    let here = usize::try_from(visits).unwrap();
    window.until(|seen| seen.users.users.matching == here).await;
    let lines = window.journal.take();
    let said = |text: &str| lines.iter().filter(|it| it.text.contains(text)).count();
    assert_eq!(
        (said("Register visitor"), said("Lookup visitor")),
        (here, here)
    );
    assert!(!lines.iter().any(|it| matches!(it.what, What::Missing(_))));
    drop(visitors);
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_registry_reaches_the_window_as_long_as_it_is_so() {
    let folder = tempfile::tempdir().unwrap();
    // No socket has so long a path.
    let data = folder.path().join("x".repeat(120));
    let mut window = Window::of(Box::pin(host::connect(&host::Hosting::default()))).await;
    window.open(&data).await;
    let no_socket = |it: &Warning| matches!(it, Warning::NoAdminSocket { .. });
    assert!(window.seen.warnings.iter().any(no_socket));
    window.tell(Command::Close).await;
    window.until(|seen| seen.phase.is_closed()).await;
    // Opened where there is room for one, there is nothing to tell.
    window.open(&folder.path().join("short")).await;
    assert!(!window.seen.warnings.iter().any(no_socket));
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_registry_on_the_same_folder_is_told_so_whatever_its_port() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("registry");
    let mut first = Window::of(Box::pin(host::connect(&host::Hosting::default()))).await;
    let addr = first.open(&data).await;
    for listen in [addr, "127.0.0.1:0".parse().unwrap()] {
        let mut second = Window::of(Box::pin(host::connect(&host::Hosting::default()))).await;
        let options = Options::new(listen, Some(data.clone()));
        second.tell(Command::Open(Box::new(options))).await;
        second
            .until(|seen| matches!(seen.phase, Phase::Failed(_)))
            .await;
        let Phase::Failed(error) = &second.seen.phase else {
            unreachable!()
        };
        let text = error.to_string();
        assert!(text.contains("another registry uses"), "{listen}: {text}");
    }
    first.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_is_closed_and_opened_again_and_its_users_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("registry");
    let mut window = Window::of(Box::pin(host::connect(&host::Hosting::default()))).await;
    for _ in 0..2 {
        let addr = window.open(&data).await;
        window.tell(Command::LookAt(registered())).await;
        let visitor = spawn_blocking(move || {
            let mut visitor = Visitor::phone(addr, 7, 7);
            assert!(visitor.register("alice").is_ok());
            visitor
        });
        let visitor = visitor.await.unwrap();
        let is_here = |seen: &Seen| {
            let user = seen.users.users.users.first();
            user.is_some_and(|it| it.devices.iter().any(|it| it.connection.is_some()))
        };
        window.until(is_here).await;
        window.tell(Command::Close).await;
        window.until(|seen| seen.phase.is_closed()).await;
        let Phase::Ended { closed } = &window.seen.phase else {
            panic!("{:?}", window.seen.phase)
        };
        assert_eq!(closed.cut, 0);
        assert!(window.seen.users.users.users.is_empty());
        drop(visitor);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_operator_does_is_done_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = Window::of(Box::pin(host::connect(&host::Hosting::default()))).await;
    let addr = window.open(&folder.path().join("registry")).await;
    window.tell(Command::LookAt(registered())).await;
    let visitor = spawn_blocking(move || {
        let mut visitor = Visitor::phone(addr, 7, 7);
        assert!(visitor.register("alice").is_ok());
        visitor
    });
    let _visitor = visitor.await.unwrap();
    window.until(|seen| seen.users.users.matching == 1).await;
    let ban = host::Act::Ban("alice".to_owned());
    window.tell(Command::Act(ban)).await;
    window.until(|seen| !seen.told.is_empty()).await;
    let told = window.seen.told[0].what.clone();
    assert!(told.is_ok(), "{told:?}");
    window.tell(Command::LookAt(Sight::Bans)).await;
    window.until(|seen| seen.bans.len() == 1).await;
    let unban = host::Act::Unban("nobody at all".to_owned());
    window.tell(Command::Act(unban)).await;
    window.until(|seen| seen.told.len() == 2).await;
    assert!(window.seen.told[1].what.is_err());
    window.close().await;
}
