//! The registrar: the table name -> ip:port, who may change it, and how to ask for it.
//!
//! `client`, `link`, `tls`, `known`, `keyfile` and `registration` are for everyone who talks to a
//! registry; the rest is the registry itself (feature `server`).

#[cfg(feature = "server")]
pub mod admin;
#[cfg(all(feature = "server", feature = "programs"))]
pub mod announce;
#[cfg(feature = "cli")]
pub mod cli;
pub mod client;
#[cfg(feature = "server")]
pub mod desk;
#[cfg(feature = "server")]
pub mod event;
#[cfg(feature = "gui")]
pub mod gui;
pub mod keyfile;
pub mod known;
#[cfg(feature = "server")]
pub mod limits;
pub mod line;
pub mod link;
pub mod local;
#[cfg(all(feature = "server", feature = "programs"))]
pub mod operate;
#[cfg(feature = "server")]
pub mod ownership;
pub mod registration;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "server")]
pub mod session;
#[cfg(feature = "server")]
pub mod store;
#[cfg(feature = "server")]
pub mod table;
pub mod tls;
