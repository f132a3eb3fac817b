//! What tests of this program are about: a phone called alice at a registry here.

#![cfg(test)]

use std::time::Duration;

use codec::Name;
use softphone::{
    board::Board,
    phone::{Callers, SecondCall, Settings},
};

use crate::desk::Desk;

#[path = "../../board/words.rs"]
mod words;

pub use words::words;

pub fn name(name: &str) -> Name {
    name.parse().unwrap()
}

pub fn board() -> Board {
    let settings = Settings {
        calls_max: 4,
        ring_for: Duration::from_secs(45),
        second_call: SecondCall::Offer,
        one_at_a_time: true,
        publish: true,
        callers: Callers::Everyone,
        dnd: false,
        hidden: false,
    };
    Board::new(name("alice"), "localhost:5000".parse().unwrap(), &settings)
}

pub fn desk() -> Desk {
    Desk::new(board(), 4, true)
}
