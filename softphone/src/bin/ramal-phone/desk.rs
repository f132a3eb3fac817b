//! What keys do now, and which call they are about. PURE: the board says how everything stands.

use std::ops::{Deref, DerefMut};

use codec::CallId;
use softphone::board::{Board, SeenCall, Stage};

/// The board of a terminal: what is seen of the phone, and what is being typed.
#[derive(Debug)]
pub struct Desk {
    board: Board,
    /// A name that is being typed.
    pub typing: Option<String>,
    /// How many calls there can be.
    calls_max: usize,
    /// The person can call others.
    may_call: bool,
}

impl Deref for Desk {
    type Target = Board;

    fn deref(&self) -> &Board {
        &self.board
    }
}

impl DerefMut for Desk {
    fn deref_mut(&mut self) -> &mut Board {
        &mut self.board
    }
}

/// What the person wants by a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Accept(CallId),
    Decline(CallId),
    Hangup(CallId),
    Hold(CallId),
    Resume(CallId),
    Mute(bool),
    Away(bool),
    Dnd(bool),
    /// The words are the same on both sides.
    Verify(CallId),
    /// To type whom to call.
    Call,
    /// To mean this call.
    Select(CallId),
    List,
    Help,
    Quit,
}

impl Action {
    /// Whether it is about a call, and not about the phone.
    pub fn is_about_calls(self) -> bool {
        match self {
            Self::Accept(_)
            | Self::Decline(_)
            | Self::Hangup(_)
            | Self::Hold(_)
            | Self::Resume(_)
            | Self::Select(_)
            | Self::Mute(_) => true,
            // The row with the words says what it is about.
            Self::Verify(_)
            | Self::Away(_)
            | Self::Dnd(_)
            | Self::Call
            | Self::List
            | Self::Help
            | Self::Quit => false,
        }
    }
}

/// A key that does something now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// The key.
    pub key: char,
    /// What it does, in a word or two.
    pub word: &'static str,
    /// What it does.
    pub action: Action,
}

impl Desk {
    /// Of a phone that can have so many calls, and whose person can call others or not.
    pub fn new(board: Board, calls_max: usize, may_call: bool) -> Self {
        Self {
            board,
            typing: None,
            calls_max,
            may_call,
        }
    }

    /// The call that `a` and `d` are about: the one that is meant, or the first that rings.
    fn ringing(&self) -> Option<&SeenCall> {
        let rings = self.calls.iter().find(|seen| seen.rings_here());
        self.meant().filter(|seen| seen.rings_here()).or(rings)
    }

    /// The call that `h` and `o` are about: the one that is meant unless it rings, or the one that
    /// is spoken in, or any.
    fn current(&self) -> Option<&SeenCall> {
        let others = || self.calls.iter().filter(|seen| !seen.rings_here());
        let spoken = others().find(|seen| seen.is_up() && !seen.is_held_here());
        let meant = self.meant().filter(|seen| !seen.rings_here());
        meant.or(spoken).or_else(|| others().next())
    }

    /// The call after the one that is meant.
    fn next(&self) -> Option<&SeenCall> {
        let meant = self.meant()?.call;
        let at = self.calls.iter().position(|seen| seen.call == meant)?;
        self.calls.get((at + 1) % self.calls.len())
    }

    /// The keys that do something now, the most wanted first.
    pub fn offers(&self) -> Vec<Offer> {
        let mut offers = Vec::with_capacity(10);
        let mut offer = |key, word, action| offers.push(Offer { key, word, action });
        if let Some(seen) = self.ringing() {
            offer('a', "accept", Action::Accept(seen.call));
            offer('d', "decline", Action::Decline(seen.call));
        }
        if let Some(seen) = self.current() {
            offer('h', "hang up", Action::Hangup(seen.call));
            match seen.stage {
                Stage::Up { .. } if seen.is_held_here() => {
                    offer('o', "resume", Action::Resume(seen.call));
                }
                Stage::Up { .. } => offer('o', "hold", Action::Hold(seen.call)),
                _ => {}
            }
        }
        if let Some(next) = self.next().filter(|_| self.calls.len() > 1) {
            offer('n', "next", Action::Select(next.call));
        }
        if self.current().is_some() {
            let word = if self.muted { "unmute" } else { "mute" };
            offer('m', word, Action::Mute(!self.muted));
        }
        if let Some(seen) = self.current().filter(|seen| seen.unread().is_some()) {
            offer('v', "words agree", Action::Verify(seen.call));
        }
        if self.may_call && self.calls.len() < self.calls_max {
            offer('c', "call", Action::Call);
        }
        if self.publishes && self.calls.is_empty() {
            let word = if self.away { "back" } else { "away" };
            offer('w', word, Action::Away(!self.away));
        }
        if self.calls.is_empty() {
            let word = if self.dnd { "take calls" } else { "no calls" };
            offer('z', word, Action::Dnd(!self.dnd));
        }
        offer('l', "list", Action::List);
        offer('?', "help", Action::Help);
        offer('q', "quit", Action::Quit);
        offers
    }

    /// What a key does now. Beside the keys on offer, the number of a call means that call, and `z`
    /// is about whoever calls next.
    pub fn action(&self, key: char) -> Option<Action> {
        if let Some(number @ 1..) = key.to_digit(10) {
            let seen = self.calls.get(number as usize - 1)?;
            return Some(Action::Select(seen.call));
        }
        let key = key.to_ascii_lowercase();
        if key == 'z' {
            // During a call it is not worth the room that it takes in the row, but it works.
            return Some(Action::Dnd(!self.dnd));
        }
        let offers = self.offers().into_iter();
        offers
            .filter(|offer| offer.key == key)
            .map(|offer| offer.action)
            .next()
    }
}

#[cfg(test)]
mod tests;
