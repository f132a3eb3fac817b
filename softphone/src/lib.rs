//! The phone: calls people by name and talks directly to them.

pub mod audio;
pub mod call;
pub mod contacts;
pub mod engine;
pub mod media;
pub mod phone;
pub mod settings;
