//! A store that forgets everything when the program ends.

use std::sync::{Mutex, PoisonError};

use codec::{Name, registry::Refusal};

use super::names::{KeepsNames, Names};
use crate::{limits::Limits, ownership::Claims};

/// Names in memory.
#[derive(Debug)]
pub struct MemoryStore {
    names: Mutex<Names>,
}

impl MemoryStore {
    /// An empty store for at most `names_max` names.
    #[must_use]
    pub fn new(names_max: usize) -> Self {
        Self::limited(&Limits {
            names: names_max,
            ..Limits::default()
        })
    }

    /// An empty store within `limits`.
    #[must_use]
    pub fn limited(limits: &Limits) -> Self {
        Self::claimed_by(limits, Claims::Open)
    }

    /// The same, where not everybody may claim a name.
    #[must_use]
    pub fn claimed_by(limits: &Limits, claims: Claims) -> Self {
        Self {
            names: Mutex::new(Names::new(limits, claims)),
        }
    }
}

impl KeepsNames for MemoryStore {
    /// The lock is held for one operation, never across an await. The names stay whole whatever
    /// panics around them, so a poisoned lock is taken all the same. Nothing is written.
    fn names<T>(&self, act: impl FnOnce(&mut Names) -> T) -> T {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let done = act(&mut names);
        drop(names.take_writes());
        done
    }

    async fn settled<T: Send>(
        &self,
        _name: Option<&Name>,
        act: impl FnOnce(&mut Names) -> Result<T, Refusal> + Send,
    ) -> Result<T, Refusal> {
        self.names(act)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn memory_conforms() {
        crate::store::conformance::run(MemoryStore::claimed_by).await;
    }
}
