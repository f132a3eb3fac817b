//! Whom to call, as people type it: `NAME`, or `NAME@HOST[:PORT]`.

use std::{fmt, str::FromStr};

use codec::{Name, NameError};
use registry::client::{BadHost, Host};

/// Whom to call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Their name.
    pub name: Name,
    /// Where to ask or call, if not at the phone's own registry.
    pub host: Option<Host>,
}

/// A text names nobody to call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadTarget {
    /// What stands for the name is none.
    Name(NameError),
    /// What stands for the address is none.
    Host(BadHost),
}

impl fmt::Display for BadTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(error) => error.fmt(f),
            Self::Host(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for BadTarget {}

impl FromStr for Target {
    type Err = BadTarget;

    fn from_str(typed: &str) -> Result<Self, BadTarget> {
        let (name, host) = match typed.split_once('@') {
            Some((name, host)) => (name, Some(host.parse().map_err(BadTarget::Host)?)),
            None => (typed, None),
        };
        Ok(Self {
            name: name.parse().map_err(BadTarget::Name)?,
            host,
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Some(host) => write!(f, "{}@{host}", self.name),
            None => self.name.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_names_with_or_without_an_address() {
        let shown = |typed: &str| typed.parse().map(|target: Target| target.to_string());
        assert_eq!(shown("bob"), Ok("bob".to_owned()));
        assert_eq!(
            shown("bob@10.0.0.2:4000"),
            Ok("bob@10.0.0.2:4000".to_owned())
        );
        assert_eq!(
            shown("bob@example.org"),
            Ok("bob@example.org:5000".to_owned())
        );
        assert!(matches!(shown("@host"), Err(BadTarget::Name(_))));
        assert!(matches!(shown("bob@"), Err(BadTarget::Host(_))));
    }
}
