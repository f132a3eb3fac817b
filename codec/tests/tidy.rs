//! The rules of layers and style, checked over the whole workspace: `file:line: rule`.
//!
//! Code is read as tokens, so comments and strings are not code, and paths are followed through
//! `use`, so `use codec::registry` does not make `registry::Method` the crate `registry`. What a
//! crate re-exports at its root, glob imports and macros from elsewhere are not followed.
//! A rule that is wrong is changed in [`RULES`], with an example in [`examples`](fn@examples).

use std::{collections::BTreeSet, fs, path::Path};

use self::{examples::examples, source::Source};

#[path = "tidy/examples.rs"]
mod examples;
#[path = "tidy/source.rs"]
mod source;

/// One rule: what it says, where it holds, and what breaks it.
struct Rule {
    says: &'static str,
    /// Whether it holds in the file at this path, from the root of the workspace.
    holds_in: fn(&str) -> bool,
    in_tests: bool,
    broken_by: &'static [Breach],
}

/// What a rule does not allow.
enum Breach {
    /// A path into one of these crates.
    Crates(&'static [&'static str]),
    /// A path into the first crate, but not into these modules of it.
    CrateBut(&'static str, &'static [&'static str]),
    /// A path into one of these modules of the same crate.
    Modules(&'static [&'static str]),
    /// A path with these segments side by side anywhere in it.
    Paths(&'static [&'static str]),
    /// These tokens in a row, with a space between each two.
    Tokens(&'static [&'static str]),
    /// The tokens at these places.
    Code(fn(&Source) -> Vec<usize>),
    /// These lines.
    Lines(fn(&Source) -> Vec<usize>),
}

use Breach::{Code, CrateBut, Crates, Lines, Modules, Paths, Tokens};

const RULES: &[Rule] = &[
    Rule {
        says: "a pure file takes time as an argument",
        holds_in: is_pure,
        in_tests: false,
        broken_by: &[Paths(&["Instant::now", "SystemTime"])],
    },
    Rule {
        says: "a pure file has no file, socket or thread",
        holds_in: is_pure,
        in_tests: false,
        broken_by: &[
            Paths(&["std::fs", "std::thread"]),
            Paths(&["TcpStream", "TcpListener", "UdpSocket"]),
            Crates(&["tokio", "tokio_util"]),
        ],
    },
    Rule {
        says: "a pure file takes randomness as a generator",
        holds_in: is_pure,
        in_tests: false,
        broken_by: &[Crates(&["getrandom", "rand"]), Paths(&["OsRng", "SysRng"])],
    },
    Rule {
        says: "codec uses no other crate of the workspace",
        holds_in: |path| path.starts_with("codec/"),
        in_tests: true,
        broken_by: &[Crates(&["registry", "softphone"])],
    },
    Rule {
        says: "codec has no runtime, sound, GUI or log",
        holds_in: |path| path.starts_with("codec/"),
        in_tests: true,
        broken_by: &[Crates(&[
            "tokio",
            "tokio_util",
            "cpal",
            "opus",
            "opusic_sys",
            "iced",
            "tracing",
        ])],
    },
    Rule {
        says: "registry does not use softphone",
        holds_in: |path| path.starts_with("registry/"),
        in_tests: true,
        broken_by: &[Crates(&["softphone"])],
    },
    Rule {
        says: "look uses no other crate of the workspace",
        holds_in: |path| path.starts_with("registry/look/"),
        in_tests: true,
        broken_by: &[Crates(&["codec", "registry", "softphone"])],
    },
    Rule {
        says: "softphone uses only the client side of registry",
        holds_in: |path| path.starts_with("softphone/src/"),
        in_tests: false,
        broken_by: &[CrateBut(
            "registry",
            &[
                "client",
                "registration",
                "link",
                "tls",
                "known",
                "keyfile",
                "cli",
                "line",
                "local",
            ],
        )],
    },
    Rule {
        says: "registry: server, admin -> session -> store -> table: table uses none of them",
        holds_in: |path| is_in(path, "registry", &["table"]),
        in_tests: false,
        broken_by: &[Modules(&[
            "store", "session", "server", "desk", "admin", "operate", "announce", "gui",
        ])],
    },
    Rule {
        says: "registry: store -> ownership: ownership uses neither it nor what is above it",
        holds_in: |path| is_in(path, "registry", &["ownership"]),
        in_tests: false,
        broken_by: &[Modules(&[
            "store", "table", "session", "server", "desk", "admin", "operate", "announce", "gui",
        ])],
    },
    Rule {
        says: "registry: server, admin -> session -> store: store uses neither",
        holds_in: |path| is_in(path, "registry", &["store"]),
        in_tests: false,
        broken_by: &[Modules(&[
            "session", "server", "desk", "admin", "operate", "announce", "gui",
        ])],
    },
    Rule {
        says: "registry: server, admin -> session: session uses neither",
        holds_in: |path| is_in(path, "registry", &["session"]),
        in_tests: false,
        broken_by: &[Modules(&[
            "server", "desk", "admin", "operate", "announce", "gui",
        ])],
    },
    Rule {
        says: "registry: gui -> operate -> admin -> desk -> server: server uses none of these",
        holds_in: |path| is_in(path, "registry", &["server"]),
        in_tests: false,
        broken_by: &[Modules(&["desk", "admin", "operate", "announce", "gui"])],
    },
    Rule {
        says: "registry: gui -> operate -> admin -> desk: desk and admin use nothing above them",
        holds_in: |path| is_in(path, "registry", &["desk", "admin"]),
        in_tests: false,
        broken_by: &[Modules(&["operate", "announce", "gui"])],
    },
    Rule {
        says: "registry: gui -> operate: operate does not use gui",
        holds_in: |path| is_in(path, "registry", &["operate", "announce"]),
        in_tests: false,
        broken_by: &[Modules(&["gui"])],
    },
    Rule {
        says: "softphone: engine -> audio -> media: media uses neither, nor phone",
        holds_in: |path| is_in(path, "softphone", &["media"]),
        in_tests: false,
        broken_by: &[Modules(&["audio", "engine", "phone", "gui"])],
    },
    Rule {
        says: "softphone: engine -> audio: audio uses neither engine nor phone",
        holds_in: |path| is_in(path, "softphone", &["audio"]),
        in_tests: false,
        broken_by: &[Modules(&["engine", "phone", "gui"])],
    },
    Rule {
        says: "softphone: engine -> phone -> call and its like: they use none of these, nor audio",
        holds_in: |path| is_in(path, "softphone", UNDER_PHONE),
        in_tests: false,
        broken_by: &[Modules(&["phone", "engine", "audio", "gui"])],
    },
    Rule {
        says: "softphone: engine -> phone: phone uses neither engine nor audio",
        holds_in: |path| is_in(path, "softphone", &["phone"]),
        in_tests: false,
        broken_by: &[Modules(&["engine", "audio", "gui"])],
    },
    Rule {
        says: "softphone: gui -> engine: engine does not use gui",
        holds_in: |path| is_in(path, "softphone", &["engine"]),
        in_tests: false,
        broken_by: &[Modules(&["gui"])],
    },
    Rule {
        says: "iced only in look, gui and the programs with a window",
        holds_in: |path| {
            let is_window = |part: &str| part == "ramal-softphone" || part.contains("gui");
            !path.starts_with("registry/look/")
                && !path
                    .split('/')
                    .any(|part| is_window(part.trim_end_matches(".rs")))
        },
        in_tests: true,
        broken_by: &[Crates(&["iced", "iced_test", "iced_core", "iced_widget"])],
    },
    Rule {
        says: "cpal only in softphone/src/audio/{connection,device,capture/ring,playout/ring}.rs",
        holds_in: |path| {
            let file = path.strip_prefix("softphone/src/audio/");
            let files = [
                "connection.rs",
                "device.rs",
                "capture/ring.rs",
                "playout/ring.rs",
            ];
            !file.is_some_and(|file| files.contains(&file))
        },
        in_tests: true,
        broken_by: &[Crates(&["cpal"])],
    },
    Rule {
        says: "every channel has a limit",
        holds_in: everywhere,
        in_tests: true,
        broken_by: &[Paths(&[
            "unbounded_channel",
            "mpsc::unbounded",
            "std::sync::mpsc::channel",
        ])],
    },
    Rule {
        says: "every task has an owner: JoinSet, or a handle that is kept",
        holds_in: everywhere,
        in_tests: true,
        broken_by: &[Code(bare_spawns)],
    },
    Rule {
        says: "nothing unfinished: no todo!, unimplemented!, dbg!",
        holds_in: everywhere,
        in_tests: true,
        broken_by: &[Tokens(&["todo ! (", "unimplemented ! (", "dbg ! ("])],
    },
    Rule {
        says: "no test is ignored",
        holds_in: everywhere,
        in_tests: true,
        broken_by: &[Tokens(&["# [ ignore"])],
    },
    Rule {
        says: "no unwrap outside tests",
        holds_in: everywhere,
        in_tests: false,
        broken_by: &[
            Tokens(&[". unwrap ( )"]),
            Paths(&["Option::unwrap", "Result::unwrap"]),
        ],
    },
    Rule {
        says: "`call.rs` beside `call/`, no `mod.rs`",
        holds_in: |path| path.ends_with("/mod.rs"),
        in_tests: true,
        broken_by: &[Lines(|_| vec![1])],
    },
    Rule {
        says: "no file is named after nothing: util, helper, common, misc, manager, handler, data",
        holds_in: |path| path.split('/').any(says_nothing),
        in_tests: true,
        broken_by: &[Lines(|_| vec![1])],
    },
    Rule {
        says: "every file begins with its job: `//!`",
        holds_in: everywhere,
        in_tests: true,
        broken_by: &[Lines(|source| match source.text.starts_with("//! ") {
            true => vec![],
            false => vec![1],
        })],
    },
    Rule {
        says: "at most 700 lines",
        holds_in: everywhere,
        in_tests: true,
        broken_by: &[Lines(|source| match source.text.lines().count() > 700 {
            true => vec![701],
            false => vec![],
        })],
    },
    Rule {
        says: "at most 100 columns",
        holds_in: everywhere,
        in_tests: true,
        broken_by: &[Lines(|source| {
            let lines = (1..).zip(source.text.lines());
            let long = lines.filter(|(_, line)| line.chars().count() > 100);
            long.map(|(number, _)| number).collect()
        })],
    },
];

/// What the engine of the phone is made of.
const UNDER_PHONE: &[&str] = &["call", "chat", "room", "contacts", "roster"];

fn everywhere(_: &str) -> bool {
    true
}

/// The files that DESIGN.md, "Layers", marks PURE, and what is under them.
fn is_pure(path: &str) -> bool {
    path.starts_with("codec/src/")
        || is_in(
            path,
            "registry",
            &[
                "table",
                "ownership",
                "session",
                "registration",
                "limits",
                "line",
            ],
        )
        || is_in(
            path,
            "softphone",
            &["phone", "media", "board", "history", "journal"],
        )
        || is_in(path, "softphone", UNDER_PHONE)
        || path == "softphone/src/control/told.rs"
}

/// Whether a file is one of these modules of a crate, or under it.
fn is_in(path: &str, package: &str, modules: &[&str]) -> bool {
    let Some((of, inside)) = path.split_once("/src/") else {
        return false;
    };
    let first = inside.split('/').next().unwrap_or(inside);
    of == package && modules.contains(&first.trim_end_matches(".rs"))
}

fn says_nothing(part: &str) -> bool {
    matches!(
        part.trim_end_matches(".rs").trim_end_matches('s'),
        "util" | "helper" | "common" | "misc" | "manager" | "handler" | "data"
    )
}

/// Calls of tokio's `spawn` whose handle falls to the ground.
fn bare_spawns(source: &Source) -> Vec<usize> {
    let spawns = source.paths.iter().filter(|path| {
        if path.imported {
            return false;
        }
        let segments: Vec<&str> = path.segments.iter().map(String::as_str).collect();
        matches!(
            segments[..],
            ["tokio", "spawn"] | ["tokio", "task", "spawn"]
        )
    });
    let is_dropped = |at: usize| {
        let before = |back: usize| at.checked_sub(back).map_or("{", |at| source.token(at));
        let begins = matches!(before(1), ";" | "{" | "}");
        let thrown = matches!((before(2), before(1)), ("_", "=") | ("drop", "("));
        let open = (at..).find(|&at| matches!(source.token(at), "(" | ";" | ""));
        let end = open.map_or(0, |open| source.closing(open) + 1);
        thrown || begins && source.token(end) == ";"
    };
    spawns
        .map(|path| path.at)
        .filter(|&at| is_dropped(at))
        .collect()
}

/// The lines of `source` that break `rule`.
fn breaches(rule: &Rule, source: &Source) -> BTreeSet<usize> {
    if !(rule.holds_in)(&source.path) {
        return BTreeSet::new();
    }
    let mut lines = BTreeSet::new();
    for breach in rule.broken_by {
        let tokens = match breach {
            Lines(find) => {
                lines.extend(find(source));
                continue;
            }
            Code(find) => find(source),
            Tokens(rows) => rows.iter().flat_map(|row| source.find(row)).collect(),
            Crates(_) | CrateBut(..) | Modules(_) | Paths(_) => {
                let broken = |path: &&source::Path| breaks(breach, path);
                source
                    .paths
                    .iter()
                    .filter(broken)
                    .map(|path| path.at)
                    .collect()
            }
        };
        let counted = tokens
            .into_iter()
            .filter(|&at| rule.in_tests || !source.is_test(at));
        lines.extend(counted.map(|at| source.line(at)));
    }
    lines
}

fn breaks(breach: &Breach, path: &source::Path) -> bool {
    let segments: Vec<&str> = path.segments.iter().map(String::as_str).collect();
    // A single word that is not imported is a variable or a function, not a crate.
    let is_crate = segments.len() > 1 || path.imported;
    let first = segments.first().copied().unwrap_or_default();
    let second = segments.get(1).copied().unwrap_or_default();
    match breach {
        Crates(crates) => is_crate && crates.contains(&first),
        CrateBut(name, modules) => is_crate && first == *name && !modules.contains(&second),
        Modules(modules) => first == "crate" && modules.contains(&second),
        Paths(wanted) => wanted.iter().any(|wanted| {
            let wanted: Vec<&str> = wanted.split("::").collect();
            segments.windows(wanted.len()).any(|part| part == wanted)
        }),
        Tokens(_) | Code(_) | Lines(_) => false,
    }
}

/// Every source of the workspace.
fn workspace() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut sources = Vec::new();
    for package in ["codec", "registry", "softphone"] {
        read_folder(&root, package, &mut sources);
    }
    source::mark_test_files(&mut sources);
    sources
}

fn read_folder(root: &Path, folder: &str, sources: &mut Vec<Source>) {
    let entries = fs::read_dir(root.join(folder)).expect("a readable folder of the workspace");
    for entry in entries {
        let entry = entry.expect("a readable entry");
        let name = entry.file_name().into_string().expect("a name in UTF-8");
        let path = format!("{folder}/{name}");
        if entry.file_type().expect("a file type").is_dir() {
            if name != "target" {
                read_folder(root, &path, sources);
            }
        } else if name.ends_with(".rs") {
            let text = fs::read_to_string(root.join(&path)).expect("a source in UTF-8");
            sources.push(Source::read(&path, &text));
        }
    }
}

#[test]
fn the_workspace_keeps_its_rules() {
    let sources = workspace();
    assert!(
        sources
            .iter()
            .any(|source| source.path == "codec/src/lib.rs")
    );
    let mut broken = Vec::new();
    for source in &sources {
        for rule in RULES {
            for line in breaches(rule, source) {
                broken.push(format!("{}:{line}: {}", source.path, rule.says));
            }
        }
    }
    broken.sort();
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn every_rule_catches_what_breaks_it_and_passes_what_does_not() {
    let examples = examples();
    for (says, path, code, breaks) in &examples {
        let rule = RULES.iter().find(|rule| rule.says == *says);
        let rule = rule.unwrap_or_else(|| panic!("no rule says: {says}"));
        let found = breaches(rule, &Source::read(path, code));
        assert_eq!(!found.is_empty(), *breaks, "{says}: {path}: {code}");
    }
    for rule in RULES {
        let shown = |wanted| {
            let mut of_rule = examples.iter().filter(|(says, ..)| *says == rule.says);
            of_rule.any(|(.., breaks)| *breaks == wanted)
        };
        assert!(shown(true) && shown(false), "no examples: {}", rule.says);
    }
}

#[test]
fn a_breach_is_reported_at_its_line() {
    let text = "//! A table.\n\nfn now() -> Instant {\n    // The clock.\n    Instant::now()\n}\n";
    let source = Source::read("registry/src/table.rs", text);
    assert_eq!(breaches(&RULES[0], &source), BTreeSet::from([5]));
}
