//! For every rule, code that breaks it and code that is near and does not.

/// A rule, the path of a file, its text, and whether it breaks the rule.
pub type Example = (&'static str, &'static str, String, bool);

/// All of them.
pub fn examples() -> Vec<Example> {
    let mut examples = limits();
    for &(says, cases) in EXAMPLES {
        for &(path, code, breaks) in cases {
            examples.push((says, path, code.to_owned(), breaks));
        }
    }
    examples
}

fn limits() -> Vec<Example> {
    let (lines, columns) = ("at most 700 lines", "at most 100 columns");
    let path = "codec/src/name.rs";
    vec![
        (lines, path, "x\n".repeat(701), true),
        (lines, path, "x\n".repeat(700), false),
        (columns, path, "é".repeat(101), true),
        (columns, path, "é".repeat(100), false),
    ]
}

/// The path of a file, its text, and whether it breaks the rule.
type Case = (&'static str, &'static str, bool);

const EXAMPLES: &[(&str, &[Case])] = &[
    (
        "a pure file takes time as an argument",
        &[
            ("registry/src/table.rs", "let now = Instant::now();", true),
            ("codec/src/name.rs", "use std::time::SystemTime;", true),
            (
                "softphone/src/call/ring.rs",
                "let f = std::time::Instant::now;",
                true,
            ),
            ("registry/src/server.rs", "let now = Instant::now();", false),
            (
                "registry/src/table.rs",
                "fn f(now: Instant) {} // Instant::now()",
                false,
            ),
            (
                "registry/src/table.rs",
                "#[cfg(test)] mod t { f(Instant::now()) }",
                false,
            ),
            ("registry/src/table.rs", "f(\"Instant::now()\")", false),
        ],
    ),
    (
        "a pure file has no file, socket or thread",
        &[
            ("softphone/src/phone.rs", "use std::{fmt, fs};", true),
            (
                "softphone/src/media/jitter.rs",
                "std::thread::sleep(d)",
                true,
            ),
            ("codec/src/frame.rs", "fn f(s: &UdpSocket) {}", true),
            ("registry/src/session.rs", "use tokio::sync::mpsc;", true),
            (
                "registry/src/session.rs",
                "use std::net::SocketAddr;",
                false,
            ),
            ("softphone/src/engine.rs", "use std::{fmt, fs};", false),
            (
                "softphone/src/chat.rs",
                "struct Tokio { fs: u8, thread: u8 }",
                false,
            ),
        ],
    ),
    (
        "a pure file takes randomness as a generator",
        &[
            ("softphone/src/room.rs", "getrandom::fill(&mut bytes)", true),
            ("softphone/src/history.rs", "use rand::Rng;", true),
            ("codec/src/identity.rs", "f(&mut OsRng)", true),
            ("codec/src/identity.rs", "use rand_core::CryptoRng;", false),
            (
                "softphone/src/settings.rs",
                "getrandom::fill(&mut bytes)",
                false,
            ),
        ],
    ),
    (
        "codec uses no other crate of the workspace",
        &[
            ("codec/src/frame.rs", "use registry::client;", true),
            ("codec/tests/a.rs", "softphone::phone::Phone", true),
            (
                "codec/src/lib.rs",
                "pub mod registry; pub use registry::Method;",
                false,
            ),
            (
                "codec/src/signal.rs",
                "use crate::{registry::Method, Name};",
                false,
            ),
            (
                "codec/tests/a.rs",
                "use codec::registry; registry::Method",
                false,
            ),
        ],
    ),
    (
        "codec has no runtime, sound, GUI or log",
        &[
            ("codec/src/frame.rs", "tracing::debug!(\"x\")", true),
            ("codec/tests/a.rs", "#[tokio::test] fn f() {}", true),
            ("registry/src/server.rs", "tracing::debug!(\"x\")", false),
            ("codec/src/frame.rs", "//! Written for tokio::net.", false),
        ],
    ),
    (
        "registry does not use softphone",
        &[
            ("registry/src/bin/a.rs", "use softphone::phone;", true),
            ("registry/src/bin/a.rs", "use registry::client;", false),
            ("softphone/src/bin/a.rs", "use softphone::phone;", false),
        ],
    ),
    (
        "softphone uses only the client side of registry",
        &[
            (
                "softphone/src/engine.rs",
                "use registry::server::Server;",
                true,
            ),
            (
                "softphone/src/engine.rs",
                "use registry::{client, store};",
                true,
            ),
            (
                "softphone/src/engine.rs",
                "use codec::registry; ::registry::table::f()",
                true,
            ),
            (
                "softphone/src/engine.rs",
                "use registry as r; r::client::f()",
                true,
            ),
            (
                "softphone/src/engine.rs",
                "use registry::{client, link::Link};",
                false,
            ),
            (
                "softphone/src/engine.rs",
                "registry::registration::Registration",
                false,
            ),
            (
                "softphone/src/engine.rs",
                "use codec::{registry::{Method}, Name};",
                false,
            ),
            (
                "softphone/src/engine.rs",
                "use codec::registry; registry::Method",
                false,
            ),
            (
                "softphone/tests/a.rs",
                "use registry::server::Server;",
                false,
            ),
        ],
    ),
    (
        "registry: server, admin -> session -> store -> table: table uses none of them",
        &[
            ("registry/src/table.rs", "use crate::store::Store;", true),
            (
                "registry/src/table/lease.rs",
                "super::super::session::f()",
                true,
            ),
            (
                "registry/src/table.rs",
                "use crate::{config, event};",
                false,
            ),
            ("registry/src/server.rs", "use crate::store::Store;", false),
        ],
    ),
    (
        "registry: store -> ownership: ownership uses neither it nor what is above it",
        &[
            (
                "registry/src/ownership.rs",
                "use crate::store::Moment;",
                true,
            ),
            ("registry/src/ownership/tests.rs", "crate::table::f()", true),
            ("registry/src/ownership.rs", "use codec::Name;", false),
            (
                "registry/src/store.rs",
                "use crate::ownership::Owner;",
                false,
            ),
        ],
    ),
    (
        "registry: server, admin -> session -> store: store uses neither",
        &[
            (
                "registry/src/store/memory.rs",
                "use crate::{server::X, table};",
                true,
            ),
            (
                "registry/src/store/memory.rs",
                "use crate::table::Table;",
                false,
            ),
            (
                "registry/src/store.rs",
                "#[cfg(test)] mod t { use crate::session; }",
                false,
            ),
        ],
    ),
    (
        "registry: server, admin -> session: session uses neither",
        &[
            ("registry/src/session.rs", "use super::server;", true),
            (
                "registry/src/session.rs",
                "use super::store; fn server() {}",
                false,
            ),
        ],
    ),
    (
        "registry: gui -> operate -> admin -> desk -> server: server uses none of these",
        &[
            ("registry/src/server.rs", "crate::desk::run()", true),
            ("registry/src/desk.rs", "crate::server::run()", false),
        ],
    ),
    (
        "registry: gui -> operate -> admin -> desk: desk and admin use nothing above them",
        &[
            ("registry/src/desk/act.rs", "use crate::operate;", true),
            ("registry/src/admin.rs", "use crate::desk;", false),
        ],
    ),
    (
        "registry: gui -> operate: operate does not use gui",
        &[
            ("registry/src/operate.rs", "crate::gui::run()", true),
            ("registry/src/gui.rs", "crate::gui::run()", false),
        ],
    ),
    (
        "softphone: engine -> audio -> media: media uses neither, nor phone",
        &[
            (
                "softphone/src/media/jitter.rs",
                "use crate::audio::Frame;",
                true,
            ),
            (
                "softphone/src/media/jitter.rs",
                "use super::delay; let phone = 1;",
                false,
            ),
        ],
    ),
    (
        "softphone: engine -> audio: audio uses neither engine nor phone",
        &[
            ("softphone/src/audio.rs", "use crate::engine::Engine;", true),
            ("softphone/src/audio.rs", "use crate::media::Frame;", false),
        ],
    ),
    (
        "softphone: engine -> phone -> call and its like: they use none of these, nor audio",
        &[
            ("softphone/src/call.rs", "use crate::phone::Phone;", true),
            ("softphone/src/chat.rs", "crate::engine::run()", true),
            ("softphone/src/call.rs", "use crate::media::Packet;", false),
        ],
    ),
    (
        "softphone: engine -> phone: phone uses neither engine nor audio",
        &[
            (
                "softphone/src/phone.rs",
                "fn f(frame: crate::audio::Frame) {}",
                true,
            ),
            (
                "softphone/src/phone.rs",
                "use crate::{call::Call, media::Packet};",
                false,
            ),
        ],
    ),
    (
        "softphone: gui -> engine: engine does not use gui",
        &[
            ("softphone/src/engine/disk.rs", "use crate::gui;", true),
            ("softphone/src/gui.rs", "use crate::engine;", false),
        ],
    ),
    (
        "look uses no other crate of the workspace",
        &[
            ("registry/look/src/icon.rs", "use registry::table;", true),
            ("registry/look/src/icon.rs", "use codec::Name;", true),
            ("registry/look/src/icon.rs", "use iced::Color;", false),
            ("registry/src/gui.rs", "use codec::Name;", false),
        ],
    ),
    (
        "iced only in look, gui and the programs with a window",
        &[
            (
                "softphone/src/engine.rs",
                "fn f() -> iced::Element {}",
                true,
            ),
            ("registry/src/client.rs", "use iced;", true),
            ("softphone/src/gui.rs", "use iced::Element;", false),
            ("softphone/src/gui/call.rs", "use iced::Element;", false),
            ("registry/src/bin/a.rs", "iced::run()", true),
            (
                "registry/src/bin/ramal-registry-gui.rs",
                "iced::run()",
                false,
            ),
            (
                "softphone/src/bin/ramal-softphone/main.rs",
                "iced::run()",
                false,
            ),
            ("registry/look/src/theme.rs", "use iced::Theme;", false),
            ("softphone/src/engine.rs", "let iced = 1;", false),
        ],
    ),
    (
        "cpal only in softphone/src/audio/{connection,device,capture/ring,playout/ring}.rs",
        &[
            ("softphone/src/audio/mixer.rs", "use cpal::Sample;", true),
            ("softphone/src/bin/a.rs", "cpal::default_host()", true),
            ("softphone/src/audio/device.rs", "use cpal::Sample;", false),
        ],
    ),
    (
        "every channel has a limit",
        &[
            ("registry/src/server.rs", "mpsc::unbounded_channel()", true),
            (
                "registry/tests/a.rs",
                "use std::sync::mpsc; mpsc::channel()",
                true,
            ),
            (
                "registry/src/server.rs",
                "use tokio::sync::mpsc; mpsc::channel(8)",
                false,
            ),
            (
                "registry/src/server.rs",
                "use std::sync::mpsc; mpsc::sync_channel(8)",
                false,
            ),
        ],
    ),
    (
        "every task has an owner: JoinSet, or a handle that is kept",
        &[
            (
                "registry/src/server.rs",
                "fn f() { tokio::spawn(async { g(); }); }",
                true,
            ),
            (
                "registry/src/server.rs",
                "use tokio::task; x; task::spawn(f());",
                true,
            ),
            ("registry/tests/a.rs", "let _ = tokio::spawn(f());", true),
            ("registry/src/server.rs", "drop(tokio::spawn(f()));", true),
            (
                "registry/src/server.rs",
                "use tokio::spawn; spawn(f());",
                true,
            ),
            (
                "registry/src/server.rs",
                "let task = tokio::spawn(f());",
                false,
            ),
            (
                "registry/src/server.rs",
                "self.tasks.push(tokio::spawn(f()));",
                false,
            ),
            (
                "registry/src/server.rs",
                "{ tokio::spawn(f()).await; }",
                false,
            ),
            (
                "registry/src/server.rs",
                "use tokio::spawn; x; tasks.spawn(f());",
                false,
            ),
        ],
    ),
    (
        "nothing unfinished: no todo!, unimplemented!, dbg!",
        &[
            ("registry/src/server.rs", "todo!()", true),
            ("registry/tests/a.rs", "unimplemented!(\"later\")", true),
            ("codec/src/name.rs", "dbg!(x)", true),
            (
                "codec/src/name.rs",
                "/// todo!() is refused\nif todo != (1) {}",
                false,
            ),
        ],
    ),
    (
        "no test is ignored",
        &[
            (
                "registry/tests/a.rs",
                "#[ignore = \"slow\"] fn f() {}",
                true,
            ),
            ("registry/tests/a.rs", "#[test] fn ignore() {}", false),
        ],
    ),
    (
        "no unwrap outside tests",
        &[
            ("registry/src/server.rs", "x\n    .unwrap()", true),
            ("registry/src/bin/a.rs", "x.map(Option::unwrap)", true),
            (
                "registry/src/server.rs",
                "x.unwrap_or(1).expect(\"y.unwrap()\")",
                false,
            ),
            (
                "registry/src/server.rs",
                "#[cfg(test)] mod t { x.unwrap() }",
                false,
            ),
            ("registry/tests/a.rs", "x.unwrap()", false),
        ],
    ),
    (
        "`call.rs` beside `call/`, no `mod.rs`",
        &[
            ("registry/tests/rig/mod.rs", "", true),
            ("registry/src/modern.rs", "", false),
        ],
    ),
    (
        "no file is named after nothing: util, helper, common, misc, manager, handler, data",
        &[
            ("registry/src/utils.rs", "", true),
            ("softphone/src/call/helper.rs", "", true),
            ("registry/tests/common/rig.rs", "", true),
            ("softphone/src/data.rs", "", true),
            ("softphone/src/datagram.rs", "", false),
        ],
    ),
    (
        "every file begins with its job: `//!`",
        &[
            ("codec/src/name.rs", "use std::fmt;\n//! Names.", true),
            ("codec/src/name.rs", "", true),
            ("codec/src/name.rs", "//! Names.\nuse std::fmt;", false),
        ],
    ),
];
