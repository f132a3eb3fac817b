//! The directory as phones keep it, over seeded networks: whoever comes and goes, everybody who
//! follows it ends with what the registry has.
//!
//! A failure names its seed. `RAMAL_SEED=n` runs that one alone, and `RAMAL_SEEDS=n` so many.

#![allow(clippy::unwrap_used)]

use std::{ops::Range, time::Duration};

use codec::{Name, registry::Presence};
use softphone::{
    contacts::Standing,
    phone::{Command, Event, LOOKUP_WITHIN, Unfound},
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

/// More than a page of people.
fn people(seed: u64, count: u64) -> World {
    let names: Vec<String> = (0..count).map(|number| format!("n{number:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let net = Net {
        delay_ms: [1, 40, 300][usize::try_from(seed % 3).unwrap()],
        loss_pct: seed / 3 % 3 * 8,
        ..LAN
    };
    World::ready(seed, net, &names)
}

/// Who is registered, and how reachable they are, by the registry.
fn registered(world: &World) -> Vec<(Name, Presence)> {
    let mut all = Vec::new();
    loop {
        let after = all.last().map(|(name, _): &(Name, Presence)| name);
        let page = world.table.list("", after, 24, world.now);
        let entries = page.entries.iter();
        let told: Vec<_> = entries
            .map(|entry| (entry.name.clone(), entry.presence))
            .collect();
        all.extend(told);
        if !page.more {
            return all;
        }
    }
}

/// The same by one phone.
fn seen(world: &World, node: usize) -> Vec<(Name, Presence)> {
    let entries = world.nodes[node].phone.roster().entries;
    let seen = entries
        .iter()
        .map(|entry| (entry.name.clone(), entry.presence));
    seen.collect()
}

fn found(world: &World, node: usize) -> usize {
    let found = |event: &&Event| matches!(event, Event::Found { .. });
    world.nodes[node].events.iter().filter(found).count()
}

#[test]
fn whoever_comes_and_goes_all_who_follow_it_end_with_the_same_directory() {
    for seed in seeds(40) {
        let mut world = people(seed, 26 + seed % 20);
        let count = u64::try_from(world.nodes.len()).unwrap();
        let (mut stopped, mut asked) = (vec![false; world.nodes.len()], vec![0; world.nodes.len()]);
        for _ in 0..60 {
            let node = usize::try_from(world.below(count)).unwrap();
            let flag = world.below(2) == 0;
            match world.below(12) {
                0..4 => world.command(node, Command::Watch(flag)),
                4 => world.command(node, Command::Away(flag)),
                5 => world.command(node, Command::Dnd(flag)),
                6 => world.command(node, Command::Publish(flag)),
                7 if world.net.registry => world.kill_registry(),
                7 => world.net.registry = true,
                // Somebody has to stay.
                8 if node > 5 => {
                    world.command(node, Command::Stop);
                    stopped[node] = true;
                }
                9 | 10 => {
                    let whom = world.below(count + 3);
                    let target = format!("n{whom:02}").parse().unwrap();
                    world.command(node, Command::Lookup(target));
                    asked[node] += 1;
                }
                _ => {}
            }
            let time = Duration::from_millis(world.below(1_500));
            world.run_for(time);
        }
        (world.net.registry, world.net.loss_pct) = (true, 0);
        for node in 0..6 {
            world.command(node, Command::Watch(true));
        }
        // As long as it takes to find out that an answer is lost, and to try again.
        world.run_for(Duration::from_secs(200));
        let expected = registered(&world);
        let here = stopped.iter().filter(|stopped| !**stopped).count();
        assert_eq!(expected.len(), here, "seed {seed}");
        for node in 0..6 {
            let roster = world.nodes[node].phone.roster();
            assert!(roster.complete && !roster.old, "seed {seed}, {node}");
            assert_eq!(seen(&world, node), expected, "seed {seed}, {node}");
            assert_eq!(roster.registry, Some(world.registry()));
        }
        for (node, asked) in asked.into_iter().enumerate() {
            assert_eq!(found(&world, node), asked, "seed {seed}, {node}");
        }
    }
}

#[test]
fn a_phone_that_follows_sees_presence_come_and_go_and_keeps_what_it_saw() {
    let mut world = World::ready(1, LAN, &["alice", "bob", "carol"]);
    world.command(0, Command::Watch(true));
    let presence = |world: &World, name: &str| {
        let roster = world.nodes[0].phone.roster();
        roster
            .get(&name.parse().unwrap())
            .map(|entry| entry.presence)
    };
    let all = |world: &World| world.nodes[0].phone.roster().entries.len() == 3;
    assert!(world.run_until(SOON, all));
    world.dial(1, "carol");
    world.ring_and_answer(2);
    let busy = |world: &World| presence(world, "bob") == Some(Presence::Busy);
    assert!(world.run_until(SOON, busy));
    world.command(2, Command::Stop);
    let gone = |world: &World| presence(world, "carol").is_none();
    assert!(world.run_until(SOON, gone));
    world.kill_registry();
    let old = |world: &World| world.nodes[0].phone.roster().old;
    assert!(world.run_until(SOON, old));
    assert!(presence(&world, "bob").is_some());
    world.net.registry = true;
    let new = |world: &World| !world.nodes[0].phone.roster().old;
    assert!(world.run_until(Duration::from_secs(30), new));
    // The registry has forgotten everything, and bob is back or will be.
    assert!(
        world.run_until(SOON, |world| world.nodes[0].phone.roster().entries.len()
            == 2)
    );
}

#[test]
fn a_lookup_finds_a_registered_phone_and_one_at_an_address_without_ringing() {
    let mut world = World::ready(2, LAN, &["alice", "bob"]);
    let at = world.nodes[1].addr;
    world.acquaint(0, 1);
    for typed in ["bob".to_owned(), format!("bob@{at}")] {
        let before = found(&world, 0);
        world.command(0, Command::Lookup(typed.parse().unwrap()));
        assert!(world.run_until(LOOKUP_WITHIN, |world| found(world, 0) > before));
        let Some(Event::Found {
            found: Ok(found), ..
        }) = world.nodes[0].events.last()
        else {
            panic!("{:?}", world.nodes[0].events);
        };
        assert_eq!(found.identity, world.nodes[1].greeting.card.identity);
        assert_eq!(found.standing, Standing::Known);
        assert_eq!(found.registry.is_some(), !typed.contains('@'));
    }
    world.net.direct = false;
    let target = format!("bob@{at}").parse().unwrap();
    world.command(0, Command::Lookup(target));
    assert!(world.run_until(LOOKUP_WITHIN, |world| found(world, 0) == 3));
    let last = world.nodes[0].events.last();
    assert!(matches!(
        last,
        Some(Event::Found {
            found: Err(Unfound::NoAnswer(_)),
            ..
        })
    ));
    assert_eq!(world.incoming(1), None);
    // What was opened for it is closed.
    world.run_for(SOON);
    assert!(world.links.is_empty());
}
