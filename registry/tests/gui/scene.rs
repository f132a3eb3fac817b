//! Windows in every state that a person may find them in, without a registry behind them.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use codec::{IdentityKey, UnixMillis, registry::Presence};
use iced::futures::StreamExt;
use iced_test::{
    runtime::{Action, task::into_stream},
    selector::{Candidate, Target},
};
use jiff::tz::{TimeZone, offset};
use look::{Language, Scheme};
use registry::{
    desk::{Ban, Device, Query, Requests, Stats, User, Users},
    event::Warning,
    gui::{
        App, Message, Place, Start,
        host::{self, Found, Phase, Seen},
        lines::{Line, What},
        preferences::{self, Preferences},
    },
    operate::{Facts, KeyIs, OpenError},
    server::Pulse,
    store::Moment,
};

/// 2026-11-21, 10:31:07.250 UTC.
pub const CLOCK: UnixMillis = 1_795_257_067_250;

/// A window, and what it has seen so far.
pub struct Scene {
    pub app: App,
    pub seen: Seen,
    moment: Moment,
}

impl Scene {
    /// A window whose registry was not opened yet.
    pub fn new(language: Language, scheme: Scheme) -> Self {
        let preferences = Preferences {
            language,
            scheme,
            place: Some(Place::Users),
            ..Preferences::default()
        };
        let found = preferences::Found {
            preferences,
            set_aside: None,
        };
        // A folder that nothing can be written to: a test leaves nothing behind.
        let start = Start {
            data: PathBuf::from("/dev/null/ramal/registry"),
            listen: None,
            open: false,
            found,
            // Brasília.
            zone: TimeZone::fixed(offset(-3)),
            hosting: host::Hosting::default(),
        };
        let (app, _) = App::new(&start);
        let moment = Moment {
            now: Instant::now(),
            time: CLOCK,
        };
        Self {
            app,
            seen: Seen::default(),
            moment,
        }
    }

    pub fn english() -> Self {
        Self::new(Language::English, Scheme::Light)
    }

    pub fn say(&mut self, message: Message) {
        let _ = self.app.update_at(message, self.moment);
    }

    /// Whether the window goes when this happens.
    pub fn goes_at(&mut self, message: Message) -> bool {
        let task = self.app.update_at(message, self.moment);
        let Some(mut actions) = into_stream(task) else {
            return false;
        };
        // What is known at once: a window that goes waits for nothing more.
        let mut cx = Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(action)) = actions.poll_next_unpin(&mut cx) {
            if matches!(action, Action::Exit) {
                return true;
            }
        }
        false
    }

    /// Whether the window goes when so much time has gone by.
    pub fn goes_after(&mut self, after: Duration) -> bool {
        self.moment.now += after;
        self.goes_at(Message::Tick)
    }

    pub fn go(mut self, place: Place) -> Self {
        self.say(Message::Go(place));
        self
    }

    /// What is in `seen` reaches the window.
    pub fn look(&mut self) {
        let seen = Arc::new(self.seen.clone());
        self.say(Message::Host(host::Event::Seen(seen)));
    }

    pub fn phase(mut self, phase: Phase) -> Self {
        self.seen.phase = phase;
        self.look();
        self
    }

    pub fn open(self) -> Self {
        self.phase(Phase::Open(facts(KeyIs::Kept)))
    }

    pub fn closing(self) -> Self {
        let until = self.moment.now + host::PATIENCE;
        let facts = facts(KeyIs::Kept);
        self.phase(Phase::Closing { facts, until })
    }

    pub fn failed(self, error: OpenError) -> Self {
        self.phase(Phase::Failed(Arc::new(error)))
    }

    /// So many of the users below are there.
    pub fn users(mut self, users: Vec<User>) -> Self {
        let (matching, owned) = (users.len(), users.len() + 3);
        self.seen.users = Arc::new(Found {
            users: Users {
                users,
                matching,
                owned,
            },
            query: Query::default(),
            chosen: None,
            at: self.moment.now,
        });
        self.look();
        self
    }

    /// The panel of one of them is open.
    pub fn chosen(mut self, at: usize) -> Self {
        use registry::gui::users::Message as At;
        let user = &self.seen.users.users.users[at];
        let device = user.devices.first().map(|it| it.id.clone());
        let name = user.name.clone();
        self.say(Message::Users(At::RowPressed { name, device }));
        let mut found = Found::clone(&self.seen.users);
        found.chosen = found.users.users.get(at).cloned();
        self.seen.users = Arc::new(found);
        self.look();
        self
    }

    pub fn bans(mut self, bans: Vec<Ban>) -> Self {
        self.seen.bans = Arc::new(bans);
        self.look();
        self
    }

    /// Ten minutes of a busy morning.
    pub fn pulses(mut self) -> Self {
        self.seen.pulses = Arc::new((1..=600).map(pulse).collect());
        self.seen.stats = Some(Arc::new(stats()));
        self.look();
        self
    }

    /// So much is wrong.
    pub fn warnings(mut self, warnings: &[Warning]) -> Self {
        self.seen.warnings = Arc::new(warnings.to_vec());
        self.look();
        self
    }

    pub fn lines(mut self, lines: impl IntoIterator<Item = Line>) -> Self {
        self.app.write(lines);
        self
    }
}

pub fn facts(key: KeyIs) -> Arc<Facts> {
    Arc::new(Facts {
        listening: at("0.0.0.0:5000"),
        addresses: vec![at("192.168.15.7:5000"), at("10.8.0.3:5000")],
        fingerprint: "b7d3-9f20-44c1-0ae8".to_owned(),
        key,
        folder: Some(Path::new("/home/ana/.local/share/ramal/registry").to_owned()),
    })
}

pub fn at(addr: &str) -> SocketAddr {
    addr.parse().unwrap()
}

const NAMES: [&str; 12] = [
    "alice",
    "ana.souza",
    "bob",
    "carol",
    "João",
    "Иван",
    "front-desk",
    "doorbell",
    "a-name-as-long-as-names-may-be-x",
    "dave",
    "erin",
    "frank",
];

/// So many users: with one phone, with two, without any, hidden, banned, far away.
pub fn users(count: usize) -> Vec<User> {
    let user = |at: usize| {
        let name = match NAMES.get(at) {
            Some(name) => (*name).to_owned(),
            None => format!("user{at:04}"),
        };
        let key = IdentityKey([u8::try_from(at % 256).unwrap(); 32]);
        let devices = match at % 12 {
            3 => vec![],
            1 => vec![device(at), device(at + 1000)],
            _ => vec![device(at)],
        };
        User {
            name: name.parse().unwrap(),
            key,
            fingerprint: key.fingerprint(),
            banned: at % 12 == 3,
            claimed_at: CLOCK - 40 * 86_400_000,
            used_at: CLOCK - 5 * 3_600_000,
            free_at: None,
            devices,
        }
    };
    (0..count).map(user).collect()
}

fn device(at: usize) -> Device {
    let last = u8::try_from(at % 250).unwrap();
    let contact: SocketAddr = match at % 12 {
        5 => "[2001:db8:85a3::8a2e:370:7334]:40000".parse().unwrap(),
        _ => ([192, 168, 15, last], 40_000).into(),
    };
    Device {
        id: format!(
            "{:08x}",
            0x9e37_79b9_usize.wrapping_mul(at + 1) & 0xffff_ffff
        ),
        contacts: match at % 12 {
            6 => vec![],
            2 => vec![contact, ([10, 0, 0, last], 40_000).into()],
            _ => vec![contact],
        },
        since_s: 37 * u64::try_from(at + 1).unwrap() % 200_000,
        lease_left_s: u16::try_from(12 + at * 7 % 48).unwrap(),
        connection: (at % 12 != 7).then(|| ([192, 168, 15, last], 51_234).into()),
        presence: match at % 12 {
            0 => Presence::Busy,
            4 => Presence::Away,
            _ => Presence::Available,
        },
        unverified: at % 12 == 8,
    }
}

pub fn bans() -> Vec<Ban> {
    let key = IdentityKey([0x5a; 32]);
    vec![
        Ban {
            name: None,
            key: Some(key),
            fingerprint: Some(key.fingerprint()),
            since: CLOCK - 3_600_000,
        },
        Ban {
            name: Some("admin".parse().unwrap()),
            key: None,
            fingerprint: None,
            since: CLOCK - 12 * 86_400_000,
        },
    ]
}

fn pulse(number: u64) -> Pulse {
    let wave = |over: u64, high: f64| {
        let part = f64::from(u32::try_from(number % over).unwrap()) / 60.0;
        (high * (1.0 + part.sin()) / 2.0).floor()
    };
    Pulse {
        number,
        at: CLOCK + 1000 * number,
        registrations: wave(173, 4.0),
        refreshes: wave(211, 80.0),
        lookups: wave(307, 38.0),
        envelopes: wave(97, 14.0),
        requests: wave(307, 130.0),
        registered: 1200 + usize::try_from(number / 3).unwrap(),
        connections: 1250,
    }
}

fn stats() -> Stats {
    let requests = ["register", "refresh", "lookup", "send"].map(|kind| Requests {
        kind: kind.to_owned(),
        all: 48_211,
        per_s: 3.0,
    });
    Stats {
        uptime_s: 3 * 86_400,
        connections: 1250,
        identities: 1233,
        owned: 2100,
        registered: 1400,
        requests: requests.to_vec(),
        counted: [("full", 3), ("banned", 9), ("idle", 41), ("slowed", 127)]
            .map(|(word, times)| (word.to_owned(), times))
            .to_vec(),
    }
}

/// So many lines of a day's work.
pub fn lines(count: usize) -> Vec<Line> {
    let line = |number: usize| {
        let peer = at(&format!("192.168.15.{}:51234", number % 250));
        let (what, text) = match number % 8 {
            0 => (What::Connection(peer), "connected".to_owned()),
            1 => (
                What::Received(peer),
                "Hello ramal-softphone/0.1.0 identity=a7d9-12ef-90bc-4411".to_owned(),
            ),
            2 => (What::Sent(peer), format!("Welcome observed={peer}")),
            3 => (
                What::Received(peer),
                format!(
                    "#{number} Register alice device=9c2f01aa contacts=[{peer}] expires=60s cseq=7"
                ),
            ),
            4 => (
                What::Sent(peer),
                format!("#{number} Registered expires=60s"),
            ),
            5 => (What::Note, format!("added user{number}")),
            6 => (What::Received(peer), format!("#{number} Lookup bob")),
            _ => (
                What::Sent(peer),
                format!("#{number} Found bob contacts=[192.168.15.9:40000, 10.0.0.9:40000]"),
            ),
        };
        let at = CLOCK + u64::try_from(number).unwrap() * 37;
        Line::new(at, what, &text)
    };
    let mut lines: Vec<Line> = (0..count).map(line).collect();
    if let Some(line) = lines.get_mut(4) {
        *line = Line::new(line.at, What::Warning, "1 connections did not end in time");
    }
    if let Some(line) = lines.get_mut(9) {
        *line = Line::new(line.at, What::Missing(17), "");
    }
    lines
}

/// After a while.
pub fn later(scene: &mut Scene, after: Duration) {
    scene.moment.now += after;
    scene.say(Message::Tick);
}

impl Scene {
    /// What the window tells whatever runs the registry comes out here.
    pub fn connect(&mut self) -> tokio::sync::mpsc::Receiver<host::Command> {
        let (commands, queue) = tokio::sync::mpsc::channel(64);
        let journal = registry::gui::journal::Journal::default();
        self.say(Message::Host(host::Event::Ready(commands, journal)));
        queue
    }
}

/// Every reason why a registry does not open, and some words of what is said then.
pub fn errors() -> Vec<(OpenError, &'static str)> {
    use std::io;

    use registry::{keyfile::Exposed, store::embedded, tls::CertificateError};
    let there = || PathBuf::from("/var/lib/ramal");
    let listen = at("192.0.2.7:80");
    let exposed = || Exposed::File {
        path: there(),
        mode: 0o644,
    };
    let broken = || io::Error::from(io::ErrorKind::PermissionDenied);
    vec![
        (OpenError::PortTaken(listen), "Port 80 is taken"),
        (OpenError::PortForbidden(listen), "Type a port above 1023"),
        (
            OpenError::NotThisMachine(listen),
            "192.0.2.7 is not an address",
        ),
        (
            OpenError::Port(listen, broken()),
            "cannot listen on 192.0.2.7:80",
        ),
        (OpenError::Folder(there(), broken()), "may not write there"),
        (
            OpenError::Folder(there(), exposed().into()),
            "chmod 600 /var/lib/ramal",
        ),
        (
            OpenError::KeyDamaged(there()),
            "Put a copy of the file back",
        ),
        (OpenError::Machine("no luck".to_owned()), "no luck"),
        (
            OpenError::Certificate(CertificateError::Io(there(), broken())),
            "may not write there",
        ),
        (
            OpenError::Certificate(CertificateError::Io(there(), exposed().into())),
            "chmod 600 /var/lib/ramal",
        ),
        (
            OpenError::Certificate(CertificateError::NotPem(there(), "certificate")),
            "it has to begin with a line -----BEGIN",
        ),
        (
            OpenError::Certificate(CertificateError::KeyDoesNotFit {
                certificate: there(),
                key: PathBuf::from("/var/lib/key"),
            }),
            "/var/lib/key is not the key of /var/lib/ramal",
        ),
        (
            OpenError::Certificate(CertificateError::Unusable(there(), "odd".to_owned())),
            "The system says: odd",
        ),
        (
            OpenError::Certificate(CertificateError::NotMade("dry".to_owned())),
            "restart this machine. The system says: dry",
        ),
        (
            OpenError::Store(embedded::OpenError::InUse(there())),
            "A registry already runs with this folder.",
        ),
        (
            OpenError::Store(embedded::OpenError::Damaged(there(), "bad page".to_owned())),
            "bad page",
        ),
        (
            OpenError::Store(embedded::OpenError::TooNew {
                path: there(),
                theirs: 9,
            }),
            "newer version of Ramal",
        ),
        (
            OpenError::Store(embedded::OpenError::Failed(
                there(),
                io::Error::from(io::ErrorKind::StorageFull),
            )),
            "The disk is full",
        ),
    ]
}

/// Every text in a window.
pub fn texts_of(app: &App) -> Vec<String> {
    let settings = look::settings("ramal-registry-gui");
    let mut window = iced_test::Simulator::with_size(settings, registry::gui::WINDOW, app.view());
    let mut found: Vec<String> = Vec::new();
    let _ = window.find(|candidate: Candidate<'_>| -> Option<Target> {
        if let Candidate::Text { content, .. } = candidate {
            found.push(content.to_owned());
        }
        None
    });
    found
}
