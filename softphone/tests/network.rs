//! Thousands of networks, each from its seed: what people do over them, and that both sides come
//! to the same end.
//!
//! A failure names its seed. `RAMAL_SEED=n` runs that one alone, and `RAMAL_SEEDS=n` so many.

#![allow(clippy::unwrap_used)]

use std::{collections::BTreeMap, ops::Range, time::Duration};

use codec::CallId;
use softphone::{
    call::Reason,
    phone::{Callers, Command, Event, SecondCall},
};

#[allow(dead_code, reason = "other tests use the rest")]
#[path = "network/world.rs"]
mod world;

use world::{LAN, Net, SOON, World};

/// The seeds to run: `count` of them, unless the environment says otherwise.
fn seeds(count: u64) -> Range<u64> {
    let from_environment = |name| std::env::var(name).ok()?.parse::<u64>().ok();
    match from_environment("RAMAL_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..from_environment("RAMAL_SEEDS").unwrap_or(count),
    }
}

/// Everything that people saw, for a failure.
fn seen(world: &World) -> String {
    let events = world.nodes.iter().map(|node| format!("{:#?}", node.events));
    events.collect::<Vec<_>>().join("\n")
}

/// A network as bad as its seed, on which connections keep what they promise.
fn bad_network(seed: u64) -> Net {
    Net {
        delay_ms: [1, 20, 80, 200][usize::try_from(seed % 4).unwrap()],
        loss_pct: seed / 4 % 4 * 4,
        direct: !seed.is_multiple_of(3),
        ..LAN
    }
}

#[test]
fn a_call_over_any_network_is_set_up_held_resumed_and_ended() {
    for seed in seeds(1_000) {
        let net = bad_network(seed);
        let mut world = World::new(seed, net, &[]);
        let callers = match seed % 11 {
            0 => Callers::Contacts,
            _ => Callers::Everyone,
        };
        let (busy, everyone) = (SecondCall::Busy, Callers::Everyone);
        world.add_as(1, "alice", busy, everyone, seed.is_multiple_of(5));
        world.add_as(2, "bob", busy, callers, seed.is_multiple_of(7));
        world.acquaint(1, 0);
        let ready = |world: &World| world.registered(0) && world.registered(1);
        assert!(world.run_until(Duration::from_secs(30), ready));
        world.dial(0, "bob");
        world.ring_and_answer(1);
        let long = Duration::from_secs(14);
        let up = world.run_until(long, World::both_up);
        assert!(up, "seed {seed}: {}", seen(&world));
        let call = *world.up(0).first().unwrap();
        assert_eq!(world.words(0), world.words(1), "seed {seed}");
        let mut here = [false; 2];
        for _ in 0..4 {
            let who = usize::try_from(world.below(2)).unwrap();
            here[who] = !here[who];
            let command = if here[who] {
                Command::Hold(call)
            } else {
                Command::Resume(call)
            };
            world.command(who, command);
            let soon = Duration::from_millis(world.below(400));
            world.run_for(soon);
            if world.below(4) == 0 {
                world.cut_links();
            }
        }
        world.run_for(Duration::from_secs(10));
        assert!(world.both_up(), "seed {seed}: {}", seen(&world));
        for node in 0..2 {
            let hold = world.hold(node, call);
            let expected = (here[node], here[1 - node]);
            assert_eq!((hold.is_here(), hold.is_there()), expected, "seed {seed}");
        }
        let first = usize::try_from(seed % 2).unwrap();
        world.command(first, Command::Hangup(call));
        let over = |world: &World| world.ended(0).is_some() && world.ended(1).is_some();
        assert!(world.run_until(long, over), "seed {seed}: {}", seen(&world));
        assert_eq!(world.ended(first).unwrap().0, Reason::Hangup, "seed {seed}");
        let other = world.ended(1 - first).unwrap().0;
        assert_eq!(other, Reason::RemoteHangup, "seed {seed}: {}", seen(&world));
    }
}

/// Somebody does something, or something happens.
fn anything(world: &mut World) {
    let node = usize::try_from(world.below(2)).unwrap();
    let open: Vec<_> = world.open_calls(node).into_iter().collect();
    let any = |world: &mut World| -> Option<CallId> {
        let count = u64::try_from(open.len()).ok().filter(|count| *count > 0)?;
        open.get(usize::try_from(world.below(count)).ok()?).copied()
    };
    match world.below(18) {
        16 => {
            let dnd = world.below(2) == 0;
            world.command(node, Command::Dnd(dnd));
        }
        17 => {
            if let Some(call) = any(world) {
                world.command(node, Command::Verify(call));
            }
        }
        0..4 => world.dial(node, ["bob", "alice"][node]),
        4..9 => {
            if let Some(call) = any(world) {
                world.command(node, Command::Answer(call));
            }
        }
        9 => {
            if let Some(call) = any(world) {
                world.command(node, Command::Hangup(call));
            }
        }
        10 => {
            if let Some(call) = any(world) {
                world.command(node, Command::Hold(call));
            }
        }
        11 => {
            if let Some(call) = any(world) {
                world.command(node, Command::Resume(call));
            }
        }
        12 => world.cut_links(),
        13 => world.net.direct = !world.net.direct,
        14 if world.net.registry => world.kill_registry(),
        14 => world.net.registry = true,
        15 if world.below(2) == 0 => {
            world.freeze_links();
            world.move_phone(node);
        }
        _ => {
            let time = Duration::from_millis(world.below(10_000));
            world.run_for(time);
        }
    }
}

/// Counts what people saw, by its name.
fn count(world: &World, seen: &mut BTreeMap<String, u32>) {
    for event in world.nodes.iter().flat_map(|node| &node.events) {
        let name = match event {
            Event::Ended { reason, .. } => reason.word().to_owned(),
            Event::Held { hold, .. } => format!("held {hold:?}"),
            other => {
                let debug = format!("{other:?}");
                debug.split([' ', '(']).next().unwrap().to_owned()
            }
        };
        *seen.entry(name).or_default() += 1;
    }
}

#[test]
fn whatever_people_and_the_network_do_both_sides_come_to_the_same_end() {
    let mut happened = BTreeMap::new();
    let seeds = seeds(2_000);
    let many = seeds.end - seeds.start >= 1_000;
    for seed in seeds {
        let mut world = World::new(seed, LAN, &[]);
        let second_call = if seed.is_multiple_of(2) {
            SecondCall::Busy
        } else {
            SecondCall::Offer
        };
        let hidden = seed / 3 % 7;
        let callers = match seed % 11 {
            0 => Callers::Contacts,
            _ => Callers::Everyone,
        };
        world.add_as(1, "alice", second_call, callers, hidden == 1);
        world.add_as(2, "bob", second_call, callers, hidden == 2);
        world.run_for(SOON);
        let wild = Net {
            delay_ms: [1, 30, 300, 1500][usize::try_from(seed % 4).unwrap()],
            loss_pct: seed / 4 % 5 * 10,
            twice_pct: seed / 20 % 3 * 15,
            wild: !seed.is_multiple_of(3),
            ..LAN
        };
        world.net = wild;
        for _ in 0..30 {
            anything(&mut world);
            let time = Duration::from_millis(world.below(1_500));
            world.run_for(time);
        }
        // Then all is well again, and whatever rings has rung out.
        world.net = LAN;
        world.run_for(Duration::from_secs(120));
        let up = world.up(0);
        for node in 0..2 {
            assert_eq!(world.up(node), up, "seed {seed}: {}", seen(&world));
            assert_eq!(world.open_calls(node), up, "seed {seed}: {}", seen(&world));
            assert!(world.registered(node), "seed {seed}: {}", seen(&world));
        }
        world.assert_same_words(0, 1);
        // And the phones are as good as new.
        world.acquaint(1, 0);
        for node in 0..2 {
            world.command(node, Command::Dnd(false));
        }
        for call in up {
            world.command(0, Command::Hangup(call));
        }
        world.run_for(SOON);
        assert!(!world.established(1), "seed {seed}: {}", seen(&world));
        let rung = world.incoming(1);
        world.dial(0, "bob");
        let rings = |world: &World| world.incoming(1) != rung;
        assert!(
            world.run_until(SOON, rings),
            "seed {seed}: {}",
            seen(&world)
        );
        world.ring_and_answer(1);
        let up = world.run_until(SOON, World::both_up);
        assert!(up, "seed {seed}: {}", seen(&world));
        count(&world, &mut happened);
    }
    // What has not happened has not been tested.
    for what in [
        "Established",
        "Merged",
        "Reconnecting",
        "Reconnected",
        "held Both",
        "Unregistered",
        "hangup",
        "remote_hangup",
        "declined_here",
        "declined",
        "merged",
        "busy",
        "no_answer",
        "cancelled",
        "not_found",
        "unreachable",
        "registry_unreachable",
        "media_lost",
        "media_failed",
        "unavailable",
        "TurnedAway",
        "Verified",
    ] {
        assert!(!many || happened.contains_key(what), "{what}: {happened:?}");
    }
}
