//! The phone: calls people by name and talks directly to them.

pub mod audio;
pub mod board;
pub mod call;
pub mod contacts;
pub mod control;
pub mod discover;
pub mod engine;
#[cfg(feature = "gui")]
pub mod gui;
pub mod history;
pub mod journal;
pub mod media;
pub mod phone;
pub mod roster;
pub mod settings;
