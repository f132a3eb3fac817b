//! Names that others want: real `ramal-registry` processes that are killed and started again on the
//! same data.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use codec::registry::{Refusal, Success};

use self::{rig::Registry, visitor::Visitor};

#[path = "programs/rig.rs"]
mod rig;
#[allow(dead_code, reason = "not every suite needs all of it")]
#[path = "abuse/visitor.rs"]
mod visitor;

const OWNER: u64 = 1;
const THIEF: u64 = 2;

fn on(data: &Path) -> Registry {
    Registry::start(&["--data", data.to_str().unwrap()])
}

/// Ends a registry as a power cut does.
fn kill(mut registry: Registry) {
    registry.child.kill().unwrap();
    registry.child.wait().unwrap();
}

fn assert_registered(answer: &Result<Success, Refusal>) {
    assert!(
        matches!(answer, Ok(Success::Registered { .. })),
        "{answer:?}"
    );
}

#[test]
fn name_theft_with_another_key_is_refused_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let registry = on(&data);
    let mut owner = Visitor::phone(registry.addr, 2, OWNER);
    assert_registered(&owner.register("bob"));
    // Nobody of that name is there any more, but it is owned.
    owner.unregister("bob").unwrap();
    let steal = |registry: &Registry| {
        let mut thief = Visitor::phone(registry.addr, 3, THIEF);
        for name in ["bob", "BOB", "Bob"] {
            assert_eq!(thief.register(name), Err(Refusal::NameTaken), "{name}");
        }
        assert_eq!(thief.release("bob"), Err(Refusal::NameTaken));
    };
    steal(&registry);
    kill(registry);
    let registry = on(&data);
    steal(&registry);
    assert_registered(&Visitor::phone(registry.addr, 2, OWNER).register("bob"));
    let (code, ..) = registry.stop();
    assert_eq!(code, Some(0));
    let registry = on(&data);
    steal(&registry);
    assert_registered(&Visitor::phone(registry.addr, 2, OWNER).register("bob"));
}

#[test]
fn a_look_alike_name_is_refused_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let registry = on(&data);
    let mut owner = Visitor::phone(registry.addr, 2, OWNER);
    for name in ["alice", "cop", "modern"] {
        assert_registered(&owner.register(name));
    }
    let deceive = |registry: &Registry| {
        let mut thief = Visitor::phone(registry.addr, 3, THIEF);
        // A digit, a capital I, Cyrillic letters, and two letters that run together.
        for name in ["a1ice", "aIice", "\u{441}\u{43e}\u{440}", "modem"] {
            assert_eq!(thief.register(name), Err(Refusal::LooksTaken), "{name}");
        }
    };
    deceive(&registry);
    kill(registry);
    let registry = on(&data);
    deceive(&registry);
    assert_registered(&Visitor::phone(registry.addr, 3, THIEF).register("alicia"));
}
