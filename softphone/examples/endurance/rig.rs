//! A registry and two phones on loopback, each on a runtime of its own, and one call after another.

use std::{
    net::SocketAddr,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use codec::{CallId, DeviceId, Identity, KeyCard, identity::AgreementSecret};
use registry::{
    client::{Access, agent},
    event::Events,
    limits::Limits,
    server::{self, Plain, Server},
    session::Registrar,
    store::MemoryStore,
    tls::Certificate,
};
use softphone::{
    audio,
    engine::{self, Config, Event, Handle},
    media::format::Format,
    phone::{self, Callers, Command, Keys, Me, SecondCall, Settings},
};
use tokio::{
    runtime::{Builder, Runtime},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::counts::Counts;

/// Longer than anything takes, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long nothing may change before it is taken for what stays.
const SETTLED_FOR: Duration = Duration::from_millis(500);

/// How long a runtime keeps a thread that has nothing to do.
const THREAD_KEPT: Duration = Duration::from_millis(100);

/// Everybody.
pub struct Rig {
    registry: Runtime,
    server: JoinHandle<()>,
    stop: CancellationToken,
    callee: Person,
    caller: Person,
}

/// A phone at work and whoever it belongs to.
struct Person {
    runtime: Runtime,
    driver: JoinHandle<()>,
    handle: Handle,
}

impl Rig {
    /// A registry, and two phones that are registered.
    ///
    /// # Errors
    /// What does not work, for people.
    pub fn start() -> Result<Self, String> {
        let registry = runtime()?;
        let config = server::Config {
            listen: ([127, 0, 0, 1], 0).into(),
            plain: Plain::Never,
            certificate: Certificate::in_memory().map_err(|error| error.to_string())?,
        };
        let registrar = Registrar {
            identity: Identity::from_secret(&random()?),
            agent: agent("endurance"),
            limits: Limits::default(),
        };
        // Nobody reads what happens; what does not fit is dropped.
        let (events, _) = Events::channel();
        let store = Arc::new(MemoryStore::new(16));
        let server = registry
            .block_on(Server::bind(config, registrar, store, events))
            .map_err(|error| format!("the registry cannot listen: {error}"))?;
        let at = server
            .local_addr()
            .map_err(|error| format!("the registry has no address: {error}"))?;
        let stop = CancellationToken::new();
        let server = registry.spawn(server.run(stop.clone()));
        let mut callee = Person::start("callee", at)?;
        let mut caller = Person::start("caller", at)?;
        for person in [&mut callee, &mut caller] {
            person.wait_for(|event| matches!(event, phone::Event::Registered).then_some(()))?;
        }
        Ok(Self {
            registry,
            server,
            stop,
            callee,
            caller,
        })
    }

    /// One call, from dialling to its end on both sides; returns what it took to set it up: until
    /// the caller, who is the later, has heard the callee.
    ///
    /// # Errors
    /// How it ended, or what did not happen, for people.
    pub fn call(&mut self, talk: Duration) -> Result<Duration, String> {
        let target = "callee".parse().map_err(|_| "the callee has no name")?;
        self.caller.tell(Command::Dial(target))?;
        let call = self.callee.wait_for(|event| match event {
            phone::Event::Incoming { call, .. } => Some(*call),
            _ => None,
        })?;
        self.callee.tell(Command::Answer(call))?;
        // A call counts as established once voice has come in.
        let setup = self.caller.wait_for(established)?;
        self.callee.wait_for(established)?;
        thread::sleep(talk);
        self.caller.tell(Command::Hangup(call))?;
        for person in [&mut self.caller, &mut self.callee] {
            person.wait_for(|event| is_end_of(event, call).then_some(()))?;
        }
        Ok(setup)
    }

    /// What everybody holds once that no longer changes; at the latest after [`PATIENCE`]. Does not
    /// wait any longer when it is what was held `before`.
    pub fn settled(&self, before: Option<&Counts>) -> Counts {
        let tasks = || {
            let runtimes = [&self.registry, &self.callee.runtime, &self.caller.runtime];
            runtimes.map(|runtime| runtime.metrics().num_alive_tasks())
        };
        let until = Instant::now() + PATIENCE;
        let mut last = Counts::take(tasks()).unwrap_or_default();
        let mut since = Instant::now();
        loop {
            thread::sleep(Duration::from_millis(20));
            let now = Counts::take(tasks()).unwrap_or_default();
            if !now.is_as(&last) {
                since = Instant::now();
            }
            last = now;
            let done = match before {
                Some(before) => last.more_than(before).is_empty(),
                None => since.elapsed() >= SETTLED_FOR,
            };
            if done || Instant::now() >= until {
                return last;
            }
        }
    }

    /// Ends everybody.
    ///
    /// # Errors
    /// Who does not end, for people.
    pub fn stop(self) -> Result<(), String> {
        let Self {
            registry,
            server,
            stop,
            callee,
            caller,
        } = self;
        caller.stop()?;
        callee.stop()?;
        stop.cancel();
        let ended = registry.block_on(async { timeout(PATIENCE, server).await });
        match ended {
            Ok(Ok(())) => Ok(()),
            _ => Err("the registry does not stop".to_owned()),
        }
    }
}

impl Person {
    fn start(name: &str, registry: SocketAddr) -> Result<Self, String> {
        let runtime = runtime()?;
        let identity = Identity::from_secret(&random()?);
        let agreement = AgreementSecret::from_secret(&random()?);
        let card = KeyCard::issue(&identity, agreement.key(), 1, u64::MAX);
        let config = Config {
            me: Me {
                name: name.parse().map_err(|_| "a phone has no name")?,
                device: DeviceId([1; 16]),
                identity,
                keys: Keys::new(card, agreement),
                claim: codec::claim::Claim::new(codec::RecoveryLock([7; 32])),
            },
            disk: None,
            registry: registry.into(),
            access: Access::trusting("endurance"),
            listen: ([127, 0, 0, 1], 0).into(),
            input: audio::Input::Silence,
            output: audio::Output::None,
            format: Format::default(),
            ringing: None,
            has_window: false,
            settings: Settings {
                calls_max: 1,
                ring_for: PATIENCE,
                second_call: SecondCall::Busy,
                one_at_a_time: true,
                publish: true,
                callers: Callers::Everyone,
                dnd: false,
                hidden: false,
            },
        };
        let (handle, driver) = runtime
            .block_on(engine::start(config))
            .map_err(|error| format!("the {name} cannot listen: {error}"))?;
        let driver = runtime.spawn(driver.run());
        Ok(Self {
            runtime,
            driver,
            handle,
        })
    }

    fn tell(&self, command: Command) -> Result<(), String> {
        let commands = &self.handle.commands;
        commands
            .blocking_send(engine::Command::Phone(command))
            .map_err(|_| "a phone has ended".to_owned())
    }

    /// Takes events until one is what is waited for.
    fn wait_for<T>(&mut self, wanted: impl Fn(&phone::Event) -> Option<T>) -> Result<T, String> {
        let events = &mut self.handle.events;
        let mut seen = Vec::new();
        let awaited = async {
            while let Some(event) = events.recv().await {
                if let Event::Phone(event) = event {
                    if let Some(found) = wanted(&event) {
                        return Some(found);
                    }
                    seen.push(event);
                }
            }
            None
        };
        // A timer is made where it runs.
        let found = self
            .runtime
            .block_on(async { timeout(PATIENCE, awaited).await });
        found
            .ok()
            .flatten()
            .ok_or_else(|| format!("what should happen did not, but only {seen:?}"))
    }

    fn stop(self) -> Result<(), String> {
        self.tell(Command::Stop)?;
        let Self {
            runtime,
            driver,
            mut handle,
        } = self;
        let ending = async {
            while handle.events.recv().await.is_some() {}
            driver.await
        };
        let ended = runtime.block_on(async { timeout(PATIENCE, ending).await });
        match ended {
            Ok(Ok(())) => Ok(()),
            _ => Err("a phone does not stop".to_owned()),
        }
    }
}

fn established(event: &phone::Event) -> Option<Duration> {
    match event {
        phone::Event::Established { setup, .. } => Some(*setup),
        _ => None,
    }
}

fn is_end_of(event: &phone::Event, of: CallId) -> bool {
    matches!(event, phone::Event::Ended { call, .. } if *call == of)
}

fn runtime() -> Result<Runtime, String> {
    Builder::new_multi_thread()
        .worker_threads(2)
        .thread_keep_alive(THREAD_KEPT)
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start threads: {error}"))
}

fn random() -> Result<[u8; 32], String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| format!("the system has no randomness: {error}"))?;
    Ok(bytes)
}
