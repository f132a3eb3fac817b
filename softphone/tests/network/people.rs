//! What people saw, and what they usually do.

use std::collections::{BTreeMap, BTreeSet};

use codec::{CallId, FourWords};
use softphone::{
    call::{Hold, Reason},
    contacts::Contact,
    phone::{Command, Event, Input, Why},
};

use super::{Net, SOON, World};

impl World {
    pub fn registered(&self, node: usize) -> bool {
        let of_registration =
            |event: &&Event| matches!(event, Event::Registered | Event::Unregistered);
        let mut events = self.nodes[node].events.iter().rev();
        events.find(of_registration) == Some(&Event::Registered)
    }

    /// The call that came last to this phone, and whether the registry confirmed the caller.
    pub fn incoming(&self, node: usize) -> Option<(CallId, bool)> {
        let mut events = self.nodes[node].events.iter().rev();
        events.find_map(|event| match event {
            Event::Incoming {
                call, confirmed, ..
            } => Some((*call, *confirmed)),
            _ => None,
        })
    }

    /// The calls that are up on this phone.
    pub fn up(&self, node: usize) -> BTreeSet<CallId> {
        let mut up = BTreeSet::new();
        for event in &self.nodes[node].events {
            match event {
                Event::Established { call, .. } => {
                    assert!(up.insert(*call), "established twice");
                }
                Event::Ended { call, .. } => drop(up.remove(call)),
                _ => {}
            }
        }
        up
    }

    /// The calls that this phone has begun to make or to ring for, and that are not over.
    pub fn open_calls(&self, node: usize) -> BTreeSet<CallId> {
        let mut open = BTreeSet::new();
        for event in &self.nodes[node].events {
            match event {
                Event::Dialling { call, .. }
                | Event::Incoming { call, .. }
                | Event::Merged { call, .. } => drop(open.insert(*call)),
                Event::Ended { call, .. } => {
                    assert!(open.remove(call), "ended twice, or never begun");
                }
                _ => {}
            }
        }
        open
    }

    pub fn established(&self, node: usize) -> bool {
        !self.up(node).is_empty()
    }

    pub fn both_up(&self) -> bool {
        self.established(0) && self.established(1)
    }

    /// Why the last call that is over ended.
    pub fn ended(&self, node: usize) -> Option<(Reason, Option<Why>)> {
        let mut events = self.nodes[node].events.iter().rev();
        events.find_map(|event| match event {
            Event::Ended { reason, detail, .. } => Some((*reason, detail.clone())),
            _ => None,
        })
    }

    /// The words of every call that was up, as this phone shows them.
    pub fn words(&self, node: usize) -> BTreeMap<CallId, FourWords> {
        let words = |event: &Event| match event {
            Event::Established { call, words, .. } => Some((*call, *words)),
            _ => None,
        };
        self.nodes[node].events.iter().filter_map(words).collect()
    }

    /// Whoever is in a call reads the same words as whom it is with.
    pub fn assert_same_words(&self, one: usize, other: usize) {
        let (ours, theirs) = (self.words(one), self.words(other));
        for (call, words) in &ours {
            // The other side of a call that was cut off may never have been up.
            if let Some(others) = theirs.get(call) {
                assert_eq!(words, others, "{words} and {others}");
            }
        }
    }

    /// This phone's person knows the other one from a call long ago.
    pub fn acquaint(&mut self, node: usize, other: usize) {
        let card = self.nodes[other].greeting.card;
        let name = self.nodes[other].name.clone();
        let contact = Contact {
            registry: Some(self.registry()),
            name: name.parse().unwrap(),
            identity: card.identity,
            verified: false,
            blocked: false,
            changed: false,
            since: 1,
        };
        self.happen(node, Input::People([contact].into_iter().collect()));
    }

    /// Why the calls of this phone ended, in order.
    pub fn reasons(&self, node: usize) -> Vec<Reason> {
        let ended = |event: &Event| match event {
            Event::Ended { reason, .. } => Some(*reason),
            _ => None,
        };
        self.nodes[node].events.iter().filter_map(ended).collect()
    }

    /// Runs until this phone rings, and answers. Whether the registry confirmed the caller.
    pub fn ring_and_answer(&mut self, node: usize) -> bool {
        let rang = self.run_until(SOON, |world| world.incoming(node).is_some());
        assert!(rang, "{:?}", self.nodes[0].events);
        let (call, confirmed) = self.incoming(node).unwrap();
        self.command(node, Command::Answer(call));
        confirmed
    }

    /// Alice and bob in a call that she made.
    pub fn in_a_call(seed: u64, net: Net) -> Self {
        let mut world = Self::ready(seed, net, &["alice", "bob"]);
        world.dial(0, "bob");
        world.ring_and_answer(1);
        let up = world.run_until(SOON, Self::both_up);
        assert!(up, "seed {seed}: {:?}", world.nodes[0].events);
        world
    }

    /// By whom a call is held, as this phone has told it.
    pub fn hold(&self, node: usize, call: CallId) -> Hold {
        let mut events = self.nodes[node].events.iter().rev();
        let held = events.find_map(|event| match event {
            Event::Held { call: held, hold } if *held == call => Some(*hold),
            _ => None,
        });
        held.unwrap_or_default()
    }
}
