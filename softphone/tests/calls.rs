//! Two phones and a registry in virtual time: how calls go, and how not.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use softphone::{
    call::{Hold, Reason},
    phone::{Command, Event, Input, SecondCall, Why},
};

#[allow(dead_code, reason = "the tests of the network use the rest")]
#[path = "network/world.rs"]
mod world;

use world::{LAN, Net, SOON, World};

#[test]
fn a_call_by_name_is_established_and_ended_over_any_network() {
    for seed in 0..300 {
        let delay_ms = [1, 20, 150, 300][usize::try_from(seed % 4).unwrap()];
        let net = Net {
            delay_ms,
            direct: seed % 3 != 0,
            ..LAN
        };
        let mut world = World::ready(seed, net, &["alice", "bob"]);
        world.dial(0, "bob");
        let confirmed = world.ring_and_answer(1);
        // A check of the caller's name that takes longer than a second is not waited for.
        assert!(confirmed || delay_ms == 300, "seed {seed}");
        let up = world.run_until(SOON, World::both_up);
        assert!(
            up,
            "seed {seed}: {:?} {:?}",
            world.nodes[0].events, world.nodes[1].events
        );
        let (call, _) = world.incoming(1).unwrap();
        let first = usize::try_from(seed % 2).unwrap();
        world.command(first, Command::Hangup(call));
        let over = world.run_until(SOON, |world| {
            world.ended(0).is_some() && world.ended(1).is_some()
        });
        assert!(over, "seed {seed}");
        assert_eq!(world.ended(first).unwrap().0, Reason::Hangup, "seed {seed}");
        assert_eq!(
            world.ended(1 - first).unwrap().0,
            Reason::RemoteHangup,
            "seed {seed}"
        );
    }
}

#[test]
fn a_direct_call_needs_no_registry() {
    for seed in 0..50 {
        let mut world = World::ready(
            seed,
            Net {
                registry: false,
                ..LAN
            },
            &["alice", "bob"],
        );
        world.dial(0, "bob@10.0.0.2:4000");
        assert!(
            !world.ring_and_answer(1),
            "seed {seed}: nobody can have confirmed it"
        );
        assert!(world.run_until(SOON, World::both_up));
    }
}

#[test]
fn who_cannot_be_called_is_told_apart() {
    let end = |net: Net, target: &str| {
        let mut world = World::ready(1, net, &["alice", "bob"]);
        world.dial(0, target);
        assert!(
            world.run_until(SOON, |world| world.ended(0).is_some()),
            "{target}"
        );
        world.ended(0).unwrap()
    };
    assert_eq!(end(LAN, "carol").0, Reason::NotFound);
    let nobody = end(LAN, "bob@10.0.0.9:4000");
    assert_eq!(nobody.0, Reason::Unreachable);
    assert!(nobody.1.unwrap().to_string().contains("nobody listens"));
    let other = end(LAN, "carol@10.0.0.2:4000");
    assert_eq!(other.0, Reason::Unreachable);
    assert!(other.1.unwrap().to_string().contains("is not carol"));
    let myself = end(LAN, "alice");
    assert!(myself.1.unwrap().to_string().contains("own name"));
    let offline = end(
        Net {
            registry: false,
            ..LAN
        },
        "bob",
    );
    assert_eq!(offline.0, Reason::RegistryUnreachable);
}

#[test]
fn a_declined_and_a_cancelled_call_end_on_both_sides() {
    for seed in 0..50 {
        let mut world = World::ready(seed, LAN, &["alice", "bob"]);
        world.dial(0, "bob");
        assert!(
            world.run_until(SOON, |world| world.incoming(1).is_some()),
            "seed {seed}"
        );
        let (call, _) = world.incoming(1).unwrap();
        let who = usize::try_from(seed % 2).unwrap();
        world.command(who, Command::Hangup(call));
        assert!(
            world.run_until(SOON, |world| world.ended(0).is_some()
                && world.ended(1).is_some()),
            "seed {seed}"
        );
        let expected = if who == 1 {
            [Reason::Declined, Reason::DeclinedHere]
        } else {
            [Reason::Hangup, Reason::Cancelled]
        };
        assert_eq!(
            [world.ended(0).unwrap().0, world.ended(1).unwrap().0],
            expected
        );
    }
}

#[test]
fn a_phone_in_a_call_is_busy_to_others() {
    let mut world = World::ready(1, LAN, &["alice", "bob"]);
    world.dial(0, "bob");
    world.ring_and_answer(1);
    assert!(world.run_until(SOON, World::both_up));
    world.add(3, "carol", SecondCall::Busy);
    assert!(world.run_until(SOON, |world| world.registered(2)));
    world.dial(2, "bob");
    assert!(world.run_until(SOON, |world| world.ended(2).is_some()));
    assert_eq!(world.ended(2).unwrap().0, Reason::Busy);
    assert_eq!(world.ended(1), None);
}

#[test]
fn a_connection_lost_while_it_rings_is_replaced_by_the_registry() {
    for seed in 0..50 {
        let mut world = World::ready(seed, LAN, &["alice", "bob"]);
        world.dial(0, "bob");
        assert!(world.run_until(SOON, |world| world.incoming(1).is_some()));
        world.cut_links();
        world.net.direct = false;
        let (call, _) = world.incoming(1).unwrap();
        world.command(1, Command::Answer(call));
        let up = world.run_until(SOON, World::both_up);
        assert!(
            up,
            "seed {seed}: {:?} {:?}",
            world.nodes[0].events, world.nodes[1].events
        );
    }
}

#[test]
fn somebody_under_a_name_that_is_anothers_does_not_ring() {
    let mut world = World::ready(1, LAN, &["alice", "bob"]);
    // The registry refuses her the name; she calls bob directly all the same.
    world.add(3, "alice", SecondCall::Busy);
    assert!(world.run_until(SOON, |world| {
        world.nodes[2]
            .events
            .iter()
            .any(|event| matches!(event, Event::RegistrationRefused(_)))
    }));
    world.dial(2, "bob@10.0.0.2:4000");
    assert!(world.run_until(SOON, |world| world.ended(2).is_some()));
    assert_eq!(world.ended(2).unwrap().0, Reason::Unavailable);
    assert_eq!(world.incoming(1), None);
}

#[test]
fn a_phone_that_stops_says_farewell_and_unregisters() {
    let mut world = World::ready(1, LAN, &["alice", "bob"]);
    world.dial(0, "bob");
    world.ring_and_answer(1);
    assert!(world.run_until(SOON, World::both_up));
    world.command(0, Command::Stop);
    assert!(world.run_until(SOON, |world| {
        world.nodes[0].events.contains(&Event::Stopped)
    }));
    assert!(world.run_until(SOON, |world| world.ended(1).is_some()));
    assert_eq!(world.ended(1).unwrap().0, Reason::RemoteHangup);
    assert!(
        world
            .table
            .lookup(&"alice".parse().unwrap(), world.now)
            .is_none()
    );
}

#[test]
fn people_who_call_each_other_at_once_are_in_one_call() {
    for seed in 0..600 {
        let delay_ms = [1, 20, 200, 700][usize::try_from(seed / 2 % 4).unwrap()];
        let direct = seed % 3 != 0;
        let net = Net {
            delay_ms,
            direct,
            ..LAN
        };
        let mut world = World::ready(seed, net, &["alice", "bob"]);
        let first = usize::try_from(seed % 2).unwrap();
        world.dial(first, ["bob", "alice"][first]);
        let later = Duration::from_micros(world.below(delay_ms * 6_000));
        world.run_for(later);
        world.dial(1 - first, ["alice", "bob"][first]);
        // Whoever is rung has not called themselves yet, and takes the call by calling.
        let up = world.run_until(SOON + SOON, World::both_up);
        let events = [&world.nodes[0].events, &world.nodes[1].events];
        assert!(up, "seed {seed}: {events:#?}");
        world.run_for(SOON);
        assert_eq!(world.up(0), world.up(1), "seed {seed}");
        assert_eq!(world.up(0).len(), 1, "seed {seed}");
        assert_eq!(world.open_calls(0), world.up(0), "seed {seed}");
        assert_eq!(world.open_calls(1), world.up(1), "seed {seed}");
        for node in 0..2 {
            let merged = world.reasons(node);
            let only_merged = merged.iter().all(|reason| *reason == Reason::Merged);
            assert!(only_merged && merged.len() <= 1, "seed {seed}: {merged:?}");
        }
    }
}

#[test]
fn a_call_rings_on_every_device_and_the_first_that_takes_it_has_it() {
    for seed in 0..200 {
        let direct = seed % 2 == 0;
        let mut world = World::ready(seed, Net { direct, ..LAN }, &["alice", "bob"]);
        world.add(2, "bob", SecondCall::Busy);
        assert!(world.run_until(SOON, |world| world.registered(2)));
        world.dial(0, "bob");
        let rang = |world: &World| world.incoming(1).is_some() && world.incoming(2).is_some();
        assert!(world.run_until(SOON, rang), "seed {seed}");
        let (call, _) = world.incoming(1).unwrap();
        // Now and then both take it at the same time.
        world.command(1, Command::Answer(call));
        if seed % 3 == 0 {
            let later = Duration::from_micros(world.below(40_000));
            world.run_for(later);
            world.command(2, Command::Answer(call));
        }
        assert!(world.run_until(SOON, |world| world.established(0)));
        world.run_for(SOON);
        let with_bob = [world.established(1), world.established(2)];
        assert_eq!(with_bob.iter().filter(|up| **up).count(), 1, "seed {seed}");
        let other = if with_bob[0] { 2 } else { 1 };
        let elsewhere = [Reason::AnsweredElsewhere];
        assert_eq!(world.reasons(other), elsewhere, "seed {seed}");
        // The rest of the call is with the one that has it.
        world.command(3 - other, Command::Hangup(call));
        assert!(world.run_until(SOON, |world| world.ended(0).is_some()));
        assert_eq!(world.ended(0).unwrap().0, Reason::RemoteHangup);
    }
}

#[test]
fn a_person_who_declines_on_one_device_has_declined_on_all() {
    for seed in 0..50 {
        let mut world = two_devices(seed);
        world.dial(0, "bob");
        let rang = |world: &World| world.incoming(1).is_some() && world.incoming(2).is_some();
        assert!(world.run_until(SOON, rang), "seed {seed}");
        let (call, _) = world.incoming(1).unwrap();
        world.command(2, Command::Hangup(call));
        world.run_for(SOON);
        assert_eq!(world.reasons(0), [Reason::Declined], "seed {seed}");
        assert_eq!(world.reasons(1), [Reason::DeclinedElsewhere], "seed {seed}");
        assert_eq!(world.reasons(2), [Reason::DeclinedHere], "seed {seed}");
    }
}

#[test]
fn a_device_that_is_busy_or_gone_leaves_the_call_to_the_others() {
    for seed in 0..50 {
        let mut world = two_devices(seed);
        world.add(3, "carol", SecondCall::Busy);
        assert!(world.run_until(SOON, |world| world.registered(3)));
        if seed % 2 == 0 {
            world.dial(3, "bob@10.0.0.2:4000");
            world.ring_and_answer(1);
            assert!(world.run_until(SOON, |world| world.established(3)));
        } else {
            world.kill(1, seed % 4 == 1);
        }
        world.dial(0, "bob");
        world.ring_and_answer(2);
        assert!(
            world.run_until(SOON, |world| world.established(0)),
            "seed {seed}"
        );
        // With both in calls there is nobody left.
        if seed % 2 == 0 {
            world.add(4, "dave", SecondCall::Busy);
            assert!(world.run_until(SOON, |world| world.registered(4)));
            world.dial(4, "bob");
            world.run_for(SOON);
            assert_eq!(world.reasons(4), [Reason::Busy], "seed {seed}");
        }
    }
}

/// Alice, and bob with two devices.
fn two_devices(seed: u64) -> World {
    let mut world = World::ready(seed, LAN, &["alice", "bob"]);
    world.add(2, "bob", SecondCall::Busy);
    assert!(world.run_until(SOON, |world| world.registered(2)));
    world
}

#[test]
fn a_second_call_is_offered_and_the_first_one_waits_on_hold() {
    for seed in 0..50 {
        let mut world = World::ready(seed, LAN, &["alice"]);
        world.add(2, "bob", SecondCall::Offer);
        world.add(3, "carol", SecondCall::Busy);
        assert!(world.run_until(SOON, |world| world.registered(1) && world.registered(2)));
        world.dial(0, "bob");
        world.ring_and_answer(1);
        assert!(world.run_until(SOON, World::both_up));
        let (first, _) = world.incoming(1).unwrap();
        world.dial(2, "bob");
        let offered = |world: &World| world.incoming(1).unwrap().0 != first;
        assert!(world.run_until(SOON, offered), "seed {seed}");
        let waits = |event: &Event| matches!(event, Event::Incoming { waiting: true, .. });
        assert!(world.nodes[1].events.iter().any(waits));
        let (second, _) = world.incoming(1).unwrap();
        world.command(1, Command::Answer(second));
        if seed % 5 == 0 {
            // Back to the first before the second is up, and then to the second after all.
            world.command(1, Command::Resume(first));
            world.run_for(SOON);
            assert_eq!(world.hold(1, second), Hold::Here);
            assert_eq!(world.hold(1, first), Hold::No);
            world.command(1, Command::Resume(second));
        }
        assert!(world.run_until(SOON, |world| world.established(2)));
        world.run_for(SOON);
        assert_eq!(world.hold(1, first), Hold::Here);
        assert_eq!(world.hold(0, first), Hold::There);
        assert_eq!(world.hold(1, second), Hold::No);
        // Going on with the first puts the second on hold.
        world.command(1, Command::Resume(first));
        world.run_for(SOON);
        assert_eq!(world.hold(0, first), Hold::No);
        assert_eq!(world.hold(2, second), Hold::There);
        world.command(2, Command::Hangup(second));
        world.run_for(SOON);
        assert_eq!(world.up(1).len(), 1);
    }
}

#[test]
fn a_call_outlives_the_registry_and_names_return_with_it() {
    for seed in 0..50 {
        let mut world = World::in_a_call(seed, LAN);
        world.kill_registry();
        let away = Duration::from_secs(5 + world.below(300));
        world.run_for(away);
        assert!(world.both_up(), "seed {seed}");
        assert!(!world.registered(0) && !world.registered(1));
        world.net.registry = true;
        let back = |world: &World| world.registered(0) && world.registered(1);
        assert!(world.run_until(Duration::from_secs(5), back), "seed {seed}");
        assert!(world.both_up(), "seed {seed}");
    }
}

#[test]
fn a_call_without_any_way_for_signals_is_held_and_resumed_when_there_is_one() {
    for seed in 0..50 {
        let mut world = World::in_a_call(seed, LAN);
        let call = *world.up(0).first().unwrap();
        world.kill_registry();
        world.cut_links();
        world.net.direct = false;
        let who = usize::try_from(seed % 2).unwrap();
        world.command(who, Command::Hold(call));
        world.run_for(SOON);
        assert_eq!(world.hold(1 - who, call), Hold::No);
        world.net.registry = true;
        world.run_for(SOON);
        assert_eq!(world.hold(1 - who, call), Hold::There, "seed {seed}");
        world.command(who, Command::Resume(call));
        world.run_for(SOON);
        assert_eq!(world.hold(1 - who, call), Hold::No, "seed {seed}");
        assert!(world.both_up());
    }
}

#[test]
fn a_phone_that_vanishes_ends_the_others_call_with_a_reason() {
    for seed in 0..50 {
        let mut world = World::in_a_call(seed, LAN);
        world.kill(1, seed % 2 == 0);
        assert!(world.run_until(Duration::from_secs(10), |world| !world.established(0)));
        assert_eq!(world.reasons(0), [Reason::MediaLost], "seed {seed}");
        let missed = |event: &Event| matches!(event, Event::Reconnecting { .. });
        assert!(world.nodes[0].events.iter().any(missed), "seed {seed}");
    }
}

#[test]
fn a_callee_that_vanishes_while_it_rings_is_unreachable() {
    for seed in 0..50 {
        let mut world = World::ready(seed, LAN, &["alice", "bob"]);
        world.dial(0, "bob");
        assert!(world.run_until(SOON, |world| world.incoming(1).is_some()));
        world.run_for(Duration::from_millis(500));
        world.kill(1, seed % 2 == 0);
        assert!(world.run_until(Duration::from_secs(11), |world| world.ended(0).is_some()));
        assert_eq!(world.reasons(0), [Reason::Unreachable], "seed {seed}");
    }
}

#[test]
fn what_is_said_on_a_connection_that_is_dead_is_said_again_when_the_address_changes() {
    for seed in 0..60 {
        let mut world = World::in_a_call(seed, LAN);
        let call = *world.up(0).first().unwrap();
        let mover = usize::try_from(seed % 2).unwrap();
        if seed % 4 == 0 {
            // The caller finds the callee without any registry.
            world.kill_registry();
        }
        world.freeze_links();
        world.command(mover, Command::Hold(call));
        world.run_for(Duration::from_millis(500));
        assert_eq!(world.hold(1 - mover, call), Hold::No);
        world.move_phone(mover);
        world.run_for(SOON);
        assert_eq!(world.hold(1 - mover, call), Hold::There, "seed {seed}");
        world.command(1 - mover, Command::Hangup(call));
        world.run_for(SOON);
        assert_eq!(world.reasons(mover), [Reason::RemoteHangup], "seed {seed}");
    }
}

#[test]
fn people_with_several_devices_who_call_each_other_at_once_are_in_one_call() {
    for seed in 0..200 {
        let mut world = World::ready(seed, LAN, &["alice", "bob"]);
        world.add(1, "alice", SecondCall::Busy);
        world.add(2, "bob", SecondCall::Busy);
        let all = |world: &World| (0..4).all(|node| world.registered(node));
        assert!(world.run_until(SOON, all), "seed {seed}");
        world.dial(0, "bob");
        let later = Duration::from_micros(world.below(60_000));
        world.run_for(later);
        if world.incoming(1).is_none() {
            world.dial(1, "alice");
            assert!(world.run_until(SOON, World::both_up), "seed {seed}");
            world.run_for(SOON);
            assert_eq!(world.up(0), world.up(1), "seed {seed}");
            for other in [2, 3] {
                assert!(world.open_calls(other).is_empty(), "seed {seed}");
            }
        }
    }
}

#[test]
fn a_callee_that_did_not_hear_that_the_call_is_over_hears_it_when_it_rings_or_accepts() {
    for seed in 0..40 {
        let direct = false;
        let mut world = World::ready(seed, Net { direct, ..LAN }, &["alice", "bob"]);
        world.dial(0, "bob");
        assert!(world.run_until(SOON, |world| world.incoming(1).is_some()));
        let (call, _) = world.incoming(1).unwrap();
        // The Cancel has no way, and alice's phone is back a moment later.
        let why = Why::Silent;
        world.happen(0, Input::RegistryDown { why });
        world.command(0, Command::Hangup(call));
        if seed % 2 == 0 {
            world.command(1, Command::Answer(call));
        }
        world.run_for(Duration::from_secs(9));
        assert_eq!(world.reasons(1), [Reason::Cancelled], "seed {seed}");
    }
}

#[test]
fn a_registry_that_restarts_while_a_forwarded_call_rings_does_not_end_it() {
    for seed in 0..60 {
        let direct = false;
        let mut world = World::ready(seed, Net { direct, ..LAN }, &["alice", "bob"]);
        world.dial(0, "bob");
        let rings = |event: &Event| matches!(event, Event::Ringing { .. });
        let rung = |world: &World| world.nodes[0].events.iter().any(rings);
        assert!(world.run_until(SOON, rung));
        world.kill_registry();
        let away = Duration::from_millis(world.below(2_000));
        world.run_for(away);
        world.net.registry = true;
        world.run_for(SOON);
        let (call, _) = world.incoming(1).unwrap();
        world.command(1, Command::Answer(call));
        let up = world.run_until(SOON, World::both_up);
        assert!(up, "seed {seed}: {:?}", world.nodes[0].events);
    }
}

#[test]
fn a_man_in_the_middle_of_a_first_call_is_shown_by_words_that_differ() {
    for seed in 0..20 {
        // Nobody says whose a name is, and eve answers wherever alice believes bob to be. She has
        // an identity of her own, and goes by both names.
        let net = Net {
            registry: false,
            ..LAN
        };
        let mut world = World::ready(seed, net, &["alice", "bob"]);
        world.add(3, "bob", SecondCall::Busy);
        world.add(3, "alice", SecondCall::Busy);
        let [alice, bob, as_bob, as_alice] = [0, 1, 2, 3];
        let addr = |world: &World, node: usize| world.nodes[node].addr;
        let to_eve = format!("bob@{}", addr(&world, as_bob));
        let to_bob = format!("bob@{}", addr(&world, bob));
        world.dial(alice, &to_eve);
        world.ring_and_answer(as_bob);
        world.dial(as_alice, &to_bob);
        world.ring_and_answer(bob);
        let all_up = |world: &World| (0..4).all(|node| world.established(node));
        assert!(world.run_until(SOON, all_up), "seed {seed}");
        // Each half is a sound call of its own, and both names are what people expect.
        assert_eq!(world.words(alice), world.words(as_bob), "seed {seed}");
        assert_eq!(world.words(bob), world.words(as_alice), "seed {seed}");
        let read = |node: usize| world.words(node).into_values().collect::<Vec<_>>();
        assert_eq!((read(alice).len(), read(bob).len()), (1, 1));
        assert_ne!(read(alice), read(bob), "seed {seed}");
    }
}
